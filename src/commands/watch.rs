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
use socklab::course::hints;
use socklab::course::work::{Work, shown};
use socklab::judge::report;
use socklab::judge::{self, Grade, Verdict};
use socklab::screen::{Screen, Touch};
use socklab::view::text::{cut, folded, harmless_lines, wrapped_below};

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

/// What the watching thread is told. A judgement has the number of its round: one of an exercise that is watched no
/// more counts for nothing.
enum News {
    Touch(Touch),
    Saved,
    /// The number of checks that are done.
    Done(u32, usize),
    Judged(u32, Box<Result<Grade>>),
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
    let watcher = watcher(&work, folder, &arguments.program, tell.clone())?;
    let watch = Watch {
        work,
        folder,
        arguments: Arc::new(grade::Arguments::of(&arguments.exercise, &arguments.program)),
        screen,
        tell,
        _watcher: watcher,
        keys: Keys::default(),
        last: None,
        judging: None,
        round: 0,
        judged: 0,
        story: 0,
        panel: None,
    };
    watch.until_ended(&news)
}

struct Watch {
    work: Work,
    folder: &'static ExerciseFolder,
    arguments: Arc<grade::Arguments>,
    screen: Screen,
    tell: Sender<News>,
    _watcher: notify::RecommendedWatcher,
    keys: Keys,
    last: Option<Result<Grade>>,
    /// How many checks are done of the judgement that is under way.
    judging: Option<usize>,
    round: u32,
    judged: u32,
    /// Which of the checks that do not pass is shown.
    story: usize,
    /// What is shown in place of the report, and its first row on the screen.
    panel: Option<(Panel, usize)>,
}

/// What can be shown in place of the report.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Panel {
    Story,
    Hints,
    Transcript,
    Next,
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
                Ok(News::Done(round, count)) if round == self.round => self.judging = Some(count),
                Ok(News::Judged(round, grade)) if round == self.round => self.keep(*grade),
                Ok(News::Done(..) | News::Judged(..) | News::Touch(Touch::Resized)) => {}
                Ok(News::Touch(Touch::Key(byte))) => {
                    if let Some(key) = self.keys.take(byte)
                        && self.press(key)?
                    {
                        return Ok(ExitCode::SUCCESS);
                    }
                }
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
        let (tell, progress, round) = (self.tell.clone(), self.tell.clone(), self.round);
        self.judging = Some(0);
        thread::spawn(move || {
            let done = |count| drop(progress.send(News::Done(round, count)));
            let judged = catch_unwind(AssertUnwindSafe(|| {
                let (options, source) = (GradeOptions::default(), grade::source(&work, folder, &arguments.program)?);
                prepare(folder, &options, &source)?.grade(&options, &done)
            }));
            let judged = judged.unwrap_or_else(|_| Err(anyhow!("the judge itself failed: a fault of ours")));
            let _ = tell.send(News::Judged(round, Box::new(judged)));
        });
    }

    fn keep(&mut self, judged: Result<Grade>) {
        self.judging = None;
        self.judged += 1;
        self.story = 0;
        self.panel = None;
        self.last = Some(judged.and_then(|grade| {
            grade::remember(&self.work, self.folder, &self.arguments, &grade)?;
            Ok(grade)
        }));
    }

    /// What a key does. Returns whether it ends the program.
    fn press(&mut self, key: Key) -> Result<bool> {
        let stories = match &self.last {
            Some(Ok(grade)) => report::stories(grade).len(),
            _ => 0,
        };
        let of_panel = self.panel.map(|(panel, _)| panel);
        match key {
            Key::Letter(3) => return Ok(true),
            Key::Letter(b'q' | b'Q') if of_panel.is_none() => return Ok(true),
            Key::Letter(b'q' | b'Q' | 0x1b | b'\r') => self.panel = None,
            Key::Letter(b's') if of_panel == Some(Panel::Story) => self.panel = None,
            Key::Letter(b't') if of_panel == Some(Panel::Transcript) => self.panel = None,
            Key::Letter(b's') if self.last.is_some() => self.panel = Some((Panel::Story, 0)),
            Key::Letter(b't') if self.last.is_some() => self.panel = Some((Panel::Transcript, 0)),
            Key::Letter(b'h') => {
                if of_panel == Some(Panel::Hints) || self.hint_to_failure().is_none() {
                    hints::next_numbered(&self.work, self.folder)?;
                }
                // The newest one stands at the end.
                self.panel = Some((Panel::Hints, usize::MAX));
            }
            Key::Letter(b'n') if of_panel == Some(Panel::Next) => self.go_on()?,
            Key::Letter(b'n') => self.panel = Some((Panel::Next, 0)),
            Key::Letter(b'j') => self.tell_story((self.story + 1).min(stories.saturating_sub(1))),
            Key::Letter(b'k') => self.tell_story(self.story.saturating_sub(1)),
            Key::Letter(_) => self.scroll(key),
            _ => self.scroll(key),
        }
        Ok(false)
    }

    /// Tells another failure, in the panel that is open.
    fn tell_story(&mut self, story: usize) {
        if story != self.story {
            self.story = story;
            self.panel = self.panel.map(|(panel, _)| (panel, 0));
        }
    }

    fn scroll(&mut self, key: Key) {
        let Some((panel, top)) = self.panel else { return };
        let (lines, columns) = self.screen.size();
        let room = lines.saturating_sub(footer(lines)).max(1);
        let last = self.rows_of(panel, columns).len().saturating_sub(room);
        let page = room.saturating_sub(1).max(1);
        let top = top.min(last);
        let top = match key {
            Key::Up => top.saturating_sub(1),
            Key::Down => top + 1,
            Key::PageUp | Key::Letter(b'b') => top.saturating_sub(page),
            Key::PageDown | Key::Letter(b' ') => top + page,
            Key::Home | Key::Letter(b'g') => 0,
            Key::End | Key::Letter(b'G') => last,
            Key::Letter(_) => top,
        };
        self.panel = Some((panel, top.min(last)));
    }

    /// Goes on with the next exercise. Where its folder is not there, it is made.
    fn go_on(&mut self) -> Result<()> {
        let Some(next) = self.work.next_exercise(self.folder)? else { return Ok(()) };
        if !self.work.folder(next.id).is_dir() {
            self.work.lay(next, self.work.language_for(next, self.folder), None)?;
        }
        self.folder = next;
        self.arguments = Arc::new(grade::Arguments::of(next.id, &[]));
        self._watcher = watcher(&self.work, next, &[], self.tell.clone())?;
        (self.last, self.panel, self.story, self.judged) = (None, None, 0, 0);
        self.round += 1;
        self.judge();
        Ok(())
    }

    fn show(&self) -> Result<()> {
        let (lines, columns) = self.screen.size();
        let room = lines.saturating_sub(footer(lines));
        let mut status = self.status();
        let mut rows: Vec<String> = match self.panel {
            Some((panel, top)) => {
                let rows = self.rows_of(panel, columns);
                let top = top.min(rows.len().saturating_sub(room));
                if rows.len() > room {
                    status = format!("rows {} to {} of {}  {status}", top + 1, top + room, rows.len());
                }
                rows.into_iter().skip(top).take(room).collect()
            }
            None => self.rows(room, columns),
        };
        rows.resize(room, String::new());
        let quiet = Style::new().dimmed();
        if footer(lines) > 1 {
            rows.push(format!("{quiet}{}{quiet:#}", cut(&status, columns)));
        }
        rows.push(cut_keys(self.panel.map(|(panel, _)| panel), columns));
        let mut text = rows.join("\n");
        if anstream::AutoStream::choice(&std::io::stdout()) == anstream::ColorChoice::Never {
            text = anstream::adapter::strip_str(&text).to_string();
        }
        self.screen.show(&text).context("write on the terminal")
    }

    /// The rows of the report, or of what there is in its place.
    fn rows(&self, lines: usize, columns: usize) -> Vec<String> {
        let (id, title) = (self.folder.id, self.folder.title());
        let text = match &self.last {
            Some(Ok(grade)) => grade::with_told(self.folder, &self.arguments, grade, columns, |told| {
                report::screen(grade, told, lines, self.story)
            }),
            Some(Err(error)) => wrapped_lines(&harmless_lines(&format!("{error:#}")), columns),
            None => {
                let strong = Style::new().bold();
                let place = shown(&watched(&self.work, self.folder, &self.arguments.program)[0]);
                let says = format!(
                    "Judging what is in {place}: each check starts your program anew, on a host of its own, and talks \
                     to it. The first thing that goes wrong will be shown here."
                );
                format!("{strong}{}{strong:#}\n\n", cut(&format!("{id} {title}"), columns))
                    + &wrapped_lines(&says, columns)
            }
        };
        text.lines().take(lines).map(str::to_owned).collect()
    }

    /// The rows of a panel, from its first one on.
    fn rows_of(&self, panel: Panel, columns: usize) -> Vec<String> {
        let grade = match &self.last {
            Some(Ok(grade)) => Some(grade),
            _ => None,
        };
        let text = match (panel, grade) {
            (Panel::Story, Some(grade)) if grade.verdict() == Verdict::Pass => {
                grade::with_told(self.folder, &self.arguments, grade, columns, |told| report::text(grade, told))
            }
            (Panel::Story, Some(grade)) => grade::with_told(self.folder, &self.arguments, grade, columns, |told| {
                report::whole_story(grade, self.story, told)
            }),
            (Panel::Transcript, Some(grade)) => match report::stories(grade).get(self.story) {
                Some(checked) => report::transcript_of(1, checked),
                None => report::transcript(grade),
            },
            (Panel::Hints, _) => wrapped_lines(&self.hints(), columns),
            (Panel::Next, _) => wrapped_lines(&self.next(), columns),
            (Panel::Story | Panel::Transcript, None) => String::new(),
        };
        text.lines().flat_map(|line| folded(line, columns)).collect()
    }

    /// A hint to the failure that is shown.
    fn hint_to_failure(&self) -> Option<&'static str> {
        let Some(Ok(grade)) = &self.last else { return None };
        if grade.unfit.is_some() {
            return Some(judge::NOT_BUILT);
        }
        let stories = report::stories(grade);
        let hint = judge::hint(stories.get(self.story)?);
        (!hint.is_empty()).then_some(hint)
    }

    /// The hint to the failure, and those of the exercise that have been given.
    fn hints(&self) -> String {
        let (all, strong) = (self.folder.hints(), Style::new().bold());
        let given = match hints::given(&self.work, self.folder) {
            Ok(given) => given,
            Err(error) => return harmless_lines(&format!("{error:#}")),
        };
        let mut text = String::new();
        if let Some(hint) = self.hint_to_failure() {
            text += &format!("{strong}To this failure{strong:#}\n\n  {hint}\n\n");
        }
        for (number, hint) in (1..).zip(&all).take(given) {
            text += &format!("{strong}Hint {number} of {}{strong:#}\n\n", all.len());
            text.extend(hint.lines().map(|line| format!("  {line}\n")));
            text.push('\n');
        }
        match all.len() - given {
            0 => text + &format!("That is all of them. just solution {} --give-up shows the answer", self.folder.id),
            more => text + &format!("{more} more: h"),
        }
    }

    /// What the next exercise is, and what brings there.
    fn next(&self) -> String {
        let next = match self.work.next_exercise(self.folder) {
            Ok(Some(next)) => next,
            Ok(None) => return "There is no other exercise that is not passed.".to_owned(),
            Err(error) => return harmless_lines(&format!("{error:#}")),
        };
        let strong = Style::new().bold();
        let place = shown(&self.work.folder(next.id));
        let how = match self.work.folder(next.id).is_dir() {
            true => format!("n goes there: what is in {place} is judged from then on."),
            false => {
                let language = self.work.language_for(next, self.folder);
                format!("n makes {place}, with the task and a starter in {language}, and goes there.")
            }
        };
        format!("Next: {strong}{} {}{strong:#}\n\nIts task: {}\n\n{how}", next.id, next.title(), next.task())
    }

    fn status(&self) -> String {
        let place = shown(&watched(&self.work, self.folder, &self.arguments.program)[0]);
        let doing = match self.judging {
            Some(done) => format!("judging: {done} of {} checks", (self.folder.exercise)().checks.len()),
            None => format!("judged {}×; a save judges again", self.judged),
        };
        format!("{doing}  {place}")
    }
}

/// How many rows at the bottom tell of the watch itself.
fn footer(lines: usize) -> usize {
    if lines < 12 { 1 } else { 2 }
}

/// The row that says what keys do: the last ones are left out where there is no room, but for the first, which ends it.
fn cut_keys(panel: Option<Panel>, columns: usize) -> String {
    let keys: &[(&str, &str)] = match panel {
        None => &[("q", "quit"), ("h", "hint"), ("s", "story"), ("j/k", "failure"), ("t", "transcript"), ("n", "next")],
        Some(Panel::Hints) => &[("q", "back"), ("h", "next hint"), ("↑↓", "scroll")],
        Some(Panel::Next) => &[("q", "back"), ("n", "go there")],
        Some(Panel::Story | Panel::Transcript) => &[("q", "back"), ("↑↓ space", "scroll"), ("j/k", "other failure")],
    };
    let (strong, quiet) = (Style::new().bold(), Style::new().dimmed());
    let (mut row, mut width) = (String::new(), 0);
    for (key, does) in keys {
        let takes = key.chars().count() + 1 + does.len() + if width > 0 { 2 } else { 0 };
        if width + takes > columns {
            break;
        }
        row += if width > 0 { "  " } else { "" };
        row += &format!("{strong}{key}{strong:#} {quiet}{does}{quiet:#}");
        width += takes;
    }
    row
}

/// The lines of a text, each wrapped.
fn wrapped_lines(text: &str, columns: usize) -> String {
    text.lines().flat_map(|line| wrapped_below(line, columns.max(10))).map(|row| row + "\n").collect()
}

/// A key, as a person presses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Letter(u8),
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

/// Makes keys of the bytes that a terminal sends.
#[derive(Default)]
struct Keys {
    /// The bytes of a sequence that has begun: behind an escape, `[5~` and the like.
    sequence: Vec<u8>,
}

impl Keys {
    fn take(&mut self, byte: u8) -> Option<Key> {
        /// No key sends more.
        const LONGEST: usize = 8;
        match (self.sequence.as_slice(), byte) {
            // Ctrl-C and the escape key end any sequence.
            (_, 3) => self.end(Key::Letter(3)),
            ([], 0x1b) | ([0x1b], b'[' | b'O') => {
                self.sequence.push(byte);
                None
            }
            ([], letter) => Some(Key::Letter(letter)),
            ([0x1b], other) => self.end(Key::Letter(other)),
            (sequence, 0x40..=0x7e) => {
                let key = match (&sequence[2..], byte) {
                    (_, b'A') => Some(Key::Up),
                    (_, b'B') => Some(Key::Down),
                    (_, b'H') | (b"1" | b"7", b'~') => Some(Key::Home),
                    (_, b'F') | (b"4" | b"8", b'~') => Some(Key::End),
                    (b"5", b'~') => Some(Key::PageUp),
                    (b"6", b'~') => Some(Key::PageDown),
                    _ => None,
                };
                self.sequence.clear();
                key
            }
            (sequence, _) => {
                if sequence.len() >= LONGEST {
                    self.sequence.clear();
                } else {
                    self.sequence.push(byte);
                }
                None
            }
        }
    }

    fn end(&mut self, key: Key) -> Option<Key> {
        self.sequence.clear();
        Some(key)
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
    fn keys_are_known_by_their_bytes() {
        let pressed = |bytes: &[u8]| {
            let mut keys = Keys::default();
            bytes.iter().filter_map(|byte| keys.take(*byte)).collect::<Vec<_>>()
        };
        assert_eq!(pressed(b"h\x1b[Aj"), [Key::Letter(b'h'), Key::Up, Key::Letter(b'j')]);
        assert_eq!(pressed(b"\x1bOB\x1b[5~\x1b[6~"), [Key::Down, Key::PageUp, Key::PageDown]);
        assert_eq!(pressed(b"\x1b[H\x1b[F\x1b[1;5Cq"), [Key::Home, Key::End, Key::Letter(b'q')]);
        assert_eq!(pressed(b"\x1bq"), [Key::Letter(b'q')], "the escape key, and then another one");
        assert_eq!(pressed(b"\x1b[\x03"), [Key::Letter(3)]);
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
