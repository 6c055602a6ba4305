//! Small documents by name: what the host itself remembers, and what the blob endpoint is made of.

use crate::StoreError;
use async_trait::async_trait;

/// What a write asks of the document that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expecting {
    /// Nothing.
    Anything,
    /// That there is none.
    Nothing,
    /// That it has this version.
    Version(u64),
}

/// A document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Its name: parts separated by `/`, the first of which says whose it is (`timers/...`, `usage/...`, `blobs/...`).
    pub name: String,
    /// Changes with every write, and is never used again for this name, not even after a removal.
    pub version: u64,
    /// What is in it, at most [`Document::MAX_BYTES`].
    pub content: Vec<u8>,
}

impl Document {
    /// Largest content, in bytes: a document is written as one row.
    pub const MAX_BYTES: usize = 16 << 20;
}

/// One change of one document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DocumentWrite {
    /// Its name.
    pub name: String,
    /// What must be there.
    pub expecting: Expecting,
    /// The new content; none removes it.
    pub content: Option<Vec<u8>>,
}

/// Why a document was not written. Nothing changed then.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DocumentError {
    /// Something else is there than was expected.
    #[error("the document '{name}' has changed since it was read")]
    Changed {
        /// Which.
        name: String,
    },
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The documents.
///
/// Guarantees: what returned is durable; several writes are done as a whole or not at all; reads see every write that has
/// returned.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// One document.
    async fn document(&self, name: &str) -> Result<Option<Document>, StoreError>;

    /// The documents whose names begin with `prefix`, from `from` on (itself included), by name, at most `limit`; with their
    /// contents.
    async fn documents(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<Vec<Document>, StoreError>;

    /// Writes all or nothing. Answers the new versions, in order; none for removals.
    async fn write_documents(&self, writes: Vec<DocumentWrite>) -> Result<Vec<Option<u64>>, DocumentError>;
}
