//! What lab 29 makes of the old texts' sentences on Python's struct, and of ours on numbers as bytes.

use socklab::prelude::*;
use socklab::trace::{Event, Finding, Made, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C29", "struct turns a number into bytes of a fixed length.", |trace| {
            let (narrow, wide) = (sends(trace, 2)?, sends(trace, 3)?);
            let all = |sends: &[Made], len| sends.len() > 1 && sends.iter().all(|made| made.call.ret == Some(len));
            Verdict::by_calls(all(&narrow, 4) && all(&wide, 8), narrow.into_iter().chain(wide))
        })
        .about_programs(),
        Claim::classic("S0-C30", "The format 'i' takes numbers from -2147483648 to 2147483647.", |trace| {
            let taken = ["2147483647", "-2147483648"].map(|number| sent_for(trace, 2, number));
            let refused = ["2147483648", "-2147483649"].map(|number| sent_for(trace, 2, number));
            let (mut evidence, mut holds) = (Vec::new(), true);
            for (typed, sent) in taken.into_iter().collect::<Result<Vec<_>, _>>()? {
                holds &= sent.is_some_and(|made| made.call.ret == Some(4));
                evidence.extend([Some(typed), sent.map(|made| made.event)].into_iter().flatten());
            }
            for (typed, sent) in refused.into_iter().collect::<Result<Vec<_>, _>>()? {
                holds &= sent.is_none();
                evidence.push(typed);
            }
            Verdict::of(holds, evidence)
        })
        .about_programs(),
        Claim::classic("S3-C10", "struct cannot handle large numbers.", |trace| {
            let (narrow, sent_by_i) = sent_for(trace, 1, "1111111111111")?;
            let (wide, sent_by_q) = sent_for(trace, 3, "1111111111111")?;
            let large = sent_by_q.is_some_and(|made| made.call.ret == Some(8));
            let evidence = [Some(narrow), Some(wide), sent_by_q.map(|made| made.event)];
            Verdict::only_when("its format is 'i'", sent_by_i.is_none(), !large, evidence.into_iter().flatten())
        })
        .about_programs(),
        Claim::ours(
            "A client that reads four bytes at a time takes a number of eight bytes for two numbers.",
            |trace| {
                let received = trace.scene(3).role("client").received();
                let [whole, first, second] =
                    *received.first_chunk().ok_or(Unseen::because("two numbers did not come"))?;
                let holds = whole.call.ret == Some(8)
                    && [first, second].iter().all(|made| made.call.ret == Some(4))
                    && [first.call.bytes(), second.call.bytes()].concat() == whole.call.bytes();
                Verdict::by_calls(holds, [whole, first, second])
            },
        ),
        Claim::ours("Nothing in four bytes says their order: each order's 6 is 100663296 in the other.", |trace| {
            let received = trace.scene(4).role("client").received();
            let [little, big] = *received.first_chunk().ok_or(Unseen::because("two headers did not come"))?;
            let holds = little.call.bytes() == 100_663_296_i32.to_be_bytes()
                && big.call.bytes() == 100_663_296_i32.to_le_bytes()
                && little.call.bytes() == 6_i32.to_le_bytes();
            Verdict::by_calls(holds, [little, big])
        }),
        Claim::ours("Nothing in four bytes says whether they have a sign: 4294967291 is -5 as well.", |trace| {
            let received = trace.scene(4).role("client").received();
            let last = received.get(4).copied().ok_or(Unseen::because("five headers did not come"))?;
            let holds = last.call.bytes() == (-5_i32).to_le_bytes();
            Verdict::by_calls(holds, [last])
        }),
        Claim::ours("A connection may end with 1 or 3 bytes of a header, and recv reports no error.", |trace| {
            let calls = trace.scene(5).role("client").calls(Receives);
            let of =
                |count: i64| calls.windows(2).find(|two| two[0].call.ret == Some(count) && two[1].call.ret == Some(0));
            let (one, three) = (of(1), of(3));
            if calls.is_empty() {
                return Err(Unseen::because("nothing was received"));
            }
            let holds = one.is_some() && three.is_some() && calls.iter().all(|made| made.call.errno.is_none());
            Verdict::by_calls(holds, one.into_iter().chain(three).flatten().copied())
        }),
        Claim::ours(
            "Behind a negative length, the data is taken for the next header: `hell` is 1819043176.",
            |trace| {
                let received = trace.scene(6).role("client").received();
                let [first, second] = *received.first_chunk().ok_or(Unseen::because("two headers did not come"))?;
                let holds = first.call.bytes() == (-5_i32).to_le_bytes()
                    && second.call.bytes() == b"hell"
                    && second.call.bytes() == 1_819_043_176_i32.to_le_bytes();
                Verdict::by_calls(holds, [first, second])
            },
        ),
        Claim::ours("The same four bytes without a sign make a client wait forever for 4294967291 bytes.", |trace| {
            let first = trace.scene(7).role("client").first(Receives)?;
            let found = trace.scene(7).finding(Finding::EveryoneWaits);
            let holds = first.call.bytes() == 4_294_967_291_u32.to_le_bytes() && found.is_ok();
            Verdict::of(holds, [first.event].into_iter().chain(found.ok()))
        }),
        Claim::ours("A client with limits reads the same bytes, waits for nothing more and ends.", |trace| {
            let client = trace.scene(8).role("client");
            let first = client.first(Receives)?;
            let after = client.clone().after(first.event);
            let end = client.end()?;
            let holds = first.call.bytes() == (-5_i32).to_le_bytes() && after.waits(Receives).is_empty();
            Verdict::of(holds && is_good(end), [first.event, end])
        }),
    ]
}

/// What the server sent in a scene.
fn sends(trace: &Trace, scene: u32) -> Result<Vec<Made<'_>>, Unseen> {
    trace.scene(scene).role("server").some(Sends)
}

/// The moment at which a number was typed to the server, and what it sent before the next one.
fn sent_for<'a>(trace: &'a Trace, scene: u32, number: &str) -> Result<(&'a Event, Option<Made<'a>>), Unseen> {
    let server = trace.scene(scene).role("server");
    let events = server.events();
    let is_typed = |event: &&&Event| matches!(&event.what, What::Input { text, .. } if text.as_deref() == Some(number));
    let typed = *events.iter().find(is_typed).ok_or(Unseen::because("the number was not typed"))?;
    let next = events.iter().find(|event| event.n > typed.n && matches!(event.what, What::Input { .. }));
    let after = server.clone().after(typed);
    let sent = after.calls(Sends).into_iter().find(|made| next.is_none_or(|next| made.event.n < next.n));
    Ok((typed, sent))
}

fn is_good(end: &Event) -> bool {
    matches!(&end.what, What::Exit(exit) if exit.is_good())
}
