//! Retry policies: the formula, each field, and what a history with retries looks like.

use super::world::{BEGIN, Scenario, at, check};
use super::{fail, ok, shown};
use crate::{Failure, GiveUp, RetryDecision, RetryPolicy, Timestamp};
use expect_test::{Expect, expect};
use std::time::Duration;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// 5, 10, 20, 40, 60 seconds.
fn back_off() -> RetryPolicy {
    RetryPolicy { backoff_coefficient: 2.0, max_interval: seconds(60), ..RetryPolicy::new(6, seconds(5)) }
}

/// An activity that fails at every try before this one.
fn succeeds_at(attempt: u32) -> impl Fn(&crate::ActivityTask) -> super::Outcome {
    move |call| if call.attempt < attempt { fail("Flaky") } else { ok("at last") }
}

/// Calls the activity `Work` with the policy and answers what came of it.
fn scenario(policy: RetryPolicy) -> Scenario {
    Scenario::new(move |ctx, _| {
        let policy = policy.clone();
        async move { ok(shown(&ctx.retry("Work", "1", policy).await)) }
    })
}

#[test]
fn back_off_grows_up_to_the_longest_pause() {
    check(
        &scenario(back_off()).activity("Work", 0, succeeds_at(6)),
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  TaskFailed                         #0 ! Flaky: no luck
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:05.0000000Z
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #1
            5.000  TaskScheduled                      #2 Work(1)
            5.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TaskFailed                         #2 ! Flaky: no luck
            5.000  TimerCreated                       #3 at 2024-01-01T00:00:15.0000000Z
            5.000  OrchestratorCompleted
           15.000  OrchestratorStarted
           15.000  TimerFired                         #3
           15.000  TaskScheduled                      #4 Work(1)
           15.000  OrchestratorCompleted
           15.000  OrchestratorStarted
           15.000  TaskFailed                         #4 ! Flaky: no luck
           15.000  TimerCreated                       #5 at 2024-01-01T00:00:35.0000000Z
           15.000  OrchestratorCompleted
           35.000  OrchestratorStarted
           35.000  TimerFired                         #5
           35.000  TaskScheduled                      #6 Work(1)
           35.000  OrchestratorCompleted
           35.000  OrchestratorStarted
           35.000  TaskFailed                         #6 ! Flaky: no luck
           35.000  TimerCreated                       #7 at 2024-01-01T00:01:15.0000000Z
           35.000  OrchestratorCompleted
           75.000  OrchestratorStarted
           75.000  TimerFired                         #7
           75.000  TaskScheduled                      #8 Work(1)
           75.000  OrchestratorCompleted
           75.000  OrchestratorStarted
           75.000  TaskFailed                         #8 ! Flaky: no luck
           75.000  TimerCreated                       #9 at 2024-01-01T00:02:15.0000000Z
           75.000  OrchestratorCompleted
          135.000  OrchestratorStarted
          135.000  TimerFired                         #9
          135.000  TaskScheduled                      #10 Work(1)
          135.000  OrchestratorCompleted
          135.000  OrchestratorStarted
          135.000  TaskCompleted                      #10 = at last
          135.000  ExecutionCompleted                 Completed at last
          135.000  OrchestratorCompleted
        besides
            5.000  main runs Work, attempt 2
           15.000  main runs Work, attempt 3
           35.000  main runs Work, attempt 4
           75.000  main runs Work, attempt 5
          135.000  main runs Work, attempt 6
    "#]],
    );
}

#[test]
fn after_the_last_attempt_the_failure_stands() {
    check(
        &scenario(RetryPolicy::new(2, seconds(5))).activity("Work", 1, succeeds_at(9)),
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! Flaky: no luck
            1.000  TimerCreated                       #1 at 2024-01-01T00:00:06.0000000Z
            1.000  OrchestratorCompleted
            6.000  OrchestratorStarted
            6.000  TimerFired                         #1
            6.000  TaskScheduled                      #2 Work(1)
            6.000  OrchestratorCompleted
            7.000  OrchestratorStarted
            7.000  TaskFailed                         #2 ! Flaky: no luck
            7.000  ExecutionCompleted                 Completed !Flaky: no luck
            7.000  OrchestratorCompleted
        besides
            6.000  main runs Work, attempt 2
    "#]],
    );
}

#[test]
fn a_single_attempt_is_no_retry() {
    check(
        &scenario(RetryPolicy::new(1, seconds(5))).activity("Work", 1, succeeds_at(9)),
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! Flaky: no luck
            1.000  ExecutionCompleted                 Completed !Flaky: no luck
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn no_try_begins_after_the_timeout() {
    // The second failure comes 8 s after the first try was asked for.
    let policy = RetryPolicy { retry_timeout: Some(seconds(8)), ..RetryPolicy::new(9, seconds(4)) };
    check(
        &scenario(policy).activity("Work", 2, succeeds_at(9)),
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskFailed                         #0 ! Flaky: no luck
            2.000  TimerCreated                       #1 at 2024-01-01T00:00:06.0000000Z
            2.000  OrchestratorCompleted
            6.000  OrchestratorStarted
            6.000  TimerFired                         #1
            6.000  TaskScheduled                      #2 Work(1)
            6.000  OrchestratorCompleted
            8.000  OrchestratorStarted
            8.000  TaskFailed                         #2 ! Flaky: no luck
            8.000  ExecutionCompleted                 Completed !Flaky: no luck
            8.000  OrchestratorCompleted
        besides
            6.000  main runs Work, attempt 2
    "#]],
    );
}

#[test]
fn a_non_retriable_failure_stands_at_once() {
    let script = |_: &crate::ActivityTask| Err(Failure::new("Refused", "for good").non_retriable());
    check(
        &scenario(back_off()).activity("Work", 1, script),
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! Refused: for good
            1.000  ExecutionCompleted                 Completed !Refused: for good
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn other_tasks_go_on_during_a_pause() {
    let scenario = Scenario::new(|ctx, _| async move {
        let flaky = ctx.retry("Work", "1", RetryPolicy::new(3, seconds(5)));
        let steady = ctx.call("Steady", "2").await?;
        ctx.call("Next", steady.as_str()).await?;
        flaky.await
    })
    .activity("Work", 1, succeeds_at(2));
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  TaskScheduled                      #1 Steady(2)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! Flaky: no luck
            1.000  TaskCompleted                      #1 = Steady(2)
            1.000  TimerCreated                       #2 at 2024-01-01T00:00:06.0000000Z
            1.000  TaskScheduled                      #3 Next(Steady(2))
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #3 = Next(Steady(2))
            2.000  OrchestratorCompleted
            6.000  OrchestratorStarted
            6.000  TimerFired                         #2
            6.000  TaskScheduled                      #4 Work(1)
            6.000  OrchestratorCompleted
            7.000  OrchestratorStarted
            7.000  TaskCompleted                      #4 = at last
            7.000  ExecutionCompleted                 Completed at last
            7.000  OrchestratorCompleted
        besides
            6.000  main runs Work, attempt 2
    "#]],
    );
}

#[test]
fn giving_up_in_a_pause_takes_its_timer_back() {
    let scenario = Scenario::new(|ctx, _| async move {
        let flaky = ctx.retry("Work", "1", RetryPolicy::new(3, seconds(500)));
        let deadline = ctx.sleep(10);
        let winner = ctx.any(&[&flaky, &deadline]).await;
        ctx.cancel(&flaky);
        ctx.call("Report", &winner.to_string()).await
    })
    .activity("Work", 1, succeeds_at(9));
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:10.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! Flaky: no luck
            1.000  TimerCreated                       #2 at 2024-01-01T00:08:21.0000000Z
            1.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  TimerFired                         #1
           10.000  TaskScheduled                      #3 Report(1)
           10.000  OrchestratorCompleted
           11.000  OrchestratorStarted
           11.000  TaskCompleted                      #3 = Report(1)
           11.000  ExecutionCompleted                 Completed Report(1)
           11.000  OrchestratorCompleted
        besides
           10.000  main takes timer #2 back
           11.000  main takes timer #2 back, which is not set
    "#]],
    );
}

#[test]
fn each_try_of_a_child_is_a_new_instance() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.sub_orchestration("Child", "1", None, Some(RetryPolicy::new(2, seconds(5)))).await
    })
    .orchestrator("Child", |_, _| async move { fail("Flaky") });
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Child(1) as 6a4f6e28286255cea1dbc1fecc96dc2a
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  SubOrchestrationInstanceFailed     #0 ! Flaky: no luck
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:05.0000000Z
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #1
            5.000  SubOrchestrationInstanceCreated    #2 Child(1) as 672237c00087552dada556b33545a704
            5.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  SubOrchestrationInstanceFailed     #2 ! Flaky: no luck
            5.000  ExecutionCompleted                 Failed Flaky: no luck
            5.000  OrchestratorCompleted
        6a4f6e28286255cea1dbc1fecc96dc2a: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #0
            0.000  ExecutionCompleted                 Failed Flaky: no luck
            0.000  OrchestratorCompleted
        672237c00087552dada556b33545a704: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #2
            0.000  ExecutionCompleted                 Failed Flaky: no luck
            0.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn a_chosen_child_id_is_used_again() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.sub_orchestration("Child", "1", Some("kid"), Some(RetryPolicy::new(2, seconds(5)))).await
    })
    .orchestrator("Child", |_, _| async move { fail("Flaky") });
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Child(1) as kid
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  SubOrchestrationInstanceFailed     #0 ! Flaky: no luck
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:05.0000000Z
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #1
            5.000  SubOrchestrationInstanceCreated    #2 Child(1) as kid
            5.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  SubOrchestrationInstanceFailed     #2 ! Flaky: no luck
            5.000  ExecutionCompleted                 Failed Flaky: no luck
            5.000  OrchestratorCompleted
        kid: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #0
            0.000  ExecutionCompleted                 Failed Flaky: no luck
            0.000  OrchestratorCompleted
        kid: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #2
            0.000  ExecutionCompleted                 Failed Flaky: no luck
            0.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn a_policy_that_cannot_be_followed_fails_the_call() {
    let policy = RetryPolicy { max_attempts: 0, ..back_off() };
    check(
        &scenario(policy),
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  ExecutionCompleted                 Completed !InvalidRetryPolicy: max-attempts is 0; it counts the first try too, so give at least 1
            0.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn ranges_of_the_fields() {
    let check = |policy: RetryPolicy, expected: &Expect| {
        expected.assert_eq(&policy.validate().map_or_else(|why| why.to_string(), |()| "valid".to_owned()));
    };
    let policy = back_off();
    check(policy.clone(), &expect!["valid"]);
    check(
        RetryPolicy { max_attempts: 0, ..policy.clone() },
        &expect!["max-attempts is 0; it counts the first try too, so give at least 1"],
    );
    check(
        RetryPolicy { first_interval: Duration::ZERO, ..policy.clone() },
        &expect!["first-interval is zero; give a duration above zero"],
    );
    check(
        RetryPolicy { backoff_coefficient: 0.99, ..policy.clone() },
        &expect!["backoff-coefficient is 0.99; give a number of at least 1"],
    );
    check(
        RetryPolicy { backoff_coefficient: f64::NAN, ..policy.clone() },
        &expect!["backoff-coefficient is NaN; give a number of at least 1"],
    );
    check(
        RetryPolicy { backoff_coefficient: f64::INFINITY, ..policy.clone() },
        &expect!["backoff-coefficient is inf; give a number of at least 1"],
    );
    check(
        RetryPolicy { max_interval: seconds(4), ..policy.clone() },
        &expect!["max-interval is 4s, shorter than first-interval 5s; give at least that"],
    );
    check(
        RetryPolicy { retry_timeout: Some(seconds(4)), ..policy.clone() },
        &expect!["retry-timeout is 4s, shorter than first-interval 5s; give at least that, or none"],
    );
    check(RetryPolicy { retry_timeout: Some(seconds(5)), ..policy }, &expect!["valid"]);
    // A first pause above the default longest one lifts it.
    check(RetryPolicy::new(1, seconds(86_400)), &expect!["valid"]);
}

#[test]
fn delays_of_the_vector() {
    let failure = Failure::new("Flaky", "");
    let decisions: Vec<_> = (0..6).map(|attempt| back_off().decide(&failure, attempt, BEGIN, BEGIN)).collect();
    let after = |s| RetryDecision::After(seconds(s));
    let gave_up = RetryDecision::GiveUp(GiveUp::Attempts);
    assert_eq!(decisions, [after(5), after(10), after(20), after(40), after(60), gave_up]);
}

#[test]
fn which_error_types_are_tried_again() {
    let check = |retry_on: &[&str], stop_on: &[&str], handled: &[&str], stopped: &[&str]| {
        let patterns = |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let policy = RetryPolicy { retry_on: patterns(retry_on), stop_on: patterns(stop_on), ..back_off() };
        let decide = |error_type: &str| policy.decide(&Failure::new(error_type, ""), 0, BEGIN, BEGIN);
        for error_type in handled {
            assert_eq!(decide(error_type), RetryDecision::After(seconds(5)), "{error_type} is tried again");
        }
        for error_type in stopped {
            assert_eq!(decide(error_type), RetryDecision::GiveUp(GiveUp::NotHandled), "{error_type} is not");
        }
    };
    check(&[], &[], &["Timeout", ""], &[]);
    check(&["Timeout"], &[], &["Timeout"], &["timeout", "TimeoutX", "", "X"]);
    check(&["Http*", "Timeout"], &[], &["Http", "Http503", "Timeout"], &["HTTP", "XHttp", "Timeout*"]);
    check(&["*"], &[], &["", "X"], &[]);
    check(&[], &["Refused*"], &["Timeout"], &["Refused", "RefusedForGood"]);
    check(&["Http*"], &["Http4*"], &["Http503"], &["Http404", "Timeout"]);
    check(&["*"], &["*"], &[], &["", "X"]);
}

#[test]
fn the_order_of_the_rules() {
    let check = |non_retriable: bool, error_type: &str, attempt: u32, now: Timestamp, expected: GiveUp| {
        let policy =
            RetryPolicy { stop_on: vec!["Refused".to_owned()], retry_timeout: Some(seconds(30)), ..back_off() };
        let failure = Failure { non_retriable, ..Failure::new(error_type, "") };
        assert_eq!(policy.decide(&failure, attempt, BEGIN, now), RetryDecision::GiveUp(expected));
    };
    check(true, "Refused", 5, at(99), GiveUp::NonRetriable);
    check(false, "Refused", 5, at(99), GiveUp::Attempts);
    check(false, "Refused", 0, at(99), GiveUp::NotHandled);
    check(false, "Flaky", 0, at(30), GiveUp::Timeout);
    check(false, "Flaky", u32::MAX, at(0), GiveUp::Attempts);
}
