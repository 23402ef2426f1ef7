//! What is said about an address that is in use.

use socklab::prelude::*;
use socklab::trace::{Event, Made, Trace, What, exactly};

/// What the new server's binds gave, in the order of the cells: neither, the old one, the new one, both.
fn row(trace: &Trace, scene: u32) -> Vec<Made<'_>> {
    trace.scene(scene).role("new-server").calls(Syscall::Bind)
}

/// Whether the cells that were bound are these.
fn bound(trace: &Trace, scene: u32, cells: [bool; 4]) -> Checked {
    let row: [_; 4] = exactly(row(trace, scene), "binds of the new server")?;
    let as_said = |(made, bound): (&Made<'_>, bool)| match bound {
        true => made.call.ret == Some(0),
        false => made.call.errno == Some(Errno::EADDRINUSE),
    };
    let holds = row.iter().zip(cells).all(as_said);
    Verdict::by_calls(holds, row)
}

/// The moments at which what is left of the server's connections came into a state, before the new server came.
fn left(trace: &Trace, scene: u32, state: TcpState) -> Vec<&Event> {
    let Some(first) = row(trace, scene).first().copied() else { return Vec::new() };
    let states = trace.scene(scene).role("server").before(first.event).states();
    states.into_iter().filter(|event| event.is_after_close() && event.state() == Some(state)).collect()
}

/// Whether the kernel says that the old server's four connections are in this state, and these cells were bound.
fn in_state(trace: &Trace, scene: u32, state: TcpState, cells: [bool; 4]) -> Checked {
    if left(trace, scene, state).len() != cells.len() {
        return Err(Unseen::because("the old server's connections are not in that state"));
    }
    bound(trace, scene, cells)
}

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S1-C21", "A server that cannot be restarted is kept from it by TIME-WAIT.", |trace| {
            let bind = row(trace, 3).first().copied().ok_or(Unseen::because("the new server did not try"))?;
            let other = left(trace, 3, TcpState::FinWait2)
                .first()
                .copied()
                .ok_or(Unseen::because("the old server's connections are in no other state"))?;
            let without = left(trace, 3, TcpState::TimeWait).is_empty() && bind.call.errno == Some(Errno::EADDRINUSE);
            Verdict::of(!without, [other, bind.event])
        }),
        Claim::classic("S0-C34", "SO_REUSEADDR belongs before bind.", |trace| {
            let new = trace.scene(7).role("new-server");
            let [without, with] = new.exactly(Syscall::Bind)?;
            let [option] = new.exactly(Syscall::SetSockOpt)?;
            let holds = without.call.errno == Some(Errno::EADDRINUSE) && with.call.ret == Some(0);
            Verdict::by_calls(holds, [without, option, with])
        }),
        Claim::ours("The old server may set it after its bind: what it leaves has the option.", |trace| {
            let old = trace.scene(7).role("server");
            let bind = old.last(Syscall::Bind)?;
            let option = old.last(Syscall::SetSockOpt)?;
            let with = row(trace, 7).pop().ok_or(Unseen::because("the new server did not try"))?;
            let state = left(trace, 7, TcpState::TimeWait);
            let holds = bind.event.n < option.event.n && !state.is_empty() && with.call.ret == Some(0);
            Verdict::of(holds, [bind.event, option.event].into_iter().chain(state).chain([with.event]))
        }),
        Claim::ours("To set SO_REUSEADDR when bind has failed is too late: the old server did not have it.", |trace| {
            let [first, second] = exactly(row(trace, 1), "binds of the new server")?;
            let options = trace.scene(1).role("new-server").calls(Syscall::SetSockOpt);
            let in_use = |made: Made<'_>| made.call.errno == Some(Errno::EADDRINUSE);
            let holds = in_use(first) && in_use(second) && !options.is_empty();
            Verdict::by_calls(holds, [first].into_iter().chain(options).chain([second]))
        }),
        Claim::ours("In TIME-WAIT the port is free for one case of four: both servers have the option.", |trace| {
            in_state(trace, 2, TcpState::TimeWait, [false, false, false, true])
        }),
        Claim::ours("In FIN-WAIT-2 it is the same.", |trace| {
            in_state(trace, 3, TcpState::FinWait2, [false, false, false, true])
        }),
        Claim::ours("If the client said goodbye first, the port is free at once, whatever the options.", |trace| {
            in_state(trace, 4, TcpState::Closed, [true; 4])
        }),
        Claim::ours("After a reset as well.", |trace| in_state(trace, 5, TcpState::Closed, [true; 4])),
        Claim::ours("While the old server listens, SO_REUSEADDR does not help, not even on both.", |trace| {
            bound(trace, 6, [false; 4])
        }),
        Claim::ours(
            "A child that has inherited the listening socket keeps the port when its server is gone.",
            |trace| {
                let gone = trace.scene(8).role("server").only(|event| matches!(event.what, What::Exit(_)));
                let gone = gone
                    .events()
                    .first()
                    .copied()
                    .ok_or(Unseen::because("the server did not end, or no role tried"))?;
                let bind = row(trace, 8)
                    .first()
                    .copied()
                    .ok_or(Unseen::because("the server did not end, or no role tried"))?;
                let said = trace.scene(8).role("new-server").after(gone).printed();
                let listens = said.iter().find(|(_, text)| text.contains("LISTEN, sleep"));
                let holds = listens.is_some() && bind.call.errno == Some(Errno::EADDRINUSE);
                let said = said.iter().take(1).map(|(event, _)| *event);
                Verdict::of(holds, [gone].into_iter().chain(said).chain([bind.event]))
            },
        ),
        Claim::ours("Clients are let in there, and nobody will ever serve them.", |trace| {
            let client = trace.scene(8).role("client");
            let connects = client.calls(Syscall::Connect);
            let waits = client.waits(Syscall::Recv);
            let connected = connects.iter().any(|made| made.call.ret == Some(0));
            let holds = connected && client.calls(Syscall::Recv).is_empty() && !waits.is_empty();
            Verdict::of(holds, connects.into_iter().map(|made| made.event).chain(waits))
        }),
        Claim::ours("A socket that is closed on exec is not inherited, and the port is free.", |trace| {
            let started = trace.scene(9).role("server").calls(Syscall::PosixSpawnp);
            let bind = row(trace, 9).first().copied().ok_or(Unseen::because("the new server did not try"))?;
            let holds = !started.is_empty() && bind.call.ret == Some(0);
            Verdict::by_calls(holds, started.into_iter().chain([bind]))
        }),
        Claim::ours("With SO_REUSEPORT on both, two listen on one port.", |trace| {
            let new = trace.scene(10).role("new-server");
            let [without, with] = new.exactly(Syscall::Bind)?;
            let listens = new.calls(Syscall::Listen);
            let listening = listens.first().is_some_and(|made| made.call.ret == Some(0));
            let holds = without.call.ret == Some(-1) && with.call.ret == Some(0) && listening;
            Verdict::by_calls(holds, [without, with].into_iter().chain(listens))
        }),
        Claim::ours("Whoever asks for port 0 is given one that nobody has.", |trace| {
            let made = trace.scene(11).role("server").all_calls();
            let holds = made.iter().all(|made| made.call.ret != Some(-1));
            let asked = made.into_iter().filter(|made| matches!(made.call.name, Syscall::Bind | Syscall::GetSockName));
            Verdict::by_calls(holds, asked)
        }),
    ]
}
