//! Versions of an app on disk, in its data folder: what each consists of, and the components themselves.
//!
//! ```text
//! apps/<app digest>.json             its functions and the digests of its components
//! components/<component digest>.wasm
//! ```
//!
//! A file is complete when it is there: each is written beside its place, synced, and then renamed.

use anyhow::Context;
use guest::{Binding, Component, FunctionKind};
use manifest::{OutboundHost, Trigger};
use orchestration::Timeouts;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const APPS: &str = "apps";
const COMPONENTS: &str = "components";
const RECORD: &str = "json";
const WASM: &str = "wasm";
const UNFINISHED: &str = "part";

/// What one version of an app consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppRecord {
    /// The app's name.
    pub(crate) app: String,
    /// The manifest's version, for people.
    pub(crate) version: String,
    /// By their names in the manifest.
    pub(crate) components: BTreeMap<String, KeptComponent>,
    /// In the order of the manifest.
    pub(crate) functions: Vec<KeptFunction>,
    /// The manifest as it was written, for the bindings of its activities; none in records of hosts without bindings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) manifest: Option<String>,
}

/// A component of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptComponent {
    /// Of its bytes.
    pub(crate) digest: String,
    /// As in the manifest.
    allowed_outbound_hosts: Vec<String>,
}

/// A function of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptFunction {
    name: String,
    entry_point: String,
    kind: String,
    /// Its name in [`AppRecord::components`].
    component: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heartbeat_timeout_ms: Option<u64>,
}

impl AppRecord {
    /// The version that a manifest and its loaded components make.
    pub(crate) fn of(app: &manifest::App, manifest: &str, components: &BTreeMap<String, Arc<Component>>) -> AppRecord {
        let kept = |component: &Arc<Component>| KeptComponent {
            digest: component.digest().to_owned(),
            allowed_outbound_hosts: component.allowed_hosts().iter().map(OutboundHost::to_string).collect(),
        };
        AppRecord {
            app: app.name.clone(),
            version: app.version.clone(),
            components: components.iter().map(|(name, component)| (name.clone(), kept(component))).collect(),
            functions: app.functions.iter().map(KeptFunction::of).collect(),
            manifest: Some(manifest.to_owned()),
        }
    }

    /// How long one run of an activity may take, by its name without case.
    pub(crate) fn timeouts(&self, activity: &str) -> Timeouts {
        let is_it = |function: &&KeptFunction| {
            function.kind == FunctionKind::Activity.name() && function.name.eq_ignore_ascii_case(activity)
        };
        self.functions.iter().find(is_it).map(KeptFunction::timeouts).unwrap_or_default()
    }
}

impl KeptComponent {
    pub(crate) fn allowed_outbound_hosts(&self) -> Result<Vec<OutboundHost>, String> {
        let parse = |text: &String| text.parse().map_err(|why| format!("allowedOutboundHosts: '{text}' {why}"));
        self.allowed_outbound_hosts.iter().map(parse).collect()
    }
}

impl KeptFunction {
    fn of(function: &manifest::Function) -> KeptFunction {
        let Timeouts { run, heartbeat } = timeouts(&function.trigger);
        let ms = |time: Option<Duration>| time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        KeptFunction {
            name: function.name.clone(),
            entry_point: function.entry_point.clone(),
            kind: kind(&function.trigger).name().to_owned(),
            component: function.component.clone(),
            timeout_ms: ms(run),
            heartbeat_timeout_ms: ms(heartbeat),
        }
    }

    fn timeouts(&self) -> Timeouts {
        let time = |ms: Option<u64>| ms.map(Duration::from_millis);
        Timeouts { run: time(self.timeout_ms), heartbeat: time(self.heartbeat_timeout_ms) }
    }

    /// The function in one of these components, by their names.
    pub(crate) fn binding(&self, components: &BTreeMap<&str, Arc<Component>>) -> Result<Binding, String> {
        let KeptFunction { name, entry_point, kind, component, .. } = self;
        let Timeouts { run, heartbeat } = self.timeouts();
        Ok(Binding {
            function: name.clone(),
            entry_point: entry_point.clone(),
            component: components
                .get(component.as_str())
                .cloned()
                .ok_or_else(|| format!("function '{name}' is in a component '{component}' that is not there"))?,
            kind: FunctionKind::parse(kind)
                .ok_or_else(|| format!("function '{name}' is of the unknown kind '{kind}'"))?,
            timeout: run,
            heartbeat_timeout: heartbeat,
            inputs: Vec::new(),
            outputs: Vec::new(),
        })
    }
}

/// What a trigger makes of a function.
pub(crate) fn kind(trigger: &Trigger) -> FunctionKind {
    match trigger {
        Trigger::Http(_) => FunctionKind::Http,
        Trigger::Orchestration => FunctionKind::Orchestrator,
        Trigger::Activity(_) => FunctionKind::Activity,
        Trigger::Entity => FunctionKind::Entity,
        Trigger::Queue(_) => FunctionKind::Queue,
        Trigger::Timer(_) => FunctionKind::Timer,
    }
}

/// How long a function may take where the manifest says so for it alone.
pub(crate) fn timeouts(trigger: &Trigger) -> Timeouts {
    match trigger {
        Trigger::Activity(activity) => Timeouts { run: activity.timeout, heartbeat: activity.heartbeat_timeout },
        Trigger::Http(_) | Trigger::Orchestration | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => {
            Timeouts::default()
        }
    }
}

/// The folders of the module's heading.
#[derive(Debug, Clone)]
pub(crate) struct AppArchive {
    folder: PathBuf,
}

impl AppArchive {
    /// In an app's data folder. Nothing is read or made yet.
    pub(crate) fn new(folder: PathBuf) -> AppArchive {
        AppArchive { folder }
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a component is, if it is there.
    pub(crate) fn component_path(&self, digest: &str) -> PathBuf {
        self.folder.join(COMPONENTS).join(digest).with_extension(WASM)
    }

    fn record_path(&self, digest: &str) -> PathBuf {
        self.folder.join(APPS).join(digest).with_extension(RECORD)
    }

    /// Keeps a version; `sources` are the files from which its components were loaded, by their names. Durable when it
    /// returns.
    ///
    /// # Errors
    /// The folder cannot be written, or a component's file is not the one any more that was loaded.
    pub(crate) fn keep(
        &self,
        digest: &str,
        record: &AppRecord,
        sources: &BTreeMap<String, PathBuf>,
    ) -> anyhow::Result<()> {
        for (name, component) in &record.components {
            let place = self.component_path(&component.digest);
            if place.is_file() {
                continue;
            }
            let source = sources.get(name).with_context(|| format!("component '{name}' has no file"))?;
            let wasm = fs::read(source).with_context(|| format!("component '{name}': {}", source.display()))?;
            anyhow::ensure!(
                guest::digest(&wasm) == component.digest,
                "component '{name}': {} was changed while it was loaded; start again",
                source.display()
            );
            write(&place, &wasm).with_context(|| place.display().to_string())?;
        }
        let place = self.record_path(digest);
        let text = serde_json::to_string_pretty(record).context("what the app consists of cannot be written")?;
        // Allowed hosts and timeouts are not part of the digest: what the manifest says last counts.
        if fs::read_to_string(&place).is_ok_and(|kept| kept == text) {
            return Ok(());
        }
        write(&place, text.as_bytes()).with_context(|| place.display().to_string())
    }

    /// Every version that is kept, by its digest.
    pub(crate) fn records(&self) -> BTreeMap<String, AppRecord> {
        let kept = files(&self.folder.join(APPS), RECORD).unwrap_or_default();
        kept.into_iter().filter_map(|(digest, _)| Some((digest.clone(), self.record(&digest)?))).collect()
    }

    /// One version, if it is kept. What cannot be read is left where it is, and said.
    pub(crate) fn record(&self, digest: &str) -> Option<AppRecord> {
        let path = self.record_path(digest);
        let text = match fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => Err(error.to_string()),
        };
        match text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())) {
            Ok(record) => Some(record),
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "a version of the app cannot be read");
                None
            }
        }
    }

    /// The bytes of a component.
    pub(crate) fn component(&self, digest: &str) -> Result<Vec<u8>, String> {
        let path = self.component_path(digest);
        let wasm = fs::read(&path).map_err(|error| format!("{}: {error}; put the file back", path.display()))?;
        if guest::digest(&wasm) == digest {
            Ok(wasm)
        } else {
            Err(format!("{} is damaged; put the right file there, whose SHA-256 is its name", path.display()))
        }
    }

    /// Removes all versions but these, and the components of none of these. Answers the versions.
    pub(crate) fn clean(&self, needed: &BTreeSet<String>) -> io::Result<Vec<String>> {
        let mut removed = Vec::new();
        let mut kept_components = BTreeSet::new();
        let records = self.records();
        for (digest, path) in files(&self.folder.join(APPS), RECORD)? {
            if !needed.contains(&digest) {
                fs::remove_file(&path)?;
                removed.push(digest);
            } else if let Some(record) = records.get(&digest) {
                kept_components.extend(record.components.values().map(|component| component.digest.clone()));
            } else {
                // What cannot be read may need any component.
                return Ok(removed);
            }
        }
        for (digest, path) in files(&self.folder.join(COMPONENTS), WASM)? {
            if !kept_components.contains(&digest) {
                fs::remove_file(path)?;
            }
        }
        Ok(removed)
    }
}

/// The files with an extension and their names without it, sorted; none where there is no such folder.
fn files(folder: &Path, extension: &str) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let (true, Some(stem)) = (path.extension().is_some_and(|is| is == extension), path.file_stem()) {
            files.push((stem.to_string_lossy().into_owned(), path.clone()));
        }
    }
    files.sort();
    Ok(files)
}

/// Whole or not at all.
fn write(place: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let unfinished = place.with_extension(UNFINISHED);
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, place)?;
    // The rename itself is durable when the folder is.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}
