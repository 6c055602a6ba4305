//! Retry policies of functions: what happens after a failed invocation. Who counts the tries, and how a delay is drawn from a
//! policy, is up to the triggers.

use std::time::Duration;

/// The word of [`RetryDelay::Fixed`] in manifests.
pub(crate) const FIXED_DELAY: &str = "fixedDelay";
/// The word of [`RetryDelay::Exponential`] in manifests.
pub(crate) const EXPONENTIAL_BACKOFF: &str = "exponentialBackoff";

/// What happens after a failed invocation; `retry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// `maxRetryCount`: tries after the first one; absent (`-1` in Azure): any number.
    pub max_retry_count: Option<u32>,
    /// How long until the next try.
    pub delay: RetryDelay,
}

/// How long until the next try; `strategy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryDelay {
    /// `fixedDelay`: always `delayInterval`.
    Fixed(Duration),
    /// `exponentialBackoff`: twice as long each time, give or take a fifth.
    Exponential {
        /// `minimumInterval`: the shortest.
        minimum: Duration,
        /// `maximumInterval`: the longest.
        maximum: Duration,
    },
}

impl RetryDelay {
    /// The name in manifests.
    pub fn as_str(&self) -> &'static str {
        match self {
            RetryDelay::Fixed(_) => FIXED_DELAY,
            RetryDelay::Exponential { .. } => EXPONENTIAL_BACKOFF,
        }
    }
}
