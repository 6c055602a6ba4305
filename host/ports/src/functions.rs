//! Users' functions, however they are run.

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use orchestration::{
    ActivityTask, Cursor, EntityId, EntityOperation, EntityOutcome, Failure, Json, Timeouts, Timestamp,
};
use std::sync::Arc;
use storage_model::QueueName;

use crate::QueueMessage;

/// Any error that ends a body.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body of a request or response that comes piece by piece.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// How a function itself went wrong, apart from the failures that it reports as data. Ends this one call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuestFault {
    /// The app has no such function.
    #[error("there is no {kind} named '{name}'; the app has: {}", known.join(", "))]
    NotFound {
        /// What kind of function was looked for.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What there is instead.
        known: Vec<String>,
    },
    /// It trapped: a panic, a forbidden call, an access out of bounds.
    #[error("function '{function}' trapped: {message}")]
    Trapped {
        /// Its name.
        function: String,
        /// What the sandbox says, with the guest's last words on standard error.
        message: String,
    },
    /// It ran out of time.
    #[error("function '{function}' exceeded its time limit of {limit_ms} ms and was stopped; raise {key}")]
    TimedOut {
        /// Its name.
        function: String,
        /// The limit.
        limit_ms: u64,
        /// The manifest key that sets it.
        key: &'static str,
    },
    /// It ran out of memory.
    #[error("function '{function}' exceeded its memory limit of {limit_bytes} bytes and was stopped; raise {key}")]
    OutOfMemory {
        /// Its name.
        function: String,
        /// The limit.
        limit_bytes: u64,
        /// The manifest key that sets it.
        key: &'static str,
    },
    /// It returned too much.
    #[error(
        "function '{function}' returned {len} bytes where at most {limit_bytes} are allowed; return less, or raise {key}"
    )]
    OutputTooLarge {
        /// Its name.
        function: String,
        /// What it returned, in bytes.
        len: u64,
        /// The limit.
        limit_bytes: u64,
        /// The manifest key that sets it.
        key: &'static str,
    },
    /// The host has no room for it at the moment. Nothing ran; trying again may help.
    #[error("function '{function}' could not be started: {message}")]
    Unavailable {
        /// Its name.
        function: String,
        /// What was missing.
        message: String,
    },
}

impl GuestFault {
    /// The error type under which the fault is reported as a failure.
    pub fn error_type(&self) -> &'static str {
        match self {
            GuestFault::NotFound { kind: "orchestrator", .. } => Failure::ORCHESTRATOR_NOT_FOUND,
            GuestFault::NotFound { kind: "entity", .. } => Failure::ENTITY_NOT_FOUND,
            GuestFault::NotFound { kind: "activity", .. } => Failure::ACTIVITY_NOT_FOUND,
            // A function that a trigger starts.
            GuestFault::NotFound { .. } => "FunctionNotFound",
            GuestFault::Trapped { .. } => "FunctionTrapped",
            GuestFault::TimedOut { .. } => "FunctionTimeout",
            GuestFault::OutOfMemory { .. } => "FunctionOutOfMemory",
            GuestFault::OutputTooLarge { .. } => "FunctionOutputTooLarge",
            GuestFault::Unavailable { .. } => "FunctionUnavailable",
        }
    }

    /// The fault as a failure, for callers that get data. A function that is not there will not be there next time.
    pub fn failure(&self) -> Failure {
        let failure = Failure::new(self.error_type(), self.to_string());
        match self {
            GuestFault::NotFound { .. } => failure.non_retriable(),
            GuestFault::Trapped { .. }
            | GuestFault::TimedOut { .. }
            | GuestFault::OutOfMemory { .. }
            | GuestFault::OutputTooLarge { .. }
            | GuestFault::Unavailable { .. } => failure,
        }
    }
}

/// The orchestrators of an app.
#[async_trait]
pub trait Orchestrators: Send + Sync {
    /// The names of all orchestrators of the present app, sorted.
    fn names(&self) -> Vec<String>;

    /// Makes a fresh guest for one execution of the named orchestrator (compared without case) in the app of this digest, or
    /// in the present one. Nothing of it runs yet.
    async fn begin(&self, name: &str, pinned_to: Option<&str>) -> Result<Box<dyn Orchestrator>, GuestFault>;
}

/// One running orchestrator: a guest that lives between turns.
#[async_trait]
pub trait Orchestrator: Send {
    /// Lets the guest run from where it stands, against `cursor`, until it waits or ends. The first call begins at its first
    /// line, with [`Cursor::start`]. The cursor comes back in every case. After a fault or an end the guest is spent.
    async fn advance(&mut self, cursor: Box<Cursor>) -> (Box<Cursor>, Result<Advanced, GuestFault>);

    /// Roughly what the guest holds, in bytes.
    fn memory_bytes(&self) -> usize;
}

/// What [`Orchestrator::advance`] came to.
#[derive(Clone, PartialEq, Debug)]
pub enum Advanced {
    /// It waits for [`Cursor::next`] to answer.
    Waiting,
    /// It returned.
    Returned(Result<Json, Failure>),
}

/// One call of an activity.
#[derive(Clone, Debug)]
pub struct ActivityInvocation {
    /// Identifies the call in logs.
    pub invocation_id: String,
    /// What to run.
    pub task: ActivityTask,
    /// Where its signs of life go.
    pub heartbeat: Arc<dyn Heartbeat>,
}

/// Takes the signs of life of one running activity.
pub trait Heartbeat: Send + Sync + std::fmt::Debug {
    /// The activity is alive, and may say how far it has come.
    fn beat(&self, details: Option<Json>);
}

/// The activities of an app.
#[async_trait]
pub trait Activities: Send + Sync {
    /// How long one run of the task may take, as its function says where its caller does not.
    fn timeouts(&self, task: &ActivityTask) -> Timeouts;

    /// Runs one activity. Dropping the future stops it, also in the middle of a computation.
    async fn run(&self, invocation: ActivityInvocation) -> Result<Result<Json, Failure>, GuestFault>;
}

/// One batch of operations for an entity.
#[derive(Clone, Debug)]
pub struct EntityBatch {
    /// Identifies the call in logs.
    pub invocation_id: String,
    /// The entity.
    pub entity: EntityId,
    /// Its state; none: it does not exist yet.
    pub state: Option<Json>,
    /// What to do, in order; at least one.
    pub operations: Vec<EntityOperation>,
    /// Whether a failed operation leaves state and actions as they were before it.
    pub roll_back: bool,
    /// The time of the batch.
    pub now: Timestamp,
}

/// The entities of the present app.
#[async_trait]
pub trait Entities: Send + Sync {
    /// The names of all entities, sorted.
    fn names(&self) -> Vec<String>;

    /// Runs a batch. There is one result for each operation, in order.
    async fn run(&self, batch: EntityBatch) -> Result<EntityOutcome, GuestFault>;
}

/// Values by the names of bindings. A name may occur more than once among outputs: each is a value of its own.
pub type BoundValues = Vec<(String, Json)>;

/// What a function came to that was started by a trigger.
#[derive(Clone, PartialEq, Debug)]
pub struct Ran {
    /// What it returned; the value of the output `$return`, if there is one.
    pub returned: Json,
    /// What it gave its outputs, in that order.
    pub outputs: BoundValues,
}

/// Which try of an invocation this is, for a function with a retry policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RetryContext {
    /// 0 for the first try.
    pub retry_count: u32,
    /// How many there may be; none: any number, or no policy.
    pub max_retry_count: Option<u32>,
}

/// One message for a function.
#[derive(Clone, Debug)]
pub struct QueueInvocation {
    /// Identifies the call in logs.
    pub invocation_id: String,
    /// The function's name in the manifest.
    pub function: String,
    /// The queue that it came from.
    pub queue: QueueName,
    /// The message. Its text is decoded already.
    pub message: QueueMessage,
    /// Which try this is.
    pub retry: RetryContext,
    /// The values of input bindings.
    pub inputs: BoundValues,
}

/// One occurrence of a schedule for a function.
#[derive(Clone, Debug)]
pub struct TimerInvocation {
    /// Identifies the call in logs.
    pub invocation_id: String,
    /// The function's name in the manifest.
    pub function: String,
    /// The occurrence that this run is for; runs at start and by hand have the time of the run.
    pub scheduled: Timestamp,
    /// Whether it is later than it should be, because the host was not running then.
    pub is_past_due: bool,
    /// Whether the schedule follows the changes between summer and winter time; an interval does not.
    pub adjusts_for_dst: bool,
    /// The occurrence before; none: it never ran, or nobody remembers.
    pub last: Option<Timestamp>,
    /// The occurrence after this one; none: there is none.
    pub next: Option<Timestamp>,
    /// When the schedule's state was last written.
    pub last_updated: Option<Timestamp>,
    /// Which try this is.
    pub retry: RetryContext,
    /// The values of input bindings.
    pub inputs: BoundValues,
}

/// The functions of an app that messages start.
#[async_trait]
pub trait QueueFunctions: Send + Sync {
    /// Runs one to its end. Dropping the future stops it.
    async fn run_queue(&self, invocation: QueueInvocation) -> Result<Result<Ran, Failure>, GuestFault>;
}

/// The functions of an app that schedules start.
#[async_trait]
pub trait TimerFunctions: Send + Sync {
    /// Runs one to its end. Dropping the future stops it.
    async fn run_timer(&self, invocation: TimerInvocation) -> Result<Result<Ran, Failure>, GuestFault>;
}

/// One HTTP request for a function.
#[derive(Debug)]
pub struct HttpInvocation {
    /// Identifies the call in logs.
    pub invocation_id: String,
    /// The function's name in the manifest.
    pub function: String,
    /// What the route captured, by name.
    pub route_parameters: Vec<(String, String)>,
    /// The request, with an absolute URI.
    pub request: http::Request<Body>,
    /// The values of input bindings.
    pub inputs: BoundValues,
}

/// What an HTTP function answered.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The response. Its body may still be produced by the function.
    pub response: http::Response<Body>,
    /// What it gave its outputs; complete, because only functions with whole bodies have outputs.
    pub outputs: BoundValues,
}

/// The HTTP functions of an app.
#[async_trait]
pub trait HttpFunctions: Send + Sync {
    /// Answers one request. The response's body may still be produced by the function after this returns.
    async fn handle(&self, invocation: HttpInvocation) -> Result<HttpAnswer, GuestFault>;
}
