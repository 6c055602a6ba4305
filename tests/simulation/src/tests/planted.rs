//! Planted bugs: stores and hosts that are wrong in one way each. A simulator that does not see them proves nothing.
//!
//! They stand between the store and the oracles, as if the store were written like that; the product knows nothing of them.

use crate::faults::{Call, Fault, Faults, Kind, Plan, Side};
use crate::oracles::Oracle;
use crate::scenarios;
use crate::world::{Setup, run};
use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::{
    Checkpoint, Envelope, Event, ExecutionId, Failure, InstanceId, Json, Message, MessageKind, NewInstance,
    RaisedEvent, Timestamp,
};
use ports::{
    ActivityWork, Created, InstanceQuery, InstanceStore, InstanceView, Lease, Page, Pending, Purge, Sent, StoreError,
    TaskHubStore, TurnWork, WorkStore,
};
use std::collections::{BTreeMap, BTreeSet};
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
    inner: Arc<dyn TaskHubStore>,
    faults: Arc<Faults>,
    bug: Bug,
    /// The last answer of each instance, for a second time.
    answers: Mutex<BTreeMap<InstanceId, Message>>,
    records: Mutex<BTreeMap<InstanceId, Event>>,
}

impl Planted {
    /// Writes a checkpoint without a lease of its own: a store without a fence would simply do it.
    async fn force(&self, mut checkpoint: Checkpoint) -> Result<(), StoreError> {
        let id = checkpoint.row.id.clone();
        let knock = RaisedEvent { name: "knock".to_owned(), input: Json::null(), id: None };
        let lost = || StoreError::LeaseLost { what: id.to_string() };
        let envelope = Envelope::new(id.clone(), None, MessageKind::EventRaised(knock.clone()));
        if self.inner.send(envelope).await? != Sent::Yes {
            return Err(lost());
        }
        while let Some(work) = self.inner.take_turn().now_or_never() {
            let work = work?;
            if work.row.id != id {
                self.inner.abandon(&work.lease, Timestamp::default()).await?;
                continue;
            }
            let is_knock = |message: &&Message| message.kind == MessageKind::EventRaised(knock.clone());
            checkpoint.consumed.extend(work.messages.iter().filter(is_knock).map(|message| message.origin));
            self.inner.commit(&work.lease, checkpoint).await?;
            return self.inner.release(&work.lease).await;
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
impl WorkStore for Planted {
    async fn take_turn(&self) -> Result<TurnWork, StoreError> {
        let mut work = self.inner.take_turn().await?;
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

    async fn commit(&self, lease: &Lease, mut checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.spoil(&mut checkpoint);
        match self.bug {
            Bug::DeleteFirst => {
                let row = self.inner.read(&checkpoint.row.id, false).await?.map(|view| view.row);
                let Some(row) = row else {
                    return self.inner.commit(lease, checkpoint).await;
                };
                let consumed = std::mem::take(&mut checkpoint.consumed);
                let deletion = Checkpoint { execution: row.execution, ..Checkpoint::of_row(row, consumed) };
                self.inner.commit(lease, deletion).await?;
                self.faults.reach(Call::Commit, Side::Before, "between deleting and writing", "").await;
                self.inner.commit(lease, checkpoint).await
            }
            Bug::NoFence => match self.inner.commit(lease, checkpoint.clone()).await {
                Err(StoreError::LeaseLost { .. }) => self.force(checkpoint).await,
                answer => answer,
            },
            Bug::NoDedupe
            | Bug::CompletionTwice
            | Bug::LostTimer
            | Bug::TimerTwice
            | Bug::EarlyTimer
            | Bug::WrongResult
            | Bug::LostActivity
            | Bug::StaleRow => self.inner.commit(lease, checkpoint).await,
        }
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.inner.release(lease).await
    }

    async fn take_activity(&self) -> Result<ActivityWork, StoreError> {
        self.inner.take_activity().await
    }

    async fn complete_activity(&self, lease: &Lease, result: Result<Json, Failure>) -> Result<(), StoreError> {
        self.inner.complete_activity(lease, result).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease, StoreError> {
        self.inner.renew(lease).await
    }

    fn revoked(&self, lease: &Lease) -> BoxFuture<'static, ()> {
        self.inner.revoked(lease)
    }

    async fn abandon(&self, lease: &Lease, not_before: Timestamp) -> Result<(), StoreError> {
        self.inner.abandon(lease, not_before).await
    }
}

#[async_trait]
impl InstanceStore for Planted {
    async fn create(&self, instance: NewInstance) -> Result<Created, StoreError> {
        self.inner.create(instance).await
    }

    async fn send(&self, envelope: Envelope) -> Result<Sent, StoreError> {
        self.inner.send(envelope).await
    }

    async fn read(&self, id: &InstanceId, with_input: bool) -> Result<Option<InstanceView>, StoreError> {
        self.inner.read(id, with_input).await
    }

    async fn history(&self, id: &InstanceId, execution: ExecutionId) -> Result<Vec<Event>, StoreError> {
        self.inner.history(id, execution).await
    }

    async fn query(&self, query: &InstanceQuery) -> Result<Page, StoreError> {
        self.inner.query(query).await
    }

    async fn pending(&self, id: &InstanceId) -> Result<Option<Pending>, StoreError> {
        self.inner.pending(id).await
    }

    async fn pinned_apps(&self) -> Result<Vec<String>, StoreError> {
        self.inner.pinned_apps().await
    }

    async fn purge(&self, id: &InstanceId, purge: Purge) -> Result<bool, StoreError> {
        self.inner.purge(id, purge).await
    }

    fn changed(&self, id: &InstanceId) -> BoxFuture<'static, ()> {
        self.inner.changed(id)
    }
}

fn setup(scenario: &str, bug: Bug, faults: Vec<Fault>) -> Setup {
    let scenario = scenarios::find(scenario).expect("the scenario exists");
    let wrap = move |inner: Arc<dyn TaskHubStore>, faults: &Arc<Faults>| -> Arc<dyn TaskHubStore> {
        let (answers, records) = Default::default();
        Arc::new(Planted { inner, faults: faults.clone(), bug, answers, records })
    };
    Setup { plan: Plan::Listed(faults), wrap: Some(Arc::new(wrap)), ..Setup::new(1, (scenario.workload)("x")) }
}

/// Without faults the bug must show at once, and to this oracle.
fn check_without_faults(bug: Bug, scenario: &str, expected: Oracle) {
    let report = run(&setup(scenario, bug, Vec::new()));
    let caught = report.violation.as_ref().map(|violation| violation.oracle);
    assert_eq!(caught, Some(expected), "{bug:?}: {:?}\n{}", report.violation, report.trace);
}

/// Without faults the bug must not show; among all single faults of a kind some must show it, and only to these oracles.
fn check_under(bug: Bug, scenario: &str, kind: Kind, expected: &[Oracle]) {
    let report = run(&setup(scenario, bug, Vec::new()));
    assert_eq!(report.violation, None, "{bug:?} shows without faults\n{}", report.trace);
    let mut caught = BTreeSet::new();
    for point in report.points.iter().filter(|point| point.possible.contains(&kind)) {
        let report = run(&setup(scenario, bug, vec![Fault { point: point.number, kind }]));
        caught.extend(report.violation.map(|violation| violation.oracle));
    }
    assert_eq!(caught.into_iter().collect::<Vec<_>>(), expected, "{bug:?} under {kind}");
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
