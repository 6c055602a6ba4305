//! Terminate: from outside, at once, whatever the code does.

use super::ok;
use super::world::{Scenario, check};
use expect_test::expect;

#[test]
fn while_running() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (work, deadline) = (ctx.call("Slow", "1"), ctx.sleep(60));
        ctx.any(&[&work, &deadline]).await;
        ok("never")
    })
    .activity("Slow", 9, |call| Ok(call.input.clone()))
    .terminate(5, "main", "\"enough\"");
    check(
        &scenario,
        &expect![[r#"
            main: Terminated
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  TaskScheduled                      #0 Slow(1)
                0.000  TimerCreated                       #1 at 2024-01-01T00:01:00.0000000Z
                0.000  OrchestratorCompleted
                5.000  OrchestratorStarted
                5.000  ExecutionTerminated                "enough"
                5.000  ExecutionCompleted                 Terminated "enough"
                5.000  OrchestratorCompleted
            besides
                5.000  main takes timer #1 back
                5.000  main stops activity #0
        "#]],
    );
}

#[test]
fn in_the_batch_of_the_start() {
    let scenario = Scenario::default()
        .orchestrator("Main", |ctx, _| async move { ctx.call("Work", "1").await })
        .terminate(1, "main", "1")
        .start(1, "main", "Main", "0");
    // Whether it comes before or behind the start, the code never runs.
    let scenario = scenario.start(2, "other", "Main", "0").terminate(2, "other", "2");
    check(
        &scenario,
        &expect![[r#"
        main: Terminated
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  ExecutionTerminated                1
            0.000  ExecutionCompleted                 Terminated 1
            0.000  OrchestratorCompleted
        other: Terminated
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  ExecutionTerminated                2
            0.000  ExecutionCompleted                 Terminated 2
            0.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn twice_the_first_one_counts() {
    let scenario = Scenario::new(|ctx, _| async move { ctx.sleep(60).await })
        .terminate(5, "main", "1")
        .terminate(5, "main", "2")
        .terminate(6, "main", "3");
    check(
        &scenario,
        &expect![[r#"
        main: Terminated
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:00.0000000Z
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  ExecutionTerminated                1
            5.000  ExecutionCompleted                 Terminated 1
            5.000  OrchestratorCompleted
        besides
            5.000  main ignored ExecutionTerminated: Ended
            5.000  main takes timer #0 back
            6.000  main ignored ExecutionTerminated: Ended
    "#]],
    );
}

#[test]
fn with_answers_before_and_behind_it() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (a, b) = (ctx.event("A"), ctx.event("B"));
        a.await?;
        ctx.call("Never", "1");
        b.await
    })
    .raise(5, "main", "A", "1")
    .terminate(5, "main", "null")
    .raise(5, "main", "B", "2");
    check(
        &scenario,
        &expect![[r#"
        main: Terminated
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  EventRaised                        A(1)
            5.000  ExecutionTerminated                null
            5.000  ExecutionCompleted                 Terminated null
            5.000  OrchestratorCompleted
        besides
            5.000  main ignored EventRaised: Ended
    "#]],
    );
}

#[test]
fn after_the_end() {
    let scenario = Scenario::new(|_, input| async move { Ok(input) }).terminate(5, "main", "1");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  ExecutionCompleted                 Completed 0
            0.000  OrchestratorCompleted
        besides
            5.000  main ignored ExecutionTerminated: Ended
    "#]],
    );
}

#[test]
fn children_go_on() {
    let scenario = Scenario::new(|ctx, _| async move { ctx.child_as("kid", "Child", "1").await })
        .orchestrator("Child", |ctx, _| async move { ctx.sleep(9).await })
        .terminate(5, "main", "1");
    check(
        &scenario,
        &expect![[r#"
        main: Terminated
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Child(1) as kid
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  ExecutionTerminated                1
            5.000  ExecutionCompleted                 Terminated 1
            5.000  OrchestratorCompleted
        kid: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #0
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:09.0000000Z
            0.000  OrchestratorCompleted
            9.000  OrchestratorStarted
            9.000  TimerFired                         #0
            9.000  ExecutionCompleted                 Completed null
            9.000  OrchestratorCompleted
        besides
            9.000  main ignored SubOrchestrationInstanceCompleted: Ended
    "#]],
    );
}
