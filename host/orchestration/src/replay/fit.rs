//! Whether code still fits a recorded history: a replay of all of it, without going on.
//!
//! Leaves to the caller to run the code on a cursor, and to say what the verdict means to people.

use super::{Cursor, Stopped, TurnEnd};
use crate::{Event, EventKind, Failure, History, Json, RuntimeStatus};
use std::fmt;

/// Failures that the host ends an instance with, whatever its code does. The names that begin with `Function` are those of
/// faults of the sandbox.
const FAILURES_OF_THE_HOST: [&str; 9] = [
    Failure::NON_DETERMINISTIC,
    Failure::LIMIT_EXCEEDED,
    Failure::CORRUPT_HISTORY,
    Failure::VERSION_MISMATCH,
    Failure::ORCHESTRATOR_NOT_FOUND,
    "FunctionTrapped",
    "FunctionTimeout",
    "FunctionOutOfMemory",
    "FunctionOutputTooLarge",
];

/// A recorded history that code is to be compared with.
#[derive(Clone, PartialEq, Debug)]
pub struct Recording {
    events: Vec<Event>,
    ended: Option<Ended>,
    /// The place of the first event of the last turn.
    last_turn: u64,
}

/// How the execution ended.
#[derive(Clone, PartialEq, Debug)]
struct Ended {
    /// The place of the event that says so.
    at: u64,
    status: RuntimeStatus,
    output: Option<Json>,
    failure: Option<Failure>,
}

/// What came of a comparison.
#[derive(Clone, PartialEq, Debug)]
pub enum Fit {
    /// The code does what is recorded, and waits where the record ends.
    Waits,
    /// The code does what is recorded, and ends as recorded.
    Ends,
    /// The code does what is recorded up to the turn in which the host ended the instance. What the code does in that turn is not
    /// compared, because nothing is recorded of it.
    EndedByHost {
        /// How.
        how: String,
    },
    /// The code does something else.
    Departs(Departure),
}

/// Where code leaves a history.
#[derive(Clone, PartialEq, Debug)]
pub struct Departure {
    /// The place: an event of the history, counted from 0.
    pub at: u64,
    /// Both sides, in words.
    pub why: String,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {} of the history: {}", self.at, self.why)
    }
}

impl Recording {
    /// None if no line of the orchestrator has run in it: it has not started, or is held since before.
    pub fn of(history: History) -> Option<Recording> {
        let (mut events, _) = history.into_parts();
        let last_turn = events.iter().rposition(|event| event.kind == EventKind::OrchestratorStarted)?;
        let ended = (0..).zip(&events).find_map(|(at, event)| Ended::of(at, event));
        // The code does not run in a turn that terminates it, also if the same turn has answers for it.
        if events.iter().any(|event| matches!(event.kind, EventKind::ExecutionTerminated { .. })) {
            events.truncate(last_turn);
        }
        has_run(&events).then_some(Recording { events, ended, last_turn: last_turn as u64 })
    }

    /// The events to run the code on: the past of a new [`Cursor`], which is given no others.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Compares what running the code came to with what is recorded. `end` is what [`Cursor::returned`] said, or that the code
    /// waits.
    pub fn verdict(&self, cursor: &Cursor, end: &TurnEnd) -> Fit {
        match (cursor.stopped(), &self.ended) {
            (Some(stopped), ended) => self.stopped(stopped, ended.as_ref()),
            (None, None) => match end {
                TurnEnd::Waiting => Fit::Waits,
                TurnEnd::Completed(_) | TurnEnd::Failed(_) | TurnEnd::ContinuedAsNew { .. } => {
                    self.departs("the instance was still waiting there", end)
                }
            },
            (None, Some(ended)) if ended.agrees_with(end) => Fit::Ends,
            (None, Some(ended)) if ended.by_host() => Fit::EndedByHost { how: ended.to_string() },
            (None, Some(ended)) => self.departs(&format!("a previous execution {ended}"), end),
        }
    }

    fn stopped(&self, stopped: &Stopped, ended: Option<&Ended>) -> Fit {
        let at = match stopped {
            Stopped::NonDeterministic(departure) => departure.at,
            Stopped::TooManyActions { .. } | Stopped::NotStarted => self.events.len() as u64,
        };
        match (ended, stopped) {
            (Some(ended), _) if ended.by_host() && at >= self.last_turn => Fit::EndedByHost { how: ended.to_string() },
            (_, Stopped::NonDeterministic(departure)) => Fit::Departs(Departure { at, why: departure.both_sides() }),
            (_, Stopped::TooManyActions { .. } | Stopped::NotStarted) => {
                Fit::Departs(Departure { at, why: stopped.to_string() })
            }
        }
    }

    fn departs(&self, recorded: &str, end: &TurnEnd) -> Fit {
        let at = self.ended.as_ref().map_or(self.events.len() as u64, |ended| ended.at);
        let now = match end {
            TurnEnd::Waiting => "waits".to_owned(),
            TurnEnd::Completed(output) => format!("completed with {output}"),
            TurnEnd::Failed(failure) => format!("failed with {failure}"),
            TurnEnd::ContinuedAsNew { input, .. } => format!("continued as new with {input}"),
        };
        Fit::Departs(Departure { at, why: format!("{recorded}, but the current replay {now}") })
    }
}

impl Ended {
    fn of(at: u64, event: &Event) -> Option<Ended> {
        let EventKind::ExecutionCompleted { status, output, failure } = &event.kind else { return None };
        Some(Ended { at, status: *status, output: output.clone(), failure: failure.clone() })
    }

    /// A failure agrees in type and message: its details, such as a backtrace, change with every build.
    fn agrees_with(&self, end: &TurnEnd) -> bool {
        match end {
            TurnEnd::Waiting => false,
            TurnEnd::Completed(output) => {
                self.status == RuntimeStatus::Completed && self.output.as_ref() == Some(output)
            }
            TurnEnd::Failed(failure) => self.failure.as_ref().is_some_and(|recorded| {
                (&recorded.error_type, &recorded.message) == (&failure.error_type, &failure.message)
            }),
            TurnEnd::ContinuedAsNew { input, .. } => {
                self.status == RuntimeStatus::ContinuedAsNew && self.output.as_ref() == Some(input)
            }
        }
    }

    fn by_host(&self) -> bool {
        let failed_by_host = |failure: &Failure| FAILURES_OF_THE_HOST.contains(&failure.error_type.as_str());
        self.status == RuntimeStatus::Terminated || self.failure.as_ref().is_some_and(failed_by_host)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.failure, &self.output) {
            (Some(failure), _) => write!(f, "ended as {} with {failure}", self.status),
            (None, Some(output)) => write!(f, "ended as {} with {output}", self.status),
            (None, None) => write!(f, "ended as {}", self.status),
        }
    }
}

/// Whether there is a moment at which the orchestrator has started and is not held.
fn has_run(events: &[Event]) -> bool {
    let (mut started, mut held) = (false, false);
    events.iter().any(|event| {
        started |= matches!(event.kind, EventKind::ExecutionStarted(_));
        let resumes = matches!(event.kind, EventKind::ExecutionResumed { .. });
        held = !resumes && (held || matches!(event.kind, EventKind::ExecutionSuspended { .. }));
        started && !held
    })
}
