//! The development loop: waits for files to change, builds what they concern, and has the app loaded anew.
//!
//! Decides what to build and when; `watching` sees the changes, `guests` runs the commands, and whoever owns the apps loads and
//! swaps ([`Reloads`]). Whatever fails is shown, the app goes on as it was, and the next change tries again.

mod attempt;
mod fixed;
mod own_writes;
mod printing;
mod report;
#[cfg(all(test, unix))]
mod tests;

use anyhow::anyhow;
use async_trait::async_trait;
use manifest::App;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::printing::print_to;
pub(crate) use self::report::Report;

use self::own_writes::OwnWrites;
use crate::clock::Stopwatch;
use crate::exit::Problem;
use crate::guests::{self, Step};
use crate::manifest_file::{self, LocatedApp};
use crate::settings::{AppSettings, Assignment, Environment};
use crate::watching::{AppChanges, Changes, Pace, Seen, Sources, Watch, Watched};

/// What Cargo itself writes among the sources of a project that it builds for the first time.
const LOCK_FILE: &str = "Cargo.lock";

/// Loads other versions of the apps.
#[async_trait]
pub(crate) trait Reloads: Send + Sync {
    /// Components of an app are about to be built. Returns at once.
    fn building(&self, app_index: usize, components: &BTreeSet<String>);

    /// Loads and swaps; the old version serves on if it fails. The components of `located` are built.
    async fn reload(&self, app_index: usize, located: LocatedApp, settings: AppSettings) -> Result<Swapped, Problem>;
}

/// A swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Swapped {
    /// The app digest of what serves now, as people read it.
    pub(crate) digest: String,
    /// It is what served before.
    pub(crate) unchanged: bool,
    /// Functions that are new.
    pub(crate) added: Vec<String>,
    /// Functions that are gone.
    pub(crate) removed: Vec<String>,
    /// Functions whose code or settings are others now.
    pub(crate) changed: Vec<String>,
    /// Reading and compiling.
    pub(crate) loaded_in: Duration,
    /// From there to the first request that the new code may answer.
    pub(crate) switched_in: Duration,
}

/// Hears of everything.
pub(crate) type Tell = Arc<dyn Fn(Report) + Send + Sync>;

/// What the loop needs besides the apps.
pub(crate) struct Surroundings {
    /// Whether it builds.
    pub(crate) sources: Sources,
    /// For app settings.
    pub(crate) environment: Environment,
    /// What the command line gives: `--env`.
    pub(crate) given: Vec<Assignment>,
    /// Whether compilers may use colours on standard error.
    pub(crate) colours: bool,
    /// How patient it watches.
    pub(crate) pace: Pace,
    /// Told of everything, in order.
    pub(crate) tell: Tell,
}

/// Runs beside the host.
pub(crate) struct DevLoop {
    apps: Vec<AppState>,
    watch: Watch,
    /// What has changed before the apps were served.
    early: Changes,
    around: Surroundings,
    own_writes: OwnWrites,
    /// Builds whose Rust targets are there.
    with_targets: BTreeSet<(PathBuf, String)>,
}

/// One app as the loop knows it.
struct AppState {
    /// As it was at the start of the host.
    started: App,
    /// What the last manifest without mistakes says; perhaps it is not served, because something else is wrong.
    located: LocatedApp,
    settings: AppSettings,
    /// What serves now.
    digest: String,
    owed: Owed,
    /// The last that was told of it is a failure.
    is_failing: bool,
    /// Which changes were said to need a new start.
    said_fixed: Vec<&'static str>,
}

/// What has changed and is not served yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Owed {
    /// Something has changed since the last try: otherwise it would fail in the same way.
    is_fresh: bool,
    manifest: bool,
    settings: bool,
    /// Components to build.
    builds: BTreeSet<String>,
    /// Components that are others on disk.
    components: BTreeSet<String>,
    /// How long was built for it.
    built: Option<Duration>,
}

impl Owed {
    fn is_reload(&self) -> bool {
        self.manifest || self.settings || !self.components.is_empty()
    }

    fn is_nothing(&self) -> bool {
        !self.is_reload() && self.builds.is_empty()
    }

    fn take_in(&mut self, changes: AppChanges) {
        let AppChanges { manifest, settings, sources, components } = changes;
        self.is_fresh = true;
        self.manifest |= manifest;
        self.settings |= settings;
        self.builds.extend(sources.into_keys());
        self.components.extend(components);
    }
}

impl DevLoop {
    /// Watches from here on: to be called before anything is done with the apps' files that takes its time, such as the first
    /// build. Reads all watched files before it returns. The apps keep these places.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(crate) fn start(apps: Vec<(LocatedApp, AppSettings)>, around: Surroundings) -> anyhow::Result<DevLoop> {
        let apps: Vec<AppState> = apps.into_iter().map(AppState::new).collect();
        let mut with_targets = BTreeSet::new();
        for AppState { located, .. } in &apps {
            // The first build adds them.
            let steps = guests::steps(&located.app, &located.folder);
            with_targets.extend(steps.into_iter().map(|step| (step.folder, step.command)));
        }
        let watch = Watch::start(watched(&apps, &around), around.pace)?;
        let early = Changes::none(Stopwatch::start());
        Ok(DevLoop { apps, watch, early, around, own_writes: OwnWrites::default(), with_targets })
    }

    /// The first build has ended, and nothing is loaded yet: what it has written is not new to anybody. Other changes that
    /// came meanwhile are followed later.
    pub(crate) async fn first_build_ended(&mut self) {
        let (mut changes, notices) = self.watch.look().await;
        notices.into_iter().for_each(|notice| self.tell(Report::Notice(notice)));
        for app in changes.apps.values_mut() {
            app.components.clear();
            app.sources
                .values_mut()
                .for_each(|files| files.retain(|file| file.file_name() != Some(LOCK_FILE.as_ref())));
            app.sources.retain(|_, files| !files.is_empty());
        }
        changes.apps.retain(|_, app| *app != AppChanges::default());
        self.early.add(changes);
    }

    /// Until it is dropped; a build that runs then is ended. `digests` are those of the apps that are served, as people read
    /// them.
    pub(crate) async fn run(mut self, reloads: Arc<dyn Reloads>, digests: Vec<String>) {
        self.apps.iter_mut().zip(digests).for_each(|(app, digest)| app.digest = digest);
        let early = std::mem::replace(&mut self.early, Changes::none(Stopwatch::start()));
        if !early.is_empty() {
            self.follow(early, &*reloads).await;
        }
        loop {
            match self.watch.next().await {
                Seen::Notice(notice) => self.tell(Report::Notice(notice)),
                Seen::Changed(changes) => self.follow(changes, &*reloads).await,
            }
        }
    }

    /// Does all that these changes, and others that come meanwhile, ask for.
    async fn follow(&mut self, changes: Changes, reloads: &dyn Reloads) {
        let since = changes.since;
        for app in &mut self.apps {
            (app.owed.is_fresh, app.owed.built) = (false, None);
        }
        self.own_writes.changed_by_people(&changes);
        self.take_in(changes);
        let mut stuck = BTreeSet::new();
        // Ends when nothing has changed while it was at it.
        loop {
            stuck.clear();
            let fresh = self.fresh();
            self.read_manifests(&mut stuck).await;
            if self.build(&mut stuck, reloads).await == attempt::Ended::Quietly && self.fresh() == fresh {
                break;
            }
        }
        for app in self.fresh().difference(&stuck) {
            self.reload(*app, since, reloads).await;
        }
    }

    /// The apps for which there is something to try.
    fn fresh(&self) -> BTreeSet<usize> {
        self.apps.iter().enumerate().filter(|(_, app)| app.owed.is_fresh).map(|(index, _)| index).collect()
    }

    fn take_in(&mut self, changes: Changes) {
        for (app, changes) in changes.apps {
            if let Some(state) = self.apps.get_mut(app) {
                state.owed.take_in(changes);
            }
        }
    }

    /// Reads what was changed; `stuck` gets the apps that cannot go on.
    async fn read_manifests(&mut self, stuck: &mut BTreeSet<usize>) {
        let mut has_new = false;
        for app in self.fresh() {
            let Some(state) = self.apps.get(app) else { continue };
            // The texts of a manifest may name settings.
            if !state.owed.manifest && !state.owed.settings {
                continue;
            }
            match self.read_manifest(state) {
                Ok((located, settings)) => {
                    let sources = self.around.sources;
                    has_new |= self.apps.get_mut(app).is_some_and(|state| state.take_up(located, settings, sources));
                }
                Err(problem) => {
                    self.tell_failure(app, &problem.into_error());
                    stuck.insert(app);
                }
            }
        }
        if has_new {
            let watched = watched(&self.apps, &self.around);
            self.watch.refresh(watched).await;
        }
    }

    fn read_manifest(&self, state: &AppState) -> Result<(LocatedApp, AppSettings), Problem> {
        let Surroundings { environment, given, .. } = &self.around;
        let settings = AppSettings::read_with(environment, given, &state.located.folder).map_err(Problem::App)?;
        let path = PathBuf::from(&state.located.file);
        let located = manifest_file::read(&path, &settings)?;
        let (was, is) = (&state.started.name, &located.app.name);
        if was != is {
            return Err(Problem::App(anyhow!(
                "{}: [app] name is '{is}' now and was '{was}': a reload cannot give an app another name, because its data \
                 belongs to the name; name it '{was}' again, or stop the host and start it anew",
                located.file
            )));
        }
        Ok((located, settings))
    }

    async fn reload(&mut self, app: usize, since: Stopwatch, reloads: &dyn Reloads) {
        let Some(state) = self.apps.get_mut(app) else { return };
        let built = state.owed.built;
        if !state.owed.is_reload() {
            if built.is_some() && state.owed.is_nothing() {
                self.tell_unchanged(app, since);
            }
            return;
        }
        let (located, settings) = (state.located.clone(), state.settings.clone());
        match reloads.reload(app, located.clone(), settings).await {
            Ok(swapped) => {
                state.digest.clone_from(&swapped.digest);
                let fixed = state.newly_fixed();
                if swapped.unchanged {
                    self.tell_unchanged(app, since);
                } else {
                    (state.owed, state.is_failing) = (Owed::default(), false);
                    self.tell(Report::Reloaded { app: Box::new(located), built, total: since.elapsed(), swapped });
                }
                if !fixed.is_empty() {
                    self.tell(Report::Notice(fixed::notice(&fixed)));
                }
            }
            Err(problem) => self.tell_failure(app, &problem.into_error()),
        }
    }

    /// The app is as it was. Said to who waits for something to happen: after a build, an edit of the manifest or of settings,
    /// or a failure.
    fn tell_unchanged(&mut self, app: usize, since: Stopwatch) {
        let Some(state) = self.apps.get_mut(app) else { return };
        let owed = std::mem::take(&mut state.owed);
        let was_failing = std::mem::replace(&mut state.is_failing, false);
        let name = state.located.app.name.clone();
        if owed.built.is_some() || owed.manifest || owed.settings || was_failing {
            self.tell(Report::Unchanged { app: name, built: owed.built, total: since.elapsed() });
        }
    }

    fn tell_failure(&mut self, app: usize, error: &anyhow::Error) {
        let Some(state) = self.apps.get_mut(app) else { return };
        state.is_failing = true;
        let output = error.downcast_ref::<guests::BuildFailure>().map(|failure| failure.output.clone());
        let report = Report::Failed {
            app: state.located.app.name.clone(),
            error: format!("{error:#}"),
            output: output.unwrap_or_default(),
            serving: state.digest.clone(),
        };
        self.tell(report);
    }

    fn tell(&self, report: Report) {
        (self.around.tell)(report);
    }
}

impl AppState {
    fn new((located, settings): (LocatedApp, AppSettings)) -> AppState {
        AppState {
            started: located.app.clone(),
            located,
            settings,
            digest: String::new(),
            owed: Owed::default(),
            is_failing: false,
            said_fixed: Vec::new(),
        }
    }

    /// Goes on with another manifest; tells whether other files matter now.
    fn take_up(&mut self, located: LocatedApp, settings: AppSettings, sources: Sources) -> bool {
        // How each component was built until now; one that is built in another way, or is new, has to be.
        let before: BTreeMap<_, _> = self.located.app.components.iter().map(|(name, one)| (name, &one.build)).collect();
        let is_other = |name: &String, build: &Option<manifest::Build>| {
            let command = |build: &Option<manifest::Build>| {
                build.as_ref().map(|build| (build.command.clone(), build.workdir.clone()))
            };
            command(build).is_some() && before.get(name).copied().map(command) != Some(command(build))
        };
        if sources == Sources::Watched {
            let others = located.app.components.iter().filter(|(name, one)| is_other(name, &one.build));
            self.owed.builds.extend(others.map(|(name, _)| name.clone()));
        }
        self.owed.builds.retain(|name| located.app.components.contains_key(name));
        let has_other_files = self.located.app.components != located.app.components;
        self.located = located;
        self.settings = settings;
        has_other_files
    }

    /// What is other than at the start and cannot be changed by a reload, unless that was said already.
    fn newly_fixed(&mut self) -> Vec<&'static str> {
        let fixed = fixed::changed(&self.started.host, &self.located.app.host);
        if self.said_fixed == fixed {
            return Vec::new();
        }
        self.said_fixed.clone_from(&fixed);
        fixed
    }
}

/// What of the apps is watched, in their places; what cannot be is told.
fn watched(apps: &[AppState], around: &Surroundings) -> Vec<Watched> {
    let watched = apps.iter().map(|app| {
        let (files, remarks) = Watched::of(&app.located, around.sources);
        remarks.into_iter().for_each(|remark| (around.tell)(Report::Notice(remark)));
        files
    });
    watched.collect()
}

/// A build that is due: the step, and the apps that have it.
struct Due {
    step: Step,
    apps: BTreeSet<usize>,
}
