//! The command line of a lab.

use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};

use super::{Lab, Needs, by_hand, claim_report, demo, exit, repeat};
use crate::stage::Choice;
use crate::wire::Kind;

const HELP: &str = "\
Without a role it plays the demo: every role in a process of its own, on a private host, one call after the other. \
With a role it is that one program, in this terminal; start the other one in a second terminal.";

const EXIT_CODES: &str = "\
Exit codes: 0 all went as the lab means it to; 1 a role failed; 2 the command line is not understood; \
3 the port is taken; 4 nobody listens there; 5 a role died; 6 a role hung; 7 the machine lacks what was asked for.";

#[derive(Debug, Parser)]
#[command(
    after_help = EXIT_CODES,
    disable_version_flag = true
)]
pub(super) struct Arguments {
    /// One role by hand (server, client, …), instead of the demo
    pub role: Option<String>,
    /// Only this scene; by hand, this scene's roles
    #[arg(long, value_name = "N")]
    pub scene: Option<u32>,
    /// Wait for Enter before each event; q ends
    #[arg(long, conflicts_with_all = ["role", "repeat", "claims", "json"])]
    pub step: bool,
    /// Print the trace, a JSON object a line
    #[arg(long, conflicts_with = "role")]
    pub json: bool,
    /// Run N times, roles free-running, and print how often each outcome came
    #[arg(long, value_name = "N", conflicts_with_all = ["role", "claims"])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub repeat: Option<u32>,
    /// With --repeat: one role acts at a time, as in the demo
    #[arg(long, requires = "repeat")]
    pub baton: bool,
    /// Without the baton: the roles run as they would by themselves
    #[arg(long, conflicts_with_all = ["role", "baton", "step"])]
    pub free: bool,
    /// Use this machine's loopback, even where private hosts can be made
    #[arg(long, conflicts_with = "role")]
    pub loopback: bool,
    /// Two hosts with a wire between them, and its frames between the calls
    #[arg(long, conflicts_with_all = ["role", "loopback"], help_heading = "The wire")]
    pub wire: bool,
    /// How the wire is made: for tests
    #[arg(long, hide = true, value_parser = ["tap", "veth"], conflicts_with_all = ["role", "loopback"])]
    pub link: Option<String>,
    /// Write the frames to FILE as pcapng, for Wireshark, with the calls as comments
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "loopback", "repeat", "claims"])]
    #[arg(help_heading = "The wire")]
    pub pcap: Option<PathBuf>,
    /// Draw the demo to FILE as a sequence diagram, SVG
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "repeat", "claims"])]
    pub diagram: Option<PathBuf>,
    /// Check the lab's claims against a run
    #[arg(long, conflicts_with = "role")]
    pub claims: bool,
    /// By hand: the server's address, in place of 127.0.0.1 and the classic port
    #[arg(long, value_name = "IP:PORT", requires = "role")]
    pub address: Option<SocketAddrV4>,
    /// By hand: show each system call on standard error
    #[arg(long, requires = "role")]
    pub calls: bool,
    /// By hand: let the server execute, as you, the commands that any program on this machine sends it; each is
    /// stopped after 5 seconds or 1 MiB of output
    #[arg(long, requires = "role")]
    pub allow_commands: bool,
    /// How long a role may neither wait nor come back before the demo is ended, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub patience: u64,
}

impl Arguments {
    /// Which hosts the demo of `lab` shall have.
    pub fn hosts(&self, lab: &Lab) -> Choice {
        match self.link.as_deref() {
            _ if self.loopback => Choice::Loopback,
            Some("tap") => Choice::Wire(Some(Kind::Tap)),
            Some(_) => Choice::Wire(Some(Kind::Veth)),
            None if lab.hosts == Needs::Wire || self.asks_for_a_wire() => Choice::Wire(None),
            None => Choice::Best,
        }
    }

    /// Whether something was asked for that there is only on a wire.
    fn asks_for_a_wire(&self) -> bool {
        self.wire || self.link.is_some() || self.pcap.is_some()
    }
}

/// Does what the command line asks for.
pub(super) fn run(lab: &Lab) -> ExitCode {
    let command = Arguments::command()
        .bin_name(format!("just {}", lab.label()))
        .about(lab.question)
        .long_about(format!("{}\n\n{HELP}", lab.question));
    let arguments = match command.try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::OK });
        }
    };
    let done = match wrong(lab, &arguments) {
        Some(complaint) => {
            eprintln!("{}: {complaint}", lab.label());
            exit::USAGE
        }
        None if arguments.role.is_some() => by_hand::run(lab, &arguments),
        None if arguments.claims => claim_report::run(lab, &arguments),
        None if arguments.repeat.is_some() => repeat::run(lab, &arguments),
        None => demo::run(lab, &arguments),
    };
    ExitCode::from(done)
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
    if lab.hosts == Needs::Wire && arguments.loopback {
        return Some("this lab is about the wire between two hosts: on the loopback there is none".to_owned());
    }
    let role = arguments.role.as_deref()?;
    let scene = &lab.scenes[arguments.scene.map_or(0, |number| number as usize - 1)];
    if !scene.roles.iter().any(|cast| cast.name == role) {
        let names: Vec<&str> = scene.roles.iter().map(|cast| cast.name).collect();
        return Some(format!("scene \"{}\" has no role {role:?}; it has: {}", scene.title, names.join(", ")));
    }
    let address = arguments.address.filter(|address| !address.ip().is_loopback())?;
    Some(format!("{address} can be reached from outside; the labs use loopback addresses only, 127.0.0.1:{}", lab.port))
}
