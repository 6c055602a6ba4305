//! The scenarios: small, so that every fault at every point can be tried. Together they do what authors and clients do.

mod stateful;
mod steering;
mod swaps;
mod triggered;

use crate::author::{number, text};
use crate::workload::{Act, Ending, Workload, simple, start, start_and_wait};
use orchestration::Json;
use std::time::Duration;

/// A workload by name. Its argument begins the ids of all its instances, so that several can share a world.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) workload: fn(&str) -> Workload,
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    ALL.iter().chain(stateful::ALL).chain(steering::ALL).chain(triggered::ALL).chain(swaps::ALL)
}

/// Those about orchestrations by themselves.
const ALL: &[Scenario] = &[
    Scenario { name: "one-activity", workload: |id| simple(id, "Sequence", 1) },
    Scenario { name: "one-timer", workload: |id| simple(id, "Timer", 7) },
    Scenario { name: "nothing", workload: |id| simple(id, "Sequence", 0) },
    Scenario { name: "sequence", workload: |id| simple(id, "Sequence", 4) },
    Scenario { name: "fan-out", workload: |id| simple(id, "FanOut", 4) },
    Scenario { name: "wide-fan-out", workload: |id| simple(id, "FanOut", 32) },
    Scenario { name: "retry", workload: |id| simple(id, "Retry", 2) },
    Scenario { name: "retry-in-vain", workload: |id| simple(id, "Retry", 9) },
    Scenario { name: "stubborn", workload: |id| simple(id, "Stubborn", 2) },
    Scenario { name: "compensate", workload: |id| simple(id, "Compensate", 0) },
    Scenario { name: "refused", workload: |id| simple(id, "Refused", 1) },
    Scenario { name: "unknown-functions", workload: |id| simple(id, "Unknown", 1) },
    Scenario { name: "timer-against-timer", workload: |id| simple(id, "Timers", 0) },
    Scenario { name: "event-before-wait", workload: |id| events(id, "Approval", &[("approval", "early")], None) },
    Scenario {
        name: "event-against-timer",
        workload: |id| events(id, "Approval", &[("APPROVAL", "yes")], Some(Duration::from_secs(3600))),
    },
    Scenario { name: "event-too-late", workload: event_too_late },
    Scenario { name: "event-never", workload: |id| simple(id, "Approval", 0) },
    Scenario { name: "events-in-order", workload: |id| numbered_events(id, "Collect", number(3), 3) },
    Scenario { name: "events-of-two-names", workload: events_of_two_names },
    Scenario { name: "parent", workload: |id| simple(id, "Parent", 2) },
    Scenario { name: "parents", workload: |id| simple(id, "Parents", 3) },
    Scenario { name: "nested", workload: |id| simple(id, "Nested", 3) },
    Scenario { name: "broken-child", workload: |id| simple(id, "BrokenChild", 0) },
    Scenario { name: "child-retry", workload: |id| simple(id, "ChildRetry", 0) },
    Scenario { name: "child-id-conflict", workload: child_id_conflict },
    Scenario { name: "continue-as-new", workload: |id| simple(id, "Count", 3) },
    Scenario { name: "continue-as-new-with-events", workload: |id| numbered_events(id, "CollectAnew", text("3"), 3) },
    Scenario { name: "continue-as-new-amid-events", workload: continue_as_new_amid_events },
    Scenario { name: "continue-as-new-leaves-behind", workload: |id| simple(id, "LeaveBehind", 2) },
    Scenario { name: "terminate", workload: terminate },
    Scenario { name: "terminate-races-end", workload: terminate_races_end },
    Scenario { name: "terminate-parent", workload: terminate_parent },
    Scenario { name: "unawaited-activity", workload: |id| simple(id, "Forget", 5) },
    Scenario { name: "several-instances", workload: several_instances },
    Scenario { name: "racing-starts", workload: racing_starts },
    Scenario { name: "start-again", workload: start_again },
    Scenario { name: "purge", workload: purge },
    Scenario { name: "purge-at-work", workload: purge_at_work },
    Scenario { name: "long-activity", workload: |id| simple(id, "Long", 21) },
    Scenario { name: "status", workload: |id| simple(id, "Status", 3) },
    Scenario { name: "guids", workload: |id| simple(id, "Guids", 2) },
    Scenario { name: "mixed", workload: |id| events(id, "Mixed", &[("go", "went")], Some(Duration::from_secs(30))) },
    Scenario { name: "bank", workload: bank },
    Scenario { name: "bank-gives-back", workload: bank_gives_back },
];

/// The scenario of this name.
pub(crate) fn find(name: &str) -> Option<&'static Scenario> {
    all().find(|scenario| scenario.name == name)
}

fn raise(id: &str, event: &'static str, payload: &str) -> Act {
    Act::Raise { id: id.to_owned(), event, payload: text(payload), event_id: None }
}

fn await_end(id: &str) -> Act {
    Act::AwaitEnd { id: id.to_owned() }
}

/// Starts, raises events one after the other, each after a pause if there is one, and waits.
fn events(id: &str, name: &'static str, raised: &[(&'static str, &str)], pause: Option<Duration>) -> Workload {
    let mut acts = vec![start(id, name, number(0))];
    for (event, payload) in raised {
        acts.extend(pause.map(Act::Pause));
        acts.push(raise(id, event, payload));
    }
    acts.push(await_end(id));
    Workload::of(acts)
}

fn numbered_events(id: &str, name: &'static str, input: Json, count: usize) -> Workload {
    let mut acts = vec![start(id, name, input)];
    acts.extend((0..count).map(|n| raise(id, "item", &format!("item{n}"))));
    acts.push(await_end(id));
    Workload::of(acts)
}

/// Events come just when one execution ends and the next begins: one activity of 20 ms lies between.
fn continue_as_new_amid_events(id: &str) -> Workload {
    let mut acts = vec![start(id, "CollectAnew", text("3"))];
    for n in 0..3 {
        acts.push(raise(id, "item", &format!("item{n}")));
        acts.push(Act::Pause(Duration::from_millis(20)));
    }
    acts.push(await_end(id));
    Workload::of(acts)
}

/// The timer wins, long before the event; nobody minds the event.
fn event_too_late(id: &str) -> Workload {
    let late = Act::Pause(Duration::from_secs(20 * 86_400));
    let acts = vec![start(id, "Approval", number(0)), late, raise(id, "approval", "late"), await_end(id)];
    Workload::of(acts).ends(id, Ending::OneOf(vec![text("expired")]))
}

/// Two clients at once, each with its own name.
fn events_of_two_names(id: &str) -> Workload {
    let one = vec![start(id, "Alternate", number(4)), raise(id, "left", "a"), raise(id, "Left", "c"), await_end(id)];
    let other = vec![raise(id, "RIGHT", "b"), raise(id, "right", "d")];
    Workload::of_all([one, other])
}

/// The child's id is taken by an instance that goes on until its event comes.
fn child_id_conflict(id: &str) -> Workload {
    let (parent, child) = (format!("{id}-parent"), format!("{id}-child"));
    let acts = vec![
        start(&child, "Collect", number(1)),
        start(&parent, "NamedChild", text(&child)),
        await_end(&parent),
        raise(&child, "item", "go"),
        await_end(&child),
        start(&format!("{parent}2"), "NamedChild", text(&child)),
        await_end(&format!("{parent}2")),
    ];
    // The second parent replaces the instance that has ended by its own child.
    let endings = vec![(parent, Ending::OneOf(vec![text("conflict")])), (child, Ending::OneOf(vec![number(2)]))];
    Workload { endings, ..Workload::of(acts) }
}

fn terminate(id: &str) -> Workload {
    let acts = vec![
        start(id, "Collect", number(5)),
        Act::AwaitRunning { id: id.to_owned() },
        raise(id, "item", "one"),
        Act::Terminate { id: id.to_owned(), recursive: false },
        await_end(id),
    ];
    Workload::of(acts).ends(id, Ending::Terminated)
}

fn terminate_races_end(id: &str) -> Workload {
    let stopper = vec![Act::Terminate { id: id.to_owned(), recursive: false }];
    Workload::of_all([start_and_wait(id, "Sequence", number(2)), stopper])
}

/// The child goes on, and its answer finds nobody.
fn terminate_parent(id: &str) -> Workload {
    let acts = vec![
        start(id, "Parents", number(2)),
        Act::AwaitRunning { id: id.to_owned() },
        Act::Terminate { id: id.to_owned(), recursive: false },
        await_end(id),
    ];
    Workload::of(acts)
}

fn several_instances(id: &str) -> Workload {
    let actors = (0..4).map(|n| start_and_wait(&format!("{id}-{n}"), "Sequence", number(n)));
    Workload::of_all(actors).and(Workload::of(vec![Act::List]))
}

/// One id, two inputs: one of them it will be.
fn racing_starts(id: &str) -> Workload {
    let actors = (1..3).map(|n| start_and_wait(id, "Sequence", number(n)));
    Workload::of_all(actors)
}

fn start_again(id: &str) -> Workload {
    let acts = [start_and_wait(id, "Sequence", number(1)), start_and_wait(id, "FanOut", number(3))].concat();
    Workload::of(acts)
}

fn purge(id: &str) -> Workload {
    let (gone, again) = (format!("{id}-gone"), format!("{id}-again"));
    let acts = vec![
        start(&again, "Sequence", number(1)),
        await_end(&again),
        Act::Purge { id: again.clone() },
        start(&again, "Sequence", number(2)),
        start(&gone, "Forget", number(2)),
        await_end(&gone),
        Act::Purge { id: gone.clone() },
        await_end(&again),
    ];
    Workload::of(acts).ends(&gone, Ending::Purged)
}

/// Whatever it was doing comes to nothing.
fn purge_at_work(id: &str) -> Workload {
    let acts = vec![
        start(id, "Mixed", number(0)),
        Act::AwaitRunning { id: id.to_owned() },
        Act::PurgeAny { id: id.to_owned() },
    ];
    Workload::of(acts).ends(id, Ending::Purged)
}

/// Three transfers at once between the same accounts.
fn bank(id: &str) -> Workload {
    let transfers = [("alice", "bob", 30), ("bob", "carol", 50), ("carol", "alice", 20)];
    let actors = transfers.iter().enumerate().map(|(n, (from, to, amount))| {
        let id = format!("{id}-{n}");
        start_and_wait(&id, "Transfer", text(&format!("{id} {from} {to} {amount}")))
    });
    Workload::of_all(actors)
}

fn bank_gives_back(id: &str) -> Workload {
    let acts = start_and_wait(id, "Transfer", text(&format!("{id} alice nobody 10")));
    Workload::of(acts)
}
