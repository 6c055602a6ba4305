//! Rows in memory: ordered maps behind one lock, gone with the last handle.
//!
//! Stricter than a disk: opening the same rows again shuts out whoever had them open, as the death of a process would.

use super::{Batch, Done, KeyRange, Rows, Table, View, Visit};
use ports::StoreError;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

type Tables = BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>;

#[derive(Clone, Default)]
struct State {
    tables: Tables,
    /// How many times the rows were opened: only the last opener may write.
    openings: u64,
}

/// The durable rows of a memory store, apart from the process that uses them: what survives a simulated crash.
///
/// Clones share the rows.
#[derive(Clone, Default)]
pub struct MemoryRows(Arc<RwLock<State>>);

impl MemoryRows {
    /// No rows yet.
    pub fn new() -> MemoryRows {
        MemoryRows::default()
    }

    /// The same rows, from here on independent of these.
    pub fn deep_copy(&self) -> MemoryRows {
        MemoryRows(Arc::new(RwLock::new(self.read().clone())))
    }

    /// Takes the rows over: writes through earlier handles fail from now on.
    pub(crate) fn open(&self) -> MemoryHandle {
        let mut state = self.write();
        state.openings += 1;
        MemoryHandle { rows: self.clone(), opening: state.openings }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to use memory rows until somebody opens them again.
pub(crate) struct MemoryHandle {
    rows: MemoryRows,
    opening: u64,
}

impl Rows for MemoryHandle {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.rows.read().get(table, key)
    }

    fn view(&self, read: &mut dyn FnMut(&dyn View)) {
        read(&*self.rows.read());
    }

    fn write(&self, batch: Batch, done: Done) {
        let mut state = self.rows.write();
        if state.openings != self.opening {
            drop(state);
            let detail = "the store was opened again or closed; this handle is shut out".to_owned();
            return done(Err(StoreError::Unavailable { detail }));
        }
        for change in batch.into_changes() {
            let table = state.tables.entry(change.table).or_default();
            match change.value {
                Some(value) => table.insert(change.key, value),
                None => table.remove(&change.key),
            };
        }
        drop(state);
        done(Ok(()));
    }

    fn close(&self) {
        let mut state = self.rows.write();
        if state.openings == self.opening {
            state.openings += 1;
        }
    }
}

impl View for State {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tables.get(&table).and_then(|rows| rows.get(key)).cloned())
    }

    fn scan(&self, table: Table, range: &KeyRange, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if range.is_empty() {
            return Ok(());
        }
        let to = range.to.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.tables.get(&table).into_iter();
        for (key, value) in rows.flat_map(|rows| rows.range::<[u8], _>((Bound::Included(range.from.as_slice()), to))) {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}
