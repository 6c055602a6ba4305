//! URIs and moments: what the API computes without looking at a request or a task hub.

use super::super::uris::{ManagementUris, Payload};
use expect_test::{Expect, expect};
use orchestration::Timestamp;

use crate::moment;

#[test]
fn functions_get_every_uri_with_what_is_reserved_escaped() {
    let uris = ManagementUris {
        own_origin: "http://localhost:7071".to_owned(),
        task_hub: "Trips".to_owned(),
        doors: super::world::open_doors(),
    };
    expect![[r#"
        {"id":"a trip:1/é",
          "statusQueryGetUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/a%20trip%3A1%2F%C3%A9?taskHub=Trips&connection=Storage",
          "sendEventPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/a%20trip%3A1%2F%C3%A9/raiseEvent/{eventName}?taskHub=Trips&connection=Storage",
          "terminatePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/a%20trip%3A1%2F%C3%A9/terminate?reason={text}&taskHub=Trips&connection=Storage",
          "rewindPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/a%20trip%3A1%2F%C3%A9/rewind?reason={text}&taskHub=Trips&connection=Storage",
          "purgeHistoryDeleteUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/a%20trip%3A1%2F%C3%A9?taskHub=Trips&connection=Storage",
          "restartPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/a%20trip%3A1%2F%C3%A9/restart?taskHub=Trips&connection=Storage",
          "suspendPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/a%20trip%3A1%2F%C3%A9/suspend?reason={text}&taskHub=Trips&connection=Storage",
          "resumePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/a%20trip%3A1%2F%C3%A9/resume?reason={text}&taskHub=Trips&connection=Storage"}"#]].assert_eq(&uris.json("a trip:1/é", None).as_str().replace(",\"", ",\n  \""));
    let elsewhere = uris.of("t", Some("https://shop.example"), Payload::Management);
    expect!["https://shop.example/runtime/webhooks/durabletask/instances/t?taskHub=Trips&connection=Storage"]
        .assert_eq(&elsewhere.status_query_get_uri);
}

fn check_moment(text: &str, expected: &Expect) {
    let read = moment::parse(text).map_or_else(|| "none".to_owned(), |moment| moment.to_string());
    expected.assert_eq(&read);
}

#[test]
fn moments_are_read_as_iso_8601_and_as_utc_where_they_do_not_say() {
    check_moment("2024-02-29T12:30:45Z", &expect!["2024-02-29T12:30:45.0000000Z"]);
    check_moment(" 2024-02-29T12:30:45.1234567+02:00 ", &expect!["2024-02-29T10:30:45.1234567Z"]);
    check_moment("2024-02-29T12:30", &expect!["2024-02-29T12:30:00.0000000Z"]);
    check_moment("2024-02-29", &expect!["2024-02-29T00:00:00.0000000Z"]);
    check_moment("1969-12-31T23:59:59.9999999Z", &expect!["1969-12-31T23:59:59.9999999Z"]);
    check_moment("2023-02-29", &expect!["none"]);
    check_moment("02/29/2024", &expect!["none"]);
    check_moment("2024-02-29T12:30:45+99:00", &expect!["none"]);
    check_moment("", &expect!["none"]);
}

#[test]
fn moments_are_written_to_the_second() {
    let written =
        [0, -1, 17_040_672_001_234_567, i64::MAX].map(|ticks| moment::to_second(Timestamp::from_ticks(ticks)));
    expect!["1970-01-01T00:00:00Z 1969-12-31T23:59:59Z 2024-01-01T00:00:00Z 31197-09-14T02:48:05Z"]
        .assert_eq(&written.join(" "));
}
