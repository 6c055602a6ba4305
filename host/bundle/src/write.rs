//! Writing a bundle: the same content gives the same bytes, whenever, wherever and by whomever.
//!
//! Hence entries in the order of their names, one date and one mode for all, no extra fields, and a compressor that does the
//! same on every machine. What a reader would refuse is not written.

use std::io::{Cursor, Write};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use crate::error::BundleError;
use crate::list::List;
use crate::names::{is_app_name, is_component_name, is_version};
use crate::{Bundle, LIST_FILE, Limits, MANIFEST_FILE, MAX_TEXT_BYTES, component_file, wasm};

/// The compressor's default, written down: another default would make other bytes.
const COMPRESSION_LEVEL: i64 = 6;

/// What an unpacked file's owner and others may do.
const MODE: u32 = 0o644;

/// The bytes of the bundle's file.
///
/// # Errors
/// A name breaks its rule, a component is none, or a reader with the default [`Limits`] would refuse the file for its size.
pub fn write(bundle: &Bundle) -> Result<Vec<u8>, BundleError> {
    check_names(bundle)?;
    let list = List::of(bundle).to_text()?;
    check_sizes(bundle, &list)?;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    // `bundle.json`, `components/...`, `manifest.toml`: in the order of names.
    add(&mut writer, LIST_FILE, &list)?;
    for (name, bytes) in &bundle.components {
        add(&mut writer, &component_file(name), bytes)?;
    }
    add(&mut writer, MANIFEST_FILE, bundle.manifest.as_bytes())?;
    let bytes = writer.finish().map_err(|error| damaged(&error))?.into_inner();
    let limit_bytes = Limits::default().bundle_bytes;
    match bytes.len() as u64 {
        length if length > limit_bytes => Err(BundleError::TooLarge { bytes: length, limit_bytes }),
        _ => Ok(bytes),
    }
}

/// The list that stands in a bundle as [`LIST_FILE`]: for whoever keeps a bundle unpacked, and reads it with
/// [`crate::read_unpacked`].
///
/// # Errors
/// It cannot be put into words, which does not happen.
pub fn list(bundle: &Bundle) -> Result<Vec<u8>, BundleError> {
    List::of(bundle).to_text()
}

fn add(writer: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, bytes: &[u8]) -> Result<(), BundleError> {
    let options = SimpleFileOptions::DEFAULT
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(COMPRESSION_LEVEL))
        .last_modified_time(DateTime::DEFAULT)
        .system(System::Unix)
        .unix_permissions(MODE);
    writer.start_file(name, options).map_err(|error| damaged(&error))?;
    writer.write_all(bytes).map_err(|error| damaged(&ZipError::Io(error)))
}

/// Memory does not fail, and the names are good; if the archive cannot be made all the same, it is said.
fn damaged(error: &ZipError) -> BundleError {
    BundleError::Damaged { why: error.to_string() }
}

fn check_names(bundle: &Bundle) -> Result<(), BundleError> {
    const NAME_RULE: &str = "begin with a letter, go on with letters, digits, `-` and `_`, 64 characters at most";
    const VERSION_RULE: &str = "use letters, digits, `.`, `-`, `_` and `+`, 64 characters at most";
    let refuse = |name: &str, what, rule| Err(BundleError::Unwritable { name: name.to_owned(), what, rule });
    if !is_app_name(&bundle.app) {
        return refuse(&bundle.app, "an app", NAME_RULE);
    }
    if !is_version(&bundle.version) {
        return refuse(&bundle.version, "a version", VERSION_RULE);
    }
    let mut seen = std::collections::BTreeSet::new();
    for (name, bytes) in &bundle.components {
        if !is_component_name(name) {
            return refuse(name, "a component", NAME_RULE);
        }
        let entry = component_file(name);
        if !seen.insert(name.to_ascii_lowercase()) {
            return Err(BundleError::SameButForCase { entry });
        }
        if let Some(what) = wasm::binary(bytes).fault() {
            return Err(BundleError::NotAComponent { entry, what });
        }
    }
    Ok(())
}

fn check_sizes(bundle: &Bundle, list: &[u8]) -> Result<(), BundleError> {
    let limits = Limits::default();
    let count = bundle.components.len() + 2;
    if count > limits.entries {
        return Err(BundleError::TooManyEntries { count, limit: limits.entries });
    }
    let texts = [(LIST_FILE, list.len()), (MANIFEST_FILE, bundle.manifest.len())];
    let texts = texts.map(|(entry, length)| (entry.to_owned(), length as u64, MAX_TEXT_BYTES));
    let components = bundle.components.iter();
    let components = components.map(|(name, bytes)| (component_file(name), bytes.len() as u64, limits.component_bytes));
    let mut total = 0;
    for (entry, length, limit_bytes) in texts.into_iter().chain(components) {
        total += length;
        if length > limit_bytes {
            return Err(BundleError::EntryTooLarge { entry, limit_bytes });
        }
        if total > limits.unpacked_bytes {
            return Err(BundleError::UnpackedTooLarge { entry, limit_bytes: limits.unpacked_bytes });
        }
    }
    Ok(())
}
