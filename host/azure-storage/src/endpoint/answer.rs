//! Answers without what all of them carry: a status, headers of the operation, a body.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};

/// What a service answers; [`super::Endpoint`] adds the headers that are everywhere.
pub(crate) type Answer = Response<Bytes>;

/// An answer that is nothing but a status.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}

/// An answer with a document.
pub(crate) fn xml(status: StatusCode, document: String) -> Answer {
    with_body(status, "application/xml", document)
}

/// An answer with a body of that type.
pub(crate) fn with_body(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Answer::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// Adds a header; leaves it out if its value could not stand in one.
pub(crate) fn put(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
