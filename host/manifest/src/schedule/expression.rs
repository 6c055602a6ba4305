//! NCRONTAB expressions: six fields, or five without seconds, each a set of numbers.
//!
//! A day must match both its number and its weekday (classic cron takes either of them). What other schedulers add to the language is
//! refused with the way to say it here.

use jiff::civil::Date;
use std::fmt::Write;

use super::ScheduleError;

const DAY_S: i64 = 86_400;

/// One field: what it is called, its numbers, and the names for them in calendar order.
struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: &[&str] = &["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const FIELDS: [Field; 6] = [
    Field { name: "seconds", min: 0, max: 59, names: &[] },
    Field { name: "minutes", min: 0, max: 59, names: &[] },
    Field { name: "hours", min: 0, max: 23, names: &[] },
    Field { name: "days", min: 1, max: 31, names: &[] },
    Field { name: "months", min: 1, max: 12, names: MONTHS },
    Field { name: "weekdays", min: 0, max: 6, names: WEEKDAYS },
];

/// What a message quotes of a wrong part.
const MAX_QUOTED_CHARS: usize = 40;

/// The longest that each month can be, from January.
const LONGEST_MONTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// What `@name` means elsewhere, in our words.
const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 0 1 1 *"),
    ("@annually", "0 0 0 1 1 *"),
    ("@monthly", "0 0 0 1 * *"),
    ("@weekly", "0 0 0 * * 0"),
    ("@daily", "0 0 0 * * *"),
    ("@midnight", "0 0 0 * * *"),
    ("@hourly", "0 0 * * * *"),
];

/// Sets of numbers, a bit for each: bit 5 of `minutes` is minute 5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expression {
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// It has `*`, `-` or `/` among seconds, minutes or hours.
    interval_like: bool,
}

/// A part of the text and the place of its first character, from 1.
#[derive(Clone, Copy)]
struct Part<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Part<'t> {
    /// What is before and behind the first `separator`.
    fn split_at(self, separator: char) -> Option<(Part<'t>, Part<'t>)> {
        let (before, behind) = self.text.split_once(separator)?;
        let at = self.at + before.chars().count() + 1;
        Some((Part { text: before, at: self.at }, Part { text: behind, at }))
    }
}

/// Reads an expression; a day that it means must exist.
pub(super) fn parse(text: &str) -> Result<Expression, ScheduleError> {
    if text.starts_with('@') {
        return Err(nickname(text));
    }
    let parts = split(text);
    let skipped = match parts.len() {
        6 => 0,
        5 => 1,
        found => return Err(wrong_count(text, found)),
    };
    let mut sets = [1, 0, 0, 0, 0, 0];
    for (index, part) in parts.iter().enumerate() {
        sets[index + skipped] = Reading { field: &FIELDS[index + skipped], number: index + 1 }.set(*part)?;
    }
    let [seconds, minutes, hours, days, months, weekdays] = sets;
    let times = &parts[..3 - skipped];
    let interval_like = times.iter().any(|part| part.text.contains(['*', '-', '/']));
    let expression = Expression { seconds, minutes, hours, days, months, weekdays, interval_like };
    if expression.has_days() { Ok(expression) } else { Err(never(text)) }
}

/// The parts between white space.
fn split(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut at = 1;
    loop {
        let blank = rest.chars().take_while(|c| c.is_whitespace()).count();
        rest = rest.trim_start();
        at += blank;
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        if end == 0 {
            return parts;
        }
        let (part, behind) = rest.split_at(end);
        parts.push(Part { text: part, at });
        at += part.chars().count();
        rest = behind;
    }
}

/// One field being read, with its number in the text, from 1.
struct Reading {
    field: &'static Field,
    number: usize,
}

impl Reading {
    fn set(&self, part: Part<'_>) -> Result<u64, ScheduleError> {
        let mut set = 0;
        let mut rest = Some(part);
        while let Some(part) = rest {
            let (item, behind) = match part.split_at(',') {
                Some((item, behind)) => (item, Some(behind)),
                None => (part, None),
            };
            set |= self.item(item)?;
            rest = behind;
        }
        Ok(set)
    }

    /// `*`, `a`, `a-b`, each perhaps with `/step`. `a/step` goes to the end.
    fn item(&self, item: Part<'_>) -> Result<u64, ScheduleError> {
        let (range, step) = match item.split_at('/') {
            Some((range, step)) => (range, Some(self.step(step)?)),
            None => (item, None),
        };
        let (first, last) = if range.text == "*" {
            (self.field.min, self.field.max)
        } else if let Some((first, last)) = range.split_at('-') {
            let (from, to) = (self.value(first)?, self.value(last)?);
            if from > to {
                return Err(self.backwards(range, from, to));
            }
            (from, to)
        } else {
            let value = self.value(range)?;
            (value, if step.is_some() { self.field.max } else { value })
        };
        let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
        Ok((first..=last).step_by(step).fold(0, |set, value| set | 1 << value))
    }

    fn step(&self, part: Part<'_>) -> Result<u32, ScheduleError> {
        match number(part.text) {
            Some(0) => Err(self.wrong(part, "is a step that leads nowhere", "write a step of at least 1")),
            Some(step) => Ok(step),
            None if part.text.is_empty() => Err(self.wrong(part, "where a step should be", "write it, such as `*/5`")),
            None => Err(self.wrong(part, "is not a step", "write a whole number behind `/`, such as `*/5`")),
        }
    }

    /// A number, or the beginning of a name; of several names with this beginning, the first one.
    fn value(&self, part: Part<'_>) -> Result<u32, ScheduleError> {
        let Field { min, max, names, .. } = *self.field;
        if let Some(value) = number(part.text) {
            return if (min..=max).contains(&value) { Ok(value) } else { Err(self.out_of_range(part, value)) };
        }
        let lower = part.text.to_ascii_lowercase();
        let named = names.iter().position(|name| !lower.is_empty() && name.to_ascii_lowercase().starts_with(&lower));
        match named.and_then(|index| u32::try_from(index).ok()) {
            Some(index) => Ok(min + index),
            None => Err(self.not_a_value(part)),
        }
    }

    fn wrong(&self, part: Part<'_>, why: &str, next_step: impl Into<String>) -> ScheduleError {
        let name = self.field.name;
        let shown = match part.text {
            "" => "nothing".to_owned(),
            text => format!("`{}`", text.chars().take(MAX_QUOTED_CHARS).collect::<String>()),
        };
        let what = format!("{name} (field {}, character {}): {shown} {why}", self.number, part.at);
        ScheduleError::new(what, next_step)
    }

    fn out_of_range(&self, part: Part<'_>, value: u32) -> ScheduleError {
        let Field { name, min, max, names } = self.field;
        let why = format!("is not among {min} to {max}");
        let next_step = if *name == "weekdays" && value == 7 {
            "Sunday is 0 here: write `0` or `Sun`".to_owned()
        } else if names.is_empty() {
            format!("write a number from {min} to {max}")
        } else {
            format!("write a number from {min} to {max}, or a name such as `{}`", &names[1][..3])
        };
        self.wrong(part, &why, next_step)
    }

    /// Azure turns `22-2` round and runs from 2 to 22, which is the opposite of what its writer means.
    fn backwards(&self, range: Part<'_>, from: u32, to: u32) -> ScheduleError {
        let Field { min, max, .. } = self.field;
        let next_step = format!(
            "over the end write `{from}-{max},{min}-{to}`; Azure reads the range as `{to}-{from}`: write that if it is what you mean"
        );
        self.wrong(range, "runs backwards", next_step)
    }

    fn not_a_value(&self, part: Part<'_>) -> ScheduleError {
        let Field { name, min, max, names } = self.field;
        let upper = part.text.to_ascii_uppercase();
        let is_number_with = |suffix: &str| upper.strip_suffix(suffix).is_some_and(|rest| number(rest).is_some());
        if upper == "?" {
            return self.wrong(
                part,
                "is not known here",
                "write `*`: both day fields must match, so `*` leaves it to the other",
            );
        }
        if upper.contains('#') {
            let next_step = "for the second Monday write days `8-14` and weekday `Mon`: both must match";
            return self.wrong(part, "counts weekdays, which is not known here", next_step);
        }
        if upper == "L" || upper == "LW" || is_number_with("L") {
            let next_step =
                "write days `28-31` and let the function ask whether tomorrow is the first, or run on the first";
            return self.wrong(part, "means the last one, which is not known here", next_step);
        }
        if upper == "W" || is_number_with("W") {
            let next_step = "write the days that it can be, and weekdays `Mon-Fri`: both must match";
            return self.wrong(part, "means the nearest working day, which is not known here", next_step);
        }
        if upper.is_empty() {
            return self.wrong(
                part,
                "where a number should be",
                "a number is missing beside `,`, `-` or `/`; `*` means all",
            );
        }
        let mut next_step = format!("write a number from {min} to {max}, `*`, `a-b`, `a,b` or `*/n`");
        if let Some(example) = names.get(1) {
            // Writing into a string cannot fail.
            let _ = write!(next_step, ", or a name such as `{}`", &example[..3]);
        }
        self.wrong(part, &format!("is not one of the {name}"), next_step)
    }
}

/// Digits only, and few of them: a longer number is out of range everywhere, and so is this.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

fn nickname(text: &str) -> ScheduleError {
    let what = format!("`{text}` is a name of other schedulers");
    let lower = text.to_ascii_lowercase();
    let next_step = match NICKNAMES.iter().find(|(name, _)| *name == lower) {
        Some((_, expression)) => format!("write `{expression}`"),
        None if lower == "@reboot" => "write `runOnStartup = true` beside a schedule".to_owned(),
        None => "write six fields: seconds, minutes, hours, day, month, weekday".to_owned(),
    };
    ScheduleError::new(what, next_step)
}

fn wrong_count(text: &str, found: usize) -> ScheduleError {
    let shape = "six fields (seconds, minutes, hours, day, month, weekday), five without the seconds, or an interval `hh:mm:ss`";
    if found == 0 {
        return ScheduleError::new("the schedule is empty", format!("write {shape}"));
    }
    let what =
        format!("`{text}` has {found} field{} where a schedule has six or five", if found == 1 { "" } else { "s" });
    let years = if found == 7 { "there is no field for years; " } else { "" };
    ScheduleError::new(what, format!("{years}write {shape}"))
}

fn never(text: &str) -> ScheduleError {
    let what = format!("`{text}` never occurs: none of its months has such a day");
    ScheduleError::new(what, "correct the day of the month or the month")
}

impl Expression {
    /// Whether seconds, minutes or hours have `*`, `-` or `/` in them: such an expression means "every so often".
    pub(super) fn is_interval_like(&self) -> bool {
        self.interval_like
    }

    /// Whether it occurs several times in one minute.
    pub(super) fn has_several_seconds(&self) -> bool {
        self.seconds.count_ones() > 1
    }

    /// Whether any of its months has any of its days. Every such date falls on every weekday in some year.
    fn has_days(&self) -> bool {
        let first_day = self.days.trailing_zeros();
        (1..=12).zip(LONGEST_MONTHS).any(|(month, length)| contains(self.months, month) && first_day <= length)
    }

    /// The first matching local time behind `after` and before `end`, all in seconds of local time since 1970 began there.
    pub(super) fn next_local(&self, after: i64, end: i64) -> Option<i64> {
        let mut from = after + 1;
        let mut date = date_of(from.div_euclid(DAY_S))?;
        while from < end {
            if self.matches(date) {
                let midnight = from.div_euclid(DAY_S) * DAY_S;
                if let Some(time) = self.next_time(from - midnight) {
                    return Some(midnight + time).filter(|found| *found < end);
                }
            }
            let next = if contains(self.months, u32::from(date.month().unsigned_abs())) {
                date.tomorrow().ok()?
            } else {
                date.last_of_month().tomorrow().ok()?
            };
            from = day_of(next) * DAY_S;
            date = next;
        }
        None
    }

    fn matches(&self, date: Date) -> bool {
        contains(self.months, u32::from(date.month().unsigned_abs()))
            && contains(self.days, u32::from(date.day().unsigned_abs()))
            && contains(self.weekdays, u32::from(date.weekday().to_sunday_zero_offset().unsigned_abs()))
    }

    /// The first matching second of a day that is not before `from`.
    fn next_time(&self, from: i64) -> Option<i64> {
        let (hour, minute, second) = (from / 3600, from / 60 % 60, from % 60);
        let (first_minute, first_second) = (first(self.minutes, 0)?, first(self.seconds, 0)?);
        if contains_at(self.hours, hour) {
            if contains_at(self.minutes, minute)
                && let Some(second) = first(self.seconds, second)
            {
                return Some(hour * 3600 + minute * 60 + second);
            }
            if let Some(minute) = first(self.minutes, minute + 1) {
                return Some(hour * 3600 + minute * 60 + first_second);
            }
        }
        let hour = first(self.hours, hour + 1)?;
        Some(hour * 3600 + first_minute * 60 + first_second)
    }
}

fn contains(set: u64, value: u32) -> bool {
    value < u64::BITS && set >> value & 1 == 1
}

fn contains_at(set: u64, value: i64) -> bool {
    u32::try_from(value).is_ok_and(|value| contains(set, value))
}

/// The smallest number in the set that is not less than `from`.
fn first(set: u64, from: i64) -> Option<i64> {
    let from = u32::try_from(from).ok()?;
    let rest = set.checked_shr(from)?;
    (rest != 0).then(|| i64::from(from) + i64::from(rest.trailing_zeros()))
}

const EPOCH: Date = Date::constant(1970, 1, 1);

/// None outside of the years -9999 to 9999.
fn date_of(day: i64) -> Option<Date> {
    EPOCH.checked_add(jiff::Span::new().try_days(day).ok()?).ok()
}

fn day_of(date: Date) -> i64 {
    // In days, the difference of two dates of the calendar is a few million.
    i64::from((date - EPOCH).get_days())
}
