//! Removing instances and entities for good, one or many, and refusing where something would be lost.

use super::{Client, conflict};
use orchestration::{InstanceId, RuntimeStatus};
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
        if self.store.purge(&instance, Purge::Ended).await? {
            return Ok(());
        }
        let remedy = if instance.is_entity() {
            "it is locked or operations wait for it; signal the operation 'delete', or wait until it is idle"
        } else {
            "terminate it and wait for its end, or purge it by force"
        };
        Err(conflict("purge", &view.row, remedy))
    }

    /// Removes all traces of an instance, also of one that is at work: its locks are released, and its parent learns that it
    /// was removed. An entity that somebody waits for is spared all the same: its callers would wait for ever.
    ///
    /// # Errors
    /// When there is none of that id, or it is an entity that is not idle.
    pub async fn purge_force(&self, id: &str) -> Result<(), ClientError> {
        let instance = InstanceId::from_stored(id);
        if instance.is_entity() {
            return self.purge(id).await;
        }
        self.remove(&instance, Purge::Any).await
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
}
