//! What lab 35 makes of the old texts' sentences on uploads, and of ours.

use serde_json::Value as Json;
use socklab::prelude::*;
use socklab::trace::{Made, What, bytes_of, count_of, exactly};

use super::{BUFFERS, FILES};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S3-C12",
            "A buffer of 4096 loses data; a smaller one does not, nor does any on Linux.",
            |trace| {
                let [small, middle, large, _] = buffers(trace)?;
                let [halves, _] = pieces(trace)?;
                let holds = !large.is_whole() && [&small, &middle, &halves].iter().all(|upload| upload.is_whole());
                Verdict::by_calls(holds, [large.calls, halves.calls].concat())
            },
        ),
        Claim::classic("S3-C13", "A video file is mostly one line.", |trace| {
            // There is no film here: random bytes stand for its compressed data.
            let lines = body_sent(trace, "client")?;
            let longest = longest(&lines)?;
            Verdict::by_calls(2 * longest.call.ret.unwrap_or(0) > count_of(&lines), [longest])
        })
        .about_programs()
        .turned_by("the first line would have had 4096 bytes", |trace| {
            let sends =
                trace.events.iter_mut().filter(|event| event.scene == 9).filter_map(|event| match &mut event.what {
                    What::Call(call) if call.name == Syscall::Send => Some(call),
                    _ => None,
                });
            // Behind the header.
            if let Some(call) = sends.into_iter().nth(1) {
                call.ret = Some(4096);
            }
        }),
        Claim::classic(
            "S3-C14",
            "Reading a file in blocks of a fixed size is better than reading it by lines.",
            |trace| {
                // The reader chooses how large a block is; the file decides how long a line is.
                let [lines, blocks] = [body_sent(trace, "client")?, body_sent(trace, "second-client")?];
                let holds = blocks.len() < lines.len() && blocks.iter().all(|made| made.call.ret == Some(1024));
                Verdict::by_calls(holds, [vec![longest(&lines)?], blocks].concat())
            },
        )
        .about_programs(),
        Claim::classic("S4-C05", "Data without a structure, such as a file, needs no care.", |trace| {
            let [alone, first] = exactly(uploads(trace, 5)?, "uploads")?;
            let condition = "it is alone on its connection, and the end of the connection is its end";
            let is_right = |upload: &Upload<'_>| bytes_of(&upload.calls) == b"first\n";
            let (with, without) = (is_right(&alone), is_right(&first));
            let evidence = [alone.calls, first.calls].concat();
            Verdict::only_when(condition, with, without, evidence.into_iter().map(|made| made.event))
        }),
        Claim::ours(
            "Of 1024 bytes that come in halves the old loop stores 512; of 1500 that come by 500 it stores 1000.",
            |trace| {
                let [halves, thirds] = pieces(trace)?;
                let holds = halves.stored() == 512 && thirds.stored() == 1000;
                Verdict::by_calls(holds, [halves.calls, thirds.calls].concat())
            },
        ),
        Claim::ours(
            "The old loop makes as many calls as full buffers would take, whatever each of them returns.",
            |trace| {
                let [halves, thirds] = pieces(trace)?;
                let buffers = buffers(trace)?;
                let all: Vec<&Upload<'_>> = [&halves, &thirds].into_iter().chain(&buffers).collect();
                let takes = |upload: &&Upload<'_>| {
                    let room = upload.calls.first().and_then(Made::asked_for).unwrap_or(1);
                    let calls = upload.calls.iter().filter(|made| made.call.ret > Some(0)).count();
                    upload.size.div_ceil(room.max(1) as usize) == calls
                };
                let differ = all.iter().any(|upload| !upload.is_whole());
                let holds = differ && all.iter().all(takes);
                Verdict::by_calls(holds, all.into_iter().flat_map(|upload| upload.calls.clone()))
            },
        ),
        Claim::ours(
            "Of 4096 bytes in pieces of 1024, buffers of 512 and 1024 take all, and one of 4096 takes a quarter.",
            |trace| {
                let [small, middle, large, _] = buffers(trace)?;
                let holds = small.is_whole() && middle.is_whole() && large.stored() == 1024;
                Verdict::by_calls(holds, [small.calls, middle.calls, large.calls].concat())
            },
        ),
        Claim::ours("If the pieces have 1000 bytes, a buffer of 1024 loses, too.", |trace| {
            let [.., uneven] = buffers(trace)?;
            Verdict::by_calls(!uneven.is_whole(), uneven.calls)
        }),
        Claim::ours("The client's first send after the server has closed succeeds; the next one fails.", |trace| {
            let sends = trace.scene(3).role("client").some(Sends)?;
            let failed = sends.iter().position(|made| made.failed(Errno::EPIPE));
            let at = failed.filter(|at| *at > 0).ok_or(Unseen::because("no send failed"))?;
            let server = trace.scene(3).role("server");
            // The server has closed the connection whose piece it was.
            let closed = server.before(sends[at - 1].event).calls(Syscall::Close).len() == 3;
            Verdict::by_calls(closed && sends[at - 1].call.ret == Some(1024), [sends[at - 1], sends[at]])
        }),
        Claim::ours("Of 1,024 lines that are sent one by one, a single recv for the last piece stores one.", |trace| {
            let [upload] = exactly(uploads(trace, 4)?, "uploads")?;
            let sends = trace.scene(4).role("client").some(Sends)?;
            let sent = count_of(&sends[1..]);
            Verdict::by_calls(upload.stored() == 1 && sent == 1024 && upload.calls.len() == 1, upload.calls)
        }),
        Claim::ours(
            "A recv that is not limited to the rest of a file stores the next header and the next file in it.",
            |trace| {
                let [_, first] = exactly(uploads(trace, 5)?, "uploads")?;
                let stored = bytes_of(&first.calls);
                let holds = stored.starts_with(b"first\n") && stored.ends_with(b"\"filesize\": 7}second\n");
                Verdict::by_calls(holds, first.calls)
            },
        ),
        Claim::ours(
            "If what came is counted, and no more is asked for than the rest, the same pieces are whole.",
            |trace| {
                let pieces = uploads(trace, 6)?;
                let [lines] = exactly(uploads(trace, 7)?, "uploads")?;
                let holds = pieces.len() == FILES.len() && pieces.iter().chain([&lines]).all(Upload::is_whole);
                let last = lines.calls.last().copied();
                Verdict::by_calls(holds, pieces.into_iter().flat_map(|upload| upload.calls).chain(last))
            },
        ),
        Claim::ours("With the cure, two files on one connection are two files.", |trace| {
            let [first, second, _] = exactly(uploads(trace, 8)?, "uploads")?;
            let holds = bytes_of(&first.calls) == b"first\n" && bytes_of(&second.calls) == b"second\n";
            Verdict::by_calls(holds, [first.calls, second.calls].concat())
        }),
        Claim::ours("A client that leaves early is noticed: recv returns 0 before the file is whole.", |trace| {
            let [.., left] = exactly::<_, 3>(uploads(trace, 8)?, "uploads")?;
            let last = left.calls.last().ok_or(Unseen::because("nothing was received"))?;
            Verdict::by_calls(!left.is_whole() && last.call.ret == Some(0), left.calls)
        }),
    ]
}

/// A file that a server received: what its header says, and the calls behind that.
struct Upload<'a> {
    size: usize,
    calls: Vec<Made<'a>>,
}

impl Upload<'_> {
    fn stored(&self) -> i64 {
        count_of(&self.calls)
    }

    fn is_whole(&self) -> bool {
        self.stored() == self.size as i64
    }
}

/// What the server of a scene received, file by file: four bytes, a header, and what follows up to the next four bytes
/// that are asked for, or the next connection.
fn uploads(trace: &Trace, scene: u32) -> Result<Vec<Upload<'_>>, Unseen> {
    let mut uploads: Vec<Upload<'_>> = Vec::new();
    let mut header_is_next = false;
    for made in trace.scene(scene).role("server").all_calls() {
        if !made.call.name.receives() {
            continue;
        }
        if made.asked_for() == Some(4) {
            header_is_next = made.call.ret == Some(4);
        } else if header_is_next {
            let header: Json = serde_json::from_slice(made.call.bytes()).unwrap_or(Json::Null);
            let size = header["filesize"].as_u64().ok_or(Unseen::because("a header has no size"))?;
            uploads.push(Upload { size: size as usize, calls: Vec::new() });
            header_is_next = false;
        } else if let Some(upload) = uploads.last_mut() {
            upload.calls.push(made);
        }
    }
    Ok(uploads)
}

/// The uploads of scene 2, one for each of `FILES`.
fn pieces(trace: &Trace) -> Result<[Upload<'_>; FILES.len()], Unseen> {
    exactly(uploads(trace, 2)?, "uploads")
}

/// The uploads of scene 3, one for each of `BUFFERS`.
fn buffers(trace: &Trace) -> Result<[Upload<'_>; BUFFERS.len()], Unseen> {
    exactly(uploads(trace, 3)?, "uploads")
}

/// The sends of a file in scene 9: all behind the one that has the header.
fn body_sent<'a>(trace: &'a Trace, role: &str) -> Result<Vec<Made<'a>>, Unseen> {
    let sends = trace.scene(9).role(role).some(Sends)?;
    Ok(sends[1..].to_vec())
}

/// The call that sent most.
fn longest<'a>(calls: &[Made<'a>]) -> Result<Made<'a>, Unseen> {
    calls.iter().max_by_key(|made| made.call.ret).copied().ok_or(Unseen::because("nothing was sent"))
}
