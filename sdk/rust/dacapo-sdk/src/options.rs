//! What a start or a call is given besides its name and input. Plain values: the host decides what they mean.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{RetryPolicy, Timestamp};

/// What is asked for when an orchestration is started, apart from its name and input.
///
/// ```
/// use dacapo::StartOptions;
///
/// let options = StartOptions::new().instance_id("order-7").version("2.0").tag("customer", "ada");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartOptions {
    pub(crate) instance_id: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) start_at: Option<Timestamp>,
}

impl StartOptions {
    /// A new id, the host's default version, no tags, at once.
    pub fn new() -> StartOptions {
        StartOptions::default()
    }

    /// Names the instance.
    #[must_use]
    pub fn instance_id(mut self, id: impl Into<String>) -> StartOptions {
        self.instance_id = Some(id.into());
        self
    }

    /// The version that the orchestrator sees; without it, the host's `defaultVersion`.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> StartOptions {
        self.version = Some(version.into());
        self
    }

    /// Sets a tag. Tags are shown with the instance and inherited by its children; instances can be listed by them.
    #[must_use]
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> StartOptions {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Not before this moment; until then the instance is pending.
    #[must_use]
    pub fn start_at(mut self, moment: Timestamp) -> StartOptions {
        self.start_at = Some(moment);
        self
    }
}

/// How an activity is to be run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ActivityOptions {
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) heartbeat_timeout: Option<Duration>,
    pub(crate) tags: BTreeMap<String, String>,
}
