//! What arrives at an instance between turns.

use crate::{
    EntityId, EventId, EventKind, ExecutionId, ExecutionStarted, Failure, InstanceId, Json, Parent, RaisedEvent,
    RuntimeStatus, Timestamp,
};

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
        /// Whether its children are to end too.
        recurse: bool,
        /// Set when the parent's end is the reason: only a child of that execution is meant.
        by_parent: Option<ExecutionId>,
    },
    /// Somebody wants it held.
    ExecutionSuspended {
        /// Why.
        reason: String,
    },
    /// Somebody wants it to go on.
    ExecutionResumed {
        /// Why.
        reason: String,
    },
    /// Somebody wants a failed one to be run again from the last good point.
    RewindRequested {
        /// Why.
        reason: String,
        /// The parent that waits for it, which has been rewound itself.
        parent: Option<Parent>,
        /// Whether it goes on with the present version of the app.
        latest: bool,
    },
    /// Its history has been rewound; it goes on from there.
    ExecutionRewound {
        /// Why.
        reason: String,
        /// What the turn that is run again was given.
        again: Vec<EventKind>,
    },
    /// An entity is asked to do something.
    EntityOperationCalled {
        /// Who waits for the answer.
        caller: Caller,
        /// What to do.
        operation: String,
        /// Its argument.
        input: Json,
    },
    /// An entity is told to do something.
    EntityOperationSignaled {
        /// The instance that says so; none: a client.
        sender: Option<InstanceId>,
        /// The same for every run of this operation, and for no other.
        request: String,
        /// What to do.
        operation: String,
        /// Its argument.
        input: Json,
    },
    /// An entity is to be locked for a critical section.
    EntityLockRequested {
        /// Who waits for the lock.
        owner: Caller,
        /// All entities of the section, in the order in which they are locked.
        entities: Vec<EntityId>,
        /// Which of them the receiver is.
        position: u32,
    },
    /// A critical section is over. The release travels the same road as the request did, so that it never overtakes it.
    EntityUnlockSent {
        /// Which section.
        section: Section,
        /// All entities of the section, in the order in which they are locked.
        entities: Vec<EntityId>,
        /// Which of them the receiver is.
        position: u32,
    },
    /// An entity did what it was asked to.
    EntityOperationCompleted {
        /// The request it answers.
        scheduled: EventId,
        /// What it returned.
        result: Json,
    },
    /// An entity could not do what it was asked to.
    EntityOperationFailed {
        /// The request it answers.
        scheduled: EventId,
        /// Why.
        failure: Failure,
    },
    /// All entities of a critical section are locked.
    EntityLockGranted {
        /// The request it answers.
        scheduled: EventId,
    },
}

/// The request of an orchestration to which an answer goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The instance.
    pub instance: InstanceId,
    /// Its execution.
    pub execution: ExecutionId,
    /// The request.
    pub scheduled: EventId,
}

impl Caller {
    /// The critical section that this request asks for, if it asks for one.
    pub fn section(&self) -> Section {
        Section { execution: self.execution, scheduled: self.scheduled }
    }
}

/// One critical section: the request that asked for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Section {
    /// The execution that asked.
    pub execution: ExecutionId,
    /// Its request.
    pub scheduled: EventId,
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
            MessageKind::ExecutionSuspended { .. } => "ExecutionSuspended",
            MessageKind::ExecutionResumed { .. } => "ExecutionResumed",
            MessageKind::RewindRequested { .. } => "RewindRequested",
            MessageKind::ExecutionRewound { .. } => "ExecutionRewound",
            MessageKind::EntityOperationCalled { .. } => "EntityOperationCalled",
            MessageKind::EntityOperationSignaled { .. } => "EntityOperationSignaled",
            MessageKind::EntityLockRequested { .. } => "EntityLockRequested",
            MessageKind::EntityUnlockSent { .. } => "EntityUnlockSent",
            MessageKind::EntityOperationCompleted { .. } => "EntityOperationCompleted",
            MessageKind::EntityOperationFailed { .. } => "EntityOperationFailed",
            MessageKind::EntityLockGranted { .. } => "EntityLockGranted",
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
    /// Handed out at this moment or later; none: at once.
    pub deliver_at: Option<Timestamp>,
}

impl Envelope {
    /// A message that is handed out at once.
    pub fn new(to: InstanceId, execution: Option<ExecutionId>, kind: MessageKind) -> Envelope {
        Envelope { to, execution, kind, deliver_at: None }
    }

    /// Whether an instance in this state takes the message at all: one that has ended takes only the demand to be rewound.
    pub fn is_for(&self, status: RuntimeStatus) -> bool {
        !status.is_terminal() || matches!(self.kind, MessageKind::RewindRequested { .. })
    }
}
