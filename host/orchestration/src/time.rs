//! Moments in UTC. The core only ever receives them; nothing here reads a clock.

use std::fmt;
use std::time::Duration;

/// How many ticks of 100 ns make a second.
const TICKS_PER_SECOND: i64 = 10_000_000;
const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;

/// A moment in UTC, in ticks of 100 nanoseconds since 1970-01-01T00:00:00Z: the resolution that Durable Functions has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last moment that can be told; a timer set to it never fires.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// From ticks of 100 nanoseconds since the Unix epoch.
    pub const fn from_ticks(ticks: i64) -> Timestamp {
        Timestamp(ticks)
    }

    /// From milliseconds since the Unix epoch.
    pub const fn from_unix_ms(ms: i64) -> Timestamp {
        Timestamp(ms.saturating_mul(TICKS_PER_SECOND / 1000))
    }

    /// In ticks of 100 nanoseconds since the Unix epoch.
    pub const fn ticks(self) -> i64 {
        self.0
    }

    /// In whole milliseconds since the Unix epoch, rounded down.
    pub const fn unix_ms(self) -> i64 {
        self.0.div_euclid(TICKS_PER_SECOND / 1000)
    }

    /// Later by `duration`; at most [`Timestamp::MAX`].
    pub fn saturating_add(self, duration: Duration) -> Timestamp {
        let ticks = i64::try_from(duration.as_nanos() / 100).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(ticks))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn saturating_since(self, earlier: Timestamp) -> Duration {
        let ticks = u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0);
        Duration::from_secs(ticks / TICKS_PER_SECOND as u64)
            + Duration::from_nanos(ticks % TICKS_PER_SECOND as u64 * 100)
    }
}

/// The .NET round-trip form with seven fractional digits, `2024-01-01T00:00:00.0000000Z`: deterministic GUIDs are made
/// from it, so it must not change.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(TICKS_PER_DAY));
        let ticks = self.0.rem_euclid(TICKS_PER_DAY);
        let (seconds, fraction) = (ticks / TICKS_PER_SECOND, ticks % TICKS_PER_SECOND);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:07}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The proleptic Gregorian date of a day counted from 1970-01-01 (the usual era arithmetic: 400 years are 146,097 days).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
