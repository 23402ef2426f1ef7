//! Exercise 18: a server that closes first, and that can be restarted at once.

use socklab::judge::{Attempt, Connection, Done, Exercise};

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
            "restart-after-fin",
            20,
            "is there again at once when its last connection is in TIME-WAIT",
            "The side that closes first is in TIME-WAIT for a while, and keeps the port, unless SO_REUSEADDR is set.",
            restart_after_fin,
        )
        .check(
            "restart-client-stays",
            15,
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

/// One client: a line, its answer, and the end. The client's side stays open.
fn ask(attempt: &Attempt, name: &str) -> Done<Connection> {
    let text = attempt.word(attempt.number(1..=20));
    let mut client = attempt.connect(name)?;
    client.send(format!("{text}\n").as_bytes())?;
    client.expect(format!("{}\n", text.to_ascii_uppercase()).as_bytes())?;
    client.expect_end()?;
    Ok(client)
}

fn restart(attempt: &mut Attempt) -> Done {
    attempt.kill()?;
    attempt.start_tcp_server()
}

fn answers_and_closes(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..3 {
        ask(attempt, "client")?.close();
    }
    Ok(())
}

fn line_in_pieces(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let line = b"hello\n";
    let held = line.len() - attempt.number(1..=line.len() - 1);
    for cut in 1..line.len() {
        let (first, rest) = line.split_at(cut);
        let mut client = attempt.connect("client")?;
        client.send(first)?;
        if cut == held {
            client.hold_back("the rest of the line")?;
        } else {
            attempt.set_unsent(Some("the rest of the line"));
            client.expect_nothing()?;
            attempt.set_unsent(None);
        }
        client.send(rest)?;
        client.expect(b"HELLO\n")?;
        client.close();
    }
    Ok(())
}

fn fin_not_reset(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    client.send(b"hello\n")?;
    client.expect(b"HELLO\n")?;
    client.expect_fin()
}

fn leaver(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let leaver = attempt.connect("leaver")?;
    leaver.send(b"half a li")?;
    leaver.close();
    let leaver = attempt.connect("leaver")?;
    leaver.send(b"half a li")?;
    attempt.settle()?;
    leaver.reset()?;
    ask(attempt, "next client")?.close();
    Ok(())
}

fn restart_after_fin(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..2 {
        ask(attempt, "client")?.close();
        restart(attempt)?;
    }
    ask(attempt, "client")?.close();
    Ok(())
}

fn restart_client_stays(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let stays = ask(attempt, "client that stays")?;
    restart(attempt)?;
    ask(attempt, "next client")?.close();
    stays.close();
    Ok(())
}

fn restart_in_a_talk(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let stays = attempt.connect("client")?;
    stays.send(b"half a li")?;
    attempt.settle()?;
    restart(attempt)?;
    ask(attempt, "next client")?.close();
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
    let mut client = attempt.connect("client")?;
    client.send(b"hello\n")?;
    client.expect(b"HELLO\n")
}

fn port_not_shared(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    attempt.assert_port_not_shared()
}
