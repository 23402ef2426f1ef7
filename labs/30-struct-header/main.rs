//! Lab 30: struct header. Four bytes of length before the data: what do they cure, and what do they assume?

use socklab::prelude::*;

fn main() -> ExitCode {
    Lab::new(30, "struct-header", 8080)
        .asks("Four bytes of length before the data: what do they cure, and what do they assume?")
        .scene(Scene::new("as its authors wrote it").server(server).client(client))
        .run()
}

fn server(_at: Endpoint) -> io::Result<()> {
    Ok(())
}

fn client(_at: Endpoint) -> io::Result<()> {
    Ok(())
}
