//! Exercise 18: a server that closes first, and that can be restarted at once.

use socklab::judge::{Attempt, Connection, Done, Exercise};

/// What the task allows as the length of a line, with its newline.
const LONGEST: usize = 1000;

/// More than a program may have processes.
const CLIENTS: usize = 100;

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "answers-and-closes",
            10,
            "answers a line, and closes the connection, client after client",
            "One line, one answer, and close; then the next client.",
            answers_and_closes,
        )
        .check(
            "line-in-pieces",
            5,
            "waits for the whole line",
            "One recv may give a part of the line: read on until the newline has come.",
            line_in_pieces,
        )
        .check(
            "long-line",
            5,
            "answers a line of 1000 bytes, newline included",
            "Keep what has come until the newline is there, up to 1000 bytes: a smaller buffer holds a part.",
            long_line,
        )
        .check(
            "fin-not-reset",
            10,
            "closes the connection with FIN, not with RST",
            "SO_LINGER with no time sends a reset, and what was on its way may be lost. Close without it.",
            fin_not_reset,
        )
        .check(
            "leaver",
            5,
            "serves the next client when one leaves within its line, or breaks off",
            "recv may give nothing before the newline has come, and it may fail. Either way that client is gone.",
            leaver,
        )
        .check(
            "rests",
            5,
            "uses no processor time while it waits for something",
            "accept and recv wait by themselves: do not ask again and again.",
            rests,
        )
        .check(
            "restart-after-fin",
            15,
            "is there again at once when its last connection is in TIME-WAIT",
            "The side that closes first is in TIME-WAIT for a while, and keeps the port, unless SO_REUSEADDR is set.",
            restart_after_fin,
        )
        .check(
            "restart-client-stays",
            10,
            "is there again at once when a client has not closed its side",
            "The connection waits for the FIN of the client (FIN-WAIT-2), and keeps the port: see SO_REUSEADDR.",
            restart_client_stays,
        )
        .check(
            "restart-in-a-talk",
            15,
            "is there again at once when it was killed in the middle of a talk",
            "The kernel sends FIN for a program that is killed: it is as if the server had closed first.",
            restart_in_a_talk,
        )
        .check(
            "port-taken",
            10,
            "ends with an error when another server listens on the port, and serves when that has left",
            "If bind fails although SO_REUSEADDR is set, somebody is there. Say so, with an exit code other than 0.",
            port_taken,
        )
        .check(
            "port-not-shared",
            10,
            "shares its port with nobody",
            "SO_REUSEPORT lets two servers listen on one port at once. Only SO_REUSEADDR is wanted here.",
            port_not_shared,
        )
}

/// A client that does not mind whether its newline comes back, nor zero bytes: those are one check's subject alone.
fn connect(attempt: &Attempt, name: &str) -> Done<Connection> {
    Ok(attempt.connect(name)?.ignoring(b"\n\0"))
}

/// One client: a line, its answer, and the end. The client's side stays open.
fn ask(attempt: &Attempt, name: &str) -> Done<Connection> {
    let text = attempt.word(attempt.number(1..=20));
    let mut client = connect(attempt, name)?;
    client.send(format!("{text}\n").as_bytes())?;
    client.expect(text.to_ascii_uppercase().as_bytes())?;
    client.expect_end()?;
    Ok(client)
}

fn expect_next_served(attempt: &Attempt) -> Done {
    let mut next = connect(attempt, "next client")?;
    next.send(b"is anybody there?\n")?;
    next.expect(b"IS ANYBODY THERE?")
}

fn restart(attempt: &mut Attempt) -> Done {
    attempt.kill()?;
    attempt.start_tcp_server()
}

fn answers_and_closes(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..CLIENTS {
        let text = attempt.word(attempt.number(1..=20));
        let mut client = attempt.connect("client")?;
        client.send(format!("{text}\n").as_bytes())?;
        client.expect(format!("{}\n", text.to_ascii_uppercase()).as_bytes())?;
        client.expect_end()?;
        client.close();
    }
    Ok(())
}

fn line_in_pieces(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let line = b"hello\n";
    let held = line.len() - attempt.number(1..=line.len() - 1);
    for cut in 1..line.len() {
        let (first, rest) = line.split_at(cut);
        let mut client = connect(attempt, "client")?;
        client.send(first)?;
        if cut == held {
            client.hold_back("the rest of the line")?;
        } else {
            attempt.set_unsent(Some("the rest of the line"));
            client.expect_nothing()?;
            attempt.set_unsent(None);
        }
        client.send(rest)?;
        client.expect(b"HELLO")?;
        client.leave()?;
    }
    Ok(())
}

fn long_line(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let text = attempt.word(LONGEST - 1);
    let line = format!("{text}\n");
    let mut client = connect(attempt, "client")?;
    client.send(line.as_bytes())?;
    client.expect(text.to_ascii_uppercase().as_bytes())?;
    client.leave()?;
    let (first, rest) = line.as_bytes().split_at(attempt.number(1..=LONGEST - 2));
    let (middle, newline) = rest.split_at(rest.len() - 1);
    let mut client = connect(attempt, "client")?;
    client.send_in_pieces(&[first, middle, newline])?;
    client.expect(text.to_ascii_uppercase().as_bytes())?;
    client.leave()
}

fn fin_not_reset(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = connect(attempt, "client")?;
    client.send(b"hello\n")?;
    client.expect(b"HELLO")?;
    client.expect_fin()
}

fn leaver(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    connect(attempt, "silent client")?.leave()?;
    let leaver = connect(attempt, "leaver")?;
    leaver.send(b"half a li")?;
    leaver.leave()?;
    let leaver = connect(attempt, "leaver")?;
    leaver.send(b"half a li")?;
    leaver.settle()?;
    // One that serves its clients by turns finds a whole line of a client that has gone.
    let impatient = connect(attempt, "impatient client")?;
    impatient.send(b"a whole line\n")?;
    impatient.reset()?;
    leaver.reset()?;
    // One that serves several at once finds that or not: often enough for both.
    for _ in 0..20 {
        attempt.expect_accepted()?;
        let impatient = connect(attempt, "impatient client")?;
        impatient.send(b"a whole line\n")?;
        impatient.reset()?;
    }
    expect_next_served(attempt)
}

fn rests(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    attempt.settle()?;
    let mut client = connect(attempt, "client that thinks")?;
    client.settle()?;
    attempt.assert_idle()?;
    client.send(b"hello\n")?;
    client.expect(b"HELLO")?;
    client.leave()?;
    attempt.settle()
}

fn restart_after_fin(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..2 {
        ask(attempt, "client")?.close();
        restart(attempt)?;
    }
    expect_next_served(attempt)
}

fn restart_client_stays(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let stays = ask(attempt, "client that stays")?;
    restart(attempt)?;
    expect_next_served(attempt)?;
    stays.close();
    Ok(())
}

fn restart_in_a_talk(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let stays = connect(attempt, "client")?;
    stays.send(b"half a li")?;
    stays.settle()?;
    restart(attempt)?;
    expect_next_served(attempt)?;
    stays.close();
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

fn port_not_shared(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    attempt.assert_port_not_shared()
}
