//! The memory limit of one guest, and the count of what it holds.

use crate::fault::Stop;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime::ResourceLimiter;

/// What an entry of a table takes.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// Linear memories and tables of one guest together. A guest that asks for more is stopped rather than told, so that
/// reaching the limit can be distinguished from any other trap.
pub(crate) struct MemoryLimit {
    limit: usize,
    used: Arc<MemoryUse>,
}

/// What a guest holds; can be read while it runs. Neither memories nor tables ever shrink, so it is also the most that the
/// guest has held.
#[derive(Debug, Default)]
pub(crate) struct MemoryUse {
    linear: AtomicUsize,
    tables: AtomicUsize,
}

impl MemoryUse {
    /// Linear memories, in bytes.
    pub(crate) fn linear(&self) -> usize {
        self.linear.load(Ordering::Relaxed)
    }

    /// Linear memories and tables, in bytes.
    pub(crate) fn total(&self) -> usize {
        self.linear().saturating_add(self.tables.load(Ordering::Relaxed))
    }
}

impl MemoryLimit {
    pub(crate) fn new(limit: usize) -> MemoryLimit {
        MemoryLimit { limit, used: Arc::default() }
    }

    /// What the guest holds.
    pub(crate) fn used(&self) -> Arc<MemoryUse> {
        Arc::clone(&self.used)
    }

    fn grow(&self, part: &AtomicUsize, current: usize, desired: usize) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if self.used.total().saturating_add(more) > self.limit {
            return Err(Stop::OutOfMemory { limit: self.limit }.into());
        }
        part.fetch_add(more, Ordering::Relaxed);
        Ok(true)
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(&self.used.linear, current, desired)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        let bytes = |elements: usize| elements.saturating_mul(TABLE_ELEMENT_BYTES);
        self.grow(&self.used.tables, bytes(current), bytes(desired))
    }
}
