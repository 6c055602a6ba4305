//! Timers: past and far ones, and those that are taken back.

use super::ok;
use super::world::{BEGIN, Scenario, at, check};
use crate::{EventId, MessageKind, Timestamp};
use expect_test::expect;
use std::time::Duration;

#[test]
fn a_moment_in_the_past_is_due_at_once() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.timer(BEGIN).await?;
        ctx.timer(Timestamp::from_ticks(0)).await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:00.0000000Z
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  TimerFired                         #0
            0.000  TimerCreated                       #1 at 1970-01-01T00:00:00.0000000Z
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  TimerFired                         #1
            0.000  ExecutionCompleted                 Completed null
            0.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn years_are_one_timer() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.timer(ctx.now().saturating_add(Duration::from_secs(30 * 365 * 86_400))).await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2053-12-24T00:00:00.0000000Z
            0.000  OrchestratorCompleted
        946080000.000  OrchestratorStarted
        946080000.000  TimerFired                         #0
        946080000.000  ExecutionCompleted                 Completed null
        946080000.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn the_end_of_time_does_not_overflow() {
    let scenario = Scenario::new(|ctx, _| async move {
        let never = ctx.timer(ctx.now().saturating_add(Duration::MAX));
        ctx.sleep(1).await?;
        ctx.cancel(&never);
        ok("done")
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 31197-09-14T02:48:05.4775807Z
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #1
            1.000  ExecutionCompleted                 Completed done
            1.000  OrchestratorCompleted
        besides
            1.000  main takes timer #0 back
    "#]],
    );
}

#[test]
fn taken_back_in_the_turn_that_sets_it() {
    let scenario = Scenario::new(|ctx, _| async move {
        let timer = ctx.sleep(60);
        ctx.cancel(&timer);
        ctx.call("Work", "1").await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:00.0000000Z
            0.000  TaskScheduled                      #1 Work(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #1 = Work(1)
            1.000  ExecutionCompleted                 Completed Work(1)
            1.000  OrchestratorCompleted
        besides
            1.000  main takes timer #0 back, which is not set
    "#]],
    );
}

#[test]
fn taken_back_in_a_later_turn() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (deadline, work) = (ctx.sleep(60), ctx.call("Work", "1"));
        let winner = ctx.any(&[&deadline, &work]).await;
        ctx.cancel(&deadline);
        ctx.call("Report", &winner.to_string()).await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:00.0000000Z
            0.000  TaskScheduled                      #1 Work(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #1 = Work(1)
            1.000  TaskScheduled                      #2 Report(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #2 = Report(1)
            2.000  ExecutionCompleted                 Completed Report(1)
            2.000  OrchestratorCompleted
        besides
            1.000  main takes timer #0 back
            2.000  main takes timer #0 back, which is not set
    "#]],
    );
}

#[test]
fn one_that_fires_although_taken_back_is_ignored_by_the_code() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (deadline, work) = (ctx.sleep(60), ctx.call("Work", "1"));
        ctx.any(&[&deadline, &work]).await;
        ctx.cancel(&deadline);
        ctx.sleep(100).await
    })
    .send(50, "main", MessageKind::TimerFired { timer: EventId(0), fire_at: at(60) });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:00.0000000Z
            0.000  TaskScheduled                      #1 Work(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #1 = Work(1)
            1.000  TimerCreated                       #2 at 2024-01-01T00:01:41.0000000Z
            1.000  OrchestratorCompleted
           50.000  OrchestratorStarted
           50.000  TimerFired                         #0
           50.000  OrchestratorCompleted
          101.000  OrchestratorStarted
          101.000  TimerFired                         #2
          101.000  ExecutionCompleted                 Completed null
          101.000  OrchestratorCompleted
        besides
            1.000  main takes timer #0 back
    "#]],
    );
}

#[test]
fn answer_and_deadline_in_one_turn() {
    let scenario = Scenario::new(|ctx, _| async move {
        let work = ctx.call("Work", "1");
        let deadline = ctx.sleep(1);
        let winner = ctx.any(&[&deadline, &work]).await;
        ctx.cancel(&deadline);
        ctx.call("Report", &winner.to_string()).await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #1
            1.000  TaskCompleted                      #0 = Work(1)
            1.000  TaskScheduled                      #2 Report(0)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #2 = Report(0)
            2.000  ExecutionCompleted                 Completed Report(0)
            2.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn open_timers_are_taken_back_at_the_end() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.sleep(60);
        ctx.sleep(1).await?;
        // Never set in the store, so nothing to take back.
        ctx.sleep(90);
        ok("done")
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:00.0000000Z
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #1
            1.000  TimerCreated                       #2 at 2024-01-01T00:01:31.0000000Z
            1.000  ExecutionCompleted                 Completed done
            1.000  OrchestratorCompleted
        besides
            1.000  main takes timer #0 back
    "#]],
    );
}

#[test]
fn taken_back_twice_and_after_it_fired() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (short, long) = (ctx.sleep(1), ctx.sleep(60));
        short.clone().await?;
        ctx.cancel(&short);
        ctx.cancel(&long);
        ctx.cancel(&long);
        ctx.sleep(1).await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:01.0000000Z
            0.000  TimerCreated                       #1 at 2024-01-01T00:01:00.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #0
            1.000  TimerCreated                       #2 at 2024-01-01T00:00:02.0000000Z
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #2
            2.000  ExecutionCompleted                 Completed null
            2.000  OrchestratorCompleted
        besides
            1.000  main takes timer #1 back
            2.000  main takes timer #1 back, which is not set
    "#]],
    );
}
