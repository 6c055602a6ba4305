//! Single values to begin with: events, rows, a cursor.

use super::world::{BEGIN, pending};
use crate::{
    Cursor, Event, EventId, EventKind, ExecutionId, ExecutionStarted, History, Identity, InstanceId, InstanceRow,
    Limits, RuntimeStatus,
};

/// The execution that all of these belong to.
pub(super) const EXECUTION: ExecutionId = ExecutionId::from_random(1);

pub(super) fn event(kind: EventKind) -> Event {
    Event { at: BEGIN, kind }
}

pub(super) fn started(input: &str) -> ExecutionStarted {
    ExecutionStarted { name: "Main".to_owned(), input: input.into(), execution: EXECUTION, parent: None }
}

/// The first events of a first turn.
pub(super) fn begin(input: &str) -> Vec<Event> {
    vec![event(EventKind::OrchestratorStarted), event(EventKind::ExecutionStarted(Box::new(started(input))))]
}

pub(super) fn cursor(instance: &str, past: Vec<Event>) -> Cursor {
    let instance = InstanceId::parse(instance).unwrap();
    let identity = Identity { instance, execution: EXECUTION, name: "Main".to_owned(), parent: None };
    Cursor::new(identity, Limits::default(), past)
}

pub(super) fn activity(id: u32) -> EventKind {
    EventKind::TaskScheduled { id: EventId(id), name: "Work".to_owned(), input: "1".into() }
}

pub(super) fn child(id: u32) -> EventKind {
    let instance_id = InstanceId::parse("kid").unwrap();
    EventKind::SubOrchestrationInstanceCreated {
        id: EventId(id),
        name: "Child".to_owned(),
        instance_id,
        input: "1".into(),
    }
}

pub(super) fn timer(id: u32) -> EventKind {
    EventKind::TimerCreated { id: EventId(id), fire_at: BEGIN }
}

/// A first turn with these events behind its start.
pub(super) fn first_turn(kinds: impl IntoIterator<Item = EventKind>) -> History {
    let kinds = kinds.into_iter().chain([EventKind::OrchestratorCompleted]);
    History::from_events(begin("0").into_iter().chain(kinds.map(event)).collect()).unwrap()
}

/// The row of the instance `main` in some status.
pub(super) fn row(status: RuntimeStatus) -> InstanceRow {
    InstanceRow { status, ..pending(&InstanceId::parse("main").unwrap(), &started("0"), BEGIN) }
}
