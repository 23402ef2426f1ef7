//! The pages say what is so: their code is the labs', their output is what was recorded, their links lead somewhere.
//!
//! `just bless` (the variable `SOCKLAB_BLESS`) writes the quotations anew instead of complaining. What was measured is
//! another thing at every run: it is only tested to be whole, and `just measure` (`SOCKLAB_MEASURE`) measures anew.

mod cut;
mod form;
mod functions;
mod lesson;
mod quotation;
mod tables;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Lab, all_are_chosen, has_private_hosts, is_chosen, labs, project, read, side_by_side, skip};
use quotation::{are_times, quotation, recorded, scene};

/// A marker in a page, and what must stand in the fence behind it.
const MARKER: &str = "<!-- quote: ";

/// A marker in a lab's page, and what is made from its lesson in the line behind it.
const ORIENTATION: &str = "<!-- orientation -->";

/// Markers in a lab's page, and what is made from its lesson and its claims, up to a line `<!-- end -->`.
const PREDICT: &str = "<!-- predict -->";
const CLAIMS: &str = "<!-- claims -->";

/// A marker in a lab's page, and lines of a recorded scene in the fence behind it, which a person chooses.
const CUT: &str = "<!-- cut: ";

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
    assert!(refreshed("<!-- quote: fn lab -->\n```rust\nopen\n", Some(lab), &labs).is_err());
    assert!(refreshed("<!-- quote: fn lab -->\n```rust\n```\n", None, &labs).is_err());
}

#[test]
fn a_cut_stays_as_it_is_or_is_refused() {
    let labs = labs();
    let page = |line: &str, below: &str| format!("<!-- cut: scene 1 -->\n```text\n⋮\n{line}\n⋮\n```\n\n{below}");
    let line = "client  sendto(3, \"hello\", to server:9000) = 5";
    let good = page(&format!("{line}  ①"), "- ① It leaves.\n");
    assert_eq!(refreshed(&good, Some(&labs[0]), &labs).as_deref(), Ok(good.as_str()));
    for bad in [page(&format!("{line}  ①"), "- ② It leaves.\n"), page("client  dances", "")] {
        let error = refreshed(&bad, Some(&labs[0]), &labs).expect_err("no cut");
        assert!(error.starts_with("cut: scene 1: "), "{error}");
    }
    let error = refreshed("<!-- cut: scene 99 -->\n```text\n```\n", Some(&labs[0]), &labs).expect_err("no scene");
    assert!(error.contains("to cut from"), "{error}");
}

#[test]
fn what_stands_up_to_an_end_is_written_anew() {
    let labs = labs();
    let page = "<!-- quote: table of labs -->\nold\n<!-- end -->\nafter\n";
    let fresh = refreshed(page, None, &labs).expect("a page");
    assert!(fresh.contains("| [01]") && fresh.ends_with("|\n\n<!-- end -->\nafter\n"), "{fresh}");
    let nothing_yet = page.replace("old\n", "");
    assert_eq!(refreshed(&nothing_yet, None, &labs).as_deref(), Ok(fresh.as_str()));
    assert!(refreshed("<!-- quote: table of labs -->\nold\n", None, &labs).is_err());
    assert!(refreshed("<!-- orientation -->\nold\n", None, &labs).is_err());
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

/// The page with every quotation, and all that is made from the lesson, as it must be.
fn refreshed(text: &str, lab: Option<&Lab>, labs: &[Lab]) -> Result<String, String> {
    let mut fresh = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, below) = split_line(rest);
        fresh.push_str(line);
        rest = below;
        let marker = line.trim_end();
        if marker == ORIENTATION {
            fresh.push_str(&lesson::orientation(&of_a_lab(lab)?.folder)?);
            rest = split_line(rest).1;
        } else if let Some(made) = made_up_to_an_end(marker, lab, labs, rest)? {
            fresh.push_str(&made);
            rest = behind_the_content(rest, marker)?;
        } else if let Some(what) = marker.strip_prefix(CUT).and_then(|what| what.strip_suffix(" -->")) {
            let (fence, content, below) = fenced(rest, marker)?;
            let (lab, what) = of_which_lab(what, lab, labs);
            let scene = quoted_scene(what, of_a_lab(lab)?).ok_or(format!("there is no {what:?} to cut from"))?;
            cut::check(content, &scene, split_line(below).1).map_err(|why| format!("cut: {what}: {why}"))?;
            fresh.extend([fence, content]);
            rest = below;
        } else if let Some(what) = marker.strip_prefix(MARKER).and_then(|what| what.strip_suffix(" -->")) {
            let (fence, content, below) = fenced(rest, marker)?;
            fresh.push_str(fence);
            match what.strip_prefix("times ").filter(|_| std::env::var_os("SOCKLAB_MEASURE").is_none()) {
                Some(runs) => {
                    are_times(content, of_a_lab(lab)?, runs)?;
                    fresh.push_str(content);
                }
                None => fresh.push_str(&quotation(what, lab, labs).ok_or(format!("there is no {what:?} to quote"))?),
            }
            rest = below;
        }
    }
    Ok(fresh)
}

/// The lab whose page it is.
fn of_a_lab(lab: Option<&Lab>) -> Result<&Lab, String> {
    lab.ok_or_else(|| "only a lab's page has this".to_owned())
}

/// A lab's number may stand before what is quoted, on a page that is no lab's: `05 scene 1`.
fn of_which_lab<'a, 'b>(what: &'a str, lab: Option<&'b Lab>, labs: &'b [Lab]) -> (Option<&'b Lab>, &'a str) {
    let numbered = what.split_once(' ').and_then(|(number, rest)| Some((number.parse::<u64>().ok()?, rest)));
    numbered.map_or((lab, what), |(number, rest)| (labs.iter().find(|lab| lab.number == number), rest))
}

/// A text's first line, with its end, and the rest.
fn split_line(text: &str) -> (&str, &str) {
    text.split_at(text.find('\n').map_or(text.len(), |at| at + 1))
}

/// What stands bare behind a marker, up to a line that ends it; `None` for other lines. `now` is what stands there.
fn made_up_to_an_end(marker: &str, lab: Option<&Lab>, labs: &[Lab], now: &str) -> Result<Option<String>, String> {
    Ok(match marker {
        PREDICT => Some(lesson::predictions(&lesson::lesson(&of_a_lab(lab)?.folder)?)),
        // A lab on a wire cannot be played everywhere.
        CLAIMS if of_a_lab(lab)?.wire && !has_private_hosts() => {
            Some(now.split("<!-- end").next().unwrap_or_default().to_owned())
        }
        CLAIMS => Some(tables::claims_of(of_a_lab(lab)?)),
        "<!-- quote: table of labs -->" => Some(tables::labs_by_chapter(labs)),
        "<!-- quote: table of calls -->" => Some(tables::calls(labs)),
        "<!-- quote: table of functions -->" => Some(functions::table(labs)),
        "<!-- quote: table of names -->" => Some(functions::names()),
        "<!-- quote: table of programs -->" => Some(tables::programs(labs)),
        "<!-- quote: table of mistakes -->" => Some(tables::mistakes(labs)),
        "<!-- quote: table of claims -->" => Some(tables::all_claims(labs)),
        _ => None,
    })
}

/// The text from the line `<!-- end -->` on.
fn behind_the_content<'a>(text: &'a str, marker: &str) -> Result<&'a str, String> {
    let at = if text.starts_with("<!-- end") { Some(0) } else { text.find("\n<!-- end").map(|at| at + 1) };
    at.map(|at| &text[at..]).ok_or(format!("{marker} has no <!-- end -->"))
}

/// The fence that a text begins with: its first line, what is in it, and the text from its last line on.
fn fenced<'a>(text: &'a str, marker: &str) -> Result<(&'a str, &'a str, &'a str), String> {
    let (fence, inside) = split_line(text);
    if !fence.starts_with("```") {
        return Err(format!("no fence behind {marker}"));
    }
    let at = if inside.starts_with("```") { Some(0) } else { inside.find("\n```").map(|at| at + 1) };
    let (content, below) = inside.split_at(at.ok_or(format!("the fence of {marker} is open"))?);
    Ok((fence, content, below))
}

/// The scene of a lab that `scene 2` or `wire scene 2` means.
fn quoted_scene(what: &str, lab: &Lab) -> Option<String> {
    match what.strip_prefix("wire scene ") {
        Some(number) => scene(&recorded(&format!("{}.wire.transcript", lab.folder)), number),
        None => scene(&recorded(&format!("{}.transcript", lab.folder)), what.strip_prefix("scene ")?),
    }
}

/// The targets of a page's links that are files. What looks like a link in a fence is none.
fn links(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    let in_text = outside.flat_map(|part| part.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    in_text.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
}
