//! A submission is a folder, and nothing else of the machine: whatever a stranger writes into one, the judge reads
//! nothing that lies elsewhere, shows nothing of it, waits for nothing, and has a verdict or a clear message.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::geteuid;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::support::{folder_for_all_users, has, has_private_hosts, read, run, side_by_side, skip, socklab, text};

/// What must come out nowhere.
const SECRET: &str = "nobody may read this";

/// The ordinary user that root's tests become.
const NOBODY: u32 = 65_534;

/// As whom the judge runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Judge {
    Root,
    User,
}

fn judges() -> Vec<Judge> {
    if geteuid().is_root() { vec![Judge::Root, Judge::User] } else { vec![Judge::User] }
}

/// A machine on which a submission lies, and things that it would like to reach.
struct Place {
    folder: TempDir,
    judge: Judge,
}

impl Place {
    /// The submission is `class/mallory`. Beside it: the right program of another student, which only the judge may
    /// read, and things of the judge's own.
    fn make(judge: Judge) -> Place {
        let place = Place { folder: folder_for_all_users(), judge };
        place.put("class/mallory/.keep", "");
        place.put("class/alice/server.py", right());
        place.put("secret.txt", SECRET);
        place.put("home/.ssh/id", SECRET);
        place.put("home/private/credentials", SECRET);
        place.copy_of_shell("home/bin/tool");
        for path in ["class/alice", "home/.ssh"] {
            place.set_mode(path, 0o700);
        }
        for path in ["secret.txt", "home/.ssh/id", "home/private/credentials"] {
            place.set_mode(path, 0o600);
        }
        place
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A path of the submission.
    fn inside(&self, path: &str) -> PathBuf {
        self.at("class/mallory").join(path)
    }

    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.at(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }

    /// Puts a file into the submission.
    fn submit(&self, path: &str, text: impl AsRef<[u8]>) {
        self.put(&format!("class/mallory/{path}"), text);
    }

    fn runs(&self, words: &[&str]) {
        self.submit("socklab.toml", format!("run = {words:?}\n"));
    }

    /// Its manifest builds by a line of shell, and runs this.
    fn builds(&self, line: &str, words: &[&str]) {
        self.submit("socklab.toml", format!("build = [\"sh\", \"-c\", {line:?}]\nrun = {words:?}\n"));
    }

    fn link(&self, to: impl AsRef<Path>, path: &str) {
        symlink(to, self.inside(path)).expect("a link");
    }

    fn fifo(&self, path: &str) {
        mknodat(CWD, self.inside(path), FileType::Fifo, Mode::from_raw_mode(0o666), 0).expect("a pipe");
    }

    fn set_mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(mode)).expect("its mode");
    }

    fn copy_of_shell(&self, path: &str) {
        let file = self.at(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        assert!(run(Command::new("cp").arg("/bin/sh").arg(&file)).status.success());
    }

    /// All belongs to the judge from now on.
    fn give_to_the_judge(&self) {
        if self.judge == Judge::User && geteuid().is_root() {
            give(self.folder.path());
        }
    }

    /// A command that the judge's user executes.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        if self.judge == Judge::User && geteuid().is_root() {
            let mut command = Command::new("/usr/bin/setpriv");
            command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(program);
            return command;
        }
        Command::new(program)
    }
}

/// Gives a folder with all that is in it to the ordinary user.
fn give(path: &Path) {
    if fs::symlink_metadata(path).expect("it is there").is_dir() {
        fs::read_dir(path).expect("a folder").flatten().for_each(|entry| give(&entry.path()));
    }
    rustix::fs::chownat(
        CWD,
        path,
        Some(rustix::fs::Uid::from_raw(NOBODY)),
        Some(rustix::fs::Gid::from_raw(NOBODY)),
        rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
    )
    .expect("given away");
}

/// A right program of exercise 15.
fn right() -> String {
    read("labs/15-tcp-next-caller/exercise/solutions/python/server.py")
}

/// A program that prints each file that it can read of these, and of its arguments, by their paths and by their names.
const SPY: &str = "
import os, sys
for word in sys.argv[1:] + ['/etc/shadow', 'server.py', 'secret.txt', 'id', 'shadow']:
    for path in (word, os.path.basename(word)):
        try: print(path, open(path).read(), file=sys.stderr)
        except OSError as error: print(path, error.errno, file=sys.stderr)
";

/// One hostile or odd folder, and what must come of it.
struct Case {
    name: &'static str,
    make: fn(&Place),
    /// The judge's exit code.
    code: i32,
    /// What is said, on either stream.
    says: &'static [&'static str],
    /// What the judge is given besides.
    with: fn(&Place, &mut Command),
}

/// A case without anything special about the judge.
const fn case(name: &'static str, code: i32, says: &'static [&'static str], make: fn(&Place)) -> Case {
    Case { name, make, code, says, with: |_, _| {} }
}

const OUTSIDE: &[&str] = &["names no program outside of its folder", "python3"];

/// Programs and words that lie elsewhere.
const ELSEWHERE: &[Case] = &[
    case("another's program as a word", 8, &["can't open file '/box/../alice"], |place| {
        place.runs(&["python3", "../alice/server.py"]);
    }),
    case("a link to another's program", 2, &["holds no program", "server.py: it leads out"], |place| {
        place.link("../alice/server.py", "server.py");
    }),
    case("a link to a file of the judge's", 2, &["holds no program"], |place| {
        place.link(place.at("secret.txt"), "server.py");
    }),
    case("links behind links", 2, &["holds no program"], |place| {
        place.link("two", "server.py");
        place.link("three/secret.txt", "two");
        place.link("../..", "three");
    }),
    case("words that name files", 8, &[], |place| {
        let (secret, id) = (place.at("secret.txt"), place.at("home/.ssh/id"));
        place.submit("s.py", SPY);
        let words = [secret.to_str().expect("UTF-8"), id.to_str().expect("UTF-8"), "../../secret.txt"];
        place.runs(&[&["python3", "s.py"], &words[..]].concat());
    }),
    case("links that are words", 8, &["2 left behind"], |place| {
        place.submit("s.py", SPY);
        place.link(place.at("secret.txt"), "id");
        place.link("/etc/shadow", "shadow");
        place.runs(&["python3", "s.py", "id", "shadow"]);
    }),
    case("the judge as a word", 8, &[], |place| {
        place.submit("s.sh", "ls -l; ./socklab solution 15 python --give-up >x.py; ./exe --version; exec python3 x.py");
        place.runs(&["sh", "s.sh", "/proc/self/exe"]);
    }),
    case("the judge as the program", 2, OUTSIDE, |place| {
        place.runs(&["/proc/self/exe", "solution", "15", "python", "--give-up"]);
    }),
    case("the judge behind a link", 2, &["leads out"], |place| {
        place.link("/proc/self/exe", "server");
        place.runs(&["./server", "solution", "15", "python", "--give-up"]);
    }),
    case("a program in a folder with more", 2, &["leads out"], |place| {
        place.link("../../home", "vault");
        place.runs(&["vault/bin/tool", "-c", "cat vault/private/credentials"]);
    }),
    case("an absolute program", 2, OUTSIDE, |place| {
        let tool = place.at("home/bin/tool");
        place.runs(&[tool.to_str().expect("UTF-8"), "-c", "cat ~/private/credentials"]);
    }),
    Case {
        with: |place, command| {
            command.env_remove("HOME").current_dir(place.at("home"));
        },
        ..case("an absolute program, and no home", 2, OUTSIDE, |place| {
            let tool = place.at("home/bin/tool");
            place.runs(&[tool.to_str().expect("UTF-8"), "-c", "cat ../.ssh/id"]);
        })
    },
    case("an absolute program of the system's", 2, OUTSIDE, |place| place.runs(&["/usr/bin/env", "python3", "x"])),
    case("a program above", 2, OUTSIDE, |place| place.runs(&["../../home/bin/tool"])),
    case("a program above by a detour", 2, OUTSIDE, |place| place.runs(&["./x/../../../home/bin/tool"])),
    case("a descriptor of the judge's", 2, OUTSIDE, |place| place.runs(&["/dev/fd/0"])),
    case("a descriptor as a word", 8, &[], |place| place.runs(&["python3", "/proc/self/fd/3"])),
    case("a build elsewhere", 2, OUTSIDE, |place| {
        let tool = place.at("home/bin/tool");
        place.submit("socklab.toml", format!("build = [{tool:?}]\nrun = [\"./server\"]\n"));
    }),
    case("an empty program", 2, &["names no program"], |place| place.runs(&[""])),
    case("a folder as the program", 2, &["names no program"], |place| place.runs(&["."])),
    case("a program that is not installed", 2, &["no such program"], |place| place.runs(&["no-such-thing"])),
    case("a program of the folder by its bare name", 2, &["./serve is in the folder"], |place| {
        place.submit("serve", "#!/bin/sh\n");
        place.runs(&["serve"]);
    }),
];

/// Manifests that are no files, or no text, or say what cannot be done.
const MANIFESTS: &[Case] = &[
    case("a manifest that is a pipe", 2, &["socklab.toml: it is no regular file"], |place| {
        place.fifo("socklab.toml");
    }),
    case("a manifest that is a link to a pipe", 2, &["socklab.toml: it is no regular file"], |place| {
        place.fifo("pipe");
        place.link("pipe", "socklab.toml");
    }),
    case("a manifest without an end", 2, &["socklab.toml: it leads out"], |place| {
        place.link("/dev/zero", "socklab.toml");
    }),
    case("a manifest elsewhere", 2, &["socklab.toml: it leads out"], |place| {
        place.link(place.at("secret.txt"), "socklab.toml");
    }),
    case("a manifest that leads nowhere", 2, &["socklab.toml: there is no such file"], |place| {
        place.link("nowhere", "socklab.toml");
    }),
    case("a manifest that leads to itself", 2, &["socklab.toml: it leads out"], |place| {
        place.link("socklab.toml", "socklab.toml");
    }),
    case("a manifest that is a folder", 2, &["socklab.toml: it is no regular file"], |place| {
        fs::create_dir(place.inside("socklab.toml")).expect("a folder");
    }),
    case("a manifest that is a socket", 2, &["socklab.toml: it is no regular file"], |place| {
        // Its address may be too long for a path that is not relative.
        let link = place.at("class/s");
        symlink(place.inside(""), &link).expect("a link");
        drop(UnixListener::bind(link.join("socklab.toml")).expect("a socket"));
    }),
    case("a manifest that is huge and empty", 2, &["socklab.toml: it is larger than 64 KiB"], |place| {
        let file = fs::File::create(place.inside("socklab.toml")).expect("a file");
        file.set_len(1 << 40).expect("a sparse file");
    }),
    case("a manifest that is a little too large", 2, &["socklab.toml: it is larger than 64 KiB"], |place| {
        place.submit("server.py", right());
        place.submit("socklab.toml", "#".repeat((64 << 10) + 1));
    }),
    case("a manifest of the largest size", 0, &[], |place| {
        place.submit("server.py", right());
        place.submit("socklab.toml", "#".repeat(64 << 10));
    }),
    case("a manifest that is no text", 2, &["socklab.toml: it is not UTF-8"], |place| {
        place.submit("socklab.toml", b"run = [\"\xff\"]\n");
    }),
    case("a manifest with brackets", 2, &["socklab.toml"], |place| {
        place.submit("socklab.toml", format!("run = {}", "[".repeat(60_000)));
    }),
    case("escapes in a manifest", 2, &["socklab.toml", "u{1b}"], |place| {
        place.submit("socklab.toml", "run = \u{1b}]0;PWNED\u{7} [\u{202e}\u{9b}31m\n");
    }),
    case("escapes in a program's name", 2, &["u{1b}]0;PWNED"], |place| {
        place.submit("socklab.toml", "run = [\"\\u001b]0;PWNED\\u0007x\"]\n");
    }),
    case("escapes in files' names", 2, &["several programs", "u{1b}[2J"], |place| {
        place.submit("\u{1b}[2J a.py", "");
        place.submit("\u{9b}31m\u{202e} b.py", "");
    }),
    case("a word with a NUL", 2, &["a NUL in it"], |place| {
        place.submit("server.py", right());
        place.submit("socklab.toml", "run = [\"python3\", \"server.py\", \"a\\u0000b\"]\n");
    }),
    case("a word with a NUL in the build", 2, &["a NUL in it"], |place| {
        place.submit("socklab.toml", "build = [\"sh\", \"a\\u0000b\"]\nrun = [\"./server\"]\n");
    }),
    case("a word that is too long", 2, &["64 KiB"], |place| {
        place.submit("socklab.toml", format!("run = [\"python3\", \"{}\"]", "x".repeat(66_000)));
    }),
    case("words that become too long", 2, &["too long", "64 KiB"], |place| {
        place.submit("server.py", right());
        place.submit("socklab.toml", format!("run = [\"python3\", \"server.py\", \"{}\"]", "{host}".repeat(8000)));
    }),
    case("very many words", 2, &["too long", "1024 words"], |place| {
        place.submit("socklab.toml", format!("run = [\"python3\"{}]", ", \"\"".repeat(2000)));
    }),
    case("words that are just short enough", 0, &[], |place| {
        place.submit("server.py", right());
        let words = format!("\"{}\"", "x".repeat(60_000));
        place.submit("socklab.toml", format!("run = [\"python3\", \"server.py\", {words}]"));
    }),
];

/// What a build leaves, and folders that are too much: the attempt's own doing, and a grade.
const EXCESS: &[Case] = &[
    case("a build that leaves many files", 8, &["its build leaves more than 4096 files"], |place| {
        place.builds("seq 5000 | xargs touch", &["./server"]);
    }),
    case("a build that leaves much", 8, &["its build leaves files of more than 64 MiB"], |place| {
        place.builds("for i in 1 2; do truncate -s 60M file$i; done", &["./server"]);
    }),
    case("a build that goes deep", 8, &["its build leaves paths of more than"], |place| {
        let line = "import os\nfor n in range(1500):\n os.mkdir('0123456789'); os.chdir('0123456789')\n";
        place.submit("deep.py", line);
        place.builds("python3 deep.py", &["./server"]);
    }),
    case("a build that makes a pipe", 8, &["cannot be started"], |place| {
        place.builds("mkfifo server; chmod 777 server", &["./server"]);
    }),
    case("a build that makes nothing", 8, &["cannot be started", "ENOENT"], |place| {
        place.builds("true", &["./server"])
    }),
    case("a build that fails", 8, &["cannot be built", "no good"], |place| {
        place.builds("echo no good; exit 3", &["./server"]);
    }),
    case("a build that cannot be started", 8, &["its build cannot be started", "EACCES"], |place| {
        place.submit("make.sh", "#!/bin/sh\n");
        place.submit("socklab.toml", "build = [\"./make.sh\"]\nrun = [\"./server\"]\n");
    }),
    case("a build that makes links", 8, &["cannot be started"], |place| {
        place.builds("ln -s /bin/sh server; ln -s . loop; ln -s server two", &["./two", "-c", "true"]);
    }),
    case("a program that may not be executed", 8, &["cannot be started", "chmod +x"], |place| {
        place.submit("server", "#!/bin/sh\n");
        place.runs(&["./server"]);
    }),
    case("a program that is not there", 8, &["cannot be started", "ENOENT"], |place| place.runs(&["./server"])),
    case("a program without its interpreter", 8, &["cannot be started", "interpreter"], |place| {
        place.submit("server", "#!/no/such/interpreter\n");
        place.set_mode("class/mallory/server", 0o755);
        place.runs(&["./server"]);
    }),
    case("many files", 8, &["the folder holds more than 4096 files"], |place| {
        (0..5000).for_each(|number| place.submit(&format!("files/{number}"), ""));
        place.submit("server.py", right());
    }),
    case("a huge file", 8, &["the folder holds files of more than 64 MiB"], |place| {
        let file = fs::File::create(place.inside("data")).expect("a file");
        file.set_len(1 << 40).expect("a sparse file");
        place.submit("server.py", right());
    }),
    case("many links to a large file", 8, &["the folder holds files of more than 64 MiB"], |place| {
        let file = fs::File::create(place.inside("data")).expect("a file");
        file.set_len(40 << 20).expect("a sparse file");
        (0..10).for_each(|number| place.link("data", &format!("link{number}")));
        place.submit("server.py", right());
    }),
];

/// Folders that are odd and good.
const GOOD: &[Case] = &[
    case("links that lead out, beside a good program", 0, &["4 left behind", "leads out of the folder"], |place| {
        place.submit("server.py", right());
        place.link("../alice/server.py", "a.py");
        place.link("/etc/shadow", "b\u{1b}[31m");
        place.link("nowhere", "c");
        place.link(place.inside("server.py"), "d.py");
    }),
    case("a program that is a link", 0, &[], |place| {
        place.submit("parts/real.py", right());
        place.link("parts/real.py", "server.py");
    }),
    case("a link into what is left out", 0, &[], |place| {
        place.submit(".hidden/target/real.py", right());
        place.link(".hidden/target/real.py", "server.py");
    }),
    case("a folder that is a link, and loops", 0, &[], |place| {
        place.submit("parts/right.py", right());
        place.submit("server.py", "import sys; sys.path.insert(0, 'lib/again/lib'); import right\n");
        place.link("parts", "lib");
        place.link("..", "parts/again");
        place.link(".", "loop");
    }),
    case("a link that leads round", 0, &["2 left behind"], |place| {
        place.submit("server.py", right());
        place.link("b", "a");
        place.link("a", "b");
    }),
    case("pipes, sockets and an unreadable file", 0, &[], |place| {
        place.submit("server.py", right());
        place.fifo("pipe");
        place.submit("dark/file", SECRET);
        place.set_mode("class/mallory/dark", 0o000);
        place.submit("file", "");
        place.set_mode("class/mallory/file", 0o000);
    }),
    case("a hard link", 0, &[], |place| {
        place.submit("one", right());
        fs::hard_link(place.inside("one"), place.inside("server.py")).expect("a link");
    }),
    case("a name with spaces and other letters", 0, &[], |place| place.submit("mein Sërver 你.py", right())),
    case("a name that looks like an option", 0, &[], |place| place.submit("-server.py", right())),
    case("a manifest that is a link", 0, &[], |place| {
        place.submit("server.py", right());
        place.submit("etc/manifest", "run = [\"python3\", \"server.py\"]\n");
        place.link("etc/manifest", "socklab.toml");
    }),
    case("a program on the command line", 0, &[], |place| {
        place.submit("right.py", right());
        place.runs(&["python3", "-c", "import right"]);
    }),
    case("a build by a shell", 0, &[], |place| {
        place.submit("part.txt", right());
        place.builds(
            "cp part.txt server.py; mkdir sub; ln -s sub link; ln -s ../server.py link/prog.py",
            &["python3", "link/prog.py"],
        );
    }),
    case("a program in what is left out", 0, &[], |place| {
        place.submit("target/release/server", format!("#!/usr/bin/env python3\n{}", right()));
        place.set_mode("class/mallory/target/release/server", 0o755);
        place.runs(&["./target/release/server"]);
    }),
    Case {
        with: |place, command| {
            let bin = place.inside("bin");
            command.env("PATH", format!("{}:{}:/usr/bin:/bin", bin.display(), place.at("linked").display()));
        },
        ..case("a search path that leads into the folder", 0, &[], |place| {
            place.submit("server.py", right());
            let trap = format!("#!/bin/sh\necho sprung > {}\n", place.at("trap").display());
            place.submit("bin/python3", trap);
            place.set_mode("class/mallory/bin/python3", 0o755);
            symlink(place.inside("bin"), place.at("linked")).expect("a link");
            place.set_mode("", 0o777);
        })
    },
    Case {
        with: |_, command| {
            command.env_remove("PATH");
        },
        ..case("no search path", 0, &[], |place| place.submit("server.py", right()))
    },
    Case {
        with: |_, command| {
            command.env("PATH", "");
        },
        ..case("an empty search path", 0, &[], |place| place.submit("server.py", right()))
    },
    Case {
        with: |place, command| {
            command.env("PATH", format!("{}:/usr/bin:/bin", place.at("venv/bin").display()));
        },
        ..case("an environment of Python's own", 0, &[], |place| {
            let made =
                run(Command::new("/usr/bin/python3").args(["-m", "venv", "--without-pip"]).arg(place.at("venv")));
            assert!(made.status.success(), "{}", text(&made.stderr));
            let library = fs::read_dir(place.at("venv/lib")).expect("a folder").flatten().next().expect("a folder");
            fs::write(library.path().join("site-packages/right.py"), right()).expect("a module");
            place.put("venv/secret.txt", SECRET);
            let unseen = format!("import os\nassert 'secret.txt' not in os.listdir({:?})\n", place.at("venv"));
            place.submit("server.py", unseen + "import right\n");
        })
    },
];

fn prepared(test: &str) -> bool {
    let missing = ["python3", "setpriv"].into_iter().find(|program| !has(program));
    if let Some(program) = missing {
        skip(test, &format!("{program} is not installed"));
    } else if !has_private_hosts() {
        skip(test, "strangers' programs take private hosts");
    } else {
        return true;
    }
    false
}

/// Judges each folder as each judge, and complains of what is not as it must be.
fn hold(test: &str, cases: &[Case]) {
    if !prepared(test) {
        return;
    }
    let pairs: Vec<(&Case, Judge)> =
        cases.iter().flat_map(|case| judges().into_iter().map(move |judge| (case, judge))).collect();
    let complaints = Mutex::new(Vec::new());
    side_by_side(&pairs, |(case, judge)| {
        let place = Place::make(*judge);
        (case.make)(&place);
        place.give_to_the_judge();
        let mut command = place.command(env!("CARGO_BIN_EXE_socklab"));
        command.args(["grade", "15", "--untrusted", "--check", "one-client", "--transcript", "--all", "--folder"]);
        command.arg(place.at("class/mallory"));
        (case.with)(&place, &mut command);
        let output = run(&mut command);
        let found = wrong_with(case, &place, &output);
        let who = format!("{} as {judge:?}", case.name);
        let said = said(&output);
        complaints.lock().expect("the list").extend(found.into_iter().map(|what| format!("{who}: {what}:\n{said}")));
        // So that it can be removed.
        let _ = run(Command::new("chmod").args(["-R", "u+rwX"]).arg(place.folder.path()));
    });
    let complaints = complaints.into_inner().expect("the list");
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

fn said(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

fn wrong_with(case: &Case, place: &Place, output: &Output) -> Vec<String> {
    let (mut wrong, said) = (Vec::new(), said(output));
    if output.status.code() != Some(case.code) {
        wrong.push(format!("{} is not exit code {}", output.status, case.code));
    }
    wrong.extend(case.says.iter().filter(|words| !said.contains(**words)).map(|words| format!("no {words:?}")));
    if said.contains(SECRET) || said.contains("root:") {
        wrong.push("the secret is out".to_owned());
    }
    let moves = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}');
    if said.chars().any(moves) {
        wrong.push(format!("it moves the cursor: {}", said.escape_debug()));
    }
    if said.contains("panicked") {
        wrong.push("the judge panics".to_owned());
    }
    if place.at("trap").exists() {
        wrong.push("the judge has executed a program of the folder".to_owned());
    }
    wrong
}

#[test]
fn what_a_submission_names_lies_in_it_or_is_an_installed_program() {
    hold("what_a_submission_names_lies_in_it_or_is_an_installed_program", ELSEWHERE);
}

#[test]
fn a_manifest_is_a_small_file_of_the_folder_and_nothing_is_waited_for() {
    hold("a_manifest_is_a_small_file_of_the_folder_and_nothing_is_waited_for", MANIFESTS);
}

#[test]
fn a_submission_that_is_too_much_or_cannot_be_executed_fails() {
    hold("a_submission_that_is_too_much_or_cannot_be_executed_fails", EXCESS);
}

#[test]
fn an_odd_folder_with_a_good_program_passes() {
    hold("an_odd_folder_with_a_good_program_passes", GOOD);
}

/// Judges a folder, with the words that are behind `grade 15`, in a folder of the place.
fn judged(place: &Place, here: &str, words: &[&str]) -> Output {
    place.give_to_the_judge();
    let mut command = place.command(env!("CARGO_BIN_EXE_socklab"));
    command.args(["grade", "15", "--check", "one-client"]).args(words).current_dir(place.at(here));
    // cargo names its own checkout.
    command.env_remove("CARGO_MANIFEST_DIR");
    run(&mut command)
}

#[test]
fn only_words_that_were_typed_name_files_elsewhere() {
    let test = "only_words_that_were_typed_name_files_elsewhere";
    if !prepared(test) {
        return;
    }
    for judge in judges() {
        let place = Place::make(judge);
        place.submit("server.py", "raise SystemExit(3)\n");
        place.link("../alice/server.py", "link.py");
        let code = |words: &[&str]| judged(&place, "class/mallory", words).status.code();
        assert_eq!(code(&["--untrusted", "--", "python3", "../alice/server.py"]), Some(0), "as {judge:?}");
        let absolute = place.at("class/alice/server.py");
        assert_eq!(code(&["--", "python3", absolute.to_str().expect("UTF-8")]), Some(0), "as {judge:?}");
        // A link of one's own may lead anywhere, and a stranger's may not.
        assert_eq!(code(&["--", "python3", "link.py"]), Some(0), "as {judge:?}");
        let output = judged(&place, "class/mallory", &["--untrusted", "--", "python3", "./x/../link.py"]);
        assert_eq!(output.status.code(), Some(2), "as {judge:?}: {}", said(&output));
        assert!(said(&output).contains("leads out of the folder"), "{}", said(&output));
        // What is built is a stranger's all the same.
        place.submit("socklab.toml", format!("build = [{:?}]\n", place.at("home/bin/tool")));
        let output = judged(&place, "class/mallory", &["--", "python3", "server.py"]);
        assert_eq!(output.status.code(), Some(2), "as {judge:?}: {}", said(&output));
    }
}

#[test]
fn a_folder_may_be_a_link_and_the_mask_of_new_files_anything() {
    if !prepared("a_folder_may_be_a_link_and_the_mask_of_new_files_anything") {
        return;
    }
    for judge in judges() {
        let place = Place::make(judge);
        place.submit("server.py", right());
        place.submit("data/file", "");
        symlink("mallory", place.at("class/link")).expect("a link");
        place.give_to_the_judge();
        for mask in ["022", "777"] {
            let mut command = place.command("sh");
            command.args(["-c", "umask $1; shift; exec \"$@\"", "sh", mask]).arg(env!("CARGO_BIN_EXE_socklab"));
            command.args(["grade", "15", "--untrusted", "--check", "one-client", "--folder"]);
            let output = run(command.arg(place.at("class/link")));
            assert_eq!(output.status.code(), Some(0), "umask {mask} as {judge:?}: {}", said(&output));
        }
        for odd in ["class/nobody", "secret.txt"] {
            let output = judged(&place, "", &["--folder", odd]);
            assert_eq!(output.status.code(), Some(2), "{odd} as {judge:?}: {}", said(&output));
        }
    }
}

#[test]
fn a_grade_names_what_was_left_behind_and_what_protected_the_machine_also_if_nothing_could_be_judged() {
    let test = "a_grade_names_what_was_left_behind_and_what_protected_the_machine_also_if_nothing_could_be_judged";
    if !prepared(test) {
        return;
    }
    for judge in judges() {
        let place = Place::make(judge);
        place.builds("exit 1", &["./server"]);
        (0..7).for_each(|number| place.link("/etc/shadow", &format!("link{number}\u{1b}")));
        let output = judged(&place, "", &["--untrusted", "--json", "--folder", "class/mallory"]);
        assert_eq!(output.status.code(), Some(8), "as {judge:?}: {}", said(&output));
        let grade: Json = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(grade["tier"].as_u64() >= Some(2), "as {judge:?}: {grade}");
        assert!(grade["protection"].as_str().expect("words").starts_with("tier "), "{grade}");
        assert_eq!(grade["left_behind"]["count"], 7, "{grade}");
        let first = grade["left_behind"]["first"].as_array().expect("a list");
        assert_eq!(first.len(), 5, "{grade}");
        assert_eq!(first[0]["path"], "link0\\x1b", "{grade}");
    }
}

/// A checkout that is none, beside which a program of a stranger's is judged by a command that is typed there.
#[test]
fn a_checkout_in_which_a_command_is_typed_does_not_come_along() {
    if !prepared("a_checkout_in_which_a_command_is_typed_does_not_come_along") {
        return;
    }
    for judge in judges() {
        let place = Place::make(judge);
        place.put("checkout/labs/README.md", "");
        place.put("checkout/Cargo.toml", "name = \"socklab\"\n");
        place.put("checkout/labs/15-x/exercise/solutions/python/server.py", right());
        place.put("checkout/helper.py", right());
        let find =
            "import os\nprint([top for top, _, _ in os.walk('.') if 'labs' in top], flush=True)\nimport helper\n";
        place.put("checkout/server.py", find);
        let words = ["--untrusted", "--transcript", "--", "python3", "server.py"];
        let output = judged(&place, "checkout", &words);
        assert_eq!(output.status.code(), Some(0), "as {judge:?}: {}", said(&output));
        assert!(said(&output).contains("program  │ []"), "as {judge:?}: {}", said(&output));
        // A file of it that is named comes along alone.
        let words = ["--", "python3", "labs/15-x/exercise/solutions/python/server.py"];
        let output = judged(&place, "checkout", &words);
        assert_eq!(output.status.code(), Some(0), "as {judge:?}: {}", said(&output));
    }
}

/// What a program looks for that wants to find the judge.
const SEEKER: &str = "
import os, subprocess
for folder in ('/usr/local/bin', '/usr/local/src', '/usr/src'):
    for top, folders, files in os.walk(folder):
        for name in files:
            path = os.path.join(top, name)
            try:
                if b'--give-up' in open(path, 'rb').read(): print('FOUND', path)
            except OSError as error: print(path, error)
            try: print(path, subprocess.run([path, 'solution', '15', 'python', '--give-up'], capture_output=True))
            except OSError as error: print(path, error)
";

#[test]
fn the_judge_cannot_be_had_from_inside_wherever_it_is_installed() {
    let test = "the_judge_cannot_be_had_from_inside_wherever_it_is_installed";
    if !prepared(test) {
        return;
    }
    // On a machine of the test's own: what is mounted there is seen by nobody else.
    let script = "set -e
        mount -t tmpfs none /usr/local/bin
        mkdir -p /usr/local/src
        mount -t tmpfs none /usr/local/src
        cp \"$1\" /usr/local/bin/socklab
        ln /usr/local/bin/socklab /usr/local/bin/judge
        ln -s socklab /usr/local/bin/lab-05
        cp /usr/local/bin/socklab /usr/local/bin/lab-15-tcp-next-caller
        mkdir -p /usr/local/src/socklab/labs
        echo '--give-up' > /usr/local/src/socklab/labs/README.md
        cd /usr/local/src/socklab
        judge=$2 folder=$3; shift 3
        exec /usr/local/bin/\"$judge\" grade 15 --check one-client --transcript --folder \"$folder\" \"$@\"";
    // Also where there are no namespaces to be had, and Landlock alone stands before the machine's files.
    let fenced = ["user", "network", "processes", "files", "ipc", "names"].map(|layer| ["--without", layer]).concat();
    let protections = [vec!["--untrusted"], fenced];
    for judge in judges() {
        let place = Place::make(judge);
        place.submit("seek.py", SEEKER);
        place.runs(&["python3", "seek.py"]);
        place.give_to_the_judge();
        for (name, protection) in [("socklab", &protections[0]), ("judge", &protections[0]), ("judge", &protections[1])]
        {
            let mut command = place.command("unshare");
            command.args(if judge == Judge::User { &["-Urm"][..] } else { &["-m"][..] });
            command.args(["sh", "-c", script, "sh"]).arg(env!("CARGO_BIN_EXE_socklab")).arg(name);
            command.arg(place.at("class/mallory")).args(protection).env("PATH", "/usr/local/bin:/usr/bin:/bin");
            let output = run(&mut command);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(8), "as {judge:?}: {said}");
            assert!(said.contains("/usr/local/bin/socklab [Errno 13]"), "it has looked, as {judge:?}: {said}");
            assert!(!said.contains("FOUND") && !said.contains("import socket"), "as {judge:?}: {said}");
        }
    }
}

#[test]
fn a_copy_of_the_judge_in_the_folder_is_no_program() {
    if !prepared("a_copy_of_the_judge_in_the_folder_is_no_program") {
        return;
    }
    // By another name of the same file, where the file system has such.
    let place = Place::make(judges()[0]);
    let own = Path::new(env!("CARGO_BIN_EXE_socklab"));
    let here = own.parent().expect("a folder").join(format!("submission-{}", std::process::id()));
    fs::create_dir(&here).expect("a folder");
    fs::hard_link(own, here.join("server")).expect("a link");
    fs::write(here.join("socklab.toml"), "run = [\"./server\", \"solution\", \"15\", \"python\", \"--give-up\"]\n")
        .expect("a manifest");
    let output = run(socklab().args(["grade", "15", "--untrusted", "--folder"]).arg(&here));
    fs::remove_dir_all(&here).expect("it goes");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("the judge itself"), "{}", said(&output));
    drop(place);
}

#[test]
fn no_message_moves_a_terminals_cursor() {
    let odd = "\u{1b}]0;PWNED\u{7}\u{9b}31m\u{202e}\u{7f}";
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join(odd)).expect("a folder");
    fs::write(folder.path().join("server.py"), "").expect("a file");
    let work = folder.path().join("work");
    fs::create_dir(&work).expect("a folder");
    fs::write(work.join("progress.toml"), format!("[\"{odd}\"]\npoints = {odd}\n")).expect("a file");
    let commands: [&[&str]; 14] = [
        &["grade", odd],
        &["grade", "15", "--folder", odd],
        &["grade", "15", "--folder", ".", "--check", odd],
        &["grade", "15", "--folder", ".", "--without", odd],
        &["grade", "15", "--folder", ".", "--case", odd, "--check", "one-client"],
        &["grade", "15", "--junit", odd, odd],
        &["grade", "15", "--", odd],
        &["watch", odd],
        &["start", "15", odd],
        &["hint", odd],
        &["progress"],
        &["lab", odd],
        &["soak-judge", odd],
        &[odd],
    ];
    for words in commands {
        let output = run(socklab().args(words).env("SOCKLAB_WORK", &work).current_dir(folder.path()));
        let moves = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}');
        assert!(!said(&output).chars().any(moves), "{words:?}: {}", said(&output).escape_debug());
        assert!(!output.status.success(), "{words:?}: {}", said(&output));
        assert!(said(&output).contains("31m"), "{words:?}: {}", said(&output).escape_debug());
    }
}
