//! Whether the manifest of an app is right, its settings are there, and its functions do not get into each other's way.

use manifest::App;
use std::path::{Path, PathBuf};

use super::{Finding, Level};
use crate::commands::settings::survey;
use crate::exit::Problem;
use crate::listing;
use crate::manifest_file::{self, LocatedApp};
use crate::settings::{self, AppSettings, Assignment, Environment};

const MANIFEST: &str = "manifest";
const SETTINGS: &str = "settings";
const NAMES: &str = "names";

/// Other manifests of a folder that are looked at.
const MAX_NEIGHBOURS: usize = 100;

/// The app, if its manifest is right.
///
/// # Errors
/// There is no current folder that the manifest's path could be relative to.
pub(super) fn look(
    manifest: &Path,
    given: &[Assignment],
    environment: &Environment,
    findings: &mut Vec<Finding>,
) -> Result<Option<LocatedApp>, Problem> {
    let folder = manifest_file::folder(manifest)?;
    let settings_file = settings::file_in(&folder);
    let (settings, is_whole) = match AppSettings::read_with(environment, given, &folder) {
        Ok(settings) => (settings, true),
        Err(error) => {
            let what = format!("{error:#}").trim_end().to_owned();
            findings.push(Finding::problem(SETTINGS, what, "correct the file"));
            (AppSettings::without_file(environment, given), false)
        }
    };
    let text = match manifest_file::read_text(manifest) {
        Ok(text) => text,
        Err(error) => {
            findings.push(Finding::problem(MANIFEST, format!("{error:#}"), "name the app's manifest, a TOML file"));
            return Ok(None);
        }
    };
    let file = manifest.display().to_string();
    let lookup = |name: &str| settings.values.get(name).cloned();
    let parsed = manifest::parse(&text, &file, &lookup);
    match &parsed {
        Ok(app) => {
            let functions = app.functions.len();
            findings.push(Finding::ok(
                MANIFEST,
                format!("{file} is right; {} {}, functions: {functions}", app.name, app.version),
            ));
        }
        Err(problems) => findings.extend(problems.problems.iter().map(|problem| {
            let field = if problem.field.is_empty() { String::new() } else { format!("{}: ", problem.field) };
            let what = format!("{file}:{}: {field}{}", problem.line, problem.what);
            Finding::problem(MANIFEST, what, problem.next_step.clone())
        })),
    }
    // Nothing can be said to be in order while part of it cannot be read.
    let of_settings = judge_settings(&text, &settings, &file).into_iter();
    findings.extend(of_settings.filter(|finding| is_whole || finding.level != Level::Ok));
    findings.extend(too_open(&settings_file));
    let Ok(app) = parsed else { return Ok(None) };
    let namesakes = namesakes(&app.name, &folder, manifest);
    findings.extend(judge_names(&app, &namesakes));
    Ok(Some(LocatedApp { app, folder, file, text }))
}

/// Settings that are missing are problems of the manifest; here is what else can be wrong with settings.
pub(super) fn judge_settings(manifest: &str, settings: &AppSettings, file: &str) -> Vec<Finding> {
    let survey = survey(manifest, settings);
    let mut findings = Vec::new();
    for setting in &survey.settings {
        let name = &setting.name;
        if let Some(Err(why)) = &setting.leads {
            findings.push(Finding::problem(
                SETTINGS,
                format!("the connection {name} leads nowhere: {why}"),
                format!("correct it with `dacapo settings add {file} {name}`, or in the environment"),
            ));
        }
        if let Some(other) = &setting.in_other_case {
            findings.push(Finding::warning(
                SETTINGS,
                format!("{name} is not set, and {other} is"),
                "write the name in the same way: upper and lower case make a difference",
            ));
        }
        if let Some(found) = setting.found.as_ref().filter(|found| found.overrides_file) {
            findings.push(Finding::warning(
                SETTINGS,
                format!("{name} comes from {}; the value in local.settings.toml has no effect", found.source),
                format!("unset it, or remove it from the file with `dacapo settings delete {file} {name}`"),
            ));
        }
    }
    let refers_to_some = survey.settings.iter().any(|setting| !setting.references.is_empty());
    if refers_to_some && survey.wanting().next().is_none() {
        findings.push(Finding::ok(
            SETTINGS,
            format!("all that the manifest needs are there; see `dacapo settings {file}`"),
        ));
    }
    findings
}

#[cfg(unix)]
fn too_open(file: &Path) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    let shown = file.display();
    (mode & 0o077 != 0).then(|| {
        let what = format!("others on this machine can read {shown}, where secrets may be");
        Finding::warning(SETTINGS, what, format!("run: chmod 600 {shown}"))
    })
}

#[cfg(not(unix))]
fn too_open(_file: &Path) -> Option<Finding> {
    None
}

/// Other manifests of the folder whose apps have this name, and would share its data folder.
fn namesakes(name: &str, folder: &Path, manifest: &Path) -> Vec<PathBuf> {
    let own = manifest.file_name();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let manifests = entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let mut others: Vec<PathBuf> = manifests.filter(|path| path.file_name() != own).take(MAX_NEIGHBOURS).collect();
    others.sort();
    let app_name = |path: &PathBuf| {
        let text = manifest_file::read_text(path).ok()?;
        let document: toml::Table = text.parse().ok()?;
        Some(document.get("app")?.get("name")?.as_str()?.to_owned())
    };
    others.into_iter().filter(|path| app_name(path).as_deref() == Some(name)).collect()
}

pub(super) fn judge_names(app: &App, namesakes: &[PathBuf]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = namesakes
        .iter()
        .map(|other| {
            let what = format!(
                "{} describes an app named '{}' too: both would use one data folder",
                other.display(),
                app.name
            );
            Finding::warning(NAMES, what, "give one of them another name, or start them with different --data-dir")
        })
        .collect();
    findings.extend(
        listing::competitors(app)
            .into_iter()
            .map(|what| Finding::warning(NAMES, what, "give one of them another queue, unless that is meant")),
    );
    findings.extend(app.order_notices().into_iter().map(|notice| {
        Finding::warning(NAMES, notice.to_string(), "nothing, if this is meant; else make the routes differ more")
    }));
    findings
}
