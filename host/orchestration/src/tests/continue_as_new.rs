//! Continue-as-new: what goes over into the next execution, and what wins over it.

use super::world::{Scenario, check};
use super::{fail, ok};
use crate::Json;
use expect_test::expect;

/// The number that an input is.
fn number(input: &Json) -> u32 {
    input.as_str().parse().unwrap()
}

#[test]
fn a_loop_of_executions_under_one_id() {
    let scenario = Scenario::new(|ctx, input| async move {
        let price = ctx.call("Price", input.as_str()).await?;
        if number(&input) < 2 {
            ctx.continue_as_new(&(number(&input) + 1).to_string(), false);
        }
        Ok(price)
    });
    check(
        &scenario,
        &expect![[r#"
        main: Running
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Price(0)
            0.000  OrchestratorCompleted
        main: Running
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(1)
            0.000  TaskScheduled                      #0 Price(1)
            0.000  OrchestratorCompleted
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(2)
            0.000  TaskScheduled                      #0 Price(2)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = Price(2)
            1.000  ExecutionCompleted                 Completed Price(2)
            1.000  OrchestratorCompleted
        besides
            1.000  main continues as new with 1
            2.000  main continues as new with 2
    "#]],
    );
}

/// Waits for `Go`, keeps or drops what else came, and answers what the second execution finds.
fn carry_over(preserve: bool) -> Scenario {
    Scenario::new(move |ctx, input| async move {
        if number(&input) == 0 {
            ctx.event("Go").await?;
            ctx.continue_as_new("1", preserve);
            return ok("ignored");
        }
        let (first, second, deadline) = (ctx.event("A"), ctx.event("A"), ctx.sleep(60));
        ctx.any(&[&second, &deadline]).await;
        first.await
    })
    .raise(1, "main", "A", "1")
    .raise(2, "main", "B", "2")
    .raise(3, "main", "a", "3")
    .raise(5, "main", "Go", "null")
    .raise(5, "main", "A", "4")
    .raise(9, "main", "A", "5")
}

#[test]
fn untaken_events_go_over_in_the_order_of_arrival() {
    check(
        &carry_over(true),
        &expect![[r#"
        main: Running
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EventRaised                        A(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  EventRaised                        B(2)
            2.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  EventRaised                        a(3)
            3.000  OrchestratorCompleted
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(1)
            0.000  EventRaised                        A(1)
            0.000  EventRaised                        B(2)
            0.000  EventRaised                        a(3)
            0.000  EventRaised                        A(4)
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:05.0000000Z
            0.000  ExecutionCompleted                 Completed 1
            0.000  OrchestratorCompleted
        besides
            5.000  main continues as new with 1
            9.000  main ignored EventRaised: Ended
    "#]],
    );
}

#[test]
fn without_preserving_only_what_came_behind_goes_over() {
    check(
        &carry_over(false),
        &expect![[r#"
        main: Running
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EventRaised                        A(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  EventRaised                        B(2)
            2.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  EventRaised                        a(3)
            3.000  OrchestratorCompleted
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(1)
            0.000  EventRaised                        A(4)
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:05.0000000Z
            0.000  OrchestratorCompleted
            4.000  OrchestratorStarted
            4.000  EventRaised                        A(5)
            4.000  ExecutionCompleted                 Completed 4
            4.000  OrchestratorCompleted
        besides
            5.000  main continues as new with 1
            9.000  main takes timer #0 back
    "#]],
    );
}

#[test]
fn an_event_on_its_way_to_a_task_is_untaken() {
    let scenario = Scenario::new(|ctx, input| async move {
        if number(&input) > 0 {
            return ctx.event("A").await;
        }
        ctx.sleep(5).await?;
        let (first, second) = (ctx.event("A"), ctx.event("A"));
        let got = first.await?;
        // The second one has its event, but nobody has seen it; a third waits for nothing.
        let (_, _) = (second, ctx.event("A"));
        ctx.continue_as_new(got.as_str(), true);
        ok("ignored")
    })
    .raise(1, "main", "A", "1")
    .raise(2, "main", "A", "2");
    check(
        &scenario,
        &expect![[r#"
        main: Running
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:05.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EventRaised                        A(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  EventRaised                        A(2)
            2.000  OrchestratorCompleted
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(1)
            0.000  EventRaised                        A(2)
            0.000  ExecutionCompleted                 Completed 2
            0.000  OrchestratorCompleted
        besides
            5.000  main continues as new with 1
    "#]],
    );
}

#[test]
fn events_go_over_more_than_once() {
    let scenario = Scenario::new(|ctx, input| async move {
        if number(&input) < 2 {
            ctx.continue_as_new(&(number(&input) + 1).to_string(), true);
            return ok("ignored");
        }
        let (first, second) = (ctx.event("A").await?, ctx.event("A").await?);
        ok(format!("{first} {second}"))
    })
    .raise(0, "main", "A", "1")
    .raise(0, "main", "A", "2");
    check(
        &scenario,
        &expect![[r#"
        main: Pending
        main: Running
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(2)
            0.000  EventRaised                        A(1)
            0.000  EventRaised                        A(2)
            0.000  ExecutionCompleted                 Completed 1 2
            0.000  OrchestratorCompleted
        besides
            0.000  main continues as new with 1
            0.000  main continues as new with 2
    "#]],
    );
}

#[test]
fn a_failure_after_it_wins() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.continue_as_new("1", true);
        fail("TooLate")
    });
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  ExecutionCompleted                 Failed TooLate: no luck
            0.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn a_termination_in_the_same_batch_wins() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.event("Go").await?;
        ctx.continue_as_new("1", true);
        ok("ignored")
    })
    .raise(1, "main", "Go", "1")
    .terminate(1, "main", "\"stop\"");
    check(
        &scenario,
        &expect![[r#"
        main: Terminated
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EventRaised                        Go(1)
            1.000  ExecutionTerminated                "stop"
            1.000  ExecutionCompleted                 Terminated "stop"
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn asked_for_twice_the_last_one_counts_and_only_at_the_return() {
    let scenario = Scenario::new(|ctx, input| async move {
        if number(&input) == 0 {
            ctx.continue_as_new("1", true);
            ctx.sleep(1).await?;
            ctx.continue_as_new("2", true);
        }
        Ok(input)
    });
    check(
        &scenario,
        &expect![[r#"
        main: Running
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(2)
            0.000  ExecutionCompleted                 Completed 2
            0.000  OrchestratorCompleted
        besides
            1.000  main continues as new with 2
    "#]],
    );
}

#[test]
fn answers_for_the_old_execution_are_stale() {
    let scenario = Scenario::new(|ctx, input| async move {
        if number(&input) > 0 {
            return ctx.sleep(60).await;
        }
        ctx.call("Slow", "1");
        ctx.child_as("kid", "Child", "1");
        ctx.sleep(20);
        ctx.sleep(1).await?;
        ctx.call("Slow", "2");
        ctx.sleep(30);
        ctx.continue_as_new("1", true);
        ok("ignored")
    })
    .activity("Slow", 5, |call| Ok(call.input.clone()))
    .orchestrator("Child", |ctx, _| async move { ctx.sleep(10).await });
    check(
        &scenario,
        &expect![[r#"
        main: Running
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Slow(1)
            0.000  SubOrchestrationInstanceCreated    #1 Child(1) as kid
            0.000  TimerCreated                       #2 at 2024-01-01T00:00:20.0000000Z
            0.000  TimerCreated                       #3 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(1)
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:01.0000000Z
            0.000  OrchestratorCompleted
           60.000  OrchestratorStarted
           60.000  TimerFired                         #0
           60.000  ExecutionCompleted                 Completed null
           60.000  OrchestratorCompleted
        kid: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #1
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:10.0000000Z
            0.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  TimerFired                         #0
           10.000  ExecutionCompleted                 Completed null
           10.000  OrchestratorCompleted
        besides
            1.000  main takes timer #2 back
            1.000  main continues as new with 1
            5.000  main ignored TaskCompleted: StaleExecution
            6.000  main ignored TaskCompleted: StaleExecution
           10.000  main ignored SubOrchestrationInstanceCompleted: StaleExecution
    "#]],
    );
}

#[test]
fn a_parent_hears_of_the_last_execution_only() {
    let scenario = Scenario::new(|ctx, _| async move { ctx.child_as("kid", "Child", "0").await }).orchestrator(
        "Child",
        |ctx, input| async move {
            ctx.sleep(1).await?;
            if number(&input) < 1 {
                ctx.continue_as_new("1", true);
            }
            Ok(input)
        },
    );
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Child(0) as kid
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  SubOrchestrationInstanceCompleted  #0 = 1
            2.000  ExecutionCompleted                 Completed 1
            2.000  OrchestratorCompleted
        kid: Running
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(0) for main #0
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
        kid: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #0
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:02.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #0
            1.000  ExecutionCompleted                 Completed 1
            1.000  OrchestratorCompleted
        besides
            1.000  kid continues as new with 1
    "#]],
    );
}
