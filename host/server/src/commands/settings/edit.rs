//! `dacapo settings add` and `delete`: one value of local.settings.toml, and everything else in it as it was, comments
//! included.

use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::cli::{AddSettingArguments, OutputFormat, SettingArguments};
use crate::console::Console;
use crate::exit::Problem;
use crate::file_writer::{self, Readers};
use crate::manifest_file;
use crate::settings::{self, AppSettings, Environment, LOCAL_SETTINGS_FILE, MAX_SETTINGS_BYTES};

/// The table that has the settings.
const VALUES: &str = "values";

pub(super) fn add(
    arguments: &AddSettingArguments,
    environment: &Environment,
    console: &Console,
) -> Result<(), Problem> {
    let AddSettingArguments { setting, value } = arguments;
    let path = file(setting)?;
    let text = settings::read_file(&path).map_err(Problem::App)?;
    let value = match value.as_deref() {
        Some("-") | None => from_standard_input(&setting.name, console)?,
        Some(value) => value.to_owned(),
    };
    let is_new_file = text.is_none();
    let (text, done) = with_value(text.as_deref().unwrap_or_default(), &setting.name, &value)
        .with_context(|| path.display().to_string())
        .map_err(Problem::App)?;
    write(&path, &text)?;
    if setting.output == OutputFormat::Text && is_new_file {
        console.notice(&format!(
            "{LOCAL_SETTINGS_FILE} was made: it is for this machine and may have secrets in it, so keep it out of version control."
        ));
    }
    say(console, setting, &path, done);
    let alone = AppSettings::without_file(environment, &[]);
    if setting.output == OutputFormat::Text && alone.values.contains_key(&setting.name) {
        console.notice(&format!("The environment of this shell has {} too, and wins over the file.", setting.name));
    }
    Ok(())
}

pub(super) fn delete(arguments: &SettingArguments, console: &Console) -> Result<(), Problem> {
    let path = file(arguments)?;
    let text = settings::read_file(&path).map_err(Problem::App)?.unwrap_or_default();
    let outcome = without_value(&text, &arguments.name).with_context(|| path.display().to_string());
    match outcome.map_err(Problem::App)? {
        Removal::Done(text) => write(&path, &text)?,
        Removal::NotThere(others) => {
            let others = if others.is_empty() { "no settings at all".to_owned() } else { others.join(", ") };
            let name = &arguments.name;
            return Err(Problem::Host(anyhow!("{} has no setting {name}; it has: {others}", path.display())));
        }
    }
    say(console, arguments, &path, Done::Deleted);
    Ok(())
}

/// The settings file beside a manifest that is there: a slip of the pen must not leave secrets in some other folder.
fn file(arguments: &SettingArguments) -> Result<PathBuf, Problem> {
    manifest_file::read_text(&arguments.manifest).map_err(Problem::App)?;
    Ok(settings::file_in(&manifest_file::folder(&arguments.manifest)?))
}

fn from_standard_input(name: &str, console: &Console) -> anyhow::Result<String> {
    let input = std::io::stdin().lock();
    let is_typed = input.is_terminal();
    let mut input = input.take(MAX_SETTINGS_BYTES);
    let mut text = String::new();
    let read = if is_typed {
        console.notice(&format!("Type the value of {name} and press Enter:"));
        std::io::BufRead::read_line(&mut input, &mut text)
    } else {
        input.read_to_string(&mut text)
    };
    read.context("the value cannot be read from standard input")?;
    // Nobody means the end of the line that `echo` adds.
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Done {
    Added,
    Changed,
    Deleted,
}

/// The file's text with a value in it.
pub(super) fn with_value(text: &str, name: &str, value: &str) -> anyhow::Result<(String, Done)> {
    let mut document: DocumentMut = text.parse()?;
    let values = document.entry(VALUES).or_insert_with(|| Item::Table(Table::new()));
    let Some(values) = values.as_table_like_mut() else {
        bail!("`{VALUES}` is no table; write `[{VALUES}]` above the settings")
    };
    let mut new = Value::from(value);
    let done = match values.get(name) {
        Some(old) => {
            if let Some(old) = old.as_value() {
                // The comment behind it stays.
                *new.decor_mut() = old.decor().clone();
            }
            Done::Changed
        }
        None => Done::Added,
    };
    match values.get_mut(name) {
        Some(item) => *item = Item::Value(new),
        None => drop(values.insert(name, Item::Value(new))),
    }
    Ok((document.to_string(), done))
}

/// What came of taking a value away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Removal {
    /// The file's text without it.
    Done(String),
    /// There is none of this name; these there are.
    NotThere(Vec<String>),
}

/// The file's text without a value, and without the comment that stands directly above it.
pub(super) fn without_value(text: &str, name: &str) -> anyhow::Result<Removal> {
    let mut document: DocumentMut = text.parse()?;
    let values = document.get_mut(VALUES).and_then(Item::as_table_like_mut);
    let Some(values) = values else { return Ok(Removal::NotThere(Vec::new())) };
    if values.remove(name).is_some() {
        return Ok(Removal::Done(document.to_string()));
    }
    Ok(Removal::NotThere(names(values)))
}

fn names(values: &dyn TableLike) -> Vec<String> {
    values.iter().map(|(name, _)| name.to_owned()).collect()
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let written = file_writer::replace(path, text, Readers::Owner);
    written.with_context(|| format!("{} cannot be written", path.display())).map_err(Problem::Host)
}

fn say(console: &Console, arguments: &SettingArguments, path: &Path, done: Done) {
    #[derive(Serialize)]
    struct Said<'a> {
        name: &'a str,
        done: Done,
        file: String,
    }
    let SettingArguments { name, output, .. } = arguments;
    let file = path.display().to_string();
    console.notice(&match output {
        // A struct of texts always serialises.
        OutputFormat::Json => serde_json::to_string_pretty(&Said { name, done, file }).unwrap_or_default(),
        OutputFormat::Text => match done {
            Done::Added => format!("Added {name} to {file}."),
            Done::Changed => format!("Changed {name} in {file}."),
            Done::Deleted => format!("Deleted {name} from {file}."),
        },
    });
}
