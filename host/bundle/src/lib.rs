//! Bundles: an app in one file, for a host elsewhere. A zip archive with the manifest, the components and a list of both with
//! their checksums.
//!
//! Owns the format, and reading it without trusting anything in it. Bytes in, bytes out: no files, no clock, and no idea of what a
//! manifest says or a component exports.
//!
//! ```text
//! bundle.json              the list: format version, app, every other entry with its SHA-256
//! components/<name>.wasm   as they were built
//! manifest.toml            as its author wrote it
//! ```

mod entries;
mod error;
mod list;
mod names;
mod read;
mod wasm;
mod write;

#[cfg(test)]
mod tests;

pub use error::BundleError;
pub use names::is_component_name;
pub use read::{Opened, read, read_unpacked};
pub use wasm::{Binary, binary};
pub use write::{list, write};

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The format that is written, and the newest that is read.
pub const FORMAT_VERSION: u64 = 1;

/// What the file of a bundle is called, behind the point. It is a zip archive; the name says whose.
pub const EXTENSION: &str = "dacapo";

/// The list of all other entries.
pub const LIST_FILE: &str = "bundle.json";

/// The manifest.
pub const MANIFEST_FILE: &str = "manifest.toml";

/// The folder of the components, in a bundle and where one is unpacked.
pub const COMPONENTS_FOLDER: &str = "components";

/// Longest bundle, in bytes: what a host holds in memory while it checks one.
pub const MAX_BUNDLE_BYTES: u64 = 256 << 20;

/// Longest sum of all entries, in bytes. Components shrink to about a third, so that nobody meets this before
/// [`MAX_BUNDLE_BYTES`] but those who try.
pub const MAX_UNPACKED_BYTES: u64 = 512 << 20;

/// Longest component, in bytes. Compiling one of this size takes minutes.
pub const MAX_COMPONENT_BYTES: u64 = 128 << 20;

/// Longest manifest and longest list, in bytes: a manifest's own limit.
pub const MAX_TEXT_BYTES: u64 = 1 << 20;

/// Most entries, the list and the manifest included.
pub const MAX_ENTRIES: usize = 256;

/// An app as it goes into one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The app's name: a letter, then letters, digits, `-` and `_`, 64 characters at most.
    pub app: String,
    /// The app's version: letters, digits, `.`, `-`, `_` and `+`, 64 characters at most.
    pub version: String,
    /// The manifest's text, as its author wrote it.
    pub manifest: String,
    /// WebAssembly components by their names in the manifest; see [`is_component_name`].
    pub components: BTreeMap<String, Vec<u8>>,
    /// What wrote it, such as `dacapo 0.1.0`. For people, who want to know it when it cannot be read.
    pub built_with: String,
}

/// What a reader takes; the default is the limit that each constant of this crate names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of the file, in bytes.
    pub bundle_bytes: u64,
    /// Of all entries together, unpacked, in bytes.
    pub unpacked_bytes: u64,
    /// Of each component, unpacked, in bytes.
    pub component_bytes: u64,
    /// Of their number.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bundle_bytes: MAX_BUNDLE_BYTES,
            unpacked_bytes: MAX_UNPACKED_BYTES,
            component_bytes: MAX_COMPONENT_BYTES,
            entries: MAX_ENTRIES,
        }
    }
}

/// SHA-256 in hexadecimal digits: of a bundle's bytes the digest that names it on a host, of a component's the one by which the
/// list knows it.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

/// Where a component is in a bundle, and in the folder that a host unpacks it to.
pub fn component_file(name: &str) -> String {
    format!("{COMPONENTS_FOLDER}/{name}.wasm")
}
