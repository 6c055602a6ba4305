//! The sample workflows, each from its HTTP starter to its expected output.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::client::MANAGEMENT;
use crate::host::Host;
use crate::samples;

/// A host with the sample app, and what it answers.
fn with_bookings(test: impl FnOnce(&mut Host)) {
    let mut host = Host::start(&samples::manifest("conference-booking"), ["--ephemeral"]);
    test(&mut host);
    host.stop();
}

/// References are made from instance ids, which are random.
fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match field.as_str() {
                    Some(reference) if name == "reference" => *field = json!(format!("{}..", &reference[..2])),
                    _ => redact(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Starts a workflow by its HTTP function, waits for the end, and compares the status code and the body.
fn check(host: &Host, route: &str, input: &Value, expected: &Expect) {
    let answer = host.client().post(&format!("/api/trips/{route}?wait=60"), &input.to_string());
    let mut body = answer.json();
    if answer.status == 200 && body.get("runtimeStatus").is_some() {
        body = json!({ "runtimeStatus": body["runtimeStatus"], "output": body["output"] });
    }
    redact(&mut body);
    expected.assert_eq(&format!("{} {body:#}", answer.status));
}

fn trip() -> Value {
    json!({ "traveller": "Ada", "conference": "RustConf" })
}

fn trip_with(simulate: &Value) -> Value {
    json!({ "traveller": "Ada", "conference": "RustConf", "simulate": simulate })
}

#[test]
fn steps_follow_each_other() {
    with_bookings(|host| {
        check(
            host,
            "sequential",
            &trip(),
            &expect![[r#"
        200 {
          "bookings": [
            {
              "priceCents": 35000,
              "reference": "TK..",
              "what": "ticket for RustConf"
            },
            {
              "priceCents": 18000,
              "reference": "FL..",
              "what": "flight for RustConf"
            },
            {
              "priceCents": 24000,
              "reference": "HO..",
              "what": "hotel for RustConf"
            }
          ],
          "conference": "RustConf",
          "totalCents": 77000,
          "traveller": "Ada"
        }"#]],
        )
    });
}

#[test]
fn a_failed_flight_becomes_a_train() {
    with_bookings(|host| {
        check(
            host,
            "flight-or-train",
            &trip_with(&json!({ "flight": { "refuses": true } })),
            &expect![[r#"
            200 {
              "bookings": [
                {
                  "priceCents": 35000,
                  "reference": "TK..",
                  "what": "ticket for RustConf"
                },
                {
                  "priceCents": 9500,
                  "reference": "TR..",
                  "what": "train for RustConf"
                },
                {
                  "priceCents": 24000,
                  "reference": "HO..",
                  "what": "hotel for RustConf"
                }
              ],
              "conference": "RustConf",
              "totalCents": 68500,
              "traveller": "Ada"
            }"#]],
        );
    });
}

#[test]
fn a_late_failure_undoes_what_was_booked() {
    with_bookings(|host| {
        check(
            host,
            "compensating",
            &trip_with(&json!({ "hotel": { "refuses": true } })),
            &expect![[r#"
            200 {
              "output": "TripUndone: undone: flight for RustConf, ticket for RustConf",
              "runtimeStatus": "Failed"
            }"#]],
        );
        check(
            host,
            "compensating",
            &trip(),
            &expect![[r#"
            200 {
              "bookings": [
                {
                  "priceCents": 35000,
                  "reference": "TK..",
                  "what": "ticket for RustConf"
                },
                {
                  "priceCents": 18000,
                  "reference": "FL..",
                  "what": "flight for RustConf"
                },
                {
                  "priceCents": 24000,
                  "reference": "HO..",
                  "what": "hotel for RustConf"
                }
              ],
              "conference": "RustConf",
              "totalCents": 77000,
              "traveller": "Ada"
            }"#]],
        );
    });
}

#[test]
fn a_flaky_service_is_asked_again() {
    with_bookings(|host| {
        check(
            host,
            "flight-with-retry",
            &trip_with(&json!({ "flight": { "failures": 1 } })),
            &expect![[r#"
            200 {
              "priceCents": 18000,
              "reference": "FL..",
              "what": "flight for RustConf"
            }"#]],
        );
    });
}

#[test]
fn a_workflow_is_a_step_of_another() {
    with_bookings(|host| {
        check(
            host,
            "combined-trips",
            &json!({ "trips": [trip(), trip()] }),
            &expect![[r#"
        200 [
          {
            "bookings": [
              {
                "priceCents": 35000,
                "reference": "TK..",
                "what": "ticket for RustConf"
              },
              {
                "priceCents": 18000,
                "reference": "FL..",
                "what": "flight for RustConf"
              },
              {
                "priceCents": 24000,
                "reference": "HO..",
                "what": "hotel for RustConf"
              }
            ],
            "conference": "RustConf",
            "totalCents": 77000,
            "traveller": "Ada"
          },
          {
            "bookings": [
              {
                "priceCents": 35000,
                "reference": "TK..",
                "what": "ticket for RustConf"
              },
              {
                "priceCents": 18000,
                "reference": "FL..",
                "what": "flight for RustConf"
              },
              {
                "priceCents": 24000,
                "reference": "HO..",
                "what": "hotel for RustConf"
              }
            ],
            "conference": "RustConf",
            "totalCents": 77000,
            "traveller": "Ada"
          }
        ]"#]],
        )
    });
}

#[test]
fn steps_run_at_the_same_time() {
    with_bookings(|host| {
        check(
            host,
            "parallel-trips",
            &json!({ "trips": [trip(), trip()] }),
            &expect![[r#"
        200 {
          "expenses": {
            "bookings": 6,
            "totalCents": 154000,
            "traveller": "Ada"
          },
          "itineraries": [
            {
              "bookings": [
                {
                  "priceCents": 35000,
                  "reference": "TK..",
                  "what": "ticket for RustConf"
                },
                {
                  "priceCents": 18000,
                  "reference": "FL..",
                  "what": "flight for RustConf"
                },
                {
                  "priceCents": 24000,
                  "reference": "HO..",
                  "what": "hotel for RustConf"
                }
              ],
              "conference": "RustConf",
              "totalCents": 77000,
              "traveller": "Ada"
            },
            {
              "bookings": [
                {
                  "priceCents": 35000,
                  "reference": "TK..",
                  "what": "ticket for RustConf"
                },
                {
                  "priceCents": 18000,
                  "reference": "FL..",
                  "what": "flight for RustConf"
                },
                {
                  "priceCents": 24000,
                  "reference": "HO..",
                  "what": "hotel for RustConf"
                }
              ],
              "conference": "RustConf",
              "totalCents": 77000,
              "traveller": "Ada"
            }
          ]
        }"#]],
        )
    });
}

#[test]
fn hundreds_of_steps_are_joined() {
    let campaign = json!({ "subject": "Call for papers", "recipients": 300, "bouncing": 20 });
    with_bookings(|host| {
        check(
            host,
            "email-campaign",
            &campaign,
            &expect![[r#"
        200 {
          "bounced": 20,
          "sent": 280
        }"#]],
        )
    });
}

#[test]
fn a_person_decides_or_the_deadline_passes() {
    with_bookings(|host| {
        check(
            host,
            "approved-trip",
            &json!({ "trip": trip(), "deadlineSeconds": 0 }),
            &expect![[r#"
            200 {
              "decision": "deadlinePassed"
            }"#]],
        );

        let client = host.client();
        let started =
            client.post("/api/trips/approved-trip", &json!({ "trip": trip() }).to_string()).expect(202).json();
        let id = started["id"].as_str().expect("an id");
        client
            .post(&format!("/api/approvals/{id}"), &json!({ "approved": true, "by": "Grace" }).to_string())
            .expect(202);
        let mut output = host.wait_for_end(id)["output"].take();
        redact(&mut output);
        expect![[r#"
            {
              "by": "Grace",
              "decision": "approved",
              "itinerary": {
                "bookings": [
                  {
                    "priceCents": 35000,
                    "reference": "TK..",
                    "what": "ticket for RustConf"
                  },
                  {
                    "priceCents": 18000,
                    "reference": "FL..",
                    "what": "flight for RustConf"
                  },
                  {
                    "priceCents": 24000,
                    "reference": "HO..",
                    "what": "hotel for RustConf"
                  }
                ],
                "conference": "RustConf",
                "totalCents": 77000,
                "traveller": "Ada"
              }
            }"#]]
        .assert_eq(&format!("{output:#}"));
    });
}

#[test]
fn a_price_is_watched_over_several_generations() {
    let mut trip = trip_with(&json!({ "flight": { "priceCents": 30_000 } }));
    trip["maxFlightPriceCents"] = json!(20_000);
    let watch = json!({ "trip": trip, "everySeconds": 0, "priceFallsByCents": 4_000 });
    with_bookings(|host| {
        check(
            host,
            "price-watch",
            &watch,
            &expect![[r#"
        200 {
          "flight": {
            "priceCents": 18000,
            "reference": "FL..",
            "what": "flight for RustConf"
          },
          "looks": 4
        }"#]],
        )
    });
}

#[test]
fn a_starter_without_waiting_answers_where_to_look() {
    with_bookings(|host| {
        let client = host.client();
        let answer = client.post("/api/trips/sequential", &trip().to_string()).expect(202);
        let uris = answer.json();
        let id = uris["id"].as_str().expect("an id");
        assert_eq!(answer.header("location"), uris["statusQueryGetUri"].as_str().expect("a URI"));
        assert!(answer.header("location").contains(&format!("{MANAGEMENT}/instances/{id}")), "{answer:?}");
        assert_eq!(host.wait_for_end(id)["runtimeStatus"], "Completed");
        client.get(answer.header("location")).expect(200);
    });
}
