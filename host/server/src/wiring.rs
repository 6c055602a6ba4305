//! Putting the host together: one function per subsystem, and the set of tasks that is the running host.
//!
//! Parts are made in the order in which they need each other: the store, the guests, the client that both functions and the
//! management API use, the functions, the engine, and the server in front of everything.

mod services;
mod triggers;

use ::triggers::activity::ActivityParts;
use ::triggers::bindings::BindingParts;
use anyhow::{Context, anyhow};
use azure_storage::Account;
use azure_storage::endpoint::{Components, Endpoint};
use futures::future::join_all;
use guest::{Binding, BindingError, Component, ComponentSource, GuestSettings, Runtime};
use manifest::settings::{
    OverridableExistingInstanceStates, StorageSettings, VersionFailureStrategy, VersionMatchStrategy,
};
use manifest::{App, Trigger, Versioning};
use orchestration::{FailureStrategy, HttpSettings, Limits, MatchStrategy, PresentApp, Reuse, VersionGate};
use ports::{Clock, InstanceStore, Randomness};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use task_hub::TaskHub;
use tokio::task::JoinSet;

use crate::app_versions::{
    self, AppRecord, AppVersions, ArchiveKeeper, BindingLoader, ComponentBytes, KeptVersion, Loader, Version,
};
use crate::auth::{Doors, Guarded};
use crate::background::Background;
use crate::clock::{SystemClock, SystemRandomness};
use crate::cors::Cors;
use crate::durable_client::ManagedClient;
use crate::durable_http::DurableHttp;
use crate::exit::Problem;
use crate::http_server::{self, Services};
use crate::invocations::{Counted, Outstanding};
use crate::keys::KeyRing;
use crate::listeners::{Listen, Listeners};
use crate::management::ManagementUris;
use crate::manifest_file::LocatedApp;
use crate::metering::Metering;
use crate::outbound::Outbound;
use crate::settings::AppSettings;
use crate::shutdown::{Stop, Stopping};
use crate::storage_endpoint::Listening;
use crate::{listing, machine};
use services::ServiceParts;
pub(crate) use triggers::Triggers;

/// What is to be served, and where.
pub(crate) struct Site {
    /// The app and its manifest's folder.
    pub(crate) located: LocatedApp,
    /// What functions see as their environment.
    pub(crate) settings: AppSettings,
    /// Where the listener listens.
    pub(crate) address: SocketAddr,
    /// Where compiled guests are kept.
    pub(crate) cache: PathBuf,
    /// Keeps versions of the app for instances that are pinned to them.
    pub(crate) archive: Arc<ArchiveKeeper>,
    /// Who is let in, and by which keys.
    pub(crate) access: Access,
    /// Whether schedules run.
    pub(crate) with_timers: bool,
}

/// The sockets on which a host is asked.
pub(crate) struct Sockets {
    /// For functions and their management; must not block.
    pub(crate) functions: TcpListener,
    /// For clients of the storage endpoint; none: there is no endpoint.
    pub(crate) storage: Option<Listening>,
}

/// What callers must show, and which web pages may call.
pub(crate) struct Access {
    /// The keys.
    pub(crate) keys: Arc<KeyRing>,
    /// Whether they are asked for.
    pub(crate) guarded: Guarded,
    /// Web pages of other origins.
    pub(crate) cors: Option<Cors>,
}

impl Access {
    fn doors(&self) -> Doors {
        Doors::new(self.keys.clone(), self.guarded)
    }
}

/// A host that serves. Dropping it ends every task at its next wait.
pub(crate) struct Running {
    tasks: JoinSet<()>,
    store: Arc<storage::TaskHub>,
    stop: Option<Stop>,
    metering: Arc<Metering>,
    /// What starts functions besides requests.
    pub(crate) triggers: Arc<Triggers>,
    /// The present version of the app, by its digest.
    pub(crate) digest: String,
    /// Older versions that instances may still run on, for people to read.
    pub(crate) older_versions: Vec<String>,
}

/// The clock and the chance that every part shares.
struct World {
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

/// Opens the task hub in a folder, or an empty one in memory.
///
/// # Errors
/// Another host works on the folder, or it cannot be read or written.
pub(crate) fn open_store(folder: Option<&Path>, settings: &StorageSettings) -> anyhow::Result<Arc<storage::TaskHub>> {
    let settings = storage::Settings {
        id_seed: SystemRandomness.next_u128(),
        disk_reserve: settings.reserved_disk_bytes,
        ..storage::Settings::default()
    };
    let clock = Arc::new(SystemClock);
    Ok(Arc::new(match folder {
        Some(folder) => storage::embedded(folder, clock, settings)?,
        None => storage::memory(clock, settings),
    }))
}

/// Starts everything.
///
/// # Errors
/// A component is wrong, a function of the manifest is not in its component, or a connection leads nowhere.
pub(crate) async fn start(site: &Site, store: Arc<storage::TaskHub>, sockets: Sockets) -> Result<Running, Problem> {
    let world = World { clock: Arc::new(SystemClock), randomness: Arc::new(SystemRandomness) };
    let (stop, stopping) = Stop::new();
    let (runtime, components) = load_guests(site).await?;
    let bindings = bindings(site, &components)?;
    let digest = digest(site, &runtime, bindings.clone())?;
    let settings = engine_settings(&site.located.app, &digest);
    let kept = keep(site, &digest, &components).await?;
    let client = client(site, &world, store.clone(), &settings, stopping.clone());
    let outbound = Arc::new(Outbound::new(world.clock.clone()));
    let bound = triggers::binding_parts(site, &world, &store, client.clone(), outbound.clone())?;
    let metering = Arc::new(metering(site, &store).await?);
    let environment: Vec<(String, String)> = site.settings.values.clone().into_iter().collect();
    let functions = guest::App::new(&runtime, bindings, environment.clone(), client.clone(), Some(metering.clone()));
    let functions = Arc::new(functions.map_err(|errors| cannot_bind(site, &errors))?);
    let http = DurableHttp::new(outbound, settings.limits.max_payload_bytes);
    let loader = loader(site, &world, runtime, &client, &metering, &bound);
    let versions = Arc::new(versions(site, functions.clone(), kept, loader, http)?);
    let pinned = store.pinned_apps().await.map_err(|error| Problem::Host(error.into()))?;
    let outstanding = Outstanding::default();
    let functions = Arc::new(Counted::new(functions, outstanding.clone()));
    let counted = Arc::new(Counted::new(versions.clone(), outstanding.clone()));
    let hub = TaskHub::new(parts(&world, &store, &counted), settings);
    let triggers = Arc::new(triggers::triggers(site, &world, &bound, &functions, &store)?);
    let listeners = Arc::new(Listeners::new());
    let (background, background_tasks) = Background::new();
    let parts = ServiceParts {
        functions,
        bindings: bound,
        client,
        store: store.clone(),
        hub: hub.clone(),
        triggers: triggers.clone(),
        activities: counted,
        metering: metering.clone(),
        listeners: listeners.clone(),
        outstanding,
        background,
    };
    let services = services::services(site, &world, parts)?;
    let older_versions = versions.describe(&pinned);
    let mut tasks = JoinSet::new();
    tasks.spawn(listeners.run(listening(hub, &triggers, site.with_timers), stopping.clone()));
    tasks.spawn(background_tasks.run(stopping.clone()));
    tasks.spawn(site.archive.clone().keep_clean(store.clone(), world.clock.clone(), stopping.clone()));
    tasks.spawn(metering.clone().keep(world.clock.clone(), stopping.clone()));
    listen(sockets, services, &world, &store, &stopping, &mut tasks)?;
    Ok(Running { tasks, store, stop: Some(stop), metering, triggers, digest, older_versions })
}

/// Everything that takes work by itself. Timers only if `with_timers`.
fn listening(hub: TaskHub, triggers: &Arc<Triggers>, with_timers: bool) -> Listen {
    let triggers = triggers.clone();
    Box::new(move |stopping| {
        let mut all = hub.workers(stopping);
        all.extend(triggers.listeners(with_timers, stopping));
        all
    })
}

/// Serves functions and their management, and the storage endpoint if there is one.
fn listen(
    sockets: Sockets,
    services: Services,
    world: &World,
    store: &Arc<storage::TaskHub>,
    stopping: &Stopping,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    if let Some(storage) = sockets.storage {
        let components = Components {
            queues: store.clone(),
            tables: store.clone(),
            documents: store.clone(),
            clock: world.clock.clone(),
            randomness: world.randomness.clone(),
        };
        let endpoint = Arc::new(Endpoint::new(Account::development(), components));
        storage.serve(&endpoint, &world.clock, stopping, tasks)?;
    }
    let listener = tokio::net::TcpListener::from_std(sockets.functions).context("the port cannot be served")?;
    tasks.spawn(http_server::serve(listener, Arc::new(services), world.clock.clone(), stopping.clone()));
    Ok(())
}

async fn metering(site: &Site, store: &Arc<storage::TaskHub>) -> Result<Metering, Problem> {
    let app = &site.located.app;
    let functions = app.functions.iter().map(|function| function.name.as_str());
    let opened = Metering::open(&app.name, functions, store.clone()).await;
    opened.context("what functions have used cannot be read").map_err(Problem::Host)
}

fn loader(
    site: &Site,
    world: &World,
    runtime: Runtime,
    client: &Arc<ManagedClient>,
    metering: &Arc<Metering>,
    bound: &BindingParts,
) -> Loader {
    Loader {
        runtime,
        environment: site.settings.values.clone().into_iter().collect(),
        client: client.clone(),
        meter: Some(metering.clone()),
        bindings: Some(BindingLoader {
            parts: ActivityParts {
                bindings: bound.clone(),
                clock: world.clock.clone(),
                randomness: world.randomness.clone(),
            },
            settings: site.settings.values.clone(),
        }),
    }
}

fn versions(
    site: &Site,
    functions: Arc<guest::App>,
    kept: KeptVersion,
    loader: Loader,
    http: DurableHttp,
) -> Result<AppVersions, Problem> {
    let activities = loader.bindings.as_ref().map(|bindings| bindings.load(&site.located.app)).transpose();
    let activities = activities.map_err(|errors| triggers::cannot_set_up(site, &errors))?;
    let present = Version { app: functions, activities };
    Ok(AppVersions::new(present, kept, loader, http))
}

fn parts(world: &World, store: &Arc<storage::TaskHub>, versions: &Arc<Counted<AppVersions>>) -> task_hub::Parts {
    task_hub::Parts {
        store: store.clone(),
        orchestrators: versions.clone(),
        activities: versions.clone(),
        entities: versions.clone(),
        clock: world.clock.clone(),
        randomness: world.randomness.clone(),
    }
}

async fn load_guests(site: &Site) -> Result<(Runtime, BTreeMap<String, Arc<Component>>), Problem> {
    let app = &site.located.app;
    let runtime = Runtime::new(guest_settings(app), &site.cache).map_err(|error| Problem::Host(error.into()))?;
    let sources = app.components.iter().map(|(name, component)| ComponentSource {
        name: name.clone(),
        path: site.located.folder.join(&component.source),
        build_command: component.build.as_ref().map(|build| build.command.clone()),
        allowed_hosts: component.allowed_outbound_hosts.clone(),
    });
    let mut components = BTreeMap::new();
    let mut problems = Vec::new();
    for loaded in join_all(sources.map(|source| runtime.load(source))).await {
        match loaded {
            Ok(component) => drop(components.insert(component.name().to_owned(), component)),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if problems.is_empty() { Ok((runtime, components)) } else { Err(app_is_wrong(&problems)) }
}

/// Keeps the present version for the instances that will be pinned to it, before there are any.
async fn keep(
    site: &Site,
    digest: &str,
    components: &BTreeMap<String, Arc<Component>>,
) -> Result<KeptVersion, Problem> {
    let app = &site.located.app;
    let record = AppRecord::of(app, &site.located.text, components);
    let file = |component: &manifest::Component| ComponentBytes::File(site.located.folder.join(&component.source));
    let sources = app.components.iter().map(|(name, component)| (name.clone(), file(component))).collect();
    let kept = site.archive.keep(digest.to_owned(), record, sources).await;
    kept.context("the app cannot be kept for its instances").map_err(Problem::Host)
}

fn client(
    site: &Site,
    world: &World,
    store: Arc<storage::TaskHub>,
    settings: &task_hub::Settings,
    stopping: Stopping,
) -> Arc<ManagedClient> {
    let named = |is_it: fn(&Trigger) -> bool| {
        let functions = site.located.app.functions.iter().filter(|function| is_it(&function.trigger));
        functions.map(|function| function.name.clone()).collect()
    };
    let parts = task_hub::ClientParts {
        store,
        clock: world.clock.clone(),
        randomness: world.randomness.clone(),
        orchestrators: named(|trigger| *trigger == Trigger::Orchestration),
        entities: named(|trigger| *trigger == Trigger::Entity),
    };
    Arc::new(ManagedClient { hub: task_hub::Client::new(parts, settings), uris: management_uris(site), stopping })
}

/// Every function of the manifest, bound to its component.
fn bindings(site: &Site, components: &BTreeMap<String, Arc<Component>>) -> Result<Vec<Binding>, Problem> {
    let bindings = site.located.app.functions.iter().map(|function| {
        let timeouts = app_versions::timeouts(&function.trigger);
        let component = components
            .get(&function.component)
            .ok_or_else(|| Problem::Host(anyhow!("function '{}' is in no component that was loaded", function.name)))?;
        Ok(Binding {
            function: function.name.clone(),
            entry_point: function.entry_point.clone(),
            component: component.clone(),
            kind: app_versions::kind(&function.trigger),
            timeout: timeouts.run,
            heartbeat_timeout: timeouts.heartbeat,
            inputs: function.inputs.iter().map(|input| input.name.clone()).collect(),
            outputs: function.outputs.iter().map(|output| output.name.clone()).collect(),
        })
    });
    bindings.collect()
}

/// What the app is called as a version. The client must know it, and the app itself needs the client.
fn digest(site: &Site, runtime: &Runtime, bindings: Vec<Binding>) -> Result<String, Problem> {
    let app = guest::App::for_replay(runtime, bindings).map_err(|errors| cannot_bind(site, &errors))?;
    Ok(app.digest().to_owned())
}

fn cannot_bind(site: &Site, errors: &[BindingError]) -> Problem {
    let problems: Vec<String> = errors.iter().map(|error| site.located.place(function_of(error), error)).collect();
    app_is_wrong(&problems)
}

fn function_of(error: &BindingError) -> &str {
    match error {
        BindingError::NotFound { function, .. }
        | BindingError::Kind { function, .. }
        | BindingError::Bindings { function, .. }
        | BindingError::Duplicate { function } => function,
    }
}

fn management_uris(site: &Site) -> ManagementUris {
    let task_hub = site.located.app.host.durable_task.hub_name.clone();
    ManagementUris { own_origin: listing::origin(site.address), task_hub, doors: site.access.doors() }
}

fn engine_settings(app: &App, digest: &str) -> task_hub::Settings {
    let durable = &app.host.durable_task;
    let at_once = |set: Option<u32>, default: usize| set.map_or(default, |set| saturating_usize(set.into()));
    let defaults = task_hub::Settings::for_cores(machine::cores());
    let retention = &durable.retention;
    task_hub::Settings {
        hub_name: durable.hub_name.clone(),
        concurrent_turns: at_once(durable.max_concurrent_orchestrator_functions, defaults.concurrent_turns),
        concurrent_activities: at_once(durable.max_concurrent_activity_functions, defaults.concurrent_activities),
        live_instances: saturating_usize(durable.live_instances.into()),
        live_instance_bytes: saturating_usize(durable.live_instance_bytes),
        turn_attempts: durable.max_turn_attempts,
        limits: limits(app),
        http: HttpSettings { poll_pause: durable.http.default_async_request_sleep_time },
        entity_batch_size: saturating_usize(durable.max_entity_operation_batch_size.into()),
        roll_back: durable.rollback_entity_operations_on_exceptions,
        present: PresentApp {
            digest: match app.versioning {
                Versioning::Pinned => Some(digest.to_owned()),
                Versioning::Latest => None,
            },
            default_version: durable.default_version.clone(),
        },
        version_gate: VersionGate {
            worker: durable.default_version.clone(),
            strategy: match durable.version_match_strategy {
                VersionMatchStrategy::None => MatchStrategy::None,
                VersionMatchStrategy::Strict => MatchStrategy::Strict,
                VersionMatchStrategy::CurrentOrOlder => MatchStrategy::CurrentOrOlder,
            },
        },
        version_failure: match durable.version_failure_strategy {
            VersionFailureStrategy::Reject => FailureStrategy::Reject,
            VersionFailureStrategy::Fail => FailureStrategy::Fail,
        },
        reuse: match durable.overridable_existing_instance_states {
            OverridableExistingInstanceStates::NonRunningStates => Reuse::ENDED,
            OverridableExistingInstanceStates::AnyState => Reuse::ANY,
        },
        retention: task_hub::Retention {
            completed: retention.completed,
            failed: retention.failed,
            terminated: retention.terminated,
        },
        ..defaults
    }
}

fn limits(app: &App) -> Limits {
    let durable = &app.host.durable_task;
    Limits {
        max_actions: saturating_usize(durable.max_orchestration_actions.into()),
        max_pending_actions: saturating_usize(durable.max_pending_actions.into()),
        max_depth: durable.max_sub_orchestration_depth,
        max_sub_orchestrations: durable.max_sub_orchestrations,
        max_continue_as_new_per_minute: durable.max_continue_as_new_per_minute,
        max_history_events: durable.max_history_events,
        max_history_bytes: durable.max_history_bytes,
        max_payload_bytes: saturating_usize(durable.max_payload_bytes),
        max_custom_status_bytes: saturating_usize(durable.max_custom_status_bytes),
    }
}

/// The limits of the sandbox that a manifest sets.
pub(crate) fn guest_settings(app: &App) -> GuestSettings {
    let guest = &app.host.guest;
    GuestSettings {
        max_memory_bytes: saturating_usize(guest.max_memory_bytes),
        max_output_bytes: saturating_usize(guest.max_output_bytes),
        max_log_bytes: saturating_usize(guest.max_log_bytes),
        function_timeout: app.host.function_timeout,
        turn_timeout: app.host.durable_task.orchestrator_turn_timeout,
        ..GuestSettings::default()
    }
}

fn saturating_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn app_is_wrong(problems: &[String]) -> Problem {
    let count = match problems.len() {
        1 => "a problem".to_owned(),
        n => format!("{n} problems"),
    };
    Problem::App(anyhow!("the app has {count}\n{}", problems.join("\n")))
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

    /// Takes no new work, waits for what runs, and closes the store.
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
        self.metering.save().await;
        let store = self.store.clone();
        // The last write may take a moment, and it must not hold up the second Ctrl+C.
        tokio::task::spawn_blocking(move || store.close()).await.context("closing the store failed")?;
        outcome
    }
}
