//! Conditional headers: whether the state that is there is one that the client asks for.

use super::CONDITION_NOT_MET;
use super::record::Record;
use crate::dates;
use crate::endpoint::call::Call;
use crate::endpoint::error::{ErrorCode, ServiceError};

const NOT_MODIFIED: ErrorCode = ErrorCode::new(304, "ConditionNotMet", "");
/// What `If-None-Match: *` says when it is there.
const BLOB_ALREADY_EXISTS: ErrorCode = ErrorCode::new(409, "BlobAlreadyExists", "The specified blob already exists.");

/// What an unmet condition of a reader means: it has the state already.
pub(super) fn check_read(call: &Call, record: &Record) -> Result<(), ServiceError> {
    if !if_match(call, record) || changed_since(call, "if-unmodified-since", record) == Some(true) {
        return Err(CONDITION_NOT_MET.because(""));
    }
    if !if_none_match(call, Some(record)) || changed_since(call, "if-modified-since", record) == Some(false) {
        return Err(NOT_MODIFIED.because(""));
    }
    Ok(())
}

/// Whether a writer may write over that, or nothing.
pub(super) fn check_write(call: &Call, there: Option<&Record>) -> Result<(), ServiceError> {
    let Some(record) = there else {
        return if call.header("if-match").is_some() { Err(CONDITION_NOT_MET.because("")) } else { Ok(()) };
    };
    if call.header("if-none-match").is_some_and(|value| value.trim() == "*") {
        return Err(BLOB_ALREADY_EXISTS.because(""));
    }
    let met = if_match(call, record)
        && if_none_match(call, there)
        && changed_since(call, "if-unmodified-since", record) != Some(true)
        && changed_since(call, "if-modified-since", record) != Some(false);
    if met { Ok(()) } else { Err(CONDITION_NOT_MET.because("")) }
}

fn if_match(call: &Call, record: &Record) -> bool {
    call.header("if-match").is_none_or(|tags| lists(tags, record))
}

fn if_none_match(call: &Call, record: Option<&Record>) -> bool {
    call.header("if-none-match").is_none_or(|tags| !record.is_some_and(|record| lists(tags, record)))
}

fn lists(tags: &str, record: &Record) -> bool {
    let etag = record.etag();
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_matches('"') == etag)
}

/// Whether it was written after the date in a header; none without such a date.
fn changed_since(call: &Call, header: &str, record: &Record) -> Option<bool> {
    let date = dates::parse_rfc1123(call.header(header)?)?;
    Some(record.last_modified() > date)
}
