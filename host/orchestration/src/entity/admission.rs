//! Which of the messages that wait for an entity can be done now, and in which order.
//!
//! The messages are scanned in the order of their arrival, and the lock moves along with the scan: a request locks the entity
//! for its section, a release frees it and lets what waited longest go first. What cannot be done stays in the inbox.
//!
//! The request of a critical section travels through the entities of the section in their order, and its release travels the
//! same road. Messages of one sender to one receiver stay in order, so a release never overtakes its request: it finds the
//! lock, or the request that still waits, and in either case nothing of the section is left behind.

use super::EntityOperation;
use crate::{Caller, EntityId, EntityLock, Envelope, Ignored, InstanceRow, Message, MessageKind, Origin, Section};

/// What becomes of the messages that wait for an entity.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EntityAdmission {
    /// What the guest is to run, in order; may be empty.
    pub operations: Vec<EntityOperation>,
    /// The messages that an entity does nothing about, and why.
    pub ignored: Vec<(Message, Ignored)>,
    /// What is sent, in order, once the operations ran.
    pub(super) steps: Vec<Step>,
    /// The messages that are done with.
    pub(super) consumed: Vec<Origin>,
    /// Who holds the entity behind the last of the messages.
    pub(super) lock: Option<EntityLock>,
    /// How many messages stay in the inbox.
    pub(super) waiting: usize,
    /// Whether any of them could be done at once, but for the size of the batch.
    pub(super) more: bool,
}

/// One thing that a batch sends.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Step {
    /// The result of the next operation, if anybody waits for it.
    Answer(Option<Caller>),
    /// A message that needs no result.
    Send(Envelope),
}

/// Decides which messages an entity does something about now. `messages` are all that wait, in the order of arrival; at most
/// `max_operations` operations (at least one) go into the batch.
pub fn admit_entity(row: &InstanceRow, messages: Vec<Message>, max_operations: usize) -> EntityAdmission {
    let mut scan = Scan {
        row,
        max_operations: max_operations.max(1),
        waiting: messages.into_iter().map(Some).collect(),
        admission: EntityAdmission {
            lock: row.entity.as_ref().and_then(|record| record.lock.clone()),
            ..EntityAdmission::default()
        },
    };
    let mut place = 0;
    while place < scan.waiting.len() {
        place = match scan.take(place) {
            Taken::Done | Taken::Waits => place + 1,
            Taken::Freed => 0,
            Taken::BatchFull => {
                scan.admission.more = true;
                break;
            }
        };
    }
    scan.admission.waiting = scan.waiting.iter().flatten().count();
    scan.admission
}

struct Scan<'a> {
    row: &'a InstanceRow,
    max_operations: usize,
    /// By arrival; none where a message is done with.
    waiting: Vec<Option<Message>>,
    admission: EntityAdmission,
}

/// What became of one message.
enum Taken {
    /// It is done with, now or before.
    Done,
    /// It must wait.
    Waits,
    /// It freed the entity: what waited before it may have its turn.
    Freed,
    /// It could be done, but not in this batch.
    BatchFull,
}

impl Scan<'_> {
    fn take(&mut self, place: usize) -> Taken {
        let Some(message) = self.waiting[place].take() else {
            return Taken::Done;
        };
        if message.execution.is_some_and(|execution| execution != self.row.execution) {
            return self.ignore(message, Ignored::StaleExecution);
        }
        match &message.kind {
            MessageKind::EntityOperationCalled { caller, .. } => {
                let allowed = self.lock().is_none_or(|lock| is_held_by(lock, caller));
                self.run(place, message, allowed)
            }
            MessageKind::EntityOperationSignaled { .. } => {
                let allowed = self.lock().is_none();
                self.run(place, message, allowed)
            }
            MessageKind::EntityLockRequested { .. } => self.acquire(place, message),
            MessageKind::EntityUnlockSent { .. } => self.release(message),
            MessageKind::ExecutionStarted { .. }
            | MessageKind::TaskCompleted { .. }
            | MessageKind::TaskFailed { .. }
            | MessageKind::SubOrchestrationInstanceCompleted { .. }
            | MessageKind::SubOrchestrationInstanceFailed { .. }
            | MessageKind::TimerFired { .. }
            | MessageKind::EventRaised(_)
            | MessageKind::ExecutionTerminated { .. }
            | MessageKind::ExecutionSuspended { .. }
            | MessageKind::ExecutionResumed { .. }
            | MessageKind::RewindRequested { .. }
            | MessageKind::ExecutionRewound { .. }
            | MessageKind::EntityOperationCompleted { .. }
            | MessageKind::EntityOperationFailed { .. }
            | MessageKind::EntityLockGranted { .. } => self.ignore(message, Ignored::IsEntity),
        }
    }

    fn lock(&self) -> Option<&EntityLock> {
        self.admission.lock.as_ref()
    }

    fn ignore(&mut self, message: Message, why: Ignored) -> Taken {
        self.admission.consumed.push(message.origin);
        self.admission.ignored.push((message, why));
        Taken::Done
    }

    fn put_back(&mut self, place: usize, message: Message) {
        self.waiting[place] = Some(message);
    }

    fn run(&mut self, place: usize, message: Message, allowed: bool) -> Taken {
        let full = self.admission.operations.len() >= self.max_operations;
        if !allowed || full {
            self.put_back(place, message);
            return if allowed { Taken::BatchFull } else { Taken::Waits };
        }
        self.admission.consumed.push(message.origin);
        if let Some((operation, caller)) = operation_of(message.kind) {
            self.admission.operations.push(operation);
            self.admission.steps.push(Step::Answer(caller));
        }
        Taken::Done
    }

    /// Locks the entity, and hands the request on to the next one, or tells the owner that it has them all.
    fn acquire(&mut self, place: usize, message: Message) -> Taken {
        let MessageKind::EntityLockRequested { owner, entities, position } = &message.kind else {
            return Taken::Done;
        };
        if self.lock().is_some_and(|lock| lock.section == owner.section()) {
            return self.ignore(message, Ignored::LockedBefore);
        }
        if self.lock().is_some() {
            self.put_back(place, message);
            return Taken::Waits;
        }
        let onward = match next_of(entities, *position) {
            Some((next, position)) => {
                let (owner, entities) = (owner.clone(), entities.clone());
                let kind = MessageKind::EntityLockRequested { owner, entities, position };
                Envelope::new(next, None, kind)
            }
            None => {
                let kind = MessageKind::EntityLockGranted { scheduled: owner.scheduled };
                Envelope::new(owner.instance.clone(), Some(owner.execution), kind)
            }
        };
        self.admission.lock = Some(EntityLock { owner: owner.instance.clone(), section: owner.section() });
        self.admission.steps.push(Step::Send(onward));
        self.admission.consumed.push(message.origin);
        Taken::Done
    }

    /// Frees the entity, or takes back the request that still waits. One that finds neither goes on all the same: the
    /// entity may have been purged while it was locked, and those behind it are locked still.
    fn release(&mut self, message: Message) -> Taken {
        let MessageKind::EntityUnlockSent { section, entities, position } = &message.kind else {
            return Taken::Done;
        };
        let waits = |slot: &Option<Message>| slot.as_ref().is_some_and(|waiting| requests(&waiting.kind, *section));
        if let Some(request) = self.waiting.iter().position(waits) {
            let request = self.waiting[request].take();
            self.admission.consumed.extend(request.map(|request| request.origin));
            self.admission.consumed.push(message.origin);
            return Taken::Done;
        }
        if let Some((next, position)) = next_of(entities, *position) {
            let kind = MessageKind::EntityUnlockSent { section: *section, entities: entities.clone(), position };
            self.admission.steps.push(Step::Send(Envelope::new(next, None, kind)));
        }
        if self.lock().is_none_or(|lock| lock.section != *section) {
            return self.ignore(message, Ignored::NotLocked);
        }
        self.admission.lock = None;
        self.admission.consumed.push(message.origin);
        Taken::Freed
    }
}

/// An owner is one execution: what an earlier one left on its way waits like anybody else's.
fn is_held_by(lock: &EntityLock, caller: &Caller) -> bool {
    lock.owner == caller.instance && lock.section.execution == caller.execution
}

fn requests(kind: &MessageKind, section: Section) -> bool {
    matches!(kind, MessageKind::EntityLockRequested { owner, .. } if owner.section() == section)
}

/// Where a request or a release goes from here.
fn next_of(entities: &[EntityId], position: u32) -> Option<(crate::InstanceId, u32)> {
    let next = position.checked_add(1)?;
    let entity = entities.get(usize::try_from(next).ok()?)?;
    Some((entity.instance_id(), next))
}

/// The operation that a message asks for, and who waits for its result.
fn operation_of(kind: MessageKind) -> Option<(EntityOperation, Option<Caller>)> {
    match kind {
        MessageKind::EntityOperationCalled { caller, operation, input } => {
            let request = format!("{}:{}", caller.execution, caller.scheduled);
            let from = Some(caller.instance.clone());
            Some((EntityOperation { name: operation, input, request, is_signal: false, caller: from }, Some(caller)))
        }
        MessageKind::EntityOperationSignaled { sender, request, operation, input } => {
            Some((EntityOperation { name: operation, input, request, is_signal: true, caller: sender }, None))
        }
        MessageKind::EntityLockRequested { .. }
        | MessageKind::EntityUnlockSent { .. }
        | MessageKind::ExecutionStarted { .. }
        | MessageKind::TaskCompleted { .. }
        | MessageKind::TaskFailed { .. }
        | MessageKind::SubOrchestrationInstanceCompleted { .. }
        | MessageKind::SubOrchestrationInstanceFailed { .. }
        | MessageKind::TimerFired { .. }
        | MessageKind::EventRaised(_)
        | MessageKind::ExecutionTerminated { .. }
        | MessageKind::ExecutionSuspended { .. }
        | MessageKind::ExecutionResumed { .. }
        | MessageKind::RewindRequested { .. }
        | MessageKind::ExecutionRewound { .. }
        | MessageKind::EntityOperationCompleted { .. }
        | MessageKind::EntityOperationFailed { .. }
        | MessageKind::EntityLockGranted { .. } => None,
    }
}
