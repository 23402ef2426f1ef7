//! What lab 08 confirms and refutes.

use socklab::prelude::*;
use socklab::trace::{Made, SocketType};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C02", "TCP uses send and recv, UDP uses sendto and recvfrom.", |trace| {
            let calls = trace.scene(1).role("client").all_calls();
            let udp = calls.iter().find(|made| made.call.socket_type() == Some(SocketType::Datagram));
            let received = calls.iter().find(|made| made.call.name.receives());
            let udp = udp.ok_or(NO_DATAGRAM)?;
            let received = received.ok_or(NO_DATAGRAM)?;
            Verdict::by_calls(received.call.name == Syscall::RecvFrom, [*udp, *received])
        }),
        Claim::classic("S0-C05", "An empty sendto is a real datagram: it arrives.", |trace| {
            let sent = empty(trace.scene(1).role("client").calls(Syscall::SendTo));
            let sent = sent.first().copied().ok_or(NO_DATAGRAM)?;
            let received = empty(trace.scene(1).role("server").after(sent.event).calls(Syscall::RecvFrom));
            Verdict::by_calls(!received.is_empty(), [sent].into_iter().chain(received))
        }),
        Claim::ours("It has a sender, and he gets an answer that is not empty.", |trace| {
            let server = trace.scene(1).role("server");
            let asked = empty(server.calls(Syscall::RecvFrom)).first().copied().ok_or(NO_DATAGRAM)?;
            let answer = server.after(asked.event).first(Syscall::SendTo)?;
            let to_him = asked.call.get_out("src_addr") == answer.call.get_arg("dest_addr");
            Verdict::by_calls(to_him && answer.call.ret > Some(0), [asked, answer])
        }),
        Claim::ours("A stranger chooses how long the answer is: it can be twelve times the question.", |trace| {
            let stranger = trace.scene(2).role("stranger");
            let asked = stranger.first(Syscall::SendTo)?;
            let answer = stranger.first(Syscall::Recv)?;
            let twelve = asked.call.ret.map(|len| 12 * len) == answer.call.ret;
            Verdict::by_calls(twelve, [asked, answer])
        }),
        Claim::ours("One byte from a stranger ends the server for everybody.", |trace| {
            let scene = trace.scene(2);
            let server = scene.clone().role("server");
            let last = server.last(Syscall::RecvFrom)?;
            let ends = server.clone().after(last.event).calls(Syscall::Close);
            let unanswered = server.after(last.event).calls(Syscall::SendTo).is_empty();
            let one_byte = last.call.ret == Some(1);
            Verdict::by_calls(one_byte && unanswered && !ends.is_empty(), [last].into_iter().chain(ends))
        }),
        Claim::ours("So does honest text that is cut inside a character.", |trace| {
            let scene = trace.scene(2);
            let sent = scene.clone().role("client").calls(Syscall::SendTo);
            let server = scene.role("second-server");
            let received = server.calls(Syscall::RecvFrom);
            let sent = sent.first().ok_or(NO_DATAGRAM)?;
            let received = received.first().ok_or(NO_DATAGRAM)?;
            let text = |made: &Made<'_>| std::str::from_utf8(made.call.bytes()).is_ok();
            let ends = server.after(received.event).calls(Syscall::Close);
            Verdict::by_calls(
                text(sent) && !text(received) && !ends.is_empty(),
                [*sent, *received].into_iter().chain(ends),
            )
        }),
        Claim::ours("With a list and a limit no answer is longer than the longest on the list: 19 bytes.", |trace| {
            let server = trace.scene(3).role("server");
            let (asked, answers) = (server.calls(Syscall::RecvMsg), server.calls(Syscall::SendTo));
            let last = asked.last().ok_or(NO_ANSWER)?;
            let longest = answers.iter().max_by_key(|made| made.call.ret).ok_or(NO_ANSWER)?;
            // Whoever asked what is asked in scene 2 was answered, too, and the server is still there.
            let all = answers.len() == asked.len() && asked.iter().any(|made| made.call.get_out("msg_flags").is_some());
            Verdict::by_calls(all && longest.call.ret == Some(19), [*last, *longest])
        }),
        Claim::classic("S1-C05", "An address and a port find one program: together they are unique.", |trace| {
            let [first, second] = trace.scene(4).first_few(Syscall::Bind)?;
            let same = first.call.get_arg("addr") == second.call.get_arg("addr");
            let both = first.call.ret == Some(0) && second.call.ret == Some(0);
            Verdict::by_calls(!(same && both), [first, second])
        }),
        Claim::ours("With SO_REUSEADDR on both, the server that came last gets every datagram.", |trace| {
            let (scene, second) = (trace.scene(4), trace.scene(4).role("second-server"));
            let bound = second.first(Syscall::Bind)?;
            let gone = second.first(Syscall::Close)?;
            let between = scene.after(bound.event).before(gone.event);
            let (firsts, lasts) = (between.clone().role("server"), between.role("second-server"));
            let (firsts, lasts) = (firsts.calls(Syscall::RecvFrom), lasts.calls(Syscall::RecvFrom));
            Verdict::by_calls(firsts.is_empty() && !lasts.is_empty(), [bound].into_iter().chain(lasts))
        }),
        Claim::ours("When that one ends, the first one gets them again, and nobody has been told.", |trace| {
            let scene = trace.scene(4);
            let gone = scene.clone().role("second-server").first(Syscall::Close)?;
            let again = scene.clone().after(gone.event).role("server").calls(Syscall::RecvFrom);
            let errors = scene.all_calls().iter().filter(|made| made.call.errno.is_some()).count();
            Verdict::by_calls(errors == 0 && !again.is_empty(), [gone].into_iter().chain(again))
        }),
        Claim::ours("A server that does not set the option cannot be joined, whatever the second one sets.", |trace| {
            let [first, second] = trace.scene(5).exactly(Syscall::Bind)?;
            Verdict::by_calls(first.call.ret == Some(0) && in_use(&second), [first, second])
        }),
        Claim::ours("SO_REUSEPORT is another agreement: both must set it, and SO_REUSEADDR does not do.", |trace| {
            let [first, refused, joined] = trace.scene(6).exactly(Syscall::Bind)?;
            let holds = first.call.ret == Some(0) && in_use(&refused) && joined.call.ret == Some(0);
            Verdict::by_calls(holds, [first, refused, joined])
        }),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was exchanged in this scene");
const NO_ANSWER: Unseen = Unseen::because("no role was answered in this scene");

fn empty(mut calls: Vec<Made<'_>>) -> Vec<Made<'_>> {
    calls.retain(|made| made.call.ret == Some(0));
    calls
}

fn in_use(made: &Made<'_>) -> bool {
    made.call.errno == Some(Errno::EADDRINUSE)
}
