//! Claims: which instances a write that is not yet durable touches.
//!
//! A commit and a message claim an instance together with others of their kind; whoever creates, replaces or removes an
//! instance claims it alone. All claims of an operation are taken at once or not at all, so nobody waits while holding one.

use super::Shared;
use orchestration::InstanceId;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A claim that is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Want {
    pub(super) id: InstanceId,
    pub(super) alone: bool,
}

/// What one operation wants, each instance once.
#[derive(Clone, Default, Debug)]
pub(super) struct Wants(Vec<Want>);

impl Wants {
    pub(super) fn alone(id: &InstanceId) -> Wants {
        Wants(vec![Want { id: id.clone(), alone: true }])
    }

    pub(super) fn shared(id: &InstanceId) -> Wants {
        Wants(vec![Want { id: id.clone(), alone: false }])
    }

    /// Each instance once; alone counts more than together.
    pub(super) fn of(mut wants: Vec<Want>) -> Wants {
        wants.sort_by(|one, other| one.id.cmp(&other.id));
        wants.dedup_by(|other, kept| {
            let same = other.id == kept.id;
            kept.alone |= same && other.alone;
            same
        });
        Wants(wants)
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
    fn admits(&self, alone: bool) -> bool {
        !self.alone && if alone { self.together == 0 } else { self.queued_alone == 0 }
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
                && !claim.admits(want.alone)
            {
                let (sender, receiver) = oneshot::channel();
                claim.waiting.retain(|waiting| !waiting.is_closed());
                claim.waiting.push(sender);
                return Err(receiver);
            }
        }
        for want in &wants.0 {
            let claim = self.0.entry(want.id.clone()).or_default();
            claim.alone = want.alone;
            claim.together += u32::from(!want.alone);
        }
        Ok(())
    }

    fn give_back(&mut self, wants: &Wants) {
        for want in &wants.0 {
            self.change(&want.id, |claim| {
                claim.alone &= !want.alone;
                claim.together -= u32::from(!want.alone);
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
        let wants = Wants::shared(id);
        loop {
            match self.with(|state| state.claims.take(&wants)) {
                Ok(()) => return self.held(wants),
                Err(busy) => busy.await.unwrap_or_default(),
            }
        }
    }

    /// Waits for one instance alone. Those who come later to share it wait behind.
    pub(super) async fn claim_alone(self: &Arc<Shared>, id: &InstanceId) -> Held {
        let wants = Wants::alone(id);
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
