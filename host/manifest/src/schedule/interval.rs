//! Intervals as timer triggers write them: a .NET `TimeSpan`, `[d.]hh:mm:ss`.

use super::{ScheduleError, TICKS_PER_SECOND};

/// A hundred years: whoever writes a longer one means something else.
const MAX_DAYS: i64 = 36_500;

/// The length in ticks, at least a second.
pub(super) fn parse(text: &str) -> Result<i64, ScheduleError> {
    let malformed = || {
        ScheduleError::new(
            format!("`{text}` is not an interval"),
            "write `hh:mm:ss`, or `d.hh:mm:ss` with days: `00:05:00` is five minutes, `1.00:00:00` a day",
        )
    };
    let parts: Vec<&str> = text.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else { return Err(malformed()) };
    let (days, hours, has_days) = match hours.split_once('.') {
        Some((days, hours)) => (number(days), number(hours), true),
        None => (Some(0), number(hours), false),
    };
    let (Some(days), Some(hours), Some(minutes), Some(seconds)) = (days, hours, number(minutes), number(seconds))
    else {
        return Err(malformed());
    };
    if hours > 23 && !has_days && minutes <= 59 && seconds <= 59 {
        return Err(hours_of_days(text, hours, &format!("{minutes:02}:{seconds:02}")));
    }
    if hours > 23 || minutes > 59 || seconds > 59 {
        let what = format!("`{text}` has a part that is too large");
        return Err(ScheduleError::new(
            what,
            "hours end at 23, minutes and seconds at 59; days come first: `1.00:00:00`",
        ));
    }
    if days > MAX_DAYS {
        let what = format!("`{text}` is longer than {MAX_DAYS} days");
        return Err(ScheduleError::new(what, "write a shorter interval"));
    }
    match ((days * 24 + hours) * 60 + minutes) * 60 + seconds {
        0 => Err(ScheduleError::new(format!("`{text}` is no time at all"), "write at least one second, `00:00:01`")),
        total => Ok(total * TICKS_PER_SECOND),
    }
}

/// .NET reads the parts of `24:00:00` as days, hours and minutes, since 24 is no hour; nobody who writes it knows.
fn hours_of_days(text: &str, hours: i64, rest: &str) -> ScheduleError {
    let what = format!("`{text}` is read as {hours} days in Azure Functions, not as {hours} hours");
    let (days, hours_of_day) = (hours / 24, hours % 24);
    let next_step =
        format!("for {hours} hours write `{days}.{hours_of_day:02}:{rest}`, for {hours} days `{hours}.00:00:00`");
    ScheduleError::new(what, next_step)
}

/// Digits only, and few enough for any sum of them to fit.
fn number(text: &str) -> Option<i64> {
    if text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}
