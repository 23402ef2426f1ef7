//! A chat.

mod claims;

use socklab::prelude::*;

/// What the authors put around a message, for a terminal to show it in colour.
const BLUE_ON_YELLOW: &str = "\x1b[1;34;43m";
const PLAIN: &str = "\x1b[0m";

/// The authors' four friends. All of them have one address, the server's.
const FRIENDS: [&str; 4] = ["taibai", "Jedan", "Jack", "John"];

pub fn lab() -> Lab {
    Lab::new(7, "udp-chat", 8081)
        .in_chapter(Chapter::Datagrams)
        .asks("A chat over datagrams: who may answer, what is cut, what kills it?")
        .on_one_host()
        .scene(
            Scene::new("the chat as its authors wrote it, and their q")
                .server(server)
                .typed(&["hi", ""])
                .client(client)
                .typed(&["nobody", "taibai", "hello", "", "q"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("the cure: a line is looked at before it becomes a message")
                .server(server)
                .typed(&["hi"])
                .client(leaving_client)
                .typed(&["taibai", "", "hello", "q", "q"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("two names with one address")
                .server(server)
                .typed(&["hi", "hi"])
                .client(leaving_client)
                .typed(&["taibai", "hello", "q", "q"])
                .role("second-client", leaving_client)
                .typed(&["Jack", "hello", "q", "q"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("a stranger to the talk answers first")
                .role("friend", friend)
                .role("stranger", stranger)
                .client(trusting_client)
                .typed(&["Jedan", "hello", "taibai", "what do I owe you?"]),
        )
        .scene(
            Scene::new("the cure: an answer is what comes from the friend's address")
                .role("friend", friend)
                .role("stranger", stranger)
                .client(careful_client)
                .typed(&["Jedan", "hello", "taibai", "what do I owe you?"]),
        )
        .scene(
            Scene::new("a message that is cut inside a character")
                .server(server)
                .client(long_winded_client)
                .ends_waiting(),
        )
        .scene(
            Scene::new("the cure, and a chat for several terminals")
                .role("jedan", jedan)
                .typed(&["taibai", "", "hi", "", "q", "q"])
                .role("taibai", taibai)
                .typed(&["Jedan", "hello", "", "q", "q"])
                .role("jack", jack)
                .typed(&["Jedan", "good day", "q", "q"])
                .role("john", long_winded_john)
                .role("unknown", unknown),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    loop {
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?;
        // The authors decode whatever comes. If it is not text, their program ends here with an error.
        let text = match std::str::from_utf8(&buf[..len]) {
            Ok(text) => text,
            Err(error) => {
                say!("{error}; the authors' program ends");
                return Ok(());
            }
        };
        say!("a message from [{from}]: {BLUE_ON_YELLOW}{text}{PLAIN}");
        let Some(answer) = prompt("your answer: ") else { return Ok(()) };
        socket.send_to(answer.trim().as_bytes(), &from)?;
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(name) = prompt("choose whom to talk to: ") {
        let name = name.trim();
        if !FRIENDS.contains(&name) {
            say!("there is nobody of this name");
            continue;
        }
        while let Some(line) = prompt("type a message and Enter, or q to end this talk: ") {
            let message = format!("发给{name}: {}", line.trim()); // ①
            if message == "q" {
                break;
            }
            if message.is_empty() {
                continue;
            }
            socket.send_to(message.as_bytes(), &at.address())?;
            let mut buf = [0; 1024];
            let (len, from) = socket.recv_from(&mut buf)?; // ④
            let text = String::from_utf8_lossy(&buf[..len]);
            say!("a message from [{from}]: {BLUE_ON_YELLOW}{text}{PLAIN}");
        }
    }
    Ok(())
}

fn leaving_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(name) = prompt("choose whom to talk to, or q to end: ") {
        let name = name.trim();
        if name == "q" {
            break;
        }
        if !FRIENDS.contains(&name) {
            say!("there is nobody of this name");
            continue;
        }
        while let Some(line) = prompt("type a message and Enter, or q to end this talk: ") {
            let line = line.trim();
            if line == "q" {
                break;
            }
            if line.is_empty() {
                continue;
            }
            // The name is only in the text. The datagram goes to the one address that all four have.
            socket.send_to(format!("发给{name}: {line}").as_bytes(), &at.address())?;
            let mut buf = [0; 1024];
            let (len, from) = socket.recv_from(&mut buf)?;
            let text = String::from_utf8_lossy(&buf[..len]);
            say!("a message from [{from}]: {BLUE_ON_YELLOW}{text}{PLAIN}");
        }
    }
    Ok(())
}

fn friend(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.port(8082))?;
    let mut buf = [0; 1024];
    let (_len, from) = socket.recv_from(&mut buf)?;
    socket.send_to(b"nothing at all", &from)?;
    Ok(())
}

fn stranger(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.port(8083))?;
    let mut buf = [0; 1024];
    let (_len, from) = socket.recv_from(&mut buf)?;
    socket.send_to(b"hello to you", &from)?;
    // Nobody has asked for this. It waits in the client's queue for a receive.
    socket.send_to(b"a thousand", &from)?;
    Ok(())
}

fn trusting_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    let contacts = contacts(at);
    while let Some(name) = prompt("choose whom to talk to: ") {
        let Some((_, friend)) = contacts.iter().find(|(known, _)| *known == name) else { continue };
        let line = prompt("type a message and Enter: ").unwrap_or_default();
        socket.send_to(line.as_bytes(), friend)?;
        let mut buf = [0; 1024];
        // The first datagram in the queue, whoever sent it, and whenever that was.
        let (len, _from) = socket.recv_from(&mut buf)?;
        say!("{name} says: {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn careful_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    let contacts = contacts(at);
    while let Some(name) = prompt("choose whom to talk to: ") {
        let Some((_, friend)) = contacts.iter().find(|(known, _)| *known == name) else { continue };
        let line = prompt("type a message and Enter: ").unwrap_or_default();
        socket.send_to(line.as_bytes(), friend)?;
        loop {
            let mut buf = [0; 1024];
            let (len, from) = socket.recv_from(&mut buf)?;
            if from == *friend {
                say!("{name} says: {}", String::from_utf8_lossy(&buf[..len]));
                break;
            }
            say!("not from {name}: {}", String::from_utf8_lossy(&buf[..len]));
        }
    }
    Ok(())
}

fn long_winded_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // 12 bytes, and 400 times 3. The server has room for 1024.
    socket.send_to(format!("发给Jack: {}", "你".repeat(400)).as_bytes(), &at.address())?;
    let mut buf = [0; 1024];
    let (len, from) = socket.recv_from(&mut buf)?;
    say!("a message from [{from}]: {}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn jedan(at: Endpoint) -> io::Result<()> {
    chat(at, "Jedan")
}

fn taibai(at: Endpoint) -> io::Result<()> {
    chat(at, "taibai")
}

fn jack(at: Endpoint) -> io::Result<()> {
    chat(at, "Jack")
}

/// One program for everybody: each has a port of its own, and all others find them there.
fn chat(at: Endpoint, me: &str) -> io::Result<()> {
    let contacts = contacts(at);
    let address_of = |name: &str| contacts.iter().find(|(known, _)| *known == name).map(|(_, address)| address);
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(address_of(me).expect("who runs this is in contacts.txt"))?;
    while let Some(name) = prompt("choose whom to talk to, or q to end: ") {
        let name = name.trim();
        if name == "q" {
            break;
        }
        let Some(friend) = address_of(name) else {
            let names: Vec<&str> = contacts.iter().map(|(name, _)| *name).collect();
            say!("there is nobody of this name; there are {}", names.join(", "));
            continue;
        };
        while let Some(line) = prompt(&format!("to {name}, or Enter to look, or q to end this talk: ")) {
            let line = line.trim();
            if line == "q" {
                break;
            }
            if !line.is_empty() {
                socket.send_to(line.as_bytes(), friend)?;
            }
            // No UDP datagram over IPv4 is longer, so none is cut.
            let mut buf = [0; 65_507];
            // This takes what has come, from anybody, and does not wait for more.
            while let Ok((len, from)) = socket.recv_from_with_flags(&mut buf, libc::MSG_DONTWAIT) {
                let Some((name, _)) = contacts.iter().find(|(_, address)| *address == from) else {
                    say!("somebody unknown, {from}, has sent {len} bytes, which are not shown");
                    continue;
                };
                // Bytes that are not text become a replacement character; control characters become blanks.
                let text = String::from_utf8_lossy(&buf[..len]).replace(char::is_control, " ");
                say!("{name}: {BLUE_ON_YELLOW}{text}{PLAIN}");
            }
        }
    }
    Ok(())
}

fn long_winded_john(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.port(8085))?;
    socket.send_to("你".repeat(400).as_bytes(), &at.port(8083))?;
    // The first two bytes of a character that has three.
    socket.send_to(&"你".as_bytes()[..2], &at.port(8083))?;
    Ok(())
}

fn unknown(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"I am taibai, lend me a thousand", &at.port(8083))?;
    Ok(())
}

/// The contacts in `contacts.txt`: a name and a port a line.
fn contacts(at: Endpoint) -> Vec<(&'static str, Address)> {
    let lines = include_str!("contacts.txt").lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(' '));
    pairs.filter_map(|(name, port)| Some((name, at.port(port.trim().parse().ok()?)))).collect()
}
