//! What is in the files: their digests, read anew only where something may have happened.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What was found under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing, or nothing that can be read.
    Missing,
    /// A file of no length: perhaps somebody is about to write it.
    Empty,
    /// The SHA-256 of the bytes.
    Of([u8; 32]),
}

/// Which files may have changed although they do not look like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Suspects {
    /// Those that have one of these names, in whatever folder: the system's way of naming the folder may differ from ours.
    Named(BTreeSet<OsString>),
    /// Events were lost, or there are none.
    All,
}

impl Suspects {
    fn have(&self, path: &Path) -> bool {
        match self {
            Suspects::Named(names) => path.file_name().is_some_and(|name| names.contains(name)),
            Suspects::All => true,
        }
    }
}

/// Reads files, and remembers what they looked like.
#[derive(Default)]
pub(super) struct Reader {
    known: BTreeMap<PathBuf, (Looks, [u8; 32])>,
}

/// What a file cannot easily change without changing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Looks {
    length: u64,
    modified: Option<SystemTime>,
    /// Inode and time of the last change of any kind: a file that was renamed into place may have the dates of the old one.
    identity: (u64, i64, i64),
}

impl Looks {
    fn of(metadata: &Metadata) -> Looks {
        Looks { length: metadata.len(), modified: metadata.modified().ok(), identity: identity(metadata) }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

impl Reader {
    /// The content of these files and no others. A file is read if it is a suspect, or looks other than before.
    pub(super) fn read<'p>(
        &mut self,
        paths: impl Iterator<Item = &'p PathBuf>,
        suspects: &Suspects,
    ) -> BTreeMap<PathBuf, Content> {
        let mut before = std::mem::take(&mut self.known);
        let mut contents = BTreeMap::new();
        for path in paths {
            let known = before.remove(path).filter(|_| !suspects.have(path));
            let content = match read_file(path, known) {
                Ok(Some(known)) => {
                    let digest = known.1;
                    self.known.insert(path.clone(), known);
                    Content::Of(digest)
                }
                Ok(None) => Content::Empty,
                Err(error) => {
                    if error.kind() != ErrorKind::NotFound {
                        tracing::debug!(path = %path.display(), %error, "a watched file cannot be read");
                    }
                    Content::Missing
                }
            };
            contents.insert(path.clone(), content);
        }
        contents
    }
}

/// None for an empty file.
fn read_file(path: &Path, known: Option<(Looks, [u8; 32])>) -> io::Result<Option<(Looks, [u8; 32])>> {
    // Looked at first: a change while it is read makes it look different the next time.
    let metadata = path.metadata()?;
    if !metadata.is_file() {
        return Err(ErrorKind::NotFound.into());
    }
    let looks = Looks::of(&metadata);
    if let Some((before, digest)) = known
        && before == looks
    {
        return Ok(Some((looks, digest)));
    }
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut is_empty = true;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                is_empty = false;
                hash.update(&buffer[..length]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((!is_empty).then(|| (looks, hash.finalize().into())))
}
