//! Instances: messages collect, a turn takes them all, a commit removes the consumed ones.

use super::activities::Activity;
use super::alarms::Alarm;
use super::events::Events;
use super::leases::{Standing, Work};
use super::{Dispatch, EventKey, LeaseLost, TakenTurn};
use orchestration::{
    ActivityTask, EventId, ExecutionId, InstanceId, InstanceRow, Message, MessageKind, Origin, Timer, Timestamp,
};
use ports::Lease;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// Up to how many consumed messages are looked for one by one.
const FEW: usize = 8;

/// What is pending of one instance.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// As of the last commit; only while there is work, so that waiting instances take little.
    row: Option<Arc<InstanceRow>>,
    /// In order of arrival. A turn works on a copy; they go when they are consumed.
    messages: VecDeque<Message>,
    pub(super) standing: Standing,
    pub(super) failed_attempts: u32,
    pub(super) activities: Events<Activity>,
    /// Timers that are set and not yet due.
    timers: Events<Timestamp>,
}

impl Entry {
    fn is_empty(&self) -> bool {
        self.messages.is_empty()
            && self.activities.is_empty()
            && self.timers.is_empty()
            && matches!(self.standing, Standing::Idle)
    }
}

/// What a durable checkpoint changes for the instance itself.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) row: Arc<InstanceRow>,
    /// The execution that the turn belonged to.
    pub(crate) execution: ExecutionId,
    pub(crate) consumed: Vec<Origin>,
    pub(crate) cancelled_timers: Vec<EventId>,
    pub(crate) activities: Vec<ActivityTask>,
    pub(crate) timers: Vec<Timer>,
}

impl Dispatch {
    /// Puts a message that is durable, or whose origin is, in front of its instance.
    pub(crate) fn deliver(&mut self, id: &InstanceId, message: Message) {
        self.entry(id).messages.push_back(message);
        self.queue_turn(id);
    }

    fn entry(&mut self, id: &InstanceId) -> &mut Entry {
        self.instances.entry(id.clone()).or_default()
    }

    pub(super) fn queue_turn(&mut self, id: &InstanceId) {
        if let Some(entry) = self.instances.get_mut(id)
            && entry.standing == Standing::Idle
            && !entry.messages.is_empty()
        {
            entry.standing = Standing::Ready;
            self.ready_turns.push_back(id.clone());
            self.wake.turns += 1;
        }
    }

    /// Sets a timer whose row is durable.
    pub(crate) fn arm(&mut self, key: EventKey, fire_at: Timestamp) {
        let replaced = self.entry(&key.instance).timers.insert((key.execution, key.event), fire_at);
        if let Some(before) = replaced {
            self.alarms.cancel(before, Alarm::Timer(key.clone()));
        }
        self.alarms.set(fire_at, Alarm::Timer(key));
    }

    fn disarm(&mut self, key: EventKey) {
        if let Some(entry) = self.instances.get_mut(&key.instance)
            && let Some(fire_at) = entry.timers.remove((key.execution, key.event))
        {
            self.alarms.cancel(fire_at, Alarm::Timer(key));
        }
    }

    pub(super) fn timer_is_due(&mut self, key: &EventKey) {
        let Some(entry) = self.instances.get_mut(&key.instance) else { return };
        let Some(fire_at) = entry.timers.remove((key.execution, key.event)) else { return };
        let origin = Origin::Timer(key.execution, key.event);
        let kind = MessageKind::TimerFired { timer: key.event, fire_at };
        self.deliver(&key.instance, Message { origin, execution: Some(key.execution), kind });
    }

    /// Hands out the turn that waits longest.
    pub(crate) fn take_turn(&mut self, now: Timestamp) -> Option<TakenTurn> {
        self.advance(now);
        while let Some(id) = self.ready_turns.pop_front() {
            if self.instances.get(&id).is_none_or(|entry| entry.standing != Standing::Ready) {
                continue;
            }
            let (lease, standing) = self.lease(Work::Turn(id.clone()), now);
            let entry = self.entry(&id);
            entry.standing = standing;
            let (row, failed_attempts) = (entry.row.clone(), entry.failed_attempts);
            let messages = entry.messages.iter().cloned().collect();
            return Some(TakenTurn { id, lease, row, messages, failed_attempts });
        }
        None
    }

    /// Whether anything is pending of an instance.
    pub(crate) fn knows(&self, id: &InstanceId) -> bool {
        self.instances.contains_key(id)
    }

    /// The row as of the last commit, if it is at hand.
    pub(crate) fn row(&self, id: &InstanceId) -> Option<Arc<InstanceRow>> {
        self.instances.get(id)?.row.clone()
    }

    /// Keeps the row of an instance that is being worked on at hand.
    pub(crate) fn keep_row(&mut self, lease: &Lease, row: Arc<InstanceRow>) {
        if let Some(Work::Turn(id)) = self.works.get(&lease.epoch)
            && let Some(entry) = self.instances.get_mut(id)
        {
            entry.row.get_or_insert(row);
        }
    }

    /// Puts an instance away whose row cannot be read: it is looked at again when something new arrives for it.
    pub(crate) fn set_aside(&mut self, id: &InstanceId) {
        if let Some(entry) = self.instances.get_mut(id) {
            let standing = std::mem::take(&mut entry.standing);
            self.release(standing);
        }
    }

    /// Which instance the lease is for, if it counts.
    pub(crate) fn check_turn(&mut self, lease: &Lease, now: Timestamp) -> Result<InstanceId, LeaseLost> {
        match self.check(lease, now)? {
            Work::Turn(id) => Ok(id),
            Work::Activity(_) => Err(LeaseLost),
        }
    }

    /// From here until [`Dispatch::committed`] or [`Dispatch::commit_failed`] the lease does not expire.
    pub(crate) fn committing(&mut self, id: &InstanceId, lease: &Lease) {
        let work = Work::Turn(id.clone());
        let standing = self.standing(&work).copied().unwrap_or_default();
        self.cancel_alarm(standing);
        self.set_standing(&work, Standing::Committing { epoch: lease.epoch });
    }

    /// The checkpoint is not durable: the worker has its lease as before.
    pub(crate) fn commit_failed(&mut self, id: &InstanceId, lease: &Lease) {
        let Lease { epoch, expires_at, .. } = *lease;
        self.set_standing(&Work::Turn(id.clone()), Standing::Leased { epoch, expires_at });
        self.alarms.set(expires_at, Alarm::Work(epoch));
    }

    /// The checkpoint is durable: what it consumed goes, what it asked for begins. The lease begins anew, until the worker
    /// releases it.
    pub(crate) fn committed(&mut self, committed: Committed, lease: &Lease, now: Timestamp) {
        let Committed { row, execution, consumed, cancelled_timers, activities, timers } = committed;
        let id = row.id.clone();
        let key = |execution, event| EventKey { instance: id.clone(), execution, event };
        for origin in &consumed {
            match origin {
                Origin::Inbox(_) => {}
                Origin::Activity(execution, event) => self.drop_activity(&key(*execution, *event)),
                Origin::Timer(execution, event) => self.disarm(key(*execution, *event)),
            }
        }
        let mut gone = consumed;
        for event in cancelled_timers {
            self.disarm(key(execution, event));
            // It may be due and not yet consumed.
            gone.push(Origin::Timer(execution, event));
        }
        self.entry(&id).remove_messages(&gone);
        for timer in timers {
            self.arm(key(row.execution, timer.id), timer.fire_at);
        }
        for task in activities {
            self.schedule(task);
        }
        let (epoch, expires_at) = (lease.epoch, now.saturating_add(self.lease_time));
        let entry = self.entry(&id);
        entry.failed_attempts = 0;
        entry.row = Some(row);
        entry.standing = Standing::Leased { epoch, expires_at };
        self.alarms.set(expires_at, Alarm::Work(epoch));
    }

    /// The worker is done with an instance whose turn is committed.
    pub(crate) fn release_turn(&mut self, lease: &Lease, now: Timestamp) -> Result<(), LeaseLost> {
        let id = self.check_turn(lease, now)?;
        let entry = self.entry(&id);
        let standing = std::mem::take(&mut entry.standing);
        if entry.messages.is_empty() && entry.activities.is_empty() {
            entry.row = None;
        }
        self.release(standing);
        self.queue_turn(&id);
        self.remove_if_empty(&id);
        Ok(())
    }

    pub(super) fn remove_if_empty(&mut self, id: &InstanceId) {
        if self.instances.get(id).is_some_and(Entry::is_empty) {
            self.instances.remove(id);
        }
    }

    /// Forgets all about an instance: its rows are gone. Leases on it are lost.
    pub(crate) fn forget(&mut self, id: &InstanceId) {
        let Some(entry) = self.instances.remove(id) else { return };
        self.release(entry.standing);
        for ((execution, event), fire_at) in entry.timers {
            self.alarms.cancel(fire_at, Alarm::Timer(EventKey { instance: id.clone(), execution, event }));
        }
        for (_, activity) in entry.activities {
            self.forget_activity(&activity);
        }
    }
}

impl Entry {
    fn remove_messages(&mut self, gone: &[Origin]) {
        if gone.len() <= FEW {
            self.messages.retain(|message| !gone.contains(&message.origin));
        } else {
            let gone: HashSet<Origin> = gone.iter().copied().collect();
            self.messages.retain(|message| !gone.contains(&message.origin));
        }
    }
}
