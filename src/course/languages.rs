//! The languages of attempts: how a program of each is built and run.

use std::path::Path;

/// A language, and its two commands, in which `{file}` stands for the program's file.
#[derive(Debug)]
pub struct Language {
    /// Its name on the command line, and of its folder in `starters/` and `solutions/`: `python`.
    pub name: &'static str,
    /// The endings of its files, without the point.
    pub endings: &'static [&'static str],
    /// The program of this machine that it takes: the first word of the command that builds it, or else runs it.
    pub program: &'static str,
    /// Builds it; empty where there is nothing to build.
    pub build: &'static [&'static str],
    /// Runs it.
    pub run: &'static [&'static str],
    /// Whether each exercise has a starter and a solution in it.
    pub has_starters: bool,
}

/// All of them.
pub const LANGUAGES: [Language; 6] = [
    Language {
        name: "python",
        endings: &["py"],
        program: "python3",
        build: &[],
        run: &["python3", "{file}"],
        has_starters: true,
    },
    Language {
        name: "rust",
        endings: &["rs"],
        program: "rustc",
        build: &["rustc", "--edition", "2024", "-O", "-o", "program", "{file}"],
        run: &["./program"],
        has_starters: true,
    },
    Language {
        name: "c",
        endings: &["c"],
        program: "cc",
        build: &["cc", "-O1", "-Wall", "-pthread", "-o", "program", "{file}"],
        run: &["./program"],
        has_starters: true,
    },
    Language {
        name: "node",
        endings: &["js", "mjs"],
        program: "node",
        build: &[],
        run: &["node", "{file}"],
        has_starters: false,
    },
    Language {
        name: "go",
        endings: &["go"],
        program: "go",
        build: &["go", "build", "-o", "program", "{file}"],
        run: &["./program"],
        has_starters: false,
    },
    Language {
        name: "java",
        endings: &["java"],
        program: "java",
        build: &[],
        run: &["java", "{file}"],
        has_starters: false,
    },
];

/// The languages in which each exercise has a starter and a solution.
pub fn with_starters() -> impl Iterator<Item = &'static Language> {
    LANGUAGES.iter().filter(|language| language.has_starters)
}

/// The language that a person means by `word`: its name, or the ending of its files.
pub fn find(word: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.name == word || language.endings.contains(&word))
}

/// The language of a file, by its ending.
pub fn of_file(file: &Path) -> Option<&'static Language> {
    let ending = file.extension()?.to_str()?;
    LANGUAGES.iter().find(|language| language.endings.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_languages_program_is_the_first_word_of_its_first_command() {
        for language in &LANGUAGES {
            let command = if language.build.is_empty() { language.run } else { language.build };
            assert_eq!(command[0], language.program);
            let files = command.iter().filter(|word| **word == "{file}").count();
            assert_eq!(files, 1, "{}", language.name);
        }
    }

    #[test]
    fn a_language_is_found_by_its_name_and_by_an_ending() {
        assert_eq!(find("py").map(|language| language.name), Some("python"));
        assert_eq!(of_file(Path::new("a/server.mjs")).map(|language| language.name), Some("node"));
        assert!(of_file(Path::new("Makefile")).is_none());
    }
}
