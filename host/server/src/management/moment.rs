//! Moments as the management API writes and reads them.

use jiff::civil;
use jiff::tz::TimeZone;
use orchestration::Timestamp;

/// To the second, `2024-01-01T00:00:00Z`: what status objects show.
pub(super) fn to_second(moment: Timestamp) -> String {
    let text = moment.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

/// Reads ISO 8601: a moment with an offset, a date and time without one (then in UTC), or a date.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let moment = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil = text.parse::<civil::DateTime>().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    i64::try_from(moment.as_nanosecond().div_euclid(100)).ok().map(Timestamp::from_ticks)
}
