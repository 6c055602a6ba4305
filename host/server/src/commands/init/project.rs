//! The files of a new project, as texts: nothing here touches a disk.

use std::borrow::Cow;
use toml_edit::Value;

use super::app_name::AppName;
use super::sdk::{SOURCES, Sdk, VENDORED};
use crate::commands::new::Extended;
use crate::file_writer::Readers;
use crate::settings::LOCAL_SETTINGS_FILE;

/// How this repository builds its guests.
const PROFILE: &str = include_str!(concat!(env!("OUT_DIR"), "/profile.toml"));

pub(super) const LIB: &str = "src/lib.rs";

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// From the project's folder, with forward slashes.
    pub(super) path: String,
    pub(super) text: Cow<'static, str>,
    pub(super) readers: Readers,
    pub(super) if_there: IfThere,
}

/// What becomes of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IfThere {
    /// It is in the way, unless somebody forces it.
    Clash,
    /// It stays as it is: it has what no project could know.
    Keep,
    /// It gets the lines that it does not have.
    AddLines,
}

/// The files without any function: `(manifest, src/lib.rs)`.
pub(super) fn empty(app: &AppName, sdk: &Sdk) -> (String, String) {
    let name = app.as_str();
    let library = app.file_stem();
    let sdk = match sdk {
        Sdk::Vendored => ", \"vendor/**/*.rs\"",
        Sdk::Elsewhere(_) => "",
    };
    let manifest = format!(
        r#"# The functions of the app {name}, and what starts them. `dacapo new` adds one; README.md has more.
[app]
name = "{name}"
version = "0.1.0"

[components.{name}]
source = "target/wasm32-wasip2/release/{library}.wasm"
[components.{name}.build]
command = "cargo build --release --target wasm32-wasip2 --target-dir target"
watch = ["src/**/*.rs", "Cargo.toml", "Cargo.lock"{sdk}]
"#
    );
    (manifest, format!("//! The functions of the app {name}: a module each, with its tests.\n"))
}

/// All files of the project.
pub(super) fn files(app: &AppName, sdk: &Sdk, texts: (String, String), function: Option<&Extended>) -> Vec<File> {
    let (manifest, lib) = texts;
    let ours = |path: String, text: String| File {
        path,
        text: text.into(),
        readers: Readers::Everybody,
        if_there: IfThere::Clash,
    };
    let mut files = vec![
        File { if_there: IfThere::AddLines, ..ours(".gitignore".to_owned(), gitignore()) },
        ours("Cargo.toml".to_owned(), cargo_toml(app, sdk)),
        File { if_there: IfThere::Keep, ..ours("README.md".to_owned(), readme(app, sdk, function)) },
        File {
            if_there: IfThere::Keep,
            readers: Readers::Owner,
            ..ours(LOCAL_SETTINGS_FILE.to_owned(), local_settings(app))
        },
    ];
    if let Some(function) = function {
        files.push(ours(function.source.clone(), function.source_text.clone()));
    }
    files.push(ours(LIB.to_owned(), lib));
    // Last: what refers to all the others.
    files.push(ours(app.manifest(), manifest));
    match sdk {
        Sdk::Vendored => sdk_files().into_iter().chain(files).collect(),
        Sdk::Elsewhere(_) => files,
    }
}

/// The SDK's sources within a project.
pub(super) fn sdk_files() -> Vec<File> {
    let file = |(path, text): &(&str, &'static str)| File {
        path: format!("{VENDORED}/{path}"),
        text: Cow::Borrowed(text),
        readers: Readers::Everybody,
        if_there: IfThere::Clash,
    };
    SOURCES.iter().map(file).collect()
}

fn cargo_toml(app: &AppName, sdk: &Sdk) -> String {
    let package = app.package();
    let path = Value::from(sdk.path());
    let rust_version = env!("CARGO_PKG_RUST_VERSION");
    let workspace = match sdk {
        Sdk::Vendored => {
            "# A workspace of its own, whatever folder it is in; and so are the SDK's sources.\n[workspace]\nexclude = [\"vendor\"]"
        }
        Sdk::Elsewhere(_) => "# A workspace of its own, whatever folder it is in.\n[workspace]",
    };
    format!(
        r#"[package]
name = "{package}"
version = "0.1.0"
edition = "2024"
rust-version = "{rust_version}"
publish = false

{workspace}

[lib]
crate-type = ["cdylib"]

[dependencies]
dacapo-sdk = {{ path = {path} }}
serde = {{ version = "1", features = ["derive"] }}

# A small and fast component.
{PROFILE}"#
    )
}

fn gitignore() -> String {
    format!("/target/\n.dacapo/\n{LOCAL_SETTINGS_FILE}\n")
}

fn local_settings(app: &AppName) -> String {
    let manifest = app.manifest();
    format!(
        r#"# Settings of the app on this machine. Functions find them in their environment; the manifest can name them as %NAME%.
# They may be secrets: .gitignore keeps this file out of version control, and it is never part of what is deployed.
# `dacapo settings add {manifest} NAME VALUE` writes here too, and `dacapo settings {manifest}` shows what is missing.

[values]
# GREETING = "Hello"

[host]
# Web pages of these origins may call the functions.
# cors = "http://localhost:3000"
"#
    )
}

fn readme(app: &AppName, sdk: &Sdk, function: Option<&Extended>) -> String {
    let name = app.as_str();
    let manifest = app.manifest();
    let version = env!("CARGO_PKG_VERSION");
    let rust_version = env!("CARGO_PKG_RUST_VERSION");
    let try_it = function.map_or(String::new(), |function| {
        let lines = function.try_it.iter().map(|line| format!("{line}\n"));
        format!("\nThen:\n\n```sh\n{}```\n", lines.collect::<String>())
    });
    let sdk = match sdk {
        Sdk::Vendored => format!(
            "The SDK, `dacapo-sdk`, is not on crates.io. Its sources are in `{VENDORED}`, as dacapo {version} brought them; they\n\
             belong to the project, so commit them. After an update of dacapo, `dacapo init --sdk-only` brings those of its version."
        ),
        Sdk::Elsewhere(path) => format!(
            "The SDK, `dacapo-sdk`, is not on crates.io. `Cargo.toml` takes it from `{path}`, which is\n\
             on this machine alone; `dacapo init --force` without `--sdk` brings its sources into the project."
        ),
    };
    format!(
        r#"# {name}

A function app for Dacapo. It needs Rust {rust_version} or later, with `rustup target add wasm32-wasip2`.

```sh
cargo test      # natively: no WebAssembly, no host, no waiting
dacapo start    # builds the component and serves it on http://localhost:7071, and again after each change
```
{try_it}
`{manifest}` says what starts which function, `{LIB}` lists their modules, `{LOCAL_SETTINGS_FILE}` has settings for this machine
alone. `dacapo new` adds functions.

{sdk}
"#
    )
}
