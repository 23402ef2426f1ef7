//! What the old texts say about the layers, and what the frames say.

use socklab::prelude::*;
use socklab::trace::{Data, Event, Frame, Proto, Sent, What, exactly};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S2-C01", "A high voltage is a 1, a low voltage is a 0.", |_| {
            Err(Unseen::because("there is no cable here: frames are handed on as bytes"))
        }),
        Claim::classic(
            "S2-C02",
            "The header of an Ethernet frame has 18 bytes: source 6, destination 6, type 6.",
            |trace| {
                let sent = datagram(trace, 1).ok_or(NO_FRAME)?;
                let header = sent.frame.layer("Ethernet").ok_or(NO_FRAME)?;
                let fields: Vec<_> = header.fields.iter().map(|field| (&*field.name, field.bytes.len)).collect();
                let as_they_say = [("source", 6), ("destination", 6), ("type", 6)];
                Verdict::of(header.len() == 18 && fields == as_they_say, [&part(&sent, "Ethernet", &[])])
            },
        )
        .turned_by("three fields of 6 bytes, the source first", |trace| {
            let frames = trace.events.iter_mut().filter_map(|event| match &mut event.what {
                What::Frame(frame) => Some(frame),
                _ => None,
            });
            for layer in frames.flat_map(|frame| &mut frame.layers) {
                if let ("Ethernet", [destination, source, kind]) = (&*layer.name, &mut layer.fields[..]) {
                    std::mem::swap(destination, source);
                    kind.bytes = Data::new(&[0; 6]);
                }
            }
        }),
        Claim::classic(
            "S2-C03",
            "The data of an Ethernet frame has 46 to 1500 bytes, and the frame 64 to 1518.",
            |_| {
                Err(Unseen::because(
                    "a card fills frames up and adds 4 bytes, and there is none; and the 1500 are this stage's own",
                ))
            },
        ),
        Claim::ours(
            "No packet is larger than the MTU, 1500 bytes here: a larger datagram goes in fragments.",
            |trace| {
                let frames = trace.scene(2).frames();
                let largest = frames.iter().max_by_key(|sent| sent.frame.bytes.len).ok_or(NO_FRAME)?;
                let pieces: Vec<_> = frames.iter().filter(|sent| sent.is_fragment()).collect();
                let holds = largest.frame.bytes.len - HEAD <= 1500 && pieces.len() == 2;
                Verdict::of(holds, [largest.event].into_iter().chain(pieces.into_iter().map(|sent| sent.event)))
            },
        ),
        Claim::classic("S2-C04", "What is too long for it, Ethernet sends in pieces.", |trace| {
            let pieces: Vec<_> = trace.scene(2).frames().into_iter().filter(Sent::is_fragment).collect();
            let last = pieces.last().ok_or(NO_FRAME)?;
            // It is IP's header that tells the pieces apart; Ethernet's is that of any frame.
            let by_internet =
                last.frame.field("IPv4", "flags, offset").is_some_and(|field| field.bytes.bytes != [0, 0]);
            Verdict::of(!by_internet, [pieces[0].event, &part(last, "IPv4", &["flags, offset"])])
        }),
        Claim::classic("S2-C05", "A MAC address has 48 bits, is burnt in, and is the only one of its kind.", |trace| {
            let sent = datagram(trace, 1).ok_or(NO_FRAME)?;
            let source = sent.frame.field("Ethernet", "source").ok_or(NO_FRAME)?;
            // IEEE 802: the second bit of the first byte says that the number was given locally, not by a maker.
            let by_its_maker = source.bytes.bytes.first().is_some_and(|byte| byte & 2 == 0);
            let condition = "nobody sets another one, as was done here";
            let evidence = [&part(&sent, "Ethernet", &["source"])];
            Verdict::only_when(condition, source.bytes.len == 6, by_its_maker, evidence)
        }),
        Claim::classic("S2-C06", "Ethernet works by shouting: everybody hears.", |trace| {
            let question = question(trace).ok_or(NO_FRAME)?;
            let sent = datagram(trace, 1).ok_or(NO_FRAME)?;
            let to_all = |sent: &Sent<'_>| destination(sent.frame) == Some(&[0xFF; 6]);
            let shown = [&question, &sent].map(|sent| part(sent, "Ethernet", &["destination"]));
            Verdict::only_when("the frame is a broadcast", to_all(&question), to_all(&sent), &shown)
        }),
        Claim::classic("S2-C07", "ARP finds the MAC address that belongs to an IP address.", |trace| {
            let frames = trace.scene(1).frames();
            let answer =
                frames.iter().filter(|sent| matches!(sent.frame.proto, Proto::Arp(_))).nth(1).ok_or(NO_FRAME)?;
            let sent = datagram(trace, 1).ok_or(NO_FRAME)?;
            let bytes = |frame: &Frame, layer, name| Some(frame.field(layer, name)?.bytes.bytes.clone());
            let same_mac = bytes(answer.frame, "ARP", "sender's MAC") == destination(sent.frame).map(<[u8]>::to_vec);
            let same_ip = bytes(answer.frame, "ARP", "sender's IP address") == bytes(sent.frame, "IPv4", "destination");
            let found = part(answer, "ARP", &["sender's MAC", "sender's IP address"]);
            let used = part(&sent, "Ethernet", &["destination"]);
            Verdict::of(answer.event.n < sent.event.n && same_mac && same_ip, [&found, &used])
        }),
        Claim::classic("S2-C08", "The transport layer connects port to port.", |trace| {
            let sent = datagram(trace, 1).ok_or(NO_FRAME)?;
            let server = trace.scene(1).role("server");
            let bound = server.last(Syscall::Bind)?;
            let received = server.last(Syscall::RecvFrom)?;
            let ends = (sent.frame.from.as_deref(), sent.frame.to.as_deref());
            let known = (received.event.word("src_addr"), bound.call.get_arg("addr").and_then(Value::as_word));
            let ports = part(&sent, "UDP", &["source port", "destination port"]);
            Verdict::of(ends.0.is_some() && ends == known, [bound.event, &ports, received.event])
        }),
        Claim::classic("S0-C05", "An empty sendto is a real datagram.", |trace| {
            let empty = trace.scene(2).role("client").all_calls().into_iter().find(|made| made.call.name.sends());
            let made = empty.ok_or(NO_FRAME)?;
            let sent = datagram(trace, 2).ok_or(NO_FRAME)?;
            let is_one = made.call.ret == Some(0) && sent.frame.payload.len == 0 && sent.frame.bytes.len == HEAD + 28;
            Verdict::of(is_one, [made.event, &part(&sent, "UDP", &[])])
        }),
        Claim::ours("The headers of a datagram have 14, 20 and 8 bytes, whatever it carries.", |trace| {
            let frames: Vec<_> = trace.all().frames().into_iter().filter(is_whole_datagram).collect();
            let headers = |sent: &Sent<'_>| sent.frame.bytes.len - sent.frame.payload.len == 14 + 20 + 8;
            let lens: Vec<usize> = frames.iter().map(|sent| sent.frame.payload.len).collect();
            let differ = lens.contains(&0) && lens.contains(&5) && lens.contains(&1472);
            if frames.is_empty() {
                return Err(NO_FRAME);
            }
            Verdict::of(
                differ && frames.iter().all(headers),
                frames.iter().map(|sent| sent.event).map(plain).collect::<Vec<_>>().iter(),
            )
        }),
        Claim::ours("Every checksum in the frames that are shown byte by byte is correct.", |trace| {
            let frames = trace.all().frames();
            let fields = frames.iter().flat_map(|sent| &sent.frame.layers).flat_map(|layer| &layer.fields);
            let sums: Vec<bool> = fields.filter_map(|field| field.is_correct).collect();
            let sent = datagram(trace, 1).ok_or(NO_FRAME)?;
            let right = sums.len() > 10 && sums.iter().all(|is_correct| *is_correct);
            let internet = part(&sent, "IPv4", &["header checksum"]);
            Verdict::of(right, [&internet, &part(&sent, "UDP", &["checksum"])])
        }),
        Claim::ours("Fragments behind the first one have no ports: UDP's header is in the first.", |trace| {
            let pieces: Vec<_> = trace.scene(2).frames().into_iter().filter(Sent::is_fragment).collect();
            let [first, last] = exactly(pieces, "fragments in scene 2")?;
            let none = last.frame.layer("UDP").is_none() && last.frame.layer("payload").is_some();
            Verdict::of(first.frame.proto == Proto::Udp && none, [first.event, &part(&last, "payload", &[])])
        }),
        Claim::ours(
            "An ICMP error quotes the packet that it is about, from IP's header on: this short one whole.",
            |trace| {
                let [sent, error] = exactly(trace.scene(3).frames(), "frames in scene 3")?;
                let quoted = error.frame.bytes.bytes.get(HEAD + 20 + 8..);
                let is_error = matches!(error.frame.proto, Proto::Icmp { .. });
                let same = quoted == sent.frame.bytes.bytes.get(HEAD..);
                Verdict::of(is_error && same, [sent.event, &part(&error, "quoted payload", &[])])
            },
        ),
        Claim::ours("TCP's header is longer: 40 bytes with a SYN, and 32 with data.", |trace| {
            let frames = trace.scene(4).frames().into_iter();
            let apart = frames.filter(|sent| !sent.frame.layers.is_empty()).collect();
            let [syn, data] = exactly(apart, "frames in scene 4 that are shown byte by byte")?;
            let len = |sent: &Sent<'_>| sent.frame.layer("TCP").map(|layer| layer.len());
            let shown = [&syn, &data].map(|sent| part(sent, "TCP", &["data offset", "flags"]));
            Verdict::of((len(&syn), len(&data)) == (Some(40), Some(32)), &shown)
        }),
    ]
}

const NO_FRAME: Unseen = Unseen::because("the frame that shows it was not seen");

/// The bytes of Ethernet's header.
const HEAD: usize = 14;

/// The first datagram of a scene.
fn datagram(trace: &Trace, scene: u32) -> Option<Sent<'_>> {
    trace.scene(scene).frames().into_iter().find(|sent| sent.frame.proto == Proto::Udp)
}

/// ARP's question.
fn question(trace: &Trace) -> Option<Sent<'_>> {
    trace.scene(1).frames().into_iter().find(|sent| matches!(sent.frame.proto, Proto::Arp(_)))
}

fn destination(frame: &Frame) -> Option<&[u8]> {
    Some(&frame.field("Ethernet", "destination")?.bytes.bytes)
}

fn is_whole_datagram(sent: &Sent<'_>) -> bool {
    sent.frame.proto == Proto::Udp && !sent.is_fragment()
}

/// A frame's event without its bytes.
fn plain(event: &Event) -> Event {
    let mut event = event.clone();
    if let What::Frame(frame) = &mut event.what {
        frame.layers.clear();
    }
    event
}

/// A frame's event with one layer, and of it these fields, or all.
fn part(sent: &Sent<'_>, layer: &str, fields: &[&str]) -> Event {
    let mut event = sent.event.clone();
    if let What::Frame(frame) = &mut event.what {
        frame.layers.retain(|known| known.name == layer);
        let wanted = |name: &str| fields.is_empty() || fields.contains(&name);
        for layer in &mut frame.layers {
            let all = layer.fields.len();
            layer.fields.retain(|field| wanted(&field.name));
            if layer.fields.len() < all {
                layer.name = format!("of {}", layer.name).into();
            }
        }
    }
    event
}
