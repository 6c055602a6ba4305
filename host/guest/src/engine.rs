//! The engines: how guest code is compiled and where guests get their memory from, and the clock that interrupts them.
//!
//! Each kind of sandbox has two engines: one with a pool of prepared places, and one that allocates each guest when it
//! comes, for the time when the pool is used up or cannot be made. Orchestrators have engines of their own, because their
//! code is compiled so that floating point gives the same bits on every machine, and so that thousands of waiting
//! orchestrators leave the places of invocations alone. Where code is to be replaced soon, it is that of orchestrators for both.

use crate::kept_code::KeptCode;
use crate::{Compilation, GuestSettings};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// The engines of one runtime.
pub(crate) struct Engines {
    pub(crate) invocation: EnginePair,
    pub(crate) orchestrator: EnginePair,
    /// Functions that need not be compiled again; none with [`Compilation::Lasting`].
    pub(crate) kept_code: Option<Arc<KeptCode>>,
}

/// The two engines of one kind of sandbox.
pub(crate) struct EnginePair {
    /// Absent where the pool could not be made.
    pub(crate) pooled: Option<Engine>,
    pub(crate) on_demand: Engine,
}

/// What distinguishes the kinds of sandbox at this level.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    slots: u32,
    deterministic: bool,
}

impl Engines {
    pub(crate) fn new(settings: &GuestSettings, compilation: Compilation) -> wasmtime::Result<Engines> {
        let kept_code = match compilation {
            Compilation::Lasting => None,
            Compilation::Passing => Some(Arc::new(KeptCode::new(Compilation::MAX_KEPT_CODE_BYTES))),
        };
        let invocation =
            Kind { name: "invocation", slots: settings.invocation_slots, deterministic: kept_code.is_some() };
        let orchestrator = Kind { name: "orchestrator", slots: settings.orchestrator_slots, deterministic: true };
        Ok(Engines {
            invocation: EnginePair::new(settings, invocation, kept_code.as_ref())?,
            orchestrator: EnginePair::new(settings, orchestrator, kept_code.as_ref())?,
            kept_code,
        })
    }

    fn all(&self) -> Vec<Engine> {
        let pairs = [&self.invocation, &self.orchestrator];
        pairs.iter().flat_map(|pair| pair.pooled.iter().chain([&pair.on_demand])).cloned().collect()
    }
}

impl EnginePair {
    fn new(settings: &GuestSettings, kind: Kind, kept_code: Option<&Arc<KeptCode>>) -> wasmtime::Result<EnginePair> {
        let mut config = config(settings, kind);
        if let Some(kept_code) = kept_code {
            config.enable_incremental_compilation(kept_code.clone())?;
        }
        let on_demand = Engine::new(&config)?;
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(settings, kind)));
        let pooled = Engine::new(&config).inspect_err(|error| {
            tracing::warn!(
                sandbox = kind.name,
                "no room for a pool of {} guests ({error:#}); each guest is allocated when it comes, which is slower",
                kind.slots
            );
        });
        Ok(EnginePair { pooled: pooled.ok(), on_demand })
    }
}

fn config(settings: &GuestSettings, kind: Kind) -> Config {
    let mut config = Config::new();
    config
        // Twice as fast to start a guest; guests of component-model async are not offered anything yet.
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(GuestSettings::WASM_STACK_BYTES)
        .async_stack_size(GuestSettings::ASYNC_STACK_BYTES)
        .memory_reservation(settings.max_memory_bytes as u64)
        .memory_guard_size(GuestSettings::GUARD_BYTES)
        .memory_init_cow(true);
    if kind.deterministic {
        config.cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true);
    }
    config
}

fn pool(settings: &GuestSettings, kind: Kind) -> PoolingAllocationConfig {
    let keep_resident = if PoolingAllocationConfig::is_pagemap_scan_available() {
        GuestSettings::KEEP_RESIDENT_BYTES
    } else {
        GuestSettings::KEEP_RESIDENT_BYTES_WITHOUT_SCAN
    };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(kind.slots)
        .total_core_instances(kind.slots.saturating_mul(GuestSettings::MODULES_PER_GUEST))
        .total_memories(kind.slots)
        .total_tables(kind.slots.saturating_mul(GuestSettings::TABLES_PER_GUEST))
        .total_stacks(kind.slots)
        .table_elements(GuestSettings::TABLE_ELEMENTS)
        .max_memory_size(settings.max_memory_bytes)
        .linear_memory_keep_resident(keep_resident)
        .table_keep_resident(keep_resident)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Makes running guests give way, and notice their deadlines, once a tick. One thread; it ends when this is dropped.
pub(crate) struct Ticker {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start(engines: &Engines) -> std::io::Result<Ticker> {
        let (stop, stopped) = mpsc::channel();
        let engines = engines.all();
        let tick = move || {
            while stopped.recv_timeout(GuestSettings::TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                engines.iter().for_each(Engine::increment_epoch);
            }
        };
        let thread = std::thread::Builder::new().name("guest-ticker".to_owned()).spawn(tick)?;
        Ok(Ticker { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has no code that could panic.
            let _ended = thread.join();
        }
    }
}
