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
    used: Arc<AtomicUsize>,
}

impl MemoryLimit {
    pub(crate) fn new(limit: usize) -> MemoryLimit {
        MemoryLimit { limit, used: Arc::default() }
    }

    /// What the guest holds, in bytes; can be read while it runs.
    pub(crate) fn used(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.used)
    }

    fn grow(&mut self, current: usize, desired: usize) -> wasmtime::Result<bool> {
        let used = self.used.load(Ordering::Relaxed).saturating_sub(current).saturating_add(desired);
        if used > self.limit {
            return Err(Stop::OutOfMemory { limit: self.limit }.into());
        }
        self.used.store(used, Ordering::Relaxed);
        Ok(true)
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current, desired)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current.saturating_mul(TABLE_ELEMENT_BYTES), desired.saturating_mul(TABLE_ELEMENT_BYTES))
    }
}
