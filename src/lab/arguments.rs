//! The command line of a lab, read and checked.

use std::ffi::OsString;
use std::iter;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::str::FromStr;

use clap::error::ContextKind;
use clap::{CommandFactory, FromArgMatches, Parser};

use super::{Lab, Needs, Scene, exit};
use crate::output;
use crate::stage::Choice;
use crate::wire::{LinkKind, Plan, Script};

const HELP: &str = "\
Without a role it plays a demo: every role is a process of its own, on a private host, and one acts at a time. It \
shows the first scene; --scene 2 shows another one, --all shows all. With a role it is that one program, in this \
terminal; start the other one in a second terminal.";

const EXIT_CODES: &str = "\
Exit codes: 0 all went as the lab means it to; 1 a role failed; 2 the command line is not understood; \
3 the port is taken; 4 nobody listens there; 5 a role died; 6 a role hung; 7 the machine lacks what was asked for.";

/// The heading of the flags that are about the wire; each of them asks for one.
const WIRE: &str = "The wire";

/// Where there is no wire.
const ONE_HOST: [&str; 2] = ["role", "loopback"];

/// Where nothing may befall its frames: claims are about what a lab does by itself.
const UNDISTURBED: [&str; 3] = ["role", "loopback", "claims"];

#[derive(Debug, Parser)]
#[command(
    after_help = EXIT_CODES,
    disable_version_flag = true
)]
pub(super) struct Arguments {
    /// One role by hand (server, client, …), instead of the demo
    pub role: Option<String>,
    /// By hand: what the role is to do, where it takes words (put photo.jpg)
    #[arg(value_name = "WORDS", trailing_var_arg = true)]
    pub words: Vec<OsString>,
    /// Only this scene; by hand, this scene's roles
    #[arg(long, value_name = "N", value_parser = number::<u32>)]
    pub scene: Option<u32>,
    /// Every scene; without it a transcript is of the first one
    #[arg(long, conflicts_with_all = ["role", "scene"])]
    all: bool,
    /// Wait for Enter before each event; q ends
    #[arg(long, conflicts_with_all = ["role", "repeat", "claims", "json"])]
    pub step: bool,
    /// Print the trace, a JSON object a line
    #[arg(long, conflicts_with = "role")]
    pub json: bool,
    /// Run N times, with the roles running freely, and count the outcomes
    #[arg(long, value_name = "N", conflicts_with_all = ["role", "claims"])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub repeat: Option<u32>,
    /// With --repeat: one role acts at a time, as in the demo
    #[arg(long, requires = "repeat")]
    pub baton: bool,
    /// With --repeat: how long each typed line waits for its answer
    #[arg(long, requires = "repeat", conflicts_with = "baton")]
    pub times: bool,
    /// Let the roles run freely, as they would by themselves
    #[arg(long, conflicts_with_all = ["role", "baton", "step"])]
    pub free: bool,
    /// Use this machine's loopback, even where private hosts can be made
    #[arg(long, conflicts_with = "role")]
    loopback: bool,
    /// Two hosts with a wire between them, and its frames between the calls
    #[arg(long, conflicts_with_all = ONE_HOST, help_heading = WIRE)]
    wire: bool,
    /// How the wire is made: for tests
    #[arg(long, hide = true, value_parser = ["tap", "veth"], conflicts_with_all = ONE_HOST)]
    link: Option<String>,
    /// Take every frame apart, byte by byte
    #[arg(long, conflicts_with_all = ONE_HOST, help_heading = WIRE)]
    pub bytes: bool,
    /// Lose these frames: 3, or client:data:2, or server:5%; may be given several times, as may those below
    #[arg(long, value_name = "WHICH", value_parser = line("drop"), help_heading = WIRE)]
    #[arg(conflicts_with_all = UNDISTURBED)]
    drop: Vec<String>,
    /// Deliver these frames twice
    #[arg(long, value_name = "WHICH", value_parser = line("duplicate"), help_heading = WIRE)]
    #[arg(conflicts_with_all = UNDISTURBED)]
    duplicate: Vec<String>,
    /// Change the last byte of these frames; their checksums stay as they are
    #[arg(long, value_name = "WHICH", value_parser = line("corrupt"), help_heading = WIRE)]
    #[arg(conflicts_with_all = UNDISTURBED)]
    corrupt: Vec<String>,
    /// Hold these frames back until the next one in their direction has passed
    #[arg(long, value_name = "WHICH", value_parser = line("reorder"), help_heading = WIRE)]
    #[arg(conflicts_with_all = UNDISTURBED)]
    reorder: Vec<String>,
    /// Hold every frame for TIME (10ms), or only some (10ms:client:data:2)
    #[arg(long, value_name = "TIME[:WHICH]", value_parser = line("delay"), help_heading = WIRE)]
    #[arg(conflicts_with_all = UNDISTURBED)]
    delay: Vec<String>,
    /// The largest IP packet, in bytes, in place of 1500
    #[arg(long, value_name = "BYTES", value_parser = line("mtu"), help_heading = WIRE)]
    #[arg(conflicts_with_all = UNDISTURBED)]
    mtu: Option<String>,
    /// Bits per second in each direction: 64kbit, 10mbit
    #[arg(long, value_name = "RATE", value_parser = line("rate"), help_heading = WIRE)]
    #[arg(conflicts_with_all = UNDISTURBED)]
    rate: Option<String>,
    /// Let receivers report which later bytes they have: selective acknowledgements
    #[arg(long, conflicts_with_all = UNDISTURBED, help_heading = WIRE)]
    sack: bool,
    /// Seed of the dice for shares (5%): the same number picks the same frames
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = number::<u64>, help_heading = WIRE)]
    seed: u64,
    /// Write the frames to FILE as pcapng, for Wireshark, with the calls as comments
    #[arg(long, value_name = "FILE", help_heading = WIRE)]
    #[arg(conflicts_with_all = ["role", "loopback", "repeat", "claims"])]
    pub pcap: Option<PathBuf>,
    /// Draw the demo to FILE as a sequence diagram, SVG
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "repeat", "claims"])]
    pub diagram: Option<PathBuf>,
    /// With --diagram: a slide, 16:9 with large letters; of a long scene its first part
    #[arg(long, requires = "diagram", conflicts_with = "all")]
    pub slide: bool,
    /// With --slide: the N-th part of a scene that takes several slides
    #[arg(long, value_name = "N", requires = "slide", default_value_t = 1, value_parser = number::<usize>)]
    pub part: usize,
    /// Check the lab's claims against a run
    #[arg(long, conflicts_with = "role")]
    pub claims: bool,
    /// With --claims: what the kernel would have to report for the opposite verdict of each claim
    #[arg(long, requires = "claims")]
    pub prove: bool,
    /// By hand: the server's address, in place of 127.0.0.1 and the classic port
    #[arg(long, value_name = "IP:PORT", requires = "role", value_parser = address)]
    pub address: Option<SocketAddrV4>,
    /// By hand: show each system call on standard error
    #[arg(long, requires = "role")]
    pub calls: bool,
    /// By hand: let the server execute, as you, the commands that any program on this machine sends it; each is
    /// stopped after 5 seconds or 1 MiB of output. A web browser's requests are refused
    #[arg(long, requires = "role")]
    pub allow_commands: bool,
    /// By hand: the folder of a role that has one, in place of the current one; it is made if it is not there
    #[arg(long, value_name = "DIR", requires = "role")]
    pub dir: Option<PathBuf>,
    /// Seconds that a role may take for one step before the demo is ended
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub patience: u64,
    /// What the flags about the wire come to.
    #[arg(skip)]
    script: Script,
}

impl Arguments {
    /// Which hosts the demo of `lab` shall have.
    pub fn hosts(&self, lab: &Lab) -> Choice {
        if self.loopback {
            return Choice::Loopback;
        }
        if lab.hosts != Needs::Wire && !self.asks_for_a_wire() {
            return Choice::Best;
        }
        let kind = self.link.as_deref().map(|kind| if kind == "tap" { LinkKind::Tap } else { LinkKind::Veth });
        Choice::Wire(Plan { kind, script: self.script.clone(), needs_arp: false })
    }

    /// The one scene that is to be played, if it is one. Somebody who reads a transcript gets the first scene and can
    /// ask for the others; what is made for a program or for a file is of all scenes.
    pub fn only_scene(&self) -> Option<u32> {
        let of_all = self.all || self.json || self.pcap.is_some() || self.diagram.is_some();
        let of_all = of_all || self.repeat.is_some() || self.claims;
        self.scene.or((!of_all).then_some(1))
    }

    /// Whether its demo is without the baton.
    pub fn runs_freely(&self) -> bool {
        self.free || self.repeat.is_some() && !self.baton
    }

    /// Puts the flags about the wire together.
    fn read_script(&mut self) -> Result<(), String> {
        let lines: Vec<&str> = self.lines().map(String::as_str).chain(self.sack.then_some("sack")).collect();
        self.script = Script::of(&lines)?;
        self.script.seed = self.seed;
        Ok(())
    }

    /// The scene whose role is played by hand: the one that was asked for, else the first one that has the role.
    pub fn scene_by_hand<'a>(&self, lab: &'a Lab) -> &'a Scene {
        let number = self.scene.map(|number| number as usize - 1);
        let has_it = |scene: &Scene| scene.roles.iter().any(|spec| Some(spec.name) == self.role.as_deref());
        &lab.scenes[number.or_else(|| lab.scenes.iter().position(has_it)).unwrap_or(0)]
    }

    /// What a wire shall do, line by line.
    fn lines(&self) -> impl Iterator<Item = &String> {
        let faults = [&self.drop, &self.duplicate, &self.corrupt, &self.reorder, &self.delay];
        faults.into_iter().flatten().chain(&self.mtu).chain(&self.rate)
    }

    /// Whether something was asked for that there is only on a wire.
    fn asks_for_a_wire(&self) -> bool {
        let wishes = self.wire || self.bytes || self.sack || self.link.is_some() || self.pcap.is_some();
        wishes || self.lines().next().is_some()
    }
}

/// Reads a whole number.
fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "write a whole number, such as 2".to_owned())
}

/// Reads the address of a server.
fn address(text: &str) -> Result<SocketAddrV4, String> {
    let address = text.parse::<SocketAddrV4>().ok().filter(|address| address.port() > 0);
    address.ok_or_else(|| "write IP:PORT, with a port of 1 to 65535: 127.0.0.1:9000".to_owned())
}

/// Reads what a flag says as the line of a script that it is.
fn line(word: &'static str) -> impl Fn(&str) -> Result<String, String> + Clone + Send + Sync + 'static {
    move |text| {
        let line = format!("{word} {text}");
        Script::of(&[&line]).map(|_| line)
    }
}

/// Reads a lab's command line. `Err` has the exit code, after help was printed or a complaint.
pub(super) fn read(lab: &Lab, words: impl IntoIterator<Item = OsString>) -> Result<Arguments, u8> {
    let words = iter::once(OsString::from(lab.label())).chain(words);
    let command = Arguments::command()
        .bin_name(format!("just {}", lab.label()))
        .about(lab.question)
        .long_about(format!("{}\n\n{HELP}", lab.question));
    let matches = command.try_get_matches_from(words).and_then(|matches| Arguments::from_arg_matches(&matches));
    let mut arguments = matches.map_err(|mut error| {
        // The advice to write two hyphens in front of a flag that does not exist: there is nothing that would take it.
        error.remove(ContextKind::Suggested);
        match output::print_clap(&error) {
            Ok(_) if error.use_stderr() => exit::USAGE,
            Ok(_) => exit::OK,
            Err(unwritten) => lab.fails(&unwritten),
        }
    })?;
    let wrong = arguments.read_script().err().or_else(|| wrong(lab, &arguments));
    match wrong {
        Some(complaint) => {
            output::complain(format_args!("{}: {complaint}", lab.label()));
            Err(exit::USAGE)
        }
        None => Ok(arguments),
    }
}

/// What is wrong with arguments that clap could not know about.
fn wrong(lab: &Lab, arguments: &Arguments) -> Option<String> {
    let count = lab.scenes.len();
    if let Some(number) = arguments.scene.filter(|number| *number == 0 || *number as usize > count) {
        let titles = lab.scenes.iter().zip(1..).map(|(scene, number)| format!("\n  {number}  {}", scene.title));
        return Some(format!("there is no scene {number}; there are{}", titles.collect::<String>()));
    }
    if lab.hosts == Needs::OneHost && arguments.asks_for_a_wire() {
        return Some("this lab is about one host: there is no wire in it".to_owned());
    }
    let only = arguments.only_scene().filter(|_| arguments.asks_for_a_wire());
    if let Some(number) = only.filter(|number| lab.scenes[*number as usize - 1].one_host) {
        let others = lab.scenes_on(false);
        return Some(format!("scene {number} is about one host: there is no wire in it; scenes with one: {others}"));
    }
    let only = arguments.only_scene().filter(|_| arguments.role.is_none() && !arguments.runs_freely());
    if let Some(number) = only.filter(|number| lab.scenes[*number as usize - 1].by_chance) {
        return Some(format!("what comes of scene {number} is left to chance: add --repeat 25, which counts"));
    }
    if lab.hosts == Needs::Wire && arguments.loopback {
        return Some("this lab is about the wire between two hosts: on the loopback there is none".to_owned());
    }
    if let Choice::Wire(plan) = arguments.hosts(lab)
        && let Some(stranger) = plan.script.stranger(&lab.role_names())
    {
        let names = lab.role_names().join(", ");
        return Some(format!("{stranger:?} is neither a kind of frame nor a role of this lab; its roles: {names}"));
    }
    let role = arguments.role.as_deref()?;
    let scene = arguments.scene_by_hand(lab);
    let Some(spec) = scene.roles.iter().find(|spec| spec.name == role) else {
        let names: Vec<&str> = scene.roles.iter().map(|spec| spec.name).collect();
        return Some(format!("scene \"{}\" has no role {role:?}; it has: {}", scene.title, names.join(", ")));
    };
    if spec.words.is_none() && !arguments.words.is_empty() {
        let those_that_do = lab.roles_that(|spec| spec.words.is_some(), "does");
        let first = arguments.words[0].to_string_lossy();
        return Some(format!("{role} takes no words{those_that_do}: leave out {first:?}"));
    }
    if arguments.dir.is_some() && !spec.has_folder {
        return Some(format!("{role} has no folder{}: leave out --dir", lab.roles_that(|spec| spec.has_folder, "has")));
    }
    if arguments.allow_commands && !spec.runs_commands {
        let those_that_do = lab.roles_that(|spec| spec.runs_commands, "does");
        return Some(format!("{role} executes no commands{those_that_do}: leave out --allow-commands"));
    }
    let address = arguments.address.filter(|address| !address.ip().is_loopback())?;
    Some(format!("{address} can be reached from outside; the labs use loopback addresses only, 127.0.0.1:{}", lab.port))
}
