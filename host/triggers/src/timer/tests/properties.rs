//! Restarts wherever they hurt: between any two steps, and in any pattern.

use super::world::{Act, End, Ends, Event, Fault, Try, World, at, brief, timer, with};
use manifest::{CatchUp, Function, RetryDelay, RetryPolicy};
use orchestration::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;

const BEGIN: &str = "2026-01-05T08:58:30";

/// Every minute, tried again for ever after seven seconds.
fn function(catch_up: CatchUp) -> Function {
    let delay = RetryDelay::Fixed(Duration::from_secs(7));
    let function = with(timer("0 * * * * *"), |trigger| trigger.catch_up = catch_up);
    Function { retry: Some(RetryPolicy { max_retry_count: None, delay }), ..function }
}

fn minutes_after(moment: Timestamp) -> Timestamp {
    const MINUTE: i64 = 600_000_000;
    Timestamp::from_ticks((moment.ticks().div_euclid(MINUTE) + 1) * MINUTE)
}

/// What every history of a timer of every minute must be like. Answers the committed occurrences.
fn judge(world: &World, catch_up: CatchUp) -> Result<Vec<String>, String> {
    let state = world.state();
    let mut committed: Vec<String> = Vec::new();
    // The run that was committed last, and the first try of the one that is under way.
    let (mut done, mut first): (Option<Try>, Option<Try>) = (None, None);
    for event in &state.events {
        match event {
            Event::Tried(tried) => {
                if tried.began < tried.scheduled {
                    return Err(format!("too early: {tried:?}"));
                }
                let run = first.as_ref().filter(|first| first.scheduled == tried.scheduled);
                match (tried.retry_count, run) {
                    (0, _) => {
                        check_first(tried, done.as_ref(), catch_up)?;
                        first = Some(tried.clone());
                    }
                    (_, Some(first)) if first.is_past_due == tried.is_past_due => {}
                    (_, _) => return Err(format!("a retry of nothing: {tried:?} after {first:?}")),
                }
            }
            Event::Committed(text) => {
                let run = first.take().ok_or("a commit without a run")?;
                if *text != brief(run.scheduled) {
                    return Err(format!("{text} was committed by {run:?}"));
                }
                committed.push(text.clone());
                done = Some(run);
            }
        }
    }
    let different: BTreeSet<&String> = committed.iter().collect();
    if different.len() < committed.len() {
        return Err(format!("committed twice: {committed:?}"));
    }
    if state.most_running > 1 {
        return Err("two at a time".to_owned());
    }
    Ok(committed)
}

/// Which occurrence the first try of a run must be for.
fn check_first(tried: &Try, done: Option<&Try>, catch_up: CatchUp) -> Result<(), String> {
    let mut expected = match done {
        None => minutes_after(at(BEGIN)),
        Some(done) if catch_up == CatchUp::All && done.is_past_due => minutes_after(done.scheduled),
        Some(done) => minutes_after(done.scheduled).max(minutes_after(done.began)),
    };
    if catch_up == CatchUp::None && expected < tried.opened {
        expected = minutes_after(Timestamp::from_ticks(tried.opened.ticks() - 1));
    }
    if tried.scheduled != expected {
        return Err(format!("{tried:?} should be for {} after {done:?}", brief(expected)));
    }
    if tried.is_past_due != (tried.scheduled < tried.opened) {
        return Err(format!("past due or not: {tried:?}"));
    }
    Ok(())
}

fn every_minute(from: u32, to: u32) -> Vec<String> {
    (from..=to).map(|minute| format!("2026-01-05T09:{minute:02}:00")).collect()
}

/// One restart after each step of a life of five minutes, in which the first try of each run fails.
#[test]
fn a_restart_between_any_two_steps_changes_nothing() {
    let all = function(CatchUp::All);
    let mut steps = 1;
    loop {
        let world = World::at(BEGIN);
        world.state().stubborn = 1;
        world.state().otherwise = Act { takes: Duration::from_secs(3), end: End::Succeeds };
        world.live(&all, &Ends::at("2026-01-05T08:58:59"));
        let taken = world.live(&all, &Ends { steps: Some(steps), ..Ends::at("2026-01-05T09:04:59") });
        world.live(&all, &Ends::at("2026-01-05T09:04:59"));
        let committed = judge(&world, CatchUp::All).unwrap_or_else(|why| panic!("after {steps} steps: {why}"));
        let mut expected = every_minute(0, 4);
        expected.insert(0, "2026-01-05T08:59:00".to_owned());
        assert_eq!(committed, expected, "after {steps} steps");
        if taken < steps {
            break;
        }
        steps += 1;
    }
    assert!(steps > 50, "a life of only {steps} steps has not been cut everywhere");
}

/// The same, with a commit whose answer is lost, and a host that dies anywhere afterwards.
#[test]
fn a_lost_answer_and_a_restart_after_it_write_nothing_twice() {
    let all = function(CatchUp::All);
    for lost in 0..12 {
        for steps in 1..40 {
            let world = World::at(BEGIN);
            world.live(&all, &Ends::at("2026-01-05T08:58:59"));
            world.state().faults.extend((0..lost).map(|_| Fault::None));
            world.state().faults.push_back(Fault::Lost);
            world.live(&all, &Ends { steps: Some(steps), ..Ends::at("2026-01-05T09:02:59") });
            world.live(&all, &Ends::at("2026-01-05T09:02:59"));
            let committed = judge(&world, CatchUp::All).unwrap_or_else(|why| panic!("{lost}, {steps}: {why}"));
            assert_eq!(committed.last().map(String::as_str), Some("2026-01-05T09:02:00"), "{lost}, {steps}");
        }
    }
}

/// How one life of the host ends.
#[derive(Debug, Clone)]
enum LifeEnd {
    After { seconds: u64 },
    Asked { seconds: u64 },
    Steps(usize),
}

fn life() -> impl Strategy<Value = (u64, LifeEnd)> {
    let end = prop_oneof![
        (0..400_u64).prop_map(|seconds| LifeEnd::After { seconds }),
        (0..400_u64).prop_map(|seconds| LifeEnd::Asked { seconds }),
        (1..60_usize).prop_map(LifeEnd::Steps),
    ];
    (prop_oneof![Just(0), 0..300_u64], end)
}

fn act() -> impl Strategy<Value = Act> {
    let end = prop_oneof![6 => Just(End::Succeeds), 1 => Just(End::Fails), 1 => Just(End::Traps), 1 => Just(End::Unavailable)];
    (prop_oneof![Just(0), 0..50_u64, 0..200_u64], end)
        .prop_map(|(seconds, end)| Act { takes: Duration::from_secs(seconds), end })
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![4 => Just(Fault::None), 1 => Just(Fault::Refused), 1 => Just(Fault::Lost)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_pattern_of_restarts_keeps_the_rules(
        catch_up in prop_oneof![Just(CatchUp::One), Just(CatchUp::All), Just(CatchUp::None)],
        lives in prop::collection::vec(life(), 0..6),
        acts in prop::collection::vec(act(), 0..30),
        faults in prop::collection::vec(fault(), 0..60),
        stubborn in 0..3_u32,
    ) {
        let world = World::at(BEGIN);
        let function = function(catch_up);
        world.live(&function, &Ends::at("2026-01-05T08:58:31"));
        world.state().acts.extend(acts);
        world.state().faults.extend(faults);
        world.state().stubborn = stubborn;
        for (down_s, end) in lives {
            let later = |world: &World, seconds| world.state().now.saturating_add(Duration::from_secs(seconds));
            let up = later(&world, down_s);
            world.state().now = up;
            let far = later(&world, 4_000);
            let ends = match end {
                LifeEnd::After { seconds } => Ends { at: later(&world, seconds), ..Ends::default() },
                LifeEnd::Asked { seconds } => Ends { at: far, asked: Some(later(&world, seconds)), ..Ends::default() },
                LifeEnd::Steps(steps) => Ends { at: far, steps: Some(steps), ..Ends::default() },
            };
            world.live(&function, &ends);
        }
        // A long quiet life at the end: everything must be in order again, up to the last minute.
        world.state().acts.clear();
        world.state().faults.clear();
        let end = minutes_after(world.state().now.saturating_add(Duration::from_secs(1_800)));
        world.live(&function, &Ends { at: end.saturating_add(Duration::from_secs(59)), ..Ends::default() });
        let committed = judge(&world, catch_up).map_err(TestCaseError::fail)?;
        prop_assert_eq!(committed.last(), Some(&brief(end)));
    }
}
