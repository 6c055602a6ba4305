//! The orchestrators of the scenarios about entities, critical sections, failures that are rewound, and versions.
//!
//! As with the others, outputs follow from the input and the order of an orchestrator's own events. Those that share entities
//! return nothing that the others have a part in.

use super::entities::{counter, relay};
use super::programs::{Program, policy};
use super::{Context, Outcome, number, text, to_number, to_text};
use futures::FutureExt;
use futures::future::{Either, join_all, select};
use orchestration::{EntityId, Failure, Json, Timeouts};
use std::time::Duration;

/// All of them by name.
pub(crate) const ALL: &[(&str, Program)] = &[
    ("CallEntity", |ctx, input| call_entity(ctx, input).boxed()),
    ("SignalEntity", |ctx, input| async move { signal_entity(&ctx, &input) }.boxed()),
    ("SpoilEntity", |ctx, input| spoil_entity(ctx, input).boxed()),
    ("DeleteEntity", |ctx, input| delete_entity(ctx, input).boxed()),
    ("TrapEntity", |ctx, input| trap_entity(ctx, input).boxed()),
    ("Relay", |ctx, input| async move { pass_on(&ctx, &input) }.boxed()),
    ("Section", |ctx, input| section(ctx, input).boxed()),
    ("AskAndLeave", |ctx, input| ask_and_leave(ctx, input).boxed()),
    ("Gather", |ctx, input| gather(ctx, input).boxed()),
    ("GatherAnew", |ctx, input| gather_anew(ctx, input).boxed()),
    ("CountSlowly", |ctx, input| count_slowly(ctx, input).boxed()),
    ("SlowParents", |ctx, input| slow_parents(ctx, input).boxed()),
    ("Send", |ctx, input| async move { send(&ctx, &input) }.boxed()),
    ("StartOther", |ctx, input| async move { start_other(&ctx, &input) }.boxed()),
    ("AbortActivity", |ctx, input| abort_activity(ctx, input).boxed()),
    ("AbortChild", |ctx, input| abort_child(ctx, input).boxed()),
    ("WaitFor", |ctx, input| wait_for(ctx, input).boxed()),
    ("InTime", |ctx, input| in_time(ctx, input).boxed()),
    ("Alive", |ctx, input| alive(ctx, input).boxed()),
    ("Ail", |ctx, input| ail(ctx, input).boxed()),
    ("AilWithRetries", |ctx, input| ail_with_retries(ctx, input).boxed()),
    ("AilAmongOthers", |ctx, input| ail_among_others(ctx, input).boxed()),
    ("AilManifold", |ctx, input| ail_manifold(ctx, input).boxed()),
    ("AilBesideChild", |ctx, input| ail_beside_child(ctx, input).boxed()),
    ("AilBesideActivity", |ctx, input| ail_beside_activity(ctx, input).boxed()),
    ("AilAfterEvent", |ctx, input| ail_after_event(ctx, input).boxed()),
    ("TrapInSection", |ctx, input| trap_in_section(ctx, input).boxed()),
    ("DeleteLater", |ctx, input| delete_later(ctx, input).boxed()),
    ("Guardian", |ctx, input| guardian(ctx, input).boxed()),
    ("AilBelow", |ctx, input| ail_below(ctx, input).boxed()),
    ("AilInSection", |ctx, input| ail_in_section(ctx, input).boxed()),
    ("Versioned", |ctx, input| versioned(ctx, input).boxed()),
    ("Curable", |ctx, input| curable(ctx, input).boxed()),
];

/// Those that are otherwise in the second app.
pub(crate) const CHANGED: &[(&str, Program)] = &[
    ("Versioned", |ctx, input| versioned_anew(ctx, input).boxed()),
    ("Curable", |ctx, input| cured(ctx, input).boxed()),
];

fn words(input: &Json) -> Vec<String> {
    to_text(input).split(' ').map(str::to_owned).collect()
}

fn counters(keys: &[String]) -> Vec<EntityId> {
    keys.iter().map(|key| counter(key)).collect()
}

/// `"key n"`: adds 1 so often; each answer is larger than the one before.
async fn call_entity(ctx: Context, input: Json) -> Outcome {
    let words = words(&input);
    let (entity, times) = (counter(&words[0]), words[1].parse().unwrap_or(0));
    let mut last = 0;
    for _ in 0..times {
        let now = to_number(&ctx.entity(&entity, "add", number(1)).await?);
        if now <= last {
            return Ok(text("it went back"));
        }
        last = now;
    }
    Ok(text("added"))
}

/// `"key n"`: adds 1, 2, ... n without waiting, the last of them in an hour.
fn signal_entity(ctx: &Context, input: &Json) -> Outcome {
    let words = words(input);
    let (entity, times) = (counter(&words[0]), words[1].parse().unwrap_or(0));
    for n in 1..=times {
        ctx.signal(&entity, "add", number(n), (n == times).then_some(Duration::from_secs(3600)));
    }
    Ok(text("signaled"))
}

/// `"key"`: an operation that fails leaves nothing behind, neither in the state nor anywhere else.
async fn spoil_entity(ctx: Context, input: Json) -> Outcome {
    let entity = counter(&to_text(&input));
    let before = ctx.entity(&entity, "add", number(7)).await?;
    let spoiled = ctx.entity(&entity, "spoil", Json::null()).await;
    let after = ctx.entity(&entity, "get", Json::null()).await?;
    match spoiled {
        Err(failure) if before == after => Ok(text(&failure.error_type)),
        Err(_) | Ok(_) => Ok(text("spoiled for good")),
    }
}

/// `"key"`: what is deleted is gone, and begins anew.
async fn delete_entity(ctx: Context, input: Json) -> Outcome {
    let entity = counter(&to_text(&input));
    ctx.entity(&entity, "add", number(5)).await?;
    ctx.entity(&entity, "delete", Json::null()).await?;
    let anew = ctx.entity(&entity, "add", number(2)).await?;
    ctx.entity(&entity, "delete", Json::null()).await?;
    Ok(anew)
}

/// `"key"`: operations before and behind one that traps.
async fn trap_entity(ctx: Context, input: Json) -> Outcome {
    let entity = counter(&to_text(&input));
    let calls = ["add", "trap", "add"].map(|operation| ctx.entity(&entity, operation, number(1)));
    let outcomes = join_all(calls).await;
    let told = |outcome: Outcome| outcome.map_or_else(|why| why.error_type, |_| "ok".to_owned());
    Ok(text(&outcomes.into_iter().map(told).collect::<Vec<_>>().join(" ")))
}

/// `"key"`: an entity that tells another one, now and later, and starts an orchestration.
fn pass_on(ctx: &Context, input: &Json) -> Outcome {
    let key = to_text(input);
    let entity = relay(&key);
    ctx.signal(&entity, "now", text(&format!("{key} 3")), None);
    ctx.signal(&entity, "later", text(&format!("{key} 4")), None);
    ctx.signal(&entity, "start", text(&format!("{key}-started 2")), None);
    Ok(text("told"))
}

/// `"how key ..."`: adds 1 to each counter by reading and writing it with an activity in between, in a critical section over
/// all of them; then ends in one of several ways, some of them within the section.
async fn section(ctx: Context, input: Json) -> Outcome {
    let words = words(&input);
    let (how, entities) = (words[0].as_str(), counters(&words[1..]));
    ctx.lock(&entities).await?;
    for entity in &entities {
        let value = to_number(&ctx.entity(entity, "get", Json::null()).await?);
        let value = ctx.call("Add", number(value)).await?;
        ctx.entity(entity, "set", value).await?;
    }
    match how {
        "leave" => {
            ctx.unlock();
            ctx.call("Echo", text("left")).await
        }
        "wait" => {
            ctx.event("go").await?;
            Ok(text("went"))
        }
        "fail" => Err(Failure::new("Failed", "within the section")),
        "trap" => ctx.trap().await,
        "anew" => ctx.continue_as_new(text(&to_text(&input).replacen("anew", "leave", 1))),
        _ => Ok(text("done")),
    }
}

/// `"how key ..."`: asks for the locks and does not wait for them.
async fn ask_and_leave(ctx: Context, input: Json) -> Outcome {
    let words = words(&input);
    let lock = ctx.lock(&counters(&words[1..]));
    match words[0].as_str() {
        "timeout" => match select(lock, ctx.sleep(Duration::from_secs(5))).await {
            Either::Left((granted, timer)) => {
                drop(timer);
                granted?;
            }
            Either::Right((_, lock)) => drop(lock),
        },
        "fail" => {
            lock.detach();
            return Err(Failure::new("Failed", "before the section"));
        }
        "anew" => {
            lock.detach();
            return ctx.continue_as_new(text(&to_text(&input).replacen("anew", "timeout", 1)));
        }
        _ => lock.detach(),
    }
    Ok(text("left"))
}

/// `n`: exactly that many events in their order, and none more within a minute.
async fn gather(ctx: Context, input: Json) -> Outcome {
    let mut seen = Vec::new();
    for _ in 0..to_number(&input) {
        seen.push(to_text(&ctx.event("item").await?));
    }
    no_more(&ctx, &seen).await
}

async fn no_more(ctx: &Context, seen: &[String]) -> Outcome {
    match select(ctx.event("item"), ctx.sleep(Duration::from_secs(60))).await {
        Either::Left((event, _)) => Ok(text(&format!("{} and again {}", seen.join(" "), to_text(&event?)))),
        Either::Right(_) => Ok(text(&seen.join(" "))),
    }
}

/// `"n a b"`: like `Gather`, with one event an execution.
async fn gather_anew(ctx: Context, input: Json) -> Outcome {
    let mut words = words(&input);
    if words.len() > words[0].parse().unwrap_or(0) {
        return no_more(&ctx, &words[1..]).await;
    }
    words.push(to_text(&ctx.event("item").await?));
    ctx.continue_as_new(text(&words.join(" ")))
}

/// `n`: counts down to 0, with a pause in each execution.
async fn count_slowly(ctx: Context, input: Json) -> Outcome {
    if to_number(&input) == 0 {
        return Ok(text("done"));
    }
    ctx.sleep(Duration::from_secs(1)).await?;
    let left = ctx.call("Echo", number(to_number(&input) - 1)).await?;
    ctx.continue_as_new(left)
}

/// `n`: children at once that take their time.
async fn slow_parents(ctx: Context, input: Json) -> Outcome {
    let children = (0..to_number(&input)).map(|_| ctx.sub("Status", number(2), None));
    for outcome in join_all(children).await {
        outcome?;
    }
    ctx.call("Echo", text("grown up")).await
}

/// `"id a b"`: raises these events there.
fn send(ctx: &Context, input: &Json) -> Outcome {
    let words = words(input);
    for event in &words[1..] {
        ctx.send(&words[0], "item", text(event));
    }
    Ok(text("sent"))
}

/// `"id"`: starts another one and goes on.
fn start_other(ctx: &Context, input: &Json) -> Outcome {
    ctx.start("Sequence", number(2), &to_text(input));
    Ok(text("started"))
}

/// An activity that is given up and stopped while it runs; another one that was never begun.
async fn abort_activity(ctx: Context, _: Json) -> Outcome {
    let slow = ctx.call("Slow", number(1));
    ctx.sleep(Duration::from_secs(1)).await?;
    slow.abort();
    ctx.call("Slow", number(2)).abort();
    ctx.call("Echo", text("went on")).await
}

/// `"id"`: a child that is stopped, with its own child.
async fn abort_child(ctx: Context, input: Json) -> Outcome {
    let child = ctx.sub("WaitFor", text("child"), Some(&to_text(&input)));
    ctx.sleep(Duration::from_secs(10)).await?;
    child.abort();
    ctx.call("Echo", text("went on")).await
}

/// Waits for an event that may never come, or for a child that does.
async fn wait_for(ctx: Context, input: Json) -> Outcome {
    match to_text(&input).as_str() {
        "child" => ctx.sub("WaitFor", text("event"), None).await,
        _ => ctx.event("go").await,
    }
}

/// An activity whose first attempt takes too long.
async fn in_time(ctx: Context, _: Json) -> Outcome {
    let timeouts = Timeouts { run: Some(Duration::from_secs(60)), heartbeat: None };
    ctx.call_within("SlowAtFirst", Json::null(), policy(1000), timeouts).await
}

/// An activity that is heard of, and one that is not at first.
async fn alive(ctx: Context, _: Json) -> Outcome {
    let (beating, stuck) = futures::join!(
        ctx.call_with("Beating", Json::null(), policy(1000)),
        ctx.call_with("StuckAtFirst", Json::null(), policy(1000)),
    );
    Ok(text(&format!("{} {}", to_text(&beating?), to_text(&stuck?))))
}

/// `"key"`: fails with an activity until somebody repairs it.
async fn ail(ctx: Context, input: Json) -> Outcome {
    let before = ctx.call("Add", number(1)).await?;
    let well = ctx.call("Ailing", input).await?;
    let after = ctx.call("Add", before).await?;
    Ok(text(&format!("{} {}", to_text(&well), to_number(&after))))
}

/// `"key"`: the same with retries, which are used up.
async fn ail_with_retries(ctx: Context, input: Json) -> Outcome {
    ctx.call_with("Ailing", input, policy(3)).await
}

/// `"key"`: the same in the middle of activities, timers, events and an entity that go well.
async fn ail_among_others(ctx: Context, input: Json) -> Outcome {
    let entity = counter(&to_text(&input));
    let timer = ctx.sleep(Duration::from_secs(20_000));
    let (one, ailing, slow) =
        futures::join!(ctx.call("Echo", number(3)), ctx.call("Ailing", input), ctx.entity(&entity, "add", number(4)));
    let ailing = ailing?;
    timer.await?;
    let event = ctx.event("go").await?;
    let sum = to_number(&one?) + to_number(&slow?);
    Ok(text(&format!("{} {sum} {}", to_text(&ailing), to_text(&event))))
}

/// `"key"`: three of them at once, none of which is alone to blame.
async fn ail_manifold(ctx: Context, input: Json) -> Outcome {
    let calls = [0; 3].map(|_| ctx.call("Ailing", input.clone()));
    let outcomes: Vec<_> = join_all(calls).await.into_iter().collect::<Result<_, _>>()?;
    Ok(text(&outcomes.iter().map(to_text).collect::<Vec<_>>().join(" ")))
}

/// `"key"`: fails while a child of it is still at work.
async fn ail_beside_child(ctx: Context, input: Json) -> Outcome {
    let child = format!("{}-child", to_text(&input));
    let child = ctx.sub("WaitFor", text("event"), Some(&child));
    let ailing = ctx.call("Ailing", input);
    let (child, ailing) = futures::try_join!(child, ailing)?;
    Ok(text(&format!("{} {}", to_text(&child), to_text(&ailing))))
}

/// `"key"`: fails while an activity of it still runs.
async fn ail_beside_activity(ctx: Context, input: Json) -> Outcome {
    let (slow, ailing) = futures::try_join!(ctx.call("Slow", number(3)), ctx.call("Ailing", input))?;
    Ok(text(&format!("{} {}", to_number(&slow), to_text(&ailing))))
}

/// `"key"`: fails after an event that is to count once.
async fn ail_after_event(ctx: Context, input: Json) -> Outcome {
    let first = to_text(&ctx.event("item").await?);
    ctx.call("Ailing", input).await?;
    let second = to_text(&ctx.event("item").await?);
    no_more(&ctx, &[first, second]).await
}

/// `"key"`: an operation traps within a section, and the section goes on.
async fn trap_in_section(ctx: Context, input: Json) -> Outcome {
    let entity = counter(&to_text(&input));
    ctx.lock(std::slice::from_ref(&entity)).await?;
    ctx.entity(&entity, "add", number(1)).await?;
    let trapped = ctx.entity(&entity, "trap", Json::null()).await.map_or_else(|why| why.error_type, |_| "?".to_owned());
    ctx.entity(&entity, "add", number(1)).await?;
    Ok(text(&trapped))
}

/// `"key"`: deletes an entity that has something to do later.
async fn delete_later(ctx: Context, input: Json) -> Outcome {
    let entity = counter(&to_text(&input));
    ctx.signal(&entity, "add", number(3), Some(Duration::from_secs(3600)));
    ctx.entity(&entity, "add", number(5)).await?;
    ctx.entity(&entity, "delete", Json::null()).await
}

/// `"id"`: a child that waits for ever, and what becomes of it.
async fn guardian(ctx: Context, input: Json) -> Outcome {
    let outcome = ctx.sub("WaitFor", text("event"), Some(&to_text(&input))).await;
    Ok(text(&outcome.map_or_else(|failure| failure.error_type, |_| "unexpected".to_owned())))
}

/// `"key"`: the same in a child of a child; the failed ids are known to clients.
async fn ail_below(ctx: Context, input: Json) -> Outcome {
    let words = words(&input);
    let (key, depth) = (&words[0], words[1].parse().unwrap_or(0));
    if depth == 0 {
        return ctx.call("Ailing", text(key)).await;
    }
    let id = format!("{key}-{}", depth - 1);
    let other = ctx.call("Echo", number(depth));
    let below = ctx.sub("AilBelow", text(&format!("{key} {}", depth - 1)), Some(&id));
    let (other, below) = futures::join!(other, below);
    other?;
    below
}

/// `"key"`: the same within a critical section.
async fn ail_in_section(ctx: Context, input: Json) -> Outcome {
    let entity = counter(&to_text(&input));
    ctx.lock(std::slice::from_ref(&entity)).await?;
    ctx.entity(&entity, "add", number(1)).await?;
    let well = ctx.call("Ailing", input).await?;
    let value = ctx.entity(&entity, "add", number(1)).await?;
    ctx.unlock();
    Ok(text(&format!("{} {}", to_text(&well), to_number(&value))))
}

/// As of the first app. `"upgrade"` goes on in the present one.
async fn versioned(ctx: Context, input: Json) -> Outcome {
    ctx.call("Echo", text("first")).await?;
    ctx.event("go").await?;
    if to_text(&input) == "upgrade" {
        return ctx.upgrade(text("stay"), "3.0");
    }
    let app = ctx.call("App", Json::null()).await?;
    Ok(text(&format!("old code, {}", to_text(&app))))
}

/// As of the second app.
async fn versioned_anew(ctx: Context, input: Json) -> Outcome {
    let app = ctx.call("App", input).await?;
    Ok(text(&format!("new code, {}", to_text(&app))))
}

/// A mistake of the first app.
async fn curable(ctx: Context, input: Json) -> Outcome {
    let echo = ctx.call("Echo", input).await?;
    Err(Failure::new("Mistake", to_text(&echo)))
}

/// The same without it.
async fn cured(ctx: Context, input: Json) -> Outcome {
    let echo = ctx.call("Echo", input).await?;
    let app = ctx.call("App", Json::null()).await?;
    Ok(text(&format!("{} on {}", to_text(&echo), to_text(&app))))
}
