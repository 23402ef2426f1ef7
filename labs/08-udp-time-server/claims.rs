//! What lab 08 confirms and refutes.

use socklab::prelude::*;
use socklab::trace::{Made, Selection, SocketType};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C02", "TCP uses send and recv, UDP uses sendto and recvfrom.", |trace| {
            let (server, client) = (trace.scene(1).role("server"), trace.scene(1).role("client"));
            let udp = client.first(Syscall::Socket)?;
            let named = receives(&server).into_iter().find(|made| made.call.get_out("src_addr").is_some());
            let named = named.ok_or(NO_DATAGRAM)?;
            // The client of this text asks for no address.
            let plain = receives(&client).into_iter().find(|made| made.call.get_out("src_addr").is_none());
            let plain = plain.ok_or(NO_DATAGRAM)?;
            let works = |made: &Made<'_>| made.call.errno.is_none();
            let is_udp = udp.call.socket_type() == Some(SocketType::Datagram);
            let condition = "the program needs to learn who sent a datagram";
            let events = [udp, named, plain].map(|made| made.event);
            Verdict::only_when(condition, is_udp && works(&named), !works(&plain), events)
        }),
        Claim::classic("S0-C05", "An empty sendto is a real datagram.", |trace| {
            let sent = empty(sends(&trace.scene(1).role("client"))).first().copied().ok_or(NO_DATAGRAM)?;
            let [_, received] = few(receives(&trace.scene(1).role("server")))?;
            Verdict::by_calls(received.call.ret == Some(0), [sent, received])
        }),
        Claim::ours("It has a sender, to whom the server can answer.", |trace| {
            let (server, client) = (trace.scene(1).role("server"), trace.scene(1).role("client"));
            let [_, asked] = few(receives(&server))?;
            let [answer] = few(sends(&server.after(asked.event)))?;
            let [got] = few(receives(&client.after(answer.event)))?;
            let to_sender =
                asked.call.ret == Some(0) && asked.call.get_out("src_addr") == answer.call.get_arg("dest_addr");
            Verdict::by_calls(to_sender && got.call.ret == answer.call.ret, [asked, answer, got])
        }),
        Claim::ours("A question of 1,024 bytes got an answer of 12,288: twelve times as many.", |trace| {
            let stranger = trace.scene(2).role("stranger");
            let ([asked], [answer]) = (few(sends(&stranger))?, few(receives(&stranger))?);
            let twelve = asked.call.ret.map(|len| 12 * len) == answer.call.ret;
            Verdict::by_calls(twelve, [asked, answer])
        }),
        Claim::ours("One byte that is not UTF-8 ends a server that decodes and catches nothing.", |trace| {
            let server = trace.scene(2).role("server");
            let [.., last] = receives(&server)[..] else { return Err(NO_DATAGRAM) };
            let end = server.clone().after(last.event).first(Syscall::Close)?;
            let answers = sends(&server.after(last.event));
            let one_byte = last.call.ret == Some(1) && !is_text(&last);
            Verdict::by_calls(one_byte && answers.is_empty(), [last, end])
        })
        .about_programs(),
        Claim::ours("So does valid text that the server's buffer cuts inside a character.", |trace| {
            let [sent] = few(sends(&trace.scene(2).role("client")))?;
            let server = trace.scene(2).role("second-server");
            let [received] = few(receives(&server))?;
            let end = server.clone().after(received.event).first(Syscall::Close)?;
            let answers = sends(&server.after(received.event));
            let cut = is_text(&sent) && !is_text(&received);
            Verdict::by_calls(cut && answers.is_empty(), [sent, received, end])
        })
        .about_programs(),
        Claim::ours("A list of formats limits the answers: here none was longer than 19 bytes.", |trace| {
            let server = trace.scene(3).role("server");
            let (asked, answers) = (receives(&server), sends(&server));
            let cut = asked.iter().find(|made| made.call.get_out("msg_flags").is_some()).copied();
            let cut = cut.ok_or(NO_DATAGRAM)?;
            let longest = answers.iter().max_by_key(|made| made.call.ret).ok_or(NO_DATAGRAM)?;
            let all = answers.len() == asked.len();
            Verdict::by_calls(all && longest.call.ret == Some(19), [cut, *longest])
        })
        .about_programs(),
        Claim::classic("S1-C05", "IP finds the host and the port the program: together they are unique.", |trace| {
            let [first, second] = trace.scene(4).first_few(Syscall::Bind)?;
            let [alone, refused] = trace.scene(5).exactly(Syscall::Bind)?;
            let same = first.call.get_arg("addr") == second.call.get_arg("addr");
            let shared = same && first.call.ret == Some(0) && second.call.ret == Some(0);
            let unique = alone.call.ret == Some(0) && in_use(&refused);
            let events = [first, second, refused].map(|made| made.event);
            Verdict::only_when("the sockets of that port have not agreed to share it", unique, !shared, events)
        }),
        Claim::ours("With SO_REUSEADDR on both, the server that bound last got the datagrams (Linux).", |trace| {
            let scene = trace.scene(4);
            let second = scene.clone().role("second-server");
            let bound = second.first(Syscall::Bind)?;
            let gone = second.first(Syscall::Close)?;
            let between = scene.after(bound.event).before(gone.event);
            let to_first = receives(&between.clone().role("server"));
            let [to_second] = few(receives(&between.role("second-server")))?;
            Verdict::by_calls(to_first.is_empty() && to_second.call.ret > Some(0), [bound, to_second])
        }),
        Claim::ours("When that one ends, the first one gets them again, and no call has failed.", |trace| {
            let scene = trace.scene(4);
            let gone = scene.clone().role("second-server").first(Syscall::Close)?;
            let [again] = few(receives(&scene.clone().after(gone.event).role("server")))?;
            let failed = scene.all_calls().iter().any(|made| made.call.errno.is_some());
            Verdict::by_calls(!failed && again.call.ret > Some(0), [gone, again])
        }),
        Claim::ours(
            "If the first server sets neither option, the second one's bind fails, whatever it sets.",
            |trace| {
                let [first, second] = trace.scene(5).exactly(Syscall::Bind)?;
                Verdict::by_calls(first.call.ret == Some(0) && in_use(&second), [first, second])
            },
        ),
        Claim::ours("SO_REUSEPORT must be set on both sockets, and SO_REUSEADDR does not replace it.", |trace| {
            let [first, refused, joined] = trace.scene(6).exactly(Syscall::Bind)?;
            let holds = first.call.ret == Some(0) && in_use(&refused) && joined.call.ret == Some(0);
            Verdict::by_calls(holds, [first, refused, joined])
        }),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was exchanged in this scene");

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
    calls.first_chunk().copied().ok_or(NO_DATAGRAM)
}

fn empty(mut calls: Vec<Made<'_>>) -> Vec<Made<'_>> {
    calls.retain(|made| made.call.data.as_ref().is_none_or(|data| data.len == 0));
    calls
}

fn is_text(made: &Made<'_>) -> bool {
    std::str::from_utf8(made.call.bytes()).is_ok()
}

fn in_use(made: &Made<'_>) -> bool {
    made.failed(Errno::EADDRINUSE)
}
