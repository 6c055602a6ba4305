//! Activities: a fault in one is a failure of the call, which the orchestrator can catch like any other.

use crate::misbehaviour::{How, misbehave};

/// Misbehaves as told.
#[dacapo::activity(name = "Misbehave")]
pub(crate) fn misbehaving(how: How) -> String {
    misbehave(how)
}

/// Returns a text of so many bytes.
#[dacapo::activity]
pub(crate) fn produce(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Returns what it is given.
#[dacapo::activity]
pub(crate) fn echo(number: u32) -> u32 {
    number
}
