//! Tables that pages have from the labs: the labs by chapter, and claims with their verdicts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::links;
use crate::sources::{SourceMistake, SourceProgram, sources};
use crate::support::{Lab, labs, project, read, side_by_side};

/// The labs by chapter, as the README shows them.
pub fn labs_by_chapter(labs: &[Lab]) -> String {
    let table = read("labs/README.md");
    let (_, chapters) = table.split_once("\n## ").expect("labs/README.md has chapters");
    assert_eq!(chapters.matches("\n| [").count(), labs.len(), "labs/README.md has a row a lab");
    let mut text = String::from("\n| lab | | what it answers |\n|---|---|---|\n");
    for chapter in chapters.split("\n## ") {
        let (title, rows) = chapter.split_once('\n').expect("a title");
        text += &format!("| | **{title}** | |\n");
        for row in rows.lines().filter(|line| line.starts_with("| [")) {
            text += &row.replace("](../docs/", "](docs/");
            text += "\n";
        }
    }
    let folder = |row: &Lab| (format!("]({}/main.rs)", row.folder), format!("](labs/{}/main.rs)", row.folder));
    labs.iter().map(folder).fold(text, |text, (from, to)| text.replace(&from, &to)) + "\n"
}

/// Which labs' programs make which call, meet which error, and set which option: from the recorded transcripts.
pub fn calls(labs: &[Lab]) -> String {
    let mut found: [BTreeMap<String, BTreeSet<u64>>; 3] = Default::default();
    for lab in labs {
        for recorded in ["transcript", "wire.transcript"] {
            let snapshot = project(&format!("tests/snapshots/{}.{recorded}.snap", lab.folder));
            // A lab is recorded on a wire only if its page quotes that.
            let Ok(transcript) = fs::read_to_string(snapshot) else { continue };
            for call in transcript.lines().filter_map(call_in) {
                let words = [Some(call.name), call.error, call.option];
                for (found, word) in found.iter_mut().zip(words) {
                    found.extend_with(word, lab.number);
                }
            }
        }
    }
    let headings = ["call", "error", "option"];
    let tables = headings.iter().zip(&found).map(|(heading, found)| {
        let rows = found.iter().map(|(word, numbers)| {
            let link = |number: &u64| {
                let folder = &labs.iter().find(|lab| lab.number == *number).expect("a lab").folder;
                format!("[{number:02}](labs/{folder}.md)")
            };
            format!("| `{word}` | {} |\n", numbers.iter().map(link).collect::<Vec<_>>().join(" "))
        });
        format!("\n| {heading} | labs |\n|---|---|\n{}", rows.collect::<String>())
    });
    tables.collect::<String>() + "\n"
}

/// Adds a lab to a word's.
trait ExtendWith {
    fn extend_with(&mut self, word: Option<&str>, lab: u64);
}

impl ExtendWith for BTreeMap<String, BTreeSet<u64>> {
    fn extend_with(&mut self, word: Option<&str>, lab: u64) {
        if let Some(word) = word {
            self.entry(word.to_owned()).or_default().insert(lab);
        }
    }
}

/// A call in a line of a transcript.
#[derive(Debug, PartialEq)]
pub(super) struct CallIn<'a> {
    pub(super) name: &'a str,
    error: Option<&'a str>,
    option: Option<&'a str>,
}

/// `server  setsockopt(3, SO_REUSEADDR, 1) = 0`; what a program prints begins with a bar.
pub(super) fn call_in(line: &str) -> Option<CallIn<'_>> {
    let (_role, rest) = line.trim_start().split_once("  ")?;
    let (name, behind) = rest.split_once('(')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_constant =
        |word: &&str| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit());
    let error = rest.split(" = -1 ").nth(1).and_then(|error| error.split([',', ' ']).next());
    let option = behind.split([',', ' ', ')']).filter(|_| name.ends_with("sockopt")).find(is_constant);
    is_name.then_some(CallIn { name, error, option })
}

#[test]
fn a_call_is_found_in_its_line_and_in_no_other() {
    let call = |name, error, option| Some(CallIn { name, error, option });
    for (line, found) in [
        ("server  setsockopt(3, SO_REUSEADDR, 1) = 0", call("setsockopt", None, Some("SO_REUSEADDR"))),
        ("   client  connect(3, server:9000) = -1 ECONNREFUSED", call("connect", Some("ECONNREFUSED"), None)),
        ("client  recv(3, up to 4) = -1 EAGAIN, after about 1 s", call("recv", Some("EAGAIN"), None)),
        ("client  │ HELLO (server:9000)", None),
        ("server  waits in recvfrom(3) for a datagram", None),
        ("=> everyone waits; nobody will ever move", None),
        (" wire 2  client ◀── server  SYN,ACK  seq 0", None),
    ] {
        assert_eq!(call_in(line), found, "{line}");
    }
}

/// Every claim of the old texts, in their order, with what became of it here or where it will be judged; then ours.
pub fn all_claims(labs: &[Lab]) -> String {
    let mut rows: BTreeMap<String, String> = BTreeMap::new();
    let of_labs = side_by_side(labs, |lab| {
        let claims = lab.shows(&["--claims", "--json"]);
        let row = |line: &str| {
            let (source, says, verdict) = cells(line);
            let id = source.split(',').next().unwrap_or_default().to_owned();
            let link = format!("[{:02}](labs/{}.md)", lab.number, lab.folder);
            (id, says, verdict, link, source.contains(", "))
        };
        claims.lines().map(row).collect::<Vec<_>>()
    });
    let mut ours = String::new();
    for (id, says, verdict, link, of_programs) in of_labs.into_iter().flatten() {
        if id == "ours" {
            ours += &format!("| {link} | {says} | {verdict} |\n");
        } else {
            let about = if of_programs { " (about the programs)" } else { "" };
            let row = format!("| {id} | {says}{about} | {verdict} | {link} |\n");
            rows.entry(id).or_default().push_str(&row);
        }
    }
    let sources = sources();
    for claim in &sources.claims {
        let Some(says) = claim.says.as_ref().filter(|_| !rows.contains_key(&claim.id)) else { continue };
        let why = match (claim.lab, &claim.same_as, &claim.why) {
            (Some(lab), ..) => format!("*to come* | lab {lab:02} {}", sources.labs_to_come[&lab.to_string()]),
            (_, Some(same), _) => format!("as {same} | "),
            (.., why) => format!("{} | none", why.as_deref().unwrap_or_default()),
        };
        rows.insert(claim.id.clone(), format!("| {} | {} | {why} |\n", claim.id, says.replace('|', "\\|")));
    }
    let places = sources.claims.iter().map(|claim| (claim.id.as_str(), claim.place.as_str()));
    let places: BTreeMap<&str, &str> = places.collect();
    let with_place = |row: &str| {
        let id = row[2..].split(' ').next().unwrap_or_default();
        row.replacen(&format!("| {id} |"), &format!("| {id}, {} |", places.get(id).unwrap_or(&"a program")), 1)
    };
    let theirs: String = rows.values().flat_map(|rows| rows.split_inclusive('\n')).map(with_place).collect();
    format!(
        "\n| from, and where it stands | the claim | verdict | lab |\n|---|---|---|---|\n{theirs}\n\
         ### Ours\n\n| lab | the claim | verdict |\n|---|---|---|\n{ours}\n"
    )
}

/// The mistakes in the old texts' programs, each with the scene that shows it and the scene that cures it.
pub fn mistakes(labs: &[Lab]) -> String {
    let sources = sources();
    let place = |number: u64, scene: Option<u64>| match labs.iter().find(|lab| lab.number == number) {
        Some(lab) => {
            let scene = scene.map_or_else(String::new, |scene| format!(", scene {scene}"));
            format!("[{number:02}](labs/{}.md){scene}", lab.folder)
        }
        None => format!("to come: {number:02} {}", sources.labs_to_come[&number.to_string()]),
    };
    let row = |mistake: &SourceMistake| {
        let shown = mistake.lab.map_or_else(String::new, |lab| place(lab, mistake.scene));
        let cure = mistake.cure.map(|(lab, scene)| place(lab, Some(scene))).or_else(|| mistake.why.clone());
        format!("| {} | {} | {} | {shown} | {} |\n", mistake.id, mistake.who, mistake.what, cure.unwrap_or_default())
    };
    let rows: String = sources.mistakes.iter().map(row).collect();
    format!("\n| | who | what | shown in | cure |\n|---|---|---|---|---|\n{rows}\n")
}

/// The programs of the old texts, each with the lab and scene in which it is now.
pub fn programs(labs: &[Lab]) -> String {
    let sources = sources();
    let row = |program: &SourceProgram| {
        let place = match (labs.iter().find(|lab| Some(lab.number) == program.lab), program.lab, &program.why) {
            (Some(lab), ..) => {
                let scene = program.scene.map_or_else(String::new, |scene| format!(", scene {scene}"));
                format!("[{:02} {}](labs/{}.md){scene}", lab.number, lab.name, lab.folder)
            }
            (None, Some(lab), _) => format!("to come: {lab:02} {}", sources.labs_to_come[&lab.to_string()]),
            (None, None, why) => format!("in none. {}", why.as_deref().unwrap_or_default()),
        };
        let parts = if program.parts.is_empty() { "none of its own".to_owned() } else { program.parts.join(", ") };
        format!("| {} | {} | {parts} | {place} |\n", program.id, program.what)
    };
    let rows: String = sources.programs.iter().map(row).collect();
    format!("\n| program | what it is | parts | lab |\n|---|---|---|---|\n{rows}\n")
}

/// The claims of one lab, as its page shows them: the claim, what became of it here, and where it stands.
pub fn claims_of(lab: &Lab) -> String {
    let rows = lab.shows(&["--claims", "--json"]).lines().map(claim_row).collect::<String>();
    format!("\n| claim | verdict | from |\n|---|---|---|\n{rows}\n")
}

/// A row from a claim as `--claims --json` prints it.
fn claim_row(line: &str) -> String {
    let (source, says, verdict) = cells(line);
    format!("| {says} | {verdict} | {source} |\n")
}

/// The source, the sentence and the verdict of a claim as `--claims --json` prints it, as tables have them.
fn cells(line: &str) -> (String, String, String) {
    let claim: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let field = |name: &str| claim[name].as_str().map(|text| text.replace('|', "\\|"));
    let needed = |name: &str| field(name).unwrap_or_else(|| panic!("a claim has no {name:?}: {line}"));
    let verdict = match (needed("verdict"), field("condition")) {
        (verdict, Some(condition)) => format!("**{verdict}** {condition}"),
        (verdict, None) if verdict == "confirmed" => verdict,
        (verdict, None) => format!("**{verdict}**"),
    };
    let about = if claim["about_programs"] == true { ", of its programs" } else { "" };
    (needed("source") + about, needed("says"), verdict)
}

#[test]
fn each_term_of_the_glossary_is_on_the_page_that_it_names() {
    let glossary = read("docs/glossary.md");
    let (terms, _) = glossary.split_once("## Calls").expect("the terms");
    let rows: Vec<&str> = terms.lines().filter(|line| line.contains("](labs/")).collect();
    assert!(rows.len() > 20, "{rows:?}");
    for row in rows {
        let term = row.trim_start_matches("| ").split(" | ").next().expect("a term").to_lowercase();
        let page = read(&format!("docs/{}", links(row).pop().expect("a page"))).to_lowercase();
        let is_there = term.split(", ").any(|word| page.contains(word.trim_matches('"')));
        assert!(is_there, "the page does not have the term: {row}");
    }
}

#[test]
fn a_claim_is_a_row_with_its_verdict_and_its_condition() {
    let row = |verdict: &str, more: &str| {
        claim_row(&format!(r#"{{"says":"It a|b.","source":"S0-C01","verdict":"{verdict}"{more}}}"#))
    };
    assert_eq!(row("confirmed", ""), "| It a\\|b. | confirmed | S0-C01 |\n");
    assert_eq!(row("refuted", ""), "| It a\\|b. | **refuted** | S0-C01 |\n");
    let row_of_programs = "| It a\\|b. | confirmed | S0-C01, of its programs |\n";
    assert_eq!(row("confirmed", r#","condition":null,"about_programs":true"#), row_of_programs);
    let condition = r#","condition":"it is asked""#;
    assert_eq!(row("only when", condition), "| It a\\|b. | **only when** it is asked | S0-C01 |\n");
}

#[test]
fn the_table_in_the_readme_links_to_the_labs() {
    for lab in labs() {
        let row = labs_by_chapter(&labs()).lines().find(|line| line.contains(&lab.folder)).map(str::to_owned);
        let row = row.unwrap_or_else(|| panic!("{} is not in the table", lab.folder));
        for target in links(&row) {
            assert!(Path::new(&project(target)).exists(), "{target}");
        }
    }
}
