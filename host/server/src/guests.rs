//! Building the guests: before an app starts and while it is developed, components' build commands run where the manifest
//! says.
//!
//! Components that share folder and command come out of one build. Which of them have to be built is up to the caller; loading
//! what was built is left to the guest runtime.

mod process;
mod targets;
#[cfg(test)]
mod tests;

use anyhow::{Context, anyhow};
use manifest::App;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use self::targets::wanted_targets;

use self::process::{Ending, Running};
use crate::clock::Stopwatch;
use crate::console::Console;
use crate::exit::Problem;

/// One command and what comes out of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Step {
    /// A command line.
    pub(crate) command: String,
    /// Where it runs.
    pub(crate) folder: PathBuf,
    /// The components of the app that it builds; at least one.
    pub(crate) components: BTreeSet<String>,
}

/// A build that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Built {
    /// What was built.
    pub(crate) components: BTreeSet<String>,
    /// How long the command ran.
    pub(crate) took: Duration,
}

/// A build that did not. Inside of [`Problem::App`], where `downcast_ref` finds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct BuildFailure {
    /// What, where, why, and what to do; refers to the output as to something that was shown.
    pub(crate) message: String,
    /// The end of what the command said, without colours.
    pub(crate) output: String,
}

/// The builds of an app, in the order of their first component.
pub(crate) fn steps(app: &App, manifest_folder: &Path) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut places = BTreeMap::new();
    for (name, component) in &app.components {
        let Some(build) = &component.build else { continue };
        let folder = match &build.workdir {
            Some(workdir) => manifest_folder.join(workdir),
            None => manifest_folder.to_owned(),
        };
        let place = *places.entry((folder.clone(), build.command.as_str())).or_insert(steps.len());
        match steps.get_mut(place) {
            Some(step) => drop(step.components.insert(name.clone())),
            None => steps.push(Step { command: build.command.clone(), folder, components: [name.clone()].into() }),
        }
    }
    steps
}

/// Runs the build command of every component that has one, in the order of their names. Says how long it took; none if there
/// was nothing to build.
///
/// # Errors
/// A build fails, or a Rust target is missing and cannot be added.
pub(crate) fn build(app: &App, manifest_folder: &Path, console: &Console) -> Result<Option<Duration>, Problem> {
    let stopwatch = Stopwatch::start();
    let steps = steps(app, manifest_folder);
    for step in &steps {
        step.build(console)?;
    }
    Ok(if steps.is_empty() { None } else { Some(stopwatch.elapsed()) })
}

impl Step {
    /// Runs the command to its end, on this thread, which may belong to a runtime or not.
    ///
    /// # Errors
    /// It fails, or a Rust target is missing and cannot be added.
    pub(crate) fn build(&self, console: &Console) -> Result<Built, Problem> {
        self.check_folder().map_err(|failure| Problem::App(failure.into()))?;
        self.add_missing_targets(&|text| console.progress(text))?;
        console.progress(&format!("Building {} ...", self.names()));
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.context("the build cannot be waited for")?.block_on(async {
                // Ctrl+C ends both at once, for nobody listens to signals yet.
                self.start(console.colours_on_error(), Ending::WithHost)?.end().await
            })
        };
        // A thread of its own, because a runtime must not be begun inside of another one.
        let ended = std::thread::scope(|scope| scope.spawn(run).join());
        ended.unwrap_or_else(|_| Err(anyhow!("building {} broke off", self.names()))).map_err(Problem::App)
    }

    /// Adds the Rust targets that the command names. Takes a while even if they are there: asking costs a process. `say` is told
    /// before something takes longer.
    ///
    /// # Errors
    /// One is missing and cannot be added.
    pub(crate) fn add_missing_targets(&self, say: &dyn Fn(&str)) -> anyhow::Result<()> {
        targets::add_missing(&self.command, &self.folder, say)
    }

    /// Starts the command so that it can be stopped. Inside of a runtime only.
    ///
    /// # Errors
    /// There is no such folder, or no shell.
    pub(crate) fn begin(&self, colours: bool) -> Result<Building, BuildFailure> {
        self.check_folder()?;
        self.start(colours, Ending::ByHost)
    }

    fn start(&self, colours: bool, ending: Ending) -> Result<Building, BuildFailure> {
        let stopwatch = Stopwatch::start();
        match Running::start(&self.command, &self.folder, ending, colours) {
            Ok(running) => Ok(Building { step: self.clone(), running, stopwatch, ending }),
            Err(error) => Err(self.failure(&format!("the shell that builds it cannot be started: {error}"))),
        }
    }

    fn check_folder(&self) -> Result<(), BuildFailure> {
        if self.folder.is_dir() {
            return Ok(());
        }
        let first = self.components.first().map_or("NAME", String::as_str);
        let folder = self.folder.display();
        Err(self.failure(&format!("there is no folder {folder}; correct components.{first}.build.workdir")))
    }

    /// Whether both are one command in one place, whatever it builds for whom.
    pub(crate) fn is_same_run(&self, other: &Step) -> bool {
        self.command == other.command && self.folder == other.folder
    }

    /// The components, for a sentence.
    pub(crate) fn names(&self) -> String {
        self.components.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    fn failure(&self, why: &str) -> BuildFailure {
        let what = if self.components.len() == 1 { "component" } else { "components" };
        let names: Vec<String> = self.components.iter().map(|name| format!("'{name}'")).collect();
        BuildFailure { message: format!("{what} {} cannot be built: {why}", names.join(", ")), output: String::new() }
    }
}

/// A build that runs. Dropping it kills it, unless it was started to end with the host.
pub(crate) struct Building {
    step: Step,
    running: Running,
    stopwatch: Stopwatch,
    ending: Ending,
}

impl Building {
    /// Waits for its end. May be dropped and asked again, as in a `select!`.
    ///
    /// # Errors
    /// The command says that it failed, or the system does not say how it ended.
    pub(crate) async fn end(&mut self) -> anyhow::Result<Built> {
        let (status, output) =
            self.running.end().await.map_err(|error| self.step.failure(&format!("its end is unknown: {error}")))?;
        if status.success() {
            return Ok(Built { components: self.step.components.clone(), took: self.stopwatch.elapsed() });
        }
        let Step { command, folder, .. } = &self.step;
        let instead = match self.ending {
            Ending::WithHost => ", or start with --no-build to run what was built before",
            Ending::ByHost => "",
        };
        let folder = folder.display();
        let why = format!("`{command}` in {folder} ended with {status}; correct what it says above{instead}");
        Err(BuildFailure { output, ..self.step.failure(&why) }.into())
    }

    /// Ends it before its time, with all that it has started.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}
