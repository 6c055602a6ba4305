//! Parents, children, and those who left home.

use dacapo::{Context, Failure, StartOptions};

/// Waits for a child `<own id>-child`, which waits for one of its own, so many deep. Beside the last one waits one that was
/// started and not called: `<own id>-stranger`.
#[dacapo::orchestrator]
async fn family(ctx: Context, generations: u32) -> Result<String, Failure> {
    if generations > 0 {
        let child = format!("{}-child", ctx.instance_id());
        return ctx.call_sub(family, &(generations - 1)).with_instance_id(child).await;
    }
    let stranger = StartOptions::new().instance_id(format!("{}-stranger", ctx.instance_id()));
    ctx.start_orchestration_with(&stranger, alone, &())?;
    ctx.wait_for_event("Go").await
}

/// Waits for the event `Go` and returns its payload.
#[dacapo::orchestrator]
async fn alone(ctx: Context) -> Result<String, Failure> {
    ctx.wait_for_event("Go").await
}
