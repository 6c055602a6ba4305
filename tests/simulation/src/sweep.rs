//! Sweeps: a scenario without faults, then with one fault at every point where it can happen.

use crate::faults::{Fault, Kind, Point};
use crate::scenarios::Scenario;
use crate::swarm::run_scenario;

/// Delays alone are left to the seeds: what they bring is other orders, and those are many.
pub(crate) fn kinds(point: &Point) -> impl Iterator<Item = Kind> {
    point.possible.iter().copied().filter(|kind| *kind != Kind::Delay)
}

/// All single faults of a scenario; the first that does harm, as a text to print, or how many runs there were. `stride` says of
/// a number of points how far apart those are that are tried.
pub(crate) fn sweep(scenario: &Scenario, replay: bool, stride: fn(usize) -> usize) -> Result<u64, String> {
    let check = |faults| run_scenario(scenario, replay, faults).map_err(|failure| failure.to_string());
    let points = check(Vec::new())?.points;
    let stride = stride(points.len()).max(1);
    let mut runs = 1;
    for point in points.into_iter().step_by(stride) {
        for kind in kinds(&point) {
            check(vec![Fault { point: point.number, kind }])?;
            runs += 1;
        }
    }
    Ok(runs)
}

/// All pairs of faults of a scenario: the second one at a point that there is because of the first. The first pair that does
/// harm, as a text to print, or how many runs there were.
pub(crate) fn sweep_pairs(scenario: &Scenario, replay: bool) -> Result<u64, String> {
    let check = |faults| run_scenario(scenario, replay, faults).map_err(|failure| failure.to_string());
    let mut runs = 1;
    for point in check(Vec::new())?.points {
        for kind in kinds(&point) {
            let first = Fault { point: point.number, kind };
            runs += 1;
            for later in check(vec![first])?.points.into_iter().filter(|later| later.number > point.number) {
                for kind in kinds(&later) {
                    check(vec![first, Fault { point: later.number, kind }])?;
                    runs += 1;
                }
            }
        }
    }
    Ok(runs)
}
