//! Lab 20: sticky leftovers. Where is the rest of a message that was not read?

use socklab::prelude::*;

fn main() -> ExitCode {
    Lab::new(20, "sticky-leftovers", 8080)
        .asks("Where is the rest of a message that was not read?")
        .scene(Scene::new("as its authors wrote it").server(server).client(client))
        .run()
}

fn server(_at: Endpoint) -> io::Result<()> {
    Ok(())
}

fn client(_at: Endpoint) -> io::Result<()> {
    Ok(())
}
