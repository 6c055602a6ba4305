//! Everything that happens by itself at some moment, in one ordered set.

use super::EventKey;
use orchestration::{InstanceId, Timestamp};
use std::collections::BTreeSet;

/// What happens. Epochs come first: they compare without looking at ids.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Alarm {
    /// The lease of this epoch expires, or the work that was given back under it may be taken again.
    Work(u64),
    /// A timer is due.
    Timer(EventKey),
    /// A message that was to be handed out later is due, by its place in the inbox.
    Message(InstanceId, u64),
}

#[derive(Debug, Default)]
pub(super) struct Alarms {
    set: BTreeSet<(Timestamp, Alarm)>,
}

impl Alarms {
    /// Nothing that is set to [`Timestamp::MAX`] ever happens.
    pub(super) fn set(&mut self, at: Timestamp, alarm: Alarm) {
        if at == Timestamp::MAX {
            return;
        }
        self.set.insert((at, alarm));
    }

    pub(super) fn cancel(&mut self, at: Timestamp, alarm: Alarm) {
        self.set.remove(&(at, alarm));
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.set.first().map(|(at, _)| *at)
    }

    /// The first alarm, if its moment has come.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<Alarm> {
        if self.next()? > now {
            return None;
        }
        self.set.pop_first().map(|(_, alarm)| alarm)
    }
}
