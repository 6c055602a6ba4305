//! Logs: which lines are shown, and how they look. What is worth a line is decided where it happens.
//!
//! Log lines go to standard error. By default they are for developers: a time, what happened, nothing twice; the manifest's
//! `[host.logging]` says more or less of it. `--verbose` adds what the host itself does, with all fields; RUST_LOG, when it is
//! set, says exactly what is shown.

use manifest::settings::{LogLevel, LoggingSettings};
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

/// Where nothing else is said: what somebody has to look at.
const QUIET: LogLevel = LogLevel::Warning;
/// What a developer wants to see of an app: its invocations, and what functions say.
const TALKATIVE: LogLevel = LogLevel::Information;

/// Whose lines are of the category `Function`: what functions write, and that they were invoked.
const FUNCTION_TARGETS: [&str; 2] = ["guest", "triggers"];
/// `DurableTask`
const DURABLE_TASK_TARGETS: [&str; 1] = ["task_hub"];
/// `Host`
const HOST_TARGETS: [&str; 3] = ["azure_storage", "dacapo", "storage"];

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
pub(crate) fn start(
    environment: &Environment,
    verbose: bool,
    logging: &LoggingSettings,
    console: &Console,
) -> anyhow::Result<()> {
    let filter = match environment.rust_log() {
        Some(text) => EnvFilter::try_new(text).map_err(|error| {
            anyhow::anyhow!(
                "RUST_LOG is {text:?}, which is no filter: {error}; write it like `info` or `warn,guest=debug`"
            )
        })?,
        None if verbose => EnvFilter::new(VERBOSE),
        None => EnvFilter::new(plain(logging)),
    };
    let colours = console.colours_on_error();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    let started = if verbose { lines.try_init() } else { lines.event_format(PlainLines).try_init() };
    started.map_err(|error| anyhow::anyhow!("could not start logging: {error}"))
}

/// The filter for what a manifest asks for. A category that it does not name follows `default`, if it names that. The libraries
/// that the host is made of have no category: they are never more talkative than without a word about them.
fn plain(logging: &LoggingSettings) -> String {
    let LoggingSettings { default, function, host, durable_task } = logging;
    let or_else = |level: &Option<LogLevel>, otherwise| level.or(*default).unwrap_or(otherwise);
    let categories: [(&[&str], LogLevel); 3] = [
        (&FUNCTION_TARGETS, or_else(function, TALKATIVE)),
        (&DURABLE_TASK_TARGETS, or_else(durable_task, TALKATIVE)),
        (&HOST_TARGETS, or_else(host, QUIET)),
    ];
    let libraries = default.unwrap_or(QUIET).max(QUIET);
    let mut filter = libraries.as_filter().to_owned();
    for (targets, level) in categories {
        for target in targets {
            filter.push_str(&format!(",{target}={}", level.as_filter()));
        }
    }
    filter
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
        check_with(&LoggingSettings::default(), log, expected);
    }

    fn check_with(logging: &LoggingSettings, log: impl FnOnce(), expected: &Expect) {
        let lines = Lines::default();
        let sink = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .event_format(PlainLines)
            .with_env_filter(EnvFilter::new(plain(logging)))
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

    fn check_filter(logging: &str, expected: &Expect) {
        let text = format!(
            "[app]\nname = 'a'\nversion = '1'\n[components.a]\nsource = 'a.wasm'\n[functions.A]\n\
             trigger = {{ type = 'entityTrigger' }}\n[host.logging.logLevel]\n{logging}"
        );
        let app = manifest::parse(&text, "a.toml", &manifest::no_settings).expect("the manifest is right");
        expected.assert_eq(&plain(&app.host.logging));
    }

    #[test]
    fn a_manifest_says_what_is_worth_a_line() {
        check_filter(
            "",
            &expect!["warn,guest=info,triggers=info,task_hub=info,azure_storage=warn,dacapo=warn,storage=warn"],
        );
        check_filter(
            "default = 'Error'",
            &expect!["error,guest=error,triggers=error,task_hub=error,azure_storage=error,dacapo=error,storage=error"],
        );
        check_filter(
            "default = 'Debug'",
            &expect!["warn,guest=debug,triggers=debug,task_hub=debug,azure_storage=debug,dacapo=debug,storage=debug"],
        );
        check_filter(
            "Function = 'Warning'\nHost = 'Trace'\n'Host.Triggers.DurableTask' = 'None'",
            &expect!["warn,guest=warn,triggers=warn,task_hub=off,azure_storage=trace,dacapo=trace,storage=trace"],
        );
    }

    #[test]
    fn levels_of_the_manifest_reach_the_lines() {
        let logging = LoggingSettings {
            function: Some(LogLevel::Error),
            host: Some(LogLevel::Debug),
            ..LoggingSettings::default()
        };
        check_with(
            &logging,
            || {
                tracing::info!(target: "triggers::http", "Executed");
                tracing::error!(target: "guest", "a function complains");
                tracing::debug!(target: "storage", "a group of commits");
                tracing::info!(target: "task_hub", "a turn");
                tracing::info!(target: "hyper", "for the library's own developers");
            },
            &expect![[r#"
                error: a function complains
                a group of commits
                a turn"#]],
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
