//! The client: steering, waiting, listing, purging; entities.

use super::clock::START;
use super::store::Done;
use super::world::{Caller, EXECUTION, after, id, row};
use orchestration::{
    EntityId, EntityLock, EntityRecord, Envelope, EventId, ExecutionId, InstanceRow, Json, MessageKind, RaisedEvent,
    RuntimeStatus, Section, Timestamp,
};
use ports::{ClientError, EntityQuery, InstanceQuery, Pending, Purge, PurgeFilter, RewindTo};
use std::time::Duration;

fn trip(status: RuntimeStatus) -> Caller {
    let caller = Caller::new();
    caller.store.put(InstanceRow { status, ..row(1) });
    caller
}

/// The message that was sent by the last call.
fn sent(caller: &Caller) -> Envelope {
    let mut done = caller.store.done();
    let Some(Done::Sent(envelope)) = done.pop() else { panic!("{done:?}") };
    assert_eq!(done, []);
    *envelope
}

fn event(name: &str, id: Option<&str>) -> RaisedEvent {
    RaisedEvent { name: name.to_owned(), input: Json::null(), id: id.map(str::to_owned) }
}

fn gone(status: RuntimeStatus) -> ClientError {
    ClientError::Gone { id: "trip".to_owned(), status }
}

fn ended() -> impl Iterator<Item = RuntimeStatus> {
    RuntimeStatus::ALL.into_iter().filter(|status| status.is_terminal())
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Raise,
    Terminate,
    Suspend,
    Resume,
    Rewind,
}

const CALLS: [Call; 5] = [Call::Raise, Call::Terminate, Call::Suspend, Call::Resume, Call::Rewind];

fn call(caller: &Caller, call: Call, id: &'static str) -> Result<(), ClientError> {
    let reason = || "why".to_owned();
    caller.run(|client| async move {
        match call {
            Call::Raise => client.raise_event(id, event("go", None)).await,
            Call::Terminate => client.terminate(id, Json::from("\"why\""), true).await,
            Call::Suspend => client.suspend(id, reason()).await,
            Call::Resume => client.resume(id, reason()).await,
            Call::Rewind => client.rewind(id, reason(), RewindTo::SameApp).await,
        }
    })
}

#[test]
fn what_is_not_there_cannot_be_steered() {
    for what in CALLS {
        let caller = Caller::new();
        assert_eq!(call(&caller, what, "trip"), Err(ClientError::NotFound("trip".to_owned())), "{what:?}");
    }
}

#[test]
fn entities_are_no_orchestrations() {
    let caller = Caller::new();
    caller.store.put(InstanceRow::new_entity(id("@counter@a"), START));
    for what in CALLS {
        let Err(ClientError::Invalid(why)) = call(&caller, what, "@counter@a") else { panic!("{what:?}") };
        assert_eq!(
            why,
            "'@counter@a' is the id of the entity 'counter' with the key 'a', not of an orchestration; entities are signaled, \
             read and listed by their own operations"
        );
    }
    let answer = caller.run(|client| async move { client.wait("@counter@a", Duration::ZERO).await });
    assert!(matches!(answer, Err(ClientError::Invalid(_))));
    let answer = caller.run(|client| async move { client.restart("@x", true).await });
    assert!(matches!(answer, Err(ClientError::Invalid(_))));
    assert_eq!(caller.store.done(), []);
}

#[test]
fn what_has_ended_takes_nothing_but_a_rewind_of_its_failure() {
    for status in ended() {
        for what in [Call::Raise, Call::Terminate, Call::Suspend, Call::Resume] {
            assert_eq!(call(&trip(status), what, "trip"), Err(gone(status)), "{what:?}");
        }
    }
}

#[test]
fn each_call_sends_its_message() {
    let why = || "why".to_owned();
    for (what, status, expected) in [
        (Call::Raise, RuntimeStatus::Running, MessageKind::EventRaised(event("go", None))),
        (
            Call::Terminate,
            RuntimeStatus::Suspended,
            MessageKind::ExecutionTerminated { reason: Json::from("\"why\""), recurse: true, by_parent: None },
        ),
        (Call::Suspend, RuntimeStatus::Pending, MessageKind::ExecutionSuspended { reason: why() }),
        (Call::Resume, RuntimeStatus::Suspended, MessageKind::ExecutionResumed { reason: why() }),
    ] {
        let caller = trip(status);
        assert_eq!(call(&caller, what, "trip"), Ok(()));
        assert_eq!(sent(&caller), Envelope::new(id("trip"), None, expected));
    }
}

fn conflict(what: &'static str, status: RuntimeStatus, answer: &Result<(), ClientError>) {
    let Err(ClientError::Conflict { what: refused, status: found, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!((*refused, *found), (what, status));
}

#[test]
fn suspending_twice_and_resuming_what_runs_are_conflicts() {
    let suspended = RuntimeStatus::Suspended;
    conflict("suspend", suspended, &call(&trip(suspended), Call::Suspend, "trip"));
    for status in [RuntimeStatus::Running, RuntimeStatus::Pending] {
        conflict("resume", status, &call(&trip(status), Call::Resume, "trip"));
    }
}

#[test]
fn only_a_failed_instance_is_rewound() {
    for status in RuntimeStatus::ALL.into_iter().filter(|status| *status != RuntimeStatus::Failed) {
        conflict("rewind", status, &call(&trip(status), Call::Rewind, "trip"));
    }
    for (to, latest) in [(RewindTo::SameApp, false), (RewindTo::PresentApp, true)] {
        let caller = trip(RuntimeStatus::Failed);
        caller.run(|client| async move { client.rewind("trip", "why".to_owned(), to).await }).unwrap();
        let kind = MessageKind::RewindRequested { reason: "why".to_owned(), parent: None, latest };
        assert_eq!(sent(&caller), Envelope::new(id("trip"), Some(EXECUTION), kind));
    }
}

#[test]
fn a_rewind_waits_until_the_failure_is_undone_but_not_for_long() {
    let rewind = |caller: &Caller| {
        caller.run(|client| async move { client.rewind("trip", "why".to_owned(), RewindTo::SameApp).await })
    };
    let caller = trip(RuntimeStatus::Failed);
    assert_eq!((rewind(&caller), caller.now()), (Ok(()), after(1)), "nobody takes it up");
    let caller = trip(RuntimeStatus::Failed);
    let execution = ExecutionId::from_random(8);
    *caller.store.comes.lock().unwrap() = Some(InstanceRow { execution, status: RuntimeStatus::Pending, ..row(1) });
    assert_eq!((rewind(&caller), caller.now()), (Ok(()), START));
}

#[test]
fn what_is_too_large_is_not_sent() {
    let caller = trip(RuntimeStatus::Running);
    let large = || "x".repeat(101);
    let raised = RaisedEvent { input: Json::from(large()), ..event("go", None) };
    let answers = [
        caller.run(|client| async move { client.raise_event("trip", raised).await }),
        caller.run(|client| async move { client.terminate("trip", Json::from(large()), false).await }),
        caller.run(|client| async move { client.suspend("trip", large()).await }),
        caller.run(|client| async move { client.resume("trip", large()).await }),
        caller.run(|client| async move { client.rewind("trip", large(), RewindTo::SameApp).await }),
        caller.run(|client| async move { client.raise_event("trip", event("go", Some(&"x".repeat(257)))).await }),
        caller.run(|client| async move { client.raise_event("trip", event("go", Some(""))).await }),
    ];
    for answer in answers {
        assert!(matches!(answer, Err(ClientError::Invalid(_))), "{answer:?}");
    }
    assert_eq!(caller.store.done(), []);
}

#[test]
fn waiting_ends_with_the_time() {
    let caller = trip(RuntimeStatus::Running);
    let view = caller.run(|client| async move { client.wait("trip", Duration::from_secs(9)).await }).unwrap();
    assert_eq!((view.row.status, caller.now()), (RuntimeStatus::Running, after(9)));
    let caller = trip(RuntimeStatus::Completed);
    caller.run(|client| async move { client.wait("trip", Duration::from_secs(9)).await }).unwrap();
    assert_eq!(caller.now(), START);
}

#[test]
fn lists_come_in_pages() {
    let caller = Caller::new();
    for name in ["a", "b", "c"] {
        caller.store.put(InstanceRow { id: id(name), ..row(1) });
    }
    let first = caller.run(|client| async move { client.query(&InstanceQuery::default()).await }).unwrap();
    let rest = InstanceQuery { after: first.next.clone(), ..InstanceQuery::default() };
    let second = caller.run(|client| async move { client.query(&rest).await }).unwrap();
    assert_eq!((first.instances.len(), second.instances.len(), second.next), (2, 1, None));
}

#[test]
fn a_purge_spares_what_is_at_work() {
    let purge = |caller: &Caller| caller.run(|client| async move { client.purge("trip").await });
    assert_eq!(purge(&Caller::new()), Err(ClientError::NotFound("trip".to_owned())));
    for status in RuntimeStatus::ALL {
        let caller = trip(status);
        if status.is_terminal() {
            assert_eq!(purge(&caller), Ok(()));
            assert_eq!(caller.store.done(), [Done::Purged(id("trip"), Purge::Ended)]);
        } else {
            conflict("purge", status, &purge(&caller));
            assert_eq!(caller.store.done(), []);
        }
        let caller = trip(status);
        assert_eq!(caller.run(|client| async move { client.purge_force("trip").await }), Ok(()));
        assert_eq!(caller.store.done(), [Done::Purged(id("trip"), Purge::Any)]);
    }
}

fn purge_by(statuses: &[RuntimeStatus], created_to: Option<Timestamp>) -> u64 {
    let caller = Caller::new();
    for (place, status) in RuntimeStatus::ALL.into_iter().cycle().take(24).enumerate() {
        let created_at = after(place as u64);
        caller.store.put(InstanceRow { id: id(&format!("i{place:02}")), status, created_at, ..row(1) });
    }
    let filter = PurgeFilter { created_from: after(4), created_to, statuses: statuses.to_vec() };
    let purged = caller.run(|client| async move { client.purge_by(&filter).await }).unwrap();
    let left = caller.store.rows.lock().unwrap().len() as u64;
    assert_eq!(left + purged, 24);
    purged
}

#[test]
fn purging_many_removes_only_ended_ones() {
    use RuntimeStatus::{Completed, Failed, Running};
    assert_eq!(purge_by(&[], None), 10, "four of eight statuses are ended; the first four instances are too old");
    assert_eq!(purge_by(&[Completed], None), 2);
    assert_eq!(purge_by(&[Completed, Failed], Some(after(11))), 2);
    assert_eq!(purge_by(&[Running], None), 0);
    assert_eq!(purge_by(&[Running, Failed], None), 2);
}

fn entity(name: &str, key: &str, record: EntityRecord) -> InstanceRow {
    let row = InstanceRow::new_entity(EntityId::parse(name, key).unwrap().instance_id(), START);
    InstanceRow { entity: Some(Box::new(record)), updated_at: after(1000), ..row }
}

fn with_state(at: u64) -> EntityRecord {
    EntityRecord { state: Some(Json::from("1")), lock: None, last_operation_at: Some(after(at)) }
}

fn locked_by(owner: &str, execution: ExecutionId) -> EntityRecord {
    let section = Section { execution, scheduled: EventId(3) };
    EntityRecord { lock: Some(EntityLock { owner: id(owner), section }), ..EntityRecord::default() }
}

fn counter(key: &str) -> EntityId {
    EntityId::parse("counter", key).unwrap()
}

#[test]
fn an_entity_is_signaled_whether_it_exists_or_not() {
    let caller = Caller::new();
    let signal = |entity: EntityId, input: Json| {
        caller.run(|client| async move { client.signal_entity(entity, "add".to_owned(), input, Some(after(60))).await })
    };
    signal(counter("a"), Json::from("1")).unwrap();
    let Envelope { to, execution, kind, deliver_at } = sent(&caller);
    assert_eq!((to, execution, deliver_at), (id("@counter@a"), None, Some(after(60))));
    let MessageKind::EntityOperationSignaled { sender, request: first, operation, input } = kind else { panic!() };
    assert_eq!((sender, operation.as_str(), input), (None, "add", Json::from("1")));
    signal(counter("a"), Json::from("1")).unwrap();
    let MessageKind::EntityOperationSignaled { request: second, .. } = sent(&caller).kind else { panic!() };
    assert_ne!(first, second);

    let unknown = signal(EntityId::parse("other", "a").unwrap(), Json::null());
    let expected = "the entity 'other' doesn't exist, is disabled, or is not an entity function; the known entity functions \
                    are: Counter";
    assert_eq!(unknown, Err(ClientError::Invalid(expected.to_owned())));
    assert!(matches!(signal(counter("a"), Json::from("x".repeat(101))), Err(ClientError::Invalid(_))));
    assert_eq!(caller.store.done(), []);
}

#[test]
fn an_entity_without_state_does_not_exist() {
    let caller = Caller::new();
    let read = |key: &str| {
        let entity = counter(key);
        caller.run(|client| async move { client.read_entity(&entity).await }).unwrap()
    };
    assert_eq!(read("a"), None);
    caller.store.put(entity("counter", "a", locked_by("trip", EXECUTION)));
    assert_eq!(read("a"), None);
    caller.store.put(entity("counter", "a", with_state(5)));
    let view = read("a").expect("it exists");
    assert_eq!((view.id, view.state, view.last_operation_at), (counter("a"), Some(Json::from("1")), after(5)));
}

/// The keys of all pages, and how many there were on each.
fn listed(query: EntityQuery) -> (Vec<String>, Vec<usize>) {
    let caller = Caller::new();
    for (key, at) in [("a", 10), ("b", 20), ("d", 30), ("e", 40)] {
        caller.store.put(entity("counter", key, with_state(at)));
    }
    caller.store.put(entity("counter", "c", locked_by("trip", EXECUTION)));
    caller.store.put(entity("other", "x", with_state(10)));
    caller.store.put(row(1));
    let (mut keys, mut sizes, mut query) = (Vec::new(), Vec::new(), query);
    loop {
        let asked = query.clone();
        let page = caller.run(|client| async move { client.query_entities(&asked).await }).unwrap();
        assert!(page.entities.iter().all(|entity| entity.state.is_none() || query.with_state));
        keys.extend(page.entities.iter().map(|entity| entity.id.key().to_owned()));
        sizes.push(page.entities.len());
        match page.next {
            Some(next) => query.after = Some(next),
            None => return (keys, sizes),
        }
    }
}

#[test]
fn entities_are_listed() {
    let all = EntityQuery::default();
    let check = |query: EntityQuery, keys: &[&str]| assert_eq!(listed(query).0, keys);
    check(all.clone(), &["a", "b", "d", "e", "x"]);
    check(EntityQuery { with_transient: true, ..all.clone() }, &["a", "b", "c", "d", "e", "x"]);
    check(EntityQuery { name: Some("COUNTER".to_owned()), with_state: true, ..all.clone() }, &["a", "b", "d", "e"]);
    let (from, to) = (Some(after(20)), Some(after(30)));
    check(EntityQuery { last_operation_from: from, last_operation_to: to, ..all.clone() }, &["b", "d"]);
    check(EntityQuery { name: Some("nobody".to_owned()), ..all }, &[]);
}

#[test]
fn a_page_of_entities_is_full_unless_it_is_the_last() {
    let all = |page_size| EntityQuery { page_size, ..EntityQuery::default() };
    assert_eq!(listed(all(3)).1, [3, 2]);
    assert_eq!(listed(all(1)).1, [1, 1, 1, 1, 1]);
    assert_eq!(listed(all(10)).1, [5]);
    assert_eq!(listed(EntityQuery { with_transient: true, ..all(3) }).1, [3, 3]);
}

#[test]
fn locks_whose_owner_is_gone_are_released() {
    let caller = Caller::new();
    let other = ExecutionId::from_random(2);
    caller.store.put(InstanceRow { id: id("working"), ..row(1) });
    caller.store.put(InstanceRow { id: id("ended"), status: RuntimeStatus::Failed, ..row(1) });
    for (key, owner, execution) in
        [("a", "working", EXECUTION), ("b", "working", other), ("c", "ended", EXECUTION), ("d", "purged", EXECUTION)]
    {
        caller.store.put(entity("counter", key, locked_by(owner, execution)));
    }
    caller.store.put(entity("counter", "e", with_state(0)));
    let cleaned = caller.run(|client| async move { client.clean_entities().await }).unwrap();
    assert_eq!(cleaned, 3);
    let released = caller.store.done().into_iter().map(|done| {
        let Done::Sent(envelope) = done else { panic!("{done:?}") };
        let MessageKind::EntityUnlockSent { section, entities, position } = envelope.kind else { panic!() };
        (envelope.to.to_string(), section.execution, entities.len(), position)
    });
    let expected = [("@counter@b", other), ("@counter@c", EXECUTION), ("@counter@d", EXECUTION)];
    let expected: Vec<_> = expected.into_iter().map(|(to, execution)| (to.to_owned(), execution, 1, 0)).collect();
    assert_eq!(released.collect::<Vec<_>>(), expected);
}

#[test]
fn an_entity_is_purged_if_nothing_waits_for_it() {
    let purge = |record: EntityRecord, pending: Pending| {
        let caller = Caller::new();
        caller.store.put(entity("counter", "a", record));
        *caller.store.pending.lock().unwrap() = Some(pending);
        let plain = caller.run(|client| async move { client.purge("@counter@a").await });
        if plain.is_err() {
            assert_eq!(caller.run(|client| async move { client.purge_force("@counter@a").await }), plain);
        }
        plain
    };
    assert_eq!(purge(with_state(0), Pending::default()), Ok(()));
    let running = RuntimeStatus::Running;
    conflict("purge", running, &purge(locked_by("trip", EXECUTION), Pending::default()));
    conflict("purge", running, &purge(with_state(0), Pending { messages: 1, ..Pending::default() }));
    conflict("purge", running, &purge(with_state(0), Pending { scheduled: vec![after(9)], ..Pending::default() }));
}
