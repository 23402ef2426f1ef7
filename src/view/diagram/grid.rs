//! Where everything stands: the same columns for all scenes.

use super::pen::{Anchor, Font};
use super::scene::{Beside, Lane, Row, Scene};
use crate::trace::Fate;

/// Around everything.
pub(super) const MARGIN: f64 = 28.0;
/// From a lifeline to a frame's label at least.
const LABEL_ASIDE: f64 = 20.0;
/// The same where a mark stands on the line.
const LABEL_ASIDE_OF_MARK: f64 = 38.0;
/// Between what stands beside two neighbouring lifelines.
const BETWEEN: f64 = 28.0;
/// The narrowest picture.
const NARROWEST: f64 = 620.0;
/// Where on its way is the mark of what is lost.
pub(super) const LOST_AFTER: f64 = 0.62;
/// The shortest wire.
const WIRE: f64 = 260.0;

/// The columns of a picture.
pub(super) struct Grid {
    pub width: f64,
    /// How wide the texts beside the outermost lifelines are.
    left: f64,
    right: f64,
}

/// Where one scene's lifelines are.
pub(super) struct Places {
    pub lanes: Vec<Place>,
    /// The free space between those of the left and those of the right.
    pub gap: (f64, f64),
}

#[derive(Clone, Copy)]
pub(super) struct Place {
    pub x: f64,
    /// Which way the texts beside it go.
    pub side: Anchor,
}

impl Grid {
    pub fn of(scenes: &[Scene]) -> Grid {
        let outer = |right: bool| {
            let widths = scenes.iter().flat_map(|scene| {
                let last = scene.lanes.len().saturating_sub(1);
                let lane = if right { last } else { 0 };
                let is_there = scene.lanes.get(lane).is_some_and(|lane| lane.right == right);
                is_there.then(|| beside(scene, lane).max(chip(&scene.lanes[lane]) / 2.0))
            });
            widths.fold(0.0, f64::max)
        };
        let (left, right) = (outer(false), outer(true));
        let inner = scenes.iter().map(inner_width).fold(0.0, f64::max);
        let sides: f64 = [left, right].into_iter().filter(|side| *side > 0.0).map(|side| side + MARGIN).sum();
        Grid { width: (sides + inner).max(NARROWEST).ceil(), left, right }
    }

    pub fn places(&self, scene: &Scene) -> Places {
        let count = scene.lanes.iter().filter(|lane| !lane.right).count();
        let mut lanes = Vec::new();
        let mut x = MARGIN + self.left;
        for index in 0..count {
            if index > 0 {
                x += step(scene, index - 1, index, index - 1 > 0);
            }
            let side = if index == 0 { Anchor::End } else { Anchor::Start };
            lanes.push(Place { x, side });
        }
        let from = x;
        let mut x = self.width - MARGIN - self.right;
        let mut rights = Vec::new();
        for index in (count..scene.lanes.len()).rev() {
            let last = index + 1 == scene.lanes.len();
            if !last {
                x -= step(scene, index + 1, index, index + 2 < scene.lanes.len());
            }
            rights.push(Place { x, side: if last { Anchor::Start } else { Anchor::End } });
        }
        let to = x;
        lanes.extend(rights.into_iter().rev());
        Places { lanes, gap: (from, to) }
    }
}

/// How wide everything between the outermost lifelines must be.
fn inner_width(scene: &Scene) -> f64 {
    let count = scene.lanes.iter().filter(|lane| !lane.right).count();
    let left = (1..count).map(|index| step(scene, index - 1, index, index > 1));
    let right = (count..scene.lanes.len().saturating_sub(1)).map(|index| {
        let outermost = index + 2 == scene.lanes.len();
        step(scene, index + 1, index, !outermost)
    });
    let labels = scene.arrows.iter().map(|arrow| {
        let aside = if arrow.fate == Fate::Corrupted { LABEL_ASIDE_OF_MARK } else { LABEL_ASIDE };
        Font::Frame.columns(arrow.label.columns()) + 2.0 * aside
    });
    let inner = (1..scene.lanes.len().saturating_sub(1)).map(|lane| beside(scene, lane) + BETWEEN);
    let paths = scene.paths.iter().map(|path| {
        let share =
            if path.arrives.is_empty() || path.to.is_none_or(|to| Some(to) == path.from) { LOST_AFTER } else { 1.0 };
        (Font::Frame.width(&path.label) + 2.0 * LABEL_ASIDE_OF_MARK) / share
    });
    let least = if scene.arrows.is_empty() && scene.paths.is_empty() { 0.0 } else { WIRE };
    let chips = match (scene.lanes[..count].last(), scene.lanes[count..].first()) {
        (Some(left), Some(right)) => (chip(left) + chip(right)) / 2.0 + 2.0 * BETWEEN,
        _ => BETWEEN,
    };
    left.chain(right).sum::<f64>() + labels.chain(paths).chain(inner).fold(f64::max(chips, least), f64::max)
}

/// From one lifeline to the next one on the same side. `texts`: what stands beside the outer one stands between them.
fn step(scene: &Scene, outer: usize, inner: usize, texts: bool) -> f64 {
    let chips = (chip(&scene.lanes[outer]) + chip(&scene.lanes[inner])) / 2.0 + BETWEEN;
    if texts { chips.max(beside(scene, outer) + BETWEEN) } else { chips }
}

/// How wide a lifeline's name is, with its frame.
pub(super) fn chip(lane: &Lane) -> f64 {
    Font::Role.width(&lane.name) + 24.0
}

/// How wide what stands beside a lifeline is, from the lifeline on.
fn beside(scene: &Scene, lane: usize) -> f64 {
    let of = scene.rows.iter().filter_map(|row| row.beside.as_ref()).filter(|(of, _)| *of == lane);
    of.map(|(_, beside)| scene.aside(lane) + extent(beside)).fold(0.0, f64::max)
}

fn extent(beside: &Beside) -> f64 {
    let widest = |font: Font, lines: &[String]| lines.iter().map(|line| font.width(line)).fold(0.0, f64::max);
    match beside {
        Beside::Call { words, details, .. } => Font::Call.columns(words.columns()).max(widest(Font::Detail, details)),
        Beside::Rest(lines) => widest(Font::Rest, lines),
        Beside::Says(lines) => widest(Font::Speech, lines) + 18.0,
        Beside::Types(lines) => widest(Font::Speech, lines) + 18.0 + 12.0,
        Beside::Looks(text) | Beside::Ends { text, .. } => Font::Detail.width(text),
        Beside::Timer(text) => Font::Detail.width(text) + 18.0,
        Beside::State { text, .. } => Font::State.width(text) / 2.0 - 6.0,
    }
}

/// How much room a row takes above its line and below it: for what is on the line, and with what stands below that.
pub(super) struct Room {
    pub up: f64,
    pub line: f64,
    pub down: f64,
}

pub(super) fn room(row: &Row) -> Room {
    let more = |lines: usize, pitch: f64| lines.saturating_sub(1) as f64 * pitch;
    let (up, line, below) = match &row.beside {
        Some((_, Beside::Call { details, .. })) => (11.0, 11.0, 13.0 * details.len() as f64),
        Some((_, Beside::Rest(lines))) => (10.0, 10.0, more(lines.len(), 14.0)),
        Some((_, Beside::Says(lines) | Beside::Types(lines))) => (13.0, 13.0, more(lines.len(), 14.0)),
        Some((_, Beside::State { .. })) => (12.0, 12.0, 0.0),
        Some((_, Beside::Looks(_) | Beside::Ends { .. } | Beside::Timer(_))) => (9.0, 9.0, 0.0),
        None if !row.across.is_empty() => (20.0, 16.0, more(row.across.len(), 15.0)),
        None => (9.0, 9.0, 0.0),
    };
    let up = if row.arrow.is_some() || row.path { f64::max(up, 22.0) } else { up };
    Room { up, line, down: line + below }
}

/// How many columns of remarks fit across a picture.
pub(super) fn remark_columns(width: f64) -> usize {
    ((width - 4.0 * MARGIN) / Font::Remark.columns(1)) as usize
}
