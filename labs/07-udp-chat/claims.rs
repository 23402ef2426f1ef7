//! What the old text says about its chat, and what becomes of its messages.

use socklab::prelude::*;
use socklab::trace::{Event, Made, Selection, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S3-C06", "With sendto the client must send its own address along.", |trace| {
            let scene = trace.scene(1);
            let client = scene.clone().role("client");
            let sent = first_sent(&client)?;
            let server = scene.role("server");
            let received = taken(&server).first().copied().ok_or(NO_MESSAGE)?;
            // Whether the kernel tells the receiver an address that no call of the client's has given.
            let own = received.call.get_out("src_addr");
            let gave = client.before(received.event).all_calls();
            let given = |own| gave.iter().any(|made| made.call.args.iter().any(|(_, value)| value == own));
            let answered = sends(&server).iter().any(|made| own.is_some() && made.call.get_arg("dest_addr") == own);
            Verdict::by_calls(own.is_none_or(given) || !answered, [sent, received])
        }),
        Claim::classic("S3-D06", "A q ends the talk with this friend.", |trace| ends_talk(&trace.scene(1)))
            .about_programs()
            .turned_by("the client sends nothing, and asks again whom to talk to", |trace| {
                let is_q = |event: &Event| matches!(&event.what, What::Input { text: Some(text), .. } if text == "q");
                let q = trace.events.iter().position(|event| event.scene == 1 && is_q(event));
                if let Some(next) = q.and_then(|q| trace.events.get_mut(q + 1)) {
                    next.what = What::Input { prompt: "choose whom to talk to: ".to_owned(), text: None };
                }
            }),
        Claim::ours("It does if the program tests the line before it puts the friend's name in front.", |trace| {
            ends_talk(&trace.scene(2))
        })
        .about_programs(),
        Claim::ours("An empty line of the authors' client is no empty datagram: the name is in front.", |trace| {
            let client = trace.scene(1).role("client");
            let typed = typed(&client, "").last().copied().ok_or(NO_MESSAGE)?;
            let sent = first_sent(&client.after(typed))?;
            Verdict::of(sent.call.ret > Some(0), [typed, sent.event])
        })
        .about_programs(),
        Claim::ours(
            "Two names with one address are one receiver; only the text says whom a message is for.",
            |trace| {
                let scene = trace.scene(3);
                let first = first_sent(&scene.clone().role("client"))?;
                let second = first_sent(&scene.clone().role("second-client"))?;
                let to = |made: &Made<'_>| made.call.get_arg("dest_addr").cloned();
                if to(&first) != to(&second) || first.call.data == second.call.data {
                    return Err(NO_MESSAGE);
                }
                let received = taken(&scene.role("server"));
                let [one, other] = received[..] else { return Err(NO_MESSAGE) };
                let both = one.call.data == first.call.data && other.call.data == second.call.data;
                Verdict::by_calls(both && one.call.fd == other.call.fd, [first, second, one, other])
            },
        ),
        Claim::ours("Whoever writes second waits until the first one is answered.", |trace| {
            let scene = trace.scene(3);
            let second = scene.clone().role("second-client");
            let asked = first_sent(&second)?;
            let own = taken(&second).first().copied().ok_or(NO_MESSAGE)?;
            let first = sends(&scene.role("server").after(asked.event)).first().copied().ok_or(NO_MESSAGE)?;
            let to = first.call.get_arg("dest_addr").and_then(Value::as_word);
            let turn = to == Some("client:port") && first.event.n < own.event.n;
            Verdict::by_calls(turn, [asked, first, own])
        }),
        Claim::ours("The client takes the first datagram for the answer, whoever sent it.", |trace| {
            let client = trace.scene(4).role("client");
            let asked = sends(&client).get(1).copied().ok_or(NO_MESSAGE)?;
            let got = taken(&client.after(asked.event)).first().copied().ok_or(NO_MESSAGE)?;
            let from = got.call.get_out("src_addr").ok_or(NO_MESSAGE)?;
            Verdict::by_calls(asked.call.get_arg("dest_addr") != Some(from), [asked, got])
        }),
        Claim::ours("A client that compares the sender's address gets to the friend's own answer.", |trace| {
            let client = trace.scene(5).role("client");
            let asked = sends(&client).get(1).copied().ok_or(NO_MESSAGE)?;
            let received = taken(&client.after(asked.event));
            if received.is_empty() {
                return Err(NO_MESSAGE);
            }
            let own = received.iter().position(|got| got.call.get_out("src_addr") == asked.call.get_arg("dest_addr"));
            Verdict::by_calls(own.is_some_and(|place| place > 0), [asked].into_iter().chain(received))
        }),
        Claim::ours(
            "A text longer than the buffer can be cut inside a character: what arrives is not text.",
            |trace| {
                let scene = trace.scene(6);
                let sent = first_sent(&scene)?;
                let cut = taken(&scene).first().copied().ok_or(NO_MESSAGE)?;
                let is_text = |made: &Made<'_>| std::str::from_utf8(made.call.bytes()).is_ok();
                let ends = scene.role("server").after(cut.event).calls(Syscall::Close).first().copied();
                Verdict::by_calls(is_text(&sent) && !is_text(&cut), [sent, cut].into_iter().chain(ends))
            },
        ),
        Claim::ours("With room for the longest datagram the same text arrives whole.", |trace| {
            let scene = trace.scene(7);
            let sent = first_sent(&scene.clone().role("john"))?;
            let mut received = taken(&scene.role("jedan")).into_iter();
            let from = |got: &Made<'_>| got.call.get_out("src_addr").and_then(Value::as_word).map(str::to_owned);
            let got = received.find(|got| from(got).as_deref() == Some("john:8085")).ok_or(NO_MESSAGE)?;
            let whole = got.call.data == sent.call.data && got.call.ret > Some(1024);
            Verdict::by_calls(whole, [sent, got])
        }),
        Claim::ours("Bytes that are not text do not end a chat that replaces them.", |trace| {
            let jedan = trace.scene(7).role("jedan");
            let broken = taken(&jedan).into_iter().find(|got| std::str::from_utf8(got.call.bytes()).is_err());
            let broken = broken.ok_or(NO_MESSAGE)?;
            let next = taken(&jedan.after(broken.event)).first().copied();
            Verdict::by_calls(next.is_some(), [broken].into_iter().chain(next))
        }),
        Claim::ours(
            "Anybody can send to a port that is known; the chat shows only what comes from its contacts.",
            |trace| {
                let scene = trace.scene(7);
                let sent = first_sent(&scene.clone().role("unknown"))?;
                let jedan = scene.role("jedan");
                let got = taken(&jedan).into_iter().find(|got| got.call.data == sent.call.data);
                let Some(got) = got else { return Verdict::by_calls(false, [sent]) };
                let words = String::from_utf8_lossy(sent.call.bytes()).into_owned();
                let shown = jedan.printed().iter().any(|(_, line)| line.contains(&words));
                let remark = jedan.after(got.event).printed().first().map(|(event, _)| *event);
                Verdict::of(!shown, [sent.event, got.event].into_iter().chain(remark))
            },
        ),
    ]
}

const NO_MESSAGE: Unseen = Unseen::because("no such message was sent in this scene");

/// The calls that were to send a datagram.
fn sends<'a>(some: &Selection<'a>) -> Vec<Made<'a>> {
    some.all_calls().into_iter().filter(|made| made.call.sends()).collect()
}

fn first_sent<'a>(some: &Selection<'a>) -> Result<Made<'a>, Unseen> {
    sends(some).first().copied().ok_or(NO_MESSAGE)
}

/// The receives that took a datagram.
fn taken<'a>(some: &Selection<'a>) -> Vec<Made<'a>> {
    some.all_calls().into_iter().filter(|made| made.call.name.receives() && made.call.errno.is_none()).collect()
}

/// Whether a typed `q` brings the question whom to talk to, and nothing is sent.
fn ends_talk(scene: &Selection<'_>) -> Checked {
    let client = scene.clone().role("client");
    let typed = typed(&client, "q").first().copied().ok_or(NO_MESSAGE)?;
    let after = client.after(typed);
    let sent = sends(&after).first().copied();
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
