//! What lab 31 makes of the old texts' sentences on the JSON header, and of ours.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use socklab::prelude::*;
use socklab::trace::{Calls, Finding, Made, What, bytes_of};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C31",
            "A dictionary as JSON, with its length in 4 bytes before it, is enough for a header.",
            |trace| {
                let received = trace.scene(1).role("client").received();
                let messages = messages(&received)?;
                let good = messages.iter().filter(|message| message.is_whole("data_size")).count();
                Verdict::by_calls(good == 1, received)
            },
        ),
        Claim::classic(
            "S3-C11",
            "A header that has only a length is poor: it should have an MD5 sum and a file's name, too.",
            |trace| {
                // Two bodies, of which one could be the other, damaged.
                let constant = ["client", "second-client"].map(|role| trace.scene(2).role(role).received()).concat();
                let computed = trace.scene(3).role("client").received();
                let notices_by_constant = {
                    let [first, second] = two(messages(&constant)?)?;
                    first.body != second.body && first.header.get("md5") != second.header.get("md5")
                };
                let notices_by_computed = {
                    let [first, second] = two(messages(&computed)?)?;
                    first.has_its_digest() && !second.has_its_digest()
                };
                let condition = "the sum is computed from the data, and the receiver computes it, too";
                let evidence = constant.iter().chain(&computed).map(|made| made.event);
                Verdict::only_when(condition, notices_by_computed, notices_by_constant, evidence)
            },
        ),
        Claim::ours(
            "A digest shows that a byte changed after the digest was computed and before it was sent.",
            |trace| {
                let received = trace.scene(3).role("client").received();
                let [first, second] = two(messages(&received)?)?;
                let same_size = first.body.len() == second.body.len() && second.is_whole("size");
                Verdict::by_calls(same_size && first.has_its_digest() && !second.has_its_digest(), received)
            },
        ),
        Claim::ours("A client that checks the header waits for nothing behind a wrong one, and goes on.", |trace| {
            let client = trace.scene(4).role("client");
            // Each message comes in one piece: whoever calls recv again on its connection waits.
            let calls = client.some(Calls::Receives)?;
            let end = client.end()?;
            let came = calls.iter().all(|made| made.call.ret > Some(0));
            let good = matches!(&end.what, What::Exit(exit) if exit.is_good());
            let connections = client.calls(Syscall::Connect).len();
            Verdict::of(came && good && calls.len() == connections, calls.iter().map(|made| made.event).chain([end]))
        }),
        Claim::ours(
            "A client that believes a negative size takes the body for the next header's length, and waits.",
            |trace| {
                let received = trace.scene(5).role("client").received();
                let [_, header, next, ..] = received[..] else {
                    return Err(Unseen::because("nothing was received behind the header"));
                };
                let found = trace.scene(5).findings();
                let waits = found.iter().any(|event| event.finds_waiting("client"));
                let holds = header.call.bytes() == br#"{"data_size": -6}"# && next.call.bytes() == b"hell" && waits;
                Verdict::of(holds, [header.event, next.event].into_iter().chain(found))
            },
        ),
        Claim::ours(
            "A header's length is its number of bytes: in characters, the name 你好 makes it too short.",
            |trace| {
                let received = trace.scene(6).role("client").received();
                let headers = headers(&received)?;
                let [escaped, raw, short] = headers[..] else {
                    return Err(Unseen::because("there are not three headers"));
                };
                let is_json = |made: &Made<'_>| serde_json::from_slice::<Json>(made.call.bytes()).is_ok();
                let holds = is_json(&escaped) && is_json(&raw) && !is_json(&short) && short.call.ret < raw.call.ret;
                Verdict::by_calls(holds, headers)
            },
        ),
        Claim::ours(
            "A client that does not look for the end spins when the server leaves in the middle of a body.",
            |trace| {
                let round = trace.scene(7).finding(Finding::RoleGoesRound)?;
                let last = trace.scene(7).role("client").last(Calls::Receives)?;
                Verdict::of(last.call.ret == Some(0), [last.event, round])
            },
        ),
    ]
}

/// A message that a client received.
struct Message {
    header: Json,
    body: Vec<u8>,
}

impl Message {
    /// Whether the body is as long as its header says, under this name.
    fn is_whole(&self, name: &str) -> bool {
        self.header.get(name).and_then(Json::as_u64) == Some(self.body.len() as u64)
    }

    fn has_its_digest(&self) -> bool {
        self.header.get("sha256").and_then(Json::as_str) == Some(&format!("{:x}", Sha256::digest(&self.body)))
    }
}

/// The headers among the receives: each follows a receive of the four bytes of its length.
fn headers<'a>(received: &[Made<'a>]) -> Result<Vec<Made<'a>>, Unseen> {
    let lengths = (0..received.len()).filter(|index| received[*index].asked_for() == Some(4));
    let headers: Vec<Made<'a>> = lengths.filter_map(|index| received.get(index + 1)).copied().collect();
    if headers.is_empty() { Err(Unseen::because("no header was received")) } else { Ok(headers) }
}

/// The messages in what was received: a length, a header, and as many bytes as the header says.
fn messages(received: &[Made<'_>]) -> Result<Vec<Message>, Unseen> {
    let bytes = bytes_of(received);
    let mut rest = &bytes[..];
    let mut messages = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let length = usize::try_from(i32::from_ne_bytes(*length)).unwrap_or(0).min(behind.len());
        let (header, behind) = behind.split_at(length);
        let header: Json = serde_json::from_slice(header).unwrap_or(Json::Null);
        let size = ["data_size", "total_size", "size"].iter().find_map(|name| header.get(name)?.as_u64());
        let (body, behind) = behind.split_at(behind.len().min(size.unwrap_or(0) as usize));
        messages.push(Message { header, body: body.to_vec() });
        rest = behind;
    }
    if messages.is_empty() { Err(Unseen::because("no message was received")) } else { Ok(messages) }
}

fn two(messages: Vec<Message>) -> Result<[Message; 2], Unseen> {
    socklab::trace::exactly(messages, "messages")
}
