//! Every orchestrator, run natively with the real activities and virtual time.

#![expect(clippy::needless_pass_by_value, reason = "an expectation belongs to its check")]

use std::time::Duration;

use dacapo::testing::{Scripted, instances};
use dacapo::{Orchestrator, Request};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::approved_trip::{approve, approved_trip};
use crate::combined_trips::combined_trips;
use crate::compensating::compensating;
use crate::email_campaign::email_campaign;
use crate::flight_or_train::flight_or_train;
use crate::flight_with_retry::flight_with_retry;
use crate::parallel_trips::parallel_trips;
use crate::price_watch::price_watch;
use crate::sequential::{sequential, start_sequential};

/// What was run, in which order and when, and what came of it.
fn check<O: Orchestrator>(script: Scripted, orchestrator: O, input: Value, expected: Expect) {
    let input: O::Input = serde_json::from_value(input).unwrap();
    let outcome = script.real_activities().run(orchestrator, &input);
    let mut text = format!("{}\nafter {:?}: ", outcome.names().join(" "), outcome.elapsed);
    match &outcome.result {
        Ok(output) => text += &serde_json::to_string_pretty(output).unwrap(),
        Err(failure) => text += &format!("{failure:?}"),
    }
    expected.assert_eq(&text);
}

fn trip(simulate: Value) -> Value {
    json!({ "traveller": "Ada", "conference": "RustConf", "simulate": simulate })
}

#[test]
fn one_thing_after_another() {
    check(
        Scripted::new(),
        sequential,
        trip(json!({})),
        expect![[r#"
        BookConference BookFlight BookHotel
        after 0ns: {
          "traveller": "Ada",
          "conference": "RustConf",
          "bookings": [
            {
              "what": "ticket for RustConf",
              "reference": "TK-7W84X8",
              "priceCents": 35000
            },
            {
              "what": "flight for RustConf",
              "reference": "FL-E78UX4",
              "priceCents": 18000
            },
            {
              "what": "hotel for RustConf",
              "reference": "HO-CFWXXG",
              "priceCents": 24000
            }
          ],
          "totalCents": 77000
        }"#]],
    );
}

#[test]
fn the_train_when_there_is_no_flight() {
    check(
        Scripted::new(),
        flight_or_train,
        trip(json!({ "flight": { "refuses": true } })),
        expect![[r#"
        BookConference BookFlight BookTrain BookHotel
        after 0ns: {
          "traveller": "Ada",
          "conference": "RustConf",
          "bookings": [
            {
              "what": "ticket for RustConf",
              "reference": "TK-7W84X8",
              "priceCents": 35000
            },
            {
              "what": "train for RustConf",
              "reference": "TR-CFWXXG",
              "priceCents": 9500
            },
            {
              "what": "hotel for RustConf",
              "reference": "HO-ZN8CYC",
              "priceCents": 24000
            }
          ],
          "totalCents": 68500
        }"#]],
    );
    let outcome = Scripted::new()
        .real_activities()
        .run(flight_or_train, &serde_json::from_value(trip(json!({ "flight": { "failures": 1 } }))).unwrap());
    assert_eq!(outcome.log.len(), 1);
}

#[test]
fn what_was_booked_is_undone() {
    let flaky = json!({ "hotel": { "refuses": true }, "cancellation": { "failures": 2 } });
    check(
        Scripted::new(),
        compensating,
        trip(flaky),
        expect![[r#"
        BookConference BookFlight BookHotel CancelBooking CancelBooking CancelBooking CancelBooking CancelBooking CancelBooking
        after 6s: TripUndone: undone: flight for RustConf, ticket for RustConf
          caused by Refused: hotel: refused for good"#]],
    );
    check(
        Scripted::new(),
        compensating,
        trip(json!({})),
        expect![[r#"
        BookConference BookFlight BookHotel
        after 0ns: {
          "traveller": "Ada",
          "conference": "RustConf",
          "bookings": [
            {
              "what": "ticket for RustConf",
              "reference": "TK-7W84X8",
              "priceCents": 35000
            },
            {
              "what": "flight for RustConf",
              "reference": "FL-E78UX4",
              "priceCents": 18000
            },
            {
              "what": "hotel for RustConf",
              "reference": "HO-CFWXXG",
              "priceCents": 24000
            }
          ],
          "totalCents": 77000
        }"#]],
    );
}

#[test]
fn a_flaky_service_is_asked_again() {
    check(
        Scripted::new(),
        flight_with_retry,
        trip(json!({ "flight": { "failures": 4 } })),
        expect![[r#"
        BookFlight BookFlight BookFlight BookFlight BookFlight
        after 12s: {
          "what": "flight for RustConf",
          "reference": "FL-7W84X8",
          "priceCents": 18000
        }"#]],
    );
    check(
        Scripted::new(),
        flight_with_retry,
        trip(json!({ "flight": { "failures": 5 } })),
        expect![[r#"
        BookFlight BookFlight BookFlight BookFlight BookFlight
        after 12s: Unavailable: flight: no answer at attempt 5"#]],
    );
    check(
        Scripted::new(),
        flight_with_retry,
        trip(json!({ "flight": { "refuses": true } })),
        expect![[r#"
        BookFlight
        after 0ns: Refused: flight: refused for good (non-retriable)"#]],
    );
}

#[test]
fn a_workflow_of_workflows() {
    let tour = json!({ "trips": [trip(json!({})), trip(json!({ "flight": { "refuses": true } }))] });
    check(
        Scripted::new(),
        combined_trips,
        tour,
        expect![[r#"
        BookTrip BookConference BookFlight BookHotel BookTrip BookConference BookFlight
        after 0ns: Refused: flight: refused for good (non-retriable)"#]],
    );
}

#[test]
fn two_at_once_take_as_long_as_one() {
    let tour = json!({ "trips": [trip(json!({})), trip(json!({}))] });
    let slow = Scripted::new().activity_takes("BookFlight", Duration::from_secs(60));
    check(
        slow,
        parallel_trips,
        tour,
        expect![[r#"
        BookTrip BookTrip BookConference BookConference BookFlight BookFlight BookHotel BookHotel ReportExpenses
        after 60s: {
          "itineraries": [
            {
              "traveller": "Ada",
              "conference": "RustConf",
              "bookings": [
                {
                  "what": "ticket for RustConf",
                  "reference": "TK-T6BY4N",
                  "priceCents": 35000
                },
                {
                  "what": "flight for RustConf",
                  "reference": "FL-VWNV4A",
                  "priceCents": 18000
                },
                {
                  "what": "hotel for RustConf",
                  "reference": "HO-XNZS4W",
                  "priceCents": 24000
                }
              ],
              "totalCents": 77000
            },
            {
              "traveller": "Ada",
              "conference": "RustConf",
              "bookings": [
                {
                  "what": "ticket for RustConf",
                  "reference": "TK-P9YBVK",
                  "priceCents": 35000
                },
                {
                  "what": "flight for RustConf",
                  "reference": "FL-VHZ3UF",
                  "priceCents": 18000
                },
                {
                  "what": "hotel for RustConf",
                  "reference": "HO-TRN6UT",
                  "priceCents": 24000
                }
              ],
              "totalCents": 77000
            }
          ],
          "expenses": {
            "traveller": "Ada",
            "bookings": 6,
            "totalCents": 154000
          }
        }"#]],
    );
}

#[test]
fn hundreds_are_fanned_out_and_counted() {
    let campaign =
        json!({ "subject": "See you there", "recipients": 500, "bouncing": 3, "simulate": { "failures": 1 } });
    let outcome = Scripted::new().real_activities().run(email_campaign, &serde_json::from_value(campaign).unwrap());
    // Each of the 497 that do not bounce at once needs a second try.
    assert_eq!(outcome.count("SendEmail"), 500 + 497);
    assert_eq!(outcome.elapsed, Duration::from_secs(1));
    assert_eq!(outcome.custom_status, Some(json!({ "sent": 497, "bounced": 3 })));
    assert_eq!(serde_json::to_value(outcome.result.unwrap()).unwrap(), json!({ "sent": 497, "bounced": 3 }));
}

#[test]
fn a_person_decides_in_time_or_not() {
    let request = || json!({ "trip": trip(json!({})), "deadlineSeconds": 60 });
    let answer = |approved: bool| json!({ "approved": approved, "by": "Grace" });
    let second = Duration::from_secs(1);
    check(
        Scripted::new().event_at(second, "Approval", &answer(true)),
        approved_trip,
        request(),
        expect![[r#"
        BookTrip BookConference BookFlight BookHotel
        after 1s: {
          "decision": "approved",
          "by": "Grace",
          "itinerary": {
            "traveller": "Ada",
            "conference": "RustConf",
            "bookings": [
              {
                "what": "ticket for RustConf",
                "reference": "TK-GK8EAS",
                "priceCents": 35000
              },
              {
                "what": "flight for RustConf",
                "reference": "FL-AB8NAW",
                "priceCents": 18000
              },
              {
                "what": "hotel for RustConf",
                "reference": "HO-C3JLAJ",
                "priceCents": 24000
              }
            ],
            "totalCents": 77000
          }
        }"#]],
    );
    check(
        Scripted::new().event_at(second, "approval", &answer(false)),
        approved_trip,
        request(),
        expect![[r#"

        after 1s: {
          "decision": "declined",
          "by": "Grace"
        }"#]],
    );
    check(
        Scripted::new().event_at(second * 61, "Approval", &answer(true)),
        approved_trip,
        request(),
        expect![[r#"

        after 60s: {
          "decision": "deadlinePassed"
        }"#]],
    );
}

#[test]
fn the_price_is_watched_until_it_is_right() {
    let watch = json!({
        "trip": {
            "traveller": "Ada",
            "conference": "RustConf",
            "maxFlightPriceCents": 10_000,
            "simulate": { "flight": { "priceCents": 25_000 } },
        },
        "everySeconds": 3_600,
        "priceFallsByCents": 5_000,
    });
    check(
        Scripted::new(),
        price_watch,
        watch,
        expect![[r#"
        BookFlight BookFlight BookFlight BookFlight
        after 10800s: {
          "flight": {
            "what": "flight for RustConf",
            "reference": "FL-7W84X8",
            "priceCents": 10000
          },
          "looks": 4
        }"#]],
    );
}

#[test]
fn starters_answer_with_where_to_look() {
    let instances = instances();
    let response = start_sequential(Request::post("http://localhost/api/trips/sequential", &trip(json!({})))).unwrap();
    assert_eq!((response.status, response.header("retry-after")), (202, Some("10")));
    let started = instances.started();
    assert_eq!((started[0].name.as_str(), &started[0].input["traveller"]), ("Sequential", &json!("Ada")));

    let waited =
        start_sequential(Request::post("http://localhost/api/trips/sequential?wait=0", &trip(json!({})))).unwrap();
    assert_eq!(waited.status, 202);
    let misspelt = Request::post("http://localhost/api/trips/sequential", &json!({ "traveler": "Ada" }));
    assert!(start_sequential(misspelt).unwrap_err().is("BadRequest"));
}

#[test]
fn an_approval_is_raised_for_the_instance_in_the_route() {
    let instances = instances();
    start_sequential(Request::post("http://localhost/api/trips/sequential", &trip(json!({})))).unwrap();
    let answer = json!({ "approved": true, "by": "Grace" });
    let request = |id: &str| Request::post("http://localhost/api/approvals/x", &answer).with_param("instanceId", id);
    assert_eq!(approve(request("instance-1")).unwrap().status, 202);
    assert_eq!(instances.events(), [("instance-1".to_owned(), "Approval".to_owned(), answer.clone())]);
    assert!(approve(request("nobody")).unwrap_err().is("NotFound"));
}
