//! An app that is deployed twice: `steps-before`, and then `steps-after` in its place.

use std::path::{Path, PathBuf};
use tempfile::TempDir;

use crate::host::Host;

/// A folder with the app's manifest, its component, and the data of its hosts.
pub(crate) struct Renovation {
    folder: TempDir,
}

impl Renovation {
    /// As deployed first; `versioning` is `pinned` or `latest`.
    pub(crate) fn new(versioning: &str) -> Renovation {
        let manifest = format!(
            r#"[app]
name = "renovation"
version = "1.0.0"
versioning = "{versioning}"
[components.steps]
source = "steps.wasm"
[functions.Renovate]
trigger = {{ type = "orchestrationTrigger" }}
[functions.Paint]
trigger = {{ type = "activityTrigger" }}
[functions.Plaster]
trigger = {{ type = "activityTrigger" }}
"#
        );
        let renovation = Renovation { folder: tempfile::tempdir().expect("a temporary folder") };
        std::fs::write(renovation.manifest(), manifest).expect("it can be written");
        renovation.deploy(&before());
        renovation
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.folder.path().join("app.toml")
    }

    /// Puts another component in the place of the present one.
    pub(crate) fn deploy(&self, component: &Path) {
        std::fs::copy(component, self.folder.path().join("steps.wasm")).expect("it can be copied");
    }

    /// Starts a host on what is deployed.
    pub(crate) fn start(&self) -> Host {
        Host::start_in(&self.data(), &self.manifest())
    }

    /// The components that the host keeps.
    pub(crate) fn kept_components(&self) -> usize {
        std::fs::read_dir(self.data().join("components")).expect("the host keeps components").count()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

/// Paints, waits for the event `Dry`, then plasters.
pub(crate) fn before() -> PathBuf {
    artifacts::guest("steps-before")
}

/// The other way round.
pub(crate) fn after() -> PathBuf {
    artifacts::guest("steps-after")
}
