//! The task hub as its workers see it: turns and activities to take, and the one commit that a step ends with.

use crate::{InstanceStore, StoreError};
use async_trait::async_trait;
use futures::future::BoxFuture;
use orchestration::{ActivityTask, Checkpoint, Failure, InstanceRow, Json, Message, Timestamp};

/// The right to work on one instance or one activity until a moment. Whoever takes the same work later gets a higher
/// epoch, and from then on everything under the old lease is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    /// The instance or the activity, in words of the store.
    pub what: String,
    /// Grows with each take of the same work.
    pub epoch: u64,
    /// When others may take it, unless it is renewed.
    pub expires_at: Timestamp,
}

/// A turn to run.
#[derive(Clone, PartialEq, Debug)]
pub struct TurnWork {
    /// The right to commit it.
    pub lease: Lease,
    /// The instance as of its last commit. An entity that does not exist yet comes with `InstanceRow::new_entity`.
    pub row: InstanceRow,
    /// What arrived since and what was not consumed before, oldest first; at least one.
    pub messages: Vec<Message>,
    /// How many times this turn was taken before and not committed.
    pub failed_attempts: u32,
}

/// An activity to run.
#[derive(Clone, PartialEq, Debug)]
pub struct ActivityWork {
    /// The right to complete it.
    pub lease: Lease,
    /// What to run.
    pub task: ActivityTask,
}

/// Where workers get turns and activities.
///
/// Guarantees:
/// - an instance with messages, a due timer or an activity's result is handed out by `take_turn`; to one holder at a time
///   while leases are renewed; an activity likewise by `take_activity`, at least once;
/// - `commit` is atomic and durable when it returns: all of the checkpoint or nothing of it, and nothing of it is visible to
///   anyone before; under a lost lease it changes nothing;
/// - what a checkpoint consumed is never handed out again after it is durable; what it did not consume is, together with what
///   arrives next, or at once if the checkpoint says that there is more to do;
/// - the activities that a checkpoint takes back are not handed out any more, and the leases on them are lost;
/// - messages of one sender to one instance are handed out in the order in which they were sent.
///
/// Not promised: that a message is handed out only once before it is consumed, the order of messages of different senders,
/// that a completed activity is not run again when the process dies before the turn that consumes its result is durable.
#[async_trait]
pub trait WorkStore: Send + Sync {
    /// Waits until an instance has something to do, and takes it.
    async fn take_turn(&self) -> Result<TurnWork, StoreError>;

    /// Makes the result of a turn durable. The worker holds on to the instance, with a lease that begins anew, until it
    /// releases it: what it keeps in memory for the next turn is in place before anybody takes that turn.
    async fn commit(&self, lease: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError>;

    /// Gives an instance back whose turn is committed. A worker that dies before lets the lease run out.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Waits until an activity is to be run, and takes it.
    async fn take_activity(&self) -> Result<ActivityWork, StoreError>;

    /// Hands in what became of an activity and gives the lease back. The result becomes durable with the turn that
    /// consumes it; until then it can be lost with the process, and then the activity runs again.
    async fn complete_activity(&self, lease: &Lease, result: Result<Json, Failure>) -> Result<(), StoreError>;

    /// Keeps the work for another lease time.
    async fn renew(&self, lease: &Lease) -> Result<Lease, StoreError>;

    /// Completes when the lease is lost because its work was taken back: the caller cancelled it, or the instance is gone.
    /// Never for a lease that runs out.
    fn revoked(&self, lease: &Lease) -> BoxFuture<'static, ()>;

    /// Gives the work back undone; nobody gets it before `not_before`.
    async fn abandon(&self, lease: &Lease, not_before: Timestamp) -> Result<(), StoreError>;
}

/// A whole task hub store.
pub trait TaskHubStore: WorkStore + InstanceStore {}

impl<T: WorkStore + InstanceStore + ?Sized> TaskHubStore for T {}
