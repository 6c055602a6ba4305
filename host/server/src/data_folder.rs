//! Where the state of apps is on disk.
//!
//! Of `dacapo start`; a folder that the person chose with `--data-dir` takes the place of `conference-booking/`, with the cache
//! in it, and has such a folder for each app where there are several:
//!
//! ```text
//! .dacapo/                 beside the manifest
//!   cache/                 compiled guests, shared by the apps of one folder; may be deleted at any time
//!     bundles/<app>/       the bundle of `dacapo start --bundle`, unpacked
//!   conference-booking/    all state of this app: the task hub's store, and
//!     apps/                what each version of the app consists of that instances may run on
//!     components/          the components of these versions
//!     secrets/             keys of callers; nobody but the owner can look into it
//! ```
//!
//! Of `dacapo serve`, below its `--data-dir`:
//!
//! ```text
//! host.lock                held by the host that works here
//! secrets/                 keys of callers of all apps
//! cache/                   compiled guests
//! apps/<app>/              as `conference-booking/` above, without keys, and
//!   deployments.json       what is deployed, and was
//!   deployments/           the bundles of these deployments, unpacked
//! ```

use std::path::{Path, PathBuf};

const DEFAULT_FOLDER: &str = ".dacapo";

/// Where an app keeps what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// All state of the app.
    pub(crate) store: PathBuf,
    /// Compiled guests.
    pub(crate) cache: PathBuf,
}

impl Layout {
    /// Beside the manifest, unless the person chose a folder: then nothing is written outside of it.
    pub(crate) fn of(app: &str, manifest_folder: &Path, chosen: Option<&Path>) -> Layout {
        match chosen {
            Some(data) => Layout { store: data.to_owned(), cache: data.join("cache") },
            None => {
                let all = manifest_folder.join(DEFAULT_FOLDER);
                Layout { store: all.join(app), cache: all.join("cache") }
            }
        }
    }

    /// Keys of callers.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.store.join(crate::keys::FOLDER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_folder_holds_everything() {
        let manifests = Path::new("/apps");
        let default = Layout::of("trips", manifests, None);
        assert_eq!(default.store, Path::new("/apps/.dacapo/trips"));
        assert_eq!(default.cache, Path::new("/apps/.dacapo/cache"));
        let chosen = Layout::of("trips", manifests, Some(Path::new("/var/trips")));
        assert_eq!(chosen.store, Path::new("/var/trips"));
        assert_eq!(chosen.cache, Path::new("/var/trips/cache"));
    }
}
