//! What the old texts say about loss, and what the frames say.

use socklab::prelude::*;
use socklab::trace::{Event, Fate, Frame, Made, Sent, TcpFlags};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C23", "UDP confirms nothing, and so what it carries may be lost.", |trace| {
            let (lost, scene) = (with_fate(trace, 1, Fate::Dropped), trace.scene(1));
            let frame = lost.first().ok_or(Unseen::because("no frame was lost"))?;
            let sent = scene.clone().role("client").before(frame.event).calls(Syscall::SendTo);
            let told = from_server(trace, 1);
            let arrived = |made: &&Made<'_>| made.call.bytes() == frame.frame.payload.bytes.as_slice();
            let arrives = scene.role("server").calls(Syscall::RecvFrom).iter().any(|made| arrived(&made));
            let taken = sent.last().filter(|made| made.call.ret == Some(frame.frame.payload.len as i64));
            let holds = taken.is_some() && told.is_empty() && !arrives;
            Verdict::of(holds, sent.last().map(|made| made.event).into_iter().chain([frame.event]))
        }),
        Claim::classic("S0-C22", "The receiver answers ack=1, all is well, or ack=0, send it again.", |trace| {
            let again = sent_again(trace, 2);
            let first = again.first().ok_or(Unseen::because("nothing was sent again"))?;
            let asked = from_server(trace, 2);
            let before =
                asked.iter().filter(|sent| sent.event.n < first.event.n && !sent.frame.flags().contains(TcpFlags::SYN));
            let refusals = asked.iter().filter(|sent| !sent.frame.flags().contains(TcpFlags::ACK));
            let holds = before.clone().count() > 0 && refusals.count() > 0;
            Verdict::of(holds, before.chain(&again).map(|sent| sent.event))
        }),
        Claim::classic(
            "S0-C19",
            "What was sent stays in the send buffer until its acknowledgement has come.",
            |trace| {
                let probes = trace.scene(2).role("client").send_queues();
                let frames = trace.scene(2).frames();
                let reaches = |sent: &&Sent<'_>| !from_client(sent) && sent.frame.ack > Some(1);
                let ack = frames.iter().find(reaches).ok_or(Unseen::because("no acknowledgement came"))?;
                let full = |event: &Event| event.unacknowledged().is_some_and(|bytes| bytes > 0);
                let holds = probes.len() > 1 && probes.iter().all(|event| full(event) == (event.n < ack.event.n));
                let evidence = probes.iter().copied().chain([ack.event]);
                let mut evidence: Vec<&Event> = evidence.collect();
                evidence.sort_by_key(|event| event.n);
                Verdict::of(holds, evidence)
            },
        ),
        Claim::ours("A segment needs no acknowledgement of its own: a later one says it too.", |trace| {
            let data =
                trace.scene(5).frames().into_iter().filter(|sent| from_client(sent) && sent.frame.payload.len > 0);
            let data: Vec<Sent<'_>> = data.collect();
            let acks: Vec<Sent<'_>> = arrived_acks(trace, 5);
            let end = |sent: &Sent<'_>| sent.frame.seq.map(|seq| seq + sent.frame.payload.len as u32);
            let own = |sent: &&Sent<'_>| acks.iter().any(|ack| ack.frame.ack == end(sent));
            let without = data.iter().filter(|sent| !own(sent));
            let none_again = sent_again(trace, 5).iter().all(|sent| sent.frame.payload.len == 0);
            if data.is_empty() || !none_again {
                return Err(Unseen::because("no data was sent, or some of it twice"));
            }
            Verdict::of(without.count() > 0, data.iter().chain(acks.last()).map(|sent| sent.event))
        }),
        Claim::ours("A timer sends again what is not acknowledged, and waits longer each time.", |trace| {
            let again = sent_again(trace, 2);
            let after: Vec<Option<&str>> = again.iter().map(|sent| sent.frame.after.as_deref()).collect();
            let holds = after == [Some("about 200 ms"), Some("about 400 ms")];
            Verdict::of(holds, again.iter().map(|sent| sent.event))
        }),
        Claim::ours(
            "Three acknowledgements of the same number, and the sender does not wait for its timer.",
            |trace| {
                let again = sent_again(trace, 3);
                let repair = again.first().ok_or(Unseen::because("nothing was sent again"))?;
                let frames = trace.scene(3).frames();
                let earlier = frames.iter().filter(|sent| sent.event.n < repair.event.n && !from_client(sent));
                let wanted = |sent: &&Sent<'_>| sent.frame.ack == repair.frame.seq;
                let same: Vec<&Sent<'_>> = earlier.filter(wanted).collect();
                // The first one was for what had come; those behind it say it again.
                let holds = same.len() == 4 && !repair.frame.by_timer;
                Verdict::of(holds, same.into_iter().chain([repair]).map(|sent| sent.event))
            },
        ),
        Claim::ours("recv gives no byte before the bytes in front of it, even where it has come.", |trace| {
            let server = trace.scene(3).role("server");
            let received = server.calls(Syscall::Recv);
            let frames = trace.scene(3).frames();
            let lost = frames
                .iter()
                .find(|sent| sent.frame.fate == Fate::Dropped)
                .ok_or(Unseen::because("no frame was lost"))?;
            let behind = frames.iter().find(|sent| from_client(sent) && sent.frame.seq > lost.frame.seq);
            let behind = behind.ok_or(Unseen::because("nothing came behind it"))?;
            let waits = server.after(behind.event).waits(Syscall::Recv);
            let text: Vec<u8> = received.iter().flat_map(|made| made.call.bytes().to_vec()).collect();
            let holds = text == b"one two three four five six" && !waits.is_empty();
            let evidence = [behind.event].into_iter().chain(received.first().map(|made| made.event));
            Verdict::of(holds, evidence.chain(waits.into_iter().take(1)).chain(received.get(1).map(|made| made.event)))
        }),
        Claim::ours("What comes twice, or in another order, is read once and in order.", |trace| {
            let odd = trace.scene(4).frames().into_iter();
            let odd = odd.filter(|sent| sent.frame.fate == Fate::Duplicated || sent.frame.held.is_some());
            let odd: Vec<&Event> = odd.map(|sent| sent.event).collect();
            if odd.len() < 2 {
                return Err(Unseen::because("all frames came once and in order"));
            }
            let received = trace.scene(4).role("server").calls(Syscall::Recv);
            let text: Vec<u8> = received.iter().flat_map(|made| made.call.bytes().to_vec()).collect();
            let evidence = odd.into_iter().chain(received.iter().map(|made| made.event));
            Verdict::of(text == b"one two three four five six", evidence)
        }),
        Claim::ours("No program reads a damaged segment or datagram: it is lost.", |trace| {
            let (datagram, segment) = (with_fate(trace, 1, Fate::Corrupted), with_fate(trace, 4, Fate::Corrupted));
            let read = |scene, sent: &Sent<'_>| {
                let calls = trace.scene(scene).role("server").all_calls();
                calls.iter().any(|made| made.call.bytes() == sent.frame.payload.bytes.as_slice())
            };
            let unread = datagram.iter().all(|sent| !read(1, sent)) && segment.iter().all(|sent| !read(4, sent));
            if datagram.is_empty() || segment.is_empty() {
                return Err(Unseen::because("nothing was damaged"));
            }
            let counted = trace.scene(1).role("server").printed();
            let counted = counted.iter().filter(|(_, line)| line.starts_with("damaged")).map(|(event, _)| *event);
            let again = sent_again(trace, 4);
            let evidence = datagram.iter().map(|sent| sent.event).chain(counted);
            Verdict::of(unread, evidence.chain(segment.iter().chain(&again).map(|sent| sent.event)))
        }),
        Claim::ours("TCP hides a loss from both programs, but for the time that it takes.", |trace| {
            let calls = |scene| trace.scene(scene).all_calls();
            let failed = (2..=6).flat_map(calls).filter(|made| made.call.errno.is_some());
            let failed: Vec<&Event> = failed.map(|made| made.event).collect();
            let lost = (2..=6).flat_map(|scene| with_fate(trace, scene, Fate::Dropped));
            let lost: Vec<&Event> = lost.map(|sent| sent.event).collect();
            Verdict::of(!lost.is_empty() && failed.is_empty(), if failed.is_empty() { lost } else { failed })
        }),
    ]
}

fn from_client(sent: &Sent<'_>) -> bool {
    sent.frame.from.as_deref().is_some_and(|from| from.starts_with("client:"))
}

fn from_server(trace: &Trace, scene: u32) -> Vec<Sent<'_>> {
    trace.scene(scene).frames().into_iter().filter(|sent| !from_client(sent)).collect()
}

fn with_fate(trace: &Trace, scene: u32, fate: Fate) -> Vec<Sent<'_>> {
    trace.scene(scene).frames().into_iter().filter(|sent| sent.frame.fate == fate).collect()
}

/// Acknowledgements of data that reached the client.
fn arrived_acks(trace: &Trace, scene: u32) -> Vec<Sent<'_>> {
    let acks = from_server(trace, scene).into_iter();
    acks.filter(|sent| sent.frame.flags() == TcpFlags::ACK && sent.frame.fate == Fate::Passed).collect()
}

/// The client's segments with a number that it had sent before.
fn sent_again(trace: &Trace, scene: u32) -> Vec<Sent<'_>> {
    let takes = |frame: &Frame| {
        frame.payload.len > 0 || frame.flags().contains(TcpFlags::SYN) || frame.flags().contains(TcpFlags::FIN)
    };
    let mine: Vec<Sent<'_>> =
        trace.scene(scene).frames().into_iter().filter(|sent| from_client(sent) && takes(sent.frame)).collect();
    let known = |index: usize| mine[..index].iter().any(|earlier| earlier.frame.seq == mine[index].frame.seq);
    (0..mine.len()).filter(|index| known(*index)).map(|index| mine[index]).collect()
}
