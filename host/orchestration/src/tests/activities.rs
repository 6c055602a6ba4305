//! Activities: one after another, side by side, failing, and left alone.

use super::world::{Scenario, check};
use super::{fail, ok, shown};
use crate::MessageKind;
use expect_test::expect;

#[test]
fn one_after_another() {
    let scenario = Scenario::new(|ctx, input| async move {
        let conference = ctx.call("BookConference", input.as_str()).await?;
        let flight = ctx.call("BookFlight", conference.as_str()).await?;
        ctx.call("BookHotel", flight.as_str()).await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 BookConference(0)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = BookConference(0)
            1.000  TaskScheduled                      #1 BookFlight(BookConference(0))
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #1 = BookFlight(BookConference(0))
            2.000  TaskScheduled                      #2 BookHotel(BookFlight(BookConference(0)))
            2.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  TaskCompleted                      #2 = BookHotel(BookFlight(BookConference(0)))
            3.000  ExecutionCompleted                 Completed BookHotel(BookFlight(BookConference(0)))
            3.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn absent_and_empty_values_stay_what_they_are() {
    let scenario = Scenario::new(|ctx, _| async move {
        let mut seen = Vec::new();
        for value in ["0", "\"\"", "false", "null"] {
            seen.push(ctx.call("Echo", value).await?.to_string());
        }
        ok(seen.join(" "))
    })
    .activity("Echo", 0, |call| Ok(call.input.clone()));
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Echo(0)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  TaskCompleted                      #0 = 0
            0.000  TaskScheduled                      #1 Echo("")
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  TaskCompleted                      #1 = ""
            0.000  TaskScheduled                      #2 Echo(false)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  TaskCompleted                      #2 = false
            0.000  TaskScheduled                      #3 Echo(null)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  TaskCompleted                      #3 = null
            0.000  ExecutionCompleted                 Completed 0 "" false null
            0.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn a_failure_is_data() {
    let scenario = Scenario::new(|ctx, _| async move {
        let Err(failure) = ctx.call("BookFlight", "0").await else {
            return ok("no failure");
        };
        ctx.call("BookTrain", &failure.error_type).await
    })
    .activity("BookFlight", 2, |_| fail("SoldOut"));
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 BookFlight(0)
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskFailed                         #0 ! SoldOut: no luck
            2.000  TaskScheduled                      #1 BookTrain(SoldOut)
            2.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  TaskCompleted                      #1 = BookTrain(SoldOut)
            3.000  ExecutionCompleted                 Completed BookTrain(SoldOut)
            3.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn an_uncaught_failure_ends_the_orchestration() {
    let scenario =
        Scenario::new(|ctx, _| async move { ctx.call("BookFlight", "0").await })
            .activity("BookFlight", 2, |_| fail("SoldOut"));
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 BookFlight(0)
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskFailed                         #0 ! SoldOut: no luck
            2.000  ExecutionCompleted                 Failed SoldOut: no luck
            2.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn fan_out_joins_in_the_order_of_the_tasks() {
    let scenario = Scenario::new(|ctx, _| async move {
        let tasks = (1..=3).map(|n| ctx.call("Work", &n.to_string())).collect();
        let results: Vec<_> = ctx.all(tasks).await.iter().map(shown).collect();
        ok(results.join(" "))
    })
    .activity("Work", 1, |call| if call.input.as_str() == "2" { fail("Odd") } else { Ok(call.input.clone()) });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  TaskScheduled                      #1 Work(2)
            0.000  TaskScheduled                      #2 Work(3)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = 1
            1.000  TaskFailed                         #1 ! Odd: no luck
            1.000  TaskCompleted                      #2 = 3
            1.000  ExecutionCompleted                 Completed 1 !Odd: no luck 3
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn completions_come_in_the_order_of_arrival() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (slow, fast) = (ctx.call("Slow", "1"), ctx.call("Fast", "2"));
        // What follows the faster one is asked for before the slower one is there.
        fast.await?;
        let after = ctx.call("AfterFast", "3");
        let (slow, after) = (slow.await?, after.await?);
        ok(format!("{slow} {after}"))
    })
    .activity("Slow", 5, |call| Ok(call.input.clone()));
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Slow(1)
            0.000  TaskScheduled                      #1 Fast(2)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #1 = Fast(2)
            1.000  TaskScheduled                      #2 AfterFast(3)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #2 = AfterFast(3)
            2.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TaskCompleted                      #0 = 1
            5.000  ExecutionCompleted                 Completed 1 AfterFast(3)
            5.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn several_completions_in_one_turn() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (first, second) = (ctx.call("A", "1"), ctx.call("B", "2"));
        first.await?;
        let third = ctx.call("C", "3");
        second.await?;
        let fourth = ctx.call("D", "4");
        third.await?;
        fourth.await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 A(1)
            0.000  TaskScheduled                      #1 B(2)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  TaskScheduled                      #2 C(3)
            1.000  TaskScheduled                      #3 D(4)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #2 = C(3)
            2.000  TaskCompleted                      #3 = D(4)
            2.000  ExecutionCompleted                 Completed D(4)
            2.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn the_first_one_wins_and_the_loser_is_ignored() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (slow, fast) = (ctx.call("Slow", "1"), ctx.call("Fast", "2"));
        let winner = ctx.any(&[&slow, &fast]).await;
        ctx.cancel(&slow);
        let last = ctx.call("Report", &winner.to_string()).await?;
        ctx.sleep(10).await?;
        Ok(last)
    })
    .activity("Slow", 5, |_| fail("NobodyCares"));
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Slow(1)
            0.000  TaskScheduled                      #1 Fast(2)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #1 = Fast(2)
            1.000  TaskScheduled                      #2 Report(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #2 = Report(1)
            2.000  TimerCreated                       #3 at 2024-01-01T00:00:12.0000000Z
            2.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TaskFailed                         #0 ! NobodyCares: no luck
            5.000  OrchestratorCompleted
           12.000  OrchestratorStarted
           12.000  TimerFired                         #3
           12.000  ExecutionCompleted                 Completed Report(1)
           12.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn of_two_in_the_same_turn_the_earlier_event_wins() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (a, b) = (ctx.call("A", "1"), ctx.call("B", "2"));
        ok(ctx.any(&[&b, &a]).await.to_string())
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 A(1)
            0.000  TaskScheduled                      #1 B(2)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Completed 1
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn what_is_not_awaited_runs_and_its_answer_is_dropped() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.call("LeaveAlone", "1");
        ctx.child("Child", "2");
        ctx.sleep(60);
        ok("done")
    })
    .orchestrator("Child", |_, input| async move { Ok(input) });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 LeaveAlone(1)
            0.000  SubOrchestrationInstanceCreated    #1 Child(2) as b7571da7711b5e8dbbf95bef816dd839
            0.000  TimerCreated                       #2 at 2024-01-01T00:01:00.0000000Z
            0.000  ExecutionCompleted                 Completed done
            0.000  OrchestratorCompleted
        b7571da7711b5e8dbbf95bef816dd839: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(2) for main #1
            0.000  ExecutionCompleted                 Completed 2
            0.000  OrchestratorCompleted
        besides
            0.000  main ignored SubOrchestrationInstanceCompleted: Ended
            1.000  main ignored TaskCompleted: Ended
    "#]],
    );
}

#[test]
fn an_answer_to_a_task_nobody_awaits_is_recorded() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.call("LeaveAlone", "1");
        ctx.sleep(5).await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 LeaveAlone(1)
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:05.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = LeaveAlone(1)
            1.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #1
            5.000  ExecutionCompleted                 Completed null
            5.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn duplicate_late_and_unknown_answers_are_ignored() {
    let completed = |scheduled| MessageKind::TaskCompleted { scheduled: crate::EventId(scheduled), result: "7".into() };
    let fired = MessageKind::TimerFired { timer: crate::EventId(0), fire_at: super::world::at(0) };
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.call("Once", "1").await?;
        ctx.call("Twice", "2").await
    })
    .send(1, "main", completed(0))
    .send(1, "main", completed(9))
    .send(1, "main", fired)
    .send(2, "main", completed(0))
    .send(3, "main", completed(1));
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Once(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = 7
            1.000  TaskScheduled                      #1 Twice(2)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #1 = Twice(2)
            2.000  ExecutionCompleted                 Completed Twice(2)
            2.000  OrchestratorCompleted
        besides
            1.000  main ignored TaskCompleted: NothingWaits
            1.000  main ignored TimerFired: NothingWaits
            1.000  main ignored TaskCompleted: NothingWaits
            2.000  main ignored TaskCompleted: NothingWaits
            3.000  main ignored TaskCompleted: Ended
    "#]],
    );
}
