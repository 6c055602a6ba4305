//! Running one activity: its lease is kept while it runs, its timeouts are watched, and whatever comes of it is handed in as
//! data. One for which the host has no guest is given back instead.

use crate::Inner;
use crate::heartbeats::Run;
use crate::leases::Interrupted;
use futures::future::{BoxFuture, Either, select};
use orchestration::{ActivityTask, Failure, Json, Timeouts, Timestamp};
use ports::{ActivityInvocation, ActivityWork, GuestFault, Lease, StoreError};
use std::time::Duration;

/// How often handing in a result is tried. After that the lease runs out and the activity runs again.
const HAND_IN_ATTEMPTS: u32 = 5;

/// The pause before an activity is taken again for which there was no guest: that the host finds one takes at least so long.
const NO_GUEST_PAUSE: Duration = Duration::from_secs(1);

/// What the guest answers.
type Ran<'a> = BoxFuture<'a, Result<Result<Json, Failure>, GuestFault>>;

impl Inner {
    pub(crate) async fn run_activity(&self, work: ActivityWork) {
        let ActivityWork { mut lease, task } = work;
        let invocation_id = format!("{:032x}", self.parts.randomness.next_u128());
        let (name, instance) = (task.name.clone(), task.instance.clone());
        tracing::info!(name: "invocation_started", function = %name, %invocation_id, instance_id = %instance,
            "Executing 'Functions.{name}'");
        let begun = self.parts.clock.now();
        let run = Box::pin(self.run_in_time(task, invocation_id.clone()));
        let result = match self.under_lease(&mut lease, run).await {
            Ok(Ok(result)) => result,
            Ok(Err(no_guest)) => {
                tracing::warn!(function = %name, %invocation_id, instance_id = %instance, reason = %no_guest,
                    "an activity was not begun; it is tried again");
                return self.give_activity_back(&lease).await;
            }
            Err(Interrupted::Revoked) => {
                let duration_ms = milliseconds(self.parts.clock.now().saturating_since(begun));
                tracing::info!(name: "invocation_completed", function = %name, %invocation_id, instance_id = %instance,
                    outcome = "Cancelled", duration_ms,
                    "Stopped 'Functions.{name}': its orchestration does not want it any more");
                return;
            }
            Err(Interrupted::Lost(error)) => {
                tracing::warn!(function = %name, %invocation_id, %error, "an activity was given up; it will run again");
                return;
            }
        };
        let duration = self.parts.clock.now().saturating_since(begun);
        log_end(&name, &invocation_id, instance.as_str(), &result, duration);
        self.hand_in(&lease, result).await;
    }

    /// Runs the activity for as long as its timeouts allow. A fault of the guest is the activity's failure, like one that it
    /// reports itself; that there is no guest is the host's, and no failure of anybody's code.
    async fn run_in_time(
        &self,
        task: ActivityTask,
        invocation_id: String,
    ) -> Result<Result<Json, Failure>, GuestFault> {
        let of_function = self.parts.activities.timeouts(&task);
        let timeouts = Timeouts {
            run: task.timeouts.run.or(of_function.run),
            heartbeat: task.timeouts.heartbeat.or(of_function.heartbeat),
        };
        let name = task.name.clone();
        let run = self.running.begin((task.execution, task.id), self.parts.clock.clone());
        let watch = Watch { began: self.parts.clock.now(), timeouts, run };
        let invocation = ActivityInvocation { invocation_id, task, heartbeat: watch.run.heartbeat() };
        let mut ran: Ran<'_> = self.parts.activities.run(invocation);
        loop {
            match select(ran, self.parts.clock.sleep_until(watch.next())).await {
                Either::Left((Ok(result), _)) => return Ok(self.result_of_allowed_size(&name, result)),
                Either::Left((Err(no_guest @ GuestFault::Unavailable { .. }), _)) => return Err(no_guest),
                Either::Left((Err(fault), _)) => return Ok(Err(fault.failure())),
                Either::Right(((), unfinished)) => {
                    // Leaving drops it, which stops the guest.
                    if let Some(failure) = watch.timed_out(&name, self.parts.clock.now()) {
                        return Ok(Err(failure));
                    }
                    ran = unfinished;
                }
            }
        }
    }

    /// A result that is too large for a history is the activity's failure; it would come again.
    fn result_of_allowed_size(&self, name: &str, result: Result<Json, Failure>) -> Result<Json, Failure> {
        let limit = self.settings.limits.max_payload_bytes;
        match result {
            Ok(output) if output.len() > limit => {
                let message = format!(
                    "the activity '{name}' returned {} bytes where at most {limit} are allowed; store large values elsewhere and \
                     return a reference, or raise host.durableTask.maxPayloadBytes",
                    output.len()
                );
                Err(Failure::new(Failure::LIMIT_EXCEEDED, message).non_retriable())
            }
            Ok(_) | Err(_) => result,
        }
    }

    async fn give_activity_back(&self, lease: &Lease) {
        let not_before = self.parts.clock.now().saturating_add(NO_GUEST_PAUSE);
        if let Err(error) = self.parts.store.abandon(lease, not_before).await {
            tracing::debug!(%error, "an activity could not be given back; it is taken again when its lease runs out");
        }
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

/// The time that one run has.
struct Watch {
    began: Timestamp,
    timeouts: Timeouts,
    run: Run,
}

impl Watch {
    /// When to look next.
    fn next(&self) -> Timestamp {
        self.run_deadline().min(self.heartbeat_deadline())
    }

    fn run_deadline(&self) -> Timestamp {
        self.timeouts.run.map_or(Timestamp::MAX, |timeout| self.began.saturating_add(timeout))
    }

    fn heartbeat_deadline(&self) -> Timestamp {
        let last = self.run.last_sign_of_life();
        self.timeouts.heartbeat.map_or(Timestamp::MAX, |timeout| last.saturating_add(timeout))
    }

    fn timed_out(&self, name: &str, now: Timestamp) -> Option<Failure> {
        let seconds = |timeout: Option<Duration>| timeout.unwrap_or_default().as_secs_f64();
        if now >= self.run_deadline() {
            let message = format!(
                "the activity '{name}' ran longer than its timeout of {} s and was stopped; give it more time with the \
                 timeout of the call or of its activityTrigger",
                seconds(self.timeouts.run)
            );
            return Some(Failure::new(Failure::ACTIVITY_TIMEOUT, message));
        }
        (now >= self.heartbeat_deadline()).then(|| {
            let message = format!(
                "the activity '{name}' gave no heartbeat for {} s and was stopped; let it beat more often, or raise the \
                 heartbeat timeout of the call or of its activityTrigger",
                seconds(self.timeouts.heartbeat)
            );
            Failure::new(Failure::ACTIVITY_HEARTBEAT_TIMEOUT, message)
        })
    }
}

fn log_end(name: &str, invocation_id: &str, instance_id: &str, result: &Result<Json, Failure>, duration: Duration) {
    let duration_ms = milliseconds(duration);
    // The level of an event is part of its static description.
    macro_rules! ended {
        ($level:ident, $outcome:literal $(, $error:ident)?) => {
            tracing::$level!(
                name: "invocation_completed", function = name, invocation_id, instance_id, outcome = $outcome, duration_ms,
                $(%$error,)? "Executed 'Functions.{name}'"
            )
        };
    }
    match result {
        Ok(_) => ended!(info, "Succeeded"),
        Err(error) => ended!(warn, "Failed", error),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
