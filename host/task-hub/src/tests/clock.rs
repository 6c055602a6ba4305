//! A clock that stands still while anything can run, and moves to the next sleeper's moment when nothing can.

use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::Timestamp;
use ports::Clock;
use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// Where every test begins.
pub(super) const START: Timestamp = Timestamp::from_unix_ms(1_000_000);

#[derive(Clone)]
pub(super) struct FakeClock(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    sleepers: BTreeSet<(Timestamp, u64)>,
    next: u64,
}

impl FakeClock {
    pub(super) fn new() -> FakeClock {
        FakeClock(Arc::new(Mutex::new(State { now: START, sleepers: BTreeSet::new(), next: 0 })))
    }

    /// Runs to the end.
    pub(super) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.run_until(Timestamp::MAX, future).expect("it comes to an end")
    }

    /// Runs until the end or until this moment, whichever comes first.
    pub(super) fn run_until<T>(&self, moment: Timestamp, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return Some(value);
            }
            let next = self.0.lock().unwrap().sleepers.first().map(|(at, _)| *at);
            let next = next.expect("somebody sleeps while the test waits");
            if next > moment {
                return None;
            }
            self.0.lock().unwrap().now = next;
        }
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().now
    }

    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
        Sleep { clock: self.clone(), moment, key: None }.boxed()
    }
}

struct Sleep {
    clock: FakeClock,
    moment: Timestamp,
    key: Option<(Timestamp, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut state = clock.0.lock().unwrap();
        if state.now >= self.moment {
            return Poll::Ready(());
        }
        if self.key.is_none() && self.moment < Timestamp::MAX {
            let key = (self.moment, state.next);
            state.next += 1;
            state.sleepers.insert(key);
            self.key = Some(key);
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.0.lock().unwrap().sleepers.remove(&key);
        }
    }
}
