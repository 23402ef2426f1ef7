//! What the old texts say about the three segments, and what the frames say.

use socklab::prelude::*;
use socklab::trace::{Event, Sent, TcpFlags, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S2-C10",
            "The handshake: SYN with number x; SYN and ACK with number y; ACK of y+1 with number x+1.",
            |trace| {
                let [syn, answer, ack] = handshake(trace, 1, "client").ok_or(NONE)?;
                let numbers =
                    ack.frame.ack == answer.frame.seq.map(|y| y + 1) && ack.frame.seq == syn.frame.seq.map(|x| x + 1);
                Verdict::of(numbers, [syn.event, answer.event, ack.event])
            },
        ),
        Claim::ours("The second segment acknowledges the first by its number: x+1.", |trace| {
            let [syn, answer, _] = handshake(trace, 1, "client").ok_or(NONE)?;
            let holds = answer.frame.ack.is_some() && answer.frame.ack == syn.frame.seq.map(|x| x + 1);
            Verdict::of(holds, [syn.event, answer.event])
        }),
        Claim::classic("S0-C08", "TCP rests on a connection.", |trace| {
            let [_, _, ack] = handshake(trace, 1, "client").ok_or(NONE)?;
            let frames = trace.scene(1).frames();
            let first =
                frames.iter().find(|sent| sent.frame.payload.len > 0).ok_or(Unseen::because("no byte was sent"))?;
            Verdict::of(first.event.n > ack.event.n, [ack.event, first.event])
        }),
        Claim::ours("The first and the third segment go while the client is in connect; accept sends none.", |trace| {
            let scene = trace.scene(1);
            let [syn, _, ack] = handshake(trace, 1, "client").ok_or(NONE)?;
            let connect = scene.clone().role("client").calls(Syscall::Connect).first().map(|made| made.event);
            let accept = scene.clone().role("server").calls(Syscall::Accept).first().map(|made| made.event);
            let (connect, accept) = connect.zip(accept).ok_or(NONE)?;
            // Whatever comes between accept and the next call would be accept's.
            let next = scene.clone().after(accept).all_calls().first().map(|made| made.event);
            let of_accept = next.map_or(0, |next| scene.after(accept).before(next).frames().len());
            let begins = |event: &Event| matches!(&event.what, What::Begin(call) if call.name == Syscall::Connect);
            let before = trace.scene(1).role("client").before(syn.event);
            let last = before.events().iter().rfind(|event| !matches!(event.what, What::Probe { .. }));
            let begun = last.copied().filter(|event| begins(event));
            let holds = begun.is_some() && ack.event.n < connect.n && connect.n < accept.n && of_accept == 0;
            Verdict::of(holds, begun.into_iter().chain([syn.event, ack.event, connect, accept]))
        }),
        Claim::ours("The server's kernel answers by itself, before the program calls accept.", |trace| {
            let [_, answer, _] = handshake(trace, 1, "client").ok_or(NONE)?;
            let server = trace.scene(1).role("server");
            let [listen, accept] = [server.first(Syscall::Listen)?, server.first(Syscall::Accept)?];
            let waits = server.before(answer.event).waits(Syscall::Accept);
            let holds = listen.event.n < answer.event.n && answer.event.n < accept.event.n && waits.is_empty();
            Verdict::of(holds, [listen.event, answer.event, accept.event])
        }),
        Claim::ours("A port that is bound, and not listened on, answers a SYN with RST.", |trace| {
            let scene = trace.scene(2);
            let frames = scene.frames();
            let [syn, answer] = frames.first_chunk().ok_or(NONE)?;
            let bound = scene.role("server").before(syn.event);
            let binds = bound.calls(Syscall::Bind);
            let listens = bound.calls(Syscall::Listen);
            let holds = !binds.is_empty() && listens.is_empty() && answer.frame.flags().contains(TcpFlags::RST);
            Verdict::of(holds, binds.into_iter().map(|made| made.event).chain([syn.event, answer.event]))
        }),
        Claim::ours("A SYN for which there is no room gets no answer, and is sent again after about 1 s.", |trace| {
            let frames = of(trace, 3, "second-client");
            let [first, second, third] = frames.first_chunk().ok_or(NONE)?;
            let again = second.frame.flags() == TcpFlags::SYN && second.frame.by_timer;
            let a_second = second.frame.after.as_deref() == Some("about 1 s");
            let answered = third.frame.flags() == TcpFlags::SYN | TcpFlags::ACK;
            Verdict::of(again && a_second && answered, [first.event, second.event, third.event])
        }),
        Claim::ours("connect can return though the server has no room for the connection.", |trace| {
            let scene = trace.scene(4);
            let connect = scene.clone().role("client").first(Syscall::Connect)?;
            let frames = of(trace, 4, "client");
            let again =
                frames.iter().find(|sent| sent.frame.flags() == TcpFlags::SYN | TcpFlags::ACK && sent.frame.by_timer);
            let accept = scene.role("server").calls(Syscall::Accept).last().copied();
            let (again, accept) = again.zip(accept).ok_or(NONE)?;
            let holds = connect.call.ret == Some(0) && again.event.n > connect.event.n;
            Verdict::of(holds && accept.event.n > again.event.n, [connect.event, again.event, accept.event])
        }),
    ]
}

const NONE: Unseen = Unseen::because("the frames or calls that it is about did not come");

/// The frames of one client's connections in a scene.
fn of<'a>(trace: &'a Trace, scene: u32, client: &str) -> Vec<Sent<'a>> {
    let is = |end: &Option<String>| end.as_deref().and_then(|end| end.split(':').next()) == Some(client);
    let mut frames = trace.scene(scene).frames();
    frames.retain(|sent| is(&sent.frame.from) || is(&sent.frame.to));
    frames
}

/// The three first frames of a client's connection, if they are a handshake.
fn handshake<'a>(trace: &'a Trace, scene: u32, client: &str) -> Option<[Sent<'a>; 3]> {
    let frames = of(trace, scene, client);
    let three: [Sent<'a>; 3] = *frames.first_chunk()?;
    let [syn, answer, ack] = &three;
    let is_one = syn.frame.flags() == TcpFlags::SYN
        && answer.frame.flags().contains(TcpFlags::SYN)
        && ack.frame.flags() == TcpFlags::ACK;
    is_one.then_some(three)
}
