//! What a filter means for an entity.

use super::{Comparison, Filter, Operand};
use crate::entity::{Entity, utf16_order};
use crate::value::{EdmValue, Ticks};
use std::cmp::Ordering;
use uuid::Uuid;

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
            Filter::Is(operand) => matches!(value_of(operand, entity), Some(Value::Boolean(true))),
        }
    }
}

/// A value of either operand, borrowed: filters run over whole tables.
#[derive(Clone, Copy)]
enum Value<'a> {
    Text(&'a str),
    Boolean(bool),
    Int32(i32),
    Int64(i64),
    Double(f64),
    Moment(Ticks),
    Guid(Uuid),
    Bytes(&'a [u8]),
}

fn compare(left: &Operand, comparison: Comparison, right: &Operand, entity: &Entity) -> bool {
    let (Some(left_value), Some(right_value)) = (value_of(left, entity), value_of(right, entity)) else {
        return false;
    };
    let ordering = match (left, left_value, right, right_value) {
        (Operand::Literal(_), Value::Int32(literal), _, Value::Int64(other)) => i64::from(literal).cmp(&other),
        (_, Value::Int64(other), Operand::Literal(_), Value::Int32(literal)) => other.cmp(&i64::from(literal)),
        (_, Value::Double(left), _, Value::Double(right)) => match left.partial_cmp(&right) {
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

fn order_of_one_type(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(utf16_order(left, right)),
        (Value::Boolean(left), Value::Boolean(right)) => Some(left.cmp(&right)),
        (Value::Int32(left), Value::Int32(right)) => Some(left.cmp(&right)),
        (Value::Int64(left), Value::Int64(right)) | (Value::Moment(left), Value::Moment(right)) => {
            Some(left.cmp(&right))
        }
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(&right),
        (Value::Guid(left), Value::Guid(right)) => Some(left.cmp(&right)),
        (Value::Bytes(left), Value::Bytes(right)) => Some(left.cmp(right)),
        (
            Value::Text(_)
            | Value::Boolean(_)
            | Value::Int32(_)
            | Value::Int64(_)
            | Value::Double(_)
            | Value::Moment(_)
            | Value::Guid(_)
            | Value::Bytes(_),
            _,
        ) => None,
    }
}

fn value_of<'a>(operand: &'a Operand, entity: &'a Entity) -> Option<Value<'a>> {
    let name = match operand {
        Operand::Literal(value) => return Some(borrowed(value)),
        Operand::Property(name) => name.as_str(),
    };
    match name {
        "PartitionKey" => Some(Value::Text(&entity.key.partition)),
        "RowKey" => Some(Value::Text(&entity.key.row)),
        "Timestamp" => Some(Value::Moment(entity.timestamp)),
        name => entity.properties.iter().find(|(of, _)| of == name).map(|(_, value)| borrowed(value)),
    }
}

fn borrowed(value: &EdmValue) -> Value<'_> {
    match value {
        EdmValue::String(text) => Value::Text(text),
        EdmValue::Boolean(value) => Value::Boolean(*value),
        EdmValue::Int32(number) => Value::Int32(*number),
        EdmValue::Int64(number) => Value::Int64(*number),
        EdmValue::Double(number) => Value::Double(*number),
        EdmValue::DateTime(moment) => Value::Moment(*moment),
        EdmValue::Guid(guid) => Value::Guid(*guid),
        EdmValue::Binary(bytes) => Value::Bytes(bytes),
    }
}
