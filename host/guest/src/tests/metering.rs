//! What the meter is told: once for each run, whatever it is and however it ends.

use super::fixtures::{
    RecordingClient, activity_task, bind_all, invocation, load, runtime, runtime_with, small_settings, source,
};
use super::http::{post, request};
use super::world::{Between, World};
use crate::{App, Binding, FunctionKind, GuestSettings};
use http_body_util::BodyExt as _;
use ports::{Activities as _, Execution, HttpFunctions as _, Meter, Work};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A run as it was recorded.
#[derive(Clone, Debug)]
struct Recorded {
    function: String,
    work: Work,
    succeeded: bool,
    duration: Duration,
    memory_bytes: u64,
}

#[derive(Default)]
struct Recorder {
    runs: Mutex<Vec<Recorded>>,
    more: tokio::sync::Notify,
}

impl Meter for Recorder {
    fn record(&self, execution: &Execution<'_>) {
        let Execution { function, work, succeeded, duration, memory_bytes } = *execution;
        let run = Recorded { function: function.to_owned(), work, succeeded, duration, memory_bytes };
        self.runs.lock().expect("no test panics while recording").push(run);
        self.more.notify_one();
    }
}

impl Recorder {
    fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut *self.runs.lock().expect("no test panics while recording"))
    }

    /// What was run, in order.
    fn summary(&self) -> Vec<(String, Work, bool)> {
        self.take().into_iter().map(|run| (run.function, run.work, run.succeeded)).collect()
    }
}

async fn metered(guest: &str) -> (App, Arc<Recorder>) {
    let runtime = runtime();
    let bindings = bind_all(&load(&runtime, guest).await);
    metered_bindings(&runtime, bindings)
}

fn metered_bindings(runtime: &crate::Runtime, bindings: Vec<Binding>) -> (App, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let meter: Arc<dyn Meter> = recorder.clone();
    let client = Arc::new(RecordingClient::default());
    (App::new(runtime, bindings, Vec::new(), client, Some(meter)).expect("all can be bound"), recorder)
}

fn run(function: &str, work: Work, succeeded: bool) -> (String, Work, bool) {
    (function.to_owned(), work, succeeded)
}

#[tokio::test]
async fn the_memory_is_at_least_what_the_guest_allocated() {
    let (app, recorder) = metered("contract-probe").await;
    let mut peaks = Vec::new();
    for bytes in [0, 10_000_000, 20_000_000] {
        let task = activity_task("UseBindings", &format!("\"allocate {bytes}\""));
        app.run(invocation(task)).await.expect("no fault").expect("no failure");
        let [run] = recorder.take().try_into().expect("one run");
        assert!(run.memory_bytes >= bytes, "{run:?}");
        assert!(run.memory_bytes <= 32 << 20, "the limit of these tests: {run:?}");
        assert_eq!(run.memory_bytes % 65_536, 0, "whole pages: {run:?}");
        peaks.push(run.memory_bytes);
    }
    assert!(peaks[0] < 10_000_000, "what is not used does not count: {peaks:?}");
}

#[tokio::test]
async fn the_time_is_that_of_the_guest_with_its_waiting() {
    let (app, recorder) = metered("conference-booking").await;
    let slow = r#"{"traveller":"Ada","conference":"Wasm Day","simulate":{"flight":{"delayMs":50}}}"#;
    let began = tokio::time::Instant::now();
    app.run(invocation(activity_task("BookFlight", slow))).await.expect("no fault").expect("no failure");
    let around = began.elapsed();
    let [run] = recorder.take().try_into().expect("one run");
    assert!(run.duration >= Duration::from_millis(50) && run.duration <= around, "{run:?} within {around:?}");
}

#[tokio::test]
async fn failures_and_faults_count_as_such() {
    let (booking, recorder) = metered("conference-booking").await;
    let trip = r#"{"traveller":"Ada","conference":"Wasm Day","maxFlightPriceCents":1}"#;
    booking.run(invocation(activity_task("BookFlight", trip))).await.expect("no fault").expect_err("a failure");
    booking.run(invocation(activity_task("Missing", trip))).await.expect_err("a fault");
    assert_eq!(recorder.summary(), [run("BookFlight", Work::Invocation, false)], "what is not there did not run");

    let (noisy, recorder) = metered("noisy-neighbours").await;
    for how in ["panic", "memory", "not"] {
        let _outcome = noisy.run(invocation(activity_task("Misbehave", &format!("{how:?}")))).await;
    }
    let expected = [false, false, true].map(|succeeded| run("Misbehave", Work::Invocation, succeeded));
    assert_eq!(recorder.summary(), expected);
}

#[tokio::test]
async fn what_is_stopped_counts_for_the_time_until_then() {
    let settings = GuestSettings { function_timeout: Some(Duration::from_millis(100)), ..small_settings() };
    let runtime = runtime_with(settings);
    let bindings = bind_all(&load(&runtime, "contract-probe").await);
    let (app, recorder) = metered_bindings(&runtime, bindings);
    app.run(invocation(activity_task("Compute", "null"))).await.expect_err("a fault");
    let [stopped] = recorder.take().try_into().expect("one run");
    assert!(!stopped.succeeded && stopped.duration >= Duration::from_millis(100), "{stopped:?}");

    let endless = app.run(invocation(activity_task("BeatForever", "null")));
    let given_up = tokio::time::timeout(Duration::from_millis(30), endless).await;
    assert!(given_up.is_err(), "it never returns");
    assert_eq!(recorder.summary(), [run("BeatForever", Work::Invocation, false)]);
}

#[tokio::test]
async fn turns_of_orchestrators_count_and_those_that_begin_anew_count_as_replays() {
    let (app, recorder) = metered("bench-functions").await;
    World::new(&app, Between::KeepAlive).run("Chain", "2").await;
    let (turn, replay) = (run("Chain", Work::Turn, true), run("Chain", Work::ReplayedTurn, true));
    let echo = run("Echo", Work::Invocation, true);
    let expected = [turn.clone(), echo.clone(), turn.clone(), echo.clone(), turn.clone()];
    assert_eq!(recorder.summary(), expected);
    World::new(&app, Between::Rebuild).run("Chain", "2").await;
    assert_eq!(recorder.summary(), [turn, echo.clone(), replay.clone(), echo, replay]);
}

#[tokio::test]
async fn a_turn_is_the_time_that_the_guest_ran() {
    let (app, recorder) = metered("noisy-neighbours").await;
    let began = tokio::time::Instant::now();
    // Its timers jump, and its activity runs for real between two turns.
    World::new(&app, Between::KeepAlive).run("MisbehaveMidway", r#""loop""#).await;
    let around = began.elapsed();
    let runs = recorder.take();
    let turns: Duration = runs.iter().filter(|run| run.work != Work::Invocation).map(|run| run.duration).sum();
    assert!(turns <= around, "{turns:?} within {around:?}");
    let last = runs.last().expect("some runs");
    assert!(!last.succeeded && last.duration >= Duration::from_secs(2), "stopped at its limit: {last:?}");
    assert!(last.memory_bytes > 0, "{last:?}");
}

#[tokio::test]
async fn entities_and_http_functions_count() {
    let (app, recorder) = metered("contract-probe").await;
    World::new(&app, Between::KeepAlive)
        .run("Orchestrate", r#""call Counter a add 1; next; call Counter a fail null; next""#)
        .await;
    let entities: Vec<_> = recorder.summary().into_iter().filter(|(function, _, _)| function == "Counter").collect();
    assert_eq!(entities, [run("Counter", Work::Turn, true), run("Counter", Work::Turn, false)]);

    app.handle(request("BindOverHttp", post("/bind", "input rates"))).await.expect("an answer, with the status 503");
    app.handle(request("BeatOverHttp", post("/beat", ""))).await.expect_err("a fault");
    let expected = [run("BindOverHttp", Work::Invocation, true), run("BeatOverHttp", Work::Invocation, false)];
    assert_eq!(recorder.summary(), expected);
}

#[tokio::test]
async fn a_streaming_guest_counts_until_it_ends() {
    let runtime = runtime();
    let component = runtime.load(source(&artifacts::guest("sandbox-probe"))).await.expect("a component");
    let binding = Binding {
        function: "Probe".to_owned(),
        entry_point: "Probe".to_owned(),
        component,
        kind: FunctionKind::Http,
        timeout: None,
        heartbeat_timeout: None,
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    let (app, recorder) = metered_bindings(&runtime, vec![binding]);
    // Sleeps for 100 ms after it has sent all that it announced.
    let answer = app.handle(request("Probe", post("/exact", ""))).await.expect("an answer");
    let mut body = answer.response.into_body();
    let frame = body.frame().await.expect("a frame").expect("no error");
    assert_eq!(frame.data_ref().map(|data| &data[..]), Some(&b"12345"[..]));
    recorder.more.notified().await;
    let [ran] = recorder.take().try_into().expect("one run");
    assert!(ran.succeeded && ran.duration >= Duration::from_millis(100), "{ran:?}");

    for path in ["/silent", "/error", "/trap"] {
        app.handle(request("Probe", post(path, ""))).await.expect_err("a fault");
        recorder.more.notified().await;
        assert_eq!(recorder.summary(), [run("Probe", Work::Invocation, false)], "{path}");
    }

    let answer = app.handle(request("Probe", post("/endless", ""))).await.expect("an answer");
    assert!(recorder.take().is_empty(), "it runs");
    drop(answer);
    recorder.more.notified().await;
    assert_eq!(recorder.summary(), [run("Probe", Work::Invocation, false)]);
}
