//! What a program wrote to its standard error, in short: what went wrong and where in the student's own file, not the
//! frames of a runtime. Python has the message at the end, Node above its frames, Java, Go and Rust at the top.

use std::collections::BTreeSet;

/// What Java is told in `JDK_JAVA_OPTIONS`: it sizes its heap and its compilers by the machine's memory and processors,
/// and not by its limits.
pub const JAVA_OPTIONS: &str = "-Xms16m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1";

/// The most bytes that a failure keeps, and of one line its beginning and its end.
const MAX_BYTES: usize = 4000;
const LINE_BEGINNING: usize = 400;
const LINE_END: usize = 150;

/// What stands for lines, or a part of one, that are left out.
const LEFT_OUT: &str = "…";

/// What a line is, in the order in which lines are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Blank,
    /// A frame of the language's own, or what a runtime adds.
    Runtime,
    Plain,
    /// It names a line of the student's own files; or it quotes that line, behind such a line.
    Own,
    /// It says what went wrong.
    Message,
}

/// Whether a line of standard error is of our making: Java says which options it was given.
pub fn is_ours(line: &[u8]) -> bool {
    line.strip_prefix(b"NOTE: Picked up JDK_JAVA_OPTIONS: ")
        .is_some_and(|rest| rest.trim_ascii_end() == JAVA_OPTIONS.as_bytes())
}

/// What a failure keeps: all of it, or the lines that matter most, with a sign where lines are left out.
pub fn excerpt(written: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = lines(written).into_iter().filter(|line| !is_ours(line)).collect();
    if lines.iter().map(|line| line.len() + 1).sum::<usize>() <= MAX_BYTES {
        return lines.join(&b'\n');
    }
    let short: Vec<Vec<u8>> = lines.iter().map(|line| shortened(line)).collect();
    let text: Vec<String> = short.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let mut room = MAX_BYTES;
    let mut kept = BTreeSet::new();
    for index in by_importance(&text) {
        // With the sign that may stand before it.
        let takes = short[index].len() + 1 + LEFT_OUT.len() + 1;
        if takes > room {
            break;
        }
        room -= takes;
        kept.insert(index);
    }
    let (mut excerpt, mut next) = (Vec::new(), 0);
    for index in kept {
        if index > next {
            excerpt.push(LEFT_OUT.as_bytes());
        }
        excerpt.push(&short[index][..]);
        next = index + 1;
    }
    if next < short.len() {
        excerpt.push(LEFT_OUT.as_bytes());
    }
    excerpt.join(&b'\n')
}

/// Of these lines the `most` that matter, in their order, and whether any is left out that is not blank. A runtime's
/// own are shown only where all are.
pub fn chosen(lines: &[String], most: usize) -> (Vec<&String>, bool) {
    if lines.len() <= most {
        return (lines.iter().collect(), false);
    }
    let ranks = ranks(lines);
    let matters = |index: &usize| ranks[*index] >= Rank::Plain;
    let (mut order, rest): (Vec<usize>, Vec<usize>) = by_importance(lines).into_iter().partition(matters);
    if order.is_empty() {
        order = rest;
    }
    let kept: BTreeSet<usize> = order.into_iter().take(most).collect();
    let left_out = lines.iter().enumerate().any(|(index, line)| !kept.contains(&index) && !line.trim().is_empty());
    (kept.into_iter().map(|index| &lines[index]).collect(), left_out)
}

/// Whether this line says what went wrong.
pub fn is_message(line: &str) -> bool {
    ranks(&[line.to_owned()])[0] == Rank::Message
}

/// The lines of a text; behind the last newline there is none.
pub fn lines(written: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = written.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines
}

/// The beginning and the end of a line, between two characters where there are characters.
fn shortened(line: &[u8]) -> Vec<u8> {
    if line.len() <= LINE_BEGINNING + LINE_END + LEFT_OUT.len() {
        return line.to_vec();
    }
    let is_inside = |at: &usize| line[*at] & 0xC0 == 0x80;
    let end = (LINE_BEGINNING - 3..=LINE_BEGINNING).rev().find(|at| !is_inside(at)).unwrap_or(LINE_BEGINNING);
    let again = line.len() - LINE_END;
    let again = (again..again + 3).find(|at| !is_inside(at)).unwrap_or(again);
    [&line[..end], LEFT_OUT.as_bytes(), &line[again..]].concat()
}

/// The indices of all lines, the most important first: the last message, the nearest line of an own file, the other
/// messages and own lines by their distance from it; then what else there is from both ends, and frames.
fn by_importance(lines: &[String]) -> Vec<usize> {
    let ranks = ranks(lines);
    let of = |rank: Rank| ranks.iter().enumerate().filter(move |(_, is)| **is == rank).map(|(index, _)| index);
    let Some(message) = of(Rank::Message).next_back().or_else(|| of(Rank::Own).next_back()) else {
        let from_both_ends = |rank: Rank| from_both_ends(of(rank).collect());
        return [Rank::Plain, Rank::Runtime, Rank::Blank].into_iter().flat_map(from_both_ends).collect();
    };
    let by_distance = |rank: Rank| {
        let mut indices: Vec<usize> = of(rank).filter(|index| *index != message).collect();
        indices.sort_by_key(|index| index.abs_diff(message));
        indices
    };
    let own = by_distance(Rank::Own);
    // A line of an own file, and the line of code that it names.
    let nearest = own.iter().take(2).copied();
    let nearest: Vec<usize> = nearest.filter(|index| index.abs_diff(own[0]) <= 1).collect();
    let mut order = vec![message];
    order.extend(&nearest);
    let rest = own.iter().copied().filter(|index| !nearest.contains(index));
    let mut rest: Vec<usize> = rest.chain(by_distance(Rank::Message)).collect();
    rest.sort_by_key(|index| index.abs_diff(message));
    order.extend(rest);
    order.extend(from_both_ends(of(Rank::Plain).filter(|index| *index != message).collect()));
    order.extend(by_distance(Rank::Runtime));
    order.extend(by_distance(Rank::Blank));
    order
}

/// The last, the first, the last but one …
fn from_both_ends(indices: Vec<usize>) -> Vec<usize> {
    let (mut rest, mut order) = (&indices[..], Vec::new());
    while let Some((last, before)) = rest.split_last() {
        order.push(*last);
        rest = before;
        if let Some((first, behind)) = rest.split_first() {
            order.push(*first);
            rest = behind;
        }
    }
    order
}

fn ranks(lines: &[String]) -> Vec<Rank> {
    let mut ranks: Vec<Rank> = Vec::with_capacity(lines.len());
    let (mut in_traceback, mut panicked) = (false, false);
    for line in lines {
        let text = line.trim();
        let indented = line.starts_with([' ', '\t']);
        let behind_own = ranks.last() == Some(&Rank::Own) && names_a_line(&lines[ranks.len() - 1]);
        let rank = if !text.contains(char::is_alphanumeric) {
            Rank::Blank
        } else if is_frame(line, text) {
            if is_of_a_runtime(text) { Rank::Runtime } else { Rank::Own }
        } else if is_noise(text) {
            Rank::Runtime
        } else if (in_traceback && !indented) || panicked || says_what_went_wrong(text) {
            Rank::Message
        } else if names_a_line(text) {
            if is_of_a_runtime(text) { Rank::Runtime } else { Rank::Own }
        } else if behind_own {
            Rank::Own
        } else if ranks.last() == Some(&Rank::Runtime) && indented {
            Rank::Runtime
        } else {
            Rank::Plain
        };
        // What is behind Python's frames is the exception; what is behind Rust's "panicked at FILE:" is the message.
        in_traceback = text.starts_with("Traceback (most recent call last)") || (in_traceback && indented);
        panicked = text.contains("panicked at ") && text.ends_with(':');
        ranks.push(rank);
    }
    ranks
}

/// A line of a trace: `at main (server.js:3:5)`, `File "server.py", line 3`, `#0 0x4f in main server.c:3`, and what Go
/// writes below the name of a function.
fn is_frame(line: &str, text: &str) -> bool {
    let indented = line.starts_with([' ', '\t']);
    (indented && (text.starts_with("at ") || text.starts_with("File \"")))
        || (text.starts_with('#') && text[1..].starts_with(|c: char| c.is_ascii_digit()))
        || (line.starts_with('\t') && text.starts_with('/') && names_a_line(text))
}

/// Whether it names a line of a file: `server.js:3`, `server.py", line 3`.
fn names_a_line(text: &str) -> bool {
    let by_colon = text.match_indices(':').any(|(at, _)| {
        let file = text[..at].rsplit(|c: char| c.is_whitespace() || "(\"'".contains(c)).next().unwrap_or_default();
        let ending = file.rsplit('.').next().filter(|ending| ending.len() < file.len()).unwrap_or_default();
        let is_ending = (1..=5).contains(&ending.len()) && ending.starts_with(|c: char| c.is_ascii_alphabetic());
        is_ending && text[at + 1..].starts_with(|c: char| c.is_ascii_digit())
    });
    by_colon || text.contains("\", line ")
}

/// Whether the file, or the function, that a line names is not the student's.
fn is_of_a_runtime(text: &str) -> bool {
    const PLACES: [&str; 25] = [
        "site-packages/",
        "node_modules/",
        "node:",
        "internal/",
        "<frozen ",
        "/rustc/",
        "/.rustup/",
        "/.cargo/",
        "/pkg/mod/",
        "/go/src/",
        "/golang/",
        "at java.",
        "at javax.",
        "at jdk.",
        "jdk.internal.",
        "../",
        "at sun.",
        "at com.sun.",
        "java.base/",
        "jdk.compiler/",
        "/lib/python",
        "/usr/",
        "/opt/",
        "/nix/",
        "/lib/",
    ];
    let other = PLACES.iter().any(|place| text.contains(place));
    let unknown = text.starts_with('#') && !names_a_line(text);
    // Something may lie in the student's folder below a name of these.
    other && !(text.contains("/box/") && !text.contains("node_modules/") && !text.contains("site-packages/")) || unknown
}

/// What runtimes add to a message.
fn is_noise(text: &str) -> bool {
    const BEGINNINGS: [&str; 10] = [
        "Node.js v",
        "node:",
        "throw er; // Unhandled",
        "Emitted 'error' event",
        "During handling of the above exception",
        "The above exception was the direct cause",
        "SUMMARY: ",
        "note: run with `RUST_BACKTRACE",
        "note: Some details are omitted",
        "exit status ",
    ];
    BEGINNINGS.iter().any(|noise| text.starts_with(noise))
        || (text.starts_with("... ") && text.ends_with(" more"))
        || (text.starts_with("goroutine ") && text.ends_with("]:"))
}

/// Whether a line has a word by which programs and runtimes say that something went wrong.
fn says_what_went_wrong(text: &str) -> bool {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let is_error = |word: &str| {
        let word = word.to_ascii_lowercase();
        ["error", "exception", "panic", "panicked", "fatal", "unhandled", "uncaught", "sanitizer"]
            .iter()
            .any(|end| word.ends_with(end))
    };
    let phrases = ["Assertion ", "what():", "terminate called", "*** ", "free(): ", "malloc(): ", "corruption"];
    words.into_iter().any(is_error) || phrases.iter().any(|phrase| text.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PYTHON: &str = r#"Traceback (most recent call last):
  File "/box/server.py", line 7, in <module>
    main()
  File "/box/server.py", line 6, in main
    h = json.loads("{")
        ^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/json/decoder.py", line 353, in raw_decode
    obj, end = self.scan_once(s, idx)
               ^^^^^^^^^^^^^^^^^^^^^^
json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)
"#;

    const NODE: &str = "node:internal/buffer:86
    throw new ERR_BUFFER_OUT_OF_BOUNDS();
    ^

RangeError [ERR_BUFFER_OUT_OF_BOUNDS]: Attempt to access memory outside buffer bounds
    at boundsError (node:internal/buffer:86:11)
    at Buffer.readUInt32BE (node:internal/buffer:311:5)
    at serve (/box/server.js:4:5)
    at Object.<anonymous> (/box/server.js:6:1)
    at Module._compile (node:internal/modules/cjs/loader:1521:14)
    at Module.load (node:internal/modules/cjs/loader:1266:32)
    at node:internal/main/run_main_module:28:49 {
  code: 'ERR_BUFFER_OUT_OF_BOUNDS'
}

Node.js v20.20.2
";

    const JAVA: &str = "Exception in thread \"main\" java.lang.RuntimeException: cannot serve
\tat S.main(S.java:4)
Caused by: java.lang.NullPointerException: Cannot invoke \"String.length()\" because \"line\" is null
\tat S.serve(S.java:3)
\tat S.main(S.java:4)
\tat java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0(Native Method)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)
\tat jdk.compiler/com.sun.tools.javac.launcher.Main.execute(Main.java:419)
";

    const GO: &str = "panic: runtime error: index out of range [1] with length 1

goroutine 1 [running]:
main.serve(...)
\t/box/server.go:3
main.main()
\t/box/server.go:4 +0x96
goroutine 18 [select (no cases)]:
net.(*conn).Read(0xc0000, {0xc0000, 0x1, 0x2})
\t/usr/lib/go/src/net/net.go:4 +0x8
";

    const RUST: &str = "thread 'main' (6616) panicked at server.rs:1:64:
called `Result::unwrap()` on an `Err` value: Error { kind: InvalidInput, message: \"invalid port value\" }
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
";

    const SANITIZER: &str = "=================================================================
==6622==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000014 at pc 0x7fe517647681
WRITE of size 8 at 0x602000000014 thread T0
    #0 0x7fe5 in __interceptor_memset ../../../../src/libsanitizer/sanitizer_common_interceptors.inc:799
    #1 0x5580 in main /box/server.c:3
    #2 0x7fe5 in __libc_start_call_main ../sysdeps/nptl/libc_start_call_main.h:58

SUMMARY: AddressSanitizer: heap-buffer-overflow ../../libsanitizer/interceptors.inc:799 in __interceptor_memset
Shadow bytes around the buggy address:
==6622==ABORTING
";

    fn short(written: &str, most: usize) -> Vec<String> {
        let lines: Vec<String> = written.lines().map(str::to_owned).collect();
        chosen(&lines, most).0.into_iter().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn the_message_and_the_student_s_own_line_come_first_in_every_language() {
        for (written, message, own) in [
            (PYTHON, "json.decoder.JSONDecodeError: ", r#"File "/box/server.py", line 6, in main"#),
            (NODE, "RangeError [ERR_BUFFER_OUT_OF_BOUNDS]", "at serve (/box/server.js:4:5)"),
            (JAVA, "Caused by: java.lang.NullPointerException", "at S.serve(S.java:3)"),
            (GO, "panic: runtime error: index out of range", "/box/server.go:3"),
            (RUST, "called `Result::unwrap()` on an `Err` value", "panicked at server.rs:1:64:"),
            (SANITIZER, "==6622==ERROR: AddressSanitizer: heap-buffer-overflow", "in main /box/server.c:3"),
        ] {
            for most in [3, 4] {
                let shown = short(written, most);
                let has = |words: &str| shown.iter().any(|line| line.contains(words));
                assert!(has(message) && has(own), "{shown:#?}");
                assert!(shown.len() <= most);
            }
        }
    }

    #[test]
    fn what_a_runtime_says_around_an_error_is_not_the_error() {
        let node = "node:events:497
      throw er; // Unhandled 'error' event
      ^

Error: listen EADDRINUSE: address already in use 127.0.0.1:8080
    at Server.setupListenHandle [as _listen2] (node:net:1898:16)
    at listenInCluster (node:net:1946:12)
    at Object.<anonymous> (/box/server.js:3:8)
Emitted 'error' event on Server instance at:
    at emitErrorNT (node:net:1925:8)
    at process.processTicksAndRejections (node:internal/process/task_queues:82:21) {
  code: 'EADDRINUSE',
  port: 8080
}
";
        let shown = short(node, 2);
        assert_eq!(
            shown,
            [
                "Error: listen EADDRINUSE: address already in use 127.0.0.1:8080",
                "at Object.<anonymous> (/box/server.js:3:8)"
            ]
        );
        let python = "Traceback (most recent call last):
  File \"/box/server.py\", line 2, in <module>
    int(\"x\")
ValueError: invalid literal for int() with base 10: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File \"/box/server.py\", line 4, in <module>
    undefined
NameError: name 'undefined' is not defined
";
        let shown = short(python, 4);
        let both =
            ["File \"/box/server.py\", line 4, in <module>", "undefined", "NameError: name 'undefined' is not defined"];
        assert!(both.iter().all(|line| shown.contains(&(*line).to_owned())), "{shown:?}");
        let cpp = "terminate called after throwing an instance of 'std::runtime_error'\n  what():  bind failed\n";
        assert_eq!(short(cpp, 1), ["what():  bind failed"]);
        let ruby =
            "server.rb:3:in `serve': undefined method `x' for nil (NoMethodError)\n\tfrom server.rb:9:in `<main>'\n";
        assert!(short(ruby, 1)[0].starts_with("server.rb:3:in"));
    }

    #[test]
    fn of_two_lines_one_is_the_message() {
        for written in [PYTHON, NODE, JAVA, GO, RUST, SANITIZER] {
            let shown = short(written, 2);
            assert!(shown.iter().any(|line| is_message(line)), "{shown:?}");
        }
    }

    #[test]
    fn the_code_stands_below_its_line() {
        assert!(short(PYTHON, 3).contains(&"h = json.loads(\"{\")".to_owned()));
        let header =
            "/box/server.js:3\n  throw new Error(\"boom\");\n  ^\n\nError: boom\n    at f (/box/server.js:3:9)\n";
        assert!(short(header, 4).contains(&"throw new Error(\"boom\");".to_owned()), "{:?}", short(header, 4));
    }

    #[test]
    fn an_exception_of_any_name_is_a_message_behind_python_s_frames() {
        let written =
            "Traceback (most recent call last):\n  File \"/box/a.py\", line 1, in <module>\n    f()\nGone: away\n";
        assert_eq!(short(written, 1), ["Gone: away"]);
    }

    #[test]
    fn without_a_message_both_ends_are_kept() {
        let lines: Vec<String> = (0..20).map(|number| format!("line {number}")).collect();
        let (shown, left_out) = chosen(&lines, 4);
        assert_eq!(shown, ["line 0", "line 1", "line 18", "line 19"]);
        assert!(left_out);
    }

    #[test]
    fn what_is_kept_of_much_has_head_and_tail_and_the_message_in_the_middle() {
        let noise = |name: &str| (0..500).map(|number| format!("{name} {number}\n")).collect::<String>();
        let written = noise("before") + "server: server.c:12: main: Assertion `len > 0' failed.\n" + &noise("after");
        let kept = String::from_utf8(excerpt(written.as_bytes())).expect("text");
        assert!(kept.len() <= MAX_BYTES);
        for words in ["before 0", "Assertion `len", "after 499", LEFT_OUT] {
            assert!(kept.contains(words), "{words}: {kept}");
        }
        let long = "é".repeat(100_000);
        let kept = String::from_utf8(excerpt(long.as_bytes())).expect("no character is cut");
        assert!(kept.starts_with("éé") && kept.ends_with("éé") && kept.contains(LEFT_OUT));
    }

    #[test]
    fn only_our_own_note_is_taken_out() {
        let ours = format!("NOTE: Picked up JDK_JAVA_OPTIONS: {JAVA_OPTIONS}");
        let other = "NOTE: Picked up JDK_JAVA_OPTIONS: -Xmx1g";
        let kept = excerpt(format!("{ours}\n{other}\nlast\n").as_bytes());
        assert_eq!(kept, format!("{other}\nlast").as_bytes());
    }
}
