//! What came of a scripted run.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::{Failure, Level};

/// What came of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunOutcome<T> {
    /// What the orchestrator returned in the end.
    pub result: Result<T, Failure>,
    /// How much virtual time has passed.
    pub elapsed: Duration,
    /// What the orchestrator and its children asked for, in the order of the virtual time.
    pub calls: Vec<Call>,
    /// The custom status at the end.
    pub custom_status: Option<Value>,
    /// The inputs with which it continued as new.
    pub continued_as_new: Vec<Value>,
    /// What the orchestrator and its children logged.
    pub log: Vec<LogLine>,
}

/// One thing that was asked for; each try of a retry policy is one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// How long after the start.
    pub at: Duration,
    /// The instance that asked.
    pub instance_id: String,
    /// What for.
    pub kind: CallKind,
    /// The name of the function or event; the moment, for a timer.
    pub name: String,
    /// The input of a function; null for the others.
    pub input: Value,
    /// Which try it is; 1 is the first.
    pub attempt: u32,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// A run of an activity.
    Activity,
    /// A run of another orchestrator.
    SubOrchestrator,
    /// To be woken at a moment.
    Timer,
    /// To be told of an event.
    Event,
}

/// A line that was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// The instance that logged it.
    pub instance_id: String,
    /// How loud.
    pub level: Level,
    /// What.
    pub message: String,
}

impl<T> RunOutcome<T> {
    /// How often an activity or orchestrator of that name was run, counting every try.
    pub fn count(&self, name: &str) -> usize {
        self.runs().filter(|call| call.name == name).count()
    }

    /// The names of the activities and orchestrators that were run, in order.
    pub fn names(&self) -> Vec<&str> {
        self.runs().map(|call| call.name.as_str()).collect()
    }

    /// All calls as text, one a line, to compare with an expectation.
    pub fn transcript(&self) -> String {
        self.calls.iter().map(|call| format!("{call}\n")).collect()
    }

    fn runs(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| matches!(call.kind, CallKind::Activity | CallKind::SubOrchestrator))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call { at, instance_id, kind, name, input, attempt } = self;
        write!(f, "{:>8} {instance_id}: ", format!("{}s", at.as_secs_f64()))?;
        match kind {
            CallKind::Activity => write!(f, "{name} {input}")?,
            CallKind::SubOrchestrator => write!(f, "orchestrator {name} {input}")?,
            CallKind::Timer => write!(f, "timer until {name}")?,
            CallKind::Event => write!(f, "event {name}")?,
        }
        match attempt {
            0 | 1 => Ok(()),
            attempt => write!(f, " (attempt {attempt})"),
        }
    }
}
