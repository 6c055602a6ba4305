//! Explanations: what an instance waits for, and why it does not run.

use super::world::{App, EXECUTION, World, after, events, id, raise, row, start, started, turn};
use crate::{ActivityState, AwaitedEvents, Explanation, Hold, LastFailure, NextRetry, Progress, Settings, Wait};
use orchestration::{
    EntityId, EntityLock, EntityRecord, Event, EventId, EventKind, Failure, InstanceRow, Json, MatchStrategy,
    RuntimeStatus, Section, StartOptions, Tags, Timeouts, VersionGate,
};
use ports::{Advanced, ClientError, Pending, PendingActivity, StoreError};
use std::sync::Arc;

fn explain(world: &World) -> Explanation {
    world.clock.run(world.hub.explain("trip")).expect("it is there")
}

fn scheduled(id: u32, name: &str, retry_of: Option<u32>) -> EventKind {
    let (timeouts, tags) = (Timeouts::default(), Tags::new());
    let (id, retry_of) = (EventId(id), retry_of.map(EventId));
    EventKind::TaskScheduled { id, name: name.to_owned(), input: Json::null(), retry_of, timeouts, tags }
}

fn timer(id: u32, second: u64, retry_of: Option<u32>) -> EventKind {
    EventKind::TimerCreated { id: EventId(id), fire_at: after(second), retry_of: retry_of.map(EventId) }
}

fn failed(scheduled: u32) -> EventKind {
    EventKind::TaskFailed { scheduled: EventId(scheduled), failure: Failure::new("E", "no") }
}

fn entity() -> EntityId {
    EntityId::parse("Counter", "a").unwrap()
}

/// An instance with this history, at the end of one turn.
fn world(kinds: Vec<EventKind>, pending: Pending) -> World {
    let world = World::new();
    let begin = [EventKind::OrchestratorStarted, EventKind::ExecutionStarted(started())];
    *world.store.history.lock().unwrap() = Ok(events(begin.into_iter().chain(kinds)));
    *world.store.pending.lock().unwrap() = Some(pending);
    world.store.put(row(1));
    world
}

#[test]
fn every_kind_of_request_is_shown() {
    let children = EventKind::SubOrchestrationInstanceCreated {
        id: EventId(2),
        name: "Child".to_owned(),
        instance_id: id("kid"),
        input: Json::null(),
        retry_of: None,
        detached: false,
        options: StartOptions::default(),
    };
    let (input, operation) = (Json::null(), "get".to_owned());
    let world = world(
        vec![
            scheduled(0, "Book", None),
            timer(1, 60, None),
            children,
            EventKind::EntityOperationCalled { id: EventId(3), entity: entity(), operation, input },
            EventKind::EntityLockRequested { id: EventId(4), entities: vec![entity()] },
        ],
        Pending {
            activities: vec![PendingActivity { id: EventId(0), running: false }],
            timers: vec![(EventId(1), after(60))],
            messages: 2,
            scheduled: vec![after(9)],
            failed_attempts: 1,
            leased: true,
        },
    );
    let explained = explain(&world);
    let (since, name) = (after(0), |name: &str| name.to_owned());
    let expected = [
        Wait::Activity { id: EventId(0), name: name("Book"), attempt: 1, since, state: ActivityState::Queued },
        Wait::Timer { id: EventId(1), due: after(60), since },
        Wait::SubOrchestration { id: EventId(2), name: name("Child"), instance: id("kid"), attempt: 1, since },
        Wait::Entity { id: EventId(3), entity: entity(), operation: name("get"), since },
        Wait::Lock { id: EventId(4), entities: vec![entity()], since },
    ];
    assert_eq!(explained.waits, expected);
    assert_eq!((explained.history_events, explained.history_bytes > 200), (7, true));
    assert_eq!((explained.pending_messages, explained.failed_turn_attempts, explained.in_turn), (2, 1, true));
    assert_eq!((explained.scheduled_messages.as_slice(), explained.hold), (&[after(9)][..], None));
    assert_eq!((explained.is_live, explained.awaited_events), (false, AwaitedEvents::Unknown));
}

#[test]
fn a_pause_before_a_retry_says_what_comes_next() {
    let kinds = vec![scheduled(0, "Book", None), failed(0), timer(1, 30, Some(0))];
    let explained = explain(&world(kinds, Pending { timers: vec![(EventId(1), after(30))], ..Pending::default() }));
    let (name, at) = ("Book".to_owned(), after(30));
    assert_eq!(explained.next_retry, Some(NextRetry { name: name.clone(), at, attempt: 2 }));
    let (since, failure) = (after(0), Failure::new("E", "no"));
    assert_eq!(explained.waits, [Wait::Retry { id: EventId(1), name: name.clone(), attempt: 2, due: at, since }]);
    assert_eq!(explained.last_failure, Some(LastFailure { at: since, name, failure }));
}

#[test]
fn a_try_that_runs_says_which_it_is() {
    let fired = EventKind::TimerFired { timer: EventId(1), fire_at: after(0) };
    let kinds = vec![scheduled(0, "Book", None), failed(0), timer(1, 0, Some(0)), fired, scheduled(2, "Book", Some(0))];
    let running = PendingActivity { id: EventId(2), running: true };
    let world = world(kinds, Pending { activities: vec![running], ..Pending::default() });
    let run = world.hub.inner.running.begin((EXECUTION, EventId(2)), Arc::new(world.clock.clone()));
    run.heartbeat().beat(Some(Json::from("\"half\"")));
    let progress = Progress { since: after(0), last_heartbeat: Some(after(0)), details: Some(Json::from("\"half\"")) };
    let (name, state) = ("Book".to_owned(), ActivityState::Running(Some(progress)));
    let expected = [Wait::Activity { id: EventId(2), name, attempt: 2, since: after(0), state }];
    assert_eq!(explain(&world).waits, expected);
    drop(run);
    let Wait::Activity { state, .. } = &explain(&world).waits[0] else { panic!("it is an activity") };
    assert_eq!(*state, ActivityState::Running(None), "it runs in another process");
}

#[test]
fn what_the_store_does_not_hold_is_on_its_way() {
    let world = world(vec![scheduled(0, "Book", None), timer(1, 60, None)], Pending::default());
    let (name, since) = ("Book".to_owned(), after(0));
    let state = ActivityState::Answered;
    assert_eq!(explain(&world).waits, [Wait::Activity { id: EventId(0), name, attempt: 1, since, state }]);
}

#[test]
fn a_live_instance_tells_its_external_events() {
    let wait = |app: &mut App| {
        app.code = Arc::new(|cursor| {
            for name in ["Paid", "cancelled", "Paid"] {
                cursor.wait_for_event(name).expect("it may wait");
            }
            super::world::walk(cursor)?;
            Ok(Advanced::Waiting)
        });
    };
    let world = World::with(wait, |_| {});
    let done = world.turn(turn(row(0), vec![start(), raise("paid")]));
    world.store.put(World::committed(&done).row.clone());
    let explained = explain(&world);
    let expected = ["cancelled", "Paid"].map(str::to_owned).to_vec();
    assert_eq!((explained.is_live, explained.awaited_events), (true, AwaitedEvents::Known(expected)));
}

fn hold(row: InstanceRow, settings: impl FnOnce(&mut Settings)) -> Option<Hold> {
    let world = World::with(|_| {}, settings);
    let reason = "lunch".to_owned();
    let held = Event { at: after(5), kind: EventKind::ExecutionSuspended { reason } };
    *world.store.history.lock().unwrap() = Ok(vec![held]);
    world.store.put(row);
    explain(&world).hold
}

#[test]
fn what_does_not_run_says_why() {
    let at = |second| StartOptions { start_at: Some(after(second)), ..StartOptions::default() };
    assert_eq!(hold(row(0), |_| {}), Some(Hold::NoTurnYet));
    assert_eq!(hold(row(1), |_| {}), None);
    let later = InstanceRow { options: at(60), ..row(0) };
    assert_eq!(hold(later, |_| {}), Some(Hold::ScheduledStart { at: after(60) }));
    let due = InstanceRow { options: at(0), ..row(0) };
    assert_eq!(hold(due, |_| {}), Some(Hold::NoTurnYet));
    let suspended = InstanceRow { status: RuntimeStatus::Suspended, ..row(1) };
    let expected = Hold::Suspended { since: Some(after(5)), reason: "lunch".to_owned() };
    assert_eq!(hold(suspended, |_| {}), Some(expected));
    let strict = |settings: &mut Settings| {
        settings.version_gate = VersionGate { worker: Some("2".to_owned()), strategy: MatchStrategy::Strict };
    };
    let Some(Hold::Version { mismatch }) = hold(row(0), strict) else { panic!("another version runs") };
    assert_eq!(mismatch.error_type, Failure::VERSION_MISMATCH);
}

#[test]
fn an_ended_instance_waits_for_nothing() {
    let world = world(vec![scheduled(0, "Book", None)], Pending::default());
    world.store.put(InstanceRow { status: RuntimeStatus::Terminated, ..row(1) });
    let explained = explain(&world);
    assert_eq!((explained.waits, explained.hold), (Vec::new(), None));
    assert_eq!(explained.awaited_events, AwaitedEvents::Known(Vec::new()));
}

#[test]
fn a_corrupt_history_is_part_of_the_explanation() {
    let world = world(Vec::new(), Pending::default());
    let (record, detail) = ("history 'trip'/0".to_owned(), "unexpected end".to_owned());
    *world.store.history.lock().unwrap() = Err(StoreError::Corrupt { record, detail });
    let problem = explain(&world).history_problem;
    assert_eq!(problem.as_deref(), Some("the stored record history 'trip'/0 is corrupt: unexpected end"));
}

#[test]
fn an_entity_says_who_has_locked_it() {
    let world = World::new();
    let section = Section { execution: EXECUTION, scheduled: EventId(3) };
    let record = EntityRecord { lock: Some(EntityLock { owner: id("trip"), section }), ..EntityRecord::default() };
    let row = InstanceRow::new_entity(entity().instance_id(), after(0));
    world.store.put(InstanceRow { entity: Some(Box::new(record)), ..row });
    let explained = world.clock.run(world.hub.explain("@counter@a")).expect("it is there");
    assert_eq!((explained.locked_by, explained.waits, explained.hold), (Some(id("trip")), Vec::new(), None));
}

#[test]
fn an_unknown_instance_is_not_explained() {
    let world = World::new();
    let answer = world.clock.run(world.hub.explain("trip"));
    assert_eq!(answer, Err(ClientError::NotFound("trip".to_owned())));
}
