//! Messages of an inbox and their stored form.

use super::{Unreadable, convert, wire};
use convert::absent;
use orchestration::{EventId, Json, MessageKind, Timestamp};
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
            Wire::TimerFired(wire::TimerEvent { id: timer.0, fire_at: fire_at.ticks() })
        }
        MessageKind::EventRaised(raised) => Wire::EventRaised(convert::raised(raised)),
        MessageKind::ExecutionTerminated { reason } => {
            Wire::ExecutionTerminated(wire::Terminated { reason: convert::text(reason) })
        }
    }
}

pub(super) fn read_kind(kind: Wire) -> Result<MessageKind, Unreadable> {
    Ok(match kind {
        Wire::ExecutionStarted(message) => MessageKind::ExecutionStarted {
            started: Box::new(convert::read_started(message.started.ok_or_else(|| absent("the first event"))?)?),
            carried_over: message.carried_over.into_iter().map(convert::read_raised).collect(),
        },
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
        Wire::ExecutionTerminated(terminated) => {
            MessageKind::ExecutionTerminated { reason: Json::from(terminated.reason) }
        }
    })
}
