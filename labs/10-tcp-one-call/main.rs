//! Lab 10: tcp one call. What are the calls of one conversation, and what does each do to the connection?

use socklab::prelude::*;

fn main() -> ExitCode {
    Lab::new(10, "tcp-one-call", 9000)
        .asks("What are the calls of one conversation, and what does each do to the connection?")
        .scene(Scene::new("as its authors wrote it").server(server).client(client))
        .run()
}

fn server(_at: Endpoint) -> io::Result<()> {
    Ok(())
}

fn client(_at: Endpoint) -> io::Result<()> {
    Ok(())
}
