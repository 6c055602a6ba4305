//! Cross-origin requests: which web pages of other origins may call functions and the management API from a browser.
//!
//! Owns preflights, which are answered before any route is looked up, so that functions need not list OPTIONS; and the
//! headers of answers. Any method and any header is allowed to an allowed origin, as in Azure. This keeps no caller out that
//! is not a browser: that is what keys are for.

#[cfg(test)]
mod tests;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use std::collections::BTreeSet;

use crate::management::reply::{self, Reply};

/// Stands for all origins.
const ANY: &str = "*";

/// Which origins are let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cors {
    origins: Origins,
    /// Whether pages may send cookies along, and what else the browser has of this host.
    credentials: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Origins {
    Any,
    /// As browsers write them.
    Listed(BTreeSet<String>),
}

/// Why origins cannot be allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadCors {
    /// Every page could act for whoever is logged in.
    #[error("all origins ('*') cannot be allowed together with credentials; list the origins that may send them")]
    AnyWithCredentials,
    /// See the text.
    #[error(
        "'{0}' is no origin; an origin is a scheme, a host and, if need be, a port, such as https://app.example:8080"
    )]
    NoOrigin(String),
    /// There is nobody who could send them.
    #[error("credentials are allowed, but no origin is; name the origins that may send them")]
    NobodyWithCredentials,
}

/// What a request from a browser is to cross-origin rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crossing {
    /// The page's origin, if it is allowed.
    allowed: Option<HeaderValue>,
}

impl Cors {
    /// The rules for a list of origins; none if the list is empty.
    ///
    /// # Errors
    /// An origin is none, or credentials are allowed to everybody or nobody.
    pub(crate) fn new<'a>(
        origins: impl IntoIterator<Item = &'a str>,
        credentials: bool,
    ) -> Result<Option<Cors>, BadCors> {
        let mut listed = BTreeSet::new();
        let mut any = false;
        for origin in origins.into_iter().map(str::trim).filter(|origin| !origin.is_empty()) {
            if origin == ANY {
                any = true;
            } else {
                listed.insert(normal_form(origin).ok_or_else(|| BadCors::NoOrigin(origin.to_owned()))?);
            }
        }
        match (any, credentials, listed.is_empty()) {
            (true, true, _) => Err(BadCors::AnyWithCredentials),
            (true, false, _) => Ok(Some(Cors { origins: Origins::Any, credentials })),
            (false, _, false) => Ok(Some(Cors { origins: Origins::Listed(listed), credentials })),
            (false, true, true) => Err(BadCors::NobodyWithCredentials),
            (false, false, true) => Ok(None),
        }
    }

    /// The answer to a preflight; none if the request is no preflight. To an origin that is not allowed it lacks everything
    /// that the browser looks for, and the browser tells the page.
    pub(crate) fn preflight(&self, head: &Parts) -> Option<Reply> {
        let method = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        if head.method != Method::OPTIONS || !head.headers.contains_key(ORIGIN) {
            return None;
        }
        let mut reply = reply::empty(StatusCode::NO_CONTENT);
        let crossing = self.crossing(head);
        if crossing.allowed.is_some() {
            reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
            if let Some(headers) = head.headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
                reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
            }
        }
        self.mark(crossing, reply.headers_mut());
        Some(reply)
    }

    /// What [`Cors::mark`] has to know of a request.
    pub(crate) fn crossing(&self, head: &Parts) -> Crossing {
        let allowed = head.headers.get(ORIGIN).filter(|origin| match &self.origins {
            Origins::Any => true,
            Origins::Listed(listed) => {
                origin.to_str().is_ok_and(|origin| listed.contains(&origin.to_ascii_lowercase()))
            }
        });
        Crossing { allowed: allowed.cloned() }
    }

    /// Tells the browser in an answer's headers what the page may see. Headers of the function for this are replaced: two
    /// of them are an error to browsers.
    pub(crate) fn mark(&self, crossing: Crossing, headers: &mut HeaderMap) {
        // Whoever keeps answers must not give one page's to another. With any origin all answers are alike.
        if self.origins != Origins::Any {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        let Some(origin) = crossing.allowed else { return };
        let value = match self.origins {
            Origins::Any => HeaderValue::from_static(ANY),
            Origins::Listed(_) => origin,
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, value);
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

/// An origin as browsers write it: in lower case, without the port that the scheme implies. A slash at the end, which people
/// copy from the address bar, is passed over.
fn normal_form(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let scheme = uri.scheme_str()?;
    let authority: &Authority = uri.authority()?;
    let is_bare = uri.path_and_query().is_none_or(|rest: &PathAndQuery| rest.as_str() == "/");
    let names_nobody_else = !authority.as_str().contains('@') && !authority.host().contains('*');
    if !is_bare || !names_nobody_else || text.ends_with("//") {
        return None;
    }
    let implied = match scheme {
        "http" => Some(80),
        "https" => Some(443),
        // Extensions of browsers and desktop shells have schemes of their own.
        _ => None,
    };
    let host = authority.host();
    let origin = match (authority.as_str().strip_prefix(host)?.strip_prefix(':'), authority.port_u16()) {
        (None, _) => format!("{scheme}://{host}"),
        (Some(_), Some(port)) if Some(port) == implied => format!("{scheme}://{host}"),
        (Some(_), Some(port)) => format!("{scheme}://{host}:{port}"),
        (Some(_), None) => return None,
    };
    Some(origin.to_ascii_lowercase())
}
