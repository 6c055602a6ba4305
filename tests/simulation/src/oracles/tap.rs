//! The store as it is, with somebody watching.

use super::Watch;
use super::commits::Stored;
use crate::clock::VirtualClock;
use async_trait::async_trait;
use futures::future::BoxFuture;
use orchestration::{
    Checkpoint, Envelope, Event, ExecutionId, Failure, InstanceId, InstanceRow, Json, NewInstance, Timestamp,
};
use ports::{
    ActivityWork, Clock, Created, InstanceQuery, InstanceStore, InstanceView, Lease, Page, Pending, Purge, Sent,
    StoreError, TaskHubStore, TurnWork, WorkStore,
};
use std::sync::Arc;

/// Shows every effect on `inner` to `watch`.
pub(crate) struct Tap {
    pub(crate) inner: Arc<dyn TaskHubStore>,
    pub(crate) watch: Watch,
    pub(crate) clock: VirtualClock,
    /// Which generation of the host it is the store of.
    pub(crate) generation: u32,
}

impl Tap {
    async fn stored(&self, checkpoint: &Checkpoint) -> Result<Stored, StoreError> {
        let (id, execution) = (&checkpoint.row.id, checkpoint.execution);
        let row = self.row(id).await?;
        let current = row.as_ref().map_or(execution, |row| row.execution);
        let history = self.inner.history(id, current).await?;
        let previous = if current == execution { Vec::new() } else { self.inner.history(id, execution).await? };
        let mut created = Vec::new();
        for child in &checkpoint.children {
            if self.row(&child.id).await?.is_some_and(|row| row.execution == child.started.execution) {
                created.push(child.id.clone());
            }
        }
        Ok(Stored { row, history, previous, created })
    }

    async fn row(&self, id: &InstanceId) -> Result<Option<InstanceRow>, StoreError> {
        Ok(self.inner.read(id, false).await?.map(|view| view.row))
    }
}

#[async_trait]
impl WorkStore for Tap {
    async fn take_turn(&self) -> Result<TurnWork, StoreError> {
        let work = self.inner.take_turn().await?;
        self.watch.took_turn(&work, self.generation, self.clock.now());
        Ok(work)
    }

    async fn commit(&self, lease: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.inner.commit(lease, checkpoint.clone()).await?;
        let stored = self.stored(&checkpoint).await?;
        self.watch.committed(lease, &checkpoint, stored, self.clock.now());
        Ok(())
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.inner.release(lease).await
    }

    async fn take_activity(&self) -> Result<ActivityWork, StoreError> {
        let work = self.inner.take_activity().await?;
        self.watch.took_activity(&work, self.clock.now());
        Ok(work)
    }

    async fn complete_activity(&self, lease: &Lease, result: Result<Json, Failure>) -> Result<(), StoreError> {
        self.inner.complete_activity(lease, result).await?;
        self.watch.completed(lease);
        Ok(())
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease, StoreError> {
        let renewed = self.inner.renew(lease).await?;
        self.watch.renewed(lease, &renewed);
        Ok(renewed)
    }

    fn revoked(&self, lease: &Lease) -> BoxFuture<'static, ()> {
        self.inner.revoked(lease)
    }

    async fn abandon(&self, lease: &Lease, not_before: Timestamp) -> Result<(), StoreError> {
        self.inner.abandon(lease, not_before).await?;
        self.watch.abandoned(lease);
        Ok(())
    }
}

#[async_trait]
impl InstanceStore for Tap {
    async fn create(&self, instance: NewInstance) -> Result<Created, StoreError> {
        let before = self.row(&instance.id).await?;
        let created = self.inner.create(instance.clone()).await?;
        if created == Created::Yes {
            self.watch.created(&instance, before.as_ref(), self.clock.now());
        }
        Ok(created)
    }

    async fn send(&self, envelope: Envelope) -> Result<Sent, StoreError> {
        let sent = self.inner.send(envelope.clone()).await?;
        if sent == Sent::Yes {
            self.watch.sent(&envelope, self.clock.now());
        }
        Ok(sent)
    }

    async fn read(&self, id: &InstanceId, with_input: bool) -> Result<Option<InstanceView>, StoreError> {
        self.inner.read(id, with_input).await
    }

    async fn history(&self, id: &InstanceId, execution: ExecutionId) -> Result<Vec<Event>, StoreError> {
        self.inner.history(id, execution).await
    }

    async fn query(&self, query: &InstanceQuery) -> Result<Page, StoreError> {
        self.inner.query(query).await
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
        let before = self.row(id).await?;
        let purged = self.inner.purge(id, purge).await?;
        if purged {
            self.watch.purged(id, before.as_ref(), self.clock.now());
        }
        Ok(purged)
    }

    fn changed(&self, id: &InstanceId) -> BoxFuture<'static, ()> {
        self.inner.changed(id)
    }
}
