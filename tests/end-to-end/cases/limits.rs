//! The guards against code that runs away, with small numbers: each ends the instance that runs into it, with a text that
//! says which one it was, and nobody else notices. And what is thrown away by itself when it is old.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::client::MANAGEMENT;
use crate::host::{Host, with_app};
use crate::samples;

const SMALL: &str = "\
maxOrchestrationActions = 50
maxPendingActions = 30
maxSubOrchestrationDepth = 3
maxSubOrchestrations = 10
maxContinueAsNewPerMinute = 20
maxHistoryEvents = 100
maxPayloadBytes = 2048
maxCustomStatusBytes = 200";

/// Runs orchestrations one after the other, each into a limit.
fn check(host: &Host, runs: &[(&str, Value)], expected: &Expect) {
    let mut table = String::new();
    for (orchestrator, input) in runs {
        let outcome = host.client().outcome(orchestrator, input);
        assert_eq!(outcome["runtimeStatus"], "Failed", "{outcome:#}");
        let output = outcome["output"].as_str().unwrap_or_else(|| panic!("{outcome:#}"));
        table.push_str(&format!("{orchestrator} {input}: {output}\n"));
    }
    expected.assert_eq(&table);
}

#[test]
fn each_limit_has_its_error() {
    with_app(&samples::variant("odd-jobs", "small", SMALL), |host| {
        let runs = [
            ("FanOut", json!(60)),
            ("FanOut", json!(40)),
            ("Recurse", json!(0)),
            ("RaiseChildren", json!(11)),
            ("BeginAnew", json!(0)),
            ("GoOn", json!(null)),
            ("SayMuch", json!(3_000)),
            ("ShowMuch", json!(150)),
        ];
        check(
            host,
            &runs,
            &expect![[r#"
            FanOut 60: LimitExceeded: the orchestrator asked for more than 50 actions in one turn; split the work over sub-orchestrations, or raise host.durableTask.maxOrchestrationActions
            FanOut 40: LimitExceeded: requests without an answer: 40 where at most 30 are allowed; wait for some before asking for more, or raise host.durableTask.maxPendingActions
            Recurse 0: LimitExceeded: orchestrations above the sub-orchestration: 4 where at most 3 are allowed; look for a recursion without an end, or raise host.durableTask.maxSubOrchestrationDepth
            RaiseChildren 11: LimitExceeded: sub-orchestrations of one execution: 11 where at most 10 are allowed; continue as new from time to time, or raise host.durableTask.maxSubOrchestrations
            BeginAnew 0: LimitExceeded: executions begun by continue-as-new within a minute: 21 where at most 20 are allowed; wait for a timer or an event in each round, or raise host.durableTask.maxContinueAsNewPerMinute
            GoOn null: LimitExceeded: events in the history: 104 where at most 100 are allowed; continue as new from time to time, or raise host.durableTask.maxHistoryEvents
            SayMuch 3000: LimitExceeded: bytes of one input or output: 3002 where at most 2048 are allowed; store large values elsewhere and pass a reference, or raise host.durableTask.maxPayloadBytes
            ShowMuch 150: LimitExceeded: bytes of the custom status as UTF-16: 304 where at most 200 are allowed; show less, or raise host.durableTask.maxCustomStatusBytes
        "#]],
        );
        // Up to its limits everything is allowed.
        let client = host.client();
        assert_eq!(client.outcome("RaiseChildren", &json!(10)), Value::Null);
        assert_eq!(client.outcome("SayMuch", &json!(2_000)), 2_000);
    });
}

#[test]
fn a_history_is_limited_in_bytes_too_and_there_is_a_warning_before() {
    with_app(&samples::variant("odd-jobs", "short", "maxHistoryBytes = 4096"), |host| {
        check(
            host,
            &[("GoOn", json!(null))],
            &expect![[r#"
                GoOn null: LimitExceeded: bytes of history: 4116 where at most 4096 are allowed; continue as new from time to time, and pass references instead of large values, or raise host.durableTask.maxHistoryBytes
            "#]],
        );
        host.process.wait_for("an instance comes near a limit: bytes of history: ");
    });
}

#[test]
fn a_turn_that_traps_is_tried_so_many_times_and_no_more() {
    with_app(&samples::variant("odd-jobs", "trapping", "maxTurnAttempts = 2"), |host| {
        let failed = host.client().outcome("Trap", &json!(null));
        let output = failed["output"].as_str().unwrap_or_else(|| panic!("{failed:#}"));
        assert!(output.starts_with("FunctionTrapped: function 'Trap' trapped: wasm trap:"), "{failed:#}");
        host.process.wait_for("a turn was not finished");
        host.process.wait_for("[orchestration end] Trap failed");
    });
}

#[test]
fn a_payload_from_outside_is_refused_before_anything_happens() {
    with_app(&samples::variant("odd-jobs", "narrow", "maxPayloadBytes = 2048"), |host| {
        let client = host.client();
        client.start_as("Alone", "waits", &json!(null));
        let large = json!("x".repeat(3_000)).to_string();
        for path in ["orchestrators/Say", "instances/waits/raiseEvent/Go", "entities/Tool/saw?op=take"] {
            let refused = client.post(&format!("{MANAGEMENT}/{path}"), &large).expect(413).json();
            let message = refused["Message"].as_str().expect("what is wrong");
            assert!(message.contains("longer than 2048 bytes"), "{path}: {message}");
        }
        assert_eq!(client.find("top=10"), ["waits"]);
        assert_eq!(client.get(&format!("{MANAGEMENT}/entities")).expect(200).json(), json!([]));
        client.raise("waits", "Go", &json!("small"));
        assert_eq!(host.wait_for_end("waits")["output"], "small");
    });
}

#[test]
fn a_runaway_starves_nobody() {
    let settings = "maxConcurrentOrchestratorFunctions = 1\nmaxContinueAsNewPerMinute = 1000000";
    with_app(&samples::variant("odd-jobs", "one-at-a-time", settings), |host| {
        let client = host.client();
        for number in 0..4 {
            client.start_as("GoOn", &format!("grows-{number}"), &json!(null));
            client.start_as("BeginAnew", &format!("turns-{number}"), &json!(0));
        }
        for number in 0..10 {
            assert_eq!(client.outcome("Say", &json!(number.to_string())), number.to_string());
        }
        assert_eq!(client.find("runtimeStatus=Running").len(), 8, "they run all the time");
        for id in client.find("runtimeStatus=Running") {
            client.tell(&id, "terminate").expect(202);
        }
        host.look_until("all have ended", |client| {
            client.find("runtimeStatus=Running,Pending").is_empty().then_some(())
        });
    });
}

#[test]
fn what_is_old_goes_by_itself() {
    let retention = "retention = { completed = \"1s\", terminated = \"1s\" }";
    with_app(&samples::variant("odd-jobs", "forgetful", retention), |host| {
        let client = host.client();
        client.start_as("Say", "done", &json!("done"));
        client.start_as("SayMuch", "failed", &json!("not a number"));
        for id in ["ended", "waits"] {
            client.start_as("Alone", id, &json!(null));
        }
        client.tell("ended", "terminate").expect(202);
        host.look_until("only what is kept is left", |client| {
            (client.find("top=10") == ["failed", "waits"]).then_some(())
        });
        assert_eq!(client.status("failed")["runtimeStatus"], "Failed");
        assert_eq!(client.status("waits")["runtimeStatus"], "Running");
    });
}
