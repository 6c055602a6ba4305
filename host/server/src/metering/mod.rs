//! What functions use: counted as they run, kept over restarts, shown as the cloud would bill it.
//!
//! Owns the counters and when they are written. What a run is and how long it took is told by whoever runs guests; what a
//! bill looks like is in `usage`, and how it is shown in `exposition`.

mod exposition;
mod usage;

#[cfg(test)]
mod tests;

pub(crate) use exposition::{CONTENT_TYPE, exposition};
pub(crate) use usage::{Estimate, FREE_EXECUTIONS, FREE_GB_SECONDS, FunctionUsage, Usage};

use futures::future::{Either, select};
use ports::{Clock, DocumentStore, DocumentWrite, Execution, Expecting, Meter, StoreError, Work};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::shutdown::Stopping;

/// How often changed counters are written: what a host that is killed may forget.
const SAVING_INTERVAL: Duration = Duration::from_secs(10);

/// Documents read at a time.
const PAGE: usize = 500;

/// The counters of an app's functions.
pub(crate) struct Metering {
    /// What the names of its documents begin with.
    app: String,
    store: Arc<dyn DocumentStore>,
    counters: RwLock<BTreeMap<String, Arc<Counters>>>,
}

/// The counters of one function. Each is exact; together they are of one moment only while nothing runs.
#[derive(Default)]
struct Counters {
    successes: AtomicU64,
    failures: AtomicU64,
    turns: AtomicU64,
    replayed_turns: AtomicU64,
    duration_us: AtomicU64,
    mb_ms: AtomicU64,
    changed: AtomicBool,
}

impl Metering {
    /// The counters as they were written last. `functions` are counted from the start, so that what has never run is shown.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) async fn open<'a>(
        app: &str,
        functions: impl IntoIterator<Item = &'a str>,
        store: Arc<dyn DocumentStore>,
    ) -> Result<Metering, StoreError> {
        let prefix = format!("usage/{app}/");
        let mut counters: BTreeMap<String, Arc<Counters>> =
            functions.into_iter().map(|name| (name.to_owned(), Arc::default())).collect();
        let mut from: Option<String> = None;
        loop {
            let page = store.documents(&prefix, from.as_deref(), PAGE).await?;
            for document in &page {
                let Some(function) = document.name.strip_prefix(&prefix) else { continue };
                match serde_json::from_slice::<Usage>(&document.content) {
                    Ok(usage) => drop(counters.insert(function.to_owned(), Arc::new(Counters::of(&usage)))),
                    // Counting from zero is better than not starting.
                    Err(error) => tracing::warn!(function, %error, "what the function has used cannot be read"),
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => from = Some(format!("{}\0", last.name)),
                Some(_) | None => break,
            }
        }
        Ok(Metering { app: app.to_owned(), store, counters: RwLock::new(counters) })
    }

    /// Counts these functions too: what has never run is shown as well.
    pub(crate) fn know<'a>(&self, functions: impl IntoIterator<Item = &'a str>) {
        for function in functions {
            self.counters(function);
        }
    }

    /// What each function has used, by name.
    pub(crate) fn usage(&self) -> Vec<FunctionUsage> {
        let counters = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        let usage = counters.iter().map(|(name, counters)| FunctionUsage {
            app: self.app.clone(),
            function: name.clone(),
            usage: counters.usage(),
        });
        usage.collect()
    }

    /// Writes the counters now and then until the host stops.
    pub(crate) async fn keep(self: Arc<Self>, clock: Arc<dyn Clock>, stopping: Stopping) {
        loop {
            let next = clock.sleep_until(clock.now().saturating_add(SAVING_INTERVAL));
            let stops = matches!(select(stopping.clone(), next).await, Either::Left(_));
            self.save().await;
            if stops {
                return;
            }
        }
    }

    /// Writes the counters that have changed. A host that drains calls it once more at the very end.
    pub(crate) async fn save(&self) {
        let changed: Vec<(String, Arc<Counters>)> = {
            let counters = self.counters.read().unwrap_or_else(PoisonError::into_inner);
            let changed = counters.iter().filter(|(_, counters)| counters.changed.swap(false, Ordering::AcqRel));
            changed.map(|(name, counters)| (name.clone(), Arc::clone(counters))).collect()
        };
        if changed.is_empty() {
            return;
        }
        let write = |(name, counters): &(String, Arc<Counters>)| {
            let content = serde_json::to_vec(&counters.usage()).ok();
            let name = format!("usage/{}/{name}", self.app);
            DocumentWrite { name, expecting: Expecting::Anything, content }
        };
        if let Err(error) = self.store.write_documents(changed.iter().map(write).collect()).await {
            changed.iter().for_each(|(_, counters)| counters.changed.store(true, Ordering::Release));
            tracing::warn!(%error, "what functions have used is not written for now");
        }
    }

    fn counters(&self, function: &str) -> Arc<Counters> {
        let known = self.counters.read().unwrap_or_else(PoisonError::into_inner).get(function).cloned();
        known.unwrap_or_else(|| {
            let mut counters = self.counters.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(counters.entry(function.to_owned()).or_default())
        })
    }
}

impl Meter for Metering {
    fn record(&self, execution: &Execution<'_>) {
        let counters = self.counters(execution.function);
        let add = |counter: &AtomicU64, amount: u64| counter.fetch_add(amount, Ordering::Relaxed);
        add(if execution.succeeded { &counters.successes } else { &counters.failures }, 1);
        match execution.work {
            Work::Invocation => {}
            Work::Turn => drop(add(&counters.turns, 1)),
            Work::ReplayedTurn => drop(add(&counters.replayed_turns, 1)),
        }
        add(&counters.duration_us, u64::try_from(execution.duration.as_micros()).unwrap_or(u64::MAX));
        add(&counters.mb_ms, usage::billed_mb_ms(execution.duration, execution.memory_bytes));
        counters.changed.store(true, Ordering::Release);
    }
}

impl Counters {
    fn of(usage: &Usage) -> Counters {
        Counters {
            successes: AtomicU64::new(usage.successes),
            failures: AtomicU64::new(usage.failures),
            turns: AtomicU64::new(usage.turns),
            replayed_turns: AtomicU64::new(usage.replayed_turns),
            duration_us: AtomicU64::new(usage.duration_us),
            mb_ms: AtomicU64::new(usage.mb_ms),
            changed: AtomicBool::new(false),
        }
    }

    fn usage(&self) -> Usage {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Usage {
            successes: get(&self.successes),
            failures: get(&self.failures),
            turns: get(&self.turns),
            replayed_turns: get(&self.replayed_turns),
            duration_us: get(&self.duration_us),
            mb_ms: get(&self.mb_ms),
        }
    }
}
