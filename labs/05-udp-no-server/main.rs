//! Lab 05: udp no server. Nobody listens: who is told, and when?

use socklab::prelude::*;

fn main() -> ExitCode {
    Lab::new(5, "udp-no-server", 9003)
        .asks("Nobody listens: who is told, and when?")
        .scene(Scene::new("as its authors wrote it").server(server).client(client))
        .run()
}

fn server(_at: Endpoint) -> io::Result<()> {
    Ok(())
}

fn client(_at: Endpoint) -> io::Result<()> {
    Ok(())
}
