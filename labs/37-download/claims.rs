//! What lab 37 finds about downloads. The old texts leave `get` to their readers.

use socklab::prelude::*;
use socklab::trace::{Made, bytes_of};

use super::{CUT, F1};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::ours("A client that asks a server which knows no such command waits: nothing says no.", |trace| {
            let asked = trace.scene(1).role("asking-client").first(Sends)?;
            let got = trace.scene(1).role("classic-server").received();
            let found = trace.scene(1).findings();
            let waits = found.iter().any(|event| event.finds_waiting("asking-client"));
            let came = bytes_of(&got) == asked.call.bytes();
            Verdict::of(waits && came, found.into_iter().chain([asked.event]))
        }),
        Claim::ours("The file gets its name after its last byte and its digest have come.", |trace| {
            let client = trace.scene(2).role("client");
            let digest = client.last(Receives)?;
            let stored = client.some(Syscall::WriteFile)?;
            let named = client.first(Syscall::RenameAt2)?;
            let sum: i64 = stored.iter().filter_map(|made| made.call.ret).sum();
            let in_order = stored.iter().all(|made| made.event.n < digest.event.n) && digest.event.n < named.event.n;
            let whole = sum == F1.len() as i64 && named.call.ret == Some(0);
            Verdict::by_calls(in_order && whole, stored.into_iter().chain([digest, named]))
        }),
        Claim::ours("After a cut only the rest is sent: the client says how much it has.", |trace| {
            let before = trace.scene(3).role("client").first(Syscall::WriteFile)?;
            let sent = ends_of_the_file(trace.scene(3).role("server").some(Sends)?);
            let rest: i64 = sent.iter().filter_map(|made| made.call.ret).sum();
            let holds = before.call.ret == Some(CUT as i64) && rest == (F1.len() - CUT) as i64;
            Verdict::by_calls(holds, sent.into_iter().chain([before]))
        }),
        Claim::ours("What is left of another file is found out by the digest, and thrown away.", |trace| {
            let sent = ends_of_the_file(trace.scene(4).role("server").some(Sends)?);
            let wanted = [F1.len() - CUT, F1.len()].map(|len| Some(len as i64));
            let named = trace.scene(4).role("client").first(Syscall::RenameAt2)?;
            let holds = sent.iter().map(|made| made.call.ret).eq(wanted) && named.call.ret == Some(0);
            Verdict::by_calls(holds, sent.into_iter().chain([named]))
        }),
        Claim::ours("A file with another digest than its own never gets its name.", |trace| {
            let client = trace.scene(5).role("client");
            let stored = client.first(Syscall::WriteFile)?;
            let removed = client.first(Syscall::UnlinkAt)?;
            let named = client.calls(Syscall::RenameAt2);
            Verdict::by_calls(named.is_empty() && removed.call.ret == Some(0), [stored, removed])
        }),
    ]
}

/// Those of the server's sends that are the file, or an end of it: what stands around it in a message is none.
fn ends_of_the_file(mut sends: Vec<Made<'_>>) -> Vec<Made<'_>> {
    sends.retain(|made| F1.ends_with(made.call.bytes()));
    sends
}
