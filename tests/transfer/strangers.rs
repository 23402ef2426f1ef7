//! What somebody may send to the server who does not keep to the protocol, or keeps to an older one, or comes when
//! others do.

use std::fs;

use super::{Pair, noise, python};

/// How an unfinished file of this name is called.
fn part(name: &str) -> String {
    format!(".part-{}", &blake3::hash(name.as_bytes()).to_hex()[..32])
}

/// A digest that is not that of any file here.
fn wrong(digits: usize) -> String {
    "0".repeat(digits)
}

#[test]
fn what_is_no_request_is_refused_with_a_reason_and_the_server_goes_on() {
    if !python("what_is_no_request_is_refused_with_a_reason_and_the_server_goes_on") {
        return;
    }
    let pair = Pair::start();
    let other = "speaks another protocol";
    let cases = [
        (r"b'GET / HTTP/1.1\r\n\r\n'", other),
        ("struct.pack('<i', -1)", other),
        ("struct.pack('<i', -2**31) + b'x'", other),
        ("struct.pack('<i', 2**31 - 1) + b'x' * 1000000", other),
        ("struct.pack('<i', 65537) + b' ' * 65537", other),
        ("struct.pack('<i', 65536) + b'[' * 65536", other),
        ("struct.pack('<i', 0)", other),
        ("struct.pack('<i', 5) + b'hello'", other),
        ("struct.pack('<i', 50) + b'hello'", other),
        ("b'\\x05'", other),
        ("struct.pack('<i', 2) + b'[]'", other),
        ("head(filename='a')", other),
        ("head(cmd=['put'])", other),
        (r"head(cmd='\x1b[2J')", r#"there is no command \"\\u{1b}[2J\""#),
        ("head(cmd='__class__')", "there is no command"),
        ("head(cmd='put', digest='md5')", "no filename is named"),
        ("head(cmd='get')", "no filename is named"),
        ("head(cmd='put', digest='md5', filename='a')", "no size is named"),
        ("head(cmd='put', digest='md5', filename='a', filesize=-1)", "no size is named"),
        ("head(cmd='put', digest='md5', filename='a', filesize=-2**63)", "no size is named"),
        ("head(cmd='put', digest='md5', filename='a', filesize=2**63 - 1)", "no room"),
        ("head(cmd='put', digest='md5', filename='a', filesize=2**63)", other),
        ("head(cmd='put', digest='md5', filename='a', filesize=10**400)", other),
        ("head(cmd='put', digest='md5', filename='a', filesize=1.5)", other),
        ("head(cmd='put', digest='md5', filename='a', filesize='1')", other),
        ("head(cmd='put', digest='crc32', filename='a', filesize=1)", "no digest"),
        ("head(cmd='get', digest='crc32', filename='there')", "no digest"),
        ("head(cmd='put', digest='md5', filename='', filesize=1)", "a file name of no characters"),
        ("head(cmd='put', digest='md5', filename='.', filesize=1)", "the name of a folder"),
        ("head(cmd='put', digest='md5', filename='..', filesize=1)", "the name of a folder"),
        ("head(cmd='put', digest='md5', filename='../a', filesize=1)", "a path, and not a name"),
        ("head(cmd='put', digest='md5', filename='/tmp/a', filesize=1)", "a path, and not a name"),
        ("head(cmd='get', digest='md5', filename='/etc/passwd')", "a path, and not a name"),
        (r"head(cmd='put', digest='md5', filename='a\0b', filesize=1)", "a file name with a NUL"),
        (r"head(cmd='put', digest='md5', filename='\x1b[2Ja', filesize=1)", "a control character"),
        ("head(cmd='put', digest='md5', filename='n' * 256, filesize=1)", "more than 255 bytes"),
        ("head(cmd='put', digest='md5', filename='é' * 128, filesize=1)", "more than 255 bytes"),
        ("head(cmd='put', digest='md5', filename='.part-1', filesize=1)", "the name of an unfinished file"),
        ("head(cmd='get', digest='md5', filename='.part-1')", "the name of an unfinished file"),
        ("head(cmd='get', digest='md5', filename='missing')", "there is no file of this name"),
        ("head(cmd='get', digest='md5', filename='there', offset=-5)", "b'abc'"),
        ("head(cmd='get', digest='md5', filename='there', offset=4)", "b'abc'"),
        ("head(cmd='get', digest='md5', filename='there', offset=1)", "b'bc'"),
        ("head(cmd='get', digest='md5', filename='there', offset=3)", "b''"),
        ("head(cmd='get', digest='none', filename='there')", "b'abc' {}"),
        ("head(cmd='ls')", r#"b'{"filename":"there","filesize":3}\n'"#),
    ];
    fs::write(pair.inbox.path().join("there"), b"abc").expect("written");
    fs::write(pair.inbox.path().join(part("missing")), b"half of it").expect("written");
    let words: Vec<&str> = cases.iter().map(|(words, _)| *words).collect();
    let answers = pair.peer("ask", &words);
    assert_eq!(answers.len(), cases.len());
    for ((words, expected), answer) in cases.iter().zip(answers) {
        assert!(answer.contains(expected), "{words}: {answer}");
    }
    assert_eq!(pair.names(), [part("missing"), "there".to_owned()]);
}

#[test]
fn each_digest_in_a_request_is_compared_also_of_a_classic_client() {
    if !python("each_digest_in_a_request_is_compared_also_of_a_classic_client") {
        return;
    }
    let pair = Pair::start();
    let blake3 = blake3::hash(b"abc").to_hex().to_string();
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    let (mut words, mut stored) = (Vec::new(), Vec::new());
    for (algorithm, right) in [("blake3", blake3.as_str()), ("sha256", sha256), ("md5", md5)] {
        let (capitals, bad) = (right.to_uppercase(), wrong(right.len()));
        for (kind, value, is_stored) in [("right", right, true), ("capitals", &capitals, true), ("bad", &bad, false)] {
            let (old, new) = (format!("{algorithm} {kind} old"), format!("{algorithm} {kind} new"));
            let at_end = format!("{algorithm} {kind} at the end");
            words.push(format!("put('{old}', b'abc', {algorithm}='{value}') + b'abc'"));
            let promised = format!("digest='{algorithm}', {algorithm}='{value}'");
            words.push(format!("put('{new}', b'abc', {promised}) + b'abc' + head({algorithm}='{right}')"));
            words.push(format!("put('{at_end}', b'abc', digest='{algorithm}') + b'abc' + head({algorithm}='{value}')"));
            stored.extend([old, new, at_end].into_iter().filter(|_| is_stored));
        }
        // It was to be compared, and nothing is there to compare it with.
        words.push(format!("put('{algorithm} none', b'abc', digest='{algorithm}') + b'abc' + head()"));
    }
    // Two values, of which one only would be compared.
    words.push(format!("put('two', b'abc', digest='blake3', md5='{}') + b'abc'", wrong(32)));
    words.push(format!("put('two', b'abc', blake3='{blake3}', md5='{}') + b'abc'", wrong(32)));
    stored.sort();
    let answers = pair.peer("ask", &words.iter().map(String::as_str).collect::<Vec<&str>>());
    for (words, answer) in words.iter().zip(&answers) {
        let is_classic = !words.contains("digest=");
        let is_right = stored.iter().any(|name| words.contains(&format!("'{name}'")));
        let expected = if is_right { r#"{"ok": true, "offset": 0} {"ok": true"# } else { r#""ok": false"# };
        assert!(answer.contains(expected) != is_classic, "{words}: {answer}");
        // It is reset at most.
        assert!(!is_classic || !answer.contains('{'), "{words}: {answer}");
    }
    assert_eq!(pair.names(), stored);
}

#[test]
fn two_that_send_the_same_name_at_once_are_never_mixed() {
    if !python("two_that_send_the_same_name_at_once_are_never_mixed") {
        return;
    }
    let pair = Pair::start();
    let race = |name: &str, more: &str| {
        let first = format!("head(cmd='put', filename='{name}', filesize=6, digest='sha256'{more})");
        let second = |body: &str| format!("b'{body}' + head(sha256=sha256(b'{body}'))");
        pair.peer("race", &[&first, &second("first."), &first, &second("second")])
    };
    let answers = race("new", "");
    assert!(answers[0].contains(r#"{"ok": true, "offset": 0} {"ok": true"#), "{answers:?}");
    assert!(answers[1].contains("has come from somebody else meanwhile"), "{answers:?}");
    assert_eq!(pair.stored("new"), b"first.");
    let answers = race("replaced", ", replace=True");
    assert!(answers.iter().all(|answer| !answer.contains("false")), "{answers:?}");
    assert_eq!(pair.stored("replaced"), b"second");
    assert_eq!(pair.names(), ["new", "replaced"]);
}

#[test]
fn one_of_two_resumes_what_was_left_and_the_other_one_begins_afresh() {
    if !python("one_of_two_resumes_what_was_left_and_the_other_one_begins_afresh") {
        return;
    }
    let pair = Pair::start();
    let first = "head(cmd='put', filename='a', filesize=10, digest='sha256')";
    let answers = pair.peer("ask", &[&format!("{first} + b'01234'")]);
    assert_eq!(answers, [r#"{"ok": true, "offset": 0}"#]);
    assert_eq!(pair.names(), [part("a")]);
    let end = "head(sha256=sha256(b'0123456789'))";
    let (rest, all) = (format!("b'56789' + {end}"), format!("b'0123456789' + {end}"));
    let answers = pair.peer("race", &[first, &rest, first, &all]);
    assert!(answers[0].contains(r#"{"ok": true, "offset": 5} {"ok": true"#), "{answers:?}");
    assert!(answers[1].starts_with(r#"{"ok": true, "offset": 0} {"ok": false"#), "{answers:?}");
    assert_eq!(pair.stored("a"), b"0123456789");
    assert_eq!(pair.names(), ["a"]);
}

#[test]
fn what_another_file_of_the_same_name_has_left_does_not_get_into_this_one() {
    let pair = Pair::start();
    let stale = |folder: &std::path::Path, name: &str, len: usize| {
        fs::write(folder.join(part(name)), vec![b'?'; len]).expect("written");
    };
    let bytes = noise(3000);
    for (digest, len) in [("blake3", 1000), ("blake3", 3000), ("none", 1000), ("md5", 5000)] {
        let name = format!("{digest} {len}");
        let path = pair.file(&name, &bytes);
        stale(pair.inbox.path(), &name, len);
        pair.done(&["put", "--digest", digest, &name]);
        assert_eq!(pair.stored(&name), bytes, "{name}");
        fs::remove_file(&path).expect("removed");
        stale(pair.here.path(), &name, len);
        pair.done(&["get", "--digest", digest, &name]);
        assert_eq!(fs::read(&path).expect("it is here"), bytes, "{name}");
    }
    assert_eq!(pair.names().len(), 4, "{:?}", pair.names());
    assert_eq!(super::names(pair.here.path()), pair.names());
}

#[test]
fn a_hundred_clients_at_once_are_served_and_one_of_those_with_the_same_name() {
    if !python("a_hundred_clients_at_once_are_served_and_one_of_those_with_the_same_name") {
        return;
    }
    let pair = Pair::start();
    let body = |number: u32| format!("b'{number}' * 30000");
    let word = |name: &str, number: u32| {
        let body = body(number);
        format!("put('{name}', {body}, digest='sha256') + {body} + head(sha256=sha256({body}))")
    };
    let own = (100..150).map(|number| word(&number.to_string(), number));
    let same = (150..200).map(|number| word("same", number));
    let words: Vec<String> = own.chain(same).collect();
    let answers = pair.peer("hold", &words.iter().map(String::as_str).collect::<Vec<&str>>());
    let is_stored = |answer: &&String| answer.contains(r#"{"ok": true, "sha256""#);
    assert_eq!(answers[..50].iter().filter(is_stored).count(), 50, "{answers:?}");
    assert_eq!(answers[50..].iter().filter(is_stored).count(), 1, "{answers:?}");
    for number in 100..150 {
        assert_eq!(pair.stored(&number.to_string()), number.to_string().repeat(30_000).into_bytes(), "{number}");
    }
    let winner = answers.iter().rposition(|answer| is_stored(&answer)).expect("one") + 100;
    assert_eq!(pair.stored("same"), winner.to_string().repeat(30_000).into_bytes());
    assert_eq!(pair.names().len(), 51, "{:?}", pair.names());
}

#[test]
fn a_client_that_asks_for_the_next_file_before_it_has_the_first_gets_both() {
    if !python("a_client_that_asks_for_the_next_file_before_it_has_the_first_gets_both") {
        return;
    }
    let pair = Pair::start();
    fs::write(pair.inbox.path().join("large"), noise(3 << 20)).expect("written");
    let one = "head(cmd='get', filename='large', digest='sha256')";
    let answers = pair.peer("ask", &[&format!("{one} + {one}")]);
    assert_eq!(answers[0].matches("3145728 bytes, ").count(), 2, "{answers:?}");
    assert_eq!(answers[0].matches(r#"{"sha256": "#).count(), 2, "{answers:?}");
}

#[test]
fn a_classic_client_stores_whole_files_one_glued_to_the_next() {
    if !python("a_classic_client_stores_whole_files_one_glued_to_the_next") {
        return;
    }
    let mut pair = Pair::start();
    let files = [("lines", b"short\n".repeat(20_000)), ("noise", noise(100_000)), ("empty", Vec::new())];
    let paths = files.clone().map(|(name, bytes)| pair.file(name, &bytes).to_string_lossy().into_owned());
    fs::write(pair.inbox.path().join("noise"), b"an older one, which the classics overwrite").expect("written");
    assert_eq!(pair.peer("classic", &paths.each_ref().map(String::as_str)), ["0 bytes of answers"]);
    for (name, bytes) in &files {
        assert!(pair.next_line_of_the_server().ends_with(&format!("{name}: {} bytes, stored\n", bytes.len())));
        assert!(pair.stored(name) == *bytes, "{name}");
    }
    assert_eq!(pair.names(), ["empty", "lines", "noise"]);
}
