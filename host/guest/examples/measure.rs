//! What a call, a turn and a replayed event cost: `cargo run --release -p guest --example measure`.
//!
//! Medians on one thread, without a store: the numbers of the sandbox alone.

#![expect(clippy::disallowed_methods, reason = "measuring time is what it is for")]
#![expect(clippy::print_stdout, reason = "the table is its output")]

use guest::{App, Binding, ComponentSource, FunctionKind, GuestSettings, Runtime};
use http_body_util::{BodyExt as _, Full};
use orchestration::{
    ActivityTask, Cursor, Event, EventId, EventKind, ExecutionId, ExecutionStarted, Identity, InstanceId, Json, Limits,
    Tags, Timeouts, Timestamp,
};
use ports::{
    Activities as _, ActivityInvocation, Advanced, Heartbeat, HttpFunctions as _, HttpInvocation, Orchestrators as _,
};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CALLS: u32 = 5_000;
const TURNS: u32 = 10_000;
const LIVE: usize = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let began = Instant::now();
    let runtime = Runtime::new(GuestSettings::default(), folder.path()).expect("a runtime");
    row("engines, linkers, ticker", began.elapsed());
    let began = Instant::now();
    let bench = app(&runtime, "bench-functions").await;
    row("load a component, compiling it twice", began.elapsed());
    let began = Instant::now();
    let _again = app(&runtime, "bench-functions").await;
    row("load it from the cache", began.elapsed());
    let wasi = app(&runtime, "hello-wasi-http").await;

    let mut samples = Vec::new();
    for number in 0..CALLS {
        let invocation =
            ActivityInvocation { invocation_id: "call".to_owned(), task: task(number), heartbeat: Arc::new(Ignored) };
        let began = Instant::now();
        bench.run(invocation).await.expect("no fault").expect("no failure");
        samples.push(began.elapsed());
    }
    row("activity, fresh guest, p50", median(samples));
    row("HTTP, fresh guest, p50", http(&bench, "Hello").await);
    row("wasi:http, fresh guest, p50", http(&wasi, "Hello").await);
    turns(&bench).await;
    replay(&bench).await;
    suspended(&bench).await;
}

fn row(what: &str, time: Duration) {
    println!("{what:<45} {:>12.2} us", time.as_secs_f64() * 1e6);
}

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort();
    samples[samples.len() / 2]
}

async fn app(runtime: &Runtime, name: &str) -> App {
    let source = ComponentSource {
        name: name.to_owned(),
        path: artifacts::guest(name),
        build_command: None,
        allowed_hosts: vec![],
    };
    assert!(Path::new(&source.path).exists());
    let component = runtime.load(source).await.expect("a component");
    let bind = |(function, kind): (String, FunctionKind)| Binding {
        entry_point: function.clone(),
        function,
        component: Arc::clone(&component),
        kind,
        timeout: None,
        heartbeat_timeout: None,
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    let mut functions = component.functions().to_vec();
    if functions.is_empty() {
        functions.push(("Hello".to_owned(), FunctionKind::Http));
    }
    App::for_replay(runtime, functions.into_iter().map(bind).collect()).expect("bound")
}

fn task(number: u32) -> ActivityTask {
    ActivityTask {
        instance: InstanceId::from_stored("bench"),
        execution: ExecutionId::from_random(1),
        id: EventId(number),
        name: "Echo".to_owned(),
        input: Json::from(number.to_string()),
        attempt: 1,
        timeouts: Timeouts::default(),
        tags: Tags::new(),
        caller: "Chain".to_owned(),
        version: None,
        pinned_to: None,
    }
}

#[derive(Debug)]
struct Ignored;

impl Heartbeat for Ignored {
    fn beat(&self, _: Option<Json>) {}
}

async fn http(app: &App, function: &str) -> Duration {
    let mut samples = Vec::new();
    for _ in 0..CALLS {
        let body = Full::default().map_err(|never| match never {}).boxed_unsync();
        let invocation = HttpInvocation {
            invocation_id: "call".to_owned(),
            function: function.to_owned(),
            route_parameters: Vec::new(),
            request: http::Request::get("http://localhost:7071/api/hello").body(body).expect("a request"),
            inputs: Vec::new(),
        };
        let began = Instant::now();
        let answer = app.handle(invocation).await.expect("a response");
        answer.response.into_body().collect().await.expect("a body");
        samples.push(began.elapsed());
    }
    median(samples)
}

fn cursor(past: Vec<Event>) -> Box<Cursor> {
    let identity = Identity {
        instance: InstanceId::from_stored("bench"),
        execution: ExecutionId::from_random(1),
        name: "Chain".to_owned(),
        parent: None,
        version: None,
        tags: Tags::new(),
    };
    Box::new(Cursor::new(identity, Limits::default(), past))
}

fn event(kind: EventKind) -> Event {
    Event { at: Timestamp::from_unix_ms(1_700_000_000_000), kind }
}

fn start() -> [Event; 2] {
    let started = ExecutionStarted::new("Chain", Json::from(TURNS.to_string()), ExecutionId::from_random(1));
    [event(EventKind::OrchestratorStarted), event(EventKind::ExecutionStarted(Box::new(started)))]
}

fn completed(number: u32) -> [Event; 2] {
    let done = EventKind::TaskCompleted { scheduled: EventId(number), result: Json::from(number.to_string()) };
    [event(EventKind::OrchestratorStarted), event(done)]
}

/// Completion in, next activity out.
async fn turns(app: &App) {
    let mut guest = app.begin("Chain", None).await.expect("a guest");
    let mut chain = cursor(Vec::new());
    chain.feed(start());
    let (mut chain, _) = guest.advance(chain).await;
    let mut samples = Vec::new();
    for number in 0..TURNS - 1 {
        chain.take_actions();
        chain.feed(completed(number));
        let began = Instant::now();
        let (back, advanced) = guest.advance(chain).await;
        samples.push(began.elapsed());
        assert_eq!(advanced, Ok(Advanced::Waiting));
        chain = back;
    }
    row("one turn of a live orchestrator, p50", median(samples));
}

async fn replay(app: &App) {
    let mut past = Vec::from(start());
    for number in 0..TURNS {
        let scheduled = EventKind::TaskScheduled {
            id: EventId(number),
            name: "Echo".to_owned(),
            input: Json::from(number.to_string()),
            retry_of: None,
            timeouts: Timeouts::default(),
            tags: Tags::new(),
        };
        past.extend([event(scheduled), event(EventKind::OrchestratorCompleted)]);
        past.extend(completed(number));
    }
    let events = u32::try_from(past.len()).expect("not so many");
    let began = Instant::now();
    let mut guest = app.begin("Chain", None).await.expect("a guest");
    let (_, advanced) = guest.advance(cursor(past)).await;
    let time = began.elapsed();
    assert!(matches!(advanced, Ok(Advanced::Returned(Ok(_)))), "{advanced:?}");
    row("replay of 10,000 steps in a fresh guest", time);
    row("    per event of its history", time / events);
    row("    per step", time / TURNS);
}

async fn suspended(app: &App) {
    let resident = resident_kib();
    let mut guests = Vec::new();
    let began = Instant::now();
    for _ in 0..LIVE {
        let mut guest = app.begin("Chain", None).await.expect("a guest");
        let mut chain = cursor(Vec::new());
        chain.feed(start());
        let (chain, _) = guest.advance(chain).await;
        guests.push((guest, chain));
    }
    row("create and suspend", began.elapsed() / u32::try_from(LIVE).expect("not so many"));
    let each = (resident_kib() - resident) / LIVE as f64;
    println!("{:<45} {each:>12.2} KiB ({} said)", "    holds", guests[0].0.memory_bytes() / 1024);
    let began = Instant::now();
    drop(guests);
    row("drop", began.elapsed() / u32::try_from(LIVE).expect("not so many"));
}

/// From the kernel's accounts; zero where there are none.
fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0)
}
