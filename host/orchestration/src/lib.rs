//! The durable core: what an orchestration *is*, as pure functions on values.
//!
//! One turn of an orchestration goes through this crate in four steps: [`admit`] decides which messages of the inbox become
//! events, the [`Cursor`] answers the orchestrator's calls from those events and collects the [`Action`]s it asks for,
//! and [`settle`] turns all of it into one [`Checkpoint`], the value that must become durable.
//!
//! Nothing in here reads a clock, draws a random number, waits, or knows how anything is stored or sent: `now` and new ids
//! are arguments, effects are values.

mod admission;
mod checkpoint;
mod entity;
mod failure;
mod family;
mod history;
mod ids;
mod json;
mod limits;
mod message;
mod replay;
mod retry;
mod rewind;
mod settle;
mod status;
mod time;
pub mod transcript;
mod versions;

#[cfg(test)]
mod tests;

pub use admission::{Admission, Ignored, Termination, admit};
pub use checkpoint::{ActivityTask, Checkpoint, NewInstance, Timer, TurnRecord};
pub use entity::{EntityAction, EntityAdmission, EntityOperation, EntityOutcome, admit_entity, settle_entity};
pub use failure::Failure;
pub use family::farewell;
pub use history::{
    AcceptedEvents, Awaited, Event, EventKind, ExecutionStarted, History, IllegalEvent, Ledger, Parent, RaisedEvent,
    StartOptions, Tags, Timeouts,
};
pub use ids::{EntityId, EventId, ExecutionId, InstanceId, InvalidInstanceId, TaskNumber};
pub use json::Json;
pub use limits::{Limits, WARN_AT_PERCENT};
pub use message::{Caller, Envelope, Message, MessageKind, Origin, Section};
pub use replay::{
    Action, ActivityCall, Completion, Cursor, Departure, Fit, HttpCall, HttpRequest, HttpResponse, HttpSettings,
    Identity, Next, NonDeterminism, RecordedAction, Recording, Requested, Stopped, SubOrchestrationCall, TurnEnd,
};
pub use retry::{GiveUp, InvalidRetryPolicy, RetryDecision, RetryPolicy};
pub use rewind::rewind;
pub use settle::{PresentApp, Settled, Settling, set_aside, settle};
pub use status::{Continued, CriticalSection, EntityLock, EntityRecord, InstanceRow, Reuse, RuntimeStatus};
pub use time::Timestamp;
pub use versions::{FailureStrategy, MatchStrategy, VersionGate};
