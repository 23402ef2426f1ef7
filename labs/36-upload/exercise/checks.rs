//! Exercise 36: an upload server. Under a name there is a whole file, or nothing.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use socklab::judge::{Attempt, Connection, Done, Exercise, Stop};

/// What the task allows as the length of a header.
const LONGEST_HEADER: usize = 65_536;

/// What the task allows as the length of an answer's header.
const LONGEST_ANSWER: usize = 1024;

/// What the task allows as the size of a file.
const LARGEST: usize = 1_048_576;

/// Where the files go: a folder that is not there yet, whatever somebody has tried by hand in `inbox`.
const FOLDER: &str = "files-of-the-judge";

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "one-file",
            4,
            "takes a file, and gives it back",
            "Read four bytes, so many bytes of JSON, and as many bytes as filesize says. Write them, close, answer.",
            one_file,
        )
        .check(
            "several-files",
            4,
            "takes several files on one connection",
            "After an answer, begin again with the next length, until recv gives nothing. Begin a new digest, too.",
            several_files,
        )
        .check(
            "typed-ahead",
            4,
            "takes two files that come in one piece",
            "Take just the bytes of this file; what is behind them is the next request's.",
            typed_ahead,
        )
        .check(
            "empty-file",
            4,
            "takes a file of no bytes",
            "A filesize of 0 is a size: there is a file of that name, and it is empty.",
            empty_file,
        )
        .check(
            "any-bytes",
            4,
            "takes bytes of any kind",
            "A file is not text: open it in binary mode, do not decode it, and do not look for its end.",
            any_bytes,
        )
        .check(
            "large-file",
            4,
            "takes a file of 1,048,576 bytes",
            "The limit itself is allowed. One recv does not give all of it, and one send may not take all of it.",
            large_file,
        )
        .check(
            "header-in-pieces",
            6,
            "reads a length and a header that come in two pieces, cut anywhere",
            "recv gives what is there: read on until there are four bytes, and until as many have come as they say.",
            header_in_pieces,
        )
        .check(
            "file-in-pieces",
            6,
            "reads a file that comes in two pieces, cut anywhere",
            "Read on until as many bytes have come as filesize says. Take the digest of all of them.",
            file_in_pieces,
        )
        .check(
            "not-there",
            4,
            "says so when it is asked for a file that is not there, and goes on",
            "Opening the file fails: answer with ok false and a text in error, and read the next request.",
            not_there,
        )
        .check(
            "names-of-any-kind",
            4,
            "takes each name that is allowed",
            "A file system takes any bytes but slash and zero, up to 255. Is the name of your unfinished file longer?",
            names_of_any_kind,
        )
        .check(
            "names-that-lie",
            6,
            "refuses names that are not allowed, and goes on",
            "Look at the name before you touch a file. Its bytes come all the same: read them, and throw them away.",
            names_that_lie,
        )
        .check(
            "names-that-lead-out",
            4,
            "gives nothing back under a name that is not allowed",
            "Ask the same question about a name when somebody wants to read.",
            names_that_lead_out,
        )
        .check(
            "name-taken",
            4,
            "refuses a name that is taken, and keeps the old file",
            "Renaming replaces what is there: look before. link fails where there is something.",
            name_taken,
        )
        .check(
            "wrong-digest",
            6,
            "refuses a file whose digest is another, keeps nothing of it, and goes on",
            "Compare the digest of what has come with the header's before the file gets its name.",
            wrong_digest,
        )
        .check(
            "client-leaves",
            4,
            "keeps nothing under the name when a client leaves in the middle",
            "Write into a file of another name, and give it the right one at the very end.",
            client_leaves,
        )
        .check(
            "client-breaks-off",
            4,
            "keeps nothing under the name when a client breaks off in the middle",
            "A recv can fail with ECONNRESET. That client is gone, and its file; the next one is not.",
            client_breaks_off,
        )
        .check(
            "half-a-file",
            4,
            "shows nobody a file that has not come to its end",
            "Whoever looks while it comes finds what lies under the name. Nothing must.",
            half_a_file,
        )
        .check(
            "same-name",
            4,
            "gives a name to one of two clients that use it at once",
            "Each needs an unfinished file of its own, and what gives the name must fail where there is something.",
            same_name,
        )
        .check(
            "server-killed",
            6,
            "keeps whole files, and no other, when it is killed and started again",
            "Who is killed cleans nothing up. What is unfinished must lie elsewhere, and be in nobody's way later.",
            server_killed,
        )
        .check(
            "folder",
            2,
            "keeps its files in the folder that FOLDER names",
            "Take the folder from the environment, and make it if it is not there.",
            folder,
        )
        .check(
            "header-too-long",
            4,
            "refuses a header that is longer than allowed, closes, and serves the next client",
            "Compare the length with the limit before you read so much. It is unsigned.",
            header_too_long,
        )
        .check(
            "bad-header",
            4,
            "refuses a header that cannot be used, closes, and serves the next client",
            "Is it an object? Is each field there, and of the right type? In Python True is an int.",
            bad_header,
        )
        .check(
            "reset-while-it-sends",
            2,
            "serves the next client when one breaks off while a file is sent to it",
            "A send can fail as well as a recv; in C a signal comes with some of its errors, and ends the program.",
            reset_while_it_sends,
        )
        .check(
            "rests",
            2,
            "uses no processor time while it waits for something",
            "recv waits by itself, and so do accept, select and poll, if you ask only for what you need.",
            rests,
        )
}

/// The SHA-256 of a file, as the header has it.
fn digest(file: &[u8]) -> String {
    Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The length in network order, the header, and what follows it.
fn request(header: &str, file: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), header.as_bytes(), file].concat()
}

/// The header of an upload, with the name in JSON.
fn put_header(name: &str, file: &[u8]) -> String {
    format!(r#"{{"cmd": "put", "filename": {name}, "filesize": {}, "sha256": "{}"}}"#, file.len(), digest(file))
}

/// An upload, with the name in JSON.
fn put_json(name: &str, file: &[u8]) -> Vec<u8> {
    request(&put_header(name, file), file)
}

fn put(name: &str, file: &[u8]) -> Vec<u8> {
    put_json(&json!(name).to_string(), file)
}

/// The request for a file, with the name in JSON.
fn get_json(name: &str) -> Vec<u8> {
    request(&format!(r#"{{"cmd": "get", "filename": {name}}}"#), b"")
}

fn get(name: &str) -> Vec<u8> {
    get_json(&json!(name).to_string())
}

fn start(attempt: &mut Attempt) -> Done {
    start_with(attempt, FOLDER)
}

fn start_with(attempt: &mut Attempt, folder: &str) -> Done {
    attempt.remark(&format!("FOLDER is {folder}"));
    attempt.set_env("FOLDER", folder);
    attempt.start_tcp_server()
}

/// Says in front of a failure what it means here.
fn meaning<T>(otherwise: &str, done: Done<T>) -> Done<T> {
    done.map_err(|stop| match stop {
        Stop::Failed(mut failure) => {
            failure.what = format!("{otherwise}: {}", failure.what);
            Stop::Failed(failure)
        }
        other => other,
    })
}

/// Expects an answer with these fields, and returns it; `otherwise` is what is wrong if another one comes, or none.
fn expect_answer(attempt: &Attempt, client: &mut Connection, fields: &Value, otherwise: &str) -> Done<Value> {
    attempt.remark(&format!("the answer must be {fields}"));
    let answer = meaning(otherwise, client.receive_frame(LONGEST_ANSWER))?;
    understood(attempt, answer, fields, otherwise)
}

/// Any answer, which the story tells; `silent` is what is wrong if none comes, and `otherwise` if it is no JSON.
fn receive_answer(attempt: &Attempt, client: &mut Connection, silent: &str, otherwise: &str) -> Done<Value> {
    let answer = meaning(silent, client.receive_frame(LONGEST_ANSWER))?;
    let answer = understood(attempt, answer, &json!({}), otherwise)?;
    attempt.remark(&format!("the answer is {answer}"));
    Ok(answer)
}

/// What an answer says, which must have these fields.
fn understood(attempt: &Attempt, answer: Vec<u8>, fields: &Value, otherwise: &str) -> Done<Value> {
    let what = match serde_json::from_slice::<Value>(&answer) {
        Ok(Value::Object(came)) => {
            let is_as_it_must = |(name, value): (&String, &Value)| came.get(name) == Some(value);
            if fields.as_object().is_some_and(|fields| fields.iter().all(is_as_it_must)) {
                return Ok(Value::Object(came));
            }
            otherwise.to_owned()
        }
        Ok(_) => format!("{otherwise}: its answer is no JSON object"),
        Err(_) => format!("{otherwise}: its answer is no JSON"),
    };
    Err(attempt.failure(&what).between(fields.to_string(), answer).into())
}

/// Expects that a file is taken.
fn expect_ok(attempt: &Attempt, client: &mut Connection) -> Done {
    expect_answer(attempt, client, &json!({"ok": true}), "it does not take a good file").map(drop)
}

/// Expects a refusal.
fn expect_refusal(attempt: &Attempt, client: &mut Connection, otherwise: &str) -> Done {
    expect_answer(attempt, client, &json!({"ok": false}), otherwise).map(drop)
}

/// Expects this file as an answer.
fn expect_file(attempt: &Attempt, client: &mut Connection, file: &[u8], otherwise: &str) -> Done {
    let fields = json!({"ok": true, "filesize": file.len()});
    expect_answer(attempt, client, &fields, otherwise)?;
    meaning(otherwise, client.expect(file))
}

/// Asks for a file by its name in JSON, and expects it.
fn expect_there(attempt: &Attempt, client: &mut Connection, name: &str, file: &[u8]) -> Done {
    client.send(&get_json(name))?;
    expect_file(attempt, client, file, "it does not give the file back")
}

/// Asks for a file, and expects that there is none; `otherwise` is what is wrong if there is.
fn expect_nothing_there(attempt: &Attempt, client: &mut Connection, name: &str, otherwise: &str) -> Done {
    client.send(&get(name))?;
    let fields = json!({"ok": false});
    attempt.remark(&format!("the answer must be {fields}"));
    let answer = client.receive_frame(LONGEST_ANSWER);
    let answer = meaning("it does not say that there is no such file", answer)?;
    understood(attempt, answer, &fields, otherwise).map(drop)
}

/// The same as another client, which leaves.
fn expect_nothing_under(attempt: &Attempt, name: &str, otherwise: &str) -> Done {
    let mut other = attempt.connect("other client")?;
    expect_nothing_there(attempt, &mut other, name, otherwise)?;
    other.leave()
}

fn expect_next_served(attempt: &Attempt) -> Done {
    let mut client = attempt.connect("next client")?;
    client.send(&put("next", b"still there?"))?;
    expect_ok(attempt, &mut client)
}

fn one_file(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let (name, file) = (format!("{}.txt", attempt.word(5)), attempt.word(attempt.number(1..=20)));
    let mut client = attempt.connect("client")?;
    client.send(&put(&name, file.as_bytes()))?;
    expect_ok(attempt, &mut client)?;
    expect_there(attempt, &mut client, &json!(name).to_string(), file.as_bytes())?;
    client.expect_nothing()
}

fn several_files(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.connect("client")?;
    let files: Vec<(String, String)> = (0..attempt.number(3..=6))
        .map(|which| (format!("\"{which}.txt\""), attempt.word(attempt.number(1..=20))))
        .collect();
    for (name, file) in &files {
        client.send(&put_json(name, file.as_bytes()))?;
        expect_ok(attempt, &mut client)?;
    }
    for (name, file) in files.iter().rev() {
        expect_there(attempt, &mut client, name, file.as_bytes())?;
    }
    client.half_close()?;
    client.expect_end()
}

fn typed_ahead(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.connect("client")?;
    let (first, second) = (attempt.word(attempt.number(1..=12)), attempt.word(attempt.number(1..=12)));
    let all = [put("first", first.as_bytes()), put("second", second.as_bytes()), get("first"), get("second")];
    client.send(&all.concat())?;
    expect_ok(attempt, &mut client)?;
    expect_answer(attempt, &mut client, &json!({"ok": true}), "it does not take the second file")?;
    expect_file(attempt, &mut client, first.as_bytes(), "it does not give the first file back")?;
    expect_file(attempt, &mut client, second.as_bytes(), "it does not give the second file back")
}

fn empty_file(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.connect("client")?;
    client.send(&put("empty", b""))?;
    expect_answer(attempt, &mut client, &json!({"ok": true}), "it does not take an empty file")?;
    client.send(&get("empty"))?;
    expect_file(attempt, &mut client, b"", "it does not give an empty file back")?;
    client.send(&put("next", b"hello"))?;
    expect_ok(attempt, &mut client)
}

fn any_bytes(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.connect("client")?;
    // Each byte that there is; what looks like the end of a text, or of a line; and half a character.
    let all: Vec<u8> = (0..=255).collect();
    let drawn = attempt.bytes(attempt.number(1..=100));
    for (which, file) in [&b"\0"[..], b"\r\n\r\n", b"\x1a\x04", b"\xe4\xbd", &all, &drawn].iter().enumerate() {
        let name = format!("\"bytes{which}\"");
        client.send(&put_json(&name, file))?;
        expect_ok(attempt, &mut client)?;
        expect_there(attempt, &mut client, &name, file)?;
    }
    Ok(())
}

fn large_file(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.connect("client")?;
    let file = attempt.bytes(LARGEST);
    let whole = put("large", &file);
    // No single recv finds all of the file.
    let (first, rest) = whole.split_at(whole.len() - attempt.number(1..=LARGEST - 1));
    client.send(first)?;
    attempt.set_unsent(Some("the rest of the file"));
    client.expect_nothing()?;
    attempt.set_unsent(None);
    client.send(rest)?;
    expect_answer(attempt, &mut client, &json!({"ok": true}), "it does not take a large file")?;
    expect_there(attempt, &mut client, "\"large\"", &file)
}

/// Sends an upload in two pieces, cut at each of these places, and expects an answer only then. At one of them it waits
/// for long: not where a `part` begins, for there nobody has a reason to wait for a while only.
fn expect_whole(attempt: &Attempt, file: &[u8], cuts: &[usize], begin: usize, part: &str) -> Done {
    let mut client = attempt.connect("client")?;
    // The last one is the simplest choice: who fails at a cut before it is told so without a pause.
    let within = cuts.iter().filter(|cut| **cut != begin).count();
    let held = cuts.len() - attempt.number(1..=within);
    for (at, cut) in cuts.iter().enumerate() {
        let whole = put(&format!("cut{at:02}"), file);
        let (first, rest) = whole.split_at(*cut);
        if at == held {
            client.send(first)?;
            client.hold_back(&format!("the rest of the {part}"))?;
            client.send(rest)?;
        } else {
            client.send_in_pieces(&[first, rest])?;
        }
        expect_ok(attempt, &mut client)?;
    }
    Ok(())
}

fn header_in_pieces(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let end = 4 + put_header("\"cut00\"", b"hello").len();
    // Within the length, before the header, at its beginning, within a name, a number and the digest, and at its end.
    let drawn = attempt.number(40..=end - 3);
    let cuts = [4, 1, 2, 3, 5, 18, 36, drawn, end - 2, end - 1];
    expect_whole(attempt, b"hello", &cuts, 4, "header")
}

fn file_in_pieces(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let file = attempt.word(6);
    let end = put("cut00", file.as_bytes()).len();
    let cuts: Vec<usize> = (end - 6..end).collect();
    expect_whole(attempt, file.as_bytes(), &cuts, end - 6, "file")
}

fn not_there(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.connect("client")?;
    client.send(&get("nothing"))?;
    let otherwise = "it does not say that there is no such file";
    let answer = expect_answer(attempt, &mut client, &json!({"ok": false}), otherwise)?;
    if answer["error"].as_str().is_none_or(str::is_empty) {
        let failure = attempt.failure("its refusal does not say why");
        return Err(failure.between("a text in error", answer.to_string().into_bytes()).into());
    }
    client.send(&put("nothing", b"hello"))?;
    expect_answer(attempt, &mut client, &json!({"ok": true}), "it does not go on after a refusal")?;
    expect_there(attempt, &mut client, "\"nothing\"", b"hello")
}

fn names_of_any_kind(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.connect("client")?;
    let longest = "n".repeat(255);
    let names = [
        ("in Chinese", "报告.txt", r#""\u62a5\u544A.txt""#.to_owned()),
        ("with a blank", "two words", r#""two words""#.to_owned()),
        ("with two dots in it", "a..b", r#""a..b""#.to_owned()),
        ("with quotation marks and a backslash", r#"my "a\b""#, r#""my \"a\\b\"""#.to_owned()),
        ("with an emoji", "🙂", r#""\ud83d\ude42""#.to_owned()),
        ("of 255 bytes", &longest, format!("\"{longest}\"")),
    ];
    for (which, name, json) in &names {
        let file = attempt.word(5);
        // Once as it stands, and once with escapes: it is the same name.
        client.send(&put(name, file.as_bytes()))?;
        let otherwise = format!("it does not take a name {which}");
        expect_answer(attempt, &mut client, &json!({"ok": true}), &otherwise)?;
        client.send(&get_json(json))?;
        expect_file(attempt, &mut client, file.as_bytes(), &format!("it does not give back a name {which}"))?;
    }
    Ok(())
}

fn names_that_lie(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.connect("client")?;
    let too_long = "n".repeat(256);
    // In 86 characters.
    let too_many_bytes = "报".repeat(86);
    let names = [
        ("../evil", r#""../evil""#),
        ("../evil, in escapes", r#""\u002e\u002e\/evil""#),
        ("/proc/self/cwd/evil", r#""/proc/self/cwd/evil""#),
        ("a/evil", r#""a/evil""#),
        ("evil/", r#""evil/""#),
        (".", r#"".""#),
        ("..", r#""..""#),
        (".hidden", r#"".hidden""#),
        ("of no characters", r#""""#),
        ("with a zero byte", r#""evil\u0000.txt""#),
        ("of 256 bytes", &format!("\"{too_long}\"")),
        ("of 258 bytes", &format!("\"{too_many_bytes}\"")),
    ];
    for (which, name) in names {
        client.send(&put_json(name, b"hello"))?;
        let refused = expect_refusal(attempt, &mut client, &format!("it does not refuse the name {which}"));
        if refused.is_err() && is_there(&mut client, "evil") {
            let failure = attempt.failure(&format!("it takes the name {which} for evil"));
            return Err(failure.between("a refusal", "a file of the name evil").into());
        }
        refused?;
    }
    expect_nothing_there(attempt, &mut client, "evil", "it keeps a file that it refuses")?;
    client.send(&put("good", b"hello"))?;
    expect_answer(attempt, &mut client, &json!({"ok": true}), "it does not go on after a refusal").map(drop)
}

/// Whether there is such a file, as far as the program says so: for a report.
fn is_there(client: &mut Connection, name: &str) -> bool {
    let asked = client.send(&get(name)).and_then(|()| client.receive_frame(LONGEST_ANSWER));
    asked.is_ok_and(|answer| serde_json::from_slice::<Value>(&answer).is_ok_and(|answer| answer["ok"] == true))
}

fn names_that_lead_out(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.connect("client")?;
    client.send(&put("here", b"hello"))?;
    expect_ok(attempt, &mut client)?;
    // All of these lead to the file, for who lets the kernel go the way.
    let names = [
        format!("../{FOLDER}/here"),
        format!("/proc/self/cwd/{FOLDER}/here"),
        "./here".to_owned(),
        "here/../here".to_owned(),
        "here\0".to_owned(),
        "..".to_owned(),
        String::new(),
    ];
    for name in names {
        client.send(&get(&name))?;
        expect_refusal(attempt, &mut client, &format!("it does not refuse to read {name:?}"))?;
    }
    expect_there(attempt, &mut client, "\"here\"", b"hello")
}

fn name_taken(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let (old, new) = (attempt.word(5), attempt.word(attempt.number(6..=12)));
    let mut client = attempt.connect("client")?;
    client.send(&put("taken", old.as_bytes()))?;
    expect_ok(attempt, &mut client)?;
    // Another file, and the same once more.
    for file in [&new, &old] {
        client.send(&put("taken", file.as_bytes()))?;
        expect_refusal(attempt, &mut client, "it does not refuse a name that is taken")?;
        expect_there(attempt, &mut client, "\"taken\"", old.as_bytes())?;
    }
    Ok(())
}

fn wrong_digest(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.connect("client")?;
    // Another file of the same size, and one whose digest differs in its last digit only.
    let other = request(&put_header("\"bad\"", b"hello"), b"jello");
    let is = digest(b"hello");
    let last = if is.ends_with('0') { '1' } else { '0' };
    let nearly = put_header("\"bad\"", b"hello").replace(&is, &format!("{}{last}", &is[..63]));
    for bad in [&other, &request(&nearly, b"hello")] {
        client.send(bad)?;
        expect_refusal(attempt, &mut client, "it does not refuse a wrong digest")?;
        expect_nothing_there(attempt, &mut client, "bad", "it keeps a file whose digest is wrong")?;
    }
    client.send(&put("bad", b"hello"))?;
    expect_answer(attempt, &mut client, &json!({"ok": true}), "it does not take the name after a wrong digest")?;
    expect_there(attempt, &mut client, "\"bad\"", b"hello")
}

/// Places in an upload of five bytes: in its length, its header and its file, and between them.
fn cuts(whole: &[u8]) -> [usize; 6] {
    let end = whole.len() - 5;
    [2, 4, end - 1, end, end + 1, end + 4]
}

fn client_leaves(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let file = attempt.word(5);
    let whole = put("left", file.as_bytes());
    for cut in cuts(&whole) {
        let mut leaver = attempt.connect("leaver")?;
        leaver.send(&whole[..cut])?;
        leaver.half_close()?;
        leaver.expect_end()?;
        leaver.close();
        // It may have to clean something up.
        attempt.settle()?;
        expect_nothing_under(attempt, "left", "it keeps a part of a file whose client has left")?;
    }
    expect_taken_anew(attempt, "left", file.as_bytes())
}

fn client_breaks_off(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let file = attempt.word(5);
    let whole = put("broken", file.as_bytes());
    for cut in cuts(&whole) {
        let leaver = attempt.connect("leaver")?;
        leaver.send(&whole[..cut])?;
        // So that it is a recv that fails.
        leaver.settle()?;
        leaver.reset()?;
        attempt.settle()?;
        expect_nothing_under(attempt, "broken", "it keeps a part of a file whose client has broken off")?;
    }
    expect_taken_anew(attempt, "broken", file.as_bytes())
}

/// Expects that a name can be used whose file has never come.
fn expect_taken_anew(attempt: &Attempt, name: &str, file: &[u8]) -> Done {
    let mut client = attempt.connect("client")?;
    client.send(&put(name, file))?;
    let otherwise = "it does not take a file anew that did not come to its end";
    expect_answer(attempt, &mut client, &json!({"ok": true}), otherwise)?;
    expect_there(attempt, &mut client, &json!(name).to_string(), file)
}

fn half_a_file(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let file = attempt.word(attempt.number(2..=20));
    let whole = put("half", file.as_bytes());
    let (first, rest) = whole.split_at(whole.len() - 1);
    let mut slow = attempt.connect("slow client")?;
    slow.send(first)?;
    slow.settle()?;
    // It is answered now, and there is nothing; or when the slow client has left, and there is all of the file.
    let mut other = attempt.connect("other client")?;
    other.send(&get("half"))?;
    other.settle_or_block()?;
    slow.send(rest)?;
    expect_ok(attempt, &mut slow)?;
    slow.leave()?;
    let otherwise = "it gives back a part of a file that has not come to its end";
    let answer = receive_answer(attempt, &mut other, "it does not answer a request for it", otherwise)?;
    match (answer["ok"].as_bool(), answer["filesize"].as_u64()) {
        (Some(false), _) => Ok(()),
        (Some(true), Some(size)) if size == file.len() as u64 => meaning(otherwise, other.expect(file.as_bytes())),
        _ => {
            let all = format!("a refusal, or a filesize of {}", file.len());
            Err(attempt.failure(otherwise).between(all, answer.to_string().into_bytes()).into())
        }
    }
}

fn same_name(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let (slow_file, quick_file) = (attempt.word(attempt.number(2..=12)), "the other one");
    let whole = put("same", slow_file.as_bytes());
    let (first, rest) = whole.split_at(whole.len() - 1);
    let mut slow = attempt.connect("slow client")?;
    slow.send(first)?;
    slow.settle()?;
    // It is answered now, or when the slow client has left.
    let mut quick = attempt.connect("quick client")?;
    quick.send(&put("same", quick_file.as_bytes()))?;
    quick.settle_or_block()?;
    slow.send(rest)?;
    let otherwise = "it does not answer each of two clients that send the same name";
    let slow_answer = receive_answer(attempt, &mut slow, otherwise, otherwise)?;
    slow.leave()?;
    let quick_answer = receive_answer(attempt, &mut quick, otherwise, otherwise)?;
    quick.leave()?;
    let kept = match (slow_answer["ok"].as_bool(), quick_answer["ok"].as_bool()) {
        (Some(true), Some(false)) => slow_file.as_bytes(),
        (Some(false), Some(true)) => quick_file.as_bytes(),
        _ => {
            let answers = format!("{slow_answer} and {quick_answer}");
            let failure = attempt.failure("two clients send the same name, and not just one of them is told ok");
            return Err(failure.between(r#""ok": true once, and "ok": false once"#, answers.into_bytes()).into());
        }
    };
    let mut client = attempt.connect("client")?;
    client.send(&get("same"))?;
    expect_file(attempt, &mut client, kept, "it does not give back the file of the client that it told ok")
}

fn server_killed(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let (before, after) = (attempt.word(attempt.number(1..=20)), attempt.word(5));
    let mut client = attempt.connect("client")?;
    client.send(&put("before", before.as_bytes()))?;
    expect_ok(attempt, &mut client)?;
    let whole = put("killed", after.as_bytes());
    client.send(&whole[..whole.len() - 1])?;
    client.settle()?;
    attempt.kill()?;
    // Nothing of the connection keeps the port.
    client.reset()?;
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    client.send(&get("before"))?;
    expect_file(attempt, &mut client, before.as_bytes(), "it does not have a file any more that it had taken")?;
    client.leave()?;
    let otherwise = "it keeps a part of a file that was coming when it was killed";
    expect_nothing_under(attempt, "killed", otherwise)?;
    expect_taken_anew(attempt, "killed", after.as_bytes())
}

fn folder(attempt: &mut Attempt) -> Done {
    let (first, second) = (attempt.word(5), attempt.word(attempt.number(6..=12)));
    for (folder, file) in [(FOLDER, &first), ("another-folder", &second)] {
        start_with(attempt, folder)?;
        expect_nothing_under(attempt, "file", "it has a file that lies in another folder")?;
        let mut client = attempt.connect("client")?;
        client.send(&put("file", file.as_bytes()))?;
        expect_ok(attempt, &mut client)?;
        attempt.kill()?;
        client.reset()?;
    }
    start_with(attempt, FOLDER)?;
    let mut client = attempt.connect("client")?;
    client.send(&get("file"))?;
    expect_file(attempt, &mut client, first.as_bytes(), "it does not have the file of this folder any more")
}

/// Expects that such a header is refused, and the connection closed. `otherwise` is what is wrong if it is not.
fn expect_closed(attempt: &Attempt, sent: &[u8], otherwise: &str) -> Done {
    let mut liar = attempt.connect("liar")?;
    liar.send(sent)?;
    expect_refusal(attempt, &mut liar, otherwise)?;
    liar.expect_end()
}

fn header_too_long(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    for length in [LONGEST_HEADER as u32 + 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] {
        expect_closed(attempt, &length.to_be_bytes(), &format!("it does not refuse a length of {length}"))?;
    }
    // The limit itself is allowed.
    let good = put_header("\"long\"", b"hello");
    let good = good.trim_end_matches('}');
    let note = attempt.word(LONGEST_HEADER - good.len() - r#", "note": ""}"#.len());
    let mut client = attempt.connect("next client")?;
    client.send(&request(&format!(r#"{good}, "note": "{note}"}}"#), b"hello"))?;
    let otherwise = format!("it does not take a header of {LONGEST_HEADER} bytes");
    expect_answer(attempt, &mut client, &json!({"ok": true}), &otherwise).map(drop)
}

fn bad_header(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let good = put_header("\"bad\"", b"");
    let without = |field: &str| good.replace(field, "");
    let with_size = |size: &str| good.replace(r#""filesize": 0"#, &format!(r#""filesize": {size}"#));
    let headers = [
        ("that is text", "hello".to_owned()),
        ("of no bytes", String::new()),
        ("that is cut", good[..good.len() - 1].to_owned()),
        ("that is a list", "[5]".to_owned()),
        ("that is null", "null".to_owned()),
        ("without cmd", without(r#""cmd": "put", "#)),
        ("whose cmd is remove", good.replace("put", "remove")),
        ("without filename", without(r#""filename": "bad", "#)),
        ("whose filename is 5", good.replace(r#""bad""#, "5")),
        ("without filesize", without(r#""filesize": 0, "#)),
        ("whose filesize is null", with_size("null")),
        ("whose filesize is \"0\"", with_size("\"0\"")),
        ("whose filesize is 2.5", with_size("2.5")),
        ("whose filesize is true", with_size("true")),
        ("whose filesize is -1", with_size("-1")),
        ("whose filesize is 1048577", with_size("1048577")),
        ("whose filesize is 4294967296", with_size("4294967296")),
    ];
    for (which, header) in headers {
        expect_closed(attempt, &request(&header, b""), &format!("it does not refuse a header {which}"))?;
    }
    expect_next_served(attempt)
}

fn reset_while_it_sends(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut leaver = attempt.connect_narrow("leaver")?;
    leaver.send(&put("large", &attempt.bytes(LARGEST)))?;
    expect_ok(attempt, &mut leaver)?;
    leaver.send(&get("large"))?;
    leaver.settle_or_block()?;
    leaver.reset()?;
    expect_next_served(attempt)
}

fn rests(attempt: &mut Attempt) -> Done {
    start(attempt)?;
    let mut client = attempt.connect("client")?;
    client.send(&put("rest", b"hello"))?;
    expect_ok(attempt, &mut client)?;
    attempt.remark("the program must rest while it waits for more");
    attempt.settle()?;
    client.leave()?;
    attempt.assert_idle()
}
