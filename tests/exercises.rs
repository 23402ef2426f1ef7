//! The judge judged: every starter fails, every solution passes, every wrong program fails what it says it fails.
//!
//! `just matrix` (the variable `SOCKLAB_MATRIX`) judges every program; otherwise it is a sample: of each exercise one
//! starter, one solution and one wrong program, in the languages by turns. With `SOCKLAB_BLESS` what came of it is
//! written into docs/exercises.md instead of complaining.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value as Json;
use socklab::judge::{GATE, Misconception};

use crate::support::{all_are_chosen, has, is_chosen, project, read, run, skip, socklab, temporary};

/// The languages in which there are starters and solutions: their folders, the endings of their files, and what runs
/// or builds them.
const LANGUAGES: [(&str, &str, &str); 3] = [("python", "py", "python3"), ("rust", "rs", "rustc"), ("c", "c", "cc")];

/// Languages in which there are right programs besides.
const MORE_LANGUAGES: [(&str, &str, &str); 2] = [("node", "js", "node"), ("Java", "java", "java")];

const PAGE: &str = "docs/exercises.md";

/// An exercise's folder.
struct Exercise {
    id: String,
    lab: String,
    /// `labs/30-struct-header/exercise`
    place: String,
}

/// One of its programs, and what the judge says to it.
struct Judged {
    exercise: String,
    /// `wrong/one-recv-one-message.py`
    path: String,
    grade: Json,
}

/// The exercises that tests are to look at. The lab that was chosen may have none; then there is no matrix of it.
fn exercises() -> Vec<Exercise> {
    let chosen: Vec<Exercise> = all_exercises().into_iter().filter(|exercise| is_chosen(&exercise.id)).collect();
    assert!(!is_matrix() || !chosen.is_empty(), "there is no exercise of that number: nothing to judge");
    chosen
}

/// All exercises, found as `build.rs` finds them.
fn all_exercises() -> Vec<Exercise> {
    let mut found = Vec::new();
    for lab in entries("labs") {
        for folder in entries(&format!("labs/{lab}")) {
            let place = format!("labs/{lab}/{folder}");
            if let Some(suffix) = folder.strip_prefix("exercise").filter(|_| project(&place).join("checks.rs").exists())
            {
                let number = lab.split('-').next().expect("a number");
                found.push(Exercise { id: format!("{number}{suffix}"), lab: lab.clone(), place });
            }
        }
    }
    assert!(!found.is_empty(), "there are no exercises");
    found
}

/// The names in a folder of the project, in their order; none where there is no such folder.
fn entries(folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(project(folder)) else { return Vec::new() };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

impl Exercise {
    fn read(&self, path: &str) -> String {
        read(&format!("{}/{path}", self.place))
    }

    fn title(&self) -> String {
        let page = self.read("README.md");
        page.lines()
            .next()
            .and_then(|line| line.split_once(": "))
            .map(|(_, title)| title.to_owned())
            .unwrap_or_default()
    }

    /// The starters, or the solutions, in the order of the languages.
    fn in_each_language(&self, what: &str) -> Vec<String> {
        let files = |language: &str| {
            let names = entries(&format!("{}/{what}/{language}", self.place));
            names.into_iter().map(|name| format!("{what}/{language}/{name}")).collect::<Vec<_>>()
        };
        LANGUAGES.iter().flat_map(|(language, ..)| files(language)).collect()
    }

    fn wrong(&self) -> Vec<(String, Misconception)> {
        let names = entries(&format!("{}/wrong", self.place)).into_iter();
        let read = |name: String| {
            let path = format!("wrong/{name}");
            let misconception = Misconception::read(&path, &self.read(&path));
            let misconception = misconception.unwrap_or_else(|why| panic!("{}: {why}", self.place));
            (path, misconception)
        };
        names.map(read).collect()
    }

    /// Programs that keep the contract in other ways than the solutions do.
    fn right(&self) -> Vec<String> {
        entries(&format!("{}/right", self.place)).into_iter().map(|name| format!("right/{name}")).collect()
    }

    /// The programs that are judged.
    fn programs(&self) -> Vec<String> {
        if !is_matrix() {
            return self.sample();
        }
        let mut all = self.in_each_language("starters");
        all.extend(self.in_each_language("solutions"));
        all.extend(self.wrong().into_iter().map(|(path, _)| path));
        all.extend(self.right());
        all
    }
}

impl Exercise {
    /// One of each kind. Which language it is goes by the exercise: together they are in all.
    fn sample(&self) -> Vec<String> {
        let turn: usize = self.id.bytes().map(usize::from).sum();
        let wrong = self.wrong().into_iter().map(|(path, _)| path).collect();
        let kinds = [self.in_each_language("starters"), self.in_each_language("solutions"), wrong];
        let here = kinds.map(|kind| kind.into_iter().filter(|path| runs_here(path)).collect::<Vec<_>>());
        here.iter().filter(|kind| !kind.is_empty()).map(|kind| kind[turn % kind.len()].clone()).collect()
    }
}

/// Whether every program is judged.
fn is_matrix() -> bool {
    std::env::var_os("SOCKLAB_MATRIX").is_some()
}

/// Every program that is to be judged, judged by the built program: as many at once as there are processors.
fn judged() -> &'static [Judged] {
    static JUDGED: OnceLock<Vec<Judged>> = OnceLock::new();
    JUDGED.get_or_init(|| {
        let found = exercises();
        let wanted =
            found.iter().flat_map(|exercise| exercise.programs().into_iter().map(move |path| (exercise, path)));
        let wanted: Vec<(&Exercise, String)> = wanted.filter(|(_, path)| runs_here(path)).collect();
        let results: Vec<OnceLock<Judged>> = wanted.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    while let Some((at, (exercise, path))) = {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        wanted.get(at).map(|one| (at, one))
                    } {
                        let grade = judge(exercise, path);
                        let _ = results[at].set(Judged { exercise: exercise.id.clone(), path: path.clone(), grade });
                    }
                });
            }
        });
        results.into_iter().map(|result| result.into_inner().expect("it was judged")).collect()
    })
}

fn judge(exercise: &Exercise, path: &str) -> Json {
    let folder = temporary().join("exercises").join(&exercise.id).join(path);
    lay(exercise, path, &folder, path.rsplit('/').next().expect("a name"));
    let output = run(socklab().args(["grade", &exercise.id, "--json", "--folder"]).arg(&folder));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{} {path}: {error}: {}", exercise.id, String::from_utf8_lossy(&output.stderr));
    })
}

/// Lays a program into a folder in which nothing else is.
fn lay(exercise: &Exercise, path: &str, folder: &Path, name: &str) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder");
    fs::copy(project(&exercise.place).join(path), folder.join(name)).expect("a program");
}

fn runs_here(path: &str) -> bool {
    LANGUAGES
        .iter()
        .chain(&MORE_LANGUAGES)
        .any(|(_, ending, program)| path.ends_with(&format!(".{ending}")) && has(program))
}

/// The programs below this folder, each with its grade.
fn all(folder: &str, test: &str) -> impl Iterator<Item = &'static Judged> {
    for (language, _, program) in LANGUAGES.iter().filter(|(.., program)| !has(program)) {
        skip(test, &format!("{program} is not here; programs in other languages than {language} were judged"));
    }
    let prefix = format!("{folder}/");
    judged().iter().filter(move |judged| judged.path.starts_with(&prefix))
}

impl Judged {
    fn name(&self) -> String {
        format!("{} {}", self.exercise, self.path)
    }

    /// The checks with this verdict, and why they have it.
    fn checks(&self, verdict: &str) -> BTreeSet<String> {
        let checks = self.grade["checks"].as_array().expect("checks").iter();
        checks.filter(|check| check["verdict"] == verdict).map(|check| text(&check["name"])).collect()
    }

    /// The checks that it fails; the gate alone, if it does not get through that.
    fn fails(&self) -> BTreeSet<String> {
        if self.grade["gate"].is_string() { BTreeSet::from([GATE.to_owned()]) } else { self.checks("fail") }
    }

    /// What went wrong, for a person who mends it.
    fn story(&self) -> String {
        let checks = self.grade["checks"].as_array().expect("checks").iter().filter(|check| check["verdict"] != "pass");
        let told = checks.map(|check| {
            let (name, failure) = (text(&check["name"]), &check["failure"]);
            format!("  {name}: {} {} {} {}\n", failure["what"], failure["got"], failure["why"], check["fault"])
        });
        format!("{}\n{}{}", self.name(), told.collect::<String>(), text(&self.grade["build_output"]))
    }
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_starter_builds_and_fails() {
    for judged in all("starters", "every_starter_builds_and_fails") {
        assert_eq!(judged.grade["built"], true, "{}", judged.story());
        assert_eq!(judged.grade["verdict"], "fail", "{}", judged.story());
    }
}

#[test]
fn every_solution_passes_in_each_language() {
    for judged in all("solutions", "every_solution_passes_in_each_language") {
        assert_eq!(judged.grade["verdict"], "pass", "{}", judged.story());
        assert_eq!(judged.grade["points"], 100, "{}", judged.name());
    }
}

#[test]
fn every_right_program_passes_in_its_own_way() {
    let test = "every_right_program_passes_in_its_own_way";
    for (language, _, program) in MORE_LANGUAGES.iter().filter(|(.., program)| !has(program)) {
        skip(test, &format!("{program} is not here; programs in other languages than {language} were judged"));
    }
    let others: Vec<String> =
        all("right", test).filter(|judged| judged.grade["points"] != 100).map(Judged::story).collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn every_wrong_program_fails_just_what_it_says_it_fails() {
    let mut others = Vec::new();
    for judged in all("wrong", "every_wrong_program_fails_just_what_it_says_it_fails") {
        let exercise = exercises().into_iter().find(|one| one.id == judged.exercise).expect("its exercise");
        let remarks = Misconception::read(&judged.path, &exercise.read(&judged.path)).expect("its remarks");
        let says: BTreeSet<String> = remarks.fails.into_iter().collect();
        let fails = judged.fails();
        if fails != says || !judged.checks("cannot-tell").is_empty() {
            others.push(format!("it says it fails {says:?}, but it is {fails:?}\n{}", judged.story()));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn a_wrong_program_is_called_by_its_name_and_by_no_other() {
    let mut others = Vec::new();
    for judged in all("wrong", "a_wrong_program_is_called_by_its_name_and_by_no_other") {
        let name = judged.path.rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or_default();
        let (called, also) = (&judged.grade["behaves_like"]["name"], &judged.grade["and_also"]);
        if called != name || also.as_array().is_none_or(|also| !also.is_empty()) {
            others.push(format!("it is called {called}, and {also}\n{}", judged.story()));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// A mistake that starters are made of says so: `starters: make it`. What else a starter lacks is not a mistake: it has
/// not been written yet, and no name fits that.
fn mistakes_of_starters(exercise: &str) -> Vec<String> {
    let exercise = exercises().into_iter().find(|one| one.id == exercise).expect("its exercise");
    let wrong = exercise.wrong().into_iter();
    let makes = |path: &str| exercise.read(path).lines().take(20).any(|line| line.ends_with("starters: make it"));
    wrong.filter(|(path, _)| makes(path)).map(|(_, misconception)| misconception.name).collect()
}

#[test]
fn a_starter_is_called_by_no_mistake_that_it_does_not_make() {
    let mut others = Vec::new();
    for judged in all("starters", "a_starter_is_called_by_no_mistake_that_it_does_not_make") {
        let makes = mistakes_of_starters(&judged.exercise);
        let also = judged.grade["and_also"].as_array().into_iter().flatten();
        for one in std::iter::once(&judged.grade["behaves_like"]).chain(also).filter(|one| !one.is_null()) {
            if !makes.iter().any(|name| *name == one["name"]) {
                others.push(format!("it is called {}\n{}", one["name"], judged.story()));
            }
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// Misconceptions are told to programs of every language.
#[test]
fn no_misconception_speaks_of_one_languages_names() {
    let words = ["Error", "Exception", "bytearray", "sendall", "recv_into", "None", "strftime", "atoi", "std::"];
    for exercise in all_exercises() {
        for (path, misconception) in exercise.wrong() {
            let found = words.iter().find(|word| misconception.sentence.contains(**word));
            assert!(found.is_none(), "{} {path}: {found:?} in {:?}", exercise.id, misconception.sentence);
        }
    }
}

/// From each sentence of a contract to what holds it, in the exercise's contract.md.
mod contract {
    use super::*;

    #[test]
    fn each_sentence_has_a_check_and_each_check_a_sentence() {
        let mut faults = Vec::new();
        for exercise in exercises() {
            let checks: BTreeSet<String> = names_of_checks(&exercise);
            let table = rows(&exercise.read("contract.md"));
            let said: Vec<&String> = table.iter().map(|(sentence, _)| sentence).collect();
            let contract = sentences(&exercise.read("README.md"));
            if let Some(at) = (0..contract.len().max(said.len())).find(|at| contract.get(*at) != said.get(*at).copied())
            {
                faults.push(format!(
                    "{}: row {} must be {:?}, and is {:?}",
                    exercise.id,
                    at + 1,
                    contract.get(at),
                    said.get(at)
                ));
            }
            let mut held = BTreeSet::new();
            for (sentence, holders) in &table {
                if holders.is_empty() {
                    faults.push(format!("{}: nothing holds {sentence:?}", exercise.id));
                }
                for holder in holders {
                    let is_right_program =
                        holder.starts_with("right/") && project(&exercise.place).join(holder).exists();
                    if checks.contains(holder) {
                        held.insert(holder.clone());
                    } else if holder != GATE && !is_right_program {
                        faults.push(format!("{}: {sentence:?} is held by {holder}, which there is not", exercise.id));
                    }
                }
            }
            let bare: Vec<&String> = checks.difference(&held).collect();
            if !bare.is_empty() {
                faults.push(format!("{}: these checks hold no sentence of the contract: {bare:?}", exercise.id));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// The names of an exercise's checks, which stand in it as its matrix does.
    fn names_of_checks(exercise: &Exercise) -> BTreeSet<String> {
        let id = &exercise.id;
        let part = read(PAGE).split("\n## ").find(|part| part.starts_with(&format!("{id}: "))).map(str::to_owned);
        let part = part.unwrap_or_else(|| panic!("{PAGE} has no table of {id}"));
        let rows = part.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned));
        rows.collect()
    }

    /// The rows of the table: the sentence, and what holds it.
    fn rows(text: &str) -> Vec<(String, Vec<String>)> {
        let rows = text.lines().filter_map(|line| {
            let (sentence, holders) = line.trim().strip_prefix('|')?.strip_suffix('|')?.rsplit_once('|')?;
            let holders = holders.split(',').map(|holder| holder.trim().trim_matches('`').to_owned());
            Some((plain(sentence), holders.filter(|holder| !holder.is_empty()).collect::<Vec<_>>()))
        });
        // The head, and the line below it.
        rows.skip(2).collect()
    }

    fn plain(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The sentences of a page's section "The contract": of its paragraphs and items, and the rows of its tables.
    fn sentences(page: &str) -> Vec<String> {
        let section = page.split("## The contract\n").nth(1).and_then(|rest| rest.split("\n## ").next());
        let mut blocks: Vec<String> = vec![String::new()];
        let mut found = Vec::new();
        let mut in_table = false;
        for line in section.expect("a contract").lines() {
            let text = line.trim();
            let is_row = text.starts_with('|');
            let is_item = text.starts_with("- ") || text.split_once(". ").is_some_and(|(n, _)| n.parse::<u8>().is_ok());
            if text.is_empty() || is_row || is_item {
                found.extend(blocks.drain(..).flat_map(|block| split(&block)));
                blocks.push(String::new());
            }
            if is_row {
                let cells: Vec<String> = text.trim_matches('|').split('|').map(plain).collect();
                // A table's first row is its head, and the next one a line.
                let is_head = !std::mem::replace(&mut in_table, true);
                if !is_head && !cells[0].starts_with("--") {
                    found.push(cells.join(" → "));
                }
                continue;
            }
            in_table = false;
            let text = if is_item { text.split_once(' ').map_or("", |(_, text)| text) } else { text };
            if let Some(block) = blocks.last_mut() {
                block.push_str(text);
                block.push(' ');
            }
        }
        found.extend(blocks.drain(..).flat_map(|block| split(&block)));
        found
    }

    /// The sentences of a paragraph. What stands in parentheses or in backticks is part of one.
    fn split(paragraph: &str) -> Vec<String> {
        let (mut found, mut from, mut depth, mut quoted) = (Vec::new(), 0, 0, false);
        let bytes = paragraph.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'`' => quoted = !quoted,
                b'(' if !quoted => depth += 1,
                b')' if !quoted => depth -= 1,
                b' ' if !quoted && depth == 0 && at > 0 && is_end(&bytes[..at]) => {
                    found.push(plain(&paragraph[from..at]));
                    from = at;
                }
                _ => {}
            }
        }
        found.push(plain(&paragraph[from..]));
        found.retain(|sentence| !sentence.is_empty());
        found
    }

    /// Whether a sentence ends here: with a full stop, maybe with a parenthesis behind it.
    fn is_end(text: &[u8]) -> bool {
        let text = text.strip_suffix(b")").unwrap_or(text);
        matches!(text.last(), Some(b'.' | b'!' | b'?'))
    }

    #[test]
    fn a_contract_is_read_sentence_by_sentence() {
        let page = "# T\n\n## The contract\n\n\
                    One is `a. b`. Two\ngoes on (as here. Yes.) Three:\n\n| a | b |\n|---|---|\n\
                    | `x` | y |\n\n- Four. Five!\n  Six\n1. Seven.\n\n## Try it\n\nNot this.\n";
        let read =
            ["One is `a. b`.", "Two goes on (as here. Yes.)", "Three:", "`x` → y", "Four.", "Five!", "Six", "Seven."];
        assert_eq!(sentences(page), read);
    }
}

#[test]
fn the_matrix_is_what_was_judged() {
    let test = "the_matrix_is_what_was_judged";
    if let Some((.., program)) = LANGUAGES.iter().find(|(.., program)| !has(program)) {
        return skip(test, &format!("{program} is not here"));
    }
    let kept = fs::read_to_string(project(PAGE)).unwrap_or_default();
    if !is_matrix() {
        for exercise in exercises() {
            assert!(kept.contains(&row(&exercise)), "{PAGE} lacks {}: `just matrix {0}` writes it", exercise.id);
        }
        return;
    }
    let fresh = matrix(&kept);
    if std::env::var_os("SOCKLAB_BLESS").is_some() {
        fs::write(project(PAGE), fresh).expect("the page is written");
    } else {
        let line = fresh.lines().zip(kept.lines()).take_while(|(new, old)| new == old).count() + 1;
        assert!(fresh == kept, "{PAGE} is stale from line {line} on, `just matrix` writes it anew");
    }
}

/// The page; of exercises that were not chosen, as they are in the one that is there.
fn matrix(kept: &str) -> String {
    let mut page = String::from(
        "# The exercises\n\n\
         What each check is worth, and which programs pass it: every starter, every solution and every wrong program\n\
         was judged for this page (`just matrix`), and CI judges them again. Three marks stand for Python, Rust\n\
         and C.\n\n\
         | exercise | what to build | of the lab | checks | wrong programs |\n|---|---|---|--:|--:|\n",
    );
    let all = all_exercises();
    let is_old = |exercise: &&Exercise| !is_chosen(&exercise.id);
    for exercise in &all {
        let begins = format!("| [{}](#", exercise.id);
        let old = kept.lines().find(|line| line.starts_with(&begins)).map(|line| format!("{line}\n"));
        // One that was not chosen and is not there yet has no row until it is judged.
        page.push_str(&if is_old(&exercise) { old.unwrap_or_default() } else { row(exercise) });
    }
    for exercise in &all {
        let old = kept.split("\n## ").find(|part| part.starts_with(&format!("{}: ", exercise.id)));
        let old = old.map(|part| format!("\n## {}\n", part.trim_end()));
        page.push_str(&if is_old(&exercise) { old.unwrap_or_default() } else { table(exercise) });
    }
    page
}

/// An exercise's row in the table of all.
fn row(exercise: &Exercise) -> String {
    let Exercise { id, lab, place } = exercise;
    let checks = solution(id).grade["checks"].as_array().map_or(0, Vec::len);
    let (title, wrong) = (exercise.title(), exercise.wrong().len());
    format!(
        "| [{id}](#{}) | [{title}](../{place}/README.md) | [{lab}](labs/{lab}.md) | {checks} | {wrong} |\n",
        anchor(id, &title)
    )
}

/// Where a heading is, as GitHub names it.
fn anchor(id: &str, title: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "- _".contains(c);
    format!("{id}: {title}").to_lowercase().chars().filter(|c| plain(*c)).collect::<String>().replace(' ', "-")
}

/// An exercise's checks, a row each, and its programs, a column each.
fn table(exercise: &Exercise) -> String {
    let (id, wrong) = (&exercise.id, exercise.wrong());
    let mut text = format!("\n## {id}: {}\n\n", exercise.title());
    for (number, (path, misconception)) in (1..).zip(&wrong) {
        let (name, place) = (path.trim_start_matches("wrong/"), &exercise.place);
        let _ = writeln!(text, "{number}. [{name}](../{place}/{path}): it looks as if {}", misconception.sentence);
    }
    let numbers: String = (1..=wrong.len()).map(|number| format!(" {number} |")).collect();
    let _ = writeln!(text, "\n| check | it | points | starters | solutions |{numbers}");
    let _ = writeln!(text, "|---|---|--:|:-:|:-:|{}", ":-:|".repeat(wrong.len()));
    let groups: Vec<Vec<String>> = [exercise.in_each_language("starters"), exercise.in_each_language("solutions")]
        .into_iter()
        .chain(wrong.iter().map(|(path, _)| vec![path.clone()]))
        .collect();
    let cell = |group: &Vec<String>, of: &dyn Fn(&Json) -> String| {
        let grades = group.iter().map(|path| &judged_one(id, path).grade);
        grades.map(of).collect::<Vec<_>>().join(" ")
    };
    for (at, check) in (0..).zip(solution(id).grade["checks"].as_array().expect("checks")) {
        let (name, claim, points) = (self::text(&check["name"]), self::text(&check["claim"]), &check["of"]);
        let _ = write!(text, "| `{name}` | {} | {points} |", claim.replace('|', "\\|"));
        let mark = |grade: &Json| match grade["checks"][at as usize]["verdict"].as_str() {
            Some("pass") => "✓".to_owned(),
            Some("fail") => "✗".to_owned(),
            _ => "?".to_owned(),
        };
        text.extend(groups.iter().map(|group| format!(" {} |", cell(group, &mark))));
        text.push('\n');
    }
    let _ = write!(text, "| | **points** | {} |", solution(id).grade["of"]);
    text.extend(groups.iter().map(|group| format!(" {} |", cell(group, &|grade| grade["points"].to_string()))));
    text.push('\n');
    text
}

fn judged_one(id: &str, path: &str) -> &'static Judged {
    let found = judged().iter().find(|judged| judged.exercise == id && judged.path == path);
    found.unwrap_or_else(|| panic!("{id} {path} was not judged"))
}

fn solution(id: &str) -> &'static Judged {
    let found = judged().iter().find(|judged| judged.exercise == id && judged.path.starts_with("solutions/"));
    found.unwrap_or_else(|| panic!("exercise {id} has no solution"))
}

/// A marker in a page, and the report that must stand in the fence behind it.
const REPORT: &str = "<!-- report: ";

#[test]
fn a_page_shows_reports_as_they_are() {
    if !all_are_chosen() {
        return;
    }
    let page = "docs/students.md";
    if !has("python3") {
        return skip("a_page_shows_reports_as_they_are", "python3 is not here");
    }
    let (kept, mut fresh) = (read(page), String::new());
    let mut lines = kept.split_inclusive('\n');
    while let Some(line) = lines.next() {
        fresh.push_str(line);
        let Some(what) = line.strip_prefix(REPORT).and_then(|rest| rest.trim_end().strip_suffix(" -->")) else {
            continue;
        };
        fresh.push_str(lines.next().expect("a fence"));
        fresh.push_str(&report(what));
        fresh.push_str(lines.by_ref().find(|line| line.starts_with("```")).expect("the fence's end"));
    }
    assert!(fresh.contains(REPORT), "{page} shows a report");
    if std::env::var_os("SOCKLAB_BLESS").is_some() {
        fs::write(project(page), fresh).expect("the page is written");
    } else {
        assert!(fresh == kept, "the report in {page} is stale, `just matrix` writes it anew:\n{fresh}");
    }
}

/// What a student reads whose program is this one, but for the line that tells of the machine.
fn report(what: &str) -> String {
    let (id, path) = what.split_once(' ').expect("an exercise and a program");
    let exercise = all_exercises().into_iter().find(|exercise| exercise.id == id).expect("the exercise");
    let work = temporary().join("report");
    lay(&exercise, path, &work.join(id), "server.py");
    let output = run(socklab().args(["grade", id, "--seed", "1"]).env("SOCKLAB_WORK", &work));
    let report = String::from_utf8(output.stdout).expect("UTF-8");
    report.lines().filter(|line| !line.starts_with("  judge ")).map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn every_grade_follows_the_schema() {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    let schema: Json = serde_json::from_str(&read("docs/grade.schema.json")).expect("JSON");
    compiler.add_resource("grade.schema.json", schema).expect("a schema");
    let index = compiler.compile("grade.schema.json", &mut schemas).expect("a schema that compiles");
    for judged in judged() {
        if let Err(error) = schemas.validate(&judged.grade, index) {
            panic!("{}: {error:#}\n{}", judged.name(), judged.grade);
        }
    }
    let Some(Judged { grade: good, .. }) = judged().first() else {
        // A lab that was chosen need not have an exercise.
        return assert!(!all_are_chosen(), "nothing was judged");
    };
    for (field, value) in
        [("verdict", "good".into()), ("points", (-1).into()), ("tier", 7.into()), ("v", 4.into()), ("seed", 7.into())]
    {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(schemas.validate(&bad, index).is_err(), "{field}: {bad}");
    }
    // Grades of before had the seed as a number.
    let mut old = good.clone();
    (old["v"], old["seed"]) = (1.into(), 271_828.into());
    old.as_object_mut().expect("an object").remove("seed_fingerprint");
    if let Err(error) = schemas.validate(&old, index) {
        panic!("{error:#}\n{old}");
    }
    let mut skipped = good.clone();
    skipped["checks"][0]["verdict"] = "skipped".into();
    assert!(schemas.validate(&skipped, index).is_err(), "{skipped}");
}

#[test]
fn an_exercise_has_all_that_belongs_to_it() {
    for exercise in exercises() {
        let (id, place) = (&exercise.id, &exercise.place);
        let heading = format!("# Exercise {id}: ");
        assert!(exercise.read("README.md").starts_with(&heading), "{place}/README.md begins with {heading:?}");
        let hints = exercise.read("hints.md");
        let is_hint = |line: &&str| line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        assert!(hints.lines().filter(is_hint).count() >= 4, "{place}/hints.md has fewer than four hints");
        for what in ["starters", "solutions"] {
            for (language, ending, _) in LANGUAGES {
                let files = entries(&format!("{place}/{what}/{language}"));
                let good = files.len() == 1 && files[0].ends_with(&format!(".{ending}"));
                assert!(good, "{place}/{what}/{language} holds {files:?}, not one file");
            }
        }
        let stems = |what: &str| -> Vec<String> {
            exercise
                .in_each_language(what)
                .iter()
                .filter_map(|path| path.rsplit('/').next().map(str::to_owned))
                .collect()
        };
        assert_eq!(stems("starters"), stems("solutions"), "{place}: a solution is a starter, filled in");
        assert!(exercise.wrong().len() >= 5, "{place}/wrong holds fewer than five programs");
    }
}

#[test]
fn the_points_of_an_exercise_are_a_hundred_and_its_remarks_name_its_checks() {
    for exercise in exercises() {
        let grade = &solution(&exercise.id).grade;
        assert_eq!(grade["of"], 100, "exercise {}", exercise.id);
        let checks: BTreeSet<String> =
            grade["checks"].as_array().expect("checks").iter().map(|check| text(&check["name"])).collect();
        for (path, misconception) in exercise.wrong() {
            for name in &misconception.fails {
                assert!(checks.contains(name), "{}/{path}: there is no check {name:?}", exercise.place);
            }
        }
    }
}

#[test]
fn checks_are_formatted() {
    let checks: Vec<PathBuf> = exercises().iter().map(|one| project(&one.place).join("checks.rs")).collect();
    if !has("rustfmt") {
        return skip("checks_are_formatted", "rustfmt is not here");
    }
    let output = run(Command::new("rustfmt").args(["--edition", "2024", "--check"]).args(checks));
    assert!(output.status.success(), "rustfmt --edition 2024 does it:\n{}", String::from_utf8_lossy(&output.stdout));
}
