//! Queues: made, removed, described and listed. Messages are next door.

use super::super::claims::{Held, Subject, Want, Wants};
use super::super::records::corrupt;
use super::super::{Shared, TaskHub};
use super::{Applied, Draft};
use crate::codec::{self, QueueRow};
use crate::keys::{self, Owner};
use crate::rows::{self, KeyRange, Table, View, record_name};
use async_trait::async_trait;
use ports::{
    Metadata, NewMessage, QueueCreated, QueueError, QueueMessage, QueuePage, QueueStore, QueueView, Receipt, Receiver,
    StoreError,
};
use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use storage_model::QueueName;

#[async_trait]
impl QueueStore for TaskHub {
    async fn create_queue(&self, name: &QueueName, metadata: Metadata) -> Result<QueueCreated, QueueError> {
        self.shared.create_queue(name, metadata).await
    }

    async fn delete_queue(&self, name: &QueueName) -> Result<(), QueueError> {
        self.shared.delete_queue(name).await
    }

    async fn queue(&self, name: &QueueName) -> Result<QueueView, QueueError> {
        let row = rows::read(&*self.shared.rows, |view| read_queue(view, name))?;
        let row = row.ok_or_else(|| QueueError::QueueNotFound(name.clone()))?;
        Ok(self.shared.queue_view(name.clone(), row))
    }

    async fn set_queue(
        &self,
        name: &QueueName,
        metadata: Option<Metadata>,
        access_policies: Option<String>,
    ) -> Result<(), QueueError> {
        self.shared.set_queue(name, metadata, access_policies).await
    }

    async fn list_queues(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<QueuePage, QueueError> {
        Ok(self.shared.list_queues(prefix, from, limit)?)
    }

    async fn put_message(&self, queue: &QueueName, message: NewMessage) -> Result<QueueMessage, QueueError> {
        self.shared.put_message(queue, message).await
    }

    async fn receive(
        &self,
        queue: &QueueName,
        count: usize,
        visibility: Duration,
        receiver: Receiver,
    ) -> Result<Vec<QueueMessage>, QueueError> {
        self.shared.receive(queue, count, visibility, receiver).await
    }

    async fn peek(&self, queue: &QueueName, count: usize) -> Result<Vec<QueueMessage>, QueueError> {
        self.shared.peek(queue, count)
    }

    async fn update_message(
        &self,
        receipt: &Receipt,
        visibility: Duration,
        text: Option<String>,
    ) -> Result<QueueMessage, QueueError> {
        self.shared.update_message(receipt, visibility, text, None).await
    }

    async fn give_back(&self, receipt: &Receipt, delay: Duration) -> Result<QueueMessage, QueueError> {
        self.shared.update_message(receipt, delay, None, Some(false)).await
    }

    async fn delete_message(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.shared.delete_message(receipt).await
    }

    async fn clear(&self, queue: &QueueName) -> Result<(), QueueError> {
        self.shared.clear_queue(queue).await
    }

    async fn arrival(&self, queue: &QueueName) {
        self.shared.arrival(queue).await;
    }
}

impl Shared {
    async fn create_queue(
        self: &Arc<Shared>,
        name: &QueueName,
        metadata: Metadata,
    ) -> Result<QueueCreated, QueueError> {
        let held = self.claim_queue(name).await;
        let drafted = rows::read(&*self.rows, |view| {
            if let Some(row) = read_queue(view, name)? {
                return Ok(Err(row));
            }
            let mut draft = Draft::new(self, view);
            draft.make_queue(name, metadata.clone());
            Ok(Ok(draft.finish()))
        })?;
        match drafted {
            Ok(drafted) => Ok(self.submit(drafted, held, QueueCreated::Yes).wait().await?),
            Err(row) if folded(&row.metadata) == folded(&metadata) => Ok(QueueCreated::Exists),
            Err(_) => Err(QueueError::QueueExists(name.clone())),
        }
    }

    async fn delete_queue(self: &Arc<Shared>, name: &QueueName) -> Result<(), QueueError> {
        let held = self.claim_queue(name).await;
        let number = self.queue_number(name)?;
        let (drafted, rest) = rows::read(&*self.rows, |view| {
            let mut draft = Draft::new(self, view);
            draft.batch().delete(Table::Queues, keys::queue(name));
            let rest = draft.drop_rows(Owner::Queue(number))?;
            draft.applied.push(Applied::QueueGone(name.clone()));
            Ok((draft.finish(), rest))
        })?;
        self.submit(drafted, held, ()).wait().await?;
        self.finish_dropping(rest).await;
        Ok(())
    }

    /// The queue goes on under another number, however many messages there were.
    async fn clear_queue(self: &Arc<Shared>, name: &QueueName) -> Result<(), QueueError> {
        let held = self.claim_queue(name).await;
        let old = self.queue_number(name)?;
        let (drafted, rest) = rows::read(&*self.rows, |view| {
            let mut draft = Draft::new(self, view);
            let rest = draft.drop_rows(Owner::Queue(old))?;
            let number = self.next_number();
            let row = read_queue(view, name)?.map(|row| QueueRow { number, ..row });
            let row = row.unwrap_or_else(|| QueueRow::new(number, Metadata::new()));
            draft.put_queue(name, &row);
            draft.applied.push(Applied::Queue(name.clone(), number));
            Ok((draft.finish(), rest))
        })?;
        self.submit(drafted, held, ()).wait().await?;
        self.finish_dropping(rest).await;
        Ok(())
    }

    async fn set_queue(
        self: &Arc<Shared>,
        name: &QueueName,
        metadata: Option<Metadata>,
        access_policies: Option<String>,
    ) -> Result<(), QueueError> {
        let held = self.claim_queue(name).await;
        let drafted = rows::read(&*self.rows, |view| {
            let Some(mut row) = read_queue(view, name)? else { return Ok(None) };
            row.metadata = metadata.unwrap_or(row.metadata);
            row.access_policies = access_policies.unwrap_or(row.access_policies);
            let mut draft = Draft::new(self, view);
            draft.put_queue(name, &row);
            Ok(Some(draft.finish()))
        })?;
        let drafted = drafted.ok_or_else(|| QueueError::QueueNotFound(name.clone()))?;
        Ok(self.submit(drafted, held, ()).wait().await?)
    }

    fn list_queues(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<QueuePage, StoreError> {
        let from = KeyRange { from: from.unwrap_or_default().as_bytes().to_vec(), to: None };
        let range = KeyRange::prefix(prefix.as_bytes().to_vec()).intersect(from);
        let mut found: Vec<(QueueName, QueueRow)> = Vec::new();
        let mut next = None;
        rows::read(&*self.rows, |view| {
            view.scan(Table::Queues, &range, &mut |key, value| match decode_queue(key, value) {
                Ok((name, _)) if found.len() == limit => {
                    next = Some(name.as_str().to_owned());
                    ControlFlow::Break(())
                }
                Ok(queue) => {
                    found.push(queue);
                    ControlFlow::Continue(())
                }
                Err(why) => {
                    tracing::warn!(record = record_name(Table::Queues, key), why, "left out of the list of queues");
                    ControlFlow::Continue(())
                }
            })
        })?;
        let queues = found.into_iter().map(|(name, row)| self.queue_view(name, row)).collect();
        Ok(QueuePage { queues, next })
    }

    fn queue_view(&self, name: QueueName, row: QueueRow) -> QueueView {
        let QueueRow { metadata, access_policies, .. } = row;
        let now = self.clock.now();
        let messages = self.with(|state| {
            state.user.queues.get_mut(&name).map_or(0, |queue| {
                queue.expire(now);
                queue.len() as u64
            })
        });
        QueueView { name, metadata, access_policies, messages }
    }

    /// Claims a queue alone.
    async fn claim_queue(self: &Arc<Shared>, name: &QueueName) -> Held {
        let what = Subject::Queue(name.clone());
        self.claim_alone(what.clone(), Wants::of(vec![Want::alone(what)])).await
    }

    /// The number of a queue that is there.
    pub(super) fn queue_number(&self, name: &QueueName) -> Result<u64, QueueError> {
        let number = self.with(|state| state.user.queues.get(name).map(|queue| queue.number));
        number.ok_or_else(|| QueueError::QueueNotFound(name.clone()))
    }
}

impl Draft<'_> {
    /// Makes a queue. Answers its number.
    pub(super) fn make_queue(&mut self, name: &QueueName, metadata: Metadata) -> u64 {
        let number = self.shared.next_number();
        self.put_queue(name, &QueueRow::new(number, metadata));
        self.applied.push(Applied::Queue(name.clone(), number));
        number
    }

    fn put_queue(&mut self, name: &QueueName, row: &QueueRow) {
        self.batch().put(Table::Queues, keys::queue(name), codec::encode_queue(row));
    }
}

fn read_queue(view: &dyn View, name: &QueueName) -> Result<Option<QueueRow>, StoreError> {
    let key = keys::queue(name);
    let Some(value) = view.get(Table::Queues, &key)? else { return Ok(None) };
    codec::decode_queue(&value).map(Some).map_err(|why| corrupt(Table::Queues, &key, &why))
}

/// Reads a queue with its name.
pub(super) fn decode_queue(key: &[u8], value: &[u8]) -> Result<(QueueName, QueueRow), String> {
    let name = std::str::from_utf8(key).map_err(|error| error.to_string())?;
    let name = QueueName::from_str(name).map_err(|error| error.to_string())?;
    Ok((name, codec::decode_queue(value).map_err(|why| why.to_string())?))
}

/// Metadata for comparison: names without case.
fn folded(metadata: &Metadata) -> Metadata {
    metadata.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
}
