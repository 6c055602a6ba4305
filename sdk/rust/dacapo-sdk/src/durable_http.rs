//! HTTP requests that the host makes for an orchestrator, durably: what is asked for and what comes back.
//!
//! Leaves sending, polling, retrying and the rules for secrets to the host. Requests to the app's own HTTP functions are
//! another thing: see `http`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Failure, RetryPolicy, payload};

/// A request for [`Context::call_http`](crate::Context::call_http). Sent by the host, only to the component's
/// `allowedOutboundHosts`.
///
/// ```
/// use std::time::Duration;
/// use dacapo::{HttpRequest, RetryPolicy};
///
/// let order = HttpRequest::post("https://shop.example/orders")
///     .json(&serde_json::json!({ "article": 7 }))
///     .header("authorization", "Bearer ...")
///     .timeout(Duration::from_secs(20))
///     .retry(RetryPolicy::new(3, Duration::from_secs(5)))
///     .retry_on_status([429, 503]);
/// ```
///
/// While the answer is 202 with a `Location`, the host waits for `Retry-After` (default: 30 seconds) and asks there; the
/// orchestrator sees the final answer. [`without_polling`](HttpRequest::without_polling) switches that off.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRequest {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content: Option<String>,
    pub(crate) follow_accepted: bool,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) retry_on_status: Vec<u16>,
    pub(crate) timeout: Option<Duration>,
    /// Why the content could not be written; the call fails with it.
    pub(crate) unwritable: Option<Failure>,
}

impl HttpRequest {
    /// A request by any method to an absolute URL.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> HttpRequest {
        HttpRequest {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            content: None,
            follow_accepted: true,
            retry: None,
            retry_on_status: Vec::new(),
            timeout: None,
            unwritable: None,
        }
    }

    /// `GET`.
    pub fn get(url: impl Into<String>) -> HttpRequest {
        HttpRequest::new("GET", url)
    }

    /// `POST`.
    pub fn post(url: impl Into<String>) -> HttpRequest {
        HttpRequest::new("POST", url)
    }

    /// `PUT`.
    pub fn put(url: impl Into<String>) -> HttpRequest {
        HttpRequest::new("PUT", url)
    }

    /// `DELETE`.
    pub fn delete(url: impl Into<String>) -> HttpRequest {
        HttpRequest::new("DELETE", url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> HttpRequest {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the content, and nothing else.
    #[must_use]
    pub fn content(mut self, content: impl Into<String>) -> HttpRequest {
        self.content = Some(content.into());
        self
    }

    /// Sets a value as the content, and its type as JSON. If the value cannot be written as JSON, the call fails.
    #[must_use]
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> HttpRequest {
        match payload::encode(value, "the content of an HTTP request") {
            Ok(json) => self.header("content-type", "application/json").content(json),
            Err(failure) => HttpRequest { unwritable: Some(failure), ..self },
        }
    }

    /// How long one try may take, at least a millisecond; then it has failed with the type `HttpRequestTimeout`.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> HttpRequest {
        self.timeout = Some(timeout);
        self
    }

    /// Tries again when the request cannot be made or is answered with a status from 400. When the tries are used up, the
    /// call fails; with a status it is the type `HttpStatus`. Without a policy, any status is an answer.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> HttpRequest {
        self.retry = Some(policy);
        self
    }

    /// The only statuses that [`retry`](HttpRequest::retry) takes for failures.
    #[must_use]
    pub fn retry_on_status(mut self, statuses: impl IntoIterator<Item = u16>) -> HttpRequest {
        self.retry_on_status.extend(statuses);
        self
    }

    /// Takes a 202 for the answer that it is.
    #[must_use]
    pub fn without_polling(mut self) -> HttpRequest {
        self.follow_accepted = false;
        self
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers, in the order in which they were added.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The content.
    pub fn body(&self) -> Option<&str> {
        self.content.as_deref()
    }
}

/// What an [`HttpRequest`] was answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HttpResponse {
    /// 200, 404, ...
    pub status_code: u16,
    /// By name, as the host writes them. A header that came once is a text in JSON, one that came more often an array.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValues>,
    /// All of it, as text.
    #[serde(default)]
    pub content: String,
}

/// The values of one header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeaderValues {
    /// It came once.
    One(String),
    /// It came more often.
    Many(Vec<String>),
}

impl HttpResponse {
    /// A response, for a test.
    pub fn new(status_code: u16, content: impl Into<String>) -> HttpResponse {
        HttpResponse { status_code, headers: BTreeMap::new(), content: content.into() }
    }

    /// Sets a header, for a test.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> HttpResponse {
        self.headers.insert(name.into(), HeaderValues::One(value.into()));
        self
    }

    /// Whether the status is one of 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status_code)
    }

    /// The first value of a header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, values) = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        match values {
            HeaderValues::One(value) => Some(value),
            HeaderValues::Many(values) => values.first().map(String::as_str),
        }
    }

    /// The content read as JSON.
    ///
    /// # Errors
    /// When it is not, or does not fit the type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        payload::decode(&self.content, "the content of an HTTP response")
    }

    /// Itself, unless the status is from 400.
    ///
    /// # Errors
    /// A failure of the type `HttpStatus`, with the status as its property `statusCode` and the content as its details.
    pub fn error_for_status(self) -> Result<HttpResponse, Failure> {
        match self.status_code {
            ..400 => Ok(self),
            status => Err(Failure::new("HttpStatus", format!("the service answered with status {status}"))
                .with_property("statusCode", status.to_string())
                .with_details(self.content)),
        }
    }
}
