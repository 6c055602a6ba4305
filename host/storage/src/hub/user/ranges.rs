//! Which keys can meet a filter: what it asks of the partition key, and within one partition of the row key.
//!
//! A range may hold more than what the filter lets through, never less: who reads it asks the filter about each entity.

use crate::keys;
use crate::rows::KeyRange;
use storage_model::{Comparison, EdmValue, EntityKey, Filter, Operand};

/// The keys of a table's entities that can meet the filter, from `from` on.
pub(super) fn of(table: u64, filter: Option<&Filter>, from: Option<&EntityKey>) -> KeyRange {
    let asked = filter.map(conjuncts).unwrap_or_default();
    let mut range = KeyRange::prefix(keys::owned_prefix(table));
    if let Some(from) = from {
        range = range.intersect(KeyRange { from: keys::entity(table, from), to: None });
    }
    for (comparison, text) in asked.iter().filter_map(|asked| asked.of("PartitionKey")) {
        range = range.intersect(meeting(comparison, keys::partition(table, text)));
    }
    let mut partitions = asked.iter().filter_map(|asked| asked.of("PartitionKey"));
    if let Some((_, partition)) = partitions.find(|(comparison, _)| *comparison == Comparison::Equal) {
        for (comparison, row) in asked.iter().filter_map(|asked| asked.of("RowKey")) {
            let key = EntityKey { partition: partition.to_owned(), row: row.to_owned() };
            range = range.intersect(meeting(comparison, keys::entity(table, &key)));
        }
    }
    range
}

/// A condition on one property that must hold for the whole filter to hold.
struct Asked<'a> {
    property: &'a str,
    comparison: Comparison,
    text: &'a str,
}

impl<'a> Asked<'a> {
    fn of(&self, property: &str) -> Option<(Comparison, &'a str)> {
        (self.property == property).then_some((self.comparison, self.text))
    }
}

fn conjuncts(filter: &Filter) -> Vec<Asked<'_>> {
    let mut found = Vec::new();
    let mut open = vec![filter];
    while let Some(filter) = open.pop() {
        match filter {
            Filter::And(one, other) => open.extend([&**one, &**other]),
            Filter::Compare(Operand::Property(property), comparison, Operand::Literal(EdmValue::String(text))) => {
                found.push(Asked { property, comparison: *comparison, text });
            }
            Filter::Compare(Operand::Literal(EdmValue::String(text)), comparison, Operand::Property(property)) => {
                found.push(Asked { property, comparison: turned(*comparison), text });
            }
            Filter::Or(_, _) | Filter::Not(_) | Filter::Compare(_, _, _) | Filter::Is(_) => {}
        }
    }
    found
}

fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        same @ (Comparison::Equal | Comparison::NotEqual) => same,
    }
}

/// The keys that can compare so, where all keys of the text begin with `prefix`.
fn meeting(comparison: Comparison, prefix: Vec<u8>) -> KeyRange {
    match comparison {
        Comparison::Equal => KeyRange::prefix(prefix),
        Comparison::NotEqual => KeyRange::all(),
        Comparison::Greater => KeyRange { from: KeyRange::prefix(prefix).to.unwrap_or_default(), to: None },
        Comparison::GreaterOrEqual => KeyRange { from: prefix, to: None },
        Comparison::Less => KeyRange { from: Vec::new(), to: Some(prefix) },
        Comparison::LessOrEqual => KeyRange { from: Vec::new(), to: KeyRange::prefix(prefix).to },
    }
}
