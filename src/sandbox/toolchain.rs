//! What belongs to a program that is installed outside of `/usr`: found by the layout that its toolchain is known to
//! have. Of a folder that has it, those parts are shown that the toolchain needs, and never the folder itself: it may
//! be somebody's home.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// A toolchain's layout, below the folder that its `bin` is in.
struct Layout {
    /// Its programs.
    programs: &'static [&'static str],
    /// How it is known: of each of these lists one must be there.
    marks: &'static [&'static [&'static str]],
    /// What is shown of it, as far as it is there.
    parts: &'static [&'static str],
}

const LAYOUTS: [Layout; 7] = [
    Layout {
        programs: &["rustc", "cargo", "rustdoc"],
        marks: &[&["lib/rustlib"]],
        parts: &["bin/rustc", "bin/cargo", "bin/rustdoc", "lib"],
    },
    Layout {
        programs: &["node", "nodejs"],
        marks: &[&["include/node", "lib/node_modules"]],
        parts: &["lib/node_modules"],
    },
    Layout {
        programs: &["go", "gofmt"],
        marks: &[&["VERSION"], &["src/runtime", "pkg"]],
        parts: &["VERSION", "go.env", "bin/go", "bin/gofmt", "src", "pkg", "lib"],
    },
    Layout {
        programs: &["java", "javac"],
        marks: &[&["release"], &["lib/modules", "lib/rt.jar", "jre/lib/rt.jar"]],
        parts: &["release", "bin/java", "bin/javac", "conf", "lib", "jre"],
    },
    Layout { programs: &["ruby"], marks: &[&["lib/ruby"]], parts: &["lib"] },
    Layout { programs: &["perl"], marks: &[&["lib/perl5"]], parts: &["lib"] },
    Layout {
        programs: &["cc", "gcc", "g++", "c++", "clang", "clang++"],
        marks: &[&["lib/gcc", "lib/clang"]],
        parts: &["bin", "include", "lib", "lib64", "libexec"],
    },
];

/// What is shown of a Python's prefix, or of a virtual environment.
const PARTS_OF_PYTHON: [&str; 3] = ["pyvenv.cfg", "lib", "lib64"];

/// What is shown of the folder in which Homebrew has all its packages, wherever its user has put it.
const PARTS_OF_HOMEBREW: [&str; 3] = ["Cellar", "opt", "lib"];

/// Stores of packages, each of which names all others that it needs by their full paths.
const STORES: [&str; 2] = ["/nix/store", "/gnu/store"];

/// How a language's program says where it is, if what lies in `PATH` only looks for it: `pyenv`, `asdf`, `mise`,
/// `nodenv`, `jenv`, `goenv` and `volta` put such a shim there.
pub struct Question {
    /// The programs that belong together. The first one is asked for all.
    pub programs: &'static [&'static str],
    /// The words behind it.
    pub words: &'static [&'static str],
    /// What the line of the answer begins with, which may come on standard error.
    pub before: &'static str,
    /// Where the programs are, below the folder that the answer names; `None` if it names the program itself.
    pub below: Option<&'static str>,
    /// Words with which it does next to nothing: to see whether it starts.
    pub to_try: &'static [&'static str],
}

const QUESTIONS: [Question; 8] = [
    Question {
        programs: &["rustc", "cargo", "rustdoc"],
        words: &["--print", "sysroot"],
        before: "",
        below: Some("bin"),
        to_try: &["--version"],
    },
    Question {
        programs: &["node", "nodejs"],
        words: &["-p", "process.execPath"],
        before: "",
        below: None,
        to_try: &["--version"],
    },
    Question {
        programs: &["java", "javac"],
        words: &["-XshowSettings:properties", "-version"],
        before: "java.home = ",
        below: Some("bin"),
        to_try: &["-version"],
    },
    Question {
        programs: &["go", "gofmt"],
        words: &["env", "GOROOT"],
        before: "",
        below: Some("bin"),
        to_try: &["version"],
    },
    Question {
        programs: &["ruby"],
        words: &["-e", "print RbConfig.ruby"],
        before: "",
        below: None,
        to_try: &["--version"],
    },
    Question { programs: &["perl"], words: &["-e", "print $^X"], before: "", below: None, to_try: &["-v"] },
    Question { programs: &["php"], words: &["-n", "-r", "echo PHP_BINARY;"], before: "", below: None, to_try: &["-v"] },
    Question {
        programs: &["cc", "gcc", "g++", "c++", "clang", "clang++"],
        words: &[],
        before: "",
        below: None,
        to_try: &["--version"],
    },
];

/// The question that is asked of programs of this name.
pub fn question(name: &str) -> Option<&'static Question> {
    QUESTIONS.iter().find(|question| question.programs.contains(&without_version(name)))
}

/// Whether this is the name of a program of a toolchain that is known here.
pub fn is_known(name: &str) -> bool {
    is_python(name) || question(name).is_some()
}

/// Words with which a program of this name does next to nothing, if it is one that is known here.
pub fn to_try(name: &str) -> Option<&'static [&'static str]> {
    if is_python(name) {
        return Some(&["-I", "-S", "-c", "import socket"]);
    }
    question(name).map(|question| question.to_try)
}

/// Several versions lie beside each other as gcc-13 and ruby3.1.
fn without_version(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-')
}

/// Whether this is the name of a Python: `python3`, `python3.12`, `pypy3`.
pub fn is_python(name: &str) -> bool {
    let rest = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
    rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// The virtual environment that a Python is in, if it is in one.
pub fn environment_of(python: &Path) -> Option<&Path> {
    python.parent().and_then(Path::parent).filter(|prefix| prefix.join("pyvenv.cfg").is_file())
}

/// Whether a path is one of those that every sandbox shows.
pub fn is_of_the_system(path: &Path) -> bool {
    ["/usr", "/bin", "/sbin", "/lib", "/lib64"].into_iter().any(|folder| path.starts_with(folder))
}

/// Whether something of this path is in each sandbox: it is one of the system's, or of those that a sandbox has itself.
pub fn is_in_every_sandbox(path: &Path) -> bool {
    let own = ["/dev", "/etc", "/proc", "/sys"].into_iter().any(|folder| path.starts_with(folder));
    own || is_of_the_system(path) || ["/", "/tmp", "/box"].into_iter().any(|folder| path == Path::new(folder))
}

/// What must be shown for the program of this full path, in which there are no links: the program, and the parts of its
/// toolchain if that is one of those known here.
pub fn around(program: &Path) -> Vec<PathBuf> {
    let parts = layout_of(program).map(|(root, layout)| parts_of(root, layout.parts)).unwrap_or_default();
    without_what_is_shown(parts.into_iter().chain(of_packages(program)).chain([program.to_owned()]).collect())
}

/// Whether the program of this full path lies in a toolchain that is known here.
pub fn has_layout(program: &Path) -> bool {
    layout_of(program).is_some()
}

/// The layout around the program of this full path, and the folder that has it.
fn layout_of(program: &Path) -> Option<(&Path, &'static Layout)> {
    let name = without_version(program.file_name().and_then(|name| name.to_str()).unwrap_or_default());
    let root = program.parent().filter(|folder| folder.ends_with("bin")).and_then(Path::parent)?;
    let has = |layout: &&Layout| {
        layout.programs.contains(&name)
            && layout.marks.iter().all(|marks| marks.iter().any(|mark| root.join(mark).exists()))
    };
    Some((root, LAYOUTS.iter().find(has)?))
}

/// What must be shown for a program, whose full path this is, of a manager of packages that need each other.
fn of_packages(program: &Path) -> Vec<PathBuf> {
    if let Some(store) = STORES.into_iter().map(Path::new).find(|store| program.starts_with(store)) {
        return vec![store.to_owned()];
    }
    let cellar = program.ancestors().find(|above| above.ends_with("Cellar")).and_then(Path::parent);
    cellar.map(|root| parts_of(root, &PARTS_OF_HOMEBREW)).unwrap_or_default()
}

/// What must be shown for a Python that has said where it lies and which prefixes it has.
pub fn of_python(program: &Path, prefixes: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    // A prefix may be a link, of whose two names an interpreter uses now one and now the other.
    let both = |prefix: PathBuf| [fs::canonicalize(&prefix).ok(), Some(prefix)].into_iter().flatten();
    let mut shown: Vec<PathBuf> = prefixes
        .flat_map(both)
        .filter(|prefix| prefix.is_absolute() && prefix.components().all(|part| part != Component::ParentDir))
        .flat_map(|prefix| parts_of(&prefix, &PARTS_OF_PYTHON))
        .collect();
    shown.push(program.to_owned());
    let real = fs::canonicalize(program).ok();
    shown.extend(real.as_deref().map(of_packages).unwrap_or_default());
    // PyPy's library lies beside it.
    let beside = real.as_deref().and_then(Path::parent).and_then(|folder| fs::read_dir(folder).ok());
    let is_library = |name: &str| name.starts_with("lib") && name.contains(".so");
    let libraries = beside.into_iter().flatten().flatten().map(|entry| entry.path());
    shown.extend(libraries.filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_library)));
    shown.extend(real);
    without_what_is_shown(shown)
}

/// These parts of a folder, as far as they are there. A toolchain that lies in `/` has them where all look.
fn parts_of(root: &Path, parts: &[&str]) -> Vec<PathBuf> {
    let root = if root == Path::new("/") { Path::new("/usr") } else { root };
    parts.iter().map(|part| root.join(part)).filter(|part| part.exists()).collect()
}

/// These paths without those that are shown in any case, and without what lies below another one.
fn without_what_is_shown(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.retain(|path| !is_of_the_system(path));
    paths.sort();
    paths.dedup_by(|below, above| below.starts_with(&*above));
    paths
}
