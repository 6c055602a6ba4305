//! Retry policies: when a failed activity or child is tried again, and after how long.

use crate::{Failure, Timestamp};
use std::time::Duration;

/// When to try again. The formula is that of Durable Functions: attempt `i`, counted from 0 for the first failure, waits
/// `min(first_interval * backoff_coefficient^i, max_interval)`.
#[derive(Clone, PartialEq, Debug)]
pub struct RetryPolicy {
    /// Tries in total, the first one included; at least 1.
    pub max_attempts: u32,
    /// The first pause; more than zero.
    pub first_interval: Duration,
    /// What each further pause is multiplied by; at least 1.
    pub backoff_coefficient: f64,
    /// The longest pause; at least the first one.
    pub max_interval: Duration,
    /// No try begins later than this after the first one; at least the first pause. None: no such bound.
    pub retry_timeout: Option<Duration>,
    /// Error types that are tried again; empty means all. A trailing `*` matches any ending.
    pub retry_on: Vec<String>,
    /// Error types that are never tried again; wins over `retry_on`.
    pub stop_on: Vec<String>,
}

/// What to do about a failure.
#[derive(Clone, PartialEq, Debug)]
pub enum RetryDecision {
    /// Try again after this long.
    After(Duration),
    /// Let the failure stand.
    GiveUp(GiveUp),
}

/// Why a failure is let stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GiveUp {
    /// The failure says that trying again cannot help.
    NonRetriable,
    /// All attempts are used up.
    Attempts,
    /// The policy does not handle this error type.
    NotHandled,
    /// The policy's time is over.
    Timeout,
}

/// Why a policy cannot be followed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum InvalidRetryPolicy {
    /// Fewer than one try.
    #[error("max-attempts is 0; it counts the first try too, so give at least 1")]
    Attempts,
    /// No first pause.
    #[error("first-interval is zero; give a duration above zero")]
    FirstInterval,
    /// The pauses would shrink.
    #[error("backoff-coefficient is {0}; give a number of at least 1")]
    Backoff(f64),
    /// The longest pause is shorter than the first.
    #[error("max-interval is {max:?}, shorter than first-interval {first:?}; give at least that")]
    MaxInterval {
        /// The longest pause.
        max: Duration,
        /// The first pause.
        first: Duration,
    },
    /// The time is over before the first pause is.
    #[error("retry-timeout is {timeout:?}, shorter than first-interval {first:?}; give at least that, or none")]
    Timeout {
        /// The bound.
        timeout: Duration,
        /// The first pause.
        first: Duration,
    },
}

impl RetryPolicy {
    /// The longest pause where a policy names none, as in the isolated .NET worker.
    pub const DEFAULT_MAX_INTERVAL: Duration = Duration::from_secs(3600);

    /// A policy with a constant pause and no other bound.
    pub fn new(max_attempts: u32, first_interval: Duration) -> RetryPolicy {
        RetryPolicy {
            max_attempts,
            first_interval,
            backoff_coefficient: 1.0,
            max_interval: Self::DEFAULT_MAX_INTERVAL.max(first_interval),
            retry_timeout: None,
            retry_on: Vec::new(),
            stop_on: Vec::new(),
        }
    }

    /// Checks the ranges of all fields.
    ///
    /// # Errors
    /// Names the first field that is out of range.
    pub fn validate(&self) -> Result<(), InvalidRetryPolicy> {
        let first = self.first_interval;
        if self.max_attempts == 0 {
            return Err(InvalidRetryPolicy::Attempts);
        }
        if first.is_zero() {
            return Err(InvalidRetryPolicy::FirstInterval);
        }
        if !(self.backoff_coefficient >= 1.0 && self.backoff_coefficient.is_finite()) {
            return Err(InvalidRetryPolicy::Backoff(self.backoff_coefficient));
        }
        if self.max_interval < first {
            return Err(InvalidRetryPolicy::MaxInterval { max: self.max_interval, first });
        }
        match self.retry_timeout {
            Some(timeout) if timeout < first => Err(InvalidRetryPolicy::Timeout { timeout, first }),
            Some(_) | None => Ok(()),
        }
    }

    /// Decides about the failure of attempt `attempt`, counted from 0. The first attempt was asked for at `first_at`; both
    /// moments are of the orchestrator's own clock.
    pub fn decide(&self, failure: &Failure, attempt: u32, first_at: Timestamp, now: Timestamp) -> RetryDecision {
        if failure.non_retriable {
            return RetryDecision::GiveUp(GiveUp::NonRetriable);
        }
        if attempt.saturating_add(1) >= self.max_attempts {
            return RetryDecision::GiveUp(GiveUp::Attempts);
        }
        if !self.handles(&failure.error_type) {
            return RetryDecision::GiveUp(GiveUp::NotHandled);
        }
        if self.retry_timeout.is_some_and(|timeout| now >= first_at.saturating_add(timeout)) {
            return RetryDecision::GiveUp(GiveUp::Timeout);
        }
        RetryDecision::After(self.delay(attempt))
    }

    fn handles(&self, error_type: &str) -> bool {
        let named = |patterns: &[String]| patterns.iter().any(|pattern| matches_pattern(pattern, error_type));
        !named(&self.stop_on) && (self.retry_on.is_empty() || named(&self.retry_on))
    }

    fn delay(&self, attempt: u32) -> Duration {
        let exponent = i32::try_from(attempt).unwrap_or(i32::MAX);
        let seconds = self.first_interval.as_secs_f64() * self.backoff_coefficient.powi(exponent);
        match Duration::try_from_secs_f64(seconds) {
            Ok(delay) => delay.min(self.max_interval),
            // Larger than any duration, so larger than the longest pause.
            Err(_) => self.max_interval,
        }
    }
}

fn matches_pattern(pattern: &str, error_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => error_type.starts_with(prefix),
        None => error_type == pattern,
    }
}
