//! Requests over real sockets to a server that says what it got, and does what its path says.

use super::{Bounds, Outbound, SendError};
use crate::clock::SystemClock;
use expect_test::{Expect, expect};
use orchestration::HttpRequest;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Where two servers listen: the second one is another origin.
struct Servers {
    first: u16,
    second: u16,
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("some port is free")
}

/// Runs `asking` while two servers answer.
async fn with_servers<T>(asking: impl AsyncFnOnce(Servers) -> T) -> T {
    let (first, second) = (listen().await, listen().await);
    let port = |listener: &TcpListener| listener.local_addr().expect("it is bound").port();
    let servers = Servers { first: port(&first), second: port(&second) };
    let other = servers.second;
    tokio::select! {
        () = serve(first, other) => unreachable!("it serves for ever"),
        () = serve(second, other) => unreachable!("it serves for ever"),
        answer = asking(servers) => answer,
    }
}

async fn serve(listener: TcpListener, other: u16) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        if let Some((method, path, received)) = read(stream).await {
            let (mut stream, text) = received;
            let answer = answer(&method, &path, &text, other);
            stream.write_all(answer.as_bytes()).await.expect("the client reads");
        }
    }
}

type Received = (TcpStream, String);

/// The request as text, without what differs from run to run.
async fn read(stream: TcpStream) -> Option<(String, String, Received)> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(bytes) = line.strip_prefix("content-length: ") {
            length = bytes.parse().ok()?;
        }
        if !line.starts_with("host: ") && !line.starts_with("user-agent: ") {
            head.push(line.to_owned());
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.ok()?;
    let mut words = head.first()?.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let text = format!("{}\n\n{}", head.join("\n"), String::from_utf8(body).ok()?);
    Some((method, path, (reader.into_inner(), text)))
}

/// `/301/x` redirects to `/x` here, `/307-away/x` to `/x` of the other server, `/loop` to itself; all else is echoed.
fn answer(_method: &str, path: &str, received: &str, other: u16) -> String {
    let moved = |status: &str, location: &str| {
        format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    };
    let (first, rest) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
    match first.split_once('-') {
        Some((status, "away")) => moved(status, &format!("http://127.0.0.1:{other}/{rest}")),
        Some((status, "nowhere")) => moved(status, "http://"),
        Some(_) => unreachable!("{path}"),
        None if matches!(first, "301" | "302" | "303" | "307" | "308") => moved(first, &format!("../{rest}")),
        None if first == "/loop" => moved("302", "/loop"),
        None if first == "/slow" => String::new(),
        None => format!(
            "HTTP/1.1 404 Not Found\r\nset-cookie: a\r\nset-cookie: b\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{received}",
            received.len()
        ),
    }
}

fn request(method: &str, url: String) -> HttpRequest {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    HttpRequest {
        method: method.to_owned(),
        url,
        headers: vec![
            header("Authorization", "Bearer 1"),
            header("X-Functions-Key", "2"),
            header("Cookie", "3"),
            header("Accept", "4"),
            header("Content-Type", "text/plain"),
            header("Connection", "upgrade"),
            header("Content-Length", "99"),
        ],
        content: (method != "GET").then(|| "hello".to_owned()),
        fail_on_status: None,
    }
}

fn outbound() -> Outbound {
    Outbound::new(Arc::new(SystemClock))
}

fn bounds(allows: &(dyn Fn(bool, &str, u16) -> bool + Send + Sync)) -> Bounds<'_> {
    Bounds { allows, timeout: Duration::from_secs(60), max_body_bytes: 500 }
}

async fn check(method: &str, path: &str, expected: &Expect) {
    let answer = with_servers(async |servers: Servers| {
        let request = request(method, format!("http://127.0.0.1:{}{path}", servers.first));
        outbound().send(request, bounds(&|_, _, _| true)).await.expect("there is an answer")
    })
    .await;
    let headers: Vec<&str> =
        answer.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str()).collect();
    assert_eq!((answer.status, headers), (404, vec!["a", "b"]), "any status is an answer");
    expected.assert_eq(&answer.content);
}

#[tokio::test]
async fn a_request_is_sent_as_it_is_but_for_what_is_the_connections() {
    check(
        "PATCH",
        "/a?b=c",
        &expect![[r#"
        PATCH /a?b=c HTTP/1.1
        authorization: Bearer 1
        x-functions-key: 2
        cookie: 3
        accept: 4
        content-type: text/plain
        content-length: 5

        hello"#]],
    )
    .await;
    check(
        "GET",
        "/",
        &expect![[r#"
        GET / HTTP/1.1
        authorization: Bearer 1
        x-functions-key: 2
        cookie: 3
        accept: 4
        content-type: text/plain

    "#]],
    )
    .await;
}

#[tokio::test]
async fn redirects_are_followed_as_clients_do() {
    check(
        "POST",
        "/301/a",
        &expect![[r#"
        GET /a HTTP/1.1
        authorization: Bearer 1
        x-functions-key: 2
        cookie: 3
        accept: 4

    "#]],
    )
    .await;
    check(
        "PUT",
        "/302/a",
        &expect![[r#"
        PUT /a HTTP/1.1
        authorization: Bearer 1
        x-functions-key: 2
        cookie: 3
        accept: 4
        content-type: text/plain
        content-length: 5

        hello"#]],
    )
    .await;
    check(
        "DELETE",
        "/303/a",
        &expect![[r#"
        GET /a HTTP/1.1
        authorization: Bearer 1
        x-functions-key: 2
        cookie: 3
        accept: 4

    "#]],
    )
    .await;
    check(
        "POST",
        "/308/a",
        &expect![[r#"
        POST /a HTTP/1.1
        authorization: Bearer 1
        x-functions-key: 2
        cookie: 3
        accept: 4
        content-type: text/plain
        content-length: 5

        hello"#]],
    )
    .await;
}

#[tokio::test]
async fn secrets_stay_with_their_origin() {
    check(
        "POST",
        "/307-away/a",
        &expect![[r#"
        POST /a HTTP/1.1
        accept: 4
        content-type: text/plain
        content-length: 5

        hello"#]],
    )
    .await;
}

async fn check_error(path: &str, bounds: Bounds<'_>, expected: &Expect) {
    let (error, ports) = with_servers(async |servers: Servers| {
        let request = request("POST", format!("http://127.0.0.1:{}{path}", servers.first));
        let error = outbound().send(request, bounds).await.expect_err("there is no answer that may be taken");
        (error, [servers.first, servers.second])
    })
    .await;
    let text = format!("{} ({})", error, if error.may_pass() { "may pass" } else { "will not pass" });
    expected.assert_eq(&text.replace(&ports[0].to_string(), "FIRST").replace(&ports[1].to_string(), "SECOND"));
}

#[tokio::test]
async fn what_bounds_a_request_ends_it() {
    let all: fn(bool, &str, u16) -> bool = |_, _, _| true;
    check_error("/loop", bounds(&all), &expect!["more than 10 redirects followed each other (will not pass)"]).await;
    check_error("/a", bounds(&|_, _, _| false), &expect!["requests to 127.0.0.1:FIRST are not allowed; add it to the component's allowedOutboundHosts (will not pass)"]).await;
    check_error("/a", Bounds { max_body_bytes: 10, ..bounds(&all) }, &expect!["the answer of 127.0.0.1:FIRST is longer than 10 bytes; ask for less, or raise host.durableTask.maxPayloadBytes (will not pass)"]).await;
    check_error("/slow", bounds(&all), &expect!["127.0.0.1:FIRST cannot be asked: client error (SendRequest): connection closed before message completed (may pass)"]).await;
}

#[tokio::test]
async fn a_redirect_leads_only_where_the_caller_may_go() {
    let (error, second) = with_servers(async |servers: Servers| {
        let first = servers.first;
        let allows = move |https: bool, host: &str, port: u16| !https && host == "127.0.0.1" && port == first;
        let request = request("GET", format!("http://127.0.0.1:{first}/302-away/a"));
        (outbound().send(request, bounds(&allows)).await.expect_err("it must not go there"), servers.second)
    })
    .await;
    assert_eq!(error, SendError::NotAllowed(format!("127.0.0.1:{second}")));
}

#[tokio::test]
async fn a_location_that_is_none_is_an_answer() {
    let answer = with_servers(async |servers: Servers| {
        let request = request("GET", format!("http://127.0.0.1:{}/302-nowhere/a", servers.first));
        outbound().send(request, bounds(&|_, _, _| true)).await.expect("there is an answer")
    })
    .await;
    assert_eq!(answer.status, 302);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let silent = listen().await;
    let port = silent.local_addr().expect("it is bound").port();
    let timeout = Duration::from_millis(30);
    let request = request("GET", format!("http://127.0.0.1:{port}/"));
    let error = outbound().send(request, Bounds { timeout, ..bounds(&|_, _, _| true) }).await;
    assert_eq!(error.expect_err("nobody answers"), SendError::TimedOut(timeout));
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_named() {
    // Bound, so that nobody else gets it, but not listened to.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("some port is free");
    let port = socket.local_addr().expect("it is bound").port();
    let error =
        outbound().send(request("GET", format!("http://user:pw@127.0.0.1:{port}/")), bounds(&|_, _, _| true)).await;
    let text = error.expect_err("nobody listens").to_string().replace(&port.to_string(), "PORT");
    // The system has a number for it besides.
    let text = text.split(" (os error").next().unwrap_or_default().to_owned();
    expect!["127.0.0.1:PORT cannot be asked: client error (Connect): tcp connect error: Connection refused"]
        .assert_eq(&text);
}

#[tokio::test]
async fn what_is_no_request_is_not_sent() {
    let check = async |request: HttpRequest, expected: &Expect| {
        let error = outbound().send(request, bounds(&|_, _, _| true)).await.expect_err("it cannot be sent");
        expected.assert_eq(&error.to_string());
    };
    check(request("GET IT", "http://h/".to_owned()), &expect!["GET IT http://h/ cannot be sent: the method is none"])
        .await;
    check(request("GET", "h".to_owned()), &expect!["GET h cannot be sent: the URL is not absolute"]).await;
    let mut odd = request("GET", "http://h/?secret".to_owned());
    odd.headers = vec![("a b".to_owned(), "1".to_owned())];
    check(odd, &expect!["GET http://h/ cannot be sent: a header's name is none"]).await;
    let mut odd = request("GET", "http://h/".to_owned());
    odd.headers = vec![("a".to_owned(), "1\n2".to_owned())];
    check(odd, &expect!["GET http://h/ cannot be sent: a header's value cannot stand in a header"]).await;
}
