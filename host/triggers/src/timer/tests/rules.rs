//! What runs when, each rule as a transcript: what ran, what was committed, and what is remembered at the end.

use super::world::{End, Ends, World, timer, with};
use super::{check, later, without_outputs};
use expect_test::expect;
use manifest::CatchUp;

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
