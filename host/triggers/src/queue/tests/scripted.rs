//! Functions that do what the texts of their messages say, step by step: `ok`, `fail`, `fatal`, `trap`, `sleep <seconds>`,
//! `full <times>`, `out <binding> <JSON>`, `return <JSON>`. Any other text is a step that does nothing.

use crate::world::{BEGIN, JumpingClock, World};
use async_trait::async_trait;
use orchestration::{Failure, Json};
use ports::{Clock, GuestFault, QueueFunctions, QueueInvocation, Ran};
use std::sync::Mutex;
use std::time::Duration;

pub(super) struct Scripted {
    clock: JumpingClock,
    note: Box<dyn Fn(&str) + Send + Sync>,
    /// How often the host had no room.
    refused: Mutex<u32>,
}

impl Scripted {
    pub(super) fn new(world: &World) -> Scripted {
        assert!(world.clock.now() >= BEGIN);
        Scripted { clock: world.clock.clone(), note: Box::new(world.note()), refused: Mutex::new(0) }
    }
}

#[async_trait]
impl QueueFunctions for Scripted {
    async fn run_queue(&self, invocation: QueueInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let QueueInvocation { function, message, retry, .. } = invocation;
        let text = message.text.as_str();
        if let Some(step) = text.strip_prefix("full ") {
            let times = step.split(';').next().unwrap_or_default();
            let mut refused = self.refused.lock().expect("nobody panicked");
            if *refused < times.parse().expect("a number of times") {
                *refused += 1;
                (self.note)("no room");
                return Err(GuestFault::Unavailable { function, message: "no free instance".to_owned() });
            }
        }
        let retry = match (retry.retry_count, retry.max_retry_count) {
            (0, None) => String::new(),
            (count, max) => format!(", retry {count} of {max:?}"),
        };
        (self.note)(&format!("{function} runs {text:?}, received {} times{retry}", message.dequeue_count));
        let mut ran = Ran { returned: Json::null(), outputs: Vec::new() };
        for step in text.split("; ") {
            let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
            match (word, rest.split_once(' ')) {
                ("sleep", _) => {
                    let seconds = Duration::from_secs(rest.parse().expect("a number of seconds"));
                    self.clock.sleep_until(self.clock.now().saturating_add(seconds)).await;
                    (self.note)(&format!("{function} wakes"));
                }
                ("fail", _) => return Ok(Err(Failure::new("Broken", "as it was told"))),
                ("fatal", _) => return Ok(Err(Failure::new("Broken", "for ever").non_retriable())),
                ("trap", _) => return Err(GuestFault::Trapped { function, message: "unreachable".to_owned() }),
                ("return", _) => ran.returned = Json::from(rest),
                ("out", Some((binding, value))) => ran.outputs.push((binding.to_owned(), Json::from(value))),
                _ => {}
            }
        }
        Ok(Ok(ran))
    }
}
