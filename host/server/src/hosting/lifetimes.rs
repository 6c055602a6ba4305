//! How long versions of an app live: what still runs of each of them, and what can be waited for.

use futures::FutureExt;
use futures::future::join_all;
use tokio::task::AbortHandle;

use crate::shutdown::{Stop, Stopping};

/// Is part of a version as requests reach it, and ends with the last request that found it.
pub(crate) struct Life {
    _ends_with_this: Stop,
    ended: Stopping,
}

impl Life {
    /// Of a version that nobody has found yet.
    pub(crate) fn new() -> Life {
        let (stop, ended) = Stop::new();
        Life { _ends_with_this: stop, ended }
    }

    fn ended(&self) -> Stopping {
        self.ended.clone()
    }
}

/// A version that was begun.
pub(super) struct Version {
    /// Completes when no request is under way that found it.
    answered: Stopping,
    /// Completes when its listeners have ended.
    listened: Stopping,
    listeners: AbortHandle,
}

impl Version {
    pub(super) fn new(life: &Life, listened: Stopping, listeners: AbortHandle) -> Version {
        Version { answered: life.ended(), listened, listeners }
    }

    /// Whether something that it has taken by itself is not finished.
    pub(super) fn is_at_work(&self) -> bool {
        self.listened.clone().now_or_never().is_none()
    }

    fn is_over(&self) -> bool {
        !self.is_at_work() && self.answered.clone().now_or_never().is_some()
    }
}

/// The versions of one app that were begun, the present one last.
#[derive(Default)]
pub(super) struct Versions(Vec<Version>);

impl Versions {
    /// This one is the present one from now on. Those that are over are not remembered any longer.
    pub(super) fn followed_by(&mut self, version: Version) {
        self.0.retain(|version| !version.is_over());
        self.0.push(version);
    }

    /// Whether a version before the present one is not finished with what it has taken by itself.
    pub(super) fn older_are_at_work(&self) -> bool {
        self.0.split_last().is_some_and(|(_present, older)| older.iter().any(Version::is_at_work))
    }

    /// Completes when nothing runs of any of them.
    pub(super) async fn over(&self) {
        join_all(self.0.iter().flat_map(|version| [version.answered.clone(), version.listened.clone()])).await;
    }

    /// What still listens ends at its next wait.
    pub(super) fn give_up(&self) {
        self.0.iter().for_each(|version| version.listeners.abort());
    }
}
