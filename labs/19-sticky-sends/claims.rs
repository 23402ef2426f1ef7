//! What the old texts say about two sends and one receive, and what the queue between the calls says.

use socklab::prelude::*;
use socklab::trace::{Event, Made, bytes_of};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C13", "Only TCP sticks; UDP never does.", |trace| {
            let (tcp, udp) = (arrived(trace, 2), arrived(trace, 5));
            Verdict::by_calls(merged(&tcp) && apart(&udp), tcp.into_iter().chain(udp))
        }),
        Claim::classic("S0-C14", "They stick because the receiver does not know where a message ends.", |trace| {
            // Both receivers were late. Only one of the two queues holds something that marks an end.
            let (tcp, udp) = (arrived(trace, 2), arrived(trace, 5));
            let full = queue(trace, 2, 9);
            let holds = merged(&tcp) && apart(&udp) && full.is_some();
            Verdict::of(holds, full.into_iter().chain(tcp.into_iter().chain(udp).map(|made| made.event)))
        }),
        Claim::classic("S1-C03", "The socket is a facade: the same calls, whatever is behind it.", |trace| {
            let begin = |scene| {
                let server = trace.scene(scene).role("server");
                let first = |name| server.calls(name).first().copied();
                first(Syscall::Socket).zip(first(Syscall::Bind))
            };
            let (tcp, tcp_bound) = begin(2).ok_or(Unseen::because("there were no two servers"))?;
            let (udp, udp_bound) = begin(5).ok_or(Unseen::because("there were no two servers"))?;
            let differs = |key: &str| tcp.call.get_arg(key) != udp.call.get_arg(key);
            let same = differs("type") && !differs("domain") && tcp_bound.call.args == udp_bound.call.args;
            Verdict::by_calls(same, [tcp, tcp_bound, udp, udp_bound])
        }),
        Claim::classic("S1-C04", "Behind this facade, TCP and UDP need not be understood.", |trace| {
            // Two sends of the same bytes, and a receiver as late: if there were nothing to know, no difference.
            let datagrams = trace.scene(5).role("client").calls(Syscall::SendTo);
            let (tcp, udp) = (arrived(trace, 2), arrived(trace, 5));
            if bytes_of(&datagrams) != sent(trace, 2).concat() || tcp.is_empty() || udp.is_empty() {
                return Err(Unseen::because("the same was not sent over both"));
            }
            Verdict::by_calls(tcp.len() == udp.len(), tcp.into_iter().chain(udp))
        }),
        Claim::classic("S0-C15", "The sender does it: TCP collects small data before it sends (Nagle).", |trace| {
            let sends = trace.scene(2).role("client").calls(Syscall::Send);
            let first = sends.first().ok_or(Unseen::because("there were no two sends"))?;
            let second = sends.get(1).ok_or(Unseen::because("there were no two sends"))?;
            let came = between(trace, first, second);
            let tcp = arrived(trace, 2);
            let evidence = std::iter::once(first.event).chain(came).chain([second.event]);
            Verdict::of(came.is_none() && merged(&tcp), evidence.chain(tcp.iter().map(|made| made.event)))
        }),
        Claim::classic("S2-C09", "The sender joins small sends that follow each other closely.", |trace| {
            // Joined by the sender, nothing would arrive between the sends. Told not to join, it would stop merging.
            let tcp = arrived(trace, 4);
            let client = trace.scene(4).role("client");
            let (option, sends) = (client.calls(Syscall::SetSockOpt), client.calls(Syscall::Send));
            let option = option.first().ok_or(Unseen::because("there were no two sends with TCP_NODELAY"))?;
            let first = sends.first().ok_or(Unseen::because("there were no two sends with TCP_NODELAY"))?;
            let second = sends.get(1).ok_or(Unseen::because("there were no two sends with TCP_NODELAY"))?;
            let came = between(trace, first, second);
            let evidence = [option.event, first.event].into_iter().chain(came).chain([second.event]);
            let joined = came.is_none() && merged(&tcp);
            Verdict::of(joined || apart(&tcp), evidence.chain(tcp.iter().map(|made| made.event)))
        }),
        Claim::classic(
            "S0-C20",
            "Two cases: the sender waits for a full buffer; the receiver reads late (also S4-C07).",
            |trace| {
                let late = arrived(trace, 2);
                let sends = trace.scene(2).role("client").calls(Syscall::Send);
                let first = sends.first().ok_or(Unseen::because("there were no two sends"))?;
                let second = sends.get(1).ok_or(Unseen::because("there were no two sends"))?;
                let came = between(trace, first, second);
                let evidence = std::iter::once(first.event).chain(came).chain([second.event]);
                Verdict::of(came.is_none() && merged(&late), evidence.chain(late.iter().map(|made| made.event)))
            },
        ),
        Claim::classic(
            "S3-C08",
            "What is sent may come merged or not; the program that sends does not decide.",
            |trace| {
                // The same two calls with the same data, and once they come merged, once not.
                if sent(trace, 2) != sent(trace, 3) {
                    return Err(Unseen::because("the two clients did not send the same"));
                }
                let (late, spaced) = (arrived(trace, 2), arrived(trace, 3));
                Verdict::by_calls(merged(&late) && apart(&spaced), late.into_iter().chain(spaced))
            },
        ),
        Claim::classic("S3-C09", "The first recv gives both messages.", |trace| {
            let firsts: Vec<Made<'_>> = (1..=3).filter_map(|scene| arrived(trace, scene).first().copied()).collect();
            let always = !firsts.is_empty() && firsts.iter().all(|made| made.call.bytes() == b"hellofeng");
            Verdict::by_calls(always, firsts)
        }),
        Claim::classic("S4-C08", "As long as what is sent fits recv's argument, nothing sticks.", |trace| {
            let sends = trace.scene(2).role("client").calls(Syscall::Send);
            let received = arrived(trace, 2);
            let room = received.first().and_then(|made| made.call.get_arg("len")?.as_number());
            if sends.iter().any(|made| made.call.ret > room) {
                return Err(Unseen::because("a message was longer than the receiver's buffer"));
            }
            Verdict::by_calls(apart(&received), sends.into_iter().chain(received))
        }),
        Claim::classic("S4-C01", "What sticks together is scrambled.", |trace| {
            let sends = trace.scene(2).role("client").calls(Syscall::Send);
            let received = arrived(trace, 2);
            if received.is_empty() {
                return Err(Unseen::because("nothing was received"));
            }
            Verdict::by_calls(bytes_of(&sends) != bytes_of(&received), sends.into_iter().chain(received))
        }),
        Claim::ours("Two sends stay apart if the first is read before the second is made.", |trace| {
            let received = arrived(trace, 3);
            let second = trace.scene(3).role("client").calls(Syscall::Send).get(1).copied();
            let first_read =
                received.first().copied().ok_or(Unseen::because("there were no two sends, or nothing was read"))?;
            let second = second.ok_or(Unseen::because("there were no two sends, or nothing was read"))?;
            if first_read.event.n > second.event.n {
                return Err(Unseen::because("the first was read after the second was made"));
            }
            let last = received.iter().skip(1).copied();
            Verdict::by_calls(apart(&received), [first_read, second].into_iter().chain(last))
        }),
    ]
}

/// The receives of a scene's server that brought bytes.
fn arrived(trace: &Trace, scene: u32) -> Vec<Made<'_>> {
    trace.scene(scene).role("server").received()
}

/// The data of each send of a scene's client.
fn sent(trace: &Trace, scene: u32) -> Vec<Vec<u8>> {
    trace.scene(scene).role("client").calls(Syscall::Send).iter().map(|made| made.call.bytes().to_vec()).collect()
}

fn merged(received: &[Made<'_>]) -> bool {
    matches!(received, [one] if one.call.bytes() == b"hellofeng")
}

fn apart(received: &[Made<'_>]) -> bool {
    matches!(received, [first, second] if first.call.bytes() == b"hello" && second.call.bytes() == b"feng")
}

/// The moment at which so many bytes were seen in the queue of a scene's server.
fn queue(trace: &Trace, scene: u32, count: i64) -> Option<&Event> {
    let probes = trace.scene(scene).role("server").receive_queues();
    probes.into_iter().find(|event| event.unread() == Some(count))
}

/// What was seen in the receiver's queue after one send and before the next.
fn between<'a>(trace: &'a Trace, first: &Made<'_>, second: &Made<'_>) -> Option<&'a Event> {
    let server = trace.scene(first.event.scene).role("server").after(first.event).before(second.event);
    server.receive_queues().into_iter().find(|event| event.unread() > Some(0))
}
