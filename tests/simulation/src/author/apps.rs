//! The apps of the author: what is deployed one after the other. Versions only grow; a digest stands for the code.

use orchestration::{MatchStrategy, PresentApp, VersionGate};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The digest of the first app.
pub(crate) const FIRST: &str = "app-1";

/// One app as it is deployed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct App {
    /// Which code it has.
    pub(crate) digest: &'static str,
    /// Its version.
    pub(crate) version: &'static str,
}

/// What is deployed at a time: the digests are of the same code, built again and again.
struct Release {
    builds: [&'static str; 3],
    version: &'static str,
}

/// All of them, oldest first: the second is the first one with another version.
const ALL: [Release; 3] = [
    Release { builds: [FIRST, "app-1.b", "app-1.c"], version: "1.0" },
    Release { builds: [FIRST, "app-1.b", "app-1.c"], version: "2.0" },
    Release { builds: ["app-2", "app-2.b", "app-2.c"], version: "3.0" },
];

/// The code of an app, whatever build of it.
pub(crate) fn code(digest: &str) -> &str {
    digest.split('.').next().unwrap_or(digest)
}

impl App {
    /// As the engine is told; instances are pinned to it, unless they always run on the latest one.
    pub(crate) fn present(self, pins: bool) -> PresentApp {
        let digest = pins.then(|| self.digest.to_owned());
        PresentApp { digest, default_version: Some(self.version.to_owned()) }
    }

    /// Which instances it takes.
    pub(crate) fn gate(self) -> VersionGate {
        VersionGate { worker: Some(self.version.to_owned()), strategy: MatchStrategy::CurrentOrOlder }
    }
}

/// Which app runs. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Deployed(Arc<Mutex<Place>>);

#[derive(Default)]
struct Place {
    release: usize,
    build: usize,
}

impl Deployed {
    /// The app of the next process or generation.
    pub(crate) fn app(&self) -> App {
        let Place { release, build } = *self.lock();
        App { digest: ALL[release].builds[build], version: ALL[release].version }
    }

    /// Deploys one. Answers whether it is another one than before.
    pub(crate) fn deploy(&self, release: usize) -> bool {
        let mut current = self.lock();
        let is_new = release > current.release && release < ALL.len();
        if is_new {
            *current = Place { release, build: 0 };
        }
        is_new
    }

    /// Deploys the same code once more, under another digest. After a few times it is the first one again.
    pub(crate) fn rebuild(&self) {
        let mut current = self.lock();
        current.build = (current.build + 1) % ALL[current.release].builds.len();
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
