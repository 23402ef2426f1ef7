//! How long answers take: a lab run many times, free-running, timed by its roles' own clocks.

use std::fmt::Write as _;

use serde_json::json;

use super::arguments::Arguments;
use super::demo;
use super::play::{self, RunOptions};
use super::repeat::play_all;
use super::{Lab, exit};
use crate::output;
use crate::stage::Ending;
use crate::trace::{Event, What};

/// The times of one scene: for each line that was typed, from there to the next line that its role printed.
struct Scene {
    number: u32,
    title: String,
    lines: Vec<(String, Vec<u64>)>,
}

/// Runs the lab as often as asked, and prints how long each typed line waited for its answer.
pub(super) fn run(lab: &Lab, arguments: &Arguments) -> u8 {
    let runs = arguments.repeat.unwrap_or(1);
    let Some(mut hosts) = demo::open_hosts(lab, arguments) else { return exit::LACKING };
    let options = RunOptions { free: true, ..RunOptions::of(arguments) };
    let mut scenes: Vec<Scene> = Vec::new();
    let all = play_all(lab, options, &mut hosts, runs, |events, ending| match ending {
        Ending::Done | Ending::Waiting(_) => {
            add(&mut scenes, &events);
            Ok(())
        }
        ending => Err(demo::report(lab, &ending)),
    });
    if let Err(code) = all {
        return code;
    }
    scenes.retain(|scene| !scene.lines.is_empty());
    if scenes.is_empty() {
        output::complain(format_args!("{}: no role of this lab is typed to: there is nothing to time", lab.label()));
        return exit::USAGE;
    }
    let text = if arguments.json { as_json(lab, runs, &scenes) } else { as_text(lab, runs, &scenes) };
    lab.prints(&text, exit::OK)
}

/// Adds what one run took.
fn add(scenes: &mut Vec<Scene>, events: &[Event]) {
    for (index, event) in events.iter().enumerate() {
        if let What::Scene { text, .. } = &event.what
            && !scenes.iter().any(|scene| scene.number == event.scene)
        {
            scenes.push(Scene { number: event.scene, title: text.clone(), lines: Vec::new() });
        }
        let What::Input { prompt, text: Some(typed) } = &event.what else { continue };
        let mut later =
            events[index + 1..].iter().filter(|later| later.scene == event.scene && later.role == event.role);
        let Some(next) = later.find(|later| matches!(later.what, What::Print { .. } | What::Input { .. })) else {
            continue;
        };
        let Some(scene) = scenes.iter_mut().find(|scene| scene.number == event.scene) else { continue };
        if matches!(next.what, What::Print { .. }) {
            let line = format!("{prompt}{typed}");
            let took = next.at_ns.saturating_sub(event.at_ns);
            match scene.lines.iter_mut().find(|(known, _)| *known == line) {
                Some((_, times)) => times.push(took),
                None => scene.lines.push((line, vec![took])),
            }
        }
    }
}

/// The least, the median and the most, in milliseconds.
fn summary(times: &[u64]) -> [f64; 3] {
    let mut times = times.to_vec();
    times.sort_unstable();
    [times[0], times[times.len() / 2], times[times.len() - 1]].map(|nanos| nanos as f64 / 1e6)
}

fn as_text(lab: &Lab, runs: u32, scenes: &[Scene]) -> String {
    let kernel = play::kernel();
    let mut text = format!("Lab {:02} {}, {runs} runs, free-running, on Linux {kernel}\n", lab.number, lab.name);
    text.push_str("Milliseconds from a typed line to the line that answers it\n\n");
    let _ = writeln!(text, "{:60}{:>9}{:>9}{:>9}", "", "least", "median", "most");
    for scene in scenes {
        let _ = writeln!(text, "{}. {}", scene.number, scene.title);
        for (line, times) in &scene.lines {
            let [least, median, most] = summary(times);
            let _ = writeln!(text, "   {line:57}{least:9.1}{median:9.1}{most:9.1}");
        }
    }
    text
}

fn as_json(lab: &Lab, runs: u32, scenes: &[Scene]) -> String {
    let lines = scenes.iter().flat_map(|scene| scene.lines.iter().map(move |(line, times)| (scene, line, times)));
    let lines = lines.map(|(scene, line, times)| {
        let fields = json!({
            "v": crate::trace::VERSION, "lab": lab.number, "scene": scene.number, "title": scene.title,
            "line": line, "runs": runs, "kernel": play::kernel(), "times_ns": times,
        });
        format!("{fields}\n")
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Host;

    fn event(scene: u32, at_ns: u64, role: &str, what: What) -> Event {
        Event { n: 1, at_ns, scene, role: Some(role.to_owned()), actor: None, host: Host::A, what }
    }

    #[test]
    fn an_answer_is_the_next_line_that_the_same_role_prints() {
        let typed = |text: &str| What::Input { prompt: ">>: ".into(), text: Some(text.into()) };
        let printed = || What::Print { text: "x".into() };
        let events = [
            event(1, 0, "client", What::Scene { text: "a scene".into(), port: 1 }),
            event(1, 10, "client", typed("one")),
            event(1, 20, "server", printed()),
            event(1, 50, "client", printed()),
            event(1, 60, "client", typed("no answer")),
            event(1, 70, "client", typed("two")),
            event(2, 80, "client", printed()),
        ];
        let mut scenes = Vec::new();
        add(&mut scenes, &events);
        add(&mut scenes, &events);
        assert_eq!(scenes.len(), 1);
        assert_eq!(scenes[0].lines, [(">>: one".to_owned(), vec![40, 40])]);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(summary(&[9_000_000, 1_000_000, 2_000_000]), [1.0, 2.0, 9.0]);
    }
}
