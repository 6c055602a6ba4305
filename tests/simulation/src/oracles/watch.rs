//! What has been seen so far, and the rules about who may do what.

use super::entities::EntitiesSeen;
use super::errands::UsersSeen;
use super::letters::Letters;
use super::{Oracle, Ran, Violation};
use crate::author::Outcome;
use crate::author::apps::App;
use orchestration::{
    ActivityTask, Envelope, Event, EventId, ExecutionId, Identity, InstanceId, InstanceRow, NewInstance, Origin,
    RuntimeStatus, Timestamp, farewell,
};
use ports::{ActivityWork, Lease, TurnWork};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An activity by the request that it answers.
pub(crate) type ActivityKey = (InstanceId, ExecutionId, EventId);

/// A finished run of an activity.
pub(crate) struct Invocation {
    pub(crate) task: ActivityTask,
    pub(crate) outcome: Outcome,
}

/// What a lease is on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Work {
    Turn(InstanceId),
    Activity(ActivityKey),
}

/// The last take of some work.
struct Held {
    epoch: u64,
    expires_at: Timestamp,
    given_back: bool,
}

/// What an oracle remembers of a run.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) violation: Option<Violation>,
    held: BTreeMap<Work, Held>,
    activity_leases: BTreeMap<String, ActivityKey>,
    /// The turns that were handed out last, with their messages.
    pub(super) turns: BTreeMap<InstanceId, TurnWork>,
    /// Which generation of the host has them.
    takers: BTreeMap<InstanceId, u32>,
    /// The app to which an execution is pinned, once its code has run.
    pins: BTreeMap<(InstanceId, ExecutionId), Option<String>>,
    /// Work that was taken again because its lease had run out.
    taken_over: Option<String>,
    /// What was consumed, and after how many crashes.
    consumed: BTreeMap<(InstanceId, Origin), u32>,
    crashes: u32,
    pub(super) histories: BTreeMap<(InstanceId, ExecutionId), Vec<Event>>,
    pub(super) scheduled: BTreeSet<ActivityKey>,
    pub(super) ran: BTreeSet<ActivityKey>,
    pub(super) invocations: BTreeMap<ActivityKey, Vec<Outcome>>,
    pub(super) commits: u64,
    pub(super) entities: EntitiesSeen,
    pub(super) letters: Letters,
    pub(super) users: UsersSeen,
    /// Activities that nobody wants any more.
    pub(super) cancelled: BTreeSet<ActivityKey>,
    /// Answers that were given before a rewind and come once more.
    pub(super) again: BTreeSet<(ExecutionId, EventId)>,
    /// By idempotency key: what was started.
    keys: BTreeMap<String, BTreeSet<InstanceId>>,
    /// Instances that had ended when they were removed, and when that was.
    removed: BTreeMap<InstanceId, (InstanceRow, Timestamp)>,
}

/// Sees everything that takes effect, and says when a rule is broken. Clones see the same.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
}

impl Watch {
    /// The first rule that was broken.
    pub(crate) fn violation(&self) -> Option<Violation> {
        self.lock().violation.clone()
    }

    /// Says that a rule was broken. Only the first counts: later ones may follow from it.
    pub(crate) fn report(&self, oracle: Oracle, detail: impl Into<String>) {
        self.lock().report(oracle, detail);
    }

    /// The process died, and its leases with it.
    pub(crate) fn crashed(&self) {
        let mut seen = self.lock();
        seen.crashes += 1;
        seen.held.clear();
        seen.activity_leases.clear();
        seen.turns.clear();
        seen.users.crashed();
    }

    /// A guest is about to run.
    pub(crate) fn code_runs(&self, identity: &Identity, app: &str, present: App, generation: u32) {
        let mut seen = self.lock();
        // In the apps of the author the order of versions is that of their texts.
        if app == present.digest && identity.version.as_deref().is_some_and(|version| version > present.version) {
            let detail = format!("{} of version {:?} runs on {present:?}", identity.instance, identity.version);
            seen.report(Oracle::Pinning, detail);
        }
        // Nothing comes of a turn that was meanwhile taken by another generation.
        if seen.takers.get(&identity.instance) != Some(&generation) {
            return;
        }
        let Some(work) = seen.turns.get(&identity.instance) else { return };
        let row = &work.row;
        // The app that first runs an instance is the one that it is pinned to; a child belongs to its parent.
        let begins = row.status == RuntimeStatus::Pending && row.parent.is_none();
        let pinned_to = if begins { Some(present.digest) } else { row.pinned_to.as_deref() };
        if row.execution == identity.execution && pinned_to.is_some_and(|pinned| pinned != app) {
            let detail = format!("{} is pinned to {pinned_to:?} and runs the code of {app}", row.id);
            seen.report(Oracle::Pinning, detail);
        }
    }

    /// Nothing went wrong in this run: who is told to end finishes what it has begun, and nobody has to wait for its leases.
    pub(crate) fn went_well(&self) {
        let mut seen = self.lock();
        if let Some(work) = seen.taken_over.take().or(seen.users.taken_over.take()) {
            seen.report(Oracle::Handover, format!("somebody else had to do {work}"));
        }
    }

    /// An entity ran a batch.
    pub(crate) fn operated(&self, ran: Ran) {
        self.lock().entities.ran(ran);
    }

    /// Somebody started an instance under a key and was told its id.
    pub(crate) fn started_by_key(&self, key: &str, id: &InstanceId) {
        self.lock().started(key, id);
    }

    /// An instance that had ended when it was removed, and when that was.
    pub(super) fn removed(&self, id: &str) -> Option<(InstanceRow, Timestamp)> {
        self.lock().removed.get(&InstanceId::from_stored(id)).cloned()
    }

    /// An activity ran to its end.
    pub(crate) fn invoked(&self, invocation: Invocation) {
        let Invocation { task, outcome } = invocation;
        let key = (task.instance, task.execution, task.id);
        self.lock().invocations.entry(key).or_default().push(outcome);
    }

    /// An activity that was asked for and never ran.
    pub(super) fn never_ran(&self) -> Option<ActivityKey> {
        let seen = self.lock();
        seen.scheduled.iter().find(|key| !seen.ran.contains(*key)).cloned()
    }

    /// Something that was asked of an entity and never done.
    pub(super) fn never_done(&self) -> Option<String> {
        let seen = self.lock();
        let (request, entity) = seen.entities.never_done()?;
        Some(format!("{entity} has never run {request}"))
    }

    /// An activity begins.
    pub(crate) fn begins(&self, task: &ActivityTask) {
        let mut seen = self.lock();
        if let Some(pin) = seen.pins.get(&(task.instance.clone(), task.execution)).filter(|pin| **pin != task.pinned_to)
        {
            let detail = format!("{task:?} is of an instance that is pinned to {pin:?}");
            seen.report(Oracle::Pinning, detail);
        }
        seen.ran.insert((task.instance.clone(), task.execution, task.id));
    }

    pub(super) fn took_turn(&self, work: &TurnWork, generation: u32, now: Timestamp) {
        let mut seen = self.lock();
        let id = work.row.id.clone();
        seen.take(Work::Turn(id.clone()), &work.lease, now);
        if work.messages.is_empty() {
            seen.report(Oracle::Consumed, format!("a turn of {id} was handed out with nothing to do"));
        }
        for message in &work.messages {
            if seen.consumed.contains_key(&(id.clone(), message.origin)) {
                let detail = format!("{:?} of {id}, a {}, was handed out again", message.origin, message.kind.name());
                seen.report(Oracle::Consumed, detail);
            }
            if let Err((oracle, detail)) = seen.letters.arrive(&id, message, now) {
                seen.report(oracle, detail);
            }
        }
        seen.takers.insert(id.clone(), generation);
        seen.turns.insert(id, work.clone());
    }

    pub(super) fn took_activity(&self, work: &ActivityWork, now: Timestamp) {
        let task = &work.task;
        let key = (task.instance.clone(), task.execution, task.id);
        let mut seen = self.lock();
        if seen.consumed.contains_key(&(task.instance.clone(), Origin::Activity(task.execution, task.id))) {
            seen.report(Oracle::Consumed, format!("the activity {key:?} was handed out after its result was consumed"));
        }
        if seen.cancelled.contains(&key) {
            seen.report(Oracle::Consumed, format!("the activity {key:?} was handed out after it was taken back"));
        }
        seen.activity_leases.insert(work.lease.what.clone(), key.clone());
        seen.take(Work::Activity(key), &work.lease, now);
    }

    /// The store took the result of an activity.
    pub(super) fn completed(&self, lease: &Lease) {
        let mut seen = self.lock();
        if let Some(key) = seen.activity_leases.get(&lease.what).cloned() {
            seen.act_under(&Work::Activity(key), lease, "completed an activity");
        }
    }

    pub(super) fn renewed(&self, lease: &Lease, renewed: &Lease) {
        let mut seen = self.lock();
        let work = seen.work_of(lease);
        if let Some(held) = work.and_then(|work| seen.held.get_mut(&work)) {
            held.epoch = held.epoch.max(renewed.epoch);
            held.expires_at = renewed.expires_at;
        }
    }

    pub(super) fn abandoned(&self, lease: &Lease) {
        let mut seen = self.lock();
        if let Some(work) = seen.work_of(lease) {
            seen.act_under(&work, lease, "gave work back");
        }
    }

    /// An instance was created, perhaps in the place of another one.
    pub(super) fn created(&self, instance: &NewInstance, before: Option<&InstanceRow>, now: Timestamp) {
        let mut seen = self.lock();
        seen.goes(&instance.id, before, now);
        seen.letters.start(instance, now);
        if let Some(key) = &instance.idempotency_key {
            let execution = instance.started.execution;
            seen.started(key, &InstanceId::from_stored(&format!("{} {execution}", instance.id)));
        }
    }

    pub(super) fn purged(&self, id: &InstanceId, before: Option<&InstanceRow>, now: Timestamp) {
        let mut seen = self.lock();
        seen.goes(id, before, now);
        if let Some(row) = before.filter(|row| row.status.is_terminal()) {
            seen.removed.insert(id.clone(), (row.clone(), now));
        }
    }

    /// A client's message is in an inbox.
    pub(super) fn sent(&self, envelope: &Envelope, now: Timestamp) {
        let mut seen = self.lock();
        seen.entities.asked(None, envelope);
        seen.send(envelope, now);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    pub(super) fn report(&mut self, oracle: Oracle, detail: impl Into<String>) {
        self.violation.get_or_insert_with(|| Violation { oracle, detail: detail.into() });
    }

    /// Nothing that is known of the last instance of this id holds for the next one.
    pub(super) fn forget(&mut self, id: &InstanceId) {
        self.held.remove(&Work::Turn(id.clone()));
        self.turns.remove(id);
        self.consumed.retain(|(other, _), _| other != id);
        self.scheduled.retain(|(other, _, _)| other != id);
        self.histories.retain(|(other, _), _| other != id);
        self.pins.retain(|(other, _), _| other != id);
        self.letters.forget(id);
    }

    /// An instance makes room, and says farewell if it was at work.
    fn goes(&mut self, id: &InstanceId, row: Option<&InstanceRow>, now: Timestamp) {
        self.forget(id);
        self.entities.forget(id);
        for envelope in row.map(farewell).unwrap_or_default() {
            self.send(&envelope, now);
        }
    }

    /// A key that leads to two instances, or is asked for and answered otherwise than it was started.
    fn started(&mut self, key: &str, id: &InstanceId) {
        let ids = self.keys.entry(key.to_owned()).or_default();
        ids.insert(id.clone());
        // One as created, with its execution, and one as clients are told.
        let created = ids.iter().filter(|id| id.as_str().contains(' ')).count();
        if created > 1 || ids.len() - created > 1 {
            let detail = format!("the key {key} has started {ids:?}");
            self.report(Oracle::Starts, detail);
        }
    }

    /// A message is in an inbox.
    pub(super) fn send(&mut self, envelope: &Envelope, now: Timestamp) {
        self.expect_message(&envelope.to);
        self.letters.send(envelope, now);
    }

    pub(super) fn consume(&mut self, id: &InstanceId, origins: &[Origin]) {
        let crashes = self.crashes;
        self.letters.consume(id, origins);
        self.consumed.extend(origins.iter().map(|origin| ((id.clone(), *origin), crashes)));
    }

    /// A message is on its way into an inbox. After a crash it may get a place there that was used before.
    fn expect_message(&mut self, to: &InstanceId) {
        let now = self.crashes;
        self.consumed
            .retain(|(id, origin), crashes| id != to || *crashes == now || !matches!(origin, Origin::Inbox(_)));
    }

    /// An execution whose code has run stays with its app.
    pub(super) fn pin(&mut self, row: &InstanceRow) {
        if row.status == RuntimeStatus::Pending || row.turns == 0 {
            return;
        }
        let key = (row.id.clone(), row.execution);
        let pin = self.pins.entry(key).or_insert_with(|| row.pinned_to.clone());
        if *pin != row.pinned_to {
            let detail = format!("{} was pinned to {pin:?} and is to {:?}", row.id, row.pinned_to);
            self.report(Oracle::Pinning, detail);
        }
    }

    fn take(&mut self, work: Work, lease: &Lease, now: Timestamp) {
        if let Some(last) = self.held.get(&work) {
            if lease.epoch <= last.epoch {
                let detail = format!("{work:?} was taken with epoch {} after epoch {}", lease.epoch, last.epoch);
                self.report(Oracle::Fence, detail);
            } else if !last.given_back && now < last.expires_at {
                let detail =
                    format!("{work:?} was taken while epoch {} holds it until {:?}", last.epoch, last.expires_at);
                self.report(Oracle::Fence, detail);
            } else if !last.given_back {
                self.taken_over = Some(format!("{work:?}, which epoch {} never gave back", last.epoch));
            }
        }
        let held = Held { epoch: lease.epoch, expires_at: lease.expires_at, given_back: false };
        self.held.insert(work, held);
    }

    /// Something was done under a lease, and gave it back.
    pub(super) fn act_under(&mut self, work: &Work, lease: &Lease, what: &str) {
        let Some(held) = self.held.get_mut(work) else {
            return;
        };
        let (last, given_back) = (held.epoch, std::mem::replace(&mut held.given_back, true));
        if lease.epoch < last {
            self.report(
                Oracle::Fence,
                format!("{what} under epoch {} of {work:?}, which epoch {last} took over", lease.epoch),
            );
        } else if given_back {
            self.report(Oracle::Fence, format!("{what} under epoch {} of {work:?}, which was given back", lease.epoch));
        }
    }

    fn work_of(&self, lease: &Lease) -> Option<Work> {
        if let Some(key) = self.activity_leases.get(&lease.what) {
            return Some(Work::Activity(key.clone()));
        }
        let (id, _) = self.turns.iter().find(|(_, work)| work.lease.what == lease.what)?;
        Some(Work::Turn(id.clone()))
    }
}
