//! Who wants to hear of something: of the next commit on an instance, or of the end of a lease.

use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Registrations by what is watched and number.
#[derive(Debug)]
pub(super) struct Watchers<K>(Mutex<Registered<K>>);

#[derive(Debug)]
struct Registered<K> {
    senders: BTreeMap<(K, u64), oneshot::Sender<()>>,
    next: u64,
}

impl<K> Default for Watchers<K> {
    fn default() -> Watchers<K> {
        Watchers(Mutex::new(Registered { senders: BTreeMap::new(), next: 0 }))
    }
}

impl<K: Clone + Ord + Send + 'static> Watchers<K> {
    /// Completes at the next [`Watchers::wake`] of the same.
    pub(super) fn watch(self: &Arc<Self>, id: &K) -> BoxFuture<'static, ()> {
        let (sender, receiver) = oneshot::channel();
        let key = {
            let mut registered = self.lock();
            registered.next += 1;
            let key = (id.clone(), registered.next);
            registered.senders.insert(key.clone(), sender);
            key
        };
        let registration = Registration { watchers: Arc::clone(self), key };
        Box::pin(async move {
            receiver.await.unwrap_or_default();
            drop(registration);
        })
    }

    /// What is watched has happened.
    pub(super) fn wake(&self, id: &K) {
        let mut registered = self.lock();
        if registered.senders.is_empty() {
            return;
        }
        let mut woken: Vec<oneshot::Sender<()>> = Vec::new();
        while let Some((key, _)) = registered.senders.range((id.clone(), 0)..=(id.clone(), u64::MAX)).next() {
            let key = key.clone();
            woken.extend(registered.senders.remove(&key));
        }
        drop(registered);
        for sender in woken {
            sender.send(()).unwrap_or_default();
        }
    }

    /// Whether nobody is registered.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().senders.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Registered<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the registration back when nobody waits any more.
struct Registration<K: Clone + Ord + Send + 'static> {
    watchers: Arc<Watchers<K>>,
    key: (K, u64),
}

impl<K: Clone + Ord + Send + 'static> Drop for Registration<K> {
    fn drop(&mut self) {
        drop(self.watchers.lock().senders.remove(&self.key));
    }
}
