//! In which form an answer tells what it tells: how much metadata, and whether anything at all.

use super::errors::ATOM_FORMAT_NOT_SUPPORTED;
use crate::endpoint::answer::{self, Answer};
use crate::endpoint::call::Call;
use crate::endpoint::error::{ServiceError, code};
use http::header::HeaderName;
use http::{HeaderMap, StatusCode, header};
use storage_model::{EntityForm, EntityPlace, MetadataLevel};

pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How much metadata a client wants: `$format`, or else `Accept`; the middle level if it does not say.
pub(super) fn level(headers: &HeaderMap, format: Option<&str>) -> Result<MetadataLevel, ServiceError> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let wanted = format.or(accept).unwrap_or("").to_ascii_lowercase().replace(' ', "");
    if wanted.contains("odata=nometadata") {
        Ok(MetadataLevel::None)
    } else if wanted.contains("odata=fullmetadata") {
        Ok(MetadataLevel::Full)
    } else if wanted.contains("atom") && !wanted.contains("json") && !wanted.contains("*/*") {
        Err(ATOM_FORMAT_NOT_SUPPORTED.because("Ask for application/json."))
    } else {
        Ok(MetadataLevel::Minimal)
    }
}

/// The level that the call itself asks for.
pub(super) fn level_of(call: &Call) -> Result<MetadataLevel, ServiceError> {
    level(&call.headers, call.query.get("$format"))
}

/// An answer in JSON of that level.
pub(super) fn json(status: StatusCode, level: MetadataLevel, body: String) -> Answer {
    let content_type = match level {
        MetadataLevel::None => "application/json;odata=nometadata;streaming=true;charset=utf-8",
        MetadataLevel::Minimal => "application/json;odata=minimalmetadata;streaming=true;charset=utf-8",
        MetadataLevel::Full => "application/json;odata=fullmetadata;streaming=true;charset=utf-8",
    };
    answer::with_body(status, content_type, body)
}

/// Where the account's tables and entities live, as the client knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Root<'a> {
    pub(super) url: &'a str,
}

impl<'a> Root<'a> {
    pub(super) fn of(call: &'a Call) -> Root<'a> {
        Root { url: &call.base_url }
    }

    /// How an entity of that table is written.
    pub(super) fn form(self, level: MetadataLevel, table: &'a str) -> EntityForm<'a> {
        let place = EntityPlace { account: self.account(), root: self.url, table };
        EntityForm { level, place, select: None, stands_alone: true }
    }

    /// In the path of the address, or before the first point of its host name.
    pub(super) fn account(self) -> &'a str {
        let (host, path) = self.split();
        let account = if path.is_empty() { host.split('.').next().unwrap_or(host) } else { path };
        account.strip_suffix("-secondary").unwrap_or(account)
    }

    /// Host, and path without a slash in front.
    pub(super) fn split(self) -> (&'a str, &'a str) {
        let address = self.url.split_once("://").map_or(self.url, |(_, address)| address);
        address.split_once('/').unwrap_or((address, ""))
    }
}

/// Whether the answer to an insertion tells what was inserted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Preference {
    /// `return-content`
    Content,
    /// `return-no-content`
    NoContent,
    /// Content, as tables do when nobody says.
    Unsaid,
}

impl Preference {
    pub(super) fn of(headers: &HeaderMap) -> Preference {
        match headers.get("prefer").map(|value| value.as_bytes().trim_ascii()) {
            Some(b"return-no-content") => Preference::NoContent,
            Some(b"return-content") => Preference::Content,
            Some(_) | None => Preference::Unsaid,
        }
    }

    /// Says in the answer that the wish was heard.
    pub(super) fn confirm(self, answer: &mut Answer) {
        match self {
            Preference::Content => answer::put(answer, PREFERENCE_APPLIED, "return-content"),
            Preference::NoContent => answer::put(answer, PREFERENCE_APPLIED, "return-no-content"),
            Preference::Unsaid => {}
        }
    }
}

/// The body as text in JSON; other formats are refused by name.
pub(super) fn json_body<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<&'a str, ServiceError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if content_type.to_ascii_lowercase().contains("atom") {
        return Err(ATOM_FORMAT_NOT_SUPPORTED.because("Send application/json."));
    }
    std::str::from_utf8(body).map_err(|_| code::INVALID_INPUT.because("The body is not UTF-8."))
}
