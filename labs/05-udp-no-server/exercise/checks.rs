//! Exercise 05: a UDP client that tells an answer from silence, and both from nobody.
//!
//! Lines are looked for at the end only: nobody need flush. Only `exit-codes` looks at exit codes, only `several-lines`
//! at what stands behind a line, and only `in-time` at the time.

use std::time::Duration;

use socklab::judge::{Attempt, Done, Exercise, Failure, InTime, Kind, UdpPeer};

/// How long the client waits for an answer; a late one of ours is none of its faults.
const WAITS: Duration = Duration::from_millis(500);
const PROMPT: Duration = Duration::from_millis(300);

/// How much later it may say that none has come, and how much earlier: no clock is exact.
const LATE: Duration = Duration::from_millis(200);
const TICK: Duration = Duration::from_millis(15);

/// It may wait longer still, and lose nothing but `in-time`.
const PATIENCE: Duration = Duration::from_millis(2500);

/// An answer that comes within this time is quick enough for a client that waits for some milliseconds only.
const QUICK: Duration = Duration::from_millis(2);

/// The longest line, and the longest answer.
const LONGEST: usize = 1000;

pub fn exercise() -> Exercise {
    Exercise::on_port(9003)
        .check(
            "somebody-answers",
            10,
            "sends a line, prints the answer, and ends",
            "One datagram, the line without its end; one recv; one line of output.",
            somebody_answers,
        )
        .check(
            "several-lines",
            10,
            "sends each line once, without its end, and nothing else",
            "A datagram that is sent only to see if somebody is there will be answered, too.",
            several_lines,
        )
        .check(
            "nobody-there",
            20,
            "says at once that nobody is there, and ends",
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
            "says that a server which is silent does not answer",
            "Somebody has the port, so nobody refuses: a recv without a time limit waits for ever.",
            silence,
        )
        .check(
            "after-silence",
            5,
            "goes on with the next line after a silence",
            "One lost datagram says nothing of the next one.",
            after_silence,
        )
        .check(
            "in-time",
            10,
            "waits for an answer for 500 ms: not less, and at most 200 ms more",
            "Half a second is what the task says. An answer may take that long on its way through a real network.",
            in_time,
        )
        .check(
            "empty-answer",
            5,
            "takes an empty datagram for an answer",
            "recv that returns 0 bytes has received something: a datagram without any.",
            empty_answer,
        )
        .check(
            "long-answer",
            5,
            "sends lines and takes answers of 1,000 bytes",
            "What does not fit into your buffer is thrown away.",
            long_answer,
        )
        .check(
            "stranger",
            5,
            "believes nobody but the server",
            "A connected socket takes nothing from other addresses. Otherwise compare them yourself.",
            stranger,
        )
        .check(
            "exit-codes",
            5,
            "says by its exit code how it went",
            "0 when each line was answered, 1 when nobody was there, else 2: remember what has happened until the end.",
            exit_codes,
        )
}

/// Starts the client, whose server we are.
fn begin(attempt: &mut Attempt, lines: &[&str]) -> Done<UdpPeer> {
    attempt.allow_sleep(PATIENCE);
    let mut server = attempt.open_udp_server("server")?;
    server.require_answer_within(PROMPT);
    attempt.start_client(lines)?;
    Ok(server)
}

/// Whether a datagram is this line, but for what `several-lines` looks at: its end, or a zero byte behind it.
fn is_nearly(datagram: &[u8], line: &[u8]) -> bool {
    datagram.strip_prefix(line).is_some_and(|rest| rest.iter().all(|byte| b"\n\0".contains(byte)))
}

/// Expects a line. What is sent too often is the subject of one check only.
fn expect(server: &mut UdpPeer, line: &str, before: &[&str]) -> Done {
    let too_often = |other: &[u8]| is_nearly(other, b"") || before.iter().any(|line| is_nearly(other, line.as_bytes()));
    server.expect_nearly(line.as_bytes(), is_nearly, too_often)
}

/// Expects these lines, and the end.
fn expect_output(attempt: &mut Attempt, lines: &[&str]) -> Done {
    for line in lines {
        attempt.expect_line(line)?;
    }
    attempt.expect_end()?;
    attempt.expect_no_more_lines()
}

fn somebody_answers(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        // Nobody can know the answer before it comes.
        let (line, answer) = (attempt.word(5), attempt.word(7));
        let mut server = begin(attempt, &[&line])?;
        expect(&mut server, &line, &[])?;
        server.answer(answer.as_bytes())?;
        expect_output(attempt, &[&answer])
    })
}

fn several_lines(attempt: &mut Attempt) -> Done {
    // Each answer is shorter than the one before: what a buffer has kept of that would be seen.
    const ANSWERED: [(&str, &str); 3] = [("one", "THE FIRST ANSWER"), ("two", "  BLANKS "), (" three ", "3")];
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &ANSWERED.map(|(line, _)| line))?;
        for (line, answer) in ANSWERED {
            let got = server.receive()?;
            if got != line.as_bytes() {
                return Err(other_line(attempt, line, got).into());
            }
            server.answer(answer.as_bytes())?;
        }
        expect_output(attempt, &ANSWERED.map(|(_, answer)| answer))?;
        server.expect_nothing()
    })
}

/// What is wrong with a datagram that is not just the line.
fn other_line(attempt: &Attempt, line: &str, got: Vec<u8>) -> Failure {
    let what = match got.strip_prefix(line.as_bytes()) {
        _ if got.is_empty() => "it sends a datagram of 0 bytes, which is no line",
        Some(b"\n" | b"\r\n") => "it sends the end of the line, too",
        Some(rest) if rest.iter().all(|byte| *byte == 0) => "it sends a zero byte behind the line",
        _ => "the datagram is not what it must be",
    };
    attempt.failure(what).between(line.as_bytes(), got)
}

fn nobody_there(attempt: &mut Attempt) -> Done {
    attempt.allow_sleep(PATIENCE);
    attempt.remark("nobody has the port");
    attempt.start_client(&["hello", "world"])?;
    expect_output(attempt, &["nobody there"])
}

fn server_goes_away(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["hello", "world", "again"])?;
        expect(&mut server, "hello", &[])?;
        server.answer_and_close(b"HELLO")?;
        expect_output(attempt, &["HELLO", "nobody there"])
    })
}

fn silence(attempt: &mut Attempt) -> Done {
    let mut server = begin(attempt, &["hello"])?;
    expect(&mut server, "hello", &[])?;
    remark_silence(attempt);
    expect_output(attempt, &["no answer"])
}

fn remark_silence(attempt: &Attempt) {
    attempt.remark("our server does not answer: when 500 ms have passed, the program must say so and go on");
}

fn after_silence(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["hello", "world"])?;
        expect(&mut server, "hello", &[])?;
        remark_silence(attempt);
        expect(&mut server, "world", &["hello"])?;
        server.answer(b"WORLD")?;
        expect_output(attempt, &["no answer", "WORLD"])
    })
}

/// A program may begin to count and be held up before it sends, and at first it often is: then a wait looks shorter.
/// So not each one that is too short counts. What it sends is the subject of other checks.
fn in_time(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_doubtful(|attempt| {
        let mut server = begin(attempt, &["hello", "world"])?;
        expect(&mut server, "hello", &[])?;
        remark_silence(attempt);
        let mut waits = Vec::new();
        while waits.len() < 2 {
            let Some(sent) = server.last_arrival() else { return Ok(None) };
            match server.receive_in_time(WAITS + LATE)? {
                InTime::Datagram(bytes, next) => {
                    // What is sent besides the lines is the subject of another check.
                    if is_nearly(&bytes, b"") {
                        server.receive()?;
                    }
                    waits.push(sent.until(&next));
                }
                // When it ended is known less well.
                InTime::Ended if waits.is_empty() => waits.push(sent.elapsed()),
                InTime::Ended => break,
                InTime::Slept(slept, mut failure) => {
                    failure.what = "it waits for longer than it must".to_owned();
                    let slept = format!("a wait of {} ms", slept.as_millis());
                    return Ok(Some((1, failure.between(the_contract(), slept))));
                }
            }
        }
        let short: Vec<&Duration> = waits.iter().filter(|wait| **wait < WAITS - TICK).collect();
        let Some(last) = short.last().filter(|_| short.len() == waits.len()) else { return Ok(None) };
        let failure = Failure::new(Kind::Wrong, "it has not waited for as long as it must");
        Ok(Some((0, failure.between(the_contract(), format!("a wait of {} ms", last.as_millis())))))
    })
}

fn the_contract() -> String {
    format!("a wait of {} ms, or a little more: {} ms at most", WAITS.as_millis(), (WAITS + LATE).as_millis())
}

fn empty_answer(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["say nothing", "say something"])?;
        expect(&mut server, "say nothing", &[])?;
        server.answer(b"")?;
        expect(&mut server, "say something", &["say nothing"])?;
        server.answer(b"SOMETHING")?;
        expect_output(attempt, &["", "SOMETHING"])
    })
}

fn long_answer(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let (line, answer) = (attempt.word(LONGEST), attempt.word(LONGEST));
        let mut server = begin(attempt, &[&line])?;
        expect(&mut server, &line, &[])?;
        server.answer(answer.as_bytes())?;
        expect_output(attempt, &[&answer])
    })
}

fn stranger(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["whom do you believe?"])?;
        let mut stranger = attempt.open_udp_client("stranger")?;
        expect(&mut server, "whom do you believe?", &[])?;
        stranger.set_destination(server.last_sender());
        stranger.send(b"A STRANGER")?;
        server.answer(b"THE SERVER")?;
        expect_output(attempt, &["THE SERVER"])
    })
}

/// An answer of ours that came too late says nothing of exit codes: then all of it once more.
fn exit_codes(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, all_exit_codes)
}

fn all_exit_codes(attempt: &mut Attempt) -> Done {
    let mut server = begin(attempt, &["hello"])?;
    expect(&mut server, "hello", &[])?;
    server.answer(b"HELLO")?;
    expect_fitting_exit(attempt, &mut server, 1)?;
    server.close();
    if attempt.printed().is_empty() {
        return Err(attempt.failure("it prints nothing, so that no exit code fits").into());
    }
    let mut server = begin(attempt, &["hello", "world"])?;
    expect(&mut server, "hello", &[])?;
    remark_silence(attempt);
    expect_fitting_exit(attempt, &mut server, 2)?;
    server.close();
    let mut server = begin(attempt, &["hello", "world"])?;
    expect(&mut server, "hello", &[])?;
    server.answer_and_close(b"HELLO")?;
    attempt.expect_end()?;
    expect_fitting_code(attempt, 2)?;
    attempt.remark("nobody has the port");
    attempt.start_client(&["hello"])?;
    attempt.expect_end()?;
    expect_fitting_code(attempt, 1)
}

/// Answers what still comes until the program ends.
fn expect_fitting_exit(attempt: &mut Attempt, server: &mut UdpPeer, lines: usize) -> Done {
    loop {
        match server.receive_in_time(PATIENCE)? {
            InTime::Datagram(line, _) => server.answer(&line.to_ascii_uppercase())?,
            InTime::Ended => return expect_fitting_code(attempt, lines),
            // Its subject is another check's.
            InTime::Slept(..) => return attempt.kill(),
        }
    }
}

/// Expects the exit code that fits what the program has printed of so many lines, whether that is right or not.
fn expect_fitting_code(attempt: &mut Attempt, lines: usize) -> Done {
    let printed = String::from_utf8_lossy(&attempt.printed()).into_owned();
    let has = |line: &str| printed.lines().any(|printed| printed == line);
    let code = match () {
        () if has("nobody there") => 1,
        () if has("no answer") => 2,
        // It has ended too early.
        () if printed.lines().count() < lines => return Ok(()),
        () => 0,
    };
    attempt.expect_exit(code)
}
