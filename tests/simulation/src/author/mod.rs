//! Author code without wasm: orchestrators are ordinary `async fn`s over a [`Context`].
//!
//! The same function runs against the durable core's cursor, kept alive between turns or replayed ([`guest`]), and straight
//! through against the model ([`crate::model`]). What an orchestrator may ask of either is [`Calls`].

pub(crate) mod activities;
pub(crate) mod context;
pub(crate) mod guest;
pub(crate) mod programs;
pub(crate) mod runner;

use crate::model::Interpreter;
use orchestration::{ActivityCall, Cursor, Failure, Json, RetryPolicy, SubOrchestrationCall, TaskNumber, Timestamp};

pub(crate) use context::Context;

/// What a function ends with.
pub(crate) type Outcome = Result<Json, Failure>;

/// A task that an orchestrator wants done.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Activity { name: String, input: Json, retry: Option<RetryPolicy> },
    SubOrchestration { name: String, input: Json, instance_id: Option<String>, retry: Option<RetryPolicy> },
    Timer { fire_at: Timestamp },
    Event { name: String },
}

/// The world around an orchestrator: the durable core, or the model of it.
pub(crate) enum Surroundings {
    Cursor(Box<Cursor>),
    Model(Box<Interpreter>),
}

impl Surroundings {
    fn calls(&mut self) -> &mut dyn Calls {
        match self {
            Surroundings::Cursor(cursor) => cursor.as_mut(),
            Surroundings::Model(interpreter) => interpreter.as_mut(),
        }
    }
}

/// What an orchestrator may ask of its surroundings.
pub(crate) trait Calls {
    /// None when the orchestrator cannot go on: what it awaits next never completes.
    fn request(&mut self, request: Request) -> Option<TaskNumber>;
    fn cancel(&mut self, task: TaskNumber);
    fn now(&self) -> Timestamp;
    fn new_guid(&mut self) -> String;
    fn instance(&self) -> String;
    fn set_custom_status(&mut self, status: Json);
    fn continue_as_new(&mut self, input: Json, preserve_events: bool);
}

/// A whole number as JSON.
pub(crate) fn number(value: i64) -> Json {
    Json::from(value.to_string())
}

/// A text without quotes or backslashes as JSON.
pub(crate) fn text(value: &str) -> Json {
    Json::from(format!("\"{value}\""))
}

/// The whole number in a JSON text; 0 if it is none.
pub(crate) fn to_number(json: &Json) -> i64 {
    json.as_str().parse().unwrap_or(0)
}

/// The text in a JSON string without escapes.
pub(crate) fn to_text(json: &Json) -> String {
    json.as_str().trim_matches('"').to_owned()
}

impl Calls for Cursor {
    fn request(&mut self, request: Request) -> Option<TaskNumber> {
        let asked = match request {
            Request::Activity { name, input, retry } => self.call_activity(ActivityCall { name, input, retry }),
            Request::SubOrchestration { name, input, instance_id, retry } => {
                self.call_sub_orchestration(SubOrchestrationCall { name, input, instance_id, retry })
            }
            Request::Timer { fire_at } => self.create_timer(fire_at),
            Request::Event { name } => self.wait_for_event(&name),
        };
        // Why it cannot go on is kept in the cursor, where the engine looks.
        asked.ok()
    }

    fn cancel(&mut self, task: TaskNumber) {
        Cursor::cancel(self, task);
    }

    fn now(&self) -> Timestamp {
        Cursor::now(self)
    }

    fn new_guid(&mut self) -> String {
        Cursor::new_guid(self).to_string()
    }

    fn instance(&self) -> String {
        self.identity().instance.to_string()
    }

    fn set_custom_status(&mut self, status: Json) {
        Cursor::set_custom_status(self, Some(status));
    }

    fn continue_as_new(&mut self, input: Json, preserve_events: bool) {
        Cursor::continue_as_new(self, input, preserve_events);
    }
}
