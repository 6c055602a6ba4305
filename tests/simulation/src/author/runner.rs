//! Activities behind the port: runs the functions of [`super::activities`] on the virtual clock and tells the oracles what they
//! returned. What they do is left to them.

use super::Outcome;
use super::activities::{self, OutsideSystems};
use crate::clock::VirtualClock;
use crate::oracles::{Invocation, Oracle, Watch};
use async_trait::async_trait;
use orchestration::{ActivityTask, Failure, Json, Timeouts};
use ports::{Activities, ActivityInvocation, Clock, GuestFault, Heartbeat};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Runs the activities of all programs on the systems outside.
pub(crate) struct AuthorActivities {
    pub(crate) clock: VirtualClock,
    pub(crate) systems: Arc<Mutex<OutsideSystems>>,
    pub(crate) watch: Watch,
}

#[async_trait]
impl Activities for AuthorActivities {
    fn timeouts(&self, task: &ActivityTask) -> Timeouts {
        activities::find(&task.name).map(activities::Activity::timeouts).unwrap_or_default()
    }

    async fn run(&self, invocation: ActivityInvocation) -> Result<Result<Json, Failure>, GuestFault> {
        let ActivityInvocation { task, heartbeat, .. } = invocation;
        self.watch.begins(&task);
        let Some(activity) = activities::find(&task.name) else {
            let known = activities::ALL.iter().map(|activity| activity.name.to_owned()).collect();
            return Err(GuestFault::NotFound { kind: "activity", name: task.name, known });
        };
        self.take_time(activity.duration(task.attempt), activity.beats_every(), &*heartbeat).await;
        let outcome: Outcome = {
            let mut systems = self.systems.lock().unwrap_or_else(PoisonError::into_inner);
            let before = systems.total();
            let outcome = (activity.run)(&task, &mut systems);
            if systems.total() != before {
                self.watch.report(Oracle::Bank, format!("{task:?} changed all there is from {before} to {systems:?}"));
            }
            outcome
        };
        if activity.name == "Witness" {
            self.watch.witnessed(&super::to_text(&task.input));
        }
        self.watch.invoked(Invocation { task, outcome: outcome.clone() });
        Ok(outcome)
    }
}

impl AuthorActivities {
    async fn take_time(&self, takes: Duration, beats_every: Option<Duration>, heartbeat: &dyn Heartbeat) {
        if takes.is_zero() {
            return;
        }
        let end = self.clock.now().saturating_add(takes);
        if let Some(pause) = beats_every {
            while self.clock.now().saturating_add(pause) < end {
                self.clock.sleep_until(self.clock.now().saturating_add(pause)).await;
                heartbeat.beat(None);
            }
        }
        self.clock.sleep_until(end).await;
    }
}
