//! The table: one row per figure, each beside the disk's sync latency.

use std::fmt;
use std::time::Duration;

/// All figures so far. Each is shown on standard output as it comes in.
pub(crate) struct Report {
    sync: Duration,
    rows: Vec<Row>,
}

struct Row {
    what: String,
    figures: String,
}

impl Report {
    pub(crate) fn new(sync: Duration) -> Report {
        let mut report = Report { sync, rows: Vec::new() };
        report.add("disk: append 4 KiB + fdatasync, p50", ms(sync));
        report
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, what: impl Into<String>, figures: impl Into<String>) {
        let row = Row { what: what.into(), figures: figures.into() };
        println!("{:<52} {}", row.what, row.figures);
        self.rows.push(row);
    }

    /// A duration as a number of syncs of this disk.
    pub(crate) fn in_syncs(&self, duration: Duration) -> String {
        format!("{:.1} syncs", duration.as_secs_f64() / self.sync.as_secs_f64())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| measured | figures |")?;
        writeln!(f, "|---|---|")?;
        for row in &self.rows {
            writeln!(f, "| {} | {} |", row.what, row.figures)?;
        }
        Ok(())
    }
}

/// Milliseconds with three digits.
pub(crate) fn ms(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1000.0)
}

/// The value below which `share` of the sorted durations lie.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let place = ((sorted.len() as f64 - 1.0) * share).round() as usize;
    sorted.get(place).copied().unwrap_or_default()
}
