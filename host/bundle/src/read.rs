//! Reading a bundle from bytes that anybody may have made.
//!
//! First the table of contents as a whole, then the list, then everything that is listed, held against its checksum. Nothing
//! comes out but what was listed, whole and true.

use std::collections::BTreeMap;

use crate::entries::Archive;
use crate::error::BundleError;
use crate::list::List;
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
    let manifest = unpack(&mut archive, MANIFEST_FILE, MAX_TEXT_BYTES, &list.manifest.digest)?;
    let manifest = String::from_utf8(manifest).map_err(|_| BundleError::NotText { entry: MANIFEST_FILE.to_owned() })?;
    let mut components = BTreeMap::new();
    for (name, component) in &list.components {
        let bytes = unpack(&mut archive, &component.file, limits.component_bytes, &component.digest)?;
        if bytes.len() as u64 != component.size {
            let why =
                format!("{} has {} bytes, and not the {} that are listed", component.file, bytes.len(), component.size);
            return Err(BundleError::BadList { why });
        }
        if let Some(what) = wasm::binary(&bytes).fault() {
            return Err(BundleError::NotAComponent { entry: component.file.clone(), what });
        }
        components.insert(name.clone(), bytes);
    }
    let List { app, built_with, .. } = list;
    let bundle = Bundle { app: app.name, version: app.version, manifest, components, built_with };
    Ok(Opened { bundle, digest: digest(bytes) })
}

fn unpack(archive: &mut Archive<'_>, entry: &str, limit_bytes: u64, expected: &str) -> Result<Vec<u8>, BundleError> {
    let content = archive.unpack(entry, limit_bytes)?;
    let content = content.ok_or_else(|| BundleError::Missing { entry: entry.to_owned() })?;
    let found = digest(&content);
    if found != expected {
        return Err(BundleError::WrongChecksum { entry: entry.to_owned(), expected: expected.to_owned(), found });
    }
    Ok(content)
}
