//! What is said about an address that is in use.

use socklab::prelude::*;
use socklab::trace::{Made, Trace};

/// What the new server's binds gave, in the order of the cells: neither, the old one, the new one, both.
fn row(trace: &Trace, scene: u32) -> Vec<Made<'_>> {
    trace.scene(scene).role("new-server").calls("bind")
}

/// Whether the cells that were bound are these.
fn bound(trace: &Trace, scene: u32, cells: [bool; 4]) -> Verdict {
    let row = row(trace, scene);
    if row.len() != cells.len() {
        return Verdict::NotObservable("the new server did not try everything");
    }
    let as_said = |(made, bound): (&Made<'_>, bool)| match bound {
        true => made.call.ret == Some(0),
        false => made.call.errno.as_deref() == Some("EADDRINUSE"),
    };
    let holds = row.iter().zip(cells).all(as_said);
    Verdict::by_calls(holds, row)
}

/// How many sockets the client had closed before the new server came: for each, both sides have said goodbye.
fn closed_by_client(trace: &Trace, scene: u32) -> usize {
    let first = row(trace, scene).first().copied();
    first.map_or(0, |first| trace.scene(scene).role("client").before(first.event).calls("close").len())
}

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S1-C21", "A server that cannot be restarted is kept from it by TIME-WAIT.", |trace| {
            let Some(bind) = row(trace, 3).first().copied() else { return Verdict::NotObservable("nobody tried") };
            // TIME-WAIT is for those who have heard the other side's goodbye.
            let states = trace.scene(3).role("client").before(bind.event).probes("state");
            let state = states.into_iter().find(|event| event.word("state") == Some("CLOSE-WAIT"));
            let goodbye = closed_by_client(trace, 3) > 0;
            let without = state.is_some() && !goodbye && bind.call.errno.as_deref() == Some("EADDRINUSE");
            Verdict::of(!without, state.into_iter().chain([bind.event]))
        }),
        Claim::classic("S0-C34", "SO_REUSEADDR belongs before bind.", |trace| {
            let row = row(trace, 2);
            let [_, without, _, with] = row[..] else { return Verdict::NotObservable("nobody tried") };
            let holds = without.call.ret == Some(-1) && with.call.ret == Some(0);
            let option = trace.scene(2).role("new-server").before(with.event).calls("setsockopt").last().copied();
            Verdict::by_calls(holds && option.is_some(), [Some(without), option, Some(with)].into_iter().flatten())
        }),
        Claim::ours("To set SO_REUSEADDR when bind has failed is too late: the old server did not have it.", |trace| {
            let binds = row(trace, 1);
            let options = trace.scene(1).role("new-server").calls("setsockopt");
            let [first, second] = binds[..] else { return Verdict::NotObservable("nobody tried twice") };
            let in_use = |made: Made<'_>| made.call.errno.as_deref() == Some("EADDRINUSE");
            let holds = in_use(first) && in_use(second) && !options.is_empty();
            Verdict::by_calls(holds, [first].into_iter().chain(options).chain([second]))
        }),
        Claim::ours("In TIME-WAIT the port is free for one case of four: both servers have the option.", |trace| {
            if closed_by_client(trace, 2) < 4 {
                return Verdict::NotObservable("the client did not say goodbye");
            }
            bound(trace, 2, [false, false, false, true])
        }),
        Claim::ours("In FIN-WAIT-2 it is the same.", |trace| bound(trace, 3, [false, false, false, true])),
        Claim::ours("If the client said goodbye first, the port is free at once, whatever the options.", |trace| {
            bound(trace, 4, [true; 4])
        }),
        Claim::ours("After a reset as well.", |trace| bound(trace, 5, [true; 4])),
        Claim::ours("While the old server listens, SO_REUSEADDR does not help, not even on both.", |trace| {
            bound(trace, 6, [false; 4])
        }),
        Claim::ours("With SO_REUSEPORT on both, two listen on one port.", |trace| {
            let new = trace.scene(7).role("new-server");
            let binds = new.calls("bind");
            let [without, with] = binds[..] else { return Verdict::NotObservable("nobody tried twice") };
            let listens = new.calls("listen");
            let listening = listens.first().is_some_and(|made| made.call.ret == Some(0));
            let holds = without.call.ret == Some(-1) && with.call.ret == Some(0) && listening;
            Verdict::by_calls(holds, [without, with].into_iter().chain(listens))
        }),
        Claim::ours("Whoever asks for port 0 is given one that nobody has.", |trace| {
            let made = trace.scene(8).role("server").all_calls();
            let holds = made.iter().all(|made| made.call.ret != Some(-1));
            let asked = made.into_iter().filter(|made| matches!(&*made.call.name, "bind" | "getsockname"));
            Verdict::by_calls(holds, asked)
        }),
    ]
}
