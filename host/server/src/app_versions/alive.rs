//! Which versions of an app are alive, and what keeps them, for people to read.

use anyhow::Context;
use ports::{AppPins, InstanceStore};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::archive::AppArchive;
use super::keeper::ArchiveKeeper;

/// A version that is still needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AliveVersion {
    /// The app digest.
    pub(crate) digest: String,
    /// What its manifest calls it; none: its files are missing.
    pub(crate) version: Option<String>,
    /// Whether it is the one that is served.
    #[serde(rename = "present")]
    pub(crate) is_present: bool,
    /// How many instances that have not ended are pinned to it.
    pub(crate) running: u64,
    /// How many failed instances are pinned to it, which could be rewound.
    pub(crate) failed: u64,
    /// One of these instances; a running one if there is any.
    pub(crate) example: Option<String>,
    /// What keeps it, and what is missing of it.
    pub(crate) why: String,
}

impl ArchiveKeeper {
    /// The versions that are needed now: the one that is served first, then those with most running instances. `present` is
    /// the digest of the one that is served.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) async fn alive(
        self: &Arc<Self>,
        store: &dyn InstanceStore,
        present: &str,
    ) -> anyhow::Result<Vec<AliveVersion>> {
        let pins = store.pins().await.context("it cannot be told which versions instances run on")?;
        let (keeper, present) = (self.clone(), present.to_owned());
        let alive = tokio::task::spawn_blocking(move || alive(keeper.archive(), pins, keeper.held(), &present)).await;
        alive.context("looking at the versions of the app failed")
    }
}

pub(super) fn alive(
    archive: &AppArchive,
    pins: Vec<AppPins>,
    held: BTreeSet<String>,
    present: &str,
) -> Vec<AliveVersion> {
    let pins: BTreeMap<String, AppPins> = pins.into_iter().map(|pins| (pins.digest.clone(), pins)).collect();
    let digests: BTreeSet<String> = pins.keys().cloned().chain(held).chain([present.to_owned()]).collect();
    let version = |digest: String| {
        let pins = pins.get(&digest);
        let (running, failed) = pins.map_or((0, 0), |pins| (pins.running, pins.failed));
        let is_present = digest == present;
        let mut why = if is_present { "present".to_owned() } else { kept_by(running, failed) };
        if let Some(missing) = archive.missing(&digest) {
            why.push_str(&format!("; {missing}"));
        }
        AliveVersion {
            version: archive.record(&digest).map(|record| record.version),
            is_present,
            running,
            failed,
            example: pins.map(|pins| pins.example.to_string()),
            why,
            digest,
        }
    };
    let mut all: Vec<AliveVersion> = digests.into_iter().map(version).collect();
    all.sort_by_key(|version| (!version.is_present, Reverse(version.running), Reverse(version.failed)));
    all
}

fn kept_by(running: u64, failed: u64) -> String {
    let running = match running {
        0 => None,
        1 => Some("1 instance runs on it".to_owned()),
        n => Some(format!("{n} instances run on it")),
    };
    let failed = match failed {
        0 => None,
        1 => Some("1 failed instance could be rewound".to_owned()),
        n => Some(format!("{n} failed instances could be rewound")),
    };
    match (running, failed) {
        (Some(running), Some(failed)) => format!("{running}, {failed}"),
        (Some(only), None) | (None, Some(only)) => only,
        // Somebody holds it: a generation whose work is not done, or a deploy.
        (None, None) => "what began on it is being finished".to_owned(),
    }
}
