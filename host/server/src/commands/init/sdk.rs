//! Where a new project has the SDK from: the sources that this binary carries, or a checkout.
//!
//! `build.rs` packs the sources, with a workspace that they stand in. The SDK is not on crates.io.

use anyhow::{Context, bail};
use std::path::Path;

/// In the project.
pub(super) const VENDORED: &str = "vendor/dacapo";

/// From the top of a checkout, and of what is vendored.
const CRATE: &str = "sdk/rust/dacapo-sdk";

/// Paths below [`VENDORED`], and texts.
pub(super) const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk_sources.rs"));

/// Where the SDK is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sdk {
    /// In the project itself.
    Vendored,
    /// In this folder, the one of the crate `dacapo-sdk`.
    Elsewhere(String),
}

impl Sdk {
    /// The SDK of a checkout: of its top, or of the crate's own folder.
    ///
    /// # Errors
    /// There is no SDK, or the path cannot stand in a `Cargo.toml`.
    pub(super) fn of_checkout(checkout: &Path) -> anyhow::Result<Sdk> {
        let shown = checkout.display();
        let absolute = checkout.canonicalize().with_context(|| format!("--sdk {shown}: there is no such folder"))?;
        let below = absolute.join(CRATE);
        let folder = if below.join("Cargo.toml").is_file() { below } else { absolute };
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        if !manifest.contains("name = \"dacapo-sdk\"") {
            bail!("--sdk {shown}: there is no {CRATE} in it; name the top of a checkout of Dacapo");
        }
        match folder.to_str() {
            Some(path) => Ok(Sdk::Elsewhere(path.to_owned())),
            None => bail!("--sdk {shown}: the path is not Unicode, which a Cargo.toml has to be; move the checkout"),
        }
    }

    /// As the project's `Cargo.toml` has it.
    pub(super) fn path(&self) -> String {
        match self {
            Sdk::Vendored => format!("{VENDORED}/{CRATE}"),
            Sdk::Elsewhere(path) => path.clone(),
        }
    }
}
