//! Author code without wasm: orchestrators are ordinary `async fn`s over a [`Context`].
//!
//! The same function runs against the durable core's cursor, kept alive between turns or replayed ([`guest`]), and straight
//! through against the model ([`crate::model`]). What an orchestrator may ask of either is [`Calls`].

pub(crate) mod activities;
pub(crate) mod apps;
pub(crate) mod context;
pub(crate) mod entities;
pub(crate) mod guest;
pub(crate) mod programs;
pub(crate) mod runner;
pub(crate) mod stateful;
pub(crate) mod triggered;

use crate::model::Interpreter;
use orchestration::{
    ActivityCall, Cursor, EntityId, Failure, Json, RetryPolicy, StartOptions, SubOrchestrationCall, Tags, TaskNumber,
    Timeouts, Timestamp,
};

pub(crate) use context::Context;

/// What a function ends with.
pub(crate) type Outcome = Result<Json, Failure>;

/// A task that an orchestrator wants done.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Activity { name: String, input: Json, retry: Option<RetryPolicy>, timeouts: Timeouts },
    SubOrchestration { name: String, input: Json, instance_id: Option<String>, retry: Option<RetryPolicy> },
    Timer { fire_at: Timestamp },
    Event { name: String },
    Entity { entity: EntityId, operation: String, input: Json },
    Lock { entities: Vec<EntityId> },
}

/// What an orchestrator wants done and gets no answer to.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Signal { entity: EntityId, operation: String, input: Json, deliver_at: Option<Timestamp> },
    Unlock,
    SendEvent { instance_id: String, name: String, input: Json },
    Start { name: String, input: Json, instance_id: String },
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
    fn order(&mut self, order: Order);
    fn cancel(&mut self, task: TaskNumber);
    fn abort(&mut self, task: TaskNumber);
    fn now(&self) -> Timestamp;
    fn new_guid(&mut self) -> String;
    fn instance(&self) -> String;
    fn set_custom_status(&mut self, status: Json);
    fn continue_as_new(&mut self, input: Json, new_version: Option<&str>);
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
            Request::Activity { name, input, retry, timeouts } => {
                self.call_activity(ActivityCall { name, input, retry, timeouts, tags: Tags::new() })
            }
            Request::SubOrchestration { name, input, instance_id, retry } => {
                let options = StartOptions::default();
                self.call_sub_orchestration(SubOrchestrationCall { name, input, instance_id, options, retry })
            }
            Request::Timer { fire_at } => self.create_timer(fire_at),
            Request::Event { name } => self.wait_for_event(&name),
            Request::Entity { entity, operation, input } => self.call_entity(entity, operation, input),
            Request::Lock { entities } => self.lock_entities(entities),
        };
        // Why it cannot go on is kept in the cursor, where the engine looks.
        asked.ok()
    }

    fn order(&mut self, order: Order) {
        // Authors here give no orders that are refused; why a cursor has stopped is kept in it.
        let given = match order {
            Order::Signal { entity, operation, input, deliver_at } => {
                self.signal_entity(entity, operation, input, deliver_at).map(drop)
            }
            Order::Unlock => self.unlock_entities(),
            Order::SendEvent { instance_id, name, input } => self.send_event(&instance_id, name, input).map(drop),
            Order::Start { name, input, instance_id } => {
                self.start_orchestration(name, input, Some(instance_id), StartOptions::default()).map(drop)
            }
        };
        given.unwrap_or_default();
    }

    fn cancel(&mut self, task: TaskNumber) {
        Cursor::cancel(self, task);
    }

    fn abort(&mut self, task: TaskNumber) {
        Cursor::abort(self, task);
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

    fn continue_as_new(&mut self, input: Json, new_version: Option<&str>) {
        Cursor::continue_as_new(self, input, true, new_version.map(str::to_owned));
    }
}
