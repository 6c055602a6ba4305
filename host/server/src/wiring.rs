//! Putting the host together: one function per subsystem, and the set of tasks that is the running host.
//!
//! Parts are made in the order in which they need each other: the store, the guests, the client that both functions and the
//! management API use, the functions, the engine, and the server in front of everything.

use anyhow::{Context, anyhow};
use futures::future::join_all;
use guest::{Binding, BindingError, Component, ComponentSource, FunctionKind, GuestSettings, Runtime};
use manifest::{App, Trigger};
use ports::{Clock, DurableClient, Randomness};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use task_hub::TaskHub;
use tokio::task::JoinSet;
use triggers::http::{FaultDetail, ForwardedHeaders, HttpLimits, HttpOptions, HttpParts, HttpTrigger, OriginPolicy};

use crate::clock::{SystemClock, SystemRandomness};
use crate::durable_client::ManagedClient;
use crate::exit::Problem;
use crate::http_server::{self, Admin, HomePage, Services};
use crate::management::{Management, ManagementUris};
use crate::manifest_file::LocatedApp;
use crate::settings::AppSettings;
use crate::shutdown::{Stop, Stopping};
use crate::{listing, machine};

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
}

/// A host that serves. Dropping it ends every task at its next wait.
pub(crate) struct Running {
    tasks: JoinSet<()>,
    store: Arc<storage::TaskHub>,
    stop: Option<Stop>,
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
pub(crate) fn open_store(folder: Option<&Path>) -> anyhow::Result<Arc<storage::TaskHub>> {
    let (clock, settings) = (Arc::new(SystemClock), storage::Settings::default());
    Ok(Arc::new(match folder {
        Some(folder) => storage::embedded(folder, clock, settings)?,
        None => storage::memory(clock, settings),
    }))
}

/// Starts everything; `listener` must not block.
///
/// # Errors
/// A component is wrong, or a function of the manifest is not in its component.
pub(crate) async fn start(
    site: &Site,
    store: Arc<storage::TaskHub>,
    listener: TcpListener,
) -> Result<Running, Problem> {
    let world = World { clock: Arc::new(SystemClock), randomness: Arc::new(SystemRandomness) };
    let (stop, stopping) = Stop::new();
    let (runtime, components) = load_guests(site).await?;
    let client = client(site, &world, store.clone(), stopping.clone());
    let functions = Arc::new(functions(site, &runtime, &components, client.clone())?);
    let hub = TaskHub::new(
        task_hub::Parts {
            store: store.clone(),
            orchestrators: functions.clone(),
            activities: functions.clone(),
            clock: world.clock.clone(),
            randomness: world.randomness.clone(),
        },
        engine_settings(&site.located.app),
    );
    let trigger_parts = HttpParts { functions, clock: world.clock.clone(), randomness: world.randomness.clone() };
    let services = services(site, trigger_parts, client, store.clone());
    let listener = tokio::net::TcpListener::from_std(listener).context("the port cannot be served")?;
    let mut tasks = JoinSet::new();
    for worker in hub.workers(&stopping) {
        tasks.spawn(worker);
    }
    tasks.spawn(http_server::serve(listener, Arc::new(services), world.clock, stopping));
    Ok(Running { tasks, store, stop: Some(stop) })
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

fn client(site: &Site, world: &World, store: Arc<storage::TaskHub>, stopping: Stopping) -> Arc<dyn DurableClient> {
    let app = &site.located.app;
    let orchestrators = app.functions.iter().filter(|function| matches!(function.trigger, Trigger::Orchestration));
    let names = orchestrators.map(|function| function.name.clone());
    let (clock, randomness) = (world.clock.clone(), world.randomness.clone());
    let hub = task_hub::Client::new(store, clock, randomness, names, &engine_settings(app));
    Arc::new(ManagedClient { hub, uris: management_uris(site), stopping })
}

/// Every function of the manifest, bound to its component.
fn functions(
    site: &Site,
    runtime: &Runtime,
    components: &BTreeMap<String, Arc<Component>>,
    client: Arc<dyn DurableClient>,
) -> Result<guest::App, Problem> {
    let bindings = site.located.app.functions.iter().map(|function| {
        let (kind, timeout) = match &function.trigger {
            Trigger::Http(_) => (FunctionKind::Http, None),
            Trigger::Orchestration => (FunctionKind::Orchestrator, None),
            Trigger::Activity(trigger) => (FunctionKind::Activity, trigger.timeout),
        };
        let component = components
            .get(&function.component)
            .ok_or_else(|| Problem::Host(anyhow!("function '{}' is in no component that was loaded", function.name)))?;
        Ok(Binding {
            function: function.name.clone(),
            entry_point: function.entry_point.clone(),
            component: component.clone(),
            kind,
            timeout,
        })
    });
    let bindings = bindings.collect::<Result<Vec<_>, Problem>>()?;
    let environment = site.settings.values.clone().into_iter().collect();
    guest::App::new(runtime, bindings, environment, client).map_err(|errors| {
        let problems: Vec<String> = errors.iter().map(|error| site.located.place(function_of(error), error)).collect();
        app_is_wrong(&problems)
    })
}

fn function_of(error: &BindingError) -> &str {
    match error {
        BindingError::NotFound { function, .. }
        | BindingError::Kind { function, .. }
        | BindingError::Duplicate { function } => function,
    }
}

fn services(site: &Site, parts: HttpParts, client: Arc<dyn DurableClient>, store: Arc<storage::TaskHub>) -> Services {
    let app = &site.located.app;
    let clock = parts.clock.clone();
    let origins = OriginPolicy { own: own_authority(site.address), forwarded: ForwardedHeaders::Ignored };
    let is_local = site.address.ip().is_loopback();
    let options = HttpOptions {
        limits: HttpLimits::new(&app.host.http, machine::memory_bytes()),
        // Only developers themselves may see what is inside of a failure.
        fault_detail: if is_local { FaultDetail::Problem } else { FaultDetail::InvocationId },
        origins: origins.clone(),
    };
    let version = env!("CARGO_PKG_VERSION");
    Services {
        functions: HttpTrigger::new(app, parts, options),
        management: Management {
            client,
            store,
            clock: clock.clone(),
            uris: management_uris(site),
            origins,
            max_payload_bytes: saturating_usize(app.host.durable_task.max_payload_bytes),
            show_activity_inputs: app.host.durable_task.store_inputs_in_orchestration_history,
        },
        admin: Admin { app: app.name.clone(), version, started: clock.now(), clock },
        home: if is_local { home_page(site, version) } else { HomePage::Empty },
    }
}

fn home_page(site: &Site, version: &str) -> HomePage {
    let listings = listing::functions(&site.located.app, &listing::origin(site.address));
    let lines: Vec<(String, String)> = listings.into_iter().map(listing::Listing::into_columns).collect();
    let functions = lines.iter().map(|(name, started_by)| (name.as_str(), started_by.as_str()));
    HomePage::listing(&site.located.app.name, version, functions)
}

fn management_uris(site: &Site) -> ManagementUris {
    let task_hub = site.located.app.host.durable_task.hub_name.clone();
    ManagementUris { own_origin: listing::origin(site.address), task_hub }
}

fn own_authority(address: SocketAddr) -> http::uri::Authority {
    let origin = listing::origin(address);
    let authority = origin.trim_start_matches("http://");
    authority.parse().expect("an IP address or localhost, with a port, is an authority")
}

fn engine_settings(app: &App) -> task_hub::Settings {
    let durable = &app.host.durable_task;
    let at_once = |set: Option<u32>, default: usize| set.map_or(default, |set| saturating_usize(set.into()));
    let defaults = task_hub::Settings::for_cores(machine::cores());
    task_hub::Settings {
        concurrent_turns: at_once(durable.max_concurrent_orchestrator_functions, defaults.concurrent_turns),
        concurrent_activities: at_once(durable.max_concurrent_activity_functions, defaults.concurrent_activities),
        live_instances: saturating_usize(durable.live_instances.into()),
        live_instance_bytes: saturating_usize(durable.live_instance_bytes),
        turn_attempts: durable.max_turn_attempts,
        payload_bytes: saturating_usize(durable.max_payload_bytes),
        limits: orchestration::Limits { max_actions: saturating_usize(durable.max_orchestration_actions.into()) },
        ..defaults
    }
}

fn guest_settings(app: &App) -> GuestSettings {
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
        let store = self.store.clone();
        // The last write may take a moment, and it must not hold up the second Ctrl+C.
        tokio::task::spawn_blocking(move || store.close()).await.context("closing the store failed")?;
        outcome
    }
}
