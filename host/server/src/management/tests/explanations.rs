//! Explanations as callers see them: each hold and each wait once, and the sentence that sums it up.

use super::world::{World, entity, instance, minute};
use super::{broken, check_in};
use expect_test::{Expect, expect};
use orchestration::{EntityId, EventId, Failure, InstanceId, Json, RuntimeStatus};
use task_hub::{ActivityState, AwaitedEvents, Explanation, Hold, LastFailure, Progress, Wait};

fn of(status: RuntimeStatus) -> Explanation {
    Explanation {
        row: instance("t", status, 0).row,
        hold: None,
        waits: Vec::new(),
        awaited_events: AwaitedEvents::Known(Vec::new()),
        waits_since: minute(1),
        last_failure: None,
        next_retry: None,
        is_live: false,
        in_turn: false,
        history_events: 4,
        history_bytes: 210,
        history_problem: None,
        pending_messages: 0,
        scheduled_messages: Vec::new(),
        failed_turn_attempts: 0,
        locked_by: None,
    }
}

fn world(explanation: Explanation) -> World {
    World::explained(explanation)
}

fn check_summary(explanation: &Explanation, expected: &Expect) {
    expected.assert_eq(super::super::explain::shown(explanation).summary());
}

fn every_wait() -> Vec<Wait> {
    let (since, due) = (minute(1), minute(5));
    let seat = EntityId::parse("seat", "12A").expect("a good name");
    let progress = Progress { since, last_heartbeat: Some(minute(2)), details: Some(Json::from(r#"{"done": 3}"#)) };
    let activity = |id, state| Wait::Activity { id: EventId(id), name: "Book".to_owned(), attempt: 1, since, state };
    vec![
        activity(0, ActivityState::Queued),
        activity(1, ActivityState::Running(Some(progress))),
        activity(2, ActivityState::Running(None)),
        activity(3, ActivityState::Answered),
        Wait::Timer { id: EventId(4), due, since },
        Wait::Retry { id: EventId(5), name: "Book".to_owned(), attempt: 3, due, since },
        Wait::SubOrchestration {
            id: EventId(6),
            name: "Leg".to_owned(),
            instance: InstanceId::from_stored("t:6"),
            attempt: 2,
            since,
        },
        Wait::Entity { id: EventId(7), entity: seat.clone(), operation: "take".to_owned(), since },
        Wait::Lock { id: EventId(8), entities: vec![seat], since },
    ]
}

#[test]
fn everything_that_is_waited_for_is_shown() {
    let last = LastFailure { at: minute(1), name: "Book".to_owned(), failure: Failure::new("BookingError", "full") };
    let explanation = Explanation {
        waits: every_wait(),
        awaited_events: AwaitedEvents::Known(vec!["Approval".to_owned()]),
        last_failure: Some(last),
        is_live: true,
        scheduled_messages: vec![minute(9)],
        ..of(RuntimeStatus::Running)
    };
    check_in(
        world(explanation),
        "GET /instances/t/EXPLAIN",
        &expect![[r#"
        200 {"instanceId":"t","name":"Trip","runtimeStatus":"Running","summary":"Waits for the activity 'Book', which waits for a worker, and for 9 more.","executionId":"00000000000000000000000000000007","version":null,"pinnedTo":null,"residence":"Live","turns":0,"working":false,"failedTurnAttempts":0,"lastFailure":{"errorType":"BookingError","errorMessage":"full","isNonRetriable":false},"waitingMessages":0,"scheduledMessages":["2024-01-01T00:09:00.1230000Z"],"lockedBy":null,"history":{"events":4,"bytes":210},"waitingFor":[{"kind":"Activity","eventId":0,"name":"Book","instanceId":null,"since":"2024-01-01T00:01:00.1230000Z","dueAt":null,"running":false,"attempt":1,"lastFailure":null},
          {"kind":"Activity","eventId":1,"name":"Book","instanceId":null,"since":"2024-01-01T00:01:00.1230000Z","dueAt":null,"running":true,"attempt":1,"lastFailure":null,"lastHeartbeat":"2024-01-01T00:02:00.1230000Z","progress":{"done": 3}},
          {"kind":"Activity","eventId":2,"name":"Book","instanceId":null,"since":"2024-01-01T00:01:00.1230000Z","dueAt":null,"running":true,"attempt":1,"lastFailure":null},
          {"kind":"Activity","eventId":3,"name":"Book","instanceId":null,"since":"2024-01-01T00:01:00.1230000Z","dueAt":null,"running":false,"attempt":1,"lastFailure":null},
          {"kind":"Timer","eventId":4,"name":null,"instanceId":null,"since":"2024-01-01T00:01:00.1230000Z","dueAt":"2024-01-01T00:05:00.1230000Z","running":null,"attempt":null,"lastFailure":null},
          {"kind":"Retry","eventId":5,"name":"Book","instanceId":null,"since":"2024-01-01T00:01:00.1230000Z","dueAt":"2024-01-01T00:05:00.1230000Z","running":null,"attempt":3,"lastFailure":{"errorType":"BookingError","errorMessage":"full","isNonRetriable":false}},
          {"kind":"SubOrchestration","eventId":6,"name":"Leg","instanceId":"t:6","since":"2024-01-01T00:01:00.1230000Z","dueAt":null,"running":null,"attempt":2,"lastFailure":null},
          {"kind":"Entity","eventId":7,"name":"take","instanceId":"@seat@12A","since":"2024-01-01T00:01:00.1230000Z","dueAt":null,"running":null,"attempt":null,"lastFailure":null},
          {"kind":"Lock","eventId":8,"name":null,"instanceId":"@seat@12A","since":"2024-01-01T00:01:00.1230000Z","dueAt":null,"running":null,"attempt":null,"lastFailure":null},
          {"kind":"Event","eventId":null,"name":"Approval","instanceId":null,"since":"2024-01-01T00:01:00.1230000Z","dueAt":null,"running":null,"attempt":null,"lastFailure":null}]}"#]],
    );
}

#[test]
fn an_instance_that_ended_is_explained_by_its_end() {
    let failed = Explanation { history_problem: Some("it is corrupt".to_owned()), ..of(RuntimeStatus::Failed) };
    check_in(
        world(failed),
        "GET /instances/t/explain",
        &expect![[
            r#"200 {"instanceId":"t","name":"Trip","runtimeStatus":"Failed","summary":"Failed at 2024-01-01T00:01:00.1230000Z: BookingError: no seats left","executionId":"00000000000000000000000000000007","version":null,"pinnedTo":null,"residence":"Evicted","turns":0,"working":false,"failedTurnAttempts":0,"lastFailure":{"errorType":"BookingError","errorMessage":"no seats left","isNonRetriable":false},"waitingMessages":0,"scheduledMessages":[],"lockedBy":null,"history":{"events":4,"bytes":210,"problem":"it is corrupt"},"waitingFor":[]}"#
        ]],
    );
    check_summary(&of(RuntimeStatus::Completed), &expect!["Completed at 2024-01-01T00:01:00.1230000Z."]);
    check_summary(&of(RuntimeStatus::Terminated), &expect!["Terminated at 2024-01-01T00:01:00.1230000Z."]);
}

#[test]
fn what_holds_an_instance_is_shown() {
    let held = |hold, status| Explanation { hold: Some(hold), ..of(status) };
    let mismatch = Failure::new("VersionMismatch", "the version '2' is greater than the worker version '1'");
    let mut version = held(Hold::Version { mismatch }, RuntimeStatus::Pending);
    version.row.options.version = Some("2".to_owned());
    version.row.pinned_to = Some("abc".to_owned());
    check_in(
        world(version),
        "GET /instances/t/explain",
        &expect![[
            r#"200 {"instanceId":"t","name":"Trip","runtimeStatus":"Pending","summary":"Waits for an app that runs its version: the version '2' is greater than the worker version '1'","executionId":"00000000000000000000000000000007","version":"2","pinnedTo":"abc","residence":"Evicted","turns":0,"working":false,"failedTurnAttempts":0,"lastFailure":null,"waitingMessages":0,"scheduledMessages":[],"lockedBy":null,"history":{"events":4,"bytes":210},"waitingFor":[{"kind":"Version","eventId":null,"name":"2","instanceId":null,"since":null,"dueAt":null,"running":null,"attempt":null,"lastFailure":{"errorType":"VersionMismatch","errorMessage":"the version '2' is greater than the worker version '1'","isNonRetriable":false}}]}"#
        ]],
    );
    let scheduled = held(Hold::ScheduledStart { at: minute(60) }, RuntimeStatus::Pending);
    check_in(
        world(scheduled),
        "GET /instances/t/explain",
        &expect![[
            r#"200 {"instanceId":"t","name":"Trip","runtimeStatus":"Pending","summary":"Starts at 2024-01-01T01:00:00.1230000Z.","executionId":"00000000000000000000000000000007","version":null,"pinnedTo":null,"residence":"Evicted","turns":0,"working":false,"failedTurnAttempts":0,"lastFailure":null,"waitingMessages":0,"scheduledMessages":[],"lockedBy":null,"history":{"events":4,"bytes":210},"waitingFor":[{"kind":"Start","eventId":null,"name":null,"instanceId":null,"since":"2024-01-01T00:00:00.1230000Z","dueAt":"2024-01-01T01:00:00.1230000Z","running":null,"attempt":null,"lastFailure":null}]}"#
        ]],
    );
    check_summary(&held(Hold::NoTurnYet, RuntimeStatus::Pending), &expect!["Waits for its first turn."]);
    let suspended = |reason: &str| Hold::Suspended { since: Some(minute(3)), reason: reason.to_owned() };
    check_summary(
        &held(suspended("lunch"), RuntimeStatus::Suspended),
        &expect!["Suspended since 2024-01-01T00:03:00.1230000Z (lunch): only resume and terminate move it."],
    );
    check_summary(
        &held(suspended(""), RuntimeStatus::Suspended),
        &expect!["Suspended since 2024-01-01T00:03:00.1230000Z: only resume and terminate move it."],
    );
}

#[test]
fn the_most_telling_thing_is_said_first() {
    let running = || of(RuntimeStatus::Running);
    for wait in every_wait() {
        let said = super::super::explain::shown(&Explanation { waits: vec![wait], ..running() }).summary().to_owned();
        assert!(said.starts_with("Waits for "), "{said}");
    }
    check_summary(
        &Explanation { waits: every_wait(), ..running() },
        &expect!["Waits for the activity 'Book', which waits for a worker, and for 8 more."],
    );
    check_summary(
        &Explanation { pending_messages: 2, waits: every_wait(), ..running() },
        &expect!["Its next turn is about to begin: 2 messages wait for it."],
    );
    check_summary(
        &Explanation { in_turn: true, pending_messages: 2, ..running() },
        &expect!["A turn of it is running."],
    );
    check_summary(
        &Explanation { failed_turn_attempts: 2, in_turn: true, ..running() },
        &expect!["Its turn was tried 2 times in vain and is tried again; the host's log says why."],
    );
    check_summary(
        &Explanation { history_problem: Some("bad bytes".to_owned()), ..running() },
        &expect!["Cannot go on: its history cannot be read (bad bytes)."],
    );
    check_summary(
        &Explanation { awaited_events: AwaitedEvents::Unknown, ..running() },
        &expect!["Waits for something that is in no history, such as an external event."],
    );
    check_summary(
        &Explanation { awaited_events: AwaitedEvents::Known(vec!["Go".to_owned()]), ..running() },
        &expect!["Waits for the event 'Go'."],
    );
}

#[test]
fn entities_are_explained_too() {
    let row = entity("@seat@12A", Some("1"), 0).row;
    let idle = Explanation { row, ..of(RuntimeStatus::Running) };
    let owner = Some(InstanceId::from_stored("trip"));
    check_in(
        world(Explanation { locked_by: owner.clone(), ..idle.clone() }),
        "GET /instances/@seat@12A/explain",
        &expect![[
            r#"200 {"instanceId":"@seat@12A","name":"seat","runtimeStatus":"Running","summary":"Locked by trip.","executionId":null,"version":null,"pinnedTo":null,"residence":"Evicted","turns":0,"working":false,"failedTurnAttempts":0,"lastFailure":null,"waitingMessages":0,"scheduledMessages":[],"lockedBy":"trip","history":{"events":4,"bytes":210},"waitingFor":[]}"#
        ]],
    );
    check_summary(&idle, &expect!["Idle."]);
    check_summary(&Explanation { pending_messages: 3, ..idle.clone() }, &expect!["Has 3 messages to work on."]);
    check_summary(
        &Explanation { pending_messages: 3, locked_by: owner, ..idle },
        &expect!["Locked by trip; 3 messages wait for it."],
    );
}

#[test]
fn what_is_not_there_cannot_be_explained() {
    check_in(
        World::default(),
        "GET /instances/nobody/explain",
        &expect![[r#"404 {"Message":"No instance with ID 'nobody' was found."}"#]],
    );
    check_in(
        broken(),
        "GET /instances/t/explain",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}
