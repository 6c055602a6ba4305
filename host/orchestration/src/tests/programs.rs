//! Programs drawn at random, in a world that moves at random: the laws that every orchestration keeps.
//!
//! The world checks them while it runs: kept alive and replayed orchestrators tell the same story, every prefix of a history
//! replays to what it records, the ledger is the fold of the history, settle is deterministic, and no entity stays locked by
//! who has ended.

use super::author::{Ctx, Task};
use super::fixtures::{account, http_call};
use super::world::{Scenario, at};
use super::{Outcome, fail, ok, shown};
use crate::{ActivityTask, HttpCall, HttpRequest, HttpResponse, Json, MessageKind, RetryPolicy, StartOptions};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;

/// What a program can ask for.
#[derive(Clone, Debug)]
enum Ask {
    Activity(u8),
    Retry(u8, u32),
    Child(u8),
    Sleep(u64),
    Event(&'static str),
    Entity(u8, &'static str),
    Http(&'static str),
}

/// One step of a program.
#[derive(Clone, Debug)]
enum Step {
    /// One after another.
    One(Ask),
    /// All side by side.
    All(Vec<Ask>),
    /// The first of all; the others are given up or left alone.
    Any(Vec<Ask>, bool),
    /// Asked for and not awaited.
    Leave(Ask),
    /// Given up in the turn that asks for it.
    Withdraw(Ask),
    /// Given up after a while, and stopped.
    Abort(Ask, u64),
    /// The orchestrator fails with it.
    OrFail(Ask),
    /// Entities are locked and called, each by its key.
    Section(Vec<u8>, Vec<u8>, u64),
    /// A section is asked for and given up.
    NoSection(u8, u64),
    Signal(u8, Option<u64>),
    Send(&'static str),
    Start(u8, Option<u64>),
    Status,
    Guid,
    /// Once: only the first execution of a program does it.
    ContinueAsNew(bool),
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        (0..9u8).prop_map(Ask::Activity),
        (0..9u8, 1..4u32).prop_map(|(n, attempts)| Ask::Retry(n, attempts)),
        (0..9u8).prop_map(Ask::Child),
        (0..4u64).prop_map(Ask::Sleep),
        prop_oneof![Just("a"), Just("B")].prop_map(Ask::Event),
        (0..3u8, prop_oneof![Just("add"), Just("get"), Just("delete"), Just("fly")])
            .prop_map(|(key, operation)| Ask::Entity(key, operation)),
        prop_oneof![
            Just("/accepted/2"),
            Just("/accepted/0"),
            Just("/busy/1"),
            Just("/busy/3"),
            Just("https://other.example/accepted/1"),
            Just("no place")
        ]
        .prop_map(Ask::Http),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => ask().prop_map(Step::One),
        2 => vec(ask(), 0..4).prop_map(Step::All),
        4 => (vec(ask(), 1..4), any::<bool>()).prop_map(|(asks, cancel)| Step::Any(asks, cancel)),
        1 => ask().prop_map(Step::Leave),
        1 => ask().prop_map(Step::Withdraw),
        1 => Just(Step::Status),
        1 => Just(Step::Guid),
        1 => any::<bool>().prop_map(Step::ContinueAsNew),
        2 => (ask(), 0..3u64).prop_map(|(ask, seconds)| Step::Abort(ask, seconds)),
        2 => ask().prop_map(Step::OrFail),
        3 => (vec(0..3u8, 0..4), vec(0..3u8, 0..3), 0..3u64)
            .prop_map(|(locked, called, seconds)| Step::Section(locked, called, seconds)),
        1 => (0..3u8, 0..3u64).prop_map(|(key, seconds)| Step::NoSection(key, seconds)),
        1 => (0..3u8, prop::option::of(0..9u64)).prop_map(|(key, at)| Step::Signal(key, at)),
        1 => prop_oneof![Just("main"), Just("rival"), Just("nobody")].prop_map(Step::Send),
        1 => (0..9u8, prop::option::of(0..9u64)).prop_map(|(n, at)| Step::Start(n, at)),
    ]
}

fn make(ctx: &Ctx, ask: &Ask) -> Task {
    match ask {
        Ask::Activity(n) => ctx.call("Work", &n.to_string()),
        Ask::Retry(n, attempts) => {
            let policy =
                RetryPolicy { backoff_coefficient: 2.0, ..RetryPolicy::new(*attempts, Duration::from_secs(1)) };
            ctx.retry("Work", &n.to_string(), policy)
        }
        Ask::Child(n) => ctx.child("Child", &n.to_string()),
        Ask::Sleep(seconds) => ctx.sleep(*seconds),
        Ask::Event(name) => ctx.event(name),
        Ask::Entity(key, operation) => ctx.entity(&account(&key.to_string()), operation, "1"),
        Ask::Http(place) => ctx.http(http(place)),
    }
}

/// With tries while the service is busy.
fn http(place: &str) -> HttpCall {
    let url = if place.starts_with('/') { format!("https://shop.example{place}") } else { place.to_owned() };
    let retry = place.contains("busy").then(|| RetryPolicy::new(3, Duration::from_secs(1)));
    HttpCall {
        headers: vec![("authorization".to_owned(), "secret".to_owned())],
        content: Some("order".to_owned()),
        ..http_call(&url, retry)
    }
}

/// `/accepted/n` is done after n polls, `/busy/n` answers after n tries.
fn serve(task: &ActivityTask) -> Outcome {
    let request = HttpRequest::from_json(&task.input).expect("what the cursor writes can be read");
    let (path, n) = request.url.rsplit_once('/').expect("all paths have a number");
    let n: u32 = n.parse().expect("all paths have a number");
    let answer = |status, headers: &[(&str, String)]| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        request.outcome(&HttpResponse { status, headers, content: request.headers.len().to_string() })
    };
    match n {
        n if path.ends_with("busy") && task.attempt <= n => answer(503, &[]),
        n if path.ends_with("accepted") && n > 0 => {
            let location = format!("https://shop.example/accepted/{}", n - 1);
            answer(202, &[("Location", location), ("Retry-After", "1".to_owned())])
        }
        _ => answer(200, &[]),
    }
}

/// A step that takes part in a critical section.
async fn section(ctx: &Ctx, locked: &[u8], called: &[u8], seconds: u64) -> Vec<String> {
    let accounts = |keys: &[u8]| keys.iter().map(|key| account(&key.to_string())).collect::<Vec<_>>();
    let mut seen = vec![shown(&ctx.lock(&accounts(locked)).await)];
    for entity in accounts(called) {
        seen.push(shown(&ctx.entity(&entity, "add", "10").await));
    }
    ctx.sleep(seconds).await.expect("timers do not fail");
    ctx.unlock();
    seen
}

/// Runs a program and answers what it saw.
async fn run(ctx: Ctx, input: Json, steps: Vec<Step>) -> Outcome {
    let mut seen = Vec::new();
    for step in &steps {
        match step {
            Step::One(ask) => seen.push(shown(&make(&ctx, ask).await)),
            Step::All(asks) => {
                let tasks = asks.iter().map(|ask| make(&ctx, ask)).collect();
                seen.extend(ctx.all(tasks).await.iter().map(shown));
            }
            Step::Any(asks, cancel) => {
                let tasks: Vec<_> = asks.iter().map(|ask| make(&ctx, ask)).collect();
                let winner = ctx.any(&tasks.iter().collect::<Vec<_>>()).await;
                seen.push(winner.to_string());
                for task in tasks.iter().filter(|_| *cancel) {
                    ctx.cancel(task);
                }
            }
            Step::Leave(ask) => drop(make(&ctx, ask)),
            Step::Withdraw(ask) => ctx.cancel(&make(&ctx, ask)),
            Step::Abort(ask, seconds) => {
                let (task, patience) = (make(&ctx, ask), ctx.sleep(*seconds));
                seen.push(ctx.any(&[&task, &patience]).await.to_string());
                ctx.abort(&task);
            }
            Step::OrFail(ask) => seen.push(shown(&Ok(make(&ctx, ask).await?))),
            Step::Section(locked, called, seconds) => seen.extend(section(&ctx, locked, called, *seconds).await),
            Step::NoSection(key, seconds) => {
                let (lock, patience) = (ctx.lock(&[account(&key.to_string())]), ctx.sleep(*seconds));
                match ctx.any(&[&lock, &patience]).await {
                    0 => ctx.unlock(),
                    _ => ctx.cancel(&lock),
                }
            }
            Step::Signal(key, moment) => {
                ctx.signal_at(&account(&key.to_string()), "add", "100", moment.map(at))?;
            }
            Step::Send(to) => ctx.send(to, "a", "\"sent\"")?,
            Step::Start(n, moment) => {
                let options = StartOptions { start_at: moment.map(at), ..StartOptions::default() };
                seen.push(ctx.start("Child", &n.to_string(), None, options)?);
            }
            Step::Status => ctx.set_status(Some(&seen.len().to_string())),
            Step::Guid => seen.push(format!("{} {}", ctx.now(), ctx.guid())),
            Step::ContinueAsNew(preserve) if input.as_str() == "0" => {
                ctx.continue_as_new("1", *preserve);
                return ok("over");
            }
            Step::ContinueAsNew(_) => {}
        }
        ctx.log(format!("step {}", seen.len()));
    }
    ok(seen.join(" "))
}

/// What happens from outside.
#[derive(Clone, Debug)]
enum Outside {
    Raise(&'static str),
    Terminate(bool),
    Suspend,
    Resume,
    Rewind,
}

/// At which second, and to the rival or to the main one.
fn outside() -> impl Strategy<Value = Vec<(u64, bool, Outside)>> {
    let what = prop_oneof![
        8 => Just(Outside::Raise("A")),
        8 => Just(Outside::Raise("b")),
        1 => any::<bool>().prop_map(Outside::Terminate),
        3 => Just(Outside::Suspend),
        4 => Just(Outside::Resume),
        3 => Just(Outside::Rewind),
    ];
    vec((0..12u64, any::<bool>(), what), 0..12)
}

/// Two instances of one program that share entities; the second may be scheduled for later.
fn world(steps: Vec<Step>, rival_at: u64) -> Scenario {
    Scenario::default()
        .orchestrator("Main", move |ctx, input| run(ctx, input, steps.clone()))
        .orchestrator("Child", |ctx, input| async move {
            let n: u64 = input.as_str().parse().unwrap_or(0);
            ctx.sleep(n % 3).await?;
            if n % 4 == 3 { fail("ChildFailed") } else { Ok(input) }
        })
        .activity(HttpCall::ACTIVITY, 1, serve)
        .activity("Work", 1, |call| {
            let n: u32 = call.input.as_str().parse().unwrap_or(0);
            // A rewound execution has another id, and with luck another outcome.
            let luck = (call.execution.as_u128() % 3) as u32;
            if (n + luck) % 3 >= call.attempt { fail("Flaky") } else { Ok(call.input.clone()) }
        })
        .start(0, "main", "Main", "0")
        .start_with(0, "rival", "Main", "1", StartOptions { start_at: Some(at(rival_at)), ..StartOptions::default() })
}

proptest! {
    #[test]
    fn live_and_replayed_programs_agree(steps in vec(step(), 0..8), outside in outside(), rival_at in 0..5u64) {
        let scenario = outside.into_iter().fold(world(steps, rival_at), |scenario, (seconds, to_rival, what)| {
            let id = if to_rival { "rival" } else { "main" };
            match what {
                Outside::Raise(name) => scenario.raise(seconds, id, name, &seconds.to_string()),
                Outside::Terminate(recurse) => {
                    let kind = MessageKind::ExecutionTerminated { reason: Json::null(), recurse, by_parent: None };
                    scenario.send(seconds, id, kind)
                }
                Outside::Suspend => scenario.suspend(seconds, id),
                Outside::Resume => scenario.resume(seconds, id),
                Outside::Rewind => scenario.rewind(seconds, id),
            }
        });
        let story = scenario.story();
        prop_assert!(!story.contains("NonDeterministic"), "{story}");
    }
}
