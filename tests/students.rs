//! What a student types: start, grade, hint, watch, progress, reset, solution; each in a work folder of the test's own.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use tempfile::TempDir;

use crate::support::{PATIENCE, finish, has, project, run, side_by_side, skip, socklab, wait_until};

/// A work folder of one test.
struct Work(TempDir);

impl Work {
    fn new() -> Work {
        Work(tempfile::tempdir().expect("a folder"))
    }

    fn types(&self, arguments: &str) -> Output {
        run(socklab().args(arguments.split(' ')).env("SOCKLAB_WORK", self.0.path()))
    }

    /// What is printed, of a command that must end like this.
    fn prints(&self, arguments: &str, code: i32) -> String {
        let output = self.types(arguments);
        let (out, complaint) = (String::from_utf8(output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments}: {complaint}");
        assert!(!complaint.contains("panicked at"), "{complaint}");
        out.expect("UTF-8") + &complaint
    }

    fn file(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn put(&self, path: &str, text: &str) {
        fs::write(self.file(path), text).expect("a file is written");
    }
}

/// A file of the exercise with which these tests are made.
fn of_the_exercise(path: &str) -> String {
    fs::read_to_string(project("labs/30-struct-header/exercise").join(path)).expect("a file of exercise 30")
}

fn contains(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
}

#[test]
fn start_makes_a_folder_with_the_task_and_the_starter() {
    let work = Work::new();
    contains(&work.prints("start 30", 0), &["just start 30 python", "README.md"]);
    assert!(!work.file("30").exists(), "nothing is made where no language is named");
    contains(&work.prints("start 30 python", 0), &["TASK.md", "server.py", "just grade 30"]);
    assert_eq!(work.text("30/server.py"), of_the_exercise("starters/python/server.py"));
    let task = work.text("30/TASK.md");
    let link = task.split("](").nth(1).and_then(|rest| rest.split(')').next()).expect("a link");
    assert!(work.file("30").join(link).is_file(), "{link} leads nowhere");
    assert!(task.contains("| `split-anywhere` | 10 | reads a message"), "the task has no points: {task}");
    let try_it = task.split("## Try it").nth(1).and_then(|rest| rest.split("## ").next()).expect("a section");
    assert!(!try_it.contains("just start"), "it is told to who has started: {try_it}");
    contains(try_it, &["just grade 30", "just watch 30", "    python3 server.py\n"]);
    work.put("30/server.py", "mine");
    contains(&work.prints("start 30 python", 2), &["is there already", "just reset 30 begins anew"]);
    contains(&work.prints("start 30 c", 2), &["is there already", "just reset 30 c begins anew"]);
    assert_eq!(work.text("30/server.py"), "mine");
    contains(&work.prints("start 30 cobol", 2), &["no starter in \"cobol\"", "python"]);
    contains(&work.prints("start 99 python", 2), &["no exercise \"99\"", "30"]);
}

#[test]
fn start_alone_lists_the_exercises_and_how_far_they_are() {
    let work = Work::new();
    let all = work.prints("start", 0);
    let row =
        |all: &str, id: &str| all.lines().find(|line| line.split(' ').next() == Some(id)).unwrap_or("").to_owned();
    contains(&row(&all, "30-client"), &["a struct-header client", "c, python, rust"]);
    contains(&all, &["just start 01 python"]);
    work.prints("start 30 c", 0);
    contains(&row(&work.prints("start", 0), "30"), &["begun"]);
    assert!(work.text("30/TASK.md").contains("-o program server.c && ./program\n"), "{}", work.text("30/TASK.md"));
    work.prints("start 27 rust", 0);
    let by_hand = "-o program client.rs && echo 'echo hello' | ./program ";
    assert!(work.text("27/TASK.md").contains(by_hand), "{}", work.text("27/TASK.md"));
    contains(&work.prints("reset 30 python", 0), &["30.old-1", "server.py"]);
    assert_eq!(work.text("30/server.py"), of_the_exercise("starters/python/server.py"));
}

/// What a task tells to type in the first terminal, in the second, and what comes then.
fn by_hand(exercise: &str) -> (String, String, String) {
    let page = fs::read_to_string(project(exercise).join("README.md")).expect("a page");
    let section =
        page.split("By hand, in two terminals").nth(1).unwrap_or_else(|| panic!("{exercise}: nothing by hand"));
    let mut lines = section.lines().filter_map(|line| line.strip_prefix("    "));
    let first = lines.next().expect("a first line").to_owned();
    let (second, shown) = lines.next().and_then(|line| line.rsplit_once("    # ")).expect("a second line");
    (first, second.to_owned(), shown.to_owned())
}

#[test]
fn what_a_task_tells_to_type_by_hand_does_what_it_says() {
    let test = "what_a_task_tells_to_type_by_hand_does_what_it_says";
    if !has("python3") || !has("bash") {
        return skip(test, "python3 and bash are not here");
    }
    let output = run(socklab().args(["start"]));
    let ids = String::from_utf8(output.stdout).expect("UTF-8");
    let ids: Vec<&str> =
        ids.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split(' ').next()).collect();
    assert!(ids.len() >= 12, "{ids:?}");
    let exercises: Vec<String> = fs::read_dir(project("labs"))
        .expect("the labs")
        .flatten()
        .flat_map(|lab| fs::read_dir(lab.path()).into_iter().flatten().flatten())
        .map(|entry| entry.path())
        .filter(|path| path.join("checks.rs").is_file())
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(exercises.len(), ids.len());
    side_by_side(&exercises, |exercise| {
        let (first, second, shown) = by_hand(exercise);
        let kind =
            if first.contains("udp") || second.contains("/udp/") || first.contains("recvfrom") { "udp" } else { "tcp" };
        // Another test may have the classic port.
        let classic =
            ["8080", "8081", "9000", "9003"].into_iter().find(|port| (first.clone() + &second).contains(port));
        let port = free_port(kind);
        let typed = |line: &str| line.replace(classic.expect("a port"), &port);
        let mut command = Command::new("bash");
        command.args(["-c", &format!("exec {}", typed(&first))]).env("PORT", &port);
        let here = PathBuf::from(exercise).join("solutions/python");
        let mut server = spawn(command.current_dir(&here));
        let is_there = || {
            let table = fs::read_to_string(format!("/proc/net/{kind}")).expect("a table");
            let number: u16 = port.parse().expect("a port");
            let listens = |line: &str| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let state = if kind == "tcp" { "0A" } else { "07" };
                fields.get(1).is_some_and(|at| at.ends_with(&format!(":{number:04X}"))) && fields.get(3) == Some(&state)
            };
            table.lines().any(listens)
        };
        wait_until(&format!("{exercise}: it listens"), is_there);
        let output = run(Command::new("bash").args(["-c", &typed(&second)]).env("PORT", &port).current_dir(&here));
        let _ = server.kill();
        finish(server);
        // The time is another one by now.
        let plain = |text: &str| {
            text.split_whitespace().collect::<Vec<_>>().join(" ").replace(|c: char| c.is_ascii_digit(), "0")
        };
        let came = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(plain(&came).contains(&plain(&shown)), "{exercise}: {came:?} is not {shown:?}");
    });
}

/// A port that nobody has now.
fn free_port(kind: &str) -> String {
    let address = match kind {
        "udp" => UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()),
        _ => TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()),
    };
    address.expect("a free port").port().to_string()
}

#[test]
fn reset_puts_the_starter_back_and_loses_nothing() {
    let work = Work::new();
    contains(&work.prints("reset 30", 2), &["just start 30"]);
    work.prints("start 30 python", 0);
    for (mine, aside) in [("first", "30.old-1"), ("second", "30.old-2")] {
        work.put("30/server.py", mine);
        work.put("30/notes.txt", mine);
        contains(&work.prints("reset 30", 0), &[aside]);
        assert_eq!(work.text(&format!("{aside}/server.py")), mine);
        assert_eq!(work.text(&format!("{aside}/notes.txt")), mine);
        assert_eq!(work.text("30/server.py"), of_the_exercise("starters/python/server.py"));
        assert!(!work.file("30/notes.txt").exists());
    }
    fs::rename(work.file("30/server.py"), work.file("30/other.py")).expect("renamed");
    contains(&work.prints("reset 30", 2), &["in which language?"]);
    assert!(work.file("30/other.py").exists());
}

#[test]
fn hints_come_one_by_one_and_are_counted() {
    let work = Work::new();
    contains(&work.prints("hint 30 --again", 0), &["No hint has been given"]);
    let mut given = Vec::new();
    loop {
        let hint = work.prints("hint 30", 0);
        assert!(!given.contains(&hint), "{hint}");
        if hint.contains("no more hints") {
            break;
        }
        contains(&hint, &[&format!("Hint {} of ", given.len() + 1)]);
        assert_eq!(hint.matches("Hint ").count(), 1, "one at a time: {hint}");
        given.push(hint);
    }
    assert!(given.len() >= 4, "{given:?}");
    let again = work.prints("hint 30 --again", 0);
    assert_eq!(again.matches("Hint ").count(), given.len(), "{again}");
    contains(&work.text("progress.toml"), &[&format!("hints = {}", given.len())]);
    contains(&work.prints("progress", 0), &[&format!("{0} of {0}", given.len())]);
}

#[test]
fn a_solution_is_for_who_has_passed_or_gives_up() {
    let work = Work::new();
    contains(&work.prints("solution 30 python", 2), &["not passed yet", "--give-up"]);
    let solution = of_the_exercise("solutions/python/server.py");
    contains(&work.prints("solution 30 python --give-up", 0), &[&solution]);
    contains(&work.prints("progress", 0), &["given up"]);
    let work = Work::new();
    work.prints("start 30 python", 0);
    work.put("30/server.py", &solution);
    contains(&work.prints("grade 30", 0), &["pass", "100 of 100 points"]);
    // The language is that of the folder.
    contains(&work.prints("solution 30", 0), &[&solution]);
    assert!(!work.prints("progress", 0).contains("solution seen"));
}

#[test]
fn progress_keeps_the_best_grade_and_survives() {
    let work = Work::new();
    contains(&work.prints("progress", 0), &["0 of "]);
    work.prints("start 30 python", 0);
    contains(&work.prints("progress", 0), &["begun"]);
    contains(&work.prints("grade 30", 8), &["fail", "0 of 100 points"]);
    work.put("30/server.py", &of_the_exercise("solutions/python/server.py"));
    work.prints("grade 30", 0);
    work.put("30/server.py", "import sys; sys.exit(3)");
    contains(&work.prints("grade 30", 8), &["exit code 3"]);
    let progress = work.prints("progress", 0);
    contains(&progress, &["100/100", "✓ passed", "1 of "]);
    let row = progress.lines().find(|line| line.starts_with("30 ")).expect("a row");
    assert!(row.split_whitespace().any(|word| word == "3"), "three tries: {row}");
    // A check alone is no grade, and no try.
    work.prints("grade 30 --check one-message", 8);
    contains(&work.text("progress.toml"), &["tries = 3"]);
    // A file that somebody has broken is named, and not written over.
    work.put("progress.toml", "nonsense");
    contains(&work.prints("progress", 2), &["progress.toml", "mend it"]);
    work.prints("hint 30", 2);
    assert_eq!(work.text("progress.toml"), "nonsense");
}

#[test]
fn tries_are_counted_also_side_by_side() {
    let work = Work::new();
    work.prints("start 30 python", 0);
    work.put("30/server.py", "import sys; sys.exit(3)");
    let together: Vec<Child> =
        (0..4).map(|_| spawn(socklab().args(["grade", "30"]).env("SOCKLAB_WORK", work.0.path()))).collect();
    for child in together {
        assert_eq!(finish(child).status.code(), Some(8));
    }
    contains(&work.text("progress.toml"), &["tries = 4"]);
}

#[test]
fn a_folder_or_a_command_can_be_judged_as_well() {
    let work = Work::new();
    work.put("mine.py", &of_the_exercise("solutions/python/server.py"));
    let folder = work.0.path().to_str().expect("UTF-8").to_owned();
    contains(&work.prints(&format!("grade 30 --folder {folder}"), 0), &["100 of 100"]);
    contains(&work.prints(&format!("grade 30 -- python3 {folder}/mine.py"), 0), &["100 of 100"]);
    work.put("socklab.toml", "run = [\"python3\", \"mine.py\", \"{port}\"]\n");
    work.put("other.py", "");
    contains(&work.prints(&format!("grade 30 --folder {folder}"), 0), &["100 of 100"]);
    assert!(!work.file("progress.toml").exists(), "what is not in work/ is not kept");
    work.put("socklab.toml", "ruin = 1\n");
    contains(&work.prints(&format!("grade 30 --folder {folder}"), 2), &["socklab.toml", "ruin"]);
}

fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs its arguments on a terminal of 24 lines and 80 columns; what is typed comes on standard input. Behind a zero
/// byte come the lines and columns that the terminal has from then on.
const ON_A_TERMINAL: &str = "
import fcntl, os, pty, struct, sys, termios
def size(terminal, lines, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', lines, columns, 0, 0))
pid, terminal = pty.fork()
if pid == 0:
    size(1, 24, 80)
    print('was-set', termios.tcgetattr(0)[3], flush=True)
    child = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print('is-set', termios.tcgetattr(0)[3], 'code', code, 'that is all', flush=True)
    os._exit(0)
if os.fork() == 0:
    while typed := os.read(0, 1):
        if typed == b'\\0': size(terminal, os.read(0, 1)[0], os.read(0, 1)[0])
        else: os.write(terminal, typed)
    os._exit(0)
try:
    while shown := os.read(terminal, 65536): os.write(1, shown)
except OSError:
    pass
os._exit(0)
";

/// `watch` on a terminal, and all that it has shown.
struct Watching {
    child: Child,
    /// What it shows, piece by piece, as a thread reads it.
    pieces: Receiver<Vec<u8>>,
    shown: String,
    all: String,
}

impl Watching {
    fn begin(work: &Work) -> Watching {
        Watching::of(work, "watch")
    }

    /// A command for exercise 30 on a terminal.
    fn of(work: &Work, command: &str) -> Watching {
        let word = command;
        let mut command = Command::new("python3");
        command.args(["-c", ON_A_TERMINAL, env!("CARGO_BIN_EXE_socklab"), word, "30"]);
        let mut child = spawn(command.env("SOCKLAB_WORK", work.0.path()).env_remove("NO_COLOR"));
        let (mut shown, (tell, pieces)) = (child.stdout.take().expect("a pipe"), channel());
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = shown.read(&mut piece) {
                if tell.send(piece[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Watching { child, pieces, shown: String::new(), all: String::new() }
    }

    /// Waits for the next piece of what it shows.
    fn read(&mut self, wanted: &str) {
        match self.pieces.recv_timeout(PATIENCE) {
            Ok(piece) => self.shown += &String::from_utf8_lossy(&piece),
            Err(why) => panic!("no {wanted:?} ({why}): {}", anstream::adapter::strip_str(&self.shown)),
        }
    }

    /// Reads what is shown until these words are; then the screen as it is.
    fn until(&mut self, words: &str) -> String {
        while !self.shown.contains(words) {
            self.read(words);
        }
        let shown = std::mem::take(&mut self.shown);
        self.all += &shown;
        shown.rsplit("\x1b[H").next().unwrap_or_default().to_owned()
    }

    fn types(&mut self, key: &[u8]) {
        self.child.stdin.as_mut().expect("a pipe").write_all(key).expect("it is typed");
    }

    /// The screen, once one of this size shows these words: no row is wider than it.
    fn screen(&mut self, (lines, columns): (u8, u8), words: &str) -> String {
        loop {
            // What was written in one piece.
            let written = self.shown.rsplit("\x1b[H").find_map(|frame| Some(frame.split_once("\x1b[J")?.0));
            let plain = written.map(|frame| anstream::adapter::strip_str(frame).to_string().replace('\r', ""));
            let fits = |screen: &String| screen.split('\n').count() == usize::from(lines) && screen.contains(words);
            if let Some(screen) = plain.filter(fits) {
                for row in screen.lines() {
                    assert!(unicode_width::UnicodeWidthStr::width(row) <= columns.into(), "{columns}: {row:?}");
                }
                return screen;
            }
            self.read(words);
        }
    }

    fn resize(&mut self, (lines, columns): (u8, u8)) {
        self.types(&[0, lines, columns]);
    }

    /// Reads to the end: the terminal must be as it was, and the exit code this one.
    fn ends_with(mut self, code: &str) {
        self.until("that is all");
        let all = self.all;
        finish(self.child);
        contains(&all, &["\x1b[?1049l", "\x1b[?25h", &format!("code {code} that is all")]);
        is_set_as_before(&all);
    }
}

/// The numbers behind `was-set` and `is-set` that tell how the terminal was set.
fn is_set_as_before(shown: &str) {
    let number =
        |word: &str| shown.split(word).nth(1).and_then(|rest| rest.split_whitespace().next().map(str::to_owned));
    assert_eq!(number("was-set "), number("is-set "), "{shown}");
}

#[test]
fn watch_judges_at_each_save_and_gives_the_terminal_back() {
    if !has("python3") {
        return skip("watch_judges_at_each_save_and_gives_the_terminal_back", "python3 is not here");
    }
    let work = Work::new();
    work.prints("start 30 python", 0);
    let mut watching = Watching::begin(&work);
    let screen = watching.until("judged 1×");
    contains(&screen, &["one-message", "fail"]);
    assert!(screen.lines().count() <= 24, "{screen}");
    work.put("30/server.py", &of_the_exercise("solutions/python/server.py"));
    contains(&watching.until("judged 2×"), &["pass", "100 of 100"]);
    // As editors save: a new file in the place of the old one. And a reset: another folder in the place of that one.
    work.put("30/new", "import sys; sys.exit(3)");
    fs::rename(work.file("30/new"), work.file("30/server.py")).expect("renamed");
    contains(&watching.until("judged 3×"), &["exit code 3"]);
    work.prints("reset 30", 0);
    contains(&watching.until("judged 4×"), &["fail"]);
    // Who saves while a judgement is under way is judged again after it.
    work.put("30/server.py", &of_the_exercise("solutions/python/server.py"));
    watching.until("judging");
    work.put("30/server.py", "import sys; sys.exit(4)");
    contains(&watching.until("judged 6×"), &["exit code 4"]);
    watching.types(b"q");
    watching.ends_with("0");
}

/// A server for exercise 30 that does everything but to make letters large.
const UNCHANGED: &str = "
import os, socket, struct
server = socket.create_server((os.environ['HOST'], int(os.environ['PORT'])))
while True:
    with server.accept()[0] as client:
        try:
            while len(header := client.recv(4, socket.MSG_WAITALL)) == 4:
                length, = struct.unpack('!I', header)
                if length > 65536: break
                client.sendall(header + client.recv(length, socket.MSG_WAITALL))
        except OSError: pass
";

/// The sizes at which screens are looked at: lines and columns.
const SIZES: [(u8, u8); 3] = [(24, 80), (30, 100), (20, 60)];

#[test]
fn a_screen_of_any_size_has_what_matters_most_of_each_failure() {
    let test = "a_screen_of_any_size_has_what_matters_most_of_each_failure";
    if !has("python3") || !has("cc") {
        return skip(test, "python3 or cc is not here");
    }
    let work = Work::new();
    work.prints("start 30 python", 0);
    let solution = of_the_exercise("solutions/python/server.py");
    let crash = "import os, socket\nserver = socket.create_server((os.environ['HOST'], int(os.environ['PORT'])))\n\
        def serve(client):\n    print('a client')\n    undefined_name(client.recv(4))\nserve(server.accept()[0])\n";
    let prints = "import os, socket\nserver = socket.create_server((os.environ['HOST'], int(os.environ['PORT'])))\n\
        client, _ = server.accept()\nlength = client.recv(4)\nprint(client.recv(9).upper().decode())\nclient.recv(1)\n";
    let cases: [(&str, &[&str]); 5] = [
        // The first one is of wrong bytes, with a caret.
        (
            UNCHANGED,
            &[
                "one-message (1 of ",
                "its answer is not what it must be",
                "expected ",
                "got ",
                "^ byte",
                "4  our client expects",
            ],
        ),
        (crash, &["closed the connection instead of answering", "NameError", "line 5, in serve", "exit code 1"]),
        (prints, &["it does not answer", "it printed ", "and did not send it", "asleep in recvfrom"]),
        (
            "import sys\nport = int(sys.argv[1])\n",
            &["✗ it starts, and listens on PORT", "IndexError", "sys.argv[1]", "need that first", "It wants words"],
        ),
        (&solution, &["✓ pass", "100 of 100 points", "just solution 30", "Next: 30-client"]),
    ];
    work.put("30/server.py", cases[0].0);
    let mut watching = Watching::begin(&work);
    for (number, (program, words)) in (1..).zip(cases) {
        if number > 1 {
            work.put("30/server.py", program);
        }
        let judged = format!("judged {number}×");
        for (index, size) in SIZES.into_iter().enumerate() {
            if number > 1 || index > 0 {
                watching.resize(size);
            }
            let screen = watching.screen(size, &judged);
            let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let all = one_line(&screen);
            for words in words {
                let is_there = all.contains(&one_line(words));
                assert!(is_there, "{words:?} is not on the screen of {size:?}:\n{screen}");
            }
            contains(&screen, &["q quit", "h hint", "s story"]);
        }
    }
    watching.types(b"q");
    watching.ends_with("0");
}

#[test]
fn keys_show_other_failures_the_whole_story_hints_calls_and_the_next_exercise() {
    let test = "keys_show_other_failures_the_whole_story_hints_calls_and_the_next_exercise";
    if !has("python3") {
        return skip(test, "python3 is not here");
    }
    let (work, size) = (Work::new(), (24, 80));
    work.prints("start 30 python", 0);
    work.put("30/server.py", &("for line in range(40): print('line', line)\n".to_owned() + UNCHANGED));
    let mut watching = Watching::begin(&work);
    contains(&watching.screen(size, "judg"), &["Judging what is in", "a struct-header server"]);
    contains(&watching.screen(size, "judged 1×"), &["one-message (1 of "]);
    watching.types(b"j");
    contains(&watching.screen(size, "(2 of "), &["several-messages"]);
    watching.types(b"s");
    let story = watching.screen(size, "q back");
    contains(
        &story,
        &["several-messages: it answers", "1  the program starts", "prints │ line 0", "more lines", "prints │ line 39"],
    );
    // To the end of what is longer than the screen, and back.
    watching.types(b"\x1b[6~");
    contains(&watching.screen(size, "--check several-messages"), &["^ byte"]);
    watching.types(b"\x1b[A\x1b[5~k");
    watching.screen(size, "one-message: it answers");
    watching.types(b"q");
    watching.screen(size, "one-message (1 of ");
    watching.types(b"h");
    contains(&watching.screen(size, "To this failure"), &["Read four bytes", "h next hint", "5 more"]);
    assert!(!work.text("progress.toml").contains("hints = 1"), "the hint to the failure costs none");
    watching.types(b"h");
    contains(&watching.screen(size, "Hint 1 of 5"), &["4 more"]);
    assert!(work.text("progress.toml").contains("hints = 1"));
    watching.types(b"t");
    contains(&watching.screen(size, "── 1. one-message"), &["│ line 0", "q back"]);
    watching.types(b"q");
    watching.types(b"n");
    contains(&watching.screen(size, "n go there"), &["Next: 30-client", "a starter in python"]);
    watching.types(b"n");
    contains(&watching.screen(size, "client: python3 client.py"), &["30-client a struct-header client", "fail"]);
    assert!(work.file("30-client/client.py").is_file(), "the starter is there");
    watching.types(b"q");
    watching.ends_with("0");
}

#[test]
fn a_report_on_a_terminal_is_as_wide_as_it() {
    if !has("python3") {
        return skip("a_report_on_a_terminal_is_as_wide_as_it", "python3 is not here");
    }
    let work = Work::new();
    work.prints("start 30 python", 0);
    let mut grading = Watching::of(&work, "grade");
    let told = grading.until("that is all");
    let told = anstream::adapter::strip_str(&told).to_string().replace('\r', "\n");
    contains(&told, &["it answers one message", "fail  0 of 100 points"]);
    for line in told.lines().filter(|line| !line.contains("again ") && !line.contains("judging ")) {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 80, "{line:?}");
    }
    assert!(work.prints("grade 30", 8).lines().any(|line| line.chars().count() > 80), "in a pipe it is wider");
    finish(grading.child);
}

#[test]
fn the_first_hint_after_a_failure_is_to_that_failure_and_costs_nothing() {
    if !has("python3") {
        return skip("the_first_hint_after_a_failure_is_to_that_failure_and_costs_nothing", "python3 is not here");
    }
    let work = Work::new();
    work.prints("start 30 python", 0);
    work.put("30/server.py", "import sys\nport = sys.argv[1]\n");
    work.prints("grade 30", 8);
    contains(&work.prints("hint 30", 0), &["To what failed last", "{host} {port}", "5 more"]);
    contains(&work.prints("hint 30", 0), &["Hint 1 of 5"]);
}

#[test]
fn watch_gives_the_terminal_back_however_it_ends() {
    if !has("python3") {
        return skip("watch_gives_the_terminal_back_however_it_ends", "python3 is not here");
    }
    let work = Work::new();
    work.prints("start 30 python", 0);
    let mut watching = Watching::begin(&work);
    watching.until("judging");
    // Also in the midst of a judgement.
    watching.types(&[3]);
    watching.ends_with("0");
    for (signal, code) in [("TERM", "143"), ("INT", "130"), ("HUP", "129")] {
        let mut watching = Watching::begin(&work);
        watching.until("judging");
        let pid = descendant(watching.child.id(), "socklab").expect("the program that watches");
        assert!(run(Command::new("kill").args([&format!("-{signal}"), &pid.to_string()])).status.success());
        watching.ends_with(code);
    }
}

/// A descendant of a process with this name, the nearest.
fn descendant(of: u32, name: &str) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    let children: Vec<u32> = children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    let is = |pid: &&u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name);
    children.iter().find(is).copied().or_else(|| children.iter().find_map(|pid| descendant(*pid, name)))
}

#[test]
fn watch_says_that_it_needs_a_terminal() {
    let work = Work::new();
    work.prints("start 30 python", 0);
    contains(&work.prints("watch 30", 2), &["needs a terminal", "just grade 30"]);
    contains(&Work::new().prints("watch 30", 2), &["just start 30"]);
}
