//! Both ends as programs: what somebody starts by hand, and labs play.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Algorithm, Client, Done, Options, TransferError, serve};
use crate::file::Folder;
use crate::lab::{Endpoint, beside, is_by_hand, own_folder, prompt, words};
use crate::say;
use crate::socket::{Address, Domain, Socket, Type};
use crate::sys;
use crate::trace::error_name;

/// How long an end may say nothing before the other one gives it up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Serves files from and to the folder of its role, several clients at once.
///
/// # Errors
/// The port cannot be had, or there is no such folder. No client ends it.
pub fn server(at: Endpoint) -> io::Result<()> {
    // A file that is too long for this user is one client's affair: EFBIG, and not the end of the program.
    sys::ignore_signal(libc::SIGXFSZ)?;
    let folder = Arc::new(own_folder()?);
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(128)?;
    // In a demo it would stand between the descriptors that a transcript names.
    let open_spare = || is_by_hand().then(|| std::fs::File::open("/dev/null").ok()).flatten();
    let mut spare = open_spare();
    loop {
        let accepted = match listener.accept() {
            // This user has no more descriptors, but for the spare one.
            Err(error) if error.raw_os_error() == Some(libc::EMFILE) && spare.take().is_some() => listener.accept(),
            accepted => accepted,
        };
        let (conn, client) = match accepted {
            Ok(accepted) => accepted,
            // A client that has gone again while it waited.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            // Somebody was faster, and will give it back.
            Err(error) if error.raw_os_error() == Some(libc::EMFILE) => continue,
            Err(error) => return Err(error),
        };
        spare = spare.or_else(open_spare);
        if spare.is_none() && is_by_hand() {
            tell(&format!("{client} is one too many: EMFILE"));
            drop(conn);
            spare = open_spare();
            continue;
        }
        let folder = Arc::clone(&folder);
        let name = client.to_string();
        let served = beside(move || {
            if let Err(error) = serve_one(&conn, &folder, &client) {
                tell(&format!("{client}: {error}"));
            }
        });
        if let Err(error) = served {
            tell(&format!("{name}: nobody is free for it: {}", error_name(&error)));
        }
    }
}

fn serve_one(conn: &Socket, folder: &Folder, client: &Address) -> Result<(), TransferError> {
    prepare(conn).map_err(TransferError::Connection)?;
    serve(conn, folder, &mut |line| tell(&format!("{client}: {line}")))
}

/// Says it in one line, whatever is in it: what the other end has sent does nothing to a terminal.
fn tell(text: &str) {
    let shown = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    say!("{}", text.chars().map(shown).collect::<String>());
}

/// What the client's user may ask for, behind the role's name or at the prompt.
#[derive(Debug, Parser)]
#[command(name = "client", no_binary_name = true, disable_version_flag = true, disable_help_subcommand = true)]
enum Wish {
    /// Send files
    Put {
        /// The files; each keeps its name, without its folders
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        how: How,
        /// To a classic server, which does not answer: whether it has stored them, nobody knows
        #[arg(long)]
        classic: bool,
    },
    /// Fetch files
    Get {
        /// Their names on the server
        #[arg(required = true)]
        names: Vec<String>,
        #[command(flatten)]
        how: How,
    },
    /// List the server's files
    Ls,
    /// Leave
    #[command(alias = "quit", alias = "exit")]
    Q,
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct How {
    /// Replace a file that has the name already
    #[arg(long)]
    replace: bool,
    /// The digest by which both ends compare what was sent: blake3, sha256, md5 or none
    #[arg(long, default_value = "blake3")]
    digest: Algorithm,
}

impl How {
    fn options(self, classic: bool) -> Options {
        Options { algorithm: self.digest, replace: self.replace, classic }
    }
}

/// Does what its words ask for, or asks its user at a prompt.
///
/// # Errors
/// What was asked for by words was not done; nobody listens.
pub fn client(at: Endpoint) -> io::Result<()> {
    sys::ignore_signal(libc::SIGXFSZ)?;
    let (folder, words) = (own_folder()?, words());
    let mut session = Session { at, folder, conn: None };
    if !words.is_empty() {
        let wish = match Wish::try_parse_from(words) {
            Err(error) if !error.use_stderr() => {
                say!("{}", error.to_string().trim_end());
                return Ok(());
            }
            wish => wish.map_err(|error| io::Error::other(error.to_string().trim().to_owned()))?,
        };
        let failed = session.fulfil(&wish)?;
        return if failed == 0 { Ok(()) } else { Err(io::Error::other(format!("{failed} failed"))) };
    }
    while let Some(line) = prompt(">>: ") {
        let Some(words) = shlex::split(&line) else {
            say!("a quotation mark is missing");
            continue;
        };
        match Wish::try_parse_from(words) {
            _ if line.trim().is_empty() => {}
            Ok(Wish::Q) => return Ok(()),
            Ok(wish) => drop(session.fulfil(&wish)?),
            Err(error) => say!("{}", error.to_string().trim_end()),
        }
    }
    Ok(())
}

/// A client's folder and, while there is one, its connection.
struct Session {
    at: Endpoint,
    folder: Folder,
    conn: Option<Socket>,
}

impl Session {
    /// Does it, file by file, and gives how many times that failed. A file that fails does not keep the next ones off.
    fn fulfil(&mut self, wish: &Wish) -> io::Result<usize> {
        let mut failed = 0;
        match wish {
            Wish::Put { files, how, classic } => {
                let options = how.options(*classic);
                for file in files {
                    let name = file.display().to_string();
                    failed += self.ask(&name, options, |client, bar| Ok(told(&client.put(file, bar)?, "stored")))?;
                }
            }
            Wish::Get { names, how } => {
                for name in names {
                    let options = how.options(false);
                    failed += self.ask(name, options, |client, bar| Ok(told(&client.get(name, bar)?, "here")))?;
                }
            }
            Wish::Ls => {
                failed += self.ask("ls", Options::default(), |client, _| {
                    let files = client.list()?;
                    files.iter().for_each(|file| tell(&format!("{:>12}  {}", file.filesize, file.filename)));
                    Ok(format!("{} in all", files.len()))
                })?;
            }
            Wish::Q => {}
        }
        Ok(failed)
    }

    fn ask(
        &mut self,
        name: &str,
        options: Options,
        mut request: impl FnMut(&mut Client<'_>, super::Progress<'_>) -> Result<String, TransferError>,
    ) -> io::Result<usize> {
        let mut done = match self.conn.take() {
            Some(conn) => self.ask_over(conn, name, options, &mut request).map_err(|error| (error, true)),
            None => self.ask_over(connect(self.at)?, name, options, &mut request).map_err(|error| (error, false)),
        };
        // A server gives up a client whose user says nothing for long; it may have been started again, too.
        if matches!(&done, Err((error, true)) if error.says_nothing())
            && let Ok(conn) = connect(self.at)
        {
            done = self.ask_over(conn, name, options, &mut request).map_err(|error| (error, false));
        }
        match &done {
            Ok(done) => tell(&format!("{name}: {done}")),
            Err((error, _)) => tell(&format!("{name}: not done: {error}")),
        }
        Ok(usize::from(done.is_err()))
    }

    /// Over this connection, which is kept if it is of more use.
    fn ask_over(
        &mut self,
        conn: Socket,
        name: &str,
        options: Options,
        request: &mut impl FnMut(&mut Client<'_>, super::Progress<'_>) -> Result<String, TransferError>,
    ) -> Result<String, TransferError> {
        let mut client = Client::new(&conn, &self.folder, options);
        let bar = Bar::new(name);
        let done = request(&mut client, &mut |at, size| bar.show(at, size));
        bar.0.finish_and_clear();
        if client.is_in_step() {
            self.conn = Some(conn);
        }
        done
    }
}

fn connect(at: Endpoint) -> io::Result<Socket> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    prepare(&conn)?;
    Ok(conn)
}

/// Nobody is waited for for ever. A digest goes as soon as it is there: without `TCP_NODELAY` it waits until the file
/// before it is acknowledged, which a peer may put off for 40 ms.
fn prepare(conn: &Socket) -> io::Result<()> {
    conn.set_read_timeout(Some(PATIENCE))?;
    conn.set_write_timeout(Some(PATIENCE))?;
    conn.set_tcp_nodelay(true)
}

fn told(done: &Done, where_it_is: &str) -> String {
    match *done {
        Done::Same => "the same file is there already".to_owned(),
        Done::Unanswered(size) => format!("{size} bytes, sent; the server does not say what became of them"),
        Done::Moved { size, before, has_grown } => {
            let before = if before > 0 { format!(", the first {before} from before") } else { String::new() };
            let grown = if has_grown { "; it has grown meanwhile, and this is its beginning" } else { "" };
            format!("{size} bytes, {where_it_is}{before}{grown}")
        }
    }
}

/// How far a transfer is: shown on a terminal, by hand.
struct Bar(ProgressBar);

impl Bar {
    fn new(name: &str) -> Bar {
        let bar = if is_by_hand() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let form = "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";
        bar.set_style(ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Bar(bar.with_prefix(name.to_owned()))
    }

    fn show(&self, at: u64, size: u64) {
        self.0.set_length(size);
        self.0.set_position(at);
    }
}
