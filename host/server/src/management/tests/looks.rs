//! Looking at one instance and at lists of them: what is shown, filters and pages.

use super::world::{World, entity, instance};
use super::{broken, check, check_in};
use expect_test::expect;
use orchestration::{Json, RuntimeStatus};

#[test]
fn a_status_shows_what_there_is() {
    check(
        "GET /instances/running",
        &expect![[r#"
            202 {"name":"Trip","instanceId":"running","runtimeStatus":"Running","input":[1, 2],"customStatus":null,"output":null,"createdTime":"2024-01-01T00:40:00Z","lastUpdatedTime":"2024-01-01T00:41:00Z"}
            retry-after: 5
            location: http://localhost:7071/runtime/webhooks/durabletask/instances/running"#]],
    );
    check(
        "GET /Instances/pending/?showInput=FALSE&code=x",
        &expect![[r#"
            202 {"name":"Trip","instanceId":"pending","runtimeStatus":"Pending","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:30:00Z","lastUpdatedTime":"2024-01-01T00:31:00Z"}
            retry-after: 5
            location: http://localhost:7071/runtime/webhooks/durabletask/Instances/pending/?showInput=FALSE&code=x"#]],
    );
    check(
        "GET /instances/suspended?showInput=maybe",
        &expect![[r#"
            202 {"name":"Trip","instanceId":"suspended","runtimeStatus":"Suspended","input":[1, 2],"customStatus":null,"output":null,"createdTime":"2024-01-01T00:50:00Z","lastUpdatedTime":"2024-01-01T00:51:00Z"}
            retry-after: 5
            location: http://localhost:7071/runtime/webhooks/durabletask/instances/suspended?showInput=maybe"#]],
    );
    check(
        "GET /instances/completed",
        &expect![[
            r#"200 {"name":"Trip","instanceId":"completed","runtimeStatus":"Completed","input":[1, 2],"customStatus":null,"output":{"booked": 1.50},"createdTime":"2024-01-01T00:10:00Z","lastUpdatedTime":"2024-01-01T00:11:00Z"}"#
        ]],
    );
    check(
        "GET /instances/terminated",
        &expect![[
            r#"200 {"name":"Trip","instanceId":"terminated","runtimeStatus":"Terminated","input":[1, 2],"customStatus":null,"output":"enough","createdTime":"2024-01-01T01:00:00Z","lastUpdatedTime":"2024-01-01T01:01:00Z"}"#
        ]],
    );
    check(
        "GET /instances/failed",
        &expect![[
            r#"200 {"name":"Trip","instanceId":"failed","runtimeStatus":"Failed","input":[1, 2],"customStatus":null,"output":"BookingError: no seats left","createdTime":"2024-01-01T00:20:00Z","lastUpdatedTime":"2024-01-01T00:21:00Z"}"#
        ]],
    );
    check(
        "GET /instances/failed?returnInternalServerErrorOnFailure=true",
        &expect![[
            r#"500 {"name":"Trip","instanceId":"failed","runtimeStatus":"Failed","input":[1, 2],"customStatus":null,"output":"BookingError: no seats left","createdTime":"2024-01-01T00:20:00Z","lastUpdatedTime":"2024-01-01T00:21:00Z"}"#
        ]],
    );
    check(
        "GET /instances/completed?returnInternalServerErrorOnFailure=true&showInput=false",
        &expect![[
            r#"200 {"name":"Trip","instanceId":"completed","runtimeStatus":"Completed","input":null,"customStatus":null,"output":{"booked": 1.50},"createdTime":"2024-01-01T00:10:00Z","lastUpdatedTime":"2024-01-01T00:11:00Z"}"#
        ]],
    );
}

#[test]
fn a_status_that_cannot_be_shown_is_refused() {
    check("GET /instances/nobody", &expect![[r#"404 {"Message":"No instance with ID 'nobody' was found."}"#]]);
    check("GET /instances/Running", &expect![[r#"404 {"Message":"No instance with ID 'Running' was found."}"#]]);
    check_in(
        broken(),
        "GET /instances/running",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}

#[test]
fn payloads_are_shown_digit_for_digit_and_what_is_no_json_as_text() {
    let mut view = instance("odd", RuntimeStatus::Completed, 0);
    view.input = Some(Json::from("1.00000000000000000001e400"));
    view.row.custom_status = Some(Json::from("not json"));
    view.row.output = Some(Json::from(r#"{"b":1,"a":2,"a":3}"#));
    check_in(
        World::with([view]),
        "GET /instances/odd",
        &expect![[
            r#"200 {"name":"Trip","instanceId":"odd","runtimeStatus":"Completed","input":1.00000000000000000001e400,"customStatus":"not json","output":{"b":1,"a":2,"a":3},"createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z"}"#
        ]],
    );
}

#[test]
fn lists_are_filtered_and_paged() {
    check(
        "GET /instances/",
        &expect![[r#"
            200 [{"name":"Trip","instanceId":"completed","runtimeStatus":"Completed","input":[1, 2],"customStatus":null,"output":{"booked": 1.50},"createdTime":"2024-01-01T00:10:00Z","lastUpdatedTime":"2024-01-01T00:11:00Z"},
              {"name":"Trip","instanceId":"failed","runtimeStatus":"Failed","input":[1, 2],"customStatus":null,"output":"BookingError: no seats left","createdTime":"2024-01-01T00:20:00Z","lastUpdatedTime":"2024-01-01T00:21:00Z"}]
            x-ms-continuation-token: failed"#]],
    );
    check(
        "GET /instances?top=1\nx-ms-continuation-token: pending",
        &expect![[r#"
            200 [{"name":"Trip","instanceId":"running","runtimeStatus":"Running","input":[1, 2],"customStatus":null,"output":null,"createdTime":"2024-01-01T00:40:00Z","lastUpdatedTime":"2024-01-01T00:41:00Z"}]
            x-ms-continuation-token: running"#]],
    );
    check(
        "GET /instances?showInput=false\nx-ms-continuation-token: running",
        &expect![[r#"
            200 [{"name":"Trip","instanceId":"suspended","runtimeStatus":"Suspended","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:50:00Z","lastUpdatedTime":"2024-01-01T00:51:00Z"},
              {"name":"Trip","instanceId":"terminated","runtimeStatus":"Terminated","input":null,"customStatus":null,"output":"enough","createdTime":"2024-01-01T01:00:00Z","lastUpdatedTime":"2024-01-01T01:01:00Z"}]
            x-ms-continuation-token:"#]],
    );
    check(
        "GET /instances?runtimeStatus=Failed,%20Nonsense&runtimeStatus=5&showInput=false",
        &expect![[r#"
            200 [{"name":"Trip","instanceId":"failed","runtimeStatus":"Failed","input":null,"customStatus":null,"output":"BookingError: no seats left","createdTime":"2024-01-01T00:20:00Z","lastUpdatedTime":"2024-01-01T00:21:00Z"},
              {"name":"Trip","instanceId":"terminated","runtimeStatus":"Terminated","input":null,"customStatus":null,"output":"enough","createdTime":"2024-01-01T01:00:00Z","lastUpdatedTime":"2024-01-01T01:01:00Z"}]
            x-ms-continuation-token:"#]],
    );
    check(
        "GET /instances?runtimeStatus=failed&createdTimeFrom=yesterday&top=1&showInput=no",
        &expect![[r#"
            200 [{"name":"Trip","instanceId":"completed","runtimeStatus":"Completed","input":[1, 2],"customStatus":null,"output":{"booked": 1.50},"createdTime":"2024-01-01T00:10:00Z","lastUpdatedTime":"2024-01-01T00:11:00Z"}]
            x-ms-continuation-token: completed"#]],
    );
    let between =
        "GET /instances?createdTimeFrom=2024-01-01T00:50&createdTimeTo=2024-01-01T01:55:00%2B01:00&showInput=false";
    check(
        between,
        &expect![[r#"
            200 [{"name":"Trip","instanceId":"suspended","runtimeStatus":"Suspended","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:50:00Z","lastUpdatedTime":"2024-01-01T00:51:00Z"}]
            x-ms-continuation-token:"#]],
    );
    check(
        "GET /instances?instanceIdPrefix=s&showInput=false\nx-ms-continuation-token: null",
        &expect![[r#"
            200 [{"name":"Trip","instanceId":"suspended","runtimeStatus":"Suspended","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:50:00Z","lastUpdatedTime":"2024-01-01T00:51:00Z"}]
            x-ms-continuation-token:"#]],
    );
    check(
        "GET /instances?instanceIdPrefix=none",
        &expect![[r#"
            200 []
            x-ms-continuation-token:"#]],
    );
    check_in(
        broken(),
        "GET /instances",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}

#[test]
fn lists_show_entities_only_to_those_who_ask_for_them() {
    let world = || {
        World::with([
            entity("@counter@a", Some("5"), 0),
            instance("é%", RuntimeStatus::Running, 0),
            instance("z", RuntimeStatus::Running, 0),
        ])
    };
    check_in(
        world(),
        "GET /instances?showInput=false",
        &expect![[r#"
            200 [{"name":"Trip","instanceId":"z","runtimeStatus":"Running","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z"},
              {"name":"Trip","instanceId":"é%","runtimeStatus":"Running","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z"}]
            x-ms-continuation-token:"#]],
    );
    check_in(
        world(),
        "GET /instances?instanceIdPrefix=@&showInput=false",
        &expect![[r#"
            200 [{"name":"counter","instanceId":"@counter@a","runtimeStatus":"Running","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:00:00Z"}]
            x-ms-continuation-token:"#]],
    );
    check_in(
        world(),
        "GET /instances?showInput=false\nx-ms-continuation-token: %C3%A9%25",
        &expect![[r#"
            200 []
            x-ms-continuation-token:"#]],
    );
}
