//! `dacapo new`: one more function, made from a template, in the project beside a manifest.
//!
//! Owns what changes for it: a source file, a line of `src/lib.rs` and the manifest's sections. `init` makes the project, with the
//! same functions.

mod choice;
mod editing;
mod function_name;
mod questions;
mod template;
#[cfg(test)]
mod tests;

use anyhow::{Context, anyhow};
use manifest::Lookup;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::{NewArguments, OutputFormat};
use crate::console::Console;
use crate::exit::Problem;
use crate::file_writer::{self, Readers};
use crate::manifest_file;
use crate::settings::{AppSettings, Environment};

pub(crate) use self::choice::{Decider, settle};
pub(crate) use self::questions::Person;
pub(crate) use self::template::{TEMPLATES, Wanted, description};

const LIB: &str = "src/lib.rs";

/// Longest `src/lib.rs`, in bytes; it has a line for each function.
const MAX_LIB_BYTES: u64 = 1 << 20;

/// Runs the command to its end.
///
/// # Errors
/// There is no project, the function is there already or would not fit, nobody says which one, or the files cannot be written.
pub(crate) fn run(arguments: &NewArguments, environment: &Environment, console: &Console) -> Result<(), Problem> {
    let project = Project::read(arguments.manifest.as_deref(), environment)?;
    let person = match arguments.output {
        OutputFormat::Text => Person::at_terminal()?,
        OutputFormat::Json => None,
    };
    let decider = person.as_ref().map_or(Decider::Nobody, Decider::Person);
    let wanted = settle(&arguments.function, &decider, &project.functions()?)?;
    let if_there = if arguments.force { IfThere::Replace } else { IfThere::Refuse };
    let added = project.add(&wanted, arguments.component.as_deref(), if_there)?;
    console.notice(&match arguments.output {
        OutputFormat::Text => added.in_words(),
        OutputFormat::Json => added.as_json(),
    });
    Ok(())
}

/// What becomes of a file that is where a new one is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfThere {
    Refuse,
    Replace,
}

/// A manifest and the crate in its folder.
struct Project {
    folder: PathBuf,
    manifest: PathBuf,
    manifest_text: String,
    lib_text: String,
    settings: AppSettings,
}

/// The texts of a project with one more function.
#[derive(Debug)]
pub(crate) struct Extended {
    /// From the project's folder.
    pub(crate) source: String,
    pub(crate) source_text: String,
    pub(crate) lib_text: String,
    pub(crate) manifest_text: String,
    /// The functions that there are now and were not before.
    pub(crate) functions: Vec<String>,
    /// What to do with them first.
    pub(crate) try_it: Vec<String>,
}

/// Adds a function to the texts of a project.
///
/// # Errors
/// There is one of the name, there are several components and none is named, or the manifest would be wrong with it.
pub(crate) fn extend(
    (manifest_text, lib_text): (&str, &str),
    wanted: &Wanted,
    component: Option<&str>,
    settings: &Lookup<'_>,
) -> anyhow::Result<Extended> {
    let surroundings = editing::surroundings(manifest_text)?;
    let component = component_for(component, &surroundings.components)?;
    let sections = wanted.sections();
    let new_manifest = editing::with_functions(manifest_text, component, &sections)?;
    let name = &wanted.name.name;
    editing::check(manifest_text, &new_manifest, settings)
        .with_context(|| format!("the manifest would be wrong with the function {name}"))?;
    let module = &wanted.name.snake;
    Ok(Extended {
        source: format!("src/{module}.rs"),
        source_text: wanted.source(&surroundings.route_prefix),
        lib_text: editing::with_module(lib_text, module)?,
        manifest_text: new_manifest,
        functions: sections.into_iter().map(|section| section.name).collect(),
        try_it: wanted.try_it(&surroundings.route_prefix),
    })
}

/// The component to name in the manifest; none where there is only one.
fn component_for<'c>(given: Option<&'c str>, components: &[String]) -> anyhow::Result<Option<&'c str>> {
    let all = components.join(", ");
    match given {
        Some(given) if !components.iter().any(|component| component == given) => {
            Err(anyhow!("--component: the manifest has no component {given}; it has: {all}"))
        }
        Some(given) if components.len() > 1 => Ok(Some(given)),
        None if components.len() > 1 => Err(anyhow!(
            "the manifest has several components; pass --component with the one that {LIB} is built into: {all}"
        )),
        Some(_) | None => Ok(None),
    }
}

impl Project {
    fn read(manifest: Option<&Path>, environment: &Environment) -> Result<Project, Problem> {
        let manifest = match manifest {
            Some(manifest) => manifest.to_owned(),
            None => manifest_file::find_in(Path::new("."))?,
        };
        let manifest_text = manifest_file::read_text(&manifest).map_err(Problem::App)?;
        let folder = manifest.parent().unwrap_or(Path::new("")).to_owned();
        let lib_text = read_lib(&folder.join(LIB)).map_err(Problem::App)?;
        let settings = AppSettings::read(environment, &folder).map_err(Problem::App)?;
        Ok(Project { folder, manifest, manifest_text, lib_text, settings })
    }

    fn functions(&self) -> Result<Vec<String>, Problem> {
        let surroundings = editing::surroundings(&self.manifest_text).with_context(|| shown(&self.manifest));
        Ok(surroundings.map_err(Problem::App)?.functions)
    }

    fn add(&self, wanted: &Wanted, component: Option<&str>, if_there: IfThere) -> Result<Added, Problem> {
        let setting = |name: &str| self.settings.values.get(name).cloned();
        let extended =
            extend((&self.manifest_text, &self.lib_text), wanted, component, &setting).map_err(Problem::App)?;
        let source = self.folder.join(&extended.source);
        if if_there == IfThere::Refuse && source.exists() {
            let source = shown(&source);
            return Err(Problem::Host(anyhow!(
                "{source} would be overwritten; pass --force for that, or another --name"
            )));
        }
        let lib = self.folder.join(LIB);
        // The manifest last: until then nothing refers to the function, whatever happens here.
        write(&source, &extended.source_text)?;
        write(&lib, &extended.lib_text)?;
        write(&self.manifest, &extended.manifest_text)?;
        format_sources(&self.folder, &[&extended.source]);
        Ok(Added {
            manifest: shown(&self.manifest),
            functions: extended.functions,
            created: vec![shown(&source)],
            changed: vec![shown(&lib), shown(&self.manifest)],
            try_it: extended.try_it,
        })
    }
}

fn read_lib(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::metadata(path).and_then(|found| match found.len() {
        ..=MAX_LIB_BYTES => std::fs::read_to_string(path),
        _ => Err(std::io::Error::other(format!("it is longer than {MAX_LIB_BYTES} bytes"))),
    });
    text.with_context(|| {
        let shown = path.display();
        format!("{shown} cannot be read; functions are added to a Rust project beside its manifest, as `dacapo init` makes one")
    })
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let written = file_writer::replace(path, text, Readers::Everybody);
    written.with_context(|| format!("{} cannot be written", path.display())).map_err(Problem::Host)
}

/// Names of another length break lines elsewhere. It is a nicety: without rustfmt, or with a broken one, the sources are as good.
pub(crate) fn format_sources(folder: &Path, sources: &[&str]) {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024"]).args(sources);
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    rustfmt.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    drop(rustfmt.status());
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// What was done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Added {
    manifest: String,
    functions: Vec<String>,
    created: Vec<String>,
    changed: Vec<String>,
    #[serde(rename = "try")]
    try_it: Vec<String>,
}

impl Added {
    fn in_words(&self) -> String {
        let Added { manifest, functions, created, changed, try_it } = self;
        let mut text = format!("Added {} to {manifest}\n", functions.join(", "));
        for path in created {
            text.push_str(&format!("  created {path}\n"));
        }
        for path in changed {
            text.push_str(&format!("  changed {path}\n"));
        }
        text.push_str(&format!("\nNext:\n  cargo test\n  dacapo start {manifest}\n"));
        for line in try_it {
            text.push_str(&format!("  {line}\n"));
        }
        text.trim_end().to_owned()
    }

    fn as_json(&self) -> String {
        // A struct of texts always serialises.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
