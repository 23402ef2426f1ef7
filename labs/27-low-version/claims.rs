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
                let received = trace.scene(1).role("client").calls(Syscall::Recv);
                let told = received.iter().position(|made| text(made) == "1892");
                let told = told.ok_or(Unseen::because("no answer of 1892 bytes was announced"))?;
                let mut sum = 0;
                let mut pieces = Vec::new();
                for piece in &received[told + 1..] {
                    if sum >= 1892 {
                        break;
                    }
                    sum += piece.call.ret.unwrap_or(0);
                    pieces.push(*piece);
                }
                // One recv cannot bring more than 1024 bytes: without the loop there is no whole answer.
                let holds = sum == 1892 && pieces.len() > 1;
                Verdict::by_calls(holds, [received[told]].into_iter().chain(pieces))
            },
        ),
        Claim::classic(
            "S0-C27",
            "The extra send for the length makes every answer take one exchange more: the client waits twice.",
            |trace| {
                let client = trace.scene(1).role("client");
                let (first_answer, _) =
                    client.printed().first().copied().ok_or(Unseen::because("the client printed no answer"))?;
                let waits = client.before(first_answer).waits(Syscall::Recv);
                Verdict::of(waits.len() == 2, waits)
            },
        ),
        Claim::classic("S0-C27", "Therefore the low version is the slow one.", |_| {
            Err(Unseen::because("an exchange takes time only where there is distance; this host has none"))
        }),
        Claim::classic("S0-C14", "Messages stick because the receiver does not know where they end.", |trace| {
            let server = trace.scene(3).role("server").calls(Syscall::Recv);
            let stuck: Vec<Made> = server.into_iter().filter(|made| text(made).starts_with("recv_ready")).collect();
            if stuck.is_empty() {
                return Err(Unseen::because("the server received no recv_ready"));
            }
            Verdict::by_calls(stuck.iter().any(|made| text(made) == "recv_readyecho two"), stuck)
        }),
        Claim::ours("Without the acknowledgement the client can receive length and answer in one piece.", |trace| {
            let client = trace.scene(2).role("client").calls(Syscall::Recv);
            let first = client.first().ok_or(Unseen::because("the client received nothing"))?;
            Verdict::by_calls(text(first) == "6hello\n", client)
        }),
        Claim::ours("With it, a command right behind an empty answer can make both sides wait for ever.", |trace| {
            let found = trace.scene(3).findings();
            let all_wait = |what: &What| matches!(what, What::Finding { waiting, .. } if waiting.len() == 2);
            Verdict::of(found.iter().any(|event| all_wait(&event.what)), found)
        }),
    ]
}

fn text(made: &Made) -> String {
    String::from_utf8_lossy(made.call.bytes()).into_owned()
}
