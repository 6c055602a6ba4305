//! How events look to a person at a terminal: colours, no times, one line for each invocation when it has ended.

use super::event::{Event, Log, Outcome, Record, Reloaded, Severity, Source, Step};
use super::look::{
    ASIDE, BAD, GOOD, HEADING, Look, NAME, TROUBLE, URL, WARNING, push_visible, readable, seconds, short,
};
use super::phrases;
use crate::listing::Listing;
use clap::builder::styling::Style;
use std::time::Duration;
use tracing::Level;

/// What marks the lines of one invocation.
const INDENT: &str = "  ";

/// Renders events for people.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compact {
    pub(super) look: Look,
    /// Also beginnings, and everything that is known of a line.
    pub(super) verbose: bool,
}

impl Compact {
    /// Appends the event's lines, if it has any.
    pub(super) fn render(self, record: &Record, out: &mut String) {
        let look = self.look;
        match &record.event {
            Event::Began | Event::HostState(_) | Event::DrainingEnded => {}
            Event::Banner { version, app, store } => {
                let heading = look.paint(HEADING, &format!("Dacapo {version}"));
                out.push_str(&format!("\n{heading}\nApp: {app}\nStore: {store}\n"));
            }
            Event::Functions(listings) => self.functions(listings, out),
            Event::Occurrences(timers) => self.occurrences(timers, out),
            Event::Storage(addresses) if addresses.is_empty() => {}
            Event::Storage(addresses) => {
                out.push_str("Storage endpoint (UseDevelopmentStorage=true):\n");
                for (service, url) in addresses {
                    out.push_str(&format!("\t{:<6}{}\n", service.name(), look.paint(URL, &look.link(url))));
                }
            }
            Event::Ready { start_up, building } => {
                out.push_str(&format!("Ready in {} ms{}\n", start_up.as_millis(), phrases::after_building(*building)));
            }
            Event::Progress(text) => self.aside(text, out),
            Event::Notice(text) => out.push_str(&format!("{text}\n")),
            Event::Building { component, phase: _ } => self.aside(&format!("Building {component} ..."), out),
            Event::Built { component, phase: _, duration } => {
                self.aside(&format!("Built {component} in {}", seconds(*duration)), out);
            }
            Event::Reloaded(reloaded) => self.reloaded(reloaded, out),
            Event::ReloadFailed { app, error, serving } => {
                let trouble = look.paint(TROUBLE, "error:");
                out.push_str(&format!("{trouble} {}\n", phrases::not_reloaded(app, error)));
                out.push_str(&format!("{INDENT}{}\n", phrases::still_serving(serving)));
            }
            Event::Diagnostic(diagnostic) => {
                out.push_str(&self.severity(diagnostic.severity));
                phrases::push_lines(out, &diagnostic.message, INDENT);
                if let Some(next) = &diagnostic.recommendation {
                    out.push_str(&format!("{INDENT}→ "));
                    phrases::push_lines(out, next, INDENT);
                }
            }
            Event::Draining(draining) => {
                // The terminal has just shown ^C.
                let before = if draining.is_first { "\n" } else { "" };
                out.push_str(&format!("{before}{}\n", phrases::draining(*draining)));
            }
            Event::Log(log) => self.log(log, out),
            Event::Stopped(summary) => {
                let phrase = phrases::stopped(summary, &readable(summary.uptime));
                out.push_str(&format!("Stopped after {phrase}.\n"));
            }
            Event::LeftOut(lines) => self.aside(&phrases::left_out(*lines), out),
        }
    }

    /// Every function with its trigger, HTTP functions first, as the caller has ordered them.
    fn functions(self, listings: &[Listing], out: &mut String) {
        out.push_str(&format!("\n{}\n\n", self.look.paint(HEADING, "Functions:")));
        for listing in listings {
            out.push_str(&format!("\t{}\n\n", self.function(listing)));
        }
    }

    fn function(self, listing: &Listing) -> String {
        let look = self.look;
        match listing {
            Listing::Http { name, methods, url, route: _ } => {
                format!("{}: [{methods}] {}", look.paint(NAME, name), look.paint(URL, &look.link(url)))
            }
            Listing::Other { name, trigger } => format!("{}: {trigger}", look.paint(NAME, name)),
        }
    }

    fn occurrences(self, timers: &[(String, Vec<String>)], out: &mut String) {
        for (function, next) in timers {
            let name = self.look.paint(HEADING, function);
            out.push_str(&format!("The next {} occurrences of {name} are:\n", next.len()));
            for moment in next {
                out.push_str(&format!("{}\n", self.look.paint(ASIDE, &format!("\t{moment}"))));
            }
        }
    }

    fn reloaded(self, reloaded: &Reloaded, out: &mut String) {
        let Reloaded { app, built, loaded, switched, total, added, removed, changed, digest } = reloaded;
        let heading = self.look.paint(GOOD, &format!("Reloaded {app} in {}", seconds(*total)));
        let built = built.map(|time| format!("built in {}, ", seconds(time))).unwrap_or_default();
        let (loaded, switched) = (seconds(*loaded), seconds(*switched));
        out.push_str(&format!("{heading}: {built}loaded in {loaded}, switched in {switched} ({digest})\n"));
        for listing in added {
            out.push_str(&format!("{INDENT}+ {}\n", self.function(listing)));
        }
        for (sign, names) in [("~", changed), ("-", removed)] {
            for name in names {
                out.push_str(&format!("{INDENT}{sign} {}\n", self.look.paint(NAME, name)));
            }
        }
    }

    fn log(self, log: &Log, out: &mut String) {
        match &log.step {
            Some(Step::InvocationStarted { reason }) => {
                if self.verbose {
                    let begun = phrases::because(&format!("▸ {}{}", phrases::name(log), id(log)), reason.as_deref());
                    self.aside(&begun, out);
                }
            }
            Some(Step::InvocationEnded { outcome, duration_ms, error }) => {
                let (style, sign) = match outcome {
                    Outcome::Succeeded => (GOOD, "✓"),
                    Outcome::Failed => (BAD, "✗"),
                    Outcome::Cancelled => (WARNING, "–"),
                };
                let why = match outcome {
                    Outcome::Succeeded | Outcome::Failed => error.as_deref(),
                    Outcome::Cancelled => Some("cancelled, because nobody waits for it any more"),
                };
                self.ended(log, (style, sign), *duration_ms, why, out);
            }
            Some(Step::InstanceEnded { status, duration_ms, error }) => {
                let mark = match (status.as_str(), error) {
                    ("Completed", _) => (GOOD, "✓"),
                    (_, Some(_)) => (BAD, "✗"),
                    (_, None) => (WARNING, "–"),
                };
                let why = error.as_deref().or((status != "Completed").then_some(status.as_str()));
                self.ended(log, mark, *duration_ms, why, out);
            }
            None => self.line(log, out),
        }
    }

    /// `✓ BookFlight 12 ms  (id 1a2b3c4d)`
    fn ended(self, log: &Log, mark: (Style, &str), duration_ms: u64, why: Option<&str>, out: &mut String) {
        let (style, sign) = mark;
        let time = readable(Duration::from_millis(duration_ms));
        let mut line = format!("{sign} {} {time}", phrases::name(log));
        let mut end = id(log);
        if let Some(why) = why {
            // What went wrong is not said in passing.
            line.push_str(&std::mem::take(&mut end));
            line.push_str(": ");
            push_visible(&mut line, why);
        }
        if style == GOOD {
            // The line that stands there a thousand times must not shout.
            let (sign, rest) = line.split_at(sign.len());
            out.push_str(&format!("{}{rest}{}", self.look.paint(style, sign), self.look.paint(ASIDE, &end)));
        } else {
            out.push_str(&self.look.paint(style, &line));
        }
        if self.verbose {
            phrases::push_fields(out, log);
        }
        out.push('\n');
    }

    /// `  BookFlight 1a2b3c4d  a seat is free`
    fn line(self, log: &Log, out: &mut String) {
        if log.function.is_some() {
            let mut who = phrases::name(log);
            if let Some(id) = phrases::short_id(log) {
                who.push(' ');
                push_visible(&mut who, id);
            }
            out.push_str(&format!("{INDENT}{}{INDENT}", self.look.paint(ASIDE, &who)));
        } else if let (true, Source::Host(module)) = (self.verbose, log.source) {
            out.push_str(&self.look.paint(ASIDE, &format!("{module}: ")));
        }
        let word = match log.level {
            Level::ERROR => self.look.paint(BAD, "error: "),
            Level::WARN => self.look.paint(WARNING, "warning: "),
            // Levels are constants and no enum; what is left is information, debug and trace.
            _ => String::new(),
        };
        out.push_str(&word);
        push_visible(out, &log.message);
        if log.source != Source::Function || self.verbose {
            phrases::push_fields(out, log);
        }
        out.push('\n');
    }

    fn severity(self, severity: Severity) -> String {
        match severity {
            Severity::Information => String::new(),
            Severity::Warning => self.look.paint(WARNING, "warning: "),
            Severity::Error => format!("{} ", self.look.paint(TROUBLE, "error:")),
        }
    }

    fn aside(self, text: &str, out: &mut String) {
        out.push_str(&self.look.paint(ASIDE, text));
        out.push('\n');
    }
}

/// `  (id 1a2b3c4d)`, or whose life the line is about.
fn id(log: &Log) -> String {
    let mut text = String::new();
    match (&log.invocation_id, &log.instance_id) {
        (Some(id), _) => text.push_str(&format!("  (id {})", short(id))),
        (None, Some(instance)) => {
            text.push_str("  (instance ");
            push_visible(&mut text, instance);
            text.push(')');
        }
        (None, None) => {}
    }
    text
}
