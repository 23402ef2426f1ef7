//! What the marks of a picture mean: of those that are in it.

use super::grid::MARGIN;
use super::pen::{Anchor, Font, Pen, Words, path};
use super::scene::{Beside, Path, Scene, Stretch};
use super::ways::Kind;
use crate::trace::Fate;

/// From the left edge of a mark to its meaning.
const MARK: f64 = 32.0;
/// Where the middle of a mark is.
const MIDDLE: f64 = 12.0;

/// Whether it is needed, what it means, and how it looks.
type Entry = (bool, &'static str, fn(&mut Pen, f64, f64));

/// Draws the legend from `top` on, and gives its bottom.
pub(super) fn draw(scenes: &[Scene], width: f64, pen: &mut Pen, top: f64) -> f64 {
    let has_bar = |kind| scenes.iter().flat_map(|scene| &scene.bars).any(|bar| bar.kind == kind);
    let has_fate = |fate| scenes.iter().flat_map(|scene| &scene.arrows).any(|arrow| arrow.fate == fate);
    let has_arrow = |is: fn(&super::scene::Arrow) -> bool| scenes.iter().flat_map(|scene| &scene.arrows).any(is);
    let has = |is: fn(&Beside) -> bool| {
        scenes.iter().flat_map(|scene| &scene.rows).any(|row| row.beside.as_ref().is_some_and(|(_, beside)| is(beside)))
    };
    let has_host_alone = scenes.iter().any(Scene::has_host_without_role);
    let has_path = |is: fn(&Path) -> bool| scenes.iter().flat_map(|scene| &scene.paths).any(is);
    let entries: [Entry; 18] = [
        (has(|one| matches!(one, Beside::Call { .. })), "a call that returned", |pen, x, y| {
            pen.dot("dot r0", (x + MIDDLE, y), 4.0);
        }),
        (has(|one| matches!(one, Beside::Call { failed: true, .. })), "a call that failed", |pen, x, y| {
            pen.dot("dot bad", (x + MIDDLE, y), 4.0);
        }),
        (has_bar(Stretch::Waits), "waits in a call", |pen, x, y| {
            pen.bar("waits r0", x + MIDDLE, y - 8.0, y + 8.0, 9.0)
        }),
        (has_bar(Stretch::Inside), "in a call", |pen, x, y| pen.bar("inside r0", x + MIDDLE, y - 8.0, y + 8.0, 7.0)),
        (has_bar(Stretch::Pause), "pauses", |pen, x, y| pen.bar("pause r0", x + MIDDLE, y - 8.0, y + 8.0, 9.0)),
        (has(|one| matches!(one, Beside::State { .. })), "a connection's state", |pen, x, y| {
            pen.panel("pill now r0", (x, y - 6.0), (24.0, 12.0), 6.0);
        }),
        (has_host_alone, "no program, only its kernel", |pen, x, y| {
            pen.line("after", (x + MIDDLE, y - 8.0), (x + MIDDLE, y + 8.0));
        }),
        (has_arrow(|arrow| arrow.data), "a frame with data", |pen, x, y| sample(pen, "data r0", "r0", x, y)),
        (has_arrow(|arrow| !arrow.data && !arrow.bad), "a frame without data", |pen, x, y| sample(pen, "", "", x, y)),
        (has_arrow(|arrow| arrow.bad), "a refusal", |pen, x, y| sample(pen, "bad", "bad", x, y)),
        (has_path(|path| is_taken(path, Kind::Data)), "data, to the call that received it", |pen, x, y| {
            sample(pen, "data r0", "r0", x, y);
        }),
        (has_path(|path| is_taken(path, Kind::Control)), "a connection begins or ends", |pen, x, y| {
            sample(pen, "", "", x, y);
        }),
        (has_path(|path| path.kind == Kind::Refusal), "a refusal", |pen, x, y| sample(pen, "bad", "bad", x, y)),
        (has_path(|path| !path.arrives.is_empty()), "waits in the kernel", |pen, x, y| {
            pen.line("queue", (x + MIDDLE, y - 8.0), (x + MIDDLE, y + 8.0));
        }),
        (has_path(|path| path.arrives.is_empty()), "no call received it", |pen, x, y| {
            pen.shape("cross", (x + MIDDLE, y), path::CROSS);
        }),
        (has_fate(Fate::Dropped), "lost", |pen, x, y| pen.shape("cross", (x + MIDDLE, y), path::CROSS)),
        (has_fate(Fate::Corrupted), "corrupted", |pen, x, y| pen.shape("head bad", (x + MIDDLE, y), path::ZIGZAG)),
        (has(|one| matches!(one, Beside::Timer(_))), "sent by a timer", |pen, x, y| {
            pen.dot("clock", (x + MIDDLE, y), 5.6);
            pen.shape("hand", (x + MIDDLE, y), path::CLOCK_HANDS);
        }),
    ];
    pen.line("rule", (MARGIN, top), (width - MARGIN, top));
    let (mut x, mut y) = (MARGIN, top + 24.0);
    for (_, text, mark) in entries.into_iter().filter(|(there, ..)| *there) {
        let needed = MARK + Font::Legend.width(text) + 22.0;
        if x + needed > width - MARGIN + 22.0 && x > MARGIN {
            (x, y) = (MARGIN, y + 24.0);
        }
        mark(pen, x, y);
        pen.text(Font::Legend, (x + MARK, y + 3.6), Anchor::Start, &Words::plain(text));
        x += needed;
    }
    y
}

fn is_taken(path: &Path, kind: Kind) -> bool {
    path.kind == kind && !path.arrives.is_empty()
}

fn sample(pen: &mut Pen, wire: &str, head: &str, x: f64, y: f64) {
    pen.line(format!("wire {wire}").trim_end(), (x, y), (x + 18.0, y));
    pen.shape(format!("head {head}").trim_end(), (x + 24.0, y), path::HEAD_RIGHT);
}
