//! Why a client's wish was not done, and what that is over HTTP.

use std::fmt;

/// Why the host did not do what the client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// There is no such instance. Over HTTP: 404.
    NotFound(String),
    /// An instance of this id is at work already. Over HTTP: 409.
    AlreadyExists(String),
    /// The instance has ended. Over HTTP: 410.
    Gone(String),
    /// The instance is in no state for it: resumed without being suspended, rewound without having failed. Over HTTP: 409.
    Conflict(String),
    /// The call's own words are wrong: an unknown orchestrator, a malformed id, a payload too large. Over HTTP: 400.
    Invalid(String),
    /// The host cannot do it now. Over HTTP: 503.
    Unavailable(String),
}

impl ClientError {
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            ClientError::NotFound(_) => "NotFound",
            ClientError::AlreadyExists(_) => "AlreadyExists",
            ClientError::Gone(_) => "Gone",
            ClientError::Conflict(_) => "Conflict",
            ClientError::Invalid(_) => "Invalid",
            ClientError::Unavailable(_) => "Unavailable",
        }
    }

    pub(crate) fn http_status(&self) -> u16 {
        match self {
            ClientError::NotFound(_) => 404,
            ClientError::AlreadyExists(_) => 409,
            ClientError::Gone(_) => 410,
            ClientError::Conflict(_) => 409,
            ClientError::Invalid(_) => 400,
            ClientError::Unavailable(_) => 503,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::NotFound(text)
            | ClientError::AlreadyExists(text)
            | ClientError::Gone(text)
            | ClientError::Conflict(text)
            | ClientError::Invalid(text)
            | ClientError::Unavailable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for ClientError {}
