//! Every command that a page gives does what the page says: it ends with the exit code that stands behind it, or 0.
//!
//! The commands are the lines of the ```sh fences, and `just lab NN …` in the text. They run in a folder of their own,
//! with `just` as the justfile has it, but the built program in place of `cargo run`. This is a step of its own in CI:
//! the variable `SOCKLAB_COMMANDS` asks for it. What is not run, and why, is in `LEFT_OUT`.
//!
//! A fence with lines `# terminal 1` and `# terminal 2` is a recipe for several terminals. Each line `# type: hello`,
//! `# Ctrl-D`, `# Ctrl-C` is typed in the terminal above it when every program there is waits. What still runs at the
//! end is ended with Ctrl-C, and must end.

mod page;
mod terminal;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tempfile::TempDir;

use socklab::lab::exit::FAILS;

use crate::support::{
    Host, Once, PATIENCE, has_private_hosts, is_chosen, project, read, run, side_by_side, skip, skip_here, text,
};
use page::{Given, Step};
use terminal::Terminal;

/// Commands that no test runs: how they begin, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("cargo test", "it is these tests"),
    ("cargo build", "it builds the project"),
    ("cargo install", "it takes a registry"),
    ("pip install", "it takes a registry"),
    ("sudo ", "it takes a machine that one may change"),
    ("docker ", "it takes Docker"),
    ("tshark ", "it reads what the line before it wrote: tests/capture.rs"),
    ("just test", "it is these tests"),
    ("just watch", "it is a full screen without an end: tests/students.rs"),
    ("just new-exercise", "it makes files that the build must find: .ci/new-lab"),
    ("just soak-judge", "it is a step of its own"),
    ("just nightly", "it takes a night"),
    ("just matrix", "it is a step of its own"),
    ("just grade 30 --", "the program is the reader's"),
    ("just solution 30", "it takes an exercise that is passed: tests/students.rs"),
    ("head -c 32 /dev/urandom", "it writes beside the folder"),
    ("socklab grade 30 --seed-file", "the folder with what was handed in is the reader's"),
];

/// Commands that do not do yet what their page says: the page, how they begin, and why.
const NOT_YET: &[(&str, &str, &str)] = &[];

#[test]
fn every_command_of_every_page_ends_as_the_page_says() {
    let test = "every_command_of_every_page_ends_as_the_page_says";
    if std::env::var_os("SOCKLAB_COMMANDS").is_none() {
        return skip_here(test, "it is a step of its own: SOCKLAB_COMMANDS=1");
    }
    if !has_private_hosts() {
        return skip(test, "it takes private hosts");
    }
    let given: Vec<Given> = pages().iter().flat_map(|page| page::given(page, &read(page))).collect();
    // What is repeated to be measured, or raced, takes the machine for itself.
    let (repeated, usual): (Vec<Given>, Vec<Given>) = given.into_iter().partition(Given::repeats);
    let mut complaints = side_by_side(&usual, complaints_about).concat();
    complaints.extend(repeated.iter().flat_map(complaints_about));
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn what_is_left_out_stands_in_a_page() {
    let all: Vec<String> = pages().iter().map(|page| read(page)).collect();
    for (command, _why) in LEFT_OUT.iter().filter(|_| crate::support::all_are_chosen()) {
        let usual = ["cargo install", "pip install", "sudo ", "docker "].contains(command);
        assert!(
            usual || all.iter().any(|page| page.contains(command)),
            "no page has {command:?}: take it off LEFT_OUT"
        );
    }
}

/// The pages for readers, by their paths in the project.
fn pages() -> Vec<String> {
    let in_folder = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(project(folder)).expect("a folder").flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}/{name}")).collect()
    };
    let of_labs = in_folder("docs/labs").into_iter().filter(|page| {
        let name = page.rsplit('/').next().unwrap_or_default();
        is_chosen(name.split('-').next().unwrap_or_default())
    });
    let mut pages: Vec<String> = of_labs.collect();
    if crate::support::all_are_chosen() {
        pages.extend(in_folder("docs"));
        pages.push("README.md".to_owned());
    }
    pages.sort();
    pages
}

/// Does what a page gives, and says what did not come out as it says.
fn complaints_about(given: &Given) -> Vec<String> {
    let place = Place::new();
    let complaints = if given.is_for_terminals() { in_terminals(given, &place) } else { one_by_one(given, &place) };
    complaints.into_iter().map(|complaint| format!("{}: {complaint}", given.place)).collect()
}

/// Runs one command after the other, without input.
fn one_by_one(given: &Given, place: &Place) -> Vec<String> {
    static RUNS: Once<(i32, String)> = Once::new();
    let host = given.needs_a_host().then(Host::open);
    let mut complaints = Vec::new();
    for step in &given.steps {
        let Step::Command { line, code } = step else { continue };
        let not_yet = NOT_YET.iter().any(|(page, begins, _)| given.place.starts_with(page) && line.starts_with(begins));
        if not_yet || LEFT_OUT.iter().any(|(begins, _why)| line.starts_with(begins)) {
            continue;
        }
        let ends = || {
            let mut command = place.command_within(PATIENCE - Duration::from_secs(20), line);
            if let Some(host) = &host {
                host.enter(&mut command);
            }
            let output = run(&mut command);
            (code_of(output.status), text(&output.stderr))
        };
        // A demo is the same wherever it stands.
        let (is, said) =
            if line.starts_with("just lab ") && host.is_none() { RUNS.get(line.clone(), ends) } else { ends() };
        if is == TIMED_OUT && said.contains("the machine was too slow") {
            skip_here(given.place.as_str(), &format!("`{line}`: the machine is too slow for it now"));
            continue;
        }
        // What `just start` has made does not pass yet.
        let is_a_starter = line.starts_with("just grade ") && is == i32::from(FAILS);
        if is != *code && !is_a_starter {
            complaints.push(format!("`{line}` ends with {is}, not {code}: {}", said.trim_end()));
        }
    }
    complaints
}

/// Goes through a recipe for several terminals of one host.
fn in_terminals(given: &Given, place: &Place) -> Vec<String> {
    let host = Host::open();
    let mut terminals: Vec<(u32, Terminal)> = Vec::new();
    let mut at = 0;
    for step in &given.steps {
        match step {
            Step::Terminal(number) => {
                at = terminals.iter().position(|(other, _)| other == number).unwrap_or(terminals.len());
                if at == terminals.len() {
                    terminals.push((*number, Terminal::open()));
                }
            }
            Step::Command { line, code } => {
                if let Err(complaint) = terminals[at].1.ends_by_itself() {
                    return vec![complaint];
                }
                let mut command = place.command(line);
                terminals[at].1.start(host.enter(&mut command), line, *code);
            }
            Step::Keys(keys) => {
                if let Err(complaint) = terminals[at].1.press(keys) {
                    return vec![complaint];
                }
            }
        }
        terminal::all_wait(&mut terminals);
    }
    terminals.into_iter().filter_map(|(_, terminal)| terminal.close().err()).collect()
}

/// The exit code of `timeout`.
const TIMED_OUT: i32 = 124;

/// As a shell says it.
fn code_of(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// A folder in which commands run as in a checkout, with the labs and the pages, and nothing else of ours.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["labs", "docs"] {
            symlink(project(name), folder.path().join(name)).expect("a link");
        }
        fs::copy(project("Cargo.toml"), folder.path().join("Cargo.toml")).expect("a copy");
        let place = Place { folder };
        fs::create_dir(place.bin()).expect("a folder");
        let socklab = env!("CARGO_BIN_EXE_socklab");
        place.program("just", &just(&read("justfile"), socklab));
        place.program(
            "cargo",
            &format!("#!/bin/sh\n[ \"$1 $2 $3\" = 'run -q --' ] || exit 99\nshift 3\nexec {socklab} \"$@\"\n"),
        );
        place.program("socklab", &format!("#!/bin/sh\nexec {socklab} \"$@\"\n"));
        place
    }

    fn bin(&self) -> PathBuf {
        self.folder.path().join(".bin")
    }

    fn program(&self, name: &str, script: &str) {
        let file = self.bin().join(name);
        fs::write(&file, script).expect("a script");
        fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).expect("a script that may be run");
    }

    /// A line as a shell runs it, here.
    fn command(&self, line: &str) -> Command {
        self.set_up(Command::new("bash"), &["-c", line])
    }

    /// The same, ended with the exit code 124 if it takes longer.
    fn command_within(&self, patience: Duration, line: &str) -> Command {
        // The machine's /tmp is everybody's: another user's file of that name may be there.
        let line = line.replace(" /tmp/", &format!(" {}/", self.folder.path().display()));
        self.set_up(Command::new("timeout"), &[&patience.as_secs().to_string(), "bash", "-c", &line])
    }

    fn set_up(&self, mut command: Command, words: &[&str]) -> Command {
        let path = format!("{}:{}", self.bin().display(), std::env::var("PATH").unwrap_or_default());
        command.args(words).env("PATH", path).current_dir(self.folder.path());
        // Cargo's own name of the checkout would lead back to it.
        command.env_remove("CARGO_MANIFEST_DIR").env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

/// A `just` that does what the justfile says, for the recipes that are a call of our program: `cargo run … -- lab
/// "$@"`.
fn just(justfile: &str, socklab: &str) -> String {
    let mut script = "#!/bin/sh\nrecipe=$1\nshift\ncase $recipe in\n".to_owned();
    let mut recipe = "";
    for line in justfile.lines() {
        if line.starts_with(|first: char| first.is_ascii_lowercase()) {
            recipe = line.split([' ', ':']).next().unwrap_or_default();
        }
        let called = line.trim_start().strip_prefix("cargo run -q ").and_then(|rest| rest.split_once("-- "));
        if let Some((_, call)) = called {
            script += &format!("{recipe}) exec {socklab} {call} ;;\n");
        }
    }
    script + "*) echo \"just: $recipe is no call of socklab\" >&2; exit 99 ;;\nesac\n"
}

#[test]
fn just_is_the_justfile_with_the_built_program() {
    let script =
        just("set quiet\n\n# List\nlab +arguments:\n    cargo run -q -- lab \"$@\"\n\ntest:\n    cargo test\n", "/x");
    assert!(script.contains("\nlab) exec /x lab \"$@\" ;;\n*) echo"), "{script}");
    for recipe in ["lab", "labs", "start", "grade", "hint", "progress", "reset", "solution", "claims", "doctor"] {
        assert!(
            just(&read("justfile"), "/x").contains(&format!("\n{recipe}) exec /x {recipe} \"$@\" ;;\n")),
            "{recipe}"
        );
    }
    let place = Place::new();
    for (line, code) in [("just labs", 0), ("just lab 998", 2), ("just dance", 99), ("cargo run -q -- labs", 0)] {
        assert_eq!(code_of(run(&mut place.command(line)).status), code, "{line}");
    }
    assert!(Path::new(&place.folder.path().join("labs/README.md")).exists());
}

#[test]
fn a_recipe_for_two_terminals_is_typed_and_what_it_does_not_promise_is_noticed() {
    let test = "a_recipe_for_two_terminals_is_typed_and_what_it_does_not_promise_is_noticed";
    if !has_private_hosts() {
        return skip(test, "it takes private hosts");
    }
    let recipe = |end: &str| {
        let steps = "# terminal 1\njust lab 01 server\n# terminal 2\njust lab 01 client\n# type: hello\n";
        format!("```sh\n{steps}{end}```\n")
    };
    let complaints = |page: String| page::given("a", &page).iter().flat_map(complaints_about).collect::<Vec<_>>();
    assert_eq!(complaints(recipe("# Ctrl-D\n")), Vec::<String>::new());
    // The client asks for more: it has not ended, and has no exit code.
    assert_eq!(complaints(recipe("# Ctrl-D\njust lab 01 client # exit 3\n# Ctrl-D\n")).len(), 1);
    let ended = complaints(recipe("# Ctrl-D\n# type: too late\n"));
    assert!(ended.len() == 1 && ended[0].contains("has ended"), "{ended:?}");
}
