//! One role by hand: the same function as a plain program, in a terminal.

use std::cell::RefCell;
use std::fs;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

use super::arguments::Arguments;
use super::command::{Permission, permit};
use super::history::History;
use super::{Endpoint, Lab, exit, use_folder, words};
use crate::output;
use crate::probe::{self, Holder};
use crate::stage::LONGEST_TEXT;
use crate::trace::recorder::{self, MakeRecorder, Recorder, uncoloured};
use crate::trace::{Call, Errno, Event, Host, SocketType, Syscall, Value, Wait, Waiting, What};
use crate::view::{Transcript, text};

/// Plays one role in this process.
pub(super) fn run(lab: &Lab, arguments: &Arguments) -> u8 {
    let scene = arguments.scene_by_hand(lab);
    let role = arguments.role.as_deref().unwrap_or_default();
    let Some(spec) = scene.roles.iter().find(|spec| spec.name == role) else { return exit::USAGE };
    let address: SocketAddr = arguments.address.unwrap_or(SocketAddrV4::new(Ipv4Addr::LOCALHOST, lab.port)).into();
    if spec.runs_commands {
        if !arguments.allow_commands {
            output::complain(format_args!(
                "{}: {role} executes, as you, every command that a program on this machine sends it: \
                 add --allow-commands if you want that (each is stopped after 5 s or 1 MiB of output; \
                 a web browser's requests are refused)",
                lab.label()
            ));
            return exit::USAGE;
        }
        output::complain(format_args!(
            "{}: --allow-commands: until {role} ends, every program on this machine can connect to {address} and \
             execute commands as you; a web browser's requests are refused, and end {role}",
            lab.label()
        ));
        permit(Permission::Anything);
    }
    let failed = Rc::new(RefCell::new(None));
    if let Some(dir) = &arguments.dir {
        match make_folder(dir) {
            Ok(()) => use_folder(dir),
            Err(error) => {
                output::complain(format_args!("{}: --dir {}: {error}", lab.label(), dir.display()));
                return exit::USAGE;
            }
        }
    }
    let history = spec.words.is_some() && io::stdin().is_terminal() && io::stdout().is_terminal();
    if let Some(help) = spec.words.filter(|_| history && arguments.words.is_empty()) {
        output::complain(format_args!("{}: {role} takes {help}", lab.label()));
    }
    let mut by_hand = ByHand::new(role, lab.label(), arguments.calls);
    by_hand.transcript = by_hand.transcript.map(|shown| if scene.has_children { shown.with_children() } else { shown });
    by_hand.failed = Rc::clone(&failed);
    by_hand.before_it_waits = alone_at_a_terminal(lab, arguments, role);
    by_hand.history = history.then(History::new);
    recorder::install(Box::new(by_hand));
    words::give(&arguments.words);
    let result = (spec.role)(Endpoint { server: address, port: lab.port });
    recorder::uninstall();
    match result {
        Ok(()) => exit::OK,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe && failed.borrow().is_none() => exit::OK,
        Err(error) => complain(lab, role, &error, failed.borrow().as_ref()),
    }
}

/// Makes a folder where there is none; those above it must be there.
fn make_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Tells the program's user what it says and asks, and remembers the last call that failed.
struct ByHand {
    role: String,
    transcript: Option<Transcript>,
    failed: Rc<RefCell<Option<Failed>>>,
    /// The kernel's table of sockets like the one that was made last.
    table: &'static str,
    count: u64,
    /// How a person calls the lab.
    label: String,
    /// Whether it was said that there are no pauses.
    pauses_are_skipped: bool,
    /// What is said when a program that has printed nothing comes to a call that may wait: it would look dead.
    before_it_waits: Option<String>,
    /// What was typed before, of a role whose user types much.
    history: Option<History>,
}

/// What else its user can do who sees nothing of a role but that it waits, at a terminal.
fn alone_at_a_terminal(lab: &Lab, arguments: &Arguments, role: &str) -> Option<String> {
    if arguments.calls || !io::stdout().is_terminal() || !io::stderr().is_terminal() {
        return None;
    }
    let scene = arguments.scene_by_hand(lab);
    let number = lab.scenes.iter().position(|other| std::ptr::eq(other, scene)).map_or(1, |index| index + 1);
    let flag = if number > 1 { format!(" --scene {number}") } else { String::new() };
    let others = scene.roles.iter().filter(|spec| spec.name != role);
    let others: Vec<String> = others.map(|spec| format!("just {} {}{flag}", lab.label(), spec.name)).collect();
    let elsewhere =
        if others.is_empty() { String::new() } else { format!("; in another terminal: {}", others.join(", ")) };
    Some(format!("{elsewhere}; Ctrl-C ends this one, --calls shows its calls"))
}

/// The last call that failed, and the kernel's table in which its socket stands.
struct Failed {
    call: Call,
    table: &'static str,
}

impl ByHand {
    fn new(role: &str, label: String, shows_calls: bool) -> ByHand {
        ByHand {
            role: role.to_owned(),
            transcript: shows_calls.then(|| Transcript::new(&[role])),
            failed: Rc::default(),
            table: "tcp",
            count: 0,
            label,
            pauses_are_skipped: false,
            before_it_waits: None,
            history: None,
        }
    }

    fn show(&mut self, what: What) {
        if let Some(transcript) = &self.transcript {
            self.count += 1;
            let role = Some(self.role.clone());
            let event = Event { n: self.count, at_ns: 0, scene: 1, actor: role.clone(), role, host: Host::Local, what };
            let _ = anstream::stderr().write_all(transcript.lines(&event).as_bytes());
        }
    }
}

impl Recorder for ByHand {
    fn before(&mut self, call: &Call, wait: Wait) {
        if let Some(for_what) = wait.what() {
            if self.transcript.is_some() {
                self.show(What::Begin(call.clone()));
            }
            let on_what = matches!(wait, Wait::Readable(_) | Wait::Until(_)).then(|| self.before_it_waits.take());
            if let Some(what_else) = on_what.flatten() {
                let timed = wait.is_timed();
                let waiting =
                    Waiting { role: self.role.clone(), call: call.name, fd: call.fd, waits_for: for_what, timed };
                output::complain(format_args!(
                    "{}: {} waits {}{what_else}",
                    self.label,
                    self.role,
                    text::waits_in(&waiting)
                ));
            }
        }
    }

    fn after(&mut self, call: Call, _opened: Option<BorrowedFd<'_>>) {
        if call.errno.is_some() {
            *self.failed.borrow_mut() = Some(Failed { call: call.clone(), table: self.table });
        }
        if let Some(kind) = call.socket_type() {
            self.table = if kind == SocketType::Datagram { "udp" } else { "tcp" };
        }
        self.show(What::Call(call));
    }

    fn say(&mut self, text: &str) {
        self.before_it_waits = None;
        // Colours reach a terminal only, and not one whose user has set NO_COLOR.
        let coloured = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        let text = if coloured { text.to_owned() } else { uncoloured(text) };
        let mut out = io::stdout().lock();
        if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
            // Whoever read what we print has gone.
            std::process::exit(exit::OK.into());
        }
    }

    fn note(&mut self, text: &str) {
        self.show(What::Note { text: text.to_owned() });
    }

    fn meet(&mut self, text: &str) {
        self.before_it_waits = None;
        if io::stdin().is_terminal() {
            let _ = io::stderr().write_all(format!("[press Enter when {text}] ").as_bytes());
            let _ = io::stdin().lock().read_line(&mut String::new());
        } else if !std::mem::replace(&mut self.pauses_are_skipped, true) {
            output::complain(format_args!(
                "{}: {}: no pause until {text}: that takes Enter, and standard input is not a terminal; \
                 what follows may differ from the demo",
                self.label, self.role
            ));
        }
    }

    fn prompt(&mut self, prompt: &str) -> Option<String> {
        self.before_it_waits = None;
        if let Some(history) = &mut self.history {
            return history.prompt(prompt);
        }
        let mut out = io::stdout().lock();
        let _ = write!(out, "{prompt}").and_then(|()| out.flush());
        let mut line = Vec::new();
        let read = io::stdin().lock().take(LONGEST_TEXT as u64).read_until(b'\n', &mut line);
        if !matches!(read, Ok(count) if count > 0) {
            let _ = writeln!(out);
            return None;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        Some(String::from_utf8_lossy(line).into_owned())
    }

    fn name(&mut self, address: SocketAddr) -> String {
        address.to_string()
    }

    fn be_child(&mut self, number: u32, _own: Option<OwnedFd>) {
        self.role = format!("{}/{number}", self.role);
        self.before_it_waits = None;
    }

    fn for_thread(&self, number: u32, _own: Option<OwnedFd>) -> Option<MakeRecorder> {
        let (role, name, label) = (self.role.clone(), format!("{}/{number}", self.role), self.label.clone());
        let shows_calls = self.transcript.is_some();
        Some(Box::new(move || {
            let mut by_hand = ByHand::new(&role, label, shows_calls);
            by_hand.transcript = by_hand.transcript.map(Transcript::with_children);
            by_hand.role = name;
            Box::new(by_hand)
        }))
    }

    fn ends(&mut self, result: Result<(), String>) {
        if let Err(error) = result {
            output::complain(format_args!("{}: {}: {error}", self.label, self.role));
        }
    }

    fn beside(&self) -> Option<MakeRecorder> {
        let (role, label, shows_calls) = (self.role.clone(), self.label.clone(), self.transcript.is_some());
        Some(Box::new(move || Box::new(ByHand::new(&role, label, shows_calls))))
    }
}

/// Says which call failed, how, and what to try.
fn complain(lab: &Lab, role: &str, error: &io::Error, failed: Option<&Failed>) -> u8 {
    let label = lab.label();
    let errno = Errno::of(error);
    // An error without a number is one of our own, and says all that there is to say.
    let is_of = |failed: &&Failed| error.raw_os_error().is_some() && failed.call.errno == Some(errno);
    let Some(failed) = failed.filter(is_of) else {
        output::complain(format_args!("{label}: {role}: {error}"));
        return exit::FAILED;
    };
    let call = &failed.call;
    let address = call.args.iter().find_map(|(_, value)| match value {
        Value::Address(address) => Some(*address),
        _ => None,
    });
    let names_a_path = |value: &&Value| matches!(value, Value::Path(_));
    let of_a_socket = call.args.iter().map(|(_, value)| value).find(names_a_path);
    let path =
        || of_a_socket.or(call.get_arg("path")).map(|path| format!("\"{}\"", text::harmless(&text::value(path))));
    let place = address.map(|address| address.to_string()).or_else(path).unwrap_or_default();
    let (advice, code) = match of_a_socket {
        Some(path) => advice_on_a_path(lab, call, errno, &text::harmless(&text::value(path))),
        None => advice(lab, call, errno, address, failed.table),
    };
    output::complain(format_args!("{label}: {role}: {}({place}): {errno}: {advice}", call.name));
    code
}

/// The same of a socket whose name is a path.
fn advice_on_a_path(lab: &Lab, call: &Call, errno: Errno, path: &str) -> (String, u8) {
    match (call.name, errno) {
        (Syscall::Bind, Errno::EADDRINUSE) => (
            format!("the name is there, of a server that runs or of one that has left it: end that one, or rm {path}"),
            exit::PORT_TAKEN,
        ),
        (_, Errno::ENOENT) => {
            let server = format!("just {} server", lab.label());
            (
                format!("there is no such name in this folder: start the server first, here, {server}"),
                exit::NOBODY_THERE,
            )
        }
        (_, Errno::ECONNREFUSED) => {
            let server = format!("rm {path}, then start the server, just {} server", lab.label());
            (format!("the name is there, and nobody listens: {server}"), exit::NOBODY_THERE)
        }
        _ => ("see errno(3)".to_owned(), exit::FAILED),
    }
}

fn advice(lab: &Lab, call: &Call, errno: Errno, address: Option<SocketAddr>, table: &str) -> (String, u8) {
    match (call.name, errno, address) {
        (Syscall::Bind, Errno::EADDRINUSE, Some(address)) => {
            let port = address.port();
            let holder = match probe::holder_of(port, table, None) {
                Holder::Process(pid, name) => format!("{name} (process {pid}) has the port: end it"),
                Holder::ClosedConnection => {
                    "a server that has ended closed a connection first, and the kernel keeps its port for a minute \
                     (just lab 18 shows why): wait"
                        .to_owned()
                }
                Holder::Hidden => {
                    format!("the port is taken: `ss -tulnp 'sport = :{port}'` as root shows by whom: end it")
                }
            };
            let another = port ^ 1;
            (
                format!("{holder}, or give both roles another address with --address 127.0.0.1:{another}"),
                exit::PORT_TAKEN,
            )
        }
        (Syscall::Bind, Errno::EACCES, _) => {
            ("ports below 1024 are root's: give another one with --address".to_owned(), exit::FAILED)
        }
        (_, Errno::ECONNREFUSED, _) => {
            (format!("nobody listens there: start the server first, just {} server", lab.label()), exit::NOBODY_THERE)
        }
        (_, Errno::EPIPE, _) => {
            ("the peer has gone, or was never there: start the server first, then the client".to_owned(), exit::FAILED)
        }
        (_, Errno::ECONNRESET, _) => ("the peer has gone: start both roles again".to_owned(), exit::FAILED),
        _ => ("see errno(3)".to_owned(), exit::FAILED),
    }
}
