//! Requests that the host itself sends: over TCP or TLS, redirects followed, only where the caller says that they may go.
//!
//! Owns the exchange. What a `Location` means and which headers never leave their origin is up to the core, which follows one
//! kind of them itself (the `Location` of a 202); what an answer means is up to the caller.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use orchestration::{HttpRequest, HttpResponse};
use ports::{BoxError, Clock};
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// As many as most clients follow; more is a loop.
const MAX_REDIRECTS: usize = 10;

/// A host that is there answers within this time; one that is not should not hold a request for minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that nobody has used for this long are closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

const AGENT: &str = concat!("dacapo/", env!("CARGO_PKG_VERSION"));

/// What belongs to one connection, or follows from body and URL: no caller chooses it.
const NOT_THE_CALLERS: [HeaderName; 7] = [
    HOST,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    http::header::CONNECTION,
    http::header::TE,
    http::header::TRAILER,
    http::header::UPGRADE,
];

/// Sends requests. Connections are kept and shared.
pub(crate) struct Outbound {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    clock: Arc<dyn Clock>,
}

/// What bounds one request with all its redirects.
#[derive(Clone, Copy)]
pub(crate) struct Bounds<'a> {
    /// Where it may go: whether it is HTTPS, host, port.
    pub(crate) allows: &'a (dyn Fn(bool, &str, u16) -> bool + Send + Sync),
    /// From its first byte to the last one of its answer.
    pub(crate) timeout: Duration,
    /// The longest body of an answer, in bytes.
    pub(crate) max_body_bytes: usize,
}

/// Why nothing came back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SendError {
    /// It cannot be sent.
    #[error("{0}")]
    Malformed(String),
    /// The caller may not ask there.
    #[error("requests to {0} are not allowed; add it to the component's allowedOutboundHosts")]
    NotAllowed(String),
    /// The redirects lead nowhere.
    #[error("more than {MAX_REDIRECTS} redirects followed each other")]
    TooManyRedirects,
    /// The server could not be reached, or did not speak HTTP.
    #[error("{host} cannot be asked: {why}")]
    Connection {
        /// Host and port.
        host: String,
        /// The whole chain of causes.
        why: String,
    },
    /// The answer is too long.
    #[error(
        "the answer of {host} is longer than {limit_bytes} bytes; ask for less, or raise host.durableTask.maxPayloadBytes"
    )]
    TooLarge {
        /// Host and port.
        host: String,
        /// The limit.
        limit_bytes: usize,
    },
    /// It took too long.
    #[error("there was no whole answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
}

impl SendError {
    /// Whether the same request could fare better another time.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            SendError::Connection { .. } | SendError::TimedOut(_) => true,
            SendError::Malformed(_)
            | SendError::NotAllowed(_)
            | SendError::TooManyRedirects
            | SendError::TooLarge { .. } => false,
        }
    }
}

/// What sends requests with bodies of any kind, as they are: for bodies that are too long to be held twice. Nothing is
/// connected yet.
pub(crate) fn client<B>() -> Client<HttpsConnector<HttpConnector>, B>
where
    B: hyper::body::Body + Send,
    B::Data: Send,
{
    let mut tcp = HttpConnector::new();
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    let tls = HttpsConnectorBuilder::new().with_webpki_roots();
    Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_timer(TokioTimer::new())
        .build(tls.https_or_http().enable_http1().wrap_connector(tcp))
}

impl Outbound {
    /// Nothing is connected yet. Servers prove who they are by the certificate authorities of Mozilla's list.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Outbound {
        Outbound { client: client(), clock }
    }

    /// Sends a request and follows where it is redirected to. A body that is no UTF-8 comes back with replacement characters.
    ///
    /// # Errors
    /// When there is no answer, or not one that may be taken. Any status is an answer.
    pub(crate) async fn send(&self, request: HttpRequest, bounds: Bounds<'_>) -> Result<HttpResponse, SendError> {
        let answer = pin!(self.follow(request, bounds));
        let deadline = self.clock.now().saturating_add(bounds.timeout);
        match select(answer, self.clock.sleep_until(deadline)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(SendError::TimedOut(bounds.timeout)),
        }
    }

    /// Sends a request as it is and waits for the whole answer. Redirects are not followed.
    ///
    /// # Errors
    /// When there is no whole answer within `timeout`. Any status is an answer.
    pub(crate) async fn exchange(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, BoxError> {
        let answer = pin!(async {
            let (head, body) = self.client.request(request.map(Full::new)).await?.into_parts();
            Ok::<_, BoxError>(http::Response::from_parts(head, body.collect().await?.to_bytes()))
        });
        match select(answer, self.clock.sleep_until(self.clock.now().saturating_add(timeout))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(SendError::TimedOut(timeout).into()),
        }
    }

    async fn follow(&self, mut request: HttpRequest, bounds: Bounds<'_>) -> Result<HttpResponse, SendError> {
        for _ in 0..=MAX_REDIRECTS {
            let prepared = prepared(&request)?;
            let host = check(prepared.uri(), bounds)?;
            let response = self.client.request(prepared).await;
            let response = response.map_err(|error| lost(&host, &error))?;
            match redirected(&request, &response) {
                Some(further) => request = further,
                None => return read(response, &host, bounds.max_body_bytes).await,
            }
        }
        Err(SendError::TooManyRedirects)
    }
}

/// Whether the request may go there. Answers host and port, for messages.
fn check(uri: &Uri, bounds: Bounds<'_>) -> Result<String, SendError> {
    let https = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
    let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
    let host = uri.host().unwrap_or_default();
    let shown = format!("{host}:{port}");
    if (bounds.allows)(https, host, port) { Ok(shown) } else { Err(SendError::NotAllowed(shown)) }
}

fn prepared(request: &HttpRequest) -> Result<Request<Full<Bytes>>, SendError> {
    let malformed = |what: &str| SendError::Malformed(format!("{} cannot be sent: {what}", request.shown()));
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::try_from(name).map_err(|_| malformed("a header's name is none"))?;
        let value = HeaderValue::from_str(value).map_err(|_| malformed("a header's value cannot stand in a header"))?;
        headers.append(name, value);
    }
    for name in NOT_THE_CALLERS {
        headers.remove(name);
    }
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
    let uri: Uri = request.url.parse().map_err(|_| malformed("the URL is none"))?;
    let mut prepared = Request::new(Full::from(request.content.clone().unwrap_or_default()));
    *prepared.method_mut() = Method::try_from(request.method.as_str()).map_err(|_| malformed("the method is none"))?;
    *prepared.headers_mut() = headers;
    *prepared.uri_mut() = without_user(uri).ok_or_else(|| malformed("the URL is not absolute"))?;
    Ok(prepared)
}

/// The same URL without user information, which belongs in a header or nowhere.
fn without_user(uri: Uri) -> Option<Uri> {
    let mut parts = uri.into_parts();
    parts.scheme.as_ref()?;
    let host = parts.authority.as_ref()?.as_str().rsplit_once('@').map(|(_, host)| host.parse());
    if let Some(host) = host {
        parts.authority = Some(host.ok()?);
    }
    Uri::from_parts(parts).ok()
}

/// The request as it goes on where the response sends it: as a GET without content where clients have always done so. None:
/// the response is the answer.
fn redirected(request: &HttpRequest, response: &http::Response<Incoming>) -> Option<HttpRequest> {
    let is_get = matches!(request.method.as_str(), "GET" | "HEAD");
    let becomes_get = match response.status() {
        StatusCode::SEE_OTHER => !is_get,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => request.method == "POST",
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => false,
        _ => return None,
    };
    let location = response.headers().get(http::header::LOCATION)?.to_str().ok()?;
    let moved = request.moved_to(location)?;
    if !becomes_get {
        return Some(moved);
    }
    let is_of_content = |name: &str| name.to_ascii_lowercase().starts_with("content-");
    let headers = moved.headers.into_iter().filter(|(name, _)| !is_of_content(name)).collect();
    Some(HttpRequest { method: "GET".to_owned(), headers, content: None, ..moved })
}

async fn read(response: http::Response<Incoming>, host: &str, limit_bytes: usize) -> Result<HttpResponse, SendError> {
    let (head, mut body) = response.into_parts();
    let mut content = Vec::new();
    while let Some(frame) = body.frame().await {
        // Trailers say nothing here.
        let Ok(data) = frame.map_err(|error| lost(host, &error))?.into_data() else { continue };
        if data.len() > limit_bytes - content.len() {
            return Err(SendError::TooLarge { host: host.to_owned(), limit_bytes });
        }
        content.extend_from_slice(&data);
    }
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    Ok(HttpResponse {
        status: head.status.as_u16(),
        headers: headers.collect(),
        content: String::from_utf8_lossy(&content).into_owned(),
    })
}

/// With all causes: the first says only that something went wrong.
fn lost(host: &str, error: &dyn Error) -> SendError {
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let further = error.to_string();
        if !why.ends_with(&further) {
            why = format!("{why}: {further}");
        }
        cause = error.source();
    }
    SendError::Connection { host: host.to_owned(), why }
}
