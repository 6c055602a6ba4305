//! A host that serves: its sockets, and its end. What is served on them is up to `hosting`.

use anyhow::{Context, anyhow};
use azure_storage::endpoint::Components;
use guest::Compilation;
use ports::Randomness;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use crate::admin::Admin;
use crate::auth::Guarded;
use crate::background::Background;
use crate::clock::{SystemClock, SystemRandomness};
use crate::deploying::Deployer;
use crate::hosting::{Failures, Host, Runtimes, Tasks};
use crate::http_server::{self, HomePage, Services};
use crate::invocations::Outstanding;
use crate::listeners::HoldBack;
use crate::log_stream::LogStream;
use crate::outbound::Outbound;
use crate::shutdown::Stop;
use crate::storage_endpoint::{Listening, StorageAccounts};
use crate::wiring::{self, Access, Surroundings};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a host is made of besides its apps.
pub(crate) struct Setup {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Where compiled guests are kept.
    pub(crate) cache: PathBuf,
    /// Whether they are replaced often.
    pub(crate) compilation: Compilation,
    /// Who is let in, and by which keys.
    pub(crate) access: Access,
    /// Whether schedules run.
    pub(crate) with_timers: bool,
    /// The last of the log.
    pub(crate) logs: Arc<LogStream>,
}

/// The sockets on which a host is asked.
pub(crate) struct Sockets {
    /// For functions and their management; must not block.
    pub(crate) functions: TcpListener,
    /// For clients of the storage endpoint; none: there is no endpoint.
    pub(crate) storage: Option<Listening>,
}

/// A host and what runs of it. Dropping it ends every task at its next wait.
pub(crate) struct Running {
    /// The apps.
    pub(crate) host: Arc<Host>,
    /// Takes deploys; none: it takes none.
    pub(crate) deployer: Option<Arc<Deployer>>,
    logs: Arc<LogStream>,
    tasks: Arc<Tasks>,
    failures: Failures,
    stop: Option<Stop>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.abort();
    }
}

impl Running {
    /// A host without apps that nobody can reach yet. Needs a runtime around it.
    pub(crate) fn new(setup: Setup) -> Running {
        let (tasks, failures) = Tasks::new();
        let (stop, stopping) = Stop::new();
        let (background, background_tasks) = Background::new();
        let clock = Arc::new(SystemClock);
        let surroundings = Surroundings {
            clock: clock.clone(),
            randomness: Arc::new(SystemRandomness),
            address: setup.address,
            runtimes: Runtimes::new(setup.cache, setup.compilation),
            access: setup.access,
            with_timers: setup.with_timers,
            outbound: Arc::new(Outbound::new(clock)),
            outstanding: Outstanding::default(),
            background,
            hold_back: HoldBack::new(),
            stopping: stopping.clone(),
        };
        let tasks = Arc::new(tasks);
        tasks.spawn("runs in the background", stopping.clone(), background_tasks.run(stopping));
        let host = Host::new(surroundings, tasks.clone());
        Running { host, deployer: None, logs: setup.logs, tasks, failures, stop: Some(stop) }
    }

    /// Lets callers in.
    ///
    /// # Errors
    /// The system does not let a port be waited for.
    pub(crate) fn listen(&self, sockets: Sockets) -> anyhow::Result<()> {
        let Surroundings { clock, randomness, stopping, .. } = &self.host.surroundings;
        if let Some(storage) = sockets.storage {
            let components = |app: &crate::hosting::HostedApp| Components {
                queues: app.store.clone(),
                tables: app.store.clone(),
                documents: app.store.clone(),
                clock: clock.clone(),
                randomness: randomness.clone(),
            };
            let apps = self.host.all_hosted();
            let apps: Vec<(String, Components)> = apps.iter().map(|app| (app.name.clone(), components(app))).collect();
            if let Some(accounts) = StorageAccounts::new(&apps) {
                storage.serve(&Arc::new(accounts), clock, stopping, &self.tasks)?;
            }
        }
        let listener = tokio::net::TcpListener::from_std(sockets.functions).context("the port cannot be served")?;
        let server = http_server::serve(listener, Arc::new(self.services()), clock.clone(), stopping.clone());
        self.tasks.spawn("the server", stopping.clone(), server);
        Ok(())
    }

    fn services(&self) -> Services {
        let surroundings = &self.host.surroundings;
        let origins = wiring::origins(surroundings.address);
        let doors = surroundings.access.doors();
        let admin = Admin {
            host: self.host.clone(),
            deployer: self.deployer.clone(),
            version: VERSION,
            instance_id: format!("{:032x}", SystemRandomness.next_u128()),
            started: surroundings.clock.now(),
            clock: surroundings.clock.clone(),
            doors: doors.clone(),
            keys: surroundings.access.keys.clone(),
            origins: origins.clone(),
            logs: self.logs.clone(),
        };
        Services {
            apps: self.host.apps.clone(),
            admin,
            home: match surroundings.access.guarded {
                Guarded::No => HomePage::Listing { version: VERSION },
                Guarded::Yes => HomePage::Empty,
            },
            doors,
            origins,
        }
    }

    /// Completes when a task ends that should not have ended.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        anyhow!(self.failures.next().await)
    }

    /// Takes no new work, waits for what runs, and closes the stores.
    ///
    /// # Errors
    /// A store could not write its last.
    pub(crate) async fn drain(&mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            stop.ask();
        }
        self.host.stop();
        self.tasks.ended().await;
        let mut outcome = Ok(());
        // Only now: a deploy that was on its last step may have taken an app up.
        for app in self.host.all_hosted() {
            outcome = outcome.and(app.close().await);
        }
        outcome
    }
}
