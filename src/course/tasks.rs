//! The page of a task, as it lies in a student's folder.

use std::path::Path;

use super::exercises::ExerciseFolder;
use super::languages::{self, Language};

/// The exercise's page for a student's folder `place`, which has a starter in this language. Its links lead from there
/// into the checkout, where there is one; it tells who has started how to go on; what the checks are worth is its last
/// section.
pub(super) fn page(exercise: &ExerciseFolder, language: &str, place: &Path, checkout: Option<&Path>) -> String {
    let page = exercise.file("README.md").unwrap_or_default();
    let page = for_who_has_started(page, exercise.id, language);
    with_links_from(place, checkout, &exercise.place(), &page) + &points(exercise)
}

/// The page without the command by which one starts, and with what is typed by hand as it is in this language.
fn for_who_has_started(page: &str, id: &str, language: &str) -> String {
    let language = languages::find(language);
    let mut text = String::new();
    for line in page.lines() {
        if line.starts_with("    just start ") {
            continue;
        }
        let by_hand = language.and_then(|language| by_hand(line, language)).unwrap_or_else(|| line.to_owned());
        text += &by_hand;
        text.push('\n');
        if line == format!("    just grade {id}") {
            text += &format!("    just watch {id}      # at each save\n    just hint {id}\n");
        }
    }
    text
}

/// A line that runs the starter in Python, as it runs one in another language.
fn by_hand(line: &str, language: &Language) -> Option<String> {
    let (before, name, rest) = ["server", "client"].into_iter().find_map(|name| {
        let (before, rest) = line.split_once(&format!("python3 {name}.py"))?;
        Some((before.strip_prefix("    ")?, name, rest))
    })?;
    let file = format!("{name}.{}", language.endings[0]);
    let words = |words: &[&str]| words.join(" ").replace("{file}", &file);
    let build = if language.build.is_empty() { String::new() } else { words(language.build) + " && " };
    Some(format!("    {build}{before}{}{rest}", words(language.run)))
}

/// The table of checks and points, made from the checks themselves.
fn points(exercise: &ExerciseFolder) -> String {
    let checks = (exercise.exercise)().checks;
    let rows = checks.iter().map(|check| format!("| `{}` | {} | {} |\n", check.name, check.points, check.claim));
    format!("\n## Points\n\n| check | points | your program … |\n|---|--:|---|\n{}", rows.collect::<String>())
}

/// The text of a page of the checkout's folder `home`, to be read in the folder `place`. Inside the checkout its links
/// go up and down, elsewhere they name the whole path; where there is no checkout, only the text of a link is left.
fn with_links_from(place: &Path, checkout: Option<&Path>, home: &str, page: &str) -> String {
    let up = checkout
        .and_then(|checkout| place.strip_prefix(checkout).ok())
        .map(|inside| "../".repeat(inside.components().count()));
    let mut parts = page.split("](");
    let mut moved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((target, rest)) = part.split_once(')') else {
            moved.push_str("](");
            moved.push_str(part);
            continue;
        };
        let inside = path_in_checkout(home, target);
        let target = match (&up, checkout) {
            _ if target.contains("://") || target.starts_with(['#', '/']) => Some(target.to_owned()),
            (Some(up), _) => Some(format!("{up}{inside}")),
            (None, Some(checkout)) => Some(checkout.join(inside).display().to_string()),
            (None, None) => None,
        };
        match (target, moved.rfind('[')) {
            (None, Some(start)) => drop(moved.remove(start)),
            (target, _) => moved.push_str(&format!("]({})", target.unwrap_or_default())),
        }
        moved.push_str(rest);
    }
    moved
}

/// Where a link of a page in the folder `home` leads, from the checkout's own folder.
fn path_in_checkout(home: &str, target: &str) -> String {
    let mut path: Vec<&str> = home.split('/').collect();
    for step in target.split('/') {
        match step {
            "." => {}
            ".." => drop(path.pop()),
            down => path.push(down),
        }
    }
    path.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_pages_links_lead_where_they_led() {
        let (checkout, home) = (Some(Path::new("/src/socklab")), "labs/98-some-lab/exercise");
        let page = "# A\n[lab](../../../docs/labs/30.md#top), [web](https://a.b/c), [below](#x) [odd](";
        let inside = with_links_from(Path::new("/src/socklab/mine/30"), checkout, home, page);
        assert_eq!(inside, "# A\n[lab](../../docs/labs/30.md#top), [web](https://a.b/c), [below](#x) [odd](");
        let outside = with_links_from(Path::new("/elsewhere/30"), checkout, home, "[lab](../../../docs/labs/30.md)");
        assert_eq!(outside, "[lab](/src/socklab/docs/labs/30.md)");
        let alone =
            with_links_from(Path::new("/elsewhere/30"), None, home, "See [lab](../../../docs/labs/30.md), [x](#x)");
        assert_eq!(alone, "See lab, [x](#x)");
    }
}
