//! Starting and steering orchestrations, as functions and the management API do it.

use async_trait::async_trait;
use orchestration::{
    EntityId, InstanceId, Json, NewInstance, RaisedEvent, Reuse, RuntimeStatus, StartOptions, Timestamp,
};
use std::time::Duration;

use crate::{InstanceQuery, InstanceView, Page, PageToken, StoreError};

/// What to start.
#[derive(Clone, Debug, PartialEq)]
pub struct StartRequest {
    /// The orchestrator, compared without case.
    pub name: String,
    /// Its argument.
    pub input: Json,
    /// The id of the new instance; none: a new one of 32 hexadecimal digits.
    pub instance_id: Option<String>,
    /// Version, tags and the moment of the start.
    pub options: StartOptions,
    /// A second start with the same key starts nothing and answers the id of the first.
    pub idempotency_key: Option<String>,
    /// Which existing instance of the same id it may replace; none: what the app's settings say.
    pub reuse: Option<Reuse>,
}

impl StartRequest {
    /// A start with a new id and without options.
    pub fn new(name: impl Into<String>, input: Json) -> StartRequest {
        StartRequest {
            name: name.into(),
            input,
            instance_id: None,
            options: StartOptions::default(),
            idempotency_key: None,
            reuse: None,
        }
    }
}

/// The app on which a rewound instance goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewindTo {
    /// The one that it is pinned to.
    SameApp,
    /// The present one.
    PresentApp,
}

/// Which ended instances to remove.
#[derive(Clone, Debug, PartialEq)]
pub struct PurgeFilter {
    /// Created at this moment or later.
    pub created_from: Timestamp,
    /// Created at this moment or earlier.
    pub created_to: Option<Timestamp>,
    /// Any of these; those that are not terminal match nothing. Empty: all that have ended.
    pub statuses: Vec<RuntimeStatus>,
}

/// An entity as clients see it: as of its last batch.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityView {
    /// Which.
    pub id: EntityId,
    /// Its state; none if it was not asked for, or if the entity does not exist and is only locked.
    pub state: Option<Json>,
    /// When it last did something.
    pub last_operation_at: Timestamp,
    /// The orchestration that has locked it.
    pub locked_by: Option<InstanceId>,
}

/// Which entities to list. Conditions that are none hold for all.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EntityQuery {
    /// Of this name, compared without case.
    pub name: Option<String>,
    /// Did something at this moment or later.
    pub last_operation_from: Option<Timestamp>,
    /// Did something at this moment or earlier.
    pub last_operation_to: Option<Timestamp>,
    /// Whether to read the states.
    pub with_state: bool,
    /// Whether entities without a state, which are only locked, are listed too.
    pub with_transient: bool,
    /// At most this many; 0: the store's own page size.
    pub page_size: usize,
    /// Where the last page ended.
    pub after: Option<PageToken>,
}

/// One page of a list of entities.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EntityPage {
    /// The entities, by instance id.
    pub entities: Vec<EntityView>,
    /// Where to go on; none after the last page.
    pub next: Option<PageToken>,
}

/// Why a client operation was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// There is no such instance.
    #[error("no instance with ID '{0}' was found")]
    NotFound(String),
    /// An instance of that id is at work.
    #[error("an instance with ID '{id}' already exists and is {status}; wait until it has ended, or choose another ID")]
    AlreadyExists {
        /// The id.
        id: String,
        /// Its status.
        status: RuntimeStatus,
    },
    /// The instance has ended.
    #[error("the instance with ID '{id}' is {status} and takes no more messages")]
    Gone {
        /// The id.
        id: String,
        /// Its status.
        status: RuntimeStatus,
    },
    /// The instance is in no state for it.
    #[error("cannot {what} the instance with ID '{id}': it is {status}; {remedy}")]
    Conflict {
        /// What was asked for.
        what: &'static str,
        /// The id.
        id: String,
        /// Its status.
        status: RuntimeStatus,
        /// What would help.
        remedy: &'static str,
    },
    /// The call itself is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The store cannot do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes starts that become durable together with something else (see [`Effects`](crate::Effects)).
pub trait PrepareStart: Send + Sync {
    /// What a start would create. Nothing is there yet.
    fn prepare_start(&self, request: StartRequest) -> Result<NewInstance, ClientError>;
}

/// The client side of a task hub.
#[async_trait]
pub trait DurableClient: Send + Sync {
    /// Starts an orchestration; it is durable when this returns.
    async fn start(&self, request: StartRequest) -> Result<InstanceId, ClientError>;

    /// The status of an instance.
    async fn status(&self, id: &str, with_input: bool) -> Result<InstanceView, ClientError>;

    /// One page of the instances that meet all conditions.
    async fn query(&self, query: &InstanceQuery) -> Result<Page, ClientError>;

    /// Raises an event; it is durable when this returns. One with an id is accepted once.
    async fn raise_event(&self, id: &str, event: RaisedEvent) -> Result<(), ClientError>;

    /// Asks for an instance's end, and with `recursive` for that of its children; durable when this returns.
    async fn terminate(&self, id: &str, reason: Json, recursive: bool) -> Result<(), ClientError>;

    /// Holds an instance; durable when this returns.
    async fn suspend(&self, id: &str, reason: String) -> Result<(), ClientError>;

    /// Lets a held instance go on; durable when this returns.
    async fn resume(&self, id: &str, reason: String) -> Result<(), ClientError>;

    /// Runs a failed instance again from the last good point; durable when this returns.
    async fn rewind(&self, id: &str, reason: String, to: RewindTo) -> Result<(), ClientError>;

    /// Starts again what was started once, with the same input; under a new id, or under the same if the instance has ended.
    async fn restart(&self, id: &str, with_new_id: bool) -> Result<InstanceId, ClientError>;

    /// Removes all traces of an instance that has ended.
    async fn purge(&self, id: &str) -> Result<(), ClientError>;

    /// Removes all ended instances that match, and answers how many.
    async fn purge_by(&self, filter: &PurgeFilter) -> Result<u64, ClientError>;

    /// Tells an entity to do something, at this moment or later; durable when this returns.
    async fn signal_entity(
        &self,
        entity: EntityId,
        operation: String,
        input: Json,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), ClientError>;

    /// An entity; none if it does not exist.
    async fn read_entity(&self, entity: &EntityId) -> Result<Option<EntityView>, ClientError>;

    /// One page of the entities that meet all conditions.
    async fn query_entities(&self, query: &EntityQuery) -> Result<EntityPage, ClientError>;

    /// Waits until the instance has ended or the time is over, and answers its status then.
    async fn wait(&self, id: &str, timeout: Duration) -> Result<InstanceView, ClientError>;

    /// Releases the locks of entities whose owner is gone, and answers how many. A last resort: whatever ends an owner releases
    /// its locks.
    async fn clean_entities(&self) -> Result<u64, ClientError>;

    /// The management URIs of an instance as a JSON object; `origin` is scheme and authority of the request that is being
    /// answered, none for the host's own address.
    fn management_uris(&self, id: &str, origin: Option<&str>) -> Json;
}
