//! Claims: what a write that is not yet durable touches.
//!
//! What is said here of instances holds for queues and tables as well: whoever writes into one shares it, whoever makes,
//! changes or removes it has it alone. A message, an entity or a document is claimed alone by whoever writes it.
//!
//! A commit and a message claim an instance together with others of their kind; whoever creates, replaces or removes an
//! instance claims it alone. All claims of an operation are taken at once or not at all, so nobody waits while holding one.
//! Single removals queue, so that a busy instance can be removed; whatever they say to other instances passes such a queue,
//! or two of them could wait for each other.

use super::Shared;
use orchestration::InstanceId;
use std::collections::HashMap;
use std::sync::Arc;
use storage_model::{EntityKey, QueueName};
use tokio::sync::oneshot;

/// What can be claimed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Subject {
    /// An instance.
    Instance(InstanceId),
    /// A user's queue.
    Queue(QueueName),
    /// A message in a user's queue, by its sequence, which is unique in the store.
    Message(u64),
    /// A user's table, by its name without case.
    Table(String),
    /// An entity of a table.
    Entity(String, EntityKey),
    /// A document.
    Document(String),
}

/// With whom something is claimed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum How {
    /// Together with others, behind whoever queues for it.
    Together,
    /// Together with others, past whoever queues for it.
    TogetherPastTheQueue,
    /// Alone.
    Alone,
}

/// A claim that is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Want {
    pub(super) what: Subject,
    pub(super) how: How,
}

impl Want {
    pub(super) fn instance(id: &InstanceId, how: How) -> Want {
        Want { what: Subject::Instance(id.clone()), how }
    }

    pub(super) fn alone(what: Subject) -> Want {
        Want { what, how: How::Alone }
    }

    pub(super) fn together(what: Subject) -> Want {
        Want { what, how: How::Together }
    }
}

/// What one operation wants, each thing once.
#[derive(Clone, Default, Debug)]
pub(super) struct Wants(Vec<Want>);

impl Wants {
    /// Each thing once; of two ways the stronger counts.
    pub(super) fn of(mut wants: Vec<Want>) -> Wants {
        wants.sort_by(|one, other| one.what.cmp(&other.what));
        wants.dedup_by(|other, kept| {
            let same = other.what == kept.what;
            if same {
                kept.how = kept.how.max(other.how);
            }
            same
        });
        Wants(wants)
    }

    /// Whether whoever holds these holds those as well.
    pub(super) fn cover(&self, others: &Wants) -> bool {
        let holds = |other: &Want| self.0.iter().any(|want| want.what == other.what && want.how >= other.how);
        others.0.iter().all(holds)
    }
}

#[derive(Default, Debug)]
pub(super) struct Claims(HashMap<Subject, Claim>);

#[derive(Default, Debug)]
struct Claim {
    together: u32,
    alone: bool,
    /// Single operations that want it alone: those that come together wait behind them.
    queued_alone: u32,
    /// Dropped when it may be free.
    waiting: Vec<oneshot::Sender<()>>,
}

impl Claim {
    fn admits(&self, how: How) -> bool {
        !self.alone
            && match how {
                How::Together => self.queued_alone == 0,
                How::TogetherPastTheQueue => true,
                How::Alone => self.together == 0,
            }
    }

    fn is_free(&self) -> bool {
        !self.alone && self.together == 0 && self.queued_alone == 0
    }
}

impl Claims {
    /// Takes all, or none and something to wait for before the next attempt.
    pub(super) fn take(&mut self, wants: &Wants) -> Result<(), oneshot::Receiver<()>> {
        for want in &wants.0 {
            if let Some(claim) = self.0.get_mut(&want.what)
                && !claim.admits(want.how)
            {
                let (sender, receiver) = oneshot::channel();
                claim.waiting.retain(|waiting| !waiting.is_closed());
                claim.waiting.push(sender);
                return Err(receiver);
            }
        }
        for want in &wants.0 {
            let claim = self.0.entry(want.what.clone()).or_default();
            claim.alone = want.how == How::Alone;
            claim.together += u32::from(want.how != How::Alone);
        }
        Ok(())
    }

    /// Whether nobody has claimed this.
    pub(super) fn is_free(&self, what: &Subject) -> bool {
        self.0.get(what).is_none_or(|claim| !claim.alone && claim.together == 0)
    }

    /// Whether nothing is claimed or waited for.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn give_back(&mut self, wants: &Wants) {
        for want in &wants.0 {
            self.change(&want.what, |claim| {
                claim.alone &= want.how != How::Alone;
                claim.together -= u32::from(want.how != How::Alone);
            });
        }
    }

    fn change(&mut self, what: &Subject, change: impl FnOnce(&mut Claim)) {
        let Some(claim) = self.0.get_mut(what) else { return };
        change(claim);
        if !claim.alone && claim.together == 0 {
            claim.waiting.clear();
        }
        if claim.is_free() {
            self.0.remove(what);
        }
    }
}

/// Claims that are held; given back when dropped. Must not be dropped under the lock of the state.
pub(super) struct Held {
    shared: Arc<Shared>,
    wants: Wants,
}

impl Held {
    /// Whether these claims are among those that are held.
    pub(super) fn covers(&self, wants: &Wants) -> bool {
        self.wants.cover(wants)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.with(|state| state.claims.give_back(&self.wants));
        if self.shared.arrivals.is_empty() {
            return;
        }
        // Who looked for messages meanwhile passed over those that were claimed, and may have been the only one to look.
        for want in &self.wants.0 {
            if let Subject::Queue(queue) = &want.what {
                self.shared.wake_if_arrived(queue);
            }
        }
    }
}

impl Shared {
    /// The guard of claims that were just taken.
    pub(super) fn held(self: &Arc<Shared>, wants: Wants) -> Held {
        Held { shared: Arc::clone(self), wants }
    }

    /// Waits for a claim on one instance together with others.
    pub(super) async fn claim(self: &Arc<Shared>, id: &InstanceId) -> Held {
        self.claim_all(Wants(vec![Want::instance(id, How::Together)])).await
    }

    /// Waits for all of these claims.
    pub(super) async fn claim_all(self: &Arc<Shared>, wants: Wants) -> Held {
        loop {
            match self.with(|state| state.claims.take(&wants)) {
                Ok(()) => return self.held(wants),
                Err(busy) => busy.await.unwrap_or_default(),
            }
        }
    }

    /// Waits for all of these claims. Those who come later to share `what`, which is wanted alone, wait behind.
    pub(super) async fn claim_alone(self: &Arc<Shared>, what: Subject, wants: Wants) -> Held {
        let mut place: Option<Place> = None;
        loop {
            match self.with(|state| state.claims.take(&wants)) {
                Ok(()) => return self.held(wants),
                Err(busy) => {
                    place.get_or_insert_with(|| Place::new(self, &what));
                    busy.await.unwrap_or_default();
                }
            }
        }
    }
}

/// A place in the queue of those who want something alone.
struct Place {
    shared: Arc<Shared>,
    what: Subject,
}

impl Place {
    fn new(shared: &Arc<Shared>, what: &Subject) -> Place {
        shared.with(|state| state.claims.0.entry(what.clone()).or_default().queued_alone += 1);
        Place { shared: Arc::clone(shared), what: what.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.with(|state| state.claims.change(&self.what, |claim| claim.queued_alone -= 1));
    }
}
