//! Exercise 13: a server that answers in capital letters, and goes on whatever way its clients leave.

use socklab::judge::{Attempt, Connection, Done, Exercise};

/// More clients than a program may have files open.
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
            "rests-afterwards",
            10,
            "uses no processor time when its client has left",
            "recv does not wait any more when the client has left: it gives nothing, at once, for ever.",
            rests_afterwards,
        )
        .check(
            "next-client",
            10,
            "serves the next client when one has sent FIN",
            "accept stands in a loop of its own, around the one that talks.",
            next_client,
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
            10,
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

/// Says something, and expects it in capital letters.
fn talk(attempt: &Attempt, client: &mut Connection) -> Done {
    let text = attempt.word(attempt.number(1..=20));
    client.send(text.as_bytes())?;
    client.expect(text.to_ascii_uppercase().as_bytes())
}

fn expect_next_served(attempt: &Attempt) -> Done {
    let mut next = attempt.connect("next client")?;
    next.send(b"is anybody there?")?;
    next.expect(b"IS ANYBODY THERE?")
}

fn answers(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for _ in 0..3 {
        talk(attempt, &mut client)?;
    }
    let long = attempt.word(attempt.number(2000..=5000));
    client.send(long.as_bytes())?;
    client.expect(long.to_ascii_uppercase().as_bytes())?;
    client.expect_nothing()
}

fn closes_too(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    talk(attempt, &mut client)?;
    client.half_close()?;
    client.expect_end()
}

fn rests_afterwards(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    talk(attempt, &mut client)?;
    client.close();
    attempt.assert_idle()
}

fn next_client(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    talk(attempt, &mut client)?;
    client.close();
    let silent = attempt.connect("silent client")?;
    silent.close();
    expect_next_served(attempt)
}

fn pending_answers(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect_narrow("slow reader")?;
    let text = attempt.word(1000);
    let sent = client.send_until_blocked(text.as_bytes())?;
    client.half_close()?;
    client.enlarge_receive_buffer()?;
    let answer: Vec<u8> = text.to_ascii_uppercase().bytes().cycle().take(sent).collect();
    client.expect(&answer)
}

fn reset_at_once(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..3 {
        attempt.connect("leaver")?.reset()?;
    }
    expect_next_served(attempt)
}

fn reset_while_it_waits(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut leaver = attempt.connect("leaver")?;
    talk(attempt, &mut leaver)?;
    attempt.settle()?;
    leaver.reset()?;
    expect_next_served(attempt)
}

fn answer_unread(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let leaver = attempt.connect("leaver")?;
    leaver.send(b"farewell")?;
    attempt.settle()?;
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
        let mut client = attempt.connect("client")?;
        client.send(b"hi")?;
        client.expect(b"HI")?;
        client.close();
    }
    Ok(())
}
