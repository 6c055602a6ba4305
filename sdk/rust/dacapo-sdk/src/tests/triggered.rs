//! Queue and timer functions in every form that their attributes accept, and the bindings of a function.

use expect_test::{Expect, expect};
use serde::{Deserialize, Serialize};

use crate::functions::{Kind, describe};
use crate::testing::{bindings, instances, run_queue, run_timer};
use crate::{Client, Context, Failure, QueueMessage, TimerInfo, Timestamp};

#[derive(Serialize, Deserialize)]
struct Trip {
    traveller: String,
}

#[crate::queue]
fn queue_json(Trip { traveller }: Trip) -> String {
    format!("a trip of {traveller}")
}

#[crate::queue]
fn queue_json_and_message(mut trips: Vec<Trip>, message: &QueueMessage) -> Result<Vec<Trip>, Failure> {
    trips.truncate(1);
    match message.dequeue_count {
        1 => Ok(trips),
        again => Err(Failure::new("TooLate", format!("received {again} times"))),
    }
}

#[crate::queue(name = "Queue-Text")]
fn queue_text(text: String) -> Option<usize> {
    Some(text.len())
}

/// What it returns is a part of the message.
#[crate::queue]
fn queue_str(text: &str, message: QueueMessage) -> (&str, u32) {
    (text.trim(), message.dequeue_count)
}

#[crate::queue]
fn queue_whole(message: QueueMessage) -> Result<u8, std::num::ParseIntError> {
    message.text.parse()
}

#[crate::queue]
fn queue_reference(message: &QueueMessage) -> Result<bool, Failure> {
    message.json()
}

#[crate::queue]
fn queue_nothing() {}

#[crate::orchestrator]
async fn triggered_travel(_ctx: Context, trip: Trip) -> String {
    trip.traveller
}

#[crate::queue]
fn queue_start(trip: Trip) -> Result<String, Failure> {
    Ok(Client::new().start_with_id("trip-1", triggered_travel, &trip)?)
}

#[crate::timer]
fn timer_value(timer: TimerInfo) -> Result<bool, Failure> {
    Ok(timer.is_past_due)
}

#[crate::timer(name = "Timer-Reference")]
fn timer_reference(timer: &TimerInfo) -> u32 {
    timer.retry_count
}

#[crate::timer]
fn timer_nothing() {}

fn check(function: &str, text: &str, expected: Expect) {
    check_message(function, &QueueMessage::new(text), expected);
}

fn check_message(function: &str, message: &QueueMessage, expected: Expect) {
    expected.assert_eq(&match run_queue(function, message) {
        Ok(returned) => returned.to_string(),
        Err(failure) => format!("{failure:?}"),
    });
}

#[test]
fn messages_are_read_as_what_the_function_takes() {
    check("QueueJson", r#"{"traveller":"Ada"}"#, expect![[r#""a trip of Ada""#]]);
    check(
        "QueueJson",
        "Ada",
        expect![
            "InvalidPayload: the message for QueueJson is not a Trip: expected value at line 1 column 1 (non-retriable)"
        ],
    );
    check(
        "QueueJsonAndMessage",
        r#"[{"traveller":"Ada"},{"traveller":"Grace"}]"#,
        expect![[r#"[{"traveller":"Ada"}]"#]],
    );
    let mut again = QueueMessage::new("[]");
    again.dequeue_count = 2;
    check_message("QueueJsonAndMessage", &again, expect!["TooLate: received 2 times"]);
    check("Queue-Text", r#""Ada""#, expect!["5"]);
    check("QueueStr", " Ada ", expect![[r#"["Ada",1]"#]]);
    check("QueueWhole", "7", expect!["7"]);
    check("QueueWhole", "256", expect!["ParseIntError: number too large to fit in target type"]);
    check("QueueReference", "true", expect!["true"]);
    check(
        "QueueReference",
        "maybe",
        expect!["InvalidPayload: the message is not a bool: expected value at line 1 column 1 (non-retriable)"],
    );
    check("QueueNothing", "not looked at", expect!["null"]);
    check(
        "queueNothing",
        "",
        expect![
            "QueueFunctionNotFound: this component has no queue function 'queueNothing'; it has: Queue-Text, QueueJson, QueueJsonAndMessage, QueueNothing, QueueReference, QueueStart, QueueStr, QueueWhole (non-retriable)"
        ],
    );
}

#[test]
fn timers_are_told_what_they_run_for() {
    let mut timer = TimerInfo::new(Timestamp::UNIX_EPOCH);
    timer.is_past_due = true;
    timer.retry_count = 3;
    let run = |function| run_timer(function, &timer).map_err(|failure| failure.to_string());
    assert_eq!(run("TimerValue"), Ok(true.into()));
    assert_eq!(run("Timer-Reference"), Ok(3.into()));
    assert_eq!(run("TimerNothing"), Ok(().into()));
    expect!["TimerFunctionNotFound: this component has no timer function 'TimerMissing'; it has: Timer-Reference, TimerNothing, TimerValue"].assert_eq(&run("TimerMissing").unwrap_err());
}

#[test]
fn they_stay_the_functions_that_they_are() {
    assert_eq!(queue_json(Trip { traveller: "Ada".into() }), "a trip of Ada");
    assert_eq!(queue_str(" Ada", QueueMessage::new("")), ("Ada", 1));
    assert!(!timer_value(TimerInfo::new(Timestamp::UNIX_EPOCH)).unwrap());
}

#[test]
fn they_are_described() {
    let functions = describe();
    for expected in [
        ("QueueJson", Kind::Queue),
        ("Queue-Text", Kind::Queue),
        ("TimerValue", Kind::Timer),
        ("Timer-Reference", Kind::Timer),
    ] {
        assert!(functions.contains(&expected), "{expected:?} is not in {functions:?}");
    }
}

#[test]
fn they_can_start_orchestrations() {
    let instances = instances();
    check("QueueStart", r#"{"traveller":"Ada"}"#, expect![[r#""trip-1""#]]);
    assert_eq!(instances.started()[0].name, "TriggeredTravel");
}

#[test]
fn inputs_are_read_by_name() {
    let _bindings = bindings().input("rates", &[1, 2]).input("nobody", &None::<Trip>);
    assert_eq!(crate::input::<Vec<u32>>("rates").unwrap(), [1, 2]);
    assert!(crate::input::<Option<Trip>>("nobody").unwrap().is_none());
    let failed = |result: Result<Trip, Failure>| format!("{:?}", result.err());
    expect!["Some(InvalidPayload: the input 'rates' is not a Trip: invalid type: integer `1`, expected a string at line 1 column 2 (non-retriable))"].assert_eq(&failed(crate::input("rates")));
    expect!["Some(UnknownBinding: the test has no input named 'prices' for this function; it has: nobody, rates (non-retriable))"].assert_eq(&failed(crate::input("prices")));
}

#[test]
fn outputs_are_kept_in_order() {
    let bindings = bindings();
    crate::output("log", "first").unwrap();
    crate::output("trips", &Trip { traveller: "Ada".into() }).unwrap();
    crate::output("log", &[Some("second"), None, Some("third")]).unwrap();
    crate::output("log", &()).unwrap();
    assert_eq!(bindings.outputs("log"), ["first", "second", "third"]);
    assert_eq!(bindings.outputs_as::<Trip>("trips")[0].traveller, "Ada");
    assert!(bindings.outputs("other").is_empty());
    let refused = crate::output("$return", "7").unwrap_err();
    expect!["UnknownBinding: the output '$return' takes what the function returns; return the value (non-retriable)"]
        .assert_eq(&format!("{refused:?}"));
    let unwritable = std::collections::BTreeMap::from([(vec![1], 2)]);
    let refused = crate::output("log", &unwritable).unwrap_err();
    expect![
        "InvalidPayload: the output 'log', a BTreeMap, cannot be written as JSON: key must be a string (non-retriable)"
    ]
    .assert_eq(&format!("{refused:?}"));
}

#[test]
#[should_panic(expected = "a test calls `dacapo::testing::bindings()` first")]
fn without_bindings_a_test_is_told_so() {
    drop(bindings());
    let _never = crate::output("log", "lost");
}
