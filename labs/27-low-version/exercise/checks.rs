//! Exercise 27: a client of the low version that reads lengths and answers whole, however they come.

use socklab::judge::{Attempt, Connection, Done, Exercise};

/// The sizes around which the classic client begins to lose bytes, and a larger one.
const SIZES: [usize; 5] = [2048, 2049, 3072, 3073, 48_894];

/// The largest that there is.
const LARGEST: usize = 1_048_576;

/// Numbers that no answer has bytes.
const LIES: [&str; 5] = ["-1", "1048577", "4294967297", "99999999999999999999", "-4294967290"];

/// What is not only digits, although some take it for a number.
const NO_DIGITS: [&str; 10] = ["+6", " 6", "6 ", "6\r", "1_0", "٦", "6.0", "0x6", "abc", ""];

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "one-command",
            10,
            "runs one command and prints its answer",
            "Command, length, acknowledgement, answer: each but the answer ends with a newline.",
            one_command,
        )
        .check(
            "exit-code",
            5,
            "ends with exit code 0 at the end of its input",
            "The end of the input is no error: look for it before you read the next line, or expect it.",
            exit_code,
        )
        .check(
            "several-commands",
            10,
            "runs one command after the other, and passes over empty lines",
            "When an answer is whole, the next command is sent. Empty lines are not sent at all.",
            several_commands,
        )
        .check(
            "empty-answer",
            5,
            "acknowledges a length of 0, too",
            "A length of 0 is a length: acknowledge it, read nothing, print nothing.",
            empty_answer,
        )
        .check(
            "length-in-pieces",
            15,
            "reads a length that comes in pieces",
            "A recv may give a part of the length only: read on until the newline has come.",
            length_in_pieces,
        )
        .check(
            "answer-in-two-pieces",
            5,
            "reads an answer that comes in two pieces",
            "One recv need not give all: ask again until all has come.",
            answer_in_two_pieces,
        )
        .check(
            "answer-byte-by-byte",
            5,
            "reads an answer that comes byte by byte",
            "Add what each recv gave to what came before, once, and compare it with the length.",
            answer_byte_by_byte,
        )
        .check(
            "large-answer",
            10,
            "prints every byte of a large answer",
            "Add the bytes of this recv, not all that was received until now, which counts them again and again.",
            large_answer,
        )
        .check(
            "several-bytes-each",
            5,
            "prints characters of several bytes",
            "The length counts bytes; a Chinese character has three. Do not decode what may be cut, and count before.",
            several_bytes_each,
        )
        .check(
            "any-bytes",
            5,
            "prints bytes of every kind",
            "An answer need not be text: write the bytes as they are. In Python, sys.stdout.buffer.",
            any_bytes,
        )
        .check(
            "hasty-server",
            5,
            "finds an answer that comes in one piece with the length",
            "What is behind the newline of the length is the beginning of the answer.",
            hasty_server,
        )
        .check(
            "length-is-a-lie",
            5,
            "ends with an error when a number comes that is no length",
            "Look at the number before you believe it: from 0 to 1,048,576.",
            length_is_a_lie,
        )
        .check(
            "only-digits",
            5,
            "ends with an error when other bytes come than digits",
            "What reads a number may take a sign, spaces or more for a part of it. Look at each byte: 0 to 9.",
            only_digits,
        )
        .check(
            "server-leaves",
            10,
            "ends with an error when the server leaves before an answer is whole",
            "When recv gives nothing, nothing will ever come: do not ask again.",
            server_leaves,
        )
}

/// Expects a command.
fn expect_command(server: &mut Connection, command: &str) -> Done {
    server.expect(format!("{command}\n").as_bytes())
}

/// Answers as the server of the low version does.
fn send_answer(server: &mut Connection, answer: &[u8]) -> Done {
    server.send(format!("{}\n", answer.len()).as_bytes())?;
    server.expect(b"recv_ready\n")?;
    if answer.is_empty() { Ok(()) } else { server.send(answer) }
}

/// Expects that the client has said all and closes, and that this is what it has printed. Its exit code is the subject
/// of `exit-code`.
fn expect_end_and_output(attempt: &mut Attempt, mut server: Connection, printed: &[u8]) -> Done {
    server.expect_end()?;
    server.close();
    attempt.expect_end()?;
    attempt.expect_output(printed)?;
    attempt.expect_no_more_lines()
}

fn one_command(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    attempt.start_client(&["echo hello"])?;
    let mut server = listener.accept()?;
    expect_command(&mut server, "echo hello")?;
    send_answer(&mut server, b"hello\n")?;
    expect_end_and_output(attempt, server, b"hello\n")
}

fn exit_code(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    attempt.start_client(&["true"])?;
    let mut server = listener.accept()?;
    expect_command(&mut server, "true")?;
    server.send(b"0\n")?;
    // Whether a length of 0 is acknowledged is the subject of another check.
    server.receive_to_end(100)?;
    server.close();
    attempt.expect_exit(0)
}

fn several_commands(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    attempt.start_client(&["first", "", "second one", "", "", "third"])?;
    let mut server = listener.accept()?;
    let mut printed = Vec::new();
    for command in ["first", "second one", "third"] {
        expect_command(&mut server, command)?;
        let answer = attempt.word(attempt.number(1..=30)) + "\n";
        send_answer(&mut server, answer.as_bytes())?;
        printed.extend(answer.into_bytes());
    }
    expect_end_and_output(attempt, server, &printed)
}

fn empty_answer(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    attempt.start_client(&["true", "echo after"])?;
    let mut server = listener.accept()?;
    expect_command(&mut server, "true")?;
    send_answer(&mut server, b"")?;
    expect_command(&mut server, "echo after")?;
    send_answer(&mut server, b"after\n")?;
    expect_end_and_output(attempt, server, b"after\n")
}

fn length_in_pieces(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    attempt.start_client(&["one", "two", "three"])?;
    let mut server = listener.accept()?;
    let answer = attempt.word(12);
    let held = 3 - attempt.number(1..=2);
    for (command, cut) in [("one", 1), ("two", 2)] {
        expect_command(&mut server, command)?;
        let (first, rest) = b"12\n".split_at(cut);
        server.send(first)?;
        if cut == held {
            server.hold_back("the rest of the length")?;
        } else {
            attempt.set_unsent(Some("the rest of the length"));
            server.expect_nothing()?;
            attempt.set_unsent(None);
        }
        server.send(rest)?;
        server.expect(b"recv_ready\n")?;
        server.send(answer.as_bytes())?;
    }
    expect_command(&mut server, "three")?;
    server.send_byte_by_byte(b"12\n")?;
    server.expect(b"recv_ready\n")?;
    server.send(answer.as_bytes())?;
    expect_end_and_output(attempt, server, answer.repeat(3).as_bytes())
}

fn answer_in_two_pieces(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    attempt.start_client(&["in two pieces", "once more"])?;
    let mut server = listener.accept()?;
    let answer = attempt.word(10);
    expect_command(&mut server, "in two pieces")?;
    server.send(b"10\n")?;
    server.expect(b"recv_ready\n")?;
    let (first, rest) = answer.as_bytes().split_at(attempt.number(1..=9));
    server.send(first)?;
    server.hold_back("the rest of the answer")?;
    server.send(rest)?;
    expect_command(&mut server, "once more")?;
    send_answer(&mut server, answer.as_bytes())?;
    expect_end_and_output(attempt, server, answer.repeat(2).as_bytes())
}

fn answer_byte_by_byte(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    attempt.start_client(&["byte by byte", "once more"])?;
    let mut server = listener.accept()?;
    let answer = attempt.word(10);
    expect_command(&mut server, "byte by byte")?;
    server.send(b"10\n")?;
    server.expect(b"recv_ready\n")?;
    server.send_byte_by_byte(answer.as_bytes())?;
    expect_command(&mut server, "once more")?;
    send_answer(&mut server, answer.as_bytes())?;
    expect_end_and_output(attempt, server, answer.repeat(2).as_bytes())
}

fn large_answer(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    let commands: Vec<String> = SIZES.iter().map(|size| format!("print {size} bytes")).collect();
    attempt.start_client(&commands.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mut server = listener.accept()?;
    let mut printed = Vec::new();
    for (command, size) in commands.iter().zip(SIZES) {
        expect_command(&mut server, command)?;
        let answer = attempt.word(size);
        send_answer(&mut server, answer.as_bytes())?;
        printed.extend(answer.into_bytes());
    }
    expect_end_and_output(attempt, server, &printed)?;
    attempt.start_client(&["print as much as you may"])?;
    let mut server = listener.accept()?;
    expect_command(&mut server, "print as much as you may")?;
    let answer = attempt.word(LARGEST);
    send_answer(&mut server, answer.as_bytes())?;
    expect_end_and_output(attempt, server, answer.as_bytes())
}

fn several_bytes_each(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    attempt.start_client(&["greet", "greet slowly"])?;
    let mut server = listener.accept()?;
    let answer = "你好, naïve 🙂\n";
    expect_command(&mut server, "greet")?;
    send_answer(&mut server, answer.as_bytes())?;
    expect_command(&mut server, "greet slowly")?;
    server.send(format!("{}\n", answer.len()).as_bytes())?;
    server.expect(b"recv_ready\n")?;
    server.send_byte_by_byte(answer.as_bytes())?;
    expect_end_and_output(attempt, server, answer.repeat(2).as_bytes())
}

fn any_bytes(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    attempt.start_client(&["cat picture"])?;
    let mut server = listener.accept()?;
    expect_command(&mut server, "cat picture")?;
    let answer: Vec<u8> = (0..=255).collect();
    send_answer(&mut server, &answer)?;
    expect_end_and_output(attempt, server, &answer)
}

fn hasty_server(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("hasty server")?;
    attempt.start_client(&["echo hello", "echo again"])?;
    let mut server = listener.accept()?;
    for (command, hasty) in [("echo hello", "6\nhello\n"), ("echo again", "6\nagain\n")] {
        expect_command(&mut server, command)?;
        server.send(hasty.as_bytes())?;
        server.expect(b"recv_ready\n")?;
    }
    expect_end_and_output(attempt, server, b"hello\nagain\n")
}

fn length_is_a_lie(attempt: &mut Attempt) -> Done {
    expect_refusals(attempt, &LIES)
}

fn only_digits(attempt: &mut Attempt) -> Done {
    expect_refusals(attempt, &NO_DIGITS)
}

/// Expects that the client ends with an error when one of these comes for a length.
fn expect_refusals(attempt: &mut Attempt, lies: &[&str]) -> Done {
    let listener = attempt.listen("liar")?;
    for lie in lies {
        attempt.start_client(&["echo hello"])?;
        let mut server = listener.accept()?;
        expect_command(&mut server, "echo hello")?;
        server.send(format!("{lie}\n").as_bytes())?;
        attempt.expect_error_exit()?;
        attempt.expect_no_more_lines()?;
    }
    Ok(())
}

fn server_leaves(attempt: &mut Attempt) -> Done {
    let listener = attempt.listen("server")?;
    for (length, part) in [("", ""), ("1", ""), ("10\n", ""), ("10\n", "half "), ("2000\n", "more than one recv")] {
        // No second command, at which a client would notice that it has overlooked this.
        attempt.start_client(&["echo hello"])?;
        let mut server = listener.accept()?;
        expect_command(&mut server, "echo hello")?;
        if !length.is_empty() {
            server.send(length.as_bytes())?;
        }
        if length.ends_with('\n') {
            server.expect(b"recv_ready\n")?;
        }
        if !part.is_empty() {
            server.send(part.as_bytes())?;
        }
        server.half_close()?;
        attempt.expect_error_exit()?;
    }
    for (length, part) in [("", ""), ("1", ""), ("10\n", "half ")] {
        attempt.start_client(&["echo hello"])?;
        let mut server = listener.accept()?;
        expect_command(&mut server, "echo hello")?;
        if !length.is_empty() {
            server.send(length.as_bytes())?;
        }
        if !part.is_empty() {
            server.expect(b"recv_ready\n")?;
            server.send(part.as_bytes())?;
        }
        server.reset()?;
        attempt.expect_error_exit()?;
    }
    Ok(())
}
