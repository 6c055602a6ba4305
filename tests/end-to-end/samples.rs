//! The apps that are tested, ready to be started: their guests built, their manifests pointing at them. Most are the samples of
//! this repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// An app and the crates that its components are made of.
struct Sample {
    name: &'static str,
    /// Where its manifest is.
    folder: &'static str,
    crates: &'static [&'static str],
}

const SAMPLES: [Sample; 5] = [
    Sample { name: "conference-booking", folder: "function-manifests", crates: &["conference-booking"] },
    Sample { name: "durable-model", folder: "function-manifests", crates: &["durable-model"] },
    Sample { name: "hello", folder: "function-manifests", crates: &["hello-http", "hello-wasi-http"] },
    Sample { name: "odd-jobs", folder: "tests/end-to-end/guests", crates: &["odd-jobs"] },
    Sample { name: "trips-by-queue", folder: "function-manifests", crates: &["trips-by-queue"] },
];

/// Where cargo puts guests, below the top of the repository if nobody says otherwise.
const SOURCE_FOLDER: &str = "target/wasm32-wasip2/guest/";

/// The section that [`variant`] adds to.
const DURABLE_TASK: &str = "[host.durableTask]\n";

/// The manifest of a sample whose components are built, wherever cargo puts them. It stands in a folder of its own below the
/// target folder, which also keeps the compiled guests from run to run.
pub(crate) fn manifest(name: &str) -> PathBuf {
    static MADE: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(name.to_owned()).or_insert_with(|| make(name)).clone()
}

/// The same app with other settings: `lines` are added to the section `[host.durableTask]`. Each variant of an app has a name
/// of its own, and one test that uses it.
pub(crate) fn variant(name: &str, variant: &str, lines: &str) -> PathBuf {
    let manifest = manifest(name);
    let mut text = std::fs::read_to_string(&manifest).expect("it was just written");
    if !text.contains(DURABLE_TASK) {
        text = format!("{text}\n{DURABLE_TASK}");
    }
    let text = text.replacen(DURABLE_TASK, &format!("{DURABLE_TASK}{lines}\n"), 1);
    let file = manifest.with_file_name(format!("{name}-{variant}.toml"));
    std::fs::write(&file, text).expect("the target folder can be written");
    file
}

/// An app of the queue and timer functions for tests, with these functions and sections. Each has a name and one test that uses it.
pub(crate) fn queue_jobs(name: &str, functions: &str) -> PathBuf {
    let guest = artifacts::guest("queue-jobs");
    let source = guest.display();
    let file = folder_beside(&guest).join(name).with_extension("toml");
    let text = format!(
        "[app]\nname = \"{name}\"\nversion = \"1.0.0\"\n[components.jobs]\nsource = \"{source}\"\n{functions}\n"
    );
    std::fs::write(&file, text).expect("the target folder can be written");
    file
}

/// The manifest as it stands in the repository.
pub(crate) fn repository_manifest(name: &str) -> PathBuf {
    let sample = find(name);
    repository_file(sample.folder).join(name).with_extension("toml")
}

fn find(name: &str) -> &'static Sample {
    SAMPLES.iter().find(|sample| sample.name == name).expect("the name of a sample")
}

/// A file of this repository.
pub(crate) fn repository_file(path: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate stands two folders below the top").join(path)
}

fn make(name: &str) -> PathBuf {
    let sample = find(name);
    let mut guests = sample.crates.iter().map(|name| artifacts::guest(name));
    let guest = guests.next().expect("every sample has a component");
    guests.for_each(drop);
    let guest_folder = guest.parent().expect("a file is in a folder");
    let text = std::fs::read_to_string(repository_manifest(name)).expect("the sample has a manifest");
    let to_top = "../".repeat(Path::new(sample.folder).components().count());
    let source_folder = format!("\"{to_top}{SOURCE_FOLDER}");
    assert!(text.contains(&source_folder), "{name}: components are not in {source_folder}");
    let text = text.replace(&source_folder, &format!("\"{}/", guest_folder.display()));
    let manifest = folder_beside(&guest).join(name).with_extension("toml");
    std::fs::write(&manifest, text).expect("the target folder can be written");
    manifest
}

/// Where manifests stand that use this guest.
fn folder_beside(guest: &Path) -> PathBuf {
    // <target>/wasm32-wasip2/guest/<file>
    let folder = guest.ancestors().nth(3).expect("cargo nests its folders").join("end-to-end");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}
