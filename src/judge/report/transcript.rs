//! All that happened while an attempt was judged: the calls of our peers, the steps, the lines of the program.

use crate::judge::grade::Grade;
use crate::trace::{Event, Host, What};
use crate::view::Transcript;

/// The transcript of each check, one behind the other.
pub fn transcript(grade: &Grade) -> String {
    let mut text = String::new();
    for (number, checked) in (1..).zip(&grade.checks) {
        let mut roles: Vec<&str> = checked.events.iter().filter_map(|event| event.role.as_deref()).collect();
        roles.sort_unstable();
        roles.dedup();
        let transcript = Transcript::new(&roles);
        let what = What::Scene { text: format!("{}: it {}", checked.check.name, checked.check.claim), port: 0 };
        let scene = Event { n: 0, at_ns: 0, scene: number, role: None, actor: None, host: Host::A, what };
        text.push_str(&transcript.lines(&scene));
        checked.events.iter().for_each(|event| text.push_str(&transcript.lines(event)));
    }
    text + "\n"
}
