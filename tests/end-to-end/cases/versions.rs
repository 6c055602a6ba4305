//! Versions of an app side by side: instances finish on the one that they began on, over deploys, kills and rollbacks, and a
//! version goes when nobody needs it any more. And what becomes of instances that follow the latest version.

use expect_test::expect;
use serde_json::{Value, json};
use std::fs;

use crate::client::MANAGEMENT;
use crate::host::Host;
use crate::production::{Production, Steps, dacapo, start_steps};

/// Deploys one after the other.
const DEPLOYS: u8 = 10;

/// Every second version has its steps reordered, and each has a component of its own.
fn version(number: u8) -> Steps {
    let steps = if number % 2 == 1 { Steps::before("") } else { Steps::after("") };
    Steps { version: format!("{number}.0.0"), stamp: number, ..steps }
}

fn output(number: u8) -> Value {
    match number % 2 {
        1 => json!(["painted before", "plastered before"]),
        _ => json!(["plastered after", "painted after"]),
    }
}

fn id(number: u8) -> String {
    format!("of-{number}")
}

/// Versions that are alive, as `version: running, why`, without the digests.
fn alive(app: &Value) -> Vec<String> {
    let versions = app["versions"].as_array().expect("a list").iter();
    let line = |version: &Value| {
        format!("{} ({}) {}", version["version"].as_str().expect("a text"), version["example"], version["why"])
    };
    let mut lines: Vec<String> = versions.map(line).collect();
    lines.sort();
    lines
}

#[test]
fn each_instance_ends_on_the_version_that_it_began_on() {
    let production = Production::new();
    let mut host = production.start();
    let mut digests = Vec::new();
    for number in 1..=DEPLOYS {
        let report = host.client().deploy(&version(number).pack());
        digests.push(report["digest"].clone());
        start_steps(&mut host, &id(number));
        if number == DEPLOYS / 2 {
            host.process.kill();
            host = production.start();
        }
    }
    // As many components as there are versions, and each version has its instance.
    let client = host.client();
    assert_eq!(production.kept_components("renovation"), usize::from(DEPLOYS));
    for (number, digest) in (1..=DEPLOYS).zip(&digests) {
        assert_eq!(client.explain(&id(number))["pinnedTo"], *digest);
    }
    let app = client.app("renovation");
    expect![[r#"
        1.0.0 ("of-1") "1 instance runs on it"
        10.0.0 ("of-10") "present"
        2.0.0 ("of-2") "1 instance runs on it"
        3.0.0 ("of-3") "1 instance runs on it"
        4.0.0 ("of-4") "1 instance runs on it"
        5.0.0 ("of-5") "1 instance runs on it"
        6.0.0 ("of-6") "1 instance runs on it"
        7.0.0 ("of-7") "1 instance runs on it"
        8.0.0 ("of-8") "1 instance runs on it"
        9.0.0 ("of-9") "1 instance runs on it""#]]
    .assert_eq(&alive(&app).join("\n"));
    assert_eq!(app["versions"][0]["present"], true);
    assert_eq!(app["versions"][0]["digest"], digests[9]);
    let shown = dacapo(["apps", "show", "renovation", "--url", host.origin(), "--key", production.master()]);
    assert!(shown.contains("1 instance runs on it") && shown.contains("of-7"), "{shown}");

    // The kill is for those that have no live guest any more.
    host.process.kill();
    let mut host = production.start();
    let client = host.client();
    for number in 1..=DEPLOYS {
        client.raise(&id(number), "Dry", &json!(null));
    }
    for number in 1..=DEPLOYS {
        assert_eq!(host.wait_for_end(&id(number))["output"], output(number), "instance {number}");
    }
    // Seconds after the last end, by itself and without a restart.
    host.look_until("older versions are removed", |_| (production.kept_components("renovation") == 1).then_some(()));
    expect![[r#"10.0.0 (null) "present""#]].assert_eq(&alive(&client.app("renovation")).join("\n"));
    // What can be gone back to is kept apart from that.
    assert_eq!(client.app("renovation")["deployments"].as_array().map(Vec::len), Some(usize::from(DEPLOYS)));
    client.deploy(&version(DEPLOYS + 1).pack());
    let deployments = fs::read_dir(production.app_folder("renovation").join("deployments")).expect("it is there");
    assert_eq!(deployments.count(), usize::from(DEPLOYS), "the oldest one is removed");
    host.stop();
}

#[test]
fn a_failed_instance_keeps_its_version_for_a_rewind() {
    let production = Production::new();
    let mut host = production.start();
    let client = host.client();
    client.deploy(&version(1).pack());
    start_steps(&mut host, "broken");
    // The payload is no null, so that the orchestrator fails.
    client.raise("broken", "Dry", &json!("soaked"));
    host.wait_for_status("broken", "Failed");
    client.deploy(&version(2).pack());
    expect![[r#"
        1.0.0 ("broken") "1 failed instance could be rewound"
        2.0.0 (null) "present""#]]
    .assert_eq(&alive(&client.app("renovation")).join("\n"));
    let execution = client.explain("broken")["executionId"].clone();
    client.tell("broken", "rewind").expect(202);
    let failed = host.look_until("it has failed again", |client| {
        let explanation = client.explain("broken");
        (explanation["executionId"] != execution && explanation["runtimeStatus"] == "Failed").then_some(explanation)
    });
    // The code of the other version would have departed.
    assert_eq!(failed["lastFailure"]["errorType"], "InvalidPayload", "{failed:#}");
    let purged = client.delete(&format!("{MANAGEMENT}/instances/broken")).expect(200);
    assert_eq!(purged.json()["instancesDeleted"], 1);
    host.look_until("its version is removed", |_| (production.kept_components("renovation") == 1).then_some(()));
    host.stop();
}

/// As the version before it, but for a new component.
fn following(steps: Steps, stamp: u8) -> Vec<u8> {
    Steps { versioning: "latest", stamp, ..steps }.pack()
}

#[test]
fn a_version_that_instances_would_depart_from_is_refused() {
    let production = Production::new();
    let mut host = production.start();
    let client = host.client();
    client.deploy(&following(Steps::before("1.0.0"), 0));
    for id in ["first", "second", "third"] {
        start_steps(&mut host, id);
    }
    let (app, before) = (client.app("renovation"), production.files());

    let reordered = following(Steps::after("2.0.0"), 0);
    let answer = client.try_deploy(&reordered).expect(409).json();
    expect![[r#"
        {
          "error": {
            "code": "InstancesDepart",
            "message": "3 of the 3 instances of 'renovation' that have not ended do not fit the new code, which they would go on with; keep the old steps in their order, let the instances end, or force it: then they fail when they go on",
            "problems": [
              "'Renovate', instance first, event 2, TaskScheduled 'Paint': a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'Paint', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'Plaster'",
              "'Renovate', instance second, event 2, TaskScheduled 'Paint': a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'Paint', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'Plaster'",
              "'Renovate', instance third, event 2, TaskScheduled 'Paint': a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'Paint', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'Plaster'"
            ]
          }
        }"#]]
    .assert_eq(&format!("{answer:#}"));
    assert_eq!(client.which(), "before");
    assert_eq!(client.app("renovation"), app);
    host.look_until("the refused version is removed", |_| (production.files() == before).then_some(()));
    let said = client.follow_deploy(&reordered).expect("the host answers").last().expect("a line");
    assert_eq!((&said["error"]["status"], &said["error"]["code"]), (&json!(409), &json!("InstancesDepart")));

    // The same steps in another component fit.
    let fitting = client.deploy(&following(Steps::before("1.1.0"), 1));
    assert_eq!(fitting["previous"]["version"], "1.0.0");
    client.raise("first", "Dry", &json!(null));
    assert_eq!(host.wait_for_end("first")["output"], json!(["painted before", "plastered before"]));

    // Whoever forces it knows what becomes of the others.
    client.force(&reordered);
    assert_eq!(client.which(), "after");
    client.raise("second", "Dry", &json!(null));
    let failed = host.wait_for_end("second");
    assert!(failed["output"].as_str().is_some_and(|output| output.contains("NonDeterministic")), "{failed:#}");
    // Going back is a deploy like any other: what has gone on in the new code would depart from the old one.
    start_steps(&mut host, "fourth");
    let back = client.post("/admin/apps/renovation/rollback", "").expect(409).json();
    assert_eq!(back["error"]["code"], "InstancesDepart", "{back:#}");
    let problems = back["error"]["problems"].to_string();
    assert!(problems.contains("fourth") && !problems.contains("third"), "{back:#}");
    client.post("/admin/apps/renovation/rollback?force=1", "").expect(200);
    client.raise("third", "Dry", &json!(null));
    assert_eq!(host.wait_for_end("third")["output"], json!(["painted before", "plastered before"]));
    host.stop();
}

/// Whoever changes from one way to the other.
#[test]
fn instances_that_are_pinned_stay_pinned_whatever_comes() {
    let production = Production::new();
    let mut host = production.start();
    host.client().deploy(&Steps::before("1.0.0").pack());
    start_steps(&mut host, "pinned");
    host.client().deploy(&following(Steps::after("2.0.0"), 0));
    start_steps(&mut host, "follows");
    finish_both(&mut host);
    host.stop();
}

fn finish_both(host: &mut Host) {
    for id in ["pinned", "follows"] {
        host.client().raise(id, "Dry", &json!(null));
    }
    assert_eq!(host.wait_for_end("pinned")["output"], json!(["painted before", "plastered before"]));
    assert_eq!(host.wait_for_end("follows")["output"], json!(["plastered after", "painted after"]));
}
