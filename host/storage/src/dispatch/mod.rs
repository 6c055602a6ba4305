//! What is to be done next, in memory: messages waiting for instances, activities waiting to run, leases and timers.
//!
//! Pure: the time is an argument, nothing here waits, reads rows or wakes anybody. Everything in here follows from the
//! durable rows and is rebuilt from them when the store opens; only leases, and results of activities whose turn is not
//! durable yet, are lost with the process. Whom to wake is counted up in [`Wake`] for the caller, who holds the lock.

mod activities;
mod alarms;
mod events;
mod inspection;
mod instances;
mod leases;

#[cfg(test)]
mod tests;

pub(crate) use instances::Committed;

use alarms::Alarms;
use instances::Entry;
use leases::Work;
use orchestration::{EventId, ExecutionId, InstanceId, InstanceRow, Message, Timestamp};
use ports::Lease;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// An event of an instance: an activity or a timer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct EventKey {
    pub(crate) instance: InstanceId,
    pub(crate) execution: ExecutionId,
    pub(crate) event: EventId,
}

/// How much work has become ready since the last look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Wake {
    pub(crate) turns: usize,
    pub(crate) activities: usize,
}

/// A message that is durable, or whose origin is, on its way in front of its instance.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) to: InstanceId,
    pub(crate) message: Message,
    /// None: at once.
    pub(crate) not_before: Option<Timestamp>,
}

/// A turn that was handed out.
#[derive(Debug)]
pub(crate) struct TakenTurn {
    pub(crate) id: InstanceId,
    pub(crate) lease: Lease,
    /// The row, if it is at hand.
    pub(crate) row: Option<Arc<InstanceRow>>,
    pub(crate) messages: Vec<Message>,
    pub(crate) failed_attempts: u32,
}

/// An activity that was handed out.
#[derive(Debug)]
pub(crate) struct TakenActivity {
    pub(crate) key: EventKey,
    pub(crate) lease: Lease,
    /// The task, if it is at hand.
    pub(crate) task: Option<orchestration::ActivityTask>,
}

/// The lease that was shown is not the one that counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LeaseLost;

/// See the module.
#[derive(Debug)]
pub(crate) struct Dispatch {
    lease_time: Duration,
    /// Every instance with anything pending. Looked up by id only, never iterated.
    instances: HashMap<InstanceId, Entry>,
    ready_turns: VecDeque<InstanceId>,
    ready_activities: VecDeque<EventKey>,
    alarms: Alarms,
    /// What each epoch in use is for: leases, and work that waits after it was given back.
    works: HashMap<u64, Work>,
    next_epoch: u64,
    /// Bytes of activities' arguments that are kept at hand.
    cached_bytes: usize,
    wake: Wake,
    /// Epochs of leases whose work was taken back since the last look.
    revoked: Vec<u64>,
}

impl Dispatch {
    /// Nothing to do yet. Epochs start behind `first_epoch`, which must be beyond all that this store gave out before.
    pub(crate) fn new(lease_time: Duration, first_epoch: u64) -> Dispatch {
        Dispatch {
            lease_time,
            instances: HashMap::new(),
            ready_turns: VecDeque::new(),
            ready_activities: VecDeque::new(),
            alarms: Alarms::default(),
            works: HashMap::new(),
            next_epoch: first_epoch,
            cached_bytes: 0,
            wake: Wake::default(),
            revoked: Vec::new(),
        }
    }

    /// Whether nothing is pending, queued, leased or set for later.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.instances.is_empty()
            && self.ready_turns.is_empty()
            && self.ready_activities.is_empty()
            && self.alarms.next().is_none()
            && self.works.is_empty()
            && self.revoked.is_empty()
            && self.cached_bytes == 0
    }

    /// What has become ready since the last call.
    pub(crate) fn take_wake(&mut self) -> Wake {
        std::mem::take(&mut self.wake)
    }

    /// The epochs of the leases whose work was taken back since the last call.
    pub(crate) fn take_revoked(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.revoked)
    }

    /// When [`Dispatch::advance`] has something to do again.
    pub(crate) fn next_alarm(&self) -> Option<Timestamp> {
        self.alarms.next()
    }
}
