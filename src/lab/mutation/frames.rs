//! What might have gone over the wire instead of one frame.

use crate::trace::{Data, Fate, Fragment, Frame, Proto, TcpFlags};

/// Other frames in place of one.
pub(super) fn of_frame(frame: &Frame) -> Vec<(String, Frame)> {
    let mut all: Vec<(String, Frame)> = Vec::new();
    let mut add = |how: String, change: &dyn Fn(&mut Frame)| {
        let mut other = frame.clone();
        change(&mut other);
        if other != *frame {
            all.push((how, other));
        }
    };
    if let Proto::Tcp(flags) = frame.proto {
        for flag in [TcpFlags::FIN, TcpFlags::SYN, TcpFlags::RST, TcpFlags::PSH, TcpFlags::ACK] {
            let flags = TcpFlags(flags.0 ^ flag.0);
            add(format!("flags {flags}"), &|frame| frame.proto = Proto::Tcp(flags));
        }
    }
    if let Proto::Icmp { kind, code } = frame.proto {
        add("another code".to_owned(), &|frame| frame.proto = Proto::Icmp { kind, code: code + 1 });
    }
    add("another protocol".to_owned(), &|frame| frame.proto = Proto::Ip(253));
    for by in [1, 4, 1000] {
        add(format!("seq {by} more"), &|frame| frame.seq = frame.seq.map(|seq| seq.wrapping_add(by)));
        add(format!("ack {by} more"), &|frame| frame.ack = frame.ack.map(|ack| ack.wrapping_add(by)));
        add(format!("ack {by} less"), &|frame| frame.ack = frame.ack.map(|ack| ack.saturating_sub(by)));
    }
    add("no acknowledgement".to_owned(), &|frame| frame.ack = None);
    let payload = &frame.payload;
    add("no payload".to_owned(), &|frame| frame.payload = Data::new(b""));
    add("one byte more".to_owned(), &|frame| frame.payload.len = payload.len + 1);
    add("half of the payload".to_owned(), &|frame| {
        frame.payload = Data { bytes: payload.bytes[..payload.bytes.len() / 2].to_vec(), len: payload.len / 2 };
    });
    add("another payload".to_owned(), &|frame| {
        frame.payload.bytes = payload.bytes.iter().map(|byte| byte.wrapping_add(1)).collect();
    });
    add("a longer frame".to_owned(), &|frame| {
        frame.bytes.len += 1501;
        frame.bytes.bytes.resize(frame.bytes.len, 0);
    });
    add("a shorter frame".to_owned(), &|frame| {
        frame.bytes.len /= 2;
        frame.bytes.bytes.truncate(frame.bytes.len);
    });
    add("to the other host".to_owned(), &|frame| {
        std::mem::swap(&mut frame.dir.0, &mut frame.dir.1);
        std::mem::swap(&mut frame.from, &mut frame.to);
    });
    add("to another".to_owned(), &|frame| frame.to = Some("nobody:port".to_owned()));
    for fate in [Fate::Passed, Fate::Dropped, Fate::Duplicated, Fate::Corrupted] {
        add(fate.name().to_owned(), &|frame| frame.fate = fate);
    }
    for fragment in [None, Some(Fragment::First), Some(Fragment::Middle), Some(Fragment::Last)] {
        add(format!("fragment {fragment:?}"), &|frame| frame.fragment = fragment);
    }
    add("its timer is another".to_owned(), &|frame| frame.by_timer = !frame.by_timer);
    for class in ["a few ms", "about 40 ms", "about 200 ms", "about 1 s", "8 s or more"] {
        add(format!("after {class}"), &|frame| {
            frame.after = Some(class.into());
            frame.by_timer = true;
        });
    }
    add("another remark".to_owned(), &|frame| frame.remark = Some("?".into()));
    for (number, layer) in frame.layers.iter().enumerate() {
        add(format!("no {}", layer.name), &|frame| drop(frame.layers.remove(number)));
        for at in 0..layer.fields.len() {
            let name = format!("{}, {}", layer.name, layer.fields[at].name);
            add(format!("another {name}"), &|frame| {
                let field = &mut frame.layers[number].fields[at];
                field.bytes.bytes = field.bytes.bytes.iter().map(|byte| byte.wrapping_add(1)).collect();
                field.says = "?".into();
                field.is_correct = field.is_correct.map(|is| !is);
            });
            add(format!("a longer {name}"), &|frame| {
                let field = &mut frame.layers[number].fields[at];
                field.bytes.len += 1;
                field.bytes.bytes.push(0);
            });
        }
    }
    all
}
