//! Azurite, the emulator of Azure's tools, as its users run it: with its files on disk, saved every few seconds.

use super::load::Target;
use crate::host::{mib, resident_bytes, scratch_folder, target_folder, workspace};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running Azurite.
pub(super) struct Azurite {
    pub(super) target: Target,
    /// Killed when dropped.
    _child: Child,
    _data: TempDir,
}

/// Its main file: that one, or where the end-to-end tests install it, or there after installing it.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(file) = named {
        return Ok(file.to_owned());
    }
    let target = target_folder().map_err(|error| error.to_string())?;
    let folder = target.join("tmp/storage-clients");
    artifacts::node_packages(&workspace().join("tests/end-to-end/clients/storage"), &folder)?;
    Ok(folder.join("node_modules/azurite/dist/src/azurite.js"))
}

impl Azurite {
    /// Starts it on an empty folder. It does not write a line for each request: that would be its terminal's time.
    pub(super) async fn start(file: &Path) -> Result<Azurite> {
        let data = tempfile::tempdir_in(scratch_folder()?)?;
        let mut child = Command::new("node")
            .arg(file)
            .arg("--location")
            .arg(data.path())
            .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry"])
            .args(["--blobPort", "0", "--queuePort", "0", "--tablePort", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run node")?;
        let stdout = child.stdout.take().context("its output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let mut addresses = BTreeMap::new();
        while addresses.len() < 3 {
            let Some(line) = lines.next_line().await? else { bail!("{} ended before it was ready", file.display()) };
            if let (Some((_, address)), Some(service)) =
                (line.split_once("successfully listening at http://"), line.split_whitespace().nth(1))
            {
                addresses.insert(service.to_lowercase(), address.trim().parse::<SocketAddr>()?);
            }
        }
        // It must never wait for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let address = |service: &str| addresses.get(service).copied().with_context(|| format!("no {service} service"));
        let process = child.id().context("Azurite has ended")?;
        let target = Target { process, queue: address("queue")?, table: address("table")? };
        Ok(Azurite { target, _child: child, _data: data })
    }

    /// Its memory, for people.
    pub(super) fn memory(&self) -> Result<String> {
        Ok(mib(resident_bytes(self.target.process)?))
    }
}
