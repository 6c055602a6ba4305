//! The queue service: which operation a request asks for, and the errors of queues.

mod messages;
mod queues;

use super::Components;
use super::answer::Answer;
use super::call::{Call, unescaped};
use super::error::{ErrorCode, ServiceError, code};
use ports::QueueError;
use storage_model::{InvalidName, QueueName};

/// Largest body of a request: a message of 64 KiB with the elements around it.
pub(super) const MAX_BODY_BYTES: usize = messages::MAX_MESSAGE_BYTES + 1_024;

const QUEUE_NOT_FOUND: ErrorCode = ErrorCode::new(404, "QueueNotFound", "The specified queue does not exist.");
const QUEUE_ALREADY_EXISTS: ErrorCode =
    ErrorCode::new(409, "QueueAlreadyExists", "The specified queue already exists.");
const MESSAGE_NOT_FOUND: ErrorCode = ErrorCode::new(404, "MessageNotFound", "The specified message does not exist.");
const POP_RECEIPT_MISMATCH: ErrorCode = ErrorCode::new(
    400,
    "PopReceiptMismatch",
    "The specified pop receipt did not match the pop receipt for a dequeued message.",
);

/// Answers one request to the queue service.
pub(super) async fn answer(components: &Components, call: &Call) -> Result<Answer, ServiceError> {
    let queues = components.queues.as_ref();
    let mut parts = call.path.trim_end_matches('/').splitn(3, '/');
    let (queue, second, third) = (parts.next().unwrap_or(""), parts.next(), parts.next());
    if queue.is_empty() {
        return queues::list(queues, call).await;
    }
    let queue = parse_name(queue)?;
    match (second, third) {
        (None, _) => queues::answer(queues, &queue, call).await,
        (Some("messages"), None) => messages::all(queues, &queue, call).await,
        (Some("messages"), Some(id)) => messages::one(queues, queue, &unescaped(id)?, call).await,
        (Some(_), _) => Err(code::INVALID_URI.because("After a queue's name comes 'messages'.")),
    }
}

fn parse_name(part: &str) -> Result<QueueName, ServiceError> {
    unescaped(part)?.parse().map_err(|error: InvalidName| match error {
        InvalidName::Length { .. } => code::OUT_OF_RANGE_INPUT.because(&error.to_string()),
        InvalidName::Queue | InvalidName::Table | InvalidName::Reserved => {
            code::INVALID_RESOURCE_NAME.because(&error.to_string())
        }
    })
}

fn refused(error: QueueError) -> ServiceError {
    match error {
        QueueError::QueueNotFound(_) => QUEUE_NOT_FOUND.because(""),
        QueueError::QueueExists(_) => QUEUE_ALREADY_EXISTS.because("It has other metadata."),
        QueueError::MessageNotFound => MESSAGE_NOT_FOUND.because(""),
        QueueError::PopReceiptMismatch => POP_RECEIPT_MISMATCH.because(""),
        QueueError::Store(error) => error.into(),
    }
}
