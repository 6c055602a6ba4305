//! The durable model piece by piece: each feature once, in a file of its own. `README.md` has the curl lines.
//!
//! | feature | module | functions |
//! |---|---|---|
//! | an orchestrator, and nothing else | [`echo`] | `Echo` |
//! | entities: called, signalled, signalled later | [`counter`] | `Counter`, `UseCounter`, `CountLater` |
//! | critical sections | [`account`] | `Account`, `Transfer` |
//! | an entity that starts an orchestration | [`sensor`] | `Sensor`, `RaiseAlarm` |
//! | external events, with a timeout and a default | [`approval`] | `WaitForApproval`, `WaitForApprovalUntil` |
//! | timers that are taken back | [`cancelled_timer`] | `CancelledTimer` |
//! | failures that a rewind mends | [`rewind`] | `FailOnce`, `FailOnceInChild`, `FlakyStep` |
//! | activity timeouts, heartbeats, aborts | [`slow_step`] | `RunSlowStep`, `AbortSlowStep`, `SlowStep` |
//! | durable HTTP | [`service`] | `CallService`, `Job` |
//! | fire and forget, events between orchestrations | [`report`] | `OrderReport`, `WriteReport` |
//! | continue-as-new with carried-over events | [`collector`] | `Collect` |
//! | versions and tags | [`about`] | `AboutMe`, `Upgrade` |
//! | starts with options | [`starting`] | `Start`, `FindByTag` |

mod about;
mod account;
mod approval;
mod cancelled_timer;
mod collector;
mod counter;
mod echo;
mod report;
mod rewind;
mod sensor;
mod service;
mod slow_step;
mod starting;
#[cfg(test)]
mod tests;
