//! A store with hooks where bugs can be hung.

use async_trait::async_trait;
use futures::future::BoxFuture;
use orchestration::{Checkpoint, Envelope, Event, ExecutionId, Failure, InstanceId, Json, NewInstance, Timestamp};
use ports::{
    ActivityWork, Created, InstanceQuery, InstanceStore, InstanceView, Lease, Page, Pending, Purge, Sent, StoreError,
    TaskHubStore, TurnWork, WorkStore,
};
use std::sync::Arc;

/// What goes wrong; by default nothing.
#[async_trait]
pub(super) trait Hooks: Send + Sync {
    async fn take_turn(&self, store: &dyn TaskHubStore) -> Result<TurnWork, StoreError> {
        store.take_turn().await
    }

    async fn commit(&self, store: &dyn TaskHubStore, lease: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError> {
        store.commit(lease, checkpoint).await
    }

    async fn create(&self, store: &dyn TaskHubStore, instance: NewInstance) -> Result<Created, StoreError> {
        store.create(instance).await
    }

    async fn history(
        &self,
        store: &dyn TaskHubStore,
        id: &InstanceId,
        execution: ExecutionId,
    ) -> Result<Vec<Event>, StoreError> {
        store.history(id, execution).await
    }

    async fn query(&self, store: &dyn TaskHubStore, query: InstanceQuery) -> Result<Page, StoreError> {
        store.query(&query).await
    }

    async fn purge(&self, store: &dyn TaskHubStore, id: &InstanceId, purge: Purge) -> Result<bool, StoreError> {
        store.purge(id, purge).await
    }
}

/// A store that goes wrong in some way.
pub(super) struct Hooked<H> {
    pub(super) inner: Arc<dyn TaskHubStore>,
    pub(super) hooks: H,
}

#[async_trait]
impl<H: Hooks> WorkStore for Hooked<H> {
    async fn take_turn(&self) -> Result<TurnWork, StoreError> {
        self.hooks.take_turn(&*self.inner).await
    }

    async fn commit(&self, lease: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.hooks.commit(&*self.inner, lease, checkpoint).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.inner.release(lease).await
    }

    async fn take_activity(&self) -> Result<ActivityWork, StoreError> {
        self.inner.take_activity().await
    }

    async fn complete_activity(&self, lease: &Lease, result: Result<Json, Failure>) -> Result<(), StoreError> {
        self.inner.complete_activity(lease, result).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease, StoreError> {
        self.inner.renew(lease).await
    }

    fn revoked(&self, lease: &Lease) -> BoxFuture<'static, ()> {
        self.inner.revoked(lease)
    }

    async fn abandon(&self, lease: &Lease, not_before: Timestamp) -> Result<(), StoreError> {
        self.inner.abandon(lease, not_before).await
    }
}

#[async_trait]
impl<H: Hooks> InstanceStore for Hooked<H> {
    async fn create(&self, instance: NewInstance) -> Result<Created, StoreError> {
        self.hooks.create(&*self.inner, instance).await
    }

    async fn send(&self, envelope: Envelope) -> Result<Sent, StoreError> {
        self.inner.send(envelope).await
    }

    async fn read(&self, id: &InstanceId, with_input: bool) -> Result<Option<InstanceView>, StoreError> {
        self.inner.read(id, with_input).await
    }

    async fn history(&self, id: &InstanceId, execution: ExecutionId) -> Result<Vec<Event>, StoreError> {
        self.hooks.history(&*self.inner, id, execution).await
    }

    async fn query(&self, query: &InstanceQuery) -> Result<Page, StoreError> {
        self.hooks.query(&*self.inner, query.clone()).await
    }

    async fn pending(&self, id: &InstanceId) -> Result<Option<Pending>, StoreError> {
        self.inner.pending(id).await
    }

    async fn pinned_apps(&self) -> Result<Vec<String>, StoreError> {
        self.inner.pinned_apps().await
    }

    async fn pins(&self) -> Result<Vec<ports::AppPins>, StoreError> {
        self.inner.pins().await
    }

    async fn purge(&self, id: &InstanceId, purge: Purge) -> Result<bool, StoreError> {
        self.hooks.purge(&*self.inner, id, purge).await
    }

    fn changed(&self, id: &InstanceId) -> BoxFuture<'static, ()> {
        self.inner.changed(id)
    }
}
