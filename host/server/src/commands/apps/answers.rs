//! What a host says about its apps, as it comes and as people read it.
//!
//! Fields that are missing have their empty values: an older host says less, and a newer one more.

use serde::Deserialize;
use std::fmt::Write;

use super::shown;
use crate::commands::columns::{columns, row};
use crate::moment;

/// An app in a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AppSummary {
    name: String,
    version: String,
    digest: String,
    bundle: Option<String>,
    deployed_at: Option<String>,
    functions: u64,
    source: String,
    task_hub: String,
    not_served: Option<String>,
}

/// One app.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AppView {
    #[serde(flatten)]
    app: AppSummary,
    versions: Vec<VersionView>,
    deployments: Vec<DeploymentView>,
    function_names: Vec<String>,
    routes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VersionView {
    digest: String,
    version: String,
    running: u64,
    failed: u64,
    example: Option<String>,
    why: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DeploymentView {
    bundle: String,
    version: String,
    deployed_at: Option<String>,
    present: bool,
}

/// What a deploy or a rollback has done.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::commands) struct SwitchReport {
    app: String,
    version: String,
    bundle: String,
    previous: Option<Previous>,
    functions: Differences,
    routes: Vec<String>,
    warnings: Vec<String>,
    duration_ms: Durations,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Previous {
    version: String,
    bundle: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Differences {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
    unchanged: Vec<String>,
}

/// In milliseconds.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Durations {
    check: f64,
    compile: f64,
    replay: f64,
    switch: f64,
}

/// What was taken off.
#[derive(Debug, Deserialize)]
pub(super) struct Removed {
    app: String,
    #[serde(default)]
    instances: u64,
}

/// Why something was refused.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorAnswer {
    error: Refusal,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    message: String,
    #[serde(default)]
    problems: Vec<String>,
}

/// All apps, a line each.
pub(super) fn table(apps: &[AppSummary]) -> String {
    if apps.is_empty() {
        return "There are no apps; deploy one with `dacapo deploy`.".to_owned();
    }
    let mut rows = vec![row(["Name", "Version", "Functions", "Bundle", "Deployed", "Task hub"])];
    rows.extend(apps.iter().map(|app| {
        let functions = app.functions.to_string();
        row([&app.name, &app.version, &functions, app.bundle(), &app.deployed_at(), &app.task_hub])
    }));
    let mut text = columns(&rows);
    for app in apps {
        if let Some(why) = &app.not_served {
            // Writing to a String cannot fail.
            let _infallible = write!(text, "\n{} is not served: {why}\n", app.name);
        }
    }
    text
}

impl AppSummary {
    /// The bundle, or what the app comes from instead.
    fn bundle(&self) -> &str {
        self.bundle.as_deref().map_or(self.source.as_str(), shown)
    }

    fn deployed_at(&self) -> String {
        moment(self.deployed_at.as_deref())
    }
}

impl AppView {
    pub(super) fn in_words(&self) -> String {
        let app = &self.app;
        let mut text = format!("{} {}\n\n", app.name, app.version);
        text.push_str(&columns(&[
            row(["App digest:", shown(&app.digest)]),
            row(["Bundle:", app.bundle()]),
            row(["Deployed:", &app.deployed_at()]),
            row(["Task hub:", &app.task_hub]),
        ]));
        let mut versions = vec![row(["Version", "Digest", "Running", "Failed", "Kept because", "Such as"])];
        versions.extend(self.versions.iter().map(|one| {
            let (running, failed) = (one.running.to_string(), one.failed.to_string());
            let example = one.example.as_deref().unwrap_or_default();
            row([&one.version, shown(&one.digest), &running, &failed, &one.why, example])
        }));
        let mut deployments = vec![row(["", "Version", "Bundle", "Deployed"])];
        deployments.extend(self.deployments.iter().map(|one| {
            let mark = if one.present { "*" } else { "" };
            row([mark, &one.version, shown(&one.bundle), &moment(one.deployed_at.as_deref())])
        }));
        section(&mut text, "Versions that are alive", &versions);
        section(&mut text, "Deployments", &deployments);
        list(&mut text, "Functions", &self.function_names);
        list(&mut text, "Routes", &self.routes);
        text
    }
}

/// To the second; what is no moment as it is.
fn moment(text: Option<&str>) -> String {
    let text = text.unwrap_or("-");
    moment::parse(text).map_or_else(|| text.to_owned(), moment::to_second)
}

/// Nothing without a row besides the headings.
fn section(text: &mut String, heading: &str, rows: &[Vec<String>]) {
    if rows.len() > 1 {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "\n{heading}:\n{}", columns(rows));
    }
}

fn list(text: &mut String, heading: &str, items: &[String]) {
    if !items.is_empty() {
        let _infallible = write!(text, "\n{heading}:\n");
        items.iter().for_each(|item| text.push_str(&format!("  {item}\n")));
    }
}

impl SwitchReport {
    pub(in crate::commands) fn deployed(&self) -> String {
        self.in_words("Deployed")
    }

    pub(super) fn rolled_back(&self) -> String {
        self.in_words("Went back to")
    }

    fn in_words(&self, done: &str) -> String {
        let mut text = format!("{done} {} {} (bundle {})\n", self.app, self.version, shown(&self.bundle));
        if let Some(Previous { version, bundle }) = &self.previous {
            let bundle = bundle.as_deref().map(|bundle| format!(" (bundle {})", shown(bundle))).unwrap_or_default();
            text.push_str(&format!("Before: {version}{bundle}; instances that began on it finish on it\n"));
        }
        let Differences { added, removed, changed, unchanged } = &self.functions;
        for (what, names) in [("Added", added), ("Removed", removed), ("Changed", changed)] {
            if !names.is_empty() {
                text.push_str(&format!("{what}: {}\n", names.join(", ")));
            }
        }
        if !unchanged.is_empty() {
            text.push_str(&format!("Unchanged: {}\n", unchanged.len()));
        }
        list(&mut text, "Routes", &self.routes);
        self.warnings.iter().for_each(|warning| text.push_str(&format!("Warning: {warning}\n")));
        let Durations { check, compile, replay, switch } = self.duration_ms;
        let seconds = [("checked", check), ("compiled", compile), ("replayed", replay), ("switched", switch)];
        let seconds = seconds.map(|(what, ms)| format!("{what} in {:.2} s", ms / 1_000.0));
        text.push_str(&format!("\n{}\n", seconds.join(", ")));
        text
    }
}

impl Removed {
    pub(super) fn in_words(&self) -> String {
        match self.instances {
            0 => format!("Removed {}.", self.app),
            1 => format!("Removed {}, of which an instance was running.", self.app),
            n => format!("Removed {}, of which {n} instances were running.", self.app),
        }
    }
}

impl ErrorAnswer {
    pub(super) fn in_words(&self) -> String {
        let problems = self.error.problems.iter().map(|problem| format!("\n  {problem}"));
        format!("{}{}", self.error.message, problems.collect::<String>())
    }
}
