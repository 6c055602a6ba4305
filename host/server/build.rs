//! Packs the sources of the SDK for `dacapo init`, which writes them into projects: the SDK is not on crates.io.
//!
//! Owns which files go along, and the workspace that they stand in over there, made of this repository's own so that versions,
//! lints and package fields cannot drift. Where they are written is up to `commands::init`.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};
use toml_edit::{Array, DocumentMut, Item, Table, Value};

/// From the top of the repository; their paths stay as they are, because the crates refer to each other and to `sdk/wit` by them.
const CRATES: [&str; 2] = ["sdk/rust/dacapo-sdk", "sdk/rust/dacapo-sdk-macros"];
const WIT: &str = "sdk/wit";
/// Whoever passes the sources on passes the licences on; and `cargo fmt --all` in a project leaves the sources as they are.
const BESIDE: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", ".rustfmt.toml"];
/// Tests stay here, and so does what only they need.
const TESTS: [&str; 2] = ["tests", "tests.rs"];
const TEST_MODULE: &str = "#[cfg(test)]\nmod tests;\n";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo says no OUT_DIR")?);
    rerun_if_changed(&root);
    let manifest: DocumentMut = fs::read_to_string(root.join("Cargo.toml"))?.parse()?;

    let mut files = vec![("Cargo.toml".to_owned(), workspace(&root, &manifest)?)];
    for name in BESIDE {
        files.push((name.to_owned(), fs::read_to_string(root.join(name))?));
    }
    for folder in CRATES.iter().chain([&WIT]) {
        collect(&root, folder, &mut files)?;
    }
    files.sort();
    write(&out, &files)?;
    fs::write(out.join("profile.toml"), profile(&manifest)?)?;
    Ok(())
}

fn rerun_if_changed(root: &Path) {
    for path in ["Cargo.toml", "sdk"].iter().chain(&BESIDE) {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
}

/// All files of a folder but the tests, with their paths from the top of the repository.
fn collect(root: &Path, folder: &str, files: &mut Vec<(String, String)>) -> Outcome<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name =
            entry.file_name().into_string().map_err(|name| format!("{folder}: {} is not Unicode", name.display()))?;
        let path = format!("{folder}/{name}");
        if TESTS.contains(&name.as_str()) || name.starts_with('.') || name == "target" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let text = fs::read_to_string(entry.path())?;
        let text = match name.as_str() {
            "Cargo.toml" => without_dev_dependencies(&text)?,
            _ => text.replace(TEST_MODULE, ""),
        };
        files.push((path, text));
    }
    Ok(())
}

fn without_dev_dependencies(text: &str) -> Outcome<String> {
    let mut manifest: DocumentMut = text.parse()?;
    manifest.remove("dev-dependencies");
    Ok(manifest.to_string())
}

/// The manifest that the crates inherit from, with nothing in it that they do not need.
fn workspace(root: &Path, ours: &DocumentMut) -> Outcome<String> {
    let mut needed = Vec::new();
    for folder in CRATES {
        let manifest: DocumentMut = fs::read_to_string(root.join(folder).join("Cargo.toml"))?.parse()?;
        let dependencies = manifest.get("dependencies").and_then(Item::as_table_like).ok_or("no dependencies")?;
        needed.extend(dependencies.iter().map(|(name, _)| name.to_owned()));
    }
    let ours = ours.get("workspace").and_then(Item::as_table).ok_or("no workspace")?;
    let mut theirs = Table::new();
    theirs.insert("resolver", part(ours, "resolver")?);
    theirs.insert("members", Item::Value(Value::Array(Array::from_iter(CRATES))));
    theirs.insert("package", part(ours, "package")?);
    let all = part(ours, "dependencies")?;
    let mut dependencies = Table::new();
    needed.sort();
    needed.dedup();
    for name in needed {
        let found = all.get(&name).ok_or_else(|| format!("workspace.dependencies has no {name}"))?;
        dependencies.insert(&name, found.clone());
    }
    theirs.insert("dependencies", Item::Table(dependencies));
    theirs.insert("lints", part(ours, "lints")?);
    let mut document = DocumentMut::new();
    document.insert("workspace", Item::Table(theirs));
    let head = format!(
        "# The SDK of Dacapo {}, as `dacapo init` wrote it; `dacapo init --sdk-only` writes the one of another dacapo.\n",
        env!("CARGO_PKG_VERSION")
    );
    Ok(head + &document.to_string())
}

fn part(table: &Table, key: &str) -> Outcome<Item> {
    Ok(table.get(key).ok_or_else(|| format!("the workspace has no {key}"))?.clone())
}

/// How projects build their components: as this repository builds its guests.
fn profile(ours: &DocumentMut) -> Outcome<String> {
    let guest = ours.get("profile").and_then(|profiles| profiles.get("guest")).and_then(Item::as_table);
    let mut text = "[profile.release]\n".to_owned();
    for (key, value) in guest.ok_or("no profile.guest")?.iter().filter(|(key, _)| *key != "inherits") {
        let value = value.as_value().ok_or_else(|| format!("profile.guest.{key} is no value"))?;
        writeln!(text, "{key} = {}", value.to_string().trim())?;
    }
    Ok(text)
}

/// The files, and an expression with all their paths and texts.
fn write(out: &Path, files: &[(String, String)]) -> Outcome<()> {
    let folder = out.join("sdk-sources");
    let mut expression = "&[\n".to_owned();
    for (path, text) in files {
        let copy = folder.join(path);
        fs::create_dir_all(copy.parent().ok_or("a path without a folder")?)?;
        fs::write(&copy, text)?;
        writeln!(expression, "    ({path:?}, include_str!({:?})),", copy.display().to_string())?;
    }
    expression.push_str("]\n");
    fs::write(out.join("sdk_sources.rs"), expression)?;
    Ok(())
}
