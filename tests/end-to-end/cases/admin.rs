//! Operating a host: functions run by hand, the host held back from new work, what functions have used; over HTTP, and with
//! `dacapo invoke` and `dacapo usage`.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use tempfile::TempDir;

use crate::client::Client;
use crate::host::{Host, Process, with_app};
use crate::samples;

/// Runs a function and waits for it.
#[track_caller]
fn run(client: &Client, function: &str, body: &Value) -> Value {
    client.post(&format!("/admin/functions/{function}?wait=1"), &body.to_string()).expect(200).json()
}

fn request(id: &str) -> Value {
    json!({ "id": id, "traveller": "Ada", "conference": "RustConf" })
}

/// Waits until the seat of a trip is in the table.
fn wait_for_seat(host: &mut Host, id: &str) -> String {
    host.look_until(&format!("trip {id} has a seat"), |client| {
        let answer = client.get(&format!("/api/trips/RustConf/{id}"));
        if answer.status != 200 { None } else { answer.json()["Seat"].as_str().map(str::to_owned) }
    })
}

#[test]
fn functions_of_every_kind_run_by_hand() {
    with_app(&samples::manifest("trips-by-queue"), |host| {
        let client = host.client();
        let accepted = run(&client, "AcceptTrip", &json!({ "input": request("1").to_string() }));
        assert_eq!(accepted["outcome"], "Succeeded", "{accepted:#}");
        assert_eq!(accepted["returned"], "Ada is on the list for RustConf");
        assert_eq!(accepted["outputs"]["booking"][0]["instanceId"], "trip-1");
        // What it gave its outputs has come about.
        assert_eq!(host.wait_for_end("trip-1")["runtimeStatus"], "Completed");
        let seat = wait_for_seat(host, "1");
        let again = run(&client, "AcceptTrip", &json!({ "input": request("1") }));
        assert_eq!(again["outcome"], "Failed", "the row is there already: {again:#}");
        assert_eq!(wait_for_seat(host, "1"), seat, "what failed changes nothing");

        let report = run(&client, "NightlyReport", &json!({}));
        assert_eq!((&report["outcome"], &report["returned"]["Booked"]), (&json!("Succeeded"), &json!(1)), "{report:#}");
        let day = report["returned"]["RowKey"].as_str().expect("a day");
        assert_eq!(client.get(&format!("/api/reports/{day}")).expect(200).json()["Booked"], 1);

        let put = run(&client, "RequestTrip", &json!({ "input": request("2") }));
        assert_eq!((&put["outcome"], &put["response"]["status"]), (&json!("Succeeded"), &json!(202)), "{put:#}");
        wait_for_seat(host, "2");
        let shown = run(&client, "ShowTrip", &json!({ "path": "/api/trips/RustConf/2" }));
        assert!(shown["response"]["body"].as_str().is_some_and(|body| body.contains("RUSTCONF-")), "{shown:#}");

        let row = json!({ "PartitionKey": "RustConf", "RowKey": "3", "Traveller": "Grace" });
        let seat = run(&client, "BookSeat", &json!({ "input": row }));
        assert!(seat["returned"].as_str().is_some_and(|seat| seat.starts_with("RUSTCONF-")), "{seat:#}");
        let wrong = run(&client, "BookSeat", &json!({ "input": "no row" }));
        assert_eq!(wrong["outcome"], "Failed", "{wrong:#}");
        run(&client, "NoteBooking", &json!({ "input": row }));
        assert_eq!(client.get("/api/trips/RustConf/3").expect(200).json()["Traveller"], "Grace");

        let started = run(&client, "BookTrip", &json!({ "input": row }));
        let id = started["returned"]["id"].as_str().expect("an instance's id");
        assert_eq!(host.wait_for_end(id)["runtimeStatus"], "Completed");
        assert_eq!(client.get(started["returned"]["statusQueryGetUri"].as_str().expect("a URI")).status, 200);
        wait_for_seat(host, "3");
    });
}

#[test]
fn a_run_that_was_taken_is_done() {
    let data = TempDir::new().expect("a folder");
    let manifest = samples::manifest("trips-by-queue");
    let host = Host::start_in(data.path(), &manifest);
    let client = host.client();
    let row = |id: usize| json!({ "PartitionKey": "RustConf", "RowKey": id.to_string(), "Traveller": "Ada" });
    let all = 50;
    for id in 0..all {
        client.post("/admin/functions/NoteBooking", &json!({ "input": row(id) }).to_string()).expect(202);
    }
    host.stop();
    let host = Host::start_in(data.path(), &manifest);
    let there = (0..all).filter(|id| host.client().get(&format!("/api/trips/RustConf/{id}")).status == 200);
    assert_eq!(there.count(), all);
    host.stop();
}

#[test]
fn a_host_that_is_held_back_takes_no_work() {
    with_app(&samples::manifest("trips-by-queue"), |host| {
        let client = host.client();
        let state = |client: &Client| client.get("/admin/host/drain/status").expect(200).json()["state"].clone();
        assert_eq!(state(&client), "Disabled");
        client.get("/.well-known/dacapo/health").expect(200);
        client.post("/admin/host/drain", "").expect(202);
        host.look_until("the host is drained", |client| (state(client) == "Completed").then_some(()));
        client.get("/.well-known/dacapo/health").expect(503);
        assert_eq!(client.get("/admin/host/status").expect(200).json()["state"], "Draining");
        // Requests are answered as ever; what they bring about waits.
        client.post("/api/trips", &request("4").to_string()).expect(202);
        let row = json!({ "PartitionKey": "RustConf", "RowKey": "5", "Traveller": "Ada" });
        client.start_as("BookTrip", "waiting", &row);
        client.get("/api/trips/RustConf/4").expect(404);
        assert_eq!(client.status("waiting")["runtimeStatus"], "Pending");
        assert_eq!(state(&client), "Completed");
        for _ in 0..2 {
            assert_eq!(client.post("/admin/host/resume", "").expect(200).json(), json!({ "State": "Running" }));
        }
        assert_eq!(host.wait_for_end("waiting")["runtimeStatus"], "Completed");
        wait_for_seat(host, "4");
        assert_eq!(state(&client), "Disabled");
        client.get("/.well-known/dacapo/health").expect(200);
    });
}

/// The samples of an exposition, checked line by line.
fn samples_of(metrics: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let mut family = "";
    for line in metrics.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            family = kind.split(' ').next().expect("a name");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            assert!(name.starts_with(family) && name.ends_with('}'), "{line}");
            samples.insert(name.to_owned(), value.parse().expect("a number"));
        }
    }
    samples
}

#[test]
fn usage_outlives_the_host() {
    let data = TempDir::new().expect("a folder");
    let manifest = samples::manifest("trips-by-queue");
    let usage = |host: &Host| host.client().get("/admin/host/usage").expect(200).json();
    let of = |usage: &Value, function: &str| {
        let functions = usage["functions"].as_array().expect("a list");
        functions.iter().find(|known| known["function"] == function).expect("the function").clone()
    };
    let mut host = Host::start_in(data.path(), &manifest);
    let client = host.client();
    run(&client, "AcceptTrip", &json!({ "input": request("1") }));
    run(&client, "AcceptTrip", &json!({ "input": "no request" }));
    host.wait_for_end("trip-1");
    wait_for_seat(&mut host, "1");
    let before = usage(&host);
    let accept = of(&before, "AcceptTrip");
    assert_eq!((&accept["executions"], &accept["failures"]), (&json!(2), &json!(1)), "{before:#}");
    assert!(accept["gbSeconds"].as_f64().is_some_and(|used| used >= 2.0 * 0.0125 - 1e-9), "{before:#}");
    assert!(of(&before, "BookTrip")["turns"].as_u64().is_some_and(|turns| turns >= 1), "{before:#}");
    assert_eq!(of(&before, "RefuseTrip")["executions"], 0, "{before:#}");
    host.stop();

    let mut host = Host::start_in(data.path(), &manifest);
    for function in ["AcceptTrip", "BookTrip", "BookSeat", "NoteBooking"] {
        assert_eq!(of(&usage(&host), function), of(&before, function));
    }
    let metrics = samples_of(&host.client().get("/metrics").expect(200).body);
    let failed = "dacapo_function_executions_total{app=\"trips-by-queue\",function=\"AcceptTrip\",outcome=\"failed\"}";
    assert_eq!(metrics.get(failed), Some(&1.0), "{metrics:#?}");
    host.process.kill();

    // A kill may cost what was counted in the last seconds, and nothing that was written before.
    let host = Host::start_in(data.path(), &manifest);
    assert_eq!(of(&usage(&host), "AcceptTrip"), accept);
    host.stop();
}

/// Runs `dacapo` against a host; its exit code and what it printed.
fn ask<A: AsRef<OsStr>>(host: &Host, arguments: impl IntoIterator<Item = A>) -> (i32, String) {
    let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
    let place = ["--url", host.origin()].map(|word| OsStr::new(word).to_owned());
    let (status, printed) = Process::spawn(arguments.chain(place)).wait_for_end();
    (status.code().expect("it ended by itself"), printed)
}

#[test]
fn functions_run_from_the_command_line() {
    with_app(&samples::manifest("trips-by-queue"), |host| {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("request.json");
        std::fs::write(&file, request("1").to_string()).expect("it can be written");
        let (code, printed) = ask(host, ["invoke", "accepttrip", "--data", &format!("@{}", file.display())]);
        assert_eq!(code, 0, "{printed}");
        assert!(printed.starts_with("Succeeded in "), "{printed}");
        assert!(printed.contains("\nReturned: \"Ada is on the list for RustConf\"\nOutput booking: {"), "{printed}");
        let (code, printed) = ask(host, ["invoke", "AcceptTrip", "-d", "no request"]);
        assert_eq!(code, 1, "{printed}");
        assert!(printed.starts_with("Failed after "), "{printed}");
        let (code, printed) = ask(host, ["invoke", "NightlyReport", "--output", "json"]);
        let report: Value = serde_json::from_str(&printed).expect("JSON");
        assert_eq!((code, &report["outcome"]), (0, &json!("Succeeded")), "{printed}");
        let row = json!({ "PartitionKey": "RustConf", "RowKey": "9", "Traveller": "Ada" }).to_string();
        let (code, printed) = ask(host, ["invoke", "BookTrip", "--data", &row]);
        assert_eq!(code, 0, "{printed}");
        let id = printed.strip_prefix("Started the instance ").and_then(|rest| rest.lines().next()).expect("its id");
        assert_eq!(host.wait_for_end(id)["runtimeStatus"], "Completed");
        let (code, printed) = ask(host, ["invoke", "NoteBooking", "--data", &row, "--no-wait"]);
        assert_eq!((code, printed.as_str()), (0, "'NoteBooking' runs; what comes of it is in the host's log.\n"));
        let (code, printed) = ask(host, ["invoke", "BookBoat"]);
        assert_eq!(code, 2, "{printed}");
        assert!(printed.contains("the app has no function 'BookBoat'; it has: RequestTrip, AcceptTrip, "), "{printed}");
        let (code, printed) = ask(host, ["usage"]);
        assert_eq!(code, 0, "{printed}");
        assert!(printed.contains("of 1,000,000 free executions (0.0 %)"), "{printed}");
        assert!(printed.lines().any(|line| line.starts_with("AcceptTrip") && line.contains("  2  ")), "{printed}");
        let (code, printed) = ask(host, ["usage", "--output", "json"]);
        let usage: Value = serde_json::from_str(&printed).expect("JSON");
        assert_eq!((code, &usage["app"]), (0, &json!("trips-by-queue")));
    });
}

#[test]
fn a_host_that_asks_for_keys_is_asked_with_one() {
    let manifest = samples::manifest("hello");
    let host =
        Host::start_with(&manifest, ["--ephemeral", "--enable-auth"], &[("DACAPO_MASTER_KEY", "sesame-open-sesame")]);
    let (code, printed) = ask(&host, ["invoke", "Hello"]);
    assert_eq!(code, 2, "{printed}");
    assert!(printed.contains("asks for its master key: give it with --key"), "{printed}");
    let (code, printed) = ask(&host, ["usage", "--key", "sesame-shut"]);
    assert_eq!(code, 2, "{printed}");
    let (code, printed) = ask(&host, ["invoke", "Hello", "--key", "sesame-open-sesame"]);
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("\n\nHTTP 200\n"), "{printed}");
    let (code, _) = ask(&host, ["usage", "--key", "sesame-open-sesame"]);
    assert_eq!(code, 0);
    host.client().get("/metrics").expect(401);
    host.client().get("/.well-known/dacapo/health").expect(200);
    host.stop();
    let (status, printed) = Process::spawn(["invoke", "Hello", "--url", "http://127.0.0.1:1"]).wait_for_end();
    assert_eq!(status.code(), Some(2));
    assert!(printed.contains("no host answers at http://127.0.0.1:1; start one with `dacapo start"), "{printed}");
}
