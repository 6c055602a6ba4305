//! A history as text, one event a line, for people: tests review behaviour as a difference of transcripts.

use crate::{Event, EventKind, Timestamp};
use std::fmt::Write;

/// Writes one line per event: seconds since the first event, kind, and what identifies it.
pub fn transcript(events: &[Event]) -> String {
    let origin = events.first().map_or_else(Timestamp::default, |event| event.at);
    let mut text = String::new();
    for event in events {
        let seconds = event.at.saturating_since(origin).as_secs_f64();
        let line = format!("{seconds:>9.3}  {:<34} {}", event.kind.name(), describe(&event.kind));
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn describe(kind: &EventKind) -> String {
    match kind {
        EventKind::OrchestratorStarted | EventKind::OrchestratorCompleted => String::new(),
        EventKind::ExecutionStarted(started) => match &started.parent {
            Some(parent) => {
                format!("{}({}) for {} {:?}", started.name, started.input, parent.instance, parent.scheduled)
            }
            None => format!("{}({})", started.name, started.input),
        },
        EventKind::ExecutionCompleted { status, output, failure } => match (output, failure) {
            (_, Some(failure)) => format!("{status} {failure}"),
            (Some(output), None) => format!("{status} {output}"),
            (None, None) => status.to_string(),
        },
        EventKind::ExecutionTerminated { reason } => reason.to_string(),
        EventKind::TaskScheduled { id, name, input, .. } => format!("{id:?} {name}({input})"),
        EventKind::TaskCompleted { scheduled, result }
        | EventKind::SubOrchestrationInstanceCompleted { scheduled, result } => format!("{scheduled:?} = {result}"),
        EventKind::TaskFailed { scheduled, failure }
        | EventKind::SubOrchestrationInstanceFailed { scheduled, failure } => format!("{scheduled:?} ! {failure}"),
        EventKind::SubOrchestrationInstanceCreated { id, name, instance_id, input, detached, .. } => {
            let detached = if *detached { " detached" } else { "" };
            format!("{id:?} {name}({input}) as {instance_id}{detached}")
        }
        EventKind::TimerCreated { id, fire_at, .. } => format!("{id:?} at {fire_at}"),
        EventKind::TimerFired { timer, .. } => format!("{timer:?}"),
        EventKind::ExecutionSuspended { reason }
        | EventKind::ExecutionResumed { reason }
        | EventKind::ExecutionRewound { reason } => reason.clone(),
        EventKind::EventSent { id, instance_id, name, input } => format!("{id:?} {name}({input}) to {instance_id}"),
        EventKind::EntityOperationCalled { id, entity, operation, input } => {
            format!("{id:?} {entity} {operation}({input})")
        }
        EventKind::EntityOperationSignaled { id, entity, operation, input, deliver_at } => match deliver_at {
            Some(moment) => format!("{id:?} {entity} {operation}({input}) at {moment}"),
            None => format!("{id:?} {entity} {operation}({input})"),
        },
        EventKind::EntityOperationCompleted { scheduled, result } => format!("{scheduled:?} = {result}"),
        EventKind::EntityOperationFailed { scheduled, failure } => format!("{scheduled:?} ! {failure}"),
        EventKind::EntityLockRequested { id, entities } => {
            let entities: Vec<_> = entities.iter().map(ToString::to_string).collect();
            format!("{id:?} {}", entities.join(", "))
        }
        EventKind::EntityLockGranted { scheduled } => format!("{scheduled:?}"),
        EventKind::EntityUnlockSent { id, section } => format!("{id:?} for {section:?}"),
        EventKind::EventRaised(raised) => format!("{}({})", raised.name, raised.input),
    }
}
