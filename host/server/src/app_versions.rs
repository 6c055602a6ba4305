//! Every version of the app that an instance may be pinned to: the present one, and older ones that are loaded when an
//! instance has work for them.
//!
//! Each generation of the app has its own [`AppVersions`], above the one [`ArchiveKeeper`] of the app. Behind the ports of orchestrators, activities and entities, it picks the version that a call is for; entities are never pinned. It
//! also is where the host's own activity, the durable HTTP request, is told apart from the app's.

mod alive;
mod archive;
mod keeper;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use alive::AliveVersion;
pub(crate) use archive::{AppArchive, ComponentBytes};
pub(crate) use keeper::{ArchiveKeeper, KeptVersion};
pub(crate) use record::{AppRecord, kind, timeouts};

use async_trait::async_trait;
use guest::{App, Binding, Component, ComponentSource, Runtime};
use manifest::OutboundHost;
use orchestration::{ActivityTask, EntityOutcome, Failure, HttpCall, Json, Timeouts};
use ports::{
    Activities, ActivityInvocation, DurableClient, Entities, EntityBatch, GuestFault, Meter, Orchestrator,
    Orchestrators,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;
use triggers::activity::{ActivityBindings, ActivityParts};
use triggers::bindings::BindingSetupError;

use crate::durable_http::DurableHttp;

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
    /// The present version stays for as long as this generation may start instances on it.
    kept: KeptVersion,
    older: Arc<OlderVersions>,
    loader: Loader,
    http: DurableHttp,
    /// Versions that were missed, so that each is complained of once.
    missed: Mutex<BTreeSet<String>>,
}

/// Versions besides the present one, by digest.
#[derive(Default)]
struct OlderVersions(Mutex<BTreeMap<String, Arc<Older>>>);

/// A version that is in the archive, and loaded once it was needed.
struct Older {
    record: AppRecord,
    version: OnceCell<Arc<Version>>,
}

impl OlderVersions {
    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Older>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_all_but(&self, needed: &BTreeSet<String>) {
        self.known().retain(|digest, _| needed.contains(digest));
    }
}

impl AppVersions {
    /// `kept` is the present version.
    pub(crate) fn new(present: Version, kept: KeptVersion, loader: Loader, http: DurableHttp) -> AppVersions {
        debug_assert_eq!(kept.digest(), present.app.digest(), "the version that is kept is the one that is served");
        let records = kept.keeper().archive().records().into_iter();
        let older = records.filter(|(digest, _)| digest != present.app.digest());
        let older = older.map(|(digest, record)| (digest, Arc::new(Older { record, version: OnceCell::new() })));
        let older = Arc::new(OlderVersions(Mutex::new(older.collect())));
        kept.keeper().forgets_in(&older);
        AppVersions { present: Arc::new(present), kept, older, loader, http, missed: Mutex::default() }
    }

    fn archive(&self) -> &AppArchive {
        self.kept.keeper().archive()
    }

    /// Older versions that instances are pinned to which may run again, in words for people. Those whose files are gone are
    /// among them, and said to be.
    pub(crate) fn describe(&self, pinned: &[String]) -> Vec<String> {
        let older = self.older.known();
        let describe = |digest: &String| match older.get(digest) {
            Some(known) => format!("{} ({})", known.record.version, shortened(digest)),
            None => format!("{} (its files are missing; its instances wait)", shortened(digest)),
        };
        pinned.iter().filter(|digest| *digest != self.present.app.digest()).map(describe).collect()
    }

    /// The version that a call is for.
    async fn version(&self, function: &str, pinned_to: Option<&str>) -> Result<Arc<Version>, GuestFault> {
        let Some(digest) = pinned_to.filter(|digest| *digest != self.present.app.digest()) else {
            return Ok(self.present.clone());
        };
        let unavailable = |message| GuestFault::Unavailable { function: function.to_owned(), message };
        let Some(older) = self.known(digest) else { return Err(unavailable(self.missing(digest))) };
        let version = older.version.get_or_try_init(|| self.load(&older.record, digest)).await;
        version.cloned().map_err(|why| unavailable(format!("its instance is pinned to the app {digest}: {why}")))
    }

    /// A version besides the present one; one that was kept later is found too, or whose files came back.
    fn known(&self, digest: &str) -> Option<Arc<Older>> {
        let mut older = self.older.known();
        if let Some(known) = older.get(digest) {
            return Some(known.clone());
        }
        let record = self.archive().record(digest)?;
        let found = Arc::new(Older { record, version: OnceCell::new() });
        older.insert(digest.to_owned(), found.clone());
        Some(found)
    }

    async fn load(&self, record: &AppRecord, digest: &str) -> Result<Arc<Version>, String> {
        let archive = self.archive();
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
        let put_back = match self.archive().folder() {
            Some(folder) => format!(" whose files are not in {}; put them back there, or", folder.display()),
            None => " which is not kept in memory;".to_owned(),
        };
        let message = format!(
            "its instance is pinned to the app {digest},{put_back} restart the instance, which then runs on the present app, or \
             terminate it"
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
                let of_function = self.known(digest).map(|older| older.record.timeouts(&task.name)).unwrap_or_default();
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
