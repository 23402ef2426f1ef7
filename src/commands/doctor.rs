//! `socklab doctor`: what this machine allows, found out by trying it.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rustix::process::{Resource, getrlimit};
use serde_json::{Value, json};
use socklab::output;
use socklab::sandbox::{Missing, Protection, tier_of_this_machine};
use socklab::stage::{Choice, Hosts};
use socklab::view::text::harmless;
use socklab::wire::{LinkKind, Plan};

/// The version of the JSON: it grows when a field changes its meaning.
const VERSION: u32 = 1;

/// Descriptors that a lab needs: a role's channel to the stage is number 1000.
const DESCRIPTORS: u64 = 1001;

/// The programs that something here uses, and what for.
const PROGRAMS: [(&str, &str); 10] = [
    ("just", "the short commands (just lab 05); cargo run -q -- lab 05 does the same"),
    ("python3", "exercises in Python, and the tests with Python programs"),
    ("rustc", "exercises in Rust"),
    ("cc", "exercises in C"),
    ("node", "attempts in JavaScript"),
    ("java", "attempts in Java"),
    ("go", "attempts in Go"),
    ("strace", "the test that compares traces with what strace sees"),
    ("tshark", "the test that has captures read by another program"),
    ("unshare", "tests that need another user, host or limit"),
];

/// Settings of the kernel without which there are no private hosts, and what they must be.
const SETTINGS: [(&str, &str); 4] = [
    ("kernel/unprivileged_userns_clone", "1"),
    ("kernel/apparmor_restrict_unprivileged_userns", "0"),
    ("user/max_user_namespaces", "more than 0"),
    ("user/max_net_namespaces", "more than 0"),
];

#[derive(Debug, Args)]
pub struct Arguments {
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// What was tried, and why it did not work where it did not.
type Tried = std::result::Result<(), String>;

/// What this machine allows.
struct Findings {
    protection: Protection,
    /// Whether a network namespace can be made at all, and whether a lab's host can be set up in it.
    namespaces: Tried,
    hosts: Tried,
    wires: [(LinkKind, Tried); 2],
    /// The hard limit of open files, where there is one.
    descriptors: Option<u64>,
}

/// Tries what the labs need, and says what each answer means.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let findings = Findings::of_this_machine();
    output::print(&if arguments.json { format!("{}\n", findings.as_json()) } else { findings.as_text() })?;
    Ok(ExitCode::SUCCESS)
}

impl Findings {
    fn of_this_machine() -> Findings {
        let protection = tier_of_this_machine();
        let descriptors = getrlimit(Resource::Nofile).maximum;
        // This process is at its end: it may stay on the private host.
        let (namespaces, hosts) = match Hosts::open(Choice::Best) {
            Hosts::Loopback(why) => (Err(why.to_string()), Err(why.to_string())),
            mut made @ (Hosts::Private { .. } | Hosts::Wired { .. }) => {
                (Ok(()), made.prepare(9000, &Plan::default(), &[]).map(drop).map_err(|error| error.to_string()))
            }
        };
        let wires = [LinkKind::Tap, LinkKind::Veth].map(|kind| (kind, namespaces.clone().and_then(|()| wire(kind))));
        Findings { protection, namespaces, hosts, wires, descriptors }
    }

    fn as_json(&self) -> Value {
        let uname = rustix::system::uname();
        let missing = |all: &[Missing]| {
            all.iter().map(|one| json!({ "layer": one.layer.to_string(), "why": one.why })).collect::<Vec<_>>()
        };
        let wire = |(kind, made): &(LinkKind, Tried)| {
            let kind = name(*kind);
            json!({ "kind": kind, "works": made.is_ok(), "why": made.as_ref().err() })
        };
        let program = |(name, what_for): &(&str, &str)| {
            let path = in_path(name).map(|path| path.display().to_string());
            json!({ "name": name, "path": path, "used_for": what_for })
        };
        json!({
            "v": VERSION,
            "kernel": uname.release().to_string_lossy(),
            "machine": uname.machine().to_string_lossy(),
            "private_hosts": { "works": self.hosts.is_ok(), "why": self.hosts.as_ref().err() },
            "wires": self.wires.iter().map(wire).collect::<Vec<_>>(),
            "sandbox": {
                "tier": self.protection.tier,
                "name": self.protection.name(),
                "fault": self.protection.fault.as_ref().map(ToString::to_string),
                "missing": missing(&self.protection.missing),
                "notes": missing(&self.protection.notes),
            },
            "programs": PROGRAMS.iter().map(program).collect::<Vec<_>>(),
            "descriptors": { "limit": self.descriptors, "needed": DESCRIPTORS },
        })
    }

    fn as_text(&self) -> String {
        let uname = rustix::system::uname();
        let (release, machine) = (uname.release().to_string_lossy(), uname.machine().to_string_lossy());
        let mut text = format!("Linux {release} on {machine}\n");
        text += &self.hosts_as_text();
        text += &self.sandboxes_as_text();
        for (program, what_for) in PROGRAMS {
            let found = in_path(program).map_or_else(|| "not found".to_owned(), |path| path.display().to_string());
            let found = harmless(&found);
            let _ = writeln!(text, "{program}: {found}; used for {what_for}");
        }
        if let Some(limit) = self.descriptors.filter(|limit| *limit < DESCRIPTORS) {
            let _ =
                writeln!(text, "open files: at most {limit}, and labs need {DESCRIPTORS}: ulimit -Hn shows the limit");
        }
        text
    }

    fn hosts_as_text(&self) -> String {
        let mut text = String::new();
        match (&self.namespaces, &self.hosts) {
            (Ok(()), hosts) => {
                let _ = match hosts {
                    Ok(()) => writeln!(
                        text,
                        "private hosts: yes; labs have the classic ports to themselves, whatever else runs here"
                    ),
                    Err(error) => writeln!(text, "private hosts: they can be made, but not be set up ({error})"),
                };
                text += &self.wires_as_text();
            }
            (Err(why), _) => {
                let _ = writeln!(
                    text,
                    "private hosts: no ({why})\n  \
                     labs run on this machine's loopback, with free ports in place of the classic ones\n\
                     wire between two hosts: no; it takes private hosts\n  \
                     to have them, user namespaces must be allowed: unshare -Un true must succeed"
                );
                for (setting, wanted) in SETTINGS {
                    if let Ok(is) = fs::read_to_string(format!("/proc/sys/{setting}")) {
                        let (setting, is) = (setting.replace('/', "."), is.trim());
                        let _ = writeln!(text, "    {setting} is {is}, and must be {wanted}");
                    }
                }
                text += "    in a container: its seccomp profile must allow unshare(2), or it runs with --privileged\n";
            }
        }
        text
    }

    fn wires_as_text(&self) -> String {
        let how = match &self.wires {
            [(_, Ok(())), (_, Ok(()))] => "yes, by TAP interfaces; veth pairs and packet sockets would do as well",
            [(_, Ok(())), _] => "yes, by TAP interfaces",
            [_, (_, Ok(()))] => "yes, by veth pairs and packet sockets",
            _ => "no",
        };
        let mut text =
            format!("wire between two hosts: {how}\n  just lab 10 --wire shows the frames between the calls\n");
        for (kind, made) in &self.wires {
            if let Err(error) = made {
                let _ = writeln!(text, "  {}: {error}", name(*kind));
            }
        }
        text
    }

    fn sandboxes_as_text(&self) -> String {
        if let Some(fault) = &self.protection.fault {
            return format!("sandboxes for strangers' programs: unknown: {fault}\n");
        }
        let mut text = format!("sandboxes for strangers' programs: {}\n", self.protection);
        for missing in &self.protection.missing {
            let _ = writeln!(text, "  without {}: {}", missing.layer, missing.why);
        }
        for note in &self.protection.notes {
            let _ = writeln!(text, "  {}: {}", note.layer, note.why);
        }
        text + "  docs/threat-model.md says what the tiers mean\n"
    }
}

/// Tries one way of making a wire.
fn wire(kind: LinkKind) -> Tried {
    let plan = Plan { kind: Some(kind), ..Plan::default() };
    let mut hosts = Hosts::Wired { fresh: false, plan };
    hosts.prepare(9000, &Plan::default(), &[]).map(drop).map_err(|error| error.to_string())
}

fn name(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Tap => "TAP",
        LinkKind::Veth => "veth",
    }
}

fn in_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}
