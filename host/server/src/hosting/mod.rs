//! The apps of a host: taking them up, replacing one version by the next while it is called, and letting them go.
//!
//! A version is put together beside the one that is served (`wiring`), which may fail and changes nothing. Then, in one step
//! that cannot fail, it is published: requests from then on are answered by it. The version before takes no new work and
//! finishes what it has begun; its listeners end when that is done, and so does the memory that it takes. What stays over
//! versions is in [`HostedApp`]. What a deploy keeps on disk is up to `deployments`.

mod apps;
mod differences;
mod hosted_app;
mod replacing;
mod runtimes;
mod tasks;

#[cfg(test)]
mod tests;

pub(crate) use apps::{Apps, Managed, Served};
pub(crate) use differences::Differences;
pub(crate) use hosted_app::HostedApp;
pub(crate) use replacing::{Departing, Replaced};
pub(crate) use runtimes::Runtimes;
pub(crate) use tasks::{Failures, Tasks};

use anyhow::anyhow;
use futures::FutureExt;
use futures::future::{join_all, select};
use manifest::App;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::exit::Problem;
use crate::listeners::Intake;
use crate::shutdown::{DRAIN_TIMEOUT, Stop, Stopping};
use crate::wiring::{self, Edition, Generation, Surroundings, app_is_wrong};

/// See the module.
pub(crate) struct Host {
    pub(crate) surroundings: Surroundings,
    pub(crate) apps: Arc<Apps>,
    tasks: Arc<Tasks>,
    residents: Mutex<Vec<Resident>>,
    /// Held by whoever changes what is served, from its first check to its last step.
    changing: tokio::sync::Mutex<()>,
}

/// The right to change what is served; one at a time has it.
pub(crate) type Changing<'a> = tokio::sync::MutexGuard<'a, ()>;

/// An app that is here, and what ends the listeners of its present version.
struct Resident {
    app: Arc<HostedApp>,
    stop: Stop,
    /// Completes for each of its versions when nothing runs of it any more.
    ended: Vec<Stopping>,
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
        self.residents().iter().find(|resident| resident.app.name == name).map(|resident| resident.app.clone())
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
        let called = manifest.functions.iter().filter(|function| function.trigger.is_http());
        let keys = &self.surroundings.access.keys;
        keys.complete(called.map(|function| function.name.as_str())).map_err(|error| Problem::Host(error.into()))?;
        Ok(Prepared { app, generation, loaded_in: stopwatch.elapsed() })
    }

    /// Serves a version from now on. The one before finishes what it has begun.
    pub(crate) fn begin(&self, prepared: Prepared, _changing: &Changing<'_>) -> Begun {
        let stopwatch = Stopwatch::start();
        let Prepared { app, generation, .. } = prepared;
        let now = generation.served.clone();
        app.metering.know(now.app.functions.iter().map(|function| function.name.as_str()));
        let before = self.apps.publish(now.clone());
        let ((stop, stopping), (end, ended)) = (Stop::new(), Stop::new());
        if self.take_up(&app, stop, ended) {
            self.keep_house(&app);
        }
        let listen = generation.listen(self.surroundings.with_timers, &app.timer_turns);
        let listening = now.listeners.clone().run(listen, stopping.clone());
        self.tasks.spawn("what starts functions", stopping, async move {
            listening.await;
            drop(end);
        });
        Begun { now, before, switched_in: stopwatch.elapsed() }
    }

    /// Remembers what ends the version that is about to begin; the one before is told to end. Whether the app is new.
    fn take_up(&self, app: &Arc<HostedApp>, stop: Stop, ended: Stopping) -> bool {
        let mut residents = self.residents();
        match residents.iter_mut().find(|resident| resident.app.name == app.name) {
            Some(resident) => {
                std::mem::replace(&mut resident.stop, stop).ask();
                resident.ended.retain(|ended| ended.clone().now_or_never().is_none());
                resident.ended.push(ended);
                false
            }
            None => {
                residents.push(Resident { app: app.clone(), stop, ended: vec![ended] });
                true
            }
        }
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
        self.apps.withdraw(&app.name);
        let place = |residents: &Vec<Resident>| residents.iter().position(|resident| resident.app.name == app.name);
        let resident = {
            let mut residents = self.residents();
            place(&residents).map(|place| residents.remove(place))
        };
        let Some(Resident { app, stop, ended }) = resident else { return };
        app.stop();
        stop.ask();
        let all = Box::pin(join_all(ended));
        let clock = &self.surroundings.clock;
        select(all, clock.sleep_until(clock.now().saturating_add(DRAIN_TIMEOUT))).await;
    }

    /// Asks every app to take no new work and to finish what it has begun.
    pub(crate) fn stop(&self) {
        for resident in std::mem::take(&mut *self.residents()) {
            resident.app.stop();
            resident.stop.ask();
        }
    }

    /// Whether the apps take work by themselves.
    pub(crate) fn intake(&self) -> Intake {
        self.apps.intake(self.surroundings.stopping.clone().now_or_never().is_some())
    }

    /// All apps that are here.
    pub(crate) fn all_hosted(&self) -> Vec<Arc<HostedApp>> {
        self.residents().iter().map(|resident| resident.app.clone()).collect()
    }

    fn residents(&self) -> MutexGuard<'_, Vec<Resident>> {
        self.residents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
