//! Entities: what a batch is given and gives back, and what a bad one comes to.

use super::fixtures::{app, app_in, runtime_with, small_settings, stable};
use crate::{App, GuestSettings};
use expect_test::{Expect, expect};
use orchestration::{EntityId, EntityOperation, InstanceId, Json, Timestamp};
use ports::{Entities as _, EntityBatch};
use std::time::Duration;

fn batch(name: &str, state: Option<&str>, operations: &[(&str, &str)]) -> EntityBatch {
    let operation = |(number, (name, input)): (usize, &(&str, &str))| EntityOperation {
        name: (*name).to_owned(),
        input: Json::from(*input),
        request: format!("request-{number}"),
        is_signal: number > 0,
        caller: (number == 0).then(|| InstanceId::from_stored("trip-1")),
    };
    EntityBatch {
        invocation_id: "call-1".to_owned(),
        entity: EntityId::parse(name, "A").expect("a good id"),
        state: state.map(Json::from),
        operations: operations.iter().enumerate().map(operation).collect(),
        roll_back: true,
        now: Timestamp::from_unix_ms(1_700_000_000_000),
    }
}

async fn outcome(app: &App, batch: EntityBatch) -> String {
    let outcome = match app.run(batch).await {
        Ok(outcome) => outcome,
        Err(fault) => return format!("{}: {}", fault.error_type(), stable(&fault)),
    };
    let mut lines = vec![format!("state {:?}", outcome.state)];
    lines.extend(outcome.results.iter().map(|result| match result {
        Ok(result) => format!("returned {result}"),
        Err(failure) => format!("failed {failure}"),
    }));
    lines.extend(outcome.actions.iter().map(|action| format!("{action:?}")));
    lines.join("\n")
}

async fn check(state: Option<&str>, operations: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&outcome(&app("contract-probe").await, batch("Counter", state, operations)).await);
}

#[tokio::test]
async fn operations_run_in_order_on_the_state() {
    check(
        None,
        &[("add", "5"), ("add", "7"), ("get", "null")],
        expect![[r#"
        state Some(12)
        returned 5
        returned 12
        returned 12"#]],
    )
    .await;
    check(
        Some("3"),
        &[("fail", "null"), ("add", "1")],
        expect![[r#"
        state Some(4)
        failed Refused: as you wish
        returned 4"#]],
    )
    .await;
    check(
        Some("3"),
        &[("delete", "null")],
        expect![[r#"
        state None
        returned null"#]],
    )
    .await;
}

#[tokio::test]
async fn all_of_the_batch_is_told() {
    check(Some("3"), &[("look", "1"), ("look", "2")], expect![[r#"
        state Some(3)
        returned "EntityId { name: 'counter', key: 'A' } Some('3') true 17000000000000000 Operation { name: 'look', input: '1', request-id: 'request-0', is-signal: false, caller: Some('trip-1') }"
        returned "EntityId { name: 'counter', key: 'A' } Some('3') true 17000000000000000 Operation { name: 'look', input: '2', request-id: 'request-1', is-signal: true, caller: None }""#]]).await;
}

#[tokio::test]
async fn actions_come_back() {
    check(Some("3"), &[("signal", r#""b""#), ("start", r#""kid""#), ("start", r#""""#)], expect![[r#"
        state Some(3)
        returned 3
        returned 3
        returned 3
        Signal { entity: EntityId { name: "counter", key: "b" }, operation: "add", input: 1, deliver_at: None }
        StartOrchestration { name: "Orchestrate", input: "who", instance_id: Some(kid), options: StartOptions { version: Some("2.0"), tags: {"team": "b"}, start_at: None } }
        StartOrchestration { name: "Orchestrate", input: "who", instance_id: None, options: StartOptions { version: Some("2.0"), tags: {"team": "b"}, start_at: None } }"#]]).await;
}

#[tokio::test]
async fn answers_that_break_the_contract_are_faults() {
    check(
        Some("3"),
        &[("add", "1"), ("lose", "null"), ("add", "1")],
        expect![
            "FunctionTrapped: function 'Counter' trapped: it answered 2 results for 3 operations; give one for each"
        ],
    )
    .await;
    check(Some("3"), &[("signal", r#""b/c""#)], expect![[r#"FunctionTrapped: function 'Counter' trapped: it wants to signal 'add', but there can be no entity with the name 'Counter' and the key 'b/c': '/' is not allowed; leave out '/', '\', '#', '?' and control characters"#]]).await;
    check(Some("3"), &[("start", r#""@a@b""#)], expect!["FunctionTrapped: function 'Counter' trapped: it wants to start 'Orchestrate' with the instance id '@a@b': the instance id starts with '@', which is reserved for entities; choose another first character"]).await;
    check(Some("3"), &[("panic", "null")], expect!["FunctionTrapped: function 'Counter' trapped: wasm trap: wasm `unreachable` instruction executed; its last words on standard error: thread '<unnamed>' (1) panicked at SOURCE | no such operation: panic"]).await;
}

#[tokio::test]
async fn entities_are_invocations() {
    check(None, &[("orchestrate", "null")], expect!["FunctionTrapped: function 'Counter' trapped: only a running orchestrator may call the functions of its context; any other function starts and steers orchestrations with the durable client"]).await;
    check(None, &[("beat", "null")], expect!["FunctionTrapped: function 'Counter' trapped: only a running activity gives heartbeats; leave the call out here"]).await;
    check(
        None,
        &[("uris", r#""trip-1""#)],
        expect![[r#"
        state None
        returned {"id":"trip-1","statusQueryGetUri":"http://host/instances/trip-1"}"#]],
    )
    .await;
}

#[tokio::test]
async fn entities_are_limited() {
    let settings = GuestSettings {
        max_output_bytes: 1_000,
        function_timeout: Some(Duration::from_millis(100)),
        ..small_settings()
    };
    let app = app_in(&runtime_with(settings), "contract-probe").await;
    let check = async |state: Option<&str>, operations: &[(&str, &str)], expected: Expect| {
        expected.assert_eq(&outcome(&app, batch("Counter", state, operations)).await);
    };
    check(None, &[("compute", "null")], expect!["FunctionTimeout: function 'Counter' exceeded its time limit of 100 ms and was stopped; raise the trigger's timeout or host.functionTimeout"]).await;
    check(None, &[("produce", "600"), ("produce", "398")], expect!["FunctionOutputTooLarge: function 'Counter' returned 1002 bytes where at most 1000 are allowed; return less, or raise host.guest.maxOutputBytes"]).await;
    let state = "1".repeat(1_001);
    check(Some(&state), &[("fail", "null")], expect!["FunctionOutputTooLarge: function 'Counter' returned 1019 bytes where at most 1000 are allowed; return less, or raise host.guest.maxOutputBytes"]).await;
}

#[tokio::test]
async fn names_are_sorted_and_unknown_ones_are_told() {
    let app = app("contract-probe").await;
    assert_eq!(ports::Entities::names(&app), ["Counter"]);
    expect!["EntityTaskNotFound: there is no entity named 'missing'; the app has: Counter"]
        .assert_eq(&outcome(&app, batch("Missing", None, &[("get", "null")])).await);
}

/// Rolling back, and what operations may do besides, is the SDK's part.
#[tokio::test]
async fn entities_made_with_the_sdk() {
    let app = app("durable-model").await;
    let check = async |name: &str, state: Option<&str>, operations: &[(&str, &str)], expected: Expect| {
        expected.assert_eq(&outcome(&app, batch(name, state, operations)).await);
    };
    check(
        "Counter",
        None,
        &[("add", "5"), ("ADD", "-7"), ("get", "null")],
        expect![[r#"
        state Some({"value":5})
        returned 5
        failed BelowZero: the counter would be -2
        returned 5"#]],
    )
    .await;
    check(
        "Counter",
        None,
        &[("get", "null")],
        expect![[r#"
        state None
        returned 0"#]],
    )
    .await;
    check(
        "Counter",
        Some(r#"{"value":5}"#),
        &[("delete", "null")],
        expect![[r#"
        state None
        returned null"#]],
    )
    .await;
    check(
        "Counter",
        Some("not its state"),
        &[("get", "null"), ("missing", "null")],
        expect![[r#"
        state Some(not its state)
        failed InvalidPayload: the state of @counter@A is not a Counter: expected ident at line 1 column 2
        failed EntityOperationNotFound: Counter has no operation 'missing'; it has: add, reset, get, delete"#]],
    )
    .await;
    check("Sensor", None, &[("report", "20"), ("report", "120"), ("report", "130")], expect![[r#"
        state Some({"last":130})
        returned null
        returned null
        returned null
        Signal { entity: EntityId { name: "counter", key: "readings" }, operation: "add", input: 1, deliver_at: None }
        Signal { entity: EntityId { name: "counter", key: "readings" }, operation: "add", input: 1, deliver_at: None }
        StartOrchestration { name: "RaiseAlarm", input: 120, instance_id: Some(alarm-A), options: StartOptions { version: None, tags: {}, start_at: None } }
        Signal { entity: EntityId { name: "counter", key: "readings" }, operation: "add", input: 1, deliver_at: None }"#]]).await;
}
