//! What of an app stays while its versions come and go: its store, the versions that are kept of it, what it has used.

use anyhow::Context;
use orchestration::Timestamp;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use triggers::timer::TimerTurns;

use crate::app_versions::{AppArchive, ArchiveKeeper};
use crate::metering::Metering;
use crate::shutdown::{Stop, Stopping};
use crate::wiring;

/// See the module.
pub(crate) struct HostedApp {
    /// The app's name.
    pub(crate) name: String,
    /// Its task hub, queues and tables.
    pub(crate) store: Arc<storage::TaskHub>,
    /// Its versions.
    pub(crate) keeper: Arc<ArchiveKeeper>,
    /// What its functions have used.
    pub(crate) metering: Arc<Metering>,
    /// Who follows the schedules of its timers.
    pub(crate) timer_turns: Arc<TimerTurns>,
    /// Where its state is on disk; none: in memory.
    pub(crate) folder: Option<PathBuf>,
    /// Ends what lives as long as the app is here.
    stop: Mutex<Option<Stop>>,
    /// Hears it.
    pub(crate) stopping: Stopping,
    /// When this host took it up.
    pub(crate) since: Timestamp,
}

impl HostedApp {
    /// Opens the state of an app in a folder, or begins one in memory.
    ///
    /// # Errors
    /// Another host works on the folder, or it cannot be read or written.
    pub(crate) fn open_store(
        app: &manifest::App,
        folder: Option<&std::path::Path>,
    ) -> anyhow::Result<Arc<storage::TaskHub>> {
        wiring::open_store(folder, &app.host.storage)
    }

    /// The app over a store that was opened for it.
    ///
    /// # Errors
    /// What its functions have used cannot be read.
    pub(crate) async fn over(
        app: &manifest::App,
        store: Arc<storage::TaskHub>,
        folder: Option<PathBuf>,
        since: Timestamp,
    ) -> anyhow::Result<HostedApp> {
        let functions = app.functions.iter().map(|function| function.name.as_str());
        let metering = Metering::open(&app.name, functions, store.clone()).await;
        let metering = metering.context("what functions have used cannot be read")?;
        let archive = match &folder {
            Some(folder) => AppArchive::in_folder(folder.clone()),
            None => AppArchive::in_memory(),
        };
        let (stop, stopping) = Stop::new();
        Ok(HostedApp {
            name: app.name.clone(),
            store,
            keeper: ArchiveKeeper::new(archive),
            metering: Arc::new(metering),
            timer_turns: Arc::default(),
            folder,
            stop: Mutex::new(Some(stop)),
            stopping,
            since,
        })
    }

    /// What lives as long as the app is to end.
    pub(super) fn stop(&self) {
        drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Writes what is only in memory, and closes the store.
    ///
    /// # Errors
    /// The last write failed.
    pub(crate) async fn close(&self) -> anyhow::Result<()> {
        self.metering.save().await;
        let store = self.store.clone();
        // The last write may take a moment, and it must not hold up the second Ctrl+C.
        tokio::task::spawn_blocking(move || store.close()).await.context("closing the store failed")
    }
}
