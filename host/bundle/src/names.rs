//! Names that a bundle may hold: of apps, versions, components, and of entries, which become paths when somebody unpacks it.
//!
//! The rules for the first three are those of manifests. They are said here again because they guard more here: a host makes
//! folders and files of these names.

/// Longest name of an app, a version or a component, in characters.
const MAX_NAME_CHARS: usize = 64;

/// Longest name of an entry, in bytes; more than any name of a component makes.
const MAX_ENTRY_NAME_BYTES: usize = 256;

/// Whether a component can be called this: a letter, then letters, digits, `-` and `_`, 64 characters at most.
pub fn is_component_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && is_made_of(name, "-_")
}

pub(crate) fn is_app_name(name: &str) -> bool {
    is_component_name(name)
}

pub(crate) fn is_version(name: &str) -> bool {
    is_made_of(name, "-_.+")
}

fn is_made_of(name: &str, also: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
    !name.is_empty() && name.len() <= MAX_NAME_CHARS && name.chars().all(allowed)
}

/// Why an entry must not be called this; none: it may.
///
/// What is listed decides in the end. These rules tell the dangerous from the merely unknown, and stand before anything is
/// compared with the list, which comes out of the same file.
pub(crate) fn entry_fault(name: &[u8]) -> Option<&'static str> {
    let Ok(name) = str::from_utf8(name) else { return Some("its name is not UTF-8 text") };
    let has_drive = name.as_bytes().get(1) == Some(&b':');
    if name.is_empty() {
        Some("it has no name")
    } else if name.len() > MAX_ENTRY_NAME_BYTES {
        Some("its name is too long")
    } else if name.chars().any(char::is_control) {
        Some("its name has control characters")
    } else if name.contains('\\') {
        Some("its name has a backslash, which is a folder on some systems")
    } else if name.starts_with('/') || has_drive {
        Some("its name is an absolute path")
    } else if name.split('/').any(|part| part == ".." || part == ".") {
        Some("its name leads out of its folder")
    } else if name.split('/').any(str::is_empty) {
        Some("it is a folder, or has one without a name")
    } else {
        None
    }
}

/// A name as messages show it: escaped, and not longer than a line.
pub(crate) fn shown(name: &[u8]) -> String {
    const SHOWN_CHARS: usize = 80;
    if name.is_empty() {
        return "an entry".to_owned();
    }
    let text = String::from_utf8_lossy(name);
    let mut shown: String = text.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push_str("...");
    }
    shown
}
