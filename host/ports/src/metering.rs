//! What functions use, as the cloud would bill it.

use std::time::Duration;

/// What kind of thing was run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Work {
    /// An invocation of a function by its trigger, or by hand.
    Invocation,
    /// A turn of an orchestrator or a batch of an entity, from where the guest stood.
    Turn,
    /// A turn of an orchestrator that first ran through its history again, because no live guest was there.
    ReplayedTurn,
}

/// One run of a function's code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Execution<'a> {
    /// The function's name in the manifest.
    pub function: &'a str,
    /// What was run.
    pub work: Work,
    /// Whether it went well: neither a failure nor a fault.
    pub succeeded: bool,
    /// How long the guest ran; waiting of a suspended orchestrator does not count.
    pub duration: Duration,
    /// The most linear memory that the guest had, in bytes.
    pub memory_bytes: u64,
}

/// Counts what functions use. Called at the end of every run, on the hot path: cheap, and never waits.
pub trait Meter: Send + Sync {
    /// Counts one run.
    fn record(&self, execution: &Execution<'_>);
}
