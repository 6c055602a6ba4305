//! The app of `steps-before` after somebody has found out in which order one renovates.

use dacapo::{Context, Failure, Request};

/// Plasters, waits for the event `Dry`, then paints.
#[dacapo::orchestrator]
async fn renovate(ctx: Context) -> Result<[String; 2], Failure> {
    let first = ctx.call(plaster, &()).await?;
    ctx.wait_for_event::<()>("Dry").await?;
    Ok([first, ctx.call(paint, &()).await?])
}

#[dacapo::activity]
fn paint() -> String {
    "painted after".into()
}

#[dacapo::activity]
fn plaster() -> String {
    "plastered after".into()
}

/// Says which of the two answers.
#[dacapo::http]
fn which(_request: Request) -> String {
    "after".into()
}
