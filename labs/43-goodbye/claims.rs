//! What the old texts say about the end of a connection, and what the frames and the states say.

use socklab::prelude::*;
use socklab::trace::{Event, Fate, Host, Made, Selection, Sent, TcpFlags, exactly};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S2-C11",
            "The side that ends the connection goes to FIN-WAIT-1, and the other side to CLOSE-WAIT.",
            |trace| {
                let fin = goodbye(trace, 1)?[0];
                let first = in_state(trace, 1, "server", TcpState::FinWait1);
                let other = in_state(trace, 1, "client", TcpState::CloseWait);
                let holds = first.is_some() && other.is_some();
                Verdict::of(holds, first.into_iter().chain([fin.event]).chain(other))
            },
        ),
        Claim::classic("S2-C11", "The side that has sent FIN can still be sent data.", |trace| {
            let client = trace.scene(3).role("client");
            let shutdown = client.first(Syscall::Shutdown)?;
            let received = client.after(shutdown.event).received().into_iter().next();
            Verdict::by_calls(received.is_some(), [shutdown].into_iter().chain(received))
        }),
        Claim::classic("S2-C12", "At the end the side that began, the client, is closed.", |trace| {
            let last = states(trace, 2, "client").last().copied().ok_or(NONE)?;
            Verdict::of(last.state() == Some(TcpState::Closed), [last])
        }),
        Claim::classic(
            "S1-C21",
            "What keeps a server's address in use is TIME-WAIT, after the four segments of the end.",
            |trace| {
                // The state of the server's connection at the end of a scene.
                let at_end = |scene| states(trace, scene, "server").last().copied().ok_or(NONE);
                let [server_first, client_first] = [at_end(1)?, at_end(2)?];
                let waits = |event: &Event| event.state() == Some(TcpState::TimeWait);
                let evidence = [server_first, client_first];
                Verdict::only_when("the server closes first", waits(server_first), waits(client_first), evidence)
            },
        ),
        Claim::classic(
            "S2-C17",
            "On Linux a client that has gone is an empty result: if not cmd. ConnectionResetError is for Windows.",
            |trace| {
                let last = |scene| trace.scene(scene).role("server").last(Syscall::Recv);
                let [closed, reset] = [last(2)?, last(6)?];
                let is_empty = |made: &Made| made.call.ret == Some(0);
                let condition = "the client closes; a reset is an error on Linux, too";
                Verdict::only_when(condition, is_empty(&closed), is_empty(&reset), [closed.event, reset.event])
            },
        ),
        Claim::ours(
            "The side that closes first is in TIME-WAIT, for about a minute; the other side is not (scenes 1 to 3).",
            |trace| {
                let mut evidence = Vec::new();
                for scene in [1, 2, 3] {
                    let first = goodbye(trace, scene)?[0];
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
        Claim::ours(
            "Linux delays the ACK of a FIN: three segments do; if it is asked to acknowledge at once, it takes four.",
            |trace| {
                let [three, four] = [goodbye(trace, 1)?, goodbye(trace, 2)?];
                let flags: Vec<TcpFlags> = four.iter().map(|sent| sent.frame.flags()).collect();
                let (fin, ack) = (TcpFlags::FIN | TcpFlags::ACK, TcpFlags::ACK);
                let holds = three.len() == 3 && flags == [fin, ack, fin, ack];
                Verdict::of(holds, three.into_iter().chain(four).map(|sent| sent.event))
            },
        ),
        Claim::ours(
            "If both close before either has heard the other's FIN, both go through CLOSING to TIME-WAIT.",
            |trace| {
                goodbye(trace, 4)?;
                let both = [TcpState::Closing, TcpState::TimeWait].map(|state| {
                    let roles = ["client", "server"].into_iter();
                    roles.filter_map(|role| in_state(trace, 4, role, state)).collect::<Vec<_>>()
                });
                let mut evidence = both.concat();
                evidence.sort_by_key(|event| event.n);
                Verdict::of(evidence.len() == 4, evidence)
            },
        ),
        Claim::ours(
            "If one side never closes, the other is left in FIN-WAIT-2, for about a minute by the kernel's own timer.",
            |trace| {
                let (client, server) = (states(trace, 5, "client"), states(trace, 5, "server"));
                let (gone, left) = client.last().copied().zip(server.last().copied()).ok_or(NONE)?;
                let timed = gone.remembered_for() == Some(Duration::from_secs(60));
                let holds =
                    gone.state() == Some(TcpState::FinWait2) && left.state() == Some(TcpState::CloseWait) && timed;
                Verdict::of(holds, [left, gone])
            },
        ),
        Claim::ours("A reset ends a connection at both ends at once: neither is in TIME-WAIT.", |trace| {
            let reset = reset(trace, 6).ok_or(NONE)?;
            let ends = ["client", "server"].map(|role| states(trace, 6, role).last().copied());
            let closed = |end: &Option<&Event>| end.is_some_and(|event| event.state() == Some(TcpState::Closed));
            let holds = ends.iter().all(closed) && remembering(trace, 6).is_empty();
            let [client, server] = ends;
            Verdict::of(holds, client.into_iter().chain([reset.event]).chain(server))
        }),
        Claim::ours("A socket that is closed with unread bytes sends RST in place of FIN.", |trace| {
            let close = trace.scene(7).role("client").first(Syscall::Close)?;
            let unread = trace.scene(7).role("client").received().is_empty();
            let data = trace.scene(7).before(close.event).frames();
            let data = data.into_iter().find(|sent| sent.frame.payload.len > 0 && sent.frame.dir.0 == Host::B);
            let data = data.ok_or(NONE)?;
            let reset = reset(trace, 7).ok_or(NONE)?;
            let told = trace.scene(7).role("server").last(Syscall::Recv)?;
            let error = told.call.errno == Some(Errno::ECONNRESET);
            let holds = unread && goodbye(trace, 7).is_err() && reset.event.n > close.event.n && error;
            Verdict::of(holds, [data.event, close.event, reset.event, told.event])
        }),
        Claim::ours("A side in TIME-WAIT repeats the last acknowledgement if it was lost.", |trace| {
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

/// The states that a role's connection was seen in, from SYN-SENT on.
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

/// The segments from the first FIN on: one at least.
fn goodbye(trace: &Trace, scene: u32) -> Result<Vec<Sent<'_>>, Unseen> {
    let frames = trace.scene(scene).frames().into_iter();
    let rest: Vec<Sent<'_>> = frames.skip_while(|sent| !sent.frame.flags().contains(TcpFlags::FIN)).collect();
    if rest.is_empty() { Err(Unseen::because("no FIN was sent")) } else { Ok(rest) }
}

fn reset(trace: &Trace, scene: u32) -> Option<Sent<'_>> {
    trace.scene(scene).frames().into_iter().find(|sent| sent.frame.flags().contains(TcpFlags::RST))
}
