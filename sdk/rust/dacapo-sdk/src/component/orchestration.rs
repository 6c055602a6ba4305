//! The import `orchestration`: what a running orchestrator asks of the host.

use super::bindings::dacapo::functions::orchestration;
use super::conversions::{entity_id, failure_from, limit, milliseconds, start_options};
use crate::execution::{Durable, NextExecution, Outcome, Request, TaskId};
use crate::options::ActivityOptions;
use crate::{EntityId, Failure, HttpRequest, Identity, Level, RetryPolicy, StartOptions, Timestamp};

pub(super) struct HostOrchestration;

/// Waits for the next completion.
pub(super) fn next() -> (TaskId, Outcome) {
    let completion = orchestration::next();
    (completion.task, completion.outcome.map_err(failure_from))
}

impl Durable for HostOrchestration {
    fn request(&self, request: &Request) -> TaskId {
        match request {
            Request::Activity { name, input, options } => {
                orchestration::call_activity(name, input, &activity_options(options))
            }
            Request::SubOrchestration { name, input, start, retry } => {
                let (start, retry) = (start_options(start), retry.as_ref().map(retry_policy));
                let options = orchestration::SubOrchestrationOptions { start, retry };
                orchestration::call_sub_orchestrator(name, input, &options)
            }
            Request::Timer { fire_at } => orchestration::create_timer(fire_at.ticks()),
            Request::Event { name } => orchestration::wait_for_event(name),
            Request::Http(request) => orchestration::call_http(&http_request(request)),
            Request::EntityCall { entity, operation, input } => {
                orchestration::call_entity(&entity_id(entity), operation, input)
            }
            Request::Lock { entities } => {
                let entities: Vec<_> = entities.iter().map(entity_id).collect();
                orchestration::lock_entities(&entities)
            }
        }
    }

    fn cancel(&self, task: TaskId) {
        orchestration::cancel(task);
    }

    fn abort(&self, task: TaskId) {
        orchestration::abort(task);
    }

    fn signal_entity(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &str,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let deliver_at = deliver_at.map(Timestamp::ticks);
        orchestration::signal_entity(&entity_id(entity), operation, input, deliver_at).map_err(failure_from)
    }

    fn unlock_entities(&self) {
        orchestration::unlock_entities();
    }

    fn send_event(&self, instance_id: &str, name: &str, payload: &str) -> Result<(), Failure> {
        orchestration::send_event(instance_id, name, payload).map_err(failure_from)
    }

    fn start_orchestration(&self, name: &str, input: &str, options: &StartOptions) -> Outcome {
        orchestration::start_orchestration(name, input, &start_options(options)).map_err(failure_from)
    }

    fn set_custom_status(&self, status: Option<&str>) {
        orchestration::set_custom_status(status);
    }

    fn continue_as_new(&self, next: &NextExecution<'_>) {
        orchestration::continue_as_new(next.input, next.preserve_unprocessed_events, next.new_version);
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_ticks(orchestration::current_utc())
    }

    fn new_guid(&self) -> String {
        orchestration::new_guid()
    }

    fn is_replaying(&self) -> bool {
        orchestration::is_replaying()
    }

    fn identity(&self) -> Identity {
        let identity = orchestration::who_am_i();
        Identity {
            instance_id: identity.instance_id,
            execution_id: identity.execution_id,
            name: identity.name,
            parent_instance_id: identity.parent_instance_id,
            version: identity.version,
            tags: identity.tags.into_iter().collect(),
        }
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Trace => orchestration::LogLevel::Trace,
            Level::Debug => orchestration::LogLevel::Debug,
            Level::Info => orchestration::LogLevel::Info,
            Level::Warn => orchestration::LogLevel::Warn,
            Level::Error => orchestration::LogLevel::Error,
        };
        orchestration::log(level, message);
    }
}

fn activity_options(options: &ActivityOptions) -> orchestration::ActivityOptions {
    orchestration::ActivityOptions {
        retry: options.retry.as_ref().map(retry_policy),
        timeout: options.timeout.map(limit),
        heartbeat_timeout: options.heartbeat_timeout.map(limit),
        tags: options.tags.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
    }
}

fn http_request(request: &HttpRequest) -> orchestration::HttpRequest {
    orchestration::HttpRequest {
        method: request.method.clone(),
        url: request.url.clone(),
        headers: request.headers.clone(),
        content: request.content.clone(),
        follow_accepted: request.follow_accepted,
        retry: request.retry.as_ref().map(retry_policy),
        retry_on_status: request.retry_on_status.clone(),
        timeout: request.timeout.map(limit),
    }
}

fn retry_policy(policy: &RetryPolicy) -> orchestration::RetryPolicy {
    orchestration::RetryPolicy {
        max_attempts: policy.max_attempts,
        first_interval: milliseconds(policy.first_interval),
        backoff_coefficient: policy.backoff,
        max_interval: policy.max_interval.map(milliseconds),
        retry_timeout: policy.timeout.map(milliseconds),
        retry_on: policy.retry_on.clone(),
        stop_on: policy.stop_on.clone(),
    }
}
