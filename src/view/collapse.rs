//! A transcript that collapses repeats: of many rounds that are alike it shows a few, and how many more there are.
//!
//! Two events are alike if one role did the same with the same result, apart from what counts on: the numbers of
//! descriptors and frames, and the ports that the kernel chose. Nothing else may differ: not a byte, not a state, not
//! who waits. A trace has all of them.

use std::collections::VecDeque;
use std::mem;

use super::Transcript;
use crate::trace::{Call, Event, Syscall, Value, What};

/// The rounds in a row that are shown before any is left out.
const ROUNDS_SHOWN: usize = 3;

/// The most events that a round has, frames among them.
const MAX_ROUND: usize = 24;

/// The fewest rounds that are left out: fewer are all shown.
const FEWEST_LEFT_OUT: usize = 5;

/// Writes events as lines, and of many rounds that are alike the first three, how many more there are, and the last.
pub struct Collapse {
    transcript: Transcript,
    /// The scenes whose repeats are collapsed.
    scenes: Vec<u32>,
    /// What happened last in such a scene, without what counts on.
    last: VecDeque<(Option<String>, What)>,
    /// How many events a round has, while they come.
    round: Option<usize>,
    /// The lines of each event that belongs to a round that may be left out.
    held: Vec<String>,
}

impl Collapse {
    /// The lines that `transcript` has, with the repeats of these scenes collapsed.
    pub fn new(transcript: Transcript, scenes: Vec<u32>) -> Collapse {
        Collapse { transcript, scenes, last: VecDeque::new(), round: None, held: Vec::new() }
    }

    /// The lines that are due with an event: perhaps none yet, perhaps those of earlier ones before its own.
    pub fn lines(&mut self, event: &Event) -> String {
        let lines = self.transcript.lines(event);
        if !self.scenes.contains(&event.scene) || matches!(event.what, What::Scene { .. }) {
            let due = self.rest();
            self.last.clear();
            return due + &lines;
        }
        // What is not shown is no part of a round.
        if lines.is_empty() {
            return lines;
        }
        let one = (event.actor().map(str::to_owned), without_counts(&event.what));
        let goes_on = self.round.is_some_and(|round| self.last[self.last.len() - round] == one);
        let due = if goes_on { String::new() } else { self.rest() };
        self.last.push_back(one);
        if self.last.len() > ROUNDS_SHOWN * MAX_ROUND {
            self.last.pop_front();
        }
        if goes_on {
            self.held.push(lines);
            return due;
        }
        self.round = (1..=MAX_ROUND).find(|round| self.has_come_again(*round));
        due + &lines
    }

    /// The lines that are still due when nothing comes any more.
    pub fn rest(&mut self) -> String {
        let held = mem::take(&mut self.held);
        let Some(round) = self.round.take() else { return String::new() };
        let left_out = (held.len() / round).saturating_sub(1);
        if left_out < FEWEST_LEFT_OUT {
            return held.concat();
        }
        self.transcript.left_out(left_out) + &held[left_out * round..].concat()
    }

    /// Whether the last events are [`ROUNDS_SHOWN`] rounds of this length.
    fn has_come_again(&self, round: usize) -> bool {
        let Some(begin) = self.last.len().checked_sub(ROUNDS_SHOWN * round) else { return false };
        (begin + round..self.last.len()).all(|at| self.last[at] == self.last[at - round])
    }
}

/// What happened, without the numbers that count on from one round to the next.
fn without_counts(what: &What) -> What {
    let mut what = what.clone();
    match &mut what {
        What::Begin(call) | What::Call(call) => forget_counts(call),
        What::Wait(waiting) => waiting.fd = None,
        What::Probe { fd, .. } => *fd = 0,
        What::Frame(frame) => {
            frame.number = 0;
            // Ports, numbers and checksums vary in it.
            frame.bytes.bytes.clear();
            for end in [&mut frame.from, &mut frame.to].into_iter().flatten() {
                forget_port(end);
            }
        }
        _ => {}
    }
    what
}

fn forget_counts(call: &mut Call) {
    call.fd = call.fd.map(|_| 0);
    if call.name.opens() && call.errno.is_none() {
        call.ret = call.ret.map(|_| 0);
    }
    // A view of text does not show them.
    call.queues = None;
    let is_about_a_descriptor = call.name == Syscall::EpollCtl;
    for (name, value) in call.args.iter_mut().chain(&mut call.out) {
        match value {
            Value::Word(word) => forget_port(word.to_mut()),
            Value::Number(number) if is_about_a_descriptor && name == "fd" => *number = 0,
            Value::Ready(ready) => ready.iter_mut().for_each(|one| one.fd = 0),
            _ => {}
        }
    }
}

/// Of `client:port17`, forgets which of the client's ports it was.
fn forget_port(name: &mut String) {
    let kept = name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    if name[..kept].ends_with(":port") {
        name.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use std::iter::once;

    use super::*;
    use crate::trace::Host;

    fn event(scene: u32, role: &str, what: What) -> Event {
        let role = Some(role.to_owned());
        Event { n: 0, at_ns: 0, scene, actor: role.clone(), role, host: Host::A, what }
    }

    fn print(scene: u32, text: &str) -> Event {
        event(scene, "one", What::Print { text: text.to_owned() })
    }

    /// A call that opens a descriptor, and one that is told the address of the next port.
    fn opening(number: i64) -> [Event; 2] {
        let mut accept = Call::new(Syscall::Accept, Some(3));
        accept.ret = Some(number);
        accept.wrote("addr", format!("client:port{number}"));
        let mut close = Call::new(Syscall::Close, Some(number as i32));
        close.ret = Some(0);
        [accept, close].map(|call| event(1, "one", What::Call(call)))
    }

    /// The lines of these events where the repeats of scene 1 are collapsed, without the names of roles.
    fn shown(events: impl IntoIterator<Item = Event>) -> Vec<String> {
        let mut collapsed = Collapse::new(Transcript::new(&["one"]), vec![1]);
        let mut text = String::new();
        for event in events {
            text += &collapsed.lines(&event);
        }
        text += &collapsed.rest();
        let text = anstream::adapter::strip_str(&text).to_string();
        text.lines().map(|line| line.trim_start().trim_start_matches("one").trim_start().to_owned()).collect()
    }

    #[test]
    fn of_many_rounds_the_first_three_and_the_last_are_shown_and_the_others_counted() {
        let lines = shown((4..204).flat_map(opening).chain([print(1, "over")]));
        let round =
            |number: u32| [format!("accept(3) = {number} from client:port{number}"), format!("close({number}) = 0")];
        let more = "… 196 more rounds like these …".to_owned();
        let rounds = [4, 5, 6].into_iter().flat_map(round).chain([more]).chain(round(203));
        assert_eq!(lines, rounds.chain(["│ over".to_owned()]).collect::<Vec<_>>());
    }

    #[test]
    fn a_round_that_is_not_whole_is_shown_and_not_counted() {
        let lines = shown((4..204).flat_map(opening).take(399));
        assert_eq!(
            lines[6..],
            [
                "… 195 more rounds like these …",
                "accept(3) = 202 from client:port202",
                "close(202) = 0",
                "accept(3) = 203 from client:port203"
            ]
        );
    }

    #[test]
    fn few_rounds_are_all_shown() {
        let few = ROUNDS_SHOWN + FEWEST_LEFT_OUT;
        let lines = |rounds: usize| shown((4..).take(rounds).flat_map(opening));
        assert_eq!(lines(few).len(), 2 * few);
        assert_eq!(lines(few + 1).len(), 2 * (ROUNDS_SHOWN + 1) + 1);
    }

    #[test]
    fn what_differs_in_a_word_or_in_who_did_it_is_no_round() {
        let counts = shown((0..100).map(|number| print(1, &format!("line {number}"))));
        assert_eq!(counts.len(), 100);
        let one_is_another = shown((0..20).map(|number| {
            let role = if number == 10 { "two" } else { "one" };
            event(1, role, What::Print { text: "the same".to_owned() })
        }));
        assert_eq!(one_is_another.iter().filter(|line| line.starts_with('…')).count(), 2);
        assert!(one_is_another.iter().any(|line| line.starts_with("two")), "{one_is_another:?}");
    }

    #[test]
    fn a_result_that_is_no_descriptor_has_to_be_the_same() {
        let sent = |number: usize| {
            let mut call = Call::new(Syscall::Send, Some(3)).sending(b"a");
            call.returned(number);
            event(1, "one", What::Call(call))
        };
        assert_eq!(shown((0..100).map(sent)).len(), 100);
        assert_eq!(shown((0..100).map(|_| sent(1))).len(), ROUNDS_SHOWN + 2);
    }

    #[test]
    fn only_scenes_that_are_meant_to_be_are_collapsed_and_each_for_itself() {
        let same = |scene: u32, count: usize| (0..count).map(move |_| print(scene, "the same"));
        assert_eq!(shown(same(2, 100)).len(), 100);
        let next = event(1, "one", What::Scene { text: "next".to_owned(), port: 1 });
        let both = shown(same(1, 5).chain(once(next)).chain(same(1, 5)));
        assert_eq!(both.iter().filter(|line| *line == "│ the same").count(), 10);
    }

    #[test]
    fn nothing_is_held_back_where_nothing_comes_again() {
        let mut collapsed = Collapse::new(Transcript::new(&["one"]), vec![1]);
        for number in 0..50 {
            assert!(collapsed.lines(&print(1, &format!("line {number}"))).contains(&format!("line {number}")));
        }
        assert_eq!(collapsed.rest(), "");
    }
}
