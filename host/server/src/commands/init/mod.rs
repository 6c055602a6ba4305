//! `dacapo init`: a Rust project that is a function app.
//!
//! Owns what a project consists of and how it comes to disk: all of it, or nothing where something is in the way. What its function
//! looks like is up to `new`.

mod app_name;
mod project;
mod sdk;
#[cfg(test)]
mod tests;

use anyhow::{Context, anyhow};
use serde::Serialize;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use self::app_name::AppName;
use self::project::{File, IfThere};
use self::sdk::Sdk;
use super::new::{self, Decider, Extended, Person};
use crate::cli::{InitArguments, OutputFormat};
use crate::console::Console;
use crate::exit::Problem;
use crate::file_writer;

/// Files in the way that are named; more would be no help.
const NAMED_CLASHES: usize = 5;

/// Runs the command to its end.
///
/// # Errors
/// Something is in the way, a name is not valid, the person gives up, or the files cannot be written.
pub(crate) fn run(arguments: &InitArguments, console: &Console) -> Result<(), Problem> {
    let written = if arguments.sdk_only { renew_sdk(&arguments.folder)? } else { init(arguments)? };
    console.notice(&match arguments.output {
        OutputFormat::Text => written.in_words(),
        OutputFormat::Json => written.as_json(),
    });
    Ok(())
}

fn init(arguments: &InitArguments) -> Result<Written, Problem> {
    let folder = &arguments.folder;
    let sdk = arguments.sdk.as_deref().map(Sdk::of_checkout).transpose()?.unwrap_or(Sdk::Vendored);
    if !arguments.force {
        // Before any question: the answers would be for nothing.
        refuse_clashes(folder, &["Cargo.toml", project::LIB].map(str::to_owned))?;
    }
    let is_silent = arguments.yes || arguments.output == OutputFormat::Json;
    let person = if is_silent { None } else { Person::at_terminal()? };
    let app = choose_app(arguments, person.as_ref())?;
    let texts = project::empty(&app, &sdk);
    let (texts, function) = if arguments.empty {
        (texts, None)
    } else {
        let decider = person.as_ref().map_or(Decider::Usual, Decider::Person);
        let wanted = new::settle(&arguments.function, &decider, &[])?;
        let extended =
            new::extend((&texts.0, &texts.1), &wanted, None, &manifest::no_settings).map_err(Problem::App)?;
        ((extended.manifest_text.clone(), extended.lib_text.clone()), Some(extended))
    };
    let files = project::files(&app, &sdk, texts, function.as_ref());
    if !arguments.force {
        let clashing = files.iter().filter(|file| file.if_there == IfThere::Clash).map(|file| file.path.clone());
        refuse_clashes(folder, &clashing.collect::<Vec<_>>())?;
    }
    for file in &files {
        write(folder, file)?;
    }
    if let Some(function) = &function {
        new::format_sources(folder, &[&function.source]);
    }
    Ok(Written::new(folder, Some(&app), &files, function))
}

fn choose_app(arguments: &InitArguments, person: Option<&Person>) -> Result<AppName, Problem> {
    if let Some(name) = &arguments.app {
        return AppName::parse(name).map_err(|problem| Problem::NoAnswer(anyhow!("--app: {problem}")));
    }
    let folder = &arguments.folder;
    // A folder that is not there yet has no other name than the one that was typed.
    let folder =
        folder.canonicalize().or_else(|_| std::path::absolute(folder)).context("there is no current folder")?;
    let of_folder = AppName::of_folder(&folder);
    let Some(person) = person else { return Ok(of_folder) };
    let check = |name: &str| AppName::parse(name).map(drop);
    let name = person.line("Name of the app", Some(of_folder.as_str().to_owned()), check)?;
    AppName::parse(&name).map_err(|problem| Problem::NoAnswer(anyhow!(problem)))
}

fn refuse_clashes(folder: &Path, paths: &[String]) -> Result<(), Problem> {
    let taken: Vec<String> =
        paths.iter().map(|path| folder.join(path)).filter(|path| path.exists()).map(|path| shown(&path)).collect();
    if taken.is_empty() {
        return Ok(());
    }
    let named = taken[..taken.len().min(NAMED_CLASHES)].join(", ");
    let more = match taken.len().saturating_sub(NAMED_CLASHES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let next = "choose another folder, add a function to the project with `dacapo new`, or pass --force";
    Err(Problem::Host(anyhow!("{named}{more} would be overwritten; {next}")))
}

fn write(folder: &Path, file: &File) -> Result<(), Problem> {
    let path = folder.join(&file.path);
    let written = write_by_rule(&path, file);
    written.with_context(|| format!("{} cannot be written", path.display())).map_err(Problem::Host)
}

fn write_by_rule(path: &Path, file: &File) -> anyhow::Result<()> {
    let there = match fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    let text = match (file.if_there, &there) {
        (IfThere::Keep, Some(_)) => return Ok(()),
        (IfThere::AddLines, Some(there)) => with_lines(std::str::from_utf8(there)?, &file.text).into(),
        (IfThere::Clash | IfThere::Keep | IfThere::AddLines, _) => file.text.clone(),
    };
    // A file that is touched is a file that cargo builds anew.
    if there.as_deref() == Some(text.as_bytes()) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(file_writer::replace(path, text.as_bytes(), file.readers)?)
}

/// A text with those lines of another that it does not have.
fn with_lines(text: &str, wanted: &str) -> String {
    let missing = wanted.lines().filter(|line| !text.lines().any(|there| there.trim() == *line));
    let mut text = text.to_owned();
    for line in missing {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Writes the SDK's sources in the place of those that are there, and nothing else.
fn renew_sdk(folder: &Path) -> Result<Written, Problem> {
    let vendored = folder.join(sdk::VENDORED);
    if !vendored.join("Cargo.toml").is_file() {
        let vendored = vendored.display();
        return Err(Problem::Host(anyhow!(
            "there is no {vendored} to renew; name the folder of a project that has it"
        )));
    }
    // Also what an older version had and this one does not have.
    fs::remove_dir_all(&vendored).with_context(|| format!("{} cannot be removed", vendored.display()))?;
    let files = project::sdk_files();
    for file in &files {
        write(folder, file)?;
    }
    Ok(Written::new(folder, None, &files, None))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// What was done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    folder: PathBuf,
    /// None if only the SDK was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<String>,
    functions: Vec<String>,
    files: Vec<String>,
    #[serde(rename = "try")]
    try_it: Vec<String>,
}

impl Written {
    fn new(folder: &Path, app: Option<&AppName>, files: &[File], function: Option<Extended>) -> Written {
        let (functions, try_it) = function.map_or_else(Default::default, |made| (made.functions, made.try_it));
        Written {
            folder: folder.to_owned(),
            app: app.map(|app| app.as_str().to_owned()),
            manifest: app.map(|app| shown(&folder.join(app.manifest()))),
            functions,
            files: files.iter().map(|file| file.path.clone()).collect(),
            try_it,
        }
    }

    fn in_words(&self) -> String {
        let of_sdk = self.files.iter().filter(|path| path.starts_with(sdk::VENDORED)).count();
        let (version, vendored) = (env!("CARGO_PKG_VERSION"), sdk::VENDORED);
        let sources = format!("{vendored} ({of_sdk} files: the SDK of dacapo {version})");
        let Some(app) = &self.app else { return format!("Wrote {}", shown(&self.folder.join(sources))) };
        let mut text = format!("Made the app {app}");
        if !self.functions.is_empty() {
            text.push_str(&format!(" with {}", self.functions.join(", ")));
        }
        text.push('\n');
        for path in self.files.iter().filter(|path| !path.starts_with(sdk::VENDORED)) {
            text.push_str(&format!("  {}\n", shown(&self.folder.join(path))));
        }
        if of_sdk > 0 {
            text.push_str(&format!("  {}\n", shown(&self.folder.join(sources))));
        }
        text.push_str("\nNext:\n");
        if self.folder != Path::new(".") {
            text.push_str(&format!("  cd {}\n", self.folder.display()));
        }
        if self.functions.is_empty() {
            text.push_str("  dacapo new\n");
        }
        text.push_str("  cargo test\n  dacapo start\n");
        for line in &self.try_it {
            text.push_str(&format!("  {line}\n"));
        }
        text.trim_end().to_owned()
    }

    fn as_json(&self) -> String {
        // A struct of texts and a path that a person typed: it serialises unless the path is not Unicode.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
