//! What a filter says of keys, so that a store can read less than a whole table.
//!
//! Only what the comparisons joined by `and` at the top say counts: `or` and `not` say nothing here. So a range may hold keys that
//! do not match, but never lacks one that does.

use super::{Comparison, Filter, Operand};
use crate::entity::{EntityKey, utf16_order};
use crate::value::EdmValue;
use std::ops::Bound;

/// The keys that can match a filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRange {
    /// The partitions.
    pub partition: KeyBounds,
    /// The rows, in each of the partitions.
    pub row: KeyBounds,
}

/// The values that one of the two keys can have, in the order of [`utf16_order`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyBounds {
    /// From here on.
    pub lower: Bound<String>,
    /// Up to here.
    pub upper: Bound<String>,
}

impl Filter {
    /// The keys that can match.
    pub fn key_range(&self) -> KeyRange {
        let mut range = KeyRange::ALL;
        narrow(&mut range, self);
        range
    }
}

impl KeyRange {
    /// Every key.
    pub const ALL: KeyRange = KeyRange { partition: KeyBounds::ALL, row: KeyBounds::ALL };

    /// Whether the key is in the range.
    pub fn contains(&self, key: &EntityKey) -> bool {
        self.partition.contains(&key.partition) && self.row.contains(&key.row)
    }

    /// The one key in the range, if there is only one.
    pub fn single(&self) -> Option<EntityKey> {
        let (partition, row) = (self.partition.single()?.to_owned(), self.row.single()?.to_owned());
        Some(EntityKey { partition, row })
    }
}

impl KeyBounds {
    /// Every value.
    pub const ALL: KeyBounds = KeyBounds { lower: Bound::Unbounded, upper: Bound::Unbounded };

    /// Whether the value is within the bounds.
    pub fn contains(&self, key: &str) -> bool {
        let above = match &self.lower {
            Bound::Unbounded => true,
            Bound::Included(lower) => utf16_order(key, lower).is_ge(),
            Bound::Excluded(lower) => utf16_order(key, lower).is_gt(),
        };
        above && !self.is_above(key)
    }

    /// Whether the value, and thereby every later one, is beyond the upper bound.
    pub fn is_above(&self, key: &str) -> bool {
        match &self.upper {
            Bound::Unbounded => false,
            Bound::Included(upper) => utf16_order(key, upper).is_gt(),
            Bound::Excluded(upper) => utf16_order(key, upper).is_ge(),
        }
    }

    /// The one value within the bounds, if both are that value.
    pub fn single(&self) -> Option<&str> {
        match (&self.lower, &self.upper) {
            (Bound::Included(lower), Bound::Included(upper)) => (lower == upper).then_some(lower),
            (Bound::Unbounded | Bound::Included(_) | Bound::Excluded(_), _) => None,
        }
    }

    fn raise(&mut self, to: Bound<String>) {
        if is_tighter(&self.lower, &to, |a, b| utf16_order(a, b).is_gt()) {
            self.lower = to;
        }
    }

    fn reduce(&mut self, to: Bound<String>) {
        if is_tighter(&self.upper, &to, |a, b| utf16_order(a, b).is_lt()) {
            self.upper = to;
        }
    }
}

/// Whether `new` leaves less than `old`, where `beyond(a, b)` says that a bound at `a` leaves less than one at `b`.
fn is_tighter(old: &Bound<String>, new: &Bound<String>, beyond: impl Fn(&str, &str) -> bool) -> bool {
    match (old, new) {
        (_, Bound::Unbounded) => false,
        (Bound::Unbounded, Bound::Included(_) | Bound::Excluded(_)) => true,
        (Bound::Included(old), Bound::Excluded(new)) => beyond(new, old) || new == old,
        (Bound::Included(old) | Bound::Excluded(old), Bound::Included(new) | Bound::Excluded(new)) => beyond(new, old),
    }
}

/// A filter is at most [`super::MAX_FILTER_COMPARISONS`] deep.
fn narrow(range: &mut KeyRange, filter: &Filter) {
    match filter {
        Filter::And(left, right) => {
            narrow(range, left);
            narrow(range, right);
        }
        Filter::Compare(Operand::Property(name), comparison, Operand::Literal(EdmValue::String(key))) => {
            apply(range, name, *comparison, key);
        }
        Filter::Compare(Operand::Literal(EdmValue::String(key)), comparison, Operand::Property(name)) => {
            apply(range, name, mirrored(*comparison), key);
        }
        Filter::Or(..) | Filter::Not(_) | Filter::Compare(..) | Filter::Is(_) => {}
    }
}

fn apply(range: &mut KeyRange, property: &str, comparison: Comparison, key: &str) {
    let bounds = match property {
        "PartitionKey" => &mut range.partition,
        "RowKey" => &mut range.row,
        _ => return,
    };
    match comparison {
        Comparison::Equal => {
            bounds.raise(Bound::Included(key.to_owned()));
            bounds.reduce(Bound::Included(key.to_owned()));
        }
        Comparison::NotEqual => {}
        Comparison::Greater => bounds.raise(Bound::Excluded(key.to_owned())),
        Comparison::GreaterOrEqual => bounds.raise(Bound::Included(key.to_owned())),
        Comparison::Less => bounds.reduce(Bound::Excluded(key.to_owned())),
        Comparison::LessOrEqual => bounds.reduce(Bound::Included(key.to_owned())),
    }
}

/// The same comparison with its operands exchanged.
fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal => Comparison::Equal,
        Comparison::NotEqual => Comparison::NotEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
    }
}
