//! Critical sections: who holds which entities, what is forbidden meanwhile, and that nothing stays locked.

use super::author::Ctx;
use super::fixtures::account;
use super::world::{Scenario, at, check};
use super::{ok, shown};
use crate::{Json, StartOptions};
use expect_test::{Expect, expect};
use std::rc::Rc;

#[test]
fn entities_are_locked_in_their_order_each_once() {
    let scenario = Scenario::new(|ctx, _| async move {
        let [one, two, three] = ["1", "2", "3"].map(account);
        ctx.lock(&[three.clone(), one.clone(), two.clone(), one.clone()]).await?;
        let both = ctx.all(vec![ctx.entity(&one, "add", "5"), ctx.entity(&two, "add", "7")]).await;
        let again = ctx.entity(&one, "add", "1").await;
        ctx.unlock();
        ctx.unlock();
        ok(format!("{} {} {}", shown(&both[0]), shown(&both[1]), shown(&again)))
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  EntityLockRequested                #0 @account@1, @account@2, @account@3
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityLockGranted                  #0
            0.000  EntityOperationCalled              #1 @account@1 add(5)
            0.000  EntityOperationCalled              #2 @account@2 add(7)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityOperationCompleted           #1 = 5
            0.000  EntityOperationCompleted           #2 = 7
            0.000  EntityOperationCalled              #3 @account@1 add(1)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityOperationCompleted           #3 = 6
            0.000  EntityUnlockSent                   #4 for #0
            0.000  ExecutionCompleted                 Completed 5 7 6
            0.000  OrchestratorCompleted
        @account@1: 6
        @account@2: 7
        besides
            0.000  @account@1 add(5) for main: 5
            0.000  @account@2 add(7) for main: 7
            0.000  @account@1 add(1) for main: 6
    "#]],
    );
}

/// Two owners that name the same entities in opposite order, and a client that signals meanwhile.
#[test]
fn owners_take_turns() {
    let scenario = Scenario::new(|ctx, input| async move {
        let mut entities = vec![account("1"), account("2")];
        if input.as_str() == "1" {
            entities.reverse();
        }
        ctx.lock(&entities).await?;
        ctx.sleep(2).await?;
        let sum = ctx.entity(&entities[0], "add", "10").await?;
        ctx.unlock();
        Ok(sum)
    })
    .start(0, "other", "Main", "1")
    .signal(1, "account", "1", "add", "1");
    check(
        &scenario,
        &expect![[r#"
            main: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  EntityLockRequested                #0 @account@1, @account@2
                0.000  OrchestratorCompleted
                0.000  OrchestratorStarted
                0.000  EntityLockGranted                  #0
                0.000  TimerCreated                       #1 at 2024-01-01T00:00:02.0000000Z
                0.000  OrchestratorCompleted
                2.000  OrchestratorStarted
                2.000  TimerFired                         #1
                2.000  EntityOperationCalled              #2 @account@1 add(10)
                2.000  OrchestratorCompleted
                2.000  OrchestratorStarted
                2.000  EntityOperationCompleted           #2 = 10
                2.000  EntityUnlockSent                   #3 for #0
                2.000  ExecutionCompleted                 Completed 10
                2.000  OrchestratorCompleted
            other: Completed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(1)
                0.000  EntityLockRequested                #0 @account@1, @account@2
                0.000  OrchestratorCompleted
                2.000  OrchestratorStarted
                2.000  EntityLockGranted                  #0
                2.000  TimerCreated                       #1 at 2024-01-01T00:00:04.0000000Z
                2.000  OrchestratorCompleted
                4.000  OrchestratorStarted
                4.000  TimerFired                         #1
                4.000  EntityOperationCalled              #2 @account@2 add(10)
                4.000  OrchestratorCompleted
                4.000  OrchestratorStarted
                4.000  EntityOperationCompleted           #2 = 10
                4.000  EntityUnlockSent                   #3 for #0
                4.000  ExecutionCompleted                 Completed 10
                4.000  OrchestratorCompleted
            @account@1: 11
            @account@2: 10
            besides
                2.000  @account@1 add(10) for main: 10
                4.000  @account@2 add(10) for other: 10
                4.000  @account@1 add(1) for a client: 11
        "#]],
    );
}

/// What the code sees when it breaks a rule: `break_rule` runs within a section over the account 1.
fn forbidden<R>(break_rule: impl Fn(Ctx) -> R + 'static, expected: &Expect)
where
    R: Future<Output = String> + 'static,
{
    let break_rule = Rc::new(break_rule);
    let seen = Rc::new(std::cell::RefCell::new(String::new()));
    let told = Rc::clone(&seen);
    let story = Scenario::new(move |ctx, _| {
        let (break_rule, told) = (Rc::clone(&break_rule), Rc::clone(&told));
        async move {
            ctx.lock(&[account("1")]).await?;
            *told.borrow_mut() = break_rule(ctx.clone()).await;
            ctx.unlock();
            // What was forbidden is allowed again.
            ctx.entity(&account("2"), "get", "null").await
        }
    })
    .story();
    assert!(story.contains("ExecutionCompleted                 Completed 0"), "{story}");
    expected.assert_eq(&seen.borrow());
}

#[test]
fn what_is_forbidden_within() {
    forbidden(
        |ctx| async move { shown(&ctx.lock(&[account("2")]).await) },
        &expect![
            "!CriticalSectionViolation: must not enter another critical section within one; leave the first one before"
        ],
    );
    forbidden(
        |ctx| async move { shown(&ctx.entity(&account("2"), "get", "null").await) },
        &expect![
            "!CriticalSectionViolation: the entity '@account@2' must not be called within a critical section that does not lock it; add it to the section's entities"
        ],
    );
    forbidden(
        |ctx| async move {
            let open = ctx.entity(&account("1"), "get", "null");
            let second = shown(&ctx.entity(&account("1"), "get", "null").await);
            format!("{second}; then {}", shown(&open.await))
        },
        &expect![
            "!CriticalSectionViolation: the entity '@account@1' must not be called while another call of it is open; within a critical section calls of one entity come one after the other; then 0"
        ],
    );
    forbidden(
        |ctx| async move { format!("{:?}", ctx.signal(&account("1"), "add", "1").err()) },
        &expect![[
            r#"Some(Failure { error_type: "CriticalSectionViolation", message: "the entity '@account@1' must not be signaled while it is locked by this orchestration; call it instead", details: None, non_retriable: true, cause: None, properties: {} })"#
        ]],
    );
    forbidden(
        |ctx| async move { shown(&ctx.child("Child", "1").await) },
        &expect![
            "!CriticalSectionViolation: the sub-orchestration 'Child' must not be called within a critical section; leave the section first"
        ],
    );
}

#[test]
fn what_is_allowed_within() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.lock(&[account("1")]).await?;
        ctx.signal(&account("2"), "add", "1")?;
        ctx.send("elsewhere", "E", "1")?;
        ctx.start("Other", "1", Some("other"), StartOptions::default())?;
        ctx.call("Work", "1").await?;
        ctx.sleep(1).await
    })
    .orchestrator("Other", |_, input| async move { Ok(input) });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  EntityLockRequested                #0 @account@1
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityLockGranted                  #0
            0.000  EntityOperationSignaled            #1 @account@2 add(1)
            0.000  EventSent                          #2 E(1) to elsewhere
            0.000  SubOrchestrationInstanceCreated    #3 Other(1) as other detached
            0.000  TaskScheduled                      #4 Work(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #4 = Work(1)
            1.000  TimerCreated                       #5 at 2024-01-01T00:00:02.0000000Z
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #5
            2.000  ExecutionCompleted                 Completed null
            2.000  OrchestratorCompleted
        other: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Other(1)
            0.000  ExecutionCompleted                 Completed 1
            0.000  OrchestratorCompleted
        @account@2: 1
        besides
            0.000  @account@2 add(1) for main: 1
            0.000  elsewhere is unknown
    "#]],
    );
}

#[test]
fn before_the_lock_is_granted() {
    let scenario = Scenario::new(|ctx, _| async move {
        let nothing = shown(&ctx.lock(&[]).await);
        let lock = ctx.lock(&[account("1")]);
        let early = shown(&ctx.entity(&account("1"), "get", "null").await);
        ctx.unlock();
        ok(format!("{nothing}\n{early}\n{}", shown(&lock.await)))
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  EntityLockRequested                #0 @account@1
            0.000  EntityUnlockSent                   #1 for #0
            0.000  ExecutionCompleted                 Completed !CriticalSectionViolation: a critical section needs at least one entity
        !CriticalSectionViolation: the entity '@account@1' must not be called while its critical section is not granted yet; wait for the lock first
        !CriticalSectionViolation: the critical section was left before it was granted; wait for the lock first
            0.000  OrchestratorCompleted
        besides
            0.000  main ignored EntityLockGranted: Ended
    "#]],
    );
}

/// Nobody would leave a section that nobody knows to have entered.
#[test]
fn a_lock_that_is_given_up() {
    let scenario = Scenario::new(|ctx, input| async move {
        let lock = ctx.lock(&[account("1")]);
        if input.as_str() == "1" {
            let (lock, patience) = (lock, ctx.sleep(1));
            if ctx.any(&[&lock, &patience]).await == 1 {
                ctx.cancel(&lock);
                return ctx.entity(&account("2"), "add", "1").await;
            }
        } else {
            lock.await?;
            ctx.sleep(5).await?;
        }
        ctx.entity(&account("1"), "add", "1").await
    })
    .start(0, "impatient", "Main", "1");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  EntityLockRequested                #0 @account@1
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityLockGranted                  #0
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:05.0000000Z
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #1
            5.000  EntityOperationCalled              #2 @account@1 add(1)
            5.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  EntityOperationCompleted           #2 = 1
            5.000  ExecutionCompleted                 Completed 1
            5.000  OrchestratorCompleted
        impatient: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(1)
            0.000  EntityLockRequested                #0 @account@1
            0.000  TimerCreated                       #1 at 2024-01-01T00:00:01.0000000Z
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TimerFired                         #1
            1.000  EntityUnlockSent                   #2 for #0
            1.000  EntityOperationCalled              #3 @account@2 add(1)
            1.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  EntityOperationCompleted           #3 = 1
            1.000  ExecutionCompleted                 Completed 1
            1.000  OrchestratorCompleted
        @account@1: 1
        @account@2: 1
        besides
            1.000  @account@2 add(1) for impatient: 1
            5.000  @account@1 add(1) for main: 1
    "#]],
    );
}

/// However an owner ends, what it held is free: the other one gets in.
#[test]
fn however_the_owner_ends() {
    let ends = |ending: &'static str| {
        Scenario::new(move |ctx, input| async move {
            if input.as_str() == "0" {
                ctx.lock(&[account("1"), account("2")]).await?;
                ctx.sleep(1).await?;
                match ending {
                    "fails" => return super::fail("Flaky"),
                    "continues as new" => ctx.continue_as_new("2", false),
                    "waits" => drop(ctx.event("never").await),
                    _ => {}
                }
            }
            ok("over")
        })
        .orchestrator("Next", |ctx, _| async move {
            ctx.sleep(0).await?;
            ctx.lock(&[account("2")]).await?;
            ctx.entity(&account("2"), "add", &ctx.now().saturating_since(at(0)).as_secs().to_string()).await
        })
        .start(0, "next", "Next", "0")
        .terminate(3, "main", "null")
    };
    let free_at = |ending| {
        let story = ends(ending).story();
        assert!(!story.contains("locked by") && !story.contains("waiting"), "{story}");
        story.lines().find_map(|line| line.strip_prefix("@account@2: ")).unwrap().to_owned()
    };
    assert_eq!(["returns", "fails", "continues as new", "waits"].map(free_at), ["1", "1", "1", "3"]);
}

/// The state of an entity outlives the sections over it; one without state and lock is no more.
#[test]
fn deleted_within_a_section() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.entity(&account("1"), "add", "1").await?;
        ctx.lock(&[account("1")]).await?;
        ctx.entity(&account("1"), "delete", "null").await?;
        let after = ctx.entity(&account("1"), "get", "null").await?;
        ctx.unlock();
        Ok::<Json, crate::Failure>(after)
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  EntityOperationCalled              #0 @account@1 add(1)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityOperationCompleted           #0 = 1
            0.000  EntityLockRequested                #1 @account@1
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityLockGranted                  #1
            0.000  EntityOperationCalled              #2 @account@1 delete(null)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityOperationCompleted           #2 = null
            0.000  EntityOperationCalled              #3 @account@1 get(null)
            0.000  OrchestratorCompleted
            0.000  OrchestratorStarted
            0.000  EntityOperationCompleted           #3 = 0
            0.000  EntityUnlockSent                   #4 for #1
            0.000  ExecutionCompleted                 Completed 0
            0.000  OrchestratorCompleted
        besides
            0.000  @account@1 add(1) for main: 1
            0.000  @account@1 delete(null) for main: null
            0.000  @account@1 get(null) for main: 0
    "#]],
    );
}
