//! Each function natively, and the booking with virtual time.

#![expect(clippy::needless_pass_by_value, reason = "an expectation belongs to its check")]

use std::time::Duration;

use dacapo::testing::{self, Scripted};
use dacapo::{Client, Failure, QueueMessage, Request, Response, TimerInfo};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::booking::book_trip;
use crate::reports::{nightly_report, show_report, show_trip};
use crate::requests::request_trip;
use crate::rows::TripRow;

fn row(seat: Option<&str>) -> TripRow {
    TripRow {
        partition_key: "RustConf".into(),
        row_key: "7".into(),
        traveller: "Ada".into(),
        seat: seat.map(str::to_owned),
    }
}

/// What a message comes to: what is returned, then what goes to each output.
fn check(function: &str, text: &str, outputs: &[&str], expected: Expect) {
    let bindings = testing::bindings();
    let mut shown = match testing::run_queue(function, &QueueMessage::new(text)) {
        Ok(returned) => format!("{returned}\n"),
        Err(failure) => format!("{failure:?}\n"),
    };
    for output in outputs {
        shown += &format!("{output} = {}\n", Value::from(bindings.outputs(output)));
    }
    expected.assert_eq(&shown);
}

#[test]
fn a_request_becomes_a_row_a_booking_and_a_receipt() {
    let request = r#"{"id":"7","traveller":"Ada","conference":"RustConf"}"#;
    check(
        "AcceptTrip",
        request,
        &["trips", "booking"],
        expect![[r#"
        "Ada is on the list for RustConf"
        trips = [{"PartitionKey":"RustConf","RowKey":"7","Traveller":"Ada"}]
        booking = [{"input":{"PartitionKey":"RustConf","RowKey":"7","Traveller":"Ada"},"instanceId":"trip-7","name":"BookTrip"}]
    "#]],
    );
    check(
        "AcceptTrip",
        r#"{"traveller":"Ada"}"#,
        &["trips", "booking"],
        expect![[r#"
        InvalidPayload: the message for AcceptTrip is not a TripRequest: missing field `id` at line 1 column 19 (non-retriable)
        trips = []
        booking = []
    "#]],
    );
}

#[test]
fn what_is_no_request_is_kept() {
    check(
        "RefuseTrip",
        "one for Oslo, please",
        &[],
        expect![[r#"
        {"Received":"1970-01-01T00:00:00Z","RowKey":"","Text":"one for Oslo, please"}
    "#]],
    );
}

#[test]
fn requests_come_by_http_too() {
    let bindings = testing::bindings();
    let request = json!({ "id": "7", "traveller": "Ada", "conference": "RustConf" });
    assert_eq!(request_trip(Request::post("http://localhost/api/trips", &request)).unwrap().status, 202);
    // A text, which is the message as it is.
    let [message]: [String; 1] = bindings.outputs_as("requests").try_into().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&message).unwrap(), request);
}

#[test]
fn a_booking_is_tried_again_and_noted() {
    let bindings = testing::bindings();
    let outcome = Scripted::new()
        .activity_results("BookSeat", [Err(Failure::new("Busy", "try later")), Ok("12A")])
        .real_activities()
        .run(book_trip, &row(None));
    assert_eq!(outcome.result.unwrap(), row(Some("12A")));
    assert_eq!(bindings.outputs_as::<TripRow>("trips"), [row(Some("12A"))]);
}

#[test]
fn a_seat_is_the_same_however_often_it_is_booked() {
    let book = || Scripted::new().real_activities().run(book_trip, &row(None)).result.unwrap().seat;
    let _bindings = testing::bindings();
    assert_eq!(book(), book());
}

#[test]
fn the_report_counts_and_removes() {
    let _bindings = testing::bindings().input("trips", &[row(None), row(Some("12A")), row(Some("12B"))]);
    let instances = testing::instances();
    let client = Client::new();
    let ended = client.start(book_trip, &row(None)).unwrap();
    let at_work = client.start(book_trip, &row(None)).unwrap();
    instances.complete(&ended, &row(Some("12A")));
    let started = client.status(&ended).unwrap().created_time;
    let check = |days: u64, expected: Expect| {
        let report = nightly_report(TimerInfo::new(started + Duration::from_secs(days * 24 * 3_600))).unwrap();
        expected.assert_eq(&serde_json::to_string(&report).unwrap());
    };
    check(29, expect![[r#"{"PartitionKey":"nightly","RowKey":"2026-01-30","Booked":2,"Waiting":1,"Purged":0}"#]]);
    check(30, expect![[r#"{"PartitionKey":"nightly","RowKey":"2026-01-31","Booked":2,"Waiting":1,"Purged":1}"#]]);
    assert!(client.status(&at_work).is_ok());
}

#[test]
fn rows_are_shown() {
    let shown = |response: Result<Response, Failure>| {
        let response = response.unwrap();
        format!("{} {}", response.status, String::from_utf8_lossy(&response.body))
    };
    // As they come from a table: with more than what was written.
    let trip =
        json!({ "PartitionKey": "RustConf", "RowKey": "7", "Timestamp": "2026-11-22T03:00:00Z", "Traveller": "Ada" });
    let _bindings = testing::bindings().input("trip", &trip).input("report", &Value::Null);
    expect![[r#"200 {"PartitionKey":"RustConf","RowKey":"7","Traveller":"Ada"}"#]]
        .assert_eq(&shown(show_trip(Request::get("http://localhost/api/trips/RustConf/7"))));
    expect!["404 "].assert_eq(&shown(show_report(Request::get("http://localhost/api/reports/2026-11-22"))));
}
