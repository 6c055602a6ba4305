//! Answers that the trigger gives by itself, and what becomes of a function's own answer before it leaves.

use super::body::BodyTooLarge;
use super::limits::MAX_TARGET_BYTES;
use super::origin::BadHost;
use crate::bindings::BindingError;
use crate::invocation::Invocation;
use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Empty, Full};
use manifest::route;
use ports::{Body, EffectError, GuestFault, StoreError, TableError};
use serde_json::json;

/// Names the invocation in every answer that one was made for.
pub const INVOCATION_ID: HeaderName = HeaderName::from_static("x-ms-invocation-id");

/// When to try again after 429 and 503, in seconds: places become free within the run time of a function.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// What a caller learns when a function goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultDetail {
    /// Everything, as a problem document (RFC 9457). For developers on their own machine.
    Problem,
    /// The invocation id, by which the operator finds the rest in the log.
    InvocationId,
}

/// Why an invocation gave no answer that can be passed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unanswered {
    #[error(transparent)]
    Fault(#[from] GuestFault),
    #[error("function '{function}' answered with status {status}, which is no final answer; answer with 200 to 599")]
    InterimStatus { function: String, status: StatusCode },
    #[error(transparent)]
    BodyTooLarge(#[from] BodyTooLarge),
    #[error("the request's body broke off: {0}")]
    BrokenBody(String),
    #[error(transparent)]
    Binding(#[from] BindingError),
    #[error("the function's outputs could not be written: {0}")]
    NotCommitted(#[from] EffectError),
}

/// Why a request reaches no function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no function has this path")]
    NotFound,
    #[error("the caller may not call the function")]
    Denied,
    #[error("the function has other methods")]
    MethodNotAllowed { allow: Vec<route::Method> },
    #[error("the host is no proxy")]
    Connect,
    #[error("as many requests as allowed are being served")]
    Busy,
    #[error("the URL's path and query have {bytes} bytes; at most {MAX_TARGET_BYTES} are allowed")]
    TargetTooLong { bytes: usize },
    #[error(transparent)]
    BodyTooLarge(#[from] BodyTooLarge),
    #[error(transparent)]
    BadHost(#[from] BadHost),
    #[error("the URL is malformed: {0}")]
    BadTarget(String),
}

/// The answer to a request that reaches no function. Without a body where Azure has none.
pub(super) fn refused(refusal: &Refusal) -> Response<Body> {
    match refusal {
        Refusal::NotFound => empty(StatusCode::NOT_FOUND),
        Refusal::Denied => empty(StatusCode::UNAUTHORIZED),
        Refusal::MethodNotAllowed { allow } => method_not_allowed(allow),
        Refusal::Connect => empty(StatusCode::NOT_IMPLEMENTED),
        Refusal::Busy => retry_later(empty(StatusCode::TOO_MANY_REQUESTS)),
        Refusal::TargetTooLong { .. } => plain_text(StatusCode::URI_TOO_LONG, refusal.to_string()),
        Refusal::BodyTooLarge(_) => plain_text(StatusCode::PAYLOAD_TOO_LARGE, refusal.to_string()),
        Refusal::BadHost(_) | Refusal::BadTarget(_) => plain_text(StatusCode::BAD_REQUEST, refusal.to_string()),
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(no_body());
    *response.status_mut() = status;
    response
}

fn plain_text(status: StatusCode, message: String) -> Response<Body> {
    text(status, "text/plain; charset=utf-8", message)
}

fn text(status: StatusCode, content_type: &'static str, text: String) -> Response<Body> {
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn method_not_allowed(allow: &[route::Method]) -> Response<Body> {
    let allow: Vec<&str> = allow.iter().map(|method| method.as_str()).collect();
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    // The names of methods are visible ASCII.
    if let Ok(value) = HeaderValue::from_str(&allow.join(", ")) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

fn retry_later(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    response
}

fn no_body() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// The answer when the function gave none.
///
/// 504 for a function that ran out of time: the host stands between caller and function as a gateway does. (Azure answers
/// 500 there, or its load balancer 502.)
pub(super) fn unanswered(why: &Unanswered, detail: FaultDetail, invocation: &Invocation) -> Response<Body> {
    let (status, kind, hint) = match why {
        Unanswered::BodyTooLarge(error) => return refused(&Refusal::BodyTooLarge(*error)),
        Unanswered::BrokenBody(_) => (StatusCode::BAD_REQUEST, "BrokenBody", "Send the request again."),
        Unanswered::Binding(error) if is_for_now(error) => {
            (StatusCode::SERVICE_UNAVAILABLE, "InputsNotRead", "Nothing was written. Call it again.")
        }
        Unanswered::Binding(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "BindingFailed",
            "Compare the function's values and its bindings in the manifest; nothing was written.",
        ),
        Unanswered::NotCommitted(error) => (
            of_commit(error),
            "OutputsNotWritten",
            "The function ran and its answer was withheld, because its outputs are not there. Call it again.",
        ),
        Unanswered::InterimStatus { .. } => {
            (StatusCode::INTERNAL_SERVER_ERROR, "InterimStatus", "Return a final status from the function.")
        }
        Unanswered::Fault(fault) => {
            let (status, hint) = of_fault(fault);
            let kind = match fault {
                // The fault's own name for it is an orchestrator's or an activity's.
                GuestFault::NotFound { .. } => "FunctionNotFound",
                GuestFault::Trapped { .. }
                | GuestFault::TimedOut { .. }
                | GuestFault::OutOfMemory { .. }
                | GuestFault::OutputTooLarge { .. }
                | GuestFault::Unavailable { .. } => fault.error_type(),
            };
            (status, kind, hint)
        }
    };
    let response = match detail {
        FaultDetail::InvocationId => plain_text(status, invocation.id().to_owned()),
        FaultDetail::Problem => {
            let problem = json!({
                "type": "about:blank",
                "title": kind,
                "status": status.as_u16(),
                "detail": why.to_string(),
                "function": invocation.function(),
                "invocationId": invocation.id(),
                "hint": hint,
            });
            text(status, "application/problem+json", problem.to_string())
        }
    };
    if status == StatusCode::SERVICE_UNAVAILABLE { retry_later(response) } else { response }
}

/// Whether the store could not read an input now and may do so later: that is nothing of the function's.
fn is_for_now(error: &BindingError) -> bool {
    match error {
        BindingError::Unreadable { why: TableError::Store(StoreError::Unavailable { .. }), .. } => true,
        BindingError::Unreadable { .. }
        | BindingError::Expression { .. }
        | BindingError::Evaluated { .. }
        | BindingError::Value { .. }
        | BindingError::Undeclared { .. }
        | BindingError::TooLarge { .. } => false,
    }
}

/// What the store cannot do now, as with a full disk, it may do later: that is nothing of the function's.
fn of_commit(error: &EffectError) -> StatusCode {
    match error {
        EffectError::Store(StoreError::Unavailable { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        EffectError::Store(StoreError::LeaseLost { .. } | StoreError::Corrupt { .. })
        | EffectError::MessageLost { .. }
        | EffectError::EntityRefused { .. }
        | EffectError::DocumentChanged { .. }
        | EffectError::Outside(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn of_fault(fault: &GuestFault) -> (StatusCode, &'static str) {
    match fault {
        GuestFault::NotFound { .. } => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The manifest names a function that the component does not contain: correct the name, or build again.",
        ),
        GuestFault::Trapped { .. } => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The function's own code stopped; the first frames of the trap say where.",
        ),
        GuestFault::TimedOut { .. } => (
            StatusCode::GATEWAY_TIMEOUT,
            "Do less in one request, start an orchestration and answer 202, or raise the limit.",
        ),
        GuestFault::OutOfMemory { .. } => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Hold less in memory at a time, or raise the limit.")
        }
        GuestFault::OutputTooLarge { .. } => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Answer in pages, stream the body, or raise the limit.")
        }
        GuestFault::Unavailable { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "Nothing ran. Try again; if it stays so, the host is overloaded.")
        }
    }
}

/// Takes from a function's answer what is the connection's business and not the function's, and makes the stated length
/// agree with the body. Answers how many bytes the caller will take of the body, if that is known.
pub(super) fn settle_head(response: &mut Response<Body>, asked: &Method) -> Option<u64> {
    let known_bytes = response.body().size_hint().exact();
    let bodiless = *asked == Method::HEAD
        || matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED);
    let headers = response.headers_mut();
    for name in [CONNECTION, TE, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")] {
        headers.remove(name);
    }
    let stated_bytes = stated_length(headers);
    let length = match (known_bytes, stated_bytes) {
        // An answer to HEAD states the length of what GET would get, with or without a body at hand.
        (Some(0), stated) if *asked == Method::HEAD => stated,
        (Some(known), _) => Some(known),
        (None, stated) => stated,
    };
    headers.remove(CONTENT_LENGTH);
    if let Some(length) = length.filter(|_| !bodiless || *asked == Method::HEAD) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if bodiless { Some(0) } else { length }
}

/// The length that the headers state, if they state one, once.
fn stated_length(headers: &HeaderMap) -> Option<u64> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    value.parse().ok()
}

/// The answer without its body: to HEAD, or where the status forbids one. Dropping a streaming body stops its function.
pub(super) fn without_body(response: Response<Body>) -> Response<Body> {
    response.map(|_body| no_body())
}
