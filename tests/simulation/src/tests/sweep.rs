//! Every scenario without faults, then with one fault at every point of the small ones and at some of the others, and the
//! smallest ones with two.

use crate::faults::{Fault, Kind};
use crate::scenarios;
use crate::swarm::run_scenario;
use crate::sweep::{sweep, sweep_pairs};

/// Scenarios with more points than this are sampled here instead of swept point by point: `simulation --sweep` does all.
const MOST_POINTS: usize = 70;
/// As many points are sampled.
const SAMPLED_POINTS: usize = 16;

fn stride(points: usize) -> usize {
    if points > MOST_POINTS { points / SAMPLED_POINTS } else { 1 }
}

/// A delay lets an event in while an execution begins anew; then only a part of the inbox is handed out.
#[test]
fn events_that_come_while_an_execution_begins_anew_are_kept() {
    let scenario = scenarios::find("continue-as-new-amid-events").expect("it is there");
    let check = |faults| run_scenario(scenario, false, faults).map_err(|failure| failure.to_string());
    let pairs = |kind: Kind, after: Option<Fault>| {
        let before = after.map(|fault| fault.point);
        let points = check(after.into_iter().collect()).map(|report| report.points).unwrap_or_default();
        points
            .into_iter()
            .filter(move |point| Some(point.number) > before && point.possible.contains(&kind))
            .map(move |point| Fault { point: point.number, kind })
    };
    let swept = pairs(Kind::Delay, None)
        .flat_map(|delay| pairs(Kind::Fewer, Some(delay)).map(move |fewer| check(vec![delay, fewer]).map(drop)));
    report(swept);
}

fn report(swept: impl Iterator<Item = Result<(), String>>) {
    let failures: Vec<_> = swept.filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn one_fault_anywhere_does_no_harm_to_live_instances() {
    report(scenarios::all().map(|scenario| sweep(scenario, false, stride).map(drop)));
}

#[test]
fn one_fault_anywhere_does_no_harm_to_replayed_instances() {
    let replayed = scenarios::all().filter(|scenario| (scenario.workload)("x").has_orchestrations());
    report(replayed.map(|scenario| sweep(scenario, true, stride).map(drop)));
}

#[test]
fn two_faults_anywhere_do_no_harm() {
    let smallest = ["nothing", "one-activity", "one-timer", "message", "timer-once"];
    report(
        smallest.iter().filter_map(|name| scenarios::find(name)).map(|scenario| sweep_pairs(scenario, false).map(drop)),
    );
}
