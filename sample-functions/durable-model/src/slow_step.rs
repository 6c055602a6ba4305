//! **Slow activities.** Limits on a run, signs of life, and a way to stop what nobody wants any more.
//!
//! A run that is over its `timeout`, or gives no heartbeat for the `heartbeat_timeout`, is interrupted wherever it is, even
//! in an endless loop, and counts as failed: a retry policy tries it again. An abort interrupts it too.

use std::time::Duration;

use dacapo::{ActivityContext, Context, Failure, RetryPolicy};
use serde::{Deserialize, Serialize};

/// How often [`slow_step`] gives a sign of life, if it does.
const STEP: Duration = Duration::from_millis(50);

/// What [`slow_step`] and those who call it take.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Work {
    pub(crate) takes_ms: u64,
    /// Does it without a word.
    pub(crate) silent: bool,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) heartbeat_timeout_ms: Option<u64>,
    pub(crate) attempts: Option<u32>,
}

/// Takes its time, and says how far it has come.
#[dacapo::activity]
pub(crate) fn slow_step(ctx: &ActivityContext, work: Work) -> String {
    let steps = u32::try_from(Duration::from_millis(work.takes_ms).as_millis() / STEP.as_millis()).unwrap_or(u32::MAX);
    for step in 1..=steps {
        take(STEP);
        if !work.silent {
            ctx.heartbeat(&format!("{step} of {steps}"));
        }
    }
    format!("done at attempt {}", ctx.attempt)
}

#[expect(clippy::disallowed_methods, reason = "the step is slow, and an activity may block")]
fn take(duration: Duration) {
    std::thread::sleep(duration);
}

/// Runs the step under the limits of the input.
#[dacapo::orchestrator]
pub(crate) async fn run_slow_step(ctx: Context, work: Work) -> Result<String, Failure> {
    let mut call = ctx.call(slow_step, &work).tag("kind", "slow");
    if let Some(milliseconds) = work.timeout_ms {
        call = call.timeout(Duration::from_millis(milliseconds));
    }
    if let Some(milliseconds) = work.heartbeat_timeout_ms {
        call = call.heartbeat_timeout(Duration::from_millis(milliseconds));
    }
    if let Some(attempts) = work.attempts.filter(|attempts| *attempts > 0) {
        call = call.retry(RetryPolicy::new(attempts, Duration::from_millis(100)));
    }
    call.await
}

/// Gives the step up after `timeoutMs` and stops it, without taking that for a failure.
#[dacapo::orchestrator]
pub(crate) async fn abort_slow_step(ctx: Context, work: Work) -> Result<String, Failure> {
    let patience = Duration::from_millis(work.timeout_ms.unwrap_or(1_000));
    let step = ctx.call(slow_step, &work).abort_on_drop();
    match ctx.timeout(patience, step).await {
        Ok(result) => result,
        Err(timed_out) => Ok(format!("stopped: {timed_out}")),
    }
}
