//! Lab 19: sticky sends. Two sends, one receive: who merged them, and when do they stay apart?

use socklab::prelude::*;

fn main() -> ExitCode {
    Lab::new(19, "sticky-sends", 8080)
        .asks("Two sends, one receive: who merged them, and when do they stay apart?")
        .scene(Scene::new("as its authors wrote it").server(server).client(client))
        .run()
}

fn server(_at: Endpoint) -> io::Result<()> {
    Ok(())
}

fn client(_at: Endpoint) -> io::Result<()> {
    Ok(())
}
