//! Operations that change an instance: raising an event, terminating, purging one and many; what reached the client is
//! part of each expectation.

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
        &expect![[
            r#"500 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}"#
        ]],
    );
}
