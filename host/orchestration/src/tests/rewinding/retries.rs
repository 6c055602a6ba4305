//! What stays of a failed history, and what the code sees once more.

use super::{check_rewound, fails_in};
use crate::RetryPolicy;
use crate::tests::world::{Scenario, check};
use crate::tests::{fail, ok, shown};
use expect_test::expect;
use std::time::Duration;

#[test]
fn retries_begin_anew() {
    let scenario =
        Scenario::new(
            |ctx, _| async move { ctx.retry("Flaky", "1", RetryPolicy::new(3, Duration::from_secs(2))).await },
        )
        .activity("Flaky", 1, |task| {
            let original = task.execution.as_u128() as u64 == 0;
            if original || task.attempt < 3 { fail("Flaky") } else { ok(format!("attempt {}", task.attempt)) }
        })
        .rewind(20, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  TaskScheduled                      #0 Flaky(1)
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  TaskFailed                         #0 ! Flaky: no luck
                1.000  TimerCreated                       #1 at 2024-01-01T00:00:03.0000000Z
                1.000  OrchestratorCompleted
                3.000  OrchestratorStarted
                3.000  TimerFired                         #1
                3.000  TaskScheduled                      #2 Flaky(1)
                3.000  OrchestratorCompleted
                4.000  OrchestratorStarted
                4.000  TaskFailed                         #2 ! Flaky: no luck
                4.000  TimerCreated                       #3 at 2024-01-01T00:00:06.0000000Z
                4.000  OrchestratorCompleted
                6.000  OrchestratorStarted
                6.000  TimerFired                         #3
                6.000  TaskScheduled                      #4 Flaky(1)
                6.000  OrchestratorCompleted
               20.000  OrchestratorStarted
               20.000  ExecutionRewound                   once more
               20.000  OrchestratorCompleted
               21.000  OrchestratorStarted
               21.000  TaskFailed                         #4 ! Flaky: no luck
               21.000  TimerCreated                       #5 at 2024-01-01T00:00:23.0000000Z
               21.000  OrchestratorCompleted
               23.000  OrchestratorStarted
               23.000  TimerFired                         #5
               23.000  TaskScheduled                      #6 Flaky(1)
               23.000  OrchestratorCompleted
               24.000  OrchestratorStarted
               24.000  TaskFailed                         #6 ! Flaky: no luck
               24.000  TimerCreated                       #7 at 2024-01-01T00:00:26.0000000Z
               24.000  OrchestratorCompleted
               26.000  OrchestratorStarted
               26.000  TimerFired                         #7
               26.000  TaskScheduled                      #8 Flaky(1)
               26.000  OrchestratorCompleted
               27.000  OrchestratorStarted
               27.000  TaskCompleted                      #8 = attempt 3
               27.000  ExecutionCompleted                 Completed attempt 3
               27.000  OrchestratorCompleted
            besides
                3.000  main runs Flaky, attempt 2
                6.000  main runs Flaky, attempt 3
               23.000  main runs Flaky, attempt 2
               26.000  main runs Flaky, attempt 3
        "#]],
    );
}

/// One call fails for good while another is between two tries, and a third has succeeded at its second.
#[test]
fn what_the_host_did_by_itself_stays() {
    let scenario = Scenario::new(|ctx, _| async move {
        let policy = || RetryPolicy::new(5, Duration::from_secs(2));
        let (second, never) = (ctx.retry("Second", "1", policy()), ctx.retry("Never", "2", policy()));
        let (flaky, go) = (ctx.call("Flaky", "3"), ctx.event("go"));
        go.await?;
        flaky.await?;
        ok(format!("{} {}", shown(&second.await), shown(&never.await)))
    })
    .activity("Second", 1, |task| if task.attempt < 2 { fail("Flaky") } else { ok("second") })
    .activity("Never", 1, |task| if task.execution.as_u128() as u64 == 0 { fail("Flaky") } else { ok("never") })
    .activity("Flaky", 1, fails_in(1))
    .raise(8, "main", "go", "null")
    .rewind(10, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  TaskScheduled                      #0 Second(1)
                0.000  TaskScheduled                      #1 Never(2)
                0.000  TaskScheduled                      #2 Flaky(3)
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  TaskFailed                         #0 ! Flaky: no luck
                1.000  TaskFailed                         #1 ! Flaky: no luck
                1.000  TimerCreated                       #3 at 2024-01-01T00:00:03.0000000Z
                1.000  TimerCreated                       #4 at 2024-01-01T00:00:03.0000000Z
                1.000  OrchestratorCompleted
                3.000  OrchestratorStarted
                3.000  TimerFired                         #3
                3.000  TimerFired                         #4
                3.000  TaskScheduled                      #5 Second(1)
                3.000  TaskScheduled                      #6 Never(2)
                3.000  OrchestratorCompleted
                4.000  OrchestratorStarted
                4.000  TaskFailed                         #6 ! Flaky: no luck
                4.000  TimerCreated                       #7 at 2024-01-01T00:00:06.0000000Z
                4.000  OrchestratorCompleted
                6.000  OrchestratorStarted
                6.000  TimerFired                         #7
                6.000  TaskScheduled                      #8 Never(2)
                6.000  OrchestratorCompleted
                7.000  OrchestratorStarted
                7.000  TaskFailed                         #8 ! Flaky: no luck
                7.000  TimerCreated                       #9 at 2024-01-01T00:00:09.0000000Z
                7.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  ExecutionRewound                   once more
               10.000  TaskCompleted                      #5 = second
               10.000  EventRaised                        go(null)
               10.000  TimerFired                         #9
               10.000  TaskScheduled                      #10 Never(2)
               10.000  OrchestratorCompleted
               11.000  OrchestratorStarted
               11.000  TaskCompleted                      #2 = Flaky(3)
               11.000  TaskCompleted                      #10 = never
               11.000  ExecutionCompleted                 Completed second never
               11.000  OrchestratorCompleted
            besides
                3.000  main runs Second, attempt 2
                3.000  main runs Never, attempt 2
                6.000  main runs Never, attempt 3
                8.000  main takes timer #9 back
        "#]],
    );
}

/// Without the failure the code takes another way at an event that is recorded already.
#[test]
fn the_code_may_take_another_way() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (flaky, nap) = (ctx.call("Flaky", "1"), ctx.sleep(2));
        let other = ctx.call("Other", "2");
        if ctx.any(&[&flaky, &nap]).await == 0 && flaky.clone().await.is_err() {
            return other.await;
        }
        ctx.cancel(&flaky);
        ctx.call("AfterNap", "3").await
    })
    .activity("Flaky", 1, |task| if task.execution.as_u128() as u64 == 0 { fail("Flaky") } else { ok("late") })
    .activity("Other", 3, fails_in(1))
    .rewind(10, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Flaky(1)
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:02.0000000Z
            0.000  TaskScheduled                      #2 Other(2)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! Flaky: no luck
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #1
            2.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  TaskFailed                         #2 ! Flaky: no luck
            3.000  ExecutionCompleted                 Failed Flaky: no luck
            3.000  OrchestratorCompleted
        is rewound
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Flaky(1)
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:02.0000000Z
            0.000  TaskScheduled                      #2 Other(2)
            0.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  ExecutionRewound                   once more
           10.000  TimerFired                         #1
           10.000  TaskScheduled                      #3 AfterNap(3)
           10.000  OrchestratorCompleted
           11.000  OrchestratorStarted
           11.000  TaskCompleted                      #0 = late
           11.000  TaskCompleted                      #3 = AfterNap(3)
           11.000  ExecutionCompleted                 Completed AfterNap(3)
           11.000  OrchestratorCompleted
        besides
           13.000  main ignored TaskCompleted: Ended
    "#]],
    );
}

#[test]
fn events_come_once_more() {
    let scenario = Scenario::new(|ctx, _| async move {
        let first = ctx.event("a").await?;
        let second = ctx.event("a").await?;
        if second.as_str() == "2" && ctx.instance().as_str() == "main" { fail("Bug") } else { Ok(first) }
    })
    .raise(1, "main", "a", "1")
    .raise(2, "main", "a", "2")
    .deploy(5, "Main", |ctx, _| async move {
        let (first, second) = (ctx.event("a").await?, ctx.event("a").await?);
        ok(format!("{first} {second}"))
    })
    .rewind(10, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EventRaised                        a(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  EventRaised                        a(2)
            2.000  ExecutionCompleted                 Failed Bug: no luck
            2.000  OrchestratorCompleted
        is rewound
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionRewound                   once more
            0.000  ExecutionStarted                   Main(0)
            0.000  EventRaised                        a(1)
            0.000  EventRaised                        a(2)
            0.000  ExecutionCompleted                 Completed 1 2
            0.000  OrchestratorCompleted
    "#]],
    );
}

/// What came while it was held, and that it was, is kept.
#[test]
fn held_and_failed_right_after() {
    let scenario = Scenario::new(|ctx, _| async move {
        let policy = RetryPolicy::new(2, Duration::from_secs(1));
        let tasks = vec![ctx.retry("Flaky", "1", policy), ctx.event("e")];
        let outcomes = ctx.all(tasks).await;
        outcomes[0].clone()?;
        ok(shown(&outcomes[1]))
    })
    .activity("Flaky", 2, fails_in(1))
    .suspend(1, "main")
    .raise(3, "main", "e", "3")
    .resume(4, "main")
    .rewind(20, "main")
    .suspend(21, "main")
    .resume(30, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  TaskScheduled                      #0 Flaky(1)
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  ExecutionSuspended                 wait
                1.000  OrchestratorCompleted
                2.000  OrchestratorStarted
                2.000  TaskFailed                         #0 ! Flaky: no luck
                2.000  OrchestratorCompleted
                4.000  OrchestratorStarted
                4.000  ExecutionResumed                   go on
                4.000  TimerCreated                       #1 at 2024-01-01T00:00:05.0000000Z
                4.000  OrchestratorCompleted
                5.000  OrchestratorStarted
                5.000  TimerFired                         #1
                5.000  TaskScheduled                      #2 Flaky(1)
                5.000  OrchestratorCompleted
               20.000  OrchestratorStarted
               20.000  ExecutionRewound                   once more
               20.000  EventRaised                        e(3)
               20.000  OrchestratorCompleted
               21.000  OrchestratorStarted
               21.000  ExecutionSuspended                 wait
               21.000  OrchestratorCompleted
               22.000  OrchestratorStarted
               22.000  TaskCompleted                      #2 = Flaky(1)
               22.000  OrchestratorCompleted
               30.000  OrchestratorStarted
               30.000  ExecutionResumed                   go on
               30.000  ExecutionCompleted                 Completed 3
               30.000  OrchestratorCompleted
            besides
                5.000  main runs Flaky, attempt 2
        "#]],
    );
}
