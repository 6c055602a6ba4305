//! Reading a bundle from bytes that anybody may have made.
//!
//! First the table of contents as a whole, then the list, then everything that is listed, held against its checksum. Nothing
//! comes out but what was listed, whole and true.

use std::collections::BTreeMap;

use crate::entries::Archive;
use crate::error::BundleError;
use crate::list::{List, ListedComponent};
use crate::{Bundle, LIST_FILE, Limits, MANIFEST_FILE, MAX_TEXT_BYTES, digest, wasm};

/// A bundle that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What it holds.
    pub bundle: Bundle,
    /// Of all its bytes: the name of this bundle. Two bundles with the same content may have two, if different versions of
    /// the compressor made them.
    pub digest: String,
}

/// Reads a bundle.
///
/// The checksums show that it is as it was packed, not by whom. Whether the manifest means anything, and whether it has the name
/// and version that the list says, is left to whoever understands manifests.
///
/// # Errors
/// Anything in it is not as it has to be; see the variants. Broken input of whatever kind never panics, and never takes more
/// memory than the limits and the bytes themselves.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Opened, BundleError> {
    let mut archive = Archive::open(bytes, limits)?;
    let list = archive.unpack(LIST_FILE, MAX_TEXT_BYTES)?.ok_or(BundleError::NoList)?;
    let list = List::parse(&list)?;
    let listed: Vec<&str> = list.entries().collect();
    if let Some(unlisted) = archive.names().iter().find(|name| !listed.contains(&name.as_str())) {
        return Err(BundleError::Unlisted { entry: unlisted.clone() });
    }
    let bundle = collect(list, limits, |entry, limit_bytes| archive.unpack(entry, limit_bytes))?;
    Ok(Opened { bundle, digest: digest(bytes) })
}

/// Puts a bundle together again from what came out of one: its list, and a way to the other entries by their names, which answers
/// none for what is missing.
///
/// # Errors
/// As for [`read`]: what was unpacked may have been changed since.
pub fn read_unpacked(
    list: &[u8],
    limits: &Limits,
    mut entry: impl FnMut(&str) -> Option<Vec<u8>>,
) -> Result<Bundle, BundleError> {
    collect(List::parse(list)?, limits, |name, limit_bytes| match entry(name) {
        Some(content) if content.len() as u64 > limit_bytes => {
            Err(BundleError::EntryTooLarge { entry: name.to_owned(), limit_bytes })
        }
        content => Ok(content),
    })
}

/// Everything that is listed, by name and with the most bytes that it may have.
fn collect(
    list: List,
    limits: &Limits,
    mut unpack: impl FnMut(&str, u64) -> Result<Option<Vec<u8>>, BundleError>,
) -> Result<Bundle, BundleError> {
    let mut checked = |entry: &str, limit_bytes: u64, expected: &str| {
        let content = unpack(entry, limit_bytes)?;
        let content = content.ok_or_else(|| BundleError::Missing { entry: entry.to_owned() })?;
        let found = digest(&content);
        if found != expected {
            return Err(BundleError::WrongChecksum { entry: entry.to_owned(), expected: expected.to_owned(), found });
        }
        Ok(content)
    };
    let manifest = checked(MANIFEST_FILE, MAX_TEXT_BYTES, &list.manifest.digest)?;
    let manifest = String::from_utf8(manifest).map_err(|_| BundleError::NotText { entry: MANIFEST_FILE.to_owned() })?;
    let mut components = BTreeMap::new();
    for (name, component) in list.components {
        let bytes = checked(&component.file, limits.component_bytes, &component.digest)?;
        if bytes.len() as u64 != component.size {
            let ListedComponent { file, size, .. } = component;
            let why = format!("{file} has {} bytes, and not the {size} that are listed", bytes.len());
            return Err(BundleError::BadList { why });
        }
        if let Some(what) = wasm::binary(&bytes).fault() {
            return Err(BundleError::NotAComponent { entry: component.file, what });
        }
        components.insert(name, bytes);
    }
    Ok(Bundle { app: list.app.name, version: list.app.version, manifest, components, built_with: list.built_with })
}
