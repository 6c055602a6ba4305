//! Activities that take too long, fall silent, or are not wanted any more.

use serde_json::{Value, json};

use crate::host::{Host, with_app};
use crate::samples;

fn with_model(test: impl FnOnce(&mut Host)) {
    with_app(&samples::manifest("durable-model"), test);
}

#[track_caller]
fn check_failed(ended: &Value, error_type: &str) {
    assert_eq!(ended["runtimeStatus"], "Failed", "{ended:#}");
    assert!(ended["output"].as_str().is_some_and(|text| text.contains(error_type)), "{ended:#}");
}

#[test]
fn a_run_over_its_timeout_is_interrupted_and_tried_again() {
    with_model(|host| {
        let client = host.client();
        assert_eq!(client.outcome("RunSlowStep", &json!({ "takesMs": 100 })), "done at attempt 1");
        let slow = json!({ "takesMs": 600_000, "timeoutMs": 200, "attempts": 2 });
        client.start_as("RunSlowStep", "slow", &slow);
        let ended = host.wait_for_end("slow");
        check_failed(&ended, "ActivityTimeout");
        let events = ended["historyEvents"].as_array().expect("a history");
        assert_eq!(events.iter().filter(|event| event["EventType"] == "TaskFailed").count(), 2, "{ended:#}");
    });
}

#[test]
fn heartbeats_keep_a_run_alive_and_silence_ends_it() {
    with_model(|host| {
        let client = host.client();
        // Twice as long as it may be silent.
        let work = json!({ "takesMs": 1_500, "heartbeatTimeoutMs": 750 });
        assert_eq!(client.outcome("RunSlowStep", &work), "done at attempt 1");
        let silent = json!({ "takesMs": 600_000, "heartbeatTimeoutMs": 200, "silent": true });
        check_failed(&client.outcome("RunSlowStep", &silent), "ActivityHeartbeatTimeout");
    });
}

#[test]
fn an_abort_stops_the_activity() {
    with_model(|host| {
        let aborted = host.client().outcome("AbortSlowStep", &json!({ "takesMs": 600_000, "timeoutMs": 200 }));
        assert_eq!(aborted, "stopped: nothing came within 200ms");
        host.process.wait_for("[invocation end] SlowStep cancelled");
    });
}

#[test]
fn a_termination_stops_the_activity() {
    with_model(|host| {
        let client = host.client();
        client.start_as("RunSlowStep", "endless", &json!({ "takesMs": 600_000 }));
        host.look_until("the step runs", |client| {
            (client.explain("endless")["waitingFor"][0]["running"] == true).then_some(())
        });
        client.tell("endless", "terminate").expect(202);
        host.process.wait_for("[invocation end] SlowStep cancelled");
        assert_eq!(client.status("endless")["runtimeStatus"], "Terminated");
    });
}
