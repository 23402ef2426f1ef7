//! The elements of the picture, as SVG, and how they look.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

/// How wide a column of a monospaced font is, in parts of its size.
const ADVANCE: f64 = 0.6;

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
            Font::Rest | Font::Speech | Font::Remark => 11.0,
            Font::Frame | Font::Legend => 10.5,
            Font::Detail | Font::State => 10.0,
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
    texts: String,
}

impl Pen {
    /// All that was written.
    pub fn finish(self) -> String {
        format!("<g>\n{}</g>\n<g>\n{}</g>\n<g>\n{}</g>\n", self.lines, self.marks, self.texts)
    }

    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
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
        let corner = (x - width / 2.0, top);
        rectangle(&mut self.lines, class, corner, (width, bottom - top), width / 2.0);
    }

    /// A box with round corners, above the lines.
    pub fn panel(&mut self, class: &str, corner: (f64, f64), size: (f64, f64), radius: f64) {
        rectangle(&mut self.marks, class, corner, size, radius);
    }

    pub fn dot(&mut self, class: &str, at: (f64, f64), radius: f64) {
        let (x, y) = at;
        let (x, y) = (Short(x), Short(y));
        let _ = writeln!(self.marks, r#"<circle class="{class}" cx="{x}" cy="{y}" r="{}"/>"#, Short(radius));
    }

    /// A shape in the words of SVG, moved to a place.
    pub fn shape(&mut self, class: &str, at: (f64, f64), path: &str) {
        let (x, y) = at;
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
        let (x, y, angle) = (Short(to.0), Short(to.1), Short(angle));
        let head = path::HEAD_RIGHT;
        let _ = writeln!(
            self.marks,
            r#"<path class="{class}" transform="translate({x} {y}) rotate({angle})" d="{head}"/>"#
        );
    }

    /// A text whose letters stand on `y`.
    pub fn text(&mut self, font: Font, at: (f64, f64), anchor: Anchor, words: &Words) {
        if words.columns() == 0 {
            return;
        }
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let (x, y) = at;
        let _ = write!(
            self.texts,
            r#"<text class="{}" font-size="{}" x="{}" y="{}"{anchor}>"#,
            font.class(),
            Short(font.size()),
            Short(x),
            Short(y)
        );
        for (class, text) in &words.0 {
            let text = escaped(text);
            let _ = match *class {
                "" => write!(self.texts, "{text}"),
                class => write!(self.texts, r#"<tspan class="{class}">{text}</tspan>"#),
            };
        }
        self.texts.push_str("</text>\n");
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
