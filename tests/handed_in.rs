//! What students hand in: a helper module, a folder in a folder, a zip are taken for what they are; and an archive is a
//! stranger's, out of which comes nothing but files, and not too many.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;

use serde_json::Value as Json;

use crate::support::{folder_for_all_users, has, has_private_hosts, read, run, side_by_side, skip, socklab, text};

const EXERCISE: &str = "labs/15-tcp-next-caller/exercise";

fn right(path: &str) -> String {
    read(&format!("{EXERCISE}/{path}"))
}

/// Files by their names; what is in the folder of a case.
type Files = Vec<(&'static str, String)>;

/// One thing that is handed in.
struct Case {
    name: &'static str,
    files: Files,
    /// What of it is named to the judge.
    path: &'static str,
    /// The judge's exit code, and what it says.
    code: i32,
    says: &'static [&'static str],
}

fn case(name: &'static str, path: &'static str, files: Files) -> Case {
    Case { name, files, path, code: 0, says: &[] }
}

fn refused(name: &'static str, path: &'static str, files: Files, says: &'static [&'static str]) -> Case {
    Case { name, files, path, code: 2, says }
}

fn put(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(file, text).expect("a file");
}

fn said(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

fn prepared(test: &str) -> bool {
    if !has("python3") {
        skip(test, "python3 is not installed");
    } else if !has_private_hosts() {
        skip(test, "strangers' programs take private hosts");
    } else {
        return true;
    }
    false
}

/// Has each judged as a stranger's by one check; complains of what is not as it must be.
fn hold(cases: &[Case]) {
    let complaints = Mutex::new(Vec::new());
    side_by_side(cases, |case| {
        let folder = folder_for_all_users();
        for (name, text) in &case.files {
            let file = folder.path().join(name);
            // A Python program that makes what cannot be written down as text.
            if let Some(made) = name.strip_suffix("!") {
                let made = folder.path().join(made);
                let output = run(Command::new("python3").args(["-c", &format!("{MAKING}{text}")]).arg(&made));
                assert!(output.status.success(), "{}: {}", case.name, said(&output));
            } else {
                put(&file, text);
            }
        }
        let words = ["grade", "15", "--check", "one-client", "--untrusted", "--json", case.path];
        let temporary = folder.path().join("temporary");
        fs::create_dir(&temporary).expect("a folder");
        let output = run(socklab().args(words).current_dir(folder.path()).env("TMPDIR", &temporary));
        let mut wrong = Vec::new();
        if output.status.code() != Some(case.code) {
            wrong.push(format!("{} is not exit code {}", output.status, case.code));
        }
        let object: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let verdict = if case.code == 0 { "pass" } else { "not-judged" };
        if object["verdict"] != verdict {
            wrong.push(format!("the verdict is not {verdict}"));
        }
        let reason = object["reason"].as_str().unwrap_or_default();
        wrong.extend(case.says.iter().filter(|says| !reason.contains(**says)).map(|says| format!("no {says:?}")));
        if fs::read_dir(&temporary).expect("a folder").next().is_some() {
            wrong.push("something of it is left behind".to_owned());
        }
        if folder.path().join("outside").exists() {
            wrong.push("something lies outside".to_owned());
        }
        let said = said(&output);
        complaints.lock().expect("a list").extend(wrong.iter().map(|what| format!("{}: {what}:\n{said}", case.name)));
    });
    let complaints = complaints.into_inner().expect("a list");
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// What the programs that make archives begin with.
const MAKING: &str = "
import io, sys, tarfile, zipfile
path = sys.argv[1]
def packed(files, mode='w', **more):
    with zipfile.ZipFile(path, mode, zipfile.ZIP_DEFLATED, **more) as archive:
        for name, text in files: archive.writestr(name, text)
def entry(name, text=b'', kind=tarfile.REGTYPE, to=''):
    one = tarfile.TarInfo(name)
    one.type, one.linkname, one.size = kind, to, len(text)
    return one, io.BytesIO(text)
def tarred(entries, mode='w:gz'):
    with tarfile.open(path, mode) as archive:
        for one, text in entries: archive.addfile(one, text)
";

/// A zip with these files, a program among them.
fn zip_of(more: &str) -> String {
    format!("right = {:?}\npacked([{more}])\n", right("solutions/python/server.py"))
}

#[test]
fn what_students_hand_in_is_taken_for_what_it_is() {
    if !prepared("what_students_hand_in_is_taken_for_what_it_is") {
        return;
    }
    let py = || right("solutions/python/server.py");
    let c = right("solutions/c/server.c");
    assert!(c.contains("int main("), "the solution in C begins in main");
    let with_helper = || format!("from frames import *\n{}", py());
    let java = |file: &str| read(&format!("tests/fixtures/setups/{file}.java"));
    let in_package = |file: &str| format!("package net.echo;\n{}", java(file));
    let main_elsewhere = c.replace("int main(", "int begin(");
    let caller = "int begin(void);\nint main(void) { return begin(); }\n".to_owned();
    let mut cases = vec![
        case("a program", "server.py", vec![("server.py", py())]),
        case(
            "a program without an ending",
            "server",
            vec![(
                "server!",
                format!(
                    "import os\nopen(path, 'w').write('#!/usr/bin/env python3\\n' + {:?})\nos.chmod(path, 0o755)",
                    py()
                ),
            )],
        ),
        case(
            "a program among others",
            "b.py",
            vec![("a.py", String::new()), ("b.py", py()), ("server.py", "x".into())],
        ),
        case("a helper module", "in", vec![("in/main.py", with_helper()), ("in/frames.py", "import os\n".into())]),
        case("the starter's name", "in", vec![("in/server.py", py()), ("in/client.py", "import sys\n".into())]),
        case("a folder in a folder", "in", vec![("in/15/server.py", py()), ("in/notes.txt", String::new())]),
        case(
            "litter",
            "in",
            vec![
                ("in/__MACOSX/._server.py", "\0".into()),
                ("in/._server.py", "\0".into()),
                ("in/.idea/x.py", String::new()),
                ("in/node_modules/x/y.js", String::new()),
                ("in/venv/server.py", String::new()),
                ("in/mine/server.py", py()),
                ("in/mine/.DS_Store", "\0".into()),
            ],
        ),
        case("a zip", "a.zip", vec![("a.zip!", zip_of("('server.py', right)"))]),
        case(
            "a zip from a Mac",
            "My Work.ZIP",
            vec![(
                "My Work.ZIP!",
                zip_of(
                    "('My Work/server.py', right), ('__MACOSX/My Work/._server.py', b'\\0'), ('My Work/.DS_Store', '')",
                ),
            )],
        ),
        case(
            "a zip in a folder",
            "in",
            vec![("in/notes.txt", String::new()), ("in/a.zip!", zip_of("('server.py', right)"))],
        ),
        case(
            "a tar.gz",
            "a.tar.gz",
            vec![(
                "a.tar.gz!",
                format!("tarred([entry('./x/', kind=tarfile.DIRTYPE), entry('./x/server.py', {:?}.encode())])", py()),
            )],
        ),
        case(
            "a project in a zip",
            "a.zip",
            vec![("a.zip!", zip_of("('p/src/server.py', right), ('p/tests/all.py', ''), ('p/Makefile', '')"))],
        ),
        case("folders of nothing but folders", "in", vec![("in/net/echo/server/server.py", py())]),
        case("a tar", "a.tar", vec![("a.tar!", format!("tarred([entry('server.py', {:?}.encode())], 'w')", py()))]),
        // What is in a link's place is not there; the program is.
        case(
            "a tar with links",
            "a.tgz",
            vec![(
                "a.tgz!",
                format!(
                    "tarred([entry('x', kind=tarfile.SYMTYPE, to='/'), entry('y', kind=tarfile.LNKTYPE, to='/etc/x'), \
                 entry('z', kind=tarfile.CHRTYPE), entry('server.py', {:?}.encode())])",
                    py()
                ),
            )],
        ),
    ];
    if has("cc") {
        cases.push(case("helpers in C", "in", vec![("in/main.c", caller), ("in/frames.c", main_elsewhere)]));
    } else {
        skip("what_students_hand_in_is_taken_for_what_it_is", "cc is not installed");
    }
    if has("javac") {
        let unrelated = "public class Old { this is no Java".to_owned();
        let files = |text: &dyn Fn(&str) -> String| {
            vec![("in/Server.java", text("Server")), ("in/Handler.java", text("Handler"))]
        };
        cases.push(case("helpers in Java", "in", [files(&java), vec![("in/Old.java", unrelated)]].concat()));
        cases.push(case("Java with a package", "in", files(&in_package)));
        let in_one = [java("Server"), java("Handler")].concat();
        let in_one = in_one.lines().filter(|line| !line.starts_with("import")).collect::<Vec<_>>().join("\n");
        let in_one = format!("import java.io.*;\nimport java.net.*;\n{in_one}");
        let other_name = in_one.replace("public class Server", "public class Main");
        let quiet = in_one.replace("public class Server", "class Server");
        cases.push(case("Java in one file", "in/server.java", vec![("in/server.java", quiet)]));
        cases.push(case("a public class of another name", "in", vec![("in/server.java", other_name)]));
    } else {
        skip("what_students_hand_in_is_taken_for_what_it_is", "a JDK is not installed");
    }
    hold(&cases);
}

#[test]
fn what_cannot_be_judged_says_why_and_what_to_do_in_an_object_too() {
    if !prepared("what_cannot_be_judged_says_why_and_what_to_do_in_an_object_too") {
        return;
    }
    let zip =
        |name: &'static str, making: &str, says| refused(name, "a.zip", vec![("a.zip!", making.to_owned())], says);
    let tar =
        |name: &'static str, making: &str, says| refused(name, "a.tgz", vec![("a.tgz!", making.to_owned())], says);
    let py = || right("solutions/python/server.py");
    hold(&[
        refused("nothing of this name", "server.py", vec![], &["no such file", "--"]),
        refused("a text", "server.txt", vec![("server.txt", py())], &["rename it, to server.py"]),
        refused(
            "a folder with a text",
            "in",
            vec![("in/server.txt", py())],
            &["holds no program", "rename it, to server.py"],
        ),
        refused("no program", "in", vec![("in/notes", String::new())], &["in holds no program"]),
        refused("two programs", "in", vec![("in/a.py", py()), ("in/b.py", py())], &["several programs (a.py, b.py)"]),
        refused("two folders", "in", vec![("in/a/x.py", py()), ("in/b/x.py", py())], &["several folders", "(a, b)"]),
        refused("two levels", "in", vec![("in/a/b/x.py", py()), ("in/c", String::new())], &["in holds no program"]),
        refused(
            "two folders in the only one",
            "in",
            vec![("in/x/a/x.py", py()), ("in/x/b/x.py", py())],
            &["in/x holds"],
        ),
        refused("no archive", "a.zip", vec![("a.zip", "PK what".into())], &["a.zip: it is no zip"]),
        refused("an empty archive", "a.tar", vec![("a.tar", String::new())], &["a.tar: there is nothing in it"]),
        refused("half an archive", "a.tar.gz", vec![("a.tar.gz", "\u{1f}".into())], &["a.tar.gz: it is no zip"]),
        zip("a way out of a zip", &zip_of("('server.py', right), ('../outside', '')"), &["lies outside of it"]),
        zip(
            "a way out by backslashes",
            &zip_of("('server.py', right), ('..\\\\outside', '')"),
            &["lies outside of it"],
        ),
        zip("a full path", &zip_of("('server.py', right), ('/tmp/outside', '')"), &["lies outside of it"]),
        tar("a name twice", "tarred([entry('server.py'), entry('./server.py')])", &["cannot be laid down"]),
        zip("a file that is a folder", &zip_of("('a', ''), ('a/server.py', right)"), &["cannot be laid down"]),
        zip("much from little", "packed([('server.py', b'0' * (90 << 20))])", &["more than 64 MiB"]),
        zip("many files", "packed([(f'{n}.txt', '') for n in range(5000)])", &["more than 4096 files"]),
        tar(
            "many entries",
            "open(path, 'wb').write(entry('x/', kind=tarfile.DIRTYPE)[0].tobuf() * 66_000)",
            &["more than 65536 entries"],
        ),
        zip("deep folders", "packed([('a/' * 40 + 'server.py', '')])", &["no path of a file"]),
        zip(
            "a zip in a zip",
            "inner = io.BytesIO()\nzipfile.ZipFile(inner, 'w').close()\n\
             packed([('b.zip', inner.getvalue())])",
            &["holds no program"],
        ),
        tar("a way out of a tar", "tarred([entry('x/../../outside', b'x')])", &["lies outside of it"]),
        tar(
            "a link as a folder",
            "tarred([entry('x', kind=tarfile.SYMTYPE, to='..'), entry('x/outside', b'x')])",
            &["holds no program"],
        ),
        tar(
            "zeros for ever",
            "import gzip\nopen(path, 'wb').write(gzip.compress(bytes(20 << 20), 1) * 15)\n",
            &["nothing in it"],
        ),
        tar(
            "a tar that says much",
            "one, text = entry('server.py'); one.size = 1 << 40\nopen(path, 'wb').write(one.tobuf() + b'x' * 512)\n",
            &["it is no zip"],
        ),
    ]);
}

#[test]
fn what_stands_in_a_grades_place_follows_the_schema() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(socklab().args(["grade", "15", "--json", "nothing.py"]).current_dir(folder.path()));
    let object: Json = serde_json::from_slice(&output.stdout).expect("an object");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let schema: Json = serde_json::from_str(&read("docs/grade.schema.json")).expect("JSON");
    compiler.add_resource("grade.schema.json", schema).expect("a schema");
    let index = compiler.compile("grade.schema.json", &mut schemas).expect("a schema that compiles");
    schemas.validate(&object, index).unwrap_or_else(|error| panic!("{object}: {error:#}"));
    assert!(text(&output.stderr).contains("no such file"), "{}", text(&output.stderr));
    let output = run(socklab().args(["grade", "15", "python3", "server.py"]).current_dir(folder.path()));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("just grade 15 -- python3 server.py"), "{}", text(&output.stderr));
}
