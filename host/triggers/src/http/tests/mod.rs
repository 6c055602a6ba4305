//! The trigger against functions that are closures: every status of its table, streams, places, log lines.

mod bindings;
mod world;

use super::{FaultDetail, ForwardedHeaders, HttpLimits, HttpOptions, OriginPolicy};
use crate::world::logged;
use bytes::Bytes;
use expect_test::{Expect, expect};
use futures::channel::oneshot;
use futures::future::{FutureExt, pending};
use futures::task::Poll;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use ports::{BoxError, GuestFault};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use std::sync::{Arc, Mutex};
use world::{APP, Answer, echo, full, options, pieces, print, request, trigger};

/// One request to a fresh trigger whose functions echo.
fn check(asked: &str, expected: &Expect) {
    check_with(options(), asked, echo, expected);
}

fn check_with(
    options: HttpOptions,
    asked: &str,
    functions: impl Fn(ports::HttpInvocation) -> Answer + Send + Sync + 'static,
    expected: &Expect,
) {
    let trigger = trigger(APP, options, functions);
    let answer = async { print(trigger.handle(request(asked)).await).await };
    expected.assert_eq(&answer.now_or_never().expect("nothing in here waits"));
}

fn fault(fault: GuestFault) -> impl Fn(ports::HttpInvocation) -> Answer + Send + Sync + 'static {
    move |_| std::future::ready(Err(fault.clone())).boxed()
}

#[test]
fn a_request_reaches_the_function_of_its_route() {
    check(
        "POST /api/hello/world/3?loud=1\nHost: example.com:8080\n\nhi",
        &expect![[r#"
            200 OK
            content-length: 100
            x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

            Hello POST http://example.com:8080/api/hello/world/3?loud=1 [("name", "world"), ("times", "3")] "hi"
        "#]],
    );
    check(
        "GET /API/Hello/World/\nHost: example.com",
        &expect![[r#"
        200 OK
        content-length: 68
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        Hello GET http://example.com/API/Hello/World/ [("name", "World")] ""
    "#]],
    );
    check(
        "PROPFIND /api/any/a%2Fb/c\nHost: example.com",
        &expect![[r#"
        200 OK
        content-length: 75
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        Anything PROPFIND http://example.com/api/any/a%2Fb/c [("rest", "a/b/c")] ""
    "#]],
    );
    check(
        "GET http://other.example/api/any\nHost: example.com",
        &expect![[r#"
        200 OK
        content-length: 47
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        Anything GET http://other.example/api/any [] ""
    "#]],
    );
}

#[test]
fn a_request_that_means_no_function_is_answered_like_azure_does() {
    check(
        "GET /api/nobody\nHost: h",
        &expect![[r#"
        404 Not Found
    "#]],
    );
    check(
        "GET /api/hello/world/many\nHost: h",
        &expect![[r#"
        404 Not Found
    "#]],
    );
    check(
        "GET /api/Work\nHost: h",
        &expect![[r#"
        404 Not Found
    "#]],
    );
    check(
        "OPTIONS *\nHost: h",
        &expect![[r#"
        404 Not Found
    "#]],
    );
    check(
        "CONNECT h:80\nHost: h",
        &expect![[r#"
        501 Not Implemented
    "#]],
    );
}

#[test]
fn a_wrong_method_is_405_and_404_where_azure_is_to_be_followed() {
    check(
        "DELETE /api/hello/world\nHost: h",
        &expect![[r#"
        405 Method Not Allowed
        allow: GET, POST, HEAD
    "#]],
    );
    let strict = format!("{APP}\n[host.http]\nstrictAzureStatus = true\n");
    let trigger = trigger(&strict, options(), echo);
    let answer = trigger.handle(request("DELETE /api/hello/world\nHost: h")).now_or_never().expect("nothing waits");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[test]
fn head_runs_get_without_its_body() {
    check(
        "HEAD /api/hello/world\nHost: h",
        &expect![[r#"
        200 OK
        content-length: 57
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001
    "#]],
    );
    let streams = |_| std::future::ready(Ok(Response::new(pieces(vec![Ok("never"), Ok("read")])))).boxed();
    check_with(
        options(),
        "HEAD /api/hello/world\nHost: h",
        streams,
        &expect![[r#"
        200 OK
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001
    "#]],
    );
}

#[test]
fn the_host_is_taken_from_the_request_only_when_it_is_one() {
    check(
        "GET /api/any",
        &expect![[r#"
        400 Bad Request
        content-type: text/plain; charset=utf-8

        the request has no Host header; HTTP/1.1 requires one
    "#]],
    );
    check(
        "GET /api/any HTTP/1.0",
        &expect![[r#"
        200 OK
        content-length: 48
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        Anything GET http://127.0.0.1:7071/api/any [] ""
    "#]],
    );
    check(
        "GET /api/any\nHost: a\nHost: b",
        &expect![[r#"
        400 Bad Request
        content-type: text/plain; charset=utf-8

        the request has several Host headers; send one
    "#]],
    );
    check(
        "GET /api/any\nHost: me@evil",
        &expect![[r#"
        400 Bad Request
        content-type: text/plain; charset=utf-8

        the Host header "me@evil" is not a host with an optional port
    "#]],
    );
    check(
        "GET /api/any\nHost: a:b",
        &expect![[r#"
        400 Bad Request
        content-type: text/plain; charset=utf-8

        the Host header "a:b" is not a host with an optional port
    "#]],
    );
}

#[test]
fn a_proxy_is_believed_only_where_there_is_one() {
    let forwarded = "GET /api/any\nHost: inner\nX-Forwarded-Host: shop.example, proxy\nX-Forwarded-Proto: https";
    check(
        forwarded,
        &expect![[r#"
        200 OK
        content-length: 39
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        Anything GET http://inner/api/any [] ""
    "#]],
    );
    let trusting = HttpOptions {
        origins: OriginPolicy { forwarded: ForwardedHeaders::Trusted, ..options().origins },
        ..options()
    };
    check_with(
        trusting.clone(),
        forwarded,
        echo,
        &expect![[r#"
        200 OK
        content-length: 47
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        Anything GET https://shop.example/api/any [] ""
    "#]],
    );
    let standard = "GET /api/any\nHost: inner\nForwarded: for=1.2.3.4;Host=\"shop.example:8443\";proto=HTTPS, for=x";
    check_with(
        trusting.clone(),
        standard,
        echo,
        &expect![[r#"
        200 OK
        content-length: 52
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        Anything GET https://shop.example:8443/api/any [] ""
    "#]],
    );
    let nonsense = "GET /api/any\nHost: inner\nX-Forwarded-Host: a b\nX-Forwarded-Proto: javascript";
    check_with(
        trusting,
        nonsense,
        echo,
        &expect![[r#"
        200 OK
        content-length: 39
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        Anything GET http://inner/api/any [] ""
    "#]],
    );
}

#[test]
fn what_is_too_long_is_refused() {
    check(
        "POST /api/hello/world\nHost: h\nContent-Length: 17\n\n",
        &expect![[r#"
        413 Payload Too Large
        content-type: text/plain; charset=utf-8

        the request body is longer than 16 bytes; raise host.http.maxRequestBodyBytes
    "#]],
    );
    check(
        "POST /api/hello/world\nHost: h\n\n17 bytes and more",
        &expect![[r#"
        413 Payload Too Large
        content-type: text/plain; charset=utf-8
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        the request body is longer than 16 bytes; raise host.http.maxRequestBodyBytes
    "#]],
    );
    check(
        "POST /api/hello/world\nHost: h\n\nexactly 16 bytes",
        &expect![[r#"
        200 OK
        content-length: 74
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        Hello POST http://h/api/hello/world [("name", "world")] "exactly 16 bytes"
    "#]],
    );
    let long = format!("GET /api/hello/{}\nHost: h", "x".repeat(super::MAX_TARGET_BYTES));
    check(
        &long,
        &expect![[r#"
        414 URI Too Long
        content-type: text/plain; charset=utf-8

        the URL's path and query have 4107 bytes; at most 4096 are allowed
    "#]],
    );
}

#[test]
fn an_answer_that_has_begun_breaks_off_when_the_request_proves_too_long() {
    let copies = |invocation: ports::HttpInvocation| {
        std::future::ready(Ok(Response::new(invocation.request.into_body()))).boxed()
    };
    let trigger = trigger(APP, options(), copies);
    let asked = request("POST /api/any\nHost: h").map(|_| pieces(vec![Ok("first piece, "), Ok("second piece")]));
    let mut answer = trigger.handle(asked).now_or_never().expect("nothing waits");
    assert_eq!(answer.status(), StatusCode::OK);
    let mut frame = || answer.body_mut().frame().now_or_never().expect("nothing waits");
    let first = frame().expect("a frame").expect("data").into_data().expect("data");
    assert_eq!(first, "first piece, ");
    let second = frame().expect("a frame").expect_err("the request is too long");
    expect!["the request body is longer than 16 bytes; raise host.http.maxRequestBodyBytes"]
        .assert_eq(&second.to_string());
}

#[test]
fn bodies_flow_both_ways_at_once() {
    let copies = |invocation: ports::HttpInvocation| {
        std::future::ready(Ok(Response::new(invocation.request.into_body()))).boxed()
    };
    let trigger = trigger(APP, options(), copies);
    let (send, receive) = futures::channel::mpsc::unbounded::<Result<http_body::Frame<Bytes>, BoxError>>();
    let asked = request("POST /api/any\nHost: h").map(|_| BodyExt::boxed_unsync(StreamBody::new(receive)));
    let mut answer = trigger.handle(asked).now_or_never().expect("the answer begins before the request has ended");
    for piece in ["a", "bc"] {
        assert!(answer.body_mut().frame().now_or_never().is_none(), "there is nothing to pass on yet");
        send.unbounded_send(Ok(http_body::Frame::data(Bytes::from(piece)))).expect("the function reads");
        let frame =
            answer.body_mut().frame().now_or_never().expect("a piece is there").expect("no end").expect("no error");
        assert_eq!(frame.into_data().expect("data"), piece);
    }
    drop(send);
    assert!(answer.body_mut().frame().now_or_never().expect("the end is there").is_none());
}

/// The answer to a developer when the function goes wrong like that.
fn check_fault(what: GuestFault, expected: &Expect) {
    check_with(options(), "GET /api/hello/world\nHost: h", fault(what), expected);
}

#[test]
fn a_function_that_stops_is_explained_to_developers() {
    let function = || "Hello".to_owned();
    let message = "panicked at src/lib.rs:3".to_owned();
    check_fault(
        GuestFault::Trapped { function: function(), message },
        &expect![[r#"
        500 Internal Server Error
        content-type: application/problem+json
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"function 'Hello' trapped: panicked at src/lib.rs:3","function":"Hello","hint":"The function's own code stopped; the first frames of the trap say where.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"FunctionTrapped","type":"about:blank"}
    "#]],
    );
    let timed_out = GuestFault::TimedOut { function: function(), limit_ms: 250, key: "functionTimeout" };
    check_fault(
        timed_out,
        &expect![[r#"
        504 Gateway Timeout
        content-type: application/problem+json
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"function 'Hello' exceeded its time limit of 250 ms and was stopped; raise functionTimeout","function":"Hello","hint":"Do less in one request, start an orchestration and answer 202, or raise the limit.","invocationId":"00000000-0000-4000-8000-000000000001","status":504,"title":"FunctionTimeout","type":"about:blank"}
    "#]],
    );
    let known = vec!["Hullo".to_owned()];
    check_fault(
        GuestFault::NotFound { kind: "HTTP function", name: function(), known },
        &expect![[r#"
        500 Internal Server Error
        content-type: application/problem+json
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"there is no HTTP function named 'Hello'; the app has: Hullo","function":"Hello","hint":"The manifest names a function that the component does not contain: correct the name, or build again.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"FunctionNotFound","type":"about:blank"}
    "#]],
    );
}

#[test]
fn a_function_that_takes_too_much_is_explained_to_developers() {
    let function = || "Hello".to_owned();
    let key = "host.guest.maxMemoryBytes";
    check_fault(
        GuestFault::OutOfMemory { function: function(), limit_bytes: 1, key },
        &expect![[r#"
        500 Internal Server Error
        content-type: application/problem+json
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"function 'Hello' exceeded its memory limit of 1 bytes and was stopped; raise host.guest.maxMemoryBytes","function":"Hello","hint":"Hold less in memory at a time, or raise the limit.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"FunctionOutOfMemory","type":"about:blank"}
    "#]],
    );
    let key = "host.guest.maxOutputBytes";
    check_fault(
        GuestFault::OutputTooLarge { function: function(), len: 2, limit_bytes: 1, key },
        &expect![[r#"
        500 Internal Server Error
        content-type: application/problem+json
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"function 'Hello' returned 2 bytes where at most 1 are allowed; return less, or raise host.guest.maxOutputBytes","function":"Hello","hint":"Answer in pages, stream the body, or raise the limit.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"FunctionOutputTooLarge","type":"about:blank"}
    "#]],
    );
    let message = "no room".to_owned();
    check_fault(
        GuestFault::Unavailable { function: function(), message },
        &expect![[r#"
        503 Service Unavailable
        content-type: application/problem+json
        retry-after: 1
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"function 'Hello' could not be started: no room","function":"Hello","hint":"Nothing ran. Try again; if it stays so, the host is overloaded.","invocationId":"00000000-0000-4000-8000-000000000001","status":503,"title":"FunctionUnavailable","type":"about:blank"}
    "#]],
    );
}

#[test]
fn others_get_the_invocation_id() {
    let bare = HttpOptions { fault_detail: FaultDetail::InvocationId, ..options() };
    let trapped = GuestFault::Trapped { function: "Hello".to_owned(), message: "secret".to_owned() };
    check_with(
        bare,
        "GET /api/hello/world\nHost: h",
        fault(trapped),
        &expect![[r#"
        500 Internal Server Error
        content-type: text/plain; charset=utf-8
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        00000000-0000-4000-8000-000000000001
    "#]],
    );
}

#[test]
fn an_answer_is_made_fit_for_the_wire() {
    let answer = |build: fn() -> Response<ports::Body>| move |_| std::future::ready(Ok(build())).boxed();
    let ask = "GET /api/any\nHost: h";
    let lies = || {
        let head =
            Response::builder().header("content-length", "99").header("connection", "close").header("x-mine", "1");
        head.header("transfer-encoding", "chunked").body(full("four")).expect("a response")
    };
    check_with(
        options(),
        ask,
        answer(lies),
        &expect![[r#"
        200 OK
        x-mine: 1
        content-length: 4
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        four
    "#]],
    );
    let stream = || {
        let head = Response::builder().header("content-length", "6");
        head.body(pieces(vec![Ok("abc"), Ok("def")])).expect("a response")
    };
    check_with(
        options(),
        ask,
        answer(stream),
        &expect![[r#"
        200 OK
        content-length: 6
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        abcdef
    "#]],
    );
    let none = || Response::builder().status(204).header("content-length", "4").body(full("four")).expect("a response");
    check_with(
        options(),
        ask,
        answer(none),
        &expect![[r#"
            204 No Content
            x-ms-invocation-id: 00000000-0000-4000-8000-000000000001
        "#]],
    );
    let interim = || Response::builder().status(103).body(full("")).expect("a response");
    check_with(
        options(),
        ask,
        answer(interim),
        &expect![[r#"
        500 Internal Server Error
        content-type: application/problem+json
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"function 'Anything' answered with status 103 Early Hints, which is no final answer; answer with 200 to 599","function":"Anything","hint":"Return a final status from the function.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"InterimStatus","type":"about:blank"}
    "#]],
    );
}

#[test]
fn requests_wait_for_a_place_and_are_turned_away_when_there_is_none_to_wait_in() {
    let (begun, gates) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (count, opened) = (Arc::clone(&begun), Arc::clone(&gates));
    let trigger = trigger(APP, options(), move |_| {
        let (open, gate) = oneshot::channel::<()>();
        *count.lock().expect("nobody panicked") += 1;
        opened.lock().expect("nobody panicked").push(open);
        async move {
            gate.await.expect("the gate is opened");
            Ok(Response::new(full("done")))
        }
        .boxed()
    });
    let ask = || Box::pin(trigger.handle(request("GET /api/any\nHost: h")));
    let (mut first, mut second, mut third, mut fourth) = (ask(), ask(), ask(), ask());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(first.poll_unpin(&mut cx).is_pending());
    assert!(second.poll_unpin(&mut cx).is_pending());
    assert!(!trigger.is_full(), "there is one more place to wait in");
    assert!(third.poll_unpin(&mut cx).is_pending());
    assert_eq!(*begun.lock().expect("nobody panicked"), 2, "two run, one waits");
    assert!(trigger.is_full());

    let Poll::Ready(refused) = fourth.poll_unpin(&mut cx) else { panic!("there is no place to wait in") };
    let refused = print(refused).now_or_never().expect("nothing waits");
    expect![[r#"
        429 Too Many Requests
        retry-after: 1
    "#]]
    .assert_eq(&refused);

    gates.lock().expect("nobody panicked").remove(0).send(()).expect("the function waits");
    let Poll::Ready(answer) = first.poll_unpin(&mut cx) else { panic!("the gate is open") };
    assert!(third.poll_unpin(&mut cx).is_pending());
    assert_eq!(*begun.lock().expect("nobody panicked"), 2, "an answer that is not read yet keeps its place");
    drop(answer);
    assert!(third.poll_unpin(&mut cx).is_pending());
    assert_eq!(*begun.lock().expect("nobody panicked"), 3);

    // A caller that goes away gives its place back.
    drop(second);
    assert!(ask().poll_unpin(&mut cx).is_pending());
    assert_eq!(*begun.lock().expect("nobody panicked"), 4);
}

#[test]
fn limits_that_the_manifest_leaves_open_come_from_memory() {
    let app = manifest::parse(APP, "greetings.toml", &manifest::no_settings).expect("the test's manifest is valid");
    let outstanding = |memory_bytes| HttpLimits::new(&app.host.http, memory_bytes).outstanding_requests;
    assert_eq!([0, 1 << 30, u64::MAX].map(outstanding), [256, 4096, 65_536]);
    let set = format!("{APP}\n[host.http]\nmaxOutstandingRequests = 7\nmaxConcurrentRequests = 5\n");
    let app = manifest::parse(&set, "greetings.toml", &manifest::no_settings).expect("the test's manifest is valid");
    let limits = HttpLimits::new(&app.host.http, 1 << 30);
    assert_eq!((limits.outstanding_requests, limits.concurrent_requests), (7, 5));
}

#[test]
fn every_invocation_has_a_first_and_a_last_line() {
    let run = |answer: fn() -> Answer| {
        logged(|| {
            let trigger = trigger(APP, options(), move |_| answer());
            let asked = async { print(trigger.handle(request("GET /api/any\nHost: h")).await).await };
            drop(asked.now_or_never());
        })
    };
    let succeeds = run(|| std::future::ready(Ok(Response::new(full("done")))).boxed());
    expect![[r#"
        INFO invocation{function="Anything" invocation_id="00000000-0000-4000-8000-000000000001"}: Executing 'Functions.Anything' reason="This function was programmatically called via the host APIs."
        INFO invocation{function="Anything" invocation_id="00000000-0000-4000-8000-000000000001"}: Executed 'Functions.Anything' function="Anything" invocation_id="00000000-0000-4000-8000-000000000001" outcome="Succeeded" duration_ms=5"#]].assert_eq(&succeeds);
    let breaks = run(|| std::future::ready(Ok(Response::new(pieces(vec![Ok("a"), Err("out of fuel")])))).boxed());
    expect![[r#"
        INFO invocation{function="Anything" invocation_id="00000000-0000-4000-8000-000000000001"}: Executing 'Functions.Anything' reason="This function was programmatically called via the host APIs."
        ERROR invocation{function="Anything" invocation_id="00000000-0000-4000-8000-000000000001"}: Executed 'Functions.Anything' function="Anything" invocation_id="00000000-0000-4000-8000-000000000001" outcome="Failed" duration_ms=5 error=out of fuel"#]].assert_eq(&breaks);
    let hangs = run(|| pending().boxed());
    expect![[r#"
        INFO invocation{function="Anything" invocation_id="00000000-0000-4000-8000-000000000001"}: Executing 'Functions.Anything' reason="This function was programmatically called via the host APIs."
        INFO invocation{function="Anything" invocation_id="00000000-0000-4000-8000-000000000001"}: Executed 'Functions.Anything' function="Anything" invocation_id="00000000-0000-4000-8000-000000000001" outcome="Cancelled" duration_ms=5"#]].assert_eq(&hangs);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_makes_it_panic(
        method in "[A-Z]{1,8}",
        path in "(/(api|API|hello|any|%2[Ff]|%zz|\\PC{0,4}|[0-9]{0,20})){0,6}",
        headers in prop::collection::vec(("(host|forwarded|content-length|x-forwarded-host)", "\\PC{0,12}"), 0..4),
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let options = HttpOptions {
            origins: OriginPolicy { forwarded: ForwardedHeaders::Trusted, ..options().origins },
            ..options()
        };
        let trigger = trigger(APP, options, echo);
        let mut asked = http::Request::builder().method(method.as_str()).uri(path);
        for (name, value) in headers {
            asked = asked.header(name, value);
        }
        // What is no request at all never gets here.
        if let Ok(asked) = asked.body(full(body)) {
            let answer = trigger.handle(asked).now_or_never();
            assert!(answer.is_some(), "nothing in here waits");
        }
    }
}
