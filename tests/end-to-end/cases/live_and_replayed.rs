//! The samples with instances that stay in memory and with every turn replayed from the history: the same histories, which
//! the code then still fits.

use serde_json::{Value, json};
use std::path::Path;

use super::replaying::replay;
use crate::client::MANAGEMENT;
use crate::host::Host;
use crate::samples;

/// An orchestration, and what happens to it from outside: each event once the instance shows the custom status.
struct Run {
    orchestrator: &'static str,
    input: Value,
    events: Vec<(&'static str, &'static str, Value)>,
}

fn run(orchestrator: &'static str, input: Value) -> Run {
    Run { orchestrator, input, events: Vec::new() }
}

/// A moment or an id in a text.
struct Redacted {
    /// Ids in the order in which they came, so that the same id is the same everywhere.
    ids: Vec<String>,
}

impl Redacted {
    fn line(&mut self, line: &str) -> String {
        let mut event: Value = serde_json::from_str(line).expect("each line is JSON");
        self.value("", &mut event);
        event.to_string()
    }

    fn value(&mut self, name: &str, value: &mut Value) {
        match value {
            Value::String(_) if ["timestamp", "fireAt", "deliverAt", "date"].contains(&name) => *value = json!(".."),
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(name, item)),
            Value::Object(fields) => fields.iter_mut().for_each(|(name, field)| self.value(name, field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Words that are ids (32 hexadecimal digits) or references made of them (`FL-KCA9MX`) become numbers.
    fn text(&mut self, text: &str) -> String {
        let words = text.split_inclusive([' ', ':', '@', '/']).map(|word| {
            let bare = word.trim_end_matches([' ', ':', '@', '/']);
            let digits = bare.chars().filter(|digit| *digit != '-');
            let is_id = digits.clone().count() == 32 && digits.clone().all(|digit| digit.is_ascii_hexdigit());
            let is_reference = matches!(bare.split_once('-'), Some((kind, rest)) if kind.len() == 2
                && rest.len() == 6
                && rest.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit()));
            if !is_id && !is_reference {
                return word.to_owned();
            }
            let number = self.ids.iter().position(|id| id == bare).unwrap_or_else(|| {
                self.ids.push(bare.to_owned());
                self.ids.len() - 1
            });
            word.replace(bare, &format!("<id {number}>"))
        });
        words.collect()
    }
}

/// Runs everything on one host, one after the other, and answers the histories. Between their turns all instances are where
/// `residence` says.
fn histories(manifest: &Path, runs: &[Run], residence: &str) -> Vec<String> {
    let mut host = Host::start(manifest, ["--ephemeral"]);
    let client = host.client();
    let origin = host.origin().to_owned();
    let histories = runs.iter().enumerate().map(|(number, run)| {
        let id = format!("{}-{number}", run.orchestrator);
        let input = run.input.to_string().replace("<origin>", &origin);
        client.start_as(run.orchestrator, &id, &serde_json::from_str(&input).expect("it was JSON before"));
        for (shown, event, payload) in &run.events {
            host.wait_for_custom_status(&id, shown);
            host.look_until(&format!("{id} is {residence}"), |client| {
                (client.explain(&id)["residence"] == residence).then_some(())
            });
            client.raise(&id, event, payload);
        }
        host.wait_for_end(&id);
        let history = client.get(&format!("{MANAGEMENT}/instances/{id}/history")).expect(200).body;
        check_fits(manifest, &history);
        let mut redacted = Redacted { ids: Vec::new() };
        let lines: Vec<String> =
            history.lines().map(|line| redacted.line(&line.replace(&origin, "<origin>"))).collect();
        lines.join("\n")
    });
    let histories = histories.collect();
    host.stop();
    histories
}

/// The app does what a history of it records.
fn check_fits(manifest: &Path, history: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("history.ndjson");
    std::fs::write(&file, history).expect("it can be written");
    let (code, output) = replay([file.as_os_str(), "--manifest".as_ref(), manifest.as_os_str()]);
    assert!(code == 0 && output.starts_with("Fits: "), "exit code {code}: {output}\n{history}");
}

fn check(app: &str, runs: &[Run]) {
    let live = histories(&samples::manifest(app), runs, "Live");
    let replayed = histories(&samples::variant(app, "replayed", "liveInstances = 0"), runs, "Evicted");
    for (run, (live, replayed)) in runs.iter().zip(live.iter().zip(&replayed)) {
        assert!(live.contains("\"ExecutionCompleted\""), "{}:\n{live}", run.orchestrator);
        assert_eq!(live, replayed, "{}", run.orchestrator);
    }
}

#[test]
fn conference_booking() {
    let trip = |simulate: Value| json!({ "traveller": "Ada", "conference": "RustConf", "simulate": simulate });
    let mut watched = trip(json!({ "flight": { "priceCents": 30_000 } }));
    watched["maxFlightPriceCents"] = json!(20_000);
    let refuses = |service: &str| trip(json!({ service: { "refuses": true } }));
    check(
        "conference-booking",
        &[
            run("Sequential", trip(json!({}))),
            run("FlightOrTrain", refuses("flight")),
            run("Compensating", refuses("hotel")),
            run("FlightWithRetry", trip(json!({ "flight": { "failures": 2 } }))),
            run("CombinedTrips", json!({ "trips": [trip(json!({})), trip(json!({}))] })),
            run("ApprovedTrip", json!({ "trip": trip(json!({})), "deadlineSeconds": 0 })),
            run("PriceWatch", json!({ "trip": watched, "everySeconds": 0, "priceFallsByCents": 4_000 })),
            run("BookTrip", trip(json!({}))),
        ],
    );
}

#[test]
fn durable_model() {
    let event = |shown, name, payload| (shown, name, json!(payload));
    let counting = json!({ "key": "stock", "amount": 4, "seconds": 3_600 });
    let transfer = json!({ "from": "ada", "to": "bob", "amount": 30 });
    check(
        "durable-model",
        &[
            run("Echo", json!({ "hello": ["world", 1.5, null] })),
            run("UseCounter", counting.clone()),
            run("CountLater", counting),
            run("Transfer", transfer),
            Run {
                events: vec![event("waiting for Approval", "Approval", "yes")],
                ..run("WaitForApproval", json!(null))
            },
            run("WaitForApprovalUntil", json!(0)),
            run("CancelledTimer", json!(10)),
            run("FailOnce", json!(null)),
            run("FailOnceInChild", json!(null)),
            run("RunSlowStep", json!({ "takesMs": 600_000, "timeoutMs": 100, "attempts": 2 })),
            run("AbortSlowStep", json!({ "takesMs": 600_000, "timeoutMs": 100 })),
            run("CallService", json!("<origin>/api/jobs/1")),
            run("OrderReport", json!("bees")),
            Run {
                events: vec![event("0 of 2", "Item", "a"), event("1 of 2", "Item", "b")],
                ..run("Collect", json!({ "wanted": 2 }))
            },
            run("AboutMe", json!(true)),
            run("Upgrade", json!(0)),
        ],
    );
}
