//! The elements of the picture, as SVG, and how they look.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

/// How wide a column of a monospaced font is, in parts of its size.
const ADVANCE: f64 = 0.6;
/// The size of the smallest letters.
pub(super) const SMALLEST: f64 = 11.0;
/// How far a plate stands out on both sides of its text.
const PLATE: f64 = 3.0;

/// Which way a text goes from its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A kind of text, with the size of its letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Font {
    /// Over everything: which lab.
    Lab,
    Question,
    Scene,
    Role,
    Call,
    /// What else came of a call.
    Detail,
    /// Waits and pauses.
    Rest,
    /// What a role printed, or its user typed.
    Speech,
    State,
    Frame,
    Remark,
    Legend,
}

impl Font {
    fn class(self) -> &'static str {
        match self {
            Font::Lab => "lab",
            Font::Question => "question",
            Font::Scene => "scene",
            Font::Role => "role",
            Font::Call => "call",
            Font::Detail => "detail",
            Font::Rest => "rest",
            Font::Speech => "speech",
            Font::State => "state",
            Font::Frame => "frame",
            Font::Remark => "remark",
            Font::Legend => "legend",
        }
    }

    fn size(self) -> f64 {
        match self {
            Font::Question => 17.0,
            Font::Scene => 14.0,
            Font::Role => 12.5,
            Font::Lab | Font::Call => 12.0,
            _ => SMALLEST,
        }
    }

    /// How wide so many columns are.
    pub fn columns(self, columns: usize) -> f64 {
        columns as f64 * self.size() * ADVANCE
    }

    /// How wide a text is at most, where the font is the monospaced one.
    pub fn width(self, text: &str) -> f64 {
        self.columns(text.width())
    }
}

/// A text in pieces, each with a class of its own, or with none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words(pub Vec<(&'static str, String)>);

impl Words {
    pub fn plain(text: impl Into<String>) -> Words {
        Words(vec![("", text.into())])
    }

    pub fn and(mut self, class: &'static str, text: impl Into<String>) -> Words {
        self.0.push((class, text.into()));
        self
    }

    pub fn columns(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }
}

/// Writes elements. Lines lie below marks, and marks below texts, in whichever order they are written.
#[derive(Default)]
pub(super) struct Pen {
    lines: String,
    marks: String,
    texts: Vec<Text>,
    /// Where the lines go, and the boxes above them.
    strokes: Vec<Stroke>,
    panels: Vec<Area>,
    /// What is drawn, where it is not all: from one height to another, and how far that is moved.
    window: Option<Window>,
}

/// A part of a picture that is drawn by itself.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub top: f64,
    pub bottom: f64,
    /// Where its top goes.
    pub to: f64,
}

/// A text, and where it stands.
struct Text {
    element: String,
    area: Area,
}

impl Pen {
    /// Draws from now on only what is in a window, or all again.
    pub fn look_through(&mut self, window: Option<Window>) {
        self.window = window;
    }

    /// Where a height is drawn, if it is.
    fn seen(&self, y: f64) -> Option<f64> {
        match self.window {
            Some(window) if y < window.top || y >= window.bottom => None,
            Some(window) => Some(y - window.top + window.to),
            None => Some(y),
        }
    }

    /// The part of a line that is drawn.
    fn seen_part(&self, from: (f64, f64), to: (f64, f64)) -> Option<((f64, f64), (f64, f64))> {
        let Some(Window { top, bottom, to: goes }) = self.window else { return Some((from, to)) };
        if from.1.max(to.1) < top || from.1.min(to.1) >= bottom {
            return None;
        }
        let at = |(x, y): (f64, f64)| {
            let cut = y.clamp(top, bottom);
            let part = if to.1 == from.1 { 0.0 } else { (cut - y) / (to.1 - from.1) };
            (x + part * (to.0 - from.0), cut - top + goes)
        };
        Some((at(from), at(to)))
    }

    /// All that was written. A text that a line would strike through stands on a plate, which hides the line.
    pub fn finish(self) -> String {
        let mut texts = String::new();
        for Text { element, area } in &self.texts {
            let on_panel = self.panels.iter().any(|panel| panel.contains(area));
            if !on_panel && self.strokes.iter().any(|stroke| stroke.crosses(area)) {
                rectangle(&mut texts, "plate", (area.left, area.top), (area.width(), area.height()), 2.0);
            }
            texts.push_str(element);
        }
        format!("<g>\n{}</g>\n<g>\n{}</g>\n<g>\n{texts}</g>\n", self.lines, self.marks)
    }

    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let Some((from, to)) = self.seen_part(from, to) else { return };
        self.strokes.push(Stroke { from, to });
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.lines,
            r#"<line class="{class}" x1="{}" y1="{}" x2="{}" y2="{}"/>"#,
            Short(x1),
            Short(y1),
            Short(x2),
            Short(y2)
        );
    }

    /// A bar on a lifeline: from `top` to `bottom`, around `x`.
    pub fn bar(&mut self, class: &str, x: f64, top: f64, bottom: f64, width: f64) {
        let Some(((_, top), (_, bottom))) = self.seen_part((x, top), (x, bottom)) else { return };
        let corner = (x - width / 2.0, top);
        for x in [x - width / 2.0, x, x + width / 2.0] {
            self.strokes.push(Stroke { from: (x, top), to: (x, bottom) });
        }
        rectangle(&mut self.lines, class, corner, (width, bottom - top), width / 2.0);
    }

    /// A box with round corners, above the lines.
    pub fn panel(&mut self, class: &str, corner: (f64, f64), size: (f64, f64), radius: f64) {
        let Some(middle) = self.seen(corner.1 + size.1 / 2.0) else { return };
        let corner = (corner.0, middle - size.1 / 2.0);
        self.panels.push(Area::of(corner, size));
        rectangle(&mut self.marks, class, corner, size, radius);
    }

    pub fn dot(&mut self, class: &str, at: (f64, f64), radius: f64) {
        let Some(y) = self.seen(at.1) else { return };
        let (x, y) = (Short(at.0), Short(y));
        let _ = writeln!(self.marks, r#"<circle class="{class}" cx="{x}" cy="{y}" r="{}"/>"#, Short(radius));
    }

    /// A shape in the words of SVG, moved to a place.
    pub fn shape(&mut self, class: &str, at: (f64, f64), path: &str) {
        let Some(y) = self.seen(at.1) else { return };
        let x = at.0;
        let _ = writeln!(
            self.marks,
            r#"<path class="{class}" transform="translate({} {})" d="{path}"/>"#,
            Short(x),
            Short(y)
        );
    }

    /// The head of an arrow that goes from one place to another.
    pub fn slanted_head(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let angle = (to.1 - from.1).atan2(to.0 - from.0).to_degrees();
        let Some(y) = self.seen(to.1) else { return };
        let (x, y, angle) = (Short(to.0), Short(y), Short(angle));
        let head = path::HEAD_RIGHT;
        let _ = writeln!(
            self.marks,
            r#"<path class="{class}" transform="translate({x} {y}) rotate({angle})" d="{head}"/>"#
        );
    }

    /// A text whose letters stand on `y`.
    pub fn text(&mut self, font: Font, at: (f64, f64), anchor: Anchor, words: &Words) {
        // Its letters stand on that height: their middle is above it.
        let above = 0.35 * font.size();
        let Some(y) = self.seen(at.1 - above).filter(|_| words.columns() > 0) else { return };
        let at = (at.0, y + above);
        let width = font.columns(words.columns());
        let (x, y) = at;
        let (anchor, left) = match anchor {
            Anchor::Start => ("", x),
            Anchor::Middle => (r#" text-anchor="middle""#, x - width / 2.0),
            Anchor::End => (r#" text-anchor="end""#, x - width),
        };
        let size = font.size();
        let (class, size, x, y) = (font.class(), Short(size), Short(x), Short(y));
        let mut element = format!(r#"<text class="{class}" font-size="{size}" x="{x}" y="{y}"{anchor}>"#);
        for (class, text) in &words.0 {
            let text = escaped(text);
            let _ = match *class {
                "" => write!(element, "{text}"),
                class => write!(element, r#"<tspan class="{class}">{text}</tspan>"#),
            };
        }
        element.push_str("</text>\n");
        let size = font.size();
        let area = Area::of((left - PLATE, at.1 - 0.8 * size), (width + 2.0 * PLATE, 1.05 * size));
        self.texts.push(Text { element, area });
    }
}

/// A rectangle of the picture.
#[derive(Clone, Copy)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    fn of(corner: (f64, f64), size: (f64, f64)) -> Area {
        Area { left: corner.0, top: corner.1, right: corner.0 + size.0, bottom: corner.1 + size.1 }
    }

    fn width(&self) -> f64 {
        self.right - self.left
    }

    fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Whether another one is inside, from side to side.
    fn contains(&self, other: &Area) -> bool {
        let near = PLATE;
        self.left <= other.left + near
            && other.right <= self.right + near
            && self.top <= other.top
            && other.bottom <= self.bottom
    }
}

/// A straight line.
struct Stroke {
    from: (f64, f64),
    to: (f64, f64),
}

impl Stroke {
    /// Whether a part of it is in the area: what is left of the line when each side has cut it.
    fn crosses(&self, area: &Area) -> bool {
        let ((x1, y1), (x2, y2)) = (self.from, self.to);
        let (mut first, mut last) = (0.0_f64, 1.0_f64);
        for (at, way, low, high) in [(x1, x2 - x1, area.left, area.right), (y1, y2 - y1, area.top, area.bottom)] {
            if way == 0.0 {
                if at <= low || at >= high {
                    return false;
                }
                continue;
            }
            let (one, other) = ((low - at) / way, (high - at) / way);
            first = first.max(one.min(other));
            last = last.min(one.max(other));
        }
        first < last
    }
}

fn rectangle(to: &mut String, class: &str, corner: (f64, f64), size: (f64, f64), radius: f64) {
    let ((x, y), (width, height)) = (corner, size);
    let _ = writeln!(
        to,
        r#"<rect class="{class}" x="{}" y="{}" width="{}" height="{}" rx="{}"/>"#,
        Short(x),
        Short(y),
        Short(width),
        Short(height),
        Short(radius)
    );
}

/// A number with at most one decimal.
pub(super) struct Short(pub f64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rounded = (self.0 * 10.0).round() / 10.0;
        // Not -0.
        write!(f, "{}", rounded + 0.0)
    }
}

/// A text as XML 1.0 takes it: what it forbids is replaced.
pub(super) fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut safe, character| {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\t' | '\n' | '\r' => safe.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
        safe
    })
}

/// Paths of small marks, around their places.
pub(super) mod path {
    pub const HEAD_RIGHT: &str = "M0 0L-8 -3.5L-6.2 0L-8 3.5Z";
    pub const HEAD_LEFT: &str = "M0 0L8 -3.5L6.2 0L8 3.5Z";
    pub const HEAD_DOWN: &str = "M0 0L-4.5 -8L0 -5.8L4.5 -8Z";
    pub const CROSS: &str = "M-4.5 -4.5L4.5 4.5M4.5 -4.5L-4.5 4.5";
    pub const ZIGZAG: &str = "M1.5 -9L-4 1L0.5 1L-1.5 9L4.5 -2L0 -2L3 -9Z";
    pub const CLOCK_HANDS: &str = "M0 -3.2L0 0L2.4 1.4";
    pub const TAIL_RIGHT: &str = "M0 -4L6 0L0 4Z";
    pub const TAIL_LEFT: &str = "M0 -4L-6 0L0 4Z";
    pub const PROMPT: &str = "M-2 -3.5L1.5 0L-2 3.5";
}
