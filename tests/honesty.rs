//! The trace is honest: per role and in order, it lists exactly the socket-related system calls that strace sees.
//!
//! What is compared is every call of strace's class `%network`, `openat2`, and `close`, `read`, `write`, `poll`,
//! `epoll`, `fcntl`, `ioctl`, `fsync` and their kin on sockets and on what `openat2` has opened, with arguments, data
//! and result; and, of roles that make processes, each `fork` and `waitpid`, and the calls of the children. Left out is
//! what goes over the channels to the stage, which have descriptors of their own (1000 and a few below), and pipes.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value as Json;

use crate::support::{fixture_words, has, played_here, run, side_by_side, skip};

/// The descriptors from here on are the stage's.
const OURS: i64 = 936;

const TRACED: &str = "trace=%network,close,dup,dup2,dup3,read,readv,pread64,write,writev,pwrite64,sendfile,splice,poll,\
epoll_create1,openat,openat2,fstat,lseek,ftruncate,fsync,flock,renameat2,\
unlinkat,wait4,ppoll,select,pselect6,epoll_ctl,epoll_wait,epoll_pwait,epoll_pwait2,fcntl,ioctl,prctl,clone,clone3,fork,\
vfork,rt_sigreturn";

/// Our names for calls, and the C library's default flags that strace shows: the one table there is.
fn as_strace_has_it(call: &str) -> (&str, &str) {
    match call {
        "accept" => ("accept4", "SOCK_CLOEXEC"),
        "poll" => ("ppoll", "0"),
        "select" => ("pselect6", "0"),
        "epoll_wait" => ("epoll_pwait", "0"),
        "recv" | "recvfrom" => ("recvfrom", "0"),
        "send" | "sendto" => ("sendto", "0"),
        other => (other, "0"),
    }
}

/// The calls of one process of a demo, by the name that it gave itself.
struct Seen {
    role: String,
    calls: Vec<String>,
}

/// Runs a demo under strace; gives what strace saw of each role, and the trace.
fn watch(program: &[OsString], arguments: &[&str]) -> (Vec<Seen>, Vec<Json>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("strace");
    command.args(["-ff", "-qq", "-xx", "-s", "4096", "-e", TRACED, "-o"]).arg(folder.path().join("calls"));
    let output = run(command.args(program).arg("--json").args(arguments));
    let events = String::from_utf8(output.stdout).expect("UTF-8");
    let events: Vec<Json> = events.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut files: Vec<(u32, PathBuf)> =
        fs::read_dir(folder.path()).expect("strace's files").flatten().filter_map(pid).collect();
    files.sort();
    // Process ids begin anew behind the largest one: then those of the second half came first.
    if let Some(at) = files.windows(2).position(|pair| pair[1].0 - pair[0].0 > 10_000) {
        files.rotate_left(at + 1);
    }
    let mut inherited = BTreeMap::new();
    let seen = files.iter().filter_map(|(pid, file)| {
        let sockets = inherited.remove(pid).unwrap_or_default();
        calls_of_role(&fs::read_to_string(file).expect("a file"), sockets, &mut inherited)
    });
    let seen = seen.collect();
    let said = String::from_utf8_lossy(&output.stderr);
    (last_times(seen, &events, &said), events)
}

/// What strace saw without scenes that were played again: of those, only the last time is told.
fn last_times(mut seen: Vec<Seen>, events: &[Json], said: &str) -> Vec<Seen> {
    let mut parts: Vec<(u64, &str)> = Vec::new();
    for event in events {
        let part = event["scene"].as_u64().zip(event["actor"].as_str());
        parts.extend(part.filter(|part| !parts.contains(part)));
    }
    let mut kept = Vec::new();
    for (scene, role) in parts {
        // Roles of the same name come in the order of their scenes, as their processes do.
        for time in 0..=times_again(said, scene) {
            let Some(index) = seen.iter().position(|one| is_called(role, &one.role)) else { continue };
            let one = seen.remove(index);
            if time == times_again(said, scene) {
                kept.push(one);
            }
        }
    }
    // Whoever is told of nowhere is still to be noticed.
    kept.extend(seen);
    kept
}

/// Whether a process of this name is a role's: the kernel keeps 15 bytes.
fn is_called(role: &str, name: &str) -> bool {
    role == name || name.len() == 15 && role.starts_with(name)
}

/// How often a scene was played again: `scene 1 was played again, … (2 of at most 5 times)`.
fn times_again(said: &str, scene: u64) -> usize {
    let line = said.lines().find(|line| line.contains(&format!("scene {scene} was played again")));
    line.and_then(|line| line.split('(').nth(1)?.split(' ').next()?.parse().ok()).unwrap_or(0)
}

fn pid(entry: fs::DirEntry) -> Option<(u32, PathBuf)> {
    Some((entry.path().extension()?.to_str()?.parse().ok()?, entry.path()))
}

/// The calls on sockets in one file of strace's, from the moment on when the process gave itself a role's name. It had
/// `sockets` from its parent; what its own children have is noted in `inherited`, by their process ids.
fn calls_of_role(text: &str, mut sockets: BTreeSet<i64>, inherited: &mut BTreeMap<u32, BTreeSet<i64>>) -> Option<Seen> {
    let mut lines = text.lines();
    let naming = lines.find(|line| line.starts_with("prctl(PR_SET_NAME"))?;
    let role = String::from_utf8(unescape(naming.split('"').nth(1)?)).ok()?;
    // The stage's own process has the lab's name.
    if role.starts_with("lab-") {
        return None;
    }
    // A thread has the sockets that its process has at each moment: any number is one, but that of a file which it has
    // opened itself, as the C library does for its own ends.
    let is_thread = sockets.contains(&(OURS - 1));
    let mut files = BTreeSet::new();
    let calls = interrupted(lines).filter_map(|line| {
        if line.starts_with("openat(") {
            let file = line.rsplit_once(" = ").and_then(|(_, file)| file.parse().ok());
            files.extend(file.filter(|file| is_thread && sockets.remove(file)));
            return None;
        }
        let closed = line.strip_prefix("close(").and_then(|rest| rest.split(')').next()?.parse().ok());
        if let Some(file) = closed.filter(|fd| files.remove(fd)) {
            sockets.insert(file);
            return None;
        }
        if line.starts_with("clone") {
            let child = line.rsplit_once(" = ")?.1.split(' ').next()?.parse().ok()?;
            let is_thread = line.contains("CLONE_THREAD");
            inherited.insert(child, if is_thread { (3..OURS).collect() } else { sockets.clone() });
        }
        seen_call(&line, &mut sockets)
    });
    let calls = calls.collect();
    Some(Seen { role, calls })
}

/// The lines with the result that the program got of each call which a signal interrupted: strace shows it where the
/// handler returns. One that the kernel then makes again has a line of its own.
fn interrupted<'t>(lines: impl Iterator<Item = &'t str>) -> impl Iterator<Item = String> {
    let mut pending = None;
    lines.filter_map(move |line| {
        if let Some((call, _)) = line.split_once(" = ? ERESTARTSYS") {
            pending = Some(call);
            return None;
        }
        if line.starts_with("rt_sigreturn(") {
            let call = pending.take()?;
            return line.contains(" = -1 EINTR").then(|| format!("{call} = -1 EINTR"));
        }
        Some(line.to_owned())
    })
}

/// One line of strace's in the form in which it is compared, if it is a call on a socket of the role's.
fn seen_call(line: &str, sockets: &mut BTreeSet<i64>) -> Option<String> {
    let (name, rest) = line.split_once('(')?;
    // A call that was never finished is that of a role that was ended in it.
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let arguments = split(arguments);
    let fd = arguments.first().and_then(|first| first.parse::<i64>().ok());
    if let Some(call) = call_of_a_parent(name, &arguments, result) {
        return Some(call);
    }
    let network = !matches!(
        name,
        "close"
            | "dup"
            | "dup2"
            | "dup3"
            | "read"
            | "readv"
            | "pread64"
            | "write"
            | "writev"
            | "pwrite64"
            | "sendfile"
            | "splice"
            | "fstat"
            | "lseek"
            | "ftruncate"
            | "fsync"
            | "flock"
            | "renameat2"
            | "unlinkat"
            | "poll"
            | "ppoll"
            | "select"
            | "pselect6"
            | "epoll_ctl"
            | "epoll_wait"
            | "epoll_pwait"
            | "epoll_pwait2"
            | "fcntl"
            | "ioctl"
            | "prctl"
            | "clone"
            | "clone3"
            | "fork"
            | "vfork"
            | "wait4"
    );
    let on_socket = fd.is_some_and(|fd| sockets.contains(&fd))
        || (name.contains("poll") && sockets.iter().any(|socket| line.contains(&format!("{{fd={socket},"))))
        || (name.contains("select") && sockets.iter().any(|socket| line.contains(&format!("[{socket}]"))));
    if fd.is_some_and(|fd| fd >= OURS) || !(network || on_socket) {
        return None;
    }
    // A folder's flags are asked for by the C library, before it reads its names.
    if name == "fcntl" && result.contains("O_DIRECTORY") {
        return None;
    }
    let mut words = result.split(' ');
    let returned = words.next()?;
    // Flags are shown in hexadecimal.
    let returned = match returned.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok()?,
        None => returned.parse().ok()?,
    };
    let errno = words.next().filter(|_| returned == -1).unwrap_or("");
    let duplicates = name == "fcntl" && arguments.get(1).is_some_and(|cmd| cmd == "F_DUPFD_CLOEXEC");
    if (duplicates || matches!(name, "socket" | "accept" | "accept4" | "openat2" | "epoll_create1")) && returned >= 0 {
        sockets.insert(returned);
    }
    let new = match name {
        "recvmsg" => arguments.get(1).and_then(|message| message.split("SCM_RIGHTS, cmsg_data=").nth(1)),
        "socketpair" => arguments.get(3).map(String::as_str),
        _ => None,
    };
    sockets.extend(new.filter(|_| returned >= 0).into_iter().flat_map(descriptors));
    if name == "close" {
        sockets.remove(&fd?);
    }
    Some(format!("{name}({}) = {returned} {errno}", canonical(name, &arguments, returned)))
}

/// A process that strace saw being made or waited for, in the form in which it is compared: without its number. A
/// thread is made by `clone3`, and is no process.
fn call_of_a_parent(name: &str, arguments: &[String], result: &str) -> Option<String> {
    let child = |number: &str| if number.starts_with(['-', '0']) { number.to_owned() } else { "child".to_owned() };
    let mut words = result.split(' ');
    let returned = child(words.next()?);
    let result = format!("{returned} {}", words.next().filter(|_| returned == "-1").unwrap_or(""));
    match name {
        "clone" => Some(format!("fork() = {result}")),
        "wait4" => Some(format!("waitpid({}, {}) = {result}", child(arguments.first()?), arguments.get(2)?)),
        _ => None,
    }
}

/// The same of the trace.
fn told_of_a_parent(event: &Json) -> Option<String> {
    let child = if event["out"]["pid"].is_string() { "child".to_owned() } else { event["ret"].to_string() };
    let result = format!("{child} {}", event["errno"].as_str().unwrap_or(""));
    let pid = if event["args"]["pid"].is_string() { "child".to_owned() } else { event["args"]["pid"].to_string() };
    match event["call"].as_str() {
        Some("fork") => Some(format!("fork() = {result}")),
        Some("waitpid") => Some(format!("waitpid({pid}, {}) = {result}", event["args"]["flags"].as_str()?)),
        _ => None,
    }
}

/// The descriptors that a message of strace's carries.
fn passed(message: &str) -> Vec<i64> {
    message.split("SCM_RIGHTS, cmsg_data=").nth(1).map(descriptors).unwrap_or_default()
}

/// A number of the trace's, if it is there.
fn number(value: &Json) -> Vec<i64> {
    value.as_i64().into_iter().collect()
}

/// The numbers in `[3, 4]`, and nothing behind it.
fn descriptors(list: &str) -> Vec<i64> {
    let list = list.trim_start_matches('[').split(']').next().unwrap_or_default();
    list.split(", ").filter_map(|number| number.parse().ok()).collect()
}

/// The arguments that are compared: descriptors, options, flags, lengths, and the data as far as the call moved it.
fn canonical(name: &str, arguments: &[String], returned: i64) -> String {
    let is = |index: usize| arguments.get(index).map_or("", String::as_str);
    match name {
        "socket" => format!("{}, {}, {}", is(0), is(1), is(2).replace("IPPROTO_IP", "0")),
        "bind" | "connect" | "getsockname" | "getpeername" => is(0).to_owned(),
        "listen" | "shutdown" => format!("{}, {}", is(0), is(1)),
        "accept4" => format!("{}, {}", is(0), is(3)),
        "setsockopt" if is(2) == "SO_ATTACH_FILTER" => {
            let len = is(3).split("{len=").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or("");
            format!("{}, {}, {len} instructions", is(0), is(2))
        }
        "setsockopt" if is(2).ends_with("TIMEO_OLD") => {
            format!("{}, {}, {}", is(0), is(2).trim_end_matches("_OLD"), milliseconds(is(3)))
        }
        "ppoll" => format!("{}, {}", is(0), timespec(is(2))),
        "pselect6" => format!("{}, {}, {}", is(0), is(1), timespec(is(4))),
        "setsockopt" => format!("{}, {}, {}", is(0), is(2), is(3).trim_matches(['[', ']'])),
        "sendmmsg" => format!("{}, {}, {}, {}", is(0), datagrams(is(1)), is(2), is(3)),
        "recvmmsg" => format!("{}, {}, {}, {}", is(0), datagrams(is(1)), is(2), is(3)),
        "getsockopt" => format!("{}, {}", is(0), is(2).trim_end_matches("_OLD")),
        "sendto" => format!("{}, {}, {}, {}", is(0), data(is(1), i64::MAX), is(2), is(3)),
        "recvfrom" => format!("{}, {}, {}, {}", is(0), data(is(1), returned), is(2), is(3)),
        "sendmsg" => format!("{}, {}, {}, {:?}", is(0), buffers(is(1)), is(2), passed(is(1))),
        "recvmsg" => {
            // A failed call leaves the message as it was.
            let base = is(1).split("iov_base=").nth(1).unwrap_or("\"\"");
            let moved = is(1).split("msg_flags=").nth(1).unwrap_or("0");
            let moved = moved.split('}').next().unwrap_or("0");
            let truncated = if returned >= 0 && moved.contains("MSG_TRUNC") { "MSG_TRUNC" } else { "0" };
            format!("{}, {}, {truncated}, {}, {:?}", is(0), data(base, returned), is(2), passed(is(1)))
        }
        "close" | "fstat" => is(0).to_owned(),
        // Of what was reported, its bits and its descriptor: `[{events=EPOLLIN, data={u32=3, u64=3}}]`.
        "epoll_ctl" => format!("{}, {}, {}, {}", is(0), is(1), is(2), watched(is(3))),
        "epoll_pwait" => format!("{}, {}, {}, {}", is(0), reported(is(1)), is(2), is(3)),
        "openat2" => {
            let part =
                |name| is(2).split(name).nth(1).map_or("0", |rest| rest.split([',', '}']).next().unwrap_or(rest));
            format!("{}, {}, {}, {}", is(0), data(is(1), i64::MAX), sorted(part("flags=")), sorted(part("resolve=")))
        }
        "unlinkat" => format!("{}, {}", is(0), data(is(1), i64::MAX)),
        "renameat2" => format!("{}, {}, {}, {}", is(0), data(is(1), i64::MAX), data(is(3), i64::MAX), is(4)),
        "read" => format!("{}, {}, {}", is(0), data(is(1), returned), is(2)),
        "pread64" => format!("{}, {}, {}, {}", is(0), data(is(1), returned), is(2), is(3)),
        "write" => format!("{}, {}, {}", is(0), data(is(1), i64::MAX), is(2)),
        // One request with two names, and strace has the terminal's.
        "ioctl" => arguments.join(", ").replace("TIOCOUTQ", "SIOCOUTQ"),
        _ => arguments.join(", "),
    }
}

/// The events of one `struct epoll_event`; those of none are 0.
fn watched(event: &str) -> String {
    event.split("events=").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or("0").to_owned()
}

/// A list of such structures in the words of the trace: `3 EPOLLIN, 5 EPOLLOUT`.
fn reported(list: &str) -> String {
    let one = |event: &str| {
        let fd = event.split("u32=").nth(1).and_then(|rest| rest.split([',', '}']).next()).unwrap_or("?");
        format!("{fd} {}", event.split(',').next().unwrap_or("?"))
    };
    list.split("events=").skip(1).map(one).collect::<Vec<_>>().join(", ")
}

/// A buffer of strace's in hexadecimal, as far as the call moved it.
fn data(text: &str, moved: i64) -> String {
    let bytes = text.split('"').nth(1).map(unescape).unwrap_or_default();
    let moved = usize::try_from(moved).unwrap_or(0).min(bytes.len());
    bytes[..moved].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of all datagrams of one call, as strace shows them, in one run.
fn datagrams(messages: &str) -> String {
    let each = messages.split("iov_base=").skip(1).map(|rest| {
        let len = rest.split("msg_len=").nth(1).and_then(|rest| rest.split('}').next()?.parse().ok());
        data(rest, len.unwrap_or(i64::MAX))
    });
    each.collect()
}

/// A `struct timeval`, which strace shows as its bytes, in the words of the trace.
fn milliseconds(text: &str) -> String {
    let bytes = text.split('"').nth(1).map(unescape).unwrap_or_default();
    let (seconds, micros) = bytes.split_at(bytes.len() / 2);
    let number = |half: &[u8]| half.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    match number(seconds) * 1000 + number(micros) / 1000 {
        0 => "0".to_owned(),
        millis => format!("{millis} ms"),
    }
}

/// The buffers of a message of strace's in hexadecimal, each behind the other.
fn buffers(message: &str) -> String {
    // The trace keeps this much of all buffers together, strace of each.
    let mut left = 4096;
    let piece = |base: &str| {
        let shown = data(base, left);
        left -= shown.len() as i64 / 2;
        shown
    };
    let all: Vec<String> = message.split("iov_base=").skip(1).map(piece).collect();
    all.join(" ")
}

/// A `struct timespec` in the words of the trace.
fn timespec(text: &str) -> String {
    let number = |name: &str| {
        let digits = text.split(name).nth(1)?.split([',', '}']).next()?;
        digits.parse::<u64>().ok()
    };
    match (number("tv_sec="), number("tv_nsec=")) {
        (Some(seconds), Some(nanos)) => format!("{} ms", seconds * 1000 + nanos / 1_000_000),
        _ => text.to_owned(),
    }
}

/// `\x68\x69`, which is how `strace -xx` writes every string.
fn unescape(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|digits| u8::from_str_radix(digits, 16).expect("two digits")).collect()
}

/// Arguments, split at the commas that are in no string and no bracket.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quoted) = (vec![String::new()], 0, false);
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            '{' | '[' | '(' if !quoted => depth += 1,
            '}' | ']' | ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is a part").push(character);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// The calls of each role of each scene, from the trace, in the same form.
fn told(events: &[Json]) -> Vec<Seen> {
    let mut all: Vec<(u64, Seen)> = Vec::new();
    let mut sockets = BTreeSet::new();
    let mut begun = None;
    // Whose descriptors a thread has.
    let mut processes: BTreeMap<(u64, String), String> = BTreeMap::new();
    for event in events.iter().filter(|event| event["actor"].is_string()) {
        let scene = event["scene"].as_u64().expect("a scene");
        let role = event["actor"].as_str().expect("a role");
        let process = processes.get(&(scene, role.to_owned())).map_or(role, String::as_str).to_owned();
        if let Some(child) = event["out"]["pid"].as_str().filter(|_| event["call"] == "fork") {
            let of_parent = |(at, of, _): &&(u64, String, i64)| (*at, of) == (scene, &process);
            let has: Vec<i64> = sockets.iter().filter(of_parent).map(|(.., fd)| *fd).collect();
            sockets.extend(has.into_iter().map(|fd| (scene, child.to_owned(), fd)));
        }
        if let Some(thread) = event["out"]["thread"].as_str() {
            processes.insert((scene, thread.to_owned()), process.clone());
        }
        if !all.iter().any(|(in_scene, seen)| *in_scene == scene && seen.role == role) {
            all.push((scene, Seen { role: role.to_owned(), calls: Vec::new() }));
        }
        let (_, seen) = all.iter_mut().find(|(at, seen)| *at == scene && seen.role == role).expect("it is there");
        // In the child, fork returns and strace has nothing to show.
        let returns_in_child = event["call"] == "fork" && event["ret"] == 0;
        if event["kind"] == "call" && !returns_in_child && is_on_a_socket(event, &process, &mut sockets) {
            let times = event["times"].as_u64().unwrap_or(1) as usize;
            seen.calls.extend(std::iter::repeat_n(told_call(event), times));
        }
        // The call in which the signal came has returned, as strace has it, and nobody was left to tell.
        if event["kind"] == "begin" {
            begun = Some(event);
        } else if let Some(begun) = begun.take()
            && event["kind"] == "exit"
            && event["exit"]["signal"] == 13
        {
            let mut call = begun.clone();
            call["ret"] = (-1).into();
            call["errno"] = "EPIPE".into();
            seen.calls.push(told_call(&call));
        }
    }
    all.into_iter().map(|(_, seen)| seen).collect()
}

/// Whether a call is one on a socket: not on a command, on its pipes, or on no descriptor at all. `sockets` are those
/// that are open: scene, process and descriptor.
fn is_on_a_socket(event: &Json, process: &str, sockets: &mut BTreeSet<(u64, String, i64)>) -> bool {
    let socket = |fd: &Json| Some((event["scene"].as_u64()?, process.to_owned(), fd.as_i64()?));
    match event["call"].as_str() {
        Some("system" | "posix_spawnp" | "kill" | "sigaction" | "setitimer" | "setrlimit") => false,
        Some("pthread_create" | "pthread_join" | "sem_post" | "sem_wait" | "getpid" | "gettid") => false,
        // Of the calls on files, those are left out that strace is not asked for.
        Some(
            "fstatat" | "fchmodat" | "openat" | "linkat" | "mkdirat" | "symlinkat" | "mknodat" | "readdir" | "pipe2",
        ) => false,
        Some("poll") => !event["fd"].is_null(),
        Some("fcntl") if event["args"]["cmd"] == "F_DUPFD_CLOEXEC" => {
            sockets.extend(socket(&event["ret"]));
            true
        }
        Some(
            "read" | "pread64" | "write" | "sendfile" | "splice" | "fcntl" | "fstat" | "lseek" | "ftruncate" | "fsync"
            | "flock" | "renameat2" | "unlinkat",
        ) => socket(&event["fd"]).is_some_and(|socket| sockets.contains(&socket)),
        Some("socket" | "accept" | "openat2" | "epoll_create1") => {
            sockets.extend(socket(&event["ret"]));
            true
        }
        Some("recvmsg") => {
            sockets.extend(socket(&event["out"]["SCM_RIGHTS"]));
            true
        }
        Some("socketpair") => {
            let pair = descriptors(event["out"]["sv"].as_str().unwrap_or_default());
            sockets.extend(pair.into_iter().filter_map(|fd| socket(&fd.into())));
            true
        }
        Some("close") => socket(&event["fd"]).is_some_and(|socket| sockets.remove(&socket)),
        _ => true,
    }
}

fn told_call(event: &Json) -> String {
    if let Some(call) = told_of_a_parent(event) {
        return call;
    }
    let (name, default) = as_strace_has_it(event["call"].as_str().expect("a name"));
    let argument = |name: &str| match &event["args"][name] {
        Json::String(word) => word.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    };
    let flags = match (argument("flags").as_str(), default) {
        ("" | "0", default) => default.to_owned(),
        (flags, "0") => flags.to_owned(),
        (flags, default) => format!("{flags}|{default}"),
    };
    let fd = event["fd"].to_string();
    let data = event["data"].as_str().unwrap_or("").to_owned();
    let arguments = match name {
        "socket" => format!("{}, {}|SOCK_CLOEXEC, {}", argument("domain"), argument("type"), argument("protocol")),
        "socketpair" => {
            let sv = event["out"]["sv"].as_str().unwrap_or_default();
            format!("{}, {}|SOCK_CLOEXEC, {}, {sv}", argument("domain"), argument("type"), argument("protocol"))
        }
        "listen" => format!("{fd}, {}", argument("backlog")),
        "shutdown" => format!("{fd}, {}", argument("how")),
        "accept4" if argument("flags").is_empty() => format!("{fd}, {default}"),
        "accept4" => format!("{fd}, {default}|{}", argument("flags")),
        "epoll_create1" => "EPOLL_CLOEXEC".to_owned(),
        "epoll_ctl" => {
            let events = if event["args"]["events"].is_null() { "0".to_owned() } else { argument("events") };
            format!("{fd}, {}, {}, {events}", argument("op"), argument("fd"))
        }
        "epoll_pwait" => {
            let timeout = argument("timeout");
            let timeout = if timeout.is_empty() { "-1" } else { timeout.trim_end_matches(" ms") };
            let ready = event["out"]["events"].as_str().unwrap_or("");
            format!("{fd}, {ready}, {}, {timeout}", argument("maxevents"))
        }
        "ioctl" => {
            let argp = if event["args"]["argp"].is_null() { &event["out"]["argp"] } else { &event["args"]["argp"] };
            format!("{fd}, {}, [{argp}]", argument("request"))
        }
        "openat2" => {
            let dirfd = if event["fd"].is_null() { argument("dirfd") } else { fd };
            let resolve = if event["args"]["resolve"].is_null() { "0".to_owned() } else { argument("resolve") };
            format!("{dirfd}, {}, {}, {}", hex(&argument("path")), sorted(&argument("flags")), sorted(&resolve))
        }
        "unlinkat" => format!("{fd}, {}", hex(&argument("path"))),
        "renameat2" => {
            format!("{fd}, {}, {}, {}", hex(&argument("oldpath")), hex(&argument("newpath")), argument("flags"))
        }
        "lseek" => format!("{fd}, {}, {}", argument("offset"), argument("whence")),
        "ftruncate" => format!("{fd}, {}", argument("length")),
        "flock" => format!("{fd}, {}", argument("operation")),
        "sendfile" => format!("{fd}, {}, NULL, {}", argument("in_fd"), argument("count")),
        "splice" => format!("{fd}, NULL, {}, NULL, {}, 0", argument("fd_out"), argument("len")),
        "read" | "write" => format!("{fd}, {data}, {}", argument("len")),
        "pread64" => format!("{fd}, {data}, {}, {}", argument("len"), argument("offset")),
        "fcntl" if event["args"]["arg"].is_null() => format!("{fd}, {}", argument("cmd")),
        "fcntl" => format!("{fd}, {}, {}", argument("cmd"), argument("arg")),
        "ppoll" => format!("[{{fd={fd}, events={}}}], {}", argument("events"), argument("timeout")),
        "pselect6" => format!("{}, {}, {}", argument("nfds"), argument("readfds"), argument("timeout")),
        "setsockopt" => format!("{fd}, {}, {}", argument("optname"), argument("optval")),
        "getsockopt" => format!("{fd}, {}", argument("optname")),
        "sendto" | "recvfrom" => format!("{fd}, {data}, {}, {}", argument("len"), ordered(&flags)),
        "sendmmsg" | "recvmmsg" => format!("{fd}, {data}, {}, {flags}", argument("vlen")),
        "sendmsg" => {
            let all = event["data"].as_array().expect("several buffers").iter();
            let all: Vec<&str> = all.map(|buffer| buffer.as_str().expect("hexadecimal")).collect();
            format!("{fd}, {}, {}, {:?}", all.join(" "), ordered(&flags), number(&event["args"]["SCM_RIGHTS"]))
        }
        "recvmsg" => {
            let truncated = event["out"]["msg_flags"].as_str().unwrap_or("0");
            format!("{fd}, {data}, {truncated}, {flags}, {:?}", number(&event["out"]["SCM_RIGHTS"]))
        }
        _ => fd,
    };
    format!("{name}({arguments}) = {} {}", event["ret"], event["errno"].as_str().unwrap_or(""))
}

/// The flags that files are opened with, in one order, without those that every one has.
fn sorted(flags: &str) -> String {
    let mut all: Vec<&str> = flags.split('|').filter(|flag| !["O_CLOEXEC", "O_LARGEFILE"].contains(flag)).collect();
    all.sort_unstable();
    all.join("|")
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Flags in the order of their bits, which is strace's.
fn ordered(flags: &str) -> String {
    let known = ["MSG_OOB", "MSG_PEEK", "MSG_TRUNC", "MSG_DONTWAIT", "MSG_WAITALL", "MSG_NOSIGNAL", "MSG_MORE"];
    let mut all: Vec<&str> = flags.split('|').collect();
    all.sort_by_key(|flag| known.iter().position(|known| known == flag));
    all.join("|")
}

/// Where strace and the trace part, if they do.
fn difference(seen: &[Seen], told: &[Seen]) -> Option<String> {
    let mut told: Vec<&Seen> = told.iter().collect();
    for one in seen {
        // Roles of the same name come in the order of their scenes, as their processes do.
        let index = told.iter().position(|other| is_called(&other.role, &one.role));
        let calls = index.map_or_else(Vec::new, |index| told.remove(index).calls.clone());
        // Commands are made by other calls of the C library's, which stand for all that theirs do.
        let is_parents = |call: &String| call.starts_with("fork(") || call.starts_with("waitpid(");
        let has_children = calls.iter().any(is_parents);
        let seen: Vec<&String> = one.calls.iter().filter(|call| has_children || !is_parents(call)).collect();
        if let Some(at) = (0..seen.len().max(calls.len())).find(|at| seen.get(*at).copied() != calls.get(*at)) {
            return Some(format!(
                "{}, call {}:\n  strace: {:?}\n  trace:  {:?}",
                one.role,
                at + 1,
                seen.get(at),
                calls.get(at)
            ));
        }
    }
    told.iter().find(|one| !one.calls.is_empty()).map(|one| format!("strace did not see {}", one.role))
}

#[test]
fn the_trace_of_every_role_is_the_list_of_calls_that_strace_sees() {
    if !has("strace") {
        return skip("the_trace_of_every_role_is_the_list_of_calls_that_strace_sees", "strace is not installed");
    }
    side_by_side(&played_here("the_trace_of_every_role_is_the_list_of_calls_that_strace_sees"), |lab| {
        let (seen, events) = watch(&lab.words(), &[]);
        let calls: usize = seen.iter().map(|one| one.calls.len()).sum();
        assert!(calls > 5, "{}: strace saw {calls} calls", lab.folder);
        if let Some(difference) = difference(&seen, &told(&events)) {
            panic!("{}: {difference}", lab.folder);
        }
    });
}

#[test]
fn the_trace_of_files_is_the_list_of_calls_that_strace_sees() {
    if !has("strace") {
        return skip("the_trace_of_files_is_the_list_of_calls_that_strace_sees", "strace is not installed");
    }
    for scene in ["1", "2", "3"] {
        let (seen, events) = watch(&fixture_words("filing-roles"), &["--scene", scene]);
        assert!(seen.iter().map(|one| one.calls.len()).sum::<usize>() > 20, "scene {scene}");
        assert_eq!(difference(&seen, &told(&events)), None, "scene {scene}");
    }
}

#[test]
fn the_trace_of_processes_and_threads_is_the_list_of_calls_that_strace_sees() {
    if !has("strace") {
        return skip(
            "the_trace_of_processes_and_threads_is_the_list_of_calls_that_strace_sees",
            "strace is not installed",
        );
    }
    for scene in ["1", "2", "3", "4", "5", "6", "7"] {
        let (seen, events) = watch(&fixture_words("dividing-roles"), &["--scene", scene]);
        assert!(seen.iter().any(|one| one.role == "server/1"), "scene {scene}");
        assert_eq!(difference(&seen, &told(&events)), None, "scene {scene}");
    }
}

#[test]
fn an_untraced_call_on_another_socket_is_noticed() {
    if !has("strace") {
        return skip("an_untraced_call_on_another_socket_is_noticed", "strace is not installed");
    }
    let (seen, events) = watch(&fixture_words("misbehaving-roles"), &["--scene", "1"]);
    let difference = difference(&seen, &told(&events)).expect("a difference");
    assert!(difference.contains("socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC"), "{difference}");
}

#[test]
fn an_untraced_call_on_a_traced_socket_is_noticed() {
    if !has("strace") {
        return skip("an_untraced_call_on_a_traced_socket_is_noticed", "strace is not installed");
    }
    let (seen, events) = watch(&fixture_words("misbehaving-roles"), &["--scene", "2"]);
    let difference = difference(&seen, &told(&events)).expect("a difference");
    assert!(difference.contains("getsockname(3)"), "{difference}");
}
