//! Occurrences of schedules, as functions with timer triggers see them.

use crate::Timestamp;

/// One occurrence and what the host knows about it; the parameter of a function under
/// [`#[dacapo::timer]`](macro@crate::timer), by value or by reference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimerInfo {
    /// When it was to run.
    pub scheduled: Timestamp,
    /// It runs later than that, because the host was not running then.
    pub is_past_due: bool,
    /// Whether the schedule follows the changes between summer and winter time.
    pub adjusts_for_dst: bool,
    /// The occurrence before; none: it never ran, or nobody remembers.
    pub last: Option<Timestamp>,
    /// The occurrence after this one.
    pub next: Option<Timestamp>,
    /// When the schedule's state was last written.
    pub last_updated: Option<Timestamp>,
    /// The id of this invocation, as in the host's log.
    pub invocation_id: String,
    /// Which try of the function's retry policy this is; 0 is the first.
    pub retry_count: u32,
    /// How many there may be; none: no policy, or any number.
    pub max_retry_count: Option<u32>,
}

impl TimerInfo {
    /// An occurrence that runs on time, and nothing else known: for tests.
    pub fn new(scheduled: Timestamp) -> TimerInfo {
        TimerInfo {
            scheduled,
            is_past_due: false,
            adjusts_for_dst: false,
            last: None,
            next: None,
            last_updated: None,
            invocation_id: String::new(),
            retry_count: 0,
            max_retry_count: None,
        }
    }
}
