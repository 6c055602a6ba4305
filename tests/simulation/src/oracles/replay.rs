//! The replay law: for every prefix of a history, replaying the author's code asks for what the history records next.

use super::{Oracle, Violation};
use crate::author::{apps, guest};
use orchestration::{
    Action, Cursor, Event, EventKind, Failure, Fit, History, Identity, InstanceRow, Limits, RecordedAction, Recording,
    Stopped, TurnEnd,
};
use ports::Advanced;

/// Checks the last turn of a history against a replay of all turns before it.
pub(super) fn check_last_turn(row: &InstanceRow, history: &[Event]) -> Result<(), Violation> {
    let begins = history.iter().rposition(|event| matches!(event.kind, EventKind::OrchestratorStarted)).unwrap_or(0);
    let (past, turn) = history.split_at(begins);
    if turn.iter().any(|event| is_from_outside(&event.kind)) {
        return Ok(());
    }
    let violation = |detail: String| Violation {
        oracle: Oracle::Replay,
        detail: format!("{detail}\n{}", orchestration::transcript::transcript(history)),
    };
    let Ok(mut guest) = guest::guest(&row.name, app_of(row)) else {
        return Ok(());
    };
    let mut cursor = Box::new(Cursor::new(identity(row), Limits::default(), past.to_vec()));
    cursor.feed(turn.iter().take_while(|event| is_news(&event.kind)).cloned());
    let (mut cursor, advanced) = guest.run(cursor);
    let recorded: Vec<_> = turn.iter().filter_map(recorded_with_details).collect();
    match cursor.stopped() {
        // Code that is not to run yet asks for nothing.
        Some(Stopped::NotStarted) if recorded.is_empty() && ended(turn).is_none() => return Ok(()),
        Some(stopped) => return Err(violation(format!("the replay stopped: {stopped}"))),
        None => {}
    }
    if guest.has_trapped() {
        return Err(violation("the replay trapped".to_owned()));
    }
    let end = match advanced {
        Advanced::Waiting => TurnEnd::Waiting,
        Advanced::Returned(outcome) => cursor.returned(outcome),
    };
    let (actions, _) = cursor.take_actions();
    let asked: Vec<_> = actions.iter().filter_map(recorded_of).collect();
    if asked != recorded {
        return Err(violation(format!("recorded {recorded:#?}, the replay asks for {asked:#?}")));
    }
    match (ended(turn), end) {
        (None, TurnEnd::Waiting) => Ok(()),
        (Some((Some(output), None)), TurnEnd::Completed(again)) if *output == again => Ok(()),
        (Some((None, Some(failure))), TurnEnd::Failed(again)) if *failure == again => Ok(()),
        (recorded, end) => Err(violation(format!("recorded the end {recorded:?}, the replay ends with {end:?}"))),
    }
}

/// Checks a whole history in the way in which a host is asked to.
pub(super) fn check_whole(row: &InstanceRow, history: Vec<Event>) -> Result<(), String> {
    let history = History::from_events(history).map_err(|illegal| illegal.to_string())?;
    let Some(recording) = Recording::of(history) else { return Ok(()) };
    let Ok(mut guest) = guest::guest(&row.name, app_of(row)) else { return Ok(()) };
    let cursor = Box::new(Cursor::new(identity(row), Limits::default(), recording.events().to_vec()));
    let (mut cursor, advanced) = guest.run(cursor);
    let end = match advanced {
        Advanced::Waiting => TurnEnd::Waiting,
        Advanced::Returned(outcome) => cursor.returned(outcome),
    };
    match recording.verdict(&cursor, &end) {
        Fit::Waits | Fit::Ends | Fit::EndedByHost { .. } => Ok(()),
        Fit::Departs(departure) => Err(departure.to_string()),
    }
}

fn identity(row: &InstanceRow) -> Identity {
    Identity {
        instance: row.id.clone(),
        execution: row.execution,
        name: row.name.clone(),
        parent: row.parent.clone(),
        version: row.options.version.clone(),
        tags: row.options.tags.clone(),
    }
}

fn app_of(row: &InstanceRow) -> &str {
    row.pinned_to.as_deref().unwrap_or(apps::FIRST)
}

type End<'a> = (Option<&'a orchestration::Json>, Option<&'a Failure>);

fn ended(turn: &[Event]) -> Option<End<'_>> {
    turn.iter().find_map(|event| {
        let EventKind::ExecutionCompleted { output, failure, .. } = &event.kind else { return None };
        Some((output.as_ref(), failure.as_ref()))
    })
}

/// An end that the author's code has no part in: a termination, or a guest that trapped too often.
fn is_from_outside(kind: &EventKind) -> bool {
    if let EventKind::ExecutionCompleted { failure: Some(failure), .. } = kind {
        return [Failure::ORCHESTRATOR_NOT_FOUND, "FunctionTrapped"].contains(&failure.error_type.as_str());
    }
    matches!(kind, EventKind::ExecutionTerminated { .. })
}

/// What the orchestrator is told, as opposed to what it asked for and what the engine noted behind that.
fn is_news(kind: &EventKind) -> bool {
    kind.action_id().is_none()
        && !matches!(kind, EventKind::OrchestratorCompleted | EventKind::ExecutionCompleted { .. })
}

/// An action with everything that a record of it has.
type Detailed = (RecordedAction, String);

fn recorded_of(action: &Action) -> Option<Detailed> {
    let kind = match action.clone() {
        Action::ScheduleTask { id, name, input, retry_of, timeouts, tags, .. } => {
            EventKind::TaskScheduled { id, name, input, retry_of, timeouts, tags }
        }
        Action::CreateSubOrchestration { id, name, instance_id, input, retry_of, detached, options } => {
            EventKind::SubOrchestrationInstanceCreated { id, name, instance_id, input, retry_of, detached, options }
        }
        Action::CreateTimer { id, fire_at, retry_of } => EventKind::TimerCreated { id, fire_at, retry_of },
        Action::SendEvent { id, instance_id, name, input } => EventKind::EventSent { id, instance_id, name, input },
        Action::CallEntity { id, entity, operation, input } => {
            EventKind::EntityOperationCalled { id, entity, operation, input }
        }
        Action::SignalEntity { id, entity, operation, input, deliver_at } => {
            EventKind::EntityOperationSignaled { id, entity, operation, input, deliver_at }
        }
        Action::LockEntities { id, entities } => EventKind::EntityLockRequested { id, entities },
        Action::UnlockEntities { id, section } => EventKind::EntityUnlockSent { id, section },
        Action::CancelTimer { .. } | Action::Abort { .. } => return None,
    };
    recorded_with_details(&Event { at: orchestration::Timestamp::default(), kind })
}

/// Due times and children's ids follow from the history too, although the core does not compare them.
fn recorded_with_details(event: &Event) -> Option<Detailed> {
    let action = RecordedAction::of_event(&event.kind)?;
    let mut detail = String::new();
    if let EventKind::SubOrchestrationInstanceCreated { instance_id, .. } = &event.kind {
        detail = instance_id.to_string();
    } else if let EventKind::TimerCreated { fire_at, .. } = &event.kind {
        detail = fire_at.to_string();
    } else if let EventKind::EntityOperationSignaled { deliver_at, .. } = &event.kind {
        detail = format!("{deliver_at:?}");
    }
    Some((action, detail))
}
