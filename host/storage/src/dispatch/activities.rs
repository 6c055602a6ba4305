//! Activities: pushed by commits, taken by workers, answered once.

use super::leases::{Standing, Work};
use super::{Dispatch, EventKey, LeaseLost, TakenActivity};
use orchestration::{ActivityTask, Failure, Json, Message, MessageKind, Origin, Timestamp};
use ports::Lease;

/// How many bytes of arguments are kept at hand; tasks beyond are read again when they are taken.
const MAX_CACHED_BYTES: usize = 32 * 1024 * 1024;
/// What a task takes besides its text, roughly.
const TASK_BYTES: usize = 128;

/// An activity whose result no durable checkpoint has consumed.
#[derive(Debug, Default)]
pub(super) struct Activity {
    pub(super) standing: Standing,
    /// Boxed: an instance that waits for a timer keeps room for one activity.
    task: Option<Box<ActivityTask>>,
}

impl Activity {
    /// Whether a worker runs it; none when its result is there.
    pub(super) fn is_running(&self) -> Option<bool> {
        match self.standing {
            Standing::Idle => None,
            Standing::Ready | Standing::Delayed { .. } => Some(false),
            Standing::Leased { .. } | Standing::Committing { .. } => Some(true),
        }
    }
}

impl Dispatch {
    /// Queues an activity whose row is durable.
    pub(crate) fn schedule(&mut self, task: ActivityTask) {
        let key = EventKey { instance: task.instance.clone(), execution: task.execution, event: task.id };
        let bytes = size(&task);
        let fits = self.cached_bytes + bytes <= MAX_CACHED_BYTES;
        self.cached_bytes += if fits { bytes } else { 0 };
        let activity = Activity { standing: Standing::Idle, task: fits.then(|| Box::new(task)) };
        let entry = self.instances.entry(key.instance.clone()).or_default();
        if let Some(replaced) = entry.activities.insert((key.execution, key.event), activity) {
            self.forget_activity(&replaced);
        }
        self.queue_activity(key);
    }

    pub(super) fn queue_activity(&mut self, key: EventKey) {
        let work = Work::Activity(key);
        if let Some(standing @ Standing::Idle) = self.standing(&work) {
            *standing = Standing::Ready;
            if let Work::Activity(key) = work {
                self.ready_activities.push_back(key);
                self.wake.activities += 1;
            }
        }
    }

    /// Hands out the activity that waits longest.
    pub(crate) fn take_activity(&mut self, now: Timestamp) -> Option<TakenActivity> {
        self.advance(now);
        while let Some(key) = self.ready_activities.pop_front() {
            let work = Work::Activity(key.clone());
            if self.standing(&work) != Some(&mut Standing::Ready) {
                continue;
            }
            let (lease, standing) = self.lease(work, now);
            let task = self.activity(&key).and_then(|activity| {
                activity.standing = standing;
                activity.task.as_deref().cloned()
            });
            return Some(TakenActivity { key, lease, task });
        }
        None
    }

    /// Takes in what became of an activity, as a message for the instance that asked.
    pub(crate) fn complete_activity(
        &mut self,
        lease: &Lease,
        result: Result<Json, Failure>,
        now: Timestamp,
    ) -> Result<(), LeaseLost> {
        let key = match self.check(lease, now)? {
            Work::Activity(key) => key,
            Work::Turn(_) => return Err(LeaseLost),
        };
        let Some(activity) = self.activity(&key) else { return Err(LeaseLost) };
        let standing = std::mem::take(&mut activity.standing);
        let bytes = activity.task.take().map_or(0, |task| size(&task));
        self.cached_bytes -= bytes;
        self.release(standing);
        let kind = match result {
            Ok(result) => MessageKind::TaskCompleted { scheduled: key.event, result },
            Err(failure) => MessageKind::TaskFailed { scheduled: key.event, failure },
        };
        let origin = Origin::Activity(key.execution, key.event);
        self.deliver_now(&key.instance, Message { origin, execution: Some(key.execution), kind });
        Ok(())
    }

    /// Forgets an activity: its row is gone. Whoever runs it has lost the lease.
    pub(super) fn drop_activity(&mut self, key: &EventKey) {
        let Some(entry) = self.instances.get_mut(&key.instance) else { return };
        let Some(activity) = entry.activities.remove((key.execution, key.event)) else { return };
        self.forget_activity(&activity);
    }

    /// Forgets an activity that was taken and has no row that can be read.
    pub(crate) fn remove_activity(&mut self, key: &EventKey) {
        self.drop_activity(key);
        self.remove_if_empty(&key.instance);
    }

    /// What is left to do for an activity that is in no entry any more.
    pub(super) fn forget_activity(&mut self, activity: &Activity) {
        self.cached_bytes -= activity.task.as_deref().map_or(0, size);
        self.revoke(activity.standing);
    }

    fn activity(&mut self, key: &EventKey) -> Option<&mut Activity> {
        self.instances.get_mut(&key.instance)?.activities.get_mut((key.execution, key.event))
    }
}

fn size(task: &ActivityTask) -> usize {
    TASK_BYTES + task.name.len() + task.input.len()
}
