//! Why an invocation's inputs or outputs came to nothing, in words that name the binding, the expression and the value.

use crate::accounts::UnknownConnection;
use manifest::expression::MissingValue;
use ports::TableError;

/// Longest part of a value that an error shows, in characters.
const SHOWN_CHARS: usize = 120;

/// Why a function cannot have its bindings; found when an app is loaded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("function '{function}', binding '{binding}': {why}")]
pub struct BindingSetupError {
    /// The function.
    pub function: String,
    /// The binding's name.
    pub binding: String,
    /// Why.
    pub why: UnknownConnection,
}

/// Why one invocation's binding failed. The invocation fails with it; nothing was written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BindingError {
    /// A place in an expression could not be filled in.
    #[error("binding '{binding}': {why}")]
    Expression {
        /// The binding's name.
        binding: String,
        /// Which place, and what there is instead.
        why: MissingValue,
    },
    /// An expression came to something that it must not be.
    #[error("binding '{binding}': the {what} '{expression}' came to '{value}': {why}")]
    Evaluated {
        /// The binding's name.
        binding: String,
        /// `queueName`, `tableName`, `filter`.
        what: &'static str,
        /// The expression.
        expression: String,
        /// What it came to.
        value: String,
        /// What is wrong with that.
        why: String,
    },
    /// The function gave a value that the output does not take.
    #[error("output '{binding}' does not take the value {value}: {why}")]
    Value {
        /// The binding's name.
        binding: String,
        /// The value, or its beginning.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// The function gave a value to an output that the manifest does not have.
    #[error("there is no output '{binding}'; the function has: {}", known.join(", "))]
    Undeclared {
        /// What the function called it.
        binding: String,
        /// What there is.
        known: Vec<String>,
    },
    /// An input could not be read.
    #[error("input '{binding}': the table '{table}' could not be read: {why}")]
    Unreadable {
        /// The binding's name.
        binding: String,
        /// The table.
        table: String,
        /// What the table said.
        why: TableError,
    },
    /// An input is more than a function is given.
    #[error("input '{binding}' takes more than {limit_bytes} bytes; give it a filter, or a smaller 'take'")]
    TooLarge {
        /// The binding's name.
        binding: String,
        /// The limit.
        limit_bytes: usize,
    },
}

/// The beginning of a value, fit for a message.
pub(super) fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value.to_owned(),
    }
}
