//! Exercise 41: an echo server in one process, for more clients than it has descriptors.

use std::time::Duration;

use socklab::judge::{Attempt, Connection, Done, Exercise};

/// How many clients the server must serve at once.
const CLIENTS: usize = 200;

/// More than a program may have descriptors.
const TOO_MANY: usize = 300;

/// How many come one after another: in waves.
const WAVES: usize = 10;
const IN_A_WAVE: usize = 100;

/// How much a client sends that reads nothing, if the server takes it all: as much as `send_until_blocked` sends.
const MOST_UNREAD: usize = 256 * 1024;

/// A program without a free descriptor may look again after a second.
const LOOKS_AGAIN: Duration = Duration::from_secs(3);

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "echo",
            10,
            "sends back what a client sends, byte for byte",
            "What recv gives is what send takes: bytes, of any kind, and as many as there were.",
            echo,
        )
        .check(
            "large",
            10,
            "sends back much that a client sends and reads in turns",
            "One recv does not give all of it, and one send may not take all of it: go on where it ended.",
            large,
        )
        .check(
            "goodbye",
            5,
            "closes when a client says goodbye",
            "recv that gives nothing says that nothing more will come.",
            goodbye,
        )
        .check(
            "silent-client",
            5,
            "serves others while a client says nothing",
            "Do not call recv for a client that has sent nothing. Wait in one place, for all of them.",
            silent_client,
        )
        .check(
            "slow-reader",
            10,
            "serves others while a client does not read",
            "send waits while there is no room, unless the socket is non-blocking: then it takes a part, or fails.",
            slow_reader,
        )
        .check(
            "nothing-lost",
            10,
            "sends all to a client that reads late",
            "send returns how many bytes it took. The others are still to be sent, when there is room.",
            nothing_lost,
        )
        .check(
            "bounded",
            10,
            "stops reading from a client that does not read",
            "While something is still to be sent to a client, read no more from it.",
            bounded,
        )
        .check(
            "late-goodbye",
            5,
            "sends all to a client that has said goodbye and reads late",
            "Goodbye says that nothing more will come. What came before is still to be sent.",
            late_goodbye,
        )
        .check(
            "breaks-off",
            5,
            "serves others when one that reads nothing breaks off",
            "A recv or a send can fail. That client is gone; the others are not.",
            breaks_off,
        )
        .check(
            "rests",
            5,
            "uses no processor time while clients say nothing",
            "A socket can be written to nearly always. Wait for that only when you have something to write.",
            rests,
        )
        .check(
            "rests-while-full",
            5,
            "uses no processor time while a client does not read",
            "A send that fails with EAGAIN will do so again: wait until the socket can be written to.",
            rests_while_full,
        )
        .check(
            "thousand",
            5,
            "serves a thousand clients, a hundred at a time",
            "Close the socket of each client that leaves, and forget what you kept for it.",
            thousand,
        )
        .check(
            "too-many",
            10,
            "serves 200 clients when 300 have come, and others when these have left",
            "Without a free descriptor accept fails with EMFILE. That is no reason to end, nor to forget the others.",
            too_many,
        )
        .check(
            "rests-without-descriptors",
            5,
            "uses no processor time when no descriptor is left for a client",
            "The listener stays ready. Do not wait for it until a client has left, or accept with a spare descriptor.",
            rests_without_descriptors,
        )
}

/// Says something, and expects it back.
fn ask(attempt: &Attempt, client: &mut Connection) -> Done {
    let word = attempt.word(attempt.number(1..=20));
    client.send(word.as_bytes())?;
    client.expect(word.as_bytes())
}

fn expect_next_served(attempt: &Attempt) -> Done {
    let mut client = attempt.connect("next client")?;
    ask(attempt, &mut client)?;
    client.half_close()?;
    client.expect_end()
}

/// A client whose answers fit nowhere any more, and how much it has sent.
fn connect_full(attempt: &Attempt, name: &str) -> Done<(Connection, usize)> {
    let client = attempt.connect_narrow(name)?;
    let sent = client.send_until_blocked(WORDS)?;
    Ok((client, sent))
}

/// What a client says again and again.
const WORDS: &[u8] = b"more and more ";

/// So many bytes of it.
fn words(count: usize) -> Vec<u8> {
    // It sends a block of whole words, from where it is.
    WORDS.iter().copied().cycle().take(count).collect()
}

fn echo(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for message in [b"hello".to_vec(), b"\0\xff\r\n\xe4".to_vec(), attempt.bytes(500)] {
        client.send(&message)?;
        client.expect(&message)?;
    }
    Ok(())
}

fn large(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for _ in 0..10 {
        let message = attempt.bytes(20_000);
        client.send(&message)?;
        client.expect(&message)?;
    }
    Ok(())
}

fn goodbye(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut silent = attempt.connect("silent client")?;
    silent.half_close()?;
    silent.expect_end()?;
    expect_next_served(attempt)
}

fn silent_client(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut silent = attempt.connect("silent client")?;
    attempt.expect_accepted()?;
    expect_next_served(attempt)?;
    ask(attempt, &mut silent)
}

fn slow_reader(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let _slow = connect_full(attempt, "slow reader")?;
    for _ in 0..2 {
        expect_next_served(attempt)?;
    }
    Ok(())
}

fn nothing_lost(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let (mut slow, sent) = connect_full(attempt, "slow reader")?;
    slow.enlarge_receive_buffer()?;
    slow.expect(&words(sent))?;
    ask(attempt, &mut slow)
}

fn bounded(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let (_slow, sent) = connect_full(attempt, "slow reader")?;
    if sent >= MOST_UNREAD {
        return Err(attempt.failure("it reads on from a client that does not read its answers").into());
    }
    Ok(())
}

fn late_goodbye(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let (mut slow, sent) = connect_full(attempt, "slow reader")?;
    slow.half_close()?;
    slow.enlarge_receive_buffer()?;
    slow.expect(&words(sent))?;
    slow.expect_end()
}

fn breaks_off(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut other = attempt.connect("other client")?;
    ask(attempt, &mut other)?;
    let (leaver, _) = connect_full(attempt, "leaver")?;
    leaver.reset()?;
    ask(attempt, &mut other)?;
    expect_next_served(attempt)
}

fn rests(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("silent client")?;
    ask(attempt, &mut client)?;
    attempt.assert_idle()
}

fn rests_while_full(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let _slow = connect_full(attempt, "slow reader")?;
    attempt.assert_idle()
}

fn thousand(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..WAVES {
        let mut wave = Vec::new();
        for _ in 0..IN_A_WAVE {
            let mut client = attempt.connect("client")?;
            ask(attempt, &mut client)?;
            wave.push(client);
        }
        for client in &mut wave {
            client.half_close()?;
            client.expect_end()?;
        }
    }
    Ok(())
}

/// As many as must be served at once, each of which has been answered once; and those who came behind them.
fn connect_too_many(attempt: &Attempt) -> Done<(Vec<Connection>, Vec<Connection>)> {
    let mut first = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = attempt.connect("client")?;
        ask(attempt, &mut client)?;
        first.push(client);
    }
    let mut late = Vec::new();
    for _ in CLIENTS..TOO_MANY {
        late.push(attempt.connect("late client")?);
    }
    Ok((first, late))
}

fn too_many(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    attempt.allow_sleep(LOOKS_AGAIN);
    let (mut first, late) = connect_too_many(attempt)?;
    for client in &mut first {
        ask(attempt, client)?;
    }
    // Each has been closed by the program when its end has come: there are descriptors for those behind them.
    for client in &mut first {
        client.half_close()?;
        client.expect_end()?;
    }
    late.into_iter().for_each(Connection::close);
    expect_next_served(attempt)
}

fn rests_without_descriptors(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let _all = connect_too_many(attempt)?;
    attempt.assert_idle()
}
