//! Reading the manifest from disk. What its text means is up to the `manifest` crate.

use anyhow::anyhow;
use manifest::App;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::exit::Problem;
use crate::settings::{AppSettings, LOCAL_SETTINGS_FILE};

/// An app and where its manifest is.
#[derive(Debug, Clone)]
pub(crate) struct LocatedApp {
    /// What the manifest says.
    pub(crate) app: App,
    /// The manifest's folder, absolute: paths in the manifest are relative to it.
    pub(crate) folder: PathBuf,
    /// The manifest as the person named it.
    pub(crate) file: String,
    /// The manifest's text.
    pub(crate) text: String,
}

impl LocatedApp {
    /// What is wrong with a function, with the line on which the manifest begins to describe it.
    pub(crate) fn place(&self, function: &str, what: &dyn fmt::Display) -> String {
        match self.app.function(function) {
            Some(found) => format!("{}:{}: {what}", self.file, found.line),
            None => format!("{}: {what}", self.file),
        }
    }
}

/// Reads and checks the manifest at `path`, whose texts may name these app settings.
///
/// # Errors
/// There is no such file, it cannot be read, or the manifest is wrong; then every problem is named with its line.
pub(crate) fn read(path: &Path, settings: &AppSettings) -> Result<LocatedApp, Problem> {
    let text = read_text(path).map_err(Problem::App)?;
    let file = path.display().to_string();
    let setting = |name: &str| settings.values.get(name).cloned();
    let app = manifest::parse(&text, &file, &setting).map_err(|problems| {
        let count = match problems.problems.len() {
            1 => "a problem".to_owned(),
            n => format!("{n} problems"),
        };
        Problem::App(anyhow!("the manifest has {count}\n{problems}"))
    })?;
    Ok(LocatedApp { app, folder: folder(path)?, file, text })
}

/// The folder of the manifest at `path`, absolute. It need not exist.
///
/// # Errors
/// There is no current folder that a relative path could be relative to.
pub(crate) fn folder(path: &Path) -> Result<PathBuf, Problem> {
    let absolute = std::path::absolute(path).map_err(|error| Problem::Host(anyhow!("{}: {error}", path.display())))?;
    Ok(absolute.parent().unwrap_or(Path::new("/")).to_owned())
}

/// The text of the manifest at `path`.
///
/// # Errors
/// There is no such file, or it cannot be read.
pub(crate) fn read_text(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    if path.is_dir() {
        return Err(anyhow!("{shown} is a folder; name the manifest in it{}", manifests_in(path)));
    }
    let file = File::open(path).map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            anyhow!("there is no manifest {shown}; check the path{}", manifests_in(folder))
        } else {
            anyhow!("the manifest {shown} cannot be read: {error}")
        }
    })?;
    // One byte more than allowed is enough to find out; the parser says the rest.
    let limit = manifest::MAX_MANIFEST_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| anyhow!("the manifest {shown} cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        anyhow!("{shown}:{line}: the manifest is not UTF-8 text; save it as UTF-8")
    })
}

/// What could have been meant: the TOML files of a folder, as the end of a sentence.
fn manifests_in(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<String> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter(|path| path.file_name().is_none_or(|name| name != LOCAL_SETTINGS_FILE))
        .map(|path| path.display().to_string())
        .collect();
    found.sort();
    if found.is_empty() { String::new() } else { format!("; there is: {}", found.join(", ")) }
}
