//! Listeners in a world of virtual time: functions do what the texts of their messages say, and transcripts show when.

mod properties;
mod scripted;

use super::{QueueDefaults, QueueParts, QueueTriggers};
use crate::world::{BEGIN, Fault, MemoryAccount, OUTSIDE, World, app, function, logged};
use expect_test::{Expect, expect};
use futures::future::{join_all, pending, select};
use manifest::expression::Expression;
use manifest::settings::{MessageEncoding, QueueSettings};
use manifest::{
    Connection, Function, OutputBinding, OutputTarget, QueueOutput, QueueTrigger, RETURN_BINDING, RetryDelay,
    RetryPolicy, TableMode, TableOutput, Trigger,
};
use ports::Clock;
use scripted::Scripted;
use std::sync::Arc;
use std::time::Duration;

/// Few tries and a small batch, so that transcripts are short.
fn settings() -> QueueSettings {
    QueueSettings {
        max_polling_interval: Some(Duration::from_secs(2)),
        visibility_timeout: Duration::from_secs(30),
        batch_size: 2,
        new_batch_threshold: None,
        max_dequeue_count: 3,
        message_encoding: MessageEncoding::Auto,
    }
}

/// A function `Work` for the messages of a queue.
fn work_on(queue: &str, settings: QueueSettings) -> Function {
    let queue_name = queue.parse().expect("the test's queue has a good name");
    function("Work", Trigger::Queue(QueueTrigger { queue_name, connection: Connection::default(), settings }))
}

fn from_outside(mut function: Function) -> Function {
    if let Trigger::Queue(trigger) = &mut function.trigger {
        trigger.connection = Connection(OUTSIDE.to_owned());
    }
    function
}

fn triggers(world: &World, functions: Vec<Function>) -> QueueTriggers {
    let parts = QueueParts {
        functions: Arc::new(Scripted::new(world)),
        bindings: world.bindings.clone(),
        clock: Arc::new(world.clock.clone()),
        randomness: Arc::<crate::world::Counted>::clone(&world.randomness),
    };
    QueueTriggers::new(&app(functions), &parts, QueueDefaults::for_cores(1))
        .unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// Listens for so many seconds, and then until everything at work has ended.
fn listen(world: &World, functions: Vec<Function>, seconds: u64) {
    let triggers = triggers(world, functions);
    let listeners = triggers.listeners();
    let end = BEGIN.saturating_add(Duration::from_secs(seconds));
    let all = join_all(listeners.iter().map(|listener| listener.run(world.clock.sleep_until(end))));
    world.run(all).expect("listeners end when they are told to");
}

/// What runs in five minutes, and what is in the account then.
fn check(function: Function, messages: &[&str], expected: &Expect) {
    let world = World::new();
    for message in messages {
        world.embedded.put("work", message);
    }
    listen(&world, vec![function], 300);
    expected.assert_eq(&format!("{}-- then\n{}", world.transcript(), world.embedded.print()));
}

#[test]
fn a_message_is_worked_on_when_it_arrives_and_goes_with_success() {
    check(
        work_on("work", settings()),
        &["ok", "return 1"],
        &expect![[r#"
        0:00.000 Work runs "ok", received 1 times
        0:00.000 Work runs "return 1", received 1 times
        -- then
    "#]],
    );
}

#[test]
fn a_failed_message_comes_back_later_and_is_given_up_in_the_end() {
    check(
        work_on("work", settings()),
        &["fail"],
        &expect![[r#"
        0:00.000 Work runs "fail", received 1 times
        0:30.000 Work runs "fail", received 2 times
        1:00.000 Work runs "fail", received 3 times
        -- then
        work-poison: "fail", received 0 times
    "#]],
    );
}

#[test]
fn a_failure_that_retries_cannot_help_is_given_up_at_once() {
    check(
        work_on("work", settings()),
        &["fatal"],
        &expect![[r#"
        0:00.000 Work runs "fatal", received 1 times
        -- then
        work-poison: "fatal", received 0 times
    "#]],
    );
}

#[test]
fn a_fault_is_a_failure_like_others() {
    check(
        work_on("work", settings()),
        &["trap"],
        &expect![[r#"
        0:00.000 Work runs "trap", received 1 times
        0:30.000 Work runs "trap", received 2 times
        1:00.000 Work runs "trap", received 3 times
        -- then
        work-poison: "trap", received 0 times
    "#]],
    );
}

#[test]
fn no_room_in_the_host_is_no_fault_of_the_message() {
    check(
        work_on("work", settings()),
        &["full 5"],
        &expect![[r#"
        0:00.000 no room
        0:00.100 no room
        0:00.280 no room
        0:00.540 no room
        0:00.960 no room
        0:01.700 Work runs "full 5", received 1 times
        -- then
    "#]],
    );
}

#[test]
fn a_retry_policy_replaces_the_dequeue_count() {
    let retry = |max_retry_count, delay| Some(RetryPolicy { max_retry_count, delay });
    let fixed = RetryDelay::Fixed(Duration::from_secs(7));
    check(
        Function { retry: retry(Some(1), fixed.clone()), ..work_on("work", settings()) },
        &["fail"],
        &expect![[r#"
        0:00.000 Work runs "fail", received 1 times, retry 0 of Some(1)
        0:07.000 Work runs "fail", received 2 times, retry 1 of Some(1)
        -- then
        work-poison: "fail", received 0 times
    "#]],
    );
    let exponential = RetryDelay::Exponential { minimum: Duration::from_secs(1), maximum: Duration::from_secs(100) };
    check(
        Function { retry: retry(Some(5), exponential), ..work_on("work", settings()) },
        &["fail"],
        &expect![[r#"
        0:00.000 Work runs "fail", received 1 times, retry 0 of Some(5)
        0:01.000 Work runs "fail", received 2 times, retry 1 of Some(5)
        0:02.800 Work runs "fail", received 3 times, retry 2 of Some(5)
        0:05.400 Work runs "fail", received 4 times, retry 3 of Some(5)
        0:09.600 Work runs "fail", received 5 times, retry 4 of Some(5)
        0:17.000 Work runs "fail", received 6 times, retry 5 of Some(5)
        -- then
        work-poison: "fail", received 0 times
    "#]],
    );
    let forever = RetryDelay::Fixed(Duration::from_secs(60));
    check(
        Function { retry: retry(None, forever), ..work_on("work", settings()) },
        &["fail"],
        &expect![[r#"
        0:00.000 Work runs "fail", received 1 times
        1:00.000 Work runs "fail", received 2 times, retry 1 of None
        2:00.000 Work runs "fail", received 3 times, retry 2 of None
        3:00.000 Work runs "fail", received 4 times, retry 3 of None
        4:00.000 Work runs "fail", received 5 times, retry 4 of None
        -- then
        work: "fail", received 5 times
    "#]],
    );
}

#[test]
fn a_message_that_was_received_too_often_is_not_run_again() {
    let world = World::new();
    world.embedded.put("work", "ok");
    for _ in 0..3 {
        assert!(world.embedded.receive_and_forget("work"), "there is a message");
    }
    listen(&world, vec![work_on("work", settings())], 3_600);
    expect![[r#"
        -- then
        work-poison: "ok", received 0 times
    "#]]
    .assert_eq(&format!("{}-- then\n{}", world.transcript(), world.embedded.print()));
}

#[test]
fn texts_are_read_as_the_encoding_says() {
    let messages = ["aGVsbG8=", "hello", "/w==", ""];
    let encoded = |message_encoding| work_on("work", QueueSettings { message_encoding, ..settings() });
    check(
        encoded(MessageEncoding::Auto),
        &messages,
        &expect![[r#"
        0:00.000 Work runs "hello", received 1 times
        0:00.000 Work runs "hello", received 1 times
        0:00.000 Work runs "/w==", received 1 times
        0:00.000 Work runs "", received 1 times
        -- then
    "#]],
    );
    check(
        encoded(MessageEncoding::Base64),
        &messages,
        &expect![[r#"
        0:00.000 Work runs "hello", received 1 times
        0:00.000 Work runs "", received 1 times
        -- then
        work-poison: "hello", received 0 times
        work-poison: "/w==", received 0 times
    "#]],
    );
    check(
        encoded(MessageEncoding::None),
        &messages,
        &expect![[r#"
        0:00.000 Work runs "aGVsbG8=", received 1 times
        0:00.000 Work runs "hello", received 1 times
        0:00.000 Work runs "/w==", received 1 times
        0:00.000 Work runs "", received 1 times
        -- then
    "#]],
    );
}

#[test]
fn a_poison_queue_has_no_poison_queue() {
    let world = World::new();
    world.embedded.put("work-poison", "fail");
    let immediately = QueueSettings { visibility_timeout: Duration::ZERO, ..settings() };
    listen(&world, vec![work_on("work-poison", immediately)], 1_500);
    expect![[r#"
        0:00.000 Work runs "fail", received 1 times
        0:00.000 Work runs "fail", received 2 times
        0:00.000 Work runs "fail", received 3 times
        -- then
        work-poison: "fail", received 5 times, hidden for 300 s
    "#]]
    .assert_eq(&format!("{}-- then\n{}", world.transcript(), world.embedded.print()));
}

#[test]
fn a_message_is_held_for_as_long_as_its_function_runs() {
    let world = World::new();
    world.embedded.put("work", "sleep 1500");
    listen(&world, vec![work_on("work", settings())], 300);
    let calls = world.embedded.calls().join("\n");
    expect![[r#"
        0:00.000 Work runs "sleep 1500", received 1 times
        25:00.000 Work wakes
        -- calls
        0:00.000 receive 2
        5:00.000 update m1 for 600s
        10:00.000 update m1 for 600s
        15:00.000 update m1 for 600s
        20:00.000 update m1 for 600s
        25:00.000 commit"#]]
    .assert_eq(&format!("{}-- calls\n{calls}", world.transcript()));
}

#[test]
fn a_renewal_that_fails_is_tried_again_sooner() {
    let world = World::new();
    world.embedded.put("work", "sleep 1500");
    // The receipt, then renewals.
    world.embedded.fail([Fault::None, Fault::Before, Fault::Before, Fault::Before, Fault::Before]);
    listen(&world, vec![work_on("work", settings())], 300);
    let calls = world.embedded.calls().join("\n");
    expect![[r#"
        0:00.000 Work runs "sleep 1500", received 1 times
        25:00.000 Work wakes
        -- calls
        0:00.000 receive 2
        5:00.000 update m1 for 600s
        7:30.000 update m1 for 600s
        8:45.000 update m1 for 600s
        9:45.000 update m1 for 600s
        10:45.000 update m1 for 600s
        15:45.000 update m1 for 600s
        20:45.000 update m1 for 600s
        25:00.000 commit
        -- then
    "#]]
    .assert_eq(&format!("{}-- calls\n{calls}\n-- then\n{}", world.transcript(), world.embedded.print()));
}

#[test]
fn a_renewal_that_is_under_way_is_waited_for() {
    let world = World::new();
    // Slow enough that the function ends between the renewal and its answer.
    world.embedded.put("work", "out q 1; sleep 301");
    world.embedded.slow_down(Duration::from_secs(1));
    listen(&world, vec![with_outputs(work_on("work", settings()))], 10);
    let calls = world.embedded.calls().join("\n");
    expect![[r#"
        0:02.000 Work runs "out q 1; sleep 301", received 1 times
        5:03.000 Work wakes
        -- calls
        0:01.000 receive 2
        5:03.000 update m1 for 600s
        5:05.000 commit
        -- then
        results: "1", received 0 times
    "#]]
    .assert_eq(&format!("{}-- calls\n{calls}\n-- then\n{}", world.transcript(), world.embedded.print()));
}

#[test]
fn what_becomes_of_messages_is_logged() {
    let lines = logged(|| {
        let world = World::new();
        for text in ["aGVsbG8=", "fatal", "hello"] {
            world.embedded.put("work", text);
        }
        listen(&world, vec![work_on("work", settings())], 10);
    });
    expect![[r#"
        INFO the first message is base64, which is decoded; messageEncoding = "auto" looks at each function="Work" queue=work
        INFO invocation{function="Work" invocation_id="00000000-0000-4000-8000-000000000001"}: Executing 'Functions.Work' reason="New queue message detected on 'work'."
        INFO invocation{function="Work" invocation_id="00000000-0000-4000-8000-000000000001"}: Executed 'Functions.Work' function="Work" invocation_id="00000000-0000-4000-8000-000000000001" outcome="Succeeded" duration_ms=0
        INFO invocation{function="Work" invocation_id="00000000-0000-4000-8000-000000000002"}: Executing 'Functions.Work' reason="New queue message detected on 'work'."
        WARN invocation{function="Work" invocation_id="00000000-0000-4000-8000-000000000002"}: a message was moved to the queue 'work-poison' queue=work message_id="m2" why="Broken: for ever"
        ERROR invocation{function="Work" invocation_id="00000000-0000-4000-8000-000000000002"}: Executed 'Functions.Work' function="Work" invocation_id="00000000-0000-4000-8000-000000000002" outcome="Failed" duration_ms=0 error=Broken: for ever
        INFO invocation{function="Work" invocation_id="00000000-0000-4000-8000-000000000003"}: Executing 'Functions.Work' reason="New queue message detected on 'work'."
        INFO invocation{function="Work" invocation_id="00000000-0000-4000-8000-000000000003"}: Executed 'Functions.Work' function="Work" invocation_id="00000000-0000-4000-8000-000000000003" outcome="Succeeded" duration_ms=0"#]].assert_eq(&lines);
}

#[test]
fn who_has_lost_a_message_brings_nothing_about() {
    let world = World::new();
    world.embedded.put("work", "out q \"from the first run\"; sleep 1500");
    // A renewal that happened and whose answer was lost leaves the host with an old receipt.
    world.embedded.fail([Fault::None, Fault::After]);
    listen(&world, vec![with_outputs(work_on("work", settings()))], 2_500);
    expect![[r#"
        0:00.000 Work runs "out q \"from the first run\"; sleep 1500", received 1 times
        15:00.000 Work runs "out q \"from the first run\"; sleep 1500", received 2 times
        25:00.000 Work wakes
        40:00.000 Work wakes
        -- then
        results: "from the first run", received 0 times
    "#]]
    .assert_eq(&format!("{}-- then\n{}", world.transcript(), world.embedded.print()));
}

fn with_outputs(mut function: Function) -> Function {
    let expression = |text: &str| Expression::parse(text).expect("the test's expression is one");
    let queue = |name: &str, queue: &str, connection: Connection| OutputBinding {
        name: name.to_owned(),
        target: OutputTarget::Queue(QueueOutput {
            queue_name: expression(queue),
            message_encoding: MessageEncoding::Auto,
            connection,
        }),
    };
    function.outputs = vec![
        queue("q", "results", Connection::default()),
        queue("away", "away", Connection(OUTSIDE.to_owned())),
        queue("named", "to-{queueTrigger}", Connection::default()),
        queue(RETURN_BINDING, "returned-{dequeueCount}", Connection::default()),
        OutputBinding {
            name: "t".to_owned(),
            target: OutputTarget::Table(TableOutput {
                table_name: expression("Results"),
                partition_key: Some(expression("p")),
                row_key: None,
                mode: TableMode::Insert,
                connection: Connection::default(),
            }),
        },
    ];
    function
}

#[test]
fn outputs_and_the_end_of_the_message_are_one_commit() {
    let world = World::new();
    world.embedded.put("work", r#"out q [1, "two"]; out t {"RowKey":"1"}; out away "first"; return {"a": 1}"#);
    listen(&world, vec![with_outputs(work_on("work", settings()))], 10);
    let calls = [world.embedded.calls(), vec!["-- outside".to_owned()], world.outside.calls()].concat().join("\n");
    let print = [world.embedded.print(), world.outside.print()].concat();
    expect![[r#"
        0:00.000 Work runs "out q [1, \"two\"]; out t {\"RowKey\":\"1\"}; out away \"first\"; return {\"a\": 1}", received 1 times
        -- calls
        0:00.000 receive 2
        0:00.000 commit
        -- outside
        0:00.000 commit
        -- then
        results: "1", received 0 times
        results: "two", received 0 times
        returned-1: "{\"a\": 1}", received 0 times
        Results: {"PartitionKey":"p","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z"}
        away: "first", received 0 times
    "#]].assert_eq(&format!("{}-- calls\n{calls}\n-- then\n{print}", world.transcript()));
}

#[test]
fn an_output_that_is_refused_is_a_failure_and_nothing_goes_out() {
    let world = World::new();
    world.embedded.insert("Results", r#"{"PartitionKey":"p","RowKey":"1"}"#);
    world.embedded.put("work", r#"out q "never"; out t {"RowKey":"1"}"#);
    world.embedded.put("work", r#"out q "never"; out unknown 1"#);
    world.embedded.put("work", r#"out named "the queue would have a bad name""#);
    listen(&world, vec![with_outputs(work_on("work", settings()))], 300);
    expect![[r#"
        0:00.000 Work runs "out q \"never\"; out t {\"RowKey\":\"1\"}", received 1 times
        0:00.000 Work runs "out q \"never\"; out unknown 1", received 1 times
        0:00.000 Work runs "out named \"the queue would have a bad name\"", received 1 times
        0:30.000 Work runs "out q \"never\"; out t {\"RowKey\":\"1\"}", received 2 times
        0:30.000 Work runs "out q \"never\"; out unknown 1", received 2 times
        0:30.000 Work runs "out named \"the queue would have a bad name\"", received 2 times
        1:00.000 Work runs "out q \"never\"; out t {\"RowKey\":\"1\"}", received 3 times
        1:00.000 Work runs "out q \"never\"; out unknown 1", received 3 times
        1:00.000 Work runs "out named \"the queue would have a bad name\"", received 3 times
        -- then
        work-poison: "out q \"never\"; out t {\"RowKey\":\"1\"}", received 0 times
        work-poison: "out q \"never\"; out unknown 1", received 0 times
        work-poison: "out named \"the queue would have a bad name\"", received 0 times
        Results: {"PartitionKey":"p","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z"}
    "#]]
    .assert_eq(&format!("{}-- then\n{}", world.transcript(), world.embedded.print()));
}

#[test]
fn effects_wait_for_a_store_that_cannot_take_them() {
    for fault in [Fault::Before, Fault::After] {
        let world = World::new();
        world.embedded.put("work", r#"out q "once""#);
        world.embedded.fail([Fault::None, fault, Fault::Before, Fault::Before]);
        listen(&world, vec![with_outputs(work_on("work", settings()))], 300);
        assert_eq!(world.embedded.texts("results"), ["once"], "{fault:?}");
        assert_eq!(world.embedded.texts("work"), Vec::<String>::new(), "{fault:?}");
        assert_eq!(world.transcript().matches("runs").count(), 1, "{fault:?}: it is run once");
    }
}

#[test]
fn as_many_run_at_a_time_as_the_settings_say() {
    let messages = ["sleep 10"; 7];
    // Two are fetched while no more than one is at work: three at a time.
    check(
        work_on("work", settings()),
        &messages,
        &expect![[r#"
        0:00.000 Work runs "sleep 10", received 1 times
        0:00.000 Work runs "sleep 10", received 1 times
        0:10.000 Work wakes
        0:10.000 Work runs "sleep 10", received 1 times
        0:10.000 Work runs "sleep 10", received 1 times
        0:10.000 Work wakes
        0:20.000 Work wakes
        0:20.000 Work runs "sleep 10", received 1 times
        0:20.000 Work runs "sleep 10", received 1 times
        0:20.000 Work wakes
        0:30.000 Work wakes
        0:30.000 Work runs "sleep 10", received 1 times
        0:30.000 Work wakes
        0:40.000 Work wakes
        -- then
    "#]],
    );
    let one = Function { max_concurrency: Some(1), ..work_on("work", settings()) };
    check(
        one,
        &messages[..3],
        &expect![[r#"
        0:00.000 Work runs "sleep 10", received 1 times
        0:10.000 Work wakes
        0:10.000 Work runs "sleep 10", received 1 times
        0:20.000 Work wakes
        0:20.000 Work runs "sleep 10", received 1 times
        0:30.000 Work wakes
        -- then
    "#]],
    );
    let serial = QueueSettings { batch_size: 1, new_batch_threshold: Some(0), ..settings() };
    check(
        work_on("work", serial),
        &messages[..2],
        &expect![[r#"
        0:00.000 Work runs "sleep 10", received 1 times
        0:10.000 Work wakes
        0:10.000 Work runs "sleep 10", received 1 times
        0:20.000 Work wakes
        -- then
    "#]],
    );
}

#[test]
fn what_is_at_work_when_listening_ends_is_finished() {
    let world = World::new();
    world.embedded.put("work", "sleep 100");
    listen(&world, vec![work_on("work", settings())], 10);
    world.embedded.put("work", "ok");
    expect![[r#"
        0:00.000 Work runs "sleep 100", received 1 times
        1:40.000 Work wakes
        -- then
        work: "ok", received 0 times
    "#]]
    .assert_eq(&format!("{}-- then\n{}", world.transcript(), world.embedded.print()));
}

#[test]
fn a_message_that_there_is_no_room_for_is_given_back_when_listening_ends() {
    let world = World::new();
    world.embedded.put("work", "full 1000");
    listen(&world, vec![work_on("work", settings())], 10);
    expect![[r#"
        work: "full 1000", received 1 times
    "#]]
    .assert_eq(&world.embedded.print());
}

#[test]
fn who_is_dropped_leaves_the_message_where_it_was() {
    let world = World::new();
    world.embedded.put("work", "out q 1; sleep 100");
    let dies = triggers(&world, vec![with_outputs(work_on("work", settings()))]).listeners().remove(0);
    let crash = world.clock.sleep_until(BEGIN.saturating_add(Duration::from_secs(50)));
    world.run(select(Box::pin(dies.run(pending())), crash)).expect("the crash comes");
    drop(dies);
    listen(&world, vec![with_outputs(work_on("work", settings()))], 1_000);
    expect![[r#"
        0:00.000 Work runs "out q 1; sleep 100", received 1 times
        10:00.000 Work runs "out q 1; sleep 100", received 2 times
        11:40.000 Work wakes
        -- then
        results: "1", received 0 times
    "#]]
    .assert_eq(&format!("{}-- then\n{}", world.transcript(), world.embedded.print()));
}

#[test]
fn a_message_of_a_service_is_given_up_there() {
    let world = World::new();
    world.outside.put("work", "out q \"here\"; fail");
    world.outside.put("work", "out q \"here\"");
    listen(&world, vec![from_outside(with_outputs(work_on("work", settings())))], 300);
    let print = format!("{}-- outside\n{}", world.embedded.print(), world.outside.print());
    expect![[r#"
        0:00.000 Work runs "out q \"here\"; fail", received 1 times
        0:00.000 Work runs "out q \"here\"", received 1 times
        0:31.080 Work runs "out q \"here\"; fail", received 2 times
        1:02.160 Work runs "out q \"here\"; fail", received 3 times
        -- then
        results: "here", received 0 times
        -- outside
        work-poison: "out q \"here\"; fail", received 0 times
    "#]]
    .assert_eq(&format!("{}-- then\n{print}", world.transcript()));
}

#[test]
fn a_function_that_is_disabled_has_no_listener() {
    let world = World::new();
    let triggers = triggers(&world, vec![Function { disabled: true, ..work_on("work", settings()) }]);
    assert_eq!(triggers.listeners().len(), 0);
    let run = world.run(triggers.run_once("work", "ok".to_owned())).flatten().expect("it can be run by hand");
    assert!(run.outcome.is_ok());
}

#[test]
fn a_run_by_hand_has_no_message_and_commits_its_outputs() {
    let world = World::new();
    let triggers = triggers(&world, vec![with_outputs(work_on("work", settings()))]);
    let run = |text: &str| world.run(triggers.run_once("WORK", text.to_owned())).flatten();
    let outcomes = [run(r#"out q "by hand"; return 7"#), run("fail"), run("full 1")].map(|run| format!("{run:#?}"));
    assert!(world.run(triggers.run_once("Other", String::new())).flatten().is_none());
    expect![[r#"
        Some(
            ManualRun {
                invocation_id: "00000000-0000-4000-8000-000000000002",
                outcome: Ok(
                    Ran {
                        returned: 7,
                        outputs: [
                            (
                                "q",
                                "by hand",
                            ),
                        ],
                    },
                ),
            },
        )
        Some(
            ManualRun {
                invocation_id: "00000000-0000-4000-8000-000000000004",
                outcome: Err(
                    "Broken: as it was told",
                ),
            },
        )
        Some(
            ManualRun {
                invocation_id: "00000000-0000-4000-8000-000000000006",
                outcome: Err(
                    "function 'Work' could not be started: no free instance",
                ),
            },
        )
        results: "by hand", received 0 times
        returned-1: "7", received 0 times
    "#]]
    .assert_eq(&format!("{}\n{}", outcomes.join("\n"), world.embedded.print()));
}

/// Twelve seconds of looking into a queue of a service.
fn check_polling(prepare: impl FnOnce(&MemoryAccount), expected: &Expect) {
    let world = World::new();
    prepare(&world.outside);
    listen(&world, vec![from_outside(work_on("work", settings()))], 12);
    expected.assert_eq(&format!("{}\n{}", world.outside.calls().join("\n"), world.outside.print()));
}

#[test]
fn a_queue_of_a_service_is_polled_less_and_less_often() {
    check_polling(
        |_| {},
        &expect![[r#"
        0:00.000 queue
        0:00.100 queue
        0:00.280 queue
        0:00.540 queue
        0:00.960 queue
        0:01.700 queue
        0:03.080 queue
        0:05.080 queue
        0:07.080 queue
        0:09.080 queue
        0:11.080 queue
    "#]],
    );
    check_polling(
        |account| account.put("work", "ok"),
        &expect![[r#"
        0:00.000 queue
        0:00.000 receive 2
        0:00.000 commit
        0:00.000 receive 2
        0:00.100 receive 2
        0:00.280 receive 2
        0:00.540 receive 2
        0:00.960 receive 2
        0:01.700 receive 2
        0:03.080 receive 2
        0:05.080 receive 2
        0:07.080 receive 2
        0:09.080 receive 2
        0:11.080 receive 2
    "#]],
    );
    // The receipt fails, so that the queue is looked for again.
    check_polling(
        |account| {
            account.put("work", "ok");
            account.fail([Fault::None, Fault::Before]);
        },
        &expect![[r#"
            0:00.000 queue
            0:00.000 receive 2
            0:00.100 queue
            0:00.100 receive 2
            0:00.100 commit
            0:00.100 receive 2
            0:00.200 receive 2
            0:00.380 receive 2
            0:00.640 receive 2
            0:01.060 receive 2
            0:01.800 receive 2
            0:03.180 receive 2
            0:05.180 receive 2
            0:07.180 receive 2
            0:09.180 receive 2
            0:11.180 receive 2
        "#]],
    );
}

#[test]
fn what_this_process_writes_into_a_polled_queue_is_seen_at_once() {
    let world = World::new();
    world.embedded.put("work", "sleep 9; out away \"ok\"");
    let slow = QueueSettings { max_polling_interval: Some(Duration::from_secs(600)), ..settings() };
    let reader = Function { name: "Away".to_owned(), ..from_outside(work_on("away", slow)) };
    listen(&world, vec![with_outputs(work_on("work", settings())), reader], 300);
    expect![[r#"
        0:00.000 Work runs "sleep 9; out away \"ok\"", received 1 times
        0:09.000 Work wakes
        0:09.000 Away runs "ok", received 1 times
    "#]]
    .assert_eq(&world.transcript());
}
