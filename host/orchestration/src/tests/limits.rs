//! The guards: each below, near, at and above its limit.

use super::fixtures::{EXECUTION, raised, row, schedule_task, started};
use super::ok;
use super::world::{BEGIN, Scenario, at, check};
use crate::{
    Action, ActivityTask, Awaited, Continued, Event, EventId, EventKind, ExecutionStarted, Failure, InstanceId,
    InstanceRow, Json, Ledger, Limits, Message, MessageKind, Origin, PresentApp, RuntimeStatus, Settled, Settling,
    StartOptions, TurnEnd, admit, settle,
};
use expect_test::{Expect, expect};
use std::fmt::Write;

/// A turn of a running instance that got one event.
struct Turn {
    row: InstanceRow,
    ledger: Ledger,
    limits: Limits,
    actions: Vec<Action>,
    custom_status: Option<Option<Json>>,
    end: TurnEnd,
}

impl Turn {
    fn new(limits: Limits) -> Turn {
        let mut ledger = Ledger::default();
        let start = EventKind::ExecutionStarted(Box::new(started("0")));
        for kind in [EventKind::OrchestratorStarted, start, EventKind::OrchestratorCompleted] {
            ledger.append(&Event { at: BEGIN, kind }).unwrap();
        }
        let row = InstanceRow { turns: 1, events: 3, ..row(RuntimeStatus::Running) };
        Turn { row, ledger, limits, actions: Vec::new(), custom_status: None, end: TurnEnd::Waiting }
    }

    fn settle(self) -> Settled {
        let Turn { row, ledger, limits, actions, custom_status, end } = self;
        let kind = MessageKind::EventRaised(raised("E", "null"));
        let message = Message { origin: Origin::Inbox(1), execution: Some(EXECUTION), kind };
        let admission = admit(&ledger, &row, vec![message], at(10));
        let (limits, present) = (&limits, &PresentApp::default());
        settle(Settling { row: &row, ledger, admission, actions, custom_status, end, now: at(10), limits, present })
            .unwrap()
    }
}

/// The limit is 10 of something; `turn` makes a turn that comes to the given number.
fn check_limit(turn: impl Fn(usize) -> Turn, expected: &Expect) {
    let mut table = String::new();
    for amount in [7, 8, 10, 11] {
        let Settled { checkpoint, ledger, warnings } = turn(amount).settle();
        let outcome = match &checkpoint.row.failure {
            Some(failure) => {
                assert_eq!(failure.error_type, Failure::LIMIT_EXCEEDED);
                assert!(failure.non_retriable);
                assert_eq!(ledger.ended, Some(RuntimeStatus::Failed));
                let sent = (checkpoint.activities.len(), checkpoint.timers.len(), checkpoint.children.len());
                assert_eq!((sent, checkpoint.messages.len()), ((0, 0, 0), 0), "nothing of what it asked for happens");
                assert_eq!(checkpoint.row.custom_status, None);
                failure.message.clone()
            }
            None if warnings.is_empty() => "fine".to_owned(),
            None => format!("warned: {}", warnings.join(" | ")),
        };
        writeln!(table, "{amount:>2} {outcome}").unwrap();
    }
    expected.assert_eq(&table);
}

fn send(id: usize, input: &str) -> Action {
    let instance_id = InstanceId::parse("other").unwrap();
    Action::SendEvent { id: EventId(id as u32), instance_id, name: "E".to_owned(), input: input.into() }
}

fn child(id: usize, detached: bool) -> Action {
    Action::CreateSubOrchestration {
        id: EventId(id as u32),
        name: "Child".to_owned(),
        instance_id: InstanceId::from_random(id as u128),
        input: Json::null(),
        retry_of: None,
        detached,
        options: StartOptions::default(),
    }
}

/// As long as this, in bytes.
fn text(bytes: usize) -> Json {
    Json::from(format!("\"{}\"", "x".repeat(bytes - 2)))
}

#[test]
fn actions_of_one_turn() {
    let limits = Limits { max_actions: 10, ..Limits::default() };
    check_limit(
        |count| Turn { actions: (0..count).map(|id| send(id, "null")).collect(), ..Turn::new(limits) },
        &expect![[r#"
             7 fine
             8 warned: actions in one turn: 8 of at most 10 (host.durableTask.maxOrchestrationActions), beyond which the instance fails; split the work over sub-orchestrations
            10 warned: actions in one turn: 10 of at most 10 (host.durableTask.maxOrchestrationActions), beyond which the instance fails; split the work over sub-orchestrations
            11 actions in one turn: 11 where at most 10 are allowed; split the work over sub-orchestrations, or raise host.durableTask.maxOrchestrationActions
        "#]],
    );
}

#[test]
fn requests_without_an_answer() {
    let limits = Limits { max_pending_actions: 10, ..Limits::default() };
    check_limit(
        |count| Turn { actions: (0..count).map(|id| schedule_task(id as u32, 1)).collect(), ..Turn::new(limits) },
        &expect![[r#"
             7 fine
             8 warned: requests without an answer: 8 of at most 10 (host.durableTask.maxPendingActions), beyond which the instance fails; wait for some before asking for more
            10 warned: requests without an answer: 10 of at most 10 (host.durableTask.maxPendingActions), beyond which the instance fails; wait for some before asking for more
            11 requests without an answer: 11 where at most 10 are allowed; wait for some before asking for more, or raise host.durableTask.maxPendingActions
        "#]],
    );
}

/// What is answered in the turn makes room, what sends and starts without waiting takes none.
#[test]
fn only_open_requests_are_pending() {
    let limits = Limits { max_pending_actions: 10, ..Limits::default() };
    let actions: Vec<_> = (0..20).map(|id| if id % 2 == 0 { send(id, "null") } else { child(id, true) }).collect();
    let settled = Turn { actions, ..Turn::new(limits) }.settle();
    assert_eq!((settled.checkpoint.row.failure, settled.warnings), (None, Vec::new()));
    let aborted = (0..11).map(|id| schedule_task(id, 1)).chain([Action::Abort { id: EventId(3) }]);
    let settled = Turn { actions: aborted.collect(), ..Turn::new(limits) }.settle();
    assert_eq!((settled.checkpoint.row.failure, settled.ledger.outstanding.len()), (None, 10));
}

#[test]
fn sub_orchestrations_of_one_execution() {
    let limits = Limits { max_sub_orchestrations: 10, ..Limits::default() };
    check_limit(
        |count| Turn { actions: (0..count).map(|id| child(id, id % 2 == 0)).collect(), ..Turn::new(limits) },
        &expect![[r#"
             7 fine
             8 warned: sub-orchestrations of one execution: 8 of at most 10 (host.durableTask.maxSubOrchestrations), beyond which the instance fails; continue as new from time to time
            10 warned: sub-orchestrations of one execution: 10 of at most 10 (host.durableTask.maxSubOrchestrations), beyond which the instance fails; continue as new from time to time
            11 sub-orchestrations of one execution: 11 where at most 10 are allowed; continue as new from time to time, or raise host.durableTask.maxSubOrchestrations
        "#]],
    );
    let mut turn = Turn { actions: vec![child(0, false)], ..Turn::new(limits) };
    turn.ledger.sub_orchestrations = 10;
    let failure = turn.settle().checkpoint.row.failure.unwrap();
    assert!(failure.message.starts_with("sub-orchestrations of one execution: 11 "), "earlier ones count: {failure}");
}

#[test]
fn depth_of_sub_orchestrations() {
    let limits = Limits { max_depth: 10, ..Limits::default() };
    let at_depth = |depth: usize| {
        let mut turn = Turn { actions: vec![child(0, true)], ..Turn::new(limits) };
        turn.ledger.started.as_mut().unwrap().depth = depth as u32 - 1;
        turn
    };
    check_limit(
        at_depth,
        &expect![[r#"
             7 fine
             8 warned: orchestrations above the sub-orchestration: 8 of at most 10 (host.durableTask.maxSubOrchestrationDepth), beyond which the instance fails; look for a recursion without an end
            10 warned: orchestrations above the sub-orchestration: 10 of at most 10 (host.durableTask.maxSubOrchestrationDepth), beyond which the instance fails; look for a recursion without an end
            11 orchestrations above the sub-orchestration: 11 where at most 10 are allowed; look for a recursion without an end, or raise host.durableTask.maxSubOrchestrationDepth
        "#]],
    );
    let Settled { checkpoint, .. } = at_depth(10).settle();
    assert_eq!(checkpoint.children[0].started.depth, 10, "the child of a child is as deep as both");
    let deep = Turn { actions: vec![send(0, "null")], ..at_depth(11) }.settle();
    assert_eq!(deep.checkpoint.row.failure, None, "whoever starts nothing may be at any depth");
}

/// A recursion starts its child in its first turn, which is the turn in which it learns how deep it is.
#[test]
fn depth_in_a_first_turn() {
    let limits = Limits { max_depth: 10, ..Limits::default() };
    let first_turn = |depth: u32, actions: Vec<Action>, end: TurnEnd| {
        let (row, ledger) = (row(RuntimeStatus::Pending), Ledger::default());
        let started = Box::new(ExecutionStarted { depth, ..started("0") });
        let kind = MessageKind::ExecutionStarted { started, carried_over: Vec::new() };
        let message = Message { origin: Origin::Inbox(1), execution: Some(EXECUTION), kind };
        let admission = admit(&ledger, &row, vec![message], at(10));
        let (limits, present) = (&limits, &PresentApp::default());
        let (custom_status, now) = (None, at(10));
        settle(Settling { row: &row, ledger, admission, actions, custom_status, end, now, limits, present }).unwrap()
    };
    let deepest = first_turn(9, vec![child(0, false)], TurnEnd::Waiting);
    assert_eq!(deepest.checkpoint.children[0].started.depth, 10);
    let too_deep = first_turn(10, vec![child(0, false)], TurnEnd::Waiting);
    let failure = too_deep.checkpoint.row.failure.unwrap();
    assert!(failure.message.starts_with("orchestrations above the sub-orchestration: 11 "), "{failure}");
    let anew = TurnEnd::ContinuedAsNew { input: Json::null(), carried_over: Vec::new(), new_version: None };
    let next = first_turn(7, Vec::new(), anew);
    let MessageKind::ExecutionStarted { started, .. } = &next.checkpoint.messages[0].kind else { panic!("a start") };
    assert_eq!(started.depth, 7);
}

#[test]
fn continue_as_new_within_a_minute() {
    let limits = Limits { max_continue_as_new_per_minute: 10, ..Limits::default() };
    let over = || TurnEnd::ContinuedAsNew { input: Json::null(), carried_over: Vec::new(), new_version: None };
    check_limit(
        |count| {
            let mut turn = Turn { end: over(), ..Turn::new(limits) };
            turn.row.continued = Continued { since: BEGIN, times: count as u32 - 1 };
            turn
        },
        &expect![[r#"
             7 fine
             8 warned: executions begun by continue-as-new within a minute: 8 of at most 10 (host.durableTask.maxContinueAsNewPerMinute), beyond which the instance fails; wait for a timer or an event in each round
            10 fine
            11 executions begun by continue-as-new within a minute: 11 where at most 10 are allowed; wait for a timer or an event in each round, or raise host.durableTask.maxContinueAsNewPerMinute
        "#]],
    );
    let a_minute_ago = Continued { since: at(10), times: 99 };
    assert_eq!(a_minute_ago.once_more(at(69)), Continued { since: at(10), times: 100 });
    assert_eq!(a_minute_ago.once_more(at(70)), Continued { since: at(70), times: 1 });
}

#[test]
fn events_of_a_history() {
    let limits = Limits { max_history_events: 10, ..Limits::default() };
    check_limit(
        |count| {
            let mut turn = Turn::new(limits);
            // The turn adds its beginning, the event, and its end.
            turn.ledger.events = count as u64 - 3;
            turn
        },
        &expect![[r#"
             7 fine
             8 warned: events in the history: 8 of at most 10 (host.durableTask.maxHistoryEvents), beyond which the instance fails; continue as new from time to time
            10 warned: events in the history: 10 of at most 10 (host.durableTask.maxHistoryEvents), beyond which the instance fails; continue as new from time to time
            11 events in the history: 11 where at most 10 are allowed; continue as new from time to time, or raise host.durableTask.maxHistoryEvents
        "#]],
    );
}

#[test]
fn bytes_of_a_history() {
    let limits = Limits { max_history_bytes: 10_000, ..Limits::default() };
    let turn =
        [EventKind::OrchestratorStarted, EventKind::EventRaised(raised("E", "null")), EventKind::OrchestratorCompleted];
    let added: u64 = turn.iter().map(EventKind::bytes).sum();
    check_limit(
        |count| {
            let mut turn = Turn::new(limits);
            turn.ledger.bytes = count as u64 * 1000 - added;
            turn
        },
        &expect![[r#"
             7 fine
             8 warned: bytes of history: 8000 of at most 10000 (host.durableTask.maxHistoryBytes), beyond which the instance fails; continue as new from time to time, and pass references instead of large values
            10 fine
            11 bytes of history: 11000 where at most 10000 are allowed; continue as new from time to time, and pass references instead of large values, or raise host.durableTask.maxHistoryBytes
        "#]],
    );
}

#[test]
fn bytes_of_one_payload() {
    let limits = Limits { max_payload_bytes: 10, ..Limits::default() };
    let input = |bytes: usize| Turn { actions: vec![send(0, text(bytes).as_str())], ..Turn::new(limits) };
    check_limit(
        input,
        &expect![[r#"
             7 fine
             8 warned: bytes of one input or output: 8 of at most 10 (host.durableTask.maxPayloadBytes), beyond which the instance fails; store large values elsewhere and pass a reference
            10 warned: bytes of one input or output: 10 of at most 10 (host.durableTask.maxPayloadBytes), beyond which the instance fails; store large values elsewhere and pass a reference
            11 bytes of one input or output: 11 where at most 10 are allowed; store large values elsewhere and pass a reference, or raise host.durableTask.maxPayloadBytes
        "#]],
    );
    let output = |bytes: usize| Turn { end: TurnEnd::Completed(text(bytes)), ..Turn::new(limits) };
    check_limit(
        output,
        &expect![[r#"
             7 fine
             8 warned: bytes of one input or output: 8 of at most 10 (host.durableTask.maxPayloadBytes), beyond which the instance fails; store large values elsewhere and pass a reference
            10 warned: bytes of one input or output: 10 of at most 10 (host.durableTask.maxPayloadBytes), beyond which the instance fails; store large values elsewhere and pass a reference
            11 bytes of one input or output: 11 where at most 10 are allowed; store large values elsewhere and pass a reference, or raise host.durableTask.maxPayloadBytes
        "#]],
    );
    let carried_over = Vec::new();
    let over = TurnEnd::ContinuedAsNew { input: text(11), carried_over, new_version: None };
    let failure = Turn { end: over, ..Turn::new(limits) }.settle().checkpoint.row.failure.unwrap();
    assert!(failure.message.starts_with("bytes of one input or output: 11 "), "{failure}");
}

#[test]
fn custom_status() {
    let limits = Limits { max_custom_status_bytes: 20, ..Limits::default() };
    let of_length = |units| Turn { custom_status: Some(Some(text(units))), ..Turn::new(limits) };
    check_limit(
        of_length,
        &expect![[r#"
             7 fine
             8 warned: bytes of the custom status as UTF-16: 16 of at most 20 (host.durableTask.maxCustomStatusBytes), beyond which the instance fails; show less
            10 warned: bytes of the custom status as UTF-16: 20 of at most 20 (host.durableTask.maxCustomStatusBytes), beyond which the instance fails; show less
            11 bytes of the custom status as UTF-16: 22 where at most 20 are allowed; show less, or raise host.durableTask.maxCustomStatusBytes
        "#]],
    );
    let smile = |count: usize| Json::from(format!("\"{}\"", "\u{1f642}".repeat(count)));
    let beyond = Turn { custom_status: Some(Some(smile(5))), ..Turn::new(limits) }.settle().checkpoint.row.failure;
    assert!(beyond.unwrap().message.contains(": 24 where"), "a character beyond the first plane takes four bytes");
    let most = Turn { custom_status: Some(Some(smile(4))), ..Turn::new(limits) }.settle();
    assert_eq!((most.checkpoint.row.custom_status, most.checkpoint.row.failure), (Some(smile(4)), None));
    assert_eq!(Turn { custom_status: Some(None), ..Turn::new(limits) }.settle().warnings, Vec::<String>::new());
}

/// An instance is told once that it comes near, not at every turn behind that.
#[test]
fn a_warning_comes_once() {
    let limits = Limits { max_pending_actions: 10, max_sub_orchestrations: 10, max_depth: 10, ..Limits::default() };
    let mut turn = Turn { actions: vec![child(9, false)], ..Turn::new(limits) };
    turn.ledger.next_event_id = 9;
    turn.ledger.sub_orchestrations = 8;
    turn.ledger.started.as_mut().unwrap().depth = 8;
    for id in 0..8 {
        turn.ledger.outstanding.insert(EventId(id), Awaited::Timer);
    }
    assert_eq!(turn.settle().warnings, Vec::<String>::new());
}

/// An orchestrator that asks for too much in all its turns together fails in the turn that is too much, and what it asked
/// for before is not undone.
#[test]
fn an_orchestrator_at_its_limit_fails() {
    let limits = Limits { max_pending_actions: 3, ..Limits::default() };
    let scenario = Scenario::new(|ctx, _| async move {
        for _ in 0..9 {
            let _open = ctx.event("never");
            let _pending = (ctx.sleep(100), ctx.sleep(100));
            ctx.call("A", "1").await?;
        }
        ok("\"done\"")
    })
    .activity("A", 1, |_: &ActivityTask| ok("1"))
    .limits(limits);
    check(
        &scenario,
        &expect![[r#"
            main: Failed
                0.000  OrchestratorStarted
                0.000  ExecutionStarted                   Main(0)
                0.000  TimerCreated                       #0 at 2024-01-01T00:01:40.0000000Z
                0.000  TimerCreated                       #1 at 2024-01-01T00:01:40.0000000Z
                0.000  TaskScheduled                      #2 A(1)
                0.000  OrchestratorCompleted
                1.000  OrchestratorStarted
                1.000  TaskCompleted                      #2 = 1
                1.000  ExecutionCompleted                 Failed LimitExceeded: requests without an answer: 5 where at most 3 are allowed; wait for some before asking for more, or raise host.durableTask.maxPendingActions
                1.000  OrchestratorCompleted
            besides
                0.000  main warned: requests without an answer: 3 of at most 3 (host.durableTask.maxPendingActions), beyond which the instance fails; wait for some before asking for more
                1.000  main takes timer #0 back
                1.000  main takes timer #1 back
        "#]],
    );
}

/// Wherever a history stands when it comes near its limit: one turn ends where the next one begins.
#[test]
fn no_warning_falls_between_two_turns() {
    for max_history_bytes in 2_000..2_200 {
        let limits = Limits { max_history_bytes, ..Limits::default() };
        let (mut turn, mut warned) = (Turn::new(limits), 0);
        loop {
            let Settled { checkpoint, ledger, warnings } = turn.settle();
            warned += warnings.len();
            if checkpoint.row.failure.is_some() {
                break;
            }
            turn = Turn { row: checkpoint.row, ledger, ..Turn::new(limits) };
        }
        assert_eq!(warned, 1, "at most {max_history_bytes} bytes");
    }
}
