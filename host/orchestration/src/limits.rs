//! The guards against code that runs away: how much one orchestration may ask for and leave behind.

use crate::settle::End;
use crate::{Event, EventKind, Failure, InstanceRow, Json, Ledger, Timestamp};

/// Bounds on one instance. Each field names the key that sets it under `host.durableTask`. Reaching one ends the instance as
/// failed with the type `LimitExceeded`; [`WARN_AT_PERCENT`] of one is worth a line of log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Actions in one turn (`maxOrchestrationActions`, as in Azure).
    pub max_actions: usize,
    /// Requests without an answer (`maxPendingActions`).
    pub max_pending_actions: usize,
    /// Orchestrations above one (`maxSubOrchestrationDepth`).
    pub max_depth: u32,
    /// Children of one execution (`maxSubOrchestrations`).
    pub max_sub_orchestrations: u32,
    /// Executions of one instance begun by continue-as-new within a minute (`maxContinueAsNewPerMinute`).
    pub max_continue_as_new_per_minute: u32,
    /// Events of one execution (`maxHistoryEvents`).
    pub max_history_events: u64,
    /// Bytes of one execution's events (`maxHistoryBytes`).
    pub max_history_bytes: u64,
    /// Bytes of one input, output or event (`maxPayloadBytes`).
    pub max_payload_bytes: usize,
    /// Bytes of a custom status, written as UTF-16; 16 KB, as in Durable Functions (`maxCustomStatusBytes`).
    pub max_custom_status_bytes: usize,
}

/// From this share of a limit on there is a warning.
pub const WARN_AT_PERCENT: u64 = 80;

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_actions: 100_000,
            max_pending_actions: 100_000,
            max_depth: 32,
            max_sub_orchestrations: 100_000,
            max_continue_as_new_per_minute: 6_000,
            max_history_events: 1_000_000,
            max_history_bytes: 256 << 20,
            max_payload_bytes: 4 << 20,
            max_custom_status_bytes: 16 << 10,
        }
    }
}

/// One limit as a turn leaves it.
struct Measure {
    what: &'static str,
    key: &'static str,
    before: u64,
    after: u64,
    limit: u64,
    remedy: &'static str,
}

impl Measure {
    fn exceeded(&self) -> Option<Failure> {
        let Measure { what, key, after, limit, remedy, .. } = self;
        (after > limit).then(|| {
            let message =
                format!("{what}: {after} where at most {limit} are allowed; {remedy}, or raise host.durableTask.{key}");
            Failure::new(Failure::LIMIT_EXCEEDED, message).non_retriable()
        })
    }

    /// Only the turn that comes near says so.
    fn near(&self) -> Option<String> {
        let Measure { what, key, before, after, limit, remedy } = self;
        let from = limit.saturating_mul(WARN_AT_PERCENT).div_ceil(100);
        (*before < from && *after >= from).then(|| {
            format!(
                "{what}: {after} of at most {limit} (host.durableTask.{key}), beyond which the instance fails; {remedy}"
            )
        })
    }
}

/// What a turn comes to, before it is settled.
pub(crate) struct Turned<'a> {
    /// The row before the turn.
    pub(crate) row: &'a InstanceRow,
    /// What the history adds up to before the turn.
    pub(crate) ledger: &'a Ledger,
    /// What happened in the turn.
    pub(crate) events: &'a [Event],
    pub(crate) custom_status: Option<&'a Option<Json>>,
    pub(crate) end: &'a End,
    pub(crate) now: Timestamp,
}

impl Limits {
    /// Compares a turn with the limits. Answers what the instance has come near by it.
    pub(crate) fn check(&self, turned: &Turned<'_>) -> Result<Vec<String>, Failure> {
        let Turned { row, ledger, events, custom_status, end, now } = turned;
        let measures = self.counts(ledger, events).into_iter().chain(self.sizes(events, *custom_status, end));
        let measures: Vec<_> = measures.chain(self.continued(row, end, *now)).collect();
        match measures.iter().find_map(Measure::exceeded) {
            Some(failure) => Err(failure),
            None => Ok(measures.iter().filter_map(Measure::near).collect()),
        }
    }

    fn counts(&self, ledger: &Ledger, events: &[Event]) -> Vec<Measure> {
        let count = |of_kind: fn(&EventKind) -> bool| events.iter().filter(|event| of_kind(&event.kind)).count() as u64;
        let answered = count(|kind| kind.answers().is_some());
        let asked = count(EventKind::asks_for_answer);
        let children = count(|kind| matches!(kind, EventKind::SubOrchestrationInstanceCreated { .. }));
        let actions = count(|kind| kind.action_id().is_some());
        let pending = ledger.outstanding.len() as u64;
        // The end of the turn is still to come; were it left out, the next turn would begin behind what this one was measured by.
        let end = EventKind::OrchestratorCompleted;
        let bytes = events.iter().map(|event| event.kind.bytes()).sum::<u64>() + end.bytes();
        let depth = u64::from(depth(ledger, events));
        let has_children = |children: u64| if children > 0 { depth + 1 } else { 0 };
        let depths = (has_children(u64::from(ledger.sub_orchestrations)), has_children(children));
        let measure = |what, key, (before, after), limit, remedy| Measure { what, key, before, after, limit, remedy };
        vec![
            measure(
                "actions in one turn",
                "maxOrchestrationActions",
                (0, actions),
                self.max_actions as u64,
                "split the work over sub-orchestrations",
            ),
            measure(
                "requests without an answer",
                "maxPendingActions",
                (pending, (pending + asked).saturating_sub(answered)),
                self.max_pending_actions as u64,
                "wait for some before asking for more",
            ),
            measure(
                "sub-orchestrations of one execution",
                "maxSubOrchestrations",
                (u64::from(ledger.sub_orchestrations), u64::from(ledger.sub_orchestrations) + children),
                u64::from(self.max_sub_orchestrations),
                "continue as new from time to time",
            ),
            measure(
                "orchestrations above the sub-orchestration",
                "maxSubOrchestrationDepth",
                depths,
                u64::from(self.max_depth),
                "look for a recursion without an end",
            ),
            measure(
                "events in the history",
                "maxHistoryEvents",
                (ledger.events, ledger.events + events.len() as u64 + 1),
                self.max_history_events,
                "continue as new from time to time",
            ),
            measure(
                "bytes of history",
                "maxHistoryBytes",
                (ledger.bytes, ledger.bytes + bytes),
                self.max_history_bytes,
                "continue as new from time to time, and pass references instead of large values",
            ),
        ]
    }

    fn sizes(&self, events: &[Event], custom_status: Option<&Option<Json>>, end: &End) -> Vec<Measure> {
        let output = match end {
            End::Completed(output) | End::ContinuedAsNew { input: output, .. } => output.len(),
            End::Waiting | End::Failed(_) | End::Terminated(_) => 0,
        };
        let largest = events.iter().filter_map(|event| asked_payload(&event.kind)).max().unwrap_or(0).max(output);
        let units = custom_status.and_then(Option::as_ref).map_or(0, |status| status.as_str().encode_utf16().count());
        let status = units * size_of::<u16>();
        vec![
            Measure {
                what: "bytes of one input or output",
                key: "maxPayloadBytes",
                before: 0,
                after: largest as u64,
                limit: self.max_payload_bytes as u64,
                remedy: "store large values elsewhere and pass a reference",
            },
            Measure {
                what: "bytes of the custom status as UTF-16",
                key: "maxCustomStatusBytes",
                before: 0,
                after: status as u64,
                limit: self.max_custom_status_bytes as u64,
                remedy: "show less",
            },
        ]
    }

    fn continued(&self, row: &InstanceRow, end: &End, now: Timestamp) -> Option<Measure> {
        matches!(end, End::ContinuedAsNew { .. }).then(|| Measure {
            what: "executions begun by continue-as-new within a minute",
            key: "maxContinueAsNewPerMinute",
            before: u64::from(row.continued.once_more(now).times - 1),
            after: u64::from(row.continued.once_more(now).times),
            limit: u64::from(self.max_continue_as_new_per_minute),
            remedy: "wait for a timer or an event in each round",
        })
    }
}

/// How many orchestrations are above an execution. One that starts in this very turn is in the turn's events alone.
pub(crate) fn depth(ledger: &Ledger, events: &[Event]) -> u32 {
    let starting = events.iter().find_map(|event| {
        if let EventKind::ExecutionStarted(started) = &event.kind { Some(started.depth) } else { None }
    });
    ledger.started.as_ref().map(|started| started.depth).or(starting).unwrap_or(0)
}

/// The length of what the code hands out with an action.
fn asked_payload(kind: &EventKind) -> Option<usize> {
    if let EventKind::TaskScheduled { input, .. }
    | EventKind::SubOrchestrationInstanceCreated { input, .. }
    | EventKind::EventSent { input, .. }
    | EventKind::EntityOperationCalled { input, .. }
    | EventKind::EntityOperationSignaled { input, .. } = kind
    {
        Some(input.len())
    } else {
        None
    }
}

impl EventKind {
    /// Whether the action that it records waits for an answer.
    fn asks_for_answer(&self) -> bool {
        matches!(
            self,
            EventKind::TaskScheduled { .. }
                | EventKind::SubOrchestrationInstanceCreated { detached: false, .. }
                | EventKind::TimerCreated { .. }
                | EventKind::EntityOperationCalled { .. }
                | EventKind::EntityLockRequested { .. }
        )
    }
}
