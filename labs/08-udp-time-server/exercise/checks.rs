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
            20,
            "tells the time of UTC in each of the formats",
            "The time is that of UTC: gmtime, and not localtime. The answer is the time and nothing else.",
            each_format,
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

/// Asks for the time. It may be that of any moment between the question and the answer.
fn ask_the_time(attempt: &Attempt, client: &mut UdpPeer, question: &[u8], format: &str) -> Done {
    let first = second(SystemTime::now() - TICK);
    client.send(question)?;
    let answer = client.receive()?;
    let last = second(SystemTime::now());
    if (first..=last).any(|second| written(format, second).as_bytes() == answer) {
        return Ok(());
    }
    let failure = attempt.failure("this is not the time of UTC in that format");
    Err(failure.between(written(format, last).into_bytes(), answer).into())
}

/// Asks for what is not allowed.
fn expect_refusal(client: &mut UdpPeer, question: &[u8]) -> Done {
    client.send(question)?;
    client.expect(b"")
}

fn each_format(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    for format in FORMATS {
        ask_the_time(attempt, &mut client, format.as_bytes(), format)?;
    }
    client.expect_nothing()
}

fn empty_datagram(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask_the_time(attempt, &mut client, b"", FORMATS[0])?;
    ask_the_time(attempt, &mut client, b"", FORMATS[0])?;
    client.expect_nothing()
}

fn clock_goes_on(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    ask_the_time(attempt, &mut client, b"%H:%M:%S", "%H:%M:%S")?;
    attempt.pass_time(Duration::from_millis(1100))?;
    ask_the_time(attempt, &mut client, b"%H:%M:%S", "%H:%M:%S")
}

fn other_formats(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    for question in ["%c", "%S", "%Y%m%d", "%s", "%%", "no percent", "%d.%m.%Y", "{0}"] {
        expect_refusal(&mut client, question.as_bytes())?;
    }
    Ok(())
}

fn nearly_a_format(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    let questions =
        ["%H:%M", "%", "%Y ", "%H:%M:%S ", " %H:%M:%S", "%H:%M:%S\n", "%h:%m:%s", "%H:%M:%SZ", "%Y %m %d%Y %m %d"];
    for question in questions {
        expect_refusal(&mut client, question.as_bytes())?;
    }
    Ok(())
}

fn zero_byte(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    expect_refusal(&mut client, b"%H:%M:%S\0")?;
    expect_refusal(&mut client, b"%H:%M:%S\0 and more")?;
    expect_refusal(&mut client, b"\0")
}

fn longer_than_the_buffer(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    for format in FORMATS {
        for len in [1, 1024, MOST - format.len()] {
            let question = [format.as_bytes(), &b"%H:%M:%S".repeat(len.div_ceil(8))[..len]].concat();
            expect_refusal(&mut client, &question)?;
        }
    }
    Ok(())
}

fn not_text(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("client")?;
    expect_refusal(&mut client, b"\xff")?;
    expect_refusal(&mut client, b"%H:%M:%S\xfe")?;
    expect_refusal(&mut client, &attempt.bytes(100).iter().map(|byte| byte | 0x80).collect::<Vec<u8>>())?;
    ask_the_time(attempt, &mut client, b"%H:%M:%S", "%H:%M:%S")
}

fn no_amplifier(attempt: &mut Attempt) -> Done {
    attempt.start_udp_server()?;
    let mut client = attempt.open_udp_client("stranger")?;
    for question in [b"%c".repeat(512), b"%c".to_vec(), b"?".to_vec(), b"help".to_vec()] {
        client.send(&question)?;
        // Whether it answers at all is not the question here.
        attempt.settle()?;
        let mut answers = 0;
        while client.has_datagram() {
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
    attempt.start_udp_server()?;
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
