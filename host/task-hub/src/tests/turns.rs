//! Turns of orchestrations: one turn, handed in and looked at.

use super::clock::START;
use super::store::Done;
use super::world::{EXECUTION, World, after, first_turn, id, raise, row, start, trapped, turn};
use crate::Settings;
use orchestration::{
    Cursor, Event, EventId, Failure, FailureStrategy, InstanceRow, Json, MatchStrategy, MessageKind, Next, Origin,
    Parent, PresentApp, RuntimeStatus, StartOptions, VersionGate, transcript::transcript,
};
use ports::{Advanced, Clock, GuestFault, StoreError, TurnWork};
use std::sync::Arc;
use std::time::Duration;

/// The instance ended in failure without a word in its history: what is stored stays as it is.
fn check_set_aside(turns: u32, history: Result<Vec<Event>, StoreError>, expected: &str) {
    let world = World::new();
    *world.store.history.lock().unwrap() = history;
    let done = world.turn(turn(row(turns), vec![raise("go")]));
    let checkpoint = World::committed(&done);
    let failure = checkpoint.row.failure.as_ref().map(Failure::to_string);
    assert_eq!((checkpoint.row.status, failure.as_deref()), (RuntimeStatus::Failed, Some(expected)));
    assert_eq!((&checkpoint.record, &checkpoint.consumed[..]), (&None, &[Origin::Inbox(7)][..]));
}

fn corrupt() -> StoreError {
    StoreError::Corrupt { record: "history 'trip'/0".to_owned(), detail: "unexpected end".to_owned() }
}

#[test]
fn an_instance_whose_history_cannot_be_used_is_set_aside() {
    check_set_aside(1, Err(corrupt()), "CorruptHistory: the stored record history 'trip'/0 is corrupt: unexpected end");
    check_set_aside(
        2,
        Ok([first_turn(), first_turn()].concat()),
        "CorruptHistory: event 4 of the history, ExecutionStarted, cannot stand there: the execution has started before",
    );
    check_set_aside(2, Ok(first_turn()), "CorruptHistory: the row counts 2 turns, the history has 1");
}

fn abandoned(pause: Duration) -> Vec<Done> {
    vec![Done::Abandoned { not_before: START.saturating_add(pause) }]
}

fn first(failed_attempts: u32) -> TurnWork {
    TurnWork { failed_attempts, ..turn(row(0), vec![start()]) }
}

#[test]
fn a_store_that_is_unavailable_makes_nothing_of_an_instance() {
    let world = World::new();
    *world.store.history.lock().unwrap() = Err(StoreError::Unavailable { detail: "busy".to_owned() });
    assert_eq!(world.turn(turn(row(1), vec![raise("go")])), abandoned(Settings::TURN_RETRY_PAUSE));
}

#[test]
fn a_turn_that_traps_is_tried_again_after_a_pause_that_doubles() {
    for (failed_attempts, pauses) in [(0, 1), (1, 2)] {
        let world = World::with(|app| app.code = Arc::new(|_| Err(trapped())), |_| {});
        assert_eq!(world.turn(first(failed_attempts)), abandoned(Settings::TURN_RETRY_PAUSE * pauses));
    }
}

#[test]
fn the_last_attempt_that_traps_fails_the_instance() {
    let world = World::with(|app| app.code = Arc::new(|_| Err(trapped())), |_| {});
    check_failed(&world.turn(first(2)), "Failed FunctionTrapped: function 'Travel' trapped: unreachable");
}

#[test]
fn an_unknown_orchestrator_fails_at_once() {
    let fault =
        GuestFault::NotFound { kind: "orchestrator", name: "Travel".to_owned(), known: vec!["Other".to_owned()] };
    let world = World::with(|app| app.begin = Err(fault), |_| {});
    check_failed(
        &world.turn(first(0)),
        "Failed OrchestratorTaskNotFound: there is no orchestrator named 'Travel'; the app has: Other",
    );
}

#[test]
fn a_host_without_room_never_fails_an_instance() {
    let fault = GuestFault::Unavailable { function: "Travel".to_owned(), message: "no place".to_owned() };
    let world = World::with(|app| app.begin = Err(fault), |_| {});
    assert_eq!(world.turn(first(99)), abandoned(Settings::TURN_RETRY_PAUSE * 1024));
}

/// The instance ended in failure, and its history says so.
fn check_failed(done: &[Done], last_event: &str) {
    let checkpoint = World::committed(done);
    let record = checkpoint.record.as_ref().expect("the turn is recorded");
    let text = transcript(&record.events);
    let end = text.lines().rev().nth(1).expect("a turn has events");
    assert_eq!(end.split_whitespace().skip(2).collect::<Vec<_>>().join(" "), last_event);
    assert_eq!(checkpoint.row.status, RuntimeStatus::Failed);
    assert!(checkpoint.activities.is_empty());
}

#[test]
fn the_lease_is_kept_while_code_runs() {
    let slow = || World::with(|app| app.takes = Duration::from_secs(50), |_| {});
    let world = slow();
    let done = world.turn(first(0));
    assert_eq!(done[..1], [Done::Renewed { at: after(30) }]);
    assert!(world.hub.is_live(&World::committed(&done).row));

    let world = slow();
    *world.store.renewal.lock().unwrap() = Err(StoreError::LeaseLost { what: "it".to_owned() });
    let done = world.turn(first(0));
    assert!(matches!(done[..], [Done::Renewed { .. }, Done::Abandoned { .. }]), "nothing is committed: {done:?}");

    let world = slow();
    *world.store.revoked_at.lock().unwrap() = Some(after(10));
    let done = world.turn(first(0));
    assert!(matches!(done[..], [Done::Abandoned { .. }]), "nothing is committed: {done:?}");
    assert_eq!(world.clock.now(), after(10));
}

#[test]
fn a_limit_that_is_exceeded_fails_the_instance() {
    let chatty = World::with(
        |app| {
            app.code = Arc::new(|cursor| {
                cursor.set_custom_status(Some(Json::from("\"a long story\"")));
                Ok(Advanced::Waiting)
            });
        },
        |settings| settings.limits.max_custom_status_bytes = 4,
    );
    let done = chatty.turn(first(0));
    let failure = World::committed(&done).row.failure.as_ref().expect("it failed");
    assert_eq!(failure.error_type, Failure::LIMIT_EXCEEDED);
}

#[test]
fn an_instance_runs_on_the_app_that_it_is_pinned_to() {
    let world = World::new();
    *world.store.history.lock().unwrap() = Ok(first_turn());
    let pinned = InstanceRow { pinned_to: Some("old".to_owned()), ..row(1) };
    World::committed(&world.turn(turn(pinned, vec![raise("go")])));
    World::committed(&world.turn(turn(row(0), vec![start()])));
    assert_eq!(*world.app.begun.lock().unwrap(), [Some("old".to_owned()), None]);
}

fn suspend() -> MessageKind {
    MessageKind::ExecutionSuspended { reason: "wait".to_owned() }
}

fn resume() -> MessageKind {
    MessageKind::ExecutionResumed { reason: "go on".to_owned() }
}

#[test]
fn what_comes_before_the_start_is_recorded_without_running_code() {
    let world = World::new();
    for (message, status) in [(raise("early"), RuntimeStatus::Pending), (suspend(), RuntimeStatus::Suspended)] {
        let done = world.turn(turn(row(0), vec![message]));
        assert_eq!(World::committed(&done).row.status, status);
    }
    assert!(world.app.begun.lock().unwrap().is_empty());
}

/// Code that ends with the event that it waits for.
fn wait_for_news(cursor: &mut Cursor) -> Result<Advanced, GuestFault> {
    if cursor.open_tasks() == 0 {
        cursor.wait_for_event("news").expect("it may wait");
    }
    match cursor.next().expect("it keeps to its history") {
        Next::Waiting => Ok(Advanced::Waiting),
        Next::Completed(completion) => Ok(Advanced::Returned(completion.outcome)),
    }
}

#[test]
fn a_live_instance_hears_what_came_while_it_was_held() {
    let world = World::with(|app| app.code = Arc::new(wait_for_news), |_| {});
    let mut row = row(0);
    for (message, status) in [
        (start(), RuntimeStatus::Running),
        (suspend(), RuntimeStatus::Suspended),
        (raise("news"), RuntimeStatus::Suspended),
        (resume(), RuntimeStatus::Completed),
    ] {
        let done = world.turn(turn(row, vec![message]));
        row = World::committed(&done).row.clone();
        assert_eq!(row.status, status);
    }
    assert_eq!(world.app.begun.lock().unwrap().len(), 1, "one guest did all turns");
}

#[test]
fn a_live_instance_stays_so_while_it_is_held() {
    let world = World::new();
    let mut row = row(0);
    for (message, status) in [
        (start(), RuntimeStatus::Running),
        (suspend(), RuntimeStatus::Suspended),
        (raise("held back"), RuntimeStatus::Suspended),
        (resume(), RuntimeStatus::Running),
    ] {
        let done = world.turn(turn(row, vec![message]));
        row = World::committed(&done).row.clone();
        assert_eq!((row.status, world.hub.is_live(&row)), (status, true));
    }
    assert_eq!(world.app.begun.lock().unwrap().len(), 1, "one guest did all turns");
    assert_eq!((row.turns, row.execution), (4, EXECUTION));
}

#[test]
fn an_instance_that_ends_is_not_kept() {
    let world = World::with(|app| app.code = Arc::new(|_| Ok(Advanced::Returned(Ok(Json::from("1"))))), |_| {});
    let done = world.turn(first(0));
    let row = World::committed(&done).row.clone();
    assert_eq!((row.status, world.hub.is_live(&row)), (RuntimeStatus::Completed, false));
}

/// An instance of version 2.0, and an app of version 1.0 that does not run it.
fn gated(pinned_to: Option<&str>, failure: FailureStrategy, message: MessageKind) -> Vec<Done> {
    let world = World::with(
        |_| {},
        |settings| {
            settings.present = PresentApp { digest: Some("present".to_owned()), default_version: None };
            let worker = Some("1.0".to_owned());
            settings.version_gate = VersionGate { worker, strategy: MatchStrategy::CurrentOrOlder };
            settings.version_failure = failure;
        },
    );
    let options = StartOptions { version: Some("2.0".to_owned()), ..StartOptions::default() };
    let row = InstanceRow { options, pinned_to: pinned_to.map(str::to_owned), ..row(0) };
    world.turn(turn(row, vec![start(), message]))
}

#[test]
fn an_instance_of_another_version_waits_or_fails() {
    for pinned_to in [None, Some("present"), Some("older")] {
        let done = gated(pinned_to, FailureStrategy::Reject, raise("go"));
        assert_eq!(done, abandoned(Settings::VERSION_RETRY_PAUSE));
        let done = gated(pinned_to, FailureStrategy::Fail, raise("go"));
        let failure = World::committed(&done).row.failure.as_ref().expect("it failed");
        assert_eq!((failure.error_type.as_str(), failure.non_retriable), (Failure::VERSION_MISMATCH, true));
    }
}

/// The row of an instance that was created when another app was the present one, after its first turn.
fn begun(row: InstanceRow) -> InstanceRow {
    let present = PresentApp { digest: Some("present".to_owned()), default_version: None };
    let world = World::with(|_| {}, |settings| settings.present = present);
    let done = world.turn(turn(InstanceRow { pinned_to: Some("older".to_owned()), ..row }, vec![start()]));
    World::committed(&done).row.clone()
}

#[test]
fn an_instance_is_pinned_to_the_app_that_first_runs_it() {
    assert_eq!(begun(row(0)).pinned_to.as_deref(), Some("present"));
    let parent = Parent { instance: id("p"), execution: EXECUTION, name: "P".to_owned(), scheduled: EventId(0) };
    let child = InstanceRow { parent: Some(parent), ..row(0) };
    assert_eq!(begun(child).pinned_to.as_deref(), Some("older"), "a child belongs to its parent");
    let goes_on = InstanceRow { status: RuntimeStatus::Running, ..row(0) };
    assert_eq!(begun(goes_on).pinned_to.as_deref(), Some("older"), "continue-as-new keeps the app");
}

#[test]
fn an_instance_that_runs_on_another_app_passes_the_gate() {
    let world = World::with(
        |_| {},
        |settings| {
            settings.present = PresentApp { digest: Some("present".to_owned()), default_version: None };
            let worker = Some("1.0".to_owned());
            settings.version_gate = VersionGate { worker, strategy: MatchStrategy::Strict };
            settings.version_failure = FailureStrategy::Fail;
        },
    );
    *world.store.history.lock().unwrap() = Ok(first_turn());
    let options = StartOptions { version: Some("2.0".to_owned()), ..StartOptions::default() };
    let row = InstanceRow { options, pinned_to: Some("older".to_owned()), status: RuntimeStatus::Running, ..row(1) };
    let done = world.turn(turn(row, vec![raise("go")]));
    assert_eq!(World::committed(&done).row.status, RuntimeStatus::Running);
}

#[test]
fn an_instance_of_another_version_can_be_terminated() {
    let reason = Json::from("\"enough\"");
    let message = MessageKind::ExecutionTerminated { reason, recurse: false, by_parent: None };
    let done = gated(None, FailureStrategy::Reject, message);
    assert_eq!(World::committed(&done).row.status, RuntimeStatus::Terminated);
}

#[test]
fn a_stale_message_is_consumed_and_changes_nothing() {
    let world = World::new();
    *world.store.history.lock().unwrap() = Ok(first_turn());
    let done = world.turn(turn(row(1), vec![start()]));
    let checkpoint = World::committed(&done);
    assert_eq!((&checkpoint.record, checkpoint.consumed.len()), (&None, 1));
    assert_eq!(world.app.begun.lock().unwrap().len(), 0);
}
