//! `dacapo serve`: a host for apps that are deployed to it. It builds and watches nothing, and everybody needs a key.

mod config;

use anyhow::{Context, anyhow};
use guest::Compilation;
use std::fs::{File, TryLockError};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use super::ending::until_stopped;
use crate::auth::Guarded;
use crate::cli::ServeArguments;
use crate::clock::{Stopwatch, SystemClock, SystemRandomness};
use crate::console::{Console, Severity};
use crate::deploying::Deployer;
use crate::exit::Problem;
use crate::keys::{self, KeyRing, KeyStore};
use crate::listing;
use crate::port::{self, IfTaken};
use crate::running::{Running, Setup, Sockets};
use crate::settings::Environment;
use crate::shutdown::Signals;
use crate::telemetry;
use crate::wiring::Access;
use config::Config;

/// The folder with a folder for each app.
const APPS: &str = "apps";
/// Held by the host that works on the folder.
const LOCK: &str = "host.lock";
/// Compiled guests.
const CACHE: &str = "cache";

/// Runs the command to its end.
///
/// # Errors
/// Whatever keeps the host from serving, or from ending cleanly.
pub(crate) fn run(
    arguments: &ServeArguments,
    environment: &Environment,
    console: &Console,
    stopwatch: Stopwatch,
) -> Result<(), Problem> {
    let config = Config::read(arguments).map_err(Problem::NoAnswer)?;
    console.set_output(config.output, config.verbose, config.log_file.as_deref())?;
    telemetry::start(environment, config.verbose, &config.logging, console)?;
    let data = config.data_dir.clone().ok_or_else(|| {
        Problem::NoAnswer(anyhow!(
            "the host needs a folder for its state: give --data-dir, DACAPO_DATA_DIR, or dataDir in the file of --config"
        ))
    })?;
    let data = std::path::absolute(&data).with_context(|| data.display().to_string())?;
    let ip = config.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let listener = port::bind(SocketAddr::new(ip, config.port.unwrap_or(crate::cli::DEFAULT_PORT)), IfTaken::Refuse)?;
    listener.set_nonblocking(true).context("the port cannot be used without blocking")?;
    let address = listener.local_addr().context("the system does not tell the port")?;
    let _lock = lock(&data)?;
    let access = access(&data, console)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the threads of the host cannot be started")?;
    let setup = Setup {
        address,
        cache: data.join(CACHE),
        compilation: Compilation::Lasting,
        access,
        with_timers: config.timers,
        logs: console.logs(),
    };
    let outcome = runtime.block_on(async {
        let mut signals = Signals::listen().context("the host cannot listen to signals")?;
        let mut running = Running::new(setup);
        let settings = config.settings_of(environment);
        let deployer = Arc::new(Deployer::new(running.host.clone(), data.join(APPS), settings));
        tokio::select! {
            begun = begin(&deployer, console) => begun?,
            () = signals.next() => return Err(Problem::Aborted),
        }
        running.deployer = Some(deployer);
        announce(&running, &data, address, console);
        running.listen(Sockets { functions: listener, storage: None })?;
        console.ready(stopwatch.elapsed(), None);
        until_stopped(running, &mut signals, None, console).await
    });
    runtime.shutdown_background();
    outcome
}

/// Serves what is deployed. An app that cannot be served is told, and keeps nobody else from being served.
async fn begin(deployer: &Deployer, console: &Console) -> anyhow::Result<()> {
    let failed = deployer.start().await.map_err(|failure| anyhow!("{}", failure.message))?;
    for failure in failed {
        let message = [failure.message].into_iter().chain(failure.problems).collect::<Vec<_>>().join("\n");
        let next = "deploy a version that works, or go back to one: dacapo apps rollback";
        console.diagnostic("app-not-served", Severity::Error, &message, Some(next));
    }
    Ok(())
}

/// Holds the folder until the file is dropped: what one host unpacks is left over to another one, which would remove it.
fn lock(data: &Path) -> anyhow::Result<File> {
    let shown = data.display();
    let cannot_be_written =
        || format!("{shown} cannot be written; see to it that the host may, or choose another --data-dir");
    std::fs::create_dir_all(data).with_context(cannot_be_written)?;
    let file = File::create(data.join(LOCK)).with_context(cannot_be_written)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(anyhow!("another host works on {shown}; stop it, or choose another --data-dir"))
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(cannot_be_written),
    }
}

fn access(data: &Path, console: &Console) -> Result<Access, Problem> {
    let store = KeyStore::in_folder(data.join(keys::FOLDER), Arc::new(SystemRandomness));
    let is_new = store.complete([]).map_err(|error| Problem::Host(error.into()))?;
    if is_new {
        console.notice(&format!(
            "Keys were made; list them with `dacapo keys list --data-dir {} --show-values`",
            data.display()
        ));
    }
    let ring = KeyRing::open(store, Arc::new(SystemClock)).map_err(|error| Problem::Host(error.into()))?;
    Ok(Access { keys: Arc::new(ring), guarded: Guarded::Yes })
}

fn announce(running: &Running, data: &Path, address: SocketAddr, console: &Console) {
    let origin = listing::origin(address);
    let apps = running.host.apps.all();
    let names: Vec<String> = apps.iter().map(|served| format!("{} {}", served.app.name, served.app.version)).collect();
    let names = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
    console.banner(env!("CARGO_PKG_VERSION"), &format!("deployed: {names}"), &data.display().to_string());
    console.notice(&format!("Deploy with: dacapo deploy <bundle> --to {origin} --key <master key>"));
    for served in apps.iter() {
        console.functions(&listing::functions(&served.app, &origin));
    }
}
