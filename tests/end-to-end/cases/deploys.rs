//! Deploying, going back and removing: what the host says, what starts and stops with it, and what a kill in the middle leaves.

use expect_test::expect;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;
use ureq::http::Method;

use crate::client::{Client, MANAGEMENT};
use crate::host::Host;
use crate::production::{Production, Steps, component, dacapo, pack, start_steps};

#[test]
fn a_deploy_is_told_phase_by_phase_and_as_a_report() {
    let production = Production::new();
    let host = production.start();
    let client = host.client();
    let lines = client.follow_deploy(&Steps::before("1.0.0").pack()).expect("the host answers");
    let mut lines: Vec<Value> = lines.collect();
    let first = lines.pop().expect("a last line")["report"].clone();
    assert_eq!(first["previous"], Value::Null, "{first:#}");
    assert_eq!(first["functions"]["added"], json!(["Renovate", "Paint", "Plaster", "Which"]));
    let phases: Vec<&str> = lines.iter().map(|line| line["phase"].as_str().expect("a phase")).collect();
    assert_eq!(phases, ["received", "checked", "compiled", "switched"]);
    assert!(lines.iter().all(|line| line["durationMs"].is_u64()), "{lines:?}");

    let more = "[functions.Again]\ncomponent = \"steps\"\nentryPoint = \"Which\"\n\
                trigger = { type = \"httpTrigger\", route = \"again\", authLevel = \"anonymous\" }\n";
    let mut second = client.deploy(&Steps { more, versioning: "latest", ..Steps::after("1.1.0") }.pack());
    assert_eq!(second["previous"]["bundle"], first["bundle"]);
    assert_eq!(second["previous"]["digest"], first["digest"]);
    for changing in ["bundle", "digest", "previous", "durationMs"] {
        second.as_object_mut().expect("an object").remove(changing);
    }
    expect![[r#"
        {
          "app": "renovation",
          "functions": {
            "added": [
              "Again"
            ],
            "changed": [
              "Renovate",
              "Paint",
              "Plaster",
              "Which"
            ],
            "removed": [],
            "unchanged": []
          },
          "routes": [
            "GET /api/which",
            "GET,POST,DELETE,HEAD,PATCH,PUT,OPTIONS,TRACE /api/again"
          ],
          "version": "1.1.0",
          "warnings": []
        }"#]]
    .assert_eq(&format!("{second:#}"));
    // Once more the same: nothing is different, and there is one deployment of it.
    let third = client.deploy(&Steps { more, versioning: "latest", ..Steps::after("1.1.0") }.pack());
    assert_eq!(third["functions"]["unchanged"].as_array().map(Vec::len), Some(5), "{third:#}");
    let app = client.app("Renovation");
    assert_eq!(app["deployments"].as_array().map(Vec::len), Some(2), "{app:#}");
    assert_eq!(
        (&app["source"], &app["functions"], &app["bundle"]),
        (&json!("deployment"), &json!(5), &third["bundle"])
    );
    let unknown = client.get("/admin/apps/nobody").expect(404).json();
    assert_eq!(unknown["error"]["message"], "there is no app 'nobody' here; there are: renovation");
    host.stop();
}

fn roll_back(client: &Client, query: &str) -> Value {
    client.post(&format!("/admin/apps/renovation/rollback{query}"), "").expect(200).json()
}

#[test]
fn a_rollback_serves_what_was_served_before() {
    let production = Production::new();
    let mut host = production.start();
    let client = host.client();
    let bundles: Vec<String> = ["1.0.0", "2.0.0", "3.0.0"]
        .into_iter()
        .zip([Steps::before, Steps::after, Steps::before])
        .map(|(version, steps)| client.deploy(&steps(version).pack())["bundle"].as_str().expect("a digest").to_owned())
        .collect();
    start_steps(&mut host, "of-3");
    let said = dacapo(["apps", "rollback", "renovation", "--url", host.origin(), "--key", production.master()]);
    assert!(said.contains("2.0.0"), "{said}");
    assert_eq!((client.version().as_str(), client.which().as_str()), ("2.0.0", "after"));
    // Twice leads further back, and a restart forgets none of it.
    host.process.kill();
    let mut host = production.start();
    let client = host.client();
    assert_eq!((client.version().as_str(), client.which().as_str()), ("2.0.0", "after"));
    let report = roll_back(&client, "");
    assert_eq!((&report["version"], &report["previous"]["version"]), (&json!("1.0.0"), &json!("2.0.0")));
    let nothing = client.post("/admin/apps/renovation/rollback", "").expect(409).json();
    assert_eq!(nothing["error"]["code"], "NothingBefore", "{nothing:#}");
    // Forward is an answer as well.
    let report = roll_back(&client, &format!("?to={}", &bundles[2][..12]));
    assert_eq!((&report["version"], &report["bundle"]), (&json!("3.0.0"), &json!(bundles[2])));
    let unknown = client.post("/admin/apps/renovation/rollback?to=abcdefx", "").expect(404).json();
    assert!(unknown["error"]["message"].as_str().is_some_and(|text| text.contains("3.0.0")), "{unknown:#}");
    client.post("/admin/apps/nobody/rollback", "").expect(404);
    // Behind a rollback, a new deploy stands before all others.
    roll_back(&client, &format!("?to={}", bundles[0]));
    client.deploy(&Steps::after("4.0.0").pack());
    assert_eq!(roll_back(&client, "")["version"], "3.0.0");
    client.raise("of-3", "Dry", &json!(null));
    assert_eq!(host.wait_for_end("of-3")["output"], json!(["painted before", "plastered before"]));

    // What was changed on disk is not served.
    let component =
        production.app_folder("renovation").join("deployments").join(&bundles[1]).join("components/steps.wasm");
    fs::write(&component, b"\0asm\x0d\0\x01\0").expect("it can be written");
    let damaged = client.post(&format!("/admin/apps/renovation/rollback?to={}", bundles[1]), "");
    assert_eq!(damaged.status, 500, "{damaged:?}");
    assert!(damaged.body.contains("SHA-256") && damaged.body.contains("deploy the bundle again"), "{damaged:?}");
    assert_eq!(client.version(), "3.0.0");
    client.deploy(&Steps::after("2.0.0").pack());
    assert_eq!(client.which(), "after");
    host.stop();
}

#[test]
fn an_app_is_removed_with_its_state_and_can_come_again() {
    let production = Production::new();
    let mut host = production.start();
    let client = host.client();
    let bundle = Steps::before("1.0.0").pack();
    client.deploy(&bundle);
    start_steps(&mut host, "left");
    start_steps(&mut host, "ended");
    client.raise("ended", "Dry", &json!(null));
    host.wait_for_end("ended");
    let refused = client.delete("/admin/apps/renovation").expect(409).json();
    expect![[r#"
        {
          "error": {
            "code": "InstancesRunning",
            "message": "1 instance of 'renovation' has not ended, and would be lost; wait for it, terminate it, or force it",
            "problems": [
              "left (Renovate)"
            ]
          }
        }"#]]
    .assert_eq(&format!("{refused:#}"));
    assert_eq!(client.which(), "before");
    client.raise("left", "Unknown", &json!(null));

    let removed = client.delete("/admin/apps/renovation?force=1").expect(200).json();
    assert_eq!(removed, json!({ "app": "renovation", "instances": 1 }));
    client.get("/api/which").expect(404);
    assert_eq!(client.apps(), json!([]));
    assert_eq!(fs::read_dir(production.data().join("apps")).expect("the folder of apps").count(), 0);
    client.delete("/admin/apps/renovation").expect(404);
    client.post(&format!("{MANAGEMENT}/orchestrators/Renovate"), "").expect(404);

    // Another one of that name begins with nothing, in the same process.
    client.deploy(&bundle);
    assert_eq!(client.find(""), [""; 0]);
    start_steps(&mut host, "left");
    client.raise("left", "Dry", &json!(null));
    assert_eq!(host.wait_for_end("left")["output"], json!(["painted before", "plastered before"]));
    let said = dacapo(["apps", "remove", "renovation", "--yes", "--url", host.origin(), "--key", production.master()]);
    assert!(said.contains("renovation"), "{said}");
    host.stop();
    let host = production.start();
    assert_eq!(host.client().apps(), json!([]));
    host.stop();
}

/// An app of one function, beside the others.
fn boats() -> Vec<u8> {
    let manifest = "[app]\nname = \"boats\"\nversion = \"1.0.0\"\n[components.steps]\nsource = \"steps.wasm\"\n\
                    [functions.Sail]\nentryPoint = \"Which\"\n\
                    trigger = { type = \"httpTrigger\", route = \"sail\", authLevel = \"anonymous\" }\n";
    pack(manifest, &[("steps", component("steps-after", 0))])
}

/// Spoils what is deployed, as a disk does it.
fn damage(production: &Production, bundle: &Value) {
    let folder = production.app_folder("renovation").join("deployments").join(bundle.as_str().expect("a digest"));
    fs::write(folder.join("components/steps.wasm"), b"\0asm\x0d\0\x01\0").expect("it can be written");
}

#[test]
fn an_app_that_cannot_be_served_keeps_no_other_from_it_and_can_go_back() {
    let production = Production::new();
    let mut host = production.start();
    let client = host.client();
    client.deploy(&boats());
    let first = client.deploy(&Steps::before("1.0.0").pack());
    start_steps(&mut host, "waits");
    let second = client.deploy(&Steps::after("2.0.0").pack());
    host.process.kill();

    damage(&production, &second["bundle"]);
    let mut host = production.start();
    let client = host.client();
    assert_eq!(client.get("/api/sail").expect(200).body, "after");
    client.get("/api/which").expect(404);
    let refused = client.delete("/admin/apps/renovation").expect(409).json();
    assert_eq!(refused["error"]["code"], "AppNotServed", "{refused:#}");
    let apps = client.apps();
    assert_eq!((&apps[1]["name"], &apps[1]["version"]), (&json!("renovation"), &json!("2.0.0")), "{apps:#}");
    assert!(apps[1]["notServed"].as_str().is_some_and(|why| why.contains("is damaged")), "{apps:#}");
    let listed = dacapo(["apps", "list", "--url", host.origin(), "--key", production.master()]);
    assert!(listed.contains("renovation is not served: the deployment"), "{listed}");
    let shown = client.get("/admin/apps/renovation").expect(409);
    assert!(shown.body.contains("is deployed and not served"), "{shown:?}");
    // Something that is refused does not cost what is there.
    client.try_deploy(&Steps { route: "%NOWHERE%", ..Steps::before("3.0.0") }.pack()).expect(400);
    assert_eq!(roll_back(&client, "")["previous"], Value::Null);
    assert_eq!(client.which(), "before");
    assert_eq!(client.apps()[1]["notServed"], Value::Null);
    client.raise("waits", "Dry", &json!(null));
    assert_eq!(host.wait_for_end("waits")["output"], json!(["painted before", "plastered before"]));
    let log = host.stop();
    assert!(log.contains("app-not-served: error: the app 'renovation' is not served: the deployment"), "{log}");
    assert!(log.contains("go back to one: dacapo apps rollback"), "{log}");

    damage(&production, &first["bundle"]);
    let host = production.start();
    let client = host.client();
    client.get("/api/which").expect(404);
    assert_eq!(client.delete("/admin/apps/renovation?force=1").expect(200).json()["app"], "renovation");
    assert!(!production.app_folder("renovation").exists());
    client.deploy(&Steps::before("1.0.0").pack());
    assert_eq!(client.which(), "before");
    assert_eq!(client.find("taskHub=renovation"), [""; 0]);
    host.stop();
}

/// How many milliseconds after it was asked to remove an app the host is killed; none: when it has answered.
const REMOVALS: [Option<u64>; 8] = [Some(0), Some(5), Some(15), Some(25), Some(35), Some(50), Some(80), None];

#[test]
fn a_kill_in_the_middle_of_a_removal_leaves_the_whole_app_or_nothing_of_it() {
    let production = Production::new();
    let bundle = Steps::before("1.0.0").pack();
    let mut host = production.start();
    for delay in REMOVALS {
        let client = host.client();
        if client.apps() == json!([]) {
            client.deploy(&bundle);
            assert_eq!(client.find(""), [""; 0], "nothing is there of the app before");
            start_steps(&mut host, "waits");
        }
        std::thread::scope(|scope| {
            let removal = scope.spawn(|| drop(client.try_send(Method::DELETE, "/admin/apps/renovation?force=1", "")));
            match delay {
                Some(delay) => while host.process.next_line(Duration::from_millis(delay)).is_some() {},
                None => {
                    while !removal.is_finished() {
                        host.process.next_line(Duration::from_millis(10));
                    }
                }
            }
            host.process.kill();
            removal.join().expect("an answer that never comes is no failure");
        });
        host = production.start();
        let client = host.client();
        let is_removed = client.apps() == json!([]);
        assert!(is_removed || delay.is_some(), "it was told that the app is removed");
        if is_removed {
            assert_eq!(fs::read_dir(production.data().join("apps")).expect("the folder of apps").count(), 0);
        } else {
            assert_eq!((client.which().as_str(), client.find("")), ("before", vec!["waits".to_owned()]));
        }
    }
    host.stop();
}

/// Two queue functions and two timers, one of each kind per version.
fn listening(name: &'static str, version: &str, queue_function: &str, timer: &str) -> Vec<u8> {
    let more = format!(
        r#"
[functions.Send]
component = "jobs"
trigger = {{ type = "httpTrigger", methods = ["post"], route = "send", authLevel = "anonymous" }}
outputs.messages = {{ type = "queue", queueName = "incoming" }}
[functions.{queue_function}]
component = "jobs"
entryPoint = "Echo"
trigger = {{ type = "queueTrigger", queueName = "incoming" }}
outputs."$return" = {{ type = "queue", queueName = "out" }}
[functions.{timer}]
component = "jobs"
entryPoint = "Tick"
trigger = {{ type = "timerTrigger", schedule = "* * * * * *" }}
outputs."$return" = {{ type = "table", tableName = "{timer}s" }}
"#
    );
    Steps { name, more: more.leak(), ..Steps::before(version) }.pack_with_jobs()
}

/// Waits until the timer runs; then sends a message, and waits until this function has worked on it and the timer has run
/// twice. `others`: what must not run any more.
fn expect_listeners(host: &mut Host, queue_function: &str, timer: &str, others: [&str; 2]) {
    // What was printed before is none of this.
    while host.process.next_line(Duration::ZERO).is_some() {}
    host.process.wait_for(&format!("[invocation end] {timer} succeeded"));
    host.client().post("/api/send", "hello").expect(202);
    let (mut messages, mut runs) = (0, 0);
    while messages < 1 || runs < 2 {
        let line = host.process.next_line(crate::host::PATIENCE).expect("the timer runs every second");
        let ended = |name: &str| line.contains(&format!("[invocation end] {name} succeeded"));
        messages += usize::from(ended(queue_function));
        runs += usize::from(ended(timer));
        assert!(
            !others.iter().any(|name| line.contains("[invocation ") && line.contains(&format!("] {name} "))),
            "{line}"
        );
    }
    assert_eq!(messages, 1);
}

#[test]
fn queues_and_timers_begin_and_end_with_their_version() {
    let production = Production::new();
    let mut host = production.start();
    let client = host.client();
    client.deploy(&Steps::before("0.1.0").pack());
    client.deploy(&listening("renovation", "1.0.0", "First", "Tick"));
    expect_listeners(&mut host, "First", "Tick", ["Second", "Tock"]);
    client.deploy(&listening("renovation", "2.0.0", "Second", "Tock"));
    expect_listeners(&mut host, "Second", "Tock", ["First", "Tick"]);
    roll_back(&client, "");
    expect_listeners(&mut host, "First", "Tick", ["Second", "Tock"]);
    client.delete("/admin/apps/renovation").expect(200);
    client.deploy(&listening("other", "1.0.0", "Second", "Tock"));
    expect_listeners(&mut host, "Second", "Tock", ["First", "Tick"]);
    let log = host.stop();
    assert!(!log.contains(" failed in ") && !log.contains("error: "), "{log}");
}

#[test]
fn deploys_at_the_same_time_come_one_after_the_other() {
    let production = Production::new();
    let host = production.start();
    let client = host.client();
    let versions = ["1", "2", "3", "4"];
    let reports: Vec<Value> = std::thread::scope(|scope| {
        let deploys: Vec<_> = versions
            .map(|version| {
                let client = host.client();
                scope.spawn(move || client.deploy(&Steps::before(version).pack()))
            })
            .into_iter()
            .collect();
        deploys.into_iter().map(|deploy| deploy.join().expect("all of them are good")).collect()
    });
    // Each has found the one before it, so that together they are a chain.
    let of = |report: &Value, of: &str| report[of].as_str().map(str::to_owned);
    let replaced: Vec<String> = reports.iter().filter_map(|report| of(&report["previous"], "version")).collect();
    let last: Vec<&str> = versions.into_iter().filter(|version| !replaced.iter().any(|one| one == version)).collect();
    assert_eq!((replaced.len(), last.len()), (3, 1), "{reports:?}");
    assert_eq!(client.version(), last[0]);
    let newest = &client.app("renovation")["deployments"][0];
    assert_eq!((&newest["version"], &newest["present"]), (&json!(last[0]), &json!(true)));
    host.stop();
}

#[test]
fn a_deploy_goes_on_without_its_caller() {
    let production = Production::cold();
    let mut host = production.start();
    let client = host.client();
    client.deploy(&Steps::before("1.0.0").pack());
    // What has arrived is deployed, whoever waits for the rest of the answer.
    let first = client.follow_deploy(&Steps::after("2.0.0").pack()).expect("the host answers").next();
    assert_eq!(first.expect("a line")["phase"], "received");
    host.look_until("the new version is served", |client| (client.which() == "after").then_some(()));
    host.stop();
}

#[test]
fn a_host_that_is_stopped_in_the_middle_of_a_deploy_ends_well() {
    let production = Production::cold();
    let host = production.start();
    host.client().deploy(&Steps::before("1.0.0").pack());
    let bundle = Steps { stamp: 100, ..Steps::after("2.0.0") }.pack();
    let mut lines = host.client().follow_deploy(&bundle).expect("the host answers");
    assert_eq!(lines.next().expect("a line")["phase"], "received");
    // The deploy is refused or it is done; the host ends without an error either way.
    let last = std::thread::scope(|scope| {
        let rest = scope.spawn(move || lines.last());
        host.stop();
        rest.join().expect("lines can be read until there are no more")
    });
    let host = production.start();
    let version = host.client().version();
    match last {
        Some(line) if line["report"].is_object() => assert_eq!(version, "2.0.0"),
        Some(line) if line["error"].is_object() => {
            assert_eq!((version.as_str(), &line["error"]["status"]), ("1.0.0", &json!(503)))
        }
        line => panic!("it was not told what became of the deploy: {line:?}; {version} is served"),
    }
    check_whole(&production, &host.client(), if version == "2.0.0" { 1 } else { 0 }, 0);
    host.stop();
}

/// Kills in the middle of deploys.
const KILLS: u8 = 21;

/// What the host says of a deploy, in this order; in the end its report.
const PHASES: usize = 5;

#[test]
fn a_kill_in_the_middle_of_a_deploy_leaves_the_old_version_or_the_new_one() {
    // Nothing is compiled beforehand, so that there is a middle.
    let production = Production::cold();
    let mut host = production.start();
    host.client().deploy(&Steps::before("0").pack());
    start_steps(&mut host, "waits");
    let mut served = 0;
    let mut outcomes = [0, 0];
    for number in 1..=KILLS {
        let steps = if number % 2 == 1 { Steps::after } else { Steps::before };
        let bundle = Steps { stamp: number, ..steps(&number.to_string()) }.pack();
        let last_phase = kill_during(&mut host, &bundle, number);
        host = production.start();
        let client = host.client();
        let version: u8 = client.version().parse().expect("a number");
        assert!(version == served || version == number, "{number}: {version} is served");
        assert!(version == number || last_phase != "switched", "{number}: it was told that it is served");
        outcomes[usize::from(version == number)] += 1;
        served = version;
        check_whole(&production, &client, version, 1);
    }
    assert!(outcomes.iter().all(|count| *count > 0), "the kills came too early or too late: {outcomes:?}");
    host.client().raise("waits", "Dry", &json!(null));
    assert_eq!(host.wait_for_end("waits")["output"], json!(["painted before", "plastered before"]));
    host.client().deploy(&Steps::after("end").pack());
    assert_eq!(host.client().which(), "after");
    host.stop();
}

/// Kills the host when it has told so many phases, or so many milliseconds after it was asked. The last phase that was told.
fn kill_during(host: &mut Host, bundle: &[u8], number: u8) -> String {
    let told = usize::from(number) % (PHASES + 2);
    if told < PHASES {
        let lines = host.client().follow_deploy(bundle).expect("the host answers");
        let lines: Vec<Value> = lines.take(told).collect();
        host.process.kill();
        // The report comes behind the last phase.
        return lines.iter().rev().find_map(|line| line["phase"].as_str()).unwrap_or_default().to_owned();
    }
    let client = host.client();
    std::thread::scope(|scope| {
        let deploy = scope.spawn(move || drop(client.follow_deploy(bundle).map(Iterator::count)));
        let wait = Duration::from_millis(u64::from(number) * 7);
        while host.process.next_line(wait).is_some() {}
        host.process.kill();
        deploy.join().expect("a deploy that breaks off is none that fails");
    });
    String::new()
}

/// What is served is what the record says, nothing is left of the other version, and so many instances are under way.
fn check_whole(production: &Production, client: &Client, version: u8, instances: usize) {
    assert_eq!(client.which(), if version % 2 == 1 { "after" } else { "before" }, "version {version}");
    let app = client.app("renovation");
    let mut known: Vec<String> = app["deployments"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|deployment| deployment["bundle"].as_str().expect("a digest").to_owned())
        .collect();
    known.sort();
    let folder = production.app_folder("renovation").join("deployments");
    let mut found: Vec<String> = fs::read_dir(folder)
        .expect("it is there")
        .map(|entry| entry.expect("it can be read").file_name().into_string().expect("a text"))
        .collect();
    found.sort();
    assert_eq!(found, known);
    let running = format!("{MANAGEMENT}/instances?runtimeStatus=Running");
    assert_eq!(client.get(&running).expect(200).json().as_array().map(Vec::len), Some(instances));
}
