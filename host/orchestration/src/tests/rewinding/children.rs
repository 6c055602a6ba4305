//! What a rewind makes of children: those that failed, those that did not, and those that are none.

use super::{check_rewound, demand, fails_in, messages, parent, present};
use crate::tests::fixtures::{first_turn, row, terminate, timer};
use crate::tests::world::{Scenario, at, check};
use crate::{
    Checkpoint, ExecutionId, InstanceRow, Json, Limits, MessageKind, RuntimeStatus, Settling, TurnEnd, admit, rewind,
    settle,
};
use expect_test::expect;

fn with_child(child_takes: u64) -> Scenario {
    Scenario::new(|ctx, _| async move {
        let kid = ctx.child_as("kid", "Kid", "1");
        ctx.call("FlakyParent", "2").await?;
        kid.await
    })
    .orchestrator("Kid", move |ctx, input| async move {
        ctx.sleep(child_takes).await?;
        ctx.call("FlakyKid", input.as_str()).await
    })
}

#[test]
fn a_failed_child_is_rewound_with_its_parent() {
    let scenario = with_child(1).activity("FlakyKid", 1, fails_in(1)).rewind(10, "main");
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Kid(1) as kid
            0.000  TaskScheduled                      #1 FlakyParent(2)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #1 = FlakyParent(2)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  SubOrchestrationInstanceFailed     #0 ! Flaky: no luck
            2.000  ExecutionCompleted                 Failed Flaky: no luck
            2.000  OrchestratorCompleted
        is rewound
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Kid(1) as kid
            0.000  TaskScheduled                      #1 FlakyParent(2)
            0.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  ExecutionRewound                   once more
           10.000  TaskCompleted                      #1 = FlakyParent(2)
           10.000  OrchestratorCompleted
           11.000  OrchestratorStarted
           11.000  SubOrchestrationInstanceCompleted  #0 = FlakyKid(1)
           11.000  ExecutionCompleted                 Completed FlakyKid(1)
           11.000  OrchestratorCompleted
        kid: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Kid(1) for main #0
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #0
            1.000  TaskScheduled                      #1 FlakyKid(1)
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskFailed                         #1 ! Flaky: no luck
            2.000  ExecutionCompleted                 Failed Flaky: no luck
            2.000  OrchestratorCompleted
        is rewound
        kid: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Kid(1) for main #0
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #0
            1.000  TaskScheduled                      #1 FlakyKid(1)
            1.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  ExecutionRewound                   once more
           10.000  OrchestratorCompleted
           11.000  OrchestratorStarted
           11.000  TaskCompleted                      #1 = FlakyKid(1)
           11.000  ExecutionCompleted                 Completed FlakyKid(1)
           11.000  OrchestratorCompleted
        besides
           10.000  kid is at work already
    "#]],
    );
}

#[test]
fn a_completed_child_answers_once_more() {
    let scenario = with_child(2).activity("FlakyParent", 1, fails_in(1)).rewind(10, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  SubOrchestrationInstanceCreated    #0 Kid(1) as kid
                0.000  TaskScheduled                      #1 FlakyParent(2)
                0.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  ExecutionRewound                   once more
               10.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  SubOrchestrationInstanceCompleted  #0 = FlakyKid(1)
               10.000  OrchestratorCompleted
               11.000  OrchestratorStarted
               11.000  TaskCompleted                      #1 = FlakyParent(2)
               11.000  ExecutionCompleted                 Completed FlakyKid(1)
               11.000  OrchestratorCompleted
            kid: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Kid(1) for main #0
                0.000  TimerCreated                       #0 at 2024-01-01T00:00:02.0000000Z
                0.000  OrchestratorCompleted
                2.000  OrchestratorStarted
                2.000  TimerFired                         #0
                2.000  TaskScheduled                      #1 FlakyKid(1)
                2.000  OrchestratorCompleted
                3.000  OrchestratorStarted
                3.000  TaskCompleted                      #1 = FlakyKid(1)
                3.000  ExecutionCompleted                 Completed FlakyKid(1)
                3.000  OrchestratorCompleted
            besides
                3.000  main ignored SubOrchestrationInstanceCompleted: Ended
               10.000  kid is at work already
        "#]],
    );
}

#[test]
fn a_child_at_work_learns_whom_to_answer() {
    let scenario = with_child(20).activity("FlakyParent", 1, fails_in(1)).rewind(10, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  SubOrchestrationInstanceCreated    #0 Kid(1) as kid
                0.000  TaskScheduled                      #1 FlakyParent(2)
                0.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  ExecutionRewound                   once more
               10.000  OrchestratorCompleted
               11.000  OrchestratorStarted
               11.000  TaskCompleted                      #1 = FlakyParent(2)
               11.000  OrchestratorCompleted
               21.000  OrchestratorStarted
               21.000  SubOrchestrationInstanceCompleted  #0 = FlakyKid(1)
               21.000  ExecutionCompleted                 Completed FlakyKid(1)
               21.000  OrchestratorCompleted
            kid: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Kid(1) for main #0
                0.000  TimerCreated                       #0 at 2024-01-01T00:00:20.0000000Z
                0.000  OrchestratorCompleted
               20.000  OrchestratorStarted
               20.000  TimerFired                         #0
               20.000  TaskScheduled                      #1 FlakyKid(1)
               20.000  OrchestratorCompleted
               21.000  OrchestratorStarted
               21.000  TaskCompleted                      #1 = FlakyKid(1)
               21.000  ExecutionCompleted                 Completed FlakyKid(1)
               21.000  OrchestratorCompleted
            besides
               10.000  kid is at work already
        "#]],
    );
}

#[test]
fn a_terminated_child_fails_its_parent_once_more() {
    let scenario =
        with_child(20).activity("FlakyParent", 3, fails_in(1)).terminate(1, "kid", "\"enough\"").rewind(10, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Failed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  SubOrchestrationInstanceCreated    #0 Kid(1) as kid
                0.000  TaskScheduled                      #1 FlakyParent(2)
                0.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  ExecutionRewound                   once more
               10.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  SubOrchestrationInstanceFailed     #0 ! OrchestrationTerminated: the sub-orchestration 'Kid' ('kid') was terminated: "enough"
               10.000  OrchestratorCompleted
               13.000  OrchestratorStarted
               13.000  TaskCompleted                      #1 = FlakyParent(2)
               13.000  ExecutionCompleted                 Failed OrchestrationTerminated: the sub-orchestration 'Kid' ('kid') was terminated: "enough"
               13.000  OrchestratorCompleted
            kid: Terminated
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Kid(1) for main #0
                0.000  TimerCreated                       #0 at 2024-01-01T00:00:20.0000000Z
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  ExecutionTerminated                "enough"
                1.000  ExecutionCompleted                 Terminated "enough"
                1.000  OrchestratorCompleted
            besides
                1.000  kid takes timer #0 back
               10.000  kid is at work already
        "#]],
    );
}

#[test]
fn a_purged_child_is_started_anew() {
    let scenario = with_child(1).activity("FlakyKid", 1, fails_in(1)).purge(5, "kid").rewind(10, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  SubOrchestrationInstanceCreated    #0 Kid(1) as kid
                0.000  TaskScheduled                      #1 FlakyParent(2)
                0.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  ExecutionRewound                   once more
               10.000  TaskCompleted                      #1 = FlakyParent(2)
               10.000  OrchestratorCompleted
               12.000  OrchestratorStarted
               12.000  SubOrchestrationInstanceCompleted  #0 = FlakyKid(1)
               12.000  ExecutionCompleted                 Completed FlakyKid(1)
               12.000  OrchestratorCompleted
            kid: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Kid(1) for main #0
                0.000  TimerCreated                       #0 at 2024-01-01T00:00:11.0000000Z
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  TimerFired                         #0
                1.000  TaskScheduled                      #1 FlakyKid(1)
                1.000  OrchestratorCompleted
                2.000  OrchestratorStarted
                2.000  TaskCompleted                      #1 = FlakyKid(1)
                2.000  ExecutionCompleted                 Completed FlakyKid(1)
                2.000  OrchestratorCompleted
            besides
                5.000  purged kid: Failed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Kid(1) for main #0
                0.000  TimerCreated                       #0 at 2024-01-01T00:00:01.0000000Z
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  TimerFired                         #0
                1.000  TaskScheduled                      #1 FlakyKid(1)
                1.000  OrchestratorCompleted
                2.000  OrchestratorStarted
                2.000  TaskFailed                         #1 ! Flaky: no luck
                2.000  ExecutionCompleted                 Failed Flaky: no luck
                2.000  OrchestratorCompleted
        "#]],
    );
}

/// An instance of the child's id that is not the child refuses.
#[test]
fn a_stranger_is_no_child() {
    let scenario = with_child(1)
        .activity("FlakyKid", 1, fails_in(1))
        .purge(5, "kid")
        .start(6, "kid", "Stranger", "9")
        .orchestrator("Stranger", |ctx, input| async move {
            ctx.sleep(9).await?;
            Ok(input)
        })
        .rewind(10, "main")
        .rewind(20, "main");
    check_rewound(
        &scenario,
        &expect![[r#"
            main: Failed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  SubOrchestrationInstanceCreated    #0 Kid(1) as kid
                0.000  TaskScheduled                      #1 FlakyParent(2)
                0.000  OrchestratorCompleted
               10.000  OrchestratorStarted
               10.000  ExecutionRewound                   once more
               10.000  OrchestratorCompleted
               20.000  OrchestratorStarted
               20.000  ExecutionRewound                   once more
               20.000  TaskCompleted                      #1 = FlakyParent(2)
               20.000  OrchestratorCompleted
               20.000  OrchestratorStarted
               20.000  SubOrchestrationInstanceFailed     #0 ! InstanceAlreadyExists: cannot rewind the sub-orchestration 'kid': the instance of that id is another one now; purge it and rewind again, and a new one is started
               20.000  ExecutionCompleted                 Failed InstanceAlreadyExists: cannot rewind the sub-orchestration 'kid': the instance of that id is another one now; purge it and rewind again, and a new one is started
               20.000  OrchestratorCompleted
            kid: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Stranger(9)
                0.000  TimerCreated                       #0 at 2024-01-01T00:00:15.0000000Z
                0.000  OrchestratorCompleted
                9.000  OrchestratorStarted
                9.000  TimerFired                         #0
                9.000  ExecutionCompleted                 Completed 9
                9.000  OrchestratorCompleted
            besides
                5.000  purged kid: Failed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Kid(1) for main #0
                0.000  TimerCreated                       #0 at 2024-01-01T00:00:01.0000000Z
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  TimerFired                         #0
                1.000  TaskScheduled                      #1 FlakyKid(1)
                1.000  OrchestratorCompleted
                2.000  OrchestratorStarted
                2.000  TaskFailed                         #1 ! Flaky: no luck
                2.000  ExecutionCompleted                 Failed Flaky: no luck
                2.000  OrchestratorCompleted
               10.000  kid is at work already
               20.000  kid is at work already
        "#]],
    );
}

#[test]
fn what_has_not_failed_answers_its_parent() {
    let answers = |status, demands: Vec<MessageKind>| {
        let output = Some(Json::from("1"));
        let row = InstanceRow { parent: Some(parent(5, 7)), output, ..row(status) };
        let checkpoint = rewind(&row, Vec::new(), messages(demands), at(9), &present()).unwrap();
        assert_eq!((checkpoint.row.status, &checkpoint.rewritten), (status, &None));
        let messages = checkpoint.messages.iter().map(|envelope| {
            let execution = envelope.execution.unwrap().as_u128();
            format!("{} to {}/{execution}", envelope.kind.name(), envelope.to)
        });
        let knows = checkpoint.row.parent.unwrap().execution.as_u128();
        format!("{}; knows {knows}", messages.collect::<Vec<_>>().join(", "))
    };
    let (mine, other) = (|| demand(Some(parent(6, 7)), false), || demand(Some(parent(6, 8)), false));
    expect!["SubOrchestrationInstanceCompleted to boss/6; knows 6"]
        .assert_eq(&answers(RuntimeStatus::Completed, vec![mine()]));
    expect!["SubOrchestrationInstanceFailed to boss/6; knows 6"]
        .assert_eq(&answers(RuntimeStatus::Terminated, vec![mine()]));
    expect!["SubOrchestrationInstanceFailed to boss/6; knows 5"]
        .assert_eq(&answers(RuntimeStatus::Completed, vec![other()]));
    expect!["; knows 5"].assert_eq(&answers(RuntimeStatus::Completed, vec![demand(None, false)]));
    expect!["SubOrchestrationInstanceFailed to boss/6, SubOrchestrationInstanceCompleted to boss/6; knows 6"]
        .assert_eq(&answers(RuntimeStatus::Completed, vec![other(), demand(None, false), mine()]));
    expect!["SubOrchestrationInstanceFailed to boss/6; knows 5"]
        .assert_eq(&answers(RuntimeStatus::Failed, vec![other()]));
}

/// A turn of a running child, with these messages.
fn turn_of_child(kinds: Vec<MessageKind>) -> Checkpoint {
    let (_, ledger) = first_turn([timer(0)]).into_parts();
    let row = InstanceRow { parent: Some(parent(5, 7)), turns: 1, ..row(RuntimeStatus::Running) };
    let admission = admit(&ledger, &row, messages(kinds), at(9));
    let (limits, present) = (&Limits::default(), &present());
    let (actions, custom_status, end) = (Vec::new(), None, TurnEnd::Waiting);
    let settling = Settling { row: &row, ledger, admission, actions, custom_status, end, now: at(9), limits, present };
    settle(settling).unwrap().checkpoint
}

#[test]
fn a_child_at_work_learns_its_parents_execution() {
    let checkpoint = turn_of_child(vec![demand(Some(parent(6, 7)), false)]);
    assert_eq!((checkpoint.row.parent, checkpoint.record), (Some(parent(6, 7)), None));
    assert_eq!((checkpoint.row.updated_at, checkpoint.messages), (at(9), Vec::new()));
    let stop = MessageKind::ExecutionTerminated {
        reason: Json::null(),
        recurse: true,
        by_parent: Some(ExecutionId::from_random(6)),
    };
    let checkpoint = turn_of_child(vec![demand(Some(parent(6, 7)), false), stop.clone()]);
    assert_eq!(checkpoint.row.status, RuntimeStatus::Terminated, "the new execution is its parent");
    assert_eq!(turn_of_child(vec![stop]).row.status, RuntimeStatus::Running, "nobody it knows");
    let checkpoint = turn_of_child(vec![terminate("null"), demand(Some(parent(6, 7)), false)]);
    let answered: Vec<_> = checkpoint.messages.iter().map(|envelope| envelope.execution).collect();
    assert_eq!(answered, [Some(ExecutionId::from_random(6))], "whoever ends in this turn answers the new execution");
    let checkpoint = turn_of_child(vec![demand(Some(parent(6, 9)), false)]);
    assert_eq!(checkpoint.row.parent, Some(parent(5, 7)));
    let [refusal] = &checkpoint.messages[..] else { panic!("one refusal") };
    assert_eq!(
        (refusal.execution, refusal.kind.name()),
        (Some(ExecutionId::from_random(6)), "SubOrchestrationInstanceFailed")
    );
}
