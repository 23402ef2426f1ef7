//! An honest server in any language builds and works under the usual limits.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use socket2::Type;
use socklab::sandbox::{
    Archive, Folder, How, Input, Layer, Layers, Limits, Program, Resolved, Sandbox, SandboxConfig, resolve,
};

use crate::support::{project, skip};

/// A bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(100);

/// A language: how a program is built, if it is, and how it runs.
struct Language {
    name: &'static str,
    build: &'static [&'static str],
    run: &'static [&'static str],
    /// Limits on data are in a sanitizer's way.
    shadows: bool,
}

const LANGUAGES: [Language; 7] = [
    Language { name: "Python", build: &[], run: &["python3", "echo.py"], shadows: false },
    Language { name: "JavaScript", build: &[], run: &["node", "echo.js"], shadows: false },
    Language { name: "Java", build: &[], run: &["java", "Echo.java"], shadows: false },
    Language { name: "C", build: &["cc", "-Wall", "-O2", "echo.c", "-o", "echo"], run: &["./echo"], shadows: false },
    Language {
        name: "C with sanitizers",
        build: &["cc", "-g", "-fsanitize=address,undefined", "echo.c", "-o", "echo"],
        run: &["./echo"],
        shadows: true,
    },
    Language { name: "Rust", build: &["rustc", "-O", "echo.rs"], run: &["./echo"], shadows: false },
    Language { name: "Go", build: &["go", "build", "echo.go"], run: &["./echo"], shadows: false },
];

/// A command, as this machine has it. A program of the archive is as it is called.
fn found(command: &[&str]) -> Option<Resolved> {
    let name = command[0];
    if name.starts_with("./") {
        return Some(Resolved { path: name.into(), visible: Vec::new() });
    }
    resolve(OsStr::new(name), Path::new("/")).ok()
}

fn program(path: &Path, command: &[&str]) -> Program {
    let argv = [path.as_os_str().to_owned()].into_iter().chain(command[1..].iter().map(OsString::from)).collect();
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let env = vec![
        text("PATH", "/usr/bin:/bin"),
        text("HOME", "/tmp"),
        text("GOCACHE", "/tmp/go"),
        text("HOST", "127.0.0.1"),
        text("PORT", "9000"),
    ];
    Program { argv, env, input: Input::Nothing }
}

fn end(sandbox: &mut Sandbox) -> How {
    while sandbox.ended().is_none() {
        sandbox.wait(&mut [], PATIENCE).expect("a wait");
    }
    sandbox.ended().expect("an end").how.clone()
}

fn words(sandbox: &Sandbox) -> String {
    String::from_utf8_lossy(&sandbox.output().stderr.kept).into_owned()
}

/// Builds it in a sandbox of its own, and returns what came of it.
fn build(config: &SandboxConfig, command: &[&str]) -> Archive {
    let resolved = found(command).expect("the compiler");
    let config = SandboxConfig { limits: Limits::for_build(), visible: resolved.visible, ..config.clone() };
    let mut sandbox = Sandbox::open(&config).expect("a sandbox");
    sandbox.start(&program(&resolved.path, command)).expect("a start");
    let how = end(&mut sandbox);
    assert_eq!(how, How::Exited(0), "{command:?}: {}", words(&sandbox));
    sandbox.pack().expect("no fault").expect("an archive")
}

#[test]
fn an_honest_server_works_in_every_language() {
    let test = "an_honest_server_works_in_every_language";
    let keeper = PathBuf::from(env!("CARGO_BIN_EXE_socklab"));
    let layers = Layers::here(&keeper);
    if !layers.has(Layer::Network) {
        return skip(test, "sandboxes with private hosts take user namespaces");
    }
    let folder = Folder::open(&project("tests/fixtures/languages")).expect("the folder");
    let archive = Archive::of_folder(&folder, &[]).expect("an archive");
    let usual = SandboxConfig { layers, keeper, archive, ..SandboxConfig::default() };
    for language in LANGUAGES {
        let commands = [language.build, language.run];
        if let Some(missing) = commands.iter().find(|command| !command.is_empty() && found(command).is_none()) {
            skip(test, &format!("{} is not installed", missing[0]));
            continue;
        }
        let archive = if language.build.is_empty() { usual.archive.clone() } else { build(&usual, language.build) };
        let resolved = found(language.run).expect("the program");
        let mut config = SandboxConfig { archive, visible: resolved.visible, ..usual.clone() };
        if language.shadows {
            config.limits.data_mib = None;
        }
        let mut sandbox = Sandbox::open(&config).expect("a sandbox");
        let began = Instant::now();
        sandbox.start(&program(&resolved.path, language.run)).expect("a start");
        while !sandbox.sockets().expect("sockets").iter().any(|socket| socket.is_ready()) {
            sandbox.wait(&mut [], Duration::from_millis(1)).expect("a wait");
            assert_eq!(sandbox.ended(), None, "{}: {}", language.name, words(&sandbox));
            assert!(began.elapsed() < PATIENCE, "{}: it does not listen: {}", language.name, words(&sandbox));
        }
        let ready = began.elapsed();
        let mut peer = sandbox.socket(Type::STREAM).expect("a socket");
        peer.set_read_timeout(Some(PATIENCE)).expect("a bound");
        peer.connect(&sandbox.address().into()).expect("a connection");
        peer.write_all(b"hello").expect("sent");
        peer.shutdown(std::net::Shutdown::Write).expect("the end");
        let mut back = Vec::new();
        peer.read_to_end(&mut back).expect("an answer");
        assert_eq!(back, b"hello", "{}", language.name);
        let how = end(&mut sandbox);
        assert_eq!(how, How::Exited(0), "{}: {}", language.name, words(&sandbox));
        eprintln!("{}: listens after {ready:.0?}", language.name);
    }
}
