//! Lab 27: low version. A length as text, an acknowledgement, then the data: does it work, and what does it assume?

use socklab::prelude::*;

fn main() -> ExitCode {
    Lab::new(27, "low-version", 8080)
        .asks("A length as text, an acknowledgement, then the data: does it work, and what does it assume?")
        .scene(Scene::new("as its authors wrote it").server(server).client(client))
        .run()
}

fn server(_at: Endpoint) -> io::Result<()> {
    Ok(())
}

fn client(_at: Endpoint) -> io::Result<()> {
    Ok(())
}
