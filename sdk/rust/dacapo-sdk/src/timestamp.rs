//! Moments in UTC, in the resolution of the contract.
//!
//! Owns reading and writing RFC 3339. Leaves time zones and calendars to other crates: an orchestrator compares and adds.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const TICKS_PER_SECOND: i64 = 10_000_000;
const NANOS_PER_TICK: u128 = 100;
const SECONDS_PER_DAY: i64 = 86_400;

/// A moment in UTC, in steps of 100 nanoseconds; in JSON a text such as `2026-11-22T07:16:17.5Z`.
///
/// ```
/// use std::time::Duration;
/// use dacapo::Timestamp;
///
/// let opening: Timestamp = "2026-11-22T09:00:00+02:00".parse().unwrap();
/// assert_eq!((opening + Duration::from_millis(1500)).to_string(), "2026-11-22T07:00:01.5Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Timestamp = Timestamp(0);

    /// The moment so many steps of 100 nanoseconds after 1970.
    pub const fn from_ticks(ticks: i64) -> Timestamp {
        Timestamp(ticks)
    }

    /// Steps of 100 nanoseconds since 1970.
    pub const fn ticks(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970.
    pub const fn unix_millis(self) -> i64 {
        self.0.div_euclid(TICKS_PER_SECOND / 1_000)
    }

    /// How long ago `earlier` was; zero if it is later.
    pub fn saturating_since(self, earlier: Timestamp) -> Duration {
        let ticks = u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0);
        Duration::from_secs(ticks / TICKS_PER_SECOND as u64)
            + Duration::from_nanos(ticks % TICKS_PER_SECOND as u64 * NANOS_PER_TICK as u64)
    }
}

/// Rounds up to a whole step, so that a wait is never too short; stops at the end of time.
impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, duration: Duration) -> Timestamp {
        let ticks = duration.as_nanos().div_ceil(NANOS_PER_TICK);
        Timestamp(self.0.saturating_add(i64::try_from(ticks).unwrap_or(i64::MAX)))
    }
}

/// Rounds up to a whole step; stops at the beginning of time.
impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, duration: Duration) -> Timestamp {
        let ticks = duration.as_nanos().div_ceil(NANOS_PER_TICK);
        Timestamp(self.0.saturating_sub(i64::try_from(ticks).unwrap_or(i64::MAX)))
    }
}

/// The same as [`Timestamp::saturating_since`].
impl Sub for Timestamp {
    type Output = Duration;

    fn sub(self, earlier: Timestamp) -> Duration {
        self.saturating_since(earlier)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        let ticks = |duration: Duration| i64::try_from(duration.as_nanos() / NANOS_PER_TICK).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Timestamp(ticks(after)),
            Err(before) => Timestamp(-ticks(before.duration())),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(TICKS_PER_SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
        let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        let fraction = format!("{:07}", self.0.rem_euclid(TICKS_PER_SECOND));
        match fraction.trim_end_matches('0') {
            "" => f.write_str("Z"),
            digits => write!(f, ".{digits}Z"),
        }
    }
}

/// Why a text is not a [`Timestamp`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampError(String);

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not a moment in time; write it like 2026-11-22T07:16:17Z", self.0)
    }
}

impl std::error::Error for TimestampError {}

/// Reads RFC 3339, with `Z` or an offset; digits beyond the seventh are dropped.
impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Timestamp, TimestampError> {
        parse(text).ok_or_else(|| TimestampError(text.into()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let (time, offset) = split_offset(rest)?;
    let [year, month, day] = numbers(date, '-')?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(clock, ':')?;
    let in_range = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let ticks: i64 = format!("{fraction:0<7}").get(..7)?.parse().ok()?;
    let seconds = days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second - offset;
    Some(Timestamp(seconds * TICKS_PER_SECOND + ticks))
}

/// The time of day and its offset from UTC in seconds.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let at = text.rfind(['+', '-'])?;
    let (time, offset) = text.split_at(at);
    let [hours, minutes] = numbers(offset.get(1..)?, ':')?;
    let seconds = (hours < 24 && minutes < 60).then_some(hours * 3_600 + minutes * 60)?;
    Some((time, if offset.starts_with('-') { -seconds } else { seconds }))
}

fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let parts: Option<Vec<i64>> = text
        .split(separator)
        .map(|part| (part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?)
        .collect();
    parts?.try_into().ok()
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Days are counted from 1970-01-01 in years that begin in March, so that the leap day is the last (Howard Hinnant's
// `days_from_civil`); an era is the 400 years after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;
const DAYS_BEFORE_1970: i64 = 719_468;

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    year.div_euclid(400) * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_BEFORE_1970;
    let day_of_era = days.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + days.div_euclid(DAYS_PER_ERA) * 400 + i64::from(month <= 2);
    (year, month, day)
}
