//! Signatures of requests: which string is signed, and with what.
//!
//! Shared Key and Shared Key Lite, for queues and blobs and for tables, as Azure Storage documents them under "Authorize with
//! Shared Key". Whose signature counts and how old it may be is decided by `endpoint`.

use crate::Service;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{self, HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use sha2::Sha256;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A key of an account, prepared: the first block of the hash is computed once, not for each request.
#[derive(Clone)]
pub(crate) struct Key(Hmac<Sha256>);

impl Key {
    /// A key as connection strings have it.
    pub(crate) fn from_base64(text: &str) -> Result<Key, base64::DecodeError> {
        let bytes = STANDARD.decode(text.trim())?;
        Ok(Key(Hmac::new_from_slice(&bytes).expect("HMAC takes keys of any length")))
    }

    /// The signature of a text, in base64.
    pub(crate) fn sign(&self, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    /// Whether that is the signature of a text. Takes the same time wherever they differ.
    pub(crate) fn verify(&self, text: &str, signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        mac.verify_slice(&signature).is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// How a request is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    /// `SharedKey`
    SharedKey,
    /// `SharedKeyLite`
    SharedKeyLite,
}

/// In which order the `x-ms-` headers are signed. The two differ only where names differ by hyphens or signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HeaderOrder {
    /// As the service sorts: words first, hyphens later. What Azure's own client libraries do.
    Service,
    /// By bytes, as its documentation is often read.
    Bytes,
}

/// What of a request is signed.
#[derive(Clone, Copy)]
pub(crate) struct Signable<'a> {
    pub(crate) service: Service,
    pub(crate) account: &'a str,
    pub(crate) method: &'a str,
    /// The path as it is sent, with its escapes.
    pub(crate) path: &'a str,
    /// The query as it is sent, without its question mark.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) order: HeaderOrder,
}

impl Signable<'_> {
    /// The text whose signature goes into the `Authorization` header.
    pub(crate) fn string_to_sign(&self, scheme: Scheme) -> String {
        let mut text = String::with_capacity(512);
        match (self.service, scheme) {
            (Service::Table, Scheme::SharedKey) => {
                let date = self.date_of_tables();
                self.lines(
                    &mut text,
                    &[self.method, self.value(&header_name::CONTENT_MD5), self.value(&header::CONTENT_TYPE), date],
                );
                self.resource_with_comp(&mut text);
            }
            (Service::Table, Scheme::SharedKeyLite) => {
                self.lines(&mut text, &[self.date_of_tables()]);
                self.resource_with_comp(&mut text);
            }
            (Service::Blob | Service::Queue, Scheme::SharedKey) => {
                self.standard_headers(&mut text);
                self.canonical_headers(&mut text);
                self.resource_with_query(&mut text);
            }
            (Service::Blob | Service::Queue, Scheme::SharedKeyLite) => {
                let date = self.date_of_others();
                self.lines(
                    &mut text,
                    &[self.method, self.value(&header_name::CONTENT_MD5), self.value(&header::CONTENT_TYPE), date],
                );
                self.canonical_headers(&mut text);
                self.resource_with_comp(&mut text);
            }
        }
        text
    }

    fn standard_headers(&self, text: &mut String) {
        // Since version 2015-02-21 a length of zero is signed as nothing.
        let length = match self.value(&header::CONTENT_LENGTH) {
            "0" => "",
            length => length,
        };
        self.lines(
            text,
            &[
                self.method,
                self.value(&header::CONTENT_ENCODING),
                self.value(&header::CONTENT_LANGUAGE),
                length,
                self.value(&header_name::CONTENT_MD5),
                self.value(&header::CONTENT_TYPE),
                self.date_of_others(),
                self.value(&header::IF_MODIFIED_SINCE),
                self.value(&header::IF_MATCH),
                self.value(&header::IF_NONE_MATCH),
                self.value(&header::IF_UNMODIFIED_SINCE),
                self.value(&header::RANGE),
            ],
        );
    }

    fn lines(&self, text: &mut String, lines: &[&str]) {
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
    }

    fn value(&self, name: &HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    fn date_of_tables(&self) -> &str {
        match self.value(&header_name::X_MS_DATE) {
            "" => self.value(&header::DATE),
            date => date,
        }
    }

    fn date_of_others(&self) -> &str {
        if self.headers.contains_key(&header_name::X_MS_DATE) { "" } else { self.value(&header::DATE) }
    }

    fn canonical_headers(&self, text: &mut String) {
        let mut names: Vec<&HeaderName> =
            self.headers.keys().filter(|name| name.as_str().starts_with("x-ms-")).collect();
        match self.order {
            HeaderOrder::Service => names.sort_unstable_by(|a, b| service_order(a.as_str(), b.as_str())),
            HeaderOrder::Bytes => names.sort_unstable_by_key(|name| name.as_str()),
        }
        for name in names {
            text.push_str(name.as_str());
            for (index, value) in self.headers.get_all(name).iter().enumerate() {
                text.push(if index == 0 { ':' } else { ',' });
                text.push_str(String::from_utf8_lossy(value.as_bytes()).trim());
            }
            text.push('\n');
        }
    }

    fn resource_with_comp(&self, text: &mut String) {
        self.resource(text);
        let comp = self.pairs().find(|(name, _)| name.eq_ignore_ascii_case("comp"));
        if let Some((_, value)) = comp {
            text.push_str("?comp=");
            text.push_str(&value);
        }
    }

    fn resource_with_query(&self, text: &mut String) {
        self.resource(text);
        let mut pairs: Vec<(String, Cow<'_, str>)> =
            self.pairs().map(|(name, value)| (name.to_lowercase(), value)).collect();
        pairs.sort_unstable();
        for (index, (name, value)) in pairs.iter().enumerate() {
            let same_as_before = index.checked_sub(1).is_some_and(|before| pairs[before].0 == *name);
            if same_as_before {
                text.push(',');
            } else {
                text.push('\n');
                text.push_str(name);
                text.push(':');
            }
            text.push_str(value);
        }
    }

    fn resource(&self, text: &mut String) {
        text.push('/');
        text.push_str(self.account);
        text.push_str(self.path);
    }

    /// Names and values without their escapes. A plus sign stays one: client libraries sign it so.
    fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode_str(name).decode_utf8_lossy(), percent_decode_str(value).decode_utf8_lossy())
        })
    }
}

/// Compares names of headers as the service does: first without hyphens and apostrophes, signs before digits and digits before
/// letters; if that leaves them equal, the one is greater that has the first hyphen which the other has not.
pub(crate) fn service_order(a: &str, b: &str) -> Ordering {
    words(a).cmp(words(b)).then_with(|| a.bytes().map(lightness).cmp(b.bytes().map(lightness)))
}

/// A name without hyphens and apostrophes.
fn words(name: &str) -> impl Iterator<Item = (u8, u8)> {
    name.bytes().filter(|byte| lightness(*byte) == 0).map(weight)
}

/// Hyphens and apostrophes count only among names that are equal without them.
fn lightness(byte: u8) -> u8 {
    match byte {
        b'-' => 2,
        b'\'' => 1,
        _ => 0,
    }
}

fn weight(byte: u8) -> (u8, u8) {
    const SIGNS: &[u8] = b"!#$%&*.^_`|~+";
    match byte {
        b'0'..=b'9' => (1, byte),
        b'a'..=b'z' | b'A'..=b'Z' => (2, byte.to_ascii_lowercase()),
        sign => (0, SIGNS.iter().position(|other| *other == sign).map_or(u8::MAX, |place| place as u8)),
    }
}

/// Headers that `http` has no constants for.
pub(crate) mod header_name {
    use http::HeaderName;

    pub(crate) const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
    pub(crate) const X_MS_DATE: HeaderName = HeaderName::from_static("x-ms-date");
    pub(crate) const X_MS_VERSION: HeaderName = HeaderName::from_static("x-ms-version");
    pub(crate) const X_MS_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
    pub(crate) const X_MS_CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
    pub(crate) const X_MS_ERROR_CODE: HeaderName = HeaderName::from_static("x-ms-error-code");
}
