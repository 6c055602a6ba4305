//! Where the documents of keys are: files that only their owner can read, or memory.
//!
//! A file is replaced as a whole: written beside its place, synced, renamed. Changes of several processes come one after
//! the other by a lock on a file that is there for nothing else; reading needs no lock.

use super::KeyError;
use crate::file_writer::{self, Readers};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// The document of the host's keys.
pub(super) const HOST_DOCUMENT: &str = "host.json";
const FUNCTIONS: &str = "functions";
const LOCK: &str = "lock";

/// A file of thousands of keys is shorter; anything longer is not ours.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The documents by their names: `host.json`, and `functions/<name in lower case>.json`.
pub(super) enum Files {
    /// A folder, made when the first document is.
    Folder(PathBuf),
    /// For hosts that leave nothing behind.
    Memory { documents: Mutex<BTreeMap<String, Vec<u8>>>, lock: Mutex<()> },
}

/// The right to change documents; ends when dropped.
pub(super) enum Lock<'f> {
    Folder { _file: File },
    Memory { _guard: MutexGuard<'f, ()> },
}

/// Tells whether files have changed: two that are equal were taken of the same contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp(Vec<(String, Option<SystemTime>, u64, u64)>);

/// The document of a function's keys. Names of functions have no case, and some file systems have none either.
pub(super) fn function_document(function: &str) -> String {
    format!("{FUNCTIONS}/{}.json", function.to_ascii_lowercase())
}

impl Files {
    pub(super) fn memory() -> Files {
        Files::Memory { documents: Mutex::default(), lock: Mutex::default() }
    }

    /// A document's name for people.
    pub(super) fn shown(&self, document: &str) -> String {
        match self {
            Files::Folder(folder) => folder.join(document).display().to_string(),
            Files::Memory { .. } => format!("memory ({document})"),
        }
    }

    /// Waits until nobody else changes documents.
    pub(super) fn lock(&self) -> Result<Lock<'_>, KeyError> {
        match self {
            Files::Folder(folder) => {
                let path = folder.join(LOCK);
                let lock = || {
                    make_folder(folder)?;
                    let file = private(OpenOptions::new().create(true).truncate(false)).open(&path)?;
                    file.lock()?;
                    Ok(file)
                };
                let file = lock().map_err(|why| KeyError::NotWritten { file: path.display().to_string(), why })?;
                Ok(Lock::Folder { _file: file })
            }
            Files::Memory { lock, .. } => {
                Ok(Lock::Memory { _guard: lock.lock().unwrap_or_else(PoisonError::into_inner) })
            }
        }
    }

    /// A document, if there is one.
    pub(super) fn read(&self, document: &str) -> Result<Option<Vec<u8>>, KeyError> {
        match self {
            Files::Folder(folder) => match read_file(&folder.join(document)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(why) => Err(KeyError::Unreadable { file: self.shown(document), why }),
            },
            Files::Memory { documents, .. } => {
                Ok(documents.lock().unwrap_or_else(PoisonError::into_inner).get(document).cloned())
            }
        }
    }

    /// Replaces or makes a document. Durable when it returns.
    pub(super) fn replace(&self, document: &str, bytes: Vec<u8>) -> Result<(), KeyError> {
        match self {
            Files::Folder(folder) => replace_file(&folder.join(document), &bytes)
                .map_err(|why| KeyError::NotWritten { file: self.shown(document), why }),
            Files::Memory { documents, .. } => {
                let mut documents = documents.lock().unwrap_or_else(PoisonError::into_inner);
                documents.insert(document.to_owned(), bytes);
                Ok(())
            }
        }
    }

    /// Removes a document, if there is one.
    pub(super) fn remove(&self, document: &str) -> Result<(), KeyError> {
        match self {
            Files::Folder(folder) => match fs::remove_file(folder.join(document)) {
                Err(why) if why.kind() != ErrorKind::NotFound => {
                    Err(KeyError::NotWritten { file: self.shown(document), why })
                }
                Ok(()) | Err(_) => Ok(()),
            },
            Files::Memory { documents, .. } => {
                documents.lock().unwrap_or_else(PoisonError::into_inner).remove(document);
                Ok(())
            }
        }
    }

    /// The functions that have a document, by their names in lower case, sorted.
    pub(super) fn functions(&self) -> Result<Vec<String>, KeyError> {
        let names: Vec<String> = match self {
            Files::Folder(folder) => names_in(&folder.join(FUNCTIONS))
                .map_err(|why| KeyError::Unreadable { file: self.shown(FUNCTIONS), why })?,
            Files::Memory { documents, .. } => {
                let documents = documents.lock().unwrap_or_else(PoisonError::into_inner);
                let below = documents.keys().filter_map(|name| name.strip_prefix(FUNCTIONS)?.strip_prefix('/'));
                below.map(str::to_owned).collect()
            }
        };
        let mut functions: Vec<String> =
            names.iter().filter_map(|name| name.strip_suffix(".json")).map(str::to_owned).collect();
        functions.sort();
        Ok(functions)
    }

    /// What is there now. Always the same for memory, which nobody else changes.
    pub(super) fn stamp(&self) -> Stamp {
        let Files::Folder(folder) = self else { return Stamp::default() };
        let functions = self.functions().unwrap_or_default();
        let documents = functions.iter().map(|name| function_document(name)).chain([HOST_DOCUMENT.to_owned()]);
        Stamp(documents.map(|document| stamp_of(&folder.join(&document), document)).collect())
    }
}

fn stamp_of(path: &Path, document: String) -> (String, Option<SystemTime>, u64, u64) {
    match fs::metadata(path) {
        Ok(metadata) => (document, metadata.modified().ok(), metadata.len(), file_number(&metadata)),
        Err(_) => (document, None, 0, 0),
    }
}

/// A file that takes another's place has a number of its own, even if both were written in one tick of the clock.
#[cfg(unix)]
fn file_number(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn file_number(_metadata: &Metadata) -> u64 {
    0
}

fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("it is longer than any file of keys"));
    }
    Ok(bytes)
}

fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    make_folder(path.parent().unwrap_or(Path::new(".")))?;
    file_writer::replace(path, bytes, Readers::Owner)
}

/// To be written, and read by nobody but the owner.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.read(true).write(true)
}

/// Makes a folder that nobody but the owner can look into. The folders above it are the data folder's, with their own modes.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        if folder.ends_with(FUNCTIONS) { make_folder(above)? } else { fs::create_dir_all(above)? }
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
