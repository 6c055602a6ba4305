//! Building the guests: before an app starts, each component's build command runs where the manifest says.
//!
//! The Rust target for WebAssembly is added when a command wants it and the toolchain lacks it, so that a new machine needs no
//! instructions. Loading what was built is left to the guest runtime.

use anyhow::{Context, anyhow, bail};
use manifest::{App, Build};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::console::Console;
use crate::exit::Problem;

/// All WebAssembly targets of Rust begin so.
const TARGET_PREFIX: &str = "wasm32-";

/// Would send what Cargo builds elsewhere than the manifest's `source` says: whoever starts the host may have it set for
/// reasons of their own.
const REDIRECTION: &str = "CARGO_TARGET_DIR";

/// Runs the build command of every component that has one, in the order of their names. Says how long it took; none if there
/// was nothing to build.
///
/// # Errors
/// A build fails, or a Rust target is missing and cannot be added.
pub(crate) fn build(app: &App, manifest_folder: &Path, console: &Console) -> Result<Option<Duration>, Problem> {
    let stopwatch = Stopwatch::start();
    let mut built = BTreeSet::new();
    for (name, component) in &app.components {
        let Some(build) = &component.build else { continue };
        let folder = match &build.workdir {
            Some(workdir) => manifest_folder.join(workdir),
            None => manifest_folder.to_owned(),
        };
        // Components that come out of one build share its command.
        if built.insert((folder.clone(), build.command.as_str())) {
            add_missing_targets(build, &folder, console)?;
            console.progress(&format!("Building {name} ..."));
            run(name, build, &folder)?;
        }
    }
    Ok(if built.is_empty() { None } else { Some(stopwatch.elapsed()) })
}

fn run(component: &str, build: &Build, folder: &Path) -> Result<(), Problem> {
    if !folder.is_dir() {
        let what = anyhow!(
            "component '{component}' cannot be built: there is no folder {}; correct components.{component}.build.workdir",
            folder.display()
        );
        return Err(Problem::App(what));
    }
    let status = shell(&build.command)
        .current_dir(folder)
        .env_remove(REDIRECTION)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("the shell that builds component '{component}' cannot be started"))?;
    if status.success() {
        return Ok(());
    }
    Err(Problem::App(anyhow!(
        "component '{component}' was not built: `{}` in {} ended with {status}; \
         correct what it says above, or start with --no-build to run the component as it is",
        build.command,
        folder.display()
    )))
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]);
    shell
}

fn add_missing_targets(build: &Build, folder: &Path, console: &Console) -> Result<(), Problem> {
    let wanted = wanted_targets(&build.command);
    if wanted.is_empty() {
        return Ok(());
    }
    // Without a compiler to ask there is nothing to add a target to; the build itself will say what it misses.
    let Some(sysroot) = sysroot(folder) else { return Ok(()) };
    for target in wanted {
        if !sysroot.join("lib/rustlib").join(target).is_dir() {
            console.progress(&format!("Adding the Rust target {target}, which is not installed yet ..."));
            add_target(target, folder)?;
        }
    }
    Ok(())
}

/// The Rust targets that a command line names.
pub(crate) fn wanted_targets(command: &str) -> BTreeSet<&str> {
    let is_part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    command
        .split(|c| !is_part_of_name(c))
        .filter(|word| word.starts_with(TARGET_PREFIX) && word.len() > TARGET_PREFIX.len())
        .collect()
}

/// Where the compiler that a build in this folder would use keeps its targets.
fn sysroot(folder: &Path) -> Option<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).current_dir(folder).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(path.trim_end()))
}

fn add_target(target: &str, folder: &Path) -> anyhow::Result<()> {
    let status = Command::new("rustup")
        .args(["target", "add", target])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!(
            "`rustup target add {target}` ended with {status}; the guests are compiled for this target, \
             so correct what it says above, or start with --no-build"
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "the Rust target {target} is not installed, and there is no rustup to add it; install Rust from \
             https://rustup.rs, or add the target in the way of your distribution (often a package named libstd-rust-dev-wasm32)"
        ),
        Err(error) => Err(error).context("rustup cannot be started"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: &str, expected: &[&str]) {
        assert_eq!(wanted_targets(command).into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn targets_are_found_in_command_lines() {
        check("cargo build --release --target wasm32-wasip2 -p booking", &["wasm32-wasip2"]);
        check("cargo build --target=wasm32-wasip2", &["wasm32-wasip2"]);
        check(
            "cd a && cargo build --target 'wasm32-wasip1'; cargo build --target wasm32-wasip2",
            &["wasm32-wasip1", "wasm32-wasip2"],
        );
        check("cp target/wasm32-wasip2/release/a.wasm .", &["wasm32-wasip2"]);
        check("make wasm", &[]);
        check("echo wasm32-", &[]);
    }
}
