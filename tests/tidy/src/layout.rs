//! What stands where: the top of the repository, and samples that some manifest runs.

use std::collections::BTreeSet;

use crate::repository::{File, Violation, assert_none, files, root, show};
use crate::rules::{GENERATED_FOLDERS, TOP_LEVEL};

fn check_top(names: &[String]) -> Vec<Violation> {
    let unexpected = names.iter().filter(|name| {
        let allowed = TOP_LEVEL.contains(&name.as_str()) || GENERATED_FOLDERS.contains(&name.as_str());
        !allowed && !name.starts_with('.')
    });
    let next = "move it into host, sdk, sample-functions, function-manifests or tests, or make it a dot-file";
    unexpected.map(|name| Violation::new(name, 1, "does not belong at the top of the repository", next)).collect()
}

/// A sample that no manifest runs is dead: nobody would notice when it breaks.
fn check_samples(files: &[File]) -> Vec<Violation> {
    let samples: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix("sample-functions/")?.split_once('/').map(|(sample, _)| sample))
        .collect();
    let manifests: Vec<&File> = files
        .iter()
        .filter(|file| file.path.starts_with("function-manifests/") && file.path.ends_with(".toml"))
        .collect();
    let dead =
        samples.into_iter().filter(|sample| !manifests.iter().any(|manifest| names_sample(&manifest.text, sample)));
    dead.map(|sample| {
        let path = format!("sample-functions/{sample}");
        let next = format!("add function-manifests/{sample}.toml, or name its component in another manifest");
        Violation::new(&path, 1, "no manifest in function-manifests runs this sample", next)
    })
    .collect()
}

/// Whether a line other than a comment has the sample's name as a word, as a crate or as a file.
fn names_sample(manifest: &str, sample: &str) -> bool {
    let as_file = sample.replace('-', "_");
    let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let code = manifest.lines().filter(|line| !line.trim_start().starts_with('#'));
    code.flat_map(|line| line.split(|c| !is_word(c))).any(|word| word == sample || word == as_file)
}

#[test]
fn the_top_of_the_repository_is_as_agreed() {
    let entries = std::fs::read_dir(root()).expect("the top of the repository can be read");
    let names: Vec<String> =
        entries.map(|entry| entry.expect("and its entries").file_name().to_string_lossy().into_owned()).collect();
    for needed in ["Cargo.toml", "host", "tests"] {
        assert!(names.iter().any(|name| name == needed), "{needed} is not at the top: looking in the wrong place?");
    }
    assert_none(check_top(&names));
}

#[test]
fn every_sample_is_run_by_a_manifest() {
    assert_none(check_samples(&files()));
}

#[test]
fn a_stray_file_is_found() {
    let names = ["Cargo.toml", ".ci", "target", "host", "notes.md", "src"].map(str::to_owned);
    expect_test::expect![[r#"
        notes.md:1: does not belong at the top of the repository; move it into host, sdk, sample-functions, function-manifests or tests, or make it a dot-file
        src:1: does not belong at the top of the repository; move it into host, sdk, sample-functions, function-manifests or tests, or make it a dot-file
    "#]]
    .assert_eq(&show(&check_top(&names)));
}

#[test]
fn a_dead_sample_is_found() {
    let example = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    let files = [
        example("sample-functions/hello-http/src/lib.rs", ""),
        example("sample-functions/hello/Cargo.toml", ""),
        example("sample-functions/trips/Cargo.toml", ""),
        example("sample-functions/README.md", "hello"),
        example("function-manifests/all.toml", "# hello\nsource = \"../target/hello_http.wasm\"\n"),
        example("function-manifests/trips.toml", "command = \"cargo build -p trips\"\n"),
        example("function-manifests/notes.md", "hello"),
    ];
    expect_test::expect![[r#"
        sample-functions/hello:1: no manifest in function-manifests runs this sample; add function-manifests/hello.toml, or name its component in another manifest
    "#]]
    .assert_eq(&show(&check_samples(&files)));
}
