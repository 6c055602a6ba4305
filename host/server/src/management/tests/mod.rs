//! Every operation with every answer it can give, against a task hub that only remembers what it was told.

mod changes;
mod entities;
mod explanations;
mod histories;
mod looks;
mod pure;
mod starts;
pub(crate) mod world;

use bytes::Bytes;
use expect_test::{Expect, expect};
use futures::future::{BoxFuture, FutureExt, ready};
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use orchestration::{RuntimeStatus, Timestamp};
use ports::Clock;
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use std::sync::Arc;
use world::{World, instance, management, print, request};

use super::route;

/// One request to a world with one instance of each status.
fn check(asked: &str, expected: &Expect) {
    check_in(all(), asked, expected);
}

/// One request to a world: the answer, and after it what reached the client.
fn check_in(world: World, asked: &str, expected: &Expect) {
    let world = Arc::new(world);
    let answer = management(&world).handle(request(asked)).now_or_never().expect("nothing in here waits");
    let mut text = print(answer);
    for said in world.said.lock().expect("nobody panicked").iter() {
        text.push_str(&format!("\n-> {said}"));
    }
    expected.assert_eq(&text);
}

/// What reached the client by a request that was accepted.
fn said(asked: &str) -> String {
    let world = Arc::new(all());
    let answer = management(&world).handle(request(asked)).now_or_never().expect("nothing in here waits");
    assert!(answer.status().is_success(), "{asked}: {}", print(answer));
    world.said.lock().expect("nobody panicked").join("\n")
}

/// One instance of each status that can be seen.
fn all() -> World {
    World::with([
        instance("completed", RuntimeStatus::Completed, 10),
        instance("failed", RuntimeStatus::Failed, 20),
        instance("pending", RuntimeStatus::Pending, 30),
        instance("running", RuntimeStatus::Running, 40),
        instance("suspended", RuntimeStatus::Suspended, 50),
        instance("terminated", RuntimeStatus::Terminated, 60),
    ])
}

fn broken() -> World {
    World::broken()
}

#[test]
fn what_is_no_operation_is_404_without_a_body() {
    let requests = [
        "GET ",
        "GET /",
        "GET /orchestrators/Trip",
        "PUT /orchestrators/Trip",
        "POST /orchestrators",
        "PUT /entities/counter/a",
        "POST /entities",
        "DELETE /entities",
        "GET /entities/counter/a/b",
        "GET /entities//a",
        "GET /makeprimary",
        "POST /makeprimary/now",
        "POST /openapi.json",
        "GET /openapi.yaml",
        "GET /instances/running/suspend",
        "GET /instances/running/restart",
        "POST /instances/running/explain",
        "POST /instances/running/history",
        "DELETE /instances/running/terminate",
        "POST /instances/running/rewind/now",
        "POST /orchestrators/Trip/a/b",
        "POST /orchestrators//a",
        "POST /orchestrators/Trip/%FF",
        "HEAD /instances/running",
        "POST /instances/running",
        "POST /instances",
        "GET /instances/running/raiseEvent/Approval",
        "POST /instances/running/raiseEvent",
        "POST /instances/running/raiseEvent/a/b",
        "GET /instances/running/terminate",
        "POST /instances/running/explode",
        "POST /instances//terminate",
        "GET /instances//",
    ];
    for asked in requests {
        let world = Arc::new(all());
        let answer = management(&world).handle(request(asked)).now_or_never().expect("nothing in here waits");
        assert_eq!(print(answer), "404", "{asked}");
        assert_eq!(world.said.lock().expect("nobody panicked").as_slice(), [] as [&str; 0], "{asked}");
    }
}

#[test]
fn the_host_header_decides_what_uris_begin_with() {
    let world = Arc::new(all());
    let asked = request("POST /orchestrators/Trip/t");
    let (mut head, body) = asked.into_parts();
    head.headers.insert("host", "shop.example".parse().expect("a value"));
    head.headers.insert("x-forwarded-host", "evil.example".parse().expect("a value"));
    let answer =
        management(&world).handle(http::Request::from_parts(head, body)).now_or_never().expect("nothing waits");
    expect!["http://shop.example/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage"]
        .assert_eq(answer.headers()["location"].to_str().expect("visible"));
    let asked = request("GET /instances/running").map(|body| body);
    let (mut head, body) = asked.into_parts();
    head.headers.insert("host", "a/b".parse().expect("a value"));
    let answer =
        management(&world).handle(http::Request::from_parts(head, body)).now_or_never().expect("nothing waits");
    expect![[r#"400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the Host header \"a/b\" is not a host with an optional port","ExceptionType":"System.ArgumentException","StackTrace":""}"#]]
    .assert_eq(&print(answer));
}

/// A payload that no text can stand for.
fn check_payload(clock: Option<Arc<dyn Clock>>, body: ports::Body, expected: &Expect) {
    let world = Arc::new(all());
    let mut management = management(&world);
    management.clock = clock.unwrap_or(management.clock);
    let asked = request("POST /orchestrators/Trip").map(|_| body);
    expected.assert_eq(&print(management.handle(asked).now_or_never().expect("nothing in here waits")));
}

#[test]
fn a_payload_must_be_text_and_come_whole_and_in_time() {
    struct Late;
    impl Clock for Late {
        fn now(&self) -> Timestamp {
            Timestamp::MAX
        }
        fn sleep_until(&self, _moment: Timestamp) -> BoxFuture<'static, ()> {
            ready(()).boxed()
        }
    }
    type Piece = Result<Frame<Bytes>, ports::BoxError>;
    let bytes = |bytes: &'static [u8]| Piece::Ok(Frame::data(Bytes::from_static(bytes)));
    let latin = StreamBody::new(stream::iter([bytes(b"\"caf\xe9\"")]));
    check_payload(
        None,
        latin.boxed_unsync(),
        &expect![[
            r#"400 {"Message":"Invalid JSON content","ExceptionMessage":"the request's body is not UTF-8: invalid utf-8 sequence of 1 bytes from index 4","ExceptionType":"Newtonsoft.Json.JsonReaderException","StackTrace":""}"#
        ]],
    );
    let broken = StreamBody::new(stream::iter([bytes(b"[1,"), Err("connection reset".into())]));
    check_payload(
        None,
        broken.boxed_unsync(),
        &expect![[
            r#"400 {"Message":"Invalid JSON content","ExceptionMessage":"the request's body broke off: connection reset","ExceptionType":"Newtonsoft.Json.JsonReaderException","StackTrace":""}"#
        ]],
    );
    let endless = StreamBody::new(stream::repeat_with(move || bytes(b"[[[[[[[[")));
    check_payload(
        None,
        endless.boxed_unsync(),
        &expect![[
            r#"413 {"Message":"The request body is longer than 32 bytes; send a reference to the data, or raise host.durableTask.maxPayloadBytes."}"#
        ]],
    );
    let stalled = StreamBody::new(stream::pending::<Piece>());
    check_payload(
        Some(Arc::new(Late)),
        stalled.boxed_unsync(),
        &expect![[r#"408 {"Message":"The request body did not arrive in time."}"#]],
    );
}

#[test]
fn old_clients_find_the_api_at_its_old_place() {
    check(
        "GET /ADMIN/extensions/durabletaskextension/instances/running?showInput=false",
        &expect![[r#"
        202 {"name":"Trip","instanceId":"running","runtimeStatus":"Running","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:40:00Z","lastUpdatedTime":"2024-01-01T00:41:00Z"}
        retry-after: 5
        location: http://localhost:7071/ADMIN/extensions/durabletaskextension/instances/running?showInput=false"#]],
    );
    check("POST /admin/extensions/DurableTaskExtension/makeprimary/", &expect![["200"]]);
    check("GET /admin/extensions/DurableTaskExtensions/instances/running", &expect![["404"]]);
    check("POST /makePrimary", &expect![["200"]]);
}

#[test]
fn the_api_describes_itself() {
    let world = Arc::new(all());
    let answer = management(&world).handle(request("GET /openapi.json")).now_or_never().expect("nothing in here waits");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/json".parse().expect("a value"))
    );
    let body = answer.into_body().collect().now_or_never().expect("nothing waits").expect("a body").to_bytes();
    let document: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(document["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
    // Every operation that it describes is one, and the other way round is what the test of 404 is for.
    let paths = document["paths"].as_object().expect("paths");
    for (path, item) in paths {
        for method in item.as_object().expect("a path item").keys() {
            let Ok(method) = method.to_uppercase().parse::<http::Method>() else { continue };
            let is_method = [http::Method::GET, http::Method::POST, http::Method::DELETE].contains(&method);
            let path = path.replace(['{', '}'], "");
            assert!(
                !is_method || route::find(&method, &format!("/runtime/webhooks/durabletask{path}")).is_some(),
                "{method} {path}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_makes_it_panic(
        method in "(GET|POST|DELETE|PUT|[A-Z]{1,7})",
        path in "(/(orchestrators|instances|entities|trip|running|failed|raiseEvent|terminate|suspend|resume|rewind|restart|history|counter|@counter@a|%[0-9A-F]{2}|\\PC{0,5})){0,5}/?",
        query in "((timeout|pollingInterval|createdTimeFrom|createdTimeTo|top|runtimeStatus|force|reason|tag|startAt|op|fetchState)=\\PC{0,9}&){0,4}",
        token in "[ -~]{0,12}",
        json in any::<bool>(),
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let asked = http::Request::builder()
            .method(method.as_str())
            .uri(format!("/runtime/webhooks/durabletask{path}?{query}"))
            .header("host", "h")
            .header("content-type", if json { "application/json" } else { "text/plain" })
            .header("x-ms-continuation-token", token)
            .body(http_body_util::Full::from(body).map_err(|never| match never {}).boxed_unsync());
        // What is no request at all never gets here.
        if let Ok(asked) = asked {
            let world = Arc::new(all());
            let answer = management(&world).handle(asked).now_or_never().expect("nothing in here waits");
            assert!(!answer.status().is_server_error() || answer.status() == 500);
            drop(print(answer));
        }
    }
}
