//! The host as a whole: how it is, its settings, what was used, holding it back.

use super::check;
use super::world::trips;
use crate::admin::Admin;
use crate::admin::config::{Machine, host_json, time_span};
use crate::hosting::Served;
use crate::listeners::{Intake, Listen};
use crate::shutdown::Stop;
use expect_test::expect;
use http::Request;
use http_body_util::{BodyExt, Full};
use ports::{Body, Execution, Meter, Work};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

fn served(admin: &Admin) -> Arc<Served> {
    Arc::clone(admin.host.apps.all().first().expect("an app is served"))
}

#[tokio::test]
async fn the_host_tells_how_it_is() {
    let (admin, _background) = trips();
    let answer = admin.status().into_body().collect().await.expect("a whole body").to_bytes();
    let mut status: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
    let name = status.as_object_mut().and_then(|status| status.remove("computerName"));
    assert!(name.is_none_or(|name| name.as_str().is_some_and(|name| !name.is_empty())));
    expect![[r#"
        {
          "id": "trips",
          "instanceId": "1",
          "processUptime": 43200000,
          "state": "Running",
          "version": "0.1.0",
          "versionDetails": "Dacapo 0.1.0 with trips 1.0.0"
        }"#]]
    .assert_eq(&format!("{status:#}"));
    check(
        "POST /admin/host/ping
         GET /admin/host/ping?checkHealth=1
         GET /admin/host/drain/status
         POST /admin/host/drain
         GET /admin/host/drain/status
         POST /admin/host/drain
         POST /admin/host/resume
         POST /admin/host/resume
         GET /admin/host/drain/status
         PUT /admin/host/drain",
        &expect![[r#"
            POST /admin/host/ping
              200
            GET /admin/host/ping?checkHealth=1
              200
            GET /admin/host/drain/status
              200 {"state":"Disabled","outstandingInvocations":0,"outstandingRetries":0}
            POST /admin/host/drain
              202
            GET /admin/host/drain/status
              200 {"state":"Completed","outstandingInvocations":0,"outstandingRetries":0}
            POST /admin/host/drain
              202
            POST /admin/host/resume
              200 {"State":"Running"}
            POST /admin/host/resume
              200 {"State":"Running"}
            GET /admin/host/drain/status
              200 {"state":"Disabled","outstandingInvocations":0,"outstandingRetries":0}
            PUT /admin/host/drain
              404"#]],
    )
    .await;
}

/// What load balancers see.
async fn health(admin: &Admin) -> String {
    let (head, body) = admin.health().into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    format!("{} {}", head.status.as_u16(), String::from_utf8_lossy(&body))
}

#[tokio::test]
async fn a_drained_host_is_not_sent_work() {
    let (admin, _background) = trips();
    let (stop, stopping) = Stop::new();
    let listeners = Arc::clone(&served(&admin).listeners);
    let mut intake = listeners.watch();
    let listen: Listen = Box::new(|stopping| vec![Box::pin(stopping.clone())]);
    let mut running = JoinSet::new();
    running.spawn(listeners.run(listen, stopping));
    intake.wait_for(|intake| *intake == Intake::Open).await.expect("it is there");
    assert_eq!(health(&admin).await, r#"200 {"status":"ok"}"#);
    admin.drain();
    assert_eq!(health(&admin).await, r#"503 {"status":"draining"}"#);
    intake.wait_for(|intake| *intake == Intake::Closed).await.expect("it is there");
    let answer = admin.drain_status().into_body().collect().await.expect("a whole body").to_bytes();
    assert_eq!(&answer[..], br#"{"state":"Completed","outstandingInvocations":0,"outstandingRetries":0}"#);
    assert_eq!(health(&admin).await, r#"503 {"status":"draining"}"#);
    admin.resume().expect("it can be resumed");
    assert_eq!(health(&admin).await, r#"200 {"status":"ok"}"#);
    stop.ask();
    running.join_next().await.expect("a task").expect("it ends well");
    assert_eq!(health(&admin).await, r#"503 {"status":"stopping"}"#);
    assert_eq!(admin.resume().expect_err("it is too late").reply().status(), 409);
}

#[test]
fn settings_are_told_with_their_defaults() {
    let machine = Machine { cores: 2, memory_bytes: 1 << 30 };
    let json = host_json(&super::world::app().host, machine);
    let sections = json.as_object().expect("an object").iter();
    let lines = sections.flat_map(|(name, section)| match section.as_object() {
        Some(parts) => parts.iter().map(|(part, value)| format!("{name}.{part}: {value}")).collect(),
        None => vec![format!("{name}: {section}")],
    });
    expect![[r#"
        extensions.durableTask: {"defaultVersion":null,"extendedSessionsEnabled":true,"httpSettings":{"defaultAsyncRequestSleepTimeMilliseconds":30000},"hubName":"trips","liveInstanceBytes":268435456,"liveInstances":1000,"maxConcurrentActivityFunctions":20,"maxConcurrentOrchestratorFunctions":20,"maxContinueAsNewPerMinute":6000,"maxCustomStatusBytes":16384,"maxEntityOperationBatchSize":5000,"maxHistoryBytes":268435456,"maxHistoryEvents":1000000,"maxOrchestrationActions":100000,"maxPayloadBytes":4194304,"maxPendingActions":100000,"maxSubOrchestrationDepth":32,"maxSubOrchestrations":100000,"maxTurnAttempts":3,"orchestratorTurnTimeout":"00:00:10","overridableExistingInstanceStates":"NonRunningStates","retention":{"completed":null,"failed":null,"terminated":null},"rollbackEntityOperationsOnExceptions":true,"storeInputsInOrchestrationHistory":true,"versionFailureStrategy":"Reject","versionMatchStrategy":"CurrentOrOlder"}
        extensions.http: {"cors":{"allowedOrigins":[],"supportCredentials":false},"customHeaders":{},"hsts":{"isEnabled":false},"maxConcurrentRequests":1000,"maxOutstandingRequests":4096,"maxRequestBodyBytes":104857600,"routePrefix":"api","strictAzureStatus":false}
        extensions.queues: {"batchSize":16,"maxDequeueCount":5,"maxPollingInterval":null,"messageEncoding":"auto","newBatchThreshold":16,"visibilityTimeout":"00:00:00"}
        functionTimeout: "00:30:00"
        guest.maxLogBytes: 1048576
        guest.maxMemoryBytes: 268435456
        guest.maxOutputBytes: 16777216
        logging.logLevel: {}
        storage.reservedDiskBytes: 134217728
        version: "2.0""#]].assert_eq(&lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn times_are_written_as_in_net() {
    let check = |time: Duration, text: &str| assert_eq!(time_span(time), text);
    check(Duration::ZERO, "00:00:00");
    check(Duration::from_secs(300), "00:05:00");
    check(Duration::from_millis(100), "00:00:00.1000000");
    check(Duration::from_secs(90_061), "1.01:01:01");
    check(Duration::new(59, 999_999_999), "00:00:59.9999999");
}

#[tokio::test]
async fn what_was_used_is_told() {
    let (admin, _background) = trips();
    let run = |function, work, succeeded| Execution {
        function,
        work,
        succeeded,
        duration: Duration::from_millis(250),
        memory_bytes: 3 << 20,
    };
    served(&admin).metering.record(&run("Trip", Work::Turn, true));
    served(&admin).metering.record(&run("Trip", Work::ReplayedTurn, true));
    served(&admin).metering.record(&run("BookTrip", Work::Invocation, false));
    let request = Request::builder().uri("/admin/host/usage").header("host", "h");
    let body: Body = Full::default().map_err(|never| match never {}).boxed_unsync();
    let answer = admin.handle(request.body(body).expect("a request")).await;
    let bytes = answer.into_body().collect().await.expect("a whole body").to_bytes();
    let report: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let used: Vec<_> = report["functions"].as_array().expect("a list").iter().map(ToString::to_string).collect();
    expect![[r#"
        {"app":"trips","durationMs":0,"executions":0,"failures":0,"function":"AcceptTrip","gbSeconds":0.0,"replayedTurns":0,"successes":0,"turns":0}
        {"app":"trips","durationMs":250,"executions":1,"failures":1,"function":"BookTrip","gbSeconds":0.03125,"replayedTurns":0,"successes":0,"turns":0}
        {"app":"trips","durationMs":0,"executions":0,"failures":0,"function":"NightlyReport","gbSeconds":0.0,"replayedTurns":0,"successes":0,"turns":0}
        {"app":"trips","durationMs":0,"executions":0,"failures":0,"function":"RefuseTrip","gbSeconds":0.0,"replayedTurns":0,"successes":0,"turns":0}
        {"app":"trips","durationMs":0,"executions":0,"failures":0,"function":"ShowTrip","gbSeconds":0.0,"replayedTurns":0,"successes":0,"turns":0}
        {"app":"trips","durationMs":0,"executions":0,"failures":0,"function":"StartTrip","gbSeconds":0.0,"replayedTurns":0,"successes":0,"turns":0}
        {"app":"trips","durationMs":0,"executions":0,"failures":0,"function":"Stock","gbSeconds":0.0,"replayedTurns":0,"successes":0,"turns":0}
        {"app":"trips","durationMs":500,"executions":1,"failures":0,"function":"Trip","gbSeconds":0.0625,"replayedTurns":1,"successes":2,"turns":1}
        {"durationMs":750,"executions":2,"failures":1,"gbSeconds":0.09375,"replayedTurns":1,"successes":2,"turns":1}
        {"billableExecutions":0,"billableGbSeconds":0.0,"executions":3,"freeExecutionsPercent":0.00030000000000000003,"freeGbSecondsPercent":0.0000234375,"gbSeconds":0.09375}"#]].assert_eq(&format!("{}\n{}\n{}", used.join("\n"), report["total"], report["estimate"]));
    let metrics = admin.metrics(&Request::new(()).into_parts().0).into_body().collect().await.expect("a body");
    let text = String::from_utf8(metrics.to_bytes().into()).expect("text");
    assert!(text.contains("dacapo_uptime_seconds{app=\"trips\"} 43200\n"), "{text}");
    assert!(text.contains("{app=\"trips\",function=\"BookTrip\",outcome=\"failed\"} 1\n"), "{text}");
}
