//! Archives made by hand, byte by byte, so that they can say anything that no writer of archives would.

use flate2::Crc;
use flate2::write::DeflateEncoder;
use std::io::Write;

use crate::{Bundle, LIST_FILE, MANIFEST_FILE, component_file, digest};

pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

/// One entry, and what the headers say about it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) content: Vec<u8>,
    pub(super) method: u16,
    pub(super) flags: u16,
    pub(super) mode: u32,
    /// In both headers; none: the truth.
    pub(super) claimed_size: Option<u32>,
    pub(super) claimed_crc: Option<u32>,
    /// The content is that of the entry before it.
    pub(super) shares: bool,
}

impl Entry {
    pub(super) fn new(name: impl Into<Vec<u8>>, content: impl Into<Vec<u8>>) -> Entry {
        let (name, content) = (name.into(), content.into());
        let mode = 0o100_644;
        Entry { name, content, method: DEFLATED, flags: 0, mode, claimed_size: None, claimed_crc: None, shares: false }
    }
}

/// The entries of a bundle, with a list that is true.
pub(super) fn entries(bundle: &Bundle) -> Vec<Entry> {
    let components: Vec<String> = bundle
        .components
        .iter()
        .map(|(name, bytes)| {
            let (file, digest, size) = (component_file(name), digest(bytes), bytes.len());
            format!(r#""{name}": {{"file": "{file}", "digest": "{digest}", "size": {size}}}"#)
        })
        .collect();
    let list = format!(
        r#"{{"formatVersion": 1, "app": {{"name": "{}", "version": "{}"}}, "components": {{{}}},
            "manifest": {{"file": "manifest.toml", "digest": "{}"}}, "builtWith": "{}"}}"#,
        bundle.app,
        bundle.version,
        components.join(", "),
        digest(bundle.manifest.as_bytes()),
        bundle.built_with
    );
    let mut entries = vec![Entry::new(LIST_FILE, list), Entry::new(MANIFEST_FILE, bundle.manifest.as_str())];
    entries.extend(bundle.components.iter().map(|(name, bytes)| Entry::new(component_file(name), bytes.as_slice())));
    entries
}

/// The archive of these entries.
pub(super) fn archive(entries: &[Entry]) -> Vec<u8> {
    let (mut bytes, mut contents) = (Vec::new(), Vec::new());
    let mut offset = 0;
    for entry in entries {
        let packed = packed(entry);
        let head = head(entry, packed.len());
        if !entry.shares {
            offset = bytes.len();
            bytes.extend_from_slice(b"PK\x03\x04\x14\0");
            bytes.extend_from_slice(&head);
            bytes.extend_from_slice(&entry.name);
            bytes.extend_from_slice(&packed);
        }
        // Made on Unix, by version 2.0 of the specification.
        contents.extend_from_slice(b"PK\x01\x02\x14\x03\x14\0");
        contents.extend_from_slice(&head);
        contents.extend_from_slice(&[0; 6]);
        contents.extend_from_slice(&(entry.mode << 16).to_le_bytes());
        contents.extend_from_slice(&long(offset));
        contents.extend_from_slice(&entry.name);
    }
    let contents_at = bytes.len();
    bytes.extend_from_slice(&contents);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&short(entries.len()));
    bytes.extend_from_slice(&short(entries.len()));
    bytes.extend_from_slice(&long(contents.len()));
    bytes.extend_from_slice(&long(contents_at));
    bytes.extend_from_slice(&[0; 2]);
    bytes
}

/// What both headers have in common: from the flags to the lengths of the name and of the extra fields.
fn head(entry: &Entry, packed_bytes: usize) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(&entry.content);
    let mut head = Vec::new();
    head.extend_from_slice(&entry.flags.to_le_bytes());
    head.extend_from_slice(&entry.method.to_le_bytes());
    // Midnight, the first of January 1980.
    head.extend_from_slice(&[0, 0, 0x21, 0]);
    head.extend_from_slice(&entry.claimed_crc.unwrap_or(crc.sum()).to_le_bytes());
    head.extend_from_slice(&long(packed_bytes));
    head.extend_from_slice(&entry.claimed_size.map_or(long(entry.content.len()), u32::to_le_bytes));
    head.extend_from_slice(&short(entry.name.len()));
    head.extend_from_slice(&[0; 2]);
    head
}

fn packed(entry: &Entry) -> Vec<u8> {
    if entry.method == STORED {
        return entry.content.clone();
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&entry.content).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn short(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("a small number").to_le_bytes()
}

fn long(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("a number below 2^32").to_le_bytes()
}
