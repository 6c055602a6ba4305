//! What becomes of a message, in all the ways that there are.

use dacapo::{Failure, QueueMessage};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a function saw of a message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Echo {
    text: String,
    dequeue_count: u32,
}

impl Echo {
    fn of(message: &QueueMessage) -> Echo {
        Echo { text: message.text.clone(), dequeue_count: message.dequeue_count }
    }
}

/// Returns what it saw.
#[dacapo::queue]
fn echo(message: QueueMessage) -> Echo {
    Echo::of(&message)
}

/// A message that is not worked on at the first try.
#[derive(Deserialize)]
struct Stone {
    /// How many tries fail.
    failures: u32,
}

/// Fails as often as the message says, telling the try and what the retry policy makes of it.
#[dacapo::queue]
fn stumble(stone: Stone, message: &QueueMessage) -> Result<Echo, Failure> {
    if message.dequeue_count > stone.failures {
        return Ok(Echo::of(message));
    }
    let most = message.max_retry_count.map_or("none".to_owned(), |most| most.to_string());
    let text = format!("stumbled at try {}; retry {} of {most}", message.dequeue_count, message.retry_count);
    Err(Failure::new("Stumbled", text))
}

/// Takes so many milliseconds.
#[dacapo::queue]
fn tarry(milliseconds: u64) {
    linger(Duration::from_millis(milliseconds));
}

/// Never comes to an end at the first try.
#[dacapo::queue]
fn spin(message: QueueMessage) -> Echo {
    if message.dequeue_count == 1 {
        loop {
            std::hint::spin_loop();
        }
    }
    Echo::of(&message)
}

/// A row that goes nowhere if the message does not.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attempt {
    partition_key: &'static str,
    row_key: String,
}

/// Gives `row` a row and returns a message of so many letters.
#[dacapo::queue]
fn inflate(letters: usize, message: &QueueMessage) -> Result<String, Failure> {
    let row_key = format!("{letters} at try {}", message.dequeue_count);
    dacapo::output("row", &Attempt { partition_key: "attempts", row_key })?;
    Ok("x".repeat(letters))
}

#[expect(clippy::disallowed_methods, reason = "work that takes its time, and a queue function may block")]
pub(crate) fn linger(duration: Duration) {
    std::thread::sleep(duration);
}
