//! Logs: which lines are shown, and how they look. What is worth a line is decided where it happens.
//!
//! Log lines go to standard error. By default they are for developers: a time, what happened, nothing twice. `--verbose`
//! adds what the host itself does, with all fields; RUST_LOG, when it is set, says exactly what is shown.

use ports::Clock;
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::clock::SystemClock;
use crate::console::Console;
use crate::settings::Environment;

/// What a developer wants to see: invocations, what functions say, and what somebody has to react to.
const PLAIN: &str = "warn,guest=info,task_hub=info,triggers=info";
/// What the host does besides; the libraries it is made of stay quiet.
const VERBOSE: &str = "warn,dacapo=debug,guest=trace,storage=debug,task_hub=debug,triggers=debug";

/// Under this target come the lines that functions write.
const GUEST_TARGET: &str = "guest";

/// Fields whose values stand in the message already, or that only a program wants.
const FIELDS_LEFT_OUT: [&str; 4] = ["function", "invocation_id", "instance_id", "reason"];

/// `2024-01-01T00:00:00.000`: milliseconds are enough for people.
const TIME_LEN: usize = 23;

/// Sends the log lines of the whole process to standard error.
///
/// # Errors
/// RUST_LOG holds something that is no filter.
pub(crate) fn start(environment: &Environment, verbose: bool, console: &Console) -> anyhow::Result<()> {
    let filter = match environment.rust_log() {
        Some(text) => EnvFilter::try_new(text).map_err(|error| {
            anyhow::anyhow!(
                "RUST_LOG is {text:?}, which is no filter: {error}; write it like `info` or `warn,guest=debug`"
            )
        })?,
        None => EnvFilter::new(if verbose { VERBOSE } else { PLAIN }),
    };
    let colours = console.colours_on_error();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    let started = if verbose { lines.try_init() } else { lines.event_format(PlainLines).try_init() };
    started.map_err(|error| anyhow::anyhow!("could not start logging: {error}"))
}

/// `[2024-01-01T00:00:00.000Z] warning: what happened detail=value`
struct PlainLines;

impl<S, N> FormatEvent<S, N> for PlainLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Line::default();
        event.record(&mut line);
        let metadata = event.metadata();
        let now = SystemClock.now().to_string();
        write!(writer, "[{}Z] ", now.get(..TIME_LEN).unwrap_or(&now))?;
        let (word, colour) = emphasis(*metadata.level());
        if writer.has_ansi_escapes() && !word.is_empty() {
            write!(writer, "{colour}{word}{colour:#}")?;
        } else {
            writer.write_str(word)?;
        }
        if metadata.target() == GUEST_TARGET && !line.function.is_empty() {
            write!(writer, "{}: ", line.function)?;
        }
        writeln!(writer, "{}{}", line.message, line.fields)
    }
}

fn emphasis(level: Level) -> (&'static str, clap::builder::styling::Style) {
    use clap::builder::styling::AnsiColor;
    match level {
        Level::ERROR => ("error: ", AnsiColor::Red.on_default()),
        Level::WARN => ("warning: ", AnsiColor::Yellow.on_default()),
        // Levels are constants and no enum; what is left is information, debug and trace.
        _ => ("", clap::builder::styling::Style::new()),
    }
}

/// The parts of one line.
#[derive(Default)]
struct Line {
    message: String,
    function: String,
    /// Each with a space before it.
    fields: String,
}

impl Line {
    fn add(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => push_visible(&mut self.message, value),
            "function" => push_visible(&mut self.function, value),
            name if FIELDS_LEFT_OUT.contains(&name) => {}
            name => {
                self.fields.push(' ');
                self.fields.push_str(name);
                self.fields.push('=');
                push_visible(&mut self.fields, value);
            }
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"));
    }
}

/// Functions and callers decide about much of the text: what is no visible character could forge lines or steer the terminal.
fn push_visible(line: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_control() && c != '\t' {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panics while writing").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn check(log: impl FnOnce(), expected: &Expect) {
        let lines = Lines::default();
        let sink = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .event_format(PlainLines)
            .with_env_filter(EnvFilter::new(PLAIN))
            .with_writer(move || sink.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        let written = String::from_utf8(lines.0.lock().expect("nobody panicked").clone()).expect("text");
        // What stands before the bracket is the time.
        let shown: Vec<&str> = written.lines().map(|line| line.split_once("Z] ").expect("a time").1).collect();
        expected.assert_eq(&shown.join("\n"));
    }

    #[test]
    fn a_line_tells_nothing_twice() {
        check(
            || {
                let message = "Executed 'Functions.BookTrip'";
                tracing::info!(target: "triggers::http", function = "BookTrip", outcome = "Succeeded", duration_ms = 3, "{message}");
                tracing::info!(target: "guest", function = "BookTrip", invocation_id = "1", "a seat is free");
                tracing::warn!(target: "storage", error = %"disk is slow", "a commit took long");
                tracing::debug!(target: "task_hub", "for the host's own developers");
                tracing::info!(target: "hyper", "for the library's");
            },
            &expect![[r#"
                Executed 'Functions.BookTrip' outcome=Succeeded duration_ms=3
                BookTrip: a seat is free
                warning: a commit took long error=disk is slow"#]],
        );
    }

    #[test]
    fn a_function_cannot_forge_lines_or_steer_the_terminal() {
        check(
            || tracing::error!(target: "guest", function = "A", "x\n[2024] error: y\u{1b}[2J"),
            &expect![[r#"error: A: x\n[2024] error: y\u{1b}[2J"#]],
        );
    }
}
