//! `dacapo start`: build apps, open their stores, serve them until somebody asks for the end.
//!
//! Everything that can be refused is refused before the first long step: arguments, manifests, ports and stores come first,
//! then the builds, then the components.

mod announcement;
mod bundled;
mod reloading;

use anyhow::{Context, anyhow};
use guest::Compilation;
use manifest::{App, Versioning};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::ending::until_stopped;
use crate::auth::Guarded;
use crate::cli::StartArguments;
use crate::clock::{Stopwatch, SystemClock, SystemRandomness};
use crate::console::{self, Console};
use crate::cors::Cors;
use crate::data_folder::Layout;
use crate::exit::Problem;
use crate::hosting::{HostedApp, Prepared};
use crate::keys::{KeyError, KeyRing, KeyStore, Secret};
use crate::manifest_file::{self, LocatedApp};
use crate::port::{self, IfTaken};
use crate::running::{Running, Setup, Sockets};
use crate::settings::{AppSettings, Environment, MASTER_KEY};
use crate::shutdown::Signals;
use crate::storage_endpoint::{DEFAULT_PORTS, Listening, StoragePorts};
use crate::wiring::{Access, Edition, app_is_wrong};
use crate::{accounts, guests, listing, telemetry};
use announcement::announce;

/// An app that is to be served, before anything of it runs.
struct Project {
    edition: Edition,
    layout: Layout,
    store: Arc<storage::TaskHub>,
    /// Where its state is; none: in memory.
    folder: Option<PathBuf>,
}

/// Runs the command to its end.
///
/// # Errors
/// Whatever keeps the apps from being served, or from ending cleanly.
pub(crate) fn run(
    arguments: &StartArguments,
    environment: &Environment,
    console: &Arc<Console>,
    stopwatch: Stopwatch,
) -> Result<(), Problem> {
    console.set_output(arguments.output, arguments.verbose, arguments.log_file.as_deref())?;
    let editions = editions(arguments, environment, console)?;
    let first = &editions.first().context("there is no app to serve")?.located;
    telemetry::start(environment, arguments.verbose, &first.app.host.logging, console)?;
    let (listener, address) = listen(arguments)?;
    let storage = storage_endpoint(&editions, arguments, console)?;
    let projects = open(editions, arguments)?;
    let access = access(&projects, arguments, environment.master_key(), console)?;
    // From here on no change of a file is missed.
    let dev_loop = reloading::dev_loop(&projects, arguments, environment, console, address)?;
    let built = if builds(arguments) { build(&projects, console)? } else { None };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the threads of the host cannot be started")?;
    let cache = projects.first().map(|project| project.layout.cache.clone()).unwrap_or_default();
    let compilation = if dev_loop.is_some() { Compilation::Passing } else { Compilation::Lasting };
    let with_timers = !arguments.no_timers;
    let setup = Setup { address, cache, compilation, access, with_timers, logs: console.logs() };
    let addresses = storage.as_ref().map(Listening::addresses).unwrap_or_default();
    let sockets = Sockets { functions: listener, storage };
    let outcome = runtime.block_on(async {
        let mut signals = Signals::listen().context("the host cannot listen to signals")?;
        let editions: Vec<Edition> = projects.iter().map(|project| project.edition.clone()).collect();
        let mut dev_loop = dev_loop;
        if let Some(dev_loop) = &mut dev_loop {
            dev_loop.first_build_ended().await;
        }
        let running = tokio::select! {
            running = begin(setup, projects, console) => running?,
            () = signals.next() => return Err(Problem::Aborted),
        };
        console.storage(&addresses);
        running.listen(sockets)?;
        console.ready(stopwatch.elapsed().saturating_sub(built.unwrap_or_default()), built);
        let reloading = dev_loop.map(|dev_loop| reloading::run(dev_loop, &running.host, editions, arguments));
        until_stopped(running, &mut signals, reloading, console).await
    });
    // What may still run after a drain that was given up must not hold the process.
    runtime.shutdown_background();
    outcome
}

/// Whether components are built before they are loaded.
fn builds(arguments: &StartArguments) -> bool {
    !arguments.no_build && arguments.bundle.is_none()
}

/// Reads all manifests and settings; all apps must be able to stand side by side.
fn editions(arguments: &StartArguments, environment: &Environment, console: &Console) -> Result<Vec<Edition>, Problem> {
    if let Some(bundle) = &arguments.bundle {
        return Ok(vec![bundled::edition(bundle, arguments, environment, console)?]);
    }
    let manifests = match arguments.manifests.as_slice() {
        [] => vec![manifest_file::find_in(Path::new("."))?],
        named => named.to_vec(),
    };
    let mut editions: Vec<Edition> = Vec::new();
    for manifest in &manifests {
        let settings = app_settings(environment, arguments, &manifest_file::folder(manifest)?, console)?;
        let edition = edition(manifest_file::read(manifest, &settings)?, settings, arguments)?;
        let problems: Vec<String> = editions.iter().flat_map(|other| clashes(&edition, other)).collect();
        if !problems.is_empty() {
            return Err(app_is_wrong(&problems));
        }
        editions.push(edition);
    }
    Ok(editions)
}

/// A version as the command line wants it to be served.
fn edition(mut located: LocatedApp, settings: AppSettings, arguments: &StartArguments) -> Result<Edition, Problem> {
    let cors = cors(&located.app, &settings, arguments)?;
    if arguments.move_instances {
        located.app.versioning = Versioning::Latest;
    }
    Ok(Edition { located, settings, cors })
}

fn clashes(edition: &Edition, other: &Edition) -> Vec<String> {
    let LocatedApp { app, file, .. } = &edition.located;
    if app.name == other.located.app.name {
        return vec![format!("{file}: the app '{}' is in {} already", app.name, other.located.file)];
    }
    app.clashes(&other.located.app).iter().map(|clash| format!("{file}: {clash}")).collect()
}

/// Opens the state of every app.
fn open(editions: Vec<Edition>, arguments: &StartArguments) -> Result<Vec<Project>, Problem> {
    let share = editions.len() > 1;
    let open = |edition: Edition| {
        let LocatedApp { app, folder, .. } = &edition.located;
        // One app has the chosen folder for itself, as ever; several have a folder each in it.
        let chosen = arguments.data_dir.as_ref().map(|data| if share { data.join(&app.name) } else { data.clone() });
        let layout = Layout::of(&app.name, folder, chosen.as_deref());
        let folder = (!arguments.ephemeral).then(|| layout.store.clone());
        let store = HostedApp::open_store(app, folder.as_deref())?;
        Ok(Project { edition, layout, store, folder })
    };
    editions.into_iter().map(open).collect()
}

/// Builds the components of all apps. None: there was nothing to build.
fn build(projects: &[Project], console: &Console) -> Result<Option<Duration>, Problem> {
    let mut built: Option<Duration> = None;
    for Project { edition, .. } in projects {
        let took = guests::build(&edition.located.app, &edition.located.folder, console)?;
        built = took.map(|took| built.unwrap_or_default() + took).or(built);
    }
    Ok(built)
}

/// Begins to serve every app, to nobody yet.
async fn begin(setup: Setup, projects: Vec<Project>, console: &Console) -> Result<Running, Problem> {
    let running = Running::new(setup);
    let host = &running.host;
    let changing = host.changing().await;
    let mut prepared: Vec<(Prepared, Edition)> = Vec::new();
    for Project { edition, store, folder, .. } in projects {
        let now = host.surroundings.clock.now();
        let app = Arc::new(HostedApp::over(&edition.located.app, store, folder, now).await?);
        prepared.push((host.prepare(app, &edition).await?, edition));
    }
    announce(&host.surroundings, &prepared, console);
    for (prepared, _) in prepared {
        host.begin(prepared, &changing);
    }
    drop(changing);
    Ok(running)
}

/// Opens the keys, and decides who needs one.
///
/// One set of keys opens all apps: those of the app that was named first.
fn access(
    projects: &[Project],
    arguments: &StartArguments,
    master: Option<&str>,
    console: &Console,
) -> Result<Access, Problem> {
    let guarded = Guarded::on(arguments.address, arguments.enable_auth);
    let folder = projects.first().filter(|first| first.folder.is_some()).map(|first| first.layout.secrets());
    let is_ephemeral = folder.is_none();
    let (store, is_new) = key_store(projects, folder, master)?;
    say_who_is_let_in(projects, guarded, console);
    match guarded {
        Guarded::Yes if is_ephemeral && master.is_none() => console.notice(&format!(
            "Keys are in memory, where nobody can look them up: set {MASTER_KEY} to choose the master key."
        )),
        Guarded::Yes if !is_ephemeral => {
            let current_folder = std::env::current_dir().unwrap_or_default();
            let place = console::readable(Path::new(&store.place()), &current_folder);
            let made = if is_new { "Keys were made in" } else { "Keys:" };
            console.notice(&format!("{made} {place}; list them with `dacapo keys list {}`", how_to_name(arguments)));
        }
        Guarded::Yes | Guarded::No => {}
    }
    let ring = KeyRing::open(store, Arc::new(SystemClock)).map_err(|error| Problem::Host(error.into()))?;
    Ok(Access { keys: Arc::new(ring), guarded })
}

fn key_store(projects: &[Project], folder: Option<PathBuf>, master: Option<&str>) -> Result<(KeyStore, bool), Problem> {
    let randomness = Arc::new(SystemRandomness);
    let master = master.map(Secret::parse).transpose().with_context(|| format!("{MASTER_KEY} cannot be used"))?;
    let functions = projects.iter().flat_map(|project| &project.edition.located.app.functions);
    let called = functions.filter(|function| function.trigger.is_http());
    let open = || {
        let store = match folder {
            Some(folder) => KeyStore::in_folder(folder, randomness),
            None => KeyStore::in_memory(master, randomness)?,
        };
        let is_new = store.complete(called.map(|function| function.name.as_str()))?;
        Ok::<_, KeyError>((store, is_new))
    };
    open().map_err(|error| Problem::Host(error.into()))
}

/// The command line wins over the settings file, and that over the manifest, each as a whole.
fn cors(app: &App, settings: &AppSettings, arguments: &StartArguments) -> Result<Option<Cors>, Problem> {
    let (local, deployed) = (&settings.host, &app.host.http.cors);
    let (origins, credentials, source) = if !arguments.cors.is_empty() {
        (arguments.cors.clone(), arguments.cors_credentials, "--cors")
    } else if let Some(origins) = &local.cors {
        let origins = origins.split(',').map(str::to_owned).collect();
        (origins, local.cors_credentials, "host.cors of local.settings.toml")
    } else {
        (deployed.allowed_origins.clone(), deployed.support_credentials, "host.http.cors")
    };
    Cors::new(origins.iter().map(String::as_str), credentials)
        .map_err(|error| Problem::App(anyhow!("{source}: {error}")))
}

fn say_who_is_let_in(projects: &[Project], guarded: Guarded, console: &Console) {
    let guards = projects.iter().flat_map(|project| listing::guarded(&project.edition.located.app));
    let names: Vec<String> = guards.map(|(name, level)| format!("{name} ({level})")).collect();
    if guarded == Guarded::No && !names.is_empty() {
        let names = names.join(", ");
        console.notice(&format!(
            "These functions ask for a key: {names}. Keys are not checked on a loopback address: everybody on this machine may \
             call. Start with --enable-auth to have them checked."
        ));
    }
}

/// What `dacapo keys` must be told to find the same app.
fn how_to_name(arguments: &StartArguments) -> String {
    let manifest = arguments.manifests.first().map_or(Path::new("app.toml"), PathBuf::as_path).display();
    match &arguments.data_dir {
        Some(folder) => format!("{manifest} --data-dir {}", folder.display()),
        None => manifest.to_string(),
    }
}

fn app_settings(
    environment: &Environment,
    arguments: &StartArguments,
    folder: &Path,
    console: &Console,
) -> Result<AppSettings, Problem> {
    let settings = AppSettings::read_with(environment, &arguments.env, folder).map_err(Problem::App)?;
    if !settings.overridden.is_empty() {
        let names = settings.overridden.join(", ");
        console.notice(&format!("Settings of local.settings.toml that the environment or --env overrides: {names}"));
    }
    Ok(settings)
}

/// The ports of the storage endpoint: on this machine alone, and not where the app serves a network, unless somebody asks.
///
/// # Errors
/// A port is taken, and the app or the person needs it.
fn storage_endpoint(
    editions: &[Edition],
    arguments: &StartArguments,
    console: &Console,
) -> Result<Option<Listening>, Problem> {
    let StartArguments { blob_port, queue_port, table_port, .. } = arguments;
    let is_asked_for = blob_port.is_some() || queue_port.is_some() || table_port.is_some();
    if arguments.no_storage_endpoint || !(is_asked_for || arguments.address.is_loopback()) {
        return Ok(None);
    }
    let ports = StoragePorts {
        blob: blob_port.unwrap_or(DEFAULT_PORTS.blob),
        queue: queue_port.unwrap_or(DEFAULT_PORTS.queue),
        table: table_port.unwrap_or(DEFAULT_PORTS.table),
    };
    match Listening::bind(ports) {
        Ok(listening) => Ok(Some(listening)),
        // An app without queues and tables has nothing to offer there: another host may have the ports.
        Err(error) if !is_asked_for && !has_storage(editions) => {
            console.notice(&format!("No storage endpoint: {error:#}"));
            Ok(None)
        }
        Err(error) => Err(Problem::Host(error)),
    }
}

/// Whether any app has queues or tables.
fn has_storage(editions: &[Edition]) -> bool {
    editions.iter().any(|edition| !accounts::connections(&edition.located.app).is_empty())
}

fn listen(arguments: &StartArguments) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let if_taken = if arguments.find_free_port { IfTaken::TakeNext } else { IfTaken::Refuse };
    let listener = port::bind(SocketAddr::new(arguments.address, arguments.port), if_taken)?;
    listener.set_nonblocking(true).context("the port cannot be used without blocking")?;
    let address = listener.local_addr().context("the system does not tell the port")?;
    Ok((listener, address))
}
