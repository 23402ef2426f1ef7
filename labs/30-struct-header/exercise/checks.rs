//! Exercise 30: a server that takes messages with a header of four bytes, and answers in the same form.

use socklab::judge::{Attempt, Done, Exercise};

/// What the task allows as the length of a message.
const LONGEST: u32 = 65_536;

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "one-message",
            10,
            "answers one message",
            "Read four bytes, make a number of them in network order, and then read so many bytes.",
            one_message,
        )
        .check(
            "several-messages",
            5,
            "answers several messages on one connection",
            "After an answer, begin again with the next header, until recv gives nothing.",
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
            "split-anywhere",
            10,
            "reads a message whose bytes come in two pieces, cut anywhere",
            "recv gives what is there, not what you asked for: read on until you have all four, then all of the body.",
            split_anywhere,
        )
        .check(
            "byte-by-byte",
            10,
            "reads a message that comes byte by byte",
            "Every recv may give a single byte, also in the middle of the header.",
            byte_by_byte,
        )
        .check(
            "two-in-one",
            10,
            "answers two messages that come in one piece",
            "Take just the bytes of this message; those of the next one belong to the next one.",
            two_in_one,
        )
        .check(
            "large-message",
            5,
            "reads and answers a message of 65,536 bytes",
            "One recv does not give all of it: read on until as many bytes have come as the header announced.",
            large_message,
        )
        .check(
            "late-reader",
            5,
            "answers all messages of a client that reads late, and slowly",
            "send may take a part of an answer, or nothing yet: look at what it returns, and send the rest later.",
            late_reader,
        )
        .check(
            "length-too-large",
            5,
            "closes the connection when the length is larger than allowed, and serves the next client",
            "Compare the length with the limit before you read, or reserve memory, for so much.",
            length_too_large,
        )
        .check(
            "length-highest-bit",
            5,
            "closes the connection when the highest bit of the length is set",
            "As a signed number such a length is negative, and smaller than any limit. It is an unsigned one.",
            length_highest_bit,
        )
        .check(
            "second-waits",
            5,
            "serves a client that came while another one was in the middle of a message",
            "The kernel keeps the second client's connection and bytes until you call accept.",
            second_waits,
        )
        .check(
            "fin-in-a-frame",
            5,
            "closes, and serves the next client, when a client leaves in the middle of a message",
            "recv that gives nothing means that nothing more will come: leave the loop, wherever it is.",
            fin_in_a_frame,
        )
        .check(
            "reset-in-a-frame",
            5,
            "serves the next client when a client breaks off in the middle of a message",
            "A recv can fail with ECONNRESET. That client is gone; the next one is not.",
            reset_in_a_frame,
        )
        .check(
            "reset-while-it-sends",
            5,
            "serves the next client when a client that reads nothing breaks off",
            "A send can fail as well as a recv; in C a signal comes with some of its errors, and ends the program.",
            reset_while_it_sends,
        )
        .check(
            "rests",
            5,
            "uses no processor time while it waits for something",
            "recv waits by itself, and so do accept, select and poll, if you ask only for what you need.",
            rests,
        )
        .check(
            "hundred-clients",
            5,
            "serves a hundred clients one after another",
            "Whatever is made for one client must be given back when it leaves.",
            hundred_clients,
        )
}

/// A message in its frame: the length in network order, and the bytes.
fn framed(message: &[u8]) -> Vec<u8> {
    [&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes(), message].concat()
}

/// What the server must answer: the same in capital letters, in its frame.
fn answer(message: &str) -> Vec<u8> {
    framed(message.to_ascii_uppercase().as_bytes())
}

fn one_message(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let message = attempt.word(5);
    let mut client = attempt.connect("client")?;
    client.send(&framed(message.as_bytes()))?;
    client.expect(&answer(&message))?;
    client.expect_nothing()
}

fn several_messages(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for _ in 0..attempt.number(3..=6) {
        let message = attempt.word(attempt.number(1..=20));
        client.send(&framed(message.as_bytes()))?;
        client.expect(&answer(&message))?;
    }
    client.half_close()?;
    client.expect_end()
}

fn empty_message(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for _ in 0..2 {
        client.send(&framed(b""))?;
        client.expect(&answer(""))?;
    }
    Ok(())
}

fn split_anywhere(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let message = attempt.word(5);
    let frame = framed(message.as_bytes());
    // In the header; and in another check, beside this one, in the text.
    // The last one is the simplest choice: who fails at a cut before it is told so without a pause.
    let held = 4 - attempt.number(1..=3);
    for cut in 1..frame.len() {
        let (first, rest) = frame.split_at(cut);
        if cut == held {
            client.send(first)?;
            client.hold_back("the rest of the message")?;
            client.send(rest)?;
        } else {
            client.send_in_pieces(&[first, rest])?;
        }
        client.expect(&answer(&message))?;
    }
    Ok(())
}

fn byte_by_byte(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    // A text of one byte would always come whole.
    let message = attempt.word(attempt.number(2..=12));
    client.send_byte_by_byte(&framed(message.as_bytes()))?;
    client.expect(&answer(&message))
}

fn two_in_one(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let (first, second) = (attempt.word(attempt.number(1..=12)), attempt.word(attempt.number(1..=12)));
    client.send(&[framed(first.as_bytes()), framed(second.as_bytes())].concat())?;
    client.expect(&[answer(&first), answer(&second)].concat())?;
    client.expect_nothing()
}

fn large_message(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let message = attempt.word(LONGEST as usize);
    let frame = framed(message.as_bytes());
    // No single recv finds all of the text.
    let (first, rest) = frame.split_at(4 + attempt.number(1..=LONGEST as usize - 1));
    client.send(first)?;
    attempt.set_unsent(Some("the rest of the message"));
    client.expect_nothing()?;
    attempt.set_unsent(None);
    client.send(rest)?;
    client.expect(&answer(&message))
}

fn late_reader(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect_narrow("late reader")?;
    // One frame is one segment: whether they are read one by one is another check's subject.
    let message = attempt.word(500);
    let (frame, answer) = (framed(message.as_bytes()), answer(&message));
    let sent = client.send_until_blocked(&frame)?;
    let answers = answer.repeat(sent / frame.len());
    let (slowly, rest) = answers.split_at(2000.min(answers.len()));
    for piece in slowly.chunks(500) {
        client.expect(piece)?;
    }
    client.enlarge_receive_buffer()?;
    client.expect(rest)?;
    // The last message went in part.
    match sent % frame.len() {
        0 => Ok(()),
        part => {
            client.send(&frame[part..])?;
            client.expect(&answer)
        }
    }
}

fn length_too_large(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    expect_refusal(attempt, &[LONGEST + 1, 0x7FFF_FFFF])?;
    expect_next_served(attempt)
}

fn length_highest_bit(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    expect_refusal(attempt, &[0x8000_0000, 0xFFFF_FFFF])?;
    expect_next_served(attempt)
}

fn expect_refusal(attempt: &Attempt, lengths: &[u32]) -> Done {
    for length in lengths {
        let mut liar = attempt.connect("liar")?;
        liar.send(&length.to_be_bytes())?;
        liar.expect_end()?;
    }
    Ok(())
}

fn second_waits(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut first = attempt.connect("slow client")?;
    let frame = framed(b"slow");
    let (begin, rest) = frame.split_at(attempt.number(5..=7));
    first.send(begin)?;
    first.hold_back("the rest of its message")?;
    let mut second = attempt.connect("second client")?;
    second.send(&framed(b"me too"))?;
    first.send(rest)?;
    first.expect(&answer("slow"))?;
    first.close();
    second.expect(&answer("me too"))
}

fn fin_in_a_frame(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let frame = framed(b"hello");
    for cut in 1..frame.len() {
        let mut leaver = attempt.connect("leaver")?;
        leaver.send(&frame[..cut])?;
        leaver.half_close()?;
        leaver.expect_end()?;
    }
    expect_next_served(attempt)
}

fn reset_in_a_frame(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let frame = framed(b"hello");
    for cut in 0..frame.len() {
        let leaver = attempt.connect("leaver")?;
        leaver.send(&frame[..cut])?;
        // So that it is a recv that fails.
        leaver.settle()?;
        leaver.reset()?;
    }
    expect_next_served(attempt)
}

fn reset_while_it_sends(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let leaver = attempt.connect_narrow("leaver")?;
    // One frame is one segment.
    leaver.send_until_blocked(&framed(attempt.word(500).as_bytes()))?;
    leaver.reset()?;
    expect_next_served(attempt)
}

fn rests(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    client.send(&framed(b"hello"))?;
    client.expect(&answer("hello"))?;
    attempt.remark("the program must rest while it waits for more");
    attempt.settle()?;
    client.leave()?;
    attempt.assert_idle()
}

fn hundred_clients(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..100 {
        let mut client = attempt.connect("client")?;
        client.send(&framed(b"hi"))?;
        client.expect(&answer("hi"))?;
        client.half_close()?;
        client.expect_end()?;
    }
    Ok(())
}

fn expect_next_served(attempt: &mut Attempt) -> Done {
    let mut client = attempt.connect("next client")?;
    client.send(&framed(b"still there?"))?;
    client.expect(&answer("still there?"))
}
