//! `dacapo pack`: an app becomes one file. Also what `dacapo deploy` does with a manifest, in memory.
//!
//! What a bundle is, is up to the crate `bundle`; this module finds what goes into it, and keeps out what must not.

mod secrets;
#[cfg(test)]
mod tests;

use anyhow::{Context, anyhow};
use bundle::Bundle;
use manifest::{SettingPurpose, SettingReference};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::outline;
use crate::cli::{OutputFormat, PackArguments};
use crate::console::Console;
use crate::exit::Problem;
use crate::file_writer::{self, Readers};
use crate::guests;
use crate::manifest_file::LocatedApp;
use crate::settings::Environment;

/// What bundles say about who made them.
const BUILT_WITH: &str = concat!("dacapo ", env!("CARGO_PKG_VERSION"));

/// A bundle in memory.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    pub(super) report: PackReport,
}

/// What was packed, as `--output json` says it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PackReport {
    pub(super) app: String,
    pub(super) version: String,
    /// Where it is; none in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    bytes: u64,
    pub(super) digest: String,
    components: BTreeMap<String, PackedComponent>,
    /// What the host must have.
    settings: Vec<NeededSetting>,
}

#[derive(Debug, Serialize)]
struct PackedComponent {
    digest: String,
    bytes: u64,
}

/// An app setting that the manifest refers to.
#[derive(Debug, Serialize)]
struct NeededSetting {
    name: String,
    purpose: &'static str,
    field: String,
    line: usize,
}

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::App`] when the app cannot be packed, [`Problem::Host`] when the file cannot be written.
pub(crate) fn run(arguments: &PackArguments, environment: &Environment, console: &Console) -> Result<(), Problem> {
    let manifest = arguments.manifest.as_deref();
    let builder = Builder { no_build: arguments.no_build, output: arguments.output, console };
    let Packed { bytes, mut report } = pack(manifest, environment, &builder)?;
    let file = place(arguments.to.as_deref(), &report);
    file_writer::replace(&file, &bytes, Readers::Everybody)
        .with_context(|| format!("{} cannot be written; choose another place with -o", file.display()))?;
    report.file = Some(file);
    match arguments.output {
        OutputFormat::Text => console.notice(&in_words(&report)),
        // A struct of texts and numbers always serialises.
        OutputFormat::Json => console.notice(&serde_json::to_string_pretty(&report).unwrap_or_default()),
    }
    Ok(())
}

/// How components come to be.
pub(super) struct Builder<'a> {
    pub(super) no_build: bool,
    pub(super) output: OutputFormat,
    pub(super) console: &'a Console,
}

/// Builds an app and packs it. App settings that are not set here are no reason to refuse it.
///
/// # Errors
/// [`Problem::App`] when the manifest is wrong or has a secret in it, a build fails, or a component is none.
pub(super) fn pack(
    manifest: Option<&Path>,
    environment: &Environment,
    builder: &Builder<'_>,
) -> Result<Packed, Problem> {
    let located = outline::read(manifest, &[], environment)?.located;
    secrets::refuse(&located.file, &located.text).map_err(Problem::App)?;
    if !builder.no_build {
        build(&located, builder)?;
    }
    let LocatedApp { app, file, text, .. } = &located;
    let bundle = Bundle {
        app: app.name.clone(),
        version: app.version.clone(),
        manifest: text.clone(),
        components: components(&located).map_err(Problem::App)?,
        built_with: BUILT_WITH.to_owned(),
    };
    let bytes = bundle::write(&bundle).map_err(|error| Problem::App(anyhow!("{file}: {error}")))?;
    let component = |(name, wasm): (&String, &Vec<u8>)| {
        (name.clone(), PackedComponent { digest: bundle::digest(wasm), bytes: wasm.len() as u64 })
    };
    let report = PackReport {
        app: bundle.app.clone(),
        version: bundle.version.clone(),
        file: None,
        bytes: bytes.len() as u64,
        digest: bundle::digest(&bytes),
        components: bundle.components.iter().map(component).collect(),
        settings: app.referenced_settings.iter().map(NeededSetting::of).collect(),
    };
    Ok(Packed { bytes, report })
}

fn build(located: &LocatedApp, builder: &Builder<'_>) -> Result<(), Problem> {
    match builder.output {
        OutputFormat::Text => guests::build(&located.app, &located.folder, builder.console).map(drop),
        // Standard output belongs to the report; the compiler says what it says on standard error.
        OutputFormat::Json => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| Problem::Host(error.into()))?;
            for step in guests::steps(&located.app, &located.folder) {
                step.add_missing_targets(&|_adding| {})?;
                let building = async {
                    let mut building = step.begin(builder.console.colours_on_error())?;
                    building.end().await
                };
                runtime.block_on(building).map_err(Problem::App)?;
            }
            Ok(())
        }
    }
}

fn components(located: &LocatedApp) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let read = |(name, component): (&String, &manifest::Component)| {
        let path = located.folder.join(&component.source);
        let (shown, file) = (path.display(), &located.file);
        let wasm = fs::read(&path).map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                anyhow!(
                    "{file}: component '{name}': there is no {shown}; build it, or correct components.{name}.source"
                )
            } else {
                anyhow!("{file}: component '{name}': {shown} cannot be read: {error}")
            }
        })?;
        Ok((name.clone(), wasm))
    };
    located.app.components.iter().map(read).collect()
}

/// Where the bundle goes: a folder that is there gets a file with the default name.
fn place(chosen: Option<&Path>, report: &PackReport) -> PathBuf {
    let name = format!("{}-{}.{}", report.app, report.version, bundle::EXTENSION);
    match chosen {
        None => PathBuf::from(name),
        Some(folder) if folder.is_dir() => folder.join(name),
        Some(file) => file.to_owned(),
    }
}

impl NeededSetting {
    fn of(reference: &SettingReference) -> NeededSetting {
        let purpose = match reference.purpose {
            SettingPurpose::Text => "text",
            SettingPurpose::Connection => "connection",
            SettingPurpose::Disabled => "disabled",
        };
        NeededSetting { name: reference.name.clone(), purpose, field: reference.field.clone(), line: reference.line }
    }
}

fn in_words(report: &PackReport) -> String {
    let file = report.file.as_deref().unwrap_or(Path::new("")).display();
    let mut text = format!("Packed {} {} into {file} ({})\n", report.app, report.version, size(report.bytes));
    text.push_str(&format!("Bundle digest: {}\n", report.digest));
    for (name, component) in &report.components {
        text.push_str(&format!("  {name}: {}\n", size(component.bytes)));
    }
    text.push_str(&settings_in_words(report));
    text.trim_end().to_owned()
}

/// What the host must have, which is not in the bundle; empty if that is nothing.
pub(super) fn settings_in_words(report: &PackReport) -> String {
    let names = |purpose: &str| {
        let of_purpose = report.settings.iter().filter(|setting| setting.purpose == purpose);
        let names: BTreeSet<&str> = of_purpose.map(|setting| setting.name.as_str()).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    let mut text = String::new();
    let (texts, connections) = (names("text"), names("connection"));
    if !texts.is_empty() {
        text.push_str(&format!("The host must have these app settings: {texts}\n"));
    }
    if !connections.is_empty() {
        text.push_str(&format!(
            "Connections, where the host's own storage is meant unless it says otherwise: {connections}\n"
        ));
    }
    text
}

/// Bytes as people read them.
#[expect(clippy::cast_precision_loss, reason = "one decimal, for people")]
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1_024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
