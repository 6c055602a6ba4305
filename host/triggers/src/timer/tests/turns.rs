//! Versions of an app that follow one another in one process: their runs never overlap, and nothing is missed in between.

use super::world::{End, Ends, World, at, timer, with};
use crate::timer::TimerTurns;
use expect_test::{Expect, expect};
use futures::FutureExt;
use futures::future::join_all;
use manifest::{CatchUp, Function};
use orchestration::Timestamp;
use ports::Clock;
use std::time::Duration;

/// One version listens from the beginning; at each of the moments it is told to end, and so long after that the next one begins.
fn check(world: &World, function: &Function, swaps: &[(&str, Duration)], ends: &str, expected: &Expect) {
    let turns = TimerTurns::default();
    let begins = swaps.iter().map(|(moment, gap)| at(moment).saturating_add(*gap));
    let stops = swaps.iter().map(|(moment, _)| at(moment)).chain([Timestamp::MAX]);
    let versions = [world.now()].into_iter().chain(begins).zip(stops).map(|(begin, stop)| {
        let turns = &turns;
        async move {
            world.sleep_until(begin).await;
            let triggers = world.start(function);
            join_all(turns.next(triggers.listeners(), &world.sleep_until(stop).shared())).await;
            world.note("a version has ended");
        }
    });
    world.drive(&mut join_all(versions).map(drop).boxed_local(), &Ends::at(ends));
    expected.assert_eq(&world.transcript());
}

/// Every hour; the first run takes an hour and a half.
fn long_run(catch_up: CatchUp) -> (World, Function) {
    let world = World::at("2026-01-05T08:30:00");
    world.act(5400, End::Succeeds);
    (world, with(timer("0 0 * * * *"), |trigger| trigger.catch_up = catch_up))
}

#[test]
fn what_falls_into_the_last_run_of_the_version_before_is_not_missed() {
    let expected = expect![[r#"
        2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T10:00:00, updated 2026-01-05T08:30:00
        2026-01-05T10:30:00 committed 2026-01-05T09:00:00
        2026-01-05T10:30:00 a version has ended
        2026-01-05T10:30:00 runs 2026-01-05T10:00:00, last 2026-01-05T09:00:00, next 2026-01-05T11:00:00, updated 2026-01-05T10:30:00
        2026-01-05T10:30:00 committed 2026-01-05T10:00:00
        2026-01-05T11:00:00 runs 2026-01-05T11:00:00, last 2026-01-05T10:00:00, next 2026-01-05T12:00:00, updated 2026-01-05T10:30:00
        2026-01-05T11:00:00 committed 2026-01-05T11:00:00
    "#]];
    for catch_up in [CatchUp::None, CatchUp::One, CatchUp::All] {
        let (world, function) = long_run(catch_up);
        check(&world, &function, &[("2026-01-05T09:10:00", Duration::ZERO)], "2026-01-05T11:30:00", &expected);
    }
}

#[test]
fn what_falls_between_two_versions_is_not_missed() {
    let world = World::at("2026-01-05T08:30:00");
    let function = with(timer("0 0 * * * *"), |trigger| trigger.catch_up = CatchUp::None);
    let swaps = [("2026-01-05T08:59:59", Duration::from_secs(2))];
    check(
        &world,
        &function,
        &swaps,
        "2026-01-05T09:30:00",
        &expect![[r#"
        2026-01-05T08:59:59 a version has ended
        2026-01-05T09:00:01 runs 2026-01-05T09:00:00, last -, next 2026-01-05T10:00:00, updated 2026-01-05T08:30:00
        2026-01-05T09:00:01 committed 2026-01-05T09:00:00
    "#]],
    );
}

#[test]
fn a_version_that_is_swapped_before_its_turn_comes_lets_the_next_one_wait_all_the_same() {
    let (world, function) = long_run(CatchUp::One);
    let swaps = [("2026-01-05T09:10:00", Duration::ZERO), ("2026-01-05T09:20:00", Duration::ZERO)];
    check(
        &world,
        &function,
        &swaps,
        "2026-01-05T11:30:00",
        &expect![[r#"
        2026-01-05T09:00:00 runs 2026-01-05T09:00:00, last -, next 2026-01-05T10:00:00, updated 2026-01-05T08:30:00
        2026-01-05T10:30:00 committed 2026-01-05T09:00:00
        2026-01-05T10:30:00 a version has ended
        2026-01-05T10:30:00 a version has ended
        2026-01-05T10:30:00 runs 2026-01-05T10:00:00, last 2026-01-05T09:00:00, next 2026-01-05T11:00:00, updated 2026-01-05T10:30:00
        2026-01-05T10:30:00 committed 2026-01-05T10:00:00
        2026-01-05T11:00:00 runs 2026-01-05T11:00:00, last 2026-01-05T10:00:00, next 2026-01-05T12:00:00, updated 2026-01-05T10:30:00
        2026-01-05T11:00:00 committed 2026-01-05T11:00:00
    "#]],
    );
}

#[test]
fn while_nobody_was_to_take_work_occurrences_are_missed() {
    let world = World::at("2026-01-05T08:30:00");
    let function = with(timer("0 0 * * * *"), |trigger| trigger.catch_up = CatchUp::None);
    let swaps = [("2026-01-05T08:40:00", Duration::from_secs(3600))];
    check(
        &world,
        &function,
        &swaps,
        "2026-01-05T10:30:00",
        &expect![[r#"
        2026-01-05T08:40:00 a version has ended
        2026-01-05T10:00:00 runs 2026-01-05T10:00:00, last -, next 2026-01-05T11:00:00, updated 2026-01-05T08:30:00
        2026-01-05T10:00:00 committed 2026-01-05T10:00:00
    "#]],
    );
}
