//! How events look to programs: one JSON object per line, with the kinds and field names of the Azure Functions Core Tools, version 5.
//!
//! Every record has `schema_version`, `kind` and `timestamp`; kinds that a reader does not know can be ignored. The `log` record of a
//! line comes before the records that were made of it, and the `summary` is the last record of a run.

use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;
use tracing::Level;

use super::event::{
    Diagnostic, Event, HostState, Log, Outcome, Phase, Record, Reloaded, Severity, Source, StateChange, Step, Summary,
};
use super::look::instant;
use super::phrases;
use crate::listing::Listing;

const SCHEMA_VERSION: u32 = 1;

/// What all functions of this host are made of.
const STACK: &str = "wasm";

/// Azure's numbers and names of the events in an invocation's life.
const STARTED: (u32, &str) = (1, "FunctionStarted");
const COMPLETED: (u32, &str) = (2, "FunctionCompleted");
const FAILED: (u32, &str) = (3, "FunctionFailed");

#[derive(Serialize)]
struct Envelope<'a, B> {
    schema_version: u32,
    kind: &'static str,
    timestamp: &'a str,
    #[serde(flatten)]
    body: B,
}

#[derive(Default, Serialize)]
struct InitializationStep<'a> {
    step: &'a str,
    title: Option<&'a str>,
    display: Option<&'static str>,
    detail: Option<&'a str>,
    percent: Option<u8>,
    message: Option<&'a str>,
}

#[derive(Serialize)]
struct Initialized<'a> {
    profile: Option<&'a str>,
    stack: &'static str,
    host_version: &'static str,
    bundle_required: bool,
    bundle_version: Option<&'a str>,
}

#[derive(Serialize)]
struct LogBody<'a> {
    category: &'a str,
    level: &'static str,
    event_id: u32,
    event_name: Option<&'static str>,
    message: &'a str,
    exception: Option<Exception<'a>>,
    attributes: Map<String, Value>,
}

#[derive(Clone, Copy, Serialize)]
struct Exception<'a> {
    r#type: &'static str,
    message: &'a str,
    stack: Option<&'a str>,
    inner_exception: Option<&'a str>,
}

#[derive(Serialize)]
struct HostStateChanged<'a> {
    from: &'static str,
    to: &'static str,
    duration_ms: Option<u64>,
    reason: Option<&'a str>,
    trigger: Option<&'static str>,
}

#[derive(Serialize)]
struct FunctionDiscovered<'a> {
    name: &'a str,
    trigger_type: &'a str,
    route: Option<&'a str>,
    http_methods: Vec<&'a str>,
}

#[derive(Serialize)]
struct FunctionRemoved<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct InvocationStarted<'a> {
    function: Option<&'a str>,
    invocation_id: Option<&'a str>,
    trace_id: Option<&'a str>,
    attributes: Map<String, Value>,
}

#[derive(Serialize)]
struct InvocationCompleted<'a> {
    function: Option<&'a str>,
    invocation_id: Option<&'a str>,
    trace_id: Option<&'a str>,
    result: &'static str,
    duration_ms: u64,
    error: Option<Exception<'a>>,
}

#[derive(Serialize)]
struct CliDiagnostic<'a> {
    code: &'a str,
    level: &'static str,
    message: &'a str,
    recommendation: Option<&'a str>,
}

#[derive(Serialize)]
struct SummaryBody {
    exit_reason: &'static str,
    uptime_seconds: f64,
    function_count: usize,
    invocations: InvocationCounts,
    errors: u64,
}

#[derive(Serialize)]
struct InvocationCounts {
    total: u64,
    succeeded: u64,
    failed: u64,
}

#[derive(Serialize)]
struct Nothing {}

/// Appends the event's records, each a line.
pub(crate) fn render(record: &Record, out: &mut String) {
    let mut records = Records { timestamp: instant(record.at), out };
    match &record.event {
        Event::Began => records.add("start_initialization_started", Nothing {}),
        Event::Banner { version: _, app, store } => {
            let detail = format!("Store: {store}");
            let step =
                InitializationStep { step: "app", detail: Some(&detail), message: Some(app), ..Default::default() };
            records.add("start_initialization_progress", step);
        }
        Event::Functions(listings) => listings.iter().for_each(|listing| records.function(listing)),
        Event::Occurrences(timers) => {
            for (function, next) in timers {
                let message = format!("The next {} occurrences of {function} are: {}", next.len(), next.join(", "));
                records.host_log("Host.Triggers.Timer", &message);
            }
        }
        Event::Storage(addresses) => {
            for (service, url) in addresses {
                records.host_log("Host.Storage", &format!("Storage endpoint: {} {url}", service.name()));
            }
        }
        Event::Ready { start_up, building: _ } => records.ready(*start_up),
        Event::Progress(text) => {
            let step = InitializationStep { step: "start", message: Some(text), ..Default::default() };
            records.add("start_initialization_progress", step);
        }
        Event::Notice(text) => records.diagnostic("notice", Severity::Information, text.trim(), None),
        Event::Building { component, phase } => records.building(component, *phase),
        Event::Built { component, phase, duration } => records.built(component, *phase, *duration),
        Event::HostState(change) => records.state(change, None),
        Event::Reloaded(reloaded) => records.reloaded(reloaded),
        Event::ReloadFailed { app, error, serving } => {
            let (message, next) = (phrases::not_reloaded(app, error), phrases::still_serving(serving));
            records.diagnostic("reload-failed", Severity::Error, &message, Some(&next));
            let (from, to, reason) = (HostState::Recycling, HostState::Ready, Some(format!("{app} was not changed")));
            records.state(&StateChange { from, to, duration: None, reason }, Some("file_change"));
        }
        Event::Diagnostic(Diagnostic { code, severity, message, recommendation }) => {
            records.diagnostic(code, *severity, message, recommendation.as_deref());
        }
        Event::Draining(draining) => {
            records.diagnostic("draining", Severity::Information, &phrases::draining(*draining), None);
        }
        Event::DrainingEnded => {}
        Event::Log(log) => records.log(log),
        Event::Stopped(summary) => records.summary(summary),
        Event::LeftOut(lines) => {
            records.diagnostic("left-out", Severity::Warning, &phrases::left_out(*lines), None);
        }
    }
}

/// Records of one moment.
struct Records<'a> {
    timestamp: String,
    out: &'a mut String,
}

impl Records<'_> {
    fn add(&mut self, kind: &'static str, body: impl Serialize) {
        let envelope = Envelope { schema_version: SCHEMA_VERSION, kind, timestamp: &self.timestamp, body };
        // Nothing in a record can fail to be JSON: there are no maps with other keys than text.
        if let Ok(text) = serde_json::to_string(&envelope) {
            push_safe(self.out, &text);
            self.out.push('\n');
        }
    }

    fn diagnostic(&mut self, code: &str, severity: Severity, message: &str, recommendation: Option<&str>) {
        self.add("cli_diagnostic", CliDiagnostic { code, level: severity.name(), message, recommendation });
    }

    /// What the host has to say, as a line of the log.
    fn host_log(&mut self, category: &str, message: &str) {
        let attributes = Map::new();
        let (event_id, event_name, exception) = (0, None, None);
        let body = LogBody { category, level: "information", event_id, event_name, message, exception, attributes };
        self.add("log", body);
    }

    fn function(&mut self, listing: &Listing) {
        let body = match listing {
            Listing::Http { name, methods, url: _, route } => FunctionDiscovered {
                name,
                trigger_type: "httpTrigger",
                route: Some(route),
                http_methods: methods.split(',').collect(),
            },
            Listing::Other { name, trigger } => {
                FunctionDiscovered { name, trigger_type: trigger, route: None, http_methods: Vec::new() }
            }
        };
        self.add("function_discovered", body);
    }

    fn ready(&mut self, start_up: Duration) {
        let body = Initialized {
            profile: None,
            stack: STACK,
            host_version: env!("CARGO_PKG_VERSION"),
            bundle_required: false,
            bundle_version: None,
        };
        self.add("start_initialization_completed", body);
        let (from, to) = (HostState::Starting, HostState::Ready);
        self.state(&StateChange { from, to, duration: Some(start_up), reason: None }, None);
    }

    fn building(&mut self, component: &str, phase: Phase) {
        let title = format!("Building {component}");
        match phase {
            Phase::Start => {
                let (display, title) = (Some("status"), Some(title.as_str()));
                let body = InitializationStep { step: &step_of(component), title, display, ..Default::default() };
                self.add("start_initialization_step_started", body);
            }
            Phase::Reload => self.host_log("Host.Build", &title),
        }
    }

    fn built(&mut self, component: &str, phase: Phase, duration: Duration) {
        let message = format!("Built {component} in {} ms", duration.as_millis());
        match phase {
            Phase::Start => {
                let (display, message) = (Some("status"), Some(message.as_str()));
                let body = InitializationStep { step: &step_of(component), message, display, ..Default::default() };
                self.add("start_initialization_step_completed", body);
            }
            Phase::Reload => self.host_log("Host.Build", &message),
        }
    }

    fn state(&mut self, change: &StateChange, trigger: Option<&'static str>) {
        let StateChange { from, to, duration, reason } = change;
        let body = HostStateChanged {
            from: from.name(),
            to: to.name(),
            duration_ms: duration.map(milliseconds),
            reason: reason.as_deref(),
            trigger,
        };
        self.add("host_state_changed", body);
    }

    fn reloaded(&mut self, reloaded: &Reloaded) {
        let Reloaded { app, built, loaded, switched, total, added, removed, changed, digest } = reloaded;
        removed.iter().for_each(|name| self.add("function_removed", FunctionRemoved { name }));
        added.iter().for_each(|listing| self.function(listing));
        let (built, changed) = (built.unwrap_or_default().as_millis(), changed.join(", "));
        let message = format!(
            "Reloaded {app} as {digest}: built in {built} ms, loaded in {} ms, switched in {} ms; changed functions: {changed}",
            loaded.as_millis(),
            switched.as_millis()
        );
        self.host_log("Host.Reload", &message);
        let (from, to, reason) = (HostState::Recycling, HostState::Ready, Some(format!("{app} was changed")));
        self.state(&StateChange { from, to, duration: Some(*total), reason }, Some("file_change"));
    }

    fn log(&mut self, log: &Log) {
        let (category, attributes) = (category(log), attributes(log));
        let (message, event, exception) = spoken(log);
        let (event_id, event_name) = event.map_or((0, None), |(id, name)| (id, Some(name)));
        let level = level_name(log.level);
        let body =
            LogBody { category: &category, level, event_id, event_name, message: &message, exception, attributes };
        self.add("log", body);
        let (function, invocation_id) = (log.function.as_deref(), log.invocation_id.as_deref());
        match &log.step {
            Some(Step::InvocationStarted { reason: _ }) => {
                let attributes = self::attributes(log);
                let body = InvocationStarted { function, invocation_id, trace_id: None, attributes };
                self.add("invocation_started", body);
            }
            Some(Step::InvocationEnded { outcome, duration_ms, error: _ }) => {
                let result = match outcome {
                    Outcome::Succeeded => "succeeded",
                    Outcome::Failed | Outcome::Cancelled => "failed",
                };
                let duration_ms = *duration_ms;
                let error = exception;
                let body = InvocationCompleted { function, invocation_id, trace_id: None, result, duration_ms, error };
                self.add("invocation_completed", body);
            }
            Some(Step::InstanceEnded { .. }) | None => {}
        }
    }

    fn summary(&mut self, summary: &Summary) {
        let Summary { exit_reason, uptime, functions, invocations, errors } = summary;
        let body = SummaryBody {
            exit_reason: exit_reason.name(),
            uptime_seconds: uptime.as_secs_f64(),
            function_count: *functions,
            invocations: InvocationCounts {
                total: invocations.total(),
                succeeded: invocations.succeeded,
                failed: invocations.failed,
            },
            errors: *errors,
        };
        self.add("summary", body);
    }
}

fn step_of(component: &str) -> String {
    format!("build-{component}")
}

/// The categories of Azure's host.
fn category(log: &Log) -> String {
    let function = log.function.as_deref().unwrap_or_default();
    match log.source {
        Source::Function => format!("Function.{function}.User"),
        Source::Invocation if function.is_empty() => "Host.Triggers".to_owned(),
        Source::Invocation => format!("Function.{function}"),
        Source::DurableTask => "Host.Triggers.DurableTask".to_owned(),
        Source::Host(module) => format!("Host.{}", module.replace("::", ".")),
    }
}

/// The words of a line, Azure's event that it is, and what went wrong.
fn spoken(log: &Log) -> (String, Option<(u32, &'static str)>, Option<Exception<'_>>) {
    let (name, id) = (log.function.as_deref().unwrap_or_default(), log.invocation_id.as_deref().unwrap_or_default());
    let exception = |r#type, message| Exception { r#type, message, stack: None, inner_exception: None };
    match &log.step {
        Some(Step::InvocationStarted { reason }) => {
            let reason = reason.as_deref().unwrap_or_default();
            (format!("Executing 'Functions.{name}' (Reason='{reason}', Id={id})"), Some(STARTED), None)
        }
        Some(Step::InvocationEnded { outcome, duration_ms, error }) => {
            let (word, event, exception) = match outcome {
                Outcome::Succeeded => ("Succeeded", COMPLETED, None),
                Outcome::Failed => {
                    ("Failed", FAILED, Some(exception("FunctionFailed", error.as_deref().unwrap_or_default())))
                }
                Outcome::Cancelled => {
                    ("Cancelled", FAILED, Some(exception("FunctionCancelled", "nobody waits for it any more")))
                }
            };
            (format!("Executed 'Functions.{name}' ({word}, Id={id}, Duration={duration_ms}ms)"), Some(event), exception)
        }
        Some(Step::InstanceEnded { status, duration_ms, error }) => {
            let instance = log.instance_id.as_deref().unwrap_or_default();
            let exception = error.as_deref().map(|error| exception("OrchestrationFailed", error));
            let words = format!("Orchestration '{name}' ({status}, InstanceId={instance}, Duration={duration_ms}ms)");
            (words, None, exception)
        }
        None => (log.message.clone(), None, None),
    }
}

fn attributes(log: &Log) -> Map<String, Value> {
    let known = [
        ("function.name", &log.function),
        ("function.invocation_id", &log.invocation_id),
        ("durable.instance_id", &log.instance_id),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let others = log.fields.iter().map(|(name, value)| (*name, value));
    known.chain(others).map(|(name, value)| (name.to_owned(), Value::from(value.as_str()))).collect()
}

/// Azure's names of the levels.
fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "information",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// JSON may hold delete and the second set of control characters as they are; a terminal would obey them.
fn push_safe(out: &mut String, json: &str) {
    for c in json.chars() {
        if c.is_control() {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
}
