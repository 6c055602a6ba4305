//! The data folder: who holds it, which format is in it, and where the database is.
//!
//! ```text
//! host.pid    locked by the process that has the store open, with its process id
//! format      the version of everything beside it
//! rows/       the database
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The version of keys and values. It grows when an older host could not make sense of a newer one's rows: since 2 there are
/// entities, and messages that are not to be handed out at once; since 3 there are queues, tables and documents of users.
const FORMAT: u32 = 3;
/// The oldest version whose rows read as they are.
const OLDEST_FORMAT: u32 = 1;
/// What stands before the version in the format file.
const FORMAT_WORDS: &str = "dacapo store, format ";
/// No format file and no process id is longer.
const LONGEST_TEXT: u64 = 64;

/// Why a data folder cannot be opened.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody has it open.
    #[error(
        "the store in {folder} is in use by {}; stop that host, or choose another data folder for this one",
        holder(*pid)
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// The process that has it open, as far as it can be told.
        pid: Option<u32>,
    },
    /// A later version of this program has written it.
    #[error(
        "the store in {folder} has format {found}, and this host knows formats up to {known}: a newer host has written it; \
         use that version, or choose another data folder"
    )]
    NewerFormat {
        /// The data folder.
        folder: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that can be opened.
        known: u32,
    },
    /// What is in it cannot be read.
    #[error(
        "the store in {folder} is damaged and was left as it is: {detail}; restore the folder from a backup, or move it away \
         and start with an empty one"
    )]
    Damaged {
        /// The data folder.
        folder: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The system refuses.
    #[error(
        "the store in {folder} cannot be opened: {detail}; check that the folder can be written and the disk is not full"
    )]
    Io {
        /// The data folder.
        folder: PathBuf,
        /// What the system said.
        detail: String,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl OpenError {
    pub(super) fn io(folder: &Path, error: &io::Error) -> OpenError {
        OpenError::Io { folder: folder.to_owned(), detail: error.to_string() }
    }

    pub(super) fn damaged(folder: &Path, detail: String) -> OpenError {
        OpenError::Damaged { folder: folder.to_owned(), detail }
    }
}

/// What can be told of a data folder without opening its store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FolderState {
    /// The version of keys and values that it says to have; none if it does not say.
    pub format: Option<u32>,
    /// The newest version that this host knows.
    pub known_format: u32,
    /// Whether there is a database in it.
    pub has_rows: bool,
    /// Whether a process has it open.
    pub is_held: bool,
    /// The process that has it open, or had it last, as far as it can be told.
    pub pid: Option<u32>,
}

impl FolderState {
    /// Looks, for diagnoses, and leaves everything as it is. To find out whether somebody holds the folder it takes the lock
    /// for a moment, together with others that look: a host that starts in this very moment finds the folder in use.
    ///
    /// # Errors
    /// A file is there that cannot be read.
    pub fn of(path: &Path) -> io::Result<FolderState> {
        let (mut is_held, mut pid) = (false, None);
        if let Some(mut lock) = open_if_there(&path.join("host.pid"))? {
            pid = read_pid(&mut lock);
            is_held = match lock.try_lock_shared() {
                Ok(()) => false,
                Err(TryLockError::WouldBlock) => true,
                Err(TryLockError::Error(error)) => return Err(error),
            };
        }
        let format = match open_if_there(&path.join("format"))? {
            Some(file) => format_in(&read_start(&file)?),
            None => None,
        };
        Ok(FolderState { format, known_format: FORMAT, has_rows: path.join("rows").exists(), is_held, pid })
    }
}

fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn format_in(text: &str) -> Option<u32> {
    text.trim().strip_prefix(FORMAT_WORDS)?.parse().ok()
}

/// A data folder that this process holds, until this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is not there, and holds it against others. The system frees it when the process ends, however it
    /// ends.
    pub(super) fn claim(path: &Path) -> Result<Folder, OpenError> {
        let io = |error: io::Error| OpenError::io(path, &error);
        std::fs::create_dir_all(path).map_err(io)?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let mut lock = options.open(path.join("host.pid")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { folder: path.to_owned(), pid: read_pid(&mut lock) });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        write_pid(&mut lock).map_err(io)?;
        let folder = Folder { path: path.to_owned(), _lock: lock };
        folder.check_format()?;
        Ok(folder)
    }

    /// Where the database is.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join("rows")
    }

    fn check_format(&self) -> Result<(), OpenError> {
        let path = self.path.join("format");
        let io = |error: io::Error| OpenError::io(&self.path, &error);
        let text = match File::open(&path) {
            Ok(file) => read_start(&file).map_err(io)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.begin_format(),
            Err(error) => return Err(io(error)),
        };
        match format_in(&text) {
            Some(FORMAT) => Ok(()),
            // Before anything new is written: from here on the older host stays out.
            Some(OLDEST_FORMAT..FORMAT) => self.write_format(),
            Some(found) if found > FORMAT => {
                Err(OpenError::NewerFormat { folder: self.path.clone(), found, known: FORMAT })
            }
            Some(_) | None => {
                let detail = format!("the file {} holds {text:?} instead of a format's number", path.display());
                Err(OpenError::damaged(&self.path, detail))
            }
        }
    }

    /// Says which format a new store has, before there is anything in it.
    fn begin_format(&self) -> Result<(), OpenError> {
        if self.database().exists() {
            let detail = "the file 'format' is missing, while there are rows".to_owned();
            return Err(OpenError::damaged(&self.path, detail));
        }
        self.write_format()
    }

    fn write_format(&self) -> Result<(), OpenError> {
        let io = |error: io::Error| OpenError::io(&self.path, &error);
        let new = self.path.join("format.new");
        let mut file = File::create(&new).map_err(io)?;
        writeln!(file, "{FORMAT_WORDS}{FORMAT}").and_then(|()| file.sync_all()).map_err(io)?;
        std::fs::rename(&new, self.path.join("format")).map_err(io)?;
        // The name is durable when the folder is.
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(io)
    }
}

fn read_start(file: &File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(LONGEST_TEXT).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_pid(lock: &mut File) -> Option<u32> {
    read_start(lock).ok()?.trim().parse().ok()
}

fn write_pid(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}
