//! The files of an Azure Functions project: found, read within bounds, and handed on as texts.

use anyhow::{Context, anyhow, bail};
use manifest::import::{ImportError, Imported, Project};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Longest file of a project, in bytes; those that people write are a thousandth of it.
pub(super) const MAX_FILE_BYTES: u64 = 1 << 20;

/// Entries of the project's folder that are looked at. Functions are folders in it; so are their libraries, which are few.
const MAX_ENTRIES: usize = 10_000;

const HOST_JSON: &str = "host.json";
const FUNCTION_JSON: &str = "function.json";
const LOCAL_SETTINGS_JSON: &str = "local.settings.json";

/// The texts of a project's files.
#[derive(Debug)]
pub(super) struct ProjectFiles {
    name: String,
    host_json: Option<String>,
    /// Names of folders and the texts in them, by name.
    functions: Vec<(String, String)>,
    local_settings_json: Option<String>,
}

/// Reads the project in a folder.
///
/// # Errors
/// There is no such folder, it is no project, or a file in it cannot be read.
pub(super) fn read(folder: &Path) -> anyhow::Result<ProjectFiles> {
    let shown = folder.display();
    let entries = std::fs::read_dir(folder).map_err(|error| no_folder(folder, &error))?;
    let mut functions = Vec::new();
    for (index, entry) in entries.enumerate() {
        if index == MAX_ENTRIES {
            bail!(
                "the folder {shown} has more than {MAX_ENTRIES} entries; name the folder of the project, the one with {HOST_JSON}"
            );
        }
        let path = entry.with_context(|| format!("the folder {shown} cannot be read"))?.path();
        let Some(text) = read_text(&path.join(FUNCTION_JSON))? else { continue };
        let name = path.file_name().and_then(|name| name.to_str());
        let name =
            name.with_context(|| format!("the name of the folder {} is not Unicode; rename it", path.display()))?;
        functions.push((name.to_owned(), text));
    }
    functions.sort();
    let host_json = read_text(&folder.join(HOST_JSON))?;
    if host_json.is_none() && functions.is_empty() {
        bail!(
            "{shown} is no project of Azure Functions: it has no {HOST_JSON} and no folder with a {FUNCTION_JSON}; name the folder that has them"
        );
    }
    let absolute = std::path::absolute(folder).with_context(|| shown.to_string())?;
    let name = absolute.components().next_back().map(|last| last.as_os_str().to_string_lossy().into_owned());
    Ok(ProjectFiles {
        name: name.unwrap_or_default(),
        host_json,
        functions,
        local_settings_json: read_text(&folder.join(LOCAL_SETTINGS_JSON))?,
    })
}

fn no_folder(folder: &Path, error: &std::io::Error) -> anyhow::Error {
    let shown = folder.display();
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's list of errors is open")]
    match error.kind() {
        ErrorKind::NotFound => anyhow!("there is no folder {shown}; check the path"),
        ErrorKind::NotADirectory => {
            anyhow!("{shown} is a file; name the folder of the project, the one with {HOST_JSON}")
        }
        _ => anyhow!("the folder {shown} cannot be read: {error}"),
    }
}

impl ProjectFiles {
    pub(super) fn import(&self) -> Result<Imported, ImportError> {
        let functions: Vec<(&str, &str)> =
            self.functions.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        manifest::import::import(&Project {
            name: &self.name,
            host_json: self.host_json.as_deref(),
            functions: &functions,
            local_settings_json: self.local_settings_json.as_deref(),
        })
    }
}

/// None if there is no such file, or nothing that could have one in it.
fn read_text(path: &Path) -> anyhow::Result<Option<String>> {
    let shown = path.display();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{shown} cannot be read")),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).with_context(|| format!("{shown} cannot be read"))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        bail!(
            "{shown} is longer than {MAX_FILE_BYTES} bytes, which no file of its kind is; move it away or shorten it"
        );
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => bail!("{shown} is not UTF-8 text; save it as UTF-8"),
    }
}
