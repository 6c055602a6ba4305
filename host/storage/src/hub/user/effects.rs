//! The effects of a function: messages gone and put, entities, orchestrations and documents, in one batch.

use super::super::claims::{Held, How, Subject, Want, Wants};
use super::super::commit::may_replace_one_at_work;
use super::super::create::in_the_way;
use super::super::records::read_row;
use super::super::{Shared, TaskHub};
use super::documents::document_claim;
use super::entities::entity_claim;
use super::{Draft, Drafted};
use crate::rows;
use crate::user::Queue;
use async_trait::async_trait;
use orchestration::{NewInstance, farewell};
use ports::{
    DocumentError, EffectError, EffectStore, Effects, EntityWrite, Metadata, NewMessage, QueueError, Receipt,
    StoreError, TableError,
};
use std::sync::Arc;
use storage_model::{QueueName, TableName};

#[async_trait]
impl EffectStore for TaskHub {
    async fn commit_effects(&self, effects: Effects) -> Result<(), EffectError> {
        if effects.is_empty() {
            return Ok(());
        }
        self.shared.commit_effects(effects).await
    }
}

impl Shared {
    async fn commit_effects(self: &Arc<Shared>, effects: Effects) -> Result<(), EffectError> {
        let held = self.claim_effects(&effects).await?;
        let drafted = rows::read(&*self.rows, |view| Ok(Draft::new(self, view).effects(effects)))?;
        Ok(self.submit(drafted?, held, ()).wait().await?)
    }

    /// Claims all that the effects touch. What must be made, and who hears a farewell, may have changed while this waited.
    async fn claim_effects(self: &Arc<Shared>, effects: &Effects) -> Result<Held, StoreError> {
        loop {
            let held = self.claim_all(self.wants_of_effects(effects)?).await;
            if held.covers(&self.wants_of_effects(effects)?) {
                return Ok(held);
            }
        }
    }

    fn wants_of_effects(&self, effects: &Effects) -> Result<Wants, StoreError> {
        let mut wants: Vec<Want> = effects.consumed.iter().flat_map(|receipt| self.wants_of(receipt)).collect();
        wants.extend(effects.documents.iter().map(document_claim));
        self.with(|state| {
            for (queue, _) in &effects.messages {
                let how = if state.user.queues.contains_key(queue) { How::Together } else { How::Alone };
                wants.push(Want { what: Subject::Queue(queue.clone()), how });
            }
            for (table, write) in &effects.entities {
                let how = if state.user.tables.contains_key(&table.folded()) { How::Together } else { How::Alone };
                wants.push(Want { what: Subject::Table(table.folded()), how });
                wants.push(entity_claim(table, write));
            }
        });
        for start in &effects.starts {
            wants.push(Want::instance(&start.id, How::Alone));
            if may_replace_one_at_work(start)
                && let Some(old) = self.stored_row(&start.id)?
            {
                wants.extend(farewell(&old).iter().map(|message| Want::instance(&message.to, How::Together)));
            }
        }
        Ok(Wants::of(wants))
    }
}

impl Draft<'_> {
    fn effects(mut self, effects: Effects) -> Result<Drafted, EffectError> {
        let Effects { consumed, messages, entities, starts, documents } = effects;
        consumed.iter().try_for_each(|receipt| self.consume(receipt))?;
        for (queue, message) in messages {
            self.put_into(&queue, message);
        }
        for (table, write) in entities {
            self.write_into(&table, write)?;
        }
        starts.into_iter().try_for_each(|start| self.start(start))?;
        self.write_documents(documents).map_err(|error| match error {
            DocumentError::Changed { name } => EffectError::DocumentChanged { name },
            DocumentError::Store(error) => EffectError::Store(error),
        })?;
        Ok(self.finish())
    }

    fn consume(&mut self, receipt: &Receipt) -> Result<(), EffectError> {
        match self.shared.check_receipt(receipt) {
            Ok((number, (sequence, _))) => {
                self.delete_message(&receipt.queue, number, sequence);
                Ok(())
            }
            Err(QueueError::Store(error)) => Err(error.into()),
            Err(
                why @ (QueueError::QueueNotFound(_)
                | QueueError::QueueExists(_)
                | QueueError::MessageNotFound
                | QueueError::PopReceiptMismatch),
            ) => {
                let (queue, id) = (receipt.queue.clone(), receipt.id.clone());
                Err(EffectError::MessageLost { queue, id, why: why.to_string() })
            }
        }
    }

    fn put_into(&mut self, queue: &QueueName, message: NewMessage) {
        let made_here = self.applied.iter().find_map(|applied| applied.made_queue(queue));
        let there = || self.shared.with(|state| state.user.queues.get(queue).map(|queue: &Queue| queue.number));
        let number = made_here.or_else(there).unwrap_or_else(|| self.make_queue(queue, Metadata::new()));
        self.put_message(queue, number, message);
    }

    fn write_into(&mut self, table: &TableName, write: EntityWrite) -> Result<(), EffectError> {
        let made_here = self.applied.iter().find_map(|applied| applied.made_table(&table.folded()));
        let number = made_here.or_else(|| self.shared.table_number(table).ok());
        let number = number.unwrap_or_else(|| self.make_table(table));
        match self.write_entity(number, 0, write) {
            Ok(_) => Ok(()),
            Err(TableError::Store(error)) => Err(error.into()),
            Err(
                why @ (TableError::TableNotFound(_)
                | TableError::TableExists(_)
                | TableError::EntityExists { .. }
                | TableError::EntityNotFound { .. }
                | TableError::NotMatching { .. }
                | TableError::Invalid { .. }),
            ) => Err(EffectError::EntityRefused { table: table.clone(), why: why.to_string() }),
        }
    }

    /// Starts an orchestration, unless another is in the way.
    fn start(&mut self, start: NewInstance) -> Result<(), StoreError> {
        let is_taken_here = self.created.contains(&start.id);
        let old = if is_taken_here { None } else { read_row(self.view, &start.id)? };
        if is_taken_here || in_the_way(old.as_ref(), start.reuse).is_some() {
            tracing::debug!(instance = %start.id, "not started: an instance of that id is in the way");
            return Ok(());
        }
        if old.is_some() || self.outbox.knows(&start.id) {
            self.outbox.remove(&start.id, old.as_ref())?;
        }
        self.created.insert(start.id.clone());
        self.outbox.create(start);
        Ok(())
    }
}
