//! Rows in a data folder: fjall behind one committer.
//!
//! All writes go through one thread: whatever is waiting is written as one batch and synced once, and only then do its
//! callers hear of it. Readers never wait for writers.

mod committer;
mod folder;
mod space;

pub use folder::{FolderState, OpenError};
pub(crate) use space::Space;

use super::{Batch, Done, KeyRange, Rows, Table, View, Visit, record_name};
use committer::Committer;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, Readable, Snapshot};
use folder::Folder;
use ports::StoreError;
use space::{Gate, Volume};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// The journal is replayed when the store opens: its size bounds how long that takes (about 0.3 s). The smallest that fjall
/// takes.
const MAX_JOURNAL_BYTES: u64 = 64 * 1024 * 1024;
/// A table that has changed so much goes from memory into a file. Well below the journal's size, because the journal cannot
/// be cut before all tables in it are in files.
const MAX_MEMTABLE_BYTES: u64 = 16 * 1024 * 1024;
/// The same for what users keep. Less, so that the storage endpoint needs little memory under load, too.
const MAX_USER_MEMTABLE_BYTES: u64 = 2 * 1024 * 1024;
/// For blocks of files that are read again. Small: the system keeps the files themselves in memory.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// Threads of the database that write tables into files and merge these; idle most of the time. Never as few as there may be
/// processors, which is the database's own choice: with two, one asks for work in a busy loop while the other merges, and one alone
/// waits for itself for ever once a thousand requests are queued (fjall-rs/fjall, issue 257 and pull request 323).
const WORKERS: usize = 4;

/// An open data folder.
pub(crate) struct EmbeddedRows {
    tables: Tables,
    committer: Committer,
    /// Held until everything above is gone.
    _folder: Folder,
}

/// The database and its tables.
#[derive(Clone)]
struct Tables {
    database: Database,
    keyspaces: Arc<[Keyspace]>,
}

impl EmbeddedRows {
    /// Opens a folder, or makes a new one. Of its volume, `reserve` bytes are left free.
    pub(crate) fn open(path: &Path, reserve: u64) -> Result<EmbeddedRows, OpenError> {
        EmbeddedRows::open_on(path, Box::new(Volume::of(path)), reserve)
    }

    /// The same on a volume of the caller's.
    pub(crate) fn open_on(path: &Path, space: Box<dyn Space>, reserve: u64) -> Result<EmbeddedRows, OpenError> {
        let folder = Folder::claim(path)?;
        // The database asserts where it meets bytes that it did not write; that must not end the host without a word.
        let opened = catch_unwind(AssertUnwindSafe(|| Tables::open(&folder.database())));
        let tables = match opened {
            Ok(Ok(tables)) => tables,
            Ok(Err(fjall::Error::Io(error))) => return Err(OpenError::io(path, &error)),
            Ok(Err(error)) => return Err(OpenError::damaged(path, describe(&error))),
            Err(panic) => return Err(OpenError::damaged(path, panic_text(panic.as_ref()))),
        };
        let committer =
            Committer::start(tables.clone(), Gate::new(space, reserve)).map_err(|error| OpenError::io(path, &error))?;
        Ok(EmbeddedRows { tables, committer, _folder: folder })
    }
}

impl Tables {
    fn open(path: &Path) -> fjall::Result<Tables> {
        let database = Database::builder(path)
            .max_journaling_size(MAX_JOURNAL_BYTES)
            .cache_size(CACHE_BYTES)
            .worker_threads(WORKERS)
            // The committer says when to sync.
            .manual_journal_persist(true)
            .open()?;
        let keyspaces: fjall::Result<Vec<Keyspace>> = Table::ALL
            .iter()
            .map(|table| {
                let options = || KeyspaceCreateOptions::default().max_memtable_size(memtable_bytes(*table));
                database.keyspace(table.name(), options)
            })
            .collect();
        Ok(Tables { keyspaces: keyspaces?.into(), database })
    }

    fn keyspace(&self, table: Table) -> &Keyspace {
        &self.keyspaces[table as usize]
    }
}

fn memtable_bytes(table: Table) -> u64 {
    match table {
        Table::Queues
        | Table::QueueMessages
        | Table::QueueBodies
        | Table::UserTables
        | Table::UserEntities
        | Table::Documents => MAX_USER_MEMTABLE_BYTES,
        Table::Instances
        | Table::Inputs
        | Table::History
        | Table::Inbox
        | Table::Activities
        | Table::Timers
        | Table::ByStatus
        | Table::ByName
        | Table::ByApp
        | Table::Dropped
        | Table::Quarantine
        | Table::Meta => MAX_MEMTABLE_BYTES,
    }
}

/// What keeps the database from opening, for a person.
fn describe(error: &fjall::Error) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is another crate's and may grow")]
    let what = match error {
        fjall::Error::JournalRecovery(_) => "a record in the middle of its journal does not match its checksum",
        fjall::Error::InvalidVersion(_) => "its files are in another version of the database's format",
        fjall::Error::Locked => "its database is held by another process, although the folder is not",
        _ => "its database cannot be read",
    };
    format!("{what} ({error})")
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no reason given".to_owned())
}

impl Rows for EmbeddedRows {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.tables.keyspace(table).get(key).map_err(|error| failed(table, key, &error))?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn view(&self, read: &mut dyn FnMut(&dyn View)) {
        read(&EmbeddedView { tables: &self.tables, snapshot: self.tables.database.snapshot() });
    }

    fn write(&self, batch: Batch, done: Done) {
        self.committer.write(batch, done);
    }

    fn close(&self) {
        self.committer.close();
    }
}

/// The rows as of one moment.
struct EmbeddedView<'a> {
    tables: &'a Tables,
    snapshot: Snapshot,
}

impl View for EmbeddedView<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.snapshot.get(self.tables.keyspace(table), key).map_err(|error| failed(table, key, &error))?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn scan(&self, table: Table, range: &KeyRange, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if range.is_empty() {
            return Ok(());
        }
        let keyspace = self.tables.keyspace(table);
        let found = match &range.to {
            Some(to) => self.snapshot.range::<&[u8], _>(keyspace, range.from.as_slice()..to.as_slice()),
            None => self.snapshot.range::<&[u8], _>(keyspace, range.from.as_slice()..),
        };
        for row in found {
            let (key, value) = row.into_inner().map_err(|error| failed(table, &range.from, &error))?;
            if visit(&key, &value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// What a failed read means: bytes that are wrong stay wrong, a disk that refuses may recover.
fn failed(table: Table, key: &[u8], error: &fjall::Error) -> StoreError {
    use fjall::LsmError;
    let record = record_name(table, key);
    let is_corrupt = matches!(
        error,
        fjall::Error::Storage(
            LsmError::ChecksumMismatch { .. }
                | LsmError::Decompress(_)
                | LsmError::InvalidTag(_)
                | LsmError::InvalidTrailer
                | LsmError::InvalidHeader(_)
                | LsmError::Utf8(_)
        )
    );
    if is_corrupt {
        StoreError::Corrupt { record, detail: error.to_string() }
    } else {
        StoreError::Unavailable { detail: format!("reading {record} failed: {error}") }
    }
}
