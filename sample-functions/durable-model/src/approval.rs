//! **External events.** An orchestrator waits for a word from outside, for as long as it takes or for so long and no longer.
//!
//! An event that comes before anybody waits is kept. Names are compared without case.

use std::time::Duration;

use dacapo::{Context, Failure};
use serde_json::{Value, json};

/// Waits for the event `Approval` and returns its payload.
#[dacapo::orchestrator]
pub(crate) async fn wait_for_approval(ctx: Context) -> Result<Value, Failure> {
    ctx.set_custom_status("waiting for Approval");
    ctx.wait_for_event("Approval").await
}

/// Waits for so many seconds; then a default takes the place of the payload. (Without `or_default` the waiting would fail
/// with the type `TimedOut`.)
#[dacapo::orchestrator]
pub(crate) async fn wait_for_approval_until(ctx: Context, seconds: u64) -> Result<Value, Failure> {
    let approval = ctx.wait_for_event("Approval").timeout(Duration::from_secs(seconds));
    approval.or_default(json!({ "approved": false, "by": "nobody" })).await
}
