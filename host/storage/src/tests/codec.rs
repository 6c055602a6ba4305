//! The stored form as properties: everything reads back as it was written, and no bytes panic.

use crate::codec;
use orchestration::{
    ActivityTask, Caller, Continued, CriticalSection, EntityId, EntityLock, EntityRecord, Event, EventId, EventKind,
    ExecutionId, ExecutionStarted, Failure, InstanceId, InstanceRow, Json, Message, MessageKind, Origin, Parent,
    RaisedEvent, RuntimeStatus, Section, StartOptions, Tags, Timeouts, Timestamp, TurnRecord,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::time::Duration;
use storage_model::EdmValue;

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
    vec(link, 1..5).prop_filter_map("a failure", |links| {
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

fn tags() -> impl Strategy<Value = Tags> {
    proptest::collection::btree_map(any::<String>(), any::<String>(), 0..3)
}

fn options() -> impl Strategy<Value = StartOptions> {
    (any::<Option<String>>(), tags(), option::of(moment())).prop_map(|(version, tags, start_at)| StartOptions {
        version,
        tags,
        start_at,
    })
}

fn timeouts() -> impl Strategy<Value = Timeouts> {
    any::<(Option<Duration>, Option<Duration>)>().prop_map(|(run, heartbeat)| Timeouts { run, heartbeat })
}

fn entity() -> impl Strategy<Value = EntityId> {
    ("[a-z ]{1,9}", "[^/\\\\#?\\p{Cc}]{0,9}").prop_map(|(name, key)| EntityId::parse(&name, &key).unwrap())
}

fn entities() -> impl Strategy<Value = Vec<EntityId>> {
    vec(entity(), 0..4)
}

fn section() -> impl Strategy<Value = Section> {
    (execution(), event_id()).prop_map(|(execution, scheduled)| Section { execution, scheduled })
}

fn caller() -> impl Strategy<Value = Caller> {
    (instance_id(), execution(), event_id()).prop_map(|(instance, execution, scheduled)| Caller {
        instance,
        execution,
        scheduled,
    })
}

fn execution() -> impl Strategy<Value = ExecutionId> {
    any::<u128>().prop_map(ExecutionId::from_random)
}

fn started() -> impl Strategy<Value = ExecutionStarted> {
    let more = (options(), any::<u32>(), any::<Option<String>>(), vec(any::<String>(), 0..3));
    (any::<String>(), json(), execution(), option::of(parent()), more).prop_map(
        |(name, input, execution, parent, (options, depth, pinned_to, accepted_events))| ExecutionStarted {
            name,
            input,
            execution,
            parent,
            options,
            depth,
            pinned_to,
            accepted_events,
        },
    )
}

fn raised() -> impl Strategy<Value = RaisedEvent> {
    (any::<String>(), json(), any::<Option<String>>()).prop_map(|(name, input, id)| RaisedEvent { name, input, id })
}

/// Every kind of event is tried as often as any other.
fn event_kind() -> impl Strategy<Value = EventKind> {
    prop_oneof![orchestrations_own(), asked_for(), answers(), of_entities()]
}

fn orchestrations_own() -> impl Strategy<Value = EventKind> {
    let text = any::<String>;
    prop_oneof![
        Just(EventKind::OrchestratorStarted),
        Just(EventKind::OrchestratorCompleted),
        started().prop_map(|started| EventKind::ExecutionStarted(Box::new(started))),
        (status(), option::of(json()), option::of(failure()))
            .prop_map(|(status, output, failure)| EventKind::ExecutionCompleted { status, output, failure }),
        json().prop_map(|reason| EventKind::ExecutionTerminated { reason }),
        text().prop_map(|reason| EventKind::ExecutionSuspended { reason }),
        text().prop_map(|reason| EventKind::ExecutionResumed { reason }),
        text().prop_map(|reason| EventKind::ExecutionRewound { reason }),
        raised().prop_map(EventKind::EventRaised),
    ]
}

fn asked_for() -> impl Strategy<Value = EventKind> {
    let text = any::<String>;
    let retry_of = || option::of(event_id());
    prop_oneof![
        (event_id(), text(), json(), retry_of(), timeouts(), tags()).prop_map(
            |(id, name, input, retry_of, timeouts, tags)| {
                EventKind::TaskScheduled { id, name, input, retry_of, timeouts, tags }
            }
        ),
        (event_id(), text(), instance_id(), json(), retry_of(), any::<bool>(), options()).prop_map(
            |(id, name, instance_id, input, retry_of, detached, options)| {
                EventKind::SubOrchestrationInstanceCreated { id, name, instance_id, input, retry_of, detached, options }
            }
        ),
        (event_id(), moment(), retry_of()).prop_map(|(id, fire_at, retry_of)| EventKind::TimerCreated {
            id,
            fire_at,
            retry_of
        }),
        (event_id(), instance_id(), text(), json()).prop_map(|(id, instance_id, name, input)| EventKind::EventSent {
            id,
            instance_id,
            name,
            input
        }),
    ]
}

fn answers() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        (event_id(), json()).prop_map(|(scheduled, result)| EventKind::TaskCompleted { scheduled, result }),
        (event_id(), failure()).prop_map(|(scheduled, failure)| EventKind::TaskFailed { scheduled, failure }),
        (event_id(), json())
            .prop_map(|(scheduled, result)| { EventKind::SubOrchestrationInstanceCompleted { scheduled, result } }),
        (event_id(), failure())
            .prop_map(|(scheduled, failure)| { EventKind::SubOrchestrationInstanceFailed { scheduled, failure } }),
        (event_id(), moment()).prop_map(|(timer, fire_at)| EventKind::TimerFired { timer, fire_at }),
    ]
}

fn of_entities() -> impl Strategy<Value = EventKind> {
    let text = any::<String>;
    prop_oneof![
        (event_id(), entity(), text(), json()).prop_map(|(id, entity, operation, input)| {
            EventKind::EntityOperationCalled { id, entity, operation, input }
        }),
        (event_id(), entity(), text(), json(), option::of(moment())).prop_map(
            |(id, entity, operation, input, deliver_at)| {
                EventKind::EntityOperationSignaled { id, entity, operation, input, deliver_at }
            }
        ),
        (event_id(), json()).prop_map(|(scheduled, result)| EventKind::EntityOperationCompleted { scheduled, result }),
        (event_id(), failure())
            .prop_map(|(scheduled, failure)| EventKind::EntityOperationFailed { scheduled, failure }),
        (event_id(), entities()).prop_map(|(id, entities)| EventKind::EntityLockRequested { id, entities }),
        event_id().prop_map(|scheduled| EventKind::EntityLockGranted { scheduled }),
        (event_id(), event_id()).prop_map(|(id, section)| EventKind::EntityUnlockSent { id, section }),
    ]
}

fn message_kind() -> impl Strategy<Value = MessageKind> {
    prop_oneof![to_orchestrations(), answers_to_orchestrations(), to_entities()]
}

fn to_orchestrations() -> impl Strategy<Value = MessageKind> {
    let text = any::<String>;
    prop_oneof![
        (started(), vec(raised(), 0..3)).prop_map(|(started, carried_over)| {
            MessageKind::ExecutionStarted { started: Box::new(started), carried_over }
        }),
        raised().prop_map(MessageKind::EventRaised),
        (json(), any::<bool>(), option::of(execution())).prop_map(|(reason, recurse, by_parent)| {
            MessageKind::ExecutionTerminated { reason, recurse, by_parent }
        }),
        text().prop_map(|reason| MessageKind::ExecutionSuspended { reason }),
        text().prop_map(|reason| MessageKind::ExecutionResumed { reason }),
        (text(), option::of(parent()), any::<bool>())
            .prop_map(|(reason, parent, latest)| MessageKind::RewindRequested { reason, parent, latest }),
        (text(), vec(event_kind(), 0..4)).prop_map(|(reason, again)| MessageKind::ExecutionRewound { reason, again }),
    ]
}

fn answers_to_orchestrations() -> impl Strategy<Value = MessageKind> {
    prop_oneof![
        (event_id(), json()).prop_map(|(scheduled, result)| MessageKind::TaskCompleted { scheduled, result }),
        (event_id(), failure()).prop_map(|(scheduled, failure)| MessageKind::TaskFailed { scheduled, failure }),
        (event_id(), json())
            .prop_map(|(scheduled, result)| { MessageKind::SubOrchestrationInstanceCompleted { scheduled, result } }),
        (event_id(), failure())
            .prop_map(|(scheduled, failure)| { MessageKind::SubOrchestrationInstanceFailed { scheduled, failure } }),
        (event_id(), moment()).prop_map(|(timer, fire_at)| MessageKind::TimerFired { timer, fire_at }),
        (event_id(), json())
            .prop_map(|(scheduled, result)| MessageKind::EntityOperationCompleted { scheduled, result }),
        (event_id(), failure())
            .prop_map(|(scheduled, failure)| MessageKind::EntityOperationFailed { scheduled, failure }),
        event_id().prop_map(|scheduled| MessageKind::EntityLockGranted { scheduled }),
    ]
}

fn to_entities() -> impl Strategy<Value = MessageKind> {
    let text = any::<String>;
    prop_oneof![
        (caller(), text(), json())
            .prop_map(|(caller, operation, input)| { MessageKind::EntityOperationCalled { caller, operation, input } }),
        (option::of(instance_id()), text(), text(), json()).prop_map(|(sender, request, operation, input)| {
            MessageKind::EntityOperationSignaled { sender, request, operation, input }
        }),
        (caller(), entities(), any::<u32>()).prop_map(|(owner, entities, position)| MessageKind::EntityLockRequested {
            owner,
            entities,
            position
        }),
        (section(), entities(), any::<u32>()).prop_map(|(section, entities, position)| MessageKind::EntityUnlockSent {
            section,
            entities,
            position
        }),
    ]
}

fn entity_record() -> impl Strategy<Value = EntityRecord> {
    let lock = (instance_id(), section()).prop_map(|(owner, section)| EntityLock { owner, section });
    (option::of(json()), option::of(lock), option::of(moment()))
        .prop_map(|(state, lock, last_operation_at)| EntityRecord { state, lock, last_operation_at })
}

fn row() -> impl Strategy<Value = InstanceRow> {
    let section = (event_id(), entities()).prop_map(|(scheduled, entities)| CriticalSection { scheduled, entities });
    let continued = (moment(), any::<u32>()).prop_map(|(since, times)| Continued { since, times });
    (
        (execution(), any::<String>(), status(), moment(), moment(), option::of(moment())),
        (option::of(json()), option::of(json()), option::of(failure())),
        (option::of(parent()), any::<Option<String>>(), any::<u32>(), any::<u64>()),
        (options(), any::<Option<String>>(), option::of(section), continued, option::of(entity_record())),
    )
        .prop_map(|(first, (custom_status, output, failure), (parent, pinned_to, turns, events), more)| {
            let (execution, name, status, created_at, updated_at, completed_at) = first;
            let (options, idempotency_key, critical_section, continued, entity) = more;
            InstanceRow {
                id: InstanceId::from_stored("a"),
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
                pinned_to,
                options,
                idempotency_key,
                critical_section,
                continued,
                entity: entity.map(Box::new),
                turns,
                events,
            }
        })
}

fn activity() -> impl Strategy<Value = ActivityTask> {
    let more = (timeouts(), tags(), any::<String>(), any::<Option<String>>(), any::<Option<String>>());
    (any::<String>(), json(), any::<u32>(), more).prop_map(
        |(name, input, attempt, (timeouts, tags, caller, version, pinned_to))| ActivityTask {
            instance: InstanceId::from_stored("a"),
            execution: ExecutionId::from_random(1),
            id: EventId(2),
            name,
            input,
            attempt,
            timeouts,
            tags,
            caller,
            version,
            pinned_to,
        },
    )
}

proptest! {
    #[test]
    fn turns_read_back(kinds in vec((moment(), event_kind()), 0..20)) {
        let events: Vec<Event> = kinds.into_iter().map(|(at, kind)| Event { at, kind }).collect();
        let bytes = codec::encode_turn(&TurnRecord { turn: 3, events: events.clone() });
        prop_assert_eq!(codec::decode_turn(&bytes), Ok(events));
    }

    #[test]
    fn messages_read_back(
        execution in option::of(execution()),
        kind in message_kind(),
        at in option::of(moment()),
        sequence: u64,
    ) {
        let bytes = codec::encode_message(execution, &kind, at);
        let message = Message { origin: Origin::Inbox(sequence), execution, kind };
        prop_assert_eq!(codec::decode_message(sequence, &bytes), Ok((message, at)));
    }

    #[test]
    fn rows_read_back(row in row()) {
        prop_assert_eq!(codec::decode_row(row.id.clone(), &codec::encode_row(&row)), Ok(row));
    }

    #[test]
    fn the_rest_reads_back(task in activity(), input in json(), fire_at in moment(), number: u64) {
        let key = (task.instance.clone(), task.execution, task.id);
        let bytes = codec::encode_activity(&task);
        prop_assert_eq!(codec::decode_activity(key, &bytes), Ok(task));
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
        damage in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cut: proptest::sample::Index,
    ) {
        let turn = TurnRecord { turn: 0, events: vec![Event { at: Timestamp::MAX, kind: event }] };
        for record in [codec::encode_row(&row), codec::encode_turn(&turn), codec::encode_message(None, &message, None)] {
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
    drop(codec::decode_seed(bytes));
    drop(codec::decode_queue(bytes));
    drop(codec::decode_queued(bytes));
    drop(codec::decode_body(bytes));
    drop(codec::decode_table(bytes));
    drop(codec::decode_entity(super::user::key("a", "1"), bytes));
    drop(codec::decode_document("a", bytes));
}

fn edm_value() -> impl Strategy<Value = EdmValue> {
    prop_oneof![
        any::<String>().prop_map(EdmValue::String),
        any::<bool>().prop_map(EdmValue::Boolean),
        any::<i32>().prop_map(EdmValue::Int32),
        any::<i64>().prop_map(EdmValue::Int64),
        any::<f64>().prop_map(EdmValue::Double),
        any::<i64>().prop_map(EdmValue::DateTime),
        any::<u128>().prop_map(|bits| EdmValue::Guid(uuid::Uuid::from_u128(bits))),
        any::<Vec<u8>>().prop_map(EdmValue::Binary),
    ]
}

proptest! {
    #[test]
    fn entities_read_back(timestamp: i64, properties in vec((any::<String>(), edm_value()), 0..8), cut in 0_usize..200) {
        let key = super::user::key("a", "1");
        let bytes = codec::encode_entity(timestamp, &properties);
        let entity = storage_model::Entity { key: key.clone(), timestamp, properties };
        prop_assert_eq!(codec::decode_entity(key, &bytes), Ok(entity));
        decode_all(&bytes[..cut.min(bytes.len())]);
    }
}

#[test]
fn a_chain_of_causes_is_cut_not_refused() {
    let mut failure = Failure::new("E", "0");
    for n in 1..3000 {
        failure = Failure { cause: Some(Box::new(failure)), ..Failure::new("E", n.to_string()) };
    }
    let bytes = codec::encode_message(None, &MessageKind::TaskFailed { scheduled: EventId(1), failure }, None);
    let MessageKind::TaskFailed { failure, .. } = codec::decode_message(1, &bytes).unwrap().0.kind else {
        panic!("a failed task")
    };
    let links = std::iter::successors(Some(&failure), |failure| failure.cause.as_deref());
    assert_eq!((failure.message.as_str(), links.count()), ("2999", 1000));
}
