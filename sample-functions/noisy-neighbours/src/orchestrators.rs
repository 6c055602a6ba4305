//! Orchestrators that misbehave, or try to find out whether they are replayed.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dacapo::{Client, Context, Failure};
use serde::{Deserialize, Serialize};

use crate::activities::{echo, misbehaving, produce};
use crate::misbehaviour::{How, misbehave};

/// Runs the activity `Misbehave` and returns the type of its failure; the orchestrator itself is well.
#[dacapo::orchestrator]
pub(crate) async fn survive(ctx: Context, how: How) -> Result<String, Failure> {
    match ctx.call(misbehaving, &how).await {
        Ok(output) => Ok(format!("it returned {} bytes", output.len())),
        Err(failure) => Ok(failure.error_type().into()),
    }
}

/// Misbehaves after its first activity, in the middle of a history.
#[dacapo::orchestrator]
pub(crate) async fn misbehave_midway(ctx: Context, how: How) -> Result<String, Failure> {
    ctx.call(echo, &1).await?;
    Ok(misbehave(how))
}

/// Asks an activity for a result of so many bytes; a history has to hold it.
#[dacapo::orchestrator]
pub(crate) async fn fetch(ctx: Context, bytes: usize) -> Result<usize, Failure> {
    Ok(ctx.call(produce, &bytes).await?.len())
}

/// Calls the durable client, which is for activities and HTTP functions.
#[dacapo::orchestrator]
pub(crate) async fn call_the_client(_ctx: Context) -> Result<String, Failure> {
    let status = Client::new().status("somebody")?;
    Ok(status.runtime_status.to_string())
}

/// Blocks the thread instead of waiting for a timer.
#[dacapo::orchestrator]
#[expect(clippy::disallowed_methods, reason = "that is the misbehaviour")]
pub(crate) async fn sleep_on_the_thread(_ctx: Context) -> String {
    std::thread::sleep(Duration::from_secs(1));
    "slept".into()
}

/// What an orchestrator sees of the things that are never the same twice. In one, they are.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Observation {
    wall_clock_nanos: u128,
    hash_map_order: Vec<u32>,
    random_number: u64,
    guid: String,
    turn_began: String,
}

/// Looks at the clock, at the order of a `HashMap` and at a random number, before, between and after activities. An
/// instance that is replayed in the middle must return what one that never left the memory returns.
#[dacapo::orchestrator]
pub(crate) async fn deterministic(ctx: Context, activities: u32) -> Result<Vec<Observation>, Failure> {
    let mut observations = vec![observe(&ctx)];
    for number in 0..activities {
        ctx.call(echo, &number).await?;
        observations.push(observe(&ctx));
    }
    Ok(observations)
}

#[expect(clippy::disallowed_methods, clippy::iter_over_hash_type, reason = "whether they are replayed is the question")]
fn observe(ctx: &Context) -> Observation {
    let map: HashMap<u32, ()> = (0..16).map(|number| (number, ())).collect();
    let mut hash_map_order = Vec::new();
    for (number, ()) in &map {
        hash_map_order.push(*number);
    }
    debug_assert_eq!(hash_map_order.iter().collect::<BTreeSet<_>>().len(), map.len());
    Observation {
        wall_clock_nanos: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos(),
        hash_map_order,
        random_number: RandomState::new().hash_one(0),
        guid: ctx.new_guid(),
        turn_began: ctx.now().to_string(),
    }
}
