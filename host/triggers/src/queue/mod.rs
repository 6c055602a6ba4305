//! The queue trigger: messages in, functions run, messages gone together with what the functions brought about.
//!
//! Owns how a queue is listened to, what happens to a message between its receipt and its end, and which messages are given
//! up. Leaves the queue itself to the [`QueueStore`](ports::QueueStore) port, and what outputs mean to `bindings`.
//!
//! Whatever fails, a message is either worked on and gone, in the poison queue, or still in its queue.

mod function;
mod hold;
mod listener;
mod source;

#[cfg(test)]
mod tests;

pub use listener::QueueListener;

use crate::bindings::{BindingParts, BindingSetupError};
use function::QueueFunction;
use manifest::settings::QUEUE_POLLING_INTERVAL;
use manifest::{App, Trigger};
use ports::{Clock, QueueFunctions, Ran, Randomness};
use std::sync::Arc;
use std::time::Duration;

/// How long a message is hidden from others while it is worked on; renewed at half the time. Azure's number.
pub const HELD_FOR: Duration = Duration::from_secs(10 * 60);

/// The parts of the world that the trigger needs.
#[derive(Clone)]
pub struct QueueParts {
    /// Runs the functions.
    pub functions: Arc<dyn QueueFunctions>,
    /// Where queues are, and what bindings need.
    pub bindings: BindingParts,
    /// Says when to renew, and when to look again.
    pub clock: Arc<dyn Clock>,
    /// Invocation ids and the jitter of delays come from it.
    pub randomness: Arc<dyn Randomness>,
}

/// What follows from the host where the manifest does not say.
#[derive(Clone, Copy, Debug)]
pub struct QueueDefaults {
    /// How many processors there are: `newBatchThreshold` is half of the batch size for each.
    pub cores: u32,
    /// `maxPollingInterval`.
    pub max_polling_interval: Duration,
}

impl QueueDefaults {
    /// Azure's, for so many processors.
    pub fn for_cores(cores: u32) -> QueueDefaults {
        QueueDefaults { cores, max_polling_interval: QUEUE_POLLING_INTERVAL.default }
    }
}

/// The queue functions of one app.
pub struct QueueTriggers {
    functions: Vec<Arc<QueueFunction>>,
}

/// What came of a run by hand.
#[derive(Clone, PartialEq, Debug)]
pub struct ManualRun {
    /// Names the run in the log.
    pub invocation_id: String,
    /// What the function returned and gave its outputs, which are committed; or why it came to nothing.
    pub outcome: Result<Ran, String>,
}

impl QueueTriggers {
    /// The queue functions of an app.
    ///
    /// # Errors
    /// Every connection that leads nowhere.
    pub fn new(
        app: &App,
        parts: &QueueParts,
        defaults: QueueDefaults,
    ) -> Result<QueueTriggers, Vec<BindingSetupError>> {
        let (mut functions, mut errors) = (Vec::new(), Vec::new());
        for function in &app.functions {
            match &function.trigger {
                Trigger::Queue(trigger) => match QueueFunction::new(function, trigger, parts.clone(), defaults) {
                    Ok(function) => functions.push(Arc::new(function)),
                    Err(error) => errors.push(error),
                },
                Trigger::Http(_)
                | Trigger::Orchestration
                | Trigger::Activity(_)
                | Trigger::Entity
                | Trigger::Timer(_) => {}
            }
        }
        if errors.is_empty() { Ok(QueueTriggers { functions }) } else { Err(errors) }
    }

    /// One listener for each function that is not disabled.
    pub fn listeners(&self) -> Vec<QueueListener> {
        let enabled = self.functions.iter().filter(|function| !function.is_disabled());
        enabled.map(|function| QueueListener::new(Arc::clone(function))).collect()
    }

    /// Runs a function by hand, also a disabled one, with `text` as the content of a message that is in no queue. Its outputs
    /// are committed. None: there is no queue function of that name.
    pub async fn run_once(&self, function: &str, text: String) -> Option<ManualRun> {
        let function = self.functions.iter().find(|known| known.name().eq_ignore_ascii_case(function))?;
        Some(function.run_once(text).await)
    }
}
