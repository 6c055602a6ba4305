//! One queue: its messages without their bodies, by the moment from which on they can be received.

use crate::codec::MessageRow;
use orchestration::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// About 60 bytes a message that waits untouched, 150 bytes any other.
#[derive(Debug)]
pub(crate) struct Queue {
    /// What the keys of its messages begin with.
    pub(crate) number: u64,
    /// Untouched messages by sequence, which is at once the order in which they can be received and the order in which they go
    /// by themselves: one that does not fit in, because the clock was set back or lifetimes differ, is among the others.
    untouched: BTreeMap<u64, Untouched>,
    others: BTreeMap<u64, MessageRow>,
    /// Of the others: by the moment from which on each can be received, then by sequence.
    order: BTreeSet<(Timestamp, u64)>,
    /// Of the others: by the moment at which each goes by itself.
    expiries: BTreeSet<(Timestamp, u64)>,
    /// Messages that have gone by themselves and whose rows are still there.
    garbage: Vec<u64>,
}

/// A message that could be received from the start and that nobody has received or changed, as are nearly all of a long queue.
#[derive(Clone, Copy, Debug)]
struct Untouched {
    inserted: Timestamp,
    expires: Timestamp,
    receipt: u64,
}

impl Untouched {
    fn of(row: &MessageRow) -> Option<Untouched> {
        let MessageRow { inserted, visible, expires, dequeue_count, receipt, host } = *row;
        (visible == inserted && dequeue_count == 0 && !host).then_some(Untouched { inserted, expires, receipt })
    }

    fn row(self) -> MessageRow {
        let Untouched { inserted, expires, receipt } = self;
        MessageRow { inserted, visible: inserted, expires, dequeue_count: 0, receipt, host: false }
    }

    /// Whether it may stand before the next one.
    fn is_before(self, next: Untouched) -> bool {
        self.inserted <= next.inserted && self.expires <= next.expires
    }
}

impl Queue {
    pub(crate) fn new(number: u64) -> Queue {
        let (untouched, others) = (BTreeMap::new(), BTreeMap::new());
        let (order, expiries) = (BTreeSet::new(), BTreeSet::new());
        Queue { number, untouched, others, order, expiries, garbage: Vec::new() }
    }

    /// Adds a message or changes one.
    pub(crate) fn set(&mut self, sequence: u64, row: MessageRow) {
        self.remove(sequence);
        if let Some(untouched) = Untouched::of(&row).filter(|untouched| self.fits_in(sequence, *untouched)) {
            self.untouched.insert(sequence, untouched);
            return;
        }
        self.others.insert(sequence, row);
        self.order.insert((row.visible, sequence));
        if row.expires != Timestamp::MAX {
            self.expiries.insert((row.expires, sequence));
        }
    }

    fn fits_in(&self, sequence: u64, untouched: Untouched) -> bool {
        let before = self.untouched.range(..sequence).next_back();
        let behind = self.untouched.range(sequence..).next();
        before.is_none_or(|(_, before)| before.is_before(untouched))
            && behind.is_none_or(|(_, behind)| untouched.is_before(*behind))
    }

    pub(crate) fn remove(&mut self, sequence: u64) {
        if self.untouched.remove(&sequence).is_none()
            && let Some(old) = self.others.remove(&sequence)
        {
            self.order.remove(&(old.visible, sequence));
            self.expiries.remove(&(old.expires, sequence));
        }
    }

    /// Lets messages go whose time has come. Their rows follow with later writes: see [`Queue::take_garbage`].
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while let Some(first) = self.untouched.first_entry()
            && first.get().expires <= now
        {
            self.garbage.push(first.remove_entry().0);
        }
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

    pub(crate) fn get(&self, sequence: u64) -> Option<MessageRow> {
        let untouched = self.untouched.get(&sequence).map(|untouched| untouched.row());
        untouched.or_else(|| self.others.get(&sequence).copied())
    }

    /// What can be received, in order.
    pub(crate) fn visible(&self, now: Timestamp) -> impl Iterator<Item = (u64, MessageRow)> {
        let untouched = self.untouched.iter().map(|(sequence, untouched)| (*sequence, untouched.row()));
        let mut untouched = untouched.take_while(move |(_, row)| row.visible <= now).peekable();
        let others = self.order.iter().take_while(move |(visible, _)| *visible <= now);
        let others = others.filter_map(|(_, sequence)| Some((*sequence, *self.others.get(sequence)?)));
        let mut others = others.peekable();
        let place = |(sequence, row): &(u64, MessageRow)| (row.visible, *sequence);
        std::iter::from_fn(move || match (untouched.peek(), others.peek()) {
            (Some(one), Some(other)) if place(other) < place(one) => others.next(),
            (Some(_), _) => untouched.next(),
            (None, _) => others.next(),
        })
    }

    /// From when on the next message can be received that cannot be now, or all that can be if there are.
    pub(crate) fn next_visible(&self) -> Option<Timestamp> {
        let untouched = self.untouched.first_key_value().map(|(_, untouched)| untouched.inserted);
        let others = self.order.first().map(|(visible, _)| *visible);
        untouched.into_iter().chain(others).min()
    }

    /// From when on the first message can be received that cannot be at `now`. Passes over those that can be.
    pub(crate) fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        use std::ops::Bound;
        let untouched = self.untouched.values().map(|untouched| untouched.inserted).find(|visible| *visible > now);
        let mut others = self.order.range((Bound::Excluded((now, u64::MAX)), Bound::Unbounded));
        untouched.into_iter().chain(others.next().map(|(visible, _)| *visible)).min()
    }

    pub(crate) fn len(&self) -> usize {
        self.untouched.len() + self.others.len()
    }
}
