//! Who answers which path, and connections over real sockets: kept alive, broken, drained.

use super::{Answers, HomePage, Services, serve};
use crate::admin::tests::world::{Reached, admin};
use crate::cors::Cors;
use crate::management::tests::world::{World, clock, key_ring, management, open_doors, origins};
use async_trait::async_trait;
use expect_test::{Expect, expect};
use futures::future::FutureExt;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use ports::{Body, GuestFault, HttpAnswer, HttpFunctions, HttpInvocation, Randomness};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use triggers::http::{FaultDetail, HttpLimits, HttpOptions, HttpParts, HttpTrigger};

const APP: &str = r#"
[app]
name = "greetings"
version = "1.0.0"
[components.main]
source = "greetings.wasm"
[functions.Echo]
trigger = { type = "httpTrigger", route = "echo", authLevel = "anonymous" }
[functions.Slow]
trigger = { type = "httpTrigger", route = "slow", authLevel = "anonymous" }
[functions.Panic]
trigger = { type = "httpTrigger", route = "panic", authLevel = "anonymous" }
[host.http]
routePrefix = ""
"#;

/// `Echo` answers with the body it gets, `Slow` waits for the gate, `Panic` panics.
#[derive(Default)]
struct Functions {
    slow_began: Notify,
    gate: Notify,
}

#[async_trait]
impl HttpFunctions for Functions {
    async fn handle(&self, invocation: HttpInvocation) -> Result<HttpAnswer, GuestFault> {
        let response = match invocation.function.as_str() {
            "Echo" => Response::new(invocation.request.into_body()),
            "Slow" => {
                self.slow_began.notify_one();
                self.gate.notified().await;
                Response::new(full("at last"))
            }
            name => panic!("function {name}"),
        };
        Ok(HttpAnswer { response, outputs: Vec::new() })
    }
}

struct Zero;

impl Randomness for Zero {
    fn next_u128(&self) -> u128 {
        0
    }
}

fn full(text: &'static str) -> Body {
    Full::from(text).map_err(|never| match never {}).boxed_unsync()
}

fn services(functions: Arc<Functions>) -> Services {
    services_with(functions, None)
}

fn services_with(functions: Arc<Functions>, cors: Option<Cors>) -> Services {
    let app = manifest::parse(APP, "greetings.toml", &manifest::no_settings).expect("the test's manifest is valid");
    let parts = HttpParts { functions, clock: clock(), randomness: Arc::new(Zero) };
    let options = HttpOptions {
        limits: HttpLimits::new(&app.host.http, 1 << 30),
        fault_detail: FaultDetail::Problem,
        origins: origins(),
    };
    let http = Arc::new(HttpTrigger::new(&app, parts, options));
    let reached = Reached { http, management: management(&Arc::new(World::default())), cors };
    let (admin, _background) = admin(&app, reached, open_doors(), key_ring());
    Services {
        apps: Arc::clone(&admin.host.apps),
        admin,
        home: HomePage::Listing { version: "0.1.0" },
        doors: open_doors(),
        origins: origins(),
    }
}

fn check_answer(method: &str, path: &str, expected: &Expect) {
    let request =
        Request::builder().method(method).uri(path).header("host", "h").body(full("body")).expect("a request");
    let services = services(Arc::default());
    let answer = services.answer(request).now_or_never().expect("nothing in here waits");
    let (head, body) = answer.into_parts();
    let body = body.collect().now_or_never().expect("nothing waits").expect("a body").to_bytes();
    let content_type = head.headers.get("content-type").map_or("", |value| value.to_str().expect("visible"));
    let text = format!("{} {content_type}\n{}", head.status, String::from_utf8_lossy(&body));
    expected.assert_eq(text.trim_end());
}

#[test]
fn every_path_has_one_who_answers() {
    check_answer(
        "GET",
        "/",
        &expect![[r#"
        200 OK text/html; charset=utf-8
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <title>greetings</title>
        <h1>greetings</h1>
        <table>
        <tr><th align="left">Echo</th><td>[GET,POST,DELETE,HEAD,PATCH,PUT,OPTIONS,TRACE] http://h/echo</td></tr>
        <tr><th align="left">Slow</th><td>[GET,POST,DELETE,HEAD,PATCH,PUT,OPTIONS,TRACE] http://h/slow</td></tr>
        <tr><th align="left">Panic</th><td>[GET,POST,DELETE,HEAD,PATCH,PUT,OPTIONS,TRACE] http://h/panic</td></tr>
        </table>
        <p>Served by Dacapo 0.1.0.</p>
        </html>"#]],
    );
    check_answer("POST", "/", &expect!["404 Not Found"]);
    check_answer("GET", "/admin/host/ping", &expect!["200 OK"]);
    check_answer("POST", "/Admin/Host/Ping/", &expect!["200 OK"]);
    check_answer(
        "GET",
        "/admin/host/status",
        &expect![[r#"
            200 OK application/json
            {"id":"greetings","state":"Running","version":"0.1.0","versionDetails":"Dacapo 0.1.0 with greetings 1.0.0","instanceId":"1","computerName":"vm","processUptime":43200000}"#]],
    );
    check_answer("POST", "/admin/host/status", &expect!["404 Not Found"]);
    check_answer("GET", "/admin/keys", &expect!["404 Not Found"]);
    check_answer(
        "GET",
        "/runtime/webhooks/durabletask/instances",
        &expect![[r#"
        200 OK application/json
        []"#]],
    );
    check_answer(
        "GET",
        "/Runtime/Webhooks/DurableTask/instances/x",
        &expect![[r#"
        404 Not Found application/json
        {"Message":"No instance with ID 'x' was found."}"#]],
    );
    check_answer("GET", "/runtime/webhooks/durabletasks", &expect!["404 Not Found"]);
    check_answer("GET", "/runtime/webhooks/eventgrid", &expect!["404 Not Found"]);
    check_answer(
        "POST",
        "/echo",
        &expect![[r#"
        200 OK 
        body"#]],
    );
    check_answer("POST", "/administrator", &expect!["404 Not Found"]);
}

#[test]
fn nobody_is_told_what_runs_where_there_is_no_home_page() {
    let services = Services { home: HomePage::Empty, ..services(Arc::default()) };
    let request = Request::builder().uri("/").header("host", "h").body(full("")).expect("a request");
    let answer = services.answer(request).now_or_never().expect("nothing waits");
    assert_eq!(answer.status(), 204);
}

#[test]
fn web_pages_may_call_functions_and_manage_instances_and_nothing_else() {
    let check = |method: &str, path: &str, expected: &Expect| {
        let cors = Cors::new(["https://a"], false).expect("good rules");
        let services = services_with(Arc::default(), cors);
        let request = Request::builder().method(method).uri(path).header("host", "h").header("origin", "https://a");
        let request = request.header("access-control-request-method", "PUT").body(full("")).expect("a request");
        let answer = services.answer(request).now_or_never().expect("nothing waits");
        let allowed = answer.headers().get("access-control-allow-origin");
        expected.assert_eq(&format!("{} {allowed:?}", answer.status().as_u16()));
    };
    check("OPTIONS", "/echo", &expect![[r#"204 Some("https://a")"#]]);
    check("OPTIONS", "/unknown", &expect![[r#"204 Some("https://a")"#]]);
    check("GET", "/echo", &expect![[r#"200 Some("https://a")"#]]);
    check("GET", "/unknown", &expect![[r#"404 Some("https://a")"#]]);
    check("OPTIONS", "/runtime/webhooks/durabletask/instances/x", &expect![[r#"204 Some("https://a")"#]]);
    check("GET", "/runtime/webhooks/durabletask/instances/x", &expect![[r#"404 Some("https://a")"#]]);
    check("OPTIONS", "/admin/host/status", &expect!["404 None"]);
    check("GET", "/admin/host/status", &expect!["200 None"]);
    check("GET", "/", &expect!["200 None"]);
}

/// A server that runs, and everything that a test does to it.
struct Server {
    address: std::net::SocketAddr,
    functions: Arc<Functions>,
    stop: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

impl Server {
    async fn start() -> Server {
        let functions = Arc::new(Functions::default());
        let services = Arc::new(services(Arc::clone(&functions)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, services, clock(), stopped.map(drop)));
        Server { address, functions, stop, tasks }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("the server listens")
    }

    /// Sends a text on a connection of its own and reads until the server closes it.
    async fn exchange(&self, text: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.expect("the server reads");
        read_all(&mut stream).await
    }
}

/// Everything until the end, without the date.
async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("the server writes");
    let text = String::from_utf8(bytes).expect("text").replace("\r\n", "\n");
    let lines = text.lines().filter(|line| !line.starts_with("date: "));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn one_connection_serves_several_requests_and_streams() {
    let server = Server::start().await;
    let requests = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none\
                    POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n\
                    HEAD /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    expect![[r#"
        HTTP/1.1 200 OK
        content-length: 3
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000000

        oneHTTP/1.1 200 OK
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000000
        transfer-encoding: chunked

        3
        two
        0

        HTTP/1.1 200 OK
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000000
        connection: close
    "#]]
    .assert_eq(&server.exchange(requests).await);
}

#[tokio::test]
async fn what_is_no_http_ends_its_own_connection_only() {
    let server = Server::start().await;
    expect![[r#"
        HTTP/1.1 400 Bad Request
        connection: close
        content-length: 0
    "#]]
    .assert_eq(&server.exchange("how do you do?\r\n\r\n").await);
    expect![[""]].assert_eq(&server.exchange("GET /panic HTTP/1.1\r\nHost: h\r\n\r\n").await);
    let answer = server.exchange("GET /admin/host/ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    expect![[r#"
        HTTP/1.1 200 OK
        connection: close
        content-length: 0
    "#]]
    .assert_eq(&answer);
}

#[tokio::test]
async fn a_drain_answers_what_runs_and_takes_nothing_new() {
    let mut server = Server::start().await;
    let mut idle = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n").await.expect("the server reads");
    server.functions.slow_began.notified().await;

    server.stop.send(()).expect("the server runs");
    assert_eq!(read_all(&mut idle).await, "", "an idle connection is closed");
    TcpStream::connect(server.address).await.expect_err("nobody listens any more");
    assert!(server.tasks.try_join_next().is_none(), "a request still runs");

    server.functions.gate.notify_one();
    expect![[r#"
        HTTP/1.1 200 OK
        content-length: 7
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000000
        connection: close

        at last"#]]
    .assert_eq(&read_all(&mut busy).await);
    server.tasks.join_next().await.expect("the server").expect("it ends by itself");
}
