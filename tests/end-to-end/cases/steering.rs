//! What is done with instances from outside: suspend, resume, terminate, rewind, restart, explain, purge.

use serde_json::{Value, json};

use crate::client::{Client, MANAGEMENT};
use crate::host::{Host, with_app};
use crate::samples;

fn with_model(test: impl FnOnce(&mut Host)) {
    with_app(&samples::manifest("durable-model"), test);
}

/// Tells an instance something that must be refused like this, and checks that its status is what it was.
#[track_caller]
fn check_refused(client: &Client, id: &str, what: &str, status: u16, message: &str) {
    let before = client.status(id);
    let refused = client.tell(id, what).expect(status).json();
    let said = if status == 500 { &refused["ExceptionMessage"] } else { &refused["Message"] };
    assert_eq!(*said, message, "{what} of {id}: {refused:#}");
    assert_eq!(client.status(id), before, "{what} of {id} was refused");
}

#[test]
fn a_suspended_instance_keeps_what_comes_and_does_nothing() {
    with_model(|host| {
        let client = host.client();
        client.start_as("WaitForApproval", "steered", &json!(null));
        host.wait_for_custom_status("steered", "waiting for Approval");
        check_refused(
            &client,
            "steered",
            "resume",
            500,
            "Cannot resume the orchestration instance steered because instance is in the Running state.",
        );
        client.tell("steered", "suspend?reason=lunch").expect(202);
        host.wait_for_status("steered", "Suspended");
        check_refused(
            &client,
            "steered",
            "suspend",
            500,
            "Cannot suspend the orchestration instance steered because instance is in the Suspended state.",
        );
        client.raise("steered", "Approval", &json!(1));
        host.look_until("the event is recorded", |client| {
            let status = client.status("steered");
            let events = status["historyEvents"].as_array().expect("a history").clone();
            events.iter().any(|event| event["EventType"] == "EventRaised").then_some(())
        });
        let explanation = client.explain("steered");
        assert_eq!(explanation["runtimeStatus"], "Suspended", "{explanation:#}");
        let summary = explanation["summary"].as_str().expect("a sentence");
        assert!(summary.contains("(lunch): only resume and terminate move it."), "{summary}");
        client.tell("steered", "resume?reason=back").expect(202);
        assert_eq!(host.wait_for_end("steered")["output"], 1);
        for what in ["suspend", "resume", "terminate", "rewind"] {
            let message = "The instance with ID 'steered' is Completed and takes no more messages.";
            check_refused(&client, "steered", what, 410, message);
        }
        for what in ["suspend", "resume", "terminate", "rewind"] {
            let refused = client.tell("nobody", what).expect(404).json();
            assert_eq!(refused["Message"], "No instance with ID 'nobody' was found.");
        }
    });
}

#[test]
fn termination_takes_the_children_along_if_asked_to() {
    with_app(&samples::manifest("odd-jobs"), |host| {
        let client = host.client();
        for family in ["kept", "ended"] {
            client.start_as("Family", family, &json!(2));
            host.wait_for_status(&format!("{family}-child-child-stranger"), "Running");
        }
        client.tell("kept", "terminate?reason=enough").expect(202);
        client.tell("ended", "terminate?reason=enough&recursive=true").expect(202);
        for (id, status) in [
            ("kept", "Terminated"),
            ("ended", "Terminated"),
            ("ended-child", "Terminated"),
            ("ended-child-child", "Terminated"),
            // The one that is down here knows that all others have been told what they are to be told.
            ("ended-child-child-stranger", "Running"),
            ("kept-child", "Running"),
            ("kept-child-child", "Running"),
            ("kept-child-child-stranger", "Running"),
        ] {
            assert_eq!(host.wait_for_status(id, status)["runtimeStatus"], status);
        }
        assert_eq!(client.status("ended-child-child")["output"], "enough");
        // A child goes on without its parent, to which its result means nothing any more.
        client.raise("kept-child-child", "Go", &json!("well done"));
        assert_eq!(host.wait_for_end("kept-child")["output"], "well done");
        assert_eq!(client.status("kept")["output"], "enough");
    });
}

/// Where an instance that was rewound keeps what it had done: the first half of the output names the first execution.
fn check_rewound(status: &Value) {
    let [first, second] = [0, 1].map(|half| status["output"][half].as_str().unwrap_or_else(|| panic!("{status:#}")));
    let first = first.strip_prefix("steady in ").expect("the first step");
    let second = second.strip_prefix("it works in ").expect("the second step");
    assert_ne!(first, second, "a rewind begins another execution");
}

#[test]
fn a_rewind_keeps_what_was_done_and_tries_what_failed_again() {
    with_model(|host| {
        let client = host.client();
        for (orchestrator, id) in [("FailOnce", "alone"), ("FailOnceInChild", "parent")] {
            client.start_as(orchestrator, id, &json!(null));
            let failed = host.wait_for_status(id, "Failed");
            let output = failed["output"].as_str().expect("what went wrong");
            assert!(output.contains("Flaky: rewind the instance and it will work"), "{failed:#}");
            client.tell(id, "rewind?reason=mended").expect(202);
            check_rewound(&host.wait_for_status(id, "Completed"));
        }
        let message = "The instance with ID 'alone' is Completed and takes no more messages.";
        check_refused(&client, "alone", "rewind", 410, message);
        client.start_as("WaitForApproval", "running", &json!(null));
        host.wait_for_custom_status("running", "waiting for Approval");
        check_refused(
            &client,
            "running",
            "rewind",
            500,
            "The rewind operation is only supported on failed orchestration instances.",
        );
    });
}

#[test]
fn a_rewind_that_was_acknowledged_survives_a_kill() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let manifest = samples::manifest("durable-model");
    let ids: Vec<String> = (0..5).map(|number| format!("flaky-{number}")).collect();
    let mut host = Host::start_in(data.path(), &manifest);
    for id in &ids {
        host.client().start_as("FailOnceInChild", id, &json!(null));
    }
    for id in &ids {
        host.wait_for_status(id, "Failed");
    }
    for id in &ids {
        host.client().tell(id, "rewind").expect(202);
    }
    host.process.kill();
    let mut host = Host::start_in(data.path(), &manifest);
    for id in &ids {
        check_rewound(&host.wait_for_status(id, "Completed"));
    }
    host.stop();
}

#[test]
fn a_restart_runs_the_same_input_again() {
    with_model(|host| {
        let client = host.client();
        client.start_as("Echo", "first", &json!({ "a": 1 }));
        host.wait_for_end("first");
        let restarted = client.tell("first", "restart").expect(202).json();
        let second = restarted["id"].as_str().expect("an id");
        assert_ne!(second, "first");
        let ended = host.wait_for_end(second);
        assert_eq!((&ended["name"], &ended["output"]), (&json!("Echo"), &json!({ "a": 1 })));

        client.start_as("WaitForApproval", "again", &json!(null));
        host.wait_for_custom_status("again", "waiting for Approval");
        let same = "restart?restartWithNewInstanceId=false";
        client.tell("again", same).expect(500);
        client.tell("again", "terminate?reason=enough").expect(202);
        host.wait_for_status("again", "Terminated");
        assert_eq!(client.tell("again", same).expect(202).json()["id"], "again");
        host.wait_for_custom_status("again", "waiting for Approval");
        client.raise("again", "Approval", &json!(2));
        assert_eq!(host.wait_for_end("again")["output"], 2);
        let refused = client.tell("nobody", "restart").expect(400).json();
        assert_eq!(refused["Message"], "InstanceId does not match a valid orchestration instance.");
    });
}

#[test]
fn an_explanation_says_what_an_instance_waits_for() {
    with_model(|host| {
        let client = host.client();
        client.start_as("WaitForApproval", "event", &json!(null));
        host.wait_for_custom_status("event", "waiting for Approval");
        let event = client.explain("event");
        assert_eq!(event["summary"], "Waits for the event 'Approval'.", "{event:#}");
        assert_eq!((&event["residence"], &event["turns"]), (&json!("Live"), &json!(1)), "{event:#}");
        assert!(event["history"]["events"].as_u64() > Some(1) && event["pinnedTo"].is_string(), "{event:#}");

        let work = json!({ "takesMs": 60_000, "timeoutMs": 30_000, "heartbeatTimeoutMs": 20_000 });
        client.start_as("RunSlowStep", "activity", &work);
        let running = host.look_until("the activity has given a sign of life", |client| {
            let explanation = client.explain("activity");
            let wait = explanation["waitingFor"][0].clone();
            wait["progress"].is_string().then_some(wait)
        });
        assert_eq!((&running["kind"], &running["name"]), (&json!("Activity"), &json!("SlowStep")), "{running:#}");
        assert_eq!((&running["running"], &running["attempt"]), (&json!(true), &json!(1)), "{running:#}");
        assert!(running["lastHeartbeat"].is_string(), "{running:#}");
        client.tell("activity", "terminate").expect(202);
        host.wait_for_status("activity", "Terminated");

        client.start_as("FailOnceInChild", "failed", &json!(null));
        host.wait_for_end("failed");
        let failed = client.explain("failed");
        assert!(failed["summary"].as_str().is_some_and(|text| text.starts_with("Failed at ")), "{failed:#}");
        assert!(failed["lastFailure"].is_object(), "{failed:#}");
        client.get(&format!("{MANAGEMENT}/instances/nobody/explain")).expect(404);
    });
}

#[test]
fn a_whole_history_is_one_event_a_line() {
    with_model(|host| {
        let client = host.client();
        client.start_as("UseCounter", "counting", &json!({ "key": "stock", "amount": 4 }));
        host.wait_for_end("counting");
        let answer = client.get(&format!("{MANAGEMENT}/instances/counting/history")).expect(200);
        assert_eq!(answer.header("content-type"), "application/x-ndjson");
        let events: Vec<Value> =
            answer.body.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
        let types: Vec<&str> = events.iter().filter_map(|event| event["eventType"].as_str()).collect();
        assert_eq!(
            types,
            [
                "OrchestratorStarted",
                "ExecutionStarted",
                "EntityOperationSignaled",
                "EntityOperationCalled",
                "OrchestratorCompleted",
                "OrchestratorStarted",
                "EntityOperationCompleted",
                "ExecutionCompleted",
                "OrchestratorCompleted",
            ]
        );
        client.get(&format!("{MANAGEMENT}/instances/nobody/history")).expect(404);
    });
}

#[test]
fn a_purge_spares_what_is_at_work_unless_it_is_forced() {
    with_model(|host| {
        let client = host.client();
        let purge = |what: &str| client.delete(&format!("{MANAGEMENT}/instances{what}"));
        let all = "createdTimeFrom=2020-01-01T00:00:00Z";
        for id in ["a", "b"] {
            client.start_as("WaitForApproval", id, &json!(null));
            host.wait_for_custom_status(id, "waiting for Approval");
        }
        client.start_as("Echo", "done", &json!(1));
        host.wait_for_end("done");
        purge("/a").expect(404);
        assert_eq!(purge(&format!("?{all}")).expect(200).json(), json!({ "instancesDeleted": 1 }));
        purge(&format!("?{all}&runtimeStatus=Running")).expect(404);
        purge("").expect(400);
        assert_eq!(client.find("top=10"), ["a", "b"]);
        assert_eq!(purge("/a?force=true").expect(200).json(), json!({ "instancesDeleted": 1 }));
        assert_eq!(purge(&format!("?{all}&force=true")).expect(200).json(), json!({ "instancesDeleted": 1 }));
        assert!(client.find("top=10").is_empty());
        purge("/a?force=true").expect(404);
    });
}
