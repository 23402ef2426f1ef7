//! The demo: all roles on a stage, and a view of what they do.

use std::io::{self, BufRead, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;

use rustix::termios::tcgetwinsize;

use super::arguments::Arguments;
use super::files::FileWriter;
use super::outside::Outside;
use super::play::{RunOptions, play};
use super::{Lab, exit};
use crate::output::{self, Reader};
use crate::stage::{self, Choice, Ending, Hosts};
use crate::trace::{Event, Status, Trace, What, error_name};
use crate::view::{Collapse, Transcript, capture, diagram, json, text};
use crate::wire::Script;

/// Plays the demo once and shows it.
pub(super) fn run(lab: &Lab, arguments: &Arguments) -> u8 {
    let mut named = [&arguments.pcap, &arguments.diagram].into_iter().flatten().peekable();
    let has_files = named.peek().is_some();
    for path in named {
        if let Err(error) = output::can_be_written(path) {
            return cannot_write(lab, path, &error);
        }
    }
    let Ok(writer) = has_files.then(FileWriter::start).transpose().map_err(|error| stage_failed(lab, &error)) else {
        return exit::LACKING;
    };
    let at_a_terminal = !arguments.json && io::stdout().is_terminal() && io::stderr().is_terminal();
    let guide = lab.guide.filter(|_| at_a_terminal).map(|guide| Outside::start(|| guide(lab).join("\n")));
    let Ok(guide) = guide.transpose().map_err(|error| stage_failed(lab, &error)) else { return exit::LACKING };
    let Some(mut hosts) = open_hosts(lab, arguments) else { return exit::LACKING };
    let mut transcript = collapsed(lab, &hosts, !arguments.step);
    let mut kept = Trace::default();
    let mut printed = Ok(Reader::There);
    let mut tell = |event: &Event| {
        if arguments.step && !matches!(event.what, What::Start(_)) && !next_wanted() {
            return ControlFlow::Break(());
        }
        if writer.is_some() {
            kept.events.push(event.clone());
        }
        let text = if arguments.json { json::line(event) + "\n" } else { transcript.lines(event) };
        printed = output::print(&text);
        if matches!(printed, Ok(Reader::There)) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let played = play(lab, RunOptions::of(arguments), &mut hosts, &mut tell);
    if matches!(printed, Ok(Reader::There)) && !arguments.json {
        printed = output::print(&transcript.rest());
    }
    if let Err(unwritten) = printed {
        return lab.fails(&unwritten);
    }
    // What was played so far is worth having, however it ended.
    let written = writer.map_or(exit::OK, |writer| write_files(lab, arguments, writer, &kept));
    match played {
        Ok(ending) => {
            report_scenes_left_out(lab, arguments, &hosts);
            report_idle_faults(lab, &hosts);
            let code = report(lab, &ending).max(written);
            if code == exit::OK && ending != Ending::Left && !arguments.json {
                say_where_to_go_on(lab, arguments, at_a_terminal, guide);
            }
            code
        }
        Err(error) => stage_failed(lab, &error),
    }
}

/// Says what the stage itself could not do, and gives the exit code.
pub(super) fn stage_failed(lab: &Lab, error: &io::Error) -> u8 {
    output::complain(format_args!("{}: the stage failed: {}", lab.label(), stage::explained(error)));
    exit::LACKING
}

/// Opens the stage's hosts, and says so where they are not private. `None` where a wire cannot be had.
pub(super) fn open_hosts(lab: &Lab, arguments: &Arguments) -> Option<Hosts> {
    let choice = arguments.hosts(lab);
    let wired = matches!(choice, Choice::Wire(_));
    let hosts = Hosts::open(choice);
    let label = lab.label();
    match &hosts {
        Hosts::Loopback(why) if wired => {
            output::complain(format_args!(
                "{label}: no wire ({why}): it takes two private hosts, and this machine gives none: \
                 `socklab doctor` says how to get them; {} shows what was recorded",
                lab.page()
            ));
            return None;
        }
        Hosts::Loopback(why) => output::complain(format_args!(
            "{label}: no private host ({why}): running on this machine's loopback, \
             with free ports in place of the classic ones"
        )),
        Hosts::Private { .. } | Hosts::Wired { .. } => {}
    }
    Some(hosts)
}

/// A transcript of this lab's roles on these hosts.
pub(super) fn transcript(lab: &Lab, hosts: &Hosts) -> Transcript {
    let columns = tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col.into()).filter(|columns| *columns > 0);
    let transcript = Transcript::new(&lab.role_names());
    let transcript = match columns {
        Some(columns) => transcript.with_title_within(columns),
        None => transcript,
    };
    let transcript =
        if lab.scenes.iter().any(|scene| scene.has_children) { transcript.with_children() } else { transcript };
    if matches!(hosts, Hosts::Wired { .. }) { transcript.with_frames() } else { transcript }
}

/// The same, with repeats collapsed in the scenes that ask for it, if they may be.
pub(super) fn collapsed(lab: &Lab, hosts: &Hosts, may_be: bool) -> Collapse {
    let scenes = lab.scenes.iter().zip(1..).filter(|(scene, _)| may_be && scene.collapses_repeats);
    Collapse::new(transcript(lab, hosts), scenes.map(|(_, number)| number).collect())
}

/// Says which scenes were left out of all: on a wire those that have none, and those that are left to chance.
fn report_scenes_left_out(lab: &Lab, arguments: &Arguments, hosts: &Hosts) {
    let left_out = lab.scenes_on(true);
    if matches!(hosts, Hosts::Wired { .. }) && arguments.only_scene().is_none() && !left_out.is_empty() {
        output::complain(format_args!("{}: left out, since they are about one host: scenes {left_out}", lab.label()));
    }
    let chances = lab.scenes_that(|scene| scene.by_chance);
    if arguments.only_scene().is_none() && !arguments.runs_freely() && !chances.is_empty() {
        output::complain(format_args!(
            "{}: left out, since what comes of them is left to chance: scenes {chances}: --repeat 25 counts",
            lab.label()
        ));
    }
}

/// Says which of the faults that were asked for have met no frame: what was shown is not what they do.
fn report_idle_faults(lab: &Lab, hosts: &Hosts) {
    for line in hosts.script().into_iter().flat_map(Script::idle) {
        output::complain(format_args!("{}: `{line}` met no frame", lab.label()));
    }
}

/// Writes the files that were asked for, and gives the exit code.
fn write_files(lab: &Lab, arguments: &Arguments, mut writer: FileWriter, trace: &Trace) -> u8 {
    let capture = arguments.pcap.as_ref().map(|path| (path, capture::pcapng(&trace.events)));
    let diagram = match &arguments.diagram {
        None => None,
        Some(path) => match picture(lab, arguments, trace) {
            Ok(picture) => Some((path, picture.into_bytes())),
            Err(complaint) => {
                output::complain(format_args!("{}: {complaint}", lab.label()));
                return exit::USAGE;
            }
        },
    };
    for (path, bytes) in capture.into_iter().chain(diagram) {
        if let Err(error) = writer.write(path, &bytes) {
            return cannot_write(lab, path, &error);
        }
        output::complain(format_args!("{}: wrote {}", lab.label(), path.display()));
    }
    exit::OK
}

/// The diagram that was asked for; what a slide leaves out is said.
fn picture(lab: &Lab, arguments: &Arguments, trace: &Trace) -> Result<String, String> {
    if !arguments.slide {
        return Ok(diagram::svg(&trace.events));
    }
    let number = arguments.part;
    let slide = diagram::slide(&trace.events, number)?;
    if slide.of > number {
        let (of, next) = (slide.of, number + 1);
        output::complain(format_args!("{}: slide {number} of {of}; --part {next} draws the next one", lab.label()));
    }
    Ok(slide.svg)
}

/// Says that a file cannot be written, and gives the exit code.
fn cannot_write(lab: &Lab, path: &Path, error: &io::Error) -> u8 {
    let what = format!("write {}: {}: {error}", path.display(), error_name(error));
    lab.fails(&format_args!("{what}: name a file that you may write"))
}

/// Says, below the transcript and not as a part of it, which scenes there are more, and, to somebody at a terminal,
/// what to read and to do next.
fn say_where_to_go_on(lab: &Lab, arguments: &Arguments, at_a_terminal: bool, guide: Option<Outside>) {
    let (label, count) = (lab.label(), lab.scenes.len());
    let mut lines = Vec::new();
    match arguments.only_scene().map(|number| number as usize) {
        Some(number) if at_a_terminal && number < count => lines.push(format!(
            "Scene {number} of {count}. The next: just {label} --scene {}; all: just {label} --all",
            number + 1
        )),
        Some(number) if at_a_terminal && count > 1 => lines.push(format!("Scene {number} of {count}, the last one")),
        // In a pipe or a file it would not be noticed that there is more.
        Some(number) if arguments.scene.is_none() && number < count => {
            output::complain(format_args!("{label}: scene {number} of {count}; --all plays all of them"));
        }
        _ => {}
    }
    if at_a_terminal {
        // A guide that has died has nothing to say, and the demo was as it is.
        lines.extend(guide.and_then(|guide| guide.finish().ok()).filter(|told| !told.is_empty()));
        if !lines.is_empty() {
            output::complain(format_args!("\n{}", lines.join("\n")));
        }
    }
}

/// Says what was not as it is meant to be, and gives the exit code for it.
pub(super) fn report(lab: &Lab, ending: &Ending) -> u8 {
    let label = lab.label();
    match ending {
        Ending::Done | Ending::Left => exit::OK,
        // Which scene it was is said.
        Ending::Void => exit::HUNG,
        Ending::Waiting(waiting) => {
            let waits: Vec<String> =
                waiting.iter().map(|one| format!("{} waits {}", one.role, text::waits_in(one))).collect();
            let waits = waits.join(", ");
            output::complain(format_args!(
                "{label}: {waits}; nothing will ever end that, and this lab is not meant to end so"
            ));
            exit::HUNG
        }
        Ending::LoopsForever => {
            output::complain(format_args!("{label}: a role loops forever, and this lab is not meant to end so"));
            exit::HUNG
        }
        Ending::Endless => {
            output::complain(format_args!(
                "{label}: the kernel still tried to send, and was left at it (--patience sets how long to wait)"
            ));
            exit::HUNG
        }
        // The role itself has said why.
        Ending::Failed { status: Status::Code(stage::NOT_STARTED), .. } => exit::LACKING,
        Ending::Failed { role, status: Status::Code(1) } => {
            output::complain(format_args!("{label}: {role} ended with an error, as the transcript shows"));
            exit::FAILED
        }
        Ending::Failed { role, status } => {
            output::complain(format_args!("{label}: {role} died ({status}), and the demo is not complete"));
            exit::DIED
        }
        Ending::Hung { role, doing } => {
            output::complain(format_args!(
                "{label}: {role} did not come back and was {doing}; it was ended (--patience sets how long to wait)"
            ));
            exit::HUNG
        }
    }
}

/// Waits for Enter; false for `q` and at the end of the input.
fn next_wanted() -> bool {
    let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    if terminal {
        let _ = io::stderr().write_all(b"[Enter: next event, q: end] ");
    }
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    if terminal {
        // Enter has left the prompt's line, Ctrl-D has not: go there, and clear it.
        let clear: &[u8] = if line.ends_with('\n') { b"\x1b[1A\x1b[2K" } else { b"\r\x1b[2K" };
        let _ = io::stderr().write_all(clear);
    }
    matches!(read, Ok(count) if count > 0) && line.trim() != "q"
}
