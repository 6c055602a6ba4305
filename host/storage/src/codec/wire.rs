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
    pub(super) pinned_to: Option<String>,
    #[prost(uint32, tag = "12")]
    pub(super) turns: u32,
    #[prost(uint64, tag = "13")]
    pub(super) events: u64,
    #[prost(message, optional, tag = "14")]
    pub(super) options: Option<StartOptions>,
    #[prost(string, optional, tag = "15")]
    pub(super) idempotency_key: Option<String>,
    #[prost(message, optional, tag = "16")]
    pub(super) critical_section: Option<CriticalSection>,
    #[prost(message, optional, tag = "17")]
    pub(super) continued: Option<Continued>,
    #[prost(message, optional, tag = "18")]
    pub(super) entity: Option<EntityRecord>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StartOptions {
    #[prost(string, optional, tag = "1")]
    pub(super) version: Option<String>,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(super) tags: BTreeMap<String, String>,
    #[prost(sfixed64, optional, tag = "3")]
    pub(super) start_at: Option<i64>,
}

/// Entities are written by their instance ids.
#[derive(Clone, PartialEq, Message)]
pub(super) struct CriticalSection {
    #[prost(uint32, tag = "1")]
    pub(super) scheduled: u32,
    #[prost(string, repeated, tag = "2")]
    pub(super) entities: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Continued {
    #[prost(sfixed64, tag = "1")]
    pub(super) since: i64,
    #[prost(uint32, tag = "2")]
    pub(super) times: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct EntityRecord {
    #[prost(string, optional, tag = "1")]
    pub(super) state: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(super) lock: Option<EntityLock>,
    #[prost(sfixed64, optional, tag = "3")]
    pub(super) last_operation_at: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct EntityLock {
    #[prost(string, tag = "1")]
    pub(super) owner: String,
    #[prost(message, optional, tag = "2")]
    pub(super) section: Option<Section>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Section {
    #[prost(message, optional, tag = "1")]
    pub(super) execution: Option<Execution>,
    #[prost(uint32, tag = "2")]
    pub(super) scheduled: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Timeouts {
    #[prost(message, optional, tag = "1")]
    pub(super) run: Option<Span>,
    #[prost(message, optional, tag = "2")]
    pub(super) heartbeat: Option<Span>,
}

/// A length of time.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Span {
    #[prost(uint64, tag = "1")]
    pub(super) seconds: u64,
    /// Less than a second.
    #[prost(uint32, tag = "2")]
    pub(super) nanoseconds: u32,
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
    #[prost(message, optional, tag = "4")]
    pub(super) timeouts: Option<Timeouts>,
    #[prost(btree_map = "string, string", tag = "5")]
    pub(super) tags: BTreeMap<String, String>,
    #[prost(string, tag = "6")]
    pub(super) caller: String,
    #[prost(string, optional, tag = "7")]
    pub(super) version: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub(super) pinned_to: Option<String>,
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
    #[prost(
        oneof = "EventKind",
        tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26"
    )]
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
    #[prost(message, tag = "16")]
    ExecutionSuspended(Reason),
    #[prost(message, tag = "17")]
    ExecutionResumed(Reason),
    #[prost(message, tag = "18")]
    ExecutionRewound(Reason),
    #[prost(message, tag = "19")]
    EventSent(EventSent),
    #[prost(message, tag = "20")]
    EntityOperationCalled(OperationAsked),
    #[prost(message, tag = "21")]
    EntityOperationSignaled(OperationAsked),
    #[prost(message, tag = "22")]
    EntityOperationCompleted(Completed),
    #[prost(message, tag = "23")]
    EntityOperationFailed(Failed),
    #[prost(message, tag = "24")]
    EntityLockRequested(LockAsked),
    #[prost(message, tag = "25")]
    EntityLockGranted(LockGranted),
    #[prost(message, tag = "26")]
    EntityUnlockSent(LockLeft),
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
    #[prost(message, optional, tag = "5")]
    pub(super) options: Option<StartOptions>,
    #[prost(uint32, tag = "6")]
    pub(super) depth: u32,
    #[prost(string, optional, tag = "7")]
    pub(super) pinned_to: Option<String>,
    #[prost(string, repeated, tag = "8")]
    pub(super) accepted_events: Vec<String>,
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
    /// Only of a message, like the next.
    #[prost(bool, tag = "2")]
    pub(super) recurse: bool,
    #[prost(message, optional, tag = "3")]
    pub(super) by_parent: Option<Execution>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Reason {
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
    #[prost(uint32, optional, tag = "5")]
    pub(super) retry_of: Option<u32>,
    /// Only of an activity.
    #[prost(message, optional, tag = "6")]
    pub(super) timeouts: Option<Timeouts>,
    /// Only of an activity; those of a child are among the options.
    #[prost(btree_map = "string, string", tag = "7")]
    pub(super) tags: BTreeMap<String, String>,
    /// Only of a child.
    #[prost(bool, tag = "8")]
    pub(super) detached: bool,
    /// Only of a child.
    #[prost(message, optional, tag = "9")]
    pub(super) options: Option<StartOptions>,
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
    /// Only of one that is set.
    #[prost(uint32, optional, tag = "3")]
    pub(super) retry_of: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Raised {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) input: String,
    #[prost(string, optional, tag = "3")]
    pub(super) id: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct EventSent {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(string, tag = "2")]
    pub(super) instance: String,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "4")]
    pub(super) input: String,
}

/// An operation that was asked for, in the history of who asked.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OperationAsked {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(string, tag = "2")]
    pub(super) entity: String,
    #[prost(string, tag = "3")]
    pub(super) operation: String,
    #[prost(string, tag = "4")]
    pub(super) input: String,
    /// Only of a signal.
    #[prost(sfixed64, optional, tag = "5")]
    pub(super) deliver_at: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LockAsked {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(string, repeated, tag = "2")]
    pub(super) entities: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct LockGranted {
    #[prost(uint32, tag = "1")]
    pub(super) scheduled: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct LockLeft {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(uint32, tag = "2")]
    pub(super) section: u32,
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
    #[prost(oneof = "MessageKind", tags = "2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21")]
    pub(super) kind: Option<MessageKind>,
    #[prost(sfixed64, optional, tag = "10")]
    pub(super) deliver_at: Option<i64>,
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
    #[prost(message, tag = "11")]
    ExecutionSuspended(Reason),
    #[prost(message, tag = "12")]
    ExecutionResumed(Reason),
    #[prost(message, tag = "13")]
    RewindRequested(RewindRequested),
    #[prost(message, tag = "14")]
    ExecutionRewound(Rewound),
    #[prost(message, tag = "15")]
    EntityOperationCalled(OperationCalled),
    #[prost(message, tag = "16")]
    EntityOperationSignaled(OperationSignaled),
    #[prost(message, tag = "17")]
    EntityLockRequested(LockRequested),
    #[prost(message, tag = "18")]
    EntityUnlockSent(UnlockSent),
    #[prost(message, tag = "19")]
    EntityOperationCompleted(Completed),
    #[prost(message, tag = "20")]
    EntityOperationFailed(Failed),
    #[prost(message, tag = "21")]
    EntityLockGranted(LockGranted),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RewindRequested {
    #[prost(string, tag = "1")]
    pub(super) reason: String,
    #[prost(message, optional, tag = "2")]
    pub(super) parent: Option<Parent>,
    #[prost(bool, tag = "3")]
    pub(super) latest: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Rewound {
    #[prost(string, tag = "1")]
    pub(super) reason: String,
    /// Their moments mean nothing.
    #[prost(message, repeated, tag = "2")]
    pub(super) again: Vec<Event>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Caller {
    #[prost(string, tag = "1")]
    pub(super) instance: String,
    #[prost(message, optional, tag = "2")]
    pub(super) execution: Option<Execution>,
    #[prost(uint32, tag = "3")]
    pub(super) scheduled: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OperationCalled {
    #[prost(message, optional, tag = "1")]
    pub(super) caller: Option<Caller>,
    #[prost(string, tag = "2")]
    pub(super) operation: String,
    #[prost(string, tag = "3")]
    pub(super) input: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OperationSignaled {
    #[prost(string, optional, tag = "1")]
    pub(super) sender: Option<String>,
    #[prost(string, tag = "2")]
    pub(super) request: String,
    #[prost(string, tag = "3")]
    pub(super) operation: String,
    #[prost(string, tag = "4")]
    pub(super) input: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LockRequested {
    #[prost(message, optional, tag = "1")]
    pub(super) owner: Option<Caller>,
    #[prost(string, repeated, tag = "2")]
    pub(super) entities: Vec<String>,
    #[prost(uint32, tag = "3")]
    pub(super) position: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct UnlockSent {
    #[prost(message, optional, tag = "1")]
    pub(super) section: Option<Section>,
    #[prost(string, repeated, tag = "2")]
    pub(super) entities: Vec<String>,
    #[prost(uint32, tag = "3")]
    pub(super) position: u32,
}
