//! The history of one execution: the event types, and the rules that make a list of events a history.
//!
//! [`Ledger`] is what a history adds up to. It is kept beside a live orchestrator instead of the events themselves, so that
//! a turn costs the same however long the history is; every event that is appended anywhere passes through it.

use crate::{EntityId, EventId, ExecutionId, Failure, InstanceId, Json, RuntimeStatus, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

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
    /// Somebody holds it: what comes from here on waits until it is resumed.
    ExecutionSuspended {
        /// Why.
        reason: String,
    },
    /// It goes on.
    ExecutionResumed {
        /// Why.
        reason: String,
    },
    /// It had failed and goes on from before its failures: retry policies begin anew.
    ExecutionRewound {
        /// Why.
        reason: String,
    },
    /// An activity was asked for.
    TaskScheduled {
        /// The action.
        id: EventId,
        /// The activity.
        name: String,
        /// Its argument.
        input: Json,
        /// The earlier try that this one repeats, by its action.
        retry_of: Option<EventId>,
        /// How long one run may take.
        timeouts: Timeouts,
        /// Whatever the caller attached.
        tags: Tags,
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
        /// The earlier try that this one repeats, by its action.
        retry_of: Option<EventId>,
        /// Nobody waits for its end.
        detached: bool,
        /// What else it was started with.
        options: StartOptions,
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
        /// The failed try after which it is the pause, by its action.
        retry_of: Option<EventId>,
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
    /// It raised an event at another instance.
    EventSent {
        /// The action.
        id: EventId,
        /// Whom it is for.
        instance_id: InstanceId,
        /// The event's name.
        name: String,
        /// What comes with it.
        input: Json,
    },
    /// An entity was asked to do something.
    EntityOperationCalled {
        /// The action.
        id: EventId,
        /// The entity.
        entity: EntityId,
        /// What to do.
        operation: String,
        /// Its argument.
        input: Json,
    },
    /// An entity was told to do something.
    EntityOperationSignaled {
        /// The action.
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
    /// The entity did it.
    EntityOperationCompleted {
        /// The request it answers.
        scheduled: EventId,
        /// What it returned.
        result: Json,
    },
    /// The entity could not do it.
    EntityOperationFailed {
        /// The request it answers.
        scheduled: EventId,
        /// Why.
        failure: Failure,
    },
    /// A critical section over entities was asked for.
    EntityLockRequested {
        /// The action.
        id: EventId,
        /// The entities in the order in which they are locked, each once.
        entities: Vec<EntityId>,
    },
    /// The entities are locked.
    EntityLockGranted {
        /// The request it answers.
        scheduled: EventId,
    },
    /// The critical section was left.
    EntityUnlockSent {
        /// The action.
        id: EventId,
        /// The action that asked for it.
        section: EventId,
    },
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
            EventKind::ExecutionSuspended { .. } => "ExecutionSuspended",
            EventKind::ExecutionResumed { .. } => "ExecutionResumed",
            EventKind::ExecutionRewound { .. } => "ExecutionRewound",
            EventKind::EventSent { .. } => "EventSent",
            EventKind::EntityOperationCalled { .. } => "EntityOperationCalled",
            EventKind::EntityOperationSignaled { .. } => "EntityOperationSignaled",
            EventKind::EntityOperationCompleted { .. } => "EntityOperationCompleted",
            EventKind::EntityOperationFailed { .. } => "EntityOperationFailed",
            EventKind::EntityLockRequested { .. } => "EntityLockRequested",
            EventKind::EntityLockGranted { .. } => "EntityLockGranted",
            EventKind::EntityUnlockSent { .. } => "EntityUnlockSent",
        }
    }

    /// The action that this event records, if it records one.
    pub fn action_id(&self) -> Option<EventId> {
        match self {
            EventKind::TaskScheduled { id, .. }
            | EventKind::SubOrchestrationInstanceCreated { id, .. }
            | EventKind::TimerCreated { id, .. }
            | EventKind::EventSent { id, .. }
            | EventKind::EntityOperationCalled { id, .. }
            | EventKind::EntityOperationSignaled { id, .. }
            | EventKind::EntityLockRequested { id, .. }
            | EventKind::EntityUnlockSent { id, .. } => Some(*id),
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
            | EventKind::ExecutionSuspended { .. }
            | EventKind::ExecutionResumed { .. }
            | EventKind::ExecutionRewound { .. }
            | EventKind::EntityOperationCompleted { .. }
            | EventKind::EntityOperationFailed { .. }
            | EventKind::EntityLockGranted { .. }
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
            EventKind::EntityOperationCompleted { scheduled, .. }
            | EventKind::EntityOperationFailed { scheduled, .. } => Some((*scheduled, Awaited::Entity)),
            EventKind::EntityLockGranted { scheduled } => Some((*scheduled, Awaited::Lock)),
            EventKind::ExecutionSuspended { .. }
            | EventKind::ExecutionResumed { .. }
            | EventKind::ExecutionRewound { .. }
            | EventKind::EventSent { .. }
            | EventKind::EntityOperationCalled { .. }
            | EventKind::EntityOperationSignaled { .. }
            | EventKind::EntityLockRequested { .. }
            | EventKind::EntityUnlockSent { .. }
            | EventKind::OrchestratorStarted
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

    /// What the event takes, in bytes: its payloads and names, and a constant for the rest.
    pub fn bytes(&self) -> u64 {
        let options =
            |options: &StartOptions| options.version.as_ref().map_or(0, String::len) + tags_len(&options.tags);
        let failure = |failure: &Failure| failure.to_string().len() + failure.details.as_ref().map_or(0, String::len);
        let variable = match self {
            EventKind::ExecutionStarted(started) => {
                let accepted: usize = started.accepted_events.iter().map(String::len).sum();
                started.name.len() + started.input.len() + options(&started.options) + accepted
            }
            EventKind::ExecutionCompleted { output, failure: why, .. } => {
                output.as_ref().map_or(0, Json::len) + why.as_ref().map_or(0, failure)
            }
            EventKind::ExecutionTerminated { reason } => reason.len(),
            EventKind::ExecutionSuspended { reason }
            | EventKind::ExecutionResumed { reason }
            | EventKind::ExecutionRewound { reason } => reason.len(),
            EventKind::TaskScheduled { name, input, tags, .. } => name.len() + input.len() + tags_len(tags),
            EventKind::SubOrchestrationInstanceCreated { name, input, instance_id, options: with, .. } => {
                name.len() + input.len() + instance_id.as_str().len() + options(with)
            }
            EventKind::TaskCompleted { result, .. }
            | EventKind::SubOrchestrationInstanceCompleted { result, .. }
            | EventKind::EntityOperationCompleted { result, .. } => result.len(),
            EventKind::TaskFailed { failure: why, .. }
            | EventKind::SubOrchestrationInstanceFailed { failure: why, .. }
            | EventKind::EntityOperationFailed { failure: why, .. } => failure(why),
            EventKind::EventRaised(raised) => {
                raised.name.len() + raised.input.len() + raised.id.as_ref().map_or(0, String::len)
            }
            EventKind::EventSent { name, input, instance_id, .. } => {
                name.len() + input.len() + instance_id.as_str().len()
            }
            EventKind::EntityOperationCalled { entity, operation, input, .. }
            | EventKind::EntityOperationSignaled { entity, operation, input, .. } => {
                entity.len() + operation.len() + input.len()
            }
            EventKind::EntityLockRequested { entities, .. } => entities.iter().map(EntityId::len).sum(),
            EventKind::OrchestratorStarted
            | EventKind::OrchestratorCompleted
            | EventKind::TimerCreated { .. }
            | EventKind::TimerFired { .. }
            | EventKind::EntityLockGranted { .. }
            | EventKind::EntityUnlockSent { .. } => 0,
        };
        EVENT_BYTES + variable as u64
    }
}

/// What an event takes beside its payloads and names, in bytes.
const EVENT_BYTES: u64 = 32;

fn tags_len(tags: &Tags) -> usize {
    tags.iter().map(|(name, value)| name.len() + value.len()).sum()
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
    /// What else it was started with.
    pub options: StartOptions,
    /// How many orchestrations are above it.
    pub depth: u32,
    /// The digest of the app that it runs on for its whole life; none: the present one.
    pub pinned_to: Option<String>,
    /// The ids of events that earlier executions have accepted.
    pub accepted_events: Vec<String>,
}

impl ExecutionStarted {
    /// A start without a parent and without options.
    pub fn new(name: impl Into<String>, input: Json, execution: ExecutionId) -> ExecutionStarted {
        ExecutionStarted {
            name: name.into(),
            input,
            execution,
            parent: None,
            options: StartOptions::default(),
            depth: 0,
            pinned_to: None,
            accepted_events: Vec::new(),
        }
    }
}

/// How long one run of an activity may take; none: as its function's entry in the manifest says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timeouts {
    /// From beginning to end.
    pub run: Option<Duration>,
    /// Between two signs of life.
    pub heartbeat: Option<Duration>,
}

/// Whatever an author attached to an instance or a call, by name.
pub type Tags = BTreeMap<String, String>;

/// What an instance is started with besides name and input.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StartOptions {
    /// The version that the orchestrator sees.
    pub version: Option<String>,
    /// Shown with the instance and inherited by its children.
    pub tags: Tags,
    /// Not before this moment.
    pub start_at: Option<Timestamp>,
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
    /// The sender's name for this event: a second one of the same id is not accepted.
    pub id: Option<String>,
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
    /// An entity's answer.
    Entity,
    /// An entity's lock.
    Lock,
}

/// The ids of events that were accepted, and in which order.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AcceptedEvents {
    places: BTreeMap<String, usize>,
}

impl AcceptedEvents {
    /// Whether an event of this id was accepted.
    pub fn contains(&self, id: &str) -> bool {
        self.places.contains_key(id)
    }

    /// Adds one, unless it is there.
    pub(crate) fn insert(&mut self, id: &str) {
        let place = self.places.len();
        self.places.entry(id.to_owned()).or_insert(place);
    }

    /// The last ones, at most `count`, oldest first.
    pub(crate) fn latest(&self, count: usize) -> Vec<String> {
        let mut all: Vec<_> = self.places.iter().map(|(id, place)| (place, id)).collect();
        all.sort_unstable();
        all[all.len().saturating_sub(count)..].iter().map(|(_, id)| String::clone(id)).collect()
    }
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
    /// Roughly what the events take, in bytes.
    pub bytes: u64,
    /// Whether it is held.
    pub suspended: bool,
    /// Children without an answer, by the action that asked for them.
    pub children: BTreeMap<EventId, InstanceId>,
    /// How many children were asked for, detached ones among them.
    pub sub_orchestrations: u32,
    /// The ids of the events that were accepted.
    pub accepted_events: AcceptedEvents,
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
            self.children.remove(&id);
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
                for id in &started.accepted_events {
                    self.accepted_events.insert(id);
                }
                self.started = Some(ExecutionStarted::clone(started));
                self.started_at = event.at;
            }
            EventKind::ExecutionCompleted { status, .. } => self.ended = Some(*status),
            EventKind::TaskScheduled { id, .. } => self.wait(*id, Awaited::Activity),
            EventKind::SubOrchestrationInstanceCreated { id, instance_id, detached, .. } => {
                self.sub_orchestrations += 1;
                if !detached {
                    self.children.insert(*id, instance_id.clone());
                    self.wait(*id, Awaited::SubOrchestration);
                }
            }
            EventKind::TimerCreated { id, .. } => self.wait(*id, Awaited::Timer),
            EventKind::EntityOperationCalled { id, .. } => self.wait(*id, Awaited::Entity),
            EventKind::EntityLockRequested { id, .. } => self.wait(*id, Awaited::Lock),
            EventKind::OrchestratorCompleted => self.turns += 1,
            EventKind::ExecutionSuspended { .. } => self.suspended = true,
            EventKind::ExecutionResumed { .. } => self.suspended = false,
            EventKind::EventRaised(RaisedEvent { id: Some(id), .. }) => {
                self.accepted_events.insert(id);
            }
            EventKind::EventRaised(RaisedEvent { id: None, .. })
            | EventKind::ExecutionRewound { .. }
            | EventKind::EventSent { .. }
            | EventKind::EntityOperationSignaled { .. }
            | EventKind::EntityOperationCompleted { .. }
            | EventKind::EntityOperationFailed { .. }
            | EventKind::EntityLockGranted { .. }
            | EventKind::EntityUnlockSent { .. }
            | EventKind::OrchestratorStarted
            | EventKind::ExecutionTerminated { .. }
            | EventKind::TaskCompleted { .. }
            | EventKind::TaskFailed { .. }
            | EventKind::SubOrchestrationInstanceCompleted { .. }
            | EventKind::SubOrchestrationInstanceFailed { .. }
            | EventKind::TimerFired { .. } => {}
        }
        self.events += 1;
        self.bytes += event.kind.bytes();
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
