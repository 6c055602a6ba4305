//! An app out of a bundle: unpacked, and served as any other. Nothing of it is built or watched.

use anyhow::Context;
use bundle::{Limits, Opened};
use std::path::Path;

use super::app_settings;
use crate::cli::StartArguments;
use crate::console::Console;
use crate::data_folder::Layout;
use crate::deployments::{self, Deployments};
use crate::exit::Problem;
use crate::settings::Environment;
use crate::wiring::Edition;

/// Reads and unpacks a bundle, whole or not at all. What it holds stays in the cache until another one is.
pub(super) fn edition(
    file: &Path,
    arguments: &StartArguments,
    environment: &Environment,
    console: &Console,
) -> Result<Edition, Problem> {
    let shown = file.display();
    let bytes =
        std::fs::read(file).with_context(|| format!("the bundle {shown} cannot be read")).map_err(Problem::App)?;
    let opened = bundle::read(&bytes, &Limits::default()).with_context(|| format!("{shown} cannot be used"));
    let Opened { bundle, digest } = opened.map_err(Problem::App)?;
    let folder = std::env::current_dir().context("there is no current folder")?;
    let settings = app_settings(environment, arguments, &folder, console)?;
    let layout = Layout::of(&bundle.app, &folder, arguments.data_dir.as_deref());
    let unpacked = Deployments::open(layout.cache.join("bundles").join(&bundle.app))
        .and_then(|deployments| deployments.stage(&bundle, &digest))
        .context("the bundle cannot be unpacked")?;
    let located = deployments::located(&unpacked.folder, &bundle.app, &bundle.version, &settings)?;
    super::edition(located, settings, arguments)
}
