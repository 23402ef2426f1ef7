//! The backlog.

mod claims;

use std::fs;
use std::net::Shutdown;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(16, "tcp-backlog", 8080)
        .in_chapter(Chapter::Conversation)
        .asks("What does the 5 of listen(5) count?")
        .scene(
            Scene::new("listen(5), as in the old programs, and nobody is accepted")
                .server(server_of_5)
                .client(seven_calls)
                .show_states()
                .show_accept_queues(),
        )
        .scene(
            Scene::new("listen(1), and nobody is accepted")
                .server(server_of_1)
                .client(three_calls)
                .show_states()
                .show_accept_queues(),
        )
        .scene(
            Scene::new("listen(0), and nobody is accepted")
                .server(server_of_0)
                .client(two_calls)
                .show_states()
                .show_accept_queues(),
        )
        .scene(
            Scene::new("one accept makes room: when is the next client let in?")
                .server(late_server)
                .client(patient_client)
                .role("second-client", patient_client)
                .show_states()
                .show_accept_queues(),
        )
        .scene(
            Scene::new("listen(5), and all are accepted: how many links can there be?")
                .server(greeting_server)
                .client(two_hundred_calls)
                .show_accept_queues()
                .collapse_repeats(),
        )
        .claims(claims::all())
}

fn server_of_5(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?; // ①
    count_overflows()
}

fn server_of_1(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(1)?;
    count_overflows()
}

fn server_of_0(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(0)?;
    count_overflows()
}

fn count_overflows() -> io::Result<()> {
    let overflows = counted("ListenOverflows")?;
    let drops = counted("ListenDrops")?;
    meet("the client has called");
    let overflows = counted("ListenOverflows")? - overflows;
    let drops = counted("ListenDrops")? - drops;
    say!("ListenOverflows +{overflows}, ListenDrops +{drops}"); // ④
    Ok(())
}

fn seven_calls(at: Endpoint) -> io::Result<()> {
    call(at, 7)
}

fn three_calls(at: Endpoint) -> io::Result<()> {
    call(at, 3)
}

fn two_calls(at: Endpoint) -> io::Result<()> {
    call(at, 2)
}

/// Connects as often as the server has room, keeps all connections, and tries once more.
fn call(at: Endpoint, times: usize) -> io::Result<()> {
    let mut kept = Vec::new();
    for _ in 1..times {
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        conn.connect(&at.address())?; // ②
        kept.push(conn);
    }
    let last = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // ③
    if let Err(error) = last.connect(&at.address()) {
        say!("{error}"); // ⑥
    }
    Ok(())
}

fn late_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(0)?;
    meet("both clients have called");

    for _ in 0..2 {
        let (conn, _client) = listener.accept()?;
        conn.send(b"welcome")?;
    }
    Ok(())
}

fn patient_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let before = counted("TCPSynRetrans")?;
    conn.connect(&at.address())?;
    say!("TCPSynRetrans +{}", counted("TCPSynRetrans")? - before);
    let mut buf = [0; 1024];
    conn.recv(&mut buf)?;
    Ok(())
}

fn greeting_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let mut links = Vec::new();
    for _ in 0..200 {
        let (conn, _client) = listener.accept()?;
        conn.send(b"welcome")?;
        links.push(conn);
    }
    say!("{} links", links.len());
    for conn in links {
        let mut buf = [0; 1024];
        conn.recv(&mut buf)?; // the client's FIN; the end of the block closes the link
    }
    Ok(())
}

fn two_hundred_calls(at: Endpoint) -> io::Result<()> {
    let mut links = Vec::new();
    for _ in 0..200 {
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        conn.connect(&at.address())?;
        let mut buf = [0; 1024];
        conn.recv(&mut buf)?;
        links.push(conn);
    }
    for conn in links {
        conn.shutdown(Shutdown::Write)?;
        let mut buf = [0; 1024];
        conn.recv(&mut buf)?;
    }
    Ok(())
}

/// One of the counters of this host's TCP, from `/proc/net/netstat`: a line of names, and one of numbers.
fn counted(name: &str) -> io::Result<u64> {
    let text = fs::read_to_string("/proc/self/net/netstat")?;
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:")).map(str::split_whitespace);
    let (names, numbers) = (lines.next(), lines.next());
    let place = names.and_then(|mut names| names.position(|is| is == name));
    let number = place.zip(numbers).and_then(|(place, mut numbers)| numbers.nth(place)?.parse().ok());
    number.ok_or_else(|| io::ErrorKind::NotFound.into())
}
