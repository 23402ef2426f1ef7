//! What benchmarks with servers share: where those listen, and how figures are set and summed up.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A number from the environment.
pub fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: no number")))
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Where a server listens.
pub fn address(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

/// A port that nobody has.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(address(0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A look at the kernel's table costs the server no connection.
pub fn wait_until_it_listens(port: u16) {
    let line = format!("0100007F:{port:04X} 00000000:0000 0A");
    let until = Instant::now() + Duration::from_secs(30);
    while !fs::read_to_string("/proc/net/tcp").expect("the kernel's table").contains(&line) {
        assert!(Instant::now() < until, "the server does not listen");
        std::thread::yield_now();
    }
}

/// The interpreter itself: `python3` may be a shim that costs more than it.
pub fn real_python() -> &'static Path {
    static REAL: OnceLock<PathBuf> = OnceLock::new();
    REAL.get_or_init(|| {
        let told = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().expect("python3");
        String::from_utf8_lossy(&told.stdout).trim().into()
    })
}

/// The first number of the kernel's load, of the last minute.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}
