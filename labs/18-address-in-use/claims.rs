//! What is said about an address that is in use.

use socklab::prelude::*;
use socklab::trace::{Event, Finding, Made, Trace, What, exactly};

/// What the new server's binds returned, in the order of the cells: neither, the old one, the new one, both.
fn row(trace: &Trace, scene: u32) -> Vec<Made<'_>> {
    trace.scene(scene).role("new-server").calls(Syscall::Bind)
}

/// The new server's last bind in a scene.
fn last_bind(trace: &Trace, scene: u32) -> Result<Made<'_>, Unseen> {
    trace.scene(scene).role("new-server").last(Syscall::Bind)
}

fn in_use(made: &Made<'_>) -> bool {
    made.failed(Errno::EADDRINUSE)
}

/// Whether the cells that were bound are these.
fn bound(trace: &Trace, scene: u32, cells: [bool; 4]) -> Checked {
    let row: [_; 4] = exactly(row(trace, scene), "binds of the new server")?;
    let as_said = |(made, bound): (&Made<'_>, bool)| if bound { made.call.ret == Some(0) } else { in_use(made) };
    let holds = row.iter().zip(cells).all(as_said);
    Verdict::by_calls(holds, row)
}

/// The moments at which what is left of the server's connections came into a state, before the new server came.
fn left(trace: &Trace, scene: u32, state: TcpState) -> Vec<&Event> {
    let Some(first) = row(trace, scene).first().copied() else { return Vec::new() };
    let states = trace.scene(scene).role("server").before(first.event).states();
    states.into_iter().filter(|event| event.is_after_close() && event.state() == Some(state)).collect()
}

/// The state in which the old server's first connection was last seen, before the new server came.
fn last_state(trace: &Trace, scene: u32) -> Result<&Event, Unseen> {
    let first = trace.scene(scene).role("new-server").first(Syscall::Bind)?;
    let states = trace.scene(scene).role("server").before(first.event).states();
    let mut closed = states.into_iter().filter(|event| event.is_after_close());
    closed.next_back().ok_or(Unseen::because("the old server has closed no connection"))
}

/// Whether the kernel says that the old server's four connections are in this state, and these cells were bound.
fn in_state(trace: &Trace, scene: u32, state: TcpState, cells: [bool; 4]) -> Checked {
    if left(trace, scene, state).len() != cells.len() {
        return Err(Unseen::because("the old server's connections are not in that state"));
    }
    bound(trace, scene, cells)
}

/// When the old server was gone.
fn gone(trace: &Trace, scene: u32) -> Result<&Event, Unseen> {
    let ended = trace.scene(scene).role("server").only(|event| matches!(event.what, What::Exit(_)));
    ended.events().first().copied().ok_or(Unseen::because("the old server has not ended"))
}

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S1-C21",
            "A server cannot be started again since its connection is in TIME-WAIT, after the close in four steps.",
            |trace| {
                let [first, other] = [2, 3].map(|scene| trace.scene(scene).role("new-server").first(Syscall::Bind));
                let (first, other) = (first?, other?);
                let [state, other_state] = [last_state(trace, 2)?, last_state(trace, 3)?];
                let is_time_wait = |event: &Event| event.state() == Some(TcpState::TimeWait);
                let with = is_time_wait(state) && in_use(&first);
                let without = with && (is_time_wait(other_state) || !in_use(&other));
                let condition = "the old server closed first and the client has closed, too";
                Verdict::only_when(condition, with, without, [state, first.event, other_state, other.event])
            },
        ),
        Claim::classic("S0-C34", "SO_REUSEADDR belongs before bind.", |trace| {
            let new = trace.scene(7).role("new-server");
            let [without, with] = new.exactly(Syscall::Bind)?;
            let [option] = new.exactly(Syscall::SetSockOpt)?;
            let holds = in_use(&without) && with.call.ret == Some(0);
            Verdict::by_calls(holds, [without, option, with])
        }),
        Claim::ours(
            "The old server can set it after its own bind: the connections it accepts later have the option.",
            |trace| {
                let old = trace.scene(7).role("server");
                let bind = old.last(Syscall::Bind)?;
                let option = old.last(Syscall::SetSockOpt)?;
                let with = last_bind(trace, 7)?;
                let state = left(trace, 7, TcpState::TimeWait);
                let holds = bind.event.n < option.event.n && !state.is_empty() && with.call.ret == Some(0);
                Verdict::of(holds, [bind.event, option.event].into_iter().chain(state).chain([with.event]))
            },
        ),
        Claim::ours(
            "In TIME-WAIT the option on the new server alone does not help, even if it is set before bind.",
            |trace| {
                let [first, second] = exactly(row(trace, 1), "binds of the new server")?;
                let options = trace.scene(1).role("new-server").calls(Syscall::SetSockOpt);
                let holds = in_use(&first) && in_use(&second) && !options.is_empty();
                Verdict::by_calls(holds, [first].into_iter().chain(options).chain([second]))
            },
        ),
        Claim::ours("In TIME-WAIT the port is free in one case of four: both servers set the option.", |trace| {
            in_state(trace, 2, TcpState::TimeWait, [false, false, false, true])
        }),
        Claim::ours("In FIN-WAIT-2, too, it is free only if both servers set the option.", |trace| {
            in_state(trace, 3, TcpState::FinWait2, [false, false, false, true])
        }),
        Claim::ours("If the client closed first, the port is free at once, whatever the options.", |trace| {
            in_state(trace, 4, TcpState::Closed, [true; 4])
        }),
        Claim::ours("After a reset by the server it is free at once, whatever the options.", |trace| {
            in_state(trace, 5, TcpState::Closed, [true; 4])
        }),
        Claim::ours("While the old server listens, SO_REUSEADDR does not help on Linux, not even on both.", |trace| {
            bound(trace, 6, [false; 4])
        }),
        Claim::ours("A child that inherited the listening socket keeps the port when its server is gone.", |trace| {
            let gone = gone(trace, 8)?;
            let bind = trace.scene(8).role("new-server").after(gone).first(Syscall::Bind)?;
            Verdict::of(in_use(&bind), [gone, bind.event])
        }),
        Claim::ours("Clients can connect to that listener, and nobody will serve them.", |trace| {
            let gone = gone(trace, 8)?;
            let connect = trace.scene(8).role("client").after(gone).first(Syscall::Connect)?;
            let finding = trace.scene(8).finding(Finding::NobodyIsLeft)?;
            let answered = trace.scene(8).role("client").received();
            let holds = connect.call.ret == Some(0) && answered.is_empty();
            Verdict::of(
                holds,
                [connect.event].into_iter().chain(answered.iter().map(|made| made.event)).chain([finding]),
            )
        }),
        Claim::ours("The child keeps the socket that is not closed on exec, and not the other one.", |trace| {
            let gone = gone(trace, 9)?;
            let [closed, kept] = trace.scene(9).role("new-server").after(gone).exactly(Syscall::Bind)?;
            Verdict::of(closed.call.ret == Some(0) && in_use(&kept), [gone, closed.event, kept.event])
        }),
        Claim::ours("With SO_REUSEPORT on both, two servers listen on one port.", |trace| {
            let new = trace.scene(10).role("new-server");
            let [without, with] = new.exactly(Syscall::Bind)?;
            let listen = new.first(Syscall::Listen)?;
            let holds = in_use(&without) && with.call.ret == Some(0) && listen.call.ret == Some(0);
            Verdict::by_calls(holds, [without, with, listen])
        }),
        Claim::ours("A server that binds port 0 gets a port, and another one while the first is open.", |trace| {
            let server = trace.scene(11).role("server");
            let [one, other] = server.exactly(Syscall::Bind)?;
            let names: [Made<'_>; 2] = server.exactly(Syscall::GetSockName)?;
            let asked =
                [one, other].iter().all(|made| made.call.get_arg("addr").and_then(Value::as_word).is_some_and(is_0));
            if !asked {
                return Err(Unseen::because("port 0 was not asked for"));
            }
            let given = names.map(|made| made.event.word("addr").filter(|name| !is_0(name)));
            let works = one.call.ret == Some(0) && other.call.ret == Some(0);
            let holds = works && given.iter().all(Option::is_some) && given[0] != given[1];
            Verdict::by_calls(holds, [one, names[0], other, names[1]])
        }),
    ]
}

/// Whether an address has the port 0.
fn is_0(address: &str) -> bool {
    address.ends_with(":0")
}
