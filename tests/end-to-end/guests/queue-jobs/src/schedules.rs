//! What a timer tells about its runs.

use dacapo::TimerInfo;
use serde::Serialize;

/// A row for each occurrence, inserted: a second run of one is refused.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tick {
    partition_key: &'static str,
    row_key: String,
    is_past_due: bool,
    /// The occurrence before, or an empty text.
    last: String,
    next: String,
}

/// Returns a row with what it was told.
#[dacapo::timer]
fn tick(timer: TimerInfo) -> Tick {
    let text = |moment: Option<dacapo::Timestamp>| moment.map_or(String::new(), |moment| moment.to_string());
    Tick {
        partition_key: "ticks",
        row_key: timer.scheduled.to_string(),
        is_past_due: timer.is_past_due,
        last: text(timer.last),
        next: text(timer.next),
    }
}
