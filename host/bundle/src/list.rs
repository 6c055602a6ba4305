//! `bundle.json`: what a bundle holds, and the checksums of it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::error::BundleError;
use crate::names::{is_app_name, is_component_name, is_version};
use crate::{Bundle, FORMAT_VERSION, LIST_FILE, MANIFEST_FILE, component_file, digest};

/// Digits of a SHA-256.
const DIGEST_CHARS: usize = 64;

/// As it is written. Keys in the order of the fields, components by name: the same content is the same text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct List {
    format_version: u64,
    pub(crate) app: ListedApp,
    pub(crate) components: BTreeMap<String, ListedComponent>,
    pub(crate) manifest: ListedManifest,
    pub(crate) built_with: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ListedApp {
    pub(crate) name: String,
    pub(crate) version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ListedComponent {
    pub(crate) file: String,
    pub(crate) digest: String,
    /// In bytes.
    pub(crate) size: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ListedManifest {
    file: String,
    pub(crate) digest: String,
}

/// What every format will have, whatever else there is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    format_version: u64,
    #[serde(default)]
    built_with: Option<String>,
}

impl List {
    pub(crate) fn of(bundle: &Bundle) -> List {
        let component = |(name, bytes): (&String, &Vec<u8>)| {
            let listed =
                ListedComponent { file: component_file(name), digest: digest(bytes), size: bytes.len() as u64 };
            (name.clone(), listed)
        };
        List {
            format_version: FORMAT_VERSION,
            app: ListedApp { name: bundle.app.clone(), version: bundle.version.clone() },
            components: bundle.components.iter().map(component).collect(),
            manifest: ListedManifest { file: MANIFEST_FILE.to_owned(), digest: digest(bundle.manifest.as_bytes()) },
            built_with: bundle.built_with.clone(),
        }
    }

    pub(crate) fn to_text(&self) -> Result<Vec<u8>, BundleError> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| bad(&error.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads a list and holds it against the rules for names. Whether it is true is another matter.
    pub(crate) fn parse(text: &[u8]) -> Result<List, BundleError> {
        let versioned: Versioned =
            serde_json::from_slice(text).map_err(|error| bad(&format!("is not understood: {error}")))?;
        if versioned.format_version > FORMAT_VERSION {
            let built_with = versioned.built_with.unwrap_or_else(|| "a newer version".to_owned());
            return Err(BundleError::Newer { found: versioned.format_version, built_with: one_line(&built_with) });
        }
        if versioned.format_version == 0 {
            return Err(bad("the format 0 has never been"));
        }
        let list: List = serde_json::from_slice(text).map_err(|error| bad(&format!("is not understood: {error}")))?;
        list.check()?;
        Ok(list)
    }

    fn check(&self) -> Result<(), BundleError> {
        let ListedApp { name, version } = &self.app;
        if !is_app_name(name) {
            return Err(bad(&format!("{name:?} is no name for an app")));
        }
        if !is_version(version) {
            return Err(bad(&format!("{version:?} is no version of an app")));
        }
        if self.manifest.file != MANIFEST_FILE {
            return Err(bad(&format!("the manifest must be in {MANIFEST_FILE}, not in {:?}", self.manifest.file)));
        }
        let mut digests = vec![&self.manifest.digest];
        for (name, component) in &self.components {
            if !is_component_name(name) {
                return Err(bad(&format!("{name:?} is no name for a component")));
            }
            let file = component_file(name);
            if component.file != file {
                return Err(bad(&format!("the component '{name}' must be in {file}, not in {:?}", component.file)));
            }
            digests.push(&component.digest);
        }
        let is_digest =
            |text: &str| text.len() == DIGEST_CHARS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match digests.into_iter().find(|digest| !is_digest(digest)) {
            Some(digest) => Err(bad(&format!("{digest:?} is no SHA-256 in lower-case hexadecimal digits"))),
            None => Ok(()),
        }
    }

    /// The entries that there must be, itself included.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &str> {
        let others = self.components.values().map(|component| component.file.as_str());
        [LIST_FILE, MANIFEST_FILE].into_iter().chain(others)
    }
}

fn bad(why: &str) -> BundleError {
    BundleError::BadList { why: one_line(why) }
}

/// Texts that quote the list may bring line breaks and worse with them.
fn one_line(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}
