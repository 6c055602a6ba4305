//! Task hub stores: where instances, their histories and everything on its way between them live, and what users keep: their
//! queues, tables and the host's documents.
//!
//! One implementation of a task hub's semantics, [`TaskHub`], stands on a small notion of durable rows. Users' data is in the
//! same rows, so that all that a function brings about is one batch (`ports::EffectStore`). [`memory`] keeps the
//! rows in maps, for tests, simulations and hosts that need not remember; [`embedded`] keeps them in a data folder. Both pass
//! the same conformance suite. What is *done* with instances is decided elsewhere: this crate stores, hands out and fences.

mod codec;
mod dispatch;
mod hub;
mod keys;
mod rows;
mod user;

#[cfg(test)]
mod tests;

pub use hub::{Settings, TaskHub};
pub use rows::{FolderState, MemoryRows, OpenError};

use ports::{Clock, StoreError};
use std::path::Path;
use std::sync::Arc;

/// A new, empty task hub in memory.
pub fn memory(clock: Arc<dyn Clock>, settings: Settings) -> TaskHub {
    reopen(&MemoryRows::new(), clock, settings)
}

/// A task hub over rows that an earlier one may have left, as after a crash: leases and results that were not yet consumed
/// are forgotten, and a hub that is still open on the rows can no longer write.
pub fn reopen(rows: &MemoryRows, clock: Arc<dyn Clock>, settings: Settings) -> TaskHub {
    TaskHub::open(Arc::new(rows.open()), clock, settings)
        .expect("rows in memory can always be read and, by whoever opened them last, written")
}

/// The task hub in a data folder, which is made if it is not there. Until the hub is dropped no other process can open it.
///
/// # Errors
/// When somebody else has the folder open, when a newer host has written it, when it is damaged, or when the system refuses.
/// Single records that cannot be read do not keep the store from opening: they are set aside and logged.
pub fn embedded(path: &Path, clock: Arc<dyn Clock>, settings: Settings) -> Result<TaskHub, OpenError> {
    let rows = rows::EmbeddedRows::open(path, settings.disk_reserve)?;
    TaskHub::open(Arc::new(rows), clock, settings).map_err(|error| {
        let (folder, detail) = (path.to_owned(), error.to_string());
        match error {
            StoreError::Corrupt { .. } => OpenError::Damaged { folder, detail },
            StoreError::Unavailable { .. } | StoreError::LeaseLost { .. } => OpenError::Io { folder, detail },
        }
    })
}
