//! The only place that prints: what a person, a file or a program sees of this process.
//!
//! Owns the modes and who prints when. What there is to tell are the events of `event`; how they look is up to `compact`, `plain` and
//! `json`. Everything that is told goes to standard output, in all modes, so that one stream holds one run in its order: what the host
//! says, its log, and what functions write. Standard error is for the reason why a command ended badly.
//!
//! Commands that answer a question print at once. A host that runs has [`Console::set_output`] called first: from then on
//! one thread prints, and nobody else waits for whoever reads.
//!
//! A closed pipe on the other side is no reason to stop serving, so failures to print are ignored.

mod compact;
mod event;
mod json;
mod look;
mod phrases;
mod plain;
mod printer;
mod queue;

#[cfg(test)]
mod tests;

pub(crate) use event::{
    Diagnostic, Event, ExitReason, HostState, Invocations, Log, Outcome, Record, Reloaded, Severity, Source, Step,
    Summary,
};
pub(crate) use json::render as render_json;
pub(crate) use look::push_visible;
pub(crate) use plain::render as render_plain;

use anyhow::Context;
use azure_storage::Service;
use ports::Clock;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use self::event::{Draining, Phase, StateChange};
use self::look::{Look, TROUBLE};
use self::printer::{LogFile, Printer, Renderer};
use self::queue::{Queue, Rank};
use crate::clock::{Stopwatch, SystemClock};
use crate::listing::Listing;
use crate::log_stream::LogStream;
use crate::settings::Environment;

/// How long the end of a process waits for whoever reads.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// How a running host tells what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// For people at a terminal: colours, one line for each invocation
    Compact,
    /// For files and pipes: one line for each event, with its time
    Plain,
    /// For programs: one JSON object per line
    Json,
}

/// Standard output and error of this process.
pub(crate) struct Console {
    wants_colours: bool,
    live: OnceLock<Arc<Live>>,
}

/// The output of a host that runs.
pub(crate) struct Live {
    queue: Queue,
    mode: Mode,
    run: Stopwatch,
    tally: Tally,
    /// What readers from outside may still read.
    logs: Arc<LogStream>,
    /// The summary, which is the last of a run: more may have to be told after somebody has decided about it.
    summary: Mutex<Option<Summary>>,
}

/// What was seen of the run so far.
#[derive(Default)]
struct Tally {
    functions: AtomicUsize,
    succeeded: AtomicU64,
    failed: AtomicU64,
    errors: AtomicU64,
    is_ready: AtomicBool,
    is_draining: AtomicBool,
}

impl Live {
    fn new(mode: Mode) -> Live {
        Live {
            queue: Queue::default(),
            mode,
            run: Stopwatch::start(),
            tally: Tally::default(),
            logs: Arc::default(),
            summary: Mutex::default(),
        }
    }

    /// One that nobody prints.
    #[cfg(test)]
    pub(crate) fn of_nobody() -> Arc<Live> {
        Arc::new(Live::new(Mode::Plain))
    }

    /// A line of the log. Never waits: where nobody reads, it is left out.
    pub(crate) fn log(&self, record: Arc<Record>) {
        self.logs.push(Arc::clone(&record));
        self.queue.push(record, Rank::Line);
    }

    /// One more invocation has ended.
    pub(crate) fn count_invocation(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Succeeded => &self.tally.succeeded,
            Outcome::Failed | Outcome::Cancelled => &self.tally.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// One more line of the log was an error.
    pub(crate) fn count_error(&self) {
        self.tally.errors.fetch_add(1, Ordering::Relaxed);
    }

    fn tell(&self, event: Event) {
        self.queue.push(Arc::new(Record { at: SystemClock.now(), event }), Rank::Word);
    }

    /// What was seen of the run so far.
    pub(crate) fn summary(&self, exit_reason: ExitReason) -> Summary {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Summary {
            exit_reason,
            uptime: self.run.elapsed(),
            functions: self.tally.functions.load(Ordering::Relaxed),
            invocations: Invocations { succeeded: of(&self.tally.succeeded), failed: of(&self.tally.failed) },
            errors: of(&self.tally.errors),
        }
    }

    fn phase(&self) -> Phase {
        if self.tally.is_ready.load(Ordering::Relaxed) { Phase::Reload } else { Phase::Start }
    }
}

impl Console {
    /// Colours only for a terminal, and never when the environment says `NO_COLOR`. Prints at once, as commands do that answer
    /// a question.
    pub(crate) fn new(environment: &Environment) -> Console {
        Console { wants_colours: !environment.no_color(), live: OnceLock::new() }
    }

    /// From here on this is the output of a running host: in this mode (default: compact at a terminal, plain elsewhere), with
    /// plain lines in `log_file` besides, behind what is there. Only the first call counts.
    ///
    /// # Errors
    /// The file cannot be written, or there is no thread to be had.
    pub(crate) fn set_output(
        &self,
        mode: Option<Mode>,
        verbose: bool,
        log_file: Option<&Path>,
    ) -> anyhow::Result<&Arc<Live>> {
        if let Some(live) = self.live.get() {
            return Ok(live);
        }
        let file = log_file.map(|path| {
            let opened = OpenOptions::new().create(true).append(true).open(path);
            let file = opened.with_context(|| format!("cannot write the log file {}", path.display()))?;
            anyhow::Ok(LogFile::new(file, verbose))
        });
        let is_terminal = io::stdout().is_terminal();
        let mode = mode.unwrap_or(if is_terminal { Mode::Compact } else { Mode::Plain });
        let printer =
            Printer::new(Renderer::new(mode, self.look(), verbose), io::stdout(), is_terminal, file.transpose()?);
        let live = self.live.get_or_init(|| Arc::new(Live::new(mode)));
        let queue = Arc::clone(live);
        // Nobody joins it: it may hang in a pipe that nobody reads. `finish` waits for it, but not for ever.
        let thread = std::thread::Builder::new().name("console".to_owned()).spawn(move || printer.run(&queue.queue));
        thread.context("the thread that prints cannot be started")?;
        live.tell(Event::Began);
        Ok(live)
    }

    /// Whether what is printed may have colours.
    pub(crate) fn colours_on_output(&self) -> bool {
        self.look().colours
    }

    /// Whether a person sees what is printed.
    pub(crate) fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Columns and lines of the terminal; none elsewhere.
    pub(crate) fn terminal_size(&self) -> Option<(usize, usize)> {
        let (width, height) = terminal_size::terminal_size_of(io::stdout())?;
        Some((usize::from(width.0), usize::from(height.0)))
    }

    /// Text as it is, at once: for commands, which have seen to it that it is harmless.
    pub(crate) fn draw(&self, text: &str) {
        let mut output = io::stdout().lock();
        drop(output.write_all(text.as_bytes()));
        drop(output.flush());
    }

    /// Version, app and store, the head of the output.
    pub(crate) fn banner(&self, version: &str, app: &str, store: &str) {
        self.tell(Event::Banner { version: version.to_owned(), app: app.to_owned(), store: store.to_owned() });
    }

    /// Every function with its trigger, HTTP functions first, as the caller has ordered them. What is told by several calls, one for
    /// each app, is served together.
    pub(crate) fn functions(&self, listings: &[Listing]) {
        if let Some(live) = self.live.get() {
            live.tally.functions.fetch_add(listings.len(), Ordering::Relaxed);
        }
        self.tell(Event::Functions(listings.to_vec()));
    }

    /// When each timer runs next.
    pub(crate) fn occurrences(&self, timers: &[(String, Vec<String>)]) {
        self.tell(Event::Occurrences(timers.to_vec()));
    }

    /// Where clients of Azure Storage reach the app's queues, tables and blobs; nothing without the endpoint.
    pub(crate) fn storage(&self, addresses: &[(Service, String)]) {
        self.tell(Event::Storage(addresses.to_vec()));
    }

    /// The app answers now. `building` is told apart: it is not the host's own time.
    pub(crate) fn ready(&self, start_up: Duration, building: Option<Duration>) {
        if let Some(live) = self.live.get() {
            live.tally.is_ready.store(true, Ordering::Relaxed);
        }
        self.tell(Event::Ready { start_up, building });
    }

    /// A step that takes a while begins.
    pub(crate) fn progress(&self, text: &str) {
        self.tell(Event::Progress(text.to_owned()));
    }

    /// Something to know, but nothing wrong.
    pub(crate) fn notice(&self, text: &str) {
        self.tell(Event::Notice(text.to_owned()));
    }

    /// A component is being built, at the start or because its sources were changed.
    pub(crate) fn building(&self, component: &str) {
        self.tell(Event::Building { component: component.to_owned(), phase: self.phase() });
    }

    /// A component was built.
    pub(crate) fn built(&self, component: &str, duration: Duration) {
        self.tell(Event::Built { component: component.to_owned(), phase: self.phase(), duration });
    }

    /// The host goes from one state to another. That it is ready is told by [`Console::ready`], and that an app goes on with other
    /// code by [`Console::reloaded`].
    pub(crate) fn host_state(&self, from: HostState, to: HostState, duration: Option<Duration>, reason: Option<&str>) {
        let reason = reason.map(str::to_owned);
        self.tell(Event::HostState(StateChange { from, to, duration, reason }));
    }

    /// An app goes on with other code: what it took, and what is different.
    pub(crate) fn reloaded(&self, reloaded: Reloaded) {
        if let Some(live) = self.live.get() {
            live.tally.functions.fetch_add(reloaded.added.len(), Ordering::Relaxed);
            live.tally.functions.fetch_sub(reloaded.removed.len(), Ordering::Relaxed);
        }
        self.tell(Event::Reloaded(reloaded));
    }

    /// An app does not go on with other code, because that is wrong: `error` may have several lines, such as a compiler's. `serving` is
    /// the digest of what serves instead.
    pub(crate) fn reload_failed(&self, app: &str, error: &str, serving: &str) {
        let (app, error, serving) = (app.to_owned(), error.to_owned(), serving.to_owned());
        self.tell(Event::ReloadFailed { app, error, serving });
    }

    /// Something is wrong, or could be better. `code` is for programs: the same whatever the words are.
    pub(crate) fn diagnostic(
        &self,
        code: &'static str,
        severity: Severity,
        message: &str,
        recommendation: Option<&str>,
    ) {
        let (message, recommendation) = (message.to_owned(), recommendation.map(str::to_owned));
        self.tell(Event::Diagnostic(Diagnostic { code, severity, message, recommendation }));
    }

    /// The host takes no new work, and ends when so many invocations have ended, or when the time is over. To be called once a second:
    /// at a terminal the line is written over itself, elsewhere a line is written every five seconds.
    pub(crate) fn draining(&self, remaining_s: u64, outstanding: u64) {
        let is_first = self.live.get().is_none_or(|live| !live.tally.is_draining.swap(true, Ordering::Relaxed));
        self.tell(Event::Draining(Draining { remaining_s, outstanding, is_first }));
    }

    /// What was seen of this run: for [`Console::stopped`].
    pub(crate) fn summary(&self, exit_reason: ExitReason) -> Summary {
        match self.live.get() {
            Some(live) => live.summary(exit_reason),
            None => Summary {
                exit_reason,
                uptime: Duration::ZERO,
                functions: 0,
                invocations: Invocations::default(),
                errors: 0,
            },
        }
    }

    /// The host has stopped. It is told last of all, by [`Console::finish`].
    pub(crate) fn stopped(&self, summary: &Summary) {
        if let Some(live) = self.live.get() {
            *live.summary.lock().unwrap_or_else(PoisonError::into_inner) = Some(summary.clone());
        }
    }

    /// Why the process ends: the whole chain of causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        if let Some(live) = self.live.get() {
            live.tell(Event::DrainingEnded);
            if live.mode == Mode::Json {
                self.diagnostic("host-failed", Severity::Error, &format!("{error:#}"), None);
            }
            live.queue.flush(FLUSH_PATIENCE);
        }
        let look = Look { colours: self.wants_colours && io::stderr().is_terminal(), links: false };
        let text = format!("{} {error:#}\n", look.paint(TROUBLE, "error:"));
        drop(io::stderr().lock().write_all(text.as_bytes()));
    }

    /// Tells the last word of a run, and waits until everything is printed; but not for ever, if nobody reads.
    pub(crate) fn finish(&self) {
        let Some(live) = self.live.get() else { return };
        live.tell(Event::DrainingEnded);
        let summary = live.summary.lock().unwrap_or_else(PoisonError::into_inner).take();
        match summary {
            Some(summary) => live.tell(Event::Stopped(summary)),
            // Programs wait for it; people have been told why it ended.
            None if live.mode == Mode::Json => live.tell(Event::Stopped(live.summary(ExitReason::HostFailed))),
            None => {}
        }
        live.queue.flush(FLUSH_PATIENCE);
    }

    /// The last of the log; empty before this is the output of a running host.
    pub(crate) fn logs(&self) -> Arc<LogStream> {
        self.live.get().map(|live| Arc::clone(&live.logs)).unwrap_or_default()
    }

    fn phase(&self) -> Phase {
        self.live.get().map_or(Phase::Start, |live| live.phase())
    }

    fn tell(&self, event: Event) {
        match self.live.get() {
            Some(live) => live.tell(event),
            None => {
                let mut text = String::new();
                let renderer = Renderer::new(Mode::Compact, self.look(), false);
                renderer.render(&Record { at: SystemClock.now(), event }, &mut text);
                let mut output = io::stdout().lock();
                drop(output.write_all(text.as_bytes()));
                drop(output.flush());
            }
        }
    }

    /// Standard output's.
    fn look(&self) -> Look {
        let is_terminal = io::stdout().is_terminal();
        Look { colours: self.wants_colours && is_terminal, links: is_terminal }
    }

    /// Whether log lines may have colours.
    pub(crate) fn colours_on_error(&self) -> bool {
        self.wants_colours && io::stderr().is_terminal()
    }
}

/// A path as a person wants to read it: relative to where the command was given, if it lies below.
pub(crate) fn readable(path: &Path, current_folder: &Path) -> String {
    path.strip_prefix(current_folder).unwrap_or(path).display().to_string()
}
