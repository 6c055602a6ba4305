//! The history of one execution: the event types, and the rules that make a list of events a history.
//!
//! [`Ledger`] is what a history adds up to. It is kept beside a live orchestrator instead of the events themselves, so that
//! a turn costs the same however long the history is; every event that is appended anywhere passes through it.

use crate::{EventId, ExecutionId, Failure, InstanceId, Json, RuntimeStatus, Timestamp};
use std::collections::BTreeMap;

/// One thing that happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// When it was recorded.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
}

/// What can happen in an execution. Events with an `id` are actions: the orchestrator asked for them, numbered in order.
#[derive(Clone, PartialEq, Debug)]
pub enum EventKind {
    /// A turn begins; the orchestrator's clock shows this event's time.
    OrchestratorStarted,
    /// A turn ends.
    OrchestratorCompleted,
    /// The execution begins.
    ExecutionStarted(Box<ExecutionStarted>),
    /// The execution ends.
    ExecutionCompleted {
        /// How: completed, failed, terminated or continued as new.
        status: RuntimeStatus,
        /// What it leaves behind: its return value, or the input of the next execution.
        output: Option<Json>,
        /// Why it failed.
        failure: Option<Failure>,
    },
    /// Somebody asked for its end.
    ExecutionTerminated {
        /// The output to leave behind.
        reason: Json,
    },
    /// An activity was asked for.
    TaskScheduled {
        /// The action.
        id: EventId,
        /// The activity.
        name: String,
        /// Its argument.
        input: Json,
    },
    /// It returned.
    TaskCompleted {
        /// The request it answers.
        scheduled: EventId,
        /// What it returned.
        result: Json,
    },
    /// It failed.
    TaskFailed {
        /// The request it answers.
        scheduled: EventId,
        /// Why.
        failure: Failure,
    },
    /// A child was asked for.
    SubOrchestrationInstanceCreated {
        /// The action.
        id: EventId,
        /// The orchestrator.
        name: String,
        /// The child's id.
        instance_id: InstanceId,
        /// Its argument.
        input: Json,
    },
    /// The child completed.
    SubOrchestrationInstanceCompleted {
        /// The request it answers.
        scheduled: EventId,
        /// What it returned.
        result: Json,
    },
    /// The child failed, was terminated, or could not be started.
    SubOrchestrationInstanceFailed {
        /// The request it answers.
        scheduled: EventId,
        /// Why.
        failure: Failure,
    },
    /// A timer was set.
    TimerCreated {
        /// The action.
        id: EventId,
        /// When it is due.
        fire_at: Timestamp,
    },
    /// It is due.
    TimerFired {
        /// The request it answers.
        timer: EventId,
        /// When it was due.
        fire_at: Timestamp,
    },
    /// Somebody raised an event.
    EventRaised(RaisedEvent),
}

impl EventKind {
    /// The name of the kind, as in Durable Functions' histories.
    pub fn name(&self) -> &'static str {
        match self {
            EventKind::OrchestratorStarted => "OrchestratorStarted",
            EventKind::OrchestratorCompleted => "OrchestratorCompleted",
            EventKind::ExecutionStarted(_) => "ExecutionStarted",
            EventKind::ExecutionCompleted { .. } => "ExecutionCompleted",
            EventKind::ExecutionTerminated { .. } => "ExecutionTerminated",
            EventKind::TaskScheduled { .. } => "TaskScheduled",
            EventKind::TaskCompleted { .. } => "TaskCompleted",
            EventKind::TaskFailed { .. } => "TaskFailed",
            EventKind::SubOrchestrationInstanceCreated { .. } => "SubOrchestrationInstanceCreated",
            EventKind::SubOrchestrationInstanceCompleted { .. } => "SubOrchestrationInstanceCompleted",
            EventKind::SubOrchestrationInstanceFailed { .. } => "SubOrchestrationInstanceFailed",
            EventKind::TimerCreated { .. } => "TimerCreated",
            EventKind::TimerFired { .. } => "TimerFired",
            EventKind::EventRaised(_) => "EventRaised",
        }
    }

    /// The action that this event records, if it records one.
    pub fn action_id(&self) -> Option<EventId> {
        match self {
            EventKind::TaskScheduled { id, .. }
            | EventKind::SubOrchestrationInstanceCreated { id, .. }
            | EventKind::TimerCreated { id, .. } => Some(*id),
            EventKind::OrchestratorStarted
            | EventKind::OrchestratorCompleted
            | EventKind::ExecutionStarted(_)
            | EventKind::ExecutionCompleted { .. }
            | EventKind::ExecutionTerminated { .. }
            | EventKind::TaskCompleted { .. }
            | EventKind::TaskFailed { .. }
            | EventKind::SubOrchestrationInstanceCompleted { .. }
            | EventKind::SubOrchestrationInstanceFailed { .. }
            | EventKind::TimerFired { .. }
            | EventKind::EventRaised(_) => None,
        }
    }

    /// The action that this event answers, if it answers one.
    pub fn answers(&self) -> Option<(EventId, Awaited)> {
        match self {
            EventKind::TaskCompleted { scheduled, .. } | EventKind::TaskFailed { scheduled, .. } => {
                Some((*scheduled, Awaited::Activity))
            }
            EventKind::SubOrchestrationInstanceCompleted { scheduled, .. }
            | EventKind::SubOrchestrationInstanceFailed { scheduled, .. } => {
                Some((*scheduled, Awaited::SubOrchestration))
            }
            EventKind::TimerFired { timer, .. } => Some((*timer, Awaited::Timer)),
            EventKind::OrchestratorStarted
            | EventKind::OrchestratorCompleted
            | EventKind::ExecutionStarted(_)
            | EventKind::ExecutionCompleted { .. }
            | EventKind::ExecutionTerminated { .. }
            | EventKind::TaskScheduled { .. }
            | EventKind::SubOrchestrationInstanceCreated { .. }
            | EventKind::TimerCreated { .. }
            | EventKind::EventRaised(_) => None,
        }
    }
}

/// How an execution began.
#[derive(Clone, PartialEq, Debug)]
pub struct ExecutionStarted {
    /// The orchestrator.
    pub name: String,
    /// Its argument.
    pub input: Json,
    /// This execution.
    pub execution: ExecutionId,
    /// Who waits for it.
    pub parent: Option<Parent>,
}

/// The instance that waits for a child.
#[derive(Clone, PartialEq, Debug)]
pub struct Parent {
    /// Its id.
    pub instance: InstanceId,
    /// The execution that asked.
    pub execution: ExecutionId,
    /// The orchestrator that it runs.
    pub name: String,
    /// The request that the child's end answers.
    pub scheduled: EventId,
}

/// An event raised from outside.
#[derive(Clone, PartialEq, Debug)]
pub struct RaisedEvent {
    /// Its name, as it was written; compared without case.
    pub name: String,
    /// What came with it.
    pub input: Json,
}

/// The kind of answer that a recorded action still waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaited {
    /// An activity's result.
    Activity,
    /// A child's end.
    SubOrchestration,
    /// A timer.
    Timer,
}

/// What the history of one execution adds up to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ledger {
    /// How it began, once it has.
    pub started: Option<ExecutionStarted>,
    /// When it began.
    pub started_at: Timestamp,
    /// How it ended, once it has.
    pub ended: Option<RuntimeStatus>,
    /// Actions without an answer.
    pub outstanding: BTreeMap<EventId, Awaited>,
    /// The number of the next action.
    pub next_event_id: u32,
    /// How many events there are.
    pub events: u64,
    /// How many turns were recorded.
    pub turns: u32,
}

impl Ledger {
    /// Adds one event.
    ///
    /// # Errors
    /// When no history can go on like that: a second start, an answer to nothing, a gap in the numbering, anything
    /// after the end.
    pub fn append(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        let illegal = |why| IllegalEvent { index: self.events, event: event.kind.name(), why };
        if self.ended.is_some() && !matches!(event.kind, EventKind::OrchestratorCompleted) {
            return Err(illegal("the execution has ended"));
        }
        if let Some((id, awaited)) = event.kind.answers() {
            if self.outstanding.get(&id) != Some(&awaited) {
                return Err(illegal("it answers no open request of its kind"));
            }
            self.outstanding.remove(&id);
        }
        if let Some(id) = event.kind.action_id() {
            if id.0 != self.next_event_id {
                return Err(illegal("its number does not follow the last one"));
            }
            self.next_event_id += 1;
        }
        match &event.kind {
            EventKind::ExecutionStarted(started) => {
                if self.started.is_some() {
                    return Err(illegal("the execution has started before"));
                }
                self.started = Some(ExecutionStarted::clone(started));
                self.started_at = event.at;
            }
            EventKind::ExecutionCompleted { status, .. } => self.ended = Some(*status),
            EventKind::TaskScheduled { id, .. } => self.wait(*id, Awaited::Activity),
            EventKind::SubOrchestrationInstanceCreated { id, .. } => self.wait(*id, Awaited::SubOrchestration),
            EventKind::TimerCreated { id, .. } => self.wait(*id, Awaited::Timer),
            EventKind::OrchestratorCompleted => self.turns += 1,
            EventKind::OrchestratorStarted
            | EventKind::ExecutionTerminated { .. }
            | EventKind::TaskCompleted { .. }
            | EventKind::TaskFailed { .. }
            | EventKind::SubOrchestrationInstanceCompleted { .. }
            | EventKind::SubOrchestrationInstanceFailed { .. }
            | EventKind::TimerFired { .. }
            | EventKind::EventRaised(_) => {}
        }
        self.events += 1;
        Ok(())
    }

    fn wait(&mut self, id: EventId, awaited: Awaited) {
        self.outstanding.insert(id, awaited);
    }
}

/// The validated, append-only list of an execution's events.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct History {
    events: Vec<Event>,
    ledger: Ledger,
}

impl History {
    /// Checks that the events are a history.
    ///
    /// # Errors
    /// Names the first event that cannot stand where it stands.
    pub fn from_events(events: Vec<Event>) -> Result<History, IllegalEvent> {
        let mut ledger = Ledger::default();
        for event in &events {
            ledger.append(event)?;
        }
        Ok(History { events, ledger })
    }

    /// The events, oldest first.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What they add up to.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Takes it apart into the events and what they add up to.
    pub fn into_parts(self) -> (Vec<Event>, Ledger) {
        (self.events, self.ledger)
    }
}

/// An event that cannot be where it is: a corrupt store, or a bug of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {index} of the history, {event}, cannot stand there: {why}")]
pub struct IllegalEvent {
    /// Its place, from 0.
    pub index: u64,
    /// The name of its kind.
    pub event: &'static str,
    /// The rule that it breaks.
    pub why: &'static str,
}
