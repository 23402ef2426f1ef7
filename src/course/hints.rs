//! Hints: one that fits what failed last, then the exercise's own, one by one.

use anyhow::Result;

use super::exercises::ExerciseFolder;
use super::work::Work;

/// What is given next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// One to what failed when the program was judged last.
    ToFailure(String),
    /// The exercise's own of this number, from 1 on.
    Numbered(usize),
    /// There are no more.
    Nothing,
}

/// How many of the exercise's own hints have been given.
///
/// # Errors
/// As [`Work::progress`].
pub fn given(work: &Work, folder: &ExerciseFolder) -> Result<usize> {
    let given = work.progress()?.of(folder.id).hints as usize;
    Ok(given.min(folder.hints().len()))
}

/// Gives the next hint. Only the exercise's own are counted.
///
/// # Errors
/// As [`Work::note`].
pub fn next(work: &Work, folder: &ExerciseFolder) -> Result<Next> {
    let to_failure = work.progress()?.of(folder.id).hint_to_last;
    if let Some(hint) = to_failure {
        work.note(folder.id, |best| best.hint_to_last = None)?;
        return Ok(Next::ToFailure(hint));
    }
    next_numbered(work, folder)
}

/// Gives the next of the exercise's own.
///
/// # Errors
/// As [`Work::note`].
pub fn next_numbered(work: &Work, folder: &ExerciseFolder) -> Result<Next> {
    let number = given(work, folder)? + 1;
    if number > folder.hints().len() {
        return Ok(Next::Nothing);
    }
    work.note(folder.id, |best| best.hints = number as u32)?;
    Ok(Next::Numbered(number))
}
