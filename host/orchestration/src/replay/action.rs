//! What an orchestrator asks for, as it leaves the turn and as the history remembers it.

use crate::{EntityId, EventId, EventKind, InstanceId, Json, StartOptions, Tags, Timeouts, Timestamp};
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
        /// The first try, if this repeats it.
        retry_of: Option<EventId>,
        /// How long one run may take.
        timeouts: Timeouts,
        /// Whatever the caller attached.
        tags: Tags,
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
        /// The first try, if this repeats it.
        retry_of: Option<EventId>,
        /// Nobody waits for its end.
        detached: bool,
        /// What else it is started with; tags of the parent are not yet among them.
        options: StartOptions,
    },
    /// Set a timer.
    CreateTimer {
        /// The number of this action.
        id: EventId,
        /// When it is due.
        fire_at: Timestamp,
        /// The try after which it is the pause.
        retry_of: Option<EventId>,
    },
    /// Take a timer back. It leaves no event: the code gives up the task again on every replay.
    CancelTimer {
        /// The action that set it.
        id: EventId,
    },
    /// Stop an activity or a child that is open. It is answered at once as canceled, in the same turn, and leaves no other
    /// event.
    Abort {
        /// The action that asked for it.
        id: EventId,
    },
    /// Raise an event at another instance.
    SendEvent {
        /// The number of this action.
        id: EventId,
        /// Whom it is for.
        instance_id: InstanceId,
        /// The event's name.
        name: String,
        /// What comes with it.
        input: Json,
    },
    /// Ask an entity to do something.
    CallEntity {
        /// The number of this action.
        id: EventId,
        /// The entity.
        entity: EntityId,
        /// What to do.
        operation: String,
        /// Its argument.
        input: Json,
    },
    /// Tell an entity to do something.
    SignalEntity {
        /// The number of this action.
        id: EventId,
        /// The entity.
        entity: EntityId,
        /// What to do.
        operation: String,
        /// Its argument.
        input: Json,
        /// Not before this moment.
        deliver_at: Option<Timestamp>,
    },
    /// Lock entities for a critical section.
    LockEntities {
        /// The number of this action.
        id: EventId,
        /// In the order in which they are locked, each once; at least one.
        entities: Vec<EntityId>,
    },
    /// Leave a critical section.
    UnlockEntities {
        /// The number of this action.
        id: EventId,
        /// The action that asked for it.
        section: EventId,
    },
}

/// An action as far as a replay compares it: place, kind, name and input. Due times, child ids and options may differ.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordedAction {
    /// Its number.
    pub id: EventId,
    /// The kind of the event that records it.
    pub kind: &'static str,
    /// The name of the function, event, entity and operation, or entities; none for a timer and an unlocking.
    pub name: Option<String>,
    /// The argument; none where there is none.
    pub input: Option<Json>,
}

impl RecordedAction {
    /// The name of an orchestration that nobody waits for: code that begins to wait for it would wait for ever.
    pub(super) fn detached(name: &str) -> String {
        format!("{name} (detached)")
    }

    /// The name of an event that is sent: whom it is for is part of it.
    pub(super) fn sent(name: &str, to: &InstanceId) -> String {
        format!("{name} to {to}")
    }

    /// What an event records of an action, if it records one.
    pub fn of_event(kind: &EventKind) -> Option<RecordedAction> {
        let id = kind.action_id()?;
        let (name, input) = match kind {
            EventKind::TaskScheduled { name, input, .. }
            | EventKind::SubOrchestrationInstanceCreated { name, input, detached: false, .. } => {
                (Some(name.clone()), Some(input.clone()))
            }
            EventKind::SubOrchestrationInstanceCreated { name, input, detached: true, .. } => {
                (Some(RecordedAction::detached(name)), Some(input.clone()))
            }
            EventKind::EventSent { instance_id, name, input, .. } => {
                (Some(RecordedAction::sent(name, instance_id)), Some(input.clone()))
            }
            EventKind::EntityOperationCalled { entity, operation, input, .. }
            | EventKind::EntityOperationSignaled { entity, operation, input, .. } => {
                (Some(format!("{entity} {operation}")), Some(input.clone()))
            }
            EventKind::EntityLockRequested { entities, .. } => {
                let names: Vec<_> = entities.iter().map(ToString::to_string).collect();
                (Some(names.join(", ")), None)
            }
            EventKind::TimerCreated { .. }
            | EventKind::EntityUnlockSent { .. }
            | EventKind::ExecutionSuspended { .. }
            | EventKind::ExecutionResumed { .. }
            | EventKind::ExecutionRewound { .. }
            | EventKind::EntityOperationCompleted { .. }
            | EventKind::EntityOperationFailed { .. }
            | EventKind::EntityLockGranted { .. }
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
