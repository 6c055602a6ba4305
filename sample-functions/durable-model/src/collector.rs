//! **Continue-as-new carries events over.** Each generation takes one event and begins anew with an empty history; those
//! that came too early for it are there for the next.

use dacapo::{Context, Failure};
use serde::{Deserialize, Serialize};

/// What [`collect`] takes, and hands on to its next generation.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Collection {
    pub(crate) wanted: usize,
    #[serde(default)]
    pub(crate) items: Vec<String>,
}

/// Collects the payloads of so many events `Item`, in the order in which they came.
#[dacapo::orchestrator]
pub(crate) async fn collect(ctx: Context, mut collection: Collection) -> Result<Vec<String>, Failure> {
    if collection.items.len() >= collection.wanted {
        return Ok(collection.items);
    }
    ctx.set_custom_status(&format!("{} of {}", collection.items.len(), collection.wanted));
    collection.items.push(ctx.wait_for_event("Item").await?);
    ctx.continue_as_new(&collection)
}
