//! Oracles: what must hold, whatever happened. Each is written without the code that it judges.
//!
//! [`Tap`] sits right above the store, below the faults, and shows every effect to the [`Watch`], which judges commits as they
//! come. What can only be judged once everything has come to rest is in [`finally`].

mod commits;
mod entities;
mod errands;
pub(crate) mod finally;
mod fold;
mod letters;
mod occurrences;
mod replay;
mod rewinds;
mod settled;
mod tap;
mod users_tap;
mod watch;

pub(crate) use entities::Ran;
pub(crate) use errands::is_listened_to;
pub(crate) use tap::Tap;
pub(crate) use users_tap::{UsersTap, WatchedTriggered};
pub(crate) use watch::{Invocation, Watch};

use std::fmt;

/// Which rule was broken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Oracle {
    /// A history is legal: numbered without gaps, each answer answers one open request, nothing follows the end.
    History,
    /// A history only grows, by the turn that was committed.
    Append,
    /// The row is the fold of the history.
    Row,
    /// Replaying the author's code gives what the history records.
    Replay,
    /// An instance ends as the model does.
    Model,
    /// Every activity that was asked for ran, and what is recorded is what it returned.
    Effects,
    /// An accepted event is seen or still there.
    Events,
    /// Nothing fires before its time.
    Timers,
    /// Work has one holder, and under an old lease nothing is accepted.
    Fence,
    /// What was consumed is not handed out again.
    Consumed,
    /// A list has each instance once, in order.
    Listing,
    /// What is handed out was sent, each message once and none before its time.
    Messages,
    /// What an entity is and answers follows from the operations that it ran, each of them once, in each sender's order.
    Entities,
    /// An entity has one owner at a time, nobody else's operations run meanwhile, and no lock outlives its owner.
    Locks,
    /// What is held does nothing.
    Suspension,
    /// A rewind keeps everything but failures, and asks for everything that is open.
    Rewind,
    /// A key starts one instance.
    Starts,
    /// An instance runs the code that it was started with.
    Pinning,
    /// A version that makes room for the next one finishes what it has begun, and then all of it ends.
    Handover,
    /// What has ended is kept for as long as it should be.
    Retention,
    /// A message is in one place, and goes with its effects, once and all of them, or as it was into the poison queue.
    Errands,
    /// An occurrence of a schedule runs once, and missed ones as they should.
    Schedules,
    /// No more runs of a function go on at a time than may.
    Concurrency,
    /// Money is neither made nor lost.
    Bank,
    /// Once the faults are over everything ends, in bounded time.
    Liveness,
    /// When everything has ended, nothing is left to do.
    Leftovers,
}

/// A broken rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Violation {
    pub(crate) oracle: Oracle,
    pub(crate) detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.oracle, self.detail)
    }
}
