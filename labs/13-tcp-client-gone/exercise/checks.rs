//! Exercise 13: a server that answers in capital letters, and goes on whatever way its clients leave.

use socklab::judge::{Attempt, Connection, Done, Exercise};

/// More clients than a program may have files open, or processes.
const MANY: usize = 300;

pub fn exercise() -> Exercise {
    Exercise::on_port(8081)
        .check(
            "answers",
            10,
            "answers all that a client sends, in capital letters",
            "Two calls in a loop: recv what is there, and send it back in capital letters.",
            answers,
        )
        .check(
            "closes-too",
            10,
            "closes the connection when the client has sent FIN",
            "When recv gives nothing, the client will never send again: leave the loop, and close the connection.",
            closes_too,
        )
        .check(
            "rests",
            10,
            "uses no processor time while it waits for something",
            "recv does not wait any more when the client has left: it gives nothing, at once, for ever.",
            rests,
        )
        .check(
            "next-client",
            10,
            "serves the next client when one has sent FIN",
            "accept stands in a loop of its own, around the one that talks.",
            next_client,
        )
        .check(
            "late-reader",
            5,
            "sends all its answers to a client that reads late, and slowly",
            "send may take a part of an answer, or nothing yet: look at what it returns, and send the rest later.",
            late_reader,
        )
        .check(
            "pending-answers",
            10,
            "sends all its answers to a client that has sent FIN and reads late",
            "A FIN means only that the client will send nothing more. Read on to the end, and send every answer.",
            pending_answers,
        )
        .check(
            "reset-at-once",
            10,
            "goes on when a client breaks off before it has said anything",
            "accept gives you a connection that is over already: recv fails, which is the client's affair, not yours.",
            reset_at_once,
        )
        .check(
            "reset-while-it-waits",
            10,
            "goes on when a client breaks off in the middle of the talk",
            "recv can fail with ECONNRESET. Catch that where you talk with this client, and go on with the next.",
            reset_while_it_waits,
        )
        .check(
            "answer-unread",
            10,
            "goes on when a client is killed with an answer unread",
            "A kernel that closes a socket with bytes unread sends a reset: recv fails with ECONNRESET.",
            answer_unread,
        )
        .check(
            "reset-while-it-sends",
            5,
            "goes on when a client that reads nothing breaks off",
            "send can fail as well as recv.",
            reset_while_it_sends,
        )
        .check(
            "fin-then-reset",
            5,
            "goes on when a client sends FIN, reads nothing, and then sends RST",
            "Here send fails with EPIPE, which is another error than ECONNRESET; in C a signal comes with it.",
            fin_then_reset,
        )
        .check(
            "hundreds",
            5,
            "serves three hundred clients one after another",
            "A connection that nobody closes keeps its descriptor, and a program may have only so many.",
            hundreds,
        )
}

/// A client that passes over zero bytes, which are no text: that none comes is the subject of one check alone.
fn connect(attempt: &Attempt, name: &str) -> Done<Connection> {
    Ok(attempt.connect(name)?.ignoring(b"\0"))
}

/// Says something, and expects it in capital letters.
fn talk(attempt: &Attempt, client: &mut Connection) -> Done {
    let text = attempt.word(attempt.number(1..=20));
    client.send(text.as_bytes())?;
    client.expect(text.to_ascii_uppercase().as_bytes())
}

fn expect_next_served(attempt: &Attempt) -> Done {
    let mut next = connect(attempt, "next client")?;
    next.send(b"is anybody there?")?;
    next.expect(b"IS ANYBODY THERE?")
}

fn answers(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    // Each shorter than the one before: what a buffer has kept of that would be seen.
    for len in [20, 12, 5, attempt.number(1..=4)] {
        let text = attempt.word(len);
        client.send(text.as_bytes())?;
        client.expect_just(text.to_ascii_uppercase().as_bytes())?;
    }
    client.hold_back("the rest of what it says")?;
    let long = attempt.word(attempt.number(2000..=5000));
    client.send(long.as_bytes())?;
    client.expect_just(long.to_ascii_uppercase().as_bytes())
}

fn closes_too(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = connect(attempt, "client")?;
    talk(attempt, &mut client)?;
    client.half_close()?;
    client.expect_end()
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

fn next_client(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = connect(attempt, "client")?;
    talk(attempt, &mut client)?;
    client.leave()?;
    connect(attempt, "silent client")?.leave()?;
    expect_next_served(attempt)
}

/// What it must answer to this text, sent again and again, `sent` bytes in all.
fn capitals(text: &str, sent: usize) -> Vec<u8> {
    text.to_ascii_uppercase().bytes().cycle().take(sent).collect()
}

fn late_reader(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect_narrow("late reader")?.ignoring(b"\0");
    let text = attempt.word(1000);
    let sent = client.send_until_blocked(text.as_bytes())?;
    let answer = capitals(&text, sent);
    let (slowly, rest) = answer.split_at(2000.min(sent));
    for piece in slowly.chunks(500) {
        client.expect(piece)?;
    }
    client.enlarge_receive_buffer()?;
    client.expect(rest)
}

fn pending_answers(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect_narrow("late reader")?.ignoring(b"\0");
    let text = attempt.word(1000);
    let sent = client.send_until_blocked(text.as_bytes())?;
    client.half_close()?;
    client.enlarge_receive_buffer()?;
    client.expect(&capitals(&text, sent))
}

fn reset_at_once(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    // One that serves its clients by turns accepts a connection that was over before.
    let mut first = connect(attempt, "client")?;
    talk(attempt, &mut first)?;
    first.settle()?;
    attempt.connect("leaver")?.reset()?;
    first.reset()?;
    attempt.expect_accepted()?;
    // One that serves several at once may accept it before or after that: often enough for both.
    for _ in 0..20 {
        attempt.connect("leaver")?.reset()?;
        attempt.expect_accepted()?;
    }
    let leaver = attempt.connect("leaver")?;
    leaver.settle()?;
    leaver.reset()?;
    expect_next_served(attempt)
}

fn reset_while_it_waits(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut leaver = connect(attempt, "leaver")?;
    talk(attempt, &mut leaver)?;
    leaver.settle()?;
    leaver.reset()?;
    expect_next_served(attempt)
}

fn answer_unread(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut leaver = connect(attempt, "leaver")?;
    leaver.send(b"farewell")?;
    leaver.expect_unread()?;
    leaver.settle()?;
    leaver.close();
    expect_next_served(attempt)
}

fn reset_while_it_sends(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let leaver = attempt.connect_narrow("leaver")?;
    leaver.send_until_blocked(b"more and more ")?;
    leaver.reset()?;
    expect_next_served(attempt)
}

fn fin_then_reset(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let leaver = attempt.connect_narrow("leaver")?;
    leaver.send_until_blocked(b"more and more ")?;
    leaver.half_close()?;
    leaver.reset()?;
    expect_next_served(attempt)
}

fn hundreds(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..MANY {
        let mut client = connect(attempt, "client")?;
        client.send(b"hi")?;
        client.expect(b"HI")?;
        client.leave()?;
    }
    Ok(())
}
