//! A scene drawn: its rows from top to bottom.

use super::grid::{Grid, LOST_AFTER, MARGIN, Place, Places, Room, chip, room};
use super::pen::{Anchor, Font, Pen, Window, Words, path};
use super::scene::{Arrow, Bar, Beside, Path, Scene, Stretch};
use super::ways::Kind;
use crate::trace::Fate;

/// After so much the names of the roles are told again.
const REMINDER: f64 = 1100.0;
/// How far above its line a frame's label stands.
const LABEL_UP: f64 = 7.0;
/// From a lifeline to what goes down beside it.
const TRACK: f64 = 15.0;

/// The same of what comes back to the lifeline that it left.
const LOOP: f64 = 60.0;

/// Draws a scene from `top` on, and gives its bottom.
pub(super) fn scene(scene: &Scene, grid: &Grid, pen: &mut Pen, top: f64) -> f64 {
    let mut drawing = Drawing { scene, places: grid.places(scene), grid, pen, rows: Vec::new() };
    drawing.title(top, "");
    let begin = top + 44.0;
    let names = drawing.place_rows(begin, REMINDER);
    let bottom = drawing.contents(begin);
    for y in [vec![begin], names].concat() {
        drawing.names(y);
    }
    drawing.findings(bottom)
}

/// Draws the part of a scene with this number, from 1, between two heights, and gives the number of parts.
pub(super) fn part(scene: &Scene, grid: &Grid, pen: &mut Pen, (top, bottom): (f64, f64), number: usize) -> usize {
    let mut drawing = Drawing { scene, places: grid.places(scene), grid, pen, rows: Vec::new() };
    let begin = top + 36.0;
    drawing.place_rows(begin, f64::INFINITY);
    let first = begin + 14.0;
    let parts = drawing.parts(bottom - first);
    if let Some((from, to)) = number.checked_sub(1).and_then(|index| parts.get(index)).copied() {
        let of = if parts.len() > 1 { format!(" ({number} of {})", parts.len()) } else { String::new() };
        drawing.title(top, &of);
        drawing.names(begin);
        drawing.pen.look_through(Some(Window { top: from, bottom: to, to: first }));
        let end = drawing.contents(begin);
        drawing.findings(end);
        drawing.pen.look_through(None);
    }
    parts.len()
}

/// How far out each path goes down: the paths of one socket in one line, those of others beside it.
fn tracks(scene: &Scene) -> Vec<usize> {
    let mut taken: Vec<(Option<usize>, usize, usize, usize)> = Vec::new();
    let until = |path: &Path| path.arrives.iter().copied().max().unwrap_or(path.begins);
    let mut tracks = Vec::new();
    for path in &scene.paths {
        let hinders = |(lane, queue, _, end): &&(Option<usize>, usize, usize, usize)| {
            *lane == path.to && *queue != path.queue && *end > path.begins
        };
        let others: Vec<usize> = taken.iter().filter(hinders).map(|(_, _, track, _)| *track).collect();
        let own = taken.iter().rev().find(|(lane, queue, ..)| (*lane, *queue) == (path.to, path.queue));
        let own = own.filter(|(.., end)| *end > path.begins).map(|(_, _, track, _)| *track);
        let free = (0..MOST_TRACKS).find(|track| !others.contains(track)).unwrap_or(MOST_TRACKS);
        let track = own.unwrap_or(free);
        taken.push((path.to, path.queue, track, until(path)));
        tracks.push(track);
    }
    tracks
}

/// After so many beside each other, further paths go down in one line.
const MOST_TRACKS: usize = 3;

struct Drawing<'a> {
    scene: &'a Scene,
    places: Places,
    grid: &'a Grid,
    pen: &'a mut Pen,
    /// Of each row: where its line is, and where it ends.
    rows: Vec<(f64, f64)>,
}

impl Drawing<'_> {
    /// The rows with all that joins them. Gives the bottom of the lifelines.
    fn contents(&mut self, begin: f64) -> f64 {
        let scene = self.scene;
        let bottom = self.bottom();
        self.lifelines(begin, bottom);
        for bar in &scene.bars {
            self.bar(bar, bottom);
        }
        for arrow in &scene.arrows {
            self.arrow(arrow, bottom);
        }
        for (path, track) in scene.paths.iter().zip(tracks(scene)) {
            self.path(path, track);
        }
        for (index, row) in scene.rows.iter().enumerate() {
            let (y, _) = self.rows[index];
            if let Some((lane, beside)) = &row.beside {
                self.beside(*lane, beside, y);
            }
            self.across(&row.across, y);
        }
        bottom
    }

    fn bottom(&self) -> f64 {
        self.rows.last().map_or(0.0, |(_, below)| *below) + 10.0
    }

    /// Cuts the rows into parts of at most this height, each from one height to another.
    fn parts(&self, height: f64) -> Vec<(f64, f64)> {
        // Where nothing stands on both sides of a cut.
        let mut deepest: f64 = 0.0;
        let mut cuts = Vec::new();
        for (row, (y, below)) in self.scene.rows.iter().zip(&self.rows) {
            let top = y - room(row).up;
            if top >= deepest {
                cuts.push(top);
            }
            deepest = deepest.max(*below);
        }
        let end = self.bottom() + 14.0 + 50.0 * self.scene.findings.len() as f64;
        cuts.push(end);
        let mut parts = Vec::new();
        let mut from = cuts[0];
        let mut last = from;
        for cut in cuts {
            if cut - from > height && last > from {
                parts.push((from, last));
                from = last;
            }
            last = cut;
        }
        parts.push((from, last));
        parts
    }

    fn title(&mut self, top: f64, behind: &str) {
        let columns = ((self.grid.width - 2.0 * MARGIN) / 8.4) as usize - behind.len();
        let title = super::words::lines(&self.scene.title, columns, 1).concat() + behind;
        self.pen.text(Font::Scene, (MARGIN, top + 14.0), Anchor::Start, &Words::plain(title));
    }

    /// Gives each row its place, and tells where the names are to be told again.
    ///
    /// A frame may go beside what else is said of a call, where that stands on the outer side.
    fn place_rows(&mut self, begin: f64, reminder: f64) -> Vec<f64> {
        let mut names = Vec::new();
        let (mut texts, mut wires) = (begin + 26.0, begin + 26.0);
        let mut since = texts;
        for row in &self.scene.rows {
            if f64::max(texts, wires) - since > reminder {
                since = f64::max(texts, wires) + 34.0;
                names.push(since - 18.0);
                (texts, wires) = (since, since);
            }
            let Room { up, line, down } = room(row);
            let only_wire = row.beside.is_none() && row.across.is_empty();
            let top = if only_wire { wires } else { f64::max(texts, wires) };
            let y = top + up;
            let is_inner = row.beside.as_ref().is_some_and(|(lane, _)| !self.scene.is_outer(*lane));
            texts = f64::max(texts, y + down);
            wires = if is_inner || !row.across.is_empty() { texts } else { y + line };
            self.rows.push((y, f64::max(texts, wires)));
        }
        names
    }

    fn y(&self, row: usize) -> f64 {
        self.rows[row].0
    }

    fn names(&mut self, y: f64) {
        for (index, lane) in self.scene.lanes.iter().enumerate() {
            let x = self.places.lanes[index].x;
            let width = chip(lane);
            let class = if lane.lives { format!("chip {}", self.colour(index)) } else { "absent".to_owned() };
            self.pen.panel(&class, (x - width / 2.0, y - 12.0), (width, 24.0), 12.0);
            let words = Words::default().and(if lane.lives { "role on" } else { "dim" }, lane.name.clone());
            self.pen.text(Font::Role, (x, y + 4.4), Anchor::Middle, &words);
        }
    }

    fn lifelines(&mut self, begin: f64, bottom: f64) {
        for (index, lane) in self.scene.lanes.iter().enumerate() {
            let x = self.places.lanes[index].x;
            if !lane.lives {
                self.pen.line("after", (x, begin), (x, bottom));
                continue;
            }
            let end = lane.ended.map_or(bottom, |row| self.y(row));
            self.pen.line(&format!("life {}", self.colour(index)), (x, begin), (x, end));
            let last = self.scene.last_touch(index).map_or(end, |row| self.y(row) + 8.0);
            if lane.ended.is_some() && last > end {
                // Its program has ended; its host's kernel goes on.
                self.pen.line("after", (x, end + 6.0), (x, last));
            }
        }
    }

    fn bar(&mut self, bar: &Bar, bottom: f64) {
        let Place { x, .. } = self.places.lanes[bar.lane];
        let role = self.colour(bar.lane);
        let top = self.y(bar.from);
        let (class, width) = match bar.kind {
            Stretch::Inside => ("inside", 7.0),
            Stretch::Waits => ("waits", 9.0),
            Stretch::Pause => ("pause", 9.0),
        };
        let class = format!("{class} {role}");
        match bar.to {
            Some(row) => self.pen.bar(&class, x, top, self.y(row), width),
            None if self.scene.lanes[bar.lane].for_ever => {
                self.pen.bar(&class, x, top, bottom - 4.0, width);
                self.pen.shape(&format!("head {role}"), (x, bottom + 10.0), path::HEAD_DOWN);
            }
            None => self.pen.bar(&class, x, top, bottom, width),
        }
    }

    fn arrow(&mut self, arrow: &Arrow, bottom: f64) {
        let (from, to) = (self.places.lanes[arrow.from].x, self.places.lanes[arrow.to].x);
        let way = if to > from { 1.0 } else { -1.0 };
        let y = self.y(arrow.begins);
        let kind = match (arrow.bad, arrow.data) {
            (true, _) => "bad".to_owned(),
            (_, true) => self.colour(arrow.from),
            _ => String::new(),
        };
        let class = format!("wire {} {kind}", if arrow.data { "data" } else { "" })
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let head = format!("head {kind}").trim_end().to_owned();
        let begin = (from + 6.0 * way, y);
        let (middle, anchor) = ((self.places.gap.0 + self.places.gap.1) / 2.0, Anchor::Middle);
        let mut label = (middle, y - LABEL_UP, anchor);
        match arrow.arrives {
            _ if arrow.fate == Fate::Dropped => {
                let end = (from + LOST_AFTER * (to - from), y);
                self.pen.line(&class, begin, end);
                self.pen.shape("cross", (end.0 + 7.0 * way, y), path::CROSS);
            }
            Some(row) if row == arrow.begins => {
                let ys = if arrow.fate == Fate::Duplicated { vec![y, y + 6.0] } else { vec![y] };
                for y in ys {
                    let end = (to - 6.0 * way, y);
                    self.pen.line(&class, (begin.0, y), (end.0 - 5.0 * way, y));
                    self.pen.shape(&head, end, if way > 0.0 { path::HEAD_RIGHT } else { path::HEAD_LEFT });
                }
            }
            arrives => {
                // It hangs on the wire until it arrives, or to the end.
                let there = arrives.map_or(((from + to) / 2.0, bottom), |row| (to - 6.0 * way, self.y(row)));
                self.pen.line(&class, begin, there);
                if arrives.is_some() {
                    self.pen.slanted_head(&head, begin, there);
                    if arrow.fate == Fate::Duplicated {
                        self.pen.line(&class, (begin.0, begin.1 + 6.0), (there.0, there.1 + 6.0));
                        self.pen.slanted_head(&head, (begin.0, begin.1 + 6.0), (there.0, there.1 + 6.0));
                    }
                }
                let edge = if way > 0.0 { self.places.gap.0 } else { self.places.gap.1 };
                label = (edge + 12.0 * way, y - LABEL_UP, if way > 0.0 { Anchor::Start } else { Anchor::End });
            }
        }
        if arrow.fate == Fate::Corrupted {
            self.pen.shape("head bad", (to - 26.0 * way, self.y(arrow.arrives.unwrap_or(arrow.begins))), path::ZIGZAG);
        }
        self.pen.text(Font::Frame, (label.0, label.1), label.2, &arrow.label);
    }

    /// What goes across to another lifeline, and down there until a call takes it.
    fn path(&mut self, path: &Path, track: usize) {
        if path.from.is_some() && path.from == path.to && !path.arrives.is_empty() && path.kind == Kind::Data {
            return self.loop_back(path, track);
        }
        let y = self.y(path.begins);
        let (left, right) = self.places.gap;
        let place = |lane: Option<usize>| lane.map(|lane| self.places.lanes[lane].x);
        let (from, to) = (place(path.from), place(path.to).filter(|_| path.to != path.from));
        // Where no role is, is the other side of the picture.
        let beyond = |x: f64| if x - left > right - x { left } else { right };
        let to_x = to.unwrap_or_else(|| beyond(from.unwrap_or(left)));
        let from_x = from.filter(|_| path.from != path.to).unwrap_or_else(|| to_x + LOST_AFTER * (beyond(to_x) - to_x));
        let way = if to_x > from_x { 1.0 } else { -1.0 };
        let (wire, head) = match (path.kind, path.from) {
            (Kind::Refusal, _) => ("wire bad".to_owned(), "head bad".to_owned()),
            (Kind::Data, Some(lane)) => {
                (format!("wire data {}", self.colour(lane)), format!("head {}", self.colour(lane)))
            }
            _ => ("wire".to_owned(), "head".to_owned()),
        };
        let begin = if from.is_some() && path.from != path.to { from_x + 6.0 * way } else { from_x };
        let mut label = |middle: f64| {
            let words = Words::plain(path.label.as_str());
            self.pen.text(Font::Frame, (middle, y - LABEL_UP), Anchor::Middle, &words);
        };
        let Some(last) = path.arrives.iter().max() else {
            let end = from_x + LOST_AFTER * (to_x - from_x);
            label((begin + end) / 2.0);
            self.pen.line(&wire, (begin, y), (end, y));
            self.pen.shape("cross", (end + 7.0 * way, y), path::CROSS);
            return;
        };
        label((from_x + to_x) / 2.0);
        let down = to_x - (TRACK + 4.0 * track as f64) * way;
        self.pen.line(&wire, (begin, y), (down, y));
        self.pen.line("queue", (down, y), (down, self.y(*last)));
        for row in &path.arrives {
            let y = self.y(*row);
            let tip = to_x - 5.0 * way;
            self.pen.line(&wire, (down, y), (tip - 5.0 * way, y));
            self.pen.shape(&head, (tip, y), if way > 0.0 { path::HEAD_RIGHT } else { path::HEAD_LEFT });
        }
    }

    /// What comes back to the lifeline that it left: from a socket to itself, or to another one of the same role.
    fn loop_back(&mut self, path: &Path, track: usize) {
        let Some(lane) = path.to else { return };
        let (x, colour) = (self.places.lanes[lane].x, self.colour(lane));
        let y = self.y(path.begins);
        let way = if x - self.places.gap.0 > self.places.gap.1 - x { -1.0 } else { 1.0 };
        let side = if way > 0.0 { Anchor::Start } else { Anchor::End };
        let wire = format!("wire data {colour}");
        let down = x + (LOOP + 4.0 * track as f64) * way;
        let label = Words::plain(path.label.as_str());
        self.pen.text(Font::Frame, (x + TRACK * way, y - LABEL_UP), side, &label);
        self.pen.line(&wire, (x + 6.0 * way, y), (down, y));
        let last = path.arrives.iter().max().map_or(y, |row| self.y(*row));
        self.pen.line("queue", (down, y), (down, last));
        for row in &path.arrives {
            let y = self.y(*row);
            let tip = x + 5.0 * way;
            self.pen.line(&wire, (down, y), (tip + 5.0 * way, y));
            let head = if way > 0.0 { path::HEAD_LEFT } else { path::HEAD_RIGHT };
            self.pen.shape(&format!("head {colour}"), (tip, y), head);
        }
    }

    fn beside(&mut self, lane: usize, beside: &Beside, y: f64) {
        let Place { x, side } = self.places.lanes[lane];
        let away = if side == Anchor::End { -1.0 } else { 1.0 };
        let aside = self.scene.aside(lane);
        let at = x + aside * away;
        let role = self.colour(lane);
        match beside {
            Beside::Call { words, details, failed, begun, .. } => {
                let class = match (failed, begun) {
                    (true, _) => "dot bad".to_owned(),
                    (_, true) => format!("dot begun {role}"),
                    _ => format!("dot {role}"),
                };
                self.pen.dot(&class, (x, y), 4.0);
                self.pen.text(Font::Call, (at, y + 4.0), side, words);
                for (line, number) in details.iter().zip(1..) {
                    let at = (at, y + 4.0 + 13.0 * f64::from(number));
                    self.pen.text(Font::Detail, at, side, &Words::plain(line.as_str()));
                }
            }
            Beside::Rest(lines) => {
                for (line, number) in lines.iter().zip(0..) {
                    let at = (at, y + 3.6 + 14.0 * f64::from(number));
                    self.pen.text(Font::Rest, at, side, &Words::plain(line.as_str()));
                }
            }
            Beside::Says(lines) => self.bubble("says", lines, 0.0, lane, y),
            Beside::Types(lines) => self.bubble("typed", lines, 12.0, lane, y),
            Beside::Looks(text) => {
                self.pen.text(Font::Detail, (at, y + 3.4), side, &Words::plain(text.as_str()));
            }
            Beside::Timer(text) => {
                let clock = at + 6.0 * away;
                self.pen.dot("clock", (clock, y), 5.6);
                self.pen.shape("hand", (clock, y), path::CLOCK_HANDS);
                self.pen.text(Font::Detail, (at + 18.0 * away, y + 3.4), side, &Words::plain(text.as_str()));
            }
            Beside::State { text, already } => {
                let width = Font::State.width(text) + 16.0;
                let now = if *already { "" } else { "now " };
                self.pen.panel(&format!("pill {now}{role}"), (x - width / 2.0, y - 8.5), (width, 17.0), 8.5);
                let words = if *already {
                    Words::plain(text.as_str())
                } else {
                    Words::default().and("state now", text.as_str())
                };
                self.pen.text(Font::State, (x, y + 3.6), Anchor::Middle, &words);
            }
            Beside::Ends { text, badly } => {
                self.pen.line(&format!("end {role}"), (x - 6.0, y), (x + 6.0, y));
                let words = Words::default().and(if *badly { "wrong" } else { "" }, text.as_str());
                self.pen.text(Font::Detail, (at, y + 3.4), side, &words);
            }
        }
    }

    /// What a role says or its user types, in a bubble that points to its lifeline.
    fn bubble(&mut self, class: &str, lines: &[String], mark: f64, lane: usize, y: f64) {
        let Place { x, side } = self.places.lanes[lane];
        let aside = self.scene.aside(lane);
        let left = side == Anchor::End;
        let class = format!("{class} {}", self.colour(lane));
        let widest = lines.iter().map(|line| Font::Speech.width(line)).fold(0.0, f64::max);
        let width = widest + 18.0 + mark;
        let corner = if left { x - aside - width } else { x + aside };
        let height = 19.0 + 14.0 * (lines.len() - 1) as f64;
        self.pen.panel(&class, (corner, y - 9.5), (width, height), 6.0);
        if mark == 0.0 {
            let tail = if left { (x - aside - 0.5, path::TAIL_RIGHT) } else { (x + aside + 0.5, path::TAIL_LEFT) };
            self.pen.shape(&class, (tail.0, y), tail.1);
        } else {
            self.pen.shape("hand", (corner + 11.0, y), path::PROMPT);
        }
        for (line, number) in lines.iter().zip(0..) {
            let at = (corner + 9.0 + mark, y + 3.8 + 14.0 * f64::from(number));
            self.pen.text(Font::Speech, at, Anchor::Start, &Words::plain(line.as_str()));
        }
    }

    fn across(&mut self, lines: &[String], y: f64) {
        if lines.is_empty() {
            return;
        }
        let widest = lines.iter().map(|line| Font::Remark.width(line)).fold(0.0, f64::max);
        let middle = self.grid.width / 2.0;
        let height = 22.0 + 15.0 * (lines.len() - 1) as f64;
        self.pen.panel("note", (middle - widest / 2.0 - 12.0, y - 11.0), (widest + 24.0, height), 4.0);
        for (line, number) in lines.iter().zip(0..) {
            let at = (middle, y + 3.8 + 15.0 * f64::from(number));
            self.pen.text(Font::Remark, at, Anchor::Middle, &Words::plain(line.as_str()));
        }
    }

    fn findings(&mut self, bottom: f64) -> f64 {
        let mut y = bottom + 10.0;
        for finding in &self.scene.findings {
            y += 20.0;
            let columns = super::grid::remark_columns(self.grid.width);
            for line in super::words::lines(&format!("=> {finding}"), columns, 3) {
                self.pen.text(Font::Remark, (self.grid.width / 2.0, y), Anchor::Middle, &Words::plain(line));
                y += 15.0;
            }
        }
        y
    }

    /// The class of a lifeline's colour.
    fn colour(&self, lane: usize) -> String {
        format!("r{}", self.scene.lanes[lane].colour)
    }
}
