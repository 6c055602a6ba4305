//! Whether the data folder of an app can be written, has room, is free and of a format that this host knows; and whether
//! nobody else can read the keys in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use storage::FolderState;

use super::Finding;
use crate::clock::SystemRandomness;
use crate::data_folder::Layout;
use crate::keys::KeyStore;
use crate::port::Process;

const FOLDER: &str = "data folder";
const KEYS: &str = "keys";

/// Less than this is soon used up.
const LITTLE_BYTES: u64 = 1 << 30;

const MIB: u64 = 1 << 20;

/// `reserve`: bytes that the host keeps free.
pub(super) fn look(layout: &Layout, reserve: u64, findings: &mut Vec<Finding>) {
    findings.extend(judge(&DataFolder::of(&layout.store), reserve));
    let secrets = layout.secrets();
    if secrets.is_dir() {
        let store = KeyStore::in_folder(secrets.clone(), Arc::new(SystemRandomness));
        let read = store.read().map(|_| ()).map_err(|error| error.to_string());
        findings.extend(judge_keys(&secrets, &too_open(&secrets), read));
    } else {
        findings.push(Finding::ok(KEYS, "there are none yet: the first start makes them"));
    }
}

/// What this process may do with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FolderAccess {
    Writable,
    ReadOnly,
    /// It is a file.
    NoFolder,
}

/// What can be told of a data folder from outside.
pub(super) struct DataFolder {
    pub(super) path: PathBuf,
    /// The folder, or the nearest one above it that is there.
    pub(super) nearest: PathBuf,
    pub(super) access: FolderAccess,
    /// Bytes that can still be written; none if the system does not tell.
    pub(super) free: Option<u64>,
    /// None: the folder is not there yet.
    pub(super) state: Option<Result<FolderState, String>>,
}

impl DataFolder {
    fn of(path: &Path) -> DataFolder {
        let nearest = path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/")).to_owned();
        let state = path.exists().then(|| FolderState::of(path).map_err(|error| error.to_string()));
        let access = match (nearest.is_dir(), is_writable(&nearest)) {
            (false, _) => FolderAccess::NoFolder,
            (true, true) => FolderAccess::Writable,
            (true, false) => FolderAccess::ReadOnly,
        };
        DataFolder { path: path.to_owned(), access, free: free_bytes(&nearest), nearest, state }
    }
}

#[cfg(unix)]
fn is_writable(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    rustix::fs::statvfs(folder).ok().map(|volume| volume.f_bavail.saturating_mul(volume.f_frsize))
}

#[cfg(not(unix))]
fn is_writable(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|metadata| !metadata.permissions().readonly())
}

#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}

/// `reserve`: bytes that a host keeps free; with less it takes no new work.
pub(super) fn judge(folder: &DataFolder, reserve: u64) -> Vec<Finding> {
    let path = folder.path.display();
    let mut findings = Vec::new();
    let nearest = folder.nearest.display();
    match folder.access {
        FolderAccess::Writable => {}
        FolderAccess::ReadOnly => findings.push(Finding::problem(
            FOLDER,
            format!("{nearest} cannot be written"),
            "correct its access rights, or choose another folder with --data-dir",
        )),
        FolderAccess::NoFolder => findings.push(Finding::problem(
            FOLDER,
            format!("{nearest} is no folder"),
            "move it away, or choose another folder with --data-dir",
        )),
    }
    if let Some(free) = folder.free {
        let free_mib = free / MIB;
        let room = "make room, or choose a folder on another disk with --data-dir";
        if free < reserve {
            let what = format!(
                "{free_mib} MiB are free, less than the {} MiB that the host keeps free: it takes no new work",
                reserve / MIB
            );
            findings.push(Finding::problem(FOLDER, what, room));
        } else if free < LITTLE_BYTES {
            findings.push(Finding::warning(FOLDER, format!("only {free_mib} MiB are free"), room));
        }
    }
    match &folder.state {
        None => findings.push(Finding::ok(FOLDER, format!("{path} is not there yet: the first start makes it"))),
        Some(Err(why)) => findings.push(Finding::problem(
            FOLDER,
            format!("{path} cannot be read: {why}"),
            "correct its access rights, or choose another folder with --data-dir",
        )),
        Some(Ok(state)) => findings.extend(judge_store(&path.to_string(), *state)),
    }
    findings
}

fn judge_store(path: &str, state: FolderState) -> Vec<Finding> {
    let FolderState { format, known_format, has_rows, is_held, pid } = state;
    let mut findings = vec![match format {
        Some(format) if format > known_format => Finding::problem(
            FOLDER,
            format!("the store in {path} has format {format}, and this host knows formats up to {known_format}"),
            "use the newer host that has written it, or choose another folder with --data-dir",
        ),
        Some(format) if format < known_format => Finding::ok(
            FOLDER,
            format!("the store in {path} has format {format}; the next start makes it {known_format}"),
        ),
        Some(format) => Finding::ok(FOLDER, format!("the store in {path} has format {format}")),
        None if has_rows => Finding::problem(
            FOLDER,
            format!("the store in {path} does not say which format it has"),
            "restore the folder from a backup, or move it away and start with an empty one",
        ),
        None => Finding::ok(FOLDER, format!("there is no store in {path} yet: the first start makes it")),
    }];
    if is_held {
        let holder = pid.map_or_else(|| "another process".to_owned(), |id| Process::with_id(id).to_string());
        findings.push(Finding::warning(
            FOLDER,
            format!("{path} is in use by {holder}"),
            "stop that host before another one is started on this folder",
        ));
    }
    findings
}

/// Files and folders of keys that others than their owner can look into, with the mode that they should have.
#[cfg(unix)]
fn too_open(secrets: &Path) -> Vec<(PathBuf, &'static str)> {
    use std::os::unix::fs::PermissionsExt;
    let functions = secrets.join("functions");
    let files =
        [secrets, &functions].into_iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.path()).chain([secrets.to_owned()]).collect();
    paths.sort();
    let is_open = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    paths.into_iter().filter(is_open).map(|path| if path.is_dir() { (path, "700") } else { (path, "600") }).collect()
}

#[cfg(not(unix))]
fn too_open(_secrets: &Path) -> Vec<(PathBuf, &'static str)> {
    Vec::new()
}

pub(super) fn judge_keys(
    secrets: &Path,
    too_open: &[(PathBuf, &'static str)],
    read: Result<(), String>,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = too_open
        .iter()
        .map(|(path, mode)| {
            let path = path.display();
            let what = format!("others on this machine can look into {path}, which lets callers in");
            Finding::problem(
                KEYS,
                what,
                format!("run: chmod {mode} {path}; then `dacapo keys rotate` what may have been read"),
            )
        })
        .collect();
    match read {
        Ok(()) if findings.is_empty() => {
            findings
                .push(Finding::ok(KEYS, format!("those in {} are readable by their owner alone", secrets.display())));
        }
        Ok(()) => {}
        Err(why) => findings.push(Finding::problem(
            KEYS,
            why,
            "do one of these; `dacapo keys list` then shows what callers can use",
        )),
    }
    findings
}
