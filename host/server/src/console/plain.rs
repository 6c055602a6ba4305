//! How events look in a file or a pipe: one line each, that begins with the time and what kind of line it is. The forms are those of
//! the Azure Functions Core Tools, version 5, so that what reads those reads these. Times are UTC.

use super::event::{Event, HostState, Log, Outcome, Record, Reloaded, Severity, Source, StateChange, Step};
use super::look::{Look, push_visible, short, time_of_day};
use super::phrases;
use crate::listing::Listing;
use std::time::Duration;
use tracing::Level;

/// What lines begin with that go on with the one before.
const INDENT: &str = "          ";

/// Renders events as lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain {
    pub(super) look: Look,
    /// Also everything that is known of a line.
    pub(super) verbose: bool,
}

/// Appends the event's lines as a file gets them.
pub(crate) fn render(record: &Record, out: &mut String) {
    Plain { look: Look::default(), verbose: false }.render(record, out);
}

impl Plain {
    /// Appends the event's lines, if it has any.
    pub(super) fn render(self, record: &Record, out: &mut String) {
        let mut lines = Lines { time: time_of_day(record.at), out };
        match &record.event {
            Event::Began | Event::DrainingEnded => {}
            Event::Banner { version, app, store } => {
                lines.add("host", &format!("Dacapo {version}"));
                lines.add("host", &format!("App: {app}"));
                lines.add("host", &format!("Store: {store}"));
            }
            Event::Functions(listings) => {
                listings.iter().for_each(|listing| self.function("loaded", listing, &mut lines))
            }
            Event::Occurrences(timers) => {
                for (function, next) in timers {
                    let moments = next.join(", ");
                    lines.add("host", &format!("The next {} occurrences of {function} are: {moments}", next.len()));
                }
            }
            Event::Storage(addresses) => {
                for (service, url) in addresses {
                    lines.add("storage endpoint", &format!("{} {}", service.name(), self.look.link(url)));
                }
            }
            Event::Ready { start_up, building } => {
                let building = phrases::after_building(*building);
                lines.add("host", &format!("Host ready ({}){building}", time(*start_up)));
            }
            Event::Progress(text) | Event::Notice(text) => lines.add("host", text.trim()),
            Event::Building { component, phase: _ } => lines.add("build", &format!("Building {component} ...")),
            Event::Built { component, phase: _, duration } => {
                lines.add("build", &format!("Built {component} in {}", time(*duration)));
            }
            Event::HostState(change) => state(change, &mut lines),
            Event::Reloaded(reloaded) => self.reloaded(reloaded, &mut lines),
            Event::ReloadFailed { app, error, serving } => {
                lines.add("diagnostic", &format!("reload-failed: {}", phrases::not_reloaded(app, error)));
                lines.next_step(&phrases::still_serving(serving));
            }
            Event::Diagnostic(diagnostic) => {
                let word = match diagnostic.severity {
                    Severity::Information => "",
                    Severity::Warning => "warning: ",
                    Severity::Error => "error: ",
                };
                lines.add("diagnostic", &format!("{}: {word}{}", diagnostic.code, diagnostic.message));
                diagnostic.recommendation.iter().for_each(|next| lines.next_step(next));
            }
            Event::Draining(draining) => lines.add("shutdown", &phrases::draining(*draining)),
            Event::Log(log) => self.log(log, &mut lines),
            Event::Stopped(summary) => {
                lines.add("shutdown", &format!("Stopped after {}", phrases::stopped(summary, &time(summary.uptime))));
            }
            Event::LeftOut(count) => lines.add("host", &phrases::left_out(*count)),
        }
    }

    /// `[function loaded]  <name> <trigger> <METHODS> <url>`
    fn function(self, what: &str, listing: &Listing, lines: &mut Lines<'_>) {
        let text = match listing {
            Listing::Http { name, methods, url, route: _ } => {
                format!(" {name} httpTrigger {methods} {}", self.look.link(url))
            }
            Listing::Other { name, trigger } => format!(" {name} {trigger}"),
        };
        lines.add(&format!("function {what}"), &text);
    }

    fn reloaded(self, reloaded: &Reloaded, lines: &mut Lines<'_>) {
        let Reloaded { app, built, loaded, switched, total, added, removed, changed, digest } = reloaded;
        removed.iter().for_each(|name| lines.add("function removed", &format!(" {name}")));
        added.iter().for_each(|listing| self.function("loaded", listing, lines));
        changed.iter().for_each(|name| lines.add("function changed", &format!(" {name}")));
        let built = built.map(|took| format!("built in {}, ", time(took))).unwrap_or_default();
        let (total, loaded, switched) = (time(*total), time(*loaded), time(*switched));
        lines.add(
            "reload",
            &format!("Reloaded {app} ({total}): {built}loaded in {loaded}, switched in {switched} ({digest})"),
        );
    }

    fn log(self, log: &Log, lines: &mut Lines<'_>) {
        let name = phrases::name(log);
        let (kind, mut text) = match &log.step {
            Some(Step::InvocationStarted { reason }) => {
                let begun = format!("{name}{}", id(log));
                let reason = reason.as_deref().filter(|_| self.verbose);
                ("invocation start", phrases::because(&begun, reason))
            }
            Some(Step::InvocationEnded { outcome, duration_ms, error }) => {
                let how = match outcome {
                    Outcome::Succeeded => "succeeded in",
                    Outcome::Failed => "failed in",
                    Outcome::Cancelled => "cancelled after",
                };
                let ended =
                    format!("{name} {how} {}{}", time(Duration::from_millis(*duration_ms)), self.id_of(log, error));
                ("invocation end", phrases::because(&ended, error.as_deref()))
            }
            Some(Step::InstanceEnded { status, duration_ms, error }) => {
                let status = if status == "Completed" { "succeeded".to_owned() } else { status.to_lowercase() };
                let ended = format!("{name} {status} in {}{}", time(Duration::from_millis(*duration_ms)), id(log));
                ("orchestration end", phrases::because(&ended, error.as_deref()))
            }
            None => return self.line(log, lines),
        };
        if self.verbose {
            phrases::push_fields(&mut text, log);
        }
        lines.add(kind, &text);
    }

    /// A success is told in as few words as there are; who fails is asked about.
    fn id_of(self, log: &Log, error: &Option<String>) -> String {
        if error.is_some() || self.verbose { id(log) } else { String::new() }
    }

    /// `[function] BookFlight (id=1a2b3c4d): a seat is free`
    fn line(self, log: &Log, lines: &mut Lines<'_>) {
        let mut text = String::new();
        if log.function.is_some() {
            text.push_str(&format!("{}{}: ", phrases::name(log), id(log)));
        }
        if let (true, Source::Host(module)) = (self.verbose, log.source) {
            text.push_str(&format!("{module}: "));
        }
        text.push_str(match log.level {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            // Levels are constants and no enum; what is left is information, debug and trace.
            _ => "",
        });
        push_visible(&mut text, &log.message);
        if log.source != Source::Function || self.verbose {
            phrases::push_fields(&mut text, log);
        }
        let kind = match log.source {
            Source::Function | Source::Invocation => "function",
            Source::DurableTask => "durable task",
            Source::Host(_) => "host",
        };
        lines.add(kind, &text);
    }
}

/// ` (id=1a2b3c4d)`, or whose life the line is about.
fn id(log: &Log) -> String {
    let mut text = String::new();
    match (&log.invocation_id, &log.instance_id) {
        (Some(id), _) => text.push_str(&format!(" (id={})", short(id))),
        (None, Some(instance)) => {
            text.push_str(" (instance=");
            push_visible(&mut text, instance);
            text.push(')');
        }
        (None, None) => {}
    }
    text
}

/// That the host is ready and that it has stopped is told by lines of their own.
fn state(change: &StateChange, lines: &mut Lines<'_>) {
    let word = match change.to {
        HostState::Starting => "Host starting",
        HostState::Recycling => "Host recycling",
        HostState::Ready | HostState::Stopped => return,
    };
    lines.add("host", &phrases::because(word, change.reason.as_deref()));
}

/// `12ms`, `1.2s`, `2m 5s`, `3h 2m`
fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{}ms", time.as_millis()),
        1..60 => format!("{:.1}s", time.as_secs_f64()),
        60..3_600 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3_600, seconds / 60 % 60),
    }
}

/// Lines of one moment.
struct Lines<'a> {
    time: String,
    out: &'a mut String,
}

impl Lines<'_> {
    /// `00:00:00  [kind] text`
    fn add(&mut self, kind: &str, text: &str) {
        self.out.push_str(&format!("{}  [{kind}] ", self.time));
        if text.contains('\n') {
            phrases::push_lines(self.out, text, INDENT);
        } else {
            // Links are made of escapes; what others have a say in was made visible before.
            self.out.push_str(text);
            self.out.push('\n');
        }
    }

    /// `→ what to do`
    fn next_step(&mut self, text: &str) {
        self.out.push_str(INDENT);
        self.out.push_str("→ ");
        phrases::push_lines(self.out, text, INDENT);
    }
}
