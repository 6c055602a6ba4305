//! What orchestrations wait for: events from outside, timers, each other.

use serde_json::json;
use ureq::http::Method;

use crate::client::MANAGEMENT;
use crate::host::{Host, with_app};
use crate::samples;

fn with_model(test: impl FnOnce(&mut Host)) {
    with_app(&samples::manifest("durable-model"), test);
}

#[test]
fn an_event_is_what_an_orchestration_waits_for() {
    with_model(|host| {
        let client = host.client();
        client.start_as("WaitForApproval", "early", &json!(null));
        // Names are compared without case, and what nobody waits for is no obstacle.
        client.raise("early", "Refusal", &json!(0));
        client.raise("early", "aPPROVAL", &json!({ "by": "Grace" }));
        assert_eq!(host.wait_for_end("early")["output"], json!({ "by": "Grace" }));

        client.start_as("WaitForApprovalUntil", "in-time", &json!(3_600));
        client.raise("in-time", "Approval", &json!(1));
        assert_eq!(host.wait_for_end("in-time")["output"], 1);
        assert_eq!(client.outcome("WaitForApprovalUntil", &json!(0)), json!({ "approved": false, "by": "nobody" }));
    });
}

#[test]
fn an_event_that_is_refused_changes_nothing() {
    with_model(|host| {
        let client = host.client();
        client.start_as("WaitForApproval", "waits", &json!(null));
        host.wait_for_custom_status("waits", "waiting for Approval");
        client.start_as("Echo", "done", &json!(1));
        host.wait_for_end("done");
        let raise = |id: &str, content_type: &str, body: &str| {
            let path = format!("{MANAGEMENT}/instances/{id}/raiseEvent/Approval");
            let answer = client.try_send_with(Method::POST, &path, &[("content-type", content_type)], body);
            answer.expect("the host answers")
        };
        // Existence comes before the end, that before the content type, and that before the content.
        for (id, content_type, body, status, message) in [
            ("nobody", "text/plain", "{", 404, "No instance with ID 'nobody' was found."),
            ("done", "text/plain", "{", 410, "The instance with ID 'done' is Completed and takes no more messages."),
            ("waits", "text/plain", "{", 400, "Only application/json request content is supported"),
            ("waits", "application/json", "{", 400, "Invalid JSON content"),
        ] {
            let refused = raise(id, content_type, body).expect(status).json();
            assert_eq!(refused["Message"], message, "{refused:#}");
        }
        let explanation = client.explain("waits");
        assert_eq!(explanation["summary"], "Waits for the event 'Approval'.", "{explanation:#}");
    });
}

#[test]
fn an_event_with_an_id_is_accepted_once() {
    with_model(|host| {
        let client = host.client();
        client.start_as("Collect", "letters", &json!({ "wanted": 3 }));
        for (id, item) in [("1", "a"), ("1", "a"), ("2", "b"), ("1", "a"), ("2", "b"), ("3", "c")] {
            client.raise("letters", &format!("Item?eventId={id}"), &json!(item));
        }
        assert_eq!(host.wait_for_end("letters")["output"], json!(["a", "b", "c"]));
    });
}

#[test]
fn events_that_come_early_are_there_for_later_generations() {
    with_model(|host| {
        let client = host.client();
        let items: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        client.start_as("Collect", "many", &json!({ "wanted": items.len() }));
        for item in &items {
            client.raise("many", "Item", &json!(item));
        }
        let ended = host.wait_for_end("many");
        assert_eq!(ended["output"], json!(items));
        // Of the last generation, which has nothing to wait for.
        assert_eq!(ended["input"]["items"], json!(items));
        let events = ended["historyEvents"].as_array().expect("a history");
        assert!(events.len() <= 3, "{ended:#}");
    });
}

#[test]
fn a_timer_that_is_taken_back_holds_nobody_back() {
    with_model(|host| {
        assert_eq!(host.client().outcome("CancelledTimer", &json!(10)), "done, without a reminder");
        let ended = host.wait_for_end(&host.client().find("runtimeStatus=Completed")[0]);
        let events = ended["historyEvents"].as_array().expect("a history");
        let fired = events.iter().filter(|event| event["EventType"] == "TimerFired").count();
        assert_eq!(fired, 1, "{ended:#}");
    });
}

#[test]
fn orchestrations_start_each_other_and_talk() {
    with_model(|host| {
        let client = host.client();
        client.start_as("OrderReport", "order", &json!("bees"));
        let order = host.wait_for_end("order");
        assert_eq!(order["output"], "all about bees");
        let writer = order["customStatus"].as_str().and_then(|shown| shown.strip_prefix("ordered from "));
        let writer = host.wait_for_end(writer.expect("the id of the writer"));
        assert_eq!((&writer["name"], &writer["runtimeStatus"]), (&json!("WriteReport"), &json!("Completed")));
        // An event for somebody who is gone is dropped.
        let assignment = json!({ "subject": "wasps", "forInstance": "nobody" });
        assert_eq!(client.outcome("WriteReport", &assignment), json!(null));
    });
}
