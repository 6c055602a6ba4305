//! Turns of entities: batches, faults, renewal.

use super::clock::START;
use super::store::Done;
use super::world::{EXECUTION, World, after, id, turn};
use crate::Settings;
use orchestration::{
    Caller, Checkpoint, EntityId, EntityLock, EntityOutcome, EntityRecord, EventId, Failure, InstanceRow, Json,
    MessageKind, Section,
};
use ports::{EntityBatch, GuestFault, StoreError, TurnWork};
use std::sync::Arc;
use std::time::Duration;

fn caller() -> Caller {
    Caller { instance: id("trip"), execution: EXECUTION, scheduled: EventId(3) }
}

fn call(operation: &str) -> MessageKind {
    MessageKind::EntityOperationCalled { caller: caller(), operation: operation.to_owned(), input: Json::null() }
}

fn counter(state: &str) -> InstanceRow {
    let record = EntityRecord { state: Some(Json::from(state)), ..EntityRecord::default() };
    InstanceRow { entity: Some(Box::new(record)), ..InstanceRow::new_entity(id("@counter@a"), START) }
}

fn calls(operations: &[&str]) -> TurnWork {
    turn(counter("1"), operations.iter().map(|operation| call(operation)).collect())
}

/// Answers each operation with its name; the one named "bad" takes the whole batch with it.
fn operate(batch: &EntityBatch) -> Result<EntityOutcome, GuestFault> {
    if batch.operations.iter().any(|operation| operation.name == "bad") {
        return Err(GuestFault::Trapped { function: "Counter".to_owned(), message: "unreachable".to_owned() });
    }
    let results = batch.operations.iter().map(|operation| Ok(Json::from(operation.name.as_str()))).collect();
    Ok(EntityOutcome { state: Some(Json::from("2")), results, actions: Vec::new() })
}

fn world() -> World {
    World::with(|app| app.operate = Arc::new(operate), |settings| settings.entity_batch_size = 3)
}

fn answers(checkpoint: &Checkpoint) -> Vec<String> {
    let answer = |kind: &MessageKind| {
        if let MessageKind::EntityOperationCompleted { result, .. } = kind {
            return result.to_string();
        }
        let MessageKind::EntityOperationFailed { failure, .. } = kind else { panic!("{kind:?}") };
        failure.to_string()
    };
    checkpoint.messages.iter().map(|envelope| answer(&envelope.kind)).collect()
}

fn state(checkpoint: &Checkpoint) -> String {
    let record = checkpoint.row.entity.as_ref().expect("it is an entity");
    record.state.as_ref().map_or("none".to_owned(), Json::to_string)
}

#[test]
fn an_entity_gets_as_many_operations_as_a_batch_takes() {
    let world = world();
    let done = world.turn(calls(&["a", "b", "c", "d"]));
    let checkpoint = World::committed(&done);
    assert_eq!((answers(checkpoint), state(checkpoint).as_str()), (vec!["a".into(), "b".into(), "c".into()], "2"));
    assert!(checkpoint.more, "the fourth comes in the next batch");
    assert_eq!(*world.app.batches.lock().unwrap(), [["a", "b", "c"]]);
}

#[test]
fn a_fault_is_tried_again_one_operation_at_a_time() {
    let world = world();
    let pause = |times: u32| START.saturating_add(Settings::TURN_RETRY_PAUSE * times);
    assert_eq!(world.turn(calls(&["a", "bad", "c"])), [Done::Abandoned { not_before: pause(1) }]);
    let again = TurnWork { failed_attempts: 1, ..calls(&["a", "bad", "c"]) };
    assert_eq!(answers(World::committed(&world.turn(again))), ["a"]);
    let first_alone = TurnWork { failed_attempts: 1, ..calls(&["bad", "c"]) };
    assert_eq!(world.turn(first_alone), [Done::Abandoned { not_before: pause(2) }]);
}

#[test]
fn the_operations_of_a_broken_batch_are_run_one_by_one() {
    let world = world();
    assert!(matches!(world.turn(calls(&["a", "b", "bad", "c", "d"]))[..], [Done::Abandoned { .. }]));
    let rest = [(1, "a"), (0, "b"), (2, "bad")];
    for (place, (failed_attempts, operation)) in rest.into_iter().enumerate() {
        let waiting = &["a", "b", "bad", "c", "d"][place..];
        let done = world.turn(TurnWork { failed_attempts, ..calls(waiting) });
        assert_eq!(answers(World::committed(&done)).len(), 1);
        assert_eq!(world.app.batches.lock().unwrap().last(), Some(&vec![operation.to_owned()]));
    }
    let done = world.turn(calls(&["c", "d"]));
    assert_eq!(answers(World::committed(&done)), ["c", "d"], "the batch of three is done with");
}

#[test]
fn an_operation_that_always_traps_fails_alone() {
    let done = world().turn(TurnWork { failed_attempts: 2, ..calls(&["bad", "c"]) });
    let checkpoint = World::committed(&done);
    assert_eq!(answers(checkpoint), ["FunctionTrapped: function 'Counter' trapped: unreachable"]);
    assert_eq!((state(checkpoint).as_str(), checkpoint.more), ("1", true));
}

#[test]
fn a_batch_never_fails_as_a_whole() {
    let world = World::with(|app| app.operate = Arc::new(operate), |settings| settings.turn_attempts = 1);
    assert!(matches!(world.turn(calls(&["bad", "c"]))[..], [Done::Abandoned { .. }]));
    let done = world.turn(TurnWork { failed_attempts: 1, ..calls(&["bad", "c"]) });
    assert_eq!(answers(World::committed(&done)).len(), 1);
}

#[test]
fn an_operation_that_makes_too_much_of_it_fails_alone() {
    let world = World::with(|app| app.operate = Arc::new(operate), |settings| settings.limits.max_payload_bytes = 3);
    assert_eq!(answers(World::committed(&world.turn(calls(&["abc"])))), ["abc"]);
    let done = world.turn(TurnWork { failed_attempts: 2, ..calls(&["abcd", "c"]) });
    let checkpoint = World::committed(&done);
    let expected = "FunctionOutputTooLarge: function 'counter' returned 4 bytes where at most 3 are allowed; return less, or \
                    raise host.durableTask.maxPayloadBytes";
    assert_eq!((answers(checkpoint), state(checkpoint).as_str()), (vec![expected.to_owned()], "1"));
}

#[test]
fn operations_of_an_entity_that_is_not_there_fail_at_once() {
    let fault = GuestFault::NotFound { kind: "entity", name: "counter".to_owned(), known: vec!["Other".to_owned()] };
    let world = World::with(|app| app.operate = Arc::new(move |_| Err(fault.clone())), |_| {});
    let done = world.turn(calls(&["a", "b"]));
    let expected = "EntityTaskNotFound: there is no entity named 'counter'; the app has: Other";
    assert_eq!(answers(World::committed(&done)), [expected, expected]);
}

#[test]
fn a_host_without_room_fails_no_operation() {
    let fault = GuestFault::Unavailable { function: "Counter".to_owned(), message: "no place".to_owned() };
    let world = World::with(|app| app.operate = Arc::new(move |_| Err(fault.clone())), |_| {});
    let done = world.turn(TurnWork { failed_attempts: 99, ..calls(&["a"]) });
    assert!(matches!(done[..], [Done::Abandoned { .. }]));
}

#[test]
fn a_release_runs_no_guest() {
    let world = World::new();
    let section = Section { execution: EXECUTION, scheduled: EventId(3) };
    let mut row = counter("1");
    row.entity.as_mut().expect("it is an entity").lock = Some(EntityLock { owner: id("trip"), section });
    let entities = EntityId::of_instance(&row.id).into_iter().collect();
    let done = world.turn(turn(row, vec![MessageKind::EntityUnlockSent { section, entities, position: 0 }]));
    let record = World::committed(&done).row.entity.as_ref().expect("it is an entity");
    assert_eq!((record.lock.as_ref(), record.state.as_ref()), (None, Some(&Json::from("1"))));
    assert!(world.app.batches.lock().unwrap().is_empty());
}

#[test]
fn the_lease_is_kept_while_a_batch_runs() {
    let long = |app: &mut super::world::App| {
        app.operate = Arc::new(operate);
        app.takes = Duration::from_secs(70);
    };
    let done = World::with(long, |_| {}).turn(calls(&["a"]));
    assert_eq!(done[..2], [Done::Renewed { at: after(30) }, Done::Renewed { at: after(60) }]);
    World::committed(&done);

    let world = World::with(long, |_| {});
    *world.store.renewal.lock().unwrap() = Err(StoreError::LeaseLost { what: "it".to_owned() });
    let done = world.turn(calls(&["a"]));
    assert!(matches!(done[..], [Done::Renewed { .. }, Done::Abandoned { .. }]), "nothing is committed: {done:?}");
}

#[test]
fn a_signal_that_fails_is_answered_to_nobody() {
    let failing = |batch: &EntityBatch| {
        let results = batch.operations.iter().map(|_| Err(Failure::new("E", "no"))).collect();
        Ok(EntityOutcome { state: batch.state.clone(), results, actions: Vec::new() })
    };
    let world = World::with(|app| app.operate = Arc::new(failing), |_| {});
    let (request, operation) = ("r".to_owned(), "a".to_owned());
    let signal = MessageKind::EntityOperationSignaled { sender: None, request, operation, input: Json::null() };
    let done = world.turn(turn(counter("1"), vec![signal]));
    assert_eq!((World::committed(&done).messages.len(), World::committed(&done).consumed.len()), (0, 1));
}
