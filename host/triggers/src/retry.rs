//! How long to wait before the next try: of a function with a retry policy, of a look into an empty queue.

use manifest::{RetryDelay, RetryPolicy};
use ports::Randomness;
use std::time::Duration;

/// How long until the next try after `failures` failed ones (at least 1), by a policy. None: there is no next try.
pub fn delay_after(policy: &RetryPolicy, failures: u32, randomness: &dyn Randomness) -> Option<Duration> {
    if policy.max_retry_count.is_some_and(|retries| failures > retries) {
        return None;
    }
    Some(match policy.delay {
        RetryDelay::Fixed(delay) => delay,
        RetryDelay::Exponential { minimum, maximum } => {
            backoff(minimum, maximum, failures.saturating_sub(1), randomness)
        }
    })
}

/// Azure's randomised back-off: `minimum` for the first wait, and after that `minimum + random(0.8..1.2) * 2^(before - 1) *
/// minimum`, where `before` counts the waits before this one; never more than `maximum`.
pub fn backoff(minimum: Duration, maximum: Duration, before: u32, randomness: &dyn Randomness) -> Duration {
    if before == 0 {
        return minimum.min(maximum);
    }
    // 53 bits are what a double holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "the shift leaves 53 bits")]
    let unit = (randomness.next_u128() >> 75) as f64 / (1_u64 << 53) as f64;
    let growth = (0.8 + 0.4 * unit) * 2_f64.powi(i32::try_from(before - 1).unwrap_or(i32::MAX));
    let seconds = minimum.as_secs_f64() * (1.0 + growth);
    Duration::try_from_secs_f64(seconds).unwrap_or(maximum).min(maximum)
}
