//! The face: what a lab is, the ways of playing it, and what its roles may do besides calling the kernel.

mod arguments;
mod browser;
mod by_hand;
mod chapter;
mod child;
mod claim;
mod claim_report;
mod clock;
mod command;
mod demo;
pub mod exit;
mod files;
mod history;
mod limits;
mod mutation;
mod outside;
mod own_folder;
mod piped;
mod play;
mod processes;
mod repeat;
mod scene;
mod threads;
mod times;
mod words;

use std::ffi::{CString, OsString};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

pub use chapter::Chapter;
pub use child::start_program;
pub use claim::{Checked, Claim, Verdict};
pub use clock::strftime;
pub use command::{Ran, run_command};
pub use limits::{limit_address_space, limit_descriptors};
pub use own_folder::{own_folder, use_folder, work_in_own_folder};
pub use piped::{Input, Pipe, StartedCommand, end_leftovers, start_command};
pub use play::PLAYED_AGAIN;
pub use processes::{Forked, Thread, fork, reap_child, start_thread, wait_for_child, zombies};
pub use scene::Scene;
pub use threads::{Queue, process_id, thread_id};
pub use words::{
    at_full_speed, be_interrupted, be_killed, beside, is_by_hand, meet, note, obey_sigpipe, port_owner, processor_time,
    prompt, say, words,
};

use self::scene::RoleSpec;
use crate::output;
use crate::socket::Address;

/// A role's program: what it does, from its first call to its last.
pub type Role = fn(Endpoint) -> io::Result<()>;

/// Where the lab's server is to be found.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    server: SocketAddr,
    /// The port of the classic demo, which the server's stands in for where that cannot be had.
    port: u16,
}

impl Endpoint {
    /// The address to bind, or to send to.
    pub fn address(self) -> Address {
        self.server.into()
    }

    /// The address of the lab's port `number`, one of the few behind the server's, on the server's host.
    pub fn port(self, number: u16) -> Address {
        let behind = number.wrapping_sub(self.port);
        SocketAddr::new(self.server.ip(), self.server.port().wrapping_add(behind)).into()
    }
}

/// A lab: one question about sockets, and the scenes that answer it.
pub struct Lab {
    number: u32,
    name: &'static str,
    question: &'static str,
    chapter: Chapter,
    port: u16,
    scenes: Vec<Scene>,
    claims: Vec<Claim>,
    hosts: Needs,
    guide: Option<Guide>,
}

/// What is said to somebody at a terminal who has seen a demo of a lab to its end, a line each: where to go on. A lab
/// knows nothing of other labs, of exercises or of what somebody has done; whoever has it played does. It works
/// outside of the demo's hosts, with its user's own rights.
pub type Guide = fn(&Lab) -> Vec<String>;

/// Which hosts a lab is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// One, or two where a wire is asked for.
    Any,
    /// Two, always.
    Wire,
    /// One, never two.
    OneHost,
}

impl Lab {
    /// A lab with the port of the classic demo.
    pub fn new(number: u32, name: &'static str, port: u16) -> Lab {
        let (scenes, claims, hosts) = (Vec::new(), Vec::new(), Needs::Any);
        Lab { number, name, question: "", chapter: Chapter::Datagrams, port, scenes, claims, hosts, guide: None }
    }

    /// The chapter that the lab stands in.
    #[must_use]
    pub fn in_chapter(mut self, chapter: Chapter) -> Lab {
        self.chapter = chapter;
        self
    }

    /// The lab is about what two hosts exchange: its demo always has two, and a wire.
    #[must_use]
    pub fn on_a_wire(mut self) -> Lab {
        self.hosts = Needs::Wire;
        self
    }

    /// The lab is about one host: it has no demo with two.
    #[must_use]
    pub fn on_one_host(mut self) -> Lab {
        self.hosts = Needs::OneHost;
        self
    }

    /// The question that the lab answers.
    #[must_use]
    pub fn asks(mut self, question: &'static str) -> Lab {
        self.question = question;
        self
    }

    /// Adds a scene. The first one is the classic demo.
    #[must_use]
    pub fn scene(mut self, scene: Scene) -> Lab {
        self.scenes.push(scene);
        self
    }

    /// The sentences that this lab confirms or refutes.
    #[must_use]
    pub fn claims(mut self, claims: Vec<Claim>) -> Lab {
        self.claims = claims;
        self
    }

    /// Somebody at a terminal who has seen a demo is told by this guide where to go on.
    #[must_use]
    pub fn with_guide(mut self, guide: Guide) -> Lab {
        self.guide = Some(guide);
        self
    }

    /// Does what the process's command line asks for.
    pub fn run(self) -> ExitCode {
        self.play(std::env::args_os().skip(1))
    }

    /// Does what these words ask for. The process takes the lab's name, `lab-05-udp-no-server`, by which others find
    /// it (the kernel keeps 15 bytes, PR_SET_NAME of prctl(2)); it must have no other thread, since roles are forked.
    pub fn play(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        if let Ok(name) = CString::new(format!("lab-{}", self.folder())) {
            // Without it everything works, under another name.
            let _ = rustix::thread::set_name(&name);
        }
        let done = match arguments::read(&self, arguments) {
            Err(code) => code,
            Ok(arguments) if arguments.role.is_some() => by_hand::run(&self, &arguments),
            Ok(arguments) if arguments.claims => claim_report::run(&self, &arguments),
            Ok(arguments) if arguments.times => times::run(&self, &arguments),
            Ok(arguments) if arguments.repeat.is_some() => repeat::run(&self, &arguments),
            Ok(arguments) => demo::run(&self, &arguments),
        };
        ExitCode::from(done)
    }

    /// Prints what was found out, and gives the exit code: `code`, unless it could not be printed.
    fn prints(&self, text: &str, code: u8) -> u8 {
        output::print(text).map_or_else(|unwritten| self.fails(&unwritten), |_| code)
    }

    /// Complains of what could not be done, and gives the exit code.
    fn fails(&self, what: &impl fmt::Display) -> u8 {
        output::complain(format_args!("{}: {what}", self.label()));
        exit::FAILED
    }

    /// The lab's number, which never changes.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The numbers of the scenes that have no wire, or of the others, for a message.
    fn scenes_on(&self, one_host: bool) -> String {
        self.scenes_that(|scene| scene.one_host == one_host)
    }

    /// The numbers of the scenes of which this is so, for a message.
    fn scenes_that(&self, is_so: impl Fn(&Scene) -> bool) -> String {
        let scenes = self.scenes.iter().zip(1..).filter(|(scene, _)| is_so(scene));
        scenes.map(|(_, number)| number.to_string()).collect::<Vec<String>>().join(", ")
    }

    /// The name of its folder: `05-udp-no-server`.
    pub fn folder(&self) -> String {
        format!("{:02}-{}", self.number, self.name)
    }

    /// The lab's name, in small letters and hyphens, which never changes.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The question that the lab answers.
    pub fn question(&self) -> &'static str {
        self.question
    }

    /// The chapter that the lab stands in.
    pub fn chapter(&self) -> Chapter {
        self.chapter
    }

    /// Whether its demo always has two hosts and a wire.
    pub fn needs_a_wire(&self) -> bool {
        self.hosts == Needs::Wire
    }

    /// The path of its page in the project.
    pub fn page(&self) -> String {
        format!("docs/labs/{}.md", self.folder())
    }

    /// How a person calls it.
    fn label(&self) -> String {
        format!("lab {:02}", self.number)
    }

    /// All names of roles, in the order in which they first appear.
    fn role_names(&self) -> Vec<&'static str> {
        self.role_names_where(|_| true)
    }

    /// The same of the roles that are so.
    fn role_names_where(&self, is: impl Fn(&RoleSpec) -> bool) -> Vec<&'static str> {
        let mut names = Vec::new();
        for spec in self.scenes.iter().flat_map(|scene| &scene.roles) {
            if is(spec) && !names.contains(&spec.name) {
                names.push(spec.name);
            }
        }
        names
    }

    /// Which roles do or have something, in brackets, for a message.
    fn roles_that(&self, is: impl Fn(&RoleSpec) -> bool, verb: &str) -> String {
        match self.role_names_where(is).as_slice() {
            [] => format!(" (no role of this lab {verb})"),
            [one] => format!(" ({one} {verb})"),
            several => format!(" (of this lab: {})", several.join(", ")),
        }
    }
}

/// Prints a line for the role's user, as `println!` does.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::lab::say(&format!($($text)*)) };
}
