//! Leases: given out with an epoch that is never used again, checked at each use, lost when their time is over.

use super::alarms::Alarm;
use super::{Dispatch, EventKey, LeaseLost};
use orchestration::{InstanceId, Timestamp};
use ports::Lease;

/// What an epoch is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Work {
    Turn(InstanceId),
    Activity(EventKey),
}

/// Where a turn or an activity stands on its way through the hands of workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Standing {
    /// There is nothing to do: no messages; or the activity's result is among the messages.
    #[default]
    Idle,
    /// In the queue.
    Ready,
    /// Somebody has it until then.
    Leased { epoch: u64, expires_at: Timestamp },
    /// Its checkpoint is being written: the lease cannot expire before that has ended.
    Committing { epoch: u64 },
    /// Given back; in the queue again at that moment.
    Delayed { epoch: u64, until: Timestamp },
}

impl Standing {
    fn epoch(self) -> Option<u64> {
        match self {
            Standing::Leased { epoch, .. } | Standing::Committing { epoch } | Standing::Delayed { epoch, .. } => {
                Some(epoch)
            }
            Standing::Idle | Standing::Ready => None,
        }
    }
}

impl Dispatch {
    /// Lets everything happen whose moment has come.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        while let Some(alarm) = self.alarms.pop(now) {
            match alarm {
                Alarm::Timer(key) => self.timer_is_due(&key),
                Alarm::Message(id, sequence) => self.message_is_due(&id, sequence),
                Alarm::Work(epoch) => {
                    if let Some(work) = self.works.remove(&epoch) {
                        self.return_to_queue(epoch, &work);
                    }
                }
            }
        }
    }

    /// The lease of `epoch` has expired, or the delay under it is over.
    fn return_to_queue(&mut self, epoch: u64, work: &Work) {
        let Some(standing) = self.standing(work) else { return };
        if standing.epoch() != Some(epoch) {
            return;
        }
        let expired = matches!(standing, Standing::Leased { .. });
        *standing = Standing::Idle;
        match work {
            Work::Turn(id) => {
                if expired && let Some(entry) = self.instances.get_mut(id) {
                    entry.failed_attempts = entry.failed_attempts.saturating_add(1);
                }
                self.queue_turn(id);
            }
            Work::Activity(key) => self.queue_activity(key.clone()),
        }
    }

    /// Makes the next lease.
    pub(super) fn lease(&mut self, work: Work, now: Timestamp) -> (Lease, Standing) {
        self.next_epoch += 1;
        let epoch = self.next_epoch;
        let expires_at = now.saturating_add(self.lease_time);
        let what = match &work {
            Work::Turn(id) => format!("instance '{id}'"),
            Work::Activity(key) => format!("activity {} of '{}' ({})", key.event, key.instance, key.execution),
        };
        self.works.insert(epoch, work);
        self.alarms.set(expires_at, Alarm::Work(epoch));
        (Lease { what, epoch, expires_at }, Standing::Leased { epoch, expires_at })
    }

    /// What the lease is for, if it counts.
    pub(super) fn check(&mut self, lease: &Lease, now: Timestamp) -> Result<Work, LeaseLost> {
        self.advance(now);
        let work = self.works.get(&lease.epoch).cloned().ok_or(LeaseLost)?;
        match self.standing(&work) {
            Some(Standing::Leased { epoch, .. }) if *epoch == lease.epoch => Ok(work),
            Some(
                Standing::Leased { .. }
                | Standing::Idle
                | Standing::Ready
                | Standing::Committing { .. }
                | Standing::Delayed { .. },
            )
            | None => Err(LeaseLost),
        }
    }

    /// Whether the lease has not been lost, be it that its commit is being written.
    pub(crate) fn holds(&mut self, lease: &Lease, now: Timestamp) -> bool {
        self.advance(now);
        let Some(work) = self.works.get(&lease.epoch).cloned() else { return false };
        match self.standing(&work) {
            Some(Standing::Leased { epoch, .. } | Standing::Committing { epoch }) => *epoch == lease.epoch,
            Some(Standing::Idle | Standing::Ready | Standing::Delayed { .. }) | None => false,
        }
    }

    /// Keeps the work for another lease time.
    pub(crate) fn renew(&mut self, lease: &Lease, now: Timestamp) -> Result<Lease, LeaseLost> {
        let work = self.check(lease, now)?;
        let renewed = Lease { expires_at: now.saturating_add(self.lease_time), ..lease.clone() };
        if let Some(standing @ Standing::Leased { .. }) = self.standing(&work).copied() {
            self.cancel_alarm(standing);
        }
        let standing = Standing::Leased { epoch: renewed.epoch, expires_at: renewed.expires_at };
        self.set_standing(&work, standing);
        self.alarms.set(renewed.expires_at, Alarm::Work(renewed.epoch));
        Ok(renewed)
    }

    /// Gives the work back undone.
    pub(crate) fn abandon(&mut self, lease: &Lease, not_before: Timestamp, now: Timestamp) -> Result<(), LeaseLost> {
        let work = self.check(lease, now)?;
        let standing = self.standing(&work).copied().unwrap_or_default();
        self.cancel_alarm(standing);
        if let Work::Turn(id) = &work
            && let Some(entry) = self.instances.get_mut(id)
        {
            entry.failed_attempts = entry.failed_attempts.saturating_add(1);
        }
        self.set_standing(&work, Standing::Delayed { epoch: lease.epoch, until: not_before });
        self.alarms.set(not_before, Alarm::Work(lease.epoch));
        self.advance(now);
        Ok(())
    }

    /// Ends what stands under an epoch: lease, delay or commit.
    pub(super) fn release(&mut self, standing: Standing) {
        self.cancel_alarm(standing);
        if let Some(epoch) = standing.epoch() {
            self.works.remove(&epoch);
        }
    }

    /// Ends what stands under an epoch because its work is gone: whoever has the lease is to hear of it.
    pub(super) fn revoke(&mut self, standing: Standing) {
        match standing {
            Standing::Leased { epoch, .. } | Standing::Committing { epoch } => self.revoked.push(epoch),
            Standing::Idle | Standing::Ready | Standing::Delayed { .. } => {}
        }
        self.release(standing);
    }

    pub(super) fn cancel_alarm(&mut self, standing: Standing) {
        match standing {
            Standing::Leased { epoch, expires_at: at } | Standing::Delayed { epoch, until: at } => {
                self.alarms.cancel(at, Alarm::Work(epoch));
            }
            Standing::Committing { .. } | Standing::Idle | Standing::Ready => {}
        }
    }

    pub(super) fn standing(&mut self, work: &Work) -> Option<&mut Standing> {
        match work {
            Work::Turn(id) => self.instances.get_mut(id).map(|entry| &mut entry.standing),
            Work::Activity(key) => self
                .instances
                .get_mut(&key.instance)?
                .activities
                .get_mut((key.execution, key.event))
                .map(|activity| &mut activity.standing),
        }
    }

    pub(super) fn set_standing(&mut self, work: &Work, new: Standing) {
        if let Some(standing) = self.standing(work) {
            *standing = new;
        }
    }
}
