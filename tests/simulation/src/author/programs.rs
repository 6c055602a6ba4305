//! The orchestrators of the scenarios: each shows one thing that authors do.
//!
//! Each output must follow from the input, the activities and the order of its own events alone, never from timing: then
//! the model, which runs straight through, comes to the same. Where a race is the point, the scenario lists what may come out.

use super::{Context, Outcome, apps, number, stateful, text, to_number, to_text};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, join_all, select};
use orchestration::{Failure, Json, RetryPolicy};
use std::collections::BTreeSet;
use std::time::Duration;

/// An orchestrator.
pub(crate) type Program = fn(Context, Json) -> BoxFuture<'static, Outcome>;

const DAY: Duration = Duration::from_secs(86_400);

/// All orchestrators by name.
pub(crate) const ALL: &[(&str, Program)] = &[
    ("Sequence", |ctx, input| sequence(ctx, input).boxed()),
    ("FanOut", |ctx, input| fan_out(ctx, input).boxed()),
    ("Retry", |ctx, input| retry(ctx, input).boxed()),
    ("Stubborn", |ctx, input| stubborn(ctx, input).boxed()),
    ("Compensate", |ctx, input| compensate(ctx, input).boxed()),
    ("Refused", |ctx, input| refused(ctx, input).boxed()),
    ("Unknown", |ctx, input| unknown(ctx, input).boxed()),
    ("Timer", |ctx, input| timer(ctx, input).boxed()),
    ("Timers", |ctx, input| timers(ctx, input).boxed()),
    ("Approval", |ctx, input| approval(ctx, input).boxed()),
    ("Collect", |ctx, input| collect(ctx, input).boxed()),
    ("CollectAnew", |ctx, input| collect_anew(ctx, input).boxed()),
    ("Alternate", |ctx, input| alternate(ctx, input).boxed()),
    ("Parent", |ctx, input| parent(ctx, input).boxed()),
    ("Parents", |ctx, input| parents(ctx, input).boxed()),
    ("Nested", |ctx, input| nested(ctx, input).boxed()),
    ("BrokenChild", |ctx, input| broken_child(ctx, input).boxed()),
    ("NamedChild", |ctx, input| named_child(ctx, input).boxed()),
    ("FailingFirst", |ctx, input| failing_first(ctx, input).boxed()),
    ("ChildRetry", |ctx, input| child_retry(ctx, input).boxed()),
    ("Forget", |ctx, input| async move { forget(&ctx, input) }.boxed()),
    ("Count", |ctx, input| count(ctx, input).boxed()),
    ("LeaveBehind", |ctx, input| leave_behind(ctx, input).boxed()),
    ("Long", |ctx, input| long(ctx, input).boxed()),
    ("Status", |ctx, input| status(ctx, input).boxed()),
    ("Guids", |ctx, input| guids(ctx, input).boxed()),
    ("Mixed", |ctx, input| mixed(ctx, input).boxed()),
    ("Transfer", |ctx, input| transfer(ctx, input).boxed()),
    ("Noted", |ctx, input| async move { ctx.call("Note", input).await }.boxed()),
    ("Witness", |ctx, input| async move { ctx.call("Witness", input).await }.boxed()),
];

/// The names of all orchestrators.
pub(crate) fn names() -> Vec<String> {
    ALL.iter().chain(stateful::ALL).map(|(name, _)| (*name).to_owned()).collect()
}

/// The orchestrator of this name in an app.
pub(crate) fn find(name: &str, app: &str) -> Option<Program> {
    let is_it = |(known, _): &&(&str, Program)| known.eq_ignore_ascii_case(name);
    let changed = stateful::CHANGED.iter().filter(|_| apps::code(app) == "app-2");
    changed.chain(ALL).chain(stateful::ALL).find(is_it).map(|(_, program)| *program)
}

/// `n`: that many activities, one after the other.
async fn sequence(ctx: Context, input: Json) -> Outcome {
    let mut sum = number(0);
    for _ in 0..to_number(&input) {
        sum = ctx.call("Add", sum).await?;
    }
    Ok(sum)
}

/// `n`: that many activities at once.
async fn fan_out(ctx: Context, input: Json) -> Outcome {
    let calls: Vec<_> = (0..to_number(&input)).map(|n| ctx.call("Echo", number(n))).collect();
    let mut sum = 0;
    for outcome in join_all(calls).await {
        sum += to_number(&outcome?);
    }
    Ok(number(sum))
}

pub(super) fn policy(attempts: u32) -> RetryPolicy {
    RetryPolicy { backoff_coefficient: 2.0, ..RetryPolicy::new(attempts, Duration::from_secs(5)) }
}

/// `n`: an activity that fails that often.
async fn retry(ctx: Context, input: Json) -> Outcome {
    ctx.call_with("Flaky", input, policy(5)).await
}

/// `n`: activities that may be made to fail, tried until they work.
async fn stubborn(ctx: Context, input: Json) -> Outcome {
    let mut sum = number(0);
    for _ in 0..to_number(&input) {
        sum = ctx.call_with("Tough", sum, policy(1000)).await?;
    }
    Ok(sum)
}

/// A step fails in spite of retries, and the one before is undone.
async fn compensate(ctx: Context, _: Json) -> Outcome {
    let booked = ctx.call("Add", number(40)).await?;
    match ctx.call_with("Broken", booked, policy(2)).await {
        Ok(_) => Ok(text("unexpected")),
        Err(failure) => ctx.call("Echo", text(&format!("undone after {}", failure.error_type))).await,
    }
}

/// The instance fails with its activity, at the first attempt.
async fn refused(ctx: Context, input: Json) -> Outcome {
    ctx.call_with("Refused", input, policy(5)).await
}

/// What it calls is in no app.
async fn unknown(ctx: Context, _: Json) -> Outcome {
    let activity = ctx.call("Nonsuch", number(1)).await.map_or_else(|failure| failure.error_type, |_| "?".to_owned());
    let child = ctx.sub("Nonsuch", number(1), None).await.map_or_else(|failure| failure.error_type, |_| "?".to_owned());
    Ok(text(&format!("{activity} {child}")))
}

/// `n`: sleeps for that many days.
async fn timer(ctx: Context, input: Json) -> Outcome {
    let days = u32::try_from(to_number(&input)).unwrap_or(0);
    let begun = ctx.now();
    ctx.sleep(DAY * days).await?;
    let slept = ctx.now().saturating_since(begun);
    Ok(text(if slept >= DAY * days { "slept" } else { "woke too early" }))
}

/// The shorter of two timers counts; the longer one is taken back.
async fn timers(ctx: Context, _: Json) -> Outcome {
    let short = ctx.sleep(Duration::from_secs(60));
    let long = ctx.sleep(DAY * 365);
    Ok(text(match select(short, long).await {
        Either::Left(_) => "short",
        Either::Right(_) => "long",
    }))
}

/// An event against a timer of ten days; the loser is taken back.
async fn approval(ctx: Context, _: Json) -> Outcome {
    match select(ctx.event("Approval"), ctx.sleep(DAY * 10)).await {
        Either::Left((event, timer)) => {
            drop(timer);
            ctx.call("Echo", event?).await
        }
        Either::Right((_, event)) => {
            drop(event);
            Ok(text("expired"))
        }
    }
}

/// `n`: that many different events, in the order in which each came first. (Clients that get no answer raise an event again.)
async fn collect(ctx: Context, input: Json) -> Outcome {
    let mut seen = Vec::new();
    while seen.len() < usize::try_from(to_number(&input)).unwrap_or(0) {
        let event = to_text(&ctx.event("item").await?);
        if !seen.contains(&event) {
            seen.push(event);
        }
    }
    Ok(text(&seen.join(" ")))
}

/// `"n a b"`: like `Collect`, with one event an execution.
async fn collect_anew(ctx: Context, input: Json) -> Outcome {
    let so_far = to_text(&input);
    let mut words: Vec<_> = so_far.split(' ').map(str::to_owned).collect();
    let wanted: usize = words.first().and_then(|word| word.parse().ok()).unwrap_or(0);
    let event = to_text(&ctx.event("item").await?);
    if !words[1..].contains(&event) {
        words.push(ctx.call("Echo", text(&event)).await.map(|echo| to_text(&echo))?);
    }
    if words.len() > wanted {
        return Ok(text(&words[1..].join(" ")));
    }
    ctx.continue_as_new(text(&words.join(" ")))
}

/// Events of two names, taken in turns whatever order they came in; names are compared without case.
async fn alternate(ctx: Context, input: Json) -> Outcome {
    let mut taken = Vec::new();
    let mut known = BTreeSet::new();
    for round in 0..to_number(&input) {
        let name = if round % 2 == 0 { "LEFT" } else { "right" };
        loop {
            let event = to_text(&ctx.event(name).await?);
            if known.insert(event.clone()) {
                taken.push(event);
                break;
            }
        }
    }
    Ok(text(&taken.join(" ")))
}

/// `n`: children one after the other.
async fn parent(ctx: Context, input: Json) -> Outcome {
    let mut sum = 0;
    for n in 0..to_number(&input) {
        sum += to_number(&ctx.sub("Sequence", number(n), None).await?);
    }
    Ok(number(sum))
}

/// `n`: children at once.
async fn parents(ctx: Context, input: Json) -> Outcome {
    let children: Vec<_> = (0..to_number(&input)).map(|n| ctx.sub("Sequence", number(n), None)).collect();
    let mut sum = 0;
    for outcome in join_all(children).await {
        sum += to_number(&outcome?);
    }
    Ok(number(sum))
}

/// `n`: a child in a child, that deep.
async fn nested(ctx: Context, input: Json) -> Outcome {
    match to_number(&input) {
        0 => ctx.call("Add", number(0)).await,
        depth => Ok(number(to_number(&ctx.sub("Nested", number(depth - 1), None).await?) + 1)),
    }
}

/// A child's failure surfaces as data.
async fn broken_child(ctx: Context, _: Json) -> Outcome {
    match ctx.sub("Refused", number(1), None).await {
        Ok(_) => Ok(text("unexpected")),
        Err(failure) => Ok(text(&failure.error_type)),
    }
}

/// `"id"`: a child under a chosen id; if that is at work already, says so.
async fn named_child(ctx: Context, input: Json) -> Outcome {
    let id = to_text(&input);
    match ctx.sub("Sequence", number(2), Some(&id)).await {
        Ok(output) => Ok(output),
        Err(failure) if failure.error_type == Failure::ALREADY_EXISTS => Ok(text("conflict")),
        Err(failure) => Err(failure),
    }
}

/// `"key"`: fails in the first instance that comes with the key.
async fn failing_first(ctx: Context, input: Json) -> Outcome {
    ctx.call("FailFirst", input).await
}

/// A child that fails and is started again, under another id.
async fn child_retry(ctx: Context, _: Json) -> Outcome {
    let key = text(&ctx.instance());
    ctx.sub_with("FailingFirst", key, policy(3)).await
}

/// An activity that nobody awaits: it runs all the same.
fn forget(ctx: &Context, input: Json) -> Outcome {
    ctx.call("Echo", input).detach();
    Ok(text("not waiting"))
}

/// `n`: counts down to 0, one activity an execution.
async fn count(ctx: Context, input: Json) -> Outcome {
    match to_number(&input) {
        0 => Ok(text("done")),
        left => {
            ctx.call("Add", number(left)).await?;
            ctx.continue_as_new(number(left - 1))
        }
    }
}

/// `n`: executions that leave an activity and a timer unfinished behind; neither may reach the next one.
async fn leave_behind(ctx: Context, input: Json) -> Outcome {
    match to_number(&input) {
        0 => {
            ctx.sleep(Duration::from_secs(30)).await?;
            ctx.call("Add", number(6)).await
        }
        left => {
            ctx.call("Slow", number(left)).detach();
            ctx.sleep(DAY).detach();
            ctx.call("Add", number(left)).await?;
            ctx.continue_as_new(number(left - 1))
        }
    }
}

/// An activity that takes longer than its lease.
async fn long(ctx: Context, input: Json) -> Outcome {
    ctx.call("Slow", input).await
}

/// Shows its progress, and a clock that never goes back.
async fn status(ctx: Context, input: Json) -> Outcome {
    let mut last = ctx.now();
    for step in 0..to_number(&input) {
        ctx.set_custom_status(number(step));
        ctx.call("Echo", number(step)).await?;
        if ctx.now() < last {
            return Ok(text("time went back"));
        }
        last = ctx.now();
    }
    ctx.set_custom_status(text("finished"));
    Ok(text("in order"))
}

/// `n`: as many ids, all different, each sent through an activity.
async fn guids(ctx: Context, input: Json) -> Outcome {
    let mut ids = BTreeSet::new();
    for _ in 0..to_number(&input) {
        let (one, two) = (ctx.new_guid(), ctx.new_guid());
        let (one, two) = futures::join!(ctx.call("Echo", text(&one)), ctx.call("Echo", text(&two)));
        ids.extend([one?, two?].map(|id| to_text(&id)));
    }
    Ok(number(i64::try_from(ids.len()).unwrap_or(0)))
}

/// An activity, a timer, a child and an event, all at once.
async fn mixed(ctx: Context, _: Json) -> Outcome {
    let (activity, timer, child, event) = futures::join!(
        ctx.call_with("Flaky", number(1), policy(3)),
        ctx.sleep(Duration::from_secs(600)),
        ctx.sub("Count", number(2), None),
        ctx.event("go"),
    );
    timer?;
    Ok(text(&format!("{} {} {}", to_number(&activity?), to_text(&child?), to_text(&event?))))
}

/// `"key from to amount"`: money from one account to another; back again if it cannot be credited.
async fn transfer(ctx: Context, input: Json) -> Outcome {
    let order = to_text(&input);
    let words: Vec<_> = order.split(' ').collect();
    let [key, from, to, amount] = words[..] else {
        return Err(Failure::new("InvalidArgument", format!("no transfer: {order}")));
    };
    ctx.call("Debit", text(&format!("{key} {from} {amount}"))).await?;
    match ctx.call("Credit", text(&format!("{key} {to} {amount}"))).await {
        Ok(_) => Ok(text("transferred")),
        Err(_) => {
            ctx.call("Credit", text(&format!("{key} {from} {amount}"))).await?;
            Ok(text("returned"))
        }
    }
}
