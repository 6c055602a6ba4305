//! **Rewind.** An instance that has failed for a reason that is gone goes on from the last good point.
//!
//! What was done is kept, what failed is tried again, in children too. For that the failure must not have been caught: an
//! orchestrator that has dealt with it has nothing to be rewound to.

use dacapo::{ActivityContext, Client, Context, Failure, StartOptions};

use crate::echo::echo;

/// Runs two steps, of which the second fails until the instance is rewound.
#[dacapo::orchestrator]
pub(crate) async fn fail_once(ctx: Context) -> Result<[String; 2], Failure> {
    let first = ctx.call(steady_step, &()).await?;
    let second = ctx.call(flaky_step, &()).await?;
    Ok([first, second])
}

/// The same one floor down: the parent fails with the child, and a rewind of the parent rewinds the child.
#[dacapo::orchestrator]
pub(crate) async fn fail_once_in_child(ctx: Context) -> Result<[String; 2], Failure> {
    ctx.call_sub(fail_once, &()).await
}

/// Never fails, and is not run again by a rewind: its result names the execution that asked for it.
#[dacapo::activity]
pub(crate) fn steady_step(ctx: &ActivityContext) -> String {
    format!("steady in {}", ctx.execution_id)
}

/// Fails in the first execution of an instance that it sees. A rewind begins another one.
///
/// To remember the first one it starts an instance of its own whose input is that execution's id, once per key: activities
/// may use the durable client, and whoever comes second gets the instance of the first.
#[dacapo::activity]
pub(crate) fn flaky_step(ctx: &ActivityContext) -> Result<String, Failure> {
    let client = Client::new();
    let key = format!("first-run-of-{}", ctx.instance_id);
    let note = client.start_once(&key, &StartOptions::new(), echo, &ctx.execution_id.as_str().into())?;
    let first: String = serde_json::from_str(&client.status(&note)?.input.unwrap_or_default())?;
    match first == ctx.execution_id {
        true => Err(Failure::new("Flaky", "rewind the instance and it will work")),
        false => Ok(format!("it works in {}", ctx.execution_id)),
    }
}
