//! What lab 38 confirms and refutes.

use socklab::prelude::*;
use socklab::trace::{Made, Selection};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::ours("A name with .. leads out of the folder that it is joined to, and is written there.", |trace| {
            let server = trace.scene(1).role("server");
            let opened = server.first(Syscall::OpenAt)?;
            let written = server.first(Syscall::WriteFile)?;
            let holds = path(&opened).starts_with("server_home/../") && written.call.ret == Some(6);
            Verdict::by_calls(holds && written.call.fd.map(i64::from) == opened.call.ret, [opened, written])
        }),
        Claim::ours(
            "With .. or with a slash in front, a name replaces the program of a server that joins it to a folder.",
            |trace| replaces(&trace.scene(2).role("server")),
        ),
        Claim::ours("What os.path.normpath gives leads out as before: it tidies a path and checks nothing.", |trace| {
            replaces(&trace.scene(3).role("server"))
        }),
        Claim::ours("A server with a table of commands answers each that is not in it, and goes on.", |trace| {
            let answers = trace.scene(4).role("client").received();
            let [init, run, close, .., last] = answers[..] else {
                return Err(Unseen::because("there are not enough answers"));
            };
            let refused = [init, run, close].iter().all(|made| made.call.bytes().starts_with(b"no such command"));
            Verdict::by_calls(refused && last.call.bytes() == b"send 6 bytes for f1", answers)
        })
        .about_programs(),
        Claim::ours("openat2 with RESOLVE_BENEATH fails with EXDEV for each path here that leads out.", |trace| {
            let server = trace.scene(5).role("server");
            let out = ["../server.py", "/proc/self/cwd/server.py", "sub/../../server.py", ".."];
            let calls = out.iter().map(|path| opening(&server, path)).collect::<Result<Vec<Made<'_>>, Unseen>>()?;
            Verdict::by_calls(calls.iter().all(|made| made.failed(Errno::EXDEV)), calls)
        }),
        Claim::ours("It lets a path pass that has .. in it and stays in the folder.", |trace| {
            let made = opening(&trace.scene(5).role("server"), "sub/../f2")?;
            Verdict::by_calls(made.call.errno.is_none(), [made])
        }),
        Claim::ours("With RESOLVE_NO_SYMLINKS a link fails with ELOOP, at the end of a path or before.", |trace| {
            let server = trace.scene(5).role("server");
            let links = ["link", "door/server.py", "null"];
            let calls = links.iter().map(|path| opening(&server, path)).collect::<Result<Vec<Made<'_>>, Unseen>>()?;
            Verdict::by_calls(calls.iter().all(|made| made.failed(Errno::ELOOP)), calls)
        }),
        Claim::ours("A FIFO that lies in the folder holds no server up that opens it with O_NONBLOCK.", |trace| {
            let server = trace.scene(5).role("server");
            let opened = opening(&server, "fifo")?;
            let about = server.calls(Syscall::FStat).into_iter().find(|made| kind(made) == Some("S_IFIFO"));
            let about = about.ok_or(Unseen::because("nothing that was opened is a FIFO"))?;
            Verdict::by_calls(
                opened.call.errno.is_none() && opened.call.ret == about.call.fd.map(i64::from),
                [opened, about],
            )
        }),
        Claim::ours("A name of 255 bytes is taken here, and one of 256 fails with ENAMETOOLONG.", |trace| {
            let server = trace.scene(5).role("server");
            let (fits, too_long) = (opening(&server, &"n".repeat(255))?, opening(&server, &"n".repeat(256))?);
            let holds = fits.call.errno.is_none() && too_long.failed(Errno::ENAMETOOLONG);
            Verdict::by_calls(holds, [fits, too_long])
        }),
        Claim::ours("Two names that differ only in upper and lower case are two files here.", |trace| {
            let server = trace.scene(5).role("server");
            let second = opening(&server, "README")?;
            let about = server.calls(Syscall::FStat).into_iter().find(|made| made.event.n > second.event.n);
            let about = about.ok_or(Unseen::because("the size of the second one was not asked for"))?;
            let size = about.call.get_out("st_size").and_then(Value::as_number);
            Verdict::by_calls(second.call.errno.is_none() && size == Some(0), [second, about])
        }),
    ]
}

/// Whether each of the server's writes is what its program says afterwards.
fn replaces(server: &Selection<'_>) -> Result<Verdict, Unseen> {
    let (written, read) = (server.some(Syscall::WriteFile)?, server.some(Syscall::ReadFile)?);
    let all = written.len() == read.len() && written.len() > 1;
    let same = written.iter().zip(&read).all(|(written, read)| written.call.bytes() == read.call.bytes());
    let whole = written.iter().all(|made| made.call.ret == made.asked_for());
    Verdict::by_calls(all && same && whole, written.into_iter().chain(read))
}

/// The call that opened this path beneath the folder.
fn opening<'a>(server: &Selection<'a>, wanted: &str) -> Result<Made<'a>, Unseen> {
    let found = server.calls(Syscall::OpenAt2).into_iter().find(|made| path(made) == wanted);
    found.ok_or(Unseen::because("a path was not opened"))
}

fn path<'a>(made: &Made<'a>) -> &'a str {
    made.call.get_arg("path").and_then(Value::as_word).unwrap_or_default()
}

fn kind<'a>(made: &Made<'a>) -> Option<&'a str> {
    made.call.get_out("st_mode").and_then(Value::as_word)
}
