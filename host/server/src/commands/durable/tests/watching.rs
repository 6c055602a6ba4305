//! Following an instance: in a terminal, in a pipe, for programs.

use super::super::paint::Look;
use super::super::watch::watch;
use super::host::{Host, is};
use super::{FILE, failed};
use crate::cli::{Cli, Command, DurableCommand};
use crate::management::tests::world::{World, instance};
use clap::Parser;
use expect_test::{Expect, expect};
use futures::FutureExt;
use orchestration::{InstanceId, RuntimeStatus};
use ports::{InstanceStore, Purge};

const BEGUN: &str = r#"
    0 TaskScheduled "eventId":0,"name":"Book","input":1
"#;
const ENDED: &str = r#"
    0 TaskScheduled "eventId":0,"name":"Book","input":1
    400 TaskCompleted "taskScheduledId":0,"result":2
    400 ExecutionCompleted "eventId":1,"orchestrationStatus":"Completed","result":{"booked": 1.50}
"#;

/// What is printed, frame by frame, and how it ends; times that go on are not shown.
async fn check(host: Host, look: Look, more: &[&str], expected: &Expect) {
    let mut printed = Vec::new();
    let outcome = host
        .serve(async |url| {
            let typed = ["dacapo", "durable", "watch", "t", "--url", &url];
            let cli = Cli::try_parse_from(typed.iter().chain(more)).expect("a command line");
            let Command::Durable(DurableCommand::Watch(arguments)) = cli.command else { unreachable!("it is typed") };
            match watch(&arguments, look, |text| printed.push(text.to_owned())).await {
                Ok(said) => format!("[{}] {}", u8::from(!said.is_well), said.text),
                Err(problem) => failed(problem),
            }
        })
        .await;
    printed.retain(|text| !text.is_empty());
    let text = format!("{}=====\n{outcome}", printed.iter().map(|text| format!("{text}-----\n")).collect::<String>());
    expected.assert_eq(&text.replace('\x1b', "^").replace('\r', "^M"));
}

fn trip() -> Host {
    Host::of(World::with([instance("t", RuntimeStatus::Pending, 0)]))
        .then(|_| ())
        .then(is(RuntimeStatus::Running, BEGUN))
        .then(is(RuntimeStatus::Completed, ENDED))
}

#[tokio::test]
async fn a_pipe_gets_each_event_once_and_the_timeline_at_the_end() {
    check(
        trip(),
        FILE,
        &[],
        &expect![[r#"
        2024-01-01 00:00:00.000  ExecutionStarted  Trip  1
        2024-01-01 00:00:00.000  TaskScheduled  #0 Book  1
        -----
        2024-01-01 00:00:00.400  TaskCompleted  #0 Book  2
        2024-01-01 00:00:00.400  ExecutionCompleted  Completed  {"booked": 1.50}
        -----

        Trip t: Completed after 400 ms

              0              100 ms          200 ms         300 ms
        Book  ██████████████████████████████████████████████████████████████  400 ms  ok
        -----
        =====
        [0] 
        Completed: {"booked": 1.50}"#]],
    )
    .await;
}

#[tokio::test]
async fn programs_get_each_event_once() {
    check(trip(), FILE, &["--output", "json"], &expect![[r#"
        {"eventType":"ExecutionStarted","timestamp":"2024-01-01T00:00:00.0000000Z","name":"Trip","instanceId":"t","executionId":"00000000000000000000000000000007","input":1}
        {"eventType":"TaskScheduled","timestamp":"2024-01-01T00:00:00.0000000Z","eventId":0,"name":"Book","input":1}
        -----
        {"eventType":"TaskCompleted","timestamp":"2024-01-01T00:00:00.4000000Z","taskScheduledId":0,"result":2}
        {"eventType":"ExecutionCompleted","timestamp":"2024-01-01T00:00:00.4000000Z","result":{"booked": 1.50},"orchestrationStatus":"Completed"}
        -----
        =====
        [0] "#]]).await;
}

#[tokio::test]
async fn a_terminal_is_drawn_anew() {
    let host = Host::of(World::with([instance("t", RuntimeStatus::Pending, 0)]))
        .then(|_| ())
        .then(is(RuntimeStatus::Completed, ENDED));
    check(
        host,
        Look { terminal: true, ..FILE },
        &[],
        &expect![[r#"
        Trip t: Pending^[K
        ^[J-----
        ^[1A^MTrip t: Completed after 400 ms^[K
        ^[K
              0              100 ms          200 ms         300 ms^[K
        Book  ██████████████████████████████████████████████████████████████  400 ms  ok^[K
        ^[J-----
        ^[4A^MTrip t: Completed after 400 ms^[K
        ^[K
              0              100 ms          200 ms         300 ms^[K
        Book  ██████████████████████████████████████████████████████████████  400 ms  ok^[K
        ^[J-----
        =====
        [0] 
        Completed: {"booked": 1.50}"#]],
    )
    .await;
}

#[tokio::test]
async fn what_ends_badly_or_is_gone_is_told() {
    let failed = r#"400 ExecutionCompleted "eventId":0,"orchestrationStatus":"Failed","failureDetails":{"errorType":"BookingError","errorMessage":"no seats left","isNonRetriable":false}"#;
    let host = Host::of(World::default()).then(is(RuntimeStatus::Failed, failed));
    check(
        host,
        FILE,
        &[],
        &expect![[r#"
        2024-01-01 00:00:00.000  ExecutionStarted  Trip  1
        2024-01-01 00:00:00.400  ExecutionCompleted  Failed  BookingError: no seats left
        -----

        Trip t: Failed after 400 ms

        ✗ Trip: BookingError: no seats left
        -----
        =====
        [1] 
        Failed: BookingError: no seats left"#]],
    )
    .await;
    let gone = Host::of(World::with([instance("t", RuntimeStatus::Pending, 0)])).then(|_| ()).then(|world| {
        let id = InstanceId::from_stored("t");
        let purge = InstanceStore::purge(world, &id, Purge::Any);
        assert_eq!(purge.now_or_never(), Some(Ok(true)), "it was there");
    });
    check(
        gone,
        FILE,
        &[],
        &expect![[r#"
        =====
        [1] error: No instance with ID 't' was found. `dacapo durable get-instances` lists those that are there."#]],
    )
    .await;
    check(
        Host::of(World::default()),
        FILE,
        &[],
        &expect![[r#"
        =====
        [1] error: No instance with ID 't' was found. `dacapo durable get-instances` lists those that are there."#]],
    )
    .await;
}
