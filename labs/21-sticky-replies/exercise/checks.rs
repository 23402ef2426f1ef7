//! Exercise 21: a server that finds requests in a stream by their ends, and answers with the length in front.

use socklab::judge::{Attempt, Connection, Done, Exercise};

/// The most bytes of a request, without its newline; and the most times that it can ask for its text.
const LONGEST: usize = 1024;
const MOST_TIMES: usize = 1000;

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "one-after-another",
            5,
            "answers one request after another on a connection",
            "Make the whole answer, count its bytes, send the number as digits and a newline, and then the answer.",
            one_after_another,
        )
        .check(
            "empty-answer",
            5,
            "answers a request for nothing with a length of 0",
            "Who asks waits for an answer: without one, the next answer would be taken for this one.",
            empty_answer,
        )
        .check(
            "several-in-one",
            5,
            "answers each of several requests that come in one piece",
            "After the first newline, look for another one in what you have, before you call recv again.",
            several_in_one,
        )
        .check(
            "one-and-a-half",
            5,
            "answers a whole request when the beginning of another one has come with it",
            "What is behind the last newline is the beginning of the next request: keep it, and answer what is whole.",
            one_and_a_half,
        )
        .check(
            "split-anywhere",
            5,
            "reads a request whose bytes come in two pieces, cut anywhere",
            "recv gives what is there, not a line: read on until there is a newline.",
            split_anywhere,
        )
        .check(
            "byte-by-byte",
            5,
            "reads a request that comes byte by byte",
            "Every recv may give a single byte.",
            byte_by_byte,
        )
        .check(
            "counts-bytes",
            5,
            "sends a length that is a number of bytes, not of characters",
            "A character may be several bytes: encode first, and count then.",
            counts_bytes,
        )
        .check(
            "cut-character",
            5,
            "reads a request that is cut within a character",
            "Half a character cannot be decoded. Work with bytes until the line is whole.",
            cut_character,
        )
        .check(
            "text-as-it-is",
            5,
            "ends a request at its newline only, and leaves the text as it is",
            "Functions that read lines or strip them often know other ends and blanks than a newline.",
            text_as_it_is,
        )
        .check(
            "not-understood",
            5,
            "answers a line that is no request of that form",
            "Whatever a line says, its sender waits for an answer; and the next line is another one.",
            not_understood,
        )
        .check(
            "longest-request",
            5,
            "answers a request of 1,024 bytes",
            "The limit is what is allowed, and the newline does not count.",
            longest_request,
        )
        .check(
            "large-answer",
            5,
            "sends an answer of a million bytes to a client that reads late",
            "send may take a part of an answer: look at what it returns, and send the rest later.",
            large_answer,
        )
        .check(
            "too-long",
            5,
            "closes the connection when a request is too long, and serves the next client",
            "Look how much has come without a newline after each recv, and do not wait for the newline.",
            too_long,
        )
        .check(
            "late-reader",
            5,
            "answers all requests of a client that reads late, and slowly",
            "send may take a part of an answer, or nothing yet: look at what it returns, and send the rest later.",
            late_reader,
        )
        .check(
            "goodbye",
            5,
            "sends all answers, and then closes, when a client has said goodbye",
            "recv that gives nothing says that no more requests come. Answers that wait are still wanted.",
            goodbye,
        )
        .check(
            "unfinished",
            5,
            "closes without an answer when a client leaves within a request",
            "What has no newline is no request: it may be half of one. Functions that read lines give it all the same.",
            unfinished,
        )
        .check(
            "reset-in-a-request",
            5,
            "serves the next client when a client breaks off within a request",
            "A recv can fail with ECONNRESET. That client is gone; the next one is not.",
            reset_in_a_request,
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

/// A request for so many times this text.
fn request(times: usize, text: &str) -> Vec<u8> {
    format!("{times} {text}\n").into_bytes()
}

/// What the server must answer: the text and a newline, so many times, behind its length.
fn answer(times: usize, text: &str) -> Vec<u8> {
    let body = format!("{text}\n").repeat(times);
    format!("{}\n{body}", body.len()).into_bytes()
}

fn one_after_another(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    // How many bytes come for the first tells in what form they come.
    for (times, len) in [(1, 5), (2, 7), (attempt.number(3..=9), attempt.number(2..=20))] {
        let text = attempt.word(len);
        client.send(&request(times, &text))?;
        client.expect_just(&answer(times, &text))?;
    }
    Ok(())
}

fn empty_answer(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for _ in 0..2 {
        client.send(&request(0, &attempt.word(5)))?;
        client.expect(&answer(0, ""))?;
    }
    client.send(&request(1, "next"))?;
    client.expect(&answer(1, "next"))
}

fn several_in_one(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let (mut requests, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..attempt.number(2..=5) {
        let (times, text) = (attempt.number(1..=3), attempt.word(attempt.number(1..=12)));
        requests.extend(request(times, &text));
        answers.extend(answer(times, &text));
    }
    client.send(&requests)?;
    client.expect_just(&answers)
}

fn one_and_a_half(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let (first, second) = (attempt.word(4), attempt.word(4));
    let whole = request(2, &second);
    let (begin, rest) = whole.split_at(attempt.number(1..=whole.len() - 1));
    client.send(&[&request(1, &first), begin].concat())?;
    client.expect_just(&answer(1, &first))?;
    client.send(rest)?;
    client.expect(&answer(2, &second))
}

fn split_anywhere(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let text = attempt.word(4);
    let whole = request(12, &text);
    // The last one is the simplest choice: who fails at a cut before it is told so without a pause.
    let held = whole.len() - attempt.number(1..=whole.len() - 1);
    for cut in 1..whole.len() {
        let (first, rest) = whole.split_at(cut);
        if cut == held {
            client.send(first)?;
            client.hold_back("the rest of the request")?;
            client.send(rest)?;
        } else {
            client.send_in_pieces(&[first, rest])?;
        }
        client.expect(&answer(12, &text))?;
    }
    Ok(())
}

fn byte_by_byte(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let text = attempt.word(attempt.number(2..=12));
    client.send_byte_by_byte(&request(2, &text))?;
    client.expect(&answer(2, &text))
}

fn counts_bytes(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for text in ["é", "你好", "🙂", "aé你🙂"] {
        client.send(&request(3, text))?;
        client.expect(&answer(3, text))?;
    }
    Ok(())
}

fn cut_character(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for text in ["é", "你", "🙂"] {
        let whole = request(1, text);
        for cut in whole.len() - text.len()..whole.len() - 1 {
            let (first, rest) = whole.split_at(cut);
            client.send_in_pieces(&[first, rest])?;
            // Which number that is, is another check's subject.
            client.receive(2)?;
            client.expect(format!("{text}\n").as_bytes())?;
        }
    }
    Ok(())
}

fn text_as_it_is(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for text in [" two  spaces ", "\ttabs\t", "carriage\rreturn\r", "other\u{b}\u{c}\u{1c}\u{1e}ends", "a\0zero", ""] {
        client.send(&request(2, text))?;
        client.expect(&answer(2, text))?;
    }
    Ok(())
}

fn not_understood(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for line in ["what?", "what is that", "", "3", "-1 a", "1001 a", "99999999999999999999 a"] {
        client.send(format!("{line}\n").as_bytes())?;
        client.expect(b"2\n?\n")?;
    }
    client.send(&request(1, "next"))?;
    client.expect(&answer(1, "next"))
}

fn longest_request(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let text = attempt.word(LONGEST - "1 ".len());
    for _ in 0..2 {
        client.send(&request(1, &text))?;
        client.expect(&answer(1, &text))?;
    }
    // No single recv finds all of it, and none finds the newline with it.
    let whole = request(1, &text);
    let (begin, end) = whole.split_at(LONGEST);
    let (first, rest) = begin.split_at(attempt.number(1..=LONGEST - 1));
    client.send_in_pieces(&[first, rest, end])?;
    client.expect(&answer(1, &text))
}

fn large_answer(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect_narrow("late reader")?;
    let text = attempt.word(attempt.number(1000..=1015));
    client.send(&request(MOST_TIMES, &text))?;
    client.settle_or_block()?;
    client.enlarge_receive_buffer()?;
    client.expect(&answer(MOST_TIMES, &text))
}

fn too_long(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut endless = attempt.connect("endless client")?;
    endless.send(&[b"1 ", "a".repeat(LONGEST - 1).as_bytes()].concat())?;
    endless.expect_end()?;
    let mut long = attempt.connect("client")?;
    long.send(&request(1, &"a".repeat(LONGEST - 1)))?;
    long.expect_end()?;
    expect_next_served(attempt)
}

/// Sends requests, and reads no answer, until the program waits. Returns the answers to those that went as a whole, and
/// whether that is all that went.
fn ask_until_blocked(attempt: &Attempt, client: &Connection) -> Done<(Vec<u8>, bool)> {
    // One request is one segment: whether they are read one by one is another check's subject.
    let text = attempt.word(497);
    let whole = request(1, &text);
    let sent = client.send_until_blocked(&whole)?;
    Ok((answer(1, &text).repeat(sent / whole.len()), sent % whole.len() == 0))
}

fn late_reader(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect_narrow("late reader")?;
    let (answers, _) = ask_until_blocked(attempt, &client)?;
    let (slowly, rest) = answers.split_at(2000.min(answers.len()));
    for piece in slowly.chunks(500) {
        client.expect(piece)?;
    }
    client.enlarge_receive_buffer()?;
    client.expect(rest)
}

fn goodbye(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect_narrow("late reader")?;
    let (answers, is_whole) = ask_until_blocked(attempt, &client)?;
    client.half_close()?;
    client.enlarge_receive_buffer()?;
    client.expect(&answers)?;
    // What it does with a part of a request is another check's subject.
    if is_whole { client.expect_end() } else { client.receive_to_end(LONGEST).map(drop) }
}

fn unfinished(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let whole = request(1, "hello");
    for cut in 0..whole.len() {
        let mut leaver = attempt.connect("leaver")?;
        leaver.send(&whole[..cut])?;
        leaver.half_close()?;
        leaver.expect_end()?;
    }
    expect_next_served(attempt)
}

fn reset_in_a_request(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let whole = request(1, "hello");
    for cut in 0..whole.len() {
        let leaver = attempt.connect("leaver")?;
        leaver.send(&whole[..cut])?;
        // So that it is a recv that fails.
        leaver.settle()?;
        leaver.reset()?;
    }
    expect_next_served(attempt)
}

fn reset_while_it_sends(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let leaver = attempt.connect_narrow("leaver")?;
    ask_until_blocked(attempt, &leaver)?;
    leaver.reset()?;
    expect_next_served(attempt)
}

fn rests(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    client.send(&request(1, "hello"))?;
    client.expect(&answer(1, "hello"))?;
    attempt.remark("the program must rest while it waits for more");
    attempt.settle()?;
    client.leave()?;
    attempt.assert_idle()
}

fn hundred_clients(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..100 {
        let mut client = attempt.connect("client")?;
        client.send(&request(1, "hi"))?;
        client.expect(&answer(1, "hi"))?;
        client.half_close()?;
        client.expect_end()?;
    }
    Ok(())
}

fn expect_next_served(attempt: &mut Attempt) -> Done {
    let mut client = attempt.connect("next client")?;
    client.send(&request(1, "still there?"))?;
    client.expect(&answer(1, "still there?"))
}
