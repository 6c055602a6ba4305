//! `dacapo start`: build an app, open its store, serve it until somebody asks for the end.
//!
//! Everything that can be refused is refused before the first long step: arguments, manifest, port and store come first,
//! then the build, then the components.

use anyhow::{Context, anyhow};
use manifest::{App, Function, Trigger, Versioning};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app_versions::{self, AppArchive, ArchiveKeeper};
use crate::auth::Guarded;
use crate::cli::StartArguments;
use crate::clock::{self, Stopwatch, SystemClock, SystemRandomness};
use crate::console::{self, Console};
use crate::cors::Cors;
use crate::data_folder::Layout;
use crate::exit::Problem;
use crate::keys::{KeyError, KeyRing, KeyStore, Secret};
use crate::management::BASE_PATH;
use crate::manifest_file::{self, LocatedApp};
use crate::port::{self, IfTaken};
use crate::settings::{AppSettings, Environment, MASTER_KEY};
use crate::shutdown::{DRAIN_TIMEOUT, Signals};
use crate::storage_endpoint::{DEFAULT_PORTS, Listening, StoragePorts};
use crate::wiring::{self, Access, Running, Site, Sockets};
use crate::{accounts, guests, listing, telemetry};

/// Runs the command to its end.
///
/// # Errors
/// Whatever keeps the app from being served, or from ending cleanly.
pub(crate) fn run(
    arguments: &StartArguments,
    environment: &Environment,
    console: &Console,
    stopwatch: Stopwatch,
) -> Result<(), Problem> {
    let settings = app_settings(environment, arguments, console)?;
    let located = manifest_file::read(&arguments.manifest, &settings)?;
    telemetry::start(environment, arguments.verbose, &located.app.host.logging, console)?;
    let (listener, address) = listen(arguments)?;
    let storage = storage_endpoint(&located.app, arguments, console)?;
    let layout = Layout::of(&located.app.name, &located.folder, arguments.data_dir.as_deref());
    let folder = (!arguments.ephemeral).then_some(layout.store.as_path());
    let store = wiring::open_store(folder, &located.app.host.storage)?;
    let secrets = folder.map(|_| layout.secrets());
    let access = access(&located, &settings, secrets, arguments, environment.master_key(), console)?;
    let building = if arguments.no_build { None } else { guests::build(&located.app, &located.folder, console)? };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the threads of the host cannot be started")?;
    let archive = ArchiveKeeper::new(match folder {
        Some(folder) => AppArchive::in_folder(folder.to_owned()),
        None => AppArchive::in_memory(),
    });
    let with_timers = !arguments.no_timers;
    let site = Site { located, settings, address, cache: layout.cache, archive, access, with_timers };
    let addresses = storage.as_ref().map(Listening::addresses).unwrap_or_default();
    let sockets = Sockets { functions: listener, storage };
    let outcome = runtime.block_on(async {
        let mut signals = Signals::listen().context("the host cannot listen to signals")?;
        let running = tokio::select! {
            running = wiring::start(&site, store, sockets) => running?,
            () = signals.next() => return Err(Problem::Aborted),
        };
        announce(&site, &running, folder, console);
        console.storage(&addresses);
        console.ready(stopwatch.elapsed().saturating_sub(building.unwrap_or_default()), building);
        serve(running, &mut signals, console).await
    });
    // What may still run after a drain that was given up must not hold the process.
    runtime.shutdown_background();
    outcome
}

/// Opens the keys, and decides who needs one.
fn access(
    located: &LocatedApp,
    settings: &AppSettings,
    folder: Option<PathBuf>,
    arguments: &StartArguments,
    master: Option<&str>,
    console: &Console,
) -> Result<Access, Problem> {
    let guarded = Guarded::on(arguments.address, arguments.enable_auth);
    let cors = cors(&located.app, settings, arguments)?;
    let is_ephemeral = folder.is_none();
    let (store, is_new) = key_store(located, folder, master)?;
    say_who_is_let_in(located, guarded, console);
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
    Ok(Access { keys: Arc::new(ring), guarded, cors })
}

fn key_store(located: &LocatedApp, folder: Option<PathBuf>, master: Option<&str>) -> Result<(KeyStore, bool), Problem> {
    let randomness = Arc::new(SystemRandomness);
    let master = master.map(Secret::parse).transpose().with_context(|| format!("{MASTER_KEY} cannot be used"))?;
    let functions = located.app.functions.iter();
    let called = functions.filter(|function| matches!(function.trigger, Trigger::Http(_)));
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

fn say_who_is_let_in(located: &LocatedApp, guarded: Guarded, console: &Console) {
    let names: Vec<String> =
        listing::guarded(&located.app).iter().map(|(name, level)| format!("{name} ({level})")).collect();
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
    let manifest = arguments.manifest.display();
    match &arguments.data_dir {
        Some(folder) => format!("{manifest} --data-dir {}", folder.display()),
        None => manifest.to_string(),
    }
}

fn app_settings(
    environment: &Environment,
    arguments: &StartArguments,
    console: &Console,
) -> Result<AppSettings, Problem> {
    let folder = manifest_file::folder(&arguments.manifest)?;
    let settings = AppSettings::read_with(environment, &arguments.env, &folder).map_err(Problem::App)?;
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
fn storage_endpoint(app: &App, arguments: &StartArguments, console: &Console) -> Result<Option<Listening>, Problem> {
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
        Err(error) if !is_asked_for && accounts::connections(app).is_empty() => {
            console.notice(&format!("No storage endpoint: {error:#}"));
            Ok(None)
        }
        Err(error) => Err(Problem::Host(error)),
    }
}

fn listen(arguments: &StartArguments) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let if_taken = if arguments.find_free_port { IfTaken::TakeNext } else { IfTaken::Refuse };
    let listener = port::bind(SocketAddr::new(arguments.address, arguments.port), if_taken)?;
    listener.set_nonblocking(true).context("the port cannot be used without blocking")?;
    let address = listener.local_addr().context("the system does not tell the port")?;
    Ok((listener, address))
}

fn announce(site: &Site, running: &Running, folder: Option<&Path>, console: &Console) {
    let current_folder = std::env::current_dir().unwrap_or_default();
    let store = match folder {
        Some(folder) => console::readable(folder, &current_folder),
        None => "memory only, ends with the process".to_owned(),
    };
    let App { name, version, versioning, .. } = &site.located.app;
    let pinning = match versioning {
        Versioning::Pinned => "instances stay on the version that started them",
        Versioning::Latest => "instances follow the latest version",
    };
    let app = format!("{name} {version} ({}), {pinning}", app_versions::shortened(&running.digest));
    console.banner(env!("CARGO_PKG_VERSION"), &app, &store);
    if !running.older_versions.is_empty() {
        console
            .notice(&format!("Older versions that instances may still run on: {}", running.older_versions.join(", ")));
    }
    let origin = listing::origin(site.address);
    // With a port that the system has chosen and no HTTP function, nothing else says where it is.
    if site.located.app.functions.iter().any(is_durable) {
        console.notice(&format!("Management API: {origin}{BASE_PATH}"));
    } else if !site.located.app.functions.iter().any(is_http) {
        console.notice(&format!("Admin API: {origin}/admin"));
    }
    console.functions(&listing::functions(&site.located.app, &origin));
    listing::competitors(&site.located.app).iter().for_each(|competitors| console.notice(competitors));
    if site.with_timers {
        console.occurrences(&running.triggers.occurrences());
    }
}

/// Whether the management API has anything to do with it.
fn is_durable(function: &Function) -> bool {
    match function.trigger {
        Trigger::Orchestration | Trigger::Entity => true,
        Trigger::Http(_) | Trigger::Activity(_) | Trigger::Queue(_) | Trigger::Timer(_) => false,
    }
}

fn is_http(function: &Function) -> bool {
    matches!(function.trigger, Trigger::Http(_))
}

/// Until a signal comes or a part of the host fails; then drains.
async fn serve(mut running: Running, signals: &mut Signals, console: &Console) -> Result<(), Problem> {
    let failure = tokio::select! {
        () = signals.next() => None,
        error = running.failed() => Some(error),
    };
    console.notice(&format!(
        "\nStopping: no new work is taken, what runs is finished (at most {} s). Press Ctrl+C again to stop at once.",
        DRAIN_TIMEOUT.as_secs()
    ));
    let drained = tokio::select! {
        drained = running.drain() => drained,
        () = signals.next() => return Err(Problem::Aborted),
        () = clock::after(DRAIN_TIMEOUT) => Err(anyhow!(
            "some work was not finished within {} s; it is taken up again at the next start",
            DRAIN_TIMEOUT.as_secs()
        )),
    };
    if let Some(error) = failure {
        return Err(Problem::Host(error));
    }
    drained?;
    console.notice("Stopped.");
    Ok(())
}
