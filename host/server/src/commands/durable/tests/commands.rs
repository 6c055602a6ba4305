//! What each command asks of the host, and what it makes of the answer.

use super::check;
use super::host::{Host, events, is};
use crate::management::tests::world::{World, entity, instance};
use expect_test::{Expect, expect};
use orchestration::RuntimeStatus;

fn trips() -> Host {
    Host::of(World::with([
        instance("t1", RuntimeStatus::Running, 0),
        instance("t2", RuntimeStatus::Completed, 1),
        instance("t3", RuntimeStatus::Failed, 2),
        entity("@counter@a", Some("1"), 3),
    ]))
}

/// A command that changes something, and what the host was told.
async fn check_told(words: &[&str], expected: &Expect) {
    let host = trips();
    let said = host.serve(async |url| super::run(&url, words).await).await;
    expected.assert_eq(&format!("{said}\n{}", host.said()));
}

#[tokio::test]
async fn starts_print_id_and_urls() {
    check_told(&["start-new", "Trip", "--id", "a b", "--input", "[1.50]"], &expect![[r#"
        [0] Started the instance a b
          Status       URL/runtime/webhooks/durabletask/instances/a%20b?taskHub=Trips&connection=Storage
          Raise event  URL/runtime/webhooks/durabletask/instances/a%20b/raiseEvent/{eventName}?taskHub=Trips&connection=Storage
          Terminate    URL/runtime/webhooks/durabletask/instances/a%20b/terminate?reason={text}&taskHub=Trips&connection=Storage
          Suspend      URL/runtime/webhooks/durabletask/instances/a%20b/suspend?reason={text}&taskHub=Trips&connection=Storage
          Resume       URL/runtime/webhooks/durabletask/instances/a%20b/resume?reason={text}&taskHub=Trips&connection=Storage
          Restart      URL/runtime/webhooks/durabletask/instances/a%20b/restart?taskHub=Trips&connection=Storage
          Purge        URL/runtime/webhooks/durabletask/instances/a%20b?taskHub=Trips&connection=Storage
        start Trip a b [1.50]"#]]).await;
    check_told(
        &["start", "--function-name", "trip", "--version", "2", "--tag", "a=b=c", "--start-at", "2024-02-01", "--output", "json"],
        &expect![[r#"
            [0] {"id":"0123456789abcdef0123456789abcdef","statusQueryGetUri":"URL/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef?taskHub=Trips&connection=Storage","sendEventPostUri":"URL/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef/raiseEvent/{eventName}?taskHub=Trips&connection=Storage","terminatePostUri":"URL/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef/terminate?reason={text}&taskHub=Trips&connection=Storage","purgeHistoryDeleteUri":"URL/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef?taskHub=Trips&connection=Storage","restartPostUri":"URL/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef/restart?taskHub=Trips&connection=Storage","suspendPostUri":"URL/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef/suspend?reason={text}&taskHub=Trips&connection=Storage","resumePostUri":"URL/runtime/webhooks/durabletask/instances/0123456789abcdef0123456789abcdef/resume?reason={text}&taskHub=Trips&connection=Storage"}
            start Trip 0123456789abcdef0123456789abcdef null version 2 tags {"a": "b=c"} at 2024-02-01T00:00:00.0000000Z"#]],
    )
    .await;
    check_told(
        &["start", "Trap"],
        &expect![[r#"
        [1] error: no orchestrator 'Trap'; known are: ["Trip", "Quick", "Broken"]
    "#]],
    )
    .await;
    check_told(
        &["start", "Trip", "--id", "t1"],
        &expect![[r#"
        [1] error: an instance with ID 't1' already exists and is Running; wait until it has ended, or choose another ID
    "#]],
    )
    .await;
    check_told(&["start", "Trip", "--input", "Ada"], &expect![[r#"
        [2] error: the input cannot be sent: it is no JSON: expected value at line 1 column 1; a text stands in double quotes, as in '"Ada"'
    "#]]).await;
    check_told(
        &["start"],
        &expect![[r#"
        [2] error: the following required arguments were not provided:
    "#]],
    )
    .await;
    check_told(&["restart", "t2"], &expect![[r#"
        [0] Started the instance another
          Status       URL/runtime/webhooks/durabletask/instances/another?taskHub=Trips&connection=Storage
          Raise event  URL/runtime/webhooks/durabletask/instances/another/raiseEvent/{eventName}?taskHub=Trips&connection=Storage
          Terminate    URL/runtime/webhooks/durabletask/instances/another/terminate?reason={text}&taskHub=Trips&connection=Storage
          Suspend      URL/runtime/webhooks/durabletask/instances/another/suspend?reason={text}&taskHub=Trips&connection=Storage
          Resume       URL/runtime/webhooks/durabletask/instances/another/resume?reason={text}&taskHub=Trips&connection=Storage
          Restart      URL/runtime/webhooks/durabletask/instances/another/restart?taskHub=Trips&connection=Storage
          Purge        URL/runtime/webhooks/durabletask/instances/another?taskHub=Trips&connection=Storage
        restart t2 as another"#]]).await;
    check_told(&["restart", "--id", "t2", "--same-id", "--output", "json"], &expect![[r#"
        [0] {"id":"t2","statusQueryGetUri":"URL/runtime/webhooks/durabletask/instances/t2?taskHub=Trips&connection=Storage","sendEventPostUri":"URL/runtime/webhooks/durabletask/instances/t2/raiseEvent/{eventName}?taskHub=Trips&connection=Storage","terminatePostUri":"URL/runtime/webhooks/durabletask/instances/t2/terminate?reason={text}&taskHub=Trips&connection=Storage","purgeHistoryDeleteUri":"URL/runtime/webhooks/durabletask/instances/t2?taskHub=Trips&connection=Storage","restartPostUri":"URL/runtime/webhooks/durabletask/instances/t2/restart?taskHub=Trips&connection=Storage","suspendPostUri":"URL/runtime/webhooks/durabletask/instances/t2/suspend?reason={text}&taskHub=Trips&connection=Storage","resumePostUri":"URL/runtime/webhooks/durabletask/instances/t2/resume?reason={text}&taskHub=Trips&connection=Storage"}
        restart t2 as t2"#]]).await;
    check_told(
        &["restart", "t1", "--same-id"],
        &expect![[r#"
        [1] error: an instance with ID 't1' already exists and is Running; wait until it has ended, or choose another ID
    "#]],
    )
    .await;
    check_told(
        &["restart", "t9"],
        &expect![[r#"
        [1] error: An orchestrator with the instanceId t9 was not found.
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_start_can_wait_for_the_end() {
    let start = |status| Host::of(World::default()).then(|_| ()).then(is(status, ""));
    let words = ["start", "Trip", "--id", "t", "--wait", "--output", "json"];
    check(&start(RuntimeStatus::Completed), &words, &expect![[r#"[0] {"name":"Trip","instanceId":"t","runtimeStatus":"Completed","input":null,"customStatus":null,"output":{"booked": 1.50},"createdTime":"2024-01-01T00:00:00Z","lastUpdatedTime":"2024-01-01T00:01:00Z"}"#]]).await;
    check(&start(RuntimeStatus::Failed), &words[..5], &expect![[r#"
        [1] Started the instance t
          Status       URL/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage
          Raise event  URL/runtime/webhooks/durabletask/instances/t/raiseEvent/{eventName}?taskHub=Trips&connection=Storage
          Terminate    URL/runtime/webhooks/durabletask/instances/t/terminate?reason={text}&taskHub=Trips&connection=Storage
          Suspend      URL/runtime/webhooks/durabletask/instances/t/suspend?reason={text}&taskHub=Trips&connection=Storage
          Resume       URL/runtime/webhooks/durabletask/instances/t/resume?reason={text}&taskHub=Trips&connection=Storage
          Restart      URL/runtime/webhooks/durabletask/instances/t/restart?taskHub=Trips&connection=Storage
          Purge        URL/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage

        Failed: BookingError: no seats left"#]]).await;
    let host = Host::of(World::default());
    let said = host.serve(async |url| super::run(&url, &[&words[..5], &["--timeout", "0"]].concat()).await).await;
    let (_, said) = said.split_once("\n\n").expect("two parts");
    assert!(said.starts_with("Still Pending after 0."), "{said}");
    check(
        &host,
        &["start", "Trip", "--timeout", "5m"],
        &expect!["[2] error: the following required arguments were not provided:"],
    )
    .await;
    check(
        &host,
        &["start", "Trip", "--wait", "--timeout", "soon"],
        &expect![
            "[2] error: invalid value 'soon' for '--timeout <TIME>': give seconds, or a time like 30s, 5m or 1h30m"
        ],
    )
    .await;
}

#[tokio::test]
async fn lists_are_tables_or_json() {
    check(
        &trips(),
        &["get-instances"],
        &expect![[r#"
        [0] Instance  Name  Status     Created (UTC)        Last change (UTC)
        t1        Trip  Running    2024-01-01 00:00:00  2024-01-01 00:01:00
        t2        Trip  Completed  2024-01-01 00:01:00  2024-01-01 00:02:00
        t3        Trip  Failed     2024-01-01 00:02:00  2024-01-01 00:03:00"#]],
    )
    .await;
    check(
        &trips(),
        &["list", "--top", "1", "--show-input", "--show-output"],
        &expect![[r#"
        [0] Instance  Name  Status   Created (UTC)        Last change (UTC)    Input   Output
        t1        Trip  Running  2024-01-01 00:00:00  2024-01-01 00:01:00  [1, 2]

        There are more: --continuation-token t1"#]],
    )
    .await;
    check(
        &trips(),
        &["list", "--continuation-token", "t1", "--show-output"],
        &expect![[r#"
        [0] Instance  Name  Status     Created (UTC)        Last change (UTC)    Output
        t2        Trip  Completed  2024-01-01 00:01:00  2024-01-01 00:02:00  {"booked": 1.50}
        t3        Trip  Failed     2024-01-01 00:02:00  2024-01-01 00:03:00  "BookingError: no seats left""#]],
    )
    .await;
    check(&trips(), &["list", "--runtime-status", "failed,Completed", "--output", "json"], &expect![[r#"[0] {"instances":[{"name":"Trip","instanceId":"t2","runtimeStatus":"Completed","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:01:00Z","lastUpdatedTime":"2024-01-01T00:02:00Z"},{"name":"Trip","instanceId":"t3","runtimeStatus":"Failed","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:02:00Z","lastUpdatedTime":"2024-01-01T00:03:00Z"}],"continuationToken":null}"#]]).await;
    check(
        &trips(),
        &["list", "--created-after", "2024-01-01T00:01:00Z", "--created-before", "2024-01-01T00:02"],
        &expect![[r#"
        [0] Instance  Name  Status     Created (UTC)        Last change (UTC)
        t2        Trip  Completed  2024-01-01 00:01:00  2024-01-01 00:02:00"#]],
    )
    .await;
    check(
        &trips(),
        &["list", "--id-prefix", "@"],
        &expect![[r#"
        [0] Instance    Name     Status   Created (UTC)        Last change (UTC)
        @counter@a  counter  Running  2024-01-01 00:00:00  2024-01-01 00:00:00"#]],
    )
    .await;
    check(&trips(), &["list", "--tag", "a=b"], &expect!["[0] There are no such instances."]).await;
    check(
        &trips(),
        &["list", "--tag", "a=b", "--output", "json"],
        &expect![[r#"[0] {"instances":[],"continuationToken":null}"#]],
    )
    .await;
    check(&trips(), &["list", "--runtime-status", "Done"], &expect!["[2] error: invalid value 'Done' for '--runtime-status <STATUS>': statuses are Running, Completed, ContinuedAsNew, Failed, Canceled, Terminated, Pending, Suspended"]).await;
    check(&trips(), &["list", "--created-after", "yesterday"], &expect!["[2] error: invalid value 'yesterday' for '--created-after <TIME>': write it in ISO 8601, such as 2024-01-31 or 2024-01-31T08:00:00Z"]).await;
}

#[tokio::test]
async fn a_status_shows_what_was_asked_for() {
    check(
        &trips(),
        &["get-runtime-status", "t1", "--show-input"],
        &expect![[r#"
        [0] Instance           t1
        Name               Trip
        Status             Running
        Created (UTC)      2024-01-01 00:00:00
        Last change (UTC)  2024-01-01 00:01:00
        Input              [1, 2]"#]],
    )
    .await;
    check(
        &trips(),
        &["show", "--id", "t2", "--show-output"],
        &expect![[r#"
        [0] Instance           t2
        Name               Trip
        Status             Completed
        Created (UTC)      2024-01-01 00:01:00
        Last change (UTC)  2024-01-01 00:02:00
        Output             {"booked": 1.50}"#]],
    )
    .await;
    check(
        &trips(),
        &["status", "t3"],
        &expect![[r#"
        [0] Instance           t3
        Name               Trip
        Status             Failed
        Created (UTC)      2024-01-01 00:02:00
        Last change (UTC)  2024-01-01 00:03:00
        Failure            BookingError: no seats left"#]],
    )
    .await;
    check(
        &trips(),
        &["show", "@counter@a", "--show-input"],
        &expect![[r#"
        [0] Instance           @counter@a
        Name               counter
        Status             Running
        Created (UTC)      2024-01-01 00:00:00
        Last change (UTC)  2024-01-01 00:00:00"#]],
    )
    .await;
    check(&trips(), &["show", "t2", "--output", "json"], &expect![[r#"[0] {"name":"Trip","instanceId":"t2","runtimeStatus":"Completed","input":null,"customStatus":null,"output":null,"createdTime":"2024-01-01T00:01:00Z","lastUpdatedTime":"2024-01-01T00:02:00Z"}"#]]).await;
    check(&trips(), &["show", "t2", "--show-input", "--show-output", "--output", "json"], &expect![[r#"[0] {"name":"Trip","instanceId":"t2","runtimeStatus":"Completed","input":[1, 2],"customStatus":null,"output":{"booked": 1.50},"createdTime":"2024-01-01T00:01:00Z","lastUpdatedTime":"2024-01-01T00:02:00Z"}"#]]).await;
    check(
        &trips(),
        &["show", "t9"],
        &expect![
            "[1] error: No instance with ID 't9' was found. `dacapo durable get-instances` lists those that are there."
        ],
    )
    .await;
    check(&trips(), &["show", "a/b?c"], &expect!["[1] error: No instance with ID 'a/b?c' was found. `dacapo durable get-instances` lists those that are there."]).await;
    check(&trips(), &["show"], &expect!["[2] error: the following required arguments were not provided:"]).await;
    check(
        &trips(),
        &["show", "t1", "--id", "t2"],
        &expect!["[2] error: the argument '[INSTANCE-ID]' cannot be used with '--id <INSTANCE-ID>'"],
    )
    .await;
}

#[tokio::test]
async fn a_history_is_told_drawn_or_given_as_it_is() {
    const LINES: &str = r#"
        0 TaskScheduled "eventId":0,"name":"Book","input":"\u001b]0;steered\u0007"
        5 TaskFailed "taskScheduledId":0,"failureDetails":{"errorType":"Full","errorMessage":"no\nroom","isNonRetriable":false}
        5 TimerCreated "eventId":1,"fireAt":"2024-01-01T00:00:00.0080000Z","retryOf":0
        8 TimerFired "timerId":1,"fireAt":"2024-01-01T00:00:00.0080000Z"
        8 TaskScheduled "eventId":2,"name":"Book","input":2,"retryOf":0
        9 TaskCompleted "taskScheduledId":2,"result":[3]
        9 ExecutionCompleted "eventId":3,"orchestrationStatus":"Completed","result":{"a": 1.50}
    "#;
    let host = trips();
    host.world.put(instance("t", RuntimeStatus::Completed, 0), events(LINES));
    check(
        &host,
        &["get-history", "t"],
        &expect![[r#"
        [0] Time (UTC)               Event               What
        2024-01-01 00:00:00.000  ExecutionStarted    Trip  1
        2024-01-01 00:00:00.000  TaskScheduled       #0 Book  "\u001b]0;steered\u0007"
        2024-01-01 00:00:00.005  TaskFailed          #0 Book  Full: no\nroom
        2024-01-01 00:00:00.005  TimerCreated        #1 timer  due 2024-01-01T00:00:00.0080000Z (pause after #0)
        2024-01-01 00:00:00.008  TimerFired          #1 timer
        2024-01-01 00:00:00.008  TaskScheduled       #2 Book  2 (again, after #0)
        2024-01-01 00:00:00.009  TaskCompleted       #2 Book  [3]
        2024-01-01 00:00:00.009  ExecutionCompleted  Completed  {"a": 1.50}"#]],
    )
    .await;
    check(
        &host,
        &["history", "t", "--graph"],
        &expect![[r#"
        [0] Trip t: Completed after 9 ms

              0                              5 ms
        Book  ██████████████████████████████✗···················███████  9 ms  ok, try 2"#]],
    )
    .await;
    check(&host, &["history", "--id", "t", "--output", "json"], &expect![[r#"
        [0] {"eventType":"ExecutionStarted","timestamp":"2024-01-01T00:00:00.0000000Z","name":"Trip","instanceId":"t","executionId":"00000000000000000000000000000007","input":1}
        {"eventType":"TaskScheduled","timestamp":"2024-01-01T00:00:00.0000000Z","eventId":0,"name":"Book","input":"\u001b]0;steered\u0007"}
        {"eventType":"TaskFailed","timestamp":"2024-01-01T00:00:00.0050000Z","taskScheduledId":0,"failureDetails":{"errorType":"Full","errorMessage":"no\nroom","isNonRetriable":false}}
        {"eventType":"TimerCreated","timestamp":"2024-01-01T00:00:00.0050000Z","eventId":1,"retryOf":0,"fireAt":"2024-01-01T00:00:00.0080000Z"}
        {"eventType":"TimerFired","timestamp":"2024-01-01T00:00:00.0080000Z","timerId":1,"fireAt":"2024-01-01T00:00:00.0080000Z"}
        {"eventType":"TaskScheduled","timestamp":"2024-01-01T00:00:00.0080000Z","eventId":2,"retryOf":0,"name":"Book","input":2}
        {"eventType":"TaskCompleted","timestamp":"2024-01-01T00:00:00.0090000Z","taskScheduledId":2,"result":[3]}
        {"eventType":"ExecutionCompleted","timestamp":"2024-01-01T00:00:00.0090000Z","result":{"a": 1.50},"orchestrationStatus":"Completed"}"#]]).await;
    check(&host, &["history", "t1"], &expect!["[0] t1 has no history yet."]).await;
    check(
        &host,
        &["history", "t9"],
        &expect![
            "[1] error: No instance with ID 't9' was found. `dacapo durable get-instances` lists those that are there."
        ],
    )
    .await;
}

#[tokio::test]
async fn instances_are_told_what_to_do() {
    check_told(
        &["raise-event", "t1", "Approval", "--event-data", r#"{"by": "Ada"}"#],
        &expect![[r#"
        [0] The event 'Approval' is on its way to t1.
        raise t1 Approval {"by": "Ada"}"#]],
    )
    .await;
    check_told(
        &["raise", "--id", "t1", "--event-name", "Approval", "--event-id", "e1", "--output", "json"],
        &expect![[r#"
            [0] {"accepted":true,"instanceId":"t1","operation":"raiseEvent"}
            raise t1 Approval null id e1"#]],
    )
    .await;
    check_told(&["raise", "t1", "Approval", "-d", "{"], &expect![[r#"
        [2] error: the event's data cannot be sent: it is no JSON: EOF while parsing an object at line 1 column 1; a text stands in double quotes, as in '"Ada"'
    "#]]).await;
    check_told(
        &["raise", "t1"],
        &expect![[r#"
        [2] error: the following required arguments were not provided:
    "#]],
    )
    .await;
    check_told(
        &["raise", "t2", "Approval"],
        &expect![[r#"
        [1] error: The instance with ID 't2' is Completed and takes no more messages.
    "#]],
    )
    .await;
    check_told(
        &["raise", "t9", "Approval"],
        &expect![[r#"
        [1] error: No instance with ID 't9' was found. `dacapo durable get-instances` lists those that are there.
    "#]],
    )
    .await;
}

#[tokio::test]
async fn instances_are_held_ended_and_brought_back() {
    check_told(
        &["terminate", "t1", "--reason", "no & money", "--recursive"],
        &expect![[r#"
        [0] t1 is being terminated with its sub-orchestrations.
        terminate t1 "no & money" recursively"#]],
    )
    .await;
    check_told(
        &["terminate", "t2"],
        &expect![[r#"
        [1] error: The instance with ID 't2' is Completed and takes no more messages.
    "#]],
    )
    .await;
    check_told(
        &["suspend", "--id", "t1", "--reason", "lunch"],
        &expect![[r#"
        [0] t1 is being suspended; `dacapo durable resume t1` lets it go on.
        suspend t1 "lunch""#]],
    )
    .await;
    check_told(
        &["resume", "t1"],
        &expect![[r#"
        [1] error: Cannot resume the orchestration instance t1 because instance is in the Running state.
    "#]],
    )
    .await;
    check_told(
        &["rewind", "t3", "--latest", "--output", "json"],
        &expect![[r#"
        [0] {"accepted":true,"instanceId":"t3","operation":"rewind"}
        rewind t3 "" to PresentApp"#]],
    )
    .await;
    check_told(
        &["rewind", "t1"],
        &expect![[r#"
        [1] error: The rewind operation is only supported on failed orchestration instances.
    "#]],
    )
    .await;
}

#[tokio::test]
async fn purges_say_how_many_are_gone() {
    check(&trips(), &["purge-history", "t2"], &expect!["[0] Purged t2."]).await;
    check(&trips(), &["purge", "--id", "t1"], &expect!["[1] error: The instance with ID 't1' is Running; only instances that have ended are purged. Terminate it first, or add --force."]).await;
    check(
        &trips(),
        &["purge", "--id", "t1", "--force", "--output", "json"],
        &expect![[r#"[0] {"instancesDeleted":1}"#]],
    )
    .await;
    check(
        &trips(),
        &["purge", "t9"],
        &expect![
            "[1] error: No instance with ID 't9' was found. `dacapo durable get-instances` lists those that are there."
        ],
    )
    .await;
    check(&trips(), &["purge", "--all"], &expect!["[0] Purged 2 instances."]).await;
    check(
        &trips(),
        &["purge", "--runtime-status", "Completed", "--output", "json"],
        &expect![[r#"[0] {"instancesDeleted":1}"#]],
    )
    .await;
    check(
        &trips(),
        &["purge", "--created-before", "2023-12-31"],
        &expect!["[0] No instance fits: nothing was purged."],
    )
    .await;
    check(
        &trips(),
        &["purge", "--created-after", "2024-01-02", "--output", "json"],
        &expect![[r#"[0] {"instancesDeleted":0}"#]],
    )
    .await;
    check(&trips(), &["purge"], &expect!["[2] error: the following required arguments were not provided:"]).await;
    check(
        &trips(),
        &["purge", "t1", "--all"],
        &expect!["[2] error: the argument '[INSTANCE-ID]' cannot be used with '--all'"],
    )
    .await;
}

#[tokio::test]
async fn whoever_cannot_be_asked_is_told_with_a_remedy() {
    let words = ["show", "t1"];
    check(&Host::locked("secret"), &words, &expect!["[2] error: URL asks for a key: give its system key durabletask_extension or its master key (_master) with --key. `dacapo keys list <manifest> --show-values` shows them"]).await;
    check(&Host::locked("secret"), &["show", "t1", "--key", "wrong"], &expect!["[2] error: URL does not take this key: give its system key durabletask_extension or its master key (_master) with --key. `dacapo keys list <manifest> --show-values` shows them"]).await;
    check(
        &Host::locked("secret"),
        &["show", "t1", "--key", "secret"],
        &expect![
            "[1] error: No instance with ID 't1' was found. `dacapo durable get-instances` lists those that are there."
        ],
    )
    .await;
    check(
        &trips(),
        &["show", "t1", "--task-hub-name", "Elsewhere"],
        &expect!["[1] error: the task hub 'Elsewhere' is not served here; this host serves 'Trips'"],
    )
    .await;
    check(
        &trips(),
        &["show", "t2", "--task-hub-name", "trips"],
        &expect![[r#"
        [0] Instance           t2
        Name               Trip
        Status             Completed
        Created (UTC)      2024-01-01 00:01:00
        Last change (UTC)  2024-01-01 00:02:00"#]],
    )
    .await;
    check(&Host::of(World::broken()), &words, &expect!["[1] error: the store is unavailable: the disk is full"]).await;
    // Nobody can listen there.
    expect![
        "[2] error: no host answers at URL; start one with `dacapo start <manifest>`, or say where it is with --url"
    ]
    .assert_eq(&super::run("http://127.0.0.1:0", &words).await);
}
