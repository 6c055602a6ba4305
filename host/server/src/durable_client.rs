//! The durable client that functions and the management API get: the task hub's own, the URIs under which it is managed,
//! and an end to waiting when the host stops.

use async_trait::async_trait;
use futures::future::{Either, select};
use orchestration::{InstanceId, Json};
use ports::{ClientError, DurableClient, InstanceView, StartRequest};
use std::time::Duration;
use task_hub::Client;

use crate::management::ManagementUris;
use crate::shutdown::Stopping;

/// See the module.
pub(crate) struct ManagedClient {
    /// The task hub's client.
    pub(crate) hub: Client,
    /// Knows where the management API is.
    pub(crate) uris: ManagementUris,
    /// When the host stops, instances do so too: who waits for one is told how far it has come.
    pub(crate) stopping: Stopping,
}

#[async_trait]
impl DurableClient for ManagedClient {
    async fn start(&self, request: StartRequest) -> Result<InstanceId, ClientError> {
        self.hub.start(request).await
    }

    async fn status(&self, id: &str, with_input: bool) -> Result<InstanceView, ClientError> {
        self.hub.status(id, with_input).await
    }

    async fn raise_event(&self, id: &str, name: &str, input: Json) -> Result<(), ClientError> {
        self.hub.raise_event(id, name, input).await
    }

    async fn terminate(&self, id: &str, reason: Json) -> Result<(), ClientError> {
        self.hub.terminate(id, reason).await
    }

    async fn wait(&self, id: &str, timeout: Duration) -> Result<InstanceView, ClientError> {
        let ended = Box::pin(self.hub.wait(id, timeout));
        match select(ended, self.stopping.clone()).await {
            Either::Left((view, _)) => view,
            Either::Right(((), _)) => self.hub.status(id, false).await,
        }
    }

    fn management_uris(&self, id: &str, origin: Option<&str>) -> Json {
        self.uris.json(id, origin)
    }
}
