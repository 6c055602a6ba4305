//! Planted bugs around entities, locks, holding, rewinds, keys, delays and versions.

use super::check;
use super::hooked::{Hooked, Hooks};
use crate::faults::{Call, Faults, Kind, Side};
use crate::oracles::Oracle;
use crate::scenarios;
use crate::world::{Setup, Wrap};
use async_trait::async_trait;
use orchestration::{
    Checkpoint, EntityId, Envelope, Event, EventKind, ExecutionId, InstanceId, Json, Message, MessageKind, NewInstance,
    Origin, RuntimeStatus, Timestamp, farewell,
};
use ports::{
    Created, GuestFault, InstanceQuery, Lease, Orchestrator, Orchestrators, Page, Purge, StoreError, TaskHubStore,
    TurnWork,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// One way to be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bug {
    /// A termination forgets to release the locks.
    ReleaseLost,
    /// A release goes to all entities at once, and so overtakes the request.
    ReleaseToAll,
    /// What waits for a lock to be released is handed out as if there were none.
    LockIgnored,
    /// The state of an entity is written before what was consumed is deleted.
    StateFirst,
    /// Operations are run last first.
    OrderReversed,
    /// It is forgotten that an instance is held.
    HoldForgotten,
    /// A rewind does not run open activities again.
    RewindForgetsActivity,
    /// Timers that a rewind sets anew fire for the old execution.
    RewindKeepsTimers,
    /// Continue-as-new drops the events that nobody took.
    CarriedOverLost,
    /// Continue-as-new forgets which events were accepted.
    AcceptedForgotten,
    /// Each start is one of its own.
    KeyIgnored,
    /// What is started again under the id that it had gets no input.
    RestartWithoutInput,
    /// What is meant for later is handed out at once.
    DelayIgnored,
    /// What waits in an inbox is lost when the store is opened again.
    WaitingLost,
    /// Who is purged says no farewell.
    FarewellLost,
    /// What was given up goes on.
    AbortIgnored,
    /// What ended lately counts as if it had ended long ago.
    LongAgo,
    /// The answer to a call of an entity is one of its own.
    AnswerOfNobody,
}

/// What a bug remembers, beyond the end of a process.
#[derive(Default)]
struct Memory {
    processes: u32,
    /// What was handed out and in which process, to whom.
    handed_out: BTreeMap<(InstanceId, Origin), u32>,
    farewells: Vec<(InstanceId, MessageKind)>,
    /// The executions before a rewind.
    rewound: BTreeMap<InstanceId, ExecutionId>,
    /// Messages that never reached their turn: the next commit deletes them.
    lost: BTreeMap<InstanceId, Vec<Origin>>,
    /// Instances whose turn is being run.
    at_work: BTreeSet<InstanceId>,
    keys: u128,
}

struct Wrong {
    faults: Arc<Faults>,
    bug: Bug,
    memory: Arc<Mutex<Memory>>,
    process: u32,
}

impl Wrong {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no test panics with it")
    }

    fn new_id(&self) -> InstanceId {
        let mut memory = self.memory();
        memory.keys += 1;
        InstanceId::from_random(memory.keys)
    }

    fn spoil_checkpoint(&self, checkpoint: &mut Checkpoint) {
        let id = checkpoint.row.id.clone();
        match self.bug {
            Bug::ReleaseLost => {
                let is_release = |envelope: &Envelope| matches!(envelope.kind, MessageKind::EntityUnlockSent { .. });
                let terminated = checkpoint.row.status == RuntimeStatus::Terminated;
                checkpoint.messages.retain(|envelope| !(terminated && is_release(envelope)));
            }
            Bug::ReleaseToAll => {
                checkpoint.messages = std::mem::take(&mut checkpoint.messages).into_iter().flat_map(to_all).collect();
            }
            Bug::RewindForgetsActivity if checkpoint.rewritten.is_some() => checkpoint.activities.clear(),
            Bug::RewindKeepsTimers if checkpoint.rewritten.is_some() => {
                self.memory().rewound.insert(id, checkpoint.execution);
            }
            Bug::CarriedOverLost | Bug::AcceptedForgotten => {
                for envelope in &mut checkpoint.messages {
                    if let MessageKind::ExecutionStarted { started, carried_over } = &mut envelope.kind {
                        if self.bug == Bug::CarriedOverLost {
                            carried_over.clear();
                        } else {
                            started.accepted_events.clear();
                        }
                    }
                }
            }
            Bug::DelayIgnored => {
                checkpoint.messages.iter_mut().for_each(|envelope| envelope.deliver_at = None);
            }
            Bug::AnswerOfNobody => {
                for envelope in &mut checkpoint.messages {
                    if let MessageKind::EntityOperationCompleted { result, .. } = &mut envelope.kind {
                        *result = Json::from("4711");
                    }
                }
            }
            Bug::AbortIgnored => checkpoint.cancelled_activities.clear(),
            Bug::RewindForgetsActivity
            | Bug::RewindKeepsTimers
            | Bug::LockIgnored
            | Bug::StateFirst
            | Bug::OrderReversed
            | Bug::HoldForgotten
            | Bug::KeyIgnored
            | Bug::RestartWithoutInput
            | Bug::WaitingLost
            | Bug::LongAgo
            | Bug::FarewellLost => {}
        }
    }

    fn spoil_work(&self, work: &mut TurnWork) {
        match self.bug {
            Bug::LockIgnored => {
                if let Some(record) = &mut work.row.entity {
                    record.lock = None;
                }
            }
            Bug::OrderReversed if work.row.entity.is_some() => work.messages.reverse(),
            Bug::RewindKeepsTimers => {
                let old = self.memory().rewound.get(&work.row.id).copied();
                for message in work.messages.iter_mut().filter(|_| old.is_some()) {
                    if let MessageKind::TimerFired { .. } = message.kind {
                        message.execution = old;
                    }
                }
            }
            Bug::OrderReversed
            | Bug::ReleaseLost
            | Bug::ReleaseToAll
            | Bug::StateFirst
            | Bug::HoldForgotten
            | Bug::RewindForgetsActivity
            | Bug::CarriedOverLost
            | Bug::AcceptedForgotten
            | Bug::KeyIgnored
            | Bug::RestartWithoutInput
            | Bug::DelayIgnored
            | Bug::WaitingLost
            | Bug::FarewellLost
            | Bug::LongAgo
            | Bug::AnswerOfNobody
            | Bug::AbortIgnored => {}
        }
    }

    /// Whether a message never arrives.
    fn loses(&self, to: &InstanceId, message: &Message) -> bool {
        let mut memory = self.memory();
        if self.bug == Bug::WaitingLost && to.is_entity() {
            let first = *memory.handed_out.entry((to.clone(), message.origin)).or_insert(self.process);
            return first < self.process;
        }
        let found = memory.farewells.iter().position(|(id, kind)| id == to && *kind == message.kind);
        found.map(|place| memory.farewells.remove(place)).is_some()
    }
}

/// One release for each entity, none of which is handed on.
fn to_all(envelope: Envelope) -> Vec<Envelope> {
    let MessageKind::EntityUnlockSent { section, entities, position: 0 } = &envelope.kind else {
        return vec![envelope];
    };
    let to_one = |entity: &EntityId| {
        let kind = MessageKind::EntityUnlockSent { section: *section, entities: vec![entity.clone()], position: 0 };
        Envelope::new(entity.instance_id(), None, kind)
    };
    entities.iter().map(to_one).collect()
}

#[async_trait]
impl Hooks for Wrong {
    async fn take_turn(&self, store: &dyn TaskHubStore) -> Result<TurnWork, StoreError> {
        loop {
            let mut work = store.take_turn().await?;
            let id = work.row.id.clone();
            let (lost, kept): (Vec<_>, Vec<_>) =
                std::mem::take(&mut work.messages).into_iter().partition(|message| self.loses(&id, message));
            let lost: Vec<_> = lost.iter().map(|message| message.origin).collect();
            if kept.is_empty() {
                let nothing = work.row.entity.as_ref().is_some_and(|it| it.state.is_none() && it.lock.is_none());
                let checkpoint = Checkpoint { remove: nothing, ..Checkpoint::of_row(work.row, lost) };
                store.commit(&work.lease, checkpoint).await?;
                store.release(&work.lease).await?;
                continue;
            }
            work.messages = kept;
            self.spoil_work(&mut work);
            let mut memory = self.memory();
            memory.lost.entry(id.clone()).or_default().extend(lost);
            memory.at_work.insert(id);
            return Ok(work);
        }
    }

    async fn commit(
        &self,
        store: &dyn TaskHubStore,
        lease: &Lease,
        mut checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let id = checkpoint.row.id.clone();
        self.spoil_checkpoint(&mut checkpoint);
        {
            let mut memory = self.memory();
            memory.at_work.remove(&id);
            checkpoint.consumed.extend(memory.lost.remove(&id).unwrap_or_default());
        }
        if self.bug == Bug::StateFirst && id.is_entity() {
            let consumed = std::mem::take(&mut checkpoint.consumed);
            let row = checkpoint.row.clone();
            store.commit(lease, checkpoint).await?;
            self.faults.reach(Call::Commit, Side::Before, "between writing and deleting", "").await;
            return store.commit(lease, Checkpoint::of_row(row, consumed)).await;
        }
        store.commit(lease, checkpoint).await
    }

    async fn create(&self, store: &dyn TaskHubStore, mut instance: NewInstance) -> Result<Created, StoreError> {
        if self.bug == Bug::RestartWithoutInput && store.read(&instance.id, false).await?.is_some() {
            instance.started.input = Json::null();
        }
        if self.bug == Bug::KeyIgnored && instance.idempotency_key.is_some() {
            let id = self.new_id();
            return store.create(NewInstance { id, idempotency_key: None, ..instance }).await;
        }
        store.create(instance).await
    }

    async fn history(
        &self,
        store: &dyn TaskHubStore,
        id: &InstanceId,
        execution: ExecutionId,
    ) -> Result<Vec<Event>, StoreError> {
        let mut history = store.history(id, execution).await?;
        if self.bug == Bug::HoldForgotten && self.memory().at_work.contains(id) {
            for event in &mut history {
                if let EventKind::ExecutionSuspended { reason } = &event.kind {
                    event.kind = EventKind::ExecutionResumed { reason: reason.clone() };
                }
            }
        }
        Ok(history)
    }

    async fn query(&self, store: &dyn TaskHubStore, mut query: InstanceQuery) -> Result<Page, StoreError> {
        if self.bug == Bug::LongAgo {
            let later = |moment: Timestamp| moment.saturating_add(Duration::from_secs(20 * 86_400));
            query.completed_to = query.completed_to.map(later);
        }
        store.query(&query).await
    }

    async fn purge(&self, store: &dyn TaskHubStore, id: &InstanceId, purge: Purge) -> Result<bool, StoreError> {
        let row = store.read(id, false).await?.map(|view| view.row);
        if self.bug == Bug::FarewellLost {
            let said = row.as_ref().map(farewell).unwrap_or_default();
            self.memory().farewells.extend(said.into_iter().map(|envelope| (envelope.to, envelope.kind)));
        }
        store.purge(id, purge).await
    }
}

/// Orchestrators of the present app, whatever an instance is pinned to.
pub(super) struct Unpinned(pub(super) Arc<dyn Orchestrators>);

#[async_trait]
impl Orchestrators for Unpinned {
    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    async fn begin(&self, name: &str, _: Option<&str>) -> Result<Box<dyn Orchestrator>, GuestFault> {
        self.0.begin(name, None).await
    }
}

/// The store is wrong.
fn in_store(scenario: &str, bug: Bug) -> Setup {
    Setup { wrap: Some(wrap(bug)), ..setup(scenario) }
}

/// The engine is wrong.
fn in_engine(scenario: &str, bug: Bug) -> Setup {
    Setup { wrap_engine: Some(wrap(bug)), ..setup(scenario) }
}

fn setup(scenario: &str) -> Setup {
    let scenario = scenarios::find(scenario).expect("the scenario exists");
    Setup::new(1, (scenario.workload)("x"))
}

fn wrap(bug: Bug) -> Wrap {
    let memory: Arc<Mutex<Memory>> = Arc::default();
    Arc::new(move |inner: Arc<dyn TaskHubStore>, faults: &Arc<Faults>| -> Arc<dyn TaskHubStore> {
        let process = {
            let mut memory = memory.lock().expect("no test panics with it");
            memory.processes += 1;
            memory.at_work.clear();
            memory.lost.clear();
            memory.processes
        };
        let hooks = Wrong { faults: faults.clone(), bug, memory: memory.clone(), process };
        Arc::new(Hooked { inner, hooks })
    })
}

/// Without an orchestrator that is kept alive, which would know better.
fn replayed(mut setup: Setup) -> Setup {
    setup.tuning.live_instances = 0;
    setup
}

#[test]
fn locks_that_outlive_their_owners_are_caught() {
    check::without_faults(&in_engine("owner-terminated", Bug::ReleaseLost), Oracle::Liveness);
    check::without_faults(&in_store("owner-purged", Bug::FarewellLost), Oracle::Liveness);
    let setup = || in_engine("asking-owner-terminated", Bug::ReleaseToAll);
    check::under(setup, Kind::Stall, &[Oracle::Locks, Oracle::Liveness]);
}

#[test]
fn operations_that_run_within_the_section_of_another_are_caught() {
    check::without_faults(&in_engine("signals-wait-for-lock", Bug::LockIgnored), Oracle::Locks);
}

#[test]
fn operations_that_run_twice_or_in_another_order_are_caught() {
    check::without_faults(&in_engine("entity-called", Bug::StateFirst), Oracle::Entities);
    check::under(|| in_store("entity-signaled", Bug::StateFirst), Kind::Crash, &[Oracle::Entities]);
    check::without_faults(&in_engine("entity-signaled", Bug::OrderReversed), Oracle::Entities);
}

#[test]
fn waiting_operations_that_are_lost_are_caught() {
    let setup = || in_store("signals-wait-for-lock", Bug::WaitingLost);
    check::under(setup, Kind::Crash, &[Oracle::Model, Oracle::Liveness]);
}

#[test]
fn code_that_runs_while_it_is_held_is_caught() {
    check::without_faults(&replayed(in_store("suspend-amid-activities", Bug::HoldForgotten)), Oracle::Suspension);
}

#[test]
fn rewinds_that_forget_something_are_caught() {
    check::without_faults(&in_engine("rewind-activity", Bug::RewindForgetsActivity), Oracle::Rewind);
    check::without_faults(&in_store("rewind-activity", Bug::RewindForgetsActivity), Oracle::Liveness);
    check::without_faults(&in_engine("rewind-among-others", Bug::RewindKeepsTimers), Oracle::Liveness);
}

#[test]
fn events_that_are_lost_or_count_twice_are_caught() {
    check::without_faults(&in_engine("continue-as-new-with-events", Bug::CarriedOverLost), Oracle::Liveness);
    check::without_faults(&in_engine("events-with-ids-and-continue-as-new", Bug::AcceptedForgotten), Oracle::Model);
}

#[test]
fn keys_delays_and_pins_that_are_ignored_are_caught() {
    check::without_faults(&in_store("starts-with-a-key", Bug::KeyIgnored), Oracle::Starts);
    check::without_faults(&in_store("entity-signaled", Bug::DelayIgnored), Oracle::Messages);
    let wrap_code = |inner: Arc<dyn Orchestrators>| -> Arc<dyn Orchestrators> { Arc::new(Unpinned(inner)) };
    let setup = Setup { wrap_code: Some(Arc::new(wrap_code)), ..setup("pinned") };
    check::without_faults(&setup, Oracle::Pinning);
}

#[test]
fn restarts_that_lose_their_input_are_caught() {
    check::without_faults(&in_engine("restart", Bug::RestartWithoutInput), Oracle::Model);
}

#[test]
fn activities_that_go_on_after_they_were_given_up_are_caught() {
    check::under(|| in_store("abort-activity", Bug::AbortIgnored), Kind::Crash, &[Oracle::Consumed]);
}

#[test]
fn answers_of_entities_that_are_none_are_caught() {
    check::without_faults(&in_engine("entity-called", Bug::AnswerOfNobody), Oracle::Entities);
}

#[test]
fn instances_that_are_removed_too_early_are_caught() {
    check::without_faults(&in_store("retention", Bug::LongAgo), Oracle::Retention);
}
