//! Time and chance, the two things that pure code may not have of itself.

use futures::future::BoxFuture;
use orchestration::Timestamp;

/// The wall clock.
///
/// Guarantees that a sleep never ends before its moment, as told by `now`. Does not promise that `now` never goes back: a
/// person may set the clock.
pub trait Clock: Send + Sync {
    /// The current moment.
    fn now(&self) -> Timestamp;

    /// Completes at `moment` or later; at once if it has passed. Never for [`Timestamp::MAX`].
    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()>;
}

/// A source of numbers that nobody can guess: new ids are made of them.
pub trait Randomness: Send + Sync {
    /// 128 random bits.
    fn next_u128(&self) -> u128;
}
