//! Starting: by key and by id in a race, for later, with versions and tags.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use ureq::http::Method;

use crate::client::{Answer, Client, MANAGEMENT};
use crate::host::{Host, with_app};
use crate::samples;

const RACERS: usize = 20;

fn with_model(test: impl FnOnce(&mut Host)) {
    with_app(&samples::manifest("durable-model"), test);
}

/// Sends the same start from many clients at the same time, each with connections of its own.
fn race(host: &Host, path: &str, headers: &[(&str, &str)]) -> Vec<Answer> {
    let barrier = std::sync::Barrier::new(RACERS);
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS)
            .map(|number| {
                let (client, barrier) = (Client::new(host.origin()), &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    client.try_send_with(Method::POST, path, headers, &number.to_string()).expect("the host answers")
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().expect("a racer does not panic")).collect()
    })
}

#[test]
fn starts_with_one_key_are_one_start() {
    with_model(|host| {
        let client = host.client();
        let key = [("idempotency-key", "order-7")];
        for (number, path) in
            [format!("{MANAGEMENT}/orchestrators/WaitForApproval"), "/api/start/Echo".to_owned()].iter().enumerate()
        {
            // The key is the orchestrator's, whoever starts it: another orchestrator needs another key.
            let key = [("idempotency-key", ["order-7", "order-8"][number])];
            let ids: BTreeSet<String> = race(host, path, &key)
                .into_iter()
                .map(|answer| answer.expect(202).json()["id"].as_str().expect("an id").to_owned())
                .collect();
            assert_eq!(ids.len(), 1, "{path}: {ids:?}");
            assert_eq!(client.find("top=100").len(), number + 1);
        }
        let other = format!("{MANAGEMENT}/orchestrators/Echo");
        let refused = client.try_send_with(Method::POST, &other, &key, "1").expect("the host answers").expect(400);
        assert!(refused.body.contains("'order-7' was used to start the orchestrator 'WaitForApproval'"), "{refused:?}");
        assert_eq!(client.find("top=100").len(), 2);
    });
}

#[test]
fn of_starts_with_one_id_exactly_one_wins() {
    with_model(|host| {
        for id in ["first", "second"] {
            let answers = race(host, &format!("{MANAGEMENT}/orchestrators/WaitForApproval/{id}"), &[]);
            let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            statuses.sort_unstable();
            let mut expected = vec![500; RACERS];
            expected[0] = 202;
            assert_eq!(statuses, expected);
            for refused in answers.iter().filter(|answer| answer.status == 500) {
                let message = refused.json()["ExceptionMessage"].clone();
                assert!(message.as_str().is_some_and(|text| text.contains("already exists")), "{refused:?}");
            }
        }
    });
}

#[test]
fn a_start_for_later_is_pending_until_then() {
    with_model(|host| {
        let client = host.client();
        let later = "startAt=2099-01-01T00:00:00Z";
        client.post(&format!("/api/start/Echo?instanceId=later&{later}"), "7").expect(202);
        client.post(&format!("{MANAGEMENT}/orchestrators/Echo/never?{later}"), "7").expect(202);
        client.post(&format!("{MANAGEMENT}/orchestrators/Echo/past?startAt=2001-01-01T00:00:00Z"), "7").expect(202);
        assert_eq!(host.wait_for_end("past")["output"], 7);
        for id in ["later", "never"] {
            let explanation = client.explain(id);
            assert_eq!(explanation["runtimeStatus"], "Pending", "{explanation:#}");
            assert_eq!(explanation["summary"], "Starts at 2099-01-01T00:00:00.0000000Z.", "{explanation:#}");
        }
        client.tell("never", "terminate?reason=enough").expect(202);
        let ended = host.wait_for_end("never");
        assert_eq!((&ended["runtimeStatus"], &ended["output"]), (&json!("Terminated"), &json!("enough")));
        assert_eq!(client.status("later")["runtimeStatus"], "Pending");
        client.post(&format!("{MANAGEMENT}/orchestrators/Echo?startAt=soon"), "7").expect(400);
    });
}

#[test]
fn a_start_for_later_survives_a_kill() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let manifest = samples::manifest("durable-model");
    let mut host = Host::start_in(data.path(), &manifest);
    // In how long, told by the host's own clock: it says when the entity was signalled last.
    let now = moment(&mut host);
    let soon = format!("{MANAGEMENT}/orchestrators/Echo/soon?startAt={now}");
    let later = format!("{MANAGEMENT}/orchestrators/Echo/later?startAt=2099-01-01T00:00:00Z");
    for path in [soon, later] {
        host.client().post(&path, "7").expect(202);
    }
    host.process.kill();
    let mut host = Host::start_in(data.path(), &manifest);
    assert_eq!(host.wait_for_end("soon")["output"], 7);
    assert_eq!(host.client().status("later")["runtimeStatus"], "Pending");
    host.stop();
}

/// The host's present time, to the second.
fn moment(host: &mut Host) -> String {
    host.client().signal("Counter/clock", "add", &json!(1));
    host.wait_for_entity("Counter/clock", Some(&json!({ "value": 1 })));
    let listed = host.client().get(&format!("{MANAGEMENT}/entities/Counter")).expect(200).json();
    listed[0]["lastOperationTime"].as_str().expect("a moment").to_owned()
}

#[test]
fn versions_and_tags_are_kept_and_looked_for() {
    with_model(|host| {
        let client = host.client();
        let about = client.outcome("AboutMe", &json!(true));
        assert_eq!((&about["version"], &about["child"]["tags"]), (&json!("2.0.0"), &json!({ "child": "yes" })));
        let old = format!("{MANAGEMENT}/orchestrators/Upgrade/old?version=1.0.0&tag=kind=test&tag=customer=ada");
        client.post(&old, "0").expect(202);
        assert_eq!(host.wait_for_end("old")["output"], "at 2.0.0 after 1 generations");
        assert_eq!(client.explain("old")["version"], "2.0.0");

        client.post("/api/start/Echo?instanceId=e1&tag=customer=ada&tag=kind=order", "7").expect(202);
        host.wait_for_end("e1");
        for (query, expected) in [
            ("tag=customer=ada", vec!["e1", "old"]),
            ("tag=customer=ada&tag=kind=order", vec!["e1"]),
            ("tag=customer=ada&tag=kind=none", vec![]),
            ("tag=child=yes&runtimeStatus=Running", vec![]),
        ] {
            assert_eq!(client.find(query), expected, "{query}");
        }
        let found = client.get("/api/tagged/customer/ada").expect(200).json();
        let ids: Vec<&Value> = found.as_array().expect("a list").iter().map(|found| &found["id"]).collect();
        assert_eq!(ids, ["e1", "old"]);
    });
}

#[test]
fn a_version_that_the_app_does_not_run_waits_or_fails() {
    let start = format!("{MANAGEMENT}/orchestrators/Echo/newer?version=3.0.0");
    with_model(|host| {
        let client = host.client();
        client.post(&start, "7").expect(202);
        let explanation = host.look_until("it is held back", |client| {
            let explanation = client.explain("newer");
            (explanation["waitingFor"][0]["kind"] == "Version").then_some(explanation)
        });
        assert_eq!(explanation["runtimeStatus"], "Pending", "{explanation:#}");
        client.tell("newer", "terminate").expect(202);
        host.wait_for_status("newer", "Terminated");
    });
    let strict = samples::variant("durable-model", "failing", "versionFailureStrategy = \"Fail\"");
    with_app(&strict, |host| {
        host.client().post(&start, "7").expect(202);
        let failed = host.wait_for_status("newer", "Failed");
        assert!(failed["output"].as_str().is_some_and(|text| text.contains("VersionMismatch")), "{failed:#}");
    });
}
