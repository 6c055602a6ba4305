//! The import `orchestration`: every call of an orchestrator, handed to the cursor of the turn.

use super::Orchestration;
use crate::bindings::{failure_to_wit, retry_from_wit, wit_orchestration as wit};
use orchestration::{ActivityCall, Json, SubOrchestrationCall, TaskNumber, Timestamp};

impl wit::Host for Orchestration {
    fn call_activity(&mut self, name: String, input: String, options: wit::ActivityOptions) -> wasmtime::Result<u32> {
        let call = ActivityCall { name, input: Json::from(input), retry: options.retry.map(retry_from_wit) };
        Ok(self.turn.request(|cursor| cursor.call_activity(call))?.0)
    }

    fn call_sub_orchestrator(
        &mut self,
        name: String,
        input: String,
        options: wit::SubOrchestrationOptions,
    ) -> wasmtime::Result<u32> {
        let wit::SubOrchestrationOptions { instance_id, retry } = options;
        let call =
            SubOrchestrationCall { name, input: Json::from(input), instance_id, retry: retry.map(retry_from_wit) };
        Ok(self.turn.request(|cursor| cursor.call_sub_orchestration(call))?.0)
    }

    fn create_timer(&mut self, fire_at: i64) -> wasmtime::Result<u32> {
        Ok(self.turn.request(|cursor| cursor.create_timer(Timestamp::from_ticks(fire_at)))?.0)
    }

    fn wait_for_event(&mut self, name: String) -> wasmtime::Result<u32> {
        Ok(self.turn.request(|cursor| cursor.wait_for_event(&name))?.0)
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

    fn continue_as_new(&mut self, input: String, preserve_unprocessed_events: bool) -> wasmtime::Result<()> {
        Ok(self.turn.with(|cursor| cursor.continue_as_new(Json::from(input), preserve_unprocessed_events))?)
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
            let identity = cursor.identity();
            wit::Identity {
                instance_id: identity.instance.to_string(),
                execution_id: identity.execution.to_string(),
                name: identity.name.clone(),
                parent_instance_id: identity.parent.as_ref().map(|parent| parent.instance.to_string()),
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
