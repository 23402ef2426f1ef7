//! Exercise 15: a server that answers in capital letters, to one client after the other.

use socklab::judge::{Attempt, Connection, Done, Exercise};

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "one-client",
            10,
            "answers all that one client sends",
            "recv and send stand in a loop: a client may say more than one thing.",
            one_client,
        )
        .check(
            "next-client",
            10,
            "serves the next client when one has left",
            "accept stands in a loop, too: one turn of it for each client.",
            next_client,
        )
        .check(
            "rests",
            5,
            "uses no processor time while it waits for something",
            "recv waits by itself, and so do accept, select and poll, if you ask only for what you need.",
            rests,
        )
        .check(
            "second-waits",
            10,
            "serves a client that came while another one was served",
            "The kernel has taken the second client's connection already; call accept when the first has left.",
            second_waits,
        )
        .check(
            "five-wait",
            10,
            "lets five clients wait while another one is served",
            "The number in listen says how many connections are kept until you accept them.",
            five_wait,
        )
        .check(
            "silent-client",
            10,
            "serves the next client when one has left without a word",
            "The very first recv may give nothing.",
            silent_client,
        )
        .check(
            "hundred-clients",
            10,
            "serves a hundred clients one after another",
            "Whatever is made for one client must be given back when it leaves.",
            hundred_clients,
        )
        .check(
            "rude-client",
            10,
            "serves the next client when one has broken off",
            "recv can fail. That ends the talk with this client, and nothing else.",
            rude_client,
        )
        .check(
            "rude-reader",
            5,
            "serves the next client when one that reads nothing has broken off",
            "send can fail as well as recv; and in C a signal comes with some of its errors, which ends the program.",
            rude_reader,
        )
        .check(
            "any-bytes",
            10,
            "answers bytes that are no text",
            "Why decode? Bytes can be made capital letters as well, and those that are no letters stay.",
            any_bytes,
        )
        .check(
            "port-taken",
            10,
            "ends with an error when the port is taken, and serves when it is free again",
            "Let errors of bind and listen end the program, and say so by its exit code.",
            port_taken,
        )
}

/// A client that passes over zero bytes, which are no text: that none comes is the subject of other checks.
fn connect(attempt: &Attempt, name: &str) -> Done<Connection> {
    Ok(attempt.connect(name)?.ignoring(b"\0"))
}

/// Says something, and expects it in capital letters.
fn talk(attempt: &Attempt, client: &mut Connection) -> Done {
    let text = attempt.word(attempt.number(1..=7));
    client.send(text.as_bytes())?;
    client.expect(text.to_ascii_uppercase().as_bytes())
}

fn expect_next_served(attempt: &Attempt) -> Done {
    let mut next = connect(attempt, "next client")?;
    next.send(b"is anybody there?")?;
    next.expect(b"IS ANYBODY THERE?")
}

fn one_client(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    // It is asked before it says anything.
    client.expect_nothing()?;
    // Each shorter than the one before: what a buffer has kept of that would be seen.
    for len in [20, 12, 5, attempt.number(1..=4)] {
        let text = attempt.word(len);
        client.send(text.as_bytes())?;
        client.expect_just(text.to_ascii_uppercase().as_bytes())?;
    }
    client.hold_back("the rest of what it says")?;
    client.send(b"room 101, no. 5")?;
    client.expect_just(b"ROOM 101, NO. 5")
}

fn next_client(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut first = connect(attempt, "client")?;
    talk(attempt, &mut first)?;
    first.leave()?;
    expect_next_served(attempt)
}

fn rests(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = connect(attempt, "client")?;
    talk(attempt, &mut client)?;
    attempt.remark("the program must rest while it waits for more");
    attempt.settle()?;
    client.leave()?;
    attempt.assert_idle()
}

fn second_waits(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut first = connect(attempt, "first client")?;
    talk(attempt, &mut first)?;
    let mut second = connect(attempt, "second client")?;
    second.send(b"is it my turn?")?;
    first.send(b"no, it is still my turn")?;
    first.expect(b"NO, IT IS STILL MY TURN")?;
    first.leave()?;
    second.expect(b"IS IT MY TURN?")?;
    second.send(b"now it is my turn to say something")?;
    second.expect(b"NOW IT IS MY TURN TO SAY SOMETHING")
}

fn five_wait(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut first = connect(attempt, "first client")?;
    talk(attempt, &mut first)?;
    let mut waiting = Vec::new();
    for number in 2..=6 {
        let text = format!("i am number {number}");
        let next = connect(attempt, &format!("client {number}"))?;
        next.send(text.as_bytes())?;
        waiting.push((text, next));
    }
    first.leave()?;
    for (text, mut next) in waiting {
        next.expect(text.to_ascii_uppercase().as_bytes())?;
        next.leave()?;
    }
    Ok(())
}

fn silent_client(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    connect(attempt, "silent client")?.leave()?;
    let silent = connect(attempt, "silent client")?;
    silent.settle()?;
    silent.leave()?;
    expect_next_served(attempt)
}

fn hundred_clients(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..100 {
        let mut client = connect(attempt, "client")?;
        client.send(b"hi")?;
        client.expect(b"HI")?;
        client.half_close()?;
        client.expect_end()?;
    }
    Ok(())
}

fn rude_client(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    // While it waits for what comes next; before it has said anything; and before its turn has come.
    let mut rude = connect(attempt, "rude client")?;
    talk(attempt, &mut rude)?;
    rude.settle()?;
    rude.reset()?;
    let rude = connect(attempt, "rude client")?;
    rude.settle()?;
    attempt.connect("client that does not wait")?.reset()?;
    rude.reset()?;
    // One that serves several at once may accept it before or after that: often enough for both.
    for _ in 0..20 {
        attempt.expect_accepted()?;
        attempt.connect("client that does not wait")?.reset()?;
    }
    expect_next_served(attempt)
}

fn rude_reader(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let rude = attempt.connect_narrow("rude client")?;
    rude.send_until_blocked(b"and another thing ")?;
    rude.reset()?;
    expect_next_served(attempt)
}

fn any_bytes(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let all: Vec<u8> = (0..=255).collect();
    let drawn = attempt.bytes(attempt.number(1..=300));
    let mut client = attempt.connect("foreign client")?;
    for bytes in [b"a\0b".as_slice(), b"\xc4\xe3\xba\xc3", "grüße".as_bytes(), &all, &drawn] {
        client.send(bytes)?;
        client.expect(&bytes.to_ascii_uppercase())?;
        // Whatever comes behind an answer is another check's subject.
        client.settle()?;
        client.take_received()?;
    }
    Ok(())
}

fn port_taken(attempt: &mut Attempt) -> Done {
    let other = attempt.listen("other server")?;
    attempt.start()?;
    attempt.expect_error_exit()?;
    other.close();
    // One that always ends with an error has seen nothing.
    attempt.start_tcp_server()?;
    expect_next_served(attempt)
}
