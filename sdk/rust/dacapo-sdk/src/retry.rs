//! When to try a failed call again. The policy is data: the host evaluates it, and the orchestrator is not woken for a
//! retry. (The testing harness evaluates it by the same rules.)

use std::time::Duration;

/// When to try again: after the failure of attempt number i (from 0) the next one waits
/// `min(first_interval * backoff ^ i, max_interval)`.
///
/// ```
/// use std::time::Duration;
/// use dacapo::RetryPolicy;
///
/// // 5 s, 10 s, 20 s, 30 s; never for a booking that cannot succeed.
/// let patient = RetryPolicy::new(5, Duration::from_secs(5))
///     .backoff(2.0)
///     .max_interval(Duration::from_secs(30))
///     .stop_on(["SoldOut"]);
/// # assert_eq!(patient.delay_after(3), Duration::from_secs(30));
/// ```
///
/// A failure that says it is non-retriable ends every policy.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) first_interval: Duration,
    pub(crate) backoff: f64,
    pub(crate) max_interval: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry_on: Vec<String>,
    pub(crate) stop_on: Vec<String>,
}

impl RetryPolicy {
    /// At most `max_attempts` tries, the first one included, with the same pause between them.
    ///
    /// # Panics
    /// When `max_attempts` is 0 or the interval is shorter than a millisecond, the resolution of the contract.
    #[track_caller]
    pub fn new(max_attempts: u32, first_interval: Duration) -> RetryPolicy {
        assert!(max_attempts > 0, "a retry policy needs at least one attempt: the first try is one");
        assert!(first_interval.as_millis() > 0, "a retry policy needs a first interval of at least a millisecond");
        RetryPolicy {
            max_attempts,
            first_interval,
            backoff: 1.0,
            max_interval: None,
            timeout: None,
            retry_on: Vec::new(),
            stop_on: Vec::new(),
        }
    }

    /// Multiplies the pause by this after each failure.
    ///
    /// # Panics
    /// When it is less than 1 or not a number.
    #[must_use]
    #[track_caller]
    pub fn backoff(mut self, coefficient: f64) -> RetryPolicy {
        assert!(
            coefficient >= 1.0 && coefficient.is_finite(),
            "a back-off coefficient is at least 1, not {coefficient}"
        );
        self.backoff = coefficient;
        self
    }

    /// The longest pause between two tries.
    #[must_use]
    pub fn max_interval(mut self, interval: Duration) -> RetryPolicy {
        self.max_interval = Some(interval);
        self
    }

    /// Starts no further try once this long has passed since the first.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> RetryPolicy {
        self.timeout = Some(timeout);
        self
    }

    /// Retries these error types only. A trailing `*` matches any ending.
    #[must_use]
    pub fn retry_on<S: Into<String>>(mut self, error_types: impl IntoIterator<Item = S>) -> RetryPolicy {
        self.retry_on.extend(error_types.into_iter().map(Into::into));
        self
    }

    /// Never retries these error types, whatever [`retry_on`](RetryPolicy::retry_on) says. A trailing `*` matches any
    /// ending.
    #[must_use]
    pub fn stop_on<S: Into<String>>(mut self, error_types: impl IntoIterator<Item = S>) -> RetryPolicy {
        self.stop_on.extend(error_types.into_iter().map(Into::into));
        self
    }

    /// The pause after the failure of attempt number `attempt`, counted from 0.
    pub fn delay_after(&self, attempt: u32) -> Duration {
        let longest = self.max_interval.unwrap_or(Duration::MAX);
        let exponent = i32::try_from(attempt).unwrap_or(i32::MAX);
        let seconds = self.first_interval.as_secs_f64() * self.backoff.powi(exponent);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).min(longest)
    }

    /// Whether failures of this type are tried again.
    pub fn retries(&self, error_type: &str) -> bool {
        let matches = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => error_type.starts_with(beginning),
            None => pattern == error_type,
        };
        !self.stop_on.iter().any(matches) && (self.retry_on.is_empty() || self.retry_on.iter().any(matches))
    }
}
