//! Instances: messages collect, a turn takes them all, a commit removes the consumed ones. The rest waits for the next message.

use super::activities::Activity;
use super::alarms::Alarm;
use super::events::Events;
use super::leases::{Standing, Work};
use super::{Delivery, Dispatch, EventKey, LeaseLost, TakenTurn};
use orchestration::{
    ActivityTask, EventId, ExecutionId, InstanceId, InstanceRow, Message, MessageKind, Origin, Timer, Timestamp,
};
use ports::Lease;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

/// Up to how many consumed messages are looked for one by one.
const FEW: usize = 8;

/// What is pending of one instance.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// As of the last commit; only while there is work, so that waiting instances take little.
    row: Option<Arc<InstanceRow>>,
    /// In order of arrival. A turn works on a copy; they go when they are consumed.
    pub(super) messages: VecDeque<Message>,
    /// How many of them, from the first on, were handed out with the turn that is being worked on.
    handed_out: usize,
    /// How many of them, from the first on, a commit has left for the turn after the next message.
    left: usize,
    /// Messages that are to be handed out later, by their places in the inbox.
    pub(super) later: BTreeMap<u64, (Timestamp, Message)>,
    pub(super) standing: Standing,
    pub(super) failed_attempts: u32,
    pub(super) activities: Events<Activity>,
    /// Timers that are set and not yet due.
    pub(super) timers: Events<Timestamp>,
}

impl Entry {
    fn is_empty(&self) -> bool {
        self.messages.is_empty()
            && self.later.is_empty()
            && self.activities.is_empty()
            && self.timers.is_empty()
            && matches!(self.standing, Standing::Idle)
    }
}

/// What a durable checkpoint changes for the instance itself.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) row: Arc<InstanceRow>,
    /// Whether the row is there no more.
    pub(crate) removed: bool,
    /// Whether what was not consumed is handed out again at once.
    pub(crate) more: bool,
    /// The execution that the turn belonged to.
    pub(crate) execution: ExecutionId,
    pub(crate) consumed: Vec<Origin>,
    pub(crate) cancelled_timers: Vec<EventId>,
    pub(crate) cancelled_activities: Vec<EventId>,
    pub(crate) activities: Vec<ActivityTask>,
    pub(crate) timers: Vec<Timer>,
}

impl Dispatch {
    /// Puts a message in front of its instance, now or when its moment has come.
    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        let Delivery { to, message, not_before } = delivery;
        // Only what is in an inbox can be sent for later.
        if let (Some(at), Origin::Inbox(sequence)) = (not_before, message.origin) {
            self.entry(&to).later.insert(sequence, (at, message));
            self.alarms.set(at, Alarm::Message(to, sequence));
        } else {
            self.deliver_now(&to, message);
        }
    }

    pub(super) fn deliver_now(&mut self, id: &InstanceId, message: Message) {
        self.entry(id).messages.push_back(message);
        self.queue_turn(id);
    }

    pub(super) fn message_is_due(&mut self, id: &InstanceId, sequence: u64) {
        let due = self.instances.get_mut(id).and_then(|entry| entry.later.remove(&sequence));
        if let Some((_, message)) = due {
            self.deliver_now(id, message);
        }
    }

    fn entry(&mut self, id: &InstanceId) -> &mut Entry {
        self.instances.entry(id.clone()).or_default()
    }

    pub(super) fn queue_turn(&mut self, id: &InstanceId) {
        if let Some(entry) = self.instances.get_mut(id)
            && entry.standing == Standing::Idle
            && entry.messages.len() > entry.left
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
        self.deliver_now(&key.instance, Message { origin, execution: Some(key.execution), kind });
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
            entry.handed_out = entry.messages.len();
            let (row, failed_attempts) = (entry.row.clone(), entry.failed_attempts);
            let messages = entry.messages.iter().cloned().collect();
            return Some(TakenTurn { id, lease, row, messages, failed_attempts });
        }
        None
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
        let Committed { row, removed, more, execution, consumed, activities, timers, .. } = committed;
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
        for event in committed.cancelled_timers {
            self.disarm(key(execution, event));
            // It may be due and not yet consumed.
            gone.push(Origin::Timer(execution, event));
        }
        for event in committed.cancelled_activities {
            self.drop_activity(&key(execution, event));
            // It may be answered and the answer not yet consumed.
            gone.push(Origin::Activity(execution, event));
        }
        let entry = self.entry(&id);
        entry.remove_messages(&gone);
        entry.left = if more { 0 } else { entry.handed_out };
        for timer in timers {
            self.arm(key(row.execution, timer.id), timer.fire_at);
        }
        for task in activities {
            self.schedule(task);
        }
        let (epoch, expires_at) = (lease.epoch, now.saturating_add(self.lease_time));
        let entry = self.entry(&id);
        entry.failed_attempts = 0;
        entry.row = (!removed).then_some(row);
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
        self.revoke(entry.standing);
        for (sequence, (at, _)) in entry.later {
            self.alarms.cancel(at, Alarm::Message(id.clone(), sequence));
        }
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
            self.retain_messages(|origin| !gone.contains(origin));
        } else {
            let gone: HashSet<Origin> = gone.iter().copied().collect();
            self.retain_messages(|origin| !gone.contains(origin));
        }
    }

    fn retain_messages(&mut self, stays: impl Fn(&Origin) -> bool) {
        let (mut index, mut of_handed_out) = (0, 0);
        self.messages.retain(|message| {
            let stays = stays(&message.origin);
            of_handed_out += usize::from(stays && index < self.handed_out);
            index += 1;
            stays
        });
        self.handed_out = of_handed_out;
    }
}
