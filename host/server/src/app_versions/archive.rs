//! Versions of an app, kept for the instances that are pinned to them: in the app's data folder, or in memory where nothing
//! outlives the process.
//!
//! Which versions are needed is left to the [keeper](super::ArchiveKeeper).

mod folder;
mod memory;

use anyhow::Context;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::record::AppRecord;
use folder::Folder;
use memory::Memory;

/// Versions of one app by their digests. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct AppArchive(Place);

#[derive(Debug, Clone)]
enum Place {
    Folder(Folder),
    Memory(Memory),
}

/// Where the bytes of a component are that is to be kept.
#[derive(Debug, Clone)]
pub(crate) enum ComponentBytes {
    /// In a file, which must still be the one that was loaded.
    File(PathBuf),
    /// Here.
    #[cfg_attr(not(test), expect(dead_code, reason = "components that are loaded have files so far"))]
    Here(Bytes),
}

impl ComponentBytes {
    /// The bytes, if they are those of this digest. `name` is told in errors.
    fn read(&self, name: &str, digest: &str) -> anyhow::Result<Bytes> {
        let (bytes, place) = match self {
            ComponentBytes::File(path) => {
                let read = fs::read(path).with_context(|| format!("component '{name}': {}", path.display()))?;
                (Bytes::from(read), path.display().to_string())
            }
            ComponentBytes::Here(bytes) => (bytes.clone(), "what is in memory of it".to_owned()),
        };
        anyhow::ensure!(
            guest::digest(&bytes) == digest,
            "component '{name}': {place} was changed while it was loaded; start again"
        );
        Ok(bytes)
    }
}

impl AppArchive {
    /// In an app's data folder. Nothing is read or made yet.
    pub(crate) fn in_folder(folder: PathBuf) -> AppArchive {
        AppArchive(Place::Folder(Folder(folder)))
    }

    /// Nowhere but in this process.
    pub(crate) fn in_memory() -> AppArchive {
        AppArchive(Place::Memory(Memory::default()))
    }

    /// Where somebody can put files back; none: in memory, where nobody can.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Place::Folder(folder) => Some(&folder.0),
            Place::Memory(_) => None,
        }
    }

    /// Where a component is if it is there, for messages about it.
    pub(crate) fn component_path(&self, digest: &str) -> PathBuf {
        match &self.0 {
            Place::Folder(folder) => folder.component_path(digest),
            Place::Memory(_) => Path::new("memory").join(digest),
        }
    }

    /// Keeps a version; `sources` are the bytes of its components by their names. Those that are kept already are not read.
    /// On disk it is durable when this returns.
    ///
    /// # Errors
    /// The folder cannot be written, or a component's bytes are not those that were loaded.
    pub(crate) fn keep(
        &self,
        digest: &str,
        record: &AppRecord,
        sources: &BTreeMap<String, ComponentBytes>,
    ) -> anyhow::Result<()> {
        let read = |name: &str, digest: &str| {
            let source = sources.get(name).with_context(|| format!("component '{name}' has no file"))?;
            source.read(name, digest)
        };
        match &self.0 {
            Place::Folder(folder) => folder.keep(digest, record, &read),
            Place::Memory(memory) => memory.keep(digest, record, &read),
        }
    }

    /// Every version that is kept, by its digest.
    pub(crate) fn records(&self) -> BTreeMap<String, AppRecord> {
        match &self.0 {
            Place::Folder(folder) => folder.records(),
            Place::Memory(memory) => memory.records(),
        }
    }

    /// One version, if it is kept. What cannot be read is left where it is, and said.
    pub(crate) fn record(&self, digest: &str) -> Option<AppRecord> {
        match &self.0 {
            Place::Folder(folder) => folder.record(digest),
            Place::Memory(memory) => memory.record(digest),
        }
    }

    /// What is not there of a version that somebody needs, in words; none: everything is there. What the files contain is not
    /// looked at.
    pub(crate) fn missing(&self, digest: &str) -> Option<String> {
        let Some(record) = self.record(digest) else {
            return Some(match self.folder() {
                Some(folder) => format!("its files are missing from {}: its instances wait for them", folder.display()),
                None => "it is not kept in memory: its instances wait".to_owned(),
            });
        };
        let has = |digest: &str| match &self.0 {
            Place::Folder(folder) => folder.component_path(digest).is_file(),
            Place::Memory(memory) => memory.has_component(digest),
        };
        let missing = record.components.values().find(|component| !has(&component.digest))?;
        let path = self.component_path(&missing.digest);
        Some(format!("{} is missing: its instances wait for it", path.display()))
    }

    /// The bytes of a component.
    ///
    /// # Errors
    /// It is not there, or damaged; says which file must be put back.
    pub(crate) fn component(&self, digest: &str) -> Result<Vec<u8>, String> {
        match &self.0 {
            Place::Folder(folder) => folder.component(digest),
            Place::Memory(memory) => memory.component(digest),
        }
    }

    /// Removes all versions but these, and the components of none of these. Answers the versions.
    ///
    /// # Errors
    /// A folder cannot be read, or a file not be removed; what was removed before that is gone.
    pub(crate) fn clean(&self, needed: &BTreeSet<String>) -> io::Result<Vec<String>> {
        match &self.0 {
            Place::Folder(folder) => folder.clean(needed),
            Place::Memory(memory) => Ok(memory.clean(needed)),
        }
    }
}
