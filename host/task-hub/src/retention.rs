//! Removing instances that were kept long enough after they ended, by how they ended.

use crate::{Inner, Stop, unless_stopped};
use orchestration::{RuntimeStatus, Timestamp};
use ports::{InstanceQuery, Purge, StoreError};
use std::time::Duration;

/// Instances that are looked at in one request: few enough to be held in memory.
const PAGE: usize = 100;
/// However short the retention: a pass over the hub is not made more often.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

impl Inner {
    /// Purges now and then, until it is stopped.
    pub(crate) async fn housekeeping_worker(&self, stop: &Stop) {
        let interval = self.housekeeping_interval();
        loop {
            self.keep_house().await;
            let next = self.parts.clock.now().saturating_add(interval);
            if unless_stopped(stop, self.parts.clock.sleep_until(next)).await.is_none() {
                return;
            }
        }
    }

    fn housekeeping_interval(&self) -> Duration {
        let shortest = self.settings.retention.by_status().map(|(_, kept)| kept / 2).min();
        let usual = self.settings.housekeeping_interval;
        shortest.map_or(usual, |shortest| usual.min(shortest)).max(SHORTEST_INTERVAL)
    }

    /// One pass over all statuses that have a retention. What fails is left for the next pass.
    async fn keep_house(&self) {
        for (status, kept) in self.settings.retention.by_status() {
            match self.purge_ended(status, kept).await {
                Ok(0) => {}
                Ok(purged) => tracing::info!(
                    purged,
                    "Removed {purged} instances that had been {status} for more than {} s (host.durableTask.retention)",
                    kept.as_secs()
                ),
                Err(error) => tracing::warn!(%error, "cannot remove {status} instances; trying again later"),
            }
        }
    }

    async fn purge_ended(&self, status: RuntimeStatus, kept: Duration) -> Result<u64, StoreError> {
        let ended_by = earlier(self.parts.clock.now(), kept);
        let mut query = InstanceQuery {
            statuses: vec![status],
            completed_to: Some(ended_by),
            page_size: PAGE,
            ..InstanceQuery::default()
        };
        let mut purged = 0;
        loop {
            let page = self.parts.store.query(&query).await?;
            for view in page.instances {
                purged += u64::from(self.parts.store.purge(&view.row.id, Purge::Ended).await?);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(purged),
            }
        }
    }
}

fn earlier(moment: Timestamp, by: Duration) -> Timestamp {
    let ticks = i64::try_from(by.as_nanos() / 100).unwrap_or(i64::MAX);
    Timestamp::from_ticks(moment.ticks().saturating_sub(ticks))
}
