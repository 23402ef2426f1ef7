//! The house is in order: what must be equal is equal, and what must not be there is not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use socklab::course::labs::{rows, with_rows};

use crate::support::{labs, played_here, project, read, side_by_side};

fn names_in(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(project(folder)).expect("a folder").flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The same without what students begin with, and what is shown to them as right or wrong.
fn our_files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let theirs =
        |path: &Path| path.iter().any(|name| ["starters", "solutions", "wrong"].iter().any(|one| name == *one));
    let inside = |path: &PathBuf| !theirs(path.strip_prefix(project(folder)).unwrap_or(path));
    files(folder, ending).into_iter().filter(inside).collect()
}

/// All files with this ending below a folder of the project.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![project(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|is| is == ending) {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn programs_folders_pages_and_the_table_of_contents_are_the_same_labs() {
    let table: BTreeSet<String> = labs().into_iter().map(|lab| lab.folder).collect();
    let folders: BTreeSet<String> = names_in("labs").into_iter().filter(|name| name != "README.md").collect();
    assert_eq!(folders, table, "labs/ and labs/README.md");
    let pages = names_in("docs/labs").into_iter().filter_map(|name| name.strip_suffix(".md").map(str::to_owned));
    assert_eq!(pages.collect::<BTreeSet<_>>(), table, "docs/labs/ and labs/README.md");
    let programs = names_in("programs/src/bin").into_iter();
    let programs = programs.filter_map(|name| name.strip_prefix("lab-")?.strip_suffix(".rs").map(str::to_owned));
    assert_eq!(programs.collect::<BTreeSet<_>>(), table, "programs/src/bin/ and labs/");
}

#[test]
fn the_table_of_contents_is_made_from_the_labs() {
    let table = read("labs/README.md");
    if std::env::var_os("SOCKLAB_BLESS").is_some() {
        fs::write(project("labs/README.md"), with_rows(&table, &rows())).expect("the table is written");
        return;
    }
    assert_eq!(table, with_rows(&table, &rows()), "labs/README.md: `just bless` writes it");
}

#[test]
fn a_transcript_begins_with_its_labs_question() {
    side_by_side(&played_here("a_transcript_begins_with_its_labs_question"), |lab| {
        let transcript = lab.shows(&[]);
        let heading = transcript.split("\n\n").next().expect("a heading").replace("\n  ", " ");
        assert_eq!(heading, format!("Lab {:02} {}: {}", lab.number, lab.name, lab.question));
    });
}

#[test]
fn a_program_begins_with_what_the_lab_is_and_then_has_its_roles() {
    for lab in labs() {
        let code = read(&format!("labs/{}/main.rs", lab.folder));
        let first = code.lines().find(|line| line.starts_with("fn ") || line.starts_with("pub fn "));
        assert_eq!(first, Some("pub fn lab() -> Lab {"), "{}", lab.folder);
        assert!(!code.contains("assert"), "{}: a lab shows and does not judge", lab.folder);
    }
}

#[test]
fn nothing_sleeps() {
    for folder in ["src", "labs", "tests", "benches"] {
        for file in our_files(folder, "rs") {
            let code = fs::read_to_string(&file).expect("a file");
            let sleeps = code.contains(concat!("thread::", "sleep")) || code.contains(concat!("nano", "sleep("));
            assert!(!sleeps, "{}", file.display());
        }
    }
}

#[test]
fn only_one_module_is_unsafe() {
    for file in files("src", "rs").into_iter().chain(our_files("labs", "rs")) {
        let code = fs::read_to_string(&file).expect("a file");
        let is_sys = file.ends_with("src/sys.rs") || file.starts_with(project("src/sys"));
        assert!(is_sys || !code.contains("unsafe "), "{}", file.display());
    }
}

/// Which modules each module uses. A module stands behind those that it uses, so there is no circle. `labs` are the
/// programs and checks in `labs/`; `main` is the `socklab` program with its commands.
const ARROWS: [(&str, &[&str]); 24] = [
    ("beneath", &[]),
    ("framing", &[]),
    ("splitmix", &[]),
    ("sys", &[]),
    ("trace", &[]),
    ("netlink", &["sys"]),
    ("probe", &["netlink", "sys", "trace"]),
    ("screen", &["sys"]),
    ("socket", &["sys", "trace"]),
    ("file", &["beneath", "socket", "sys", "trace"]),
    ("view", &["trace"]),
    ("output", &["trace", "view"]),
    ("wire", &["netlink", "splitmix", "sys", "trace"]),
    ("stage", &["probe", "sys", "trace", "wire"]),
    ("sandbox", &["beneath", "netlink", "probe", "stage", "sys", "trace"]),
    ("fuzzing", &["netlink", "sandbox"]),
    ("judge", &["probe", "sandbox", "socket", "splitmix", "sys", "trace", "view", "wire"]),
    ("lab", &["file", "output", "probe", "socket", "stage", "sys", "trace", "view", "wire"]),
    ("clients", &["lab", "socket"]),
    ("prelude", &["file", "framing", "lab", "socket", "trace"]),
    ("transfer", &["file", "framing", "lab", "socket", "sys", "trace"]),
    ("labs", &["clients", "judge", "prelude", "trace", "transfer"]),
    ("course", &["judge", "lab", "labs", "output", "sandbox"]),
    ("main", &["course", "judge", "lab", "output", "sandbox", "screen", "stage", "trace", "view", "wire"]),
];

/// The module of a file of `src/` or `labs/`.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(project("")).expect("a file of the project");
    let mut names = inside.iter().map(|name| name.to_string_lossy().trim_end_matches(".rs").to_owned());
    match names.next().as_deref() {
        Some("src") => names.next().expect("a name"),
        _ => "labs".to_owned(),
    }
}

/// The modules that a text of code names: `crate::trace::Event`, `use socklab::{lab, view};`.
fn modules_named(code: &str) -> BTreeSet<String> {
    let code: String =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| line.to_owned() + "\n").collect();
    let mut found = BTreeSet::new();
    for start in ["crate::", "socklab::"] {
        for (at, _) in code.match_indices(start) {
            let rest = &code[at + start.len()..];
            let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or(list));
            let names = if rest.starts_with('{') { list.split(',').collect() } else { vec![rest] };
            let word = |name: &str| name.trim().split(|c: char| !c.is_ascii_lowercase()).next().map(str::to_owned);
            found.extend(names.into_iter().filter_map(word));
        }
    }
    found.retain(|name| ARROWS.iter().any(|(module, _)| module == name));
    found
}

#[test]
fn arrows_run_one_way() {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files("src", "rs").into_iter().chain(our_files("labs", "rs")) {
        let module = match module_of(&file).as_str() {
            "lib" => continue,
            "commands" => "main".to_owned(),
            other => other.to_owned(),
        };
        let mut names = modules_named(&fs::read_to_string(&file).expect("a file"));
        names.remove(&module);
        used.entry(module).or_default().extend(names);
    }
    // `build.rs` puts the labs and the exercises into the course.
    used.entry("course".to_owned()).or_default().insert("labs".to_owned());
    for (index, (module, may_use)) in ARROWS.iter().enumerate() {
        let is: Vec<String> = used.remove(*module).unwrap_or_default().into_iter().collect();
        assert_eq!(is, may_use.to_vec(), "what {module} uses, and what ARROWS in tests/tidy.rs says");
        let later = may_use.iter().find(|other| !ARROWS[..index].iter().any(|(earlier, _)| earlier == *other));
        assert_eq!(later, None, "{module} uses what stands behind it in ARROWS: a circle, or the order is wrong");
    }
    assert!(used.is_empty(), "modules that ARROWS in tests/tidy.rs does not list: {used:?}");
}

/// The path of a file's module: `src/judge/peer/tcp.rs` is `judge`, `peer`, `tcp`, and `src/judge/mod.rs` is `judge`.
fn module_path(file: &Path) -> Vec<String> {
    let inside = file.strip_prefix(project("src")).expect("a file of src/").with_extension("");
    let names = inside.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| !["mod", "lib", "main"].contains(&name.as_str())).collect()
}

/// The paths into the project that the code of a module names: `use super::roles::{Roles, Step};` gives `stage`,
/// `roles` and each of the two names. The tests at its end are left out.
fn paths_named(module: &[String], code: &str) -> BTreeSet<Vec<String>> {
    let code = code.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.map(|line| line.to_owned() + "\n").collect();
    let parent = &module[..module.len().saturating_sub(1)];
    let mut found = BTreeSet::new();
    for (start, inside) in [("crate::", &[][..]), ("super::", parent)] {
        for (at, _) in code.match_indices(start) {
            let rest = &code[at + start.len()..];
            let word = |name: &str| name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
            let mut path = inside.to_vec();
            for name in rest.split("::") {
                let list = name.strip_prefix('{').map(|list| list.split('}').next().unwrap_or(list));
                for last in list.into_iter().flat_map(|list| list.split(',')) {
                    found.insert(path.iter().cloned().chain([word(last.trim())]).collect());
                }
                path.push(word(name));
                if word(name) != name {
                    break;
                }
            }
            found.insert(path);
        }
    }
    found
}

/// What is left of arrows when the names that use none, or that none uses, are taken away, again and again: circles,
/// and what lies between two of them.
fn circles(mut arrows: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    loop {
        let before = arrows.len();
        let left: BTreeSet<String> = arrows.keys().cloned().collect();
        arrows.values_mut().for_each(|used| used.retain(|name| left.contains(name)));
        let used: BTreeSet<String> = arrows.values().flatten().cloned().collect();
        arrows.retain(|name, uses| !uses.is_empty() && used.contains(name));
        if arrows.len() == before {
            return arrows;
        }
    }
}

/// Of one folder, files use each other one way, and so do its folders with all that is in them. What a folder's own
/// `mod.rs` has or exports again is there for all of them.
#[test]
fn files_of_one_folder_use_each_other_one_way() {
    let mut folders: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    let modules: BTreeMap<Vec<String>, PathBuf> =
        files("src", "rs").into_iter().map(|file| (module_path(&file), file)).collect();
    for (module, file) in &modules {
        for path in paths_named(module, &fs::read_to_string(file).expect("a file")) {
            let shared = module.iter().zip(&path).take_while(|(own, other)| own == other).count();
            if let (Some(own), Some(other)) = (module.get(shared), path.get(shared))
                && modules.contains_key(&path[..=shared])
            {
                let folder = folders.entry(module[..shared].to_vec()).or_default();
                folder.entry(own.clone()).or_default().insert(other.clone());
            }
        }
    }
    let stage = &folders[&vec!["stage".to_owned()]];
    assert!(stage["baton"].contains("roles"), "no arrow from src/stage/baton.rs to roles.rs: is it read as it was?");
    for (folder, arrows) in folders {
        assert_eq!(circles(arrows), BTreeMap::new(), "a circle in src/{}", folder.join("/"));
    }
}

#[test]
fn the_architecture_quotes_the_arrows() {
    const BEGIN: &str = "<!-- arrows: from tests/tidy.rs -->\n```text\n";
    let page = read("ARCHITECTURE.md");
    let (before, rest) = page.split_once(BEGIN).expect("a block of arrows");
    let (_, after) = rest.split_once("```").expect("the block's end");
    let rows = ARROWS.iter().map(|(module, may_use)| match may_use {
        [] => format!("{module}\n"),
        uses => format!("{module:<8} -> {}\n", uses.join(", ")),
    });
    let fresh = format!("{before}{BEGIN}{}```{after}", rows.collect::<String>());
    if std::env::var_os("SOCKLAB_BLESS").is_some() {
        fs::write(project("ARCHITECTURE.md"), fresh).expect("the page is written");
    } else {
        assert!(fresh == page, "the arrows in ARCHITECTURE.md are stale: SOCKLAB_BLESS=1 writes them anew");
    }
}

#[test]
fn nothing_panics_because_it_cannot_print() {
    for file in files("src", "rs") {
        let code = fs::read_to_string(&file).expect("a file");
        let prints = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in prints {
            let panics = ["println!(", "print!("].iter().any(|one| line.contains(one));
            assert!(!panics, "{}: src/output.rs prints: {line}", file.display());
        }
    }
}

#[test]
fn no_part_of_the_house_names_a_lab() {
    let folders: Vec<String> = labs().into_iter().map(|lab| lab.name).collect();
    for file in files("src", "rs").into_iter().filter(|file| !file.ends_with("course/labs.rs")) {
        let code = fs::read_to_string(&file).expect("a file");
        let outside_docs = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in outside_docs {
            for name in &folders {
                // Messages may show how a command is typed; code may not depend on a lab. A name that is one word
                // may be a word of a message.
                let word = if name.contains('-') { format!("{name}\"") } else { format!("\"{name}\"") };
                let named = line.contains(&word) || line.contains(&format!("-{name}"));
                assert!(!named, "{}: {line}", file.display());
            }
        }
    }
}

#[test]
fn labs_use_loopback_only() {
    // Its question is what these addresses mean, on private hosts; by hand it takes the loopback (tests/by_hand.rs).
    const ABOUT_ALL_ADDRESSES: &str = "labs/48-names-options-files";
    let others = our_files("labs", "rs").into_iter().filter(|file| !file.starts_with(project(ABOUT_ALL_ADDRESSES)));
    for file in others {
        let code = fs::read_to_string(&file).expect("a file");
        assert!(!code.contains("UNSPECIFIED") && !code.contains("0.0.0.0"), "{}", file.display());
    }
}

#[test]
fn lines_are_no_longer_than_120_columns() {
    for folder in ["src", "labs", "tests", "benches", "examples"] {
        for file in files(folder, "rs") {
            for (line, number) in fs::read_to_string(&file).expect("a file").lines().zip(1..) {
                assert!(line.chars().count() <= 120, "{}:{number}", file.display());
            }
        }
    }
}

#[test]
fn the_readme_names_every_exit_code() {
    let codes = read("src/lab/exit.rs");
    let readme = read("README.md");
    for line in codes.lines().filter(|line| line.starts_with("pub const")) {
        let number = line.trim_end_matches(';').rsplit(' ').next().expect("a number");
        assert!(readme.contains(&format!("| {number} |")), "README.md does not list exit code {number}: {line}");
    }
}

#[test]
fn the_readmes_commands_are_recipes_and_subcommands_that_exist() {
    let readme = read("README.md");
    let justfile = read("justfile");
    let recipes: BTreeSet<&str> = justfile
        .lines()
        .filter(|line| line.chars().next().is_some_and(|first| first.is_ascii_lowercase()))
        .filter_map(|line| line.split([' ', ':']).next())
        .collect();
    let used = readme.split("just ").skip(1).filter_map(|rest| rest.split(|c: char| !c.is_ascii_lowercase()).next());
    for recipe in used.filter(|word| !word.is_empty()) {
        assert!(recipes.contains(recipe), "README.md says `just {recipe}`; the justfile has {recipes:?}");
    }
}

#[test]
fn every_setting_of_a_host_is_on_the_page_of_the_wire() {
    let code = read("src/stage/host.rs");
    let (_, table) = code.split_once("const SETTINGS: ").expect("the settings");
    let (table, _) = table.split_once("\n];").expect("the end of the settings");
    let words = |line: &str| Some(line.trim().strip_prefix("(\"")?.strip_suffix("\"),")?.replacen("\", \"", " ", 1));
    let set: Vec<String> = table.lines().filter_map(words).collect();
    let page = read("docs/wire.md");
    let (_, rows) = page.split_once("<!-- settings -->").expect("a table");
    let (rows, _) = rows.split_once("<!-- end -->").expect("its end");
    let row = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.split(" | ").collect();
        Some(format!("{} {}", cells.first()?.trim_end_matches('`'), cells.get(1)?))
    };
    let told: Vec<String> = rows.lines().filter_map(row).collect();
    assert!(set.len() > 10, "{set:?}");
    assert_eq!(told, set);
}

#[test]
fn the_licences_are_there() {
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(Path::new(&project(file)).exists(), "{file}");
    }
}
