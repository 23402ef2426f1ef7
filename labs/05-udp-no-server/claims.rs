//! What lab 05 confirms and refutes.

use socklab::prelude::*;
use socklab::trace::{Made, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C09", "A UDP client that runs without a server gets no error.", |trace| {
            let alone = [1, 3, 4].map(|scene| trace.scene(scene).role("client").all_calls());
            let silent = alone[0].iter().find(|made| made.call.sends()).ok_or(NO_DATAGRAM)?;
            let told = alone.iter().flatten().filter(|made| refused(made) && made.call.sends()).copied();
            let told: Vec<_> = told.collect();
            Verdict::by_calls(told.is_empty(), [*silent].into_iter().chain(told))
        }),
        Claim::classic("S0-C09", "Its messages are lost: a server that starts afterwards receives nothing.", |trace| {
            let sent = trace.scene(1).role("client").calls(Syscall::SendTo);
            let server = trace.scene(1).role("server");
            let bound = server.first(Syscall::Bind)?;
            let waits = server.waits(Syscall::RecvFrom);
            let lost = !sent.is_empty() && server.calls(Syscall::RecvFrom).is_empty() && !waits.is_empty();
            Verdict::of(lost, sent.iter().take(1).map(|made| made.event).chain([bound.event]).chain(waits))
        }),
        Claim::classic(
            "S0-C12",
            "sendto and recvfrom come in pairs: with three of each the server comes to its end.",
            |trace| {
                let sent = trace.scene(1).role("client").some(Syscall::SendTo)?;
                let server = trace.scene(1).role("server");
                let received = server.calls(Syscall::RecvFrom);
                let events = sent.iter().map(|made| made.event).chain(server.waits(Syscall::RecvFrom));
                Verdict::of(sent.len() == received.len(), events)
            },
        ),
        Claim::classic("S0-C08", "UDP rests on no connection: one can send though nobody is there.", |trace| {
            let scene = trace.scene(1);
            let sent = scene.clone().role("client").first(Syscall::SendTo)?;
            let nobody = scene.clone().before(sent.event).calls(Syscall::Bind).is_empty();
            let before = scene.role("client").before(sent.event).calls(Syscall::Connect);
            Verdict::by_calls(nobody && before.is_empty() && sent.call.ret == Some(5), [sent])
        }),
        Claim::classic("S3-C05", "Whichever side is started first, there is no error.", |trace| {
            let sent = trace.scene(2).some(Syscall::SendTo)?;
            let errors = trace.scene(2).all_calls().iter().filter(|made| made.call.errno.is_some()).count();
            Verdict::by_calls(errors == 0, sent)
        }),
        Claim::ours("Yet it matters: the client that was first waits for its answer for ever.", |trace| {
            let (first, second) = (trace.scene(2).role("client"), trace.scene(2).role("second-client"));
            let waits = first.waits(Syscall::RecvFrom);
            let answer = second.first(Syscall::RecvFrom)?;
            let for_ever = first.calls(Syscall::RecvFrom).is_empty() && !waits.is_empty();
            let findings = trace.scene(2).findings();
            let found = findings.iter().any(|event| waits_in_the_end(&event.what, "client"));
            Verdict::of(for_ever && found, [answer.event].into_iter().chain(findings))
        }),
        Claim::ours("A connected socket is told by its next call, once, and that call sends nothing.", |trace| {
            let client = trace.scene(3).role("client");
            let calls: Vec<_> = client
                .all_calls()
                .into_iter()
                .filter(|made| matches!(made.call.name, Syscall::Send | Syscall::Recv))
                .collect();
            // Had the second one been sent, its own refusal would have met the third.
            let told: Vec<bool> = calls.iter().map(refused).collect();
            if calls.is_empty() {
                Err(NO_DATAGRAM)
            } else {
                Verdict::by_calls(told == [false, true, false, true], calls)
            }
        }),
        Claim::ours("With IP_RECVERR an unconnected socket is told too, and gets the lost datagram back.", |trace| {
            let client = trace.scene(4).role("client");
            let [lost, told] = client.first_few(Syscall::SendTo)?;
            let report = client.first(Syscall::RecvMsg)?;
            let same =
                report.call.data == lost.call.data && report.call.get_out("msg_name") == lost.call.get_arg("dest_addr");
            let unreachable = report.event.number("ee_type") == Some(3) && report.event.number("ee_code") == Some(3);
            Verdict::by_calls(refused(&told) && same && unreachable, [lost, told, report])
        }),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was sent in this scene");

fn waits_in_the_end(what: &What, role: &str) -> bool {
    matches!(what, What::Finding { waiting, .. } if waiting.iter().any(|one| one.role == role))
}

fn refused(made: &Made<'_>) -> bool {
    made.call.errno == Some(Errno::ECONNREFUSED)
}
