//! Functions that messages and schedules start.

use super::fixtures::{
    RecordingClient, app, app_with_bindings, bind_all, load, runtime, runtime_with, small_settings, stable,
};
use crate::{App, GuestSettings};
use expect_test::{Expect, expect};
use orchestration::{Failure, Json, Timestamp};
use ports::{
    BoundValues, GuestFault, QueueFunctions as _, QueueInvocation, QueueMessage, Ran, RetryContext,
    TimerFunctions as _, TimerInvocation,
};
use std::sync::Arc;
use std::time::Duration;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ticks(seconds * 10_000_000)
}

fn message(text: &str) -> QueueInvocation {
    QueueInvocation {
        invocation_id: "call-1".to_owned(),
        function: "wORK".to_owned(),
        queue: "trips".parse().expect("a good name"),
        message: QueueMessage {
            id: "m-1".to_owned(),
            text: text.to_owned(),
            inserted: at(1),
            expires: at(9),
            visible: at(5),
            dequeue_count: 3,
            pop_receipt: "r-1".to_owned(),
        },
        retry: RetryContext { retry_count: 2, max_retry_count: Some(4) },
        inputs: vec![("rates".to_owned(), Json::from("[1]"))],
    }
}

fn occurrence(inputs: BoundValues) -> TimerInvocation {
    TimerInvocation {
        invocation_id: "call-1".to_owned(),
        function: "Tick".to_owned(),
        scheduled: at(60),
        is_past_due: true,
        adjusts_for_dst: false,
        last: None,
        next: Some(at(120)),
        last_updated: Some(at(59)),
        retry: RetryContext::default(),
        inputs,
    }
}

fn shown(outcome: Result<Result<Ran, Failure>, GuestFault>) -> String {
    match outcome {
        Ok(Ok(Ran { returned, outputs })) => format!("returned {returned}\n{outputs:?}"),
        Ok(Err(failure)) => format!("failed: {failure}"),
        Err(fault) => format!("{}: {}", fault.error_type(), stable(&fault)),
    }
}

async fn check(invocation: QueueInvocation, expected: Expect) {
    let app = app_with_bindings(&["rates"], &["receipts"]).await;
    expected.assert_eq(&shown(app.run_queue(invocation).await));
}

#[tokio::test]
async fn a_message_arrives_with_all_that_is_known_of_it() {
    check(message("look"), expect![[r#"
        returned "(Message { id: 'm-1', queue: 'trips', text: 'look', dequeue-count: 3, inserted: 10000000, expires: Some(90000000), next-visible: 50000000, pop-receipt: 'r-1' }, Invocation { id: 'call-1', retry-count: 2, max-retry-count: Some(4) })"
        []"#]]).await;
    let mut endless = message("look");
    endless.message.expires = Timestamp::MAX;
    endless.retry = RetryContext::default();
    check(endless, expect![[r#"
        returned "(Message { id: 'm-1', queue: 'trips', text: 'look', dequeue-count: 3, inserted: 10000000, expires: None, next-visible: 50000000, pop-receipt: 'r-1' }, Invocation { id: 'call-1', retry-count: 0, max-retry-count: None })"
        []"#]]).await;
}

#[tokio::test]
async fn a_message_is_worked_on_with_bindings() {
    check(
        message("input rates; output receipts 1; output receipts 2"),
        expect![[r#"
        returned "input rates -> [1]\noutput receipts 1 -> taken\noutput receipts 2 -> taken"
        [("receipts", 1), ("receipts", 2)]"#]],
    )
    .await;
    check(message("fail"), expect!["failed: Refused: as you wish"]).await;
    check(
        QueueInvocation { function: "Missing".to_owned(), ..message("look") },
        expect!["FunctionNotFound: there is no queue function named 'Missing'; the app has: Work"],
    )
    .await;
}

#[tokio::test]
async fn an_occurrence_arrives_with_all_that_is_known_of_it() {
    let app = app("contract-probe").await;
    let check = async |invocation, expected: Expect| expected.assert_eq(&shown(app.run_timer(invocation).await));
    check(occurrence(Vec::new()), expect![[r#"
        returned "(Occurrence { scheduled: 600000000, is-past-due: true, adjusts-for-dst: false, last: None, next: Some(1200000000), last-updated: Some(590000000) }, Invocation { id: 'call-1', retry-count: 0, max-retry-count: None })"
        []"#]]).await;
    check(
        TimerInvocation { function: "Work".to_owned(), ..occurrence(Vec::new()) },
        expect!["FunctionNotFound: there is no timer function named 'Work'; the app has: Tick"],
    )
    .await;
}

#[tokio::test]
async fn an_occurrence_is_worked_on_with_bindings() {
    let app = app_with_bindings(&["script"], &["receipts"]).await;
    let script = Json::from(r#""output receipts 3; output invoices 4""#);
    let outcome = app.run_timer(occurrence(vec![("script".to_owned(), script)])).await;
    expect![[r#"
        returned "output receipts 3 -> taken\noutput invoices 4 -> refused: the manifest has no output named 'invoices' for this function; it has: receipts"
        [("receipts", 3)]"#]].assert_eq(&shown(outcome));
}

#[tokio::test]
async fn both_can_start_orchestrations() {
    let runtime = runtime();
    let client = Arc::new(RecordingClient::default());
    let mut bindings = bind_all(&load(&runtime, "contract-probe").await);
    for binding in bindings.iter_mut().filter(|binding| binding.function == "Tick") {
        binding.inputs = vec!["script".to_owned()];
    }
    let app = App::new(&runtime, bindings, Vec::new(), client.clone(), None).expect("all can be bound");
    expect![[r#"
        returned "start BookTrip trip-2 key-1 -> Ok('new-1')\nuris trip-2 -> {'id':'trip-2','statusQueryGetUri':'http://host/instances/trip-2'}"
        []"#]].assert_eq(&shown(app.run_queue(message("start BookTrip trip-2 key-1; uris trip-2")).await));
    let script = Json::from(r#""purge-by""#);
    expect![[r#"
        returned "purge-by -> Ok(4294967295)"
        []"#]]
    .assert_eq(&shown(app.run_timer(occurrence(vec![("script".to_owned(), script)])).await));
    expect![[r#"
        start StartRequest { name: "BookTrip", input: "who", instance_id: Some("trip-2"), options: StartOptions { version: Some("2.0"), tags: {"team": "b"}, start_at: None }, idempotency_key: Some("key-1"), reuse: None }
        purge PurgeFilter { created_from: 1970-01-01T00:00:00.0000001Z, created_to: None, statuses: [Failed] }"#]].assert_eq(&client.0.lock().expect("no test panics while recording").join("\n"));
}

#[tokio::test]
async fn what_never_ends_is_stopped() {
    let settings = GuestSettings { function_timeout: Some(Duration::from_millis(300)), ..small_settings() };
    let runtime = runtime_with(settings);
    let mut bindings = bind_all(&load(&runtime, "contract-probe").await);
    for binding in bindings.iter_mut().filter(|binding| binding.function == "Tick") {
        binding.inputs = vec!["script".to_owned()];
        binding.timeout = Some(Duration::from_millis(100));
    }
    let app = App::for_replay(&runtime, bindings).expect("all bound");
    expect!["FunctionTimeout: function 'Work' exceeded its time limit of 300 ms and was stopped; raise the trigger's timeout or host.functionTimeout"].assert_eq(&shown(app.run_queue(message("compute")).await));
    let script = Json::from(r#""compute""#);
    expect!["FunctionTimeout: function 'Tick' exceeded its time limit of 100 ms and was stopped; raise the trigger's timeout or host.functionTimeout"].assert_eq(&shown(app.run_timer(occurrence(vec![("script".to_owned(), script)])).await));
}
