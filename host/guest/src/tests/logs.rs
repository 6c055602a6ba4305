//! What guests write becomes log lines: with the right fields, once, and not without end.

use super::fixtures::{app_in, call, runtime_with, small_settings};
use super::http::{post, probe, request};
use super::world::{Between, World};
use crate::GuestSettings;
use http_body_util::BodyExt as _;
use ports::HttpFunctions as _;
use std::io;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics while logging").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        self.clone()
    }
}

impl Lines {
    /// Collects what this thread logs for as long as the guard lives; each of these tests runs on one thread.
    fn collect(&self) -> tracing::subscriber::DefaultGuard {
        let lines = tracing_subscriber::fmt().with_writer(self.clone()).without_time().with_ansi(false).finish();
        tracing::subscriber::set_default(lines)
    }

    fn of_guests(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().expect("as above").clone()).expect("text");
        text.lines().filter(|line| line.contains(" guest: ")).map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn lines_are_bounded_and_carry_the_invocation() {
    let settings = GuestSettings {
        function_timeout: Some(std::time::Duration::from_millis(200)),
        max_log_bytes: 2_000,
        ..small_settings()
    };
    let app = app_in(&runtime_with(settings), "noisy-neighbours").await;
    let lines = Lines::default();
    let guard = lines.collect();
    call(&app, "Misbehave", r#""stdout""#).await.expect_err("it never ends");
    drop(guard);
    let lines = lines.of_guests();
    assert_eq!(lines.len(), 4, "three of 599 bytes, and that there were more: {lines:#?}");
    assert!(lines[0].starts_with(" INFO guest: noise noise"), "{}", lines[0]);
    assert!(lines[0].ends_with("noise function=Misbehave invocation_id=call-1"), "{}", lines[0]);
    assert!(lines[3].contains("truncated: more than 2000 bytes of log"), "{}", lines[3]);
}

#[tokio::test]
async fn a_standard_component_may_run_on_after_its_body() {
    let app = probe(&runtime_with(small_settings()), &[]).await;
    let lines = Lines::default();
    let guard = lines.collect();
    let response = app.handle(request("Probe", post("/exact", ""))).await.expect("a response");
    let mut body = response.response.into_body();
    let frame = body.frame().await.expect("a frame").expect("no error");
    assert_eq!(frame.data_ref().map(|data| &data[..]), Some(&b"12345"[..]), "all that was announced");
    drop(body);
    while app.streaming_guests() > 0 {
        tokio::task::yield_now().await;
    }
    drop(guard);
    assert_eq!(lines.of_guests(), [" INFO guest: ran on function=Probe invocation_id=call-1"]);
}

#[tokio::test]
async fn refused_requests_are_told() {
    let app = probe(&runtime_with(small_settings()), &[]).await;
    let lines = Lines::default();
    let guard = lines.collect();
    let mut fetch = post("/fetch", "");
    fetch.headers_mut().insert("x-authority", "example.com".parse().expect("a value"));
    app.handle(request("Probe", fetch))
        .await
        .expect("a response")
        .response
        .into_body()
        .collect()
        .await
        .expect("a body");
    drop(guard);
    assert_eq!(
        lines.of_guests(),
        [" WARN guest: a request to example.com was refused; allow it by the component's allowedOutboundHosts \
          function=Probe invocation_id=call-1"]
    );
}

#[tokio::test]
async fn replayed_lines_are_silent() {
    let app = app_in(&runtime_with(small_settings()), "conference-booking").await;
    let no_flight = r#"{"traveller":"Ada","conference":"Wasm Day","simulate":{"flight":{"refuses":true}}}"#;
    let mut logs = Vec::new();
    for between in [Between::KeepAlive, Between::Rebuild] {
        let lines = Lines::default();
        let guard = lines.collect();
        World::new(&app, between).run("FlightOrTrain", no_flight).await;
        drop(guard);
        logs.push(lines.of_guests());
    }
    assert_eq!(logs[0], logs[1]);
    expect_test::expect![" WARN guest: no flight (Refused: flight: refused for good): taking the train function=FlightOrTrain instance_id=trip-1"].assert_eq(&logs[0].join("\n"));
}

#[tokio::test]
async fn printed_lines_are_silent_too() {
    let app = app_in(&runtime_with(small_settings()), "sandbox-probe").await;
    for between in [Between::KeepAlive, Between::Rebuild] {
        let lines = Lines::default();
        let guard = lines.collect();
        World::new(&app, between).run("PrintAroundATimer", "null").await;
        drop(guard);
        let fields = "function=PrintAroundATimer instance_id=trip-1";
        let expected = ["before", "right before", "after"].map(|line| format!(" INFO guest: {line} {fields}"));
        assert_eq!(lines.of_guests(), expected);
    }
}
