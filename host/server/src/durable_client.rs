//! The durable client that functions and the management API get: the task hub's own, the URIs under which it is managed,
//! and an end to waiting when the host stops.

use async_trait::async_trait;
use futures::future::{Either, select};
use orchestration::{EntityId, InstanceId, Json, NewInstance, RaisedEvent, Timestamp};
use ports::{
    ClientError, DurableClient, EntityPage, EntityQuery, EntityView, InstanceQuery, InstanceView, Page, PrepareStart,
    PurgeFilter, RewindTo, StartRequest,
};
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

impl PrepareStart for ManagedClient {
    fn prepare_start(&self, request: StartRequest) -> Result<NewInstance, ClientError> {
        self.hub.prepare_start(request)
    }
}

#[async_trait]
impl DurableClient for ManagedClient {
    async fn start(&self, request: StartRequest) -> Result<InstanceId, ClientError> {
        self.hub.start(request).await
    }

    async fn status(&self, id: &str, with_input: bool) -> Result<InstanceView, ClientError> {
        self.hub.status(id, with_input).await
    }

    async fn query(&self, query: &InstanceQuery) -> Result<Page, ClientError> {
        self.hub.query(query).await
    }

    async fn raise_event(&self, id: &str, event: RaisedEvent) -> Result<(), ClientError> {
        self.hub.raise_event(id, event).await
    }

    async fn terminate(&self, id: &str, reason: Json, recursive: bool) -> Result<(), ClientError> {
        self.hub.terminate(id, reason, recursive).await
    }

    async fn suspend(&self, id: &str, reason: String) -> Result<(), ClientError> {
        self.hub.suspend(id, reason).await
    }

    async fn resume(&self, id: &str, reason: String) -> Result<(), ClientError> {
        self.hub.resume(id, reason).await
    }

    async fn rewind(&self, id: &str, reason: String, to: RewindTo) -> Result<(), ClientError> {
        self.hub.rewind(id, reason, to).await
    }

    async fn restart(&self, id: &str, with_new_id: bool) -> Result<InstanceId, ClientError> {
        self.hub.restart(id, with_new_id).await
    }

    async fn purge(&self, id: &str) -> Result<(), ClientError> {
        self.hub.purge(id).await
    }

    async fn purge_by(&self, filter: &PurgeFilter) -> Result<u64, ClientError> {
        self.hub.purge_by(filter).await
    }

    async fn clean_entities(&self) -> Result<u64, ClientError> {
        self.hub.clean_entities().await
    }

    async fn signal_entity(
        &self,
        entity: EntityId,
        operation: String,
        input: Json,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        self.hub.signal_entity(entity, operation, input, deliver_at).await
    }

    async fn read_entity(&self, entity: &EntityId) -> Result<Option<EntityView>, ClientError> {
        self.hub.read_entity(entity).await
    }

    async fn query_entities(&self, query: &EntityQuery) -> Result<EntityPage, ClientError> {
        self.hub.query_entities(query).await
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
