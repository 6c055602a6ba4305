//! One exchange with a service: address, headers, signature, attempts, and what a refusal says.

use super::Client;
use super::connection::Credential;
use crate::Service;
use crate::dates;
use crate::signing::{HeaderOrder, Scheme, Signable, header_name};
use crate::xml::Element;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ports::{BoxError, StoreError};
use std::time::Duration;

/// Versions that Azure and every emulator of the last years know.
const QUEUE_VERSION: &str = "2021-12-02";
const TABLE_VERSION: &str = "2019-02-02";

/// Between the first two attempts; doubles with each, give or take a fifth. As Azure's own client libraries wait.
const FIRST_DELAY: Duration = Duration::from_millis(800);
/// Longest delay that a service may ask for.
const MAX_DELAY: Duration = Duration::from_secs(30);

/// What stays as it is in the value of a parameter.
const UNESCAPED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Text as it stands in a query or a part of a path.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, &UNESCAPED).to_string()
}

/// A request before it knows its account.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) service: Service,
    pub(super) method: Method,
    /// What follows the account's address, with its escapes, without the slash in front.
    pub(super) path: String,
    /// Names and values without escapes.
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Bytes,
}

impl Ask {
    pub(super) fn new(service: Service, method: Method, path: impl Into<String>) -> Ask {
        Ask { service, method, path: path.into(), query: Vec::new(), headers: Vec::new(), body: Bytes::new() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Ask {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn with_number(self, name: &'static str, value: u64) -> Ask {
        self.with(name, value.to_string())
    }

    pub(super) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Ask {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Ask {
        self.body = body.into();
        self.header(header::CONTENT_TYPE, content_type)
    }
}

/// Why there is no answer that helps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Failed {
    /// The service says why.
    Refused(Refusal),
    /// The request never came to an answer.
    Unreachable(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// What programs compare, such as `QueueNotFound`; empty if the answer is not the service's own.
    pub(super) code: String,
    pub(super) message: String,
    /// How often the request was sent; more than once: an earlier attempt may have done its work.
    pub(super) attempts: u32,
    /// Whose it is, for messages.
    pub(super) from: String,
}

impl Failed {
    /// The code of a refusal; empty if it is none.
    pub(super) fn code(&self) -> &str {
        match self {
            Failed::Refused(refusal) => &refusal.code,
            Failed::Unreachable(_) => "",
        }
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> StoreError {
        StoreError::Unavailable {
            detail: match failed {
                Failed::Refused(Refusal { status, code, from, .. }) if code.is_empty() => {
                    format!("{from} answered {status}, and not in the form of the service; is the address right?")
                }
                Failed::Refused(Refusal { status, code, message, from, .. }) => {
                    format!("{from} answered {status} {code}: {message}")
                }
                Failed::Unreachable(why) => why,
            },
        }
    }
}

/// An answer that this client cannot read.
pub(super) fn unreadable(what: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable { detail: format!("the answer to {what} cannot be read: {why}") }
}

impl Client {
    /// Sends a request until it is answered, or trying again does not help. Answers with a status of success come back.
    pub(super) async fn exchange(&self, ask: &Ask) -> Result<Response<Bytes>, Failed> {
        let from = self.service_name(ask.service);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let request = self.request(ask).map_err(|why| Failed::Unreachable(format!("{from}: {why}")))?;
            let (failed, asked_delay) = match self.components.http.send(request).await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => {
                    let refusal = refusal(&response, attempts, &from);
                    if !matches!(refusal.status, 408 | 429 | 500 | 502 | 503 | 504) {
                        return Err(Failed::Refused(refusal));
                    }
                    (Failed::Refused(refusal), retry_after(response.headers()))
                }
                Err(error) => (Failed::Unreachable(format!("{from} cannot be reached: {}", with_causes(&error))), None),
            };
            if attempts >= self.max_attempts {
                return Err(failed);
            }
            tracing::debug!(service = %from, attempts, ?failed, "a request is tried again");
            let delay = asked_delay.unwrap_or_else(|| self.delay_after(attempts));
            let clock = &self.components.clock;
            clock.sleep_until(clock.now().saturating_add(delay)).await;
        }
    }

    fn service_name(&self, service: Service) -> String {
        let account = self.connection.account();
        match (account, self.connection.address(service)) {
            ("", None) => format!("the {} service", service.name()),
            ("", Some(address)) => format!("the {} service at {address}", service.name()),
            (account, _) => format!("the {} service of '{account}'", service.name()),
        }
    }

    fn delay_after(&self, attempts: u32) -> Duration {
        let whole = FIRST_DELAY * 2_u32.saturating_pow(attempts - 1);
        // From 80 to 120 percent.
        let percent = 80 + u32::try_from(self.components.randomness.next_u128() % 41).unwrap_or(20);
        whole * percent / 100
    }

    fn request(&self, ask: &Ask) -> Result<Request<Bytes>, BoxError> {
        let address = self.connection.address(ask.service).ok_or_else(|| {
            format!(
                "the connection string has neither AccountName nor an address of the {} service",
                ask.service.name()
            )
        })?;
        let mut uri = format!("{address}/{}", ask.path);
        let mut separator = '?';
        for (name, value) in &ask.query {
            uri.push(separator);
            uri.extend([name, "=", &escaped(value)]);
            separator = '&';
        }
        if let Credential::Signature(signature) = self.connection.credential() {
            uri.push(separator);
            uri.push_str(signature);
        }
        let mut request = Request::builder().method(&ask.method).uri(uri).body(ask.body.clone())?;
        let headers = self.headers(ask)?;
        *request.headers_mut() = headers;
        if let Credential::Key(key) = self.connection.credential() {
            let signable = Signable {
                service: ask.service,
                account: self.connection.account(),
                method: ask.method.as_str(),
                path: request.uri().path(),
                query: request.uri().query().unwrap_or(""),
                headers: request.headers(),
                order: HeaderOrder::Service,
            };
            let signature = key.sign(&signable.string_to_sign(Scheme::SharedKey));
            let mut value = HeaderValue::try_from(format!("SharedKey {}:{signature}", self.connection.account()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn headers(&self, ask: &Ask) -> Result<HeaderMap, BoxError> {
        let mut headers = HeaderMap::with_capacity(ask.headers.len() + 6);
        let version = match ask.service {
            Service::Queue | Service::Blob => QUEUE_VERSION,
            Service::Table => TABLE_VERSION,
        };
        headers.insert(header_name::X_MS_VERSION, HeaderValue::from_static(version));
        let date = dates::rfc1123(self.components.clock.now());
        headers.insert(header_name::X_MS_DATE, HeaderValue::try_from(date)?);
        let id = uuid::Builder::from_random_bytes(self.components.randomness.next_u128().to_be_bytes()).into_uuid();
        headers.insert(header_name::X_MS_CLIENT_REQUEST_ID, HeaderValue::try_from(id.to_string())?);
        if !ask.body.is_empty() || matches!(ask.method, Method::PUT | Method::POST) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(ask.body.len()));
        }
        for (name, value) in &ask.headers {
            headers.insert(name.clone(), HeaderValue::try_from(value)?);
        }
        Ok(headers)
    }
}

/// In whole seconds, as services send it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_DELAY))
}

fn with_causes(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// What a refusal says, in XML or JSON or only in its header.
fn refusal(response: &Response<Bytes>, attempts: u32, from: &str) -> Refusal {
    let header = response.headers().get(header_name::X_MS_ERROR_CODE).and_then(|value| value.to_str().ok());
    let (code, message) = told(response.body()).unwrap_or_default();
    // The lines after the first are the request's id and the time.
    let message = message.lines().next().unwrap_or("").to_owned();
    let code = header.map_or(code, str::to_owned);
    Refusal { status: response.status().as_u16(), code, message, attempts, from: from.to_owned() }
}

/// Code and message of an error's body.
pub(crate) fn told(body: &[u8]) -> Option<(String, String)> {
    if let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) {
        let error = json.get("odata.error")?;
        let text = |pointer: &str| error.pointer(pointer).and_then(|value| value.as_str()).unwrap_or("").to_owned();
        return Some((text("/code"), text("/message/value")));
    }
    let error = Element::parse(body).ok()?;
    Some((error.text_of("Code").to_owned(), error.text_of("Message").to_owned()))
}
