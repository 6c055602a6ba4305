//! The apps of the author: what is deployed one after the other. Versions only grow; a digest stands for the code.

use orchestration::{MatchStrategy, PresentApp, VersionGate};
use std::sync::{Arc, Mutex, PoisonError};

/// One app as it is deployed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct App {
    /// Which code it has.
    pub(crate) digest: &'static str,
    /// Its version.
    pub(crate) version: &'static str,
}

/// All apps, oldest first: the second is the first one with another version.
pub(crate) const ALL: [App; 3] = [
    App { digest: "app-1", version: "1.0" },
    App { digest: "app-1", version: "2.0" },
    App { digest: "app-2", version: "3.0" },
];

impl App {
    /// As the engine is told.
    pub(crate) fn present(self) -> PresentApp {
        PresentApp { digest: Some(self.digest.to_owned()), default_version: Some(self.version.to_owned()) }
    }

    /// Which instances it takes.
    pub(crate) fn gate(self) -> VersionGate {
        VersionGate { worker: Some(self.version.to_owned()), strategy: MatchStrategy::CurrentOrOlder }
    }
}

/// Which app runs. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Deployed(Arc<Mutex<usize>>);

impl Deployed {
    /// The app of the next process.
    pub(crate) fn app(&self) -> App {
        ALL[*self.0.lock().unwrap_or_else(PoisonError::into_inner)]
    }

    /// Deploys one. Answers whether it is another one than before.
    pub(crate) fn deploy(&self, place: usize) -> bool {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = place > *current && place < ALL.len();
        if is_new {
            *current = place;
        }
        is_new
    }
}
