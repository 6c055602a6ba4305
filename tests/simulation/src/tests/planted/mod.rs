//! Planted bugs: stores and hosts that are wrong in one way each. A simulator that does not see them proves nothing.
//!
//! They stand between the store and the oracles, as if the store were written like that; the product knows nothing of them.

mod check;
mod hooked;
mod model;
mod swaps;
mod users;

use crate::faults::{Call, Faults, Kind, Side};
use crate::oracles::Oracle;
use crate::scenarios;
use crate::world::Setup;
use async_trait::async_trait;
use futures::FutureExt;
use hooked::{Hooked, Hooks};
use orchestration::{Checkpoint, Envelope, Event, InstanceId, Json, Message, MessageKind, RaisedEvent, Timestamp};
use ports::{Lease, Sent, StoreError, TaskHubStore, TurnWork};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One way to be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bug {
    /// A commit first deletes what was consumed, and then writes the rest.
    DeleteFirst,
    /// A commit under a lost lease is taken all the same.
    NoFence,
    /// An answer that came twice is recorded twice.
    NoDedupe,
    /// An answer is recorded again a turn later.
    CompletionTwice,
    /// Timers are never set.
    LostTimer,
    /// A timer that fired fires again.
    TimerTwice,
    /// Timers fire an hour early.
    EarlyTimer,
    /// What an activity returned is not what arrives.
    WrongResult,
    /// Activities that were asked for are forgotten.
    LostActivity,
    /// The row is that of the turn before.
    StaleRow,
}

struct Planted {
    faults: Arc<Faults>,
    bug: Bug,
    /// The last answer of each instance, for a second time.
    answers: Mutex<BTreeMap<InstanceId, Message>>,
    records: Mutex<BTreeMap<InstanceId, Event>>,
}

impl Planted {
    /// Writes a checkpoint without a lease of its own: a store without a fence would simply do it.
    async fn force(&self, store: &dyn TaskHubStore, mut checkpoint: Checkpoint) -> Result<(), StoreError> {
        let id = checkpoint.row.id.clone();
        let knock = RaisedEvent { name: "knock".to_owned(), input: Json::null(), id: None };
        let lost = || StoreError::LeaseLost { what: id.to_string() };
        let envelope = Envelope::new(id.clone(), None, MessageKind::EventRaised(knock.clone()));
        if store.send(envelope).await? != Sent::Yes {
            return Err(lost());
        }
        while let Some(work) = store.take_turn().now_or_never() {
            let work = work?;
            if work.row.id != id {
                store.abandon(&work.lease, Timestamp::default()).await?;
                continue;
            }
            let is_knock = |message: &&Message| message.kind == MessageKind::EventRaised(knock.clone());
            checkpoint.consumed.extend(work.messages.iter().filter(is_knock).map(|message| message.origin));
            store.commit(&work.lease, checkpoint).await?;
            return store.release(&work.lease).await;
        }
        Err(lost())
    }

    fn spoil(&self, checkpoint: &mut Checkpoint) {
        let id = checkpoint.row.id.clone();
        match self.bug {
            Bug::LostTimer => checkpoint.timers.clear(),
            Bug::LostActivity => checkpoint.activities.clear(),
            Bug::EarlyTimer => {
                for timer in &mut checkpoint.timers {
                    let early = Duration::from_secs(3600);
                    timer.fire_at = Timestamp::from_ticks(timer.fire_at.ticks() - early.as_nanos() as i64 / 100);
                }
            }
            Bug::StaleRow => checkpoint.row.events = checkpoint.row.events.saturating_sub(1),
            Bug::NoDedupe => {
                if let Some(record) = &mut checkpoint.record
                    && let Some(place) = record.events.iter().position(|event| event.kind.answers().is_some())
                {
                    record.events.insert(place, record.events[place].clone());
                    checkpoint.row.events += 1;
                }
            }
            Bug::CompletionTwice => {
                if let Some(record) = &mut checkpoint.record {
                    let mut records = self.records.lock().expect("no test panics with it");
                    let answer = record.events.iter().find(|event| event.kind.answers().is_some()).cloned();
                    if let Some(earlier) = records.remove(&id) {
                        record.events.insert(1, earlier);
                        checkpoint.row.events += 1;
                    }
                    records.extend(answer.map(|answer| (id, answer)));
                }
            }
            Bug::DeleteFirst | Bug::NoFence | Bug::TimerTwice | Bug::WrongResult => {}
        }
    }
}

#[async_trait]
impl Hooks for Planted {
    async fn take_turn(&self, store: &dyn TaskHubStore) -> Result<TurnWork, StoreError> {
        let mut work = store.take_turn().await?;
        for message in &mut work.messages {
            if let (Bug::WrongResult, MessageKind::TaskCompleted { result, .. }) = (self.bug, &mut message.kind) {
                *result = Json::from("4711");
            }
        }
        if self.bug == Bug::TimerTwice {
            let mut answers = self.answers.lock().expect("no test panics with it");
            let fired = |message: &&Message| matches!(message.kind, MessageKind::TimerFired { .. });
            let now = work.messages.iter().find(fired).cloned();
            work.messages.extend(answers.remove(&work.row.id));
            answers.extend(now.map(|message| (work.row.id.clone(), message)));
        }
        Ok(work)
    }

    async fn commit(
        &self,
        store: &dyn TaskHubStore,
        lease: &Lease,
        mut checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.spoil(&mut checkpoint);
        match self.bug {
            Bug::DeleteFirst => {
                let row = store.read(&checkpoint.row.id, false).await?.map(|view| view.row);
                let Some(row) = row else {
                    return store.commit(lease, checkpoint).await;
                };
                let consumed = std::mem::take(&mut checkpoint.consumed);
                let deletion = Checkpoint { execution: row.execution, ..Checkpoint::of_row(row, consumed) };
                store.commit(lease, deletion).await?;
                self.faults.reach(Call::Commit, Side::Before, "between deleting and writing", "").await;
                store.commit(lease, checkpoint).await
            }
            Bug::NoFence => match store.commit(lease, checkpoint.clone()).await {
                Err(StoreError::LeaseLost { .. }) => self.force(store, checkpoint).await,
                answer => answer,
            },
            Bug::NoDedupe
            | Bug::CompletionTwice
            | Bug::LostTimer
            | Bug::TimerTwice
            | Bug::EarlyTimer
            | Bug::WrongResult
            | Bug::LostActivity
            | Bug::StaleRow => store.commit(lease, checkpoint).await,
        }
    }
}

fn setup(scenario: &str, bug: Bug) -> Setup {
    let scenario = scenarios::find(scenario).expect("the scenario exists");
    let wrap = move |inner: Arc<dyn TaskHubStore>, faults: &Arc<Faults>| -> Arc<dyn TaskHubStore> {
        let (answers, records) = Default::default();
        let hooks = Planted { faults: faults.clone(), bug, answers, records };
        Arc::new(Hooked { inner, hooks })
    };
    Setup { wrap: Some(Arc::new(wrap)), ..Setup::new(1, (scenario.workload)("x")) }
}

/// Without faults the bug must show at once, and to this oracle.
#[track_caller]
fn check_without_faults(bug: Bug, scenario: &str, expected: Oracle) {
    check::without_faults(&setup(scenario, bug), expected);
}

/// Only single faults of a kind show the bug, and only to these oracles.
#[track_caller]
fn check_under(bug: Bug, scenario: &str, kind: Kind, expected: &[Oracle]) {
    check::under(|| setup(scenario, bug), kind, expected);
}

#[test]
fn deleting_before_writing_is_caught_by_crashes() {
    check_under(Bug::DeleteFirst, "sequence", Kind::Crash, &[Oracle::Liveness]);
}

#[test]
fn a_missing_fence_is_caught_by_stalls_and_not_by_crashes() {
    check_under(Bug::NoFence, "mixed", Kind::Stall, &[Oracle::Fence]);
    check_under(Bug::NoFence, "mixed", Kind::Crash, &[]);
}

#[test]
fn answers_that_count_twice_are_caught() {
    check_without_faults(Bug::NoDedupe, "sequence", Oracle::History);
    check_without_faults(Bug::CompletionTwice, "sequence", Oracle::History);
    check_without_faults(Bug::WrongResult, "sequence", Oracle::Effects);
}

#[test]
fn wrong_timers_are_caught() {
    check_without_faults(Bug::LostTimer, "one-timer", Oracle::Liveness);
    check_without_faults(Bug::TimerTwice, "retry", Oracle::Consumed);
    check_without_faults(Bug::EarlyTimer, "one-timer", Oracle::Timers);
}

#[test]
fn lost_work_and_wrong_rows_are_caught() {
    check_without_faults(Bug::LostActivity, "one-activity", Oracle::Liveness);
    check_without_faults(Bug::StaleRow, "one-activity", Oracle::Row);
}
