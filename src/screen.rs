//! A terminal, taken over for a while: full screen, keys at once, and given back as it was however that ends.

use std::io::{self, IsTerminal, Write, stdin, stdout};
use std::os::fd::OwnedFd;
use std::sync::mpsc::Sender;
use std::thread;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::sys;

/// Another screen than the one that the shell has, from its first line on, without a cursor; lines are not broken.
const TAKE: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J";
const GIVE_BACK: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// What happens to a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// A key was pressed. Ctrl-C is one, 3, and ends nothing by itself.
    Key(u8),
    /// Its size is another one now.
    Resized,
    /// A signal asks this program to end.
    Ended(i32),
}

/// The terminal, which is given back when this is dropped.
pub struct Screen {
    before: Termios,
}

impl Screen {
    /// Takes the terminal. From then on `touched` is sent what happens to it; its receiver is to end the program, or
    /// else nothing does.
    ///
    /// To be called before there is another thread: signals are read from then on. `Unsupported` where there is no
    /// terminal, or another program has it.
    ///
    /// # Errors
    /// `Unsupported` as above; else that of `signalfd(2)`, of `termios(3)` or of the write to the terminal.
    pub fn take<T: Send + 'static>(touched: &Sender<T>, as_news: fn(Touch) -> T) -> io::Result<Screen> {
        if !(stdin().is_terminal() && stdout().is_terminal()) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let signals =
            sys::signals_to_read(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGWINCH])?;
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        let screen = Screen { before };
        write(TAKE)?;
        let (keys, ends) = (touched.clone(), touched.clone());
        thread::spawn(move || read_keys(&keys, as_news));
        thread::spawn(move || read_signals(&signals, &ends, as_news));
        Ok(screen)
    }

    /// Its lines and columns.
    pub fn size(&self) -> (usize, usize) {
        match tcgetwinsize(stdout()) {
            Ok(size) if size.ws_row > 0 && size.ws_col > 0 => (size.ws_row.into(), size.ws_col.into()),
            _ => (24, 80),
        }
    }

    /// Shows these lines and nothing else. Those for which there is no room are left out.
    ///
    /// # Errors
    /// That of the write to the terminal.
    pub fn show(&self, text: &str) -> io::Result<()> {
        let (lines, _) = self.size();
        // A row is emptied before it is written: behind a full one the cursor stands on its last character.
        let rows: Vec<String> = text.lines().take(lines).map(|line| format!("\x1b[K{line}\x1b[0m")).collect();
        // In one piece, so that nobody sees half of it.
        write(&format!("\x1b[H{}\x1b[J", rows.join("\r\n")))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = write(GIVE_BACK);
        let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.before);
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn read_keys<T>(to: &Sender<T>, as_news: fn(Touch) -> T) {
    let mut key = [0];
    loop {
        let touch = match rustix::io::read(stdin(), &mut key) {
            Ok(1..) => Touch::Key(key[0]),
            Err(rustix::io::Errno::INTR) => continue,
            // The terminal is gone.
            _ => Touch::Ended(libc::SIGHUP),
        };
        if to.send(as_news(touch)).is_err() || touch == Touch::Ended(libc::SIGHUP) {
            return;
        }
    }
}

fn read_signals<T>(signals: &OwnedFd, to: &Sender<T>, as_news: fn(Touch) -> T) {
    let mut structure = [0; 128];
    loop {
        let touch = match rustix::io::read(signals, &mut structure) {
            Ok(128) => match i32::from_ne_bytes([structure[0], structure[1], structure[2], structure[3]]) {
                libc::SIGWINCH => Touch::Resized,
                other => Touch::Ended(other),
            },
            Err(rustix::io::Errno::INTR) => continue,
            _ => return,
        };
        if to.send(as_news(touch)).is_err() {
            return;
        }
    }
}
