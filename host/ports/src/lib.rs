//! The traits through which anything here reaches the world, and the plain data that crosses them.
//!
//! A port is specified by what it guarantees, and by what it does not promise. The crates that implement ports and the crates
//! that use them know only this crate, never each other; a deterministic world of fakes can stand behind every port.

mod clock;
mod durable_client;
mod functions;
mod instances;
mod store_error;
mod work;

pub use clock::{Clock, Randomness};
pub use durable_client::{
    ClientError, DurableClient, EntityPage, EntityQuery, EntityView, PurgeFilter, RewindTo, StartRequest,
};
pub use functions::{
    Activities, ActivityInvocation, Advanced, Body, BoxError, Entities, EntityBatch, GuestFault, Heartbeat,
    HttpFunctions, HttpInvocation, Orchestrator, Orchestrators,
};
pub use instances::{
    Created, InstanceKind, InstanceQuery, InstanceStore, InstanceView, Page, PageToken, Pending, PendingActivity,
    Purge, Sent,
};
pub use store_error::StoreError;
pub use work::{ActivityWork, Lease, TaskHubStore, TurnWork, WorkStore};
