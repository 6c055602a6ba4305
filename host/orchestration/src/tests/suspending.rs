//! Held orchestrations: what arrives is recorded at once, and seen by the code when it is resumed.

use super::fixtures::account;
use super::ok;
use super::world::{Scenario, at, check};
use crate::{RetryPolicy, StartOptions};
use expect_test::expect;
use std::time::Duration;

#[test]
fn what_comes_meanwhile_is_seen_in_order_after_the_resume() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (a, b, timer, event) = (ctx.call("A", "1"), ctx.call("B", "2"), ctx.sleep(3), ctx.event("E"));
        let tasks = [&a, &b, &timer, &event];
        let first = ctx.any(&tasks).await;
        ctx.log(format!("first {first} at {}", ctx.now()));
        let all = ctx.all(tasks.map(Clone::clone).to_vec()).await;
        ctx.call("C", "3").await?;
        ok(all.len().to_string())
    })
    .activity("B", 4, |call| Ok(call.input.clone()))
    .suspend(0, "main")
    .raise(2, "main", "e", "7")
    .resume(9, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  ExecutionSuspended                 wait
            0.000  TaskScheduled                      #0 A(1)
            0.000  TaskScheduled                      #1 B(2)
            0.000  TimerCreated                       #2 at 2024-01-01T00:00:03.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  EventRaised                        e(7)
            2.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  TimerFired                         #2
            3.000  OrchestratorCompleted
            4.000  OrchestratorStarted
            4.000  TaskCompleted                      #1 = 2
            4.000  OrchestratorCompleted
            9.000  OrchestratorStarted
            9.000  ExecutionResumed                   go on
            9.000  TaskScheduled                      #3 C(3)
            9.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  TaskCompleted                      #3 = C(3)
           10.000  ExecutionCompleted                 Completed 4
           10.000  OrchestratorCompleted
        besides
            9.000  main logged first 0 at 2024-01-01T00:00:09.0000000Z
    "#]],
    );
}

#[test]
fn held_before_the_first_line() {
    let scenario = Scenario::default()
        .orchestrator("Main", |ctx, _| async move {
            ctx.log(format!("begins at {}", ctx.now()));
            ctx.event("E").await
        })
        .start_with(0, "main", "Main", "0", StartOptions { start_at: Some(at(5)), ..StartOptions::default() })
        .suspend(1, "main")
        .raise(2, "main", "E", "7")
        .resume(8, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionSuspended                 wait
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EventRaised                        E(7)
            1.000  OrchestratorCompleted
            4.000  OrchestratorStarted
            4.000  ExecutionStarted                   Main(0)
            4.000  OrchestratorCompleted
            7.000  OrchestratorStarted
            7.000  ExecutionResumed                   go on
            7.000  ExecutionCompleted                 Completed 7
            7.000  OrchestratorCompleted
        besides
            8.000  main logged begins at 2024-01-01T00:00:08.0000000Z
    "#]],
    );
}

/// The code runs on what came before the hold in the same batch.
#[test]
fn held_in_the_middle_of_a_turn() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.event("A").await?;
        ctx.call("B", "2").await?;
        ctx.call("C", "3").await
    })
    .raise(1, "main", "A", "1")
    .suspend(1, "main")
    .raise(1, "main", "E", "7")
    .resume(4, "main")
    .suspend(4, "main")
    .resume(6, "main");
    check(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  EventRaised                        A(1)
                1.000  ExecutionSuspended                 wait
                1.000  EventRaised                        E(7)
                1.000  TaskScheduled                      #0 B(2)
                1.000  OrchestratorCompleted
                2.000  OrchestratorStarted
                2.000  TaskCompleted                      #0 = B(2)
                2.000  OrchestratorCompleted
                4.000  OrchestratorStarted
                4.000  ExecutionResumed                   go on
                4.000  ExecutionSuspended                 wait
                4.000  TaskScheduled                      #1 C(3)
                4.000  OrchestratorCompleted
                5.000  OrchestratorStarted
                5.000  TaskCompleted                      #1 = C(3)
                5.000  OrchestratorCompleted
                6.000  OrchestratorStarted
                6.000  ExecutionResumed                   go on
                6.000  ExecutionCompleted                 Completed C(3)
                6.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn a_retry_waits_too() {
    let policy = RetryPolicy::new(2, Duration::from_secs(1));
    let scenario = Scenario::new(move |ctx, _| {
        let policy = policy.clone();
        async move { ctx.retry("Work", "1", policy).await }
    })
    .activity("Work", 1, |call| if call.attempt == 1 { super::fail("Flaky") } else { Ok(call.input.clone()) })
    .suspend(0, "main")
    .resume(5, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  ExecutionSuspended                 wait
            0.000  TaskScheduled                      #0 Work(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! Flaky: no luck
            1.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  ExecutionResumed                   go on
            5.000  TimerCreated                       #1 at 2024-01-01T00:00:06.0000000Z
            5.000  OrchestratorCompleted
            6.000  OrchestratorStarted
            6.000  TimerFired                         #1
            6.000  TaskScheduled                      #2 Work(1)
            6.000  OrchestratorCompleted
            7.000  OrchestratorStarted
            7.000  TaskCompleted                      #2 = 1
            7.000  ExecutionCompleted                 Completed 1
            7.000  OrchestratorCompleted
        besides
            6.000  main runs Work, attempt 2
    "#]],
    );
}

#[test]
fn locks_and_entities_wait_too() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.lock(&[account("1")]).await?;
        let sum = ctx.entity(&account("1"), "add", "5").await?;
        ctx.unlock();
        Ok(sum)
    })
    .suspend(0, "main")
    .resume(2, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  ExecutionSuspended                 wait
            0.000  EntityLockRequested                #0 @account@1
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityLockGranted                  #0
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  ExecutionResumed                   go on
            2.000  EntityOperationCalled              #1 @account@1 add(5)
            2.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  EntityOperationCompleted           #1 = 5
            2.000  EntityUnlockSent                   #2 for #0
            2.000  ExecutionCompleted                 Completed 5
            2.000  OrchestratorCompleted
        @account@1: 5
        besides
            2.000  @account@1 add(5) for main: 5
    "#]],
    );
}

#[test]
fn terminated_while_held() {
    let scenario = Scenario::new(|ctx, _| async move { ctx.call("A", "1").await }).suspend(0, "main").terminate(
        5,
        "main",
        "\"enough\"",
    );
    check(
        &scenario,
        &expect![[r#"
        main: Terminated
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  ExecutionSuspended                 wait
            0.000  TaskScheduled                      #0 A(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  ExecutionTerminated                "enough"
            5.000  ExecutionCompleted                 Terminated "enough"
            5.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn held_twice_and_resumed_twice() {
    let scenario = Scenario::new(|ctx, _| async move { ctx.event("E").await })
        .suspend(1, "main")
        .suspend(2, "main")
        .resume(3, "main")
        .resume(4, "main")
        .raise(5, "main", "E", "7");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  ExecutionSuspended                 wait
            1.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  ExecutionResumed                   go on
            3.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  EventRaised                        E(7)
            5.000  ExecutionCompleted                 Completed 7
            5.000  OrchestratorCompleted
        besides
            2.000  main ignored ExecutionSuspended: SuspendedBefore
            4.000  main ignored ExecutionResumed: NotSuspended
    "#]],
    );
}

/// The next execution is held as this one was to be.
#[test]
fn held_while_it_continues_as_new() {
    let scenario = Scenario::new(|ctx, input| async move {
        if input.as_str() == "0" {
            ctx.event("next").await?;
            ctx.continue_as_new("1", true);
            return ok("over");
        }
        ctx.event("E").await
    })
    .raise(1, "main", "next", "null")
    .suspend(1, "main")
    .raise(1, "main", "E", "7")
    .resume(5, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Running
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  OrchestratorCompleted
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionSuspended                 wait
            0.000  ExecutionStarted                   Main(1)
            0.000  EventRaised                        E(7)
            0.000  OrchestratorCompleted
            4.000  OrchestratorStarted
            4.000  ExecutionResumed                   go on
            4.000  ExecutionCompleted                 Completed 7
            4.000  OrchestratorCompleted
        besides
            1.000  main continues as new with 1
    "#]],
    );
}
