//! What the benchmarks run: functions that do nothing, so that what is measured is the host.
//!
//! The orchestrators are also the smallest examples of a chain, a fan-out and a timer.

#[cfg(test)]
mod tests;

use std::time::Duration;

use dacapo::{Context, Failure};
use futures::future::try_join_all;

/// Returns what it is given.
#[dacapo::activity]
fn echo(number: u32) -> u32 {
    number
}

/// So many activities, one after another. Returns how many there were.
#[dacapo::orchestrator]
async fn chain(ctx: Context, length: u32) -> Result<u32, Failure> {
    for number in 0..length {
        ctx.call(echo, &number).await?;
    }
    Ok(length)
}

/// So many activities at once, joined. Returns the sum of 0, 1, 2, ..., which shows that each was answered.
#[dacapo::orchestrator]
async fn fan_out(ctx: Context, width: u32) -> Result<u64, Failure> {
    let numbers = try_join_all((0..width).map(|number| ctx.call(echo, &number))).await?;
    Ok(numbers.into_iter().map(u64::from).sum())
}

/// A timer of so many milliseconds.
#[dacapo::orchestrator]
async fn sleep(ctx: Context, milliseconds: u64) {
    ctx.sleep(Duration::from_millis(milliseconds)).await;
}

/// `GET /api/hello`
#[dacapo::http]
fn hello() -> &'static str {
    "Hello, world!\n"
}
