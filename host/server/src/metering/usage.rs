//! What a function has used, and what the consumption plan of the cloud would make of it.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Memory is billed in steps of so many bytes.
const MEMORY_STEP_BYTES: u64 = 128 << 20;
/// The same in the megabytes of the bill.
const MEMORY_STEP_MB: u64 = 128;
/// More memory than that is never billed, because no instance of the plan has more.
const MAX_MEMORY_STEPS: u64 = 12;
/// A shorter execution is billed like one of this length.
const MIN_BILLED: Duration = Duration::from_millis(100);

/// Executions that the plan gives away each month.
pub(crate) const FREE_EXECUTIONS: u64 = 1_000_000;
/// Gigabyte-seconds that the plan gives away each month.
pub(crate) const FREE_GB_SECONDS: f64 = 400_000.0;

const MB_MS_PER_GB_SECOND: f64 = 1_024.0 * 1_000.0;

/// What one function has used since it was first counted. Written to disk: names stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Usage {
    /// Runs that went well, turns included.
    pub(crate) successes: u64,
    /// Runs that failed or were stopped.
    pub(crate) failures: u64,
    /// Runs that were turns of an orchestrator, or batches of an entity, from where the guest stood.
    pub(crate) turns: u64,
    /// Runs that were turns of an orchestrator which first ran through its history again.
    pub(crate) replayed_turns: u64,
    /// Time that guests ran, in microseconds.
    pub(crate) duration_us: u64,
    /// Memory by time as billed, in megabyte-milliseconds.
    pub(crate) mb_ms: u64,
}

/// What one function has used, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionUsage {
    /// Its app.
    pub(crate) app: String,
    /// Its name.
    pub(crate) function: String,
    /// What it has used.
    pub(crate) usage: Usage,
}

/// How much of the plan's monthly grant something takes, if it was used within one month.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Estimate {
    /// Executions as billed: replayed turns are executions there.
    pub(crate) executions: u64,
    /// Gigabyte-seconds as billed.
    pub(crate) gb_seconds: f64,
    /// Of the free executions, in percent.
    pub(crate) free_executions_percent: f64,
    /// Of the free gigabyte-seconds, in percent.
    pub(crate) free_gb_seconds_percent: f64,
    /// Executions beyond the grant.
    pub(crate) billable_executions: u64,
    /// Gigabyte-seconds beyond the grant.
    pub(crate) billable_gb_seconds: f64,
}

impl Usage {
    /// Runs, without the turns that were only replays.
    pub(crate) fn executions(&self) -> u64 {
        (self.successes + self.failures).saturating_sub(self.replayed_turns)
    }

    /// Gigabyte-seconds as billed.
    #[expect(clippy::cast_precision_loss, reason = "a bill of 2^53 megabyte-milliseconds may be off by one of them")]
    pub(crate) fn gb_seconds(&self) -> f64 {
        self.mb_ms as f64 / MB_MS_PER_GB_SECOND
    }

    /// Time that guests ran, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "285 years in microseconds are exact")]
    pub(crate) fn seconds(&self) -> f64 {
        self.duration_us as f64 / 1e6
    }

    /// Both together.
    pub(crate) fn plus(self, other: Usage) -> Usage {
        Usage {
            successes: self.successes + other.successes,
            failures: self.failures + other.failures,
            turns: self.turns + other.turns,
            replayed_turns: self.replayed_turns + other.replayed_turns,
            duration_us: self.duration_us + other.duration_us,
            mb_ms: self.mb_ms + other.mb_ms,
        }
    }

    /// What the plan would make of it.
    #[expect(clippy::cast_precision_loss, reason = "percentages for people")]
    pub(crate) fn estimate(&self) -> Estimate {
        let (executions, gb_seconds) = (self.successes + self.failures, self.gb_seconds());
        Estimate {
            executions,
            gb_seconds,
            free_executions_percent: executions as f64 / FREE_EXECUTIONS as f64 * 100.0,
            free_gb_seconds_percent: gb_seconds / FREE_GB_SECONDS * 100.0,
            billable_executions: executions.saturating_sub(FREE_EXECUTIONS),
            billable_gb_seconds: (gb_seconds - FREE_GB_SECONDS).max(0.0),
        }
    }
}

/// Memory by time of one execution as the consumption plan bills it: memory rounded up to 128 MB and at most 1,536 MB, time
/// rounded up to a millisecond and at least 100 ms.
pub(super) fn billed_mb_ms(duration: Duration, memory_bytes: u64) -> u64 {
    let steps = memory_bytes.div_ceil(MEMORY_STEP_BYTES).clamp(1, MAX_MEMORY_STEPS);
    let ms = u64::try_from(duration.max(MIN_BILLED).as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
    ms.saturating_mul(steps * MEMORY_STEP_MB)
}
