//! The stored form byte by byte: everything that was ever written still reads. Format 1 is that of hosts without entities;
//! format 2 only adds to it. Format 3 is next door.

use crate::codec;
use expect_test::{Expect, expect};
use orchestration::{
    ActivityTask, Caller, Continued, CriticalSection, EntityId, EntityLock, EntityRecord, Event, EventId, EventKind,
    ExecutionId, ExecutionStarted, Failure, InstanceId, InstanceRow, Json, Message, MessageKind, Origin, Parent,
    RaisedEvent, RuntimeStatus, Section, StartOptions, Tags, Timeouts, Timestamp, TurnRecord,
};
use std::fmt::Debug;
use std::time::Duration;

/// Writes a value today and compares the bytes with the recorded ones, which must go on reading.
///
/// A difference is a change of the format: old stores must still open. Add the new form, keep the old fixture.
pub(super) fn check<T: PartialEq + Debug, E: Debug>(
    value: &T,
    encode: impl Fn(&T) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<T, E>,
    expected: &Expect,
) {
    let line = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let text: Vec<String> = encode(value).chunks(50).map(line).collect();
    expected.assert_eq(&text.join("\n"));
    let data: String = expected.data().split_whitespace().collect();
    let bytes: Vec<u8> =
        (0..data.len() / 2).map(|n| u8::from_str_radix(&data[2 * n..2 * n + 2], 16).unwrap()).collect();
    assert_eq!(decode(&bytes).unwrap(), *value);
}

fn sample_failure() -> Failure {
    let mut failure = Failure::new("Outer", "it broke").non_retriable().with_details("at line 1");
    failure.properties.insert("key".to_owned(), "value".to_owned());
    failure.cause = Some(Box::new(Failure::new("Inner", "because")));
    failure
}

fn sample_started() -> ExecutionStarted {
    let parent = Parent {
        instance: InstanceId::from_stored("mother"),
        execution: ExecutionId::from_random(0xabc),
        name: "Mother".to_owned(),
        scheduled: EventId(9),
    };
    let execution = ExecutionId::from_random(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
    ExecutionStarted { parent: Some(parent), ..ExecutionStarted::new("Hello", Json::from("[1]"), execution) }
}

#[test]
fn format_1_of_rows() {
    let started = sample_started();
    let id = InstanceId::from_stored("a");
    let row = InstanceRow {
        status: RuntimeStatus::Failed,
        updated_at: Timestamp::from_ticks(2),
        completed_at: Some(Timestamp::from_ticks(3)),
        custom_status: Some(Json::from("\"half\"")),
        output: Some(Json::from("1")),
        failure: Some(sample_failure()),
        parent: started.parent,
        pinned_to: Some("sha".to_owned()),
        turns: 300,
        events: 4,
        ..InstanceRow::new(id, started.execution, started.name, Timestamp::from_ticks(1))
    };
    check(
        &row,
        codec::encode_row,
        |bytes| codec::decode_row(InstanceId::from_stored("a"), bytes),
        &expect![[r#"
        0a1209efcdab8967452301117766554433221100120548656c6c6f1803210100000000000000290200000000000000310300
        0000000000003a062268616c66224201314a400a2c0a054f75746572120869742062726f6b651a096174206c696e65203120
        012a0c0a036b6579120576616c75650a100a05496e6e6572120762656361757365521d0a066d6f74686572120911bc0a0000
        000000001a064d6f7468657220095a0373686160ac026804"#]],
    );
}

#[test]
fn format_1_of_history() {
    let kinds = [
        EventKind::OrchestratorStarted,
        EventKind::OrchestratorCompleted,
        EventKind::ExecutionStarted(Box::new(sample_started())),
        EventKind::ExecutionCompleted {
            status: RuntimeStatus::Completed,
            output: Some(Json::from("1")),
            failure: Some(sample_failure()),
        },
        EventKind::ExecutionTerminated { reason: Json::from("1") },
        EventKind::TaskScheduled {
            id: EventId(1),
            name: "Greet".to_owned(),
            input: Json::from("2"),
            retry_of: None,
            timeouts: Timeouts::default(),
            tags: Tags::new(),
        },
        EventKind::TaskCompleted { scheduled: EventId(1), result: Json::from("3") },
        EventKind::TaskFailed { scheduled: EventId(1), failure: Failure::new("E", "m") },
        EventKind::SubOrchestrationInstanceCreated {
            id: EventId(2),
            name: "Child".to_owned(),
            instance_id: InstanceId::from_stored("child"),
            input: Json::from("4"),
            retry_of: None,
            detached: false,
            options: StartOptions::default(),
        },
        EventKind::SubOrchestrationInstanceCompleted { scheduled: EventId(2), result: Json::from("5") },
        EventKind::SubOrchestrationInstanceFailed { scheduled: EventId(2), failure: Failure::new("E", "m") },
        EventKind::TimerCreated { id: EventId(3), fire_at: Timestamp::MAX, retry_of: None },
        EventKind::TimerFired { timer: EventId(3), fire_at: Timestamp::from_ticks(7) },
        EventKind::EventRaised(RaisedEvent { name: "go".to_owned(), input: Json::from("6"), id: None }),
    ];
    let events: Vec<Event> = kinds.into_iter().map(|kind| Event { at: Timestamp::from_ticks(5), kind }).collect();
    let encode = |events: &Vec<Event>| codec::encode_turn(&TurnRecord { turn: 0, events: events.clone() });
    check(
        &events,
        encode,
        codec::decode_turn,
        &expect![[r#"
        0a0b09050000000000000012000a0b0905000000000000001a000a4a090500000000000000223f0a0548656c6c6f12035b31
        5d1a1209efcdab8967452301117766554433221100221d0a066d6f74686572120911bc0a0000000000001a064d6f74686572
        20090a520905000000000000002a4708011201311a400a2c0a054f75746572120869742062726f6b651a096174206c696e65
        203120012a0c0a036b6579120576616c75650a100a05496e6e65721207626563617573650a0e09050000000000000032030a
        01310a170905000000000000003a0c0801120547726565741a01320a10090500000000000000420508011201330a17090500
        0000000000004a0c080112080a060a014512016d0a1e0905000000000000005213080212054368696c641a01342205636869
        6c640a100905000000000000005a0508021201350a17090500000000000000620c080212080a060a014512016d0a16090500
        0000000000006a0b080311ffffffffffffff7f0a16090500000000000000720b08031107000000000000000a120905000000
        000000007a070a02676f120136"#]],
    );
}

fn check_message(kind: MessageKind, deliver_at: Option<Timestamp>, expected: &Expect) {
    let message = Message { origin: Origin::Inbox(1), execution: Some(ExecutionId::from_random(5)), kind };
    check(
        &(message, deliver_at),
        |(message, at)| codec::encode_message(message.execution, &message.kind, *at),
        |bytes| codec::decode_message(1, bytes),
        expected,
    );
}

/// One message of each kind, each with its own fixture.
#[test]
fn format_1_of_messages() {
    let raised = RaisedEvent { name: "go".to_owned(), input: Json::from("6"), id: None };
    let check_kind = |kind: MessageKind, expected: Expect| {
        check_message(kind, None, &expected);
    };
    let started = Box::new(sample_started());
    check_kind(
        MessageKind::ExecutionStarted { started, carried_over: vec![raised.clone()] },
        expect![[r#"
        0a09110500000000000000124a0a3f0a0548656c6c6f12035b315d1a1209efcdab8967452301117766554433221100221d0a
        066d6f74686572120911bc0a0000000000001a064d6f74686572200912070a02676f120136"#]],
    );
    check_kind(
        MessageKind::TaskCompleted { scheduled: EventId(1), result: Json::from("1") },
        expect!["0a091105000000000000001a050801120131"],
    );
    check_kind(
        MessageKind::TaskFailed { scheduled: EventId(1), failure: sample_failure() },
        expect![[r#"
        0a091105000000000000002244080112400a2c0a054f75746572120869742062726f6b651a096174206c696e65203120012a
        0c0a036b6579120576616c75650a100a05496e6e6572120762656361757365"#]],
    );
    let result = Json::from("1");
    check_kind(
        MessageKind::SubOrchestrationInstanceCompleted { scheduled: EventId(1), result },
        expect!["0a091105000000000000002a050801120131"],
    );
    let failure = Failure::new("E", "m");
    check_kind(
        MessageKind::SubOrchestrationInstanceFailed { scheduled: EventId(1), failure },
        expect!["0a09110500000000000000320c080112080a060a014512016d"],
    );
    check_kind(
        MessageKind::TimerFired { timer: EventId(1), fire_at: Timestamp::from_ticks(7) },
        expect!["0a091105000000000000003a0b0801110700000000000000"],
    );
    check_kind(MessageKind::EventRaised(raised), expect!["0a0911050000000000000042070a02676f120136"]);
    check_kind(
        MessageKind::ExecutionTerminated { reason: Json::from("\"enough\""), recurse: false, by_parent: None },
        expect!["0a091105000000000000004a0a0a0822656e6f75676822"],
    );
}

#[test]
fn format_1_of_the_rest() {
    let (instance, execution, id) = (InstanceId::from_stored("a"), ExecutionId::from_random(1), EventId(2));
    let key = (instance.clone(), execution, id);
    let task = ActivityTask {
        instance,
        execution,
        id,
        name: "Greet".to_owned(),
        input: Json::from("1"),
        attempt: 3,
        timeouts: Timeouts::default(),
        tags: Tags::new(),
        caller: String::new(),
        version: None,
        pinned_to: None,
    };
    check(
        &task,
        codec::encode_activity,
        |bytes| codec::decode_activity(key.clone(), bytes),
        &expect!["0a0547726565741201311803"],
    );
    check(&Json::from("{}"), codec::encode_input, codec::decode_input, &expect!["0a027b7d"]);
    check(
        &Timestamp::from_ticks(7),
        |at| codec::encode_timer(*at),
        codec::decode_timer,
        &expect!["090700000000000000"],
    );
    check(&300, |number| codec::encode_number(*number), codec::decode_number, &expect!["08ac02"]);
}

fn tags() -> Tags {
    Tags::from([("team".to_owned(), "blue".to_owned())])
}

fn options() -> StartOptions {
    StartOptions { version: Some("2.0".to_owned()), tags: tags(), start_at: Some(Timestamp::from_ticks(9)) }
}

fn timeouts() -> Timeouts {
    Timeouts { run: Some(Duration::new(3, 500)), heartbeat: Some(Duration::ZERO) }
}

fn section() -> Section {
    Section { execution: ExecutionId::from_random(5), scheduled: EventId(2) }
}

fn entities() -> Vec<EntityId> {
    [("account", "1"), ("account", "2@3")].map(|(name, key)| EntityId::parse(name, key).unwrap()).into()
}

fn caller() -> Caller {
    Caller { instance: InstanceId::from_stored("a"), execution: ExecutionId::from_random(5), scheduled: EventId(2) }
}

#[test]
fn format_2_of_rows() {
    let check_row = |row: InstanceRow, expected: Expect| {
        check(&row, codec::encode_row, |bytes| codec::decode_row(row.id.clone(), bytes), &expected);
    };
    let new = InstanceRow::new(
        InstanceId::from_stored("a"),
        ExecutionId::from_random(5),
        "Hello".to_owned(),
        Timestamp::from_ticks(1),
    );
    check_row(
        InstanceRow {
            options: options(),
            idempotency_key: Some("key".to_owned()),
            critical_section: Some(CriticalSection { scheduled: EventId(2), entities: entities() }),
            continued: Continued { since: Timestamp::from_ticks(4), times: 3 },
            ..new
        },
        expect![[r#"
            0a09110500000000000000120548656c6c6f1806210100000000000000290100000000000000721c0a03322e30120c0a0474
            65616d1204626c75651909000000000000007a036b657982011c0802120a406163636f756e744031120c406163636f756e74
            403240338a010b0904000000000000001003"#]],
    );
    let entity = EntityRecord {
        state: Some(Json::from("7")),
        lock: Some(EntityLock { owner: InstanceId::from_stored("a"), section: section() }),
        last_operation_at: Some(Timestamp::from_ticks(6)),
    };
    let at = Timestamp::from_ticks(1);
    let row = InstanceRow::new_entity(entities()[0].instance_id(), at);
    check_row(row.clone(), expect!["0a0012076163636f756e74210100000000000000290100000000000000920100"]);
    check_row(
        InstanceRow { entity: Some(Box::new(entity)), ..row },
        expect![[r#"
        0a0012076163636f756e742101000000000000002901000000000000009201200a013712120a0161120d0a09110500000000
        0000001002190600000000000000"#]],
    );
}

fn kinds_of_entities() -> [EventKind; 7] {
    let (entity, input, operation) = (entities().remove(0), Json::from("2"), "add".to_owned());
    [
        EventKind::EntityOperationCalled {
            id: EventId(5),
            entity: entity.clone(),
            operation: operation.clone(),
            input: input.clone(),
        },
        EventKind::EntityOperationSignaled {
            id: EventId(6),
            entity,
            operation,
            input: input.clone(),
            deliver_at: Some(Timestamp::from_ticks(8)),
        },
        EventKind::EntityOperationCompleted { scheduled: EventId(5), result: input },
        EventKind::EntityOperationFailed { scheduled: EventId(5), failure: Failure::new("E", "m") },
        EventKind::EntityLockRequested { id: EventId(7), entities: entities() },
        EventKind::EntityLockGranted { scheduled: EventId(7) },
        EventKind::EntityUnlockSent { id: EventId(8), section: EventId(7) },
    ]
}

#[test]
fn format_2_of_history() {
    let started = ExecutionStarted {
        options: options(),
        depth: 2,
        pinned_to: Some("app".to_owned()),
        accepted_events: vec!["e1".to_owned(), "e2".to_owned()],
        ..ExecutionStarted::new("Hello", Json::from("1"), ExecutionId::from_random(5))
    };
    let retry_of = Some(EventId(0));
    let (name, input, reason) = ("Greet".to_owned(), Json::from("2"), "why".to_owned());
    let to = InstanceId::from_stored("b");
    let kinds = [
        EventKind::ExecutionStarted(Box::new(started)),
        EventKind::ExecutionSuspended { reason: reason.clone() },
        EventKind::ExecutionResumed { reason: reason.clone() },
        EventKind::ExecutionRewound { reason },
        EventKind::TaskScheduled {
            id: EventId(1),
            name: name.clone(),
            input: input.clone(),
            retry_of,
            timeouts: timeouts(),
            tags: tags(),
        },
        EventKind::SubOrchestrationInstanceCreated {
            id: EventId(2),
            name: name.clone(),
            instance_id: to.clone(),
            input: input.clone(),
            retry_of,
            detached: true,
            options: options(),
        },
        EventKind::TimerCreated { id: EventId(3), fire_at: Timestamp::from_ticks(7), retry_of },
        EventKind::EventRaised(RaisedEvent { name: name.clone(), input: input.clone(), id: Some("e".to_owned()) }),
        EventKind::EventSent { id: EventId(4), instance_id: to, name, input },
    ];
    let kinds = kinds.into_iter().chain(kinds_of_entities());
    let events: Vec<Event> = kinds.map(|kind| Event { at: Timestamp::from_ticks(5), kind }).collect();
    let encode = |events: &Vec<Event>| codec::encode_turn(&TurnRecord { turn: 0, events: events.clone() });
    check(
        &events,
        encode,
        codec::decode_turn,
        &expect![[r#"
        0a4d09050000000000000022420a0548656c6c6f1201311a091105000000000000002a1c0a03322e30120c0a047465616d12
        04626c756519090000000000000030023a0361707042026531420265320a110905000000000000008201050a037768790a11
        0905000000000000008a01050a037768790a110905000000000000009201050a037768790a320905000000000000003a2708
        01120547726565741a0132280032090a05080310f40312003a0c0a047465616d1204626c75650a3c09050000000000000052
        310802120547726565741a0132220162280040014a1c0a03322e30120c0a047465616d1204626c7565190900000000000000
        0a180905000000000000006a0d080311070000000000000018000a180905000000000000007a0d0a0547726565741201321a
        01650a1b0905000000000000009a010f08041201621a0547726565742201320a22090500000000000000a201160805120a40
        6163636f756e7440311a036164642201320a2b090500000000000000aa011f0806120a406163636f756e7440311a03616464
        2201322908000000000000000a11090500000000000000b2010508051201320a18090500000000000000ba010c080512080a
        060a014512016d0a28090500000000000000c2011c0807120a406163636f756e744031120c406163636f756e74403240330a
        0e090500000000000000ca010208070a10090500000000000000d2010408081007"#]],
    );
}

#[test]
fn format_2_of_messages_to_orchestrations() {
    let check_kind = |kind: MessageKind, expected: Expect| check_message(kind, None, &expected);
    let reason = || "why".to_owned();
    let execution = Some(ExecutionId::from_random(6));
    check_kind(
        MessageKind::ExecutionTerminated { reason: Json::from("1"), recurse: true, by_parent: execution },
        expect!["0a091105000000000000004a100a013110011a09110600000000000000"],
    );
    check_kind(MessageKind::ExecutionSuspended { reason: reason() }, expect!["0a091105000000000000005a050a03776879"]);
    check_kind(MessageKind::ExecutionResumed { reason: reason() }, expect!["0a0911050000000000000062050a03776879"]);
    let parent = sample_started().parent;
    check_kind(
        MessageKind::RewindRequested { reason: reason(), parent, latest: true },
        expect![[r#"
        0a091105000000000000006a260a03776879121d0a066d6f74686572120911bc0a0000000000001a064d6f74686572200918
        01"#]],
    );
    let again = vec![EventKind::TimerFired { timer: EventId(1), fire_at: Timestamp::from_ticks(7) }];
    check_kind(
        MessageKind::ExecutionRewound { reason: reason(), again },
        expect!["0a0911050000000000000072140a03776879120d720b0801110700000000000000"],
    );
    let result = Json::from("1");
    check_kind(
        MessageKind::EntityOperationCompleted { scheduled: EventId(1), result },
        expect!["0a091105000000000000009a01050801120131"],
    );
    let failure = Failure::new("E", "m");
    check_kind(
        MessageKind::EntityOperationFailed { scheduled: EventId(1), failure },
        expect!["0a09110500000000000000a2010c080112080a060a014512016d"],
    );
    check_kind(MessageKind::EntityLockGranted { scheduled: EventId(1) }, expect!["0a09110500000000000000aa01020801"]);
}

#[test]
fn format_2_of_messages_to_entities() {
    let check_kind = |kind: MessageKind, expected: Expect| {
        check_message(kind, Some(Timestamp::from_ticks(9)), &expected);
    };
    let (operation, input) = ("add".to_owned(), Json::from("1"));
    check_kind(
        MessageKind::EntityOperationCalled { caller: caller(), operation: operation.clone(), input: input.clone() },
        expect!["0a091105000000000000007a1a0a100a01611209110500000000000000180212036164641a0131510900000000000000"],
    );
    let (sender, request) = (Some(InstanceId::from_stored("b")), "r".to_owned());
    check_kind(
        MessageKind::EntityOperationSignaled { sender, request, operation, input },
        expect!["0a0911050000000000000082010e0a01621201721a03616464220131510900000000000000"],
    );
    check_kind(
        MessageKind::EntityLockRequested { owner: caller(), entities: entities(), position: 1 },
        expect![[r#"
        0a091105000000000000008a012e0a100a016112091105000000000000001802120a406163636f756e744031120c40616363
        6f756e74403240331801510900000000000000"#]],
    );
    check_kind(
        MessageKind::EntityUnlockSent { section: section(), entities: entities(), position: 1 },
        expect![[r#"
        0a0911050000000000000092012b0a0d0a091105000000000000001002120a406163636f756e744031120c406163636f756e
        74403240331801510900000000000000"#]],
    );
}

#[test]
fn format_2_of_activities() {
    let (instance, execution, id) = (InstanceId::from_stored("a"), ExecutionId::from_random(1), EventId(2));
    let task = ActivityTask {
        instance: instance.clone(),
        execution,
        id,
        name: "Greet".to_owned(),
        input: Json::from("1"),
        attempt: 3,
        timeouts: timeouts(),
        tags: tags(),
        caller: "Hello".to_owned(),
        version: Some("2.0".to_owned()),
        pinned_to: Some("app".to_owned()),
    };
    let decode = |bytes: &[u8]| codec::decode_activity((instance.clone(), execution, id), bytes);
    check(
        &task,
        codec::encode_activity,
        decode,
        &expect![[r#"
        0a054772656574120131180322090a05080310f40312002a0c0a047465616d1204626c7565320548656c6c6f3a03322e3042
        03617070"#]],
    );
}
