//! Whether a planted bug is seen, and by whom.

use crate::faults::{Fault, Kind, Plan};
use crate::oracles::Oracle;
use crate::world::{Setup, run};
use std::collections::BTreeSet;

/// Without faults the bug must show at once, and to this oracle.
#[track_caller]
pub(super) fn without_faults(setup: &Setup, expected: Oracle) {
    let report = run(setup);
    let caught = report.violation.as_ref().map(|violation| violation.oracle);
    assert_eq!(caught, Some(expected), "{:?}\n{}", report.violation, report.trace);
}

/// Without faults the bug must not show; among all single faults of a kind some must show it, and only to these oracles.
#[track_caller]
pub(super) fn under(setup: impl Fn() -> Setup, kind: Kind, expected: &[Oracle]) {
    let report = run(&setup());
    assert_eq!(report.violation, None, "it shows without faults\n{}", report.trace);
    let mut caught = BTreeSet::new();
    for point in report.points.iter().filter(|point| point.possible.contains(&kind)) {
        let plan = Plan::Listed(vec![Fault { point: point.number, kind }]);
        let report = run(&Setup { plan, ..setup() });
        caught.extend(report.violation.map(|violation| violation.oracle));
    }
    assert_eq!(caught.into_iter().collect::<Vec<_>>(), expected, "under {kind}");
}
