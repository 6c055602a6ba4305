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
    let app = parse(&text, &file, settings)?;
    Ok(LocatedApp { app, folder: folder(path)?, file, text })
}

/// Checks a manifest's text, whose texts may name these app settings. `file` is its name in messages.
///
/// # Errors
/// The manifest is wrong; every problem is named with its line.
pub(crate) fn parse(text: &str, file: &str, settings: &AppSettings) -> Result<App, Problem> {
    let setting = |name: &str| settings.values.get(name).cloned();
    manifest::parse(text, file, &setting).map_err(|problems| {
        let count = match problems.problems.len() {
            1 => "a problem".to_owned(),
            n => format!("{n} problems"),
        };
        Problem::App(anyhow!("the manifest has {count}\n{problems}"))
    })
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

/// Files of other tools that end as manifests do. Those whose names begin with a dot are nobody's manifests anyway.
const OF_OTHER_TOOLS: &[&str] = &[
    "about.toml",
    "book.toml",
    "cargo.toml",
    "clippy.toml",
    "deny.toml",
    "dist.toml",
    "fly.toml",
    "netlify.toml",
    "nextest.toml",
    "pyproject.toml",
    "release-plz.toml",
    "release.toml",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "spin.toml",
    "taplo.toml",
    "typos.toml",
    "wrangler.toml",
    LOCAL_SETTINGS_FILE,
];

/// Whether a file of this name is some other tool's, or ours but no manifest.
pub(crate) fn is_of_another_tool(name: &str) -> bool {
    name.starts_with('.') || OF_OTHER_TOOLS.iter().any(|taken| taken.eq_ignore_ascii_case(name))
}

/// The manifest of a folder, for a person who names none: the only one in it, as [`Path::join`] makes it of the folder and its name.
///
/// A file is taken for a manifest if it has a table `app`; one that could be one is taken if there is no other.
///
/// # Errors
/// There is none, or there are several.
pub(crate) fn find_in(folder: &Path) -> Result<PathBuf, Problem> {
    let candidates = candidates_in(folder);
    let described: Vec<&PathBuf> = candidates.iter().filter(|path| has_app(path)).collect();
    let likely = if described.is_empty() { candidates.iter().collect() } else { described };
    // As a person would have typed it.
    let shown = |path: &Path| path.strip_prefix(".").unwrap_or(path).to_owned();
    match likely.as_slice() {
        [only] => Ok(shown(only)),
        [] => {
            let folder = if folder == Path::new(".") { "this folder".to_owned() } else { folder.display().to_string() };
            Err(Problem::App(anyhow!("there is no manifest in {folder}; name one, or make an app with `dacapo init`")))
        }
        several => {
            let names: Vec<String> = several.iter().map(|path| shown(path).display().to_string()).collect();
            Err(Problem::App(anyhow!("there are several manifests; name one of {}", names.join(", "))))
        }
    }
}

/// Whether a line begins the table in which every manifest describes its app.
fn has_app(path: &Path) -> bool {
    let text = read_text(path).unwrap_or_default();
    text.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        matches!(line.trim(), "[app]" | "[ app ]") || line.starts_with("app.") || line.starts_with("app =")
    })
}

/// What could have been meant: the TOML files of a folder, as the end of a sentence.
fn manifests_in(folder: &Path) -> String {
    let found: Vec<String> = candidates_in(folder).iter().map(|path| path.display().to_string()).collect();
    if found.is_empty() { String::new() } else { format!("; there is: {}", found.join(", ")) }
}

/// The TOML files of a folder that could be manifests, by name.
fn candidates_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter(|path| path.file_name().is_some_and(|name| !is_of_another_tool(&name.to_string_lossy())))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// What is found among files of these names and texts; `F` stands for their folder.
    fn check(files: &[(&str, &str)], expected: &Expect) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("it can be written");
        }
        let found = match find_in(folder.path()) {
            Ok(path) => path.display().to_string(),
            Err(problem) => problem.into_error().to_string(),
        };
        expected.assert_eq(&found.replace(&folder.path().display().to_string(), "F"));
    }

    #[test]
    fn the_only_manifest_is_found() {
        check(
            &[
                ("trips.toml", "[app]"),
                ("Cargo.toml", "[package]"),
                ("local.settings.toml", ""),
                ("rust-toolchain.toml", ""),
                (".config.toml", "[app]"),
                ("trips.json", "{}"),
            ],
            &expect!["F/trips.toml"],
        );
        check(
            &[("settings.toml", "[app.limits]"), ("trips.toml", "# Trips.\n[app] # of ours\n")],
            &expect!["F/trips.toml"],
        );
    }

    #[test]
    fn a_broken_one_is_found_too_so_that_its_reader_can_say_what_is_wrong() {
        check(&[("trips.toml", "[ap")], &expect!["F/trips.toml"]);
    }

    #[test]
    fn none_and_several_are_refused() {
        check(
            &[("Cargo.toml", "")],
            &expect!["there is no manifest in F; name one, or make an app with `dacapo init`"],
        );
        check(
            &[("b.toml", "[app]"), ("a.toml", "app.name = 'a'"), ("c.toml", "")],
            &expect!["there are several manifests; name one of F/a.toml, F/b.toml"],
        );
    }
}
