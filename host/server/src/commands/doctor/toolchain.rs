//! Whether guests can be built here: cargo, and the Rust targets that the components' build commands name.

use manifest::{App, Build};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Finding;
use crate::guests;

const SUBJECT: &str = "toolchain";

/// What a guest in Rust is compiled for, where no build command says so.
const USUAL_TARGET: &str = "wasm32-wasip2";

const INSTALL: &str = "install Rust from https://rustup.rs";

/// Without an app: whether guests in Rust could be built.
pub(super) fn look(findings: &mut Vec<Finding>) {
    let facts = Toolchain::ask(Path::new("."), BTreeSet::from([USUAL_TARGET]));
    findings.extend(judge(&facts, None));
}

/// Whether the components of an app can be built that are built with cargo.
pub(super) fn look_for(app: &App, folder: &Path, findings: &mut Vec<Finding>) {
    let builds = app.components.iter().filter_map(|(name, component)| Some((name, component.build.as_ref()?)));
    let with_cargo: Vec<(&String, &Build)> = builds.filter(|(_, build)| runs_cargo(&build.command)).collect();
    let Some((first, build)) = with_cargo.first() else { return };
    let targets = with_cargo.iter().flat_map(|(_, build)| guests::wanted_targets(&build.command)).collect();
    let workdir = build.workdir.as_ref().map_or_else(|| folder.to_owned(), |workdir| folder.join(workdir));
    findings.extend(judge(&Toolchain::ask(&workdir, targets), Some(first)));
}

/// Whether a word of the command line is cargo.
fn runs_cargo(command: &str) -> bool {
    command.split(|c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')')).any(|word| word == "cargo")
}

/// What is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// What `cargo --version` answers.
    pub(super) cargo: Option<String>,
    /// Whether targets can be added with rustup.
    pub(super) has_rustup: bool,
    /// The targets that are wanted, and whether they are there; none if the compiler does not tell.
    pub(super) targets: Vec<(String, Option<bool>)>,
}

impl Toolchain {
    fn ask(folder: &Path, wanted: BTreeSet<&str>) -> Toolchain {
        let sysroot = answer("rustc", &["--print", "sysroot"], folder).map(PathBuf::from);
        let is_there = |target: &str| Some(sysroot.as_ref()?.join("lib/rustlib").join(target).is_dir());
        Toolchain {
            cargo: answer("cargo", &["--version"], folder),
            has_rustup: answer("rustup", &["--version"], folder).is_some(),
            targets: wanted.into_iter().map(|target| (target.to_owned(), is_there(target))).collect(),
        }
    }
}

/// What a tool prints; none if it is not there or fails.
fn answer(tool: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let output = Command::new(tool)
        .args(arguments)
        .current_dir(folder)
        // A look must not install the toolchain that a folder asks for.
        .env("RUSTUP_AUTO_INSTALL", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// `needed_by`: a component that is built with cargo.
pub(super) fn judge(toolchain: &Toolchain, needed_by: Option<&str>) -> Vec<Finding> {
    let Some(cargo) = &toolchain.cargo else {
        return vec![match needed_by {
            Some(component) => Finding::problem(
                SUBJECT,
                format!("there is no cargo, and component '{component}' is built with it"),
                format!("{INSTALL}, or start with --no-build and components that were built elsewhere"),
            ),
            None => Finding::warning(SUBJECT, "there is no cargo: functions in Rust cannot be built here", INSTALL),
        }];
    };
    let target = |(target, is_there): &(String, Option<bool>)| {
        let add = format!("rustup target add {target}");
        match (is_there, toolchain.has_rustup) {
            (Some(true), _) => Finding::ok(SUBJECT, format!("the target {target} is installed")),
            (Some(false), true) => Finding::warning(
                SUBJECT,
                format!("the target {target} is not installed"),
                format!("the next build adds it, which needs the network; or do it now: {add}"),
            ),
            (Some(false), false) => Finding::problem(
                SUBJECT,
                format!("the target {target} is not installed, and there is no rustup to add it"),
                format!("{INSTALL}, or add the target in the way of your distribution"),
            ),
            (None, _) => Finding::problem(
                SUBJECT,
                format!("rustc does not tell whether it has the target {target}"),
                "run `rustc --print sysroot` in the component's folder, and correct what it says",
            ),
        }
    };
    [Finding::ok(SUBJECT, cargo.clone())].into_iter().chain(toolchain.targets.iter().map(target)).collect()
}
