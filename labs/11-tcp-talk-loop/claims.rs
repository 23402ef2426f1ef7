//! What the old texts say about `recv`'s number, and what a long line does.

use socklab::prelude::*;
use socklab::trace::{Made, Selection};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C24", "recv(1024) takes 1024 bytes.", |trace| {
            // The line of 3,000 bytes: two receives find more than 1,024 bytes, the third one fewer.
            let [first, second, third] = few(asked_for_1024(&trace.scene(2).role("server")))?;
            let full = |made: &Made<'_>| made.call.ret == Some(1024);
            let all = [first, second, third].iter().all(full);
            Verdict::only_when("at least 1024 bytes are there", full(&first), all, [first.event, third.event])
        }),
        Claim::classic("S4-C09", "recv(1024) returns any number of bytes up to 1024.", |trace| {
            let [full, _, rest, one] = few(asked_for_1024(&trace.scene(2).role("server")))?;
            let lengths = [full, rest, one].map(|made| made.call.ret);
            let differ = lengths[0] != lengths[1] && lengths[1] != lengths[2] && lengths[0] != lengths[2];
            let holds = differ && lengths.iter().all(|len| (Some(1)..=Some(1024)).contains(len));
            Verdict::by_calls(holds, [full, rest, one])
        }),
        Claim::classic("S0-C18", "What a recv did not read of TCP data stays for the next recv.", |trace| {
            let client = trace.scene(2).role("client");
            let answered: Vec<u8> = trace
                .scene(2)
                .role("server")
                .all_calls()
                .iter()
                .filter(|made| made.call.sends())
                .flat_map(|made| made.call.bytes().to_vec())
                .collect();
            let shown: Vec<u8> = got(&client).iter().flat_map(|made| made.call.bytes().to_vec()).collect();
            let [first, second] = few(got(&client))?;
            let left = client.after(first.event).before(second.event).receive_queues().first().copied();
            let left = left.ok_or(Unseen::because("the receive queue was not looked at"))?;
            let holds =
                left.unread() > Some(0) && answered.starts_with(&shown) && shown.len() > first.call.bytes().len();
            Verdict::of(holds, [first.event, left, second.event])
        }),
        Claim::classic("S0-C03", "TCP is a stream: bytes in their order, and no edges between sends.", |trace| {
            let (client, server) = (trace.scene(2).role("client"), trace.scene(2).role("server"));
            // One send that takes several receives, and one receive with the ends of two sends in it.
            let [long] = few(sends(&client))?;
            let parts: [Made<'_>; 3] = few(got(&server))?;
            let [_, _, both] = few(got(&client))?;
            let answers = sends(&server);
            let of_two = !answers.iter().any(|answer| answer.call.bytes() == both.call.bytes());
            let in_order = parts.iter().flat_map(|made| made.call.bytes()).eq(long.call.bytes());
            let joined = of_two && both.call.bytes().ends_with(b"AB");
            Verdict::by_calls(in_order && joined, [long].into_iter().chain(parts).chain([both]))
        }),
        Claim::classic(
            "S0-C14",
            "Messages stick because the receiver does not know where they end (also S4-C03).",
            |trace| {
                // What the client received at once, against the messages that the server sent.
                let answers = sends(&trace.scene(2).role("server"));
                let [_, _, both] = few(got(&trace.scene(2).role("client")))?;
                let [own, ..] = few::<4>(got(&trace.scene(4).role("client")))?;
                let stuck = !answers.iter().any(|answer| answer.call.bytes() == both.call.bytes());
                // Where it knows the length of what it waits for, every answer is shown for its own line.
                Verdict::by_calls(stuck && in_step(&trace.scene(4)), [both, own])
            },
        ),
        Claim::ours("A line of 3,000 bytes is three messages to a server that receives 1,024 at a time.", |trace| {
            let [line] = few(sends(&trace.scene(2).role("client")))?;
            let mut parts = got(&trace.scene(2).role("server"));
            let end = parts.iter().position(|made| !made.call.bytes().starts_with(b"a")).unwrap_or(parts.len());
            parts.truncate(end);
            let sum: i64 = parts.iter().filter_map(|made| made.call.ret).sum();
            Verdict::by_calls(line.call.ret == Some(sum) && parts.len() == 3, [line].into_iter().chain(parts))
        }),
        Claim::ours(
            "After one answer longer than the buffer, a client that is quicker than the server shows late ones.",
            |trace| {
                let client = trace.scene(2).role("client");
                let [long, later @ ..]: [Made<'_>; 4] = few(sends(&client))?;
                let mut shown = Vec::new();
                for line in later {
                    let [answer] = few(got(&client.clone().after(line.event)))?;
                    shown.push((line, answer));
                }
                let late = shown.iter().all(|(line, answer)| !answers(*answer, line));
                let events = shown.into_iter().flat_map(|(line, answer)| [line, answer]);
                Verdict::by_calls(late && long.call.ret > Some(1024), events)
            },
        ),
        Claim::ours("A second such answer makes it later still: two answers wait to be shown.", |trace| {
            let client = trace.scene(3).role("client");
            let lag = |line: &Made<'_>| {
                let sent = sends(&trace.scene(3).before(line.event).role("server")).len();
                let got = got(&client.clone().before(line.event)).len();
                sent.saturating_sub(got)
            };
            let lines: [Made<'_>; 5] = few(sends(&client))?;
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
            let received: [Made<'_>; 5] = few(got(&trace.scene(4).role("client")))?;
            Verdict::by_calls(in_step(&trace.scene(4)), received)
        }),
    ]
}

/// The receives with 1024 bytes of room that brought bytes.
fn asked_for_1024<'a>(scene: &Selection<'a>) -> Vec<Made<'a>> {
    let mut received = got(scene);
    received.retain(|made| made.asked_for() == Some(1024));
    received
}

/// The receives that brought bytes.
fn got<'a>(scene: &Selection<'a>) -> Vec<Made<'a>> {
    scene.received()
}

/// The sends, by whatever call.
fn sends<'a>(scene: &Selection<'a>) -> Vec<Made<'a>> {
    let mut sent = scene.all_calls();
    sent.retain(|made| made.call.sends());
    sent
}

/// The first of these, of which there must be so many.
fn few<const N: usize>(calls: Vec<Made<'_>>) -> Result<[Made<'_>; N], Unseen> {
    calls.first_chunk().copied().ok_or(Unseen::because("too few calls were made"))
}

/// Whether what was received is the answer to this line, and nothing else.
fn answers(received: Made<'_>, line: &Made<'_>) -> bool {
    received.call.bytes() == line.call.bytes().to_ascii_uppercase()
}

/// Whether the client, before it sends its next line, has received the answer to the last one, and no more.
fn in_step(scene: &Selection<'_>) -> bool {
    let client = scene.clone().role("client");
    let lines = sends(&client);
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
