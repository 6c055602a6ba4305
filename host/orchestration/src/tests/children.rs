//! Sub-orchestrations: their ids, their ends, and what their parents hear.

use super::world::{Scenario, check};
use super::{fail, ok, shown};
use expect_test::expect;

#[test]
fn a_child_answers_its_parent() {
    let scenario = Scenario::new(|ctx, _| async move {
        let trip = ctx.child("Trip", "1").await?;
        ctx.child("Trip", trip.as_str()).await
    })
    .orchestrator("Trip", |ctx, input| async move { ctx.call("Book", input.as_str()).await });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Trip(1) as 6a4f6e28286255cea1dbc1fecc96dc2a
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  SubOrchestrationInstanceCompleted  #0 = Book(1)
            1.000  SubOrchestrationInstanceCreated    #1 Trip(Book(1)) as b7571da7711b5e8dbbf95bef816dd839
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  SubOrchestrationInstanceCompleted  #1 = Book(Book(1))
            2.000  ExecutionCompleted                 Completed Book(Book(1))
            2.000  OrchestratorCompleted
        6a4f6e28286255cea1dbc1fecc96dc2a: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Trip(1) for main #0
            0.000  TaskScheduled                      #0 Book(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = Book(1)
            1.000  ExecutionCompleted                 Completed Book(1)
            1.000  OrchestratorCompleted
        b7571da7711b5e8dbbf95bef816dd839: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Trip(Book(1)) for main #1
            0.000  TaskScheduled                      #0 Book(Book(1))
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = Book(Book(1))
            1.000  ExecutionCompleted                 Completed Book(Book(1))
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn children_side_by_side_with_chosen_ids() {
    let scenario = Scenario::new(|ctx, _| async move {
        let trips = vec![ctx.child_as("trip-1", "Trip", "2"), ctx.child_as("trip-2", "Trip", "1")];
        let ids: Vec<_> = ctx.all(trips).await.iter().map(shown).collect();
        ok(ids.join(" "))
    })
    .orchestrator("Trip", |ctx, input| async move {
        ctx.sleep(input.as_str().parse().unwrap()).await?;
        ok(format!("\"{}\"", ctx.instance()))
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Trip(2) as trip-1
            0.000  SubOrchestrationInstanceCreated    #1 Trip(1) as trip-2
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  SubOrchestrationInstanceCompleted  #1 = "trip-2"
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  SubOrchestrationInstanceCompleted  #0 = "trip-1"
            2.000  ExecutionCompleted                 Completed "trip-1" "trip-2"
            2.000  OrchestratorCompleted
        trip-1: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Trip(2) for main #0
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:02.0000000Z
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #0
            2.000  ExecutionCompleted                 Completed "trip-1"
            2.000  OrchestratorCompleted
        trip-2: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Trip(1) for main #1
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #0
            1.000  ExecutionCompleted                 Completed "trip-2"
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn a_failing_child_keeps_type_message_and_cause() {
    let scenario = Scenario::new(|ctx, _| async move { ctx.child_as("kid", "Trip", "1").await })
        .orchestrator("Trip", |ctx, _| async move {
            let cause = ctx.call("Book", "1").await.unwrap_err();
            let why = crate::Failure::new("TripFailed", "no flight").with_details("at Trip");
            Err(crate::Failure { cause: Some(Box::new(cause)), ..why })
        })
        .activity("Book", 1, |_| fail("SoldOut"));
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Trip(1) as kid
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  SubOrchestrationInstanceFailed     #0 ! TripFailed: no flight; caused by SoldOut: no luck
            1.000  ExecutionCompleted                 Failed TripFailed: no flight; caused by SoldOut: no luck
            1.000  OrchestratorCompleted
        kid: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Trip(1) for main #0
            0.000  TaskScheduled                      #0 Book(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! SoldOut: no luck
            1.000  ExecutionCompleted                 Failed TripFailed: no flight; caused by SoldOut: no luck
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn a_terminated_child_fails_its_parents_task() {
    let scenario = Scenario::new(|ctx, _| async move { ok(shown(&ctx.child_as("kid", "Trip", "1").await)) })
        .orchestrator("Trip", |ctx, _| async move { ctx.sleep(60).await })
        .terminate(5, "kid", "\"not today\"");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Trip(1) as kid
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  SubOrchestrationInstanceFailed     #0 ! OrchestrationTerminated: the sub-orchestration 'Trip' ('kid') was terminated: "not today"
            5.000  ExecutionCompleted                 Completed !OrchestrationTerminated: the sub-orchestration 'Trip' ('kid') was terminated: "not today"
            5.000  OrchestratorCompleted
        kid: Terminated
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Trip(1) for main #0
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:00.0000000Z
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  ExecutionTerminated                "not today"
            5.000  ExecutionCompleted                 Terminated "not today"
            5.000  OrchestratorCompleted
        besides
            5.000  kid takes timer #0 back
    "#]],
    );
}

#[test]
fn a_child_that_is_in_no_component_fails_its_parents_task() {
    let scenario = Scenario::new(|ctx, _| async move { ctx.child_as("kid", "Nobody", "1").await });
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Nobody(1) as kid
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  SubOrchestrationInstanceFailed     #0 ! OrchestratorTaskNotFound: no orchestrator 'Nobody'
            0.000  ExecutionCompleted                 Failed OrchestratorTaskNotFound: no orchestrator 'Nobody'
            0.000  OrchestratorCompleted
        kid: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Nobody(1) for main #0
            0.000  ExecutionCompleted                 Failed OrchestratorTaskNotFound: no orchestrator 'Nobody'
            0.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn a_child_id_that_is_at_work_fails_the_task_and_leaves_the_other_alone() {
    let scenario = Scenario::new(|ctx, _| async move { ok(shown(&ctx.child_as("kid", "Trip", "1").await)) })
        .orchestrator("Trip", |ctx, input| async move {
            ctx.sleep(10).await?;
            Ok(input)
        })
        .start(0, "kid", "Trip", "7");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Trip(1) as kid
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  SubOrchestrationInstanceFailed     #0 ! InstanceAlreadyExists: cannot start the sub-orchestration 'Trip': an instance with the id 'kid' is at work already; wait for it, or choose another id
            0.000  ExecutionCompleted                 Completed !InstanceAlreadyExists: cannot start the sub-orchestration 'Trip': an instance with the id 'kid' is at work already; wait for it, or choose another id
            0.000  OrchestratorCompleted
        kid: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Trip(7)
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:10.0000000Z
            0.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  TimerFired                         #0
           10.000  ExecutionCompleted                 Completed 7
           10.000  OrchestratorCompleted
        besides
            0.000  kid is at work already
    "#]],
    );
}

#[test]
fn the_id_of_an_instance_that_ended_can_be_used_again() {
    let scenario = Scenario::default()
        .orchestrator("Main", |ctx, _| async move { ctx.child_as("kid", "Trip", "1").await })
        .orchestrator("Trip", |_, input| async move { Ok(input) })
        .start(0, "kid", "Trip", "7")
        .start(5, "main", "Main", "0");
    check(
        &scenario,
        &expect![[r#"
        kid: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Trip(7)
            0.000  ExecutionCompleted                 Completed 7
            0.000  OrchestratorCompleted
        kid: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Trip(1) for main #0
            0.000  ExecutionCompleted                 Completed 1
            0.000  OrchestratorCompleted
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Trip(1) as kid
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  SubOrchestrationInstanceCompleted  #0 = 1
            0.000  ExecutionCompleted                 Completed 1
            0.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn ids_that_no_child_can_have() {
    let scenario = Scenario::new(|ctx, _| async move { ctx.child_as("kid", "Child", "1").await }).orchestrator(
        "Child",
        |ctx, _| async move {
            let too_long = "x".repeat(257);
            for id in ["kid", "main", "@entity@key", "a/b", "", &too_long] {
                let failure = ctx.child_as(id, "Grandchild", "1").await.unwrap_err();
                assert!(failure.non_retriable);
                ctx.log(failure.to_string().replace(&too_long, "x*257"));
            }
            ok("none")
        },
    );
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Child(1) as kid
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  SubOrchestrationInstanceCompleted  #0 = none
            0.000  ExecutionCompleted                 Completed none
            0.000  OrchestratorCompleted
        kid: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #0
            0.000  ExecutionCompleted                 Completed none
            0.000  OrchestratorCompleted
        besides
            0.000  kid logged InvalidArgument: cannot start the sub-orchestration 'Grandchild' with the instance id 'kid': it is the parent's own id; choose another or leave it out
            0.000  kid logged InvalidArgument: cannot start the sub-orchestration 'Grandchild' with the instance id 'main': it is the id of the parent's parent; choose another or leave it out
            0.000  kid logged InvalidArgument: cannot start the sub-orchestration 'Grandchild' with the instance id '@entity@key': the instance id starts with '@', which is reserved for entities; choose another first character
            0.000  kid logged InvalidArgument: cannot start the sub-orchestration 'Grandchild' with the instance id 'a/b': the instance id contains '/'; '/', '\', '#', '?' and control characters are not allowed
            0.000  kid logged InvalidArgument: cannot start the sub-orchestration 'Grandchild' with the instance id '': the instance id is empty; leave it out to get a new one, or give 1 to 256 characters
            0.000  kid logged InvalidArgument: cannot start the sub-orchestration 'Grandchild' with the instance id 'x*257': the instance id has a length of 257 bytes; at most 256 are allowed
    "#]],
    );
}

#[test]
fn default_ids_differ_between_executions_at_the_same_time() {
    let scenario = Scenario::new(|ctx, input| async move {
        ctx.child("Child", input.as_str());
        if input.as_str() == "0" {
            ctx.continue_as_new("1", false);
        }
        Ok(input)
    })
    .orchestrator("Child", |ctx, _| async move { ctx.sleep(5).await });
    check(
        &scenario,
        &expect![[r#"
        main: Pending
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(1)
            0.000  SubOrchestrationInstanceCreated    #0 Child(1) as 8473f936250c54a5854e4f73312f1d1b
            0.000  ExecutionCompleted                 Completed 1
            0.000  OrchestratorCompleted
        6a4f6e28286255cea1dbc1fecc96dc2a: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(0) for main #0
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:05.0000000Z
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #0
            5.000  ExecutionCompleted                 Completed null
            5.000  OrchestratorCompleted
        8473f936250c54a5854e4f73312f1d1b: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #0
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:05.0000000Z
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #0
            5.000  ExecutionCompleted                 Completed null
            5.000  OrchestratorCompleted
        besides
            0.000  main continues as new with 1
            5.000  main ignored SubOrchestrationInstanceCompleted: StaleExecution
            5.000  main ignored SubOrchestrationInstanceCompleted: Ended
    "#]],
    );
}

#[test]
fn a_grandparents_parent_is_not_looked_at() {
    // Only the parent and the grandparent are known; what is further up is at work, and the task fails by that.
    let scenario = Scenario::new(|ctx, _| async move { ctx.child_as("b", "B", "1").await })
        .orchestrator("B", |ctx, _| async move { ctx.child_as("c", "C", "1").await })
        .orchestrator("C", |ctx, _| async move { ctx.child_as("main", "Main", "1").await });
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 B(1) as b
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  SubOrchestrationInstanceFailed     #0 ! InstanceAlreadyExists: cannot start the sub-orchestration 'Main': an instance with the id 'main' is at work already; wait for it, or choose another id
            0.000  ExecutionCompleted                 Failed InstanceAlreadyExists: cannot start the sub-orchestration 'Main': an instance with the id 'main' is at work already; wait for it, or choose another id
            0.000  OrchestratorCompleted
        b: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   B(1) for main #0
            0.000  SubOrchestrationInstanceCreated    #0 C(1) as c
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  SubOrchestrationInstanceFailed     #0 ! InstanceAlreadyExists: cannot start the sub-orchestration 'Main': an instance with the id 'main' is at work already; wait for it, or choose another id
            0.000  ExecutionCompleted                 Failed InstanceAlreadyExists: cannot start the sub-orchestration 'Main': an instance with the id 'main' is at work already; wait for it, or choose another id
            0.000  OrchestratorCompleted
        c: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   C(1) for b #0
            0.000  SubOrchestrationInstanceCreated    #0 Main(1) as main
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  SubOrchestrationInstanceFailed     #0 ! InstanceAlreadyExists: cannot start the sub-orchestration 'Main': an instance with the id 'main' is at work already; wait for it, or choose another id
            0.000  ExecutionCompleted                 Failed InstanceAlreadyExists: cannot start the sub-orchestration 'Main': an instance with the id 'main' is at work already; wait for it, or choose another id
            0.000  OrchestratorCompleted
        besides
            0.000  main is at work already
    "#]],
    );
}

#[test]
fn a_parent_that_ends_does_not_stop_its_children() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.child_as("kid", "Trip", "1");
        ctx.sleep(1).await
    })
    .orchestrator("Trip", |ctx, _| async move { ctx.sleep(10).await });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Trip(1) as kid
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #1
            1.000  ExecutionCompleted                 Completed null
            1.000  OrchestratorCompleted
        kid: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Trip(1) for main #0
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:10.0000000Z
            0.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  TimerFired                         #0
           10.000  ExecutionCompleted                 Completed null
           10.000  OrchestratorCompleted
        besides
           10.000  main ignored SubOrchestrationInstanceCompleted: Ended
    "#]],
    );
}

#[test]
fn a_child_that_is_given_up_goes_on() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (child, deadline) = (ctx.child_as("kid", "Trip", "1"), ctx.sleep(1));
        let winner = ctx.any(&[&child, &deadline]).await;
        ctx.cancel(&child);
        ctx.sleep(20).await?;
        ok(winner.to_string())
    })
    .orchestrator("Trip", |ctx, _| async move { ctx.sleep(10).await });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Trip(1) as kid
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #1
            1.000  TimerCreated                       #2 at 2024-01-01T00:00:21.0000000Z
            1.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  SubOrchestrationInstanceCompleted  #0 = null
           10.000  OrchestratorCompleted
           21.000  OrchestratorStarted
           21.000  TimerFired                         #2
           21.000  ExecutionCompleted                 Completed 1
           21.000  OrchestratorCompleted
        kid: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Trip(1) for main #0
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:10.0000000Z
            0.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  TimerFired                         #0
           10.000  ExecutionCompleted                 Completed null
           10.000  OrchestratorCompleted
    "#]],
    );
}
