//! Exercise 01-client: a UDP client that numbers its requests, asks again, and believes only the right answer.
//!
//! A request may come again at any time, for the machine may be slow; so no check counts on a request coming once.
//! Lines are looked for at the end only: nobody need flush. Only `exit-code` looks at the exit code, only
//! `without-its-end` at what stands behind a request, and only `in-time` at the time.

use std::time::Duration;

use socklab::judge::{Attempt, Done, Exercise, Failure, InTime, Kind, UdpPeer};

/// How long the client waits for an answer, and how often it asks.
const WAITS: Duration = Duration::from_millis(200);
const TRIES: usize = 3;

/// How much later it may ask again, and how much earlier: no clock is exact.
const LATE: Duration = Duration::from_millis(200);
const TICK: Duration = Duration::from_millis(15);

/// It may wait longer still, and lose nothing but `in-time`.
const PATIENCE: Duration = Duration::from_millis(2500);

/// An answer that comes within this time is quick enough for a client that waits for some milliseconds only.
const QUICK: Duration = Duration::from_millis(2);

/// The longest line, and the longest answer.
const LONGEST: usize = 8000;

pub fn exercise() -> Exercise {
    Exercise::on_port(9000)
        .check(
            "one-line",
            10,
            "sends a line with its number, prints the answer, and ends",
            "Send the number, a space and the line without its end; receive; print what stands behind the space.",
            one_line,
        )
        .check(
            "without-its-end",
            5,
            "sends a line without its end, and no byte behind it",
            "The newline is no part of the line, and the zero byte that ends a string is no part of the text.",
            without_its_end,
        )
        .check(
            "exit-code",
            5,
            "ends with exit code 0 at the end of its input",
            "The end of the input is no error, and neither is a line without an answer.",
            exit_code,
        )
        .check(
            "several-lines",
            10,
            "sends one line after the other, each with the next number",
            "Count the lines. The next one is sent when the one before has its answer.",
            several_lines,
        )
        .check(
            "empty-line",
            5,
            "sends an empty line as well, and prints an empty answer",
            "Two bytes are sent, the number and the space. An answer without text is an answer.",
            empty_line,
        )
        .check(
            "long-line",
            5,
            "sends lines and takes answers of 8,000 bytes",
            "What does not fit into your buffer is thrown away.",
            long_line,
        )
        .check(
            "asks-again",
            10,
            "sends the same datagram again when no answer comes",
            "What is lost never comes. Give recv a time limit, and when it is over send the same bytes once more.",
            asks_again,
        )
        .check(
            "in-time",
            10,
            "asks again after 200 ms: not earlier, and at most 200 ms later",
            "200 ms is what the task says. An answer may take that long on its way through a real network.",
            in_time,
        )
        .check(
            "gives-up",
            10,
            "prints no answer after three tries, and goes on with the next line",
            "Count the tries. After the third one and its 200 ms it is the next line's turn.",
            gives_up,
        )
        .check(
            "late-answer",
            5,
            "does not take a late answer for that to the next line",
            "The number says which request an answer belongs to: read on if it is another one.",
            late_answer,
        )
        .check(
            "answer-comes-twice",
            5,
            "does not take the second copy of an answer for that to the next line",
            "Ask twice and you may be answered twice: the second answer is in your queue when you send the next line.",
            answer_comes_twice,
        )
        .check(
            "stranger",
            5,
            "believes nobody but the server",
            "Any program may send to your port. Compare the sender's address, or let the kernel do it: connect.",
            stranger,
        )
        .check(
            "rubbish",
            5,
            "ignores datagrams that are no answers",
            "Compare the number and the space with what you await, byte by byte; do not trust that there are any.",
            rubbish,
        )
        .check(
            "rubbish-all-the-time",
            5,
            "asks again in time though datagrams come all the while",
            "A limit for each recv begins anew with each datagram. Note the moment at which you must ask again.",
            rubbish_all_the_time,
        )
        .check(
            "nobody-listens",
            5,
            "prints no answer where nobody listens, and goes on",
            "A connected socket is told: recv or send fails with ECONNREFUSED. It is silence, and no reason to end.",
            nobody_listens,
        )
}

/// Starts the client, whose server we are.
fn begin(attempt: &mut Attempt, lines: &[&str]) -> Done<UdpPeer> {
    attempt.allow_sleep(PATIENCE);
    let mut server = attempt.open_udp_server("server")?;
    // It gives up 600 ms after its first try, 400 ms after its second one.
    server.require_answer_within(WAITS * 3 / 2);
    attempt.start_client(lines)?;
    Ok(server)
}

/// Whether a datagram is this request, but for what `without-its-end` looks at: a newline or a zero byte behind it.
fn is_nearly(datagram: &[u8], request: &[u8]) -> bool {
    datagram.strip_prefix(request).is_some_and(|rest| rest.iter().all(|byte| b"\r\n\0".contains(byte)))
}

/// Expects a request. Those before it may come again, as their answers may have crossed them.
fn expect_request(server: &mut UdpPeer, number: usize, line: &str, before: &[&str]) -> Done {
    let request = format!("{number} {line}");
    server.expect_nearly(request.as_bytes(), is_nearly, |other| {
        (1..).zip(before).any(|(number, line)| is_nearly(other, format!("{number} {line}").as_bytes()))
    })
}

/// Expects these lines on standard output.
fn expect_lines(attempt: &mut Attempt, lines: &[&str]) -> Done {
    lines.iter().try_for_each(|line| attempt.expect_line(line))
}

fn one_line(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        // Nobody can know the answer before it comes.
        let (line, answer) = (attempt.word(5), attempt.word(7));
        let mut server = begin(attempt, &[&line])?;
        expect_request(&mut server, 1, &line, &[])?;
        server.answer(format!("1 {answer}").as_bytes())?;
        expect_lines(attempt, &[&answer])?;
        attempt.expect_end()?;
        attempt.expect_no_more_lines()
    })
}

fn without_its_end(attempt: &mut Attempt) -> Done {
    let mut server = begin(attempt, &["hello"])?;
    let got = server.receive()?;
    let what = match got.strip_prefix(b"1 hello") {
        Some(b"") => return Ok(()),
        Some(b"\n" | b"\r\n") => "it sends the end of the line, too",
        Some(rest) if rest.iter().all(|byte| *byte == 0) => "it sends a zero byte behind the line",
        _ => "the datagram is not what it must be",
    };
    Err(attempt.failure(what).between(b"1 hello".as_slice(), got).into())
}

fn exit_code(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["hello"])?;
        let request = server.receive()?;
        server.answer(&request)?;
        attempt.expect_end()?;
        if attempt.printed().is_empty() {
            return Err(attempt.failure("it prints nothing, so that no exit code fits").into());
        }
        attempt.expect_exit(0)
    })
}

fn several_lines(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let lines: Vec<String> = (0..12).map(|_| attempt.word(attempt.number(1..=20))).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut server = begin(attempt, &lines)?;
        for (index, line) in lines.iter().enumerate() {
            expect_request(&mut server, index + 1, line, &lines[..index])?;
            server.answer(format!("{} answer {}", index + 1, index + 1).as_bytes())?;
        }
        let answers: Vec<String> = (1..=lines.len()).map(|number| format!("answer {number}")).collect();
        expect_lines(attempt, &answers.iter().map(String::as_str).collect::<Vec<_>>())
    })
}

fn empty_line(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["", "after"])?;
        expect_request(&mut server, 1, "", &[])?;
        server.answer(b"1 ")?;
        expect_request(&mut server, 2, "after", &[""])?;
        server.answer(b"2 AFTER")?;
        expect_lines(attempt, &["", "AFTER"])
    })
}

fn long_line(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let line = attempt.word(LONGEST);
        let mut server = begin(attempt, &[&line])?;
        expect_request(&mut server, 1, &line, &[])?;
        server.answer(format!("1 {}", line.to_uppercase()).as_bytes())?;
        expect_lines(attempt, &[&line.to_uppercase()])
    })
}

fn remark_silence(attempt: &Attempt) {
    attempt.remark("our server does not answer: when 200 ms have passed, the same datagram must come again");
}

fn asks_again(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["hello"])?;
        expect_request(&mut server, 1, "hello", &[])?;
        remark_silence(attempt);
        expect_request(&mut server, 1, "hello", &[])?;
        server.answer(b"1 HELLO")?;
        expect_lines(attempt, &["HELLO"])
    })
}

/// A program may begin to count and be held up before it sends, and at first it often is: then a wait looks shorter.
/// So not each one that is too short counts. What it sends is the subject of other checks.
fn in_time(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_doubtful(|attempt| {
        let mut server = begin(attempt, &["hello", "world"])?;
        expect_request(&mut server, 1, "hello", &[])?;
        remark_silence(attempt);
        let mut waits = Vec::new();
        while waits.len() < TRIES {
            let Some(sent) = server.last_arrival() else { return Ok(None) };
            match server.receive_in_time(WAITS + LATE)? {
                InTime::Datagram(_, next) => waits.push(sent.until(&next)),
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
        let Some(last) = short.last().filter(|_| short.len() * 2 > waits.len()) else { return Ok(None) };
        let failure = Failure::new(Kind::Wrong, "it has not waited for as long as it must");
        Ok(Some((0, failure.between(the_contract(), format!("a wait of {} ms", last.as_millis())))))
    })
}

fn the_contract() -> String {
    format!("a wait of {} ms, or a little more: {} ms at most", WAITS.as_millis(), (WAITS + LATE).as_millis())
}

/// Takes a request as often as it must come, and answers none.
fn let_it_give_up(attempt: &Attempt, server: &mut UdpPeer, line: &str) -> Done {
    remark_silence(attempt);
    for _ in 0..TRIES {
        expect_request(server, 1, line, &[])?;
    }
    Ok(())
}

fn gives_up(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["lost", "found"])?;
        let_it_give_up(attempt, &mut server, "lost")?;
        // A fourth copy of the first request would come now.
        expect_request(&mut server, 2, "found", &[])?;
        server.answer(b"2 FOUND")?;
        expect_lines(attempt, &["no answer", "FOUND"])
    })
}

fn late_answer(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["first", "second"])?;
        let_it_give_up(attempt, &mut server, "first")?;
        expect_request(&mut server, 2, "second", &[])?;
        attempt.remark("the answer to the first request comes now, late");
        server.send(b"1 FIRST")?;
        server.answer(b"2 SECOND")?;
        expect_lines(attempt, &["no answer", "SECOND"])
    })
}

fn answer_comes_twice(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["first", "second", "third"])?;
        expect_request(&mut server, 1, "first", &[])?;
        server.answer(b"1 FIRST")?;
        server.send(b"1 FIRST")?;
        expect_request(&mut server, 2, "second", &["first"])?;
        server.send(b"1 FIRST")?;
        server.answer(b"2 SECOND")?;
        expect_request(&mut server, 3, "third", &["first", "second"])?;
        server.answer(b"3 THIRD")?;
        expect_lines(attempt, &["FIRST", "SECOND", "THIRD"])
    })
}

fn stranger(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["whom do you believe"])?;
        let mut stranger = attempt.open_udp_client("stranger")?;
        expect_request(&mut server, 1, "whom do you believe", &[])?;
        stranger.set_destination(server.last_sender());
        stranger.send(b"1 A STRANGER")?;
        server.answer(b"1 THE SERVER")?;
        expect_lines(attempt, &["THE SERVER"])
    })
}

fn rubbish(attempt: &mut Attempt) -> Done {
    attempt.repeat_if_slow(QUICK, |attempt| {
        let mut server = begin(attempt, &["hello", "again"])?;
        expect_request(&mut server, 1, "hello", &[])?;
        let rubbish =
            [b"".as_slice(), b"\xff\xfe", b"HELLO", b" 1 HELLO", b"1HELLO", b"10 TEN", b"-1 LESS", b"one ONE"];
        for datagram in rubbish {
            server.send(datagram)?;
        }
        server.answer(b"1 HELLO")?;
        expect_request(&mut server, 2, "again", &["hello"])?;
        server.answer(b"2 AGAIN")?;
        expect_lines(attempt, &["HELLO", "AGAIN"])
    })
}

fn rubbish_all_the_time(attempt: &mut Attempt) -> Done {
    const EVERY: Duration = Duration::from_millis(10);
    const LONG: Duration = Duration::from_secs(2);
    // Where the machine let our side pause, a client that counts from the last datagram asks again, too.
    for _ in 0..5 {
        let mut server = begin(attempt, &["hello"])?;
        expect_request(&mut server, 1, "hello", &[])?;
        let (came, apart) = server.send_until_received(b"0 RUBBISH", EVERY, LONG)?;
        if !came {
            let failure = attempt.failure("it does not ask again as long as datagrams come");
            return Err(failure.between("the same datagram again, after 200 ms", "nothing within 2 s").into());
        }
        if apart < WAITS * 3 / 4 {
            break;
        }
        attempt.remark("our side was slow: all of it once more");
        attempt.kill()?;
    }
    Ok(())
}

fn nobody_listens(attempt: &mut Attempt) -> Done {
    attempt.allow_sleep(PATIENCE);
    attempt.remark("nobody has the port: three times 200 ms after each line the program must print no answer");
    attempt.start_client(&["is anybody there?", "no?"])?;
    expect_lines(attempt, &["no answer", "no answer"])?;
    attempt.expect_end()
}
