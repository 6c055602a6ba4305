//! Activities behind the port: runs the functions of [`super::activities`] on the virtual clock and tells the oracles what they
//! returned. What they do is left to them.

use super::Outcome;
use super::activities::{self, OutsideSystems};
use crate::clock::VirtualClock;
use crate::oracles::{Invocation, Oracle, Watch};
use async_trait::async_trait;
use orchestration::{Failure, Json};
use ports::{Activities, ActivityInvocation, Clock, GuestFault};
use std::sync::{Arc, Mutex, PoisonError};

/// Runs the activities of all programs on the systems outside.
pub(crate) struct AuthorActivities {
    pub(crate) clock: VirtualClock,
    pub(crate) systems: Arc<Mutex<OutsideSystems>>,
    pub(crate) watch: Watch,
}

#[async_trait]
impl Activities for AuthorActivities {
    async fn run(&self, invocation: ActivityInvocation) -> Result<Result<Json, Failure>, GuestFault> {
        let task = invocation.task;
        self.watch.begins(&task);
        let Some(activity) = activities::find(&task.name) else {
            let known = activities::ALL.iter().map(|activity| activity.name.to_owned()).collect();
            return Err(GuestFault::NotFound { kind: "activity", name: task.name, known });
        };
        if !activity.takes.is_zero() {
            self.clock.sleep_until(self.clock.now().saturating_add(activity.takes)).await;
        }
        let outcome: Outcome = {
            let mut systems = self.systems.lock().unwrap_or_else(PoisonError::into_inner);
            let before = systems.total();
            let outcome = (activity.run)(&task, &mut systems);
            if systems.total() != before {
                self.watch.report(Oracle::Bank, format!("{task:?} changed all there is from {before} to {systems:?}"));
            }
            outcome
        };
        self.watch.invoked(Invocation { task, outcome: outcome.clone() });
        Ok(outcome)
    }
}
