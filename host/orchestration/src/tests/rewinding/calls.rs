//! What a rewind makes of calls that failed, and of what was open beside them.

use super::{check_rewound, fails_in, three_steps};
use crate::tests::fixtures::account;
use crate::tests::world::{Scenario, check};
use crate::tests::{fail, ok, shown};
use expect_test::expect;

#[test]
fn an_uncaught_failure() {
    let scenario = Scenario::new(three_steps).activity("Flaky", 1, fails_in(1)).rewind(10, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 First(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = First(1)
            1.000  TaskScheduled                      #1 Flaky(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskFailed                         #1 ! Flaky: no luck
            2.000  ExecutionCompleted                 Failed Flaky: no luck
            2.000  OrchestratorCompleted
        is rewound
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 First(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = First(1)
            1.000  TaskScheduled                      #1 Flaky(1)
            1.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  ExecutionRewound                   once more
           10.000  OrchestratorCompleted
           11.000  OrchestratorStarted
           11.000  TaskCompleted                      #1 = Flaky(1)
           11.000  TaskScheduled                      #2 Last(1)
           11.000  OrchestratorCompleted
           12.000  OrchestratorStarted
           12.000  TaskCompleted                      #2 = Last(1)
           12.000  ExecutionCompleted                 Completed First(1) Flaky(1) Last(1)
           12.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn a_rewind_can_be_repeated() {
    let scenario = Scenario::new(three_steps).activity("Flaky", 1, fails_in(2)).rewind(10, "main").rewind(20, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 First(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = First(1)
            1.000  TaskScheduled                      #1 Flaky(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskFailed                         #1 ! Flaky: no luck
            2.000  ExecutionCompleted                 Failed Flaky: no luck
            2.000  OrchestratorCompleted
        is rewound
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 First(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = First(1)
            1.000  TaskScheduled                      #1 Flaky(1)
            1.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  ExecutionRewound                   once more
           10.000  OrchestratorCompleted
           11.000  OrchestratorStarted
           11.000  TaskFailed                         #1 ! Flaky: no luck
           11.000  ExecutionCompleted                 Failed Flaky: no luck
           11.000  OrchestratorCompleted
        is rewound
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 First(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = First(1)
            1.000  TaskScheduled                      #1 Flaky(1)
            1.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  ExecutionRewound                   once more
           10.000  OrchestratorCompleted
           20.000  OrchestratorStarted
           20.000  ExecutionRewound                   once more
           20.000  OrchestratorCompleted
           21.000  OrchestratorStarted
           21.000  TaskCompleted                      #1 = Flaky(1)
           21.000  TaskScheduled                      #2 Last(1)
           21.000  OrchestratorCompleted
           22.000  OrchestratorStarted
           22.000  TaskCompleted                      #2 = Last(1)
           22.000  ExecutionCompleted                 Completed First(1) Flaky(1) Last(1)
           22.000  OrchestratorCompleted
    "#]],
    );
}

/// Two clients ask at once.
#[test]
fn two_demands_are_one_rewind() {
    let once = || Scenario::new(three_steps).activity("Flaky", 1, fails_in(1)).rewind(10, "main");
    assert_eq!(once().rewind(10, "main").story(), once().story());
}

#[test]
fn a_failure_in_a_fan_out() {
    let scenario = Scenario::new(|ctx, _| async move {
        let tasks = vec![ctx.call("Flaky", "1"), ctx.call("Slow", "2"), ctx.call("Fast", "3")];
        let mut seen = Vec::new();
        for outcome in ctx.all(tasks).await {
            seen.push(outcome?.to_string());
        }
        ok(seen.join(" "))
    })
    .activity("Flaky", 1, fails_in(1))
    .activity("Slow", 3, |_| ok("slow"))
    .rewind(10, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  TaskScheduled                      #0 Flaky(1)
                0.000  TaskScheduled                      #1 Slow(2)
                0.000  TaskScheduled                      #2 Fast(3)
                0.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  ExecutionRewound                   once more
               10.000  TaskCompleted                      #2 = Fast(3)
               10.000  TaskCompleted                      #1 = slow
               10.000  OrchestratorCompleted
               11.000  OrchestratorStarted
               11.000  TaskCompleted                      #0 = Flaky(1)
               11.000  ExecutionCompleted                 Completed Flaky(1) slow Fast(3)
               11.000  OrchestratorCompleted
        "#]],
    );
}

/// The others have not ended when the first failure ends the orchestration.
#[test]
fn what_was_open_is_asked_for_anew() {
    let scenario = Scenario::new(|ctx, _| async move {
        let tasks =
            vec![ctx.sleep(30), ctx.call("Slow", "2"), ctx.child("Kid", "3"), ctx.entity(&account("1"), "add", "4")];
        ctx.call("Flaky", "1").await?;
        let outcomes = ctx.all(tasks).await;
        ok(outcomes.iter().map(shown).collect::<Vec<_>>().join(" "))
    })
    .orchestrator("Kid", |ctx, input| async move {
        ctx.sleep(20).await?;
        Ok(input)
    })
    .activity("Flaky", 1, fails_in(1))
    .activity("Slow", 20, |_| ok("slow"))
    .rewind(10, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  TimerCreated                       #0 at 2024-01-01T00:00:30.0000000Z
                0.000  TaskScheduled                      #1 Slow(2)
                0.000  SubOrchestrationInstanceCreated    #2 Kid(3) as 4c89767b16035f5ab76f42ab554bd6c1
                0.000  EntityOperationCalled              #3 @account@1 add(4)
                0.000  TaskScheduled                      #4 Flaky(1)
                0.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  ExecutionRewound                   once more
               10.000  EntityOperationCompleted           #3 = 4
               10.000  OrchestratorCompleted
               11.000  OrchestratorStarted
               11.000  TaskCompleted                      #4 = Flaky(1)
               11.000  OrchestratorCompleted
               20.000  OrchestratorStarted
               20.000  SubOrchestrationInstanceCompleted  #2 = 3
               20.000  OrchestratorCompleted
               30.000  OrchestratorStarted
               30.000  TimerFired                         #0
               30.000  TaskCompleted                      #1 = slow
               30.000  ExecutionCompleted                 Completed null slow 3 4
               30.000  OrchestratorCompleted
            4c89767b16035f5ab76f42ab554bd6c1: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Kid(3) for main #2
                0.000  TimerCreated                       #0 at 2024-01-01T00:00:20.0000000Z
                0.000  OrchestratorCompleted
               20.000  OrchestratorStarted
               20.000  TimerFired                         #0
               20.000  ExecutionCompleted                 Completed 3
               20.000  OrchestratorCompleted
            @account@1: 4
            besides
                0.000  @account@1 add(4) for main: 4
                1.000  main takes timer #0 back
               10.000  main stops activity #1
               10.000  4c89767b16035f5ab76f42ab554bd6c1 is at work already
               20.000  main ignored TaskCompleted: StaleExecution
        "#]],
    );
}

/// The code has made something of the first failure: that stands.
#[test]
fn a_caught_failure_stays() {
    let scenario = Scenario::new(|ctx, _| async move {
        let caught = ctx.call("Caught", "1").await;
        let result = ctx.call("Flaky", "2").await?;
        ok(format!("{} {result}", shown(&caught)))
    })
    .activity("Caught", 1, fails_in(9))
    .activity("Flaky", 1, fails_in(1))
    .rewind(10, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  TaskScheduled                      #0 Caught(1)
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  TaskFailed                         #0 ! Flaky: no luck
                1.000  TaskScheduled                      #1 Flaky(2)
                1.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  ExecutionRewound                   once more
               10.000  OrchestratorCompleted
               11.000  OrchestratorStarted
               11.000  TaskCompleted                      #1 = Flaky(2)
               11.000  ExecutionCompleted                 Completed !Flaky: no luck Flaky(2)
               11.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn a_failure_in_the_first_turn() {
    let scenario = Scenario::new(|ctx, input| async move {
        ctx.call("Sent", "1");
        drop(input);
        fail("Bug")
    })
    .deploy(5, "Main", |ctx, input| async move {
        ctx.call("Sent", "1").await?;
        Ok(input)
    })
    .rewind(10, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Sent(1)
            0.000  ExecutionCompleted                 Failed Bug: no luck
            0.000  OrchestratorCompleted
        is rewound
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionRewound                   once more
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Sent(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = Sent(1)
            1.000  ExecutionCompleted                 Completed 0
            1.000  OrchestratorCompleted
        besides
            1.000  main ignored TaskCompleted: Ended
           10.000  main stops activity #0
    "#]],
    );
}

#[test]
fn only_what_has_failed_is_rewound() {
    let scenario = Scenario::new(|ctx, input| async move {
        ctx.sleep(5).await?;
        Ok(input)
    })
    .rewind(1, "main")
    .rewind(10, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:05.0000000Z
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #0
            5.000  ExecutionCompleted                 Completed 0
            5.000  OrchestratorCompleted
    "#]],
    );
}
