//! Plays a lab's scenes on a stage, one after the other, and reports every event.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::arguments::Arguments;
use super::command::{Permission, permit};
use super::own_folder::FreshFolder;
use super::scene::RoleSpec;
use super::{Endpoint, Lab, Scene, clock};
use crate::output;
use crate::stage::{self, Ending, EventSink, Hosts, Play, RolePlay, Watch, WhenSlow};
use crate::trace::{Event, Host, Start, Status, What};
use crate::wire::{Plan, Script};

/// How the scenes are to be played.
#[derive(Clone, Copy)]
pub(super) struct RunOptions {
    /// Only this scene.
    pub scene: Option<u32>,
    /// Without the baton.
    pub free: bool,
    pub patience: Duration,
    /// Every frame is shown byte by byte.
    pub bytes: bool,
    /// A scene on a wire that the machine proves too slow for is played again. On a terminal it is not, where each line
    /// is shown as it comes, and with `--step` it is the person that sets the pace.
    pub when_slow: WhenSlow,
}

/// What is said of a scene that was played again.
pub const PLAYED_AGAIN: &str = "was played again, since the machine was too slow for it";

impl RunOptions {
    pub fn of(arguments: &Arguments) -> RunOptions {
        RunOptions {
            scene: arguments.only_scene(),
            free: arguments.free,
            patience: Duration::from_secs(arguments.patience),
            bytes: arguments.bytes,
            when_slow: match (arguments.free || arguments.step, io::stdout().is_terminal()) {
                (true, _) => WhenSlow::Ignore,
                (false, true) => WhenSlow::Report,
                (false, false) => WhenSlow::Void,
            },
        }
    }
}

/// Plays the scenes, one after the other, and reports every event. The ending is that of the first scene that did not
/// end as it is meant to, or `Done`.
pub(super) fn play(
    lab: &Lab,
    options: RunOptions,
    hosts: &mut Hosts,
    tell: &mut dyn FnMut(&Event) -> ControlFlow<()>,
) -> io::Result<Ending> {
    stage::make_room()?;
    let mut sink = EventSink::new(tell);
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (host, stage) = match hosts {
        Hosts::Private { .. } => (Host::A, "private"),
        Hosts::Wired { .. } => (Host::A, "wire"),
        Hosts::Loopback(_) => (Host::Local, "loopback"),
    };
    let start = Start {
        lab: format!("{:02} {}", lab.number, lab.name),
        question: lab.question.to_owned(),
        stage,
        kernel: kernel(),
        began_us: u64::try_from(began.as_micros()).unwrap_or_default(),
        seed: hosts.script().filter(|script| script.is_random()).map(|script| script.seed),
        unpinned: hosts.unpinned(),
    };
    if sink.announce(0, host, What::Start(start)).is_break() {
        return Ok(Ending::Left);
    }
    let mut first_wrong = Ending::Done;
    for (scene, number) in lab.scenes.iter().zip(1..) {
        let has_no_wire = scene.one_host && matches!(hosts, Hosts::Wired { .. });
        let is_left_to_chance = scene.by_chance && !options.free;
        if options.scene.is_some_and(|only| only != number) || has_no_wire || is_left_to_chance {
            continue;
        }
        if let (Hosts::Loopback(_), [(file, value), ..]) = (&*hosts, &scene.settings[..]) {
            if options.scene.is_some() {
                let label = lab.folder();
                output::complain(format_args!(
                    "{label}: scene {number} takes a private host, on which /proc/sys/net/{file} is {value}"
                ));
            }
            continue;
        }
        let ending = play_until_valid(lab, scene, number, options, (hosts, host), &mut sink)?;
        match ending {
            Ending::Done => {}
            Ending::Waiting(_) if scene.ends_waiting => {}
            Ending::LoopsForever if scene.loops_forever => {}
            Ending::Left | Ending::Hung { .. } => return Ok(ending),
            // The next one could not be started either.
            Ending::Failed { status: Status::Code(stage::NOT_STARTED), .. } => return Ok(ending),
            wrong if first_wrong == Ending::Done => first_wrong = wrong,
            _ => {}
        }
    }
    Ok(first_wrong)
}

/// Plays a scene. One that the machine proves too slow for is played again, and only the last time is reported: if that
/// is void, too, a note says so.
fn play_until_valid(
    lab: &Lab,
    scene: &Scene,
    number: u32,
    options: RunOptions,
    (hosts, host): (&mut Hosts, Host),
    sink: &mut EventSink<'_>,
) -> io::Result<Ending> {
    let may_be_void = options.when_slow == WhenSlow::Void && matches!(hosts, Hosts::Wired { .. });
    let mut play = |when_slow, sink: &mut EventSink<'_>| {
        play_scene(lab, scene, number, RunOptions { when_slow, ..options }, (&mut *hosts, host), sink)
    };
    let (played, again) = match may_be_void {
        true => REPLAYS.until_valid(sink, play),
        false => (play(options.when_slow, sink), 0),
    };
    let label = lab.label();
    if again > 0 {
        let most = REPLAYS.most;
        output::complain(format_args!("{label}: scene {number} {PLAYED_AGAIN} ({again} of at most {most} times)"));
    }
    if matches!(played, Ok(Ending::Void)) {
        output::complain(format_args!(
            "{label}: the machine was too slow for scene {number}: it may differ from other runs"
        ));
    }
    // What was played before an error is worth having, too.
    if sink.release().is_break() { Ok(Ending::Left) } else { played }
}

/// How often and how long a scene is played again that the machine proves too slow for.
struct Replays {
    most: u32,
    /// After this no new replay begins.
    longest: Duration,
}

const REPLAYS: Replays = Replays { most: 100, longest: Duration::from_secs(60) };

impl Replays {
    /// Plays until the scene is not void: `play` leaves off a void one. The last time that is allowed it goes on to the
    /// end. Gives how that ended, and how often it was played again; the sink holds what was played the last time.
    fn until_valid(
        &self,
        sink: &mut EventSink<'_>,
        mut play: impl FnMut(WhenSlow, &mut EventSink<'_>) -> io::Result<Ending>,
    ) -> (io::Result<Ending>, u32) {
        let began = Instant::now();
        let mut again = 0;
        loop {
            sink.hold();
            let is_last = again >= self.most || began.elapsed() >= self.longest;
            let played = play(if is_last { WhenSlow::Report } else { WhenSlow::Void }, sink);
            if is_last || !matches!(played, Ok(Ending::Void)) {
                return (played, again);
            }
            sink.forget();
            again += 1;
        }
    }
}

fn play_scene(
    lab: &Lab,
    scene: &Scene,
    number: u32,
    options: RunOptions,
    (hosts, host): (&mut Hosts, Host),
    sink: &mut EventSink<'_>,
) -> io::Result<Ending> {
    let script = Script::of(scene.faults).map_err(io::Error::other)?;
    let plan = Plan { needs_arp: scene.needs_arp, script, ..Plan::default() };
    let (address, wire) = hosts.prepare(lab.port, &plan, &scene.settings)?;
    let begins = What::Scene { text: scene.title.to_owned(), port: address.port() };
    let script = hosts.script().map(|script| plan.script.and(script)).filter(|script| !script.is_empty());
    let conditions = script.map(|script| What::Note { text: format!("on this wire: {script}") });
    let moment = scene.clock.map(clock::moment).transpose()?;
    let time = scene.clock.map(|time| What::Note { text: format!("the clock of this stage stands: it is {time}") });
    let settings = scene.settings.iter().filter(|_| matches!(hosts, Hosts::Private { .. })).map(|(file, value)| {
        let name = format!("net.{}", file.replace('/', "."));
        What::Note { text: format!("on this host {name} is {value}") }
    });
    for what in [Some(begins), conditions, time].into_iter().flatten().chain(settings) {
        if sink.announce(number, host, what).is_break() {
            return Ok(Ending::Left);
        }
    }
    let typed: Vec<String> = scene.roles.iter().flat_map(|spec| &spec.lines).map(|line| (*line).to_owned()).collect();
    let folder = |spec: &RoleSpec| spec.has_folder.then(FreshFolder::make).transpose();
    let folders: Vec<Option<FreshFolder>> = scene.roles.iter().map(folder).collect::<io::Result<_>>()?;
    let shared = scene.one_folder.then(FreshFolder::make).transpose()?;
    let roles = scene.roles.iter().zip(&folders).map(|(spec, folder)| {
        let folder = folder.as_ref().or(shared.as_ref());
        let commands = [typed.clone(), spec.more_commands.clone()].concat();
        let body = move || {
            clock::stands_at(moment);
            if spec.runs_commands {
                // What commands answer does not depend on the caller's folder, nor on whether it is still there.
                std::env::set_current_dir("/")?;
                // Root's programs get all capabilities back, which a role has not: not even in a demo shall they.
                rustix::thread::set_no_new_privs(true)?;
                permit(Permission::Only(commands));
            }
            if let Some(folder) = folder {
                std::env::set_current_dir(folder.path())?;
            }
            (spec.role)(Endpoint { server: address, port: lab.port })
        };
        let lines = spec.lines.iter().map(|line| (*line).to_owned()).collect();
        RolePlay { name: spec.name, lines, slow: spec.slow, dies: spec.dies, body: Box::new(body) }
    });
    let play = Play {
        scene: number,
        roles: roles.collect(),
        endpoint: (address, lab.port),
        host,
        wire,
        loops_forever: scene.loops_forever,
        watch: Watch { bytes: options.bytes, ..scene.watch },
        patience: options.patience,
        free: options.free,
        when_slow: options.when_slow,
    };
    stage::play(play, sink)
}

/// The kernel's release.
pub(super) fn kernel() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a scene that is void the first `void` times; its ending, and how often it was replayed.
    fn played(replays: &Replays, void: u32) -> (Vec<String>, Ending, u32) {
        let mut told = Vec::new();
        let mut tell = |event: &Event| {
            told.push(format!("{} {:?}", event.n, event.what));
            ControlFlow::Continue(())
        };
        let mut sink = EventSink::new(&mut tell);
        let mut time = 0;
        let (ending, again) = replays.until_valid(&mut sink, |when_slow, sink| {
            time += 1;
            let _ = sink.announce(1, Host::A, What::Note { text: format!("play {time}, {when_slow:?}") });
            Ok(if time <= void { Ending::Void } else { Ending::Done })
        });
        assert!(sink.release().is_continue());
        (told, ending.expect("an ending"), again)
    }

    fn note(n: u32, text: &str) -> Vec<String> {
        vec![format!("{n} {:?}", What::Note { text: text.to_owned() })]
    }

    #[test]
    fn a_scene_is_played_until_it_is_not_void_and_only_the_last_time_is_told() {
        assert_eq!(played(&REPLAYS, 2), (note(1, "play 3, Void"), Ending::Done, 2));
        assert_eq!(played(&REPLAYS, 0), (note(1, "play 1, Void"), Ending::Done, 0));
    }

    #[test]
    fn a_scene_that_stays_void_is_played_to_its_end_at_last_and_is_void() {
        let most = Replays { most: 3, longest: Duration::from_secs(3600) };
        assert_eq!(played(&most, u32::MAX), (note(1, "play 4, Report"), Ending::Void, 3));
        let none = Replays { most: 3, longest: Duration::ZERO };
        assert_eq!(played(&none, u32::MAX), (note(1, "play 1, Report"), Ending::Void, 0));
    }
}
