//! What a filter means for an entity.

use super::{Comparison, Filter, Operand};
use crate::entity::{Entity, utf16_order};
use crate::value::EdmValue;
use std::borrow::Cow;
use std::cmp::Ordering;

impl Filter {
    /// Whether the filter holds for an entity.
    ///
    /// Texts compare by their UTF-16 code units, GUIDs and bytes by their bytes. A comparison of different types is false, and so
    /// is one with a property that the entity lacks, whatever is asked; `not` turns that into true.
    pub fn matches(&self, entity: &Entity) -> bool {
        match self {
            Filter::And(left, right) => left.matches(entity) && right.matches(entity),
            Filter::Or(left, right) => left.matches(entity) || right.matches(entity),
            Filter::Not(inner) => !inner.matches(entity),
            Filter::Compare(left, comparison, right) => compare(left, *comparison, right, entity),
            Filter::Is(operand) => value_of(operand, entity).as_deref() == Some(&EdmValue::Boolean(true)),
        }
    }
}

fn compare(left: &Operand, comparison: Comparison, right: &Operand, entity: &Entity) -> bool {
    let (Some(left_value), Some(right_value)) = (value_of(left, entity), value_of(right, entity)) else {
        return false;
    };
    let ordering = match (left, &*left_value, right, &*right_value) {
        (Operand::Literal(_), EdmValue::Int32(literal), _, EdmValue::Int64(other)) => i64::from(*literal).cmp(other),
        (_, EdmValue::Int64(other), Operand::Literal(_), EdmValue::Int32(literal)) => other.cmp(&i64::from(*literal)),
        (_, EdmValue::Double(left), _, EdmValue::Double(right)) => match left.partial_cmp(right) {
            Some(ordering) => ordering,
            // Not a number is unequal to everything, itself included, and neither greater nor less.
            None => return comparison == Comparison::NotEqual,
        },
        (_, left, _, right) => match order_of_one_type(left, right) {
            Some(ordering) => ordering,
            None => return false,
        },
    };
    match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
    }
}

fn order_of_one_type(left: &EdmValue, right: &EdmValue) -> Option<Ordering> {
    match (left, right) {
        (EdmValue::String(left), EdmValue::String(right)) => Some(utf16_order(left, right)),
        (EdmValue::Boolean(left), EdmValue::Boolean(right)) => Some(left.cmp(right)),
        (EdmValue::Int32(left), EdmValue::Int32(right)) => Some(left.cmp(right)),
        (EdmValue::Int64(left), EdmValue::Int64(right)) => Some(left.cmp(right)),
        (EdmValue::Double(left), EdmValue::Double(right)) => left.partial_cmp(right),
        (EdmValue::DateTime(left), EdmValue::DateTime(right)) => Some(left.cmp(right)),
        (EdmValue::Guid(left), EdmValue::Guid(right)) => Some(left.cmp(right)),
        (EdmValue::Binary(left), EdmValue::Binary(right)) => Some(left.cmp(right)),
        (
            EdmValue::String(_)
            | EdmValue::Boolean(_)
            | EdmValue::Int32(_)
            | EdmValue::Int64(_)
            | EdmValue::Double(_)
            | EdmValue::DateTime(_)
            | EdmValue::Guid(_)
            | EdmValue::Binary(_),
            _,
        ) => None,
    }
}

fn value_of<'a>(operand: &'a Operand, entity: &'a Entity) -> Option<Cow<'a, EdmValue>> {
    let name = match operand {
        Operand::Literal(value) => return Some(Cow::Borrowed(value)),
        Operand::Property(name) => name.as_str(),
    };
    match name {
        "PartitionKey" => Some(Cow::Owned(EdmValue::String(entity.key.partition.clone()))),
        "RowKey" => Some(Cow::Owned(EdmValue::String(entity.key.row.clone()))),
        "Timestamp" => Some(Cow::Owned(EdmValue::DateTime(entity.timestamp))),
        name => entity.properties.iter().find(|(of, _)| of == name).map(|(_, value)| Cow::Borrowed(value)),
    }
}
