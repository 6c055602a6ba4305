//! Two steps with a wait in between, as the app was deployed first. `steps-after` is the same app with the steps reordered,
//! which no instance that is under way survives.

use dacapo::{Context, Failure, Request};

/// Paints, waits for the event `Dry`, then plasters.
#[dacapo::orchestrator]
async fn renovate(ctx: Context) -> Result<[String; 2], Failure> {
    let first = ctx.call(paint, &()).await?;
    ctx.wait_for_event::<()>("Dry").await?;
    Ok([first, ctx.call(plaster, &()).await?])
}

#[dacapo::activity]
fn paint() -> String {
    "painted before".into()
}

#[dacapo::activity]
fn plaster() -> String {
    "plastered before".into()
}

/// Says which of the two answers.
#[dacapo::http]
fn which(_request: Request) -> String {
    "before".into()
}
