//! Removing instances and entities for good, one or many, and refusing where something would be lost.

use super::{Client, conflict};
use orchestration::{InstanceId, InstanceRow, RuntimeStatus};
use ports::{ClientError, InstanceQuery, Purge, PurgeFilter};

/// Instances that are looked at in one request: few enough to be held in memory.
const PAGE: usize = 100;

impl Client {
    /// Removes all traces of an instance that has ended, or of an entity that nothing waits for.
    ///
    /// # Errors
    /// When there is none of that id, or it is at work.
    pub async fn purge(&self, id: &str) -> Result<(), ClientError> {
        let instance = InstanceId::from_stored(id);
        let Some(view) = self.store.read(&instance, false).await? else {
            return Err(ClientError::NotFound(id.to_owned()));
        };
        let purge = if instance.is_entity() {
            self.check_entity_is_idle(&view.row).await?;
            Purge::Any
        } else {
            Purge::Ended
        };
        if view.row.entity.is_none() && !view.row.status.is_terminal() {
            return Err(conflict("purge", &view.row, "terminate it and wait for its end, or purge it by force"));
        }
        self.remove(&instance, purge).await
    }

    /// Removes all traces of an instance, also of one that is at work: its locks are released, and its parent learns that it
    /// was removed.
    ///
    /// # Errors
    /// When there is none of that id.
    pub async fn purge_force(&self, id: &str) -> Result<(), ClientError> {
        self.remove(&InstanceId::from_stored(id), Purge::Any).await
    }

    /// Removes all ended instances that match, and answers how many.
    ///
    /// # Errors
    /// When the store fails; what was removed before stays so.
    pub async fn purge_by(&self, filter: &PurgeFilter) -> Result<u64, ClientError> {
        let asked_for = |status: &RuntimeStatus| filter.statuses.is_empty() || filter.statuses.contains(status);
        let statuses: Vec<_> =
            RuntimeStatus::ALL.into_iter().filter(|status| status.is_terminal()).filter(asked_for).collect();
        if statuses.is_empty() {
            return Ok(0);
        }
        let mut query = InstanceQuery {
            statuses,
            created_from: Some(filter.created_from),
            created_to: filter.created_to,
            page_size: PAGE,
            ..InstanceQuery::default()
        };
        let mut purged = 0;
        loop {
            let page = self.store.query(&query).await?;
            for view in page.instances {
                purged += u64::from(self.store.purge(&view.row.id, Purge::Ended).await?);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(purged),
            }
        }
    }

    async fn remove(&self, id: &InstanceId, purge: Purge) -> Result<(), ClientError> {
        if self.store.purge(id, purge).await? { Ok(()) } else { Err(ClientError::NotFound(id.to_string())) }
    }

    /// What waits for an entity would wait for ever.
    async fn check_entity_is_idle(&self, row: &InstanceRow) -> Result<(), ClientError> {
        let is_locked = row.entity.as_ref().is_some_and(|record| record.lock.is_some());
        let pending = self.store.pending(&row.id).await?.unwrap_or_default();
        if is_locked || pending.messages > 0 || !pending.scheduled.is_empty() {
            return Err(conflict(
                "purge",
                row,
                "it is locked or operations wait for it; signal the operation 'delete', or purge it by force",
            ));
        }
        Ok(())
    }
}
