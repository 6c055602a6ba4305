//! Writing whole files: new ones, or in the place of others, which are there in full or as they were.
//!
//! Owns who may read what is written. What stands in files is up to the commands that write them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Who can read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Nobody else: there may be secrets in it.
    Owner,
    /// Whoever the system lets read new files of this person.
    Everybody,
}

/// Writes a file that must not be there yet.
///
/// # Errors
/// There is one already ([`ErrorKind::AlreadyExists`]), or the system refuses; then nothing is left.
pub(crate) fn create(path: &Path, content: impl AsRef<[u8]>, readers: Readers) -> io::Result<()> {
    let mut file = options(readers).create_new(true).open(path)?;
    let written = file.write_all(content.as_ref()).and_then(|()| file.sync_all());
    if written.is_err() {
        drop(fs::remove_file(path));
    }
    written
}

/// Writes a file, in the place of one that may be there.
///
/// # Errors
/// The system refuses; then the one that was there is as it was.
pub(crate) fn replace(path: &Path, content: impl AsRef<[u8]>, readers: Readers) -> io::Result<()> {
    // A link stays one: what it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let unfinished = unfinished(&path);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    create(&unfinished, content, readers)?;
    if let Err(error) = fs::rename(&unfinished, &path) {
        drop(fs::remove_file(&unfinished));
        return Err(error);
    }
    // The new name is durable when the folder is.
    #[cfg(unix)]
    File::open(folder_of(&path))?.sync_all()?;
    Ok(())
}

/// The folder of a file; of a bare name it is the current one.
#[cfg(unix)]
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder == Path::new("") => Path::new("."),
        Some(folder) => folder,
        None => Path::new("/"),
    }
}

/// Beside the file, so that renaming it is one step.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

fn options(readers: Readers) -> OpenOptions {
    let mut options = File::options();
    options.write(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    // Elsewhere new files have the access rights of their folder.
    #[cfg(not(unix))]
    let (Readers::Owner | Readers::Everybody) = readers;
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).expect("it is there").permissions()) & 0o777
    }

    #[cfg(unix)]
    #[test]
    fn secrets_are_for_their_owner_also_where_others_could_read_before() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("settings.toml");
        create(&path, "a", Readers::Everybody).expect("it is new");
        assert_ne!(mode(&path), 0o600);
        replace(&path, "b", Readers::Owner).expect("it can be replaced");
        assert_eq!((fs::read_to_string(&path).expect("text").as_str(), mode(&path)), ("b", 0o600));
        let error = create(&path, "c", Readers::Owner).expect_err("it is there");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing unfinished is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_bare_name_is_in_the_current_folder() {
        let check = |path: &str, expected: &str| assert_eq!(folder_of(Path::new(path)), Path::new(expected));
        check("a.dacapo", ".");
        check("b/a.dacapo", "b");
        check("/a.dacapo", "/");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        create(&file, "a", Readers::Owner).expect("it is new");
        std::os::unix::fs::symlink(&file, &link).expect("it is new");
        replace(&link, "b", Readers::Owner).expect("it can be replaced");
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("text"), "b");
    }
}
