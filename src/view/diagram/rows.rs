//! Events made a scene: what stands in which row, beside a lifeline or between them.

use std::collections::{BTreeSet, HashSet};

use unicode_width::UnicodeWidthStr;

use super::scene::{Arrow, Bar, Beside, Lane, Path, Row, Scene, Stretch};
use super::ways::{Way, ways};
use super::words;
use crate::trace::{Call, Errno, Event, Fate, Frame, Host, Probe, Proto, SocketType, TcpFlags, What};
use crate::view::text::{cut, harmless};

/// What stands between two details.
const DOT: &str = " · ";

/// How many events of a scene are drawn: of a longer one, the first and the last ones.
pub const MOST: usize = 1000;

impl Scene {
    /// Takes the events of one scene apart.
    pub fn of(title: String, events: &[&Event]) -> Scene {
        let lanes = lanes(events);
        let scene = Scene { title, lanes, ..Scene::default() };
        // Free-running, nobody looks at queues; and what made a host send is not known.
        let looked = |event: &&Event| matches!(&event.what, What::Call(call) if call.queues.is_some());
        let causes = events.iter().copied().any(|event| looked(&event));
        let mut reader =
            Reader { scene, datagrams: HashSet::new(), begun: HashSet::new(), causes, ways: ways(events), read: 0 };
        // Whether there are overtaken frames depends on the machine's speed: they take nobody's place.
        let overtaken = |event: &Event| matches!(&event.what, What::Frame(frame) if frame.fate == Fate::Overtaken);
        let events: Vec<&Event> = events.iter().copied().filter(|event| !overtaken(event)).collect();
        let (head, middle, tail) = if events.len() > MOST {
            let (head, rest) = events.split_at(MOST * 3 / 4);
            let (middle, tail) = rest.split_at(rest.len() - MOST / 4);
            (head, middle, tail)
        } else {
            (&events[..], &events[..0], &events[..0])
        };
        head.iter().for_each(|event| reader.read_next(event));
        if !middle.is_empty() {
            reader.leave_out(middle);
        }
        tail.iter().for_each(|event| reader.read_next(event));
        // Whose end is not drawn goes nowhere.
        reader.scene.paths.retain(|path| path.arrives.iter().all(|row| *row != LEFT_OUT));
        reader.scene
    }
}

/// The roles of a scene, and the hosts that take part without one, from left to right.
fn lanes(events: &[&Event]) -> Vec<Lane> {
    let wired = events.iter().any(|event| event.host == Host::B || matches!(event.what, What::Frame(_)));
    let mut lanes: Vec<Lane> = Vec::new();
    for event in events {
        let Some(role) = event.actor() else { continue };
        if !lanes.iter().any(|lane| lane.name == *role) {
            let right = if wired { event.host == Host::B } else { event.role.as_deref() == Some("server") };
            let fds = descriptors(events, role) > 1;
            lanes.push(Lane { right, lives: true, fds, ..Lane::of(role, event.host) });
        }
    }
    if wired {
        for (host, right, name) in [(Host::A, false, "host A"), (Host::B, true, "host B")] {
            if !lanes.iter().any(|lane| lane.host == host) {
                lanes.push(Lane { right, ..Lane::of(name, host) });
            }
        }
    } else if lanes.len() > 1 && !lanes.iter().any(|lane| lane.right) {
        lanes.last_mut().expect("there are lanes").right = true;
    }
    lanes.sort_by_key(|lane| lane.right);
    lanes
}

fn descriptors(events: &[&Event], role: &str) -> usize {
    let of = events.iter().filter(|event| event.actor() == Some(role));
    let fds: BTreeSet<i32> = of
        .filter_map(|event| match &event.what {
            What::Call(call) => call.fd,
            _ => None,
        })
        .collect();
    fds.len()
}

struct Reader {
    scene: Scene,
    /// Which descriptors of which lanes take datagrams.
    datagrams: HashSet<(usize, i32)>,
    /// Which lanes are in a call whose beginning is told.
    begun: HashSet<usize>,
    /// Whether a frame behind a call is that call's.
    causes: bool,
    /// On one host: what goes from which event to which.
    ways: Vec<Way>,
    /// How many events were read or left out.
    read: usize,
}

/// The row of an event that is not drawn.
const LEFT_OUT: usize = usize::MAX;

impl Reader {
    /// Reads an event, and draws what it sends or takes.
    fn read_next(&mut self, event: &Event) {
        let before = self.scene.rows.len();
        self.read(event);
        let at = self.read;
        self.read += 1;
        if self.scene.rows.len() == before {
            return;
        }
        let row = self.scene.rows.len() - 1;
        let lanes = &self.scene.lanes;
        let lane_of = |name: &Option<String>| lanes.iter().position(|lane| Some(&lane.name) == name.as_ref());
        let mut begun = Vec::new();
        for (index, way) in self.ways.iter().enumerate() {
            if way.begins == at {
                begun.push((index, lane_of(&way.from), lane_of(&way.to)));
            }
        }
        for path in &mut self.scene.paths {
            let arrived = self.ways[path.way].arrives.iter().zip(&mut path.arrives).filter(|(event, _)| **event == at);
            arrived.for_each(|(_, to)| *to = row);
        }
        for (index, from, to) in begun {
            // On the outer side of the lifeline that it leaves, its call leaves it room.
            let is_beside = from.is_some_and(|lane| {
                self.scene.is_outer(lane) && matches!(self.scene.rows[row].beside, Some((of, _)) if of == lane)
            });
            if !is_beside || self.scene.rows[row].path {
                self.scene.rows.push(Row::default());
            }
            let begins = if is_beside && !self.scene.rows[row].path { row } else { self.scene.rows.len() - 1 };
            self.scene.rows[begins].path = true;
            let Way { label, kind, queue, arrives, .. } = &self.ways[index];
            let arrives = vec![LEFT_OUT; arrives.len()];
            let path = Path { from, to, label: label.clone(), kind: *kind, begins, arrives, queue: *queue, way: index };
            self.scene.paths.push(path);
        }
    }

    fn read(&mut self, event: &Event) {
        let lane = event.actor().and_then(|actor| self.scene.lanes.iter().position(|lane| lane.name == actor));
        match (&event.what, lane) {
            (What::Frame(frame), _) => self.frame(frame),
            (What::Note { text }, _) => self.across(words::lines(text, 88, 3)),
            (What::Finding { waiting, text, .. }, _) => {
                for lane in &mut self.scene.lanes {
                    lane.for_ever |= waiting.iter().any(|waiting| waiting.role == lane.name);
                }
                self.scene.findings.push(harmless(text));
            }
            (What::Probe { probe, fd }, Some(lane)) => {
                let text = words::probed(probe);
                let beside = match probe {
                    Probe::State { already, .. } => {
                        let text = if self.scene.lanes[lane].fds { format!("{fd} {text}") } else { text };
                        Beside::State { text, already: *already }
                    }
                    _ => Beside::Looks(text),
                };
                self.look(lane, *fd, beside);
            }
            (what, Some(lane)) => self.act(lane, what),
            _ => {}
        }
    }

    /// What a role does itself.
    fn act(&mut self, lane: usize, what: &What) {
        let row = self.scene.rows.len();
        let with_fd = self.scene.lanes[lane].fds;
        let in_call = matches!(what, What::Wait(_));
        // It moves: so it neither waits nor pauses any more.
        for bar in self.scene.bars.iter_mut().filter(|bar| bar.lane == lane && bar.to.is_none()) {
            if !(in_call && bar.kind == Stretch::Inside) {
                bar.to = Some(row);
            }
        }
        let open = |kind| Bar { lane, kind, from: row, to: None };
        let beside = match what {
            What::Begin(call) => {
                self.begun.insert(lane);
                self.scene.bars.push(open(Stretch::Inside));
                let (words, details) = words::call(call, with_fd, false);
                let details = shortened(details);
                Beside::Call { fd: call.fd, words, details, failed: false, begun: true }
            }
            What::Call(call) => self.returned(lane, call, with_fd),
            What::Wait(waiting) => {
                self.scene.bars.push(open(Stretch::Waits));
                Beside::Rest(words::lines(&words::waits(waiting, with_fd), words::LINE, 2))
            }
            What::Meet { text } => {
                self.scene.bars.push(open(Stretch::Pause));
                Beside::Rest(words::lines(&format!("pauses until {text}"), words::LINE, 2))
            }
            What::Print { text } => {
                let all: Vec<&str> = text.split('\n').collect();
                let mut lines: Vec<String> = words::lines(all[0], words::LINE - 2, 2);
                if all.len() > 1 {
                    lines.truncate(1);
                    lines.push(format!("… ({} lines more)", all.len() - 1));
                }
                Beside::Says(lines)
            }
            What::Input { prompt, text } => {
                let typed = text.as_ref().map_or("⟨end of input⟩".to_owned(), |text| format!("{text}⏎"));
                Beside::Types(words::lines(&format!("{prompt}{typed}"), words::LINE - 4, 2))
            }
            What::Exit(exit) => {
                self.scene.lanes[lane].ended = Some(row);
                let (text, badly) = words::ended(exit);
                Beside::Ends { text, badly }
            }
            _ => return,
        };
        self.scene.rows.push(Row { beside: Some((lane, beside)), ..Row::default() });
    }

    fn returned(&mut self, lane: usize, call: &Call, with_fd: bool) -> Beside {
        let begun = self.begun.remove(&lane);
        if call.socket_type() == Some(SocketType::Datagram)
            && let Some(fd) = call.ret
        {
            self.datagrams.insert((lane, fd as i32));
        }
        let datagrams = call.fd.is_some_and(|fd| self.datagrams.contains(&(lane, fd)));
        let (words, mut details) = words::call(call, with_fd, begun);
        let wired = self.scene.lanes.iter().any(|lane| lane.host == Host::B);
        // Of a socket whose connection failed the kernel tells no queue that means anything.
        let told = call.queues.filter(|_| matches!(call.errno, None | Some(Errno::EAGAIN)));
        details.extend(told.into_iter().flat_map(|queues| words::queues(queues, datagrams, wired)));
        Beside::Call { fd: call.fd, words, details: shortened(details), failed: call.errno.is_some(), begun: false }
    }

    /// What the kernel answered: below the call that it was asked after, or in a row of its own. It is not told twice.
    fn look(&mut self, lane: usize, fd: i32, beside: Beside) {
        if let Beside::Looks(text) = &beside
            && let Some(Row { beside: Some((last, Beside::Call { fd: of, details, .. })), .. }) =
                self.scene.rows.last_mut()
            && (*last, *of) == (lane, Some(fd))
        {
            let mut all: Vec<String> = details.iter().flat_map(|line| line.split(DOT)).map(str::to_owned).collect();
            if !all.contains(text) {
                all.push(text.clone());
                *details = shortened(all);
            }
            return;
        }
        self.scene.rows.push(Row { beside: Some((lane, beside)), ..Row::default() });
    }

    fn frame(&mut self, frame: &Frame) {
        if frame.fate == Fate::Overtaken {
            return;
        }
        let row = self.scene.rows.len();
        if frame.arrives() {
            let mut kept = self.scene.arrows.iter_mut().rev();
            if let Some(arrow) = kept.find(|arrow| arrow.number == frame.number && arrow.arrives.is_none()) {
                arrow.arrives = Some(row);
                arrow.fate = frame.fate;
                self.scene.rows.push(Row::default());
                return;
            }
        }
        let (from, to) = (self.end(&frame.from, frame.dir.0), self.end(&frame.to, frame.dir.1));
        let (Some(from), Some(to)) = (from, to) else { return };
        let arrow = Arrow {
            from,
            to,
            label: words::label(frame),
            data: words::carries(frame),
            bad: frame.flags().contains(TcpFlags::RST)
                || matches!(frame.proto, Proto::Icmp { kind: 3, code } if code != 4),
            number: frame.number,
            fate: frame.fate,
            begins: row,
            arrives: (frame.fate != Fate::Held).then_some(row),
        };
        let index = self.scene.arrows.len();
        // On the outer side of a lifeline there is room for its cause.
        let outer = self.scene.is_outer(from);
        if frame.by_timer {
            let beside = Some((from, Beside::Timer(words::timer(frame))));
            if !outer {
                self.scene.rows.push(Row { beside, ..Row::default() });
                self.push_arrow(Arrow { begins: row + 1, arrives: arrow.arrives.map(|row| row + 1), ..arrow }, None);
            } else {
                self.push_arrow(arrow, beside);
            }
            return;
        }
        if let Some(Row { beside: Some((lane, Beside::Call { .. })), arrow: none @ None, .. }) =
            self.scene.rows.last_mut()
            && *lane == from
            && self.causes
            && outer
        {
            *none = Some(index);
            let row = row - 1;
            let arrives = arrow.arrives.map(|_| row);
            self.scene.arrows.push(Arrow { begins: row, arrives, ..arrow });
            return;
        }
        self.push_arrow(arrow, None);
    }

    fn push_arrow(&mut self, arrow: Arrow, beside: Option<(usize, Beside)>) {
        let index = self.scene.arrows.len();
        self.scene.arrows.push(arrow);
        self.scene.rows.push(Row { beside, arrow: Some(index), ..Row::default() });
    }

    /// The lifeline of a frame's end: that of the role that it names, or one of its host's.
    fn end(&self, name: &Option<String>, host: Host) -> Option<usize> {
        let lanes = || self.scene.lanes.iter().enumerate().filter(|(_, lane)| lane.host == host);
        let role = name.as_deref().and_then(|name| name.split(':').next());
        let named = lanes().find(|(_, lane)| Some(lane.name.as_str()) == role);
        // The innermost one.
        let any = || if host == Host::B { lanes().next() } else { lanes().next_back() };
        named.or_else(any).map(|(index, _)| index)
    }

    fn across(&mut self, lines: Vec<String>) {
        self.scene.rows.push(Row { across: lines, ..Row::default() });
    }

    fn leave_out(&mut self, events: &[&Event]) {
        let calls = events.iter().filter(|event| matches!(event.what, What::Call(_))).count();
        let frames = events.iter().filter(|event| matches!(event.what, What::Frame(_))).count();
        let text = format!("… {} events are not drawn here: {calls} calls, {frames} frames, and more", events.len());
        self.across(vec![text]);
        self.read += events.len();
    }
}

/// Lines of details, as few as they fit on, but at most two.
fn shortened(details: Vec<String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for detail in details {
        match lines.last_mut() {
            Some(last) if last.width() + DOT.width() + detail.width() <= words::DETAIL => {
                *last += DOT;
                *last += &detail;
            }
            _ => lines.push(cut(&detail, words::DETAIL)),
        }
    }
    if lines.len() > 2 {
        lines.truncate(2);
        lines[1] = cut(&format!("{}{DOT}…", lines[1]), words::DETAIL);
    }
    lines
}
