//! Deploys while the app is called, has messages to work on and instances under way: no request fails, no message is lost or
//! worked on twice, and no instance notices.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Scope;
use ureq::http::Method;

use crate::client::{Client, MANAGEMENT};
use crate::host::Host;
use crate::production::{Production, Steps};

/// Callers that call all the time, each over a connection of its own that stays open.
const CALLERS: usize = 4;

/// What callers got.
#[derive(Default)]
struct Load {
    ends: AtomicBool,
    calls: AtomicUsize,
}

/// What one caller got: how often each text with 200, and everything else.
#[derive(Default)]
struct Got {
    answers: BTreeMap<String, usize>,
    failed: Vec<String>,
}

impl Load {
    /// Calls `Which` until [`Load::end`].
    fn call(&self, client: &Client) -> Got {
        let mut got = Got::default();
        while !self.ends.load(Ordering::Relaxed) {
            match client.try_send(Method::GET, "/api/which", "") {
                Ok(answer) if answer.status == 200 => *got.answers.entry(answer.body).or_default() += 1,
                Ok(answer) => got.failed.push(format!("{answer:?}")),
                Err(error) => got.failed.push(error.to_string()),
            }
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        got
    }

    /// Begins to call from all callers.
    fn begin<'scope, 'env>(&'env self, scope: &'scope Scope<'scope, 'env>, host: &Host) -> Running<'scope> {
        let callers = (0..CALLERS).map(|_| {
            let client = host.client();
            scope.spawn(move || self.call(&client))
        });
        Running(callers.collect())
    }

    /// How many calls were answered so far.
    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

struct Running<'scope>(Vec<std::thread::ScopedJoinHandle<'scope, Got>>);

impl Running<'_> {
    /// Ends the calls: not one of them may have failed. How often each answer came.
    fn end(self, load: &Load) -> BTreeMap<String, usize> {
        load.ends.store(true, Ordering::Relaxed);
        let mut answers = BTreeMap::new();
        for caller in self.0 {
            let got = caller.join().expect("calling does not panic");
            assert_eq!(got.failed, [""; 0], "calls failed during a deploy");
            for (answer, count) in got.answers {
                *answers.entry(answer).or_default() += count;
            }
        }
        answers
    }
}

/// The app with a queue whose messages leave a row and an instance each, and a timer.
const JOBS: &str = r#"
[functions.Send]
component = "jobs"
trigger = { type = "httpTrigger", methods = ["post"], route = "send", authLevel = "anonymous" }
outputs.messages = { type = "queue", queueName = "jobs" }
[functions.DoJob]
component = "jobs"
trigger = { type = "queueTrigger", queueName = "jobs", batchSize = 4, newBatchThreshold = 4 }
outputs.row = { type = "table", tableName = "Jobs" }
outputs.start = { type = "durableClient" }
outputs."$return" = { type = "queue", queueName = "done" }
[functions.FollowUp]
component = "jobs"
trigger = { type = "orchestrationTrigger" }
[functions.Confirm]
component = "jobs"
trigger = { type = "activityTrigger" }
[functions.Tick]
component = "jobs"
trigger = { type = "timerTrigger", schedule = "* * * * * *" }
outputs."$return" = { type = "table", tableName = "Ticks" }
"#;

/// Deploys one after the other.
const DEPLOYS: usize = 10;

/// Sends jobs until the load ends; those that were acknowledged.
fn send_jobs(client: &Client, load: &Load) -> BTreeSet<String> {
    let mut sent = BTreeSet::new();
    while !load.ends.load(Ordering::Relaxed) {
        let id = format!("job-{}", sent.len());
        client.post("/api/send", &json!({ "id": id, "takesMs": 20 }).to_string()).expect(202);
        sent.insert(id);
    }
    sent
}

#[test]
fn ten_deploys_fail_no_request_and_lose_no_message() {
    // Nothing was compiled before, so that the second version is compiled under load.
    let production = Production::cold();
    let mut host = production.start();
    let versions = [Steps::before("1.0.0"), Steps::after("2.0.0")].map(|steps| Steps { more: JOBS, ..steps });
    let bundles = versions.map(|steps| steps.pack_with_jobs());
    host.client().deploy(&bundles[0]);
    let load = Load::default();
    let (answers, sent) = std::thread::scope(|scope| {
        let client = host.client();
        let running = load.begin(scope, &host);
        let jobs = scope.spawn({
            let client = client.clone();
            let load = &load;
            move || send_jobs(&client, load)
        });
        for number in 1..=DEPLOYS {
            let before = load.calls();
            let report = client.deploy(&bundles[number % 2]);
            // Whoever has the report gets the new version.
            assert_eq!(client.which(), ["before", "after"][number % 2], "deploy {number}");
            assert!(load.calls() > before, "nobody called during deploy {number}: {report}");
            host.process.wait_for("[invocation end] DoJob ");
        }
        (running.end(&load), jobs.join().expect("every job is taken"))
    });
    assert!(answers.keys().eq(["after", "before"]), "{answers:?}");
    println!("answered calls: {answers:?}; messages: {}", sent.len());
    check_jobs(&mut host, &sent);
    let log = host.stop();
    assert!(log.contains("[invocation end] Tick succeeded"), "the timer never ran");
    assert!(!log.contains(" failed in ") && !log.contains("warning: ") && !log.contains("error: "), "{log}");
}

/// Each message has started one instance. A second try of one would have failed at its row, which is told in the log.
fn check_jobs(host: &mut Host, sent: &BTreeSet<String>) {
    let jobs = host.look_until("every job has its instance", |client| {
        let all = client.get(&format!("{MANAGEMENT}/instances?top=100000&showInput=true")).expect(200).json();
        let all = all.as_array().expect("a list").clone();
        let ended = all.iter().filter(|status| status["runtimeStatus"] == "Completed").count();
        (ended >= sent.len()).then_some(all)
    });
    let inputs: Vec<&str> = jobs.iter().map(|status| status["input"].as_str().expect("the id of a job")).collect();
    assert_eq!(inputs.len(), sent.len(), "jobs were done twice");
    assert_eq!(inputs.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), *sent);
}

/// Instances that wait in the middle of the old code while the new code comes.
const WAITING: usize = 500;
/// Instances that begin afterwards.
const NEW: usize = 50;
/// Clients that start and steer them.
const CLIENTS: usize = 8;

/// Has so many clients do something for each of these ids.
fn for_each(client: &Client, ids: &[String], act: impl Fn(&Client, &str) + Sync) {
    std::thread::scope(|scope| {
        for ids in ids.chunks(ids.len().div_ceil(CLIENTS)) {
            let (client, act) = (client.clone(), &act);
            scope.spawn(move || ids.iter().for_each(|id| act(&client, id)));
        }
    });
}

/// Starts these and waits until each has done its first step.
fn start_all(host: &mut Host, ids: &[String]) {
    for_each(&host.client(), ids, |client, id| client.start_as("Renovate", id, &Value::Null));
    for _ in ids {
        host.process.wait_for("[invocation end] Paint succeeded");
    }
}

fn ids(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}-{number:03}")).collect()
}

#[test]
fn five_hundred_instances_end_in_the_old_order_and_new_ones_in_the_new() {
    let production = Production::new();
    let mut host = production.start();
    let client = host.client();
    let old_digest = client.deploy(&Steps::before("1.0.0").pack())["digest"].clone();
    let after = Steps::after("2.0.0").pack();
    let (old, new) = (ids("old", WAITING), ids("new", NEW));
    start_all(&mut host, &old);
    let load = Load::default();
    let answers = std::thread::scope(|scope| {
        let running = load.begin(scope, &host);
        let report = client.deploy(&after);
        assert_eq!(client.which(), "after", "{report}");
        let versions = client.app("renovation")["versions"].clone();
        assert_eq!((&versions[1]["digest"], &versions[1]["running"]), (&old_digest, &json!(WAITING)), "{versions:#}");
        for_each(&client, &new, |client, id| client.start_as("Renovate", id, &Value::Null));
        let all: Vec<String> = old.iter().chain(&new).cloned().collect();
        for_each(&client, &all, |client, id| client.raise(id, "Dry", &json!(null)));
        running.end(&load)
    });
    assert!(answers["before"] > 0 && answers["after"] > 0, "{answers:?}");
    println!("answered calls: {answers:?}");
    let open = format!("{MANAGEMENT}/instances?runtimeStatus=Running,Pending&top=1");
    host.look_until("every instance has ended", |client| {
        (client.get(&open).expect(200).json() == json!([])).then_some(())
    });
    let all = client.get(&format!("{MANAGEMENT}/instances?top=1000")).expect(200).json();
    let outputs: BTreeMap<&str, &Value> = all
        .as_array()
        .expect("a list")
        .iter()
        .map(|status| {
            assert_eq!(status["runtimeStatus"], "Completed", "{status:#}");
            (status["instanceId"].as_str().expect("an id"), &status["output"])
        })
        .collect();
    assert_eq!(outputs.len(), WAITING + NEW);
    for id in &old {
        assert_eq!(*outputs[id.as_str()], json!(["painted before", "plastered before"]), "{id}");
    }
    for id in &new {
        assert_eq!(*outputs[id.as_str()], json!(["plastered after", "painted after"]), "{id}");
    }
    host.look_until("the old version is removed", |client| {
        (client.app("renovation")["versions"].as_array().map(Vec::len) == Some(1)).then_some(())
    });
    host.stop();
}
