//! The task hub: what the ports promise, over durable rows and the dispatch in memory.
//!
//! Every operation that changes something goes the same way: claim the instances it touches, read, build one batch, write
//! it, and when it is durable change the dispatch and answer. The last step runs with the write, not with the caller: a
//! caller that goes away in the meantime loses its answer and nothing else.

mod claims;
mod commit;
mod create;
mod open;
mod outbox;
mod pins;
mod query;
mod reading;
mod records;
mod send;
mod user;
mod waiting;
mod watchers;
mod workers;

#[cfg(test)]
mod tests;

use crate::dispatch::Dispatch;
use crate::rows::Rows;
use crate::user::{Ids, User};
use claims::Claims;
use orchestration::InstanceId;
use ports::{Clock, StoreError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage_model::QueueName;
use tokio::sync::{Notify, oneshot};
use waiting::Waiting;
use watchers::Watchers;

/// The numbers of a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// How long a lease lasts, unless it is renewed.
    pub lease_time: Duration,
    /// How many instances a page has when the query does not say.
    pub page_size: usize,
    /// What a new store makes the ids and pop receipts of messages with: random, so that nobody can guess them and two stores
    /// never have the same. A store keeps its own and ignores this from then on.
    pub id_seed: u128,
    /// How many bytes of the disk an embedded store leaves free. Below, what does not only delete is refused as unavailable;
    /// when there is room again, it goes on. It covers what the database still needs for what it has begun.
    pub disk_reserve: u64,
}

impl Default for Settings {
    /// Leases of 60 seconds, pages of 100 instances, a seed that everybody knows, and 128 MiB of the disk left free: as much as
    /// a full journal and the files that become of it.
    fn default() -> Settings {
        Settings { lease_time: Duration::from_secs(60), page_size: 100, id_seed: 0, disk_reserve: 128 << 20 }
    }
}

/// A task hub store. Closing it, or dropping it, finishes what was begun.
pub struct TaskHub {
    shared: Arc<Shared>,
}

impl TaskHub {
    /// Finishes the writes that were begun and lets the data go. Later writes fail; waiting workers go on waiting.
    ///
    /// Blocks for as long as the last write takes.
    pub fn close(&self) {
        self.shared.rows.close();
    }
}

impl Drop for TaskHub {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for TaskHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskHub").finish_non_exhaustive()
    }
}

struct Shared {
    rows: Arc<dyn Rows>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    state: Mutex<State>,
    /// Wakes workers that wait for a turn.
    turns: Notify,
    /// Wakes workers that wait for an activity.
    activities: Notify,
    /// Wakes the one worker that watches the clock.
    rearm: Notify,
    /// Who waits for a commit.
    watchers: Arc<Watchers<InstanceId>>,
    /// Who waits for the end of a lease, by its epoch.
    revocations: Arc<Watchers<u64>>,
    /// Who waits for messages of a queue.
    arrivals: Arc<Watchers<QueueName>>,
    /// The next place in any inbox.
    next_sequence: AtomicU64,
    /// The next number for a queue, a table, a message or a receipt: never given out again, not by later openings either.
    next_number: AtomicU64,
    ids: Ids,
}

struct State {
    dispatch: Dispatch,
    claims: Claims,
    waiting: Waiting,
    user: User,
}

impl Shared {
    /// Changes the state in memory, and wakes whom the change concerns.
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut state);
        self.wake(&mut state);
        for epoch in state.dispatch.take_revoked() {
            self.revocations.wake(&epoch);
        }
        result
    }

    /// A place behind all others in any inbox.
    fn next_sequence(&self) -> u64 {
        self.next_sequence.fetch_add(1, Ordering::Relaxed)
    }

    /// A number that nothing else in this store has or ever had.
    fn next_number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }
}

/// The answer to a write, for the caller that waits for it.
struct Answer<T>(oneshot::Receiver<Result<T, StoreError>>);

/// Where the write leaves its answer.
struct Caller<T>(oneshot::Sender<Result<T, StoreError>>);

impl<T> Answer<T> {
    fn channel() -> (Caller<T>, Answer<T>) {
        let (sender, receiver) = oneshot::channel();
        (Caller(sender), Answer(receiver))
    }

    async fn wait(self) -> Result<T, StoreError> {
        self.0.await.unwrap_or_else(|_| {
            let detail = "the store stopped before it answered; what was asked may have happened".to_owned();
            Err(StoreError::Unavailable { detail })
        })
    }
}

impl<T> Caller<T> {
    /// A caller that has gone away does without.
    fn give(self, answer: Result<T, StoreError>) {
        drop(self.0.send(answer));
    }
}
