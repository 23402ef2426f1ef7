//! What a page has from the lesson beside its lab: the line of orientation, and the predictions.

use std::collections::BTreeMap;

use socklab::course::lessons::{self, Lesson, Prediction};
use socklab::course::{exercises, labs};

/// The lesson of the lab in this folder.
pub fn lesson(folder: &str) -> Result<Lesson, String> {
    let lesson = lessons::of(folder).map_err(|fault| fault.to_string())?;
    lesson.ok_or_else(|| format!("labs/{folder}/lesson.toml is missing"))
}

/// The line of orientation of a lab's page: chapter, minutes, what it builds on, its exercises, its neighbours.
pub fn orientation(folder: &str) -> Result<String, String> {
    let (lesson, rows) = (lesson(folder)?, labs::rows());
    let pages: BTreeMap<u32, String> =
        rows.iter().map(|row| (row.number, format!("[{:02}]({}.md)", row.number, row.folder()))).collect();
    let at = rows.iter().position(|row| row.folder() == folder).ok_or(format!("{folder} is no lab"))?;
    let mut parts = vec![rows[at].chapter.title().to_owned(), format!("{} minutes", lesson.minutes)];
    let link =
        |number: &u32| pages.get(number).cloned().ok_or(format!("{folder} builds on {number}: there is no such lab"));
    let builds_on = lesson.builds_on.iter().map(link).collect::<Result<Vec<_>, _>>()?;
    if !builds_on.is_empty() {
        parts.push(format!("builds on {}", builds_on.join(", ")));
    }
    let own = exercises::all().iter().filter(|exercise| exercise.lab == folder);
    let own: Vec<String> =
        own.map(|exercise| format!("[`just start {}`](../../{})", exercise.id, exercise.task())).collect();
    if !own.is_empty() {
        parts.push(format!("exercise{}: {}", if own.len() == 1 { "" } else { "s" }, own.join(", ")));
    }
    let neighbour = |name: &str, row: Option<&labs::Row>| row.map(|row| format!("{name} {}", pages[&row.number]));
    parts.extend(neighbour("previous", at.checked_sub(1).and_then(|before| rows.get(before))));
    parts.extend(neighbour("next", rows.get(at + 1)));
    Ok(format!("*{}*\n", parts.join(" · ")))
}

/// The questions, numbered, and the answers, folded away.
pub fn predictions(lesson: &Lesson) -> String {
    let numbered = |text: fn(&Prediction) -> String| -> String {
        lesson.predictions.iter().zip(1..).map(|(one, number)| format!("{number}. {}\n", text(one))).collect()
    };
    let (questions, answers) = (numbered(question), numbered(answer));
    format!("\n{questions}\n<details><summary>Answers</summary>\n\n{answers}\n</details>\n\n")
}

fn question(prediction: &Prediction) -> String {
    let choices = prediction.choices.join(" / ");
    if choices.is_empty() { prediction.question.clone() } else { format!("{} *({choices})*", prediction.question) }
}

fn answer(prediction: &Prediction) -> String {
    let end = if prediction.answer.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("**{}{end}** {}", prediction.answer, prediction.why)
}

#[test]
fn predictions_are_questions_with_their_answers_folded_away() {
    let one = |question: &str, choices: &[&str], answer: &str| Prediction {
        question: question.into(),
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
        answer: answer.into(),
        why: "So it is.".into(),
    };
    let predictions_asked = vec![one("How many?", &["`one`", "two"], "two"), one("Who?", &[], "Nobody.")];
    let lesson = Lesson {
        minutes: 9,
        builds_on: Vec::new(),
        predictions: predictions_asked,
        python: lessons::Python::default(),
    };
    let expected = "\n1. How many? *(`one` / two)*\n2. Who?\n\n<details><summary>Answers</summary>\n\n\
                    1. **two.** So it is.\n2. **Nobody.** So it is.\n\n</details>\n\n";
    assert_eq!(predictions(&lesson), expected);
}
