//! What the old texts say about `recv`'s number, and what a long line does.

use socklab::prelude::*;
use socklab::trace::{Made, Selection};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C24", "recv(1024) takes 1024 bytes.", |trace| {
            let received = asked_for_1024(&trace.scene(2));
            let Some(other) = received.iter().copied().find(|made| made.call.ret != Some(1024)) else {
                return Verdict::by_calls(true, received.first().copied());
            };
            let full = received.iter().copied().find(|made| made.call.ret == Some(1024));
            Verdict::by_calls(false, full.into_iter().chain([other]))
        }),
        Claim::classic("S4-C09", "recv(1024) returns any number of bytes up to 1024.", |trace| {
            let received = asked_for_1024(&trace.scene(2));
            let mut lengths: Vec<_> = received.iter().filter_map(|made| made.call.ret).collect();
            lengths.sort_unstable();
            lengths.dedup();
            let holds = lengths.len() > 2 && lengths.iter().all(|len| *len <= 1024);
            let one_of_each = |len: &i64| received.iter().copied().find(|made| made.call.ret == Some(*len));
            let mut evidence: Vec<_> = lengths.iter().filter_map(one_of_each).collect();
            evidence.sort_by_key(|made| made.event.n);
            Verdict::by_calls(holds, evidence)
        }),
        Claim::classic("S0-C18", "What a recv did not read of TCP data stays for the next recv.", |trace| {
            let client = trace.scene(2).role("client");
            let answered: Vec<u8> = trace
                .scene(2)
                .role("server")
                .calls(Syscall::Send)
                .iter()
                .flat_map(|made| made.call.bytes().to_vec())
                .collect();
            let shown: Vec<u8> = got(&client).iter().flat_map(|made| made.call.bytes().to_vec()).collect();
            let (first, second) = got(&client)
                .first()
                .copied()
                .zip(got(&client).get(1).copied())
                .ok_or(Unseen::because("the client received less than two times"))?;
            let left = client.after(first.event).before(second.event).receive_queues().first().copied();
            let holds = left.is_some() && answered.starts_with(&shown) && shown.len() > first.call.bytes().len();
            Verdict::of(holds, [first.event].into_iter().chain(left).chain([second.event]))
        }),
        Claim::classic("S0-C03", "TCP is a stream: bytes in their order, and no edges between sends.", |trace| {
            let (client, server) = (trace.scene(2).role("client"), trace.scene(2).role("server"));
            // One send that comes in several receives, and one receive that has the ends of two sends in it.
            let long = client.calls(Syscall::Send).first().copied();
            let answers = server.calls(Syscall::Send);
            let both = got(&client).into_iter().find(|made| made.call.bytes().ends_with(b"AB"));
            let long = long.ok_or(Unseen::because("no send was longer than a receive"))?;
            let both = both.ok_or(Unseen::because("no send was longer than a receive"))?;
            let parts: Vec<_> = server.calls(Syscall::Recv).into_iter().take(3).collect();
            let of_two = !answers.iter().any(|answer| answer.call.bytes() == both.call.bytes());
            let in_order = parts.iter().flat_map(|made| made.call.bytes()).eq(long.call.bytes());
            Verdict::by_calls(in_order && of_two, [long].into_iter().chain(parts).chain([both]))
        }),
        Claim::classic(
            "S0-C14",
            "Messages stick because the receiver does not know where they end (also S4-C03).",
            |trace| {
                // What the client was given at once, against the messages that the server sent.
                let answers = trace.scene(2).role("server").calls(Syscall::Send);
                let stuck = got(&trace.scene(2).role("client")).into_iter().find(|made| {
                    !made.call.bytes().is_empty()
                        && !answers.iter().any(|answer| answer.call.bytes() == made.call.bytes())
                });
                // Where it knows the length of what it waits for, every answer is shown for its own line.
                let cured = in_step(&trace.scene(4));
                Verdict::by_calls(stuck.is_some() && cured, stuck)
            },
        ),
        Claim::ours("A line of 3,000 bytes is three messages to a server that receives 1,024 at a time.", |trace| {
            let server = trace.scene(2).role("server");
            let line = trace.scene(2).role("client").calls(Syscall::Send).first().copied();
            let parts: Vec<_> = server
                .calls(Syscall::Recv)
                .into_iter()
                .take_while(|made| made.call.bytes().starts_with(b"a"))
                .collect();
            let sum: i64 = parts.iter().filter_map(|made| made.call.ret).sum();
            let whole = line.and_then(|made| made.call.ret) == Some(sum);
            Verdict::by_calls(whole && parts.len() == 3, line.into_iter().chain(parts))
        }),
        Claim::ours(
            "After one answer longer than the buffer, a client that is quicker than the server shows late ones.",
            |trace| {
                let client = trace.scene(2).role("client");
                let sent = client.calls(Syscall::Send);
                let (long, later) = sent.split_first().ok_or(Unseen::because("nothing was sent"))?;
                let shown = |line: &Made<'_>| client.clone().after(line.event).calls(Syscall::Recv).first().copied();
                let late = |line: &&Made<'_>| shown(line).is_some_and(|answer| !answers(answer, line));
                let holds = long.call.ret > Some(1024) && later.len() > 2 && later.iter().all(|line| late(&line));
                Verdict::by_calls(holds, later.iter().flat_map(|line| [Some(*line), shown(line)]).flatten())
            },
        ),
        Claim::ours("A second such answer makes it later still: two answers wait to be shown.", |trace| {
            let client = trace.scene(3).role("client");
            let lag = |line: &Made<'_>| {
                let sent = trace.scene(3).before(line.event).role("server").calls(Syscall::Send).len();
                let got = got(&client.clone().before(line.event)).len();
                sent.saturating_sub(got)
            };
            let lines = client.calls(Syscall::Send);
            let lags: Vec<usize> = lines.iter().map(lag).collect();
            let first = lags.iter().position(|lag| *lag == 1);
            let second = lags.iter().position(|lag| *lag == 2);
            let holds = matches!((first, second), (Some(first), Some(second)) if first < second);
            let queues = [first, second]
                .into_iter()
                .flatten()
                .filter_map(|index| client.clone().before(lines[index].event).receive_queues().last().copied());
            Verdict::of(holds, queues)
        }),
        Claim::ours("A client that receives until it has as many bytes as it sent stays in step.", |trace| {
            let received = got(&trace.scene(4).role("client"));
            Verdict::by_calls(in_step(&trace.scene(4)), received)
        }),
    ]
}

/// The receives with 1024 bytes of room that brought bytes.
fn asked_for_1024<'a>(scene: &Selection<'a>) -> Vec<Made<'a>> {
    let mut received = got(scene);
    received.retain(|made| made.call.get_arg("len").and_then(Value::as_number) == Some(1024));
    received
}

/// The receives that brought bytes.
fn got<'a>(scene: &Selection<'a>) -> Vec<Made<'a>> {
    let mut received = scene.calls(Syscall::Recv);
    received.retain(|made| made.call.ret > Some(0));
    received
}

/// Whether what was received is the answer to this line, and nothing else.
fn answers(received: Made<'_>, line: &Made<'_>) -> bool {
    received.call.bytes() == line.call.bytes().to_ascii_uppercase()
}

/// Whether the client, before it sends its next line, has received the answer to the last one, and no more.
fn in_step(scene: &Selection<'_>) -> bool {
    let client = scene.clone().role("client");
    let lines = client.calls(Syscall::Send);
    let until = |index: usize| match lines.get(index + 1) {
        Some(next) => client.clone().before(next.event),
        None => client.clone(),
    };
    let whole = |(index, line): (usize, &Made<'_>)| {
        let received = got(&until(index).after(line.event));
        let bytes: Vec<u8> = received.iter().flat_map(|made| made.call.bytes().to_vec()).collect();
        bytes == line.call.bytes().to_ascii_uppercase()
    };
    lines.len() > 2 && lines.iter().enumerate().all(whole)
}
