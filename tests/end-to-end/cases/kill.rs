//! SIGKILL again and again under two hundred running trips: nothing that was acknowledged is lost, and nothing that a history
//! has recorded is recorded twice.
//!
//! The host is killed after a number of activities that it reports, so the moments vary and the test does not depend on
//! the speed of the machine. A few more trips are started in each life, so that kills hit starts too: such a trip was not
//! acknowledged and may exist or not, but if it does, it must end like all others.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use ureq::http::Method;

use crate::client::{Client, MANAGEMENT};
use crate::host::Host;
use crate::samples;

/// After how many finished activities each life of the host ends. The trips take about twice as many in all, so that they
/// are running until the last kill.
const LIVES: [usize; 9] = [25, 70, 1, 110, 60, 7, 90, 33, 55];

/// Trips that are acknowledged before the first kill.
const TRIPS: usize = 200;
/// Clients that start them at the same time.
const CLIENTS: usize = 8;
/// Trips that each life starts besides, or tries to.
const MORE_TRIPS: usize = 6;

/// How long a booking takes, in milliseconds: long enough for all trips to be running together.
const DELAY_MS: u32 = 100;

/// What is in the log when an activity has ended.
const ACTIVITY_ENDED: &str = "[invocation end] ";

/// A workflow, and what its history must hold in the end.
struct Workflow {
    orchestrator: &'static str,
    input: Value,
    ends: &'static str,
    /// How many completions of which function, of its last generation.
    completions: &'static [(&'static str, usize)],
}

fn completes(orchestrator: &'static str, input: Value, completions: &'static [(&'static str, usize)]) -> Workflow {
    Workflow { orchestrator, input, ends: "Completed", completions }
}

fn fails(orchestrator: &'static str, input: Value, completions: &'static [(&'static str, usize)]) -> Workflow {
    Workflow { orchestrator, input, ends: "Failed", completions }
}

fn workflows() -> Vec<Workflow> {
    let slow = json!({ "delayMs": DELAY_MS });
    let trip_with = |services: Value| {
        let mut simulate = json!({ "conference": slow, "flight": slow, "train": slow, "hotel": slow });
        for (service, behaviour) in services.as_object().expect("services by name") {
            simulate[service] = behaviour.clone();
        }
        json!({ "traveller": "Ada", "conference": "RustConf", "simulate": simulate })
    };
    let trip = trip_with(json!({}));
    let mut watched = trip_with(json!({ "flight": { "priceCents": 26_000, "delayMs": DELAY_MS } }));
    watched["maxFlightPriceCents"] = json!(20_000);
    vec![
        completes("Sequential", trip.clone(), &[("BookConference", 1), ("BookFlight", 1), ("BookHotel", 1)]),
        completes(
            "FlightOrTrain",
            trip_with(json!({ "flight": { "refuses": true } })),
            &[("BookConference", 1), ("BookFlight", 1), ("BookTrain", 1), ("BookHotel", 1)],
        ),
        fails(
            "Compensating",
            trip_with(json!({ "hotel": { "refuses": true } })),
            &[("BookConference", 1), ("BookFlight", 1), ("BookHotel", 1), ("CancelBooking", 2)],
        ),
        completes("FlightWithRetry", trip_with(json!({ "flight": { "failures": 1 } })), &[("BookFlight", 2)]),
        completes("CombinedTrips", json!({ "trips": [trip, trip] }), &[("BookTrip", 2)]),
        completes("ParallelTrips", json!({ "trips": [trip, trip] }), &[("BookTrip", 2), ("ReportExpenses", 1)]),
        completes(
            "EmailCampaign",
            json!({ "subject": "Call for papers", "recipients": 15, "bouncing": 2, "simulate": slow }),
            &[("SendEmail", 15)],
        ),
        completes("ApprovedTrip", json!({ "trip": trip, "deadlineSeconds": 1 }), &[]),
        completes(
            "PriceWatch",
            json!({ "trip": watched, "everySeconds": 0, "priceFallsByCents": 2_000 }),
            &[("BookFlight", 1)],
        ),
        // What CombinedTrips and ParallelTrips call.
        completes("BookTrip", trip, &[("BookConference", 1), ("BookFlight", 1), ("BookHotel", 1)]),
    ]
}

#[test]
fn acknowledged_trips_survive_kill_after_kill() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let workflows = workflows();
    let mut acknowledged: BTreeMap<String, usize> = BTreeMap::new();
    for (life, activities) in LIVES.into_iter().enumerate() {
        let mut host = start(data.path());
        let client = host.client();
        if life == 0 {
            acknowledged.extend(start_all(&client, &workflows));
            assert_eq!(acknowledged.len(), TRIPS, "a host that is not killed acknowledges every start");
        }
        let name = format!("life-{life}");
        std::thread::scope(|scope| {
            let starts = scope.spawn(|| start_trips(&client, &name, MORE_TRIPS, &workflows));
            for _ in 0..activities {
                host.process.wait_for(ACTIVITY_ENDED);
            }
            host.process.kill();
            acknowledged.extend(starts.join().expect("starting trips does not panic"));
        });
    }

    let mut host = start(data.path());
    let open = format!("{MANAGEMENT}/instances?runtimeStatus=Running,Pending&top=1&showInput=false");
    assert_ne!(host.client().get(&open).expect(200).json(), json!([]), "the kills came too late: every trip had ended");
    host.look_until("every trip has ended", |client| (client.get(&open).expect(200).json() == json!([])).then_some(()));
    check_all(&host.client(), &acknowledged, &workflows);
    host.stop();
}

fn start(data: &Path) -> Host {
    Host::start(&samples::manifest("conference-booking"), ["--data-dir".as_ref(), data.as_os_str()])
}

/// Starts all trips, from several clients at once.
fn start_all(client: &Client, workflows: &[Workflow]) -> Vec<(String, usize)> {
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn(move || start_trips(client, &format!("client-{number}"), TRIPS / CLIENTS, workflows))
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().expect("starting trips does not panic")).collect()
    })
}

/// Starts so many trips, of all workflows in turn, until the host is gone. Answers those that it acknowledged, by id, with
/// their workflow.
fn start_trips(client: &Client, name: &str, count: usize, workflows: &[Workflow]) -> Vec<(String, usize)> {
    let mut acknowledged = Vec::new();
    for number in 0..count {
        let kind = number % workflows.len();
        let workflow = &workflows[kind];
        let id = format!("{name}-{number}");
        let path = format!("{MANAGEMENT}/orchestrators/{}/{id}", workflow.orchestrator);
        match client.try_send(Method::POST, &path, &workflow.input.to_string()) {
            Ok(answer) => {
                answer.expect(202);
                acknowledged.push((id, kind));
            }
            Err(_killed) => break,
        }
    }
    acknowledged
}

/// Every acknowledged trip is there, and every instance that is there (children and trips whose acknowledgement was lost
/// included) has ended as it should, with each completion once.
fn check_all(client: &Client, acknowledged: &BTreeMap<String, usize>, workflows: &[Workflow]) {
    let all = client.get(&format!("{MANAGEMENT}/instances?top=10000&showInput=false")).expect(200).json();
    let all = all.as_array().expect("a list");
    let ids: Vec<&str> = all.iter().map(|status| status["instanceId"].as_str().expect("an id")).collect();
    for id in acknowledged.keys() {
        assert!(ids.contains(&id.as_str()), "{id} was acknowledged and is lost");
    }
    for id in ids {
        let status = client.status(id);
        let name = status["name"].as_str().expect("a name");
        let workflow =
            workflows.iter().find(|workflow| workflow.orchestrator == name).expect("only these were started");
        check_instance(workflow, &status);
    }
}

fn check_instance(workflow: &Workflow, status: &Value) {
    assert_eq!(status["runtimeStatus"], workflow.ends, "{status:#}");
    let mut completions: BTreeMap<&str, usize> = BTreeMap::new();
    for event in status["historyEvents"].as_array().expect("a history") {
        let kind = event["EventType"].as_str().expect("a type");
        match kind {
            "TaskCompleted" | "TaskFailed" | "SubOrchestrationInstanceCompleted" | "SubOrchestrationInstanceFailed" => {
                let function = event["FunctionName"].as_str().unwrap_or_else(|| panic!("answers nothing: {event}"));
                *completions.entry(function).or_default() += 1;
            }
            "TaskScheduled" | "SubOrchestrationInstanceCreated" => panic!("{kind} without an answer in {status:#}"),
            _ => {}
        }
    }
    assert_eq!(completions, workflow.completions.iter().copied().collect(), "{status:#}");
}
