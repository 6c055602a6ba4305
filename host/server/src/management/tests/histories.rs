//! Histories as callers see them: one execution that did everything once, with and without inputs and results.

use super::check_in;
use super::world::{World, instance, minute};
use expect_test::expect;
use orchestration::{
    Event, EventId, EventKind, ExecutionId, ExecutionStarted, Failure, InstanceId, Json, RaisedEvent, RuntimeStatus,
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
    let started = ExecutionStarted {
        name: "Trip".to_owned(),
        input: Json::from("[1]"),
        execution: ExecutionId::from_random(7),
        parent: None,
    };
    let task =
        |id, name: &str| EventKind::TaskScheduled { id: EventId(id), name: name.to_owned(), input: Json::from("2") };
    let child = |id, child: &str| EventKind::SubOrchestrationInstanceCreated {
        id: EventId(id),
        name: "Leg".to_owned(),
        instance_id: InstanceId::from_stored(child),
        input: Json::from("3"),
    };
    let fire_at = minute(90);
    vec![
        EventKind::OrchestratorStarted,
        EventKind::ExecutionStarted(Box::new(started)),
        task(0, "BookFlight"),
        task(1, "BookHotel"),
        child(2, "t:2"),
        EventKind::TimerCreated { id: EventId(3), fire_at },
        task(4, "SendEmail"),
        child(5, "t:5"),
        EventKind::OrchestratorCompleted,
        EventKind::OrchestratorStarted,
        EventKind::TaskFailed { scheduled: EventId(1), failure },
        EventKind::TaskCompleted { scheduled: EventId(0), result: Json::from(r#"{"seat":1.0}"#) },
        EventKind::SubOrchestrationInstanceCompleted { scheduled: EventId(2), result: Json::from("4") },
        EventKind::TimerFired { timer: EventId(3), fire_at },
        EventKind::EventRaised(RaisedEvent { name: "Approval".to_owned(), input: Json::from("true") }),
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
