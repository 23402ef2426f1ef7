//! The drawings of the chapters' introductions, docs/drawings: slides that are legible, each shown once, and true.

use std::collections::BTreeSet;
use std::fs;

use crate::diagram::{is_legible, texts};
use crate::support::{project, read};

/// The states of RFC 9293, as the drawing names them.
const STATES: [&str; 11] = [
    "CLOSED",
    "LISTEN",
    "SYN-SENT",
    "SYN-RECEIVED",
    "ESTABLISHED",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "CLOSING",
    "TIME-WAIT",
    "CLOSE-WAIT",
    "LAST-ACK",
];

/// The drawings: their names and what is in them.
fn drawings() -> Vec<(String, String)> {
    let there = fs::read_dir(project("docs/drawings")).expect("a folder").flatten();
    let mut names: Vec<String> = there.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), read(&format!("docs/drawings/{name}")))).collect()
}

#[test]
fn every_drawing_is_a_slide_that_can_be_read() {
    let drawings = drawings();
    assert!(!drawings.is_empty());
    for (name, drawing) in drawings {
        is_legible(&drawing, &name);
        for needed in
            ["viewBox=\"0 0 1920 1080\"", "<title id=\"title\">", "<desc id=\"desc\">", "prefers-color-scheme: dark"]
        {
            assert!(drawing.contains(needed), "{name} has no {needed}");
        }
        let outside = drawing.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for word in ["://", "url(", "<script", "href", "<image", "@import"] {
            assert!(!outside.contains(word), "{name}: {word}");
        }
        for size in drawing.split("font-size=\"").skip(1) {
            let size: f64 = size.split('"').next().expect("a size").parse().expect("a number");
            assert!(size >= 18.0, "{name}: letters of {size} are too small for a slide");
        }
    }
}

#[test]
fn every_drawing_is_shown_once_and_described() {
    let pages = fs::read_dir(project("docs")).expect("a folder").flatten();
    let pages = pages.filter(|entry| entry.path().extension().is_some_and(|is| is == "md"));
    let pages: String = pages.map(|entry| fs::read_to_string(entry.path()).expect("a page")).collect();
    for (name, _) in drawings() {
        let shown: Vec<&str> = pages.lines().filter(|line| line.ends_with(&format!("](drawings/{name})"))).collect();
        assert_eq!(shown.len(), 1, "{name} is shown {} times", shown.len());
        let words = shown[0].strip_prefix("![").and_then(|line| line.split_once(']')).expect("an image").0;
        assert!(words.len() > 40, "{name} has no description that serves in its place");
    }
}

/// How many labs, or runs of labs, a state names: there is no room for more.
const MOST_NAMED: usize = 5;

/// The labs whose recorded transcripts show a state, the first ones where they are many.
fn labs_that_show(state: &str) -> String {
    let snapshots = fs::read_dir(project("tests/snapshots")).expect("a folder").flatten();
    let mut labs = BTreeSet::new();
    for entry in snapshots {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(number) = name.strip_suffix(".transcript.snap").and_then(|name| name[..2].parse::<u32>().ok()) else {
            continue;
        };
        let shows = |line: &str| {
            let Some((_, is)) = line.split_once("▸ ") else { return false };
            let words: Vec<&str> = is.split([' ', ',']).collect();
            let gone = state == "CLOSED" && is.ends_with(", closed, is gone");
            gone || words.windows(2).any(|pair| ["now", "already"].contains(&pair[0]) && pair[1] == state)
        };
        if fs::read_to_string(entry.path()).expect("a snapshot").lines().any(shows) {
            labs.insert(number);
        }
    }
    let labs: Vec<u32> = labs.into_iter().collect();
    let (mut words, mut at) = (Vec::new(), 0);
    while at < labs.len() {
        let run = labs[at..].iter().zip(labs[at]..).take_while(|(lab, next)| *lab == next).count();
        if run > 2 {
            words.push(format!("{:02}–{:02}", labs[at], labs[at] as usize + run - 1));
        } else {
            words.extend(labs[at..at + run].iter().map(|lab| format!("{lab:02}")));
        }
        at += run;
    }
    if words.len() > MOST_NAMED {
        words.truncate(MOST_NAMED);
        words.push("…".to_owned());
    }
    match labs.len() {
        0 => "no lab shows it".to_owned(),
        1 => format!("lab {}", words[0]),
        _ => format!("labs {}", words.join(" ")),
    }
}

#[test]
fn the_states_name_the_labs_that_show_them() {
    let name = "docs/drawings/tcp-states.svg";
    let drawing = read(name);
    let named = texts(&drawing).iter().filter(|text| text.class == "labs").count();
    assert_eq!(named, STATES.len());
    let mut wanted = drawing.clone();
    for state in STATES {
        let (before, rest) = wanted.split_once(&format!(" data-state=\"{state}\">")).expect(state);
        let after = rest.split_once("</text>").expect("an end").1;
        wanted = format!("{before} data-state=\"{state}\">{}</text>{after}", labs_that_show(state));
    }
    if std::env::var_os("SOCKLAB_BLESS").is_some() {
        fs::write(project(name), &wanted).expect("a drawing");
    } else {
        assert!(drawing == wanted, "{name} names other labs than the transcripts: `just bless` writes them anew");
    }
}
