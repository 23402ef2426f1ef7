use proptest::prelude::*;

use super::*;
use crate::trace::{ArpMessage, Data, Fragment, Host};

/// A frame with this number, sender, protocol and payload.
fn frame(number: u32, from: &str, proto: Proto, payload: &[u8]) -> Frame {
    Frame {
        number,
        dir: (Host::A, Host::B),
        from: Some(format!("{from}:port")),
        to: None,
        proto,
        fragment: None,
        seq: None,
        ack: None,
        payload: Data::new(payload),
        bytes: Data::new(&[0; 100]),
        remark: None,
        by_timer: false,
        after: None,
        held: None,
        layers: Vec::new(),
        fate: Fate::Passed,
    }
}

/// The client's and the server's segments of a short conversation.
fn conversation() -> Vec<Frame> {
    const ACK: TcpFlags = TcpFlags::ACK;
    let segments = [
        ("client", TcpFlags::SYN, ""),
        ("server", TcpFlags::SYN | ACK, ""),
        ("client", ACK, ""),
        ("client", TcpFlags::PSH | ACK, "hello"),
        ("server", ACK, ""),
        ("server", TcpFlags::PSH | ACK, "HELLO"),
        ("client", TcpFlags::PSH | ACK, "bye"),
        ("client", TcpFlags::FIN | ACK, ""),
        ("server", TcpFlags::RST | ACK, ""),
    ];
    let numbered = segments.into_iter().zip(1..);
    numbered.map(|((from, flags, text), number)| frame(number, from, Proto::Tcp(flags), text.as_bytes())).collect()
}

/// The numbers of the frames that are lost by `drop WHICH`.
fn lost(which: &str, frames: &[Frame]) -> Vec<u32> {
    let mut faults = Faults::new(Script::of(&[&format!("drop {which}")]).expect("a script"));
    let is_lost = |frame: &&Frame| faults.apply(frame).fate == Fate::Dropped;
    frames.iter().filter(is_lost).map(|frame| frame.number).collect()
}

#[test]
fn each_way_of_saying_which_means_these_frames() {
    let ways: [(&str, &[u32]); 17] = [
        ("", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("3", &[3]),
        ("3,5", &[3, 5]),
        ("3-5", &[3, 4, 5]),
        ("1,3-4,9", &[1, 3, 4, 9]),
        ("99", &[]),
        ("client", &[1, 3, 4, 7, 8]),
        ("client:2", &[3]),
        ("client:data", &[4, 7]),
        ("client:data:2", &[7]),
        ("data:2-3", &[6, 7]),
        ("syn", &[1, 2]),
        ("server:syn", &[2]),
        ("fin", &[8]),
        ("rst", &[9]),
        ("ack", &[3, 5]),
        ("tcp:1-2", &[1, 2]),
    ];
    for (which, numbers) in ways {
        assert_eq!(lost(which, &conversation()), numbers, "{which:?}");
    }
    for which in ["udp", "icmp", "arp", "fragment", "server:data:2"] {
        assert_eq!(lost(which, &conversation()), [0; 0], "{which:?}");
    }
}

#[test]
fn kinds_that_are_no_tcp_are_known_by_their_protocol_or_as_fragments() {
    let others = [
        frame(1, "client", Proto::Udp, b"hello"),
        frame(2, "server", Proto::Icmp { kind: 3, code: 3 }, b"hello"),
        Frame { from: None, ..frame(3, "", Proto::Arp(Some(ArpMessage::Question)), b"who") },
        Frame { fragment: Some(Fragment::Last), ..frame(4, "client", Proto::Ipv4, b"rest") },
    ];
    for (which, number) in [("udp", 1), ("data", 1), ("icmp", 2), ("arp", 3), ("fragment", 4)] {
        assert_eq!(lost(which, &others), [number], "{which:?}");
    }
}
#[test]
fn the_first_of_several_fates_holds_and_delays_add_up() {
    let script = ["duplicate 1-2", "drop 2-3", "delay 10ms", "delay 500us:3", "reorder 4"];
    let mut faults = Faults::new(Script::of(&script).expect("a script"));
    let told: Vec<(Fate, String)> = conversation()[..4]
        .iter()
        .map(|frame| faults.apply(frame))
        .map(|action| (action.fate, action.hold.map_or_else(String::new, |hold| hold.text.into_owned())))
        .collect();
    let told: Vec<(Fate, &str)> = told.iter().map(|(fate, text)| (*fate, text.as_str())).collect();
    let last = (Fate::Passed, "until the next one has passed");
    assert_eq!(told, [(Fate::Duplicated, "10 ms"), (Fate::Duplicated, "10 ms"), (Fate::Dropped, "10500 µs"), last]);
}

#[test]
fn a_rule_that_met_no_frame_is_idle() {
    let script = Script::of(&["drop 3", "duplicate server:data:9", "mtu 576"]).expect("a script");
    let mut faults = Faults::new(script.clone());
    for frame in conversation() {
        faults.apply(&frame);
    }
    assert_eq!(script.idle().collect::<Vec<_>>(), ["duplicate server:data:9"]);
}
#[test]
fn a_slow_wire_takes_its_time_for_each_byte() {
    let faults = Faults::new(Script::of(&["rate 64kbit"]).expect("a script"));
    let passage = faults.passage(&frame(1, "client", Proto::Udp, b""));
    assert_eq!(passage, Some(Duration::from_micros(12_500)), "100 bytes at 64,000 bits a second");
}

proptest! {
    #[test]
    fn numbers_and_ranges_pick_what_they_say(ranges in proptest::collection::vec((1u32..30, 0u32..5), 1..5)) {
        let parts: Vec<String> = ranges.iter().map(|(from, more)| format!("{from}-{}", from + more)).collect();
        let frames: Vec<Frame> = (1..40).map(|number| frame(number, "client", Proto::Udp, b"hi")).collect();
        let picked = |number: &u32| ranges.iter().any(|(from, more)| (*from..=from + more).contains(number));
        let expected: Vec<u32> = (1..40).filter(picked).collect();
        prop_assert_eq!(lost(&parts.join(","), &frames), expected);
    }

    /// The dice fall as often as they shall, the same way for the same seed, and another way for another one.
    #[test]
    fn a_share_is_that_share(seed in any::<u64>(), percent in 0u32..=100) {
        let share = f64::from(percent) / 100.0;
        let fall = |seed| (0..4000).filter(|met| throw(seed, 0, *met) < share).collect::<Vec<_>>();
        let fallen = fall(seed);
        prop_assert!((fallen.len() as f64 / 40.0 - f64::from(percent)).abs() < 5.0, "{} of 4000", fallen.len());
        prop_assert_eq!(&fallen, &fall(seed));
        if (1..100).contains(&percent) {
            prop_assert_ne!(fallen, fall(seed.wrapping_add(1)));
        }
    }
}
