//! The testing harness: clocks, retries, events, children and generations.

use std::time::Duration;

use expect_test::{Expect, expect};
use futures::future::{join_all, try_join};
use futures::{FutureExt, select_biased};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::testing::Scripted;
use crate::{Context, Failure, Level, Orchestrator, RetryPolicy, Timestamp};

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

fn busy() -> Failure {
    Failure::new("Busy", "call again")
}

#[crate::orchestrator]
async fn patient(ctx: Context, attempts: u32) -> Result<String, Failure> {
    let policy = RetryPolicy::new(attempts, SECOND)
        .backoff(3.0)
        .max_interval(SECOND * 5)
        .timeout(SECOND * 20)
        .retry_on(["Bus*"])
        .stop_on(["BusStrike"]);
    ctx.call_by_name("Flaky", &"in").retry(policy).await
}

#[test]
fn retries_wait_as_the_policy_says() {
    check(
        Scripted::new().activity_results("Flaky", [Err(busy()), Err(busy()), Err(busy()), Ok("at last")]),
        patient,
        &5,
        expect![[r#"
                  0s test: Flaky "in"
                  1s test: Flaky "in" (attempt 2)
                  4s test: Flaky "in" (attempt 3)
                  9s test: Flaky "in" (attempt 4)
            after 9s: "at last"
        "#]],
    );
}

#[test]
fn retries_end() {
    let always = |error_type: &'static str| {
        Scripted::new().activity("Flaky", move |_: String| Err::<(), _>(Failure::new(error_type, "no")))
    };
    assert_eq!(always("Busy").run(patient, &3).count("Flaky"), 3, "at the last attempt");
    assert_eq!(always("BusStrike").run(patient, &3).count("Flaky"), 1, "at a type to stop on");
    assert_eq!(always("SoldOut").run(patient, &3).count("Flaky"), 1, "at a type that is not retried");
    // Tries at 0, 1, 4, 9, 14, 19 and 24 s: the failure at 24 s is the first after the timeout.
    assert_eq!(always("Busy").run(patient, &100).count("Flaky"), 7, "at the first failure after the timeout");
    let fatal = Scripted::new().activity("Flaky", |_: String| Err::<(), _>(busy().non_retriable()));
    assert_eq!(fatal.run(patient, &3).count("Flaky"), 1, "at a non-retriable failure");
}

#[crate::orchestrator]
async fn race(ctx: Context) -> Result<String, Failure> {
    let mut approval = ctx.wait_for_event::<String>("Approval");
    let mut deadline = ctx.sleep(SECOND * 10);
    select_biased! {
        by = approval => Ok(by?),
        () = deadline => Ok("nobody".into()),
    }
}

#[test]
fn an_event_races_a_timer() {
    check(
        Scripted::new().event_at(SECOND * 3, "APPROVAL", "the boss"),
        race,
        &(),
        expect![[r#"
                  0s test: event Approval
                  0s test: timer until 2026-01-01T00:00:10Z
            after 3s: "the boss"
        "#]],
    );
    check(
        Scripted::new().event_at(SECOND * 11, "Approval", "the boss"),
        race,
        &(),
        expect![[r#"
                  0s test: event Approval
                  0s test: timer until 2026-01-01T00:00:10Z
            after 10s: "nobody"
        "#]],
    );
}

#[crate::orchestrator]
async fn collect(ctx: Context, events: usize) -> Result<Vec<u32>, Failure> {
    ctx.sleep(SECOND).await;
    let mut payloads = Vec::new();
    for _ in 0..events {
        payloads.push(ctx.wait_for_event("Number").await?);
    }
    Ok(payloads)
}

#[test]
fn events_are_kept_in_order() {
    let script = Scripted::new()
        .event_at(Duration::ZERO, "number", &1)
        .event_at(Duration::ZERO, "NUMBER", &2)
        .event_at(SECOND * 2, "Number", &3);
    assert_eq!(script.run(collect, &3).result, Ok(vec![1, 2, 3]));
}

#[test]
#[should_panic(expected = "instance 'test' waits for event 'number'; see Scripted::event_at")]
fn a_script_that_ends_too_early_says_so() {
    Scripted::new().run(collect, &1);
}

#[test]
#[should_panic(expected = "the script does not answer the activity 'Flaky'")]
fn an_activity_that_nobody_answers_is_named() {
    Scripted::new().run(patient, &1);
}

#[crate::orchestrator]
async fn worker(ctx: Context, seconds: u64) -> Result<u64, Failure> {
    ctx.sleep(SECOND * u32::try_from(seconds)?).await;
    ctx.info(format_args!("worked for {seconds} s"));
    match seconds {
        0 => Err(Failure::new("Idle", "nothing to do")),
        seconds => ctx.call_by_name("Double", &seconds).await,
    }
}

#[crate::orchestrator]
async fn team(ctx: Context, work: Vec<u64>) -> Result<u64, Failure> {
    let children = work.iter().map(|seconds| ctx.call_sub(worker, seconds));
    let results: Result<Vec<u64>, _> = join_all(children).await.into_iter().collect();
    Ok(results?.iter().sum())
}

#[test]
fn children_run_beside_each_other() {
    let double = |n: u64| Ok(2 * n);
    check(
        Scripted::new().activity("Double", double).activity_takes("Double", SECOND * 10),
        team,
        &vec![2, 1],
        expect![[r#"
                  0s test: orchestrator Worker 2
                  0s 00000000000000010000000000000001:1: timer until 2026-01-01T00:00:02Z
                  0s test: orchestrator Worker 1
                  0s 00000000000000010000000000000001:2: timer until 2026-01-01T00:00:01Z
                  1s 00000000000000010000000000000001:2: Double 1
                  2s 00000000000000010000000000000001:1: Double 2
            after 12s: 6
        "#]],
    );
    let outcome = Scripted::new().activity("Double", double).run(team, &vec![1, 0]);
    assert!(outcome.result.unwrap_err().is("Idle"));
    assert_eq!(outcome.log.len(), 2);
    assert!(outcome.log.iter().all(|line| line.level == Level::Info));
}

#[test]
fn children_can_be_scripted() {
    let outcome = Scripted::new().sub_orchestrator("Worker", |n: u64| Ok(100 * n)).run(team, &vec![1, 2]);
    assert_eq!((outcome.result, outcome.elapsed), (Ok(300), Duration::ZERO));
}

#[crate::orchestrator]
async fn persistent(ctx: Context) -> Result<u64, Failure> {
    let policy = RetryPolicy::new(3, SECOND);
    ctx.call_sub(worker, &0).with_instance_id("child").retry(policy).await
}

#[test]
fn children_are_retried() {
    check(
        Scripted::new(),
        persistent,
        &(),
        expect![[r#"
                  0s test: orchestrator Worker 0
                  0s child: timer until 2026-01-01T00:00:00Z
                  1s test: orchestrator Worker 0 (attempt 2)
                  1s child: timer until 2026-01-01T00:00:01Z
                  2s test: orchestrator Worker 0 (attempt 3)
                  2s child: timer until 2026-01-01T00:00:02Z
            after 2s: Idle: nothing to do
        "#]],
    );
}

#[crate::orchestrator]
async fn count_down(ctx: Context, n: u32) -> Result<String, Failure> {
    ctx.set_custom_status(&format!("{n} to go"));
    let word: String = ctx.wait_for_event("Word").await?;
    match n {
        0 => Ok(word),
        n => ctx.continue_as_new(&(n - 1)),
    }
}

#[test]
fn generations_follow_each_other() {
    let words = |script: Scripted| ["a", "b", "c"].iter().fold(script, |s, word| s.event_at(SECOND, "Word", word));
    let outcome = words(Scripted::new()).run(count_down, &2);
    assert_eq!(outcome.result, Ok("c".into()));
    assert_eq!(outcome.continued_as_new, [1, 0]);
    assert_eq!(outcome.custom_status, Some("0 to go".into()));
    let stopped = words(Scripted::new()).max_generations(2).run(count_down, &2);
    assert!(stopped.result.unwrap_err().is("TooManyGenerations"));
}

#[crate::orchestrator]
async fn impatient(ctx: Context) -> Result<String, Failure> {
    let slow = ctx.call_by_name::<String>("Slow", &());
    match ctx.timeout(SECOND, slow).await {
        Ok(result) => result,
        Err(timed_out) => Ok(timed_out.to_string()),
    }
}

/// The loser of a race is dropped, and the clock does not wait for it.
#[test]
fn a_timeout_gives_up_what_is_slow() {
    let slow = |takes| Scripted::new().activity("Slow", |()| Ok("done")).activity_takes("Slow", takes);
    let outcome = slow(SECOND * 60).run(impatient, &());
    assert_eq!((outcome.result.as_deref(), outcome.elapsed), (Ok("nothing came within 1s"), SECOND));
    let outcome = slow(SECOND / 2).run(impatient, &());
    assert_eq!((outcome.result.as_deref(), outcome.elapsed), (Ok("done"), SECOND / 2));
}

#[crate::orchestrator]
async fn who(ctx: Context) -> Result<(String, String, String, Timestamp), Failure> {
    let (one, two) = try_join(
        ctx.call_by_name::<u32>("Slow", &()),
        ctx.call_by_name::<u32>("Slow", &()).map(|result| result.map(|n| n + 1)),
    )
    .await?;
    assert_eq!((one, two), (1, 2));
    Ok((ctx.instance_id(), ctx.new_guid(), ctx.new_guid(), ctx.now()))
}

#[test]
fn the_world_is_the_same_every_time() {
    let run = || {
        let start = "2030-06-01T12:00:00Z".parse().unwrap();
        let script = Scripted::new().instance_id("me").starting_at(start).activity("Slow", |()| Ok(1));
        script.activity_takes("Slow", SECOND).run(who, &()).result.unwrap()
    };
    let (id, first, second, now) = run();
    assert_eq!(run(), (id.clone(), first.clone(), second.clone(), now));
    assert_eq!((id.as_str(), now.to_string().as_str()), ("me", "2030-06-01T12:00:01Z"));
    assert_ne!(first, second);
}
