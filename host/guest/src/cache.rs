//! Compiled code on disk, so that a component is compiled once and mapped from then on.
//!
//! Loading compiled code means running it outside of the sandbox, so only what this host wrote is trusted: the folder
//! belongs to its user alone, and a file's name holds the checksum of its content. A file is found by the digest of the
//! component and by everything that the engine's code depends on; one that does not fit its name is removed and made anew.

use sha2::{Digest as _, Sha256};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use wasmtime::Engine;
use wasmtime::component::Component;

/// The name of the folder below the one that the host was given.
const FOLDER: &str = "compiled";
const EXTENSION: &str = ".cwasm";

/// How many files are kept; the development loop leaves one behind for each build.
const MAX_FILES: usize = 256;

/// The lower-case hexadecimal SHA-256 of some bytes.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// Where compiled code came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Provenance {
    /// From a file that was written before.
    Cache,
    /// From the compiler.
    Compiler,
}

/// The folder of compiled code; none if there is no folder that only this user can write to.
pub(crate) struct CodeCache {
    folder: Option<PathBuf>,
}

impl CodeCache {
    pub(crate) fn open(parent: &Path) -> CodeCache {
        let folder = parent.join(FOLDER);
        match create_private(&folder) {
            Ok(()) => CodeCache { folder: Some(folder) },
            Err(error) => {
                tracing::warn!(
                    folder = %folder.display(),
                    "cannot keep compiled components there ({error}); every start compiles them again"
                );
                CodeCache { folder: None }
            }
        }
    }

    /// The component with this digest, compiled for this engine.
    ///
    /// # Errors
    /// When the bytes are no valid component. Trouble with the folder only costs time.
    pub(crate) fn component(
        &self,
        engine: &Engine,
        digest: &str,
        wasm: &[u8],
    ) -> wasmtime::Result<(Component, Provenance)> {
        let Some(folder) = &self.folder else {
            return Ok((Component::new(engine, wasm)?, Provenance::Compiler));
        };
        let key = format!("{digest}-{:016x}-", compatibility(engine));
        if let Some(component) = find(engine, folder, &key) {
            return Ok((component, Provenance::Cache));
        }
        let code = engine.precompile_component(wasm)?;
        let component = match store(folder, &key, &code) {
            Ok(path) => load(engine, &path)?,
            Err(error) => {
                tracing::warn!(folder = %folder.display(), "cannot keep a compiled component there: {error}");
                Component::new(engine, wasm)?
            }
        };
        Ok((component, Provenance::Compiler))
    }
}

/// The mode is set even if the folder is there: that fails for the folder of another user.
fn create_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Changes with the version of wasmtime, the target and every setting that the code depends on.
fn compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

fn find(engine: &Engine, folder: &Path, key: &str) -> Option<Component> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let name = entry.file_name();
        let Some(checksum) = name.to_str().and_then(|name| name.strip_prefix(key)?.strip_suffix(EXTENSION)) else {
            continue;
        };
        let path = entry.path();
        let intact = fs::read(&path).is_ok_and(|code| sha256_hex(&code) == checksum);
        match intact.then(|| load(engine, &path)) {
            Some(Ok(component)) => return Some(component),
            Some(Err(_)) | None => {
                tracing::warn!(file = %path.display(), "a compiled component is damaged; compiling it again");
                // What cannot be removed is found damaged again next time.
                let _removed = fs::remove_file(&path);
            }
        }
    }
    None
}

#[expect(
    unsafe_code,
    reason = "the file lies in a folder of this user alone and its checksum is the one it was written with"
)]
fn load(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize_file` trusts the file to be what an engine wrote. This process or an earlier one of the same
    // user wrote it, `find` has compared its checksum, and it is replaced by renaming only, never written in place.
    unsafe { Component::deserialize_file(engine, path) }
}

/// Written beside its place and renamed, so that nobody ever sees a part of it.
fn store(folder: &Path, key: &str, code: &[u8]) -> io::Result<PathBuf> {
    static TEMPORARY: AtomicU64 = AtomicU64::new(0);
    let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
    let temporary = folder.join(format!("{}-{number}.tmp", std::process::id()));
    let path = folder.join(format!("{key}{}{EXTENSION}", sha256_hex(code)));
    let written = fs::File::create(&temporary)
        .and_then(|mut file| file.write_all(code))
        .and_then(|()| fs::rename(&temporary, &path));
    if let Err(error) = written {
        let _removed = fs::remove_file(&temporary);
        return Err(error);
    }
    if let Err(error) = prune(folder) {
        tracing::debug!(folder = %folder.display(), "cannot remove compiled components from there: {error}");
    }
    Ok(path)
}

/// Removes the files that were written longest ago. A process that has one of them mapped keeps it.
fn prune(folder: &Path) -> io::Result<()> {
    let mut files: Vec<(SystemTime, PathBuf)> = fs::read_dir(folder)?
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    for (_, path) in files.iter().take(files.len().saturating_sub(MAX_FILES)) {
        fs::remove_file(path)?;
    }
    Ok(())
}
