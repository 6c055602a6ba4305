//! Starting an instance: the answer with all URIs, waiting for the end, and every reason not to start.

use super::world::World;
use super::{broken, check, check_in};
use expect_test::{Expect, expect};

#[test]
fn a_start_is_answered_with_all_uris() {
    check(
        "POST /orchestrators/trip\n\n{\"a\":  1.0}",
        &expect![[r#"
            202 {"id":"0123456789abcdef0123456789abcdef","statusQueryGetUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef?taskHub=Trips&connection=Storage","sendEventPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef/raiseEvent/{eventName}?taskHub=Trips&connection=Storage","terminatePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef/terminate?reason={text}&taskHub=Trips&connection=Storage","purgeHistoryDeleteUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef?taskHub=Trips&connection=Storage","restartPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef/restart?taskHub=Trips&connection=Storage","suspendPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef/suspend?reason={text}&taskHub=Trips&connection=Storage","resumePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef/resume?reason={text}&taskHub=Trips&connection=Storage"}
            retry-after: 10
            location: http://localhost:7071/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef?taskHub=Trips&connection=Storage
            -> start Trip 0123456789abcdef0123456789abcdef {"a":  1.0}"#]],
    );
    check(
        "POST /ORCHESTRATORS/Trip/My%20Trip/?taskhub=TRIPS\nContent-Length: 0",
        &expect![[r#"
            202 {"id":"My Trip","statusQueryGetUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/My%20Trip?taskHub=Trips&connection=Storage","sendEventPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/My%20Trip/raiseEvent/{eventName}?taskHub=Trips&connection=Storage","terminatePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/My%20Trip/terminate?reason={text}&taskHub=Trips&connection=Storage","purgeHistoryDeleteUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/My%20Trip?taskHub=Trips&connection=Storage","restartPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/My%20Trip/restart?taskHub=Trips&connection=Storage","suspendPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/My%20Trip/suspend?reason={text}&taskHub=Trips&connection=Storage","resumePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/My%20Trip/resume?reason={text}&taskHub=Trips&connection=Storage"}
            retry-after: 10
            location: http://localhost:7071/runtime/webhooks/durabletask/instances/My%20Trip?taskHub=Trips&connection=Storage
            -> start Trip My Trip null"#]],
    );
    check(
        "POST /orchestrators/Trip/completed?returnInternalServerErrorOnFailure=True\n\n\"\"",
        &expect![[r#"
            202 {"id":"completed","statusQueryGetUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/completed?taskHub=Trips&connection=Storage&returnInternalServerErrorOnFailure=true","sendEventPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/completed/raiseEvent/{eventName}?taskHub=Trips&connection=Storage","terminatePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/completed/terminate?reason={text}&taskHub=Trips&connection=Storage","purgeHistoryDeleteUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/completed?taskHub=Trips&connection=Storage","restartPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/completed/restart?taskHub=Trips&connection=Storage","suspendPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/completed/suspend?reason={text}&taskHub=Trips&connection=Storage","resumePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/completed/resume?reason={text}&taskHub=Trips&connection=Storage"}
            retry-after: 10
            location: http://localhost:7071/runtime/webhooks/durabletask/instances/completed?taskHub=Trips&connection=Storage&returnInternalServerErrorOnFailure=true
            -> start Trip completed """#]],
    );
}

#[test]
fn a_start_that_cannot_be_is_refused_with_the_reason() {
    check(
        "POST /orchestrators/Trip\n\n{\"a\":}",
        &expect![[
            r#"400 {"Message":"Invalid JSON content","ExceptionMessage":"expected value at line 1 column 6","ExceptionType":"Newtonsoft.Json.JsonReaderException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /orchestrators/Trap\n\n1",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"no orchestrator 'Trap'; known are: [\"Trip\", \"Quick\", \"Broken\"]","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /orchestrators/Trip/@entity",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the instance id starts with '@', which is reserved for entities; choose another first character","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /orchestrators/Trip/a%2Fb",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the instance id contains '/'; '/', '\\', '#', '?' and control characters are not allowed","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /orchestrators/Trip/running",
        &expect![[
            r#"500 {"Message":"Something went wrong while processing your request","ExceptionMessage":"an instance with ID 'running' already exists and is Running; wait until it has ended, or choose another ID","ExceptionType":"System.InvalidOperationException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /orchestrators/Trip\n\n\"this is longer than 32 bytes are\"",
        &expect![[
            r#"413 {"Message":"The request body is longer than 32 bytes; send a reference to the data, or raise host.durableTask.maxPayloadBytes."}"#
        ]],
    );
    check(
        "POST /orchestrators/Trip\nContent-Length: 33",
        &expect![[
            r#"413 {"Message":"The request body is longer than 32 bytes; send a reference to the data, or raise host.durableTask.maxPayloadBytes."}"#
        ]],
    );
    check(
        "POST /orchestrators/Trip?taskHub=Other",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the task hub 'Other' is not served here; this host serves 'Trips'","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check_in(
        broken(),
        "POST /orchestrators/Trip",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}

#[test]
fn a_start_waits_for_the_end_when_asked_to() {
    check(
        "POST /orchestrators/Quick/q?timeout=2.5&pollingInterval=1",
        &expect![[r#"
            200 {"booked": 1.50}
            -> start Quick q null
            -> wait q 2.5s"#]],
    );
    check(
        "POST /orchestrators/Broken/b?timeout=2&pollingInterval=0.5",
        &expect![[r#"
            200 {"name":"Broken","instanceId":"b","runtimeStatus":"Failed","input":[1, 2],"customStatus":null,"output":"BookingError: no seats left","createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z"}
            -> start Broken b null
            -> wait b 2s"#]],
    );
    let strict = "POST /orchestrators/Broken/b?timeout=2&pollingInterval=1&returnInternalServerErrorOnFailure=true";
    check(
        strict,
        &expect![[r#"
            500 {"name":"Broken","instanceId":"b","runtimeStatus":"Failed","input":[1, 2],"customStatus":null,"output":"BookingError: no seats left","createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z"}
            -> start Broken b null
            -> wait b 2s"#]],
    );
    check(
        "POST /orchestrators/Trip/t?timeout=1e9&pollingInterval=1",
        &expect![[r#"
            202 {"id":"t","statusQueryGetUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage","sendEventPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/raiseEvent/{eventName}?taskHub=Trips&connection=Storage","terminatePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/terminate?reason={text}&taskHub=Trips&connection=Storage","purgeHistoryDeleteUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage","restartPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/restart?taskHub=Trips&connection=Storage","suspendPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/suspend?reason={text}&taskHub=Trips&connection=Storage","resumePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/resume?reason={text}&taskHub=Trips&connection=Storage"}
            retry-after: 10
            location: http://localhost:7071/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage
            -> start Trip t null
            -> wait t 3600s"#]],
    );
    check(
        "POST /orchestrators/Trip/t?timeout=2",
        &expect![[r#"
            202 {"id":"t","statusQueryGetUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage","sendEventPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/raiseEvent/{eventName}?taskHub=Trips&connection=Storage","terminatePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/terminate?reason={text}&taskHub=Trips&connection=Storage","purgeHistoryDeleteUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage","restartPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/restart?taskHub=Trips&connection=Storage","suspendPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/suspend?reason={text}&taskHub=Trips&connection=Storage","resumePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/resume?reason={text}&taskHub=Trips&connection=Storage"}
            retry-after: 10
            location: http://localhost:7071/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage
            -> start Trip t null"#]],
    );
    check(
        "POST /orchestrators/Trip/t?timeout=1&pollingInterval=2",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'pollingInterval' (2 s) is longer than 'timeout' (1 s)","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /orchestrators/Trip/t?timeout=soon&pollingInterval=2",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'timeout' is \"soon\"; it must be a number of seconds from 0","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /orchestrators/Trip/t?timeout=-1&pollingInterval=-2",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'timeout' is \"-1\"; it must be a number of seconds from 0","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
}

/// The last line of an answer to a start, which says what reached the client.
fn check_said(asked: &str, expected: &Expect) {
    expected.assert_eq(&super::said(asked));
}

#[test]
fn a_start_has_options() {
    check_said("POST /orchestrators/Trip/t?version=1.2\n\n1", &expect!["start Trip t 1 version 1.2"]);
    check_said(
        "POST /orchestrators/Trip/t?tag=customer=42&Tag=note=a%3Db\n\n1",
        &expect![[r#"start Trip t 1 tags {"customer": "42", "note": "a=b"}"#]],
    );
    check_said(
        "POST /orchestrators/Trip/t?startAt=2024-02-01T10:00:00%2B02:00\n\n1",
        &expect!["start Trip t 1 at 2024-02-01T08:00:00.0000000Z"],
    );
    check_said("POST /orchestrators/Trip/t\nIdempotency-Key: order-7\n\n1", &expect!["start Trip t 1 key order-7"]);
    check(
        "POST /orchestrators/Trip/t?tag=customer",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'tag' is \"customer\"; it must be a name, '=' and a value","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /orchestrators/Trip/t?tag==42",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'tag' is \"=42\"; it must be a name, '=' and a value","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /orchestrators/Trip/t?startAt=tomorrow",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'startAt' is \"tomorrow\"; it must be in ISO 8601, such as 2024-01-31T08:00:00Z","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /orchestrators/Trip/t\nIdempotency-Key: ",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the header Idempotency-Key is empty or not of visible ASCII characters","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
}

#[test]
fn what_was_started_once_is_started_again() {
    check(
        "POST /instances/running/restart",
        &expect![[r#"
        202 {"id":"another","statusQueryGetUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/another?taskHub=Trips&connection=Storage","sendEventPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/another/raiseEvent/{eventName}?taskHub=Trips&connection=Storage","terminatePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/another/terminate?reason={text}&taskHub=Trips&connection=Storage","purgeHistoryDeleteUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/another?taskHub=Trips&connection=Storage","restartPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/another/restart?taskHub=Trips&connection=Storage","suspendPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/another/suspend?reason={text}&taskHub=Trips&connection=Storage","resumePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/another/resume?reason={text}&taskHub=Trips&connection=Storage"}
        retry-after: 10
        location: http://localhost:7071/runtime/webhooks/durabletask/instances/another?taskHub=Trips&connection=Storage
        -> restart running as another"#]],
    );
    check_said(
        "POST /instances/completed/RESTART?restartWithNewInstanceId=FALSE",
        &expect!["restart completed as completed"],
    );
    check(
        "POST /instances/running/restart?restartWithNewInstanceId=false",
        &expect![[
            r#"500 {"Message":"Something went wrong while processing your request","ExceptionMessage":"an instance with ID 'running' already exists and is Running; wait until it has ended, or choose another ID","ExceptionType":"System.InvalidOperationException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /instances/nobody/restart",
        &expect![[
            r#"400 {"Message":"InstanceId does not match a valid orchestration instance.","ExceptionMessage":"An orchestrator with the instanceId nobody was not found.","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /instances/running/restart?timeout=1&pollingInterval=2",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"'pollingInterval' (2 s) is longer than 'timeout' (1 s)","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check_in(
        broken(),
        "POST /instances/running/restart",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}

#[test]
fn a_restart_waits_for_the_end_when_asked_to() {
    let world = |name: &str| {
        let mut view = super::instance("t", orchestration::RuntimeStatus::Terminated, 0);
        view.row.name = name.to_owned();
        World::with([view])
    };
    let asked = "POST /instances/t/restart?restartWithNewInstanceId=false&timeout=2&pollingInterval=1";
    check_in(
        world("Quick"),
        asked,
        &expect![[r#"
        200 {"booked": 1.50}
        -> restart t as t
        -> wait t 2s"#]],
    );
    check_in(
        world("Broken"),
        &format!("{asked}&returnInternalServerErrorOnFailure=true"),
        &expect![[r#"
        500 {"name":"Broken","instanceId":"t","runtimeStatus":"Failed","input":[1, 2],"customStatus":null,"output":"BookingError: no seats left","createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z"}
        -> restart t as t
        -> wait t 2s"#]],
    );
    check_in(
        world("Trip"),
        asked,
        &expect![[r#"
        202 {"id":"t","statusQueryGetUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage","sendEventPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/raiseEvent/{eventName}?taskHub=Trips&connection=Storage","terminatePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/terminate?reason={text}&taskHub=Trips&connection=Storage","purgeHistoryDeleteUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage","restartPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/restart?taskHub=Trips&connection=Storage","suspendPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/suspend?reason={text}&taskHub=Trips&connection=Storage","resumePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/t/resume?reason={text}&taskHub=Trips&connection=Storage"}
        retry-after: 10
        location: http://localhost:7071/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage
        -> restart t as t
        -> wait t 2s"#]],
    );
}
