//! Recorded histories against code: whether it fits, and where it departs.

use super::author::{Ctx, Driver, author};
use super::fixtures::{activity, begin, child, cursor, event, first_turn, raised};
use super::world::Scenario;
use super::{Outcome, fail, ok};
use crate::{Event, EventKind, Failure, Fit, History, Json, Recording, RuntimeStatus};
use expect_test::{Expect, expect};

/// One turn behind others.
fn turn(kinds: impl IntoIterator<Item = EventKind>) -> Vec<Event> {
    let kinds = [EventKind::OrchestratorStarted].into_iter().chain(kinds);
    kinds.chain([EventKind::OrchestratorCompleted]).map(event).collect()
}

fn completed(output: &str) -> EventKind {
    EventKind::ExecutionCompleted { status: RuntimeStatus::Completed, output: Some(output.into()), failure: None }
}

fn failed(error_type: &str) -> EventKind {
    let failure = Some(Failure::new(error_type, "no luck").with_details("at a line that has moved since"));
    EventKind::ExecutionCompleted { status: RuntimeStatus::Failed, output: None, failure }
}

fn answered() -> EventKind {
    EventKind::TaskCompleted { scheduled: crate::EventId(0), result: "7".into() }
}

/// The code under test asks for `Work(1)` and then does as its name says.
async fn code(ctx: Ctx, then: &'static str) -> Outcome {
    let work = ctx.call("Work", "1").await;
    match then {
        "returns" => work,
        "fails" => fail("Flaky"),
        "waits" => ctx.event("E").await,
        "asks" => ctx.call("More", "2").await,
        "continues" => {
            ctx.continue_as_new("8", true);
            ok("over")
        }
        other => panic!("no code {other}"),
    }
}

fn verdict(history: Vec<Event>, then: &'static str) -> String {
    let Some(recording) = Recording::of(History::from_events(history).unwrap()) else {
        return "has not begun".to_owned();
    };
    let mut driver =
        Driver::new(cursor("main", recording.events().to_vec()), &author(move |ctx, _: Json| code(ctx, then)));
    let end = driver.advance();
    match driver.cursor(|cursor| recording.verdict(cursor, &end)) {
        Fit::Waits => "waits".to_owned(),
        Fit::Ends => "ends".to_owned(),
        Fit::EndedByHost { how } => format!("by the host: {how}"),
        Fit::Departs(departure) => departure.to_string(),
    }
}

/// How each code fits this history, equal verdicts together.
fn check(second_turn: impl IntoIterator<Item = EventKind>, expected: &Expect) {
    let mut history = first_turn([activity(0)]).into_parts().0;
    history.extend(turn(second_turn));
    let codes = ["returns", "fails", "waits", "asks", "continues"];
    let lines: Vec<_> = codes.map(|then| format!("{then:<10} {}\n", verdict(history.clone(), then))).to_vec();
    expected.assert_eq(&lines.concat());
}

#[test]
fn a_history_that_waits() {
    check(
        [answered()],
        &expect![[r#"
        returns    event 6 of the history: a previous execution of this orchestration scheduled nothing at this place, but the current replay execution has returned already
        fails      event 6 of the history: a previous execution of this orchestration scheduled nothing at this place, but the current replay execution has returned already
        waits      waits
        asks       event 6 of the history: a previous execution of this orchestration scheduled nothing at this place, but the current replay scheduled TaskScheduled with sequence ID 1 and name 'More'
        continues  event 6 of the history: a previous execution of this orchestration scheduled nothing at this place, but the current replay execution has returned already
    "#]],
    );
}

#[test]
fn a_history_that_completed() {
    check(
        [answered(), completed("7")],
        &expect![[r#"
        returns    ends
        fails      event 6 of the history: a previous execution ended as Completed with 7, but the current replay failed with Flaky: no luck
        waits      event 6 of the history: a previous execution ended as Completed with 7, but the current replay waits
        asks       event 6 of the history: a previous execution of this orchestration scheduled nothing at this place, but the current replay scheduled TaskScheduled with sequence ID 1 and name 'More'
        continues  event 6 of the history: a previous execution ended as Completed with 7, but the current replay continued as new with 8
    "#]],
    );
    check(
        [answered(), completed("8")],
        &expect![[r#"
        returns    event 6 of the history: a previous execution ended as Completed with 8, but the current replay completed with 7
        fails      event 6 of the history: a previous execution ended as Completed with 8, but the current replay failed with Flaky: no luck
        waits      event 6 of the history: a previous execution ended as Completed with 8, but the current replay waits
        asks       event 6 of the history: a previous execution of this orchestration scheduled nothing at this place, but the current replay scheduled TaskScheduled with sequence ID 1 and name 'More'
        continues  event 6 of the history: a previous execution ended as Completed with 8, but the current replay continued as new with 8
    "#]],
    );
}

#[test]
fn a_history_that_failed() {
    check(
        [answered(), failed("Flaky")],
        &expect![[r#"
        returns    event 6 of the history: a previous execution ended as Failed with Flaky: no luck, but the current replay completed with 7
        fails      ends
        waits      event 6 of the history: a previous execution ended as Failed with Flaky: no luck, but the current replay waits
        asks       event 6 of the history: a previous execution of this orchestration scheduled nothing at this place, but the current replay scheduled TaskScheduled with sequence ID 1 and name 'More'
        continues  event 6 of the history: a previous execution ended as Failed with Flaky: no luck, but the current replay continued as new with 8
    "#]],
    );
}

#[test]
fn a_history_that_continued_as_new() {
    let status = RuntimeStatus::ContinuedAsNew;
    check(
        [answered(), EventKind::ExecutionCompleted { status, output: Some("8".into()), failure: None }],
        &expect![[r#"
            returns    event 6 of the history: a previous execution ended as ContinuedAsNew with 8, but the current replay completed with 7
            fails      event 6 of the history: a previous execution ended as ContinuedAsNew with 8, but the current replay failed with Flaky: no luck
            waits      event 6 of the history: a previous execution ended as ContinuedAsNew with 8, but the current replay waits
            asks       event 6 of the history: a previous execution of this orchestration scheduled nothing at this place, but the current replay scheduled TaskScheduled with sequence ID 1 and name 'More'
            continues  ends
        "#]],
    );
}

/// What the code did in the turn that broke a limit, or departed before it was mended, is not recorded.
#[test]
fn a_history_that_the_host_ended() {
    check(
        [answered(), failed(Failure::LIMIT_EXCEEDED)],
        &expect![[r#"
        returns    by the host: ended as Failed with LimitExceeded: no luck
        fails      by the host: ended as Failed with LimitExceeded: no luck
        waits      by the host: ended as Failed with LimitExceeded: no luck
        asks       by the host: ended as Failed with LimitExceeded: no luck
        continues  by the host: ended as Failed with LimitExceeded: no luck
    "#]],
    );
    check(
        [answered(), failed("FunctionTrapped")],
        &expect![[r#"
        returns    by the host: ended as Failed with FunctionTrapped: no luck
        fails      by the host: ended as Failed with FunctionTrapped: no luck
        waits      by the host: ended as Failed with FunctionTrapped: no luck
        asks       by the host: ended as Failed with FunctionTrapped: no luck
        continues  by the host: ended as Failed with FunctionTrapped: no luck
    "#]],
    );
}

/// The code did not run in the turn that terminated it.
#[test]
fn a_history_that_was_terminated() {
    let ended = EventKind::ExecutionCompleted {
        status: RuntimeStatus::Terminated,
        output: Some("\"stop\"".into()),
        failure: None,
    };
    let terminated = EventKind::ExecutionTerminated { reason: "\"stop\"".into() };
    check(
        [answered(), terminated, ended],
        &expect![[r#"
        returns    by the host: ended as Terminated with "stop"
        fails      by the host: ended as Terminated with "stop"
        waits      by the host: ended as Terminated with "stop"
        asks       by the host: ended as Terminated with "stop"
        continues  by the host: ended as Terminated with "stop"
    "#]],
    );
}

#[test]
fn departures_before_the_last_turn() {
    let mut history = first_turn([child(0)]).into_parts().0;
    history.extend(turn([failed(Failure::NON_DETERMINISTIC)]));
    expect!["event 2 of the history: a previous execution of this orchestration scheduled SubOrchestrationInstanceCreated with sequence ID 0 and name 'Child', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'Work'"].assert_eq(&verdict(history, "returns"));
}

#[test]
fn what_has_not_begun() {
    let suspended = || EventKind::ExecutionSuspended { reason: "wait".to_owned() };
    let early = turn([EventKind::EventRaised(raised("E", "1"))]);
    assert_eq!(verdict(early.clone(), "waits"), "has not begun");
    assert_eq!(verdict(Vec::new(), "waits"), "has not begun");
    let held = turn([suspended()]);
    let started = [begin("0"), vec![event(EventKind::OrchestratorCompleted)]].concat();
    assert_eq!(verdict([held.clone(), started.clone()].concat(), "waits"), "has not begun");
    // Started and then held: its first turn has run, and asked for too little.
    let later = [early, started, held].concat();
    expect!["event 5 of the history: a previous execution of this orchestration scheduled nothing at this place, but the current replay scheduled TaskScheduled with sequence ID 0 and name 'Work'"].assert_eq(&verdict(later, "waits"));
}

/// Places are counted over the events as they are stored, also where some were held back.
#[test]
fn places_behind_a_hold() {
    let mut history = first_turn([activity(0)]).into_parts().0;
    history.extend(turn([EventKind::ExecutionSuspended { reason: "wait".to_owned() }]));
    history.extend(turn([answered()]));
    history.extend(turn([EventKind::ExecutionResumed { reason: "go on".to_owned() }, activity(1)]));
    history.extend(turn([EventKind::EventRaised(raised("E", "1")), completed("1")]));
    expect!["event 12 of the history: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 1 and name 'Work', but the current replay scheduled TaskScheduled with sequence ID 1 and name 'More'; its input was 1 and is now 2"].assert_eq(&verdict(history.clone(), "asks"));
    expect!["event 12 of the history: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 1 and name 'Work', but the current replay execution has returned already"].assert_eq(&verdict(history.clone(), "returns"));
    expect!["event 12 of the history: a previous execution of this orchestration scheduled TaskScheduled with sequence ID 1 and name 'Work', but the current replay execution hasn't (yet?) scheduled this task"].assert_eq(&verdict(history, "waits"));
}

/// A caller that no longer waits, or waits for what nobody answers, has left its history.
#[test]
fn detached_or_not_and_whom_an_event_is_for() {
    let departs = |before: fn(Ctx), after: fn(Ctx)| {
        let story = Scenario::new(move |ctx, _| async move {
            before(ctx.clone());
            ctx.event("E").await
        })
        .orchestrator("Child", |_, input| async move { Ok(input) })
        .deploy(1, "Main", move |ctx, _| async move {
            after(ctx.clone());
            ctx.event("E").await
        })
        .raise(2, "main", "E", "1")
        .story();
        let why = story.lines().find_map(|line| line.split_once("Non-Deterministic workflow detected: "));
        why.map_or_else(|| "fits".to_owned(), |(_, why)| why.split_once(" (event").unwrap().0.to_owned())
    };
    let waited: fn(Ctx) = |ctx| drop(ctx.child_as("kid", "Child", "1"));
    let detached: fn(Ctx) = |ctx| drop(ctx.start("Child", "1", Some("kid"), crate::StartOptions::default()));
    let to: [fn(Ctx); 2] = [|ctx| ctx.send("a", "E", "1").unwrap(), |ctx| ctx.send("b", "E", "1").unwrap()];
    assert_eq!(departs(waited, waited), "fits");
    assert_eq!(departs(to[0], to[0]), "fits");
    expect!["a previous execution of this orchestration scheduled SubOrchestrationInstanceCreated with sequence ID 0 and name 'Child', but the current replay scheduled SubOrchestrationInstanceCreated with sequence ID 0 and name 'Child (detached)'"].assert_eq(&departs(waited, detached));
    expect!["a previous execution of this orchestration scheduled SubOrchestrationInstanceCreated with sequence ID 0 and name 'Child (detached)', but the current replay scheduled SubOrchestrationInstanceCreated with sequence ID 0 and name 'Child'"].assert_eq(&departs(detached, waited));
    expect!["a previous execution of this orchestration scheduled EventSent with sequence ID 0 and name 'E to a', but the current replay scheduled EventSent with sequence ID 0 and name 'E to b'"].assert_eq(&departs(to[0], to[1]));
}
