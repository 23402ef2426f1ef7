//! The frames of a trace as a capture file, with the calls between them as comments.
//!
//! The form is pcapng, draft-ietf-opsawg-pcapng: a section header, a description of each host's interface, and a block
//! for each frame. A frame stands in it where it was sent, from its sender's interface; an overtaken one was never sent
//! as far as its receiver can tell, and is left out.

use std::mem::take;

use super::transcript::words;
use crate::trace::{Event, Fate, Frame, Host, What};

/// The interfaces' names, the host's letter and the interface's own name there, and whose hosts they are.
const INTERFACES: [(&str, &str); 2] = [("a eth0", "client's host"), ("b eth0", "server's host")];

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;

/// Options of any block.
const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;

/// The most comments that a packet has, and the most bytes of one: Wireshark reads no block of more than 16 MiB.
const MOST_COMMENTS: usize = 1000;
const LONGEST_COMMENT: usize = 8192;

/// A frame as it is written.
struct Packet<'a> {
    frame: &'a Frame,
    /// Nanoseconds since the run began.
    at: u64,
    comments: Vec<String>,
}

/// The file's bytes.
pub fn pcapng(events: &[Event]) -> Vec<u8> {
    let (packets, homeless) = packets(events);
    let mut file = Vec::new();
    let mut began = 0;
    let mut about = homeless;
    let mut system = "Linux".to_owned();
    for event in events {
        if let What::Start(start) = &event.what {
            began = start.began_us * 1000;
            about.splice(0..0, words(&event.what));
            system = format!("Linux {}", start.kernel);
        }
    }
    section(&mut file, &about, &system);
    for (name, description) in INTERFACES {
        interface(&mut file, name, description);
    }
    for one in packets {
        packet(&mut file, began, &one);
    }
    file
}

/// The frames in the order in which they were sent, each with what happened since the one before it. What happened
/// after a scene's last frame goes to that one; what happened in a run without any frame is given back.
fn packets(events: &[Event]) -> (Vec<Packet<'_>>, Vec<String>) {
    let mut packets: Vec<Packet<'_>> = Vec::new();
    let mut since: Vec<String> = Vec::new();
    let mut before_this_scene = 0;
    for event in events {
        match &event.what {
            What::Start(_) => {}
            What::Scene { text, .. } => {
                if packets.len() > before_this_scene {
                    add_what_came_after(&mut packets, &mut since);
                }
                before_this_scene = packets.len();
                since.push(format!("── {}. {text}", event.scene));
            }
            What::Frame(frame) if frame.fate == Fate::Overtaken => {}
            // It stands where it was sent.
            What::Frame(frame) if frame.arrives() && frame.fate != Fate::Duplicated => {
                since.extend(words(&event.what));
            }
            What::Frame(frame) => {
                if !frame.arrives() {
                    since.push(told(frame));
                    packets.push(Packet { frame, at: event.at_ns, comments: take(&mut since) });
                }
                if frame.fate == Fate::Duplicated {
                    since.push(format!("wire {} once more: the wire handed it on twice", frame.number));
                    packets.push(Packet { frame, at: event.at_ns, comments: take(&mut since) });
                }
            }
            what => {
                let who = event.actor().map_or(String::new(), |actor| format!("{actor}  "));
                since.extend(words(what).iter().map(|text| format!("{who}{text}")));
            }
        }
    }
    add_what_came_after(&mut packets, &mut since);
    (packets, since)
}

/// Gives what happened after the last frame to it, if there is one.
fn add_what_came_after(packets: &mut [Packet<'_>], since: &mut Vec<String>) {
    if let Some(last) = packets.last_mut() {
        last.comments.extend(since.drain(..).map(|text| format!("after this frame: {text}")));
    }
}

/// What a capture cannot tell of a frame: its number in the transcript, and what befell it.
fn told(frame: &Frame) -> String {
    let mut parts: Vec<String> = frame.remark.iter().map(ToString::to_string).collect();
    parts.extend(match frame.fate {
        Fate::Dropped => Some("lost on the wire".to_owned()),
        Fate::Held => frame.held.as_ref().map(|held| format!("held {held}")),
        Fate::Corrupted => Some("corrupted on the wire".to_owned()),
        Fate::Duplicated | Fate::Passed | Fate::Overtaken => None,
    });
    if frame.by_timer {
        let after = frame.after.as_ref().map_or(String::new(), |after| format!(", {after}"));
        parts.push(format!("sent by a timer of the kernel's{after}"));
    }
    match parts.is_empty() {
        true => format!("wire {}", frame.number),
        false => format!("wire {}: {}", frame.number, parts.join("; ")),
    }
}

/// Section header block.
fn section(to: &mut Vec<u8>, comments: &[String], system: &str) {
    const BYTE_ORDER: u32 = 0x1A2B_3C4D;
    const OS: u16 = 3;
    const USER_APPLICATION: u16 = 4;
    let mut body = Vec::new();
    body.extend(BYTE_ORDER.to_le_bytes());
    body.extend(1u16.to_le_bytes()); // version 1.0
    body.extend(0u16.to_le_bytes());
    body.extend(u64::MAX.to_le_bytes()); // its length is not told
    comment(&mut body, comments);
    option(&mut body, OS, system.as_bytes());
    option(&mut body, USER_APPLICATION, concat!("socklab ", env!("CARGO_PKG_VERSION")).as_bytes());
    option(&mut body, END_OF_OPTIONS, &[]);
    block(to, SECTION, &body);
}

/// Interface description block.
fn interface(to: &mut Vec<u8>, name: &str, description: &str) {
    const ETHERNET: u16 = 1;
    const NAME: u16 = 2;
    const DESCRIPTION: u16 = 3;
    /// The longest packet that is captured whole: any.
    const NO_LIMIT: u32 = 0;
    const RESOLUTION: u16 = 9;
    let mut body = Vec::new();
    body.extend(ETHERNET.to_le_bytes());
    body.extend(0u16.to_le_bytes());
    body.extend(NO_LIMIT.to_le_bytes());
    option(&mut body, NAME, name.as_bytes());
    option(&mut body, DESCRIPTION, description.as_bytes());
    option(&mut body, RESOLUTION, &[9]); // times count 10⁻⁹ s
    option(&mut body, END_OF_OPTIONS, &[]);
    block(to, INTERFACE, &body);
}

/// Enhanced packet block.
fn packet(to: &mut Vec<u8>, began: u64, packet: &Packet<'_>) {
    const FLAGS: u16 = 2;
    const OUTBOUND: u32 = 2;
    let bytes = &packet.frame.bytes;
    let at = began + packet.at;
    let interface = u32::from(packet.frame.dir.0 == Host::B);
    let mut body = Vec::new();
    for number in [interface, (at >> 32) as u32, at as u32, bytes.bytes.len() as u32, bytes.len as u32] {
        body.extend(number.to_le_bytes());
    }
    body.extend(&bytes.bytes);
    pad(&mut body);
    comment(&mut body, &packet.comments);
    option(&mut body, FLAGS, &OUTBOUND.to_le_bytes());
    option(&mut body, END_OF_OPTIONS, &[]);
    block(to, PACKET, &body);
}

/// Adds comments; of very many the first ones and the last.
fn comment(to: &mut Vec<u8>, comments: &[String]) {
    let half = MOST_COMMENTS / 2;
    let left_out = comments.len().saturating_sub(2 * half);
    let more = (left_out > 0).then(|| format!("… ({left_out} lines more)"));
    let last = &comments[comments.len().min(half) + left_out..];
    for text in comments.iter().take(half).chain(&more).chain(last) {
        let end = (0..=text.len().min(LONGEST_COMMENT)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        option(to, COMMENT, &text.as_bytes()[..end]);
    }
}

/// An option: code, length, value, and zeros up to the next multiple of four.
fn option(to: &mut Vec<u8>, code: u16, value: &[u8]) {
    to.extend(code.to_le_bytes());
    to.extend((value.len() as u16).to_le_bytes());
    to.extend(value);
    pad(to);
}

/// A block: type, length, body, and the length again.
fn block(to: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let len = (12 + body.len() as u32).to_le_bytes();
    to.extend(kind.to_le_bytes());
    to.extend(len);
    to.extend(body);
    to.extend(len);
}

/// Zeros up to the next multiple of four.
fn pad(to: &mut Vec<u8>) {
    to.resize(to.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Call, Data, Proto, Syscall};

    fn event(scene: u32, at_ns: u64, what: What) -> Event {
        let role = matches!(what, What::Call(_)).then(|| "client".to_owned());
        Event { n: 1, at_ns, scene, actor: role.clone(), role, host: Host::A, what }
    }

    fn scene(number: u32) -> Event {
        event(number, 0, What::Scene { text: "a scene".to_owned(), port: 9000 })
    }

    fn call(scene: u32, name: Syscall) -> Event {
        let mut call = Call::new(name, Some(3));
        call.ret = Some(0);
        event(scene, 0, What::Call(call))
    }

    fn frame(number: u32, fate: Fate) -> Frame {
        Frame {
            number,
            dir: (Host::A, Host::B),
            from: None,
            to: None,
            proto: Proto::Udp,
            fragment: None,
            seq: None,
            ack: None,
            payload: Data::new(b""),
            bytes: Data::new(&[0; 42]),
            remark: None,
            by_timer: false,
            after: None,
            held: None,
            fate,
            layers: Vec::new(),
        }
    }

    /// The numbers, times and comments of the packets of a trace.
    fn written(events: &[Event]) -> Vec<(u32, u64, Vec<String>)> {
        let (packets, homeless) = packets(events);
        assert!(homeless.is_empty(), "{homeless:?}");
        packets.into_iter().map(|packet| (packet.frame.number, packet.at, packet.comments)).collect()
    }

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_lost_frame_is_there_and_an_overtaken_one_is_not() {
        let told = [(1, Fate::Dropped), (0, Fate::Overtaken), (2, Fate::Corrupted)];
        let events: Vec<Event> =
            told.into_iter().zip(1..).map(|((n, fate), at)| event(1, at, What::Frame(frame(n, fate)))).collect();
        let expected =
            [(1, 1, texts(&["wire 1: lost on the wire"])), (2, 3, texts(&["wire 2: corrupted on the wire"]))];
        assert_eq!(written(&events), expected);
    }

    #[test]
    fn a_held_frame_stands_where_it_was_sent_and_a_doubled_one_twice() {
        let held = |number, fate| What::Frame(Frame { held: Some("10 ms".into()), ..frame(number, fate) });
        let events = [
            event(1, 1, held(1, Fate::Held)),
            event(1, 2, held(2, Fate::Held)),
            event(1, 3, held(1, Fate::Passed)),
            event(1, 4, held(2, Fate::Duplicated)),
            event(1, 5, What::Frame(frame(3, Fate::Duplicated))),
        ];
        let expected = [
            (1, 1, texts(&["wire 1: held 10 ms"])),
            (2, 2, texts(&["wire 2: held 10 ms"])),
            (2, 4, texts(&["wire 1  arrives", "wire 2 once more: the wire handed it on twice"])),
            (3, 5, texts(&["wire 3"])),
            (3, 5, texts(&["wire 3 once more: the wire handed it on twice"])),
        ];
        assert_eq!(written(&events), expected);
    }

    #[test]
    fn a_timers_frame_says_so() {
        let timers = Frame { by_timer: true, after: Some("about 40 ms".into()), ..frame(1, Fate::Dropped) };
        let expected = "wire 1: lost on the wire; sent by a timer of the kernel's, about 40 ms";
        assert_eq!(written(&[event(1, 0, What::Frame(timers))]), [(1, 0, texts(&[expected]))]);
    }

    #[test]
    fn what_comes_after_a_scenes_last_frame_goes_to_that_frame_and_a_scene_without_frames_to_the_next() {
        let passed = |scene| event(scene, 0, What::Frame(frame(scene, Fate::Passed)));
        let events = [
            [scene(1), call(1, Syscall::Socket), passed(1), call(1, Syscall::Close)],
            [scene(2), call(2, Syscall::Socket), scene(3), passed(3)],
        ];
        let expected = [
            (
                1,
                0,
                texts(&["── 1. a scene", "client  socket(3) = 0", "wire 1", "after this frame: client  close(3) = 0"]),
            ),
            (3, 0, texts(&["── 2. a scene", "client  socket(3) = 0", "── 3. a scene", "wire 3"])),
        ];
        assert_eq!(written(&events.concat()), expected);
    }

    #[test]
    fn a_run_without_frames_tells_its_calls_in_the_files_head() {
        let events = [scene(1), call(1, Syscall::Socket)];
        let (packets, homeless) = packets(&events);
        assert!(packets.is_empty());
        assert_eq!(homeless, texts(&["── 1. a scene", "client  socket(3) = 0"]));
        let file = pcapng(&events);
        let text = "client  socket(3) = 0";
        assert!(file.windows(text.len()).any(|window| window == text.as_bytes()));
    }

    #[test]
    fn blocks_lead_from_one_to_the_next_however_many_and_long_the_comments_are() {
        let long = event(1, 0, What::Note { text: "你".repeat(LONGEST_COMMENT) });
        let mut events = vec![scene(1), long];
        events.extend((0..5 * MOST_COMMENTS).map(|_| call(1, Syscall::Socket)));
        let large = Frame { bytes: Data::whole(&[7; 9015]), ..frame(1, Fate::Passed) };
        events.push(event(1, u64::from(u32::MAX) + 5, What::Frame(large)));
        let file = pcapng(&events);
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
        let (mut kinds, mut at) = (Vec::new(), 0);
        while at < file.len() {
            let len = word(at + 4) as usize;
            assert_eq!((len % 4, word(at + len - 4) as usize), (0, len));
            assert!(len < 16 << 20, "{len}");
            kinds.push((word(at), at));
            at += len;
        }
        let (packet, kinds): (usize, Vec<u32>) = (kinds[3].1, kinds.iter().map(|(kind, _)| *kind).collect());
        assert_eq!(kinds, [SECTION, INTERFACE, INTERFACE, PACKET]);
        let numbers: Vec<u32> = (0..5).map(|index| word(packet + 8 + 4 * index)).collect();
        assert_eq!(numbers, [0, 1, 4, 9015, 9015], "whole");
    }
}
