//! JSON text as it travels: opaque, shared, never parsed on the way through.

use std::fmt;
use std::sync::Arc;

/// A JSON text. Cloning shares the bytes; the core compares it but never looks inside.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// Takes the text as it is; whoever lets it in has checked that it is JSON.
    pub fn new(text: impl Into<Arc<str>>) -> Json {
        Json(text.into())
    }

    /// The JSON text `null`, which is also how an absent value reads.
    pub fn null() -> Json {
        Json(Arc::from("null"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the text has no characters at all (which no valid JSON has).
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json(Arc::from(text))
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json(Arc::from(text))
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
