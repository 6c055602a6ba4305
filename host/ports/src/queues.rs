//! Queues for users: messages with visibility, pop receipts, dequeue counts and a time to live.

use crate::StoreError;
use async_trait::async_trait;
use orchestration::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use storage_model::QueueName;

/// Names and values that users keep with a queue. Names keep their case and are compared without it.
pub type Metadata = BTreeMap<String, String>;

/// A message as its receiver sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueMessage {
    /// A GUID with dashes, unique for ever.
    pub id: String,
    /// The body as it was put, without its encoding for XML.
    pub text: String,
    /// When it was put.
    pub inserted: Timestamp,
    /// When it goes by itself; [`Timestamp::MAX`]: never.
    pub expires: Timestamp,
    /// When it can be received next.
    pub visible: Timestamp,
    /// How often it was received, this time included.
    pub dequeue_count: u32,
    /// What proves that nobody has received it since. Changes with every receipt and update.
    pub pop_receipt: String,
}

/// A message to put.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMessage {
    /// The body, at most 64 KiB; who puts it has checked that.
    pub text: String,
    /// How long until it can be received.
    pub delay: Duration,
    /// How long until it goes by itself; none: never.
    pub time_to_live: Option<Duration>,
}

impl NewMessage {
    /// How long a message stays when its sender does not say.
    pub const DEFAULT_TIME_TO_LIVE: Duration = Duration::from_secs(7 * 24 * 3_600);

    /// A message that can be received at once and stays for seven days.
    pub fn new(text: impl Into<String>) -> NewMessage {
        NewMessage { text: text.into(), delay: Duration::ZERO, time_to_live: Some(NewMessage::DEFAULT_TIME_TO_LIVE) }
    }
}

/// Names one receipt of one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The queue.
    pub queue: QueueName,
    /// The message.
    pub id: String,
    /// The pop receipt of that time.
    pub pop_receipt: String,
}

/// Who receives messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Receiver {
    /// Somebody who outlives this process: what it does not delete comes back when its visibility lapses.
    Client,
    /// A part of this process: what it does not delete also comes back when the process has ended.
    Host,
}

/// A queue apart from its messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueView {
    /// Its name.
    pub name: QueueName,
    /// What users keep with it.
    pub metadata: Metadata,
    /// Stored access policies as an XML text; empty: none. Kept, not enforced.
    pub access_policies: String,
    /// How many messages are in it, hidden ones included.
    pub messages: u64,
}

/// One page of a list of queues.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueuePage {
    /// By name.
    pub queues: Vec<QueueView>,
    /// The name to go on with, itself included; none after the last page.
    pub next: Option<String>,
}

/// What came of [`QueueStore::create_queue`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueCreated {
    /// It is there now.
    Yes,
    /// It was there already, with the same metadata.
    Exists,
}

/// Why a queue operation was not done. Nothing changed then.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QueueError {
    /// There is no such queue.
    #[error("there is no queue named '{0}'")]
    QueueNotFound(QueueName),
    /// It is there with other metadata.
    #[error("the queue '{0}' exists with other metadata")]
    QueueExists(QueueName),
    /// There is no such message, any more.
    #[error("the message is not in the queue; it was deleted or has expired")]
    MessageNotFound,
    /// Somebody has received or updated it since.
    #[error("the pop receipt is not the one of the last receipt; somebody has received the message since")]
    PopReceiptMismatch,
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The queues of users.
///
/// Guarantees:
/// - what returned is durable and atomic; a message that was put is received at least once until somebody deletes it or it expires;
/// - between a receipt and the end of its visibility nobody else receives the message; every receipt counts up the dequeue
///   count durably before the message is handed out;
/// - of messages that can be received, the one that could be received first comes first, as a rule and not for certain;
/// - `arrival` completes when a message can be received, whoever put it and however: pushed, never polled.
///
/// Numbers (counts, visibility, sizes) were checked by the caller against the rules of its protocol.
#[async_trait]
pub trait QueueStore: Send + Sync {
    /// Creates a queue.
    async fn create_queue(&self, name: &QueueName, metadata: Metadata) -> Result<QueueCreated, QueueError>;

    /// Removes a queue and all messages in it.
    async fn delete_queue(&self, name: &QueueName) -> Result<(), QueueError>;

    /// One queue.
    async fn queue(&self, name: &QueueName) -> Result<QueueView, QueueError>;

    /// Replaces what users keep with a queue, where given.
    async fn set_queue(
        &self,
        name: &QueueName,
        metadata: Option<Metadata>,
        access_policies: Option<String>,
    ) -> Result<(), QueueError>;

    /// Queues whose names begin with `prefix`, from the name `from` on, at most `limit`.
    async fn list_queues(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<QueuePage, QueueError>;

    /// Puts a message. It comes back with its id and a pop receipt, and a dequeue count of 0.
    async fn put_message(&self, queue: &QueueName, message: NewMessage) -> Result<QueueMessage, QueueError>;

    /// Receives up to `count` messages and hides them for `visibility`.
    async fn receive(
        &self,
        queue: &QueueName,
        count: usize,
        visibility: Duration,
        receiver: Receiver,
    ) -> Result<Vec<QueueMessage>, QueueError>;

    /// Looks at up to `count` messages that can be received. Nothing changes; pop receipts are empty.
    async fn peek(&self, queue: &QueueName, count: usize) -> Result<Vec<QueueMessage>, QueueError>;

    /// Hides a received message for `visibility` from now on, zero: shows it, and replaces its body if one is given. Answers
    /// it with its new pop receipt.
    async fn update_message(
        &self,
        receipt: &Receipt,
        visibility: Duration,
        text: Option<String>,
    ) -> Result<QueueMessage, QueueError>;

    /// Gives back a message that could not be worked on: hides it for `delay` from now on, and the receiver's hold on it ends
    /// with that. Unlike [`QueueStore::update_message`] for a message that [`Receiver::Host`] received, the delay also counts
    /// after the process has ended: without it a retry's delay would not survive a restart. Where receivers do not differ, it is
    /// the same.
    async fn give_back(&self, receipt: &Receipt, delay: Duration) -> Result<QueueMessage, QueueError> {
        self.update_message(receipt, delay, None).await
    }

    /// Deletes a received message.
    async fn delete_message(&self, receipt: &Receipt) -> Result<(), QueueError>;

    /// Deletes all messages of a queue.
    async fn clear(&self, queue: &QueueName) -> Result<(), QueueError>;

    /// Completes when a message of this queue can be received; at once if there is one. The queue need not exist yet. It may
    /// complete although somebody else was quicker. Dropping the future ends the waiting.
    async fn arrival(&self, queue: &QueueName);
}
