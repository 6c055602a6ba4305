//! Entities: which of the waiting messages are done now, and what becomes durable after them.

use super::admission::each_kind;
use super::fixtures::account;
use super::world::{BEGIN, at};
use crate::{
    Caller, Checkpoint, EntityAction, EntityLock, EntityOperation, EntityOutcome, EntityRecord, Envelope, EventId,
    ExecutionId, Failure, InstanceId, InstanceRow, Json, Message, MessageKind, Origin, PresentApp, RuntimeStatus,
    StartOptions, admit_entity, settle_entity,
};
use expect_test::{Expect, expect};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The request of an instance: each has one execution, which follows from its name.
pub(super) fn caller(who: &str, scheduled: u32) -> Caller {
    let execution = ExecutionId::from_random(u128::from(who.as_bytes()[0]));
    Caller { instance: InstanceId::parse(who).unwrap(), execution, scheduled: EventId(scheduled) }
}

fn call(who: &str, scheduled: u32, operation: &str) -> MessageKind {
    let (caller, operation) = (caller(who, scheduled), operation.to_owned());
    MessageKind::EntityOperationCalled { caller, operation, input: Json::null() }
}

fn signal(operation: &str) -> MessageKind {
    let (operation, request) = (operation.to_owned(), format!("request of {operation}"));
    MessageKind::EntityOperationSignaled { sender: None, request, operation, input: Json::null() }
}

fn lock(who: &str, scheduled: u32, keys: &[&str], position: u32) -> MessageKind {
    let entities = keys.iter().map(|key| account(key)).collect();
    MessageKind::EntityLockRequested { owner: caller(who, scheduled), entities, position }
}

fn release(who: &str, scheduled: u32, keys: &[&str], position: u32) -> MessageKind {
    let entities = keys.iter().map(|key| account(key)).collect();
    MessageKind::EntityUnlockSent { section: caller(who, scheduled).section(), entities, position }
}

/// The entity `@account@x` with a state and a lock.
fn row(state: Option<&str>, locked_by: Option<Caller>) -> InstanceRow {
    let lock = locked_by.map(|owner| EntityLock { owner: owner.instance.clone(), section: owner.section() });
    let record = EntityRecord { state: state.map(Json::from), lock, last_operation_at: None };
    let row = InstanceRow::new_entity(account("x").instance_id(), BEGIN);
    InstanceRow { entity: Some(Box::new(record)), ..row }
}

fn messages(kinds: Vec<MessageKind>) -> Vec<Message> {
    let message = |(n, kind)| Message { origin: Origin::Inbox(n), execution: None, kind };
    (0..).zip(kinds).map(message).collect()
}

/// A guest whose state is the operations that it did; `fail` fails and `delete` deletes.
fn guest(row: &InstanceRow, operations: &[EntityOperation]) -> EntityOutcome {
    let mut outcome = EntityOutcome::unchanged(row);
    for operation in operations {
        let name = operation.name.as_str();
        outcome.results.push(match name {
            "fail" => Err(Failure::new("Refused", "no")),
            _ => Ok(Json::from(format!("did {name}"))),
        });
        match (name, &outcome.state) {
            ("fail", _) => {}
            ("delete", _) => outcome.state = None,
            (_, None) => outcome.state = Some(Json::from(name)),
            (_, Some(before)) => outcome.state = Some(Json::from(format!("{before} {name}"))),
        }
    }
    outcome
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the other kinds are shown by name")]
fn shown(envelope: &Envelope) -> String {
    let what = match &envelope.kind {
        MessageKind::EntityOperationCompleted { scheduled, result } => format!("{scheduled:?} = {result}"),
        MessageKind::EntityOperationFailed { scheduled, failure } => format!("{scheduled:?} ! {failure}"),
        MessageKind::EntityLockGranted { scheduled } => format!("{scheduled:?} granted"),
        MessageKind::EntityLockRequested { owner, position, .. } => {
            format!("lock for {} {:?} at {position}", owner.instance, owner.scheduled)
        }
        MessageKind::EntityUnlockSent { section, position, .. } => {
            format!("release {:?} at {position}", section.scheduled)
        }
        MessageKind::EntityOperationSignaled { operation, request, sender, .. } => {
            let sender = sender.as_ref().map_or("a client", InstanceId::as_str);
            format!("{operation} from {sender} by {request}")
        }
        kind => kind.name().to_owned(),
    };
    let execution = envelope.execution.map_or(String::new(), |execution| format!("/{}", execution.as_u128()));
    let later = envelope.deliver_at.map_or(String::new(), |moment| format!(" at {moment}"));
    format!("{}{execution}: {what}{later}", envelope.to)
}

fn told(checkpoint: &Checkpoint, arrived: usize) -> String {
    let mut text = String::new();
    for envelope in &checkpoint.messages {
        writeln!(text, "to {}", shown(envelope)).unwrap();
    }
    for new in &checkpoint.children {
        let started = &new.started;
        let (pinned, version) = (&started.pinned_to, &started.options.version);
        writeln!(
            text,
            "starts {} as {} on {pinned:?} {version:?} execution {}",
            started.name, new.id, started.execution
        )
        .unwrap();
    }
    let consumed: BTreeSet<_> = checkpoint.consumed.iter().copied().collect();
    assert_eq!(consumed.len(), checkpoint.consumed.len(), "no message is done with twice");
    let waiting: Vec<_> =
        (0..arrived as u64).filter(|n| !consumed.contains(&Origin::Inbox(*n))).map(|n| n.to_string()).collect();
    if !waiting.is_empty() {
        writeln!(text, "waiting {}{}", waiting.join(" "), if checkpoint.more { ", more to do" } else { "" }).unwrap();
    }
    let record = checkpoint.row.entity.as_ref().unwrap();
    let state = record.state.as_ref().map_or("none".to_owned(), ToString::to_string);
    let lock = record.lock.as_ref().map_or(String::new(), |lock| format!(", locked by {}", lock.owner));
    let removed = if checkpoint.remove { ", removed" } else { "" };
    writeln!(text, "state {state}{lock}{removed}").unwrap();
    text
}

/// Takes the messages in one batch of at most so many operations.
fn batch(row: &InstanceRow, kinds: Vec<MessageKind>, max_operations: usize) -> (String, Checkpoint) {
    let arrived = kinds.len();
    let admission = admit_entity(row, messages(kinds), max_operations);
    let mut text = String::new();
    for operation in &admission.operations {
        let caller = operation.caller.as_ref().map_or("a client", InstanceId::as_str);
        writeln!(text, "runs {} for {caller}", operation.name).unwrap();
    }
    for (message, why) in &admission.ignored {
        writeln!(text, "ignores {}: {why:?}", message.kind.name()).unwrap();
    }
    let outcome = guest(row, &admission.operations);
    let settled = || settle_entity(row, admission.clone(), outcome.clone(), at(5), &PresentApp::default());
    let checkpoint = settled();
    assert_eq!(settled(), checkpoint, "settling is deterministic");
    assert_eq!((checkpoint.row.status, checkpoint.row.turns), (RuntimeStatus::Running, 0));
    assert_eq!((checkpoint.row.updated_at, checkpoint.row.execution), (at(5), ExecutionId::ENTITY));
    assert_eq!((&checkpoint.record, &checkpoint.rewritten, &checkpoint.next_input), (&None, &None, &None));
    (text + &told(&checkpoint, arrived), checkpoint)
}

fn check(row: &InstanceRow, kinds: Vec<MessageKind>, expected: &Expect) {
    expected.assert_eq(&batch(row, kinds, 100).0);
}

#[test]
fn operations_run_in_the_order_of_arrival() {
    check(
        &row(None, None),
        vec![call("a", 3, "add"), signal("sub"), call("b", 1, "fail"), call("a", 4, "get")],
        &expect![[r#"
            runs add for a
            runs sub for a client
            runs fail for b
            runs get for a
            to a/97: #3 = did add
            to b/98: #1 ! Refused: no
            to a/97: #4 = did get
            state add sub get
        "#]],
    );
}

#[test]
fn an_operation_names_its_request() {
    let requests = |kinds| {
        let admission = admit_entity(&row(None, None), messages(kinds), 9);
        admission.operations.into_iter().map(|operation| (operation.request, operation.is_signal)).collect::<Vec<_>>()
    };
    let expected = [(format!("{:032x}:3", b'a'), false), ("request of add".to_owned(), true)];
    assert_eq!(requests(vec![call("a", 3, "add"), signal("add")]), expected);
}

#[test]
fn a_full_batch_leaves_the_rest_in_order() {
    let kinds =
        vec![signal("one"), lock("a", 1, &["x"], 0), call("a", 2, "two"), signal("later"), call("a", 3, "three")];
    let (text, first) = batch(&row(None, None), kinds.clone(), 2);
    expect![[r#"
        runs one for a client
        runs two for a
        to a/97: #1 granted
        to a/97: #2 = did two
        waiting 3 4, more to do
        state one two, locked by a
    "#]]
    .assert_eq(&text);
    let rest = |done: &Checkpoint| -> Vec<MessageKind> {
        let left = messages(kinds.clone()).into_iter().filter(|message| !done.consumed.contains(&message.origin));
        left.map(|message| message.kind).collect()
    };
    let (text, _) = batch(&first.row, rest(&first), 2);
    expect![[r#"
        runs three for a
        to a/97: #3 = did three
        waiting 0
        state one two three, locked by a
    "#]]
    .assert_eq(&text);
    let (text, _) = batch(&row(None, None), vec![signal("one"), signal("two")], 0);
    assert!(
        text.starts_with("runs one for a client\nto") || text.starts_with("runs one for a client\nwaiting"),
        "{text}"
    );
}

#[test]
fn what_is_behind_a_full_batch_does_not_overtake() {
    let (text, _) = batch(&row(None, None), vec![signal("one"), signal("two"), lock("a", 1, &["x"], 0)], 1);
    expect![[r#"
        runs one for a client
        waiting 1 2, more to do
        state one
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_lock_keeps_the_others_waiting() {
    check(
        &row(Some("0"), None),
        vec![
            signal("before"),
            lock("a", 1, &["x"], 0),
            signal("outside"),
            call("b", 1, "other"),
            call("a", 2, "inside"),
            lock("b", 2, &["x"], 0),
        ],
        &expect![[r#"
            runs before for a client
            runs inside for a
            to a/97: #1 granted
            to a/97: #2 = did inside
            waiting 2 3 5
            state 0 before inside, locked by a
        "#]],
    );
}

#[test]
fn a_release_lets_the_oldest_go_first() {
    check(
        &row(Some("0"), Some(caller("a", 1))),
        vec![
            signal("first"),
            lock("b", 2, &["x"], 0),
            signal("second"),
            release("a", 1, &["x"], 0),
            call("b", 3, "inside"),
            release("b", 2, &["x"], 0),
            signal("third"),
        ],
        &expect![[r#"
            runs first for a client
            runs inside for b
            runs second for a client
            runs third for a client
            to b/98: #2 granted
            to b/98: #3 = did inside
            state 0 first inside second third
        "#]],
    );
}

#[test]
fn a_section_travels_through_its_entities() {
    let entities = ["w", "x", "y"];
    check(
        &row(None, None),
        vec![lock("a", 1, &entities, 1)],
        &expect![[r#"
        to @account@y: lock for a #1 at 2
        state none, locked by a
    "#]],
    );
    check(
        &row(None, Some(caller("a", 1))),
        vec![release("a", 1, &entities, 1)],
        &expect![[r#"
        to @account@y: release #1 at 2
        state none, removed
    "#]],
    );
    check(
        &row(None, None),
        vec![lock("a", 1, &entities, 2)],
        &expect![[r#"
        to a/97: #1 granted
        state none, locked by a
    "#]],
    );
    check(
        &row(None, Some(caller("a", 1))),
        vec![release("a", 1, &entities, 2)],
        &expect![[r#"
        state none, removed
    "#]],
    );
}

/// The owner ended before it got the lock.
#[test]
fn a_release_takes_back_the_request_that_waits() {
    check(
        &row(None, Some(caller("b", 7))),
        vec![lock("a", 1, &["x", "y"], 0), signal("waits"), release("a", 1, &["x", "y"], 0)],
        &expect![[r#"
            waiting 1
            state none, locked by b
        "#]],
    );
}

#[test]
fn a_request_and_its_release_in_one_batch_leave_nothing() {
    check(
        &row(None, None),
        vec![lock("a", 1, &["x", "y"], 0), release("a", 1, &["x", "y"], 0), signal("add")],
        &expect![[r#"
            runs add for a client
            to @account@y: lock for a #1 at 1
            to @account@y: release #1 at 1
            state add
        "#]],
    );
}

/// An entity that was purged while it was locked knows nothing of the section, but those behind it do.
#[test]
fn a_release_that_finds_nothing_goes_on() {
    check(
        &row(None, None),
        vec![release("a", 1, &["x", "y"], 0)],
        &expect![[r#"
        ignores EntityUnlockSent: NotLocked
        to @account@y: release #1 at 1
        state none, removed
    "#]],
    );
    check(
        &row(None, None),
        vec![release("a", 1, &["x", "y"], 1)],
        &expect![[r#"
        ignores EntityUnlockSent: NotLocked
        state none, removed
    "#]],
    );
    check(
        &row(None, Some(caller("a", 2))),
        vec![release("a", 1, &["x"], 0)],
        &expect![[r#"
        ignores EntityUnlockSent: NotLocked
        state none, locked by a
    "#]],
    );
}

#[test]
fn a_request_that_comes_twice_locks_once() {
    check(
        &row(None, None),
        vec![lock("a", 1, &["x"], 0), lock("a", 1, &["x"], 0)],
        &expect![[r#"
        ignores EntityLockRequested: LockedBefore
        to a/97: #1 granted
        state none, locked by a
    "#]],
    );
}

/// An owner is an execution, not an instance: what it sent before it continued as new is not part of the section.
#[test]
fn an_owner_is_one_execution() {
    let mut earlier = caller("a", 9);
    earlier.execution = ExecutionId::from_random(7);
    let of_earlier =
        MessageKind::EntityOperationCalled { caller: earlier, operation: "add".to_owned(), input: Json::null() };
    check(
        &row(None, Some(caller("a", 1))),
        vec![of_earlier, call("a", 2, "get")],
        &expect![[r#"
        runs get for a
        to a/97: #2 = did get
        waiting 0
        state get, locked by a
    "#]],
    );
}

#[test]
fn an_entity_without_state_is_gone() {
    check(
        &row(Some("0"), None),
        vec![signal("delete")],
        &expect![[r#"
        runs delete for a client
        state none, removed
    "#]],
    );
    check(
        &row(Some("0"), None),
        vec![signal("delete"), lock("a", 1, &["x"], 0)],
        &expect![[r#"
        runs delete for a client
        to a/97: #1 granted
        state none, locked by a
    "#]],
    );
    check(
        &row(None, Some(caller("a", 1))),
        vec![release("a", 1, &["x"], 0)],
        &expect![[r#"
        state none, removed
    "#]],
    );
    check(
        &row(None, Some(caller("a", 1))),
        vec![signal("add")],
        &expect![[r#"
        waiting 0
        state none, locked by a
    "#]],
    );
    let (text, checkpoint) = batch(&row(Some("0"), None), vec![signal("delete"), signal("add")], 1);
    expect![[r#"
        runs delete for a client
        waiting 1, more to do
        state none
    "#]]
    .assert_eq(&text);
    assert!(checkpoint.more && !checkpoint.remove, "what waits would be lost");
}

#[test]
fn the_last_operation_has_a_time() {
    let last = |kinds| batch(&row(Some("0"), None), kinds, 9).1.row.entity.unwrap().last_operation_at;
    assert_eq!(last(vec![signal("add")]), Some(at(5)));
    assert_eq!(last(vec![call("a", 1, "fail")]), Some(at(5)));
    assert_eq!(last(vec![lock("a", 1, &["x"], 0)]), None);
    assert_eq!(last(vec![]), None);
}

/// What settles a batch may come from a guest that counts wrong.
#[test]
fn results_that_do_not_fit_the_operations() {
    let row = row(Some("0"), None);
    let settled = |results: Vec<Result<Json, Failure>>| {
        let admission =
            admit_entity(&row, messages(vec![call("a", 1, "add"), lock("b", 2, &["x"], 0), call("b", 3, "get")]), 9);
        let outcome = EntityOutcome { results, ..EntityOutcome::unchanged(&row) };
        told(&settle_entity(&row, admission, outcome, at(5), &PresentApp::default()), 3)
    };
    expect![[r#"
        to a/97: #1 = 1
        to b/98: #2 granted
        to b/98: #3 ! InvalidEntityResult: the entity gave no result for the operation 'get'; it must give one for each operation of a batch, in order
        state 0, locked by b
    "#]].assert_eq(&settled(vec![Ok(Json::from("1"))]));
    expect![[r#"
        to a/97: #1 = 1
        to b/98: #2 granted
        to b/98: #3 = 2
        state 0, locked by b
    "#]]
    .assert_eq(&settled(vec![Ok(Json::from("1")), Ok(Json::from("2")), Ok(Json::from("3"))]));
}

#[test]
fn without_operations_an_outcome_says_nothing() {
    let row = row(Some("0"), None);
    let admission = admit_entity(&row, messages(vec![lock("a", 1, &["x"], 0)]), 9);
    let start = EntityAction::StartOrchestration {
        name: "Audit".to_owned(),
        input: Json::null(),
        instance_id: None,
        options: StartOptions::default(),
    };
    let outcome = EntityOutcome { state: None, results: vec![Ok(Json::null())], actions: vec![start] };
    let checkpoint = settle_entity(&row, admission, outcome, at(5), &PresentApp::default());
    expect![[r#"
        to a/97: #1 granted
        state 0, locked by a
    "#]]
    .assert_eq(&told(&checkpoint, 1));
}

#[test]
fn what_operations_want_done_goes_out_ahead_of_the_answers() {
    let row = row(Some("0"), None);
    let actions = || {
        let start = |id: Option<&str>, version: Option<&str>| EntityAction::StartOrchestration {
            name: "Audit".to_owned(),
            input: Json::null(),
            instance_id: id.map(|id| InstanceId::parse(id).unwrap()),
            options: StartOptions { version: version.map(str::to_owned), ..StartOptions::default() },
        };
        let signal = |deliver_at| EntityAction::Signal {
            entity: account("y"),
            operation: "notice".to_owned(),
            input: Json::null(),
            deliver_at,
        };
        vec![signal(None), signal(Some(at(60))), start(None, None), start(Some("audit"), Some("1.0"))]
    };
    let settled = |request: u32| {
        let admission = admit_entity(&row, messages(vec![signal("first"), call("a", request, "add")]), 9);
        let outcome = EntityOutcome { actions: actions(), ..guest(&row, &admission.operations) };
        let present = PresentApp { digest: Some("digest".to_owned()), default_version: Some("2.0".to_owned()) };
        settle_entity(&row, admission, outcome, at(5), &present)
    };
    let checkpoint = settled(1);
    expect![[r#"
        to @account@y: notice from @account@x by 4bccf53cd33e5096ba45103c4dbe04fa
        to @account@y: notice from @account@x by dc2ffb7078f3562cb7fa807558b618fa at 2024-01-01T00:01:00.0000000Z
        to a/97: #1 = did add
        starts Audit as 40dd7c7bc85c567fb85aac5e3b406c00 on Some("digest") Some("2.0") execution 864d9a03a6695c0f91dd0fd635e8f8e8
        starts Audit as audit on Some("digest") Some("1.0") execution 68a2422d92db5e75a482ab8368c8cf9f
        state 0 first add
    "#]].assert_eq(&told(&checkpoint, 2));
    assert_eq!(settled(1), checkpoint, "the same batch starts the same instances");
    let ids = |checkpoint: &Checkpoint| -> BTreeSet<String> {
        let executions = checkpoint.children.iter().map(|new| new.started.execution.to_string());
        let made = executions.chain([checkpoint.children[0].id.to_string()]);
        let requests = checkpoint.messages.iter().filter_map(|envelope| {
            if let MessageKind::EntityOperationSignaled { request, .. } = &envelope.kind {
                Some(request.clone())
            } else {
                None
            }
        });
        made.chain(requests).collect()
    };
    assert_eq!(ids(&checkpoint).len(), 5, "no id is used twice");
    assert!(ids(&checkpoint).is_disjoint(&ids(&settled(2))), "another request makes other ids");
}

#[test]
fn every_kind_in_every_state_of_an_entity() {
    let with_locks: Vec<MessageKind> = each_kind()
        .into_iter()
        .filter(|kind| {
            !kind.name().starts_with("EntityOperation")
                && !kind.name().starts_with("EntityLockR")
                && !kind.name().starts_with("EntityUnlock")
        })
        .chain([
            MessageKind::EntityOperationCompleted { scheduled: EventId(1), result: Json::null() },
            MessageKind::EntityOperationFailed { scheduled: EventId(1), failure: Failure::new("Flaky", "no luck") },
            MessageKind::ExecutionRewound { reason: "again".to_owned(), again: Vec::new() },
            call("a", 2, "add"),
            signal("add"),
            lock("a", 1, &["x"], 0),
            lock("a", 4, &["x"], 0),
            release("a", 1, &["x"], 0),
        ])
        .collect();
    let kinds: BTreeSet<&str> = with_locks.iter().map(MessageKind::name).collect();
    assert_eq!(kinds.len(), 19, "each kind is here: {kinds:?}");
    let states = [
        ("none", row(None, None)),
        ("with state", row(Some("0"), None)),
        ("locked by a", row(Some("0"), Some(caller("a", 1)))),
        ("locked by b", row(None, Some(caller("b", 1)))),
    ];
    let mut table = String::new();
    for (name, row) in &states {
        let mut outcomes: Vec<(String, BTreeSet<&str>)> = Vec::new();
        for kind in &with_locks {
            let (text, checkpoint) = batch(row, vec![kind.clone()], 9);
            let before = text.lines().next().unwrap_or_default().split_once(": ");
            let outcome = match (before, checkpoint.consumed.is_empty()) {
                (Some((ignored, why)), _) if ignored.starts_with("ignores") => why.to_owned(),
                (_, true) => "waits".to_owned(),
                (_, false) => "done".to_owned(),
            };
            match outcomes.iter_mut().find(|(other, _)| *other == outcome) {
                Some((_, kinds)) => drop(kinds.insert(kind.name())),
                None => outcomes.push((outcome, BTreeSet::from([kind.name()]))),
            }
        }
        writeln!(table, "{name}").unwrap();
        for (outcome, kinds) in outcomes {
            writeln!(table, "    {outcome:<12} {}", kinds.into_iter().collect::<Vec<_>>().join(" ")).unwrap();
        }
    }
    expect![[r#"
        none
            IsEntity     EntityLockGranted EntityOperationCompleted EntityOperationFailed EventRaised ExecutionResumed ExecutionRewound ExecutionStarted ExecutionSuspended ExecutionTerminated RewindRequested SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TaskCompleted TaskFailed TimerFired
            done         EntityLockRequested EntityOperationCalled EntityOperationSignaled
            NotLocked    EntityUnlockSent
        with state
            IsEntity     EntityLockGranted EntityOperationCompleted EntityOperationFailed EventRaised ExecutionResumed ExecutionRewound ExecutionStarted ExecutionSuspended ExecutionTerminated RewindRequested SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TaskCompleted TaskFailed TimerFired
            done         EntityLockRequested EntityOperationCalled EntityOperationSignaled
            NotLocked    EntityUnlockSent
        locked by a
            IsEntity     EntityLockGranted EntityOperationCompleted EntityOperationFailed EventRaised ExecutionResumed ExecutionRewound ExecutionStarted ExecutionSuspended ExecutionTerminated RewindRequested SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TaskCompleted TaskFailed TimerFired
            done         EntityOperationCalled EntityUnlockSent
            waits        EntityLockRequested EntityOperationSignaled
            LockedBefore EntityLockRequested
        locked by b
            IsEntity     EntityLockGranted EntityOperationCompleted EntityOperationFailed EventRaised ExecutionResumed ExecutionRewound ExecutionStarted ExecutionSuspended ExecutionTerminated RewindRequested SubOrchestrationInstanceCompleted SubOrchestrationInstanceFailed TaskCompleted TaskFailed TimerFired
            waits        EntityLockRequested EntityOperationCalled EntityOperationSignaled
            NotLocked    EntityUnlockSent
    "#]].assert_eq(&table);
}

#[test]
fn messages_of_another_execution_are_stale() {
    let row = row(Some("0"), None);
    let stale = |message: Message| Message { execution: Some(ExecutionId::from_random(7)), ..message };
    let admission = admit_entity(&row, messages(vec![signal("add")]).into_iter().map(stale).collect(), 9);
    assert_eq!((admission.operations.len(), admission.ignored[0].1), (0, crate::Ignored::StaleExecution));
}
