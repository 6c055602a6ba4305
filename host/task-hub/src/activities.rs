//! Running one activity: its lease is kept while it runs, and whatever comes of it is handed in as data.

use crate::Inner;
use futures::future::{Either, select};
use orchestration::{Failure, Json, Timestamp};
use ports::{ActivityInvocation, ActivityWork, Lease, StoreError};
use std::time::Duration;

/// How often handing in a result is tried. After that the lease runs out and the activity runs again.
const HAND_IN_ATTEMPTS: u32 = 5;

impl Inner {
    pub(crate) async fn run_activity(&self, work: ActivityWork) {
        let ActivityWork { lease, task } = work;
        let invocation_id = format!("{:032x}", self.parts.randomness.next_u128());
        let (name, instance) = (task.name.clone(), task.instance.clone());
        tracing::debug!(function = %name, %invocation_id, instance_id = %instance, "Executing 'Functions.{name}'");
        let begun = self.parts.clock.now();
        let invocation = ActivityInvocation { invocation_id: invocation_id.clone(), task };
        let (lease, result) = match self.run_under_lease(lease, invocation).await {
            Ok(ran) => ran,
            Err(error) => {
                tracing::warn!(function = %name, %invocation_id, %error, "an activity was given up; it will run again");
                return;
            }
        };
        let duration = self.parts.clock.now().saturating_since(begun);
        log_end(&name, &invocation_id, instance.as_str(), &result, duration);
        self.hand_in(&lease, result).await;
    }

    /// Runs the activity and renews its lease whenever half of it is over.
    async fn run_under_lease(
        &self,
        mut lease: Lease,
        invocation: ActivityInvocation,
    ) -> Result<(Lease, Result<Json, Failure>), StoreError> {
        let mut run = self.parts.activities.run(invocation);
        loop {
            match select(run, self.parts.clock.sleep_until(self.half_time(&lease))).await {
                Either::Left((Ok(result), _)) => return Ok((lease, result)),
                // A fault of the guest is the activity's failure, like one that it reports itself.
                Either::Left((Err(fault), _)) => return Ok((lease, Err(fault.failure()))),
                Either::Right(((), unfinished)) => {
                    run = unfinished;
                    match self.parts.store.renew(&lease).await {
                        Ok(renewed) => lease = renewed,
                        // Dropping `run` stops the guest: somebody else runs the activity now.
                        Err(lost @ StoreError::LeaseLost { .. }) => return Err(lost),
                        Err(error @ (StoreError::Unavailable { .. } | StoreError::Corrupt { .. })) => {
                            tracing::warn!(%error, "cannot renew the lease of an activity; trying again");
                        }
                    }
                }
            }
        }
    }

    fn half_time(&self, lease: &Lease) -> Timestamp {
        let now = self.parts.clock.now();
        let half = lease.expires_at.saturating_since(now) / 2;
        now.saturating_add(half.max(Duration::from_millis(1)))
    }

    async fn hand_in(&self, lease: &Lease, result: Result<Json, Failure>) {
        for attempt in 1..=HAND_IN_ATTEMPTS {
            match self.parts.store.complete_activity(lease, result.clone()).await {
                Ok(()) => return,
                Err(error @ (StoreError::LeaseLost { .. } | StoreError::Corrupt { .. })) => {
                    tracing::warn!(%error, "the result of an activity came too late and is dropped");
                    return;
                }
                Err(error @ StoreError::Unavailable { .. }) => {
                    tracing::warn!(%error, attempt, "cannot hand in the result of an activity; trying again");
                    let until = self.parts.clock.now().saturating_add(crate::STORE_RETRY_PAUSE);
                    self.parts.clock.sleep_until(until).await;
                }
            }
        }
    }
}

fn log_end(name: &str, invocation_id: &str, instance_id: &str, result: &Result<Json, Failure>, duration: Duration) {
    let ms = duration.as_millis();
    match result {
        Ok(_) => tracing::info!(
            function = name,
            invocation_id,
            instance_id,
            "Executed 'Functions.{name}' (Succeeded, Id={invocation_id}, Duration={ms}ms)"
        ),
        Err(failure) => tracing::warn!(
            function = name,
            invocation_id,
            instance_id,
            "Executed 'Functions.{name}' (Failed, Id={invocation_id}, Duration={ms}ms): {failure}"
        ),
    }
}
