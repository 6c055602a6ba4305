//! JavaScript packages, installed by npm as a list of them says.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

/// Files that packages are installed by.
const PACKAGES: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs the packages that `source` lists into `folder`, anew whenever the list changes. One process at a time does; others
/// wait for it.
///
/// # Errors
/// npm is missing, cannot reach its registry, or the folder cannot be written; says what to do.
pub fn node_packages(source: &Path, folder: &Path) -> Result<(), String> {
    let unwritable = |error: io::Error| format!("{} cannot be written: {error}", folder.display());
    fs::create_dir_all(folder).map_err(unwritable)?;
    let lock = File::create(folder.with_extension("lock")).map_err(unwritable)?;
    lock.lock().map_err(unwritable)?;
    let read = |folder: &Path, name: &str| fs::read(folder.join(name)).ok();
    let installed = folder.join("installed");
    if installed.exists() && PACKAGES.iter().all(|name| read(folder, name) == read(source, name)) {
        return Ok(());
    }
    // What is half installed counts as not installed.
    drop(fs::remove_file(&installed));
    for name in PACKAGES {
        fs::copy(source.join(name), folder.join(name)).map_err(unwritable)?;
    }
    install(folder)?;
    fs::write(&installed, "").map_err(unwritable)
}

fn install(folder: &Path) -> Result<(), String> {
    const REMEDY: &str = "Node.js 20 or later with npm, and access to the npm registry, are needed: on Debian or Ubuntu, \
                          `apt-get install nodejs npm`";
    let mut command = Command::new("npm");
    command.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]).current_dir(folder);
    let output = command.output().map_err(|error| format!("{command:?}: {error}. {REMEDY}"))?;
    if output.status.success() {
        return Ok(());
    }
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("{command:?}: {}. {REMEDY}\n{printed}", output.status))
}
