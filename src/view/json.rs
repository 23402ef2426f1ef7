//! A trace as JSON, an object a line. `docs/trace.schema.json` describes it.

use serde_json::{Map, Value as Json, json};

use super::text;
use crate::trace::{
    Call, Data, Event, Exit, Frame, Host, Layer, Probe, Queues, Start, Status, VERSION, Value, Waiting, What, Word,
    hexadecimal,
};

/// One event as one line, without its end.
pub fn line(event: &Event) -> String {
    let mut fields = Map::new();
    fields.insert("v".into(), VERSION.into());
    fields.insert("n".into(), event.n.into());
    fields.insert("at_ns".into(), event.at_ns.into());
    fields.insert("scene".into(), event.scene.into());
    fields.insert("role".into(), event.role.clone().into());
    fields.insert("actor".into(), event.actor.clone().into());
    fields.insert("host".into(), host(event.host).into());
    fields.insert("kind".into(), kind(&event.what).into());
    own_fields(&event.what, &mut fields);
    Json::Object(fields).to_string()
}

/// The name of what happened.
pub fn kind(what: &What) -> &'static str {
    match what {
        What::Start(_) => "start",
        What::Scene { .. } => "scene",
        What::Begin(_) => "begin",
        What::Wait(_) => "wait",
        What::Call(_) => "call",
        What::Input { .. } => "input",
        What::Print { .. } => "print",
        What::Meet { .. } => "meet",
        What::Note { .. } => "note",
        What::Probe { .. } => "probe",
        What::Frame(_) => "frame",
        What::Finding { .. } => "finding",
        What::Exit(_) => "exit",
    }
}

fn host(host: Host) -> &'static str {
    match host {
        Host::A => "a",
        Host::B => "b",
        Host::Local => "local",
    }
}

fn own_fields(what: &What, to: &mut Map<String, Json>) {
    match what {
        What::Start(Start { lab, question, stage, kernel, began_us, seed, unpinned }) => {
            to.insert("lab".into(), lab.clone().into());
            to.insert("question".into(), question.clone().into());
            to.insert("stage".into(), (*stage).into());
            to.insert("kernel".into(), kernel.clone().into());
            to.insert("began_us".into(), (*began_us).into());
            to.insert("version".into(), env!("CARGO_PKG_VERSION").into());
            to.insert("seed".into(), (*seed).into());
            to.insert("unpinned".into(), unpinned.clone().into());
        }
        What::Scene { text, port } => {
            to.insert("text".into(), text.clone().into());
            to.insert("port".into(), (*port).into());
        }
        What::Print { text } | What::Meet { text } | What::Note { text } => {
            to.insert("text".into(), text.clone().into());
        }
        What::Begin(made) | What::Call(made) => call(made, to),
        What::Wait(one) => to.extend(waiting(one)),
        What::Input { prompt, text } => {
            to.insert("prompt".into(), prompt.clone().into());
            to.insert("text".into(), text.clone().into());
        }
        What::Probe { probe, fd } => {
            let (name, values) = probed(probe);
            to.insert("probe".into(), name.into());
            to.insert("fd".into(), (*fd).into());
            to.insert("values".into(), values);
        }
        What::Frame(one) => {
            to.insert("frame".into(), frame(one));
        }
        What::Finding { finding, waiting: all, text } => {
            to.insert("finding".into(), finding.name().into());
            let all = all.iter().map(|one| {
                let mut fields = waiting(one);
                fields.insert("role".into(), one.role.clone().into());
                Json::Object(fields)
            });
            to.insert("waiting".into(), all.collect());
            to.insert("text".into(), text.clone().into());
        }
        What::Exit(Exit { status, error, is_zombie }) => {
            let status = match status {
                Status::Code(code) => json!({ "code": code }),
                Status::Signal(signal) => json!({ "signal": signal }),
            };
            to.insert("exit".into(), status);
            to.insert("error".into(), error.clone().into());
            if *is_zombie {
                to.insert("zombie".into(), true.into());
            }
        }
    }
}

fn call(call: &Call, to: &mut Map<String, Json>) {
    to.insert("call".into(), call.name.name().into());
    to.insert("fd".into(), call.fd.into());
    to.insert("args".into(), named(&call.args));
    if !call.out.is_empty() {
        to.insert("out".into(), named(&call.out));
    }
    if let Some(Data { bytes, len }) = &call.data {
        let data = match call.buffers() {
            buffers if buffers.is_empty() => Json::from(hexadecimal::encode(bytes)),
            buffers => buffers.iter().map(|(bytes, _)| hexadecimal::encode(bytes)).collect(),
        };
        to.insert("data".into(), data);
        to.insert("data_len".into(), (*len).into());
    }
    if let Some(ret) = call.ret {
        to.insert("ret".into(), ret.into());
        to.insert("errno".into(), call.errno.map(|errno| errno.to_string()).into());
        if let Some(after) = &call.after {
            to.insert("after".into(), after.clone().into());
        }
    }
    if call.times > 1 {
        to.insert("times".into(), call.times.into());
    }
    if let Some(Queues { recv, send, unsent }) = call.queues {
        to.insert("queues".into(), json!({ "recv": recv, "send": send, "unsent": unsent }));
    }
}

fn frame(frame: &Frame) -> Json {
    let mut fields = json!({
        "number": frame.number,
        "dir": format!("{}>{}", host(frame.dir.0), host(frame.dir.1)),
        "from": frame.from, "to": frame.to, "proto": frame.proto.to_string(), "flags": frame.proto.details(),
        "seq": frame.seq, "ack": frame.ack, "len": frame.payload.len,
        "data": hexadecimal::encode(&frame.payload.bytes), "remark": frame.remark,
        "bytes": hexadecimal::encode(&frame.bytes.bytes), "by_timer": frame.by_timer, "after": frame.after,
        "held": frame.held, "fate": frame.fate.name(),
    });
    if !frame.layers.is_empty() {
        fields["layers"] = frame.layers.iter().map(layer).collect();
    }
    fields
}

fn layer(layer: &Layer) -> Json {
    let fields = layer.fields.iter().map(|field| {
        json!({
            "at": field.at, "len": field.bytes.len, "bytes": hexadecimal::encode(&field.bytes.bytes),
            "name": field.name, "says": field.says, "varies": field.varies,
        })
    });
    json!({ "name": layer.name, "fields": fields.collect::<Json>() })
}

fn waiting(waiting: &Waiting) -> Map<String, Json> {
    let mut fields = Map::new();
    fields.insert("call".into(), waiting.call.name().into());
    fields.insert("fd".into(), waiting.fd.into());
    fields.insert("waits_for".into(), text::waits_for(waiting).into());
    fields
}

/// The name of a question to the kernel, and what it answered.
fn probed(probe: &Probe) -> (&'static str, Json) {
    match *probe {
        Probe::State { state, left, already, closed } => {
            let mut values = json!({ "state": state.name() });
            if let Some(left) = left {
                values["left"] = text::remembered_for(left).into();
            }
            let (name, on) = if closed { ("closed", true) } else { ("already", already) };
            values[name] = u8::from(on).into();
            ("state", values)
        }
        Probe::ReceiveQueue { recv, first_datagram } => {
            ("receive queue", json!({ "recv": recv, "of": if first_datagram { "first datagram" } else { "all" } }))
        }
        Probe::SendQueue { send, unsent } => ("send queue", json!({ "send": send, "unsent": unsent })),
        Probe::AcceptQueue { waiting } => ("accept queue", json!({ "waiting": waiting })),
        Probe::Pipe { held, room } => ("pipe", json!({ "held": held, "room": room })),
        Probe::Command { does } => ("command", json!({ "does": does.name() })),
    }
}

fn named(values: &[(Word, Value)]) -> Json {
    let values = values.iter().map(|(name, value)| (name.to_string(), plain(value)));
    Json::Object(values.collect())
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Number(number) => (*number).into(),
        other => text::value(other).into(),
    }
}
