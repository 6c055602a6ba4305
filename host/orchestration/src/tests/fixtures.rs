//! Single values to begin with: events, rows, a cursor.

use super::world::BEGIN;
use crate::{
    Action, ActivityCall, Cursor, EntityId, Event, EventId, EventKind, ExecutionId, ExecutionStarted, History,
    HttpCall, Identity, InstanceId, InstanceRow, Json, Limits, MessageKind, RaisedEvent, RetryPolicy, RuntimeStatus,
    StartOptions, SubOrchestrationCall, Tags, Timeouts, Timestamp,
};

/// The execution that all of these belong to.
pub(super) const EXECUTION: ExecutionId = ExecutionId::from_random(1);

pub(super) fn event(kind: EventKind) -> Event {
    Event { at: BEGIN, kind }
}

pub(super) fn started(input: &str) -> ExecutionStarted {
    ExecutionStarted::new("Main", input.into(), EXECUTION)
}

/// The first events of a first turn.
pub(super) fn begin(input: &str) -> Vec<Event> {
    vec![event(EventKind::OrchestratorStarted), event(EventKind::ExecutionStarted(Box::new(started(input))))]
}

pub(super) fn cursor(instance: &str, past: Vec<Event>) -> Cursor {
    Cursor::new(identity(instance), Limits::default(), past)
}

pub(super) fn activity(id: u32) -> EventKind {
    scheduled(id, "Work", "1")
}

pub(super) fn child(id: u32) -> EventKind {
    let instance_id = InstanceId::parse("kid").unwrap();
    EventKind::SubOrchestrationInstanceCreated {
        id: EventId(id),
        name: "Child".to_owned(),
        instance_id,
        input: "1".into(),
        retry_of: None,
        detached: false,
        options: StartOptions::default(),
    }
}

pub(super) fn timer(id: u32) -> EventKind {
    EventKind::TimerCreated { id: EventId(id), fire_at: BEGIN, retry_of: None }
}

/// The entity `@account@1` is asked to add 1.
pub(super) fn entity(id: u32) -> EventKind {
    EventKind::EntityOperationCalled {
        id: EventId(id),
        entity: account("1"),
        operation: "add".to_owned(),
        input: "1".into(),
    }
}

/// The entity `@account@1` is to be locked.
pub(super) fn lock(id: u32) -> EventKind {
    EventKind::EntityLockRequested { id: EventId(id), entities: vec![account("1")] }
}

pub(super) fn account(key: &str) -> EntityId {
    EntityId::parse("account", key).unwrap()
}

/// A first turn with these events behind its start.
pub(super) fn first_turn(kinds: impl IntoIterator<Item = EventKind>) -> History {
    let kinds = kinds.into_iter().chain([EventKind::OrchestratorCompleted]);
    History::from_events(begin("0").into_iter().chain(kinds.map(event)).collect()).unwrap()
}

/// The row of the instance `main` in some status.
pub(super) fn row(status: RuntimeStatus) -> InstanceRow {
    let id = InstanceId::parse("main").unwrap();
    InstanceRow { status, ..InstanceRow::new(id, EXECUTION, "Main".to_owned(), BEGIN) }
}

/// Who runs as `Main`.
pub(super) fn identity(instance: &str) -> Identity {
    Identity {
        instance: InstanceId::parse(instance).unwrap(),
        execution: EXECUTION,
        name: "Main".to_owned(),
        parent: None,
        version: None,
        tags: Tags::new(),
    }
}

pub(super) fn scheduled(id: u32, name: &str, input: &str) -> EventKind {
    EventKind::TaskScheduled {
        id: EventId(id),
        name: name.to_owned(),
        input: input.into(),
        retry_of: None,
        timeouts: Timeouts::default(),
        tags: Tags::new(),
    }
}

/// An event without an id.
pub(super) fn raised(name: &str, input: &str) -> RaisedEvent {
    RaisedEvent { name: name.to_owned(), input: input.into(), id: None }
}

/// A demand to terminate that says nothing about children.
pub(super) fn terminate(reason: &str) -> MessageKind {
    MessageKind::ExecutionTerminated { reason: reason.into(), recurse: false, by_parent: None }
}

/// A call with nothing but the essentials.
pub(super) fn activity_call(name: &str, input: &str, retry: Option<RetryPolicy>) -> ActivityCall {
    let (timeouts, tags) = (Timeouts::default(), Tags::new());
    ActivityCall { name: name.to_owned(), input: Json::from(input), retry, timeouts, tags }
}

/// A call with nothing but the essentials.
pub(super) fn child_call(
    name: &str,
    input: &str,
    id: Option<&str>,
    retry: Option<RetryPolicy>,
) -> SubOrchestrationCall {
    SubOrchestrationCall {
        name: name.to_owned(),
        input: Json::from(input),
        instance_id: id.map(str::to_owned),
        options: StartOptions::default(),
        retry,
    }
}

/// An activity `Work(1)` as an action.
pub(super) fn schedule_task(id: u32, attempt: u32) -> Action {
    Action::ScheduleTask {
        id: EventId(id),
        name: "Work".to_owned(),
        input: "1".into(),
        attempt,
        retry_of: None,
        timeouts: Timeouts::default(),
        tags: Tags::new(),
    }
}

/// A child `Work(1)` as an action.
pub(super) fn create_child(id: u32, instance_id: InstanceId) -> Action {
    Action::CreateSubOrchestration {
        id: EventId(id),
        name: "Work".to_owned(),
        instance_id,
        input: "1".into(),
        retry_of: None,
        detached: false,
        options: StartOptions::default(),
    }
}

pub(super) fn create_timer(id: u32, fire_at: Timestamp) -> Action {
    Action::CreateTimer { id: EventId(id), fire_at, retry_of: None }
}

/// A GET that polls where it is accepted.
pub(super) fn http_call(url: &str, retry: Option<RetryPolicy>) -> HttpCall {
    HttpCall {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        content: None,
        follow_accepted: true,
        retry,
        retry_on_status: Vec::new(),
        timeout: None,
    }
}
