//! The archive behind a bundle: its table of contents, checked as a whole before any entry is unpacked, and the unpacking of one
//! entry, which counts what comes out and believes no header.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use zip::read::{ArchiveOffset, Config, ZipFileEntry};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::Limits;
use crate::error::BundleError;
use crate::names::{entry_fault, shown};

/// The first bytes of any archive with an entry.
const FIRST_ENTRY: &[u8] = b"PK\x03\x04";
/// The first bytes of the record that ends an archive.
const END: &[u8] = b"PK\x05\x06";
/// Of that record, as bundles have it: without a comment.
const END_BYTES: usize = 22;

/// The bits of a mode that say what a file is.
const KIND_MASK: u32 = 0o170_000;
const KIND_FILE: u32 = 0o100_000;
const KIND_LINK: u32 = 0o120_000;
const KIND_FOLDER: u32 = 0o040_000;

/// An archive whose table of contents keeps the rules.
pub(crate) struct Archive<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
    /// In the archive's order.
    names: Vec<String>,
    /// What may still be unpacked, in bytes.
    left: u64,
    unpacked_bytes: u64,
}

impl<'b> Archive<'b> {
    pub(crate) fn open(bytes: &'b [u8], limits: &Limits) -> Result<Archive<'b>, BundleError> {
        let length = bytes.len() as u64;
        if length > limits.bundle_bytes {
            return Err(BundleError::TooLarge { bytes: length, limit_bytes: limits.bundle_bytes });
        }
        let end = End::of(bytes)?;
        // Before the table of contents is read, which could be long.
        check_count(end.count, limits)?;
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let mut zip = ZipArchive::with_config(config, Cursor::new(bytes)).map_err(|error| damaged(&error))?;
        // A reader of archives looks for their end from behind, and may have found another one.
        if !zip.comment().is_empty() || zip.central_directory_start() != end.contents_at {
            return Err(BundleError::Truncated);
        }
        check_count(zip.len(), limits)?;
        let names = check_entries(&zip)?;
        if zip.has_overlapping_entries().map_err(|error| damaged(&error))? {
            return Err(BundleError::Overlapping);
        }
        zip.validate_header_consistency().map_err(|error| damaged(&error))?;
        Ok(Archive { zip, names, left: limits.unpacked_bytes, unpacked_bytes: limits.unpacked_bytes })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The content of an entry; none if there is no such entry.
    pub(crate) fn unpack(&mut self, name: &str, limit_bytes: u64) -> Result<Option<Vec<u8>>, BundleError> {
        let Some(index) = self.names.iter().position(|known| known == name) else { return Ok(None) };
        let entry = name.to_owned();
        let broken = |error: &ZipError| BundleError::DamagedEntry { entry: entry.clone(), why: error.to_string() };
        let file = self.zip.by_index(index).map_err(|error| broken(&error))?;
        let (claimed, most) = (file.size(), limit_bytes.min(self.left));
        let mut content = Vec::new();
        // One byte more than allowed is enough to find out.
        let read = file.take(most.saturating_add(1)).read_to_end(&mut content);
        let length = content.len() as u64;
        if length > limit_bytes {
            return Err(BundleError::EntryTooLarge { entry, limit_bytes });
        }
        if length > self.left {
            return Err(BundleError::UnpackedTooLarge { entry, limit_bytes: self.unpacked_bytes });
        }
        read.map_err(|error| broken(&ZipError::Io(error)))?;
        if length != claimed {
            let why = format!("it has {length} bytes, and its header says {claimed}");
            return Err(BundleError::DamagedEntry { entry, why });
        }
        self.left -= length;
        Ok(Some(content))
    }
}

/// What the last record of an archive says.
struct End {
    count: usize,
    contents_at: u64,
}

impl End {
    /// Bundles end with it; archives may have a comment behind it, and large ones another record before it.
    fn of(bytes: &[u8]) -> Result<End, BundleError> {
        // What stands before an archive is nobody's: a bundle begins with its first entry.
        if !bytes.starts_with(FIRST_ENTRY) && !bytes.starts_with(END) {
            return Err(BundleError::NotABundle);
        }
        let record: &[u8; END_BYTES] = bytes.last_chunk().ok_or(BundleError::Truncated)?;
        let short = |at: usize| u16::from_le_bytes([record[at], record[at + 1]]);
        if !record.starts_with(END) || short(20) != 0 {
            return Err(BundleError::Truncated);
        }
        let contents_at = u32::from_le_bytes([record[16], record[17], record[18], record[19]]);
        Ok(End { count: usize::from(short(10)), contents_at: u64::from(contents_at) })
    }
}

fn check_count(count: usize, limits: &Limits) -> Result<(), BundleError> {
    if count > limits.entries {
        return Err(BundleError::TooManyEntries { count, limit: limits.entries });
    }
    Ok(())
}

/// Answers the names of the entries.
fn check_entries(zip: &ZipArchive<Cursor<&[u8]>>) -> Result<Vec<String>, BundleError> {
    let mut names = Vec::new();
    let mut seen = BTreeSet::new();
    for index in 0..zip.len() {
        let entry = zip.by_index_data(index).map_err(|error| damaged(&error))?;
        let name = checked_name(&entry)?;
        if !seen.insert(name.to_lowercase()) {
            return Err(BundleError::SameButForCase { entry: name });
        }
        names.push(name);
    }
    if zip.has_duplicate_names() {
        return Err(BundleError::Duplicate);
    }
    Ok(names)
}

fn checked_name(entry: &ZipFileEntry<'_>) -> Result<String, BundleError> {
    let raw = entry.name_raw();
    let name = shown(raw);
    if let Some(what) = kind_fault(entry.unix_mode()) {
        return Err(BundleError::NotAFile { entry: name, what });
    }
    if let Some(why) = entry_fault(raw) {
        return Err(BundleError::BadName { entry: name, why });
    }
    if entry.encrypted() {
        return Err(BundleError::Encrypted { entry: name });
    }
    let method = entry.compression();
    if method != CompressionMethod::Deflated && method != CompressionMethod::Stored {
        return Err(BundleError::Compression { entry: name, method: method.to_string() });
    }
    // It has no characters that need another form, or it would be too long or not UTF-8.
    String::from_utf8(raw.to_vec()).map_err(|_| BundleError::BadName { entry: name, why: "its name is not UTF-8 text" })
}

fn kind_fault(mode: Option<u32>) -> Option<&'static str> {
    // Some writers set no kind at all, which means a file.
    match mode.map_or(0, |mode| mode & KIND_MASK) {
        0 | KIND_FILE => None,
        KIND_LINK => Some("a symbolic link"),
        KIND_FOLDER => Some("a folder"),
        _ => Some("a device or a socket"),
    }
}

fn damaged(error: &ZipError) -> BundleError {
    BundleError::Damaged { why: error.to_string() }
}
