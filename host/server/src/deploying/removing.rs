//! Removing an app with all its state. Whoever has instances under way must say that they may go.

use orchestration::RuntimeStatus;
use ports::{InstanceQuery, InstanceStore};
use serde::Serialize;
use std::path::Path;
use std::sync::PoisonError;

use super::{Deployer, Failed, blocking, lock};

/// Instances that are told one by one.
const MAX_TOLD_INSTANCES: usize = 5;

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Removed {
    /// The app.
    pub(crate) app: String,
    /// How many of its instances had not ended.
    pub(crate) instances: u64,
}

impl Deployer {
    /// Stops serving an app, and removes it with its task hub, queues and tables. What it has begun may end first.
    ///
    /// # Errors
    /// There is no such app; instances have not ended, and that is not accepted; or the disk refuses.
    pub(crate) async fn remove(&self, app: &str, with_instances: bool) -> Result<Removed, Failed> {
        let changing = self.host.changing().await;
        let hosted = self.hosted(app)?;
        let name = hosted.name.clone();
        let (instances, examples) = under_way(hosted.store.as_ref()).await?;
        if instances > 0 && !with_instances {
            let message = format!(
                "{instances} instances of '{name}' have not ended, and would be lost; wait for them, terminate them, or force it"
            );
            return Err(Failed::conflict("InstancesRunning", &message, examples));
        }
        let deployments = self.deployments(&name).await?;
        // From here on the next start does not serve it.
        blocking(move || lock(&deployments).remove_all()).await??;
        self.host.withdraw(&hosted, &changing).await;
        hosted.close().await.map_err(Failed::host)?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
        if let Some(folder) = hosted.folder.clone() {
            blocking(move || remove_folder(&folder)).await?.map_err(|error| Failed::host(error.into()))?;
        }
        tracing::info!(app = name, instances, "the app was removed");
        Ok(Removed { app: name, instances })
    }
}

/// Another app of that name may come while the files go.
fn remove_folder(folder: &Path) -> std::io::Result<()> {
    let mut gone = folder.file_name().unwrap_or_default().to_owned();
    gone.push(".removed");
    let gone = folder.with_file_name(gone);
    if gone.exists() {
        std::fs::remove_dir_all(&gone)?;
    }
    std::fs::rename(folder, &gone)?;
    std::fs::remove_dir_all(gone)
}

/// How many instances have not ended, and some of them.
async fn under_way(store: &dyn InstanceStore) -> Result<(u64, Vec<String>), Failed> {
    let mut query = InstanceQuery {
        statuses: vec![RuntimeStatus::Pending, RuntimeStatus::Running, RuntimeStatus::Suspended],
        kind: ports::InstanceKind::Orchestrations,
        ..InstanceQuery::default()
    };
    let (mut count, mut examples) = (0, Vec::new());
    loop {
        let page = store.query(&query).await.map_err(|error| Failed::host(error.into()))?;
        count += page.instances.len() as u64;
        let room = MAX_TOLD_INSTANCES.saturating_sub(examples.len());
        examples.extend(page.instances.iter().take(room).map(|view| format!("{} ({})", view.row.id, view.row.name)));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok((count, examples)),
        }
    }
}
