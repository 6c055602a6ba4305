//! Putting the host together: one function per subsystem, and the set of tasks that is the running host.

use anyhow::anyhow;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use tokio::task::JoinSet;

use crate::data_folder::Layout;
use crate::exit::Problem;
use crate::manifest_file::LocatedApp;
use crate::settings::AppSettings;
use crate::shutdown::{Stop, Stopping};

/// What is to be served, and where.
pub(crate) struct Site {
    /// The app and its manifest's folder.
    pub(crate) located: LocatedApp,
    /// What functions see as their environment.
    pub(crate) settings: AppSettings,
    /// Where the listener listens.
    pub(crate) address: SocketAddr,
    /// Where state is kept.
    pub(crate) storage: Storage,
}

/// Where state is kept.
pub(crate) enum Storage {
    /// Nowhere; compiled guests go to `cache`.
    Memory {
        /// A folder for compiled guests.
        cache: PathBuf,
    },
    /// In a folder that this process has claimed.
    Folder(Layout),
}

/// A host that serves. Dropping it ends every task at its next wait.
pub(crate) struct Running {
    tasks: JoinSet<()>,
    stop: Option<Stop>,
}

pub(crate) async fn start(site: &Site, listener: TcpListener) -> Result<Running, Problem> {
    let (stop, stopping) = Stop::new();
    let mut tasks = JoinSet::new();
    Ok(Running { tasks, stop: Some(stop) })
}

impl Running {
    /// Completes when a task ends that should not have ended.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Err(error)) => anyhow!("a part of the host failed: {error}"),
            Some(Ok(())) => anyhow!("a part of the host ended by itself"),
            None => std::future::pending().await,
        }
    }

    /// Takes no new work, and waits for what runs.
    pub(crate) async fn drain(&mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            stop.ask();
        }
        let mut outcome = Ok(());
        while let Some(joined) = self.tasks.join_next().await {
            if let Err(error) = joined {
                outcome = Err(anyhow!("a part of the host failed while it ended: {error}"));
            }
        }
        outcome
    }
}
