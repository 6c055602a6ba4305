//! The runtime: engines, their clock, the linkers of both sandboxes and the cache of compiled code. One per process.

use crate::cache::CodeCache;
use crate::component::{self, Component, ComponentSource, LoadError};
use crate::engine::{Engines, Ticker};
use crate::invocation::{self, Invocation};
use crate::orchestrator::{self, Orchestration};
use crate::sandbox::Linkers;
use crate::settings::{Compilation, GuestSettings};
use std::path::Path;
use std::sync::Arc;

/// Why there is no runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The machine does not offer what running WebAssembly takes.
    #[error("cannot set up WebAssembly: {0}")]
    Engine(String),
    /// The thread that interrupts guests could not be started.
    #[error("cannot start the thread that interrupts guests: {0}")]
    Thread(#[from] std::io::Error),
}

/// Runs guests. Clones share everything; the last one that goes, together with the last component and guest, ends it.
#[derive(Clone)]
pub struct Runtime(Arc<Parts>);

/// What components keep alive.
pub(crate) struct Parts {
    pub(crate) settings: Arc<GuestSettings>,
    pub(crate) engines: Engines,
    pub(crate) cache: CodeCache,
    pub(crate) invocations: Linkers<Invocation>,
    pub(crate) orchestrators: Linkers<Orchestration>,
    _ticker: Ticker,
}

impl Runtime {
    /// Sets everything up. Compiled components are kept in a folder below `cache_dir` that only this user can read.
    ///
    /// # Errors
    /// When the machine cannot run guests at all. Where it has no room for a pool of guests or for the cache, the runtime
    /// works without, more slowly, and says so in the log.
    pub fn new(settings: GuestSettings, cache_dir: &Path) -> Result<Runtime, RuntimeError> {
        Runtime::with_compilation(settings, cache_dir, Compilation::Lasting)
    }

    /// As [`Runtime::new`], which compiles guests to last.
    ///
    /// # Errors
    /// As [`Runtime::new`].
    pub fn with_compilation(
        settings: GuestSettings,
        cache_dir: &Path,
        compilation: Compilation,
    ) -> Result<Runtime, RuntimeError> {
        let failed = |error: wasmtime::Error| RuntimeError::Engine(format!("{error:#}"));
        let engines = Engines::new(&settings, compilation).map_err(failed)?;
        let invocations = Linkers::new(&engines.invocation, invocation::define).map_err(failed)?;
        let orchestrators = Linkers::new(&engines.orchestrator, orchestrator::define).map_err(failed)?;
        let ticker = Ticker::start(&engines)?;
        Ok(Runtime(Arc::new(Parts {
            settings: Arc::new(settings),
            engines,
            cache: CodeCache::open(cache_dir),
            invocations,
            orchestrators,
            _ticker: ticker,
        })))
    }

    /// Compiles a component, or takes it from the cache, links it and asks it what it has.
    ///
    /// # Errors
    /// Says what is wrong with the component and how to get a good one.
    pub async fn load(&self, source: ComponentSource) -> Result<Arc<Component>, LoadError> {
        component::load(Arc::clone(&self.0), source, None).await
    }

    /// As [`Runtime::load`], for a caller who has the content of the file already and knows, by its
    /// [`digest`](crate::digest), that it is the right one. `source.path` is only told in messages.
    ///
    /// # Errors
    /// As [`Runtime::load`].
    pub async fn load_bytes(&self, source: ComponentSource, wasm: Vec<u8>) -> Result<Arc<Component>, LoadError> {
        component::load(Arc::clone(&self.0), source, Some(wasm)).await
    }

    /// Makes the next version of this component compile faster, if this one came out of the cache and its functions are not in
    /// memory. Takes as long as compiling it. With [`Compilation::Lasting`], and for what is no component, nothing is done.
    pub fn compile_ahead(&self, wasm: &[u8]) {
        component::compile_ahead(&self.0, wasm);
    }

    #[cfg(test)]
    pub(crate) fn kept_functions(&self) -> usize {
        self.0.engines.kept_code.as_ref().map_or(0, |kept| kept.functions())
    }

    /// The limits that every guest has.
    pub fn settings(&self) -> &Arc<GuestSettings> {
        &self.0.settings
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
