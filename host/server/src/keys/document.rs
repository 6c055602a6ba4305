//! The documents in which keys are kept, in the shape of Azure's: one for the host, one for each function.
//!
//! Fields that mean nothing here are kept as they are found.

use super::files::HOST_DOCUMENT;
use super::{KeyError, Secret};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A key with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// For people and URLs; compared without case.
    pub(crate) name: String,
    /// What callers present.
    pub(crate) value: Secret,
    /// Whether the value is not the value itself. Only Azure writes such.
    #[serde(default)]
    encrypted: bool,
}

impl Key {
    pub(super) fn new(name: &str, value: Secret) -> Key {
        Key { name: name.to_owned(), value, encrypted: false }
    }
}

/// `host.json`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HostDocument {
    pub(super) master_key: Key,
    #[serde(default)]
    pub(super) function_keys: Vec<Key>,
    #[serde(default)]
    pub(super) system_keys: Vec<Key>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// `functions/<name>.json`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct FunctionDocument {
    #[serde(default)]
    pub(super) keys: Vec<Key>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl HostDocument {
    pub(super) fn new(master: Secret) -> HostDocument {
        HostDocument {
            // As Azure's file has it; to people it is `_master`.
            master_key: Key::new("master", master),
            function_keys: Vec::new(),
            system_keys: Vec::new(),
            others: Map::new(),
        }
    }
}

/// A document that says which keys it holds.
pub(super) trait Document: Serialize + DeserializeOwned {
    fn all(&self) -> Vec<&Key>;
}

impl Document for HostDocument {
    fn all(&self) -> Vec<&Key> {
        let named = self.function_keys.iter().chain(&self.system_keys);
        named.chain([&self.master_key]).collect()
    }
}

impl Document for FunctionDocument {
    fn all(&self) -> Vec<&Key> {
        self.keys.iter().collect()
    }
}

/// Reads a document. `file` is its name for people.
///
/// # Errors
/// It is none. serde's own words may hold a value, so only the place is told.
pub(super) fn read<D: Document>(file: &str, bytes: &[u8]) -> Result<D, KeyError> {
    let broken = |why: String| KeyError::Broken { file: file.to_owned(), why };
    let document: D = serde_json::from_slice(bytes).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "a value is not of the right type, empty or missing",
            serde_json::error::Category::Eof => "the file ends too early",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "that is no JSON",
        };
        broken(format!("line {}, column {}: {what}", error.line(), error.column()))
    })?;
    if let Some(key) = document.all().into_iter().find(|key| key.encrypted) {
        let name = &key.name;
        return Err(broken(format!("the key '{name}' is encrypted; write its plain value, with \"encrypted\": false")));
    }
    Ok(document)
}

/// The text of a document.
///
/// # Errors
/// Never for what was read or made here.
pub(super) fn write<D: Document>(document: &D) -> Result<Vec<u8>, KeyError> {
    let mut text = serde_json::to_vec_pretty(document)
        .map_err(|error| KeyError::NotWritten { file: HOST_DOCUMENT.to_owned(), why: std::io::Error::other(error) })?;
    text.push(b'\n');
    Ok(text)
}
