//! The few things that deployments do to a disk, each of them one step: what is between two of them is what a crash can leave.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// A disk. Its steps are either done or not; only [`Disk::write`], [`Disk::remove_folder`] and [`Disk::create_folder`] can be
/// found half done after a crash.
pub(super) trait Disk: fmt::Debug + Send + Sync {
    /// With all folders above it.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;
    /// In the place of one that may be there. Its content is durable afterwards; its name is when its folder is.
    fn write(&self, file: &Path, bytes: &[u8]) -> io::Result<()>;
    /// In the place of what may be there, which is no folder with something in it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the names in it durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    fn remove_file(&self, file: &Path) -> io::Result<()>;
    /// With everything in it; fine if there is none.
    fn remove_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The disk of this machine.
#[derive(Debug)]
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    fn write(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(file)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        // Elsewhere folders cannot be opened, and need not be.
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn remove_file(&self, file: &Path) -> io::Result<()> {
        fs::remove_file(file)
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
