//! Lab 02: udp empty datagram. Does sending nothing arrive?

use socklab::prelude::*;

fn main() -> ExitCode {
    Lab::new(2, "udp-empty-datagram", 9003)
        .asks("Does sending nothing arrive?")
        .scene(Scene::new("as its authors wrote it").server(server).client(client))
        .run()
}

fn server(_at: Endpoint) -> io::Result<()> {
    Ok(())
}

fn client(_at: Endpoint) -> io::Result<()> {
    Ok(())
}
