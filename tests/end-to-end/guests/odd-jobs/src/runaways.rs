//! Code without an end or without measure; a limit of the host stops each.

use std::time::Duration;

use dacapo::{ActivityContext, Context, Failure};
use futures::future::join_all;

const LONG: Duration = Duration::from_secs(86_400);

/// Calls itself, and that one itself.
#[dacapo::orchestrator]
async fn recurse(ctx: Context, depth: u32) -> Result<u32, Failure> {
    ctx.call_sub(recurse, &(depth + 1)).await
}

/// Asks for so many timers at once, and waits for all of them.
#[dacapo::orchestrator]
async fn fan_out(ctx: Context, timers: usize) {
    join_all((0..timers).map(|_| ctx.sleep(LONG))).await;
}

/// Starts so many children, one after the other.
#[dacapo::orchestrator]
async fn raise_children(ctx: Context, children: u32) -> Result<(), Failure> {
    for child in 0..children {
        ctx.call_sub(say, &child.to_string()).await?;
    }
    Ok(())
}

/// Begins anew at once, for ever.
#[dacapo::orchestrator]
async fn begin_anew(ctx: Context, round: u64) -> Result<(), Failure> {
    ctx.continue_as_new(&(round + 1))
}

/// Its history grows by one step after the other, for ever.
#[dacapo::orchestrator]
async fn go_on(ctx: Context) -> Result<(), Failure> {
    loop {
        ctx.call(repeat, &0).await?;
    }
}

/// Hands an activity a text of so many bytes.
#[dacapo::orchestrator]
async fn say_much(ctx: Context, bytes: usize) -> Result<usize, Failure> {
    ctx.call_by_name("Measure", &"x".repeat(bytes)).await
}

/// Shows a status of so many letters, and waits.
#[dacapo::orchestrator]
async fn show_much(ctx: Context, letters: usize) -> Result<(), Failure> {
    ctx.set_custom_status(&"x".repeat(letters));
    ctx.wait_for_event("Go").await
}

/// Traps after its first step, whenever it gets there.
#[dacapo::orchestrator]
async fn trap(ctx: Context) -> Result<(), Failure> {
    ctx.call(repeat, &0).await?;
    std::process::abort()
}

/// Returns what it is given.
#[dacapo::orchestrator]
async fn say(_ctx: Context, text: String) -> String {
    text
}

#[dacapo::activity]
fn repeat(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[dacapo::activity]
fn measure(_ctx: &ActivityContext, text: String) -> usize {
    text.len()
}
