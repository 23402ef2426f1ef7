//! Exercise 01: a UDP server that answers each datagram with its bytes in capital letters.

use std::net::SocketAddr;

use socklab::judge::{Attempt, Done, Exercise, UdpPeer};

/// The most that a UDP datagram holds with IPv4: 65,535 less two headers.
const MOST: usize = 65_507;

/// How often a program that may be quicker than we are is asked several things at once.
const MAX_ROUNDS: usize = 20;

pub fn exercise() -> Exercise {
    Exercise::on_port(9000)
        .check(
            "one-datagram",
            10,
            "answers a datagram",
            "recvfrom gives the bytes and the sender's address; sendto takes both again.",
            one_datagram,
        )
        .check(
            "all-of-it",
            5,
            "sends back the last byte, too, when it is no newline",
            "A datagram has exactly the bytes that were sent. What stands last need not be a newline.",
            all_of_it,
        )
        .check(
            "nothing-behind",
            5,
            "sends back what has come, and no byte behind it",
            "recvfrom returns how many bytes have come: send so many, and not the whole buffer.",
            nothing_behind,
        )
        .check(
            "once",
            5,
            "answers each datagram once",
            "One sendto for each recvfrom: whoever asks is the one who asks again.",
            once,
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
            5,
            "answers datagrams of up to 65,000 bytes",
            "The kernel throws away what does not fit into your buffer, and says nothing.",
            large_datagram,
        )
        .check(
            "largest-datagram",
            5,
            "answers a datagram of 65,507 bytes, the most that there is",
            "A buffer of 65,535 bytes holds any datagram. No answer can be longer than this one.",
            largest_datagram,
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
            5,
            "answers a hundred clients, each at its own address",
            "Each datagram brings its sender's address. Answer there, and remember nobody.",
            many_clients,
        )
        .check(
            "client-gone",
            5,
            "goes on when clients are gone before their answers come",
            "An unconnected socket is never told that an answer was refused; a connected one is, and then recv fails.",
            client_gone,
        )
}

fn capitals(bytes: &[u8]) -> Vec<u8> {
    bytes.to_ascii_uppercase()
}

/// Whether an answer is right but for what other checks look at: zero bytes behind it, and a newline at its end.
fn is_nearly(answer: &[u8], right: &[u8]) -> bool {
    let without = right.strip_suffix(b"\n").unwrap_or(right);
    [right, without].iter().any(|right| answer.strip_prefix(*right).is_some_and(|rest| rest.iter().all(|b| *b == 0)))
}

/// One question and its answer. An earlier answer may come once more, `once` looks at that.
fn ask_after(client: &mut UdpPeer, before: &[&[u8]], question: &[u8]) -> Done {
    client.send(question)?;
    client.expect_nearly(&capitals(question), is_nearly, |other| {
        before.iter().any(|before| is_nearly(other, &capitals(before)))
    })
}

/// Questions, each with its answer.
fn ask_all(client: &mut UdpPeer, questions: &[&[u8]]) -> Done {
    (0..questions.len()).try_for_each(|at| ask_after(client, &questions[..at], questions[at]))
}

fn one_datagram(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    let question = attempt.word(5) + "\n";
    ask_all(&mut client, &[question.as_bytes()])
}

fn all_of_it(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask_all(&mut client, &[b"hello", b"four words, no newline"])
}

fn nothing_behind(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    client.send(b"hello\n")?;
    let without_newline = |answer: &[u8], _: &[u8]| answer == b"HELLO\n" || answer == b"HELLO";
    client.expect_nearly(b"HELLO\n", without_newline, |_| false)
}

fn once(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask_all(&mut client, &[b"once\n"])?;
    client.expect_silence()
}

fn one_after_the_other(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    // A shorter one after a longer one, too.
    let questions: Vec<String> = [12, 3, 1, 8].iter().map(|len| attempt.word(*len) + "\n").collect();
    ask_all(&mut client, &questions.iter().map(String::as_bytes).collect::<Vec<_>>())
}

fn several_at_once(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    let questions: Vec<String> = (1..=60).map(|number| format!("question {number:02}\n")).collect();
    let questions: Vec<Vec<u8>> = questions.into_iter().map(String::into_bytes).collect();
    let answers: Vec<Vec<u8>> = questions.iter().map(|question| capitals(question)).collect();
    // Until several have waited in the queue.
    for _ in 0..MAX_ROUNDS {
        let have_waited = client.send_at_once(&questions)?;
        client.expect_all_nearly(&answers, is_nearly)?;
        if have_waited {
            break;
        }
    }
    Ok(())
}

fn empty_datagram(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask_all(&mut client, &[b"", b"after\n"])
}

fn large_datagram(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    let questions: Vec<String> =
        [512, 1400, 2000, 4000, 9000, 65_000].iter().map(|len| attempt.word(len - 1) + "\n").collect();
    ask_all(&mut client, &questions.iter().map(String::as_bytes).collect::<Vec<_>>())
}

fn largest_datagram(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    let question = attempt.word(MOST - 1) + "\n";
    ask_all(&mut client, &[question.as_bytes()])
}

fn any_bytes(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    // Every byte but zero; no text in UTF-8 looks like this.
    let all: Vec<u8> = (1..=255).chain(*b"\n").collect();
    let texts = ["Straße 7\n", "straße é 你好\n"].map(str::as_bytes);
    ask_all(&mut client, &[texts[0], texts[1], b"a\xff and no text at all\n", &all])
}

fn zero_bytes(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask_all(&mut client, &[b"\0\n", b"a\0b\n", b"\0c\0\0d\n"])
}

fn white_space(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    let zeros_behind =
        |answer: &[u8], right: &[u8]| answer.strip_prefix(right).is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
    let questions = [b"\n".as_slice(), b"line\r\n", b"  two words \t"];
    for (at, question) in questions.iter().enumerate() {
        client.send(question)?;
        let again = |other: &[u8]| questions[..at].iter().any(|before| zeros_behind(other, &capitals(before)));
        client.expect_nearly(&capitals(question), zeros_behind, again)?;
    }
    Ok(())
}

fn same_port(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask_all(&mut client, &[b"who answers?\n"])?;
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
    ask_all(&mut clients[0], &[b"the first one\n"])?;
    for some in clients.chunks_mut(20) {
        for (number, client) in (1..).zip(some.iter()) {
            client.send(format!("i am number {number:03}\n").as_bytes())?;
        }
        for (number, client) in (1..).zip(some) {
            let again = |other: &[u8]| is_nearly(other, b"THE FIRST ONE\n");
            client.expect_nearly(format!("I AM NUMBER {number:03}\n").as_bytes(), is_nearly, again)?;
        }
    }
    ask_after(&mut clients[0], &[b"the first one\n", b"i am number 001\n"], b"again the first one\n")
}

fn client_gone(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    for _ in 0..3 {
        let leaver = attempt.open_udp_client("leaver")?;
        leaver.send_and_close(b"will leave\n")?;
    }
    let mut client = attempt.open_udp_client("next client")?;
    ask_all(&mut client, &[b"still there?\n"])
}
