//! Putting a version of an app together: one function per subsystem, above the parts that outlive the version.
//!
//! Parts are made in the order in which they need each other: the guests, the client that both functions and the management
//! API use, the functions, the engine, and what answers requests. Nothing takes work before its host says so; which version
//! is served, and what becomes of the one before, is up to `hosting`.

mod engine;
mod services;
mod triggers;

use ::triggers::activity::ActivityParts;
use ::triggers::bindings::BindingParts;
use ::triggers::timer::TimerTurns;
use anyhow::{Context, anyhow};
use futures::future::join_all;
use guest::{Binding, BindingError, Component, ComponentSource, Runtime};
use manifest::Trigger;
use manifest::settings::StorageSettings;
use ports::{Clock, InstanceStore, Randomness};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use task_hub::TaskHub;

use crate::app_versions::{self, AppRecord, AppVersions, BindingLoader, ComponentBytes, KeptVersion, Loader, Version};
use crate::auth::{Doors, Guarded};
use crate::background::Background;
use crate::clock::{SystemClock, SystemRandomness};
use crate::cors::Cors;
use crate::durable_client::ManagedClient;
use crate::durable_http::DurableHttp;
use crate::exit::Problem;
use crate::hosting::{HostedApp, Runtimes, Served};
use crate::invocations::{Counted, Outstanding};
use crate::keys::KeyRing;
use crate::listeners::{HoldBack, Listen, Listeners};
use crate::listing;
use crate::management::ManagementUris;
use crate::manifest_file::LocatedApp;
use crate::outbound::Outbound;
use crate::settings::AppSettings;
use crate::shutdown::Stopping;
use engine::{engine_settings, saturating_usize};
pub(crate) use engine::{guest_settings, limits};
use services::ServiceParts;
pub(crate) use services::origins;
pub(crate) use triggers::Triggers;

/// One version of an app as it is to be served.
#[derive(Clone)]
pub(crate) struct Edition {
    /// The app and its manifest's folder.
    pub(crate) located: LocatedApp,
    /// What functions see as their environment.
    pub(crate) settings: AppSettings,
    /// Web pages of other origins that may call.
    pub(crate) cors: Option<Cors>,
}

/// What all apps of a host share.
pub(crate) struct Surroundings {
    /// The wall clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Ids come from it.
    pub(crate) randomness: Arc<dyn Randomness>,
    /// Where the host listens.
    pub(crate) address: SocketAddr,
    /// What runs guests.
    pub(crate) runtimes: Runtimes,
    /// Who is let in, and by which keys.
    pub(crate) access: Access,
    /// Whether schedules run.
    pub(crate) with_timers: bool,
    /// Requests that the host makes.
    pub(crate) outbound: Arc<Outbound>,
    /// What runs at the moment.
    pub(crate) outstanding: Outstanding,
    /// Where runs go on that nobody waits for.
    pub(crate) background: Background,
    /// An operator's word that no new work is to be taken.
    pub(crate) hold_back: HoldBack,
    /// Completes when the host ends.
    pub(crate) stopping: Stopping,
}

/// What callers must show.
pub(crate) struct Access {
    /// The keys.
    pub(crate) keys: Arc<KeyRing>,
    /// Whether they are asked for.
    pub(crate) guarded: Guarded,
}

impl Access {
    /// Who is let in.
    pub(crate) fn doors(&self) -> Doors {
        Doors::new(self.keys.clone(), self.guarded)
    }
}

/// A version of an app that is put together and takes no work yet.
pub(crate) struct Generation {
    /// As requests reach it.
    pub(crate) served: Arc<Served>,
    /// What starts functions besides requests.
    pub(crate) triggers: Arc<Triggers>,
    /// Older versions that instances may still run on, for people to read.
    pub(crate) older_versions: Vec<String>,
    /// Its code, for whoever has to find out whether it fits what instances have done so far: nothing that it does counts as use.
    pub(crate) code: Arc<guest::App>,
    hub: TaskHub,
}

impl Generation {
    /// Makes everything that takes work by itself.
    pub(crate) fn listen(&self, with_timers: bool, turns: &Arc<TimerTurns>) -> Listen {
        let (hub, triggers, turns) = (self.hub.clone(), self.triggers.clone(), turns.clone());
        Box::new(move |stopping| {
            let mut all = hub.workers(stopping);
            all.extend(triggers.queue_listeners(stopping));
            if with_timers {
                all.extend(triggers.timer_listeners(&turns, stopping));
            }
            all
        })
    }
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

/// Puts a version of an app together. What it is made of is kept for its instances from here on, as long as it lives.
///
/// # Errors
/// A component is wrong, a function of the manifest is not in its component, or a connection leads nowhere.
pub(crate) async fn assemble(host: &Surroundings, app: &HostedApp, edition: &Edition) -> Result<Generation, Problem> {
    Assembly { host, app, edition }.assemble().await
}

/// The parts that are there already, on the way to a version.
#[derive(Clone, Copy)]
struct Assembly<'a> {
    host: &'a Surroundings,
    app: &'a HostedApp,
    edition: &'a Edition,
}

impl Assembly<'_> {
    async fn assemble(self) -> Result<Generation, Problem> {
        let Assembly { host, app, edition } = self;
        let (runtime, components) = self.load_guests().await?;
        let bindings = self.bindings(&components)?;
        // The client must know what the app is called as a version, and the app itself needs the client.
        let unmetered = Arc::new(self.for_replay(&runtime, bindings.clone())?);
        let digest = unmetered.digest().to_owned();
        let settings = engine_settings(&edition.located.app, &digest);
        let kept = self.keep(&digest, &components).await?;
        let client = self.client(&settings);
        let bound = self.binding_parts(client.clone())?;
        let environment: Vec<(String, String)> = edition.settings.values.clone().into_iter().collect();
        let meter = Some(app.metering.clone() as Arc<dyn ports::Meter>);
        let code = guest::App::new(&runtime, bindings, environment, client.clone(), meter);
        let code = Arc::new(code.map_err(|errors| self.cannot_bind(&errors))?);
        let http = DurableHttp::new(host.outbound.clone(), settings.limits.max_payload_bytes);
        let versions = Arc::new(self.versions(code.clone(), kept, self.loader(runtime, &client, &bound), http)?);
        let pinned = app.store.pinned_apps().await.map_err(|error| Problem::Host(error.into()))?;
        let older_versions = versions.describe(&pinned);
        let functions = Arc::new(Counted::new(code.clone(), host.outstanding.clone()));
        let counted = Arc::new(Counted::new(versions, host.outstanding.clone()));
        let hub = TaskHub::new(self.engine_parts(&counted), settings);
        let triggers = Arc::new(self.triggers(&bound, &functions)?);
        let listeners = Arc::new(Listeners::new(host.hold_back.clone()));
        let parts = ServiceParts {
            digest,
            components: digests(&components),
            functions,
            bindings: bound,
            client,
            hub: hub.clone(),
            triggers: triggers.clone(),
            activities: counted,
            listeners,
        };
        let served = Arc::new(self.served(parts)?);
        Ok(Generation { served, triggers, older_versions, code: unmetered, hub })
    }

    fn loader(self, runtime: Runtime, client: &Arc<ManagedClient>, bound: &BindingParts) -> Loader {
        let Assembly { host, app, edition } = self;
        Loader {
            runtime,
            environment: edition.settings.values.clone().into_iter().collect(),
            client: client.clone(),
            meter: Some(app.metering.clone()),
            bindings: Some(BindingLoader {
                parts: ActivityParts {
                    bindings: bound.clone(),
                    clock: host.clock.clone(),
                    randomness: host.randomness.clone(),
                },
                settings: edition.settings.values.clone(),
            }),
        }
    }

    fn versions(
        self,
        code: Arc<guest::App>,
        kept: KeptVersion,
        loader: Loader,
        http: DurableHttp,
    ) -> Result<AppVersions, Problem> {
        let app = &self.edition.located.app;
        let activities = loader.bindings.as_ref().map(|bindings| bindings.load(app)).transpose();
        let activities = activities.map_err(|errors| self.cannot_set_up(&errors))?;
        Ok(AppVersions::new(Version { app: code, activities }, kept, loader, http))
    }

    fn engine_parts(self, versions: &Arc<Counted<AppVersions>>) -> task_hub::Parts {
        task_hub::Parts {
            store: self.app.store.clone(),
            orchestrators: versions.clone(),
            activities: versions.clone(),
            entities: versions.clone(),
            clock: self.host.clock.clone(),
            randomness: self.host.randomness.clone(),
        }
    }

    async fn load_guests(self) -> Result<(Runtime, BTreeMap<String, Arc<Component>>), Problem> {
        let located = &self.edition.located;
        let runtime = self.host.runtimes.with(guest_settings(&located.app));
        let runtime = runtime.map_err(|error| Problem::Host(error.into()))?;
        let sources = located.app.components.iter().map(|(name, component)| ComponentSource {
            name: name.clone(),
            path: located.folder.join(&component.source),
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

    /// Keeps the version for the instances that will be pinned to it, before there are any.
    async fn keep(self, digest: &str, components: &BTreeMap<String, Arc<Component>>) -> Result<KeptVersion, Problem> {
        let located = &self.edition.located;
        let record = AppRecord::of(&located.app, &located.text, components);
        let file = |component: &manifest::Component| ComponentBytes::File(located.folder.join(&component.source));
        let sources = located.app.components.iter().map(|(name, component)| (name.clone(), file(component))).collect();
        let kept = self.app.keeper.keep(digest.to_owned(), record, sources).await;
        kept.context("the app cannot be kept for its instances").map_err(Problem::Host)
    }

    fn client(self, settings: &task_hub::Settings) -> Arc<ManagedClient> {
        let Assembly { host, app, edition } = self;
        let named = |is_it: fn(&Trigger) -> bool| {
            let functions = edition.located.app.functions.iter().filter(|function| is_it(&function.trigger));
            functions.map(|function| function.name.clone()).collect()
        };
        let parts = task_hub::ClientParts {
            store: app.store.clone(),
            clock: host.clock.clone(),
            randomness: host.randomness.clone(),
            orchestrators: named(|trigger| *trigger == Trigger::Orchestration),
            entities: named(|trigger| *trigger == Trigger::Entity),
        };
        let stopping = app.stopping.clone();
        Arc::new(ManagedClient { hub: task_hub::Client::new(parts, settings), uris: self.management_uris(), stopping })
    }

    /// Every function of the manifest, bound to its component.
    fn bindings(self, components: &BTreeMap<String, Arc<Component>>) -> Result<Vec<Binding>, Problem> {
        let bindings = self.edition.located.app.functions.iter().map(|function| {
            let timeouts = app_versions::timeouts(&function.trigger);
            let component = components.get(&function.component).ok_or_else(|| {
                Problem::Host(anyhow!("function '{}' is in no component that was loaded", function.name))
            })?;
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

    fn for_replay(self, runtime: &Runtime, bindings: Vec<Binding>) -> Result<guest::App, Problem> {
        guest::App::for_replay(runtime, bindings).map_err(|errors| self.cannot_bind(&errors))
    }

    fn cannot_bind(self, errors: &[BindingError]) -> Problem {
        let located = &self.edition.located;
        let problems: Vec<String> = errors.iter().map(|error| located.place(function_of(error), error)).collect();
        app_is_wrong(&problems)
    }

    fn management_uris(self) -> ManagementUris {
        let task_hub = self.edition.located.app.host.durable_task.hub_name.clone();
        let Surroundings { address, access, .. } = self.host;
        ManagementUris { own_origin: listing::origin(*address), task_hub, doors: access.doors() }
    }
}

fn digests(components: &BTreeMap<String, Arc<Component>>) -> BTreeMap<String, String> {
    components.iter().map(|(name, component)| (name.clone(), component.digest().to_owned())).collect()
}

fn function_of(error: &BindingError) -> &str {
    match error {
        BindingError::NotFound { function, .. }
        | BindingError::Kind { function, .. }
        | BindingError::Bindings { function, .. }
        | BindingError::Duplicate { function } => function,
    }
}

/// All that is wrong with an app, as one problem of its author.
pub(crate) fn app_is_wrong(problems: &[String]) -> Problem {
    let count = match problems.len() {
        1 => "a problem".to_owned(),
        n => format!("{n} problems"),
    };
    Problem::App(anyhow!("the app has {count}\n{}", problems.join("\n")))
}
