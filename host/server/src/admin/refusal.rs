//! Why an admin operation was not done; each variant is one answer.

use http::StatusCode;

use crate::management::reply::{self, Reply};

/// See the module. Texts are for the operator, and hold no value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// What the path names is not there: 404 without a body.
    NotFound,
    /// The request makes no sense; with why.
    Invalid(String),
    /// The body is too long.
    TooLarge {
        /// The longest that is read.
        limit_bytes: usize,
    },
    /// The body took longer than allowed.
    TooSlow,
    /// It does not fit how the host stands; with why.
    Conflict(&'static str),
    /// The host cannot at the moment; with why.
    Busy(String),
    /// It could not be done; with why.
    Failed(String),
}

impl Refusal {
    /// The answer.
    pub(super) fn reply(&self) -> Reply {
        let sentence = |status, text: String| reply::text(status, "text/plain; charset=utf-8", text);
        match self {
            Refusal::NotFound => reply::empty(StatusCode::NOT_FOUND),
            Refusal::Invalid(why) => sentence(StatusCode::BAD_REQUEST, why.clone()),
            Refusal::TooLarge { limit_bytes } => {
                sentence(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {limit_bytes} bytes"))
            }
            Refusal::TooSlow => sentence(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time".to_owned()),
            Refusal::Conflict(why) => sentence(StatusCode::CONFLICT, (*why).to_owned()),
            Refusal::Busy(why) => sentence(StatusCode::SERVICE_UNAVAILABLE, why.clone()),
            Refusal::Failed(why) => sentence(StatusCode::INTERNAL_SERVER_ERROR, why.clone()),
        }
    }
}
