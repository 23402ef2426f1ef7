//! What lab 36 makes of the old texts' sentences on uploads, and of ours.

use socklab::prelude::*;
use socklab::trace::{Finding, Made, bytes_of};

use super::{F1, F2};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S2-C20", "The version with a header solves sticking.", |trace| {
            let (limited, unlimited) = (stored_by_the_tool(trace)?, stored_late(trace)?);
            let together = [F1, F2];
            let condition = "no recv may take more than the rest of its message";
            let holds = |files: &[Made<'_>]| files.iter().map(|made| made.call.ret).eq(together.map(len));
            let evidence = limited.iter().chain(&unlimited).map(|made| made.event);
            Verdict::only_when(condition, holds(&limited), holds(&unlimited), evidence)
        }),
        Claim::classic("S4-C11", "With the folder made, put shows its progress, and then success.", |trace| {
            let said = trace.scene(1).role("classic-client").printed();
            let stored = trace.scene(1).role("classic-server").some(Syscall::WriteFile)?;
            let words: Vec<&str> = said.iter().map(|(_, text)| *text).collect();
            let holds = words == ["10", "17", "upload successful"] && bytes_of(&stored) == F1;
            Verdict::of(holds, said.iter().map(|(event, _)| *event).chain(stored.iter().map(|made| made.event)))
        })
        .about_programs(),
        Claim::ours("The old texts' client says success where the server could not even open a file.", |trace| {
            let opened = trace.scene(2).role("classic-server").first(Syscall::OpenAt)?;
            let said = trace.scene(2).role("classic-client").printed();
            let success = said.iter().find(|(_, text)| *text == "upload successful");
            let (event, _) = success.ok_or(Unseen::because("the client does not say success"))?;
            Verdict::of(opened.failed(Errno::ENOENT), [opened.event, event])
        }),
        Claim::ours("A server that looks for no end of the stream goes round when its client is killed.", |trace| {
            let round = trace.scene(4).finding(Finding::RoleGoesRound)?;
            let last = trace.scene(4).role("classic-server").last(Receives)?;
            Verdict::of(last.call.ret == Some(0), [last.event, round])
        }),
        Claim::ours("One malformed header ends the server of S2-D03: the next client is refused.", |trace| {
            let header = trace.scene(5).role("classic-server").last(Receives)?;
            let connect = trace.scene(5).role("next-client").first(Syscall::Connect)?;
            Verdict::by_calls(connect.failed(Errno::ECONNREFUSED), [header, connect])
        }),
        Claim::ours(
            "The name appears after the whole file was written and synchronised, and before the client hears.",
            |trace| {
                let server = trace.scene(6).role("careful-server");
                let written = server.some(Syscall::WriteFile)?;
                let synced = server.first(Syscall::FSync)?;
                let named = server.first(Syscall::RenameAt2)?;
                let told = server.first(Sends)?;
                let whole = bytes_of(&written) == F1 && written.iter().all(|made| made.event.n < synced.event.n);
                let good = [&synced, &named].iter().all(|made| made.call.ret == Some(0));
                let in_order = synced.event.n < named.event.n && named.event.n < told.event.n;
                Verdict::by_calls(whole && good && in_order, written.into_iter().chain([synced, named, told]))
            },
        ),
        Claim::ours("Of a transfer that was cut off, only the rest is sent again.", |trace| {
            let before = trace.scene(8).role("killed-client").last(Sends)?;
            let mut after = trace.scene(8).role("second-client").some(Sends)?;
            // Not the messages around it.
            after.retain(|made| F1.ends_with(made.call.bytes()));
            let sent: i64 = after.iter().chain([&before]).filter_map(|made| made.call.ret).sum();
            Verdict::by_calls(Some(sent) == len(F1), after.into_iter().chain([before]))
        }),
        Claim::ours("The tool's server stores the classic client's files whole, both over one connection.", |trace| {
            let stored = stored_by_the_tool(trace)?;
            let holds = stored.iter().map(|made| made.call.ret).eq([F1, F2].map(len));
            Verdict::by_calls(holds, stored)
        }),
        Claim::ours("A second file that nobody reads stays in the receive queue, with its header.", |trace| {
            let all = trace.scene(10).role("classic-client").some(Sends)?;
            // A length, a header and a line of F2, behind those of F1.
            let [.., length, header, body] = all[..] else { return Err(Unseen::because("no second file was sent")) };
            let second = [length, header, body];
            let sum: i64 = second.iter().filter_map(|made| made.call.ret).sum();
            let queues = trace.scene(10).role("classic-server").receive_queues();
            let last = queues.last().copied().ok_or(Unseen::because("no queue was looked at"))?;
            let holds = last.unread() == Some(sum);
            Verdict::of(holds, second.iter().map(|made| made.event).chain([last]))
        }),
    ]
}

fn len(file: &[u8]) -> Option<i64> {
    i64::try_from(file.len()).ok()
}

/// What the tool's server put into files in the scene with the classic client.
fn stored_by_the_tool(trace: &Trace) -> Result<Vec<Made<'_>>, Unseen> {
    trace.scene(9).role("server").some(Syscall::SpliceToFile)
}

/// What the late server of scene 3 wrote to files.
fn stored_late(trace: &Trace) -> Result<Vec<Made<'_>>, Unseen> {
    trace.scene(3).role("classic-server").some(Syscall::WriteFile)
}
