//! The wall clock and the source of chance of this process; the only module that asks the machine for either.

use futures::future::BoxFuture;
use orchestration::Timestamp;
use std::time::{Duration, Instant, SystemTime};

/// Nobody sleeps longer without looking at the clock again: a person may set it, and a suspended laptop stops counting.
const LONGEST_NAP: Duration = Duration::from_secs(10);

/// The resolution of the runtime's timers: less than this would only be looked at again and again.
const SHORTEST_NAP: Duration = Duration::from_millis(1);

/// The machine's clock with the runtime's timers.
pub(crate) struct SystemClock;

impl ports::Clock for SystemClock {
    fn now(&self) -> Timestamp {
        now()
    }

    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
        if moment == Timestamp::MAX {
            return Box::pin(std::future::pending());
        }
        Box::pin(async move {
            loop {
                let left = moment.saturating_since(now());
                if left.is_zero() {
                    return;
                }
                nap(left.clamp(SHORTEST_NAP, LONGEST_NAP)).await;
            }
        })
    }
}

/// Completes after a time that no setting of the clock changes.
pub(crate) async fn after(time: Duration) {
    nap(time).await;
}

/// The operating system's random numbers.
pub(crate) struct SystemRandomness;

impl ports::Randomness for SystemRandomness {
    fn next_u128(&self) -> u128 {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .expect("every platform that runs this has a source of randomness that does not fail");
        u128::from_le_bytes(bytes)
    }
}

/// Measures how long something took, for people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this module is the monotonic clock")]
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[expect(clippy::disallowed_methods, reason = "this module is the wall clock")]
fn now() -> Timestamp {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => Timestamp::default().saturating_add(since),
        // A clock before 1970 is a clock that nobody has set yet.
        Err(_) => Timestamp::default(),
    }
}

#[expect(clippy::disallowed_methods, reason = "this module is where sleeping ends up")]
async fn nap(time: Duration) {
    tokio::time::sleep(time).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ports::{Clock, Randomness};

    #[tokio::test]
    async fn a_sleep_ends_at_its_moment_or_later_and_a_past_moment_at_once() {
        let clock = SystemClock;
        let moment = clock.now().saturating_add(Duration::from_millis(3));
        clock.sleep_until(moment).await;
        assert!(clock.now() >= moment);
        clock.sleep_until(Timestamp::default()).await;
    }

    #[test]
    fn random_numbers_differ() {
        assert_ne!(SystemRandomness.next_u128(), SystemRandomness.next_u128());
    }
}
