//! What the old text says about its chat, and what becomes of its messages.

use socklab::prelude::*;
use socklab::trace::{Event, Made, Selection, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S3-C06", "With sendto the client must send its own address along.", |trace| {
            let scene = trace.scene(1);
            let client = scene.clone().role("client");
            let sent = client.first(Syscall::SendTo)?;
            let received = scene.role("server").first(Syscall::RecvFrom)?;
            let own = received.call.get_out("src_addr").ok_or(NO_MESSAGE)?;
            let gave = client.before(received.event).all_calls();
            let carried = gave.iter().any(|made| made.call.args.iter().any(|(_, value)| value == own));
            Verdict::by_calls(carried, [sent, received])
        }),
        Claim::classic("S3-D06", "A q ends the talk with this friend.", |trace| ends_talk(&trace.scene(1))),
        Claim::ours("It does if the line is looked at before the friend's name is put in front of it.", |trace| {
            ends_talk(&trace.scene(2))
        }),
        Claim::ours("The authors' empty line is no empty datagram: it is sent with the name in front.", |trace| {
            let client = trace.scene(1).role("client");
            let typed = typed(&client, "").last().copied().ok_or(NO_MESSAGE)?;
            let sent = client.after(typed).first(Syscall::SendTo)?;
            Verdict::of(sent.call.ret > Some(0), [typed, sent.event])
        }),
        Claim::ours("Two names with one address are one receiver; only the text tells whom it was for.", |trace| {
            let scene = trace.scene(3);
            let first = scene.clone().role("client").first(Syscall::SendTo)?;
            let second = scene.clone().role("second-client").first(Syscall::SendTo)?;
            let to = |made: &Made<'_>| made.call.get_arg("dest_addr").cloned();
            let one_address = to(&first) == to(&second) && first.call.data != second.call.data;
            let received = scene.role("server").calls(Syscall::RecvFrom);
            let one_socket = received.len() == 2 && received[0].call.fd == received[1].call.fd;
            Verdict::by_calls(one_address && one_socket, [first, second].into_iter().chain(received))
        }),
        Claim::ours("Whoever writes second waits until the first one is answered.", |trace| {
            let scene = trace.scene(3);
            let second = scene.clone().role("second-client");
            let asked = second.first(Syscall::SendTo)?;
            let server = scene.role("server").after(asked.event);
            let [first, own] = server.first_few(Syscall::SendTo)?;
            let to = |made: &Made<'_>| made.call.get_arg("dest_addr").and_then(Value::as_word).map(str::to_owned);
            let turn =
                to(&first).as_deref() == Some("client:port") && to(&own).as_deref() == Some("second-client:port");
            Verdict::by_calls(turn, [asked, first, own])
        }),
        Claim::ours("Who answers first is believed, whoever it is.", |trace| {
            let scene = trace.scene(4);
            let client = scene.role("client");
            let asked = client.calls(Syscall::SendTo).get(1).copied().ok_or(NO_MESSAGE)?;
            let got = client.calls(Syscall::RecvFrom).get(1).copied().ok_or(NO_MESSAGE)?;
            let shown = client.after(got.event).printed().first().copied();
            let foreign = asked.call.get_arg("dest_addr") != got.call.get_out("src_addr");
            let believed = shown.is_some_and(|(_, line)| line.starts_with("taibai says: "));
            let evidence = [asked.event, got.event].into_iter().chain(shown.map(|(event, _)| event));
            Verdict::of(foreign && believed, evidence)
        }),
        Claim::ours("A client that compares the sender's address waits for the friend's own answer.", |trace| {
            let client = trace.scene(5).role("client");
            let asked = client.calls(Syscall::SendTo).get(1).copied().ok_or(NO_MESSAGE)?;
            let received = client.after(asked.event).calls(Syscall::RecvFrom);
            let own = received.iter().position(|got| got.call.get_out("src_addr") == asked.call.get_arg("dest_addr"));
            Verdict::by_calls(own.is_some_and(|place| place > 0), [asked].into_iter().chain(received))
        }),
        Claim::ours(
            "A text that is longer than the buffer can be cut inside a character: then it is no text.",
            |trace| {
                let scene = trace.scene(6);
                let sent = scene.first(Syscall::SendTo)?;
                let cut = scene.first(Syscall::RecvFrom)?;
                let is_text = |made: &Made<'_>| std::str::from_utf8(made.call.bytes()).is_ok();
                let ends = scene.role("server").after(cut.event).calls(Syscall::Close).first().copied();
                Verdict::by_calls(is_text(&sent) && !is_text(&cut), [sent, cut].into_iter().chain(ends))
            },
        ),
        Claim::ours("With room for the longest datagram the same text arrives whole.", |trace| {
            let scene = trace.scene(7);
            let sent = scene.clone().role("john").first(Syscall::SendTo)?;
            let received = scene.role("jedan").calls(Syscall::RecvFrom);
            let got = received
                .into_iter()
                .find(|got| got.call.get_out("src_addr").and_then(Value::as_word) == Some("john:8085"));
            let whole = got.is_some_and(|got| got.call.data == sent.call.data && got.call.ret > Some(1024));
            Verdict::by_calls(whole, [sent].into_iter().chain(got))
        }),
        Claim::ours("Bytes that are no text do not end a chat that puts a sign in their place.", |trace| {
            let jedan = trace.scene(7).role("jedan");
            let broken =
                jedan.calls(Syscall::RecvFrom).into_iter().find(|got| std::str::from_utf8(got.call.bytes()).is_err());
            let broken = broken.ok_or(NO_MESSAGE)?;
            let after = jedan.after(broken.event);
            let shown = after.printed().first().copied().filter(|(_, line)| line.contains('\u{fffd}'));
            let goes_on = !after.calls(Syscall::RecvFrom).is_empty();
            Verdict::of(goes_on && shown.is_some(), [broken.event].into_iter().chain(shown.map(|(event, _)| event)))
        }),
        Claim::ours(
            "Anybody can send to a port that is known; the chat shows only what comes from its contacts.",
            |trace| {
                let scene = trace.scene(7);
                let sent = scene.clone().role("unknown").first(Syscall::SendTo)?;
                let jedan = scene.role("jedan");
                let Some(got) = jedan.calls(Syscall::RecvFrom).into_iter().find(|got| got.call.data == sent.call.data)
                else {
                    return Verdict::by_calls(false, [sent]);
                };
                let words = String::from_utf8_lossy(sent.call.bytes()).into_owned();
                let shown = jedan.printed().iter().any(|(_, line)| line.contains(&words));
                let remark = jedan.after(got.event).printed().first().map(|(event, _)| *event);
                Verdict::of(!shown, [sent.event, got.event].into_iter().chain(remark))
            },
        ),
    ]
}

const NO_MESSAGE: Unseen = Unseen::because("no such message was sent in this scene");

/// Whether a typed `q` brings the question whom to talk to, and nothing is sent.
fn ends_talk(scene: &Selection<'_>) -> Checked {
    let client = scene.clone().role("client");
    let typed = typed(&client, "q").first().copied().ok_or(NO_MESSAGE)?;
    let after = client.after(typed);
    let sent = after.calls(Syscall::SendTo).first().copied();
    let next = after.events().iter().find(|event| matches!(event.what, What::Input { .. })).copied();
    let asked_again =
        next.is_some_and(|event| matches!(&event.what, What::Input { prompt, .. } if prompt.starts_with("choose")));
    let waits = after.waits(Syscall::RecvFrom);
    Verdict::of(
        asked_again && sent.is_none(),
        [typed].into_iter().chain(sent.map(|made| made.event)).chain(waits).chain(next),
    )
}

/// The lines of exactly these words that a role's user typed.
fn typed<'a>(role: &Selection<'a>, words: &str) -> Vec<&'a Event> {
    let is = |event: &&&'a Event| matches!(&event.what, What::Input { text: Some(text), .. } if text == words);
    role.events().iter().filter(is).copied().collect()
}
