//! From function to lab: what each function of the socket API is called, what it does, and which labs show it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::tables::call_in;
use crate::sources::sources;
use crate::support::{Lab, labs, project, read};

/// All of docs/functions.toml.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Functions {
    #[serde(rename = "function")]
    functions: Vec<Function>,
}

/// A function of the socket API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Function {
    name: String,
    python: String,
    c: String,
    /// In Rust's standard library.
    std: String,
    /// Of this project's `Socket`.
    here: String,
    /// What it does to the kernel's state.
    does: String,
    man: String,
    /// The labs that are about it.
    about: Vec<u64>,
    /// The lab to come that will show it.
    to_come: Option<u64>,
    /// Calls that it makes, each with words that their lines have.
    #[serde(default)]
    calls: Vec<String>,
    /// What stands in a program in Python that uses it, where `.name(` would be found in others, too.
    in_python: Option<String>,
    /// What stands in a lab's program in Rust that uses it.
    in_rust: Option<String>,
}

fn functions() -> Vec<Function> {
    let file: Functions =
        toml::from_str(&read("docs/functions.toml")).unwrap_or_else(|error| panic!("docs/functions.toml: {error}"));
    file.functions
}

/// What each function is called in three languages and here.
pub fn names() -> String {
    let row =
        |one: &Function| format!("| `{}` | {} | {} | {} | {} |\n", one.name, one.python, one.c, one.std, one.here);
    let rows: String = functions().iter().map(row).collect();
    format!("\n| | Python | C | Rust, `std` | Rust, `Socket` of the labs |\n|---|---|---|---|---|\n{rows}\n")
}

/// What each does, the labs that are about it, and all in which it is called.
pub fn table(labs: &[Lab]) -> String {
    let row = |one: &Function| {
        let link = |number: &u64| labs.iter().find(|lab| lab.number == *number).map(link);
        let about: Vec<String> = one.about.iter().filter_map(link).collect();
        let all = shown_in(one, labs);
        let all = match one.to_come.filter(|_| all.is_empty()) {
            Some(lab) => format!("to come: {lab:02}"),
            None => runs(&all, labs),
        };
        format!("| `{}` | {} | {} | {} | {all} |\n", one.name, one.does, one.man, about.join(" "))
    };
    let rows: String = functions().iter().map(row).collect();
    format!("\n| | what it does | man | the labs about it | all labs with it |\n|---|---|---|---|---|\n{rows}\n")
}

fn link(lab: &Lab) -> String {
    format!("[{:02}](labs/{}.md)", lab.number, lab.folder)
}

/// The labs whose programs use a function.
fn shown_in(function: &Function, labs: &[Lab]) -> BTreeSet<u64> {
    labs.iter().filter(|lab| uses(lab, function)).map(|lab| lab.number).collect()
}

fn uses(lab: &Lab, function: &Function) -> bool {
    let folder = project(&format!("labs/{}", lab.folder));
    let in_rust = function.in_rust.as_ref().is_some_and(|text| {
        fs::read_to_string(folder.join("main.rs")).is_ok_and(|program| program.contains(text.as_str()))
    });
    let in_python = || {
        let call = function.in_python.clone().unwrap_or_else(|| format!(".{}(", function.name));
        programs(&folder.join("python")).iter().any(|program| program.contains(&call))
    };
    let is_made = || {
        let recorded = |kind| fs::read_to_string(project(&format!("tests/snapshots/{}.{kind}.snap", lab.folder)));
        // A lab is recorded on a wire only if its page quotes that.
        let transcripts = ["transcript", "wire.transcript"].map(|kind| recorded(kind).unwrap_or_default());
        transcripts.iter().flat_map(|transcript| transcript.lines()).any(|line| is_call_of(function, line))
    };
    in_rust || in_python() || is_made()
}

/// Whether a line of a transcript is a call that the function makes.
fn is_call_of(function: &Function, line: &str) -> bool {
    let Some(call) = call_in(line) else { return false };
    function.calls.iter().any(|wanted| {
        let mut words = wanted.split(' ');
        words.next() == Some(call.name) && words.all(|word| line.contains(word))
    })
}

/// The Python programs of a folder, and of the folders in it.
fn programs(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let of = |path: &Path| match path.is_dir() {
        true => programs(path),
        false => fs::read_to_string(path).into_iter().collect(),
    };
    entries.flat_map(|entry| of(&entry.expect("an entry").path())).collect()
}

/// `01–09, 19, 24`: what follows each other among the labs that there are is told by its ends.
fn runs(numbers: &BTreeSet<u64>, labs: &[Lab]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let mut goes_on = false;
    for lab in labs {
        if !numbers.contains(&lab.number) {
            goes_on = false;
            continue;
        }
        match runs.last_mut().filter(|_| goes_on) {
            Some((_, last)) => *last = lab.number,
            None => runs.push((lab.number, lab.number)),
        }
        goes_on = true;
    }
    let told = runs.iter().map(|(first, last)| match last - first {
        0 => format!("{first:02}"),
        _ => format!("{first:02}–{last:02}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

#[test]
fn every_function_of_the_sources_tables_is_there_once() {
    let wanted = [
        "bind",
        "listen",
        "accept",
        "connect",
        "connect_ex",
        "recv",
        "send",
        "sendall",
        "recvfrom",
        "sendto",
        "getpeername",
        "getsockname",
        "getsockopt",
        "setsockopt",
        "close",
        "setblocking",
        "settimeout",
        "gettimeout",
        "fileno",
        "makefile",
        "socket",
        "shutdown",
        "poll",
        "select",
        "epoll",
    ];
    let wanted: BTreeSet<&str> = wanted.into();
    let functions = functions();
    let there: BTreeSet<&str> = functions.iter().map(|one| one.name.as_str()).collect();
    assert_eq!((there, functions.len()), (wanted.clone(), wanted.len()));
}

#[test]
fn every_function_has_a_lab_that_calls_it() {
    let (labs, sources) = (labs(), sources());
    for one in functions() {
        let Function { name, about, to_come, .. } = &one;
        let all = shown_in(&one, &labs);
        let is_to_come = to_come.is_some_and(|lab| sources.labs_to_come.contains_key(&lab.to_string()));
        assert!(!all.is_empty() || is_to_come, "{name}: no lab calls it, and none that is to come will");
        for lab in about {
            assert!(all.contains(lab), "{name}: lab {lab} is said to be about it, and does not call it");
        }
        let fields = [&one.python, &one.c, &one.std, &one.here, &one.does, &one.man];
        assert!(fields.iter().all(|text| !text.is_empty()), "{name}");
    }
}

#[test]
fn a_function_that_no_lab_calls_is_noticed() {
    let functions = functions();
    let of = |name: &str| functions.iter().find(|one| one.name == name).expect("it is there");
    for (name, line, is) in [
        ("setblocking", "  client  ioctl(3, FIONBIO, 1) = 0", true),
        ("setblocking", "  client  ioctl(3, FIONREAD) = 0 (5)", false),
        ("settimeout", "server  setsockopt(3, SO_RCVTIMEO, 500 ms) = 0", true),
        ("settimeout", "server  setsockopt(3, SO_REUSEADDR, 1) = 0", false),
        ("poll", "server  poll(NULL, 1000 ms) = 0", false),
        ("poll", "client  poll(3, POLLOUT, 1000 ms) = 1, revents POLLOUT", true),
        ("recv", "client  waits in recv(3) for data or FIN", false),
        ("recv", "client  recvfrom(3, up to 9) = 1 \"a\"", false),
    ] {
        assert_eq!(is_call_of(of(name), line), is, "{name}: {line}");
    }
    let labs = labs();
    let all: BTreeSet<u64> = labs.iter().map(|lab| lab.number).collect();
    assert_eq!(runs(&BTreeSet::from([1, 2, 3, 5]), &labs), "01–03, 05");
    assert_eq!(runs(&all, &labs).matches('–').count(), 1);
    assert_eq!(runs(&BTreeSet::new(), &labs), "");
}
