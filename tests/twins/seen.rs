//! What a program's user has seen, written as the transcripts write it.

use std::net::Ipv4Addr;

/// Puts Python's way to write bytes and errors, and every address, into the form that is compared. `digits`: whether
/// numbers are compared.
pub fn common(seen: &str, digits: bool) -> String {
    let seen = uncoloured(seen);
    let mut lines: Vec<String> = seen.lines().map(|line| of_line(line, digits)).collect();
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let text: String = lines.iter().map(|line| format!("{}\n", line.trim_end())).collect();
    text
}

fn of_line(line: &str, digits: bool) -> String {
    let line = addresses(&error(&tuple(&bytes(line))));
    if digits { line } else { without_numbers(&line) }
}

/// Each number, however many digits it has, is one `#`.
fn without_numbers(line: &str) -> String {
    let mut plain = String::new();
    for c in line.chars() {
        match c {
            '0'..='9' if plain.ends_with('#') => {}
            '0'..='9' => plain.push('#'),
            other => plain.push(other),
        }
    }
    plain
}

/// What steers a terminal's colours is left out: `ESC [ … m`.
fn uncoloured(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain.push_str(piece.split_once('m').map_or(piece, |(_, rest)| rest));
    }
    plain
}

/// `b'hello'` is `"hello"`.
fn bytes(line: &str) -> String {
    let Some((before, rest)) = line.split_once("b'") else { return line.to_owned() };
    let is_word = before.chars().next_back().is_some_and(|last| last.is_alphanumeric());
    match rest.split_once('\'') {
        Some((bytes, after)) if !is_word => format!("{before}\"{bytes}\"{}", self::bytes(after)),
        _ => format!("{before}b'{}", self::bytes(rest)),
    }
}

/// `('127.0.0.1', 9000)` is `127.0.0.1:9000`.
fn tuple(line: &str) -> String {
    let Some((before, rest)) = line.split_once("('") else { return line.to_owned() };
    let address = rest.split_once("', ").filter(|(ip, _)| ip.parse::<Ipv4Addr>().is_ok());
    let address = address.and_then(|(ip, rest)| Some((ip, rest.split_once(')')?)));
    match address {
        Some((ip, (port, after))) => format!("{before}{ip}:{port}{}", tuple(after)),
        None => format!("{before}('{}", tuple(rest)),
    }
}

/// `[Errno 32] Broken pipe` is `Broken pipe (os error 32)`.
fn error(line: &str) -> String {
    let Some((before, rest)) = line.split_once("[Errno ") else { return line.to_owned() };
    let Some((number, text)) = rest.split_once("] ") else { return line.to_owned() };
    format!("{before}{text} (os error {number})")
}

/// `127.0.0.1:9000` and `server:9000` are `host:9000`; `127.0.0.1:41234` and `client:port`, with a port that the kernel
/// has chosen, are `host:port`.
fn addresses(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-');
    let mut rest = line;
    while !rest.is_empty() {
        let end = rest.find(|c| is_part(c) != rest.starts_with(is_part)).unwrap_or(rest.len());
        words.push(address(&rest[..end]).unwrap_or_else(|| rest[..end].to_owned()));
        rest = &rest[end..];
    }
    words.concat()
}

fn address(word: &str) -> Option<String> {
    /// Where Linux begins to choose: `ip_local_port_range` of `ip(7)`.
    const FIRST_CHOSEN: u16 = 32_768;
    if let Some(before) = word.strip_suffix(':') {
        return Some(format!("{}:", address(before)?));
    }
    let (host, port) = word.split_once(':')?;
    let is_name = host.chars().next()?.is_ascii_lowercase();
    if port == "port" && is_name {
        return Some("host:port".to_owned());
    }
    let number: u16 = port.parse().ok().filter(|_| is_name || host == "127.0.0.1")?;
    Some(if number < FIRST_CHOSEN { format!("host:{number}") } else { "host:port".to_owned() })
}

#[test]
fn what_python_writes_and_what_the_transcript_writes_is_the_same() {
    for (python, transcript) in [
        ("first time received  b'h\\xc3'", "first time received  \"h\\xc3\""),
        ("recv: b'a' ('127.0.0.1', 40123)", "recv: \"a\" client:port"),
        ("HELLO (127.0.0.1:9000)", "HELLO (server:9000)"),
        ("127.0.0.1:40123: served", "client:port: served"),
        ("[Errno 32] Broken pipe", "Broken pipe (os error 32)"),
        ("\x1b[1;34;43mhi\x1b[0m\n\n", "hi"),
    ] {
        assert_eq!(common(python, true), common(transcript, true));
    }
    assert_ne!(common("HELLO (127.0.0.1:9000)", true), common("HELLO (server:9001)", true));
    assert_ne!(common("b'a'", true), common("\"b\"", true));
}
