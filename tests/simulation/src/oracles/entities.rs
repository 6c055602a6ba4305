//! Entities: their state follows from the operations that they ran, and their locks from requests and releases.
//!
//! What an entity's code makes of an operation is taken as its guest reported it; that it is run on the right state, that it
//! counts once, in its sender's order and with its sender's right to run, and that exactly its result is answered, is judged.

use super::{Oracle, Violation};
use crate::author::Outcome;
use orchestration::{
    Caller, Checkpoint, EntityLock, EntityOutcome, Envelope, Event, EventId, EventKind, ExecutionId, Failure,
    InstanceId, Json, Message, MessageKind, Section,
};
use ports::{EntityBatch, TurnWork};
use std::collections::{BTreeMap, BTreeSet};

/// A batch that a guest ran; none: it trapped.
pub(crate) struct Ran {
    pub(crate) batch: EntityBatch,
    pub(crate) outcome: Option<EntityOutcome>,
}

/// One entity as its commits make it.
#[derive(Default)]
struct EntitySeen {
    state: Option<Json>,
    lock: Option<EntityLock>,
    /// What it ran since its last commit.
    runs: Vec<Ran>,
}

/// All of them.
#[derive(Default)]
pub(super) struct EntitiesSeen {
    entities: BTreeMap<InstanceId, EntitySeen>,
    /// What was asked of whom, by request.
    asked: BTreeMap<String, InstanceId>,
    /// The requests of each sender to each entity that are to be run in this order.
    in_order: BTreeMap<(InstanceId, InstanceId), Vec<String>>,
    /// What was run.
    done: BTreeSet<String>,
    /// What callers are to hear.
    answers: BTreeMap<(ExecutionId, EventId), Outcome>,
}

/// One operation that waits for an entity.
struct Asked<'a> {
    request: String,
    caller: Option<&'a Caller>,
}

impl EntitiesSeen {
    /// A guest ran a batch; whether it counts is seen at the next commit.
    pub(super) fn ran(&mut self, ran: Ran) {
        self.entities.entry(ran.batch.entity.instance_id()).or_default().runs.push(ran);
    }

    /// A message is on its way to an entity.
    pub(super) fn asked(&mut self, sender: Option<&InstanceId>, envelope: &Envelope) {
        let Some(Asked { request, .. }) = operation(&envelope.kind) else { return };
        self.asked.insert(request.clone(), envelope.to.clone());
        if let (Some(sender), None) = (sender, envelope.deliver_at) {
            self.in_order.entry((sender.clone(), envelope.to.clone())).or_default().push(request);
        }
    }

    /// An entity is gone with its inbox.
    pub(super) fn forget(&mut self, id: &InstanceId) {
        self.entities.remove(id);
        let done = &self.done;
        self.asked.retain(|request, entity| entity != id || done.contains(request));
        self.in_order.retain(|(_, entity), _| entity != id);
    }

    /// Something that was asked of an entity and never run.
    pub(super) fn never_done(&self) -> Option<(&String, &InstanceId)> {
        self.asked.iter().find(|(request, _)| !self.done.contains(*request))
    }

    /// A turn of an entity was committed.
    pub(super) fn committed(&mut self, checkpoint: &Checkpoint, work: &TurnWork) -> Result<(), Violation> {
        let id = &checkpoint.row.id;
        let Some(record) = &checkpoint.row.entity else {
            return wrong(Oracle::Row, format!("the entity {id} is none any more"));
        };
        let consumed: Vec<_> =
            work.messages.iter().filter(|message| checkpoint.consumed.contains(&message.origin)).collect();
        self.judge_state(checkpoint, &consumed, record.state.as_ref())?;
        let entity = self.entities.entry(id.clone()).or_default();
        judge_lock(id, entity.lock.as_ref(), record.lock.as_ref(), &consumed, &work.messages)?;
        let gone = record.state.is_none() && record.lock.is_none();
        if checkpoint.remove && !gone {
            return wrong(Oracle::Entities, format!("{id} is removed while it is {record:?}"));
        }
        entity.lock.clone_from(&record.lock);
        entity.state.clone_from(&record.state);
        Ok(())
    }

    fn judge_state(
        &mut self,
        checkpoint: &Checkpoint,
        consumed: &[&Message],
        state: Option<&Json>,
    ) -> Result<(), Violation> {
        let id = &checkpoint.row.id;
        let asked: BTreeMap<String, Asked<'_>> = consumed
            .iter()
            .filter_map(|message| operation(&message.kind))
            .map(|asked| (asked.request.clone(), asked))
            .collect();
        let entity = self.entities.entry(id.clone()).or_default();
        let runs = std::mem::take(&mut entity.runs);
        if asked.is_empty() {
            if entity.state.as_ref() != state {
                return wrong(Oracle::Entities, format!("{id} changed to {state:?} without an operation"));
            }
            return Ok(());
        }
        let fits = |run: &&Ran| {
            let requests: BTreeSet<_> = run.batch.operations.iter().map(|operation| &operation.request).collect();
            run.batch.state == entity.state && requests.iter().copied().eq(asked.keys())
        };
        let after = |run: &Ran| run.outcome.as_ref().map_or(&entity.state, |outcome| &outcome.state).clone();
        let Some(run) = runs.iter().rev().filter(fits).find(|run| after(run).as_ref() == state) else {
            let requests: Vec<_> = asked.keys().collect();
            let detail = format!("{id} is {state:?} after {:?}, and no run of {requests:?} says so", entity.state);
            return wrong(Oracle::Entities, detail);
        };
        for (place, operation) in run.batch.operations.iter().enumerate() {
            let request = &operation.request;
            if !self.done.insert(request.clone()) {
                return wrong(Oracle::Entities, format!("{id} has run {request} twice"));
            }
            if let Some(caller) = asked.get(request).and_then(|asked| asked.caller) {
                let result = run.outcome.as_ref().map(|outcome| outcome.results.get(place).cloned());
                let answer = answer_to(checkpoint, caller).map_err(|why| Violation {
                    oracle: Oracle::Entities,
                    detail: format!("{id} has run {request}, and its caller hears {why}"),
                })?;
                if !is_right(result.as_ref(), &answer) {
                    return wrong(Oracle::Entities, format!("{id} made {result:?} of {request} and says {answer:?}"));
                }
                self.answers.insert((caller.execution, caller.scheduled), answer);
            }
        }
        let order: Vec<_> = run.batch.operations.iter().map(|operation| operation.request.clone()).collect();
        self.judge_order(id, &order)
    }

    /// What each sender asked for before is run before.
    fn judge_order(&mut self, id: &InstanceId, order: &[String]) -> Result<(), Violation> {
        for ((_, entity), waiting) in &mut self.in_order {
            if entity != id {
                continue;
            }
            for request in order.iter().filter(|request| waiting.contains(request)).cloned().collect::<Vec<_>>() {
                if waiting.first() != Some(&request) {
                    return wrong(Oracle::Entities, format!("{id} has run {request} ahead of {:?}", waiting.first()));
                }
                waiting.remove(0);
            }
        }
        Ok(())
    }

    /// An orchestration recorded something about entities.
    pub(super) fn heard(
        &self,
        id: &InstanceId,
        execution: ExecutionId,
        event: &EventKind,
        history: &[Event],
    ) -> Result<(), Violation> {
        let (scheduled, outcome) = if let EventKind::EntityOperationCompleted { scheduled, result } = event {
            (*scheduled, Ok(result.clone()))
        } else if let EventKind::EntityOperationFailed { scheduled, failure } = event {
            (*scheduled, Err(failure.clone()))
        } else if let EventKind::EntityLockGranted { scheduled } = event {
            return self.judge_grant(id, Section { execution, scheduled: *scheduled }, history);
        } else {
            return Ok(());
        };
        match self.answers.get(&(execution, scheduled)) {
            Some(said) if *said == outcome => Ok(()),
            said => wrong(Oracle::Entities, format!("{id} has heard {outcome:?} for {scheduled}, said was {said:?}")),
        }
    }

    /// Whoever is told that it has the locks has them all.
    fn judge_grant(&self, owner: &InstanceId, section: Section, history: &[Event]) -> Result<(), Violation> {
        let entities = history.iter().find_map(|event| {
            let EventKind::EntityLockRequested { id, entities } = &event.kind else { return None };
            (*id == section.scheduled).then_some(entities)
        });
        for entity in entities.into_iter().flatten() {
            let lock = self.entities.get(&entity.instance_id()).and_then(|entity| entity.lock.as_ref());
            if lock.is_none_or(|lock| lock.section != section) {
                return wrong(Oracle::Locks, format!("{owner} was granted {entity}, which {lock:?} has"));
            }
        }
        Ok(())
    }
}

/// What an entity that trapped until its last attempt, or is in no app, says is the host's to choose.
fn is_right(result: Option<&Option<Outcome>>, answer: &Outcome) -> bool {
    match result {
        Some(Some(result)) => result == answer,
        Some(None) => false,
        None => {
            matches!(answer, Err(failure) if ["FunctionTrapped", Failure::ENTITY_NOT_FOUND].contains(&&*failure.error_type))
        }
    }
}

/// The one answer that a caller gets by a checkpoint.
fn answer_to(checkpoint: &Checkpoint, caller: &Caller) -> Result<Outcome, String> {
    let answers: Vec<_> = checkpoint
        .messages
        .iter()
        .filter(|message| message.to == caller.instance && message.execution == Some(caller.execution))
        .filter_map(|message| answer(&message.kind, caller.scheduled))
        .collect();
    match &answers[..] {
        [answer] => Ok(answer.clone()),
        _ => Err(format!("{answers:?}")),
    }
}

/// A lock comes with its request and goes with its release; in between only its owner's calls run.
fn judge_lock(
    id: &InstanceId,
    before: Option<&EntityLock>,
    after: Option<&EntityLock>,
    consumed: &[&Message],
    all: &[Message],
) -> Result<(), Violation> {
    let released: Vec<Section> = consumed.iter().filter_map(|message| release_of(&message.kind)).collect();
    let is_changed = before != after;
    if let Some(lock) = before.filter(|lock| is_changed && !released.contains(&lock.section)) {
        return wrong(Oracle::Locks, format!("{id} lost the lock {lock:?} without its release"));
    }
    if let Some(lock) = after.filter(|_| is_changed) {
        let requested = consumed.iter().any(|message| request_of(&message.kind) == Some(lock.section));
        if !requested {
            return wrong(Oracle::Locks, format!("{id} was locked for {lock:?}, who did not ask"));
        }
    }
    // With a release in the batch, operations of several owners can be in it.
    if !released.is_empty() {
        return Ok(());
    }
    let place = |section: Section| all.iter().position(|message| request_of(&message.kind) == Some(section));
    let locked_from =
        after.and_then(|lock| if is_changed { place(lock.section) } else { Some(0) }).unwrap_or(usize::MAX);
    for (place, message) in all.iter().enumerate().filter(|(_, message)| consumed.contains(message)) {
        let (Some(asked), Some(lock)) = (operation(&message.kind), after) else { continue };
        let by_owner = asked
            .caller
            .is_some_and(|caller| caller.instance == lock.owner && caller.execution == lock.section.execution);
        if place >= locked_from && !by_owner {
            return wrong(Oracle::Locks, format!("{id} is locked by {lock:?} and has run {}", asked.request));
        }
    }
    Ok(())
}

fn answer(kind: &MessageKind, to: EventId) -> Option<Outcome> {
    let (scheduled, outcome) = if let MessageKind::EntityOperationCompleted { scheduled, result } = kind {
        (*scheduled, Ok(result.clone()))
    } else if let MessageKind::EntityOperationFailed { scheduled, failure } = kind {
        (*scheduled, Err(failure.clone()))
    } else {
        return None;
    };
    (scheduled == to).then_some(outcome)
}

fn operation(kind: &MessageKind) -> Option<Asked<'_>> {
    if let MessageKind::EntityOperationCalled { caller, .. } = kind {
        let request = format!("{}:{}", caller.execution, caller.scheduled);
        return Some(Asked { request, caller: Some(caller) });
    }
    let MessageKind::EntityOperationSignaled { request, .. } = kind else { return None };
    Some(Asked { request: request.clone(), caller: None })
}

fn request_of(kind: &MessageKind) -> Option<Section> {
    let MessageKind::EntityLockRequested { owner, .. } = kind else { return None };
    Some(owner.section())
}

fn release_of(kind: &MessageKind) -> Option<Section> {
    let MessageKind::EntityUnlockSent { section, .. } = kind else { return None };
    Some(*section)
}

fn wrong(oracle: Oracle, detail: String) -> Result<(), Violation> {
    Err(Violation { oracle, detail })
}
