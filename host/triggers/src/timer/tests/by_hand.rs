//! Runs by hand: their outputs are committed, the schedule is left alone, and none overlaps another run.

use super::retrying;
use super::world::{End, Ends, Fault, World, timer};
use expect_test::expect;
use manifest::Function;

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
