//! Starting an instance: the answer with all URIs, waiting for the end, and every reason not to start.

use super::{broken, check, check_in};
use expect_test::expect;

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
        &expect![[
            r#"500 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}"#
        ]],
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
