//! A grade on a screen that must not scroll: filled from what matters most to what matters least.

use unicode_width::UnicodeWidthStr;

use super::story::Story;
use super::{
    RIGHT, ReportOptions, UNSURE, WRONG, about_judge, beyond_bounds, build_output, heading, left_behind, list, room,
    stories, unfit, verdict, what_next,
};
use crate::judge::grade::{Checked, Grade, Verdict};
use crate::view::text::wrapped;

/// The rows that the last steps, and the last words, have before anything else gets more.
const FIRST_STEPS: usize = 5;
const FIRST_LAST_WORDS: usize = 4;

/// The most lines of last words.
const MAX_LAST_WORDS: usize = 12;

/// What stands on the screen, from its top to its bottom. `Gap` is an empty row, if there is room for any.
#[derive(Clone, Copy)]
enum Place {
    Heading,
    Verdict,
    List,
    FirstGap,
    Claim,
    Steps,
    SecondGap,
    What,
    Comparison,
    Why,
    LastWords,
    ThirdGap,
    Likely,
    Hint,
    Again,
    Page,
    LastGap,
    Next,
    LeftBehind,
    Judge,
}

const PLACES: usize = Place::Judge as usize + 1;

/// The rows at each place, and how many may still be added.
struct Filling {
    rows: [Vec<String>; PLACES],
    left: usize,
}

impl Filling {
    /// Puts these rows there, in the place of what is there, if there is room for all of them.
    fn put(&mut self, place: Place, rows: Vec<String>) -> bool {
        let there = &mut self.rows[place as usize];
        let fits = rows.len() <= self.left + there.len();
        if fits {
            self.left = self.left + there.len() - rows.len();
            *there = rows;
        }
        fits
    }

    /// Puts as many of them there as there is room for, with a sign if that is not all.
    fn put_some(&mut self, place: Place, mut rows: Vec<String>) {
        if rows.len() > self.left {
            rows.truncate(self.left);
            if let Some(last) = rows.last_mut() {
                "    …".clone_into(last);
            }
        }
        self.put(place, rows);
    }

    /// Puts the most of something there that there is room for: `rows` makes it of a size.
    fn put_most(&mut self, place: Place, sizes: impl Iterator<Item = usize>, rows: impl Fn(usize) -> Vec<String>) {
        for size in sizes {
            if self.put(place, rows(size)) {
                return;
            }
        }
    }
}

/// The report on a screen of `lines` lines, with the story of that number of those that there are.
pub fn screen(grade: &Grade, options: &ReportOptions<'_>, lines: usize, number: usize) -> String {
    let mut filling = Filling { rows: Default::default(), left: lines };
    filling.put(Place::Heading, vec![heading(grade, options)]);
    filling.put(Place::Verdict, vec![brief(grade)]);
    let stories = stories(grade);
    if grade.unfit.is_some() {
        filling.put_some(Place::Claim, unfit(grade, options.columns));
        let most = filling.left;
        filling.put_some(Place::Why, build_output(grade, most, options.columns));
    } else if let Some(checked) = stories.get(number.min(stories.len().saturating_sub(1))) {
        let which = (stories.len() > 1).then_some((number + 1, stories.len()));
        tell(&mut filling, &Story::of(grade, checked, options), which);
    }
    the_rest(&mut filling, grade, options);
    let rows = filling.rows.concat();
    rows.iter().map(|row| clipped(row, options.columns) + "\n").collect()
}

/// The story, from its most important part to its least.
fn tell(filling: &mut Filling, story: &Story<'_>, which: Option<(usize, usize)>) {
    filling.put_some(Place::What, story.what());
    filling.put_some(Place::Comparison, story.comparison());
    filling.put_some(Place::Claim, story.claim(which));
    filling.put_some(Place::Why, story.why());
    filling.put_most(Place::LastWords, (1..=FIRST_LAST_WORDS).rev(), |most| story.last_words(most));
    filling.put_most(Place::Steps, (1..=FIRST_STEPS).rev(), |rows| story.last_steps(rows));
    filling.put(Place::Likely, story.likely());
    filling.put(Place::Hint, story.hint());
    filling.put_most(Place::LastWords, (FIRST_LAST_WORDS..=MAX_LAST_WORDS).rev(), |most| story.last_words(most));
    let most = filling.left + filling.rows[Place::Steps as usize].len();
    filling.put(Place::Steps, story.last_steps(most));
    filling.put(Place::Again, story.again_wrapped());
    for gap in [Place::FirstGap, Place::SecondGap, Place::ThirdGap] {
        filling.put(gap, vec![String::new()]);
    }
    filling.put(Place::Page, story.page());
}

/// What there is besides the story.
fn the_rest(filling: &mut Filling, grade: &Grade, options: &ReportOptions<'_>) {
    filling.put(Place::Next, what_next(grade, options));
    let (is_told, is_listed) = (!stories(grade).is_empty(), grade.unfit.is_none() && grade.gate.is_none());
    if is_listed {
        let names = names(grade, options.columns);
        filling.put(Place::List, names);
        filling.put(Place::FirstGap, vec![String::new()]);
        filling.put(Place::List, [vec![String::new()], list(grade, options.columns)].concat());
    }
    if is_told {
        filling.put(Place::LastGap, vec![String::new()]);
    }
    filling.put(Place::LeftBehind, left_behind(grade, options.columns).into_iter().collect());
    let judge = [beyond_bounds(grade, options.columns), about_judge(grade, options.columns)].concat();
    filling.put(Place::Judge, judge);
}

/// The verdict and how many checks pass, in one row.
fn brief(grade: &Grade) -> String {
    let passed = grade.checks.iter().filter(|checked| checked.verdict() == Verdict::Pass).count();
    let (style, mark) = match grade.verdict() {
        Verdict::Pass => (RIGHT, "✓"),
        Verdict::Fail => (WRONG, "✗"),
        Verdict::CannotTell => (UNSURE, "?"),
    };
    let count = grade.checks.len();
    let is_counted = grade.unfit.is_none() && grade.gate.is_none();
    let of_checks = if is_counted { format!("; {passed} of {count} checks pass") } else { String::new() };
    format!("  {style}{mark}{style:#} {}{of_checks}", verdict(grade).trim_start())
}

/// The names of the checks that do not pass, wrapped.
fn names(grade: &Grade, width: usize) -> Vec<String> {
    let rest = grade.checks.iter().filter(|checked: &&Checked| checked.verdict() != Verdict::Pass);
    let names: Vec<&str> = rest.map(|checked| checked.check.name).collect();
    if names.is_empty() {
        return Vec::new();
    }
    wrapped(&names.join(", "), room(width, 6)).into_iter().map(|row| format!("    {row}")).collect()
}

/// A row of at most so many columns: a longer one ends in `…`. Colours take none.
fn clipped(row: &str, columns: usize) -> String {
    let plain = anstream::adapter::strip_str(row).to_string();
    let is_too_wide = plain.width() > columns;
    let (mut kept, mut width, mut in_colour, mut is_over) = (String::new(), 0, false, false);
    for character in row.chars() {
        if character == '\u{1b}' || in_colour {
            in_colour = character != 'm';
            kept.push(character);
            continue;
        }
        let next = width + character.to_string().width();
        if is_over {
            continue;
        }
        if is_too_wide && next >= columns {
            kept.push('…');
            is_over = true;
            continue;
        }
        width = next;
        kept.push(character);
    }
    kept
}
