//! The apps of a host: taking them up, replacing one version by the next while it is called, and letting them go.
//!
//! A version is put together beside the one that is served (`wiring`), which may fail and changes nothing. Then, in one step
//! that cannot fail, it is published: requests from then on are answered by it. The version before takes no new work and
//! finishes what it has begun; its listeners end when that is done, and so does the memory that it takes. What stays over
//! versions is in [`HostedApp`]. What a deploy keeps on disk is up to `deployments`.
//!
//! What a manifest says of the log (`host.logging`) and of the room to be left on the disk (`host.storage`) is followed when
//! the host starts or takes the app up, and not changed by later versions. `runOnStartup` of a timer holds for each version: as
//! in Azure Functions, where a deploy starts the host again.

mod apps;
mod differences;
mod hosted_app;
mod lifetimes;
mod replacing;
mod runtimes;
mod tasks;

#[cfg(test)]
mod tests;

pub(crate) use apps::{Apps, Managed, Served};
pub(crate) use differences::Differences;
pub(crate) use hosted_app::HostedApp;
pub(crate) use lifetimes::Life;
pub(crate) use replacing::{Departing, Replaced};
pub(crate) use runtimes::Runtimes;
pub(crate) use tasks::{Failures, Tasks};

use anyhow::{Context, anyhow};
use futures::FutureExt;
use futures::future::select;
use manifest::App;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::exit::Problem;
use crate::listeners::Intake;
use crate::shutdown::{DRAIN_TIMEOUT, Stop};
use crate::wiring::{self, Edition, Generation, Surroundings, app_is_wrong};
use lifetimes::Versions;

/// See the module.
pub(crate) struct Host {
    pub(crate) surroundings: Surroundings,
    pub(crate) apps: Arc<Apps>,
    tasks: Arc<Tasks>,
    residents: Mutex<Residents>,
    /// Held by whoever changes what is served, from its first check to its last step.
    changing: tokio::sync::Mutex<()>,
}

/// The right to change what is served; one at a time has it.
pub(crate) type Changing<'a> = tokio::sync::MutexGuard<'a, ()>;

#[derive(Default)]
struct Residents {
    all: Vec<Resident>,
    /// The host ends: whoever comes is told to end at once.
    are_ending: bool,
}

/// An app that is here.
struct Resident {
    app: Arc<HostedApp>,
    /// Ends the listeners of its present version; none: they were told to.
    stop: Option<Stop>,
    versions: Versions,
}

/// A version that only needs to be begun.
pub(crate) struct Prepared {
    /// Its app.
    pub(crate) app: Arc<HostedApp>,
    /// It.
    pub(crate) generation: Generation,
    /// How long it took to load it.
    pub(crate) loaded_in: Duration,
}

/// What a swap came to.
pub(crate) struct Begun {
    /// What is served now.
    pub(crate) now: Arc<Served>,
    /// What was served before; none: the app is new.
    pub(crate) before: Option<Arc<Served>>,
    /// How long the step took.
    pub(crate) switched_in: Duration,
}

impl Host {
    /// A host without apps.
    pub(crate) fn new(surroundings: Surroundings, tasks: Arc<Tasks>) -> Arc<Host> {
        Arc::new(Host {
            surroundings,
            apps: Arc::new(Apps::new(Vec::new())),
            tasks,
            residents: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// Waits for the right to change what is served.
    pub(crate) async fn changing(&self) -> Changing<'_> {
        self.changing.lock().await
    }

    /// The app of that name as it is hosted.
    pub(crate) fn hosted(&self, name: &str) -> Option<Arc<HostedApp>> {
        self.residents().all.iter().find(|resident| resident.app.name == name).map(|resident| resident.app.clone())
    }

    /// Everything that keeps an app from standing beside the others, in words.
    pub(crate) fn clashes(&self, app: &App) -> Vec<String> {
        let all = self.apps.all();
        all.iter().flat_map(|served| app.clashes(&served.app)).map(|clash| clash.to_string()).collect()
    }

    /// Puts a version together. Nothing that is served changes.
    ///
    /// # Errors
    /// The app clashes with another one, a component is wrong, a function is missing, a connection leads nowhere, or keys
    /// cannot be made.
    pub(crate) async fn prepare(&self, app: Arc<HostedApp>, edition: &Edition) -> Result<Prepared, Problem> {
        let stopwatch = Stopwatch::start();
        let manifest = &edition.located.app;
        if manifest.name != app.name {
            return Err(Problem::App(anyhow!(
                "{}: the app is called '{}' now and was '{}'; its state is kept by its name, so start the host again",
                edition.located.file,
                manifest.name,
                app.name
            )));
        }
        let clashes = self.clashes(manifest);
        if !clashes.is_empty() {
            return Err(app_is_wrong(&clashes));
        }
        let generation = wiring::assemble(&self.surroundings, &app, edition).await?;
        self.complete_keys(manifest).await?;
        Ok(Prepared { app, generation, loaded_in: stopwatch.elapsed() })
    }

    async fn complete_keys(&self, manifest: &App) -> Result<(), Problem> {
        let called = manifest.functions.iter().filter(|function| function.trigger.is_http());
        let called: Vec<String> = called.map(|function| function.name.clone()).collect();
        let keys = self.surroundings.access.keys.clone();
        let completed = tokio::task::spawn_blocking(move || keys.complete(called.iter().map(String::as_str)));
        let completed = completed.await.context("making keys broke off").map_err(Problem::Host)?;
        completed.map_err(|error| Problem::Host(error.into()))
    }

    /// Serves a version from now on. The one before finishes what it has begun.
    pub(crate) fn begin(&self, prepared: Prepared, _changing: &Changing<'_>) -> Begun {
        let stopwatch = Stopwatch::start();
        let Prepared { app, generation, .. } = prepared;
        let now = generation.served.clone();
        app.metering.know(now.app.functions.iter().map(|function| function.name.as_str()));
        let before = self.apps.publish(now.clone());
        let ((stop, stopping), (end, listened)) = (Stop::new(), Stop::new());
        let listen = generation.listen(self.surroundings.with_timers, &app.timer_turns);
        let listening = now.listeners.clone().run(listen, stopping.clone());
        let listeners = self.tasks.spawn("what starts functions", stopping, async move {
            listening.await;
            drop(end);
        });
        if self.take_up(&app, stop, lifetimes::Version::new(&now.life, listened, listeners)) {
            self.keep_house(&app);
        }
        Begun { now, before, switched_in: stopwatch.elapsed() }
    }

    /// Remembers the version that has begun; the one before is told to end. Whether the app is new.
    ///
    /// A deploy may be on its last step when the host is asked to end: then it is told at once.
    fn take_up(&self, app: &Arc<HostedApp>, stop: Stop, version: lifetimes::Version) -> bool {
        let mut residents = self.residents();
        let stop = (!residents.are_ending).then_some(stop);
        if stop.is_none() {
            app.stop();
        }
        let place = residents.all.iter().position(|resident| resident.app.name == app.name);
        let is_new = place.is_none();
        let place = place.unwrap_or(residents.all.len());
        if is_new {
            residents.all.push(Resident { app: app.clone(), stop: None, versions: Versions::default() });
        }
        if let Some(resident) = residents.all.get_mut(place) {
            // Dropping the one before is what tells it.
            resident.stop = stop;
            resident.versions.followed_by(version);
        }
        is_new
    }

    /// What goes on as long as the app is here.
    fn keep_house(&self, app: &HostedApp) {
        let (clock, stopping) = (&self.surroundings.clock, &app.stopping);
        let cleaning = app.keeper.clone().keep_clean(app.store.clone(), clock.clone(), stopping.clone());
        self.tasks.spawn("the removal of old versions", stopping.clone(), cleaning);
        self.tasks.spawn("metering", stopping.clone(), app.metering.clone().keep(clock.clone(), stopping.clone()));
    }

    /// No request reaches the app any more, it takes no work, and what it has begun has ended or is given up when this
    /// returns.
    pub(crate) async fn withdraw(&self, app: &HostedApp, _changing: &Changing<'_>) {
        drop(self.apps.withdraw(&app.name));
        let resident = {
            let mut residents = self.residents();
            let place = residents.all.iter().position(|resident| resident.app.name == app.name);
            place.map(|place| residents.all.remove(place))
        };
        let Some(Resident { app, stop, versions }) = resident else { return };
        app.stop();
        drop(stop);
        let clock = &self.surroundings.clock;
        let given_up = clock.sleep_until(clock.now().saturating_add(DRAIN_TIMEOUT));
        select(Box::pin(versions.over()), given_up).await;
        versions.give_up();
    }

    /// Asks every app to take no new work and to finish what it has begun, and whoever comes later, too.
    pub(crate) fn stop(&self) {
        let mut residents = self.residents();
        residents.are_ending = true;
        for resident in &mut residents.all {
            resident.app.stop();
            resident.stop = None;
        }
    }

    /// Whether the host was asked to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.surroundings.stopping.clone().now_or_never().is_some()
    }

    /// Whether the apps take work by themselves; versions that were followed by others count as long as they are at work.
    pub(crate) fn intake(&self) -> Intake {
        let is_held_back = self.surroundings.hold_back.is_held_back();
        match self.apps.intake() {
            _ if self.is_ending() => Intake::Ending,
            None if is_held_back => Intake::Closed,
            None => Intake::Open,
            Some(Intake::Closed) if self.older_are_at_work() => Intake::Closing,
            Some(intake) => intake,
        }
    }

    fn older_are_at_work(&self) -> bool {
        self.residents().all.iter().any(|resident| resident.versions.older_are_at_work())
    }

    /// All apps that are here.
    pub(crate) fn all_hosted(&self) -> Vec<Arc<HostedApp>> {
        self.residents().all.iter().map(|resident| resident.app.clone()).collect()
    }

    /// An app that is here as if it was served, without anything that runs, and so without a version that is kept.
    #[cfg(test)]
    pub(crate) fn take_up_idle(&self, app: &Arc<HostedApp>) {
        let ((stop, listened), (ended, stopping)) = (Stop::new(), Stop::new());
        ended.ask();
        let listeners = self.tasks.spawn("nothing", stopping, async {});
        self.take_up(app, stop, lifetimes::Version::new(&Life::new(), listened, listeners));
    }

    fn residents(&self) -> MutexGuard<'_, Residents> {
        self.residents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
