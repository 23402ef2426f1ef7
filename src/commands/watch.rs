//! `socklab watch`: judges again at each save, and shows the first thing that is wrong.

use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anstyle::Style;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{EventKind, RecursiveMode, Watcher};
use socklab::course::exercises::{self, ExerciseFolder};
use socklab::course::grading::{GradeOptions, prepare};
use socklab::course::work::{Work, shown};
use socklab::judge::Grade;
use socklab::judge::report;
use socklab::screen::{Screen, Touch};
use socklab::view::text::harmless_lines;

use super::{Mistyped, grade};

/// Debounce time: an editor's save is several events, and is over when none has come for this long.
const QUIET: Duration = Duration::from_millis(50);

/// Debounce limit: the program is judged at the latest this long after the first change.
const LATEST: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub struct Arguments {
    /// The exercise: 30, 30-client
    exercise: String,
    /// The program and its arguments, in which {host} and {port} stand for the address
    #[arg(last = true)]
    program: Vec<OsString>,
}

/// What the watching thread is told.
enum News {
    Touch(Touch),
    Saved,
    /// The number of checks that are done.
    Done(usize),
    Judged(Box<Result<Grade>>),
}

/// Judges now, and at each save, until the user ends it.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (work, folder) = (Work::of_environment(), exercises::find(&arguments.exercise)?);
    // What is missing is said before the screen is taken.
    grade::source(&work, folder, &arguments.program)?;
    let (tell, news) = channel();
    let screen = Screen::take(&tell, News::Touch).map_err(|error| {
        let remedy = format!("just grade {} judges once", folder.id);
        match error.kind() {
            io::ErrorKind::Unsupported => Mistyped(format!("just watch needs a terminal: {remedy}")),
            _ => Mistyped(format!("just watch could not take the terminal ({error}): {remedy}")),
        }
    })?;
    let _watcher = watcher(&work, folder, &arguments.program, tell.clone())?;
    let watch = Watch {
        work,
        folder,
        arguments: Arc::new(grade::Arguments::of(&arguments.exercise, &arguments.program)),
        screen,
        tell,
        last: None,
        judging: None,
        judged: 0,
    };
    watch.until_ended(&news)
}

struct Watch {
    work: Work,
    folder: &'static ExerciseFolder,
    arguments: Arc<grade::Arguments>,
    screen: Screen,
    tell: Sender<News>,
    last: Option<Result<Grade>>,
    /// How many checks are done of the judgement that is under way.
    judging: Option<usize>,
    judged: u32,
}

impl Watch {
    fn until_ended(mut self, news: &Receiver<News>) -> Result<ExitCode> {
        let mut first_save: Option<Instant> = None;
        self.judge();
        loop {
            self.show()?;
            // A save during a judgement is judged when that is over.
            let due = first_save.filter(|_| self.judging.is_none());
            let new = match due {
                Some(first) => news.recv_timeout(QUIET.min(LATEST.saturating_sub(first.elapsed()))),
                None => news.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match new {
                Ok(News::Saved) => drop(first_save.get_or_insert_with(Instant::now)),
                Ok(News::Done(count)) => self.judging = Some(count),
                Ok(News::Judged(grade)) => self.keep(*grade),
                Ok(News::Touch(Touch::Resized)) => {}
                Ok(News::Touch(Touch::Key(b'q' | b'Q' | 3))) => return Ok(ExitCode::SUCCESS),
                Ok(News::Touch(Touch::Key(_))) => {}
                Ok(News::Touch(Touch::Ended(signal))) => return Ok(ExitCode::from(128 + signal as u8)),
                Err(RecvTimeoutError::Timeout) => {
                    first_save = None;
                    self.judge();
                }
                Err(RecvTimeoutError::Disconnected) => unreachable!("we hold a sender ourselves"),
            }
        }
    }

    /// Begins a judgement. Its thread ends with this program, and with it all that it has started.
    fn judge(&mut self) {
        let (work, folder, arguments) = (self.work.clone(), self.folder, Arc::clone(&self.arguments));
        let (tell, progress) = (self.tell.clone(), self.tell.clone());
        self.judging = Some(0);
        thread::spawn(move || {
            let done = |count| drop(progress.send(News::Done(count)));
            let judged = catch_unwind(AssertUnwindSafe(|| {
                let (options, source) = (GradeOptions::default(), grade::source(&work, folder, &arguments.program)?);
                prepare(folder, &options, &source)?.grade(&options, &done)
            }));
            let judged = judged.unwrap_or_else(|_| Err(anyhow!("the judge itself failed: a fault of ours")));
            let _ = tell.send(News::Judged(Box::new(judged)));
        });
    }

    fn keep(&mut self, judged: Result<Grade>) {
        self.judging = None;
        self.judged += 1;
        self.last = Some(judged.and_then(|grade| {
            grade::remember(&self.work, self.folder, &self.arguments, &grade)?;
            Ok(grade)
        }));
    }

    fn show(&self) -> Result<()> {
        let (lines, columns) = self.screen.size();
        let mut text = match &self.last {
            Some(Ok(grade)) => {
                let screen = Some((lines.saturating_sub(2), columns));
                grade::with_told(self.folder, &self.arguments, grade, screen, |told| report::text(grade, told))
            }
            Some(Err(error)) => harmless_lines(&format!("{error:#}\n")),
            None => String::new(),
        };
        let room = lines.saturating_sub(1);
        let used = text.lines().count().min(room);
        text = text.lines().take(used).map(|line| format!("{line}\n")).collect();
        text.push_str(&"\n".repeat(room - used));
        let quiet = Style::new().dimmed();
        let status: String = self.status().chars().take(columns).collect();
        text.push_str(&format!("{quiet}{status}{quiet:#}"));
        let choice = anstream::AutoStream::choice(&std::io::stdout());
        if choice == anstream::ColorChoice::Never {
            text = anstream::adapter::strip_str(&text).to_string();
        }
        self.screen.show(&text).context("write on the terminal")
    }

    fn status(&self) -> String {
        let place = shown(&watched(&self.work, self.folder, &self.arguments.program)[0]);
        let doing = match self.judging {
            Some(done) => format!("judging: {done} of {} checks", (self.folder.exercise)().checks.len()),
            None => format!("judged {}×; a save judges again", self.judged),
        };
        format!("{doing}; q ends  {place}")
    }
}

/// The folders whose changes count; the first one is where the program is.
fn watched(work: &Work, folder: &ExerciseFolder, program: &[OsString]) -> Vec<PathBuf> {
    if program.is_empty() {
        return vec![work.folder(folder.id)];
    }
    let mut folders = vec![std::env::current_dir().unwrap_or_default()];
    let files = program.iter().map(Path::new).filter(|word| word.is_file());
    folders.extend(files.filter_map(|file| file.canonicalize().ok()?.parent().map(Path::to_owned)));
    folders.dedup();
    folders
}

/// Tells of each save. What is in `work/` is watched from above: a reset puts another folder in the place of this one.
fn watcher(
    work: &Work,
    folder: &ExerciseFolder,
    program: &[OsString],
    tell: Sender<News>,
) -> Result<notify::RecommendedWatcher> {
    let folders = watched(work, folder, program);
    let inside = folders.clone();
    let on_event = move |event: notify::Result<notify::Event>| {
        // An error may hide a save: judging once more does no harm.
        if event.map_or(true, |event| is_save(&event, &inside)) {
            let _ = tell.send(News::Saved);
        }
    };
    let mut watcher = notify::recommended_watcher(on_event).context("watch files")?;
    if program.is_empty() {
        let root = work.root();
        watcher.watch(root, RecursiveMode::Recursive).with_context(|| format!("watch {}", root.display()))?;
    } else {
        for folder in &folders {
            let watching = watcher.watch(folder, RecursiveMode::NonRecursive);
            watching.with_context(|| format!("watch {}", folder.display()))?;
        }
    }
    Ok(watcher)
}

/// Whether what a program is made of may be another thing now. That we read it ourselves is none.
fn is_save(event: &notify::Event, folders: &[PathBuf]) -> bool {
    let changes = match event.kind {
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Any => true,
        EventKind::Modify(what) => !matches!(what, ModifyKind::Metadata(_)),
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        _ => false,
    };
    changes && (event.need_rescan() || event.paths.iter().any(|path| is_part(path, folders)))
}

/// Whether a file is part of a program: it lies below, and is not what an editor keeps beside it.
fn is_part(path: &Path, folders: &[PathBuf]) -> bool {
    let Some(inside) = folders.iter().find_map(|folder| path.strip_prefix(folder).ok()) else { return false };
    inside
        .iter()
        .map(|name| name.to_string_lossy())
        .all(|name| !name.starts_with(['.', '#']) && !name.ends_with(['~']) && name != "4913" && name != "__pycache__")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventKind, path: &str) -> bool {
        is_save(&notify::Event::new(kind).add_path(path.into()), &[PathBuf::from("/w/30")])
    }

    #[test]
    fn a_save_is_told_from_a_look() {
        let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
        assert!(event(written, "/w/30/server.py"));
        assert!(event(EventKind::Create(notify::event::CreateKind::Folder), "/w/30"));
        assert!(!event(EventKind::Access(AccessKind::Close(AccessMode::Read)), "/w/30/server.py"));
        assert!(!event(EventKind::Access(AccessKind::Open(AccessMode::Any)), "/w/30/server.py"));
        for other in ["/w/progress.toml", "/w/30.old-1/server.py", "/w/30/.server.py.swp", "/w/30/server.py~"] {
            assert!(!event(written, other), "{other}");
        }
    }
}
