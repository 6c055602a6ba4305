//! One HTTP exchange of the built-in activity, as values and as the JSON that the history keeps: what the host is asked to send,
//! and what comes back.
//!
//! Also where a request may be sent on to, and with which of its headers; the exchange itself is the host's.

use crate::{Failure, Json};
use serde_json::Value;
use url::Url;

/// How much of a body a failure quotes, in characters.
const QUOTED_CHARS: usize = 1_000;

/// Parts of header names that speak of secrets. Such a header is sent to no other origin than the orchestrator named; losing one
/// that is harmless costs little.
const SECRETIVE: [&str; 9] =
    ["auth", "cookie", "key", "token", "secret", "password", "credential", "session", "signature"];

/// One request of the built-in activity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpRequest {
    /// The method, as it was written.
    pub method: String,
    /// The absolute URL, `http` or `https`, without a fragment.
    pub url: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub content: Option<String>,
    /// Status codes that count as failures; an empty list: all from 400. None: every answer is a result.
    pub fail_on_status: Option<Vec<u16>>,
}

impl HttpRequest {
    /// Checks that it can be sent at all, and writes the URL in its normal form.
    ///
    /// # Errors
    /// Names what is wrong with it.
    pub(super) fn checked(self) -> Result<HttpRequest, String> {
        if !is_token(&self.method) {
            return Err(format!("'{}' is no HTTP method; give one such as GET", self.method));
        }
        let url = match Url::parse(&self.url) {
            Ok(url) => sendable(url).ok_or_else(|| {
                "the URL is neither 'http' nor 'https'; give one that begins with https://".to_owned()
            })?,
            Err(why) => return Err(format!("the URL cannot be read ({why}); give an absolute one")),
        };
        for (name, value) in &self.headers {
            if !is_token(name) {
                return Err(format!("'{name}' is no header name; leave out spaces, colons and what is not ASCII"));
            }
            if value.chars().any(|c| c.is_control() && c != '\t') {
                return Err(format!("the header '{name}' has a control character in its value; leave it out"));
            }
        }
        Ok(HttpRequest { url: url.into(), ..self })
    }

    /// The same request at the place that an answer to it names, which may be relative. To another origin (scheme, host and
    /// port) go neither its secrets nor its `Host`. None: nothing can be sent there.
    pub fn moved_to(&self, location: &str) -> Option<HttpRequest> {
        let from = Url::parse(&self.url).ok()?;
        let to = sendable(from.join(location).ok()?)?;
        let mut moved = HttpRequest { url: to.as_str().to_owned(), ..self.clone() };
        if from.origin() != to.origin() {
            moved.headers.retain(|(name, _)| !stays_at_origin(name));
        }
        Some(moved)
    }

    /// What the request looks like as the input of the built-in activity:
    /// `{"method", "uri", "headers": {name: value | [values]}, "content", "statusCodesToRetry"}`, the last two if there are any.
    pub fn to_json(&self) -> Json {
        let HttpRequest { method, url, headers, content, fail_on_status } = self;
        let mut text =
            format!(r#"{{"method":{},"uri":{},"headers":{}"#, quoted(method), quoted(url), headers_to_json(headers));
        if let Some(content) = content {
            text.push_str(&format!(r#","content":{}"#, quoted(content)));
        }
        if let Some(statuses) = fail_on_status {
            let statuses: Vec<_> = statuses.iter().map(u16::to_string).collect();
            text.push_str(&format!(r#","statusCodesToRetry":[{}]"#, statuses.join(",")));
        }
        text.push('}');
        Json::from(text)
    }

    /// Reads what [`HttpRequest::to_json`] wrote.
    ///
    /// # Errors
    /// Names what is missing or of the wrong kind.
    pub fn from_json(json: &Json) -> Result<HttpRequest, String> {
        let value: Value = serde_json::from_str(json.as_str()).map_err(|why| format!("it is no JSON: {why}"))?;
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let fail_on_status = match value.get("statusCodesToRetry") {
            None => None,
            Some(list) => Some(statuses(list).ok_or("'statusCodesToRetry' is no list of status codes")?),
        };
        Ok(HttpRequest {
            method: text("method").ok_or("'method' is missing")?,
            url: text("uri").ok_or("'uri' is missing")?,
            headers: headers_from_json(value.get("headers")).ok_or("'headers' is no object of texts")?,
            content: text("content"),
            fail_on_status,
        })
    }

    /// What the built-in activity returns for this response: the response as JSON, or a failure of the type `HttpStatus`.
    pub fn outcome(&self, response: &HttpResponse) -> Result<Json, Failure> {
        let status = response.status;
        let fails = match &self.fail_on_status {
            None => false,
            Some(statuses) if statuses.is_empty() => status >= 400,
            Some(statuses) => statuses.contains(&status),
        };
        if !fails {
            return Ok(response.to_json());
        }
        let message = format!("{} was answered with status {status}", self.shown());
        let mut failure = Failure::new(Failure::HTTP_STATUS, message);
        failure.properties.insert("statusCode".to_owned(), status.to_string());
        if !response.content.is_empty() {
            failure.details = Some(response.content.chars().take(QUOTED_CHARS).collect());
        }
        Err(failure)
    }

    /// Method and URL for messages; the query is left out, because it may hold secrets.
    pub fn shown(&self) -> String {
        let end = self.url.find('?').unwrap_or(self.url.len());
        format!("{} {}", self.method, &self.url[..end])
    }
}

/// What a request was answered with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub content: String,
}

impl HttpResponse {
    /// What the response looks like as the result of the built-in activity, and to the orchestrator:
    /// `{"statusCode", "headers": {name: value | [values]}, "content"}`.
    pub fn to_json(&self) -> Json {
        let HttpResponse { status, headers, content } = self;
        let (headers, content) = (headers_to_json(headers), quoted(content));
        Json::from(format!(r#"{{"statusCode":{status},"headers":{headers},"content":{content}}}"#))
    }

    /// Reads what [`HttpResponse::to_json`] wrote; none if it is something else.
    pub fn from_json(json: &Json) -> Option<HttpResponse> {
        let value: Value = serde_json::from_str(json.as_str()).ok()?;
        Some(HttpResponse {
            status: u16::try_from(value.get("statusCode")?.as_u64()?).ok()?,
            headers: headers_from_json(value.get("headers"))?,
            content: value.get("content").and_then(Value::as_str).unwrap_or_default().to_owned(),
        })
    }

    /// The first value of a header, whose name is compared without case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A URL that an HTTP request can be made to.
fn sendable(mut url: Url) -> Option<Url> {
    url.set_fragment(None);
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn stays_at_origin(header: &str) -> bool {
    let name = header.to_ascii_lowercase();
    name == "host" || SECRETIVE.iter().any(|part| name.contains(part))
}

/// A token as HTTP defines it: what methods and header names are made of.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// An object with one entry for each name, in the order of their first appearance; history compares it as text.
fn headers_to_json(headers: &[(String, String)]) -> String {
    let mut merged: Vec<(&str, Vec<String>)> = Vec::new();
    for (name, value) in headers {
        match merged.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
            Some((_, values)) => values.push(quoted(value)),
            None => merged.push((name, vec![quoted(value)])),
        }
    }
    let entries: Vec<_> = merged
        .into_iter()
        .map(|(name, values)| match &values[..] {
            [value] => format!("{}:{value}", quoted(name)),
            values => format!("{}:[{}]", quoted(name), values.join(",")),
        })
        .collect();
    format!("{{{}}}", entries.join(","))
}

fn headers_from_json(value: Option<&Value>) -> Option<Vec<(String, String)>> {
    let Some(value) = value else { return Some(Vec::new()) };
    let mut headers = Vec::new();
    for (name, value) in value.as_object()? {
        if let Some(values) = value.as_array() {
            for value in values {
                headers.push((name.clone(), value.as_str()?.to_owned()));
            }
        } else {
            headers.push((name.clone(), value.as_str()?.to_owned()));
        }
    }
    Some(headers)
}

fn statuses(list: &Value) -> Option<Vec<u16>> {
    let status = |value: &Value| u16::try_from(value.as_u64()?).ok();
    list.as_array()?.iter().map(status).collect()
}
