//! Checkpoints: what must become durable after a turn, value by value; and the laws of a history.

use super::fixtures::{
    EXECUTION, activity, begin, child, create_child, create_timer, event, first_turn, raised, row, schedule_task,
    started, terminate, timer,
};
use super::world::{BEGIN, at};
use crate::transcript::transcript;
use crate::{
    Action, Admission, Checkpoint, Event, EventId, EventKind, ExecutionId, Failure, History, InstanceId, InstanceRow,
    Json, Limits, Message, MessageKind, Origin, Parent, PresentApp, RuntimeStatus, Settled, Settling, TurnEnd, admit,
    set_aside, settle,
};
use expect_test::{Expect, expect};
use std::sync::LazyLock;

static DEFAULT_LIMITS: LazyLock<Limits> = LazyLock::new(Limits::default);
static NO_APP: PresentApp = PresentApp { digest: None, default_version: None };

fn message(kind: MessageKind) -> Message {
    Message { origin: Origin::Inbox(1), execution: Some(EXECUTION), kind }
}

fn start() -> Message {
    message(MessageKind::ExecutionStarted { started: Box::new(started("0")), carried_over: Vec::new() })
}

/// An instance that somebody waits for.
fn child_row(status: RuntimeStatus) -> InstanceRow {
    let parent = Parent {
        instance: InstanceId::parse("parent").unwrap(),
        execution: ExecutionId::from_random(5),
        name: "Parent".to_owned(),
        scheduled: EventId(3),
    };
    InstanceRow { parent: Some(parent), ..row(status) }
}

/// A first turn, ten seconds after the beginning, with these actions and this end.
fn first(row: &InstanceRow, actions: Vec<Action>, end: TurnEnd) -> Settling<'_> {
    let ledger = crate::Ledger::default();
    let admission = admit(&ledger, row, vec![start()], at(10));
    let (limits, present) = (&DEFAULT_LIMITS, &NO_APP);
    Settling { row, ledger, admission, actions, custom_status: None, end, now: at(10), limits, present }
}

fn all_actions() -> Vec<Action> {
    vec![
        schedule_task(0, 2),
        create_child(1, InstanceId::parse("kid").unwrap()),
        create_timer(2, at(99)),
        create_timer(3, at(98)),
        Action::CancelTimer { id: EventId(3) },
    ]
}

#[test]
fn a_turn_that_waits() {
    let row = row(RuntimeStatus::Pending);
    let Settled { checkpoint, .. } = settle(first(&row, all_actions(), TurnEnd::Waiting)).unwrap();
    let Checkpoint { activities, timers, cancelled_timers, messages, next_input, .. } = &checkpoint;
    let record = checkpoint.record.as_ref().unwrap();
    let effects = format!("{activities:#?}\n{timers:?}");
    expect![[r#"
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 Work(1)
            0.000  SubOrchestrationInstanceCreated    #1 Work(1) as kid
            0.000  TimerCreated                       #2 at 2024-01-01T00:01:39.0000000Z
            0.000  TimerCreated                       #3 at 2024-01-01T00:01:38.0000000Z
            0.000  OrchestratorCompleted
        [
            ActivityTask {
                instance: main,
                execution: 00000000000000000000000000000001,
                id: #0,
                name: "Work",
                input: 1,
                attempt: 2,
                timeouts: Timeouts {
                    run: None,
                    heartbeat: None,
                },
                tags: {},
                caller: "Main",
                version: None,
                pinned_to: None,
            },
        ]
        [Timer { id: #2, fire_at: 2024-01-01T00:01:39.0000000Z }]"#]]
    .assert_eq(&format!("{}{effects}", transcript(&record.events)));
    assert_eq!((record.turn, cancelled_timers, messages, next_input), (0, &vec![], &vec![], &None));
    assert_eq!(checkpoint.consumed, [Origin::Inbox(1)]);
}

#[test]
fn a_child_as_it_is_started() {
    let row = row(RuntimeStatus::Pending);
    let Settled { checkpoint, .. } = settle(first(&row, all_actions(), TurnEnd::Waiting)).unwrap();
    expect![[r#"
        [
            NewInstance {
                id: kid,
                started: ExecutionStarted {
                    name: "Work",
                    input: 1,
                    execution: 214e3e5aa0e45410a713f6082bd5d1b2,
                    parent: Some(
                        Parent {
                            instance: main,
                            execution: 00000000000000000000000000000001,
                            name: "Main",
                            scheduled: #1,
                        },
                    ),
                    options: StartOptions {
                        version: None,
                        tags: {},
                        start_at: None,
                    },
                    depth: 1,
                    pinned_to: None,
                    accepted_events: [],
                },
                at: 2024-01-01T00:00:10.0000000Z,
                reuse: Reuse(
                    58,
                ),
                otherwise: Some(
                    Envelope {
                        to: main,
                        execution: Some(
                            00000000000000000000000000000001,
                        ),
                        kind: SubOrchestrationInstanceFailed {
                            scheduled: #1,
                            failure: Failure {
                                error_type: "InstanceAlreadyExists",
                                message: "cannot start the sub-orchestration 'Work': an instance with the id 'kid' is at work already; wait for it, or choose another id",
                                details: None,
                                non_retriable: false,
                                cause: None,
                                properties: {},
                            },
                        },
                        deliver_at: None,
                    },
                ),
                idempotency_key: None,
            },
        ]"#]].assert_eq(&format!("{:#?}", checkpoint.children));
}

#[test]
fn a_turn_that_waits_leaves_a_running_row_and_open_requests() {
    let row = row(RuntimeStatus::Pending);
    let Settled { checkpoint, ledger, .. } = settle(first(&row, all_actions(), TurnEnd::Waiting)).unwrap();
    let expected = InstanceRow { status: RuntimeStatus::Running, updated_at: at(10), turns: 1, events: 7, ..row };
    assert_eq!((checkpoint.row, checkpoint.execution), (expected, EXECUTION));
    assert_eq!((ledger.turns, ledger.events, ledger.next_event_id), (1, 7, 4));
    assert_eq!(ledger.outstanding.len(), 4);
}

#[test]
fn a_turn_that_completes() {
    let row = child_row(RuntimeStatus::Pending);
    let Settled { checkpoint, .. } = settle(first(&row, all_actions(), TurnEnd::Completed("7".into()))).unwrap();
    let InstanceRow { status, updated_at, completed_at, output, failure, turns, events, .. } = checkpoint.row;
    assert_eq!((status, output, failure), (RuntimeStatus::Completed, Some(Json::from("7")), None));
    assert_eq!((updated_at, completed_at, turns, events), (at(10), Some(at(10)), 1, 8));
    // Activities and children that nobody waits for run; timers do not.
    assert_eq!((checkpoint.activities.len(), checkpoint.children.len()), (1, 1));
    assert_eq!((checkpoint.timers, checkpoint.cancelled_timers), (Vec::new(), Vec::new()));
    expect![[r#"
        [
            Envelope {
                to: parent,
                execution: Some(
                    00000000000000000000000000000005,
                ),
                kind: SubOrchestrationInstanceCompleted {
                    scheduled: #3,
                    result: 7,
                },
                deliver_at: None,
            },
        ]"#]]
    .assert_eq(&format!("{:#?}", checkpoint.messages));
}

#[test]
fn a_turn_that_continues_as_new() {
    let row =
        InstanceRow { custom_status: Some("7".into()), turns: 4, events: 44, ..child_row(RuntimeStatus::Running) };
    let carried_over = vec![raised("E", "null")];
    let end = TurnEnd::ContinuedAsNew { input: "8".into(), carried_over, new_version: None };
    let Settled { checkpoint, ledger, .. } = settle(first(&row, Vec::new(), end.clone())).unwrap();
    let new = &checkpoint.row;
    assert_eq!(checkpoint.execution, EXECUTION);
    assert_ne!(new.execution, EXECUTION);
    assert_eq!((new.status, new.turns, new.events), (RuntimeStatus::Running, 0, 0));
    assert_eq!((new.created_at, new.completed_at, &new.output), (at(10), None, &None));
    assert_eq!((&new.custom_status, &new.parent), (&row.custom_status, &row.parent));
    assert_eq!((&checkpoint.record, &checkpoint.next_input), (&None, &Some(Json::from("8"))));
    assert_eq!(ledger.ended, Some(RuntimeStatus::ContinuedAsNew));
    let [message] = &checkpoint.messages[..] else { panic!("one message to itself") };
    assert_eq!((&message.to, message.execution), (&row.id, Some(new.execution)));
    // The one after it has another id again, and the same turn run twice has the same.
    let Settled { checkpoint: again, .. } = settle(first(&row, Vec::new(), end.clone())).unwrap();
    assert_eq!(again, checkpoint);
    let start = Message { execution: Some(new.execution), ..start() };
    let admission = admit(&crate::Ledger::default(), new, vec![start], at(11));
    let Settled { checkpoint: third, .. } =
        settle(Settling { admission, now: at(11), ..first(new, Vec::new(), end) }).unwrap();
    assert!(third.row.execution != new.execution && third.row.execution != EXECUTION);
}

#[test]
fn how_parents_hear_of_it() {
    let check = |end: TurnEnd, expected: &Expect| {
        let row = child_row(RuntimeStatus::Running);
        let Settled { checkpoint, .. } = settle(first(&row, Vec::new(), end)).unwrap();
        let [answer] = &checkpoint.messages[..] else { panic!("one message to the parent") };
        assert_eq!((answer.to.as_str(), answer.execution), ("parent", Some(ExecutionId::from_random(5))));
        expected.assert_eq(&format!("{:?}", answer.kind));
    };
    check(TurnEnd::Completed("7".into()), &expect!["SubOrchestrationInstanceCompleted { scheduled: #3, result: 7 }"]);
    check(
        TurnEnd::Failed(Failure::new("Flaky", "no luck").non_retriable()),
        &expect![[
            r#"SubOrchestrationInstanceFailed { scheduled: #3, failure: Failure { error_type: "Flaky", message: "no luck", details: None, non_retriable: true, cause: None, properties: {} } }"#
        ]],
    );
}

#[test]
fn the_row_says_how_it_ended() {
    let check = |end: TurnEnd, messages: Vec<Message>, expected: (RuntimeStatus, Option<&str>, Option<&str>)| {
        let row = row(RuntimeStatus::Running);
        let mut settling = first(&row, Vec::new(), end);
        settling.admission = admit(&settling.ledger, &row, messages, at(10));
        let Settled { checkpoint, .. } = settle(settling).unwrap();
        let row = checkpoint.row;
        let output = row.output.map(|output| output.to_string());
        let failure = row.failure.map(|failure| failure.to_string());
        assert_eq!((row.status, output.as_deref(), failure.as_deref()), expected);
        assert_eq!(row.completed_at.is_some(), row.status.is_terminal());
    };
    let terminate = || message(terminate("\"stop\""));
    let failed = || TurnEnd::Failed(Failure::new("Flaky", "no luck"));
    check(TurnEnd::Waiting, vec![start()], (RuntimeStatus::Running, None, None));
    check(TurnEnd::Completed("7".into()), vec![start()], (RuntimeStatus::Completed, Some("7"), None));
    check(failed(), vec![start()], (RuntimeStatus::Failed, None, Some("Flaky: no luck")));
    // A termination wins over whatever the turn was said to end with, also when the execution never began.
    let terminated = (RuntimeStatus::Terminated, Some("\"stop\""), None);
    check(TurnEnd::Waiting, vec![start(), terminate()], terminated);
    check(TurnEnd::Completed("7".into()), vec![start(), terminate()], terminated);
    check(failed(), vec![terminate()], terminated);
}

#[test]
fn without_an_admitted_message_only_the_inbox_changes() {
    let row = row(RuntimeStatus::Completed);
    let mut settling = first(&row, Vec::new(), TurnEnd::Waiting);
    let before = settling.ledger.clone();
    assert_eq!(settling.admission.events, Vec::new());
    settling.admission.consumed = vec![Origin::Inbox(1), Origin::Timer(EXECUTION, EventId(4))];
    let Settled { checkpoint, ledger, .. } = settle(settling).unwrap();
    assert_eq!((&checkpoint.row, checkpoint.record, ledger), (&row, None, before));
    assert_eq!(checkpoint.consumed, [Origin::Inbox(1), Origin::Timer(EXECUTION, EventId(4))]);
}

#[test]
fn actions_of_another_execution_are_refused() {
    let check = |id: u32, expected: &Expect| {
        let row = row(RuntimeStatus::Pending);
        let action = create_timer(id, BEGIN);
        let settled = settle(first(&row, vec![action], TurnEnd::Waiting));
        expected.assert_eq(&settled.map_or_else(|illegal| illegal.to_string(), |_| "settles".to_owned()));
    };
    check(0, &expect!["settles"]);
    check(
        1,
        &expect!["event 2 of the history, TimerCreated, cannot stand there: its number does not follow the last one"],
    );
}

#[test]
fn set_aside_keeps_the_history_and_tells_the_parent() {
    let row = InstanceRow { turns: 3, events: 12, ..child_row(RuntimeStatus::Running) };
    let failure = Failure::new(Failure::CORRUPT_HISTORY, "the record of turn 2 cannot be read");
    let checkpoint = set_aside(&row, vec![Origin::Inbox(4)], failure.clone(), at(10));
    let after = &checkpoint.row;
    assert_eq!(
        (after.status, &after.failure, after.completed_at),
        (RuntimeStatus::Failed, &Some(failure), Some(at(10)))
    );
    assert_eq!((after.turns, after.events, after.updated_at), (3, 12, at(10)));
    assert_eq!((&checkpoint.record, &checkpoint.consumed), (&None, &vec![Origin::Inbox(4)]));
    expect![[r#"SubOrchestrationInstanceFailed { scheduled: #3, failure: Failure { error_type: "CorruptHistory", message: "the record of turn 2 cannot be read", details: None, non_retriable: false, cause: None, properties: {} } }"#]].assert_eq(&format!("{:?}", checkpoint.messages[0].kind));
}

#[test]
fn what_no_history_can_be() {
    let check = |kinds: Vec<EventKind>, expected: &Expect| {
        let events: Vec<Event> = begin("0").into_iter().chain(kinds.into_iter().map(event)).collect();
        let history = History::from_events(events);
        expected.assert_eq(&history.map_or_else(|illegal| illegal.to_string(), |_| "legal".to_owned()));
    };
    let completed = |id| EventKind::TaskCompleted { scheduled: EventId(id), result: Json::null() };
    let fired = |id| EventKind::TimerFired { timer: EventId(id), fire_at: BEGIN };
    let ended = || EventKind::ExecutionCompleted { status: RuntimeStatus::Completed, output: None, failure: None };
    check(vec![], &expect!["legal"]);
    check(vec![activity(0), child(1), timer(2), fired(2), completed(0)], &expect!["legal"]);
    check(
        vec![EventKind::ExecutionStarted(Box::new(started("1")))],
        &expect!["event 2 of the history, ExecutionStarted, cannot stand there: the execution has started before"],
    );
    check(
        vec![activity(1)],
        &expect!["event 2 of the history, TaskScheduled, cannot stand there: its number does not follow the last one"],
    );
    check(
        vec![activity(0), activity(0)],
        &expect!["event 3 of the history, TaskScheduled, cannot stand there: its number does not follow the last one"],
    );
    check(
        vec![activity(0), timer(2)],
        &expect!["event 3 of the history, TimerCreated, cannot stand there: its number does not follow the last one"],
    );
    check(
        vec![completed(0)],
        &expect!["event 2 of the history, TaskCompleted, cannot stand there: it answers no open request of its kind"],
    );
    check(
        vec![activity(0), completed(0), completed(0)],
        &expect!["event 4 of the history, TaskCompleted, cannot stand there: it answers no open request of its kind"],
    );
    check(
        vec![activity(0), fired(0)],
        &expect!["event 3 of the history, TimerFired, cannot stand there: it answers no open request of its kind"],
    );
    check(
        vec![timer(0), completed(0)],
        &expect!["event 3 of the history, TaskCompleted, cannot stand there: it answers no open request of its kind"],
    );
    check(vec![ended(), EventKind::OrchestratorCompleted], &expect!["legal"]);
    check(
        vec![ended(), ended()],
        &expect!["event 3 of the history, ExecutionCompleted, cannot stand there: the execution has ended"],
    );
    check(
        vec![ended(), activity(0)],
        &expect!["event 3 of the history, TaskScheduled, cannot stand there: the execution has ended"],
    );
}

#[test]
fn a_history_can_be_taken_apart() {
    let history = first_turn([activity(0)]);
    let (events, ledger) = history.clone().into_parts();
    assert_eq!((history.events(), history.ledger()), (&events[..], &ledger));
    assert_eq!(History::from_events(events), Ok(history));
    assert_eq!(ledger.started_at, BEGIN);
    assert_eq!(Admission::default().events, Vec::new());
}
