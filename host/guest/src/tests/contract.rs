//! Every import of an orchestrator, live and replayed, by a guest that is made without an SDK.

use super::fixtures::{app, stable};
use super::world::{Between, World, identity};
use expect_test::{Expect, expect};
use orchestration::{
    Cursor, Event, EventKind, ExecutionId, ExecutionStarted, InstanceId, InstanceRow, Json, Limits, Tags, Timestamp,
};
use ports::{Advanced, Orchestrators as _};

/// What a script came to, and what the history says of it; the same whether the guest stays alive or is built anew.
async fn check(script: &str, expected: Expect) {
    let app = app("contract-probe").await;
    let mut runs = Vec::new();
    for between in [Between::KeepAlive, Between::Rebuild] {
        let mut world = World::new(&app, between);
        let row = world.run("Orchestrate", &format!("{script:?}")).await;
        runs.push((row, world.histories));
    }
    assert_eq!(runs[0], runs[1]);
    let (row, histories) = runs.remove(0);
    let output = row.output.map(|output| serde_json::from_str::<String>(output.as_str()).expect("a text"));
    let outcome = output.or(row.failure.map(|failure| stable(&failure))).expect("it has ended");
    // The last one is that of the orchestration itself: its id is the last in order.
    let history: Vec<&str> = histories.last().expect("a history").lines().filter(|line| !is_frame(line)).collect();
    expected.assert_eq(&format!("{outcome}\n\n{}\n", history.join("\n")));
}

fn is_frame(line: &str) -> bool {
    let kinds = ["OrchestratorStarted", "OrchestratorCompleted", "ExecutionStarted", "ExecutionCompleted"];
    kinds.iter().any(|kind| line.contains(kind))
}

#[tokio::test]
async fn entities_are_called_and_signalled() {
    check("call Counter a add 5; next; signal Counter a add; call COUNTER a get null; next; call Counter a fail null; next; signal-later Counter a add", expect![[r#"
        call Counter a add 5 -> task 0
        next -> 0 '5'
        signal Counter a add -> ()
        call COUNTER a get null -> task 1
        next -> 1 '6'
        call Counter a fail null -> task 2
        next -> 2 Refused: as you wish
        signal-later Counter a add -> ()

            0.000  EntityOperationCalled              #0 @counter@a add(5)
            1.234  EntityOperationCompleted           #0 = 5
            1.234  EntityOperationSignaled            #1 @counter@a add(1)
            1.234  EntityOperationCalled              #2 @counter@a get(null)
            2.468  EntityOperationCompleted           #2 = 6
            2.468  EntityOperationCalled              #3 @counter@a fail(null)
            3.702  EntityOperationFailed              #3 ! Refused: as you wish
            3.702  EntityOperationSignaled            #4 @counter@a add(1) at 2023-11-14T23:13:24.9360000Z
    "#]]).await;
}

#[tokio::test]
async fn malformed_entities_are_failures_and_no_traps() {
    check("call Cou@nter a get null; next; call '' a get null; next; signal Counter a/b add; lock Counter a '' b; next; timer; next", expect![[r#"
        call Cou@nter a get null -> task 0
        next -> 0 InvalidArgument: there can be no entity with the name 'Cou@nter' and the key 'a': the name must not contain '@'
        call '' a get null -> task 1
        next -> 1 InvalidArgument: there can be no entity with the name '' and the key 'a': the name is empty; give it at least one character
        signal Counter a/b add -> InvalidArgument: there can be no entity with the name 'Counter' and the key 'a/b': '/' is not allowed; leave out '/', '\', '#', '?' and control characters
        lock Counter a '' b -> task 2
        next -> 2 InvalidArgument: there can be no entity with the name '' and the key 'b': the name is empty; give it at least one character
        timer -> task 3
        next -> 3 'null'

            0.000  TimerCreated                       #0 at 2023-11-14T22:13:22.2340000Z
            2.234  TimerFired                         #0
    "#]]).await;
}

#[tokio::test]
async fn critical_sections() {
    check("lock Counter b Counter a Counter b; next; call Counter a add 1; next; call Counter c get null; next; signal Counter a add; child Orchestrate kid; next; unlock; unlock; call Counter c add 2; next", expect![[r#"
        lock Counter b Counter a Counter b -> task 0
        next -> 0 'null'
        call Counter a add 1 -> task 1
        next -> 1 '1'
        call Counter c get null -> task 2
        next -> 2 CriticalSectionViolation: the entity '@counter@c' must not be called within a critical section that does not lock it; add it to the section's entities
        signal Counter a add -> CriticalSectionViolation: the entity '@counter@a' must not be signaled while it is locked by this orchestration; call it instead
        child Orchestrate kid -> task 3
        next -> 3 CriticalSectionViolation: the sub-orchestration 'Orchestrate' must not be called within a critical section; leave the section first
        unlock -> done
        unlock -> done
        call Counter c add 2 -> task 4
        next -> 4 '2'

            0.000  EntityLockRequested                #0 @counter@a, @counter@b
            1.234  EntityLockGranted                  #0
            1.234  EntityOperationCalled              #1 @counter@a add(1)
            2.468  EntityOperationCompleted           #1 = 1
            2.468  EntityUnlockSent                   #2 for #0
            2.468  EntityOperationCalled              #3 @counter@c add(2)
            3.702  EntityOperationCompleted           #3 = 2
    "#]]).await;
    check(
        "lock; next",
        expect![[r#"
        lock -> task 0
        next -> 0 CriticalSectionViolation: a critical section needs at least one entity


    "#]],
    )
    .await;
}

#[tokio::test]
async fn children_and_orchestrations_that_nobody_waits_for() {
    check("who; child Orchestrate kid; next; child-later Orchestrate; next", expect![[r#"
        who -> Identity { instance-id: 'trip-1', execution-id: '0000000000000000000000000000002a', name: 'Orchestrate', parent-instance-id: None, version: None, tags: [] }
        child Orchestrate kid -> task 0
        next -> 0 '\'who -> Identity { instance-id: 'kid', execution-id: 'c8d6a8e6d82e5e79844566f641ead733', name: 'Orchestrate', parent-instance-id: Some('trip-1'), version: Some('2.0'), tags: [('team', 'b')] }\''
        child-later Orchestrate -> task 1
        next -> 1 InvalidArgument: cannot start the sub-orchestration 'Orchestrate' at a later time: wait for a timer first, or start it detached

            0.000  SubOrchestrationInstanceCreated    #0 Orchestrate("who") as kid
            2.468  SubOrchestrationInstanceCompleted  #0 = "who -> Identity { instance-id: 'kid', execution-id: 'c8d6a8e6d82e5e79844566f641ead733', name: 'Orchestrate', parent-instance-id: Some('trip-1'), version: Some('2.0'), tags: [('team', 'b')] }"
    "#]]).await;
    check(
        "start Orchestrate kid; start Orchestrate ''; start Orchestrate @a@b; start Orchestrate trip-1; timer; next",
        expect![[r#"
            start Orchestrate kid -> 'kid'
            start Orchestrate '' -> 'ba2eb9a5f57154329ec322bfbcca73fb'
            start Orchestrate @a@b -> InvalidArgument: cannot start 'Orchestrate': the instance id starts with '@', which is reserved for entities; choose another first character
            start Orchestrate trip-1 -> InvalidArgument: cannot start 'Orchestrate' with the instance id 'trip-1': it is this instance's own id
            timer -> task 0
            next -> 0 'null'

                0.000  SubOrchestrationInstanceCreated    #0 Orchestrate("who") as kid detached
                0.000  SubOrchestrationInstanceCreated    #1 Orchestrate("who") as ba2eb9a5f57154329ec322bfbcca73fb detached
                0.000  TimerCreated                       #2 at 2023-11-14T22:13:22.2340000Z
                3.702  TimerFired                         #2
        "#]],
    )
    .await;
}

#[tokio::test]
async fn events_for_others() {
    check("send kid Approval; send a/b Approval; send trip-1 Approval; event approval; next", expect![[r#"
        send kid Approval -> ()
        send a/b Approval -> InvalidArgument: cannot send the event 'Approval' to 'a/b': the instance id contains '/'; '/', '\', '#', '?' and control characters are not allowed
        send trip-1 Approval -> ()
        event approval -> task 0
        next -> 0 '7'

            0.000  EventSent                          #0 Approval(7) to kid
            0.000  EventSent                          #1 Approval(7) to trip-1
            1.234  EventRaised                        Approval(7)
    "#]]).await;
}

#[tokio::test]
async fn durable_http() {
    check("http GET https://example.com/a; next", expect![[r#"
        http GET https://example.com/a -> task 0
        next -> 0 '{\'statusCode\':200,\'headers\':{},\'content\':\'hello\'}'

            0.000  TaskScheduled                      #0 BuiltIn::HttpActivity({"method":"GET","uri":"https://example.com/a","headers":{"x-purpose":"test","content-type":"text/plain; charset=utf-8"},"content":"content","statusCodesToRetry":[503]})
            1.234  TaskCompleted                      #0 = {"statusCode":200,"headers":{},"content":"hello"}
    "#]]).await;
}

#[tokio::test]
async fn what_is_aborted_is_not_answered() {
    check(
        "activity Compute null; abort 0; child Orchestrate kid; abort 1; event Approval; abort 2; timer; next",
        expect![[r#"
            activity Compute null -> task 0
            abort 0 -> done
            child Orchestrate kid -> task 1
            abort 1 -> done
            event Approval -> task 2
            abort 2 -> done
            timer -> task 3
            next -> 3 'null'

                0.000  TaskScheduled                      #0 Compute(null)
                0.000  TaskFailed                         #0 ! Canceled: it was canceled by the orchestrator that asked for it
                0.000  SubOrchestrationInstanceCreated    #1 Orchestrate("who") as kid
                0.000  SubOrchestrationInstanceFailed     #1 ! Canceled: it was canceled by the orchestrator that asked for it
                0.000  TimerCreated                       #2 at 2023-11-14T22:13:22.2340000Z
                2.234  TimerFired                         #2
        "#]],
    )
    .await;
}

#[tokio::test]
async fn continuing_as_new_with_another_version() {
    check("again who 3.0", expect![[r#"
        who -> Identity { instance-id: 'trip-1', execution-id: '5c6a120541dd5a66bc11a11844a7491e', name: 'Orchestrate', parent-instance-id: None, version: Some('3.0'), tags: [] }


    "#]]).await;
}

#[tokio::test]
async fn only_activities_give_heartbeats() {
    check("heartbeat", expect![[r#"
        FunctionTrapped: function 'Orchestrate' trapped: only a running activity gives heartbeats; an orchestrator needs none


    "#]]).await;
}

/// What does not show in the history: the options of each request.
async fn check_actions(script: &str, expected: Expect) {
    let app = app("contract-probe").await;
    let id = InstanceId::from_stored("trip-1");
    let row = InstanceRow::new(id, ExecutionId::from_random(42), "Orchestrate".to_owned(), Timestamp::default());
    let mut cursor = Box::new(Cursor::new(identity(&row), Limits::default(), Vec::new()));
    let input = Json::from(format!("{:?}", format!("{script}; event Never; next")));
    let started = ExecutionStarted::new("Orchestrate", input, row.execution);
    let at = Timestamp::from_unix_ms(1_700_000_000_000);
    let kinds = [EventKind::OrchestratorStarted, EventKind::ExecutionStarted(Box::new(started))];
    cursor.feed(kinds.map(|kind| Event { at, kind }));
    let mut guest = app.begin("Orchestrate", None).await.expect("a guest");
    let (mut cursor, advanced) = guest.advance(cursor).await;
    assert_eq!(advanced, Ok(Advanced::Waiting));
    let actions: Vec<String> = cursor.take_actions().0.iter().map(|action| format!("{action:?}\n")).collect();
    expected.assert_eq(&actions.concat());
}

#[tokio::test]
async fn options_reach_the_actions() {
    check_actions("activity Beat 1", expect![[r#"
        ScheduleTask { id: #0, name: "Beat", input: 1, attempt: 1, retry_of: None, timeouts: Timeouts { run: Some(1.5s), heartbeat: Some(500ms) }, tags: {"purpose": "test"} }
    "#]]).await;
    check_actions("child Orchestrate kid", expect![[r#"
        CreateSubOrchestration { id: #0, name: "Orchestrate", instance_id: kid, input: "who", retry_of: None, detached: false, options: StartOptions { version: Some("2.0"), tags: {"team": "b"}, start_at: None } }
    "#]]).await;
    check_actions("start Orchestrate kid", expect![[r#"
        CreateSubOrchestration { id: #0, name: "Orchestrate", instance_id: kid, input: "who", retry_of: None, detached: true, options: StartOptions { version: Some("2.0"), tags: {"team": "b"}, start_at: None } }
    "#]]).await;
    check_actions("signal-later Counter a add", expect![[r#"
        SignalEntity { id: #0, entity: EntityId { name: "counter", key: "a" }, operation: "add", input: 1, deliver_at: Some(2023-11-14T23:13:20.0000000Z) }
    "#]]).await;
}

#[tokio::test]
async fn an_orchestrator_sees_its_version_and_tags() {
    let app = app("contract-probe").await;
    let id = InstanceId::from_stored("trip-1");
    let mut row = InstanceRow::new(id, ExecutionId::from_random(42), "Orchestrate".to_owned(), Timestamp::default());
    row.options.version = Some("1.2".to_owned());
    row.options.tags = Tags::from([("team".to_owned(), "a".to_owned())]);
    let mut cursor = Box::new(Cursor::new(identity(&row), Limits::default(), Vec::new()));
    let started = ExecutionStarted::new("Orchestrate", Json::from(r#""who""#), row.execution);
    let kinds = [EventKind::OrchestratorStarted, EventKind::ExecutionStarted(Box::new(started))];
    cursor.feed(kinds.map(|kind| Event { at: Timestamp::default(), kind }));
    let mut guest = app.begin("Orchestrate", None).await.expect("a guest");
    let (_, advanced) = guest.advance(cursor).await;
    let Ok(Advanced::Returned(Ok(seen))) = advanced else { panic!("{advanced:?}") };
    expect![[r#""who -> Identity { instance-id: 'trip-1', execution-id: '0000000000000000000000000000002a', name: 'Orchestrate', parent-instance-id: None, version: Some('1.2'), tags: [('team', 'a')] }""#]].assert_eq(seen.as_str());
}
