//! `dacapo start`: build an app, open its store, serve it until somebody asks for the end.
//!
//! Everything that can be refused is refused before the first long step: arguments, manifest, port and store come first,
//! then the build, then the components.

use anyhow::{Context, anyhow};
use manifest::{App, Function, Trigger, Versioning};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use crate::app_versions::{self, AppArchive};
use crate::cli::StartArguments;
use crate::clock::{self, Stopwatch};
use crate::console::{self, Console};
use crate::data_folder::Layout;
use crate::exit::Problem;
use crate::management::BASE_PATH;
use crate::manifest_file::{self, LocatedApp};
use crate::port::{self, IfTaken};
use crate::settings::{AppSettings, Environment};
use crate::shutdown::{DRAIN_TIMEOUT, Signals};
use crate::wiring::{self, Running, Site};
use crate::{guests, listing, telemetry};

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
    telemetry::start(environment, arguments.verbose, console)?;
    let located = manifest_file::read(&arguments.manifest)?;
    check_doors(&located, arguments, console)?;
    let settings = app_settings(environment, &located, console)?;
    let (listener, address) = listen(arguments)?;
    let layout = Layout::of(&located.app.name, &located.folder, arguments.data_dir.as_deref());
    let folder = (!arguments.ephemeral).then_some(layout.store.as_path());
    let store = wiring::open_store(folder)?;
    let building = if arguments.no_build { None } else { guests::build(&located.app, &located.folder, console)? };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the threads of the host cannot be started")?;
    let archive = folder.map(|folder| AppArchive::new(folder.to_owned()));
    let site = Site { located, settings, address, cache: layout.cache, archive };
    let outcome = runtime.block_on(async {
        let mut signals = Signals::listen().context("the host cannot listen to signals")?;
        let running = tokio::select! {
            running = wiring::start(&site, store, listener) => running?,
            () = signals.next() => return Err(Problem::Aborted),
        };
        announce(&site, &running, folder, console);
        console.ready(stopwatch.elapsed().saturating_sub(building.unwrap_or_default()), building);
        serve(running, &mut signals, console).await
    });
    // What may still run after a drain that was given up must not hold the process.
    runtime.shutdown_background();
    outcome
}

/// Keys are not there yet: what asks for one is only served to this machine.
fn check_doors(located: &LocatedApp, arguments: &StartArguments, console: &Console) -> Result<(), Problem> {
    let is_local = arguments.address.is_loopback();
    if !is_local {
        console.notice("The management API under /runtime/webhooks/durabletask asks for no key: whoever reaches this address can use it.");
    }
    let guarded = listing::guarded(&located.app);
    if guarded.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = guarded.iter().map(|(name, level)| format!("{name} ({level})")).collect();
    let names = names.join(", ");
    if is_local {
        console.notice(&format!(
            "These functions ask for a key: {names}. Keys are not checked on a loopback address: everybody on this machine may call."
        ));
        return Ok(());
    }
    Err(Problem::App(anyhow!(
        "on {} everybody in the network could call functions that ask for a key, and this version cannot check keys: {names}; \
         serve them on a loopback address, or set their authLevel to \"anonymous\" if everybody may call them",
        arguments.address
    )))
}

fn app_settings(environment: &Environment, located: &LocatedApp, console: &Console) -> Result<AppSettings, Problem> {
    let settings = AppSettings::read(environment, &located.folder).map_err(Problem::App)?;
    if !settings.overridden.is_empty() {
        let names = settings.overridden.join(", ");
        console.notice(&format!("Settings of local.settings.toml that the environment overrides: {names}"));
    }
    Ok(settings)
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
    }
    console.functions(&listing::functions(&site.located.app, &origin));
}

/// Whether the management API has anything to do with it.
fn is_durable(function: &Function) -> bool {
    match function.trigger {
        Trigger::Orchestration | Trigger::Entity => true,
        Trigger::Http(_) | Trigger::Activity(_) | Trigger::Queue(_) | Trigger::Timer(_) => false,
    }
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
