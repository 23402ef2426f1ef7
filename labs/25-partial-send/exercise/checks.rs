//! Exercise 25: a server that sends to many clients, of which some read slowly or not at all.

use std::time::Duration;

use socklab::judge::{Attempt, Connection, Done, Exercise};

/// More than a program can send to a client of ours with small buffers that does not read.
const MUCH: usize = 1_000_000;

/// The most that a client may ask for, and more than a program may have in memory.
const MOST: usize = 1_000_000_000;

/// How many clients the server must serve at once.
const CLIENTS: usize = 100;

/// More than a process can have open at once.
const HUNDREDS: usize = 300;

/// For how long a client pauses.
const PAUSE: Duration = Duration::from_millis(1300);

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "letters",
            5,
            "sends as many letters as a client asks for, and then closes",
            "Byte n is the letter n mod 26. When all are sent, close: that is how the client knows that it has all.",
            letters_and_end,
        )
        .check(
            "nothing",
            5,
            "closes at once when a client asks for 0 bytes",
            "0 is a number as any other: nothing is to be sent, and all of it has been.",
            nothing,
        )
        .check(
            "question-in-pieces",
            5,
            "reads a number that comes in pieces, cut anywhere",
            "recv gives what is there. The number is whole when its newline has come.",
            question_in_pieces,
        )
        .check(
            "leaves-unasked",
            5,
            "closes when a client says goodbye that has not asked, or not to the end",
            "recv that gives nothing says that nothing more will come, also not the rest of a number.",
            leaves_unasked,
        )
        .check(
            "slow-asker",
            5,
            "serves others while a client has not asked to the end",
            "Read from a client when something has come, and keep it. Wait in one place, for all of them.",
            slow_asker,
        )
        .check(
            "late-reader",
            10,
            "sends all to a client that reads late, and then slowly",
            "send takes what there is room for, and returns how much that was. The rest is still to be sent, later.",
            late_reader,
        )
        .check(
            "fast-beside-slow",
            15,
            "serves a client while another one does not read what it asked for",
            "Do not wait for the one who does not read: go on with the others until it can be written to again.",
            fast_beside_slow,
        )
        .check(
            "hundred-at-once",
            10,
            "serves a client while 99 others do not read what they asked for",
            "With a thread or a process for each there would be too many of them: let one wait for all.",
            hundred_at_once,
        )
        .check(
            "rests-unasked",
            5,
            "uses no processor time while clients have not asked yet",
            "A socket can be written to nearly always. Wait for that only when you have something to write.",
            rests_unasked,
        )
        .check(
            "rests-while-full",
            5,
            "uses no processor time while a client does not read",
            "A send that fails with EAGAIN will do so again: wait until the socket can be written to.",
            rests_while_full,
        )
        .check(
            "still-reads",
            5,
            "sends all to a client that has asked and said goodbye",
            "recv that gives nothing says that the client sends nothing more. It may well read on.",
            still_reads,
        )
        .check(
            "rests-after-goodbye",
            5,
            "uses no processor time while a client that has said goodbye does not read",
            "After FIN a socket can be read from for ever, and gives nothing: do not wait for that any more.",
            rests_after_goodbye,
        )
        .check(
            "breaks-off",
            5,
            "serves the next client when one that reads nothing breaks off",
            "A send can fail with ECONNRESET. That client is gone; the others are not.",
            breaks_off,
        )
        .check(
            "fin-then-reset",
            5,
            "serves the next client when one breaks off after its goodbye",
            "After FIN and RST it is EPIPE, and SIGPIPE comes with it, which ends a program that does not ignore it.",
            fin_then_reset,
        )
        .check(
            "memory",
            5,
            "sends to ten clients each of which asks for 1,000,000,000 bytes",
            "Make what you send when there is room for it: a piece of some kilobytes, from where you are.",
            memory,
        )
        .check(
            "hundreds-leave",
            5,
            "serves a client after hundreds have left",
            "Close the socket of each client that leaves, whichever way it does.",
            hundreds_leave,
        )
}

/// The first bytes of what is sent to everybody.
fn letters(count: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(count).collect()
}

/// Asks for so many bytes.
fn ask(client: &Connection, count: usize) -> Done {
    client.send(format!("{count}\n").as_bytes())
}

/// A client whose small buffers are full: it has asked for much, and reads nothing.
fn connect_full(attempt: &Attempt, name: &str) -> Done<Connection> {
    let client = attempt.connect_narrow(name)?;
    ask(&client, MUCH)?;
    client.settle_or_block()?;
    Ok(client)
}

fn expect_all(client: &mut Connection, count: usize) -> Done {
    client.expect(&letters(count))?;
    client.expect_end()
}

fn expect_next_served(attempt: &Attempt) -> Done {
    let mut client = attempt.connect("next client")?;
    ask(&client, 100)?;
    expect_all(&mut client, 100)
}

fn letters_and_end(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for count in [5, 26, 28, attempt.number(1..=1000)] {
        let mut client = attempt.connect("client")?;
        ask(&client, count)?;
        expect_all(&mut client, count)?;
    }
    Ok(())
}

fn nothing(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..2 {
        let mut client = attempt.connect("client")?;
        ask(&client, 0)?;
        client.expect_end()?;
    }
    Ok(())
}

fn question_in_pieces(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let question = b"1234\n";
    let held = question.len() - attempt.number(1..=question.len() - 1);
    for cut in 1..question.len() {
        let mut client = attempt.connect("client")?;
        let (first, rest) = question.split_at(cut);
        if cut == held {
            client.send(first)?;
            client.hold_back("the rest of the number")?;
            client.send(rest)?;
        } else {
            client.send_in_pieces(&[first, rest])?;
        }
        expect_all(&mut client, 1234)?;
    }
    Ok(())
}

fn leaves_unasked(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for begun in ["", "1", "12"] {
        let mut leaver = attempt.connect("leaver")?;
        leaver.send(begun.as_bytes())?;
        leaver.half_close()?;
        leaver.expect_end()?;
    }
    expect_next_served(attempt)
}

fn slow_asker(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for begun in ["", "12"] {
        let slow = attempt.connect("slow client")?;
        slow.send(begun.as_bytes())?;
        slow.settle()?;
        expect_next_served(attempt)?;
        slow.close();
    }
    Ok(())
}

fn late_reader(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect_narrow("late reader")?;
    let count = MUCH + attempt.number(0..=100);
    ask(&client, count)?;
    client.settle_or_block()?;
    attempt.pass_time(PAUSE)?;
    let all = letters(count);
    let (slowly, rest) = all.split_at(2000);
    for piece in slowly.chunks(500) {
        client.expect(piece)?;
    }
    client.enlarge_receive_buffer()?;
    client.expect(rest)?;
    client.expect_end()
}

fn fast_beside_slow(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut slow = connect_full(attempt, "slow reader")?;
    for count in [10, 1000] {
        let mut fast = attempt.connect("fast reader")?;
        ask(&fast, count)?;
        expect_all(&mut fast, count)?;
    }
    slow.enlarge_receive_buffer()?;
    expect_all(&mut slow, MUCH)
}

fn hundred_at_once(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut slow = Vec::new();
    for _ in 1..CLIENTS {
        let client = attempt.connect_narrow("slow reader")?;
        attempt.expect_accepted()?;
        ask(&client, MUCH)?;
        slow.push(client);
    }
    expect_next_served(attempt)
}

fn rests_unasked(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("silent client")?;
    attempt.expect_accepted()?;
    attempt.assert_idle()?;
    ask(&client, 5)?;
    expect_all(&mut client, 5)
}

fn rests_while_full(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let _slow = connect_full(attempt, "slow reader")?;
    attempt.assert_idle()
}

fn still_reads(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect_narrow("late reader")?;
    ask(&client, MUCH)?;
    client.half_close()?;
    client.settle_or_block()?;
    client.enlarge_receive_buffer()?;
    expect_all(&mut client, MUCH)
}

fn rests_after_goodbye(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let slow = connect_full(attempt, "slow reader")?;
    slow.half_close()?;
    attempt.assert_idle()
}

fn breaks_off(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    connect_full(attempt, "leaver")?.reset()?;
    expect_next_served(attempt)
}

fn fin_then_reset(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let leaver = connect_full(attempt, "leaver")?;
    leaver.half_close()?;
    leaver.reset()?;
    expect_next_served(attempt)
}

fn memory(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut greedy = Vec::new();
    for _ in 0..10 {
        let client = attempt.connect_narrow("greedy client")?;
        ask(&client, MOST)?;
        client.settle_or_block()?;
        greedy.push(client);
    }
    for client in &mut greedy {
        client.expect(&letters(2000))?;
    }
    expect_next_served(attempt)
}

fn hundreds_leave(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..HUNDREDS {
        let mut leaver = attempt.connect("leaver")?;
        leaver.half_close()?;
        leaver.expect_end()?;
        let leaver = attempt.connect("leaver")?;
        attempt.expect_accepted()?;
        leaver.reset()?;
    }
    expect_next_served(attempt)
}
