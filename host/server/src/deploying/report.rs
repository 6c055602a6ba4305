//! What a deploy came to, and how far it is.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::Durations;
use crate::app_versions;
use crate::hosting::{Differences, Replaced, Served};
use manifest::Trigger;

/// What has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Phase {
    /// The bundle has arrived.
    Received,
    /// It is whole, its manifest is right, and nothing of it clashes.
    Checked,
    /// It is compiled, linked and bound.
    Compiled,
    /// What is under way fits it.
    Replayed,
    /// It is served.
    Switched,
}

/// A phase that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PhaseReport {
    /// Which.
    pub(crate) phase: Phase,
    /// How long it took.
    pub(crate) duration_ms: u64,
    /// What came of it, for people.
    pub(crate) detail: String,
}

impl PhaseReport {
    /// It took so long.
    pub(crate) fn of(phase: Phase, duration: Duration, detail: String) -> PhaseReport {
        PhaseReport { phase, duration_ms: ms(duration), detail }
    }
}

/// A version that was served, or is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    /// In its manifest.
    pub(crate) version: String,
    /// The app digest.
    pub(crate) digest: String,
    /// The bundle's digest; none: it did not come in one.
    pub(crate) bundle: Option<String>,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeployReport {
    /// The app.
    pub(crate) app: String,
    /// In its manifest.
    pub(crate) version: String,
    /// The app digest.
    pub(crate) digest: String,
    /// The bundle's digest.
    pub(crate) bundle: String,
    /// What was served before; none: the app is new.
    pub(crate) previous: Option<Version>,
    /// What is different.
    pub(crate) functions: Differences,
    /// Methods and paths that it answers now.
    pub(crate) routes: Vec<String>,
    /// What somebody should know who deployed it.
    pub(crate) warnings: Vec<String>,
    /// How long it took.
    pub(crate) duration_ms: DurationsMs,
}

/// The phases of a deploy, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DurationsMs {
    check: u64,
    compile: u64,
    replay: u64,
    switch: u64,
}

impl DeployReport {
    pub(super) fn of(
        replaced: &Replaced,
        bundle: &str,
        previous: Option<Version>,
        durations: &Durations,
        switch: Duration,
    ) -> DeployReport {
        let served = &replaced.begun.now;
        let Durations { check, compile, replay } = *durations;
        DeployReport {
            app: served.app.name.clone(),
            version: served.app.version.clone(),
            digest: served.digest.clone(),
            bundle: bundle.to_owned(),
            previous,
            functions: replaced.differences.clone(),
            routes: routes(served),
            warnings: warnings(served),
            duration_ms: DurationsMs { check: ms(check), compile: ms(compile), replay: ms(replay), switch: ms(switch) },
        }
    }

    /// In one line.
    pub(crate) fn in_short(&self) -> String {
        let Differences { added, removed, changed, unchanged } = &self.functions;
        format!(
            "{} {} ({}) is served: {} functions new, {} changed, {} removed, {} as before",
            self.app,
            self.version,
            app_versions::shortened(&self.digest),
            added.len(),
            changed.len(),
            removed.len(),
            unchanged.len()
        )
    }
}

/// Methods and path of each HTTP function.
pub(crate) fn routes(served: &Served) -> Vec<String> {
    let http = served.app.functions.iter().filter_map(|function| match &function.trigger {
        Trigger::Http(http) => Some(http),
        Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => None,
    });
    let prefix = &served.app.host.http.route_prefix;
    let route = |http: &manifest::HttpTrigger| {
        let methods: Vec<&str> = http.methods.to_vec().iter().map(|method| method.as_str()).collect();
        let path: Vec<String> =
            [prefix.clone(), http.route.to_string()].into_iter().filter(|part| !part.is_empty()).collect();
        format!("{} /{}", methods.join(","), path.join("/"))
    };
    http.map(route).collect()
}

fn warnings(served: &Served) -> Vec<String> {
    let mut warnings = crate::listing::competitors(&served.app);
    let disabled = served.app.functions.iter().filter(|function| function.disabled);
    warnings.extend(disabled.map(|function| format!("{} is disabled", function.name)));
    warnings
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
