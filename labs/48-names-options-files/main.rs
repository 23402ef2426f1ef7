//! Names, options, descriptors: what a socket can tell.

mod claims;

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};

use socklab::prelude::*;

/// Hosts of a stage have no IPv6, except where a scene is about it.
const WITH_IPV6: (&str, &str) = ("ipv6/conf/all/disable_ipv6", "0");

pub fn lab() -> Lab {
    Lab::new(48, "names-options-files", 8080)
        .in_chapter(Chapter::UnderTheApi)
        .on_one_host()
        .asks("What can a socket tell: its addresses, its options, its descriptor, and itself as a file?")
        .scene(Scene::new("getsockname and getpeername").server(server).client(client))
        .scene(Scene::new("options: what you set, and what the kernel has then").role("program", options_program))
        .scene(
            // How large the send buffer becomes depends on it.
            Scene::new("options: what connect and accept make of them")
                .server(option_server)
                .client(option_client)
                .with_setting("ipv4/tcp_congestion_control", "reno"),
        )
        .scene(Scene::new("ports: 0, 1, 1023, 1024, 65535, and 65536").role("program", ports_program))
        .scene(
            Scene::new("ports, on a host whose ordinary ports begin at 80")
                .role("program", low_ports_program)
                .with_setting("ipv4/ip_unprivileged_port_start", "80"),
        )
        .scene(
            Scene::new("two descriptors of one socket: close and shutdown")
                .server(patient_server)
                .client(two_descriptors_client),
        )
        .scene(
            Scene::new("a file that reads ahead: what it took is not there for recv")
                .server(reading_server)
                .client(line_client),
        )
        .scene(
            Scene::new("a file that writes later: nothing is sent before flush")
                .server(waiting_server)
                .client(writing_client),
        )
        .scene(
            Scene::new("localhost is two addresses, and the server has one of them")
                .server(ipv4_server)
                .client(localhost_client)
                .with_setting(WITH_IPV6.0, WITH_IPV6.1),
        )
        .scene(
            Scene::new("one IPv6 listener for both families")
                .server(both_server)
                .client(ipv4_client)
                .role("second-client", ipv6_client)
                .with_setting(WITH_IPV6.0, WITH_IPV6.1),
        )
        .scene(
            Scene::new("an IPv6 listener for IPv6 alone")
                .server(ipv6_server)
                .client(ipv4_client)
                .role("second-client", ipv6_client)
                .with_setting(WITH_IPV6.0, WITH_IPV6.1),
        )
        .scene(Scene::new("socket itself: family, type, protocol").role("program", families_program))
        .scene(Scene::new("select: descriptors as bits").role("program", selecting_program))
        .claims(claims::all())
}

/// The lab's port on every address of the server's host. Where that has a network, by hand, on the loopback only: what
/// listens on all addresses of your machine is there for its whole network.
fn everywhere(at: Endpoint, every: impl Into<IpAddr>) -> Address {
    // Two lines of heads, and one for each interface: the loopback is the first.
    let has_network = fs::read_to_string("/proc/self/net/dev").map_or(true, |table| table.lines().count() > 3);
    let ip = match every.into() {
        every if !has_network || !is_by_hand() => every,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    on(at, ip)
}

/// The lab's port at this address of the server's host.
fn on(at: Endpoint, ip: impl Into<IpAddr>) -> Address {
    SocketAddr::new(ip.into(), at.address().as_socket().map_or(0, |server| server.port())).into()
}

/// Another port at the server's address.
fn port(at: Endpoint, number: u16) -> Address {
    SocketAddr::new(at.address().as_socket().map_or(Ipv4Addr::LOCALHOST.into(), |server| server.ip()), number).into()
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    say!("before bind: {}", listener.local_addr()?); // ①
    listener.bind(&everywhere(at, Ipv4Addr::UNSPECIFIED))?;
    listener.listen(5)?;
    say!("the listener: {}", listener.local_addr()?); // ②
    if let Err(error) = listener.peer_addr() {
        say!("{error}"); // ③
    }
    let (conn, from) = listener.accept()?;
    say!("accept said {from}");
    say!("the connection: {}, to {}", conn.local_addr()?, conn.peer_addr()?); // ⑤
    conn.recv(&mut [0; 1024])?; // its FIN
    say!("still to {}", conn.peer_addr()?); // ⑥
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    say!("before connect: {}", conn.local_addr()?);
    conn.connect(&at.address())?;
    say!("the connection: {}, to {}", conn.local_addr()?, conn.peer_addr()?); // ④
    Ok(())
}

fn options_program(_: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // What the kernel knows of it. Type 1 is SOCK_STREAM, and error 0 is none.
    say!("type {}, error {}", socket.option(SocketOption::Type)?, socket.option(SocketOption::Error)?);
    for buffer in [SocketOption::RcvBuf, SocketOption::SndBuf] {
        say!("{buffer}: {}", socket.option(buffer)?);
        for asked in [4096, 1] {
            socket.set_option(buffer, asked)?;
            say!("  {asked} asked for: {}", socket.option(buffer)?);
        }
    }
    for switch in [SocketOption::ReuseAddr, SocketOption::NoDelay] {
        say!("{switch}: {}", socket.option(switch)?);
        socket.set_option(switch, 7)?;
        say!("  7 asked for: {}", socket.option(switch)?);
    }
    socket.linger()?;
    socket.set_linger(Some(Duration::from_secs(5)))?;
    socket.linger()?;

    // What can only be asked for, and what this socket does not have.
    if let Err(error) = socket.set_option(SocketOption::Type, 2) {
        say!("set SO_TYPE: {error}");
    }
    let datagrams = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    if let Err(error) = datagrams.set_option(SocketOption::NoDelay, 1) {
        say!("set TCP_NODELAY of UDP: {error}");
    }
    if let Err(error) = datagrams.option(SocketOption::NoDelay) {
        say!("get TCP_NODELAY of UDP: {error}");
    }
    Ok(())
}

fn option_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_send_buffer_size(4096)?;
    listener.set_tcp_nodelay(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let (room, nodelay) = (conn.option(SocketOption::SndBuf)?, conn.option(SocketOption::NoDelay)?);
    say!("its connection has SO_SNDBUF {room}, TCP_NODELAY {nodelay}");
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn option_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    tell_sizes("before connect", &conn)?;
    conn.connect(&at.address())?;
    tell_sizes("after connect", &conn)?;
    Ok(())
}

/// Three options that depend on the connection.
fn tell_sizes(when: &str, conn: &Socket) -> io::Result<()> {
    let send = conn.option(SocketOption::SndBuf)?;
    let receive = conn.option(SocketOption::RcvBuf)?;
    let segment = conn.option(SocketOption::MaxSeg)?;
    say!("{when}: SO_SNDBUF {send}, SO_RCVBUF {receive}, TCP_MAXSEG {segment}");
    Ok(())
}

fn ports_program(at: Endpoint) -> io::Result<()> {
    for number in [1, 1023, 1024, 65_535, 0] {
        try_port(at, number)?;
    }
    // 65536 is no u16. C's htons, and `as`, keep its last sixteen bits.
    try_port(at, 65_536_u32 as u16) // ③
}

fn low_ports_program(at: Endpoint) -> io::Result<()> {
    for number in [79, 80, 1023] {
        try_port(at, number)?;
    }
    Ok(())
}

/// Binds a socket to this port, and says what came of it.
fn try_port(at: Endpoint, number: u16) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    match socket.bind(&port(at, number)) {
        Err(error) => say!("{number}: {error}"), // ①
        Ok(()) => {
            socket.local_addr()?;
            say!("{number}: bound");
        }
    }
    Ok(())
}

fn patient_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    if let Err(error) = conn.recv_with_flags(&mut [0; 1024], libc::MSG_DONTWAIT) {
        say!("after close: {error}");
    }
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("\"{}\"", buf[..len].escape_ascii());
    let len = conn.recv(&mut buf)?;
    say!("after shutdown: {len}");
    Ok(())
}

fn two_descriptors_client(at: Endpoint) -> io::Result<()> {
    let first = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    first.connect(&at.address())?;
    let second = first.duplicate()?; // ①
    say!("{} and {}", first.number(), second.number());
    drop(first); // ②
    meet("the server has looked for a FIN");
    second.send(b"hello")?;
    let third = second.duplicate()?;
    second.shutdown(Shutdown::Write)?; // ③
    meet("the server has received all");
    drop(second);
    drop(third);
    Ok(())
}

/// A socket as a file. Each call of its is one of the socket's.
struct AsFile<'a>(&'a Socket);

impl Read for AsFile<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for AsFile<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // a socket keeps nothing back
    }
}

fn reading_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut file = BufReader::new(AsFile(&conn));
    let mut line = String::new();
    file.read_line(&mut line)?; // ①
    say!("the line: \"{}\"", line.escape_default());
    if let Err(error) = conn.recv_with_flags(&mut [0; 5], libc::MSG_DONTWAIT) {
        say!("recv: {error}"); // ②
    }
    let mut body = [0; 5];
    file.read_exact(&mut body)?;
    say!("the body: \"{}\"", body.escape_ascii());
    Ok(())
}

fn line_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"5\nhello")?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn waiting_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    if let Err(error) = conn.recv_with_flags(&mut [0; 1024], libc::MSG_DONTWAIT) {
        say!("before flush: {error}");
    }
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("after flush: \"{}\"", buf[..len].escape_ascii());
    Ok(())
}

fn writing_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let mut file = BufWriter::new(AsFile(&conn));
    file.write_all(b"5\n")?;
    file.write_all(b"hello")?;
    meet("the server has looked for it");
    file.flush()?;
    Ok(())
}

fn ipv4_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, from) = listener.accept()?;
    say!("{from}");
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

/// What `create_connection(("localhost", port))` of Python does, and `TcpStream::connect` of Rust: one address after
/// the other. This is the order in which getaddrinfo gives them where /etc/hosts has both.
fn localhost_client(at: Endpoint) -> io::Result<()> {
    let addresses = [IpAddr::from(Ipv6Addr::LOCALHOST), IpAddr::from(Ipv4Addr::LOCALHOST)];
    for ip in addresses {
        let family = if ip.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
        let conn = Socket::new(family, Type::STREAM, None)?;
        match conn.connect(&on(at, ip)) {
            Ok(()) => {
                say!("{ip}: connected");
                return Ok(());
            }
            Err(error) => say!("{ip}: {error}"),
        }
    }
    Ok(())
}

fn both_server(at: Endpoint) -> io::Result<()> {
    ipv6_listener(at, false)
}

fn ipv6_server(at: Endpoint) -> io::Result<()> {
    ipv6_listener(at, true)
}

/// Listens on every address of its host, with IPv4's or without, and takes whoever comes.
fn ipv6_listener(at: Endpoint, only: bool) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV6, Type::STREAM, None)?;
    listener.set_option(SocketOption::V6Only, only.into())?; // ①
    listener.bind(&everywhere(at, Ipv6Addr::UNSPECIFIED))?;
    listener.listen(5)?;
    // Is the same port of IPv4 free?
    let beside = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(error) = beside.bind(&everywhere(at, Ipv4Addr::UNSPECIFIED)) {
        say!("0.0.0.0: {error}"); // ②
    }
    drop(beside);
    for _ in 0..if only { 1 } else { 2 } {
        let (conn, from) = listener.accept()?;
        say!("{from}");
        conn.recv(&mut [0; 1024])?;
    }
    Ok(())
}

fn ipv4_client(at: Endpoint) -> io::Result<()> {
    meet("the server waits");
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    match conn.connect(&on(at, Ipv4Addr::LOCALHOST)) {
        Ok(()) => say!("connected to {}", conn.peer_addr()?),
        Err(error) => say!("{error}"),
    }
    Ok(())
}

fn ipv6_client(at: Endpoint) -> io::Result<()> {
    meet("the first client has left");
    let conn = Socket::new(Domain::IPV6, Type::STREAM, None)?;
    conn.connect(&on(at, Ipv6Addr::LOCALHOST))?;
    say!("connected to {}", conn.peer_addr()?);
    Ok(())
}

fn families_program(_: Endpoint) -> io::Result<()> {
    // Protocol 0: the one that the family has for this type.
    Socket::new(Domain::IPV4, Type::STREAM, None)?;
    Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    Socket::new(Domain::UNIX, Type::STREAM, None)?;
    Socket::new(Domain::UNIX, Type::SEQPACKET, None)?;
    let refused = [
        ("TCP for datagrams", Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::TCP))),
        ("UDP for a stream", Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::UDP))),
        ("a type that IPv4 has not", Socket::new(Domain::IPV4, Type::from(libc::SOCK_RDM), None)),
        ("a family that is none", Socket::new(Domain::from(libc::AF_UNSPEC), Type::STREAM, None)),
        ("packets, without the right", Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP))),
    ];
    for (what, made) in refused {
        match made {
            Err(error) => say!("{what}: {error}"),
            Ok(_) => say!("{what}: made"),
        }
    }
    Ok(())
}

fn selecting_program(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let before = socket.select_now()?;
    socket.send_to(b"hello", &at.address())?;
    let after = socket.select_now()?;
    say!("something to receive: {before}, then {after}");
    Ok(())
}
