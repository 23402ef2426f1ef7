//! What pages quote: functions, programs, recorded scenes and verdicts, measured times.

use std::fs;

use crate::support::{Lab, has_private_hosts, played_here, project, read};

/// `fn server`, `python/server.py`, `python/server.py def main`, `scene 2`, `wire scene 2`, `claims`,
/// `said by client in scene 2`, `said by client in scenes 2 to 6`; in a page that is no lab's, with the lab's number in
/// front: `05 scene 1`. In any page, a function of an example: `examples/framing.rs fn answer`.
pub fn quotation(what: &str, lab: Option<&Lab>, labs: &[Lab]) -> Option<String> {
    if let Some((number, rest)) = what.split_once(' ').filter(|(word, _)| word.parse::<u64>().is_ok()) {
        let number: u64 = number.parse().ok()?;
        return quotation(rest, labs.iter().find(|lab| lab.number == number), labs);
    }
    if let Some((file, name)) = what.split_once(" fn ").filter(|_| what.starts_with("examples/")) {
        return function(&read(file), name);
    }
    let lab = lab?;
    if let Some(name) = what.strip_prefix("fn ") {
        return function(&read(&format!("labs/{}/main.rs", lab.folder)), name);
    }
    if let Some(number) = what.strip_prefix("wire scene ") {
        return scene(&recorded(&format!("{}.wire.transcript", lab.folder)), number);
    }
    if let Some(number) = what.strip_prefix("scene ") {
        return scene(&recorded(&format!("{}.transcript", lab.folder)), number);
    }
    if let Some((role, number)) = what.strip_prefix("said by ").and_then(|rest| rest.split_once(" in scene ")) {
        return said_in(role, number, &recorded(&format!("{}.transcript", lab.folder)));
    }
    if let Some((role, scenes)) = what.strip_prefix("said by ").and_then(|rest| rest.split_once(" in scenes ")) {
        return said_by(role, scenes, &recorded(&format!("{}.transcript", lab.folder)));
    }
    if let Some(runs) = what.strip_prefix("times ") {
        return Some(lab.prints(&["--repeat", runs, "--times"]));
    }
    if let Some(file) = what.strip_prefix("python/") {
        let (file, name) = file.split_once(" def ").map_or((file, None), |(file, name)| (file, Some(name)));
        let code = fs::read_to_string(project(&format!("labs/{}/python/{file}", lab.folder))).ok()?;
        return name.map_or(Some(code.trim_end().to_owned() + "\n"), |name| python_function(&code, name));
    }
    (what == "claims").then(|| recorded(&format!("{}.claims", lab.folder)))
}

/// A function of a Python program with its comments and decorators, to before what stands at the beginning of a line.
fn python_function(code: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = code.lines().collect();
    let at = lines.iter().position(|line| line.starts_with(&format!("def {name}(")))?;
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with(['#', '@'])).count();
    let inside = |line: &&&str| line.is_empty() || line.starts_with([' ', ')']);
    let length = lines[at + 1..].iter().take_while(inside).count();
    Some(lines[at - above..=at + length].join("\n").trim_end().to_owned() + "\n")
}

/// A function with its comments, from its first line to the brace that closes it at the beginning of a line.
fn function(code: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = code.lines().collect();
    let begins = |line: &&str| line.trim_start_matches("pub ").starts_with(&format!("fn {name}("));
    let at = lines.iter().position(begins)?;
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#[")).count();
    let length = lines[at..].iter().position(|line| *line == "}")?;
    Some(lines[at - above..=at + length].join("\n") + "\n")
}

/// The numbers of a transcript's scenes.
pub fn scenes(transcript: &str) -> Vec<&str> {
    transcript.lines().filter_map(|line| line.strip_prefix("── ")?.split_once(". ").map(|(number, _)| number)).collect()
}

/// One scene of a transcript, from its title to before the next one's.
pub fn scene(transcript: &str, number: &str) -> Option<String> {
    let title = format!("── {number}. ");
    let lines: Vec<&str> = transcript.lines().collect();
    let at = lines.iter().position(|line| line.starts_with(&title))?;
    let length = lines[at + 1..].iter().position(|line| line.starts_with("── "));
    let end = length.map_or(lines.len(), |length| at + 1 + length);
    Some(lines[at..end].join("\n").trim_end().to_owned() + "\n")
}

/// What a role printed in a scene, line by line.
fn said_in(role: &str, number: &str, transcript: &str) -> Option<String> {
    let scene = scene(transcript, number)?;
    let said = scene.lines().filter_map(|line| line.trim_start().strip_prefix(role)?.strip_prefix("  │ "));
    let said: String = said.map(|line| format!("{line}\n")).collect();
    (!said.is_empty()).then_some(said)
}

/// What a role printed in these scenes, as one table: they all begin with the same heading.
fn said_by(role: &str, scenes: &str, transcript: &str) -> Option<String> {
    let (first, last) = scenes.split_once(" to ")?;
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    let mut heading = None;
    let mut table = String::new();
    for number in first..=last {
        let scene = scene(transcript, &number.to_string())?;
        let mut said = scene.lines().filter_map(|line| line.trim_start().strip_prefix(role)?.strip_prefix("  │ "));
        let begins = said.next()?.to_owned();
        if heading.get_or_insert_with(|| begins.clone()) != &begins {
            return None;
        }
        if number == first {
            table += &format!("         {begins}\n");
        }
        said.for_each(|line| table += &format!("scene {number}  {line}\n"));
    }
    Some(table)
}

/// The text of a snapshot, without insta's heading.
pub fn recorded(name: &str) -> String {
    let snapshot = read(&format!("tests/snapshots/{name}.snap"));
    let text = snapshot.splitn(3, "---\n").nth(2).expect("a snapshot has a heading between two lines ---");
    text.trim_end().to_owned() + "\n"
}

/// Whether a text is what `--repeat RUNS --times` prints of a lab: a heading, its scenes, and three times in order for
/// each line that is typed in them.
pub fn are_times(text: &str, lab: &Lab, runs: &str) -> Result<(), String> {
    let heading = format!("Lab {:02} {}, {runs} runs, free-running, on Linux ", lab.number, lab.name);
    if !text.starts_with(&heading) {
        return Err(format!("`just measure`: this does not begin with {heading:?}: {text}"));
    }
    if lab.wire && !has_private_hosts() {
        return Ok(());
    }
    let mut lines = text.lines().skip(4);
    for event in lab.shown_events(&[]) {
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let expected = match event["kind"].as_str() {
            Some("scene") => format!("{}. {}", event["scene"], text("text")),
            Some("input") if event["text"].is_string() => format!("   {}{} ", text("prompt"), text("text")),
            _ => continue,
        };
        let line = lines.next().unwrap_or_default();
        let rest = line.strip_prefix(&expected).ok_or(format!("`just measure`: {line:?} is not {expected:?}"))?;
        let times: Vec<f64> = rest.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        if event["kind"] == "input" && !matches!(times[..], [least, median, most] if least <= median && median <= most)
        {
            return Err(format!("`just measure`: these are not three times: {line:?}"));
        }
    }
    lines.next().map_or(Ok(()), |line| Err(format!("`just measure`: a line too many: {line:?}")))
}

#[test]
fn a_function_is_quoted_whole_and_alone() {
    let code = "fn a() {\n    b();\n}\n\n/// Says b.\nfn b() {\n    if c {\n    }\n}\n";
    assert_eq!(function(code, "a").as_deref(), Some("fn a() {\n    b();\n}\n"));
    assert_eq!(function(code, "b").as_deref(), Some("/// Says b.\nfn b() {\n    if c {\n    }\n}\n"));
    assert_eq!(function(code, "c"), None);
}

#[test]
fn what_a_role_printed_in_several_scenes_is_one_table() {
    let one = |number: u32, row: &str| format!("── {number}. a ──\n\n  b  │ not c\n  c  │ head\n  c  │ {row}\n\n");
    let transcript = one(2, "x") + &one(3, "x");
    let table = "         head\nscene 2  x\nscene 3  x\n";
    assert_eq!(said_by("c", "2 to 3", &transcript).as_deref(), Some(table));
    assert_eq!(said_by("c", "2 to 4", &transcript), None);
    assert_eq!(said_in("c", "3", &transcript).as_deref(), Some("head\nx\n"));
    assert_eq!(said_in("c", "4", &transcript), None);
}

#[test]
fn times_that_are_not_whole_are_noticed() {
    let Some(lab) = played_here("times_that_are_not_whole_are_noticed").into_iter().find(|lab| lab.number == 33) else {
        return;
    };
    let page = read(&format!("docs/labs/{}.md", lab.folder));
    let (_, times) = page.split_once("Lab 33 ").expect("its times");
    let times = format!("Lab 33 {}", times.split("```").next().expect("a fence"));
    assert_eq!(are_times(&times, &lab, "31"), Ok(()));
    assert!(are_times(&times, &lab, "1000").is_err());
    for line in times.lines() {
        let without: Vec<&str> = times.lines().filter(|other| *other != line).collect();
        assert!(are_times(&without.join("\n"), &lab, "31").is_err(), "without {line:?}");
    }
}

#[test]
fn a_python_program_is_quoted_whole_or_by_function() {
    let code =
        "import a\n\n\n# Says b.\ndef b(\n    c,\n):\n    if c:\n        d()\n\n    e()\n\n\ndef f(): pass\nb()\n";
    let b = "# Says b.\ndef b(\n    c,\n):\n    if c:\n        d()\n\n    e()\n";
    assert_eq!(python_function(code, "b").as_deref(), Some(b));
    assert_eq!(python_function(code, "f").as_deref(), Some("def f(): pass\n"));
    assert_eq!(python_function(code, "d"), None);
}
