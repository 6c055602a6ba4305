//! Activities: what they are given and give back, and that a bad one is an error of its own call only.

use super::fixtures::{
    Beats, RecordingClient, activity_task, app, app_in, bind_all, call, invocation, load, runtime, runtime_with,
    small_settings, stable,
};
use crate::{App, Binding, GuestSettings};
use expect_test::{Expect, expect};
use futures::future::join_all;
use orchestration::{Json, Timeouts};
use ports::{Activities as _, ActivityInvocation, GuestFault};
use std::sync::Arc;
use std::time::Duration;

/// The outcome of a call.
async fn check(app: &App, activity: &str, input: &str, expected: Expect) {
    let outcome = match call(app, activity, input).await {
        Ok(Ok(output)) => format!("returned {output}"),
        Ok(Err(failure)) => format!("failed: {failure:?}"),
        Err(fault) => format!("{}: {}", fault.error_type(), stable(&fault)),
    };
    expected.assert_eq(&outcome);
}

#[tokio::test]
async fn values_go_in_and_out() {
    let bench = app("bench-functions").await;
    check(&bench, "Echo", "42", expect!["returned 42"]).await;
    check(&bench, "eCHO", "7", expect!["returned 7"]).await;
    check(&bench, "Echo", "not json", expect![[r#"failed: Failure { error_type: "InvalidPayload", message: "the input of Echo is not a u32: expected ident at line 1 column 2", details: None, non_retriable: true, cause: None, properties: {} }"#]]).await;
    check(
        &bench,
        "Missing",
        "1",
        expect!["ActivityTaskNotFound: there is no activity named 'Missing'; the app has: Echo"],
    )
    .await;
}

#[tokio::test]
async fn failures_are_data() {
    let booking = app("conference-booking").await;
    let trip = r#"{"traveller":"Ada","conference":"Wasm Day","maxFlightPriceCents":1}"#;
    check(&booking, "BookFlight", trip, expect![[r#"failed: Failure { error_type: "TooExpensive", message: "the flight costs 18000 cents, more than 1", details: None, non_retriable: false, cause: None, properties: {"priceCents": "18000"} }"#]]).await;
    let refused = r#"{"traveller":"Ada","conference":"Wasm Day","simulate":{"hotel":{"refuses":true}}}"#;
    check(&booking, "BookHotel", refused, expect![[r#"failed: Failure { error_type: "Refused", message: "hotel: refused for good", details: None, non_retriable: true, cause: None, properties: {} }"#]]).await;
}

#[tokio::test]
async fn the_try_of_the_retry_policy_is_told() {
    let booking = app("conference-booking").await;
    let mut task = activity_task(
        "BookFlight",
        r#"{"traveller":"Ada","conference":"Wasm Day","simulate":{"flight":{"failures":1}}}"#,
    );
    let mut outcomes = Vec::new();
    for attempt in [1, 2] {
        task.attempt = attempt;
        outcomes.push(booking.run(invocation(task.clone())).await.expect("no fault").is_ok());
    }
    assert_eq!(outcomes, [false, true]);
}

#[tokio::test]
async fn each_kind_of_fault_is_told_apart() {
    let noisy = app("noisy-neighbours").await;
    let misbehave = async |how, expected: Expect| check(&noisy, "Misbehave", how, expected).await;
    misbehave(r#""not""#, expect![[r#"returned "well behaved""#]]).await;
    misbehave(r#""panic""#, expect!["FunctionTrapped: function 'Misbehave' trapped: wasm trap: wasm `unreachable` instruction executed; its last words on standard error: thread '<unnamed>' (1) panicked at SOURCE | as you wish"]).await;
    misbehave(r#""memory""#, expect!["FunctionOutOfMemory: function 'Misbehave' exceeded its memory limit of 33554432 bytes and was stopped; raise host.guest.maxMemoryBytes"]).await;
    misbehave(r#""stack""#, expect!["FunctionTrapped: function 'Misbehave' trapped: wasm trap: out of bounds memory access (an endless recursion ends like this, too)"]).await;
    misbehave(r#""exit""#, expect!["FunctionTrapped: function 'Misbehave' trapped: it ended its process instead of returning; return a failure instead of calling exit"]).await;
}

#[tokio::test]
async fn what_never_ends_is_stopped() {
    let settings = GuestSettings { function_timeout: Some(Duration::from_millis(300)), ..small_settings() };
    let noisy = app_in(&runtime_with(settings), "noisy-neighbours").await;
    let misbehave = async |how, expected: Expect| check(&noisy, "Misbehave", how, expected).await;
    misbehave(r#""loop""#, expect!["FunctionTimeout: function 'Misbehave' exceeded its time limit of 300 ms and was stopped; raise the trigger's timeout or host.functionTimeout"]).await;
    misbehave(r#""stdout""#, expect!["FunctionTimeout: function 'Misbehave' exceeded its time limit of 300 ms and was stopped; raise the trigger's timeout or host.functionTimeout"]).await;
}

#[tokio::test]
async fn results_are_bounded() {
    let settings = GuestSettings { max_output_bytes: 1_000, ..small_settings() };
    let noisy = app_in(&runtime_with(settings), "noisy-neighbours").await;
    let produced = call(&noisy, "Produce", "998").await.expect("no fault").expect("no failure");
    assert_eq!(produced.len(), 1_000, "with its quotes");
    check(&noisy, "Produce", "999", expect!["FunctionOutputTooLarge: function 'Produce' returned 1001 bytes where at most 1000 are allowed; return less, or raise host.guest.maxOutputBytes"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neighbours_of_bad_functions_are_answered() {
    let noisy = limited("Misbehave", Duration::from_secs(2)).await;
    let ways = ["panic", "loop", "memory", "stack", "exit", "stdout", "loop", "panic", "memory"];
    let ways = ways.map(|how| format!("{how:?}"));
    let bad = join_all(ways.iter().map(|how| call(&noisy, "Misbehave", how)));
    // They keep both threads busy for two seconds; all of these calls must get their share of that.
    let good = join_all((0..200).map(|number| {
        let noisy = &noisy;
        async move { call(noisy, "Echo", &number.to_string()).await }
    }));
    let (bad, good) = futures::join!(bad, good);
    assert!(bad.iter().all(Result::is_err), "{bad:?}");
    for (number, result) in good.into_iter().enumerate() {
        let output = result.expect("no fault").expect("no failure");
        assert_eq!(output.as_str(), number.to_string());
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_is_stopped() {
    // No time limit: if dropping did not stop it, it would run for as long as the test.
    let settings = GuestSettings { function_timeout: None, invocation_slots: 1, ..small_settings() };
    let noisy = app_in(&runtime_with(settings), "noisy-neighbours").await;
    for _ in 0..3 {
        let endless = call(&noisy, "Misbehave", r#""loop""#);
        let stopped = tokio::time::timeout(Duration::from_millis(50), endless).await;
        assert!(stopped.is_err(), "it never returns");
    }
    assert_eq!(call(&noisy, "Echo", "5").await.expect("no fault").expect("no failure").as_str(), "5");
}

#[tokio::test]
async fn more_calls_than_places_are_allocated_when_they_come() {
    let settings = GuestSettings { invocation_slots: 2, ..small_settings() };
    let booking = app_in(&runtime_with(settings), "conference-booking").await;
    let slow = r#"{"traveller":"Ada","conference":"Wasm Day","simulate":{"flight":{"delayMs":50}}}"#;
    let results = join_all((0..10).map(|_| call(&booking, "BookFlight", slow))).await;
    assert!(results.iter().all(|result| matches!(result, Ok(Ok(_)))), "{results:?}");
}

#[tokio::test]
async fn sleeping_activities_share_a_thread() {
    let booking = app("conference-booking").await;
    let slow = r#"{"traveller":"Ada","conference":"Wasm Day","simulate":{"flight":{"delayMs":2000}}}"#;
    // One thread: one after the other they would take 100 seconds, and the time limit is 60.
    let results =
        tokio::time::timeout(Duration::from_secs(50), join_all((0..50).map(|_| call(&booking, "BookFlight", slow))));
    assert!(results.await.expect("they sleep at the same time").iter().all(|result| matches!(result, Ok(Ok(_)))));
}

/// The noisy neighbours, one of them with a time limit of its own.
async fn limited(function: &str, timeout: Duration) -> App {
    let runtime = runtime();
    let component = load(&runtime, "noisy-neighbours").await;
    let mut bindings = bind_all(&component);
    for binding in &mut bindings {
        binding.timeout = (binding.function == function).then_some(timeout);
    }
    App::new(&runtime, bindings, Vec::new(), Arc::new(RecordingClient::default()), None).expect("all bound")
}

#[tokio::test]
async fn the_time_limit_of_a_binding_wins() {
    let app = limited("Misbehave", Duration::from_millis(100)).await;
    let fault = call(&app, "Misbehave", r#""loop""#).await.expect_err("a fault");
    assert!(matches!(fault, GuestFault::TimedOut { limit_ms: 100, .. }), "{fault}");
}

#[tokio::test]
async fn the_call_is_told_to_the_activity() {
    let probe = app("contract-probe").await;
    let mut task = activity_task("LookAtTheCall", "null");
    task.version = Some("1.2".to_owned());
    let seen = probe.run(invocation(task)).await.expect("no fault").expect("no failure");
    expect![[r#""Invocation { id: 'call-1', instance-id: 'trip-1', execution-id: '00000000000000000000000000000007', task-id: 3, attempt: 1, version: Some('1.2') }""#]].assert_eq(seen.as_str());
}

#[tokio::test]
async fn signs_of_life_arrive_with_their_details() {
    let probe = app("contract-probe").await;
    let beats = Arc::new(Beats::default());
    let call = ActivityInvocation { heartbeat: beats.clone(), ..invocation(activity_task("Beat", "7")) };
    probe.run(call).await.expect("no fault").expect("no failure");
    assert_eq!(beats.details(), [None, Some(Json::from("7"))]);

    let settings = GuestSettings { max_output_bytes: 10, ..small_settings() };
    let strict = app_in(&runtime_with(settings), "contract-probe").await;
    check(&strict, "Beat", "12345678901", expect!["FunctionOutputTooLarge: function 'Beat' returned 11 bytes where at most 10 are allowed; return less, or raise host.guest.maxOutputBytes"]).await;
}

#[tokio::test]
async fn an_activity_that_is_given_up_stops_in_the_middle() {
    let settings = GuestSettings { function_timeout: None, invocation_slots: 1, ..small_settings() };
    let probe = app_in(&runtime_with(settings), "contract-probe").await;
    let beats = Arc::new(Beats::default());
    let call = ActivityInvocation { heartbeat: beats.clone(), ..invocation(activity_task("BeatForever", "null")) };
    tokio::select! {
        outcome = probe.run(call) => panic!("it never returns: {outcome:?}"),
        () = beats.at_least(100) => {}
    }
    let before = beats.details().len();
    assert_eq!(call_output(&probe, "Beat", "1").await, "null", "the only place is free again");
    assert_eq!(beats.details().len(), before, "nothing of it runs any more");
}

async fn call_output(app: &App, activity: &str, input: &str) -> String {
    call(app, activity, input).await.expect("no fault").expect("no failure").as_str().to_owned()
}

/// Whoever runs activities stops them at their limit; only where that does not happen, they are stopped here.
#[tokio::test]
async fn an_activity_is_left_to_its_caller_until_the_grace_is_over() {
    let settings = GuestSettings { activity_grace: Duration::from_millis(300), ..small_settings() };
    let probe = app_in(&runtime_with(settings), "contract-probe").await;
    let mut task = activity_task("Compute", "null");
    task.timeouts.run = Some(Duration::from_millis(50));
    let limit = probe.timeouts(&task).run.expect("a limit");
    let stopped = tokio::time::timeout(limit, probe.run(invocation(task.clone()))).await;
    assert!(stopped.is_err(), "the caller's limit comes first: {stopped:?}");
    let fault = probe.run(invocation(task)).await.expect_err("a fault");
    assert!(matches!(fault, GuestFault::TimedOut { limit_ms: 50, .. }), "{fault}");
}

#[tokio::test]
async fn time_limits_are_those_of_the_call_then_the_binding_then_the_settings() {
    let runtime = runtime();
    let component = load(&runtime, "contract-probe").await;
    let app = async |timeout, heartbeat_timeout| {
        let bind = |binding| Binding { timeout, heartbeat_timeout, ..binding };
        let bindings = bind_all(&component).into_iter().map(bind).collect();
        App::for_replay(&runtime, bindings).expect("all bound")
    };
    let seconds = |seconds: Option<u64>| seconds.map(Duration::from_secs);
    let check = async |binding: [Option<u64>; 2], called: [Option<u64>; 2], expected: [Option<u64>; 2]| {
        let app = app(seconds(binding[0]), seconds(binding[1])).await;
        let mut task = activity_task("bEAT", "1");
        task.timeouts = Timeouts { run: seconds(called[0]), heartbeat: seconds(called[1]) };
        let expected = Timeouts { run: seconds(expected[0]), heartbeat: seconds(expected[1]) };
        assert_eq!(app.timeouts(&task), expected);
    };
    check([None, None], [None, None], [Some(60), None]).await;
    check([Some(5), Some(2)], [None, None], [Some(5), Some(2)]).await;
    check([Some(5), Some(2)], [Some(7), None], [Some(7), Some(2)]).await;
    check([Some(5), Some(2)], [None, Some(1)], [Some(5), Some(1)]).await;
    let mut missing = activity_task("Missing", "1");
    missing.timeouts.run = seconds(Some(3));
    assert_eq!(app(None, None).await.timeouts(&missing), missing.timeouts);
}

#[tokio::test]
async fn an_activity_of_another_version_is_refused() {
    let probe = app("contract-probe").await;
    let mut task = activity_task("Beat", "1");
    task.pinned_to = Some(probe.digest().to_owned());
    assert!(probe.run(invocation(task.clone())).await.is_ok());
    task.pinned_to = Some("an older one".to_owned());
    let fault = probe.run(invocation(task)).await.expect_err("a fault");
    let text = fault.to_string().replace(probe.digest(), "DIGEST");
    expect!["function 'Beat' could not be started: its instance is pinned to the app an older one, and this is DIGEST"]
        .assert_eq(&text);
}
