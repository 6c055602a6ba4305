//! The store as it is, with somebody watching.

use super::Watch;
use super::commits::Stored;
use crate::clock::VirtualClock;
use async_trait::async_trait;
use futures::future::BoxFuture;
use orchestration::{Checkpoint, Envelope, Event, ExecutionId, Failure, InstanceId, Json, NewInstance, Timestamp};
use ports::{
    ActivityWork, Clock, Created, InstanceQuery, InstanceStore, InstanceView, Lease, Page, Purge, Reuse, Sent,
    StoreError, TaskHubStore, TurnWork, WorkStore,
};
use std::sync::Arc;

/// Shows every effect on `inner` to `watch`.
pub(crate) struct Tap {
    pub(crate) inner: Arc<dyn TaskHubStore>,
    pub(crate) watch: Watch,
    pub(crate) clock: VirtualClock,
}

impl Tap {
    async fn stored(&self, checkpoint: &Checkpoint) -> Result<Stored, StoreError> {
        let (id, execution) = (&checkpoint.row.id, checkpoint.execution);
        let row = self.inner.read(id, false).await?.map(|view| view.row);
        let current = row.as_ref().map_or(execution, |row| row.execution);
        let history = self.inner.history(id, current).await?;
        let previous = if current == execution { Vec::new() } else { self.inner.history(id, execution).await? };
        let mut created = Vec::new();
        for child in &checkpoint.children {
            let stored = self.inner.read(&child.id, false).await?;
            if stored.is_some_and(|view| view.row.execution == child.started.execution) {
                created.push(child.id.clone());
            }
        }
        Ok(Stored { row, history, previous, created })
    }
}

#[async_trait]
impl WorkStore for Tap {
    async fn take_turn(&self) -> Result<TurnWork, StoreError> {
        let work = self.inner.take_turn().await?;
        self.watch.took_turn(&work, self.clock.now());
        Ok(work)
    }

    async fn commit(&self, lease: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.inner.commit(lease, checkpoint.clone()).await?;
        let stored = self.stored(&checkpoint).await?;
        self.watch.committed(lease, &checkpoint, stored);
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

    async fn abandon(&self, lease: &Lease, not_before: Timestamp) -> Result<(), StoreError> {
        self.inner.abandon(lease, not_before).await?;
        self.watch.abandoned(lease);
        Ok(())
    }
}

#[async_trait]
impl InstanceStore for Tap {
    async fn create(&self, instance: NewInstance, reuse: Reuse) -> Result<Created, StoreError> {
        let created = self.inner.create(instance.clone(), reuse).await?;
        if created == Created::Yes {
            self.watch.created(&instance);
        }
        Ok(created)
    }

    async fn send(&self, envelope: Envelope) -> Result<Sent, StoreError> {
        self.watch.sending(&envelope);
        self.inner.send(envelope).await
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

    async fn purge(&self, id: &InstanceId, purge: Purge) -> Result<bool, StoreError> {
        let purged = self.inner.purge(id, purge).await?;
        if purged {
            self.watch.purged(id);
        }
        Ok(purged)
    }

    fn changed(&self, id: &InstanceId) -> BoxFuture<'static, ()> {
        self.inner.changed(id)
    }
}
