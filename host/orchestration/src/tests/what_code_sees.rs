//! What an orchestrator sees of the world: its clock, its GUIDs, whether it is replayed; and its custom status.

use super::author::{Driver, author};
use super::fixtures::{begin, cursor, event, raised, scheduled};
use super::ok;
use super::world::{Scenario, check};
use crate::{Cursor, Event, EventKind, Json, Next, TurnEnd};
use expect_test::expect;
use std::cell::RefCell;
use std::rc::Rc;

#[test]
fn guids_are_those_of_the_isolated_worker() {
    let mut cursor = cursor("abc", Vec::new());
    cursor.feed(begin("0"));
    cursor.start().unwrap();
    assert_eq!(cursor.new_guid().to_string(), "80835b95-20cf-5cec-8922-92309c9a2bb6");
    assert_eq!(cursor.new_guid().to_string(), "cd0470d7-c0a8-58a1-a46d-6f710b2e976a");
}

#[test]
fn the_clock_stands_still_within_a_turn_and_guids_count_on() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.log(format!("{} {}", ctx.now(), ctx.guid()));
        ctx.call("Work", "1").await?;
        ctx.log(format!("{} {}", ctx.now(), ctx.guid()));
        ctx.child("Child", "1").await?;
        ok(format!("{} {} {}", ctx.now(), ctx.guid(), ctx.guid()))
    })
    .orchestrator("Child", |ctx, _| async move { ctx.sleep(3).await });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = Work(1)
            1.000  SubOrchestrationInstanceCreated    #1 Child(1) as b7571da7711b5e8dbbf95bef816dd839
            1.000  OrchestratorCompleted
            4.000  OrchestratorStarted
            4.000  SubOrchestrationInstanceCompleted  #1 = null
            4.000  ExecutionCompleted                 Completed 2024-01-01T00:00:04.0000000Z fe67edab-205b-55cf-a231-1683f59fe8a4 0fa86be8-9eeb-5527-a0d4-a34d84272697
            4.000  OrchestratorCompleted
        b7571da7711b5e8dbbf95bef816dd839: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Child(1) for main #1
            0.000  TimerCreated                       #0 at 2024-01-01T00:00:04.0000000Z
            0.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  TimerFired                         #0
            3.000  ExecutionCompleted                 Completed null
            3.000  OrchestratorCompleted
        besides
            0.000  main logged 2024-01-01T00:00:00.0000000Z fed600ba-1ff2-5600-aaf6-8ea2fedffe3e
            1.000  main logged 2024-01-01T00:00:01.0000000Z cb119842-5415-5276-9930-8fd5793bf25c
    "#]],
    );
}

/// Where code runs for the first time, and where again: one line per step, marked when it is a replay.
#[test]
fn is_replaying_flips_at_the_first_new_event() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let code = {
        let seen = Rc::clone(&seen);
        author(move |ctx, _| {
            let seen = Rc::clone(&seen);
            async move {
                let step = |name: &str| {
                    let mark = if ctx.is_replaying() { "again" } else { "first" };
                    seen.borrow_mut().push(format!("{name} {mark}"));
                };
                step("start");
                let (a, b) = (ctx.call("A", "1"), ctx.call("B", "2"));
                step("asked");
                a.await?;
                step("a");
                b.await?;
                step("b");
                ctx.event("E").await?;
                step("e");
                ok("done")
            }
        })
    };
    let scheduled = |id: u32, name: &str| scheduled(id, name, &(id + 1).to_string());
    let completed = |id| EventKind::TaskCompleted { scheduled: crate::EventId(id), result: Json::null() };
    let raised = || EventKind::EventRaised(raised("E", "null"));
    let turns: [Vec<EventKind>; 3] = [
        vec![scheduled(0, "A"), scheduled(1, "B"), EventKind::OrchestratorCompleted],
        vec![EventKind::OrchestratorStarted, completed(0), EventKind::OrchestratorCompleted],
        vec![EventKind::OrchestratorStarted, completed(1), raised()],
    ];
    let mut past = begin("0");
    let replay = |past: &[Event], new: &[Event]| {
        seen.borrow_mut().clear();
        let mut driver = Driver::new(cursor("main", past.to_vec()), &code);
        driver.cursor(|cursor| cursor.feed(new.to_vec()));
        let end = driver.advance();
        (seen.borrow().join(", "), end)
    };
    assert_eq!(replay(&[], &past), ("start first, asked first".to_owned(), TurnEnd::Waiting));
    let events = |turn: &[EventKind]| turn.iter().cloned().map(event).collect::<Vec<_>>();
    past.extend(events(&turns[0]));
    let (first, second) = (events(&turns[1]), events(&turns[2]));
    assert_eq!(replay(&past, &first[..2]), ("start again, asked again, a first".to_owned(), TurnEnd::Waiting));
    past.extend(first);
    let end = TurnEnd::Completed("done".into());
    assert_eq!(replay(&past, &second), ("start again, asked again, a again, b first, e first".to_owned(), end.clone()));
    // A turn without anything new: all of it has been before.
    assert_eq!(replay(&past, &[]), ("start again, asked again, a again".to_owned(), TurnEnd::Waiting));
    let ended = EventKind::ExecutionCompleted {
        status: crate::RuntimeStatus::Completed,
        output: Some("done".into()),
        failure: None,
    };
    past.extend(second);
    past.extend(events(&[ended, EventKind::OrchestratorCompleted]));
    assert_eq!(replay(&past, &[]), ("start again, asked again, a again, b again, e again".to_owned(), end));
}

#[test]
fn log_lines_appear_once() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.log("one");
        ctx.call("Work", "1").await?;
        ctx.log("two");
        ctx.sleep(5).await?;
        ctx.log("three");
        ok("done")
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = Work(1)
            1.000  TimerCreated                       #1 at 2024-01-01T00:00:06.0000000Z
            1.000  OrchestratorCompleted
            6.000  OrchestratorStarted
            6.000  TimerFired                         #1
            6.000  ExecutionCompleted                 Completed done
            6.000  OrchestratorCompleted
        besides
            0.000  main logged one
            1.000  main logged two
            6.000  main logged three
    "#]],
    );
}

#[test]
fn of_a_custom_status_the_last_value_counts() {
    let scenario = Scenario::new(|ctx, _| async move {
        ctx.set_status(Some("\"one\""));
        ctx.set_status(Some("\"two\""));
        ctx.sleep(60).await
    })
    .terminate(5, "main", "null");
    check(
        &scenario,
        &expect![[r#"
        main: Terminated, status "two"
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TimerCreated                       #0 at 2024-01-01T00:01:00.0000000Z
            0.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  ExecutionTerminated                null
            5.000  ExecutionCompleted                 Terminated null
            5.000  OrchestratorCompleted
        besides
            5.000  main takes timer #0 back
    "#]],
    );
}

#[test]
fn a_custom_status_is_cleared_only_by_the_code() {
    let scenario = |last: Option<&'static str>| {
        Scenario::new(move |ctx, _| async move {
            ctx.set_status(Some("\"one\""));
            ctx.sleep(1).await?;
            if let Some(last) = last {
                ctx.set_status(Some(last).filter(|last| !last.is_empty()));
            }
            ctx.sleep(1).await
        })
        .story()
        .lines()
        .next()
        .map(str::to_owned)
    };
    assert_eq!(scenario(None).as_deref(), Some("main: Completed, status \"one\""));
    assert_eq!(scenario(Some("\"\"")).as_deref(), Some("main: Completed, status \"\""));
    assert_eq!(scenario(Some("")).as_deref(), Some("main: Completed"));
}

#[test]
fn a_custom_status_goes_over_into_the_next_execution() {
    let scenario = Scenario::new(|ctx, input| async move {
        if input.as_str() == "0" {
            ctx.set_status(Some("\"kept\""));
            ctx.continue_as_new("1", false);
        }
        Ok(input)
    });
    check(
        &scenario,
        &expect![[r#"
        main: Pending
        main: Completed, status "kept"
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(1)
            0.000  ExecutionCompleted                 Completed 1
            0.000  OrchestratorCompleted
        besides
            0.000  main continues as new with 1
    "#]],
    );
}

#[test]
fn a_replay_sets_no_custom_status_again() {
    let mut past = begin("0");
    past.push(event(EventKind::OrchestratorCompleted));
    let code = author(|ctx, _| async move {
        ctx.set_status(Some("\"early\""));
        ctx.event("E").await
    });
    let mut driver = Driver::new(cursor("main", past), &code);
    assert_eq!(driver.advance(), TurnEnd::Waiting);
    assert_eq!(driver.cursor(Cursor::take_actions), (Vec::new(), None));
}

#[test]
fn without_a_start_nothing_runs() {
    let mut empty = cursor("main", Vec::new());
    let stopped = empty.start().unwrap_err();
    expect!["the history has no ExecutionStarted, or holds the orchestrator since before its first line"]
        .assert_eq(&stopped.to_string());
    assert_eq!(empty.next(), Err(stopped.clone()));
    assert_eq!(empty.stopped(), Some(&stopped));
    let mut waiting = cursor("main", begin("7"));
    assert_eq!(waiting.start(), Ok(Json::from("7")));
    assert_eq!(waiting.next(), Ok(Next::Waiting));
    assert_eq!(waiting.open_tasks(), 0);
}
