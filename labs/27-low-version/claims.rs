//! What lab 27 confirms and refutes.

use socklab::prelude::*;
use socklab::trace::{Made, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C26",
            "The cure is to tell the length first, and to receive in a loop until so many bytes are there.",
            |trace| {
                // The longest answer: its length, and the pieces that came after it.
                let received = trace.scene(1).role("client").calls("recv");
                let told = received.iter().position(|made| text(made) == "1892");
                let Some(told) = told else { return Verdict::NotObservable("no answer of 1892 bytes was announced") };
                let pieces = &received[told + 1..received.len().min(told + 3)];
                let sum: i64 = pieces.iter().filter_map(|made| made.call.ret).sum();
                Verdict::by_calls(sum == 1892, received[told..].iter().take(3).copied())
            },
        ),
        Claim::classic(
            "S0-C27",
            "The extra send for the length makes every answer take one exchange more: the client waits twice.",
            |trace| {
                let client = trace.scene(1).role("client");
                let Some((first_answer, _)) = client.printed().first().copied() else {
                    return Verdict::NotObservable("the client printed no answer");
                };
                let waits = client.before(first_answer).waits("recv");
                Verdict::of(waits.len() == 2, waits)
            },
        ),
        Claim::classic("S0-C27", "Therefore the low version is the slow one.", |_| {
            Verdict::NotObservable("an exchange takes time only where there is distance; this host has none")
        }),
        Claim::classic("S0-C14", "Messages stick because the receiver does not know where they end.", |trace| {
            let server = trace.scene(3).role("server").calls("recv");
            let stuck: Vec<Made> = server.into_iter().filter(|made| text(made).starts_with("recv_ready")).collect();
            Verdict::by_calls(stuck.iter().any(|made| text(made) == "recv_readyecho two"), stuck)
        }),
        Claim::ours("Without the acknowledgement the client can receive length and answer in one piece.", |trace| {
            let client = trace.scene(2).role("client").calls("recv");
            Verdict::by_calls(client.first().is_some_and(|made| text(made) == "6hello\n"), client)
        }),
        Claim::ours("With it, a command that is typed ahead makes both sides wait for ever.", |trace| {
            let found = trace.scene(3).findings();
            let all_wait = |what: &What| matches!(what, What::Finding { waiting, .. } if waiting.len() == 2);
            Verdict::of(found.iter().any(|event| all_wait(&event.what)), found)
        }),
    ]
}

fn text(made: &Made) -> String {
    String::from_utf8_lossy(made.call.bytes()).into_owned()
}
