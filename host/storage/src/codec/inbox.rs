//! Messages of an inbox and their stored form.

use super::{Unreadable, convert, history, wire};
use convert::absent;
use orchestration::{Caller, EventId, EventKind, ExecutionId, InstanceId, Json, MessageKind, Parent, Timestamp};
use wire::MessageKind as Wire;

pub(super) fn kind(kind: &MessageKind) -> Wire {
    match kind {
        MessageKind::ExecutionStarted { started, carried_over } => Wire::ExecutionStarted(wire::Started {
            started: Some(convert::started(started)),
            carried_over: carried_over.iter().map(convert::raised).collect(),
        }),
        MessageKind::TaskCompleted { scheduled, result } => Wire::TaskCompleted(convert::completed(*scheduled, result)),
        MessageKind::TaskFailed { scheduled, failure } => Wire::TaskFailed(convert::failed(*scheduled, failure)),
        MessageKind::SubOrchestrationInstanceCompleted { scheduled, result } => {
            Wire::SubOrchestrationCompleted(convert::completed(*scheduled, result))
        }
        MessageKind::SubOrchestrationInstanceFailed { scheduled, failure } => {
            Wire::SubOrchestrationFailed(convert::failed(*scheduled, failure))
        }
        MessageKind::TimerFired { timer, fire_at } => {
            Wire::TimerFired(wire::TimerEvent { id: timer.0, fire_at: fire_at.ticks(), retry_of: None })
        }
        MessageKind::EventRaised(raised) => Wire::EventRaised(convert::raised(raised)),
        MessageKind::ExecutionTerminated { reason, recurse, by_parent } => {
            let (reason, by_parent) = (convert::text(reason), by_parent.map(convert::execution));
            Wire::ExecutionTerminated(wire::Terminated { reason, recurse: *recurse, by_parent })
        }
        MessageKind::ExecutionSuspended { reason } => Wire::ExecutionSuspended(convert::reason(reason)),
        MessageKind::ExecutionResumed { reason } => Wire::ExecutionResumed(convert::reason(reason)),
        MessageKind::RewindRequested { reason, parent, latest } => {
            Wire::RewindRequested(rewind(reason, parent.as_ref(), *latest))
        }
        MessageKind::ExecutionRewound { reason, again } => Wire::ExecutionRewound(rewound(reason, again)),
        MessageKind::EntityOperationCalled { caller: by, operation, input } => {
            let (operation, input) = (operation.clone(), convert::text(input));
            Wire::EntityOperationCalled(wire::OperationCalled { caller: Some(caller(by)), operation, input })
        }
        MessageKind::EntityOperationSignaled { sender, request, operation, input } => {
            let sender = sender.as_ref().map(|sender| sender.as_str().to_owned());
            let (request, operation, input) = (request.clone(), operation.clone(), convert::text(input));
            Wire::EntityOperationSignaled(wire::OperationSignaled { sender, request, operation, input })
        }
        MessageKind::EntityLockRequested { owner, entities, position } => {
            let (owner, entities) = (Some(caller(owner)), convert::entities(entities));
            Wire::EntityLockRequested(wire::LockRequested { owner, entities, position: *position })
        }
        MessageKind::EntityUnlockSent { section, entities, position } => {
            let (section, entities) = (Some(convert::section(*section)), convert::entities(entities));
            Wire::EntityUnlockSent(wire::UnlockSent { section, entities, position: *position })
        }
        MessageKind::EntityOperationCompleted { scheduled, result } => {
            Wire::EntityOperationCompleted(convert::completed(*scheduled, result))
        }
        MessageKind::EntityOperationFailed { scheduled, failure } => {
            Wire::EntityOperationFailed(convert::failed(*scheduled, failure))
        }
        MessageKind::EntityLockGranted { scheduled } => {
            Wire::EntityLockGranted(wire::LockGranted { scheduled: scheduled.0 })
        }
    }
}

fn rewind(reason: &str, parent: Option<&Parent>, latest: bool) -> wire::RewindRequested {
    wire::RewindRequested { reason: reason.to_owned(), parent: parent.map(convert::parent), latest }
}

fn rewound(reason: &str, again: &[EventKind]) -> wire::Rewound {
    let event = |kind| wire::Event { at: 0, kind: Some(history::kind(kind)) };
    wire::Rewound { reason: reason.to_owned(), again: again.iter().map(event).collect() }
}

fn caller(caller: &Caller) -> wire::Caller {
    wire::Caller {
        instance: caller.instance.as_str().to_owned(),
        execution: Some(convert::execution(caller.execution)),
        scheduled: caller.scheduled.0,
    }
}

pub(super) fn read_kind(kind: Wire) -> Result<MessageKind, Unreadable> {
    Ok(match kind {
        Wire::ExecutionStarted(message) => read_start(message)?,
        Wire::TaskCompleted(completed) => {
            MessageKind::TaskCompleted { scheduled: EventId(completed.scheduled), result: Json::from(completed.result) }
        }
        Wire::TaskFailed(failed) => {
            let (scheduled, failure) = convert::read_failed(failed)?;
            MessageKind::TaskFailed { scheduled, failure }
        }
        Wire::SubOrchestrationCompleted(completed) => MessageKind::SubOrchestrationInstanceCompleted {
            scheduled: EventId(completed.scheduled),
            result: Json::from(completed.result),
        },
        Wire::SubOrchestrationFailed(failed) => {
            let (scheduled, failure) = convert::read_failed(failed)?;
            MessageKind::SubOrchestrationInstanceFailed { scheduled, failure }
        }
        Wire::TimerFired(timer) => {
            MessageKind::TimerFired { timer: EventId(timer.id), fire_at: Timestamp::from_ticks(timer.fire_at) }
        }
        Wire::EventRaised(raised) => MessageKind::EventRaised(convert::read_raised(raised)),
        Wire::ExecutionTerminated(wire::Terminated { reason, recurse, by_parent }) => {
            let by_parent = read_optional_execution(by_parent)?;
            MessageKind::ExecutionTerminated { reason: Json::from(reason), recurse, by_parent }
        }
        Wire::ExecutionSuspended(wire::Reason { reason }) => MessageKind::ExecutionSuspended { reason },
        Wire::ExecutionResumed(wire::Reason { reason }) => MessageKind::ExecutionResumed { reason },
        Wire::RewindRequested(wire::RewindRequested { reason, parent, latest }) => {
            MessageKind::RewindRequested { reason, parent: parent.map(convert::read_parent).transpose()?, latest }
        }
        Wire::ExecutionRewound(rewound) => read_rewound(rewound)?,
        Wire::EntityOperationCalled(wire::OperationCalled { caller, operation, input }) => {
            MessageKind::EntityOperationCalled { caller: read_caller(caller)?, operation, input: Json::from(input) }
        }
        Wire::EntityOperationSignaled(wire::OperationSignaled { sender, request, operation, input }) => {
            let sender = sender.as_deref().map(InstanceId::from_stored);
            MessageKind::EntityOperationSignaled { sender, request, operation, input: Json::from(input) }
        }
        Wire::EntityLockRequested(wire::LockRequested { owner, entities, position }) => {
            let (owner, entities) = (read_caller(owner)?, convert::read_entities(&entities)?);
            MessageKind::EntityLockRequested { owner, entities, position }
        }
        Wire::EntityUnlockSent(wire::UnlockSent { section, entities, position }) => {
            let (section, entities) = (convert::read_section(section)?, convert::read_entities(&entities)?);
            MessageKind::EntityUnlockSent { section, entities, position }
        }
        Wire::EntityOperationCompleted(completed) => MessageKind::EntityOperationCompleted {
            scheduled: EventId(completed.scheduled),
            result: Json::from(completed.result),
        },
        Wire::EntityOperationFailed(failed) => {
            let (scheduled, failure) = convert::read_failed(failed)?;
            MessageKind::EntityOperationFailed { scheduled, failure }
        }
        Wire::EntityLockGranted(granted) => MessageKind::EntityLockGranted { scheduled: EventId(granted.scheduled) },
    })
}

fn read_start(message: wire::Started) -> Result<MessageKind, Unreadable> {
    let started = message.started.ok_or_else(|| absent("the first event"))?;
    Ok(MessageKind::ExecutionStarted {
        started: Box::new(convert::read_started(started)?),
        carried_over: message.carried_over.into_iter().map(convert::read_raised).collect(),
    })
}

fn read_rewound(rewound: wire::Rewound) -> Result<MessageKind, Unreadable> {
    let again = rewound.again.into_iter().map(|event| Ok(history::read_event(event)?.kind));
    Ok(MessageKind::ExecutionRewound { reason: rewound.reason, again: again.collect::<Result<_, Unreadable>>()? })
}

fn read_caller(caller: Option<wire::Caller>) -> Result<Caller, Unreadable> {
    let caller = caller.ok_or_else(|| absent("who asked"))?;
    Ok(Caller {
        instance: InstanceId::from_stored(&caller.instance),
        execution: convert::read_execution(caller.execution)?,
        scheduled: EventId(caller.scheduled),
    })
}

pub(super) fn read_optional_execution(execution: Option<wire::Execution>) -> Result<Option<ExecutionId>, Unreadable> {
    execution.map(|execution| convert::read_execution(Some(execution))).transpose()
}
