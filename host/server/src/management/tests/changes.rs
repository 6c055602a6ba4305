//! Operations that change an instance: raising an event, terminating, suspending, resuming, rewinding, purging one and many;
//! what reached the client is part of each expectation.

use super::world::{World, entity};
use super::{broken, check, check_in};
use expect_test::expect;

#[test]
fn an_event_is_checked_in_order_and_raised() {
    let json = "Content-Type: application/json";
    check(
        &format!("POST /instances/running/RaiseEvent/Approval\n{json}; charset=utf-8\n\n{{\"ok\": true}}"),
        &expect![[r#"
            202
            -> raise running Approval {"ok": true}"#]],
    );
    check(
        &format!("POST /instances/pending/raiseevent/Go%20on/\n{json}"),
        &expect![[r#"
            202
            -> raise pending Go on null"#]],
    );
    check(
        "POST /instances/nobody/raiseEvent/Approval\n\n{",
        &expect![[r#"404 {"Message":"No instance with ID 'nobody' was found."}"#]],
    );
    check(
        "POST /instances/failed/raiseEvent/Approval\n\n{",
        &expect![[r#"410 {"Message":"The instance with ID 'failed' is Failed and takes no more messages."}"#]],
    );
    check(
        "POST /instances/running/raiseEvent/Approval\n\n{",
        &expect![[r#"400 {"Message":"Only application/json request content is supported"}"#]],
    );
    check(
        "POST /instances/running/raiseEvent/Approval\nContent-Type: text/json\n\n{",
        &expect![[r#"400 {"Message":"Only application/json request content is supported"}"#]],
    );
    check(
        &format!("POST /instances/running/raiseEvent/Approval\n{json}\n\n{{"),
        &expect![[
            r#"400 {"Message":"Invalid JSON content","ExceptionMessage":"EOF while parsing an object at line 1 column 1","ExceptionType":"Newtonsoft.Json.JsonReaderException","StackTrace":""}"#
        ]],
    );
    check(
        &format!("POST /instances/running/raiseEvent/Approval\n{json}\nContent-Length: 99"),
        &expect![[
            r#"413 {"Message":"The request body is longer than 32 bytes; send a reference to the data, or raise host.durableTask.maxPayloadBytes."}"#
        ]],
    );
}

#[test]
fn an_instance_is_terminated_with_a_reason() {
    check(
        "POST /instances/running/Terminate?reason=it+is+%22late%22",
        &expect![[r#"
            202
            -> terminate running "it is \"late\"""#]],
    );
    check(
        "POST /instances/suspended/terminate\nContent-Type: application/octet-stream",
        &expect![[r#"
            202
            -> terminate suspended null"#]],
    );
    check(
        "POST /instances/nobody/terminate?reason=x",
        &expect![[r#"404 {"Message":"No instance with ID 'nobody' was found."}"#]],
    );
    check(
        "POST /instances/completed/terminate?reason=x",
        &expect![[r#"410 {"Message":"The instance with ID 'completed' is Completed and takes no more messages."}"#]],
    );
}

#[test]
fn an_event_with_a_name_of_its_senders_carries_it() {
    let json = "Content-Type: application/json";
    check(
        &format!("POST /instances/running/raiseEvent/Go?eventId=a%20b\n{json}\n\n1"),
        &expect![[r#"
        202
        -> raise running Go 1 id a b"#]],
    );
    check(
        &format!("POST /instances/running/raiseEvent/Go\n{json}\nIdempotency-Key: k-1\n\n1"),
        &expect![[r#"
        202
        -> raise running Go 1 id k-1"#]],
    );
    check(
        &format!("POST /instances/running/raiseEvent/Go?eventId=q\n{json}\nIdempotency-Key: k-1\n\n1"),
        &expect![[r#"
            202
            -> raise running Go 1 id q"#]],
    );
    check(
        &format!("POST /instances/running/raiseEvent/Go\n{json}\nIdempotency-Key: \u{e9}\n\n1"),
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the header Idempotency-Key is empty or not of visible ASCII characters","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
}

#[test]
fn children_are_terminated_when_the_caller_says_so() {
    check(
        "POST /instances/running/terminate?reason=x&recursive=TRUE",
        &expect![[r#"
        202
        -> terminate running "x" recursively"#]],
    );
    check(
        "POST /instances/pending/terminate?recursive=perhaps",
        &expect![[r#"
        202
        -> terminate pending null"#]],
    );
    check_in(
        broken(),
        "POST /instances/running/terminate",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}

#[test]
fn an_instance_is_held_and_goes_on() {
    check(
        "POST /instances/running/SUSPEND/?reason=lunch%20break",
        &expect![[r#"
        202
        -> suspend running "lunch break""#]],
    );
    check(
        "POST /instances/pending/suspend",
        &expect![[r#"
        202
        -> suspend pending """#]],
    );
    check(
        "POST /instances/suspended/suspend?reason=x",
        &expect![[
            r#"500 {"Message":"Something went wrong while processing your request","ExceptionMessage":"Cannot suspend the orchestration instance suspended because instance is in the Suspended state.","ExceptionType":"System.InvalidOperationException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /instances/completed/suspend",
        &expect![[r#"410 {"Message":"The instance with ID 'completed' is Completed and takes no more messages."}"#]],
    );
    check("POST /instances/nobody/suspend", &expect![[r#"404 {"Message":"No instance with ID 'nobody' was found."}"#]]);
    check(
        "POST /instances/suspended/resume?reason=back",
        &expect![[r#"
        202
        -> resume suspended "back""#]],
    );
    check(
        "POST /instances/running/resume",
        &expect![[
            r#"500 {"Message":"Something went wrong while processing your request","ExceptionMessage":"Cannot resume the orchestration instance running because instance is in the Running state.","ExceptionType":"System.InvalidOperationException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /instances/failed/resume",
        &expect![[r#"410 {"Message":"The instance with ID 'failed' is Failed and takes no more messages."}"#]],
    );
    check("POST /instances/nobody/resume", &expect![[r#"404 {"Message":"No instance with ID 'nobody' was found."}"#]]);
    check_in(
        broken(),
        "POST /instances/running/suspend",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}

#[test]
fn only_what_has_failed_is_rewound() {
    check(
        "POST /instances/failed/rewind?reason=fixed",
        &expect![[r#"
        202
        -> rewind failed "fixed" to SameApp"#]],
    );
    check(
        "POST /instances/failed/Rewind?latest=true",
        &expect![[r#"
        202
        -> rewind failed "" to PresentApp"#]],
    );
    check(
        "POST /instances/completed/rewind",
        &expect![[r#"410 {"Message":"The instance with ID 'completed' is Completed and takes no more messages."}"#]],
    );
    check(
        "POST /instances/terminated/rewind",
        &expect![[r#"410 {"Message":"The instance with ID 'terminated' is Terminated and takes no more messages."}"#]],
    );
    check(
        "POST /instances/running/rewind",
        &expect![[
            r#"500 {"Message":"Something went wrong while processing your request","ExceptionMessage":"The rewind operation is only supported on failed orchestration instances.","ExceptionType":"System.InvalidOperationException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /instances/suspended/rewind",
        &expect![[
            r#"500 {"Message":"Something went wrong while processing your request","ExceptionMessage":"The rewind operation is only supported on failed orchestration instances.","ExceptionType":"System.InvalidOperationException","StackTrace":""}"#
        ]],
    );
    check("POST /instances/nobody/rewind", &expect![[r#"404 {"Message":"No instance with ID 'nobody' was found."}"#]]);
}

#[test]
fn an_entity_is_no_orchestration() {
    let world = || World::with([entity("@counter@a", Some("5"), 0)]);
    check_in(
        world(),
        "POST /instances/@counter@a/terminate",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'@counter@a' is an entity","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check_in(
        world(),
        "POST /instances/@counter@a/suspend",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'@counter@a' is an entity","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check_in(
        world(),
        "POST /instances/@counter@a/resume",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'@counter@a' is an entity","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check_in(
        world(),
        "POST /instances/@counter@a/rewind",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'@counter@a' is an entity","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check_in(
        world(),
        "POST /instances/@counter@a/restart",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'@counter@a' is an entity","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check_in(
        world(),
        "POST /instances/@counter@a/raiseEvent/Go\nContent-Type: application/json\n\n1",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'@counter@a' is an entity","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
}

#[test]
fn an_entity_is_purged_when_nothing_waits_for_it() {
    check_in(
        World::with([entity("@counter@a", Some("5"), 0)]),
        "DELETE /instances/@counter@a",
        &expect![[r#"200 {"instancesDeleted":1}"#]],
    );
    check_in(
        World::with([entity("@counter@a", None, 0)]),
        "DELETE /instances/@counter@a",
        &expect![[
            r#"404 {"Message":"The entity '@counter@a' is locked or operations wait for it; purge it when it is idle, or signal it to delete itself."}"#
        ]],
    );
    check_in(
        World::with([entity("@counter@a", None, 0)]),
        "DELETE /instances/@counter@a?force=true",
        &expect![[
            r#"404 {"Message":"The entity '@counter@a' is locked or operations wait for it; purge it when it is idle, or signal it to delete itself."}"#
        ]],
    );
}

#[test]
fn only_what_has_ended_is_purged() {
    check("DELETE /instances/completed", &expect![[r#"200 {"instancesDeleted":1}"#]]);
    check(
        "DELETE /instances/running",
        &expect![[
            r#"404 {"Message":"The instance with ID 'running' is Running; only instances that have ended are purged. Terminate it first, or add force=true."}"#
        ]],
    );
    check("DELETE /instances/running?force=true", &expect![[r#"200 {"instancesDeleted":1}"#]]);
    check(
        "DELETE /instances/nobody?force=true",
        &expect![[r#"404 {"Message":"No instance with ID 'nobody' was found."}"#]],
    );
}

#[test]
fn a_purge_by_filter_takes_what_it_understands() {
    check("DELETE /instances/?createdTimeFrom=2024-01-01", &expect![[r#"200 {"instancesDeleted":3}"#]]);
    check("DELETE /instances?createdTimeFrom=2024-01-01&force=true", &expect![[r#"200 {"instancesDeleted":6}"#]]);
    check(
        "DELETE /instances?createdTimeFrom=2024-01-01&createdTimeTo=2024-01-01T00:15:00Z",
        &expect![[r#"200 {"instancesDeleted":1}"#]],
    );
    check(
        "DELETE /instances?createdTimeFrom=2024-01-01&runtimeStatus=Completed,Running",
        &expect![[r#"200 {"instancesDeleted":1}"#]],
    );
    check("DELETE /instances?createdTimeFrom=2024-01-01&runtimeStatus=Running", &expect!["404"]);
    check(
        "DELETE /instances?createdTimeFrom=2024-01-01&runtimeStatus=Running&force=true",
        &expect![[r#"200 {"instancesDeleted":1}"#]],
    );
    check("DELETE /instances?createdTimeFrom=2024-01-01&runtimeStatus=completed&force=true", &expect!["404"]);
    check("DELETE /instances?createdTimeFrom=2024-02-01", &expect!["404"]);
    check(
        "DELETE /instances",
        &expect![[r#"400 "Please provide a value for 'createdTimeFrom' in ISO 8601, such as 2024-01-31T08:00:00Z.""#]],
    );
    check(
        "DELETE /instances?createdTimeFrom=then",
        &expect![[r#"400 "Please provide a value for 'createdTimeFrom' in ISO 8601, such as 2024-01-31T08:00:00Z.""#]],
    );
    check_in(
        broken(),
        "DELETE /instances?createdTimeFrom=2024-01-01",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}
