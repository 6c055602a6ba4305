//! `dacapo serve`: from an empty folder to several apps in one host, who is let in, and where its settings come from.

use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use ureq::http::Method;

use crate::client::{Client, MANAGEMENT};
use crate::host::{Host, Process};
use crate::production::{Production, Steps, component, dacapo, pack, start_steps};

/// Two functions of the same component, one of which asks for a key.
const GUARDED: &str = r#"
[functions.Guarded]
component = "steps"
entryPoint = "Which"
trigger = { type = "httpTrigger", methods = ["get"], route = "guarded" }
"#;

/// An app with functions of its own, and a task hub that is called like the app.
fn boats() -> Vec<u8> {
    let manifest = r#"
[app]
name = "boats"
version = "3.0.0"
[components.jobs]
source = "jobs.wasm"
[functions.Send]
trigger = { type = "httpTrigger", methods = ["post"], route = "rooms/kitchen", authLevel = "anonymous" }
outputs.messages = { type = "queue", queueName = "jobs" }
[functions.FollowUp]
trigger = { type = "orchestrationTrigger" }
[functions.Confirm]
trigger = { type = "activityTrigger" }
"#;
    pack(manifest, &[("jobs", component("queue-jobs", 0))])
}

#[test]
fn an_empty_host_takes_an_app_from_the_command_line_and_keeps_it() {
    let production = Production::new();
    let host = production.start();
    let client = host.client();
    assert_eq!(client.apps(), json!([]));
    client.get("/api/which").expect(404);
    assert!(host.greeting.contains("deployed: none yet"), "{}", host.greeting);

    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("app.dacapo");
    let bundle = Steps { more: GUARDED, ..Steps::before("1.0.0") }.pack();
    fs::write(&file, &bundle).expect("it can be written");
    let file = file.to_str().expect("a text");
    let said = dacapo(["deploy", file, "--to", host.origin(), "--key", production.master()]);
    assert!(said.contains("Deployed renovation 1.0.0"), "{said}");
    assert_eq!(client.which(), "before");
    let listed = dacapo(["apps", "list", "--url", host.origin(), "--key", production.master()]);
    assert!(listed.contains("renovation") && listed.contains("1.0.0"), "{listed}");
    let apps = client.apps();
    let last = host.stop();
    let functions = format!("· {} functions", apps[0]["functions"]);
    assert!(last.contains(&functions), "what was deployed counts, too: {functions:?} in {last:?}");

    let host = production.start();
    assert!(host.greeting.contains("deployed: renovation 1.0.0"), "{}", host.greeting);
    let client = host.client();
    assert_eq!(client.which(), "before");
    assert_eq!(client.apps(), apps);
    host.stop();
}

#[test]
fn everybody_needs_a_key() {
    let production = Production::new();
    let host = production.start();
    let master = host.client();
    let bundle = Steps { more: GUARDED, ..Steps::before("1.0.0") }.pack();
    master.deploy(&bundle);
    let nobody = Client::new(host.origin());
    assert_eq!(nobody.which(), "before");
    nobody.get("/api/guarded").expect(401);
    let function = nobody.with_key(&production.key("function", "default"));
    assert_eq!(function.get("/api/guarded").expect(200).body, "before");
    let before = production.files();
    for client in [&nobody, &function, &nobody.with_key("wrong")] {
        assert_eq!(client.try_deploy(&bundle).expect(401).body, "");
        for (method, path) in [
            (Method::GET, "/admin/apps".to_owned()),
            (Method::GET, "/admin/apps/renovation".to_owned()),
            (Method::POST, "/admin/apps/renovation/rollback".to_owned()),
            (Method::DELETE, "/admin/apps/renovation?force=1".to_owned()),
            (Method::POST, format!("{MANAGEMENT}/orchestrators/Renovate")),
        ] {
            client.send(method, &path, "").expect(401);
        }
    }
    assert_eq!(production.files(), before);
    let said = Process::spawn(["apps", "list", "--url", host.origin(), "--key", "wrong"]).wait_for_end();
    assert!(!said.0.success() && said.1.contains("master key"), "{said:?}");
    host.stop();

    // The keys stay what they are.
    let host = production.start();
    assert_eq!(function.url(""), nobody.url(""));
    let function = Client::new(host.origin()).with_key(&production.key("function", "default"));
    assert_eq!(function.get("/api/guarded").expect(200).body, "before");
    host.stop();
}

#[test]
fn settings_come_from_the_environment_then_from_the_file() {
    let production = Production::new();
    let config = production.data().join("host.toml");
    let text = r#"
dataDir = "state"
# Nobody can listen there.
address = "203.0.113.7"
[values]
PLACE = "everywhere"
OTHER_PLACE = "elsewhere"
[apps.renovation.values]
PLACE = "house"
[apps.boats.values]
PLACE = "harbour"
"#;
    fs::write(&config, text).expect("it can be written");
    let start = |environment: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
        command.arg("serve").arg("--config").arg(&config).args(["--address", "127.0.0.1"]);
        command.env("DACAPO_PORT", "0").envs(environment.iter().copied());
        let host = Host::ready(Process::run(&mut command));
        let keys = ["keys".as_ref(), "list".as_ref(), "--show-values".as_ref(), "--output".as_ref(), "json".as_ref()];
        let state = production.data().join("state");
        let printed = dacapo(keys.into_iter().chain(["--data-dir".as_ref(), state.as_os_str()]));
        let keys: Value = serde_json::from_str(&printed).expect("JSON");
        let master =
            keys.as_array().expect("a list").iter().find(|key| key["name"] == "_master").expect("there is one");
        let master = master["value"].as_str().expect("a text").to_owned();
        host.opened_by(master)
    };
    let more = r#"
[functions.Other]
component = "steps"
entryPoint = "Which"
trigger = { type = "httpTrigger", methods = ["get"], route = "%OTHER_PLACE%", authLevel = "anonymous" }
"#;
    let host = start(&[]);
    let report = host.client().deploy(&Steps { route: "%PLACE%", more, ..Steps::before("1.0.0") }.pack());
    assert_eq!(report["routes"], json!(["GET /api/house", "GET /api/elsewhere"]));
    host.client().get("/api/house").expect(200);
    host.client().get("/api/everywhere").expect(404);
    host.stop();

    let host = start(&[("PLACE", "castle")]);
    assert_eq!(host.client().app("renovation")["routes"], json!(["GET /api/castle", "GET /api/elsewhere"]));
    host.client().get("/api/castle").expect(200);
    host.client().get("/api/house").expect(404);
    // A setting that is nowhere is a problem of the app.
    let refused = host.client().try_deploy(&Steps { route: "%NOWHERE%", ..Steps::before("1.0.1") }.pack()).expect(400);
    assert!(refused.body.contains("NOWHERE"), "{refused:?}");
    host.stop();
}

#[test]
fn several_apps_share_a_host() {
    let production = Production::new();
    let mut host = production.start();
    let client = host.client();
    client.deploy(&Steps { route: "rooms/{room}", ..Steps::before("1.0.0") }.pack());
    client.deploy(&boats());
    // The most specific route wins, whose app it ever is.
    assert_eq!(client.get("/api/rooms/bath").expect(200).body, "before");
    client.post("/api/rooms/kitchen", "dishes").expect(202);
    // It is of the other method only; then the other app has the most specific one.
    assert_eq!(client.get("/api/rooms/kitchen").expect(200).body, "before");
    client.delete("/api/rooms/kitchen").expect(405);

    start_steps(&mut host, "old");
    client.start_as("FollowUp", "boat", &json!("ship"));
    assert_eq!(host.wait_for_end("boat")["output"], "ship is confirmed");
    let unclear = client.get(&format!("{MANAGEMENT}/instances")).expect(400);
    let hubs: Vec<Value> = client.apps().as_array().expect("a list").iter().map(|app| app["taskHub"].clone()).collect();
    assert_eq!(hubs.len(), 2);
    for (hub, id) in hubs.iter().zip(["old", "boat"]) {
        let hub = hub.as_str().expect("a name");
        assert!(unclear.body.contains(hub), "{hub}: {}", unclear.body);
        assert_eq!(client.find(&format!("taskHub={hub}")), [id]);
    }
    // Each of them is as it was after a restart.
    host.process.kill();
    let mut host = production.start();
    let client = host.client();
    assert_eq!(client.get("/api/rooms/bath").expect(200).body, "before");
    client.post("/api/rooms/kitchen", "dishes").expect(202);
    client.raise("old", "Dry", &json!(null));
    assert_eq!(host.wait_for_end("old")["output"], json!(["painted before", "plastered before"]));
    host.stop();
}

#[test]
fn apps_that_clash_do_not_come_to_stand_beside_each_other() {
    let production = Production::new();
    let host = production.start();
    let client = host.client();
    client.deploy(&Steps::before("1.0.0").pack());
    client.deploy(&boats());
    let (apps, before) = (client.apps(), production.files());
    let other = Steps { name: "copy", ..Steps::after("1.0.0") };
    let same_but_for_case = Steps { name: "Renovation", ..Steps::after("1.0.0") };
    let same_hub = r#"
[app]
name = "ships"
version = "1.0.0"
[host.durableTask]
hubName = "BOATS"
[components.jobs]
source = "jobs.wasm"
[functions.Echo]
trigger = { type = "queueTrigger", queueName = "incoming" }
"#;
    for (bundle, app, holder) in [
        (other.pack(), "copy", "renovation"),
        (same_but_for_case.pack(), "Renovation", "renovation"),
        (pack(same_hub, &[("jobs", component("queue-jobs", 0))]), "ships", "boats"),
        // A version of an app that is here can clash as well.
        (Steps { more: SEND, ..Steps::before("2.0.0") }.pack_with_jobs(), "renovation", "boats"),
    ] {
        let answer = client.try_deploy(&bundle).expect(409).json();
        assert_eq!(answer["error"]["code"], "AppsClash", "{answer:#}");
        let message = answer["error"]["message"].as_str().expect("a text");
        assert!(message.contains(&format!("'{app}'")), "{answer:#}");
        let problems = answer["error"]["problems"].as_array().expect("a list");
        assert!(!problems.is_empty(), "{answer:#}");
        for problem in problems {
            assert!(problem.as_str().is_some_and(|problem| problem.contains(&format!("'{holder}'"))), "{problem}");
        }
        assert_eq!(client.apps(), apps);
        assert_eq!(production.files(), before);
    }
    host.stop();
}

/// A function that the boats have.
const SEND: &str = r#"
[functions.Send]
component = "jobs"
trigger = { type = "httpTrigger", methods = ["post"], route = "send", authLevel = "anonymous" }
outputs.messages = { type = "queue", queueName = "jobs" }
"#;
