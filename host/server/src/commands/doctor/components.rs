//! Whether the components of an app are there, are components, and are newer than what they are built from.

use manifest::{App, Build, Component};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Finding;

const SUBJECT: &str = "components";

/// The first bytes of a component, and of a module: the name of the format, and its version and layer.
const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";
const MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";

/// Source files of one component that are looked at.
const MAX_SOURCES: usize = 100_000;

pub(super) fn look(app: &App, folder: &Path, findings: &mut Vec<Finding>) {
    for (name, component) in &app.components {
        let file = ComponentFile::read(&folder.join(&component.source));
        let newest = component.build.as_ref().and_then(|build| newest_source(build, folder));
        findings.push(judge(name, component, &file, newest.as_ref()));
    }
}

/// Whether all files are components, so that it can be asked what is in them.
pub(super) fn are_there(app: &App, folder: &Path) -> bool {
    let file = |component: &Component| ComponentFile::read(&folder.join(&component.source));
    app.components.values().all(|component| matches!(file(component), ComponentFile::There(_)))
}

/// What is where a component should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ComponentFile {
    Missing,
    /// The reason.
    Unreadable(String),
    /// A module, as compilers make them before they become components.
    Module,
    /// Something else.
    Other,
    /// A component, and when it was built, if the system tells.
    There(Option<SystemTime>),
}

impl ComponentFile {
    fn read(path: &Path) -> ComponentFile {
        let read = || {
            let mut file = File::open(path)?;
            let modified = file.metadata()?.modified().ok();
            let mut start = [0; COMPONENT.len()];
            match file.read_exact(&mut start) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
                read => read?,
            }
            Ok::<_, std::io::Error>((start, modified))
        };
        match read() {
            Ok((COMPONENT, modified)) => ComponentFile::There(modified),
            Ok((MODULE, _)) => ComponentFile::Module,
            Ok(_) => ComponentFile::Other,
            Err(error) if error.kind() == ErrorKind::NotFound => ComponentFile::Missing,
            Err(error) => ComponentFile::Unreadable(error.to_string()),
        }
    }
}

/// The file that was changed last among those that the build watches.
fn newest_source(build: &Build, folder: &Path) -> Option<(PathBuf, SystemTime)> {
    // The folder's own name may have signs in it that mean something in a pattern.
    let base = glob::Pattern::escape(&folder.display().to_string());
    let files = build.watch.iter().filter_map(|pattern| glob::glob(&format!("{base}/{pattern}")).ok()).flatten();
    let dated = files.take(MAX_SOURCES).flatten().filter_map(|path| {
        let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some((path, metadata.modified().ok()?))
    });
    dated.max_by_key(|(_, modified)| *modified)
}

pub(super) fn judge(
    name: &str,
    component: &Component,
    file: &ComponentFile,
    newest_source: Option<&(PathBuf, SystemTime)>,
) -> Finding {
    let source = &component.source;
    let build_again = match &component.build {
        Some(build) => format!("`dacapo start` builds it; or run: {}", build.command),
        None => format!("build it, or correct components.{name}.source"),
    };
    match (file, &component.build) {
        (ComponentFile::There(built), _) => match (built, newest_source) {
            (Some(built), Some((newest, changed))) if changed > built => Finding::warning(
                SUBJECT,
                format!("component '{name}' is older than {}", newest.display()),
                format!("{build_again}; with --no-build the old one runs"),
            ),
            (_, _) => Finding::ok(SUBJECT, format!("component '{name}' is in {source}")),
        },
        (ComponentFile::Missing, Some(_)) => {
            Finding::warning(SUBJECT, format!("component '{name}' is not built yet: there is no {source}"), build_again)
        }
        (ComponentFile::Missing, None) => {
            Finding::problem(SUBJECT, format!("component '{name}' is missing: there is no {source}"), build_again)
        }
        (ComponentFile::Unreadable(why), _) => Finding::problem(
            SUBJECT,
            format!("component '{name}' cannot be read from {source}: {why}"),
            "correct the file's access rights, or the path",
        ),
        (ComponentFile::Module, _) => Finding::problem(
            SUBJECT,
            format!("component '{name}' is a WebAssembly module and no component: {source}"),
            "build it for a target that makes components, such as wasm32-wasip2",
        ),
        (ComponentFile::Other, _) => {
            Finding::problem(SUBJECT, format!("component '{name}' is no WebAssembly component: {source}"), build_again)
        }
    }
}
