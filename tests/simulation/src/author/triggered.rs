//! Functions that messages and schedules start: scripted by the text of a message, or by the name of a timer.
//!
//! Whatever they do, they give their outputs the tag of what they were started for, so that in the end each effect shows whose
//! it is.

use crate::clock::{EPOCH, VirtualClock};
use async_trait::async_trait;
use manifest::App;
use orchestration::{ActivityTask, Failure, Json, Timeouts, Timestamp};
use ports::{
    Activities, ActivityInvocation, BoundValues, Clock, GuestFault, QueueFunctions, QueueInvocation, Ran,
    TimerFunctions, TimerInvocation,
};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use triggers::activity::ActivityBindings;

/// How long the timer takes that takes longer than its interval.
const SLOW_RUN: Duration = Duration::from_secs(10 * 86_400);

static APP: LazyLock<App> = LazyLock::new(|| {
    manifest::parse(include_str!("triggered.toml"), "triggered.toml", &manifest::no_settings)
        .unwrap_or_else(|problems| panic!("the simulated app is wrong: {problems:?}"))
});

/// The app, with these functions of it.
pub(crate) fn app(functions: &[&str]) -> App {
    let wanted = APP.functions.iter().filter(|function| functions.contains(&function.name.as_str()));
    App { functions: wanted.cloned().collect(), ..APP.clone() }
}

/// What a message asks for. No two messages have the same tag.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Errand {
    pub(crate) tag: String,
    /// Receipts that end in a failure; later ones succeed.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) fail: u32,
    /// Whether these failures are traps.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) trap: bool,
    /// Whether it fails in a way that trying again does not help.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) fatal: bool,
    /// How long each run takes, in seconds.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) takes: u64,
    /// How many messages it sends on.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) next: u32,
    /// Whether an orchestration is started by it, or by those that it sends on.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) start: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Errand {
    pub(crate) fn new(tag: impl Into<String>) -> Errand {
        Errand { tag: tag.into(), ..Errand::default() }
    }

    /// The text of its message.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers have a JSON form")
    }

    /// The errand of a message.
    pub(crate) fn parse(text: &str) -> Option<Errand> {
        serde_json::from_str(text).ok().filter(|errand: &Errand| !errand.tag.is_empty())
    }

    /// What it sends on.
    pub(crate) fn sent_on(&self) -> impl Iterator<Item = Errand> {
        (0..self.next).map(|n| Errand { start: self.start, ..Errand::new(format!("{}>{n}", self.tag)) })
    }

    /// Whether it starts an orchestration itself.
    pub(crate) fn starts(&self) -> bool {
        self.start && self.next == 0
    }

    fn outputs(&self, function: &str) -> BoundValues {
        let mut outputs = evidence(&self.tag, &serde_json::json!({ "tag": self.tag, "function": function }));
        outputs.extend(self.sent_on().map(|errand| ("next".to_owned(), Json::from(errand.text()))));
        if self.starts() {
            let start = serde_json::json!({ "functionName": "Witness", "input": self.tag });
            outputs.push(("start".to_owned(), Json::from(start.to_string())));
        }
        outputs
    }
}

/// What shows that something was done: a message, of which there are two if it was done twice, and an entity.
fn evidence(tag: &str, message: &serde_json::Value) -> BoundValues {
    let entity = serde_json::json!({ "PartitionKey": tag }).to_string();
    vec![("audit".to_owned(), Json::from(message.to_string())), ("ledger".to_owned(), Json::from(entity))]
}

/// The tag of what a timer does at an occurrence.
pub(crate) fn timer_tag(function: &str, scheduled: Timestamp) -> String {
    format!("{function}@{}", scheduled.saturating_since(EPOCH).as_secs())
}

/// The tag of what the activity of an instance does.
pub(crate) fn note_tag(instance: &str) -> String {
    format!("{NOTE}{instance}")
}

/// What the tags of activities begin with.
pub(crate) const NOTE: &str = "note:";

/// Runs activities, those of the app with what they give their outputs.
pub(crate) struct Bound {
    pub(crate) inner: Arc<dyn Activities>,
    pub(crate) bindings: ActivityBindings,
}

#[async_trait]
impl Activities for Bound {
    fn timeouts(&self, task: &ActivityTask) -> Timeouts {
        self.inner.timeouts(task)
    }

    async fn run(&self, invocation: ActivityInvocation) -> Result<Result<Json, Failure>, GuestFault> {
        let task = invocation.task.clone();
        let outputs = if task.name == "Note" {
            let tag = note_tag(task.instance.as_str());
            evidence(&tag, &serde_json::json!({ "tag": tag }))
        } else {
            Vec::new()
        };
        let run = |_inputs| async { Ok(self.inner.run(invocation).await?.map(|returned| Ran { returned, outputs })) };
        self.bindings.run(&task, run).await
    }
}

/// Runs the functions of the app that messages and schedules start.
pub(crate) struct Scripted {
    pub(crate) clock: VirtualClock,
}

impl Scripted {
    async fn take(&self, takes: Duration) {
        if !takes.is_zero() {
            self.clock.sleep_until(self.clock.now().saturating_add(takes)).await;
        }
    }
}

#[async_trait]
impl QueueFunctions for Scripted {
    async fn run_queue(&self, invocation: QueueInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let QueueInvocation { function, message, .. } = invocation;
        let Some(errand) = Errand::parse(&message.text) else {
            return Ok(Err(Failure::new("NoErrand", message.text).non_retriable()));
        };
        self.take(Duration::from_secs(errand.takes)).await;
        if errand.fatal {
            return Ok(Err(Failure::new("Fatal", "trying again cannot help").non_retriable()));
        }
        if message.dequeue_count <= errand.fail {
            return match errand.trap {
                true => Err(GuestFault::Trapped { function, message: "unreachable".to_owned() }),
                false => Ok(Err(Failure::new("Failed", format!("receipt {} fails", message.dequeue_count)))),
            };
        }
        Ok(Ok(Ran { returned: Json::null(), outputs: errand.outputs(&function) }))
    }
}

#[async_trait]
impl TimerFunctions for Scripted {
    async fn run_timer(&self, invocation: TimerInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let TimerInvocation { function, scheduled, is_past_due, retry, .. } = invocation;
        let tag = timer_tag(&function, scheduled);
        let outputs = match function.as_str() {
            "Persistent" if retry.retry_count < 2 => return Ok(Err(Failure::new("Failed", "not yet"))),
            "Hopeless" => return Ok(Err(Failure::new("Failed", "never"))),
            "Chained" => vec![("next".to_owned(), Json::from(Errand::new(&*tag).text()))],
            _ => {
                let mut outputs =
                    evidence(&tag, &serde_json::json!({ "tag": tag, "function": function, "late": is_past_due }));
                let entity = serde_json::json!({ "PartitionKey": tag, "RowKey": "run" }).to_string();
                outputs[1].1 = Json::from(entity);
                outputs
            }
        };
        if ["Slow", "Patient"].contains(&function.as_str()) {
            self.take(SLOW_RUN).await;
        }
        Ok(Ok(Ran { returned: Json::null(), outputs }))
    }
}
