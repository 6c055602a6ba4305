//! Messages of queues, as functions with queue triggers see them.

use crate::Timestamp;

/// A message and what the host knows about it.
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
