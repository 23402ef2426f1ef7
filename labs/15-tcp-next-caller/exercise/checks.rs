//! Exercise 15: a server that answers in capital letters, to one client after the other.

use socklab::judge::{Attempt, Connection, Done, Exercise};

/// So many clients can wait while another one is served.
const WAITING: [&str; 5] = ["second client", "third client", "fourth client", "fifth client", "sixth client"];

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
            15,
            "serves the next client when one has left",
            "accept stands in a loop, too: one turn of it for each client.",
            next_client,
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
            15,
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

/// Says something, and expects it in capital letters.
fn talk(attempt: &Attempt, client: &mut Connection) -> Done {
    let text = attempt.word(attempt.number(1..=20));
    client.send(text.as_bytes())?;
    client.expect(text.to_ascii_uppercase().as_bytes())
}

fn expect_next_served(attempt: &Attempt) -> Done {
    let mut next = attempt.connect("next client")?;
    next.send(b"me too")?;
    next.expect(b"ME TOO")
}

fn one_client(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for _ in 0..3 {
        talk(attempt, &mut client)?;
    }
    client.send(b"room 101, no. 5")?;
    client.expect(b"ROOM 101, NO. 5")?;
    client.expect_nothing()
}

fn next_client(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut first = attempt.connect("client")?;
    talk(attempt, &mut first)?;
    first.close();
    expect_next_served(attempt)?;
    attempt.assert_idle()
}

fn second_waits(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut first = attempt.connect("first client")?;
    talk(attempt, &mut first)?;
    let mut second = attempt.connect("second client")?;
    second.send(b"me too")?;
    talk(attempt, &mut first)?;
    first.close();
    second.expect(b"ME TOO")?;
    talk(attempt, &mut second)
}

fn five_wait(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut first = attempt.connect("first client")?;
    talk(attempt, &mut first)?;
    let mut waiting = Vec::new();
    for name in WAITING {
        let next = attempt.connect(name)?;
        next.send(name.as_bytes())?;
        waiting.push((name, next));
    }
    first.close();
    for (name, mut next) in waiting {
        next.expect(name.to_ascii_uppercase().as_bytes())?;
        next.close();
    }
    Ok(())
}

fn silent_client(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let silent = attempt.connect("silent client")?;
    silent.close();
    expect_next_served(attempt)
}

fn hundred_clients(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..100 {
        let mut client = attempt.connect("client")?;
        client.send(b"hi")?;
        client.expect(b"HI")?;
        client.half_close()?;
        client.expect_end()?;
    }
    Ok(())
}

fn rude_client(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut rude = attempt.connect("rude client")?;
    talk(attempt, &mut rude)?;
    rude.reset()?;
    let rude = attempt.connect("rude client")?;
    rude.send(b"hello")?;
    rude.reset()?;
    expect_next_served(attempt)
}

fn any_bytes(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("foreign client")?;
    client.send(b"\xc4\xe3\xba\xc3")?;
    client.expect(b"\xc4\xe3\xba\xc3")?;
    client.send("grüße".as_bytes())?;
    client.expect("GRüßE".as_bytes())?;
    let bytes = attempt.bytes(attempt.number(1..=300));
    client.send(&bytes)?;
    client.expect(&bytes.to_ascii_uppercase())
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
