//! Effects one after the other: what an account outside of this host can do of a commit.

use super::{Client, batch};
use async_trait::async_trait;
use ports::{
    EffectError, EffectStore, Effects, EntityWrite, NewMessage, QueueError, QueueStore, Receipt, StoreError,
    TableError, TableStore,
};
use storage_model::{QueueName, TableName};

#[async_trait]
impl EffectStore for Client {
    /// Entities, then messages, then deletions. Not atomic: a failure or crash in between leaves what was done before, and since
    /// the message that caused it is deleted last, its function runs again. Effects are done at least once.
    ///
    /// A message that is lost is noticed when the others are done already.
    async fn commit_effects(&self, effects: Effects) -> Result<(), EffectError> {
        let Effects { consumed, messages, entities, starts, documents } = effects;
        if !starts.is_empty() || !documents.is_empty() {
            return Err(EffectError::Outside(
                "an account outside of this host keeps neither orchestrations nor this host's own documents; commit them in \
                 the embedded store"
                    .to_owned(),
            ));
        }
        for (table, writes) in grouped(entities) {
            self.write_group(&table, writes).await?;
        }
        for (queue, message) in messages {
            self.put_or_create(&queue, message).await?;
        }
        for receipt in consumed {
            self.consume(receipt).await?;
        }
        Ok(())
    }
}

impl Client {
    async fn write_group(&self, table: &TableName, writes: Vec<EntityWrite>) -> Result<(), EffectError> {
        let mut written = self.write_entities(table, writes.clone()).await;
        if matches!(written, Err(TableError::TableNotFound(_))) {
            match self.create_table(table).await {
                // Somebody else was quicker.
                Ok(()) | Err(TableError::TableExists(_)) => {}
                Err(error) => return Err(refused_entity(table, error)),
            }
            written = self.write_entities(table, writes).await;
        }
        written.map(drop).map_err(|error| refused_entity(table, error))
    }

    async fn put_or_create(&self, queue: &QueueName, message: NewMessage) -> Result<(), EffectError> {
        let mut put = self.put_message(queue, message.clone()).await;
        if matches!(put, Err(QueueError::QueueNotFound(_))) {
            match self.create_queue(queue, ports::Metadata::new()).await {
                Ok(_) | Err(QueueError::QueueExists(_)) => {}
                Err(error) => return Err(outside(error)),
            }
            put = self.put_message(queue, message).await;
        }
        put.map(drop).map_err(outside)
    }

    async fn consume(&self, receipt: Receipt) -> Result<(), EffectError> {
        match self.delete_message(&receipt).await {
            Ok(()) => Ok(()),
            Err(
                lost @ (QueueError::MessageNotFound | QueueError::PopReceiptMismatch | QueueError::QueueNotFound(_)),
            ) => Err(EffectError::MessageLost { queue: receipt.queue, id: receipt.id, why: lost.to_string() }),
            Err(error @ (QueueError::QueueExists(_) | QueueError::Store(_))) => Err(outside(error)),
        }
    }
}

/// Neighbours that can be written at once, in order.
fn grouped(entities: Vec<(TableName, EntityWrite)>) -> Vec<(TableName, Vec<EntityWrite>)> {
    let mut groups: Vec<(TableName, Vec<EntityWrite>)> = Vec::new();
    for (table, write) in entities {
        if let Some((last, writes)) = groups.last_mut()
            && *last == table
        {
            writes.push(write);
            if batch::fits(writes) {
                continue;
            }
            if let Some(write) = writes.pop() {
                groups.push((table, vec![write]));
            }
            continue;
        }
        groups.push((table, vec![write]));
    }
    groups
}

fn outside(error: QueueError) -> EffectError {
    match error {
        QueueError::Store(StoreError::Unavailable { detail }) => EffectError::Outside(detail),
        other @ (QueueError::QueueNotFound(_)
        | QueueError::QueueExists(_)
        | QueueError::MessageNotFound
        | QueueError::PopReceiptMismatch
        | QueueError::Store(_)) => EffectError::Outside(other.to_string()),
    }
}

fn refused_entity(table: &TableName, error: TableError) -> EffectError {
    match error {
        TableError::Store(StoreError::Unavailable { detail }) => EffectError::Outside(detail),
        TableError::Store(other) => EffectError::Store(other),
        TableError::TableNotFound(_)
        | TableError::TableExists(_)
        | TableError::EntityExists { .. }
        | TableError::EntityNotFound { .. }
        | TableError::NotMatching { .. }
        | TableError::Invalid { .. } => EffectError::EntityRefused { table: table.clone(), why: error.to_string() },
    }
}
