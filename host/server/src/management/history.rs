//! A history as the management API shows it: what the orchestrator asked for and what came of it as one entry, bookkeeping
//! left out.

use super::status::Embedded;
use orchestration::{Event, EventId, EventKind, Failure, InstanceId, Json, Timestamp};
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
    instance_id: Option<&'a str>,
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

/// A request whose answer takes its place. (A timer and its firing stay two entries.)
struct Request<'a> {
    id: EventId,
    at: Timestamp,
    function: &'a str,
    /// None for an activity.
    child: Option<&'a InstanceId>,
    input: &'a Json,
}

impl<'a> Request<'a> {
    fn of(event: &'a Event) -> Option<Request<'a>> {
        match &event.kind {
            EventKind::TaskScheduled { id, name, input } => {
                Some(Request { id: *id, at: event.at, function: name, child: None, input })
            }
            EventKind::SubOrchestrationInstanceCreated { id, name, instance_id, input } => {
                Some(Request { id: *id, at: event.at, function: name, child: Some(instance_id), input })
            }
            EventKind::OrchestratorStarted
            | EventKind::OrchestratorCompleted
            | EventKind::ExecutionStarted(_)
            | EventKind::ExecutionCompleted { .. }
            | EventKind::ExecutionTerminated { .. }
            | EventKind::TaskCompleted { .. }
            | EventKind::TaskFailed { .. }
            | EventKind::SubOrchestrationInstanceCompleted { .. }
            | EventKind::SubOrchestrationInstanceFailed { .. }
            | EventKind::TimerCreated { .. }
            | EventKind::TimerFired { .. }
            | EventKind::EventRaised(_) => None,
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
            EventKind::TaskScheduled { .. } | EventKind::SubOrchestrationInstanceCreated { .. } => {
                let request = Request::of(event).filter(|request| !self.answered.contains(&request.id))?;
                self.requested(&request, entry)
            }
            EventKind::TaskCompleted { scheduled, result }
            | EventKind::SubOrchestrationInstanceCompleted { scheduled, result } => {
                HistoryEvent { result: self.result(result), ..self.answer(*scheduled, entry) }
            }
            EventKind::TaskFailed { scheduled, failure }
            | EventKind::SubOrchestrationInstanceFailed { scheduled, failure } => HistoryEvent {
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
        })
    }

    /// Adds what was asked for.
    fn requested(&self, request: &Request<'a>, entry: HistoryEvent<'a>) -> HistoryEvent<'a> {
        let hidden = request.child.is_none() && !self.shown.activity_inputs;
        HistoryEvent {
            function_name: Some(request.function),
            instance_id: request.child.map(InstanceId::as_str),
            input: if hidden { None } else { self.input(request.input) },
            ..entry
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
