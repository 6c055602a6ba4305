//! **Versions and tags.** What an instance was started with, and keeps: old instances can do things in the old way.

use std::collections::BTreeMap;

use dacapo::{Context, Failure};
use serde::{Deserialize, Serialize};

/// What [`about_me`] returns.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) version: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) greeting: String,
    /// Of the child, if one was asked for: it inherits tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) child: Option<Box<About>>,
}

/// Tells version and tags, its own and, with `true`, those of a child with one tag more.
#[dacapo::orchestrator]
pub(crate) async fn about_me(ctx: Context, with_child: bool) -> Result<About, Failure> {
    let child = match with_child {
        true => Some(Box::new(ctx.call_sub(about_me, &false).version("1.0.0").tag("child", "yes").await?)),
        false => None,
    };
    // A version is for this: whatever changes what an orchestrator does asks for it.
    let greeting = match ctx.version().as_deref() {
        Some("1.0.0") => "Good day",
        Some(_) | None => "Hi",
    };
    Ok(About { version: ctx.version(), tags: ctx.tags(), greeting: greeting.into(), child })
}

/// Moves itself to version 2.0.0 at its first chance: a generation ends, the next one runs the present code.
#[dacapo::orchestrator]
pub(crate) async fn upgrade(ctx: Context, generations: u32) -> Result<String, Failure> {
    match ctx.version().as_deref() {
        Some("2.0.0") => Ok(format!("at 2.0.0 after {generations} generations")),
        Some(_) | None => ctx.continue_as_new_with_version(&(generations + 1), "2.0.0"),
    }
}
