//! Histories as callers see them: one execution that did everything once, with and without inputs and results.

use super::check_in;
use super::world::{World, instance, minute};
use crate::history_file::tests::every_kind;
use expect_test::expect;
use orchestration::{
    Event, EventId, EventKind, ExecutionId, ExecutionStarted, Failure, InstanceId, Json, RaisedEvent, RuntimeStatus,
    StartOptions, Tags, Timeouts,
};

/// An execution that did everything once: an activity that returned and one that failed, a child, a timer, an event, and an
/// activity and a child that are still out.
fn events() -> Vec<EventKind> {
    let failure = Failure {
        details: Some("at book.rs:3".to_owned()),
        cause: Some(Box::new(Failure::new("IoError", "timed out").non_retriable())),
        properties: [("seat".to_owned(), "12A".to_owned())].into(),
        ..Failure::new("BookingError", "no seats left")
    };
    let started = ExecutionStarted::new("Trip", Json::from("[1]"), ExecutionId::from_random(7));
    let task = |id, name: &str| EventKind::TaskScheduled {
        id: EventId(id),
        name: name.to_owned(),
        input: Json::from("2"),
        retry_of: None,
        timeouts: Timeouts::default(),
        tags: Tags::new(),
    };
    let child = |id, child: &str| EventKind::SubOrchestrationInstanceCreated {
        id: EventId(id),
        name: "Leg".to_owned(),
        instance_id: InstanceId::from_stored(child),
        input: Json::from("3"),
        retry_of: None,
        detached: false,
        options: StartOptions::default(),
    };
    let fire_at = minute(90);
    vec![
        EventKind::OrchestratorStarted,
        EventKind::ExecutionStarted(Box::new(started)),
        task(0, "BookFlight"),
        task(1, "BookHotel"),
        child(2, "t:2"),
        EventKind::TimerCreated { id: EventId(3), fire_at, retry_of: None },
        task(4, "SendEmail"),
        child(5, "t:5"),
        EventKind::OrchestratorCompleted,
        EventKind::OrchestratorStarted,
        EventKind::TaskFailed { scheduled: EventId(1), failure },
        EventKind::TaskCompleted { scheduled: EventId(0), result: Json::from(r#"{"seat":1.0}"#) },
        EventKind::SubOrchestrationInstanceCompleted { scheduled: EventId(2), result: Json::from("4") },
        EventKind::TimerFired { timer: EventId(3), fire_at },
        EventKind::EventRaised(RaisedEvent { name: "Approval".to_owned(), input: Json::from("true"), id: None }),
        EventKind::OrchestratorCompleted,
    ]
}

fn world(status: RuntimeStatus, more: Vec<EventKind>) -> World {
    let world = World::default();
    let kinds = events().into_iter().chain(more);
    let history = kinds.enumerate().map(|(at, kind)| Event { at: minute(at as i64), kind }).collect();
    world.put(instance("t", status, 0), history);
    world
}

#[test]
fn a_history_is_shown_as_what_happened() {
    let ended = vec![
        EventKind::OrchestratorStarted,
        EventKind::ExecutionTerminated { reason: Json::from(r#""enough""#) },
        EventKind::ExecutionCompleted {
            status: RuntimeStatus::Terminated,
            output: Some(Json::from(r#""enough""#)),
            failure: None,
        },
        EventKind::OrchestratorCompleted,
    ];
    let world = world(RuntimeStatus::Terminated, ended);
    check_in(
        world,
        "GET /instances/t?showHistory=True&showHistoryOutput=true",
        &expect![[r#"
            200 {"name":"Trip","instanceId":"t","runtimeStatus":"Terminated","input":[1, 2],"customStatus":null,"output":"enough","createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z","historyEvents":[
              {"EventType":"ExecutionStarted","FunctionName":"Trip","Input":[1],"Timestamp":"2024-01-01T00:01:00.1230000Z"},
              {"EventType":"TimerCreated","FireAt":"2024-01-01T01:30:00.1230000Z","Timestamp":"2024-01-01T00:05:00.1230000Z"},
              {"EventType":"TaskScheduled","FunctionName":"SendEmail","Input":2,"Timestamp":"2024-01-01T00:06:00.1230000Z"},
              {"EventType":"SubOrchestrationInstanceCreated","FunctionName":"Leg","InstanceId":"t:5","Input":3,"Timestamp":"2024-01-01T00:07:00.1230000Z"},
              {"EventType":"TaskFailed","FunctionName":"BookHotel","Input":2,"Reason":"no seats left","Details":"at book.rs:3","FailureDetails":{"ErrorType":"BookingError","ErrorMessage":"no seats left","StackTrace":"at book.rs:3","InnerFailure":{"ErrorType":"IoError","ErrorMessage":"timed out","StackTrace":null,"InnerFailure":null,"IsNonRetriable":true},"IsNonRetriable":false,"Properties":{"seat":"12A"}},"ScheduledTime":"2024-01-01T00:03:00.1230000Z","Timestamp":"2024-01-01T00:10:00.1230000Z"},
              {"EventType":"TaskCompleted","FunctionName":"BookFlight","Input":2,"Result":{"seat":1.0},"ScheduledTime":"2024-01-01T00:02:00.1230000Z","Timestamp":"2024-01-01T00:11:00.1230000Z"},
              {"EventType":"SubOrchestrationInstanceCompleted","FunctionName":"Leg","InstanceId":"t:2","Input":3,"Result":4,"ScheduledTime":"2024-01-01T00:04:00.1230000Z","Timestamp":"2024-01-01T00:12:00.1230000Z"},
              {"EventType":"TimerFired","FireAt":"2024-01-01T01:30:00.1230000Z","Timestamp":"2024-01-01T00:13:00.1230000Z"},
              {"EventType":"EventRaised","Name":"Approval","Input":true,"Timestamp":"2024-01-01T00:14:00.1230000Z"},
              {"EventType":"ExecutionTerminated","Input":"enough","Timestamp":"2024-01-01T00:17:00.1230000Z"},
              {"EventType":"ExecutionCompleted","OrchestrationStatus":"Terminated","Result":"enough","Timestamp":"2024-01-01T00:18:00.1230000Z"}]}"#]],
    );
}

#[test]
fn inputs_and_results_are_left_out_unless_asked_for() {
    let failed = EventKind::ExecutionCompleted {
        status: RuntimeStatus::Failed,
        output: None,
        failure: Some(Failure::new("BookingError", "no seats left")),
    };
    let world = world(RuntimeStatus::Failed, vec![failed]);
    check_in(
        world,
        "GET /instances/t?showHistory=true&showInput=false",
        &expect![[r#"
            200 {"name":"Trip","instanceId":"t","runtimeStatus":"Failed","input":null,"customStatus":null,"output":"BookingError: no seats left","createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z","historyEvents":[
              {"EventType":"ExecutionStarted","FunctionName":"Trip","Timestamp":"2024-01-01T00:01:00.1230000Z"},
              {"EventType":"TimerCreated","FireAt":"2024-01-01T01:30:00.1230000Z","Timestamp":"2024-01-01T00:05:00.1230000Z"},
              {"EventType":"TaskScheduled","FunctionName":"SendEmail","Timestamp":"2024-01-01T00:06:00.1230000Z"},
              {"EventType":"SubOrchestrationInstanceCreated","FunctionName":"Leg","InstanceId":"t:5","Timestamp":"2024-01-01T00:07:00.1230000Z"},
              {"EventType":"TaskFailed","FunctionName":"BookHotel","Reason":"no seats left","Details":"at book.rs:3","FailureDetails":{"ErrorType":"BookingError","ErrorMessage":"no seats left","StackTrace":"at book.rs:3","InnerFailure":{"ErrorType":"IoError","ErrorMessage":"timed out","StackTrace":null,"InnerFailure":null,"IsNonRetriable":true},"IsNonRetriable":false,"Properties":{"seat":"12A"}},"ScheduledTime":"2024-01-01T00:03:00.1230000Z","Timestamp":"2024-01-01T00:10:00.1230000Z"},
              {"EventType":"TaskCompleted","FunctionName":"BookFlight","ScheduledTime":"2024-01-01T00:02:00.1230000Z","Timestamp":"2024-01-01T00:11:00.1230000Z"},
              {"EventType":"SubOrchestrationInstanceCompleted","FunctionName":"Leg","InstanceId":"t:2","ScheduledTime":"2024-01-01T00:04:00.1230000Z","Timestamp":"2024-01-01T00:12:00.1230000Z"},
              {"EventType":"TimerFired","FireAt":"2024-01-01T01:30:00.1230000Z","Timestamp":"2024-01-01T00:13:00.1230000Z"},
              {"EventType":"EventRaised","Name":"Approval","Timestamp":"2024-01-01T00:14:00.1230000Z"},
              {"EventType":"ExecutionCompleted","OrchestrationStatus":"Failed","FailureDetails":{"ErrorType":"BookingError","ErrorMessage":"no seats left","StackTrace":null,"InnerFailure":null,"IsNonRetriable":false},"Timestamp":"2024-01-01T00:16:00.1230000Z"}]}"#]],
    );
}

#[test]
fn nothing_has_happened_to_an_instance_that_is_pending() {
    let world = World::with([instance("t", RuntimeStatus::Pending, 0)]);
    check_in(
        world,
        "GET /instances/t?showHistory=true",
        &expect![[r#"
            202 {"name":"Trip","instanceId":"t","runtimeStatus":"Pending","input":[1, 2],"customStatus":null,"output":null,"createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z","historyEvents":null}
            retry-after: 5
            location: http://localhost:7071/runtime/webhooks/durabletask/instances/t?showHistory=true"#]],
    );
}

fn everything() -> World {
    let world = World::default();
    let kinds = every_kind().into_iter().enumerate();
    let history = kinds.map(|(at, kind)| Event { at: minute(at as i64), kind }).collect();
    world.put(instance("t", RuntimeStatus::Failed, 0), history);
    world
}

#[test]
fn what_goes_to_others_is_shown_with_whom_it_is_for() {
    check_in(
        everything(),
        "GET /instances/t?showHistory=true&showHistoryOutput=true",
        &expect![[r#"
        200 {"name":"Trip","instanceId":"t","runtimeStatus":"Failed","input":[1, 2],"customStatus":null,"output":"BookingError: no seats left","createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z","historyEvents":[
          {"EventType":"ExecutionStarted","FunctionName":"Trip","Input":[1],"Timestamp":"2024-01-01T00:01:00.1230000Z"},
          {"EventType":"TimerCreated","FireAt":"31197-09-14T02:48:05.4775807Z","Timestamp":"2024-01-01T00:04:00.1230000Z"},
          {"EventType":"EventSent","Name":"Go","InstanceId":"other","Input":2,"Timestamp":"2024-01-01T00:05:00.1230000Z"},
          {"EventType":"EntityOperationSignaled","Name":"free","InstanceId":"@seats@","Input":"not json","ScheduledTime":"2024-01-01T00:00:00.1230000Z","Timestamp":"2024-01-01T00:07:00.1230000Z"},
          {"EventType":"EntityLockRequested","LockSet":["@a@1","@b@@"],"Timestamp":"2024-01-01T00:08:00.1230000Z"},
          {"EventType":"ExecutionSuspended","Reason":"a \"break\"","Timestamp":"2024-01-01T00:10:00.1230000Z"},
          {"EventType":"ExecutionResumed","Reason":"","Timestamp":"2024-01-01T00:11:00.1230000Z"},
          {"EventType":"ExecutionRewound","Reason":"again","Timestamp":"2024-01-01T00:12:00.1230000Z"},
          {"EventType":"TaskCompleted","FunctionName":"Book","Input":2,"Result":{"seat":1.00},"ScheduledTime":"2024-01-01T00:02:00.1230000Z","Timestamp":"2024-01-01T00:13:00.1230000Z"},
          {"EventType":"TaskFailed","FunctionName":"Book","Input":2,"Reason":"no seats left","Details":"at book.rs:3","FailureDetails":{"ErrorType":"BookingError","ErrorMessage":"no seats left","StackTrace":"at book.rs:3","InnerFailure":{"ErrorType":"IoError","ErrorMessage":"timed out","StackTrace":null,"InnerFailure":null,"IsNonRetriable":true},"IsNonRetriable":false,"Properties":{"seat":"12A"}},"ScheduledTime":"2024-01-01T00:02:00.1230000Z","Timestamp":"2024-01-01T00:14:00.1230000Z"},
          {"EventType":"SubOrchestrationInstanceCompleted","FunctionName":"Leg","InstanceId":"t:1","Input":{
          "a": 1.0
        },"Result":null,"ScheduledTime":"2024-01-01T00:03:00.1230000Z","Timestamp":"2024-01-01T00:15:00.1230000Z"},
          {"EventType":"SubOrchestrationInstanceFailed","FunctionName":"Leg","InstanceId":"t:1","Input":{
          "a": 1.0
        },"Reason":"no seats left","Details":"at book.rs:3","FailureDetails":{"ErrorType":"BookingError","ErrorMessage":"no seats left","StackTrace":"at book.rs:3","InnerFailure":{"ErrorType":"IoError","ErrorMessage":"timed out","StackTrace":null,"InnerFailure":null,"IsNonRetriable":true},"IsNonRetriable":false,"Properties":{"seat":"12A"}},"ScheduledTime":"2024-01-01T00:03:00.1230000Z","Timestamp":"2024-01-01T00:16:00.1230000Z"},
          {"EventType":"TimerFired","FireAt":"2024-01-01T00:00:00.1230000Z","Timestamp":"2024-01-01T00:17:00.1230000Z"},
          {"EventType":"EntityOperationCompleted","Name":"take","InstanceId":"@seats@12A","Input":2,"Result":2,"ScheduledTime":"2024-01-01T00:06:00.1230000Z","Timestamp":"2024-01-01T00:18:00.1230000Z"},
          {"EventType":"EntityOperationFailed","Name":"take","InstanceId":"@seats@12A","Input":2,"Reason":"no seats left","Details":"at book.rs:3","FailureDetails":{"ErrorType":"BookingError","ErrorMessage":"no seats left","StackTrace":"at book.rs:3","InnerFailure":{"ErrorType":"IoError","ErrorMessage":"timed out","StackTrace":null,"InnerFailure":null,"IsNonRetriable":true},"IsNonRetriable":false,"Properties":{"seat":"12A"}},"ScheduledTime":"2024-01-01T00:06:00.1230000Z","Timestamp":"2024-01-01T00:19:00.1230000Z"},
          {"EventType":"EntityLockGranted","Timestamp":"2024-01-01T00:20:00.1230000Z"},
          {"EventType":"EntityUnlockSent","Timestamp":"2024-01-01T00:21:00.1230000Z"},
          {"EventType":"EventRaised","Name":"Approval","Input":true,"Timestamp":"2024-01-01T00:22:00.1230000Z"},
          {"EventType":"ExecutionTerminated","Input":"enough","Timestamp":"2024-01-01T00:23:00.1230000Z"},
          {"EventType":"ExecutionCompleted","OrchestrationStatus":"Failed","Result":null,"FailureDetails":{"ErrorType":"BookingError","ErrorMessage":"no seats left","StackTrace":"at book.rs:3","InnerFailure":{"ErrorType":"IoError","ErrorMessage":"timed out","StackTrace":null,"InnerFailure":null,"IsNonRetriable":true},"IsNonRetriable":false,"Properties":{"seat":"12A"}},"Timestamp":"2024-01-01T00:24:00.1230000Z"},
          {"EventType":"ExecutionCompleted","OrchestrationStatus":"Terminated","Timestamp":"2024-01-01T00:25:00.1230000Z"}]}"#]],
    );
    check_in(
        everything(),
        "GET /instances/t?showHistory=true&showInput=false",
        &expect![[r#"
        200 {"name":"Trip","instanceId":"t","runtimeStatus":"Failed","input":null,"customStatus":null,"output":"BookingError: no seats left","createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z","historyEvents":[
          {"EventType":"ExecutionStarted","FunctionName":"Trip","Timestamp":"2024-01-01T00:01:00.1230000Z"},
          {"EventType":"TimerCreated","FireAt":"31197-09-14T02:48:05.4775807Z","Timestamp":"2024-01-01T00:04:00.1230000Z"},
          {"EventType":"EventSent","Name":"Go","InstanceId":"other","Timestamp":"2024-01-01T00:05:00.1230000Z"},
          {"EventType":"EntityOperationSignaled","Name":"free","InstanceId":"@seats@","ScheduledTime":"2024-01-01T00:00:00.1230000Z","Timestamp":"2024-01-01T00:07:00.1230000Z"},
          {"EventType":"EntityLockRequested","LockSet":["@a@1","@b@@"],"Timestamp":"2024-01-01T00:08:00.1230000Z"},
          {"EventType":"ExecutionSuspended","Reason":"a \"break\"","Timestamp":"2024-01-01T00:10:00.1230000Z"},
          {"EventType":"ExecutionResumed","Reason":"","Timestamp":"2024-01-01T00:11:00.1230000Z"},
          {"EventType":"ExecutionRewound","Reason":"again","Timestamp":"2024-01-01T00:12:00.1230000Z"},
          {"EventType":"TaskCompleted","FunctionName":"Book","ScheduledTime":"2024-01-01T00:02:00.1230000Z","Timestamp":"2024-01-01T00:13:00.1230000Z"},
          {"EventType":"TaskFailed","FunctionName":"Book","Reason":"no seats left","Details":"at book.rs:3","FailureDetails":{"ErrorType":"BookingError","ErrorMessage":"no seats left","StackTrace":"at book.rs:3","InnerFailure":{"ErrorType":"IoError","ErrorMessage":"timed out","StackTrace":null,"InnerFailure":null,"IsNonRetriable":true},"IsNonRetriable":false,"Properties":{"seat":"12A"}},"ScheduledTime":"2024-01-01T00:02:00.1230000Z","Timestamp":"2024-01-01T00:14:00.1230000Z"},
          {"EventType":"SubOrchestrationInstanceCompleted","FunctionName":"Leg","InstanceId":"t:1","ScheduledTime":"2024-01-01T00:03:00.1230000Z","Timestamp":"2024-01-01T00:15:00.1230000Z"},
          {"EventType":"SubOrchestrationInstanceFailed","FunctionName":"Leg","InstanceId":"t:1","Reason":"no seats left","Details":"at book.rs:3","FailureDetails":{"ErrorType":"BookingError","ErrorMessage":"no seats left","StackTrace":"at book.rs:3","InnerFailure":{"ErrorType":"IoError","ErrorMessage":"timed out","StackTrace":null,"InnerFailure":null,"IsNonRetriable":true},"IsNonRetriable":false,"Properties":{"seat":"12A"}},"ScheduledTime":"2024-01-01T00:03:00.1230000Z","Timestamp":"2024-01-01T00:16:00.1230000Z"},
          {"EventType":"TimerFired","FireAt":"2024-01-01T00:00:00.1230000Z","Timestamp":"2024-01-01T00:17:00.1230000Z"},
          {"EventType":"EntityOperationCompleted","Name":"take","InstanceId":"@seats@12A","ScheduledTime":"2024-01-01T00:06:00.1230000Z","Timestamp":"2024-01-01T00:18:00.1230000Z"},
          {"EventType":"EntityOperationFailed","Name":"take","InstanceId":"@seats@12A","Reason":"no seats left","Details":"at book.rs:3","FailureDetails":{"ErrorType":"BookingError","ErrorMessage":"no seats left","StackTrace":"at book.rs:3","InnerFailure":{"ErrorType":"IoError","ErrorMessage":"timed out","StackTrace":null,"InnerFailure":null,"IsNonRetriable":true},"IsNonRetriable":false,"Properties":{"seat":"12A"}},"ScheduledTime":"2024-01-01T00:06:00.1230000Z","Timestamp":"2024-01-01T00:19:00.1230000Z"},
          {"EventType":"EntityLockGranted","Timestamp":"2024-01-01T00:20:00.1230000Z"},
          {"EventType":"EntityUnlockSent","Timestamp":"2024-01-01T00:21:00.1230000Z"},
          {"EventType":"EventRaised","Name":"Approval","Timestamp":"2024-01-01T00:22:00.1230000Z"},
          {"EventType":"ExecutionTerminated","Timestamp":"2024-01-01T00:23:00.1230000Z"},
          {"EventType":"ExecutionCompleted","OrchestrationStatus":"Failed","FailureDetails":{"ErrorType":"BookingError","ErrorMessage":"no seats left","StackTrace":"at book.rs:3","InnerFailure":{"ErrorType":"IoError","ErrorMessage":"timed out","StackTrace":null,"InnerFailure":null,"IsNonRetriable":true},"IsNonRetriable":false,"Properties":{"seat":"12A"}},"Timestamp":"2024-01-01T00:24:00.1230000Z"},
          {"EventType":"ExecutionCompleted","OrchestrationStatus":"Terminated","Timestamp":"2024-01-01T00:25:00.1230000Z"}]}"#]],
    );
}

#[test]
fn a_whole_history_is_one_event_a_line() {
    check_in(
        everything(),
        "GET /instances/t/History/",
        &expect![[r#"
        200 application/x-ndjson {"eventType":"OrchestratorStarted","timestamp":"2024-01-01T00:00:00.1230000Z"}
          {"eventType":"ExecutionStarted","timestamp":"2024-01-01T00:01:00.1230000Z","name":"Trip","instanceId":"t","executionId":"00000000000000000000000000000007","input":[1],"startAt":"2024-01-01T00:00:00.1230000Z","version":"1.2","tags":{"customer":"42"},"parentInstance":{"instanceId":"parent","executionId":"00000000000000000000000000000001","name":"Holidays","taskScheduledId":3},"depth":2,"pinnedTo":"abc","acceptedEventIds":["e1"]}
          {"eventType":"TaskScheduled","timestamp":"2024-01-01T00:02:00.1230000Z","eventId":0,"name":"Book","input":2,"timeoutMs":30000,"heartbeatTimeoutMs":1500,"tags":{"class":"2"}}
          {"eventType":"SubOrchestrationInstanceCreated","timestamp":"2024-01-01T00:03:00.1230000Z","eventId":1,"retryOf":0,"name":"Leg","instanceId":"t:1","input":{   "a": 1.0 },"payloadText":"{\n  \"a\": 1.0\n}","startAt":"2024-01-01T00:00:00.1230000Z","version":"1.2","tags":{"customer":"42"},"detached":true}
          {"eventType":"TimerCreated","timestamp":"2024-01-01T00:04:00.1230000Z","eventId":2,"retryOf":0,"fireAt":"31197-09-14T02:48:05.4775807Z"}
          {"eventType":"EventSent","timestamp":"2024-01-01T00:05:00.1230000Z","eventId":3,"name":"Go","instanceId":"other","input":2}
          {"eventType":"EntityOperationCalled","timestamp":"2024-01-01T00:06:00.1230000Z","eventId":4,"instanceId":"@seats@12A","operation":"take","input":2}
          {"eventType":"EntityOperationSignaled","timestamp":"2024-01-01T00:07:00.1230000Z","eventId":5,"instanceId":"@seats@","operation":"free","input":"not json","payloadText":"not json","deliverAt":"2024-01-01T00:00:00.1230000Z"}
          {"eventType":"EntityLockRequested","timestamp":"2024-01-01T00:08:00.1230000Z","eventId":6,"lockSet":["@a@1","@b@@"]}
          {"eventType":"OrchestratorCompleted","timestamp":"2024-01-01T00:09:00.1230000Z"}
          {"eventType":"ExecutionSuspended","timestamp":"2024-01-01T00:10:00.1230000Z","reason":"a \"break\""}
          {"eventType":"ExecutionResumed","timestamp":"2024-01-01T00:11:00.1230000Z","reason":""}
          {"eventType":"ExecutionRewound","timestamp":"2024-01-01T00:12:00.1230000Z","reason":"again"}
          {"eventType":"TaskCompleted","timestamp":"2024-01-01T00:13:00.1230000Z","taskScheduledId":0,"result":{"seat":1.00},"payloadText":" {\"seat\":1.00}"}
          {"eventType":"TaskFailed","timestamp":"2024-01-01T00:14:00.1230000Z","taskScheduledId":0,"failureDetails":{"errorType":"BookingError","errorMessage":"no seats left","stackTrace":"at book.rs:3","innerFailure":{"errorType":"IoError","errorMessage":"timed out","isNonRetriable":true},"isNonRetriable":false,"properties":{"seat":"12A"}}}
          {"eventType":"SubOrchestrationInstanceCompleted","timestamp":"2024-01-01T00:15:00.1230000Z","taskScheduledId":1,"result":null}
          {"eventType":"SubOrchestrationInstanceFailed","timestamp":"2024-01-01T00:16:00.1230000Z","taskScheduledId":1,"failureDetails":{"errorType":"BookingError","errorMessage":"no seats left","stackTrace":"at book.rs:3","innerFailure":{"errorType":"IoError","errorMessage":"timed out","isNonRetriable":true},"isNonRetriable":false,"properties":{"seat":"12A"}}}
          {"eventType":"TimerFired","timestamp":"2024-01-01T00:17:00.1230000Z","timerId":2,"fireAt":"2024-01-01T00:00:00.1230000Z"}
          {"eventType":"EntityOperationCompleted","timestamp":"2024-01-01T00:18:00.1230000Z","taskScheduledId":4,"result":2}
          {"eventType":"EntityOperationFailed","timestamp":"2024-01-01T00:19:00.1230000Z","taskScheduledId":4,"failureDetails":{"errorType":"BookingError","errorMessage":"no seats left","stackTrace":"at book.rs:3","innerFailure":{"errorType":"IoError","errorMessage":"timed out","isNonRetriable":true},"isNonRetriable":false,"properties":{"seat":"12A"}}}
          {"eventType":"EntityLockGranted","timestamp":"2024-01-01T00:20:00.1230000Z","taskScheduledId":6}
          {"eventType":"EntityUnlockSent","timestamp":"2024-01-01T00:21:00.1230000Z","eventId":7,"lockRequestedId":6}
          {"eventType":"EventRaised","timestamp":"2024-01-01T00:22:00.1230000Z","name":"Approval","input":true,"id":"e2"}
          {"eventType":"ExecutionTerminated","timestamp":"2024-01-01T00:23:00.1230000Z","reason":"enough"}
          {"eventType":"ExecutionCompleted","timestamp":"2024-01-01T00:24:00.1230000Z","result":null,"orchestrationStatus":"Failed","failureDetails":{"errorType":"BookingError","errorMessage":"no seats left","stackTrace":"at book.rs:3","innerFailure":{"errorType":"IoError","errorMessage":"timed out","isNonRetriable":true},"isNonRetriable":false,"properties":{"seat":"12A"}}}
          {"eventType":"ExecutionCompleted","timestamp":"2024-01-01T00:25:00.1230000Z","orchestrationStatus":"Terminated"}"#]],
    );
    check_in(
        World::with([instance("t", RuntimeStatus::Pending, 0)]),
        "GET /instances/t/history",
        &expect!["200 application/x-ndjson "],
    );
    check_in(
        World::default(),
        "GET /instances/t/history",
        &expect![[r#"404 {"Message":"No instance with ID 't' was found."}"#]],
    );
    check_in(
        World::broken(),
        "GET /instances/t/history",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}
