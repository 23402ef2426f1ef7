//! What belongs to a program that is installed outside of `/usr`: found by the layout that its toolchain is known to
//! have. Of a folder that has it, those parts are shown that the toolchain needs, and never the folder itself: it may
//! be somebody's home.

use std::fs;
use std::path::{Path, PathBuf};

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

/// What must be shown for the program of this full path, in which there are no links: the program, and the parts of its
/// toolchain if that is one of those known here.
pub fn around(program: &Path) -> Vec<PathBuf> {
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // Several versions lie beside each other as gcc-13 and ruby3.1.
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    let root = program.parent().filter(|folder| folder.ends_with("bin")).and_then(Path::parent);
    let has = |layout: &&Layout, root: &Path| {
        layout.programs.contains(&name)
            && layout.marks.iter().all(|marks| marks.iter().any(|mark| root.join(mark).exists()))
    };
    let parts = root
        .and_then(|root| Some((root, LAYOUTS.iter().find(|layout| has(layout, root))?)))
        .map(|(root, layout)| parts_of(root, layout.parts))
        .unwrap_or_default();
    without_what_is_shown(parts.into_iter().chain([program.to_owned()]).collect())
}

/// What must be shown for a Python that has said where it lies and which prefixes it has.
pub fn of_python(program: &Path, prefixes: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut shown: Vec<PathBuf> =
        prefixes.filter(|prefix| prefix.is_absolute()).flat_map(|prefix| parts_of(&prefix, &PARTS_OF_PYTHON)).collect();
    shown.push(program.to_owned());
    let real = fs::canonicalize(program).ok();
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
