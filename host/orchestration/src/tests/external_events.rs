//! External events: kept until somebody waits, first in, first out, and compared without case.

use super::world::{Scenario, check};
use super::{ok, shown};
use expect_test::expect;

#[test]
fn one_that_is_waited_for() {
    let scenario =
        Scenario::new(|ctx, _| async move { ctx.event("Approval").await }).raise(5, "main", "Approval", "true");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  EventRaised                        Approval(true)
            5.000  ExecutionCompleted                 Completed true
            5.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn early_ones_are_kept_in_order_and_by_name() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.sleep(10).await?;
        let first = ctx.event("A").await?;
        let other = ctx.event("B").await?;
        let second = ctx.event("A").await?;
        let third = ctx.event("A").await?;
        ok(format!("{first} {other} {second} {third}"))
    })
    .raise(1, "main", "A", "1")
    .raise(2, "main", "A", "2")
    .raise(2, "main", "B", "3")
    .raise(20, "main", "A", "4");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:10.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EventRaised                        A(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  EventRaised                        A(2)
            2.000  EventRaised                        B(3)
            2.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  TimerFired                         #0
           10.000  OrchestratorCompleted
           20.000  OrchestratorStarted
           20.000  EventRaised                        A(4)
           20.000  ExecutionCompleted                 Completed 1 3 2 4
           20.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn names_are_compared_without_case() {
    let scenario = Scenario::new(|ctx, _| async move {
        let early = ctx.event("ÄPPROVAL").await?;
        let late = ctx.event("Äpproval").await?;
        ok(format!("{early} {late}"))
    })
    .raise(0, "main", "äpproval", "1")
    .raise(5, "main", "ÄPPROVAL", "2");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  EventRaised                        äpproval(1)
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  EventRaised                        ÄPPROVAL(2)
            5.000  ExecutionCompleted                 Completed 1 2
            5.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn the_oldest_who_waits_gets_it_first() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (first, second) = (ctx.event("A"), ctx.event("a"));
        let outcomes = ctx.all(vec![second, first]).await;
        ok(outcomes.iter().map(shown).collect::<Vec<_>>().join(" "))
    })
    .raise(1, "main", "A", "1")
    .raise(2, "main", "A", "2");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EventRaised                        A(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  EventRaised                        A(2)
            2.000  ExecutionCompleted                 Completed 2 1
            2.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn in_the_batch_of_the_start() {
    let scenario = Scenario::default()
        .orchestrator("Main", |ctx, _| async move { ctx.event("A").await })
        .start(1, "main", "Main", "0")
        .raise(1, "main", "A", "1");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  EventRaised                        A(1)
            0.000  ExecutionCompleted                 Completed 1
            0.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn a_deadline_wins_and_a_later_event_is_kept_for_the_next() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (approval, deadline) = (ctx.event("Approval"), ctx.sleep(5));
        let winner = ctx.any(&[&approval, &deadline]).await;
        ctx.cancel(&approval);
        ctx.sleep(5).await?;
        let late = ctx.event("Approval").await?;
        ok(format!("{winner} {late}"))
    })
    .raise(7, "main", "Approval", "true");
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
            5.000  TimerCreated                       #1 at 2024-01-01T00:00:10.0000000Z
            5.000  OrchestratorCompleted
            7.000  OrchestratorStarted
            7.000  EventRaised                        Approval(true)
            7.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  TimerFired                         #1
           10.000  ExecutionCompleted                 Completed 1 true
           10.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn an_event_wins_and_the_deadline_is_taken_back() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (approval, deadline) = (ctx.event("Approval"), ctx.sleep(60));
        let winner = ctx.any(&[&deadline, &approval]).await;
        ctx.cancel(&deadline);
        ctx.call("Report", &winner.to_string()).await
    })
    .raise(7, "main", "Approval", "true");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:00.0000000Z
            0.000  OrchestratorCompleted
            7.000  OrchestratorStarted
            7.000  EventRaised                        Approval(true)
            7.000  TaskScheduled                      #1 Report(1)
            7.000  OrchestratorCompleted
            8.000  OrchestratorStarted
            8.000  TaskCompleted                      #1 = Report(1)
            8.000  ExecutionCompleted                 Completed Report(1)
            8.000  OrchestratorCompleted
        besides
            7.000  main takes timer #0 back
            8.000  main takes timer #0 back, which is not set
    "#]],
    );
}

/// Three events wait, three tasks take them, and two are given up before their events are there.
#[test]
fn who_gives_up_gives_the_event_back_to_its_old_place() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.sleep(5).await?;
        let (first, second, third) = (ctx.event("A"), ctx.event("A"), ctx.event("A"));
        ctx.cancel(&third);
        ctx.cancel(&second);
        let fourth = ctx.event("A");
        let got = ctx.all(vec![first, fourth, ctx.event("A")]).await;
        ok(got.iter().map(shown).collect::<Vec<_>>().join(" "))
    })
    .raise(1, "main", "A", "1")
    .raise(2, "main", "A", "2")
    .raise(3, "main", "A", "3");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
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
            3.000  OrchestratorStarted
            3.000  EventRaised                        A(3)
            3.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #0
            5.000  ExecutionCompleted                 Completed 1 2 3
            5.000  OrchestratorCompleted
    "#]],
    );
}

/// One event and two tasks: the second waits, and gets it when the first is given up.
#[test]
fn who_gives_up_hands_the_event_to_who_waits_already() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.sleep(5).await?;
        let (first, second) = (ctx.event("A"), ctx.event("A"));
        ctx.cancel(&first);
        let got = second.await?;
        let later = ctx.event("A").await?;
        ok(format!("{got} {later}"))
    })
    .raise(1, "main", "A", "1")
    .raise(9, "main", "A", "2");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:05.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EventRaised                        A(1)
            1.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #0
            5.000  OrchestratorCompleted
            9.000  OrchestratorStarted
            9.000  EventRaised                        A(2)
            9.000  ExecutionCompleted                 Completed 1 2
            9.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn who_gives_up_waiting_leaves_the_order_of_the_others() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (first, second, third) = (ctx.event("A"), ctx.event("A"), ctx.event("A"));
        ctx.cancel(&second);
        let got = ctx.all(vec![first, third]).await;
        ok(got.iter().map(shown).collect::<Vec<_>>().join(" "))
    })
    .raise(1, "main", "A", "1")
    .raise(1, "main", "A", "2");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EventRaised                        A(1)
            1.000  EventRaised                        A(2)
            1.000  ExecutionCompleted                 Completed 1 2
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn an_instance_that_is_not_there_or_not_any_more() {
    let scenario =
        Scenario::new(|_, input| async move { Ok(input) }).raise(1, "main", "A", "1").raise(1, "nobody", "A", "1");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  ExecutionCompleted                 Completed 0
            0.000  OrchestratorCompleted
        besides
            1.000  main ignored EventRaised: Ended
            1.000  nobody is unknown
    "#]],
    );
}
