//! Functions that fail, stores that do not answer, hosts that stop; as transcripts.

use super::world::{End, Ends, Fault, NAME, World, at, timer, with};
use super::{check, later, retrying, without_outputs};
use expect_test::expect;

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
