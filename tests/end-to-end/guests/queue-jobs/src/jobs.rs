//! Jobs with effects of every kind, so that a test can count them.

use dacapo::{Context, Failure, QueueMessage};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::messages::linger;

/// A job, and how long it takes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    id: String,
    #[serde(default)]
    takes_ms: u64,
}

/// A row of the output `row`, inserted: a second one of the same job is refused.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct JobRow {
    partition_key: &'static str,
    row_key: String,
    /// How often the message was received.
    tries: u32,
}

/// A start of the output `start`. Without an instance id: a second one of the same job would be seen.
#[derive(Serialize)]
struct Start {
    name: &'static str,
    input: String,
}

/// A row, an orchestration, and a message as what it returns.
#[dacapo::queue]
fn do_job(job: Job, message: &QueueMessage) -> Result<String, Failure> {
    dacapo::output("row", &JobRow { partition_key: "jobs", row_key: job.id.clone(), tries: message.dequeue_count })?;
    linger(Duration::from_millis(job.takes_ms));
    dacapo::output("start", &Start { name: "FollowUp", input: job.id.clone() })?;
    Ok(job.id)
}

/// What follows from a job.
#[dacapo::orchestrator]
async fn follow_up(ctx: Context, id: String) -> Result<String, Failure> {
    ctx.call(confirm, &id).await
}

#[dacapo::activity]
fn confirm(id: String) -> String {
    format!("{id} is confirmed")
}
