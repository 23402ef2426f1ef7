//! The sequence diagrams: well-formed, the same at every run, complete, and legible.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value as Json;
use socklab::trace::{
    Call, Data, Errno, Event, Exit, Fate, Finding, For, Frame, Host, Proto, Queues, SocketType, Status, Syscall,
    TcpFlags, Waiting, What,
};
use socklab::view::diagram::{MOST, slide, svg};
use unicode_width::UnicodeWidthStr;

use crate::support::{
    Lab, chosen_labs, has, has_private_hosts, lab, run, side_by_side, skip, some_on_a_wire, temporary,
};

/// Every way of playing every lab that this machine allows.
fn plays(test: &str) -> Vec<(Lab, Vec<&'static str>)> {
    let wires = has_private_hosts();
    if !wires {
        skip(test, "on a wire it takes private hosts; without one it was tested");
    }
    let mut plays = Vec::new();
    for (plain, wired) in chosen_labs().into_iter().zip(chosen_labs()) {
        let one_host = plain.is_on_one_host();
        if !plain.wire {
            plays.push((plain, Vec::new()));
        }
        if wires && !one_host {
            plays.push((wired, vec!["--wire"]));
        }
    }
    plays
}

/// The same, each of them played: several at a time.
fn plays_drawn(test: &str) -> Vec<(Lab, Vec<&'static str>)> {
    let plays = plays(test);
    side_by_side(&plays, |(lab, arguments)| drop(drawn(lab, arguments)));
    plays
}

/// A lab's events and its picture.
fn drawn(lab: &Lab, arguments: &[&str]) -> (Vec<Json>, String) {
    (lab.shown_events(arguments), lab.picture(&[&["--json"], arguments].concat()))
}

fn file(name: &str) -> PathBuf {
    temporary().join(name)
}

/// A text of a picture, and the box that it stands in.
pub struct Text {
    pub class: String,
    pub content: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// The texts of a picture, in their order.
pub fn texts(picture: &str) -> Vec<Text> {
    let elements = picture.split("<text ").skip(1).map(|rest| rest.split_once("</text>").expect("an end").0);
    elements
        .map(|element| {
            let (attributes, content) = element.split_once('>').expect("attributes");
            let attribute = |name: &str| {
                let (_, rest) = attributes.split_once(&format!("{name}=\""))?;
                Some(rest.split('"').next().expect("a value").to_owned())
            };
            let number = |name: &str| attribute(name).expect(name).parse::<f64>().expect("a number");
            let content: String =
                content.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
            let content =
                content.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
            let (x, y, size) = (number(" x"), number(" y"), number("font-size"));
            let width = content.width() as f64 * size * 0.6;
            let left = match attribute("text-anchor").as_deref() {
                Some("middle") => x - width / 2.0,
                Some("end") => x - width,
                _ => x,
            };
            let class = attribute("class").expect("a class");
            Text { class, content, left, right: left + width, top: y - 0.75 * size, bottom: y + 0.2 * size }
        })
        .collect()
}

/// That no two texts overlap, and that all are inside.
pub fn is_legible(picture: &str, what: &str) {
    let size: Vec<f64> = {
        let (_, rest) = picture.split_once("viewBox=\"0 0 ").expect("a size");
        let numbers = rest.split('"').next().expect("a size").split(' ');
        numbers.map(|number| number.parse().expect("a number")).collect()
    };
    labels_are_clear(picture, what);
    let texts = texts(picture);
    assert!(texts.len() > 3, "{what}: {} texts", texts.len());
    for (index, one) in texts.iter().enumerate() {
        let inside = one.left >= 8.0 && one.right <= size[0] - 8.0 && one.top >= 8.0 && one.bottom <= size[1] - 8.0;
        assert!(inside, "{what}: {:?} is not inside", one.content);
        for other in &texts[..index] {
            let apart = one.right <= other.left
                || other.right <= one.left
                || one.bottom <= other.top
                || other.bottom <= one.top;
            assert!(apart, "{what}: {:?} and {:?} overlap", one.content, other.content);
        }
    }
}

/// The elements of a drawing, in the order in which they are drawn, without the style sheet: name and attributes.
fn elements(picture: &str) -> Vec<(&str, &str)> {
    let drawing = picture.split_once("</style>").expect("a style").1;
    let tags = drawing.split('<').filter(|tag| !tag.starts_with('/'));
    tags.filter_map(|tag| tag.split_once('>')?.0.split_once(' ')).collect()
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = format!(" {attributes}").find(&format!(" {name}=\"")).map(|at| attributes.split_at(at))?;
    rest.split('"').nth(1)
}

/// All numbers of a text, whatever stands between them.
fn numbers(text: &str) -> Vec<f64> {
    let is_part = |character: char| character.is_ascii_digit() || ".-".contains(character);
    text.split(|character| !is_part(character)).filter_map(|number| number.parse().ok()).collect()
}

/// A box: left, top, right, bottom.
type Area = [f64; 4];

/// Whether a straight line has a point inside a box: it is looked at in many places.
fn passes(line: Area, area: Area) -> bool {
    let is_beyond = |one: f64, other: f64, low: f64, high: f64| one.max(other) <= low || one.min(other) >= high;
    if is_beyond(line[0], line[2], area[0], area[2]) || is_beyond(line[1], line[3], area[1], area[3]) {
        return false;
    }
    (0..=400).map(|step| f64::from(step) / 400.0).any(|part| {
        let (x, y) = (line[0] + part * (line[2] - line[0]), line[1] + part * (line[3] - line[1]));
        area[0] < x && x < area[2] && area[1] < y && y < area[3]
    })
}

/// The lines that an element draws, each with half of its width around it.
fn lines_of(name: &str, attributes: &str) -> Vec<Area> {
    let number = |name: &str| attribute(attributes, name).and_then(|text| text.parse::<f64>().ok());
    match name {
        "line" => vec![["x1", "y1", "x2", "y2"].map(|name| number(name).expect(name))],
        "rect" => {
            let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| number(name).expect(name));
            let (right, bottom) = (x + width, y + height);
            vec![[x, y, right, y], [x, bottom, right, bottom], [x, y, x, bottom], [right, y, right, bottom]]
        }
        "circle" => {
            let [x, y, r] = ["cx", "cy", "r"].map(|name| number(name).expect(name));
            vec![[x - r, y, x + r, y], [x, y - r, x, y + r]]
        }
        "path" => {
            let place = numbers(attribute(attributes, "transform").unwrap_or_default());
            let (x, y) = (place.first().copied().unwrap_or(0.0), place.get(1).copied().unwrap_or(0.0));
            let angle = place.get(2).copied().unwrap_or(0.0).to_radians();
            let points: Vec<(f64, f64)> = numbers(attribute(attributes, "d").expect("a path"))
                .chunks_exact(2)
                .map(|point| {
                    let (sin, cos) = angle.sin_cos();
                    (x + point[0] * cos - point[1] * sin, y + point[0] * sin + point[1] * cos)
                })
                .collect();
            points.windows(2).map(|pair| [pair[0].0, pair[0].1, pair[1].0, pair[1].1]).collect()
        }
        _ => Vec::new(),
    }
}

/// That no line strikes a text through: it may only pass behind an opaque box on which the text stands.
fn labels_are_clear(picture: &str, what: &str) {
    let mut drawn: Vec<(&str, &str, Vec<Area>)> = Vec::new();
    let mut texts = texts(picture).into_iter();
    for (name, attributes) in elements(picture) {
        if name != "text" {
            drawn.push((name, attributes, lines_of(name, attributes)));
            continue;
        }
        let text = texts.next().expect("as many texts");
        let area = [text.left, text.top, text.right, text.bottom];
        for (at, (name, attributes, lines)) in drawn.iter().enumerate() {
            if lines.iter().all(|line| !passes(*line, area)) {
                continue;
            }
            let later = drawn[at + 1..].iter().filter(|(name, attributes, _)| *name == "rect" && is_opaque(attributes));
            let is_hidden = later.map(|(_, attributes, _)| attributes).any(|attributes| {
                let [x, y, width, height] =
                    ["x", "y", "width", "height"].map(|name| numbers(attribute(attributes, name).expect(name))[0]);
                x <= area[0] + 3.0 && area[2] <= x + width + 3.0 && y <= area[1] + 1.0 && area[3] <= y + height + 1.0
            });
            let class = attribute(attributes, "class").unwrap_or_default();
            assert!(is_hidden, "{what}: {name} {class:?} strikes {:?} through", text.content);
        }
    }
}

/// Whether a box hides what is below it: those of these classes are filled, in both style sheets.
fn is_opaque(attributes: &str) -> bool {
    let class = attribute(attributes, "class").unwrap_or_default();
    ["plate", "pill", "note", "says", "typed", "chip", "absent"]
        .iter()
        .any(|filled| class.split(' ').any(|is| is == *filled))
}

/// That every picture is XML.
fn are_xml(test: &str, files: &[PathBuf]) {
    if !has("python3") {
        return skip(test, "python3 is not installed");
    }
    let script = "import sys, xml.dom.minidom\nfor file in sys.argv[1:]: xml.dom.minidom.parse(file)";
    let output = run(Command::new("python3").args(["-c", script]).args(files));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_picture_is_xml_with_a_title_and_asks_for_nothing_from_outside() {
    let test = "every_picture_is_xml";
    let mut files = Vec::new();
    for (lab, arguments) in plays_drawn(test) {
        let (_, picture) = drawn(&lab, &arguments);
        let title = format!("<title id=\"title\">Lab {:02} {}: ", lab.number, lab.name);
        assert!(picture.contains(&title) && picture.contains("<desc id=\"desc\">"), "{}", lab.folder);
        let outside = picture.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for word in ["://", "url(", "<script", "href", "<image", "@import"] {
            assert!(!outside.contains(word), "{}: {word}", lab.folder);
        }
        let drawing = file(&format!("{test}-{}{}.svg", lab.folder, arguments.concat()));
        fs::write(&drawing, &picture).expect("a file");
        files.push(drawing);
    }
    are_xml(test, &files);
}

#[test]
fn a_picture_is_the_same_whenever_the_transcript_is() {
    let test = "a_picture_is_the_same_whenever_the_transcript_is";
    side_by_side(&plays(test), |(lab, arguments)| {
        // Other tests hold that two runs print the same: with the transcript, and with the trace as JSON.
        let (_, picture) = drawn(lab, arguments);
        assert!(lab.picture(arguments) == picture, "{} {arguments:?}", lab.folder);
    });
}

#[test]
fn every_call_and_every_frame_of_the_trace_is_in_the_picture() {
    let test = "every_call_and_every_frame_of_the_trace_is_in_the_picture";
    for (lab, arguments) in plays_drawn(test) {
        let (events, picture) = drawn(&lab, &arguments);
        let texts = texts(&picture);
        let shown: Vec<&str> =
            texts.iter().filter(|text| text.class == "call").map(|text| text.content.as_str()).collect();
        let made: Vec<&Json> =
            events.iter().filter(|event| event["kind"] == "call" || event["kind"] == "begin").collect();
        let is_it = |shown: &str, made: &Json| {
            let name = made["call"].as_str().expect("a name");
            let result = match (made["kind"].as_str(), made["errno"].as_str()) {
                (Some("begin"), _) => " …".to_owned(),
                (_, Some(errno)) => format!(" = -1 {errno}"),
                (_, None) => format!(" = {}", made["ret"]),
            };
            shown.starts_with(&format!("{name}(")) && shown.contains(&format!("){result}"))
        };
        if is_cut(&events) {
            // What is shown was made, in this order, and the picture says that there was more.
            let mut rest = made.iter();
            for shown in &shown {
                assert!(rest.any(|made| is_it(shown, made)), "{}: {shown:?}", lab.folder);
            }
            assert!(texts.iter().any(|text| text.content.contains("events are not drawn here")), "{}", lab.folder);
            continue;
        }
        assert_eq!(shown.len(), made.len(), "{} {arguments:?}", lab.folder);
        for (shown, made) in shown.iter().zip(made) {
            assert!(is_it(shown, made), "{}: {shown:?} is not {made}", lab.folder);
        }
        // What goes from call to call on one host has no number.
        let is_frame = |text: &&Text| text.class == "frame" && text.content.contains("  ");
        let labels = texts.iter().filter(is_frame).map(|text| &text.content);
        let labels: Vec<&str> = labels.map(|text| text.split(' ').next().expect("a number")).collect();
        let sent = events.iter().filter(|event| event["kind"] == "frame").map(|event| &event["frame"]);
        let sent = sent.filter(|frame| {
            let arrives = !frame["held"].is_null() && frame["fate"] != "held";
            frame["fate"] != "overtaken" && !arrives
        });
        let sent: Vec<String> = sent.map(|frame| frame["number"].to_string()).collect();
        assert_eq!(labels, sent, "{} {arguments:?}", lab.folder);
    }
}

/// Whether a scene has more events than a picture draws.
fn is_cut(events: &[Json]) -> bool {
    const MOST: usize = 1000;
    let mut count: HashMap<String, usize> = HashMap::new();
    events.iter().for_each(|event| *count.entry(event["scene"].to_string()).or_default() += 1);
    count.into_values().any(|count| count > MOST)
}

#[test]
fn no_two_texts_overlap() {
    let test = "no_two_texts_overlap";
    let mut scenes: Vec<(&Lab, Vec<&str>, String)> = Vec::new();
    let plays = plays_drawn(test);
    for (lab, arguments) in &plays {
        let (events, picture) = drawn(lab, arguments);
        is_legible(&picture, &format!("{} {arguments:?}", lab.folder));
        let numbers = events.iter().filter(|event| event["kind"] == "scene").map(|event| event["scene"].to_string());
        scenes.extend(numbers.map(|number| (lab, arguments.clone(), number)));
    }
    side_by_side(&scenes, |(lab, arguments, number)| {
        let one = [&arguments[..], &["--scene", number]].concat();
        is_legible(&drawn(lab, &one).1, &format!("{} {one:?}", lab.folder));
    });
}

#[test]
fn frames_that_fare_badly_do_not_hide_each_other() {
    let test = "frames_that_fare_badly";
    let faults = [&["--delay", "10ms"][..], &["--drop", "client:1"], &["--duplicate", "2,4"], &["--reorder", "4"]];
    let labs = some_on_a_wire(test, &[1, 10, 30]);
    let cases: Vec<(&Lab, &[&str])> = labs.iter().flat_map(|lab| faults.map(|fault| (lab, fault))).collect();
    side_by_side(&cases, |(lab, fault)| {
        let file = file(&format!("{test}-{}{}.svg", lab.folder, fault.concat()));
        // How it ends is another test's question.
        run(lab.command().args(*fault).arg("--diagram").arg(&file));
        is_legible(&fs::read_to_string(&file).expect("a picture"), &format!("{} {fault:?}", lab.folder));
    });
}

/// A trace by hand: what roles and the wire did, in one scene.
fn trace(what: Vec<(&str, What)>) -> Vec<Event> {
    let scene = ("", What::Scene { text: "by hand".to_owned(), port: 9000 });
    let events = std::iter::once(scene).chain(what).zip(1..);
    events
        .map(|((role, what), n)| Event {
            n,
            at_ns: n * 1000,
            scene: 1,
            role: Some(role.to_owned()).filter(|role| !role.is_empty()),
            actor: None,
            host: if role == "server" { Host::B } else { Host::A },
            what,
        })
        .collect()
}

fn close(fd: i32) -> What {
    let mut call = Call::new(Syscall::Close, Some(fd));
    call.ret = Some(0);
    What::Call(call)
}

fn frame(number: u32, fate: Fate, held: bool, len: usize) -> (&'static str, What) {
    let frame = Frame {
        layers: Vec::new(),
        number,
        dir: (Host::A, Host::B),
        from: Some("client:port".to_owned()),
        to: Some("server:9000".to_owned()),
        proto: Proto::Tcp(TcpFlags::PSH | TcpFlags::ACK),
        fragment: None,
        seq: Some(1),
        ack: Some(1),
        payload: Data::new(&vec![b'x'; len]),
        bytes: Data::new(&[]),
        remark: None,
        by_timer: false,
        after: None,
        held: held.then(|| "10 ms".into()),
        fate,
    };
    ("", What::Frame(frame))
}

/// How often something stands in the drawing itself, its legend apart.
fn count(picture: &str, what: &str) -> usize {
    let (drawing, _) = picture.split_once("class=\"rule\"").expect("a legend");
    let style = drawing.split_once("</style>").expect("a style").1;
    style.matches(what).count()
}

#[test]
fn what_became_of_a_frame_is_seen() {
    let heads = |picture: &str| picture.matches("class=\"head r").count();
    let of = |frames: Vec<(&'static str, What)>| {
        let mut what = vec![("client", close(3)), ("server", close(3))];
        what.extend(frames);
        let picture = svg(&trace(what));
        is_legible(&picture, "by hand");
        picture
    };
    let passed = of(vec![frame(1, Fate::Passed, false, 5)]);
    // One is the legend's.
    assert_eq!(heads(&passed), 2);
    assert!(!passed.contains("class=\"cross\""));
    let lost = of(vec![frame(1, Fate::Dropped, false, 5)]);
    assert_eq!(heads(&lost), 1);
    assert!(lost.contains("class=\"cross\"") && lost.contains("<tspan class=\"wrong\">  lost</tspan>"));
    assert_eq!(heads(&of(vec![frame(1, Fate::Duplicated, false, 5)])), 3);
    let corrupted = of(vec![frame(1, Fate::Corrupted, false, 5)]);
    assert!(corrupted.contains("class=\"head bad\"") && corrupted.contains("  corrupted</tspan>"));
    let overtaken = of(vec![frame(0, Fate::Overtaken, false, 0)]);
    assert!(!overtaken.contains("class=\"frame\""));
    let kept = of(vec![frame(1, Fate::Held, true, 5), ("client", close(4)), frame(1, Fate::Passed, true, 5)]);
    assert_eq!(texts(&kept).iter().filter(|text| text.class == "frame").count(), 1, "it is one frame");
    assert_eq!(kept.matches("rotate(").count(), 1, "its arrow is slanted");
    assert!(kept.contains("held 10 ms"));
}

#[test]
fn a_frame_leaves_the_call_that_made_it_where_that_is_known() {
    let mut call = Call::new(Syscall::Send, Some(3)).sending(b"hello");
    call.ret = Some(5);
    let beside = |call: Call| {
        let what = vec![("server", close(3)), ("client", What::Call(call)), frame(1, Fate::Passed, false, 5)];
        let texts = texts(&svg(&trace(what)));
        let bottom = |start: &str| texts.iter().find(|text| text.content.contains(start)).expect(start).bottom;
        (bottom("send(") - bottom("PSH,ACK")).abs() < 12.0
    };
    // Free-running, nobody looks at a socket's queues, and a frame's cause is not known.
    assert!(!beside(call.clone()));
    assert!(beside(Call { queues: Some(Queues::default()), ..call }));
}

#[test]
fn a_frame_with_twenty_thousand_bytes_is_one_arrow() {
    let picture = svg(&trace(vec![("client", close(3)), ("server", close(3)), frame(1, Fate::Passed, false, 20_000)]));
    assert_eq!(texts(&picture).iter().filter(|text| text.class == "frame").count(), 1);
    assert!(picture.contains("20000 bytes") && picture.len() < 20_000);
}

#[test]
fn who_waits_for_ever_has_an_arrow_and_who_is_only_left_waiting_has_none() {
    let waiting =
        Waiting { role: "server".to_owned(), call: Syscall::Recv, fd: Some(3), waits_for: For::Datagram, timed: false };
    let finding = What::Finding {
        finding: Finding::EveryoneWaits,
        waiting: vec![waiting.clone()],
        text: "nobody will ever move".to_owned(),
    };
    let begins = vec![("client", close(3)), ("server", close(4)), ("server", What::Wait(waiting))];
    let left = svg(&trace(begins.clone()));
    let found = svg(&trace([begins, vec![("", finding)]].concat()));
    assert!(left.contains("class=\"waits") && !left.contains("class=\"head"));
    assert!(found.contains("class=\"waits") && found.contains("class=\"head"));
    assert!(found.contains("nobody will ever move"));
}

#[test]
fn a_picture_does_not_depend_on_the_time() {
    let events = trace(vec![("client", close(3)), ("server", close(3)), frame(1, Fate::Passed, false, 5)]);
    let mut later = events.clone();
    for event in &mut later {
        event.at_ns *= 3;
    }
    assert_eq!(svg(&events), svg(&later));
}

#[test]
fn a_very_long_scene_says_what_it_leaves_out() {
    let many = (0..3 * MOST).map(|_| ("client", close(3))).chain([("server", close(3))]).collect();
    let picture = svg(&trace(many));
    let shown = texts(&picture).iter().filter(|text| text.class == "call").count();
    let left_out = 3 * MOST + 1 - shown;
    assert_eq!(shown, MOST);
    assert!(picture.contains(&format!("{left_out} events are not drawn here: {left_out} calls")), "{left_out}");
}

#[test]
fn texts_that_look_like_markup_stay_texts() {
    let nasty = "<b>&amp;</b> ]]> \u{1b}[31m \u{0} \u{ffff} \"'";
    let says = What::Print { text: nasty.to_owned() };
    let types = What::Input { prompt: "<".to_owned(), text: Some("&".to_owned()) };
    let notes = What::Note { text: nasty.repeat(20) };
    let picture = svg(&trace(vec![("client", says), ("client", types), ("", notes), ("server", close(3))]));
    let path = file("texts_that_look_like_markup.svg");
    fs::write(&path, &picture).expect("a file");
    are_xml("texts_that_look_like_markup_stay_texts", &[path]);
    is_legible(&picture, "nasty texts");
    assert!(texts(&picture).iter().any(|text| text.content.contains("<b>&amp;</b> ]]>")), "{picture}");
}

#[test]
fn four_roles_have_a_lifeline_each_and_room() {
    let long = "a line that is too long to be shown whole beside any lifeline of any picture at all, so it is cut";
    let ended = What::Exit(Exit { status: Status::Code(1), error: Some(long.to_owned()), is_zombie: false });
    let mut what = Vec::new();
    for role in ["client", "second-client", "third-client", "server"] {
        what.push((role, close(3)));
        what.push((role, What::Print { text: long.to_owned() }));
        what.push((role, What::Meet { text: long.to_owned() }));
        what.push(frame(what.len() as u32, Fate::Passed, false, 100));
        what.push((role, ended.clone()));
    }
    let picture = svg(&trace(what));
    is_legible(&picture, "four roles");
    assert_eq!(count(&picture, "class=\"life "), 4);
}

#[test]
fn a_picture_of_nothing_is_a_picture() {
    let path = file("a_picture_of_nothing.svg");
    fs::write(&path, svg(&[])).expect("a file");
    are_xml("a_picture_of_nothing_is_a_picture", &[path]);
}

/// A frame that is kept while two calls are made: its sloped arrow crosses what stands between.
fn sloped() -> String {
    let what = vec![
        ("client", close(3)),
        ("server", close(3)),
        frame(1, Fate::Held, true, 5),
        frame(2, Fate::Passed, false, 5),
        frame(3, Fate::Passed, false, 5),
        frame(1, Fate::Passed, true, 5),
    ];
    svg(&trace(what))
}

#[test]
fn a_label_that_a_line_crosses_stands_on_a_plate() {
    let picture = sloped();
    assert!(picture.contains("class=\"plate\""));
    is_legible(&picture, "a sloped arrow");
}

#[test]
#[should_panic(expected = "strikes")]
fn without_its_plate_the_label_would_be_struck_through() {
    let without: Vec<String> =
        sloped().lines().filter(|line| !line.contains("class=\"plate\"")).map(str::to_owned).collect();
    labels_are_clear(&without.join("\n"), "a sloped arrow");
}

/// A call by hand that went well, on a stage that looks at queues.
fn did(name: Syscall, fd: i32, ret: i64) -> Call {
    let fd = Some(fd).filter(|_| name != Syscall::Socket);
    Call { ret: Some(ret), queues: Some(Queues::default()), ..Call::new(name, fd) }
}

fn socket(kind: SocketType) -> What {
    What::Call(did(Syscall::Socket, 0, 3).arg("type", kind))
}

fn at(name: Syscall, what: &'static str, address: &'static str) -> What {
    What::Call(did(name, 3, 0).arg(what, address))
}

fn sends(data: &str) -> What {
    What::Call(did(Syscall::Send, 3, data.len() as i64).sending(data.as_bytes()))
}

fn sends_to_server(data: &str) -> What {
    let call = did(Syscall::SendTo, 3, data.len() as i64).sending(data.as_bytes());
    What::Call(call.arg("dest_addr", "server:9000"))
}

fn receives(fd: i32, data: &str) -> What {
    let mut call = did(Syscall::Recv, fd, 0).arg("len", 1024_i64);
    call.received(data.len(), data.as_bytes());
    What::Call(call)
}

fn receives_from_client(data: &str) -> What {
    let mut call = did(Syscall::RecvFrom, 3, 0).arg("len", 1024_i64);
    call.received(data.len(), data.as_bytes());
    call.wrote("src_addr", "client:port");
    What::Call(call)
}

fn fails(name: Syscall, fd: i32, errno: Errno) -> What {
    What::Call(Call { ret: Some(-1), errno: Some(errno), ..did(name, fd, -1).arg("len", 5_i64) })
}

/// What stands on arrows, and how many heads of arrows there are at lifelines.
fn arrows(what: Vec<(&'static str, What)>) -> (Vec<String>, usize) {
    let picture = svg(&one_host(what));
    is_legible(&picture, "by hand");
    let labels = texts(&picture).into_iter().filter(|text| text.class == "frame").map(|text| text.content);
    let legend = elements(&picture).into_iter().find(|(_, attributes)| attributes.contains("class=\"rule\""));
    let legend = numbers(attribute(legend.expect("a legend").1, "y1").expect("a place"))[0];
    (labels.collect(), heads(&picture).into_iter().filter(|y| *y < legend).count())
}

/// Where the heads of arrows are, from the top.
fn heads(picture: &str) -> Vec<f64> {
    let heads = elements(picture)
        .into_iter()
        .filter(|(name, attributes)| *name == "path" && attributes.contains("class=\"head"));
    heads.map(|(_, attributes)| numbers(attribute(attributes, "transform").expect("a place"))[1]).collect()
}

fn one_host(what: Vec<(&str, What)>) -> Vec<Event> {
    let mut events = trace(what);
    events.iter_mut().for_each(|event| event.host = Host::A);
    events
}

/// A server's socket that datagrams come to, and a client's.
fn datagram_sockets() -> Vec<(&'static str, What)> {
    vec![
        ("server", socket(SocketType::Datagram)),
        ("server", at(Syscall::Bind, "addr", "server:9000")),
        ("client", socket(SocketType::Datagram)),
    ]
}

#[test]
fn on_one_host_an_arrow_goes_to_the_call_that_took_a_datagram() {
    let of = |rest: Vec<(&'static str, What)>| arrows([datagram_sockets(), rest].concat());
    let (labels, heads) = of(vec![("client", sends_to_server("hello")), ("server", receives_from_client("hello"))]);
    assert_eq!((labels, heads), (vec!["5 bytes".to_owned()], 1));
    let lost = vec![
        ("client", sends_to_server("one")),
        ("client", sends_to_server("three")),
        ("server", receives_from_client("three")),
    ];
    let (labels, heads) = of(lost);
    assert_eq!((labels, heads), (vec!["3 bytes, never received".to_owned(), "5 bytes".to_owned()], 1));
    // Two that are alike, of which one came: which one, the trace does not tell.
    let alike = vec![
        ("client", sends_to_server("same")),
        ("client", sends_to_server("same")),
        ("server", receives_from_client("same")),
    ];
    assert_eq!(of(alike), (Vec::new(), 0));
    // Both came: then the order tells.
    let both = vec![
        ("client", sends_to_server("same")),
        ("client", sends_to_server("same")),
        ("server", receives_from_client("same")),
        ("server", receives_from_client("same")),
    ];
    assert_eq!(of(both).1, 2);
    // What nobody sent came from somewhere that is not seen.
    let strange = vec![("client", sends_to_server("hello")), ("server", receives_from_client("HELLO"))];
    assert_eq!(of(strange), (Vec::new(), 0));
}

#[test]
fn a_datagram_to_nobody_ends_in_a_mark_and_the_refusal_goes_to_the_call_that_reports_it() {
    let client = vec![
        ("client", socket(SocketType::Datagram)),
        ("client", at(Syscall::Connect, "addr", "server:9000")),
        ("client", sends("hello")),
        ("client", fails(Syscall::Send, 3, Errno::ECONNREFUSED)),
    ];
    let (labels, heads) = arrows(client);
    assert_eq!(labels, ["5 bytes, no socket there", "ICMP port unreachable"]);
    assert_eq!(heads, 1);
}

/// A connection from a client to a server, where its descriptor is 4.
fn connection() -> Vec<(&'static str, What)> {
    let mut accept = did(Syscall::Accept, 3, 4);
    accept.wrote("addr", "client:port");
    vec![
        ("server", socket(SocketType::Stream)),
        ("server", at(Syscall::Bind, "addr", "server:9000")),
        ("server", at(Syscall::Listen, "backlog", "5")),
        ("client", socket(SocketType::Stream)),
        ("client", at(Syscall::Connect, "addr", "server:9000")),
        ("server", What::Call(accept)),
    ]
}

#[test]
fn on_one_host_bytes_go_by_their_positions_in_the_stream() {
    let of = |rest: Vec<(&'static str, What)>| {
        let (labels, heads) = arrows([connection(), rest].concat());
        assert_eq!(labels[0], "connection");
        (labels[1..].to_vec(), heads - 1)
    };
    let merged = of(vec![("client", sends("hel")), ("client", sends("lo")), ("server", receives(4, "hello"))]);
    assert_eq!(merged, (vec!["3 bytes".to_owned(), "2 bytes".to_owned()], 2));
    let split = of(vec![("client", sends("hello")), ("server", receives(4, "he")), ("server", receives(4, "llo"))]);
    assert_eq!(split, (vec!["5 bytes".to_owned()], 2));
    let part = of(vec![("client", sends("hello")), ("server", receives(4, "he"))]);
    assert_eq!(part, (vec!["2 of 5 bytes read".to_owned()], 1));
    // Other bytes than were sent: whose they are is not known.
    let strange = of(vec![("client", sends("hello")), ("server", receives(4, "HELLO"))]);
    assert_eq!(strange, (Vec::new(), 0));
}

#[test]
fn on_one_host_a_close_is_a_fin_or_a_reset_for_the_call_that_learns_of_it() {
    let of = |rest: Vec<(&'static str, What)>| arrows([connection(), rest].concat()).0[1..].to_vec();
    assert_eq!(of(vec![("client", close(3)), ("server", receives(4, ""))]), ["FIN"]);
    // Nobody has looked: no call knows of it.
    assert_eq!(of(vec![("client", close(3)), ("server", close(4))]), [""; 0]);
    let unread = vec![
        ("client", sends("hello")),
        ("server", close(4)),
        ("client", fails(Syscall::Recv, 3, Errno::ECONNRESET)),
        ("client", fails(Syscall::Send, 3, Errno::EPIPE)),
    ];
    assert_eq!(of(unread), ["5 bytes, never read", "RST"]);
    let too_late =
        vec![("server", close(4)), ("client", sends("hello")), ("client", fails(Syscall::Send, 3, Errno::EPIPE))];
    assert_eq!(of(too_late), ["5 bytes, never read", "RST"]);
    // Who has shut its own side gets this error from itself.
    let own =
        vec![("client", at(Syscall::Shutdown, "how", "SHUT_WR")), ("client", fails(Syscall::Send, 3, Errno::EPIPE))];
    assert_eq!(of(own), [""; 0]);
}

#[test]
fn free_running_roles_have_no_arrows_because_their_order_is_not_known() {
    let mut events = one_host(
        [datagram_sockets(), vec![("client", sends_to_server("hello")), ("server", receives_from_client("hello"))]]
            .concat(),
    );
    for event in &mut events {
        if let What::Call(call) = &mut event.what {
            call.queues = None;
        }
    }
    assert_eq!(texts(&svg(&events)).iter().filter(|text| text.class == "frame").count(), 0);
}

#[test]
fn every_receive_on_one_host_has_its_arrow() {
    let test = "every_receive_on_one_host_has_its_arrow";
    for (lab, arguments) in plays_drawn(test) {
        let (events, picture) = drawn(&lab, &arguments);
        if events.iter().any(|event| event["kind"] == "frame") || is_cut(&events) {
            continue;
        }
        let heads = heads(&picture);
        let receives = |text: &&Text| {
            let (name, _) = text.content.split_once('(').unwrap_or_default();
            let took = text.content.split_once(") = ").is_some_and(|(_, ret)| !ret.starts_with(['0', '-']));
            text.class == "call" && took && ["recv", "recvfrom", "recvmsg", "accept"].contains(&name)
        };
        for text in texts(&picture).iter().filter(receives).filter(|text| !text.content.contains("MSG_")) {
            let y = text.bottom - 2.4 - 4.0;
            assert!(heads.iter().any(|head| (head - y).abs() < 0.2), "{}: {:?}", lab.folder, text.content);
        }
    }
}

/// That a slide has the form of one, and can be read from afar.
fn is_a_slide(picture: &str, what: &str) {
    is_legible(picture, what);
    assert!(picture.contains("viewBox=\"0 0 1920 1080\""), "{what}");
    let (_, scale) = picture.split_once("transform=\"scale(").expect("a scale");
    let scale = numbers(scale)[0];
    for size in picture.split("font-size=\"").skip(1).map(|rest| numbers(rest)[0]) {
        assert!(size * scale >= 17.99, "{what}: letters of {size}");
    }
    for text in texts(picture) {
        let (right, bottom) = (text.right * scale, text.bottom * scale);
        assert!(right < 1912.0 && bottom < 1072.0, "{what}: {:?} is outside", text.content);
    }
}

#[test]
fn a_long_scene_takes_several_slides_and_each_call_is_on_one() {
    let many = (3..53).map(|fd| ("client", close(fd))).chain([("server", close(3))]).collect();
    let events = trace(many);
    let of = slide(&events, 1).expect("a slide").of;
    assert!(of > 2, "{of}");
    let mut calls = Vec::new();
    for number in 1..=of {
        let slide = slide(&events, number).expect("a slide");
        is_a_slide(&slide.svg, &format!("slide {number}"));
        assert!(slide.svg.contains(&format!("({number} of {of})")));
        calls.extend(texts(&slide.svg).into_iter().filter(|text| text.class == "call").map(|text| text.content));
    }
    let whole = texts(&svg(&events)).into_iter().filter(|text| text.class == "call").map(|text| text.content);
    assert_eq!(calls, whole.collect::<Vec<_>>());
    assert!(slide(&events, of + 1).is_err() && slide(&events, 0).is_err());
}

#[test]
fn a_slide_is_wide_and_its_letters_are_large() {
    let lab = lab(14);
    let file = file("a_slide_is_wide.svg");
    let draws = |words: &[&str]| {
        let output = run(lab.command().args(["--scene", "7", "--diagram"]).arg(&file).args(words));
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let (code, said) = draws(&["--slide"]);
    assert!(code == Some(0) && said.contains("slide 1 of 2; --part 2 draws the next one"), "{code:?} {said}");
    is_a_slide(&fs::read_to_string(&file).expect("a picture"), "lab 14");
    let (code, said) = draws(&["--slide", "--part", "2"]);
    assert!(code == Some(0) && !said.contains("slide 2"), "{code:?} {said}");
    is_a_slide(&fs::read_to_string(&file).expect("a picture"), "lab 14");
    let (code, said) = draws(&["--slide", "--part", "9"]);
    assert!(code == Some(2) && said.contains("takes 2 slides"), "{code:?} {said}");
    let all = run(lab.command().args(["--all", "--slide", "--diagram"]).arg(&file));
    assert_eq!(all.status.code(), Some(2), "a slide is of one scene");
}
