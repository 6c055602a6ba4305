//! Stored access policies of a queue, table or container: kept and shown, and not enforced.

use super::answer::{self, Answer};
use super::error::{ServiceError, code};
use crate::xml::{Element, Writer};
use http::StatusCode;

const ROOT: &str = "SignedIdentifiers";
/// As in Azure.
const MAX_POLICIES: usize = 5;
const MAX_ID_CHARS: usize = 64;

/// Reads the body of a request that sets them, and gives them as they are to be kept. An empty body removes all.
pub(crate) fn from_request(body: &[u8]) -> Result<String, ServiceError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(String::new());
    }
    let policies = Element::parse(body).map_err(|error| code::INVALID_XML_DOCUMENT.because(&error.to_string()))?;
    if policies.name != ROOT || policies.children.iter().any(|policy| policy.name != "SignedIdentifier") {
        return Err(code::INVALID_XML_DOCUMENT.because("A list of SignedIdentifier in SignedIdentifiers is expected."));
    }
    if policies.children.len() > MAX_POLICIES {
        return Err(code::INVALID_XML_DOCUMENT.because("There may be at most 5 access policies."));
    }
    let wrong = policies.children.iter().map(|policy| policy.text_of("Id"));
    if let Some(id) = wrong.into_iter().find(|id| id.is_empty() || id.chars().count() > MAX_ID_CHARS) {
        return Err(code::INVALID_XML_NODE_VALUE
            .because("An access policy has an id of 1 to 64 characters.")
            .with("XmlNodeName", "Id")
            .with("XmlNodeValue", id));
    }
    if policies.children.is_empty() {
        return Ok(String::new());
    }
    let mut writer = Writer::with_capacity(body.len());
    policies.write(&mut writer);
    Ok(writer.finish())
}

/// Shows what is kept.
pub(crate) fn answer(kept: &str) -> Answer {
    if !kept.is_empty() {
        return answer::xml(StatusCode::OK, kept.to_owned());
    }
    let mut writer = Writer::with_capacity(64);
    writer.element(ROOT, "");
    answer::xml(StatusCode::OK, writer.finish())
}
