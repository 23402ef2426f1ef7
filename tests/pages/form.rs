//! The form of a page: its headings, its lengths, what it must have.

use std::path::Path;

use super::lesson::lesson;
use super::quotation::{recorded, scenes};
use crate::support::{Lab, labs, project, read};

/// The most lines of a page, and of its core: what stands above the line.
const MOST_LINES: usize = 450;
const MOST_LINES_OF_THE_CORE: usize = 200;

/// How fast a page is read, and how long its command takes.
const WORDS_A_MINUTE: usize = 130;
const MINUTES_FOR_THE_COMMAND: usize = 3;

/// How far a lesson's minutes may be from what the length of the core gives.
const MINUTES_OFF: usize = 3;

/// The headings of the core, in their order.
const CORE: [&str; 6] = ["Predict", "Run", "What happened", "In code", "What to remember", "Now you"];

/// The sections below the line, in their order, behind those of the further scenes. None of them must be there.
const MORE: [&str; 6] = [
    "What the kernel does",
    "What is guaranteed",
    "Other systems",
    "By hand",
    "Try it yourself",
    "What the old texts say",
];

#[test]
fn every_page_has_the_form_of_a_page() {
    let faults: Vec<String> = labs().iter().filter(|lab| lab.is_chosen()).flat_map(faults).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// What is wrong with the form of a lab's page.
fn faults(lab: &Lab) -> Vec<String> {
    let page = read(&format!("docs/labs/{}.md", lab.folder));
    let mut faults = form_faults(&page);
    match lesson(&lab.folder) {
        Ok(lesson) => faults.extend(time_fault(&page, lesson.minutes as usize)),
        Err(fault) => faults.push(fault),
    }
    let title = format!("# {:02}. ", lab.number);
    if !page.starts_with(&title) {
        faults.push(format!("it does not begin with {title:?}"));
    }
    let transcript = recorded(&format!("{}.transcript", lab.folder));
    let unnamed = scenes(&transcript).into_iter().filter(|number| !names_scene(&page, number));
    faults.extend(unnamed.map(|number| format!("scene {number} is neither cut nor named as `--scene {number}`")));
    for file in python_files(&lab.folder) {
        if !page.contains(&format!("<!-- quote: python/{file}")) {
            faults.push(format!("python/{file} is not quoted"));
        }
    }
    faults.into_iter().map(|fault| format!("docs/labs/{}.md: {fault}", lab.folder)).collect()
}

/// The names of a lab's Python programs.
fn python_files(folder: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(project(&format!("labs/{folder}/python"))) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter(|name| Path::new(name).extension().is_some_and(|is| is == "py")).collect();
    names.sort();
    names
}

fn names_scene(page: &str, number: &str) -> bool {
    let marked = [format!("scene {number} -->"), format!("wire scene {number} -->")];
    let option = format!("--scene {number}");
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_digit());
    marked.iter().any(|marker| page.contains(marker)) || page.split(&option).skip(1).any(ends)
}

/// What is wrong with a page by itself.
fn form_faults(page: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines: Vec<&str> = outside_fences(page);
    let total = page.lines().count();
    if total > MOST_LINES {
        faults.push(format!("{total} lines: a page has at most {MOST_LINES}"));
    }
    let Some((core, more)) = page.split_once("\n---\n") else {
        return vec!["there is no line --- below the core".to_owned()];
    };
    let length = core.lines().count();
    if length > MOST_LINES_OF_THE_CORE {
        faults.push(format!("{length} lines above the line: at most {MOST_LINES_OF_THE_CORE}"));
    }
    let headings: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("## ")).collect();
    let expected: Vec<&str> = CORE.into_iter().chain(["More"]).collect();
    if headings != expected && headings != CORE {
        faults.push(format!("the headings are {headings:?}, not {expected:?}"));
    }
    let sections: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("### ")).collect();
    faults.extend(order_fault(&sections));
    if core.contains("\n### ") {
        faults.push("a ### section stands above the line".to_owned());
    }
    let cuts = core.matches("<!-- cut: ").count();
    if cuts != 1 {
        faults.push(format!("{cuts} cuts above the line: one"));
    }
    let needed = ["<!-- orientation -->", "<!-- predict -->", "<!-- quote: fn "];
    faults.extend(needed.iter().filter(|marker| !core.contains(*marker)).map(|marker| format!("{marker} is missing")));
    faults.extend((!more.contains("<!-- claims -->")).then(|| "<!-- claims --> is missing".to_owned()));
    faults.extend(page.contains("<!-- quote: claims").then(|| "the claims are quoted whole".to_owned()));
    faults.extend((!page.contains("](../claims.md")).then(|| "docs/claims.md is not linked".to_owned()));
    faults.extend((!section(core, "## Run").contains("```sh")).then(|| "## Run has no command".to_owned()));
    let remembered = paragraphs(&section(core, "## What to remember"));
    if !(1..=3).contains(&remembered) {
        faults.push(format!("{remembered} things to remember: one to three"));
    }
    let question = core.split("<!-- orientation -->").nth(1).unwrap_or_default();
    let question = question.split("\n## ").next().unwrap_or_default();
    if paragraphs(question) < 2 {
        faults.push("no question stands behind the line of orientation".to_owned());
    }
    let tasks = section(more, "### Try it yourself");
    let (items, answers) = (items(&tasks), tasks.matches("<details><summary>Answer</summary>").count());
    if items != answers {
        faults.push(format!("{items} things to try, and {answers} answers"));
    }
    faults
}

/// The lines of a page that are in no fence.
fn outside_fences(page: &str) -> Vec<&str> {
    let mut inside = false;
    let mut is_outside = |line: &&str| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    };
    page.lines().filter(&mut is_outside).collect()
}

/// What stands below a heading, up to the next one that is as high.
fn section(page: &str, heading: &str) -> String {
    let level = heading.split(' ').next().unwrap_or_default().len();
    let ends = |line: &&str| {
        let hashes = line.chars().take_while(|c| *c == '#').count();
        (1..=level).contains(&hashes) && line[hashes..].starts_with(' ')
    };
    let below = page.lines().skip_while(|line| *line != heading).skip(1);
    // A comment in a fence, `# exit 6`, is no heading.
    let mut inside = false;
    let in_it = below.take_while(|line| {
        inside ^= line.trim_start().starts_with("```");
        inside || !ends(line)
    });
    in_it.map(|line| format!("{line}\n")).collect()
}

/// How many paragraphs or items of a list a text has.
fn paragraphs(text: &str) -> usize {
    let mut count = 0;
    let mut before = "";
    for line in text.lines().filter(|line| !line.starts_with("<!--")) {
        let begins = before.is_empty() && !line.starts_with(' ') || is_item(line);
        count += usize::from(!line.is_empty() && begins);
        before = line;
    }
    count
}

fn items(text: &str) -> usize {
    outside_fences(text).into_iter().filter(|line| is_item(line)).count()
}

fn is_item(line: &str) -> bool {
    let number = line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    number || line.starts_with("- ")
}

/// Whether sections stand in their order: scenes by their numbers, then those of `MORE`.
fn order_fault(sections: &[&str]) -> Option<String> {
    let place = |title: &&str| {
        let rest = title.strip_prefix("Scene ").or_else(|| title.strip_prefix("Scenes "));
        let number = rest.and_then(|rest| rest.split([' ', ':', ',']).next()?.parse::<usize>().ok());
        match (number, title.contains(": ")) {
            (Some(number), true) => Some(number),
            _ => MORE.iter().position(|one| one == title).map(|at| 1000 + at),
        }
    };
    let places: Vec<Option<usize>> = sections.iter().map(place).collect();
    if let Some((title, _)) = sections.iter().zip(&places).find(|(_, place)| place.is_none()) {
        return Some(format!("### {title:?} is neither \"Scene N: …\" nor one of {MORE:?}"));
    }
    let in_order = places.windows(2).all(|pair| pair[0] < pair[1]);
    (!in_order).then(|| format!("the sections stand in another order: {sections:?}"))
}

/// Whether the minutes that a lesson promises suit the length of the core.
fn time_fault(page: &str, minutes: usize) -> Option<String> {
    let core = page.split("\n---\n").next().unwrap_or_default();
    let words = core.lines().filter(|line| !line.starts_with("<!--")).flat_map(str::split_whitespace).count();
    let right = words.div_ceil(WORDS_A_MINUTE) + MINUTES_FOR_THE_COMMAND;
    let off = minutes.abs_diff(right) > MINUTES_OFF;
    off.then(|| format!("minutes = {minutes}, but {words} words and a command take about {right}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# 03. A\n\n<!-- orientation -->\n*Datagrams*\n\nWhat?\n\n## Predict\n\n\
        <!-- predict -->\n<!-- end -->\n\n## Run\n\n```sh\njust lab 03\n```\n\n\
        ## What happened\n\n<!-- cut: scene 1 -->\n```text\n# no heading\n```\n\n\
        ## In code\n\n<!-- quote: fn server -->\n```rust\n```\n\n## What to remember\n\n- One.\n\
        - Two,\n  still two.\n\n\
        ## Now you\n\nIt.\n\n---\n\n## More\n\n### Scene 2: b\n\n`--scene 2`\n\n### Scenes 3 to 4: c\n\n### By hand\n\n\
        ### Try it yourself\n\n- Do.\n  <details><summary>Answer</summary>\n\n  1. So.\n\n  </details>\n\n\
        ### What the old texts say\n\n[Old](../claims.md)\n\n<!-- claims -->\n<!-- end -->\n";

    #[test]
    fn a_page_with_the_form_has_no_fault() {
        assert_eq!(form_faults(PAGE), Vec::<String>::new());
    }

    #[test]
    fn each_departure_from_the_form_is_a_fault() {
        for (from, to, says) in [
            ("## Run\n", "## Run it\n", "headings"),
            ("## In code", "## Code", "headings"),
            ("\n---\n", "\n", "no line ---"),
            ("### By hand", "### In the hand", "neither"),
            ("### Scene 2: b", "### Scene 5: b", "another order"),
            ("### By hand\n", "### By hand\n\n### What the kernel does\n", "another order"),
            ("## In code\n", "## In code\n\n<!-- cut: scene 2 -->\n```text\n```\n", "2 cuts"),
            ("<!-- cut: scene 1 -->\n", "", "0 cuts"),
            ("<!-- predict -->", "", "predict"),
            ("<!-- claims -->", "<!-- quote: claims -->", "claims"),
            ("(../claims.md)", "", "not linked"),
            ("- Two,", "- Two.\n- Three.\n- Four,", "4 things"),
            ("- One.\n- Two,\n  still two.\n", "", "0 things"),
            ("- Do.\n", "- Do.\n- Do more.\n", "2 things to try, and 1 answers"),
            ("What?\n", "", "no question"),
            ("```sh\njust lab 03\n```\n", "", "no command"),
        ] {
            let faults = form_faults(&PAGE.replace(from, to));
            assert!(faults.iter().any(|fault| fault.contains(says)), "{to:?}: {faults:?}, not {says}");
        }
        let long = |lines: usize| PAGE.replace("What?\n", &"What?\n".repeat(lines));
        assert!(form_faults(&long(220)).iter().any(|fault| fault.contains("above the line")));
        assert!(form_faults(&long(450)).iter().any(|fault| fault.contains("at most 450")));
    }

    #[test]
    fn minutes_suit_the_length_of_the_core() {
        let page = |words: usize| format!("{}\n---\n{}", "word ".repeat(words), "more ".repeat(5000));
        assert_eq!(time_fault(&page(1300), 13), None);
        assert_eq!(time_fault(&page(1300), 16), None);
        assert!(time_fault(&page(1300), 17).is_some());
        assert!(time_fault(&page(1300), 9).is_some());
    }

    #[test]
    fn a_scene_is_named_by_its_cut_or_by_its_option() {
        assert!(names_scene("<!-- cut: scene 1 -->", "1") && names_scene("<!-- cut: wire scene 1 -->", "1"));
        assert!(names_scene("`just lab 03 --scene 1`", "1"));
        assert!(!names_scene("`just lab 03 --scene 12`", "1") && !names_scene("<!-- cut: scene 12 -->", "1"));
    }
}
