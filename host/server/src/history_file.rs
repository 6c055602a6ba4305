//! A whole history as text: one JSON object per line, each one event, complete. `GET instances/{id}/history` writes it,
//! `dacapo durable replay` reads it.
//!
//! ```text
//! {"eventType":"OrchestratorStarted","timestamp":"2024-01-01T00:00:00.0000000Z"}
//! {"eventType":"ExecutionStarted","timestamp":"2024-01-01T00:00:00.0000000Z","name":"Trip","instanceId":"t","executionId":"…","input":[1]}
//! {"eventType":"TaskScheduled","timestamp":"2024-01-01T00:00:00.0000000Z","eventId":0,"name":"Book","input":2}
//! ```
//!
//! The format only grows: fields that are not known are passed over, and what a later host adds is optional. Payloads stand in
//! their lines as JSON. One that would not come back byte for byte that way (it has line breaks, or is no JSON at all) stands
//! once more, as a string, under `payloadText`, which then is the one that counts.

#[cfg(test)]
pub(crate) mod tests;

use orchestration::{
    EntityId, Event, EventId, EventKind, ExecutionId, ExecutionStarted, Failure, InstanceId, Json, Parent, RaisedEvent,
    RuntimeStatus, StartOptions, Tags, Timeouts, Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::moment;

/// JSON texts, one a line.
pub(crate) const MEDIA_TYPE: &str = "application/x-ndjson";

/// A history that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HistoryFile {
    /// Whose history it is.
    pub(crate) instance: InstanceId,
    /// Its events, oldest first.
    pub(crate) events: Vec<Event>,
    /// On which line each of them stands, from 1.
    pub(crate) lines: Vec<usize>,
}

/// Why a text is no history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// A line is wrong.
    #[error("line {line}: {why}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// No line says whose history it is.
    #[error("it has no event ExecutionStarted: the instance has not begun, so that there is nothing to replay")]
    NotStarted,
}

/// The history of an instance.
pub(crate) fn write(instance: &InstanceId, events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        // A struct with text for keys always serialises.
        text.push_str(&serde_json::to_string(&Line::of(instance, event)).unwrap_or_default());
        text.push('\n');
    }
    text
}

/// Reads what [`write`] has written. Empty lines are passed over.
///
/// # Errors
/// Names the first line that is no event.
pub(crate) fn read(text: &str) -> Result<HistoryFile, Unreadable> {
    let (mut instance, mut events, mut lines) = (None, Vec::new(), Vec::new());
    for (index, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let line = index + 1;
        let wrong = |why| Unreadable::Line { line, why };
        let read: Line = serde_json::from_str(text).map_err(|error| wrong(format!("it is no event: {error}")))?;
        let id = read.instance_id.clone();
        let event = read.into_event().map_err(wrong)?;
        if matches!(event.kind, EventKind::ExecutionStarted(_)) {
            let id = id.ok_or_else(|| wrong("ExecutionStarted has no 'instanceId'".to_owned()))?;
            instance = Some(InstanceId::from_stored(&id));
        }
        events.push(event);
        lines.push(line);
    }
    Ok(HistoryFile { instance: instance.ok_or(Unreadable::NotStarted)?, events, lines })
}

/// One event as it is written. Which fields are there depends on the kind.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Line {
    event_type: String,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_scheduled_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timer_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_requested_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_of: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_set: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    input: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    reason: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orchestration_status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_details: Option<FailureDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fire_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deliver_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat_timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: Tags,
    #[serde(skip_serializing_if = "is_false")]
    detached: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_instance: Option<ParentInstance>,
    #[serde(skip_serializing_if = "is_zero")]
    depth: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_to: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accepted_event_ids: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ParentInstance {
    instance_id: String,
    execution_id: String,
    name: String,
    task_scheduled_id: u32,
}

/// A failure as it is written, here and wherever this host shows one in a shape of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FailureDetails {
    error_type: String,
    error_message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stack_trace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inner_failure: Option<Box<FailureDetails>>,
    is_non_retriable: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<String, String>,
}

impl FailureDetails {
    pub(crate) fn of(failure: &Failure) -> FailureDetails {
        FailureDetails {
            error_type: failure.error_type.clone(),
            error_message: failure.message.clone(),
            stack_trace: failure.details.clone(),
            inner_failure: failure.cause.as_deref().map(|cause| Box::new(FailureDetails::of(cause))),
            is_non_retriable: failure.non_retriable,
            properties: failure.properties.clone(),
        }
    }

    fn into_failure(self) -> Failure {
        Failure {
            error_type: self.error_type,
            message: self.error_message,
            details: self.stack_trace,
            non_retriable: self.is_non_retriable,
            cause: self.inner_failure.map(|cause| Box::new(cause.into_failure())),
            properties: self.properties,
        }
    }
}

impl Line {
    fn of(instance: &InstanceId, event: &Event) -> Line {
        let line =
            Line { event_type: event.kind.name().to_owned(), timestamp: event.at.to_string(), ..Line::default() };
        let line = match event.kind.action_id() {
            Some(id) => Line { event_id: Some(id.0), ..line },
            None => line,
        };
        match &event.kind {
            EventKind::OrchestratorStarted | EventKind::OrchestratorCompleted => line,
            EventKind::ExecutionStarted(started) => line.of_start(instance, started),
            EventKind::ExecutionCompleted { status, output, failure } => {
                let line = Line {
                    orchestration_status: Some(status.name().to_owned()),
                    failure_details: failure.as_ref().map(FailureDetails::of),
                    ..line
                };
                match output {
                    Some(output) => line.with_result(output),
                    None => line,
                }
            }
            EventKind::ExecutionTerminated { reason } => {
                let (reason, payload_text) = embedded(reason);
                Line { reason: Some(reason), payload_text, ..line }
            }
            EventKind::ExecutionSuspended { reason }
            | EventKind::ExecutionResumed { reason }
            | EventKind::ExecutionRewound { reason } => Line { reason: Some(string(reason)), ..line },
            EventKind::TaskCompleted { scheduled, result }
            | EventKind::SubOrchestrationInstanceCompleted { scheduled, result }
            | EventKind::EntityOperationCompleted { scheduled, result } => {
                Line { task_scheduled_id: Some(scheduled.0), ..line.with_result(result) }
            }
            EventKind::TaskFailed { scheduled, failure }
            | EventKind::SubOrchestrationInstanceFailed { scheduled, failure }
            | EventKind::EntityOperationFailed { scheduled, failure } => Line {
                task_scheduled_id: Some(scheduled.0),
                failure_details: Some(FailureDetails::of(failure)),
                ..line
            },
            EventKind::TimerFired { timer, fire_at } => {
                Line { timer_id: Some(timer.0), fire_at: Some(fire_at.to_string()), ..line }
            }
            EventKind::EventRaised(RaisedEvent { name, input, id }) => {
                Line { name: Some(name.clone()), id: id.clone(), ..line.with_input(input) }
            }
            EventKind::EntityLockGranted { scheduled } => Line { task_scheduled_id: Some(scheduled.0), ..line },
            EventKind::TaskScheduled { .. }
            | EventKind::SubOrchestrationInstanceCreated { .. }
            | EventKind::TimerCreated { .. }
            | EventKind::EventSent { .. }
            | EventKind::EntityOperationCalled { .. }
            | EventKind::EntityOperationSignaled { .. }
            | EventKind::EntityLockRequested { .. }
            | EventKind::EntityUnlockSent { .. } => line.of_action(&event.kind),
        }
    }

    fn of_start(self, instance: &InstanceId, started: &ExecutionStarted) -> Line {
        Line {
            name: Some(started.name.clone()),
            instance_id: Some(instance.to_string()),
            execution_id: Some(started.execution.to_string()),
            parent_instance: started.parent.as_ref().map(|parent| ParentInstance {
                instance_id: parent.instance.to_string(),
                execution_id: parent.execution.to_string(),
                name: parent.name.clone(),
                task_scheduled_id: parent.scheduled.0,
            }),
            depth: started.depth,
            pinned_to: started.pinned_to.clone(),
            accepted_event_ids: started.accepted_events.clone(),
            ..self.with_options(&started.options).with_input(&started.input)
        }
    }

    /// What the orchestrator asked for.
    fn of_action(self, kind: &EventKind) -> Line {
        let name_it = |name: &str| Some(name.to_owned());
        let number = |id: &Option<EventId>| id.map(|id| id.0);
        match kind {
            EventKind::TaskScheduled { name, input, retry_of, timeouts, tags, .. } => Line {
                name: name_it(name),
                retry_of: number(retry_of),
                timeout_ms: timeouts.run.map(milliseconds),
                heartbeat_timeout_ms: timeouts.heartbeat.map(milliseconds),
                tags: tags.clone(),
                ..self.with_input(input)
            },
            EventKind::SubOrchestrationInstanceCreated {
                name,
                instance_id,
                input,
                retry_of,
                detached,
                options,
                ..
            } => Line {
                name: name_it(name),
                instance_id: Some(instance_id.to_string()),
                retry_of: number(retry_of),
                detached: *detached,
                ..self.with_options(options).with_input(input)
            },
            EventKind::TimerCreated { fire_at, retry_of, .. } => {
                Line { fire_at: Some(fire_at.to_string()), retry_of: number(retry_of), ..self }
            }
            EventKind::EventSent { instance_id, name, input, .. } => {
                Line { name: name_it(name), instance_id: Some(instance_id.to_string()), ..self.with_input(input) }
            }
            EventKind::EntityOperationCalled { entity, operation, input, .. } => {
                Line { instance_id: Some(entity.to_string()), operation: name_it(operation), ..self.with_input(input) }
            }
            EventKind::EntityOperationSignaled { entity, operation, input, deliver_at, .. } => Line {
                instance_id: Some(entity.to_string()),
                operation: name_it(operation),
                deliver_at: deliver_at.map(|moment| moment.to_string()),
                ..self.with_input(input)
            },
            EventKind::EntityLockRequested { entities, .. } => {
                Line { lock_set: Some(entities.iter().map(EntityId::to_string).collect()), ..self }
            }
            EventKind::EntityUnlockSent { section, .. } => Line { lock_requested_id: Some(section.0), ..self },
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
            | EventKind::TimerFired { .. }
            | EventKind::EventRaised(_)
            | EventKind::EntityOperationCompleted { .. }
            | EventKind::EntityOperationFailed { .. }
            | EventKind::EntityLockGranted { .. } => self,
        }
    }

    fn with_options(self, options: &StartOptions) -> Line {
        Line {
            version: options.version.clone(),
            tags: options.tags.clone(),
            start_at: options.start_at.map(|moment| moment.to_string()),
            ..self
        }
    }

    fn with_input(self, input: &Json) -> Line {
        let (input, payload_text) = embedded(input);
        Line { input: Some(input), payload_text, ..self }
    }

    fn with_result(self, result: &Json) -> Line {
        let (result, payload_text) = embedded(result);
        Line { result: Some(result), payload_text, ..self }
    }
}

/// Reading: each method takes one field that the kind of event needs.
impl Line {
    fn into_event(mut self) -> Result<Event, String> {
        let at = moment_of("timestamp", &self.timestamp)?;
        let kind = self.kind()?;
        Ok(Event { at, kind })
    }

    fn kind(&mut self) -> Result<EventKind, String> {
        Ok(match std::mem::take(&mut self.event_type).as_str() {
            "OrchestratorStarted" => EventKind::OrchestratorStarted,
            "OrchestratorCompleted" => EventKind::OrchestratorCompleted,
            "ExecutionStarted" => EventKind::ExecutionStarted(Box::new(self.started()?)),
            "ExecutionCompleted" => self.completed()?,
            "ExecutionTerminated" => {
                let reason = self.reason.take();
                EventKind::ExecutionTerminated { reason: self.payload(reason) }
            }
            "ExecutionSuspended" => EventKind::ExecutionSuspended { reason: self.reason_text()? },
            "ExecutionResumed" => EventKind::ExecutionResumed { reason: self.reason_text()? },
            "ExecutionRewound" => EventKind::ExecutionRewound { reason: self.reason_text()? },
            "TaskScheduled" => EventKind::TaskScheduled {
                id: self.action()?,
                name: self.name()?,
                input: self.input(),
                retry_of: self.retry_of.map(EventId),
                timeouts: Timeouts {
                    run: self.timeout_ms.map(Duration::from_millis),
                    heartbeat: self.heartbeat_timeout_ms.map(Duration::from_millis),
                },
                tags: std::mem::take(&mut self.tags),
            },
            "TaskCompleted" => EventKind::TaskCompleted { scheduled: self.scheduled()?, result: self.result() },
            "TaskFailed" => EventKind::TaskFailed { scheduled: self.scheduled()?, failure: self.failure()? },
            "SubOrchestrationInstanceCreated" => EventKind::SubOrchestrationInstanceCreated {
                id: self.action()?,
                name: self.name()?,
                instance_id: self.instance()?,
                input: self.input(),
                retry_of: self.retry_of.map(EventId),
                detached: self.detached,
                options: self.options()?,
            },
            "SubOrchestrationInstanceCompleted" => {
                EventKind::SubOrchestrationInstanceCompleted { scheduled: self.scheduled()?, result: self.result() }
            }
            "SubOrchestrationInstanceFailed" => {
                EventKind::SubOrchestrationInstanceFailed { scheduled: self.scheduled()?, failure: self.failure()? }
            }
            "TimerCreated" => EventKind::TimerCreated {
                id: self.action()?,
                fire_at: self.fire_at()?,
                retry_of: self.retry_of.map(EventId),
            },
            "TimerFired" => {
                EventKind::TimerFired { timer: EventId(needed("timerId", self.timer_id)?), fire_at: self.fire_at()? }
            }
            "EventRaised" => {
                EventKind::EventRaised(RaisedEvent { name: self.name()?, input: self.input(), id: self.id.take() })
            }
            other => return self.message_kind(other),
        })
    }

    /// What goes to and comes from other instances.
    fn message_kind(&mut self, event_type: &str) -> Result<EventKind, String> {
        Ok(match event_type {
            "EventSent" => EventKind::EventSent {
                id: self.action()?,
                instance_id: self.instance()?,
                name: self.name()?,
                input: self.input(),
            },
            "EntityOperationCalled" => EventKind::EntityOperationCalled {
                id: self.action()?,
                entity: entity(self.instance()?.as_str())?,
                operation: needed("operation", self.operation.take())?,
                input: self.input(),
            },
            "EntityOperationSignaled" => EventKind::EntityOperationSignaled {
                id: self.action()?,
                entity: entity(self.instance()?.as_str())?,
                operation: needed("operation", self.operation.take())?,
                input: self.input(),
                deliver_at: moment_if("deliverAt", self.deliver_at.as_deref())?,
            },
            "EntityOperationCompleted" => {
                EventKind::EntityOperationCompleted { scheduled: self.scheduled()?, result: self.result() }
            }
            "EntityOperationFailed" => {
                EventKind::EntityOperationFailed { scheduled: self.scheduled()?, failure: self.failure()? }
            }
            "EntityLockRequested" => {
                let entities = needed("lockSet", self.lock_set.take())?;
                let entities: Result<Vec<EntityId>, String> = entities.iter().map(|id| entity(id)).collect();
                EventKind::EntityLockRequested { id: self.action()?, entities: entities? }
            }
            "EntityLockGranted" => EventKind::EntityLockGranted { scheduled: self.scheduled()? },
            "EntityUnlockSent" => EventKind::EntityUnlockSent {
                id: self.action()?,
                section: EventId(needed("lockRequestedId", self.lock_requested_id)?),
            },
            "" => return Err("it has no 'eventType'".to_owned()),
            other => {
                return Err(format!("the event type '{other}' is not known; it may be of a later version of dacapo"));
            }
        })
    }

    fn started(&mut self) -> Result<ExecutionStarted, String> {
        let parent = match self.parent_instance.take() {
            Some(parent) => Some(Parent {
                instance: InstanceId::from_stored(&parent.instance_id),
                execution: execution(&parent.execution_id)?,
                name: parent.name,
                scheduled: EventId(parent.task_scheduled_id),
            }),
            None => None,
        };
        let execution = execution(&needed("executionId", self.execution_id.take())?)?;
        Ok(ExecutionStarted {
            parent,
            options: self.options()?,
            depth: self.depth,
            pinned_to: self.pinned_to.take(),
            accepted_events: std::mem::take(&mut self.accepted_event_ids),
            ..ExecutionStarted::new(self.name()?, self.input(), execution)
        })
    }

    fn completed(&mut self) -> Result<EventKind, String> {
        let status = needed("orchestrationStatus", self.orchestration_status.take())?;
        let output = self.result.take().map(|result| self.payload(Some(result)));
        Ok(EventKind::ExecutionCompleted {
            status: RuntimeStatus::parse(&status).ok_or_else(|| format!("there is no status '{status}'"))?,
            output,
            failure: self.failure_details.take().map(FailureDetails::into_failure),
        })
    }

    fn action(&self) -> Result<EventId, String> {
        needed("eventId", self.event_id).map(EventId)
    }

    fn scheduled(&self) -> Result<EventId, String> {
        needed("taskScheduledId", self.task_scheduled_id).map(EventId)
    }

    fn name(&mut self) -> Result<String, String> {
        needed("name", self.name.take())
    }

    fn instance(&self) -> Result<InstanceId, String> {
        needed("instanceId", self.instance_id.as_deref()).map(InstanceId::from_stored)
    }

    fn fire_at(&self) -> Result<Timestamp, String> {
        moment_of("fireAt", needed("fireAt", self.fire_at.as_deref())?)
    }

    fn options(&mut self) -> Result<StartOptions, String> {
        Ok(StartOptions {
            version: self.version.take(),
            tags: std::mem::take(&mut self.tags),
            start_at: moment_if("startAt", self.start_at.as_deref())?,
        })
    }

    fn failure(&mut self) -> Result<Failure, String> {
        needed("failureDetails", self.failure_details.take()).map(FailureDetails::into_failure)
    }

    fn reason_text(&mut self) -> Result<String, String> {
        let raw = needed("reason", self.reason.take())?;
        serde_json::from_str(raw.get()).map_err(|_| "'reason' must be a string".to_owned())
    }

    fn input(&mut self) -> Json {
        let input = self.input.take();
        self.payload(input)
    }

    fn result(&mut self) -> Json {
        let result = self.result.take();
        self.payload(result)
    }

    /// None at all is `null`.
    fn payload(&mut self, embedded: Option<Box<RawValue>>) -> Json {
        match (self.payload_text.take(), embedded) {
            (Some(text), _) => Json::from(text),
            (None, Some(raw)) => Json::from(raw.get()),
            (None, None) => Json::null(),
        }
    }
}

/// A payload for its line, and its exact text where the line does not hold it.
fn embedded(payload: &Json) -> (Box<RawValue>, Option<String>) {
    // Between the tokens of JSON a line break is as good as a space, and inside of strings there is none.
    let one_line = payload.as_str().replace(['\n', '\r'], " ");
    let raw = RawValue::from_string(one_line).unwrap_or_else(|_| string(payload.as_str()));
    let payload_text = (raw.get() != payload.as_str()).then(|| payload.as_str().to_owned());
    (raw, payload_text)
}

fn string(text: &str) -> Box<RawValue> {
    serde_json::value::to_raw_value(text).expect("a string is always JSON")
}

/// A field that is there, also if it is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

fn needed<T>(field: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("it has no '{field}'"))
}

fn moment_of(field: &str, text: &str) -> Result<Timestamp, String> {
    moment::parse_exact(text)
        .ok_or_else(|| format!("'{field}' is {text:?}; it must be like 2024-01-31T08:00:00.0000000Z"))
}

fn moment_if(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, String> {
    text.map(|text| moment_of(field, text)).transpose()
}

fn execution(text: &str) -> Result<ExecutionId, String> {
    u128::from_str_radix(text, 16)
        .map(ExecutionId::from_random)
        .map_err(|_| format!("{text:?} is no execution id; it must be 32 hexadecimal digits"))
}

fn entity(id: &str) -> Result<EntityId, String> {
    EntityId::of_instance(&InstanceId::from_stored(id))
        .ok_or_else(|| format!("{id:?} is no entity; it must be like @name@key"))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
