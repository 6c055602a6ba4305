//! Ctrl+C: once, and what runs is finished; twice, and the process is gone.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::host::Host;
use crate::samples;

fn trip_with_slow_ticket(delay_ms: u32) -> Value {
    json!({ "traveller": "Ada", "conference": "RustConf", "simulate": { "conference": { "delayMs": delay_ms } } })
}

/// A host at the moment when an activity that takes this long is running.
fn busy_host(data: &TempDir, delay_ms: u32) -> (Host, String) {
    let options = ["--verbose".as_ref(), "--data-dir".as_ref(), data.path().as_os_str()];
    let mut host = Host::start(&samples::manifest("conference-booking"), options);
    let id = host.client().start("Sequential", &trip_with_slow_ticket(delay_ms));
    host.process.wait_for("[invocation start] BookConference ");
    (host, id)
}

#[test]
fn what_runs_is_finished_before_the_end_and_the_rest_goes_on_at_the_next_start() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let (host, id) = busy_host(&data, 1_500);
    let output = host.stop();
    assert!(output.contains("Stopping: no new work is taken"), "{output}");
    assert!(output.contains("[invocation end] BookConference succeeded"), "{output}");

    let options = ["--data-dir".as_ref(), data.path().as_os_str()];
    let mut host = Host::start(&samples::manifest("conference-booking"), options);
    assert_eq!(host.wait_for_end(&id)["runtimeStatus"], "Completed");
    host.stop();
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let (mut host, _) = busy_host(&data, 600_000);
    host.process.interrupt();
    host.process.wait_for("Stopping");
    host.process.interrupt();
    let (status, output) = host.process.wait_for_end();
    assert_eq!(status.code(), Some(130), "{output}");
}
