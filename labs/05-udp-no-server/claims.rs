//! What the old texts say about a client without a server.

use socklab::prelude::*;
use socklab::trace::{Made, Selection};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C09", "Run the UDP client alone, without a server: it gets no error.", |trace| {
            let [alone, connected, asking] = [1, 3, 4].map(|scene| sends(&trace.scene(scene).role("client")));
            let first = alone.first().copied().ok_or(NO_DATAGRAM)?;
            if connected.is_empty() || asking.is_empty() {
                return Err(NO_DATAGRAM);
            }
            let silent = alone.iter().all(|made| made.call.errno.is_none());
            let shown: Vec<_> = connected.into_iter().chain(asking).filter(refused).collect();
            Verdict::only_when(
                "the socket is unconnected and has not set IP_RECVERR, as the text's",
                silent,
                shown.is_empty(),
                [first].into_iter().chain(shown).map(|made| made.event),
            )
        }),
        Claim::classic("S0-C09", "Its messages are lost: a server that starts later receives nothing.", |trace| {
            let sent = sends(&trace.scene(1).role("client")).first().copied().ok_or(NO_DATAGRAM)?;
            let server = trace.scene(1).role("server");
            let bound = server.first(Syscall::Bind)?;
            let waits = server.waits(Syscall::RecvFrom);
            let lost = taken(&server).is_empty() && !waits.is_empty();
            Verdict::of(lost, [sent.event, bound.event].into_iter().chain(waits))
        }),
        Claim::classic("S0-C08", "UDP needs no connection: one can send although nobody is there.", |trace| {
            let scene = trace.scene(1);
            let sent = sends(&scene.clone().role("client")).first().copied().ok_or(NO_DATAGRAM)?;
            if !scene.clone().before(sent.event).calls(Syscall::Bind).is_empty() {
                return Err(Unseen::because("somebody was there"));
            }
            let whole = sent.call.ret == sent.asked_for();
            Verdict::by_calls(whole && scene.calls(Syscall::Connect).is_empty(), [sent])
        }),
        Claim::classic("S3-C05", "Whichever side is started first, there is no error.", |trace| {
            let sent = sends(&trace.scene(2));
            if sent.is_empty() {
                return Err(NO_DATAGRAM);
            }
            let errors = trace.scene(2).all_calls().iter().filter(|made| made.call.errno.is_some()).count();
            Verdict::by_calls(errors == 0, sent)
        }),
        Claim::ours("It matters all the same: the client that came first waits for its answer in vain.", |trace| {
            let (first, second) = (trace.scene(2).role("client"), trace.scene(2).role("second-client"));
            let answer = taken(&second).first().copied().ok_or(NO_DATAGRAM)?;
            let in_vain = taken(&first).is_empty() && !first.waits(Syscall::RecvFrom).is_empty();
            let findings = trace.scene(2).findings();
            let found = findings.iter().any(|event| event.finds_waiting("client"));
            Verdict::of(in_vain && found, [answer.event].into_iter().chain(findings))
        }),
        Claim::ours(
            "A connected socket reports a refusal once, in the first call after the refusal has come back; that call \
             sends nothing.",
            |trace| {
                let client = trace.scene(3).role("client");
                let moves = |made: &Made<'_>| made.call.sends() || made.call.name.receives();
                let calls: Vec<_> = client.all_calls().into_iter().filter(moves).collect();
                // Had the second one been sent, its own refusal would have met the third.
                let shown: Vec<bool> = calls.iter().map(refused).collect();
                if calls.is_empty() {
                    Err(NO_DATAGRAM)
                } else {
                    Verdict::by_calls(shown == [false, true, false, true], calls)
                }
            },
        ),
        Claim::ours(
            "With IP_RECVERR an unconnected socket reports it, too, and to which address the lost datagram went.",
            |trace| {
                let client = trace.scene(4).role("client");
                let [lost, shown] = some_sends(&client)?;
                let report = client.first(Syscall::RecvMsg)?;
                let same = report.call.get_out("msg_name") == lost.call.get_arg("dest_addr");
                let (of_type, code) = (report.event.number("ee_type"), report.event.number("ee_code"));
                let unreachable = of_type == Some(3) && code == Some(3);
                Verdict::by_calls(refused(&shown) && same && unreachable, [lost, shown, report])
            },
        ),
        Claim::ours("The refusal brings the beginning of a long datagram back, and not all of it.", |trace| {
            let client = trace.scene(5).role("client");
            let lost = sends(&client).first().copied().ok_or(NO_DATAGRAM)?;
            let report = client.first(Syscall::RecvMsg)?;
            let (whole, back) = (lost.call.bytes(), report.call.bytes());
            let beginning = !back.is_empty() && back.len() < whole.len() && whole.starts_with(back);
            Verdict::by_calls(beginning, [lost, report])
        }),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was sent in this scene");

/// The calls that were to send a datagram, whatever came of them.
fn sends<'a>(some: &Selection<'a>) -> Vec<Made<'a>> {
    some.all_calls().into_iter().filter(|made| made.call.sends()).collect()
}

fn some_sends<'a>(some: &Selection<'a>) -> Result<[Made<'a>; 2], Unseen> {
    sends(some).first_chunk().copied().ok_or(NO_DATAGRAM)
}

/// The receives that took a datagram.
fn taken<'a>(some: &Selection<'a>) -> Vec<Made<'a>> {
    some.all_calls().into_iter().filter(|made| made.call.name.receives() && made.call.errno.is_none()).collect()
}

fn refused(made: &Made<'_>) -> bool {
    made.failed(Errno::ECONNREFUSED)
}
