//! What runs guests, one runtime for each set of limits: apps and their versions share it if they set the same.

use guest::{Compilation, GuestSettings, Runtime, RuntimeError};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// See the module.
pub(crate) struct Runtimes {
    /// Where compiled guests are kept.
    cache: PathBuf,
    compilation: Compilation,
    /// There are as many as there are settings, which is few; none is ever given up.
    known: Mutex<Vec<Runtime>>,
}

impl Runtimes {
    /// Compiled guests are kept in `cache`. Nothing is started yet.
    pub(crate) fn new(cache: PathBuf, compilation: Compilation) -> Runtimes {
        Runtimes { cache, compilation, known: Mutex::default() }
    }

    /// The runtime with these limits.
    ///
    /// # Errors
    /// As [`Runtime::with_compilation`].
    pub(crate) fn with(&self, settings: GuestSettings) -> Result<Runtime, RuntimeError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = known.iter().find(|runtime| **runtime.settings() == settings) {
            return Ok(runtime.clone());
        }
        let runtime = Runtime::with_compilation(settings, &self.cache, self.compilation)?;
        known.push(runtime.clone());
        Ok(runtime)
    }
}
