//! The status of one instance as the management API tells it, and waiting for its end.

use orchestration::RuntimeStatus;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::time::Duration;

use super::hub::{self, Question};
use super::paint::{Line, Look, Paint, Span, shortened};
use crate::cli::HubArguments;
use crate::clock::{Stopwatch, after};
use crate::exit::Problem;

/// The longest payload that is shown as text, in columns. `--output json` shows all of it.
const MAX_PAYLOAD_WIDTH: usize = 2_000;

/// The status object, with payloads as they came.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) name: String,
    pub(super) instance_id: String,
    #[serde(serialize_with = "as_name", deserialize_with = "by_name")]
    pub(super) runtime_status: RuntimeStatus,
    pub(super) input: Option<Box<RawValue>>,
    pub(super) custom_status: Option<Box<RawValue>>,
    pub(super) output: Option<Box<RawValue>>,
    pub(super) created_time: String,
    pub(super) last_updated_time: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_name<S: Serializer>(status: &RuntimeStatus, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(status.name())
}

fn by_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RuntimeStatus, D::Error> {
    let name = String::deserialize(deserializer)?;
    RuntimeStatus::parse(&name).ok_or_else(|| serde::de::Error::custom(format!("'{name}' is no status")))
}

impl Status {
    /// Asks for the status of an instance.
    ///
    /// # Errors
    /// As [`hub::ask`]; there may be no such instance.
    pub(super) async fn of(id: &str, with_input: bool, arguments: &HubArguments) -> Result<Status, Problem> {
        let question = Question::get(&["instances", id]).with("showInput", Some(with_input));
        hub::read(&hub::ask(arguments, question).await?)
    }

    /// Why it failed, if it did: what the host gives as its output then.
    pub(super) fn failure(&self) -> Option<String> {
        let output = self.output.as_ref().filter(|_| self.runtime_status == RuntimeStatus::Failed)?;
        serde_json::from_str(output.get()).ok()
    }

    /// How it ended, or how it is.
    pub(super) fn in_one_line(&self, look: Look) -> String {
        let mut line = Line::default();
        line.push(self.runtime_status.name(), Paint::of(self.runtime_status));
        match (self.failure(), &self.output) {
            (Some(why), _) => line.push(&format!(": {why}"), Paint::Plain),
            (None, Some(output)) => line.push(&format!(": {}", payload(output)), Paint::Plain),
            (None, None) => {}
        }
        line.to_text(look.colours)
    }
}

/// A payload as text for people.
pub(super) fn payload(json: &RawValue) -> String {
    shortened(json.get(), MAX_PAYLOAD_WIDTH)
}

/// A moment as the API writes it, for people, without its zone, which is UTC.
pub(super) fn moment(text: &str) -> Span {
    Span::plain(&text.replacen('T', " ", 1).replacen('Z', "", 1))
}

/// How often a host is asked for news: often while there are some, and less and less often while there are none.
#[derive(Debug)]
pub(super) struct Pace {
    pause: Duration,
}

impl Pace {
    /// A person does not notice less, and a host does not notice so few requests.
    const SHORTEST: Duration = Duration::from_millis(200);
    const LONGEST: Duration = Duration::from_secs(2);
    /// Asking takes at most this part of the time: a long history takes a while to send.
    const SHARE: u32 = 5;

    pub(super) fn new() -> Pace {
        Pace { pause: Self::SHORTEST }
    }

    /// How long to wait before asking again, after an answer that took so long to get.
    pub(super) fn next(&mut self, has_news: bool, asking: Duration) -> Duration {
        let pause = if has_news { Self::SHORTEST } else { self.pause };
        self.pause = (pause * 3 / 2).min(Self::LONGEST);
        pause.max(asking * Self::SHARE)
    }
}

/// Waits until an instance has ended, or until the time is up, and answers what it is then.
///
/// # Errors
/// As [`Status::of`].
pub(super) async fn ended(id: &str, timeout: Option<Duration>, arguments: &HubArguments) -> Result<Status, Problem> {
    let waiting = Stopwatch::start();
    let mut pace = Pace::new();
    let mut last = String::new();
    loop {
        let asking = Stopwatch::start();
        let status = Status::of(id, false, arguments).await?;
        if status.runtime_status.is_terminal() {
            return Ok(status);
        }
        let has_news = last != status.last_updated_time;
        let mut pause = pace.next(has_news, asking.elapsed());
        if let Some(timeout) = timeout {
            let left = timeout.saturating_sub(waiting.elapsed());
            if left.is_zero() {
                return Ok(status);
            }
            pause = pause.min(left);
        }
        last = status.last_updated_time;
        after(pause).await;
    }
}
