//! From an Azure Functions project to a manifest: `host.json`, `function.json` files and `local.settings.json`.
//!
//! Owns which of their fields have a counterpart and what is told about the others. Everything is first written down as it
//! stands, under the names that manifests use; then the manifest's own checks say what cannot stay, and those lines go, each
//! with a note. So what comes out is always a manifest that parses, and there is one set of rules. Reads no files.

mod draft;
mod function;
mod host;
mod json;
mod local_settings;

use std::fmt;

use self::draft::{Draft, Origin};

/// Names of the files, as notes show them.
const HOST_JSON: &str = "host.json";
const LOCAL_SETTINGS_JSON: &str = "local.settings.json";

/// The files of a project.
#[derive(Debug, Clone, Copy, Default)]
pub struct Project<'a> {
    /// What the app should be called; characters that a name cannot have are left out.
    pub name: &'a str,
    /// The text of host.json, if there is one. Comments are skipped.
    pub host_json: Option<&'a str>,
    /// The names of functions (of their folders) and the texts of their function.json.
    pub functions: &'a [(&'a str, &'a str)],
    /// The text of local.settings.json, if there is one.
    pub local_settings_json: Option<&'a str>,
}

/// What became of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// A manifest that parses, as soon as the app settings that it names are there.
    pub manifest: String,
    /// The text of local.settings.toml; it may hold secrets. None: the project has no local settings.
    pub local_settings: Option<String>,
    /// What has no counterpart, and what to do instead.
    pub notes: Vec<Note>,
}

/// Something that a person has to know about an import.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The file that it is about, such as `BookTrip/function.json`.
    pub file: String,
    /// The place in it, such as `bindings[1].path`; empty for the whole file.
    pub place: String,
    /// What was left out or is different, without a full stop.
    pub what: String,
    /// What to do about it.
    pub next_step: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        write!(f, "{}; {}", self.what, self.next_step)
    }
}

/// Why a project cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// A file is not what it should be.
    #[error("{file}: {what}; {next_step}")]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
        /// What to do about it.
        next_step: &'static str,
    },
    /// There is nothing to run.
    #[error("{}", no_functions(notes))]
    NoFunctions {
        /// Why each function was left out.
        notes: Vec<Note>,
    },
}

fn no_functions(notes: &[Note]) -> String {
    let mut text =
        "no function of the project can be imported; functions that are declared in code have no function.json: \
                    describe them in a manifest by hand"
            .to_owned();
    for note in notes {
        text.push('\n');
        text.push_str(&note.to_string());
    }
    text
}

/// Translates a project.
///
/// # Errors
///
/// A file is not JSON, or no function is left.
pub fn import(project: &Project<'_>) -> Result<Imported, ImportError> {
    if project.functions.len() > crate::MAX_FUNCTIONS {
        return Err(ImportError::File {
            file: "the project".to_owned(),
            what: format!("has {} functions, more than {}", project.functions.len(), crate::MAX_FUNCTIONS),
            next_step: "import it in parts",
        });
    }
    let settings = project.local_settings_json.map(local_settings::read).transpose()?.unwrap_or_default();
    let mut draft = Draft::default();
    draft.notes.extend(settings.notes);
    draft.section("app", &Origin::default());
    draft.text_field("name", &app_name(project.name), &Origin::default());
    draft.text_field("version", "1.0.0", &Origin::default());
    draft.section("components.main", &Origin::default());
    draft.text_field("source", "main.wasm", &Origin::default());
    for (name, text) in project.functions {
        function::add(&mut draft, name, text)?;
    }
    if let Some(text) = project.host_json {
        host::add(&mut draft, text)?;
    }
    let lookup = |name: &str| settings.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let (manifest, mut notes) = draft.settle(&lookup).map_err(|notes| ImportError::NoFunctions { notes })?;
    notes.push(Note {
        file: "the manifest".to_owned(),
        place: "components.main.source".to_owned(),
        what: "names a component that is not there yet".to_owned(),
        next_step:
            "build the functions as a WebAssembly component, each under its name, and write the component's path"
                .to_owned(),
    });
    notes.sort();
    notes.dedup();
    Ok(Imported { manifest, local_settings: project.local_settings_json.map(|_| settings.text), notes })
}

/// The project's name without what an app's name cannot have.
fn app_name(name: &str) -> String {
    let allowed = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let name: String = allowed.skip_while(|c| !c.is_ascii_alphabetic()).take(crate::MAX_APP_NAME_CHARS).collect();
    if name.is_empty() { "app".to_owned() } else { name }
}
