//! Binding expressions: texts with `{places}` that are filled in when a function runs.

/// A text with places to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    text: String,
}

impl Expression {
    /// The text as it was written, with settings filled in.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}
