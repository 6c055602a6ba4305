//! Logs: which lines are shown, and what is known of each. What is worth a line is decided where it happens, and how it looks in
//! `console`.
//!
//! By default lines are for developers: what functions say, and how they ended; the manifest's `[host.logging]` says more or less of
//! it. `--verbose` adds what the host itself does, with all fields; RUST_LOG, when it is set, says exactly what is shown. Invocations
//! are counted whatever is shown.
//!
//! A line is taken apart on the thread where it happens, which is all that an invocation pays for: text is made of it elsewhere.

use manifest::settings::{LogLevel, LoggingSettings};
use ports::Clock;
use std::fmt;
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterFn, LevelFilter};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock::SystemClock;
use crate::console::{self, Console, Live, Log, Outcome, Record, Source, Step};
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

/// The events that begin and end something, by name.
const INVOCATION_STARTED: &str = "invocation_started";
const INVOCATION_COMPLETED: &str = "invocation_completed";
const ORCHESTRATION_ENDED: &str = "orchestration_ended";

/// The span that everything in an invocation happens in.
const INVOCATION_SPAN: &str = "invocation";

/// Sends the log lines of the whole process to the console, which becomes the output of a running host with this.
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
    let live = console.set_output(None, verbose, None)?;
    let sink = Arc::clone(live);
    let lines = Lines { sink: move |record| sink.log(record) };
    let started = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(Tally(Arc::clone(live)).with_filter(counted()))
        .try_init();
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

/// Takes lines apart and hands them on.
struct Lines<F> {
    sink: F,
}

/// Whose invocation a span is.
struct Whose {
    function: Option<String>,
    invocation_id: Option<String>,
}

impl<S, F> Layer<S> for Lines<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: Fn(Arc<Record>) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() != INVOCATION_SPAN {
            return;
        }
        let mut parts = Parts::default();
        attributes.record(&mut parts);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Whose { function: parts.function, invocation_id: parts.invocation_id });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut parts = Parts { has_message: !says_its_step(metadata), ..Parts::default() };
        event.record(&mut parts);
        if parts.function.is_none() || parts.invocation_id.is_none() {
            let spans = context.event_scope(event).into_iter().flatten();
            for span in spans {
                let extensions = span.extensions();
                let Some(whose) = extensions.get::<Whose>() else { continue };
                parts.function = parts.function.or_else(|| whose.function.clone());
                parts.invocation_id = parts.invocation_id.or_else(|| whose.invocation_id.clone());
                break;
            }
        }
        let log = parts.into_log(metadata);
        (self.sink)(Arc::new(Record { at: SystemClock.now(), event: console::Event::Log(log) }));
    }
}

/// Whether the message of such an event says nothing that its fields do not.
fn says_its_step(metadata: &Metadata<'_>) -> bool {
    matches!(metadata.name(), INVOCATION_STARTED | INVOCATION_COMPLETED | ORCHESTRATION_ENDED)
}

/// The parts of one line.
#[derive(Default)]
struct Parts {
    has_message: bool,
    message: String,
    function: Option<String>,
    invocation_id: Option<String>,
    instance_id: Option<String>,
    duration_ms: u64,
    others: Vec<(&'static str, String)>,
}

impl Parts {
    fn add(&mut self, field: &Field, value: impl fmt::Display) {
        match field.name() {
            "message" if self.has_message => self.message = value.to_string(),
            "message" => {}
            "function" => self.function = Some(value.to_string()),
            "invocation_id" => self.invocation_id = Some(value.to_string()),
            "instance_id" => self.instance_id = Some(value.to_string()),
            name => self.others.push((name, value.to_string())),
        }
    }

    fn into_log(mut self, metadata: &Metadata<'static>) -> Log {
        let step = match metadata.name() {
            INVOCATION_STARTED => Some(Step::InvocationStarted { reason: self.take("reason") }),
            INVOCATION_COMPLETED => self.take("outcome").as_deref().and_then(Outcome::parse).map(|outcome| {
                Step::InvocationEnded { outcome, duration_ms: self.duration_ms, error: self.take("error") }
            }),
            ORCHESTRATION_ENDED => self.take("status").map(|status| Step::InstanceEnded {
                status,
                duration_ms: self.duration_ms,
                error: self.take("error"),
            }),
            _ => None,
        };
        let source = source(metadata, step.as_ref());
        let Parts { message, function, invocation_id, instance_id, others: fields, .. } = self;
        Log { source, level: *metadata.level(), message, function, invocation_id, instance_id, fields, step }
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.others.iter().position(|(other, _)| *other == name)?;
        Some(self.others.remove(at).1)
    }
}

impl Visit for Parts {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "duration_ms" {
            self.duration_ms = value;
        } else {
            self.add(field, value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }
}

/// Who says it.
fn source(metadata: &Metadata<'static>, step: Option<&Step>) -> Source {
    let target = metadata.target();
    let library = target.split("::").next().unwrap_or(target);
    match step {
        Some(Step::InvocationStarted { .. } | Step::InvocationEnded { .. }) => Source::Invocation,
        Some(Step::InstanceEnded { .. }) => Source::DurableTask,
        // What the library says of itself comes from its modules.
        None if target == GUEST_TARGET => Source::Function,
        None if library == "triggers" => Source::Invocation,
        None if DURABLE_TASK_TARGETS.contains(&library) => Source::DurableTask,
        None => Source::Host(target),
    }
}

/// Counts ends of invocations, and errors.
struct Tally(Arc<Live>);

/// What is counted, whatever is shown.
fn counted() -> FilterFn {
    let is_counted: fn(&Metadata<'_>) -> bool = |metadata| {
        let is_error = *metadata.level() == Level::ERROR && is_ours(metadata.target());
        metadata.is_event() && (metadata.name() == INVOCATION_COMPLETED || is_error)
    };
    FilterFn::new(is_counted).with_max_level_hint(LevelFilter::INFO)
}

/// Whether the host says it, and not a library that it is made of.
fn is_ours(target: &str) -> bool {
    let library = target.split("::").next().unwrap_or(target);
    let ours: [&[&str]; 3] = [&FUNCTION_TARGETS, &DURABLE_TASK_TARGETS, &HOST_TARGETS];
    ours.into_iter().any(|names| names.contains(&library))
}

impl<S: Subscriber> Layer<S> for Tally {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == Level::ERROR {
            self.0.count_error();
        }
        if event.metadata().name() == INVOCATION_COMPLETED {
            let mut outcome = Ended(None);
            event.record(&mut outcome);
            outcome.0.into_iter().for_each(|outcome| self.0.count_invocation(outcome));
        }
    }
}

/// The field `outcome`, and nothing else of an event.
struct Ended(Option<Outcome>);

impl Visit for Ended {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "outcome" {
            self.0 = Outcome::parse(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use std::sync::{Mutex, PoisonError};

    fn check(log: impl FnOnce(), expected: &Expect) {
        check_with(&LoggingSettings::default(), log, expected);
    }

    /// What is told of these lines, as plain lines without their time.
    fn check_with(logging: &LoggingSettings, log: impl FnOnce(), expected: &Expect) {
        let seen: Arc<Mutex<Vec<Arc<Record>>>> = Arc::default();
        let sink = Arc::clone(&seen);
        let lines = Lines { sink: move |record| sink.lock().unwrap_or_else(PoisonError::into_inner).push(record) };
        let subscriber = tracing_subscriber::registry().with(lines.with_filter(EnvFilter::new(plain(logging))));
        tracing::subscriber::with_default(subscriber, log);
        let mut text = String::new();
        for record in seen.lock().expect("nobody panicked").iter() {
            let mut line = String::new();
            console::render_plain(record, &mut line);
            text.push_str(line.split_once("  ").expect("a time").1);
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn a_line_tells_nothing_twice() {
        check(
            || {
                let name = "BookTrip";
                let span = tracing::info_span!(target: "triggers::invocation", "invocation", function = name, invocation_id = "12345678-9");
                tracing::info!(name: "invocation_started", target: "triggers::invocation", parent: &span, reason = "why", "Executing {name}");
                tracing::info!(target: "guest", function = name, invocation_id = "2", "a seat is free");
                tracing::warn!(target: "triggers::http", parent: &span, why = "no seat", "trying again");
                let inner = tracing::info_span!(target: "triggers::http", parent: &span, "within");
                inner.in_scope(|| tracing::warn!(target: "storage", error = %"disk is slow", "a commit took long"));
                tracing::debug!(target: "task_hub", "for the host's own developers");
                tracing::info!(target: "hyper", "for the library's");
                tracing::info!(name: "invocation_completed", target: "triggers::invocation", parent: &span,
                    outcome = "Succeeded", duration_ms = 3_u64, "Executed {name}");
                tracing::warn!(name: "invocation_completed", target: "task_hub::activities", function = name,
                    invocation_id = "3", outcome = "Failed", duration_ms = 4_u64, error = %"no seat", "Executed {name}");
                tracing::info!(name: "orchestration_ended", target: "task_hub::turns", function = name,
                    instance_id = "trip-1", status = %"Terminated", duration_ms = 5_u64, "ended");
                tracing::warn!(target: "task_hub::turns", instance_id = %"trip-2", attempt = 1, "a turn was not finished");
            },
            &expect![[r#"
                [invocation start] BookTrip (id=12345678)
                [function] BookTrip (id=2): a seat is free
                [function] BookTrip (id=12345678): warning: trying again why=no seat
                [host] BookTrip (id=12345678): warning: a commit took long error=disk is slow
                [invocation end] BookTrip succeeded in 3ms
                [invocation end] BookTrip failed in 4ms (id=3): no seat
                [orchestration end] BookTrip terminated in 5ms (instance=trip-1)
                [durable task] warning: a turn was not finished instance_id=trip-2 attempt=1
            "#]],
        );
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let quiet = LoggingSettings { default: Some(LogLevel::None), ..LoggingSettings::default() };
        let live = Live::of_nobody();
        let subscriber = tracing_subscriber::registry()
            .with(Lines { sink: |record| panic!("{record:?}") }.with_filter(EnvFilter::new(plain(&quiet))))
            .with(Tally(Arc::clone(&live)).with_filter(counted()));
        tracing::subscriber::with_default(subscriber, || {
            for outcome in ["Succeeded", "Succeeded", "Failed", "Cancelled"] {
                tracing::info!(name: "invocation_completed", target: "triggers::invocation", outcome, "Executed");
            }
            tracing::error!(target: "storage", "the disk is gone");
            tracing::error!(target: "hyper", "a library complains");
            tracing::warn!(target: "storage", "the disk is slow");
        });
        let summary = live.summary(console::ExitReason::Sigint);
        assert_eq!((summary.invocations.succeeded, summary.invocations.failed, summary.errors), (2, 2, 1));
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
                [function] error: a function complains
                [host] a group of commits
                [durable task] a turn
            "#]],
        );
    }

    #[test]
    fn a_function_cannot_forge_lines_or_steer_the_terminal() {
        check(
            || tracing::error!(target: "guest", function = "A", "x\n[2024] error: y\u{1b}[2J"),
            &expect![[r#"
                [function] A: error: x\n[2024] error: y\u{1b}[2J
            "#]],
        );
    }
}
