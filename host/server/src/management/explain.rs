//! What an instance is doing, or why it is not, as the management API shows it: the engine's explanation in the shape of
//! `openapi.json`, and in one sentence for people.

use async_trait::async_trait;
use orchestration::{EntityId, EventId, Json, RuntimeStatus, Timestamp};
use ports::ClientError;
use serde::Serialize;
use task_hub::{ActivityState, AwaitedEvents, Explanation, Hold, Progress, TaskHub, Wait};

use super::status::Embedded;
use crate::history_file::FailureDetails;

/// Whoever knows what instances are doing.
#[async_trait]
pub(crate) trait Explainer: Send + Sync {
    /// Explains one; an entity too.
    async fn explain(&self, id: &str) -> Result<Explanation, ClientError>;
}

#[async_trait]
impl Explainer for TaskHub {
    async fn explain(&self, id: &str) -> Result<Explanation, ClientError> {
        TaskHub::explain(self, id).await
    }
}

/// An explanation as it is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown<'a> {
    instance_id: &'a str,
    name: &'a str,
    runtime_status: &'static str,
    summary: String,
    /// Null for an entity, which has no executions.
    execution_id: Option<String>,
    version: Option<&'a str>,
    pinned_to: Option<&'a str>,
    residence: &'static str,
    turns: u32,
    working: bool,
    failed_turn_attempts: u32,
    last_failure: Option<FailureDetails>,
    waiting_messages: usize,
    scheduled_messages: Vec<String>,
    locked_by: Option<&'a str>,
    history: HistorySize<'a>,
    waiting_for: Vec<ShownWait<'a>>,
}

#[derive(Debug, Serialize)]
struct HistorySize<'a> {
    events: u64,
    bytes: u64,
    /// Only there when the history cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

/// One thing that is waited for. Every field is there; what makes no sense for its kind is null.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownWait<'a> {
    kind: &'static str,
    event_id: Option<u32>,
    name: Option<&'a str>,
    instance_id: Option<String>,
    since: Option<String>,
    due_at: Option<String>,
    running: Option<bool>,
    attempt: Option<u32>,
    last_failure: Option<FailureDetails>,
    /// When a running activity gave its last sign of life, and what it said about itself; only there if it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_heartbeat: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Embedded<'a>>,
}

/// An explanation in its shape.
pub(super) fn shown(explanation: &Explanation) -> Shown<'_> {
    let Explanation { row, .. } = explanation;
    let last_answer = explanation.last_failure.as_ref().map(|last| &last.failure);
    Shown {
        instance_id: row.id.as_str(),
        name: &row.name,
        runtime_status: row.status.name(),
        summary: summary(explanation),
        execution_id: row.entity.is_none().then(|| row.execution.to_string()),
        version: row.options.version.as_deref(),
        pinned_to: row.pinned_to.as_deref(),
        residence: if explanation.is_live { "Live" } else { "Evicted" },
        turns: row.turns,
        working: explanation.in_turn,
        failed_turn_attempts: explanation.failed_turn_attempts,
        last_failure: row.failure.as_ref().or(last_answer).map(FailureDetails::of),
        waiting_messages: explanation.pending_messages,
        scheduled_messages: explanation.scheduled_messages.iter().map(Timestamp::to_string).collect(),
        locked_by: explanation.locked_by.as_ref().map(orchestration::InstanceId::as_str),
        history: HistorySize {
            events: explanation.history_events,
            bytes: explanation.history_bytes,
            problem: explanation.history_problem.as_deref(),
        },
        waiting_for: waiting_for(explanation),
    }
}

#[cfg(test)]
impl Shown<'_> {
    pub(super) fn summary(&self) -> &str {
        &self.summary
    }
}

fn waiting_for(explanation: &Explanation) -> Vec<ShownWait<'_>> {
    let held = explanation.hold.iter().map(|hold| of_hold(hold, explanation));
    let waits = explanation.waits.iter().map(|wait| of_wait(wait, explanation));
    let events = match &explanation.awaited_events {
        AwaitedEvents::Known(names) => names.as_slice(),
        AwaitedEvents::Unknown => &[],
    };
    let events = events.iter().map(|name| ShownWait {
        kind: "Event",
        name: Some(name),
        since: Some(explanation.waits_since.to_string()),
        ..ShownWait::default()
    });
    held.chain(waits).chain(events).collect()
}

fn of_hold<'a>(hold: &'a Hold, explanation: &'a Explanation) -> ShownWait<'a> {
    let created = Some(explanation.row.created_at.to_string());
    match hold {
        Hold::ScheduledStart { at } => {
            ShownWait { kind: "Start", since: created, due_at: Some(at.to_string()), ..ShownWait::default() }
        }
        Hold::NoTurnYet => ShownWait { kind: "Start", since: created, ..ShownWait::default() },
        Hold::Version { mismatch } => ShownWait {
            kind: "Version",
            name: explanation.row.options.version.as_deref(),
            last_failure: Some(FailureDetails::of(mismatch)),
            ..ShownWait::default()
        },
        Hold::Suspended { since, .. } => {
            ShownWait { kind: "Resume", since: since.map(|moment| moment.to_string()), ..ShownWait::default() }
        }
    }
}

fn of_wait<'a>(wait: &'a Wait, explanation: &'a Explanation) -> ShownWait<'a> {
    let asked = |kind, id: &EventId, since: &Timestamp| ShownWait {
        kind,
        event_id: Some(id.0),
        since: Some(since.to_string()),
        ..ShownWait::default()
    };
    match wait {
        Wait::Activity { id, name, attempt, since, state } => {
            let (is_running, progress) = match state {
                ActivityState::Queued | ActivityState::Answered => (false, None),
                ActivityState::Running(progress) => (true, progress.as_ref()),
            };
            ShownWait {
                name: Some(name),
                attempt: Some(*attempt),
                running: Some(is_running),
                last_heartbeat: progress.and_then(|progress: &Progress| Some(progress.last_heartbeat?.to_string())),
                progress: progress
                    .and_then(|progress| progress.details.as_ref())
                    .map(|details: &Json| Embedded::of(details)),
                ..asked("Activity", id, since)
            }
        }
        Wait::Timer { id, due, since } => ShownWait { due_at: Some(due.to_string()), ..asked("Timer", id, since) },
        Wait::Retry { id, name, attempt, due, since } => {
            let failure = explanation.last_failure.as_ref().filter(|last| last.name == *name);
            ShownWait {
                name: Some(name),
                attempt: Some(*attempt),
                due_at: Some(due.to_string()),
                last_failure: failure.map(|last| FailureDetails::of(&last.failure)),
                ..asked("Retry", id, since)
            }
        }
        Wait::SubOrchestration { id, name, instance, attempt, since } => ShownWait {
            name: Some(name),
            instance_id: Some(instance.to_string()),
            attempt: Some(*attempt),
            ..asked("SubOrchestration", id, since)
        },
        Wait::Entity { id, entity, operation, since } => {
            ShownWait { name: Some(operation), instance_id: Some(entity.to_string()), ..asked("Entity", id, since) }
        }
        Wait::Lock { id, entities, since } => {
            // The last one of the set grants the lock to whoever waits.
            ShownWait { instance_id: entities.last().map(EntityId::to_string), ..asked("Lock", id, since) }
        }
    }
}

/// One sentence; the most telling thing first.
fn summary(explanation: &Explanation) -> String {
    let Explanation { row, .. } = explanation;
    if row.status.is_terminal() {
        return ended(explanation);
    }
    if let Some(hold) = &explanation.hold {
        return held(hold);
    }
    if let Some(problem) = &explanation.history_problem {
        return format!("Cannot go on: its history cannot be read ({problem}).");
    }
    if explanation.failed_turn_attempts > 0 {
        let times = explanation.failed_turn_attempts;
        return format!("Its turn was tried {times} times in vain and is tried again; the host's log says why.");
    }
    if explanation.in_turn {
        return "A turn of it is running.".to_owned();
    }
    if row.entity.is_some() {
        return entity(explanation);
    }
    if explanation.pending_messages > 0 {
        return format!("Its next turn is about to begin: {} messages wait for it.", explanation.pending_messages);
    }
    let events = match &explanation.awaited_events {
        AwaitedEvents::Known(names) => names.as_slice(),
        AwaitedEvents::Unknown => &[],
    };
    let waits = explanation.waits.iter().map(in_words);
    let all: Vec<String> = waits.chain(events.iter().map(|name| format!("the event '{name}'"))).collect();
    match all.as_slice() {
        [] => "Waits for something that is in no history, such as an external event.".to_owned(),
        [one] => format!("Waits for {one}."),
        [one, other] => format!("Waits for {one}, and for {other}."),
        [first, more @ ..] => format!("Waits for {first}, and for {} more.", more.len()),
    }
}

fn ended(explanation: &Explanation) -> String {
    let Explanation { row, .. } = explanation;
    let at = row.completed_at.unwrap_or(row.updated_at);
    match (row.status, &row.failure) {
        (RuntimeStatus::Failed, Some(failure)) => format!("Failed at {at}: {failure}"),
        (status, _) => format!("{status} at {at}."),
    }
}

fn held(hold: &Hold) -> String {
    match hold {
        Hold::ScheduledStart { at } => format!("Starts at {at}."),
        Hold::NoTurnYet => "Waits for its first turn.".to_owned(),
        Hold::Version { mismatch } => format!("Waits for an app that runs its version: {}", mismatch.message),
        Hold::Suspended { since, reason } => {
            let since = since.map(|moment| format!(" since {moment}")).unwrap_or_default();
            let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            format!("Suspended{since}{reason}: only resume and terminate move it.")
        }
    }
}

fn entity(explanation: &Explanation) -> String {
    match (&explanation.locked_by, explanation.pending_messages) {
        (Some(owner), 0) => format!("Locked by {owner}."),
        (Some(owner), waiting) => format!("Locked by {owner}; {waiting} messages wait for it."),
        (None, 0) => "Idle.".to_owned(),
        (None, waiting) => format!("Has {waiting} messages to work on."),
    }
}

fn in_words(wait: &Wait) -> String {
    let nth = |attempt: u32| if attempt > 1 { format!(", try {attempt}") } else { String::new() };
    match wait {
        Wait::Activity { name, attempt, state, .. } => {
            let state = match state {
                ActivityState::Queued => "which waits for a worker",
                ActivityState::Running(_) => "which is running",
                ActivityState::Answered => "which has ended",
            };
            format!("the activity '{name}'{}, {state}", nth(*attempt))
        }
        Wait::Timer { due, .. } => format!("a timer that is due at {due}"),
        Wait::Retry { name, attempt, due, .. } => format!("try {attempt} of '{name}', which begins at {due}"),
        Wait::SubOrchestration { name, instance, attempt, .. } => {
            format!("the sub-orchestration '{name}' ({instance}){}", nth(*attempt))
        }
        Wait::Entity { entity, operation, .. } => format!("the operation '{operation}' of the entity {entity}"),
        Wait::Lock { entities, .. } => {
            let entities: Vec<String> = entities.iter().map(EntityId::to_string).collect();
            format!("the lock on {}", entities.join(", "))
        }
    }
}
