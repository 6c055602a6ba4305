//! SIGKILL again and again under several hundred messages: what each brings about is there exactly once, and no message that was
//! acknowledged is lost.
//!
//! The host is killed after a number of messages that it reports as worked on, so the moments vary and the test does not depend
//! on the speed of the machine. More messages are sent in each life, so that kills hit sending too: such a message was not
//! acknowledged and may be there or not, but if it is, its effects are, all of them and once.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::storage_clients::connection_to;
use crate::account::Account;
use crate::client::{Client, MANAGEMENT};
use crate::host::Host;
use crate::samples;

/// After how many messages each life of the host ends: together less than half of what is sent before the first kill.
const LIVES: [usize; 8] = [20, 1, 35, 8, 3, 40, 15, 12];

/// Messages that are acknowledged before the first kill.
const MESSAGES: usize = 400;
/// Clients that send them at the same time.
const CLIENTS: usize = 8;
/// Messages that each life is sent besides, until it ends.
const MORE_MESSAGES: usize = 1_000;

/// How long a message takes, in milliseconds, between its first output and its last: the host is most likely to die there.
const TAKES_MS: u32 = 40;

/// What is in the log when a message has come to its end.
const DONE: &str = "[invocation end] DoJob ";

/// Eight messages at a time. A message that is held by a dying host has been received: that is no reason to give it up.
fn manifest() -> PathBuf {
    samples::queue_jobs(
        "killed",
        r#"
[functions.DoJob]
trigger = { type = "queueTrigger", queueName = "jobs", batchSize = 4, newBatchThreshold = 4, maxDequeueCount = 100 }
outputs.row = { type = "table", tableName = "Jobs" }
outputs.start = { type = "durableClient" }
outputs."$return" = { type = "queue", queueName = "done" }
[functions.FollowUp]
trigger = { type = "orchestrationTrigger" }
[functions.Confirm]
trigger = { type = "activityTrigger" }
"#,
    )
}

fn start(data: &Path, manifest: &Path) -> (Host, Account) {
    let host = Host::start_in(data, manifest);
    let account = Account::new(&connection_to(&host));
    (host, account)
}

/// Sends so many jobs until the host is gone, and answers those that it acknowledged.
fn send(account: &Account, name: &str, count: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0..count {
        let id = format!("{name}-{number}");
        let job = json!({ "id": id, "takesMs": TAKES_MS }).to_string();
        match account.try_put("jobs", &job) {
            Ok(answer) => {
                answer.expect(201);
                acknowledged.push(id);
            }
            Err(_killed) => break,
        }
    }
    acknowledged
}

fn send_all(account: &Account) -> Vec<String> {
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| scope.spawn(move || send(account, &format!("client-{number}"), MESSAGES / CLIENTS)))
            .collect();
        clients.into_iter().flat_map(|client| client.join().expect("sending does not panic")).collect()
    })
}

#[test]
fn every_message_has_its_effects_exactly_once() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let manifest = manifest();
    let mut acknowledged = BTreeSet::new();
    for (life, messages) in LIVES.into_iter().enumerate() {
        let (mut host, account) = start(data.path(), &manifest);
        if life == 0 {
            account.create_queue("jobs");
            acknowledged.extend(send_all(&account));
            assert_eq!(acknowledged.len(), MESSAGES, "a host that is not killed acknowledges every message");
        }
        std::thread::scope(|scope| {
            let sent = scope.spawn(|| send(&account, &format!("life-{life}"), MORE_MESSAGES));
            for _ in 0..messages {
                host.process.wait_for(DONE);
            }
            host.process.kill();
            acknowledged.extend(sent.join().expect("sending does not panic"));
        });
    }

    let (mut host, account) = start(data.path(), &manifest);
    // The kills did not come too late: something was left.
    host.process.wait_for(DONE);
    host.look_until("no message is left", |_| (account.count("jobs") == 0).then_some(()));
    let open = format!("{MANAGEMENT}/instances?runtimeStatus=Running,Pending&top=1&showInput=false");
    host.look_until("every orchestration has ended", |client| {
        (client.get(&open).expect(200).json() == json!([])).then_some(())
    });
    check(&host.client(), &account, &acknowledged);
    host.stop();
}

fn check(client: &Client, account: &Account, acknowledged: &BTreeSet<String>) {
    let rows = account.rows("Jobs");
    let again = rows.iter().filter(|row| row["Tries"].as_u64() > Some(1)).count();
    assert!(again >= LIVES.len() / 2, "the kills hit no work: {again} messages were tried again");
    let rows = ids(&rows);
    for id in acknowledged {
        assert!(rows.contains(id), "{id} was acknowledged and is lost");
    }
    let expected: Vec<String> = rows.into_iter().collect();
    assert_eq!(account.take_all("done"), expected, "messages that went out");
    assert_eq!(started(client), expected, "orchestrations");
    assert_eq!(account.count("jobs-poison"), 0);
}

/// The jobs that have a row. A row that is there cannot be inserted again; the job would be in the poison queue.
fn ids(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| row["RowKey"].as_str().expect("a text").to_owned()).collect()
}

/// The jobs that orchestrations were started for, sorted; each as often as it was.
fn started(client: &Client) -> Vec<String> {
    let all = client.get(&format!("{MANAGEMENT}/instances?top=10000")).expect(200).json();
    let mut jobs = Vec::new();
    for status in all.as_array().expect("a list") {
        assert_eq!(status["runtimeStatus"], "Completed", "{status:#}");
        let job = status["input"].as_str().unwrap_or_else(|| panic!("no input: {status:#}")).to_owned();
        assert_eq!(status["output"], format!("{job} is confirmed"));
        jobs.push(job);
    }
    jobs.sort_unstable();
    jobs
}
