//! The border of a component: the exports that the host calls, and the imports behind [`Context`](crate::Context) and
//! [`Client`](crate::Client). The only module that knows the generated bindings.

mod client;
mod conversions;
mod orchestration;

use bindings::dacapo::functions::{activity_context, bindings as bound, values};
use bindings::exports::dacapo::functions as exports;
pub(crate) use client::HostInstances;
use orchestration::HostOrchestration;

use crate::entity::{EntityAction, OperationRequest};
use crate::execution::{Execution, Progress};
use crate::functions::{self, Kind};
use crate::operations::{Batch, BatchResult};
use crate::{ActivityContext, EntityId, QueueMessage, TimerInfo, Timestamp};

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
            Kind::Entity => exports::describe::Kind::Entity,
            Kind::Http => exports::describe::Kind::Http,
            Kind::Queue => exports::describe::Kind::Queue,
            Kind::Timer => exports::describe::Kind::Timer,
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
            version: invocation.version,
        };
        functions::invoke_activity(&function, &context, &input).map_err(|f| conversions::failure_into(&f))
    }
}

/// Tells the host that the running activity is alive.
pub(crate) fn heartbeat(details: Option<&str>) {
    activity_context::heartbeat(details);
}

/// The value of an input, as JSON.
pub(crate) fn read_input(name: &str) -> Result<String, String> {
    bound::input(name)
}

/// Gives an output a value, as JSON.
pub(crate) fn write_output(name: &str, value: &str) -> Result<(), String> {
    bound::output(name, value)
}

impl exports::orchestrator::Guest for Component {
    fn run(function: String, input: String) -> Result<String, values::Failure> {
        let execution = Execution::new(HostOrchestration);
        let mut driver = functions::start_orchestrator(&function, &execution, &input)
            .map_err(|failure| conversions::failure_into(&failure))?;
        loop {
            match driver.run_until_waiting() {
                Progress::Ended(outcome) => return outcome.map_err(|f| conversions::failure_into(&f)),
                Progress::Waiting => {
                    let (task, outcome) = orchestration::next();
                    driver.deliver(task, outcome);
                }
            }
        }
    }
}

impl exports::entity::Guest for Component {
    fn run(function: String, batch: exports::entity::Batch) -> exports::entity::BatchResult {
        let operation = |operation: exports::entity::Operation| OperationRequest {
            name: operation.name,
            input: operation.input,
            request_id: operation.request_id,
            is_signal: operation.is_signal,
            caller: operation.caller,
        };
        let batch = Batch {
            id: EntityId::new(&batch.id.name, batch.id.key),
            state: batch.state,
            operations: batch.operations.into_iter().map(operation).collect(),
            roll_back_on_failure: batch.roll_back_on_failure,
            now: Timestamp::from_ticks(batch.now),
        };
        let BatchResult { state, results, actions } = functions::run_entity(&function, &batch);
        exports::entity::BatchResult {
            state,
            results: results.into_iter().map(|r| r.map_err(|failure| conversions::failure_into(&failure))).collect(),
            actions: actions.into_iter().map(entity_action).collect(),
        }
    }
}

fn entity_action(action: EntityAction) -> exports::entity::Action {
    match action {
        EntityAction::Signal { to, operation, input, deliver_at } => {
            exports::entity::Action::Signal(exports::entity::EntitySignal {
                to: conversions::entity_id(&to),
                operation,
                input,
                deliver_at: deliver_at.map(Timestamp::ticks),
            })
        }
        EntityAction::StartOrchestration { name, input, options } => {
            exports::entity::Action::StartOrchestration(exports::entity::OrchestrationStart {
                name,
                input,
                options: conversions::start_options(&options),
            })
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

impl exports::queue::Guest for Component {
    fn invoke(
        function: String,
        message: exports::queue::Message,
        invocation: exports::queue::Invocation,
    ) -> Result<String, values::Failure> {
        let message = QueueMessage {
            id: message.id,
            queue: message.queue,
            text: message.text,
            dequeue_count: message.dequeue_count,
            inserted: Timestamp::from_ticks(message.inserted),
            expires: message.expires.map(Timestamp::from_ticks),
            next_visible: Timestamp::from_ticks(message.next_visible),
            pop_receipt: message.pop_receipt,
            invocation_id: invocation.id,
            retry_count: invocation.retry_count,
            max_retry_count: invocation.max_retry_count,
        };
        functions::run_queue(&function, &message).map_err(|failure| conversions::failure_into(&failure))
    }
}

impl exports::timer::Guest for Component {
    fn invoke(
        function: String,
        occurrence: exports::timer::Occurrence,
        invocation: exports::timer::Invocation,
    ) -> Result<String, values::Failure> {
        let timer = TimerInfo {
            scheduled: Timestamp::from_ticks(occurrence.scheduled),
            is_past_due: occurrence.is_past_due,
            adjusts_for_dst: occurrence.adjusts_for_dst,
            last: occurrence.last.map(Timestamp::from_ticks),
            next: occurrence.next.map(Timestamp::from_ticks),
            last_updated: occurrence.last_updated.map(Timestamp::from_ticks),
            invocation_id: invocation.id,
            retry_count: invocation.retry_count,
            max_retry_count: invocation.max_retry_count,
        };
        functions::run_timer(&function, &timer).map_err(|failure| conversions::failure_into(&failure))
    }
}
