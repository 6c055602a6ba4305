//! Bindings that cannot do what they are told: the invocation fails with a text that says which and why, and nothing of it goes
//! out.

use expect_test::expect;
use serde_json::json;

use super::storage_clients::connection_to;
use crate::account::Account;
use crate::host::Host;
use crate::samples;

/// Starts an app in memory, puts a message into `in`, and waits until it is in the poison queue. Answers the account, and what
/// was said about the last try.
fn give_up(name: &str, functions: &str, message: &str, check: impl FnOnce(&Account)) -> String {
    let mut host = Host::start(&samples::queue_jobs(name, functions), ["--ephemeral"]);
    let account = Account::new(&connection_to(&host));
    account.create_queue("incoming");
    account.put("incoming", message);
    host.look_until("the message is given up", |_| (account.texts("incoming-poison") == [message]).then_some(()));
    assert_eq!(account.count("incoming"), 0);
    check(&account);
    let output = host.stop();
    let failed = output.lines().rfind(|line| line.contains("[invocation end]") && line.contains(" failed in "));
    let (_, error) = failed.and_then(|line| line.split_once("): ")).expect("it says why");
    error.to_owned()
}

#[test]
fn an_expression_without_a_value_is_named() {
    let functions = r#"
[functions.Echo]
trigger = { type = "queueTrigger", queueName = "incoming", maxDequeueCount = 2 }
outputs."$return" = { type = "table", tableName = "Echoes", partitionKey = "{conference}", rowKey = "{id}" }
"#;
    let error = give_up("no-value", functions, r#"{"city":"Oslo"}"#, |account| {
        assert!(account.rows("Echoes").is_empty());
    });
    expect!["binding '$return': the binding expression '{conference}' cannot be filled in: {conference}: there is no `conference`; there is: queueTrigger, id, dequeueCount, insertionTime, expirationTime, nextVisibleTime, popReceipt, city"].assert_eq(&error);
}

#[test]
fn expressions_are_filled_in_from_the_message_and_its_surroundings() {
    let manifest = samples::queue_jobs(
        "filled-in",
        r#"
[functions.Echo]
trigger = { type = "queueTrigger", queueName = "incoming" }
outputs."$return" = { type = "table", tableName = "%KIND%Echoes", partitionKey = "{sys.methodname}-{dequeueCount}", rowKey = "{trip.id}-{conference}" }
"#,
    );
    let mut host = Host::start_with(&manifest, ["--ephemeral"], &[("KIND", "Trip")]);
    let account = Account::new(&connection_to(&host));
    account.create_queue("incoming");
    account.put("incoming", r#"{"conference":"RustConf","trip":{"id":7}}"#);
    let rows = host.look_until("there is a row", |_| Some(account.rows("TripEchoes")).filter(|rows| !rows.is_empty()));
    assert_eq!(
        json!(rows),
        json!([{
            "PartitionKey": "Echo-1",
            "RowKey": "7-RustConf",
            "text": r#"{"conference":"RustConf","trip":{"id":7}}"#,
            "dequeueCount": 1
        }])
    );
    host.stop();
}

#[test]
fn a_message_that_is_too_large_keeps_everything_else_back() {
    let functions = r#"
[functions.Inflate]
trigger = { type = "queueTrigger", queueName = "incoming", maxDequeueCount = 2 }
outputs.row = { type = "table", tableName = "Attempts" }
outputs."$return" = { type = "queue", queueName = "out" }
"#;
    let error = give_up("too-large", functions, "65537", |account| {
        assert!(account.rows("Attempts").is_empty());
        assert_eq!(account.count("out"), 0);
    });
    expect![[r#"output '$return' does not take the value "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: the message takes 65537 bytes as it is written into the queue; at most 65536 are allowed"#]].assert_eq(&error);
}

#[test]
fn a_row_that_is_there_keeps_everything_else_back() {
    let functions = r#"
[functions.DoJob]
trigger = { type = "queueTrigger", queueName = "incoming", maxDequeueCount = 2 }
outputs.row = { type = "table", tableName = "Jobs" }
outputs.start = { type = "durableClient" }
outputs."$return" = { type = "queue", queueName = "out" }
[functions.FollowUp]
trigger = { type = "orchestrationTrigger" }
[functions.Confirm]
trigger = { type = "activityTrigger" }
"#;
    let mut host = Host::start(&samples::queue_jobs("taken", functions), ["--ephemeral"]);
    let account = Account::new(&connection_to(&host));
    account.create_queue("incoming");
    account.put("incoming", r#"{"id":"7"}"#);
    host.look_until("the job is done", |_| (account.texts("out") == ["7"]).then_some(()));
    account.put("incoming", r#"{"id":"7","takesMs":1}"#);
    host.look_until("the second one is given up", |_| (account.count("incoming-poison") == 1).then_some(()));
    assert_eq!(json!(account.rows("Jobs")), json!([{ "PartitionKey": "jobs", "RowKey": "7", "Tries": 1 }]));
    assert_eq!(account.texts("out"), ["7"]);
    let started = host.client().find("top=10");
    assert_eq!(started.len(), 1);
    assert_eq!(host.wait_for_end(&started[0])["output"], "7 is confirmed");
    let output = host.stop();
    let why = "the table 'Jobs' refused an entity: operation 0: an entity of that key exists already";
    assert_eq!(output.matches("[invocation end] DoJob failed in ").count(), 2, "{output}");
    assert_eq!(output.matches(&format!("): {why}\n")).count(), 2, "{output}");
}
