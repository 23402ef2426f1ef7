//! Exercise 31: a server that takes messages with a header in JSON, and checks what the header says.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use socklab::judge::{Attempt, Connection, Done, Exercise, Stop};

/// What the task allows as the length of a header, of a client's or of an answer's.
const LONGEST_HEADER: usize = 1024;

/// What the task allows as the size of a body.
const LARGEST: usize = 65_536;

/// What the task allows as the characters of a name.
const LONGEST_NAME: usize = 50;

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "one-message",
            6,
            "takes one message, and says that all is well",
            "Read four bytes, then so many bytes of JSON, and then as many bytes as that says.",
            one_message,
        )
        .check(
            "several-messages",
            4,
            "takes several messages on one connection",
            "After an answer, begin again with the next length, until recv gives nothing. Begin a new digest, too.",
            several_messages,
        )
        .check(
            "empty-body",
            4,
            "takes a message whose size is 0",
            "A size of 0 is a size: there is a header, there is a digest of nothing, and there is an answer.",
            empty_body,
        )
        .check(
            "any-bytes",
            4,
            "takes a body of bytes of any kind",
            "A body is not text: do not decode it, and do not look for its end.",
            any_bytes,
        )
        .check(
            "any-form",
            4,
            "reads the fields in any order, and with any blanks between them",
            "Take the fields by their names out of what a JSON parser gives.",
            any_form,
        )
        .check(
            "other-fields",
            4,
            "passes over fields that it does not know",
            "Take the fields that you need, whatever else is there.",
            other_fields,
        )
        .check(
            "length-in-pieces",
            4,
            "reads a length that comes in two pieces",
            "recv(4) gives at most four bytes: read on until there are four.",
            length_in_pieces,
        )
        .check(
            "header-in-pieces",
            6,
            "reads a header that comes in two pieces, cut anywhere",
            "recv gives what is there: read on until as many bytes have come as the length says. Parse it then.",
            header_in_pieces,
        )
        .check(
            "body-in-pieces",
            4,
            "reads a body that comes in two pieces, cut anywhere",
            "Read on until as many bytes have come as the header says. Take the digest of all of them.",
            body_in_pieces,
        )
        .check(
            "byte-by-byte",
            4,
            "reads a message that comes byte by byte",
            "Every recv may give a single byte, in each of the three parts.",
            byte_by_byte,
        )
        .check(
            "names",
            6,
            "reads and sends back names of any script",
            "The length counts bytes. Let a JSON library write the answer, encode it, and take the length then.",
            names,
        )
        .check(
            "three-in-one",
            4,
            "answers three messages that come in one piece",
            "Take just the bytes of this part; what is behind them is the next one's.",
            three_in_one,
        )
        .check("largest-header", 4, "takes a header of 1,024 bytes", "The limit itself is allowed.", largest_header)
        .check(
            "largest-body",
            4,
            "takes a body of 65,536 bytes",
            "The limit itself is allowed. One recv does not give all of it.",
            largest_body,
        )
        .check(
            "header-too-long",
            4,
            "refuses a header that is longer than allowed, and serves the next client",
            "Compare the length with the limit before you read so much. It is unsigned. Answer, and close.",
            header_too_long,
        )
        .check(
            "no-json",
            4,
            "refuses a header that is no JSON object, and serves the next client",
            "The parser fails, or gives something that has no fields. In both cases: answer, and close.",
            no_json,
        )
        .check(
            "no-size",
            4,
            "refuses a header whose size is no whole number from 0 on",
            "Look whether it is there, of which type it is, and whether it is negative. In Python True is an int.",
            no_size,
        )
        .check(
            "size-too-large",
            4,
            "refuses a size that is larger than allowed",
            "Compare the size with the limit before you read, or reserve memory, for so much.",
            size_too_large,
        )
        .check(
            "wrong-digest",
            6,
            "says that a digest is wrong, and goes on with the next message",
            "Take the digest of the body that has come, and compare it with the header's. The stream is still in step.",
            wrong_digest,
        )
        .check(
            "fin-in-a-message",
            4,
            "closes, and serves the next client, when a client leaves in the middle of a message",
            "recv that gives nothing means that nothing more will come: leave the loop, wherever it is.",
            fin_in_a_message,
        )
        .check(
            "reset-in-a-message",
            4,
            "serves the next client when a client breaks off in the middle of a message",
            "A recv can fail with ECONNRESET. That client is gone; the next one is not.",
            reset_in_a_message,
        )
        .check(
            "reset-while-it-sends",
            4,
            "serves the next client when a client that reads nothing breaks off",
            "A send can fail as well as a recv; in C a signal comes with some of its errors, and ends the program.",
            reset_while_it_sends,
        )
        .check(
            "rests",
            4,
            "uses no processor time while it waits for something",
            "recv waits by itself, and so do accept, select and poll, if you ask only for what you need.",
            rests,
        )
}

/// The SHA-256 of a body, as the header has it.
fn digest(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A header, with the name in JSON, and in front of its end what is to be there besides.
fn header(name: &str, body: &[u8], besides: &str) -> String {
    format!(r#"{{"name": {name}, "size": {}, "sha256": "{}"{besides}}}"#, body.len(), digest(body))
}

/// The length in network order, the header and the body.
fn message(header: &str, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), header.as_bytes(), body].concat()
}

/// A message as most are: a plain name, and the fields in their usual order.
fn plain(name: &str, body: &[u8]) -> Vec<u8> {
    message(&header(&json!(name).to_string(), body, ""), body)
}

/// What the server must answer when all is well: the size is the subject of those checks that ask for it.
fn ok(name: &str) -> Value {
    json!({"status": "ok", "name": name})
}

/// The same, with the size.
fn ok_with_size(name: &str, body: &[u8]) -> Value {
    json!({"status": "ok", "name": name, "size": body.len()})
}

/// What it must answer when something is not.
fn error(code: &str) -> Value {
    json!({"status": "error", "code": code})
}

/// Expects an answer with these fields; `otherwise` is what is wrong if another one comes, or none.
fn expect_answer(attempt: &Attempt, client: &mut Connection, fields: &Value, otherwise: &str) -> Done {
    attempt.remark(&format!("the answer must be {fields}"));
    let answer = client.receive_frame(LONGEST_HEADER).map_err(|stop| match stop {
        Stop::Failed(mut failure) => {
            failure.what = format!("{otherwise}: {}", failure.what);
            Stop::Failed(failure)
        }
        other => other,
    })?;
    let what = match serde_json::from_slice::<Value>(&answer) {
        Ok(Value::Object(came)) => {
            let is_as_it_must = |(name, value): (&String, &Value)| came.get(name) == Some(value);
            if fields.as_object().is_some_and(|fields| fields.iter().all(is_as_it_must)) {
                return Ok(());
            }
            otherwise.to_owned()
        }
        Ok(_) => format!("{otherwise}: its answer is no JSON object"),
        Err(_) => format!("{otherwise}: its answer is no JSON"),
    };
    Err(attempt.failure(&what).between(fields.to_string(), answer).into())
}

/// The same, where all is well.
fn expect_ok(attempt: &Attempt, client: &mut Connection, name: &str) -> Done {
    expect_answer(attempt, client, &ok(name), "it does not take a good message")
}

fn expect_next_served(attempt: &Attempt) -> Done {
    let mut client = attempt.connect("next client")?;
    client.send(&plain("next", b"still there?"))?;
    expect_ok(attempt, &mut client, "next")
}

fn one_message(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let (name, body) = (attempt.word(5), attempt.word(5));
    let mut client = attempt.connect("client")?;
    client.send(&plain(&name, body.as_bytes()))?;
    let fields = ok_with_size(&name, body.as_bytes());
    expect_answer(attempt, &mut client, &fields, "it does not take a good message")?;
    client.expect_nothing()
}

fn several_messages(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for _ in 0..attempt.number(3..=6) {
        let (name, body) = (attempt.word(attempt.number(1..=10)), attempt.word(attempt.number(1..=20)));
        client.send(&plain(&name, body.as_bytes()))?;
        expect_ok(attempt, &mut client, &name)?;
    }
    client.half_close()?;
    client.expect_end()
}

fn empty_body(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    for _ in 0..2 {
        client.send(&plain("empty", b""))?;
        expect_ok(attempt, &mut client, "empty")?;
    }
    Ok(())
}

fn any_bytes(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    // Each byte that there is; what looks like the end of a text, or of a line; and half a character.
    let all: Vec<u8> = (0..=255).collect();
    let drawn = attempt.bytes(attempt.number(1..=100));
    for body in [&b"\0"[..], b"\r\n\r\n", b"\xe4\xbd", &all, &drawn] {
        client.send(&plain("bytes", body))?;
        expect_ok(attempt, &mut client, "bytes")?;
    }
    Ok(())
}

fn any_form(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let body = attempt.word(5);
    let fields = [
        r#""name"?:?"form""#.to_owned(),
        r#""size"?:?5"#.to_owned(),
        format!(r#""sha256"?:?"{}""#, digest(body.as_bytes())),
    ];
    let blanks = ["", " ", "\n\t", "\r\n  "];
    for (at, order) in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]].iter().enumerate() {
        let fields = order.map(|field| fields[field].as_str()).join("?,?");
        let header = format!("?{{?{fields}?}}?").replace('?', blanks[at % blanks.len()]);
        client.send(&message(&header, body.as_bytes()))?;
        expect_ok(attempt, &mut client, "form")?;
    }
    Ok(())
}

fn other_fields(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let body = attempt.word(5);
    let others = [
        r#""owner": "ada""#,
        r#""size of all": 9"#,
        r#""note": "\"size\": 9, }""#,
        r#""more": {"size": 9, "name": [1, {"sha256": ""}, "]"]}, "list": []"#,
        r#""time": -1.5e3, "is_last": true, "is_first": false, "next": null"#,
    ];
    for other in others {
        let header = header(r#""more""#, body.as_bytes(), &format!(", {other}"));
        client.send(&message(&header, body.as_bytes()))?;
        expect_ok(attempt, &mut client, "more")?;
        // And in front of the others.
        let header = header.replacen('{', &format!("{{{other}, "), 1).replace(&format!(", {other}}}"), "}");
        client.send(&message(&header, body.as_bytes()))?;
        expect_ok(attempt, &mut client, "more")?;
    }
    Ok(())
}

fn names(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let (longest, escaped) = ("🙂".repeat(LONGEST_NAME), r"\ud83d\ude42".repeat(LONGEST_NAME));
    let names = [
        ("in Chinese", "报告.txt", r#""报告.txt""#.to_owned()),
        ("with escapes", "报告.txt", r#""\u62a5\u544A.txt""#.to_owned()),
        ("of 50 characters", &longest, format!("\"{longest}\"")),
        ("of 50 characters, with escapes", &longest, format!("\"{escaped}\"")),
        ("with a quotation mark and a backslash", r#"my "a\b""#, r#""my \"a\\b\"""#.to_owned()),
    ];
    for (which, name, json) in &names {
        client.send(&message(&header(json, b"hello", ""), b"hello"))?;
        let otherwise = format!("it does not send back a name {which}");
        expect_answer(attempt, &mut client, &ok(name), &otherwise)?;
    }
    // Within the first character.
    let (name, cut) = ("你好", 4 + r#"{"name": ""#.len());
    let whole = plain(name, b"hello");
    for cut in [cut + 1, cut + 2] {
        let (first, rest) = whole.split_at(cut);
        client.send_in_pieces(&[first, rest])?;
        expect_answer(attempt, &mut client, &ok(name), "it does not read a character that comes in pieces")?;
    }
    Ok(())
}

/// Sends a message in two pieces, cut at each of these places, and expects an answer only then. At one of them it waits
/// for long: not where the `part` begins, for there nobody has a reason to wait for a while only.
fn expect_whole(attempt: &Attempt, body: &[u8], cuts: &[usize], begin: usize, part: &str) -> Done {
    let mut client = attempt.connect("client")?;
    let whole = plain("cut", body);
    // The last one is the simplest choice: who fails at a cut before it is told so without a pause.
    let within = cuts.iter().filter(|cut| **cut != begin).count();
    let held = cuts.len() - attempt.number(1..=within);
    for (at, cut) in cuts.iter().enumerate() {
        let (first, rest) = whole.split_at(*cut);
        if at == held {
            client.send(first)?;
            client.hold_back(&format!("the rest of the {part}"))?;
            client.send(rest)?;
        } else {
            client.send_in_pieces(&[first, rest])?;
        }
        expect_ok(attempt, &mut client, "cut")?;
    }
    Ok(())
}

fn length_in_pieces(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    expect_whole(attempt, b"hello", &[1, 2, 3], 0, "length")
}

fn header_in_pieces(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let end = 4 + header(r#""cut""#, b"hello", "").len();
    // Before it, at its beginning, within a name, a number and the digest, and before its last byte.
    let drawn = attempt.number(31..=end - 3);
    let cuts = [4, 5, 8, 18, 30, drawn, end - 2, end - 1];
    expect_whole(attempt, b"hello", &cuts, 4, "header")
}

fn body_in_pieces(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let body = attempt.word(6);
    let end = plain("cut", body.as_bytes()).len();
    let cuts: Vec<usize> = (end - 6..end).collect();
    expect_whole(attempt, body.as_bytes(), &cuts, end - 6, "body")
}

fn byte_by_byte(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let (name, body) = (attempt.word(3), attempt.word(attempt.number(2..=12)));
    client.send_byte_by_byte(&plain(&name, body.as_bytes()))?;
    expect_ok(attempt, &mut client, &name)
}

fn three_in_one(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let bodies = [attempt.word(attempt.number(1..=12)), attempt.word(attempt.number(1..=12)), String::new()];
    let names = ["first", "second", "third"];
    let all: Vec<u8> = names.iter().zip(&bodies).flat_map(|(name, body)| plain(name, body.as_bytes())).collect();
    client.send(&all)?;
    for name in names {
        expect_ok(attempt, &mut client, name)?;
    }
    client.expect_nothing()
}

fn largest_header(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let room = LONGEST_HEADER - header(r#""large""#, b"hello", r#", "note": """#).len();
    for room in [room - 1, room] {
        let note = format!(r#", "note": "{}""#, attempt.word(room));
        client.send(&message(&header(r#""large""#, b"hello", &note), b"hello"))?;
        expect_ok(attempt, &mut client, "large")?;
    }
    Ok(())
}

fn largest_body(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let body = attempt.bytes(LARGEST);
    let whole = plain("large", &body);
    // No single recv finds all of the body.
    let (first, rest) = whole.split_at(whole.len() - attempt.number(1..=LARGEST - 1));
    client.send(first)?;
    attempt.set_unsent(Some("the rest of the body"));
    client.expect_nothing()?;
    attempt.set_unsent(None);
    client.send(rest)?;
    expect_ok(attempt, &mut client, "large")
}

/// Expects that such a header is refused, and the connection closed. `otherwise` is what is wrong if it is not.
fn expect_refusal(attempt: &Attempt, sent: &[u8], otherwise: &str) -> Done {
    let mut liar = attempt.connect("liar")?;
    liar.send(sent)?;
    expect_answer(attempt, &mut liar, &error("header"), otherwise)?;
    liar.expect_end()
}

fn header_too_long(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for length in [LONGEST_HEADER as u32 + 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] {
        expect_refusal(attempt, &length.to_be_bytes(), &format!("it does not refuse a length of {length}"))?;
    }
    expect_next_served(attempt)
}

fn no_json(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let good = header(r#""bad""#, b"", "");
    let headers = [
        ("that is text", "hello".to_owned()),
        ("of no bytes", String::new()),
        ("that is cut", good[..good.len() - 1].to_owned()),
        ("with something behind it", format!("{good}, 5")),
        ("with apostrophes", good.replace('"', "'")),
        ("that is a list", "[5]".to_owned()),
        ("that is a number", "5".to_owned()),
        ("that is null", "null".to_owned()),
    ];
    for (which, header) in headers {
        expect_refusal(attempt, &message(&header, b""), &format!("it does not refuse a header {which}"))?;
    }
    expect_next_served(attempt)
}

fn no_size(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    // A digest of no bytes fits most of what such a size may be taken for.
    let good = header(r#""bad""#, b"", "");
    expect_refusal(attempt, &message(&good.replace(r#""size": 0, "#, ""), b""), "it does not refuse a missing size")?;
    for size in ["null", r#""5""#, "2.5", "true", "-1", "-65536"] {
        let header = good.replace(r#""size": 0"#, &format!(r#""size": {size}"#));
        expect_refusal(attempt, &message(&header, b""), &format!("it does not refuse a size of {size}"))?;
    }
    expect_next_served(attempt)
}

fn size_too_large(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    // The last ones are small numbers to those who keep 32 bits of them.
    for size in ["65537", "2147483648", "4294967295", "4294967296"] {
        let header = header(r#""large""#, b"", "").replace(r#""size": 0"#, &format!(r#""size": {size}"#));
        expect_refusal(attempt, &message(&header, b""), &format!("it does not refuse a size of {size}"))?;
    }
    expect_next_served(attempt)
}

fn wrong_digest(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    // Another body of the same size, and one whose digest differs in its last digit only.
    let other = message(&header(r#""bad""#, b"hello", ""), b"jello");
    let is = digest(b"hello");
    let last = if is.ends_with('0') { '1' } else { '0' };
    let nearly = message(&header(r#""bad""#, b"hello", "").replace(&is, &format!("{}{last}", &is[..63])), b"hello");
    for bad in [&other, &nearly] {
        client.send(bad)?;
        expect_answer(attempt, &mut client, &error("digest"), "it does not say that the digest is wrong")?;
        client.send(&plain("good", b"again"))?;
        expect_answer(attempt, &mut client, &ok("good"), "it does not go on after a wrong digest")?;
    }
    Ok(())
}

/// Places in a message of five bytes of body: in its length, its header and its body, and between them.
fn cuts(whole: &[u8]) -> [usize; 8] {
    let end = whole.len() - 5;
    [1, 3, 4, 5, end - 1, end, end + 1, end + 4]
}

fn fin_in_a_message(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let whole = plain("bye", b"hello");
    for cut in cuts(&whole) {
        let mut leaver = attempt.connect("leaver")?;
        leaver.send(&whole[..cut])?;
        leaver.half_close()?;
        leaver.expect_end()?;
    }
    expect_next_served(attempt)
}

fn reset_in_a_message(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let whole = plain("bye", b"hello");
    for cut in cuts(&whole) {
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
    // Much of the message comes back: its name is long, and its body empty.
    leaver.send_until_blocked(&plain(&attempt.word(LONGEST_NAME), b""))?;
    leaver.reset()?;
    expect_next_served(attempt)
}

fn rests(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    client.send(&plain("rest", b"hello"))?;
    expect_ok(attempt, &mut client, "rest")?;
    attempt.remark("the program must rest while it waits for more");
    attempt.settle()?;
    client.leave()?;
    attempt.assert_idle()
}
