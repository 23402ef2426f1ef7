//! One thing to think of, for a student whose program failed: by the kind of failure first, by the check last.

use super::failure::{Failure, Kind, Shown, Sleeps};
use super::gate::Gate;
use super::grade::{Checked, Outcome};
use crate::sandbox::How;

const CANNOT_BE_STARTED: &str = "The first word of the command must be a program: a name that is installed, or \
    a file of the folder that may be executed. A script begins with #! and its language.";
const WANTS_ARGUMENTS: &str = "It wants words behind its name and gets none. Write them in the command, -- \
    python3 server.py {host} {port}, or in socklab.toml; or take HOST and PORT from the environment.";
const READS_INPUT: &str = "Nobody types anything here: standard input is at its end, but for the lines that a \
    client's task names. Take HOST and PORT from the environment.";
const NOT_UNDERSTOOD: &str = "Nothing of it was executed: the language does not understand the file. Begin \
    with the line that is shown above.";
const NOT_THERE: &str = "It wants a file or a module that is not there. It sees the files of its own folder \
    and the language's own library; what it needs besides must lie in that folder.";
const NO_CLASS: &str = "Java does not find the class. Name it as its file is named, and say where it lies as \
    seen from the program's folder: java -cp . Server.";
const NAME_IN_USE: &str = "bind failed: another socket has that address already, and here that can only be one \
    of the program's own. Bind each socket once; and look at what bind and listen return.";
const NAME_NOT_HAD: &str = "It cannot have that address. HOST and PORT are in the environment: bind to these, \
    as they are.";
const NO_VARIABLE: &str = "The environment has HOST and PORT, in capital letters, and few others.";
const OTHER_PORT: &str = "HOST and PORT are in the environment, and PORT is another number each time. What the \
    task calls its port is only for when nobody says otherwise.";
const TCP_FOR_UDP: &str = "This exercise is about UDP: SOCK_DGRAM in place of SOCK_STREAM, and neither listen \
    nor accept.";
const UDP_FOR_TCP: &str = "This exercise is about TCP: SOCK_STREAM in place of SOCK_DGRAM, then bind, listen \
    and accept.";
const BOUND_ONLY: &str = "Its socket is bound and does not listen: listen comes behind bind, and before accept.";
const IS_A_CLIENT: &str = "It connects to somebody. Here your program is the server: bind, listen, accept.";
const IS_A_SERVER: &str = "It waits for somebody to come. Here your program is the client: it comes to HOST \
    and PORT.";
const ENDED_AT_ONCE: &str = "It ended before it had done anything on the network. Try it by hand: \
    HOST=127.0.0.1 PORT=9999 before its command.";
const WAITS_TOO_EARLY: &str = "It waits for something before it does anything on the network, and nobody is \
    going to do that: the call in which it is asleep is named above.";
const SPINS_AT_ONCE: &str = "It computes, and does nothing on the network: look for a loop before it opens its \
    socket.";
const SPINS: &str = "It goes round and waits for nothing. Look for a loop in which each call returns at once: \
    recv that gives nothing at the end of the stream, a non-blocking socket without poll, a poll that is told of \
    an event that nobody handles.";
const SIGPIPE: &str = "A send to a connection that the other side has broken off raises SIGPIPE, which ends a \
    program that does not ignore it. Ignore the signal, or send with MSG_NOSIGNAL, and look at what send \
    returns.";
const CRASHED: &str = "It used memory that it must not. Compile it with -g -fsanitize=address,undefined: its \
    last words then name the line.";
const ABORTED: &str = "It ended itself, since something was not as it must be: an assertion, or memory that \
    was freed twice or written beyond its end. Its last words say which.";

/// The hint where there is nothing to judge.
pub const NOT_BUILT: &str = "Begin with the first error that is shown: those behind it may only follow from it.";

/// The hint for a check that failed: that of its kind of failure, or else the check's own. Empty for one that did not.
pub fn hint(checked: &Checked) -> &'static str {
    let Outcome::Failed(failure) = &checked.outcome else { return "" };
    // One that was never applied shows nothing.
    let known = if checked.took.is_zero() { None } else { by_kind(failure, checked.gate) };
    known.unwrap_or(checked.check.hint)
}

fn by_kind(failure: &Failure, gate: Gate) -> Option<&'static str> {
    let is_through = gate == Gate::Passed;
    match (failure.kind, &failure.seen.ending) {
        (Kind::Ended, Some(How::Killed(signal))) => by_signal(signal),
        (Kind::Ended, _) if is_through => None,
        (Kind::Ended, None) => Some(CANNOT_BE_STARTED),
        (Kind::Ended, Some(How::Exited(_))) => {
            let words = String::from_utf8_lossy(&failure.seen.printed);
            let words = format!("{}{words}", String::from_utf8_lossy(&failure.last_words));
            Some(by_last_words(&words).unwrap_or(ENDED_AT_ONCE))
        }
        (Kind::Spins, _) => Some(if is_through { SPINS } else { SPINS_AT_ONCE }),
        (Kind::Hangs | Kind::Wrong, _) if !is_through => Some(by_sockets(failure, gate)),
        _ => None,
    }
}

fn by_signal(signal: &str) -> Option<&'static str> {
    match signal {
        "SIGPIPE" => Some(SIGPIPE),
        "SIGABRT" => Some(ABORTED),
        "SIGSEGV" | "SIGBUS" | "SIGILL" | "SIGFPE" => Some(CRASHED),
        _ => None,
    }
}

/// What a program says that ends before it is on the network.
fn by_last_words(words: &str) -> Option<&'static str> {
    const SAYINGS: [(&[&str], &str); 8] = [
        (&["EOFError", "EOF when reading", "NoSuchElementException", "No line found"], READS_INPUT),
        (
            &[
                "SyntaxError",
                "IndentationError",
                "TabError",
                "error: compilation failed",
                "Unexpected token",
                "Parse error",
                "syntax error",
            ],
            NOT_UNDERSTOOD,
        ),
        (&["Could not find or load main class", "ClassNotFoundException"], NO_CLASS),
        (
            &[
                "ModuleNotFoundError",
                "ImportError",
                "Cannot find module",
                "can't open file",
                "error while loading shared libraries",
                "FileNotFoundError",
                "ENOENT",
            ],
            NOT_THERE,
        ),
        (&["KeyError: 'host'", "KeyError: 'port'", "KeyError: 'Host'", "KeyError: 'Port'"], NO_VARIABLE),
        (&["Address already in use", "address already in use", "EADDRINUSE", "AddrInUse"], NAME_IN_USE),
        (
            &[
                "Cannot assign requested address",
                "cannot assign requested address",
                "EADDRNOTAVAIL",
                "Permission denied",
            ],
            NAME_NOT_HAD,
        ),
        (
            &[
                "sys.argv",
                "process.argv",
                "usage:",
                "Usage:",
                "USAGE",
                "arguments are required",
                "for length 0",
                "[1] with length 1",
                "[2] with length 1",
                "the len is 1 but the index is",
            ],
            WANTS_ARGUMENTS,
        ),
    ];
    SAYINGS.iter().find(|(sayings, _)| sayings.iter().any(|saying| words.contains(saying))).map(|(_, hint)| *hint)
}

/// What a program did that is there, and not at its place.
fn by_sockets(failure: &Failure, gate: Gate) -> &'static str {
    let sockets = match &failure.got {
        Some(Shown::Words(words)) => words.as_str(),
        _ => "",
    };
    let has = |words: &str| sockets.contains(words);
    let default_port = failure.why.iter().any(|why| why.starts_with("it takes port"));
    let sleeps = |call: Sleeps| failure.seen.sleeps.contains(&call);
    match gate {
        _ if default_port => OTHER_PORT,
        Gate::Listen if has("TCP socket that listens") => OTHER_PORT,
        Gate::Listen if has("UDP socket") => UDP_FOR_TCP,
        Gate::Listen if has("SYN-SENT") || has("ESTABLISHED") => IS_A_CLIENT,
        Gate::Listen if has("TCP socket at") => BOUND_ONLY,
        Gate::Bind if has("UDP socket") => OTHER_PORT,
        Gate::Bind if has("TCP socket") => TCP_FOR_UDP,
        Gate::Connect | Gate::Send if sleeps(Sleeps::Accept) => IS_A_SERVER,
        _ if sleeps(Sleeps::Stdin) => READS_INPUT,
        _ => WAITS_TOO_EARLY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(words: &str) -> Failure {
        let mut failure = Failure::new(Kind::Ended, "nothing listens");
        failure.seen.ending = Some(How::Exited(1));
        failure.last_words = words.as_bytes().to_vec();
        failure
    }

    #[test]
    fn a_program_that_ends_at_once_is_helped_by_what_it_said() {
        for (words, hint) in [
            ("    PORT = int(sys.argv[1])\nIndexError: list index out of range", WANTS_ARGUMENTS),
            (
                "usage: server.py [-h] port\nserver.py: error: the following arguments are required: port",
                WANTS_ARGUMENTS,
            ),
            ("Index 0 out of bounds for length 0", WANTS_ARGUMENTS),
            ("panic: runtime error: index out of range [1] with length 1", WANTS_ARGUMENTS),
            ("EOFError: EOF when reading a line", READS_INPUT),
            ("Exception in thread \"main\" java.util.NoSuchElementException: No line found", READS_INPUT),
            ("SyntaxError: '(' was never closed", NOT_UNDERSTOOD),
            ("Server.java:3: error: ';' expected\nerror: compilation failed", NOT_UNDERSTOOD),
            ("ModuleNotFoundError: No module named 'framing'", NOT_THERE),
            ("Error: Could not find or load main class Server", NO_CLASS),
            ("bind: Address already in use", NAME_IN_USE),
            ("", ENDED_AT_ONCE),
        ] {
            assert_eq!(by_kind(&ended(words), Gate::Listen), Some(hint), "{words}");
            assert_eq!(by_kind(&ended(words), Gate::Passed), None, "the check knows better: {words}");
        }
    }

    #[test]
    fn a_program_at_another_place_is_told_of_that_place() {
        let at = |got: &str| Failure::new(Kind::Hangs, "nothing listens").between("a socket", got);
        for (gate, got, hint) in [
            (Gate::Listen, "a TCP socket that listens on 127.0.0.1:9999", OTHER_PORT),
            (Gate::Listen, "a UDP socket bound to 127.0.0.1:20000", UDP_FOR_TCP),
            (Gate::Listen, "a TCP socket at 127.0.0.1:20000, CLOSE", BOUND_ONLY),
            (Gate::Bind, "a TCP socket that listens on 127.0.0.1:20000", TCP_FOR_UDP),
            (Gate::Bind, "a UDP socket bound to 127.0.0.1:9999", OTHER_PORT),
            (Gate::Listen, "nothing", WAITS_TOO_EARLY),
        ] {
            assert_eq!(by_kind(&at(got), gate), Some(hint), "{got}");
        }
    }

    #[test]
    fn spinning_and_signals_have_hints_of_their_own_and_all_else_the_check_s() {
        let signal = |name: &str| {
            let mut failure = Failure::new(Kind::Ended, "it ended");
            failure.seen.ending = Some(How::Killed(name.to_owned()));
            by_kind(&failure, Gate::Passed)
        };
        assert_eq!(signal("SIGPIPE"), Some(SIGPIPE));
        assert_eq!(signal("SIGSEGV"), Some(CRASHED));
        assert_eq!(signal("SIGABRT"), Some(ABORTED));
        assert_eq!(signal("SIGTERM"), None);
        assert_eq!(by_kind(&Failure::new(Kind::Spins, "no"), Gate::Passed), Some(SPINS));
        assert_eq!(by_kind(&Failure::new(Kind::Wrong, "no"), Gate::Passed), None);
        assert_eq!(by_kind(&Failure::new(Kind::Hangs, "no"), Gate::Passed), None);
    }
}
