//! The border of a component: the exports that the host calls, and the imports behind [`Context`](crate::Context) and
//! [`Client`](crate::Client). The only module that knows the generated bindings.

use std::time::Duration;

use bindings::dacapo::functions::{client, orchestration, values};
use bindings::exports::dacapo::functions as exports;

use crate::client::Instances;
use crate::execution::{Durable, Execution, Progress, Request, TaskId};
use crate::functions::{self, Kind};
use crate::{
    ActivityContext, Cause, ClientError, Failure, Identity, InstanceStatus, Level, RetryPolicy, RuntimeStatus,
    Timestamp,
};

#[expect(unsafe_code, reason = "generated from the contract")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "function-app" });
    export!(Component with_types_in self);
    use super::Component;
}

struct Component;

impl exports::describe::Guest for Component {
    fn describe() -> Vec<exports::describe::Function> {
        let kind = |kind| match kind {
            Kind::Activity => exports::describe::Kind::Activity,
            Kind::Orchestrator => exports::describe::Kind::Orchestrator,
            Kind::Http => exports::describe::Kind::Http,
        };
        let function = |(name, k): (&str, Kind)| exports::describe::Function { name: name.into(), kind: kind(k) };
        functions::describe().into_iter().map(function).collect()
    }
}

impl exports::activity::Guest for Component {
    fn invoke(
        function: String,
        input: String,
        invocation: exports::activity::Invocation,
    ) -> Result<String, values::Failure> {
        let context = ActivityContext {
            invocation_id: invocation.id,
            instance_id: invocation.instance_id,
            execution_id: invocation.execution_id,
            task_id: invocation.task_id,
            attempt: invocation.attempt,
        };
        functions::invoke_activity(&function, &context, &input).map_err(|failure| failure_into(&failure))
    }
}

impl exports::orchestrator::Guest for Component {
    fn run(function: String, input: String) -> Result<String, values::Failure> {
        let execution = Execution::new(HostOrchestration);
        let mut driver = functions::start_orchestrator(&function, &execution, &input).map_err(|f| failure_into(&f))?;
        loop {
            match driver.run_until_waiting() {
                Progress::Ended(outcome) => return outcome.map_err(|failure| failure_into(&failure)),
                Progress::Waiting => {
                    let completion = orchestration::next();
                    driver.deliver(completion.task, completion.outcome.map_err(failure_from));
                }
            }
        }
    }
}

impl exports::http::Guest for Component {
    fn handle(function: String, request: exports::http::Request) -> exports::http::Response {
        let request = crate::http::Request {
            method: request.method,
            url: request.url,
            headers: request.headers,
            params: request.route_parameters.into_iter().collect(),
            body: request.body,
            invocation_id: request.invocation_id,
        };
        let response = functions::handle_http(&function, request);
        exports::http::Response { status: response.status, headers: response.headers, body: response.body }
    }
}

/// The import `orchestration`.
struct HostOrchestration;

impl Durable for HostOrchestration {
    fn request(&self, request: &Request) -> TaskId {
        match request {
            Request::Activity { name, input, retry } => {
                let options = orchestration::ActivityOptions { retry: retry.as_ref().map(retry_policy) };
                orchestration::call_activity(name, input, &options)
            }
            Request::SubOrchestration { name, input, instance_id, retry } => {
                let retry = retry.as_ref().map(retry_policy);
                let options = orchestration::SubOrchestrationOptions { instance_id: instance_id.clone(), retry };
                orchestration::call_sub_orchestrator(name, input, &options)
            }
            Request::Timer { fire_at } => orchestration::create_timer(fire_at.ticks()),
            Request::Event { name } => orchestration::wait_for_event(name),
        }
    }

    fn cancel(&self, task: TaskId) {
        orchestration::cancel(task);
    }

    fn set_custom_status(&self, status: Option<&str>) {
        orchestration::set_custom_status(status);
    }

    fn continue_as_new(&self, input: &str, preserve_unprocessed_events: bool) {
        orchestration::continue_as_new(input, preserve_unprocessed_events);
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

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The import `client`.
pub(crate) struct HostInstances;

impl Instances for HostInstances {
    fn start(&self, orchestrator: &str, input: &str, instance_id: Option<&str>) -> Result<String, ClientError> {
        let options = client::StartOptions { instance_id: instance_id.map(Into::into) };
        Ok(client::start(orchestrator, input, &options)?)
    }

    fn status(&self, instance_id: &str) -> Result<InstanceStatus, ClientError> {
        Ok(client::status(instance_id)?.into())
    }

    fn raise_event(&self, instance_id: &str, name: &str, payload: &str) -> Result<(), ClientError> {
        Ok(client::raise_event(instance_id, name, payload)?)
    }

    fn terminate(&self, instance_id: &str, reason: &str) -> Result<(), ClientError> {
        Ok(client::terminate(instance_id, reason)?)
    }

    fn wait_for_completion(&self, instance_id: &str, timeout: Duration) -> Result<InstanceStatus, ClientError> {
        Ok(client::wait_for_completion(instance_id, milliseconds(timeout))?.into())
    }

    fn management_uris(&self, instance_id: &str) -> String {
        client::management_uris(instance_id)
    }
}

impl From<client::ClientError> for ClientError {
    fn from(error: client::ClientError) -> ClientError {
        match error {
            client::ClientError::NotFound(text) => ClientError::NotFound(text),
            client::ClientError::AlreadyExists(text) => ClientError::AlreadyExists(text),
            client::ClientError::Gone(text) => ClientError::Gone(text),
            client::ClientError::Invalid(text) => ClientError::Invalid(text),
            client::ClientError::Unavailable(text) => ClientError::Unavailable(text),
        }
    }
}

impl From<client::InstanceStatus> for InstanceStatus {
    fn from(status: client::InstanceStatus) -> InstanceStatus {
        InstanceStatus {
            name: status.name,
            instance_id: status.instance_id,
            runtime_status: match status.runtime_status {
                client::RuntimeStatus::Running => RuntimeStatus::Running,
                client::RuntimeStatus::Completed => RuntimeStatus::Completed,
                client::RuntimeStatus::ContinuedAsNew => RuntimeStatus::ContinuedAsNew,
                client::RuntimeStatus::Failed => RuntimeStatus::Failed,
                client::RuntimeStatus::Canceled => RuntimeStatus::Canceled,
                client::RuntimeStatus::Terminated => RuntimeStatus::Terminated,
                client::RuntimeStatus::Pending => RuntimeStatus::Pending,
                client::RuntimeStatus::Suspended => RuntimeStatus::Suspended,
            },
            input: status.input,
            output: status.output,
            custom_status: status.custom_status,
            failure: status.failure.map(failure_from),
            created_time: Timestamp::from_ticks(status.created_time),
            last_updated_time: Timestamp::from_ticks(status.last_updated_time),
        }
    }
}

// Not `From`: the bindings make an `Error` of `values::Failure`, and every error converts into a `Failure` already.
fn failure_from(failure: values::Failure) -> Failure {
    let cause =
        |cause: values::Cause| Cause { error_type: cause.error_type, message: cause.message, details: cause.details };
    Failure::from_parts(
        (failure.error_type, failure.message, failure.details),
        failure.non_retriable,
        failure.causes.into_iter().map(cause).collect(),
        failure.properties.into_iter().collect(),
    )
}

fn failure_into(failure: &Failure) -> values::Failure {
    let cause = |cause: &Cause| values::Cause {
        error_type: cause.error_type.clone(),
        message: cause.message.clone(),
        details: cause.details.clone(),
    };
    values::Failure {
        error_type: failure.error_type().into(),
        message: failure.message().into(),
        details: failure.details().map(Into::into),
        non_retriable: failure.is_non_retriable(),
        causes: failure.causes().iter().map(cause).collect(),
        properties: failure.properties().iter().map(|(n, v)| (n.clone(), v.clone())).collect(),
    }
}
