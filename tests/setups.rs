//! Set-ups that students have: whatever has installed an interpreter, a right program is judged with it at the first
//! try, and what cannot be shown in the sandbox is said once, before any check.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use crate::support::{
    checkout, copy_program, folder_for_all_users, has, has_private_hosts, read, run, side_by_side, skip, socklab, text,
};

/// The system's Python: where its program and its library are, and the library's name, `python3.11`.
struct Python {
    program: PathBuf,
    library: PathBuf,
    name: String,
}

impl Python {
    fn of_the_system() -> Python {
        let ask = "import os, sys; print(os.path.realpath(sys.executable), os.path.dirname(os.__file__), sep='\\n')";
        let output = run(Command::new("/usr/bin/python3").args(["-I", "-c", ask]));
        let answer = text(&output.stdout);
        let mut lines = answer.lines().map(PathBuf::from);
        let program = lines.next().expect("its program");
        let library = lines.next().expect("its library");
        let name = library.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
        Python { program, library, name }
    }

    /// Lays a whole Python into a folder, with the links that installers make.
    fn lay(&self, prefix: &Path) {
        let library = prefix.join("lib").join(&self.name);
        fs::create_dir_all(prefix.join("bin")).expect("a folder");
        fs::create_dir_all(&library).expect("a folder");
        copy_program(&self.program, &prefix.join("bin").join(&self.name));
        symlink(&self.name, prefix.join("bin/python3")).expect("a link");
        const NOT_NEEDED: [&str; 8] =
            ["dist-packages", "site-packages", "test", "idlelib", "lib2to3", "ensurepip", "pydoc_data", "tkinter"];
        let entries = fs::read_dir(&self.library).expect("a library").flatten().map(|entry| entry.path());
        let needed = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_str().unwrap_or_default();
            !NOT_NEEDED.contains(&name) && !name.starts_with("config-")
        };
        let all: Vec<PathBuf> = entries.filter(needed).collect();
        assert!(run(Command::new("cp").arg("-a").args(all).arg(&library)).status.success());
    }

    /// Puts the package that programs import into the library of a prefix that [`Python::lay`] has made.
    fn with_package(&self, prefix: &Path) {
        put(&prefix.join("lib").join(&self.name).join("of_the_setup.py"), "");
    }
}

/// A set-up: folders that are first in `PATH`, and what is typed behind `--`.
struct Setup {
    name: &'static str,
    path: Vec<PathBuf>,
    words: Vec<String>,
}

impl Setup {
    fn new(name: &'static str, path: &Path, words: &[&str]) -> Setup {
        Setup { name, path: vec![path.to_owned()], words: words.iter().map(|word| (*word).to_owned()).collect() }
    }
}

fn put(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(file, text).expect("a file");
}

fn put_script(file: &Path, text: &str) {
    put(file, text);
    fs::set_permissions(file, PermissionsExt::from_mode(0o755)).expect("its mode");
}

/// What a manager of versions puts into `PATH`: a script that looks for the program of its own name at each start.
fn put_shim(file: &Path, programs: &Path) {
    put_script(file, &format!("#!/usr/bin/env bash\nexec \"{}/${{0##*/}}\" \"$@\"\n", programs.display()));
}

fn makes(command: &mut Command) {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
}

/// A right program of exercise 15, which imports a package besides.
fn right_with_package() -> String {
    format!("import of_the_setup\n{}", right())
}

fn right() -> String {
    read("labs/15-tcp-next-caller/exercise/solutions/python/server.py")
}

/// A folder with right programs in several languages.
fn programs(folder: &Path) -> PathBuf {
    let place = folder.join("programs");
    put(&place.join("py/server.py"), &right());
    put(&place.join("package/server.py"), &right_with_package());
    put(&place.join("js/server.js"), &read("labs/15-tcp-next-caller/exercise/right/events.js"));
    put(&place.join("java/Server.java"), &read("tests/fixtures/setups/Server.java"));
    put(&place.join("java/Handler.java"), &read("tests/fixtures/setups/Handler.java"));
    put(&place.join("go/server.go"), &read("tests/fixtures/setups/server.go"));
    put(&place.join("rs/server.rs"), &read("labs/15-tcp-next-caller/exercise/solutions/rust/server.rs"));
    place
}

fn command(path: &[PathBuf], here: &Path, words: &[&str]) -> Command {
    let mut command = socklab();
    let usual = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
    let all = std::env::join_paths(path.iter().chain(&usual)).expect("a search path");
    command.args(words).env("PATH", all).env_remove("CARGO_MANIFEST_DIR").current_dir(here);
    command
}

fn said(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

/// Judges a right program with each set-up by one check, and complains of those with which it does not pass.
fn pass(setups: &[(Setup, PathBuf)]) {
    let complaints = Mutex::new(Vec::new());
    side_by_side(setups, |(setup, here)| {
        let words: Vec<&str> = ["grade", "15", "--check", "one-client", "--"]
            .into_iter()
            .chain(setup.words.iter().map(String::as_str))
            .collect();
        let output = run(&mut command(&setup.path, here, &words));
        if output.status.code() != Some(0) {
            complaints.lock().expect("a list").push(format!("{}: {}", setup.name, said(&output)));
        }
    });
    let complaints = complaints.into_inner().expect("a list");
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

fn prepared(test: &str) -> bool {
    if !Path::new("/usr/bin/python3").exists() {
        skip(test, "python3 is not installed");
    } else if !has_private_hosts() {
        skip(test, "what a sandbox shows takes user namespaces");
    } else {
        return true;
    }
    false
}

/// Puts the package that programs import into an environment.
fn with_package(environment: &Path) -> PathBuf {
    let library = fs::read_dir(environment.join("lib")).expect("a folder").flatten().next().expect("a library");
    put(&library.path().join("site-packages/of_the_setup.py"), "");
    environment.join("bin")
}

#[test]
fn a_python_in_an_environment_is_judged_with_the_packages_that_are_installed_there() {
    let test = "a_python_in_an_environment_is_judged_with_the_packages_that_are_installed_there";
    if !prepared(test) {
        return;
    }
    let folder = folder_for_all_users();
    let (at, python) = (|path: &str| folder.path().join(path), Python::of_the_system());
    let programs = programs(folder.path());
    python.lay(&at("home/uv/python/cpython-3-linux"));
    python.lay(&at("home/miniconda3"));
    python.lay(&at("home/miniconda3/envs/net"));
    python.with_package(&at("home/miniconda3/envs/net"));
    put(&at("home/miniconda3/envs/net/conda-meta/history"), "");
    let standalone = at("home/uv/python/cpython-3-linux/bin/python3");
    let mut environments = vec![("conda", at("home/miniconda3/envs/net/bin"))];
    let mut make = |name: &'static str, command: &mut Command, place: PathBuf| {
        makes(command.arg(&place).current_dir(folder.path()));
        environments.push((name, with_package(&place)));
    };
    let venv = |python: &Path, words: &[&str]| {
        let mut command = Command::new(python);
        command.args(["-m", "venv", "--without-pip"]).args(words);
        command
    };
    let system = Path::new("/usr/bin/python3");
    make("venv", &mut venv(system, &[]), at("venv"));
    make("venv with copies", &mut venv(system, &["--copies"]), at("copies"));
    make("venv with the system's packages", &mut venv(system, &["--system-site-packages"]), at("with-system"));
    make("venv of a Python in the home folder", &mut venv(&standalone, &[]), at("home/.virtualenvs/net"));
    if has("virtualenv") {
        let mut command = Command::new("virtualenv");
        make("virtualenv", command.args(["-q", "--no-download", "--without-pip", "-p", "/usr/bin/python3"]), at("ve"));
    } else {
        skip(test, "virtualenv is not installed");
    }
    if has("uv") {
        for (name, python, place) in [("uv", system, "uv-system"), ("uv, its Python", &standalone, "uv-own")] {
            let mut command = Command::new("uv");
            make(name, command.args(["venv", "-q", "--offline", "--no-config", "--python"]).arg(python), at(place));
        }
    } else {
        skip(test, "uv is not installed");
    }
    let setups: Vec<(Setup, PathBuf)> = environments
        .iter()
        .map(|(name, bin)| (Setup::new(name, bin, &["python3", "server.py"]), programs.join("package")))
        .collect();
    pass(&setups);
    // Also the whole grade, as a student has it.
    let here = programs.join("package");
    let output = run(&mut command(&[at("venv/bin")], &here, &["grade", "15", "--", "python3", "server.py"]));
    assert!(said(&output).contains("100 of 100 points"), "{}", said(&output));
}

#[test]
fn a_python_is_judged_with_wherever_it_was_installed_and_whatever_looks_for_it() {
    if !prepared("a_python_is_judged_with_wherever_it_was_installed_and_whatever_looks_for_it") {
        return;
    }
    let folder = folder_for_all_users();
    let (at, python) = (|path: &str| folder.path().join(path), Python::of_the_system());
    let programs = programs(folder.path());
    let pyenv = at("home/.pyenv/versions/3.99.1");
    let cellar = at("linuxbrew/.linuxbrew/Cellar/python@3/3.99.1");
    let opt = at("opt/python");
    for prefix in [&pyenv, &cellar, &opt] {
        python.lay(prefix);
        python.with_package(prefix);
    }
    let here = programs.join("package");
    let server = ["python3", "server.py"];
    put_shim(&at("home/.pyenv/shims/python3"), &pyenv.join("bin"));
    // A version that stands in a file of the folder in which one types.
    let local = at("home/.asdf/shims/python3");
    let found = format!("#!/bin/sh\n[ -e .tool-versions ] || exit 126\nexec {}/bin/python3 \"$@\"\n", pyenv.display());
    put_script(&local, &found);
    put(&programs.join("local/.tool-versions"), "python 3.99.1\n");
    put(&programs.join("local/server.py"), &right_with_package());
    let homebrew = at("linuxbrew/.linuxbrew");
    for (to, link) in [("../Cellar/python@3/3.99.1", "opt/python@3"), ("../opt/python@3/bin/python3", "bin/python3")] {
        fs::create_dir_all(homebrew.join(link).parent().expect("a folder")).expect("a folder");
        symlink(to, homebrew.join(link)).expect("a link");
    }
    put_script(&homebrew.join("bin/brew"), "#!/bin/sh\n");
    // What Homebrew's Python makes names its prefix by the link in opt.
    makes(
        Command::new(homebrew.join("opt/python@3/bin/python3")).args(["-m", "venv", "--without-pip"]).arg(at("brewed")),
    );
    let brewed = with_package(&at("brewed"));
    // A home folder that is itself a link.
    symlink("home", at("home-link")).expect("a link");
    let mut alternatives = Setup::new("update-alternatives", &at("alternatives/bin"), &server);
    fs::create_dir_all(at("alternatives/etc")).expect("a folder");
    fs::create_dir_all(at("alternatives/bin")).expect("a folder");
    symlink("/usr/bin/python3", at("alternatives/etc/python3")).expect("a link");
    symlink("../etc/python3", at("alternatives/bin/python3")).expect("a link");
    alternatives.name = "links that lead to the system's";
    let exact = format!("/usr/bin/{}", python.name);
    pass(&[
        (Setup::new("pyenv", &at("home/.pyenv/shims"), &server), here.clone()),
        (
            Setup::new("a home folder that is a link", &at("home-link/.pyenv/versions/3.99.1/bin"), &server),
            here.clone(),
        ),
        (Setup::new("asdf, with a version of the folder", &at("home/.asdf/shims"), &server), programs.join("local")),
        (Setup::new("Homebrew", &homebrew.join("bin"), &server), here.clone()),
        (Setup::new("an environment of Homebrew's Python", &brewed, &server), here.clone()),
        (Setup::new("in /opt", &opt.join("bin"), &server), here.clone()),
        (Setup::new("a way with detours", &opt.join("lib/../bin"), &server), here),
        (alternatives, programs.join("py")),
        (
            Setup::new("a Debian version by its name", Path::new("/nothing"), &[&exact, "server.py"]),
            programs.join("py"),
        ),
    ]);
}

#[test]
fn an_interpreter_is_found_by_a_path_and_by_a_scripts_first_line() {
    if !prepared("an_interpreter_is_found_by_a_path_and_by_a_scripts_first_line") {
        return;
    }
    let folder = folder_for_all_users();
    let at = |path: &str| folder.path().join(path);
    let here = programs(folder.path()).join("package");
    let environments = [
        ("venv", &[][..]),
        ("programs/package/venv", &[]),
        ("programs/package/env", &["--copies"]),
        ("programs/package/.venv", &["--copies"]),
    ];
    for (place, words) in environments {
        makes(Command::new("/usr/bin/python3").args(["-m", "venv", "--without-pip"]).args(words).arg(at(place)));
        with_package(&at(place));
    }
    let full = at("venv/bin/python3").display().to_string();
    put_script(&here.join("by-env"), &format!("#!/usr/bin/env python3\n{}", right_with_package()));
    put_script(&here.join("by-path"), &format!("#!{full}\n{}", right_with_package()));
    let nowhere = Path::new("/nothing");
    let setups = [
        Setup::new("by the full path", nowhere, &[&full, "server.py"]),
        Setup::new("by a path beside the folder", nowhere, &["../../venv/bin/python3", "server.py"]),
        Setup::new("by a path in the folder", nowhere, &["venv/bin/python3", "server.py"]),
        Setup::new("by a path in the folder, of a copy", nowhere, &["env/bin/python3", "server.py"]),
        Setup::new("by a hidden path in the folder", nowhere, &["./.venv/bin/python3", "server.py"]),
        Setup::new("by env in a script", &at("venv/bin"), &["./by-env"]),
        Setup::new("by its path in a script", nowhere, &["./by-path"]),
    ];
    pass(&setups.map(|setup| (setup, here.clone())));
}

#[test]
fn an_environment_in_the_folder_of_the_program_is_used_and_does_not_come_along() {
    if !prepared("an_environment_in_the_folder_of_the_program_is_used_and_does_not_come_along") {
        return;
    }
    let folder = folder_for_all_users();
    let here = programs(folder.path()).join("package");
    makes(Command::new("/usr/bin/python3").args(["-m", "venv", "--without-pip"]).arg(here.join("venv")));
    let bin = with_package(&here.join("venv"));
    // More than a sandbox takes, as environments have.
    (0..4100).for_each(|number| put(&here.join("venv/many").join(number.to_string()), ""));
    for words in [&["--folder", "."][..], &["server.py"], &["--", "python3", "server.py"]] {
        let all = [&["grade", "15", "--check", "one-client"], words].concat();
        let output = run(&mut command(std::slice::from_ref(&bin), &here, &all));
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", said(&output));
    }
    // A stranger's is not executed outside of a sandbox: the system's Python has no such package.
    let words = ["grade", "15", "--check", "one-client", "--untrusted", "--folder", "."];
    let output = run(&mut command(&[bin], &here, &words));
    assert!(said(&output).contains("No module named 'of_the_setup'"), "{}", said(&output));
}

#[test]
fn an_environment_in_the_checkout_is_shown_and_nothing_else_of_it() {
    if !prepared("an_environment_in_the_checkout_is_shown_and_nothing_else_of_it") {
        return;
    }
    let folder = checkout();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("its mode");
    let at = |path: &str| folder.path().join(path);
    makes(Command::new("/usr/bin/python3").args(["-m", "venv", "--without-pip"]).arg(at(".venv")));
    with_package(&at(".venv"));
    let unseen = format!(
        "import os\nfor path in ('labs/README.md', 'Cargo.toml', '.venv/bin/activate'):\n \
         assert not os.path.exists(os.path.join({:?}, path)), path\n",
        folder.path()
    );
    put(&at("work/15/server.py"), &(unseen + &right_with_package()));
    let fenced = ["user", "network", "processes", "files", "ipc", "names"].map(|layer| ["--without", layer]).concat();
    let usual = vec!["grade", "15", "--check", "one-client"];
    let output = run(&mut command(&[at(".venv/bin")], folder.path(), &usual));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    // Where Landlock alone stands before the files, their names can be seen.
    put(&at("work/15/server.py"), &right_with_package());
    let output = run(&mut command(&[at(".venv/bin")], folder.path(), &[usual, fenced].concat()));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

/// Lays the JDK of this machine into a folder. Its two large files are linked.
fn lay_java(prefix: &Path) {
    let javac = fs::canonicalize("/usr/bin/javac").expect("javac");
    let home = javac.ancestors().nth(2).expect("its folder");
    fs::create_dir_all(prefix.join("lib")).expect("a folder");
    for part in ["bin", "conf", "release"] {
        makes(Command::new("cp").arg("-aL").arg(home.join(part)).arg(prefix));
    }
    for entry in fs::read_dir(home.join("lib")).expect("a folder").flatten() {
        match entry.file_name().to_str() {
            // A link of Debian's to what need not be installed.
            Some("src.zip") => {}
            Some(name @ ("modules" | "ct.sym")) => {
                symlink(entry.path(), prefix.join("lib").join(name)).expect("a link")
            }
            _ => makes(Command::new("cp").arg("-aL").arg(entry.path()).arg(prefix.join("lib"))),
        }
    }
}

/// Lays the Go of this machine into a folder; its libraries are linked.
fn lay_go(prefix: &Path) {
    let root = run(Command::new("/usr/bin/go").args(["env", "GOROOT"]));
    let root = PathBuf::from(text(&root.stdout).trim());
    fs::create_dir_all(prefix.join("bin")).expect("a folder");
    copy_program(&fs::canonicalize(root.join("bin/go")).expect("go"), &prefix.join("bin/go"));
    for part in ["VERSION", "src", "pkg"] {
        symlink(fs::canonicalize(root.join(part)).expect("a part"), prefix.join(part)).expect("a link");
    }
}

#[test]
fn other_languages_are_judged_with_whatever_has_installed_them() {
    let test = "other_languages_are_judged_with_whatever_has_installed_them";
    if !prepared(test) {
        return;
    }
    let folder = folder_for_all_users();
    let at = |path: &str| folder.path().join(path);
    let programs = programs(folder.path());
    let mut setups = Vec::new();
    let mut judge = |name: &'static str, path: PathBuf, words: &[&str], here: &str| {
        setups.push((Setup::new(name, &path, words), programs.join(here)));
    };
    if Path::new("/usr/bin/node").exists() {
        let prefix = at("home/.nvm/versions/node/v99.1.0");
        fs::create_dir_all(prefix.join("bin")).expect("a folder");
        fs::create_dir_all(prefix.join("lib/node_modules/npm")).expect("a folder");
        copy_program(&fs::canonicalize("/usr/bin/node").expect("node"), &prefix.join("bin/node"));
        put_shim(&at("home/.asdf/shims/node"), &prefix.join("bin"));
        // Volta's and mise's are links to one program, which looks at its own name.
        put_shim(&at("home/.volta/bin/volta-shim"), &prefix.join("bin"));
        symlink("volta-shim", at("home/.volta/bin/node")).expect("a link");
        if has("cc") {
            // Or they are that program itself, under another name.
            let code = format!(
                "#include <unistd.h>\nint main(int c, char **v) {{ v[0] = {:?}; execv(v[0], v); return 127; }}\n",
                prefix.join("bin/node").display().to_string()
            );
            put(&at("home/.mise/shims/shim.c"), &code);
            let mut compile = Command::new("cc");
            makes(compile.args(["-o", "node", "shim.c"]).current_dir(at("home/.mise/shims")));
            judge("mise", at("home/.mise/shims"), &["node", "server.js"], "js");
        } else {
            skip(test, "cc is not installed");
        }
        judge("nvm", prefix.join("bin"), &["node", "server.js"], "js");
        judge("asdf's node", at("home/.asdf/shims"), &["node", "server.js"], "js");
        judge("volta", at("home/.volta/bin"), &["node", "server.js"], "js");
    } else {
        skip(test, "node is not installed");
    }
    if Path::new("/usr/bin/javac").exists() {
        let candidates = at("home/.sdkman/candidates/java");
        lay_java(&candidates.join("99.0.1-tem"));
        symlink("99.0.1-tem", candidates.join("current")).expect("a link");
        for program in ["java", "javac"] {
            put_shim(&at("home/.jenv/shims").join(program), &candidates.join("99.0.1-tem/bin"));
        }
        makes(Command::new("/usr/bin/javac").args(["Server.java", "Handler.java"]).current_dir(programs.join("java")));
        judge("sdkman", candidates.join("current/bin"), &["java", "-cp", ".", "Server"], "java");
        judge("jenv", at("home/.jenv/shims"), &["java", "-cp", ".", "Server"], "java");
    } else {
        skip(test, "a JDK is not installed");
    }
    pass(&setups);
    let mut built = Vec::new();
    if Path::new("/usr/bin/go").exists() {
        lay_go(&at("home/sdk/go1.99"));
        put_shim(&at("home/.goenv/shims/go"), &at("home/sdk/go1.99/bin"));
        built.push(("Go in the home folder", at("home/sdk/go1.99/bin"), "go"));
        built.push(("goenv", at("home/.goenv/shims"), "go"));
    } else {
        skip(test, "go is not installed");
    }
    let sysroot = run(Command::new("rustc").args(["--print", "sysroot"]));
    let bin = PathBuf::from(text(&sysroot.stdout).trim()).join("bin");
    // rustup's proxies are links to rustup.
    put_shim(&at("home/.cargo/bin/rustup"), &bin);
    symlink("rustup", at("home/.cargo/bin/rustc")).expect("a link");
    built.push(("rustup", at("home/.cargo/bin"), "rs"));
    built.push(("a Rust toolchain", bin, "rs"));
    side_by_side(&built, |(name, path, here)| {
        let words = ["grade", "15", "--check", "one-client", "--folder", "."];
        let output = run(&mut command(std::slice::from_ref(path), &programs.join(here), &words));
        assert_eq!(output.status.code(), Some(0), "{name}: {}", said(&output));
    });
}

#[test]
fn what_cannot_be_run_in_the_sandbox_is_said_once_and_before_any_check() {
    if !prepared("what_cannot_be_run_in_the_sandbox_is_said_once_and_before_any_check") {
        return;
    }
    let folder = folder_for_all_users();
    let at = |path: &str| folder.path().join(path);
    let here = programs(folder.path()).join("py");
    put_script(&at("no-version/python3"), "#!/bin/sh\necho 'pyenv: python3: command not found' >&2\nexit 127\n");
    put_script(&at("no-answer/node"), "#!/bin/sh\nexit 1\n");
    put_script(&at("no-library/bin/python3"), "#!/nothing/sh\n");
    // A Python that finds what it needs only where no sandbox shows it.
    let real = Python::of_the_system().program;
    let wrapper = format!("#!/bin/sh\n[ -e {} ] || exit 3\nexec {} \"$@\"\n", at("secret").display(), real.display());
    put(&at("secret"), "");
    put_script(&at("elsewhere/gcc"), &wrapper);
    let cases = [
        ("no-version", "python3", "pyenv: python3: command not found"),
        ("no-answer", "node", "only looks for the program"),
        ("no-library/bin", "python3", "only looks for the program"),
        ("elsewhere", "gcc", "cannot be run in the sandbox"),
    ];
    for (path, program, says) in cases {
        for json in [&[][..], &["--json"]] {
            let words = [&["grade", "15"], json, &["--", program, "server.py"]].concat();
            let output = run(&mut command(&[at(path)], &here, &words));
            assert_eq!(output.status.code(), Some(2), "{path}: {}", said(&output));
            assert_eq!(text(&output.stderr).lines().count(), 1, "{path}: {}", text(&output.stderr));
            assert!(text(&output.stderr).contains(says), "{path}: {}", text(&output.stderr));
        }
    }
}

#[test]
fn what_a_word_names_and_no_sandbox_has_is_named_before_any_check() {
    if !prepared("what_a_word_names_and_no_sandbox_has_is_named_before_any_check") {
        return;
    }
    let folder = folder_for_all_users();
    let at = |path: &str| folder.path().join(path);
    let here = programs(folder.path()).join("py");
    put(&at("classes/Main.class"), "");
    put(&at("lib/frames.jar"), "");
    put(&here.join("data/.hidden/words"), "");
    let (classes, jar) = (at("classes").display().to_string(), at("lib/frames.jar").display().to_string());
    let (path, option) = (format!(".:{jar}"), format!("--class-path={classes}"));
    let cases: [(&[&str], &str); 5] = [
        (&["java", "-cp", &classes, "Main"], &classes),
        (&["java", "-cp", &path, "Main"], &jar),
        (&["java", &option, "Main"], &classes),
        (&["python3", "../../classes"], &classes),
        (&["python3", "server.py", "data/.hidden"], "data/.hidden"),
    ];
    for (words, named) in cases {
        let output = run(&mut command(&[], &here, &[&["grade", "15", "--"], words].concat()));
        assert_eq!(output.status.code(), Some(2), "{words:?}: {}", said(&output));
        let says = [named, "is not in the sandbox"];
        assert!(says.iter().all(|says| said(&output).contains(says)), "{words:?}: {}", said(&output));
    }
    let usual =
        ["grade", "15", "--check", "one-client", "--", "python3", "server.py", "data", "/tmp", "/usr/lib", "a/b:c"];
    let output = run(&mut command(&[], &here, &usual));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    // More than comes along: the folder is named.
    (0..4100).for_each(|number| put(&here.join("many").join(number.to_string()), ""));
    for words in [&["grade", "15", "server.py"][..], &["grade", "15", "--", "python3", "server.py"]] {
        let output = run(&mut command(&[], &here, words));
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        let says = [&*here.display().to_string(), "more than 4096 files", "--folder"];
        assert!(says.iter().all(|says| said(&output).contains(says)), "{}", said(&output));
    }
}

#[test]
fn a_stranger_has_no_program_of_the_folder_executed_outside_of_a_sandbox() {
    if !prepared("a_stranger_has_no_program_of_the_folder_executed_outside_of_a_sandbox") {
        return;
    }
    let folder = folder_for_all_users();
    let here = programs(folder.path()).join("py");
    let trap = format!("#!/bin/sh\necho sprung > {}\n", folder.path().join("trap").display());
    for place in ["bin/python3", ".venv/bin/python3", "venv/bin/python3"] {
        put_script(&here.join(place), &trap);
    }
    put(&here.join(".venv/pyvenv.cfg"), "home = /usr/bin\n");
    put(&here.join("venv/pyvenv.cfg"), "home = /usr/bin\n");
    put_script(&here.join("script"), &format!("#!{}\n", here.join("bin/python3").display()));
    let inside = here.join(".venv/bin/python3").display().to_string();
    for program in ["bin/python3", ".venv/bin/python3", "./venv/bin/python3", &inside, "./script"] {
        let words = ["grade", "15", "--check", "one-client", "--untrusted", "--", program, "server.py"];
        let output = run(&mut command(&[], &here, &words));
        assert_ne!(output.status.code(), Some(0), "{program}: {}", said(&output));
        assert!(!folder.path().join("trap").exists(), "{program}: {}", said(&output));
    }
}
