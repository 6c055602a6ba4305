//! The store as a process under faults sees it.

use super::{Call, Faults, Hit, Kind, Side};
use crate::random::Rng;
use async_trait::async_trait;
use futures::future::BoxFuture;
use orchestration::{
    Checkpoint, Envelope, Event, ExecutionId, Failure, InstanceId, Json, Message, MessageKind, NewInstance, Origin,
    Timestamp,
};
use ports::{
    ActivityWork, Created, InstanceQuery, InstanceStore, InstanceView, Lease, Page, Pending, Purge, Sent, StoreError,
    TaskHubStore, TurnWork, WorkStore,
};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// A store with faults before and after every call.
pub(crate) struct FaultyStore {
    pub(crate) inner: Arc<dyn TaskHubStore>,
    pub(crate) faults: Arc<Faults>,
    /// The leases whose turns did not get all that there is, by what they are on and epoch.
    partial: Mutex<BTreeSet<(String, u64)>>,
}

impl FaultyStore {
    pub(crate) fn new(inner: Arc<dyn TaskHubStore>, faults: Arc<Faults>) -> FaultyStore {
        FaultyStore { inner, faults, partial: Mutex::default() }
    }

    /// What a turn was not given comes right behind it, as if the store had handed out only the first of it.
    fn is_partial(&self, lease: &Lease) -> bool {
        let key = (lease.what.clone(), lease.epoch);
        self.partial.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// Makes a call with its two points. Answers also what is left to do about the answer.
    async fn call<T: Send>(
        &self,
        call: Call,
        subject: &str,
        effect: impl Future<Output = Result<T, StoreError>> + Send,
        name: impl FnOnce(&T) -> Option<String> + Send,
    ) -> Result<(T, Option<Hit>), StoreError> {
        if let Some(Hit { kind: Kind::Refuse, .. }) = self.faults.reach(call, Side::Before, subject, "").await {
            return Err(unavailable("the request was refused"));
        }
        let answer = effect.await;
        let subject = answer.as_ref().ok().and_then(name).unwrap_or_else(|| subject.to_owned());
        let effect = match &answer {
            Ok(_) => "ok",
            Err(StoreError::LeaseLost { .. }) => "lease lost",
            Err(StoreError::Corrupt { .. }) => "corrupt",
            Err(StoreError::Unavailable { .. }) => "unavailable",
        };
        match self.faults.reach(call, Side::After, &subject, effect).await {
            Some(Hit { kind: Kind::Lose, .. }) => Err(unavailable("the answer was lost")),
            hit => answer.map(|answer| (answer, hit)),
        }
    }

    async fn plain<T: Send>(
        &self,
        call: Call,
        subject: &str,
        effect: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.call(call, subject, effect, |_| None).await.map(|(answer, _)| answer)
    }
}

fn unavailable(detail: &str) -> StoreError {
    StoreError::Unavailable { detail: format!("simulated: {detail}") }
}

#[async_trait]
impl WorkStore for FaultyStore {
    async fn take_turn(&self) -> Result<TurnWork, StoreError> {
        let taken = self.call(Call::TakeTurn, "", self.inner.take_turn(), |work| {
            Some(format!("{} epoch {} {}", work.lease.what, work.lease.epoch, messages(&work.messages)))
        });
        let (mut work, hit) = taken.await?;
        if let Some(hit) = hit {
            if hit.kind == Kind::Fewer {
                let key = (work.lease.what.clone(), work.lease.epoch);
                self.partial.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
            }
            disturb(&mut work.messages, hit);
        }
        Ok(work)
    }

    async fn commit(&self, lease: &Lease, mut checkpoint: Checkpoint) -> Result<(), StoreError> {
        // A message that was handed out twice is one record all the same.
        let mut known = BTreeSet::new();
        checkpoint.consumed.retain(|origin| known.insert(*origin));
        checkpoint.more |= self.is_partial(lease);
        let subject = format!("{} epoch {} {}", lease.what, lease.epoch, checkpoint.row.status);
        self.plain(Call::Commit, &subject, self.inner.commit(lease, checkpoint)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let subject = format!("{} epoch {}", lease.what, lease.epoch);
        self.plain(Call::Release, &subject, self.inner.release(lease)).await
    }

    async fn take_activity(&self) -> Result<ActivityWork, StoreError> {
        let taken = self.call(Call::TakeActivity, "", self.inner.take_activity(), |work| {
            Some(format!("{} epoch {}", work.lease.what, work.lease.epoch))
        });
        taken.await.map(|(work, _)| work)
    }

    async fn complete_activity(&self, lease: &Lease, result: Result<Json, Failure>) -> Result<(), StoreError> {
        let subject = format!("{} epoch {}", lease.what, lease.epoch);
        self.plain(Call::Complete, &subject, self.inner.complete_activity(lease, result)).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease, StoreError> {
        let subject = format!("{} epoch {}", lease.what, lease.epoch);
        self.plain(Call::Renew, &subject, self.inner.renew(lease)).await
    }

    fn revoked(&self, lease: &Lease) -> BoxFuture<'static, ()> {
        self.inner.revoked(lease)
    }

    async fn abandon(&self, lease: &Lease, not_before: Timestamp) -> Result<(), StoreError> {
        let subject = format!("{} epoch {}", lease.what, lease.epoch);
        self.plain(Call::Abandon, &subject, self.inner.abandon(lease, not_before)).await
    }
}

#[async_trait]
impl InstanceStore for FaultyStore {
    async fn create(&self, instance: NewInstance) -> Result<Created, StoreError> {
        let subject = instance.id.to_string();
        self.plain(Call::Create, &subject, self.inner.create(instance)).await
    }

    async fn send(&self, envelope: Envelope) -> Result<Sent, StoreError> {
        let subject = format!("{} {}", envelope.to, envelope.kind.name());
        self.plain(Call::Send, &subject, self.inner.send(envelope)).await
    }

    async fn read(&self, id: &InstanceId, with_input: bool) -> Result<Option<InstanceView>, StoreError> {
        self.plain(Call::Read, id.as_str(), self.inner.read(id, with_input)).await
    }

    async fn history(&self, id: &InstanceId, execution: ExecutionId) -> Result<Vec<Event>, StoreError> {
        self.plain(Call::History, id.as_str(), self.inner.history(id, execution)).await
    }

    async fn query(&self, query: &InstanceQuery) -> Result<Page, StoreError> {
        self.plain(Call::Query, "", self.inner.query(query)).await
    }

    async fn pending(&self, id: &InstanceId) -> Result<Option<Pending>, StoreError> {
        self.plain(Call::Pending, id.as_str(), self.inner.pending(id)).await
    }

    async fn pinned_apps(&self) -> Result<Vec<String>, StoreError> {
        self.inner.pinned_apps().await
    }

    async fn pins(&self) -> Result<Vec<ports::AppPins>, StoreError> {
        self.inner.pins().await
    }

    async fn purge(&self, id: &InstanceId, purge: Purge) -> Result<bool, StoreError> {
        self.plain(Call::Purge, id.as_str(), self.inner.purge(id, purge)).await
    }

    fn changed(&self, id: &InstanceId) -> BoxFuture<'static, ()> {
        self.inner.changed(id)
    }
}

fn messages(messages: &[Message]) -> String {
    messages.iter().map(|message| message.kind.name()).collect::<Vec<_>>().join("+")
}

/// Does to a batch of messages what the port does not rule out.
fn disturb(messages: &mut Vec<Message>, mut hit: Hit) {
    match hit.kind {
        Kind::Fewer => fewer(messages, &mut hit.rng),
        Kind::Shuffle => shuffle(messages, &mut hit.rng),
        Kind::Duplicate => {
            let answers: Vec<_> = messages.iter().filter(|message| is_answer(&message.kind)).cloned().collect();
            messages.extend(answers);
        }
        Kind::Crash
        | Kind::Stall
        | Kind::Delay
        | Kind::Refuse
        | Kind::Lose
        | Kind::Trap
        | Kind::Twice
        | Kind::Fail
        | Kind::Swap => {}
    }
}

/// Keeps the first of the inbox and any of the others, one at least. With what begins an execution comes all that was there
/// before, as the store hands it out: what is older must not be recorded ahead of what the start brings along.
fn fewer(messages: &mut Vec<Message>, rng: &mut Rng) {
    let first = messages.first().cloned();
    let in_inbox = messages.iter().filter(|message| is_in_inbox(message));
    let begins = in_inbox.clone().enumerate().filter(|(_, message)| begins_execution(&message.kind));
    let begins = begins.last().map_or(0, |(place, _)| place + 1);
    let mut left = rng.below(in_inbox.count()).max(begins);
    messages.retain(|message| {
        if !is_in_inbox(message) {
            return rng.chance(500);
        }
        let kept = left > 0;
        left = left.saturating_sub(1);
        kept
    });
    if messages.is_empty() {
        messages.extend(first);
    }
}

/// Only the inbox has an order: one sender may have sent several of its messages.
fn shuffle(messages: &mut Vec<Message>, rng: &mut Rng) {
    let (mut shuffled, others): (Vec<_>, Vec<_>) = std::mem::take(messages).into_iter().partition(is_in_inbox);
    for message in others {
        shuffled.insert(rng.below(shuffled.len() + 1), message);
    }
    *messages = shuffled;
}

fn begins_execution(kind: &MessageKind) -> bool {
    matches!(kind, MessageKind::ExecutionStarted { .. } | MessageKind::ExecutionRewound { .. })
}

fn is_in_inbox(message: &Message) -> bool {
    matches!(message.origin, Origin::Inbox(_))
}

fn is_answer(kind: &MessageKind) -> bool {
    match kind {
        MessageKind::TaskCompleted { .. }
        | MessageKind::TaskFailed { .. }
        | MessageKind::SubOrchestrationInstanceCompleted { .. }
        | MessageKind::SubOrchestrationInstanceFailed { .. }
        | MessageKind::EntityOperationCompleted { .. }
        | MessageKind::EntityOperationFailed { .. }
        | MessageKind::EntityLockGranted { .. }
        | MessageKind::TimerFired { .. } => true,
        MessageKind::ExecutionStarted { .. }
        | MessageKind::EventRaised(_)
        | MessageKind::ExecutionTerminated { .. }
        | MessageKind::ExecutionSuspended { .. }
        | MessageKind::ExecutionResumed { .. }
        | MessageKind::ExecutionRewound { .. }
        | MessageKind::RewindRequested { .. }
        | MessageKind::EntityOperationCalled { .. }
        | MessageKind::EntityOperationSignaled { .. }
        | MessageKind::EntityLockRequested { .. }
        | MessageKind::EntityUnlockSent { .. } => false,
    }
}
