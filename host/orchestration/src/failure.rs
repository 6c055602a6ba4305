//! A function's failure, as data: it goes into the history and comes back to the orchestrator that asked.

use std::collections::BTreeMap;
use std::fmt;

/// What went wrong in a user's function. (What goes wrong in the host is an `Err` of the port it happened at, and is tried
/// again; the two are never mixed.)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Failure {
    /// What kind of failure it is; retry policies and callers match on it.
    pub error_type: String,
    /// What a person reads.
    pub message: String,
    /// Free text, such as a backtrace.
    pub details: Option<String>,
    /// Trying again cannot help: ends every retry policy.
    pub non_retriable: bool,
    /// What led to it.
    pub cause: Option<Box<Failure>>,
    /// Whatever the author attached.
    pub properties: BTreeMap<String, String>,
}

impl Failure {
    /// The activity that was called is in no component of the app.
    pub const ACTIVITY_NOT_FOUND: &str = "ActivityTaskNotFound";
    /// The orchestrator that was called is in no component of the app.
    pub const ORCHESTRATOR_NOT_FOUND: &str = "OrchestratorTaskNotFound";
    /// The code asked for something else than the history records.
    pub const NON_DETERMINISTIC: &str = "NonDeterministicOrchestration";
    /// An instance of that id is at work already.
    pub const ALREADY_EXISTS: &str = "InstanceAlreadyExists";
    /// The child was terminated.
    pub const TERMINATED: &str = "OrchestrationTerminated";
    /// A retry policy that cannot be followed.
    pub const INVALID_RETRY_POLICY: &str = "InvalidRetryPolicy";
    /// A malformed argument of a durable call.
    pub const INVALID_ARGUMENT: &str = "InvalidArgument";
    /// A limit of the host was reached.
    pub const LIMIT_EXCEEDED: &str = "LimitExceeded";
    /// The entity that was called is in no component of the app.
    pub const ENTITY_NOT_FOUND: &str = "EntityTaskNotFound";
    /// An entity did not answer an operation that it was given.
    pub const INVALID_ENTITY_RESULT: &str = "InvalidEntityResult";
    /// The instance's version and the worker's do not go together.
    pub const VERSION_MISMATCH: &str = "VersionMismatch";
    /// An activity ran longer than its timeout.
    pub const ACTIVITY_TIMEOUT: &str = "ActivityTimeout";
    /// An activity gave no heartbeat for too long.
    pub const ACTIVITY_HEARTBEAT_TIMEOUT: &str = "ActivityHeartbeatTimeout";
    /// The caller stopped it.
    pub const CANCELED: &str = "Canceled";
    /// What is not allowed within, or without, a critical section.
    pub const CRITICAL_SECTION: &str = "CriticalSectionViolation";
    /// An HTTP request could not be made.
    pub const HTTP_REQUEST_FAILED: &str = "HttpRequestFailed";
    /// An HTTP request took longer than its timeout.
    pub const HTTP_REQUEST_TIMEOUT: &str = "HttpRequestTimeout";
    /// An HTTP request was answered with a status that its retry policy takes for a failure.
    pub const HTTP_STATUS: &str = "HttpStatus";
    /// The stored history cannot be read.
    pub const CORRUPT_HISTORY: &str = "CorruptHistory";

    /// A failure with a type and a message and nothing else.
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure { error_type: error_type.into(), message: message.into(), ..Failure::default() }
    }

    /// The same failure, marked as one that no retry can help.
    pub fn non_retriable(mut self) -> Failure {
        self.non_retriable = true;
        self
    }

    /// The same failure with its free text.
    pub fn with_details(mut self, details: impl Into<String>) -> Failure {
        self.details = Some(details.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.message)?;
        match &self.cause {
            Some(cause) => write!(f, "; caused by {cause}"),
            None => Ok(()),
        }
    }
}
