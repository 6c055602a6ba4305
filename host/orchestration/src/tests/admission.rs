//! What becomes of every kind of message in every state of an instance.

use super::fixtures::{EXECUTION, activity, child, event, first_turn, row, started, timer};
use super::world::{BEGIN, at};
use crate::{
    Admission, EventId, EventKind, ExecutionId, Failure, Json, Ledger, Message, MessageKind, Origin, RaisedEvent,
    RuntimeStatus, admit,
};
use expect_test::expect;
use std::fmt::Write;

/// One message of each kind; answers are for the activity #0, the child #1 and the timer #2.
fn each_kind() -> Vec<MessageKind> {
    let failure = Failure::new("Flaky", "no luck");
    vec![
        MessageKind::ExecutionStarted { started: Box::new(started("0")), carried_over: Vec::new() },
        MessageKind::TaskCompleted { scheduled: EventId(0), result: Json::null() },
        MessageKind::TaskFailed { scheduled: EventId(0), failure: failure.clone() },
        MessageKind::SubOrchestrationInstanceCompleted { scheduled: EventId(1), result: Json::null() },
        MessageKind::SubOrchestrationInstanceFailed { scheduled: EventId(1), failure },
        MessageKind::TimerFired { timer: EventId(2), fire_at: BEGIN },
        MessageKind::EventRaised(RaisedEvent { name: "E".to_owned(), input: Json::null() }),
        MessageKind::ExecutionTerminated { reason: Json::null() },
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
    let open = || first_turn([activity(0), child(1), timer(2)]).into_parts().1;
    let answered = || {
        let mut ledger = open();
        ledger.append(&event(EventKind::OrchestratorStarted)).unwrap();
        for kind in [
            EventKind::TaskCompleted { scheduled: EventId(0), result: Json::null() },
            EventKind::SubOrchestrationInstanceCompleted { scheduled: EventId(1), result: Json::null() },
            EventKind::TimerFired { timer: EventId(2), fire_at: BEGIN },
        ] {
            ledger.append(&event(kind)).unwrap();
        }
        ledger
    };
    let terminate = || vec![MessageKind::ExecutionTerminated { reason: Json::null() }];
    let kinds = each_kind();
    let answers = vec![kinds[1].clone(), kinds[3].clone(), kinds[5].clone()];
    let state = |name, ledger, status, before| State { name, ledger, status, before, execution: Some(EXECUTION) };
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
        state("other kind", first_turn([timer(0), activity(1), child(2)]).into_parts().1, running, Vec::new()),
        state("answered", answered(), running, Vec::new()),
        state("same batch", open(), running, answers),
        state("terminating", open(), running, terminate()),
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

#[test]
fn every_kind_in_every_state() {
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
    expect![[r#"
        pending
            yes            ExecutionStarted ExecutionTerminated
            NotStarted     TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EventRaised
        behind start
            StartedBefore  ExecutionStarted
            NothingWaits   TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired
            yes            EventRaised ExecutionTerminated
        open
            StartedBefore  ExecutionStarted
            yes            TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EventRaised ExecutionTerminated
        other kind
            StartedBefore  ExecutionStarted
            NothingWaits   TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired
            yes            EventRaised ExecutionTerminated
        answered
            StartedBefore  ExecutionStarted
            NothingWaits   TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired
            yes            EventRaised ExecutionTerminated
        same batch
            StartedBefore  ExecutionStarted
            NothingWaits   TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired
            yes            EventRaised ExecutionTerminated
        terminating
            StartedBefore  ExecutionStarted
            Ended          TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EventRaised ExecutionTerminated
        ended
            Ended          all
        row ended
            Ended          all
        any execution
            StartedBefore  ExecutionStarted
            yes            TaskCompleted TaskFailed SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TimerFired EventRaised ExecutionTerminated
        stale
            StaleExecution all
    "#]]
    .assert_eq(&table);
}

#[test]
fn the_start_comes_first_with_what_it_brings() {
    let raised = |input: &str| RaisedEvent { name: "E".to_owned(), input: input.into() };
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

/// A store may hand out what a client sent before it hands out the start that somebody else sent: it waits in the inbox.
#[test]
fn what_clients_send_waits_for_the_start() {
    let early = || {
        let raised = RaisedEvent { name: "early".to_owned(), input: Json::null() };
        let kinds = [MessageKind::EventRaised(raised), MessageKind::ExecutionTerminated { reason: Json::null() }];
        kinds.into_iter().enumerate().map(|(n, kind)| message(n as u64, None, kind)).collect::<Vec<_>>()
    };
    let admission = admit(&Ledger::default(), &row(RuntimeStatus::Running), early(), at(1));
    assert_eq!(admission, Admission::default());
    let admission = admit(&Ledger::default(), &row(RuntimeStatus::Terminated), early(), at(1));
    assert_eq!(admission.consumed, [Origin::Inbox(0), Origin::Inbox(1)]);
}
