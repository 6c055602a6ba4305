//! Who may depend on whom: the layer table, the owners of big dependencies, and what the pure crates may use.
//!
//! Reads what the crates declare, by `cargo metadata`; the compiler sees to it that nothing undeclared is used.

use cargo_metadata::DependencyKind;

use crate::repository::{Violation, assert_none, root, show};
use crate::rules::{BANNED, CRATES, Layer, MAY_USE, ONLY, OWNERS, TESTS_MAY_USE};

/// One crate and what it declares.
struct Crate {
    name: String,
    /// Of its `Cargo.toml`, from the top of the repository.
    path: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    /// In the registry or the workspace, whatever the crate calls it.
    name: String,
    for_tests: bool,
}

fn check(crates: &[Crate]) -> Vec<Violation> {
    let layer_of = |name: &str| {
        let sample = |found: &&Crate| found.name == name && found.path.starts_with("sample-functions/");
        let listed = CRATES.iter().find(|(listed, _)| *listed == name).map(|(_, layer)| *layer);
        listed.or_else(|| crates.iter().find(sample).map(|_| Layer::Sample))
    };
    let mut violations = Vec::new();
    for krate in crates {
        let Some(layer) = layer_of(&krate.name) else {
            let what = format!("crate `{}` has no layer", krate.name);
            violations.push(Violation::new(&krate.path, 1, what, "add it to CRATES in tests/tidy/src/rules.rs"));
            continue;
        };
        for dependency in &krate.dependencies {
            let broken = match crates.iter().find(|other| other.name == dependency.name) {
                Some(other) => layer_of(&other.name).and_then(|used| edge(krate, layer, dependency, used)),
                None => third_party(krate, dependency),
            };
            violations.extend(broken.map(|(what, next)| Violation::new(&krate.path, 1, what, next)));
        }
    }
    violations
}

type Broken = Option<(String, String)>;

/// A dependency on another crate of the workspace.
fn edge(krate: &Crate, layer: Layer, dependency: &Dependency, used: Layer) -> Broken {
    let allows = |table: &[(Layer, &[Layer])]| table.iter().any(|(from, to)| *from == layer && to.contains(&used));
    if allows(MAY_USE) || (dependency.for_tests && allows(TESTS_MAY_USE)) {
        return None;
    }
    let what = format!("`{}` ({layer:?}) depends on `{}` ({used:?})", krate.name, dependency.name);
    Some((what, "let a port carry what is needed, or wire it in the server".to_owned()))
}

fn third_party(krate: &Crate, dependency: &Dependency) -> Broken {
    let (user, used) = (krate.name.as_str(), dependency.name.as_str());
    if let Some((_, only)) = ONLY.iter().find(|(name, _)| *name == user)
        && !dependency.for_tests
        && !only.contains(&used)
    {
        let what = format!("`{user}` depends on `{used}`, and may use only {}", only.join(", "));
        return Some((what, "do without it, or move the code to a higher layer".to_owned()));
    }
    if let Some((_, owners)) = OWNERS.iter().find(|(name, _)| stands_for(name, used))
        && !owners.contains(&user)
    {
        let what = format!("`{user}` depends on `{used}`, which belongs to {}", owners.join(", "));
        return Some((what, "ask its owner through a port".to_owned()));
    }
    let banned = BANNED.iter().any(|(name, users)| stands_for(name, used) && users.iter().any(|u| stands_for(u, user)));
    banned.then(|| (format!("`{user}` must not know `{used}`"), "do without it, also in tests".to_owned()))
}

fn stands_for(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

fn workspace() -> Vec<Crate> {
    let manifest = root().join("Cargo.toml");
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(&manifest)
        .no_deps()
        .exec()
        .unwrap_or_else(|e| panic!("cargo metadata for {}: {e}", manifest.display()));
    let root = metadata.workspace_root.clone();
    let dependencies = |package: &cargo_metadata::Package| {
        let all = package.dependencies.iter();
        all.map(|d| Dependency { name: d.name.clone(), for_tests: d.kind == DependencyKind::Development }).collect()
    };
    metadata
        .packages
        .iter()
        .map(|package| Crate {
            name: package.name.to_string(),
            path: package.manifest_path.strip_prefix(&root).unwrap_or(&package.manifest_path).to_string(),
            dependencies: dependencies(package),
        })
        .collect()
}

#[test]
fn the_workspace_keeps_its_layers() {
    let crates = workspace();
    for (name, _) in CRATES {
        assert!(crates.iter().any(|krate| krate.name == *name), "`{name}` is in CRATES but not in the workspace");
    }
    assert_none(check(&crates));
}

/// A crate a line: `path: dependency dependency`, with `test:` before those that only its tests use.
fn check_example(example: &str, expected: &expect_test::Expect) {
    let crates: Vec<Crate> = example
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .map(|(folder, uses)| Crate {
            name: folder.rsplit('/').next().unwrap_or(folder).to_owned(),
            path: format!("{folder}/Cargo.toml"),
            dependencies: uses
                .split_whitespace()
                .map(|name| Dependency {
                    name: name.trim_start_matches("test:").to_owned(),
                    for_tests: name.starts_with("test:"),
                })
                .collect(),
        })
        .collect();
    expected.assert_eq(&show(&check(&crates)));
}

#[test]
fn a_wrong_edge_is_found() {
    check_example(
        "host/orchestration: manifest thiserror serde test:tokio test:proptest
         host/manifest: regex rand test:rand
         host/ports: orchestration storage tokio
         host/storage: ports guest fjall test:artifacts test:task-hub
         host/task-hub: dacapo hyper-util
         host/guest: wasmtime-wasi hyper artifacts
         host/dacapo: storage guest clap wasmtime axum
         host/new: ports
         sdk/dacapo-sdk: ports serde
         sdk/dacapo-sdk-macros: test:dacapo-sdk test:orchestration
         sample-functions/trips: dacapo-sdk serde orchestration
         tests/artifacts: fjall smol",
        &expect_test::expect![[r#"
            host/orchestration/Cargo.toml:1: `orchestration` (Pure) depends on `manifest` (Pure); let a port carry what is needed, or wire it in the server
            host/orchestration/Cargo.toml:1: `orchestration` depends on `serde`, and may use only httpdate, serde_json, thiserror, url, uuid; do without it, or move the code to a higher layer
            host/orchestration/Cargo.toml:1: `orchestration` must not know `tokio`; do without it, also in tests
            host/manifest/Cargo.toml:1: `manifest` depends on `rand`, and may use only jiff, regex, serde, serde_json, serde_spanned, thiserror, toml; do without it, or move the code to a higher layer
            host/ports/Cargo.toml:1: `ports` (Ports) depends on `storage` (Sibling); let a port carry what is needed, or wire it in the server
            host/ports/Cargo.toml:1: `ports` must not know `tokio`; do without it, also in tests
            host/storage/Cargo.toml:1: `storage` (Sibling) depends on `guest` (Sibling); let a port carry what is needed, or wire it in the server
            host/storage/Cargo.toml:1: `storage` (Sibling) depends on `task-hub` (Sibling); let a port carry what is needed, or wire it in the server
            host/task-hub/Cargo.toml:1: `task-hub` (Sibling) depends on `dacapo` (Server); let a port carry what is needed, or wire it in the server
            host/task-hub/Cargo.toml:1: `task-hub` depends on `hyper-util`, which belongs to guest, triggers, dacapo, bench; ask its owner through a port
            host/guest/Cargo.toml:1: `guest` (Sibling) depends on `artifacts` (Test); let a port carry what is needed, or wire it in the server
            host/dacapo/Cargo.toml:1: `dacapo` depends on `wasmtime`, which belongs to guest; ask its owner through a port
            host/new/Cargo.toml:1: crate `new` has no layer; add it to CRATES in tests/tidy/src/rules.rs
            sdk/dacapo-sdk/Cargo.toml:1: `dacapo-sdk` (Sdk) depends on `ports` (Ports); let a port carry what is needed, or wire it in the server
            sdk/dacapo-sdk-macros/Cargo.toml:1: `dacapo-sdk-macros` (SdkMacros) depends on `orchestration` (Pure); let a port carry what is needed, or wire it in the server
            sample-functions/trips/Cargo.toml:1: `trips` (Sample) depends on `orchestration` (Pure); let a port carry what is needed, or wire it in the server
            tests/artifacts/Cargo.toml:1: `artifacts` depends on `fjall`, which belongs to storage; ask its owner through a port
            tests/artifacts/Cargo.toml:1: `artifacts` must not know `smol`; do without it, also in tests
        "#]],
    );
}
