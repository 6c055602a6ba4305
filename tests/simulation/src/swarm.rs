//! Swarm runs: the seed chooses which faults exist and how often, the numbers of the engine, and the workload.
//!
//! Changing anything here makes other runs of the same seeds: seeds in `regressions.txt` then stand for nothing any more, and
//! what they stood for has to become a scenario first.

use crate::faults::{Fault, Kind, Plan, Rates};
use crate::oracles::Violation;
use crate::random::Rng;
use crate::scenarios::{self, Scenario};
use crate::trace::Trace;
use crate::workload::Workload;
use crate::world::{Report, Setup, Tuning, run};
use std::fmt;
use std::time::Duration;

/// More faults than this in one run hide one another.
const MOST_FAULTS: usize = 60;

/// The run of a seed.
pub(crate) fn setup(seed: u64) -> Setup {
    let mut rng = Rng::for_purpose(seed, "swarm");
    let tuning = Tuning {
        turn_workers: 1 + rng.below(4),
        activity_workers: 1 + rng.below(4),
        live_instances: rng.pick(&[0, 1, 2, 100]).unwrap_or_default(),
        // Guests trap at random here, and no instance may fail of it: there are fewer faults than attempts.
        turn_attempts: 70,
        lease_time: Duration::from_secs(rng.pick(&[1, 10, 60, 600]).unwrap_or(60)),
        entity_batch: rng.pick(&[1, 2, 100]).unwrap_or(100),
    };
    let mut rates = Rates::new();
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Delay) {
        if rng.chance(500) {
            rates.push((kind, rng.pick(&[3, 10, 30, 100]).unwrap_or(10)));
        }
    }
    if rng.chance(700) {
        rates.push((Kind::Delay, rng.pick(&[30, 100, 300]).unwrap_or(30)));
    }
    let most = rng.below(MOST_FAULTS + 1);
    let mut workload = Workload::default();
    for n in 0..1 + rng.below(4) {
        let Some(scenario) = scenarios::all().nth(rng.below(scenarios::all().count())) else { continue };
        workload = workload.and((scenario.workload)(&format!("s{n}")));
    }
    let plan = Plan::Drawn { rng: Rng::for_purpose(seed, "faults"), rates, most };
    Setup { plan, tuning, ..Setup::new(seed, workload) }
}

/// The run of a scenario with these faults, as the sweep does it.
pub(crate) fn scenario_setup(scenario: &Scenario, replay: bool, faults: Vec<Fault>) -> Setup {
    let live_instances = if replay { 0 } else { Tuning::default().live_instances };
    Setup {
        plan: Plan::Listed(faults),
        tuning: Tuning { live_instances, ..Tuning::default() },
        ..Setup::new(1, (scenario.workload)("x"))
    }
}

/// A run that broke a rule, with as few faults as it takes.
pub(crate) struct Failure {
    /// The arguments that make the run again, but for its faults.
    arguments: String,
    tuning: Tuning,
    faults: Vec<Fault>,
    pub(crate) violation: Violation,
    trace: Trace,
}

/// Runs a seed; with `faults`, exactly those instead of the ones that the seed draws.
pub(crate) fn run_seed(seed: u64, faults: Option<Vec<Fault>>) -> Result<Report, Box<Failure>> {
    let mut setup = setup(seed);
    if let Some(faults) = faults {
        setup.plan = Plan::Listed(faults);
    }
    judge(setup, format!("--from {seed} --seeds 1"))
}

/// Runs a scenario.
pub(crate) fn run_scenario(scenario: &Scenario, replay: bool, faults: Vec<Fault>) -> Result<Report, Box<Failure>> {
    let mode = if replay { "replay" } else { "live" };
    judge(scenario_setup(scenario, replay, faults), format!("--scenario {} --mode {mode}", scenario.name))
}

fn judge(setup: Setup, arguments: String) -> Result<Report, Box<Failure>> {
    let report = run(&setup);
    if report.violation.is_none() { Ok(report) } else { Err(Box::new(shrink(setup, report, arguments))) }
}

/// Leaves out faults one at a time for as long as the same rule is broken without them.
fn shrink(mut setup: Setup, report: Report, arguments: String) -> Failure {
    let oracle = report.violation.as_ref().map(|violation| violation.oracle);
    let mut smallest = report;
    let mut place = 0;
    while place < smallest.injected.len() {
        let mut faults = smallest.injected.clone();
        faults.remove(place);
        setup.plan = Plan::Listed(faults);
        let report = run(&setup);
        if report.violation.as_ref().map(|violation| violation.oracle) == oracle {
            smallest = report;
        } else {
            place += 1;
        }
    }
    let Report { violation, injected: faults, trace, .. } = smallest;
    match violation {
        Some(violation) => Failure { arguments, tuning: setup.tuning, faults, violation, trace },
        None => unreachable!("only runs that break the rule are kept"),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<_> = self.faults.iter().map(ToString::to_string).collect();
        let faults = faults.join(",");
        writeln!(f, "{} breaks a rule. {}", self.arguments, self.violation)?;
        writeln!(f, "{:?}", self.tuning)?;
        writeln!(f, "faults: {}", if faults.is_empty() { "none" } else { &faults })?;
        writeln!(f, "again: cargo run --release -p simulation -- {} --faults \"{faults}\"", self.arguments)?;
        self.trace.fmt(f)
    }
}
