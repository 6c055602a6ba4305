//! Events of the history and their stored form.

use super::{Unreadable, convert, wire};
use orchestration::{Event, EventId, EventKind, InstanceId, Json, Timestamp};
use wire::EventKind as Wire;

pub(super) fn event(event: &Event) -> wire::Event {
    wire::Event { at: event.at.ticks(), kind: Some(kind(&event.kind)) }
}

fn kind(kind: &EventKind) -> Wire {
    match kind {
        EventKind::OrchestratorStarted => Wire::OrchestratorStarted(wire::Nothing {}),
        EventKind::OrchestratorCompleted => Wire::OrchestratorCompleted(wire::Nothing {}),
        EventKind::ExecutionStarted(started) => Wire::ExecutionStarted(convert::started(started)),
        EventKind::ExecutionCompleted { status, output, failure } => {
            Wire::ExecutionCompleted(wire::ExecutionCompleted {
                status: *status as u32,
                output: output.as_ref().map(convert::text),
                failure: failure.as_ref().map(convert::failure),
            })
        }
        EventKind::ExecutionTerminated { reason } => {
            Wire::ExecutionTerminated(wire::Terminated { reason: convert::text(reason) })
        }
        EventKind::TaskScheduled { id, name, input } => Wire::TaskScheduled(called(*id, name, input, None)),
        EventKind::TaskCompleted { scheduled, result } => Wire::TaskCompleted(convert::completed(*scheduled, result)),
        EventKind::TaskFailed { scheduled, failure } => Wire::TaskFailed(convert::failed(*scheduled, failure)),
        EventKind::SubOrchestrationInstanceCreated { id, name, instance_id, input } => {
            Wire::SubOrchestrationCreated(called(*id, name, input, Some(instance_id)))
        }
        EventKind::SubOrchestrationInstanceCompleted { scheduled, result } => {
            Wire::SubOrchestrationCompleted(convert::completed(*scheduled, result))
        }
        EventKind::SubOrchestrationInstanceFailed { scheduled, failure } => {
            Wire::SubOrchestrationFailed(convert::failed(*scheduled, failure))
        }
        EventKind::TimerCreated { id, fire_at } => {
            Wire::TimerCreated(wire::TimerEvent { id: id.0, fire_at: fire_at.ticks() })
        }
        EventKind::TimerFired { timer, fire_at } => {
            Wire::TimerFired(wire::TimerEvent { id: timer.0, fire_at: fire_at.ticks() })
        }
        EventKind::EventRaised(raised) => Wire::EventRaised(convert::raised(raised)),
    }
}

fn called(id: EventId, name: &str, input: &Json, instance: Option<&InstanceId>) -> wire::Called {
    wire::Called {
        id: id.0,
        name: name.to_owned(),
        input: convert::text(input),
        instance: instance.map(|id| id.as_str().to_owned()).unwrap_or_default(),
    }
}

pub(super) fn read_event(event: wire::Event) -> Result<Event, Unreadable> {
    let unknown = || Unreadable("the event's kind is missing, or a newer host has written it".to_owned());
    let kind = read_kind(event.kind.ok_or_else(unknown)?)?;
    Ok(Event { at: Timestamp::from_ticks(event.at), kind })
}

fn read_kind(kind: Wire) -> Result<EventKind, Unreadable> {
    Ok(match kind {
        Wire::OrchestratorStarted(wire::Nothing {}) => EventKind::OrchestratorStarted,
        Wire::OrchestratorCompleted(wire::Nothing {}) => EventKind::OrchestratorCompleted,
        Wire::ExecutionStarted(started) => EventKind::ExecutionStarted(Box::new(convert::read_started(started)?)),
        Wire::ExecutionCompleted(completed) => EventKind::ExecutionCompleted {
            status: convert::read_status(completed.status)?,
            output: completed.output.map(Json::from),
            failure: completed.failure.map(convert::read_failure).transpose()?,
        },
        Wire::ExecutionTerminated(terminated) => {
            EventKind::ExecutionTerminated { reason: Json::from(terminated.reason) }
        }
        Wire::TaskScheduled(called) => {
            EventKind::TaskScheduled { id: EventId(called.id), name: called.name, input: Json::from(called.input) }
        }
        Wire::TaskCompleted(completed) => {
            EventKind::TaskCompleted { scheduled: EventId(completed.scheduled), result: Json::from(completed.result) }
        }
        Wire::TaskFailed(failed) => {
            let (scheduled, failure) = convert::read_failed(failed)?;
            EventKind::TaskFailed { scheduled, failure }
        }
        Wire::SubOrchestrationCreated(called) => EventKind::SubOrchestrationInstanceCreated {
            id: EventId(called.id),
            name: called.name,
            instance_id: InstanceId::from_stored(&called.instance),
            input: Json::from(called.input),
        },
        Wire::SubOrchestrationCompleted(completed) => EventKind::SubOrchestrationInstanceCompleted {
            scheduled: EventId(completed.scheduled),
            result: Json::from(completed.result),
        },
        Wire::SubOrchestrationFailed(failed) => {
            let (scheduled, failure) = convert::read_failed(failed)?;
            EventKind::SubOrchestrationInstanceFailed { scheduled, failure }
        }
        Wire::TimerCreated(timer) => {
            EventKind::TimerCreated { id: EventId(timer.id), fire_at: Timestamp::from_ticks(timer.fire_at) }
        }
        Wire::TimerFired(timer) => {
            EventKind::TimerFired { timer: EventId(timer.id), fire_at: Timestamp::from_ticks(timer.fire_at) }
        }
        Wire::EventRaised(raised) => EventKind::EventRaised(convert::read_raised(raised)),
    })
}
