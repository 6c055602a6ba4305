//! Reading requests, building responses, and what a failure becomes.

use expect_test::{Expect, expect};
use serde::Deserialize;

use crate::testing::instances;
use crate::{Client, Context, Failure, IntoResponse, Request, Response};

fn show(response: &Response) -> String {
    let header = |(name, value): &(String, Vec<u8>)| format!("{name}: {}\n", String::from_utf8_lossy(value));
    let headers: String = response.headers.iter().map(header).collect();
    format!("{}\n{headers}\n{}", response.status, String::from_utf8_lossy(&response.body))
}

fn check(response: impl IntoResponse, expected: Expect) {
    expected.assert_eq(&show(&response.into_response()));
}

#[test]
fn the_parts_of_a_url() {
    let request = Request::get("http://localhost:7071/api/trips?to=S%C3%A3o+Paulo&empty&half=%4&to=second#part")
        .with_header("X-Trace", "7")
        .with_param("conference", "RustConf");
    assert_eq!(request.path(), "/api/trips");
    assert_eq!(request.query("to").as_deref(), Some("São Paulo"));
    assert_eq!(request.query("empty").as_deref(), Some(""));
    assert_eq!(request.query("half").as_deref(), Some("%4"));
    assert_eq!(request.query("other"), None);
    assert_eq!(request.query_pairs().count(), 4);
    assert_eq!(request.header("x-trace"), Some("7"));
    assert_eq!(request.param("conference"), Some("RustConf"));
    assert_eq!(Request::get("http://localhost?a=1").path(), "/");
}

#[derive(Debug, Deserialize)]
struct Trip {
    #[expect(dead_code, reason = "it is only read by serde")]
    conference: String,
}

#[test]
fn a_body_that_does_not_fit_is_the_clients_fault() {
    let trip = |request: Request| request.json::<Trip>().map(|trip| format!("{trip:?}"));
    check(
        trip(Request::post("http://h/", &serde_json::json!({ "conference": "RustConf" }))),
        expect![[r#"
        200
        content-type: text/plain; charset=utf-8

        Trip { conference: "RustConf" }"#]],
    );
    check(
        trip(Request::post("http://h/", &serde_json::json!({}))),
        expect![[r#"
        400
        content-type: application/json

        {"error":"BadRequest","message":"the body is not a Trip: missing field `conference` at line 1 column 2"}"#]],
    );
    check(
        trip(Request::get("http://h/")),
        expect![[r#"
        400
        content-type: application/json

        {"error":"BadRequest","message":"the empty body is not a Trip: invalid type: null, expected struct Trip at line 1 column 4"}"#]],
    );
    let mut binary = Request::get("http://h/");
    binary.body = vec![0xff];
    check(
        trip(binary),
        expect![[r#"
        400
        content-type: application/json

        {"error":"BadRequest","message":"the body is not UTF-8: invalid utf-8 sequence of 1 bytes from index 0"}"#]],
    );
}

#[test]
fn our_own_failures_are_not_told() {
    check(
        Err::<Response, _>(Failure::new("Database", "password 'hunter2' is wrong")),
        expect![[r#"
        500
        content-type: text/plain; charset=utf-8

        The function failed; the host's log says why.
    "#]],
    );
    let told = Failure::new("NoSuchConference", "there is no RustConf this year").with_http_status(404);
    check(
        Err::<Response, _>(told),
        expect![[r#"
        404
        content-type: application/json

        {"error":"NoSuchConference","message":"there is no RustConf this year"}"#]],
    );
}

#[crate::orchestrator]
async fn answer(_ctx: Context) -> u32 {
    42
}

#[test]
fn the_answers_of_the_durable_client() {
    let instances = instances();
    let client = Client::new();
    let now = std::time::Duration::ZERO;
    client.start_with_id("a", answer, &()).unwrap();
    let check_status = client.check_status_response("a");
    assert_eq!((check_status.status, check_status.header("Retry-After")), (202, Some("10")));
    assert!(check_status.header("location").is_some_and(|uri| uri.ends_with("/instances/a")));
    assert_eq!(client.wait_for_completion_or_check_status("a", now).unwrap(), check_status);

    check(
        client.start_with_id("a", answer, &()),
        expect![[r#"
        409
        content-type: application/json

        {"error":"AlreadyExists","message":"an instance 'a' is at work already"}"#]],
    );
    instances.complete("a", &42);
    assert_eq!(client.status("a").unwrap().output::<u32>(), Ok(42));
    check(
        client.wait_for_completion_or_check_status("a", now),
        expect![[r#"
        200
        content-type: application/json

        42"#]],
    );
    check(
        client.raise_event("a", "Approval", &true).map(|()| ""),
        expect![[r#"
        410
        content-type: application/json

        {"error":"Gone","message":"instance 'a' has ended"}"#]],
    );

    client.start_with_id("b", answer, &()).unwrap();
    instances.fail("b", Failure::new("Boom", "it broke"));
    check(
        client.wait_for_completion_or_check_status("b", now),
        expect![[r#"
        200
        content-type: application/json

        {"name":"Answer","instanceId":"b","runtimeStatus":"Failed","input":null,"customStatus":null,"output":"Boom: it broke","createdTime":"2026-01-01T00:00:00Z","lastUpdatedTime":"2026-01-01T00:00:00Z"}"#]],
    );
    check(
        client.status("c").map(|_| ""),
        expect![[r#"
        404
        content-type: application/json

        {"error":"NotFound","message":"there is no instance 'c'"}"#]],
    );
}
