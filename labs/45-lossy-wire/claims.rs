//! What the old texts say about loss, and what the frames say.

use socklab::prelude::*;
use socklab::trace::{Event, Fate, Frame, Made, Sent, TcpFlags, exactly};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C23", "UDP is not confirmed, and so it is unreliable.", |trace| {
            let (lost, scene) = (with_fate(trace, 1, Fate::Dropped), trace.scene(1));
            let frame = lost.first().ok_or(Unseen::because("no frame was lost"))?;
            let mut sent = scene.clone().role("client").before(frame.event).all_calls();
            sent.retain(|made| made.call.name.sends());
            let answers = from_server(trace, 1);
            let arrived = |made: &&Made<'_>| made.call.bytes() == frame.frame.payload.bytes.as_slice();
            let arrives = scene.role("server").received().iter().any(|made| arrived(&made));
            let taken = sent.last().filter(|made| made.call.ret == Some(frame.frame.payload.len as i64));
            let holds = taken.is_some() && answers.is_empty() && !arrives;
            Verdict::of(holds, sent.last().map(|made| made.event).into_iter().chain([frame.event]))
        }),
        Claim::classic(
            "S0-C22",
            "The peer answers ack=1, and the buffer is cleared, or ack=0, and it is sent again.",
            |trace| {
                let again = sent_again(trace, 2);
                let first = again.first().ok_or(Unseen::because("nothing was sent again"))?;
                let asked = from_server(trace, 2);
                let before = asked
                    .iter()
                    .filter(|sent| sent.event.n < first.event.n && !sent.frame.flags().contains(TcpFlags::SYN));
                let refusals = asked.iter().filter(|sent| !sent.frame.flags().contains(TcpFlags::ACK));
                let holds = before.clone().count() > 0 && refusals.count() > 0;
                Verdict::of(holds, before.chain(&again).map(|sent| sent.event))
            },
        ),
        Claim::classic("S0-C19", "The send buffer is cleared only when the acknowledgement has come.", |trace| {
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
        }),
        Claim::ours("A segment needs no acknowledgement of its own: a later one is enough.", |trace| {
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
            if again.is_empty() {
                return Err(Unseen::because("nothing was sent again"));
            }
            let after: Vec<Option<&str>> = again.iter().map(|sent| sent.frame.after.as_deref()).collect();
            let holds = after == [Some("about 200 ms"), Some("about 400 ms")];
            Verdict::of(holds, again.iter().map(|sent| sent.event))
        }),
        Claim::ours(
            "Without SACK, at three duplicate acknowledgements the sender does not wait for its timer.",
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
        Claim::ours("With SACK one acknowledgement is enough, and only what is missing is sent again.", |trace| {
            let again = sent_again(trace, 7);
            let [repair] = exactly(again, "segments sent again in scene 7")?;
            let lost = with_fate(trace, 7, Fate::Dropped);
            let lost = lost.first().ok_or(Unseen::because("no frame was lost"))?;
            let before = from_server(trace, 7).into_iter();
            let before = before.filter(|sent| sent.event.n > lost.event.n && sent.event.n < repair.event.n);
            let [ack] = exactly(before.collect(), "acknowledgements between the loss and its repair")?;
            let same = repair.frame.payload == lost.frame.payload && repair.frame.seq == lost.frame.seq;
            let holds = same && ack.frame.ack == lost.frame.seq && !repair.frame.by_timer;
            Verdict::of(holds, [lost.event, ack.event, repair.event])
        }),
        Claim::ours("recv gives no byte before the bytes in front of it, even if it has arrived.", |trace| {
            let server = trace.scene(3).role("server");
            let received = server.received();
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
        Claim::ours("What arrives twice or in another order is read once and in order.", |trace| {
            let odd = trace.scene(4).frames().into_iter();
            let odd = odd.filter(|sent| sent.frame.fate == Fate::Duplicated || sent.frame.held.is_some());
            let odd: Vec<&Event> = odd.map(|sent| sent.event).collect();
            if odd.len() < 2 {
                return Err(Unseen::because("all frames came once and in order"));
            }
            let received = trace.scene(4).role("server").received();
            let text: Vec<u8> = received.iter().flat_map(|made| made.call.bytes().to_vec()).collect();
            let evidence = odd.into_iter().chain(received.iter().map(|made| made.event));
            Verdict::of(text == b"one two three four five six", evidence)
        }),
        Claim::ours("A damaged segment, or a damaged datagram with a checksum, is read by no program.", |trace| {
            let (datagram, segment) = (with_fate(trace, 1, Fate::Corrupted), with_fate(trace, 4, Fate::Corrupted));
            let read = |scene, sent: &Sent<'_>| {
                let calls = trace.scene(scene).role("server").all_calls();
                calls.iter().any(|made| made.call.bytes() == sent.frame.payload.bytes.as_slice())
            };
            // RFC 768: 0 in place of a checksum says that there is none. It stands at byte 40 of the frame.
            let checked = |sent: &Sent<'_>| sent.frame.bytes.bytes.get(40..42).is_some_and(|sum| sum != [0, 0]);
            if !datagram.iter().all(checked) {
                return Err(Unseen::because("the damaged datagram had no checksum"));
            }
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
        Claim::ours(
            "In these scenes TCP hides each loss from both programs, but for the time that it takes.",
            |trace| {
                let calls = |scene| trace.scene(scene).all_calls();
                let failed = (2..=7).flat_map(calls).filter(|made| made.call.errno.is_some());
                let failed: Vec<&Event> = failed.map(|made| made.event).collect();
                let lost = (2..=7).flat_map(|scene| with_fate(trace, scene, Fate::Dropped));
                let lost: Vec<&Event> = lost.map(|sent| sent.event).collect();
                if lost.is_empty() {
                    return Err(Unseen::because("nothing was lost"));
                }
                Verdict::of(failed.is_empty(), if failed.is_empty() { lost } else { failed })
            },
        ),
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
