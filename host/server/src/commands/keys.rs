//! `dacapo keys`: the keys of an app or of a production host, in its data folder, whether a host runs on it or not.
//!
//! Whose keys they are is said by a manifest, or by a data folder alone: then the functions are those that have keys, which each
//! has from its first deploy on.

#[cfg(test)]
mod tests;

use anyhow::{Context, anyhow};
use serde::Serialize;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::cli::{KeyArguments, KeysArguments, KeysCommand, ListKeysArguments, OutputFormat, SetKeyArguments};
use crate::clock::SystemRandomness;
use crate::console::Console;
use crate::data_folder::Layout;
use crate::exit::Problem;
use crate::keys::{self, KeyError, KeyId, KeyName, KeyStore, Keys, MASTER, Scope, Secret};
use crate::manifest_file;
use crate::settings::{AppSettings, Environment};

/// From standard input; more than any value has.
const MAX_INPUT_BYTES: u64 = 4 << 10;

/// Runs the command to its end.
///
/// # Errors
/// The manifest is wrong, there is no such folder, function or key, or the keys cannot be read or written.
pub(crate) fn run(command: &KeysCommand, environment: &Environment, console: &Console) -> Result<(), Problem> {
    console.notice(&perform(command, environment)?);
    Ok(())
}

/// What is to be said about it.
fn perform(command: &KeysCommand, environment: &Environment) -> Result<String, Problem> {
    match command {
        KeysCommand::List(arguments) => list(arguments, environment),
        KeysCommand::Set(arguments) => set(arguments, environment),
        KeysCommand::Rotate(arguments) => {
            let (holder, id) = KeyHolder::with_key(arguments, environment)?;
            let value = holder.store.rotate(&id).map_err(|error| holder.refusal(error))?;
            Ok(said(&arguments.keys, "rotated", &id, Some(&value)))
        }
        KeysCommand::Delete(arguments) => {
            let (holder, id) = KeyHolder::with_key(arguments, environment)?;
            holder.store.delete(&id).map_err(|error| holder.refusal(error))?;
            Ok(said(&arguments.keys, "deleted", &id, None))
        }
    }
}

/// An app, or a host with all its apps, and its keys.
struct KeyHolder {
    /// For people.
    who: &'static str,
    functions: Vec<String>,
    store: KeyStore,
}

impl KeyHolder {
    /// Whose keys are meant, and which of them.
    fn with_key(arguments: &KeyArguments, environment: &Environment) -> Result<(KeyHolder, KeyId), Problem> {
        let (manifest, name) = match &arguments.name {
            Some(name) => (Some(Path::new(&arguments.manifest_or_name)), name),
            None => (None, &arguments.manifest_or_name),
        };
        // Otherwise a forgotten name would make a key that is called like the manifest.
        if manifest.is_none() && Path::new(name).is_file() {
            return Err(Problem::NoAnswer(anyhow!("{name} is a file; give the name of a key after it")));
        }
        let holder = KeyHolder::find(manifest, arguments.keys.data_dir.as_deref(), environment)?;
        let id = holder.key(name, arguments)?;
        Ok((holder, id))
    }

    fn find(manifest: Option<&Path>, data: Option<&Path>, environment: &Environment) -> Result<KeyHolder, Problem> {
        match (manifest, data) {
            (Some(manifest), data) => KeyHolder::app(manifest, data, environment),
            (None, Some(data)) => KeyHolder::host(data),
            (None, None) => KeyHolder::app(&manifest_file::find_in(Path::new("."))?, None, environment),
        }
    }

    fn app(manifest: &Path, data: Option<&Path>, environment: &Environment) -> Result<KeyHolder, Problem> {
        let folder = manifest_file::folder(manifest)?;
        let settings = AppSettings::read(environment, &folder).map_err(Problem::App)?;
        let located = manifest_file::read(manifest, &settings)?;
        let layout = Layout::of(&located.app.name, &located.folder, data);
        let functions = located.app.functions.into_iter().map(|function| function.name).collect();
        let store = KeyStore::in_folder(layout.secrets(), Arc::new(SystemRandomness));
        Ok(KeyHolder { who: "the app", functions, store })
    }

    /// A folder that is not there is a mistake: nobody means to make keys in it.
    fn host(data: &Path) -> Result<KeyHolder, Problem> {
        if !data.is_dir() {
            let shown = data.display();
            return Err(Problem::Host(anyhow!("there is no folder {shown}; name the --data-dir of `dacapo serve`")));
        }
        let store = KeyStore::in_folder(data.join(keys::FOLDER), Arc::new(SystemRandomness));
        let known = store.read().map_err(|error| Problem::Host(error.into()))?;
        let functions = known.map(|known| known.functions.into_keys().collect()).unwrap_or_default();
        Ok(KeyHolder { who: "the host", functions, store })
    }

    fn key(&self, name: &str, arguments: &KeyArguments) -> Result<KeyId, Problem> {
        if name.eq_ignore_ascii_case(MASTER) && arguments.function.is_none() {
            return Ok(KeyId::Master);
        }
        let name = KeyName::parse(name).map_err(|error| Problem::Host(error.into()))?;
        let scope = match &arguments.function {
            Some(function) => Scope::Function(self.function(function)?),
            None if arguments.system => Scope::System,
            None => Scope::Host,
        };
        Ok(KeyId::Named { scope, name })
    }

    fn function(&self, name: &str) -> Result<String, Problem> {
        let found = self.functions.iter().find(|function| function.eq_ignore_ascii_case(name));
        let there_is = || {
            let known = if self.functions.is_empty() { "none".to_owned() } else { self.functions.join(", ") };
            anyhow!("{} has no function '{name}'; it has: {known}", self.who)
        };
        found.cloned().ok_or_else(|| Problem::Host(there_is()))
    }

    /// An error, with what is there instead of a key that is not.
    fn refusal(&self, error: KeyError) -> Problem {
        let KeyError::Unknown(KeyId::Named { scope, .. }) = &error else { return Problem::Host(error.into()) };
        let names: Vec<String> = match self.store.read() {
            Ok(Some(keys)) => keys.of(scope).iter().map(|key| format!("'{}'", key.name)).collect(),
            Ok(None) | Err(_) => Vec::new(),
        };
        let others = if names.is_empty() { "none of its kind".to_owned() } else { names.join(", ") };
        Problem::Host(anyhow!("{error}; there is: {others}"))
    }
}

fn set(arguments: &SetKeyArguments, environment: &Environment) -> Result<String, Problem> {
    let (holder, id) = KeyHolder::with_key(&arguments.key, environment)?;
    let value = match arguments.value.as_deref() {
        None => None,
        Some("-") => Some(from_standard_input()?),
        Some(text) => Some(text.to_owned()),
    };
    let value = value.map(|text| Secret::parse(&text)).transpose().map_err(|error| Problem::Host(error.into()))?;
    let written = holder.store.put(&id, value).map_err(|error| holder.refusal(error))?;
    let done = if written.is_new { "made" } else { "set" };
    Ok(said(&arguments.key.keys, done, &id, Some(&written.value)))
}

fn from_standard_input() -> Result<String, Problem> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(MAX_INPUT_BYTES)
        .read_to_string(&mut text)
        .context("the value cannot be read from standard input")?;
    // Nobody means the end of the line that `echo` adds.
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// A key as programs read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownKey<'k> {
    /// `host`, `system` or `function`.
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'k str>,
    name: &'k str,
    /// Masked unless values are to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

impl<'k> ShownKey<'k> {
    fn new(id: &'k KeyId, value: Option<String>) -> ShownKey<'k> {
        match id {
            KeyId::Master => ShownKey { scope: "host", function: None, name: MASTER, value },
            KeyId::Named { scope, name } => ShownKey::of(scope, name.as_str(), value),
        }
    }

    fn of(scope: &'k Scope, name: &'k str, value: Option<String>) -> ShownKey<'k> {
        let (scope, function) = match scope {
            Scope::Host => ("host", None),
            Scope::System => ("system", None),
            Scope::Function(function) => ("function", Some(function.as_str())),
        };
        ShownKey { scope, function, name, value }
    }

    /// What it opens, for people.
    fn opens(&self) -> String {
        match (self.scope, self.function) {
            (_, Some(function)) => format!("function {function}"),
            ("system", None) => "extension".to_owned(),
            (_, None) if self.name == MASTER => "everything".to_owned(),
            (_, None) => "all functions".to_owned(),
        }
    }
}

fn shown(value: &Secret, arguments: &KeysArguments) -> String {
    if arguments.show_values { value.reveal().to_owned() } else { value.masked() }
}

fn list(arguments: &ListKeysArguments, environment: &Environment) -> Result<String, Problem> {
    let options = &arguments.keys;
    let holder = KeyHolder::find(arguments.manifest.as_deref(), options.data_dir.as_deref(), environment)?;
    let all = holder.store.read().map_err(|error| Problem::Host(error.into()))?;
    let scopes = scopes(all.as_ref(), &holder.functions);
    let mut keys = Vec::new();
    if let Some(all) = &all {
        keys.push(ShownKey::new(&KeyId::Master, Some(shown(&all.master, options))));
        for scope in &scopes {
            let of_scope = all.of(scope).iter();
            keys.extend(of_scope.map(|key| ShownKey::of(scope, &key.name, Some(shown(&key.value, options)))));
        }
    }
    Ok(match options.output {
        OutputFormat::Json => json(&keys),
        OutputFormat::Text if keys.is_empty() => {
            let KeyHolder { who, store, .. } = &holder;
            format!("There are no keys in {} yet; they are made when {who} starts for the first time.", store.place())
        }
        OutputFormat::Text => table(&keys),
    })
}

/// What has keys, functions in the order of the manifest; then those that the manifest does not know any more.
fn scopes(all: Option<&Keys>, functions: &[String]) -> Vec<Scope> {
    let known = |name: &str| functions.iter().any(|function| function.eq_ignore_ascii_case(name));
    let others = all.into_iter().flat_map(|all| all.functions.keys()).filter(|name| !known(name));
    let functions = functions.iter().chain(others).cloned().map(Scope::Function);
    [Scope::Host, Scope::System].into_iter().chain(functions).collect()
}

fn table(keys: &[ShownKey<'_>]) -> String {
    let rows: Vec<[String; 3]> =
        keys.iter().map(|key| [key.opens(), key.name.to_owned(), key.value.clone().unwrap_or_default()]).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let (opens, name) = (width(0).max("OPENS".len()), width(1).max("NAME".len()));
    let heading = ["OPENS".to_owned(), "NAME".to_owned(), "VALUE".to_owned()];
    let lines = [heading].into_iter().chain(rows);
    lines.map(|[a, b, c]| format!("{a:opens$}  {b:name$}  {c}")).collect::<Vec<_>>().join("\n")
}

fn said(arguments: &KeysArguments, done: &str, id: &KeyId, value: Option<&Secret>) -> String {
    match arguments.output {
        OutputFormat::Json => json(&ShownKey::new(id, value.map(|value| shown(value, arguments)))),
        OutputFormat::Text => {
            let value = match value {
                Some(value) if arguments.show_values => format!(": {}", value.reveal()),
                Some(_) | None => String::new(),
            };
            format!("Key {done}: {id}{value}")
        }
    }
}

fn json(value: &impl Serialize) -> String {
    // Structs of texts always serialise.
    serde_json::to_string_pretty(value).unwrap_or_default()
}
