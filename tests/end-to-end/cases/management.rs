//! The management API, once around: start, look, list, raise, terminate, purge, as a client of Durable Functions would.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use ureq::http::{Method, Request};

use crate::client::{Client, MANAGEMENT};
use crate::host::Host;
use crate::samples;

fn with_bookings(test: impl FnOnce(&mut Host)) {
    let mut host = Host::start(&samples::manifest("conference-booking"), ["--ephemeral"]);
    test(&mut host);
    host.stop();
}

fn request() -> Value {
    json!({ "trip": { "traveller": "Ada", "conference": "RustConf" } })
}

fn event_types(status: &Value) -> Vec<&str> {
    let events = status["historyEvents"].as_array().expect("a history");
    events.iter().map(|event| event["EventType"].as_str().expect("a type")).collect()
}

#[test]
fn an_instance_from_start_to_purge_by_the_uris_it_came_with() {
    with_bookings(|host| {
        let client = host.client();
        let started = client.post(&format!("{MANAGEMENT}/orchestrators/ApprovedTrip/trip-1"), &request().to_string());
        let started = started.expect(202);
        assert_eq!(started.header("retry-after"), "10");
        let uris = started.json();
        let uri = |name: &str| uris[name].as_str().unwrap_or_else(|| panic!("{name} in {uris}")).to_owned();
        assert_eq!(uri("id"), "trip-1");
        assert_eq!(started.header("location"), uri("statusQueryGetUri"));

        let running = client.get(&uri("statusQueryGetUri")).expect(202);
        assert_eq!(running.header("retry-after"), "5");
        assert_eq!(running.json()["input"], request());

        let event = uri("sendEventPostUri").replace("{eventName}", "approval");
        client.post(&event, r#"{"approved": true, "by": "Grace"}"#).expect(202);
        let ended = host.wait_for_end("trip-1");
        assert_eq!(ended["runtimeStatus"], "Completed");
        assert_eq!(ended["output"]["decision"], "approved");
        let events = event_types(&ended);
        assert_eq!(events.first(), Some(&"ExecutionStarted"));
        assert_eq!(events.last(), Some(&"ExecutionCompleted"));
        assert!(events.contains(&"EventRaised") && events.contains(&"SubOrchestrationInstanceCompleted"), "{events:?}");

        client.get(&uri("statusQueryGetUri")).expect(200);
        client.post(&event, "{}").expect(410);
        client.post(&uri("terminatePostUri").replace("{text}", "late"), "").expect(410);
        let purged = client.delete(&uri("purgeHistoryDeleteUri")).expect(200);
        assert_eq!(purged.json(), json!({ "instancesDeleted": 1 }));
        client.get(&uri("statusQueryGetUri")).expect(404);
    });
}

#[test]
fn termination_ends_an_instance_with_its_reason() {
    with_bookings(|host| {
        let client = host.client();
        let id = client.start("ApprovedTrip", &request());
        client.post(&format!("{MANAGEMENT}/instances/{id}/terminate?reason=too%20late"), "").expect(202);
        let ended = host.wait_for_end(&id);
        assert_eq!((&ended["runtimeStatus"], &ended["output"]), (&json!("Terminated"), &json!("too late")));
    });
}

#[test]
fn instances_are_listed_in_pages_by_status_and_prefix() {
    with_bookings(|host| {
        let client = host.client();
        let ids: BTreeSet<String> = (0..7).map(|n| format!("waiting-{n}")).collect();
        for id in &ids {
            client.post(&format!("{MANAGEMENT}/orchestrators/ApprovedTrip/{id}"), &request().to_string()).expect(202);
        }
        let other = client.post(&format!("{MANAGEMENT}/orchestrators/Sequential/other"), "{}").expect(202);
        assert_eq!(other.json()["id"], "other");
        host.wait_for_end("other");

        let path = format!("{MANAGEMENT}/instances?instanceIdPrefix=waiting-&runtimeStatus=Running,Pending&top=3");
        let pages = pages(&client, &path);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
        assert_eq!(pages.concat().into_iter().collect::<BTreeSet<_>>(), ids);

        let ended =
            client.get(&format!("{MANAGEMENT}/instances?runtimeStatus=Failed&showInput=false")).expect(200).json();
        assert_eq!(ended.as_array().expect("a list").len(), 1, "{ended}");
        assert_eq!((&ended[0]["instanceId"], &ended[0]["input"]), (&json!("other"), &Value::Null));
        // Bulk purge takes what has ended and nothing else.
        let purge = format!("{MANAGEMENT}/instances?createdTimeFrom=2020-01-01T00:00:00Z");
        assert_eq!(client.delete(&purge).expect(200).json(), json!({ "instancesDeleted": 1 }));
        client.delete(&purge).expect(404);
    });
}

/// The ids of all pages, followed by their continuation tokens.
fn pages(client: &Client, path: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut token = String::new();
    loop {
        let request = Request::builder().method(Method::GET).uri(client.url(path)).header(TOKEN, &token);
        let answer = client.run(request.body(String::new()).expect("a request")).expect("the host answers").expect(200);
        let ids = answer.json();
        let ids = ids.as_array().expect("a list").iter();
        pages.push(ids.map(|status| status["instanceId"].as_str().expect("an id").to_owned()).collect());
        token = answer.header(TOKEN).to_owned();
        if token.is_empty() || token == "null" {
            return pages;
        }
        assert!(pages.len() < 100, "the pages do not end");
    }
}

const TOKEN: &str = "x-ms-continuation-token";

#[test]
fn waiting_for_the_result_in_the_starting_request() {
    with_bookings(|host| {
        let client = host.client();
        let trip = request()["trip"].clone();
        let path = format!("{MANAGEMENT}/orchestrators/Sequential?timeout=60&pollingInterval=1");
        let answer = client.post(&path, &trip.to_string()).expect(200);
        assert_eq!(answer.json()["totalCents"], 77_000);
        let path = format!("{MANAGEMENT}/orchestrators/ApprovedTrip?timeout=0.05&pollingInterval=0.01");
        let answer = client.post(&path, &request().to_string()).expect(202);
        assert!(answer.json()["id"].is_string(), "{answer:?}");
    });
}
