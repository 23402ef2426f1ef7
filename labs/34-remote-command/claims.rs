//! What lab 34 makes of the old texts' sentence on gbk, and of ours on commands.

use encoding_rs::GBK;
use socklab::prelude::*;
use socklab::trace::{CommandState, Event, Finding, Made, What, exactly};

/// What a pipe holds here.
const ROOM: i64 = 65_536;

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C33", "Windows uses the encoding gbk.", |_| {
            Err(Unseen::because("there is no Windows here; on one, the encoding is a setting, and gbk that of Chinese"))
        }),
        Claim::ours(
            "A command whose output just fills the pipe can end before anybody reads: it is answered.",
            |trace| {
                let read = trace.scene(1).role("server").calls(Syscall::Read);
                let full = read.into_iter().find(|made| made.call.ret == Some(ROOM));
                let full = full.ok_or(Unseen::because("no read gave as much as a pipe holds"))?;
                let nobody_slept = trace.scene(1).commands().is_empty();
                Verdict::by_calls(nobody_slept && announces(trace, 1, ROOM)?, [full])
            },
        ),
        Claim::ours("With one byte more the command waits in its write, and the server for standard error.", |trace| {
            let (held, does) = full_pipe(trace, 2)?;
            let waits = everyone_waits(trace, 2)?;
            let server_reads = trace.scene(2).role("server").waits(Syscall::Read);
            let holds = held.in_pipe() == Some(ROOM)
                && does.command() == Some((CommandState::Writes, 1))
                && server_reads.len() == 1;
            Verdict::of(holds && is_of_both(waits), [held, does].into_iter().chain(server_reads).chain([waits]))
        }),
        Claim::ours("Reading standard output first moves the trouble to standard error.", |trace| {
            let (held, does) = full_pipe(trace, 4)?;
            let spawned = trace.scene(4).role("server").first(Syscall::PosixSpawnp)?;
            let is_stderr = fd_of(held) == spawned.event.number("stderr_pipe");
            let waits = everyone_waits(trace, 4)?;
            Verdict::of(is_stderr && is_of_both(waits), [spawned.event, held, does, waits])
        }),
        Claim::ours("A server that reads both streams side by side answers it.", |trace| {
            let ran = trace.scene(3).role("server").first(Syscall::System)?;
            let holds = ran.event.number("stdout") == Some(ROOM + 1) && announces(trace, 3, ROOM + 1)?;
            Verdict::by_calls(holds, [ran])
        }),
        Claim::ours("cat, whose input nobody closes, waits for it: so do the server and its client.", |trace| {
            let commands = trace.scene(7).commands();
            let does = *commands.first().ok_or(Unseen::because("the command was not seen asleep"))?;
            let waits = everyone_waits(trace, 7)?;
            Verdict::of(does.command() == Some((CommandState::Reads, 0)) && is_of_both(waits), [does, waits])
        }),
        Claim::ours("A program left in the background keeps the answer back until it ends.", |trace| {
            let scene = trace.scene(8);
            let commands = scene.commands();
            let left =
                commands.iter().find(|event| matches!(event.command(), Some((CommandState::HasLeftAProgram, _))));
            let left = *left.ok_or(Unseen::because("no program was left"))?;
            let killed = scene.clone().role("operator").first(Syscall::Kill)?;
            let sent = scene.role("server").first(Syscall::Send)?;
            Verdict::of(left.n < killed.event.n && killed.event.n < sent.event.n, [left, killed.event, sent.event])
        }),
        Claim::ours("One call can send a header and two buffers that nobody has joined.", |trace| {
            let three: [Made<'_>; 3] = trace.scene(5).role("server").exactly(Sends)?;
            let [one] = trace.scene(6).role("server").exactly(Sends)?;
            let sum: i64 = three.iter().filter_map(|made| made.call.ret).sum();
            Verdict::by_calls(one.call.ret == Some(sum) && sum == 12, three.into_iter().chain([one]))
        }),
        Claim::ours(
            "After FIN each recv returns 0 at once: a server that neither looks nor answers is busy for ever.",
            |trace| {
                let server = trace.scene(9).role("server");
                let fin = came_to(trace, 9, 0)?;
                let found = trace.scene(9).finding(Finding::RoleGoesRound)?;
                let later = server.after(fin.event);
                let received = later.some(Receives)?;
                let all_empty = received.iter().all(|made| made.call.ret == Some(0));
                let holds = all_empty && later.waits(Receives).is_empty();
                Verdict::of(
                    holds,
                    [fin.event].into_iter().chain(received.iter().take(2).map(|made| made.event)).chain([found]),
                )
            },
        ),
        Claim::ours("A test for b'' alone survives FIN, and not RST.", |trace| {
            let server = trace.scene(10).role("server");
            let (fin, last) = (came_to(trace, 10, 0)?, server.last(Receives)?);
            let refused = trace.scene(10).role("third-client").first(Syscall::Connect)?;
            let serves_on = server.after(fin.event).calls(Syscall::Accept).len() == 1;
            let holds = serves_on && last.failed(Errno::ECONNRESET) && refused.failed(Errno::ECONNREFUSED);
            Verdict::by_calls(holds, [fin, last, refused])
        }),
        Claim::ours("Catching ConnectionResetError alone survives RST, and not FIN.", |trace| {
            let after_fin = trace.scene(11).role("server").last(Sends)?;
            let refused = trace.scene(11).role("third-client").first(Syscall::Connect)?;
            let reset = reset(trace, 15)?;
            let served = served(trace, 15)?;
            let holds = after_fin.failed(Errno::EPIPE) && refused.failed(Errno::ECONNREFUSED);
            let holds = holds && reset.failed(Errno::ECONNRESET) && served.call.bytes().ends_with(b"hello\n");
            Verdict::by_calls(holds, [after_fin, refused, reset, served])
        }),
        Claim::ours(
            "With everything caught, a client that leaves with FIN costs one empty command on one host.",
            |trace| {
                let server = trace.scene(12).role("server");
                let fin = came_to(trace, 12, 0)?;
                let sends = server.after(fin.event).calls(Sends);
                let failed = sends.get(1).ok_or(Unseen::because("nothing was sent after FIN"))?;
                let served = served(trace, 12)?;
                let holds = failed.failed(Errno::EPIPE) && served.call.bytes().ends_with(b"hello\n");
                Verdict::by_calls(holds, [fin, *failed, served])
            },
        ),
        Claim::ours("With a test for b'' and both errors caught, a server survives FIN and RST.", |trace| {
            let (fin, reset) = (came_to(trace, 13, 0)?, reset(trace, 13)?);
            let served = served(trace, 13)?;
            let holds = reset.failed(Errno::ECONNRESET) && served.call.bytes().ends_with(b"hello\n");
            Verdict::by_calls(holds, [fin, reset, served])
        }),
        Claim::ours("UTF-8 that is read as gbk gives other characters, or an error; ASCII is the same.", |trace| {
            let [two, one, ascii] = exactly(answers(trace, 16), "answers")?;
            let holds = in_gbk(&two).as_deref() == Some("浣犲ソ\n")
                && in_gbk(&one).is_none()
                && in_gbk(&ascii).as_deref() == Some("hello\n");
            Verdict::by_calls(holds, [two, one, ascii])
        }),
        Claim::ours("The gbk of 你好 is no UTF-8.", |trace| {
            let [answer, _] = exactly(answers(trace, 17), "answers")?;
            Verdict::by_calls(std::str::from_utf8(answer.call.bytes()).is_err(), [answer])
        }),
        Claim::ours("A header that names the encoding makes the same bytes readable.", |trace| {
            let [answer] = exactly(answers(trace, 18), "answers")?;
            let header = b"gbk 5\n";
            let text = answer.call.bytes().strip_prefix(header).map(|bytes| GBK.decode(bytes).0);
            Verdict::by_calls(text.as_deref() == Some("你好\n"), [answer])
        }),
    ]
}

/// Whether the client of a scene received a header with this length.
fn announces(trace: &Trace, scene: u32, length: i64) -> Result<bool, Unseen> {
    let length = i32::try_from(length).map_err(|_| Unseen::because("no header holds that"))?;
    let received = trace.scene(scene).role("client").received();
    Ok(received.iter().any(|made| made.call.bytes() == length.to_ne_bytes()))
}

/// What was found of the pipe that a command has filled, and of the command.
fn full_pipe(trace: &Trace, scene: u32) -> Result<(&Event, &Event), Unseen> {
    let first = |found: Vec<&'_ Event>| found.first().map(|event| event.n);
    let at = |n: Option<u64>| trace.events.iter().find(|event| Some(event.n) == n);
    let held = at(first(trace.scene(scene).pipes())).ok_or(Unseen::because("no pipe was looked at"))?;
    let does = at(first(trace.scene(scene).commands())).ok_or(Unseen::because("the command was not seen asleep"))?;
    Ok((held, does))
}

fn everyone_waits(trace: &Trace, scene: u32) -> Result<&Event, Unseen> {
    trace.scene(scene).finding(Finding::EveryoneWaits)
}

/// Whether a finding is of the server and of the client.
fn is_of_both(found: &Event) -> bool {
    found.finds_waiting("server") && found.finds_waiting("client")
}

fn fd_of(event: &Event) -> Option<i64> {
    match event.what {
        What::Probe { fd, .. } => Some(fd.into()),
        _ => None,
    }
}

/// The first receive of a scene's server that gave this many bytes.
fn came_to(trace: &Trace, scene: u32, len: i64) -> Result<Made<'_>, Unseen> {
    let calls = trace.scene(scene).role("server").calls(Receives);
    calls.into_iter().find(|made| made.call.ret == Some(len)).ok_or(Unseen::because("no receive found the end"))
}

/// What the server's second receive of a scene's impatient client came to: the first one brought its command.
fn reset(trace: &Trace, scene: u32) -> Result<Made<'_>, Unseen> {
    let left = trace.scene(scene).role("second-client").first(Syscall::Close)?;
    trace.scene(scene).role("server").after(left.event).first(Receives)
}

/// The last receive of a scene's third client.
fn served(trace: &Trace, scene: u32) -> Result<Made<'_>, Unseen> {
    trace.scene(scene).role("third-client").last(Receives)
}

/// The answers that a scene's client received, behind their lengths.
fn answers(trace: &Trace, scene: u32) -> Vec<Made<'_>> {
    let mut received = trace.scene(scene).role("client").received();
    received.retain(|made| made.call.bytes().ends_with(b"\n"));
    received
}

fn in_gbk(made: &Made<'_>) -> Option<String> {
    GBK.decode_without_bom_handling_and_without_replacement(made.call.bytes()).map(|text| text.into_owned())
}
