//! Moments as text, as tables write them, and the ETags that are made of them.

use crate::value::Ticks;
use jiff::SignedDuration;
use jiff::civil;
use jiff::fmt::temporal::Pieces;

const TICKS_PER_SECOND: i64 = 10_000_000;

const EPOCH: civil::DateTime = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// 0001-01-01T00:00:00Z, the earliest moment that has a text.
const EARLIEST: Ticks = -621_355_968_000_000_000;
/// 9999-12-31T23:59:59.9999999Z, the latest moment that has a text.
const LATEST: Ticks = 2_534_023_007_999_999_999;

/// A moment as text, always with seven digits after the second: `2026-11-22T13:32:34.1234567Z`.
///
/// Years before 1 and after 9999 have no text; their moments are written as the nearest one that has.
pub fn date_text(moment: Ticks) -> String {
    let moment = moment.clamp(EARLIEST, LATEST);
    let (second, fraction) = (moment.div_euclid(TICKS_PER_SECOND), moment.rem_euclid(TICKS_PER_SECOND));
    let date = EPOCH.checked_add(SignedDuration::from_secs(second)).expect("was clamped to years that jiff knows");
    let (year, month, day) = (date.year(), date.month(), date.day());
    let (hour, minute, second) = (date.hour(), date.minute(), date.second());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:07}Z")
}

/// The moment that a text names: RFC 3339; in UTC if it has no offset; digits after the seventh are cut off. None if the text
/// is no date of the years 1 to 9999.
pub fn parse_date(text: &str) -> Option<Ticks> {
    // By hand from the pieces, as jiff's own timestamps end a day before the year 9999 does.
    let pieces = Pieces::parse(text).ok()?;
    let date = civil::DateTime::from_parts(pieces.date(), pieces.time().unwrap_or(civil::Time::midnight()));
    let offset_seconds = pieces.to_numeric_offset().map_or(0, |offset| i128::from(offset.seconds()));
    let nanoseconds = date.duration_since(EPOCH).as_nanos() - offset_seconds * 1_000_000_000;
    let ticks = i64::try_from(nanoseconds.div_euclid(100)).ok()?;
    (EARLIEST..=LATEST).contains(&ticks).then_some(ticks)
}

/// The ETag of an entity that was last written at that moment: `W/"datetime'2026-11-22T13%3A32%3A34.1234567Z'"`.
pub fn etag(written: Ticks) -> String {
    format!("W/\"datetime'{}'\"", date_text(written).replace(':', "%3A"))
}

/// When the entity with that ETag was last written. None if no entity can have that ETag.
pub fn parse_etag(etag: &str) -> Option<Ticks> {
    let inner = etag.strip_prefix("W/").unwrap_or(etag).strip_prefix('"')?.strip_suffix('"')?;
    let date = inner.strip_prefix("datetime'")?.strip_suffix('\'')?;
    parse_date(&date.replace("%3A", ":").replace("%3a", ":"))
}
