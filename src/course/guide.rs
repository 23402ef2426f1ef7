//! Where somebody goes on in the course: below a demo, and when asked.

use super::checkout::checkout;
use super::exercises::{self, ExerciseFolder};
use super::labs::{Row, rows};
use super::lessons;
use super::progress::Progress;
use super::work::Work;
use crate::lab::Lab;

/// One step in the course.
#[derive(Debug)]
pub enum Step {
    /// To run a lab, and to read its page.
    Lab(Row),
    /// To pass an exercise, of a lab that was run.
    Exercise(&'static ExerciseFolder),
}

/// The first thing that is not done: labs in their order, and behind each of them its exercises.
pub fn next_step(progress: &Progress) -> Option<Step> {
    rows().into_iter().find_map(|row| {
        if !progress.labs.contains(&row.number) {
            return Some(Step::Lab(row));
        }
        row.exercises().find(|folder| !progress.has_passed(folder.id)).map(Step::Exercise)
    })
}

/// The lab that comes next for somebody who has run lab `number`: the first one behind it that was not run, or else the
/// first of all.
pub fn next_lab(progress: &Progress, number: u32) -> Option<Row> {
    let all = rows();
    let behind = all.iter().skip_while(|row| row.number != number);
    let is_new = |row: &&Row| row.number != number && !progress.labs.contains(&row.number);
    behind.chain(&all).find(is_new).cloned()
}

/// The command for an exercise: to begin it, or to have judged what was begun.
pub fn command_for(work: &Work, folder: &ExerciseFolder) -> String {
    let id = folder.id;
    if work.folder(id).is_dir() {
        return format!("just watch {id}");
    }
    let languages = folder.languages();
    let language = languages.iter().find(|language| **language == "python").or(languages.first());
    format!("just start {id} {}", language.unwrap_or(&"python"))
}

/// What is said below a demo of a lab to somebody at a terminal: its page, its exercise and the next lab. That it was
/// run is noted where there is a checkout, or a folder for work.
pub fn after(lab: &Lab) -> Vec<String> {
    let work = Work::of_environment();
    let unkept = if work.is_wanted() { work.note_lab(lab.number()).err() } else { None };
    // The file of progress is somebody's to mend, and `just progress` says how.
    let progress = work.progress().unwrap_or_default();
    let minutes = lessons::of(&lab.folder()).ok().flatten().map(|lesson| format!("{} minutes", lesson.minutes));
    let page = checkout().map(|_| ("Its page", lab.page(), minutes.unwrap_or_default()));
    let open = exercises::of_lab(lab.number()).find(|folder| !progress.has_passed(folder.id));
    let exercise = open.map(|folder| ("Exercise", command_for(&work, folder), folder.title().to_owned()));
    let next = next_lab(&progress, lab.number()).map(|row| ("Next", format!("just lab {:02}", row.number), row.name));
    let rows: Vec<_> = [page, exercise, next].into_iter().flatten().collect();
    let width = rows.iter().filter(|row| !row.2.is_empty()).map(|row| row.1.len()).max().unwrap_or(0);
    let line = |(what, command, about): (&str, String, String)| {
        format!("{what:<10}{command:<width$}  {about}").trim_end().to_owned()
    };
    let unkept = unkept.map(|error| format!("That you have run this lab could not be kept: {error:#}"));
    rows.into_iter().map(line).chain(unkept).collect()
}
