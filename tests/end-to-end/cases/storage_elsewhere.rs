//! Queues and tables of another account: messages are looked for there, and what comes of them goes there, first the effects and
//! then the deletion.

use expect_test::expect;
use serde_json::json;

use super::storage_clients::{azurite, connection_to, storage_host};
use crate::account::Account;
use crate::host::{Host, refused};
use crate::samples;

const FUNCTIONS: &str = r#"
[host.queues]
maxPollingInterval = "100ms"
maxDequeueCount = 2
[functions.DoJob]
trigger = { type = "queueTrigger", queueName = "jobs", connection = "Elsewhere" }
outputs.row = { type = "table", tableName = "Jobs", connection = "Elsewhere" }
outputs.start = { type = "durableClient" }
outputs."$return" = { type = "queue", queueName = "done", connection = "Elsewhere" }
[functions.FollowUp]
trigger = { type = "orchestrationTrigger" }
[functions.Confirm]
trigger = { type = "activityTrigger" }
[functions.Echo]
trigger = { type = "queueTrigger", queueName = "done", connection = "Elsewhere" }
outputs."$return" = { type = "table", tableName = "Echoes", partitionKey = "echoes", rowKey = "{queueTrigger}" }
"#;

/// Runs jobs whose queue is in another account.
fn check(name: &str, connection: &str) {
    let settings = [("AzureWebJobsElsewhere", connection)];
    let mut host = Host::start_with(&samples::queue_jobs(name, FUNCTIONS), ["--ephemeral"], &settings);
    let (here, there) = (Account::new(&connection_to(&host)), Account::new(connection));
    there.create_queue("jobs");
    for text in [r#"{"id":"one"}"#, "none", r#"{"id":"two"}"#] {
        there.put("jobs", text);
    }
    // From there to here, by way of a queue that is there.
    let echoes =
        host.look_until("both jobs have come here", |_| Some(here.rows("Echoes")).filter(|rows| rows.len() == 2));
    let keys: Vec<&str> = echoes.iter().filter_map(|row| row["RowKey"].as_str()).collect();
    assert_eq!(keys, ["one", "two"], "{echoes:?}");
    assert_eq!(
        json!(there.rows("Jobs")),
        json!([{ "PartitionKey": "jobs", "RowKey": "one", "Tries": 1 }, { "PartitionKey": "jobs", "RowKey": "two", "Tries": 1 }])
    );
    host.look_until("what is no job is given up", |_| (there.texts("jobs-poison") == ["none"]).then_some(()));
    host.look_until("all that was worked on is gone", |_| {
        (there.count("jobs") + there.count("done") == 0).then_some(())
    });
    for id in host.client().find("top=10") {
        assert_eq!(host.wait_for_end(&id)["runtimeStatus"], "Completed");
    }
    assert_eq!(host.client().find("top=10").len(), 2);
    assert!(here.rows("Jobs").is_empty() && here.count("jobs") == 0 && there.rows("Echoes").is_empty());
    host.stop();
}

#[test]
fn in_azurite() {
    let (_azurite, connection) = azurite();
    check("jobs-in-azurite", &connection);
}

#[test]
fn in_another_host() {
    let (host, connection) = storage_host();
    check("jobs-in-another-host", &connection);
    host.stop();
}

#[test]
fn an_account_that_cannot_be_used_is_an_error_at_load() {
    let manifest = samples::queue_jobs("nowhere", FUNCTIONS);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let copy = folder.path().join("app.toml");
    std::fs::copy(&manifest, &copy).expect("it can be copied");
    std::fs::write(
        folder.path().join("local.settings.toml"),
        "[values]\nElsewhere = 'AccountName=me;QueueEndpoint=http://127.0.0.1:1/me'\n",
    )
    .expect("it can be written");
    let (code, output) =
        refused([copy.as_os_str(), "--ephemeral".as_ref(), "--no-build".as_ref(), "--port".as_ref(), "0".as_ref()]);
    expect![[r#"
        exit code 3
        error: the app has a problem
        the connection 'Elsewhere' of DoJob, Echo: the app setting 'Elsewhere': the connection string has no AccountKey (or SharedAccessSignature); it has AccountName, QueueEndpoint
    "#]].assert_eq(&format!("exit code {code}\n{}", output.replace(&folder.path().display().to_string(), "<folder>")));
}
