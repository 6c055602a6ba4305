//! The durable core: what an orchestration *is*, as pure functions on values.
//!
//! One turn of an orchestration goes through this crate in four steps: [`admit`] decides which messages of the inbox become
//! events, the [`Cursor`] answers the orchestrator's calls from those events and collects the [`Action`]s it asks for,
//! and [`settle`] turns all of it into one [`Checkpoint`], the value that must become durable.
//!
//! Nothing in here reads a clock, draws a random number, waits, or knows how anything is stored or sent: `now` and new ids
//! are arguments, effects are values.

mod failure;
mod history;
mod ids;
mod json;
mod message;
mod replay;
mod retry;
mod settle;
mod status;
mod time;
pub mod transcript;

#[cfg(test)]
mod tests;

pub use failure::Failure;
pub use history::{Awaited, Event, EventKind, ExecutionStarted, History, IllegalEvent, Ledger, Parent, RaisedEvent};
pub use ids::{EventId, ExecutionId, InstanceId, InvalidInstanceId, TaskNumber};
pub use json::Json;
pub use message::{Envelope, Message, MessageKind, Origin};
pub use replay::{
    Action, ActivityCall, Completion, Cursor, Identity, Limits, Next, NonDeterminism, RecordedAction, Requested,
    Stopped, SubOrchestrationCall, TurnEnd,
};
pub use retry::{GiveUp, InvalidRetryPolicy, RetryDecision, RetryPolicy};
pub use settle::{
    ActivityTask, Admission, Checkpoint, Ignored, NewInstance, Settling, Timer, TurnRecord, admit, set_aside, settle,
};
pub use status::{InstanceRow, RuntimeStatus};
pub use time::Timestamp;
