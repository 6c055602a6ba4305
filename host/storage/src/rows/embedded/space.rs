//! Room on the disk: what would leave the database without is refused before it is begun.
//!
//! A database that meets a full disk in the middle of a write or of moving tables into files does not know what is on the disk
//! any more, and takes nothing until it is opened again. So a part of the disk is kept free for what it has begun, and writes
//! that need it are refused; when there is room again, they are taken again. What only deletes is always taken: it is the way
//! out.

use crate::rows::Change;
use ports::StoreError;
use std::io;
use std::path::{Path, PathBuf};

/// How many times a value is on the disk before the journal is cut: in the journal, in a file, and in the file that is made
/// of that one.
const COPIES: u64 = 3;
const MIB: u64 = 1 << 20;

/// The volume that a store is on.
pub(crate) trait Space: Send {
    /// How many bytes this process can still write there.
    fn free(&self) -> io::Result<u64>;
}

/// The volume of a folder.
pub(super) struct Volume(PathBuf);

impl Volume {
    pub(super) fn of(folder: &Path) -> Volume {
        Volume(folder.to_owned())
    }
}

impl Space for Volume {
    #[cfg(unix)]
    fn free(&self) -> io::Result<u64> {
        let volume = rustix::fs::statvfs(&self.0)?;
        Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
    }

    /// Not looked at here: a full disk is then an error like any other.
    #[cfg(not(unix))]
    fn free(&self) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Decides which writes there is room for.
pub(super) struct Gate {
    space: Box<dyn Space>,
    /// How many bytes stay free, so that what was begun can be finished.
    reserve: u64,
    /// As of the last look, less what was let through since; none if it cannot be told.
    free: Option<u64>,
    is_full: bool,
    /// Whether the first batch has passed: without it, which is small, the store could not be opened to make room.
    is_open: bool,
}

impl Gate {
    pub(super) fn new(space: Box<dyn Space>, reserve: u64) -> Gate {
        Gate { space, reserve, free: None, is_full: false, is_open: false }
    }

    /// Looks how much room there is; before each group.
    pub(super) fn look(&mut self) {
        self.free = self.space.free().inspect_err(|error| tracing::debug!(%error, "room on the disk is unknown")).ok();
    }

    /// Lets a write through, or says why not.
    pub(super) fn admit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let bytes = |change: &Change| change.key.len() + change.value.as_ref().map_or(0, Vec::len);
        let needed = COPIES * changes.iter().map(bytes).sum::<usize>() as u64;
        let is_first = !std::mem::replace(&mut self.is_open, true);
        let Some(free) = self.free else { return Ok(()) };
        let has_room = free >= self.reserve.saturating_add(needed);
        if has_room || is_first || makes_room(changes) {
            self.free = Some(free.saturating_sub(needed));
            if has_room {
                self.tell(false, free);
            }
            return Ok(());
        }
        self.tell(true, free);
        Err(StoreError::Unavailable {
            detail: format!(
                "the disk is full: {} MiB are free, and {} MiB of them are kept for finishing what was begun; nothing was \
                 written. Make room on the disk: writes are taken again as soon as there is",
                free / MIB,
                self.reserve / MIB
            ),
        })
    }

    /// Once when it begins and once when it ends.
    fn tell(&mut self, is_full: bool, free: u64) {
        if is_full == self.is_full {
            return;
        }
        self.is_full = is_full;
        let (free_mib, reserve_mib) = (free / MIB, self.reserve / MIB);
        if is_full {
            tracing::error!(free_mib, reserve_mib, "the disk is full: writes are refused until there is room again");
        } else {
            tracing::warn!(free_mib, reserve_mib, "there is room on the disk again: writes are taken");
        }
    }
}

/// Rows without a value are entries of indexes and marks: a removal may need one.
fn makes_room(changes: &[Change]) -> bool {
    let is_kept = |change: &Change| change.value.as_ref().is_some_and(|value| !value.is_empty());
    !changes.iter().any(is_kept) && changes.iter().any(|change| change.value.is_none())
}
