//! The queue trigger: what comes in from which client, how often a message is tried and where it ends, and what holds it back.

use expect_test::{Expect, expect};
use std::path::Path;

use super::storage_clients::{connection_to, run_client};
use crate::account::{Account, Message};
use crate::host::{Host, refused};
use crate::samples;

/// A host in memory, and its queues and tables.
fn with_account(manifest: &Path, settings: &[(&str, &str)], test: impl FnOnce(&mut Host, &Account)) -> String {
    let mut host = Host::start_with(manifest, ["--ephemeral"], settings);
    let account = Account::new(&connection_to(&host));
    test(&mut host, &account);
    host.stop()
}

/// Waits until a queue shows so many messages, and answers them.
fn wait_for_messages(host: &mut Host, account: &Account, queue: &str, count: usize) -> Vec<Message> {
    host.look_until(&format!("{count} messages in {queue}"), |_| {
        let messages = account.peek(queue);
        assert!(messages.len() <= count, "too many messages in {queue}: {messages:?}");
        (messages.len() == count).then_some(messages)
    })
}

fn check(messages: &[Message], expected: &Expect) {
    let lines: Vec<&str> = messages.iter().map(|message| message.text.as_str()).collect();
    expected.assert_eq(&lines.join("\n"));
}

/// Why invocations failed, in the order of the log.
fn failures(output: &str) -> Vec<&str> {
    let ends = output.lines().filter(|line| line.contains("[invocation end] "));
    ends.filter_map(|line| Some(line.split_once(" failed in ")?.1.split_once("): ")?.1)).collect()
}

#[test]
fn messages_come_from_every_kind_of_client() {
    let manifest = samples::queue_jobs(
        "every-client",
        r#"
[functions.Echo]
trigger = { type = "queueTrigger", queueName = "incoming" }
outputs."$return" = { type = "queue", queueName = "out" }
[functions.Send]
trigger = { type = "httpTrigger", methods = ["post"], route = "send", authLevel = "anonymous" }
outputs.messages = { type = "queue", queueName = "incoming" }
"#,
    );
    with_account(&manifest, &[], |host, account| {
        account.create_queue("incoming");
        account.put("incoming", "by plain HTTP");
        host.client().post("/api/send", "by a function").expect(202);
        // The host waits for messages all this time: each is worked on when it comes, without a look into the queue.
        for (number, encoding) in ["text", "base64"].into_iter().enumerate() {
            run_client("send.py", &[&connection_to(host), "incoming", &format!("by the SDK as {encoding}"), encoding]);
            wait_for_messages(host, account, "out", 3 + number);
        }
        let messages = wait_for_messages(host, account, "out", 4);
        check(
            &messages,
            &expect![[r#"
                {"text":"by a function","dequeueCount":1}
                {"text":"by plain HTTP","dequeueCount":1}
                {"text":"by the SDK as base64","dequeueCount":1}
                {"text":"by the SDK as text","dequeueCount":1}"#]],
        );
        assert_eq!((account.count("incoming"), account.count("incoming-poison")), (0, 0));
    });
}

#[test]
fn one_message_after_the_other_is_worked_on_at_once() {
    let manifest = samples::queue_jobs(
        "at-once",
        r#"
[functions.Echo]
trigger = { type = "queueTrigger", queueName = "incoming", batchSize = 1, newBatchThreshold = 0, maxPollingInterval = "1d" }
outputs."$return" = { type = "queue", queueName = "out" }
"#,
    );
    with_account(&manifest, &[], |host, account| {
        account.create_queue("incoming");
        // Looking again and again with growing pauses would take hours: the queue is empty before each of them.
        for number in 0..30 {
            account.put("incoming", &number.to_string());
            host.process.wait_for("[invocation end] Echo ");
        }
        wait_for_messages(host, account, "out", 30);
    });
}

#[test]
fn texts_are_read_as_the_manifest_says() {
    let function = |encoding: &str| {
        format!(
            r#"
[functions.Echo-{encoding}]
entryPoint = "Echo"
trigger = {{ type = "queueTrigger", queueName = "{encoding}", messageEncoding = "{encoding}" }}
outputs."$return" = {{ type = "queue", queueName = "{encoding}-out" }}
"#
        )
    };
    let encodings = ["auto", "base64", "none"];
    let manifest = samples::queue_jobs("encodings", &encodings.map(function).concat());
    with_account(&manifest, &[], |host, account| {
        let mut table = String::new();
        for encoding in encodings {
            account.create_queue(encoding);
            let out = format!("{encoding}-out");
            // A text; the base64 of one; of no text; and what could be base64 if it were longer.
            for text in ["zwölf <Züge> & 🚂", "aGVsbG8=", "/////w==", "abc"] {
                account.put(encoding, text);
            }
            host.look_until(&format!("all messages of {encoding} are worked on"), |_| {
                let ends = account.peek(&out).len() + account.peek(&format!("{encoding}-poison")).len();
                (ends == 4).then_some(())
            });
            for (queue, name) in [(out, "worked on"), (format!("{encoding}-poison"), "poison")] {
                for text in account.texts(&queue) {
                    table.push_str(&format!("{encoding} {name}: {text}\n"));
                }
            }
        }
        expect![[r#"
            auto worked on: {"text":"/////w==","dequeueCount":1}
            auto worked on: {"text":"abc","dequeueCount":1}
            auto worked on: {"text":"hello","dequeueCount":1}
            auto worked on: {"text":"zwölf <Züge> & 🚂","dequeueCount":1}
            base64 worked on: {"text":"hello","dequeueCount":1}
            base64 poison: /////w==
            base64 poison: abc
            base64 poison: zwölf <Züge> & 🚂
            none worked on: {"text":"/////w==","dequeueCount":1}
            none worked on: {"text":"aGVsbG8=","dequeueCount":1}
            none worked on: {"text":"abc","dequeueCount":1}
            none worked on: {"text":"zwölf <Züge> & 🚂","dequeueCount":1}
        "#]]
        .assert_eq(&table);
    });
}

#[test]
fn a_message_that_fails_again_and_again_ends_in_the_poison_queue() {
    let manifest = samples::queue_jobs(
        "poison",
        r#"
[functions.Stumble]
trigger = { type = "queueTrigger", queueName = "incoming", maxDequeueCount = 3 }
outputs."$return" = { type = "queue", queueName = "out" }
"#,
    );
    let output = with_account(&manifest, &[], |host, account| {
        account.create_queue("incoming");
        // {"failures":9} in base64, which stays as it was sent; two tries that fail are one less than three; and no stone.
        for text in ["eyJmYWlsdXJlcyI6OX0=", r#"{"failures":2}"#, "pebble"] {
            account.put("incoming", text);
        }
        check(
            &wait_for_messages(host, account, "incoming-poison", 2),
            &expect![[r#"
                eyJmYWlsdXJlcyI6OX0=
                pebble"#]],
        );
        check(
            &wait_for_messages(host, account, "out", 1),
            &expect![[r#"{"text":"{\"failures\":2}","dequeueCount":3}"#]],
        );
        assert_eq!(account.count("incoming"), 0);
    });
    let mut failures = failures(&output);
    failures.sort_unstable();
    expect![[r#"
        InvalidPayload: the message for Stumble is not a Stone: expected value at line 1 column 1
        Stumbled: stumbled at try 1; retry 0 of none
        Stumbled: stumbled at try 1; retry 0 of none
        Stumbled: stumbled at try 2; retry 0 of none
        Stumbled: stumbled at try 2; retry 0 of none
        Stumbled: stumbled at try 3; retry 0 of none"#]]
    .assert_eq(&failures.join("\n"));
}

#[test]
fn tries_of_a_retry_policy_are_counted_over_a_kill() {
    let manifest = samples::queue_jobs(
        "retries",
        r#"
[functions.Stumble]
trigger = { type = "queueTrigger", queueName = "incoming", maxDequeueCount = 2 }
retry = { strategy = "exponentialBackoff", maxRetryCount = 6, minimumInterval = "20ms", maximumInterval = "80ms" }
"#,
    );
    let data = tempfile::tempdir().expect("a temporary folder");
    let mut tries: Vec<u32> = Vec::new();
    let number = |line: &str| -> u32 {
        let (_, behind) = line.split_once("stumbled at try ").expect("it says which try");
        let (number, rest) = behind.split_once(';').expect("and of what");
        let number = number.parse().expect("a number");
        assert!(rest.starts_with(&format!(" retry {} of 6", number - 1)), "{line}");
        number
    };

    let mut host = Host::start_in(data.path(), &manifest);
    let account = Account::new(&connection_to(&host));
    account.create_queue("incoming");
    account.put("incoming", r#"{"failures":99}"#);
    while tries.last() != Some(&3) {
        tries.push(number(&host.process.wait_for_line(" failed in ")));
    }
    host.process.kill();

    let mut host = Host::start_in(data.path(), &manifest);
    let account = Account::new(&connection_to(&host));
    while tries.last() != Some(&7) {
        tries.push(number(&host.process.wait_for_line(" failed in ")));
    }
    check(&wait_for_messages(&mut host, &account, "incoming-poison", 1), &expect![[r#"{"failures":99}"#]]);
    assert_eq!(account.count("incoming"), 0);
    host.stop();
    // What the kill interrupted was a try, too: it counts, but nobody was there to tell about it.
    let gaps = tries.windows(2).map(|pair| pair[1].checked_sub(pair[0] + 1).expect("no try comes twice"));
    assert!(tries[0] == 1 && gaps.sum::<u32>() <= 2, "{tries:?}");
}

#[test]
fn no_more_messages_are_worked_on_at_a_time_than_the_function_allows() {
    let manifest = samples::queue_jobs(
        "two-at-a-time",
        r#"
[functions.Tarry]
trigger = { type = "queueTrigger", queueName = "incoming" }
maxConcurrency = 2
"#,
    );
    let output = with_account(&manifest, &[], |host, account| {
        account.create_queue("incoming");
        for _ in 0..12 {
            account.put("incoming", "30");
        }
        host.look_until("all are worked on", |_| (account.count("incoming") == 0).then_some(()));
    });
    let (mut at_work, mut most, mut ended) = (0, 0, 0);
    for line in output.lines() {
        if line.contains("[invocation start] Tarry ") {
            at_work += 1;
            most = at_work.max(most);
        } else if line.contains("[invocation end] Tarry ") {
            at_work -= 1;
            ended += 1;
        }
    }
    assert_eq!((most, ended), (2, 12), "{output}");
}

#[test]
fn a_function_that_takes_too_long_is_stopped_and_its_message_comes_back() {
    let manifest = samples::queue_jobs(
        "too-long",
        r#"
[host]
functionTimeout = "200ms"
[functions.Spin]
trigger = { type = "queueTrigger", queueName = "incoming" }
outputs."$return" = { type = "queue", queueName = "out" }
"#,
    );
    with_account(&manifest, &[], |host, account| {
        account.create_queue("incoming");
        account.put("incoming", "top");
        let failed = host.process.wait_for_line("[invocation end] Spin ");
        assert!(failed.contains("Spin failed in ") && failed.contains("exceeded its time limit of 200 ms"), "{failed}");
        check(&wait_for_messages(host, account, "out", 1), &expect![[r#"{"text":"top","dequeueCount":2}"#]]);
    });
}

#[test]
fn a_disabled_function_leaves_its_messages_alone() {
    let manifest = samples::queue_jobs(
        "disabled",
        r#"
[functions.Echo]
trigger = { type = "queueTrigger", queueName = "incoming" }
[functions.Other]
entryPoint = "Echo"
trigger = { type = "queueTrigger", queueName = "other" }
outputs."$return" = { type = "queue", queueName = "out" }
"#,
    );
    let settings = [("AzureWebJobs.Echo.Disabled", "true")];
    let output = with_account(&manifest, &settings, |host, account| {
        for queue in ["incoming", "other"] {
            account.create_queue(queue);
            account.put(queue, queue);
        }
        wait_for_messages(host, account, "out", 1);
        assert_eq!(account.peek("incoming"), [Message { text: "incoming".to_owned(), dequeue_count: 0 }]);
        // By hand it runs all the same.
        let run = host.client().post("/admin/functions/Echo?wait=1", r#"{"input":"by hand"}"#);
        assert!([200, 202].contains(&run.status), "{run:?}");
        host.process.wait_for("[invocation end] Echo ");
        assert_eq!(account.count("incoming"), 1);
    });
    assert_eq!(output.matches("[invocation end] Echo ").count(), 1, "{output}");
}

#[test]
fn names_come_from_app_settings() {
    let manifest = samples::queue_jobs(
        "from-settings",
        r#"
[functions.Echo]
trigger = { type = "queueTrigger", queueName = "%IN%" }
outputs."$return" = { type = "queue", queueName = "%OUT%" }
"#,
    );
    with_account(&manifest, &[("IN", "incoming"), ("OUT", "elsewhere")], |host, account| {
        account.create_queue("incoming");
        account.put("incoming", "hello");
        wait_for_messages(host, account, "elsewhere", 1);
    });
    let (code, output) = refused([manifest.as_os_str(), "--ephemeral".as_ref(), "--port".as_ref(), "0".as_ref()]);
    let folder = manifest.parent().expect("a file is in a folder").display().to_string();
    expect![[r#"
        exit code 3
        error: the manifest has 2 problems
        <folder>/from-settings.toml:8: functions.Echo.trigger.queueName: there is no app setting `IN`; set it in the environment, or under `[values]` in local.settings.toml beside the manifest
        <folder>/from-settings.toml:9: functions.Echo.outputs."$return".queueName: there is no app setting `OUT`; set it in the environment, or under `[values]` in local.settings.toml beside the manifest
    "#]].assert_eq(&format!("exit code {code}\n{}", output.replace(&folder, "<folder>")));
}
