//! Bodies of several parts (`multipart/mixed`), and requests and answers written into a part (`application/http`).
//!
//! Reading takes CRLF and bare LF as ends of lines; writing uses CRLF throughout, as clients of tables insist on it.

use crate::endpoint::answer::Answer;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// Longest boundary, as in RFC 2046.
const MAX_BOUNDARY_CHARS: usize = 70;
/// Most header lines of a part or of a request in a part.
const MAX_HEADERS: usize = 64;

/// Why a body does not have the parts that its type promises.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Malformed {
    /// The reader stopped there.
    #[error("there are more parts than {max}")]
    TooManyParts {
        /// How many there may be.
        max: usize,
    },
    /// Anything else.
    #[error("{0}")]
    Form(String),
}

fn malformed(what: impl Into<String>) -> Malformed {
    Malformed::Form(what.into())
}

/// A part: its headers and what follows them.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    pub(super) headers: HeaderMap,
    pub(super) content: &'a [u8],
}

/// A request that stands in a part.
#[derive(Clone, Debug)]
pub(super) struct EmbeddedRequest<'a> {
    pub(super) method: Method,
    /// An absolute address, or a path.
    pub(super) target: &'a str,
    pub(super) headers: HeaderMap,
    /// Without white space around it.
    pub(super) body: &'a [u8],
}

/// The boundary of a `multipart/mixed` type; none for other types.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let mut fields = content_type.split(';').map(str::trim);
    if !fields.next()?.eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let named = fields.filter_map(|field| field.split_once('='));
    let (_, value) = { named }.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let value = value.trim().trim_matches('"');
    let fits =
        (1..=MAX_BOUNDARY_CHARS).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    fits.then_some(value)
}

/// The parts between the boundaries, at most `max`. The closing boundary must be there: a body that broke off is no shorter body.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &str, max: usize) -> Result<Vec<Part<'a>>, Malformed> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut begin: Option<usize> = None;
    let mut at = 0;
    while at < body.len() {
        let (line, next) = line_at(body, at);
        let after = line.strip_prefix(delimiter.as_bytes()).map(<[u8]>::trim_ascii_end);
        let is_delimiter = matches!(after, Some(b"" | b"--"));
        if is_delimiter && let Some(begin) = begin {
            if parts.len() == max {
                return Err(Malformed::TooManyParts { max });
            }
            parts.push(part(without_last_line_end(body.get(begin..at).unwrap_or_default()))?);
        }
        if after == Some(b"--") {
            return if begin.is_some() { Ok(parts) } else { Err(malformed("there is no part")) };
        }
        if is_delimiter {
            begin = Some(next);
        }
        at = next;
    }
    Err(malformed(format!("the closing boundary '{delimiter}--' is missing")))
}

fn part(bytes: &[u8]) -> Result<Part<'_>, Malformed> {
    let (headers, content) = headers(bytes)?;
    Ok(Part { headers, content })
}

impl<'a> EmbeddedRequest<'a> {
    /// Reads a part of the type `application/http`.
    pub(super) fn from_part(part: &Part<'a>) -> Result<EmbeddedRequest<'a>, Malformed> {
        let content_type = part.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
        let content_type = content_type.split(';').next().unwrap_or("").trim();
        if !content_type.eq_ignore_ascii_case("application/http") {
            return Err(malformed(format!(
                "a part of a batch has the type application/http, and this has '{content_type}'"
            )));
        }
        let content = part.content.trim_ascii_start();
        let (line, next) = line_at(content, 0);
        let line = std::str::from_utf8(line).map_err(|_| malformed("a request line is not UTF-8"))?;
        let mut words = line.split_ascii_whitespace();
        let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(malformed(format!("'{line}' is no request line; write 'POST http://address HTTP/1.1'")));
        };
        let method =
            Method::from_bytes(method.as_bytes()).map_err(|_| malformed(format!("'{method}' is no method")))?;
        let (headers, body) = headers(content.get(next..).unwrap_or_default())?;
        Ok(EmbeddedRequest { method, target, headers, body: body.trim_ascii() })
    }
}

/// Lines of headers up to an empty line, and what follows it.
fn headers(bytes: &[u8]) -> Result<(HeaderMap, &[u8]), Malformed> {
    let mut headers = HeaderMap::new();
    let mut at = 0;
    while at < bytes.len() {
        let (line, next) = line_at(bytes, at);
        at = next;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|&byte| byte == b':').ok_or_else(|| {
            malformed(format!("'{}' is no header line", String::from_utf8_lossy(line.get(..60).unwrap_or(line))))
        })?;
        let (name, value) = line.split_at(colon);
        let name = HeaderName::from_bytes(name.trim_ascii());
        let value = HeaderValue::from_bytes(value.get(1..).unwrap_or_default().trim_ascii());
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(malformed("a header has a character that no header can have"));
        };
        if headers.len() == MAX_HEADERS {
            return Err(malformed(format!("a part has more than {MAX_HEADERS} headers")));
        }
        headers.append(name, value);
    }
    Ok((headers, bytes.get(at..).unwrap_or_default()))
}

/// The line that begins there, without its end, and where the next one begins.
fn line_at(bytes: &[u8], at: usize) -> (&[u8], usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.iter().position(|&byte| byte == b'\n') {
        Some(end) => {
            let line = rest.get(..end).unwrap_or_default();
            (line.strip_suffix(b"\r").unwrap_or(line), at + end + 1)
        }
        None => (rest, bytes.len()),
    }
}

/// The end of the line before a boundary belongs to the boundary.
fn without_last_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// A body of several parts that is being written.
pub(super) struct Writer {
    boundary: String,
    body: Vec<u8>,
}

impl Writer {
    pub(super) fn new(boundary: String) -> Writer {
        Writer { boundary, body: Vec::new() }
    }

    /// Its type, with the boundary.
    pub(super) fn content_type(&self) -> String {
        format!("multipart/mixed; boundary={}", self.boundary)
    }

    /// A part that has parts itself.
    pub(super) fn nested(&mut self, inner: Writer) {
        let content_type = inner.content_type();
        self.line(&format!("--{}", self.boundary));
        self.line(&format!("Content-Type: {content_type}"));
        self.line("");
        self.body.extend(inner.finish());
    }

    /// A part that is an answer.
    pub(super) fn answer(&mut self, answer: &Answer) {
        let status = answer.status();
        self.line(&format!("--{}", self.boundary));
        self.line("Content-Type: application/http");
        self.line("Content-Transfer-Encoding: binary");
        self.line("");
        self.line(&format!("HTTP/1.1 {} {}", status.as_u16(), status.canonical_reason().unwrap_or("")));
        self.line("X-Content-Type-Options: nosniff");
        self.line("Cache-Control: no-cache");
        self.line("DataServiceVersion: 3.0;");
        for (name, value) in answer.headers() {
            // One client looks for "ETag" with that case.
            let name = if name == http::header::ETAG { "ETag" } else { name.as_str() };
            self.line(&format!("{name}: {}", value.to_str().unwrap_or("")));
        }
        self.line("");
        self.body.extend_from_slice(answer.body());
        self.line("");
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.line(&format!("--{}--", self.boundary));
        self.body
    }

    fn line(&mut self, line: &str) {
        self.body.extend_from_slice(line.as_bytes());
        self.body.extend_from_slice(b"\r\n");
    }
}
