//! `dacapo deploy`: sends a bundle to a host, and says how far it has come.
//!
//! What is sent is checked here first, so that a broken file costs no upload. Whether the app fits the host is up to the host.

mod phases;
#[cfg(test)]
mod tests;
mod upload;

use anyhow::anyhow;
use bundle::{Limits, MAX_BUNDLE_BYTES};
use bytes::Bytes;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::admin_api;
use super::apps::{self, Answered, SwitchReport};
use super::pack::{self, Builder, Packed, size};
use crate::cli::{DeployArguments, OutputFormat};
use crate::console::Console;
use crate::exit::Problem;
use crate::manifest_file;
use crate::settings::Environment;

/// What is going to be sent.
struct Parcel {
    app: String,
    version: String,
    digest: String,
    bytes: Bytes,
    /// App settings that the host must have, in words.
    needs: String,
}

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::App`] when there is no good bundle to send, [`Problem::Wanting`] when the host has refused it, which has been said, and
/// [`Problem::NoAnswer`] when the host does not say what became of it.
pub(crate) fn run(arguments: &DeployArguments, environment: &Environment, console: &Console) -> Result<(), Problem> {
    let parcel = parcel(arguments, environment, console)?;
    let says = arguments.output == OutputFormat::Text;
    if says {
        let (app, version, origin) = (&parcel.app, &parcel.version, admin_api::origin(&arguments.to));
        console.progress(&format!(
            "Deploying {app} {version} ({}, bundle {}) to {origin} ...",
            size(parcel.bytes.len() as u64),
            apps::shown(&parcel.digest)
        ));
    }
    let say = |line: &str| {
        if says {
            console.progress(line);
        }
    };
    let answered = admin_api::block_on(upload::send(arguments, parcel.bytes.clone(), &say))?;
    let outcome = apps::finish(&answered, arguments.output, console, &|report: SwitchReport| report.deployed());
    if says && outcome.is_err() && !parcel.needs.is_empty() {
        console.notice(parcel.needs.trim_end());
    }
    outcome
}

fn parcel(arguments: &DeployArguments, environment: &Environment, console: &Console) -> Result<Parcel, Problem> {
    let source = &arguments.source;
    let manifest = if source.is_dir() { Some(manifest_file::find_in(source)?) } else { None };
    let manifest = manifest.or_else(|| source.extension().is_some_and(|is| is == "toml").then(|| source.clone()));
    let Some(manifest) = manifest else { return opened(source).map_err(Problem::App) };
    let builder = Builder { no_build: arguments.no_build, output: arguments.output, console };
    let Packed { bytes, report } = pack::pack(Some(&manifest), environment, &builder)?;
    let needs = pack::settings_in_words(&report);
    Ok(Parcel { app: report.app, version: report.version, digest: report.digest, bytes: bytes.into(), needs })
}

/// Reads a bundle's file, and everything in it.
fn opened(path: &Path) -> anyhow::Result<Parcel> {
    let shown = path.display();
    let cannot = |error: std::io::Error| {
        if error.kind() == ErrorKind::NotFound {
            anyhow!("there is no {shown}; give a bundle as `dacapo pack` writes it, a manifest, or a folder with one")
        } else {
            anyhow!("{shown} cannot be read: {error}")
        }
    };
    let length = fs::metadata(path).map_err(cannot)?.len();
    if length > MAX_BUNDLE_BYTES {
        let error = bundle::BundleError::TooLarge { bytes: length, limit_bytes: MAX_BUNDLE_BYTES };
        return Err(anyhow!("{shown}: {error}"));
    }
    let bytes = fs::read(path).map_err(cannot)?;
    let opened = bundle::read(&bytes, &Limits::default()).map_err(|error| anyhow!("{shown}: {error}"))?;
    let bundle::Bundle { app, version, .. } = opened.bundle;
    Ok(Parcel { app, version, digest: opened.digest, bytes: bytes.into(), needs: String::new() })
}

/// What the host says about a deploy, when it has come to its end.
pub(super) fn broke_off(origin: &str) -> anyhow::Error {
    anyhow!(
        "{origin} broke off before it said what became of the deploy; it serves the old version or the new one, see \
         `dacapo apps list`"
    )
}

/// What a [`phases::Lines`] ends with.
fn answered(status: u16, body: String) -> Answered {
    Answered { status, body }
}
