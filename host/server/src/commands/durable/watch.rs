//! Following one instance until it ends: a timeline that is drawn anew in a terminal, a line per event elsewhere.
//!
//! The host is asked again and again, because its API has no way to wait for news. What is printed follows from what was seen;
//! only [`watch`] itself asks, waits and looks at the clock.

use futures::FutureExt;
use orchestration::{EventId, EventKind, ExecutionId, RuntimeStatus, Timestamp};
use ports::Clock;
use serde::Deserialize;
use std::pin::pin;
use std::time::Duration;

use super::events::Teller;
use super::hub::{self, Question};
use super::instance::{Pace, Status};
use super::paint::{Line, Look, Paint, table, to_text};
use super::show::read;
use super::timeline::{Frame, Present, draw};
use super::{Said, json};
use crate::cli::{HubArguments, OutputFormat, WatchArguments};
use crate::clock::{Stopwatch, SystemClock, after};
use crate::exit::Problem;
use crate::history_file::HistoryFile;
use crate::moment::parse_exact;

/// How long a host may be away that was there: it may be starting again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines of a terminal that are not for rows: title, axis, remark, summary, the line of the cursor, and space between.
const OTHER_LINES: usize = 7;

/// What the host said at one time.
#[derive(Debug)]
struct Seen {
    status: Status,
    /// One event a line, as it came.
    text: String,
    /// None before the first event.
    history: Option<HistoryFile>,
    present: Present,
    /// What the instance is doing, in one sentence.
    summary: Option<String>,
}

/// The part of an explanation that is drawn.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Explanation {
    summary: Option<String>,
    waiting_for: Vec<Waiting>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Waiting {
    kind: String,
    event_id: Option<u32>,
    name: Option<String>,
    since: Option<String>,
    running: Option<bool>,
}

impl Explanation {
    fn present(&self) -> Present {
        let mut present = Present::default();
        for waiting in &self.waiting_for {
            let since = waiting.since.as_deref().and_then(parse_exact);
            match (waiting.kind.as_str(), &waiting.name, since, waiting.event_id) {
                ("Event", Some(name), Some(since), _) => present.awaited_events.push((name.clone(), since)),
                ("Activity", _, _, Some(id)) if waiting.running == Some(false) => present.queued.push(EventId(id)),
                // Whatever else it waits for is in its history.
                _ => {}
            }
        }
        present
    }
}

/// Asks for everything. The status comes first: the history of what has ended by then is whole.
async fn ask(id: &str, hub: &HubArguments) -> Result<Seen, Problem> {
    let status = Status::of(id, false, hub).await?;
    let text = hub::ask(hub, Question::get(&["instances", id, "history"])).await?.content;
    let explanation: Explanation = if status.runtime_status.is_terminal() {
        Explanation::default()
    } else {
        // An instance may be gone by now, which the next question finds out.
        let answer = hub::ask(hub, Question::get(&["instances", id, "explain"])).await;
        answer.ok().and_then(|answer| serde_json::from_str(&answer.content).ok()).unwrap_or_default()
    };
    let history = read(&text)?;
    Ok(Seen { status, history, text, present: explanation.present(), summary: explanation.summary })
}

/// Follows an instance to its end and prints what there is to see.
pub(super) async fn watch(
    arguments: &WatchArguments,
    look: Look,
    mut print: impl FnMut(&str),
) -> Result<Said, Problem> {
    let (id, hub) = (arguments.instance.id(), &arguments.hub);
    let mut watcher = Watcher::new(hub.host.output, look);
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    // Ctrl+C is heard from the first time on that it is asked for, and must not end the process while the first answer is drawn.
    if interrupted.as_mut().now_or_never().is_some() {
        return Err(Problem::Interrupted);
    }
    let mut pace = Pace::new();
    let mut away: Option<Stopwatch> = None;
    let mut last = None;
    loop {
        let asking = Stopwatch::start();
        let has_news = match ask(id, hub).await {
            Ok(seen) => {
                away = None;
                let (text, has_news) = watcher.see(&seen, SystemClock.now());
                print(&text);
                if seen.status.runtime_status.is_terminal() {
                    print(&watcher.finish(&seen, SystemClock.now()));
                    return Ok(watcher.outcome(&seen.status));
                }
                last = Some(seen);
                has_news
            }
            Err(Problem::NoAnswer(why)) => {
                let since = *away.get_or_insert_with(Stopwatch::start);
                if last.is_none() || since.elapsed() > PATIENCE {
                    return Err(Problem::NoAnswer(why));
                }
                false
            }
            Err(refused) => return Err(refused),
        };
        let pause = pin!(after(pace.next(has_news, asking.elapsed())));
        if let futures::future::Either::Left(_) = futures::future::select(interrupted.as_mut(), pause).await {
            if let Some(seen) = &last {
                print(&watcher.finish(seen, SystemClock.now()));
            }
            return Err(Problem::Interrupted);
        }
    }
}

/// What was printed, and how it goes on.
struct Watcher {
    output: OutputFormat,
    look: Look,
    /// Lines above the cursor that are drawn anew.
    drawn: usize,
    execution: Option<ExecutionId>,
    /// Events of this execution that were seen.
    events: usize,
    status: Option<RuntimeStatus>,
    teller: Teller,
}

impl Watcher {
    fn new(output: OutputFormat, look: Look) -> Watcher {
        let teller = Teller::default();
        Watcher { output, look, drawn: 0, execution: None, events: 0, status: None, teller }
    }

    fn draws(&self) -> bool {
        self.look.terminal && self.output == OutputFormat::Text
    }

    /// What to print, and whether anything has happened since the last time.
    fn see(&mut self, seen: &Seen, now: Timestamp) -> (String, bool) {
        let mut has_news = self.status != Some(seen.status.runtime_status);
        self.status = Some(seen.status.runtime_status);
        let mut text = String::new();
        if let Some(history) = &seen.history {
            let execution = execution_of(history);
            if execution != self.execution {
                let is_another = self.execution.is_some();
                (self.execution, self.events, self.teller) = (execution, 0, Teller::default());
                if let Some(execution) = execution.filter(|_| is_another && self.output == OutputFormat::Text) {
                    text.push_str(&format!("\nExecution {execution}\n"));
                }
            }
            has_news |= history.events.len() > self.events;
            text.push_str(&self.new_events(seen, history));
            self.events = history.events.len();
        }
        if self.draws() {
            text = self.redrawn(&self.frame(seen, now));
        }
        (text, has_news)
    }

    fn new_events(&mut self, seen: &Seen, history: &HistoryFile) -> String {
        match self.output {
            OutputFormat::Json => {
                let lines: Vec<&str> = seen.text.lines().collect();
                let new = history.lines.iter().skip(self.events);
                let new = new.filter_map(|line| lines.get(line.saturating_sub(1)));
                new.map(|line| json(line, self.look) + "\n").collect()
            }
            OutputFormat::Text => {
                let new = history.events.iter().skip(self.events);
                new.map(|event| to_text(&table(vec![self.teller.tell(event)]), self.look.colours)).collect()
            }
        }
    }

    /// All that fits on the screen.
    fn frame(&self, seen: &Seen, now: Timestamp) -> Vec<Line> {
        let Look { width, height, .. } = self.look;
        let fits = |rows: usize| match &seen.history {
            Some(history) => draw(history, &seen.present, now, Frame { width, max_rows: Some(rows) }),
            None => vec![waiting(&seen.status)],
        };
        let rows = height.saturating_sub(OTHER_LINES).max(1);
        let mut lines = fits(rows);
        let excess = (lines.len() + 3).saturating_sub(height);
        if excess > 0 {
            lines = fits(rows.saturating_sub(excess).max(1));
            lines.truncate(height.saturating_sub(3).max(1));
        }
        if let Some(summary) = &seen.summary {
            let mut line = Line::default();
            line.push(summary, Paint::Aside);
            lines.extend([Line::default(), line.cut(width)]);
        }
        lines
    }

    /// Over what was drawn before.
    fn redrawn(&mut self, lines: &[Line]) -> String {
        let up = if self.drawn > 0 { format!("\x1b[{}A\r", self.drawn) } else { String::new() };
        self.drawn = lines.len();
        let text: String = lines.iter().map(|line| line.to_text(self.look.colours) + "\x1b[K\n").collect();
        format!("{up}{text}\x1b[J")
    }

    /// The whole timeline, at the end.
    fn finish(&mut self, seen: &Seen, now: Timestamp) -> String {
        let frame = Frame { width: self.look.width, max_rows: None };
        let lines = match &seen.history {
            Some(history) => draw(history, &seen.present, now, frame),
            None => vec![waiting(&seen.status)],
        };
        match self.output {
            OutputFormat::Json => String::new(),
            OutputFormat::Text if self.draws() => self.redrawn(&lines),
            OutputFormat::Text => format!("\n{}", to_text(&lines, self.look.colours)),
        }
    }

    fn outcome(&self, status: &Status) -> Said {
        let text = match self.output {
            OutputFormat::Json => String::new(),
            OutputFormat::Text => format!("\n{}", status.in_one_line(self.look)),
        };
        Said { text, is_well: status.runtime_status == RuntimeStatus::Completed }
    }
}

fn waiting(status: &Status) -> Line {
    let mut line = Line::default();
    line.push(&format!("{} {}: ", status.name, status.instance_id), Paint::Plain);
    line.push(status.runtime_status.name(), Paint::of(status.runtime_status));
    line
}

fn execution_of(history: &HistoryFile) -> Option<ExecutionId> {
    history.events.iter().find_map(|event| {
        if let EventKind::ExecutionStarted(started) = &event.kind { Some(started.execution) } else { None }
    })
}
