//! Times as people read them, and where they stand on an axis.

use orchestration::Timestamp;

use super::super::paint::Paint;

/// In ticks of 100 nanoseconds.
const SECOND: i64 = 10_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The narrowest that marks of an axis are apart, in columns: room for most labels.
const COLUMNS_PER_MARK: usize = 12;

/// A time in the unit that suits it, to three digits: `13.8 ms`, `2.41 s`, `2 min 5 s`, `3 d 4 h`.
pub(super) fn in_words(ticks: i64) -> String {
    let ticks = ticks.max(0);
    let two = |large: i64, name: &str, small: i64, small_name: &str| {
        let (whole, rest) = (ticks / large, ticks % large / small);
        if rest == 0 { format!("{whole} {name}") } else { format!("{whole} {name} {rest} {small_name}") }
    };
    match ticks {
        0 => "0".to_owned(),
        1..10_000 => fraction(ticks, 10, "µs"),
        10_000..SECOND => fraction(ticks, 10_000, "ms"),
        SECOND..MINUTE => fraction(ticks, SECOND, "s"),
        MINUTE..HOUR => two(MINUTE, "min", SECOND, "s"),
        HOUR..DAY => two(HOUR, "h", MINUTE, "min"),
        _ => two(DAY, "d", HOUR, "h"),
    }
}

/// Three digits of it, cut off, so that 59.99 s are not 60; without zeros at the end.
fn fraction(ticks: i64, unit: i64, name: &str) -> String {
    let (whole, rest) = (ticks / unit, ticks % unit);
    let digits = match whole {
        100.. => 0,
        10.. => 1,
        _ => 2,
    };
    let power = 10_i64.pow(digits);
    let hundredths = rest * power / unit;
    let text = format!("{whole}.{hundredths:0width$}", width = digits as usize);
    let text = if digits == 0 { whole.to_string() } else { text };
    let text = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {name}")
}

/// A stretch of time over some columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    start: Timestamp,
    span: i64,
    columns: usize,
}

impl Axis {
    pub(super) fn new(start: Timestamp, end: Timestamp, columns: usize) -> Axis {
        // What takes no time at all still has a beginning and an end.
        let span = end.ticks().saturating_sub(start.ticks()).max(1);
        Axis { start, span, columns: columns.max(1) }
    }

    /// The column of a moment; what is beyond an end stands there.
    pub(super) fn column(self, moment: Timestamp) -> usize {
        let since = moment.ticks().saturating_sub(self.start.ticks()).clamp(0, self.span);
        let column = i128::from(since) * self.columns as i128 / i128::from(self.span);
        usize::try_from(column).unwrap_or_default().min(self.columns - 1)
    }

    /// The line above the bars: times since the start at round distances.
    pub(super) fn marks(self) -> (String, Paint) {
        let step = round_step(self.span / (self.columns / COLUMNS_PER_MARK).max(1) as i64);
        let mut cells = vec![' '; self.columns];
        let mut free = 0;
        let mut next = Some(0_i64);
        while let Some(since) = next.filter(|since| *since <= self.span) {
            let column = self.column(Timestamp::from_ticks(self.start.ticks().saturating_add(since)));
            let label: Vec<char> = in_words(since).chars().collect();
            if column >= free && column + label.len() <= self.columns {
                cells[column..column + label.len()].copy_from_slice(&label);
                free = column + label.len() + 1;
            }
            next = since.checked_add(step);
        }
        (cells.into_iter().collect(), Paint::Aside)
    }
}

/// The next larger time that is easily counted in.
fn round_step(ticks: i64) -> i64 {
    const LONG: [i64; 12] = [
        15 * SECOND,
        30 * SECOND,
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
    ];
    if ticks <= 10 * SECOND {
        return one_two_five(1, ticks);
    }
    LONG.into_iter().find(|step| *step >= ticks).unwrap_or_else(|| one_two_five(DAY, ticks))
}

/// The smallest of 1, 2, 5, 10, 20 ... times the unit that is enough.
fn one_two_five(unit: i64, ticks: i64) -> i64 {
    let mut power = unit;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if step >= ticks || step == i64::MAX {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}
