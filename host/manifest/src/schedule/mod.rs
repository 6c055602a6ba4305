//! Schedules of timer triggers: NCRONTAB expressions and intervals, in a time zone.

use storage_model::Ticks;

/// When something runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    text: String,
}

impl Schedule {
    /// The text as it was written, with settings filled in.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first occurrence strictly after a moment; none: there is none before the end of time.
    pub fn next_after(&self, _moment: Ticks) -> Option<Ticks> {
        None
    }
}
