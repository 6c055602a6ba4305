//! What orchestrators ask for besides entities: events in time, HTTP, detached starts, aborts, limits on activities.

use std::time::Duration;

use expect_test::{Expect, expect};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::testing::{Scripted, take_heartbeats};
use crate::{ActivityContext, Context, Failure, HttpRequest, HttpResponse, Orchestrator, RetryPolicy, StartOptions};

const SECOND: Duration = Duration::from_secs(1);

fn check<O: Orchestrator<Output = T>, T: Serialize + DeserializeOwned>(
    script: Scripted,
    orchestrator: O,
    input: &O::Input,
    expected: Expect,
) {
    let outcome = script.run(orchestrator, input);
    let result = match &outcome.result {
        Ok(output) => serde_json::to_string(output).unwrap(),
        Err(failure) => format!("{failure:?}"),
    };
    expected.assert_eq(&format!("{}after {:?}: {result}\n", outcome.transcript(), outcome.elapsed));
}

#[crate::orchestrator]
async fn patient_for_an_event(ctx: Context, default: Option<String>) -> Result<(String, String), Failure> {
    let first = ctx.wait_for_event::<String>("Word").timeout(SECOND * 10);
    let first = match default {
        Some(default) => first.or_default(default).await?,
        None => first.await?,
    };
    Ok((first, ctx.wait_for_event("Word").await?))
}

#[test]
fn an_event_comes_in_time_or_not() {
    let words = |at: [u32; 2]| {
        let script = Scripted::new().event_at(SECOND * at[0], "word", "one");
        script.event_at(SECOND * at[1], "word", "two")
    };
    check(
        words([3, 20]),
        patient_for_an_event,
        &None,
        expect![[r#"
                  0s test: event Word
                  0s test: timer until 2026-01-01T00:00:10Z
                  3s test: event Word
            after 20s: ["one","two"]
        "#]],
    );
    // Who has stopped waiting does not take the event away.
    check(
        words([11, 20]),
        patient_for_an_event,
        &Some("default".into()),
        expect![[r#"
                  0s test: event Word
                  0s test: timer until 2026-01-01T00:00:10Z
                 10s test: event Word
            after 11s: ["default","one"]
        "#]],
    );
    check(
        words([11, 20]),
        patient_for_an_event,
        &None,
        expect![[r#"
                  0s test: event Word
                  0s test: timer until 2026-01-01T00:00:10Z
            after 10s: TimedOut: the event 'Word' did not come within 10s
        "#]],
    );
}

#[crate::orchestrator]
async fn calls_a_service(ctx: Context, method: String) -> Result<HttpResponse, Failure> {
    let patient = RetryPolicy::new(3, SECOND).backoff(2.0);
    let request = HttpRequest::new(method, "http://service.example/jobs?x=1").header("authorization", "secret");
    ctx.call_http(request.json(&[1, 2]).retry(patient).retry_on_status([503])).await
}

#[test]
fn a_service_is_polled_and_asked_again() {
    let mut answers = vec![
        HttpResponse::new(503, "busy"),
        HttpResponse::new(202, "").with_header("Location", "/jobs/7").with_header("Retry-After", "5"),
        HttpResponse::new(202, "").with_header("location", "http://elsewhere.example/jobs/7"),
        HttpResponse::new(404, "done").with_header("X-Kind", "job"),
    ]
    .into_iter();
    let script = Scripted::new().http(move |request| {
        let secret = request.headers().iter().any(|(name, _)| name == "authorization");
        assert_eq!(secret, !request.url().contains("elsewhere"), "{}", request.url());
        assert_eq!(request.body(), (request.method() == "POST").then_some("[1,2]"));
        Ok(answers.next().unwrap())
    });
    check(
        script,
        calls_a_service,
        &"POST".into(),
        expect![[r#"
                  0s test: POST http://service.example/jobs?x=1
                  1s test: POST http://service.example/jobs?x=1 (attempt 2)
                  6s test: GET http://service.example/jobs/7
                 36s test: GET http://elsewhere.example/jobs/7
            after 36s: {"statusCode":404,"headers":{"X-Kind":"job"},"content":"done"}
        "#]],
    );
    let busy = Scripted::new().http(|_| Ok(HttpResponse::new(503, "busy"))).run(calls_a_service, &"PUT".into());
    let failure = busy.result.unwrap_err();
    assert_eq!(
        (failure.error_type(), failure.property("statusCode"), busy.elapsed),
        ("HttpStatus", Some("503"), SECOND * 3)
    );
    let gone = Scripted::new()
        .http(|_| Err(Failure::new("HttpRequestFailed", "no route")))
        .run(calls_a_service, &"PUT".into());
    assert_eq!((gone.result.unwrap_err().error_type(), gone.calls.len()), ("HttpRequestFailed", 3));
}

#[test]
fn a_response_is_read() {
    let response: HttpResponse =
        serde_json::from_str(r#"{"statusCode":200,"headers":{"A":"1","Set-Cookie":["x","y"]},"content":"[7]"}"#)
            .unwrap();
    assert_eq!(
        (response.header("a"), response.header("set-cookie"), response.header("b")),
        (Some("1"), Some("x"), None)
    );
    assert_eq!((response.json::<Vec<u32>>(), response.is_success()), (Ok(vec![7]), true));
    assert!(response.json::<String>().unwrap_err().is("InvalidPayload"));
    assert_eq!(response.clone().error_for_status(), Ok(response));
    let failure = HttpResponse::new(404, "nobody").error_for_status().unwrap_err();
    assert_eq!((failure.error_type(), failure.details()), ("HttpStatus", Some("nobody")));
    let bare: HttpResponse = serde_json::from_str(r#"{"statusCode":204}"#).unwrap();
    assert_eq!(bare, HttpResponse::new(204, ""));
}

#[test]
fn content_that_cannot_be_written_fails_the_call() {
    #[crate::orchestrator]
    async fn sends_the_unwritable(ctx: Context) -> Result<HttpResponse, Failure> {
        let unwritable = std::collections::BTreeMap::from([((1, 2), 3)]);
        ctx.call_http(HttpRequest::post("http://service.example").json(&unwritable)).await
    }
    let outcome = Scripted::new().run(sends_the_unwritable, &());
    assert!(outcome.result.unwrap_err().is("InvalidPayload"));
    assert!(outcome.calls.is_empty());
}

#[crate::orchestrator]
async fn pings(ctx: Context, rounds: u32) -> Result<Vec<String>, Failure> {
    let me = ctx.instance_id();
    let options = StartOptions::new().version("2").tag("kind", "pong").start_at(ctx.now() + SECOND * 5);
    let other = ctx.start_orchestration_with(&options, pongs, &(me, rounds))?;
    ctx.start_orchestration_by_name(&StartOptions::new(), "SomewhereElse", &1)?;
    ctx.send_event("nobody", "Lost", &())?;
    let mut answers = vec![other];
    for _ in 0..rounds {
        answers.push(ctx.wait_for_event("Pong").await?);
    }
    Ok(answers)
}

#[crate::orchestrator]
async fn pongs(ctx: Context, (to, rounds): (String, u32)) -> Result<(), Failure> {
    let text = format!("{:?} {:?}", ctx.version(), ctx.tags());
    ctx.send_event(&to, "pong", &text)?;
    match rounds {
        0 | 1 => Ok(()),
        rounds => ctx.continue_as_new_with_version(&(to, rounds - 1), "3"),
    }
}

#[test]
fn what_is_started_detached_runs_beside() {
    check(
        Scripted::new(),
        pings,
        &2,
        expect![[r#"
                  0s test: start Pongs ["test",2]
                  0s test: start SomewhereElse 1
                  0s test: send event Lost to nobody: null
                  0s test: event Pong
                  5s started-1: send event pong to test: "Some(\"2\") {\"kind\": \"pong\"}"
                  5s started-1: send event pong to test: "Some(\"3\") {\"kind\": \"pong\"}"
                  5s test: event Pong
            after 5s: ["started-1","Some(\"2\") {\"kind\": \"pong\"}","Some(\"3\") {\"kind\": \"pong\"}"]
        "#]],
    );
}

#[crate::orchestrator]
async fn tells_about_itself(ctx: Context, children: u32) -> Result<String, Failure> {
    match children {
        0 => {
            ctx.sleep(SECOND * 60).await;
            Ok(format!("{:?} {:?}", ctx.version(), ctx.tags()))
        }
        children => ctx.call_sub(tells_about_itself, &(children - 1)).version("child").tag("depth", "1").await,
    }
}

#[test]
fn versions_and_tags() {
    let script = || Scripted::new().version("root").tag("kind", "test");
    assert_eq!(script().run(tells_about_itself, &0).result.as_deref(), Ok("Some(\"root\") {\"kind\": \"test\"}"));
    let child = script().run(tells_about_itself, &1).result;
    assert_eq!(child.as_deref(), Ok("Some(\"child\") {\"depth\": \"1\", \"kind\": \"test\"}"));
}

#[crate::orchestrator]
async fn aborts(ctx: Context) -> Result<String, Failure> {
    let child = ctx.call_sub(tells_about_itself, &1).with_instance_id("child").start();
    let activity = ctx.call_by_name::<()>("Slow", &1).start();
    ctx.sleep(SECOND).await;
    activity.abort();
    child.abort();
    ctx.call_by_name::<()>("Slow", &2).start().abort();
    let slow = ctx.call_by_name::<()>("Slow", &3).abort_on_drop();
    match ctx.timeout(SECOND, slow).await {
        Ok(_) => Ok("in time".into()),
        Err(timed_out) => Ok(timed_out.to_string()),
    }
}

#[test]
fn aborting_stops_what_was_asked_for() {
    check(
        Scripted::new().activity("Slow", |_: u32| Ok(())).activity_takes("Slow", SECOND * 10),
        aborts,
        &(),
        expect![[r#"
                  0s test: timer until 2026-01-01T00:00:01Z
                  0s test: orchestrator TellsAboutItself 1
                  0s test: Slow 1
                  0s child: orchestrator TellsAboutItself 0
                  0s 00000000000000020000000000000001:1: timer until 2026-01-01T00:01:00Z
                  1s test: abort Slow
                  1s test: abort TellsAboutItself
                  1s test: abort Slow
                  1s test: timer until 2026-01-01T00:00:02Z
                  1s test: Slow 3
                  2s test: abort Slow
            after 2s: "nothing came within 1s"
        "#]],
    );
}

#[crate::activity]
fn beating(ctx: &ActivityContext, beats: u32) -> u32 {
    for beat in 0..beats {
        ctx.heartbeat(&beat);
    }
    beats
}

#[crate::orchestrator]
async fn limits(ctx: Context, beats: u32) -> Result<u32, Failure> {
    let call = ctx.call(beating, &beats).tag("kind", "slow").timeout(SECOND * 30).heartbeat_timeout(SECOND * 5);
    call.retry(RetryPolicy::new(2, SECOND).retry_on(["Activity*"])).await
}

#[test]
fn an_activity_that_takes_too_long_is_stopped() {
    let takes = |seconds| Scripted::new().real(beating).activity_takes("Beating", SECOND * seconds);
    check(
        takes(60),
        limits,
        &2,
        expect![[r#"
                  0s test: Beating 2
                 31s test: Beating 2 (attempt 2)
            after 61s: ActivityTimeout: the activity was stopped after 30s
        "#]],
    );
    check(
        takes(6),
        limits,
        &0,
        expect![[r#"
                  0s test: Beating 0
                  6s test: Beating 0 (attempt 2)
            after 11s: ActivityHeartbeatTimeout: the activity was stopped after 5s
        "#]],
    );
    let outcome = takes(6).run(limits, &2);
    assert_eq!((outcome.result, outcome.elapsed), (Ok(2), SECOND * 6));
    assert_eq!(outcome.heartbeats, [("Beating".into(), 0.into()), ("Beating".into(), 1.into())]);
}

#[test]
fn heartbeats_of_an_activity_that_is_called_directly() {
    drop(take_heartbeats());
    beating(&ActivityContext::default(), 1);
    ActivityContext::default().heartbeat(&());
    assert_eq!(take_heartbeats(), [0.into(), serde_json::Value::Null]);
}
