//! The first end of a turn: which messages become events.
//!
//! Total: every kind of message in every state is admitted, or ignored with a reason. What an entity does about its messages is
//! decided elsewhere; they are requests, not events.

use crate::family::{is_child_of, no_child_of};
use crate::history::Awaited;
use crate::{
    Envelope, Event, EventId, EventKind, ExecutionId, InstanceRow, Json, Ledger, Message, MessageKind, Origin, Parent,
    Timestamp,
};
use std::collections::BTreeSet;

/// What becomes of a batch of messages.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Admission {
    /// The new events in order, `OrchestratorStarted` first; empty if no message was admitted.
    pub events: Vec<Event>,
    /// The messages of the batch, by where they came from: they are done with once the checkpoint is durable.
    pub consumed: Vec<Origin>,
    /// The messages that became no event, and why.
    pub ignored: Vec<(Message, Ignored)>,
    /// Set when the instance is to be terminated: its code does not run any more.
    pub termination: Option<Termination>,
    /// Whether the orchestrator has anything to do: it has started and is not held, or was not when the first of these events
    /// came. One that is kept alive and does not run is handed the events all the same.
    pub runs: bool,
    /// The parent in its new execution, when it was rewound and waits again for this instance.
    pub parent: Option<Parent>,
    /// What instances hear that take this one for their child, and are wrong.
    pub refusals: Vec<Envelope>,
}

/// The end of an instance that comes from outside.
#[derive(Clone, PartialEq, Debug)]
pub struct Termination {
    /// The output to leave behind.
    pub reason: Json,
    /// Whether the children end too.
    pub recurse: bool,
}

/// Why a message becomes no event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ignored {
    /// It is for an execution that is over.
    StaleExecution,
    /// The instance has ended, or ends in this turn.
    Ended,
    /// The execution has started before.
    StartedBefore,
    /// It answers a request that has its answer, or that was never made.
    NothingWaits,
    /// An event of the same id was accepted before.
    AcceptedBefore,
    /// It is held already.
    SuspendedBefore,
    /// It is not held.
    NotSuspended,
    /// It has not failed.
    NotFailed,
    /// It is meant for a child of an execution that is not this one's parent.
    OtherParent,
    /// It is meant for an entity.
    NoEntity,
    /// An entity does not understand it.
    IsEntity,
    /// The entity is locked for that critical section already.
    LockedBefore,
    /// The entity is not locked for that critical section, and no request for it waits.
    NotLocked,
}

/// Decides which messages become events of the current execution.
pub fn admit(ledger: &Ledger, row: &InstanceRow, mut messages: Vec<Message>, now: Timestamp) -> Admission {
    if waits_for_locks(ledger, row, &messages) {
        return Admission::default();
    }
    let mut admitting = Admitting {
        ledger,
        row,
        now,
        started: ledger.started.is_some(),
        suspended: ledger.suspended,
        answered: BTreeSet::new(),
        events: BTreeSet::new(),
        admission: Admission::default(),
    };
    messages.sort_by_key(precedence);
    for message in messages {
        admitting.admission.consumed.push(message.origin);
        match admitting.verdict(&message) {
            Ok(()) => admitting.record(message.kind),
            Err(why) => admitting.admission.ignored.push((message, why)),
        }
    }
    admitting.admission.runs &= admitting.started;
    if !admitting.admission.events.is_empty() {
        admitting.admission.events.insert(0, Event { at: now, kind: EventKind::OrchestratorStarted });
    }
    admitting.admission
}

/// What begins an execution comes first, and before it that the execution is held from the beginning: only an execution that
/// was held when it continued as new says so to the next one. All else keeps its order.
fn precedence(message: &Message) -> u8 {
    if message.execution.is_some() && matches!(message.kind, MessageKind::ExecutionSuspended { .. }) {
        0
    } else if matches!(message.kind, MessageKind::ExecutionStarted { .. } | MessageKind::ExecutionRewound { .. }) {
        1
    } else {
        2
    }
}

/// An instance that failed within a critical section, and is rewound to within it, goes on when it has the locks again.
/// Until then all messages wait, but for the one that ends it.
fn waits_for_locks(ledger: &Ledger, row: &InstanceRow, messages: &[Message]) -> bool {
    let Some(section) = &row.critical_section else {
        return false;
    };
    let current = |message: &&Message| message.execution.is_none_or(|execution| execution == row.execution);
    let mut kinds = messages.iter().filter(current).map(|message| &message.kind);
    let was_granted = !ledger.outstanding.contains_key(&section.scheduled);
    let ends_waiting = |kind: &MessageKind| {
        matches!(kind, MessageKind::EntityLockGranted { scheduled } if *scheduled == section.scheduled)
            || matches!(kind, MessageKind::ExecutionTerminated { .. })
    };
    was_granted
        && kinds.clone().any(|kind| matches!(kind, MessageKind::ExecutionRewound { .. }))
        && !kinds.any(ends_waiting)
}

struct Admitting<'a> {
    ledger: &'a Ledger,
    row: &'a InstanceRow,
    now: Timestamp,
    started: bool,
    suspended: bool,
    answered: BTreeSet<EventId>,
    events: BTreeSet<String>,
    admission: Admission,
}

impl Admitting<'_> {
    fn verdict(&mut self, message: &Message) -> Result<(), Ignored> {
        if message.execution.is_some_and(|execution| execution != self.row.execution) {
            return Err(Ignored::StaleExecution);
        }
        if self.row.status.is_terminal() || self.ledger.ended.is_some() {
            return Err(Ignored::Ended);
        }
        // Whoever ends in this turn still has to answer the right execution of its parent.
        let is_for_parent = matches!(message.kind, MessageKind::RewindRequested { parent: Some(_), .. });
        if self.admission.termination.is_some() && !is_for_parent {
            return Err(Ignored::Ended);
        }
        match &message.kind {
            MessageKind::ExecutionStarted { .. } if self.started => Err(Ignored::StartedBefore),
            MessageKind::ExecutionStarted { .. } | MessageKind::ExecutionRewound { .. } => Ok(()),
            MessageKind::ExecutionTerminated { by_parent, .. } => self.terminate(*by_parent),
            MessageKind::ExecutionSuspended { .. } if self.suspended => Err(Ignored::SuspendedBefore),
            MessageKind::ExecutionResumed { .. } if !self.suspended => Err(Ignored::NotSuspended),
            MessageKind::ExecutionSuspended { .. } | MessageKind::ExecutionResumed { .. } => Ok(()),
            MessageKind::EventRaised(raised) => self.accept(raised.id.as_ref()),
            MessageKind::TaskCompleted { scheduled, .. } | MessageKind::TaskFailed { scheduled, .. } => {
                self.answer(*scheduled, Awaited::Activity)
            }
            MessageKind::SubOrchestrationInstanceCompleted { scheduled, .. }
            | MessageKind::SubOrchestrationInstanceFailed { scheduled, .. } => {
                self.answer(*scheduled, Awaited::SubOrchestration)
            }
            MessageKind::TimerFired { timer, .. } => self.answer(*timer, Awaited::Timer),
            MessageKind::EntityOperationCompleted { scheduled, .. }
            | MessageKind::EntityOperationFailed { scheduled, .. } => self.answer(*scheduled, Awaited::Entity),
            MessageKind::EntityLockGranted { scheduled } => self.answer(*scheduled, Awaited::Lock),
            MessageKind::RewindRequested { parent, .. } => self.adopt(parent.as_ref()),
            MessageKind::EntityOperationCalled { .. }
            | MessageKind::EntityOperationSignaled { .. }
            | MessageKind::EntityLockRequested { .. }
            | MessageKind::EntityUnlockSent { .. } => Err(Ignored::NoEntity),
        }
    }

    /// An answer before the start, too, answers nothing.
    /// Only the first answer to an open request counts.
    fn answer(&mut self, id: EventId, awaited: Awaited) -> Result<(), Ignored> {
        if self.ledger.outstanding.get(&id) == Some(&awaited) && self.answered.insert(id) {
            Ok(())
        } else {
            Err(Ignored::NothingWaits)
        }
    }

    fn accept(&mut self, id: Option<&String>) -> Result<(), Ignored> {
        match id {
            Some(id) if self.ledger.accepted_events.contains(id) || !self.events.insert(id.clone()) => {
                Err(Ignored::AcceptedBefore)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn terminate(&self, by_parent: Option<ExecutionId>) -> Result<(), Ignored> {
        let parent = self.parent().map(|parent| parent.execution);
        if by_parent.is_none() || by_parent == parent { Ok(()) } else { Err(Ignored::OtherParent) }
    }

    fn parent(&self) -> Option<&Parent> {
        self.admission.parent.as_ref().or(self.row.parent.as_ref())
    }

    /// There is nothing to rewind, but a parent that was rewound waits for this instance under another name.
    fn adopt(&mut self, parent: Option<&Parent>) -> Result<(), Ignored> {
        let parent = parent.ok_or(Ignored::NotFailed)?;
        if is_child_of(self.parent(), parent) {
            return Ok(());
        }
        self.admission.refusals.push(no_child_of(&self.row.id, parent));
        Err(Ignored::OtherParent)
    }

    fn record(&mut self, kind: MessageKind) {
        // What comes while it is held does not move it; what comes before its start does not either.
        let moves = !matches!(kind, MessageKind::ExecutionSuspended { .. } | MessageKind::RewindRequested { .. });
        self.admission.runs |= moves && !self.suspended;
        let kind = match kind {
            MessageKind::ExecutionStarted { started, carried_over } => {
                self.started = true;
                self.events.extend(started.accepted_events.iter().cloned());
                self.push(EventKind::ExecutionStarted(started));
                for raised in carried_over {
                    self.events.extend(raised.id.clone());
                    self.push(EventKind::EventRaised(raised));
                }
                return;
            }
            MessageKind::ExecutionRewound { reason, again } => return self.rewound(reason, again),
            MessageKind::TaskCompleted { scheduled, result } => EventKind::TaskCompleted { scheduled, result },
            MessageKind::TaskFailed { scheduled, failure } => EventKind::TaskFailed { scheduled, failure },
            MessageKind::SubOrchestrationInstanceCompleted { scheduled, result } => {
                EventKind::SubOrchestrationInstanceCompleted { scheduled, result }
            }
            MessageKind::SubOrchestrationInstanceFailed { scheduled, failure } => {
                EventKind::SubOrchestrationInstanceFailed { scheduled, failure }
            }
            MessageKind::TimerFired { timer, fire_at } => EventKind::TimerFired { timer, fire_at },
            MessageKind::EntityOperationCompleted { scheduled, result } => {
                EventKind::EntityOperationCompleted { scheduled, result }
            }
            MessageKind::EntityOperationFailed { scheduled, failure } => {
                EventKind::EntityOperationFailed { scheduled, failure }
            }
            MessageKind::EntityLockGranted { scheduled } => EventKind::EntityLockGranted { scheduled },
            MessageKind::EventRaised(raised) => EventKind::EventRaised(raised),
            MessageKind::ExecutionSuspended { reason } => {
                self.suspended = true;
                EventKind::ExecutionSuspended { reason }
            }
            MessageKind::ExecutionResumed { reason } => {
                self.suspended = false;
                self.admission.runs = true;
                EventKind::ExecutionResumed { reason }
            }
            MessageKind::ExecutionTerminated { reason, recurse, .. } => {
                self.admission.termination = Some(Termination { reason: reason.clone(), recurse });
                EventKind::ExecutionTerminated { reason }
            }
            MessageKind::RewindRequested { parent, .. } => {
                self.admission.parent = parent;
                return;
            }
            // Never admitted.
            MessageKind::EntityOperationCalled { .. }
            | MessageKind::EntityOperationSignaled { .. }
            | MessageKind::EntityLockRequested { .. }
            | MessageKind::EntityUnlockSent { .. } => return,
        };
        self.push(kind);
    }

    /// What the code saw after the last thing that it asked for comes once more.
    fn rewound(&mut self, reason: String, again: Vec<EventKind>) {
        self.push(EventKind::ExecutionRewound { reason });
        for kind in again {
            if let EventKind::ExecutionStarted(_) = &kind {
                self.started = true;
            } else if let EventKind::ExecutionSuspended { .. } = &kind {
                self.suspended = true;
            } else if let EventKind::ExecutionResumed { .. } = &kind {
                self.suspended = false;
                self.admission.runs = true;
            } else if let EventKind::EventRaised(raised) = &kind {
                self.events.extend(raised.id.clone());
            }
            self.answered.extend(kind.answers().map(|(id, _)| id));
            self.push(kind);
        }
    }

    fn push(&mut self, kind: EventKind) {
        self.admission.events.push(Event { at: self.now, kind });
    }
}
