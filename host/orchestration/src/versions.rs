//! Which versions of instances a worker runs: the gate before a turn.
//!
//! Versions are compared as Durable Functions does: none is below all others, two dotted numbers of two to four parts by their
//! parts, all others as text without case.

use crate::Failure;
use std::cmp::Ordering;

/// Which instances a worker takes, by their version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MatchStrategy {
    /// All.
    None,
    /// Those of its own version.
    Strict,
    /// Those of its own version and older ones.
    #[default]
    CurrentOrOlder,
}

/// What becomes of an instance that a worker does not take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FailureStrategy {
    /// It waits for a worker that does.
    #[default]
    Reject,
    /// It fails.
    Fail,
}

/// The gate of one worker.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VersionGate {
    /// The worker's version.
    pub worker: Option<String>,
    /// Which instances it takes.
    pub strategy: MatchStrategy,
}

impl VersionGate {
    /// Whether the worker takes an instance of this version.
    ///
    /// # Errors
    /// The failure to end the instance with, if that is the strategy: of the type `VersionMismatch`, not to be retried.
    pub fn check(&self, instance: Option<&str>) -> Result<(), Failure> {
        let (instance, worker) = (instance.unwrap_or_default(), self.worker.as_deref().unwrap_or_default());
        let order = compare(instance, worker);
        let mismatch = |why: &str, remedy: &str| {
            let message = format!(
                "the version '{instance}' of the orchestration {why} the worker version '{worker}'; {remedy}, or change \
                 host.durableTask.versionMatchStrategy"
            );
            Err(Failure::new(Failure::VERSION_MISMATCH, message).non_retriable())
        };
        match (self.strategy, order) {
            (MatchStrategy::Strict, Ordering::Less | Ordering::Greater) => {
                mismatch("does not match", "run it with a worker of its own version")
            }
            (MatchStrategy::CurrentOrOlder, Ordering::Greater) => {
                mismatch("is greater than", "run it with a worker of that version or a newer one")
            }
            (MatchStrategy::None, _)
            | (MatchStrategy::Strict, Ordering::Equal)
            | (MatchStrategy::CurrentOrOlder, Ordering::Less | Ordering::Equal) => Ok(()),
        }
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    match (numbers(a), numbers(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        // Nothing comes before all text.
        (Some(_), None) | (None, Some(_)) | (None, None) => a.to_uppercase().cmp(&b.to_uppercase()),
    }
}

/// A part that is left out is below 0, as in .NET: 1.0 comes before 1.0.0.
fn numbers(version: &str) -> Option<Vec<u32>> {
    let parts: Option<Vec<u32>> = version.split('.').map(number).collect();
    parts.filter(|parts| (2..=4).contains(&parts.len()))
}

/// Digits only: a sign would be read as a number otherwise.
fn number(part: &str) -> Option<u32> {
    part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten()
}
