//! The command line: many seeds, or one run again.

use crate::faults::Fault;
use crate::scenarios::{self, Scenario};
use crate::swarm;
use crate::sweep::{sweep, sweep_pairs};
use std::io::{self, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: simulation [--seeds N] [--from SEED] [--faults KIND@POINT,...]
       simulation --scenario NAME [--mode live|replay] [--faults KIND@POINT,...]
       simulation --sweep live|replay [--scenario NAME]
       simulation --pairs live|replay [--scenario NAME]

  --seeds N    how many seeds to run (default 1000)
  --from SEED  the first of them (default 0)
  --scenario   runs one of the scenarios instead
  --mode M     whether its orchestrators are kept alive between turns (default live)
  --sweep M    every single fault at every point of all scenarios, or of one
  --pairs M    every pair of faults instead
  --faults L   exactly these faults instead of the ones that the seed draws; with an empty list, none

A seed that fails belongs into tests/simulation/regressions.txt.
";

/// What to run.
struct Request {
    seeds: u64,
    from: u64,
    scenario: Option<&'static Scenario>,
    /// Whether to sweep, and then how.
    sweep: Option<Sweep>,
    replay: bool,
    faults: Option<Vec<Fault>>,
}

/// Which faults are tried together, and whether with replay.
#[derive(Clone, Copy)]
struct Sweep {
    in_pairs: bool,
    replay: bool,
}

/// Runs what the arguments (without the program's name) say, and reports to `out`. Fails if any seed did.
pub fn command(arguments: impl Iterator<Item = String>, out: &mut dyn Write) -> ExitCode {
    let request = match parse(arguments) {
        Ok(request) => request,
        Err(why) => {
            drop(write!(out, "{why}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match run_all(&request, out) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // Nobody reads the report any more.
        Err(_) => ExitCode::FAILURE,
    }
}

fn sweep_all(request: &Request, how: Sweep, out: &mut dyn Write) -> io::Result<u64> {
    let (mut runs, mut failures) = (0, 0);
    let is_wanted = |scenario: &&Scenario| request.scenario.is_none_or(|wanted| wanted.name == scenario.name);
    // Triggers alone are the same, however orchestrators are kept.
    let differs = |scenario: &&Scenario| !how.replay || (scenario.workload)("x").has_orchestrations();
    for scenario in scenarios::all().filter(is_wanted).filter(differs) {
        let swept = match how.in_pairs {
            false => sweep(scenario, how.replay, |_| 1),
            true => sweep_pairs(scenario, how.replay),
        };
        match swept {
            Ok(more) => runs += more,
            Err(failure) => {
                failures += 1;
                writeln!(out, "{failure}")?;
            }
        }
    }
    writeln!(out, "{runs} runs, {failures} scenarios failed")?;
    Ok(failures)
}

fn run_all(request: &Request, out: &mut dyn Write) -> io::Result<u64> {
    if let Some(how) = request.sweep {
        return sweep_all(request, how, out);
    }
    if let Some(scenario) = request.scenario {
        return match swarm::run_scenario(scenario, request.replay, request.faults.clone().unwrap_or_default()) {
            Ok(report) => writeln!(out, "{}{:?} of virtual time", report.trace, report.virtual_time).map(|()| 0),
            Err(failure) => write!(out, "{failure}").map(|()| 1),
        };
    }
    let (mut failures, mut faults, mut crashes, mut points, mut hash) = (0, 0, 0, 0, 0);
    for seed in request.from..request.from.saturating_add(request.seeds) {
        match swarm::run_seed(seed, request.faults.clone()) {
            Ok(report) => {
                faults += report.injected.len();
                crashes += report.crashes;
                points += report.points.len();
                hash ^= report.trace.hash().rotate_left(u32::try_from(seed % 64).unwrap_or(0));
            }
            Err(failure) => {
                failures += 1;
                writeln!(out, "{failure}")?;
            }
        }
        if (seed - request.from + 1).is_multiple_of(1000) {
            writeln!(
                out,
                "up to seed {seed}: {points} points, {faults} faults, {crashes} crashes, {failures} failures"
            )?;
        }
    }
    writeln!(out, "{} seeds: {points} points, {faults} faults, {crashes} crashes, {failures} failures", request.seeds)?;
    writeln!(out, "the same seeds make the same hash: {hash:016x}")?;
    Ok(failures)
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Request, String> {
    let mut request = Request { seeds: 1000, from: 0, scenario: None, sweep: None, replay: false, faults: None };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("'{name}' needs a value"))?;
        let number = || value.parse().map_err(|_| format!("'{value}' is no whole number"));
        match name.as_str() {
            "--seeds" => request.seeds = number()?,
            "--from" => request.from = number()?,
            "--scenario" => {
                let found = scenarios::find(&value).ok_or_else(|| format!("there is no scenario '{value}'"))?;
                request.scenario = Some(found);
            }
            "--sweep" => request.sweep = Some(Sweep { in_pairs: false, replay: value == "replay" }),
            "--pairs" => request.sweep = Some(Sweep { in_pairs: true, replay: value == "replay" }),
            "--mode" => request.replay = value == "replay",
            "--faults" => {
                let faults = value.split(',').map(str::trim).filter(|fault| !fault.is_empty());
                request.faults = Some(faults.map(str::parse).collect::<Result<_, _>>()?);
            }
            _ => return Err(format!("there is no option '{name}'")),
        }
    }
    Ok(request)
}
