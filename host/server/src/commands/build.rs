//! `dacapo build`: builds the components of apps and says how long each build took.

#[cfg(test)]
mod tests;

use anyhow::{Context, anyhow};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::outline;
use crate::cli::{BuildArguments, OutputFormat};
use crate::console::Console;
use crate::exit::Problem;
use crate::guests::{self, BuildFailure, Built, Step};
use crate::manifest_file::LocatedApp;
use crate::settings::Environment;
use crate::shutdown::Signals;

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::App`] when a manifest is wrong or a build fails, [`Problem::Interrupted`] when a person has stopped it.
pub(crate) fn run(arguments: &BuildArguments, environment: &Environment, console: &Console) -> Result<(), Problem> {
    let manifests: Vec<Option<&Path>> = match arguments.manifests.as_slice() {
        [] => vec![None],
        named => named.iter().map(|path| Some(path.as_path())).collect(),
    };
    let read = |manifest| outline::read(manifest, &[], environment).map(|outline| outline.located);
    let apps: Vec<LocatedApp> = manifests.into_iter().map(read).collect::<Result<_, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::Host(error.into()))?;
    let (report, outcome) = runtime.block_on(build_all(&apps, arguments.output, console));
    if arguments.output == OutputFormat::Json {
        // A struct of texts and numbers always serialises.
        console.notice(&serde_json::to_string_pretty(&report).unwrap_or_default());
    }
    outcome
}

#[derive(Debug, Serialize, Default)]
struct Report {
    builds: Vec<ReportedBuild>,
}

/// One command that ran. Those behind one that failed did not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedBuild {
    app: String,
    components: BTreeSet<String>,
    command: String,
    succeeded: bool,
    /// Of one that succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    /// What came out of one that succeeded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<BuiltFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The end of what one that failed has said.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
}

/// A component on disk.
#[derive(Debug, Serialize, PartialEq, Eq)]
struct BuiltFile {
    component: String,
    path: PathBuf,
    bytes: u64,
}

async fn build_all(apps: &[LocatedApp], output: OutputFormat, console: &Console) -> (Report, Result<(), Problem>) {
    let mut report = Report::default();
    let say = |text: &str| {
        if output == OutputFormat::Text {
            console.notice(text);
        }
    };
    // Apps may share a build.
    let mut done: BTreeSet<(PathBuf, String)> = BTreeSet::new();
    for located in apps {
        let steps = guests::steps(&located.app, &located.folder);
        if steps.is_empty() {
            say(&format!("Nothing to build: no component of {} has a build command.", located.app.name));
        }
        for step in steps {
            if !done.insert((step.folder.clone(), step.command.clone())) {
                continue;
            }
            say(&format!("Building {} ...", step.names()));
            let built = match build(&step, console, &say).await {
                Ok(built) => files(&step, located).map(|files| (built, files)),
                Err(problem) => Err(problem),
            };
            let (reported, outcome) = told(located, &step, built);
            if let Some(text) = reported.in_words() {
                say(&text);
            }
            report.builds.push(reported);
            if outcome.is_err() {
                return (report, outcome);
            }
        }
    }
    (report, Ok(()))
}

/// Runs one command, unless a person stops it.
async fn build(step: &Step, console: &Console, say: &dyn Fn(&str)) -> Result<Built, Problem> {
    let mut signals = Signals::listen().context("Ctrl+C cannot be listened for")?;
    step.add_missing_targets(&say).map_err(Problem::App)?;
    let mut building = step.begin(console.colours_on_error()).map_err(|failure| Problem::App(failure.into()))?;
    let ended = tokio::select! {
        ended = building.end() => Some(ended),
        () = signals.next() => None,
    };
    match ended {
        Some(ended) => ended.map_err(Problem::App),
        None => {
            building.stop().await;
            Err(Problem::Interrupted)
        }
    }
}

/// What a build has left where the manifest says.
fn files(step: &Step, located: &LocatedApp) -> Result<Vec<BuiltFile>, Problem> {
    let file = |name: &String| {
        let source = located.app.components.get(name).map(|component| component.source.as_str()).unwrap_or_default();
        let path = located.folder.join(source);
        let found = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file);
        let Some(found) = found else {
            return Err(Problem::App(anyhow!(
                "`{}` went well, and left no {}; correct components.{name}.source in {}, or the command",
                step.command,
                path.display(),
                located.file
            )));
        };
        Ok(BuiltFile { component: name.clone(), path, bytes: found.len() })
    };
    step.components.iter().map(file).collect()
}

fn told(
    located: &LocatedApp,
    step: &Step,
    built: Result<(Built, Vec<BuiltFile>), Problem>,
) -> (ReportedBuild, Result<(), Problem>) {
    let mut reported = ReportedBuild {
        app: located.app.name.clone(),
        components: step.components.clone(),
        command: step.command.clone(),
        succeeded: built.is_ok(),
        duration_ms: None,
        files: Vec::new(),
        error: None,
        output: None,
    };
    match built {
        Ok((built, files)) => {
            reported.duration_ms = Some(u64::try_from(built.took.as_millis()).unwrap_or(u64::MAX));
            reported.files = files;
            (reported, Ok(()))
        }
        Err(Problem::App(error)) => {
            reported.error = Some(format!("{error:#}"));
            reported.output = error.downcast_ref::<BuildFailure>().map(|failure| failure.output.clone());
            (reported, Err(Problem::App(error)))
        }
        Err(problem) => (reported, Err(problem)),
    }
}

impl ReportedBuild {
    /// What came out, and how long it took; none for a build that failed, which is told as an error.
    fn in_words(&self) -> Option<String> {
        let duration_ms = self.duration_ms?;
        let names: Vec<&str> = self.components.iter().map(String::as_str).collect();
        let mut text =
            format!("Built {} in {}.{:02} s", names.join(", "), duration_ms / 1_000, duration_ms % 1_000 / 10);
        for file in &self.files {
            text.push_str(&format!("\n  {} ({} KiB)", file.path.display(), file.bytes.div_ceil(1_024)));
        }
        Some(text)
    }
}
