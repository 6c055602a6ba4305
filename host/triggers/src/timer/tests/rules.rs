//! Each rule as a transcript: what ran when, what was committed, and what is remembered at the end.

use super::world::{End, Ends, Fault, NAME, World, at, timer, with};
use expect_test::{Expect, expect};
use manifest::{CatchUp, Function, RetryDelay, RetryPolicy};
use std::time::Duration;

/// Lives the lives and compares the transcript.
fn check(world: &World, function: &Function, lives: &[Ends], expected: &Expect) {
    for (index, ends) in lives.iter().enumerate() {
        if index > 0 {
            world.note("the host starts again");
        }
        world.live(function, ends);
    }
    expected.assert_eq(&format!("{}{}", world.transcript(), world.document()));
}

/// A pause between two lives.
fn later(world: &World, moment: &str) {
    world.state().now = at(moment);
}

fn retrying(function: Function, max_retry_count: Option<u32>, delay_s: u64) -> Function {
    let delay = RetryDelay::Fixed(Duration::from_secs(delay_s));
    Function { retry: Some(RetryPolicy { max_retry_count, delay }), ..function }
}

fn without_outputs(function: Function) -> Function {
    Function { outputs: Vec::new(), ..function }
}

#[test]
fn each_occurrence_runs_once_and_is_remembered_with_its_outputs() {
    let world = World::at("2026-01-05T08:59:00");
    check(
        &world,
        &timer("0 0 9 * * *"),
        &[Ends::at("2026-01-06T12:00:00")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:00
            2026-01-05T09:00:00 committed 2026-01-05T09:00:00
            2026-01-06T09:00:00 runs 2026-01-06T09:00:00, last 2026-01-05T09:00:00, next 2026-01-07T09:00:00, updated 2026-01-05T09:00:00
            2026-01-06T09:00:00 committed 2026-01-06T09:00:00
            timers/tests/Nightly: {"schedule":"0 0 9 * * *","last":"2026-01-06T09:00:00.0000000Z","next":"2026-01-07T09:00:00.0000000Z","lastUpdated":"2026-01-06T09:00:00.0000000Z"
        "#]],
    );
}

#[test]
fn a_new_timer_is_remembered_before_it_has_run() {
    let world = World::at("2026-01-05T08:59:00");
    world.live(&timer("0 0 9 * * *"), &Ends::at("2026-01-05T08:59:30"));
    later(&world, "2026-01-05T09:10:00");
    check(
        &world,
        &timer("0 0 9 * * *"),
        &[Ends::at("2026-01-05T12:00:00")],
        &expect![[r#"
            2026-01-05T09:10:00 runs 2026-01-05T09:00:00 past due, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:00
            2026-01-05T09:10:00 committed 2026-01-05T09:00:00
            timers/tests/Nightly: {"schedule":"0 0 9 * * *","last":"2026-01-05T09:00:00.0000000Z","next":"2026-01-06T09:00:00.0000000Z","lastUpdated":"2026-01-05T09:10:00.0000000Z"
        "#]],
    );
}

/// Three occurrences are missed; the host is back five minutes after the last.
fn missed(catch_up: CatchUp) -> World {
    let world = World::at("2026-01-05T08:30:00");
    let function = with(timer("0 0 * * * *"), |trigger| trigger.catch_up = catch_up);
    world.live(&function, &Ends::at("2026-01-05T09:30:00"));
    later(&world, "2026-01-05T12:05:00");
    world.note("the host starts again");
    world.live(&function, &Ends::at("2026-01-05T13:30:00"));
    world
}

#[test]
fn missed_occurrences_are_caught_up_with_as_the_manifest_says() {
    expect![[r#"
        2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T10:00:00, updated 2026-01-05T08:30:00
        2026-01-05T09:00:00 committed 2026-01-05T09:00:00
        2026-01-05T12:05:00 the host starts again
        2026-01-05T12:05:00 runs 2026-01-05T10:00:00 past due, last 2026-01-05T09:00:00, next 2026-01-05T13:00:00, updated 2026-01-05T09:00:00
        2026-01-05T12:05:00 committed 2026-01-05T10:00:00
        2026-01-05T13:00:00 runs 2026-01-05T13:00:00, last 2026-01-05T10:00:00, next 2026-01-05T14:00:00, updated 2026-01-05T12:05:00
        2026-01-05T13:00:00 committed 2026-01-05T13:00:00
    "#]].assert_eq(&missed(CatchUp::One).transcript());
    expect![[r#"
        2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T10:00:00, updated 2026-01-05T08:30:00
        2026-01-05T09:00:00 committed 2026-01-05T09:00:00
        2026-01-05T12:05:00 the host starts again
        2026-01-05T12:05:00 runs 2026-01-05T10:00:00 past due, last 2026-01-05T09:00:00, next 2026-01-05T11:00:00, updated 2026-01-05T09:00:00
        2026-01-05T12:05:00 committed 2026-01-05T10:00:00
        2026-01-05T12:05:00 runs 2026-01-05T11:00:00 past due, last 2026-01-05T10:00:00, next 2026-01-05T12:00:00, updated 2026-01-05T12:05:00
        2026-01-05T12:05:00 committed 2026-01-05T11:00:00
        2026-01-05T12:05:00 runs 2026-01-05T12:00:00 past due, last 2026-01-05T11:00:00, next 2026-01-05T13:00:00, updated 2026-01-05T12:05:00
        2026-01-05T12:05:00 committed 2026-01-05T12:00:00
        2026-01-05T13:00:00 runs 2026-01-05T13:00:00, last 2026-01-05T12:00:00, next 2026-01-05T14:00:00, updated 2026-01-05T12:05:00
        2026-01-05T13:00:00 committed 2026-01-05T13:00:00
    "#]].assert_eq(&missed(CatchUp::All).transcript());
    expect![[r#"
        2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T10:00:00, updated 2026-01-05T08:30:00
        2026-01-05T09:00:00 committed 2026-01-05T09:00:00
        2026-01-05T12:05:00 the host starts again
        2026-01-05T13:00:00 runs 2026-01-05T13:00:00, last 2026-01-05T09:00:00, next 2026-01-05T14:00:00, updated 2026-01-05T09:00:00
        2026-01-05T13:00:00 committed 2026-01-05T13:00:00
    "#]].assert_eq(&missed(CatchUp::None).transcript());
}

#[test]
fn a_new_schedule_is_not_late_for_what_it_never_promised() {
    let world = World::at("2026-01-05T08:30:00");
    world.live(&timer("0 0 9 * * *"), &Ends::at("2026-01-05T10:00:00"));
    later(&world, "2026-01-05T12:05:00");
    world.note("every hour from now on");
    world.live(&timer("0 0 * * * *"), &Ends::at("2026-01-05T12:30:00"));
    later(&world, "2026-01-05T13:20:00");
    check(
        &world,
        &timer("0 0 * * * *"),
        &[Ends::at("2026-01-05T13:40:00")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:30:00
            2026-01-05T09:00:00 committed 2026-01-05T09:00:00
            2026-01-05T12:05:00 every hour from now on
            2026-01-05T13:20:00 runs 2026-01-05T13:00:00 past due, last 2026-01-05T09:00:00, next 2026-01-05T14:00:00, updated 2026-01-05T12:05:00
            2026-01-05T13:20:00 committed 2026-01-05T13:00:00
            timers/tests/Nightly: {"schedule":"0 0 * * * *","last":"2026-01-05T13:00:00.0000000Z","next":"2026-01-05T14:00:00.0000000Z","lastUpdated":"2026-01-05T13:20:00.0000000Z"
        "#]],
    );
    world.note("once a month from now on");
    later(&world, "2026-01-20T00:00:00");
    check(
        &world,
        &timer("0 0 0 1 * *"),
        &[Ends::at("2026-02-01T00:00:01")],
        &expect![[r#"
            2026-01-05T13:40:00 once a month from now on
            2026-02-01T00:00:00 runs 2026-02-01T00:00:00, last 2026-01-05T13:00:00, next 2026-03-01T00:00:00, updated 2026-01-20T00:00:00
            2026-02-01T00:00:00 committed 2026-02-01T00:00:00
            timers/tests/Nightly: {"schedule":"0 0 0 1 * *","last":"2026-02-01T00:00:00.0000000Z","next":"2026-03-01T00:00:00.0000000Z","lastUpdated":"2026-02-01T00:00:00.0000000Z"
        "#]],
    );
}

#[test]
fn a_schedule_in_another_time_zone_is_another_schedule() {
    let world = World::at("2026-01-05T06:00:00");
    world.live(&timer("0 0 9 * * *"), &Ends::at("2026-01-05T07:00:00"));
    let berlin = manifest::schedule::Schedule::parse("0 0 9 * * *", Some("Europe/Berlin")).expect("a schedule");
    let function = with(timer("0 0 9 * * *"), |trigger| trigger.schedule = berlin);
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T10:00:00")],
        &expect![[r#"
            2026-01-05T08:00:00 runs 2026-01-05T08:00:00, last -, next 2026-01-06T08:00:00, updated 2026-01-05T07:00:00
            2026-01-05T08:00:00 committed 2026-01-05T08:00:00
            timers/tests/Nightly: {"schedule":"0 0 9 * * * (Europe/Berlin)","last":"2026-01-05T08:00:00.0000000Z","next":"2026-01-06T08:00:00.0000000Z","lastUpdated":"2026-01-05T08:00:00.0000000Z"
        "#]],
    );
}

#[test]
fn what_fires_more_than_once_a_minute_is_not_monitored() {
    let world = World::at("2026-01-05T08:59:45");
    let function = without_outputs(timer("*/30 * * * * *"));
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T09:00:10"), Ends::at("2026-01-05T09:00:40")],
        &expect![[r#"
        2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T09:00:30, updated -
        2026-01-05T09:00:10 the host starts again
        2026-01-05T09:00:30 runs 2026-01-05T09:00:30, last -, next 2026-01-05T09:01:00, updated -
    "#]],
    );
    later(&world, "2026-01-05T10:00:15");
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T10:00:40")],
        &expect![[r#"
        2026-01-05T10:00:30 runs 2026-01-05T10:00:30, last -, next 2026-01-05T10:01:00, updated -
    "#]],
    );
}

#[test]
fn a_timer_without_monitor_forgets_what_it_missed() {
    let world = World::at("2026-01-05T08:30:00");
    let function = with(timer("0 0 * * * *"), |trigger| trigger.use_monitor = false);
    world.live(&function, &Ends::at("2026-01-05T09:30:00"));
    later(&world, "2026-01-05T12:05:00");
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T13:30:00")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T10:00:00, updated -
            2026-01-05T09:00:00 committed 2026-01-05T09:00:00
            2026-01-05T13:00:00 runs 2026-01-05T13:00:00, last -, next 2026-01-05T14:00:00, updated -
            2026-01-05T13:00:00 committed 2026-01-05T13:00:00
            timers/tests/Nightly: {"schedule":"0 0 * * * *","last":"2026-01-05T13:00:00.0000000Z","next":"2026-01-05T14:00:00.0000000Z","lastUpdated":"2026-01-05T13:00:00.0000000Z"
        "#]],
    );
}

#[test]
fn run_on_startup_runs_at_every_start_unless_something_else_runs_at_once() {
    let world = World::at("2026-01-05T08:30:00");
    let function = with(timer("0 0 * * * *"), |trigger| trigger.run_on_startup = true);
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T08:40:00"), Ends::at("2026-01-05T09:10:00")],
        &expect![[r#"
            2026-01-05T08:30:00 runs 2026-01-05T08:30:00, last -, next 2026-01-05T09:00:00, updated 2026-01-05T08:30:00
            2026-01-05T08:30:00 committed 2026-01-05T08:30:00
            2026-01-05T08:40:00 the host starts again
            2026-01-05T08:40:00 runs 2026-01-05T08:40:00, last 2026-01-05T08:30:00, next 2026-01-05T09:00:00, updated 2026-01-05T08:30:00
            2026-01-05T08:40:00 committed 2026-01-05T08:40:00
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last 2026-01-05T08:40:00, next 2026-01-05T10:00:00, updated 2026-01-05T08:40:00
            2026-01-05T09:00:00 committed 2026-01-05T09:00:00
            timers/tests/Nightly: {"schedule":"0 0 * * * *","last":"2026-01-05T09:00:00.0000000Z","next":"2026-01-05T10:00:00.0000000Z","lastUpdated":"2026-01-05T09:00:00.0000000Z"
        "#]],
    );
    later(&world, "2026-01-05T12:05:00");
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T12:10:00")],
        &expect![[r#"
            2026-01-05T12:05:00 runs 2026-01-05T10:00:00 past due, last 2026-01-05T09:00:00, next 2026-01-05T13:00:00, updated 2026-01-05T09:00:00
            2026-01-05T12:05:00 committed 2026-01-05T10:00:00
            timers/tests/Nightly: {"schedule":"0 0 * * * *","last":"2026-01-05T10:00:00.0000000Z","next":"2026-01-05T13:00:00.0000000Z","lastUpdated":"2026-01-05T12:05:00.0000000Z"
        "#]],
    );
}

#[test]
fn a_disabled_timer_has_no_listener_and_runs_by_hand() {
    let world = World::at("2026-01-05T08:59:00");
    let function = Function { disabled: true, ..timer("0 0 9 * * *") };
    let triggers = world.start(&function);
    assert_eq!(triggers.listeners().len(), 0);
    by_hand(&world, &function, "nightly");
    expect![[r#"
        2026-01-05T08:59:00 runs 2026-01-05T08:59:00, last -, next 2026-01-05T09:00:00, updated 2026-01-05T08:59:00
        2026-01-05T08:59:00 committed 2026-01-05T08:59:00
        2026-01-05T08:59:00 returned "2026-01-05T08:59:00"
    "#]]
    .assert_eq(&world.transcript());
}

fn by_hand(world: &World, function: &Function, name: &str) {
    let triggers = world.start(function);
    let ends = Ends::at("2027-01-01T00:00:00");
    let run = async {
        match triggers.run_once(name).await {
            Some(run) => world.note(&match run.outcome {
                Ok(ran) => format!("returned {}", ran.returned.as_str()),
                Err(error) => format!("failed: {error}"),
            }),
            None => world.note("there is no such function"),
        }
    };
    world.drive(&mut (Box::pin(run) as _), &ends);
}

#[test]
fn a_run_by_hand_leaves_the_schedule_alone() {
    let world = World::at("2026-01-05T08:30:00");
    let function = retrying(timer("0 0 9 * * *"), Some(3), 60);
    world.live(&function, &Ends::at("2026-01-05T10:00:00"));
    let before = world.document();
    world.act(5, End::Succeeds);
    world.act(5, End::Fails);
    world.act(5, End::Traps);
    for name in ["Nightly", "NIGHTLY", "Nightly", "Daily"] {
        by_hand(&world, &function, name);
    }
    world.fail(&[Fault::None, Fault::Refused]);
    by_hand(&world, &function, "Nightly");
    world.fail(&[Fault::Refused]);
    by_hand(&world, &function, "Nightly");
    assert_eq!(world.document(), before);
    expect![[r#"
        2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:30:00
        2026-01-05T09:00:00 committed 2026-01-05T09:00:00
        2026-01-05T10:00:00 runs 2026-01-05T10:00:00, last 2026-01-05T09:00:00, next 2026-01-06T09:00:00, updated 2026-01-05T09:00:00
        2026-01-05T10:00:05 committed 2026-01-05T10:00:00
        2026-01-05T10:00:05 returned "2026-01-05T10:00:00"
        2026-01-05T10:00:05 runs 2026-01-05T10:00:05, last 2026-01-05T09:00:00, next 2026-01-06T09:00:00, updated 2026-01-05T09:00:00
        2026-01-05T10:00:10 failed: Broken: as the test wished
        2026-01-05T10:00:10 runs 2026-01-05T10:00:10, last 2026-01-05T09:00:00, next 2026-01-06T09:00:00, updated 2026-01-05T09:00:00
        2026-01-05T10:00:15 failed: function 'Nightly' trapped: as the test wished
        2026-01-05T10:00:15 there is no such function
        2026-01-05T10:00:15 runs 2026-01-05T10:00:15, last 2026-01-05T09:00:00, next 2026-01-06T09:00:00, updated 2026-01-05T09:00:00
        2026-01-05T10:00:15 failed: what the function produced was not written: the store is unavailable: as the test wished
        2026-01-05T10:00:15 runs 2026-01-05T10:00:15, last -, next 2026-01-06T09:00:00, updated 2026-01-05T10:00:15
        2026-01-05T10:00:15 committed 2026-01-05T10:00:15
        2026-01-05T10:00:15 returned "2026-01-05T10:00:15"
    "#]].assert_eq(&world.transcript());
}

#[test]
fn a_run_by_hand_and_one_of_the_schedule_wait_for_each_other() {
    let world = World::at("2026-01-05T08:59:50");
    world.act(20, End::Succeeds);
    let function = timer("0 0 9 * * *");
    let triggers = world.start(&function);
    let listener = triggers.listeners().remove(0);
    let both = async {
        let listening = listener.run(futures::future::pending());
        let manual = async {
            triggers.run_once("Nightly").await;
            triggers.run_once("Nightly").await;
        };
        futures::future::join(listening, manual).await;
    };
    world.drive(&mut (Box::pin(both) as _), &Ends::at("2026-01-05T10:00:00"));
    assert_eq!(world.state().most_running, 1);
    expect![[r#"
        2026-01-05T08:59:50 runs 2026-01-05T08:59:50, last -, next 2026-01-05T09:00:00, updated 2026-01-05T08:59:50
        2026-01-05T09:00:10 committed 2026-01-05T08:59:50
        2026-01-05T09:00:10 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:50
        2026-01-05T09:00:10 committed 2026-01-05T09:00:00
        2026-01-05T09:00:10 runs 2026-01-05T09:00:10, last 2026-01-05T09:00:00, next 2026-01-06T09:00:00, updated 2026-01-05T09:00:10
        2026-01-05T09:00:10 committed 2026-01-05T09:00:10
    "#]].assert_eq(&world.transcript());
}

#[test]
fn a_long_run_drops_occurrences_but_for_the_first_which_fires_at_once() {
    let world = World::at("2026-01-05T08:59:30");
    world.act(200, End::Succeeds);
    check(
        &world,
        &timer("0 * * * * *"),
        &[Ends::at("2026-01-05T09:04:30")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T09:01:00, updated 2026-01-05T08:59:30
            2026-01-05T09:03:20 committed 2026-01-05T09:00:00
            2026-01-05T09:03:20 runs 2026-01-05T09:01:00, last 2026-01-05T09:00:00, next 2026-01-05T09:04:00, updated 2026-01-05T09:03:20
            2026-01-05T09:03:20 committed 2026-01-05T09:01:00
            2026-01-05T09:04:00 runs 2026-01-05T09:04:00, last 2026-01-05T09:01:00, next 2026-01-05T09:05:00, updated 2026-01-05T09:03:20
            2026-01-05T09:04:00 committed 2026-01-05T09:04:00
            timers/tests/Nightly: {"schedule":"0 * * * * *","last":"2026-01-05T09:04:00.0000000Z","next":"2026-01-05T09:05:00.0000000Z","lastUpdated":"2026-01-05T09:04:00.0000000Z"
        "#]],
    );
}

#[test]
fn a_failure_does_not_stop_the_schedule() {
    let world = World::at("2026-01-05T08:59:30");
    world.act(1, End::Fails);
    world.act(1, End::Traps);
    check(
        &world,
        &timer("0 * * * * *"),
        &[Ends::at("2026-01-05T09:02:30")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T09:01:00, updated 2026-01-05T08:59:30
            2026-01-05T09:01:00 runs 2026-01-05T09:01:00, last 2026-01-05T09:00:00, next 2026-01-05T09:02:00, updated 2026-01-05T09:00:01
            2026-01-05T09:02:00 runs 2026-01-05T09:02:00, last 2026-01-05T09:01:00, next 2026-01-05T09:03:00, updated 2026-01-05T09:01:01
            2026-01-05T09:02:00 committed 2026-01-05T09:02:00
            timers/tests/Nightly: {"schedule":"0 * * * * *","last":"2026-01-05T09:02:00.0000000Z","next":"2026-01-05T09:03:00.0000000Z","lastUpdated":"2026-01-05T09:02:00.0000000Z"
        "#]],
    );
}

#[test]
fn a_failed_run_is_tried_again_as_its_policy_says_and_then_given_up() {
    let world = World::at("2026-01-05T08:59:30");
    for _ in 0..3 {
        world.act(5, End::Fails);
    }
    let function = retrying(timer("0 0 9,10 * * *"), Some(2), 60);
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T09:30:00"), Ends::at("2026-01-05T10:30:00")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T10:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:01:05 runs 2026-01-05T09:00:00 retry 1 of Some(2), last -, next 2026-01-05T10:00:00, updated 2026-01-05T09:00:05
            2026-01-05T09:02:10 runs 2026-01-05T09:00:00 retry 2 of Some(2), last -, next 2026-01-05T10:00:00, updated 2026-01-05T09:01:10
            2026-01-05T09:30:00 the host starts again
            2026-01-05T10:00:00 runs 2026-01-05T10:00:00, last 2026-01-05T09:00:00, next 2026-01-06T09:00:00, updated 2026-01-05T09:02:15
            2026-01-05T10:00:00 committed 2026-01-05T10:00:00
            timers/tests/Nightly: {"schedule":"0 0 9,10 * * *","last":"2026-01-05T10:00:00.0000000Z","next":"2026-01-06T09:00:00.0000000Z","lastUpdated":"2026-01-05T10:00:00.0000000Z"
        "#]],
    );
}

#[test]
fn tries_go_on_after_a_restart() {
    let world = World::at("2026-01-05T08:59:30");
    for _ in 0..3 {
        world.act(5, End::Fails);
    }
    let function = retrying(timer("0 0 9 * * *"), None, 600);
    let lives = [Ends::at("2026-01-05T09:05:00"), Ends::at("2026-01-05T09:15:00"), Ends::at("2026-01-05T09:20:00")];
    for ends in &lives {
        world.note("the host starts");
        world.live(&function, ends);
    }
    // The next try is due while the host is down, as are further occurrences.
    later(&world, "2026-01-07T09:30:00");
    check(
        &world,
        &function,
        &[Ends::at("2026-01-07T10:00:00")],
        &expect![[r#"
            2026-01-05T08:59:30 the host starts
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:05:00 the host starts
            2026-01-05T09:10:05 runs 2026-01-05T09:00:00 retry 1 of None, last -, next 2026-01-06T09:00:00, updated 2026-01-05T09:00:05
            2026-01-05T09:15:00 the host starts
            2026-01-07T09:30:00 runs 2026-01-05T09:00:00 retry 2 of None, last -, next 2026-01-06T09:00:00, updated 2026-01-05T09:10:10
            2026-01-07T09:40:05 runs 2026-01-05T09:00:00 retry 3 of None, last -, next 2026-01-06T09:00:00, updated 2026-01-07T09:30:05
            2026-01-07T09:40:05 committed 2026-01-05T09:00:00
            2026-01-07T09:40:05 runs 2026-01-06T09:00:00 past due, last 2026-01-05T09:00:00, next 2026-01-08T09:00:00, updated 2026-01-07T09:40:05
            2026-01-07T09:40:05 committed 2026-01-06T09:00:00
            timers/tests/Nightly: {"schedule":"0 0 9 * * *","last":"2026-01-06T09:00:00.0000000Z","next":"2026-01-08T09:00:00.0000000Z","lastUpdated":"2026-01-07T09:40:05.0000000Z"
        "#]],
    );
}

#[test]
fn a_failed_run_of_a_frequent_timer_is_tried_again_after_a_restart_too() {
    let world = World::at("2026-01-05T08:59:50");
    world.act(1, End::Fails);
    let function = retrying(without_outputs(timer("0,30 * * * * *")), Some(5), 5);
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T09:00:02"), Ends::at("2026-01-05T09:00:40")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T09:00:30, updated -
            2026-01-05T09:00:02 the host starts again
            2026-01-05T09:00:06 runs 2026-01-05T09:00:00 retry 1 of Some(5), last -, next 2026-01-05T09:00:30, updated -
            2026-01-05T09:00:06 committed 
            2026-01-05T09:00:30 runs 2026-01-05T09:00:30, last -, next 2026-01-05T09:01:00, updated -
            2026-01-05T09:00:30 committed 
            timers/tests/Nightly: {"schedule":"0,30 * * * * *","last":"2026-01-05T09:00:30.0000000Z","next":"2026-01-05T09:01:00.0000000Z","lastUpdated":"2026-01-05T09:00:30.0000000Z"
        "#]],
    );
}

#[test]
fn a_pending_try_is_the_run_on_startup() {
    let world = World::at("2026-01-05T08:59:30");
    world.act(0, End::Succeeds);
    world.act(5, End::Fails);
    let function = retrying(with(timer("0 0 9 * * *"), |trigger| trigger.run_on_startup = true), Some(5), 3600);
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T09:05:00"), Ends::at("2026-01-05T12:00:00")],
        &expect![[r#"
            2026-01-05T08:59:30 runs 2026-01-05T08:59:30, last -, next 2026-01-05T09:00:00, updated 2026-01-05T08:59:30
            2026-01-05T08:59:30 committed 2026-01-05T08:59:30
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last 2026-01-05T08:59:30, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:05:00 the host starts again
            2026-01-05T09:05:00 runs 2026-01-05T09:00:00 retry 1 of Some(5), last 2026-01-05T08:59:30, next 2026-01-06T09:00:00, updated 2026-01-05T09:00:05
            2026-01-05T09:05:00 committed 2026-01-05T09:00:00
            timers/tests/Nightly: {"schedule":"0 0 9 * * *","last":"2026-01-05T09:00:00.0000000Z","next":"2026-01-06T09:00:00.0000000Z","lastUpdated":"2026-01-05T09:05:00.0000000Z"
        "#]],
    );
}

#[test]
fn a_host_without_room_waits_and_counts_no_try() {
    let world = World::at("2026-01-05T08:59:30");
    for _ in 0..3 {
        world.act(0, End::Unavailable);
    }
    let function = retrying(timer("0 0 9 * * *"), Some(1), 60);
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T09:30:00")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:00:01 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:00:02.8 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:00:05.4 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:00:05.4 committed 2026-01-05T09:00:00
            timers/tests/Nightly: {"schedule":"0 0 9 * * *","last":"2026-01-05T09:00:00.0000000Z","next":"2026-01-06T09:00:00.0000000Z","lastUpdated":"2026-01-05T09:00:05.4000000Z"
        "#]],
    );
}

#[test]
fn a_store_that_does_not_answer_is_asked_again_and_nothing_happens_twice() {
    let world = World::at("2026-01-05T08:59:30");
    // Reading; writing, before and after it happened; reading what was written; the first commit, before and after it happened.
    world.fail(&[Fault::Refused, Fault::None, Fault::Refused, Fault::None, Fault::Lost, Fault::None]);
    world.fail(&[Fault::Refused, Fault::Lost]);
    check(
        &world,
        &timer("0 0 9 * * *"),
        &[Ends::at("2026-01-05T09:30:00")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:32.8
            2026-01-05T09:00:04.2 committed 2026-01-05T09:00:00
            timers/tests/Nightly: {"schedule":"0 0 9 * * *","last":"2026-01-05T09:00:00.0000000Z","next":"2026-01-06T09:00:00.0000000Z","lastUpdated":"2026-01-05T09:00:00.0000000Z"
        "#]],
    );
    let world = World::at("2026-01-05T08:59:30");
    world.act(0, End::Fails);
    // The failed try is written after all, and the answer lost.
    world.fail(&[Fault::None, Fault::None, Fault::Refused, Fault::Lost]);
    let function = retrying(timer("0 0 9 * * *"), Some(1), 60);
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T09:30:00")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:01:00 runs 2026-01-05T09:00:00 retry 1 of Some(1), last -, next 2026-01-06T09:00:00, updated 2026-01-05T09:00:00
            2026-01-05T09:01:00 committed 2026-01-05T09:00:00
            timers/tests/Nightly: {"schedule":"0 0 9 * * *","last":"2026-01-05T09:00:00.0000000Z","next":"2026-01-06T09:00:00.0000000Z","lastUpdated":"2026-01-05T09:01:00.0000000Z"
        "#]],
    );
}

#[test]
fn a_host_that_stops_while_the_store_is_away_runs_it_again() {
    let world = World::at("2026-01-05T08:59:30");
    let function = timer("0 0 9 * * *");
    world.fail(&[Fault::None, Fault::None]);
    world.fail(&[Fault::Refused; 20]);
    let ends = Ends { asked: Some(at("2026-01-05T09:01:00")), ..Ends::at("2026-01-05T09:30:00") };
    world.live(&function, &ends);
    world.state().faults.clear();
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T10:00:00")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:01:00 runs 2026-01-05T09:00:00 past due, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:01:00 committed 2026-01-05T09:00:00
            timers/tests/Nightly: {"schedule":"0 0 9 * * *","last":"2026-01-05T09:00:00.0000000Z","next":"2026-01-06T09:00:00.0000000Z","lastUpdated":"2026-01-05T09:01:00.0000000Z"
        "#]],
    );
}

#[test]
fn somebody_elses_write_is_noticed_and_nothing_of_the_run_is_kept() {
    let world = World::at("2026-01-05T08:59:30");
    let function = timer("0 0 9 * * *");
    world.act(60, End::Succeeds);
    world.live(&function, &Ends::at("2026-01-05T08:59:40"));
    let triggers = world.start(&function);
    let listener = triggers.listeners().remove(0);
    let both = async {
        let meddle = async {
            ports::Clock::sleep_until(&world, at("2026-01-05T09:00:30")).await;
            world.remember(
                r#"{"schedule":"0 0 9 * * *","last":"2026-01-05T09:00:00Z","next":"2026-01-06T09:00:00Z","lastUpdated":"2026-01-05T09:00:10Z"}"#,
            );
            let mut state = world.state();
            let document = state.documents.get_mut(NAME).expect("it was just written");
            document.version = 1_000;
        };
        futures::future::join(listener.run(futures::future::pending()), meddle).await;
    };
    world.drive(&mut (Box::pin(both) as _), &Ends::at("2026-01-06T10:00:00"));
    expect![[r#"
        2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
        2026-01-06T09:00:00 runs 2026-01-06T09:00:00, last 2026-01-05T09:00:00, next 2026-01-07T09:00:00, updated 2026-01-05T09:00:10
        2026-01-06T09:00:00 committed 2026-01-06T09:00:00
    "#]].assert_eq(&world.transcript());
}

#[test]
fn a_stop_waits_for_the_run_that_is_under_way() {
    let world = World::at("2026-01-05T08:59:30");
    let function = timer("0 * * * * *");
    world.act(90, End::Succeeds);
    let ends = Ends { asked: Some(at("2026-01-05T09:00:30")), ..Ends::at("2026-01-05T10:00:00") };
    check(
        &world,
        &function,
        std::slice::from_ref(&ends),
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T09:01:00, updated 2026-01-05T08:59:30
            2026-01-05T09:01:30 committed 2026-01-05T09:00:00
            timers/tests/Nightly: {"schedule":"0 * * * * *","last":"2026-01-05T09:00:00.0000000Z","next":"2026-01-05T09:01:00.0000000Z","lastUpdated":"2026-01-05T09:01:30.0000000Z"
        "#]],
    );
}

#[test]
fn a_clock_that_is_set_back_a_little_is_waited_for() {
    let world = World::at("2026-01-05T08:59:30");
    let function = timer("0 0 * * * *");
    world.live(&function, &Ends::at("2026-01-05T09:00:10"));
    later(&world, "2026-01-05T08:30:00");
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T10:00:10")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T10:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:00:00 committed 2026-01-05T09:00:00
            2026-01-05T10:00:00 runs 2026-01-05T10:00:00, last 2026-01-05T09:00:00, next 2026-01-05T11:00:00, updated 2026-01-05T09:00:00
            2026-01-05T10:00:00 committed 2026-01-05T10:00:00
            timers/tests/Nightly: {"schedule":"0 0 * * * *","last":"2026-01-05T10:00:00.0000000Z","next":"2026-01-05T11:00:00.0000000Z","lastUpdated":"2026-01-05T10:00:00.0000000Z"
        "#]],
    );
}

#[test]
fn a_clock_that_was_years_ahead_is_not_waited_for() {
    let world = World::at("2032-01-05T08:59:30");
    let function = retrying(timer("0 0 * * * *"), Some(9), 60);
    world.act(0, End::Succeeds);
    world.act(0, End::Fails);
    world.live(&function, &Ends::at("2032-01-05T10:00:10"));
    later(&world, "2026-01-05T08:30:00");
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T09:00:10")],
        &expect![[r#"
            2032-01-05T09:00:00 runs 2032-01-05T09:00:00, last -, next 2032-01-05T10:00:00, updated 2032-01-05T08:59:30
            2032-01-05T09:00:00 committed 2032-01-05T09:00:00
            2032-01-05T10:00:00 runs 2032-01-05T10:00:00, last 2032-01-05T09:00:00, next 2032-01-05T11:00:00, updated 2032-01-05T09:00:00
            2026-01-05T08:30:00 runs 2032-01-05T10:00:00 retry 1 of Some(9), last -, next 2032-01-05T11:00:00, updated 2026-01-05T08:30:00
            2026-01-05T08:30:00 committed 2032-01-05T10:00:00
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T10:00:00, updated 2026-01-05T08:30:00
            2026-01-05T09:00:00 committed 2026-01-05T09:00:00
            timers/tests/Nightly: {"schedule":"0 0 * * * *","last":"2026-01-05T09:00:00.0000000Z","next":"2026-01-05T10:00:00.0000000Z","lastUpdated":"2026-01-05T09:00:00.0000000Z"
        "#]],
    );
}

#[test]
fn a_clock_that_jumps_ahead_makes_one_run() {
    let world = World::at("2026-01-05T08:59:30");
    let function = timer("0 0 * * * *");
    let triggers = world.start(&function);
    let listener = triggers.listeners().remove(0);
    let both = async {
        let jump = async {
            ports::Clock::sleep_until(&world, at("2026-01-05T08:59:40")).await;
            later(&world, "2026-03-01T12:34:56");
        };
        futures::future::join(listener.run(futures::future::pending()), jump).await;
    };
    world.drive(&mut (Box::pin(both) as _), &Ends::at("2026-03-01T13:10:00"));
    expect![[r#"
        2026-03-01T12:34:56 runs 2026-01-05T09:00:00, last -, next 2026-03-01T13:00:00, updated 2026-01-05T08:59:30
        2026-03-01T12:34:56 committed 2026-01-05T09:00:00
        2026-03-01T13:00:00 runs 2026-03-01T13:00:00, last 2026-01-05T09:00:00, next 2026-03-01T14:00:00, updated 2026-03-01T12:34:56
        2026-03-01T13:00:00 committed 2026-03-01T13:00:00
    "#]].assert_eq(&world.transcript());
}

#[test]
fn a_sleep_that_ends_early_runs_nothing_early() {
    let world = World::at("2026-01-05T08:59:30");
    world.state().drowsy.extend([Duration::from_secs(1), Duration::from_millis(1), Duration::from_nanos(100)]);
    check(
        &world,
        &timer("0 0 9 * * *"),
        &[Ends::at("2026-01-05T09:30:00")],
        &expect![[r#"
            2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
            2026-01-05T09:00:00 committed 2026-01-05T09:00:00
            timers/tests/Nightly: {"schedule":"0 0 9 * * *","last":"2026-01-05T09:00:00.0000000Z","next":"2026-01-06T09:00:00.0000000Z","lastUpdated":"2026-01-05T09:00:00.0000000Z"
        "#]],
    );
}

#[test]
fn waits_may_be_of_any_length() {
    let world = World::at("2096-03-01T00:00:00");
    check(
        &world,
        &timer("0 0 0 29 2 *"),
        &[Ends::at("2104-03-01T00:00:00")],
        &expect![[r#"
            2104-02-29T00:00:00 runs 2104-02-29T00:00:00, last -, next 2108-02-29T00:00:00, updated 2096-03-01T00:00:00
            2104-02-29T00:00:00 committed 2104-02-29T00:00:00
            timers/tests/Nightly: {"schedule":"0 0 0 29 2 *","last":"2104-02-29T00:00:00.0000000Z","next":"2108-02-29T00:00:00.0000000Z","lastUpdated":"2104-02-29T00:00:00.0000000Z"
        "#]],
    );
    let world = World::at("9990-03-01T00:00:00");
    check(
        &world,
        &timer("0 0 0 29 2 *"),
        &[Ends::at("9999-01-01T00:00:00")],
        &expect![[r#"
            9992-02-29T00:00:00 runs 9992-02-29T00:00:00, last -, next 9996-02-29T00:00:00, updated 9990-03-01T00:00:00
            9992-02-29T00:00:00 committed 9992-02-29T00:00:00
            9996-02-29T00:00:00 runs 9996-02-29T00:00:00, last 9992-02-29T00:00:00, next -, updated 9992-02-29T00:00:00
            9996-02-29T00:00:00 committed 9996-02-29T00:00:00
            timers/tests/Nightly: {"schedule":"0 0 0 29 2 *","last":"9996-02-29T00:00:00.0000000Z","next":null,"lastUpdated":"9996-02-29T00:00:00.0000000Z"
        "#]],
    );
}

#[test]
fn an_interval_keeps_its_pace_over_runs_and_restarts() {
    let world = World::at("2026-01-05T09:00:07");
    let function = timer("00:10:00");
    world.act(90, End::Succeeds);
    world.act(1_300, End::Succeeds);
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T09:50:00"), Ends::at("2026-01-05T10:03:00")],
        &expect![[r#"
            2026-01-05T09:10:07 runs 2026-01-05T09:10:07, last -, next 2026-01-05T09:20:07, updated 2026-01-05T09:00:07
            2026-01-05T09:11:37 committed 2026-01-05T09:10:07
            2026-01-05T09:20:07 runs 2026-01-05T09:20:07, last 2026-01-05T09:10:07, next 2026-01-05T09:30:07, updated 2026-01-05T09:11:37
            2026-01-05T09:41:47 committed 2026-01-05T09:20:07
            2026-01-05T09:41:47 runs 2026-01-05T09:30:07, last 2026-01-05T09:20:07, next 2026-01-05T09:51:47, updated 2026-01-05T09:41:47
            2026-01-05T09:41:47 committed 2026-01-05T09:30:07
            2026-01-05T09:50:00 the host starts again
            2026-01-05T09:51:47 runs 2026-01-05T09:51:47, last 2026-01-05T09:30:07, next 2026-01-05T10:01:47, updated 2026-01-05T09:41:47
            2026-01-05T09:51:47 committed 2026-01-05T09:51:47
            2026-01-05T10:01:47 runs 2026-01-05T10:01:47, last 2026-01-05T09:51:47, next 2026-01-05T10:11:47, updated 2026-01-05T09:51:47
            2026-01-05T10:01:47 committed 2026-01-05T10:01:47
            timers/tests/Nightly: {"schedule":"00:10:00","last":"2026-01-05T10:01:47.0000000Z","next":"2026-01-05T10:11:47.0000000Z","lastUpdated":"2026-01-05T10:01:47.0000000Z"
        "#]],
    );
    later(&world, "2026-01-05T11:00:00");
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T11:15:00")],
        &expect![[r#"
            2026-01-05T11:00:00 runs 2026-01-05T10:11:47 past due, last 2026-01-05T10:01:47, next 2026-01-05T11:10:00, updated 2026-01-05T10:01:47
            2026-01-05T11:00:00 committed 2026-01-05T10:11:47
            2026-01-05T11:10:00 runs 2026-01-05T11:10:00, last 2026-01-05T10:11:47, next 2026-01-05T11:20:00, updated 2026-01-05T11:00:00
            2026-01-05T11:10:00 committed 2026-01-05T11:10:00
            timers/tests/Nightly: {"schedule":"00:10:00","last":"2026-01-05T11:10:00.0000000Z","next":"2026-01-05T11:20:00.0000000Z","lastUpdated":"2026-01-05T11:10:00.0000000Z"
        "#]],
    );
}

#[test]
fn a_document_that_cannot_be_read_is_begun_anew() {
    for content in
        ["", "[]", "{}", r#"{"schedule":"x","last":"yesterday","next":null,"lastUpdated":"2026-01-05T09:00:10Z"}"#]
    {
        let world = World::at("2026-01-05T08:59:30");
        world.remember(content);
        world.live(&timer("0 0 9 * * *"), &Ends::at("2026-01-05T09:30:00"));
        assert_eq!(world.committed().len(), 1, "{content}");
    }
}

#[test]
fn an_output_that_is_refused_fails_the_run() {
    let world = World::at("2026-01-05T08:59:30");
    let mut function = retrying(timer("0 0 9 * * *"), Some(1), 60);
    if let manifest::OutputTarget::Queue(queue) = &mut function.outputs[0].target {
        queue.queue_name = manifest::expression::Expression::parse("{nothing}").expect("an expression");
    }
    check(
        &world,
        &function,
        &[Ends::at("2026-01-05T09:30:00")],
        &expect![[r#"
        2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-06T09:00:00, updated 2026-01-05T08:59:30
        2026-01-05T09:01:00 runs 2026-01-05T09:00:00 retry 1 of Some(1), last -, next 2026-01-06T09:00:00, updated 2026-01-05T09:00:00
        timers/tests/Nightly: {"schedule":"0 0 9 * * *","last":"2026-01-05T09:00:00.0000000Z","next":"2026-01-06T09:00:00.0000000Z","lastUpdated":"2026-01-05T09:01:00.0000000Z"}
    "#]],
    );
}

#[test]
fn the_next_occurrences_are_told() {
    let world = World::at("2026-01-05T08:59:30");
    let listener = world.start(&timer("0 0 9 * * 1-5")).listeners().remove(0);
    let next: Vec<String> = listener.next_occurrences(5).iter().map(ToString::to_string).collect();
    expect![[r#"
        2026-01-05T09:00:00.0000000Z
        2026-01-06T09:00:00.0000000Z
        2026-01-07T09:00:00.0000000Z
        2026-01-08T09:00:00.0000000Z
        2026-01-09T09:00:00.0000000Z"#]]
    .assert_eq(&next.join("\n"));
    assert_eq!((listener.function(), listener.schedule().as_str()), ("Nightly", "0 0 9 * * 1-5"));
    fn is_send<T: Send>(_: &T) {}
    is_send(&listener.run(futures::future::pending()));
}
