//! Removing an app with all its state. Whoever has instances under way must say that they may go.

use orchestration::RuntimeStatus;
use ports::{InstanceQuery, InstanceStore};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;

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
        let name = self.deployed(app).await?;
        let deployments = self.deployments(&name).await?;
        let Some(hosted) = self.host.hosted(&name) else {
            if !with_instances {
                let message = format!(
                    "'{name}' is deployed and could not be served, so that nobody can tell how many of its instances have not \
                     ended; deploy a version that works, or force it"
                );
                return Err(Failed::conflict("AppNotServed", &message, Vec::new()));
            }
            let functions = self.functions_of(&name).await;
            blocking(move || lock(&deployments).remove_app()).await??;
            self.forget_deployments(&name);
            self.forget_keys(functions).await;
            return Ok(Removed { app: name, instances: 0 });
        };
        let (instances, examples) = under_way(hosted.store.as_ref()).await?;
        if instances > 0 && !with_instances {
            return Err(Failed::conflict("InstancesRunning", &would_be_lost(&name, instances), examples));
        }
        let functions = self.functions_of(&name).await;
        self.host.withdraw(&hosted, &changing).await;
        hosted.close().await.map_err(Failed::host)?;
        // In this step it is removed; up to here, a host that dies serves it again when it is started.
        blocking(move || lock(&deployments).remove_app()).await??;
        self.forget_deployments(&name);
        self.forget_keys(functions).await;
        tracing::info!(app = name, instances, "the app was removed");
        Ok(Removed { app: name, instances })
    }

    /// The functions of every version of an app that is kept, as far as these can be read.
    async fn functions_of(&self, app: &str) -> BTreeSet<String> {
        let Some(deployments) = self.known(app) else { return BTreeSet::new() };
        let folders: Vec<(String, PathBuf)> = {
            let deployments = lock(&deployments);
            let kept = deployments.list().iter();
            kept.map(|one| (one.version.clone(), deployments.folder_of(&one.bundle))).collect()
        };
        let mut functions = BTreeSet::new();
        for (version, folder) in folders {
            if let Ok(edition) = self.edition(app, &version, folder).await {
                functions.extend(edition.located.app.functions.into_iter().map(|function| function.name));
            }
        }
        functions
    }

    /// A later app may have functions of the same names: whoever has a key of these must not be let in by those.
    async fn forget_keys(&self, functions: BTreeSet<String>) {
        let keys = self.host.surroundings.access.keys.clone();
        let forgotten = blocking(move || keys.forget(functions.iter().map(String::as_str))).await;
        let forgotten = forgotten.and_then(|forgotten| forgotten.map_err(|error| Failed::host(error.into())));
        if let Err(failure) = forgotten {
            tracing::warn!(why = failure.message, "keys of functions that were removed with their app are still there");
        }
    }
}

fn would_be_lost(app: &str, instances: u64) -> String {
    match instances {
        1 => format!("1 instance of '{app}' has not ended, and would be lost; wait for it, terminate it, or force it"),
        n => format!(
            "{n} instances of '{app}' have not ended, and would be lost; wait for them, terminate them, or force it"
        ),
    }
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
