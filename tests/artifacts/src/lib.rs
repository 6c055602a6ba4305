//! Builds what tests and measurements run: guests as components, and the host's binary. Each at most once per process.
//! [`node_packages`] installs what of it is written in JavaScript.
//!
//! Building is left to cargo, which knows what is up to date and keeps several test binaries from building the same thing
//! at the same time. A build that fails fails the test, with the compiler's messages.

mod node;

pub use node::node_packages;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// What guests are compiled for.
const GUEST_TARGET: &str = "wasm32-wasip2";

/// The component made of a crate of this workspace, such as `conference-booking`.
///
/// # Panics
/// When the crate cannot be built.
pub fn guest(crate_name: &str) -> PathBuf {
    once(format!("guest {crate_name}"), || {
        add_guest_target();
        let arguments = ["-p", crate_name, "--profile", "guest", "--target", GUEST_TARGET];
        built(&arguments, |file| file.extension().is_some_and(|extension| extension == "wasm"))
    })
}

/// The host's binary, `dacapo`, as shipped. (Tests of the package `dacapo` get theirs from cargo.)
///
/// # Panics
/// When it cannot be built.
pub fn host_binary() -> PathBuf {
    once("host".to_owned(), || {
        let is_binary = |file: &Path| file.file_stem().is_some_and(|stem| stem == "dacapo") && is_executable(file);
        built(&["-p", "dacapo", "--bin", "dacapo", "--release"], is_binary)
    })
}

fn is_executable(file: &Path) -> bool {
    file.extension().map_or("", |extension| extension.to_str().unwrap_or("?")) == std::env::consts::EXE_EXTENSION
}

/// Holding the lock over the build makes other tests of this process wait for it.
fn once(what: String, build: impl FnOnce() -> PathBuf) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(what).or_insert_with(build).clone()
}

/// Runs `cargo build` and answers the file that it says it made, wherever the target folder is.
fn built(arguments: &[&str], wanted: impl Fn(&Path) -> bool) -> PathBuf {
    let mut command = Command::new(cargo());
    command
        .args(["build", "--message-format", "json-render-diagnostics"])
        .args(arguments)
        .current_dir(workspace())
        .stderr(Stdio::inherit());
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(output.status.success(), "{command:?} failed: {}", output.status);
    let messages = String::from_utf8_lossy(&output.stdout);
    let files =
        messages.lines().filter_map(|line| serde_json::from_str(line).ok()).flat_map(|message| made_files(&message));
    // The last one: dependencies are made before what depends on them.
    let file = files.filter(|file| wanted(file)).last();
    file.unwrap_or_else(|| panic!("{command:?} made no such file"))
}

fn made_files(message: &serde_json::Value) -> Vec<PathBuf> {
    if message["reason"] != "compiler-artifact" {
        return Vec::new();
    }
    let files = message["filenames"].as_array().cloned().unwrap_or_default();
    files.iter().filter_map(|file| file.as_str().map(PathBuf::from)).collect()
}

/// Adds the target where it is missing, so that a fresh checkout's tests run.
fn add_guest_target() {
    let mut print = Command::new("rustc");
    print.args(["--print", "target-libdir", "--target", GUEST_TARGET]).current_dir(workspace());
    let printed = print.output().unwrap_or_else(|error| panic!("cannot run {print:?}: {error}"));
    let folder = PathBuf::from(String::from_utf8_lossy(&printed.stdout).trim());
    if printed.status.success() && folder.is_dir() {
        return;
    }
    announce(&format!("the target {GUEST_TARGET} is missing; adding it with `rustup target add {GUEST_TARGET}`"));
    let mut add = Command::new("rustup");
    add.args(["target", "add", GUEST_TARGET]).current_dir(workspace());
    let status = add.status().unwrap_or_else(|error| panic!("cannot run {add:?}: {error}; install the target by hand"));
    assert!(status.success(), "{add:?} failed: {status}; guests need that target");
}

#[expect(clippy::print_stderr, reason = "tests have no other place to say why they take long")]
fn announce(text: &str) {
    eprintln!("{text}");
}

/// The cargo that runs this test, if one does.
#[expect(clippy::disallowed_methods, reason = "cargo tells its children by this variable alone")]
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
