//! Exercise 02: a UDP server that keeps 16 bytes of each datagram, and says if that is nothing, all or a beginning.

use socklab::judge::{Attempt, Done, Exercise, UdpPeer};

/// So much of a datagram is kept.
const KEPT: usize = 16;

/// The most that a UDP datagram holds with IPv4.
const MOST: usize = 65_507;

/// How often a program that may be quicker than we are is sent many datagrams at once.
const MAX_ROUNDS: usize = 20;

pub fn exercise() -> Exercise {
    Exercise::on_port(9003)
        .check(
            "whole",
            10,
            "says that it has the whole of a short datagram, and which bytes these are",
            "The answer is a word, the number of bytes that came, and these bytes.",
            whole,
        )
        .check(
            "nothing-behind",
            5,
            "answers with no byte behind what it has to say",
            "The zero byte that ends a string is no part of an answer, and neither is the rest of your buffer.",
            nothing_behind,
        )
        .check(
            "empty",
            10,
            "says that an empty datagram is empty",
            "recvfrom returns 0: a datagram is there, and it has no bytes. It wants an answer like any other.",
            empty,
        )
        .check(
            "after-an-empty-one",
            10,
            "goes on after an empty datagram, answered or not",
            "An empty datagram lies in the queue until you receive it. Its length does not tell it from no datagram.",
            after_an_empty_one,
        )
        .check(
            "exactly-full",
            15,
            "knows that a datagram of 16 bytes is whole",
            "A full buffer proves nothing: the datagram may end where the buffer does.",
            exactly_full,
        )
        .check(
            "one-byte-more",
            15,
            "knows that a datagram of 17 bytes is truncated",
            "recvfrom returns how much it has copied, and never more than your buffer has. Ask for MSG_TRUNC.",
            one_byte_more,
        )
        .check(
            "much-more",
            10,
            "says the same of datagrams of up to 65,507 bytes",
            "What does not fit is thrown away with the call. Keep 16 bytes, whatever else there was.",
            much_more,
        )
        .check(
            "many-in-the-queue",
            10,
            "tells each of many waiting datagrams on its own",
            "What is received after a full buffer is the next datagram, and not the rest of this one.",
            many_in_the_queue,
        )
        .check(
            "any-bytes",
            10,
            "gives back bytes that are no text",
            "Build the answer of bytes. Zero bytes are bytes, and not every byte can be decoded.",
            any_bytes,
        )
        .check(
            "two-clients",
            5,
            "answers two clients, each at its own address",
            "The sender's address comes with each datagram.",
            two_clients,
        )
}

/// What the server must say of a datagram.
fn verdict(datagram: &[u8]) -> Vec<u8> {
    match datagram.len() {
        0 => b"empty".to_vec(),
        len @ 1..=KEPT => [format!("whole {len} ").as_bytes(), datagram].concat(),
        _ => [b"truncated ", &datagram[..KEPT]].concat(),
    }
}

/// Whether an answer is right but for what `nothing-behind` looks at: zero bytes behind it.
fn is_nearly(answer: &[u8], right: &[u8]) -> bool {
    answer.strip_prefix(right).is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
}

fn ask(client: &mut UdpPeer, datagram: &[u8]) -> Done {
    client.send(datagram)?;
    client.expect_nearly(&verdict(datagram), is_nearly, |_| false)
}

fn nothing_behind(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    client.send(b"hello")?;
    client.expect(b"whole 5 hello")
}

fn whole(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    for len in [5, 1, KEPT - 1, 9, 10] {
        ask(&mut client, attempt.word(len).as_bytes())?;
    }
    client.expect_nothing()
}

fn empty(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask(&mut client, b"")?;
    ask(&mut client, b"")?;
    client.expect_nothing()
}

fn after_an_empty_one(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let leaver = attempt.open_udp_client("leaver")?;
    leaver.send_and_close(b"")?;
    let mut client = attempt.open_udp_client("next client")?;
    ask(&mut client, b"still there?")
}

fn exactly_full(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask(&mut client, b"exactly 16 bytes")?;
    let datagram = attempt.word(KEPT);
    ask(&mut client, datagram.as_bytes())?;
    client.expect_nothing()
}

fn one_byte_more(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask(&mut client, b"17 bytes are more")?;
    let datagram = attempt.word(KEPT + 1);
    ask(&mut client, datagram.as_bytes())?;
    client.expect_nothing()
}

fn much_more(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    for len in [2 * KEPT, 1024, 1500, 9000, MOST] {
        ask(&mut client, attempt.word(len).as_bytes())?;
    }
    // And nothing of them comes later.
    ask(&mut client, b"after")?;
    client.expect_nothing()
}

fn many_in_the_queue(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    let datagrams: Vec<Vec<u8>> = (10..70).map(|number| format!("datagram no. {number} ").into()).collect();
    let verdicts: Vec<Vec<u8>> = datagrams.iter().map(|datagram| verdict(datagram)).collect();
    // Until several have waited in the queue, and once more.
    let mut rounds = 2;
    for _ in 0..MAX_ROUNDS {
        rounds -= usize::from(client.send_at_once(&datagrams)?);
        client.expect_all_nearly(&verdicts, is_nearly)?;
        if rounds == 0 {
            break;
        }
    }
    client.expect_silence()
}

fn any_bytes(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask(&mut client, b"a\0b")?;
    ask(&mut client, b"\xff\xfe")?;
    ask(&mut client, b" \r\n")
}

fn two_clients(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut first = attempt.open_udp_client("first client")?;
    let mut second = attempt.open_udp_client("second client")?;
    ask(&mut first, b"one")?;
    first.send(b"three")?;
    second.send(b"two")?;
    second.expect_nearly(&verdict(b"two"), is_nearly, |_| false)?;
    first.expect_nearly(&verdict(b"three"), is_nearly, |_| false)
}
