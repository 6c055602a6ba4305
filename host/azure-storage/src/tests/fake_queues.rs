//! Queues in a map, as strict as the port about receipts, visibility and expiry.

use super::world::FakeClock;
use async_trait::async_trait;
use orchestration::Timestamp;
use ports::{
    Clock, Metadata, NewMessage, QueueCreated, QueueError, QueueMessage, QueuePage, QueueStore, QueueView, Receipt,
    Receiver, StoreError,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage_model::QueueName;

struct Queue {
    view: QueueView,
    messages: Vec<QueueMessage>,
}

pub(crate) struct FakeQueues {
    clock: Arc<FakeClock>,
    queues: Mutex<BTreeMap<QueueName, Queue>>,
    /// While set, every call fails.
    pub(crate) broken: Mutex<bool>,
    numbers: Mutex<u64>,
}

impl FakeQueues {
    pub(crate) fn new(clock: Arc<FakeClock>) -> FakeQueues {
        FakeQueues { clock, queues: Mutex::default(), broken: Mutex::default(), numbers: Mutex::default() }
    }

    fn number(&self) -> u64 {
        let mut number = self.numbers.lock().unwrap();
        *number += 1;
        *number
    }

    fn with<T>(
        &self,
        name: &QueueName,
        work: impl FnOnce(&mut Queue, Timestamp) -> Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        if *self.broken.lock().unwrap() {
            return Err(StoreError::Unavailable { detail: "the disk is on fire".into() }.into());
        }
        let now = self.clock.now();
        let mut queues = self.queues.lock().unwrap();
        let queue = queues.get_mut(name).ok_or_else(|| QueueError::QueueNotFound(name.clone()))?;
        queue.messages.retain(|message| message.expires > now);
        let result = work(queue, now);
        queue.view.messages = queue.messages.len() as u64;
        result
    }
}

fn held<'a>(queue: &'a mut Queue, receipt: &Receipt) -> Result<&'a mut QueueMessage, QueueError> {
    let message = queue.messages.iter_mut().find(|message| message.id == receipt.id);
    let message = message.ok_or(QueueError::MessageNotFound)?;
    if message.pop_receipt == receipt.pop_receipt { Ok(message) } else { Err(QueueError::PopReceiptMismatch) }
}

#[async_trait]
impl QueueStore for FakeQueues {
    async fn create_queue(&self, name: &QueueName, metadata: Metadata) -> Result<QueueCreated, QueueError> {
        let mut queues = self.queues.lock().unwrap();
        if let Some(queue) = queues.get(name) {
            let same = queue.view.metadata == metadata;
            return if same { Ok(QueueCreated::Exists) } else { Err(QueueError::QueueExists(name.clone())) };
        }
        let view = QueueView { name: name.clone(), metadata, access_policies: String::new(), messages: 0 };
        queues.insert(name.clone(), Queue { view, messages: Vec::new() });
        Ok(QueueCreated::Yes)
    }

    async fn delete_queue(&self, name: &QueueName) -> Result<(), QueueError> {
        self.with(name, |_, _| Ok(()))?;
        self.queues.lock().unwrap().remove(name);
        Ok(())
    }

    async fn queue(&self, name: &QueueName) -> Result<QueueView, QueueError> {
        self.with(name, |queue, _| Ok(QueueView { messages: queue.messages.len() as u64, ..queue.view.clone() }))
    }

    async fn set_queue(
        &self,
        name: &QueueName,
        metadata: Option<Metadata>,
        access_policies: Option<String>,
    ) -> Result<(), QueueError> {
        self.with(name, |queue, _| {
            if let Some(metadata) = metadata {
                queue.view.metadata = metadata;
            }
            if let Some(policies) = access_policies {
                queue.view.access_policies = policies;
            }
            Ok(())
        })
    }

    async fn list_queues(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<QueuePage, QueueError> {
        let queues = self.queues.lock().unwrap();
        let fits = |name: &str| name.starts_with(prefix) && from.is_none_or(|from| name >= from);
        let mut found: Vec<QueueView> =
            queues.values().map(|queue| queue.view.clone()).filter(|view| fits(view.name.as_str())).collect();
        let next = found.get(limit).map(|view| view.name.to_string());
        found.truncate(limit);
        Ok(QueuePage { queues: found, next })
    }

    async fn put_message(&self, queue: &QueueName, message: NewMessage) -> Result<QueueMessage, QueueError> {
        let number = self.number();
        self.with(queue, |queue, now| {
            let message = QueueMessage {
                id: format!("00000000-0000-0000-0000-{number:012}"),
                text: message.text,
                inserted: now,
                expires: message.time_to_live.map_or(Timestamp::MAX, |life| now.saturating_add(life)),
                visible: now.saturating_add(message.delay),
                dequeue_count: 0,
                pop_receipt: format!("receipt+{number}="),
            };
            queue.messages.push(message.clone());
            Ok(message)
        })
    }

    async fn receive(
        &self,
        queue: &QueueName,
        count: usize,
        visibility: Duration,
        _receiver: Receiver,
    ) -> Result<Vec<QueueMessage>, QueueError> {
        self.with(queue, |queue, now| {
            let ready = queue.messages.iter_mut().filter(|message| message.visible <= now).take(count);
            let received = ready.map(|message| {
                message.visible = now.saturating_add(visibility);
                message.dequeue_count += 1;
                message.pop_receipt = format!("receipt+{}=", self.number());
                message.clone()
            });
            Ok(received.collect())
        })
    }

    async fn peek(&self, queue: &QueueName, count: usize) -> Result<Vec<QueueMessage>, QueueError> {
        self.with(queue, |queue, now| {
            let ready = queue.messages.iter().filter(|message| message.visible <= now).take(count);
            Ok(ready.map(|message| QueueMessage { pop_receipt: String::new(), ..message.clone() }).collect())
        })
    }

    async fn update_message(
        &self,
        receipt: &Receipt,
        visibility: Duration,
        text: Option<String>,
    ) -> Result<QueueMessage, QueueError> {
        let number = self.number();
        self.with(&receipt.queue, |queue, now| {
            let message = held(queue, receipt)?;
            message.visible = now.saturating_add(visibility);
            message.pop_receipt = format!("receipt+{number}=");
            if let Some(text) = text {
                message.text = text;
            }
            Ok(message.clone())
        })
    }

    async fn delete_message(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.with(&receipt.queue, |queue, _| {
            held(queue, receipt)?;
            queue.messages.retain(|message| message.id != receipt.id);
            Ok(())
        })
    }

    async fn clear(&self, queue: &QueueName) -> Result<(), QueueError> {
        self.with(queue, |queue, _| {
            queue.messages.clear();
            Ok(())
        })
    }

    async fn arrival(&self, _queue: &QueueName) {}
}
