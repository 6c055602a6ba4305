//! Planted bugs around queues, effects and the state of timers.

use super::check;
use crate::faults::{Call, Faults, Kind, Side};
use crate::oracles::Oracle;
use crate::scenarios;
use crate::users::UserStores;
use crate::world::Setup;
use async_trait::async_trait;
use ports::{
    Document, DocumentError, DocumentStore, DocumentWrite, EffectError, EffectStore, Effects, Expecting, Metadata,
    NewMessage, QueueCreated, QueueError, QueueMessage, QueuePage, QueueStore, QueueView, Receipt, Receiver,
    StoreError,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use storage_model::QueueName;

/// One way to be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bug {
    /// Outputs are committed, and then the message is deleted.
    OutputsFirst,
    /// The message is deleted, and then the outputs are committed.
    DeletionFirst,
    /// What was committed is committed again when somebody asks again.
    AppliedAgain,
    /// A message that is given up stays in its queue.
    PoisonStays,
    /// The poison queue gets nothing.
    PoisonLost,
    /// Receipts are counted by the process.
    CountForgotten,
    /// Receipts are not counted before the message is handed out again.
    CountSkipped,
    /// Effects are committed under any receipt.
    NoReceiptCheck,
    /// What a process holds is hidden when it has died.
    HeldForEver,
    /// A message is handed out to everybody who asks.
    HeldByTwo,
    /// More messages are handed out than were asked for.
    TooMany,
    /// The delay of a message that is given back does not count.
    DelayIgnored,
    /// One of several outputs is lost.
    OutputLost,
    /// Orchestrations are not started.
    StartLost,
    /// The state of a timer is written before its outputs.
    StateFirst,
    /// The outputs of a timer are written before its state.
    StateLast,
    /// The state of a timer is written whatever is there.
    StateUnversioned,
    /// The state of a timer is that of the process.
    StateForgotten,
}

struct Planted {
    inner: UserStores,
    faults: Arc<Faults>,
    bug: Bug,
    memory: Mutex<Memory>,
}

/// What a wrong process keeps.
#[derive(Default)]
struct Memory {
    counts: BTreeMap<String, u32>,
    committed: BTreeSet<String>,
    last: Option<QueueMessage>,
    documents: BTreeMap<String, Document>,
}

impl Planted {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no test panics with it")
    }

    /// Two commits instead of one, and time for a crash in between.
    async fn two(&self, first: Effects, second: Effects) -> Result<(), EffectError> {
        self.inner.effects.commit_effects(first).await?;
        self.faults.reach(Call::CommitEffects, Side::Before, "between two commits", "").await;
        self.inner.effects.commit_effects(second).await
    }

    async fn force(&self, effects: Effects) -> Result<(), EffectError> {
        match self.inner.effects.commit_effects(effects.clone()).await {
            Err(EffectError::MessageLost { .. }) => {
                self.inner.effects.commit_effects(Effects { consumed: Vec::new(), ..effects }).await
            }
            answer => answer,
        }
    }
}

#[async_trait]
impl EffectStore for Planted {
    async fn commit_effects(&self, mut effects: Effects) -> Result<(), EffectError> {
        let consumed = Effects { consumed: effects.consumed.clone(), ..Effects::default() };
        let outputs = Effects { consumed: Vec::new(), ..effects.clone() };
        let state = Effects { documents: effects.documents.clone(), ..Effects::default() };
        let stateless = Effects { documents: Vec::new(), ..effects.clone() };
        let is_poison = effects.messages.iter().any(|(queue, _)| queue.as_str().ends_with("-poison"));
        let key = format!("{:?}", effects.consumed);
        match self.bug {
            Bug::OutputsFirst => return self.two(outputs, consumed).await,
            Bug::DeletionFirst => return self.two(consumed, outputs).await,
            Bug::StateFirst => return self.two(state, stateless).await,
            Bug::StateLast => return self.two(stateless, state).await,
            Bug::AppliedAgain if !self.memory().committed.insert(key) => effects = outputs,
            Bug::PoisonStays if is_poison => effects.consumed.clear(),
            Bug::PoisonLost if is_poison => effects.messages.clear(),
            Bug::NoReceiptCheck => return self.force(effects).await,
            Bug::OutputLost => drop(effects.entities.pop()),
            Bug::StartLost => effects.starts.clear(),
            Bug::StateUnversioned => {
                effects.documents.iter_mut().for_each(|write| write.expecting = Expecting::Anything);
            }
            Bug::StateForgotten if !effects.documents.is_empty() => {
                self.write_documents(std::mem::take(&mut effects.documents)).await.map_err(|error| match error {
                    DocumentError::Changed { name } => EffectError::DocumentChanged { name },
                    DocumentError::Store(error) => EffectError::Store(error),
                })?;
            }
            Bug::AppliedAgain
            | Bug::PoisonStays
            | Bug::PoisonLost
            | Bug::CountForgotten
            | Bug::CountSkipped
            | Bug::HeldForEver
            | Bug::HeldByTwo
            | Bug::TooMany
            | Bug::DelayIgnored
            | Bug::StateForgotten => {}
        }
        self.inner.effects.commit_effects(effects).await
    }
}

#[async_trait]
impl DocumentStore for Planted {
    async fn document(&self, name: &str) -> Result<Option<Document>, StoreError> {
        match self.bug == Bug::StateForgotten {
            true => Ok(self.memory().documents.get(name).cloned()),
            false => self.inner.documents.document(name).await,
        }
    }

    async fn documents(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<Vec<Document>, StoreError> {
        self.inner.documents.documents(prefix, from, limit).await
    }

    async fn write_documents(&self, writes: Vec<DocumentWrite>) -> Result<Vec<Option<u64>>, DocumentError> {
        if self.bug != Bug::StateForgotten {
            return self.inner.documents.write_documents(writes).await;
        }
        let mut memory = self.memory();
        let mut versions = Vec::new();
        for DocumentWrite { name, content, .. } in writes {
            let version = memory.documents.get(&name).map_or(1, |document| document.version + 1);
            let content = content.unwrap_or_default();
            memory.documents.insert(name.clone(), Document { name, version, content });
            versions.push(Some(version));
        }
        Ok(versions)
    }
}

#[async_trait]
impl QueueStore for Planted {
    async fn create_queue(&self, name: &QueueName, metadata: Metadata) -> Result<QueueCreated, QueueError> {
        self.inner.queues.create_queue(name, metadata).await
    }

    async fn delete_queue(&self, name: &QueueName) -> Result<(), QueueError> {
        self.inner.queues.delete_queue(name).await
    }

    async fn queue(&self, name: &QueueName) -> Result<QueueView, QueueError> {
        self.inner.queues.queue(name).await
    }

    async fn set_queue(
        &self,
        name: &QueueName,
        metadata: Option<Metadata>,
        access_policies: Option<String>,
    ) -> Result<(), QueueError> {
        self.inner.queues.set_queue(name, metadata, access_policies).await
    }

    async fn list_queues(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<QueuePage, QueueError> {
        self.inner.queues.list_queues(prefix, from, limit).await
    }

    async fn put_message(&self, queue: &QueueName, message: NewMessage) -> Result<QueueMessage, QueueError> {
        self.inner.queues.put_message(queue, message).await
    }

    async fn receive(
        &self,
        queue: &QueueName,
        count: usize,
        visibility: Duration,
        receiver: Receiver,
    ) -> Result<Vec<QueueMessage>, QueueError> {
        let receiver = if self.bug == Bug::HeldForEver { Receiver::Client } else { receiver };
        let count = if self.bug == Bug::TooMany { count + 1 } else { count };
        let mut messages = self.inner.queues.receive(queue, count, visibility, receiver).await?;
        let mut memory = self.memory();
        for message in &mut messages {
            let count = memory.counts.entry(message.id.clone()).or_default();
            *count += 1;
            if self.bug == Bug::CountForgotten {
                message.dequeue_count = *count;
            } else if self.bug == Bug::CountSkipped {
                message.dequeue_count = message.dequeue_count.saturating_sub(1).max(1);
            }
        }
        if self.bug == Bug::HeldByTwo && messages.is_empty() {
            messages.extend(memory.last.take());
        }
        memory.last = messages.last().cloned();
        Ok(messages)
    }

    async fn peek(&self, queue: &QueueName, count: usize) -> Result<Vec<QueueMessage>, QueueError> {
        self.inner.queues.peek(queue, count).await
    }

    async fn update_message(
        &self,
        receipt: &Receipt,
        visibility: Duration,
        text: Option<String>,
    ) -> Result<QueueMessage, QueueError> {
        self.inner.queues.update_message(receipt, visibility, text).await
    }

    async fn give_back(&self, receipt: &Receipt, delay: Duration) -> Result<QueueMessage, QueueError> {
        // The receipt says when it would be due.
        if self.bug == Bug::DelayIgnored {
            let shown = self.inner.queues.give_back(receipt, Duration::ZERO).await?;
            return Ok(QueueMessage { visible: shown.visible.saturating_add(delay), ..shown });
        }
        self.inner.queues.give_back(receipt, delay).await
    }

    async fn delete_message(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.inner.queues.delete_message(receipt).await
    }

    async fn clear(&self, queue: &QueueName) -> Result<(), QueueError> {
        self.inner.queues.clear(queue).await
    }

    async fn arrival(&self, queue: &QueueName) {
        self.inner.queues.arrival(queue).await;
    }
}

fn setup(scenario: &str, bug: Bug) -> Setup {
    let scenario = scenarios::find(scenario).expect("the scenario exists");
    let wrap = move |inner: UserStores, faults: &Arc<Faults>| {
        let tables = inner.tables.clone();
        let planted = Arc::new(Planted { inner, faults: faults.clone(), bug, memory: Mutex::default() });
        UserStores { queues: planted.clone(), documents: planted.clone(), effects: planted, tables }
    };
    Setup { wrap_users: Some(Arc::new(wrap)), ..Setup::new(1, (scenario.workload)("x")) }
}

#[track_caller]
fn check_without_faults(bug: Bug, scenario: &str, expected: Oracle) {
    check::without_faults(&setup(scenario, bug), expected);
}

#[track_caller]
fn check_under(bug: Bug, scenario: &str, kind: Kind, expected: &[Oracle]) {
    check::under(|| setup(scenario, bug), kind, expected);
}

#[test]
fn two_commits_instead_of_one_are_caught_by_crashes() {
    check_under(Bug::OutputsFirst, "message", Kind::Crash, &[Oracle::Errands]);
    check_under(Bug::DeletionFirst, "message", Kind::Crash, &[Oracle::Errands]);
    check_under(Bug::StateFirst, "timer-weekly", Kind::Crash, &[Oracle::Schedules]);
    check_under(Bug::StateLast, "timer-weekly", Kind::Crash, &[Oracle::Errands]);
}

#[test]
fn effects_that_are_applied_again_are_caught_by_lost_answers() {
    check_under(Bug::AppliedAgain, "messages-one-at-a-time", Kind::Lose, &[Oracle::Fence]);
    check_under(Bug::StateUnversioned, "timer-weekly", Kind::Lose, &[Oracle::Schedules]);
}

#[test]
fn wrong_ends_of_messages_are_caught() {
    check_without_faults(Bug::PoisonStays, "message-fails-always", Oracle::Errands);
    check_without_faults(Bug::PoisonLost, "message-fails-always", Oracle::Errands);
    check_without_faults(Bug::OutputLost, "message", Oracle::Errands);
    check_without_faults(Bug::OutputLost, "activity-outputs", Oracle::Effects);
    check_without_faults(Bug::StartLost, "message-starts-orchestration", Oracle::Errands);
}

#[test]
fn wrong_counts_and_delays_are_caught() {
    check_without_faults(Bug::CountSkipped, "message-fails-once", Oracle::Errands);
    check_without_faults(Bug::DelayIgnored, "message-fails-once", Oracle::Timers);
    check_under(Bug::CountForgotten, "message-fails-once", Kind::Crash, &[Oracle::Errands]);
}

#[test]
fn wrong_holds_are_caught() {
    check_under(Bug::NoReceiptCheck, "competing-functions", Kind::Stall, &[Oracle::Fence]);
    check_under(Bug::HeldForEver, "message", Kind::Crash, &[Oracle::Errands]);
    check_under(Bug::HeldByTwo, "message-takes-long", Kind::Duplicate, &[Oracle::Fence]);
}

#[test]
fn a_timer_that_forgets_is_caught() {
    check_without_faults(Bug::StateForgotten, "timer-missed-all", Oracle::Schedules);
    check_without_faults(Bug::StateForgotten, "timer-retries-over-outage", Oracle::Schedules);
}

#[test]
fn too_much_at_a_time_is_caught() {
    check_without_faults(Bug::TooMany, "messages", Oracle::Errands);
    for scenario in ["messages-one-at-a-time", "timer-takes-long"] {
        let scenario = scenarios::find(scenario).expect("the scenario exists");
        let twice = Setup { listeners: 2, ..Setup::new(1, (scenario.workload)("x")) };
        check::without_faults(&twice, Oracle::Concurrency);
    }
}
