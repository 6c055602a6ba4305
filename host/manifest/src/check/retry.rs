//! Retry policies: which functions may have one, which fields belong to which strategy, and that none of them spins.

use std::time::Duration;

use super::functions::Shared;
use super::names::quoted;
use super::settings::{Fields, duration_within};
use crate::app::Trigger;
use crate::duration;
use crate::fields::{Placed, join};
use crate::file::FileRetry;
use crate::problem::Report;
use crate::retry::{EXPONENTIAL_BACKOFF, FIXED_DELAY, RetryDelay, RetryPolicy};
use crate::settings::{ENDLESS_RETRY_INTERVAL, RETRY_COUNT, RETRY_INTERVAL};
use crate::suggestion::nearest;

/// Any number of retries, as Azure writes it.
const FOREVER: i64 = -1;

/// The function's own policy, or that of `[host]`, where its trigger may have one.
pub(super) fn of_function(own: Option<&FileRetry>, trigger: &Trigger, shared: &Shared<'_, '_>) -> Option<RetryPolicy> {
    let next = match trigger {
        Trigger::Http(_) | Trigger::Queue(_) | Trigger::Timer(_) => {
            return match own {
                Some(own) => check(own, shared.report),
                None => shared.retry.clone(),
            };
        }
        Trigger::Activity(_) => {
            "give the retry policy where an orchestrator calls the activity: that one is part of its history and survives restarts"
        }
        Trigger::Orchestration => {
            "give the retry policy where an orchestrator calls it as a sub-orchestration: that one is part of its history and survives restarts"
        }
        Trigger::Entity => "remove it: whoever calls the entity gets its error, and can call again",
    };
    if let Some(own) = own {
        shared.report.add(&own.at, &own.path, format!("does not fit {}", trigger.type_name()), next);
    }
    None
}

pub(super) fn check(written: &FileRetry, report: &Report<'_>) -> Option<RetryPolicy> {
    let field = |key| join(&written.path, key);
    let interval = |key, text: &Option<Placed<String>>| {
        text.as_ref().and_then(|text| duration_within(text, &field(key), RETRY_INTERVAL, report))
    };
    let strategy = written.strategy.as_ref()?;
    let is = |word: &str| strategy.get_ref().eq_ignore_ascii_case(word);
    let fixed = interval("delayInterval", &written.delay_interval);
    let minimum = interval("minimumInterval", &written.minimum_interval);
    let maximum = interval("maximumInterval", &written.maximum_interval);
    let unfit = |key, text: &Option<Placed<String>>, next: &str| {
        if let Some(text) = text {
            report.add(&text.span(), field(key), format!("does not fit the strategy `{}`", strategy.get_ref()), next);
        }
    };
    let delay = if is(FIXED_DELAY) {
        unfit("minimumInterval", &written.minimum_interval, "write `delayInterval`");
        unfit("maximumInterval", &written.maximum_interval, "remove it, or choose `exponentialBackoff`");
        fixed.map(RetryDelay::Fixed)
    } else if is(EXPONENTIAL_BACKOFF) {
        unfit("delayInterval", &written.delay_interval, "write `minimumInterval` and `maximumInterval`");
        minimum.zip(maximum).map(|(minimum, maximum)| RetryDelay::Exponential { minimum, maximum })
    } else {
        report_strategy(strategy, &field("strategy"), report);
        None
    };
    let count = written.max_retry_count.as_ref();
    let is_endless = count.is_some_and(|count| *count.get_ref() == FOREVER);
    let count = count.filter(|_| !is_endless);
    let fields = Fields { path: &written.path, report };
    let max_retry_count = (!is_endless).then(|| fields.number("maxRetryCount", count, RETRY_COUNT));
    let delay = delay?;
    check_intervals(&delay, is_endless, written, report);
    Some(RetryPolicy { max_retry_count, delay })
}

fn check_intervals(delay: &RetryDelay, is_endless: bool, written: &FileRetry, report: &Report<'_>) {
    let (shortest, place, key) = match delay {
        RetryDelay::Fixed(delay) => (delay, &written.delay_interval, "delayInterval"),
        RetryDelay::Exponential { minimum, maximum } => {
            if let Some(place) = written.maximum_interval.as_ref().filter(|_| maximum < minimum) {
                let what = format!("is shorter than the minimum, {}", duration::print(*minimum));
                let next = "write a time that is no shorter than `minimumInterval`";
                report.add(&place.span(), join(&written.path, "maximumInterval"), what, next);
            }
            (minimum, &written.minimum_interval, "minimumInterval")
        }
    };
    if let Some(place) = place.as_ref().filter(|_| is_endless && *shortest < ENDLESS_RETRY_INTERVAL) {
        let least: Duration = ENDLESS_RETRY_INTERVAL;
        let what = format!("is shorter than {} in a policy that never gives up", duration::print(least));
        report.add(
            &place.span(),
            join(&written.path, key),
            what,
            "write a longer time, or another `maxRetryCount` than -1",
        );
    }
}

fn report_strategy(strategy: &Placed<String>, field: &str, report: &Report<'_>) {
    let next = match nearest(strategy.get_ref(), [FIXED_DELAY, EXPONENTIAL_BACKOFF]) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use {FIXED_DELAY} or {EXPONENTIAL_BACKOFF}"),
    };
    report.add(&strategy.span(), field, format!("{} is not a strategy", quoted(strategy.get_ref())), next);
}
