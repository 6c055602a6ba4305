//! Every version of the app that an instance may be pinned to: the present one, and older ones that are loaded when an
//! instance has work for them.
//!
//! Behind the ports of orchestrators, activities and entities, it picks the version that a call is for; entities are never pinned. It
//! also is where the host's own activity, the durable HTTP request, is told apart from the app's.

mod archive;
#[cfg(test)]
mod tests;

pub(crate) use archive::{AppArchive, AppRecord, kind, timeouts};

use async_trait::async_trait;
use futures::future::{Either, select};
use guest::{App, Binding, Component, ComponentSource, Runtime};
use manifest::OutboundHost;
use orchestration::{ActivityTask, EntityOutcome, Failure, HttpCall, Json, Timeouts};
use ports::{
    Activities, ActivityInvocation, Clock, DurableClient, Entities, EntityBatch, GuestFault, InstanceStore, Meter,
    Orchestrator, Orchestrators,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use triggers::activity::{ActivityBindings, ActivityParts};
use triggers::bindings::BindingSetupError;

use crate::durable_http::DurableHttp;
use crate::shutdown::Stopping;

/// How often versions that nobody needs any more are looked for. They only take space on disk.
const CLEANING_INTERVAL: Duration = Duration::from_secs(3_600);

/// How much of a digest people get to see: enough to tell versions apart.
const SHOWN_DIGEST_CHARS: usize = 12;

/// What an older version is loaded with; the present one was loaded with the same.
pub(crate) struct Loader {
    /// Runs the guests.
    pub(crate) runtime: Runtime,
    /// What functions see as environment variables. Settings are not part of a version.
    pub(crate) environment: Vec<(String, String)>,
    /// What functions start and steer orchestrations with.
    pub(crate) client: Arc<dyn DurableClient>,
    /// Counts what functions use.
    pub(crate) meter: Option<Arc<dyn Meter>>,
    /// Where the bindings of activities lead; none: activities have none.
    pub(crate) bindings: Option<BindingLoader>,
}

/// What the bindings of an older version are made with. Where its connections lead is said by the settings of today.
pub(crate) struct BindingLoader {
    /// Accounts, starts of orchestrations, time and chance.
    pub(crate) parts: ActivityParts,
    /// The app settings.
    pub(crate) settings: BTreeMap<String, String>,
}

impl BindingLoader {
    /// The bindings of the activities of an app.
    ///
    /// # Errors
    /// Every connection that leads nowhere.
    pub(crate) fn load(&self, app: &manifest::App) -> Result<ActivityBindings, Vec<BindingSetupError>> {
        ActivityBindings::new(app, self.parts.clone())
    }
}

/// A version in memory.
pub(crate) struct Version {
    /// Its functions.
    pub(crate) app: Arc<App>,
    /// What its activities are bound to; none: nothing.
    pub(crate) activities: Option<ActivityBindings>,
}

/// See the module.
pub(crate) struct AppVersions {
    present: Arc<Version>,
    older: Mutex<BTreeMap<String, Arc<Older>>>,
    /// None: nothing outlives this process, and so there is nothing older.
    archive: Option<AppArchive>,
    loader: Loader,
    http: DurableHttp,
    /// Versions that were missed, so that each is complained of once.
    missed: Mutex<BTreeSet<String>>,
}

/// A version that is on disk, and in memory once it was needed.
struct Older {
    record: AppRecord,
    version: OnceCell<Arc<Version>>,
}

impl AppVersions {
    /// `present` must be in the archive already.
    pub(crate) fn new(present: Version, archive: Option<AppArchive>, loader: Loader, http: DurableHttp) -> AppVersions {
        let records = archive.as_ref().map(AppArchive::records).unwrap_or_default();
        let older = records.into_iter().filter(|(digest, _)| digest != present.app.digest());
        let older = older.map(|(digest, record)| (digest, Arc::new(Older { record, version: OnceCell::new() })));
        AppVersions {
            older: Mutex::new(older.collect()),
            present: Arc::new(present),
            archive,
            loader,
            http,
            missed: Mutex::default(),
        }
    }

    /// Older versions that instances are pinned to which may run again, in words for people. Those whose files are gone are
    /// among them, and said to be.
    pub(crate) fn describe(&self, pinned: &[String]) -> Vec<String> {
        let older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
        let describe = |digest: &String| match older.get(digest) {
            Some(known) => format!("{} ({})", known.record.version, shortened(digest)),
            None => format!("{} (its files are missing; its instances wait)", shortened(digest)),
        };
        pinned.iter().filter(|digest| *digest != self.present.app.digest()).map(describe).collect()
    }

    /// Until the host stops: removes versions from disk and memory that no instance may run on any more.
    pub(crate) async fn keep_clean(
        self: Arc<Self>,
        store: Arc<dyn InstanceStore>,
        clock: Arc<dyn Clock>,
        stopping: Stopping,
    ) {
        loop {
            self.clean(store.as_ref()).await;
            let next = clock.sleep_until(clock.now().saturating_add(CLEANING_INTERVAL));
            if let Either::Left(_) = select(stopping.clone(), next).await {
                return;
            }
        }
    }

    async fn clean(&self, store: &dyn InstanceStore) {
        let Some(archive) = &self.archive else { return };
        let needed: BTreeSet<String> = match store.pinned_apps().await {
            Ok(pinned) => pinned.into_iter().chain([self.present.app.digest().to_owned()]).collect(),
            Err(error) => {
                tracing::warn!(%error, "older versions of the app are kept for now: it cannot be told which are needed");
                return;
            }
        };
        self.older.lock().unwrap_or_else(PoisonError::into_inner).retain(|digest, _| needed.contains(digest));
        match archive.clean(&needed) {
            Ok(removed) if removed.is_empty() => {}
            Ok(removed) => tracing::info!(?removed, "removed versions of the app that no instance needs any more"),
            Err(error) => tracing::warn!(%error, "versions of the app that nobody needs cannot be removed"),
        }
    }

    /// The version that a call is for.
    async fn version(&self, function: &str, pinned_to: Option<&str>) -> Result<Arc<Version>, GuestFault> {
        let Some(digest) = pinned_to.filter(|digest| *digest != self.present.app.digest()) else {
            return Ok(self.present.clone());
        };
        let unavailable = |message| GuestFault::Unavailable { function: function.to_owned(), message };
        let (Some(archive), Some(older)) = (&self.archive, self.known(digest)) else {
            return Err(unavailable(self.missing(digest)));
        };
        let version = older.version.get_or_try_init(|| self.load(&older.record, digest, archive)).await;
        version.cloned().map_err(|why| unavailable(format!("its instance is pinned to the app {digest}: {why}")))
    }

    /// An older version; one whose files came back since the start is found too.
    fn known(&self, digest: &str) -> Option<Arc<Older>> {
        let mut older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = older.get(digest) {
            return Some(known.clone());
        }
        let record = self.archive.as_ref()?.record(digest)?;
        let found = Arc::new(Older { record, version: OnceCell::new() });
        older.insert(digest.to_owned(), found.clone());
        Some(found)
    }

    async fn load(&self, record: &AppRecord, digest: &str, archive: &AppArchive) -> Result<Arc<Version>, String> {
        let mut components: BTreeMap<&str, Arc<Component>> = BTreeMap::new();
        for (name, kept) in &record.components {
            let wasm = archive.component(&kept.digest)?;
            let source = ComponentSource {
                name: name.clone(),
                path: archive.component_path(&kept.digest),
                build_command: None,
                allowed_hosts: kept.allowed_outbound_hosts()?,
            };
            let loaded = self.loader.runtime.load_bytes(source, wasm).await.map_err(|error| error.to_string())?;
            components.insert(name, loaded);
        }
        let bindings: Result<Vec<Binding>, String> =
            record.functions.iter().map(|function| function.binding(&components)).collect();
        let (mut bindings, mut activities) = (bindings?, None);
        if let Some((app, bound)) = self.bound(record)? {
            bindings.iter_mut().for_each(|binding| name_what_is_bound(binding, &app));
            activities = Some(bound);
        }
        let Loader { runtime, environment, client, meter, .. } = &self.loader;
        let app = App::new(runtime, bindings, environment.clone(), client.clone(), meter.clone())
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        if app.digest() != digest {
            return Err(format!("what is kept of it makes the app {} instead", app.digest()));
        }
        tracing::info!(version = %record.version, %digest, "an older version of the app is loaded for its instances");
        Ok(Arc::new(Version { app: Arc::new(app), activities }))
    }

    /// What the activities of an older version are bound to, by the manifest that it was loaded from.
    fn bound(&self, record: &AppRecord) -> Result<Option<(manifest::App, ActivityBindings)>, String> {
        let (Some(loader), Some(manifest)) = (&self.loader.bindings, &record.manifest) else { return Ok(None) };
        let setting = |name: &str| loader.settings.get(name).cloned();
        let app = manifest::parse(manifest, "its manifest", &setting).map_err(|problems| problems.to_string())?;
        let several =
            |errors: Vec<BindingSetupError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let bound = loader.load(&app).map_err(several)?;
        Ok(Some((app, bound)))
    }

    fn missing(&self, digest: &str) -> String {
        let place = match &self.archive {
            Some(archive) => format!("are not in {}; put them back there", archive.folder().display()),
            None => "are not kept in memory".to_owned(),
        };
        let message = format!(
            "its instance is pinned to the app {digest}, whose files {place}, or restart the instance, which then runs on the \
             present app, or terminate it"
        );
        if self.missed.lock().unwrap_or_else(PoisonError::into_inner).insert(digest.to_owned()) {
            tracing::warn!(function = "host", "an instance cannot go on: {message}");
        }
        message
    }

    /// Where the calling orchestrator may send requests.
    async fn hosts(&self, task: &ActivityTask) -> Result<Vec<OutboundHost>, GuestFault> {
        let version = self.version(&task.caller, task.pinned_to.as_deref()).await?;
        Ok(version.app.outbound_hosts(&task.caller).to_vec())
    }
}

#[async_trait]
impl Orchestrators for AppVersions {
    fn names(&self) -> Vec<String> {
        Orchestrators::names(self.present.app.as_ref())
    }

    async fn begin(&self, name: &str, pinned_to: Option<&str>) -> Result<Box<dyn Orchestrator>, GuestFault> {
        self.version(name, pinned_to).await?.app.begin(name, pinned_to).await
    }
}

#[async_trait]
impl Activities for AppVersions {
    fn timeouts(&self, task: &ActivityTask) -> Timeouts {
        // It has a timeout of its own, with a failure of its own.
        if task.name == HttpCall::ACTIVITY {
            return task.timeouts;
        }
        match task.pinned_to.as_deref().filter(|digest| *digest != self.present.app.digest()) {
            None => self.present.app.timeouts(task),
            Some(digest) => {
                let older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
                let of_function = older.get(digest).map(|older| older.record.timeouts(&task.name)).unwrap_or_default();
                let default = self.loader.runtime.settings().function_timeout;
                Timeouts {
                    run: task.timeouts.run.or(of_function.run).or(default),
                    heartbeat: task.timeouts.heartbeat.or(of_function.heartbeat),
                }
            }
        }
    }

    async fn run(&self, invocation: ActivityInvocation) -> Result<Result<Json, Failure>, GuestFault> {
        let task = &invocation.task;
        if task.name == HttpCall::ACTIVITY {
            let hosts = self.hosts(task).await?;
            return Ok(self.http.run(task, &hosts).await);
        }
        let version = self.version(&task.name, task.pinned_to.as_deref()).await?;
        match &version.activities {
            Some(bindings) => {
                let task = task.clone();
                bindings.run(&task, |inputs| version.app.run_activity(invocation, inputs)).await
            }
            None => Activities::run(version.app.as_ref(), invocation).await,
        }
    }
}

#[async_trait]
impl Entities for AppVersions {
    fn names(&self) -> Vec<String> {
        Entities::names(self.present.app.as_ref())
    }

    async fn run(&self, batch: EntityBatch) -> Result<EntityOutcome, GuestFault> {
        Entities::run(self.present.app.as_ref(), batch).await
    }
}

/// What a function may ask for and give, by its manifest.
fn name_what_is_bound(binding: &mut Binding, app: &manifest::App) {
    let Some(function) = app.function(&binding.function) else { return };
    binding.inputs = function.inputs.iter().map(|input| input.name.clone()).collect();
    binding.outputs = function.outputs.iter().map(|output| output.name.clone()).collect();
}

/// As much of a digest as a person needs.
pub(crate) fn shortened(digest: &str) -> &str {
    digest.get(..SHOWN_DIGEST_CHARS).unwrap_or(digest)
}
