//! A history as the management API shows it: what the orchestrator asked for and what came of it as one entry, bookkeeping
//! left out.

use super::status::Embedded;
use orchestration::{EntityId, Event, EventId, EventKind, Failure, InstanceId, Json, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a caller wants to see of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The arguments.
    pub(super) inputs: bool,
    /// The arguments of activities too.
    pub(super) activity_inputs: bool,
    /// What was returned.
    pub(super) results: bool,
}

/// One entry; which fields are there depends on its type.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HistoryEvent<'a> {
    event_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_set: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Embedded<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orchestration_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Embedded<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_details: Option<FailureDetails<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fire_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_time: Option<String>,
    timestamp: String,
}

/// A failure as Durable Functions shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct FailureDetails<'a> {
    error_type: &'a str,
    error_message: &'a str,
    stack_trace: Option<&'a str>,
    inner_failure: Option<Box<FailureDetails<'a>>>,
    is_non_retriable: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    properties: &'a BTreeMap<String, String>,
}

impl<'a> FailureDetails<'a> {
    fn of(failure: &'a Failure) -> FailureDetails<'a> {
        FailureDetails {
            error_type: &failure.error_type,
            error_message: &failure.message,
            stack_trace: failure.details.as_deref(),
            inner_failure: failure.cause.as_deref().map(|cause| Box::new(FailureDetails::of(cause))),
            is_non_retriable: failure.non_retriable,
            properties: &failure.properties,
        }
    }
}

/// A request whose answer takes its place. (A timer and its firing stay two entries, as do a lock and its grant.)
struct Request<'a> {
    id: EventId,
    at: Timestamp,
    asked: Asked<'a>,
    input: &'a Json,
}

/// Whom a request is for.
enum Asked<'a> {
    Activity { function: &'a str },
    Child { function: &'a str, id: &'a InstanceId },
    Entity { id: &'a EntityId, operation: &'a str },
}

impl<'a> Request<'a> {
    fn of(event: &'a Event) -> Option<Request<'a>> {
        let request = |id: &EventId, asked, input| Some(Request { id: *id, at: event.at, asked, input });
        match &event.kind {
            EventKind::TaskScheduled { id, name, input, .. } => request(id, Asked::Activity { function: name }, input),
            EventKind::SubOrchestrationInstanceCreated { id, name, instance_id, input, .. } => {
                request(id, Asked::Child { function: name, id: instance_id }, input)
            }
            EventKind::EntityOperationCalled { id, entity, operation, input } => {
                request(id, Asked::Entity { id: entity, operation }, input)
            }
            EventKind::OrchestratorStarted
            | EventKind::OrchestratorCompleted
            | EventKind::ExecutionStarted(_)
            | EventKind::ExecutionCompleted { .. }
            | EventKind::ExecutionTerminated { .. }
            | EventKind::ExecutionSuspended { .. }
            | EventKind::ExecutionResumed { .. }
            | EventKind::ExecutionRewound { .. }
            | EventKind::TaskCompleted { .. }
            | EventKind::TaskFailed { .. }
            | EventKind::SubOrchestrationInstanceCompleted { .. }
            | EventKind::SubOrchestrationInstanceFailed { .. }
            | EventKind::TimerCreated { .. }
            | EventKind::TimerFired { .. }
            | EventKind::EventRaised(_)
            | EventKind::EventSent { .. }
            | EventKind::EntityOperationSignaled { .. }
            | EventKind::EntityOperationCompleted { .. }
            | EventKind::EntityOperationFailed { .. }
            | EventKind::EntityLockRequested { .. }
            | EventKind::EntityLockGranted { .. }
            | EventKind::EntityUnlockSent { .. } => None,
        }
    }
}

/// The entries of a history, oldest first.
pub(super) fn project(events: &[Event], shown: Shown) -> Vec<HistoryEvent<'_>> {
    let requests = events.iter().filter_map(Request::of).map(|request| (request.id, request)).collect();
    let answered = events.iter().filter_map(|event| event.kind.answers()).map(|(id, _)| id).collect();
    let projection = Projection { requests, answered, shown };
    events.iter().filter_map(|event| projection.entry(event)).collect()
}

struct Projection<'a> {
    requests: BTreeMap<EventId, Request<'a>>,
    answered: BTreeSet<EventId>,
    shown: Shown,
}

impl<'a> Projection<'a> {
    fn entry(&self, event: &'a Event) -> Option<HistoryEvent<'a>> {
        let entry =
            HistoryEvent { event_type: event.kind.name(), timestamp: event.at.to_string(), ..HistoryEvent::default() };
        Some(match &event.kind {
            EventKind::OrchestratorStarted | EventKind::OrchestratorCompleted => return None,
            EventKind::ExecutionStarted(started) => {
                HistoryEvent { function_name: Some(&started.name), input: self.input(&started.input), ..entry }
            }
            EventKind::ExecutionCompleted { status, output, failure } => HistoryEvent {
                orchestration_status: Some(status.name()),
                result: output.as_ref().and_then(|output| self.result(output)),
                failure_details: failure.as_ref().map(FailureDetails::of),
                ..entry
            },
            EventKind::ExecutionTerminated { reason } => HistoryEvent { input: self.input(reason), ..entry },
            EventKind::ExecutionSuspended { reason }
            | EventKind::ExecutionResumed { reason }
            | EventKind::ExecutionRewound { reason } => HistoryEvent { reason: Some(reason), ..entry },
            EventKind::TaskScheduled { .. }
            | EventKind::SubOrchestrationInstanceCreated { .. }
            | EventKind::EntityOperationCalled { .. } => {
                let request = Request::of(event).filter(|request| !self.answered.contains(&request.id))?;
                self.requested(&request, entry)
            }
            EventKind::TaskCompleted { scheduled, result }
            | EventKind::SubOrchestrationInstanceCompleted { scheduled, result }
            | EventKind::EntityOperationCompleted { scheduled, result } => {
                HistoryEvent { result: self.result(result), ..self.answer(*scheduled, entry) }
            }
            EventKind::TaskFailed { scheduled, failure }
            | EventKind::SubOrchestrationInstanceFailed { scheduled, failure }
            | EventKind::EntityOperationFailed { scheduled, failure } => HistoryEvent {
                reason: Some(&failure.message),
                details: failure.details.as_deref(),
                failure_details: Some(FailureDetails::of(failure)),
                ..self.answer(*scheduled, entry)
            },
            EventKind::TimerCreated { fire_at, .. } | EventKind::TimerFired { fire_at, .. } => {
                HistoryEvent { fire_at: Some(fire_at.to_string()), ..entry }
            }
            EventKind::EventRaised(raised) => {
                HistoryEvent { name: Some(&raised.name), input: self.input(&raised.input), ..entry }
            }
            EventKind::EventSent { instance_id, name, input, .. } => {
                HistoryEvent { input: self.input(input), ..to_instance(instance_id.to_string(), name, entry) }
            }
            EventKind::EntityOperationSignaled { entity, operation, input, deliver_at, .. } => HistoryEvent {
                input: self.input(input),
                scheduled_time: deliver_at.map(|moment| moment.to_string()),
                ..to_instance(entity.to_string(), operation, entry)
            },
            EventKind::EntityLockRequested { entities, .. } => {
                HistoryEvent { lock_set: Some(entities.iter().map(EntityId::to_string).collect()), ..entry }
            }
            EventKind::EntityLockGranted { .. } | EventKind::EntityUnlockSent { .. } => entry,
        })
    }

    /// Adds what was asked for.
    fn requested(&self, request: &Request<'a>, entry: HistoryEvent<'a>) -> HistoryEvent<'a> {
        let entry = HistoryEvent { input: self.input(request.input), ..entry };
        match request.asked {
            Asked::Activity { function } => {
                let input = entry.input.filter(|_| self.shown.activity_inputs);
                HistoryEvent { function_name: Some(function), input, ..entry }
            }
            Asked::Child { function, id } => {
                HistoryEvent { function_name: Some(function), instance_id: Some(id.to_string()), ..entry }
            }
            Asked::Entity { id, operation } => to_instance(id.to_string(), operation, entry),
        }
    }

    /// Adds what the answer is to, and when that was asked for.
    fn answer(&self, scheduled: EventId, entry: HistoryEvent<'a>) -> HistoryEvent<'a> {
        match self.requests.get(&scheduled) {
            Some(request) => {
                HistoryEvent { scheduled_time: Some(request.at.to_string()), ..self.requested(request, entry) }
            }
            None => entry,
        }
    }

    fn input(&self, json: &'a Json) -> Option<Embedded<'a>> {
        self.shown.inputs.then(|| Embedded::of(json))
    }

    fn result(&self, json: &'a Json) -> Option<Embedded<'a>> {
        self.shown.results.then(|| Embedded::of(json))
    }
}

/// Adds what was said to another instance.
fn to_instance<'a>(id: String, name: &'a str, entry: HistoryEvent<'a>) -> HistoryEvent<'a> {
    HistoryEvent { name: Some(name), instance_id: Some(id), ..entry }
}
