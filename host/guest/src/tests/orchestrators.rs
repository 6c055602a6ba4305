//! The orchestrator's sandbox: what is the same on every replay, what traps, and how a turn is limited.

use super::fixtures::{app, app_in, runtime_with, small_settings, stable};
use super::world::{Between, World, identity};
use crate::{App, GuestSettings};
use expect_test::{Expect, expect};
use orchestration::{
    Cursor, Event, EventId, EventKind, ExecutionId, ExecutionStarted, InstanceId, InstanceRow, Json, Limits, Tags,
    Timeouts, Timestamp,
};
use ports::{Advanced, GuestFault, Orchestrator, Orchestrators};
use std::time::Duration;

fn event(seconds: i64, kind: EventKind) -> Event {
    Event { at: Timestamp::from_unix_ms(seconds * 1000), kind }
}

fn cursor(orchestrator: &str, input: &str, past: Vec<Event>) -> Box<Cursor> {
    let id = InstanceId::from_stored("trip-1");
    let row = InstanceRow::new(id, ExecutionId::from_random(42), orchestrator.to_owned(), Timestamp::default());
    let mut cursor = Box::new(Cursor::new(identity(&row), Limits::default(), past));
    if !cursor.is_replaying() {
        cursor.feed(started(orchestrator, input));
    }
    cursor
}

fn started(orchestrator: &str, input: &str) -> Vec<Event> {
    let started = ExecutionStarted::new(orchestrator, Json::from(input), ExecutionId::from_random(42));
    vec![
        event(1_700_000_000, EventKind::OrchestratorStarted),
        event(1_700_000_000, EventKind::ExecutionStarted(Box::new(started))),
    ]
}

async fn first_turn(
    app: &App,
    orchestrator: &str,
    input: &str,
) -> (Box<dyn Orchestrator>, Box<Cursor>, Result<Advanced, GuestFault>) {
    let mut guest = app.begin(orchestrator, None).await.expect("a guest");
    let (cursor, advanced) = guest.advance(cursor(orchestrator, input, Vec::new())).await;
    (guest, cursor, advanced)
}

/// The fault of an orchestrator's first turn.
async fn check(guest: &str, orchestrator: &str, expected: Expect) {
    let app = app(guest).await;
    let (_, _, advanced) = first_turn(&app, orchestrator, "null").await;
    expected.assert_eq(&stable(&advanced.expect_err("a fault")));
}

#[tokio::test]
async fn what_only_invocations_may_do_traps() {
    check("noisy-neighbours", "CallTheClient", expect!["function 'CallTheClient' trapped: an orchestrator must not use the durable client; call a sub-orchestrator, or call an activity that uses the client"]).await;
    check("noisy-neighbours", "SleepOnTheThread", expect!["function 'SleepOnTheThread' trapped: an orchestrator must not block or sleep; wait for a durable timer (ctx.sleep), an external event or another task of its context, and do everything else in an activity"]).await;
    check("sandbox-probe", "SendARequest", expect!["function 'SendARequest' trapped: an orchestrator must not send HTTP requests; let its context send it durably (ctx.call_http), or call an activity that sends it"]).await;
}

#[tokio::test]
async fn there_is_no_world_around_an_orchestrator() {
    let app = app("sandbox-probe").await;
    let row = World::new(&app, Between::Rebuild).run("LookAround", "null").await;
    let seen: String = serde_json::from_str(row.output.expect("an output").as_str()).expect("a text");
    expect![[r#"
        files: Err(NotFound)
        network: Err(PermissionDenied)
        real clock: true
        after the work: 0ns
        after the timer: 61.234s
    "#]]
    .assert_eq(&seen);
}

#[tokio::test]
async fn observations_follow_from_who_runs_and_when() {
    let app = app("noisy-neighbours").await;
    let mut outputs = Vec::new();
    for between in [Between::KeepAlive, Between::Rebuild] {
        let mut world = World::new(&app, between);
        outputs.push(world.run("Deterministic", "2").await.output.expect("an output"));
    }
    assert_eq!(outputs[0], outputs[1]);
    // The clock and the seeds are part of the behaviour of every history on disk: they must not change by themselves.
    let observations: serde_json::Value = serde_json::from_str(outputs[0].as_str()).expect("JSON");
    expect![[r#"
        {
          "guid": "8e76596d-f222-56aa-9085-75edb03bb7c3",
          "hashMapOrder": [
            5,
            2,
            4,
            1,
            10,
            14,
            9,
            15,
            3,
            7,
            0,
            13,
            8,
            11,
            6,
            12
          ],
          "randomNumber": 6686158418357180388,
          "turnBegan": "2023-11-14T22:13:21.234Z",
          "wallClockNanos": 1700000001234000000
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&observations[0]).expect("JSON"));
    assert_ne!(observations[0]["wallClockNanos"], observations[1]["wallClockNanos"], "time goes on between turns");
    assert_ne!(observations[0]["guid"], observations[1]["guid"]);
}

#[tokio::test]
async fn a_turn_that_never_ends_is_stopped() {
    let settings = GuestSettings { turn_timeout: Duration::from_millis(200), ..small_settings() };
    let app = app_in(&runtime_with(settings), "noisy-neighbours").await;
    let (mut guest, mut cursor, advanced) = first_turn(&app, "MisbehaveMidway", r#""loop""#).await;
    assert_eq!(advanced, Ok(Advanced::Waiting));
    cursor.feed(completed(0));
    let (cursor, advanced) = guest.advance(cursor).await;
    let fault = advanced.expect_err("a fault");
    expect!["function 'MisbehaveMidway' exceeded its time limit of 200 ms and was stopped; raise host.durableTask.orchestratorTurnTimeout"].assert_eq(&fault.to_string());
    let (_, again) = guest.advance(cursor).await;
    expect!["function 'MisbehaveMidway' trapped: it has ended, or was stopped in the middle of a turn; begin it anew"]
        .assert_eq(&again.expect_err("it is spent").to_string());
}

fn completed(scheduled: u32) -> [Event; 2] {
    let seconds = 1_700_000_001 + i64::from(scheduled);
    let done = EventKind::TaskCompleted { scheduled: EventId(scheduled), result: Json::from(scheduled.to_string()) };
    [event(seconds, EventKind::OrchestratorStarted), event(seconds, done)]
}

/// Waiting does not count: the deadline is that of a turn. Between the turns here, another guest computes until its own
/// turn has taken too long, and they have the same limit.
#[tokio::test]
async fn waiting_longer_than_a_turn_may_take_does_no_harm() {
    let settings = GuestSettings { turn_timeout: GuestSettings::TICK * 3, ..small_settings() };
    let runtime = runtime_with(settings);
    let noisy = app_in(&runtime, "noisy-neighbours").await;
    let bench = app_in(&runtime, "bench-functions").await;
    let (mut guest, mut cursor, advanced) = first_turn(&bench, "Chain", "4").await;
    assert_eq!(advanced, Ok(Advanced::Waiting));
    for step in 0..4 {
        let (mut other, mut others, _) = first_turn(&noisy, "MisbehaveMidway", r#""loop""#).await;
        others.feed(completed(0));
        let (_, advanced) = other.advance(others).await;
        assert!(matches!(advanced, Err(GuestFault::TimedOut { .. })), "{advanced:?}");

        cursor.feed(completed(step));
        let (back, advanced) = guest.advance(cursor).await;
        cursor = back;
        let expected = if step < 3 { Advanced::Waiting } else { Advanced::Returned(Ok(Json::from("4"))) };
        assert_eq!(advanced, Ok(expected));
    }
}

#[tokio::test]
async fn a_departure_from_the_history_stops_the_guest() {
    let app = app("bench-functions").await;
    let mut past = started("Chain", "3");
    past.push(event(
        1_700_000_000,
        EventKind::TaskScheduled {
            id: EventId(0),
            name: "SomethingElse".to_owned(),
            input: Json::from("0"),
            retry_of: None,
            timeouts: Timeouts::default(),
            tags: Tags::new(),
        },
    ));
    past.push(event(1_700_000_000, EventKind::OrchestratorCompleted));
    let mut guest = app.begin("Chain", None).await.expect("a guest");
    let identity = cursor("Chain", "3", Vec::new()).identity().clone();
    let (cursor, advanced) = guest.advance(Box::new(Cursor::new(identity, Limits::default(), past))).await;
    assert!(advanced.is_err());
    let stopped = cursor.stopped().expect("the cursor says why");
    expect!["Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'SomethingElse', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'Echo' (event 2 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again"].assert_eq(&stopped.to_string());
}

#[tokio::test]
async fn a_guest_whose_turn_was_dropped_is_not_used_again() {
    let app = app("noisy-neighbours").await;
    let (mut guest, mut first, _) = first_turn(&app, "MisbehaveMidway", r#""loop""#).await;
    first.feed(completed(0));
    let endless = guest.advance(first);
    assert!(tokio::time::timeout(GuestSettings::TICK * 3, endless).await.is_err(), "it takes three seconds");
    let (_, advanced) = guest.advance(cursor("MisbehaveMidway", r#""loop""#, Vec::new())).await;
    assert!(matches!(advanced, Err(GuestFault::Trapped { .. })), "{advanced:?}");
}

#[tokio::test]
async fn guests_say_what_they_hold_and_give_it_back() {
    let settings = GuestSettings { orchestrator_slots: 2, ..small_settings() };
    let app = app_in(&runtime_with(settings), "bench-functions").await;
    for _ in 0..10 {
        let mut guests = Vec::new();
        for _ in 0..5 {
            let (guest, _, advanced) = first_turn(&app, "FanOut", "10").await;
            assert_eq!(advanced, Ok(Advanced::Waiting));
            assert!((1 << 16..32 << 20).contains(&guest.memory_bytes()), "{}", guest.memory_bytes());
            guests.push(guest);
        }
    }
}

#[tokio::test]
async fn names_are_sorted_and_unknown_ones_are_told() {
    let app = app("bench-functions").await;
    assert_eq!(Orchestrators::names(&app), ["Chain", "FanOut", "Sleep"]);
    let fault = app.begin("Chains", None).await.err().expect("a fault");
    expect!["there is no orchestrator named 'Chains'; the app has: Chain, FanOut, Sleep"].assert_eq(&fault.to_string());
}

#[tokio::test]
async fn an_orchestrator_of_another_version_is_refused() {
    let app = app("bench-functions").await;
    assert!(app.begin("Chain", Some(app.digest())).await.is_ok());
    let fault = app.begin("Chain", Some("an older one")).await.err().expect("a fault");
    assert!(matches!(fault, GuestFault::Unavailable { .. }), "{fault}");
}
