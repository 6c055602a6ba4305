//! Versions of an app on disk, in its data folder.
//!
//! ```text
//! apps/<app digest>.json             its functions and the digests of its components
//! components/<component digest>.wasm
//! ```
//!
//! A file is complete when it is there: each is written beside its place, synced, and then renamed.

use anyhow::Context;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::app_versions::record::AppRecord;

const APPS: &str = "apps";
const COMPONENTS: &str = "components";
const RECORD: &str = "json";
const WASM: &str = "wasm";
const UNFINISHED: &str = "part";

/// The folders of the module's heading, in this one.
#[derive(Debug, Clone)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn component_path(&self, digest: &str) -> PathBuf {
        self.0.join(COMPONENTS).join(digest).with_extension(WASM)
    }

    fn record_path(&self, digest: &str) -> PathBuf {
        self.0.join(APPS).join(digest).with_extension(RECORD)
    }

    pub(super) fn keep(
        &self,
        digest: &str,
        record: &AppRecord,
        read: &dyn Fn(&str, &str) -> anyhow::Result<Bytes>,
    ) -> anyhow::Result<()> {
        for (name, component) in &record.components {
            let place = self.component_path(&component.digest);
            if !place.is_file() {
                let wasm = read(name, &component.digest)?;
                write(&place, &wasm).with_context(|| place.display().to_string())?;
            }
        }
        let place = self.record_path(digest);
        let text = serde_json::to_string_pretty(record).context("what the app consists of cannot be written")?;
        // Allowed hosts and timeouts are not part of the digest: what the manifest says last counts.
        if fs::read_to_string(&place).is_ok_and(|kept| kept == text) {
            return Ok(());
        }
        write(&place, text.as_bytes()).with_context(|| place.display().to_string())
    }

    pub(super) fn records(&self) -> BTreeMap<String, AppRecord> {
        let kept = files(&self.0.join(APPS), RECORD).unwrap_or_default();
        kept.into_iter().filter_map(|(digest, _)| Some((digest.clone(), self.record(&digest)?))).collect()
    }

    pub(super) fn record(&self, digest: &str) -> Option<AppRecord> {
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

    pub(super) fn component(&self, digest: &str) -> Result<Vec<u8>, String> {
        let path = self.component_path(digest);
        let wasm = fs::read(&path).map_err(|error| format!("{}: {error}; put the file back", path.display()))?;
        if guest::digest(&wasm) == digest {
            Ok(wasm)
        } else {
            Err(format!("{} is damaged; put the right file there, whose SHA-256 is its name", path.display()))
        }
    }

    pub(super) fn clean(&self, needed: &BTreeSet<String>) -> io::Result<Vec<String>> {
        let mut removed = Vec::new();
        let mut kept_components = BTreeSet::new();
        let records = self.records();
        for (digest, path) in files(&self.0.join(APPS), RECORD)? {
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
        for (digest, path) in files(&self.0.join(COMPONENTS), WASM)? {
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
