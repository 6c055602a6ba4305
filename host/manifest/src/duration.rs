//! Lengths of time as manifests write them: `"30s"`, `"1h30m"`, `"30d"`, or `hh:mm:ss` as in host.json.

use std::time::Duration;

/// Shown wherever a length of time could not be read.
pub(crate) const FORMS: &str = "write it like \"30s\", \"5m\", \"1h30m\", \"30d\", \"500ms\" or \"00:00:30\"";

/// Units from the longest to the shortest; `ms` stands before `m` and `s` so that the longest spelling wins.
const UNITS_MS: [(&str, u64); 5] = [("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

/// Reads either form; `None` when the text is neither or too long for 64 bits of milliseconds.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let milliseconds = if text.contains(':') { clock_form(text)? } else { unit_form(text)? };
    Some(Duration::from_millis(milliseconds))
}

/// `[d.]hh:mm:ss[.fff]`, a .NET `TimeSpan`; milliseconds are the finest part that is kept.
fn clock_form(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (days, hours) = match hours.split_once('.') {
        Some((days, hours)) => (number(days)?, number(hours)?),
        None => (0, number(hours)?),
    };
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let (minutes, seconds) = (number(minutes)?, number(seconds)?);
    if hours > 23 || minutes > 59 || seconds > 59 || fraction.len() > 7 {
        return None;
    }
    number(fraction)?;
    let milliseconds = number(&format!("{fraction:0<3}")[..3])?;
    let minutes = days.checked_mul(24)?.checked_add(hours)?.checked_mul(60)?.checked_add(minutes)?;
    minutes.checked_mul(60)?.checked_add(seconds)?.checked_mul(1_000)?.checked_add(milliseconds)
}

/// One or more whole numbers with a unit each.
fn unit_form(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let amount = number(&rest[..digits])?;
        let (unit, factor) = UNITS_MS.iter().find(|(unit, _)| rest[digits..].starts_with(unit))?;
        total = total.checked_add(amount.checked_mul(*factor)?)?;
        rest = &rest[digits + unit.len()..];
    }
    (!text.is_empty()).then_some(total)
}

/// Digits only: `parse` alone would also take a plus sign.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// The shortest of our forms, for messages.
pub(crate) fn print(duration: Duration) -> String {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let by_length = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    match by_length.iter().find(|(_, factor)| milliseconds >= *factor && milliseconds.is_multiple_of(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", milliseconds / factor),
        None => format!("{milliseconds}ms"),
    }
}
