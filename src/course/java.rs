//! What of a Java file must be known to compile it and to start what it holds: its package and its classes.

/// The words that begin a class.
const KINDS: [&str; 4] = ["class", "interface", "enum", "record"];

/// A Java file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct JavaFile {
    /// Its package, with points; empty where none is named.
    pub package: String,
    /// Its outermost classes.
    pub classes: Vec<Class>,
    /// All other names in it, in the order of the alphabet.
    names: Vec<String>,
}

/// An outermost class.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Class {
    /// Its name.
    pub name: String,
    /// Whether it is public: then its file must be called as it is.
    pub is_public: bool,
    /// Whether a program can start with it.
    pub has_main: bool,
}

impl JavaFile {
    /// Reads a file, as far as this takes no compiler.
    pub fn read(text: &str) -> JavaFile {
        let words = words(text);
        let mut file = JavaFile::default();
        let (mut depth, mut is_public) = (0u32, false);
        for (index, word) in words.iter().enumerate() {
            let next = |further: usize| words.get(index + further).map(String::as_str).unwrap_or_default();
            match word.as_str() {
                "{" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                "package" if depth == 0 => {
                    file.package = words[index + 1..].iter().take_while(|word| *word != ";").cloned().collect();
                }
                "public" if depth == 0 => is_public = true,
                kind if depth == 0 && KINDS.contains(&kind) && is_name(next(1)) => {
                    file.classes.push(Class { name: next(1).to_owned(), is_public, has_main: false });
                }
                "void" if depth == 1 && next(1) == "main" && next(2) == "(" => {
                    file.classes.last_mut().into_iter().for_each(|class| class.has_main = true);
                }
                _ => {}
            }
            if depth == 0 && matches!(word.as_str(), ";" | "}") {
                is_public = false;
            }
        }
        file.names = words.into_iter().filter(|word| is_name(word)).collect();
        file.names.sort_unstable();
        file.names.dedup();
        file
    }

    /// The class that a program starts with, with its package: the public one, or else the first that has a `main`.
    pub fn starts_with(&self) -> Option<String> {
        let class = self.mains().find(|class| class.is_public).or_else(|| self.mains().next())?;
        let point = if self.package.is_empty() { "" } else { "." };
        Some(format!("{}{point}{}", self.package, class.name))
    }

    /// Whether a compiler takes it under this name, without its ending.
    pub fn may_be_called(&self, stem: &str) -> bool {
        !self.classes.iter().any(|class| class.is_public && class.name != stem)
    }

    /// Whether it names a class of another file, which it does not have itself.
    pub fn needs(&self, other: &JavaFile) -> bool {
        let has = |name: &String| self.classes.iter().any(|class| class.name == *name);
        let names = |name: &String| self.names.binary_search(name).is_ok();
        self.package == other.package && other.classes.iter().any(|class| names(&class.name) && !has(&class.name))
    }

    fn mains(&self) -> impl Iterator<Item = &Class> {
        self.classes.iter().filter(|class| class.has_main)
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$')
}

/// The names and the signs of a text in C's tradition, without comments, and without what is quoted.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let behind = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
        let len = if rest.starts_with("//") {
            behind("\n", 2)
        } else if rest.starts_with("/*") {
            behind("*/", 2)
        } else if rest.starts_with("\"\"\"") {
            behind("\"\"\"", 3)
        } else if matches!(first, '"' | '\'' | '`') {
            quoted(rest, first)
        } else if is_of_word(first) {
            let len = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
            words.push(rest[..len].to_owned());
            len
        } else {
            if !first.is_whitespace() {
                words.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[len..];
    }
    words
}

/// The length of what is quoted at the beginning of a text. A quotation ends with its line, but for a back quote's.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if quote != '`' => is_escaped = true,
            '\n' if quote != '`' => return at,
            other if other == quote => return at + other.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_that_starts_is_the_public_one_or_the_first_with_a_main() {
        let start = |text: &str| JavaFile::read(text).starts_with();
        let main = "static void main(String[] a) { String s = \"class No {\"; }";
        assert_eq!(start(&format!("package a.b; // public class C\nclass D {{}} public class E {{ {main} }}")), {
            Some("a.b.E".to_owned())
        });
        assert_eq!(start(&format!("class D {{ class In {{ {main} }} }} final class E {{ {main} }}")), Some("E".into()));
        assert_eq!(start("record P(int x) {} enum Q { A; }"), None);
        assert_eq!(start(&format!("import a.b;\n@A(b = '\"') public record R(int x) {{ {main} }}")), Some("R".into()));
    }

    #[test]
    fn a_file_needs_the_files_whose_classes_it_names() {
        let read = JavaFile::read;
        let main = read("public class Server { Frames f; /* Other */ String s = \"Third\"; class Own {} }");
        assert!(main.needs(&read("class Frames {}")));
        assert!(!main.needs(&read("class Other {}")) && !main.needs(&read("class Third {}")));
        assert!(!main.needs(&read("package p; class Frames {}")), "of another package it is found by its folder");
        assert!(main.may_be_called("Server") && !main.may_be_called("server"));
        assert!(read("class server {}").may_be_called("Main"));
    }

    #[test]
    fn what_is_no_java_breaks_nothing() {
        for text in ["", "\"", "'\\", "/*", "\"\"\"", "}}}{", "package", "class", "void main", "`\u{1b}é"] {
            JavaFile::read(text);
        }
    }
}
