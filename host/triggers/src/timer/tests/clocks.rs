//! Clocks that are set, sleeps that end early, waits of any length, intervals; as transcripts.

use super::world::{End, Ends, World, at, timer};
use super::{check, later, retrying};
use expect_test::expect;
use std::time::Duration;

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
