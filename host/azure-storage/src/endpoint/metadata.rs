//! Names and values that clients keep with queues, containers and blobs: the headers `x-ms-meta-...`.

use super::answer::{self, Answer};
use super::error::{ServiceError, code};
use http::{HeaderMap, HeaderName};
use ports::Metadata;

const PREFIX: &str = "x-ms-meta-";
/// As in Azure, names and values together.
const MAX_BYTES: usize = 8 << 10;

/// Reads them from a request.
pub(super) fn from_headers(headers: &HeaderMap) -> Result<Metadata, ServiceError> {
    let mut metadata = Metadata::new();
    let mut bytes = 0;
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix(PREFIX) else { continue };
        if name.is_empty() {
            return Err(code::EMPTY_METADATA_KEY.because(""));
        }
        let value = value.to_str().unwrap_or("\u{fffd}").trim();
        if !is_identifier(name) || value.contains('\u{fffd}') {
            return Err(code::INVALID_METADATA.because(&format!(
                "The name '{name}' begins with a letter or '_', goes on with letters, digits and '_', and its value is ASCII."
            )));
        }
        bytes += name.len() + value.len();
        let value_so_far = metadata.entry(name.to_owned()).or_default();
        if !value_so_far.is_empty() {
            value_so_far.push(',');
        }
        value_so_far.push_str(value);
    }
    if bytes > MAX_BYTES {
        return Err(code::METADATA_TOO_LARGE.because("At most 8 KiB are allowed."));
    }
    Ok(metadata)
}

/// Writes them into an answer.
pub(super) fn put(answer: &mut Answer, metadata: &Metadata) {
    for (name, value) in metadata {
        // What was read from headers can be written to headers.
        if let Ok(name) = HeaderName::try_from([PREFIX, name].concat()) {
            answer::put(answer, name, value);
        }
    }
}

/// Names were identifiers of C# once, and still have to be.
fn is_identifier(name: &str) -> bool {
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    begins && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
