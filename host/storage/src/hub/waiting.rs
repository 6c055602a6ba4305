//! How workers wait: as many are woken as there is work, and exactly one watches the clock for all.
//!
//! No task of the store's own runs: whoever waits longest for work also waits for the next deadline (a timer, a lease that
//! expires, the end of a delay). The others sleep until they are woken; when the watching one leaves, another takes over.

use super::{Shared, State};
use crate::dispatch::Wake;
use futures::future::{Either, select};
use orchestration::Timestamp;
use std::pin::{Pin, pin};
use tokio::sync::futures::Notified;

/// How many workers wait, and until when one of them sleeps.
#[derive(Default, Debug)]
pub(super) struct Waiting {
    turns: usize,
    activities: usize,
    /// Until when the worker sleeps that watches the clock; none if nobody does.
    watched: Option<Timestamp>,
}

/// What a worker waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum For {
    Turns,
    Activities,
}

impl Waiting {
    fn count(&mut self, what: For) -> &mut usize {
        match what {
            For::Turns => &mut self.turns,
            For::Activities => &mut self.activities,
        }
    }
}

impl Shared {
    /// Wakes whom the changes since the last call concern. The newest waiter goes first: its memory is still warm, and the
    /// oldest, who watches the clock, stays.
    pub(super) fn wake(&self, state: &mut State) {
        let Wake { turns, activities } = state.dispatch.take_wake();
        for _ in 0..turns.min(state.waiting.turns) {
            self.turns.notify_last();
        }
        for _ in 0..activities.min(state.waiting.activities) {
            self.activities.notify_last();
        }
        if let (Some(watched), Some(next)) = (state.waiting.watched, state.dispatch.next_alarm())
            && next < watched
        {
            state.waiting.watched = Some(next);
            self.rearm.notify_one();
        }
    }

    /// Tries until there is something to take.
    pub(super) async fn take<T>(
        &self,
        what: For,
        mut attempt: impl FnMut(&mut State, Timestamp) -> Option<T> + Send,
    ) -> T {
        loop {
            let woken = match what {
                For::Turns => self.turns.notified(),
                For::Activities => self.activities.notified(),
            };
            let mut woken = pin!(woken);
            // Before the attempt: what becomes ready right behind it must not pass unheard.
            woken.as_mut().enable();
            match self.attempt(what, &mut attempt) {
                Ok(taken) => return taken,
                Err(mut waiter) => {
                    waiter.wait(woken).await;
                    // The next attempt follows at once: it finds work, or watches the clock again.
                    waiter.comes_back = true;
                }
            }
        }
    }

    fn attempt<T>(
        &self,
        what: For,
        attempt: &mut impl FnMut(&mut State, Timestamp) -> Option<T>,
    ) -> Result<T, Waiter<'_>> {
        let now = self.clock.now();
        self.with(|state| {
            if let Some(taken) = attempt(state, now) {
                if state.waiting.watched.is_none() {
                    self.wake_another(state);
                }
                return Ok(taken);
            }
            *state.waiting.count(what) += 1;
            let watches = state.waiting.watched.is_none();
            if watches {
                state.waiting.watched = Some(state.dispatch.next_alarm().unwrap_or(Timestamp::MAX));
            }
            Err(Waiter { shared: self, what, watches, comes_back: false })
        })
    }

    /// Nobody watches the clock: whoever is woken finds nothing, and then does.
    fn wake_another(&self, state: &State) {
        if state.waiting.turns > 0 {
            self.turns.notify_last();
        } else if state.waiting.activities > 0 {
            self.activities.notify_last();
        }
    }
}

/// A worker that is counted as waiting.
struct Waiter<'a> {
    shared: &'a Shared,
    what: For,
    /// Whether this is the one that watches the clock.
    watches: bool,
    /// Whether it was woken and tries again. Only one that leaves for good hands the watch over: a waiter that woke another
    /// each time it tries again would, when the other has been woken before and has not run yet, wake itself for ever.
    comes_back: bool,
}

impl Waiter<'_> {
    async fn wait(&self, woken: Pin<&mut Notified<'_>>) {
        if !self.watches {
            return woken.await;
        }
        let until = self.shared.with(|state| state.waiting.watched.unwrap_or(Timestamp::MAX));
        let rearm = pin!(self.shared.rearm.notified());
        let sleep = self.shared.clock.sleep_until(until);
        match select(woken, select(rearm, sleep)).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.shared.with(|state| {
            *state.waiting.count(self.what) -= 1;
            if !self.watches {
                return;
            }
            state.waiting.watched = None;
            if !self.comes_back {
                self.shared.wake_another(state);
            }
        });
    }
}
