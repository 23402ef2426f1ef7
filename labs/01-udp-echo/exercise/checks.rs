//! Exercise 01: a UDP server that answers each datagram with its bytes in capital letters.

use std::net::SocketAddr;

use socklab::judge::{Attempt, Done, Exercise, UdpPeer};

/// The most that a UDP datagram holds with IPv4: 65,535 less two headers.
const MOST: usize = 65_507;

pub fn exercise() -> Exercise {
    Exercise::on_port(9000)
        .check(
            "one-datagram",
            15,
            "answers a datagram, once",
            "recvfrom gives the bytes and the sender's address; sendto takes both again.",
            one_datagram,
        )
        .check(
            "one-after-the-other",
            10,
            "answers a client that asks again and again, each time with what was asked now",
            "What is in your buffer from last time is none of this answer: send as many bytes as have come.",
            one_after_the_other,
        )
        .check(
            "several-at-once",
            10,
            "answers several datagrams that come without a pause, each on its own",
            "Each recvfrom takes one datagram, however many wait. Answer it, and take the next one.",
            several_at_once,
        )
        .check(
            "empty-datagram",
            10,
            "answers an empty datagram with an empty one, and goes on",
            "0 bytes are not the end of anything: UDP has no connection that could end.",
            empty_datagram,
        )
        .check(
            "large-datagram",
            10,
            "answers datagrams of up to 65,507 bytes",
            "The kernel throws away what does not fit into your buffer, and says nothing.",
            large_datagram,
        )
        .check(
            "any-bytes",
            10,
            "leaves all bytes alone that are not a to z",
            "Bytes need not be text. Decoding can fail, and letters of other alphabets are not a to z.",
            any_bytes,
        )
        .check(
            "zero-bytes",
            5,
            "answers bytes of value zero, and what stands behind them",
            "A zero byte is no end: how many bytes have come is what recvfrom returns.",
            zero_bytes,
        )
        .check(
            "white-space",
            5,
            "leaves spaces and line ends where they are",
            "A datagram is no line: nothing at its ends is to be taken away.",
            white_space,
        )
        .check(
            "same-port",
            5,
            "answers from the port at which it was asked",
            "Send with the socket that has received. A new one has another port, from which nobody expects it.",
            same_port,
        )
        .check(
            "many-clients",
            10,
            "answers a hundred clients, each at its own address",
            "Each datagram brings its sender's address. Answer there, and remember nobody.",
            many_clients,
        )
        .check(
            "client-gone",
            10,
            "goes on when clients are gone before their answers come",
            "An unconnected socket is never told that an answer was refused; a connected one is, and then recv fails.",
            client_gone,
        )
}

fn capitals(bytes: &[u8]) -> Vec<u8> {
    bytes.to_ascii_uppercase()
}

/// One question and its answer.
fn ask(client: &mut UdpPeer, question: &[u8]) -> Done {
    client.send(question)?;
    client.expect(&capitals(question))
}

fn one_datagram(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    let question = attempt.word(5);
    ask(&mut client, question.as_bytes())?;
    client.expect_nothing()
}

fn one_after_the_other(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    // A shorter one after a longer one, too.
    for len in [12, 3, 1, 8] {
        let question = attempt.word(len);
        ask(&mut client, question.as_bytes())?;
    }
    Ok(())
}

fn several_at_once(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    let questions: Vec<String> = (1..=20).map(|number| format!("question {number}")).collect();
    for question in &questions {
        client.send(question.as_bytes())?;
    }
    let answers: Vec<Vec<u8>> = questions.iter().map(|question| capitals(question.as_bytes())).collect();
    client.expect_in_any_order(&answers)?;
    client.expect_nothing()
}

fn empty_datagram(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask(&mut client, b"")?;
    ask(&mut client, b"after")?;
    client.expect_nothing()
}

fn large_datagram(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    for len in [512, 1500, 4096, 9000, 65_000, MOST] {
        let question = attempt.word(len);
        ask(&mut client, question.as_bytes())?;
    }
    Ok(())
}

fn any_bytes(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask(&mut client, "straße é 你好".as_bytes())?;
    // Every byte but zero; no text in UTF-8 looks like this.
    let all: Vec<u8> = (1..=255).collect();
    ask(&mut client, &all)
}

fn zero_bytes(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask(&mut client, b"a\0b")?;
    ask(&mut client, b"\0")?;
    ask(&mut client, b"c\0\0")
}

fn white_space(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask(&mut client, b"\n")?;
    ask(&mut client, b"line\r\n")?;
    ask(&mut client, b"  two words \t")
}

fn same_port(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    client.send(b"who answers?")?;
    client.expect(b"WHO ANSWERS?")?;
    if client.last_sender() == Some(attempt.address()) {
        return Ok(());
    }
    let port = |from: Option<SocketAddr>| format!("from port {}", from.map_or(0, |from| from.port()));
    let failure = attempt.failure("the answer comes from another port than the one that was asked");
    Err(failure.between(port(Some(attempt.address())), port(client.last_sender())).into())
}

fn many_clients(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut clients = Vec::new();
    for number in 1..=100 {
        clients.push(attempt.open_udp_client(&format!("client {number}"))?);
    }
    ask(&mut clients[0], b"the first one")?;
    for some in clients.chunks_mut(20) {
        for (number, client) in (1..).zip(some.iter()) {
            client.send(format!("i am number {number:03}").as_bytes())?;
        }
        for (number, client) in (1..).zip(some) {
            client.expect(format!("I AM NUMBER {number:03}").as_bytes())?;
        }
    }
    ask(&mut clients[0], b"again the first one")
}

fn client_gone(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    for _ in 0..10 {
        let leaver = attempt.open_udp_client("leaver")?;
        leaver.send(b"will leave")?;
        leaver.close();
    }
    let mut client = attempt.open_udp_client("next client")?;
    ask(&mut client, b"still there?")
}
