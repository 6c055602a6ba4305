//! The sample apps of this repository, ready to be started: their guests built, their manifests pointing at them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A sample app and the crates that its components are made of.
struct Sample {
    name: &'static str,
    crates: &'static [&'static str],
}

const SAMPLES: [Sample; 2] = [
    Sample { name: "conference-booking", crates: &["conference-booking"] },
    Sample { name: "hello", crates: &["hello-http", "hello-wasi-http"] },
];

/// Where manifests say that guests are.
const SOURCE_FOLDER: &str = "../target/wasm32-wasip2/guest/";

/// The manifest of a sample whose components are built, wherever cargo puts them. It stands in a folder of its own below the
/// target folder, which also keeps the compiled guests from run to run.
pub(crate) fn manifest(name: &str) -> PathBuf {
    static MADE: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(name.to_owned()).or_insert_with(|| make(name)).clone()
}

/// The manifest as it stands in the repository.
pub(crate) fn repository_manifest(name: &str) -> PathBuf {
    repository_file("function-manifests").join(name).with_extension("toml")
}

/// A file of this repository.
pub(crate) fn repository_file(path: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate stands two folders below the top").join(path)
}

fn make(name: &str) -> PathBuf {
    let sample = SAMPLES.iter().find(|sample| sample.name == name).expect("the name of a sample");
    let mut guests = sample.crates.iter().map(|name| artifacts::guest(name));
    let guest = guests.next().expect("every sample has a component");
    guests.for_each(drop);
    let guest_folder = guest.parent().expect("a file is in a folder");
    let text = std::fs::read_to_string(repository_manifest(name)).expect("the sample has a manifest");
    assert!(text.contains(SOURCE_FOLDER), "{name}: components are not in {SOURCE_FOLDER}");
    let text = text.replace(SOURCE_FOLDER, &format!("{}/", guest_folder.display()));
    // <target>/wasm32-wasip2/guest
    let folder = guest_folder.ancestors().nth(2).expect("cargo nests its folders").join("end-to-end");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let manifest = folder.join(name).with_extension("toml");
    std::fs::write(&manifest, text).expect("the target folder can be written");
    manifest
}
