//! What lab 36 confirms and refutes.

use socklab::prelude::*;

pub fn all() -> Vec<Claim> {
    vec![
        // Where there is no such call, `?` ends the claim: it is not observable, and the reason names role and scene.
        Claim::ours("A datagram arrives as it was sent.", |trace| {
            let sent = trace.scene(1).role("client").first(Syscall::SendTo)?;
            let received = trace.scene(1).role("server").first(Syscall::RecvFrom)?;
            Verdict::by_calls(sent.call.data == received.call.data, [sent, received])
        }),
        // A claim may be wrong. This one is refuted, by the calls that show it.
        Claim::ours("What a program receives is longer than what was sent: a header stands before it.", |trace| {
            let sent = trace.scene(1).role("client").first(Syscall::SendTo)?;
            let received = trace.scene(1).role("server").first(Syscall::RecvFrom)?;
            Verdict::by_calls(received.call.ret > sent.call.ret, [sent, received])
        }),
    ]
}
