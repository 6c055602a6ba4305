//! Holders of locks that give them back only when somebody makes them.

use std::time::Duration;

use dacapo::{Context, EntityId, Failure};
use serde::{Deserialize, Serialize};

/// Something that one can have for oneself.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Tool {
    uses: u32,
}

#[dacapo::entity]
impl Tool {
    fn take(&mut self) -> u32 {
        self.uses += 1;
        self.uses
    }
}

/// How one that holds locks goes on when the event `Go` comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Then {
    Return,
    Fail,
    BeginAnew,
}

/// Locks these tools, uses each, shows `holding` as its status, and holds them until the event `Go`, whose payload says how
/// it goes on. Without tools there is nothing to hold.
#[dacapo::orchestrator]
async fn hold(ctx: Context, tools: Vec<String>) -> Result<(), Failure> {
    if tools.is_empty() {
        return Ok(());
    }
    let guard = ctx.lock(tools.iter().map(EntityId::of::<Tool>)).await?;
    for tool in &tools {
        ctx.entity::<Tool>(tool).take().await?;
    }
    ctx.set_custom_status("holding");
    let then: Then = ctx.wait_for_event("Go").await?;
    let outcome = match then {
        Then::Return => Ok(()),
        Then::Fail => Err(Failure::new("Broken", "the tool is broken")),
        Then::BeginAnew => ctx.continue_as_new(&Vec::<String>::new()),
    };
    drop(guard);
    outcome
}

/// Wants the tools, with patience: waits so long for the lock and then says so.
#[dacapo::orchestrator]
async fn want(ctx: Context, tools: Vec<String>) -> Result<String, Failure> {
    let lock = ctx.lock(tools.iter().map(EntityId::of::<Tool>));
    match ctx.timeout(Duration::from_millis(200), lock).await {
        Ok(guard) => {
            drop(guard?);
            Ok("had them".into())
        }
        Err(_) => Ok("gave up".into()),
    }
}
