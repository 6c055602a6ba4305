//! The folder that holds an app's state: where it is, what is in it, and that only one host works on it.
//!
//! ```text
//! .dacapo/
//!   cache/                 compiled guests, shared by the apps of one folder; may be deleted at any time
//!   conference-booking/    all state of this app
//!     host.lock            held by the host that works here, with its process id in it
//!     store/               the task hub
//! ```

use anyhow::{Context, anyhow};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

const DEFAULT_FOLDER: &str = ".dacapo";
const LOCK_FILE: &str = "host.lock";
/// A process id has no more digits, whatever the file holds.
const LONGEST_HOLDER: u64 = 10;

/// Where an app keeps what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// All state of the app.
    pub(crate) data: PathBuf,
    /// Compiled guests.
    pub(crate) cache: PathBuf,
}

impl Layout {
    /// Beside the manifest, unless the person chose a folder: then nothing is written outside of it.
    pub(crate) fn of(app: &str, manifest_folder: &Path, chosen: Option<&Path>) -> Layout {
        match chosen {
            Some(data) => Layout { data: data.to_owned(), cache: data.join("cache") },
            None => {
                let all = manifest_folder.join(DEFAULT_FOLDER);
                Layout { data: all.join(app), cache: all.join("cache") }
            }
        }
    }

    /// The task hub's store.
    pub(crate) fn store(&self) -> PathBuf {
        self.data.join("store")
    }
}

/// The right to work on a data folder; the system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Claim {
    _lock: File,
}

/// Takes the folder for this process, making it if necessary.
///
/// # Errors
/// Another host works on it, or it cannot be made or written.
pub(crate) fn claim(data: &Path) -> anyhow::Result<Claim> {
    let shown = data.display();
    std::fs::create_dir_all(data)
        .with_context(|| format!("the data folder {shown} cannot be made; choose another with --data-dir"))?;
    let mut lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(data.join(LOCK_FILE))
        .with_context(|| format!("the data folder {shown} cannot be written; choose another with --data-dir"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(data, &mut lock)),
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| {
                format!("the data folder {shown} is on a file system without locks; choose another with --data-dir")
            });
        }
    }
    write_holder(&mut lock).with_context(|| format!("the data folder {shown} cannot be written"))?;
    Ok(Claim { _lock: lock })
}

fn in_use(data: &Path, lock: &mut File) -> anyhow::Error {
    let mut holder = String::new();
    let read = lock.take(LONGEST_HOLDER).read_to_string(&mut holder);
    let by = match (read, holder.trim().parse::<u32>()) {
        (Ok(_), Ok(id)) => format!("another host (process {id})"),
        _ => "another host".to_owned(),
    };
    anyhow!(
        "the data folder {} is in use by {by}; stop that host, or choose another folder with --data-dir",
        data.display()
    )
}

fn write_holder(lock: &mut File) -> std::io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    write!(lock, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_host_at_a_time() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("some/app");
        let claimed = claim(&data).expect("nobody has it");
        let refused = claim(&data).expect_err("it is taken").to_string();
        let expected = format!("in use by another host (process {}); stop that host", std::process::id());
        assert!(refused.contains(&expected), "{refused}");
        drop(claimed);
        claim(&data).expect("it is free again");
    }

    #[test]
    fn a_chosen_folder_holds_everything() {
        let manifests = Path::new("/apps");
        let default = Layout::of("trips", manifests, None);
        assert_eq!(default.store(), Path::new("/apps/.dacapo/trips/store"));
        assert_eq!(default.cache, Path::new("/apps/.dacapo/cache"));
        let chosen = Layout::of("trips", manifests, Some(Path::new("/var/trips")));
        assert_eq!(chosen.store(), Path::new("/var/trips/store"));
        assert_eq!(chosen.cache, Path::new("/var/trips/cache"));
    }
}
