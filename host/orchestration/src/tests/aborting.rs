//! Aborting a task: it is given up, and what was asked for is stopped.

use super::fixtures::account;
use super::world::{Scenario, at, check};
use super::{fail, ok};
use crate::RetryPolicy;
use expect_test::expect;
use std::time::Duration;

#[test]
fn a_running_activity_is_stopped() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (slow, patience) = (ctx.call("Slow", "1"), ctx.sleep(2));
        ctx.any(&[&slow, &patience]).await;
        ctx.abort(&slow);
        ctx.abort(&slow);
        ctx.call("Next", "2").await
    })
    .activity("Slow", 9, |call| Ok(call.input.clone()));
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Slow(1)
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:02.0000000Z
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #1
            2.000  TaskFailed                         #0 ! Canceled: it was canceled by the orchestrator that asked for it
            2.000  TaskScheduled                      #2 Next(2)
            2.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  TaskCompleted                      #2 = Next(2)
            3.000  ExecutionCompleted                 Completed Next(2)
            3.000  OrchestratorCompleted
        besides
            2.000  main stops activity #0
    "#]],
    );
}

#[test]
fn an_activity_that_was_just_asked_for_does_not_run() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.abort(&ctx.call("Slow", "1"));
        ctx.call("Next", "2").await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Slow(1)
            0.000  TaskFailed                         #0 ! Canceled: it was canceled by the orchestrator that asked for it
            0.000  TaskScheduled                      #1 Next(2)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #1 = Next(2)
            1.000  ExecutionCompleted                 Completed Next(2)
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn the_pause_before_a_retry_is_taken_back() {
    let policy = RetryPolicy::new(3, Duration::from_secs(9));
    let scenario = Scenario::new(move |ctx, _| {
        let policy = policy.clone();
        async move {
            let flaky = ctx.retry("Work", "1", policy);
            ctx.sleep(2).await?;
            ctx.abort(&flaky);
            ctx.sleep(20).await
        }
    })
    .activity("Work", 1, |_| fail("Flaky"));
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:02.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! Flaky: no luck
            1.000  TimerCreated                       #2 at 2024-01-01T00:00:10.0000000Z
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #1
            2.000  TimerCreated                       #3 at 2024-01-01T00:00:22.0000000Z
            2.000  OrchestratorCompleted
           22.000  OrchestratorStarted
           22.000  TimerFired                         #3
           22.000  ExecutionCompleted                 Completed null
           22.000  OrchestratorCompleted
        besides
            2.000  main takes timer #2 back
           22.000  main takes timer #2 back, which is not set
    "#]],
    );
}

#[test]
fn a_child_is_terminated_with_its_children() {
    let scenario = Scenario::new(|ctx, _| async move {
        let child = ctx.child_as("kid", "Child", "1");
        ctx.sleep(2).await?;
        ctx.abort(&child);
        ctx.sleep(2).await?;
        ok("done")
    })
    .orchestrator("Child", |ctx, input| async move {
        match input.as_str() {
            "1" => ctx.child_as("grandkid", "Child", "2").await,
            _ => ctx.event("never").await,
        }
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Child(1) as kid
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:02.0000000Z
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #1
            2.000  SubOrchestrationInstanceFailed     #0 ! Canceled: it was canceled by the orchestrator that asked for it
            2.000  TimerCreated                       #2 at 2024-01-01T00:00:04.0000000Z
            2.000  OrchestratorCompleted
            4.000  OrchestratorStarted
            4.000  TimerFired                         #2
            4.000  ExecutionCompleted                 Completed done
            4.000  OrchestratorCompleted
        kid: Terminated
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #0
            0.000  SubOrchestrationInstanceCreated    #0 Child(2) as grandkid
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  ExecutionTerminated                "canceled by its parent"
            2.000  ExecutionCompleted                 Terminated "canceled by its parent"
            2.000  OrchestratorCompleted
        grandkid: Terminated
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(2) for kid #0
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  ExecutionTerminated                "canceled by its parent"
            2.000  ExecutionCompleted                 Terminated "canceled by its parent"
            2.000  OrchestratorCompleted
        besides
            2.000  main ignored SubOrchestrationInstanceFailed: NothingWaits
            2.000  kid ignored SubOrchestrationInstanceFailed: Ended
    "#]],
    );
}

/// The answer came in the same turn, behind what made the code give up.
#[test]
fn what_is_answered_in_the_same_turn_stays_answered() {
    let scenario = Scenario::new(|ctx, _| async move {
        let work = ctx.call("Work", "1");
        let patience = ctx.event("enough");
        ctx.any(&[&work, &patience]).await;
        ctx.abort(&work);
        ctx.sleep(1).await?;
        ok("done")
    })
    .raise(1, "main", "enough", "null");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EventRaised                        enough(null)
            1.000  TaskCompleted                      #0 = Work(1)
            1.000  TimerCreated                       #1 at 2024-01-01T00:00:02.0000000Z
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #1
            2.000  ExecutionCompleted                 Completed done
            2.000  OrchestratorCompleted
    "#]],
    );
}

/// Everything else is given up as by `cancel`.
#[test]
fn what_cannot_be_stopped_is_given_up() {
    let scenario = Scenario::new(|ctx, _| async move {
        let tasks =
            [ctx.timer(at(9)), ctx.event("E"), ctx.entity(&account("1"), "add", "1"), ctx.lock(&[account("2")])];
        for task in &tasks {
            ctx.abort(task);
        }
        ctx.event("e").await
    })
    .raise(2, "main", "E", "7");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:09.0000000Z
            0.000  EntityOperationCalled              #1 @account@1 add(1)
            0.000  EntityLockRequested                #2 @account@2
            0.000  EntityUnlockSent                   #3 for #2
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityOperationCompleted           #1 = 1
            0.000  EntityLockGranted                  #2
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  EventRaised                        E(7)
            2.000  ExecutionCompleted                 Completed 7
            2.000  OrchestratorCompleted
        @account@1: 1
        besides
            0.000  @account@1 add(1) for main: 1
            2.000  main takes timer #0 back, which is not set
    "#]],
    );
}

#[test]
fn aborted_where_the_code_returns() {
    let scenario = Scenario::new(|ctx, _| async move {
        let slow = ctx.call("Slow", "1");
        ctx.sleep(1).await?;
        ctx.abort(&slow);
        ok("done")
    })
    .activity("Slow", 9, |call| Ok(call.input.clone()));
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Slow(1)
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #1
            1.000  TaskFailed                         #0 ! Canceled: it was canceled by the orchestrator that asked for it
            1.000  ExecutionCompleted                 Completed done
            1.000  OrchestratorCompleted
        besides
            1.000  main stops activity #0
    "#]],
    );
}
