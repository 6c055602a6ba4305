//! The deployments of one app on disk: bundles, unpacked, and the one that is served.
//!
//! ```text
//! apps/<app>/
//!   deployments.json          which there are, newest first, and which is the present one
//!   deployments/
//!     <bundle digest>/        bundle.json, manifest.toml, components/<name>.wasm
//!     <bundle digest>.part/   being unpacked
//! apps/<app>.removed/         being removed, with everything else of the app
//! ```
//!
//! A folder without `.part` is whole. What is deployed is decided by `deployments.json` alone, which is replaced in one step: a
//! crash leaves the deployment before or the one after. Whatever the file does not name is left over, and removed when the
//! deployments are opened. What is in a bundle is checked by whoever reads it; loading and serving it is up to `hosting`, and what
//! older versions consist of that instances run on is kept elsewhere, in `app_versions`.
//!
//! Everything here waits for the disk.

mod disk;
mod located;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use self::located::located;
pub(crate) use self::record::Deployment;

use bundle::{Bundle, BundleError, COMPONENTS_FOLDER, LIST_FILE, Limits, MANIFEST_FILE, component_file, read_unpacked};
use orchestration::Timestamp;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use self::disk::{Disk, RealDisk};
use self::record::Record;

/// Most deployments that an app keeps to go back to, the present one included. Each takes the room of its components.
pub(crate) const MAX_KEPT_DEPLOYMENTS: usize = 10;

const RECORD_FILE: &str = "deployments.json";
const UNFINISHED_RECORD_FILE: &str = "deployments.json.part";
const FOLDER: &str = "deployments";
const UNFINISHED: &str = ".part";
/// At the end of the name of an app's folder. No app has a point in its name.
const REMOVED: &str = ".removed";

/// See the module.
#[derive(Debug)]
pub(crate) struct Deployments {
    folder: PathBuf,
    disk: Box<dyn Disk>,
    record: Record,
}

/// A bundle that is unpacked and not deployed yet.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    bundle: String,
    version: String,
    /// What it consists of.
    pub(crate) folder: PathBuf,
}

/// Why a deployment cannot be kept, found or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeploymentError {
    /// The system refuses.
    #[error("{}: {error}; {}", .path.display(), next_step(.error))]
    Disk {
        /// What was read or written.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The record of what is deployed cannot be understood.
    #[error("{}: {why}; put the file back as it was, or remove it and deploy the app again", .path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The files of a deployment are not those of its bundle any more.
    #[error("the deployment {} is damaged: {error}; deploy the bundle again", shown(.bundle))]
    Damaged {
        /// Its digest.
        bundle: String,
        /// What is wrong.
        error: BundleError,
    },
    /// Nothing that is kept is called that.
    #[error("there is no deployment {asked}; there are: {known}")]
    Unknown {
        /// The beginning of a digest.
        asked: String,
        /// What there is.
        known: String,
    },
    /// Several are called that.
    #[error("{asked} could be any of {known}; give more of the digest")]
    Ambiguous {
        /// The beginning of a digest.
        asked: String,
        /// What it could be.
        known: String,
    },
}

impl DeploymentError {
    /// Whether there is no room on the disk.
    pub(crate) fn is_disk_full(&self) -> bool {
        match self {
            DeploymentError::Disk { error, .. } => is_full(error),
            DeploymentError::Record { .. }
            | DeploymentError::Damaged { .. }
            | DeploymentError::Unknown { .. }
            | DeploymentError::Ambiguous { .. } => false,
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

fn next_step(error: &io::Error) -> &'static str {
    if is_full(error) { "make room on the disk, and try again" } else { "see to it that the host may write there" }
}

/// The apps that are deployed below a folder, by their names: those with a record. What is left of others that were removed is
/// removed.
///
/// # Errors
/// The folder cannot be read. That there is none means that there are no apps.
pub(crate) fn deployed_apps(apps: &Path) -> Result<Vec<(String, PathBuf)>, DeploymentError> {
    let folders = names_in(apps).map_err(|error| at(apps)(error))?;
    let (removed, folders): (Vec<String>, Vec<String>) = folders.into_iter().partition(|name| name.ends_with(REMOVED));
    for folder in removed.into_iter().map(|name| apps.join(name)) {
        if let Err(error) = RealDisk.remove_folder(&folder) {
            tracing::warn!(folder = %folder.display(), %error, "what is left of an app cannot be removed");
        }
    }
    let folders = folders.into_iter().map(|name| (apps.join(&name), name));
    Ok(folders.filter(|(folder, _)| folder.join(RECORD_FILE).is_file()).map(|(folder, name)| (name, folder)).collect())
}

impl Deployments {
    /// Opens the deployments of the app whose state is in `folder`, which need not exist yet, and removes what a crash has left.
    ///
    /// # Errors
    /// The record is there and cannot be read.
    pub(crate) fn open(folder: PathBuf) -> Result<Deployments, DeploymentError> {
        Deployments::open_on(folder, Box::new(RealDisk))
    }

    fn open_on(folder: PathBuf, disk: Box<dyn Disk>) -> Result<Deployments, DeploymentError> {
        let record = Record::read(&folder.join(RECORD_FILE))?;
        let deployments = Deployments { folder, disk, record };
        if let Err(error) = deployments.clean() {
            tracing::warn!(%error, "what is left of earlier deployments cannot be removed");
        }
        Ok(deployments)
    }

    /// The deployment that is served; none: the app is not deployed.
    pub(crate) fn present(&self) -> Option<&Deployment> {
        self.record.present()
    }

    /// All that are kept, newest first.
    pub(crate) fn list(&self) -> &[Deployment] {
        &self.record.deployments
    }

    /// The one before the present one, by the time at which it was deployed: what a rollback leads to.
    pub(crate) fn before_present(&self) -> Option<&Deployment> {
        let present = self.record.present.as_ref()?;
        self.list().iter().skip_while(|deployment| deployment.bundle != *present).nth(1)
    }

    /// The deployment whose bundle digest begins so.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub(crate) fn find(&self, prefix: &str) -> Result<&Deployment, DeploymentError> {
        let known = |deployments: &[&Deployment]| {
            let names = deployments.iter().map(|one| format!("{} ({})", shown(&one.bundle), one.version));
            names.collect::<Vec<_>>().join(", ")
        };
        let found: Vec<&Deployment> = self.list().iter().filter(|one| one.bundle.starts_with(prefix)).collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] => {
                let all: Vec<&Deployment> = self.list().iter().collect();
                let known = if all.is_empty() { "none".to_owned() } else { known(&all) };
                Err(DeploymentError::Unknown { asked: prefix.to_owned(), known })
            }
            several => Err(DeploymentError::Ambiguous { asked: prefix.to_owned(), known: known(several) }),
        }
    }

    /// Where a deployment is unpacked.
    pub(crate) fn folder_of(&self, bundle: &str) -> PathBuf {
        self.folder.join(FOLDER).join(bundle)
    }

    /// Unpacks a bundle that was read. Durable when it returns; nothing is deployed by it.
    ///
    /// # Errors
    /// The disk refuses; what was written is removed, now or at the next start.
    pub(crate) fn stage(&self, bundle: &Bundle, digest: &str) -> Result<Staged, DeploymentError> {
        let staged =
            Staged { bundle: digest.to_owned(), version: bundle.version.clone(), folder: self.folder_of(digest) };
        // Deployed before, and kept: unless somebody has changed it since.
        if staged.folder.is_dir() && self.read(digest).is_ok_and(|kept| kept == *bundle) {
            return Ok(staged);
        }
        self.unpack(bundle, &staged.folder)
            .inspect_err(|_| drop(self.disk.remove_folder(&unfinished(&staged.folder))))?;
        Ok(staged)
    }

    /// Removes a bundle that is not going to be deployed; one that was deployed before stays.
    pub(crate) fn discard(&self, staged: Staged) {
        let Staged { bundle, folder, .. } = staged;
        if !self.list().iter().any(|deployment| deployment.bundle == bundle)
            && let Err(error) = self.disk.remove_folder(&folder)
        {
            tracing::warn!(folder = %folder.display(), %error, "a bundle that was not deployed cannot be removed");
        }
    }

    /// Makes a bundle the present deployment, whose loaded app has this digest. Durable when it returns. The oldest deployments
    /// go when there are more than [`MAX_KEPT_DEPLOYMENTS`].
    ///
    /// # Errors
    /// The disk refuses; then the present deployment is the one before.
    pub(crate) fn switch(&mut self, staged: Staged, app_digest: &str, now: Timestamp) -> Result<(), DeploymentError> {
        let Staged { bundle, version, .. } = staged;
        let mut record = self.record.clone();
        record.deployments.retain(|deployment| deployment.bundle != bundle);
        record.present = Some(bundle.clone());
        record.deployments.insert(0, Deployment { bundle, digest: app_digest.to_owned(), version, deployed_at: now });
        let dropped = record.deployments.split_off(record.deployments.len().min(MAX_KEPT_DEPLOYMENTS));
        self.replace(record)?;
        for Deployment { bundle, .. } in dropped {
            let folder = self.folder_of(&bundle);
            if let Err(error) = self.disk.remove_folder(&folder) {
                tracing::warn!(folder = %folder.display(), %error, "an old deployment cannot be removed");
            }
        }
        Ok(())
    }

    /// Makes a deployment that is kept the present one again. Durable when it returns. The order of the deployments stays, so
    /// that going back twice leads further back.
    ///
    /// # Errors
    /// It is not kept, or the disk refuses; then nothing has changed.
    pub(crate) fn switch_back(&mut self, bundle: &str) -> Result<(), DeploymentError> {
        let bundle = self.find(bundle)?.bundle.clone();
        let record = Record { present: Some(bundle), ..self.record.clone() };
        self.replace(record)
    }

    /// Reads a deployment that is kept, and holds it against its checksums.
    ///
    /// # Errors
    /// It is not the bundle any more that was deployed.
    pub(crate) fn read(&self, bundle: &str) -> Result<Bundle, DeploymentError> {
        let folder = self.folder_of(bundle);
        let damaged = |error| DeploymentError::Damaged { bundle: bundle.to_owned(), error };
        let list = fs::read(folder.join(LIST_FILE)).map_err(|_| damaged(BundleError::NoList))?;
        read_unpacked(&list, &Limits::default(), |entry| fs::read(folder.join(entry)).ok()).map_err(damaged)
    }

    /// Removes the app with all of its state, which nobody may use any more.
    ///
    /// # Errors
    /// The disk refuses; then either nothing has changed, or what is left over is removed at the next start.
    pub(crate) fn remove_app(&mut self) -> Result<(), DeploymentError> {
        let gone = with_ending(&self.folder, REMOVED);
        self.disk.remove_folder(&gone).map_err(at(&gone))?;
        // In one step: half of an app's state would come to life again with the next app of that name.
        self.disk.rename(&self.folder, &gone).map_err(at(&self.folder))?;
        self.record = Record::default();
        self.folder.parent().map_or(Ok(()), |apps| self.sync(apps))?;
        self.disk.remove_folder(&gone).map_err(at(&gone))
    }

    /// Beside its place, so that a folder with the right name is whole.
    fn unpack(&self, bundle: &Bundle, place: &Path) -> Result<(), DeploymentError> {
        let part = unfinished(place);
        let list =
            bundle::list(bundle).map_err(|error| DeploymentError::Damaged { bundle: bundle.app.clone(), error })?;
        let components = part.join(COMPONENTS_FOLDER);
        self.disk.remove_folder(&part).map_err(at(&part))?;
        self.disk.create_folder(&components).map_err(at(&components))?;
        let write = |name: &str, bytes: &[u8]| {
            let file = part.join(name);
            self.disk.write(&file, bytes).map_err(at(&file))
        };
        for (name, bytes) in &bundle.components {
            write(&component_file(name), bytes)?;
        }
        write(MANIFEST_FILE, bundle.manifest.as_bytes())?;
        write(LIST_FILE, &list)?;
        // Names are durable when their folders are, from the innermost one outwards.
        self.sync(&components)?;
        self.sync(&part)?;
        // Something of that name was damaged, or left over.
        self.disk.remove_folder(place).map_err(at(place))?;
        self.disk.rename(&part, place).map_err(at(place))?;
        self.sync(&self.folder.join(FOLDER))?;
        self.sync(&self.folder)?;
        self.folder.parent().map_or(Ok(()), |apps| self.sync(apps))
    }

    /// The switch: the record is as it was, or as given.
    fn replace(&mut self, record: Record) -> Result<(), DeploymentError> {
        if let Err(error) = self.save(&record) {
            // The file may have been replaced and only not be durable; nobody must find it at the next start.
            drop(self.save(&self.record));
            return Err(error);
        }
        self.record = record;
        Ok(())
    }

    fn save(&self, record: &Record) -> Result<(), DeploymentError> {
        let (part, place) = (self.folder.join(UNFINISHED_RECORD_FILE), self.folder.join(RECORD_FILE));
        self.disk.write(&part, record.to_text().as_bytes()).map_err(at(&part))?;
        self.disk.rename(&part, &place).map_err(at(&place))?;
        self.sync(&self.folder)
    }

    fn sync(&self, folder: &Path) -> Result<(), DeploymentError> {
        self.disk.sync_folder(folder).map_err(at(folder))
    }

    fn clean(&self) -> io::Result<()> {
        let part = self.folder.join(UNFINISHED_RECORD_FILE);
        if part.is_file() {
            self.disk.remove_file(&part)?;
        }
        let folder = self.folder.join(FOLDER);
        let kept: BTreeSet<&str> = self.list().iter().map(|deployment| deployment.bundle.as_str()).collect();
        for name in names_in(&folder)? {
            if !kept.contains(name.as_str()) {
                self.disk.remove_folder(&folder.join(name))?;
            }
        }
        Ok(())
    }
}

fn unfinished(place: &Path) -> PathBuf {
    with_ending(place, UNFINISHED)
}

fn with_ending(place: &Path, ending: &str) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    place.with_file_name(name)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> DeploymentError {
    let path = path.to_owned();
    |error| DeploymentError::Disk { path, error }
}

/// The folders in a folder, sorted; none where there is no such folder.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let (true, Ok(name)) = (entry.file_type()?.is_dir(), entry.file_name().into_string()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// As much of a digest as people need.
fn shown(digest: &str) -> &str {
    const SHOWN_DIGEST_CHARS: usize = 12;
    digest.get(..SHOWN_DIGEST_CHARS).unwrap_or(digest)
}
