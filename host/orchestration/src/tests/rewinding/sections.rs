//! Rewinds of what held locks, or waited for them: a critical section that was open at the failure is asked for again before
//! anything runs.

use super::{check_rewound, fails_in};
use crate::tests::fixtures::account;
use crate::tests::world::Scenario;
use expect_test::expect;

/// The locks went with the failure. The instance waits until it has them again, and holds none at its end.
#[test]
fn a_failure_within_a_critical_section() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.lock(&[account("1"), account("2")]).await?;
        ctx.entity(&account("1"), "add", "1").await?;
        ctx.call("Flaky", "1").await?;
        ctx.entity(&account("2"), "add", "1").await
    })
    .orchestrator("Other", |ctx, _| async move {
        ctx.lock(&[account("2")]).await?;
        ctx.sleep(10).await
    })
    .start(8, "other", "Other", "0")
    .activity("Flaky", 1, fails_in(1))
    .rewind(10, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  EntityLockRequested                #0 @account@1, @account@2
                0.000  OrchestratorCompleted
                0.000  OrchestratorStarted
                0.000  EntityLockGranted                  #0
                0.000  EntityOperationCalled              #1 @account@1 add(1)
                0.000  OrchestratorCompleted
                0.000  OrchestratorStarted
                0.000  EntityOperationCompleted           #1 = 1
                0.000  TaskScheduled                      #2 Flaky(1)
                0.000  OrchestratorCompleted
               18.000  OrchestratorStarted
               18.000  ExecutionRewound                   once more
               18.000  TaskCompleted                      #2 = Flaky(1)
               18.000  EntityOperationCalled              #3 @account@2 add(1)
               18.000  OrchestratorCompleted
               18.000  OrchestratorStarted
               18.000  EntityOperationCompleted           #3 = 1
               18.000  ExecutionCompleted                 Completed 1
               18.000  OrchestratorCompleted
            @account@1: 1
            @account@2: 1
            other: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Other(0)
                0.000  EntityLockRequested                #0 @account@2
                0.000  OrchestratorCompleted
                0.000  OrchestratorStarted
                0.000  EntityLockGranted                  #0
                0.000  TimerCreated                       #1 at 2024-01-01T00:00:18.0000000Z
                0.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  TimerFired                         #1
               10.000  ExecutionCompleted                 Completed null
               10.000  OrchestratorCompleted
            besides
                0.000  @account@1 add(1) for main: 1
               18.000  main ignored EntityLockGranted: NothingWaits
               18.000  @account@2 add(1) for main: 1
        "#]],
    );
}

/// It failed before it had the lock.
#[test]
fn a_failure_while_waiting_for_a_lock() {
    let scenario = Scenario::new(|ctx, _| async move {
        let lock = ctx.lock(&[account("1")]);
        ctx.call("Flaky", "1").await?;
        lock.await?;
        ctx.entity(&account("1"), "add", "1").await
    })
    .orchestrator("Other", |ctx, _| async move {
        ctx.lock(&[account("1")]).await?;
        ctx.sleep(10).await
    })
    .start(0, "other", "Other", "0")
    .activity("Flaky", 1, fails_in(1))
    .rewind(5, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  EntityLockRequested                #0 @account@1
                0.000  TaskScheduled                      #1 Flaky(1)
                0.000  OrchestratorCompleted
                5.000  OrchestratorStarted
                5.000  ExecutionRewound                   once more
                5.000  OrchestratorCompleted
                6.000  OrchestratorStarted
                6.000  TaskCompleted                      #1 = Flaky(1)
                6.000  OrchestratorCompleted
               11.000  OrchestratorStarted
               11.000  EntityLockGranted                  #0
               11.000  EntityOperationCalled              #2 @account@1 add(1)
               11.000  OrchestratorCompleted
               11.000  OrchestratorStarted
               11.000  EntityOperationCompleted           #2 = 1
               11.000  ExecutionCompleted                 Completed 1
               11.000  OrchestratorCompleted
            other: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Other(0)
                0.000  EntityLockRequested                #0 @account@1
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  EntityLockGranted                  #0
                1.000  TimerCreated                       #1 at 2024-01-01T00:00:11.0000000Z
                1.000  OrchestratorCompleted
               11.000  OrchestratorStarted
               11.000  TimerFired                         #1
               11.000  ExecutionCompleted                 Completed null
               11.000  OrchestratorCompleted
            @account@1: 1
            besides
               11.000  @account@1 add(1) for main: 1
        "#]],
    );
}
