//! Lab 03: udp truncation. What happens to the part of a datagram that does not fit recvfrom's buffer?

use socklab::prelude::*;

fn main() -> ExitCode {
    Lab::new(3, "udp-truncation", 9003)
        .asks("What happens to the part of a datagram that does not fit recvfrom's buffer?")
        .scene(Scene::new("as its authors wrote it").server(server).client(client))
        .run()
}

fn server(_at: Endpoint) -> io::Result<()> {
    Ok(())
}

fn client(_at: Endpoint) -> io::Result<()> {
    Ok(())
}
