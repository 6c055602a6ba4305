//! What arrives at an instance between turns.

use crate::{EventId, ExecutionId, ExecutionStarted, Failure, InstanceId, Json, RaisedEvent, Timestamp};

/// The durable record that a message came from, and that the checkpoint which consumes the message deletes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// A message in the inbox, by its place there.
    Inbox(u64),
    /// The pending activity whose result this is. The result itself is not durable before the checkpoint is.
    Activity(ExecutionId, EventId),
    /// The timer that is due.
    Timer(ExecutionId, EventId),
}

/// One message for an instance.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// The record to delete with it.
    pub origin: Origin,
    /// The execution it is meant for; none means whichever is current.
    pub execution: Option<ExecutionId>,
    /// What it says.
    pub kind: MessageKind,
}

/// What a message says. Each kind that is admitted becomes one event of the same name.
#[derive(Clone, PartialEq, Debug)]
pub enum MessageKind {
    /// Begin, with the events that the previous execution left over.
    ExecutionStarted {
        /// The event to record.
        started: Box<ExecutionStarted>,
        /// Events that come right behind it, before any that arrived later.
        carried_over: Vec<RaisedEvent>,
    },
    /// An activity returned.
    TaskCompleted {
        /// The request it answers.
        scheduled: EventId,
        /// What it returned.
        result: Json,
    },
    /// An activity failed.
    TaskFailed {
        /// The request it answers.
        scheduled: EventId,
        /// Why.
        failure: Failure,
    },
    /// A child completed.
    SubOrchestrationInstanceCompleted {
        /// The request it answers.
        scheduled: EventId,
        /// What it returned.
        result: Json,
    },
    /// A child failed, was terminated, or could not be started.
    SubOrchestrationInstanceFailed {
        /// The request it answers.
        scheduled: EventId,
        /// Why.
        failure: Failure,
    },
    /// A timer is due.
    TimerFired {
        /// The request it answers.
        timer: EventId,
        /// The moment that was asked for.
        fire_at: Timestamp,
    },
    /// Somebody raised an event.
    EventRaised(RaisedEvent),
    /// Somebody wants it ended.
    ExecutionTerminated {
        /// The output to leave behind.
        reason: Json,
    },
}

impl MessageKind {
    /// The name of the kind, as of the event that it becomes.
    pub fn name(&self) -> &'static str {
        match self {
            MessageKind::ExecutionStarted { .. } => "ExecutionStarted",
            MessageKind::TaskCompleted { .. } => "TaskCompleted",
            MessageKind::TaskFailed { .. } => "TaskFailed",
            MessageKind::SubOrchestrationInstanceCompleted { .. } => "SubOrchestrationInstanceCompleted",
            MessageKind::SubOrchestrationInstanceFailed { .. } => "SubOrchestrationInstanceFailed",
            MessageKind::TimerFired { .. } => "TimerFired",
            MessageKind::EventRaised(_) => "EventRaised",
            MessageKind::ExecutionTerminated { .. } => "ExecutionTerminated",
        }
    }
}

/// A message on its way into the inbox of another instance.
#[derive(Clone, PartialEq, Debug)]
pub struct Envelope {
    /// Whom it is for.
    pub to: InstanceId,
    /// The execution it is meant for; none means whichever is current.
    pub execution: Option<ExecutionId>,
    /// What it says.
    pub kind: MessageKind,
}
