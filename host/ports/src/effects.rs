//! What a function's success brings about in the store, as one commit.

use crate::{DocumentWrite, EntityWrite, NewMessage, Receipt, StoreError};
use async_trait::async_trait;
use orchestration::NewInstance;
use storage_model::{QueueName, TableName};

/// Everything that becomes durable together.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Effects {
    /// Messages that were worked on: they go. If one of them is no longer this receipt's, nothing happens at all.
    pub consumed: Vec<Receipt>,
    /// Messages to put, in order. Queues that are not there are made.
    pub messages: Vec<(QueueName, NewMessage)>,
    /// Entities to write; each table's are one batch, partitions may differ. Tables that are not there are made.
    pub entities: Vec<(TableName, EntityWrite)>,
    /// Orchestrations to start. One that is in the way (see `NewInstance::reuse`) is left alone and nothing is started for it.
    pub starts: Vec<NewInstance>,
    /// What the host remembers.
    pub documents: Vec<DocumentWrite>,
}

impl Effects {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.consumed.is_empty()
            && self.messages.is_empty()
            && self.entities.is_empty()
            && self.starts.is_empty()
            && self.documents.is_empty()
    }
}

/// Why effects were not committed. Nothing of them is there then.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EffectError {
    /// A message has been received by somebody else, or deleted, since: it is not this invocation's any more.
    #[error("the message {id} of the queue '{queue}' is no longer held: {why}")]
    MessageLost {
        /// The queue.
        queue: QueueName,
        /// The message.
        id: String,
        /// What the queue said.
        why: String,
    },
    /// An entity could not be written: one is there, or has changed.
    #[error("the table '{table}' refused an entity: {why}")]
    EntityRefused {
        /// The table.
        table: TableName,
        /// What the table said.
        why: String,
    },
    /// Something else is there than was expected.
    #[error("the document '{name}' has changed since it was read")]
    DocumentChanged {
        /// Which.
        name: String,
    },
    /// A service outside of this host could not, or refused.
    #[error("{0}")]
    Outside(String),
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where effects become durable.
///
/// Guarantees: all of it is done or nothing, and it is durable when `commit_effects` returns. A crash leaves all or nothing.
#[async_trait]
pub trait EffectStore: Send + Sync {
    /// Commits.
    async fn commit_effects(&self, effects: Effects) -> Result<(), EffectError>;
}
