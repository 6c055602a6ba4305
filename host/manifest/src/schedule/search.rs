//! The next occurrence of an expression in a time zone.
//!
//! A zone is a row of segments of time, each with one offset from UTC. Within a segment local time runs like time itself, so the search
//! is one on the calendar; only at its beginning is there anything to decide: an hour that was left out, or one that comes again.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::expression::Expression;

/// How far the search goes, in seconds: a hundred years. The rarest date, 29 February on a given weekday, comes at least once in forty.
const HORIZON_S: i64 = 100 * 366 * 86_400;

/// This far from both ends of time, every local time is still within what the calendar can tell.
const MARGIN_S: i64 = 2 * 86_400;

/// A stretch of time with one offset. All in seconds; `start` and `end` since the epoch.
struct Segment {
    start: i64,
    /// The first second that is no longer in it.
    end: i64,
    offset: i64,
    /// The offset before `start`; the same where nothing changed.
    offset_before: i64,
}

/// The first matching second after `after`, both counted from the epoch.
pub(super) fn next_second(expression: &Expression, zone: &TimeZone, after: i64) -> Option<i64> {
    let mut after = after.max(Timestamp::MIN.as_second() + MARGIN_S);
    let horizon = after.saturating_add(HORIZON_S);
    loop {
        let segment = Segment::at(zone, after.checked_add(1)?)?;
        let end = segment.end.min(horizon);
        let regular = regular_match(expression, &segment, after, end);
        let shifted = left_out_match(expression, &segment, after);
        let first = [regular, shifted].into_iter().flatten().min();
        if first.is_some() || segment.end >= horizon {
            return first;
        }
        after = segment.end - 1;
    }
}

impl Segment {
    /// The one with this second in it.
    fn at(zone: &TimeZone, second: i64) -> Option<Segment> {
        let last = Timestamp::MAX.as_second() - MARGIN_S;
        if second >= last {
            return None;
        }
        let moment = Timestamp::from_second(second).ok()?;
        let next = Timestamp::from_second(second + 1).ok()?;
        let offset = i64::from(zone.to_offset(moment).seconds());
        let end = zone.following(moment).next().map_or(last, |change| change.timestamp().as_second().min(last));
        let start = zone.preceding(next).next().map(|change| change.timestamp().as_second());
        let before = start.and_then(|start| Timestamp::from_second(start - 1).ok());
        let offset_before = before.map_or(offset, |before| i64::from(zone.to_offset(before).seconds()));
        Some(Segment { start: start.unwrap_or(i64::MIN / 2), end, offset, offset_before })
    }
}

/// What matches on the segment's own clock.
fn regular_match(expression: &Expression, segment: &Segment, after: i64, end: i64) -> Option<i64> {
    let mut after = after + segment.offset;
    if !expression.is_interval_like() {
        // These local times were there already, just before the clocks were put back.
        after = after.max(segment.start + segment.offset_before.max(segment.offset) - 1);
    }
    expression.next_local(after, end + segment.offset).map(|local| local - segment.offset)
}

/// What would have matched between the old time and the new when the clocks were put forward: it comes later by the hour left out.
fn left_out_match(expression: &Expression, segment: &Segment, after: i64) -> Option<i64> {
    if segment.offset <= segment.offset_before {
        return None;
    }
    let after = after.max(segment.start - 1) + segment.offset_before;
    expression.next_local(after, segment.start + segment.offset).map(|local| local - segment.offset_before)
}
