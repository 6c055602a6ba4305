//! Waiting for messages: woken by whatever makes one visible, and by the clock for those that become visible by themselves.

use super::super::Shared;
use super::super::claims::Subject;
use super::front;
use futures::future::{Either, select};
use orchestration::Timestamp;
use storage_model::QueueName;

impl Shared {
    /// Completes when a message of the queue can be received.
    pub(super) async fn arrival(&self, queue: &QueueName) {
        loop {
            // Before the look: what happens right behind it must not pass unheard.
            let changed = self.arrivals.watch(queue);
            let now = self.clock.now();
            let Some(next) = self.next_arrival(queue, now) else { return };
            match select(changed, self.clock.sleep_until(next)).await {
                Either::Left(_) | Either::Right(_) => {}
            }
        }
    }

    /// Until when there is certainly nothing to receive, unless something happens; none if there is something now.
    fn next_arrival(&self, name: &QueueName, now: Timestamp) -> Option<Timestamp> {
        self.with(|state| {
            let claims = &state.claims;
            let Some(queue) = state.user.queues.get_mut(name) else { return Some(Timestamp::MAX) };
            queue.expire(now);
            // What others are about to take counts when they have let it go.
            let is_free = |sequence: u64| claims.is_free(&Subject::Message(sequence));
            let is_there = queue.visible(now).any(|(sequence, _)| is_free(sequence));
            (!is_there).then(|| queue.next_after(now).unwrap_or(Timestamp::MAX))
        })
    }

    /// Wakes those who wait for messages of a queue, if the next one is to come sooner than they know.
    pub(super) fn wake_if_sooner(&self, queue: &QueueName, before: Option<Timestamp>) {
        let front = self.with(|state| front(state, queue));
        if front.is_some_and(|front| before.is_none_or(|before| front < before)) {
            self.arrivals.wake(queue);
        }
    }

    /// Wakes those who wait for messages of a queue, if there may be one.
    pub(in super::super) fn wake_if_arrived(&self, queue: &QueueName) {
        let now = self.clock.now();
        if self.with(|state| front(state, queue)).is_some_and(|front| front <= now) {
            self.arrivals.wake(queue);
        }
    }
}
