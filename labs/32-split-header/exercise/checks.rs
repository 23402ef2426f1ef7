//! Exercise 32: a server for several clients, whose headers come in pieces, repaired.

use socklab::judge::{Attempt, Connection, Done, Exercise, Stop};

/// What the task allows as the length of a message.
const LONGEST: u32 = 65_536;

/// How many clients there may be at once.
const MOST_CLIENTS: usize = 20;

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "one-message",
            5,
            "answers one message",
            "The starter does it: read four bytes, make a number of them, and read so many bytes.",
            one_message,
        )
        .check(
            "several-messages",
            5,
            "answers several messages on one connection",
            "After an answer, the next header comes, until recv gives nothing.",
            several_messages,
        )
        .check(
            "empty-message",
            5,
            "answers an empty message with an empty one",
            "A length of 0 is a length: the answer is a header of four zero bytes.",
            empty_message,
        )
        .check(
            "header-in-pieces",
            10,
            "reads a header that comes in two pieces, cut anywhere",
            "recv(4) gives at most four bytes. Keep what has come until there are four.",
            header_in_pieces,
        )
        .check(
            "text-in-pieces",
            5,
            "reads a text that comes in two pieces, cut anywhere",
            "recv gives what is there: keep it until there is as much as the header announced.",
            text_in_pieces,
        )
        .check(
            "byte-by-byte",
            5,
            "reads a message that comes byte by byte",
            "Every recv may give a single byte, also in the middle of the header: two of them are not enough.",
            byte_by_byte,
        )
        .check(
            "two-in-one",
            5,
            "answers two messages that come in one piece",
            "One recv may bring two messages: as long as there is a whole one in the buffer, take it out.",
            two_in_one,
        )
        .check(
            "large-message",
            5,
            "reads and answers a message of 65,536 bytes",
            "One recv does not give all of it: keep what has come until all is there.",
            large_message,
        )
        .check(
            "several-clients",
            5,
            "serves several clients at the same time",
            "The starter does it: it looks which of its clients has something, or has a thread for each.",
            several_clients,
        )
        .check(
            "slow-header",
            10,
            "serves others while a client is in the middle of a header",
            "A loop that waits for the rest of a header holds up all others. Keep what is there, and serve the others.",
            slow_header,
        )
        .check(
            "slow-text",
            10,
            "serves others while a client is in the middle of a text",
            "A loop that waits for the rest of a text holds up all others. Keep what is there, and look at the others.",
            slow_text,
        )
        .check(
            "two-in-turns",
            5,
            "reads the messages of two clients that come byte by byte, in turns",
            "What has come belongs to the client from which it came: each needs a buffer of its own.",
            two_in_turns,
        )
        .check(
            "twenty-at-once",
            5,
            "serves twenty clients that are all in the middle of a message",
            "Twenty clients need twenty buffers, or twenty threads.",
            twenty_at_once,
        )
        .check(
            "length-too-large",
            5,
            "closes the connection when a length is larger than allowed, and serves the others",
            "Compare the length with the limit as soon as it is whole. It is unsigned.",
            length_too_large,
        )
        .check(
            "fin-in-a-message",
            5,
            "closes the connection when a client leaves in the middle of a message, and serves the others",
            "recv that gives nothing means that nothing more will come from this client, wherever it is.",
            fin_in_a_message,
        )
        .check(
            "reset-in-a-message",
            5,
            "serves the others when a client breaks off in the middle of a message",
            "A recv can fail with ECONNRESET. That client is gone; the others are not.",
            reset_in_a_message,
        )
        .check(
            "rests",
            5,
            "uses no processor time while it waits, for the rest of a header as well",
            "A socket is ready to be read as long as something lies in it unread: take it out, and keep it yourself.",
            rests,
        )
}

/// A message in its frame: the length in network order, and the bytes.
fn framed(message: &str) -> Vec<u8> {
    [&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes(), message.as_bytes()].concat()
}

/// What the server must answer: the same in capital letters, in its frame.
fn answer(message: &str) -> Vec<u8> {
    framed(&message.to_ascii_uppercase())
}

/// A message that comes whole, and its answer.
fn talk(client: &mut Connection, message: &str) -> Done {
    client.send(&framed(message))?;
    client.expect(&answer(message))
}

fn one_message(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let message = attempt.word(5);
    let mut client = attempt.connect("client")?;
    talk(&mut client, &message)?;
    client.expect_nothing()
}

fn several_messages(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for _ in 0..attempt.number(3..=6) {
        talk(&mut client, &attempt.word(attempt.number(1..=20)))?;
    }
    client.half_close()?;
    client.expect_end()
}

fn empty_message(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    talk(&mut client, "")?;
    talk(&mut client, "")
}

/// Sends a message in two pieces, cut at each of these places, and expects an answer only then. At one of them it waits
/// for long: not where the text begins, for there nobody has a reason to wait for a while only.
fn expect_whole(attempt: &Attempt, cuts: &[usize], rest_of: &str) -> Done {
    let mut client = attempt.connect("client")?;
    let message = attempt.word(5);
    let frame = framed(&message);
    // The last one is the simplest choice: who fails at a cut before it is told so without a pause.
    let within = cuts.iter().filter(|cut| **cut != 4).count();
    let held = cuts.len() - attempt.number(1..=within);
    for (at, cut) in cuts.iter().enumerate() {
        let (first, rest) = frame.split_at(*cut);
        client.send(first)?;
        if at == held {
            client.hold_back(rest_of)?;
        } else {
            attempt.set_unsent(Some(rest_of));
            client.expect_nothing()?;
            attempt.set_unsent(None);
        }
        client.send(rest)?;
        client.expect(&answer(&message))?;
    }
    Ok(())
}

fn header_in_pieces(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    expect_whole(attempt, &[1, 2, 3], "the rest of the header")
}

fn text_in_pieces(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    expect_whole(attempt, &[4, 5, 6, 7, 8], "the rest of the text")
}

fn byte_by_byte(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    // A text of one byte would always come whole.
    let message = attempt.word(attempt.number(2..=12));
    let frame = framed(&message);
    let (begin, last) = frame.split_at(frame.len() - 1);
    client.send_byte_by_byte(begin)?;
    attempt.set_unsent(Some("the last byte of the text"));
    client.expect_nothing()?;
    attempt.set_unsent(None);
    client.send(last)?;
    client.expect(&answer(&message))
}

fn two_in_one(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let (first, second) = (attempt.word(attempt.number(1..=12)), attempt.word(attempt.number(1..=12)));
    client.send(&[framed(&first), framed(&second)].concat())?;
    client.expect(&[answer(&first), answer(&second)].concat())?;
    client.expect_nothing()
}

fn large_message(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let message = attempt.word(LONGEST as usize);
    let frame = framed(&message);
    // No single recv finds all of the text.
    let (first, rest) = frame.split_at(4 + attempt.number(1..=LONGEST as usize - 1));
    client.send(first)?;
    attempt.set_unsent(Some("the rest of the message"));
    client.expect_nothing()?;
    attempt.set_unsent(None);
    client.send(rest)?;
    client.expect(&answer(&message))
}

fn several_clients(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let names = ["first client", "second client", "third client"];
    let mut clients = Vec::new();
    for name in names {
        clients.push(attempt.connect(name)?);
    }
    // Each of them before each other one.
    for at in [0, 1, 2, 1, 0, 2] {
        talk(&mut clients[at], &attempt.word(attempt.number(1..=12)))?;
    }
    Ok(())
}

/// Others are served while one client has sent the beginning of a message: one that was there before it, and one that
/// comes later.
fn expect_others_served(attempt: &Attempt, cut: usize) -> Done {
    let mut before = attempt.connect("client that was there before")?;
    talk(&mut before, "hello")?;
    let mut slow = attempt.connect("slow client")?;
    let frame = framed("slow");
    let (first, rest) = frame.split_at(cut);
    slow.send(first)?;
    slow.settle()?;
    attempt.set_unsent(Some("the rest of the slow client's message"));
    talk(&mut before, "and me?")?;
    let mut later = attempt.connect("client that comes later")?;
    talk(&mut later, "me too")?;
    attempt.set_unsent(None);
    slow.send(rest)?;
    slow.expect(&answer("slow"))
}

fn slow_header(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    expect_others_served(attempt, attempt.number(1..=3))
}

fn slow_text(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    // One byte of it has come, or more.
    expect_others_served(attempt, attempt.number(5..=7))
}

fn two_in_turns(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut first = attempt.connect("first client")?;
    let mut second = attempt.connect("second client")?;
    let messages = [attempt.word(4), attempt.word(4)];
    let frames = messages.each_ref().map(|message| framed(message));
    for (of_first, of_second) in frames[0].chunks(1).zip(frames[1].chunks(1)) {
        first.send(of_first)?;
        first.settle()?;
        second.send(of_second)?;
        second.settle()?;
    }
    first.expect(&answer(&messages[0]))?;
    second.expect(&answer(&messages[1]))
}

fn twenty_at_once(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let frame = framed("one of many");
    // In the header the ones, and in the text the others.
    let cut = |at: usize| 2 + at % 2 * 6;
    let mut clients = Vec::new();
    for at in 0..MOST_CLIENTS {
        let client = attempt.connect("client")?;
        client.send(&frame[..cut(at)])?;
        clients.push(client);
    }
    // Of both kinds, one has certainly been read in part.
    clients[MOST_CLIENTS - 2].settle()?;
    clients[MOST_CLIENTS - 1].settle()?;
    for (at, client) in clients.iter_mut().enumerate().rev() {
        client.send(&frame[cut(at)..])?;
        client.expect(&answer("one of many"))?;
    }
    Ok(())
}

/// Whoever was there before is served, and whoever comes next.
fn expect_all_served(attempt: &Attempt, mut other: Connection) -> Done {
    talk(&mut other, "still there?")?;
    let mut next = attempt.connect("next client")?;
    talk(&mut next, "and for me?")
}

fn length_too_large(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut other = attempt.connect("other client")?;
    talk(&mut other, "hello")?;
    for length in [LONGEST + 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] {
        let mut liar = attempt.connect("liar")?;
        liar.send(&length.to_be_bytes())?;
        liar.expect_end().map_err(|stop| match stop {
            Stop::Failed(mut failure) => {
                failure.what = format!("{}, for a length of {length}", failure.what);
                Stop::Failed(failure)
            }
            other => other,
        })?;
    }
    expect_all_served(attempt, other)
}

fn fin_in_a_message(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut other = attempt.connect("other client")?;
    talk(&mut other, "hello")?;
    let frame = framed("hello");
    for cut in 1..frame.len() {
        let mut leaver = attempt.connect("leaver")?;
        leaver.send(&frame[..cut])?;
        leaver.half_close()?;
        leaver.expect_end()?;
    }
    expect_all_served(attempt, other)
}

fn reset_in_a_message(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut other = attempt.connect("other client")?;
    talk(&mut other, "hello")?;
    let frame = framed("hello");
    for cut in 0..frame.len() {
        let leaver = attempt.connect("leaver")?;
        leaver.send(&frame[..cut])?;
        // So that it is a recv that fails.
        leaver.settle()?;
        leaver.reset()?;
    }
    expect_all_served(attempt, other)
}

fn rests(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    talk(&mut client, "hello")?;
    attempt.remark("the program must rest while it waits for more");
    attempt.settle()?;
    client.send(&framed("hello")[..2])?;
    attempt.set_unsent(Some("the rest of the header"));
    attempt.remark("and while it waits for the rest of a header");
    client.settle()?;
    attempt.settle()?;
    client.leave()?;
    attempt.assert_idle()
}
