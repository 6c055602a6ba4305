//! What an orchestrator sends without waiting for an answer: events for others, and orchestrations that nobody waits for.

use super::fixtures::account;
use super::ok;
use super::world::{Scenario, at, check};
use crate::{StartOptions, Tags};
use expect_test::expect;

#[test]
fn events_for_others() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.send("other", "E", "1")?;
        ctx.send("other", "e", "2")?;
        ctx.send("nobody", "E", "3")?;
        ctx.send("main", "back", "4")?;
        ctx.event("back").await
    })
    .orchestrator("Other", |ctx, _| async move {
        let both = ctx.all(vec![ctx.event("E"), ctx.event("E")]).await;
        ok(both.iter().map(super::shown).collect::<Vec<_>>().join(" "))
    })
    .start(0, "other", "Other", "0");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  EventSent                          #0 E(1) to other
            0.000  EventSent                          #1 e(2) to other
            0.000  EventSent                          #2 E(3) to nobody
            0.000  EventSent                          #3 back(4) to main
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EventRaised                        back(4)
            0.000  ExecutionCompleted                 Completed 4
            0.000  OrchestratorCompleted
        other: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Other(0)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EventRaised                        E(1)
            0.000  EventRaised                        e(2)
            0.000  ExecutionCompleted                 Completed 1 2
            0.000  OrchestratorCompleted
        besides
            0.000  nobody is unknown
    "#]],
    );
}

#[test]
fn an_event_for_who_has_ended() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.sleep(5).await?;
        ctx.send("other", "E", "1")?;
        ok("done")
    })
    .orchestrator("Other", |_, input| async move { Ok(input) })
    .start(0, "other", "Other", "0");
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
            5.000  EventSent                          #1 E(1) to other
            5.000  ExecutionCompleted                 Completed done
            5.000  OrchestratorCompleted
        other: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Other(0)
            0.000  ExecutionCompleted                 Completed 0
            0.000  OrchestratorCompleted
        besides
            5.000  other ignored EventRaised: Ended
    "#]],
    );
}

#[test]
fn orchestrations_that_nobody_waits_for() {
    let tags = |name: &str| Tags::from([(name.to_owned(), "yes".to_owned())]);
    let scenario = Scenario::default()
        .orchestrator("Main", move |ctx, _| async move {
            let options = StartOptions { version: Some("2.0".to_owned()), tags: tags("own"), start_at: Some(at(3)) };
            let named = ctx.start("Other", "1", Some("other"), options)?;
            let unnamed = ctx.start("Other", "2", None, StartOptions::default())?;
            ok(format!("{named} {unnamed}"))
        })
        .orchestrator("Other", |ctx, input| async move {
            ctx.log(format!("{} {:?} {:?}", ctx.instance(), ctx.identity().version, ctx.identity().tags));
            assert_eq!(ctx.identity().parent, None);
            Ok(input)
        })
        .start_with(0, "main", "Main", "0", StartOptions { tags: tags("inherited"), ..StartOptions::default() });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  SubOrchestrationInstanceCreated    #0 Other(1) as other detached
            0.000  SubOrchestrationInstanceCreated    #1 Other(2) as b7571da7711b5e8dbbf95bef816dd839 detached
            0.000  ExecutionCompleted                 Completed other b7571da7711b5e8dbbf95bef816dd839
            0.000  OrchestratorCompleted
        other: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Other(1)
            0.000  ExecutionCompleted                 Completed 1
            0.000  OrchestratorCompleted
        b7571da7711b5e8dbbf95bef816dd839: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Other(2)
            0.000  ExecutionCompleted                 Completed 2
            0.000  OrchestratorCompleted
        besides
            0.000  b7571da7711b5e8dbbf95bef816dd839 logged b7571da7711b5e8dbbf95bef816dd839 None {"inherited": "yes"}
            3.000  other logged other Some("2.0") {"inherited": "yes", "own": "yes"}
    "#]],
    );
}

#[test]
fn one_of_that_id_is_at_work() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.sleep(1).await?;
        ctx.start("Other", "1", Some("other"), StartOptions::default())?;
        ok("done")
    })
    .orchestrator("Other", |ctx, _| async move { ctx.event("E").await })
    .start(0, "other", "Other", "0");
    check(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  TimerCreated                       #0 at 2024-01-01T00:00:01.0000000Z
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  TimerFired                         #0
                1.000  SubOrchestrationInstanceCreated    #1 Other(1) as other detached
                1.000  ExecutionCompleted                 Completed done
                1.000  OrchestratorCompleted
            other: Running
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Other(0)
                0.000  OrchestratorCompleted
            besides
                1.000  other is at work already
        "#]],
    );
}

#[test]
fn what_is_no_id() {
    let scenario = Scenario::new(|ctx, _| async move {
        let start = |id| ctx.start("Other", "1", Some(id), StartOptions::default()).unwrap_err();
        let send = |id| ctx.send(id, "E", "1").unwrap_err();
        for failure in [start("a/b"), start("main"), send(""), send("@account@1")] {
            assert!(failure.non_retriable);
            ctx.log(failure.to_string());
        }
        ok("nothing was sent")
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  ExecutionCompleted                 Completed nothing was sent
            0.000  OrchestratorCompleted
        besides
            0.000  main logged InvalidArgument: cannot start 'Other': the instance id contains '/'; '/', '\', '#', '?' and control characters are not allowed
            0.000  main logged InvalidArgument: cannot start 'Other' with the instance id 'main': it is this instance's own id
            0.000  main logged InvalidArgument: cannot send the event 'E' to '': the instance id is empty; leave it out to get a new one, or give 1 to 256 characters
            0.000  main logged InvalidArgument: cannot send the event 'E' to '@account@1': the instance id starts with '@', which is reserved for entities; choose another first character
    "#]],
    );
}

#[test]
fn signals_at_once_and_later() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.signal_at(&account("1"), "add", "1", Some(at(5)))?;
        ctx.signal(&account("1"), "add", "2")?;
        ctx.entity(&account("1"), "get", "null").await
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  EntityOperationSignaled            #0 @account@1 add(1) at 2024-01-01T00:00:05.0000000Z
            0.000  EntityOperationSignaled            #1 @account@1 add(2)
            0.000  EntityOperationCalled              #2 @account@1 get(null)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityOperationCompleted           #2 = 2
            0.000  ExecutionCompleted                 Completed 2
            0.000  OrchestratorCompleted
        @account@1: 3
        besides
            0.000  @account@1 add(2) for main: 2
            0.000  @account@1 get(null) for main: 2
            5.000  @account@1 add(1) for main: 3
    "#]],
    );
}

#[test]
fn entities_answer_and_fail() {
    let scenario = Scenario::new(|ctx, _| async move {
        let both = ctx.all(vec![ctx.entity(&account("1"), "add", "2"), ctx.entity(&account("1"), "fly", "3")]).await;
        let third = ctx.entity(&account("1"), "get", "null").await;
        ok(format!("{}; {}; {}", super::shown(&both[0]), super::shown(&both[1]), super::shown(&third)))
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  EntityOperationCalled              #0 @account@1 add(2)
            0.000  EntityOperationCalled              #1 @account@1 fly(3)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityOperationCompleted           #0 = 2
            0.000  EntityOperationFailed              #1 ! UnknownOperation: fly
            0.000  EntityOperationCalled              #2 @account@1 get(null)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityOperationCompleted           #2 = 2
            0.000  ExecutionCompleted                 Completed 2; !UnknownOperation: fly; 2
            0.000  OrchestratorCompleted
        @account@1: 2
        besides
            0.000  @account@1 add(2) for main: 2
            0.000  @account@1 fly(3) for main: !UnknownOperation: fly
            0.000  @account@1 get(null) for main: 2
    "#]],
    );
}
