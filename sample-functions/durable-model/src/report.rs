//! **Orchestrations that talk.** One starts another without waiting for its end, goes on, and later hears from it.

use std::time::Duration;

use dacapo::{Context, Failure};
use serde::{Deserialize, Serialize};

/// What [`write_report`] takes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Assignment {
    pub(crate) subject: String,
    /// Whom to tell.
    pub(crate) for_instance: String,
}

/// Orders a report and waits for the event `ReportReady`.
#[dacapo::orchestrator]
pub(crate) async fn order_report(ctx: Context, subject: String) -> Result<String, Failure> {
    let assignment = Assignment { subject, for_instance: ctx.instance_id() };
    // Started, not called: it lives its own life, also after the end of this one.
    let writer = ctx.start_orchestration(write_report, &assignment)?;
    ctx.set_custom_status(&format!("ordered from {writer}"));
    ctx.wait_for_event("ReportReady").await
}

/// Writes a report and sends it to whoever has ordered it. Were that one gone, the event would be dropped.
#[dacapo::orchestrator]
pub(crate) async fn write_report(ctx: Context, assignment: Assignment) -> Result<(), Failure> {
    ctx.sleep(Duration::from_millis(100)).await;
    let report = format!("all about {}", assignment.subject);
    ctx.send_event(&assignment.for_instance, "ReportReady", &report)
}
