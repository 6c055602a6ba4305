//! Activities with bindings: what is read and written around them, and what goes wrong as data or as an error.

use super::{ActivityBindings, ActivityParts};
use crate::world::{BEGIN, Fault, World, app, function};
use expect_test::{Expect, expect};
use futures::future::join_all;
use manifest::expression::Expression;
use manifest::settings::MessageEncoding;
use manifest::{
    ActivityTrigger, Connection, Function, InputBinding, InputSource, OutputBinding, OutputTarget, QueueOutput,
    RETURN_BINDING, TableInput, Trigger,
};
use orchestration::{ActivityTask, EventId, ExecutionId, Failure, InstanceId, Json, Timeouts};
use ports::{Clock, Ran};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

fn expression(text: &str) -> Expression {
    Expression::parse(text).expect("the test's expression is one")
}

/// `Report`: reads the orders of a customer, and what it returns goes to the queue of the instance.
fn report() -> Function {
    let trigger = ActivityTrigger { timeout: None, heartbeat_timeout: None };
    let table = TableInput {
        table_name: expression("Orders"),
        partition_key: Some(expression("{customer}")),
        row_key: Some(expression("1")),
        filter: None,
        take: None,
        connection: Connection::default(),
    };
    let queue = QueueOutput {
        queue_name: expression("of-{instanceId}"),
        message_encoding: MessageEncoding::Auto,
        connection: Connection::default(),
    };
    Function {
        inputs: vec![InputBinding { name: "order".to_owned(), source: InputSource::Table(table) }],
        outputs: vec![OutputBinding { name: RETURN_BINDING.to_owned(), target: OutputTarget::Queue(queue) }],
        ..function("Report", Trigger::Activity(trigger))
    }
}

fn bindings(world: &World, function: Function) -> ActivityBindings {
    let parts = ActivityParts {
        bindings: world.bindings.clone(),
        clock: Arc::new(world.clock.clone()),
        randomness: Arc::<crate::world::Counted>::clone(&world.randomness),
    };
    ActivityBindings::new(&app(vec![function]), parts).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn task(name: &str, input: &str) -> ActivityTask {
    ActivityTask {
        instance: InstanceId::parse("trip-1").expect("a good id"),
        execution: ExecutionId::from_random(1),
        id: EventId(0),
        name: name.to_owned(),
        input: Json::from(input),
        attempt: 1,
        timeouts: Timeouts::default(),
        tags: BTreeMap::new(),
        caller: "Trip".to_owned(),
        version: None,
        pinned_to: None,
    }
}

/// What an activity comes to that answers `answer`, and what is in the account then.
fn check(task: &ActivityTask, faults: &[Fault], answer: Result<&str, Failure>, expected: &Expect) {
    let world = World::new();
    world.embedded.insert("Orders", r#"{"PartitionKey":"ann","RowKey":"1","total":5}"#);
    world.embedded.fail(faults.iter().copied());
    let note = world.note();
    let ran = world.run(bindings(&world, report()).run(task, |inputs| async move {
        note(&format!("runs with {inputs:?}"));
        Ok(answer.map(|answer| Ran { returned: Json::from(answer), outputs: Vec::new() }))
    }));
    let ran = ran.expect("nothing waits");
    expected.assert_eq(&format!("{}{ran:?}\n{}", world.transcript(), world.embedded.print()));
}

#[test]
fn inputs_are_read_before_and_outputs_written_before_the_result_counts() {
    check(
        &task("report", r#"{"customer": "ann"}"#),
        &[],
        Ok("7"),
        &expect![[r#"
        0:00.000 runs with [("order", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        Ok(Ok(7))
        of-trip-1: "7", received 0 times
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
    check(
        &task("Report", r#"{"customer": "ann"}"#),
        &[],
        Err(Failure::new("Broken", "as it was told")),
        &expect![[r#"
            0:00.000 runs with [("order", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
            Ok(Err(Failure { error_type: "Broken", message: "as it was told", details: None, non_retriable: false, cause: None, properties: {} }))
            Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
        "#]],
    );
    check(
        &task("Unknown", "1"),
        &[],
        Ok("7"),
        &expect![[r#"
        0:00.000 runs with []
        Ok(Ok(7))
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
}

#[test]
fn what_the_bindings_cannot_do_is_a_failure_and_what_the_store_cannot_is_tried_again() {
    check(
        &task("Report", "{}"),
        &[],
        Ok("7"),
        &expect![[r#"
        Ok(Err(Failure { error_type: "BindingFailed", message: "binding 'order': the binding expression '{customer}' cannot be filled in: {customer}: there is no `customer`; there is: instanceId", details: None, non_retriable: false, cause: None, properties: {} }))
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
    check(
        &task("Report", r#"{"customer": "ann"}"#),
        &[Fault::Before],
        Ok("7"),
        &expect![[r#"
        Err(Unavailable { function: "Report", message: "the store is unavailable: the disk is full" })
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
    check(
        &task("Report", r#"{"customer": "ann"}"#),
        &[Fault::None, Fault::Before],
        Ok("7"),
        &expect![[r#"
        0:00.000 runs with [("order", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        Err(Unavailable { function: "Report", message: "the store is unavailable: the disk is full" })
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
}

#[test]
fn an_activity_runs_no_more_often_at_a_time_than_it_may() {
    let world = World::new();
    let bindings = bindings(&world, Function { max_concurrency: Some(1), ..report() });
    let task = task("Report", r#"{"customer": "ann"}"#);
    let sleep = || world.clock.sleep_until(world.clock.now().saturating_add(Duration::from_secs(10)));
    let run = || {
        bindings.run(&task, |_| async {
            sleep().await;
            Ok(Ok(Ran { returned: Json::null(), outputs: Vec::new() }))
        })
    };
    world.run(join_all([run(), run()])).expect("both end");
    assert_eq!(world.clock.now().saturating_since(BEGIN), Duration::from_secs(20));
}
