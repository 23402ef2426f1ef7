//! Exercise 08: a UDP server that tells the time in a few formats, and says no to everything else.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use socklab::judge::{Attempt, Done, Exercise, UdpPeer};

/// What may be asked for; an empty datagram asks for the first one.
const FORMATS: [&str; 4] = ["%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"];

/// The most that a UDP datagram holds with IPv4.
const MOST: usize = 65_507;

/// A program may ask a clock of the kernel's that is a tick behind.
const TICK: Duration = Duration::from_millis(50);

pub fn exercise() -> Exercise {
    Exercise::on_port(9000)
        .check(
            "each-format",
            10,
            "tells the time in each of the formats",
            "strftime makes a text of a time and a format. The answer is that text, and nothing else.",
            each_format,
        )
        .check(
            "utc",
            5,
            "tells the time of UTC, wherever its machine is",
            "The time is that of UTC: gmtime, and not localtime.",
            utc,
        )
        .check(
            "nothing-behind",
            5,
            "answers with no byte behind the time",
            "The zero byte that ends a string is no part of an answer, and neither is the rest of your buffer.",
            nothing_behind,
        )
        .check(
            "empty-datagram",
            10,
            "answers an empty datagram in the first format, and goes on",
            "0 bytes are a question like any other; there is no connection that could end.",
            empty_datagram,
        )
        .check(
            "clock-goes-on",
            10,
            "looks at the clock for each question",
            "Ask for the time after the question has come, not before.",
            clock_goes_on,
        )
        .check(
            "other-formats",
            10,
            "says no to formats that are not in the list",
            "Only what is in the list is allowed. The answer to all else is a datagram of 0 bytes.",
            other_formats,
        )
        .check(
            "nearly-a-format",
            10,
            "says no to what only resembles a format",
            "All bytes must be the same, and no more and no fewer: nothing is cut off, and nothing passed over.",
            nearly_a_format,
        )
        .check(
            "zero-byte",
            5,
            "says no to a format with a zero byte behind it",
            "A zero byte ends a string of C's, but not a datagram. Compare the lengths, too.",
            zero_byte,
        )
        .check(
            "longer-than-the-buffer",
            10,
            "says no to a question that is longer than its buffer",
            "What does not fit is cut off, and the rest may be a format. Let the buffer be larger than any format.",
            longer_than_the_buffer,
        )
        .check(
            "not-text",
            10,
            "says no to bytes that are no text, and goes on",
            "Decoding can fail, and so ends a program that does not expect it. Compare bytes with bytes.",
            not_text,
        )
        .check(
            "no-amplifier",
            10,
            "never sends more for no than it was asked with",
            "Who asks in another's name lets you send your answers there. No is 0 bytes long: no list, no explanation.",
            no_amplifier,
        )
        .check(
            "many-clients",
            5,
            "answers each client at its own address",
            "The sender's address comes with each datagram.",
            many_clients,
        )
}

/// The time of this second in a format.
fn written(format: &str, second: i64) -> String {
    Timestamp::from_second(second).map_or_else(|_| String::new(), |time| time.strftime(format).to_string())
}

fn second(time: SystemTime) -> i64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

/// Starts the server, on a machine that is where UTC is told.
fn start(attempt: &mut Attempt) -> Done {
    attempt.set_env("TZ", "UTC0");
    attempt.start_udp_server()
}

/// An answer without zero bytes at its end: they are the subject of `nothing-behind`.
fn without_zeros(answer: &[u8]) -> &[u8] {
    let end = answer.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &answer[..end]
}

/// Asks for the time. It may be that of any moment between the question and the answer.
fn ask_the_time(attempt: &Attempt, client: &mut UdpPeer, question: &[u8], format: &str) -> Done {
    receive_the_time(attempt, client, question, format).map(drop)
}

/// Does the same, and returns the answer.
fn receive_the_time(attempt: &Attempt, client: &mut UdpPeer, question: &[u8], format: &str) -> Done<Vec<u8>> {
    let first = second(SystemTime::now() - TICK);
    client.send(question)?;
    let answer = client.receive()?;
    let last = second(SystemTime::now());
    if (first..=last).any(|second| written(format, second).as_bytes() == without_zeros(&answer)) {
        return Ok(answer);
    }
    let failure = attempt.failure("this is not the time of UTC in that format");
    Err(failure.between(written(format, last).into_bytes(), answer).into())
}

/// Asks for what is not allowed.
fn expect_refusal(attempt: &Attempt, client: &mut UdpPeer, question: &[u8], what: &str) -> Done {
    let first = second(SystemTime::now() - TICK);
    client.send(question)?;
    let answer = client.receive()?;
    if without_zeros(&answer).is_empty() {
        return Ok(());
    }
    let last = second(SystemTime::now());
    let is_time = |format: &str| (first..=last).any(|second| written(format, second).as_bytes() == answer);
    let does = match () {
        () if FORMATS.into_iter().any(is_time) => format!("it tells the time when it is asked for {what}"),
        () if answer == question => format!("it gives back {what}, as if that were a format"),
        () => format!("it does not only say no when it is asked for {what}"),
    };
    Err(attempt.failure(&does).between("a datagram of 0 bytes", answer).into())
}

fn each_format(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.open_udp_client("client")?;
    for format in FORMATS {
        ask_the_time(attempt, &mut client, format.as_bytes(), format)?;
    }
    client.expect_nothing()
}

fn utc(attempt: &mut Attempt) -> Done {
    // Three hours and seven minutes from UTC: no time of any day is the same.
    attempt.set_env("TZ", "HERE-3:07");
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    for format in FORMATS {
        ask_the_time(attempt, &mut client, format.as_bytes(), format)?;
    }
    Ok(())
}

fn nothing_behind(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.open_udp_client("client")?;
    let answer = receive_the_time(attempt, &mut client, FORMATS[3].as_bytes(), FORMATS[3])?;
    let right = without_zeros(&answer);
    if right.len() == answer.len() {
        return Ok(());
    }
    let failure = attempt.failure("there are zero bytes behind the time");
    Err(failure.between(right, answer.as_slice()).into())
}

fn empty_datagram(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.open_udp_client("client")?;
    ask_the_time(attempt, &mut client, b"", FORMATS[0])?;
    ask_the_time(attempt, &mut client, b"", FORMATS[0])?;
    client.expect_silence()
}

fn clock_goes_on(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.open_udp_client("client")?;
    ask_the_time(attempt, &mut client, b"%H:%M:%S", "%H:%M:%S")?;
    attempt.pass_time(Duration::from_millis(1100))?;
    ask_the_time(attempt, &mut client, b"%H:%M:%S", "%H:%M:%S")
}

fn other_formats(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.open_udp_client("client")?;
    for question in ["what time is it", "%c", "%S", "%Y%m%d", "%s", "%%", "%d.%m.%Y", "{0}"] {
        expect_refusal(attempt, &mut client, question.as_bytes(), "what is no format of the list")?;
    }
    Ok(())
}

fn nearly_a_format(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.open_udp_client("client")?;
    for question in ["%H:%M", "%", "%H:%M:%", "%Y-%m-%d %H:%M:%", "%Y"] {
        expect_refusal(attempt, &mut client, question.as_bytes(), "a part of a format")?;
    }
    for question in ["%H:%M:%S ", " %H:%M:%S", "%H:%M:%S\n", "%Y %m %d\t"] {
        expect_refusal(attempt, &mut client, question.as_bytes(), "a format and white space")?;
    }
    for question in ["%h:%m:%s", "%H:%M:%SZ", "%Y %m %d%Y %m %d", "H:%M:%S"] {
        expect_refusal(attempt, &mut client, question.as_bytes(), "what resembles a format")?;
    }
    Ok(())
}

fn zero_byte(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.open_udp_client("client")?;
    for question in [b"%H:%M:%S\0".as_slice(), b"%H:%M:%S\0 and more", b"\0"] {
        expect_refusal(attempt, &mut client, question, "a zero byte, too")?;
    }
    Ok(())
}

fn longer_than_the_buffer(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.open_udp_client("client")?;
    for format in FORMATS {
        for len in [1, 1024, MOST - format.len()] {
            let question = [format.as_bytes(), &b"%H:%M:%S".repeat(len.div_ceil(8))[..len]].concat();
            expect_refusal(attempt, &mut client, &question, "a format and more")?;
        }
    }
    Ok(())
}

fn not_text(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.open_udp_client("client")?;
    let some: Vec<u8> = attempt.bytes(100).iter().map(|byte| byte | 0x80).collect();
    for question in [b"\xff".as_slice(), b"%H:%M:%S\xfe", &some] {
        expect_refusal(attempt, &mut client, question, "bytes that are no text")?;
    }
    ask_the_time(attempt, &mut client, b"%H:%M:%S", "%H:%M:%S")
}

fn no_amplifier(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.open_udp_client("stranger")?;
    for question in [b"%c".repeat(512), b"%c".to_vec(), b"?".to_vec(), b"help".to_vec()] {
        client.send(&question)?;
        // Whether it answers at all is not the question here.
        let mut answers = 0;
        loop {
            client.wait_for_rest()?;
            if !client.has_datagram() {
                break;
            }
            answers += client.receive()?.len();
        }
        if answers > question.len() {
            let failure = attempt.failure("it sends more for no than it was asked with");
            return Err(failure
                .between(format!("at most {} bytes", question.len()), format!("{answers} bytes"))
                .into());
        }
    }
    Ok(())
}

fn many_clients(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut clients = Vec::new();
    for number in 1..=20 {
        clients.push(attempt.open_udp_client(&format!("client {number}"))?);
    }
    for client in &mut clients {
        ask_the_time(attempt, client, b"%Y %m %d", "%Y %m %d")?;
    }
    for client in &mut clients {
        ask_the_time(attempt, client, FORMATS[2].as_bytes(), FORMATS[2])?;
    }
    Ok(())
}
