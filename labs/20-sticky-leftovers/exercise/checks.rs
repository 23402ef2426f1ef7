//! Exercise 20: a server that reads a name of exactly eight bytes, and then a text whose characters may be cut.

use socklab::judge::{Attempt, Connection, Done, Exercise};

/// A name, as long as it must be.
const NAME: &[u8] = b"ada     ";

/// Characters of one, two, three and four bytes.
const CHARACTERS: [char; 4] = ['a', 'é', '你', '🙂'];

/// The first and the last characters of each length, and those around the surrogates.
const EDGES: &str = "\0\u{7F}\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}";

/// What is not UTF-8: bytes that never occur, the rest of a character without its beginning, beginnings without their
/// rest, more bytes than needed, surrogates, and more than there are; each at its edges.
const WRONG: [&[u8]; 18] = [
    b"\xff",
    b"\x80",
    b"\xbf",
    b"\xe4\xbdabc",
    b"\xc3\xc3\xa9",
    b"\xf0\x9f\x99a",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xe0\x80\x80",
    b"\xe0\x9f\xbf",
    b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xfe",
];

pub fn exercise() -> Exercise {
    Exercise::on_port(8080)
        .check(
            "name",
            10,
            "sends a name back",
            "Eight bytes in, the same eight bytes out, at once: do not wait for the text.",
            name,
        )
        .check(
            "ascii-text",
            10,
            "tells the characters of a text as they come",
            "A client that writes slowly wants each answer at once, and not at the end of the stream.",
            ascii_text,
        )
        .check(
            "wide-characters",
            10,
            "tells characters of two, three and four bytes",
            "A character is not a byte. Decode first, and count then.",
            wide_characters,
        )
        .check(
            "name-in-pieces",
            10,
            "reads a name that comes in two pieces, cut anywhere",
            "recv(8) gives at most eight bytes. Read on until all eight have come.",
            name_in_pieces,
        )
        .check(
            "text-behind-the-name",
            10,
            "finds the text that comes in one piece with the name",
            "What is behind the eighth byte is text: do not read more than is missing, or keep what was too much.",
            text_behind_the_name,
        )
        .check(
            "cut-characters",
            10,
            "keeps a part of a character until its rest has come",
            "The bytes of a character that is not whole yet are no text and no error: keep them for the next piece.",
            cut_characters,
        )
        .check(
            "byte-by-byte",
            5,
            "reads a name and a text that come byte by byte",
            "Every recv may give a single byte.",
            byte_by_byte,
        )
        .check(
            "not-utf8",
            10,
            "notices bytes that are not UTF-8",
            "Look at the table in the task: a strict decoder refuses all of these, one of your own must do it, too.",
            not_utf8,
        )
        .check(
            "cut-at-the-end",
            10,
            "notices that the text ends within a character",
            "When recv gives nothing, look whether you still keep some bytes.",
            cut_at_the_end,
        )
        .check(
            "half-a-name",
            5,
            "closes, and serves the next client, when one leaves within its name",
            "Reading exactly eight bytes can fail: the client may leave before.",
            half_a_name,
        )
        .check(
            "breaks-off",
            5,
            "goes on when a client breaks off while it is expected to send",
            "recv can fail, too: where a client breaks off, there is no goodbye. The next client is another one.",
            breaks_off,
        )
        .check(
            "breaks-off-unread",
            5,
            "goes on when a client breaks off that has not read its answers",
            "send can fail, too; by default it even ends the program with SIGPIPE. The next client is another one.",
            breaks_off_unread,
        )
}

/// What the server must answer to these characters.
fn code_points(text: &str) -> Vec<u8> {
    text.chars().map(|character| format!("U+{:04X}\n", u32::from(character))).collect::<String>().into_bytes()
}

/// A client that has told its name.
fn connect_with_name(attempt: &Attempt) -> Done<Connection> {
    let mut client = attempt.connect("client")?;
    client.send(NAME)?;
    client.expect(NAME)?;
    Ok(client)
}

fn name(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for _ in 0..2 {
        let name = attempt.word(8);
        let mut client = attempt.connect("client")?;
        client.send(name.as_bytes())?;
        client.expect(name.as_bytes())?;
        client.half_close()?;
        client.expect_end()?;
    }
    Ok(())
}

fn ascii_text(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = connect_with_name(attempt)?;
    for _ in 0..3 {
        let text = attempt.word(attempt.number(1..=12));
        client.send(text.as_bytes())?;
        client.expect(&code_points(&text))?;
    }
    client.half_close()?;
    client.expect_end()
}

fn wide_characters(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = connect_with_name(attempt)?;
    for text in ["é", "你好", "🙂", "aé你🙂", "\u{fffd}", EDGES] {
        client.send(text.as_bytes())?;
        client.expect(&code_points(text))?;
    }
    Ok(())
}

/// Expects nothing before the rest has come; one piece of each check is held back for long.
fn expect_patience(attempt: &Attempt, client: &mut Connection, rest: &str, is_held: bool) -> Done {
    if is_held {
        return client.hold_back(rest);
    }
    attempt.set_unsent(Some(rest));
    client.expect_nothing()?;
    attempt.set_unsent(None);
    Ok(())
}

fn name_in_pieces(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let held = NAME.len() - attempt.number(1..=NAME.len() - 1);
    for cut in 1..NAME.len() {
        let (first, rest) = NAME.split_at(cut);
        let mut client = attempt.connect("client")?;
        client.send(first)?;
        expect_patience(attempt, &mut client, "the rest of the name", cut == held)?;
        client.send(rest)?;
        client.expect(NAME)?;
        client.close();
    }
    Ok(())
}

fn text_behind_the_name(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let text = attempt.word(attempt.number(1..=12));
    client.send(&[NAME, text.as_bytes()].concat())?;
    client.expect(&[NAME, &code_points(&text)].concat())
}

fn cut_characters(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = connect_with_name(attempt)?;
    let held = 7 - attempt.number(1..=6);
    let mut cuts = 0;
    for character in CHARACTERS {
        let text = format!("x{character}y");
        for cut in 2..=character.len_utf8() {
            cuts += 1;
            let (first, rest) = text.as_bytes().split_at(cut);
            client.send(first)?;
            client.expect(&code_points("x"))?;
            expect_patience(attempt, &mut client, "the rest of the character", cuts == held)?;
            client.send(rest)?;
            client.expect(&code_points(&text[1..]))?;
        }
    }
    Ok(())
}

fn byte_by_byte(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut client = attempt.connect("client")?;
    let text: String = CHARACTERS.iter().collect();
    client.send_byte_by_byte(&[NAME, text.as_bytes()].concat())?;
    client.expect(&[NAME, &code_points(&text)].concat())
}

fn not_utf8(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for wrong in WRONG {
        let mut client = connect_with_name(attempt)?;
        client.send("é".as_bytes())?;
        client.expect(&code_points("é"))?;
        client.send(wrong)?;
        client.expect(b"not UTF-8\n")?;
        client.expect_end()?;
    }
    // Lines of what came in the same piece before may be missing.
    let mut client = connect_with_name(attempt)?;
    client.send(b"ab\xff")?;
    let got = client.receive_to_end(100)?;
    let allowed = ["", "a", "ab"].map(|before| [code_points(before), b"not UTF-8\n".to_vec()].concat());
    if allowed.contains(&got) {
        return Ok(());
    }
    let failure = attempt.failure("its answer is not what it must be");
    Err(failure.between(allowed[2].as_slice(), got).into())
}

fn cut_at_the_end(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for character in &CHARACTERS[1..] {
        let bytes = character.to_string().into_bytes();
        for cut in 1..bytes.len() {
            let mut client = connect_with_name(attempt)?;
            client.send(&bytes[..cut])?;
            client.half_close()?;
            client.expect(b"not UTF-8\n")?;
            client.expect_end()?;
        }
    }
    Ok(())
}

fn half_a_name(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    for cut in 0..NAME.len() {
        let mut leaver = attempt.connect("leaver")?;
        leaver.send(&NAME[..cut])?;
        leaver.half_close()?;
        leaver.expect_end()?;
    }
    connect_with_name(attempt)?.close();
    Ok(())
}

fn breaks_off(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let within_its_name = attempt.connect("leaver")?;
    within_its_name.send(&NAME[..3])?;
    within_its_name.settle()?;
    within_its_name.reset()?;
    let behind_its_name = connect_with_name(attempt)?;
    behind_its_name.settle()?;
    behind_its_name.reset()?;
    connect_with_name(attempt)?.close();
    Ok(())
}

fn breaks_off_unread(attempt: &mut Attempt) -> Done {
    attempt.start_tcp_server()?;
    let mut leaver = attempt.connect_narrow("leaver")?;
    leaver.send(NAME)?;
    leaver.expect(NAME)?;
    leaver.send_until_blocked(b"more and more ")?;
    leaver.reset()?;
    connect_with_name(attempt)?.close();
    Ok(())
}
