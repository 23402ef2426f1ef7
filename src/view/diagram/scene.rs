//! A scene as the picture has it: lifelines, rows, bars and arrows.

use super::pen::Words;
use super::ways::Kind;
use crate::trace::{Fate, Host};

/// From a lifeline to the text beside it.
const ASIDE: f64 = 16.0;
/// The same where paths go down between them.
const ASIDE_OF_PATHS: f64 = 32.0;

/// A scene, taken apart.
#[derive(Default)]
pub(super) struct Scene {
    pub title: String,
    pub lanes: Vec<Lane>,
    pub rows: Vec<Row>,
    pub bars: Vec<Bar>,
    pub arrows: Vec<Arrow>,
    pub paths: Vec<Path>,
    /// What the stage concluded.
    pub findings: Vec<String>,
}

/// A lifeline.
pub(super) struct Lane {
    pub name: String,
    pub host: Host,
    /// Whether it is on the right.
    pub right: bool,
    /// Whether a role lives here, and not only a host that answers.
    pub lives: bool,
    /// Whether its role has more than one descriptor, so that they must be told apart.
    pub fds: bool,
    /// Which of the colours is its role's.
    pub colour: usize,
    /// Whether the stage found that it waits for ever.
    pub for_ever: bool,
    /// The row in which its role ended.
    pub ended: Option<usize>,
}

/// One line of the picture.
#[derive(Default)]
pub(super) struct Row {
    /// What stands beside which lifeline.
    pub beside: Option<(usize, Beside)>,
    /// The arrow that begins here.
    pub arrow: Option<usize>,
    /// Whether a path sets out here.
    pub path: bool,
    /// What goes across the picture.
    pub across: Vec<String>,
}

pub(super) enum Beside {
    Call { fd: Option<i32>, words: Words, details: Vec<String>, failed: bool, begun: bool },
    Rest(Vec<String>),
    Says(Vec<String>),
    Types(Vec<String>),
    Looks(String),
    State { text: String, already: bool },
    Timer(String),
    Ends { text: String, badly: bool },
}

/// A stretch of a lifeline.
pub(super) struct Bar {
    pub lane: usize,
    pub kind: Stretch,
    pub from: usize,
    /// The row in which it ends, if it does.
    pub to: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// In a call that has not returned.
    Inside,
    /// Its call has to wait.
    Waits,
    /// Pausing until something holds.
    Pause,
}

/// A frame.
pub(super) struct Arrow {
    pub from: usize,
    pub to: usize,
    pub label: Words,
    /// Whether it carries data.
    pub data: bool,
    /// Whether it is a refusal.
    pub bad: bool,
    pub number: u32,
    pub fate: Fate,
    pub begins: usize,
    /// The row in which it arrives, if it does.
    pub arrives: Option<usize>,
}

/// What went from one call to others, on one host: across, and down at the lifeline until a call takes it.
pub(super) struct Path {
    /// The lifeline that it leaves. `None`: it comes back from where no role is.
    pub from: Option<usize>,
    /// The lifeline that it goes to, if there is one.
    pub to: Option<usize>,
    pub label: String,
    pub kind: Kind,
    pub begins: usize,
    /// The rows of the calls that took it, or learned of it. None: nobody did.
    pub arrives: Vec<usize>,
    /// The socket at which it arrives.
    pub queue: usize,
    /// Which of the ways it is.
    pub way: usize,
}

impl Lane {
    /// A lifeline on the left of which no more is known.
    pub fn of(name: &str, host: Host) -> Lane {
        let name = name.to_owned();
        Lane { name, host, right: false, lives: false, fds: false, colour: 0, for_ever: false, ended: None }
    }
}

impl Scene {
    /// Whether a lifeline is the outermost one of its side: then what stands beside it is on the outer side.
    pub fn is_outer(&self, lane: usize) -> bool {
        lane == 0 || lane + 1 == self.lanes.len()
    }

    /// How far from a lifeline what stands beside it is.
    pub fn aside(&self, lane: usize) -> f64 {
        // Paths come in on the inner side.
        if self.paths.is_empty() || self.is_outer(lane) { ASIDE } else { ASIDE_OF_PATHS }
    }

    /// Whether a host sent or received something where no role was, or none any more.
    pub fn has_host_without_role(&self) -> bool {
        let lanes = self.lanes.iter().enumerate();
        lanes
            .into_iter()
            .any(|(index, lane)| !lane.lives || lane.ended.is_some_and(|row| self.last_touch(index) > Some(row)))
    }

    /// The last row in which something leaves a lifeline or comes to it.
    pub fn last_touch(&self, lane: usize) -> Option<usize> {
        let touches = self.arrows.iter().filter_map(|arrow| match lane {
            _ if arrow.to == lane => Some(arrow.arrives.unwrap_or(arrow.begins)),
            _ if arrow.from == lane => Some(arrow.begins),
            _ => None,
        });
        let paths = self.paths.iter().filter(|path| path.from == Some(lane)).map(|path| path.begins);
        touches.chain(paths).max()
    }

    /// How many calls returned.
    pub fn calls(&self) -> usize {
        let is_one = |row: &&Row| matches!(row.beside, Some((_, Beside::Call { begun: false, .. })));
        self.rows.iter().filter(is_one).count()
    }
}
