//! HTTP functions: buffered ones of the contract, and standard components that stream.

use super::fixtures::{RecordingClient, app, bind_all, load, runtime, small_settings, source, stable};
use crate::{App, Binding, ComponentSource, FunctionKind, GuestSettings, Runtime};
use bytes::Bytes;
use expect_test::{Expect, expect};
use http_body_util::{BodyExt as _, Full, StreamBody};
use ports::{Body, BoxError, GuestFault, HttpFunctions as _, HttpInvocation};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn body(text: &str) -> Body {
    Full::new(Bytes::copy_from_slice(text.as_bytes())).map_err(|never| match never {}).boxed_unsync()
}

pub(super) fn request(function: &str, request: http::Request<Body>) -> HttpInvocation {
    HttpInvocation {
        invocation_id: "call-1".to_owned(),
        function: function.to_owned(),
        route_parameters: vec![("language".to_owned(), "de".to_owned())],
        request,
        inputs: Vec::new(),
    }
}

pub(super) fn post(path: &str, text: &str) -> http::Request<Body> {
    http::Request::post(format!("http://localhost:7071{path}")).body(body(text)).expect("a request")
}

/// Status, headers and body, or the fault.
async fn answer(app: &App, invocation: HttpInvocation) -> String {
    let response = match app.handle(invocation).await {
        Ok(answer) => answer.response,
        Err(fault) => return stable(&fault),
    };
    let (parts, body) = response.into_parts();
    let mut headers: Vec<String> =
        parts.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("?"))).collect();
    headers.sort();
    let body = match body.collect().await {
        Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        Err(error) => format!("(broken off: {})", stable(&error)),
    };
    format!("{}\n{}\n\n{body}", parts.status, headers.join("\n"))
}

#[tokio::test]
async fn buffered_functions() {
    let hello = app("hello-http").await;
    let check = async |invocation, expected: Expect| expected.assert_eq(&answer(&hello, invocation).await);
    check(
        request("Hello", post("/api/hello?name=Ada", "")),
        expect![[r#"
        200 OK
        content-type: text/plain; charset=utf-8

        Hello, Ada!
    "#]],
    )
    .await;
    check(
        request("greet", post("/api/greetings/de", r#""Ada""#)),
        expect![[r#"
        200 OK
        content-language: de
        content-type: application/json

        {"greeting":"Guten Tag, Ada!"}"#]],
    )
    .await;
    check(
        request("Greet", post("/api/greetings/de", "not json")),
        expect![[r#"
        400 Bad Request
        content-type: application/json

        {"error":"BadRequest","message":"the body is not a String: expected ident at line 1 column 2"}"#]],
    )
    .await;
    check(
        request("Missing", post("/api/missing", "")),
        expect!["there is no HTTP function named 'Missing'; the app has: Greet, Hello"],
    )
    .await;
    let broken = StreamBody::new(futures::stream::iter([Err::<http_body::Frame<Bytes>, BoxError>("reset".into())]));
    let broken = http::Request::post("http://localhost/").body(broken.boxed_unsync()).expect("a request");
    check(
        request("Greet", broken),
        expect!["function 'Greet' could not be started: the request's body broke off: reset"],
    )
    .await;
}

#[tokio::test]
async fn buffered_functions_that_misbehave() {
    let noisy = app("noisy-neighbours").await;
    let check = async |how, expected: Expect| {
        expected.assert_eq(&answer(&noisy, request("MisbehaveOverHttp", post("/api/misbehave", how))).await);
    };
    check(
        r#""not""#,
        expect![[r#"
        200 OK
        content-type: text/plain; charset=utf-8

        well behaved"#]],
    )
    .await;
    check(r#""panic""#, expect!["function 'MisbehaveOverHttp' trapped: wasm trap: wasm `unreachable` instruction executed; its last words on standard error: thread '<unnamed>' (1) panicked at SOURCE | as you wish"]).await;
    check(r#""output""#, expect!["function 'MisbehaveOverHttp' returned 20971520 bytes where at most 16777216 are allowed; return less, or raise host.guest.maxOutputBytes"]).await;
}

#[tokio::test]
async fn the_durable_client() {
    let runtime = runtime();
    let component = load(&runtime, "conference-booking").await;
    let client = Arc::new(RecordingClient::default());
    let app = App::new(&runtime, bind_all(&component), Vec::new(), client.clone(), None).expect("all bound");
    let trip = r#"{"traveller":"Ada","conference":"Wasm Day"}"#;
    let started = answer(&app, request("StartSequential", post("/api/trips/sequential", trip))).await;
    expect![[r#"
        202 Accepted
        content-type: application/json
        location: http://localhost:7071/instances/new-1
        retry-after: 10

        {"id":"new-1","statusQueryGetUri":"http://localhost:7071/instances/new-1"}"#]]
    .assert_eq(&started);
    let waited = answer(&app, request("StartSequential", post("/api/trips/sequential?wait=1", trip))).await;
    expect![[r#"
        202 Accepted
        content-type: application/json
        location: http://localhost:7071/instances/new-1
        retry-after: 10

        {"id":"new-1","statusQueryGetUri":"http://localhost:7071/instances/new-1"}"#]]
    .assert_eq(&waited);
    let mut approve = request("Approve", post("/api/approvals/unknown", r#"{"approved":true,"by":"Grace"}"#));
    approve.route_parameters = vec![("instanceId".to_owned(), "unknown".to_owned())];
    expect![[r#"
        404 Not Found
        content-type: application/json

        {"error":"NotFound","message":"no instance with ID 'unknown' was found"}"#]]
    .assert_eq(&answer(&app, approve).await);
    expect![[r#"
        start StartRequest { name: "Sequential", input: {"traveller":"Ada","conference":"Wasm Day"}, instance_id: None, options: StartOptions { version: None, tags: {}, start_at: None }, idempotency_key: None, reuse: None }
        start StartRequest { name: "Sequential", input: {"traveller":"Ada","conference":"Wasm Day"}, instance_id: None, options: StartOptions { version: None, tags: {}, start_at: None }, idempotency_key: None, reuse: None }
        wait 1s for new-1
        raise RaisedEvent { name: "Approval", input: {"approved":true,"by":"Grace"}, id: None } to unknown"#]]
    .assert_eq(&client.0.lock().expect("nobody panicked").join("\n"));
}

/// The component that tries what a sandbox allows, under the name `Probe`.
pub(super) async fn probe(runtime: &Runtime, allowed: &[&str]) -> App {
    let allowed_hosts = allowed.iter().map(|host| host.parse().expect("a host")).collect();
    let source = ComponentSource { allowed_hosts, ..source(&artifacts::guest("sandbox-probe")) };
    let component = runtime.load(source).await.expect("a component");
    let binding = Binding {
        function: "Probe".to_owned(),
        entry_point: "Probe".to_owned(),
        component,
        kind: FunctionKind::Http,
        timeout: Some(Duration::from_secs(20)),
        heartbeat_timeout: None,
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    let environment = vec![("GREETING".to_owned(), "Hello".to_owned())];
    App::new(runtime, vec![binding], environment, Arc::new(RecordingClient::default()), None).expect("bound")
}

async fn check_probe(path: &str, expected: Expect) {
    let app = probe(&runtime(), &[]).await;
    expected.assert_eq(&answer(&app, request("Probe", post(path, ""))).await);
}

#[tokio::test]
async fn the_sandbox_of_an_invocation() {
    check_probe(
        "/environment",
        expect![[r#"
        200 OK


        GREETING=Hello
    "#]],
    )
    .await;
    check_probe(
        "/world",
        expect![[r#"
        200 OK


        files: Err(NotFound)
        network: Err(PermissionDenied)
        real clock: true
    "#]],
    )
    .await;
    check_probe(
        "/sleep",
        expect![[r#"
        200 OK


        slept"#]],
    )
    .await;
}

#[tokio::test]
async fn standard_components_that_fail() {
    check_probe("/silent", expect!["function 'Probe' trapped: it returned without setting its response-outparam"])
        .await;
    check_probe("/trap", expect!["function 'Probe' trapped: wasm trap: wasm `unreachable` instruction executed; its last words on standard error: thread '<unnamed>' (1) panicked at SOURCE | before any response"]).await;
    check_probe(
        "/error",
        expect!["function 'Probe' trapped: it answered with the error ErrorCode::LoopDetected instead of a response"],
    )
    .await;
    check_probe("/trap-midway", expect![[r#"
        200 OK


        (broken off: function 'Probe' trapped: wasm trap: wasm `unreachable` instruction executed; its last words on standard error: thread '<unnamed>' (1) panicked at SOURCE | in the middle of the body)"#]]).await;
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let runtime = runtime();
    let component = load(&runtime, "hello-wasi-http").await;
    let binding = Binding {
        function: "Hello".to_owned(),
        entry_point: "Hello".to_owned(),
        component,
        kind: FunctionKind::Http,
        timeout: None,
        heartbeat_timeout: None,
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    let app = App::new(&runtime, vec![binding], Vec::new(), Arc::new(RecordingClient::default()), None).expect("bound");
    let (sender, receiver) = futures::channel::mpsc::unbounded();
    let upload = http::Request::post("http://localhost/echo").body(StreamBody::new(receiver).boxed_unsync());
    let response = app.handle(request("Hello", upload.expect("a request"))).await.expect("a response").response;
    let mut download = response.into_body();
    let mut next = async || -> Option<String> {
        let frame = download.frame().await?.expect("no error");
        Some(String::from_utf8_lossy(frame.data_ref().map_or(&[], |data| data)).into_owned())
    };
    // Each part is back before the next one is sent.
    assert_eq!(next().await.as_deref(), Some("Hello from /echo!\n"));
    for part in ["one", "two"] {
        sender.unbounded_send(Ok(http_body::Frame::data(Bytes::from(part)))).expect("the guest reads");
        assert_eq!(next().await.as_deref(), Some(part));
    }
    drop(sender);
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn dropping_the_body_stops_the_guest() {
    let settings = GuestSettings { invocation_slots: 1, ..small_settings() };
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = Runtime::new(settings, folder.path()).expect("a runtime");
    let app = probe(&runtime, &[]).await;
    let answer = app.handle(request("Probe", post("/endless", ""))).await.expect("a response");
    let mut body = answer.response.into_body();
    for _ in 0..10 {
        let frame = body.frame().await.expect("more").expect("no error");
        assert!(frame.data_ref().is_some_and(|data| !data.is_empty()));
    }
    drop(body);
    // The task of the guest is the only one, and it has been aborted: it ends when this one waits.
    while app.streaming_guests() > 0 {
        tokio::task::yield_now().await;
    }
}

async fn check_fetch(allowed: impl Fn(u16) -> String, expected: Expect) {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = server.local_addr().expect("an address").port();
    let app = probe(&runtime(), &[&allowed(port)]).await;
    let mut fetch = post("/fetch", "");
    fetch.headers_mut().insert("x-authority", format!("127.0.0.1:{port}").parse().expect("a value"));
    let serve = async {
        let (mut connection, _) = server.accept().await.expect("a connection");
        let mut head = [0; 1024];
        let _read = connection.read(&mut head).await.expect("a request");
        connection.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("written");
        std::future::pending::<()>().await
    };
    let answered = tokio::select! {
        answered = answer(&app, request("Probe", fetch)) => answered,
        () = serve => unreachable!("it waits for ever"),
    };
    expected.assert_eq(&answered);
}

#[tokio::test]
async fn requests_go_to_allowed_hosts_only() {
    check_fetch(
        |port| format!("127.0.0.1:{port}"),
        expect![[r#"
        200 OK


        status 204"#]],
    )
    .await;
    check_fetch(
        |_| "*".to_owned(),
        expect![[r#"
        200 OK


        status 204"#]],
    )
    .await;
    check_fetch(
        |_| "example.com".to_owned(),
        expect![[r#"
        200 OK


        failed: ErrorCode::HttpRequestDenied"#]],
    )
    .await;
    check_fetch(
        |port| format!("https://127.0.0.1:{port}"),
        expect![[r#"
        200 OK


        failed: ErrorCode::HttpRequestDenied"#]],
    )
    .await;
}

#[tokio::test]
async fn a_time_limit_ends_a_streaming_guest() {
    let runtime = runtime();
    let component = runtime.load(source(&artifacts::guest("sandbox-probe"))).await.expect("a component");
    let binding = Binding {
        function: "Probe".to_owned(),
        entry_point: "Probe".to_owned(),
        component,
        kind: FunctionKind::Http,
        timeout: Some(Duration::from_millis(50)),
        heartbeat_timeout: None,
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    let app = App::new(&runtime, vec![binding], Vec::new(), Arc::new(RecordingClient::default()), None).expect("bound");
    let fault = app.handle(request("Probe", post("/sleep", ""))).await.expect_err("a fault");
    assert!(matches!(fault, GuestFault::TimedOut { limit_ms: 50, .. }), "{fault}");
    let answer = app.handle(request("Probe", post("/endless", ""))).await.expect("a response");
    let broken = answer.response.into_body().collect().await.expect_err("an error, not an end");
    assert!(broken.to_string().contains("exceeded its time limit"), "{broken}");
}

#[tokio::test]
async fn only_activities_give_heartbeats() {
    let probe = app("contract-probe").await;
    let answered = answer(&probe, request("BeatOverHttp", post("/beat", ""))).await;
    expect!["function 'BeatOverHttp' trapped: only a running activity gives heartbeats; leave the call out here"]
        .assert_eq(&answered);
}
