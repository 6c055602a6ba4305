//! The mirror structs of stored values. The numbers in here are the format: add, never change.

use prost::{Message, Oneof};
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Message)]
pub(super) struct InstanceRow {
    #[prost(message, optional, tag = "1")]
    pub(super) execution: Option<Execution>,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(uint32, tag = "3")]
    pub(super) status: u32,
    #[prost(sfixed64, tag = "4")]
    pub(super) created_at: i64,
    #[prost(sfixed64, tag = "5")]
    pub(super) updated_at: i64,
    #[prost(sfixed64, optional, tag = "6")]
    pub(super) completed_at: Option<i64>,
    #[prost(string, optional, tag = "7")]
    pub(super) custom_status: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub(super) output: Option<String>,
    #[prost(message, optional, tag = "9")]
    pub(super) failure: Option<Failure>,
    #[prost(message, optional, tag = "10")]
    pub(super) parent: Option<Parent>,
    #[prost(string, optional, tag = "11")]
    pub(super) component: Option<String>,
    #[prost(uint32, tag = "12")]
    pub(super) turns: u32,
    #[prost(uint64, tag = "13")]
    pub(super) events: u64,
}

/// The 128 bits of an execution id.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Execution {
    #[prost(fixed64, tag = "1")]
    pub(super) high: u64,
    #[prost(fixed64, tag = "2")]
    pub(super) low: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Parent {
    #[prost(string, tag = "1")]
    pub(super) instance: String,
    #[prost(message, optional, tag = "2")]
    pub(super) execution: Option<Execution>,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(uint32, tag = "4")]
    pub(super) scheduled: u32,
}

/// A failure and its causes as a list, outermost first: nesting would meet the decoder's limit of depth.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Failure {
    #[prost(message, repeated, tag = "1")]
    pub(super) chain: Vec<FailureLink>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FailureLink {
    #[prost(string, tag = "1")]
    pub(super) error_type: String,
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(string, optional, tag = "3")]
    pub(super) details: Option<String>,
    #[prost(bool, tag = "4")]
    pub(super) non_retriable: bool,
    #[prost(btree_map = "string, string", tag = "5")]
    pub(super) properties: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Input {
    #[prost(string, tag = "1")]
    pub(super) json: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Activity {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) input: String,
    #[prost(uint32, tag = "3")]
    pub(super) attempt: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Timer {
    #[prost(sfixed64, optional, tag = "1")]
    pub(super) fire_at: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Number {
    #[prost(uint64, tag = "1")]
    pub(super) value: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Turn {
    #[prost(message, repeated, tag = "1")]
    pub(super) events: Vec<Event>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    #[prost(sfixed64, tag = "1")]
    pub(super) at: i64,
    #[prost(oneof = "EventKind", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15")]
    pub(super) kind: Option<EventKind>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum EventKind {
    #[prost(message, tag = "2")]
    OrchestratorStarted(Nothing),
    #[prost(message, tag = "3")]
    OrchestratorCompleted(Nothing),
    #[prost(message, tag = "4")]
    ExecutionStarted(ExecutionStarted),
    #[prost(message, tag = "5")]
    ExecutionCompleted(ExecutionCompleted),
    #[prost(message, tag = "6")]
    ExecutionTerminated(Terminated),
    #[prost(message, tag = "7")]
    TaskScheduled(Called),
    #[prost(message, tag = "8")]
    TaskCompleted(Completed),
    #[prost(message, tag = "9")]
    TaskFailed(Failed),
    #[prost(message, tag = "10")]
    SubOrchestrationCreated(Called),
    #[prost(message, tag = "11")]
    SubOrchestrationCompleted(Completed),
    #[prost(message, tag = "12")]
    SubOrchestrationFailed(Failed),
    #[prost(message, tag = "13")]
    TimerCreated(TimerEvent),
    #[prost(message, tag = "14")]
    TimerFired(TimerEvent),
    #[prost(message, tag = "15")]
    EventRaised(Raised),
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Nothing {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ExecutionStarted {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) input: String,
    #[prost(message, optional, tag = "3")]
    pub(super) execution: Option<Execution>,
    #[prost(message, optional, tag = "4")]
    pub(super) parent: Option<Parent>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ExecutionCompleted {
    #[prost(uint32, tag = "1")]
    pub(super) status: u32,
    #[prost(string, optional, tag = "2")]
    pub(super) output: Option<String>,
    #[prost(message, optional, tag = "3")]
    pub(super) failure: Option<Failure>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Terminated {
    #[prost(string, tag = "1")]
    pub(super) reason: String,
}

/// An activity or a child that was asked for.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Called {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) input: String,
    /// Only of a child.
    #[prost(string, tag = "4")]
    pub(super) instance: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Completed {
    #[prost(uint32, tag = "1")]
    pub(super) scheduled: u32,
    #[prost(string, tag = "2")]
    pub(super) result: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Failed {
    #[prost(uint32, tag = "1")]
    pub(super) scheduled: u32,
    #[prost(message, optional, tag = "2")]
    pub(super) failure: Option<Failure>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct TimerEvent {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(sfixed64, tag = "2")]
    pub(super) fire_at: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Raised {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) input: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Started {
    #[prost(message, optional, tag = "1")]
    pub(super) started: Option<ExecutionStarted>,
    #[prost(message, repeated, tag = "2")]
    pub(super) carried_over: Vec<Raised>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct InboxMessage {
    #[prost(message, optional, tag = "1")]
    pub(super) execution: Option<Execution>,
    #[prost(oneof = "MessageKind", tags = "2, 3, 4, 5, 6, 7, 8, 9")]
    pub(super) kind: Option<MessageKind>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum MessageKind {
    #[prost(message, tag = "2")]
    ExecutionStarted(Started),
    #[prost(message, tag = "3")]
    TaskCompleted(Completed),
    #[prost(message, tag = "4")]
    TaskFailed(Failed),
    #[prost(message, tag = "5")]
    SubOrchestrationCompleted(Completed),
    #[prost(message, tag = "6")]
    SubOrchestrationFailed(Failed),
    #[prost(message, tag = "7")]
    TimerFired(TimerEvent),
    #[prost(message, tag = "8")]
    EventRaised(Raised),
    #[prost(message, tag = "9")]
    ExecutionTerminated(Terminated),
}
