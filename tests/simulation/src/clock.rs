//! Virtual time: it stands still while anything can run, and jumps to the next deadline when nothing can.

use futures::future::BoxFuture;
use orchestration::Timestamp;
use ports::Clock;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Where every run begins: 2026-01-01T00:00:00Z.
pub(crate) const EPOCH: Timestamp = Timestamp::from_unix_ms(1_767_225_600_000);

/// The clock of one world.
#[derive(Clone)]
pub(crate) struct VirtualClock {
    state: Arc<Mutex<State>>,
}

struct State {
    now: Timestamp,
    next_key: u64,
    /// By moment, and by the order in which they went to sleep.
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
}

impl VirtualClock {
    pub(crate) fn new() -> VirtualClock {
        VirtualClock { state: Arc::new(Mutex::new(State { now: EPOCH, next_key: 0, sleepers: BTreeMap::new() })) }
    }

    /// When the first sleeper wants to be woken.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.lock().sleepers.first_key_value().map(|((moment, _), _)| *moment)
    }

    /// Moves time on to `moment` (never back) and wakes whoever is due.
    pub(crate) fn advance_to(&self, moment: Timestamp) {
        let due = {
            let mut state = self.lock();
            state.now = state.now.max(moment);
            let first_later = (state.now, u64::MAX);
            let later = state.sleepers.split_off(&first_later);
            std::mem::replace(&mut state.sleepers, later)
        };
        for waker in due.into_values() {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(Sleep { clock: self.clone(), moment, key: None })
    }
}

/// A sleeper. It leaves the list when it is dropped: time never jumps to a moment that nobody waits for.
struct Sleep {
    clock: VirtualClock,
    moment: Timestamp,
    key: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let key = {
            let mut state = self.clock.lock();
            if state.now >= self.moment {
                return Poll::Ready(());
            }
            if self.moment == Timestamp::MAX {
                return Poll::Pending;
            }
            let key = self.key.unwrap_or_else(|| {
                state.next_key += 1;
                state.next_key
            });
            state.sleepers.insert((self.moment, key), context.waker().clone());
            key
        };
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            // The waker is dropped outside the lock.
            let _waker = self.clock.lock().sleepers.remove(&(self.moment, key));
        }
    }
}
