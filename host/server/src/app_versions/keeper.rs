//! Which versions of one app are kept, and which may go: the owner of the app's [archive](AppArchive), one for as long as the
//! app is served. The generations of the app share it.
//!
//! A version is needed while somebody holds it ([`KeptVersion`]), as each generation does with its own and a deploy with the
//! one that it prepares; and while an instance is pinned to it that may run again.

use anyhow::Context;
use futures::future::{Either, select};
use orchestration::Timestamp;
use ports::{Clock, InstanceStore};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;

use super::OlderVersions;
use super::archive::{AppArchive, ComponentBytes};
use super::record::AppRecord;
use crate::shutdown::Stopping;

/// How often it is looked whether the last instance of an older version has ended, while there are older ones. A look costs
/// one seek in an index per version.
pub(super) const OLDER_INTERVAL: Duration = Duration::from_secs(5);

/// How often versions that nobody needs any more are looked for otherwise: after a look that failed, and against surprises.
/// Whatever this process does to its versions wakes the keeper.
pub(super) const IDLE_INTERVAL: Duration = Duration::from_secs(3_600);

/// See the module.
pub(crate) struct ArchiveKeeper {
    archive: AppArchive,
    /// Held while versions are written or removed, so that no component is removed that was just found to be there already.
    writing: Mutex<()>,
    /// By digest: how many hold it. Grows only under `writing`.
    held: Mutex<BTreeMap<String, usize>>,
    /// What the generations have in memory of older versions.
    in_memory: Mutex<Vec<Weak<OlderVersions>>>,
    changed: Notify,
}

/// A version that is kept, at least for as long as this value lives.
pub(crate) struct KeptVersion {
    digest: String,
    keeper: Arc<ArchiveKeeper>,
}

/// What one look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    /// Versions that nobody holds are left for their instances.
    OlderAreNeeded,
    /// There are none.
    NoneIsOlder,
}

impl ArchiveKeeper {
    /// Nothing is read yet.
    pub(crate) fn new(archive: AppArchive) -> Arc<ArchiveKeeper> {
        Arc::new(ArchiveKeeper {
            archive,
            writing: Mutex::default(),
            held: Mutex::default(),
            in_memory: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// What is kept.
    pub(crate) fn archive(&self) -> &AppArchive {
        &self.archive
    }

    /// Keeps a version from here on; `sources` are the bytes of its components by their names. On disk it is durable when this
    /// returns. Holding a version that is kept already is cheap.
    ///
    /// # Errors
    /// As [`AppArchive::keep`].
    pub(crate) async fn keep(
        self: &Arc<Self>,
        digest: String,
        record: AppRecord,
        sources: BTreeMap<String, ComponentBytes>,
    ) -> anyhow::Result<KeptVersion> {
        let keeper = self.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let _writing = unpoisoned(&keeper.writing);
            let version = keeper.hold(digest);
            keeper.archive.keep(&version.digest, &record, &sources)?;
            Ok(version)
        });
        kept.await.context("keeping the app failed")?
    }

    fn hold(self: &Arc<Self>, digest: String) -> KeptVersion {
        *unpoisoned(&self.held).entry(digest.clone()).or_default() += 1;
        self.changed.notify_one();
        KeptVersion { digest, keeper: self.clone() }
    }

    /// The digests of the versions that somebody holds.
    pub(super) fn held(&self) -> BTreeSet<String> {
        unpoisoned(&self.held).keys().cloned().collect()
    }

    /// From here on these versions leave the memory, too, when nobody needs them.
    pub(super) fn forgets_in(&self, older: &Arc<OlderVersions>) {
        let mut in_memory = unpoisoned(&self.in_memory);
        in_memory.retain(|older| older.strong_count() > 0);
        in_memory.push(Arc::downgrade(older));
    }

    /// Until the host stops: removes versions from disk and memory that nobody needs any more.
    pub(crate) async fn keep_clean(
        self: Arc<Self>,
        store: Arc<dyn InstanceStore>,
        clock: Arc<dyn Clock>,
        stopping: Stopping,
    ) {
        loop {
            let pause = match self.clean(store.as_ref()).await {
                Ok(Looked::OlderAreNeeded) => OLDER_INTERVAL,
                Ok(Looked::NoneIsOlder) => IDLE_INTERVAL,
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "older versions of the app are kept for now");
                    IDLE_INTERVAL
                }
            };
            let pause = self.changed_or(clock.now().saturating_add(pause), clock.as_ref());
            if let Either::Left(_) = select(stopping.clone(), Box::pin(pause)).await {
                return;
            }
        }
    }

    async fn changed_or(&self, moment: Timestamp, clock: &dyn Clock) {
        select(Box::pin(self.changed.notified()), clock.sleep_until(moment)).await;
    }

    /// One look at what is needed, and the removal of everything else.
    pub(super) async fn clean(self: &Arc<Self>, store: &dyn InstanceStore) -> anyhow::Result<Looked> {
        let pinned = store.pinned_apps().await.context("it cannot be told which are needed")?;
        let pinned: BTreeSet<String> = pinned.into_iter().collect();
        let looked = if pinned.is_subset(&self.held()) { Looked::NoneIsOlder } else { Looked::OlderAreNeeded };
        let keeper = self.clone();
        let removed = tokio::task::spawn_blocking(move || keeper.remove_all_but(pinned)).await;
        let removed = removed.context("the cleaning failed")?.context("some of them cannot be removed")?;
        if !removed.is_empty() {
            tracing::info!(?removed, "removed versions of the app that no instance needs any more");
        }
        Ok(looked)
    }

    /// An instance is pinned by a generation that holds its version, or by another instance that is pinned to the same: a
    /// version that nobody holds and that was not pinned a moment ago is not pinned now.
    fn remove_all_but(&self, pinned: BTreeSet<String>) -> std::io::Result<Vec<String>> {
        let _writing = unpoisoned(&self.writing);
        let needed: BTreeSet<String> = pinned.into_iter().chain(self.held()).collect();
        for older in unpoisoned(&self.in_memory).iter().filter_map(Weak::upgrade) {
            older.forget_all_but(&needed);
        }
        self.archive.clean(&needed)
    }
}

impl KeptVersion {
    /// The app digest.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// Who keeps it.
    pub(crate) fn keeper(&self) -> &Arc<ArchiveKeeper> {
        &self.keeper
    }
}

impl Drop for KeptVersion {
    fn drop(&mut self) {
        let mut held = unpoisoned(&self.keeper.held);
        if let Some(count) = held.get_mut(&self.digest) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.digest);
            }
        }
        drop(held);
        self.keeper.changed.notify_one();
    }
}

impl std::fmt::Debug for KeptVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptVersion").field("digest", &self.digest).finish_non_exhaustive()
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
