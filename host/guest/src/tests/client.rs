//! The durable client as a guest calls it: each call reaches the port with everything that was said, and each answer and
//! each refusal comes back.

use super::fixtures::{RecordingClient, activity_task, bind_all, invocation, load, runtime};
use crate::App;
use expect_test::{Expect, expect};
use ports::Activities as _;
use std::sync::Arc;

/// What the guest saw, and what arrived.
async fn check(script: &str, expected: Expect) {
    let runtime = runtime();
    let component = load(&runtime, "contract-probe").await;
    let client = Arc::new(RecordingClient::default());
    let app = App::new(&runtime, bind_all(&component), Vec::new(), client.clone(), None).expect("all can be bound");
    let task = activity_task("CallTheClient", &format!("{script:?}"));
    let output = app.run(invocation(task)).await.expect("no fault").expect("no failure");
    let seen: String = serde_json::from_str(output.as_str()).expect("a text");
    let calls = client.0.lock().expect("no test panics while recording").join("\n");
    expected.assert_eq(&format!("{seen}\n\n{calls}\n"));
}

#[tokio::test]
async fn instances_are_started_and_looked_at() {
    check("start BookTrip trip-2 key-1; start BookTrip '' key-2", expect![[r#"
        start BookTrip trip-2 key-1 -> Ok('new-1')
        start BookTrip '' key-2 -> Ok('new-1')

        start StartRequest { name: "BookTrip", input: "who", instance_id: Some("trip-2"), options: StartOptions { version: Some("2.0"), tags: {"team": "b"}, start_at: None }, idempotency_key: Some("key-1"), reuse: None }
        start StartRequest { name: "BookTrip", input: "who", instance_id: None, options: StartOptions { version: Some("2.0"), tags: {"team": "b"}, start_at: None }, idempotency_key: Some("key-2"), reuse: None }
    "#]]).await;
    check("status trip-1; wait trip-1; uris trip-1", expect![[r#"
        status trip-1 -> Ok(InstanceStatus { name: 'BookTrip', instance-id: 'trip-1', runtime-status: RuntimeStatus::Running, input: None, output: None, custom-status: None, failure: None, created-time: 17000000000000000, last-updated-time: 17000000000000000, version: Some('1.0'), tags: [('team', 'a')] })
        wait trip-1 -> Ok(InstanceStatus { name: 'BookTrip', instance-id: 'trip-1', runtime-status: RuntimeStatus::Running, input: None, output: None, custom-status: None, failure: None, created-time: 17000000000000000, last-updated-time: 17000000000000000, version: Some('1.0'), tags: [('team', 'a')] })
        uris trip-1 -> {'id':'trip-1','statusQueryGetUri':'http://host/instances/trip-1'}

        status trip-1, with input: true
        wait 50ms for trip-1
    "#]]).await;
}

#[tokio::test]
async fn instances_are_steered() {
    check("raise trip-1 Approval event-1; terminate trip-1; suspend trip-1; resume trip-1; rewind trip-1; restart trip-1; purge trip-1; purge-by; clean-entities", expect![[r#"
        raise trip-1 Approval event-1 -> Ok(())
        terminate trip-1 -> Ok(())
        suspend trip-1 -> Ok(())
        resume trip-1 -> Ok(())
        rewind trip-1 -> Ok(())
        restart trip-1 -> Ok('new-2')
        purge trip-1 -> Ok(())
        purge-by -> Ok(4294967295)
        clean-entities -> Ok(2)

        raise RaisedEvent { name: "Approval", input: 7, id: Some("event-1") } to trip-1
        terminate trip-1: "enough", recursive: true
        suspend trip-1: a pause
        resume trip-1: go on
        rewind trip-1 to SameApp: once more
        restart trip-1, with a new id: true
        purge trip-1
        purge PurgeFilter { created_from: 1970-01-01T00:00:00.0000001Z, created_to: None, statuses: [Failed] }
        clean entities
    "#]]).await;
}

#[tokio::test]
async fn instances_and_entities_are_listed() {
    check("query trip; query-entities counter", expect![[r#"
        query trip -> Ok(InstancePage { instances: [InstanceStatus { name: 'BookTrip', instance-id: 'trip-1', runtime-status: RuntimeStatus::Running, input: None, output: None, custom-status: None, failure: None, created-time: 17000000000000000, last-updated-time: 17000000000000000, version: Some('1.0'), tags: [('team', 'a')] }], continuation-token: Some('trip-1') })
        query-entities counter -> Ok(EntityPage { entities: [EntityState { id: EntityId { name: 'counter', key: 'a' }, state: Some('5'), last-operation-time: 17000000000000000, locked-by: Some('trip-1') }], continuation-token: None })

        query InstanceQuery { statuses: [Running, Suspended], created_from: Some(1970-01-01T00:00:00.0000001Z), created_to: Some(1970-01-01T00:00:00.0000002Z), name: None, id_prefix: Some("trip"), updated_from: None, updated_to: None, completed_to: None, tags: [("team", "a")], kind: Orchestrations, with_input: true, page_size: 3, after: Some(PageToken("t")) }
        query EntityQuery { name: Some("counter"), last_operation_from: Some(1970-01-01T00:00:00.0000001Z), last_operation_to: None, with_state: true, with_transient: false, page_size: 3, after: None }
    "#]]).await;
}

#[tokio::test]
async fn entities_are_signalled_and_read() {
    check("signal Counter a add; read Counter a; read Counter unknown", expect![[r#"
        signal Counter a add -> Ok(())
        read Counter a -> Ok(Some(EntityState { id: EntityId { name: 'counter', key: 'a' }, state: Some('5'), last-operation-time: 17000000000000000, locked-by: Some('trip-1') }))
        read Counter unknown -> Ok(None)

        signal add(1) to @counter@a at Some(1970-01-01T00:00:00.0000005Z)
        read @counter@a
        read @counter@unknown
    "#]]).await;
    check("signal '' a add; read Counter a/b", expect![[r#"
        signal '' a add -> Err(ClientError::Invalid('there can be no entity with the name '' and the key 'a': the name is empty; give it at least one character'))
        read Counter a/b -> Err(ClientError::Invalid('there can be no entity with the name 'Counter' and the key 'a/b': '/' is not allowed; leave out '/', '\\', '#', '?' and control characters'))


    "#]]).await;
}

#[tokio::test]
async fn each_refusal_is_told_apart() {
    check(
        "status unknown; start BookTrip taken key; terminate ended; rewind fine; purge malformed; suspend unlucky",
        expect![[r#"
            status unknown -> Err(ClientError::NotFound('no instance with ID 'unknown' was found'))
            start BookTrip taken key -> Err(ClientError::AlreadyExists('an instance with ID 'taken' already exists and is Running; wait until it has ended, or choose another ID'))
            terminate ended -> Err(ClientError::Gone('the instance with ID 'ended' is Completed and takes no more messages'))
            rewind fine -> Err(ClientError::Conflict('cannot rewind the instance with ID 'fine': it is Completed; only a failed one can be'))
            purge malformed -> Err(ClientError::Invalid('no such thing'))
            suspend unlucky -> Err(ClientError::Unavailable('the store is unavailable: the disk is full'))

            status unknown, with input: true
            start StartRequest { name: "BookTrip", input: "who", instance_id: Some("taken"), options: StartOptions { version: Some("2.0"), tags: {"team": "b"}, start_at: None }, idempotency_key: Some("key"), reuse: None }
            terminate ended: "enough", recursive: true
            rewind fine to SameApp: once more
            purge malformed
            suspend unlucky: a pause
        "#]],
    )
    .await;
}
