//! What the old texts say about two sends and one receive, and what the queue between the calls says.

use socklab::prelude::*;
use socklab::trace::{Data, Event, Made, What, bytes_of};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C13", "Only TCP sticks. UDP never does.", |trace| {
            let [tcp, udp, asked] = [arrived(trace, 2)?, arrived(trace, 5)?, arrived(trace, 6)?];
            let sends = trace.scene(6).role("client").some(Syscall::Send)?;
            let holds = merged(&tcp) && apart(&udp);
            let even_then = holds && !merged(&asked);
            let evidence = events(tcp.into_iter().chain(udp).chain(sends).chain(asked));
            Verdict::only_when(
                "no program asks UDP for it with MSG_MORE, UDP_CORK or UDP_GRO",
                holds,
                even_then,
                evidence,
            )
        }),
        Claim::classic("S0-C14", "They stick because the receiver does not know where a message ends.", |trace| {
            // Both receivers were late. Only one of the two queues holds something that marks an end.
            let [tcp, udp] = [arrived(trace, 2)?, arrived(trace, 5)?];
            let full = queue(trace, 2, 9)?;
            let calls = events(tcp.iter().chain(&udp).copied());
            Verdict::of(merged(&tcp) && apart(&udp), std::iter::once(full).chain(calls))
        }),
        Claim::classic("S0-C20", "First case: the sender waits until its buffer is full (this program).", |trace| {
            let [first, second] = trace.scene(2).role("client").exactly(Syscall::Send)?;
            let received = arrived(trace, 2)?;
            let full = queue(trace, 2, 9)?;
            let came = between(trace, &first, &second);
            let evidence = [first.event].into_iter().chain(came).chain([second.event, full]);
            Verdict::of(came.is_none() && merged(&received), evidence.chain(events(received)))
        }),
        Claim::classic("S0-C20", "Second case: the receiver reads late, and gets several at once.", |trace| {
            let received = arrived(trace, 2)?;
            let full = queue(trace, 2, 9)?;
            let after = received.first().is_some_and(|made| made.event.n > full.n);
            Verdict::of(after && merged(&received), std::iter::once(full).chain(events(received)))
        }),
        Claim::classic("S3-C09", "The first recv gives both messages.", |trace| {
            let [late, spaced] = [arrived(trace, 2)?, arrived(trace, 3)?];
            let both = [&late, &spaced].map(|received| merged(received));
            let evidence = events(late.into_iter().chain(spaced));
            Verdict::only_when("the server calls recv after both have come", both[0], both[1], evidence)
        }),
        Claim::classic(
            "S4-C08",
            "As long as what is sent fits recv's argument, nothing sticks; beyond it, it surely does.",
            |trace| {
                let sends = trace.scene(2).role("client").some(Syscall::Send)?;
                let received = arrived(trace, 2)?;
                let room = received.first().and_then(|made| made.asked_for());
                if sends.iter().any(|made| made.call.ret > room) {
                    return Err(Unseen::because("a message was longer than the receiver's buffer"));
                }
                Verdict::by_calls(apart(&received), sends.into_iter().chain(received))
            },
        )
        .turned_by("the two recv would have returned hello and feng", |trace| {
            let of_server = |event: &&mut Event| event.scene == 2 && event.role.as_deref() == Some("server");
            let calls = trace.events.iter_mut().filter(of_server).filter_map(|event| match &mut event.what {
                What::Call(call) if call.name.receives() => Some(call),
                _ => None,
            });
            for (call, (count, bytes)) in calls.zip([(5, b"hello".as_slice()), (4, b"feng")]) {
                call.ret = Some(count);
                call.data = Some(Data::new(bytes));
            }
        }),
        Claim::classic("S1-C03", "A socket is a facade between the application and TCP/IP.", |trace| {
            // The same calls with another type: did the kernel take them for both?
            let [tcp, udp] = [beginning(trace, 2)?, beginning(trace, 5)?];
            let works = tcp.iter().chain(&udp).all(|made| made.call.ret >= Some(0));
            Verdict::by_calls(works, tcp.into_iter().chain(udp))
        }),
        Claim::classic("S1-C04", "So one need not understand TCP and UDP in depth.", |trace| {
            // Two sends of the same bytes, and a receiver as late: if there were nothing to know, no difference.
            let datagrams = trace.scene(5).role("client").some(Syscall::SendTo)?;
            let [tcp, udp] = [arrived(trace, 2)?, arrived(trace, 5)?];
            if bytes_of(&datagrams) != bytes_of(&trace.scene(2).role("client").some(Syscall::Send)?) {
                return Err(Unseen::because("the same was not sent over both"));
            }
            let same_bytes = bytes_of(&tcp) == bytes_of(&udp);
            let same_pieces = same_bytes && tcp.len() == udp.len();
            let evidence = events(tcp.into_iter().chain(udp));
            let condition = "it does not matter to the program in which pieces its data comes";
            Verdict::only_when(condition, same_bytes, same_pieces, evidence)
        }),
        Claim::ours("A late receiver gets both sends at once, with Nagle's algorithm and without it.", |trace| {
            let [with, without] = [arrived(trace, 2)?, arrived(trace, 4)?];
            let option = trace.scene(4).role("client").first(Syscall::SetSockOpt)?;
            let holds = merged(&with) && merged(&without);
            Verdict::by_calls(holds, with.into_iter().chain([option]).chain(without))
        }),
        Claim::ours("If the first is read before the second is sent, the two stay apart.", |trace| {
            let received = arrived(trace, 3)?;
            let [_, second] = trace.scene(3).role("client").exactly(Syscall::Send)?;
            let first_read = *received.first().ok_or(Unseen::because("nothing was read"))?;
            if first_read.event.n > second.event.n {
                return Err(Unseen::because("the first was read after the second was sent"));
            }
            let last = received.iter().skip(1).copied();
            Verdict::by_calls(apart(&received), [first_read, second].into_iter().chain(last))
        }),
    ]
}

/// The receives of a scene's server that brought bytes.
fn arrived(trace: &Trace, scene: u32) -> Result<Vec<Made<'_>>, Unseen> {
    let received = trace.scene(scene).role("server").received();
    if received.is_empty() { Err(Unseen::because("the server has received nothing")) } else { Ok(received) }
}

/// A server's first calls: socket and bind.
fn beginning(trace: &Trace, scene: u32) -> Result<[Made<'_>; 2], Unseen> {
    let server = trace.scene(scene).role("server");
    Ok([server.first(Syscall::Socket)?, server.first(Syscall::Bind)?])
}

fn events<'a>(calls: impl IntoIterator<Item = Made<'a>>) -> Vec<&'a Event> {
    calls.into_iter().map(|made| made.event).collect()
}

fn merged(received: &[Made<'_>]) -> bool {
    matches!(received, [one] if one.call.bytes() == b"hellofeng")
}

fn apart(received: &[Made<'_>]) -> bool {
    matches!(received, [first, second] if first.call.bytes() == b"hello" && second.call.bytes() == b"feng")
}

/// The moment at which so many bytes were seen in the queue of a scene's server.
fn queue(trace: &Trace, scene: u32, count: i64) -> Result<&Event, Unseen> {
    let probes = trace.scene(scene).role("server").receive_queues();
    probes.into_iter().find(|event| event.unread() == Some(count)).ok_or(Unseen::because("both were not in the queue"))
}

/// What was seen in the receiver's queue after one send and before the next.
fn between<'a>(trace: &'a Trace, first: &Made<'_>, second: &Made<'_>) -> Option<&'a Event> {
    let server = trace.scene(first.event.scene).role("server").after(first.event).before(second.event);
    server.receive_queues().into_iter().find(|event| event.unread() > Some(0))
}
