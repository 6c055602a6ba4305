//! Who wants to hear of the next commit on an instance.

use futures::future::BoxFuture;
use orchestration::InstanceId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Registrations by instance and number.
#[derive(Default, Debug)]
pub(super) struct Watchers(Mutex<Registered>);

#[derive(Default, Debug)]
struct Registered {
    by_instance: BTreeMap<(InstanceId, u64), oneshot::Sender<()>>,
    next: u64,
}

impl Watchers {
    /// Completes at the next [`Watchers::wake`] of the instance, or when the store is gone.
    pub(super) fn watch(self: &Arc<Self>, id: &InstanceId) -> BoxFuture<'static, ()> {
        let (sender, receiver) = oneshot::channel();
        let key = {
            let mut registered = self.lock();
            registered.next += 1;
            let key = (id.clone(), registered.next);
            registered.by_instance.insert(key.clone(), sender);
            key
        };
        let registration = Registration { watchers: Arc::clone(self), key };
        Box::pin(async move {
            receiver.await.unwrap_or_default();
            drop(registration);
        })
    }

    /// Something was committed on the instance.
    pub(super) fn wake(&self, id: &InstanceId) {
        let mut registered = self.lock();
        if registered.by_instance.is_empty() {
            return;
        }
        let mut woken: Vec<oneshot::Sender<()>> = Vec::new();
        while let Some((key, _)) = registered.by_instance.range((id.clone(), 0)..=(id.clone(), u64::MAX)).next() {
            let key = key.clone();
            woken.extend(registered.by_instance.remove(&key));
        }
        drop(registered);
        for sender in woken {
            sender.send(()).unwrap_or_default();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Registered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the registration back when nobody waits any more.
struct Registration {
    watchers: Arc<Watchers>,
    key: (InstanceId, u64),
}

impl Drop for Registration {
    fn drop(&mut self) {
        drop(self.watchers.lock().by_instance.remove(&self.key));
    }
}
