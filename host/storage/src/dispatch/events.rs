//! A map from an instance's events to values. Most instances wait for one thing at a time: that one takes no allocation,
//! which a hundred thousand sleeping instances feel.

use orchestration::{EventId, ExecutionId};
use std::collections::BTreeMap;

pub(super) type Key = (ExecutionId, EventId);

#[derive(Debug)]
pub(super) struct Events<V> {
    one: Option<(Key, V)>,
    more: BTreeMap<Key, V>,
}

impl<V> Default for Events<V> {
    fn default() -> Events<V> {
        Events { one: None, more: BTreeMap::new() }
    }
}

impl<V> Events<V> {
    pub(super) fn is_empty(&self) -> bool {
        self.one.is_none() && self.more.is_empty()
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut V> {
        match &mut self.one {
            Some((one, value)) if *one == key => Some(value),
            Some(_) | None => self.more.get_mut(&key),
        }
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &V)> {
        let one = self.one.iter().map(|(key, value)| (*key, value));
        one.chain(self.more.iter().map(|(key, value)| (*key, value)))
    }

    /// Adds a value, and gives back the one that it replaces.
    pub(super) fn insert(&mut self, key: Key, value: V) -> Option<V> {
        if let Some(old) = self.get_mut(key) {
            return Some(std::mem::replace(old, value));
        }
        if self.one.is_none() {
            self.one = Some((key, value));
        } else {
            self.more.insert(key, value);
        }
        None
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<V> {
        if self.one.as_ref().is_some_and(|(one, _)| *one == key) {
            return self.one.take().map(|(_, value)| value);
        }
        self.more.remove(&key)
    }
}

impl<V> IntoIterator for Events<V> {
    type Item = (Key, V);
    type IntoIter = std::iter::Chain<std::option::IntoIter<(Key, V)>, std::collections::btree_map::IntoIter<Key, V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.one.into_iter().chain(self.more)
    }
}
