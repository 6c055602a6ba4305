//! Lists as people and programs read them, from manifests and from answers of a host.

use super::*;
use expect_test::{Expect, expect};

const MANIFEST: &str = r#"
    [app]
    name = "trips"
    version = "1.2.0"
    [components.booking]
    source = "booking.wasm"
    [components.reports]
    source = "reports.wasm"
    [functions.StartTrip]
    component = "booking"
    trigger = { type = "httpTrigger", methods = ["post"], route = "/trips/{conference}" }
    [functions.Anything]
    component = "booking"
    trigger = { type = "httpTrigger" }
    [functions.BookTrip]
    component = "booking"
    trigger = { type = "orchestrationTrigger" }
    [functions.AcceptTrip]
    component = "booking"
    trigger = { type = "queueTrigger", queueName = "trip-requests" }
    disabled = true
    [functions.Nightly]
    component = "reports"
    entryPoint = "report"
    trigger = { type = "timerTrigger", schedule = "%NIGHTLY%" }"#;

fn list(manifest: &str) -> List {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.toml");
    std::fs::write(&file, manifest).expect("it can be written");
    let outline = outline::read(Some(&file), &[], &Environment::default());
    let mut outline = outline.unwrap_or_else(|problem| panic!("{:#}", problem.into_error()));
    outline.located.file = "app.toml".to_owned();
    of_manifest(&outline)
}

fn check(list: &List, expected: &Expect) {
    expected.assert_eq(&list.in_words());
}

#[test]
fn people_read_what_starts_each_function() {
    check(
        &list(MANIFEST),
        &expect![[r#"
            App: trips 1.2.0

            Function    Trigger               Started by                                                  Component
            StartTrip   httpTrigger           POST /api/trips/{conference}                                booking
            Anything    httpTrigger           GET,POST,DELETE,HEAD,PATCH,PUT,OPTIONS,TRACE /api/Anything  booking
            BookTrip    orchestrationTrigger                                                              booking
            AcceptTrip  queueTrigger          trip-requests                                               booking           disabled
            Nightly     timerTrigger          %NIGHTLY%                                                   reports (report)

            Not set here: NIGHTLY. What refers to it is shown as it is written; see `dacapo settings app.toml`."#]],
    );
}

#[test]
fn programs_read_the_same() {
    let manifest = MANIFEST.replace("[functions.Anything]", "[functions.Other]").replace("1.2.0", "2");
    let manifest: String = manifest.split("[functions.BookTrip]").next().unwrap_or_default().to_owned();
    expect![[r#"
        {
          "app": {
            "name": "trips",
            "version": "2"
          },
          "functions": [
            {
              "name": "StartTrip",
              "trigger": "httpTrigger",
              "methods": [
                "POST"
              ],
              "route": "/api/trips/{conference}",
              "component": "booking",
              "entryPoint": "StartTrip",
              "disabled": false
            },
            {
              "name": "Other",
              "trigger": "httpTrigger",
              "methods": [
                "GET",
                "POST",
                "DELETE",
                "HEAD",
                "PATCH",
                "PUT",
                "OPTIONS",
                "TRACE"
              ],
              "route": "/api/Other",
              "component": "booking",
              "entryPoint": "Other",
              "disabled": false
            }
          ]
        }"#]]
    .assert_eq(&list(&manifest).as_json());
}

#[test]
fn a_host_tells_what_it_serves() {
    let answer = r#"[
        {"name": "StartTrip", "invoke_url_template": "http://localhost:7071/api/trips", "isDisabled": false, "language": "wasm",
         "config": {"name": "StartTrip", "bindings": [{"type": "httpTrigger", "direction": "in", "methods": ["POST"], "route": "trips"}]}},
        {"name": "Accept", "invoke_url_template": null, "isDisabled": true,
         "config": {"bindings": [{"type": "table", "direction": "in"}, {"type": "queueTrigger", "queueName": "trip-requests"}]}}]"#;
    check(
        &of_answer(answer).expect("it is understood"),
        &expect![[r#"
            Function   Trigger       Started by
            StartTrip  httpTrigger   POST http://localhost:7071/api/trips
            Accept     queueTrigger  trip-requests                           disabled"#]],
    );
    let error = of_answer("<html>").err().expect("it is no list");
    assert_eq!(error.to_string(), "the host's answer is not understood");
}
