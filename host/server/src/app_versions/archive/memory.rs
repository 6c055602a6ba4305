//! Versions of an app in the memory of this process. They share components as those on disk do.

use anyhow::Context;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::app_versions::record::AppRecord;

/// Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    records: BTreeMap<String, AppRecord>,
    components: BTreeMap<String, Bytes>,
}

impl Memory {
    pub(super) fn keep(
        &self,
        digest: &str,
        record: &AppRecord,
        read: &dyn Fn(&str, &str) -> anyhow::Result<Bytes>,
    ) -> anyhow::Result<()> {
        for (name, component) in &record.components {
            if !self.has_component(&component.digest) {
                let wasm = read(name, &component.digest)?;
                self.kept().components.insert(component.digest.clone(), wasm);
            }
        }
        self.kept().records.insert(digest.to_owned(), record.clone());
        Ok(())
    }

    pub(super) fn records(&self) -> BTreeMap<String, AppRecord> {
        self.kept().records.clone()
    }

    pub(super) fn record(&self, digest: &str) -> Option<AppRecord> {
        self.kept().records.get(digest).cloned()
    }

    pub(super) fn has_component(&self, digest: &str) -> bool {
        self.kept().components.contains_key(digest)
    }

    pub(super) fn component(&self, digest: &str) -> Result<Vec<u8>, String> {
        let found = self.kept().components.get(digest).cloned();
        let found = found.with_context(|| format!("the component {digest} is not in memory"));
        found.map(|wasm| wasm.to_vec()).map_err(|error| error.to_string())
    }

    pub(super) fn clean(&self, needed: &BTreeSet<String>) -> Vec<String> {
        let mut kept = self.kept();
        let all: BTreeSet<String> = kept.records.keys().cloned().collect();
        kept.records.retain(|digest, _| needed.contains(digest));
        let components = kept.records.values().flat_map(|record| record.components.values());
        let used: BTreeSet<String> = components.map(|component| component.digest.clone()).collect();
        kept.components.retain(|digest, _| used.contains(digest));
        all.difference(needed).cloned().collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
