//! `socklab doctor`: what this machine allows, found out by trying it.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use socklab::sandbox::{Protection, tier_of_this_machine};
use socklab::stage::{Choice, Hosts};
use socklab::wire::{Kind, Plan};

/// Tries what the labs need, and says what each answer means.
pub fn run() -> Result<ExitCode> {
    let uname = rustix::system::uname();
    println!("Linux {} on {}", uname.release().to_string_lossy(), uname.machine().to_string_lossy());
    let protection = tier_of_this_machine();
    // This process is at its end: it may stay on the private host.
    match Hosts::open(Choice::Best) {
        mut hosts @ (Hosts::Private { .. } | Hosts::Wired { .. }) => {
            match hosts.prepare(9000, &Plan::default()) {
                Ok(_) => {
                    println!("private hosts: yes; labs have the classic ports to themselves, whatever else runs here");
                }
                Err(error) => println!("private hosts: they can be made, but not be set up ({error})"),
            }
            tell_of_wires();
        }
        Hosts::Loopback(why) => {
            println!("private hosts: no ({why})");
            println!("  labs run on this machine's loopback, with free ports in place of the classic ones");
            println!("wire between two hosts: no; it takes private hosts");
            println!("  to have them, user namespaces must be allowed: unshare -Un true must succeed");
            for (setting, wanted) in [
                ("kernel/unprivileged_userns_clone", "1"),
                ("kernel/apparmor_restrict_unprivileged_userns", "0"),
                ("user/max_user_namespaces", "more than 0"),
                ("user/max_net_namespaces", "more than 0"),
            ] {
                if let Ok(is) = fs::read_to_string(format!("/proc/sys/{setting}")) {
                    println!("    {} is {}, and must be {wanted}", setting.replace('/', "."), is.trim());
                }
            }
            println!("    in a container: its seccomp profile must allow unshare(2), or it runs with --privileged");
        }
    }
    tell_of_sandboxes(&protection);
    for (program, what_for) in [
        ("just", "the short commands (just lab 05); cargo run -q -- lab 05 does the same"),
        ("strace", "the test that compares traces with what strace sees"),
        ("python3", "the tests that talk to Python programs"),
    ] {
        let found = in_path(program).map_or_else(|| "not found".to_owned(), |path| path.display().to_string());
        println!("{program}: {found}; used for {what_for}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what holds in a sandbox here.
fn tell_of_sandboxes(protection: &Protection) {
    println!("sandboxes for strangers' programs: {protection}");
    for missing in &protection.missing {
        println!("  without {}: {}", missing.layer, missing.why);
    }
    for note in &protection.notes {
        println!("  {}: {}", note.layer, note.why);
    }
    println!("  docs/threat-model.md says what the tiers mean");
}

/// Tries both ways of making a wire.
fn tell_of_wires() {
    let plan = |kind| Plan { kind: Some(kind), ..Plan::default() };
    let made = |kind| Hosts::Wired { fresh: false, plan: plan(kind) }.prepare(9000, &Plan::default()).map(drop);
    let (tap, veth) = (made(Kind::Tap), made(Kind::Veth));
    let how = match (&tap, &veth) {
        (Ok(()), Ok(())) => "yes, by TAP interfaces; veth pairs and packet sockets would do as well",
        (Ok(()), _) => "yes, by TAP interfaces",
        (_, Ok(())) => "yes, by veth pairs and packet sockets",
        _ => "no",
    };
    println!("wire between two hosts: {how}");
    println!("  just lab 10 --wire shows the frames between the calls");
    for (kind, made) in [("TAP", tap), ("veth", veth)] {
        if let Err(error) = made {
            println!("  {kind}: {error}");
        }
    }
}

fn in_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}
