//! The one who prints: takes what waits, makes text of it as the mode wants it, and writes it in as few pieces as there are batches.
//!
//! Owns the line at the bottom of a terminal that is written again and again (the countdown of a drain), and the log file.

use std::fs::File;
use std::io::Write;

use super::Mode;
use super::compact::Compact;
use super::event::{Event, Record};
use super::json;
use super::look::Look;
use super::phrases;
use super::plain::Plain;
use super::queue::{Batch, Queue};
use crate::clock::SystemClock;
use ports::Clock;

/// Where a countdown cannot be written over itself, it is told every so many seconds.
const COUNTDOWN_STEP_S: u64 = 5;

/// Clears the line of the cursor.
const CLEAR_LINE: &str = "\r\x1b[2K";

/// Makes text of events, in one of the modes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Renderer {
    Compact(Compact),
    Plain(Plain),
    Json,
}

impl Renderer {
    pub(super) fn new(mode: Mode, look: Look, verbose: bool) -> Renderer {
        match mode {
            Mode::Compact => Renderer::Compact(Compact { look, verbose }),
            // Whoever wants plain lines at a terminal may click on URLs there, but gets what a file would get otherwise.
            Mode::Plain => Renderer::Plain(Plain { look: Look { colours: false, ..look }, verbose }),
            Mode::Json => Renderer::Json,
        }
    }

    pub(super) fn render(self, record: &Record, out: &mut String) {
        match self {
            Renderer::Compact(compact) => compact.render(record, out),
            Renderer::Plain(plain) => plain.render(record, out),
            Renderer::Json => json::render(record, out),
        }
    }
}

/// Writes what comes out of a queue.
pub(super) struct Printer<W> {
    renderer: Renderer,
    output: W,
    /// Whether a line can be written over.
    is_terminal: bool,
    /// Where plain lines go besides.
    file: Option<LogFile>,
    /// The line that stands at the bottom of the terminal.
    bottom: Option<String>,
}

/// A file that gets a copy of everything, in plain lines.
pub(super) struct LogFile {
    file: File,
    lines: Plain,
    is_broken: bool,
}

impl LogFile {
    pub(super) fn new(file: File, verbose: bool) -> LogFile {
        LogFile { file, lines: Plain { look: Look::default(), verbose }, is_broken: false }
    }

    fn write(&mut self, text: &str) {
        if self.is_broken {
            return;
        }
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            self.is_broken = true;
            // Those who print cannot log: it would come back to them.
            let text = format!("warning: the log file cannot be written any more: {error}\n");
            drop(std::io::stderr().lock().write_all(text.as_bytes()));
        }
    }
}

impl<W: Write> Printer<W> {
    pub(super) fn new(renderer: Renderer, output: W, is_terminal: bool, file: Option<LogFile>) -> Printer<W> {
        Printer { renderer, output, is_terminal, file, bottom: None }
    }

    /// Prints for as long as the process lives.
    pub(super) fn run(mut self, queue: &Queue) {
        loop {
            self.print(&queue.take());
        }
    }

    /// Prints a batch. A closed pipe on the other side is no reason to stop, so failures to print are ignored.
    pub(super) fn print(&mut self, batch: &Batch) {
        let (mut text, mut copy) = (String::new(), String::new());
        if self.bottom.is_some() {
            text.push_str(CLEAR_LINE);
        }
        let left_out =
            (batch.left_out > 0).then(|| Record { at: SystemClock.now(), event: Event::LeftOut(batch.left_out) });
        for record in batch.records.iter().map(AsRef::as_ref).chain(&left_out) {
            if self.is_line(&record.event) {
                self.renderer.render(record, &mut text);
                if let Some(file) = &self.file {
                    file.lines.render(record, &mut copy);
                }
            }
        }
        text.push_str(self.bottom.as_deref().unwrap_or_default());
        drop(self.output.write_all(text.as_bytes()));
        drop(self.output.flush());
        if let Some(file) = &mut self.file {
            file.write(&copy);
        }
    }

    /// Whether it is told by lines of its own. A countdown is written over itself where that can be done, and told now and then
    /// elsewhere.
    fn is_line(&mut self, event: &Event) -> bool {
        if let Event::Stopped(_) | Event::DrainingEnded = event {
            self.bottom = None;
        }
        let Event::Draining(draining) = event else { return true };
        let redraws = self.is_terminal && !matches!(self.renderer, Renderer::Json);
        if redraws {
            self.bottom = Some(phrases::countdown(*draining));
        }
        draining.is_first || (!redraws && draining.remaining_s % COUNTDOWN_STEP_S == 0)
    }
}
