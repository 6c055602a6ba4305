//! The import `orchestration`: every call of an orchestrator, handed to the cursor of the turn.
//!
//! What is malformed is the orchestrator's failure, which its code can handle: a task that fails, or a failure in the answer.

use super::Orchestration;
use crate::bindings::{
    entity_from_wit, failure_to_wit, retry_from_wit, start_from_wit, tags_from_wit, tags_to_wit, values,
    wit_orchestration as wit,
};
use orchestration::{
    ActivityCall, EntityId, Failure, HttpCall, Json, SubOrchestrationCall, TaskNumber, Timeouts, Timestamp,
};
use std::time::Duration;

impl wit::Host for Orchestration {
    fn call_activity(&mut self, name: String, input: String, options: wit::ActivityOptions) -> wasmtime::Result<u32> {
        let wit::ActivityOptions { retry, timeout, heartbeat_timeout, tags } = options;
        let call = ActivityCall {
            name,
            input: Json::from(input),
            retry: retry.map(retry_from_wit),
            timeouts: Timeouts {
                run: timeout.map(Duration::from_millis),
                heartbeat: heartbeat_timeout.map(Duration::from_millis),
            },
            tags: tags_from_wit(tags),
        };
        Ok(self.turn.request(|cursor| cursor.call_activity(call))?.0)
    }

    fn call_sub_orchestrator(
        &mut self,
        name: String,
        input: String,
        options: wit::SubOrchestrationOptions,
    ) -> wasmtime::Result<u32> {
        let wit::SubOrchestrationOptions { start, retry } = options;
        let (instance_id, options) = start_from_wit(start);
        let retry = retry.map(retry_from_wit);
        let call = SubOrchestrationCall { name, input: Json::from(input), instance_id, options, retry };
        Ok(self.turn.request(|cursor| cursor.call_sub_orchestration(call))?.0)
    }

    fn create_timer(&mut self, fire_at: i64) -> wasmtime::Result<u32> {
        Ok(self.turn.request(|cursor| cursor.create_timer(Timestamp::from_ticks(fire_at)))?.0)
    }

    fn wait_for_event(&mut self, name: String) -> wasmtime::Result<u32> {
        Ok(self.turn.request(|cursor| cursor.wait_for_event(&name))?.0)
    }

    fn call_http(&mut self, request: wit::HttpRequest) -> wasmtime::Result<u32> {
        let call = HttpCall {
            method: request.method,
            url: request.url,
            headers: request.headers,
            content: request.content,
            follow_accepted: request.follow_accepted,
            retry: request.retry.map(retry_from_wit),
            retry_on_status: request.retry_on_status,
            timeout: request.timeout.map(Duration::from_millis),
        };
        Ok(self.turn.request(|cursor| cursor.call_http(call))?.0)
    }

    fn call_entity(&mut self, entity: values::EntityId, operation: String, input: String) -> wasmtime::Result<u32> {
        let entity = entity_id(&entity);
        Ok(self
            .turn
            .request(|cursor| match entity {
                Ok(entity) => cursor.call_entity(entity, operation, Json::from(input)),
                Err(malformed) => cursor.refuse(malformed),
            })?
            .0)
    }

    fn signal_entity(
        &mut self,
        entity: values::EntityId,
        operation: String,
        input: String,
        deliver_at: Option<i64>,
    ) -> wasmtime::Result<Result<(), values::Failure>> {
        let entity = match entity_id(&entity) {
            Ok(entity) => entity,
            Err(malformed) => return Ok(Err(failure_to_wit(malformed))),
        };
        let deliver_at = deliver_at.map(Timestamp::from_ticks);
        let signal = self.turn.request(|cursor| cursor.signal_entity(entity, operation, Json::from(input), deliver_at));
        Ok(signal?.map_err(failure_to_wit))
    }

    fn lock_entities(&mut self, entities: Vec<values::EntityId>) -> wasmtime::Result<u32> {
        let entities: Result<Vec<EntityId>, Failure> = entities.iter().map(entity_id).collect();
        Ok(self
            .turn
            .request(|cursor| match entities {
                Ok(entities) => cursor.lock_entities(entities),
                Err(malformed) => cursor.refuse(malformed),
            })?
            .0)
    }

    fn unlock_entities(&mut self) -> wasmtime::Result<()> {
        Ok(self.turn.request(|cursor| cursor.unlock_entities())?)
    }

    fn send_event(
        &mut self,
        instance_id: String,
        name: String,
        payload: String,
    ) -> wasmtime::Result<Result<(), values::Failure>> {
        let sent = self.turn.request(|cursor| cursor.send_event(&instance_id, name, Json::from(payload)))?;
        Ok(sent.map_err(failure_to_wit))
    }

    fn start_orchestration(
        &mut self,
        name: String,
        input: String,
        options: values::StartOptions,
    ) -> wasmtime::Result<Result<String, values::Failure>> {
        let (instance_id, options) = start_from_wit(options);
        let start = |cursor: &mut orchestration::Cursor| {
            cursor.start_orchestration(name, Json::from(input), instance_id, options)
        };
        let started = self.turn.request(start)?;
        Ok(started.map(|id| id.as_str().to_owned()).map_err(failure_to_wit))
    }

    fn abort(&mut self, task: u32) -> wasmtime::Result<()> {
        Ok(self.turn.with(|cursor| cursor.abort(TaskNumber(task)))?)
    }

    fn cancel(&mut self, task: u32) -> wasmtime::Result<()> {
        Ok(self.turn.with(|cursor| cursor.cancel(TaskNumber(task)))?)
    }

    async fn next(&mut self) -> wasmtime::Result<wit::Completion> {
        let completion = self.turn.next().await?;
        Ok(wit::Completion {
            task: completion.task.0,
            outcome: completion.outcome.map(|json| json.as_str().to_owned()).map_err(failure_to_wit),
        })
    }

    fn set_custom_status(&mut self, status: Option<String>) -> wasmtime::Result<()> {
        Ok(self.turn.with(|cursor| cursor.set_custom_status(status.map(Json::from)))?)
    }

    fn continue_as_new(
        &mut self,
        input: String,
        preserve_unprocessed_events: bool,
        new_version: Option<String>,
    ) -> wasmtime::Result<()> {
        let input = Json::from(input);
        Ok(self.turn.with(|cursor| cursor.continue_as_new(input, preserve_unprocessed_events, new_version))?)
    }

    fn current_utc(&mut self) -> wasmtime::Result<i64> {
        Ok(self.turn.with(|cursor| cursor.now().ticks())?)
    }

    fn new_guid(&mut self) -> wasmtime::Result<String> {
        Ok(self.turn.with(|cursor| cursor.new_guid().to_string())?)
    }

    fn is_replaying(&mut self) -> wasmtime::Result<bool> {
        Ok(self.turn.with(|cursor| cursor.is_replaying())?)
    }

    fn who_am_i(&mut self) -> wasmtime::Result<wit::Identity> {
        Ok(self.turn.with(|cursor| {
            let identity = cursor.identity().clone();
            wit::Identity {
                instance_id: identity.instance.to_string(),
                execution_id: identity.execution.to_string(),
                name: identity.name,
                parent_instance_id: identity.parent.map(|parent| parent.instance.to_string()),
                version: identity.version,
                tags: tags_to_wit(identity.tags),
            }
        })?)
    }

    fn log(&mut self, level: wit::LogLevel, message: String) -> wasmtime::Result<()> {
        let level = match level {
            wit::LogLevel::Trace => tracing::Level::TRACE,
            wit::LogLevel::Debug => tracing::Level::DEBUG,
            wit::LogLevel::Info => tracing::Level::INFO,
            wit::LogLevel::Warn => tracing::Level::WARN,
            wit::LogLevel::Error => tracing::Level::ERROR,
        };
        self.output.log(level, &message);
        Ok(())
    }
}

fn entity_id(id: &values::EntityId) -> Result<EntityId, Failure> {
    entity_from_wit(id).map_err(|why| Failure::new(Failure::INVALID_ARGUMENT, why).non_retriable())
}
