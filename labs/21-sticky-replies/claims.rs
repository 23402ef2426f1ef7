//! What lab 21 makes of the old texts' sentences on what a recv brings, and of ours.

use socklab::prelude::*;
use socklab::trace::{Made, What, bytes_of};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C24", "recv(1024) takes 1024 bytes.", |trace| {
            // More than 1,024 bytes are there for the first one, and fewer for the second one.
            let [first, second] = first_two(trace, 1)?;
            let full = |made: &Made<'_>| made.call.ret == Some(1024);
            let all = full(&first) && full(&second);
            Verdict::only_when("at least 1024 bytes are there", full(&first), all, [first.event, second.event])
        }),
        Claim::classic("S0-C18", "What a recv did not read of TCP data stays for the next recv.", |trace| {
            let sent = trace.scene(1).role("server").first(Sends)?;
            let [full, rest] = first_two(trace, 1)?;
            let whole = bytes_of(&[full, rest]) == sent.call.bytes() && full.call.ret < sent.call.ret;
            Verdict::by_calls(whole, [sent, full, rest])
        }),
        Claim::ours(
            "After an answer that is longer than recv's buffer, each command shows an earlier one's answer.",
            {
                |trace| {
                    let answers = trace.scene(1).role("server").some(Sends)?;
                    let received = trace.scene(1).role("client").received();
                    let (Some(answers), Some(shown)) = (answers.get(1..3), received.get(2..4)) else {
                        return Err(Unseen::because("there are not two answers behind the long one"));
                    };
                    let late =
                        answers.iter().zip(shown).all(|(answer, shown)| answer.call.bytes() == shown.call.bytes());
                    Verdict::by_calls(late, answers.iter().chain(shown).copied())
                }
            },
        ),
        Claim::ours("What the next command will show is in the client's receive queue before it is typed.", |trace| {
            let client = trace.scene(1).role("client");
            let [full, rest] = first_two(trace, 1)?;
            let queues = client.after(full.event).before(rest.event).receive_queues();
            let there = queues.iter().find(|event| event.unread() == rest.call.ret);
            Verdict::of(there.is_some(), [full.event].into_iter().chain(there.copied()).chain([rest.event]))
        }),
        Claim::ours("A command that prints nothing leaves both sides waiting forever: nothing reaches the client.", {
            |trace| {
                let sent = trace.scene(2).role("server").first(Sends)?;
                let found = trace.scene(2).findings();
                let all_wait = |what: &What| matches!(what, What::Finding { waiting, .. } if waiting.len() == 2);
                let hang = found.iter().any(|event| all_wait(&event.what));
                let nothing = sent.call.ret == Some(0) && trace.scene(2).role("client").received().is_empty();
                Verdict::of(nothing && hang, [sent.event].into_iter().chain(found))
            }
        }),
        Claim::ours("One recv can bring the end of one answer and the whole of seven others.", |trace| {
            let answers = trace.scene(3).role("server").some(Sends)?;
            let received = trace.scene(3).role("client").received();
            let last = *received.last().ok_or(Unseen::because("the client received nothing"))?;
            let Some((long, short)) = answers.split_first() else { return Err(Unseen::because("no answers")) };
            let seven = bytes_of(&short[..short.len().min(7)]);
            let end = last.call.bytes().strip_suffix(&seven[..]).unwrap_or_default();
            let before: i64 = received.iter().rev().skip(1).filter_map(|made| made.call.ret).sum();
            let holds = short.len() > 7
                && !end.is_empty()
                && long.call.ret == i64::try_from(end.len()).ok().map(|end| before + end);
            Verdict::by_calls(holds, [*long, last])
        }),
        Claim::ours(
            "A piece of 1,024 bytes can end inside a character: the piece is no text, and the whole is.",
            |trace| {
                let sent = trace.scene(4).role("server").first(Sends)?;
                let piece = trace.scene(4).role("client").first(Receives)?;
                let is_text = |made: &Made<'_>| std::str::from_utf8(made.call.bytes()).is_ok();
                Verdict::by_calls(is_text(&sent) && !is_text(&piece), [sent, piece])
            },
        ),
        Claim::ours(
            "With a length in front, each command shows its own answer, and an empty one is an answer.",
            |trace| {
                let sent = trace.scene(5).role("server").some(Sends)?;
                let received = trace.scene(5).role("client").received();
                // Each send is read to its end before the next command is sent.
                let commands = trace.scene(5).role("client").some(Sends)?;
                let own = sent.iter().zip(&commands).enumerate().all(|(index, (answer, command))| {
                    let until = commands.get(index + 1).map_or(u64::MAX, |next| next.event.n);
                    let of_this = |made: &&Made<'_>| made.event.n > command.event.n && made.event.n < until;
                    let pieces: Vec<Made<'_>> = received.iter().filter(of_this).copied().collect();
                    bytes_of(&pieces) == answer.call.bytes()
                });
                let empty = sent.iter().any(|made| made.call.bytes() == [0; 4]);
                Verdict::by_calls(own && empty && sent.len() == commands.len(), sent)
            },
        ),
    ]
}

/// The first two receives of a scene's client.
fn first_two(trace: &Trace, scene: u32) -> Result<[Made<'_>; 2], Unseen> {
    trace.scene(scene).role("client").first_few(Receives)
}
