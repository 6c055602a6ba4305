//! HTTP functions with whole bodies: the request, the response, and what a failure becomes on the wire.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Failure, payload};

/// What a client sent. Take [`Request::get`] or [`Request::post`] to make one in a test.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// The absolute URL as the client wrote it.
    pub url: String,
    /// In the order in which they came; names in any case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// What the route template captured, by name.
    pub params: BTreeMap<String, String>,
    /// All of it.
    pub body: Vec<u8>,
    /// The id of this invocation, as in the host's log.
    pub invocation_id: String,
}

impl Request {
    /// A request without a body, for a test.
    pub fn get(url: impl Into<String>) -> Request {
        Request::new("GET", url)
    }

    /// A request with a JSON body, for a test.
    ///
    /// # Panics
    /// When the body cannot be written as JSON.
    pub fn post(url: impl Into<String>, body: &(impl Serialize + ?Sized)) -> Request {
        let mut request = Request::new("POST", url).with_header("content-type", "application/json");
        request.body = payload::encode(body, "the body").unwrap_or_else(|failure| panic!("{failure}")).into();
        request
    }

    fn new(method: &str, url: impl Into<String>) -> Request {
        Request {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            params: BTreeMap::new(),
            body: Vec::new(),
            invocation_id: String::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Request {
        self.headers.push((name.into(), value.into().into_bytes()));
        self
    }

    /// Sets what the route template would capture.
    #[must_use]
    pub fn with_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Request {
        self.params.insert(name.into(), value.into());
        self
    }

    /// The path of the URL: what is between the host and the query, still percent-encoded.
    pub fn path(&self) -> &str {
        let after_scheme = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let path = after_scheme.find('/').map_or("/", |slash| &after_scheme[slash..]);
        path.split(['?', '#']).next().unwrap_or(path)
    }

    /// The first value of a query parameter, decoded; empty if it has none.
    pub fn query(&self, name: &str) -> Option<String> {
        self.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// All query parameters in their order, decoded.
    pub fn query_pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let query = self.url.split('#').next().and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
        query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(name), percent_decode(value))
        })
    }

    /// The first header of that name, in any case, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// What the route template captured under that name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    /// The body as text.
    ///
    /// # Errors
    /// A failure that answers 400, when it is not UTF-8.
    pub fn text(&self) -> Result<&str, Failure> {
        std::str::from_utf8(&self.body).map_err(|error| bad_request(format!("the body is not UTF-8: {error}")))
    }

    /// The body read as JSON; an empty one counts as `null`.
    ///
    /// # Errors
    /// A failure that answers 400 and says what is wrong, so that `?` is all it takes.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let (text, what) = match self.text()?.trim() {
            "" => ("null", "the empty body"),
            text => (text, "the body"),
        };
        payload::decode(text, what).map_err(|failure| bad_request(failure.message()))
    }
}

fn bad_request(message: impl Into<String>) -> Failure {
    Failure::new("BadRequest", message).non_retriable().with_http_status(400)
}

fn percent_decode(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        match escaped {
            Some(byte) => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            None => {
                decoded.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// What the client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// 200, 404, ...
    pub status: u16,
    /// In the order in which they are sent.
    pub headers: Vec<(String, Vec<u8>)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl Response {
    /// An empty response.
    pub fn new(status: u16) -> Response {
        Response { status, headers: Vec::new(), body: Vec::new() }
    }

    /// 200 with a plain text.
    pub fn text(body: impl Into<String>) -> Response {
        Response::new(200).with_header("content-type", "text/plain; charset=utf-8").with_body(body.into())
    }

    /// 200 with a value as JSON. One that cannot be written as JSON becomes a 500 and a line of log.
    pub fn json(body: &(impl Serialize + ?Sized)) -> Response {
        match payload::encode(body, "the response") {
            Ok(json) => Response::new(200).with_header("content-type", "application/json").with_body(json),
            Err(failure) => Response::from(failure),
        }
    }

    /// Changes the status: `Response::json(&trip).with_status(201)`.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Response {
        self.status = status;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Response {
        self.headers.push((name.into(), value.into().into_bytes()));
        self
    }

    /// Sets the body, and nothing else.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Response {
        self.body = body.into();
        self
    }

    /// The first header of that name, in any case, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }
}

/// A failure that names an HTTP status is told to the client, as an object with `error` and `message`. Any other is our
/// own affair: it goes to the log, and the client gets a 500 without a word of it.
impl From<Failure> for Response {
    fn from(failure: Failure) -> Response {
        if let Some(status) = failure.http_status() {
            let body = serde_json::json!({ "error": failure.error_type(), "message": failure.message() });
            return Response::json(&body).with_status(status);
        }
        log_failure(&failure);
        Response::text("The function failed; the host's log says why.\n").with_status(500)
    }
}

#[expect(clippy::print_stderr, reason = "the host makes log lines of the invocation from it")]
fn log_failure(failure: &Failure) {
    eprintln!("{failure:?}");
}

/// What an HTTP function may return.
#[diagnostic::on_unimplemented(
    message = "an HTTP function cannot return `{Self}`",
    note = "return a `Response`, a text, or a `Result` of one of these and an error",
    note = "for a value as JSON return `Response::json(&value)`"
)]
pub trait IntoResponse {
    /// The response it stands for.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for &str {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl<R: IntoResponse, E: Into<Failure>> IntoResponse for Result<R, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(response) => response.into_response(),
            Err(error) => Response::from(error.into()),
        }
    }
}
