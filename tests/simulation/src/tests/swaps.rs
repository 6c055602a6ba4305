//! One version of the app follows another one at every point, beyond what the sweeps of all scenarios do.

use crate::faults::{Fault, Kind, Plan};
use crate::scenarios;
use crate::workload::Workload;
use crate::world::{Handover, Report, Setup, run};
use std::time::Duration;

/// A run without faults, and then with a swap at each of its points.
#[track_caller]
fn check(name: &str, setup: impl Fn() -> Setup) {
    let judge = |report: &Report, point: Option<u64>| {
        assert_eq!(report.violation, None, "{name}, swap at {point:?}\n{}", report.trace);
    };
    let report = run(&setup());
    judge(&report, None);
    for point in report.points.iter().filter(|point| point.possible.contains(&Kind::Swap)) {
        let plan = Plan::Listed(vec![Fault { point: point.number, kind: Kind::Swap }]);
        judge(&run(&Setup { plan, ..setup() }), Some(point.number));
    }
}

fn of(scenario: &str) -> Setup {
    let scenario = scenarios::find(scenario).expect("the scenario exists");
    Setup::new(1, (scenario.workload)("x"))
}

/// With `versioning = "latest"` instances move on, those that are kept alive by the version before as well.
#[test]
fn instances_that_always_run_on_the_latest_app_move_on() {
    let scenarios = [
        "sequence",
        "retry",
        "parents",
        "continue-as-new-with-events",
        "mixed",
        "section",
        "entity-called-by-several",
        "rewind-fan-out",
        "swap-amid-activities",
        "swap-amid-children",
        "swap-amid-section",
        "swaps-in-a-row",
        "swap-and-crash",
        "message-starts-orchestration",
    ];
    for scenario in scenarios {
        check(scenario, || Setup { latest: true, ..of(scenario) });
    }
}

/// Which of two versions does what is decided by the store alone: that one of them is to end is a courtesy.
#[test]
fn a_version_that_never_ends_does_no_harm() {
    let scenarios = ["sequence", "mixed", "parents", "section", "swap-amid-section", "swaps-in-a-row", "messages"];
    for scenario in scenarios {
        check(scenario, || Setup { handover: Handover::GoesOn, ..of(scenario) });
    }
}

/// The host was there all the time: what comes due while the version before ends its last run was not missed.
#[test]
fn occurrences_that_come_while_one_version_waits_for_another_are_not_missed() {
    let day = Duration::from_secs(86_400);
    let workload = Workload { timers_for: day * 17, ..Workload::default() }.runs(&["Patient"]);
    check("Patient", || Setup::new(1, workload.clone()));
}
