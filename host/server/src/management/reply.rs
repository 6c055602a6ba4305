//! What the management API answers: JSON, or an error in the shape that Durable Functions' clients read.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use orchestration::RuntimeStatus;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use ports::{Body, ClientError, PageToken, StoreError};
use serde::Serialize;

/// Where a list goes on; empty at its end.
pub(super) const CONTINUATION_TOKEN: HeaderName = HeaderName::from_static("x-ms-continuation-token");
/// In how many seconds somebody may ask again when the store could not do it: room on a disk comes back when a person makes it.
const RETRY_AFTER_UNAVAILABLE: u32 = 10;
/// What of a token cannot stand in a header, and `%` itself.
const NOT_IN_TOKEN: &AsciiSet = &CONTROLS.add(b'%').add(b' ');

/// An answer on its way out.
pub(crate) type Reply = Response<Body>;

/// Why an operation was not done; each variant is one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no such operation: 404 without a body.
    Unmatched,
    /// There is no instance of that id.
    UnknownInstance(String),
    /// Only instances that have ended are purged.
    AtWork { id: String, status: RuntimeStatus },
    /// The instance takes no more messages.
    Ended { id: String, status: RuntimeStatus },
    /// There is no such entity.
    UnknownEntity(String),
    /// There is nothing of that id that could be started again.
    NothingToRestart(String),
    /// The body is not said to be JSON.
    ContentType,
    /// The body is not JSON; with where and why.
    InvalidJson(String),
    /// The body of a signal is not JSON although it is said to be; with where and why.
    InvalidEntityJson(String),
    /// Something in path or query makes no sense; with what.
    Argument(String),
    /// A purge by filter must say from when.
    NoCreatedTimeFrom,
    /// The body is too long.
    TooLarge { limit_bytes: usize },
    /// The body took longer than allowed.
    TooSlow,
    /// The operation does not fit the state of the instance; with why.
    WrongState(String),
    /// The store cannot do it now, as with a full disk; with why. The same later may be done.
    Unavailable(String),
    /// It could not be done; with why.
    Failed(String),
}

impl Refusal {
    /// What a person reads; in Durable Functions' words where it has some.
    fn message(&self) -> String {
        match self {
            Refusal::Unmatched => "There is no such operation.".to_owned(),
            Refusal::UnknownInstance(id) => format!("No instance with ID '{id}' was found."),
            Refusal::AtWork { id, .. } if id.starts_with('@') => {
                format!(
                    "The entity '{id}' is locked or operations wait for it; purge it when it is idle, or signal it to delete itself."
                )
            }
            Refusal::AtWork { id, status } => format!(
                "The instance with ID '{id}' is {status}; only instances that have ended are purged. Terminate it first, or \
                 add force=true."
            ),
            Refusal::Ended { id, status } => {
                format!("The instance with ID '{id}' is {status} and takes no more messages.")
            }
            Refusal::UnknownEntity(id) => format!("No entity '{id}' was found."),
            Refusal::NothingToRestart(_) => "InstanceId does not match a valid orchestration instance.".to_owned(),
            Refusal::ContentType => "Only application/json request content is supported".to_owned(),
            Refusal::InvalidJson(_) => "Invalid JSON content".to_owned(),
            Refusal::InvalidEntityJson(_) => "Could not parse JSON content".to_owned(),
            Refusal::Argument(_) => "One or more of the arguments submitted is incorrect".to_owned(),
            Refusal::NoCreatedTimeFrom => {
                "Please provide a value for 'createdTimeFrom' in ISO 8601, such as 2024-01-31T08:00:00Z.".to_owned()
            }
            Refusal::TooLarge { limit_bytes } => format!(
                "The request body is longer than {limit_bytes} bytes; send a reference to the data, or raise \
                 host.durableTask.maxPayloadBytes."
            ),
            Refusal::TooSlow => "The request body did not arrive in time.".to_owned(),
            Refusal::WrongState(_) | Refusal::Unavailable(_) | Refusal::Failed(_) => {
                "Something went wrong while processing your request".to_owned()
            }
        }
    }
}

impl From<ClientError> for Refusal {
    fn from(error: ClientError) -> Refusal {
        match error {
            ClientError::NotFound(id) => Refusal::UnknownInstance(id),
            ClientError::Gone { id, status } => Refusal::Ended { id, status },
            ClientError::Invalid(why) => Refusal::Argument(why),
            ClientError::AlreadyExists { .. } | ClientError::Conflict { .. } => Refusal::WrongState(error.to_string()),
            ClientError::Store(error) => Refusal::from(error),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        match error {
            StoreError::Unavailable { .. } => Refusal::Unavailable(error.to_string()),
            StoreError::LeaseLost { .. } | StoreError::Corrupt { .. } => Refusal::Failed(error.to_string()),
        }
    }
}

/// An error as ASP.NET's Web API writes it; only the message when nothing was thrown there.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HttpError<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception_type: Option<&'a str>,
    /// Always empty: whoever reads the shape expects the key, but where in the host it happened helps nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack_trace: Option<&'a str>,
}

/// 400: nothing tells which of these task hubs is meant.
pub(crate) fn unclear(task_hubs: &[String]) -> Reply {
    let hubs = task_hubs.join(", ");
    let why = format!("this host serves several task hubs: {hubs}; say which is meant with ?taskHub=");
    refused(&Refusal::Argument(why))
}

/// The answer to an operation that was not done.
pub(super) fn refused(refusal: &Refusal) -> Reply {
    let message = refusal.message();
    let plain = |status| {
        let error = HttpError { message: &message, exception_message: None, exception_type: None, stack_trace: None };
        json(status, &error)
    };
    let exception = |status, exception_type, detail: &str| {
        let error = HttpError {
            message: &message,
            exception_message: Some(detail),
            exception_type: Some(exception_type),
            stack_trace: Some(""),
        };
        json(status, &error)
    };
    match refusal {
        Refusal::Unmatched => empty(StatusCode::NOT_FOUND),
        Refusal::UnknownInstance(_) | Refusal::UnknownEntity(_) | Refusal::AtWork { .. } => {
            plain(StatusCode::NOT_FOUND)
        }
        Refusal::Ended { .. } => plain(StatusCode::GONE),
        Refusal::ContentType => plain(StatusCode::BAD_REQUEST),
        Refusal::TooLarge { .. } => plain(StatusCode::PAYLOAD_TOO_LARGE),
        Refusal::TooSlow => plain(StatusCode::REQUEST_TIMEOUT),
        // A bare string, as in Durable Functions.
        Refusal::NoCreatedTimeFrom => json(StatusCode::BAD_REQUEST, &message),
        Refusal::InvalidJson(detail) | Refusal::InvalidEntityJson(detail) => {
            exception(StatusCode::BAD_REQUEST, "Newtonsoft.Json.JsonReaderException", detail)
        }
        Refusal::Argument(detail) => exception(StatusCode::BAD_REQUEST, "System.ArgumentException", detail),
        Refusal::NothingToRestart(id) => {
            let detail = format!("An orchestrator with the instanceId {id} was not found.");
            exception(StatusCode::BAD_REQUEST, "System.ArgumentException", &detail)
        }
        Refusal::Unavailable(detail) => {
            let reply = exception(StatusCode::SERVICE_UNAVAILABLE, "System.InvalidOperationException", detail);
            retry_after(reply, RETRY_AFTER_UNAVAILABLE)
        }
        // A conflict is the caller's doing, but Durable Functions throws there.
        Refusal::WrongState(detail) | Refusal::Failed(detail) => {
            exception(StatusCode::INTERNAL_SERVER_ERROR, "System.InvalidOperationException", detail)
        }
    }
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *reply.status_mut() = status;
    reply
}

/// An answer with text that is ready to be sent.
pub(crate) fn text(status: StatusCode, content_type: &'static str, text: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed_unsync());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// An answer as JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(bytes) => text(status, "application/json", bytes),
        // Only a map with keys that are no text could bring this about, and there is none.
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// One page of a list, and where the list goes on.
pub(super) fn page(members: &impl Serialize, next: Option<&PageToken>) -> Reply {
    let token = next.map_or_else(String::new, |token| utf8_percent_encode(&token.0, NOT_IN_TOKEN).to_string());
    with_header(json(StatusCode::OK, members), CONTINUATION_TOKEN, &token)
}

/// The answer with a header; one whose value cannot stand in a header is left out.
pub(super) fn with_header(mut reply: Reply, name: HeaderName, value: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
    reply
}

/// The answer with the advice to ask again after some seconds.
pub(super) fn retry_after(mut reply: Reply, seconds: u32) -> Reply {
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    reply
}
