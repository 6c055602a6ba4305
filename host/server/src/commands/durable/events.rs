//! Events of a history in words, one a line, with what they answer to.

use orchestration::{Event, EventId, EventKind, Json};
use std::collections::BTreeMap;

use super::paint::{Paint, Span, shortened};

/// The widest payload in a line, in columns; `--output json` has all of it.
const MAX_PAYLOAD_WIDTH: usize = 60;

/// Tells events in their order, and remembers what was asked for.
#[derive(Debug, Default)]
pub(super) struct Teller {
    asked: BTreeMap<EventId, String>,
}

impl Teller {
    /// Time, kind and content of the next event.
    pub(super) fn tell(&mut self, event: &Event) -> Vec<Span> {
        let at = event.at.to_string().replacen('T', " ", 1);
        // To the millisecond.
        let at = at.split_once('.').map_or(at.clone(), |(seconds, part)| {
            format!("{seconds}.{}", part.get(..3).unwrap_or(part).trim_end_matches('Z'))
        });
        vec![
            Span::new(&at, Paint::Aside),
            Span::new(event.kind.name(), paint(&event.kind)),
            Span::plain(&self.content(&event.kind)),
        ]
    }

    fn content(&mut self, kind: &EventKind) -> String {
        if let Some(id) = kind.action_id() {
            let (what, more) = asked(kind);
            let number = format!("#{} {what}", id.0);
            self.asked.insert(id, number.clone());
            return join(number, &more);
        }
        let of = |id: &EventId| self.asked.get(id).cloned().unwrap_or_else(|| format!("#{}", id.0));
        match kind {
            EventKind::ExecutionStarted(started) => join(started.name.clone(), &payload(&started.input)),
            EventKind::ExecutionCompleted { status, output, failure } => {
                let more = match (failure, output) {
                    (Some(failure), _) => failure.to_string(),
                    (None, Some(output)) => payload(output),
                    (None, None) => String::new(),
                };
                join(status.name().to_owned(), &more)
            }
            EventKind::ExecutionTerminated { reason } => payload(reason),
            EventKind::ExecutionSuspended { reason }
            | EventKind::ExecutionResumed { reason }
            | EventKind::ExecutionRewound { reason } => reason.clone(),
            EventKind::TaskCompleted { scheduled, result }
            | EventKind::SubOrchestrationInstanceCompleted { scheduled, result }
            | EventKind::EntityOperationCompleted { scheduled, result } => join(of(scheduled), &payload(result)),
            EventKind::TaskFailed { scheduled, failure }
            | EventKind::SubOrchestrationInstanceFailed { scheduled, failure }
            | EventKind::EntityOperationFailed { scheduled, failure } => join(of(scheduled), &failure.to_string()),
            EventKind::TimerFired { timer, .. } => of(timer),
            EventKind::EntityLockGranted { scheduled } => of(scheduled),
            EventKind::EventRaised(raised) => join(raised.name.clone(), &payload(&raised.input)),
            EventKind::OrchestratorStarted
            | EventKind::OrchestratorCompleted
            | EventKind::TaskScheduled { .. }
            | EventKind::SubOrchestrationInstanceCreated { .. }
            | EventKind::TimerCreated { .. }
            | EventKind::EventSent { .. }
            | EventKind::EntityOperationCalled { .. }
            | EventKind::EntityOperationSignaled { .. }
            | EventKind::EntityLockRequested { .. }
            | EventKind::EntityUnlockSent { .. } => String::new(),
        }
    }
}

/// What is asked for, and what comes with it.
fn asked(kind: &EventKind) -> (String, String) {
    let again =
        |retry_of: &Option<EventId>| retry_of.map(|id| format!(" (again, after #{})", id.0)).unwrap_or_default();
    match kind {
        EventKind::TaskScheduled { name, input, retry_of, .. } => (name.clone(), payload(input) + &again(retry_of)),
        EventKind::SubOrchestrationInstanceCreated { name, instance_id, input, retry_of, .. } => {
            (format!("{name} ({instance_id})"), payload(input) + &again(retry_of))
        }
        EventKind::TimerCreated { fire_at, retry_of, .. } => {
            let pause = retry_of.map(|id| format!(" (pause after #{})", id.0)).unwrap_or_default();
            ("timer".to_owned(), format!("due {fire_at}{pause}"))
        }
        EventKind::EventSent { instance_id, name, input, .. } => (format!("{name} to {instance_id}"), payload(input)),
        EventKind::EntityOperationCalled { entity, operation, input, .. } => {
            (format!("{entity} {operation}"), payload(input))
        }
        EventKind::EntityOperationSignaled { entity, operation, input, deliver_at, .. } => {
            let later = deliver_at.map(|moment| format!(" at {moment}")).unwrap_or_default();
            (format!("{entity} {operation}"), payload(input) + &later)
        }
        EventKind::EntityLockRequested { entities, .. } => {
            let entities: Vec<String> = entities.iter().map(ToString::to_string).collect();
            (format!("lock {}", entities.join(", ")), String::new())
        }
        EventKind::EntityUnlockSent { section, .. } => (format!("unlock after #{}", section.0), String::new()),
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
        | EventKind::EntityLockGranted { .. } => (String::new(), String::new()),
    }
}

fn paint(kind: &EventKind) -> Paint {
    match kind {
        EventKind::OrchestratorStarted | EventKind::OrchestratorCompleted => Paint::Aside,
        EventKind::ExecutionCompleted { status, .. } => Paint::of(*status),
        EventKind::TaskCompleted { .. }
        | EventKind::SubOrchestrationInstanceCompleted { .. }
        | EventKind::EntityOperationCompleted { .. } => Paint::Good,
        EventKind::TaskFailed { .. }
        | EventKind::SubOrchestrationInstanceFailed { .. }
        | EventKind::EntityOperationFailed { .. }
        | EventKind::ExecutionTerminated { .. } => Paint::Bad,
        EventKind::ExecutionStarted(_)
        | EventKind::ExecutionSuspended { .. }
        | EventKind::ExecutionResumed { .. }
        | EventKind::ExecutionRewound { .. }
        | EventKind::TaskScheduled { .. }
        | EventKind::SubOrchestrationInstanceCreated { .. }
        | EventKind::TimerCreated { .. }
        | EventKind::TimerFired { .. }
        | EventKind::EventRaised(_)
        | EventKind::EventSent { .. }
        | EventKind::EntityOperationCalled { .. }
        | EventKind::EntityOperationSignaled { .. }
        | EventKind::EntityLockRequested { .. }
        | EventKind::EntityLockGranted { .. }
        | EventKind::EntityUnlockSent { .. } => Paint::Plain,
    }
}

fn payload(json: &Json) -> String {
    shortened(json.as_str(), MAX_PAYLOAD_WIDTH)
}

fn join(what: String, more: &str) -> String {
    if more.is_empty() { what } else { format!("{what}  {more}") }
}
