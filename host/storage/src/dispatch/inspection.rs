//! Looking at what is pending, for those who decide about a row and those who ask what an instance waits for.

use super::Dispatch;
use super::leases::Standing;
use orchestration::{ExecutionId, InstanceId, Origin};
use ports::{Pending, PendingActivity};
use std::collections::HashSet;

impl Dispatch {
    /// Whether anything is pending of an instance.
    pub(crate) fn knows(&self, id: &InstanceId) -> bool {
        self.instances.contains_key(id)
    }

    /// Whether anything waits for an instance besides what is being consumed now.
    pub(crate) fn has_more_for(&self, id: &InstanceId, consumed: &[Origin]) -> bool {
        let Some(entry) = self.instances.get(id) else { return false };
        let consumed: HashSet<Origin> = consumed.iter().copied().collect();
        let waits = !entry.messages.iter().all(|message| consumed.contains(&message.origin));
        waits || !entry.later.is_empty()
    }

    /// What is pending of an instance. Activities and timers are those of one execution: only there do their numbers mean
    /// something.
    pub(crate) fn pending(&self, id: &InstanceId, execution: ExecutionId) -> Pending {
        let Some(entry) = self.instances.get(id) else { return Pending::default() };
        let mut scheduled: Vec<_> = entry.later.values().map(|(at, _)| *at).collect();
        scheduled.sort_unstable();
        let of_execution = |of: ExecutionId| of == execution;
        let activities = entry.activities.iter().filter(|((of, _), _)| of_execution(*of));
        let mut activities: Vec<PendingActivity> = activities
            .filter_map(|((_, id), activity)| Some(PendingActivity { id, running: activity.is_running()? }))
            .collect();
        activities.sort_unstable_by_key(|activity| activity.id);
        let timers = entry.timers.iter().filter(|((of, _), _)| of_execution(*of));
        let mut timers: Vec<_> = timers.map(|((_, id), fire_at)| (id, *fire_at)).collect();
        timers.sort_unstable();
        let leased = match entry.standing {
            Standing::Leased { .. } | Standing::Committing { .. } => true,
            Standing::Idle | Standing::Ready | Standing::Delayed { .. } => false,
        };
        let (messages, failed_attempts) = (entry.messages.len(), entry.failed_attempts);
        Pending { messages, scheduled, leased, failed_attempts, activities, timers }
    }
}
