//! Scenarios about what clients and orchestrations do to others: holding, ending, rewinding, starting again, keys, versions.

use super::{Scenario, await_end, raise};
use crate::author::entities::counter;
use crate::author::{number, text};
use crate::workload::{Act, Ending, With, Workload, start, start_and_wait};
use orchestration::{Reuse, RuntimeStatus};
use ports::RewindTo;
use std::time::Duration;

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario { name: "suspend-and-resume", workload: suspend_and_resume },
    Scenario { name: "suspend-amid-activities", workload: |id| suspend_amid(id, "Status", 5) },
    Scenario { name: "suspend-amid-continue-as-new", workload: |id| suspend_amid(id, "CountSlowly", 4) },
    Scenario { name: "suspend-amid-children", workload: |id| suspend_amid(id, "SlowParents", 2) },
    Scenario { name: "suspend-amid-timers", workload: |id| suspend_amid(id, "Timer", 1) },
    Scenario { name: "suspend-before-start", workload: suspend_before_start },
    Scenario { name: "suspend-and-terminate", workload: suspend_and_terminate },
    Scenario { name: "scheduled-start", workload: scheduled_start },
    Scenario { name: "events-before-start", workload: events_before_start },
    Scenario { name: "terminate-before-start", workload: terminate_before_start },
    Scenario { name: "terminate-recursively", workload: terminate_recursively },
    Scenario { name: "abort-activity", workload: |id| Workload::of(start_and_wait(id, "AbortActivity", number(0))) },
    Scenario { name: "abort-child", workload: abort_child },
    Scenario { name: "purge-child-at-work", workload: |id| child_is_removed(id, Act::PurgeAny { id: child_of(id) }) },
    Scenario { name: "replace-child-at-work", workload: |id| child_is_removed(id, replace(&child_of(id))) },
    Scenario { name: "activity-timeout", workload: |id| Workload::of(start_and_wait(id, "InTime", number(0))) },
    Scenario { name: "heartbeat-timeout", workload: |id| Workload::of(start_and_wait(id, "Alive", number(0))) },
    Scenario { name: "detached-start", workload: detached_start },
    Scenario { name: "event-between-orchestrations", workload: event_between_orchestrations },
    Scenario { name: "event-to-one-that-continues-as-new", workload: event_to_one_that_continues_as_new },
    Scenario { name: "terminate-rejected", workload: terminate_rejected },
    Scenario { name: "events-with-ids", workload: |id| events_with_ids(id, "Gather", number(3)) },
    Scenario {
        name: "events-with-ids-and-continue-as-new",
        workload: |id| events_with_ids(id, "GatherAnew", text("3")),
    },
    Scenario { name: "starts-with-a-key", workload: starts_with_a_key },
    Scenario { name: "rewind-activity", workload: |id| rewind(id, "Ail", text(id), "well 3") },
    Scenario { name: "rewind-retries", workload: |id| rewind(id, "AilWithRetries", text(id), "well") },
    Scenario { name: "rewind-in-section", workload: rewind_in_section },
    Scenario { name: "rewind-in-contested-section", workload: rewind_in_contested_section },
    Scenario { name: "rewind-fan-out", workload: |id| rewind(id, "AilManifold", text(id), "well well well") },
    Scenario { name: "rewind-among-others", workload: rewind_among_others },
    Scenario { name: "rewind-again", workload: rewind_again },
    Scenario { name: "rewind-beside-child-at-work", workload: |id| rewind_beside_child(id, false) },
    Scenario { name: "rewind-beside-child-that-ended", workload: |id| rewind_beside_child(id, true) },
    Scenario { name: "rewind-beside-activity", workload: |id| rewind(id, "AilBesideActivity", text(id), "6 well") },
    Scenario { name: "rewind-with-event-ids", workload: rewind_with_event_ids },
    Scenario { name: "rewind-child-first", workload: rewind_child_first },
    Scenario { name: "racing-rewinds", workload: racing_rewinds },
    Scenario { name: "rewind-races-purge", workload: rewind_races_purge },
    Scenario { name: "rewind-races-restart", workload: rewind_races_restart },
    Scenario { name: "rewind-children", workload: |id| rewind_children(id, None) },
    Scenario { name: "rewind-purged-child", workload: |id| rewind_children(id, Some(1)) },
    Scenario { name: "rewind-purged-grandchild", workload: |id| rewind_children(id, Some(0)) },
    Scenario { name: "restart", workload: |id| restart(id, false) },
    Scenario { name: "restart-with-new-id", workload: |id| restart(id, true) },
    Scenario { name: "racing-restarts", workload: racing_restarts },
    Scenario { name: "pinned", workload: pinned },
    Scenario { name: "rewind-onto-present-app", workload: rewind_onto_present_app },
    Scenario { name: "upgrade", workload: upgrade },
    Scenario { name: "version-rejected-then-accepted", workload: version_rejected_then_accepted },
    Scenario { name: "retention", workload: retention },
];

const HALF_A_MINUTE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);

/// Holds an instance for an hour, from whenever it has come so far.
fn hold(id: &str) -> Vec<Act> {
    vec![
        Act::Pause(Duration::from_millis(5)),
        Act::Suspend { id: id.to_owned() },
        Act::AwaitStatus { id: id.to_owned(), status: RuntimeStatus::Suspended },
        Act::Pause(HOUR),
        Act::Resume { id: id.to_owned() },
    ]
}

/// Events that come while it is held are seen afterwards, in their order.
fn suspend_and_resume(id: &str) -> Workload {
    let mut acts = vec![start(id, "Collect", number(3)), raise(id, "item", "before")];
    acts.push(Act::Suspend { id: id.to_owned() });
    acts.push(Act::AwaitStatus { id: id.to_owned(), status: RuntimeStatus::Suspended });
    acts.extend([raise(id, "item", "meanwhile"), Act::Pause(HOUR), Act::Resume { id: id.to_owned() }]);
    acts.extend([raise(id, "item", "afterwards"), await_end(id)]);
    Workload::of(acts)
}

fn suspend_amid(id: &str, name: &'static str, input: i64) -> Workload {
    let begins = vec![start(id, name, number(input)), Act::AwaitRunning { id: id.to_owned() }];
    Workload::of([begins, hold(id), hold(id), vec![await_end(id)]].concat())
}

/// An instance that starts in an hour, as its client asks for it.
fn start_in_an_hour(id: &str, name: &'static str, input: i64) -> Act {
    let with = With { after: Some(HOUR), ..With::default() };
    Act::Start { id: id.to_owned(), name, input: number(input), with }
}

fn suspend_before_start(id: &str) -> Workload {
    let acts = [vec![start_in_an_hour(id, "Sequence", 2)], hold(id), hold(id), vec![await_end(id)]].concat();
    Workload::of(acts)
}

fn suspend_and_terminate(id: &str) -> Workload {
    let acts = vec![
        start(id, "Collect", number(2)),
        Act::Suspend { id: id.to_owned() },
        Act::AwaitStatus { id: id.to_owned(), status: RuntimeStatus::Suspended },
        raise(id, "item", "unseen"),
        Act::Terminate { id: id.to_owned(), recursive: true },
        await_end(id),
    ];
    Workload::of(acts).ends(id, Ending::Terminated)
}

fn scheduled_start(id: &str) -> Workload {
    Workload::of(vec![start_in_an_hour(id, "Sequence", 2), await_end(id)])
}

fn events_before_start(id: &str) -> Workload {
    let acts = vec![
        start_in_an_hour(id, "Collect", 2),
        raise(id, "item", "early"),
        Act::Pause(HALF_A_MINUTE),
        raise(id, "item", "also"),
        await_end(id),
    ];
    Workload::of(acts)
}

fn terminate_before_start(id: &str) -> Workload {
    let acts = vec![
        start_in_an_hour(id, "Sequence", 2),
        Act::Terminate { id: id.to_owned(), recursive: false },
        await_end(id),
    ];
    Workload::of(acts).ends(id, Ending::Terminated)
}

/// Nobody of the family is left at work, or the end of the world would not come.
fn terminate_recursively(id: &str) -> Workload {
    let acts = vec![
        start(id, "WaitFor", text("child")),
        Act::AwaitRunning { id: id.to_owned() },
        Act::Terminate { id: id.to_owned(), recursive: true },
        await_end(id),
    ];
    Workload::of(acts).ends(id, Ending::Terminated)
}

fn abort_child(id: &str) -> Workload {
    let child = format!("{id}-child");
    let mut workload = Workload::of(start_and_wait(id, "AbortChild", text(&child))).ends(&child, Ending::Terminated);
    workload.others.push((child, "WaitFor", text("child")));
    workload
}

fn child_of(id: &str) -> String {
    format!("{id}-child")
}

fn replace(id: &str) -> Act {
    let with = With { reuse: Some(Reuse::ANY), ..With::default() };
    Act::Start { id: id.to_owned(), name: "Sequence", input: number(1), with }
}

/// A parent hears of it, and does not wait for ever.
fn child_is_removed(id: &str, removal: Act) -> Workload {
    let child = child_of(id);
    let ending = if let Act::PurgeAny { .. } = removal { None } else { Some(Ending::OneOf(vec![number(1)])) };
    let acts = vec![
        start(id, "Guardian", text(&child)),
        Act::AwaitRunning { id: id.to_owned() },
        Act::Pause(HALF_A_MINUTE),
        removal,
        await_end(id),
    ];
    let workload = Workload::of(acts).ends(id, Ending::OneOf(vec![text("OrchestrationTerminated")]));
    ending.into_iter().fold(workload, |workload, ending| workload.ends(&child, ending))
}

fn detached_start(id: &str) -> Workload {
    let other = format!("{id}-other");
    let mut workload = Workload::of(start_and_wait(id, "StartOther", text(&other)));
    workload.others.push((other, "Sequence", number(2)));
    workload
}

fn event_between_orchestrations(id: &str) -> Workload {
    let (sender, receiver) = (format!("{id}-sender"), format!("{id}-receiver"));
    let acts = vec![
        start(&receiver, "Gather", number(3)),
        start(&sender, "Send", text(&format!("{receiver} one two three"))),
        await_end(&sender),
        await_end(&receiver),
    ];
    Workload::of(acts).ends(&receiver, Ending::OneOf(vec![text("one two three")]))
}

fn event_to_one_that_continues_as_new(id: &str) -> Workload {
    let (sender, receiver) = (format!("{id}-sender"), format!("{id}-receiver"));
    let acts = vec![
        start(&receiver, "GatherAnew", text("3")),
        start(&sender, "Send", text(&format!("{receiver} one two three"))),
        await_end(&sender),
        await_end(&receiver),
    ];
    Workload::of(acts).ends(&receiver, Ending::OneOf(vec![text("one two three")]))
}

/// It never runs on this app, and can be ended all the same.
fn terminate_rejected(id: &str) -> Workload {
    let with = With { version: Some("9.0"), ..With::default() };
    let acts = vec![
        Act::Start { id: id.to_owned(), name: "Sequence", input: number(2), with },
        Act::Pause(HALF_A_MINUTE),
        Act::Terminate { id: id.to_owned(), recursive: false },
        await_end(id),
    ];
    // Whoever else shares the world may deploy an app beside which it runs its own code.
    Workload::of(acts)
}

/// Two clients raise the same events, and again when their answers get lost.
fn events_with_ids(id: &str, name: &'static str, input: orchestration::Json) -> Workload {
    let raises = || {
        (0..3).map(|n| Act::Raise {
            id: id.to_owned(),
            event: "item",
            payload: text(&format!("item{n}")),
            event_id: Some(format!("event {n}")),
        })
    };
    let first = std::iter::once(start(id, name, input)).chain(raises()).chain([await_end(id)]);
    Workload::of_all([first.collect(), raises().collect()]).ends(id, Ending::OneOf(vec![text("item0 item1 item2")]))
}

fn starts_with_a_key(id: &str) -> Workload {
    let start = || Act::StartByKey { key: format!("{id} key"), name: "Sequence", input: number(2) };
    Workload::of_all([vec![start()], vec![start(), Act::Pause(HOUR), start()]])
}

/// Rewinds an instance that has failed.
fn again(id: &str) -> Act {
    Act::Rewind { id: id.to_owned(), to: RewindTo::SameApp }
}

/// It fails, is repaired, and goes on from there.
fn rewind(id: &str, name: &'static str, input: orchestration::Json, output: &str) -> Workload {
    let mut acts = vec![start(id, name, input), await_end(id)];
    acts.extend([Act::Repair { key: id.to_owned() }, again(id)]);
    Workload::of(acts).ends(id, Ending::OneOf(vec![text(output)]))
}

/// The locks are asked for again. What was counted before counts once.
fn rewind_in_section(id: &str) -> Workload {
    let others = start_and_wait(&format!("{id}-other"), "CallEntity", text(&format!("{id} 2")));
    let outputs = (2..5).map(|n| text(&format!("well {n}"))).collect();
    let Workload { actors, .. } = rewind(id, "AilInSection", text(id), "");
    Workload { actors, ..Workload::default() }
        .and(Workload::of(others))
        .ends(id, Ending::OneOf(outputs))
        .leaves(counter(id), Some(4))
}

/// Another one wants the same lock all the time.
fn rewind_in_contested_section(id: &str) -> Workload {
    let other = |n| start_and_wait(&format!("{id}-{n}"), "Section", text(&format!("leave {id}")));
    let others =
        Workload::of_all([[other(0), vec![Act::Pause(HOUR)], other(1)].concat(), [other(2), other(3)].concat()]);
    let outputs = (2..7).map(|n| text(&format!("well {n}"))).collect();
    let Workload { actors, .. } = rewind(id, "AilInSection", text(id), "");
    Workload { actors, ..Workload::default() }.and(others).ends(id, Ending::OneOf(outputs)).leaves(counter(id), Some(6))
}

/// Timers, an entity and an event are open, or answered, when it fails.
fn rewind_among_others(id: &str) -> Workload {
    let acts = vec![
        start(id, "AilAmongOthers", text(id)),
        await_end(id),
        Act::Repair { key: id.to_owned() },
        again(id),
        // Until then the instance takes no events.
        Act::AwaitRevival { id: id.to_owned() },
        raise(id, "go", "went"),
        await_end(id),
    ];
    Workload::of(acts).ends(id, Ending::OneOf(vec![text("well 7 went")])).leaves(counter(id), Some(4))
}

/// Rewound before it is repaired, it fails again.
fn rewind_again(id: &str) -> Workload {
    let acts = vec![
        start(id, "Ail", text(id)),
        await_end(id),
        again(id),
        Act::Pause(HOUR * 2),
        await_end(id),
        Act::Repair { key: id.to_owned() },
        again(id),
        again(id),
    ];
    Workload::of(acts).ends(id, Ending::OneOf(vec![text("well 3")]))
}

/// A child of a child fails, and with it all above. One of them may be gone when the uppermost is rewound.
fn rewind_children(id: &str, purged: Option<u32>) -> Workload {
    let mut acts = vec![start(id, "AilBelow", text(&format!("{id} 2"))), await_end(id)];
    acts.extend(purged.map(|depth| Act::Purge { id: format!("{id}-{depth}") }));
    acts.extend([Act::Repair { key: id.to_owned() }, again(id)]);
    Workload::of(acts).ends(id, Ending::OneOf(vec![text("well")]))
}

/// A child waits for its event when its parent fails; the event comes before the rewind or after it.
fn rewind_beside_child(id: &str, ends_before: bool) -> Workload {
    let child = child_of(id);
    let event = vec![raise(&child, "go", "went"), await_end(&child)];
    let rewound = vec![Act::Repair { key: id.to_owned() }, again(id), Act::AwaitRevival { id: id.to_owned() }];
    let begins = vec![start(id, "AilBesideChild", text(id)), await_end(id)];
    let acts = if ends_before { [begins, event, rewound].concat() } else { [begins, rewound, event].concat() };
    Workload::of(acts).ends(id, Ending::OneOf(vec![text("went well")]))
}

/// An event that was accepted before the failure is accepted no more after the rewind.
fn rewind_with_event_ids(id: &str) -> Workload {
    let raise = |n: u32| Act::Raise {
        id: id.to_owned(),
        event: "item",
        payload: text(&format!("item{n}")),
        event_id: Some(format!("event {n}")),
    };
    let acts = vec![
        start(id, "AilAfterEvent", text(id)),
        raise(0),
        await_end(id),
        Act::Repair { key: id.to_owned() },
        again(id),
        Act::AwaitRevival { id: id.to_owned() },
        raise(0),
        raise(1),
        raise(0),
        await_end(id),
    ];
    Workload::of(acts).ends(id, Ending::OneOf(vec![text("item0 item1")]))
}

/// Children are rewound by themselves before their parents are.
fn rewind_child_first(id: &str) -> Workload {
    let mut acts = vec![start(id, "AilBelow", text(&format!("{id} 2"))), await_end(id)];
    acts.push(Act::Repair { key: id.to_owned() });
    for below in ["-0", "-1", ""] {
        acts.extend([again(&format!("{id}{below}")), Act::AwaitRevival { id: format!("{id}{below}") }]);
    }
    Workload::of(acts).ends(id, Ending::OneOf(vec![text("well")]))
}

/// Several clients rewind a whole family, each another member of it.
fn racing_rewinds(id: &str) -> Workload {
    let begins = vec![
        start(id, "AilBelow", text(&format!("{id} 2"))),
        await_end(id),
        Act::Repair { key: id.to_owned() },
        again(id),
    ];
    let others = ["-0", "-1", ""].map(|below| {
        let member = format!("{id}{below}");
        vec![Act::AwaitRunning { id: id.to_owned() }, await_end(id), again(&member)]
    });
    // One that is rewound before the repair fails again.
    Workload::of_all([begins].into_iter().chain(others)).ends(id, Ending::OneOfOrFailed(vec![text("well")]))
}

fn rewind_races_purge(id: &str) -> Workload {
    let purge = || Act::PurgeAny { id: id.to_owned() };
    let rewind = again(id);
    let acts = vec![start(id, "Ail", text(id)), await_end(id), rewind, Act::Pause(HOUR), purge()];
    let purger = vec![Act::AwaitRunning { id: id.to_owned() }, await_end(id), purge()];
    Workload::of_all([acts, purger]).ends(id, Ending::Purged)
}

/// Whichever comes first, it ends.
fn rewind_races_restart(id: &str) -> Workload {
    let acts = vec![start(id, "Ail", text(id)), await_end(id), Act::Repair { key: id.to_owned() }];
    let rewind = vec![Act::AwaitRunning { id: id.to_owned() }, await_end(id), again(id)];
    let restart = Act::Restart { id: id.to_owned(), with_new_id: false };
    let restart = vec![Act::AwaitRunning { id: id.to_owned() }, await_end(id), restart];
    Workload::of_all([acts, rewind, restart]).ends(id, Ending::OneOfOrFailed(vec![text("well 3")]))
}

fn restart(id: &str, with_new_id: bool) -> Workload {
    let restart = Act::Restart { id: id.to_owned(), with_new_id };
    let acts = [start_and_wait(id, "Sequence", number(3)), vec![restart, await_end(id)]].concat();
    Workload::of(acts)
}

/// Restarts, another start and a purge of one id at once.
fn racing_restarts(id: &str) -> Workload {
    let restart = || Act::Restart { id: id.to_owned(), with_new_id: false };
    let restarting = || [start_and_wait(id, "Sequence", number(1)), vec![restart(), restart(), await_end(id)]].concat();
    let starting = [start_and_wait(id, "FanOut", number(2)), vec![restart(), await_end(id)]].concat();
    Workload::of_all([restarting(), restarting(), starting])
}

/// Two apps at once: each instance ends on the one that it was started on.
fn pinned(id: &str) -> Workload {
    let (old, new) = (format!("{id}-old"), format!("{id}-new"));
    let acts = vec![
        start(&old, "Versioned", text("stay")),
        Act::AwaitRunning { id: old.clone() },
        Act::Deploy { app: 2 },
        start(&new, "Versioned", text("stay")),
        raise(&old, "go", "on"),
        await_end(&old),
        await_end(&new),
    ];
    // Whoever else shares the world may have deployed before.
    Workload::of(acts)
        .ends(&old, Ending::OneOf(vec![text("old code, app-1"), text("new code, app-2")]))
        .ends(&new, Ending::OneOf(vec![text("new code, app-2")]))
}

/// What failed by a mistake of its app goes on with the app that mends it.
fn rewind_onto_present_app(id: &str) -> Workload {
    let acts = vec![
        start(id, "Curable", text("worked")),
        await_end(id),
        Act::Deploy { app: 2 },
        Act::Rewind { id: id.to_owned(), to: RewindTo::PresentApp },
        Act::AwaitRevival { id: id.to_owned() },
        await_end(id),
    ];
    Workload::of(acts).ends(id, Ending::OneOf(vec![text("worked on app-2")]))
}

fn upgrade(id: &str) -> Workload {
    let acts = vec![
        start(id, "Versioned", text("upgrade")),
        Act::AwaitRunning { id: id.to_owned() },
        Act::Deploy { app: 2 },
        raise(id, "go", "on"),
        await_end(id),
    ];
    Workload::of(acts).ends(id, Ending::OneOf(vec![text("new code, app-2")]))
}

/// What is newer than the app waits for a newer app.
fn version_rejected_then_accepted(id: &str) -> Workload {
    let with = With { version: Some("2.0"), ..With::default() };
    let acts = vec![
        Act::Start { id: id.to_owned(), name: "Sequence", input: number(2), with },
        Act::Pause(HALF_A_MINUTE),
        Act::Deploy { app: 1 },
        await_end(id),
    ];
    Workload::of(acts)
}

/// Some are kept for a month, others are purged before.
fn retention(id: &str) -> Workload {
    let (gone, failed) = (format!("{id}-gone"), format!("{id}-failed"));
    let mut acts = start_and_wait(&gone, "Sequence", number(1));
    acts.push(Act::Purge { id: gone.clone() });
    let actors = [
        acts,
        start_and_wait(&failed, "Refused", number(1)),
        start_and_wait(&format!("{id}-kept"), "Timer", number(40)),
        start_and_wait(&format!("{id}-parent"), "Parents", number(2)),
    ];
    let kept = Some(Duration::from_secs(30 * 86_400));
    Workload { retention: kept, ..Workload::of_all(actors).ends(&gone, Ending::Purged) }
}
