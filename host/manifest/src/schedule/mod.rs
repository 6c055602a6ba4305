//! Schedules of timer triggers: NCRONTAB expressions in a time zone, and intervals.
//!
//! Owns what an expression means and when it occurs next. Knows no clock: the moment to start from is an argument, and the
//! time zones' rules are part of the program, so that a schedule has the same occurrences on every machine. Whoever runs
//! something at these moments decides what happens to those that were missed.

mod expression;
mod interval;
mod search;

#[cfg(test)]
mod tests;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::fmt;
use storage_model::Ticks;

use self::expression::Expression;
use crate::suggestion::nearest;

const TICKS_PER_SECOND: i64 = 10_000_000;

/// When something runs: an NCRONTAB expression of five or six fields in a time zone, or the same time again and again.
///
/// As in Azure Functions, with three differences: without a time zone it is UTC, whatever the machine's own zone is; an hours
/// part of 24 and more in an interval (which .NET reads as days) is refused, and so is a range that runs backwards (which Azure
/// turns round).
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    text: String,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Calendar {
        expression: Expression,
        zone: TimeZone,
        /// As the database spells it; none: nobody asked for one, it is UTC.
        zone_name: Option<String>,
    },
    /// In ticks, at least a second.
    Interval(i64),
}

/// Why a text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {next_step}")]
pub struct ScheduleError {
    /// What is wrong, without a full stop; names the field and the character, from 1.
    pub what: String,
    /// What to write instead.
    pub next_step: String,
}

impl ScheduleError {
    fn new(what: impl Into<String>, next_step: impl Into<String>) -> ScheduleError {
        ScheduleError { what: what.into(), next_step: next_step.into() }
    }
}

impl Schedule {
    /// Reads `sec min hour day month weekday`, the same without seconds (0 then), or an interval `[d.]hh:mm:ss`. The time zone is a
    /// name of the IANA database, ignoring case; without one it is UTC. An interval has no use for a time zone.
    ///
    /// # Errors
    ///
    /// When the text is none of these, the time zone is not known, or no day ever matches.
    pub fn parse(text: &str, time_zone: Option<&str>) -> Result<Schedule, ScheduleError> {
        let text = text.trim();
        let zone = time_zone.map(|name| find_zone(name.trim())).transpose()?;
        let rule = if text.contains(':') {
            Rule::Interval(interval::parse(text)?)
        } else {
            let expression = expression::parse(text)?;
            match zone {
                Some((zone, name)) => Rule::Calendar { expression, zone, zone_name: Some(name) },
                None => Rule::Calendar { expression, zone: TimeZone::UTC, zone_name: None },
            }
        };
        Ok(Schedule { text: text.to_owned(), rule })
    }

    /// The expression or interval as it was written, with settings filled in and without its time zone.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first occurrence strictly after a moment. None: there is none in the next hundred years, or before the year 10000.
    ///
    /// Where clocks are put forward, what falls into the hour that is left out occurs later by that hour. Where they are put back,
    /// an expression with `*`, `-` or `/` among its seconds, minutes or hours occurs in both of the hours that are alike; any other
    /// only in the first.
    pub fn next_after(&self, moment: Ticks) -> Option<Ticks> {
        match &self.rule {
            Rule::Interval(ticks) => moment.checked_add(*ticks),
            Rule::Calendar { expression, zone, .. } => {
                let second = search::next_second(expression, zone, moment.div_euclid(TICKS_PER_SECOND))?;
                second.checked_mul(TICKS_PER_SECOND)
            }
        }
    }

    /// All occurrences strictly after a moment, in order.
    pub fn occurrences_after(&self, moment: Ticks) -> impl Iterator<Item = Ticks> + '_ {
        std::iter::successors(self.next_after(moment), |occurrence| self.next_after(*occurrence))
    }

    /// Whether it is an interval: its occurrences depend on when it began, not on the calendar.
    pub fn is_interval(&self) -> bool {
        match self.rule {
            Rule::Interval(_) => true,
            Rule::Calendar { .. } => false,
        }
    }

    /// Whether it follows the changes between summer and winter time, as far as its zone has them.
    pub fn adjusts_for_dst(&self) -> bool {
        !self.is_interval()
    }

    /// Whether two occurrences can be less than a minute apart.
    pub fn fires_more_than_once_a_minute(&self) -> bool {
        match &self.rule {
            Rule::Interval(ticks) => *ticks < 60 * TICKS_PER_SECOND,
            Rule::Calendar { expression, .. } => expression.has_several_seconds(),
        }
    }
}

/// The text, and the time zone if one was named: two schedules that print alike occur alike.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.rule {
            Rule::Calendar { zone_name: Some(zone), .. } => write!(f, " ({zone})"),
            Rule::Calendar { zone_name: None, .. } | Rule::Interval(_) => Ok(()),
        }
    }
}

/// The zone and its name as the database spells it. Always from the database in the program: the machine's own may be of another
/// year, or not be there.
fn find_zone(name: &str) -> Result<(TimeZone, String), ScheduleError> {
    let database = TimeZoneDatabase::bundled();
    if let Ok(zone) = database.get(name)
        && !zone.is_unknown()
    {
        let spelt = zone.iana_name().unwrap_or(name).to_owned();
        return Ok((zone, spelt));
    }
    let known: Vec<String> = database.available().map(|known| known.to_string()).collect();
    let next_step = match nearest(name, known.iter().map(String::as_str)) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => {
            "write a name of the IANA database such as `Europe/Berlin`, `America/New_York` or `UTC`; names of Windows \
                 (`Eastern Standard Time`) and offsets are not known here"
                .to_owned()
        }
    };
    Err(ScheduleError::new(format!("there is no time zone `{name}`"), next_step))
}
