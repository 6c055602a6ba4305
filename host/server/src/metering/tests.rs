//! Bills by hand, and counters over a restart.

use super::usage::{Usage, billed_mb_ms};
use super::{FunctionUsage, Metering, exposition};
use expect_test::{Expect, expect};
use manifest::settings::StorageSettings;
use ports::{DocumentStore, Execution, Meter, Work};
use std::sync::Arc;
use std::time::Duration;

const MB: u64 = 1 << 20;

#[test]
fn memory_and_time_are_rounded_up_as_on_the_bill() {
    let check = |duration: Duration, memory_bytes: u64, mb_ms: u64| {
        assert_eq!(billed_mb_ms(duration, memory_bytes), mb_ms, "{duration:?} {memory_bytes}");
    };
    check(Duration::ZERO, 0, 128 * 100);
    check(Duration::from_micros(3), MB, 128 * 100);
    check(Duration::from_millis(100), 128 * MB, 128 * 100);
    check(Duration::from_micros(100_001), 128 * MB + 1, 256 * 101);
    check(Duration::from_secs(10), 1_500 * MB, 1_536 * 10_000);
    check(Duration::from_secs(1), 4_096 * MB, 1_536 * 1_000);
}

fn run(function: &str, work: Work, succeeded: bool) -> Execution<'_> {
    Execution { function, work, succeeded, duration: Duration::from_millis(250), memory_bytes: 3 * MB }
}

fn check(metering: &Metering, expected: &Expect) {
    let lines: Vec<String> = metering
        .usage()
        .iter()
        .map(|FunctionUsage { function, usage, .. }| {
            let Usage { successes, failures, turns, replayed_turns, .. } = usage;
            format!(
                "{function}: {} executions, {successes} well, {failures} not, {turns} turns, {replayed_turns} replayed, {:.3} s, {:.4} GB-s",
                usage.executions(),
                usage.seconds(),
                usage.gb_seconds()
            )
        })
        .collect();
    expected.assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn counters_outlive_the_host() {
    let store: Arc<dyn DocumentStore> =
        crate::wiring::open_store(None, &StorageSettings { reserved_disk_bytes: 0 }).expect("memory always opens");
    let first = Metering::open("trips", ["BookTrip", "Quiet"], store.clone()).await.expect("the store can be read");
    first.record(&run("BookTrip", Work::Turn, true));
    first.record(&run("BookTrip", Work::ReplayedTurn, true));
    first.record(&run("BookFlight", Work::Invocation, false));
    first.save().await;
    let second = Metering::open("trips", ["BookTrip"], store.clone()).await.expect("the store can be read");
    second.record(&run("BookFlight", Work::Invocation, true));
    check(
        &second,
        &expect![[r#"
            BookFlight: 2 executions, 1 well, 1 not, 0 turns, 0 replayed, 0.500 s, 0.0625 GB-s
            BookTrip: 1 executions, 2 well, 0 not, 1 turns, 1 replayed, 0.500 s, 0.0625 GB-s"#]],
    );
    let other = Metering::open("other", [], store).await.expect("the store can be read");
    assert!(other.usage().is_empty(), "apps are counted apart");
}

#[test]
fn the_estimate_is_in_terms_of_the_free_grant() {
    let usage = Usage { successes: 1_400_000, failures: 100_000, mb_ms: 128 * 1_500_000 * 100, ..Usage::default() };
    let estimate = serde_json::to_string_pretty(&usage.estimate()).expect("numbers are JSON");
    expect![[r#"
        {
          "executions": 1500000,
          "gbSeconds": 18750.0,
          "freeExecutionsPercent": 150.0,
          "freeGbSecondsPercent": 4.6875,
          "billableExecutions": 500000,
          "billableGbSeconds": 0.0
        }"#]]
    .assert_eq(&estimate);
}

#[test]
fn prometheus_gets_text_with_escaped_labels() {
    let usage = Usage { successes: 2, failures: 1, turns: 1, replayed_turns: 1, duration_us: 1_500, mb_ms: 38_400 };
    let text =
        exposition("a\"b", "0.1.0", 7, &[FunctionUsage { app: "a\"b".to_owned(), function: "Book".to_owned(), usage }]);
    expect![[r#"
        # HELP dacapo_build_info The version of the host; always 1.
        # TYPE dacapo_build_info gauge
        dacapo_build_info{app="a\"b",version="0.1.0"} 1
        # HELP dacapo_uptime_seconds Time since the host started.
        # TYPE dacapo_uptime_seconds gauge
        dacapo_uptime_seconds{app="a\"b"} 7
        # HELP dacapo_function_executions_total Runs of functions, turns of orchestrators included.
        # TYPE dacapo_function_executions_total counter
        dacapo_function_executions_total{app="a\"b",function="Book",outcome="succeeded"} 2
        dacapo_function_executions_total{app="a\"b",function="Book",outcome="failed"} 1
        # HELP dacapo_function_replayed_turns_total Turns of orchestrators that first ran through the history again; executions, too.
        # TYPE dacapo_function_replayed_turns_total counter
        dacapo_function_replayed_turns_total{app="a\"b",function="Book"} 1
        # HELP dacapo_function_turns_total Turns of orchestrators and batches of entities without a replay; executions, too.
        # TYPE dacapo_function_turns_total counter
        dacapo_function_turns_total{app="a\"b",function="Book"} 1
        # HELP dacapo_function_duration_seconds_total Time that guests ran.
        # TYPE dacapo_function_duration_seconds_total counter
        dacapo_function_duration_seconds_total{app="a\"b",function="Book"} 0.0015
        # HELP dacapo_function_gb_seconds_total Memory by time, as the consumption plan of the cloud bills it.
        # TYPE dacapo_function_gb_seconds_total counter
        dacapo_function_gb_seconds_total{app="a\"b",function="Book"} 0.0375
    "#]]
    .assert_eq(&text);
}
