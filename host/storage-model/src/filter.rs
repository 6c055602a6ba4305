//! Filters: the part of OData's `$filter` that tables understand.
//!
//! What a filter is and how it is written. `parse` reads it, `matching` says what it means, `key_range` what it says of keys.

mod key_range;
mod matching;
mod parse;

#[cfg(test)]
pub(crate) use parse::is_keyword;

pub use key_range::{KeyBounds, KeyRange};
pub use parse::{MAX_FILTER_COMPARISONS, MAX_FILTER_NESTING};

use crate::date::date_text;
use crate::value::EdmValue;
use std::fmt::{self, Write};

/// A condition on an entity.
#[derive(Clone, PartialEq, Debug)]
pub enum Filter {
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// At least one holds. Binds less than `and`.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// Two operands compare so. False when a property is missing or their types differ, except that a whole number without `L`
    /// compares with `Edm.Int64` too, as in Azure.
    Compare(Operand, Comparison, Operand),
    /// A boolean property or literal by itself.
    Is(Operand),
}

/// What is compared.
#[derive(Clone, PartialEq, Debug)]
pub enum Operand {
    /// A property, also `PartitionKey`, `RowKey` and `Timestamp`.
    Property(String),
    /// A value.
    Literal(EdmValue),
}

/// How two operands are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

/// Why a text is no filter.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the filter is wrong at character {at}: {what}")]
pub struct FilterError {
    /// Where, in characters from 1.
    pub at: usize,
    /// What was expected and what is there.
    pub what: String,
}

impl Comparison {
    /// Its name in filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Comparison::Equal => "eq",
            Comparison::NotEqual => "ne",
            Comparison::Greater => "gt",
            Comparison::GreaterOrEqual => "ge",
            Comparison::Less => "lt",
            Comparison::LessOrEqual => "le",
        }
    }
}

/// Parentheses only where they are needed, so that what was parsed within the bounds of nesting is so again.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::And(left, right) => {
                fmt_operand(left, matches!(**left, Filter::Or(..)), f)?;
                f.write_str(" and ")?;
                fmt_operand(right, matches!(**right, Filter::Or(..) | Filter::And(..)), f)
            }
            Filter::Or(left, right) => {
                write!(f, "{left} or ")?;
                fmt_operand(right, matches!(**right, Filter::Or(..)), f)
            }
            Filter::Not(inner) => write!(f, "not ({inner})"),
            Filter::Compare(left, comparison, right) => write!(f, "{left} {} {right}", comparison.as_str()),
            Filter::Is(operand) => write!(f, "{operand}"),
        }
    }
}

fn fmt_operand(filter: &Filter, in_parentheses: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if in_parentheses { write!(f, "({filter})") } else { write!(f, "{filter}") }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Property(name) => f.write_str(name),
            Operand::Literal(value) => fmt_literal(value, f),
        }
    }
}

fn fmt_literal(value: &EdmValue, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        EdmValue::String(text) => write!(f, "'{}'", text.replace('\'', "''")),
        EdmValue::Boolean(value) => write!(f, "{value}"),
        EdmValue::Int32(value) => write!(f, "{value}"),
        EdmValue::Int64(value) => write!(f, "{value}L"),
        EdmValue::Double(value) if value.is_infinite() => f.write_str(if *value > 0.0 { "INF" } else { "-INF" }),
        // The form for debugging has a point or an exponent, which tells it from a whole number.
        EdmValue::Double(value) => write!(f, "{value:?}"),
        EdmValue::DateTime(moment) => write!(f, "datetime'{}'", date_text(*moment)),
        EdmValue::Guid(guid) => write!(f, "guid'{guid}'"),
        EdmValue::Binary(bytes) => {
            f.write_str("X'")?;
            bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
            f.write_char('\'')
        }
    }
}
