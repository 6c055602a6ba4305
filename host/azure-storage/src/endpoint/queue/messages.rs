//! Messages: putting, getting, peeking, updating, deleting them.

use super::refused;
use crate::dates;
use crate::endpoint::answer::{self, Answer};
use crate::endpoint::call::Call;
use crate::endpoint::error::{ErrorCode, ServiceError, code};
use crate::xml::{self, Element, Writer};
use http::{HeaderName, Method, StatusCode};
use ports::{NewMessage, QueueMessage, QueueStore, Receipt, Receiver};
use std::time::Duration;
use storage_model::QueueName;

/// Largest text of a message, in bytes with the escapes of XML, as in Azure.
pub(super) const MAX_MESSAGE_BYTES: usize = 64 << 10;
/// Most messages of one request.
const MAX_COUNT: i64 = 32;
/// Longest time out of sight, in seconds.
const MAX_VISIBILITY: i64 = 7 * 24 * 3_600;
/// How long received messages are out of sight when the client does not say, in seconds.
const DEFAULT_VISIBILITY: i64 = 30;

const MESSAGE_TOO_LARGE: ErrorCode =
    ErrorCode::new(400, "MessageTooLarge", "The message exceeds the maximum allowed size.");
const POP_RECEIPT: HeaderName = HeaderName::from_static("x-ms-popreceipt");
const TIME_NEXT_VISIBLE: HeaderName = HeaderName::from_static("x-ms-time-next-visible");

/// Answers `/{queue}/messages`.
pub(super) async fn all(queues: &dyn QueueStore, queue: &QueueName, call: &Call) -> Result<Answer, ServiceError> {
    match call.method {
        Method::POST => put(queues, queue, call).await,
        Method::GET => get(queues, queue, call).await,
        Method::DELETE => {
            queues.clear(queue).await.map_err(refused)?;
            Ok(answer::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(call.unsupported_method()),
    }
}

/// Answers `/{queue}/messages/{id}`.
pub(super) async fn one(
    queues: &dyn QueueStore,
    queue: QueueName,
    id: &str,
    call: &Call,
) -> Result<Answer, ServiceError> {
    let Some(pop_receipt) = call.query.get("popreceipt").filter(|receipt| !receipt.is_empty()) else {
        return Err(code::MISSING_REQUIRED_QUERY_PARAMETER.because("").with("QueryParameterName", "popreceipt"));
    };
    // Pop receipts have no spaces; one that is there was a plus sign without its escape.
    let receipt = Receipt { queue, id: id.to_owned(), pop_receipt: pop_receipt.replace(' ', "+") };
    match call.method {
        Method::PUT => update(queues, &receipt, call).await,
        Method::DELETE => {
            queues.delete_message(&receipt).await.map_err(refused)?;
            Ok(answer::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(call.unsupported_method()),
    }
}

async fn put(queues: &dyn QueueStore, queue: &QueueName, call: &Call) -> Result<Answer, ServiceError> {
    let delay = call.query.number("visibilitytimeout", 0, MAX_VISIBILITY)?.unwrap_or(0);
    let time_to_live = match call.query.number("messagettl", -1, i64::from(i32::MAX))? {
        None => Some(NewMessage::DEFAULT_TIME_TO_LIVE),
        Some(-1) => None,
        Some(seconds) => Some(seconds_of(seconds)),
    };
    let delay = seconds_of(delay);
    if time_to_live.is_some_and(|time_to_live| time_to_live <= delay) {
        let name = if call.query.get("messagettl").is_some() { "messagettl" } else { "visibilitytimeout" };
        let value = call.query.get(name).unwrap_or("");
        return Err(code::INVALID_QUERY_PARAMETER_VALUE
            .because("messagettl must be greater than visibilitytimeout.")
            .with("QueryParameterName", name)
            .with("QueryParameterValue", value));
    }
    let message = NewMessage { text: text_of(&call.body)?, delay, time_to_live };
    let message = queues.put_message(queue, message).await.map_err(refused)?;
    Ok(answer::xml(StatusCode::CREATED, document(&[message], Shown::Put)))
}

async fn get(queues: &dyn QueueStore, queue: &QueueName, call: &Call) -> Result<Answer, ServiceError> {
    let count = call.query.number("numofmessages", 1, MAX_COUNT)?.unwrap_or(1);
    let count = usize::try_from(count).unwrap_or(1);
    if call.query.is("peekonly", "true") {
        let messages = queues.peek(queue, count).await.map_err(refused)?;
        return Ok(answer::xml(StatusCode::OK, document(&messages, Shown::Peeked)));
    }
    let visibility = call.query.number("visibilitytimeout", 1, MAX_VISIBILITY)?.unwrap_or(DEFAULT_VISIBILITY);
    let received = queues.receive(queue, count, seconds_of(visibility), Receiver::Client).await;
    Ok(answer::xml(StatusCode::OK, document(&received.map_err(refused)?, Shown::Received)))
}

async fn update(queues: &dyn QueueStore, receipt: &Receipt, call: &Call) -> Result<Answer, ServiceError> {
    let Some(visibility) = call.query.number("visibilitytimeout", 0, MAX_VISIBILITY)? else {
        return Err(code::MISSING_REQUIRED_QUERY_PARAMETER.because("").with("QueryParameterName", "visibilitytimeout"));
    };
    let text = if call.body.is_empty() { None } else { Some(text_of(&call.body)?) };
    let message = queues.update_message(receipt, seconds_of(visibility), text).await.map_err(refused)?;
    let mut answer = answer::empty(StatusCode::NO_CONTENT);
    answer::put(&mut answer, POP_RECEIPT, &message.pop_receipt);
    answer::put(&mut answer, TIME_NEXT_VISIBLE, &dates::rfc1123(message.visible));
    Ok(answer)
}

fn seconds_of(number: i64) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or(0))
}

/// `<QueueMessage><MessageText>text</MessageText></QueueMessage>`
fn text_of(body: &[u8]) -> Result<String, ServiceError> {
    let mut message = Element::parse(body).map_err(|error| code::INVALID_XML_DOCUMENT.because(&error.to_string()))?;
    let place = message.children.iter().position(|child| child.name == "MessageText");
    let Some(place) = place.filter(|_| message.name == "QueueMessage") else {
        return Err(code::INVALID_XML_DOCUMENT.because("A QueueMessage with a MessageText is expected."));
    };
    let text = message.children.swap_remove(place).text;
    if text.chars().any(|c| !xml::is_allowed(c)) {
        return Err(code::INVALID_XML_DOCUMENT
            .because("The text has characters that XML cannot tell; encode the message, for example in base64."));
    }
    if xml::escaped_len(&text) > MAX_MESSAGE_BYTES {
        return Err(MESSAGE_TOO_LARGE.because("").with("MaxLimit", &MAX_MESSAGE_BYTES.to_string()));
    }
    Ok(text)
}

/// What of a message its reader may see.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Put,
    Received,
    Peeked,
}

fn document(messages: &[QueueMessage], shown: Shown) -> String {
    let texts: usize = messages.iter().map(|message| message.text.len()).sum();
    let mut writer = Writer::with_capacity(64 + 512 * messages.len() + texts);
    writer.open("QueueMessagesList");
    for message in messages {
        writer.open("QueueMessage");
        writer.element("MessageId", &message.id);
        writer.element("InsertionTime", &dates::rfc1123(message.inserted));
        writer.element("ExpirationTime", &dates::rfc1123(message.expires));
        if shown != Shown::Peeked {
            writer.element("PopReceipt", &message.pop_receipt);
            writer.element("TimeNextVisible", &dates::rfc1123(message.visible));
        }
        if shown != Shown::Put {
            writer.number("DequeueCount", u64::from(message.dequeue_count));
            writer.element("MessageText", &message.text);
        }
        writer.close("QueueMessage");
    }
    writer.close("QueueMessagesList");
    writer.finish()
}
