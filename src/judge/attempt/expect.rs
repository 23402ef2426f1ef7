//! What an attempt must print, how it must end, and what its host must look like.

use std::io;
use std::time::Duration;

use socket2::Type;

use super::Attempt;
use crate::judge::context::WaitOutcome;
use crate::judge::failure::{Done, Failure, Kind, Shown, Stop};
use crate::judge::snapshot::how_it_ended;
use crate::sandbox::{Ending, HostSocket, How};
use crate::trace::TcpState;
use crate::view::text;

/// The most columns that expected output takes in the story.
const MAX_OUTPUT_COLUMNS: usize = 60;

/// Standard output. Many languages hold it back until the program ends: let it end before.
impl Attempt {
    /// Expects this line next on the program's standard output.
    ///
    /// # Errors
    /// A failure, if another one comes, or none.
    pub fn expect_line(&mut self, line: &str) -> Done {
        self.must_print(line.as_bytes());
        *self.context.wanted.borrow_mut() = Some(line.as_bytes().to_vec());
        let got = self.read_line(&format!("the line {line:?}"))?;
        *self.context.wanted.borrow_mut() = None;
        if got == line.as_bytes() {
            return Ok(());
        }
        let failure = self.context.failure(Kind::Wrong, "it prints something else", None);
        let shown = |line: &[u8]| if line.is_empty() { Shown::from("an empty line") } else { line.into() };
        Err(failure.between(shown(line.as_bytes()), shown(&got)).into())
    }

    /// Reads the next line of the program's standard output, without its end. `expected` describes it in a report.
    ///
    /// # Errors
    /// A failure, if none comes.
    pub fn read_line(&mut self, expected: &str) -> Done<Vec<u8>> {
        let from = self.read;
        let end = |kept: &[u8]| kept.get(from..)?.iter().position(|byte| *byte == b'\n').map(|end| from + end);
        let waited = self.context.wait(None, |sandbox| Ok(end(&sandbox.output().stdout.kept).is_some()))?;
        let kept = self.context.sandbox.borrow().output().stdout.kept.clone();
        let Some(end) = end(&kept) else {
            let rest = kept.get(from..).unwrap_or_default().to_vec();
            self.context.is_about_output.set(true);
            let failure = self.context.unmet(&waited, "it does not print what it must");
            let got = if rest.is_empty() { Shown::from("nothing") } else { rest.into() };
            return Err(failure.between(expected, got).into());
        };
        self.read = end + 1;
        Ok(kept[from..end].to_vec())
    }

    /// Expects exactly these bytes next on the program's standard output, before it ends.
    ///
    /// # Errors
    /// A failure, if others come, or fewer.
    pub fn expect_output(&mut self, bytes: &[u8]) -> Done {
        self.must_print(bytes);
        let wanted = self.read + bytes.len();
        let waited = self.context.wait(None, |sandbox| Ok(sandbox.output().stdout.kept.len() >= wanted))?;
        let got = self.unread_output();
        if got.starts_with(bytes) {
            self.read = wanted;
            return Ok(());
        }
        self.context.is_about_output.set(true);
        let failure = match waited {
            WaitOutcome::Ready => self.context.failure(Kind::Wrong, "it prints something else", None),
            other => self.context.unmet(&other, "it does not print all that it must"),
        };
        Err(failure.between(bytes, got).into())
    }

    /// Expects that the program prints nothing more until it ends or sleeps.
    ///
    /// # Errors
    /// A failure, if it does.
    pub fn expect_no_more_lines(&mut self) -> Done {
        self.context.log.step("it must print nothing more");
        self.context.settle()?;
        let rest = self.unread_output();
        if rest.is_empty() {
            return Ok(());
        }
        let failure = self.context.failure(Kind::Wrong, "it prints more than it must", None);
        Err(failure.between("nothing", rest).into())
    }

    /// All that the program has printed on its standard output by now.
    pub fn printed(&self) -> Vec<u8> {
        self.context.sandbox.borrow().output().stdout.kept.clone()
    }

    fn must_print(&self, bytes: &[u8]) {
        let shown = text::quoted_within(bytes, bytes.len(), MAX_OUTPUT_COLUMNS);
        self.context.log.step(format!("it must print {shown}"));
    }

    /// The standard output of which nothing was expected yet.
    fn unread_output(&self) -> Vec<u8> {
        self.context.sandbox.borrow().output().stdout.kept.get(self.read..).unwrap_or_default().to_vec()
    }
}

/// Its own time limits, which it may have passed before an answer of ours came.
impl Attempt {
    /// Applies a part of a check from the start of the program to its end; again, with the program started anew, if it
    /// fails and our answers were no quicker than `quick`: a program that gives up much too early is told so by the
    /// check for that, and by no other one because the machine was busy.
    ///
    /// # Errors
    /// Those of the part.
    pub fn repeat_if_slow(&mut self, quick: Duration, part: impl Fn(&mut Attempt) -> Done) -> Done {
        const MAX_TRIES: u32 = 10;
        for _ in 1..MAX_TRIES {
            match part(self) {
                Err(Stop::Failed(failure)) if failure.kind != Kind::Limit => {
                    let slowest = self.context.slowest_answer.get();
                    if slowest <= quick || failure.kind == Kind::Hangs {
                        return Err(Stop::Failed(failure));
                    }
                    let slowest = slowest.as_millis();
                    self.context.log.step(format!("our side took {slowest} ms to answer: all of it once more"));
                    self.kill()?;
                }
                done => return done,
            }
        }
        part(self)
    }
}

impl Attempt {
    /// Applies a part of a check whose outcome the machine may spoil, from the start of the program to its end. What it
    /// finds, and where, counts if it finds it there in three of five tries; if it finds nothing at first, that counts.
    ///
    /// # Errors
    /// Those of the part, and what it finds.
    pub fn repeat_if_doubtful(&mut self, part: impl Fn(&mut Attempt) -> Done<Option<(usize, Failure)>>) -> Done {
        const TRIES: usize = 5;
        const ENOUGH: usize = 3;
        let mut found: Vec<usize> = Vec::new();
        for tries in 1..=TRIES {
            match part(self)? {
                None if tries == 1 => return Ok(()),
                None => {}
                Some((at, failure)) => {
                    found.push(at);
                    if found.iter().filter(|other| **other == at).count() == ENOUGH {
                        return Err(failure.into());
                    }
                }
            }
            if tries < TRIES {
                self.context.log.step("that may have been the machine: all of it once more");
                self.kill()?;
            }
        }
        Ok(())
    }
}

/// The program's end, and its rest.
impl Attempt {
    /// Waits until the program ends by itself.
    ///
    /// # Errors
    /// A failure, if it does not.
    pub fn wait_for_end(&mut self) -> Done<Ending> {
        self.context.log.step("the program must end by itself");
        match self.context.wait(None, |_| Ok(false))? {
            WaitOutcome::Ended => {}
            other => return Err(self.context.unmet(&other, "it does not end").into()),
        }
        self.context.ended().ok_or_else(|| Stop::Fault("a program ended, and nobody knows how".to_owned()))
    }

    /// Expects that the program ends by itself, with whatever exit code.
    ///
    /// # Errors
    /// A failure, if it does not, or is ended because it exceeded a limit.
    pub fn expect_end(&mut self) -> Done {
        let ending = self.wait_for_end()?;
        if ending.limit.is_none() {
            return Ok(());
        }
        let failure = self.context.failure(Kind::Ended, "it does not end as it must", None);
        Err(failure.between("an end of its own", how_it_ended(&ending)).into())
    }

    /// Waits until the program ends, and expects this exit code.
    ///
    /// # Errors
    /// A failure, if it ends in another way, or does not.
    pub fn expect_exit(&mut self, code: i32) -> Done {
        self.expect_ending(&format!("exit code {code}"), |exited| exited == code)
    }

    /// Waits until the program ends, and expects an exit code that reports an error: any but 0.
    ///
    /// # Errors
    /// A failure, if it ends in another way, or does not.
    pub fn expect_error_exit(&mut self) -> Done {
        self.expect_ending("an exit code other than 0", |exited| exited != 0)
    }

    fn expect_ending(&mut self, expected: &str, is_right: impl Fn(i32) -> bool) -> Done {
        let ending = self.wait_for_end()?;
        if matches!(ending.how, How::Exited(code) if is_right(code)) && ending.limit.is_none() {
            return Ok(());
        }
        let failure = self.context.failure(Kind::Ended, "it does not end as it must", None);
        Err(failure.between(expected, how_it_ended(&ending)).into())
    }

    /// Expects that the program still runs, once it sleeps.
    ///
    /// # Errors
    /// A failure, if it has ended.
    pub fn assert_running(&mut self) -> Done {
        self.context.log.step("the program must still be there");
        self.context.settle()?;
        match self.context.ended() {
            None => Ok(()),
            Some(_) => Err(self.context.failure(Kind::Ended, "it is no longer there", None).into()),
        }
    }

    /// Fails unless the program stops using CPU while no request is pending.
    ///
    /// # Errors
    /// A failure, if it goes on using CPU.
    pub fn assert_idle(&self) -> Done {
        self.context.log.step("the program must rest while nobody asks anything of it");
        self.context.rest()
    }
}

/// The program's port.
impl Attempt {
    /// Expects that no second server can share the program's port with `SO_REUSEPORT`. The second server is of the
    /// same user, as the kernel demands of sockets that share a port, socket(7).
    ///
    /// # Errors
    /// A failure, if it can.
    pub fn assert_port_not_shared(&self) -> Done {
        self.context.log.step("our second server tries to listen on the same port, with SO_REUSEPORT");
        let fault = |call: &'static str| move |error: io::Error| Stop::ours(call, &error);
        let address = self.context.address();
        let listens = |socket: &HostSocket| socket.state == TcpState::Listen && socket.local.port() == address.port();
        let theirs = self.sockets()?.into_iter().find(listens);
        let second = self.context.sandbox.borrow().socket(Type::STREAM).map_err(fault("socket"))?;
        let ours = rustix::fs::fstat(&second).map_err(|errno| fault("fstat")(errno.into()))?.st_uid;
        if let (0, Some(theirs)) = (ours, theirs) {
            let owner = rustix::fs::Uid::from_raw(theirs.owner);
            rustix::fs::fchown(&second, Some(owner), None).map_err(|errno| fault("fchown")(errno.into()))?;
        }
        second.set_reuse_port(true).map_err(fault("setsockopt"))?;
        let shared = second.bind(&address.into()).and_then(|()| second.listen(1));
        match shared {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(()),
            Err(error) => Err(Stop::ours("bind", &error)),
            Ok(()) => {
                let what = "a second server can listen on its port while it is there";
                let failure = self.context.failure(Kind::Wrong, what, None);
                Err(failure.between("EADDRINUSE", "both listen").into())
            }
        }
    }
}
