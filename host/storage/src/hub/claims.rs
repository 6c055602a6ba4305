//! Claims: which instances a write that is not yet durable touches.
//!
//! A commit and a message claim an instance together with others of their kind; whoever creates, replaces or removes an
//! instance claims it alone. All claims of an operation are taken at once or not at all, so nobody waits while holding one.
//! Single removals queue, so that a busy instance can be removed; whatever they say to other instances passes such a queue,
//! or two of them could wait for each other.

use super::Shared;
use orchestration::InstanceId;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// With whom an instance is claimed.
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
    pub(super) id: InstanceId,
    pub(super) how: How,
}

/// What one operation wants, each instance once.
#[derive(Clone, Default, Debug)]
pub(super) struct Wants(Vec<Want>);

impl Wants {
    pub(super) fn together(id: &InstanceId) -> Wants {
        Wants(vec![Want { id: id.clone(), how: How::Together }])
    }

    /// Each instance once; of two ways the stronger counts.
    pub(super) fn of(mut wants: Vec<Want>) -> Wants {
        wants.sort_by(|one, other| one.id.cmp(&other.id));
        wants.dedup_by(|other, kept| {
            let same = other.id == kept.id;
            if same {
                kept.how = kept.how.max(other.how);
            }
            same
        });
        Wants(wants)
    }

    /// Whether whoever holds these holds those as well.
    pub(super) fn cover(&self, others: &Wants) -> bool {
        let holds = |other: &Want| self.0.iter().any(|want| want.id == other.id && want.how >= other.how);
        others.0.iter().all(holds)
    }
}

#[derive(Default, Debug)]
pub(super) struct Claims(HashMap<InstanceId, Claim>);

#[derive(Default, Debug)]
struct Claim {
    together: u32,
    alone: bool,
    /// Single operations that want the instance alone: those that come together wait behind them.
    queued_alone: u32,
    /// Dropped when the instance may be free.
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
            if let Some(claim) = self.0.get_mut(&want.id)
                && !claim.admits(want.how)
            {
                let (sender, receiver) = oneshot::channel();
                claim.waiting.retain(|waiting| !waiting.is_closed());
                claim.waiting.push(sender);
                return Err(receiver);
            }
        }
        for want in &wants.0 {
            let claim = self.0.entry(want.id.clone()).or_default();
            claim.alone = want.how == How::Alone;
            claim.together += u32::from(want.how != How::Alone);
        }
        Ok(())
    }

    /// Whether nothing is claimed or waited for.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn give_back(&mut self, wants: &Wants) {
        for want in &wants.0 {
            self.change(&want.id, |claim| {
                claim.alone &= want.how != How::Alone;
                claim.together -= u32::from(want.how != How::Alone);
            });
        }
    }

    fn change(&mut self, id: &InstanceId, change: impl FnOnce(&mut Claim)) {
        let Some(claim) = self.0.get_mut(id) else { return };
        change(claim);
        if !claim.alone && claim.together == 0 {
            claim.waiting.clear();
        }
        if claim.is_free() {
            self.0.remove(id);
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
    }
}

impl Shared {
    /// The guard of claims that were just taken.
    pub(super) fn held(self: &Arc<Shared>, wants: Wants) -> Held {
        Held { shared: Arc::clone(self), wants }
    }

    /// Waits for a claim on one instance together with others.
    pub(super) async fn claim(self: &Arc<Shared>, id: &InstanceId) -> Held {
        let wants = Wants::together(id);
        loop {
            match self.with(|state| state.claims.take(&wants)) {
                Ok(()) => return self.held(wants),
                Err(busy) => busy.await.unwrap_or_default(),
            }
        }
    }

    /// Waits for all of these claims. Those who come later to share `id`, which is wanted alone, wait behind.
    pub(super) async fn claim_alone(self: &Arc<Shared>, id: &InstanceId, wants: Wants) -> Held {
        let mut place: Option<Place> = None;
        loop {
            match self.with(|state| state.claims.take(&wants)) {
                Ok(()) => return self.held(wants),
                Err(busy) => {
                    place.get_or_insert_with(|| Place::new(self, id));
                    busy.await.unwrap_or_default();
                }
            }
        }
    }
}

/// A place in the queue of those who want an instance alone.
struct Place {
    shared: Arc<Shared>,
    id: InstanceId,
}

impl Place {
    fn new(shared: &Arc<Shared>, id: &InstanceId) -> Place {
        shared.with(|state| state.claims.0.entry(id.clone()).or_default().queued_alone += 1);
        Place { shared: Arc::clone(shared), id: id.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.with(|state| state.claims.change(&self.id, |claim| claim.queued_alone -= 1));
    }
}
