//! A grade as JUnit's XML, which continuous integration reads: a test suite, whose cases are the checks.

use std::fmt::Write as _;

use crate::judge::event_log;
use crate::judge::failure::{Failure, Shown};
use crate::judge::grade::{Checked, Grade, Outcome, Verdict};
use crate::judge::report::json::{self, kind};
use crate::view::text::{quoted_within, readable};

/// The document.
pub fn junit(grade: &Grade) -> String {
    let count = |verdict| grade.checks.iter().filter(|checked| checked.verdict() == verdict).count();
    let time: f64 = grade.checks.iter().map(|checked| checked.took.as_secs_f64()).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (name, tests) = (quoted(&grade.exercise), grade.checks.len());
    let (failures, errors) = (count(Verdict::Fail), count(Verdict::CannotTell));
    let _ = writeln!(
        xml,
        "<testsuite name={name} tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{time:.3}\">"
    );
    properties(grade, &mut xml);
    for checked in &grade.checks {
        test_case(checked, &name, &mut xml);
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// The facts on which a grade rests.
fn properties(grade: &Grade, xml: &mut String) {
    let points = grade.points().map_or("none".to_owned(), |points| points.to_string());
    let facts = [
        ("judge", env!("CARGO_PKG_VERSION").to_owned()),
        ("seed", grade.seed.to_string()),
        ("kernel", grade.kernel.clone()),
        ("tier", grade.tier.to_string()),
        ("protection", grade.protection.clone()),
        ("sandboxed_by_caller", grade.sandboxed_by_caller.to_string()),
        ("points", points),
        ("of", grade.of().to_string()),
        ("limits", json::limits(&grade.limits).to_string()),
        ("cost", json::cost(&grade.cost, grade.memory_mib).to_string()),
    ];
    xml.push_str("  <properties>\n");
    for (name, value) in &facts {
        let _ = writeln!(xml, "    <property name={} value={}/>", quoted(name), quoted(value));
    }
    xml.push_str("  </properties>\n");
}

/// One check, in the suite of this quoted name.
fn test_case(checked: &Checked, suite: &str, xml: &mut String) {
    let (check, took) = (&checked.check, checked.took.as_secs_f64());
    let head = format!("  <testcase classname={suite} name={} time=\"{took:.3}\"", quoted(check.name));
    let _ = match &checked.outcome {
        Outcome::Passed => writeln!(xml, "{head}/>"),
        Outcome::Failed(failure) => {
            let (message, kind) = (quoted(&failure.what), quoted(kind(failure.kind)));
            let story = harmless(&story(&event_log::steps(&checked.events), failure));
            writeln!(xml, "{head}>\n    <failure message={message} type={kind}>{story}</failure>\n  </testcase>")
        }
        Outcome::Fault(fault) => {
            let message = quoted(fault);
            writeln!(xml, "{head}>\n    <error message={message} type=\"fault-of-the-judge\"/>\n  </testcase>")
        }
    };
}

/// What happened, step by step, then what failed, and the end of standard error.
fn story(steps: &[String], failure: &Failure) -> String {
    let mut story = String::new();
    for (number, step) in (1..).zip(steps) {
        let _ = writeln!(story, "{number:>4}  {step}");
    }
    let _ = writeln!(story, "{}", failure.what);
    for (word, shown) in [("expected", &failure.expected), ("got", &failure.got)] {
        let _ = match shown {
            Some(Shown::Words(words)) => writeln!(story, "{word}: {words}"),
            Some(Shown::Bytes(bytes)) => writeln!(story, "{word}: {}", quoted_within(bytes, bytes.len(), 200)),
            None => Ok(()),
        };
    }
    failure.why.iter().for_each(|why| story.extend([why, "\n"]));
    story + &readable(&failure.last_words) + "\n"
}

/// An attribute's value.
fn quoted(text: &str) -> String {
    format!("\"{}\"", harmless(text))
}

/// Text without what XML gives a meaning to, or forbids, XML 1.0 section 2.2.
fn harmless(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' => safe.push(character),
            other if other.is_control() || ('\u{fffe}'..='\u{ffff}').contains(&other) => {
                let _ = write!(safe, "{}", other.escape_default());
            }
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_leaves_its_place(text in any::<String>()) {
            let safe = harmless(&text);
            prop_assert!(!safe.contains(['<', '>', '"']));
            prop_assert!(!safe.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}
