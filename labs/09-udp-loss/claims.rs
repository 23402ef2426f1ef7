//! What lab 09 confirms and refutes.

use socklab::prelude::*;
use socklab::trace::{Made, Selection};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C23",
            "UDP is not confirmed, so it is unreliable: a send succeeds though its datagram is lost.",
            |trace| {
                let sent: [Made<'_>; 5] = few(sends(&trace.scene(1).role("client")))?;
                let asked = dropped(&trace.scene(1))?;
                let all = sent.iter().all(|made| made.call.ret == Some(5000));
                let some_lost = asked.event.number("drops") > Some(0);
                Verdict::by_calls(all && some_lost, sent.into_iter().chain([asked]))
            },
        ),
        Claim::classic(
            "S0-C17",
            "UDP is unreliable because what does not fit the receiver's buffer is lost.",
            |trace| {
                // If that were the reason, nothing would be lost where every datagram fits.
                let [received] = few(receives(&trace.scene(1).role("server")))?;
                let asked = dropped(&trace.scene(1))?;
                let fits = received.call.ret < received.asked_for();
                let lost_though_it_fits = fits && asked.event.number("drops") > Some(0);
                Verdict::by_calls(!lost_though_it_fits, [received, asked])
            },
        ),
        Claim::ours(
            "As many sends as receives are not enough: a lost datagram leaves the last receive waiting.",
            |trace| {
                let sent: [Made<'_>; 3] = few(sends(&trace.scene(4).role("client")))?;
                let [first, second] = few(receives(&trace.scene(4).role("server")))?;
                let end = trace.scene(4).findings().first().copied().ok_or(NOT_ASKED)?;
                let asked = dropped(&trace.scene(4))?;
                let all_sent = sent.iter().all(|made| made.call.ret > Some(0));
                let one_lost = asked.event.number("drops") == Some(1);
                let events = sent.iter().chain([&first, &second, &asked]).map(|made| made.event).chain([end]);
                Verdict::of(all_sent && one_lost, events)
            },
        ),
        Claim::ours("The queue keeps what came first, and what was dropped does not come later.", |trace| {
            let [first, .., sixth]: [Made<'_>; 6] = few(sends(&trace.scene(1).role("client")))?;
            let mut received = receives(&trace.scene(1).role("server"));
            received.retain(|made| made.call.errno.is_none());
            let [kept, last] = few(received)?;
            let holds = first.call.data == kept.call.data && sixth.call.data == last.call.data;
            Verdict::by_calls(holds, [first, sixth, kept, last])
        }),
        Claim::ours(
            "The kernel counts what it drops: the socket and the next datagram report the same number.",
            |trace| {
                let sent = sends(&trace.scene(1).role("client")).len() as i64;
                let mut received = receives(&trace.scene(1).role("server"));
                let asked = dropped(&trace.scene(1))?;
                received.retain(|made| made.call.errno.is_none());
                let [_, last] = few(received)?;
                let drops = asked.event.number("drops");
                let holds = drops == Some(sent - 2) && last.event.number("lost_before") == drops;
                Verdict::by_calls(holds, [asked, last])
            },
        ),
        Claim::ours("Of a hundred small ones the first ones were kept, in order and without a gap.", |trace| {
            let scene = trace.scene(2);
            let [sent] = scene.exactly(Syscall::SendMmsg)?;
            let [received] = scene.exactly(Syscall::RecvMmsg)?;
            let fewer = received.call.ret > Some(1) && received.call.ret < sent.call.ret;
            let holds = fewer && sent.call.bytes().starts_with(received.call.bytes());
            Verdict::by_calls(holds, [sent, received])
        }),
        Claim::ours("Over IPv4 a datagram carries at most 65,507 bytes: with one more, sendto fails.", |trace| {
            let [large, largest] = few(sends(&trace.scene(3).role("client")))?;
            let [one] = few(receives(&trace.scene(3).role("server")))?;
            let refused = large.failed(Errno::EMSGSIZE);
            let holds = refused && largest.call.ret == Some(65507) && one.call.ret == largest.call.ret;
            Verdict::by_calls(holds, [large, largest, one])
        }),
        Claim::ours("No call reports the datagram that is lost: the next one is received in its place.", |trace| {
            let [hello, world, egon] = few(sends(&trace.scene(4).role("client")))?;
            let [first, second] = few(receives(&trace.scene(4).role("server")))?;
            let silent = [world, first, second].iter().all(|made| made.call.errno.is_none());
            let holds = silent && first.call.data == hello.call.data && second.call.data == egon.call.data;
            Verdict::by_calls(holds, [world, first, second])
        }),
        Claim::ours(
            "With numbers, answers and a time limit all three messages arrive, though two datagrams are lost.",
            |trace| {
                let client = trace.scene(5).role("client");
                let silence: Vec<_> = receives(&client).into_iter().filter(|made| made.failed(Errno::EAGAIN)).collect();
                let received: [Made<'_>; 4] = few(receives(&trace.scene(5).role("server")))?;
                let holds = ["hello", "world", "egon"]
                    .iter()
                    .all(|text| received.iter().any(|made| made.call.bytes().get(4..) == Some(text.as_bytes())));
                Verdict::by_calls(holds && silence.len() == 2, silence.into_iter().chain(received))
            },
        ),
        Claim::ours("Where the answer was lost, the same message arrives twice: only its number tells.", |trace| {
            let [_, _, first, second]: [Made<'_>; 4] = few(receives(&trace.scene(5).role("server")))?;
            let (first_bytes, second_bytes) = (first.call.bytes(), second.call.bytes());
            let same_number = first_bytes.first() == second_bytes.first();
            let same_text = first_bytes.get(4..).is_some() && first_bytes.get(4..) == second_bytes.get(4..);
            Verdict::by_calls(same_number && same_text, [first, second])
        }),
    ]
}

const NOT_ASKED: Unseen = Unseen::because("no role asked what was lost");

/// The first answer to the question how many were dropped.
fn dropped<'a>(scene: &Selection<'a>) -> Result<Made<'a>, Unseen> {
    scene.calls(Syscall::GetSockOpt).into_iter().find(|made| made.event.number("drops").is_some()).ok_or(NOT_ASKED)
}

/// The receives, by whatever call.
fn receives<'a>(role: &Selection<'a>) -> Vec<Made<'a>> {
    role.all_calls().into_iter().filter(|made| made.call.name.receives()).collect()
}

/// The sends, by whatever call.
fn sends<'a>(role: &Selection<'a>) -> Vec<Made<'a>> {
    role.all_calls().into_iter().filter(|made| made.call.sends()).collect()
}

/// The first of these, of which there must be so many.
fn few<const N: usize>(calls: Vec<Made<'_>>) -> Result<[Made<'_>; N], Unseen> {
    calls.first_chunk().copied().ok_or(Unseen::because("too few datagrams were exchanged"))
}
