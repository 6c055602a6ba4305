//! Swarm seeds: a fixed number of them, and every one that ever failed.

use crate::swarm::{run_seed, setup};
use crate::world::run;

/// How many seeds every test run tries, unless the environment names another number.
const SEEDS: u64 = 200;

#[track_caller]
fn check(seed: u64) {
    if let Err(failure) = run_seed(seed, None) {
        panic!("{failure}");
    }
}

#[test]
fn seeds_do_no_harm() {
    (0..SEEDS).for_each(check);
}

#[test]
fn seeds_that_once_failed_do_no_harm() {
    for line in include_str!("../../regressions.txt").lines() {
        let seed = line.split('#').next().unwrap_or_default().trim();
        if !seed.is_empty() {
            check(seed.parse().expect("a line is a seed, with a comment behind it"));
        }
    }
}

/// The whole run follows from the seed, or no failure could be looked at twice.
#[test]
fn the_same_seed_makes_the_same_run() {
    for seed in 0..20 {
        let [once, again] = [0, 1].map(|_| run(&setup(seed)));
        assert_eq!(once.injected, again.injected, "seed {seed}");
        assert_eq!(once.trace.hash(), again.trace.hash(), "seed {seed}:\n{}\n{}", once.trace, again.trace);
        let listed = run_seed(seed, Some(once.injected.clone())).map_err(|failure| failure.to_string());
        assert_eq!(
            listed.map(|report| report.trace.hash()),
            Ok(once.trace.hash()),
            "seed {seed} from its list of faults"
        );
    }
    let hashes: std::collections::BTreeSet<_> = (0..20).map(|seed| run(&setup(seed)).trace.hash()).collect();
    assert_eq!(hashes.len(), 20, "seeds differ");
}
