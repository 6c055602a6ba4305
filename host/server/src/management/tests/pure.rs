//! URIs and moments: what the API computes without looking at a request or a task hub.

use super::super::uris::{ManagementUris, Payload};
use expect_test::{Expect, expect};
use orchestration::Timestamp;
use std::sync::Arc;

use crate::auth::{Doors, Guarded};
use crate::keys::{KeyId, KeyName, Scope, Secret};
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

#[test]
fn uris_carry_the_key_that_they_need() {
    let key = KeyId::Named { scope: Scope::System, name: KeyName::parse("durabletask_extension").expect("a name") };
    let ring = super::world::key_ring();
    ring.put(&key, Some(Secret::parse("sesame&open=1+1").expect("a value"))).expect("memory takes it");
    let uris = ManagementUris {
        own_origin: "http://h".to_owned(),
        task_hub: "Trips".to_owned(),
        doors: Doors::new(Arc::clone(&ring), Guarded::Yes),
    };
    let payload = Payload::CheckStatus { internal_server_error_on_failure: true };
    let status = || uris.of("a", None, payload).status_query_get_uri;
    expect!["http://h/runtime/webhooks/durabletask/instances/a?taskHub=Trips&connection=Storage&code=sesame%26open%3D1%2B1&returnInternalServerErrorOnFailure=true"].assert_eq(&status());
    assert!(
        !uris.json("a", None).as_str().split("\"http").skip(1).any(|uri| !uri.contains("&code=sesame%26open%3D1%2B1"))
    );
    ring.put(&key, Some(Secret::parse("sesame-2").expect("a value"))).expect("memory takes it");
    assert!(status().contains("&code=sesame-2&"), "a key that was rotated is in the next URI");
    ring.delete(&key).expect("it is there");
    assert!(!status().contains("code="), "without a key there is none to carry");
}
