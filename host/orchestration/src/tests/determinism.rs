//! Code that departs from its history: every way to do so is seen, named from both sides, and has no effect.

use super::author::Ctx;
use super::world::{Scenario, check};
use super::{Outcome, fail, ok};
use crate::{Json, Limits, RetryPolicy};
use expect_test::{Expect, expect};
use std::future::Future;
use std::time::Duration;

/// The code that every instance here starts with: `A` and `B` side by side, then `C`.
async fn original(ctx: Ctx, _: Json) -> Outcome {
    let (a, b) = (ctx.call("A", "1"), ctx.call("B", "2"));
    a.await?;
    b.await?;
    ctx.call("C", "3").await?;
    ctx.call("D", "4").await
}

/// Changes the code before the answers to the first (`seconds` 1) or the second turn come, and shows the last turn.
fn check_departure<F, R>(seconds: u64, changed: F, last_turn: &Expect)
where
    F: Fn(Ctx, Json) -> R + 'static,
    R: Future<Output = Outcome> + 'static,
{
    let story = Scenario::new(original).deploy(seconds, "Main", changed).story();
    let begin =
        story.rfind("OrchestratorStarted").map_or(0, |place| story[..place].rfind('\n').map_or(0, |end| end + 1));
    let lines: Vec<_> = story[begin..].lines().map(str::trim_start).collect();
    last_turn.assert_eq(&format!("{}\n", lines.join("\n")));
}

#[test]
fn another_name() {
    let changed = |ctx: Ctx, _| async move {
        ctx.call("X", "1");
        ctx.call("B", "2").await
    };
    check_departure(
        1,
        changed,
        &expect![[r#"
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'A', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'X' (event 2 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            1.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn another_kind() {
    let changed = |ctx: Ctx, _| async move {
        ctx.sleep(5);
        ctx.call("B", "2").await
    };
    check_departure(
        1,
        changed,
        &expect![[r#"
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'A', but the current replay scheduled TimerCreated with sequence ID 0 (event 2 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            1.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn a_child_instead_of_an_activity_of_the_same_name() {
    let changed = |ctx: Ctx, _| async move {
        ctx.child("A", "1");
        ctx.call("B", "2").await
    };
    check_departure(
        1,
        changed,
        &expect![[r#"
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'A', but the current replay scheduled SubOrchestrationInstanceCreated with sequence ID 0 and name 'A' (event 2 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            1.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn another_input() {
    let changed = |ctx: Ctx, _| async move {
        let long = format!("\"{}\"", "ä".repeat(200));
        ctx.call("A", &long);
        ctx.call("B", "2").await
    };
    check_departure(
        1,
        changed,
        &expect![[r#"
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'A', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'A'; its input was 1 and is now "äääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää… (event 2 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            1.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn in_another_order() {
    let changed = |ctx: Ctx, _| async move {
        ctx.call("B", "2");
        ctx.call("A", "1").await
    };
    check_departure(
        1,
        changed,
        &expect![[r#"
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'A', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'B'; its input was 1 and is now 2 (event 2 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            1.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn more() {
    let changed = |ctx: Ctx, _| async move {
        ctx.call("A", "1");
        ctx.call("B", "2");
        ctx.call("X", "3").await
    };
    check_departure(
        1,
        changed,
        &expect![[r#"
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled nothing at this place, but the current replay scheduled TaskScheduled with sequence ID 2 and name 'X' (event 4 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            1.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn less() {
    let changed = |ctx: Ctx, _| async move { ctx.call("A", "1").await };
    check_departure(
        1,
        changed,
        &expect![[r#"
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 1 and name 'B', but the current replay execution hasn't (yet?) scheduled this task (event 3 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            1.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn nothing_at_all() {
    let changed = |ctx: Ctx, _| async move { ctx.event("E").await };
    check_departure(
        1,
        changed,
        &expect![[r#"
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'A', but the current replay execution hasn't (yet?) scheduled this task (event 2 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            1.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn earlier() {
    // What belongs to the second turn is asked for in the first.
    let changed = |ctx: Ctx, _| async move {
        let (a, _) = (ctx.call("A", "1"), ctx.call("B", "2"));
        a.await?;
        ctx.call("C", "3");
        ctx.call("D", "4").await
    };
    check_departure(
        2,
        changed,
        &expect![[r#"
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #2 = C(3)
            2.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled nothing at this place, but the current replay scheduled TaskScheduled with sequence ID 3 and name 'D' (event 9 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            2.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn less_in_a_later_turn() {
    let changed = |ctx: Ctx, _| async move {
        let (a, _) = (ctx.call("A", "1"), ctx.call("B", "2"));
        a.await?;
        ctx.event("E").await
    };
    check_departure(
        2,
        changed,
        &expect![[r#"
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #2 = C(3)
            2.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 2 and name 'C', but the current replay execution hasn't (yet?) scheduled this task (event 8 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            2.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn returned_without_asking() {
    check_departure(
        1,
        |_, _| async move { ok("early") },
        &expect![[r#"
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'A', but the current replay execution has returned already (event 2 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            1.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn returned_before_the_next_turn() {
    let changed = |ctx: Ctx, _| async move {
        let (a, _) = (ctx.call("A", "1"), ctx.call("B", "2"));
        a.await
    };
    check_departure(
        2,
        changed,
        &expect![[r#"
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #2 = C(3)
            2.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 2 and name 'C', but the current replay execution has returned already (event 8 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            2.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn returned_where_it_waited_for_an_event() {
    let story = Scenario::new(|ctx, _| async move { ctx.event("E").await })
        .deploy(1, "Main", |_, _| async move { ok("early") })
        .raise(1, "main", "E", "1");
    check(
        &story,
        &expect![[r#"
            main: Failed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  EventRaised                        E(1)
                1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled nothing at this place, but the current replay execution has returned already (event 2 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
                1.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn failed_and_continued_as_new_early() {
    check_departure(
        1,
        |_, _| async move { fail("Early") },
        &expect![[r#"
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'A', but the current replay execution has returned already (event 2 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            1.000  OrchestratorCompleted
        "#]],
    );
    let changed = |ctx: Ctx, _| async move {
        ctx.continue_as_new("1", true);
        ok("early")
    };
    check_departure(
        1,
        changed,
        &expect![[r#"
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  TaskCompleted                      #1 = B(2)
            1.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'A', but the current replay execution has returned already (event 2 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
            1.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn a_retry_policy_that_is_gone() {
    let scenario =
        Scenario::new(
            |ctx, _| async move { ctx.retry("Work", "1", RetryPolicy::new(3, Duration::from_secs(60))).await },
        )
        .activity("Work", 1, |_| fail("Flaky"))
        .deploy(61, "Main", |ctx, _| async move { ctx.call("Work", "1").await });
    check(
        &scenario,
        &expect![[r#"
            main: Failed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  TaskScheduled                      #0 Work(1)
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  TaskFailed                         #0 ! Flaky: no luck
                1.000  TimerCreated                       #1 at 2024-01-01T00:01:01.0000000Z
                1.000  OrchestratorCompleted
               61.000  OrchestratorStarted
               61.000  TimerFired                         #1
               61.000  ExecutionCompleted                 Failed NonDeterministicOrchestration: Non-Deterministic workflow detected: a previous execution of this orchestration scheduled TimerCreated with sequence ID 1, but the current replay execution has returned already (event 6 of the history). Was a change made to the orchestrator code after this instance started running? Purge the instance and start it again
               61.000  OrchestratorCompleted
        "#]],
    );
}

#[test]
fn what_may_change_with_instances_at_work() {
    // Due times, ids of children, custom status, what happens from the next turn on.
    let scenario = Scenario::new(|ctx, _| async move {
        let (_, kid) = (ctx.sleep(60), ctx.child_as("kid", "Child", "1"));
        kid.await
    })
    .orchestrator("Child", |ctx, _| async move { ctx.sleep(5).await })
    .deploy(1, "Main", |ctx, _| async move {
        ctx.set_status(Some("1"));
        let (deadline, kid) = (ctx.sleep(7), ctx.child_as("other", "Child", "1"));
        kid.await?;
        ctx.cancel(&deadline);
        ctx.call("New", "1").await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:00.0000000Z
            0.000  SubOrchestrationInstanceCreated    #1 Child(1) as kid
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  SubOrchestrationInstanceCompleted  #1 = null
            5.000  TaskScheduled                      #2 New(1)
            5.000  OrchestratorCompleted
            6.000  OrchestratorStarted
            6.000  TaskCompleted                      #2 = New(1)
            6.000  ExecutionCompleted                 Completed New(1)
            6.000  OrchestratorCompleted
        kid: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #1
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:05.0000000Z
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #0
            5.000  ExecutionCompleted                 Completed null
            5.000  OrchestratorCompleted
        besides
            5.000  main takes timer #0 back
            6.000  main takes timer #0 back, which is not set
    "#]],
    );
}

#[test]
fn too_many_actions_in_one_turn() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.call("A", "1").await?;
        ctx.set_status(Some("\"void\""));
        ctx.call("B", "2");
        ctx.sleep(5);
        ctx.child("C", "3").await
    })
    .limits(Limits { max_actions: 2, ..Limits::default() });
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 A(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = A(1)
            1.000  ExecutionCompleted                 Failed LimitExceeded: the orchestrator asked for more than 2 actions in one turn; split the work over sub-orchestrations, or raise host.durableTask.maxOrchestrationActions
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn as_many_actions_as_allowed_in_each_turn() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.all(vec![ctx.call("A", "1"), ctx.call("A", "2")]).await;
        ctx.all(vec![ctx.call("B", "1"), ctx.call("B", "2")]).await;
        ok("done")
    })
    .limits(Limits { max_actions: 2, ..Limits::default() });
    check(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  TaskScheduled                      #0 A(1)
                0.000  TaskScheduled                      #1 A(2)
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  TaskCompleted                      #0 = A(1)
                1.000  TaskCompleted                      #1 = A(2)
                1.000  TaskScheduled                      #2 B(1)
                1.000  TaskScheduled                      #3 B(2)
                1.000  OrchestratorCompleted
                2.000  OrchestratorStarted
                2.000  TaskCompleted                      #2 = B(1)
                2.000  TaskCompleted                      #3 = B(2)
                2.000  ExecutionCompleted                 Completed done
                2.000  OrchestratorCompleted
            besides
                0.000  main warned: actions in one turn: 2 of at most 2 (host.durableTask.maxOrchestrationActions), beyond which the instance fails; split the work over sub-orchestrations
                1.000  main warned: actions in one turn: 2 of at most 2 (host.durableTask.maxOrchestrationActions), beyond which the instance fails; split the work over sub-orchestrations
        "#]],
    );
}
