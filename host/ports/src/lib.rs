//! The traits through which anything here reaches the world, and the plain data that crosses them.
//!
//! A port is specified by what it guarantees, and by what it does not promise. The crates that implement ports and the crates
//! that use them know only this crate, never each other; a deterministic world of fakes can stand behind every port.

mod clock;
mod documents;
mod durable_client;
mod effects;
mod functions;
mod instances;
mod metering;
mod queues;
mod store_error;
mod tables;
mod work;

pub use clock::{Clock, Randomness};
pub use documents::{Document, DocumentError, DocumentStore, DocumentWrite, Expecting};
pub use durable_client::{
    ClientError, DurableClient, EntityPage, EntityQuery, EntityView, PrepareStart, PurgeFilter, RewindTo, StartRequest,
};
pub use effects::{EffectError, EffectStore, Effects};
pub use functions::{
    Activities, ActivityInvocation, Advanced, Body, BoundValues, BoxError, Entities, EntityBatch, GuestFault,
    Heartbeat, HttpAnswer, HttpFunctions, HttpInvocation, Orchestrator, Orchestrators, QueueFunctions, QueueInvocation,
    Ran, RetryContext, TimerFunctions, TimerInvocation,
};
pub use instances::{
    AppPins, Created, InstanceKind, InstanceQuery, InstanceStore, InstanceView, Page, PageToken, Pending,
    PendingActivity, Purge, Sent,
};
pub use metering::{Execution, Meter, Work};
pub use queues::{
    Metadata, NewMessage, QueueCreated, QueueError, QueueMessage, QueuePage, QueueStore, QueueView, Receipt, Receiver,
};
pub use store_error::StoreError;
pub use tables::{EntitiesPage, EntitiesQuery, EntityWrite, Matching, Rest, TableError, TableStore, TableView};
pub use work::{ActivityWork, Lease, TaskHubStore, TurnWork, WorkStore};
