//! Deploying to a host that runs: a bundle is checked as a whole, loaded and held against what is under way, and only then
//! becomes what the host serves, now and after every start.
//!
//! The order is what makes it safe. Everything that may fail comes first and changes nothing that is served: reading the
//! bundle, unpacking it beside the others, loading, replaying. Then `deployments.json` is replaced, which decides what the
//! next start serves; and then the version is begun, which cannot fail. A crash leaves the old version or the new one.
//!
//! How requests say it is up to `admin`; the files are up to `deployments`.

mod failure;
mod removing;
mod report;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use failure::{Failed, Why};
pub(crate) use report::{DeployReport, Phase, PhaseReport};
pub(crate) use status::{details, summaries};

use bundle::{Bundle, Limits, Opened};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::cors::Cors;
use crate::deployments::{self, Deployment, DeploymentError, Deployments, Staged};
use crate::hosting::{Departing, Host, HostedApp, Prepared, Replaced};
use crate::manifest_file::LocatedApp;
use crate::settings::AppSettings;
use crate::wiring::Edition;
use report::Version;

/// Looks the settings of an app up, by its name.
pub(crate) type SettingsOf = Box<dyn Fn(&str) -> anyhow::Result<AppSettings> + Send + Sync>;

/// Is told of each phase when it has ended.
pub(crate) type Tell<'a> = &'a (dyn Fn(PhaseReport) + Send + Sync);

/// See the module.
pub(crate) struct Deployer {
    host: Arc<Host>,
    /// The folder with a folder for each app.
    folder: PathBuf,
    settings: SettingsOf,
    /// By app. Opened when they are needed; the lock of one is held only while the disk works.
    known: Mutex<BTreeMap<String, Arc<Mutex<Deployments>>>>,
    /// By app: why it could not be served when the host was started. Stays there when it is served after all.
    not_started: Mutex<BTreeMap<String, String>>,
}

/// What it took so far.
#[derive(Default)]
struct Durations {
    check: Duration,
    compile: Duration,
    replay: Duration,
}

/// A deployment that is unpacked and may come to be served.
struct Candidate<'a> {
    app: &'a str,
    version: &'a str,
    folder: PathBuf,
}

/// What a deploy leaves that fails.
struct Traces {
    app: String,
    deployments: Arc<Mutex<Deployments>>,
    /// Nothing was kept of the app before, whether it was served or not.
    is_first: bool,
}

impl Deployer {
    /// For the apps below a folder. Nothing is read yet.
    pub(crate) fn new(host: Arc<Host>, folder: PathBuf, settings: SettingsOf) -> Deployer {
        Deployer { host, folder, settings, known: Mutex::default(), not_started: Mutex::default() }
    }

    /// Serves all apps that are deployed. One that cannot be is left out, and told with why: it keeps nobody else from being
    /// served.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) async fn start(&self) -> Result<Vec<Failed>, Failed> {
        let folder = self.folder.clone();
        let apps = blocking(move || deployments::deployed_apps(&folder)).await??;
        let mut failed = Vec::new();
        for (app, _) in apps {
            if let Err(failure) = self.start_app(&app).await {
                self.not_started.lock().unwrap_or_else(PoisonError::into_inner).insert(app.clone(), failure.in_words());
                failed.push(failure.of_app(&app));
            }
        }
        Ok(failed)
    }

    async fn start_app(&self, app: &str) -> Result<(), Failed> {
        let changing = self.host.changing().await;
        let deployments = self.deployments(app).await?;
        let Some((present, folder)) = ({
            let deployments = lock(&deployments);
            deployments.present().map(|present| (present.clone(), deployments.folder_of(&present.bundle)))
        }) else {
            return Ok(());
        };
        // Files that somebody has changed would be another version under this one's name.
        let reading = Arc::clone(&deployments);
        let bundle = present.bundle;
        blocking(move || lock(&reading).read(&bundle).map(drop)).await??;
        let edition = self.edition(app, &present.version, folder).await?;
        let prepared = self.prepare(&edition).await?;
        self.host.begin(prepared, &changing);
        Ok(())
    }

    /// Deploys a bundle.
    ///
    /// # Errors
    /// Says what is wrong; then everything is as it was.
    pub(crate) async fn deploy(
        &self,
        bytes: Bytes,
        departing: Departing,
        tell: Tell<'_>,
    ) -> Result<DeployReport, Failed> {
        let stopwatch = Stopwatch::start();
        let Opened { bundle, digest } =
            blocking(move || bundle::read(&bytes, &Limits::default())).await?.map_err(Failed::from)?;
        let changing = self.host.changing().await;
        self.goes_on()?;
        self.check(&bundle)?;
        let deployments = self.deployments(&bundle.app).await?;
        let (app, version, bundle_digest) = (bundle.app.clone(), bundle.version.clone(), digest.clone());
        let (staging, folder) = (Arc::clone(&deployments), self.folder.join(&app));
        let (staged, is_first) = blocking(move || {
            let is_first = !folder.exists();
            (lock(&staging).stage(&bundle, &bundle_digest), is_first)
        })
        .await?;
        let traces = Traces { app: app.clone(), deployments: Arc::clone(&deployments), is_first };
        let staged = match staged {
            Ok(staged) => staged,
            Err(error) => {
                self.forget(traces, None).await;
                return Err(error.into());
            }
        };
        let durations = Durations { check: stopwatch.elapsed(), ..Durations::default() };
        tell(PhaseReport::of(Phase::Checked, durations.check, format!("{app} {version}")));
        let candidate = Candidate { app: &app, version: &version, folder: staged.folder.clone() };
        let prepared = self.load(candidate, departing, durations, tell).await;
        let (prepared, durations) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => {
                self.forget(traces, Some(staged)).await;
                return Err(failure);
            }
        };
        let (app_digest, now) = (prepared.generation.served.digest.clone(), self.host.surroundings.clock.now());
        let before = lock(&deployments).present().cloned();
        let (switching, switched) = (Arc::clone(&deployments), staged.clone());
        if let Err(error) = blocking(move || lock(&switching).switch(switched, &app_digest, now)).await? {
            self.give_up(prepared).await;
            self.forget(traces, Some(staged)).await;
            return Err(error.into());
        }
        let replaced = self.host.begin(prepared, &changing);
        Ok(self.report(replaced, &digest, before, &durations, tell))
    }

    /// Serves a deployment again that is kept: the one whose bundle digest begins with `to`, or the one before the present one.
    ///
    /// # Errors
    /// As [`Deployer::deploy`]; and there is none, or there are several.
    pub(crate) async fn roll_back(
        &self,
        app: &str,
        to: Option<&str>,
        departing: Departing,
        tell: Tell<'_>,
    ) -> Result<DeployReport, Failed> {
        let stopwatch = Stopwatch::start();
        let changing = self.host.changing().await;
        self.goes_on()?;
        let app = self.deployed(app).await?;
        let deployments = self.deployments(&app).await?;
        let (before, target) = {
            let deployments = lock(&deployments);
            let target = match to {
                Some(prefix) => deployments.find(prefix)?.clone(),
                None => deployments.before_present().cloned().ok_or_else(|| nothing_before(&app))?,
            };
            (deployments.present().cloned(), target)
        };
        let (reading, bundle) = (Arc::clone(&deployments), target.bundle.clone());
        let folder = blocking(move || {
            let deployments = lock(&reading);
            deployments.read(&bundle).map(|_whole| deployments.folder_of(&bundle))
        })
        .await??;
        let durations = Durations { check: stopwatch.elapsed(), ..Durations::default() };
        tell(PhaseReport::of(Phase::Checked, durations.check, format!("{app} {}", target.version)));
        let candidate = Candidate { app: &app, version: &target.version, folder };
        let (prepared, durations) = self.load(candidate, departing, durations, tell).await?;
        let (switching, bundle) = (Arc::clone(&deployments), target.bundle.clone());
        blocking(move || lock(&switching).switch_back(&bundle)).await??;
        let begun = self.host.begin(prepared, &changing);
        Ok(self.report(begun, &target.bundle, before, &durations, tell))
    }

    /// The deployments of an app that are kept, newest first, and the present one's digest.
    ///
    /// Of an app that is not deployed nothing is kept. Nothing is opened for it: that would remove what a deploy is about to
    /// unpack.
    pub(crate) async fn kept(&self, app: &str) -> Result<(Vec<Deployment>, Option<String>), Failed> {
        let Some(deployments) = self.known(app) else { return Ok((Vec::new(), None)) };
        // Somebody may be unpacking a large bundle.
        let list = blocking(move || {
            let deployments = lock(&deployments);
            (deployments.list().to_vec(), deployments.present().map(|present| present.bundle.clone()))
        });
        list.await
    }

    /// The apps that are deployed and not served, each with why.
    pub(crate) fn not_served(&self) -> Vec<(String, String)> {
        let not_started = self.not_started.lock().unwrap_or_else(PoisonError::into_inner);
        let not_started = not_started.iter().filter(|(app, _)| self.host.hosted(app).is_none());
        not_started.map(|(app, why)| (app.clone(), why.clone())).collect()
    }

    /// A host that ends takes up nothing new.
    fn goes_on(&self) -> Result<(), Failed> {
        if self.host.is_ending() {
            let message = "the host ends; deploy again when it has been started again";
            return Err(Failed::new(Why::Ending, "HostEnds", message));
        }
        Ok(())
    }

    /// Whether the app may stand beside the others at all, before anything is written.
    fn check(&self, bundle: &Bundle) -> Result<(), Failed> {
        let settings = (self.settings)(&bundle.app).map_err(Failed::host)?;
        let file = format!("{}-{}.{}/manifest.toml", bundle.app, bundle.version, bundle::EXTENSION);
        let lookup = |name: &str| settings.values.get(name).cloned();
        let app = manifest::parse(&bundle.manifest, &file, &lookup).map_err(|problems| {
            let problems = problems.to_string().lines().map(str::to_owned).collect();
            Failed::invalid("BadManifest", "the manifest has problems", problems)
        })?;
        let clashes = self.host.clashes(&app);
        if clashes.is_empty() {
            return Ok(());
        }
        let message = format!("the app '{}' clashes with what this host serves already", app.name);
        Err(Failed::conflict("AppsClash", &message, clashes))
    }

    /// Everything between a bundle that is unpacked and the step that makes it the present one.
    async fn load(
        &self,
        Candidate { app, version, folder }: Candidate<'_>,
        departing: Departing,
        durations: Durations,
        tell: Tell<'_>,
    ) -> Result<(Prepared, Durations), Failed> {
        let edition = self.edition(app, version, folder).await?;
        let prepared = self.prepare(&edition).await?;
        let compile = prepared.loaded_in;
        let functions = prepared.generation.served.app.functions.len();
        tell(PhaseReport::of(Phase::Compiled, compile, format!("{functions} functions")));
        let replay = match self
            .host
            .check_what_follows(&prepared, departing, "force it: then they fail when they go on")
            .await
        {
            Ok(replay) => replay,
            Err(problem) => {
                self.give_up(prepared).await;
                return Err(Failed::departs(problem));
            }
        };
        if let Err(failure) = self.goes_on() {
            self.give_up(prepared).await;
            return Err(failure);
        }
        if let Some(replay) = replay {
            tell(PhaseReport::of(Phase::Replayed, replay, "every instance under way fits".to_owned()));
        }
        Ok((prepared, Durations { compile, replay: replay.unwrap_or_default(), ..durations }))
    }

    async fn edition(&self, app: &str, version: &str, folder: PathBuf) -> Result<Edition, Failed> {
        let settings = (self.settings)(app).map_err(Failed::host)?;
        let (app, version) = (app.to_owned(), version.to_owned());
        let (located, settings): (LocatedApp, AppSettings) = blocking(move || {
            deployments::located(&folder, &app, &version, &settings).map(|located| (located, settings))
        })
        .await??;
        let cors = &located.app.host.http.cors;
        let cors = Cors::new(cors.allowed_origins.iter().map(String::as_str), cors.support_credentials)
            .map_err(|error| Failed::invalid("BadManifest", "host.http.cors is wrong", vec![error.to_string()]))?;
        Ok(Edition { located, settings, cors })
    }

    /// Loads a version for the app as it is hosted, which is taken up for it if it is new.
    async fn prepare(&self, edition: &Edition) -> Result<Prepared, Failed> {
        let app = &edition.located.app;
        let hosted = match self.host.hosted(&app.name) {
            Some(hosted) => hosted,
            None => {
                let (folder, manifest) = (self.folder.join(&app.name), app.clone());
                let (store, folder) = blocking(move || {
                    let opened = HostedApp::open_store(&manifest, Some(&folder));
                    opened.map(|store| (store, folder))
                })
                .await?
                .map_err(Failed::host)?;
                let now = self.host.surroundings.clock.now();
                Arc::new(HostedApp::over(app, store, Some(folder), now).await.map_err(Failed::host)?)
            }
        };
        match self.host.prepare(Arc::clone(&hosted), edition).await {
            Ok(prepared) => Ok(prepared),
            Err(problem) => {
                self.give_up_app(&hosted).await;
                Err(Failed::from(problem).named_as_in_bundle(&edition.located))
            }
        }
    }

    async fn give_up(&self, prepared: Prepared) {
        let app = Arc::clone(&prepared.app);
        drop(prepared);
        self.give_up_app(&app).await;
    }

    /// The state of an app that is not going to be served is closed again.
    async fn give_up_app(&self, app: &Arc<HostedApp>) {
        if self.host.hosted(&app.name).is_none()
            && let Err(error) = app.close().await
        {
            tracing::warn!(app = app.name, %error, "the state of an app that was not deployed cannot be closed");
        }
    }

    /// Removes what a deploy has written that failed.
    async fn forget(&self, traces: Traces, staged: Option<Staged>) {
        let Traces { app, deployments, is_first } = traces;
        let folder = self.folder.join(&app);
        let forgotten = blocking(move || {
            staged.into_iter().for_each(|staged| lock(&deployments).discard(staged));
            if is_first && folder.is_dir() { std::fs::remove_dir_all(folder) } else { Ok(()) }
        });
        if let Ok(Err(error)) = forgotten.await {
            tracing::warn!(app, %error, "what is left of a bundle that was not deployed cannot be removed");
        }
        if is_first {
            self.forget_deployments(&app);
        }
    }

    fn report(
        &self,
        begun: crate::hosting::Begun,
        bundle: &str,
        before: Option<Deployment>,
        durations: &Durations,
        tell: Tell<'_>,
    ) -> DeployReport {
        let switched_in = begun.switched_in;
        let previous = begun.before.as_ref().map(|served| Version {
            version: served.app.version.clone(),
            digest: served.digest.clone(),
            bundle: before.map(|deployment| deployment.bundle),
        });
        let replaced = Replaced::of(begun);
        let report = DeployReport::of(&replaced, bundle, previous, durations, switched_in);
        tell(PhaseReport::of(Phase::Switched, switched_in, report.in_short()));
        tracing::info!(app = report.app, version = report.version, bundle, "{}", report.in_short());
        report
    }

    /// The name of an app that is deployed, as it is written there. It may be that it could not be served when the host was
    /// started.
    async fn deployed(&self, app: &str) -> Result<String, Failed> {
        if let Some(served) = self.host.apps.named(app) {
            return Ok(served.app.name.clone());
        }
        let folder = self.folder.clone();
        let all = blocking(move || deployments::deployed_apps(&folder)).await??;
        let found = all.into_iter().map(|(name, _)| name).find(|name| name.eq_ignore_ascii_case(app));
        found.ok_or_else(|| Failed::unknown_app(app, &self.host))
    }

    fn known(&self, app: &str) -> Option<Arc<Mutex<Deployments>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(app).cloned()
    }

    fn forget_deployments(&self, app: &str) {
        self.not_started.lock().unwrap_or_else(PoisonError::into_inner).remove(app);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(app);
    }

    /// The deployments of an app, opened once.
    async fn deployments(&self, app: &str) -> Result<Arc<Mutex<Deployments>>, Failed> {
        if let Some(known) = self.known(app) {
            return Ok(known);
        }
        let folder = self.folder.join(app);
        let opened = Arc::new(Mutex::new(blocking(move || Deployments::open(folder)).await??));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(known.entry(app.to_owned()).or_insert(opened)))
    }
}

fn lock(deployments: &Mutex<Deployments>) -> std::sync::MutexGuard<'_, Deployments> {
    deployments.lock().unwrap_or_else(PoisonError::into_inner)
}

fn nothing_before(app: &str) -> Failed {
    let message =
        format!("no deployment of '{app}' before the present one is kept; deploy the bundle that you want back");
    Failed::conflict("NothingBefore", &message, Vec::new())
}

/// What waits for the disk or takes its time, beside everything else.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failed> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failed::host(error.into()))
}

impl From<DeploymentError> for Failed {
    fn from(error: DeploymentError) -> Failed {
        let text = error.to_string();
        match error {
            DeploymentError::Disk { .. } if error.is_disk_full() => Failed::new(Why::NoRoom, "DiskFull", &text),
            DeploymentError::Disk { .. } | DeploymentError::Record { .. } | DeploymentError::Damaged { .. } => {
                Failed::new(Why::Host, "DiskTrouble", &text)
            }
            DeploymentError::Unknown { .. } => Failed::new(Why::NotFound, "DeploymentNotFound", &text),
            DeploymentError::Ambiguous { .. } => Failed::new(Why::Invalid, "AmbiguousDeployment", &text),
        }
    }
}
