//! The task hub as its clients see it: instances to create, to talk to, to look at and to remove.

use crate::StoreError;
use async_trait::async_trait;
use futures::future::BoxFuture;
use orchestration::{
    Envelope, Event, EventId, ExecutionId, InstanceId, InstanceRow, Json, NewInstance, RuntimeStatus, Timestamp,
};

/// What came of [`InstanceStore::create`].
#[derive(Clone, PartialEq, Debug)]
pub enum Created {
    /// It is there now, durably.
    Yes,
    /// An instance of that id stands in the way; nothing changed.
    Exists {
        /// Its row.
        row: Box<InstanceRow>,
    },
}

/// What came of [`InstanceStore::send`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// The message is durable.
    Yes,
    /// There is no such instance; nothing changed.
    NoInstance,
    /// The instance has ended; nothing changed.
    Ended,
}

/// An instance with the payloads that were asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct InstanceView {
    /// Its row.
    pub row: InstanceRow,
    /// The argument of its current execution; none if it was not asked for.
    pub input: Option<Json>,
}

/// Which instances to list. Conditions that are empty or none hold for all.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct InstanceQuery {
    /// Any of these.
    pub statuses: Vec<RuntimeStatus>,
    /// Created at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Created at this moment or earlier.
    pub created_to: Option<Timestamp>,
    /// Exactly this orchestrator.
    pub name: Option<String>,
    /// Ids that begin like this, with case.
    pub id_prefix: Option<String>,
    /// Changed at this moment or later.
    pub updated_from: Option<Timestamp>,
    /// Changed at this moment or earlier.
    pub updated_to: Option<Timestamp>,
    /// Ended at this moment or earlier.
    pub completed_to: Option<Timestamp>,
    /// All of these tags.
    pub tags: Vec<(String, String)>,
    /// Orchestrations, entities, or both.
    pub kind: InstanceKind,
    /// Whether to read the inputs.
    pub with_input: bool,
    /// At most this many; 0 means the store's own page size.
    pub page_size: usize,
    /// Where the last page ended.
    pub after: Option<PageToken>,
}

/// What kind of instances to list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum InstanceKind {
    /// Orchestrations.
    #[default]
    Orchestrations,
    /// Entities.
    Entities,
    /// Both.
    Any,
}

/// What waits for an instance, or is done for it, at one moment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Pending {
    /// Messages that the instance has not consumed.
    pub messages: usize,
    /// Messages that are to be handed out later, by moment.
    pub scheduled: Vec<Timestamp>,
    /// Whether a worker has it.
    pub leased: bool,
    /// How often its turn was taken since its last commit, without a commit.
    pub failed_attempts: u32,
    /// Activities that are not answered.
    pub activities: Vec<PendingActivity>,
    /// Timers that are set.
    pub timers: Vec<(EventId, Timestamp)>,
}

/// An activity without an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct PendingActivity {
    /// The request.
    pub id: EventId,
    /// Whether a worker runs it; otherwise it waits for one.
    pub running: bool,
}

/// Where a page ended. Only the store that made it can read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageToken(pub String);

/// One page of a list.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Page {
    /// The instances, by id in ascending order of bytes.
    pub instances: Vec<InstanceView>,
    /// Where to go on; none after the last page.
    pub next: Option<PageToken>,
}

/// The instances that are pinned to one app and may run again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppPins {
    /// The app.
    pub digest: String,
    /// How many have not ended.
    pub running: u64,
    /// How many have failed, and could be rewound.
    pub failed: u64,
    /// The first by id of those that have not ended, or else of those that have failed.
    pub example: InstanceId,
}

/// What [`InstanceStore::purge`] may remove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purge {
    /// Only an instance that has ended, or an entity that is not locked and that nothing waits for.
    Ended,
    /// Also one that is at work.
    Any,
}

/// Where clients start and watch instances.
///
/// Guarantees:
/// - `create`, `send` and `purge` are atomic and durable when they return; of several racing creations of one id exactly
///   one wins;
/// - reads see every commit that has returned;
/// - an instance that is removed or replaced while it is at work says farewell (`orchestration::farewell`) in the same commit;
/// - an entity needs no creation: `send` to one puts the message there in any case;
/// - a message with `deliver_at`, and the start of a new instance with `start_at`, is durable at once and handed out when due;
/// - paging is stable: an instance that is there during the whole listing is listed once, whatever comes and goes.
///
/// Not promised: that an instance which changes while it is listed shows its newest state.
#[async_trait]
pub trait InstanceStore: Send + Sync {
    /// Creates an instance together with the message that starts it. `otherwise` of the new instance is not used here.
    async fn create(&self, instance: NewInstance) -> Result<Created, StoreError>;

    /// Puts a message into an instance's inbox.
    async fn send(&self, envelope: Envelope) -> Result<Sent, StoreError>;

    /// One instance; none if there is none of that id.
    async fn read(&self, id: &InstanceId, with_input: bool) -> Result<Option<InstanceView>, StoreError>;

    /// The recorded history of one execution, oldest first; empty if there is none.
    async fn history(&self, id: &InstanceId, execution: ExecutionId) -> Result<Vec<Event>, StoreError>;

    /// One page of the instances that meet all conditions.
    async fn query(&self, query: &InstanceQuery) -> Result<Page, StoreError>;

    /// What waits for an instance or is done for it now; none if there is no such instance.
    async fn pending(&self, id: &InstanceId) -> Result<Option<Pending>, StoreError>;

    /// The digests of apps to which instances are pinned that may run again, each once: those that have not ended, and those
    /// that have failed, which can be rewound.
    async fn pinned_apps(&self) -> Result<Vec<String>, StoreError>;

    /// The same apps with how many instances keep each of them, by digest in ascending order of bytes, all as of one moment.
    /// Reads indexes only: ten thousand instances take some milliseconds.
    async fn pins(&self) -> Result<Vec<AppPins>, StoreError>;

    /// Removes all traces of an instance. Answers whether there was one that could be removed.
    async fn purge(&self, id: &InstanceId, purge: Purge) -> Result<bool, StoreError>;

    /// Completes at the next commit on this instance after the call. To wait for a state, ask for the change first, then
    /// read, then wait for it.
    fn changed(&self, id: &InstanceId) -> BoxFuture<'static, ()>;
}
