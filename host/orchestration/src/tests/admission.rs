//! What becomes of every kind of message in every state of an instance.

use super::fixtures::{
    EXECUTION, activity, child, entity, event, first_turn, lock, raised, row, started, terminate, timer,
};
use super::world::{BEGIN, at};
use crate::{
    Admission, Caller, EventId, EventKind, ExecutionId, Failure, InstanceId, Json, Ledger, Message, MessageKind,
    Origin, RuntimeStatus, admit,
};
use expect_test::expect;
use std::fmt::Write;

/// One message of each kind but `ExecutionRewound`, which has tests of its own; answers are for the activity #0, the child #1,
/// the timer #2, the entity #3 and the lock #4.
pub(super) fn each_kind() -> Vec<MessageKind> {
    let failure = Failure::new("Flaky", "no luck");
    vec![
        MessageKind::ExecutionStarted { started: Box::new(started("0")), carried_over: Vec::new() },
        MessageKind::TaskCompleted { scheduled: EventId(0), result: Json::null() },
        MessageKind::TaskFailed { scheduled: EventId(0), failure: failure.clone() },
        MessageKind::SubOrchestrationInstanceCompleted { scheduled: EventId(1), result: Json::null() },
        MessageKind::SubOrchestrationInstanceFailed { scheduled: EventId(1), failure: failure.clone() },
        MessageKind::TimerFired { timer: EventId(2), fire_at: BEGIN },
        MessageKind::EntityOperationCompleted { scheduled: EventId(3), result: Json::null() },
        MessageKind::EntityOperationFailed { scheduled: EventId(3), failure },
        MessageKind::EntityLockGranted { scheduled: EventId(4) },
        MessageKind::EventRaised(raised("E", "null")),
        terminate("null"),
        MessageKind::ExecutionSuspended { reason: "wait".to_owned() },
        MessageKind::ExecutionResumed { reason: "go on".to_owned() },
        MessageKind::RewindRequested { reason: "again".to_owned(), parent: None, latest: false },
    ]
    .into_iter()
    .chain(for_entities())
    .collect()
}

/// The kinds that only an entity takes.
fn for_entities() -> Vec<MessageKind> {
    let caller = Caller { instance: InstanceId::from_random(7), execution: EXECUTION, scheduled: EventId(0) };
    let (operation, input) = ("add".to_owned(), Json::null());
    let (section, entities, position) = (caller.section(), Vec::new(), 0);
    vec![
        MessageKind::EntityOperationCalled {
            caller: caller.clone(),
            operation: operation.clone(),
            input: input.clone(),
        },
        MessageKind::EntityOperationSignaled { sender: None, request: "r".to_owned(), operation, input },
        MessageKind::EntityLockRequested { owner: caller, entities: entities.clone(), position },
        MessageKind::EntityUnlockSent { section, entities, position },
    ]
}

fn message(number: u64, execution: Option<ExecutionId>, kind: MessageKind) -> Message {
    Message { origin: Origin::Inbox(number), execution, kind }
}

/// What an instance may be in, and the messages of the same batch that come before.
struct State {
    name: &'static str,
    ledger: Ledger,
    status: RuntimeStatus,
    before: Vec<MessageKind>,
    execution: Option<ExecutionId>,
}

fn states() -> Vec<State> {
    let open = || first_turn([activity(0), child(1), timer(2), entity(3), lock(4)]).into_parts().1;
    let answered = || {
        let mut ledger = open();
        ledger.append(&event(EventKind::OrchestratorStarted)).unwrap();
        for kind in [
            EventKind::TaskCompleted { scheduled: EventId(0), result: Json::null() },
            EventKind::SubOrchestrationInstanceCompleted { scheduled: EventId(1), result: Json::null() },
            EventKind::TimerFired { timer: EventId(2), fire_at: BEGIN },
            EventKind::EntityOperationCompleted { scheduled: EventId(3), result: Json::null() },
            EventKind::EntityLockGranted { scheduled: EventId(4) },
        ] {
            ledger.append(&event(kind)).unwrap();
        }
        ledger
    };
    let terminated = || vec![terminate("null")];
    let kinds = each_kind();
    let answers = [1, 3, 5, 6, 8].map(|place| kinds[place].clone()).to_vec();
    let state = |name, ledger, status, before| State { name, ledger, status, before, execution: Some(EXECUTION) };
    let held = || {
        let mut ledger = open();
        ledger.append(&event(EventKind::ExecutionSuspended { reason: "wait".to_owned() })).unwrap();
        ledger
    };
    let ended = || {
        first_turn([EventKind::ExecutionCompleted {
            status: RuntimeStatus::Completed,
            output: Some(Json::null()),
            failure: None,
        }])
        .into_parts()
        .1
    };
    let running = RuntimeStatus::Running;
    vec![
        state("pending", Ledger::default(), RuntimeStatus::Pending, Vec::new()),
        state("behind start", Ledger::default(), RuntimeStatus::Pending, vec![kinds[0].clone()]),
        state("open", open(), running, Vec::new()),
        state(
            "other kind",
            first_turn([timer(0), activity(1), child(2), lock(3), entity(4)]).into_parts().1,
            running,
            Vec::new(),
        ),
        state("answered", answered(), running, Vec::new()),
        state("same batch", open(), running, answers),
        state("terminating", open(), running, terminated()),
        state("held", held(), RuntimeStatus::Suspended, Vec::new()),
        state("ended", ended(), RuntimeStatus::Completed, Vec::new()),
        // An instance that ended is not loaded.
        state("row ended", Ledger::default(), RuntimeStatus::Failed, Vec::new()),
        State { name: "any execution", ledger: open(), status: running, before: Vec::new(), execution: None },
        State {
            name: "stale",
            ledger: open(),
            status: running,
            before: Vec::new(),
            execution: Some(ExecutionId::from_random(7)),
        },
    ]
}

fn verdict(state: &State, kind: &MessageKind) -> String {
    let before = state.before.iter().enumerate();
    let mut messages: Vec<_> = before.map(|(n, kind)| message(n as u64, None, kind.clone())).collect();
    let last = message(99, state.execution, kind.clone());
    messages.push(last.clone());
    let origins: Vec<_> = messages.iter().map(|message| message.origin).collect();
    let admission = admit(&state.ledger, &row(state.status), messages, at(1));
    let mut consumed = admission.consumed.clone();
    consumed.sort_unstable();
    assert_eq!(consumed, origins, "every message is done with");
    assert!(admission.events.iter().all(|event| event.at == at(1)));
    if let Some((_, why)) = admission.ignored.iter().find(|(message, _)| message.origin == Origin::Inbox(99)) {
        return format!("{why:?}");
    }
    assert_eq!(admission.events[0].kind, EventKind::OrchestratorStarted);
    let names: Vec<_> = admission.events.iter().map(|event| event.kind.name()).collect();
    assert_eq!(names.iter().filter(|name| **name == kind.name()).count(), 1, "{names:?}");
    "yes".to_owned()
}

fn table() -> String {
    let mut table = String::new();
    for state in states() {
        let mut verdicts: Vec<(String, Vec<&str>)> = Vec::new();
        for kind in each_kind() {
            let verdict = verdict(&state, &kind);
            match verdicts.iter_mut().find(|(other, _)| *other == verdict) {
                Some((_, names)) => names.push(kind.name()),
                None => verdicts.push((verdict, vec![kind.name()])),
            }
        }
        writeln!(table, "{}", state.name).unwrap();
        for (verdict, names) in verdicts {
            let names = if names.len() == each_kind().len() { "all".to_owned() } else { names.join(" ") };
            writeln!(table, "    {verdict:<14} {names}").unwrap();
        }
    }
    table
}

#[test]
fn every_kind_in_every_state() {
    expect![[r#"
        pending
            yes            ExecutionStarted EventRaised ExecutionTerminated ExecutionSuspended
            NothingWaits   TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EntityOperationCompleted EntityOperationFailed EntityLockGranted
            NotSuspended   ExecutionResumed
            NotFailed      RewindRequested
            NoEntity       EntityOperationCalled EntityOperationSignaled EntityLockRequested EntityUnlockSent
        behind start
            StartedBefore  ExecutionStarted
            NothingWaits   TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EntityOperationCompleted EntityOperationFailed EntityLockGranted
            yes            EventRaised ExecutionTerminated ExecutionSuspended
            NotSuspended   ExecutionResumed
            NotFailed      RewindRequested
            NoEntity       EntityOperationCalled EntityOperationSignaled EntityLockRequested EntityUnlockSent
        open
            StartedBefore  ExecutionStarted
            yes            TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EntityOperationCompleted EntityOperationFailed EntityLockGranted EventRaised ExecutionTerminated ExecutionSuspended
            NotSuspended   ExecutionResumed
            NotFailed      RewindRequested
            NoEntity       EntityOperationCalled EntityOperationSignaled EntityLockRequested EntityUnlockSent
        other kind
            StartedBefore  ExecutionStarted
            NothingWaits   TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EntityOperationCompleted EntityOperationFailed EntityLockGranted
            yes            EventRaised ExecutionTerminated ExecutionSuspended
            NotSuspended   ExecutionResumed
            NotFailed      RewindRequested
            NoEntity       EntityOperationCalled EntityOperationSignaled EntityLockRequested EntityUnlockSent
        answered
            StartedBefore  ExecutionStarted
            NothingWaits   TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EntityOperationCompleted EntityOperationFailed EntityLockGranted
            yes            EventRaised ExecutionTerminated ExecutionSuspended
            NotSuspended   ExecutionResumed
            NotFailed      RewindRequested
            NoEntity       EntityOperationCalled EntityOperationSignaled EntityLockRequested EntityUnlockSent
        same batch
            StartedBefore  ExecutionStarted
            NothingWaits   TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EntityOperationCompleted EntityOperationFailed EntityLockGranted
            yes            EventRaised ExecutionTerminated ExecutionSuspended
            NotSuspended   ExecutionResumed
            NotFailed      RewindRequested
            NoEntity       EntityOperationCalled EntityOperationSignaled EntityLockRequested EntityUnlockSent
        terminating
            StartedBefore  ExecutionStarted
            Ended          TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EntityOperationCompleted EntityOperationFailed EntityLockGranted EventRaised ExecutionTerminated ExecutionResumed RewindRequested EntityOperationCalled EntityOperationSignaled EntityLockRequested EntityUnlockSent
            yes            ExecutionSuspended
        held
            StartedBefore  ExecutionStarted
            yes            TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EntityOperationCompleted EntityOperationFailed EntityLockGranted EventRaised ExecutionTerminated ExecutionResumed
            SuspendedBefore ExecutionSuspended
            NotFailed      RewindRequested
            NoEntity       EntityOperationCalled EntityOperationSignaled EntityLockRequested EntityUnlockSent
        ended
            Ended          all
        row ended
            Ended          all
        any execution
            StartedBefore  ExecutionStarted
            yes            TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EntityOperationCompleted EntityOperationFailed EntityLockGranted EventRaised ExecutionTerminated ExecutionSuspended
            NotSuspended   ExecutionResumed
            NotFailed      RewindRequested
            NoEntity       EntityOperationCalled EntityOperationSignaled EntityLockRequested EntityUnlockSent
        stale
            StaleExecution all
    "#]]
    .assert_eq(&table());
}

#[test]
fn the_start_comes_first_with_what_it_brings() {
    let raised = |input: &str| raised("E", input);
    let start =
        MessageKind::ExecutionStarted { started: Box::new(started("0")), carried_over: vec![raised("1"), raised("2")] };
    let messages = vec![
        message(1, None, MessageKind::EventRaised(raised("3"))),
        message(2, Some(EXECUTION), start.clone()),
        message(3, Some(EXECUTION), start),
    ];
    let admission = admit(&Ledger::default(), &row(RuntimeStatus::Pending), messages, BEGIN);
    expect![[r#"
        events
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  EventRaised                        E(1)
            0.000  EventRaised                        E(2)
            0.000  EventRaised                        E(3)
    "#]]
    .assert_eq(&format!("events\n{}", crate::transcript::transcript(&admission.events)));
    let ignored: Vec<_> = admission.ignored.iter().map(|(message, why)| (message.origin, *why)).collect();
    assert_eq!(ignored, [(Origin::Inbox(3), crate::Ignored::StartedBefore)]);
}

#[test]
fn nothing_admitted_is_no_turn() {
    let stale = message(1, Some(ExecutionId::from_random(7)), each_kind().remove(1));
    let admission = admit(&Ledger::default(), &row(RuntimeStatus::Running), vec![stale], BEGIN);
    assert_eq!((admission.events, admission.consumed), (Vec::new(), vec![Origin::Inbox(1)]));
    assert_eq!(admit(&Ledger::default(), &row(RuntimeStatus::Running), Vec::new(), BEGIN), Admission::default());
}

/// What clients send to an instance whose start is still to come is recorded in a turn of its own, and moves nothing.
#[test]
fn what_comes_before_the_start_is_recorded() {
    let take = |kinds: Vec<MessageKind>| {
        let messages = kinds.into_iter().enumerate().map(|(n, kind)| message(n as u64, None, kind)).collect();
        let admission = admit(&Ledger::default(), &row(RuntimeStatus::Pending), messages, BEGIN);
        let names: Vec<_> = admission.events.iter().map(|event| event.kind.name()).collect();
        format!("{}; runs {}; termination {:?}", names.join(" "), admission.runs, admission.termination)
    };
    let early = || MessageKind::EventRaised(raised("early", "null"));
    expect!["OrchestratorStarted EventRaised; runs false; termination None"].assert_eq(&take(vec![early()]));
    expect!["OrchestratorStarted EventRaised ExecutionTerminated; runs false; termination Some(Termination { reason: null, recurse: false })"]
        .assert_eq(&take(vec![early(), terminate("null")]));
    let admission = admit(&Ledger::default(), &row(RuntimeStatus::Terminated), vec![message(0, None, early())], at(1));
    assert_eq!((admission.events, admission.consumed), (Vec::new(), vec![Origin::Inbox(0)]));
}
