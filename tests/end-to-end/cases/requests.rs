//! Requests that make no sense: each gets a status code and a text, and the host goes on.

use expect_test::{Expect, expect};
use serde_json::json;
use std::fmt::Write as _;
use ureq::http::Method;

use crate::client::{Client, MANAGEMENT};
use crate::host::Host;
use crate::samples;

/// A host with the sample app, which still serves after the test.
fn with_bookings(test: impl FnOnce(&mut Host)) {
    let mut host = Host::start(&samples::manifest("conference-booking"), ["--ephemeral"]);
    test(&mut host);
    let trip = json!({ "traveller": "Ada", "conference": "RustConf" });
    host.client().post("/api/trips/sequential?wait=60", &trip.to_string()).expect(200);
    host.stop();
}

/// Sends `METHOD path body` lines and compares what comes back, one answer per line.
fn check(client: &Client, requests: &[(Method, String, &str)], expected: &Expect) {
    let mut shown = String::new();
    for (method, path, body) in requests {
        let answer = client.send(method.clone(), path, body);
        let path = if path.len() > 80 { format!("{}..", &path[..80]) } else { path.clone() };
        writeln!(shown, "{method} {} -> {} {}", path.replace(MANAGEMENT, ""), answer.status, answer.body.trim_end())
            .expect("a string takes everything");
    }
    expected.assert_eq(&shown);
}

fn management(path: &str) -> String {
    format!("{MANAGEMENT}{path}")
}

#[test]
fn invalid_json() {
    with_bookings(|host| {
        let client = host.client();
        let id = client.start("ApprovedTrip", &json!({ "trip": { "traveller": "Ada", "conference": "RustConf" } }));
        let event = management(&format!("/instances/{id}/raiseEvent/Approval"));
        let answer = client.post(&event, "{approved").expect(400);
        expect![[r#"{"Message":"Invalid JSON content","ExceptionMessage":"key must be a string at line 1 column 2","ExceptionType":"Newtonsoft.Json.JsonReaderException","StackTrace":""}"#]].assert_eq(&answer.body);
        check(
            &client,
            &[
                (Method::POST, management("/orchestrators/Sequential"), "{traveller"),
                (Method::POST, "/api/trips/sequential".into(), "{traveller"),
                (Method::POST, "/api/trips/sequential".into(), r#"{"traveller": "Ada"}"#),
            ],
            &expect![[r#"
                POST /orchestrators/Sequential -> 400 {"Message":"Invalid JSON content","ExceptionMessage":"key must be a string at line 1 column 2","ExceptionType":"Newtonsoft.Json.JsonReaderException","StackTrace":""}
                POST /api/trips/sequential -> 400 {"error":"BadRequest","message":"the body is not a Trip: key must be a string at line 1 column 2"}
                POST /api/trips/sequential -> 400 {"error":"BadRequest","message":"the body is not a Trip: missing field `conference` at line 1 column 20"}
            "#]],
        );
    });
}

#[test]
fn unknown_instances_functions_and_paths() {
    with_bookings(|host| {
        let client = host.client();
        check(
            &client,
            &[
                (Method::GET, management("/instances/nobody"), ""),
                (Method::POST, management("/instances/nobody/raiseEvent/Approval"), "{}"),
                (Method::POST, management("/instances/nobody/terminate?reason=x"), ""),
                (Method::DELETE, management("/instances/nobody"), ""),
                (Method::POST, "/api/approvals/nobody".into(), r#"{"approved": true, "by": "Grace"}"#),
                (Method::POST, management("/orchestrators/Nothing"), "{}"),
                (Method::GET, management("/nothing"), ""),
                (Method::GET, "/api/nothing".into(), ""),
                (Method::GET, "/api/trips/sequential".into(), ""),
            ],
            &expect![[r#"
                GET /instances/nobody -> 404 {"Message":"No instance with ID 'nobody' was found."}
                POST /instances/nobody/raiseEvent/Approval -> 404 {"Message":"No instance with ID 'nobody' was found."}
                POST /instances/nobody/terminate?reason=x -> 404 {"Message":"No instance with ID 'nobody' was found."}
                DELETE /instances/nobody -> 404 {"Message":"No instance with ID 'nobody' was found."}
                POST /api/approvals/nobody -> 404 {"error":"NotFound","message":"no instance with ID 'nobody' was found"}
                POST /orchestrators/Nothing -> 400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the function 'Nothing' doesn't exist, is disabled, or is not an orchestrator function; the known orchestrator functions are: ApprovedTrip, BookTrip, CombinedTrips, Compensating, EmailCampaign, FlightOrTrain, FlightWithRetry, ParallelTrips, PriceWatch, Sequential","ExceptionType":"System.ArgumentException","StackTrace":""}
                GET /nothing -> 404 
                GET /api/nothing -> 404 
                GET /api/trips/sequential -> 405 
            "#]],
        );
    });
}

#[test]
fn reserved_malformed_and_taken_instance_ids() {
    let too_long = "x".repeat(300);
    with_bookings(|host| {
        let client = host.client();
        let waiting = json!({ "trip": { "traveller": "Ada", "conference": "RustConf" } }).to_string();
        client.post(&management("/orchestrators/ApprovedTrip/taken"), &waiting).expect(202);
        check(
            &client,
            &[
                (Method::POST, management("/orchestrators/Sequential/@counter@a"), "{}"),
                (Method::POST, management("/orchestrators/Sequential/a%2Fb"), "{}"),
                (Method::POST, management("/orchestrators/Sequential/a%23b"), "{}"),
                (Method::POST, management("/orchestrators/Sequential/a%0Ab"), "{}"),
                (Method::POST, management(&format!("/orchestrators/Sequential/{too_long}")), "{}"),
                (Method::POST, management("/orchestrators/ApprovedTrip/taken"), "{}"),
            ],
            &expect![[r#"
                POST /orchestrators/Sequential/@counter@a -> 400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the instance id starts with '@', which is reserved for entities; choose another first character","ExceptionType":"System.ArgumentException","StackTrace":""}
                POST /orchestrators/Sequential/a%2Fb -> 400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the instance id contains '/'; '/', '\\', '#', '?' and control characters are not allowed","ExceptionType":"System.ArgumentException","StackTrace":""}
                POST /orchestrators/Sequential/a%23b -> 400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the instance id contains '#'; '/', '\\', '#', '?' and control characters are not allowed","ExceptionType":"System.ArgumentException","StackTrace":""}
                POST /orchestrators/Sequential/a%0Ab -> 400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the instance id contains '\\n'; '/', '\\', '#', '?' and control characters are not allowed","ExceptionType":"System.ArgumentException","StackTrace":""}
                POST /orchestrators/Sequential/xxxxxxxxxxxxxxxxxxxxxxxxx.. -> 400 {"Message":"One or more of the arguments submitted is incorrect","ExceptionMessage":"the instance id has a length of 300 bytes; at most 256 are allowed","ExceptionType":"System.ArgumentException","StackTrace":""}
                POST /orchestrators/ApprovedTrip/taken -> 500 {"Message":"Something went wrong while processing your request","ExceptionMessage":"an instance with ID 'taken' already exists and is Running; wait until it has ended, or choose another ID","ExceptionType":"System.InvalidOperationException","StackTrace":""}
            "#]],
        );
    });
}

#[test]
fn bodies_that_are_too_large() {
    let guest = artifacts::guest("hello-http");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let manifest = format!(
        r#"[app]
name = "small"
version = "1.0.0"
[components.sdk]
source = "{}"
[functions.Greet]
trigger = {{ type = "httpTrigger", methods = ["post"], route = "greetings/{{language}}", authLevel = "anonymous" }}
[host.http]
maxRequestBodyBytes = 1000
"#,
        guest.display()
    );
    let path = folder.path().join("app.toml");
    std::fs::write(&path, manifest).expect("it can be written");
    let host = Host::start(&path, ["--ephemeral"]);
    let client = host.client();
    let exactly = format!("\"{}\"", "x".repeat(998));
    client.post("/api/greetings/it", &exactly).expect(200);
    let refused = client.post("/api/greetings/it", &format!("{exactly} ")).expect(413);
    expect!["the request body is longer than 1000 bytes; raise host.http.maxRequestBodyBytes"].assert_eq(&refused.body);
    host.stop();
}

#[test]
fn payloads_that_are_too_large() {
    with_bookings(|host| {
        let client = host.client();
        // One byte more than `maxPayloadBytes`, with the quotes.
        let payload = format!("\"{}\"", "x".repeat((4 << 20) - 1));
        let answer = client.post(&management("/orchestrators/Sequential"), &payload);
        expect![[r#"413 {"Message":"The request body is longer than 4194304 bytes; send a reference to the data, or raise host.durableTask.maxPayloadBytes."}"#]].assert_eq(&format!("{} {}", answer.status, answer.body));
    });
}
