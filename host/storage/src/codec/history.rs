//! Events of the history and their stored form.

use super::{Unreadable, convert, wire};
use orchestration::{EntityId, Event, EventId, EventKind, Failure, InstanceId, Json, RuntimeStatus, Timestamp};
use wire::EventKind as Wire;

pub(super) fn event(event: &Event) -> wire::Event {
    wire::Event { at: event.at.ticks(), kind: Some(kind(&event.kind)) }
}

pub(super) fn kind(kind: &EventKind) -> Wire {
    match kind {
        EventKind::OrchestratorStarted => Wire::OrchestratorStarted(wire::Nothing {}),
        EventKind::OrchestratorCompleted => Wire::OrchestratorCompleted(wire::Nothing {}),
        EventKind::ExecutionStarted(started) => Wire::ExecutionStarted(convert::started(started)),
        EventKind::ExecutionCompleted { status, output, failure } => {
            Wire::ExecutionCompleted(ended(*status, output.as_ref(), failure.as_ref()))
        }
        EventKind::ExecutionTerminated { reason } => {
            Wire::ExecutionTerminated(wire::Terminated { reason: convert::text(reason), ..wire::Terminated::default() })
        }
        EventKind::ExecutionSuspended { reason } => Wire::ExecutionSuspended(convert::reason(reason)),
        EventKind::ExecutionResumed { reason } => Wire::ExecutionResumed(convert::reason(reason)),
        EventKind::ExecutionRewound { reason } => Wire::ExecutionRewound(convert::reason(reason)),
        EventKind::TaskScheduled { id, name, input, retry_of, timeouts, tags } => {
            let (timeouts, tags) = (convert::timeouts(*timeouts), tags.clone());
            Wire::TaskScheduled(wire::Called { timeouts, tags, ..called(*id, name, input, *retry_of) })
        }
        EventKind::TaskCompleted { scheduled, result } => Wire::TaskCompleted(convert::completed(*scheduled, result)),
        EventKind::TaskFailed { scheduled, failure } => Wire::TaskFailed(convert::failed(*scheduled, failure)),
        EventKind::SubOrchestrationInstanceCreated { id, name, instance_id, input, retry_of, detached, options } => {
            let (instance, options) = (instance_id.as_str().to_owned(), convert::options(options));
            let called = called(*id, name, input, *retry_of);
            Wire::SubOrchestrationCreated(wire::Called { instance, detached: *detached, options, ..called })
        }
        EventKind::SubOrchestrationInstanceCompleted { scheduled, result } => {
            Wire::SubOrchestrationCompleted(convert::completed(*scheduled, result))
        }
        EventKind::SubOrchestrationInstanceFailed { scheduled, failure } => {
            Wire::SubOrchestrationFailed(convert::failed(*scheduled, failure))
        }
        EventKind::TimerCreated { id, fire_at, retry_of } => Wire::TimerCreated(timer(*id, *fire_at, *retry_of)),
        EventKind::TimerFired { timer: id, fire_at } => Wire::TimerFired(timer(*id, *fire_at, None)),
        EventKind::EventRaised(raised) => Wire::EventRaised(convert::raised(raised)),
        EventKind::EventSent { id, instance_id, name, input } => Wire::EventSent(sent(*id, instance_id, name, input)),
        EventKind::EntityOperationCalled { id, entity, operation, input } => {
            Wire::EntityOperationCalled(asked(*id, entity, operation, input))
        }
        EventKind::EntityOperationSignaled { id, entity, operation, input, deliver_at } => {
            let (asked, deliver_at) = (asked(*id, entity, operation, input), deliver_at.map(Timestamp::ticks));
            Wire::EntityOperationSignaled(wire::OperationAsked { deliver_at, ..asked })
        }
        EventKind::EntityOperationCompleted { scheduled, result } => {
            Wire::EntityOperationCompleted(convert::completed(*scheduled, result))
        }
        EventKind::EntityOperationFailed { scheduled, failure } => {
            Wire::EntityOperationFailed(convert::failed(*scheduled, failure))
        }
        EventKind::EntityLockRequested { id, entities } => {
            Wire::EntityLockRequested(wire::LockAsked { id: id.0, entities: convert::entities(entities) })
        }
        EventKind::EntityLockGranted { scheduled } => {
            Wire::EntityLockGranted(wire::LockGranted { scheduled: scheduled.0 })
        }
        EventKind::EntityUnlockSent { id, section } => {
            Wire::EntityUnlockSent(wire::LockLeft { id: id.0, section: section.0 })
        }
    }
}

fn ended(status: RuntimeStatus, output: Option<&Json>, failure: Option<&Failure>) -> wire::ExecutionCompleted {
    wire::ExecutionCompleted {
        status: status as u32,
        output: output.map(convert::text),
        failure: failure.map(convert::failure),
    }
}

/// What activities and children have in common.
fn called(id: EventId, name: &str, input: &Json, retry_of: Option<EventId>) -> wire::Called {
    wire::Called {
        id: id.0,
        name: name.to_owned(),
        input: convert::text(input),
        retry_of: retry_of.map(|id| id.0),
        ..wire::Called::default()
    }
}

fn timer(id: EventId, fire_at: Timestamp, retry_of: Option<EventId>) -> wire::TimerEvent {
    wire::TimerEvent { id: id.0, fire_at: fire_at.ticks(), retry_of: retry_of.map(|id| id.0) }
}

fn sent(id: EventId, to: &InstanceId, name: &str, input: &Json) -> wire::EventSent {
    let (instance, name) = (to.as_str().to_owned(), name.to_owned());
    wire::EventSent { id: id.0, instance, name, input: convert::text(input) }
}

fn asked(id: EventId, entity: &EntityId, operation: &str, input: &Json) -> wire::OperationAsked {
    wire::OperationAsked {
        id: id.0,
        entity: convert::entity(entity),
        operation: operation.to_owned(),
        input: convert::text(input),
        deliver_at: None,
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
        Wire::ExecutionCompleted(completed) => read_ended(completed)?,
        Wire::ExecutionTerminated(terminated) => {
            EventKind::ExecutionTerminated { reason: Json::from(terminated.reason) }
        }
        Wire::ExecutionSuspended(wire::Reason { reason }) => EventKind::ExecutionSuspended { reason },
        Wire::ExecutionResumed(wire::Reason { reason }) => EventKind::ExecutionResumed { reason },
        Wire::ExecutionRewound(wire::Reason { reason }) => EventKind::ExecutionRewound { reason },
        Wire::TaskScheduled(called) => read_task(called)?,
        Wire::TaskCompleted(completed) => {
            EventKind::TaskCompleted { scheduled: EventId(completed.scheduled), result: Json::from(completed.result) }
        }
        Wire::TaskFailed(failed) => {
            let (scheduled, failure) = convert::read_failed(failed)?;
            EventKind::TaskFailed { scheduled, failure }
        }
        Wire::SubOrchestrationCreated(called) => read_child(called),
        Wire::SubOrchestrationCompleted(completed) => EventKind::SubOrchestrationInstanceCompleted {
            scheduled: EventId(completed.scheduled),
            result: Json::from(completed.result),
        },
        Wire::SubOrchestrationFailed(failed) => {
            let (scheduled, failure) = convert::read_failed(failed)?;
            EventKind::SubOrchestrationInstanceFailed { scheduled, failure }
        }
        Wire::TimerCreated(wire::TimerEvent { id, fire_at, retry_of }) => {
            let (fire_at, retry_of) = (Timestamp::from_ticks(fire_at), retry_of.map(EventId));
            EventKind::TimerCreated { id: EventId(id), fire_at, retry_of }
        }
        Wire::TimerFired(timer) => {
            EventKind::TimerFired { timer: EventId(timer.id), fire_at: Timestamp::from_ticks(timer.fire_at) }
        }
        Wire::EventRaised(raised) => EventKind::EventRaised(convert::read_raised(raised)),
        Wire::EventSent(sent) => read_sent(sent),
        Wire::EntityOperationCalled(asked) => read_asked(asked)?,
        Wire::EntityOperationSignaled(asked) => read_signaled(asked)?,
        Wire::EntityOperationCompleted(completed) => EventKind::EntityOperationCompleted {
            scheduled: EventId(completed.scheduled),
            result: Json::from(completed.result),
        },
        Wire::EntityOperationFailed(failed) => {
            let (scheduled, failure) = convert::read_failed(failed)?;
            EventKind::EntityOperationFailed { scheduled, failure }
        }
        Wire::EntityLockRequested(wire::LockAsked { id, entities }) => {
            EventKind::EntityLockRequested { id: EventId(id), entities: convert::read_entities(&entities)? }
        }
        Wire::EntityLockGranted(granted) => EventKind::EntityLockGranted { scheduled: EventId(granted.scheduled) },
        Wire::EntityUnlockSent(left) => {
            EventKind::EntityUnlockSent { id: EventId(left.id), section: EventId(left.section) }
        }
    })
}

fn read_ended(completed: wire::ExecutionCompleted) -> Result<EventKind, Unreadable> {
    Ok(EventKind::ExecutionCompleted {
        status: convert::read_status(completed.status)?,
        output: completed.output.map(Json::from),
        failure: completed.failure.map(convert::read_failure).transpose()?,
    })
}

fn read_task(called: wire::Called) -> Result<EventKind, Unreadable> {
    Ok(EventKind::TaskScheduled {
        id: EventId(called.id),
        name: called.name,
        input: Json::from(called.input),
        retry_of: called.retry_of.map(EventId),
        timeouts: convert::read_timeouts(called.timeouts)?,
        tags: called.tags,
    })
}

fn read_child(called: wire::Called) -> EventKind {
    EventKind::SubOrchestrationInstanceCreated {
        id: EventId(called.id),
        name: called.name,
        instance_id: InstanceId::from_stored(&called.instance),
        input: Json::from(called.input),
        retry_of: called.retry_of.map(EventId),
        detached: called.detached,
        options: convert::read_options(called.options),
    }
}

fn read_sent(sent: wire::EventSent) -> EventKind {
    EventKind::EventSent {
        id: EventId(sent.id),
        instance_id: InstanceId::from_stored(&sent.instance),
        name: sent.name,
        input: Json::from(sent.input),
    }
}

fn read_asked(asked: wire::OperationAsked) -> Result<EventKind, Unreadable> {
    Ok(EventKind::EntityOperationCalled {
        id: EventId(asked.id),
        entity: convert::read_entity(&asked.entity)?,
        operation: asked.operation,
        input: Json::from(asked.input),
    })
}

fn read_signaled(asked: wire::OperationAsked) -> Result<EventKind, Unreadable> {
    Ok(EventKind::EntityOperationSignaled {
        id: EventId(asked.id),
        entity: convert::read_entity(&asked.entity)?,
        operation: asked.operation,
        input: Json::from(asked.input),
        deliver_at: asked.deliver_at.map(Timestamp::from_ticks),
    })
}
