//! Moments as the management API, and the files that it hands out, write and read them.

use jiff::civil;
use jiff::tz::TimeZone;
use orchestration::Timestamp;

/// To the second, `2024-01-01T00:00:00Z`: what status objects show.
pub(crate) fn to_second(moment: Timestamp) -> String {
    let text = moment.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

/// Reads ISO 8601: a moment with an offset, a date and time without one (then in UTC), or a date.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let moment = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil = text.parse::<civil::DateTime>().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    i64::try_from(moment.as_nanosecond().div_euclid(100)).ok().map(Timestamp::from_ticks)
}

/// Reads what a [`Timestamp`] displays, to the tick, and nothing else. Unlike [`parse`] it knows every moment that there is,
/// also the last one, which is far beyond the calendars of others.
pub(crate) fn parse_exact(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let (time, fraction) = time.split_once('.')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let seconds = days_from_civil(year, month, day)?
        .checked_mul(86_400)?
        .checked_add(hour.checked_mul(3_600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)?)?;
    let ticks = seconds.checked_mul(10_000_000)?.checked_add(fraction.parse().ok()?)?;
    // Whatever is no date or has other digits comes out differently.
    Some(Timestamp::from_ticks(ticks)).filter(|moment| moment.to_string() == text)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let numbers: Option<Vec<i64>> = text.split(separator).map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar (the usual era arithmetic: 400 years are 146,097 days).
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let year = year.checked_sub(i64::from(month <= 2))?;
    let era = year.div_euclid(400);
    let month_from_march = month.checked_add(9)?.rem_euclid(12);
    let day_of_year = (month_from_march * 153 + 2) / 5 + day.checked_sub(1)?;
    let year_of_era = year.rem_euclid(400);
    let day_of_era = (year_of_era * 365 + year_of_era / 4 - year_of_era / 100).checked_add(day_of_year)?;
    era.checked_mul(146_097)?.checked_add(day_of_era)?.checked_sub(719_468)
}
