//! Laws that hold for whatever comes: messages in any order, any history, any program.

use super::fail;
use super::fixtures::{
    EXECUTION, account, activity, activity_call, begin, child, child_call, create_child, create_timer, cursor, entity,
    event, first_turn, http_call, identity, lock, row, schedule_task, scheduled, started, terminate, timer,
};
use super::world::{BEGIN, at};
use crate::{
    Action, Cursor, Event, EventId, EventKind, Failure, GiveUp, History, HttpResponse, InstanceId, Json, Ledger,
    Limits, Message, MessageKind, Next, Origin, PresentApp, RaisedEvent, Recording, RetryDecision, RetryPolicy,
    RuntimeStatus, Settled, Settling, StartOptions, TaskNumber, Timestamp, TurnEnd, admit, settle,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn json() -> impl Strategy<Value = Json> {
    (0..4u8).prop_map(|n| Json::from(n.to_string()))
}

fn raised() -> impl Strategy<Value = RaisedEvent> {
    ("[aAbB]", json()).prop_map(|(name, input)| RaisedEvent { name, input, id: None })
}

fn why() -> impl Strategy<Value = String> {
    Just("why".to_owned())
}

/// An answer to one of the first few requests, an external event, or a hold.
fn answer() -> impl Strategy<Value = MessageKind> {
    let id = || (0..8u32).prop_map(EventId);
    let failure = || Just(Failure::new("Flaky", "no luck"));
    prop_oneof![
        (id(), json()).prop_map(|(scheduled, result)| MessageKind::TaskCompleted { scheduled, result }),
        (id(), failure()).prop_map(|(scheduled, failure)| MessageKind::TaskFailed { scheduled, failure }),
        (id(), json())
            .prop_map(|(scheduled, result)| MessageKind::SubOrchestrationInstanceCompleted { scheduled, result }),
        (id(), failure())
            .prop_map(|(scheduled, failure)| MessageKind::SubOrchestrationInstanceFailed { scheduled, failure }),
        id().prop_map(|timer| MessageKind::TimerFired { timer, fire_at: BEGIN }),
        raised().prop_map(MessageKind::EventRaised),
        (id(), json()).prop_map(|(scheduled, result)| MessageKind::EntityOperationCompleted { scheduled, result }),
        (id(), failure()).prop_map(|(scheduled, failure)| MessageKind::EntityOperationFailed { scheduled, failure }),
        id().prop_map(|scheduled| MessageKind::EntityLockGranted { scheduled }),
        why().prop_map(|reason| MessageKind::ExecutionSuspended { reason }),
        why().prop_map(|reason| MessageKind::ExecutionResumed { reason }),
    ]
}

fn message((number, kind): (usize, MessageKind)) -> Message {
    Message { origin: Origin::Inbox(number as u64), execution: Some(EXECUTION), kind }
}

/// A running instance with a few requests of mixed kinds.
fn running() -> impl Strategy<Value = History> {
    vec(0..5u8, 0..8).prop_map(|kinds| {
        let requests = (0..).zip(kinds).map(|(id, kind)| match kind {
            0 => activity(id),
            1 => child(id),
            2 => entity(id),
            3 => lock(id),
            _ => timer(id),
        });
        first_turn(requests)
    })
}

fn answered(events: &[Event]) -> BTreeSet<EventId> {
    events.iter().filter_map(|event| event.kind.answers()).map(|(id, _)| id).collect()
}

/// Takes the batches turn by turn, with an orchestrator that only waits, and answers what was recorded.
fn take(history: &History, batches: &[Vec<MessageKind>]) -> Vec<Event> {
    let (mut events, mut ledger) = history.clone().into_parts();
    let mut row = crate::InstanceRow { turns: ledger.turns, events: ledger.events, ..row(RuntimeStatus::Running) };
    for batch in batches {
        let messages: Vec<_> = batch.iter().cloned().enumerate().map(message).collect();
        let count = messages.len();
        let admission = admit(&ledger, &row, messages, at(1));
        assert_eq!(admission.consumed.len(), count);
        let settling = Settling {
            row: &row,
            ledger,
            admission,
            actions: Vec::new(),
            custom_status: None,
            end: TurnEnd::Waiting,
            now: at(1),
            limits: &Limits::default(),
            present: &PresentApp::default(),
        };
        let Settled { checkpoint, ledger: after, .. } = settle(settling).unwrap();
        events.extend(checkpoint.record.into_iter().flat_map(|record| record.events));
        (row, ledger) = (checkpoint.row, after);
    }
    assert_eq!(History::from_events(events.clone()).unwrap().ledger(), &ledger);
    events
}

proptest! {
    /// Order, duplicates and cuts between turns decide which answer counts, but never which requests are answered.
    #[test]
    fn shuffled_and_repeated_messages_answer_the_same_requests(
        history in running(),
        (messages, shuffled) in vec(answer(), 0..12).prop_flat_map(|messages| {
            let repeated: Vec<_> = messages.iter().chain(&messages).cloned().collect();
            (Just(messages), Just(repeated).prop_shuffle())
        }),
        cut in any::<prop::sample::Index>(),
    ) {
        let once = answered(&take(&history, &[messages]));
        let (first, second) = shuffled.split_at(cut.index(shuffled.len() + 1));
        prop_assert_eq!(&once, &answered(&take(&history, std::slice::from_ref(&shuffled))));
        prop_assert_eq!(&once, &answered(&take(&history, &[first.to_vec(), second.to_vec()])));
    }

    #[test]
    fn the_same_turn_settles_to_the_same_checkpoint(
        history in running(),
        messages in vec(answer(), 0..6),
        actions in vec((0..11u8, 0..12u32), 0..6),
        end in turn_end(),
        terminated in any::<bool>(),
    ) {
        let row = crate::InstanceRow { turns: 1, ..row(RuntimeStatus::Running) };
        let terminate = terminated.then_some(terminate("null"));
        let messages: Vec<_> = messages.into_iter().chain(terminate).enumerate().map(message).collect();
        let (limits, present) = (Limits::default(), PresentApp::default());
        let settling = || Settling {
            row: &row,
            ledger: history.ledger().clone(),
            admission: admit(history.ledger(), &row, messages.clone(), at(1)),
            actions: actions.iter().map(|&(kind, id)| action(kind, id)).collect(),
            custom_status: None,
            end: end.clone(),
            now: at(1),
            limits: &limits,
            present: &present,
        };
        let settled = settle(settling());
        prop_assert_eq!(&settled, &settle(settling()));
        if let Ok(Settled { checkpoint, ledger, .. }) = settled
            && let Some(record) = checkpoint.record
        {
            let all: Vec<_> = history.events().iter().cloned().chain(record.events).collect();
            let fresh = History::from_events(all).unwrap();
            prop_assert_eq!(fresh.ledger(), &ledger);
            prop_assert_eq!(checkpoint.row.status.is_terminal(), ledger.ended.is_some());
        }
    }
}

fn action(kind: u8, number: u32) -> Action {
    let id = EventId(number);
    let (instance_id, operation, input) = (InstanceId::from_random(7), "add".to_owned(), Json::null());
    match kind {
        0 => schedule_task(number, 1),
        1 => create_child(number, instance_id),
        2 => create_timer(number, at(9)),
        3 => Action::CancelTimer { id },
        4 => Action::Abort { id },
        5 => Action::SendEvent { id, instance_id, name: operation, input },
        6 => Action::CallEntity { id, entity: account("1"), operation, input },
        7 => Action::SignalEntity { id, entity: account("1"), operation, input, deliver_at: Some(at(9)) },
        8 => Action::LockEntities { id, entities: vec![account("1"), account("2")] },
        9 => Action::UnlockEntities { id, section: EventId(0) },
        _ => Action::CreateSubOrchestration {
            id,
            name: operation,
            instance_id,
            input,
            retry_of: None,
            detached: true,
            options: StartOptions::default(),
        },
    }
}

fn turn_end() -> impl Strategy<Value = TurnEnd> {
    prop_oneof![
        Just(TurnEnd::Waiting),
        Just(TurnEnd::Completed(Json::null())),
        Just(TurnEnd::Failed(Failure::new("Flaky", "no luck"))),
        vec(raised(), 0..3).prop_map(|carried_over| TurnEnd::ContinuedAsNew {
            input: Json::null(),
            carried_over,
            new_version: None,
        }),
    ]
}

proptest! {
    #[test]
    fn retries_pause_ever_longer_and_end_exactly(
        max_attempts in 1..60u32,
        first in 1..10_000_000u64,
        backoff_coefficient in 1.0..4.0f64,
        longest in 1..100_000_000u64,
    ) {
        let policy = RetryPolicy {
            backoff_coefficient,
            max_interval: Duration::from_millis(first.max(longest)),
            ..RetryPolicy::new(max_attempts, Duration::from_millis(first))
        };
        prop_assert_eq!(policy.validate(), Ok(()));
        let mut pauses = Vec::new();
        let reason = loop {
            match policy.decide(&Failure::new("Flaky", ""), pauses.len() as u32, BEGIN, BEGIN) {
                RetryDecision::After(pause) => pauses.push(pause),
                RetryDecision::GiveUp(reason) => break reason,
            }
        };
        prop_assert_eq!((reason, pauses.len() as u32), (GiveUp::Attempts, max_attempts - 1));
        prop_assert!(pauses.is_sorted());
        prop_assert!(pauses.iter().all(|pause| (policy.first_interval..=policy.max_interval).contains(pause)));
    }

    #[test]
    fn no_policy_panics(
        max_attempts in any::<u32>(),
        first_interval in any::<Duration>(),
        backoff_coefficient in any::<f64>(),
        max_interval in any::<Duration>(),
        retry_timeout in any::<Option<Duration>>(),
        attempt in any::<u32>(),
        moments in any::<(i64, i64)>(),
    ) {
        let policy = RetryPolicy {
            max_attempts, first_interval, backoff_coefficient, max_interval, retry_timeout,
            ..RetryPolicy::new(1, first_interval)
        };
        let (first_at, now) = (Timestamp::from_ticks(moments.0), Timestamp::from_ticks(moments.1));
        if let RetryDecision::After(pause) = policy.decide(&Failure::new("", ""), attempt, first_at, now) {
            prop_assert!(pause <= max_interval);
            let _moment = now.saturating_add(pause);
        }
    }

    #[test]
    fn moments_read_as_in_a_calendar(ticks in -621_355_968_000_000_000..2_534_023_007_999_999_999i64) {
        let printer = jiff::fmt::temporal::DateTimePrinter::new().precision(Some(7));
        let reference = jiff::Timestamp::from_nanosecond(i128::from(ticks) * 100).unwrap();
        prop_assert_eq!(Timestamp::from_ticks(ticks).to_string(), printer.timestamp_to_string(&reference));
    }

    #[test]
    fn times_add_up(ticks in any::<i64>(), pause in any::<u32>()) {
        let pause = Duration::from_micros(u64::from(pause));
        let (before, after) = (Timestamp::from_ticks(ticks), Timestamp::from_ticks(ticks).saturating_add(pause));
        prop_assert!(before <= after);
        prop_assert!(after == Timestamp::MAX || after.saturating_since(before) == pause);
        prop_assert!(after.to_string().ends_with('Z'));
    }

    #[test]
    fn an_instance_id_keeps_the_rules_exactly_if_it_parses(text in "\\PC{0,4}[@/\\\\#?\\x00-\\x1f\\x7f-\\x9fa-z]{0,3}\\PC{0,300}") {
        let forbidden = |c: char| "/\\#?".contains(c) || ('\0'..='\x1f').contains(&c) || ('\x7f'..='\u{9f}').contains(&c);
        let legal = !text.is_empty() && text.len() <= 256 && !text.starts_with('@') && !text.chars().any(forbidden);
        let parsed = InstanceId::parse(&text);
        prop_assert_eq!(parsed.is_ok(), legal);
        prop_assert!(parsed.map_or(true, |id| id.as_str() == text));
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    let id = || (0..5u32).prop_map(EventId);
    let name = || "[AB]".prop_map(|name: String| name);
    let failure = || Just(Failure::new("Flaky", "no luck"));
    let instance = || Just(InstanceId::from_random(7));
    let key = || prop_oneof![Just(account("1")), Just(account("2"))];
    let of_entities = prop_oneof![
        (id(), key(), name(), json()).prop_map(|(id, entity, operation, input)| EventKind::EntityOperationCalled {
            id,
            entity,
            operation,
            input
        }),
        (id(), key(), name(), json()).prop_map(|(id, entity, operation, input)| {
            EventKind::EntityOperationSignaled { id, entity, operation, input, deliver_at: None }
        }),
        (id(), json()).prop_map(|(scheduled, result)| EventKind::EntityOperationCompleted { scheduled, result }),
        (id(), failure()).prop_map(|(scheduled, failure)| EventKind::EntityOperationFailed { scheduled, failure }),
        (id(), key()).prop_map(|(id, entity)| EventKind::EntityLockRequested { id, entities: vec![entity] }),
        id().prop_map(|scheduled| EventKind::EntityLockGranted { scheduled }),
        (id(), id()).prop_map(|(id, section)| EventKind::EntityUnlockSent { id, section }),
    ];
    let of_instance = prop_oneof![
        why().prop_map(|reason| EventKind::ExecutionSuspended { reason }),
        why().prop_map(|reason| EventKind::ExecutionResumed { reason }),
        why().prop_map(|reason| EventKind::ExecutionRewound { reason }),
        (id(), name(), instance(), json()).prop_map(|(id, name, instance_id, input)| EventKind::EventSent {
            id,
            instance_id,
            name,
            input
        }),
        (id(), accepted()).prop_map(|(scheduled, result)| EventKind::TaskCompleted { scheduled, result }),
    ];
    let kind = prop_oneof![
        of_entities,
        of_instance,
        Just(EventKind::OrchestratorStarted),
        Just(EventKind::OrchestratorCompleted),
        json().prop_map(|input| { EventKind::ExecutionStarted(Box::new(started(input.as_str()))) }),
        Just(EventKind::ExecutionCompleted { status: RuntimeStatus::Completed, output: None, failure: None }),
        json().prop_map(|reason| EventKind::ExecutionTerminated { reason }),
        (id(), name(), json()).prop_map(|(id, name, input)| scheduled(id.0, &name, input.as_str())),
        (id(), json()).prop_map(|(scheduled, result)| EventKind::TaskCompleted { scheduled, result }),
        (id(), failure()).prop_map(|(scheduled, failure)| EventKind::TaskFailed { scheduled, failure }),
        (id(), name(), instance(), json(), any::<bool>()).prop_map(|(id, name, instance_id, input, detached)| {
            EventKind::SubOrchestrationInstanceCreated {
                id,
                name,
                instance_id,
                input,
                retry_of: None,
                detached,
                options: StartOptions::default(),
            }
        }),
        (id(), json())
            .prop_map(|(scheduled, result)| EventKind::SubOrchestrationInstanceCompleted { scheduled, result }),
        (id(), failure())
            .prop_map(|(scheduled, failure)| EventKind::SubOrchestrationInstanceFailed { scheduled, failure }),
        id().prop_map(|id| timer(id.0)),
        id().prop_map(|timer| EventKind::TimerFired { timer, fire_at: BEGIN }),
        raised().prop_map(EventKind::EventRaised),
    ];
    (kind, 0..9u64).prop_map(|(kind, seconds)| Event { at: at(seconds), kind })
}

/// An answer that asks to be polled.
fn accepted() -> impl Strategy<Value = Json> {
    prop_oneof![Just("/a"), Just("https://b.example/"), Just("::")].prop_map(|location| {
        let headers = vec![("Location".to_owned(), location.to_owned()), ("Retry-After".to_owned(), "1".to_owned())];
        HttpResponse { status: 202, headers, content: String::new() }.to_json()
    })
}

/// One call of the cursor, whoever makes it.
#[derive(Clone, Debug)]
enum Call {
    Activity(bool),
    Child(Option<&'static str>),
    Timer,
    Event(String),
    Cancel(u32),
    Abort(u32),
    Http(String),
    Entity(u8),
    Signal(u8),
    Lock(Vec<u8>),
    Unlock,
    Send(String),
    Start(Option<String>),
    Refuse,
    Next,
    Status,
    ContinueAsNew(bool),
    Returned(bool),
    TakeActions,
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        any::<bool>().prop_map(Call::Activity),
        prop::option::of(prop_oneof![Just("kid"), Just("a/b")]).prop_map(Call::Child),
        Just(Call::Timer),
        "[aAbB]".prop_map(Call::Event),
        (0..9u32).prop_map(Call::Cancel),
        (0..9u32).prop_map(Call::Abort),
        prop_oneof![Just("https://a.example/"), Just("/a")].prop_map(|url| Call::Http(url.to_owned())),
        (1..3u8).prop_map(Call::Entity),
        (1..3u8).prop_map(Call::Signal),
        vec(1..3u8, 0..3).prop_map(Call::Lock),
        Just(Call::Unlock),
        "[ab@/]".prop_map(Call::Send),
        prop::option::of("[ab@/]").prop_map(Call::Start),
        Just(Call::Refuse),
        Just(Call::Next),
        Just(Call::Next),
        Just(Call::Next),
        Just(Call::Status),
        any::<bool>().prop_map(Call::ContinueAsNew),
        any::<bool>().prop_map(Call::Returned),
        Just(Call::TakeActions),
    ]
}

fn perform(cursor: &mut Cursor, call: Call) {
    let retry = |retried: bool| retried.then(|| RetryPolicy::new(3, Duration::from_secs(1)));
    let input = Json::from("1");
    let refused = match call {
        Call::Activity(retried) => cursor.call_activity(activity_call("A", "1", retry(retried))).err(),
        Call::Child(id) => cursor.call_sub_orchestration(child_call("A", "1", id, retry(true))).err(),
        Call::Timer => cursor.create_timer(at(5)).err(),
        Call::Event(name) => cursor.wait_for_event(&name).err(),
        Call::Http(url) => cursor.call_http(http_call(&url, retry(true))).err(),
        Call::Entity(key) => cursor.call_entity(account(&key.to_string()), "A".to_owned(), input).err(),
        Call::Signal(key) => cursor.signal_entity(account(&key.to_string()), "A".to_owned(), input, None).err(),
        Call::Lock(keys) => cursor.lock_entities(keys.iter().map(|key| account(&key.to_string())).collect()).err(),
        Call::Unlock => cursor.unlock_entities().err(),
        Call::Send(id) => cursor.send_event(&id, "A".to_owned(), input).err(),
        Call::Start(id) => cursor.start_orchestration("A".to_owned(), input, id, StartOptions::default()).err(),
        Call::Refuse => cursor.refuse(Failure::new("Refused", "")).err(),
        Call::Abort(task) => {
            cursor.abort(TaskNumber(task));
            None
        }
        Call::Next => cursor.next().err(),
        Call::Cancel(task) => {
            cursor.cancel(TaskNumber(task));
            None
        }
        Call::Status => {
            cursor.set_custom_status(None);
            None
        }
        Call::ContinueAsNew(preserve) => {
            cursor.continue_as_new(input, preserve, None);
            None
        }
        Call::Returned(succeeded) => {
            let result = if succeeded { Ok(input) } else { fail("Flaky") };
            let _end = cursor.returned(result);
            None
        }
        Call::TakeActions => {
            let (actions, _) = cursor.take_actions();
            assert!(cursor.stopped().is_none() || actions.is_empty(), "a stopped orchestrator has no actions");
            None
        }
    };
    if refused.is_some() {
        assert_eq!(cursor.stopped(), refused.as_ref());
        assert_eq!(cursor.next().err(), refused, "what is stopped stays stopped");
    }
}

/// What an orchestrator does about external events between two turns.
#[derive(Clone, Debug)]
enum Wish {
    Wait(String),
    /// Gives up one of the tasks so far.
    GiveUp(usize),
    Next,
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        3 => "[aAbB]".prop_map(Wish::Wait),
        2 => any::<usize>().prop_map(Wish::GiveUp),
        2 => Just(Wish::Next),
    ]
}

/// The next event that is delivered, to a task that still waits.
fn deliver(cursor: &mut Cursor, waiting: &mut BTreeMap<TaskNumber, String>) -> Option<u32> {
    match cursor.next().unwrap() {
        Next::Waiting => None,
        Next::Completed(completion) => {
            assert!(waiting.remove(&completion.task).is_some(), "a task that was given up is not answered");
            Some(completion.outcome.unwrap().as_str().parse().unwrap())
        }
    }
}

proptest! {
    /// Whatever is waited for and given up: at the end each event was delivered or is carried over, once.
    #[test]
    fn no_external_event_is_lost_or_doubled(turns in vec((vec("[aAbB]", 0..4), vec(wish(), 0..8)), 1..5)) {
        let mut cursor = cursor("main", Vec::new());
        cursor.feed(begin("0"));
        cursor.start().unwrap();
        let (mut raised, mut delivered, mut waiting, mut tasks) = (0, Vec::new(), BTreeMap::new(), Vec::new());
        for (names, wishes) in turns {
            cursor.feed([event(EventKind::OrchestratorStarted)]);
            for name in names {
                let input = Json::from(raised.to_string());
                cursor.feed([event(EventKind::EventRaised(RaisedEvent { name, input, id: None }))]);
                raised += 1;
            }
            for wish in wishes {
                match wish {
                    Wish::Wait(name) => {
                        tasks.push(cursor.wait_for_event(&name).unwrap());
                        waiting.extend(tasks.last().map(|task| (*task, name.to_lowercase())));
                    }
                    Wish::GiveUp(_) if tasks.is_empty() => {}
                    Wish::GiveUp(which) => {
                        let task = tasks[which % tasks.len()];
                        cursor.cancel(task);
                        waiting.remove(&task);
                    }
                    Wish::Next => delivered.extend(deliver(&mut cursor, &mut waiting)),
                }
            }
            while let Some(event) = deliver(&mut cursor, &mut waiting) {
                delivered.push(event);
            }
        }
        cursor.continue_as_new(Json::null(), true, None);
        let end = cursor.returned(Ok(Json::null()));
        let TurnEnd::ContinuedAsNew { carried_over, .. } = end else { panic!("{end:?}") };
        let carried: Vec<u32> = carried_over.iter().map(|event| event.input.as_str().parse().unwrap()).collect();
        prop_assert!(carried.is_sorted(), "carried over in the order of arrival");
        let waits = |event: &RaisedEvent| waiting.values().any(|name| *name == event.name.to_lowercase());
        prop_assert!(!carried_over.iter().any(waits), "nobody waits for an event that is there");
        let mut all: Vec<u32> = delivered.into_iter().chain(carried).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..raised).collect::<Vec<u32>>());
    }

    #[test]
    fn no_event_sequence_panics(
        past in vec(any_event(), 0..12),
        new in vec(any_event(), 0..6),
        calls in vec(call(), 0..20),
        max_actions in 0..6usize,
    ) {
        let mut ledger = Ledger::default();
        let one_by_one = past.iter().try_for_each(|event| ledger.append(event)).map(|()| ledger);
        prop_assert_eq!(one_by_one, History::from_events(past.clone()).map(|history| history.into_parts().1));
        let _text = crate::transcript::transcript(&past);
        let recording = History::from_events(past.clone()).ok().and_then(Recording::of);
        let mut cursor = Cursor::new(identity("main"), Limits { max_actions, ..Limits::default() }, past);
        cursor.feed(new);
        let _input = cursor.start();
        for call in calls {
            perform(&mut cursor, call);
        }
        while let Ok(Next::Completed(_)) = cursor.next() {}
        if let Some(recording) = recording {
            let _fit = recording.verdict(&cursor, &TurnEnd::Waiting);
        }
    }
}
