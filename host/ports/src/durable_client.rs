//! Starting and steering orchestrations, as functions and the management API do it.

use async_trait::async_trait;
use orchestration::{InstanceId, Json};
use std::time::Duration;

use crate::{InstanceView, StoreError};

/// What to start.
#[derive(Clone, Debug, PartialEq)]
pub struct StartRequest {
    /// The orchestrator, compared without case.
    pub name: String,
    /// Its argument.
    pub input: Json,
    /// The id of the new instance; none: a new one of 32 hexadecimal digits.
    pub instance_id: Option<String>,
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
        status: orchestration::RuntimeStatus,
    },
    /// The instance has ended.
    #[error("the instance with ID '{id}' is {status} and takes no more messages")]
    Gone {
        /// The id.
        id: String,
        /// Its status.
        status: orchestration::RuntimeStatus,
    },
    /// The call itself is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The store cannot do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The client side of a task hub.
#[async_trait]
pub trait DurableClient: Send + Sync {
    /// Starts an orchestration; it is durable when this returns.
    async fn start(&self, request: StartRequest) -> Result<InstanceId, ClientError>;

    /// The status of an instance.
    async fn status(&self, id: &str, with_input: bool) -> Result<InstanceView, ClientError>;

    /// Raises an event; it is durable when this returns.
    async fn raise_event(&self, id: &str, name: &str, input: Json) -> Result<(), ClientError>;

    /// Asks for an instance's end; the demand is durable when this returns.
    async fn terminate(&self, id: &str, reason: Json) -> Result<(), ClientError>;

    /// Waits until the instance has ended or the time is over, and answers its status then.
    async fn wait(&self, id: &str, timeout: Duration) -> Result<InstanceView, ClientError>;

    /// The management URIs of an instance as a JSON object; `origin` is scheme and authority of the request that is being
    /// answered, none for the host's own address.
    fn management_uris(&self, id: &str, origin: Option<&str>) -> Json;
}
