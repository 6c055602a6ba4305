//! What a run of the host tells, as plain data: the same events whatever they look like in the end.
//!
//! Owns the words (states, outcomes, reasons) and their fields. How an event looks is up to the files of the modes beside this one, and
//! who raises it is up to the rest of the crate.

use azure_storage::Service;
use orchestration::Timestamp;
use std::time::Duration;
use tracing::Level;

use crate::listing::Listing;

/// An event and its moment.
#[derive(Debug)]
pub(crate) struct Record {
    /// When it happened.
    pub(crate) at: Timestamp,
    /// What happened.
    pub(crate) event: Event,
}

/// What may be told.
#[derive(Debug)]
pub(crate) enum Event {
    /// The first of a run.
    Began,
    /// Which app is served from which store.
    Banner { version: String, app: String, store: String },
    /// What the host serves now.
    Functions(Vec<Listing>),
    /// When each timer runs next.
    Occurrences(Vec<(String, Vec<String>)>),
    /// Where clients of Azure Storage reach the app's data.
    Storage(Vec<(Service, String)>),
    /// The host answers. `building` is told apart: it is not the host's own time.
    Ready { start_up: Duration, building: Option<Duration> },
    /// A step that takes a while begins.
    Progress(String),
    /// Something to know, but nothing wrong.
    Notice(String),
    /// A component is being built. `phase` tells a start from a change.
    Building { component: String, phase: Phase },
    /// A component was built.
    Built { component: String, phase: Phase, duration: Duration },
    /// The host goes from one state to another.
    HostState(StateChange),
    /// An app goes on with other code.
    Reloaded(Reloaded),
    /// An app does not go on with other code, because that is wrong.
    ReloadFailed { app: String, error: String, serving: String },
    /// Something is wrong, or could be better, with what to do about it.
    Diagnostic(Diagnostic),
    /// The host ends when what runs has ended.
    Draining(Draining),
    /// A line of the log; invocations are seen by it too.
    Log(Log),
    /// What was said of a coming end is over. It is not told; a line that is written over itself goes.
    DrainingEnded,
    /// The last of a run.
    Stopped(Summary),
    /// Whoever reads is slower than what happens: so many log lines are lost.
    LeftOut(u64),
}

impl Event {
    /// How much memory it takes while it waits, of what may be much: the words of functions.
    pub(crate) fn approximate_bytes(&self) -> usize {
        let Event::Log(log) = self else { return size_of::<Record>() };
        let fields: usize = log.fields.iter().map(|(_, value)| value.len()).sum();
        size_of::<Record>() + log.message.len() + fields
    }
}

/// When something is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Before the host is ready.
    Start,
    /// While it serves.
    Reload,
}

/// What the host as a whole is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostState {
    /// It does not answer yet.
    Starting,
    /// It answers.
    Ready,
    /// It answers, and is about to go on with other code.
    Recycling,
    /// It does not answer any more.
    Stopped,
}

impl HostState {
    /// The word for programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            HostState::Starting => "starting",
            HostState::Ready => "ready",
            HostState::Recycling => "recycling",
            HostState::Stopped => "stopped",
        }
    }
}

/// From one state to another.
#[derive(Debug)]
pub(crate) struct StateChange {
    pub(crate) from: HostState,
    pub(crate) to: HostState,
    /// How long `from` lasted, or how long the change took, if that is known.
    pub(crate) duration: Option<Duration>,
    /// Why, in words.
    pub(crate) reason: Option<String>,
}

/// A change of an app that took effect.
#[derive(Debug)]
pub(crate) struct Reloaded {
    /// The app's name.
    pub(crate) app: String,
    /// How long its components were built, if any was.
    pub(crate) built: Option<Duration>,
    /// How long its components were read and compiled for this machine.
    pub(crate) loaded: Duration,
    /// From the loaded components to the first request that the new code may answer.
    pub(crate) switched: Duration,
    /// All of it, since the change was noticed.
    pub(crate) total: Duration,
    /// Functions that are new.
    pub(crate) added: Vec<Listing>,
    /// Functions that are gone.
    pub(crate) removed: Vec<String>,
    /// Functions whose code or settings are others now.
    pub(crate) changed: Vec<String>,
    /// The app's digest, as people read it.
    pub(crate) digest: String,
}

/// Something wrong, and what to do about it.
#[derive(Debug)]
pub(crate) struct Diagnostic {
    /// For programs: stays the same whatever the words are.
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    /// The next step.
    pub(crate) recommendation: Option<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Information,
    Warning,
    Error,
}

impl Severity {
    /// The word for programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Severity::Information => "information",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// How far the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Draining {
    /// How long what runs may still run.
    pub(crate) remaining_s: u64,
    /// How many invocations run.
    pub(crate) outstanding: u64,
    /// Whether nothing was told of the end before.
    pub(crate) is_first: bool,
}

/// A line of the log.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) source: Source,
    pub(crate) level: Level,
    /// What is said; empty where `step` says it.
    pub(crate) message: String,
    /// The function that it is about.
    pub(crate) function: Option<String>,
    /// The invocation that it is about.
    pub(crate) invocation_id: Option<String>,
    /// The instance of an orchestration that it is about.
    pub(crate) instance_id: Option<String>,
    /// Whatever else is told, in its order.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// Where the function is in its life, if the line is about that.
    pub(crate) step: Option<Step>,
}

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The function itself.
    Function,
    /// What runs functions.
    Invocation,
    /// What runs orchestrations and entities.
    DurableTask,
    /// A part of the host, by its module.
    Host(&'static str),
}

/// A step in the life of an invocation or an instance.
#[derive(Debug)]
pub(crate) enum Step {
    /// An invocation begins.
    InvocationStarted { reason: Option<String> },
    /// An invocation ends.
    InvocationEnded { outcome: Outcome, duration_ms: u64, error: Option<String> },
    /// An orchestration ends, with this status.
    InstanceEnded { status: String, duration_ms: u64, error: Option<String> },
}

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    Failed,
    /// Whoever waited for it went away.
    Cancelled,
}

impl Outcome {
    /// The word of the log's field `outcome`.
    pub(crate) fn parse(text: &str) -> Option<Outcome> {
        match text {
            "Succeeded" => Some(Outcome::Succeeded),
            "Failed" => Some(Outcome::Failed),
            "Cancelled" => Some(Outcome::Cancelled),
            _ => None,
        }
    }
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) exit_reason: ExitReason,
    pub(crate) uptime: Duration,
    /// Functions at the end.
    pub(crate) functions: usize,
    pub(crate) invocations: Invocations,
    /// Lines of the log that are errors.
    pub(crate) errors: u64,
}

/// How many invocations ended, and how. One that was given up by whoever waited for it counts as failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Invocations {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
}

impl Invocations {
    /// All of them.
    pub(crate) fn total(self) -> u64 {
        self.succeeded.saturating_add(self.failed)
    }
}

/// Why a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitReason {
    /// Somebody asked: Ctrl+C or SIGTERM.
    Sigint,
    /// The host could not go on.
    HostFailed,
}

impl ExitReason {
    /// The word for programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ExitReason::Sigint => "sigint",
            ExitReason::HostFailed => "host_failed",
        }
    }
}
