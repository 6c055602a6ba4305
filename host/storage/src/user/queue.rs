//! One queue: its messages without their bodies, by the moment from which on they can be received.

use crate::codec::MessageRow;
use orchestration::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// About 150 bytes a message.
#[derive(Debug)]
pub(crate) struct Queue {
    /// What the keys of its messages begin with.
    pub(crate) number: u64,
    messages: BTreeMap<u64, MessageRow>,
    /// By the moment from which on each can be received, then by sequence.
    order: BTreeSet<(Timestamp, u64)>,
    /// By the moment at which each goes by itself.
    expiries: BTreeSet<(Timestamp, u64)>,
    /// Messages that have gone by themselves and whose rows are still there.
    garbage: Vec<u64>,
}

impl Queue {
    pub(crate) fn new(number: u64) -> Queue {
        let (messages, order, expiries) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Queue { number, messages, order, expiries, garbage: Vec::new() }
    }

    /// Adds a message or changes one.
    pub(crate) fn set(&mut self, sequence: u64, row: MessageRow) {
        if let Some(old) = self.messages.insert(sequence, row) {
            self.order.remove(&(old.visible, sequence));
        } else if row.expires != Timestamp::MAX {
            self.expiries.insert((row.expires, sequence));
        }
        self.order.insert((row.visible, sequence));
    }

    pub(crate) fn remove(&mut self, sequence: u64) {
        if let Some(old) = self.messages.remove(&sequence) {
            self.order.remove(&(old.visible, sequence));
            self.expiries.remove(&(old.expires, sequence));
        }
    }

    /// Lets messages go whose time has come. Their rows follow with later writes: see [`Queue::take_garbage`].
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while let Some((expires, sequence)) = self.expiries.first().copied()
            && expires <= now
        {
            self.remove(sequence);
            self.garbage.push(sequence);
        }
    }

    /// Up to `limit` messages whose rows are to be deleted. If that fails, the next opening finds them again.
    pub(crate) fn take_garbage(&mut self, limit: usize) -> Vec<u64> {
        self.garbage.split_off(self.garbage.len().saturating_sub(limit))
    }

    pub(crate) fn has_garbage(&self) -> bool {
        !self.garbage.is_empty()
    }

    pub(crate) fn get(&self, sequence: u64) -> Option<&MessageRow> {
        self.messages.get(&sequence)
    }

    /// What can be received, in order.
    pub(crate) fn visible(&self, now: Timestamp) -> impl Iterator<Item = (u64, &MessageRow)> {
        let visible = self.order.iter().take_while(move |(visible, _)| *visible <= now);
        visible
            .filter_map(|(_, sequence)| self.messages.get_key_value(sequence))
            .map(|(sequence, row)| (*sequence, row))
    }

    /// From when on the next message can be received that cannot be now, or all that can be if there are.
    pub(crate) fn next_visible(&self) -> Option<Timestamp> {
        self.order.first().map(|(visible, _)| *visible)
    }

    /// From when on the first message can be received that cannot be at `now`.
    pub(crate) fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        use std::ops::Bound;
        self.order.range((Bound::Excluded((now, u64::MAX)), Bound::Unbounded)).next().map(|(visible, _)| *visible)
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }
}
