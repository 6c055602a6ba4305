//! The Rust targets that build commands want, added when the toolchain lacks them.

use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// All WebAssembly targets of Rust begin so.
const TARGET_PREFIX: &str = "wasm32-";

/// Adds the targets that this command line names, for the toolchain that a build in the folder would use. `say` is told before
/// something takes long.
///
/// # Errors
/// One is missing and cannot be added.
pub(super) fn add_missing(command: &str, folder: &Path, say: &dyn Fn(&str)) -> anyhow::Result<()> {
    let wanted = wanted_targets(command);
    if wanted.is_empty() {
        return Ok(());
    }
    // Without a compiler to ask there is nothing to add a target to; the build itself will say what it misses.
    let Some(sysroot) = sysroot(folder) else { return Ok(()) };
    for target in wanted {
        if !sysroot.join("lib/rustlib").join(target).is_dir() {
            say(&format!("Adding the Rust target {target}, which is not installed yet ..."));
            add(target, folder)?;
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

fn add(target: &str, folder: &Path) -> anyhow::Result<()> {
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
