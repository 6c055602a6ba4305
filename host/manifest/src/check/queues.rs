//! How messages are fetched: `[host.queues]`, and the same fields in queue triggers.

use super::choice::Choice;
use super::settings::{Fields, duration_within};
use crate::fields::{Placed, join};
use crate::file::FileQueues;
use crate::problem::Report;
use crate::settings::{
    MessageEncoding, QUEUE_BATCH_SIZE, QUEUE_DEQUEUE_COUNT, QUEUE_NEW_BATCH_THRESHOLD, QUEUE_POLLING_INTERVAL,
    QUEUE_VISIBILITY_TIMEOUT, QueueSettings,
};
use storage_model::QueueName;

use super::names::quoted;

pub(super) const ENCODINGS: Choice<MessageEncoding> = Choice {
    noun: "an encoding of messages",
    all: &[MessageEncoding::Auto, MessageEncoding::Base64, MessageEncoding::None],
    word: MessageEncoding::as_str,
};

/// What `[host.queues]` begins with.
pub(super) fn defaults() -> QueueSettings {
    QueueSettings {
        max_polling_interval: None,
        visibility_timeout: QUEUE_VISIBILITY_TIMEOUT.default,
        batch_size: QUEUE_BATCH_SIZE.default,
        new_batch_threshold: None,
        max_dequeue_count: QUEUE_DEQUEUE_COUNT.default,
        message_encoding: MessageEncoding::default(),
    }
}

/// What is written, and the defaults for the rest.
pub(super) fn check(written: &FileQueues, path: &str, defaults: &QueueSettings, report: &Report<'_>) -> QueueSettings {
    let fields = Fields { path, report };
    let count = |key, value: &Option<_>, bounds| value.as_ref().map(|value| fields.number(key, Some(value), bounds));
    let time = |key, value: &Option<Placed<String>>, bounds| {
        value.as_ref().and_then(|value| duration_within(value, &join(path, key), bounds, report))
    };
    let polling = time("maxPollingInterval", &written.max_polling_interval, QUEUE_POLLING_INTERVAL);
    let visibility = time("visibilityTimeout", &written.visibility_timeout, QUEUE_VISIBILITY_TIMEOUT);
    let encoding = written.message_encoding.as_ref();
    let encoding = encoding.map(|word| ENCODINGS.read(Some(word), &join(path, "messageEncoding"), report));
    let threshold = count("newBatchThreshold", &written.new_batch_threshold, QUEUE_NEW_BATCH_THRESHOLD);
    let dequeue_count = count("maxDequeueCount", &written.max_dequeue_count, QUEUE_DEQUEUE_COUNT);
    QueueSettings {
        max_polling_interval: polling.or(defaults.max_polling_interval),
        visibility_timeout: visibility.unwrap_or(defaults.visibility_timeout),
        batch_size: count("batchSize", &written.batch_size, QUEUE_BATCH_SIZE).unwrap_or(defaults.batch_size),
        new_batch_threshold: threshold.or(defaults.new_batch_threshold),
        max_dequeue_count: dequeue_count.unwrap_or(defaults.max_dequeue_count),
        message_encoding: encoding.unwrap_or(defaults.message_encoding),
    }
}

/// The name of a queue that is known at load.
pub(super) fn name(written: &Placed<String>, field: &str, report: &Report<'_>) -> Option<QueueName> {
    let text = written.get_ref();
    match text.parse() {
        Ok(name) => Some(name),
        Err(error) => {
            let lower = text.to_ascii_lowercase();
            let next = if text.contains(['{', '}']) {
                "write the name itself: there is nothing to fill it in from before a message is there".to_owned()
            } else if lower.parse::<QueueName>().is_ok() {
                format!("write \"{lower}\"")
            } else {
                "write a name such as \"trip-requests\"".to_owned()
            };
            report.add(&written.span(), field, format!("{} is not the name of a queue: {error}", quoted(text)), next);
            None
        }
    }
}
