//! The stored form: everything reads back as it was written, everything that was ever written still reads, and no bytes
//! panic.

use crate::codec;
use expect_test::{Expect, expect};
use orchestration::{
    ActivityTask, Event, EventId, EventKind, ExecutionId, ExecutionStarted, Failure, InstanceId, InstanceRow, Json,
    Message, MessageKind, Origin, Parent, RaisedEvent, RuntimeStatus, Timestamp, TurnRecord,
};
use proptest::prelude::*;
use std::fmt::Debug;

fn json() -> impl Strategy<Value = Json> {
    any::<String>().prop_map(Json::from)
}

fn event_id() -> impl Strategy<Value = EventId> {
    any::<u32>().prop_map(EventId)
}

fn moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<i64>().prop_map(Timestamp::from_ticks), Just(Timestamp::MAX)]
}

fn instance_id() -> impl Strategy<Value = InstanceId> {
    any::<String>().prop_map(|text| InstanceId::from_stored(&text))
}

fn status() -> impl Strategy<Value = RuntimeStatus> {
    (0_u8..8).prop_filter_map("a status", RuntimeStatus::from_number)
}

fn failure() -> impl Strategy<Value = Failure> {
    let properties = proptest::collection::btree_map(any::<String>(), any::<String>(), 0..3);
    let link = (any::<(String, String, Option<String>, bool)>(), properties);
    proptest::collection::vec(link, 1..5).prop_filter_map("a failure", |links| {
        links.into_iter().fold(None, |cause, ((error_type, message, details, non_retriable), properties)| {
            Some(Failure { error_type, message, details, non_retriable, cause: cause.map(Box::new), properties })
        })
    })
}

fn parent() -> impl Strategy<Value = Parent> {
    (instance_id(), any::<u128>(), any::<String>(), event_id()).prop_map(|(instance, execution, name, scheduled)| {
        Parent { instance, execution: ExecutionId::from_random(execution), name, scheduled }
    })
}

fn started() -> impl Strategy<Value = ExecutionStarted> {
    (any::<String>(), json(), any::<u128>(), proptest::option::of(parent())).prop_map(
        |(name, input, execution, parent)| ExecutionStarted {
            name,
            input,
            execution: ExecutionId::from_random(execution),
            parent,
        },
    )
}

fn raised() -> impl Strategy<Value = RaisedEvent> {
    (any::<String>(), json()).prop_map(|(name, input)| RaisedEvent { name, input })
}

/// Every kind of event is tried as often as any other.
fn event_kind() -> impl Strategy<Value = EventKind> {
    let text = any::<String>;
    prop_oneof![
        Just(EventKind::OrchestratorStarted),
        Just(EventKind::OrchestratorCompleted),
        started().prop_map(|started| EventKind::ExecutionStarted(Box::new(started))),
        (status(), proptest::option::of(json()), proptest::option::of(failure()))
            .prop_map(|(status, output, failure)| EventKind::ExecutionCompleted { status, output, failure }),
        json().prop_map(|reason| EventKind::ExecutionTerminated { reason }),
        (event_id(), text(), json()).prop_map(|(id, name, input)| EventKind::TaskScheduled { id, name, input }),
        (event_id(), json()).prop_map(|(scheduled, result)| EventKind::TaskCompleted { scheduled, result }),
        (event_id(), failure()).prop_map(|(scheduled, failure)| EventKind::TaskFailed { scheduled, failure }),
        (event_id(), text(), instance_id(), json()).prop_map(|(id, name, instance_id, input)| {
            EventKind::SubOrchestrationInstanceCreated { id, name, instance_id, input }
        }),
        (event_id(), json())
            .prop_map(|(scheduled, result)| { EventKind::SubOrchestrationInstanceCompleted { scheduled, result } }),
        (event_id(), failure())
            .prop_map(|(scheduled, failure)| { EventKind::SubOrchestrationInstanceFailed { scheduled, failure } }),
        (event_id(), moment()).prop_map(|(id, fire_at)| EventKind::TimerCreated { id, fire_at }),
        (event_id(), moment()).prop_map(|(timer, fire_at)| EventKind::TimerFired { timer, fire_at }),
        raised().prop_map(EventKind::EventRaised),
    ]
}

fn message_kind() -> impl Strategy<Value = MessageKind> {
    prop_oneof![
        (started(), proptest::collection::vec(raised(), 0..3)).prop_map(|(started, carried_over)| {
            MessageKind::ExecutionStarted { started: Box::new(started), carried_over }
        }),
        (event_id(), json()).prop_map(|(scheduled, result)| MessageKind::TaskCompleted { scheduled, result }),
        (event_id(), failure()).prop_map(|(scheduled, failure)| MessageKind::TaskFailed { scheduled, failure }),
        (event_id(), json())
            .prop_map(|(scheduled, result)| { MessageKind::SubOrchestrationInstanceCompleted { scheduled, result } }),
        (event_id(), failure())
            .prop_map(|(scheduled, failure)| { MessageKind::SubOrchestrationInstanceFailed { scheduled, failure } }),
        (event_id(), moment()).prop_map(|(timer, fire_at)| MessageKind::TimerFired { timer, fire_at }),
        raised().prop_map(MessageKind::EventRaised),
        json().prop_map(|reason| MessageKind::ExecutionTerminated { reason }),
    ]
}

fn row() -> impl Strategy<Value = InstanceRow> {
    let option = proptest::option::of::<BoxedStrategy<Json>>;
    (
        (any::<u128>(), any::<String>(), status(), moment(), moment(), proptest::option::of(moment())),
        (option(json().boxed()), option(json().boxed()), proptest::option::of(failure())),
        (proptest::option::of(parent()), any::<Option<String>>(), any::<u32>(), any::<u64>()),
    )
        .prop_map(|(first, (custom_status, output, failure), (parent, component, turns, events))| {
            let (execution, name, status, created_at, updated_at, completed_at) = first;
            let (id, execution) = (InstanceId::from_stored("a"), ExecutionId::from_random(execution));
            InstanceRow {
                id,
                execution,
                name,
                status,
                created_at,
                updated_at,
                completed_at,
                custom_status,
                output,
                failure,
                parent,
                component,
                turns,
                events,
            }
        })
}

proptest! {
    #[test]
    fn turns_read_back(kinds in proptest::collection::vec((moment(), event_kind()), 0..20)) {
        let events: Vec<Event> = kinds.into_iter().map(|(at, kind)| Event { at, kind }).collect();
        let bytes = codec::encode_turn(&TurnRecord { turn: 3, events: events.clone() });
        prop_assert_eq!(codec::decode_turn(&bytes), Ok(events));
    }

    #[test]
    fn messages_read_back(execution: Option<u128>, kind in message_kind(), sequence: u64) {
        let execution = execution.map(ExecutionId::from_random);
        let bytes = codec::encode_message(execution, &kind);
        let message = Message { origin: Origin::Inbox(sequence), execution, kind };
        prop_assert_eq!(codec::decode_message(sequence, &bytes), Ok(message));
    }

    #[test]
    fn rows_read_back(row in row()) {
        prop_assert_eq!(codec::decode_row(row.id.clone(), &codec::encode_row(&row)), Ok(row));
    }

    #[test]
    fn the_rest_reads_back(text: String, input in json(), attempt: u32, fire_at in moment(), number: u64) {
        let (instance, execution, id) = (InstanceId::from_stored("a"), ExecutionId::from_random(1), EventId(2));
        let task = ActivityTask { instance: instance.clone(), execution, id, name: text, input: input.clone(), attempt };
        let bytes = codec::encode_activity(&task);
        prop_assert_eq!(codec::decode_activity((instance, execution, id), &bytes), Ok(task));
        prop_assert_eq!(codec::decode_input(&codec::encode_input(&input)), Ok(input));
        prop_assert_eq!(codec::decode_timer(&codec::encode_timer(fire_at)), Ok(fire_at));
        prop_assert_eq!(codec::decode_number(&codec::encode_number(number)), Ok(number));
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        decode_all(&bytes);
    }

    /// Bytes that were a record once come further than arbitrary ones.
    #[test]
    fn no_damaged_record_panics(
        row in row(),
        event in event_kind(),
        message in message_kind(),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cut: proptest::sample::Index,
    ) {
        let turn = TurnRecord { turn: 0, events: vec![Event { at: Timestamp::MAX, kind: event }] };
        for record in [codec::encode_row(&row), codec::encode_turn(&turn), codec::encode_message(None, &message)] {
            let mut damaged = record.clone();
            for (place, byte) in &damage {
                let place = place.index(damaged.len());
                damaged[place] = *byte;
            }
            decode_all(&damaged);
            decode_all(&record[..cut.index(record.len())]);
        }
    }
}

fn decode_all(bytes: &[u8]) {
    let id = InstanceId::from_stored("a");
    drop(codec::decode_row(id.clone(), bytes));
    drop(codec::decode_turn(bytes));
    drop(codec::decode_message(1, bytes));
    drop(codec::decode_activity((id, ExecutionId::from_random(1), EventId(1)), bytes));
    drop(codec::decode_input(bytes));
    drop(codec::decode_timer(bytes));
    drop(codec::decode_number(bytes));
}

#[test]
fn a_chain_of_causes_is_cut_not_refused() {
    let mut failure = Failure::new("E", "0");
    for n in 1..3000 {
        failure = Failure { cause: Some(Box::new(failure)), ..Failure::new("E", n.to_string()) };
    }
    let bytes = codec::encode_message(None, &MessageKind::TaskFailed { scheduled: EventId(1), failure });
    let MessageKind::TaskFailed { failure, .. } = codec::decode_message(1, &bytes).unwrap().kind else {
        panic!("a failed task")
    };
    let links = std::iter::successors(Some(&failure), |failure| failure.cause.as_deref());
    assert_eq!((failure.message.as_str(), links.count()), ("2999", 1000));
}

/// Writes a value today and compares the bytes with the recorded ones, which must go on reading.
///
/// A difference is a change of the format: old stores must still open. Add the new form, keep the old fixture.
fn check<T: PartialEq + Debug, E: Debug>(
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
    ExecutionStarted { name: "Hello".to_owned(), input: Json::from("[1]"), execution, parent: Some(parent) }
}

#[test]
fn format_1_of_rows() {
    let started = sample_started();
    let row = InstanceRow {
        id: InstanceId::from_stored("a"),
        execution: started.execution,
        name: started.name,
        status: RuntimeStatus::Failed,
        created_at: Timestamp::from_ticks(1),
        updated_at: Timestamp::from_ticks(2),
        completed_at: Some(Timestamp::from_ticks(3)),
        custom_status: Some(Json::from("\"half\"")),
        output: Some(Json::from("1")),
        failure: Some(sample_failure()),
        parent: started.parent,
        component: Some("sha".to_owned()),
        turns: 300,
        events: 4,
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
        EventKind::TaskScheduled { id: EventId(1), name: "Greet".to_owned(), input: Json::from("2") },
        EventKind::TaskCompleted { scheduled: EventId(1), result: Json::from("3") },
        EventKind::TaskFailed { scheduled: EventId(1), failure: Failure::new("E", "m") },
        EventKind::SubOrchestrationInstanceCreated {
            id: EventId(2),
            name: "Child".to_owned(),
            instance_id: InstanceId::from_stored("child"),
            input: Json::from("4"),
        },
        EventKind::SubOrchestrationInstanceCompleted { scheduled: EventId(2), result: Json::from("5") },
        EventKind::SubOrchestrationInstanceFailed { scheduled: EventId(2), failure: Failure::new("E", "m") },
        EventKind::TimerCreated { id: EventId(3), fire_at: Timestamp::MAX },
        EventKind::TimerFired { timer: EventId(3), fire_at: Timestamp::from_ticks(7) },
        EventKind::EventRaised(RaisedEvent { name: "go".to_owned(), input: Json::from("6") }),
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

/// One message of each kind, each with its own fixture.
#[test]
fn format_1_of_messages() {
    let raised = RaisedEvent { name: "go".to_owned(), input: Json::from("6") };
    let check_kind = |kind: MessageKind, expected: Expect| {
        let message = Message { origin: Origin::Inbox(1), execution: Some(ExecutionId::from_random(5)), kind };
        let encode = |message: &Message| codec::encode_message(message.execution, &message.kind);
        check(&message, encode, |bytes| codec::decode_message(1, bytes), &expected);
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
        MessageKind::ExecutionTerminated { reason: Json::from("\"enough\"") },
        expect!["0a091105000000000000004a0a0a0822656e6f75676822"],
    );
}

#[test]
fn format_1_of_the_rest() {
    let (instance, execution, id) = (InstanceId::from_stored("a"), ExecutionId::from_random(1), EventId(2));
    let key = (instance.clone(), execution, id);
    let (name, input) = ("Greet".to_owned(), Json::from("1"));
    let task = ActivityTask { instance, execution, id, name, input, attempt: 3 };
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
