//! A deployment as an app that can be loaded: its manifest, with the components where the bundle has them.

use anyhow::anyhow;
use bundle::{MANIFEST_FILE, component_file};
use std::path::Path;

use crate::exit::Problem;
use crate::manifest_file::{self, LocatedApp};
use crate::settings::AppSettings;

/// Reads the manifest of a bundle that is unpacked in `folder`. Sources of components lead into the folder, and there is nothing to
/// build. Messages name the file as `trips-1.0.0.dacapo/manifest.toml`.
///
/// # Errors
/// The manifest is wrong, is of another app or version than the bundle says, or names a component that the bundle does not have.
pub(crate) fn located(folder: &Path, app: &str, version: &str, settings: &AppSettings) -> Result<LocatedApp, Problem> {
    let file = format!("{app}-{version}.{}/{MANIFEST_FILE}", bundle::EXTENSION);
    let text = manifest_file::read_text(&folder.join(MANIFEST_FILE)).map_err(Problem::App)?;
    let mut parsed = manifest_file::parse(&text, &file, settings)?;
    if parsed.name != app || parsed.version != version {
        return Err(Problem::App(anyhow!(
            "{file}: the manifest is of {} {}, and the bundle says that it is of {app} {version}; pack the app again",
            parsed.name,
            parsed.version
        )));
    }
    for (name, component) in &mut parsed.components {
        let source = component_file(name);
        if !folder.join(&source).is_file() {
            return Err(Problem::App(anyhow!(
                "{file}: the bundle has no component '{name}', which the manifest names; pack the app again"
            )));
        }
        component.source = source;
        component.build = None;
    }
    Ok(LocatedApp { app: parsed, folder: folder.to_owned(), file, text })
}
