//! The service side: answers requests for queues, tables and blobs from the stores behind the ports.
//!
//! This module owns what all services share: who may ask, how much may be sent, and what every answer carries. Each service
//! has a module of its own that turns one authorised request into one answer.

mod access_policies;
mod answer;
mod authorization;
mod blob;
mod call;
mod error;
mod metadata;
mod queue;
mod service_settings;
mod shared_access;
mod table;

use crate::signing::header_name;
use crate::{Account, Service, dates};
use answer::Answer;
use bytes::Bytes;
use call::{Addressed, Call, Query};
use error::{ServiceError, code};
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use orchestration::Timestamp;
use ports::{Body, Clock, DocumentStore, QueueStore, Randomness, TableStore};
use std::sync::Arc;
use uuid::Uuid;

/// The version of the protocol that a request speaks which names none.
const DEFAULT_VERSION: &str = "2026-04-06";
/// The first version with the signatures of today.
const OLDEST_VERSION: &str = "2009-09-19";

/// Where the endpoint keeps what clients send, and where it has time and ids from.
#[derive(Clone)]
pub struct Components {
    /// Queues.
    pub queues: Arc<dyn QueueStore>,
    /// Tables.
    pub tables: Arc<dyn TableStore>,
    /// Blobs (`blobs/...`) and the settings of the services (`storage-services/...`).
    pub documents: Arc<dyn DocumentStore>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Makes ids of requests and leases.
    pub randomness: Arc<dyn Randomness>,
}

/// One account, and its three services.
pub struct Endpoint {
    account: Account,
    components: Components,
}

impl Endpoint {
    /// An endpoint for that account. Its keys are the only ones that open it.
    pub fn new(account: Account, components: Components) -> Endpoint {
        Endpoint { account, components }
    }

    /// Answers one request to that service. Never fails: what goes wrong is an answer.
    ///
    /// Paths begin with the account's name, or with that and `-secondary` for reading; host names such as
    /// `devstoreaccount1.queue.localhost` stand for the account as well.
    pub async fn handle(&self, service: Service, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let is_head = head.method == Method::HEAD;
        let stamp = Stamp {
            request_id: uuid::Builder::from_random_bytes(self.components.randomness.next_u128().to_be_bytes())
                .into_uuid(),
            now: self.components.clock.now(),
        };
        let echoed = Echoed::of(&head.headers);
        let mut answer = match self.answer(service, head, body, stamp).await {
            Ok(answer) => answer,
            Err(error) => {
                let verbose = error.code.status >= 500;
                if verbose {
                    tracing::warn!(service = service.name(), code = error.code.name, detail = %error.detail, "a storage request failed");
                } else {
                    tracing::debug!(service = service.name(), code = error.code.name, detail = %error.detail, "a storage request was refused");
                }
                error.answer(service, &stamp)
            }
        };
        stamp.write(echoed, answer.headers_mut());
        if is_head {
            *answer.body_mut() = Bytes::new();
        }
        answer.map(|body| Body::new(Full::new(body).map_err(|never| match never {})))
    }

    async fn answer(&self, service: Service, head: Parts, body: Body, stamp: Stamp) -> Result<Answer, ServiceError> {
        check_version(&head.headers)?;
        let address = Addressed::find(&self.account, service, &head)?;
        let query = Query::parse(head.uri.query().unwrap_or(""))?;
        authorization::check(&self.account, service, &head, &address, &query, stamp.now)?;
        if address.secondary && !matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Err(code::INSUFFICIENT_ACCOUNT_PERMISSIONS
                .because("the secondary location is for reading; write without '-secondary'"));
        }
        let body = whole_body(service, &head.headers, body).await?;
        let base_url = address.base_url(&self.account, &head);
        let call = Call {
            service,
            method: head.method,
            path: address.rest,
            query,
            headers: head.headers,
            body,
            secondary: address.secondary,
            base_url,
            request_id: stamp.request_id,
            now: stamp.now,
        };
        if call.path.is_empty() && call.query.is("restype", "service") || call.is_service_of_table() {
            return service_settings::answer(&self.components, &call).await;
        }
        match service {
            Service::Blob => blob::answer(&self.components, &call).await,
            Service::Queue => queue::answer(&self.components, &call).await,
            Service::Table => table::answer(&self.components, &call).await,
        }
    }
}

/// What makes one request another than all others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) request_id: Uuid,
    pub(crate) now: Timestamp,
}

impl Stamp {
    /// Adds what every answer carries and this one has not.
    fn write(&self, echoed: Echoed, answered: &mut HeaderMap) {
        let mut put = |name: header::HeaderName, value: HeaderValue| {
            answered.entry(name).or_insert(value);
        };
        let request_id = self.request_id.hyphenated().to_string();
        for (name, text) in [(header_name::X_MS_REQUEST_ID, request_id), (header::DATE, dates::rfc1123(self.now))] {
            if let Ok(value) = HeaderValue::try_from(text) {
                put(name, value);
            }
        }
        put(header_name::X_MS_VERSION, echoed.version.unwrap_or(HeaderValue::from_static(DEFAULT_VERSION)));
        if let Some(id) = echoed.client_request_id {
            put(header_name::X_MS_CLIENT_REQUEST_ID, id);
        }
    }
}

/// Headers of a request that its answer repeats.
struct Echoed {
    version: Option<HeaderValue>,
    client_request_id: Option<HeaderValue>,
}

impl Echoed {
    fn of(asked: &HeaderMap) -> Echoed {
        Echoed {
            version: asked.get(header_name::X_MS_VERSION).cloned(),
            client_request_id: asked.get(header_name::X_MS_CLIENT_REQUEST_ID).cloned(),
        }
    }
}

/// Every version since the first is welcome: client libraries name newer ones with each release, and mean the same operations.
fn check_version(headers: &HeaderMap) -> Result<(), ServiceError> {
    let Some(version) = headers.get(header_name::X_MS_VERSION) else { return Ok(()) };
    let version = version.to_str().unwrap_or("");
    let number = |range: std::ops::Range<usize>| version.get(range).and_then(|text| text.parse::<u8>().ok());
    let digits = version.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let is_date = version.len() == 10
        && digits
        && number(5..7).is_some_and(|month| (1..=12).contains(&month))
        && number(8..10).is_some_and(|day| (1..=31).contains(&day));
    if is_date && version >= OLDEST_VERSION {
        return Ok(());
    }
    Err(code::INVALID_HEADER_VALUE
        .because("x-ms-version is a date such as 2026-04-06, at least 2009-09-19")
        .with("HeaderName", "x-ms-version")
        .with("HeaderValue", version))
}

async fn whole_body(service: Service, headers: &HeaderMap, mut body: Body) -> Result<Bytes, ServiceError> {
    let limit = match service {
        Service::Blob => blob::MAX_BODY_BYTES,
        Service::Queue => queue::MAX_BODY_BYTES,
        Service::Table => table::MAX_BODY_BYTES,
    };
    let too_large = || code::REQUEST_BODY_TOO_LARGE.because("").with("MaxLimit", &limit.to_string());
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        return Err(too_large());
    }
    // By hand: with `http_body_util::Limited` the compiler cannot see that this future may change threads.
    let (mut pieces, mut bytes) = (Vec::<Bytes>::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| code::INVALID_INPUT.because(&format!("The body broke off: {error}.")))?;
        let Ok(data) = frame.into_data() else { continue };
        bytes += data.len();
        if bytes > limit {
            return Err(too_large());
        }
        pieces.push(data);
    }
    match pieces.as_mut_slice() {
        [] => Ok(Bytes::new()),
        [whole] => Ok(std::mem::take(whole)),
        _ => Ok(pieces.concat().into()),
    }
}
