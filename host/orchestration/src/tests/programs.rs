//! Programs drawn at random, in a world that moves at random: the laws that every orchestration keeps.
//!
//! The world checks them while it runs: kept alive and replayed orchestrators tell the same story, every prefix of a history
//! replays to what it records, the ledger is the fold of the history, and settle is deterministic.

use super::author::{Ctx, Task};
use super::world::Scenario;
use super::{Outcome, fail, ok, shown};
use crate::{Json, RetryPolicy};
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
    }
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

/// What happens from outside: at which second, and an event's name, or none to terminate.
fn outside() -> impl Strategy<Value = Vec<(u64, Option<&'static str>)>> {
    vec((0..12u64, prop_oneof![8 => Just(Some("A")), 8 => Just(Some("b")), 1 => Just(None)]), 0..8)
}

proptest! {
    #[test]
    fn live_and_replayed_programs_agree(steps in vec(step(), 0..8), outside in outside()) {
        let scenario = Scenario::new(move |ctx, input| run(ctx, input, steps.clone()))
            .orchestrator("Child", |ctx, input| async move {
                let n: u64 = input.as_str().parse().unwrap_or(0);
                ctx.sleep(n % 3).await?;
                if n % 4 == 3 { fail("ChildFailed") } else { Ok(input) }
            })
            .activity("Work", 1, |call| {
                let n: u32 = call.input.as_str().parse().unwrap_or(0);
                if n % 3 >= call.attempt { fail("Flaky") } else { Ok(call.input.clone()) }
            });
        let scenario = outside.into_iter().fold(scenario, |scenario, (seconds, name)| match name {
            Some(name) => scenario.raise(seconds, "main", name, &seconds.to_string()),
            None => scenario.terminate(seconds, "main", "null"),
        });
        let story = scenario.story();
        prop_assert!(!story.contains("NonDeterministic"), "{story}");
    }
}
