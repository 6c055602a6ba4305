//! Timers: each occurrence runs once, one at a time, with the tries that its policy allows; what was missed is run as
//! `catchUp` says.

use super::errands::{Ended, Running, UsersSeen};
use super::{Oracle, Watch};
use crate::clock::EPOCH;
use orchestration::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What becomes of occurrences that were missed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Missed {
    /// The first of them is run, late.
    First,
    All,
    None,
    /// Its runs take so long that others are missed: which ones, is not expected here.
    Any,
}

/// A function that a schedule starts, as far as rules depend on it.
struct Scheduled {
    function: &'static str,
    missed: Missed,
    /// Tries after the first.
    retries: u32,
    /// Whether it ever succeeds.
    succeeds: bool,
}

const fn scheduled(function: &'static str, missed: Missed) -> Scheduled {
    Scheduled { function, missed, retries: 0, succeeds: true }
}

const SCHEDULED: &[Scheduled] = &[
    scheduled("Weekly", Missed::First),
    scheduled("Each", Missed::All),
    scheduled("Forget", Missed::None),
    scheduled("Chained", Missed::First),
    scheduled("Slow", Missed::Any),
    scheduled("Patient", Missed::None),
    Scheduled { retries: 3, ..scheduled("Persistent", Missed::First) },
    Scheduled { retries: 2, succeeds: false, ..scheduled("Hopeless", Missed::First) },
];

const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// From the beginning of the world, a Thursday, to the first Monday.
const FIRST: Duration = Duration::from_secs(4 * 86_400);

/// One try.
struct Try {
    count: u32,
    is_late: bool,
    ended: Option<Ended>,
}

/// What was seen of timers.
#[derive(Default)]
pub(super) struct Occurrences {
    /// By function and seconds since the beginning of the world.
    tries: BTreeMap<(String, u64), Vec<Try>>,
    /// When there was no process, and until when.
    outages: Vec<(Timestamp, Option<Timestamp>)>,
    pub(super) crashes: u32,
}

impl Watch {
    /// There is no process, for a while.
    pub(crate) fn goes_down(&self, now: Timestamp) {
        let outages = &mut self.lock().users.occurrences.outages;
        if outages.last().is_none_or(|(_, end)| end.is_some()) {
            outages.push((now, None));
        }
    }

    /// There is one again.
    pub(crate) fn comes_up(&self, now: Timestamp) {
        if let Some((_, end)) = self.lock().users.occurrences.outages.last_mut() {
            end.get_or_insert(now);
        }
    }

    /// A try begins.
    pub(super) fn timer_begins(&self, function: &str, moment: Timestamp, count: u32, is_late: bool) -> Running {
        let key = key(function, moment);
        let mut seen = self.lock();
        let retries = find(function).map_or(0, |scheduled| scheduled.retries);
        let tries = seen.users.occurrences.tries.entry(key.clone()).or_default();
        let before = tries.last().map(|last| last.count);
        tries.push(Try { count, is_late, ended: None });
        let is_next = before.map_or(count == 0, |before| before == count || before + 1 == count);
        if !is_next || count > retries {
            seen.report(Oracle::Schedules, format!("try {count} of {key:?} comes after {before:?}"));
        }
        if seen.users.ticked.contains(&format!("{}@{}", key.0, key.1)) {
            seen.report(Oracle::Schedules, format!("{key:?} runs again after it was committed"));
        }
        drop(seen);
        self.run_begins(function, None, 1)
    }

    pub(super) fn timer_ended(&self, function: &str, moment: Timestamp, ended: Ended) {
        let mut seen = self.lock();
        let tries = seen.users.occurrences.tries.get_mut(&key(function, moment));
        if let Some(last) = tries.and_then(|tries| tries.last_mut()) {
            last.ended = Some(ended);
        }
    }
}

fn key(function: &str, moment: Timestamp) -> (String, u64) {
    (function.to_owned(), moment.saturating_since(EPOCH).as_secs())
}

fn find(function: &str) -> Option<&'static Scheduled> {
    SCHEDULED.iter().find(|scheduled| scheduled.function == function)
}

fn failures(tries: &[Try]) -> usize {
    tries.iter().filter(|one| matches!(one.ended, Some(Ended::Badly | Ended::ForGood))).count()
}

/// What is wrong with what timers have done: `done` are the tags of what is in the store, timers ran for `listened`.
pub(super) fn wrong(
    seen: &UsersSeen,
    functions: &[&str],
    done: &BTreeSet<String>,
    listened: Duration,
) -> Option<String> {
    let timers = SCHEDULED.iter().filter(|scheduled| functions.contains(&scheduled.function));
    timers.into_iter().find_map(|scheduled| seen.occurrences.wrong(scheduled, done, listened))
}

impl Occurrences {
    fn wrong(&self, scheduled: &Scheduled, done: &BTreeSet<String>, listened: Duration) -> Option<String> {
        let function = scheduled.function;
        let prefix = format!("{function}@");
        let done: BTreeSet<u64> = done.iter().filter_map(|tag| tag.strip_prefix(&prefix)?.parse().ok()).collect();
        if !scheduled.succeeds || scheduled.missed == Missed::Any {
            let has_failed = self.tries.iter().any(|((other, _), tries)| other == function && failures(tries) > 0);
            let is_wrong = if scheduled.succeeds { done.is_empty() && !has_failed } else { !done.is_empty() };
            return is_wrong.then(|| format!("{function} has come to {done:?}"));
        }
        let expected = self.expected(scheduled.missed, listened);
        if let Some(odd) = done.iter().find(|moment| !expected.contains(moment)) {
            return Some(format!("{function} was not to run at {odd}, but at {expected:?}"));
        }
        for moment in expected {
            let tries = self.tries.get(&(function.to_owned(), moment)).map(Vec::as_slice).unwrap_or_default();
            // Without catching up, a run that a crash has ended before its commit is one that was missed.
            let is_excused = failures(tries) > scheduled.retries as usize
                || scheduled.missed == Missed::None && self.crashes > 0 && !tries.is_empty();
            if !done.contains(&moment) && !is_excused {
                return Some(format!("the occurrence of {function} at {moment} has come to nothing"));
            }
            let is_missed = self.outage(moment).is_some();
            if is_missed && tries.iter().any(|one| !one.is_late) {
                return Some(format!("{function} was told that it is in time for {moment}, which was missed"));
            }
        }
        None
    }

    /// When a timer is to have run, in seconds since the beginning.
    fn expected(&self, missed: Missed, listened: Duration) -> Vec<u64> {
        let mut expected = Vec::new();
        let mut last_outage = None;
        let mut at = FIRST;
        while at <= listened {
            let outage = self.outage(at.as_secs());
            let is_run = match (missed, outage) {
                (_, None) | (Missed::All | Missed::Any, Some(_)) => true,
                (Missed::None, Some(_)) => false,
                (Missed::First, Some(_)) => outage != last_outage,
            };
            if is_run {
                expected.push(at.as_secs());
            }
            last_outage = outage;
            at += WEEK;
        }
        expected
    }

    /// The outage into which a moment fell, by its place.
    fn outage(&self, seconds: u64) -> Option<usize> {
        let moment = EPOCH.saturating_add(Duration::from_secs(seconds));
        self.outages.iter().position(|(from, to)| *from <= moment && to.is_none_or(|to| moment < to))
    }
}
