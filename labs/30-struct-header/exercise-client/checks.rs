//! Exercise 30-client: a client that sends lines as messages with a header of four bytes, and prints the answers.

use socklab::judge::{Attempt, Connection, Done, Exercise};

/// What the task allows as the length of a message.
const LONGEST: u32 = 65_536;

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "one-line",
            10,
            "sends one line and prints the answer",
            "Four bytes of length in network order, and the line without its newline.",
            one_line,
        )
        .check(
            "several-lines",
            5,
            "sends one line after the other",
            "When an answer is printed, the next line is sent, on the same connection.",
            several_lines,
        )
        .check(
            "empty-line",
            5,
            "sends an empty line, and prints an empty answer",
            "A length of 0 is a length: a header of four zero bytes, and nothing behind it.",
            empty_line,
        )
        .check(
            "counts-bytes",
            10,
            "counts the bytes of a line, and not its characters",
            "Encode the line first, and take the length of what comes out.",
            counts_bytes,
        )
        .check(
            "header-in-pieces",
            10,
            "reads a header that comes in two pieces",
            "recv(4) gives at most four bytes: read on until there are four.",
            header_in_pieces,
        )
        .check(
            "answer-in-pieces",
            10,
            "reads an answer that comes in two pieces",
            "Read on until as many bytes have come as the header announced.",
            answer_in_pieces,
        )
        .check(
            "byte-by-byte",
            5,
            "reads an answer that comes byte by byte",
            "Every recv may give a single byte, in the header and in the middle of a character.",
            byte_by_byte,
        )
        .check(
            "large",
            10,
            "sends a line of 65,536 bytes, and prints an answer of as many",
            "One recv does not give all of it: read on until as many bytes have come as the header announced.",
            large,
        )
        .check(
            "late-server",
            5,
            "sends all of a long line to a server that reads late",
            "send may take a part of the line: look at what it returns, and send the rest. sendall does.",
            late_server,
        )
        .check(
            "length-too-large",
            5,
            "ends with an error when the length is larger than allowed",
            "Compare the length with the limit before you read, or reserve memory, for so much.",
            length_too_large,
        )
        .check(
            "length-highest-bit",
            5,
            "ends with an error when the highest bit of the length is set",
            "As a signed number such a length is negative, and smaller than any limit. It is an unsigned one.",
            length_highest_bit,
        )
        .check(
            "server-leaves",
            10,
            "ends with an error when the server leaves before an answer is whole",
            "When recv gives nothing, nothing will ever come: do not ask again.",
            server_leaves,
        )
        .check(
            "exit-code",
            5,
            "ends with exit code 0 at the end of its input",
            "That no more lines come is no error: leave the loop over the lines, and end as usual.",
            exit_code,
        )
        .check(
            "rests",
            5,
            "uses no processor time while it waits for an answer",
            "recv waits by itself: do not ask again and again.",
            rests,
        )
}

/// A message in its frame: the length in network order, and the bytes.
fn framed(message: &str) -> Vec<u8> {
    [&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes(), message.as_bytes()].concat()
}

/// A server of ours to which the client has connected, with these lines to send.
fn accept_client(attempt: &mut Attempt, lines: &[&str]) -> Done<Connection> {
    let listener = attempt.listen("server")?;
    attempt.start_client(lines)?;
    listener.accept()
}

/// Expects that the client has said all and closes, and that this is what it has printed. With which exit code it ends
/// is the subject of one check alone.
fn expect_end_and_output(attempt: &mut Attempt, mut server: Connection, printed: &[&str]) -> Done {
    server.expect_end()?;
    server.close();
    attempt.wait_for_end()?;
    for line in printed {
        attempt.expect_line(line)?;
    }
    attempt.expect_no_more_lines()
}

fn one_line(attempt: &mut Attempt) -> Done {
    let mut server = accept_client(attempt, &["hello"])?;
    server.expect(&framed("hello"))?;
    server.send(&framed("hi"))?;
    expect_end_and_output(attempt, server, &["hi"])
}

fn several_lines(attempt: &mut Attempt) -> Done {
    let lines = [attempt.word(5), attempt.word(12), attempt.word(1)];
    let answers = [attempt.word(3), attempt.word(20), attempt.word(7)];
    let mut server = accept_client(attempt, &lines.each_ref().map(String::as_str))?;
    for (line, answer) in lines.iter().zip(&answers) {
        server.expect(&framed(line))?;
        server.send(&framed(answer))?;
    }
    expect_end_and_output(attempt, server, &answers.each_ref().map(String::as_str))
}

fn empty_line(attempt: &mut Attempt) -> Done {
    let mut server = accept_client(attempt, &["", ""])?;
    for _ in 0..2 {
        server.expect(&framed(""))?;
        server.send(&framed(""))?;
    }
    expect_end_and_output(attempt, server, &["", ""])
}

fn counts_bytes(attempt: &mut Attempt) -> Done {
    let mut server = accept_client(attempt, &["grüße", "你好 🙂"])?;
    server.expect(&framed("grüße"))?;
    server.send(&framed("zurück"))?;
    server.expect(&framed("你好 🙂"))?;
    server.send(&framed("再见 🙂"))?;
    expect_end_and_output(attempt, server, &["zurück", "再见 🙂"])
}

/// Sends an answer in two pieces, and nothing may come between them; one answer of each check waits long for its second
/// one.
fn send_cut(attempt: &Attempt, server: &mut Connection, (first, rest): (&[u8], &[u8]), is_held: bool) -> Done {
    server.send(first)?;
    if is_held {
        server.hold_back("the rest of the answer")?;
    } else {
        attempt.set_unsent(Some("the rest of the answer"));
        server.expect_nothing()?;
        attempt.set_unsent(None);
    }
    server.send(rest)
}

fn header_in_pieces(attempt: &mut Attempt) -> Done {
    let mut server = accept_client(attempt, &["cut", "cut", "cut"])?;
    let answer = attempt.word(6);
    let held = 4 - attempt.number(1..=3);
    for cut in 1..=3 {
        server.expect(&framed("cut"))?;
        send_cut(attempt, &mut server, framed(&answer).split_at(cut), cut == held)?;
    }
    expect_end_and_output(attempt, server, &[&answer, &answer, &answer])
}

fn answer_in_pieces(attempt: &mut Attempt) -> Done {
    let mut server = accept_client(attempt, &["cut"; 5])?;
    let answer = attempt.word(6);
    let held = 6 - attempt.number(1..=5);
    for cut in 1..=5 {
        server.expect(&framed("cut"))?;
        send_cut(attempt, &mut server, framed(&answer).split_at(4 + cut), cut == held)?;
    }
    expect_end_and_output(attempt, server, &[answer.as_str(); 5])
}

fn byte_by_byte(attempt: &mut Attempt) -> Done {
    let mut server = accept_client(attempt, &["slowly, please"])?;
    server.expect(&framed("slowly, please"))?;
    server.send_byte_by_byte(&framed("s你🙂"))?;
    expect_end_and_output(attempt, server, &["s你🙂"])
}

fn large(attempt: &mut Attempt) -> Done {
    let (line, answer) = (attempt.word(LONGEST as usize), attempt.word(LONGEST as usize));
    let mut server = accept_client(attempt, &[&line])?;
    server.expect(&framed(&line))?;
    // No single recv finds all of it.
    let frame = framed(&answer);
    let (first, rest) = frame.split_at(4 + attempt.number(1..=LONGEST as usize - 1));
    send_cut(attempt, &mut server, (first, rest), false)?;
    expect_end_and_output(attempt, server, &[&answer])
}

fn late_server(attempt: &mut Attempt) -> Done {
    let line = attempt.word(LONGEST as usize);
    let listener = attempt.listen_narrow("late server")?;
    attempt.start_client(&[&line])?;
    let mut server = listener.accept()?;
    server.settle_or_block()?;
    server.enlarge_receive_buffer()?;
    server.expect(&framed(&line))?;
    server.send(&framed("late"))?;
    expect_end_and_output(attempt, server, &["late"])
}

fn exit_code(attempt: &mut Attempt) -> Done {
    let mut server = accept_client(attempt, &["hello"])?;
    server.expect(&framed("hello"))?;
    server.send(&framed("hi"))?;
    server.expect_end()?;
    server.close();
    attempt.expect_exit(0)
}

fn rests(attempt: &mut Attempt) -> Done {
    let mut server = accept_client(attempt, &["hello"])?;
    server.expect(&framed("hello"))?;
    attempt.assert_idle()
}

fn length_too_large(attempt: &mut Attempt) -> Done {
    expect_refusal(attempt, &[LONGEST + 1, 0x7FFF_FFFF])
}

fn length_highest_bit(attempt: &mut Attempt) -> Done {
    expect_refusal(attempt, &[0x8000_0000, 0xFFFF_FFFF])
}

/// Each of these lengths must make it end with an error.
fn expect_refusal(attempt: &mut Attempt, lengths: &[u32]) -> Done {
    let listener = attempt.listen("liar")?;
    for length in lengths {
        attempt.start_client(&["hello", "again"])?;
        let mut server = listener.accept()?;
        server.expect(&framed("hello"))?;
        server.send(&length.to_be_bytes())?;
        attempt.expect_error_exit()?;
        attempt.expect_no_more_lines()?;
    }
    Ok(())
}

fn server_leaves(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    let frame = framed("hello");
    for cut in [0, 2, 4, 6] {
        attempt.start_client(&["hello", "again"])?;
        let mut server = listener.accept()?;
        server.expect(&framed("hello"))?;
        server.send_until_closed(&frame[..cut])?;
        server.half_close()?;
        attempt.expect_error_exit()?;
    }
    for cut in [0, 6] {
        attempt.start_client(&["hello", "again"])?;
        let mut server = listener.accept()?;
        server.expect(&framed("hello"))?;
        server.send_until_closed(&frame[..cut])?;
        server.settle()?;
        server.reset()?;
        attempt.expect_error_exit()?;
    }
    Ok(())
}
