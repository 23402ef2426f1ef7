//! What the old texts say about the end of a connection, and what the frames and the states say.

use socklab::prelude::*;
use socklab::trace::{Event, Fate, Host, Selection, Sent, TcpFlags, Trace, exactly};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S2-C11",
            "Who says goodbye first goes to FIN-WAIT-1, and whoever is told so to CLOSE-WAIT.",
            |trace| {
                let said = in_state(trace, 1, "server", TcpState::FinWait1);
                let told = in_state(trace, 1, "client", TcpState::CloseWait);
                let fin = goodbye(trace, 1).first().map(|sent| sent.event);
                let holds = said.is_some() && told.is_some();
                Verdict::of(holds, said.into_iter().chain(fin).chain(told))
            },
        ),
        Claim::classic("S2-C11", "Who has said goodbye can still be sent something.", |trace| {
            let client = trace.scene(3).role("client");
            let shutdown = client.first(Syscall::Shutdown)?;
            let after = client.after(shutdown.event);
            let received = after.calls(Syscall::Recv).into_iter().find(|made| made.call.ret > Some(0));
            Verdict::by_calls(received.is_some(), [shutdown].into_iter().chain(received))
        }),
        Claim::classic("S1-C21", "The goodbye takes four segments.", |trace| {
            let segments = goodbye(trace, 1);
            Verdict::of(segments.len() == 4, segments.into_iter().map(|sent| sent.event))
        }),
        Claim::classic("S2-C12", "When the goodbye is over, the side that said it first is closed.", |trace| {
            let last = states(trace, 1, "server").last().copied().ok_or(NONE)?;
            Verdict::of(last.state() == Some(TcpState::Closed), [last])
        }),
        Claim::classic("S1-C21", "After the goodbye it is the server that is in TIME-WAIT.", |trace| {
            let waiting: Vec<&Event> =
                [1, 2, 3].into_iter().flat_map(|scene| remembering(trace, scene)).map(|(_, event)| event).collect();
            let servers = waiting.iter().all(|event| event.role.as_deref() == Some("server"));
            Verdict::of(servers && !waiting.is_empty(), waiting)
        }),
        Claim::classic("S2-C17", "Where the client is gone, Linux gives an empty result and no error.", |trace| {
            let ends = [2, 6].map(|scene| trace.scene(scene).role("server").calls(Syscall::Recv).last().copied());
            let errors = ends.iter().flatten().any(|made| made.call.errno.is_some());
            Verdict::by_calls(!errors, ends.into_iter().flatten())
        }),
        Claim::ours(
            "Who says goodbye first, and nobody else, is remembered: TIME-WAIT, for about a minute.",
            |trace| {
                let mut evidence = Vec::new();
                for scene in [1, 2, 3] {
                    let first = goodbye(trace, scene).first().copied().ok_or(NONE)?;
                    let who = first.frame.from.as_deref().and_then(|from| from.split(':').next());
                    let [(role, event)] = remembering(trace, scene)[..] else {
                        return Verdict::of(false, evidence.into_iter().chain([first.event]));
                    };
                    if Some(role) != who || event.remembered_for() != Some(Duration::from_secs(60)) {
                        return Verdict::of(false, [first.event, event]);
                    }
                    evidence.extend([first.event, event]);
                }
                Verdict::of(true, evidence)
            },
        ),
        Claim::ours("Asked to acknowledge at once, the kernel says it in four segments.", |trace| {
            let segments = goodbye(trace, 2);
            let flags: Vec<TcpFlags> = segments.iter().map(|sent| sent.frame.flags()).collect();
            let (fin, ack) = (TcpFlags::FIN | TcpFlags::ACK, TcpFlags::ACK);
            let holds = flags == [fin, ack, fin, ack];
            Verdict::of(holds, segments.into_iter().map(|sent| sent.event))
        }),
        Claim::ours(
            "If both say it before they have heard the other, both go through CLOSING to TIME-WAIT.",
            |trace| {
                let both = [TcpState::Closing, TcpState::TimeWait].map(|state| {
                    ["client", "server"]
                        .into_iter()
                        .filter_map(|role| in_state(trace, 4, role, state))
                        .collect::<Vec<_>>()
                });
                let mut evidence = both.concat();
                evidence.sort_by_key(|event| event.n);
                Verdict::of(evidence.len() == 4, evidence)
            },
        ),
        Claim::ours("If one side never closes, the other one is left in FIN-WAIT-2.", |trace| {
            let (client, server) = (states(trace, 5, "client"), states(trace, 5, "server"));
            let (gone, left) = client.last().copied().zip(server.last().copied()).ok_or(NONE)?;
            let holds = gone.state() == Some(TcpState::FinWait2) && left.state() == Some(TcpState::CloseWait);
            Verdict::of(holds, [left, gone])
        }),
        Claim::ours("A reset ends a connection at both ends at once: nobody is in TIME-WAIT.", |trace| {
            let reset = reset(trace, 6).ok_or(NONE)?;
            let ends = ["client", "server"].map(|role| states(trace, 6, role).last().copied());
            let closed = |end: &Option<&Event>| end.is_some_and(|event| event.state() == Some(TcpState::Closed));
            let holds = ends.iter().all(closed) && remembering(trace, 6).is_empty();
            let [client, server] = ends;
            Verdict::of(holds, client.into_iter().chain([reset.event]).chain(server))
        }),
        Claim::ours("To close a socket with something unread in it sends a reset in place of a goodbye.", |trace| {
            let close = trace.scene(7).role("client").first(Syscall::Close)?;
            let unread = trace.scene(7).role("client").calls(Syscall::Recv).is_empty();
            let data = trace.scene(7).before(close.event).frames();
            let data = data.into_iter().find(|sent| sent.frame.payload.len > 0 && sent.frame.dir.0 == Host::B);
            let data = data.ok_or(NONE)?;
            let reset = reset(trace, 7).ok_or(NONE)?;
            let told = trace.scene(7).role("server").calls(Syscall::Recv).last().copied();
            let error = told.is_some_and(|made| made.call.errno == Some(Errno::ECONNRESET));
            let holds = unread && goodbye(trace, 7).is_empty() && reset.event.n > close.event.n && error;
            Verdict::of(holds, [data.event, close.event, reset.event].into_iter().chain(told.map(|made| made.event)))
        }),
        Claim::ours("Who is in TIME-WAIT repeats the last acknowledgement if it was lost.", |trace| {
            let frames = trace.scene(8).frames().into_iter();
            let from_the_lost_one = frames.skip_while(|sent| sent.frame.fate != Fate::Dropped).collect();
            let [first, again, repeated] = exactly(from_the_lost_one, "frames from the dropped one on")?;
            let holds = again.frame.by_timer
                && again.frame.flags().contains(TcpFlags::FIN)
                && (repeated.frame.seq, repeated.frame.ack) == (first.frame.seq, first.frame.ack);
            let waiting = in_state(trace, 8, "server", TcpState::TimeWait);
            let gone = in_state(trace, 8, "client", TcpState::Closed);
            let evidence = waiting.into_iter().chain([first.event, again.event, repeated.event]).chain(gone);
            Verdict::of(holds && waiting.is_some() && gone.is_some(), evidence)
        }),
    ]
}

const NONE: Unseen = Unseen::because("the frames or calls that it is about did not come");

/// What was told of the state of a role's connection, after it stood.
fn states<'a>(trace: &'a Trace, scene: u32, role: &str) -> Vec<&'a Event> {
    let role: Selection<'a> = trace.scene(scene).role(role);
    let mut states = role.states();
    states.retain(|event| event.state() != Some(TcpState::Listen));
    states
}

/// The moment at which a role's connection came into a state.
fn in_state<'a>(trace: &'a Trace, scene: u32, role: &str, state: TcpState) -> Option<&'a Event> {
    states(trace, scene, role).into_iter().find(|event| event.state() == Some(state))
}

/// Whose connection ends in TIME-WAIT.
fn remembering(trace: &Trace, scene: u32) -> Vec<(&'static str, &Event)> {
    let last = |role| states(trace, scene, role).last().copied().map(|event| (role, event));
    let both = ["server", "client"].into_iter().filter_map(last);
    both.filter(|(_, event)| event.state() == Some(TcpState::TimeWait)).collect()
}

/// The segments from the first goodbye on.
fn goodbye(trace: &Trace, scene: u32) -> Vec<Sent<'_>> {
    trace.scene(scene).frames().into_iter().skip_while(|sent| !sent.frame.flags().contains(TcpFlags::FIN)).collect()
}

fn reset(trace: &Trace, scene: u32) -> Option<Sent<'_>> {
    trace.scene(scene).frames().into_iter().find(|sent| sent.frame.flags().contains(TcpFlags::RST))
}
