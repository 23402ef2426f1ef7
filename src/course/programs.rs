//! Which of a folder's files is the program, and which belong to it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::java::{self, JavaFile};
use super::languages::Language;

/// A file whose ending is that of a language.
#[derive(Debug)]
pub(super) struct Source {
    /// Its name in the folder.
    pub name: OsString,
    /// The language.
    pub language: &'static Language,
    /// What stands in it.
    pub text: String,
}

/// A program, how it is built, and how it is run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Commands {
    /// Builds it; empty where there is nothing to build.
    pub build: Vec<OsString>,
    /// Runs it.
    pub run: Vec<OsString>,
}

impl Source {
    /// Its name without its ending.
    fn stem(&self) -> &str {
        Path::new(&self.name).file_stem().and_then(OsStr::to_str).unwrap_or_default()
    }

    /// A name that begins as an option does is no option.
    fn word(&self) -> OsString {
        let is_like_option = self.name.as_bytes().starts_with(b"-");
        if is_like_option { Path::new(".").join(&self.name).into() } else { self.name.clone() }
    }

    /// Whether a program can start with it; `None` where every file may.
    fn has_main(&self) -> Option<bool> {
        let follow = |first: &str, second: &str| {
            let words = java::words(&self.text);
            words
                .windows(3)
                .any(|three| (three[0] == first || first.is_empty()) && three[1] == second && three[2] == "(")
        };
        match self.language.name {
            "c" => Some(follow("", "main")),
            "go" => Some(follow("func", "main")),
            "rust" => Some(follow("fn", "main")),
            "java" => Some(follow("void", "main")),
            _ => None,
        }
    }

    /// Whether it is a test of another one, by its name.
    fn is_test(&self) -> bool {
        self.stem().starts_with("test_") || self.stem().ends_with("_test") || self.stem().ends_with("Test")
    }

    /// Whether it takes in another file, as its language does that by name.
    fn uses(&self, other: &Source) -> bool {
        if self.language.name != other.language.name {
            return false;
        }
        let stem = other.stem();
        let lines = || self.text.lines().map(str::trim);
        match self.language.name {
            "python" => lines().any(|line| imported(line).any(|name| name == stem)),
            "node" => ["'", "\"", "`"].iter().any(|quote| {
                let named = |ending: &str| self.text.contains(&format!("./{stem}{ending}{quote}"));
                named("") || named(".js") || named(".mjs")
            }),
            "c" => other.name.to_str().is_some_and(|name| {
                lines().any(|line| {
                    line.starts_with('#') && line.contains("include") && line.contains(&format!("\"{name}\""))
                })
            }),
            "rust" => {
                java::words(&self.text).windows(3).any(|three| three[0] == "mod" && three[1] == stem && three[2] == ";")
            }
            "java" => JavaFile::read(&self.text).needs(&JavaFile::read(&other.text)),
            _ => false,
        }
    }
}

/// The modules that a line of Python imports, by the first parts of their names; of a package's own the second.
fn imported(line: &str) -> impl Iterator<Item = &str> {
    let (from, import) = match (line.strip_prefix("from "), line.strip_prefix("import ")) {
        (Some(rest), _) => {
            let (module, names) = rest.split_once(" import ").unwrap_or((rest, ""));
            // from . import frames
            (module, if module.trim().trim_start_matches('.').is_empty() { names } else { "" })
        }
        (None, Some(rest)) => ("", rest),
        (None, None) => ("", ""),
    };
    [from].into_iter().chain(import.split(',')).map(|name| {
        let name = name.trim().trim_start_matches(['.', '(']);
        name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
    })
}

/// The one that is the program: that which is called as the exercise's starters are; or else the only one that no other
/// takes in, and that a program can start with; of several such the only one with a name that says so. `None` where it
/// is not clear.
pub(super) fn the_program<'a>(sources: &'a [Source], starters: &[&str]) -> Option<&'a Source> {
    if let [only] = sources {
        return Some(only);
    }
    let stems = || starters.iter().filter_map(|name| Path::new(name).file_stem().and_then(OsStr::to_str));
    let is_named = |source: &Source| stems().any(|stem| stem.eq_ignore_ascii_case(source.stem()));
    let by_name = || sources.iter().filter(|source| starters.iter().any(|name| source.name == *name));
    let by_stem = || sources.iter().filter(|source| is_named(source));
    let uses = |other: &Source, one: &Source| !other.is_test() && other.name != one.name && other.uses(one);
    let is_taken_in = |one: &Source| sources.iter().any(|other| uses(other, one));
    let is_head = |source: &&Source| source.has_main() != Some(false) && !source.is_test() && !is_taken_in(source);
    let heads: Vec<&Source> = sources.iter().filter(is_head).collect();
    let heads = || heads.iter().copied();
    // tcp_server.py, EchoServer.java
    let says_so = |source: &&Source| stems().any(|stem| source.stem().to_ascii_lowercase().contains(stem));
    let is_main = |source: &&Source| ["main", "__main__", "index"].contains(&&*source.stem().to_ascii_lowercase());
    if by_name().next().is_some() || by_stem().next().is_some() {
        return only(by_name()).or_else(|| only(by_stem()).filter(|_| by_name().next().is_none()));
    }
    only(heads()).or_else(|| only(heads().filter(says_so))).or_else(|| only(heads().filter(is_main)))
}

fn only<'a>(mut sources: impl Iterator<Item = &'a Source>) -> Option<&'a Source> {
    sources.next().filter(|_| sources.next().is_none())
}

/// How a program is built and run, with the other files of its folder that belong to it.
pub(super) fn commands(program: &Source, sources: &[Source], has_javac: bool) -> Commands {
    if program.language.name == "java"
        && let Some(commands) = java_commands(program, sources).filter(|_| has_javac)
    {
        return commands;
    }
    let beside: Vec<&Source> = match program.language.name {
        // What has no main and is taken in by no other file is linked.
        "c" | "go" => {
            let is_part = |one: &&Source| {
                let is_taken_in = sources.iter().any(|other| other.name != one.name && other.uses(one));
                let is_test = one.language.name == "go" && one.stem().ends_with("_test");
                one.language.name == program.language.name && one.has_main() == Some(false) && !is_taken_in && !is_test
            };
            sources.iter().filter(is_part).filter(|one| one.name != program.name).collect()
        }
        _ => Vec::new(),
    };
    let words = |words: &[&str]| {
        let named = |word: &&str| match *word {
            "{file}" => [program].into_iter().chain(beside.iter().copied()).map(Source::word).collect(),
            word => vec![OsString::from(word)],
        };
        words.iter().flat_map(named).collect()
    };
    Commands { build: words(program.language.build), run: words(program.language.run) }
}

/// Compiles a Java program once, with all files of the folder whose classes it needs. `None` where only
/// `java File.java` takes it: without a class around its `main`, or with a public class of another name.
fn java_commands(program: &Source, sources: &[Source]) -> Option<Commands> {
    let read = |source: &Source| JavaFile::read(&source.text);
    let class = read(program).starts_with()?;
    let mut all = vec![(program, read(program))];
    let mut others: Vec<(&Source, JavaFile)> = sources
        .iter()
        .filter(|source| source.language.name == "java" && source.name != program.name)
        .map(|source| (source, read(source)))
        .collect();
    while let Some(found) = others.iter().position(|(_, other)| all.iter().any(|(_, one)| one.needs(other))) {
        all.push(others.swap_remove(found));
    }
    if !all.iter().all(|(source, file)| file.may_be_called(source.stem())) {
        return None;
    }
    // The compiler's own machine is not the judge's to measure: it starts and ends soon.
    let compiler = ["javac", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", "-proc:none", "-d", "."];
    let files = all.iter().map(|(source, _)| source.word());
    let build = compiler.into_iter().map(OsString::from).chain(files).collect();
    let run = ["java", "-cp", ".", &class].map(OsString::from).to_vec();
    Some(Commands { build, run })
}

#[cfg(test)]
mod tests {
    use super::super::languages;
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        let source = |(name, text): &(&str, &str)| {
            let language = languages::of_file(Path::new(name)).expect("a language");
            Source { name: (*name).into(), language, text: (*text).to_owned() }
        };
        files.iter().map(source).collect()
    }

    fn program(files: &[(&str, &str)]) -> Option<String> {
        let sources = sources(files);
        the_program(&sources, &["server.py", "server.c"]).map(|source| source.name.to_string_lossy().into_owned())
    }

    #[test]
    fn the_program_has_the_starters_name_or_is_taken_in_by_no_other() {
        assert_eq!(program(&[("a.py", "")]).as_deref(), Some("a.py"));
        assert_eq!(program(&[("a.py", ""), ("server.py", "")]).as_deref(), Some("server.py"));
        assert_eq!(program(&[("Server.java", ""), ("client.py", "")]).as_deref(), Some("Server.java"));
        assert_eq!(program(&[("server.py", ""), ("server.c", "")]), None);
        assert_eq!(program(&[("a.py", ""), ("b.py", "")]), None);
        assert_eq!(program(&[("EchoServer.py", ""), ("EchoClient.py", "")]).as_deref(), Some("EchoServer.py"));
        assert_eq!(program(&[("main.py", ""), ("old.py", "")]).as_deref(), Some("main.py"));
        assert_eq!(program(&[("main.py", "import server_parts"), ("server_parts.py", "")]).as_deref(), Some("main.py"));
        assert_eq!(program(&[("a.py", ""), ("test_a.py", "import a")]).as_deref(), Some("a.py"));
        for import in ["import b", "import os, b as c", "from b import *", "from . import b", "from .b import x"] {
            let text = format!("#!/usr/bin/python3\n    {import}\n");
            assert_eq!(program(&[("a.py", &text), ("b.py", "")]).as_deref(), Some("a.py"), "{import}");
        }
        assert_eq!(program(&[("a.py", "import c.b"), ("b.py", "")]), None);
        assert_eq!(program(&[("a.py", "import b"), ("b.py", "import a")]), None);
        assert_eq!(program(&[("a.js", "require('./b')"), ("b.js", "")]).as_deref(), Some("a.js"));
        assert_eq!(program(&[("a.mjs", "import './b.mjs'"), ("b.mjs", "")]).as_deref(), Some("a.mjs"));
        assert_eq!(program(&[("a.rs", "mod b;\nfn main() {}"), ("b.rs", "")]).as_deref(), Some("a.rs"));
        assert_eq!(program(&[("a.c", "int main(void) {}"), ("b.c", "int b;")]).as_deref(), Some("a.c"));
        assert_eq!(program(&[("a.go", "func main() {}"), ("b.go", "func b() {}")]).as_deref(), Some("a.go"));
        let main = "public class A { B b; static void main(String[] a) {} }";
        assert_eq!(program(&[("A.java", main), ("B.java", "class B {}")]).as_deref(), Some("A.java"));
    }

    #[test]
    fn what_belongs_to_a_program_is_built_with_it() {
        let built = |files: &[(&str, &str)], has_javac| {
            let sources = sources(files);
            let Commands { build, run } = commands(&sources[0], &sources, has_javac);
            let join = |words: Vec<OsString>| words.join(OsStr::new(" ")).into_string().expect("UTF-8");
            (join(build), join(run))
        };
        let c = [("a.c", "#include \"c.c\"\nint main() {}"), ("b.c", ""), ("c.c", ""), ("d.c", "int main() {}")];
        assert_eq!(built(&c, true).0, "cc -O1 -Wall -pthread -o program a.c b.c");
        let go = [("-a.go", "func main() {}"), ("b.go", ""), ("b_test.go", ""), ("c.go", "func main() {}")];
        assert_eq!(built(&go, true).0, "go build -o program ./-a.go b.go");
        let main = "package p; public class A { B b; public static void main(String[] a) {} }";
        let java = [("A.java", main), ("B.java", "package p; class B { C c; }"), ("C.java", "package p; class C {}")];
        let (build, run) = built(&java, true);
        assert!(build.starts_with("javac ") && build.ends_with(" -d . A.java B.java C.java"), "{build}");
        assert_eq!(run, "java -cp . p.A");
        assert_eq!(built(&java, false), (String::new(), "java A.java".to_owned()));
        let odd = [("server.java", "public class A { static void main(String[] a) {} }")];
        assert_eq!(built(&odd, true), (String::new(), "java server.java".to_owned()));
    }
}
