//! Durable rows: what the task hub needs of a database, and nothing of what the rows mean.
//!
//! Owns the list of tables, ranges of keys and the batch that is written as one. Leaves the shape of keys to [`crate::keys`]
//! and the shape of values to [`crate::codec`].

mod embedded;
mod memory;

pub(crate) use embedded::EmbeddedRows;
#[cfg(test)]
pub(crate) use embedded::Space;
pub use embedded::{FolderState, OpenError};
pub use memory::MemoryRows;

use ports::StoreError;
use std::fmt;
use std::ops::ControlFlow;

/// The tables. Each has its own ordered space of keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Table {
    /// Instance -> its row, rewritten with every turn and therefore small.
    Instances,
    /// Instance, execution -> the argument.
    Inputs,
    /// Instance, execution, turn -> the events of the turn.
    History,
    /// Instance, sequence -> a message.
    Inbox,
    /// Instance, execution, event -> an activity without a consumed result.
    Activities,
    /// Instance, execution, event -> when the timer is due.
    Timers,
    /// Status, instance -> nothing.
    ByStatus,
    /// Orchestrator, instance -> nothing.
    ByName,
    /// App, instance that is pinned to it and may run again -> nothing.
    ByApp,
    /// Name -> a user's queue.
    Queues,
    /// Queue's number, sequence -> a user's message without its body, rewritten with every receipt and therefore small.
    QueueMessages,
    /// Queue's number, sequence -> the body.
    QueueBodies,
    /// Name without case -> a user's table.
    UserTables,
    /// Table's number, partition key, row key -> a user's entity, which has nothing to do with durable entities.
    UserEntities,
    /// Name -> a document.
    Documents,
    /// Number of a queue or table that is gone while rows of it are still there -> nothing.
    Dropped,
    /// Table, key -> the bytes of a record that could not be read.
    Quarantine,
    /// Facts about the store itself.
    Meta,
}

impl Table {
    /// All of them.
    pub(crate) const ALL: [Table; 18] = [
        Table::Instances,
        Table::Inputs,
        Table::History,
        Table::Inbox,
        Table::Activities,
        Table::Timers,
        Table::ByStatus,
        Table::ByName,
        Table::ByApp,
        Table::Queues,
        Table::QueueMessages,
        Table::QueueBodies,
        Table::UserTables,
        Table::UserEntities,
        Table::Documents,
        Table::Dropped,
        Table::Quarantine,
        Table::Meta,
    ];

    /// Its name, on disk and in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Table::Instances => "instances",
            Table::Inputs => "inputs",
            Table::History => "history",
            Table::Inbox => "inbox",
            Table::Activities => "activities",
            Table::Timers => "timers",
            Table::ByStatus => "by-status",
            Table::ByName => "by-name",
            Table::ByApp => "by-app",
            Table::Queues => "queues",
            Table::QueueMessages => "queue-messages",
            Table::QueueBodies => "queue-bodies",
            Table::UserTables => "user-tables",
            Table::UserEntities => "user-entities",
            Table::Documents => "documents",
            Table::Dropped => "dropped",
            Table::Quarantine => "quarantine",
            Table::Meta => "meta",
        }
    }
}

/// Keys from `from` on, and before `to` if there is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeyRange {
    pub(crate) from: Vec<u8>,
    pub(crate) to: Option<Vec<u8>>,
}

impl KeyRange {
    /// All keys.
    pub(crate) fn all() -> KeyRange {
        KeyRange { from: Vec::new(), to: None }
    }

    /// All keys that begin like this.
    pub(crate) fn prefix(prefix: Vec<u8>) -> KeyRange {
        let mut to = prefix.clone();
        while let Some(last) = to.pop() {
            if last < u8::MAX {
                to.push(last + 1);
                return KeyRange { from: prefix, to: Some(to) };
            }
        }
        KeyRange { from: prefix, to: None }
    }

    /// The part of the range behind `key`.
    pub(crate) fn after(mut self, mut key: Vec<u8>) -> KeyRange {
        key.push(0);
        if key > self.from {
            self.from = key;
        }
        self
    }

    /// The keys that are in both.
    pub(crate) fn intersect(self, other: KeyRange) -> KeyRange {
        let to = match (self.to, other.to) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (to, None) | (None, to) => to,
        };
        KeyRange { from: self.from.max(other.from), to }
    }

    /// Whether no key can be in it; databases refuse such a range.
    pub(crate) fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| to <= &self.from)
    }
}

/// One change of one row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Change {
    pub(crate) table: Table,
    pub(crate) key: Vec<u8>,
    /// None deletes the row.
    pub(crate) value: Option<Vec<u8>>,
}

/// Changes that become durable together or not at all. Of two changes of one row the later counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Batch {
    changes: Vec<Change>,
}

impl Batch {
    pub(crate) fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.changes.push(Change { table, key, value: Some(value) });
    }

    pub(crate) fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.changes.push(Change { table, key, value: None });
    }

    /// The changes with one per row, by table and key. (A database that stamps a whole batch with one sequence number cannot
    /// tell which of two changes of a row is the later.)
    pub(crate) fn into_changes(mut self) -> Vec<Change> {
        self.changes.sort_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key)));
        self.changes.dedup_by(|later, kept| {
            let same = later.table == kept.table && later.key == kept.key;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        self.changes
    }
}

/// Is called once, when a batch is durable or has failed. Callers hold no lock when they write: it may run at once.
pub(crate) type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What [`View::scan`] shows each row to.
pub(crate) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// The rows as of one moment.
pub(crate) trait View {
    /// One row.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The rows of a range in ascending order of keys, until `visit` breaks.
    fn scan(&self, table: Table, range: &KeyRange, visit: &mut Visit<'_>) -> Result<(), StoreError>;
}

/// A database of rows.
///
/// Guarantees: a batch is atomic, and durable when `done` is called with success; nothing of it is seen before; batches
/// become durable in the order of the calls of `write` that returned one after the other. Does not promise that a failed
/// batch left nothing behind: after a failure all later ones fail too, and what is there shows when it is opened again. Only a
/// batch that is refused for want of room has left nothing, and later ones may succeed.
pub(crate) trait Rows: Send + Sync {
    /// One row.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Calls `read` once with the rows as of now. The view must not be held for long, and nothing may be written from inside.
    fn view(&self, read: &mut dyn FnMut(&dyn View));

    /// Writes a batch and calls `done`, from this thread or another.
    fn write(&self, batch: Batch, done: Done);

    /// Finishes what was written and lets the database go; later writes fail.
    fn close(&self);
}

/// Calls `read` with the rows as of now and hands out its result.
pub(crate) fn read<T>(rows: &dyn Rows, read: impl FnOnce(&dyn View) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut read = Some(read);
    let mut result = None;
    rows.view(&mut |view| result = read.take().map(|read| read(view)));
    result.unwrap_or_else(|| {
        Err(StoreError::Unavailable {
            detail: "the store gave no view of its rows; this is a bug of the store".to_owned(),
        })
    })
}

/// Table and key as a person can read them: what is printable as it is, the rest in hexadecimal.
pub(crate) fn record_name(table: Table, key: &[u8]) -> String {
    struct Key<'a>(&'a [u8]);
    impl fmt::Display for Key<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.iter().try_for_each(|byte| match byte {
                b' '..=b'~' if *byte != b'\\' => write!(f, "{}", char::from(*byte)),
                _ => write!(f, "\\x{byte:02x}"),
            })
        }
    }
    format!("{}/{}", table.name(), Key(key))
}
