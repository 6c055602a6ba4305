//! A disk without room: the host refuses what it could not keep, keeps what it has acknowledged, and goes on by itself when there
//! is room again.
//!
//! The host is told to leave all but a part of the free space alone, and a file takes more than that part; so the volume is never
//! full for anybody else.

use serde_json::json;
use std::path::Path;
use std::process::Command;
use ureq::http::Method;

use super::storage_clients::connection_to;
use crate::account::Account;
use crate::client::MANAGEMENT;
use crate::host::Host;
use crate::samples;

const GIB: u64 = 1 << 30;

/// What the host may write. Others use the volume too, and may write this much before the test begins in earnest.
const FOR_THE_HOST: u64 = GIB;
/// What the file takes: as much again, so that others may also free something.
const FOR_THE_FILE: u64 = 2 * GIB;

/// The least that must be free for the test: the reserve is then still larger than anything that the file leaves.
const NEEDED: u64 = 4 * GIB;

/// How many bytes this process can write on the volume of a folder.
fn free_bytes(folder: &Path) -> u64 {
    let volume = rustix::fs::statvfs(folder).expect("the folder is there");
    volume.f_bavail * volume.f_frsize
}

#[test]
fn what_has_no_room_is_refused_until_there_is() {
    // Built before anything is measured: that takes room, too.
    artifacts::guest("queue-jobs");
    let data = tempfile::tempdir().expect("a temporary folder");
    let free = free_bytes(data.path());
    if free < NEEDED {
        println!(
            "skipped: {} GiB are free in {}, and the test needs {}",
            free / GIB,
            data.path().display(),
            NEEDED / GIB
        );
        return;
    }
    let manifest = samples::queue_jobs(
        "full-disk",
        &format!(
            "[host.storage]\nreservedDiskBytes = {}\n\
             [functions.FollowUp]\ntrigger = {{ type = \"orchestrationTrigger\" }}\n\
             [functions.Confirm]\ntrigger = {{ type = \"activityTrigger\" }}\n\
             [functions.Send]\ntrigger = {{ type = \"httpTrigger\", route = \"send\", authLevel = \"anonymous\" }}\n\
             outputs.messages = {{ type = \"queue\", queueName = \"incoming\" }}\n",
            free - FOR_THE_HOST
        ),
    );
    let mut host = Host::start_in(&data.path().join("data"), &manifest);
    let account = Account::new(&connection_to(&host));
    account.create_queue("incoming");
    account.put("incoming", "before");
    insert(&account, "before", 201);
    host.client().start_as("FollowUp", "before", &json!("before"));
    host.wait_for_end("before");

    let file = data.path().join("takes-all-the-room");
    fill(&file);
    let refused = host.client().post(&format!("{MANAGEMENT}/orchestrators/FollowUp/while"), "\"while\"");
    assert_eq!(refused.status, 503, "{refused:?}");
    host.process.wait_for("the disk is full: writes are refused until there is room again");
    let answer = account.try_put("incoming", "while").expect("the host is there");
    assert_eq!(answer.status, 503, "{answer:?}");
    insert(&account, "while", 503);
    let answer = host.client().post("/api/send", "while");
    assert_eq!(answer.status, 503, "{answer:?}");
    // What was there can be looked at.
    assert_eq!(account.texts("incoming"), ["before"]);
    assert_eq!(host.client().status("before")["output"], "before is confirmed");
    assert_eq!(host.client().find("top=10"), ["before"]);

    std::fs::remove_file(&file).expect("it can be removed");
    host.client().start_as("FollowUp", "after", &json!("after"));
    host.process.wait_for("there is room on the disk again: writes are taken");
    assert_eq!(host.wait_for_end("after")["output"], "after is confirmed");
    account.put("incoming", "after");
    insert(&account, "after", 201);
    check(&host, &account);
    host.stop();

    // And it is on the disk, nothing else.
    let host = Host::start_in(&data.path().join("data"), &manifest);
    check(&host, &Account::new(&connection_to(&host)));
    host.stop();
}

/// Inserts a row, which must be answered with this status; the table is made with the first.
fn insert(account: &Account, key: &str, status: u16) {
    if account.rows("Things").is_empty() {
        account.ask_tables(Method::POST, "/Tables", r#"{"TableName":"Things"}"#);
    }
    let row = json!({ "PartitionKey": "things", "RowKey": key }).to_string();
    account.ask_tables(Method::POST, "/Things", &row).expect(status);
}

/// What was acknowledged is there, and nothing that was refused.
fn check(host: &Host, account: &Account) {
    assert_eq!(account.texts("incoming"), ["after", "before"]);
    let rows = account.rows("Things");
    let keys: Vec<&str> = rows.iter().filter_map(|row| row["RowKey"].as_str()).collect();
    assert_eq!(keys, ["after", "before"]);
    let mut instances = host.client().find("top=10");
    instances.sort_unstable();
    assert_eq!(instances, ["after", "before"]);
}

/// Makes a file that takes more room than the host may use.
fn fill(file: &Path) {
    let mut command = Command::new("fallocate");
    let status = command.arg("--length").arg(FOR_THE_FILE.to_string()).arg(file).status();
    let status = status.expect("fallocate is part of every Linux");
    assert!(status.success(), "{command:?}: {status}");
}
