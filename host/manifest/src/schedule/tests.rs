//! Schedules as tables of text to occurrences, and against a scanner that tries every moment.

mod errors;
mod occurrences;
mod scanner;

use super::Schedule;
use jiff::Timestamp;
use storage_model::Ticks;

/// A schedule from `expression` or `expression @ zone`.
fn schedule(text: &str) -> Schedule {
    let (text, zone) = split(text);
    Schedule::parse(text, zone).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once(" @ ") {
        Some((text, zone)) => (text, Some(zone)),
        None => (text, None),
    }
}

fn ticks(moment: Timestamp) -> Ticks {
    i64::try_from(moment.as_nanosecond() / 100).expect("a moment of this age")
}

fn moment(ticks: Ticks) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(ticks) * 100).expect("a moment of this age")
}
