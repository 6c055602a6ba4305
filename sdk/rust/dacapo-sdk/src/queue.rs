//! Messages of queues, as functions with queue triggers see them.

use serde::de::DeserializeOwned;

use crate::{Failure, Timestamp, payload};

/// A message and what the host knows about it; a parameter of a function under
/// [`#[dacapo::queue]`](macro@crate::queue), by value or by reference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueMessage {
    /// Unique for ever, also after the message was received again.
    pub id: String,
    /// The queue that it came from.
    pub queue: String,
    /// Its text, decoded as the trigger's `messageEncoding` says.
    pub text: String,
    /// How often it was received, this time included.
    pub dequeue_count: u32,
    /// When it was put.
    pub inserted: Timestamp,
    /// When it goes by itself; none: never.
    pub expires: Option<Timestamp>,
    /// When it can be received next, if this invocation does not end before.
    pub next_visible: Timestamp,
    /// Proves that nobody has received it since.
    pub pop_receipt: String,
    /// The id of this invocation, as in the host's log.
    pub invocation_id: String,
    /// Which try of the function's retry policy this is; 0 is the first.
    pub retry_count: u32,
    /// How many there may be; none: no policy, or any number.
    pub max_retry_count: Option<u32>,
}

impl QueueMessage {
    /// A message with this text that was received for the first time, and nothing else known: for tests.
    pub fn new(text: impl Into<String>) -> QueueMessage {
        QueueMessage {
            id: String::new(),
            queue: String::new(),
            text: text.into(),
            dequeue_count: 1,
            inserted: Timestamp::UNIX_EPOCH,
            expires: None,
            next_visible: Timestamp::UNIX_EPOCH,
            pop_receipt: String::new(),
            invocation_id: String::new(),
            retry_count: 0,
            max_retry_count: None,
        }
    }

    /// The text read as JSON.
    ///
    /// ```
    /// let message = dacapo::QueueMessage::new(r#"["Ada", "Grace"]"#);
    /// let travellers: Vec<String> = message.json().unwrap();
    /// assert_eq!(travellers, ["Ada", "Grace"]);
    /// ```
    ///
    /// # Errors
    /// With the type `InvalidPayload` when it is no `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        payload::decode(&self.text, "the message")
    }
}
