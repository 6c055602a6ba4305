//! Every scenario without faults, then with one fault at every point, and the smallest ones with two.

use crate::faults::Fault;
use crate::scenarios::{self, Scenario};
use crate::swarm::run_scenario;

/// Scenarios with more points than this are not swept point by point.
const MOST_POINTS: usize = 150;

/// All single faults of a scenario; the first that does harm, as a text to print.
fn sweep(scenario: &Scenario, replay: bool) -> Result<(), String> {
    let check = |faults| run_scenario(scenario, replay, faults).map_err(|failure| failure.to_string());
    let points = check(Vec::new())?.points;
    let stride = points.len().div_ceil(MOST_POINTS);
    for point in points.into_iter().step_by(stride) {
        for kind in point.possible {
            check(vec![Fault { point: point.number, kind: *kind }])?;
        }
    }
    Ok(())
}

/// All pairs of faults of a scenario: the second one at a point that there is because of the first.
fn sweep_pairs(scenario: &Scenario, replay: bool) -> Result<(), String> {
    let check = |faults| run_scenario(scenario, replay, faults).map_err(|failure| failure.to_string());
    for point in check(Vec::new())?.points {
        for kind in point.possible {
            let first = Fault { point: point.number, kind: *kind };
            for later in check(vec![first])?.points.into_iter().filter(|later| later.number > point.number) {
                for kind in later.possible {
                    check(vec![first, Fault { point: later.number, kind: *kind }])?;
                }
            }
        }
    }
    Ok(())
}

fn report(swept: impl Iterator<Item = Result<(), String>>) {
    let failures: Vec<_> = swept.filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn one_fault_anywhere_does_no_harm_to_live_instances() {
    report(scenarios::ALL.iter().map(|scenario| sweep(scenario, false)));
}

#[test]
fn one_fault_anywhere_does_no_harm_to_replayed_instances() {
    report(scenarios::ALL.iter().map(|scenario| sweep(scenario, true)));
}

#[test]
fn two_faults_anywhere_do_no_harm() {
    let smallest = ["nothing", "one-activity", "one-timer"];
    report(smallest.iter().filter_map(|name| scenarios::find(name)).map(|scenario| sweep_pairs(scenario, false)));
}
