//! The pages say what is so: their code is the labs', their output is what was recorded, their links lead somewhere.
//!
//! `just bless` (the variable `SOCKLAB_BLESS`) writes the quotations anew instead of complaining. What was measured is
//! another thing at every run: it is only tested to be whole, and `just measure` (`SOCKLAB_MEASURE`) measures anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{
    Lab, all_are_chosen, has_private_hosts, is_chosen, labs, played_here, project, read, side_by_side, skip,
};

/// A marker in a page, and what must stand in the fence behind it.
const MARKER: &str = "<!-- quote: ";

/// A marker in a lab's page, and the picture that must be in the line behind it.
const DIAGRAM: &str = "<!-- diagram: ";

#[test]
fn every_quotation_is_what_it_quotes() {
    let labs = labs();
    let of_a_lab = |page: &PathBuf| labs.iter().find(|lab| page.ends_with(format!("docs/labs/{}.md", lab.folder)));
    // Where one lab was chosen, its page, and those that quote it or have a table of all labs.
    let is_one = |page: &PathBuf| of_a_lab(page).map_or_else(|| quotes_a_chosen_lab(page), Lab::is_chosen);
    let pages: Vec<PathBuf> = pages().into_iter().filter(is_one).collect();
    let stale = side_by_side(&pages, |page| {
        let text = fs::read_to_string(page).expect("a page");
        let lab = of_a_lab(page);
        let fresh = refreshed(&text, lab, &labs).unwrap_or_else(|problem| panic!("{}: {problem}", page.display()));
        if fresh == text {
            return None;
        }
        if std::env::var_os("SOCKLAB_BLESS").is_some() {
            fs::write(page, fresh).expect("the page is written");
            return None;
        }
        let line = fresh.lines().zip(text.lines()).take_while(|(new, old)| new == old).count() + 1;
        Some(format!("{}:{line}", page.display()))
    });
    let stale: Vec<String> = stale.into_iter().flatten().collect();
    assert!(stale.is_empty(), "stale quotations, `just bless` writes them anew:\n{}", stale.join("\n"));
}

/// Whether a page that is no lab's is to be looked at: every page, or those that quote the lab that was chosen.
fn quotes_a_chosen_lab(page: &Path) -> bool {
    let text = fs::read_to_string(page).expect("a page");
    let mut quoted = text.lines().filter_map(|line| line.strip_prefix(MARKER));
    all_are_chosen()
        || quoted.any(|what| what.starts_with("table of ") || what.split(' ').next().is_some_and(is_chosen))
}

#[test]
fn every_diagram_is_what_its_marker_says() {
    let test = "every_diagram_is_what_its_marker_says";
    let labs = labs();
    let of_lab = |lab| diagrams(lab).into_iter().map(move |marker| (lab, marker));
    let markers: Vec<(&Lab, Diagram)> = labs.iter().filter(|lab| lab.is_chosen()).flat_map(of_lab).collect();
    let private_hosts = has_private_hosts();
    let wanted = side_by_side(&markers, |(lab, marker)| {
        let Diagram { file, picture, .. } = marker;
        let target = format!("](diagrams/{file})");
        assert!(picture.starts_with("![") && picture.ends_with(&target), "{}: {picture}, not {target}", lab.folder);
        assert!(picture.len() > target.len() + 12, "{}: {picture} says in [] what is to be seen", lab.folder);
        if private_hosts || !(marker.wire || lab.wire) {
            is_drawn(lab, marker);
        }
        file.clone()
    });
    let wanted: BTreeSet<String> = wanted.into_iter().collect();
    let there = fs::read_dir(project("docs/labs/diagrams")).expect("a folder").flatten();
    let there = there.filter_map(|entry| entry.file_name().into_string().ok());
    let there: BTreeSet<String> = there.filter(|file| file.split('-').next().is_some_and(is_chosen)).collect();
    assert_eq!(there, wanted, "docs/labs/diagrams has what the pages show, and no more");
    if !private_hosts {
        skip(test, "those of a wire take private hosts; the others were tested");
    }
}

#[test]
fn a_diagram_may_be_of_a_scene_on_the_wire() {
    let page = "a\n<!-- diagram: scene 2 -->\n![b](c)\n<!-- diagram: wire scene 13 -->\n![d](e)\n";
    let found = diagrams_in(page, "07-name");
    let found: Vec<(&str, bool, &str, &str)> =
        found.iter().map(|one| (one.scene.as_str(), one.wire, one.file.as_str(), one.picture.as_str())).collect();
    assert_eq!(found, [("2", false, "07-name-2.svg", "![b](c)"), ("13", true, "07-name-wire-13.svg", "![d](e)"),]);
}

/// A diagram that a page asks for.
struct Diagram {
    scene: String,
    wire: bool,
    file: String,
    /// The line behind the marker.
    picture: String,
}

fn diagrams(lab: &Lab) -> Vec<Diagram> {
    diagrams_in(&read(&format!("docs/labs/{}.md", lab.folder)), &lab.folder)
}

fn diagrams_in(page: &str, folder: &str) -> Vec<Diagram> {
    let lines: Vec<&str> = page.lines().collect();
    let markers = lines.iter().enumerate().filter_map(|(at, line)| {
        let what = line.strip_prefix(DIAGRAM)?.strip_suffix(" -->")?;
        let (wire, what) = what.strip_prefix("wire ").map_or((false, what), |rest| (true, rest));
        let scene = what.strip_prefix("scene ").unwrap_or_else(|| panic!("{folder}: {line}")).to_owned();
        let file = format!("{folder}-{}{scene}.svg", if wire { "wire-" } else { "" });
        let picture = (*lines.get(at + 1).unwrap_or(&"")).to_owned();
        Some(Diagram { scene, wire, file, picture })
    });
    markers.collect()
}

/// Draws a diagram and compares it with the file, or writes that.
fn is_drawn(lab: &Lab, Diagram { scene, wire, file, .. }: &Diagram) {
    let on_a_wire: &[&str] = if *wire { &["--wire"] } else { &[] };
    let fresh = lab.picture(&[&["--json"], on_a_wire, &["--scene", scene]].concat());
    let kept = project(&format!("docs/labs/diagrams/{file}"));
    if std::env::var_os("SOCKLAB_BLESS").is_some() {
        fs::write(&kept, fresh).expect("the picture is written");
    } else {
        let same = fs::read_to_string(&kept).is_ok_and(|kept| kept == fresh);
        assert!(same, "docs/labs/diagrams/{file} is stale, `just bless` draws it anew");
    }
}

#[test]
fn every_lab_page_quotes_its_code_and_its_transcript() {
    for lab in labs() {
        let page = read(&format!("docs/labs/{}.md", lab.folder));
        for what in ["fn ", "scene 1", "claims"] {
            let marker = format!("{MARKER}{what}");
            assert!(page.contains(&marker), "docs/labs/{}.md does not quote {what:?}", lab.folder);
        }
    }
}

#[test]
fn every_scene_stands_in_its_page() {
    side_by_side(&played_here("every_scene_stands_in_its_page"), |lab| {
        let page = read(&format!("docs/labs/{}.md", lab.folder));
        for scene in lab.shown_events(&[]).iter().filter(|event| event["kind"] == "scene") {
            let marker = format!("{MARKER}scene {} -->", scene["scene"]);
            assert!(page.contains(&marker), "docs/labs/{}.md: {marker} is missing", lab.folder);
        }
    });
}

#[test]
fn every_link_leads_to_a_file() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for target in links(&text) {
            let file = target.split('#').next().unwrap_or(target);
            let folder = page.parent().expect("a folder");
            if !file.is_empty() && !folder.join(file).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links to nowhere:\n{}", broken.join("\n"));
}

#[test]
fn pages_have_only_fences_that_are_closed() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let fences = text.lines().filter(|line| line.starts_with("```")).count();
        assert!(fences.is_multiple_of(2), "{}", page.display());
    }
}

#[test]
fn a_function_is_quoted_whole_and_alone() {
    let code = "fn a() {\n    b();\n}\n\n/// Says b.\nfn b() {\n    if c {\n    }\n}\n";
    assert_eq!(function(code, "a").as_deref(), Some("fn a() {\n    b();\n}\n"));
    assert_eq!(function(code, "b").as_deref(), Some("/// Says b.\nfn b() {\n    if c {\n    }\n}\n"));
    assert_eq!(function(code, "c"), None);
}

#[test]
fn what_a_role_printed_in_several_scenes_is_one_table() {
    let one = |number: u32, row: &str| format!("── {number}. a ──\n\n  b  │ not c\n  c  │ head\n  c  │ {row}\n\n");
    let transcript = one(2, "x") + &one(3, "x");
    let table = "         head\nscene 2  x\nscene 3  x\n";
    assert_eq!(said_by("c", "2 to 3", &transcript).as_deref(), Some(table));
    assert_eq!(said_by("c", "2 to 4", &transcript), None);
}

#[test]
fn a_stale_quotation_is_written_anew_and_the_rest_stays() {
    let labs = labs();
    let lab = &labs[0];
    let page = "before\n\n<!-- quote: fn lab -->\n```rust\nfn lab() { old }\n```\n\nafter\n";
    let fresh = refreshed(page, Some(lab), &labs).expect("a page");
    assert!(fresh.starts_with("before\n\n<!-- quote: fn lab -->\n```rust\npub fn lab() -> Lab {\n"), "{fresh}");
    assert!(fresh.ends_with("\n}\n```\n\nafter\n"), "{fresh}");
    assert_eq!(refreshed(&fresh, Some(lab), &labs).as_deref(), Ok(fresh.as_str()));
    assert!(refreshed("<!-- quote: fn nothing -->\n```rust\n```\n", Some(lab), &labs).is_err());
    assert!(refreshed("<!-- quote: fn lab -->\nno fence\n", Some(lab), &labs).is_err());
}

/// All Markdown files of the project.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut folders: Vec<PathBuf> = [".", "labs", "docs", "docs/labs"].map(project).into();
    for lab in fs::read_dir(project("labs")).expect("a folder").flatten().filter(|lab| lab.path().is_dir()) {
        // Those of its exercises.
        folders.extend(fs::read_dir(lab.path()).expect("a folder").flatten().map(|entry| entry.path()));
    }
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().extension().is_some_and(|ending| ending == "md") {
                pages.push(entry.path());
            }
        }
    }
    pages
}

/// The page with every quotation as it must be.
fn refreshed(text: &str, lab: Option<&Lab>, labs: &[Lab]) -> Result<String, String> {
    let mut fresh = String::new();
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        fresh.push_str(line);
        let Some(what) = line.strip_prefix(MARKER).and_then(|rest| rest.trim_end().strip_suffix(" -->")) else {
            continue;
        };
        if what.starts_with("table of ") {
            // A table stands bare between its marker and a line that ends it.
            fresh.push_str(&if what == "table of labs" { table(labs) } else { table_of_claims(labs) });
            let end =
                lines.by_ref().find(|line| line.starts_with("<!-- end")).ok_or("the table has no <!-- end -->")?;
            fresh.push_str(end);
            continue;
        }
        let measures = std::env::var_os("SOCKLAB_MEASURE").is_some();
        if let Some(runs) = what.strip_prefix("times ").filter(|_| !measures) {
            let lab = lab.ok_or("only a lab's page has times")?;
            let rest: Vec<&str> = lines.by_ref().take(1).collect();
            fresh.extend(rest);
            let mut there = String::new();
            for line in lines.by_ref().take_while(|line| !line.starts_with("```")) {
                there.push_str(line);
            }
            are_times(&there, lab, runs)?;
            fresh.push_str(&there);
            fresh.push_str("```\n");
            continue;
        }
        let fence = lines.next().filter(|line| line.starts_with("```")).ok_or(format!("no fence behind {what:?}"))?;
        fresh.push_str(fence);
        fresh.push_str(&quotation(what, lab, labs).ok_or(format!("there is no {what:?} to quote"))?);
        let end =
            lines.by_ref().find(|line| line.starts_with("```")).ok_or(format!("the fence of {what:?} is open"))?;
        fresh.push_str(end);
    }
    Ok(fresh)
}

/// `fn server`, `scene 2`, `wire scene 2`, `said by client in scenes 2 to 6`, `claims`; in a page that is
/// no lab's, with the lab's number in front: `05 scene 1`.
fn quotation(what: &str, lab: Option<&Lab>, labs: &[Lab]) -> Option<String> {
    if let Some((number, rest)) = what.split_once(' ').filter(|(word, _)| word.parse::<u64>().is_ok()) {
        let number: u64 = number.parse().ok()?;
        return quotation(rest, labs.iter().find(|lab| lab.number == number), labs);
    }
    let lab = lab?;
    if let Some(name) = what.strip_prefix("fn ") {
        return function(&read(&format!("labs/{}/main.rs", lab.folder)), name);
    }
    if let Some(number) = what.strip_prefix("wire scene ") {
        return scene(&recorded(&format!("{}.wire.transcript", lab.folder)), number);
    }
    if let Some(number) = what.strip_prefix("scene ") {
        return scene(&recorded(&format!("{}.transcript", lab.folder)), number);
    }
    if let Some((role, scenes)) = what.strip_prefix("said by ").and_then(|rest| rest.split_once(" in scenes ")) {
        return said_by(role, scenes, &recorded(&format!("{}.transcript", lab.folder)));
    }
    if let Some(runs) = what.strip_prefix("times ") {
        return Some(lab.prints(&["--repeat", runs, "--times"]));
    }
    (what == "claims").then(|| recorded(&format!("{}.claims", lab.folder)))
}

/// A function with its comments, from its first line to the brace that closes it at the beginning of a line.
fn function(code: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = code.lines().collect();
    let begins = |line: &&str| line.trim_start_matches("pub ").starts_with(&format!("fn {name}("));
    let at = lines.iter().position(begins)?;
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#[")).count();
    let length = lines[at..].iter().position(|line| *line == "}")?;
    Some(lines[at - above..=at + length].join("\n") + "\n")
}

/// One scene of a transcript, from its title to before the next one's.
fn scene(transcript: &str, number: &str) -> Option<String> {
    let title = format!("── {number}. ");
    let lines: Vec<&str> = transcript.lines().collect();
    let at = lines.iter().position(|line| line.starts_with(&title))?;
    let length = lines[at + 1..].iter().position(|line| line.starts_with("── "));
    let end = length.map_or(lines.len(), |length| at + 1 + length);
    Some(lines[at..end].join("\n").trim_end().to_owned() + "\n")
}

/// What a role printed in these scenes, as one table: they all begin with the same heading.
fn said_by(role: &str, scenes: &str, transcript: &str) -> Option<String> {
    let (first, last) = scenes.split_once(" to ")?;
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    let mut heading = None;
    let mut table = String::new();
    for number in first..=last {
        let scene = scene(transcript, &number.to_string())?;
        let mut said = scene.lines().filter_map(|line| line.trim_start().strip_prefix(role)?.strip_prefix("  │ "));
        let begins = said.next()?.to_owned();
        if heading.get_or_insert_with(|| begins.clone()) != &begins {
            return None;
        }
        if number == first {
            table += &format!("         {begins}\n");
        }
        said.for_each(|line| table += &format!("scene {number}  {line}\n"));
    }
    Some(table)
}

/// The text of a snapshot, without insta's heading.
fn recorded(name: &str) -> String {
    let snapshot = read(&format!("tests/snapshots/{name}.snap"));
    let text = snapshot.splitn(3, "---\n").nth(2).expect("a snapshot has a heading between two lines ---");
    text.trim_end().to_owned() + "\n"
}

/// Whether a text is what `--repeat RUNS --times` prints of a lab: a heading, its scenes, and three times in order for
/// each line that is typed in them.
fn are_times(text: &str, lab: &Lab, runs: &str) -> Result<(), String> {
    let heading = format!("Lab {:02} {}, {runs} runs, free-running, on Linux ", lab.number, lab.name);
    if !text.starts_with(&heading) {
        return Err(format!("`just measure`: this does not begin with {heading:?}: {text}"));
    }
    if lab.wire && !has_private_hosts() {
        return Ok(());
    }
    let mut lines = text.lines().skip(4);
    for event in lab.shown_events(&[]) {
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let expected = match event["kind"].as_str() {
            Some("scene") => format!("{}. {}", event["scene"], text("text")),
            Some("input") if event["text"].is_string() => format!("   {}{} ", text("prompt"), text("text")),
            _ => continue,
        };
        let line = lines.next().unwrap_or_default();
        let rest = line.strip_prefix(&expected).ok_or(format!("`just measure`: {line:?} is not {expected:?}"))?;
        let times: Vec<f64> = rest.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        if event["kind"] == "input" && !matches!(times[..], [least, median, most] if least <= median && median <= most)
        {
            return Err(format!("`just measure`: these are not three times: {line:?}"));
        }
    }
    lines.next().map_or(Ok(()), |line| Err(format!("`just measure`: a line too many: {line:?}")))
}

/// The labs by chapter, as the README shows them.
fn table(labs: &[Lab]) -> String {
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

/// Every claim of every lab, and what became of it here.
fn table_of_claims(labs: &[Lab]) -> String {
    let rows = side_by_side(labs, |lab| {
        let mut rows = String::new();
        for line in lab.shows(&["--claims", "--json"]).lines() {
            let claim: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let field = |name: &str| claim[name].as_str().expect(name).replace('|', "\\|");
            let (source, says, verdict) = (field("source"), field("says"), field("verdict"));
            let verdict = if verdict == "confirmed" { verdict } else { format!("**{verdict}**") };
            rows += &format!("| [{:02}](labs/{}.md) | {source} | {says} | {verdict} |\n", lab.number, lab.folder);
        }
        rows
    });
    format!("\n| lab | from | the claim | verdict |\n|---|---|---|---|\n{}\n", rows.concat())
}

/// The targets of a page's links that are files. What looks like a link in a fence is none.
fn links(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    let in_text = outside.flat_map(|part| part.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    in_text.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
}

#[test]
fn times_that_are_not_whole_are_noticed() {
    let Some(lab) = played_here("times_that_are_not_whole_are_noticed").into_iter().find(|lab| lab.number == 33) else {
        return;
    };
    let page = read(&format!("docs/labs/{}.md", lab.folder));
    let (_, times) = page.split_once("Lab 33 ").expect("its times");
    let times = format!("Lab 33 {}", times.split("```").next().expect("a fence"));
    assert_eq!(are_times(&times, &lab, "31"), Ok(()));
    assert!(are_times(&times, &lab, "1000").is_err());
    for line in times.lines() {
        let without: Vec<&str> = times.lines().filter(|other| *other != line).collect();
        assert!(are_times(&without.join("\n"), &lab, "31").is_err(), "without {line:?}");
    }
}

#[test]
fn the_table_in_the_readme_links_to_the_labs() {
    for lab in labs() {
        let row = table(&labs()).lines().find(|line| line.contains(&lab.folder)).map(str::to_owned);
        let row = row.unwrap_or_else(|| panic!("{} is not in the table", lab.folder));
        for target in links(&row) {
            assert!(Path::new(&project(target)).exists(), "{target}");
        }
    }
}
