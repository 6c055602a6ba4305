//! Messages: put, received, looked at, updated and deleted.
//!
//! A receipt changes only the small row of a message, never its body. Nothing scans a queue: which messages can be received is
//! in memory, and those that somebody is about to take are claimed and passed over.

use super::super::claims::{Held, Subject, Want, Wants};
use super::super::records::set_aside;
use super::super::{Shared, State};
use super::{Applied, Draft};
use crate::codec::{self, MessageRow};
use crate::keys;
use crate::rows::{self, Table, View, record_name};
use orchestration::Timestamp;
use ports::{NewMessage, QueueError, QueueMessage, Receipt, Receiver, StoreError};
use std::sync::Arc;
use std::time::Duration;
use storage_model::QueueName;

/// How many messages that have gone by themselves one write on their queue cleans up.
const MAX_GARBAGE: usize = 256;

/// A message that is claimed: its sequence and its row.
type Picked = (u64, MessageRow);

impl Shared {
    pub(super) async fn put_message(
        self: &Arc<Shared>,
        name: &QueueName,
        message: NewMessage,
    ) -> Result<QueueMessage, QueueError> {
        let held = self.claim_all(Wants::of(vec![Want::together(Subject::Queue(name.clone()))])).await;
        let number = self.queue_number(name)?;
        let (drafted, message) = rows::read(&*self.rows, |view| {
            let mut draft = Draft::new(self, view);
            draft.clean(name, number);
            let message = draft.put_message(name, number, message);
            Ok((draft.finish(), message))
        })?;
        Ok(self.submit(drafted, held, message).wait().await?)
    }

    pub(super) async fn receive(
        self: &Arc<Shared>,
        name: &QueueName,
        count: usize,
        visibility: Duration,
        receiver: Receiver,
    ) -> Result<Vec<QueueMessage>, QueueError> {
        let (held, number, picked) = self.pick(name, count).await?;
        let has_garbage = self.with(|state| state.user.queues.get(name).is_some_and(crate::user::Queue::has_garbage));
        if picked.is_empty() && !has_garbage {
            return Ok(Vec::new());
        }
        let (drafted, messages) = rows::read(&*self.rows, |view| {
            let mut draft = Draft::new(self, view);
            draft.clean(name, number);
            let mut messages = Vec::with_capacity(picked.len());
            for (sequence, row) in picked {
                let Some(text) = draft.body(name, number, sequence)? else { continue };
                let row = MessageRow {
                    visible: draft.now.saturating_add(visibility),
                    dequeue_count: row.dequeue_count.saturating_add(1),
                    receipt: self.next_number(),
                    host: receiver == Receiver::Host,
                    ..row
                };
                draft.set_message(name, number, sequence, row);
                messages.push(self.message(sequence, row, text));
            }
            Ok((draft.finish(), messages))
        })?;
        Ok(self.submit(drafted, held, messages).wait().await?)
    }

    /// Claims up to `count` messages that can be received.
    async fn pick(self: &Arc<Shared>, name: &QueueName, count: usize) -> Result<(Held, u64, Vec<Picked>), QueueError> {
        loop {
            let now = self.clock.now();
            let attempt = self.with(|state| {
                let State { user, claims, .. } = state;
                let queue = user.queues.get_mut(name).ok_or_else(|| QueueError::QueueNotFound(name.clone()))?;
                queue.expire(now);
                let free = queue.visible(now).filter(|(sequence, _)| claims.is_free(&Subject::Message(*sequence)));
                let picked: Vec<Picked> = free.take(count).collect();
                let messages = picked.iter().map(|(sequence, _)| Want::alone(Subject::Message(*sequence)));
                let queued = Want::together(Subject::Queue(name.clone()));
                let wants = Wants::of(messages.chain(std::iter::once(queued)).collect());
                Ok::<_, QueueError>(claims.take(&wants).map(|()| (wants, queue.number, picked)))
            })?;
            match attempt {
                Ok((wants, number, picked)) => return Ok((self.held(wants), number, picked)),
                Err(busy) => busy.await.unwrap_or_default(),
            }
        }
    }

    pub(super) fn peek(&self, name: &QueueName, count: usize) -> Result<Vec<QueueMessage>, QueueError> {
        let now = self.clock.now();
        let (number, seen) = self.with(|state| {
            let State { user, claims, .. } = state;
            let queue = user.queues.get_mut(name).ok_or_else(|| QueueError::QueueNotFound(name.clone()))?;
            queue.expire(now);
            let free = queue.visible(now).filter(|(sequence, _)| claims.is_free(&Subject::Message(*sequence)));
            let seen: Vec<Picked> = free.take(count).collect();
            Ok::<_, QueueError>((queue.number, seen))
        })?;
        let messages = rows::read(&*self.rows, |view| {
            let mut messages = Vec::with_capacity(seen.len());
            for (sequence, row) in seen {
                // Somebody may have deleted it in the meantime; a broken one is set aside by its receiver.
                if let Ok(Some(text)) = read_body(view, number, sequence) {
                    messages.push(QueueMessage { pop_receipt: String::new(), ..self.message(sequence, row, text) });
                }
            }
            Ok(messages)
        })?;
        Ok(messages)
    }

    /// Hides a message anew. `ends_with_host`: whether it is held by this process from now on; none: as before.
    pub(super) async fn update_message(
        self: &Arc<Shared>,
        receipt: &Receipt,
        visibility: Duration,
        text: Option<String>,
        host: Option<bool>,
    ) -> Result<QueueMessage, QueueError> {
        let (held, number, (sequence, row)) = self.claim_receipt(receipt).await?;
        let name = &receipt.queue;
        let (drafted, message) = rows::read(&*self.rows, |view| {
            let mut draft = Draft::new(self, view);
            let text = match text {
                Some(text) => {
                    let key = keys::owned(number, sequence);
                    draft.batch().put(Table::QueueBodies, key, codec::encode_body(&text));
                    Some(text)
                }
                None => draft.body(name, number, sequence)?,
            };
            let row = MessageRow {
                visible: draft.now.saturating_add(visibility),
                receipt: self.next_number(),
                host: host.unwrap_or(row.host),
                ..row
            };
            let message = text.map(|text| {
                draft.set_message(name, number, sequence, row);
                self.message(sequence, row, text)
            });
            Ok((draft.finish(), message))
        })?;
        let message = self.submit(drafted, held, message).wait().await?;
        message.ok_or(QueueError::MessageNotFound)
    }

    pub(super) async fn delete_message(self: &Arc<Shared>, receipt: &Receipt) -> Result<(), QueueError> {
        let (held, number, (sequence, _)) = self.claim_receipt(receipt).await?;
        let drafted = rows::read(&*self.rows, |view| {
            let mut draft = Draft::new(self, view);
            draft.delete_message(&receipt.queue, number, sequence);
            Ok(draft.finish())
        })?;
        Ok(self.submit(drafted, held, ()).wait().await?)
    }

    /// Claims the message of a receipt that still counts.
    async fn claim_receipt(self: &Arc<Shared>, receipt: &Receipt) -> Result<(Held, u64, Picked), QueueError> {
        let held = self.claim_all(Wants::of(self.wants_of(receipt))).await;
        let (number, picked) = self.check_receipt(receipt)?;
        Ok((held, number, picked))
    }

    /// What must be claimed before a receipt is checked and used.
    pub(super) fn wants_of(&self, receipt: &Receipt) -> Vec<Want> {
        let message = self.ids.sequence(&receipt.id).map(|sequence| Want::alone(Subject::Message(sequence)));
        message.into_iter().chain([Want::together(Subject::Queue(receipt.queue.clone()))]).collect()
    }

    /// The queue's number and the message, if the receipt still counts.
    pub(super) fn check_receipt(&self, receipt: &Receipt) -> Result<(u64, Picked), QueueError> {
        let now = self.clock.now();
        let sequence = self.ids.sequence(&receipt.id);
        let (number, found) = self.with(|state| {
            let queue = state.user.queues.get_mut(&receipt.queue);
            let queue = queue.ok_or_else(|| QueueError::QueueNotFound(receipt.queue.clone()))?;
            queue.expire(now);
            let found = sequence.and_then(|sequence| Some((sequence, queue.get(sequence)?)));
            Ok::<_, QueueError>((queue.number, found))
        })?;
        let (sequence, row) = found.ok_or(QueueError::MessageNotFound)?;
        if self.ids.pop_receipt(sequence, row.receipt) != receipt.pop_receipt {
            return Err(QueueError::PopReceiptMismatch);
        }
        Ok((number, (sequence, row)))
    }

    /// A message as it is shown.
    fn message(&self, sequence: u64, row: MessageRow, text: String) -> QueueMessage {
        QueueMessage {
            id: self.ids.message(sequence).to_string(),
            text,
            inserted: row.inserted,
            expires: row.expires,
            visible: row.visible,
            dequeue_count: row.dequeue_count,
            pop_receipt: self.ids.pop_receipt(sequence, row.receipt),
        }
    }
}

impl Draft<'_> {
    /// Puts a message into a queue that is there when the batch is.
    pub(super) fn put_message(&mut self, name: &QueueName, number: u64, message: NewMessage) -> QueueMessage {
        let NewMessage { text, delay, time_to_live } = message;
        let sequence = self.shared.next_number();
        let row = MessageRow {
            inserted: self.now,
            visible: self.now.saturating_add(delay),
            expires: time_to_live.map_or(Timestamp::MAX, |span| self.now.saturating_add(span)),
            dequeue_count: 0,
            receipt: self.shared.next_number(),
            host: false,
        };
        self.batch().put(Table::QueueBodies, keys::owned(number, sequence), codec::encode_body(&text));
        self.set_message(name, number, sequence, row);
        self.shared.message(sequence, row, text)
    }

    pub(super) fn delete_message(&mut self, name: &QueueName, number: u64, sequence: u64) {
        self.delete_rows(number, sequence);
        self.applied.push(Applied::MessageGone(name.clone(), sequence));
    }

    fn set_message(&mut self, name: &QueueName, number: u64, sequence: u64, row: MessageRow) {
        self.batch().put(Table::QueueMessages, keys::owned(number, sequence), codec::encode_queued(&row));
        self.applied.push(Applied::Message(name.clone(), sequence, row));
    }

    fn delete_rows(&mut self, number: u64, sequence: u64) {
        self.batch().delete(Table::QueueMessages, keys::owned(number, sequence));
        self.batch().delete(Table::QueueBodies, keys::owned(number, sequence));
    }

    /// Deletes rows of messages that have gone by themselves.
    fn clean(&mut self, name: &QueueName, number: u64) {
        let garbage = self.shared.with(|state| {
            let queue = state.user.queues.get_mut(name).filter(|queue| queue.number == number);
            queue.map(|queue| queue.take_garbage(MAX_GARBAGE)).unwrap_or_default()
        });
        for sequence in garbage {
            self.delete_rows(number, sequence);
        }
    }

    /// The body of a message. One that cannot be read is set aside, and the message goes.
    fn body(&mut self, name: &QueueName, number: u64, sequence: u64) -> Result<Option<String>, StoreError> {
        match read_body(self.view, number, sequence) {
            Ok(Some(text)) => return Ok(Some(text)),
            Ok(None) => {
                let record = record_name(Table::QueueBodies, &keys::owned(number, sequence));
                tracing::error!(record, queue = %name, "a message without a body is dropped");
            }
            Err(StoreError::Corrupt { detail, .. }) => {
                let key = keys::owned(number, sequence);
                let bytes = self.view.get(Table::QueueBodies, &key)?.unwrap_or_default();
                set_aside(self.batch(), Table::QueueBodies, &key, &bytes, &detail);
            }
            Err(error) => return Err(error),
        }
        self.delete_message(name, number, sequence);
        Ok(None)
    }
}

fn read_body(view: &dyn View, number: u64, sequence: u64) -> Result<Option<String>, StoreError> {
    let key = keys::owned(number, sequence);
    let Some(value) = view.get(Table::QueueBodies, &key)? else { return Ok(None) };
    codec::decode_body(&value).map(Some).map_err(|why| super::super::records::corrupt(Table::QueueBodies, &key, &why))
}
