//! Entities: reading one, listing them, telling one to do something.

use super::world::{World, entity};
use super::{broken, check_in};
use expect_test::{Expect, expect};

fn check(asked: &str, expected: &Expect) {
    let world = World::with([
        entity("@counter@", Some("0"), 10),
        entity("@counter@A", Some(r#"{"value": 1.50}"#), 20),
        entity("@counter@locked", None, 30),
        entity("@seat@12A", Some(r#""taken""#), 40),
        super::instance("trip", orchestration::RuntimeStatus::Running, 0),
    ]);
    check_in(world, asked, expected);
}

#[test]
fn a_state_is_answered_as_it_is() {
    check("GET /entities/Seat/12A", &expect![[r#"200 "taken""#]]);
    check("GET /ENTITIES/counter/A/", &expect![[r#"200 {"value": 1.50}"#]]);
    check("GET /entities/counter/$", &expect!["200 0"]);
    check("GET /entities/counter/%24", &expect!["200 0"]);
}

#[test]
fn what_is_no_entity_has_no_state() {
    check("GET /entities/seat/12a", &expect![[r#"404 {"Message":"No entity '@seat@12a' was found."}"#]]);
    check("GET /entities/counter/locked", &expect![[r#"404 {"Message":"No entity '@counter@locked' was found."}"#]]);
    check("GET /entities/nothing/x", &expect![[r#"404 {"Message":"No entity '@nothing@x' was found."}"#]]);
    check(
        "GET /entities/a@b/x",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the entity '@a@b@x': the instance id contains '@'; '/', '\\', '#', '?' and control characters are not allowed","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "GET /entities/counter/A%2Fb",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the entity '@counter@A/b': the instance id contains '/'; '/', '\\', '#', '?' and control characters are not allowed","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "GET /entities/counter/a?taskHub=Other",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the task hub 'Other' is not served here; this host serves 'Trips'","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check_in(
        broken(),
        "GET /entities/counter/a",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}

#[test]
fn entities_are_listed_and_paged() {
    check(
        "GET /entities",
        &expect![[r#"
            200 [{"entityId":{"name":"counter","key":""},"lastOperationTime":"2024-01-01T00:10:00Z"},
              {"entityId":{"name":"counter","key":"A"},"lastOperationTime":"2024-01-01T00:20:00Z"}]
            x-ms-continuation-token: @counter@A"#]],
    );
    check(
        "GET /entities?fetchState=TRUE\nx-ms-continuation-token: @counter@A",
        &expect![[r#"
        200 [{"entityId":{"name":"seat","key":"12A"},"lastOperationTime":"2024-01-01T00:40:00Z","state":"taken"}]
        x-ms-continuation-token:"#]],
    );
    check(
        "GET /entities/COUNTER/?fetchState=true&top=1",
        &expect![[r#"
        200 [{"entityId":{"name":"counter","key":""},"lastOperationTime":"2024-01-01T00:10:00Z","state":0}]
        x-ms-continuation-token: @counter@"#]],
    );
    check(
        "GET /entities/nothing",
        &expect![[r#"
        200 []
        x-ms-continuation-token:"#]],
    );
    check(
        "GET /entities?lastOperationTimeFrom=2024-01-01T00:15&lastOperationTimeTo=2024-01-01T00:35",
        &expect![[r#"
            200 [{"entityId":{"name":"counter","key":"A"},"lastOperationTime":"2024-01-01T00:20:00Z"}]
            x-ms-continuation-token:"#]],
    );
    check(
        "GET /entities?lastOperationTimeFrom=yesterday&top=-1",
        &expect![[r#"
            200 [{"entityId":{"name":"counter","key":""},"lastOperationTime":"2024-01-01T00:10:00Z"},
              {"entityId":{"name":"counter","key":"A"},"lastOperationTime":"2024-01-01T00:20:00Z"}]
            x-ms-continuation-token: @counter@A"#]],
    );
    check_in(
        broken(),
        "GET /entities",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}

#[test]
fn an_entity_is_told_what_to_do() {
    check(
        "POST /entities/Counter/A?op=Add\nContent-Type: application/json\n\n{\"by\":  1}",
        &expect![[r#"
        202
        -> signal @counter@A "Add" {"by":  1}"#]],
    );
    check(
        "POST /entities/counter/$?op=add\nContent-Type: Application/JSON; charset=utf-8\n\n1",
        &expect![[r#"
        202
        -> signal @counter@$ "add" 1"#]],
    );
    check(
        "POST /entities/counter?op=add",
        &expect![[r#"
        202
        -> signal @counter@ "add" null"#]],
    );
    check(
        "POST /entities/counter/a\nContent-Type: application/json",
        &expect![[r#"
        202
        -> signal @counter@a "" null"#]],
    );
    check(
        "POST /entities/counter/a?op=note\nContent-Type: text/plain\n\n{\"by\": \"me\"}",
        &expect![[r#"
        202
        -> signal @counter@a "note" "{\"by\": \"me\"}""#]],
    );
    check(
        "POST /entities/counter/a?op=note\n\n1",
        &expect![[r#"
        202
        -> signal @counter@a "note" "1""#]],
    );
}

#[test]
fn a_signal_that_cannot_be_is_refused_with_the_reason() {
    check(
        "POST /entities/counter/a?op=add\nContent-Type: application/json\n\n{",
        &expect![[
            r#"400 {"Message":"Could not parse JSON content","ExceptionMessage":"EOF while parsing an object at line 1 column 1","ExceptionType":"Newtonsoft.Json.JsonReaderException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /entities/trip/a?op=add",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"no entity 'trip'; known are: [\"Counter\"]","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /entities/counter/a%23b?op=add",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the entity '@counter@a#b': the instance id contains '#'; '/', '\\', '#', '?' and control characters are not allowed","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "POST /entities/counter/a\nContent-Length: 33",
        &expect![[
            r#"413 {"Message":"The request body is longer than 32 bytes; send a reference to the data, or raise host.durableTask.maxPayloadBytes."}"#
        ]],
    );
    check_in(
        broken(),
        "POST /entities/counter/a",
        &expect![[r#"
            503 {"Message":"Something went wrong while processing your request","ExceptionMessage":"the store is unavailable: the disk is full","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            retry-after: 10"#]],
    );
}

#[test]
fn an_entity_is_deleted_by_a_signal() {
    check(
        "DELETE /entities/counter/A",
        &expect![[r#"
        202
        -> signal @counter@A "delete" null"#]],
    );
    check(
        "DELETE /entities/counter/",
        &expect![[r#"
        202
        -> signal @counter@ "delete" null"#]],
    );
    check(
        "DELETE /entities/trip/a",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"no entity 'trip'; known are: [\"Counter\"]","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
    check(
        "DELETE /entities/a@b/c",
        &expect![[
            r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the entity '@a@b@c': the instance id contains '@'; '/', '\\', '#', '?' and control characters are not allowed","ExceptionType":"System.ArgumentException","StackTrace":""}"#
        ]],
    );
}

#[test]
fn an_entity_can_be_looked_at_as_an_instance() {
    check(
        "GET /instances/@counter@?showHistory=true",
        &expect![[r#"
        202 {"name":"counter","instanceId":"@counter@","runtimeStatus":"Running","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:00:00Z","historyEvents":null}
        retry-after: 5
        location: http://localhost:7071/runtime/webhooks/durabletask/instances/@counter@?showHistory=true"#]],
    );
    check("GET /instances/@counter@/history", &expect!["200 application/x-ndjson "]);
    check(
        "GET /instances?instanceIdPrefix=@seat",
        &expect![[r#"
        200 [{"name":"seat","instanceId":"@seat@12A","runtimeStatus":"Running","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:00:00Z"}]
        x-ms-continuation-token:"#]],
    );
}
