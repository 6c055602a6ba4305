//! The same events in all modes, and what becomes of them when nobody reads.

use expect_test::{Expect, expect};
use orchestration::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tracing::Level;

use super::compact::Compact;
use super::event::{
    Diagnostic, Draining, Event, ExitReason, HostState, Invocations, Log, Outcome, Phase, Record, Reloaded, Severity,
    Source, StateChange, Step, Summary,
};
use super::look::Look;
use super::plain::Plain;
use super::printer::{Printer, Renderer};
use super::queue::{Batch, Queue, Rank};
use crate::listing::Listing;

const PLAIN: Renderer = Renderer::Plain(Plain { look: Look { colours: false, links: false }, verbose: false });
const COMPACT: Renderer = Renderer::Compact(Compact { look: Look { colours: false, links: false }, verbose: false });

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Half past nine, and so many seconds.
fn record(seconds: u64, event: Event) -> Record {
    let day = Duration::from_secs(20_676 * 86_400 + 9 * 3_600 + 30 * 60);
    Record { at: Timestamp::default().saturating_add(day + Duration::from_secs(seconds)), event }
}

fn log(source: Source, level: Level, message: &str) -> Log {
    Log {
        source,
        level,
        message: message.to_owned(),
        function: None,
        invocation_id: None,
        instance_id: None,
        fields: Vec::new(),
        step: None,
    }
}

fn of_invocation(source: Source, level: Level, message: &str, step: Option<Step>) -> Event {
    Event::Log(Log {
        function: Some("BookFlight".to_owned()),
        invocation_id: Some("1a2b3c4d5e6f".to_owned()),
        step,
        ..log(source, level, message)
    })
}

fn ended(outcome: Outcome, duration_ms: u64, error: Option<&str>) -> Event {
    let level = if outcome == Outcome::Failed { Level::ERROR } else { Level::INFO };
    let step = Step::InvocationEnded { outcome, duration_ms, error: error.map(str::to_owned) };
    of_invocation(Source::Invocation, level, "", Some(step))
}

fn http(name: &str) -> Listing {
    Listing::Http {
        name: name.to_owned(),
        methods: "GET,POST".to_owned(),
        url: "http://localhost:7071/api/trips/{id}".to_owned(),
        route: "trips/{id}".to_owned(),
    }
}

fn start() -> Vec<Event> {
    vec![
        Event::Began,
        Event::Building { component: "booking".to_owned(), phase: Phase::Start },
        Event::Built { component: "booking".to_owned(), phase: Phase::Start, duration: ms(2_345) },
        Event::Banner { version: "1.2.3".to_owned(), app: "trips 1.0.0 (abc)".to_owned(), store: "here".to_owned() },
        Event::Functions(vec![
            http("StartTrip"),
            Listing::Other { name: "BookFlight".to_owned(), trigger: "activityTrigger" },
        ]),
        Event::Occurrences(vec![("Tick".to_owned(), vec!["2026-08-11T00:00:00Z".to_owned()])]),
        Event::Storage(vec![(azure_storage::Service::Queue, "http://127.0.0.1:10001/devstoreaccount1".to_owned())]),
        Event::Notice("\nKeys: here".to_owned()),
        Event::Ready { start_up: ms(1_234), building: Some(ms(2_345)) },
    ]
}

fn invocations() -> Vec<Event> {
    let started = Step::InvocationStarted { reason: Some("This function was called.".to_owned()) };
    let instance = Step::InstanceEnded { status: "Completed".to_owned(), duration_ms: 61_500, error: None };
    let orchestrator = |step| Log {
        function: Some("BookTrip".to_owned()),
        instance_id: Some("trip-1".to_owned()),
        step,
        ..log(Source::DurableTask, Level::INFO, "")
    };
    let failed = Step::InstanceEnded {
        status: "Failed".to_owned(),
        duration_ms: 15,
        error: Some("NoSeat: all taken".to_owned()),
    };
    let line = Log { source: Source::Function, message: "a seat".to_owned(), ..orchestrator(None) };
    let slow = Log {
        fields: vec![("error", "disk is slow".to_owned())],
        ..log(Source::Host("storage::hub"), Level::WARN, "a commit took long")
    };
    vec![
        of_invocation(Source::Invocation, Level::INFO, "", Some(started)),
        of_invocation(Source::Function, Level::INFO, "looking for\ta seat\u{1b}[2J\n[2024] error: forged\u{9b}", None),
        of_invocation(Source::Function, Level::WARN, "few are left", None),
        ended(Outcome::Succeeded, 12, None),
        ended(Outcome::Failed, 1_200, Some("NoSeat: all are taken\nlost")),
        ended(Outcome::Cancelled, 5, None),
        Event::Log(line),
        Event::Log(orchestrator(Some(instance))),
        Event::Log(orchestrator(Some(failed))),
        Event::Log(slow),
        Event::LeftOut(3),
    ]
}

fn changes() -> Vec<Event> {
    vec![
        Event::HostState(StateChange {
            from: HostState::Ready,
            to: HostState::Recycling,
            duration: None,
            reason: Some("src/lib.rs was changed".to_owned()),
        }),
        Event::Building { component: "booking".to_owned(), phase: Phase::Reload },
        Event::ReloadFailed {
            app: "trips".to_owned(),
            error: "error[E0425]: no `x`\n --> src/lib.rs:3:5\n".to_owned(),
            serving: "abc".to_owned(),
        },
        Event::Built { component: "booking".to_owned(), phase: Phase::Reload, duration: ms(900) },
        Event::Reloaded(Reloaded {
            app: "trips".to_owned(),
            built: Some(ms(2_120)),
            loaded: ms(120),
            switched: ms(40),
            total: ms(2_310),
            added: vec![http("ListTrips")],
            removed: vec!["OldTrip".to_owned()],
            changed: vec!["BookFlight".to_owned()],
            digest: "def".to_owned(),
        }),
        Event::Diagnostic(Diagnostic {
            code: "no-storage-endpoint",
            severity: Severity::Warning,
            message: "port 10000 is in use".to_owned(),
            recommendation: Some("choose another with --blob-port".to_owned()),
        }),
        Event::Draining(Draining { remaining_s: 25, outstanding: 2, is_first: true }),
        Event::Draining(Draining { remaining_s: 20, outstanding: 1, is_first: false }),
        Event::Stopped(Summary {
            exit_reason: ExitReason::Sigint,
            uptime: ms(125_250),
            functions: 2,
            invocations: Invocations { succeeded: 2, failed: 1 },
            errors: 1,
        }),
    ]
}

fn check(renderer: Renderer, events: Vec<Event>, expected: &Expect) {
    let mut text = String::new();
    for (second, event) in (0..).zip(events) {
        renderer.render(&record(second, event), &mut text);
    }
    expected.assert_eq(&text.replace(env!("CARGO_PKG_VERSION"), "<version>"));
}

#[test]
fn a_start_at_a_terminal() {
    check(
        COMPACT,
        start(),
        &expect![[r#"
        Building booking ...
        Built booking in 2.34 s

        Dacapo 1.2.3
        App: trips 1.0.0 (abc)
        Store: here

        Functions:

        	StartTrip: [GET,POST] http://localhost:7071/api/trips/{id}

        	BookFlight: activityTrigger

        The next 1 occurrences of Tick are:
        	2026-08-11T00:00:00Z
        Storage endpoint (UseDevelopmentStorage=true):
        	queue http://127.0.0.1:10001/devstoreaccount1

        Keys: here
        Ready in 1234 ms (after building for 2.3 s)
    "#]],
    );
}

#[test]
fn a_start_in_a_file() {
    check(
        PLAIN,
        start(),
        &expect![[r#"
        09:30:01  [build] Building booking ...
        09:30:02  [build] Built booking in 2.3s
        09:30:03  [host] Dacapo 1.2.3
        09:30:03  [host] App: trips 1.0.0 (abc)
        09:30:03  [host] Store: here
        09:30:04  [function loaded]  StartTrip httpTrigger GET,POST http://localhost:7071/api/trips/{id}
        09:30:04  [function loaded]  BookFlight activityTrigger
        09:30:05  [host] The next 1 occurrences of Tick are: 2026-08-11T00:00:00Z
        09:30:06  [storage endpoint] queue http://127.0.0.1:10001/devstoreaccount1
        09:30:07  [host] Keys: here
        09:30:08  [host] Host ready (1.2s) (after building for 2.3 s)
    "#]],
    );
}

#[test]
fn a_start_for_programs() {
    check(
        Renderer::Json,
        start(),
        &expect![[r#"
        {"schema_version":1,"kind":"start_initialization_started","timestamp":"2026-08-11T09:30:00.000Z"}
        {"schema_version":1,"kind":"start_initialization_step_started","timestamp":"2026-08-11T09:30:01.000Z","step":"build-booking","title":"Building booking","display":"status","detail":null,"percent":null,"message":null}
        {"schema_version":1,"kind":"start_initialization_step_completed","timestamp":"2026-08-11T09:30:02.000Z","step":"build-booking","title":null,"display":"status","detail":null,"percent":null,"message":"Built booking in 2345 ms"}
        {"schema_version":1,"kind":"start_initialization_progress","timestamp":"2026-08-11T09:30:03.000Z","step":"app","title":null,"display":null,"detail":"Store: here","percent":null,"message":"trips 1.0.0 (abc)"}
        {"schema_version":1,"kind":"function_discovered","timestamp":"2026-08-11T09:30:04.000Z","name":"StartTrip","trigger_type":"httpTrigger","route":"trips/{id}","http_methods":["GET","POST"]}
        {"schema_version":1,"kind":"function_discovered","timestamp":"2026-08-11T09:30:04.000Z","name":"BookFlight","trigger_type":"activityTrigger","route":null,"http_methods":[]}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:05.000Z","category":"Host.Triggers.Timer","level":"information","event_id":0,"event_name":null,"message":"The next 1 occurrences of Tick are: 2026-08-11T00:00:00Z","exception":null,"attributes":{}}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:06.000Z","category":"Host.Storage","level":"information","event_id":0,"event_name":null,"message":"Storage endpoint: queue http://127.0.0.1:10001/devstoreaccount1","exception":null,"attributes":{}}
        {"schema_version":1,"kind":"cli_diagnostic","timestamp":"2026-08-11T09:30:07.000Z","code":"notice","level":"information","message":"Keys: here","recommendation":null}
        {"schema_version":1,"kind":"start_initialization_completed","timestamp":"2026-08-11T09:30:08.000Z","profile":null,"stack":"wasm","host_version":"<version>","bundle_required":false,"bundle_version":null}
        {"schema_version":1,"kind":"host_state_changed","timestamp":"2026-08-11T09:30:08.000Z","from":"starting","to":"ready","duration_ms":1234,"reason":null,"trigger":null}
    "#]],
    );
}

#[test]
fn invocations_at_a_terminal() {
    check(
        COMPACT,
        invocations(),
        &expect![[r#"
          BookFlight 1a2b3c4d  looking for	a seat\u{1b}[2J\n[2024] error: forged\u{9b}
          BookFlight 1a2b3c4d  warning: few are left
        ✓ BookFlight 12 ms  (id 1a2b3c4d)
        ✗ BookFlight 1.20 s  (id 1a2b3c4d): NoSeat: all are taken\nlost
        – BookFlight 5 ms  (id 1a2b3c4d): cancelled, because nobody waits for it any more
          BookTrip trip-1  a seat
        ✓ BookTrip 1 min 1 s  (instance trip-1)
        ✗ BookTrip 15 ms  (instance trip-1): NoSeat: all taken
        warning: a commit took long error=disk is slow
        3 lines were left out here: more happened than could be printed
    "#]],
    );
}

#[test]
fn invocations_in_a_file() {
    check(
        PLAIN,
        invocations(),
        &expect![[r#"
        09:30:00  [invocation start] BookFlight (id=1a2b3c4d)
        09:30:01  [function] BookFlight (id=1a2b3c4d): looking for	a seat\u{1b}[2J\n[2024] error: forged\u{9b}
        09:30:02  [function] BookFlight (id=1a2b3c4d): warning: few are left
        09:30:03  [invocation end] BookFlight succeeded in 12ms
        09:30:04  [invocation end] BookFlight failed in 1.2s (id=1a2b3c4d): NoSeat: all are taken\nlost
        09:30:05  [invocation end] BookFlight cancelled after 5ms
        09:30:06  [function] BookTrip (instance=trip-1): a seat
        09:30:07  [orchestration end] BookTrip succeeded in 1m 1s (instance=trip-1)
        09:30:08  [orchestration end] BookTrip failed in 15ms (instance=trip-1): NoSeat: all taken
        09:30:09  [host] warning: a commit took long error=disk is slow
        09:30:10  [host] 3 lines were left out here: more happened than could be printed
    "#]],
    );
}

#[test]
fn invocations_for_programs() {
    check(
        Renderer::Json,
        invocations(),
        &expect![[r#"
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:00.000Z","category":"Function.BookFlight","level":"information","event_id":1,"event_name":"FunctionStarted","message":"Executing 'Functions.BookFlight' (Reason='This function was called.', Id=1a2b3c4d5e6f)","exception":null,"attributes":{"function.invocation_id":"1a2b3c4d5e6f","function.name":"BookFlight"}}
        {"schema_version":1,"kind":"invocation_started","timestamp":"2026-08-11T09:30:00.000Z","function":"BookFlight","invocation_id":"1a2b3c4d5e6f","trace_id":null,"attributes":{"function.invocation_id":"1a2b3c4d5e6f","function.name":"BookFlight"}}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:01.000Z","category":"Function.BookFlight.User","level":"information","event_id":0,"event_name":null,"message":"looking for\ta seat\u001b[2J\n[2024] error: forged\u009b","exception":null,"attributes":{"function.invocation_id":"1a2b3c4d5e6f","function.name":"BookFlight"}}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:02.000Z","category":"Function.BookFlight.User","level":"warning","event_id":0,"event_name":null,"message":"few are left","exception":null,"attributes":{"function.invocation_id":"1a2b3c4d5e6f","function.name":"BookFlight"}}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:03.000Z","category":"Function.BookFlight","level":"information","event_id":2,"event_name":"FunctionCompleted","message":"Executed 'Functions.BookFlight' (Succeeded, Id=1a2b3c4d5e6f, Duration=12ms)","exception":null,"attributes":{"function.invocation_id":"1a2b3c4d5e6f","function.name":"BookFlight"}}
        {"schema_version":1,"kind":"invocation_completed","timestamp":"2026-08-11T09:30:03.000Z","function":"BookFlight","invocation_id":"1a2b3c4d5e6f","trace_id":null,"result":"succeeded","duration_ms":12,"error":null}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:04.000Z","category":"Function.BookFlight","level":"error","event_id":3,"event_name":"FunctionFailed","message":"Executed 'Functions.BookFlight' (Failed, Id=1a2b3c4d5e6f, Duration=1200ms)","exception":{"type":"FunctionFailed","message":"NoSeat: all are taken\nlost","stack":null,"inner_exception":null},"attributes":{"function.invocation_id":"1a2b3c4d5e6f","function.name":"BookFlight"}}
        {"schema_version":1,"kind":"invocation_completed","timestamp":"2026-08-11T09:30:04.000Z","function":"BookFlight","invocation_id":"1a2b3c4d5e6f","trace_id":null,"result":"failed","duration_ms":1200,"error":{"type":"FunctionFailed","message":"NoSeat: all are taken\nlost","stack":null,"inner_exception":null}}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:05.000Z","category":"Function.BookFlight","level":"information","event_id":3,"event_name":"FunctionFailed","message":"Executed 'Functions.BookFlight' (Cancelled, Id=1a2b3c4d5e6f, Duration=5ms)","exception":{"type":"FunctionCancelled","message":"nobody waits for it any more","stack":null,"inner_exception":null},"attributes":{"function.invocation_id":"1a2b3c4d5e6f","function.name":"BookFlight"}}
        {"schema_version":1,"kind":"invocation_completed","timestamp":"2026-08-11T09:30:05.000Z","function":"BookFlight","invocation_id":"1a2b3c4d5e6f","trace_id":null,"result":"failed","duration_ms":5,"error":{"type":"FunctionCancelled","message":"nobody waits for it any more","stack":null,"inner_exception":null}}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:06.000Z","category":"Function.BookTrip.User","level":"information","event_id":0,"event_name":null,"message":"a seat","exception":null,"attributes":{"durable.instance_id":"trip-1","function.name":"BookTrip"}}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:07.000Z","category":"Host.Triggers.DurableTask","level":"information","event_id":0,"event_name":null,"message":"Orchestration 'BookTrip' (Completed, InstanceId=trip-1, Duration=61500ms)","exception":null,"attributes":{"durable.instance_id":"trip-1","function.name":"BookTrip"}}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:08.000Z","category":"Host.Triggers.DurableTask","level":"information","event_id":0,"event_name":null,"message":"Orchestration 'BookTrip' (Failed, InstanceId=trip-1, Duration=15ms)","exception":{"type":"OrchestrationFailed","message":"NoSeat: all taken","stack":null,"inner_exception":null},"attributes":{"durable.instance_id":"trip-1","function.name":"BookTrip"}}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:09.000Z","category":"Host.storage.hub","level":"warning","event_id":0,"event_name":null,"message":"a commit took long","exception":null,"attributes":{"error":"disk is slow"}}
        {"schema_version":1,"kind":"cli_diagnostic","timestamp":"2026-08-11T09:30:10.000Z","code":"left-out","level":"warning","message":"3 lines were left out here: more happened than could be printed","recommendation":null}
    "#]],
    );
}

#[test]
fn more_is_told_where_more_is_asked_for() {
    let look = Look::default();
    let some =
        || invocations().into_iter().enumerate().filter(|(at, _)| [0, 3, 9].contains(at)).map(|(_, event)| event);
    check(
        Renderer::Compact(Compact { look, verbose: true }),
        some().collect(),
        &expect![[r#"
        ▸ BookFlight  (id 1a2b3c4d): This function was called.
        ✓ BookFlight 12 ms  (id 1a2b3c4d)
        storage::hub: warning: a commit took long error=disk is slow
    "#]],
    );
    check(
        Renderer::Plain(Plain { look, verbose: true }),
        some().collect(),
        &expect![[r#"
        09:30:00  [invocation start] BookFlight (id=1a2b3c4d): This function was called.
        09:30:01  [invocation end] BookFlight succeeded in 12ms (id=1a2b3c4d)
        09:30:02  [host] storage::hub: warning: a commit took long error=disk is slow
    "#]],
    );
}

#[test]
fn changes_at_a_terminal() {
    check(
        COMPACT,
        changes(),
        &expect![[r#"
            Building booking ...
            error: trips was not reloaded: error[E0425]: no `x`
               --> src/lib.rs:3:5
              The version from before (abc) keeps serving.
            Built booking in 0.90 s
            Reloaded trips in 2.31 s: built in 2.12 s, loaded in 0.12 s, switched in 0.04 s (def)
              + ListTrips: [GET,POST] http://localhost:7071/api/trips/{id}
              ~ BookFlight
              - OldTrip
            warning: port 10000 is in use
              → choose another with --blob-port

            Stopping: no new work is taken, what runs is finished (at most 25 s). Press Ctrl+C again to stop at once.
            Stopping: 1 invocation is running, 20 s left
            Stopped after 2 min 5 s · 2 functions · 3 invocations · 1 error.
        "#]],
    );
}

#[test]
fn changes_in_a_file() {
    check(
        PLAIN,
        changes(),
        &expect![[r#"
        09:30:00  [host] Host recycling: src/lib.rs was changed
        09:30:01  [build] Building booking ...
        09:30:02  [diagnostic] reload-failed: trips was not reloaded: error[E0425]: no `x`
                     --> src/lib.rs:3:5
                  → The version from before (abc) keeps serving.
        09:30:03  [build] Built booking in 900ms
        09:30:04  [function removed]  OldTrip
        09:30:04  [function loaded]  ListTrips httpTrigger GET,POST http://localhost:7071/api/trips/{id}
        09:30:04  [function changed]  BookFlight
        09:30:04  [reload] Reloaded trips (2.3s): built in 2.1s, loaded in 120ms, switched in 40ms (def)
        09:30:05  [diagnostic] no-storage-endpoint: warning: port 10000 is in use
                  → choose another with --blob-port
        09:30:06  [shutdown] Stopping: no new work is taken, what runs is finished (at most 25 s). Press Ctrl+C again to stop at once.
        09:30:07  [shutdown] Stopping: 1 invocation is running, 20 s left
        09:30:08  [shutdown] Stopped after 2m 5s · 2 functions · 3 invocations · 1 error
    "#]],
    );
}

#[test]
fn changes_for_programs() {
    check(
        Renderer::Json,
        changes(),
        &expect![[r#"
        {"schema_version":1,"kind":"host_state_changed","timestamp":"2026-08-11T09:30:00.000Z","from":"ready","to":"recycling","duration_ms":null,"reason":"src/lib.rs was changed","trigger":null}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:01.000Z","category":"Host.Build","level":"information","event_id":0,"event_name":null,"message":"Building booking","exception":null,"attributes":{}}
        {"schema_version":1,"kind":"cli_diagnostic","timestamp":"2026-08-11T09:30:02.000Z","code":"reload-failed","level":"error","message":"trips was not reloaded: error[E0425]: no `x`\n   --> src/lib.rs:3:5","recommendation":"The version from before (abc) keeps serving."}
        {"schema_version":1,"kind":"host_state_changed","timestamp":"2026-08-11T09:30:02.000Z","from":"recycling","to":"ready","duration_ms":null,"reason":"trips was not changed","trigger":"file_change"}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:03.000Z","category":"Host.Build","level":"information","event_id":0,"event_name":null,"message":"Built booking in 900 ms","exception":null,"attributes":{}}
        {"schema_version":1,"kind":"function_removed","timestamp":"2026-08-11T09:30:04.000Z","name":"OldTrip"}
        {"schema_version":1,"kind":"function_discovered","timestamp":"2026-08-11T09:30:04.000Z","name":"ListTrips","trigger_type":"httpTrigger","route":"trips/{id}","http_methods":["GET","POST"]}
        {"schema_version":1,"kind":"log","timestamp":"2026-08-11T09:30:04.000Z","category":"Host.Reload","level":"information","event_id":0,"event_name":null,"message":"Reloaded trips as def: built in 2120 ms, loaded in 120 ms, switched in 40 ms; changed functions: BookFlight","exception":null,"attributes":{}}
        {"schema_version":1,"kind":"host_state_changed","timestamp":"2026-08-11T09:30:04.000Z","from":"recycling","to":"ready","duration_ms":2310,"reason":"trips was changed","trigger":"file_change"}
        {"schema_version":1,"kind":"cli_diagnostic","timestamp":"2026-08-11T09:30:05.000Z","code":"no-storage-endpoint","level":"warning","message":"port 10000 is in use","recommendation":"choose another with --blob-port"}
        {"schema_version":1,"kind":"cli_diagnostic","timestamp":"2026-08-11T09:30:06.000Z","code":"draining","level":"information","message":"Stopping: no new work is taken, what runs is finished (at most 25 s). Press Ctrl+C again to stop at once.","recommendation":null}
        {"schema_version":1,"kind":"cli_diagnostic","timestamp":"2026-08-11T09:30:07.000Z","code":"draining","level":"information","message":"Stopping: 1 invocation is running, 20 s left","recommendation":null}
        {"schema_version":1,"kind":"summary","timestamp":"2026-08-11T09:30:08.000Z","exit_reason":"sigint","uptime_seconds":125.25,"function_count":2,"invocations":{"total":3,"succeeded":2,"failed":1},"errors":1}
    "#]],
    );
}

#[test]
fn a_terminal_shows_colours_and_links() {
    let look = Look { colours: true, links: true };
    let events = || {
        let listings = Event::Functions(vec![http("StartTrip")]);
        vec![listings, ended(Outcome::Succeeded, 12, None), ended(Outcome::Failed, 12, Some("why"))]
    };
    let shown = |mode| {
        let (mut text, renderer) = (String::new(), Renderer::new(mode, look, false));
        events().into_iter().for_each(|event| renderer.render(&record(0, event), &mut text));
        text.escape_debug().to_string().replace("\\n", "\n")
    };
    expect![[r#"

        \u{1b}[33mFunctions:\u{1b}[0m

        \t\u{1b}[33mStartTrip\u{1b}[0m: [GET,POST] \u{1b}[32m\u{1b}]8;;http://localhost:7071/api/trips/{id}\u{1b}\\http://localhost:7071/api/trips/{id}\u{1b}]8;;\u{1b}\\\u{1b}[0m

        \u{1b}[32m✓\u{1b}[0m BookFlight 12 ms\u{1b}[90m  (id 1a2b3c4d)\u{1b}[0m
        \u{1b}[31m✗ BookFlight 12 ms  (id 1a2b3c4d): why\u{1b}[0m
    "#]].assert_eq(&shown(super::Mode::Compact));
    expect![[r#"
        09:30:00  [function loaded]  StartTrip httpTrigger GET,POST \u{1b}]8;;http://localhost:7071/api/trips/{id}\u{1b}\\http://localhost:7071/api/trips/{id}\u{1b}]8;;\u{1b}\\
        09:30:00  [invocation end] BookFlight succeeded in 12ms
        09:30:00  [invocation end] BookFlight failed in 12ms (id=1a2b3c4d): why
    "#]].assert_eq(&shown(super::Mode::Plain));
}

/// What a printer writes of these events, each a batch.
fn printed(renderer: Renderer, is_terminal: bool, events: Vec<Event>) -> String {
    let mut output = Vec::new();
    let mut printer = Printer::new(renderer, &mut output, is_terminal, None);
    for event in events {
        printer.print(&Batch { records: VecDeque::from([Arc::new(record(0, event))]), left_out: 0 });
    }
    drop(printer);
    String::from_utf8(output).expect("it prints text").escape_debug().to_string().replace("\\n", "\n")
}

fn countdown() -> Vec<Event> {
    let left = |remaining_s| Event::Draining(Draining { remaining_s, outstanding: 2, is_first: remaining_s == 7 });
    let mut events: Vec<Event> = (4..=7).rev().map(left).collect();
    events.insert(2, ended(Outcome::Succeeded, 12, None));
    events.push(Event::DrainingEnded);
    events.extend(changes().pop());
    events
}

#[test]
fn a_countdown_is_written_over_itself_where_that_can_be() {
    expect![[r#"

        Stopping: no new work is taken, what runs is finished (at most 7 s). Press Ctrl+C again to stop at once.
        Stopping: 2 invocations are running, 7 s left\r\u{1b}[2KStopping: 2 invocations are running, 6 s left\r\u{1b}[2K✓ BookFlight 12 ms  (id 1a2b3c4d)
        Stopping: 2 invocations are running, 6 s left\r\u{1b}[2KStopping: 2 invocations are running, 5 s left\r\u{1b}[2KStopping: 2 invocations are running, 4 s left\r\u{1b}[2KStopped after 2 min 5 s · 2 functions · 3 invocations · 1 error.
    "#]].assert_eq(&printed(COMPACT, true, countdown()));
    expect![[r#"

        Stopping: no new work is taken, what runs is finished (at most 7 s). Press Ctrl+C again to stop at once.
        ✓ BookFlight 12 ms  (id 1a2b3c4d)
        Stopping: 2 invocations are running, 5 s left
        Stopped after 2 min 5 s · 2 functions · 3 invocations · 1 error.
    "#]]
    .assert_eq(&printed(COMPACT, false, countdown()));
}

#[test]
fn who_reads_too_slowly_is_told_what_is_missing_and_nobody_waits() {
    let queue = Queue::default();
    for number in 0..10_000 {
        let line = log(Source::Host("test"), Level::INFO, &number.to_string());
        queue.push(Arc::new(record(0, Event::Log(line))), Rank::Line);
    }
    queue.push(Arc::new(record(0, Event::Notice("a word of the host".to_owned()))), Rank::Word);
    let batch = queue.take();
    assert_eq!((batch.records.len(), batch.left_out), (8_193, 10_000 - 8_192));
    let mut output = Vec::new();
    Printer::new(COMPACT, &mut output, false, None).print(&batch);
    let text = String::from_utf8(output).expect("it prints text");
    let last: Vec<&str> = text.lines().skip(8_191).collect();
    expect![[r#"
        8191
        a word of the host
        1808 lines were left out here: more happened than could be printed"#]]
    .assert_eq(&last.join("\n"));
    // There is room again.
    queue.push(Arc::new(record(0, Event::Log(log(Source::Host("test"), Level::INFO, "more")))), Rank::Line);
    let batch = queue.take();
    assert_eq!((batch.records.len(), batch.left_out), (1, 0));
}

#[test]
fn long_lines_take_the_room_of_many() {
    let queue = Queue::default();
    let long = "x".repeat(1 << 20);
    for _ in 0..10 {
        queue.push(Arc::new(record(0, Event::Log(log(Source::Function, Level::INFO, &long)))), Rank::Line);
    }
    let batch = queue.take();
    assert_eq!((batch.records.len(), batch.left_out), (3, 7));
}
