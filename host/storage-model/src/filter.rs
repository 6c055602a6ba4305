//! Filters: the part of OData's `$filter` that tables understand.

use crate::value::EdmValue;

/// A condition on an entity.
#[derive(Clone, PartialEq, Debug)]
pub enum Filter {
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// At least one holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// Two operands compare so. False when their types differ or a property is missing.
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
