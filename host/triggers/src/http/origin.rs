//! Where a request was sent to, as its sender sees it: the scheme and authority that absolute URIs in answers begin with.
//!
//! Owns what of a request is believed. Anybody can write any header, so forwarding headers count only where the operator
//! says that a trusted proxy sets them.

use http::header::{FORWARDED, HOST, HeaderMap, HeaderName};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Version};
use std::fmt;

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Scheme and authority. Displays as `http://127.0.0.1:7071`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and port, never with user information.
    pub authority: Authority,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

/// Whether headers that a proxy sets are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedHeaders {
    /// They are treated like any other header; right unless every request comes through a proxy that sets them.
    Ignored,
    /// `Forwarded`, or else `X-Forwarded-Host` and `X-Forwarded-Proto`, replace the request's own scheme and host.
    Trusted,
}

/// How the origin of a request is found.
#[derive(Clone, Debug)]
pub struct OriginPolicy {
    /// The host's own address, for requests that name none (HTTP/1.0).
    pub own: Authority,
    /// Whether a proxy stands in front.
    pub forwarded: ForwardedHeaders,
}

/// Why a request has no origin. To be answered with 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// HTTP/1.1 demands the header.
    #[error("the request has no Host header; HTTP/1.1 requires one")]
    Missing,
    /// Which of several is meant is anybody's guess, and guesses differ between proxy and server.
    #[error("the request has several Host headers; send one")]
    Several,
    /// It is not `host` or `host:port`.
    #[error("the Host header {value:?} is not a host with an optional port")]
    Malformed {
        /// What was sent.
        value: String,
    },
}

impl OriginPolicy {
    /// The origin of a request.
    ///
    /// # Errors
    /// When the request's own host is missing or malformed. Malformed forwarding headers are passed over.
    pub fn of(&self, request: &Parts) -> Result<Origin, BadHost> {
        let own = self.own_origin(request)?;
        Ok(match self.forwarded {
            ForwardedHeaders::Ignored => own,
            ForwardedHeaders::Trusted => forwarded(&request.headers, own),
        })
    }

    fn own_origin(&self, request: &Parts) -> Result<Origin, BadHost> {
        // An absolute-form request line takes precedence over the header.
        let authority = match request.uri.authority() {
            Some(authority) => plain(authority.clone()).ok_or_else(|| BadHost::Malformed {
                value: request.uri.authority().map_or("", |a| a.as_str()).into(),
            })?,
            None => self.host_header(request)?,
        };
        Ok(Origin {
            scheme: request.uri.scheme().and_then(|s| known_scheme(s.as_str())).unwrap_or(Scheme::HTTP),
            authority,
        })
    }

    fn host_header(&self, request: &Parts) -> Result<Authority, BadHost> {
        let mut values = request.headers.get_all(HOST).iter();
        match (values.next(), values.next()) {
            (Some(_), Some(_)) => Err(BadHost::Several),
            (Some(value), None) if value.is_empty() => Ok(self.own.clone()),
            (Some(value), None) => value.to_str().ok().and_then(parse_authority).ok_or_else(|| malformed(value)),
            (None, _) if request.version == Version::HTTP_11 => Err(BadHost::Missing),
            (None, _) => Ok(self.own.clone()),
        }
    }
}

fn malformed(value: &HeaderValue) -> BadHost {
    BadHost::Malformed { value: String::from_utf8_lossy(value.as_bytes()).into_owned() }
}

fn parse_authority(text: &str) -> Option<Authority> {
    text.parse().ok().and_then(plain)
}

/// The authority if it is host and port and nothing else. (`http` lets any text after the last colon pass as a port.)
fn plain(authority: Authority) -> Option<Authority> {
    let host = authority.host();
    let rest = authority.as_str().strip_prefix(host)?;
    let port_is_valid = match rest.strip_prefix(':') {
        None => rest.is_empty(),
        Some(port) => port.is_empty() || port.parse::<u16>().is_ok(),
    };
    (!host.is_empty() && port_is_valid).then_some(authority)
}

fn known_scheme(text: &str) -> Option<Scheme> {
    if text.eq_ignore_ascii_case("https") {
        Some(Scheme::HTTPS)
    } else if text.eq_ignore_ascii_case("http") {
        Some(Scheme::HTTP)
    } else {
        None
    }
}

/// What the proxy nearest to the client said; the own value for whatever it did not say, or not validly.
fn forwarded(headers: &HeaderMap, own: Origin) -> Origin {
    let (host, proto) = match first(headers, &FORWARDED) {
        Some(element) => (parameter(element, "host"), parameter(element, "proto")),
        None => (first(headers, &X_FORWARDED_HOST), first(headers, &X_FORWARDED_PROTO)),
    };
    Origin {
        scheme: proto.and_then(known_scheme).unwrap_or(own.scheme),
        authority: host.and_then(parse_authority).unwrap_or(own.authority),
    }
}

/// The first element of a comma-separated header.
fn first<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.split(',').next()?.trim())
}

fn parameter<'e>(element: &'e str, name: &str) -> Option<&'e str> {
    element.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}
