//! The replay law, for every orchestrator of every sample: a guest that stays alive between its turns and one that is built
//! anew for each turn write the same history.

use super::fixtures::{app, app_in, bind_all, bound_app, load, runtime, small_settings};
use super::world::{Between, World, identity};
use crate::{App, Compilation, FunctionKind, Runtime};
use orchestration::{Cursor, Event, EventKind, Identity, InstanceId, InstanceRow, Json, Limits, RaisedEvent, Stopped};
use ports::{Advanced, GuestFault, Orchestrators as _};
use std::collections::BTreeSet;

/// An orchestrator with an input, and the events that are raised while nothing else happens.
type Scenario = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const TRIP: &str = r#"{"traveller":"Ada","conference":"Wasm Day"}"#;
const NO_FLIGHT: &str = r#"{"traveller":"Ada","conference":"Wasm Day","simulate":{"flight":{"refuses":true}}}"#;
const NO_HOTEL: &str = r#"{"traveller":"Ada","conference":"Wasm Day","simulate":{"hotel":{"refuses":true},"cancellation":{"failures":2}}}"#;
const THIRD_TIME: &str = r#"{"traveller":"Ada","conference":"Wasm Day","simulate":{"flight":{"failures":3}}}"#;
const TOUR: &str =
    r#"{"trips":[{"traveller":"Ada","conference":"Wasm Day"},{"traveller":"Ada","conference":"Rust Day"}]}"#;
const CAMPAIGN: &str = r#"{"subject":"Hello","recipients":40,"bouncing":5,"simulate":{"failures":1}}"#;
const REQUEST: &str = r#"{"trip":{"traveller":"Ada","conference":"Wasm Day"},"deadlineSeconds":60}"#;
const WATCH: &str = r#"{"trip":{"traveller":"Ada","conference":"Wasm Day","maxFlightPriceCents":10000,
    "simulate":{"flight":{"priceCents":20000}}},"everySeconds":3600,"priceFallsByCents":4000}"#;
const YES: &[(&str, &str)] = &[("approval", r#"{"approved":true,"by":"Grace"}"#)];
const NO_EVENTS: &[(&str, &str)] = &[];
const NO: &[(&str, &str)] = &[("approval", r#"{"approved":false,"by":"Grace"}"#)];

async fn run(app: &App, (orchestrator, input, events): Scenario, between: Between) -> (InstanceRow, Vec<String>) {
    let mut world = World::new(app, between);
    let raised = |(name, payload): &(&str, &str)| {
        let event = RaisedEvent { name: (*name).to_owned(), input: Json::from(*payload), id: None };
        (InstanceId::from_stored("trip-1"), event)
    };
    world.external_events = events.iter().map(raised).collect();
    let row = world.run(orchestrator, input).await;
    (row, world.histories)
}

/// Checks that every orchestrator of the guest is among the scenarios, and the law for each of them.
async fn check(guest: &str, scenarios: &[Scenario]) -> Vec<InstanceRow> {
    check_in(&app(guest).await, guest, scenarios).await
}

async fn check_in(app: &App, guest: &str, scenarios: &[Scenario]) -> Vec<InstanceRow> {
    let mut rows = Vec::new();
    for scenario in scenarios {
        let (live, live_histories) = run(app, *scenario, Between::KeepAlive).await;
        let (replayed, replayed_histories) = run(app, *scenario, Between::Rebuild).await;
        assert_eq!(live_histories, replayed_histories, "{scenario:?}");
        assert_eq!(live, replayed, "{scenario:?}");
        rows.push(live);
    }
    let component = load(&runtime(), guest).await;
    let all = component.functions().iter().filter(|(_, kind)| *kind == FunctionKind::Orchestrator);
    let all: BTreeSet<&str> = all.map(|(name, _)| name.as_str()).collect();
    assert_eq!(all, scenarios.iter().map(|(name, _, _)| *name).collect(), "each has a scenario");
    rows
}

fn outcomes(rows: &[InstanceRow]) -> String {
    let outcome = |row: &InstanceRow| match (&row.output, &row.failure) {
        (Some(output), None) => format!("{} {} {output}\n", row.name, row.status),
        (_, failure) => format!("{} {} {}\n", row.name, row.status, failure.as_ref().map_or("", |f| &f.error_type)),
    };
    rows.iter().map(outcome).collect()
}

#[tokio::test]
async fn conference_booking() {
    let rows = check(
        "conference-booking",
        &[
            ("Sequential", TRIP, &[]),
            ("Sequential", NO_FLIGHT, &[]),
            ("FlightOrTrain", NO_FLIGHT, &[]),
            ("Compensating", TRIP, &[]),
            ("Compensating", NO_HOTEL, &[]),
            ("FlightWithRetry", THIRD_TIME, &[]),
            ("CombinedTrips", TOUR, &[]),
            ("BookTrip", TRIP, &[]),
            ("ParallelTrips", TOUR, &[]),
            ("EmailCampaign", CAMPAIGN, &[]),
            ("ApprovedTrip", REQUEST, YES),
            ("ApprovedTrip", REQUEST, NO),
            ("ApprovedTrip", REQUEST, &[]),
            ("PriceWatch", WATCH, &[]),
        ],
    )
    .await;
    expect_test::expect![[r#"
        Sequential Completed {"traveller":"Ada","conference":"Wasm Day","bookings":[{"what":"ticket for Wasm Day","reference":"TK-VKUJHS","priceCents":35000},{"what":"flight for Wasm Day","reference":"FL-XB7FHE","priceCents":18000},{"what":"hotel for Wasm Day","reference":"HO-Z3HDH2","priceCents":24000}],"totalCents":77000}
        Sequential Failed Refused
        FlightOrTrain Completed {"traveller":"Ada","conference":"Wasm Day","bookings":[{"what":"ticket for Wasm Day","reference":"TK-VKUJHS","priceCents":35000},{"what":"train for Wasm Day","reference":"TR-Z3HDH2","priceCents":9500},{"what":"hotel for Wasm Day","reference":"HO-4TUAHN","priceCents":24000}],"totalCents":68500}
        Compensating Completed {"traveller":"Ada","conference":"Wasm Day","bookings":[{"what":"ticket for Wasm Day","reference":"TK-VKUJHS","priceCents":35000},{"what":"flight for Wasm Day","reference":"FL-XB7FHE","priceCents":18000},{"what":"hotel for Wasm Day","reference":"HO-Z3HDH2","priceCents":24000}],"totalCents":77000}
        Compensating Failed TripUndone
        FlightWithRetry Completed {"what":"flight for Wasm Day","reference":"FL-R36PHJ","priceCents":18000}
        CombinedTrips Completed [{"traveller":"Ada","conference":"Wasm Day","bookings":[{"what":"ticket for Wasm Day","reference":"TK-GXND57","priceCents":35000},{"what":"flight for Wasm Day","reference":"FL-E7BG5K","priceCents":18000},{"what":"hotel for Wasm Day","reference":"HO-LFC84F","priceCents":24000}],"totalCents":77000},{"traveller":"Ada","conference":"Rust Day","bookings":[{"what":"ticket for Rust Day","reference":"TK-ZETWZ2","priceCents":35000},{"what":"flight for Rust Day","reference":"FL-365TZN","priceCents":18000},{"what":"hotel for Rust Day","reference":"HO-VW53ZS","priceCents":24000}],"totalCents":77000}]
        BookTrip Completed {"traveller":"Ada","conference":"Wasm Day","bookings":[{"what":"ticket for Wasm Day","reference":"TK-VKUJHS","priceCents":35000},{"what":"flight for Wasm Day","reference":"FL-XB7FHE","priceCents":18000},{"what":"hotel for Wasm Day","reference":"HO-Z3HDH2","priceCents":24000}],"totalCents":77000}
        ParallelTrips Completed {"itineraries":[{"traveller":"Ada","conference":"Wasm Day","bookings":[{"what":"ticket for Wasm Day","reference":"TK-GXND57","priceCents":35000},{"what":"flight for Wasm Day","reference":"FL-E7BG5K","priceCents":18000},{"what":"hotel for Wasm Day","reference":"HO-LFC84F","priceCents":24000}],"totalCents":77000},{"traveller":"Ada","conference":"Rust Day","bookings":[{"what":"ticket for Rust Day","reference":"TK-ZETWZ2","priceCents":35000},{"what":"flight for Rust Day","reference":"FL-365TZN","priceCents":18000},{"what":"hotel for Rust Day","reference":"HO-VW53ZS","priceCents":24000}],"totalCents":77000}],"expenses":{"traveller":"Ada","bookings":6,"totalCents":154000}}
        EmailCampaign Completed {"sent":35,"bounced":5}
        ApprovedTrip Completed {"decision":"approved","by":"Grace","itinerary":{"traveller":"Ada","conference":"Wasm Day","bookings":[{"what":"ticket for Wasm Day","reference":"TK-ZETWZ2","priceCents":35000},{"what":"flight for Wasm Day","reference":"FL-365TZN","priceCents":18000},{"what":"hotel for Wasm Day","reference":"HO-VW53ZS","priceCents":24000}],"totalCents":77000}}
        ApprovedTrip Completed {"decision":"declined","by":"Grace"}
        ApprovedTrip Completed {"decision":"deadlinePassed"}
        PriceWatch Completed {"flight":{"what":"flight for Wasm Day","reference":"FL-VKUJHS","priceCents":8000},"looks":4}
    "#]].assert_eq(&outcomes(&rows));
}

#[tokio::test]
async fn bench_functions() {
    let rows = check("bench-functions", &[("Chain", "50", &[]), ("FanOut", "200", &[]), ("Sleep", "5000", &[])]).await;
    expect_test::expect![[r#"
        Chain Completed 50
        FanOut Completed 19900
        Sleep Completed null
    "#]]
    .assert_eq(&outcomes(&rows));
}

/// An instance that began in the development loop goes on under a host that compiles for good.
#[tokio::test]
async fn code_of_the_development_loop_writes_the_same_histories() {
    let folder = tempfile::tempdir().expect("a folder");
    let passing = Runtime::with_compilation(small_settings(), folder.path(), Compilation::Passing).expect("a runtime");
    let (passing, lasting) = (app_in(&passing, "conference-booking").await, app("conference-booking").await);
    for scenario in
        [("ParallelTrips", TOUR, NO_EVENTS), ("EmailCampaign", CAMPAIGN, NO_EVENTS), ("PriceWatch", WATCH, NO_EVENTS)]
    {
        let histories =
            [run(&passing, scenario, Between::Rebuild).await, run(&lasting, scenario, Between::Rebuild).await];
        assert_eq!(histories[0], histories[1], "{scenario:?}");
    }
}

#[tokio::test]
async fn noisy_neighbours() {
    let rows = check(
        "noisy-neighbours",
        &[
            ("Survive", r#""panic""#, &[]),
            ("Survive", r#""memory""#, &[]),
            ("Survive", r#""output""#, &[]),
            ("MisbehaveMidway", r#""panic""#, &[]),
            ("MisbehaveMidway", r#""loop""#, &[]),
            ("MisbehaveMidway", r#""memory""#, &[]),
            ("MisbehaveMidway", r#""stack""#, &[]),
            ("MisbehaveMidway", r#""output""#, &[]),
            ("MisbehaveMidway", r#""exit""#, &[]),
            ("MisbehaveMidway", r#""not""#, &[]),
            ("Fetch", "100000", &[]),
            ("CallTheClient", "null", &[]),
            ("SleepOnTheThread", "null", &[]),
            ("Deterministic", "3", &[]),
        ],
    )
    .await;
    let but_the_last = &rows[..rows.len() - 1];
    expect_test::expect![[r#"
        Survive Completed "FunctionTrapped"
        Survive Completed "FunctionOutOfMemory"
        Survive Completed "FunctionOutOfMemory"
        MisbehaveMidway Failed FunctionTrapped
        MisbehaveMidway Failed FunctionTimeout
        MisbehaveMidway Failed FunctionOutOfMemory
        MisbehaveMidway Failed FunctionTrapped
        MisbehaveMidway Failed FunctionOutOfMemory
        MisbehaveMidway Failed FunctionTrapped
        MisbehaveMidway Completed "well behaved"
        Fetch Completed 100000
        CallTheClient Failed FunctionTrapped
        SleepOnTheThread Failed FunctionTrapped
    "#]]
    .assert_eq(&outcomes(but_the_last));
}

#[tokio::test]
async fn sandbox_probe() {
    check(
        "sandbox-probe",
        &[("LookAround", "null", &[]), ("SendARequest", "null", &[]), ("PrintAroundATimer", "null", &[])],
    )
    .await;
}

#[tokio::test]
async fn durable_model() {
    let rows = check(
        "durable-model",
        &[
            ("AboutMe", "true", &[]),
            ("AbortSlowStep", r#"{"takesMs":50}"#, &[]),
            ("CallService", r#""http://localhost/api/jobs/0""#, &[]),
            ("CancelledTimer", "100", &[]),
            ("Collect", r#"{"wanted":2}"#, &[("Item", r#""a""#), ("Other", "1"), ("item", r#""b""#)]),
            ("CountLater", r#"{"key":"a","amount":3,"seconds":60}"#, &[]),
            ("Echo", r#"{"hello":"world"}"#, &[]),
            ("FailOnce", "null", &[]),
            ("FailOnceInChild", "null", &[]),
            ("OrderReport", r#""cats""#, &[]),
            ("RaiseAlarm", "120", &[]),
            ("RunSlowStep", r#"{"takesMs":50,"timeoutMs":10000,"heartbeatTimeoutMs":5000,"attempts":2}"#, &[]),
            ("Transfer", r#"{"from":"a","to":"b","amount":-5}"#, &[]),
            ("Transfer", r#"{"from":"a","to":"b","amount":5}"#, &[]),
            ("Upgrade", "0", &[]),
            ("UseCounter", r#"{"key":"a","amount":3}"#, &[]),
            ("UseCounter", r#"{"key":"a","amount":-3}"#, &[]),
            ("WaitForApproval", "null", YES),
            ("WaitForApprovalUntil", "60", YES),
            ("WaitForApprovalUntil", "60", &[]),
            ("WriteReport", r#"{"subject":"cats","forInstance":"nobody"}"#, &[]),
        ],
    )
    .await;
    expect_test::expect![[r#"
        AboutMe Completed {"version":null,"tags":{},"greeting":"Hi","child":{"version":"1.0.0","tags":{"child":"yes"},"greeting":"Good day"}}
        AbortSlowStep Completed "done at attempt 1"
        CallService Completed {"statusCode":200,"headers":{},"content":"hello"}
        CancelledTimer Completed "done, without a reminder"
        Collect Completed ["a","b"]
        CountLater Completed null
        Echo Completed {"hello":"world"}
        FailOnce Failed Error
        FailOnceInChild Failed Error
        OrderReport Completed "all about cats"
        RaiseAlarm Completed "trip-1: 120 degrees"
        RunSlowStep Completed "done at attempt 1"
        Transfer Completed {"transfer":"done","from":5,"to":-5}
        Transfer Completed {"transfer":"refused","balance":0}
        Upgrade Completed "at 2.0.0 after 1 generations"
        UseCounter Completed 3
        UseCounter Completed 0
        WaitForApproval Completed {"approved":true,"by":"Grace"}
        WaitForApprovalUntil Completed {"approved":true,"by":"Grace"}
        WaitForApprovalUntil Completed {"approved":false,"by":"nobody"}
        WriteReport Completed null
    "#]].assert_eq(&outcomes(&rows));
}

#[tokio::test]
async fn trips_by_queue() {
    let app = bound_app("trips-by-queue", &[], &["trips"]).await;
    let trip = r#"{"PartitionKey":"RustConf","RowKey":"7","Traveller":"Ada"}"#;
    let rows = check_in(&app, "trips-by-queue", &[("BookTrip", trip, &[])]).await;
    expect_test::expect![[r#"
        BookTrip Completed {"PartitionKey":"RustConf","RowKey":"7","Traveller":"Ada","Seat":"RUSTCONF-A20000"}
    "#]]
    .assert_eq(&outcomes(&rows));
}

/// What `advance` says of a history from its first line, by an app that has nothing but code.
async fn replayed(identity: Identity, past: Vec<Event>) -> (Box<Cursor>, Result<Advanced, GuestFault>) {
    let runtime = runtime();
    let component = load(&runtime, "bench-functions").await;
    let app = App::for_replay(&runtime, bind_all(&component)).expect("all bound");
    let mut guest = app.begin(&identity.name, None).await.expect("a guest");
    guest.advance(Box::new(Cursor::new(identity, Limits::default(), past))).await
}

#[tokio::test]
async fn a_history_alone_can_be_replayed() {
    let app = app("bench-functions").await;
    let mut world = World::new(&app, Between::KeepAlive);
    let row = world.run("Chain", "3").await;
    let (identity, past) = (identity(&row), world.past(&row.id));
    let (_, advanced) = replayed(identity.clone(), past.clone()).await;
    assert_eq!(advanced, Ok(Advanced::Returned(Ok(row.output.expect("an output")))));

    let first_turn = past.iter().position(|event| matches!(event.kind, EventKind::OrchestratorCompleted));
    let first_turn = past[..=first_turn.expect("an end")].to_vec();
    let (cursor, advanced) = replayed(identity.clone(), first_turn).await;
    assert_eq!((advanced, cursor.open_tasks(), cursor.stopped()), (Ok(Advanced::Waiting), 1, None));

    let mut changed = past;
    for event in &mut changed {
        if let EventKind::TaskScheduled { name, .. } = &mut event.kind {
            *name = "SomethingElse".to_owned();
        }
    }
    let (cursor, _) = replayed(identity, changed).await;
    assert!(matches!(cursor.stopped(), Some(Stopped::NonDeterministic(_))), "{:?}", cursor.stopped());
}
