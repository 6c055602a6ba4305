//! One request after it was let in: what it asks for, in parts that services look up.

use super::Stamp;
use super::error::{ServiceError, code};
use crate::{Account, Service};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use orchestration::Timestamp;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use uuid::Uuid;

/// One authorised request with its whole body.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) method: Method,
    /// What follows the account in the path, with its escapes, without the slash in front; empty: the account itself.
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the client reads from the secondary location.
    pub(crate) secondary: bool,
    /// The address of the account's service as the client knows it, without a slash at its end.
    pub(crate) base_url: String,
    pub(crate) request_id: Uuid,
    /// When the request came.
    pub(crate) now: Timestamp,
}

impl Call {
    /// What makes this request another than all others.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { request_id: self.request_id, now: self.now }
    }

    /// The value of a header, if it is readable text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Tables' clients leave `restype` out of what they sign, and one of them leaves it out altogether.
    pub(super) fn is_service_of_table(&self) -> bool {
        self.service == Service::Table
            && self.path.is_empty()
            && (self.query.is("comp", "properties") || self.query.is("comp", "stats"))
    }

    /// The method is none that this resource knows.
    pub(crate) fn unsupported_method(&self) -> ServiceError {
        code::UNSUPPORTED_HTTP_VERB.because(&format!("The method was {}.", self.method))
    }
}

/// Takes the escapes out of a part of a path.
pub(crate) fn unescaped(part: &str) -> Result<Cow<'_, str>, ServiceError> {
    percent_decode_str(part).decode_utf8().map_err(|_| code::INVALID_URI.because("The path is not UTF-8."))
}

/// The parameters of a query, without their escapes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Result<Query, ServiceError> {
        let unescape = |text: &str| {
            let spaced: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
            let plain = percent_decode_str(&spaced).decode_utf8().map(Cow::into_owned);
            plain.map_err(|_| code::INVALID_URI.because("The query is not UTF-8."))
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((unescape(name)?, unescape(value)?))
        });
        pairs.collect::<Result<Vec<_>, _>>().map(Query)
    }

    /// The first value of a parameter, whatever the case of its name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter has that value, whatever the case of both.
    pub(crate) fn is(&self, name: &str, value: &str) -> bool {
        self.get(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
    }

    /// A parameter as a whole number in a range; none if it is not there.
    pub(crate) fn number(&self, name: &str, min: i64, max: i64) -> Result<Option<i64>, ServiceError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let Ok(number) = text.parse::<i64>() else {
            return Err(code::INVALID_QUERY_PARAMETER_VALUE
                .because("")
                .with("QueryParameterName", name)
                .with("QueryParameterValue", text)
                .with("Reason", "It is not a whole number."));
        };
        if (min..=max).contains(&number) {
            return Ok(Some(number));
        }
        Err(code::OUT_OF_RANGE_QUERY_PARAMETER_VALUE
            .because("")
            .with("QueryParameterName", name)
            .with("QueryParameterValue", text)
            .with("MinimumAllowed", &min.to_string())
            .with("MaximumAllowed", &max.to_string()))
    }
}

/// Where a request goes, as its address says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Addressed {
    /// What follows the account in the path.
    pub(super) rest: String,
    pub(super) secondary: bool,
    /// Whether the account stands in the host name rather than in the path.
    pub(super) by_host: bool,
}

impl Addressed {
    /// Finds the account in the host name (`account.queue.localhost`) or at the beginning of the path.
    pub(super) fn find(account: &Account, service: Service, head: &Parts) -> Result<Addressed, ServiceError> {
        let path = head.uri.path().strip_prefix('/').unwrap_or(head.uri.path());
        let mut labels = host(head).split(':').next().unwrap_or("").split('.');
        if let (Some(first), Some(second)) = (labels.next(), labels.next())
            && let Some(secondary) = names(account, first)
            && second == service.name()
        {
            return Ok(Addressed { rest: path.to_owned(), secondary, by_host: true });
        }
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        match names(account, first) {
            Some(secondary) => Ok(Addressed { rest: rest.to_owned(), secondary, by_host: false }),
            None => Err(code::INVALID_URI.because(&format!(
                "This endpoint serves the account '{name}' alone; its paths begin with /{name}.",
                name = account.name()
            ))),
        }
    }

    /// The address of the account's service as the client knows it.
    pub(super) fn base_url(&self, account: &Account, head: &Parts) -> String {
        let (name, suffix) =
            if self.by_host { ("", "") } else { (account.name(), if self.secondary { "-secondary" } else { "" }) };
        let slash = if self.by_host { "" } else { "/" };
        ["http://", host(head), slash, name, suffix].concat()
    }
}

fn host(head: &Parts) -> &str {
    let header = head.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    header.or_else(|| head.uri.authority().map(|authority| authority.as_str())).unwrap_or("")
}

/// Whether the text names the account, and then whether its secondary location.
fn names(account: &Account, text: &str) -> Option<bool> {
    match text.strip_prefix(account.name())? {
        "" => Some(false),
        "-secondary" => Some(true),
        _ => None,
    }
}
