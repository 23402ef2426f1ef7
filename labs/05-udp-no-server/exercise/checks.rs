//! Exercise 05: a UDP client that tells an answer from silence, and both from nobody.
//!
//! Lines are looked for at the end only: nobody need flush.

use std::time::Duration;

use socklab::judge::{Attempt, Done, Exercise, UdpPeer};

/// How long the client waits for an answer; a late one of ours is none of its faults.
const WAITS: Duration = Duration::from_millis(500);
const PROMPT: Duration = Duration::from_millis(300);

pub fn exercise() -> Exercise {
    Exercise::on_port(9003)
        .check(
            "somebody-answers",
            15,
            "sends a line, prints the answer, and ends with exit code 0",
            "One datagram, the line without its end; one recv; one line of output.",
            somebody_answers,
        )
        .check(
            "several-lines",
            10,
            "sends each line once, and nothing else",
            "A datagram that is sent only to see if somebody is there will be answered, too.",
            several_lines,
        )
        .check(
            "nobody-there",
            25,
            "says at once that nobody is there, and ends with exit code 1",
            "Only a socket that is connected is told; and not the first send, but the call after it.",
            nobody_there,
        )
        .check(
            "server-goes-away",
            15,
            "notices that the server is gone, after an answer of it",
            "Each refusal is told by the call that comes next. It is no silence, and no crash.",
            server_goes_away,
        )
        .check(
            "silence",
            10,
            "says that a server which is silent does not answer, and ends with exit code 2",
            "Somebody has the port, so nobody refuses: a recv without a time limit waits for ever.",
            silence,
        )
        .check(
            "after-silence",
            10,
            "goes on with the next line after a silence",
            "One lost datagram says nothing of the next one.",
            after_silence,
        )
        .check(
            "empty-answer",
            5,
            "takes an empty datagram for an answer",
            "recv that returns 0 bytes has received something: a datagram without any.",
            empty_answer,
        )
        .check(
            "stranger",
            10,
            "believes nobody but the server",
            "A connected socket takes nothing from other addresses. Otherwise compare them yourself.",
            stranger,
        )
}

/// Starts the client, whose server we are.
fn begin(attempt: &mut Attempt, lines: &[&str]) -> Done<UdpPeer> {
    attempt.allow_sleep(WAITS * 8);
    let mut server = attempt.open_udp_server("server")?;
    server.require_answer_within(PROMPT);
    attempt.start_client(lines)?;
    Ok(server)
}

/// Expects a line. UdpPeer that are sent too often are the subject of one check only.
fn expect(server: &mut UdpPeer, line: &str, before: &[&str]) -> Done {
    let too_often = |other: &[u8]| other.is_empty() || before.iter().any(|line| line.as_bytes() == other);
    server.expect_skipping(line.as_bytes(), too_often)
}

/// Expects these lines, the end, and this exit code.
fn expect_output_and_exit(attempt: &mut Attempt, lines: &[&str], code: i32) -> Done {
    for line in lines {
        attempt.expect_line(line)?;
    }
    attempt.expect_exit(code)?;
    attempt.expect_no_more_lines()
}

fn somebody_answers(attempt: &mut Attempt) -> Done {
    // Nobody can know the answer before it comes.
    let (line, answer) = (attempt.word(5), attempt.word(7));
    let mut server = begin(attempt, &[&line])?;
    expect(&mut server, &line, &[])?;
    server.answer(answer.as_bytes())?;
    expect_output_and_exit(attempt, &[&answer], 0)
}

fn several_lines(attempt: &mut Attempt) -> Done {
    let mut server = begin(attempt, &["one", "two", "three"])?;
    server.expect(b"one")?;
    server.answer(b"ONE")?;
    server.expect(b"two")?;
    server.answer(b"TWO")?;
    server.expect(b"three")?;
    server.answer(b"THREE")?;
    expect_output_and_exit(attempt, &["ONE", "TWO", "THREE"], 0)?;
    server.expect_nothing()
}

fn nobody_there(attempt: &mut Attempt) -> Done {
    attempt.allow_sleep(WAITS * 8);
    attempt.remark("nobody has the port");
    attempt.start_client(&["hello", "world"])?;
    expect_output_and_exit(attempt, &["nobody there"], 1)
}

fn server_goes_away(attempt: &mut Attempt) -> Done {
    let mut server = begin(attempt, &["hello", "world", "again"])?;
    expect(&mut server, "hello", &[])?;
    server.answer_and_close(b"HELLO")?;
    expect_output_and_exit(attempt, &["HELLO", "nobody there"], 1)
}

fn silence(attempt: &mut Attempt) -> Done {
    let mut server = begin(attempt, &["hello"])?;
    expect(&mut server, "hello", &[])?;
    attempt.remark("our server does not answer");
    expect_output_and_exit(attempt, &["no answer"], 2)
}

fn after_silence(attempt: &mut Attempt) -> Done {
    let mut server = begin(attempt, &["hello", "world"])?;
    expect(&mut server, "hello", &[])?;
    attempt.remark("our server does not answer");
    expect(&mut server, "world", &["hello"])?;
    server.answer(b"WORLD")?;
    expect_output_and_exit(attempt, &["no answer", "WORLD"], 2)
}

fn empty_answer(attempt: &mut Attempt) -> Done {
    let mut server = begin(attempt, &["say nothing", "say something"])?;
    expect(&mut server, "say nothing", &[])?;
    server.answer(b"")?;
    expect(&mut server, "say something", &["say nothing"])?;
    server.answer(b"SOMETHING")?;
    expect_output_and_exit(attempt, &["", "SOMETHING"], 0)
}

fn stranger(attempt: &mut Attempt) -> Done {
    let mut server = begin(attempt, &["whom do you believe?"])?;
    let mut stranger = attempt.open_udp_client("stranger")?;
    expect(&mut server, "whom do you believe?", &[])?;
    stranger.set_destination(server.last_sender());
    stranger.send(b"A STRANGER")?;
    server.answer(b"THE SERVER")?;
    expect_output_and_exit(attempt, &["THE SERVER"], 0)
}
