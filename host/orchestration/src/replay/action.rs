//! What an orchestrator asks for, as it leaves the turn and as the history remembers it.

use crate::{EventId, EventKind, InstanceId, Json, Timestamp};
use std::fmt;

/// One thing that the turn wants done.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Run an activity.
    ScheduleTask {
        /// The number of this action.
        id: EventId,
        /// The activity.
        name: String,
        /// Its argument.
        input: Json,
        /// Which try this is, counted from 1.
        attempt: u32,
    },
    /// Start a child.
    CreateSubOrchestration {
        /// The number of this action.
        id: EventId,
        /// The orchestrator.
        name: String,
        /// The child's id.
        instance_id: InstanceId,
        /// Its argument.
        input: Json,
    },
    /// Set a timer.
    CreateTimer {
        /// The number of this action.
        id: EventId,
        /// When it is due.
        fire_at: Timestamp,
    },
    /// Take a timer back. It leaves no event: the code gives up the task again on every replay.
    CancelTimer {
        /// The action that set it.
        id: EventId,
    },
}

/// An action as far as a replay compares it: place, kind, name and input. Due times and child ids may differ.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordedAction {
    /// Its number.
    pub id: EventId,
    /// The kind of the event that records it.
    pub kind: &'static str,
    /// The function's name; none for a timer.
    pub name: Option<String>,
    /// The function's argument; none for a timer.
    pub input: Option<Json>,
}

impl RecordedAction {
    /// What an event records of an action, if it records one.
    pub fn of_event(kind: &EventKind) -> Option<RecordedAction> {
        let id = kind.action_id()?;
        let (name, input) = match kind {
            EventKind::TaskScheduled { name, input, .. }
            | EventKind::SubOrchestrationInstanceCreated { name, input, .. } => {
                (Some(name.clone()), Some(input.clone()))
            }
            EventKind::TimerCreated { .. }
            | EventKind::OrchestratorStarted
            | EventKind::OrchestratorCompleted
            | EventKind::ExecutionStarted(_)
            | EventKind::ExecutionCompleted { .. }
            | EventKind::ExecutionTerminated { .. }
            | EventKind::TaskCompleted { .. }
            | EventKind::TaskFailed { .. }
            | EventKind::SubOrchestrationInstanceCompleted { .. }
            | EventKind::SubOrchestrationInstanceFailed { .. }
            | EventKind::TimerFired { .. }
            | EventKind::EventRaised(_) => (None, None),
        };
        Some(RecordedAction { id, kind: kind.name(), name, input })
    }
}

impl fmt::Display for RecordedAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with sequence ID {}", self.kind, self.id)?;
        match &self.name {
            Some(name) => write!(f, " and name '{name}'"),
            None => Ok(()),
        }
    }
}
